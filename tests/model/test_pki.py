"""Certificates as values: whom they match, cover and are issued by."""

from __future__ import annotations

from dataclasses import replace

from rotator.model.pins import Pin, PinKind
from rotator.model.pki import TrustStore, may_have_issued, planned_certificate, unique, unknown_key
from tests.minting import instant, intermediate, mint, root, values

ROOT = root("r")
ICA = intermediate("i", ROOT)
LEAF = mint("l", ICA, names=["api.example.com", "*.shop.example.com"], ips=["192.0.2.1"])
R, I, L = values(ROOT, ICA, LEAF)  # noqa: E741 - the intermediate


def test_a_certificate_matches_every_kind_of_pin_on_itself() -> None:
    pins = [
        Pin(PinKind.SPKI_SHA256, L.spki),
        Pin(PinKind.SPKI_SHA1, L.spki_sha1),
        Pin(PinKind.CERT_SHA256, L.sha256),
        Pin(PinKind.CERT_SHA1, L.sha1),
        Pin(PinKind.CERT_MD5, L.md5),
        Pin(PinKind.RAW, L.raw),
        Pin(PinKind.SPKI_SHA512, L.spki_sha512),
        Pin(PinKind.CERT_SHA512, L.sha512),
    ]
    assert [len(pin.digest) == pin.kind.length for pin in pins] == [True] * 8
    assert all(L.matches(pin) for pin in pins)
    assert not any(I.matches(pin) for pin in pins)


def test_a_key_pin_is_no_certificate_pin() -> None:
    assert not L.matches(Pin(PinKind.CERT_SHA256, L.spki))
    assert not L.matches(Pin(PinKind.SPKI_SHA256, L.sha256))


def test_a_planned_certificate_matches_no_empty_digest() -> None:
    """What is not known, such as the SHA-1 of a planned certificate, is matched by nothing."""
    planned = planned_certificate(identity="x", spki=unknown_key("x"), subject="x", issuer=None)
    assert not planned.matches(Pin(PinKind.SPKI_SHA1, b""))
    assert not planned.matches(Pin(PinKind.CERT_MD5, b""))


def test_validity_includes_both_ends() -> None:
    assert L.valid_at(instant("2026-10-01"))
    assert L.valid_at(instant("2027-09-30"))
    assert not L.valid_at(instant("2026-09-30T23:59:59"))
    assert not L.valid_at(instant("2027-09-30T00:00:01"))


def test_names_addresses_and_the_old_common_name() -> None:
    assert L.covers("api.example.com")
    assert L.covers("x.shop.example.com")
    assert L.covers("192.0.2.1")
    assert not L.covers("l")
    bare = values(mint("host.example.com", ICA), ICA)[0]
    assert not bare.covers("host.example.com")
    assert bare.covers("host.example.com", common_name=True)
    assert not L.covers("l", common_name=True)


def test_an_issuer_needs_the_name_and_the_key() -> None:
    assert may_have_issued(I, L)
    assert not may_have_issued(R, L)
    assert not may_have_issued(replace(I, subject_id=b"other"), L)
    assert not may_have_issued(replace(I, spki=b"x" * 32), L)


def test_planned_certificates_of_one_identity_are_one() -> None:
    one = planned_certificate(identity="x", spki=b"k" * 32, subject="a", issuer=R)
    same = planned_certificate(identity="x", spki=b"k" * 32, subject="a", issuer=R)
    other = planned_certificate(identity="y", spki=b"k" * 32, subject="a", issuer=R)
    assert unique((one, same, other)) == (one, other)
    assert may_have_issued(R, one)


def test_a_store_gives_its_own_certificate_for_a_key_it_holds() -> None:
    cross = values(intermediate("r", root("elder"), key_name="r"), ROOT, root("elder"))[0]
    store = TrustStore(name="t", roots=(R,))
    assert store.anchor_for(cross) is R
    assert store.anchor_for(I) is None
    assert store.issuers_of(I) == (R,)


def test_a_root_that_came_with_the_device_is_not_local() -> None:
    store = TrustStore(name="t", roots=(R,), local_roots=(R, I))
    assert not store.is_local(R)
    assert store.is_local(I)
