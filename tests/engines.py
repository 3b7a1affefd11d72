"""Hold the fleet engine against the judge, on everything both of them say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from rotator.model.adoption import Curve
from rotator.model.pki import Certificate, TrustStore
from rotator.model.rules import Rule
from rotator.model.verdicts import Verdict
from rotator.report.simulation import to_document, to_json
from rotator.simulate.asked import as_asked
from rotator.simulate.budget import breaches
from rotator.simulate.engine.engine import Engine
from rotator.simulate.engine.moving import Moves
from rotator.simulate.engine.sight import Seen, Sight
from rotator.simulate.grammar import Occurrence
from rotator.simulate.impact import BROKEN, EXPOSED, Answer, Impact, day_hits, day_totals
from rotator.simulate.judgement import Judgement, Side, Situation
from rotator.simulate.question import Desk, Picture, Question, ask, expiries
from rotator.simulate.scene import Judges
from rotator.simulate.timeline import Timeline, check_names
from rotator.simulate.timeline import happenings as in_order


class OneByOne(Judges):
    """Judges that ask about every rule anew and share no answer."""

    def judge(
        self,
        rule: Rule,
        sent: tuple[Certificate, ...],
        name: str,
        trust: TrustStore,
        situation: Situation,
        side: Side,
    ) -> Judgement:
        return self.answer(rule, sent, name, trust, situation, side)


TOTALS = ("ok", "unpinned", "broken", "exposed", "lost")


def seen(impact: Impact) -> dict[int, Seen]:
    """Give what the judge says of each connection."""
    return {
        row.connection.index: Seen(row.verdict, row.reason, row.attacker_reason, row.pin_in_force, row.unsure)
        for row in impact.rows
    }


def same(sight: Sight, impact: Impact) -> None:
    """Hold the engine against the judge on everything both say."""
    told = {index: sight.seen(index) for index in range(len(impact.fleet.connections))}
    assert {index: own for index, own in told.items() if own is not None} == seen(impact)
    for name in TOTALS:
        assert getattr(sight, name) == getattr(impact, name), name
    for cohort in {(c.app, c.trust) for c in impact.fleet.cohorts}:
        app, trust = cohort
        for verdicts in ((Verdict.BREAKS, Verdict.LOST), (Verdict.EXPOSED, Verdict.LOST)):
            assert sight.total(*verdicts, app=app) == impact.total(*verdicts, app=app)
            assert sight.total(*verdicts, app=app, trust=trust) == impact.total(*verdicts, app=app, trust=trust)
    assert sight.reasons() == Counter((r.verdict, r.reason, r.attacker_reason) for r in impact.rows)


def same_in_the_judges_form(found: Impact, impact: Impact) -> None:
    """Hold what the engine gives in the judge's form against the judge: rows in their order, and all that is asked."""
    assert len(found.rows) == len(impact.rows)
    assert told(found) == told(impact)
    assert list(found.groups()) == list(impact.groups())
    assert dict(found.worst_of()) == dict(impact.worst_of())
    for each in (False, True):
        assert list(found.words(each=each)) == list(impact.words(each=each))
    for n, group in enumerate(impact.groups()):
        assert found.groups().find(group.who) == impact.groups().find(group.who) <= n
    worst, other = found.largest_break, impact.largest_break
    assert (worst and worst.connection) == (other and other.connection)
    assert (found.hosts, found.in_doubt, found.exposed_by) == (impact.hosts, impact.in_doubt, impact.exposed_by)
    assert [found.count(v) for v in Verdict] == [impact.count(v) for v in Verdict]
    for verdicts in (BROKEN, EXPOSED):
        assert found.hit(*verdicts) == impact.hit(*verdicts)
    for name in TOTALS:
        assert getattr(found, name) == getattr(impact, name), name


def same_answer(own: Picture, question: Question, calendar: Sequence[Occurrence] = ()) -> None:
    """Hold what `simulate` says by the engine against what it says by the judge: all of it, the words too."""
    judged, quick = (ask(own, question, calendar, desk=Desk(own, quick=quick)) for quick in (False, True))
    assert to_json(quick) == to_json(judged)
    assert to_document(quick) == to_document(judged)
    for found, impact in zip((quick.impact, *quick.window), (judged.impact, *judged.window), strict=True):
        assert list(breaches(found, quick.inventory)) == list(breaches(impact, judged.inventory))
        for name in TOTALS:
            assert dict(_counted(found, name)) == dict(_counted(impact, name))


def _counted(impact: Impact, name: str) -> Iterator[tuple[int, bool]]:
    return ((connection.index, sure) for connection, sure in impact.counted(name))


def told(impact: Impact) -> list[object]:
    """Give all that the judge says of each row, the why too; which of two pins on one certificate is chance."""
    return [
        (row.connection.index, row.verdict, row.unsure, *(_without_pin(own) for own in (row.ours, row.attacker) if own))
        for row in impact.rows
    ]


def _without_pin(answer: Answer) -> Answer:
    return replace(answer, judgement=replace(answer.judgement, pin=None))


def hold(
    own: Picture, events: tuple[Occurrence, ...], at: datetime, days: int = 200, *, otherwise: Curve | None = None
) -> None:
    """Hold one engine against one judge at every instant of a window at which an answer may change."""
    check_names(events, own.policy)
    order = in_order(events, at, own.policy)
    asked = as_asked(own.inventory, own.material, own.context, own.digest, order)
    people = asked.forecast(own.table, at.date(), otherwise=otherwise)
    fleet = people.fleet_at(at)
    engine, judges, moves = Engine(asked.inventory, people.fleet), OneByOne(asked.inventory), Moves(people)
    shared = Judges(asked.inventory)
    timeline = Timeline(asked.inventory, order)
    sights, impacts = [], []
    for instant in timeline.instants(at, at + timedelta(days=days), expiries(fleet, asked.inventory)):
        world = timeline.world_at(instant)
        then = people.fleet_at(instant)
        moved = moves.fleet_at(instant)
        assert [c.clients for c in moved.cohorts] == [c.clients for c in then.cohorts]
        assert moved.population == then.population
        same_in_the_judges_form(engine.impact(moved, world, instant), judges.impact(then, world, instant))
        sights.append(engine.sight(world, instant, then))
        impacts.append(judges.impact(then, world, instant))
        same(sights[-1], impacts[-1])
        same_in_the_judges_form(engine.impact(then, world, instant), impacts[-1])
        assert told(shared.impact(then, world, instant)) == told(impacts[-1])
    last = people.fleet_at(at + timedelta(days=days))
    assert engine.day_totals(sights, last) == day_totals(day_hits(impacts), last)
