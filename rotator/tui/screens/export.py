"""Export: what would be written, the worst first, each file's difference, and writing exactly that."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from rotator.errors import RotatorError
from rotator.report import text as text_report
from rotator.tui.actions import EXPORT
from rotator.tui.screens.base import PlannerScreen
from rotator.tui.screens.dialogs import Ask, Confirm
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line
from rotator.workflows import session as sessions
from rotator.workflows.exporting import POLICY, Asked, Export, plan_changes, staged, to_document, write_export
from rotator.workflows.pinset_files import FileChange


class ExportScreen(PlannerScreen):
    """What would be written."""

    place = "export"
    BINDINGS: ClassVar[list[BindingType]] = [action.binding for action in EXPORT]
    DEFAULT_CSS = """
    ExportScreen #body { layout: vertical; }
    ExportScreen #files { height: auto; max-height: 9; }
    ExportScreen.-wide #body { layout: horizontal; }
    ExportScreen.-wide #files { width: 80; height: 1fr; max-height: 100%; }
    """

    def panes(self) -> Iterable[Widget]:
        """Give the files and the difference."""
        cursor = self.planner.signs.cursor
        self.files = LineTable(
            (Column(""), Column("write"), Column("file", give=True, least=24), Column("what", give=True, least=16)),
            cursor=cursor,
            id="files",
        )
        self.diff = LineTable((Column("difference", give=True, least=20),), cursor=" ", id="diff")
        self.export: Export | None = None
        self.override = ""
        self.left_out: set[Path] = set()
        for table in (self.files, self.diff):
            table.add_class("pane")
            yield table

    def show_state(self) -> None:
        """Work out what would be written and show it."""
        app = self.planner
        session, signs = app.session, app.signs
        self.status(app.checked.baseline)
        steps = session.pending
        try:
            asked = Asked(override=self.override)
            self.export = plan_changes(
                session.file,
                session.saved,
                session.picture,
                session.text,
                steps,
                session.now,
                asked,
                session.saved_text,
            )
        except RotatorError as error:
            self.export = None
            self.files.fill([])
            self.say(f"Cannot be written: {error}")
            return
        export = self.export
        changed = [change for change in export.files if change.changed]
        if app.differs:
            self.say("The policy changed on disk: nothing can be written before R has read it again.")
        elif export.unsafe:
            self.say(f"REFUSED: {'; '.join(export.unsafe)}. o goes on with a written reason.")
        elif not session.dirty:
            self.say("Nothing is edited; these are the pinsets in use. p on a backup in Fleet or What-if promotes it.")
        else:
            chosen = [change for change in changed if change.path not in self.left_out]
            many = f"{len(chosen)} file{'' if len(chosen) == 1 else 's'}"
            out = f" of {len(changed)}" if len(chosen) < len(changed) else ""
            self.say(f"{export.title}: {many}{out} to write, w writes exactly these.", *export.notes)
        self.files.fill(
            [
                Line((c.sign, self._mark(c), signs.text(c.shown), signs.text(c.what)), "ok" if c.changed else "quiet")
                for c in export.files
            ],
            keep=lambda line: line.cells[2],
        )
        self._show_diff()

    @on(LineTable.Moved, "#files")
    def _show_diff(self) -> None:
        export, signs = self.export, self.planner.signs
        if export is None or not 0 <= self.files.index < len(export.files):
            self.diff.fill([])
            return
        change = export.files[self.files.index]
        lines = [Line((signs.text(text),), _diff_style(text)) for text in change.diff()]
        self.diff.fill(lines or [Line(("nothing changes in this file",), "quiet")])
        losses = "; ".join(text for _, text in change.losses)
        self.why(losses or "nothing is lost in this format", head="CANNOT SAY" if losses else "FORMAT")

    def _mark(self, change: FileChange) -> str:
        """Say whether a file would be written, with a sign and a word."""
        if not change.changed:
            return "same"
        return "no" if change.path in self.left_out else "yes"

    @property
    def chosen(self) -> Export | None:
        """Give the export with the files that are left out taken away."""
        return None if self.export is None else staged(self.export, self.left_out)

    # --- actions -----------------------------------------------------------------------------------------------

    def action_stage(self) -> None:
        """Leave the file under the cursor out, or take it in again."""
        export = self.export
        if export is None or not 0 <= self.files.index < len(export.files):
            return
        change = export.files[self.files.index]
        if not change.changed:
            self.notify("nothing changes in this file", markup=False)
            return
        self.left_out ^= {change.path}
        self.refresh_all()
        self.files.action_move(1)

    def action_write(self) -> None:
        """Ask once more, then write."""
        export = self.chosen
        if export is None:
            return
        if export.unsafe and not export.override:
            self.notify("refused as unsafe; o goes on with a written reason", severity="warning", markup=False)
            return
        changed = [change for change in export.files if change.changed]
        if not changed:
            self.notify("nothing would change", markup=False)
            return
        names = "\n".join(f"{c.sign} {self.planner.signs.text(c.shown)}" for c in changed)
        self.app.push_screen(Confirm(f"Write {len(changed)} files?", names), self._write)

    def _write(self, yes: bool | None) -> None:  # noqa: FBT001 - what the dialog gives back
        app, export = self.planner, self.chosen
        if not yes or export is None:
            return
        if app.turns.busy:
            app.tell("an edit is being worked out: write after it, what there is to write may be something else then")
            return
        try:
            written, report = write_export(app.session.file, export, app.session.now)
        except RotatorError as error:
            self.notify(app.signs.text(str(error)), severity="error", markup=False)
            self.refresh_all()
            return
        self.override = ""
        kept_back = any(
            change.path in self.left_out and change.what == POLICY for change in (self.export or export).files
        )
        self.left_out.clear()
        # Where the policy itself was left out, its edits are still to be written.
        app.use(app.session if kept_back else sessions.written(app.session, app.session.text))
        self.notify(f"{len(written)} files written; kept as report {report.id}", markup=False)

    def action_override(self) -> None:
        """Ask for a reason to go on."""
        if self.export is None or not self.export.unsafe:
            self.notify("nothing is refused here", markup=False)
            return
        self.app.push_screen(Ask("Reason to go on; the report keeps it"), self._overridden)

    def _overridden(self, reason: str | None) -> None:
        if reason and reason.strip():
            self.override = reason.strip()
            self.refresh_all()

    def as_text(self) -> str:
        """Give the export with its differences as text."""
        if self.export is None:
            return ""
        document = to_document(self.chosen or self.export, diffs=True)
        return text_report.render(document, ascii_only=self.planner.signs.ascii_only)


def _diff_style(text: str) -> str:
    if text.startswith(("+++", "---", "@@")):
        return "quiet"
    return {"+": "ok", "-": "breaks"}.get(text[:1], "")
