"""The one place that reads the clock; `ROTATOR_TODAY`, a date or an instant, stands in for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from rotator.errors import Problem, UsageError
from rotator.model.when import parse_instant


def now(environ: Mapping[str, str]) -> datetime:
    """Give the instant at which the program is asked, to the minute.

    Raises:
        UsageError: `ROTATOR_TODAY` is neither a date nor an instant.
    """
    fixed = environ.get("ROTATOR_TODAY", "").strip()
    if not fixed:
        return datetime.now(UTC).replace(second=0, microsecond=0)
    try:
        return parse_instant(fixed)
    except UsageError as error:
        first = error.problems[0]
        raise UsageError(
            Problem(first.message, path="ROTATOR_TODAY", value=first.value, expected=first.expected)
        ) from None
