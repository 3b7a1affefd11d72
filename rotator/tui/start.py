"""Guided start: no policy yet, so what people have is brought together, shown as a policy, and written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen

from rotator.errors import Problem, RotatorError, UsageError
from rotator.mechanisms.registry import mechanism as known_mechanism
from rotator.report.document import Block, Bullets, Code, Document, Heading, Paragraph
from rotator.report.shipped import to_document as code_document
from rotator.simulate.census import Stated
from rotator.tui.actions import START
from rotator.tui.look import DEFAULTS, THEMES, Signs, use_bars
from rotator.tui.screens.dialogs import Ask, Confirm, Help
from rotator.tui.screens.pages import Page, text_lines
from rotator.tui.screens.picker import FilePicker, shown_paths
from rotator.tui.widgets.bars import Bar, key_line
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line
from rotator.workflows.counting import plan_import, write_import
from rotator.workflows.creating import Created, draft, write_draft
from rotator.workflows.inputs import Given
from rotator.workflows.opening import open_policy
from rotator.workflows.recognising import Kind, Recognised, recognise, recognise_file
from rotator.workflows.shipped_files import Harvest, Wanted, from_folder, from_git

EMPTY = Document(
    "what to bring",
    (
        Paragraph("Whatever you have; one file is enough to begin. Nothing is written before you have seen it."),
        Bullets(
            (
                "o: files: PEM chains, keys, requests, shipped pin files as network_security_config.xml or Info.plist",
                "p: paste what `openssl s_client -connect HOST:443 -showcerts` printed",
                "t: the tags of a git repository; each becomes a release with the file that shipped in it",
                "f: a folder of dated files, the same without git",
                "A: an app that has no file, with its client technology",
            )
        ),
        Paragraph("User counts are taken too, now or later on the Import screen (i). Verdicts by version need none."),
    ),
)
BRING = Paragraph("The Import screen (i) takes them, with what they do not say themselves stated beside them.")
GIT = (
    ("the folder of the git repository", "."),
    ("which tags: v8.4..v9.4, or v*, or names with commas between", "v*"),
    ("which file in them, as [APP=]GLOB", "**/network_security_config.xml"),
)


class StartScreen(Screen[None]):
    """Everything on one screen: what was brought, and the policy that it makes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(action.binding for action in START),
        Binding("tab", "app.focus_next", "pane", show=False, id="start.pane"),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (130, "-wide")]  # noqa: RUF012 - as Textual declares it
    DEFAULT_CSS = """
    StartScreen { layout: vertical; background: $background; }
    StartScreen #body { height: 1fr; }
    StartScreen #given { height: auto; max-height: 8; }
    StartScreen.-wide #body { layout: horizontal; }
    StartScreen.-wide #given { width: 66; height: 1fr; max-height: 100%; }
    StartScreen #said { height: 2; }
    """

    def __init__(self, target: str, now: datetime, signs: Signs) -> None:
        """Begin with nothing.

        Args:
            target: the policy file to write.
            now: the instant.
            signs: the signs of the terminal.
        """
        super().__init__()
        self.target, self.now, self.signs = target, now, signs
        self.given: list[tuple[Given, Recognised]] = []
        self.apps: dict[str, str] = {}
        self.harvest = Harvest()
        self.found_again: Callable[[dict[str, str]], Harvest] | None = None
        self.created: Created | None = None
        self.document = EMPTY

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Bar(id="title", classes="-panel")
        yield Bar(id="said")
        with Container(id="body"):
            columns = (
                Column("brought", give=True, least=14),
                Column("recognised as", give=True, least=14),
                Column("of", give=True, least=6),
            )
            yield LineTable(columns, cursor=self.signs.cursor, id="given")
            yield LineTable((Column("the policy", give=True, least=20),), cursor=" ", id="page")
        yield Bar(id="keys", classes="-panel")

    def on_mount(self) -> None:
        """Show what to bring."""
        self.query_one("#given", LineTable).focus()
        self.call_after_refresh(self.show)

    def on_resize(self) -> None:
        """Fit everything to the new width."""
        self.call_after_refresh(self.show)

    @property
    def list(self) -> LineTable:
        """Give the list of what was brought."""
        return self.query_one("#given", LineTable)

    @property
    def folder(self) -> str:
        """Give the folder of the policy to be."""
        return str(Path(self.target).resolve().parent)

    # --- what is shown -----------------------------------------------------------------------------------------

    def show(self) -> None:
        """Work the policy out and show everything."""
        if not self.is_mounted:
            return
        signs, width = self.signs, self.size.width or 80
        self.query_one("#title", Bar).say([(f" New policy: {signs.text(self.target)}", "strong")])
        self.query_one("#keys", Bar).say(key_line(START, width))
        self._work_out()
        names = shown_paths([one.file for one, _ in self.given], Path(self.folder))
        lines = [
            Line(
                (signs.text("pasted" if name == "-" else name), signs.text(what.words), signs.text(_of(one))),
                "ok" if what.kind in (Kind.CHAIN, Kind.KEY, Kind.PINS, Kind.COUNTS) else "breaks",
            )
            for (one, what), name in zip(self.given, names, strict=True)
        ]
        lines += [
            Line((signs.text(name), signs.text(f"an app with {how}"), ""), "ok") for name, how in self.apps.items()
        ]
        lines += [
            Line((signs.text(one.origin), "shipped, out of git or a folder", signs.text(_of(one))), "ok")
            for one in self.harvest.given
        ]
        self.list.fill(
            lines or [Line(("nothing yet: o opens files", "", ""), "quiet")], keep=lambda line: line.cells[0]
        )
        page = self.query_one("#page", LineTable)
        page.fill(text_lines(self.document, page.text_width, signs))

    def _say(self, *texts: str) -> None:
        shown = [[(f" {self.signs.text(text)}", "strong" if n == 0 else "")] for n, text in enumerate(texts)]
        self.query_one("#said", Bar).say(*shown)

    def _work_out(self) -> None:
        self.created = None
        inputs = [one for one, what in self.given if what.kind in (Kind.CHAIN, Kind.KEY, Kind.PINS)]
        inputs += self.harvest.given
        if not inputs and not self.harvest.in_code:
            self.document = EMPTY
            self._say(
                f"{Path(self.target).name} is not there yet. Bring what you have; it becomes a policy.",
                "? shows every key.",
            )
            return
        try:
            self.created = draft(self.target, inputs, self.now.date(), self.apps) if inputs else None
        except RotatorError as error:
            lines = str(error).splitlines() or ["cannot be used"]
            self.document = Document("not yet", tuple(Paragraph(line) for line in lines))
            self._say(f"Not yet a policy: {lines[0]}", "enter says what a file belongs to, d takes it out")
            return
        self.document = self._preview()
        waiting = len(self.harvest.in_code)
        code = f"; {waiting} pin lists in code wait for your yes (c)" if waiting else ""
        ready = f"w writes {Path(self.target).name}" if self.created is not None else "Nothing to write yet"
        self._say(f"{ready}{code}.", "Then Rotator opens on it; every line can be changed later.")

    def _preview(self) -> Document:
        notes = [*self.harvest.notes, *(self.created.notes if self.created is not None else ())]
        blocks: list[Block] = []
        if notes:
            blocks += [Heading("what was assumed or left out"), Bullets(tuple(dict.fromkeys(notes)))]
        if self.harvest.in_code:
            blocks += [
                Heading("pins found in code"),
                *code_document([c.to_json() for c in self.harvest.in_code]).blocks,
            ]
        if self.created is not None:
            blocks += [Heading("the policy"), Code(tuple(self.created.text.splitlines()))]
        return Document("the policy", tuple(blocks))

    def _tell(self, text: str) -> None:
        self.notify(self.signs.text(text), severity="warning", markup=False)

    # --- bringing ----------------------------------------------------------------------------------------------

    def action_pick(self) -> None:
        """Choose files."""
        self.app.push_screen(FilePicker("Files to bring", self.folder, self.signs, about=self._about), self._picked)

    def _about(self, path: str) -> str:
        try:
            return recognise_file(path, self.now.date())[1].words
        except RotatorError as error:
            return str(error)

    def _picked(self, paths: tuple[str, ...] | None) -> None:
        for path in paths or ():
            try:
                data, what = recognise_file(path, self.now.date())
            except RotatorError as error:
                self._tell(str(error))
                continue
            if what.kind is Kind.PRIVATE:
                self._tell(f"{path}: {what.words}")
                continue
            self.given = [(one, old) for one, old in self.given if one.file != path]
            self.given.append((Given(file=path, data=data), what))
        self.show()

    def action_paste(self) -> None:
        """Take pasted text."""
        from rotator.tui.screens.pasting import Paste

        self.app.push_screen(Paste("Paste a handshake (openssl s_client -showcerts), a chain, a key"), self._pasted)

    def _pasted(self, text: str | None) -> None:
        if text and text.strip():
            data = text.encode()
            self.given.append((Given(file="-", data=data), recognise(data, "-", self.now.date())))
            self.show()

    def action_say(self) -> None:
        """Say which app and version a pin file belongs to."""
        if not 0 <= self.list.index < len(self.given):
            self.action_pick()
            return
        one, what = self.given[self.list.index]
        if what.kind is not Kind.PINS:
            self._tell(f"{Path(one.file).name}: {what.words}; it needs nothing more")
            return
        self.app.push_screen(Ask("Which app and version did it ship with? APP:VERSION, as android:7.2.0"), self._told)

    def _told(self, text: str | None) -> None:
        if not text or not text.strip() or not 0 <= self.list.index < len(self.given):
            return
        one, what = self.given[self.list.index]
        app, _, version = text.strip().partition(":")
        self.given[self.list.index] = (replace(one, app=app.strip(), version=version.strip()), what)
        self.show()

    def action_app(self) -> None:
        """Add an app without a file."""
        self.app.push_screen(Ask("An app without a shipped file: NAME=MECHANISM, as web=okhttp"), self._app)

    def _app(self, text: str | None) -> None:
        name, _, how = (text or "").strip().partition("=")
        if not name:
            return
        try:
            known_mechanism(how)
        except RotatorError as error:
            self._tell(str(error))
            return
        self.apps[name] = how
        self.show()

    def action_drop(self) -> None:
        """Take the line under the cursor out."""
        index = self.list.index
        if 0 <= index < len(self.given):
            del self.given[index]
        elif 0 <= index - len(self.given) < len(self.apps):
            del self.apps[list(self.apps)[index - len(self.given)]]
        else:
            self.harvest = Harvest()
        self.show()

    # --- shipped files -----------------------------------------------------------------------------------------

    def action_git(self) -> None:
        """Ask for the repository, the tags and the file."""
        self._ask_on([], GIT, self._from_git)

    def action_dated(self) -> None:
        """Ask for a folder of dated files."""
        self._ask_on([], (("a folder of dated files or of folders named by version", "shipped"),), self._from_folder)

    def _ask_on(
        self, said: Sequence[str], questions: Sequence[tuple[str, str]], then: Callable[[Sequence[str]], None]
    ) -> None:
        """Ask one question after the other; an empty answer takes what is proposed."""
        if len(said) == len(questions):
            then(said)
            return
        words, usual = questions[len(said)]
        ask = Ask(f"{words}\nenter alone takes: {usual}; esc leaves")

        def answered(text: str | None) -> None:
            if text is not None and not ask.left:
                self._ask_on([*said, text.strip() or usual], questions, then)

        self.app.push_screen(ask, answered)

    def _from_git(self, said: Sequence[str]) -> None:
        repository, tags, glob = said
        base = Path(self.folder)
        self._find(lambda take: from_git(repository, tags, [Wanted.of(glob)], take, base), {})

    def _from_folder(self, said: Sequence[str]) -> None:
        base = Path(self.folder)
        self._find(lambda take: from_folder(said[0], [], take, base), {})

    def _find(self, how: Callable[[dict[str, str]], Harvest], take: dict[str, str]) -> None:
        try:
            self.harvest, self.found_again = how(take), how
        except RotatorError as error:
            self._tell(str(error))
            return
        if not self.harvest.given and not self.harvest.in_code:
            self._tell("; ".join(self.harvest.notes[:2]) or "nothing was found there")
        self.show()

    def action_confirm(self) -> None:
        """Say whose pins in code are to be taken, and which client technology enforces them."""
        if not self.harvest.in_code:
            self._tell("no pins in code were found")
            return
        hosts = ", ".join(dict.fromkeys(found.candidate.host or "?" for found in self.harvest.in_code))
        self.app.push_screen(
            Ask(f"Found in code: {hosts}\nTake which, as HOST=MECHANISM with spaces between?"), self._take
        )

    def _take(self, text: str | None) -> None:
        if not text or not text.strip() or self.found_again is None:
            return
        try:
            pairs = [word.rpartition("=") for word in text.split()]
            if not all(name and how for name, _, how in pairs):
                raise UsageError(Problem("not a host and its mechanism", value=text, expected="HOST=MECHANISM"))
            for _, _, how in pairs:
                known_mechanism(how)
        except RotatorError as error:
            self._tell(str(error))
            return
        self._find(self.found_again, {name: how for name, _, how in pairs})

    # --- the end -----------------------------------------------------------------------------------------------

    def action_write(self) -> None:
        """Ask once more, then write."""
        if self.created is None:
            self._tell("there is nothing to write yet")
            return
        beside = "".join(f"\n{path.name}" for path, _ in self.created.side_files[:8])
        self.app.push_screen(
            Confirm(f"Write {self.signs.text(Path(self.target).name)}?", self.signs.text(beside)), self._write
        )

    def _write(self, yes: bool | None) -> None:  # noqa: FBT001 - what the dialog gives back
        if not yes or self.created is None:
            return
        try:
            write_draft(self.created, self.now.date())
        except RotatorError as error:
            self._tell(str(error))
            return
        waiting = self._count()
        if not waiting:
            self.app.exit(self.target)
            return
        said = Document("the policy is written; the counts are not in it yet", (Paragraph(waiting), BRING))
        self.app.push_screen(Page(said, self.signs), lambda _: self.app.exit(self.target))

    def _count(self) -> str:
        """Take the counts into the policy that is written; say what speaks against it, "" for nothing."""
        counts = [one for one, what in self.given if what.kind is Kind.COUNTS]
        if not counts:
            return ""
        try:
            picture = open_policy(self.target, self.now.date())
            plan = plan_import(self.target, picture, counts, Stated(), None, self.now)
            if not plan.refused:
                write_import(self.target, plan)
        except RotatorError as error:
            return str(error)
        return "; ".join(str(problem) for problem in plan.refused)

    def action_keys(self) -> None:
        """Show every key."""
        self.app.push_screen(Help("New policy", START))

    def action_leave(self) -> None:
        """Leave; asks where something was brought."""
        if not self.given and not self.harvest.given:
            self.app.exit("")
            return
        question = Confirm("Leave without writing the policy?", "What was brought is not kept.")
        self.app.push_screen(question, lambda yes: self.app.exit("") if yes else None)


class StartApp(App[str]):
    """The guided start on a terminal: gives the policy that was written, "" where none was."""

    TITLE = "Rotator"
    ENABLE_COMMAND_PALETTE = False
    CSS = "Toast { background: $panel; } Input > .input--placeholder { color: $quiet; }"

    def __init__(self, target: str, now: datetime, *, ascii_only: bool, no_color: bool) -> None:
        """Begin with the policy that is to be; and how it is shown."""
        super().__init__()
        use_bars(ascii_only=ascii_only)
        self.start = StartScreen(target, now, Signs(ascii_only=ascii_only))
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "rotator-mono" if no_color else "rotator-dark"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give every theme the colours of verdicts."""
        return dict(DEFAULTS)

    def on_mount(self) -> None:
        """Show the one screen."""
        self.push_screen(self.start)


def _of(one: Given) -> str:
    return ":".join(part for part in (one.app, one.version) if part)
