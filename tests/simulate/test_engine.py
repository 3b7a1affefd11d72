"""The fleet engine on the sample policies, on replays of incidents, and where drawn policies seldom come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from rotator.model.pins import spki_pin
from rotator.model.rules import Base, Clause, Rule, Scope, Usage
from rotator.simulate.alike import is_mask_rule
from rotator.simulate.engine.engine import Engine
from rotator.simulate.engine.rulebook import RuleBook
from rotator.simulate.engine.told import Told
from rotator.simulate.fleet import fleet_of
from rotator.simulate.grammar import Occurrence, parse_event
from rotator.simulate.judgement import Judgement, Side, Situation
from rotator.simulate.question import LARGE_FOR_DAYS, Picture, Question, ask
from rotator.simulate.scene import Judges
from rotator.simulate.standard import served_keys
from rotator.simulate.timeline import Timeline, from_row
from rotator.workflows.opening import open_policy
from rotator.workflows.simulating import calendar
from tests.desk import BASE, NOW, TODAY, Desk, app
from tests.engines import hold, same_answer
from tests.minting import pin_text

POLICIES = Path(__file__).resolve().parents[2] / "policies"
SAMPLES = sorted(p.relative_to(POLICIES).as_posix() for p in POLICIES.rglob("*.toml") if p.name != "expected.toml")


def questions(picture: Picture) -> Iterator[tuple[Occurrence, ...]]:
    """Give every scenario of a policy, and each kind of event on everything it has."""
    policy = picture.policy
    yield ()
    for rows in policy.scenarios.values():
        yield tuple(from_row(row) for row in rows)
    keys, cas = list(policy.keys), list(policy.authorities)
    texts = [f"{event}:{key}" for key in keys for event in ("key-loss", "key-compromise")]
    texts += [f"{event}:{ca}" for ca in cas for event in ("ca-distrust", "ca-compromise")]
    texts += [f"{event}:{host}" for host in policy.hosts for event in ("mis-issue", "hostile-pins", "strip")]
    texts += [f"local-root:{name}?intercepts=yes" for name in policy.apps]
    yield from ((parse_event(text),) for text in texts)
    served = list(served_keys(picture.inventory))
    for key in served[:1]:
        yield from ((parse_event(f"key-compromise:{key}"), parse_event(f"ca-compromise:{ca}")) for ca in cas)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_engine_says_what_the_judge_says_of_every_sample(name: str) -> None:
    picture = open_policy(str(POLICIES / name), TODAY)
    for events in questions(picture):
        hold(picture, (*calendar(picture.policy), *events), NOW, days=40)


@pytest.mark.parametrize("name", SAMPLES)
def test_an_answer_for_days_is_the_same_by_the_engine(name: str) -> None:
    """Totals, days, instants, first break, words, budgets: a scenario, or the worst two events an hour apart."""
    picture = open_policy(str(POLICIES / name), TODAY)
    rows = next(iter(picture.policy.scenarios.values()), ())
    keys = [
        parse_event(f"{event}:{key}@2026-11-24T0{n}:30Z")
        for key in list(picture.policy.keys)[:1]
        for n, event in enumerate(("key-compromise", "key-loss"))
    ]
    events = tuple(from_row(row) for row in rows) or tuple(keys)
    same_answer(picture, Question(occurrences=events, at=NOW, until=NOW + timedelta(days=40)), calendar(picture.policy))


def test_large_fleets_are_judged_by_the_engine_and_small_ones_are_not(desk: Desk) -> None:
    small = desk.open(BASE + app("shop"))
    many = "".join(app(f"app-{n}") for n in range(LARGE_FOR_DAYS))
    large = desk.open(BASE + many)
    for picture, until, quick in ((small, NOW, False), (large, NOW, True), (large, None, False)):
        impact = ask(picture, Question(occurrences=(), at=NOW, until=until)).impact
        assert isinstance(impact, Told) is quick


def test_pins_that_end_apart_are_told_apart(desk: Desk) -> None:
    """The same pins, with three ends: before, at and after the instant."""
    ends = {"gone": "2026-10-01", "today": "2026-11-23", "later": "2027-10-01"}
    pinsets = "".join(
        f'[pinsets.{name}]\nprimary = "b"\ncovers = ["api.example.com"]\nexpires = {day}\n'
        for name, day in ends.items()
    )
    apps = "".join(app(name, "android-nsc", pinset=name) for name in ends)
    hold(desk.open(BASE + pinsets + apps), (), NOW, days=400)


def test_stores_that_distrust_on_days_of_their_own_are_told_apart(desk: Desk) -> None:
    stores = BASE.replace("[pinsets.p]", 'b = { roots = ["root"] }\nc = { roots = ["root"] }\n[pinsets.p]')
    text = stores + app("shop").replace('"ours"', "{ ours = 0.4, b = 0.3, c = 0.3 }")
    events = ("ca-distrust:root?trust=b@2026-12-01", "ca-distrust:root?trust=ours,c&issued-after=2026-01-01@2026-12-03")
    hold(desk.open(text), tuple(parse_event(event) for event in (*events, "key-compromise:a@2026-11-25")), NOW)


def test_more_pins_in_sight_than_a_word_has_bits(desk: Desk) -> None:
    """Every release pins the leaf and one of many clauses; 130 rules of one shape hold unlike pins of it."""
    picture = desk.open(BASE + app("shop"))
    chain, store = picture.inventory.chains["a-chain"], picture.inventory.trust["ours"]
    leaf = spki_pin(chain.leaf.spki)
    dead = [spki_pin(bytes([n]) * 32) for n in range(1, 140)]
    book = RuleBook()
    for place in range(130):  # the n-th clause alone lacks the pin of the leaf
        held = [frozenset({leaf} if place != n else {dead[n]}) for n in range(130)]
        book.number(Rule(clauses=tuple(Clause(scope=Scope.ANY, pins=pins) for pins in held)))
    book.number(Rule(clauses=tuple(Clause(scope=Scope.ANY, pins=frozenset({leaf})) for _ in range(130))))
    assert book.masks([leaf]).shape == (131, 3)
    judges = Judges(picture.inventory)
    asked: list[Rule] = []

    def judge(rule: Rule) -> Judgement:
        asked.append(rule)
        return judges.judge(rule, chain.sent, "api.example.com", store, Situation(at=NOW), Side.OURS)

    codes = book.codes(NOW, [leaf], judge)
    assert len(asked) == 131
    assert [bool(code & 1) for code in codes.tolist()] == [False] * 130 + [True]


def test_rules_that_differ_in_pins_nobody_presents_are_judged_once(desk: Desk) -> None:
    names = [f"r{n}" for n in range(40)]
    pinsets = "".join(f'[pinsets.{n}]\nprimary = "a"\nbackups = "{n}"\n' for n in names)
    keys = "".join(f'{n} = {{ spki = "{pin_text(n)}" }}\n' for n in names)
    rows = "".join(f'{{ version = "{n}", clients = 10, pinset = "{n}" }},\n' for n in names)
    text = BASE.replace("[keys]\n", f"[keys]\n{keys}") + pinsets
    picture = desk.open(text + app("shop", clients="", pinset="", more=f"releases = [\n{rows}]"))
    engine = Engine(picture.inventory, fleet_of(picture.inventory))
    sight = engine.sight(Timeline(picture.inventory, ()).world_at(NOW), NOW)
    assert sight.ok.high == 400
    assert engine.asked == 1


def test_what_an_event_does_not_touch_is_not_judged_again(desk: Desk) -> None:
    more = '[hosts.www]\nnames = ["www.example.com"]\nserves = "a-chain"\n'
    picture = desk.open(BASE + more + app("shop"))
    engine = Engine(picture.inventory, fleet_of(picture.inventory))
    engine.sight(Timeline(picture.inventory, ()).world_at(NOW), NOW)
    assert engine.asked == 2
    world = Timeline(picture.inventory, ()).world_at(NOW)
    engine.sight(world.with_offers("www", ()), NOW)
    assert engine.asked == 3
    elsewhere = frozenset({(b"a key that is in no path", None)})
    engine.sight(replace(world, distrusted=elsewhere), NOW)
    assert engine.asked == 3


def test_records_of_the_dns_and_pins_with_names_are_judged_one_by_one() -> None:
    pin = spki_pin(b"p" * 32)
    records = Clause(scope=Scope.ANY, pins=frozenset({pin}), records=frozenset({(Usage.DANE_EE, pin)}))
    named = Clause(scope=Scope.LEAF, pins=frozenset({pin}), named=frozenset({("example.com", pin)}))
    assert not is_mask_rule(Rule(clauses=(records,), base=Base.DANE))
    assert not is_mask_rule(Rule(after=Rule(clauses=(named,))))
    assert is_mask_rule(Rule(clauses=(Clause(scope=Scope.ANY, pins=frozenset({pin})),)))
