"""Certificates that an app carries in its bundle: `.cer`, `.crt`, `.der` or PEM files."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import Context, Entry, PinConfig, PinList, PinsetSpec, distinct
from rotator.model.pins import Pin, PinKind, spki_pin
from rotator.model.rules import Scope


def config_of(data: bytes, context: Context, scope: Scope) -> PinConfig:
    """Pin the keys of every certificate in a file.

    What such a client compares is the certificate or its key, as the code around it says; keys are taken, since
    that is what survives a renewal, and the finding of the mechanism says so.

    Raises:
        InputError: there is no certificate that can be read.
    """
    pins = distinct(spki_pin(certificate.spki) for certificate in context.decode(data))
    if not pins:
        raise InputError(Problem("holds no certificate", file=context.subject, expected="DER or PEM certificates"))
    return PinConfig(entries=(Entry(lists=(PinList(scope=scope, pins=pins),)),))


def whole_of(data: bytes, context: Context) -> tuple[Pin, ...]:
    """Give the certificates of a file as pins on whole certificates."""
    return distinct(Pin(PinKind.CERT_SHA256, certificate.sha256) for certificate in context.decode(data))


def from_pinset(spec: PinsetSpec, scope: Scope) -> PinConfig:
    """Take the keys and authorities of a pinset, or its whole certificates where it has nothing else.

    One such client compares keys or certificates, never both.
    """
    pins = distinct((*spec.keys, *spec.authorities)) or distinct(spec.certificates)
    if not pins:
        return PinConfig()
    return PinConfig(entries=(Entry(covers=spec.covers, lists=(PinList(scope=scope, pins=pins),)),))


def losses(mechanism: str, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
    """Name what is left out where a pinset holds keys and certificates."""
    if spec.certificates and (spec.keys or spec.authorities):
        yield (
            "no-certificate-pins",
            f"{mechanism} compares keys or whole certificates, not both: pins on certificates are left out",
        )


def whole(pins: tuple[Pin, ...]) -> bool:
    """Say whether pins are on whole certificates."""
    return bool(pins) and all(pin.kind is PinKind.CERT_SHA256 for pin in pins)
