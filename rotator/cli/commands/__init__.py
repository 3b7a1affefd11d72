"""One short function for each command."""
