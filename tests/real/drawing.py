"""A universe of certificates that is minted once, and chains drawn from it by the thousand.

Three roots that sign each other, four intermediates under all of them and under one another, leaves under each: sound,
ended, not begun, with short path lengths, with names that do not fit. Each certificate is what RFC 5280 and the
Baseline Requirements ask for, so that strict verifiers have no other reason to refuse.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rotator.files import pem
from rotator.model.pki import Certificate
from tests.minting import instant, key

AT = instant("2026-11-23T12:00:00")
HOST = "api.example.com"
ROOTS, ICAS = ("A", "B", "C"), ("I", "J", "K", "L")
TIMES = {
    "sound": ("2026-01-01", "2028-01-01"),
    "ended": ("2025-01-01", "2026-06-01"),
    "to come": ("2027-01-01", "2028-01-01"),
}


@dataclass(frozen=True)
class Piece:
    """A certificate as a library and as the program have it, and what was meant by it."""

    x509: x509.Certificate
    value: Certificate
    subject: str
    issuer: str
    time: str
    path_length: int | None = None
    names: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Show it in a failure."""
        return f"{self.subject}<{self.issuer} {self.time} pl={self.path_length} {','.join(self.names)}"


@dataclass(frozen=True)
class Case:
    """One chain and one trust store."""

    sent: tuple[Piece, ...]
    roots: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """Show it in a failure."""
        return " | ".join(piece.text for piece in self.sent) + "  TRUSTED  " + " | ".join(p.text for p in self.roots)


def _mint(subject: str, issuer: str, time: str, path_length: int | None, names: tuple[str, ...]) -> x509.Certificate:
    ca = not names
    what = f"{subject}|{issuer}|{time}|{path_length}|{names}"
    begin, end = TIMES[time]
    public = key(f"pool {subject}").public_key()
    above = key(f"pool {issuer}")
    usage = x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public)
        .serial_number(int.from_bytes(hashlib.sha256(what.encode()).digest()[:12], "big") | 1)
        .not_valid_before(instant(begin))
        .not_valid_after(instant(end))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
        usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(usages, critical=False)
    return builder.sign(above, hashes.SHA256(), ecdsa_deterministic=True)


def _wanted() -> Iterator[tuple[str, str, str, int | None, tuple[str, ...]]]:
    """Give what is minted: subject, issuer, time, path length, names (of leaves only)."""
    for root in ROOTS:
        for time in ("sound", "ended"):
            yield root, root, time, None, ()
            yield from ((root, other, time, None, ()) for other in ROOTS if other != root)
        yield root, root, "sound", 1, ()
    for ica in ICAS:
        for issuer in (*ROOTS, *(other for other in ICAS if other != ica)):
            yield from ((ica, issuer, time, None, ()) for time in TIMES)
            yield ica, issuer, "sound", 0, ()
    for issuer in ("A", *ICAS):
        leaf = f"leaf of {issuer}"
        for names in ((HOST,), ("*.example.com",), ("www.example.com",)):
            yield leaf, issuer, "sound", None, names
        yield leaf, issuer, "ended", None, (HOST,)


@cache
def universe() -> tuple[Piece, ...]:
    """Mint everything, and know every signature among it."""
    wanted = list(_wanted())
    minted = [_mint(*what) for what in wanted]
    loaded = [pem.load_certificates(m.public_bytes(Encoding.DER), "minted")[0] for m in minted]
    linked = pem.link(loaded)
    return tuple(
        Piece(x509=m, value=linked[item.value], subject=w[0], issuer=w[1], time=w[2], path_length=w[3], names=w[4])
        for m, item, w in zip(minted, loaded, wanted, strict=True)
    )


def draw(count: int, seed: int) -> Iterator[Case]:
    """Draw chains: most lead somewhere, with something wrong or superfluous on the way."""
    dice = Random(seed)  # noqa: S311 - the same chains at every run
    everything = universe()
    leaves = [piece for piece in everything if piece.names]
    cas = [piece for piece in everything if not piece.names]
    by_subject: dict[str, list[Piece]] = {}
    for piece in cas:
        by_subject.setdefault(piece.subject, []).append(piece)
    for _ in range(count):
        leaf = dice.choice(
            [x for x in leaves if x.time == "sound" and HOST in x.names] if dice.random() < 0.7 else leaves
        )
        sent: list[Piece] = []
        at = leaf.issuer
        for _ in range(dice.randint(0, 3)):
            if at in ROOTS and dice.random() < 0.6:
                break
            step = dice.choice(by_subject[at])
            if step.time != "sound" and dice.random() < 0.7:
                step = dice.choice(by_subject[at])
            sent.append(step)
            at = step.issuer
        sent += dice.sample(cas, dice.choice((0, 0, 1, 2, 4)))
        if dice.random() < 0.5:
            dice.shuffle(sent)
        roots = [dice.choice(by_subject[root]) for root in dice.sample(ROOTS, dice.randint(1, 3))]
        anchors = [x for x in roots if x.subject == x.issuer] or [by_subject[dice.choice(ROOTS)][0]]
        if dice.random() < 0.15:
            anchors.append(dice.choice(cas))
        yield Case(sent=(leaf, *dict.fromkeys(sent)), roots=tuple(dict.fromkeys(anchors)))
