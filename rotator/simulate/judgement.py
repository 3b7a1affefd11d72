"""What a judge is told and what it answers, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from rotator.model.paths import Conditions, Distrust, Path
from rotator.model.pins import Pin
from rotator.model.pki import Certificate
from rotator.model.verdicts import Reason


class Side(Enum):
    """Whose chain is judged; where clients differ or nobody can know, the worse for that side's question counts."""

    OURS = "ours"
    ATTACKER = "attacker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What holds for everybody at one instant.

    Attributes:
        at: the instant.
        distrusted: see `rotator.model.paths.Conditions`.
        distrust: what the client does about those that were anchors; None where nobody knows.
        ended: certificates that are treated as expired.
        revoked: certificates whose revocation is out.
        extra: certificates that clients may build with though nobody sends them.
    """

    at: datetime
    distrusted: frozenset[tuple[bytes, datetime | None]] = frozenset()
    distrust: Distrust | None = None
    ended: frozenset[bytes] = frozenset()
    revoked: frozenset[bytes] = frozenset()
    extra: tuple[Certificate, ...] = ()

    def conditions(self, *, local_roots: bool = True, system_roots: bool = True) -> Conditions:
        """Give what holds while a client that looks at these anchors builds a path."""
        return Conditions(
            at=self.at,
            distrusted=self.distrusted,
            distrust=self.distrust or Distrust.KEY,
            ended=self.ended,
            local_roots=local_roots,
            system_roots=system_roots,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The answer for one presented chain.

    Attributes:
        accepted: whether the client goes on.
        reason: why.
        pin_in_force: whether pins were demanded of this connection.
        unsure: the answer turns inside what nobody can know; it is the worse one.
        path: the path that decided, where there was one.
        pin: the pin that matched, where one did.
        certificate: the certificate that decided: the one that matched, ended, was revoked or cannot be handled.
    """

    accepted: bool
    reason: Reason
    pin_in_force: bool = False
    unsure: bool = False
    path: Path | None = None
    pin: Pin | None = None
    certificate: Certificate | None = None
