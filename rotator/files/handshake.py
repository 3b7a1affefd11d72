"""TLS handshakes that show what a server sends: nothing is verified, nothing is asked for, and every one has an end.

TLS runs over memory; the socket only carries bytes. So one deadline holds for a whole handshake however slowly the
bytes drip, and the bytes that are taken are counted.
"""

from __future__ import annotations

import contextlib
import errno
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, Protocol

from rotator.model.sightings import Fault, Handshake, Offer

MAX_BYTES = 512 * 1024
MAX_ADDRESSES = 16
WORKERS = 16
_DER = 2
"""`_ssl.ENCODING_DER`."""
_CIPHERS = {Offer.ANY: "ALL", Offer.EC: "aECDSA", Offer.RSA: "aRSA"}
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.ENETDOWN)


class Wire(Protocol):
    """What of a socket is used."""

    def settimeout(self, value: float | None, /) -> None:
        """Set the longest wait of the next call."""

    def sendall(self, data: bytes, /) -> None:
        """Send everything."""

    def recv(self, size: int, /) -> bytes:
        """Give what came, at most so much; nothing where the other end closed."""

    def close(self) -> None:
        """Hang up."""


@dataclass(frozen=True, kw_only=True)
class Net:
    """The network and the clock.

    Attributes:
        resolve: gives the addresses of a name.
        connect: opens a connection to an address and a port within some seconds.
        clock: gives seconds that only rise.
    """

    resolve: Callable[[str, int], Iterable[str]]
    connect: Callable[[str, int, float], Wire]
    clock: Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A name and a port to shake hands with."""

    name: str
    port: int


def internet() -> Net:
    """Give the network of this machine."""

    def resolve(name: str, port: int) -> Iterator[str]:
        for *_, address in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM):
            yield str(address[0])

    def connect(address: str, port: int, seconds: float) -> Wire:
        return socket.create_connection((address, port), timeout=seconds)

    return Net(resolve=resolve, connect=connect, clock=time.monotonic)


def observe(
    targets: Iterable[Target], seconds: float, net: Net, told: Callable[[Target, Handshake], None]
) -> dict[Target, tuple[Handshake, ...]]:
    """Shake hands with every address of some names, many at a time.

    With an address that answers, everything is offered first, then TLS 1.2 with each type of key, so that a server
    with two certificates shows both.

    Args:
        targets: whom.
        seconds: the longest that one handshake, or finding the addresses of a name, may take.
        net: the network.
        told: called with the first handshake of each address as it is done.
    """
    wanted = list(dict.fromkeys(targets))
    found: dict[Target, list[Handshake]] = {target: [] for target in wanted}
    pool = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="handshake")
    try:
        names = {pool.submit(_addresses, target, seconds, net): target for target in wanted}
        work = {}
        for done in as_completed(names):
            target, addresses = names[done], done.result()
            if isinstance(addresses, Handshake):
                found[target].append(addresses)
                told(target, addresses)
                continue
            for address in addresses:
                work[pool.submit(_all_offers, target, address, seconds, net)] = target
        for finished in as_completed(work):
            hands = finished.result()
            found[work[finished]] += hands
            told(work[finished], hands[0])
    finally:
        # Whoever interrupts waits for the handshakes that are under way, not for those that are not.
        pool.shutdown(cancel_futures=True)
    return {target: tuple(sorted(hands, key=_order)) for target, hands in found.items()}


def _order(hand: Handshake) -> tuple[str, int]:
    return hand.address, tuple(Offer).index(hand.offer)


def _addresses(target: Target, seconds: float, net: Net) -> list[str] | Handshake:
    """Find the addresses of a name; the system gives no way to stop looking, so a thread of its own may be left."""
    answers: queue.SimpleQueue[list[str] | str] = queue.SimpleQueue()

    def look() -> None:
        try:
            answers.put(list(dict.fromkeys(net.resolve(target.name, target.port)))[:MAX_ADDRESSES])
        except (OSError, UnicodeError) as error:
            answers.put(_said(error))

    threading.Thread(target=look, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        return Handshake(address="", fault=Fault.UNRESOLVED, detail="no answer in time")
    if isinstance(answer, str):
        return Handshake(address="", fault=Fault.UNRESOLVED, detail=answer)
    return answer or Handshake(address="", fault=Fault.UNRESOLVED)


def _all_offers(target: Target, address: str, seconds: float, net: Net) -> list[Handshake]:
    """Offer everything, then each type of key on its own, as long as the server answers in TLS."""
    first = shake(target, address, Offer.ANY, seconds, net)
    if first.fault not in (None, Fault.ALERT):
        return [first]
    hands = [first]
    for offer in (Offer.EC, Offer.RSA):
        hand = shake(target, address, offer, seconds, net)
        if hand.fault is None:
            hands.append(hand)
    return hands


def shake(target: Target, address: str, offer: Offer, seconds: float, net: Net) -> Handshake:
    """Shake hands once; whatever goes wrong is a fault with a name."""
    until = net.clock() + seconds
    try:
        wire = net.connect(address, target.port, seconds)
    except OSError as error:
        return Handshake(address=address, offer=offer, fault=_fault_of(error), detail=_said(error))
    progress = _Progress()
    try:
        with contextlib.closing(wire):
            tls = _run(target.name, wire, offer, lambda: until - net.clock(), progress)
            return Handshake(address=address, offer=offer, version=tls.version() or "", sent=chain_of(tls))
    except _FaultError as error:
        return Handshake(address=address, offer=offer, fault=error.fault, detail=error.detail)
    except ssl.SSLError as error:
        fault, detail = _tls_fault(error, progress)
        return Handshake(address=address, offer=offer, fault=fault, detail=detail)
    except (OSError, ValueError) as error:
        fault = _fault_of(error) if isinstance(error, OSError) else Fault.UNREADABLE
        return Handshake(address=address, offer=offer, fault=fault, detail=_said(error))


class _FaultError(Exception):
    def __init__(self, fault: Fault, detail: str = "") -> None:
        self.fault, self.detail = fault, detail
        super().__init__(detail)


@dataclass
class _Progress:
    received: int = 0
    first: int | None = None


def _run(name: str, wire: Wire, offer: Offer, left: Callable[[], float], progress: _Progress) -> ssl.SSLObject:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = _context(offer).wrap_bio(incoming, outgoing, server_hostname=name)

    def wait() -> None:
        rest = left()
        if rest <= 0:
            raise _FaultError(Fault.TIMED_OUT)
        wire.settimeout(rest)

    def flush() -> None:
        if data := outgoing.read():
            wait()
            wire.sendall(data)

    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            flush()
        wait()
        data = wire.recv(16_384)
        if not data:
            raise _FaultError(Fault.CLOSED)
        progress.received += len(data)
        progress.first = data[0] if progress.first is None else progress.first
        if progress.received > MAX_BYTES:
            raise _FaultError(Fault.TOO_LARGE, f"more than {MAX_BYTES // 1024} KB")
        incoming.write(data)
    with contextlib.suppress(OSError, _FaultError):
        # Take leave as clients do, so that the server logs no failure. What was sent is known by now.
        with contextlib.suppress(ssl.SSLError):
            tls.unwrap()
        flush()
    return tls


def _context(offer: Offer) -> ssl.SSLContext:
    """Make a context that takes whatever is shown: to look at a certificate is not to trust it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if offer is not Offer.ANY:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{_CIPHERS[offer]}:!aNULL:@SECLEVEL=0")
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
    return context


