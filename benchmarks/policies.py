"""Policies and fleets of every size: opening them, judging them, turning one knob, starting the program."""

from __future__ import annotations

import csv
import io
import os
import random
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from benchmarks.timing import Line, exponent, line, measure, seconds
from rotator.files.fleet_table import open_table
from rotator.model.pins import b64
from rotator.simulate.drill import drill
from rotator.simulate.engine.engine import Engine
from rotator.simulate.fleet import Fleet, fleet_of
from rotator.simulate.question import Picture, Question, ask
from rotator.simulate.scene import Judges
from rotator.simulate.timeline import Timeline
from rotator.simulate.world import World
from rotator.workflows.checking import check
from rotator.workflows.opening import open_policy

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOSTS = ("api", "www", "img")
MIXED = ("okhttp", "android-nsc", "apple-ats", "curl", "trustkit-ios", "chromium", "wget", "urllib3")
TARGET_MS = 16.0


def spki(name: str) -> str:
    """Give a digest for a name."""
    return f"sha256/{b64(sha256(name.encode()).digest())}"


def policy(releases: int, *, mixed: bool = False) -> str:
    """Write a policy: each release has a pinset of its own for three hosts; `mixed` uses many client technologies."""
    keys = "".join(f'k{n} = {{ spki = "{spki(f"k{n}")}" }}\n' for n in range(releases))
    pinsets = "".join(f'[pinsets.p{n}]\nprimary = "served"\nbackups = "k{n}"\n' for n in range(releases))
    hosts = "".join(f'[hosts.{h}]\nnames = ["{h}.example.com"]\nserves = "now"\n' for h in HOSTS)
    apps = ""
    kinds = MIXED if mixed else ("okhttp",)
    for place, kind in enumerate(kinds):
        own = range(place, releases, len(kinds))
        rows = "".join(f'{{ version = "{n}.0", clients = {1_000 + n}, pinset = "p{n}" }},\n' for n in own)
        apps += f'[apps.app-{kind}]\nmechanism = "{kind}"\ntrust = "ours"\nreleases = [\n{rows}]\n'
    return (
        "schema = 1\nmeasured = 2026-11-20\n[keys]\n"
        f'served = {{ spki = "{spki("served")}" }}\nspare = {{ spki = "{spki("spare")}" }}\n{keys}'
        f'[authorities]\nroot = {{ spki = "{spki("root")}" }}\n'
        f'ica = {{ spki = "{spki("ica")}", issued_by = ["root"] }}\n'
        '[chains]\nnow = { leaf = "served", issuers = ["ica", "root"] }\n'
        'next = { leaf = "spare", issuers = ["ica", "root"] }\n[trust]\nours = { roots = ["root"] }\n'
        f"{hosts}{pinsets}{apps}"
    )


def written(folder: Path, text: str) -> str:
    """Write a policy file."""
    path = folder / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def _sight(picture: Picture) -> tuple[Engine, object]:
    engine = Engine(picture.inventory, fleet_of(picture.inventory, picture.table))
    return engine, engine.sight(Timeline(picture.inventory, ()).world_at(NOW), NOW).broken


def _judged(picture: Picture, fleet: Fleet, world: World) -> object:
    return Judges(picture.inventory).impact(fleet, world, NOW).broken


