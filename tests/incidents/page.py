"""Write the page of the incidents from what the program says of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rotator.model.findings import Finding
from rotator.report.document import number
from rotator.simulate.impact import Row
from tests.incidents.replays import Incident, Moment, incidents


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Write a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def overview() -> str:
    """Give one line for each incident."""
    rows = []
    for incident in incidents():
        warned = ", ".join(f"`{name}`" for name in incident.warned)
        kind = "control" if incident.control else ""
        rows.append(
            (str(incident.number), f"[{incident.title}](#{anchor(incident)})", kind, warned or "nothing to warn of")
        )
    return table(("#", "incident", "", "`check` a week before"), rows)


def anchor(incident: Incident) -> str:
    """Give the anchor of an incident's section as Markdown makes it from the heading."""
    kept = "".join(c for c in heading(incident).casefold() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


def heading(incident: Incident) -> str:
    """Give the heading of an incident's section."""
    return f"{incident.number}. {incident.title}"


def sections() -> str:
    """Give a section for each incident: what happened, what is played, what comes out, what was said before."""
    return "\n\n".join("\n\n".join(_section(incident)) for incident in incidents())


def _section(incident: Incident) -> Iterator[str]:
    yield f"## {heading(incident)}"
    yield incident.happened
    yield f"**Rule:** {incident.rule}" + (" A positive control." if incident.control else "")
    for moment in incident.moments:
        yield "```sh\n" + _command(incident, moment) + "\n```"
        yield table(("who", "host", "clients (invented)", "verdict", "why"), [_row(r) for r in _rows(incident, moment)])
    yield f"`ROTATOR_TODAY={incident.week_before} rotator check policies/incidents/{incident.policy}.toml` says:"
    yield table(("severity", "id", "what"), [_finding(f, incident) for f in incident.findings()])


def _command(incident: Incident, moment: Moment) -> str:
    at = f"{moment.at:%Y-%m-%dT%H:%MZ}"
    return f"rotator simulate policies/incidents/{incident.policy}.toml --scenario {moment.scenario} --at {at}"


def _rows(incident: Incident, moment: Moment) -> list[Row]:
    return list(incident.play(moment).impact.rows)


def _row(row: Row) -> tuple[str, ...]:
    clients = row.connection.cohort.clients
    attacker = f", attacker: {row.attacker_reason}" if row.attacker_reason else ""
    return (
        row.connection.cohort.name,
        row.connection.host,
        "?" if clients is None else number(clients.high),
        f"`{row.verdict}`",
        f"{row.reason}{attacker}",
    )


def _finding(finding: Finding, incident: Incident) -> tuple[str, ...]:
    name = f"`{finding.id}`"
    return str(finding.severity), f"**{name}**" if finding.id in incident.warned else name, finding.message
