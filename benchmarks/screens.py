"""The planner's speed as a person meets it, through a real terminal: `python -m benchmarks.screens [--json]`.

First paint is the time from the start of the program until verdict rows and the key line are on the screen. A key's
time runs from the byte that is sent to the last of what is drawn for it. `--beside posting=COMMAND` and
`--beside harlequin=COMMAND` start these programs in turn with ours.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.timing import Line
from tests.tui.piloting import copy_of
from tests.tui.terminal import Terminal, planner

SIZES = ((80, 24), (160, 48))
QUIET_SECONDS = 0.04
"""A frame is over when nothing more is drawn for this long."""


@dataclass(frozen=True)
class Result:
    """One thing measured: seconds, or MiB."""

    what: str
    unit: str
    median: float
    p95: float
    n: int


def result(what: str, values: list[float], unit: str = "ms") -> Result:
    """Sum up what was measured."""
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return Result(what, unit, round(statistics.median(ordered), 1), round(high, 1), len(ordered))


def fleet(folder: Path, cohorts: int) -> str:
    """Write a policy with so many cohorts: releases of ten apps, on one host."""
    pins = [f"sha256/{chr(65 + n) * 43}=" for n in range(3)]
    lines = ["schema = 1", "measured = 2026-11-20", "[keys]"]
    lines += [f'k{n} = {{ spki = "{pin}" }}' for n, pin in enumerate(pins)]
    lines += ["[authorities]", 'ca = { bundled = "ISRG Root X1" }', "[chains]"]
    lines += ['now = { leaf = "k0", issuers = ["ca"], not_before = 2026-10-01, lifetime_days = 180 }']
    lines += ["[hosts.api]", 'names = ["api.example.com"]', 'serves = "now"']
    for n in range(3):
        lines += [f"[pinsets.p{n}]", f'primary = "k{n % 2}"', f'backups = ["k{2 if n else 1}"]']
    for app in range(10):
        lines += [f"[apps.app-{app}]", 'mechanism = "okhttp"', "releases = ["]
        lines += [
            f'  {{ version = "{n}.0", released = 2026-01-01, pinset = "p{n % 3}", clients = {n + 1} }},'
            for n in range(cohorts // 10)
        ]
        lines += ["]"]
    file = folder / f"fleet-{cohorts}.toml"
    file.write_text("\n".join(lines) + "\n")
    return str(file)


def memory(terminal: Terminal) -> float:
    """Give the memory of the program, in MiB."""
    status = Path(f"/proc/{terminal.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def full_frame(terminal: Terminal, *words: str) -> float:
    """Give the milliseconds from the start of a program until some words are on its screen."""
    terminal.wait_for(*words, seconds=60)
    return (time.perf_counter() - terminal.began) * 1000


def first_paint(policy: str, times: int) -> Iterator[Result]:
    """Measure the start."""
    for size in SIZES:
        seconds, sizes = [], []
        for _ in range(times):
            with planner(policy, size=size) as terminal:
                seconds.append(full_frame(terminal, "EXPOSED", "keys"))
                settle(terminal)
                sizes.append(memory(terminal))
        yield result(f"first paint {size[0]}x{size[1]}", seconds)
        yield result(f"memory {size[0]}x{size[1]}", sizes, "MiB")


def settle(terminal: Terminal, seconds: float = 0.3) -> None:
    """Read until nothing is drawn any more."""
    while terminal.read(seconds):
        pass


def key_time(terminal: Terminal, key: str) -> float:
    """Press a key and give the milliseconds to the last of what is drawn for it."""
    began = time.perf_counter()
    terminal.send(key)
    last = began
    while terminal.read(QUIET_SECONDS if last > began else 5.0):
        last = time.perf_counter()
    return (last - began) * 1000


def keys(policy: str, name: str, times: int) -> Iterator[Result]:
    """Measure keys: a knob turned back and forth, and to where it never stood; the cursor moved, a page."""
    with planner(policy, size=(160, 48)) as terminal:
        terminal.wait_for("EXPOSED", "keys", seconds=300)
        settle(terminal)
        terminal.send("2")
        terminal.wait_for("key-compromise", seconds=120)
        settle(terminal)
        for _ in range(3):
            terminal.send("down")
        settle(terminal)
        yield result(f"what-if knob, {name}", [key_time(terminal, ("right", "left")[n % 2]) for n in range(times)])
        yield result(f"what-if knob turned on and on, {name}", [key_time(terminal, "right") for _ in range(times)])
        terminal.send("tab")
        settle(terminal)
        yield result(f"cursor down, {name}", [key_time(terminal, "down") for _ in range(times)])
        yield result(f"page down, {name}", [key_time(terminal, ("pagedown", "pageup")[n % 2]) for n in range(times)])
        yield result(f"memory, {name}", [memory(terminal)], "MiB")


@dataclass(frozen=True)
class Other:
    """Another program, started as people start it.

    Attributes:
        words: its command.
        marker: words of its first full frame.
    """

    words: tuple[str, ...]
    marker: str


MARKERS = {"posting": ((), "Quit"), "harlequin": (("--no-download-tzdata",), "Run Query")}
"""Programs that ours is measured beside: words for their command, and words of their first full frame."""


def others(named: Sequence[str]) -> dict[str, Other]:
    """Read `NAME=COMMAND` of each program to measure beside ours.

    Raises:
        SystemExit: nobody knows what the first frame of a program of this name shows.
    """
    found = {}
    for text in named:
        name, _, command = text.partition("=")
        if name not in MARKERS or not command:
            raise SystemExit(f"{text}: NAME=COMMAND, with a name of {', '.join(MARKERS)}")
        words, marker = MARKERS[name]
        found[name] = Other((command, *words), marker)
    return found


def side_by_side(policy: str, beside: Mapping[str, Other], times: int) -> Iterator[tuple[Result, Result]]:
    """Start ours and each other program in turn, and give both times to the first full frame, ours first."""
    if not beside:
        return
    for size in SIZES:
        ours: list[float] = []
        theirs: dict[str, list[float]] = {name: [] for name in beside}
        for _ in range(times):
            with planner(policy, size=size) as terminal:
                ours.append(full_frame(terminal, "EXPOSED", "keys"))
                settle(terminal)
            for name, other in beside.items():
                with tempfile.TemporaryDirectory() as home:
                    environ = {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home, "XDG_CACHE_HOME": home}
                    environ["PYTHONPATH"] = ""
                    with Terminal(other.words, size=size, environ=environ, folder=Path(home)) as terminal:
                        theirs[name].append(full_frame(terminal, other.marker))
                        settle(terminal)
        for name, found in theirs.items():
            wide, high = size
            yield result(f"first paint {wide}x{high}", ours), result(f"{name}, first full frame", found)


FIRST_PAINT_MS = {(80, 24): 700.0, (160, 48): 600.0}
KEY_MS, SLOW_KEY_MS = 16.0, 50.0
LARGE, LARGE_KEY_MS, LARGE_SLOW_KEY_MS = 100_000, 33.0, 100.0
OF_OTHERS = 0.6
"""The part of another program's first full frame that our first paint may take."""
MEMORY_MIB = 80.0


