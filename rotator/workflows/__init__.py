"""The use cases: what the command line and the screens both call, one file each."""
