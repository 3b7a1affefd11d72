"""The planner: one session, its screens, and every action by key, by name and from the palette."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import ClassVar

from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from rotator.checks.capability import Capability
from rotator.errors import RotatorError
from rotator.model.names import did_you_mean
from rotator.model.progress import heed
from rotator.report.summary import Summary
from rotator.simulate.grammar import EVENTS, parse_event, unknown_names
from rotator.tui.actions import EVERYWHERE, HELP, PANES, Action
from rotator.tui.jump import Jump, Target
from rotator.tui.keymaps import KEYMAPS, KeyNames, Settings, read_settings, settings_file
from rotator.tui.look import DEFAULTS, THEMES, Signs, ascii_wanted, use_bars
from rotator.tui.screens.base import TITLES, PlannerScreen
from rotator.tui.screens.dialogs import CommandLine, Help
from rotator.tui.session_app import WATCH_SECONDS, SessionApp
from rotator.workflows import session as sessions
from rotator.workflows import whatif
from rotator.workflows.checking import Checked, check
from rotator.workflows.summarizing import capabilities_of, summarize

SHORT = {
    "w": "policy.save",
    "q": "app.quit",
    "help": "app.help",
    "palette": "view.palette",
}
"""What people type after `:` out of habit."""


QUICK = 300
"""Connections of which a check takes less than the blink of an eye."""
SCREENS = {
    "home": ("home", "HomeScreen"),
    "fleet": ("fleet", "FleetScreen"),
    "whatif": ("whatif", "WhatIfScreen"),
    "plan": ("plan", "PlanScreen"),
    "export": ("export", "ExportScreen"),
    "reports": ("reports", "ReportsScreen"),
    "import": ("importing", "ImportScreen"),
    "mechanisms": ("mechanisms", "MechanismsScreen"),
    "threats": ("threats", "ThreatsScreen"),
    "emergency": ("emergency", "EmergencyScreen"),
}
"""The module and the class of each screen; a screen is loaded when somebody goes there, so that the first is quick."""


def _screen(module: str, name: str) -> PlannerScreen:
    made: PlannerScreen = getattr(import_module(f"rotator.tui.screens.{module}"), name)()
    return made


class PlannerApp(SessionApp):
    """The planner on a terminal."""

    TITLE = "Rotator"
    ENABLE_COMMAND_PALETTE = True
    MODES = {place: partial(_screen, *SCREENS[place]) for place in SCREENS}  # noqa: RUF012 - as Textual declares it
    DEFAULT_MODE: ClassVar[str] = "home"
    BINDINGS: ClassVar[list[BindingType]] = []
    CSS = """
    ToastRack { margin-bottom: 4; }
    Toast { background: $panel; padding: 0 1; margin-top: 0; max-width: 80%; }
    Input > .input--placeholder, Input > .input--suggestion { color: $quiet; }
    """
    """What is told in a corner is small, and stands above the lines that say why and which keys there are.

    What stands in an empty field is read too, and the library's own grey is too faint for that.
    """

    def __init__(
        self, session: sessions.Session, *, ascii_only: bool, no_color: bool, settings: Settings | None = None
    ) -> None:
        """Begin with a session.

        Args:
            session: the policy that is open.
            ascii_only: show nothing but ASCII.
            no_color: begin with the theme without colour.
            settings: what the person has set.
        """
        super().__init__(session, Signs(ascii_only=ascii_only))
        use_bars(ascii_only=ascii_only)
        self.settings = settings or Settings()
        self.keymap_name = self.settings.keymap
        self.keys = KeyNames()
        self.whatif = whatif.first(session.picture)
        self.alarm: str | None = None
        """What the Emergency screen begins to ask about; None where nobody goes there to ask."""
        self.checked: Checked = check(session.picture, session.now)
        self.capabilities: tuple[Capability, ...] = capabilities_of(self.checked, session.now)
        self._summary: tuple[Checked, Summary] | None = None
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "rotator-mono" if no_color else self.settings.theme or "rotator-dark"
        self._use_keymap(self.keymap_name)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give every theme the colours of verdicts."""
        return dict(DEFAULTS)

    def on_mount(self) -> None:
        """Say what is wrong with the settings, and offer what was left behind."""
        for problem in self.settings.problems:
            self.tell(str(problem), "warning")
        self.call_after_refresh(self._drawn)
        self.set_interval(WATCH_SECONDS, self.watch_disk)

    def _drawn(self) -> None:
        """Go on after the first screen: what is loaded by then stays, and need not be looked at for garbage again."""
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        self.offer_left()

    @property
    def is_large(self) -> bool:
        """Say whether a check takes so long that the screen must not wait for it."""
        return len(self.checked.baseline.impact.fleet.connections) > QUICK

    def weigh(self, session: sessions.Session) -> Callable[[], None]:
        """Check another policy; of a large fleet everything is worked out that the first screen shows."""
        if session.picture is self.session.picture:
            return lambda: None
        checked = check(session.picture, session.now)
        capabilities = capabilities_of(checked, session.now)
        summary = summarize(session.picture, session.now, session.file, checked) if self.is_large else None

        def take_up() -> None:
            self.checked, self.capabilities = checked, capabilities
            self._summary = None if summary is None else (checked, summary)

        return take_up

    def redraw(self) -> None:
        """Draw the planner's own screen from the session."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, PlannerScreen):
                screen.refresh_all()
                break

    def summarized(self) -> Summary:
        """Give the summary, worked out once for each state of the policy."""
        if self._summary is None or self._summary[0] is not self.checked:
            session = self.session
            self._summary = (self.checked, summarize(session.picture, session.now, session.file, self.checked))
        return self._summary[1]

    # --- actions -----------------------------------------------------------------------------------------------

    def action_go(self, place: str) -> None:
        """Go to a screen."""
        self.switch_mode(place)

    def action_emergency(self) -> None:
        """Go to the emergency; it begins with the key that is looked at, if there is one."""
        screen = self.screen
        self.alarm = screen.alarming() if isinstance(screen, PlannerScreen) else ""
        if isinstance(screen, PlannerScreen) and screen.place == "emergency":
            screen.refresh_all()
        else:
            self.switch_mode("emergency")

    def action_copy(self) -> None:
        """Copy what is shown as plain text, through the terminal."""
        if isinstance(self.screen, PlannerScreen):
            text = self.screen.as_text()
            self.copy_to_clipboard(text)
            self.tell(f"{len(text.splitlines())} lines copied as text, where the terminal allows it")

    def action_theme(self) -> None:
        """Go to the next theme."""
        names = [theme.name for theme in THEMES]
        here = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(here + 1) % len(names)]

    def action_keymap(self) -> None:
        """Go to the next keymap."""
        names = list(KEYMAPS)
        self._use_keymap(names[(names.index(self.keymap_name) + 1) % len(names)])
        self.tell(f"keymap {self.keymap_name}")

    def _use_keymap(self, name: str) -> None:
        self.keymap_name = name
        changed = self.settings.all_keys(name)
        self.keys = KeyNames(changed)
        self.set_keymap(changed)
        if self.is_running and isinstance(self.screen, PlannerScreen):
            self.screen.refresh_all()

    def action_help(self) -> None:
        """Show every key of the screen, and what the pane is that has the focus."""
        screen = self.screen
        if isinstance(screen, PlannerScreen):
            about = self.signs.text(screen.about_pane())
            self.push_screen(Help(TITLES[screen.place], HELP[screen.place], self.keys, about))

    def action_jump(self) -> None:
        """Put a letter on each place to go to."""
        if isinstance(self.screen, PlannerScreen):
            self.push_screen(Jump(self.screen.targets()), self._jumped)

    def _jumped(self, target: Target | None) -> None:
        if target is not None:
            target.go()

    # --- actions by name ---------------------------------------------------------------------------------------

    def offered(self, screen: PlannerScreen) -> list[tuple[Action, Callable[[], object]]]:
        """Give every action that applies now, with what does it."""
        from rotator.workflows.editing import FORMS

        found = [(action, screen) for action in (*HELP[screen.place], *PANES) if screen.applies(action)]
        return [
            *((action, self._caller(place, action.call)) for action, place in found),
            *((action, self._caller(self, action.call)) for action in EVERYWHERE if self.applies(action)),
            *(
                (Action(f"edit.{form.id}", "", f"form('{form.id}')", form.id, form.about),
                 self._caller(self, f"form('{form.id}')"))
                for form in FORMS
            ),
        ]  # fmt: skip

    def applies(self, action: Action) -> bool:
        """Say whether an action that is everywhere does anything now."""
        session = self.session
        return {
            "edit.undo": bool(session.past),
            "edit.redo": bool(session.future),
            "edit.history": bool(session.past or session.future),
            "policy.save": session.dirty,
        }.get(action.id, True)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every action that applies here by name."""
        if isinstance(screen, PlannerScreen):
            for action, run in self.offered(screen):
                if action.id != "view.palette":
                    yield SystemCommand(action.title, f"{action.id}  {self.keys.first(action)}", run)

    def _caller(self, namespace: SessionApp | PlannerScreen, call: str) -> Callable[[], object]:
        def run() -> None:
            place = self.screen if call.startswith(("next_break", "zoom")) else namespace
            self.call_later(self.run_action, call, place)

        return run

    def action_command(self) -> None:
        """Ask for an action by its name."""
        screen = self.screen
        if isinstance(screen, PlannerScreen):
            words = [name for action, _ in self.offered(screen) for name in (action.id.partition(".")[2], action.id)]
            words += [f"theme {theme.name}" for theme in THEMES] + [f"keymap {name}" for name in KEYMAPS]
            words += [f"{name}:" for name in EVENTS]
            self.push_screen(CommandLine(dict.fromkeys(words)), self._command)

    def _command(self, line: str | None) -> None:
        screen = self.screen
        if not line or not isinstance(screen, PlannerScreen):
            return
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        if word == "theme" and rest in [theme.name for theme in THEMES]:
            self.theme = rest
        elif word == "keymap" and rest in KEYMAPS:
            self._use_keymap(rest)
        elif ":" in line:
            self._ask_event(line)
        else:
            offered = {action.id: run for action, run in self.offered(screen)}
            named = SHORT.get(line, line)
            own = [name for name in offered if named in (name, name.partition(".")[2])]
            found = own or [name for name in offered if name.partition(".")[2].startswith(named)]
            if len(found) == 1 or own:
                offered[found[0]]()
            else:
                known = [name.partition(".")[2] for name in offered]
                what = (
                    f"several actions begin with this: {', '.join(found)}" if found else "no action has this name now"
                )
                self.tell(f"{line}: {what}. {'' if found else did_you_mean(line, known)}", "warning")

    def _ask_event(self, line: str) -> None:
        """Go to What-if with an event as people write it."""
        try:
            event = parse_event(line)
            wrong = list(unknown_names(event, self.session.picture.policy))
        except RotatorError as error:
            self.tell(str(error), "warning")
            return
        if wrong:
            self.tell(str(wrong[0]), "warning")
            return
        days = 0 if event.at is None else max(0, (event.at - self.session.now).days)
        state = whatif.WhatIf(event=event.id, parts=event.parts, options=event.options, start=days)
        self.whatif = whatif.settle(state, self.session.picture)
        self.action_go("whatif")


