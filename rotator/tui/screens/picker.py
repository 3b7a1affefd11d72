"""A small file picker: folders and files, marks for several, a path that can be typed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from rotator.tui.look import Signs
from rotator.tui.widgets.bars import Bar, Part
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line

UNITS = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB"))
KEYS = (("enter", "open or take"), ("space", "mark"), ("left", "up"), ("/", "path or filter"), ("esc", "cancel"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of a folder."""

    name: str
    folder: bool
    size: int = 0
    day: str = ""


def entries(folder: Path, *, hidden: bool) -> list[Entry]:
    """List a folder: folders first, then files, each by name; what cannot be looked at is left out.

    Raises:
        OSError: the folder cannot be read.
    """
    found: list[Entry] = []
    with os.scandir(folder) as lines:
        for line in lines:
            if line.name.startswith(".") and not hidden:
                continue
            try:
                state = line.stat()
            except OSError:
                continue
            inside = stat.S_ISDIR(state.st_mode)
            if inside or stat.S_ISREG(state.st_mode):
                day = datetime.fromtimestamp(state.st_mtime, UTC).date().isoformat()
                found.append(Entry(name=line.name, folder=inside, size=state.st_size, day=day))
    return sorted(found, key=lambda entry: (not entry.folder, entry.name.casefold(), entry.name))


