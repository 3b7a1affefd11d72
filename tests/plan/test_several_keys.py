"""Several keys that change in one plan: they share releases, and are served on the same day."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.errors import UsageError
from rotator.plan.values import Goal, Plan
from tests.desk import Desk
from tests.minting import chain_pem, csr, intermediate, mint, pin_text, root
from tests.plan.planning import FAST, plan, step

BOTH = Goal(to="b", from_="a", also=(("x", "y"),))
FIRST = Goal(to="b", from_="a")
SECOND = Goal(to="y", from_="x")
DROPPED = "released = 2026-05-01, clients = 1000"


def policy(*apps: str, keys: str = "", more: str = "") -> str:
    """Write a policy: api serves key a, web serves key x; pinsets p and q hold one of them each."""
    return f"""\
schema = 1
measured = 2026-11-20
[limits]
break_budget = 0.08
review_days = 0
[keys]
a = {{ certificate = "a.pem", custody = "hsm", proved = 2026-11-01{keys} }}
b = {{ csr = "b.csr", custody = "safe", proved = 2026-11-01 }}
c = {{ spki = "{pin_text("c")}", custody = "vault", proved = 2026-11-01 }}
x = {{ certificate = "x.pem", custody = "hsm", proved = 2026-11-01 }}
y = {{ csr = "y.csr", custody = "safe", proved = 2026-11-01 }}
z = {{ spki = "{pin_text("z")}", custody = "vault", proved = 2026-11-01 }}
[authorities]
root = {{ certificate = "root.pem" }}
ica = {{ certificate = "ica.pem" }}
[chains]
a-chain = {{ file = "a.pem" }}
x-chain = {{ file = "x.pem" }}
[hosts.api]
names = ["api.example.com"]
serves = "a-chain"
[hosts.web]
names = ["web.example.com"]
serves = "x-chain"
[trust]
ours = {{ roots = ["root"] }}
[pinsets.p]
primary = "a"
covers = ["api.example.com"]
[pinsets.q]
primary = "x"
covers = ["web.example.com"]
{"".join(apps)}
{more}
"""


def app(
    name: str = "shop", *, pins: str = '{ okhttp = "p", android-nsc = "q" }', hosts: str = "", adoption: str = FAST
) -> str:
    """Write an app that pins both hosts, each by a mechanism of its own, or as it is said."""
    uses = f"hosts = {hosts}\n" if hosts else ""
    return f"""\
