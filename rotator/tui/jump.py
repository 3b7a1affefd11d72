"""Jump mode: a letter on each place to go to; the letter goes there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

LETTERS = "asdfghjklqwertyuiopzxcvbnm"


@dataclass(frozen=True, slots=True)
class Target:
    """A place to go to: where its letter stands, in cells from the top left, and what going there does."""

    x: int
    y: int
    go: Callable[[], object]


class Jump(ModalScreen[Target | None]):
    """Letters over the screen."""

    DEFAULT_CSS = """
    Jump { background: $background 20%; }
    Jump > .letter { position: absolute; width: 3; height: 1; background: $foreground; color: $background;
        text-style: bold; }
    Jump > #said { dock: bottom; height: 1; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+o", "none", "cancel", id="jump.none")]

    def __init__(self, targets: Sequence[Target]) -> None:
        """Put letters on targets, as many as there are letters."""
        super().__init__()
        self.targets = dict(zip(LETTERS, targets, strict=False))

    def compose(self) -> ComposeResult:
        """Lay the letters out."""
        for letter, target in self.targets.items():
            box = Static(f" {letter} ", classes="letter", markup=False)
            box.styles.offset = (target.x, target.y)
            yield box
        yield Static(" a letter goes there, esc stays", id="said", markup=False)

    def on_key(self, event: events.Key) -> None:
        """Go to a target."""
        if event.character and event.character.lower() in self.targets:
            event.stop()
            self.dismiss(self.targets[event.character.lower()])

    def action_none(self) -> None:
        """Stay."""
        self.dismiss(None)
