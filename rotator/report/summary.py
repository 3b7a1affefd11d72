"""The one-page summary: ASCII, 80 columns, under 50 lines; the order is the contract.

Attention, what we hold, if it happened today, to do by date, next safe step, calendar, what the numbers stand on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rotator.checks.capability import Capability
from rotator.errors import printable
from rotator.model.findings import Finding, Severity
from rotator.model.names import some
from rotator.model.policy import Policy
from rotator.model.verdicts import Reason
from rotator.report.document import number, percent, span
from rotator.report.text import pad, to_ascii, wrap
from rotator.simulate.fleet import Fleet
from rotator.simulate.impact import Impact, Row
from rotator.simulate.inventory import Inventory
from rotator.simulate.standard import IfRow
from rotator.simulate.totals import Total

WIDTH = 78
"""Two cells less than a terminal has: the planner shows the page beside a cursor and a scroll bar."""
MOST_LINES = 49
ROWS = 5
"""The questions that are answered for today."""
MOST = ((5, 4), (4, 4), (3, 4), (3, 3), (2, 3), (2, 2), (1, 1))
"""Things to do and dates shown: the first pair with which the page is short enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A key that is served: by which chain, issued by whom, until when."""

    key: str
    chain: str
    issuer: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Serving a backup today: whom it would break."""

    key: str
    broken: Total
    safe: bool


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Everything the page says, computed.

    Attributes:
        carried: by key, the clients whose pins in force hold it.
        steps: what serving each backup today would do.
        dates: dated lines of the calendar, soonest first.
    """

    version: str
    file: str
    now: datetime
    inventory: Inventory
    fleet: Fleet
    today: Impact
    served: tuple[Served, ...]
    backups: tuple[Capability, ...]
    carried: dict[str, Total]
    ifs: tuple[IfRow, ...]
    findings: tuple[Finding, ...]
    steps: tuple[Step, ...]
    dates: tuple[tuple[date, str], ...]

    @property
    def to_do(self) -> tuple[Finding, ...]:
        """Give the findings that want something done, those with a date first."""
        todo = [f for f in self.findings if f.severity is not Severity.INFO]
        return tuple(sorted(todo, key=lambda f: (f.due or date.max, f.severity.rank)))


@dataclass(frozen=True, slots=True)
class PageLine:
    """A line of the page: its text, the section it stands in, and which of that section's items it is about."""

    text: str
    section: str = ""
    item: int = -1


def render(summary: Summary) -> str:
    """Write the page, short enough to be one."""
    lines: list[PageLine] = []
    for to_do, dates in MOST:
        lines = page(summary, to_do, dates)
        if len(lines) <= MOST_LINES:
            break
    return to_ascii("\n".join(line.text for line in lines)) + "\n"


def page(summary: Summary, to_do: int, dates: int) -> list[PageLine]:
    """Write the lines of the page.

    Args:
        summary: what it says.
        to_do: the things to do that are shown.
        dates: the dates that are shown.
    """
    sections: tuple[tuple[str, Iterable[str]], ...] = (
        ("head", [_head(summary)]),
        ("attention", _attention(summary)),
        ("hold", _hold(summary)),
        ("if", _ifs(summary)),
        ("to do", _to_do(summary, to_do)),
        ("next", _next(summary)),
        ("calendar", _calendar(summary, dates)),
        ("stands on", _stand_on(summary)),
        ("end", _end(summary)),
    )
    found: list[PageLine] = []
    for name, lines in sections:
        if found:
            found.append(PageLine(""))
        item = -1
        for place, line in enumerate(lines):
            if _begins(name, place, line):
                item += 1
            found.append(PageLine(printable(line.rstrip()), name, item))
    return found


def _begins(section: str, place: int, line: str) -> bool:
    """Say whether a line begins another item of its section; the first line of a section with items is its title."""
    if section == "hold":
        return line[2:3] != " "
    if section == "if":
        return 0 < place <= ROWS
    if section == "to do":
        return place > 0 and line[2:3].isdigit()
    return section in ("next", "calendar") and place > 0 and line[2:3] != " "


