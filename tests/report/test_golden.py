"""Whole outputs, byte for byte. `pytest --update-golden` rewrites them; then look at the difference."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from rotator.mechanisms.base import Mechanism, PinsetSpec
from rotator.mechanisms.registry import MODULES, mechanism
from rotator.model.names import Cover, Reach
from rotator.model.pins import Pin, PinKind
from rotator.report import html, markdown, text
from rotator.report.emergency import to_document as emergency_document
from rotator.report.findings import to_document as findings_document
from rotator.workflows.emergency import emergency
from rotator.workflows.importing import import_file
from tests.desk import BASE, NOW, TODAY, Desk
from tests.judging import CONTEXT, spec
from tests.plan.test_emergency import MOVING, ONLY_A
from tests.report.test_document import WHOLE

Golden = Callable[[str, str | bytes], None]
FILES = [own for name in MODULES if (own := mechanism(name)).ours_to_write]
PINSET = spec(
    "api.example.com",
    Cover("example.com", Reach.ALL),
    keys=("a", "b"),
    authorities=("ca",),
    expires=date(2027, 6, 30),
)
CERTIFICATES = spec(
    "api.example.com", certificates=(Pin(PinKind.CERT_SHA256, bytes(range(32))),), expires=PINSET.expires
)
"""What clients that compare whole certificates are given."""


def pinset_of(own: Mechanism) -> PinsetSpec:
    """Give the pinset that a client's file is written for."""
    return PINSET if own.says_keys else CERTIFICATES


@pytest.mark.parametrize("own", FILES, ids=lambda own: own.id)
def test_files_as_export_writes_them(own: Mechanism, golden: Golden) -> None:
    golden(f"{own.id}/{own.file_name}", own.render(own.from_pinset(pinset_of(own))))


@pytest.mark.parametrize("own", FILES, ids=lambda own: own.id)
def test_the_same_files_imported(own: Mechanism, golden: Golden, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    desk.file(own.file_name, own.render(own.from_pinset(pinset_of(own))))
    golden(f"{own.id}/imported.toml", import_file(own.id, own.file_name, TODAY).toml)


def test_a_document_in_every_form(golden: Golden) -> None:
    golden("document/document.txt", text.render(WHOLE))
    golden("document/document.md", markdown.render(WHOLE))
    golden("document/document.html", html.render(WHOLE))


def test_findings_as_text(golden: Golden) -> None:
    own = mechanism("android-nsc")
    data = (
        b'<network-security-config><domain-config><domain includeSubdomains="true">example.com</domain>'
        b'<pin-set expiration="2020-01-01"><pin digest="SHA-256">AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=</pin>'
        b"</pin-set></domain-config><domain-config><domain>open.example.com</domain></domain-config>"
        b"</network-security-config>"
    )
    found = own.parse(data, CONTEXT).findings
    golden("document/findings.txt", text.render(findings_document("shop", found, [("2027-01-01", "a date")])))


def test_an_emergency_as_text(golden: Golden, desk: Desk) -> None:
    found = emergency(desk.open(BASE + ONLY_A + MOVING), NOW, revoked="api")
    golden("emergency/unknown.txt", text.render(emergency_document(found, "shop", 1.0)))
