"""`python -m benchmarks.adoption FOLDER`: the update model against real histories of version shares.

Each history is cut in half by time. A curve is fitted to the first half; from every month of the second half the
shares of releases that were out are forecast some months ahead, beside a naive forecast that carries the last share on
and beside the preset `typical`. Mean absolute errors in percentage points; losing is printed like winning.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rotator.model.adoption import PRESETS, Curve
from rotator.model.policy import App, Release
from rotator.plan.fitting import fit
from rotator.simulate.history import DayCount, foretold, newer_than_oldest

AHEAD = (1, 3, 6, 12)
"""Months ahead."""
VISIBLE = 0.01
"""A release is out from the month in which it has this share of its browser; before, it is a test version."""
SERIES = {
    "ios_saf": "Safari on iOS",
    "safari": "Safari on the desktop",
    "chrome": "Chrome on the desktop",
    "samsung": "Samsung Internet",
}
UNUSABLE = {
    "and_chr": "Chrome on Android: every month has one version, named 0",
    "android-api-level-shares": "Android by API level: six days only, and systems come with phones more than updates",
    "alt-ww": "one month only",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How far off the forecasts of one history are, so many months ahead."""

    series: str
    months: int
    shares: int
    fitted: float
    typical: float
    naive: float

    @property
    def won(self) -> bool:
        """Say whether the fit beats carrying the last share on."""
        return self.fitted < self.naive


def read(file: Path) -> list[tuple[date, dict[str, float]]]:
    """Read a history: a JSON object a line, `month` and `share` by version; months without versions are left out."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        share = {version.split("-")[0]: float(part) for version, part in row["share"].items()}
        if sum(share.values()) > 0 and share.get("0", 0.0) < 0.5 * sum(share.values()):
            year, month = map(int, row["month"].split("-"))
            found.append((date(year, month, 15), {name: part for name, part in share.items() if name != "0"}))
    return found


def app_of(history: Sequence[tuple[date, Mapping[str, float]]]) -> App:
    """Make an app whose releases are out from the first of the month in which they can be seen."""
    out: dict[str, date] = {}
    for day, share in history:
        whole = sum(share.values())
        for version, part in share.items():
            if part >= VISIBLE * whole:
                out.setdefault(version, day.replace(day=1))
    releases = tuple(Release(version=version, released=day) for version, day in out.items())
    return App(mechanism=("none",), releases=releases, rollout="at-once")


def results(series: str, history: Sequence[tuple[date, Mapping[str, float]]]) -> tuple[Curve | None, list[Result]]:
    """Fit on the first half, forecast from every month of the second."""
    app = app_of(history)
    known = {release.version for release in app.releases}
    counts = [DayCount(day=d, clients={v: s for v, s in share.items() if v in known}) for d, share in history]
    half = len(counts) // 2
    seen = {v for one in counts[:half] for v in one.clients}
    first = App(
        mechanism=app.mechanism, releases=tuple(r for r in app.releases if r.version in seen), rollout="at-once"
    )
    curve = fit(first, counts[:half])
    if curve is None:
        return None, []
    found = []
    for months in AHEAD:
        errors = [_off(app, curve, one, two) for one, two in _pairs(counts[half:], months)]
        flat = [row for rows in errors for row in rows]
        if flat:
            means = [100 * sum(column) / len(flat) for column in zip(*flat, strict=True)]
            found.append(
                Result(
                    series=series, months=months, shares=len(flat), fitted=means[0], typical=means[1], naive=means[2]
                )
            )
    return curve, found


def _pairs(counts: Sequence[DayCount], months: int) -> Iterator[tuple[DayCount, DayCount]]:
    by_month = {one.day.year * 12 + one.day.month: one for one in counts}
    for number, one in by_month.items():
        if number + months in by_month:
            yield one, by_month[number + months]


def _off(app: App, curve: Curve, before: DayCount, after: DayCount) -> list[tuple[float, float, float]]:
    """Give how far off the fit, the preset and the last share are, for each release that some run and some do not."""
    ours, preset = (foretold("app", app, one, before, after.day) for one in (curve, PRESETS["typical"]))
    rows = []
    for _, released, versions in newer_than_oldest(app):
        last, real = before.at_least(versions), after.at_least(versions)
        if released <= before.day and 0.01 <= last <= 0.99:
            rows.append(
                (
                    abs(sum(ours.get(v, 0.0) for v in versions) - real),
                    abs(sum(preset.get(v, 0.0) for v in versions) - real),
                    abs(last - real),
                )
            )
    return rows


def table(folder: Path) -> Iterator[str]:
    """Give the table of a folder of histories, as Markdown."""
    yield "| history | months ahead | shares | fitted | `typical` | last share carried on | |"
    yield "|---|---|---|---|---|---|---|"
    curves = []
    for name, title in SERIES.items():
        history = read(folder / f"caniuse-ww__{name}__monthly-version-shares.jsonl")
        curve, found = results(title, history)
        curves.append(f"{title}, {len(history)} months: {_said(curve)}")
        for one in found:
            off = f"{one.fitted:.1f} | {one.typical:.1f} | {one.naive:.1f}"
            word = "better" if one.won else "**worse than naive**"
            yield f"| {one.series} | {one.months} | {one.shares:,} | {off} | {word} |"
    yield ""
    yield from (f"- {line}" for line in curves)
    yield from (f"- not used: {why}" for why in UNUSABLE.values())


def _said(curve: Curve | None) -> str:
    if curve is None:
        return "nothing to fit"
    return (
        f"never {100 * curve.never:.0f} %, fast {100 * curve.fast:.0f} % in {curve.fast_days:.1f} days, "
        f"slow {100 * curve.slow:.0f} % in {curve.slow_days:.0f} days"
    )


def main() -> int:
    """Print the table."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m benchmarks.adoption FOLDER\n")
        return 2
    sys.stdout.write("\n".join(table(Path(sys.argv[1]))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
