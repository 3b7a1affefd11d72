"""What happens: events on a world, and what every client then accepts and refuses. Pure."""
