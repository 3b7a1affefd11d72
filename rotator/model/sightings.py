"""What a host was seen to serve, or why nothing was seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rotator.model.pki import Certificate


class Fault(StrEnum):
    """Why a handshake showed no chain."""

    UNRESOLVED = "unresolved"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed-out"
    RESET = "reset"
    CLOSED = "closed"
    NOT_TLS = "not-tls"
    ALERT = "alert"
    TOO_LARGE = "too-large"
    UNREADABLE = "unreadable"

    @property
    def words(self) -> str:
        """Say it in a sentence."""
        return {
            Fault.UNRESOLVED: "the name leads to no address",
            Fault.REFUSED: "the connection is refused",
            Fault.UNREACHABLE: "there is no way to the address",
            Fault.TIMED_OUT: "no answer in time",
            Fault.RESET: "the connection is reset",
            Fault.CLOSED: "the connection is closed before the handshake is done",
            Fault.NOT_TLS: "what answers is not TLS",
            Fault.ALERT: "the server refuses the handshake",
            Fault.TOO_LARGE: "the server sends more certificates than any client takes",
            Fault.UNREADABLE: "what the server sends cannot be read",
        }[self]


class Offer(StrEnum):
    """What a handshake offers: everything, or TLS 1.2 with certificates of one type of key only."""

    ANY = "any"
    EC = "ec"
    RSA = "rsa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """One handshake with one address.

    Attributes:
        address: the IP address, "" where the name led to none.
        offer: what was offered.
        version: what was agreed on, such as `TLSv1.3`; "" where nothing was.
        sent: the certificates as they were sent, DER, leaf first.
        fault: why there are none; None where there are.
        detail: what the server or the system said of it.
    """

    address: str
    offer: Offer = Offer.ANY
    version: str = ""
    sent: tuple[bytes, ...] = ()
    fault: Fault | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One chain that a host served.

    Attributes:
        label: the host's label in the policy.
        name: the DNS name that was asked for.
        at: when.
        sent: the chain, leaf first, signers known where they are at hand.
        addresses: where it was seen; none where it was not seen on the network.
        versions: the versions of TLS it was seen with.
        source: the file it is from, "" for the network.
    """

    label: str
    name: str
    at: datetime
    sent: tuple[Certificate, ...]
    addresses: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    source: str = ""

    @property
    def leaf(self) -> Certificate:
        """Give the server's own certificate."""
        return self.sent[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """An address of a host that showed no chain."""

    label: str
    name: str
    port: int
    address: str
    fault: Fault
    detail: str = ""
