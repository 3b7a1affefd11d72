"""Certificates, keys and requests, in the forms people have them; and private keys, which are refused."""

from __future__ import annotations

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from rotator.errors import InputError
from rotator.files import pem
from rotator.files.der import contents
from tests.desk import TOP, Desk
from tests.minting import (
    chain_pem,
    csr,
    instant,
    intermediate,
    mint,
    pin,
    private_pem,
    public_pem,
    root,
    spki_der,
    values,
)

ROOT = root("root")
ICA = intermediate("ica", ROOT)
LEAF = mint("leaf", ICA, names=["api.example.com", "*.example.com"], ips=["192.0.2.1", "2001:db8::1"])
PASTE = (
    b"""\
CONNECTED(00000003)
depth=2 CN = root
verify return:1
---
Certificate chain
 0 s:CN = leaf
   i:CN = ica
   a:PKEY: id-ecPublicKey, 256 (bit); sigalg: ecdsa-with-SHA256
   v:NotBefore: Oct  1 00:00:00 2026 GMT; NotAfter: Sep 30 00:00:00 2027 GMT
"""
    + LEAF.pem
    + b" 1 s:CN = ica\n   i:CN = root\n"
    + ICA.pem
    + b"""---
Server certificate
subject=CN = leaf
issuer=CN = ica
---
SSL handshake has read 2048 bytes and written 396 bytes
DONE
"""
)


@pytest.mark.parametrize(
    "data",
    [
        chain_pem(LEAF, ICA),
        PASTE,
        PASTE.replace(b"\n", b"\r\n"),
        b"Bag Attributes\n    friendlyName: x\nsubject=CN = leaf\n" + chain_pem(LEAF, ICA),
        chain_pem(LEAF, ICA).replace(b"BEGIN CERT", b"BEGIN X509 CERT").replace(b"END CERT", b"END X509 CERT"),
    ],
    ids=["PEM", "s_client", "s_client, CRLF", "bag attributes", "X509"],
)
def test_a_chain_is_read_out_of_whatever_is_around_it(data: bytes) -> None:
    found = [item.value for item in pem.load_certificates(data, "x")]
    assert [c.spki for c in found] == [pin("leaf").digest, pin("ica").digest]


def test_one_certificate_may_come_as_der() -> None:
    (only,) = pem.load_certificates(LEAF.der, "x")
    assert only.value.sha256 == hashlib.sha256(LEAF.der).digest()


def test_everything_a_certificate_says_is_read() -> None:
    leaf = values(LEAF, ICA)[0]
    assert leaf.sha256 == hashlib.sha256(LEAF.der).digest()
    assert leaf.sha1 == hashlib.sha1(LEAF.der, usedforsecurity=False).digest()
    assert leaf.md5 == hashlib.md5(LEAF.der, usedforsecurity=False).digest()
    assert leaf.spki == hashlib.sha256(spki_der("leaf")).digest()
    assert (leaf.subject, leaf.issuer, leaf.common_name) == ("CN=leaf", "CN=ica", "leaf")
    assert (leaf.not_before, leaf.not_after) == (instant("2026-10-01"), instant("2027-09-30"))
    assert leaf.dns_names == ("api.example.com", "*.example.com")
    assert leaf.ip_names == ("192.0.2.1", "2001:db8::1")
    assert (leaf.ca, leaf.path_length, leaf.server_auth, leaf.has_names) == (False, None, True, True)
    assert leaf.serial == LEAF.x509.serial_number
    assert leaf.signer == pin("ica").digest


def test_what_a_ca_may_sign_is_read() -> None:
    made = mint("x", ROOT, ca=True, path_length=2, permitted=["a.test"], excluded=["b.a.test"], client_only=True)
    ca = values(made, ROOT)[0]
    assert (ca.ca, ca.path_length, ca.permitted, ca.excluded) == (True, 2, ("a.test",), ("b.a.test",))
    assert not ca.server_auth


def test_a_signer_is_known_only_where_the_signature_was_verified() -> None:
    impostor = root("ica", key_name="impostor")
    assert values(LEAF, impostor)[0].signer is None
    assert values(LEAF, impostor, ICA)[0].signer == pin("ica").digest
    assert values(ROOT)[0].self_signed


def test_names_are_equal_but_for_case_and_spaces() -> None:
    """RFC 5280, 7.1."""
    one, other = values(mint("My  CA", ca=True), mint("my ca", ca=True))
    assert one.subject_id == other.subject_id
    assert values(mint("My CA 2", ca=True))[0].subject_id != one.subject_id


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (rsa.generate_private_key(65537, 2048).public_key(), "rsa-2048"),
        (ec.derive_private_key(5, ec.SECP256R1()).public_key(), "ec-p256"),
        (ec.derive_private_key(5, ec.SECP384R1()).public_key(), "ec-p384"),
        (ec.derive_private_key(5, ec.SECP521R1()).public_key(), "ec-p521"),
        (ec.derive_private_key(5, ec.SECP256K1()).public_key(), "ec-secp256k1"),
        (ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key(), "ed25519"),
        (ed448.Ed448PrivateKey.from_private_bytes(bytes(57)).public_key(), "ed448"),
    ],
)
def test_key_types_have_names(key: object, name: str) -> None:
    assert pem.key_type(key) == name


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (LEAF.pem, "certificate"),
        (LEAF.der, "certificate"),
        (public_pem("leaf"), "public_key"),
        (spki_der("leaf"), "public_key"),
        (csr("leaf"), "csr"),
        (csr("leaf").replace(b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST"), "csr"),
        (x509.load_pem_x509_csr(csr("leaf")).public_bytes(serialization.Encoding.DER), "csr"),
    ],
    ids=["certificate", "certificate DER", "public key", "public key DER", "request", "new request", "request DER"],
)
def test_the_public_half_of_a_key_is_the_same_wherever_it_comes_from(data: bytes, source: str) -> None:
    facts = pem.load_key(data, "x", source)
    assert facts.pin == pin("leaf")
    assert facts.key_type == "ec-p256"
    assert facts.spki_sha1 == hashlib.sha1(spki_der("leaf"), usedforsecurity=False).digest()


