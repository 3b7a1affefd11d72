"""A grid of threats against kinds of pins, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rotator.model.policy import Pinset


class Outcome(StrEnum):
    """What a client with some pins gets out of a threat or of maintenance."""

    PROTECTED = "protected"
    WORKS = "works"
    EXPOSED = "exposed"
    BROKEN = "broken"
    LOST = "exposed and broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of pin: its id, its name, a short one for a narrow column, and the names of what is pinned."""

    id: str
    label: str
    short: str
    pinset: Pinset

    @property
    def names(self) -> tuple[str, ...]:
        """Give the names of what is pinned, backups last."""
        return (*self.pinset.keys, *self.pinset.authorities, *self.pinset.certificates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What comes of one threat with one kind of pin."""

    kind: str
    outcome: Outcome
    unsure: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Threat:
    """One row: a threat, or maintenance."""

    id: str
    label: str
    maintenance: bool
    events: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class Threats:
    """The grid of a host.

    Attributes:
        host: its label.
        at: the instant.
        mechanism: the client technology that is played.
        trust: its trust store.
        path: what it makes of what is served, by name, leaf first.
        kinds: the columns.
        rows: threats, then maintenance.
    """

    host: str
    at: datetime
    mechanism: str
    trust: str
    path: tuple[str, ...]
    kinds: tuple[Kind, ...]
    rows: tuple[Threat, ...]
