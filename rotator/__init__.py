"""Rotator: a terminal planner for rotating pinned TLS keys."""

__version__ = "0.1.0"
