"""Edits take turns: each is worked out after the one before, and beside the drawing where the fleet is large."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.timer import Timer

from rotator.errors import RotatorError
from rotator.tui.working import TICK_SECONDS, Job, WorkingScreen, fault, outcome
from rotator.workflows.session import Session

if TYPE_CHECKING:
    from rotator.tui.session_app import SessionApp

Taken = tuple[Session, Callable[[], None]]
"""A session, and what takes up all that it means for the screens."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One step from a session to the next.

    Attributes:
        step: gives the next session; it may run in a thread of its own and touches nothing of the screen.
        said: what is told when it is done, asked for when its turn comes.
        then: goes on after it.
        failed: goes on where it cannot be; told in a corner without it.
        firm: it writes files, so nobody can give it up once it has begun.
    """

    step: Callable[[], Session]
    said: Callable[[], str] = str
    then: Callable[[], object] | None = None
    failed: Callable[[RotatorError], object] | None = None
    firm: bool = False


class Turns:
    """The turn that is being worked out, and those that wait for it."""

    def __init__(self, app: SessionApp) -> None:
        """Begin with nothing to do."""
        self.app = app
        self.job: Job | None = None
        self._firm = False
        self._waiting: deque[Turn] = deque()
        self._clock: Timer | None = None

    @property
    def busy(self) -> bool:
        """Say whether a turn is being worked out."""
        return self.job is not None

    def take(self, turn: Turn) -> None:
        """Work a turn out, now or after those before it."""
        if self.busy:
            self._waiting.append(turn)
        elif self.app.is_large:
            self._begin(turn)
        else:
            before, said = self.app.session, turn.said()
            try:
                taken = self._work_out(turn)
            except RotatorError as error:
                self._refused(turn, error)
            else:
                self._take_up(turn, before, said, taken)

    def _work_out(self, turn: Turn) -> Taken:
        session = turn.step()
        return session, self.app.weigh(session)

    def _begin(self, turn: Turn) -> None:
        app, before, said = self.app, self.app.session, turn.said()
        job = self.job = Job("working the edit out")
        self._firm = turn.firm
        self._clock = app.set_interval(TICK_SECONDS, self._tick)

        def thread() -> None:
            then = outcome(
                job,
                partial(self._work_out, turn),
                partial(self._take_up, turn, before, said),
                partial(self._refused, turn),
                lambda error: app.tell(fault(job.words, error), "error"),
            )
            if then is not None and not job.given_up:
                app.call_from_thread(self._ended, job, then)

        app.run_worker(thread, thread=True, group="edit", exit_on_error=False)

    def _ended(self, job: Job, then: Callable[[], object]) -> None:
        if job is not self.job or job.given_up:
            return
        self._over()
        then()
        while self._waiting and not self.busy:
            self.take(self._waiting.popleft())

    def _take_up(self, turn: Turn, before: Session, said: str, taken: Taken) -> None:
        session, meant = taken
        if self.app.session is not before:
            self.app.tell("the policy changed meanwhile: this edit is not made, make it again", "warning")
            return
        if session is not before:
            self.app.use(session, meant)
        if said:
            self.app.tell(said)
        if turn.then is not None:
            turn.then()

    def _refused(self, turn: Turn, error: RotatorError) -> None:
        if turn.failed is not None:
            turn.failed(error)
        else:
            self.app.tell(str(error), "warning")

    def _tick(self) -> None:
        screen = self.app.screen
        if isinstance(screen, WorkingScreen):
            screen.say_work()

    def _over(self) -> None:
        self.job = None
        if self._clock is not None:
            self._clock.stop()
            self._clock = None
        self._tick()

    def give_up(self) -> bool:
        """Give the turn up, and those that wait; say whether there was one."""
        job = self.job
        if job is None:
            return False
        if self._firm:
            self.app.tell("files are being written: that is not given up half way", "warning")
            return True
        job.give_up()
        waiting = len(self._waiting)
        self._waiting.clear()
        self._over()
        more = f", nor {waiting} more that waited" if waiting else ""
        self.app.tell(f"the edit is given up: it is not made{more}")
        return True

    def leave(self) -> None:
        """Leave no work behind."""
        if self.job is not None:
            self.job.give_up()
