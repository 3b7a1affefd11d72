"""The lines above the tables of an emergency: what happened, what is known before any table, how things stand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from rotator.model.names import some
from rotator.model.when import HOUR
from rotator.plan.alarm import Emergency, Option, Suspected
from rotator.plan.weighing import seen_at
from rotator.report.document import percent
from rotator.report.emergency import instant, old_counts, users_of, what_of
from rotator.report.responses import few
from rotator.report.text import cells
from rotator.tui.look import Signs
from rotator.tui.widgets.bars import Part
from rotator.tui.widgets.lines import fit
from rotator.workflows.watching import clocks, said_clocks


def head(found: Emergency, passed: timedelta, width: int, signs: Signs) -> list[Part]:
    """Say what happened, and how much of the CA's clock is left some time after the answer was made."""
    alarm, ends = found.alarm, ""
    if alarm.chains:
        left = max(timedelta(), found.ends - found.now - passed)
        minutes = math.ceil(left.total_seconds() / 60)
        ends = f" CA CLOCK {minutes // 60}:{minutes % 60:02} "
    what = f" {what_of(found)}, key suspected: {alarm.suspected}"
    return [(fit(signs.text(what), max(10, width - len(ends))), "strong"), (ends, "here")]


def known(found: Emergency, option: Option | None) -> Iterator[Part]:
    """Give the sentences that come before any table, each with its style."""
    old = old_counts(found)
    if old:
        yield old, "exposed"
    own, unknown = found.reissue, found.alarm.suspected is Suspected.UNKNOWN
    if own is not None:
        lead = "A surely safe: reissue" if unknown and found.options else "Reissue"
        said = f"{lead} with the same key, {users_of(own.broken)} break"
        who = sorted({row.connection.cohort.name for row in own.rows})
        said += f" ({some(who, 2)})" if who else ""
        if own.elsewhere is not None and (own.elsewhere.high or 0) > (own.broken.high or 0):
            said += f"; from another CA {few(own.elsewhere)}"
        yield f"{said}.", "ok" if own.broken.none else "breaks"
    elif not found.alarm.hosts:
        yield "No host serves it, so no swap is needed.", ""
    if not found.options:
        return
    lead = "B else: a" if own is not None and unknown else "A"
    yield f"{lead} new key on the servers ends no exposure; it moves only who is broken.", "exposed"
    best = option or found.best
    if best is not None:
        yield said_clocks(clocks(best.weighed), found), ""


def standing(
    found: Emergency, option: Option | None, number: int, at: datetime, width: int, signs: Signs
) -> list[Part]:
    """Give broken and exposed at the hour that is looked at, under the response under the cursor."""
    hour = int((at - found.now) / HOUR)
    if option is None:
        words = f" EXPOSED now: {users_of(found.exposed)}"
        return [(fit(words, width), "" if found.exposed.none else "exposed")]
    _, broken, exposed = seen_at(option.weighed, at)
    cross, open_ = ("x", "!") if signs.ascii_only else ("✗", "▲")
    parts: list[Part] = [
        (f" {cross} BREAKS {few(broken)} ({percent(broken.share)}) ", "" if broken.none else "breaks"),
        (f" {open_} EXPOSED {few(exposed)} ({percent(exposed.share)}) ", "" if exposed.none else "exposed"),
    ]
    used = sum(cells(text) for text, _ in parts)
    for words in (f" at +{hour} h, {instant(at)}, response {number}", f" +{hour} h, {at:%a %d %H:%MZ}", f" +{hour} h"):
        if used + cells(words) <= width:
            return [*parts, (words, "quiet")]
    return parts
