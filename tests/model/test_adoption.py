"""How people come to run a newer release: the curve, the mix on a version, roll-outs and floors, each by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.model.adoption import (
    AT_ONCE,
    FAST,
    NEVER,
    PRESETS,
    ROLLOUTS,
    SLOW,
    Curve,
    Launch,
    Mix,
    Push,
    Where,
    mix_on,
    where,
)

TYPICAL = PRESETS["typical"]
STAGED = ROLLOUTS["staged-7d"]
HALVES = Curve(fast=0.5, slow=0.25, fast_days=1, slow_days=10)
"""Half of all at once nearly, a quarter slowly, a quarter never."""


# --- the curve --------------------------------------------------------------------------------------------------------


def test_the_worked_example_of_the_typical_preset() -> None:
    assert [round(TYPICAL.moved(day), 3) for day in (7, 30, 90, 180, 365)] == [0.485, 0.659, 0.822, 0.872, 0.880]
    assert TYPICAL.plateau == pytest.approx(0.88)
    assert TYPICAL.days_until(0.995) is None


@pytest.mark.parametrize(
    ("preset", "shares"),
    [("fast", (75, 89, 94, 95, 95)), ("typical", (48, 66, 82, 87, 88)), ("slow", (32, 48, 65, 73, 75))],
)
def test_the_presets_give_the_shares_that_are_documented(preset: str, shares: tuple[int, ...]) -> None:
    assert tuple(round(100 * PRESETS[preset].moved(day)) for day in (7, 30, 90, 180, 365)) == shares


def test_a_small_need_is_reached_on_a_day_and_not_never() -> None:
    """Of the 30 % who must move, 5 % of all may stay: 0.833 of them, on about day 100."""
    need = (0.95 - 0.70) / (1 - 0.70)
    days = TYPICAL.days_until(need)
    assert round(need, 3) == 0.833
    assert days is not None
    assert round(days) == 100


def test_nobody_has_moved_before_a_release_is_out() -> None:
    assert TYPICAL.moved(0) == TYPICAL.moved(-3) == 0
    assert TYPICAL.days_until(0) == 0


def test_the_plateau_itself_is_never_reached_unless_everybody_moves_by_a_day() -> None:
    assert TYPICAL.days_until(0.88) is None
    assert TYPICAL.days_until(0.8799) is not None
    assert PRESETS["deploy"].days_until(1.0) == 1
    assert PRESETS["deploy"].moved(1) == 1
    assert PRESETS["deploy"].days_until(1.0, ((0.0, 0.5), (3.0, 1.0))) == 4


def test_a_roll_out_makes_a_release_there_for_one_part_after_another() -> None:
    """Half on day 0 and half on day 4: on day 5, half has had five days and half one."""
    ramp = ((0.0, 0.5), (4.0, 1.0))
    assert HALVES.arrived(5, ramp) == pytest.approx((HALVES.moved(5) + HALVES.moved(1)) / 2)
    assert HALVES.arrived(3, ramp) == pytest.approx(HALVES.moved(3) / 2)


def test_a_roll_out_that_stops_bounds_who_ever_moves() -> None:
    assert HALVES.days_until(0.4, ((0.0, 0.5),)) is None
    assert HALVES.days_until(0.3, ((0.0, 0.5),)) is not None


def test_shares_in_days_are_those_of_the_stores() -> None:
    assert [share for _, share in ROLLOUTS["apple-phased"]] == [0.01, 0.02, 0.05, 0.10, 0.20, 0.50, 1.0]


curves = st.builds(
    lambda a, b, tf, ts: Curve(fast=a, slow=(1 - a) * b, fast_days=tf, slow_days=ts),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0.1, 20),
    st.floats(0.1, 400),
)
days = st.floats(0, 800)
ramps = st.sampled_from([AT_ONCE, *ROLLOUTS.values(), ((0.0, 0.3),), ((2.0, 0.5), (30.0, 1.0))])


@given(curve=curves, ramp=ramps, one=days, other=days)
def test_more_time_never_moves_fewer(
    curve: Curve, ramp: tuple[tuple[float, float], ...], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    assert curve.arrived(low, ramp) <= curve.arrived(high, ramp) + 1e-12
    assert curve.arrived(high, ramp) <= curve.moved(high) + 1e-12


@given(curve=curves, ramp=ramps, share=st.floats(0, 1))
def test_the_day_of_a_share_is_the_first_one_that_has_it(
    curve: Curve, ramp: tuple[tuple[float, float], ...], share: float
) -> None:
    day = curve.days_until(share, ramp)
    if day is None:
        assert curve.arrived(100_000, ramp) <= share + 1e-9
    elif day > 0:
        assert curve.arrived(day, ramp) >= share
        assert curve.arrived(day - 0.002, ramp) < share


# --- who is on a version ----------------------------------------------------------------------------------------------


def rounded(mix: Mix) -> tuple[float, float, float]:
    return (round(mix[FAST], 3), round(mix[SLOW], 3), round(mix[NEVER], 3))


def test_the_worked_example_of_two_versions() -> None:
    """6.9.1 is the oldest; 7.2.0 came 200 days before the count, with no fresh installs."""
    old = mix_on(TYPICAL, newest_for=None, since=200)
    new = mix_on(TYPICAL, newest_for=200)
    assert rounded(old) == (0, 0.040, 0.960)
    assert rounded(new) == (0.514, 0.486, 0)
    assert math.ceil(38_500 * (1 - old[NEVER])) == 1_555
    assert 412_000 * (1 - new[NEVER]) == 412_000


def test_who_never_updates_is_on_a_newer_version_by_a_fresh_install_only() -> None:
    """100 days at 3 % a month are 0.1 of all: never .25 x .1 = .025, slow .25, fast .5 of a whole of .775."""
    found = mix_on(HALVES, newest_for=100, new_installs=0.03, fresh_days=100)
    assert found == pytest.approx((0.5 / 0.775, 0.25 / 0.775, 0.025 / 0.775), abs=1e-4)


def test_a_version_between_two_others_has_who_came_and_has_not_left() -> None:
    """Ten days the newest, twenty days ago: slow .25 x (1 - 1/e) x 1/e^2, quick ones all but gone."""
    slow = 0.25 * (1 - math.exp(-1)) * math.exp(-2)
    fast = 0.5 * (1 - math.exp(-10)) * math.exp(-20)
    found = mix_on(HALVES, newest_for=10, since=20)
    assert found == pytest.approx((fast / (slow + fast), slow / (slow + fast), 0))


def test_who_runs_a_version_on_its_first_day_came_at_the_rate_of_his_group() -> None:
    """Rates .5 / 1 and .25 / 10 a day: twenty quick ones for each slow one, and nobody who never moves."""
    found = mix_on(HALVES, newest_for=0)
    assert found == pytest.approx((20 / 21, 1 / 21, 0), abs=1e-3)


def test_who_cannot_be_on_a_version_by_the_curve_and_is_counted_there_stays() -> None:
    assert mix_on(PRESETS["deploy"], newest_for=None, since=30) == (0, 0, 1)
    assert mix_on(HALVES, newest_for=0, since=5) == (0, 0, 1)


@given(
    curve=curves,
    newest_for=st.none() | days,
    since=days,
    installs=st.floats(0, 1),
    fresh=days,
)
def test_a_mix_is_of_everybody(
    curve: Curve, newest_for: float | None, since: float, installs: float, fresh: float
) -> None:
    mix = mix_on(curve, newest_for=newest_for, since=since, new_installs=installs, fresh_days=fresh)
    assert all(share >= 0 for share in mix)
    assert sum(mix) == pytest.approx(1)


# --- where they are ---------------------------------------------------------------------------------------------------

ALL_NEVER: Mix = (0.0, 0.0, 1.0)


def place(
    day: float, *launches: Launch, pushes: tuple[Push, ...] = (), start: int = 0, mix: Mix = HALVES.mix
) -> dict[int, float]:
    """Give the share on each release, nobody left out."""
    found = where(HALVES, mix, start, launches, pushes, day)
    return {rank: round(share, 6) for rank, share in found.on.items()}


def test_people_move_to_a_release_from_the_day_it_comes() -> None:
    coming = Launch(rank=1, at=5)
    assert place(5, coming) == {0: 1, 1: 0}
    assert place(15, coming)[1] == round(HALVES.moved(10), 6)


def test_people_go_on_to_the_newest_that_was_out_when_they_were_counted() -> None:
    """Rank 1 is older news than rank 2: nobody who moves now takes it."""
    out = (Launch(rank=1, at=-50), Launch(rank=2, at=-10))
    assert place(3, *out) == {0: round(1 - HALVES.moved(3), 6), 2: round(HALVES.moved(3), 6)}


def test_a_release_that_is_still_rolling_out_is_not_there_for_everybody() -> None:
    """Half had it when they were counted; the others have it on day 6, and the one before it until then."""
    before, rolling = Launch(rank=1, at=-50), Launch(rank=2, at=-4, ramp=((0.0, 0.5), (10.0, 1.0)))
    on = place(5, before, rolling)
    assert on[2] == round(HALVES.moved(5) / 2, 6)
    assert on[1] == round(HALVES.moved(5) / 2, 6)
    assert place(8, before, rolling)[2] == round((HALVES.moved(8) + HALVES.moved(2)) / 2, 6)


def test_two_releases_to_come_share_who_has_moved() -> None:
    on = place(12, Launch(rank=1, at=2), Launch(rank=2, at=10))
    assert on[2] == round(HALVES.moved(2), 6)
    assert on[1] == round(HALVES.moved(10) - HALVES.moved(2), 6)


def test_a_hotfix_of_an_old_line_draws_nobody_from_a_newer_one() -> None:
    """It comes later and is older: who is on rank 2 stays there, who is on rank 0 goes to rank 2."""
    launches = (Launch(rank=2, at=-30), Launch(rank=1, at=5))
    assert place(20, *launches, start=2) == {2: 1}
    assert set(place(20, *launches)) == {0, 2}


def test_a_hotfix_is_for_those_who_cannot_run_the_newer_one() -> None:
    assert place(15, Launch(rank=1, at=5))[1] == round(HALVES.moved(10), 6)


def push(rank: int, at: float, reach: float = 0.8, *, days: float = 0, hard: bool = True) -> Push:
    return Push(rank=rank, at=at, reach=reach, days=days, hard=hard)


def fixed(*pushes: Push, launches: tuple[Launch, ...] = (Launch(rank=1, at=-1),), day: float = 50) -> Where:
    """Place people who never move by themselves."""
    return where(HALVES, ALL_NEVER, 0, launches, pushes, day)


def shares(found: Where) -> tuple[dict[int, float], dict[int, float]]:
    return (
        {rank: round(share, 6) for rank, share in found.on.items() if share},
        {rank: round(share, 6) for rank, share in found.locked.items()},
    )


def test_a_hard_floor_moves_its_reach_and_locks_the_others_out() -> None:
    assert shares(fixed(push(1, 10))) == ({0: 0.2, 1: 0.8}, {0: 0.2})


def test_a_soft_floor_moves_its_reach_and_locks_nobody_out() -> None:
    assert shares(fixed(push(1, 10, hard=False))) == ({0: 0.2, 1: 0.8}, {})


def test_a_floor_does_nothing_before_its_day() -> None:
    assert shares(fixed(push(1, 10), day=9.9)) == ({0: 1}, {})


def test_a_floor_is_heeded_over_its_days() -> None:
    """Half way through its days e^-1.5 of what is between the start and e^-3 is left."""
    half = 0.8 * (1 - math.exp(-1.5)) / (1 - math.exp(-3))
    on, locked = shares(fixed(push(1, 10, days=8), day=14))
    assert on[1] == round(half, 6)
    assert locked == {0: 0.2}, "who will heed it is not locked out"


def test_a_floor_moves_those_who_have_not_moved_by_themselves() -> None:
    """A floor of 0.8 on day 10 leaves a fifth of those whom the curve has left."""
    on = place(10, Launch(rank=1, at=-1), pushes=(push(1, 10),))
    assert on[0] == round(0.2 * (1 - HALVES.moved(10)), 6)


def test_systems_that_are_too_old_for_every_release_above_a_floor_are_all_locked_out() -> None:
    assert shares(fixed(push(1, 10), launches=())) == ({0: 1}, {0: 1})
    assert shares(fixed(push(1, 10, hard=False), launches=())) == ({0: 1}, {})


def test_a_bridge_release_above_the_floor_saves_old_systems() -> None:
    """The floor stands at rank 2, which they cannot run; rank 3 is one they can."""
    assert shares(fixed(push(2, 10), launches=(Launch(rank=3, at=-1),))) == ({0: 0.2, 3: 0.8}, {0: 0.2})


def test_who_runs_the_floor_or_newer_is_not_touched() -> None:
    found = where(HALVES, ALL_NEVER, 1, (Launch(rank=2, at=-1),), (push(1, 5),), 20)
    assert shares(found) == ({1: 1}, {})


def test_floors_in_a_row_do_not_add_up() -> None:
    """Who left one floor unheeded leaves the next one of the same reach unheeded too: 0.8 and not 0.96."""
    launches = (Launch(rank=1, at=-1), Launch(rank=2, at=20))
    assert shares(fixed(push(1, 10), push(2, 30), launches=launches)) == ({0: 0.2, 2: 0.8}, {0: 0.2})


def test_a_second_floor_of_less_reach_leaves_some_on_the_first() -> None:
    """Of those whom the first put on rank 1, a quarter does not heed the second, and is locked out with the rest."""
    launches = (Launch(rank=1, at=-1), Launch(rank=2, at=20))
    found = shares(fixed(push(1, 10), push(2, 30, 0.6), launches=launches))
    assert found == ({0: 0.2, 1: 0.2, 2: 0.6}, {0: 0.2, 1: 0.2})


def test_a_second_floor_of_more_reach_moves_the_more() -> None:
    launches = (Launch(rank=1, at=-1), Launch(rank=2, at=20))
    assert shares(fixed(push(1, 10), push(2, 30, 0.9), launches=launches)) == ({0: 0.1, 2: 0.9}, {0: 0.1})


def test_a_soft_floor_beside_a_hard_one_saves_whom_it_lifts_over_it() -> None:
    found = fixed(push(1, 10, 0.5), push(1, 10, 0.9, days=20, hard=False), day=10)
    assert shares(found) == ({0: 0.5, 1: 0.5}, {0: 0.1})


def test_a_floor_puts_nobody_on_a_release_that_is_not_there_for_him() -> None:
    """A quarter has the release on day 10, all have it on day 20: until then the others are locked out."""
    rolling = (Launch(rank=1, at=10, ramp=((0.0, 0.25), (10.0, 1.0))),)
    assert shares(fixed(push(1, 10), launches=rolling, day=15)) == ({0: 0.8, 1: 0.2}, {0: 0.8})
    assert shares(fixed(push(1, 10), launches=rolling, day=20)) == ({0: 0.2, 1: 0.8}, {0: 0.2})


def test_a_floor_before_its_release_locks_everybody_out_until_that_comes() -> None:
    late = (Launch(rank=1, at=12), Launch(rank=2, at=30))
    assert shares(fixed(push(1, 10), launches=late, day=11)) == ({0: 1}, {0: 1})
    assert shares(fixed(push(1, 10), launches=late, day=13)) == ({0: 0.2, 1: 0.8}, {0: 0.2})
    assert shares(fixed(push(1, 10), launches=late, day=40)) == ({0: 0.2, 1: 0.8}, {0: 0.2})


mixes = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(lambda p: (p[0], (1 - p[0]) * p[1], (1 - p[0]) * (1 - p[1])))
launch_lists = st.lists(
    st.builds(Launch, rank=st.integers(0, 5), at=st.floats(-200, 200), ramp=ramps),
    max_size=5,
    unique_by=lambda x: x.rank,
)
push_lists = st.lists(
    st.builds(
        Push,
        rank=st.integers(0, 6),
        at=st.floats(0, 200),
        reach=st.floats(0, 1),
        days=st.floats(0, 30),
        hard=st.booleans(),
    ),
    max_size=3,
)


@given(curve=curves, mix=mixes, start=st.integers(0, 5), launches=launch_lists, pushes=push_lists, day=days)
def test_everybody_is_somewhere_and_nobody_twice(
    curve: Curve, mix: Mix, start: int, launches: list[Launch], pushes: list[Push], day: float
) -> None:
    found = where(curve, mix, start, launches, pushes, day)
    assert sum(found.on.values()) == pytest.approx(1)
    assert all(share >= 0 for share in found.on.values())
    assert min(found.on) == start
    assert all(0 < share <= found.on[rank] + 1e-12 for rank, share in found.locked.items())


@given(
    curve=curves,
    mix=mixes,
    launches=launch_lists,
    pushes=push_lists,
    at=st.lists(days, min_size=2, max_size=4).map(sorted),
)
def test_the_share_on_a_release_or_newer_only_grows(
    curve: Curve, mix: Mix, launches: list[Launch], pushes: list[Push], at: list[float]
) -> None:
    found = [where(curve, mix, 0, launches, pushes, day) for day in at]
    for rank in range(6):
        marks = [sum(share for r, share in one.on.items() if r >= rank) for one in found]
        assert all(after >= before - 1e-9 for before, after in pairwise(marks))


@given(
    curve=curves,
    mix=mixes,
    launches=launch_lists,
    rank=st.integers(1, 5),
    more=st.floats(0, 1),
    less=st.floats(0, 1),
    day=days,
)
def test_more_reach_never_moves_fewer(
    curve: Curve, mix: Mix, launches: list[Launch], rank: int, more: float, less: float, day: float
) -> None:
    low, high = sorted((less, more))
    weak, strong = (where(curve, mix, 0, launches, [push(rank, 20, reach, days=7)], day) for reach in (low, high))
    for mark in range(1, 6):
        assert (
            sum(s for r, s in strong.on.items() if r >= mark) >= sum(s for r, s in weak.on.items() if r >= mark) - 1e-9
        )
    assert sum(strong.locked.values()) <= sum(weak.locked.values()) + 1e-9


@given(
    curve=curves,
    mix=mixes,
    launches=launch_lists.flatmap(lambda own: st.tuples(st.just(own), st.permutations(own))),
    pushes=push_lists.flatmap(lambda own: st.tuples(st.just(own), st.permutations(own))),
    day=days,
)
def test_the_order_in_which_releases_and_floors_are_named_does_not_matter(
    curve: Curve,
    mix: Mix,
    launches: tuple[list[Launch], list[Launch]],
    pushes: tuple[list[Push], list[Push]],
    day: float,
) -> None:
    one = where(curve, mix, 0, launches[0], pushes[0], day)
    other = where(curve, mix, 0, launches[1], pushes[1], day)
    assert dict(one.on) == pytest.approx(dict(other.on))
    assert dict(one.locked) == pytest.approx(dict(other.locked))
