"""The planner: one session, four screens on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from rotator.checks.capability import Capability
from rotator.errors import RotatorError
from rotator.tui.actions import EVERYWHERE, HELP
from rotator.tui.look import DEFAULTS, THEMES, Signs
from rotator.tui.screens.base import TITLES, PlannerScreen
from rotator.tui.screens.dialogs import Confirm, Help
from rotator.tui.screens.export import ExportScreen
from rotator.tui.screens.fleet import FleetScreen
from rotator.tui.screens.home import HomeScreen
from rotator.tui.screens.importing import ImportScreen
from rotator.tui.screens.mechanisms import MechanismsScreen
from rotator.tui.screens.reports import ReportsScreen
from rotator.tui.screens.threats import ThreatsScreen
from rotator.tui.screens.whatif import WhatIfScreen
from rotator.workflows import session as sessions
from rotator.workflows import whatif
from rotator.workflows.checking import Checked, check
from rotator.workflows.summarizing import capabilities_of


class PlannerApp(App[int]):
    """The planner on a terminal."""

    TITLE = "Rotator"
    ENABLE_COMMAND_PALETTE = True
    MODES = {  # noqa: RUF012 - as Textual declares it
        "home": HomeScreen,
        "fleet": FleetScreen,
        "whatif": WhatIfScreen,
        "export": ExportScreen,
        "reports": ReportsScreen,
        "import": ImportScreen,
        "mechanisms": MechanismsScreen,
        "threats": ThreatsScreen,
    }
    BINDINGS: ClassVar[list[BindingType]] = []
    CSS = "Toast { background: $panel; }"

    def __init__(self, session: sessions.Session, *, ascii_only: bool, no_color: bool) -> None:
        """Begin with a session.

        Args:
            session: the policy that is open.
            ascii_only: show nothing but ASCII.
            no_color: begin with the theme without colour.
        """
        super().__init__()
        self.signs = Signs(ascii_only=ascii_only)
        self.session = session
        self.whatif = whatif.first(session.picture)
        self.checked: Checked = check(session.picture, session.now)
        self.capabilities: tuple[Capability, ...] = capabilities_of(self.checked, session.now)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "rotator-mono" if no_color else "rotator-dark"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give every theme the colours of verdicts."""
        return dict(DEFAULTS)

    def on_mount(self) -> None:
        """Go to the first screen."""
        self.switch_mode("home")

    def use(self, session: sessions.Session) -> None:
        """Go on with another session, and draw the screen from it."""
        if session.picture is not self.session.picture:
            self.checked = check(session.picture, session.now)
            self.capabilities = capabilities_of(self.checked, session.now)
        self.session = session
        if isinstance(self.screen, PlannerScreen):
            self.screen.refresh_all()

    # --- actions -----------------------------------------------------------------------------------------------

    def action_go(self, place: str) -> None:
        """Go to a screen."""
        self.switch_mode(place)

    def action_undo(self) -> None:
        """Take the last edit back."""
        self._step(sessions.undo, "nothing to take back")

    def action_redo(self) -> None:
        """Make the edit again."""
        self._step(sessions.redo, "nothing to make again")

    def _step(self, step: Callable[[sessions.Session], sessions.Session], nothing: str) -> None:
        try:
            session = step(self.session)
        except RotatorError as error:
            self.notify(self.signs.text(str(error)), severity="error", markup=False)
            return
        if session is self.session:
            self.notify(nothing, markup=False)
            return
        self.use(session)

    def action_copy(self) -> None:
        """Copy what is shown as plain text, through the terminal."""
        if isinstance(self.screen, PlannerScreen):
            self.copy_to_clipboard(self.screen.as_text())
            self.notify("copied as text, where the terminal allows it", markup=False)

    def action_theme(self) -> None:
        """Go to the next theme."""
        names = [theme.name for theme in THEMES]
        here = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(here + 1) % len(names)]

    def action_help(self) -> None:
        """Show every key of the screen."""
        if isinstance(self.screen, PlannerScreen):
            place = self.screen.place
            self.push_screen(Help(TITLES[place], HELP[place]))

    def action_leave(self) -> None:
        """Leave, after a question where edits would be lost."""
        if not self.session.dirty:
            self.exit(0)
            return
        edits = "\n".join(step.rotation.change.title for step in self.session.past)
        self.push_screen(
            Confirm("Leave without writing these edits?", self.signs.text(edits)),
            lambda yes: self.exit(0) if yes else None,
        )

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every action that applies here by name."""
        if isinstance(screen, PlannerScreen):
            for action in (*HELP[screen.place], *EVERYWHERE):
                yield SystemCommand(action.about, f"{action.id}  {action.shown_key}", self._caller(screen, action.call))

    def _caller(self, screen: PlannerScreen, call: str) -> Callable[[], object]:
        namespace = self if any(action.call == call for action in EVERYWHERE) else screen

        def run() -> None:
            self.call_later(self.run_action, call, namespace)

        return run


def run_planner(file: str, now: datetime, *, ascii_only: bool, no_color: bool) -> int:
    """Open a policy and run the planner until the person leaves.

    Raises:
        InputError: the policy cannot be used; nothing is drawn then.
    """
    no_color = no_color or bool(os.environ.get("NO_COLOR"))
    # The library has its own idea of NO_COLOR, which leaves greys too close to read; the mono theme stands in for it.
    os.environ.pop("NO_COLOR", None)
    ascii_only = ascii_only or os.environ.get("TERM") == "linux"
    app = PlannerApp(sessions.start(file, now), ascii_only=ascii_only, no_color=no_color)
    code = app.run()
    sys.stdout.flush()
    return code or 0
