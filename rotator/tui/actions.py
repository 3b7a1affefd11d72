"""Every action on one screen: its id, its keys, its words. Keys, help, key line, palette and `:` all read this."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do.

    Attributes:
        id: stable, `area.name`; keymaps and `:` name it.
        keys: the keys, comma-separated, as Textual writes them; "" for one of the palette and `:` alone.
        call: the action string.
        short: a word for the key line.
        about: a sentence for help and palette, lower-case.
        shown: whether the key line has it.
        key: how the key line shows the key, where that is not the first of `keys`.
    """

    id: str
    keys: str
    call: str
    short: str
    about: str
    shown: bool = True
    key: str = ""

    @property
    def binding(self) -> Binding:
        """Give the binding."""
        return Binding(self.keys, self.call, self.short, show=self.shown, id=self.id, tooltip=self.about)

    @property
    def shown_key(self) -> str:
        """Give the key as people read it, "" where there is none."""
        return self.key or readable(self.keys.partition(",")[0])

    @property
    def area(self) -> str:
        """Give the part of the id before the point."""
        return self.id.partition(".")[0]

    @property
    def title(self) -> str:
        """Give the name that the palette shows: `area: what it does`."""
        return f"{self.area}: {self.about}"


def bindings(*groups: Iterable[Action]) -> list[Binding]:
    """Give the bindings of those actions that have keys."""
    return [action.binding for group in groups for action in group if action.keys]


READABLE = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "exclamation_mark": "!",
    "full_stop": ".",
    "comma": "comma",
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
}


def readable(key: str) -> str:
    """Show a key as people read it."""
    *held, last = key.strip().split("+") if key != "+" else ("+",)
    return "+".join((*held, READABLE.get(last, last)))


