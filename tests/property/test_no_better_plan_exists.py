"""Exhaustive search over small policies finds no safe plan that completes earlier, and none where there is NEVER.

The search knows by construction which releases accept the new key, and counts people by the adoption curve alone: it
has no judge, no forecast and no code of the planner.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import product

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from rotator.model import policy as p
from rotator.model.adoption import AT_ONCE, PRESETS, Curve, Launch, mix_on, where
from rotator.plan.chance import curve_at
from rotator.plan.values import Goal
from tests.property.planning import ALL_OF_THEM, TODAY, planned, with_limits
from tests.property.strategies import AUTHORITIES, CHAINS, KEYS, NAMES, PINSETS, TRUST

SLOTS = tuple(TODAY + timedelta(days=10 * n) for n in range(12))
HORIZON = 111
ACCEPTS = {"a": False, "ab": True, "one": True}
"""Whether clients with a pinset accept the new key on its chain; the root of that chain is pinned by `one`."""
CURVES = {
    "fast": PRESETS["fast"],
    "typical": PRESETS["typical"],
    "deploy": PRESETS["deploy"],
    "brisk": Curve(fast=0.6, slow=0.4, fast_days=2, slow_days=12),
    "sluggish": Curve(fast=0.3, slow=0.65, fast_days=4, slow_days=30),
}


@dataclass(frozen=True, kw_only=True)
class Small:
    """An app: its curve, the days before today on which its releases went out, what they pin, and their clients."""

    curve: str
    ages: tuple[int, ...]
    pins: tuple[str, ...]
    clients: tuple[int, ...]

    @property
    def lacks(self) -> bool:
        """Say whether a release is needed: whether the newest one refuses the new key."""
        return not ACCEPTS[self.pins[-1]]

    def refusing(self, ship: int | None, serve: int) -> float:
        """Count who refuses the new key on a day, given the day on which a release with it is there."""
        # A plan is dated for a confidence: it sees what is open of a preset at its cautious end.
        curve = curve_at(CURVES[self.curve], p.Limits().confidence)
        total = 0.0
        for rank, (age, clients) in enumerate(zip(self.ages, self.clients, strict=True)):
            later = self.ages[rank + 1] if rank + 1 < len(self.ages) else None
            newest_for = None if rank == 0 else float(age - (later or 0))
            mix = mix_on(curve, newest_for=newest_for, since=float(later or 0))
            launches = [Launch(rank=r, at=-float(self.ages[r])) for r in range(rank + 1, len(self.ages))]
            if ship is not None:
                launches.append(Launch(rank=len(self.ages), at=float(ship), ramp=AT_ONCE))
            # Counts hold for the whole of their day.
            there = where(curve, mix, rank, launches, (), float(serve))
            new = [*(ACCEPTS[own] for own in self.pins), True]
            total += clients * sum(share for r, share in there.on.items() if not new[r])
        return total


@st.composite
def smalls(draw: st.DrawFn, releases: int) -> Small:
    """Draw an app with some releases, the oldest first."""
    ages = sorted(draw(st.lists(st.integers(1, 300), min_size=releases, max_size=releases, unique=True)), reverse=True)
    return Small(
        curve=draw(st.sampled_from(sorted(CURVES))),
        ages=tuple(ages),
        pins=tuple(draw(st.sampled_from(sorted(ACCEPTS))) for _ in ages),
        clients=tuple(draw(st.sampled_from([0, 20_000, 300_000, 1_000_000])) for _ in ages),
    )


def policy(apps: list[Small], budget: float) -> p.Policy:
    """Write it as a policy; there is no margin, so that the first safe day is the day."""
    return p.Policy(
        file="drawn.toml",
        measured=TODAY,
        limits=p.Limits(break_budget=budget, horizon_days=HORIZON, safety_days=0, review_days=0, noise_floor=0.0),
        keys=KEYS,
        authorities=AUTHORITIES,
        chains=CHAINS,
        hosts={"api": p.Host(names=NAMES[:1], serves=("a-one",))},
        trust=TRUST,
        pinsets={**PINSETS, "ab": replace(PINSETS["ab"], expires=None), "one": p.Pinset(authorities=("one",))},
        apps={
            f"app-{n}": p.App(
                mechanism=("okhttp",),
                trust={"both": 1.0},
                rollout="at-once",
                adoption=p.Adoption(
                    never=1 - CURVES[own.curve].plateau,
                    fast=CURVES[own.curve].fast,
                    fast_days=CURVES[own.curve].fast_days,
                    slow_days=CURVES[own.curve].slow_days,
                )
                if own.curve not in PRESETS
                else p.Adoption(preset=own.curve),
                releases=tuple(
                    p.Release(
                        version=f"{rank + 1}.0",
                        released=TODAY - timedelta(days=age),
                        pinset={"": pins},
                        clients=p.Count(low=clients, high=clients),
                    )
                    for rank, (age, pins, clients) in enumerate(zip(own.ages, own.pins, own.clients, strict=True))
                ),
            )
            for n, own in enumerate(apps)
        },
    )


def safe(apps: list[Small], ships: tuple[int | None, ...], serve: int, budget: float, *, rounding: int = 1) -> bool:
    """Say whether serving on a day keeps the budget of the fleet and of each app.

    Args:
        apps: the apps.
        ships: when a release of each that carries the new key is there.
        serve: the day.
        budget: the share that may break.
        rounding: 1 to want more than what people are rounded by, -1 to allow for it.
    """
    refusing = [own.refusing(ship, serve) for own, ship in zip(apps, ships, strict=True)]
    sizes = [sum(own.clients) for own in apps]
    slack = rounding * 4 * sum(len(own.ages) + 1 for own in apps)
    parts = [*zip(refusing, sizes, strict=True), (sum(refusing), sum(sizes))]
    return all(bad + slack <= budget * size or bad == 0 for bad, size in parts)


def searched(apps: list[Small], budget: float) -> date | None:
    """Try every day of the slots for every release, and for the swap; give the earliest swap that is safe."""
    days = [(slot - TODAY).days for slot in SLOTS]
    for serve in days:
        # A release that is handed in after the swap, or never, moves nobody in time.
        choices = [[*(d for d in days if d <= serve), None] if own.lacks else [None] for own in apps]
        if any(safe(apps, ships, serve, budget) for ships in product(*choices)):
            return TODAY + timedelta(days=serve)
    return None


@settings(max_examples=1000 if ALL_OF_THEM else 200, suppress_health_check=list(HealthCheck))
@given(
    apps=st.lists(smalls(1), min_size=1, max_size=2)
    | st.tuples(smalls(2), smalls(1)).map(list)
    | smalls(3).map(lambda s: [s]),
    budget=st.sampled_from([0.01, 0.05, 0.1, 0.3]),
)
def test_exhaustive_search_finds_nothing_earlier(apps: list[Small], budget: float) -> None:
    found = planned(policy(apps, budget), Goal(to="b"))
    best = searched(apps, budget)
    event(f"never: {found.never}, search: {best is not None}")
    served = next((s.planned for s in found.steps if s.action == "serve"), None)
    if served is not None:
        ships: tuple[int | None, ...] = tuple(0 if own.lacks else None for own in apps)
        assert safe(apps, ships, (served - TODAY).days, budget, rounding=-1), f"{served} is not safe"
    if best is None:
        return
    assert not found.never, f"a safe plan serves on {best}"
    assert served is not None
    assert served <= best


def test_the_search_itself_finds_what_is_there() -> None:
    """1,000,000 on a release with a alone, everybody moves: .6 e^(-t/2) + .4 e^(-t/12) is 5 % on day 25: slot 30."""
    app = Small(curve="brisk", ages=(100,), pins=("a",), clients=(1_000_000,))
    assert math.isclose(app.refusing(0, 25) / 1e6, 0.4 * math.exp(-25 / 12), rel_tol=1e-3)
    assert searched([app], 0.05) == TODAY + timedelta(days=30)
    assert searched([replace(app, curve="typical")], 0.05) is None


def test_the_planner_on_the_same() -> None:
    """Day 25 is the first whole day: e^(-25/12) * .4 = .0498."""
    app = Small(curve="brisk", ages=(100,), pins=("a",), clients=(1_000_000,))
    found = planned(with_limits(policy([app], 0.05), horizon_days=60), Goal(to="b"))
    assert next(s.planned for s in found.steps if s.action == "serve") == TODAY + timedelta(days=25)
