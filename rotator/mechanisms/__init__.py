"""One file per client technology: its file format, its host rule, its acceptance rule, and where each is from."""
