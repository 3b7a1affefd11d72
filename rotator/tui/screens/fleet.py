"""Fleet: pinsets with their keys, clients with what they see, and what there is to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from rotator.checks.capability import Capability
from rotator.model.findings import Severity
from rotator.model.policy import Pinset
from rotator.report.document import Document, Facts, percent, span
from rotator.simulate.explain import why
from rotator.simulate.standard import served_keys
from rotator.tui.actions import FLEET
from rotator.tui.screens.base import PlannerScreen
from rotator.tui.screens.home import finding_document
from rotator.tui.screens.pages import Page
from rotator.tui.screens.why import Why
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line
from rotator.tui.widgets.matrix import Matrix
from rotator.workflows import session as sessions
from rotator.workflows.coverage import Coverage, blocks_of, coverage
from rotator.workflows.summarizing import carried


class FleetScreen(PlannerScreen):
    """What we hold."""

    place = "fleet"
    BINDINGS: ClassVar[list[BindingType]] = [action.binding for action in FLEET]
    DEFAULT_CSS = """
    FleetScreen #body { layout: grid; grid-size: 2 2; grid-columns: 46 1fr; grid-rows: 1fr 1fr; }
    FleetScreen #clients { row-span: 2; }
    FleetScreen.-narrow #body { layout: vertical; }
    FleetScreen.-narrow #pinsets { height: auto; max-height: 40%; }
    FleetScreen.-narrow #todo { height: auto; max-height: 30%; }
    """

    def panes(self) -> Iterable[Widget]:
        """Give the three panes."""
        cursor = self.planner.signs.cursor
        self.pinsets = LineTable(
            (Column("pinsets", give=True, least=18), Column("state", give=True, least=10)), cursor=cursor, id="pinsets"
        )
        self.clients = Matrix(self.planner.signs, id="clients")
        self.todo = LineTable((Column("to do"), Column("what", give=True, least=30)), cursor=cursor, id="todo")
        for table in (self.pinsets, self.clients, self.todo):
            table.add_class("pane")
            yield table
        self.keys: list[tuple[str, str]] = []

    def show_state(self) -> None:
        """Fill the panes."""
        app = self.planner
        checked, signs = app.checked, app.signs
        answer = checked.baseline
        self.status(answer)
        bad = [f for f in checked.findings if f.severity is not Severity.INFO]
        self.say(
            f"{len(bad)} thing{'' if len(bad) == 1 else 's'} to do; tab goes to the next pane. "
            "left and right go through the hosts, enter says why."
        )
        self._fill_pinsets()
        self.clients.show(answer.impact, list(app.session.picture.policy.hosts))
        self.todo.fill(
            [
                Line(
                    (f"{f.severity}", signs.text(f"{f.id}  {f.subject}: {f.message}")),
                    {"error": "breaks", "warning": "exposed"}.get(str(f.severity), "quiet"),
                )
                for f in checked.findings
            ]
            or [Line(("", "nothing to do"), "quiet")]
        )
        self._explain()

    def _fill_pinsets(self) -> None:
        app = self.planner
        policy, signs = app.session.picture.policy, app.signs
        served = served_keys(app.session.picture.inventory)
        lines: list[Line] = []
        self.keys = []
        for name, pinset in policy.pinsets.items():
            until = f"until {pinset.expires}" if pinset.expires else "no end"
            lines.append(Line((signs.text(name), until), strong=True))
            self.keys.append((name, ""))
            for role, key in _roles(pinset):
                lines.append(self._key_line(role, key, served))
                self.keys.append((name, key if role in ("primary", "backup") else ""))
        if not lines:
            lines.append(Line(("no pinsets in this policy", ""), "quiet"))
        self.pinsets.fill(lines)

    def _key_line(self, role: str, key: str, served: dict[str, list[str]]) -> Line:
        policy, signs = self.planner.session.picture.policy, self.planner.signs
        status = policy.keys[key].status if key in policy.keys else "active"
        state, style = "", ""
        if status != "active":
            state, style = status, "breaks"
        elif role == "primary":
            state = f"served by {', '.join(served[key])}" if key in served else "not served"
            style = "ok" if key in served else "exposed"
        elif role == "backup":
            capability = self._capability(key)
            usable = capability is None or capability.usable
            state = "usable" if usable else "NOT usable"
            style = "ok" if usable else "exposed"
        return Line((signs.text(f"  {role} {key}"), signs.text(state)), style)

    def _capability(self, key: str) -> Capability | None:
        return next((c for c in self.planner.capabilities if c.key == key), None)

    @on(LineTable.Moved)
    def _explain(self) -> None:
        if self.focused is self.clients or not self.pinsets.has_focus:
            self._explain_client()
        if self.pinsets.has_focus:
            self._explain_pinset()
        if self.todo.has_focus:
            self._explain_finding()

    def _explain_client(self) -> None:
        answer = self.planner.checked.baseline
        index = self.clients.row()
        if index is not None:
            row = answer.impact.rows[index]
            demands = "; ".join(row.connection.demands)
            place = f"{row.connection.cohort.name} on {row.connection.host}"
            self.why(f"{place}: {why(row, answer.inventory)}. Demands {demands}")
        elif self.clients.hosts and self.clients.groups:
            self.why(
                f"this cohort does not use {self.clients.hosts[self.clients.side]}; left and right choose the host"
            )

    def _explain_pinset(self) -> None:
        if not 0 <= self.pinsets.index < len(self.keys):
            self.why("")
            return
        name, key = self.keys[self.pinsets.index]
        if not key:
            pinset = self.planner.session.picture.policy.pinsets[name]
            keys = len(pinset.keys) + len(pinset.authorities) + len(pinset.certificates)
            self.why(
                f"pinset {name} holds {keys} pins; p on a backup promotes it, x on a key marks it stolen", head="PINS"
            )
            return
        capability = self._capability(key)
        text = f"{key}: p promotes it, x marks it stolen"
        if capability is not None:
            failing = ", ".join(capability.failures)
            text = f"{key}: {failing or 'exists, proved, kept apart, certifiable'}; p promotes it"
        self.why(text, head="KEY")

    def _explain_finding(self) -> None:
        findings = self.planner.checked.findings
        if 0 <= self.todo.index < len(findings):
            finding = findings[self.todo.index]
            self.why(f"{finding.message}. {finding.hint}", head="TO DO")

    def on_descendant_focus(self) -> None:
        """Say what the line under the cursor of the pane with the keys means."""
        self._explain()

    # --- actions -----------------------------------------------------------------------------------------------

    def _key(self) -> str:
        return self.keys[self.pinsets.index][1] if 0 <= self.pinsets.index < len(self.keys) else ""

    def action_promote(self) -> None:
        """Make the key under the cursor the primary."""
        key = self._key()
        if not key:
            self.notify("put the cursor on a backup key first", markup=False)
            return
        app = self.planner
        said = f"{key} is the primary now: 4 shows what to write, u takes it back"
        app.attempt(lambda: sessions.promote_key(app.session, key)[0], said)

    def action_stolen(self) -> None:
        """Mark the key under the cursor as compromised and promote the first usable backup in its place."""
        key = self._key()
        if not key:
            self.notify("put the cursor on a key first", markup=False)
            return
        app = self.planner
        pinsets = app.session.picture.policy.pinsets.values()
        backups = [b for p in pinsets if key in p.primary for b in p.backups if b != key]
        usable = [b for b in backups if (c := self._capability(b)) is None or c.usable]
        end = "4 shows what to write, u takes it back"
        if usable or backups:
            instead = (usable or backups)[0]
            said = f"{key} is taken out, {instead} is the primary now: {end}"
            app.attempt(lambda: sessions.promote_key(app.session, instead, (key,))[0], said)
        else:
            said = f"{key} is marked compromised; no backup can take over: {end}"
            app.attempt(lambda: sessions.mark_key(app.session, key, "compromised"), said)

    def alarming(self) -> str:
        """Give the key under the cursor."""
        return self._key()

    def action_why(self) -> None:
        """Say where what is under the cursor comes from: a cell, a key, something to do."""
        app = self.planner
        if self.todo.has_focus and 0 <= self.todo.index < len(app.checked.findings):
            app.push_screen(Page(finding_document(app.checked.findings[self.todo.index]), app.signs))
        elif self.pinsets.has_focus and (key := self._key()):
            self._ask_over_time(key)
        else:
            app.push_screen(Why(app.checked.baseline, app.signs, row=self.clients.row()))

    def _ask_over_time(self, key: str) -> None:
        """Work out, beside the drawing, how many carry a key over the next year, then show what is known of it."""
        app = self.planner
        picture, now, signs = app.session.picture, app.session.now, app.signs
        known = self._key_document(key)
        width = min(100, self.size.width - 6)

        def told(found: Coverage) -> None:
            over_time = blocks_of(found, width=width, ascii_only=signs.ascii_only)
            app.push_screen(Page(Document(known.title, (*known.blocks, *over_time)), signs))

        self.work(f"who carries {key} over a year", lambda: coverage(picture, key, now), told)

    def _key_document(self, key: str) -> Document:
        """Write what is known of a key: where it is served and pinned, who carries it, whether it could take over."""
        app = self.planner
        picture, answer = app.session.picture, app.checked.baseline
        policy, own = picture.policy, picture.policy.keys[key]
        served = served_keys(picture.inventory).get(key, [])
        named = [name for name, pinset in policy.pinsets.items() if key in (*pinset.primary, *pinset.backups)]
        total = carried(answer, key)
        share = "unknown" if total.share is None else f"{percent(total.share)} of users"
        capability = self._capability(key)
        pairs = [
            ("status", own.status),
            ("served by", ", ".join(served) or "no host"),
            ("in pinsets", ", ".join(named) or "none"),
            ("carried by", f"{span(total.low, total.high)}, {share}"),
            ("kept", own.custody or "unknown"),
            ("proved", own.proved.isoformat() if own.proved is not None else "never"),
        ]
        if capability is not None:
            pairs.append(("can take over", "yes" if capability.usable else "no: " + ", ".join(capability.failures)))
        return Document(f"key {key}", (Facts(tuple(pairs)),))

    def as_text(self) -> str:
        """Give the summary."""
        from rotator.report.summary import render

        return render(self.planner.summarized())


def _roles(pinset: Pinset) -> Iterable[tuple[str, str]]:
    yield from (("primary", key) for key in pinset.primary)
    yield from (("backup", key) for key in pinset.backups)
    yield from (("authority", name) for name in pinset.authorities)
    yield from (("certificate", name) for name in pinset.certificates)
