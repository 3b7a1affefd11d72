"""`python -m benchmarks`: run everything and write a table; `--quick` runs small sizes, to see that it runs."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is loaded; two threads wait for one another on products this small

from benchmarks import counting, paths, policies, sampling, sweeping, telemetry  # noqa: E402
from benchmarks.timing import Line  # noqa: E402


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that it runs, not how fast")
    parser.add_argument("--only", action="append", choices=list(GROUPS), help="these parts only")
    parser.add_argument("--into", type=Path, help="write the table into a file as well")
    parser.add_argument(
        "--beside",
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="start posting or harlequin in turn with the planner, each by its command",
    )
    asked = parser.parse_args()
    text = "\n".join(facts(quick=asked.quick)) + "\n"
    with tempfile.TemporaryDirectory() as compiled:
        # The program is started as an installed one is: with its modules compiled, whatever the environment says.
        os.environ["PYTHONPYCACHEPREFIX"] = compiled
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        text += _tables(asked.only or list(GROUPS), asked.beside, quick=asked.quick)
    sys.stdout.write(text)
    if asked.into:
        asked.into.write_text(text, encoding="utf-8")
    return 0


def _tables(names: list[str], beside: list[str], *, quick: bool) -> str:
    text = ""
    for name in names:
        sys.stderr.write(f"{name} ...\n")
        own = {"beside": beside} if name == "screens" else {}
        text += table(name, list(GROUPS[name](quick=quick, **own)))
    return text


def screen_lines(*, quick: bool, beside: list[str]) -> Iterator[Line]:
    """Measure the screens, where there are terminals of that kind."""
    try:
        from benchmarks import screens
    except ImportError:
        yield Line("screens", "", "there is no such terminal here", "not run")
        return
    yield from screens.lines(quick=quick, beside=beside)


GROUPS: dict[str, Callable[..., Iterator[Line]]] = {
    "sweeps": sweeping.lines,
    "cohorts": counting.cohort_lines,
    "pairs": counting.pair_lines,
    "policies": policies.engine_lines,
    "drill": policies.drill_lines,
    "opening": policies.opening_lines,
    "start": policies.starting_lines,
    "paths": paths.lines,
    "sampling": sampling.lines,
    "telemetry": telemetry.lines,
    "screens": screen_lines,
}


def facts(*, quick: bool) -> Iterator[str]:
    """Say on what it was measured."""
    yield f"Measured {datetime.now(tz=UTC):%Y-%m-%d %H:%M}Z" + (
        ", small sizes: the figures mean nothing" if quick else ""
    )
    yield f"- {os.cpu_count()} cores, {_processor()}, load {os.getloadavg()[0]:.1f} at the start"
    yield f"- {platform.system()} {platform.release()}, Python {platform.python_version()}"
    names = ("numpy", "duckdb", "polars", "arro3-io", "cryptography")
    yield "- " + ", ".join(f"{name} {_version(name)}" for name in names)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    return next((own.partition(":")[2].strip() for own in lines if own.startswith("model name")), platform.machine())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def table(name: str, lines: list[Line]) -> str:
    """Write lines as a table."""
    rows = [("work", "Rotator", "against", "ratio", "target", "")]
    rows += [(own.work, own.ours, own.against, own.ratio, own.target, _met(own)) for own in lines]
    shown = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([f"\n### {name}\n", shown[0], "|" + "---|" * 6, *shown[1:]]) + "\n"


def _met(own: Line) -> str:
    return "" if own.met is None else "met" if own.met else "missed"


if __name__ == "__main__":
    sys.exit(main())
