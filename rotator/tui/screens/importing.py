"""Import: files of counts, shipped pin files, chains and pasted handshakes, and what the hosts really serve."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from rotator.errors import RotatorError
from rotator.files.handshake import Target, Wire, internet
from rotator.model.progress import CancelledError, heed
from rotator.model.sightings import Handshake
from rotator.report import text as text_report
from rotator.report.document import Bullets, Document, Heading, Paragraph
from rotator.tui.actions import IMPORT
from rotator.tui.screens.base import PlannerScreen
from rotator.tui.screens.dialogs import Ask, Confirm
from rotator.tui.screens.pages import Page, text_lines
from rotator.tui.screens.picker import FilePicker, shown_paths
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line
from rotator.workflows import session as sessions
from rotator.workflows.bringing import SECONDS, Bringing, Brought, bad, bring, carry_out, observed_document, plan
from rotator.workflows.observing import Observed, keep, look
from rotator.workflows.recognising import Kind, recognise_file
from rotator.workflows.stating import Beside, beside

EMPTY = Document(
    "bring something in",
    (
        Paragraph("o opens files, p takes a pasted handshake, O asks the hosts themselves.", strong=True),
        Heading("what can come in"),
        Bullets(
            (
                "rotator fleet: counts as Play Console, App Store Connect, Google Analytics and Firebase give them",
                "rotator new --from-folder: pin files that shipped; they become releases",
                "rotator observe HOST=FILE: PEM chains and `openssl s_client -showcerts` output, compared and kept",
            )
        ),
        Paragraph("Everything is shown before it is written, and what a file held before is kept."),
    ),
)
network = internet
"""Where handshakes go; a test puts servers of its own here."""
USABLE = (Kind.COUNTS, Kind.PINS, Kind.CHAIN)


class ImportScreen(PlannerScreen):
    """Bring something in: what it is, what it would change, then write it."""

    place = "import"
    BINDINGS: ClassVar[list[BindingType]] = [action.binding for action in IMPORT]
    DEFAULT_CSS = """
    ImportScreen #body { layout: vertical; }
    ImportScreen #given { height: auto; max-height: 7; }
    ImportScreen.-wide #body { layout: horizontal; }
    ImportScreen.-wide #given { width: 62; height: 1fr; max-height: 100%; }
    ImportScreen #why { height: 2; }
    """

    def panes(self) -> Iterable[Widget]:
        """Give the files and what they mean."""
        cursor = self.planner.signs.cursor
        columns = (
            Column("file", give=True, least=14),
            Column("recognised as", give=True, least=14),
            Column("of", give=True, least=6),
        )
        self.given = LineTable(columns, cursor=cursor, id="given")
        self.page = LineTable((Column("what it means", give=True, least=20),), cursor=" ", id="page")
        self.brought: list[Brought] = []
        self.stated: Beside | None = None
        self.stated_text = ""
        self.result: Bringing | None = None
        self.shown_document = EMPTY
        for table in (self.given, self.page):
            table.add_class("pane")
            yield table

    def show_state(self) -> None:
        """Show the files and what those of the kind under the cursor mean."""
        app = self.planner
        signs = app.signs
        self.status(app.checked.baseline)
        base = Path(app.session.file).resolve().parent
        names = shown_paths([one.file for one in self.brought], base)
        self.given.fill(
            [
                Line(
                    (signs.text("pasted" if name == "-" else name), signs.text(one.what.words), signs.text(_of(one))),
                    "ok" if one.what.kind in USABLE else "breaks",
                )
                for one, name in zip(self.brought, names, strict=True)
            ]
            or [Line(("no files yet: o opens some", "", ""), "quiet")],
            keep=lambda line: line.cells[0],
        )
        self._work_out()

    @property
    def current(self) -> Brought | None:
        """Give the file under the cursor."""
        return self.brought[self.given.index] if 0 <= self.given.index < len(self.brought) else None

    @on(LineTable.Moved, "#given")
    def _moved(self) -> None:
        one = self.current
        if one is not None and (self.result is None or self.result.kind is not one.what.kind):
            self._work_out()

    def _work_out(self) -> None:
        """Work out what the files mean; why they cannot be used is shown in the same place."""
        app, one = self.planner, self.current
        self.result = None
        if one is None:
            self.shown_document = EMPTY
            self.say("Bring in counts, shipped pin files or chains; nothing is written before you have seen it.")
            self.why("")
        else:
            try:
                self.result = plan(
                    app.session.file,
                    app.session.picture,
                    self.brought,
                    one.what.kind,
                    self.stated,
                    app.session.now,
                    network(),
                )
                self.shown_document = self.result.document
                self._said(self.result)
            except RotatorError as error:
                lines = str(error).splitlines() or ["cannot be used"]
                self.shown_document = Document("cannot be used as it is", tuple(Paragraph(line) for line in lines))
                self.say(f"Cannot be used as it is: {lines[0]}")
                self.why(_help(one), head="HELP")
        self._fill_page()

    def _said(self, result: Bringing) -> None:
        if result.refused:
            self.say(f"REFUSED: {result.refused}")
            self.why("t states what is missing, as --opt-in 0.22-0.30 or --builds 9.4.0=90400", head="HELP")
            return
        verb = "kept" if result.kind is Kind.CHAIN else "written"
        what = "chain" if result.kind is Kind.CHAIN else "file"
        many = f"{result.writes} {what}{'' if result.writes == 1 else 's'}"
        done = f"w writes: {many} {verb}" if result.writes else "nothing to write: the policy says so already"
        self.say(f"{str(result.kind).capitalize()}: {done}.")
        said = f"stated: {self.stated_text}" if self.stated_text and result.kind is Kind.COUNTS else ""
        self.why(said or "enter says what a file belongs to; tab goes into the page", head="STATED" if said else "HELP")

    def _fill_page(self) -> None:
        self.page.fill(text_lines(self.shown_document, self.page.text_width, self.planner.signs))

    def on_resize(self) -> None:
        """Wrap the page anew."""
        super().on_resize()
        self.call_after_refresh(self._fill_page)

    # --- files -------------------------------------------------------------------------------------------------

    def action_pick(self) -> None:
        """Choose files."""
        app = self.planner
        folder = str(Path(self.brought[-1].file).parent) if self.brought and self.brought[-1].file != "-" else ""
        picker = FilePicker(
            "Files to bring in", folder or str(Path(app.session.file).resolve().parent), app.signs, about=self._about
        )
        self.app.push_screen(picker, self._picked)

    def _about(self, path: str) -> str:
        try:
            return recognise_file(path, self.planner.session.now.date())[1].words
        except RotatorError as error:
            return str(error)

    def _picked(self, paths: tuple[str, ...] | None) -> None:
        app = self.planner
        for path in paths or ():
            try:
                data, _ = recognise_file(path, app.session.now.date())
                self._add(data, path)
            except RotatorError as error:
                self.notify(app.signs.text(str(error)), severity="error", markup=False)
        if paths:
            self.refresh_all()
            self.given.go(len(self.brought) - 1)

    def _add(self, data: bytes, file: str) -> None:
        app = self.planner
        self.brought = [one for one in self.brought if one.file != file or file == "-"]
        self.brought.append(bring(data, file, app.session.picture, app.session.now.date()))

    def action_paste(self) -> None:
        """Take pasted text."""
        from rotator.tui.screens.pasting import Paste

        self.app.push_screen(Paste("Paste a handshake (openssl s_client -showcerts) or a PEM chain"), self._pasted)

    def _pasted(self, text: str | None) -> None:
        if text and text.strip():
            try:
                self._add(text.encode(), "-")
            except RotatorError as error:
                self.notify(self.planner.signs.text(str(error)), severity="error", markup=False)
            self.refresh_all()
            self.given.go(len(self.brought) - 1)

    def action_drop(self) -> None:
        """Take the file under the cursor out of the list."""
        if self.current is not None:
            del self.brought[self.given.index]
            self.refresh_all()

    def action_say(self) -> None:
        """Say what the file under the cursor belongs to."""
        one = self.current
        if one is None:
            self.action_pick()
            return
        policy = self.planner.session.picture.policy
        if one.what.kind is Kind.CHAIN:
            question = f"Which host sent it? {', '.join(policy.hosts)}"
        elif one.what.kind is Kind.PINS:
            question = f"Of which app and version, as APP:VERSION? Apps: {', '.join(policy.apps)}"
        elif one.what.kind is Kind.COUNTS:
            question = f"Of which app? {', '.join(policy.apps)}"
        else:
            self.notify(self.planner.signs.text(one.what.words), severity="warning", markup=False)
            return
        self.app.push_screen(Ask(self.planner.signs.text(question)), self._told)

    def _told(self, text: str | None) -> None:
        one = self.current
        if one is None or not text or not text.strip():
            return
        app, _, version = text.strip().partition(":")
        if one.what.kind is Kind.CHAIN:
            changed = replace(one, host=text.strip())
        else:
            changed = replace(one, app=app.strip(), version=version.strip() or one.version)
        self.brought[self.given.index] = changed
        self.refresh_all()

    def action_state(self) -> None:
        """State what counts do not say."""
        title = "Beside the counts, as on the command line: --opt-in 0.22-0.30 --unit TEXT --builds 9.4.0=90400"
        self.app.push_screen(Ask(title), self._state)

    def _state(self, text: str | None) -> None:
        if text is None or not text.strip():
            return
        try:
            self.stated, self.stated_text = beside(text), text.strip()
        except RotatorError as error:
            self.notify(self.planner.signs.text(str(error)), severity="error", markup=False)
            return
        self.refresh_all()

    # --- writing -----------------------------------------------------------------------------------------------

    def action_write(self) -> None:
        """Ask once more, then write."""
        app, result = self.planner, self.result
        if result is None or result.refused or not result.writes:
            why = "nothing to write" if result is None or not result.refused else f"refused: {result.refused}"
            self.notify(app.signs.text(why), severity="warning", markup=False)
            return
        if app.session.dirty:
            self.notify("there are edits not written; write them or take them back first", markup=False)
            return
        what = {
            Kind.COUNTS: "the counts into the policy, and the record of counts",
            Kind.PINS: "the new releases into the policy",
            Kind.CHAIN: "the chains into the record of sightings",
        }[result.kind]
        self.app.push_screen(Confirm(f"Write {what}?", app.signs.text(app.session.file)), self._write)

    def _write(self, yes: bool | None) -> None:  # noqa: FBT001 - what the dialog gives back
        app, result = self.planner, self.result
        if not yes or result is None:
            return
        written: list[Path] = []

        def step() -> sessions.Session:
            written.extend(carry_out(app.session.file, result, app.session.now.date()))
            return sessions.start(app.session.file, app.session.now)

        def then() -> None:
            self.brought = [one for one in self.brought if one.what.kind is not result.kind]
            names = ", ".join(path.name for path in written[:3])
            app.tell(f"written: {names or 'nothing was new'}")
            self.refresh_all()

        def failed(error: RotatorError) -> None:
            app.tell(str(error), "error")
            self.refresh_all()

        app.attempt(step, then=then, failed=failed, firm=True)

    # --- hosts -------------------------------------------------------------------------------------------------

    def action_observe(self) -> None:
        """Ask whether to shake hands with the hosts."""
        hosts = self.planner.session.picture.policy.hosts
        text = f"{', '.join(hosts)}: one handshake each, nothing is sent but that. What is seen is kept."
        self.app.push_screen(Confirm(f"Look at {len(hosts)} hosts?", self.planner.signs.text(text)), self._observe)

    def _observe(self, yes: bool | None) -> None:  # noqa: FBT001 - what the dialog gives back
        if yes:
            given_up = threading.Event()
            self.work(
                "looking at hosts", partial(self._look, given_up), self._seen, left=partial(self._not_seen, given_up)
            )

    def _look(self, given_up: threading.Event) -> Observed:
        net = network()

        def connect(address: str, port: int, seconds: float) -> Wire:
            if given_up.is_set():
                raise OSError("given up")
            return net.connect(address, port, seconds)

        def told(target: Target, hand: Handshake) -> None:
            what = hand.fault.words if hand.fault is not None else hand.version
            # Handshakes that are under way end by themselves: none is begun any more.
            with suppress(CancelledError):
                heed(f"{target.name} {hand.address}: {what}")

        session = self.planner.session
        return look(session.picture, (), session.now, replace(net, connect=connect), SECONDS, told)

    def _not_seen(self, given_up: threading.Event) -> None:
        given_up.set()
        self.say("Given up; nothing was kept.")

    def _seen(self, seen: Observed) -> None:
        try:
            kept = len(keep(self.planner.session.file, seen))
        except RotatorError as error:
            self.planner.tell(str(error), "error")
            return
        worse = bad(seen)
        self.say(f"{worse} warnings or worse; {kept} chains kept for backtest." if worse else f"{kept} chains kept.")
        self.app.push_screen(Page(observed_document(self.planner.session.picture, seen), self.planner.signs))

    def as_text(self) -> str:
        """Give what is shown as text."""
        return text_report.render(self.shown_document, ascii_only=self.planner.signs.ascii_only)


def _of(one: Brought) -> str:
    return one.host or ":".join(part for part in (one.app, one.version) if part)


def _help(one: Brought) -> str:
    if one.what.kind is Kind.PINS:
        return "enter says which app and version it shipped with, as APP:VERSION"
    if one.what.kind is Kind.CHAIN:
        return "enter says which host sent it"
    if one.what.kind is Kind.COUNTS:
        return "enter names the app; t states columns, unit, opt-in or version codes"
    return "d takes it out of the list"
