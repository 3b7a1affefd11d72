"""The worked examples of the planning notes as the planner and `now` answer them: 4 to 7 and 10, by hand.

1, 2 and 8 stand with the formulas (`test_timing.py`), 3 with the curve, and 9 with the plans (`test_plans.py`).
"""

from __future__ import annotations

from datetime import timedelta

from rotator.model.verdicts import Verdict
from rotator.plan.planner import draft_of
from rotator.plan.values import Goal
from rotator.workflows.drilling import drilled
from rotator.workflows.emergency import emergency
from rotator.workflows.simulating import calendar
from tests.desk import BASE, NOW, Desk, app
from tests.minting import instant
from tests.plan.planning import app as moving
from tests.plan.planning import policy

OK, BREAKS, EXPOSED, LOST = Verdict.OK, Verdict.BREAKS, Verdict.EXPOSED, Verdict.LOST
PINSETS = '[pinsets.only-a]\nprimary = "a"\n[pinsets.only-b]\nprimary = "b"\n'


def test_example_4_a_swap_moves_who_is_broken_and_never_who_is_exposed(desk: Desk) -> None:
    """Pins {A, B}: exposed before and after. A alone: exposed, then lost. B alone: broken, then ok throughout."""
    apps = app("both") + app("only-a", pinset="only-a") + app("only-b", pinset="only-b")
    found = emergency(desk.open(BASE + PINSETS + apps), NOW, stolen="a")
    assert found.best is not None
    best = found.best.weighed
    swap = best.response.swap
    assert swap is not None

    def verdicts(*, served: bool) -> list[dict[str, Verdict]]:
        window = [impact for impact in best.answer.window if (impact.at >= swap) is served]
        return [{row.connection.cohort.app: row.verdict for row in impact.rows} for impact in window]

    assert verdicts(served=False)
    assert all(v == {"both": EXPOSED, "only-a": EXPOSED, "only-b": BREAKS} for v in verdicts(served=False))
    assert verdicts(served=True)
    assert all(v == {"both": EXPOSED, "only-a": LOST, "only-b": OK} for v in verdicts(served=True))


def test_example_4_as_a_plan(desk: Desk) -> None:
    """The plan away from A serves B at once: as many are exposed on its morrow as on its eve."""
    text = policy(moving(), pinsets='backups = ["b"]\n')
    stolen = text.replace('custody = "hsm"', 'custody = "hsm", status = "compromised", since = 2026-11-19', 1)
    draft = draft_of(desk.open(stolen), Goal(to="b", from_="a"), NOW, ())
    view, swap = draft.view(), draft.swap(None)
    before, after = view.standing(NOW, swap.waiting), view.standing(NOW, swap.new)
    assert (before[0].high, after[0].high) == (0, 0)
    assert before[1] == after[1]
    assert before[1].high == 1_000


def test_example_5_a_revoked_certificate_whose_key_is_sound(desk: Desk) -> None:
    """Reissued with A: who pins the key does not notice, who pins the certificate breaks, the issuer if it differs."""
    more = '[pinsets.cert]\ncertificates = "a-chain"\n[pinsets.ca]\nauthorities = "ica"\n'
    more += '[mechanisms.by-cert]\nlike = "curl"\nobject = "cert-sha256"\n'
    apps = app("key", clients="700") + app("cert", "by-cert", pinset="cert", clients="100")
    found = emergency(
        desk.open(BASE + more + apps + app("ca", pinset="ca", clients="50")), NOW, revoked="api", suspected="no"
    ).reissue
    assert found is not None
    assert {row.connection.cohort.app for row in found.rows} == {"cert"}
    assert found.broken.high == 100
    assert {row.connection.cohort.app for row in found.elsewhere_rows} == {"cert", "ca"}
    assert found.elsewhere is not None
    assert found.elsewhere.high == 150


def test_example_6_only_the_pair_locks_out_whoever_pins_two_keys(desk: Desk) -> None:
    """NSC {A, B}: alone each loss has an answer, and is over today; together they have none, and are never over."""
    found = {own.events: own for own in drilled(desk.open(BASE + app("shop", "android-nsc")), NOW).losses}
    assert found["key-loss:a",].response == ("serve:api:b",)
    assert found["key-loss:a",].safe_on == NOW.date()
    pair = found["key-loss:a", "key-loss:b"]
    assert (pair.broken.high, pair.response, pair.safe_on) == (1_000, None, None)


def test_example_7_a_stolen_backup_exposes_nobody_until_a_ca_certifies_it(desk: Desk) -> None:
    """B alone has no certificate. With a CA that issues to anybody, all who accept B on a path to it are exposed."""
    text = BASE + PINSETS + app("shop") + app("old", pinset="only-a", clients="300")
    picture = desk.open(text)
    assert emergency(picture, NOW, stolen="b").exposed.none
    found = {own.events: own for own in drilled(picture, NOW).losses}
    assert found["key-compromise:b",].exposed.none
    assert found["key-compromise:b", "ca-compromise:ica"].exposed.high == 1_000


def test_example_10_pins_that_end_are_gone_for_exposure_before_they_are_for_breakage(desk: Desk) -> None:
    """They end on 2026-12-31 at local midnight: 10:00Z the day before at UTC+14, 12:00Z that day at UTC-12.

    Pins are on B alone, A is served and a CA issues to anybody: until then refused on both sides.
    """
    ends = policy(moving(mechanism="android-nsc"), pinsets="expires = 2026-12-31\n").replace(
        '[pinsets.p]\nprimary = "a"', '[pinsets.p]\nprimary = "b"'
    )
    event = '[[calendar]]\ndate = 2026-11-21\nevent = "mis-issue:api"\n'
    picture = desk.open(ends + event)
    now = instant("2026-11-20")
    view = draft_of(picture, Goal(to="c"), now, calendar(picture.policy)).view()
    future, first, last = view.future(), instant("2026-12-30T10:00:00"), instant("2026-12-31T12:00:00")
    eve, second = timedelta(days=1), timedelta(seconds=1)
    assert not future.at(first - second).exposed
    assert future.at(first).exposed
    assert future.at(first - eve).broken
    assert future.at(last - second).broken
    assert not future.at(last).broken
