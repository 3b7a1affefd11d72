"""Sweeps over cohorts, hosts, scenarios and days: the kernel, sets, DuckDB and Polars."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from benchmarks.timing import Line, Measured, exponent, line, measure, seconds
from rotator.simulate.engine.sweep import ChainMask, HostSweep, People, PinMask, Swept, sweep

DAYS, STORES, CURVES, PINS = 365, 3, 10, 60
SIZES = {"small": (200, 10, 20), "medium": (5_000, 50, 100), "large": (100_000, 200, 200)}
TARGETS = {"small": 300, "medium": 20_000, "large": 500_000}
SAMPLED = 400_000
"""Cells a baseline in Python is run on; the rest is scaled."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One sweep, as columns and as plain Python."""

    cohorts: int
    classes: Any
    clients: Any
    shape: tuple[int, int, int]
    curves: Any
    hosts: list[HostSweep]

    def ours(self) -> Swept:
        """Answer it with the kernel, every scenario reached through its situations."""
        found = sweep(People.of(self.classes, self.clients, self.shape, self.curves), self.hosts)
        for host in range(len(self.hosts)):
            found.by_situation(host)
        return found


@cache
def question(cohorts: int, hosts: int, scenarios: int, *, apart: bool = False) -> Question:
    """Draw a sweep: a tenth as many configurations as cohorts, at most 1,000; `apart` gives each cohort its own."""
    draw, rng = random.Random(1), np.random.default_rng(1)
    configurations = cohorts if apart else max(10, min(cohorts // 10, 1_000))
    pinsets = configurations if apart else min(configurations, 40)
    shape = (configurations, STORES, CURVES)
    config = np.arange(cohorts) % configurations
    rest = rng.integers(0, STORES * CURVES, cohorts)
    made = []
    for _ in range(hosts):
        chains = []
        for _ in range(7):
            leaf = frozenset({draw.randrange(PINS)})
            chains.append(ChainMask(leaf, leaf | {draw.randrange(PINS) for _ in range(2)}, frozenset(range(STORES))))
        own = [
            PinMask(
                frozenset(draw.sample(range(PINS), draw.randint(0, 2))),
                frozenset(draw.sample(range(PINS), draw.randint(1, 6))),
            )
            for _ in range(pinsets)
        ]
        situations = [(chains[n % 3], None if n == 0 else chains[2 + n % 5]) for n in range(6)]
        played = [
            [(0, 0), *((day, draw.randrange(6)) for day in sorted(draw.sample(range(1, DAYS), 2)))]
            for _ in range(scenarios)
        ]
        configured = np.arange(configurations) if apart else rng.integers(0, pinsets, configurations)
        made.append(HostSweep(own, configured, situations, played))
    curves = 0.5 ** (np.arange(DAYS)[None, :] / (20 + 15 * np.arange(CURVES)[:, None]))
    return Question(
        cohorts=cohorts,
        classes=config * (STORES * CURVES) + rest,
        clients=rng.integers(1, 5_000, cohorts).astype(np.float64),
        shape=shape,
        curves=curves,
        hosts=made,
    )


def _accepts(pinset: PinMask, chain: ChainMask, store: int) -> bool:
    return store in chain.trusted_by and not (pinset.leaf.isdisjoint(chain.leaf) and pinset.any.isdisjoint(chain.any))


def by_sets(own: Question, cohorts: int, hosts: int) -> list[list[tuple[list[float], list[float]]]]:
    """Answer it over sets, verdicts outside the loop over days, for the first cohorts and hosts."""
    curves = own.curves.tolist()
    found = [[([0.0] * DAYS, [0.0] * DAYS) for _ in host.scenarios] for host in own.hosts[:hosts]]
    for number in range(cohorts):
        config, store, kind = (int(n) for n in np.unravel_index(own.classes[number], own.shape))
        size, curve = float(own.clients[number]), curves[kind]
        for host, totals in zip(own.hosts[:hosts], found, strict=True):
            pinset = host.pinsets[host.configured[config]]
            for periods, (broken, exposed) in zip(host.scenarios, totals, strict=True):
                _add(host, periods, pinset, store, size, curve, broken, exposed)
    return found


def _add(
    host: HostSweep,
    periods: Sequence[tuple[int, int]],
    pinset: PinMask,
    store: int,
    size: float,
    curve: list[float],
    broken: list[float],
    exposed: list[float],
) -> None:
    ends = [begin for begin, _ in periods[1:]] + [DAYS]
    for (begin, situation), end in zip(periods, ends, strict=True):
        ours, theirs = host.situations[situation]
        breaks = not _accepts(pinset, ours, store)
        exposes = theirs is not None and _accepts(pinset, theirs, store)
        for day in range(begin, end):
            if breaks:
                broken[day] += size * curve[day]
            if exposes:
                exposed[day] += size * curve[day]


def by_shared_sets(own: Question, hosts: int) -> list[dict[int, tuple[list[float], list[float]]]]:
    """Answer it over sets that share identical pinsets and situations, scenarios read from those."""
    curves = own.curves.tolist()
    found = []
    for host in own.hosts[:hosts]:
        sizes: dict[tuple[int, int, int], float] = {}
        for number, size in zip(own.classes.tolist(), own.clients.tolist(), strict=True):
            config, rest = divmod(number, STORES * CURVES)
            key = (int(host.configured[config]), *divmod(rest, CURVES))
            sizes[key] = sizes.get(key, 0.0) + size
        totals = {n: ([0.0] * DAYS, [0.0] * DAYS) for n in range(len(host.situations))}
        for (pinset, store, kind), size in sizes.items():
            for number, (broken, exposed) in totals.items():
                _add(host, [(0, number)], host.pinsets[pinset], store, size, curves[kind], broken, exposed)
        found.append(totals)
    return found


def _checked(own: Question) -> None:
    """Hold the kernel against sets before anything is timed."""
    found, known = own.ours(), by_sets(own, own.cohorts, 1)
    broken, exposed = found.by_scenario(0)
    for row, (their_broken, their_exposed) in enumerate(known[0]):
        np.testing.assert_allclose(broken[row], their_broken, rtol=1e-9, atol=1e-3)
        np.testing.assert_allclose(exposed[row], their_exposed, rtol=1e-9, atol=1e-3)


def lines(*, quick: bool) -> Iterator[Line]:
    """Measure everything about sweeps."""
    _checked(question(*SIZES["small"]))
    for name, size in SIZES.items():
        if quick and name != "small":
            continue
        own = question(*size)
        ours = measure(own.ours, runs=7)
        cohorts = max(1, min(size[0], SAMPLED // (size[2] * DAYS)))
        part = size[0] * size[1] / cohorts
        sets = measure(lambda own=own, cohorts=cohorts: by_sets(own, cohorts, 1), runs=3, scaled=part)  # type: ignore[misc]
        shown = f"sweep {size[0]:,} x {size[1]} x {size[2]} x {DAYS}"
        yield line(shown, ours, "Python sets, verdict outside the days", sets, least=TARGETS[name])
        if name == "medium":
            shared = measure(lambda own=own: by_shared_sets(own, 5), runs=3, scaled=size[1] / 5)  # type: ignore[misc]
            yield line(shown, ours, "Python sets that share pinsets", shared, least=20)
            yield from _by_tables(own, shown, ours)
    yield from _growth(quick=quick)
    yield from _apart(quick=quick)
    own = question(*SIZES["small" if quick else "large"])
    whole = measure(own.ours)
    people = People.of(own.classes, own.clients, own.shape, own.curves)
    turned = measure(lambda: sweep(people, own.hosts[:1]).by_situation(0))
    yield line("kernel: one host served otherwise, large fleet", turned, "the full sweep", whole, most=1 / 20)


def _growth(*, quick: bool) -> Iterator[Line]:
    """Fit how the sweep grows: with cohorts at fixed rules and situations, with hosts, and with what is distinct."""
    top = 2 if quick else 5
    for what, sizes in (
        ("cohorts", [(10_000 * 4**n, 20, 50) for n in range(top)]),
        ("hosts", [(20_000, 10 * 2**n, 50) for n in range(top)]),
    ):
        timed = [measure(question(*size).ours) for size in sizes]
        along = [float(size[0] if what == "cohorts" else size[1]) for size in sizes]
        power = exponent(along, [own.median for own in timed])
        shown = ", ".join(seconds(own.median) for own in timed)
        span = f"{along[0]:,.0f} to {along[-1]:,.0f}"
        yield Line(
            f"growth of the sweep with {what}, {span}", shown, "", f"exponent {power:.2f}", "<= 1", power <= 1.05
        )


def _apart(*, quick: bool) -> Iterator[Line]:
    """Take the worst case: every cohort has a configuration of its own."""
    size = (500, 2, 5) if quick else (20_000, 10, 20)
    shared, apart = question(*size), question(*size, apart=True)
    masks = measure(lambda: [_compiled(host) for host in apart.hosts], runs=3)
    whole = measure(apart.ours, runs=3)
    kernel = Measured(whole.median - masks.median, whole.least - masks.least, whole.most - masks.most, 3)
    shown = f"worst case {size[0]:,} x {size[1]}, each cohort its own configuration: without compiling"
    yield line(shown, kernel, "the same with shared ones", measure(shared.ours), most=6)
    yield Line(
        "compiling those rules", masks.shown(), "", f"{masks.median / size[0] / size[1] * 1e9:.0f} ns each", "", None
    )


def _compiled(host: HostSweep) -> object:
    from rotator.simulate.engine.sweep import _masks

    bits = {pin: pin for pin in range(PINS)}
    return _masks([own.leaf for own in host.pinsets], bits, 1), _masks([own.any for own in host.pinsets], bits, 1)


# --- tables -----------------------------------------------------------------------------------------------------------


def _relations(own: Question) -> dict[str, dict[str, list[Any]]]:
    """Write a sweep as tables, verdicts to be found by joins."""
    pins: dict[str, list[Any]] = {"host": [], "pinset": [], "leaf": [], "pin": []}
    chains: dict[str, list[Any]] = {"host": [], "chain": [], "leaf": [], "pin": []}
    config: dict[str, list[Any]] = {"host": [], "config": [], "pinset": []}
    asked: dict[str, list[Any]] = {"host": [], "situation": [], "side": [], "chain": []}
    for number, host in enumerate(own.hosts):
        for place, pinset in enumerate(host.pinsets):
            for leaf, held in ((True, pinset.leaf), (False, pinset.any)):
                for pin in held:
                    _row(pins, number, place, leaf, pin)
        known: dict[ChainMask, int] = {}
        for place, pair in enumerate(host.situations):
            for side, chain in enumerate(pair):
                if chain is not None:
                    _row(asked, number, place, side, known.setdefault(chain, len(known)))
        for chain, place in known.items():
            for leaf, held in ((True, chain.leaf), (False, chain.any)):
                for pin in held:
                    _row(chains, number, place, leaf, pin)
        for place, pinset_number in enumerate(host.configured.tolist()):
            _row(config, number, place, pinset_number)
    cohort_config, rest = np.divmod(own.classes, STORES * CURVES)
    kinds, days = np.divmod(np.arange(own.curves.size), DAYS)
    return {
        "pins": pins,
        "chains": chains,
        "config": config,
        "asked": asked,
        "cohorts": {"config": cohort_config, "kind": rest % CURVES, "clients": own.clients},
        "curves": {"kind": kinds, "day": days, "share": own.curves.ravel()},
    }


def _row(table: dict[str, list[Any]], *values: Any) -> None:  # noqa: ANN401 - cells
    for column, value in zip(table.values(), values, strict=True):
        column.append(value)


_SQL = """
with classes as (select config, kind, sum(clients) as clients from cohorts group by all),
weights as (select host, pinset, kind, sum(clients) as clients from classes join config using (config) group by all),
taken as (select distinct host, chain, pinset from chains join pins using (host, leaf, pin)),
found as (
    select host, situation, side, kind, sum(clients) as clients
    from asked join taken using (host, chain) join weights using (host, pinset) group by all
)
select host, situation, side, day, sum(clients * share) as clients from found join curves using (kind) group by all
"""


def _by_tables(own: Question, shown: str, ours: Measured) -> Iterator[Line]:
    """Run the same factorised sweep as joins, the tables loaded beforehand."""
    try:
        import duckdb
        import polars as pl
    except ImportError:
        yield Line(shown, ours.shown(), "DuckDB and Polars are not installed (extra bench)", "not run")
        return
    frames = {name: pl.DataFrame(table) for name, table in _relations(own).items()}
    base = duckdb.connect()
    for name, frame in frames.items():
        columns = {column: frame[column].to_numpy() for column in frame.columns}
        base.register(f"{name}_given", columns)
        base.execute(f"create table {name} as select * from {name}_given")  # noqa: S608 - names of ours

    def polars() -> Any:  # noqa: ANN401 - a frame
        lazy = {name: frame.lazy() for name, frame in frames.items()}
        classes = lazy["cohorts"].group_by("config", "kind").agg(pl.col("clients").sum())
        weights = (
            classes.join(lazy["config"], on="config").group_by("host", "pinset", "kind").agg(pl.col("clients").sum())
        )
        taken = lazy["chains"].join(lazy["pins"], on=["host", "leaf", "pin"]).select("host", "chain", "pinset").unique()
        found = lazy["asked"].join(taken, on=["host", "chain"]).join(weights, on=["host", "pinset"])
        found = found.group_by("host", "situation", "side", "kind").agg(pl.col("clients").sum())
        dated = found.join(lazy["curves"], on="kind").with_columns(pl.col("clients") * pl.col("share"))
        return dated.group_by("host", "situation", "side", "day").agg(pl.col("clients").sum()).collect()

    _same(own, base.execute(_SQL).fetchnumpy())
    _same(own, polars().to_dict(as_series=False))
    yield line(shown, ours, f"DuckDB {duckdb.__version__}", measure(lambda: base.execute(_SQL).fetchnumpy()), least=25)
    yield line(shown, ours, f"Polars {pl.__version__}", measure(polars), least=45)


def _same(own: Question, rows: Any) -> None:  # noqa: ANN401 - columns
    """Hold joins against the kernel."""
    found = own.ours()
    theirs = np.zeros((2, len(own.hosts), len(own.hosts[0].situations), DAYS))
    columns = [np.asarray(rows[name]).astype(np.int64) for name in ("side", "host", "situation", "day")]
    theirs[tuple(columns)] = np.asarray(rows["clients"])
    everybody = found.everybody @ found.curves
    for host in range(len(own.hosts)):
        broken, exposed = found.by_situation(host)
        np.testing.assert_allclose(everybody - theirs[0, host], broken, rtol=1e-6, atol=1e-2)
        np.testing.assert_allclose(theirs[1, host], exposed, rtol=1e-6, atol=1e-2)
