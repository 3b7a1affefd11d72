"""Long work says how far it is on a terminal, and nowhere else; it leaves nothing behind, given up or not."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext

import pytest

from rotator.cli import main as cli
from rotator.cli.commands import check, drill, plan, simulate
from rotator.cli.console import EVERY, SILENT_FOR, Console
from rotator.model.progress import CancelledError, heed
from tests.cli.conftest import Run
from tests.desk import BASE, Desk, app

GONE = "\r\x1b[K"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def clock(*seconds: float) -> Callable[[], float]:
    """Give a clock that shows these times, one after the other."""
    shown: Iterator[float] = iter(seconds)
    return lambda: next(shown)


def said(err: io.StringIO, *times: float) -> str:
    with Console(io.StringIO(), err, ascii_only=False, color=False).progress(clock(*times)) as progress:
        progress.step(1, 4, "pairs")
        progress.step(0, 0, "")
        progress.step(2, 0, "rows")
    return err.getvalue()


def test_a_terminal_sees_one_line_that_is_gone_at_the_end() -> None:
    assert said(Terminal(), 0, 1, 2, 3) == f"\rpairs  25%\x1b[K\rpairs\x1b[K\rrows\x1b[K{GONE}"


def test_work_that_is_short_says_nothing_and_long_work_not_too_often() -> None:
    assert said(Terminal(), 0, *[SILENT_FOR * 0.9] * 3) == ""
    assert said(Terminal(), 0, SILENT_FOR, SILENT_FOR + EVERY / 2, SILENT_FOR + EVERY) == (
        f"\rpairs  25%\x1b[K\rrows\x1b[K{GONE}"
    )


def test_a_file_or_a_pipe_gets_nothing() -> None:
    assert said(io.StringIO()) == ""


def test_a_result_and_talk_take_the_line_away_first() -> None:
    err = Terminal()
    console = Console(err, err, ascii_only=False, color=False)
    with console.progress(clock(0, 1, 2)) as progress:
        progress.step(1, 2, "rows")
        console.result("done")
        progress.step(2, 2, "rows")
        console.talk("kept")
    assert err.getvalue() == f"\rrows  50%\x1b[K{GONE}done\n\rrows 100%\x1b[K{GONE}kept\n"


TEXT = BASE + app("shop")


class Impatient:
    """Gives the work up at the first word of it."""

    def __init__(self, how: type[BaseException]) -> None:
        self.how = how
        self.heard: list[str] = []

    def step(self, *said: object) -> None:
        self.heard.append(str(said[-1]))
        raise self.how


@pytest.mark.parametrize("how", [KeyboardInterrupt, CancelledError])
@pytest.mark.parametrize(
    "words", ["simulate policy.toml key-loss:a", "check policy.toml", "plan policy.toml --to b", "drill policy.toml"]
)
def test_work_that_is_given_up_ends_with_130_and_writes_nothing(
    desk: Desk, run: Run, words: str, how: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given up where it says how far it is: no result, no report, no traceback."""
    desk.policy(TEXT)
    before = sorted(desk.folder.rglob("*"))
    listener = Impatient(how)
    monkeypatch.setattr(Console, "progress", lambda _: nullcontext(listener))
    ran = run(*words.split())
    assert listener.heard
    assert (ran.code, ran.out, ran.err) == (130, "", "given up\n" if how is CancelledError else "")
    assert sorted(desk.folder.rglob("*")) == before


@pytest.mark.parametrize("command", [simulate, check, plan, drill])
def test_an_interrupt_takes_the_line_away(
    desk: Desk, run: Run, monkeypatch: pytest.MonkeyPatch, command: object
) -> None:
    err = Terminal()

    def interrupted(asked: object, console: Console, environ: Mapping[str, str]) -> int:
        assert console.err is err
        heed("judging", 1, 2)
        raise KeyboardInterrupt

    monkeypatch.setattr("rotator.cli.console.SILENT_FOR", 0)
    monkeypatch.setattr(command, "run", interrupted)
    monkeypatch.setattr("sys.stderr", err)
    assert run(str(getattr(command, "__name__", "")).rpartition(".")[2], desk.policy(TEXT)).code == 130
    assert err.getvalue() == f"\rjudging  50%\x1b[K{GONE}"


def test_an_interrupt_while_the_program_begins_is_130_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rotator import __main__ as program

    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupted)
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 130
    assert capsys.readouterr() == ("", "")


def test_answers_are_the_same_on_a_terminal(desk: Desk, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = run("simulate", desk.policy(TEXT), "key-loss:a", "--no-report")
    err = Terminal()
    monkeypatch.setattr("sys.stderr", err)
    assert run("simulate", desk.policy(TEXT), "key-loss:a", "--no-report").out == quiet.out
