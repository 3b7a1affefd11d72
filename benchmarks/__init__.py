"""How fast and how large: measured on this machine, printed, never asserted."""
