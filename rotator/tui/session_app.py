"""The part of the planner that holds the session: edits and their history, the journal, saving, the file on disk."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path

from textual import events
from textual.app import App, SuspendNotSupported

from rotator.errors import RotatorError
from rotator.files.editor import run_editor
from rotator.simulate.rotation import Rotation
from rotator.tui.look import Signs
from rotator.tui.screens.dialogs import Choose, Confirm, Pick
from rotator.tui.turns import Turn, Turns
from rotator.tui.widgets.lines import Column, Line
from rotator.workflows import journal as journals
from rotator.workflows import reports
from rotator.workflows import session as sessions

WATCH_SECONDS = 2.0
READ_SECONDS = 1.5
"""What is told in a corner stays at least this long."""


class SessionApp(App[int]):
    """An app on one policy, with a session that nothing is lost of."""

    def __init__(self, session: sessions.Session, signs: Signs) -> None:
        """Begin with a session."""
        super().__init__()
        self.signs = signs
        self.session = session
        self.journal = journals.Journal(session.file, session.now)
        self.differs = False
        self.turns = Turns(self)
        self._unkept = ""

    # --- what the planner does with it -------------------------------------------------------------------------

    @property
    def is_large(self) -> bool:
        """Say whether an edit takes so long to work out that the screen must not wait for it."""
        return False

    def weigh(self, session: sessions.Session) -> Callable[[], None]:
        """Work out all that a session means and give what takes it up; nothing that is shown changes before."""
        del session
        return lambda: None

    def on_unmount(self) -> None:
        """Leave no work behind."""
        self.turns.leave()

    def redraw(self) -> None:
        """Draw the screen from the session."""

    def use(self, session: sessions.Session, meant: Callable[[], None] | None = None) -> None:
        """Go on with another session: keep its edits safe, then draw; `meant` is what was weighed of it before."""
        (meant or self.weigh(session))()
        self.session = session
        try:
            self.journal.keep(session, session.now)
        except RotatorError as error:
            if self._unkept != str(error):
                self._unkept = str(error)
                self.tell(f"edits are not kept safe until they are saved: {error}", "warning")
        self.redraw()

    def tell(self, text: str, severity: str = "information") -> None:
        """Say something in a corner."""
        self.notify(self.signs.text_lines(text), severity=severity, markup=False)  # type: ignore[arg-type]  # one of three

    async def on_event(self, event: events.Event) -> None:
        """Let go of what was told in a corner as soon as somebody goes on, so that it covers nothing for long."""
        if isinstance(event, events.Key):
            read = [one for one in self._notifications if one.timeout - one.time_left > READ_SECONDS]
            for one in read:
                self._unnotify(one, refresh=one is read[-1])
        await super().on_event(event)

    def attempt(
        self,
        step: Callable[[], sessions.Session],
        said: str | Callable[[], str] = "",
        then: Callable[[], object] | None = None,
        *,
        failed: Callable[[RotatorError], object] | None = None,
        firm: bool = False,
    ) -> None:
        """Go on with the session that a step gives, or say why it cannot be; see `Turn`."""
        words = said if callable(said) else lambda: said
        self.turns.take(Turn(step=step, said=words, then=then, failed=failed, firm=firm))

    def keep(self, report: reports.Report) -> None:
        """Keep a report beside the policy, or say why it cannot be."""
        try:
            reports.keep(self.session.file, report)
        except RotatorError as error:
            self.tell(str(error), "error")
            return
        self.tell(f"kept as report {report.id}; 5 lists them")

    # --- edits -------------------------------------------------------------------------------------------------

    def action_change(self) -> None:
        """Offer every kind of edit."""
        from rotator.workflows.editing import FORMS

        options = [(form.key, form.about, form.id) for form in FORMS]
        self.push_screen(Choose("Change the policy", "", options), self._chosen)

    def _chosen(self, form: str | None) -> None:
        if form:
            self.action_form(form)

    def action_form(self, name: str) -> None:
        """Open the form of an edit."""
        self.open_form(name)

    def open_form(self, name: str, given: dict[str, str] | None = None) -> None:
        """Open the form of an edit, some of its fields filled."""
        from rotator.tui.screens.forms import FormDialog
        from rotator.workflows.editing import form_of

        self.push_screen(FormDialog(form_of(name), given), self._formed)

    def _formed(self, rotation: Rotation | None) -> None:
        if rotation is not None:
            self.change(rotation)

    def change(self, rotation: Rotation) -> None:
        """Make an edit, and say what it did."""
        said = "; ".join((rotation.change.title, *rotation.notes))
        self.attempt(lambda: sessions.make(self.session, rotation), f"{said}. s saves it, u takes it back")

    def action_undo(self) -> None:
        """Take the last edit back."""

        def said() -> str:
            past = self.session.past
            return f"taken back: {past[-1].title}" if past else "there is nothing to take back"

        self.attempt(lambda: sessions.undo(self.session), said)

    def action_redo(self) -> None:
        """Make the edit again."""

        def said() -> str:
            future = self.session.future
            return f"made again: {future[0].title}" if future else "there is nothing to make again"

        self.attempt(lambda: sessions.redo(self.session), said)

    def action_history(self) -> None:
        """Show every edit of this session, and go to any point of it."""
        session, signs = self.session, self.signs
        steps = (*session.past, *session.future)
        lines = [Line(("", "as it was opened"), "" if session.past else "ok")]
        for n, step in enumerate(steps, 1):
            saved = step in session.saved_past
            state = "taken back" if n > len(session.past) else ("saved" if saved else "made")
            lines.append(Line((state, signs.text(step.title)), "quiet" if n > len(session.past) else ""))
        columns = (Column("state"), Column("edit", give=True, least=20))
        self.push_screen(
            Pick("History: the line under the cursor is the last edit made", columns, lines, cursor=signs.cursor,
                 at=len(session.past)),
            self._go,
        )  # fmt: skip

    def _go(self, made: int | None) -> None:
        if made is not None and made >= 0:
            self.attempt(lambda: sessions.go(self.session, made))

    # --- the file ----------------------------------------------------------------------------------------------

    def watch_disk(self) -> None:
        """Notice that the policy changed on disk; it is read again at once where no edit stands in the way."""
        try:
            differs = sessions.changed_on_disk(self.session)
        except RotatorError:
            return
        if differs == self.differs:
            return
        self.differs = differs
        if differs and not self.session.dirty:
            self._read("the policy changed on disk and was read again")
        elif differs:
            self.tell("the policy changed on disk: R reads it again and puts your edits on top", "warning")
        self.use(self.session)

    def _read(self, said: str) -> None:
        """Read the policy again, with the edits that are not saved on top of it."""
        self.attempt(lambda: sessions.reread(self.session, self.session.now), said, self._as_on_disk)

    def _as_on_disk(self) -> None:
        self.differs = False
        self.redraw()

    def action_save(self) -> None:
        """Write the edits into the policy; never over a file that somebody else changed, unless told to."""
        if not self.session.dirty:
            self.tell("there is nothing to save")
            return
        try:
            differs = sessions.changed_on_disk(self.session)
        except RotatorError as error:
            self.tell(str(error), "error")
            return
        if differs:
            self.ask_about_disk()
            return
        said = "saved; what the file held is kept beside it, u still takes edits back"
        self.attempt(lambda: sessions.save(self.session), said, firm=True)

    def ask_about_disk(self) -> None:
        """Ask what to do about a policy that changed on disk while there are edits."""
        edits = "\n".join(rotation.change.title for rotation in self.session.pending)
        text = self.signs.text_lines(f"Your edits, not saved:\n{edits}")
        options = [
            ("r,enter", "read it again and make my edits on top", "reread"),
            ("k", "keep my text in a file beside the policy, then read it again", "keep"),
            ("o", "overwrite what is on disk with my text; that is kept beside the policy", "over"),
        ]
        self.push_screen(Choose("The policy changed on disk since it was read.", text, options), self._about_disk)

    def _about_disk(self, answer: str | None) -> None:
        if answer == "reread":
            self._read("read again, your edits on top; s saves")
        elif answer == "keep":
            try:
                path = sessions.keep_mine(self.session)
            except RotatorError as error:
                self.tell(str(error), "error")
                return
            self.tell(f"your text is kept in {path}")
            self.attempt(lambda: sessions.start(self.session.file, self.session.now), then=self._as_on_disk)
        elif answer == "over":
            said = "saved; what the file held is kept beside it"
            self.attempt(lambda: sessions.save_over(self.session), said, self._as_on_disk, firm=True)

    def action_reread(self) -> None:
        """Read the policy again."""
        if self.session.dirty:
            self.ask_about_disk()
        else:
            self.attempt(
                lambda: sessions.start(self.session.file, self.session.now), "read again", then=self._as_on_disk
            )

    def offer_left(self) -> None:
        """Offer edits again that an earlier planner left behind."""
        left, problems = journals.left_behind(self.session)
        for problem in problems:
            self.tell(str(problem), "warning")
        if journals.others_open(self.session):
            self.tell("another planner has edits of this policy that are not saved", "warning")
        if left:
            self._offer(left[0])

    def _offer(self, left: journals.Left) -> None:
        edits = [f"  {rotation.change.title}" for rotation in left.edits]
        if not left.same:
            edits.append("The policy changed since; edits that fit are made on top of it.")
        text = self.signs.text_lines("\n".join((f"made {left.made:%Y-%m-%d %H:%M} UTC:", *edits)))
        options = [("r,enter", "bring them back", "restore"), ("d", "drop them", "drop")]
        title = "Edits were left behind that are not saved."

        def answer(what: str | None) -> None:
            if what == "restore":
                said = "edits are back; s saves them, U shows them"
                self.attempt(lambda: journals.restore(self.session, left), said, partial(journals.discard, left))
            elif what == "drop":
                journals.discard(left)

        self.push_screen(Choose(title, text, options, escape="esc: ask again next time"), answer)

    # --- leaving -----------------------------------------------------------------------------------------------

    def action_leave(self) -> None:
        """Leave, after a question where edits are not saved."""
        if self.turns.busy:
            self.tell("an edit is being worked out: leave after it, or give it up with esc", "warning")
            return
        if not self.session.dirty:
            self._leave()
            return
        edits = "\n".join(rotation.change.title for rotation in self.session.pending)
        question = "Leave without saving these edits?"
        self.push_screen(Confirm(question, self.signs.text_lines(edits)), lambda yes: self._leave() if yes else None)

    def _leave(self) -> None:
        self.journal.forget()
        self.exit(0)

    async def action_quit(self) -> None:
        """Leave like `q`; the library's own way asks nothing."""
        self.action_leave()

    # --- an editor ---------------------------------------------------------------------------------------------

    def action_editor(self) -> None:
        """Edit the text in an editor; what comes back is one edit, or its errors are shown and nothing is lost."""
        path = self.journal.scratch()
        try:
            journals.lay_out(path, self.session.text)
        except RotatorError as error:
            self.tell(str(error), "error")
            return
        self._edit(path)

    def _edit(self, path: Path) -> None:
        words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
        try:
            with self.suspend():
                code = self.run_editor([*words, str(path)])
        except SuspendNotSupported:
            self.tell("no editor can be opened here", "warning")
            journals.take_up(path)
            return
        if code:
            self.tell(f"{words[0]} ended with {code}", "warning")
        self._edited(path)

    def run_editor(self, words: list[str]) -> int:
        """Run an editor on the terminal; 0 where all went well."""
        try:
            return run_editor(words)
        except RotatorError as error:
            self.tell(str(error), "error")
            return 0

    def _edited(self, path: Path) -> None:
        def unusable(error: RotatorError) -> None:
            options = [("e,enter", "edit it again", "again"), ("d", "drop this text", "drop")]
            question = Choose("The text cannot be used.", self.signs.text_lines(str(error)), options,
                              escape=f"esc: leave it in {path}")  # fmt: skip
            self.push_screen(question, lambda answer: self._mend(path, answer))

        try:
            text = journals.read_back(path)
        except RotatorError as error:
            unusable(error)
            return
        if text == self.session.text:
            journals.take_up(path)
            self.tell("nothing changed")
            return
        said = "edit the text: made. s saves it, u takes it back"
        step = partial(sessions.make_text, self.session, text, "edit the text")
        self.attempt(step, said, partial(journals.take_up, path), failed=unusable)

    def _mend(self, path: Path, answer: str | None) -> None:
        if answer == "again":
            self._edit(path)
        elif answer == "drop":
            journals.take_up(path)
