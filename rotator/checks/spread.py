"""How fast clients update, against counts of several days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from rotator.checks.base import Subject
from rotator.model.adoption import Curve
from rotator.model.doubt import Fitted, extremes
from rotator.model.findings import Finding, warning
from rotator.model.policy import App
from rotator.simulate.history import DayCount, foretold, newer_than_oldest

LEAST_APART = 14
"""Days between two counts below which they say too little about a curve."""
MOST_APART = 400
"""Days between two counts beyond which an app is not what it was."""
COUNTING_NOISE = 0.01
"""Shares of two counts may differ by so much without anybody having moved."""


def nothing_to_fit(subject: Subject) -> Iterator[Finding]:
    """Apps whose curve is to be fitted, without counts to fit it to."""
    for name, app in subject.policy.apps.items():
        moving = subject.moving.get(name)
        if app.adoption is None or app.adoption.preset != "fitted" or (moving is not None and moving.fitted):
            continue
        days = len(subject.history.get(name, ()))
        told = "no counts of earlier days are kept" if not days else f"counts of {days} days are kept"
        if days == 1:
            told = "counts of one day are kept"
        if days > 1:
            told += " and tell of no release since its day, or releases have no `released`"
        yield warning(
            "nothing-to-fit",
            f"apps.{name}.adoption",
            f"{told}, so no curve can be fitted and the preset typical is taken instead",
            "rotator fleet POLICY FILE --write keeps the counts of each day; two days are needed",
        )


def curve_contradicted(subject: Subject) -> Iterator[Finding]:
    """Apps whose newest counts lie outside what their curve makes of earlier ones, with all its doubt."""
    for name, app in subject.policy.apps.items():
        moving = subject.moving.get(name)
        pair = _pair(app, subject.history.get(name, ()))
        if moving is None or pair is None:
            continue
        before, after = pair
        found = _worst(name, app, moving.curve, before, after)
        if found is None:
            continue
        version, measured, low, high = found
        yield warning(
            "curve-contradicted",
            f"apps.{name}.adoption",
            f"on {after.day} {measured:.1%} of clients ran {version} or newer, where the curve ({moving.said}) makes "
            f"{low:.1%} to {high:.1%} of the counts of {before.day}",
            'write adoption = "fitted", or numbers of your own; see docs/adoption.md'
            if not moving.fitted
            else "something else moved them: look for a forced update, a halted roll-out or another way of counting",
        )


def _pair(app: App, history: Sequence[DayCount]) -> tuple[DayCount, DayCount] | None:
    """Give the newest counts, and the oldest of about a year before them since the last floor."""
    if not history:
        return None
    after = history[-1]
    since = max((floor.date for floor in app.floors if floor.date <= after.day), default=date.min)
    far = (one for one in history if LEAST_APART <= (after.day - one.day).days <= MOST_APART and one.day >= since)
    before = next(far, None)
    return None if before is None else (before, after)


def _worst(
    name: str, app: App, curve: Curve, before: DayCount, after: DayCount
) -> tuple[str, float, float, float] | None:
    """Give the release whose share is farthest outside, with that share and its range."""
    forecasts = [foretold(name, app, one, before, after.day) for one in extremes(curve)]
    error = curve.error if isinstance(curve, Fitted) else 0.0
    found = None
    farthest = 0.0
    for version, released, versions in newer_than_oldest(app):
        if released > after.day:
            continue
        shares = [sum(one.get(v, 0.0) for v in versions) for one in forecasts]
        low, high = min(shares) - error, max(shares) + error
        measured = after.at_least(versions)
        outside = max(low - measured, measured - high) - COUNTING_NOISE
        if outside > farthest:
            farthest, found = outside, (version, measured, max(0.0, low), min(1.0, high))
    return found
