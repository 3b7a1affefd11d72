"""Four incidents, each planned a week before it happened: what the pages tell, and what the tests hold."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rotator.model.when import parse_instant
from rotator.plan.values import Goal, Plan
from rotator.report.document import Block, Document, Heading, Table
from rotator.report.emergency import to_document as told_emergency
from rotator.report.plan import to_document
from rotator.report.text import render
from rotator.workflows.emergency import emergency
from rotator.workflows.opening import open_policy
from rotator.workflows.planning import plan
from tests.incidents.replays import HOME


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An incident, and what was asked a week before it.

    Attributes:
        title: what happened, when.
        policy: the file in `policies/incidents/`.
        today: the day on which it is asked.
        later: lines of the policy that nobody could know on that day.
        asked: the goals, each with a sentence on what comes out; a goal of None asks `rotator now`.
    """

    title: str
    policy: str
    today: str
    later: tuple[str, ...] = ()
    asked: tuple[tuple[Goal | None, str], ...]


BARCLAYS = Story(
    title="Payment terminals, Black Friday 2016",
    policy="barclays-payliquid.toml",
    today="2016-11-17T09:00Z",
    asked=(
        (
            Goal(chain="new", by=parse_instant("2016-11-24").date()),
            (
                "A week before the renewal the terminals pin the old intermediate and nothing else. Asked for the new "
                "chain in time, the answer is NEVER: nobody can follow, so the renewal must not come from the new "
                "intermediate."
            ),
        ),
        (
            Goal(chain="rescue", by=parse_instant("2016-11-24").date()),
            (
                "One more certificate from the old intermediate breaks nobody. It is what the CA issued in the end, "
                "two days into the outage; the plan asks for it six days before."
            ),
        ),
    ),
)
SMASHING = Story(
    title="Smashing Magazine, October 2016",
    policy="smashing-magazine.toml",
    today="2016-10-14T09:00Z",
    asked=(
        (
            Goal(to="www-2016"),
            (
                "The renewal was to bring a key that no header had ever named. Browsers keep a header for a year, so "
                "the plan is NEVER inside the horizon: waiting until every browser has the new header takes more than "
                "a year."
            ),
        ),
        (
            Goal(to="www-spare-1", from_="www-2015"),
            "The header had two spares. Renewing with one of them breaks nobody, the next day.",
        ),
    ),
)
DIGICERT = Story(
    title="DigiCert, July 2024: 24 hours",
    policy="digicert-cname.toml",
    today="2024-07-22T09:00Z",
    asked=(
        (
            None,
            (
                "A drill of the mail that came a week later: the CA revokes in 24 hours, and the key is sound. "
                "Whoever pins the key does not notice a reissue; whoever pins the whole certificate breaks. And the "
                "appliances take four days."
            ),
        ),
        (
            Goal(pin_to="keys"),
            (
                "Pins on keys would have it over with. The new app has them; the old one compares whole certificates "
                "and cannot say anything else, so that the plan is NEVER, and says what has to go: its client "
                "library."
            ),
        ),
    ),
)
EXPENSIFY = Story(
    title="Expensify, July 2026",
    policy="expensify.toml",
    today="2026-06-30T09:00Z",
    later=('version = "9.1"',),
    asked=(
        (
            Goal(chain="www-after", hosts=("www",), by=parse_instant("2026-07-07").date()),
            (
                "A week before the CDN changed its CA no release could have carried the new one in time: NEVER, "
                "everybody of 9.0. The CDN had to be asked to keep its CA."
            ),
        ),
        (
            Goal(pinset="all-roots"),
            (
                "Pins on the roots of every CA that the CDN may use had to ship long before. From that week on, "
                "waiting alone reaches nine in ten; who never updates is left, and a floor moves some of them."
            ),
        ),
    ),
)
STORIES = (BARCLAYS, SMASHING, DIGICERT, EXPENSIFY)
TOLD = ("STEPS", "WAYS OUT", "TO DO, BY LATEST START", "NOT COUNTED", "MISSING")


@cache
def plans(story: Story) -> tuple[Plan | None, ...]:
    """Make the plans of a story; None where `rotator now` was asked."""
    return tuple(_plan(story, goal) if goal is not None else None for goal, _ in story.asked)


def _plan(story: Story, goal: Goal) -> Plan:
    at = parse_instant(story.today)
    with tempfile.TemporaryDirectory() as folder:
        path = _as_it_was(story, Path(folder))
        return plan(open_policy(str(path), at.date()), goal, at)


def _as_it_was(story: Story, folder: Path) -> Path:
    """Write the policy as it was on the day, where it holds what came later."""
    own = HOME / story.policy
    if not story.later:
        return own
    lines = own.read_text(encoding="utf-8").splitlines(keepends=True)
    path = folder / story.policy
    path.write_text("".join(li for li in lines if not any(text in li for text in story.later)), encoding="utf-8")
    return path


def stories() -> str:
    """Tell the stories for `planning.md`, with what the program prints."""
    return "\n".join(part for story in STORIES for part in _told(story))


def _told(story: Story) -> Iterator[str]:
    yield f"### {story.title}\n"
    for (goal, text), own in zip(story.asked, plans(story), strict=True):
        yield f"{_filled(text)}\n"
        yield f"```\n$ {_command(story, goal)}"
        document = to_document(own) if own is not None else drill_of(story)
        yield "\n".join(_shown(document)) + "\n```\n"


def drill_of(story: Story) -> Document:
    """Give the answer of `rotator now` to the mail of a CA, with a sound key."""
    at = parse_instant(story.today)
    picture = open_policy(str(HOME / story.policy), at.date())
    found = emergency(picture, at, revoked="bank", suspected="no")
    return told_emergency(found, picture.policy.name or "", picture.policy.limits.exposure_weight)


def _command(story: Story, goal: Goal | None) -> str:
    words = [f"ROTATOR_TODAY={story.today}", "rotator"]
    if goal is None:
        return " ".join([*words, "now", story.policy, "--revoked bank --key-suspected no"])
    asked = {
        "--ca": goal.chain,
        "--to": goal.to,
        "--from": goal.from_,
        "--pinset": goal.pinset,
        "--pin-to": goal.pin_to,
    }
    asked |= {"--host": " ".join(goal.hosts), "--by": str(goal.by or "")}
    return " ".join([*words, "plan", story.policy, *(f"{name} {value}" for name, value in asked.items() if value)])


def _shown(document: Document) -> Iterator[str]:
    """Give the verdict, the steps, the ways out as a table, and what to do: the parts that a story needs."""
    blocks: list[Block] = []
    inside = True
    for block in document.blocks:
        if isinstance(block, Heading):
            inside = block.text.upper() in TOLD
        elif block is document.blocks[-1]:
            inside = False
        if inside and not (blocks and isinstance(blocks[-1], Table) and not isinstance(block, Heading)):
            blocks.append(block)
    yield from render(Document(title="", blocks=tuple(blocks)), width=100).strip("\n").splitlines()


def _filled(text: str) -> str:
    """Break a paragraph into lines as the page has them."""
    words, lines = text.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 138:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)
