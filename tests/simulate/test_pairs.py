"""Unions of two losses, against sets counted one by one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rotator.simulate.engine.pairs import Pairs, Recoveries, Sets, covering

SIZE = 40
drawn = st.lists(st.tuples(st.sets(st.integers(0, SIZE - 1), max_size=SIZE), st.integers(0, 1_000_000)), max_size=25)
needs = st.lists(st.tuples(st.integers(0, 19), st.integers(20, SIZE - 1), st.integers(0, 1000)), max_size=10)


def by_sets(sets: list[tuple[set[int], int]], needed: list[tuple[int, int, int]], i: int, j: int) -> int:
    """Count what is hit by one of two losses, or by both together."""
    return sum(w for own, w in sets if own & {i, j}) + sum(n for a, b, n in needed if {a, b} == {i, j})


def made(sets: list[tuple[set[int], int]], needed: list[tuple[int, int, int]]) -> Pairs:
    weights = np.array([weight for _, weight in sets], np.int64)
    return Pairs(Sets.of([sorted(own) for own, _ in sets]), weights, SIZE, needed)


@given(drawn, needs)
def test_every_pair_is_counted_as_sets_count_it(
    sets: list[tuple[set[int], int]], needed: list[tuple[int, int, int]]
) -> None:
    pairs = made(sets, needed)
    table = pairs.table()
    every = list(combinations(range(SIZE), 2))
    one, other = (np.array(column, np.int64) for column in zip(*every, strict=True))
    wanted = [by_sets(sets, needed, i, j) for i, j in every]
    assert pairs.either(one, other).tolist() == wanted
    assert table[one, other].tolist() == table[other, one].tolist() == wanted
    assert pairs.one.tolist() == [by_sets(sets, [], i, i) for i in range(SIZE)] == np.diag(table).tolist()


@given(drawn, needs, st.integers(1, 900))
def test_the_worst_pairs_come_first_and_none_is_left_out(
    sets: list[tuple[set[int], int]], needed: list[tuple[int, int, int]], count: int
) -> None:
    every = [(i, j, by_sets(sets, needed, i, j)) for i, j in combinations(range(SIZE), 2)]
    every.sort(key=lambda row: (-row[2], row[0], row[1]))
    found = made(sets, needed).worst(count)
    assert [row[2] for row in found] == [row[2] for row in every[:count]]
    assert set(found) <= set(every)


@given(drawn, st.lists(st.frozensets(st.integers(0, SIZE - 1), max_size=3), min_size=1, max_size=12))
def test_the_best_chain_survives_both_losses_and_covers_most(
    sets: list[tuple[set[int], int]], chains: list[frozenset[int]]
) -> None:
    weights = np.array([weight for _, weight in sets], np.int64)
    coverage = covering(Sets.of([sorted(own) for own, _ in sets]), weights, SIZE, [sorted(own) for own in chains])
    assert coverage.tolist() == [sum(w for own, w in sets if own & chain) for chain in chains]
    every = list(combinations(range(SIZE), 2))
    one, other = (np.array(column, np.int64) for column in zip(*every, strict=True))
    for (i, j), best in zip(every, Recoveries(chains, coverage).best(one, other).tolist(), strict=True):
        sound = [n for n, chain in enumerate(chains) if not chain & {i, j}]
        assert (best == -1) == (not sound)
        if sound:
            assert best in sound
            assert coverage[best] == max(coverage[n] for n in sound)


def test_sets_are_read_from_a_table_of_flags() -> None:
    sets = Sets.of_flags(np.array([[True, False, True], [False, False, False], [False, True, False]]))
    assert (sets.starts.tolist(), sets.items.tolist()) == ([0, 2, 2, 3], [0, 2, 1])