[apps.{name}]
mechanism = ["okhttp", "android-nsc"]
{uses}pinset = {pins}
trust = "ours"
rollout = "at-once"
adoption = {adoption}
releases = [{{ version = "1.0", {DROPPED} }}]
"""


@pytest.fixture
def two(desk: Desk) -> Desk:
    """Give a desk with the certificate of x and the request of y beside the usual files."""
    issuer = intermediate("ica", root("root"))
    leaf = mint("x", issuer, names=["web.example.com"])
    desk.file("x.pem", chain_pem(leaf, issuer))
    desk.file("y.csr", csr("y"))
    return desk


def shipped(found: Plan) -> list[str]:
    """Give the releases of a plan."""
    return [s.subject for s in found.steps if s.action in ("ship", "drop")]


def test_two_keys_share_the_release_that_brings_them_and_the_one_that_drops_the_old_ones(two: Desk) -> None:
    """Apart they take four releases of the app, together two; each key is served by its own host."""
    found = plan(two, policy(app()), BOTH)
    assert not found.never
    assert found.replayed == ()
    assert shipped(found) == ["shop 1.1", "shop 1.2"]
    assert step(found, "ship").title == "ship shop 1.1 with b and y"
    assert [s.subject for s in found.steps if s.action == "serve"] == ["api b", "web y"]
    assert [s.undo.split(",")[0] for s in found.steps if s.action == "serve"] == ["serve a again", "serve x again"]
    assert [s.subject for s in found.steps if s.action == "destroy"] == ["a", "x"]
    apart = [plan(two, policy(app()), goal) for goal in (FIRST, SECOND)]
    assert [name for one in apart for name in shipped(one)] == ["shop 1.1", "shop 1.2"] * 2
    assert {one.completes for one in apart} == {found.completes}


def test_what_is_shipped_holds_all_keys_that_come_and_none_that_go(two: Desk) -> None:
    found = plan(two, policy(app()), BOTH)
    ship, drop = step(found, "ship"), step(found, "drop")
    assert set(ship.adds) == {"b", "y"}
    assert set(drop.drops) == {"a", "x"}
    # Two exchanges, two fresh spares: what is no spare of another pinset is free for either.
    assert set(drop.adds) == {"c", "z"}


def test_keys_that_stand_in_one_pinset_are_exchanged_in_it(two: Desk) -> None:
    """One set of pins for both hosts: the names of each decide which key it gets, and both are in the same set."""
    one = policy(app(pins='"r"'), more='[pinsets.r]\nprimary = "a"\nbackups = ["x"]\n')
    found = plan(two, one, BOTH)
    assert not found.never
    assert found.replayed == ()
    assert set(step(found, "ship").adds) == {"b", "y"}
    assert set(step(found, "drop").drops) == {"a", "x"}


def test_everybody_is_served_on_the_day_that_suits_the_slowest(two: Desk) -> None:
    """The app of web updates slowly, the one of api fast: together both hosts wait for the slow one."""
    slow = "{ never = 0.05, fast = 0.25, fast_days = 2.5, slow_days = 45 }"
    api, web = "{ api = 1.0 }", "{ web = 1.0 }"
    apps = (
        app("quick", pins='{ okhttp = "p" }', hosts=api),
        app("slow", pins='{ okhttp = "q" }', hosts=web, adoption=slow),
    )
    text = policy(*(own.replace('["okhttp", "android-nsc"]', '"okhttp"') for own in apps))
    days = {s.planned for s in plan(two, text, BOTH).steps if s.action == "serve"}
    quick, late = (step(plan(two, text, goal), "serve").planned for goal in (FIRST, SECOND))
    assert quick is not None
    assert late is not None
    assert days == {late}
    assert quick < late


def test_people_broken_by_either_key_are_counted_once(two: Desk) -> None:
    """The app that never updates pins both hosts: its 1,000 break on either, and are 1,000 of 2,000 together."""
    still = "{ never = 1.0, fast = 0.0, fast_days = 2.5, slow_days = 45 }"
    found = plan(two, policy(app(), app("still", adoption=still)), BOTH)
    assert found.blocked is not None
    assert found.blocked.segment == "still"
    assert (found.blocked.left.low, found.blocked.left.high) == (1050, 1050)


def test_a_key_that_is_served_elsewhere_stays_while_the_other_one_goes(two: Desk) -> None:
    """A third host serves x too: its pins and the key stay, those of a go all the same."""
    third = '[hosts.old]\nnames = ["old.example.com"]\nserves = "x-chain"\n'
    found = plan(two, policy(app(), more=third), replace(BOTH, also=(("x", "y"),)))
    assert [s.subject for s in found.steps if s.action == "destroy"] == ["a", "x"]
    kept = plan(two, policy(app(hosts="{ api = 1.0, web = 1.0 }"), more=third), BOTH)
    assert any(text.startswith("I4: old still serves x") for text in kept.findings)
    assert [s.subject for s in kept.steps if s.action == "destroy"] == ["a"]
    assert step(kept, "drop").drops == ("a",)


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        (Goal(to="b", also=(("x", "y"),)), "more keys go with a first one"),
        (Goal(to="b", from_="a", also=(("x", "b"),)), "a key is named twice"),
        (Goal(to="b", from_="a", also=(("a", "y"),)), "a key is named twice"),
        (Goal(to="b", from_="a", also=(("x", "x"),)), "a key cannot take its own place"),
        (Goal(to="b", from_="a", also=(("x", "nobody"),)), "no key has this name"),
        (Goal(to="b", from_="a", also=(("c", "y"),)), "no host of ours"),
        (Goal(to="b", from_="a", hosts=("api", "web"), also=(("x", "y"),)), "a host serves one key in the end"),
    ],
)
def test_what_cannot_be_one_plan_is_refused(two: Desk, goal: Goal, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        plan(two, policy(app()), goal)


def test_a_stolen_key_is_answered_alone(two: Desk) -> None:
    """Budgets do not hold the answer back: with the other key in it, its users would be broken without need."""
    stolen = ', status = "compromised"'
    with pytest.raises(UsageError, match="a plan of its own"):
        plan(two, policy(app(), keys=stolen), BOTH)
    assert plan(two, policy(app(), keys=stolen), FIRST).loss
