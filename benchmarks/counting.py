"""One pass over ten million cohorts; pairs of losses among thousands of keys."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations

import numpy as np

from benchmarks.timing import Line, exponent, line, measure, seconds
from rotator.simulate.engine.pairs import Pairs, Recoveries, Sets, covering
from rotator.simulate.engine.sweep import People


def cohort_lines(*, quick: bool) -> Iterator[Line]:
    """Measure the pass against column sums and against memory."""
    rows = 100_000 if quick else 10_000_000
    rng = np.random.default_rng(1)
    shape = (200, 3, 10)
    classes = rng.integers(0, 6_000, rows).astype(np.intp)
    clients = rng.integers(1, 5_000, rows).astype(np.float64)
    curves = np.ones((10, 1))
    ours = measure(lambda: People.of(classes, clients, shape, curves), runs=7)
    sums = measure(lambda: (classes.sum(), clients.sum()), runs=7)
    plain = np.ones(classes.nbytes // 8 + clients.nbytes // 8)
    memory = measure(plain.sum, runs=7)
    shown = f"pass over {rows:,} cohorts"
    yield line(shown, ours, "plain column sums", sums, most=1.2)
    yield line(shown, ours, f"memory, {plain.nbytes / memory.median / 1e9:.1f} GB/s", memory, most=2.2)


def drawn(keys: int, pinsets: int) -> list[list[int]]:
    """Draw pinsets of 5.4 keys on average."""
    draw = random.Random(1)
    return [draw.sample(range(keys), draw.choice((4, 5, 5, 6, 7))) for _ in range(pinsets)]


def pair_lines(*, quick: bool) -> Iterator[Line]:
    """Measure pairs of losses against sets and against the dense product."""
    keys, count = (100, 500) if quick else (2_000, 10_000)
    pinsets = drawn(keys, count)
    weights = np.random.default_rng(1).integers(1, 5_000, count)
    needed = [(n, keys - 1 - n, 7) for n in range(keys // 4)]
    sets = Sets.of(pinsets)
    as_sets, sizes = [frozenset(own) for own in pinsets], weights.tolist()
    every = keys * (keys - 1) // 2
    sample = random.Random(2).sample(list(combinations(range(keys), 2)), min(100, every))
    together = {frozenset(pair[:2]): pair[2] for pair in needed}

    def by_sets() -> list[int]:
        return [
            sum(size for own, size in zip(as_sets, sizes, strict=True) if i in own or j in own)
            + together.get(frozenset((i, j)), 0)
            for i, j in sample
        ]

    def by_product() -> object:
        held = np.zeros((count, keys))
        held[np.repeat(np.arange(count), sets.lengths), sets.items] = 1
        both = (held * weights[:, None]).T @ held
        return np.diag(both)[:, None] + np.diag(both)[None, :] - both

    pairs = Pairs(sets, weights, keys, needed)
    assert pairs.either(*np.array(sample, np.int64).T).tolist() == by_sets()  # noqa: S101 - hold it before it is timed
    ours = measure(lambda: Pairs(sets, weights, keys, needed))
    table = measure(lambda: Pairs(sets, weights, keys, needed).table())
    scaled = every / len(sample)
    shown = f"drill over all pairs, {keys:,} keys, {count:,} pinsets"
    theirs = measure(by_sets, runs=3, scaled=scaled)
    yield line(f"{shown}: what pairs share", ours, "Python sets", theirs, least=50_000)
    yield line(f"{shown}: what pairs share", ours, "dense product", product := measure(by_product, runs=3), least=40)
    yield line(f"{shown}: the whole square written out", table, "dense product", product)
    yield line(f"{shown}: the 1,000 worst", measure(lambda: pairs.worst(1_000)), "Python sets", theirs)
    chains = [frozenset({n, (7 * n + 1) % keys}) for n in range(keys)] + [frozenset({n}) for n in range(keys)]
    left, right = (column.astype(np.int64) for column in np.triu_indices(keys, 1))

    def recovering() -> object:
        counted = Pairs(sets, weights, keys, needed)
        coverage = covering(sets, weights, keys, [sorted(own) for own in chains])
        return counted, Recoveries(chains, coverage).best(left, right)

    def by_sets_too() -> object:
        return [
            sum(size for own, size in zip(as_sets, sizes, strict=True) if not own.isdisjoint(chain))
            for chain in chains[:20]
        ]

    covered = measure(by_sets_too, runs=3, scaled=len(chains) / 20)
    both = measure(recovering, runs=3)
    ratio = (theirs.median + covered.median) / both.median
    yield Line(
        f"{shown}: with the best chain for each",
        both.shown(),
        f"Python sets: {seconds(theirs.median + covered.median)}",
        f"{ratio:,.3g} x",
        ">= 5,000",
        ratio >= 5_000,
    )
    sizes_ = [250 * 2**n for n in range(2 if quick else 5)]
    timed = []
    for size in sizes_:
        own = Sets.of(drawn(2_000, size))
        timed.append(measure(lambda own=own, size=size: Pairs(own, weights[:size], 2_000)).median)  # type: ignore[misc]
    power = exponent([float(size) for size in sizes_], timed)
    yield Line(
        f"growth of pairs with pinsets, {sizes_[0]:,} to {sizes_[-1]:,}",
        ", ".join(map(seconds, timed)),
        "",
        f"exponent {power:.2f}",
        "<= 1",
        power <= 1.05,
    )
