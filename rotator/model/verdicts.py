"""The two questions, the five verdicts and the closed list of reasons."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """What one cohort sees on one host at one time."""

    OK = "ok"
    UNPINNED = "unpinned"
    BREAKS = "breaks"
    EXPOSED = "exposed"
    LOST = "lost"

    @property
    def rank(self) -> int:
        """Give 0 for the worst: lost, exposed, breaks, unpinned, ok."""
        return ("lost", "exposed", "breaks", "unpinned", "ok").index(self)

    @property
    def is_broken(self) -> bool:
        """Say whether our server is refused."""
        return self in (Verdict.BREAKS, Verdict.LOST)

    @property
    def is_exposed(self) -> bool:
        """Say whether the attacker is accepted."""
        return self in (Verdict.EXPOSED, Verdict.LOST)

    @property
    def letter(self) -> str:
        """Give the letter for dense cells."""
        return {"ok": "O", "unpinned": "U", "breaks": "B", "exposed": "E", "lost": "L"}[self]

    @property
    def glyph(self) -> str:
        """Give the sign for terminals that have it."""
        return {"ok": "✓", "unpinned": "○", "breaks": "✗", "exposed": "▲", "lost": "✖"}[self]

    @property
    def ascii_glyph(self) -> str:
        """Give the sign for every other terminal."""
        return {"ok": "+", "unpinned": "-", "breaks": "x", "exposed": "!", "lost": "X"}[self]


def verdict_of(*, ours_accepted: bool, pin_in_force: bool, attacker_accepted: bool) -> Verdict:
    """Answer both questions with one word."""
    if attacker_accepted:
        return Verdict.EXPOSED if ours_accepted else Verdict.LOST
    if not ours_accepted:
        return Verdict.BREAKS
    return Verdict.OK if pin_in_force else Verdict.UNPINNED


class Reason(StrEnum):
    """Why: a closed list, each with its page for `explain`."""

    PIN_MATCHED = "pin-matched"
    PIN_MISMATCH = "pin-mismatch"
    NO_PATH = "no-path"
    CHAIN_EXPIRED = "chain-expired"
    REVOKED = "revoked"
    ROOT_DISTRUSTED = "root-distrusted"
    NAME_MISMATCH = "name-mismatch"
    CONFIG_REJECTED = "config-rejected"
    KEY_TYPE_UNSUPPORTED = "key-type-unsupported"
    NOT_SERVED = "not-served"
    NO_PINS = "no-pins"
    PINS_EXPIRED = "pins-expired"
    REPORT_ONLY = "report-only"
    LOCAL_ROOT_BYPASS = "local-root-bypass"
    HOST_NOT_LISTED = "host-not-listed"
    CLEARTEXT_ALLOWED = "cleartext-allowed"
    KEY_STOLEN = "key-stolen"
    CA_COMPROMISED = "ca-compromised"
    CA_MISISSUES = "ca-misissues"
    HOSTILE_PINS = "hostile-pins"
    FORCED_OUT = "forced-out"


REFUSAL_ORDER = (
    Reason.NOT_SERVED,
    Reason.CONFIG_REJECTED,
    Reason.ROOT_DISTRUSTED,
    Reason.CHAIN_EXPIRED,
    Reason.REVOKED,
    Reason.NAME_MISMATCH,
    Reason.NO_PATH,
    Reason.KEY_TYPE_UNSUPPORTED,
    Reason.PIN_MISMATCH,
    Reason.HOSTILE_PINS,
    Reason.PINS_EXPIRED,
    Reason.HOST_NOT_LISTED,
    Reason.FORCED_OUT,
)
"""When several things are wrong the first of these is the reason."""