def engine_lines(*, quick: bool) -> Iterator[Line]:
    """Measure the engine on policies: against the judge, and one knob against all of it."""
    sizes = (50, 100) if quick else (250, 500, 1_000, 2_000)
    for mixed in (False, True):
        timed, judged = [], []
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                picture = open_policy(written(Path(folder), policy(size, mixed=mixed)), TODAY)
            fleet = fleet_of(picture.inventory)
            world = Timeline(picture.inventory, ()).world_at(NOW)
            timed.append(measure(partial(_sight, picture), runs=3))
            judged.append(measure(partial(_judged, picture, fleet, world), runs=3))
        what = f"all mechanisms mixed ({len(MIXED)})" if mixed else "okhttp"
        power = exponent([float(size) for size in sizes], [own.median for own in timed])
        shown = f"engine, {sizes[-1]:,} releases x {len(HOSTS)} hosts, each its own pinset, {what}"
        yield line(shown, timed[-1], "the judge, one by one", judged[-1])
        yield Line(
            f"growth of that, {sizes[0]:,} to {sizes[-1]:,}",
            ", ".join(seconds(t.median) for t in timed),
            "",
            f"exponent {power:.2f}",
            "<= 1.1",
            power <= 1.1,
        )
        engine, _ = _sight(picture)
        worlds = [world.with_offers("api", (replace(world.served["api"][0], place=f"{n}"),)) for n in range(400)]
        other = [
            replace(w, lost=w.lost | {picture.inventory.keys["served"].pin}) if n % 2 else w
            for n, w in enumerate(worlds)
        ]
        turns = iter(other * 50)
        turned = measure(lambda e=engine, t=turns: e.sight(next(t), NOW).broken, runs=15)  # type: ignore[misc]
        yield line(f"engine: one knob turned, {what}", turned, "all of it", timed[-1], most=1 / 20)
        yield Line(
            "the same in time",
            turned.shown(),
            "",
            f"{turned.median * 1e3:.2f} ms",
            f"<= {TARGET_MS:g} ms",
            turned.median * 1e3 <= TARGET_MS,
        )
    with tempfile.TemporaryDirectory() as folder:
        picture = open_policy(written(Path(folder), policy(100 if quick else 1_000)), TODAY)
    event = Question(occurrences=(), at=NOW)
    yield Line(
        "what-if, 1,000 cohorts: a whole answer", measure(lambda: ask(picture, event), runs=3).shown(), "", "", "", None
    )


def many_keys(keys: int, releases: int) -> str:
    """Write a policy of ten hosts, each with an app whose releases pin the host's key and four others out of many."""
    draw = random.Random(1)
    lines = ["schema = 1", "measured = 2026-11-20", "[keys]"]
    lines += [f'k{n} = {{ spki = "{spki(f"k{n}")}" }}' for n in range(keys)]
    lines += ["[authorities]", f'root = {{ spki = "{spki("root")}" }}']
    lines += [f'ica{n} = {{ spki = "{spki(f"ica{n}")}", issued_by = ["root"] }}' for n in range(4)]
    lines += ["[trust]", 'ours = { roots = ["root"] }', "[chains]"]
    lines += [f'c{n} = {{ leaf = "k{n}", issuers = ["ica{n % 4}", "root"] }}' for n in range(10)]
    for host in range(10):
        lines += [f"[hosts.h{host}]", f'names = ["h{host}.example.com"]', f'serves = "c{host}"']
        lines += [f"[apps.app{host}]", 'mechanism = "okhttp"', 'trust = "ours"', f"hosts = {{ h{host} = 1.0 }}"]
        own = range(host, releases, 10)
        rows = (f'{{ version = "{n}.0", clients = {1_000 + n}, pinset = "p{n}" }}' for n in own)
        lines += [f"releases = [{', '.join(rows)}]"]
    for number in range(releases):
        others = draw.sample(range(10, keys), 4)
        backups = ", ".join(f'"k{n}"' for n in others)
        lines += [f"[pinsets.p{number}]", f'primary = "k{number % 10}"', f"backups = [{backups}]"]
    return "\n".join(lines) + "\n"


def drill_lines(*, quick: bool) -> Iterator[Line]:
    """Measure a whole drill: pairs that have to do with one another are judged, all others counted."""
    keys, releases = (20, 40) if quick else (100, 500)
    with tempfile.TemporaryDirectory() as folder:
        picture = open_policy(written(Path(folder), many_keys(keys, releases)), TODAY)
    pairs = len(drill(picture, NOW).losses)
    timed = measure(lambda: drill(picture, NOW), runs=1)
    each = f"{timed.median / pairs * 1e6:,.0f} us a loss"
    yield Line(f"drill of a policy, {keys} keys, {releases} releases: {pairs:,} losses", timed.shown(), "", each)


