"""The formulas of a rotation, in days; what each stands for is in `docs/planning.md`.

They follow RFC 7583 (3.3.4: a key is used only after its publication has reached everybody), with the adoption curve
in the place of a cache's time to live, and RFC 7671 8.1 for records in the DNS.
"""

from __future__ import annotations

import math

from rotator.model.adoption import Curve, Ramp


def need(budget: float, accepting: float) -> float:
    """Give the share, of those who do not accept the new chain yet, that must move; 0 or less: ready now.

    Args:
        budget: the share of users that may break.
        accepting: the share that accepts the new chain before the release.
    """
    return 1.0 - budget if accepting >= 1 else (1.0 - budget - accepting) / (1.0 - accepting)


def days_to(curve: Curve, ramp: Ramp, share: float) -> float | None:
    """Give the days from the roll-out until a share has moved, G^-1; None where it never does."""
    return 0.0 if share <= 0 else curve.days_until(share, ramp)


def cadence(longest: float, ahead: int, deploy: float, rollback: float) -> float:
    """Give the shortest life of a served key in days: L >= max(W / B, deploy + rollback).

    Args:
        longest: W, the longest time from shipping a pin until it is carried.
        ahead: B, the future keys that are shipped ahead.
        deploy: days until every edge serves a change.
        rollback: days for which a change may be taken back.
    """
    return max(longest / max(ahead, 1), deploy + rollback)


def keys_ahead(longest: float, renewal: float) -> int:
    """Give how many future keys must be shipped ahead where every renewal makes a new key: W / renewal, rounded up."""
    return max(1, math.ceil(longest / renewal - 1e-9))


def dns_wait(ttl_seconds: int) -> float:
    """Give the days between publishing a TLSA record and deploying its key: two times to live (RFC 7671 8.1)."""
    return 2 * ttl_seconds / 86_400


def ship_last(deadline: float, deploy: float, move: float, safety: float) -> float:
    """Give the last day to ship: the last day of a servable old chain, less deploying, moving and safety."""
    return deadline - deploy - move - safety
