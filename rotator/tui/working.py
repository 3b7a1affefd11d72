"""Long work beside the drawing: it says how far it is, escape gives it up, and then everything is as it was."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from textual.screen import Screen
from textual.timer import Timer

from rotator.errors import RotatorError
from rotator.model.progress import CancelledError, heard_by
from rotator.tui.widgets.bars import Bar

if TYPE_CHECKING:
    from rotator.tui.session_app import SessionApp

Found = TypeVar("Found")
QUIET_SECONDS = 0.4
"""Work that takes no longer says nothing of itself."""
TICK_SECONDS = 0.25


class Job:
    """One piece of long work, as seen from both sides: the thread tells how far it is, the screen may give it up."""

    def __init__(self, words: str) -> None:
        """Begin; `words` says what is being done."""
        self.words = words
        self.began = time.monotonic()
        self.what = ""
        self.share: float | None = None
        self.parts = 0
        self._off = threading.Event()

    def step(self, done: int, of: int, what: str) -> None:
        """Hear how far it is.

        Raises:
            CancelledError: it was given up.
        """
        if self._off.is_set():
            raise CancelledError
        self.what = what or self.what
        self.share = done / of if of else None
        self.parts += 1

    def give_up(self) -> None:
        """Let it end at its next part."""
        self._off.set()

    @property
    def given_up(self) -> bool:
        """Say whether somebody gave it up."""
        return self._off.is_set()

    @property
    def seconds(self) -> float:
        """Give how long it has lasted."""
        return time.monotonic() - self.began

    @property
    def line(self) -> str:
        """Say how far it is in a line."""
        share = f" {self.share:.0%}".replace("%", " %") if self.share is not None else ""
        what = f"; {self.what}{share}" if self.what else share
        return f"{self.words}: {self.seconds:.0f} s, {self.parts:,} parts done{what}"


def outcome(
    job: Job,
    run: Callable[[], Found],
    done: Callable[[Found], object],
    failed: Callable[[RotatorError], object],
    faulty: Callable[[Exception], object],
) -> Callable[[], object] | None:
    """Do some work in this thread and give what goes on with it on another; None where it was given up."""
    try:
        with heard_by(job):
            return partial(done, run())
    except CancelledError:
        return None
    except RotatorError as error:
        return partial(failed, error)
    except Exception as error:  # noqa: BLE001 - a fault of ours must not leave somebody waiting for nothing
        return partial(faulty, error)


def fault(words: str, error: Exception) -> str:
    """Say that some work ended by a fault of the program; everything is as it was before it."""
    what = f"{type(error).__name__}: {error}"
    return f"{words}: given up for a fault of Rotator itself, nothing is changed. Please report it: {what}"


class WorkingScreen(Screen[None]):
    """A screen that has long work done, one piece at a time.

    It has a line `#work` that says how far the work is.
    """

    job: Job | None = None
    _clock: Timer | None = None
    _left: Callable[[], object] | None = None

    def work(
        self,
        words: str,
        run: Callable[[], Found],
        done: Callable[[Found], object],
        *,
        failed: Callable[[RotatorError], object] | None = None,
        left: Callable[[], object] | None = None,
    ) -> Job:
        """Do something in a thread; what was being done before is given up without a word.

        Args:
            words: what is being done.
            run: does it; it must touch nothing of the screen.
            done: goes on with what it found, on the screen's own thread.
            failed: goes on where it cannot be done; told in a corner without it.
            left: puts things back when somebody gives it up.
        """
        if self.job is not None:
            self.job.give_up()
        job = self.job = Job(words)
        self._left = left
        if self._clock is None:
            self._clock = self.set_interval(TICK_SECONDS, self.say_work)
        app = self.app

        def thread() -> None:
            then = outcome(job, run, done, failed or self._refused, partial(self._faulty, words, left))
            if then is not None and not job.given_up:
                app.call_from_thread(self._ended, job, then)

        self.run_worker(thread, thread=True, group="work", exit_on_error=False)
        return job

    def _ended(self, job: Job, then: Callable[[], object]) -> None:
        if job is self.job and not job.given_up and self.is_mounted:
            self._over()
            then()

    def _over(self) -> None:
        self.job = self._left = None
        if self._clock is not None:
            self._clock.stop()
            self._clock = None
        self.say_work()

    def _refused(self, error: RotatorError) -> None:
        cast("SessionApp", self.app).tell(str(error), "warning")

    def _faulty(self, words: str, left: Callable[[], object] | None, error: Exception) -> None:
        if left is not None:
            left()
        cast("SessionApp", self.app).tell(fault(words, error), "error")

    def say_work(self) -> None:
        """Say how far the work is, that of an edit before that of the screen; nothing where it has only begun."""
        app = cast("SessionApp", self.app)
        job = app.turns.job or self.job
        bar = self.query_one("#work", Bar)
        bar.display = job is not None and job.seconds >= QUIET_SECONDS
        if job is not None and bar.display:
            bar.say([(f" {app.signs.text(job.line)}", "strong"), ("   esc gives it up", "quiet")])

    def give_up(self) -> bool:
        """Give the work up, if there is any, that of an edit before that of the screen; say whether there was."""
        if cast("SessionApp", self.app).turns.give_up():
            return True
        job, left = self.job, self._left
        if job is None:
            return False
        job.give_up()
        self._over()
        if left is not None:
            left()
        cast("SessionApp", self.app).tell(f"{job.words}: given up, nothing is changed")
        return True

    def on_unmount(self) -> None:
        """Leave no work behind."""
        if self.job is not None:
            self.job.give_up()
