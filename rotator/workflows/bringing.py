"""Bring files to a policy that is there: counts, shipped pin files and chains, each told by its content.

The same as `rotator fleet`, `rotator new --from-folder` and `rotator observe HOST=FILE` do, first shown, then written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from rotator.errors import Problem, UsageError
from rotator.files.handshake import Net
from rotator.model.findings import Severity
from rotator.model.names import certificate_covers
from rotator.model.versions import version_in
from rotator.report import sightings as seen_said
from rotator.report.document import Block, Bullets, Code, Document, Heading, Paragraph
from rotator.simulate.question import Picture
from rotator.workflows import counting
from rotator.workflows.adding import Added, plan_add, write_added
from rotator.workflows.inputs import Given
from rotator.workflows.observing import Observed, Wish, keep, look
from rotator.workflows.recognising import Kind, Recognised, recognise
from rotator.workflows.stating import Beside, stated

SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A file that a person brought.

    Attributes:
        file: where it lies, `-` for what was pasted.
        data: what it holds.
        what: what it was recognised as.
        app, version: what a person said it belongs to, "" for nothing.
        host: for a chain, the host that sent it.
    """

    file: str
    data: bytes
    what: Recognised
    app: str = ""
    version: str = ""
    host: str = ""


@dataclass(frozen=True, kw_only=True)
class Bringing:
    """What bringing the files of one kind means, as shown before anything is written.

    Attributes:
        kind: counts, pin files or chains.
        document: the same for people.
        writes: how many files would be written; 0 where there is nothing to write.
        refused: why it is refused, "" when it is not.
    """

    kind: Kind
    document: Document
    writes: int
    refused: str = ""
    counts: counting.Import | None = None
    added: Added | None = None
    observed: Observed | None = None
    paths: tuple[str, ...] = field(default=())


def bring(data: bytes, file: str, picture: Picture, today: date) -> Brought:
    """Tell what a file is, and what it belongs to as far as that is certain."""
    what = recognise(data, file, today)
    app = version = host = ""
    if what.kind is Kind.PINS:
        fitting = [name for name, own in picture.policy.apps.items() if what.mechanism in own.mechanism]
        app = fitting[0] if len(fitting) == 1 else ""
        found = version_in(Path(file).stem) or version_in(Path(file).parent.name)
        version = found[1] if found is not None else ""
    if what.kind is Kind.CHAIN:
        host = _host_of(data, file, picture)
    return Brought(file=file, data=data, what=what, app=app, version=version, host=host)


def _host_of(data: bytes, file: str, picture: Picture) -> str:
    """Give the host whose name the leaf of a chain is for; "" where it is none, or several."""
    from rotator.files import pem

    loaded = pem.load_certificates(data, file)
    leaf = pem.link(loaded)[loaded[0].value]
    policy = picture.policy
    fitting = [
        label
        for label in policy.hosts
        if any(
            certificate_covers(name, dns_names=leaf.dns_names, ip_names=leaf.ip_names)
            for name in policy.host_names(label)
        )
    ]
    return fitting[0] if len(fitting) == 1 else ""


def plan(
    file: str, picture: Picture, brought: Sequence[Brought], kind: Kind, beside: Beside | None, now: datetime, net: Net
) -> Bringing:
    """Work out what the files of one kind mean for a policy; nothing is written.

    Args:
        file: the policy file.
        picture: the policy, open.
        brought: the files; those of other kinds are left alone.
        kind: which of them.
        beside: what is stated beside counts.
        now: the instant.
        net: the network; nothing is asked of it, since chains come from files.

    Raises:
        RotatorError: they cannot be used, in words for people.
    """
    own = [one for one in brought if one.what.kind is kind]
    if kind is Kind.COUNTS:
        return _counts(file, picture, own, beside or Beside(stated=stated()), now)
    if kind is Kind.PINS:
        return _pins(file, own, now.date())
    if kind is Kind.CHAIN:
        return _chains(picture, own, now, net)
    raise UsageError(Problem(own[0].what.words if own else "nothing to bring", file=own[0].file if own else ""))


def _counts(file: str, picture: Picture, own: Sequence[Brought], beside: Beside, now: datetime) -> Bringing:
    given = [Given(file=one.file, data=one.data, app=one.app) for one in own]
    found = counting.plan_import(file, picture, given, beside.stated, beside.columns, now)
    return Bringing(
        kind=Kind.COUNTS,
        document=counting.to_document(found),
        writes=sum(1 for change in found.files if change.changed),
        refused="; ".join(f"{p.message}{f' ({p.hint})' if p.hint else ''}" for p in found.refused),
        counts=found,
    )


def _pins(file: str, own: Sequence[Brought], today: date) -> Bringing:
    without = [one.file for one in own if not (one.app and one.version)]
    if without:
        raise UsageError(
            [
                Problem("nobody said which app and version it shipped with", file=name, expected="APP:VERSION")
                for name in without
            ]
        )
    given = [
        Given(file=one.file, data=one.data, app=one.app, version=one.version, mechanism=one.what.mechanism)
        for one in own
    ]
    added = plan_add(file, given, today)
    many = len(added.releases)
    head = f"{many} new release{'' if many == 1 else 's'}" if added.changed else "Nothing new: the policy has these."
    blocks: list[Block] = [Paragraph(head, strong=True)]
    if added.notes:
        blocks += [Heading("notes"), Bullets(added.notes)]
    if added.changed:
        blocks += [Heading("change of the policy"), Code(added.difference)]
    return Bringing(
        kind=Kind.PINS, document=Document("shipped pin files", tuple(blocks)), writes=int(added.changed), added=added
    )


def _chains(picture: Picture, own: Sequence[Brought], now: datetime, net: Net) -> Bringing:
    without = [one.file for one in own if not one.host]
    if without:
        raise UsageError(
            [Problem("nobody said which host sent this chain", file=name, expected="a host") for name in without]
        )
    wishes = [Wish(host=one.host, file=one.file, data=one.data) for one in own]
    observed = look(picture, wishes, now, net, SECONDS, lambda *_: None)
    return Bringing(
        kind=Kind.CHAIN, document=observed_document(picture, observed), writes=len(observed.raw), observed=observed
    )


def observed_document(picture: Picture, observed: Observed) -> Document:
    """Write what was seen for people."""
    return seen_said.to_document(picture.inventory, observed.sightings, observed.findings, observed.agreeing)


def bad(observed: Observed) -> int:
    """Count what was seen that is a warning or worse."""
    return sum(1 for finding in observed.findings if finding.severity.rank <= Severity.WARNING.rank)


def carry_out(file: str, bringing: Bringing, today: date) -> list[Path]:
    """Write exactly what was shown.

    Raises:
        RotatorError: it is refused, a file changed meanwhile, or cannot be written.
    """
    if bringing.counts is not None:
        return counting.write_import(file, bringing.counts)
    if bringing.added is not None:
        write_added(bringing.added, today)
        return [bringing.added.path] if bringing.added.changed else []
    return keep(file, bringing.observed) if bringing.observed is not None else []
