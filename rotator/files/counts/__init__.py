"""Files of user counts as stores and analytics hand them out: one module for each format."""
