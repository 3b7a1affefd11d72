"""Short ways to plan on a small policy: one host, keys a, b and c, one root, apps as lines."""

from __future__ import annotations

from datetime import date, datetime

from rotator.plan.making import make_plan
from rotator.plan.values import Goal, Plan, Step
from rotator.workflows.simulating import calendar
from tests.desk import Desk
from tests.minting import instant, pin_text

NOW = instant("2026-11-20")
LIMITS = "break_budget = 0.05\nreview_days = 0\n"
FAST = "{ never = 0.05, fast = 0.75, fast_days = 2.5, slow_days = 25 }"
"""The numbers of the preset `fast`, taken at their word."""
SWAP = Goal(to="b", from_="a")


def policy(*apps: str, limits: str = LIMITS, pinsets: str = "", more: str = "") -> str:
    """Write a policy: a chain of key a is served; pinset p holds a alone."""
    return f"""\
schema = 1
measured = 2026-11-20
[limits]
{limits}
[keys]
a = {{ certificate = "a.pem", custody = "hsm", proved = 2026-11-01 }}
b = {{ csr = "b.csr", custody = "safe", proved = 2026-11-01 }}
c = {{ spki = "{pin_text("c")}", custody = "vault", proved = 2026-11-01 }}
[authorities]
root = {{ certificate = "root.pem" }}
ica = {{ certificate = "ica.pem" }}
[chains]
a-chain = {{ file = "a.pem" }}
[hosts.api]
names = ["api.example.com"]
serves = "a-chain"
[trust]
ours = {{ roots = ["root"] }}
[pinsets.p]
primary = "a"
{pinsets}
{"".join(apps)}
{more}
"""


def app(
    name: str = "shop",
    *,
    mechanism: str = "okhttp",
    releases: str = '{ version = "1.0", released = 2026-05-01, clients = 1000 }',
    adoption: str = FAST,
    more: str = "",
) -> str:
    """Write an app that pins p in every release."""
    return f"""\
[apps.{name}]
mechanism = "{mechanism}"
pinset = "p"
trust = "ours"
rollout = "at-once"
adoption = {adoption}
releases = [{releases}]
{more}
"""


def server(name: str, mechanism: str, *, pinset: str = "p", clients: str = "clients = 1000") -> str:
    """Write an app without releases."""
    return f"""\
[apps.{name}]
mechanism = "{mechanism}"
pinset = "{pinset}"
trust = "ours"
adoption = "deploy"
{clients}
"""


def plan(desk: Desk, text: str, goal: Goal = SWAP, now: datetime = NOW) -> Plan:
    """Plan on a policy."""
    picture = desk.open(text, now.date())
    return make_plan(picture, goal, now, calendar(picture.policy))


def step(found: Plan, action: str, app: str = "") -> Step:
    """Give the one step of a kind, of an app."""
    own = [s for s in found.steps if s.action == action and (not app or s.app == app)]
    assert len(own) == 1, [s.title for s in found.steps]
    return own[0]


def day(text: str) -> date:
    """Read a date."""
    return date.fromisoformat(text)
