"""Policies to plan on: apps that move, trust stores, freezes, calendar events, limits."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st

from rotator.model import policy as p
from rotator.plan.making import make_plan
from rotator.plan.values import Goal, Plan
from rotator.workflows.simulating import calendar
from tests.minting import instant, pin
from tests.property.strategies import AUTHORITIES, CHAINS, KEYS, MECHANISMS, NAMES, PINSETS, TRUST, picture, shares

TODAY = date(2026, 11, 20)
NOW = instant("2026-11-20")
CLIENTS = ("android-nsc", "apple-ats", "curl", "okhttp", "trustkit-ios", "none", "hpkp", "dane", "aiohttp", *MECHANISMS)
ALL_OF_THEM = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"

EVENTS = ("ca-distrust:one", "renew:api:same-key", "expire:one", "renew:www:new-key")
adoptions = st.sampled_from(
    [
        p.Adoption(preset="fast"),
        p.Adoption(preset="typical"),
        p.Adoption(preset="deploy"),
        p.Adoption(never=0.0, fast=0.6, fast_days=2, slow_days=12),
        p.Adoption(never=0.01, fast=0.9, fast_days=3, slow_days=20),
    ]
)
counts = st.sampled_from([0, 1, 40, 999, 10_000]).map(lambda n: p.Count(low=n, high=n)) | st.just(
    p.Count(low=500, high=700)
)


@st.composite
def apps(draw: st.DrawFn) -> p.App:
    """Draw an app, with up to three releases or none."""
    stores = draw(st.lists(st.sampled_from(sorted(TRUST)), min_size=1, max_size=2, unique=True))
    versions = draw(st.integers(0, 3))
    releases = tuple(
        p.Release(
            version=f"{number + 1}.0",
            released=TODAY - timedelta(days=draw(st.integers(1, 90)) + 100 * (versions - number)),
            pinset={"": draw(st.sampled_from(sorted(PINSETS)))},
            clients=draw(counts),
        )
        for number in range(versions)
    )
    return p.App(
        mechanism=tuple(draw(st.lists(st.sampled_from(CLIENTS), min_size=1, max_size=2, unique=True))),
        pinset={"": draw(st.sampled_from(sorted(PINSETS)))},
        hosts=draw(st.none() | st.fixed_dictionaries({"api": shares}, optional={"www": shares})),
        trust=dict.fromkeys(stores, 1 / len(stores)),
        clients=None if releases else draw(counts),
        releases=releases,
        adoption=draw(adoptions),
        rollout=draw(st.sampled_from(["at-once", "staged-7d"])),
    )


@st.composite
def policies(draw: st.DrawFn, *, most: int = 3) -> p.Policy:
    """Draw a policy that a rotation from key a can be planned on."""
    begin = TODAY + timedelta(days=draw(st.integers(0, 60)))
    freeze = p.Freeze(from_=begin, to=begin + timedelta(days=draw(st.integers(0, 20))))
    rows = [
        p.TimelineRow(date=TODAY + timedelta(days=draw(st.integers(1, 90))), event=event)
        for event in draw(
            st.lists(
                st.sampled_from(["ca-distrust:one", "renew:api:same-key", "expire:one", "renew:www:new-key"]),
                max_size=1,
            )
        )
    ]
    return p.Policy(
        file="drawn.toml",
        measured=TODAY,
        limits=p.Limits(
            break_budget=draw(st.sampled_from([0.0, 0.005, 0.05, 0.2])),
            horizon_days=draw(st.sampled_from([40, 120])),
            safety_days=draw(st.sampled_from([0, 3])),
            review_days=draw(st.sampled_from([0, 2])),
            noise_floor=draw(st.sampled_from([0.0, 0.0005])),
        ),
        keys={**KEYS, "d": p.Key(spki=pin("d"))},
        authorities=AUTHORITIES,
        chains=CHAINS,
        hosts={
            "api": p.Host(names=NAMES[:1], serves=(draw(st.sampled_from(["a-one", "a-two"])),)),
            "www": p.Host(names=NAMES[1:], serves=(draw(st.sampled_from(["a-one", "c-two"])),)),
        },
        trust=TRUST,
        pinsets=PINSETS,
        apps={f"app-{n}": app for n, app in enumerate(draw(st.lists(apps(), min_size=1, max_size=most)))},
        mechanisms=MECHANISMS,
        freeze=(freeze,) if draw(st.booleans()) else (),
        calendar=tuple(rows),
    )


goals = st.sampled_from(
    [
        Goal(to="b", from_="a"),
        Goal(to="b"),
        Goal(to="c", from_="a"),
        Goal(chain="a-two"),
        Goal(chain="b-planned"),
        Goal(pin_to="roots"),
        Goal(pin_to="keys"),
        Goal(pin_to="none"),
        Goal(pinset="bc"),
        Goal(to="b", from_="a", take=("floor",)),
        Goal(to="b", from_="a", also=(("c", "d"),)),
    ]
)


def planned(policy: p.Policy, goal: Goal, *, ways_out: bool = False) -> Plan:
    """Plan on a drawn policy."""
    return make_plan(picture(policy), goal, NOW, calendar(policy), ways_out=ways_out)


def with_limits(policy: p.Policy, **more: object) -> p.Policy:
    """Give a policy with other limits."""
    return replace(policy, limits=replace(policy.limits, **more))  # type: ignore[arg-type]
