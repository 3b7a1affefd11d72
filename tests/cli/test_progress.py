"""Long work says how far it is on a terminal, and nowhere else; it leaves nothing behind."""

from __future__ import annotations

import io

from rotator.cli.console import Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def said(err: io.StringIO) -> str:
    with Console(io.StringIO(), err, ascii_only=False, color=False).progress() as progress:
        progress.step(1, 4, "pairs")
        progress.step(2, 0, "rows")
    return err.getvalue()


def test_a_terminal_sees_one_line_that_is_gone_at_the_end() -> None:
    assert said(Terminal()) == "\rpairs  25%\x1b[K\rrows\x1b[K\r\x1b[K"


def test_a_file_or_a_pipe_gets_nothing() -> None:
    assert said(io.StringIO()) == ""