def _head(summary: Summary) -> str:
    """Give the first line; a long path makes the date shorter, then loses its own beginning."""
    file, digest = summary.file, f"(sha256 {summary.inventory.digest[:8]})"
    for form in ("%A %d %B %Y", "%d %b %Y"):
        day = summary.now.strftime(form).lstrip("0").replace(" 0", " ")
        line = f"Rotator {summary.version}   {file} {digest}   {day}"
        if len(line) <= WIDTH:
            return line
    return line.replace(file, "..." + file[len(line) - WIDTH + 3 :])


def _attention(summary: Summary) -> list[str]:
    todo = summary.to_do
    if not todo:
        return ["ATTENTION: nothing to do."]
    dated = [f.due for f in todo if f.due is not None]
    things = f"{len(todo)} thing{'s' if len(todo) != 1 else ''} to do"
    when = f", {sum(1 for d in dated if d == min(dated))} of them by {min(dated)}" if dated else ", none with a date"
    return [f"ATTENTION: {things}{when}."]


def _policy(summary: Summary, room: int) -> str:
    """Name the file in a command that is shown, where there is room for it."""
    return summary.file if len(summary.file) <= room else "POLICY"


def _labelled(label: str, text: str) -> list[str]:
    return wrap(text, WIDTH, " " * 12, pad(f"  {label}", 12))


def _hold(summary: Summary) -> Iterator[str]:
    policy = summary.inventory.policy
    releases = len({(c.app, c.version) for c in summary.fleet.cohorts if c.clients is None or c.clients.high})
    apps, hosts = len(policy.apps), len(policy.hosts)
    yield from _labelled(
        "Apps",
        f"{some(list(policy.apps), 3)}{': ' if policy.apps else ''}{_some(apps, 'app')}, "
        f"{_some(releases, 'release')} in use, "
        f"{_some(hosts, 'host')}",
    )
    yield from _labelled("Users", _users(summary, policy))
    for served in summary.served[:2]:
        text = f"{served.key} by {served.chain}, issued by {served.issuer}, ends {served.until}"
        yield from _labelled("Serving", text)
    if not summary.served:
        yield from _labelled("Serving", "no key of this policy")
    for backup in summary.backups[:2]:
        state = "USABLE" if backup.usable else "NOT USABLE: " + ", ".join(backup.failures)
        good = "exists, proved, kept apart: " if backup.usable and not backup.custody_unknown else ""
        yield from _labelled("Backup", f"{backup.key}: {good}{state}")
    if not summary.backups:
        yield from _labelled("Backup", "none")
    parts = [f"{key} is pinned by {percent(total.share)} of users" for key, total in summary.carried.items()]
    if summary.fleet.population is None:
        parts = [f"{key} by an unknown share" for key in summary.carried]
    yield from _labelled("Carried", some(parts, 3) or "no key of this policy is pinned")