EVERYWHERE = (
    Action("screen.home", "0", "app.go('home')", "Summary", "go to the summary: what to do, what if", shown=False),
    Action("screen.fleet", "1", "app.go('fleet')", "Fleet", "go to Fleet: pinsets, keys and clients", shown=False),
    Action("screen.whatif", "2", "app.go('whatif')", "What-if", "go to What-if: events and responses", shown=False),
    Action("screen.plan", "3", "app.go('plan')", "Plan", "go to Plan: the dated rotation, its ways out", shown=False),
    Action("screen.export", "4", "app.go('export')", "Export", "go to Export: what would be written", shown=False),
    Action("screen.reports", "5", "app.go('reports')", "Reports", "go to Reports: what was kept", shown=False),
    Action(
        "screen.mechanisms",
        "m",
        "app.go('mechanisms')",
        "clients",
        "go to Mechanisms: what each client checks",
        shown=False,
    ),
    Action(
        "screen.threats",
        "T",
        "app.go('threats')",
        "Threats",
        "go to Threats: what each kind of pin protects against",
        shown=False,
    ),
    Action(
        "screen.import",
        "i",
        "app.go('import')",
        "Import",
        "go to Import: counts, shipped pin files, chains, what hosts serve",
        shown=False,
    ),
    Action(
        "screen.emergency",
        "exclamation_mark",
        "app.emergency",
        "EMERGENCY",
        "go to Emergency: a key may be stolen, or the CA revokes",
        shown=False,
    ),
    Action("edit.change", "a", "app.change", "change", "change the policy: keys, pinsets, chains, releases, events"),
    Action("edit.undo", "u,ctrl+z", "app.undo", "undo", "take the last edit back", shown=False),
    Action("edit.redo", "ctrl+r,ctrl+y", "app.redo", "redo", "make the edit again", shown=False),
    Action("edit.history", "U", "app.history", "history", "every edit of this session; go back to any", shown=False),
    Action("policy.save", "s", "app.save", "save", "write the edits into the policy file", shown=False),
    Action("policy.editor", "e", "app.editor", "editor", "edit the text of the policy in $EDITOR", shown=False),
    Action("policy.reread", "R", "app.reread", "re-read", "read the policy again, edits on top", shown=False),
    Action("break.next", "n", "next_break(1)", "next break", "go to the next that breaks or is exposed", shown=False),
    Action("break.previous", "N", "next_break(-1)", "break", "go to the one before that breaks", shown=False),
    Action("view.copy", "y", "app.copy", "copy", "copy what is shown as plain text", shown=False),
    Action("view.zoom", "z", "zoom", "zoom", "give this pane the whole screen, and back", shown=False),
    Action("view.jump", "ctrl+o", "app.jump", "jump", "put a letter on each place to go to", shown=False),
    Action("view.theme", "ctrl+t", "app.theme", "theme", "next theme: dark, light, without colour", shown=False),
    Action("view.keymap", "", "app.keymap", "keymap", "next keymap: default, vim", shown=False),
    Action("view.command", "colon", "app.command", "command", "type an action by its name", shown=False),
    Action("view.palette", "ctrl+p", "app.command_palette", "actions", "every action by name", shown=False),
    Action("app.quit", "q,ctrl+q", "app.leave", "quit", "leave; asks when there are edits not saved"),
    Action("app.help", "question_mark,f1", "app.help", "keys", "every key of this screen", key="?"),
)
PANES = (
    Action("pane.next", "tab", "next_pane", "pane", "go to the next pane"),
    Action("pane.previous", "shift+tab", "previous_pane", "back", "go to the pane before", shown=False),
)
FILTER = Action("list.filter", "slash", "filter", "filter", "show only lines with some words")
LIST = (
    Action("list.up", "up,k", "move(-1)", "up", "the line above", shown=False),
    Action("list.down", "down,j", "move(1)", "down", "the line below", shown=False),
    Action("list.page_up", "pageup,ctrl+b", "page(-1)", "page up", "a page up", shown=False),
    Action("list.page_down", "pagedown,ctrl+f", "page(1)", "page down", "a page down", shown=False),
    Action("list.first", "home,g", "end(-1)", "first", "the first line", shown=False),
    Action("list.last", "end,G", "end(1)", "last", "the last line", shown=False),
)
KNOBS = (
    Action("knob.up", "up,k", "move(-1)", "up", "the knob above", shown=False),
    Action("knob.down", "down,j", "move(1)", "down", "the knob below", shown=False),
)
HOME = (
    Action("home.why", "enter", "why", "why", "where the line under the cursor comes from, and what to do"),
    Action("home.play", "o", "play", "play it", "play what the line says in What-if"),
    FILTER,
)
FLEET = (
    Action("fleet.why", "enter", "why", "why", "where the cell, the key or the line under the cursor comes from"),
    Action("fleet.promote", "p", "promote", "promote", "make the backup under the cursor the primary"),
    Action(
        "fleet.stolen", "x", "stolen", "stolen", "mark the key under the cursor as compromised, and take its pin out"
    ),
    FILTER,
)
WHATIF = (
    Action("whatif.less", "left,h", "turn(-1)", "turn", "turn the knob back", key="left/right"),
    Action("whatif.more", "right,l", "turn(1)", "turn", "turn the knob on", shown=False),
    Action("whatif.much_less", "pageup", "turn(-30)", "turn", "turn a date back by 30 days", shown=False),
    Action("whatif.much_more", "pagedown", "turn(30)", "turn", "turn a date on by 30 days", shown=False),
    Action(
        "whatif.open", "enter", "open", "choose/why", "choose from a list; on a cohort: where its number comes from"
    ),
    Action("whatif.promote", "p", "promote", "promote", "promote the backup that the response serves"),
    Action("whatif.baseline", "b", "baseline", "baseline", "compare with this answer from now on; again: with today"),
    Action("whatif.compare", "c", "compare", "beside", "put this answer beside the next ones, three at most"),
    Action("whatif.earlier", "less_than_sign", "scrub(-1)", "time", "look earlier", key="< >"),
    Action("whatif.later", "greater_than_sign", "scrub(1)", "later", "look later", shown=False),
    Action("whatif.previous", "left_square_bracket", "event(-1)", "event", "look at what happens before", key="[ ]"),
    Action("whatif.next", "right_square_bracket", "event(1)", "event", "look at what happens next", shown=False),
    Action("whatif.nearer", "plus", "zoom_time(-1)", "nearer", "time nearer: weeks, days, hours", shown=False),
    Action("whatif.farther", "minus", "zoom_time(1)", "farther", "time farther: hours, days, weeks", shown=False),
    Action("whatif.now", "t", "now", "now", "look at the moment of the event", shown=False),
    Action("whatif.plot", "v", "plot", "plot", "show shares over time in place of the cohorts, and back"),
    Action("whatif.keep", "K", "keep", "keep", "keep this answer as a report", shown=False),
    FILTER,
)
PLAN = (
    Action("plan.previous", "left,h", "goal(-1)", "goal", "the goal before: another key to serve", key="left/right"),
    Action("plan.next", "right,l", "goal(1)", "goal", "the next goal: another key to serve", shown=False),
    Action("plan.goal", "o", "ask_goal", "set goal", "say the goal: the key to serve, the one to go, host and day"),
    Action("plan.read", "enter", "read", "formula", "what the step waits for, how it is undone, what proves it done"),
    Action("plan.earlier", "less_than_sign", "shift(-1)", "move", "the step under the cursor a day earlier", key="< >"),
    Action("plan.later", "greater_than_sign", "shift(1)", "move", "the step under the cursor a day later", shown=False),
    Action("plan.date", "d", "shift_to", "date", "move the step under the cursor to a day", shown=False),
    Action("plan.way", "space", "take", "way out", "take the way out under the cursor, or leave it again"),
    *(
        Action(f"plan.way_{number}", key, f"take({number - 1})", "way out", f"take way out {key}", shown=False)
        for number, key in enumerate("ABCDE", 1)
    ),
    Action("plan.back", "x", "back", "as planned", "leave every way out, and every step where it was planned"),
    Action("plan.curves", "v", "curves", "curves", "who accepts, who is broken and exposed, over the days of the plan"),
    Action("plan.keep", "K", "keep", "keep", "keep this plan as a report"),
    FILTER,
)
EXPORT = (
    Action("export.stage", "space", "stage", "stage", "leave the file under the cursor out, or take it in again"),
    Action("export.write", "w", "write", "write", "write exactly what is shown, and keep the report"),
    Action("export.override", "o", "override", "override", "go on against a refusal, with a written reason"),
)
REPORTS = (
    Action("reports.open", "enter", "open", "open", "read the report under the cursor"),
    Action("reports.mark", "space", "mark", "mark", "mark the report under the cursor; two can be marked"),
    Action("reports.compare", "equals_sign", "compare", "compare", "compare the two that are marked"),
    Action(
        "reports.earlier", "left_square_bracket", "seek(-1)", "day", "the day before on which it changes", key="[ ]"
    ),
    Action("reports.later", "right_square_bracket", "seek(1)", "day", "the next day on which it changes", shown=False),
    Action("reports.day_back", "less_than_sign", "day(-1)", "day", "a day earlier", shown=False),
    Action("reports.day_on", "greater_than_sign", "day(1)", "day", "a day later", shown=False),
    Action("reports.date", "t", "date", "date", "go to a date of the report", shown=False),
    FILTER,
)
IMPORT = (
    Action("import.pick", "o", "pick", "open files", "choose files to bring in; what they are is told by content"),
    Action("import.paste", "p", "paste", "paste", "paste a handshake or a PEM chain"),
    Action("import.say", "enter", "say", "belongs to", "say which app and version, or which host, a file belongs to"),
    Action("import.state", "t", "state", "state", "state what the counts do not say: unit, opt-in, builds, columns"),
    Action("import.drop", "d", "drop", "take out", "take the file under the cursor out of the list"),
    Action("import.write", "w", "write", "write", "write exactly what is shown, after one more question"),
    Action("import.observe", "O", "observe", "hosts", "shake hands with every host of the policy and compare"),
)
START = (
    Action("start.pick", "o", "pick", "open files", "choose files; what they are is told by content"),
    Action("start.paste", "p", "paste", "paste", "paste a handshake, a chain or a key"),
    Action("start.git", "t", "git", "git tags", "one release for each tag of a git repository"),
    Action("start.folder", "f", "dated", "folder", "one release for each file of a folder of dated files"),
    Action("start.say", "enter", "say", "of which app", "say which app and version a pin file shipped with"),
    Action("start.app", "A", "app", "app", "add an app that has no file, with its client technology", shown=False),
    Action("start.code", "c", "confirm", "code", "take pins that were found in code", shown=False),
    Action("start.drop", "d", "drop", "take out", "take the line under the cursor out"),
    Action("start.write", "w", "write", "write", "write exactly the policy that is shown"),
    Action("start.leave", "q,ctrl+q", "leave", "quit", "leave without a policy", key="q"),
    Action("start.keys", "question_mark,f1", "keys", "keys", "every key", key="?"),
)
MECHANISMS = (
    Action("mechanisms.others", "o", "others", "others", "show those that this policy does not use, or leave them out"),
    Action("mechanisms.open", "enter", "open", "open", "read about the client technology under the cursor"),
    FILTER,
)
THREATS = (
    Action("threats.left", "left,h", "pins(-1)", "pins", "the kind of pin to the left", key="left/right"),
    Action("threats.right", "right,l", "pins(1)", "pins", "the kind of pin to the right", shown=False),
    Action("threats.host", "right_square_bracket", "host", "next host", "the next host that serves something"),
    FILTER,
)
EMERGENCY = (
    Action("emergency.ask", "o", "ask", "what happened", "say what happened: a serial, a host, a key, a certificate"),
    Action("emergency.suspect", "c", "suspect", "key out?", "say whether the private key is suspected"),
    Action("emergency.why", "enter", "read", "why", "where the numbers of the response come from"),
    Action("emergency.list", "d", "list", "to do", "what is to do by latest start, and the responses again"),
    Action("emergency.promote", "p", "promote", "promote", "promote what the response serves, take the stolen key out"),
    Action("emergency.tick", "space", "tick", "done", "tick off what was done; K keeps it in the report"),
    Action("emergency.earlier", "less_than_sign", "scrub(-1)", "hour", "look earlier", key="< >"),
    Action("emergency.later", "greater_than_sign", "scrub(1)", "hour", "look later", shown=False),
    Action("emergency.previous", "left_square_bracket", "turn(-1)", "event", "look at what happens before", key="[ ]"),
    Action("emergency.next", "right_square_bracket", "turn(1)", "event", "look at what happens next", shown=False),
    Action("emergency.nearer", "plus", "zoom_time(-1)", "nearer", "time nearer: weeks, days, hours", shown=False),
    Action("emergency.farther", "minus", "zoom_time(1)", "farther", "time farther: hours, days, weeks", shown=False),
    Action("emergency.now", "t", "now", "now", "look at the moment it happened", shown=False),
    Action("emergency.all", "v", "all", "all of it", "read the whole answer, as rotator now prints it", shown=False),
    Action("emergency.clock", "C", "clock", "CA clock", "say in how long the CA revokes", shown=False),
    Action("emergency.keep", "K", "keep", "keep", "keep the answer and what was ticked off as a report", shown=False),
    FILTER,
)
HELP = {
    "home": HOME,
    "fleet": FLEET,
    "whatif": WHATIF,
    "plan": PLAN,
    "export": EXPORT,
    "reports": REPORTS,
    "import": IMPORT,
    "mechanisms": MECHANISMS,
    "threats": THREATS,
    "emergency": EMERGENCY,
}
"""The actions of each screen, by its place."""


def everything() -> list[Action]:
    """Give every action once."""
    found = [action for place in HELP.values() for action in place]
    return list({action.id: action for action in (*EVERYWHERE, *PANES, *found, *LIST, *KNOBS)}.values())
