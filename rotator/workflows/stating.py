"""What a person says beside files of counts, in the words of `rotator fleet`: on its command line and on the screen."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from rotator.errors import Problem, UsageError
from rotator.files.counts.own import columns_of
from rotator.model.names import did_you_mean
from rotator.simulate.census import Range, Stated

_RANGE = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?")
WORDS = ("unit", "opt-in", "scale", "total", "builds", "columns", "count-unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is stated about counts, and the names of the columns of a table of no known kind."""

    stated: Stated
    columns: dict[str, str] | None = None


def stated(
    *,
    unit: str = "",
    opt_in: str = "",
    scale: str = "",
    total: int | None = None,
    builds: Sequence[str] = (),
    count_unknown: bool = False,
) -> Stated:
    """Read what is stated.

    Raises:
        UsageError: a range or a version code is none, or a scale says no unit.
    """
    by = _range("--scale", scale)
    if by is not None and not unit:
        raise UsageError(Problem("what is counted after --scale?", expected='--unit "active devices, 30 days"'))
    return Stated(
        unit=unit.strip(),
        opt_in=_range("--opt-in", opt_in, most=1),
        scale=by,
        total=total,
        builds=_builds(builds),
        count_unknown=count_unknown,
    )


def beside(line: str) -> Beside:
    """Read a line of the options of `rotator fleet`, as a person types it on the screen.

    Raises:
        UsageError: it is no such line.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(Problem(f"cannot be read: {error}", value=line)) from None
    found: dict[str, str] = {}
    builds: list[str] = []
    while words:
        name, equals, value = words.pop(0).removeprefix("--").partition("=")
        if name not in WORDS:
            raise UsageError(
                Problem("no such option", value=f"--{name}", hint=did_you_mean(name, dict.fromkeys(WORDS)))
            )
        if not equals and name != "count-unknown":
            if not words:
                raise UsageError(Problem("needs a value", path=f"--{name}"))
            value = words.pop(0)
        if name == "builds":
            builds.append(value)
        else:
            found[name] = value
    total = found.get("total", "").replace(",", "").replace("_", "")
    if total and not (total.isascii() and total.isdigit()):
        raise UsageError(Problem("not a number of clients", path="--total", value=total))
    return Beside(
        stated=stated(
            unit=found.get("unit", ""),
            opt_in=found.get("opt-in", ""),
            scale=found.get("scale", ""),
            total=int(total) if total else None,
            builds=builds,
            count_unknown="count-unknown" in found,
        ),
        columns=columns_of([found["columns"]]) if "columns" in found else None,
    )


def _range(option: str, text: str, most: float = 1000) -> Range | None:
    """Read `0.25` or `0.22-0.30`."""
    if not text:
        return None
    found = _RANGE.fullmatch(text.strip())
    low, high = (float(found[1]), float(found[2] or found[1])) if found is not None else (0.0, 0.0)
    if not 0 < low <= high <= most:
        raise UsageError(
            Problem("not a number or a range", path=option, value=text, expected="such as 0.25 or 0.22-0.30")
        )
    return low, high


def _builds(texts: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Read `9.4.0=90400,90410`."""
    found: dict[str, tuple[int, ...]] = {}
    for text in texts:
        version, equals, codes = text.partition("=")
        parts = [part.strip() for part in codes.split(",")]
        if not version or not equals or not all(part.isascii() and part.isdigit() and len(part) < 13 for part in parts):
            raise UsageError(Problem("not version codes", path="--builds", value=text, expected="VERSION=CODE,CODE"))
        found[version] = (*found.get(version, ()), *map(int, parts))
    return found