def _some(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _users(summary: Summary, policy: Policy) -> str:
    whole = summary.fleet.population
    if whole is None:
        if summary.fleet.mixed:
            return "not added: the apps are counted in unlike units"
        return f"unknown: no counts yet. Verdicts are by version. rotator fleet {_policy(summary, 40)} FILE"
    units = sorted({c.unit for c in summary.fleet.cohorts if c.unit})
    bases = sorted({c.basis for c in summary.fleet.cohorts})
    measured = f", as of {policy.oldest_count}" if policy.oldest_count else ""
    said = f" ({some(bases, 3)}{measured})" if bases else ""
    return f"{span(whole.low, whole.high)} {some(units, 2) or 'clients'}{said}"


def _ifs(summary: Summary) -> Iterator[str]:
    yield pad("IF IT HAPPENED TODAY", 38) + pad("users broken", 20) + "users exposed"
    for row in summary.ifs:
        shown = _fit(row.label, 35)
        yield pad(f"  {shown}", 38) + pad(_total(row.broken) + " ", 20) + _total(row.exposed)
    worst = max(summary.ifs, key=lambda r: r.broken.high or 0, default=None)
    if worst is not None and not worst.broken.none:
        broken = list(worst.breaking)
        names = some([_named(r) for r in _distinct(broken)], 3)
        reasons = list(dict.fromkeys(r.reason for r in broken))
        lacking = worst.without and reasons == [Reason.PIN_MISMATCH]
        why = f"they do not carry {worst.without}" if lacking else some(reasons, 3)
        yield from wrap(f"Worst broken: {names}: {why}.", WIDTH, "  ")[:3]


def _distinct(rows: Sequence[Row]) -> list[Row]:
    return list({row.connection.cohort: row for row in rows}.values())


def _named(row: Row) -> str:
    clients = row.connection.cohort.clients
    return row.connection.cohort.name + ("" if clients is None else f" {number(clients.high)}")


def _total(total: Total) -> str:
    if total.none:
        return "0"
    if total.high is None:
        return "some, not known"
    return f"{number(total.high)}  ({percent(total.share)})"


def _to_do(summary: Summary, most: int) -> Iterator[str]:
    yield "TO DO"
    todo = summary.to_do
    for index, finding in enumerate(todo[:most], 1):
        when = f"by {finding.due}" if finding.due else "any time"
        head = f"  {index}  {pad(str(finding.severity), 8)} {pad(when, 14)} {finding.id}  {finding.subject}"
        yield _fit(head, WIDTH)
        yield from (_fit(line, WIDTH) for line in _two(wrap(finding.message, WIDTH, " " * 14)))
    if len(todo) > most:
        yield f"  and {len(todo) - most} more: rotator check {_policy(summary, 40)}"
    if not todo:
        yield "  nothing"


def _two(lines: list[str]) -> list[str]:
    return lines if len(lines) <= 2 else [lines[0], lines[1][: WIDTH - 3] + "..."]


def _fit(text: str, width: int) -> str:
    text = printable(text)
    return text if len(text) <= width else text[: width - 3] + "..."


def _next(summary: Summary) -> Iterator[str]:
    yield "NEXT SAFE STEP"
    whole = summary.fleet.population
    budget = summary.inventory.policy.limits.break_budget
    for step in summary.steps[:2]:
        allowed = percent(budget) if whole is None else f"{number(whole.high * budget)} ({percent(budget)})"
        if step.safe:
            text = f"Serve {step.key}? YES: breaks {_total(step.broken)}, your budget is {allowed}."
        elif step.broken.high is None:
            text = f"Serve {step.key}? CANNOT SAY SAFE: it breaks versions whose number of users is not known."
        else:
            text = f"Serve {step.key}? NO: breaks {_total(step.broken)}, your budget is {allowed}."
        yield from wrap(text.replace("  (", " ("), WIDTH, "  ")
    if not summary.steps:
        yield "  none: there is no backup to serve"


def _calendar(summary: Summary, most: int) -> Iterator[str]:
    yield "CALENDAR"
    for day, text in summary.dates[:most]:
        yield _fit(f"  {day}  {text}", WIDTH)
    if len(summary.dates) > most:
        yield f"  and {len(summary.dates) - most} more within {summary.inventory.policy.limits.horizon_days} days"
    if not summary.dates:
        yield f"  nothing within {summary.inventory.policy.limits.horizon_days} days"


def _stand_on(summary: Summary) -> Iterator[str]:
    yield "WHAT THESE NUMBERS STAND ON"
    cohorts = summary.fleet.cohorts
    whole = sum(c.clients.high for c in cohorts if c.clients is not None)
    parts = []
    for basis in ("measured", "scaled", "assumed"):
        counted = sum(c.clients.high for c in cohorts if c.clients is not None and c.basis == basis)
        parts.append(f"{basis} {percent(counted / whole) if whole else '-'}")
    unknown = [c.name for c in cohorts if c.clients is None]
    parts.append(f"unknown: {some(unknown, 3) if unknown else 'none'}")
    text = (
        f"{', '.join(parts)}. Counts are frozen: nobody updates in these answers. Not counted: offline or tampered "
        "devices, users behind proxies the policy does not name."
    )
    yield from wrap(text, WIDTH, "  ")


def _end(summary: Summary) -> Iterator[str]:
    bad = bool(summary.to_do)
    yield f"Exit {int(bad)}: {'findings' if bad else 'fine'}. As JSON: rotator check {_policy(summary, 32)} --json"
    yield "On a terminal this opens the planner. Your own app: rotator new my.toml"
