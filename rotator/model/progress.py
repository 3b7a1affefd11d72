"""How long work says how far it is, and is told to stop: the screens and the command line both listen."""

from __future__ import annotations

from typing import Protocol

from rotator.errors import RotatorError


class CancelledError(RotatorError):
    """The work was given up between two chunks; nothing of it is kept."""

    exit_code = 130

    def __init__(self) -> None:
        """Say so."""
        super().__init__("given up")


class Progress(Protocol):
    """Whoever listens to long work."""

    def step(self, done: int, of: int, what: str) -> None:
        """Hear how far the work is, after each chunk of it.

        Args:
            done: chunks done.
            of: chunks in all; 0 where nobody knows.
            what: what is being done, in a few words.

        Raises:
            CancelledError: to give the work up.
        """


class Silent:
    """Nobody listens."""

    def step(self, done: int, of: int, what: str) -> None:
        """Do nothing."""