def opening_lines(*, quick: bool) -> Iterator[Line]:
    """Measure opening against the readers alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = 50 if quick else 1_000
        path = written(folder, policy(count))
        text = Path(path).read_text(encoding="utf-8")
        alone = measure(lambda: tomllib.loads(text))
        yield line(
            f"open a policy of {count:,} cohorts inline",
            measure(lambda: open_policy(path, TODAY)),
            "tomllib alone",
            alone,
            most=1.5,
        )
        picture = open_policy(path, TODAY)
        yield Line(
            f"check it, {count:,} releases", measure(lambda: check(picture, NOW), runs=3).shown(), "", "", "", None
        )
        yield from _fleet_lines(folder, 20_000 if quick else 1_000_000)


def _fleet_lines(folder: Path, rows: int) -> Iterator[Line]:
    rng = np.random.default_rng(1)
    apps, versions = [f"app-{n}" for n in range(5)], [f"{a}.{b}.0" for a in range(10) for b in range(40)]
    systems = [str(n) for n in range(21, 37)] + [f"iOS {a}.{b}" for a in range(12, 19) for b in range(6)]
    columns = {
        "app": [apps[n] for n in rng.integers(0, len(apps), rows)],
        "version": [versions[n] for n in rng.integers(0, len(versions), rows)],
        "os": [systems[n] for n in rng.integers(0, len(systems), rows)],
        "clients": rng.integers(1, 5_000, rows).tolist(),
    }
    plain = folder / "fleet.csv"
    with plain.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))

    def by_csv() -> None:
        with plain.open(newline="", encoding="utf-8") as file:
            for _ in csv.reader(file):
                pass

    opened = measure(lambda: open_table(str(plain)))
    yield line(
        f"open {rows:,} rows of CSV", opened, "csv of the standard library, rows thrown away", measure(by_csv), most=1.5
    )
    try:
        from arro3.core import Array, DataType, Table
        from arro3.io import read_parquet, write_parquet
    except ImportError:
        yield Line(f"open {rows:,} rows of Parquet", "", "arro3 is not installed (extra parquet)", "not run")
        return
    kinds = {"clients": DataType.int64()}
    table = Table.from_pydict(
        {name: Array(values, kinds.get(name, DataType.utf8())) for name, values in columns.items()}
    )
    packed = folder / "fleet.parquet"
    with packed.open("wb") as out:
        write_parquet(table, out)
    alone = measure(lambda: read_parquet(io.BytesIO(packed.read_bytes())).read_all())
    yield line(
        f"open {rows:,} rows of Parquet", measure(lambda: open_table(str(packed))), "arro3 alone", alone, most=1.5
    )


def starting_lines(*, quick: bool) -> Iterator[Line]:
    """Measure the program from its start, over a bare interpreter."""
    runs = 3 if quick else 15
    with tempfile.TemporaryDirectory() as name:
        path = written(Path(name), policy(10))
        # As an installed program: modules are compiled once, whatever the environment says.
        environ = {**os.environ, "PYTHONPYCACHEPREFIX": name, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        bare = measure(lambda: _run("-c", "pass", environ=environ), runs=runs)
        yield Line("a bare interpreter", bare.shown(), "", "", "", None)
        for words, most in ((("--help",), 100), (("check", path), 130)):
            whole = measure(lambda words=words: _run("-m", "rotator", *words, environ=environ), runs=runs)  # type: ignore[misc]
            more = (whole.median - bare.median) * 1e3
            yield Line(
                f"rotator {words[0]}",
                whole.shown(),
                "beyond the bare interpreter",
                f"+{more:.0f} ms",
                f"<= +{most} ms",
                more <= most,
            )


def _run(*words: str, environ: Mapping[str, str]) -> None:
    subprocess.run([sys.executable, *words], capture_output=True, check=False, env=environ)  # noqa: S603 - this interpreter
