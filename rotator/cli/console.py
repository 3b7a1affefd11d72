"""Where words go: results to stdout, talk to stderr, in ASCII or colour as asked."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any, TextIO

from rotator.errors import printable
from rotator.model.progress import Progress, Silent, heard_by

_PAINT = {
    "BREAKS": "1;38;5;166",
    "LOST": "1;38;5;196",
    "EXPOSED": "1;38;5;178",
    "unpinned": "38;5;245",
    "error": "1;38;5;166",
    "warning": "38;5;178",
    "ok": "38;5;39",
}
_WORD = re.compile(r"(?m)^(\s*)((?:[✓✗▲○✖+x!X-] )?)(BREAKS|LOST|EXPOSED|unpinned|ok|error|warning)\b")


class Console:
    """The two streams and how to write to them."""

    def __init__(self, out: TextIO, err: TextIO, *, ascii_only: bool, color: bool) -> None:
        """Keep the streams; colour is used only where asked for, and never the only sign."""
        self.out = out
        self.err = err
        self.ascii_only = ascii_only
        self.color = color
        self._line: _Line | None = None

    def result(self, text: str) -> None:
        """Write a result."""
        self._clear()
        if self.ascii_only:
            from rotator.report.text import to_ascii

            text = to_ascii(text)
        if self.color:
            text = _WORD.sub(lambda m: f"{m[1]}\x1b[{_PAINT[m[3]]}m{m[2]}{m[3]}\x1b[0m", text)
        self.out.write(text if text.endswith("\n") or not text else text + "\n")
        self.out.flush()

    def json(self, value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Write a result as JSON."""
        self._clear()
        self.out.write(json.dumps(value, indent=2, ensure_ascii=self.ascii_only) + "\n")
        self.out.flush()

    @contextmanager
    def progress(self, clock: Callable[[], float] = monotonic) -> Iterator[Progress]:
        """Say how far long work is while it lasts, where stderr is a terminal; whatever is told takes its line away.

        Args:
            clock: gives seconds.
        """
        self._line = _Line(self.err, clock) if self.err.isatty() else None
        try:
            yield self._line or Silent()
        finally:
            self._clear()
            self._line = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Say how far all work of this thread is while it lasts, as `progress` does."""
        with self.progress() as progress, heard_by(progress):
            yield

    def _clear(self) -> None:
        if self._line is not None:
            self._line.clear()

    def talk(self, text: str) -> None:
        """Say something that is no result."""
        self._clear()
        lines = [printable(line) for line in text.split("\n")]
        self.err.write(
            "\n".join(lines).encode("ascii", "backslashreplace").decode() + "\n"
            if self.ascii_only
            else "\n".join(lines) + "\n"
        )
        self.err.flush()


SILENT_FOR = 0.5
"""Seconds of work before anything is said of it: most answers are there sooner."""
EVERY = 0.1
"""Seconds between two looks of the line."""


class _Line:
    """One line of a terminal that says how far long work is, and is gone when it ends."""

    def __init__(self, err: TextIO, clock: Callable[[], float]) -> None:
        self.err = err
        self.clock = clock
        self.next = clock() + SILENT_FOR
        self.what = ""
        self.shown = False

    def step(self, done: int, of: int, what: str) -> None:
        """Say how far it is, over what was said before."""
        self.what = what or self.what
        now = self.clock()
        if now < self.next or not self.what:
            return
        self.next = now + EVERY
        self.shown = True
        share = f" {done / of:4.0%}" if of else ""
        self.err.write(f"\r{printable(self.what)}{share}\x1b[K")
        self.err.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self.shown:
            self.shown = False
            self.err.write("\r\x1b[K")
            self.err.flush()


def console(*, ascii_only: bool, no_color: bool, environ: Mapping[str, str]) -> Console:
    """Make the console of this process."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace", newline="\n")
    unicode_ok = (sys.stdout.encoding or "ascii").lower().replace("-", "") in ("utf8", "utf8sig")
    color = (
        not no_color and not environ.get("NO_COLOR") and sys.stdout.isatty() and environ.get("TERM", "dumb") != "dumb"
    )
    return Console(sys.stdout, sys.stderr, ascii_only=ascii_only or not unicode_ok, color=color)
