"""Paths: Rotator's builder and its memory, against the verifier of `cryptography`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from benchmarks.timing import Line, line, measure
from rotator.files.pem import link, load_certificates
from rotator.model.pki import Certificate, TrustStore
from rotator.model.rules import Rule
from rotator.simulate.inventory import Inventory
from rotator.simulate.judgement import Side, Situation
from rotator.simulate.scene import Judges

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
NAME = "api.example.com"


def _mint(
    subject: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None, *, ca: bool
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    signer, above = (key, name) if issuer is None else (issuer[1], issuer[0].subject)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(above)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(NOW + timedelta(days=60))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if ca:
        usage = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        made = made.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    else:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return made.sign(signer, hashes.SHA256()), key


def _read(pems: list[bytes]) -> tuple[Certificate, ...]:
    """Read certificates, and check which of them signed which."""
    loaded = load_certificates(b"".join(pems), "chain.pem")
    linked = link(loaded)
    return tuple(linked[own.value] for own in loaded)


def lines(*, quick: bool) -> Iterator[Line]:
    """Measure paths."""
    root = _mint("root", None, ca=True)
    ica = _mint("ica", root, ca=True)
    leaf = _mint("leaf", ica, ca=False)
    pems = [own[0].public_bytes(serialization.Encoding.PEM) for own in (leaf, ica, root)]
    verifier = PolicyBuilder().store(Store([root[0]])).time(NOW).build_server_verifier(x509.DNSName(NAME))
    runs = 3 if quick else 9
    theirs = measure(lambda: verifier.verify(leaf[0], [ica[0]]), runs=runs, fewest=0.02)
    sent = _read(pems)
    store = TrustStore(name="ours", roots=sent[2:])
    judges, situation = Judges(Inventory(policy=None)), Situation(at=NOW)  # type: ignore[arg-type]  # the judge asks no policy
    assert judges.judge(Rule(), sent[:2], NAME, store, situation, Side.OURS).accepted  # noqa: S101
    read = measure(lambda: _read(pems), runs=runs, fewest=0.02)
    built = measure(lambda: judges.answer(Rule(), sent[:2], NAME, store, situation, Side.OURS), runs=runs, fewest=0.02)
    rule, chain = Rule(), sent[:2]
    again = measure(lambda: judges.judge(rule, chain, NAME, store, situation, Side.OURS), runs=runs, fewest=0.02)
    name = "cryptography's verifier"
    yield line("path of 3, P-256: the first time, files read", read, name, theirs, most=1.3)
    yield line("the same, certificates at hand", built, name, theirs, most=1.3)
    yield line("the same again", again, name, theirs, least=1_000)
