"""Asking about an emergency, and having it answered beside the drawing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

from rotator.errors import RotatorError
from rotator.model.when import parse_duration
from rotator.plan.alarm import Emergency
from rotator.tui.screens.alarm import SUSPECTED, AlarmDialog
from rotator.tui.screens.base import PlannerScreen
from rotator.tui.screens.dialogs import Ask, Choose
from rotator.workflows.emergency import CLOCK, emergency, means, nameable


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was said: in somebody's words, whether the key is suspected, and the CA's clock."""

    said: str
    suspected: str = "unknown"
    clock: str = CLOCK


class AskingScreen(PlannerScreen):
    """What was asked, and the last answer: a question that is given up, or refused, leaves both as they were."""

    asked: Asked | None = None
    found: Emergency | None = None
    answered: tuple[object, ...] = ()
    wanted: tuple[object, ...] = ()
    refused: str = ""
    made_at: float = 0.0

    def draw(self) -> None:
        """Draw the answer."""
        raise NotImplementedError  # pragma: no cover

    def begin_with(self, found: Emergency) -> None:
        """Show another answer."""
        raise NotImplementedError  # pragma: no cover

    @property
    def passed(self) -> timedelta:
        """Give the time since the answer was made."""
        return timedelta(seconds=time.monotonic() - self.made_at)

    def action_ask(self) -> None:
        """Ask what happened."""
        self.ask_what(self.asked.said if self.asked is not None else "")

    def ask_what(self, at: str = "") -> None:
        """Ask what happened; the cursor begins at a name."""
        app = self.planner
        dialog = AlarmDialog(nameable(app.session.picture.inventory), app.signs, at)
        app.push_screen(dialog, self._named)

    def _named(self, said: str | None) -> None:
        if said and said.strip():
            clock = self.asked.clock if self.asked is not None else CLOCK
            self._ask_suspected(Asked(said=said, clock=clock))

    def action_suspect(self) -> None:
        """Ask anew whether the key is suspected."""
        if self.asked is None:
            self.action_ask()
        else:
            self._ask_suspected(self.asked)

    def _ask_suspected(self, asked: Asked) -> None:
        def answer(suspected: str | None) -> None:
            if suspected:
                self._set(Asked(said=asked.said, suspected=suspected, clock=asked.clock))

        text = "A key counts as safe only where surely nobody but our servers ever had it, or a copy of it."
        question = Choose("Is the private key suspected?", text, SUSPECTED)
        self.planner.push_screen(question, answer)

    def action_clock(self) -> None:
        """Ask how long the CA's clock is."""

        def answer(text: str | None) -> None:
            if text and text.strip() and self.asked is not None:
                try:
                    parse_duration(text.strip())
                except RotatorError as error:
                    self.planner.tell(str(error), "warning")
                    return
                self._set(Asked(said=self.asked.said, suspected=self.asked.suspected, clock=text.strip()))

        if self.asked is not None:
            self.planner.push_screen(Ask("In how long does the CA revoke? 24h for a stolen key, else up to 5d"), answer)

    def _set(self, asked: Asked) -> None:
        self.asked = asked
        self.answer()
        self.draw()

    def answer(self) -> None:
        """Answer in a thread beside the drawing; escape leaves what was answered before."""
        app, asked = self.planner, self.asked
        if asked is None:
            return
        session = app.session
        key = (asked, session.picture.digest, session.text)
        if key in (self.wanted, self.answered) and (self.job is not None or key == self.answered):
            return
        self.wanted = key
        before = self.answered[0] if self.answered else None

        def run() -> Emergency:
            own = means(session.picture.inventory, asked.said)
            return emergency(session.picture, session.now, **own, suspected=asked.suspected, clock=asked.clock)

        def back() -> None:
            self.asked = before if isinstance(before, Asked) else None
            self.wanted = self.answered
            self.draw()

        def failed(error: RotatorError) -> None:
            back()
            self.refused = str(error)
            self.draw()

        self.work("playing the responses", run, lambda found: self._made(key, found), failed=failed, left=back)

    def _made(self, key: tuple[object, ...], found: Emergency) -> None:
        self.found, self.answered, self.refused = found, key, ""
        self.made_at = time.monotonic()
        self.begin_with(found)