def lines(*, quick: bool, beside: Sequence[str] = ()) -> Iterator[Line]:
    """Measure first paint and keys for the table of `python -m benchmarks`; `beside` as of `others`."""
    targets = {f"first paint {wide}x{high}": ms for (wide, high), ms in FIRST_PAINT_MS.items()}
    with tempfile.TemporaryDirectory() as folder:
        sample = copy_of("storefront.toml", Path(folder))
        for one in first_paint(sample, 1 if quick else 9):
            yield _line(one, targets.get(one.what, MEMORY_MIB))
        for ours, theirs in side_by_side(sample, others(beside), 1 if quick else 9):
            yield _beside(ours, theirs)
        for one in keys(sample, "storefront", 2 if quick else 40):
            yield _line(one, MEMORY_MIB if one.unit == "MiB" else KEY_MS, SLOW_KEY_MS)
        for cohorts, ms, slow in (
            ((100, KEY_MS, SLOW_KEY_MS),)
            if quick
            else ((1_000, KEY_MS, SLOW_KEY_MS), (LARGE, LARGE_KEY_MS, LARGE_SLOW_KEY_MS))
        ):
            for one in keys(fleet(Path(folder), cohorts), f"{cohorts:,} cohorts", 2 if quick else 40):
                yield _line(one, ms if one.unit == "ms" else None, slow)


def _line(one: Result, most: float | None, slow: float | None = None) -> Line:
    shown = f"{one.median:g} {one.unit} (p95 {one.p95:g}, n={one.n})"
    if most is None:
        return Line(one.what, shown, "", "", "", None)
    also = slow if one.unit == "ms" else None
    both = f", p95 <= {also:g} ms" if also is not None else ""
    met = one.median <= most and (also is None or one.p95 <= also)
    return Line(one.what, shown, "", f"{one.median:g} {one.unit}", f"<= {most:g} {one.unit}{both}", met)


def _beside(ours: Result, theirs: Result) -> Line:
    ratio = ours.median / theirs.median
    shown, other = (f"{one.median:g} ms (p95 {one.p95:g}, n={one.n})" for one in (ours, theirs))
    return Line(ours.what, shown, f"{theirs.what}: {other}", f"{ratio:.2f}", f"<= {OF_OTHERS:g}", ratio <= OF_OTHERS)


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description="Measure the planner through a real terminal.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--times", type=int, default=9, help="how often each start is measured")
    parser.add_argument("--keys", type=int, default=40, help="how often each key is measured")
    parser.add_argument("--cohorts", type=int, nargs="*", default=[1000], help="fleets to make, by cohorts")
    parser.add_argument(
        "--beside", action="append", default=[], metavar="NAME=COMMAND", help="measure posting or harlequin in turn"
    )
    asked = parser.parse_args()
    found: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        sample = copy_of("storefront.toml", Path(folder))
        runs = [first_paint(sample, asked.times), keys(sample, "storefront", asked.keys)]
        runs += [keys(fleet(Path(folder), count), f"{count} cohorts", asked.keys) for count in asked.cohorts]
        pairs = side_by_side(sample, others(asked.beside), asked.times)
        runs.append(one for pair in pairs for one in pair)
        for run in runs:
            for one in run:
                found.append(one)
                if not asked.json:
                    sys.stdout.write(f"{one.what:<34} {one.median:>9} {one.unit}   p95 {one.p95:>9}   n {one.n}\n")
                    sys.stdout.flush()
    if asked.json:
        sys.stdout.write(json.dumps([asdict(one) for one in found], indent=2) + "\n")


if __name__ == "__main__":
    main()
