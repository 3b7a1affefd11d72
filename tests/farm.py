"""TLS servers on loopback, one for each thing that can go wrong, with keys that live as long as the test."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from rotator.files.handshake import Net, Wire
from tests.minting import Minted, chain_pem, instant, key

Handler = Callable[[socket.socket], None]
CONNECT, BIND = socket.socket.connect, socket.socket.bind


class Watched:
    """A socket that notes how long each call may wait; None would be for ever."""

    def __init__(self, wire: socket.socket, waits: list[float | None]) -> None:
        """Watch a socket."""
        self.wire, self.waits = wire, waits
        self.recv, self.sendall, self.close = wire.recv, wire.sendall, wire.close

    def settimeout(self, value: float | None, /) -> None:
        """Set and note it."""
        self.waits.append(value)
        self.wire.settimeout(value)


class Farm:
    """Servers by the address a resolver gives out for them; nothing but loopback is ever called."""

    def __init__(self, folder: Path) -> None:
        """Start with none; keys for the servers are in the folder while they are loaded."""
        self.folder = folder
        self.names: dict[str, list[str]] = {}
        self.ports: dict[str, int] = {}
        self.swallowing: set[str] = set()
        self.waits: list[float | None] = []
        self.listening: list[socket.socket] = []
        self.over = threading.Event()

    def close(self) -> None:
        """Stop."""
        self.over.set()
        for own in self.listening:
            own.close()

    @property
    def net(self) -> Net:
        """Give the network in which these servers are all there is."""

        def resolve(name: str, _port: int) -> Iterable[str]:
            if name.startswith("lost."):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            if name.startswith("waits."):
                self.over.wait(30)
            return self.names.get(name, [])

        def connect(address: str, _port: int, seconds: float) -> Wire:
            self.waits.append(seconds)
            if address in self.swallowing:
                raise TimeoutError("timed out")
            if address not in self.ports:
                raise OSError(101, "Network is unreachable")
            return Watched(socket.create_connection(("127.0.0.1", self.ports[address]), timeout=seconds), self.waits)

        return Net(resolve=resolve, connect=connect, clock=time.monotonic)

    def serve(self, name: str, handler: Handler | None) -> str:
        """Start a server behind a name, beside those that are there; without a handler nothing listens."""
        address = f"192.0.2.{len(self.ports) + 1}"
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.ports[address] = listener.getsockname()[1]
        self.names.setdefault(name, []).append(address)
        if handler is None:
            listener.close()
            return address
        listener.listen(16)
        self.listening.append(listener)
        threading.Thread(target=self._accept, args=(listener, handler), daemon=True).start()
        return address

    def _accept(self, listener: socket.socket, handler: Handler) -> None:
        while not self.over.is_set():
            try:
                wire, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(wire, handler), daemon=True).start()

    def _handle(self, wire: socket.socket, handler: Handler) -> None:
        with contextlib.closing(wire), contextlib.suppress(OSError, ValueError):
            handler(wire)

    def tls(self, *chains: tuple[bytes, bytes], **settings: object) -> Handler:
        """Give a handler that shakes hands with some chains and their keys."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for chain, private in chains:
            path = self.folder / "server.pem"
            path.write_bytes(private + chain)
            context.load_cert_chain(path)
            path.unlink()
        for name, value in settings.items():
            setattr(context, name, value)

        def handle(wire: socket.socket) -> None:
            wire.settimeout(10)
            with contextlib.suppress(OSError, ssl.SSLError), context.wrap_socket(wire, server_side=True) as tls:
                tls.recv(1)

        return handle

    def late(self, handler: Handler, seconds: float) -> Handler:
        """Give a handler that thinks before it answers, and answers well."""

        def handle(wire: socket.socket) -> None:
            if not self.over.wait(seconds):
                handler(wire)

        return handle

    def drip(self, wire: socket.socket) -> None:
        """Send a record of TLS one byte at a time, never an end to it."""
        for byte in struct.pack("!BHH", 22, 0x0303, 16_000) + b"\x02" * 16_000:
            if self.over.wait(0.1):
                return
            wire.sendall(bytes([byte]))

    def silent(self, _wire: socket.socket) -> None:
        """Say nothing at all."""
        self.over.wait(30)


def reset(wire: socket.socket) -> None:
    """Cut the connection off."""
    wire.recv(1)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def half_way(wire: socket.socket) -> None:
    """Begin a record of TLS, then cut the connection off in the middle of it."""
    wire.recv(4096)
    wire.sendall(struct.pack("!BHH", 22, 0x0303, 4_000) + b"\x02\x00\x0f\x9c" + b"\x03" * 400)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def too_old(wire: socket.socket) -> None:
    """Refuse as a server does that knows no TLS from 1.2 on: a fatal alert, protocol_version (RFC 8446, 6.2)."""
    wire.recv(4096)
    wire.sendall(struct.pack("!BHHBB", 21, 0x0301, 2, 2, 70))
    wire.recv(4096)


def plain_http(wire: socket.socket) -> None:
    """Answer as a web server without TLS does on the wrong port."""
    wire.recv(4096)
    wire.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def hang_up(wire: socket.socket) -> None:
    """Close politely without a word."""
    wire.recv(4096)


def garbage(wire: socket.socket) -> None:
    """Answer in another language."""
    wire.recv(1)
    wire.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


def flood(wire: socket.socket) -> None:
    """Send records of nonsense without end."""
    record = struct.pack("!BHH", 22, 0x0303, 16_384) + b"\x0b\x00\xff\xff" + b"\x00" * 16_380
    while True:
        wire.sendall(record)


def ec(minted: Minted, *above: Minted) -> tuple[bytes, bytes]:
    """Give a chain with the key of its leaf."""
    private = key(minted.key, minted.curve).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return chain_pem(minted, *above), private


def rsa_leaf(issuer: Minted, name: str) -> tuple[bytes, bytes]:
    """Make a certificate for a new RSA key."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer.x509.subject)
        .public_key(private.public_key())
        .serial_number(77)
        .not_valid_before(instant("2026-10-01"))
        .not_valid_after(instant("2027-09-30"))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        .sign(key(issuer.key), hashes.SHA256())
    )
    body = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return leaf.public_bytes(serialization.Encoding.PEM) + issuer.pem, body