def chain_of(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """Give what the other end sent, DER, leaf first.

    Python has a public method for it from 3.13 on. 3.11 and 3.12, which get no new features, have the same method on
    the object inside; see `docs/decisions/0005-observing.md`.
    """
    public: Any = getattr(tls, "get_unverified_chain", None) or tls._sslobj.get_unverified_chain  # type: ignore[attr-defined]  # noqa: SLF001 - see above
    return tuple(c if isinstance(c, bytes) else c.public_bytes(_DER) for c in public() or ())


def _fault_of(error: OSError) -> Fault:
    if isinstance(error, TimeoutError):
        return Fault.TIMED_OUT
    if isinstance(error, ConnectionRefusedError):
        return Fault.REFUSED
    if isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError):
        return Fault.RESET
    return Fault.UNREACHABLE if error.errno in _UNREACHABLE else Fault.CLOSED


def _tls_fault(error: ssl.SSLError, progress: _Progress) -> tuple[Fault, str]:
    """Name what OpenSSL says; its reasons have names such as TLSV1_ALERT_PROTOCOL_VERSION."""
    reason = (error.reason or "").upper()
    words = reason.lower().replace("_", " ") or _said(error)
    if "ALERT" in reason or reason in ("TLSV1_UNRECOGNIZED_NAME", "TLSV13_ALERT_CERTIFICATE_REQUIRED"):
        return Fault.ALERT, words.removeprefix("sslv3 alert ").removeprefix("tlsv1 alert ").removeprefix("tlsv1 ")
    if "EXCESSIVE" in reason or ("TOO_LONG" in reason and progress.first == 0x16):
        return Fault.TOO_LARGE, words
    # Every record of TLS that a server begins with is a handshake (22) or an alert (21).
    return (Fault.UNREADABLE if progress.first in (0x15, 0x16) else Fault.NOT_TLS), words


def _said(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return str(text).strip().rstrip(".").lower()