def run_planner(
    file: str,
    now: datetime,
    *,
    ascii_only: bool,
    no_color: bool,
    mouse: bool = True,
    keymap: str = "",
    listening: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> int:
    """Open a policy and run the planner until the person leaves; a policy that is not there yet is made first.

    Args:
        file: the policy.
        now: the instant of the session.
        ascii_only: show nothing but ASCII.
        no_color: begin without colour.
        mouse: whether the mouse does anything.
        keymap: the name of a keymap; that of the settings where it is "".
        listening: says how far the opening of a large policy is, before anything is drawn.

    Raises:
        InputError: the policy cannot be used; nothing is drawn then.
    """
    settings = read_settings(settings_file(os.environ))
    if keymap:
        settings = settings.with_keymap(keymap)
    no_color = no_color or bool(os.environ.get("NO_COLOR"))
    # The library has its own idea of NO_COLOR, which leaves greys too close to read; the mono theme stands in for it.
    os.environ.pop("NO_COLOR", None)
    ascii_only = ascii_only or ascii_wanted(settings.signs, os.environ)
    if file.endswith(".toml") and not Path(file).exists():
        from rotator.tui.start import StartApp

        gc.enable()
        start = StartApp(file, now, ascii_only=ascii_only, no_color=no_color)
        if not start.run(mouse=mouse and settings.mouse):
            return 2
    with listening():
        heed("reading the policy")
        app = PlannerApp(sessions.start(file, now), ascii_only=ascii_only, no_color=no_color, settings=settings)
        app.summarized()
    code = app.run(mouse=mouse and settings.mouse)
    sys.stdout.flush()
    return app.return_code or 0 if code is None else code
