"""What a whole fleet sees in one world at one instant, in columns, and the totals over clients."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np

from rotator.model.verdicts import Reason, Verdict
from rotator.simulate.engine import codes as c
from rotator.simulate.engine.codes import Codes, Flags, Indexes
from rotator.simulate.engine.counting import Census, Hits
from rotator.simulate.engine.judging import Outcome
from rotator.simulate.impact import BROKEN, EXPOSED
from rotator.simulate.totals import Total
from rotator.simulate.world import World


@dataclass(frozen=True, slots=True)
class Seen:
    """What one connection sees: as a row says it, without the why."""

    verdict: Verdict
    reason: Reason
    attacker_reason: Reason | None
    pin_in_force: bool
    unsure: bool


@dataclass(frozen=True, kw_only=True)
class Sight:
    """The whole answer at an instant, as `rotator.simulate.impact.Impact` gives it.

    Attributes:
        at: the instant.
        world: the world.
        census: who everybody is.
        units: by connection, its unit.
        outcome: by unit, the answers.
    """

    at: datetime
    world: World
    census: Census
    units: Indexes
    outcome: Outcome

    @cached_property
    def ranks(self) -> Codes:
        """Give the verdict of each unit, as its place in `codes.VERDICTS`."""
        own = self.outcome
        return c.verdicts(own.ours, c.accepted(own.theirs) & (own.told != c.NONE))

    @cached_property
    def out(self) -> Flags:
        """Say of each connection whether anybody has it yet."""
        return self.census.out_at(self.at)

    def hits(self, *verdicts: Verdict) -> Hits:
        """Give the connections that see one of some verdicts, and which of them for certain."""
        wanted = np.zeros(len(c.VERDICTS), np.bool_)
        wanted[[verdict.rank for verdict in verdicts]] = True
        doubt = self.outcome.unsure
        if verdicts and all(v.is_broken for v in verdicts) and Verdict.BREAKS in verdicts:
            doubt = c.unsure(self.outcome.ours)
        elif verdicts and all(v.is_exposed for v in verdicts) and Verdict.EXPOSED in verdicts:
            doubt = c.unsure(self.outcome.theirs) & (self.outcome.told != c.NONE)
        return self._of(wanted[self.ranks], doubt)

    @property
    def unpinned_hits(self) -> Hits:
        """Give the connections without a pin; a configuration that is rejected makes none."""
        ours = self.outcome.ours
        rejected = ours >> c.REASON_SHIFT == c.place_of(Reason.CONFIG_REJECTED)
        return self._of(~c.in_force(ours) & ~rejected, self.outcome.unsure)

    def _of(self, hit: Flags, doubt: Flags) -> Hits:
        here = hit[self.units] & self.out
        return Hits(here, here & ~doubt[self.units])

    def total(self, *verdicts: Verdict, app: str | None = None, trust: str | None = None) -> Total:
        """Count clients that see one of some verdicts on any host they use: all, or of an app, or of a store of it."""
        return self.census.total(self.hits(*verdicts), app, trust)

    @property
    def broken(self) -> Total:
        """Count clients that are refused by our own server on any host."""
        return self.total(Verdict.BREAKS, Verdict.LOST)

    @property
    def exposed(self) -> Total:
        """Count clients that accept the attacker on any host."""
        return self.total(Verdict.EXPOSED, Verdict.LOST)

    @property
    def lost(self) -> Total:
        """Count clients for which both hold on one host."""
        return self.total(Verdict.LOST)

    @property
    def unpinned(self) -> Total:
        """Count clients that use any host without a pin in force, whatever the verdict."""
        return self.census.total(self.unpinned_hits)

    @property
    def ok(self) -> Total:
        """Count clients for which every host is well."""
        return self.census.rest(self.behind("ok"))

    def behind(self, total: str) -> Hits:
        """Give the connections that a total counts, by its name; for `ok` those that are not well."""
        if total == "unpinned":
            return self.unpinned_hits
        if total == "ok":
            bad = self.hits(*(verdict for verdict in c.VERDICTS if verdict is not Verdict.OK))
            # Those that are unwell for certain are no doubt of another kind than each row's own.
            return Hits(bad.hit, bad.hit & ~self.outcome.unsure[self.units])
        return self.hits(*{"broken": BROKEN, "exposed": EXPOSED, "lost": (Verdict.LOST,)}[total])

    def seen(self, connection: int) -> Seen | None:
        """Say what one connection sees; None where nobody has it yet."""
        if not self.out[connection]:
            return None
        unit = self.units[connection]
        ours, told = int(self.outcome.ours[unit]), int(self.outcome.told[unit])
        return Seen(
            verdict=c.VERDICTS[self.ranks[unit]],
            reason=c.REASONS[ours >> c.REASON_SHIFT],
            attacker_reason=None if told == c.NONE else c.REASONS[told],
            pin_in_force=bool(ours & c.IN_FORCE),
            unsure=bool(self.outcome.unsure[unit]),
        )

    def reasons(self) -> Counter[tuple[Verdict, Reason, Reason | None]]:
        """Count connections by verdict and by both reasons."""
        alike = self.ranks.astype(np.int64) << 16 | (self.outcome.ours >> c.REASON_SHIFT).astype(np.int64) << 8
        values, counts = np.unique((alike | self.outcome.told)[self.units[self.out]], return_counts=True)
        found: Counter[tuple[Verdict, Reason, Reason | None]] = Counter()
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            told = value & 255
            why = c.REASONS[value >> 8 & 255], None if told == c.NONE else c.REASONS[told]
            found[(c.VERDICTS[value >> 16], *why)] = count
        return found