@pytest.mark.parametrize(
    ("data", "source", "word"),
    [
        (csr("leaf", tampered=True), "csr", "signature is wrong"),
        (public_pem("leaf"), "csr", "not a readable certificate request"),
        (csr("leaf"), "public_key", "not a readable public key"),
        (LEAF.pem, "public_key", "use certificate ="),
        (b"", "public_key", "not a readable public key"),
        (b"", "csr", "not a readable certificate request"),
        (b"", "certificate", "the file is empty"),
        (csr("leaf"), "certificate", "it holds a certificate request"),
        (b"\x30\x03\x02\x01\x05", "certificate", "cannot be read"),
        (LEAF.pem.replace(b"MII", b"M!!", 1), "certificate", "not base64"),
        (LEAF.pem.replace(b"MII", b"MIJ", 1), "certificate", "certificate 1 cannot be read"),
        (b"\x30\x82\xff\xff\x00", "csr", "not a readable certificate request"),
    ],
)
def test_what_is_something_else_is_told(data: bytes, source: str, word: str) -> None:
    with pytest.raises(InputError) as caught:
        pem.load_key(data, "key.file", source)
    assert word in str(caught.value)
    assert caught.value.problems[0].file == "key.file"


RSA = rsa.generate_private_key(65537, 2048)
PRIVATE = {
    "PKCS 8": private_pem("leaf"),
    "encrypted": RSA.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    ),
    "RSA": RSA.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ),
    "OpenSSH": RSA.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ),
    "beside a chain": chain_pem(LEAF, ICA) + private_pem("leaf"),
}


@pytest.mark.parametrize("data", PRIVATE.values(), ids=PRIVATE.keys())
@pytest.mark.parametrize("source", ["certificate", "public_key", "csr"])
def test_a_private_key_is_refused_with_the_way_to_the_public_one(data: bytes, source: str) -> None:
    with pytest.raises(InputError) as caught:
        pem.load_key(data, "x.pem", source)
    (only,) = caught.value.problems
    assert only.message == "holds a private key: Rotator never reads one"
    assert "openssl pkey" in only.hint
    assert "-pubout" in only.hint


def test_a_private_key_in_a_policy_is_refused_wherever_it_stands(desk: Desk) -> None:
    desk.file("secret.pem", chain_pem(LEAF, ICA) + private_pem("leaf"))
    text = TOP + (
        'pki = ["secret.pem"]\n[keys]\nk = { certificate = "secret.pem" }\n'
        '[authorities]\nr = { certificate = "secret.pem" }\n'
        '[chains]\nc = { file = "secret.pem" }\n[trust]\nt = { roots = "secret.pem" }\n'
    )
    problems = desk.problems(text.replace("measured = 2026-11-20\n", ""))
    assert problems
    assert all("private key" in p.message for p in problems)
    assert any(p.path == "authorities.r.certificate" for p in problems)


def test_too_many_certificates_are_refused() -> None:
    with pytest.raises(InputError, match="too many"):
        pem.load_certificates(LEAF.pem * (pem.MAX_CERTIFICATES + 1), "x")


def test_unreadable_ones_are_left_out_of_big_bundles_only() -> None:
    broken = LEAF.pem.replace(b"MII", b"MIJ", 1)
    assert len(pem.load_certificates(broken + ICA.pem, "x", skip_unreadable=True)) == 1
    with pytest.raises(InputError, match="certificate 1"):
        pem.load_certificates(broken + ICA.pem, "x")


def tlv(tag: int, body: bytes) -> bytes:
    """Write a DER element."""
    size = len(body)
    more = b"" if size < 128 else b"\x81" if size < 256 else b"\x82"
    return bytes([tag]) + more + size.to_bytes(max(1, len(more) and more[0] - 0x80), "big") + body


def test_pins_are_digests_of_the_bytes_in_the_certificate() -> None:
    """Also where the encoding is odd: a key as a compressed point hashes to something else than written out."""
    plain, der = spki_der("odd"), mint("x", key_name="odd").der
    point = plain[-65:]
    odd = tlv(0x30, plain[2:23] + tlv(0x03, bytes([0, 2 + point[-1] % 2]) + point[1:33]))
    outer, end = contents(der, 0)
    start, stop = contents(der, outer)
    changed = tlv(0x30, tlv(0x30, der[start:stop].replace(plain, odd)) + der[stop:end])
    (found,) = pem.load_certificates(changed, "x")
    assert found.value.spki == hashlib.sha256(odd).digest()
    assert found.value.spki != hashlib.sha256(plain).digest()
    assert found.value.key_type == "ec-p256"


def test_hashes_used_for_signatures_do_not_matter() -> None:
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(RSA.public_key())
        .serial_number(1)
        .not_valid_before(instant("2026-01-01"))
        .not_valid_after(instant("2027-01-01"))
        .sign(RSA, hashes.SHA384())
    )
    (only,) = pem.load_certificates(made.public_bytes(serialization.Encoding.DER), "x")
    assert only.value.label == "unnamed"
    assert not only.value.has_names