class FilePicker(ModalScreen[tuple[str, ...]]):
    """Choose files: the paths that were chosen, none where the person thought better of it."""

    DEFAULT_CSS = """
    FilePicker { align: center middle; background: $background 60%; }
    FilePicker > Vertical { width: 100; max-width: 100%; height: 90%; background: $surface; }
    FilePicker LineTable { background: $surface; }
    FilePicker #path { height: 1; border: none; padding: 0 1; background: $panel; display: none; }
    FilePicker #path.-open { display: block; }
    FilePicker #what { height: 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "take", id="picker.take", priority=True),
        Binding("space", "mark", "mark", id="picker.mark"),
        Binding("left,h,backspace", "up", "up", id="picker.up"),
        Binding("right,l", "into", "into", id="picker.into"),
        Binding("full_stop", "hidden", "hidden", id="picker.hidden"),
        Binding("slash", "path", "path", id="picker.path"),
        Binding("escape", "leave", "cancel", id="picker.leave", priority=True),
    ]

    def __init__(
        self, title: str, folder: str, signs: Signs, *, about: Callable[[str], str] | None = None, many: bool = True
    ) -> None:
        """Begin in a folder.

        Args:
            title: what is looked for.
            folder: where to begin.
            signs: the signs of the terminal.
            about: says what a file is, for the one under the cursor.
            many: several may be marked.
        """
        super().__init__()
        self.title_text, self.signs, self.about, self.many = title, signs, about, many
        self.folder = Path(folder).resolve()
        self.hidden = False
        self.found: list[Entry] = []
        self.marked: dict[str, None] = {}

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        with Vertical():
            yield Bar(id="where", classes="-panel")
            yield LineTable(
                (
                    Column(""),
                    Column("name", give=True, least=16),
                    Column("size", right=True, drop=2),
                    Column("changed", drop=1),
                ),
                cursor=self.signs.cursor,
                id="files",
            )
            yield Bar(id="what")
            yield Input(placeholder="a path, or words to look for", id="path", select_on_focus=False)
            yield Bar(id="keys", classes="-panel")

    def on_mount(self) -> None:
        """Show the folder."""
        parts: list[Part] = []
        for key, word in KEYS:
            if self.many or key != "space":
                parts += [(f" {key} ", "strong"), (f"{word} ", "quiet")]
        self.query_one("#keys", Bar).say(parts)
        self._show()
        self.table.focus()

    @property
    def table(self) -> LineTable:
        """Give the list."""
        return self.query_one("#files", LineTable)

    # --- what is shown -----------------------------------------------------------------------------------------

    def _show(self, cursor: str = "") -> None:
        try:
            self.found = entries(self.folder, hidden=self.hidden)
        except OSError as error:
            self.found = []
            self.notify(self.signs.text(f"{self.folder}: {error.strerror or error}"), severity="error", markup=False)
        self.table.narrow("")
        self._fill()
        index = next((i for i, entry in enumerate(self.found) if entry.name == cursor), 0)
        self.table.go(index)

    def _fill(self) -> None:
        self.query_one("#where", Bar).say([(f" {self.title_text} ", "strong"), (self._where(), "")])
        lines = [self._line(entry) for entry in self.found]
        self.table.fill(lines or [Line(("", "nothing here", "", ""), "quiet")], keep=lambda line: line.cells[1])

    def _where(self) -> str:
        marks = f"  {len(self.marked)} marked" if self.marked else ""
        return f"{self.signs.text(str(self.folder))}{marks}"

    def _line(self, entry: Entry) -> Line:
        mark = "*" if str(self.folder / entry.name) in self.marked else ""
        name = self.signs.text(entry.name) + ("/" if entry.folder else "")
        return Line((mark, name, "" if entry.folder else _size(entry.size), entry.day), "ok", strong=entry.folder)

    @property
    def current(self) -> Entry | None:
        """Give the line under the cursor."""
        return self.found[self.table.index] if 0 <= self.table.index < len(self.found) else None

    @on(LineTable.Moved, "#files")
    def _tell(self) -> None:
        entry, words = self.current, ""
        if entry is not None and not entry.folder and self.about is not None:
            words = self.about(str(self.folder / entry.name))
        self.query_one("#what", Bar).say([(f" {self.signs.text(words)}", "")])

    # --- actions -----------------------------------------------------------------------------------------------

    def action_take(self) -> None:
        """Go into a folder; take the marked files, or the one under the cursor."""
        if self.focused is self.query_one(Input):
            self._typed()
            return
        entry = self.current
        if entry is not None and entry.folder and not self.marked:
            self.action_into()
        elif self.marked:
            self.dismiss(tuple(self.marked))
        elif entry is not None:
            self.dismiss((str(self.folder / entry.name),))

    def action_into(self) -> None:
        """Go into the folder under the cursor."""
        entry = self.current
        if entry is not None and entry.folder:
            self.folder /= entry.name
            self._show()

    def action_up(self) -> None:
        """Go to the folder above."""
        here = self.folder.name
        self.folder = self.folder.parent
        self._show(here)

    def action_mark(self) -> None:
        """Mark a file, or take its mark away, and go on to the next."""
        entry = self.current
        if not self.many or entry is None or entry.folder:
            return
        path = str(self.folder / entry.name)
        if path in self.marked:
            del self.marked[path]
        else:
            self.marked[path] = None
        self._fill()
        self.table.action_move(1)

    def action_hidden(self) -> None:
        """Show files whose names begin with a dot, or hide them."""
        self.hidden = not self.hidden
        entry = self.current
        self._show(entry.name if entry is not None else "")

    def action_path(self) -> None:
        """Type a path, or words to look for."""
        box = self.query_one(Input)
        box.add_class("-open")
        box.value = ""
        box.focus()

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        if "/" not in event.value:
            self.table.narrow(event.value)

    def _typed(self) -> None:
        text = self.query_one(Input).value.strip()
        self._close()
        path = (self.folder / Path(text).expanduser()).resolve() if text else self.folder
        if "/" not in text and not path.exists():
            return
        if path.is_dir():
            self.folder = path
            self._show()
        elif path.is_file():
            self.dismiss((str(path),))
        else:
            self.notify(self.signs.text(f"{path}: there is no such file"), severity="warning", markup=False)

    def _close(self) -> None:
        self.query_one(Input).remove_class("-open")
        self.table.focus()

    def action_leave(self) -> None:
        """Leave the line of text, then the picker."""
        if self.focused is self.query_one(Input):
            self.table.narrow("")
            self._close()
            return
        self.dismiss(())


def _size(size: int) -> str:
    unit = next(((by, name) for by, name in UNITS if size >= by), None)
    return f"{size} B" if unit is None else f"{size / unit[0]:.1f} {unit[1]}"


def shown_paths(paths: Sequence[str], base: Path) -> list[str]:
    """Give paths as they read best from a folder; of files elsewhere the name alone."""
    return [os.path.relpath(path, base) if Path(path).is_relative_to(base) else Path(path).name for path in paths]
