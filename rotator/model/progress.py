"""How long work says how far it is, and is told to stop: the screens and the command line both listen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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
            what: what is being done, in a few words; "" for one more part of what was said before.

        Raises:
            CancelledError: to give the work up.
        """


class Silent:
    """Nobody listens."""

    def step(self, done: int, of: int, what: str) -> None:
        """Do nothing."""


_LISTENER: ContextVar[Progress | None] = ContextVar("listener", default=None)


@contextmanager
def heard_by(listener: Progress) -> Iterator[None]:
    """Let somebody hear all work that this thread does meanwhile, however deep it lies.

    Answers are made of many small parts in many places; a listener that every one of them handed on would be part of
    each signature between a key of the keyboard and the innermost loop.
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def heed(what: str = "", done: int = 0, of: int = 0) -> None:
    """Tell whoever listens to this thread that a part of the work is about to begin.

    Raises:
        CancelledError: it is given up.
    """
    listener = _LISTENER.get()
    if listener is not None:
        listener.step(done, of, what)


class Heard:
    """Whoever listens to this thread, for work that is handed a listener."""

    def step(self, done: int, of: int, what: str) -> None:
        """Hand it on."""
        heed(what, done, of)
