"""Every finding on a policy that has it and, beside it, on one that has not."""

from __future__ import annotations

import plistlib
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from rotator.model.findings import Severity
from tests.desk import BASE, NOW, Desk, app
from tests.minting import instant, intermediate, key, mint, pin_b64, pin_text, root

SOUND = BASE + app("shop")
GONE = f'[authorities.gone]\nspki = "{pin_text("gone")}"\n'
THEIRS = '[hosts.theirs]\nnames = ["api.example.com."]\nserves = "c.pem"\ncontrol = "third-party"\n'.replace(
    "api.example.com.", "pay.example.com"
)


def edit(*changes: tuple[str, str], more: str = "", base: str = SOUND) -> str:
    """Change the sound policy."""
    for old, new in changes:
        assert old in base, old
        base = base.replace(old, new, 1)
    return base + more


def more_pinset(line: str) -> tuple[str, str]:
    """Add a line to the pinset."""
    return ('backups = ["b"]', f'backups = ["b"]\n{line}')


@dataclass(frozen=True)
class Case:
    """One finding, a policy that has it, and one that has not.

    Attributes:
        id: the finding.
        having: the policy that has it.
        lacking: the policy that has not.
        severity: how bad it is.
        subject: what it is about.
        at: the day of the check.
        files: files the policies name.
    """

    id: str
    having: str
    severity: Severity = Severity.WARNING
    subject: str = ""
    lacking: str = SOUND
    at: str = "2026-11-23T09:00:00"
    files: dict[str, str | bytes] = field(default_factory=dict)


ERROR, INFO = Severity.ERROR, Severity.INFO
B = ('b = { csr = "b.csr", custody = "safe", proved = 2026-11-01 }', "b = ")
NSC = (
    "<network-security-config><domain-config><domain>api.example.com</domain>{}</domain-config>"
    "</network-security-config>"
)
BELOW = 'covers = [{ name = "api.example.com", subdomains = true }]'
JUNK = "sha256/" + "A" * 43 + "="
PROVED = "proved = 2026-11-01 }\n[auth"
NO_BACKUP = ('backups = ["b"]\n', "")
ANDROID, APPLE, TRUSTKIT = (('"okhttp"', f'"{name}"') for name in ("android-nsc", "apple-ats", "trustkit-ios"))
TWO_PINS = f'<pin digest="SHA-256">{pin_b64("a")}</pin><pin digest="SHA-256">{pin_b64("b")}</pin>'


def shipped(file: str, mechanism: str = "android-nsc") -> str:
    """Write a policy whose app shipped a file."""
    return BASE + app("shop", mechanism, pinset="", more=f'config = "{file}"')


CA_LIST = plistlib.dumps(
    {
        "NSAppTransportSecurity": {
            "NSPinnedDomains": {
                "api.example.com": {
                    "NSPinnedCAIdentities": [{"SPKI-SHA256-BASE64": pin_b64(name)} for name in ("ica", "b")]
                }
            }
        }
    }
)
PUB_521 = (
    key("b", "p521")
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
)
B_521 = 'b = { public_key = "b521.pub", custody = "safe", proved = 2026-11-01 }'


CASES = [
    Case("breaks-now", edit(('serves = "a-chain"', 'serves = "c.pem"')), ERROR, "apps.shop"),
    # backups
    Case("no-usable-backup", edit(NO_BACKUP), ERROR, "pinsets.p"),
    Case("no-usable-backup", edit(('custody = "safe"', 'custody = "hsm"')), subject="pinsets.p"),
    Case(
        "no-usable-backup",
        edit((B[0], f'b = {{ spki = "{pin_text("b")}" }}')),
        ERROR,
        "pinsets.p",
        lacking=edit((B[0], f'b = {{ spki = "{pin_text("b")}", custody = "safe", proved = 2026-11-01 }}')),
    ),
    Case("no-usable-backup", edit(('custody = "safe", proved = 2026-11-01', 'custody = "safe"')), subject="pinsets.p"),
    Case("no-usable-backup", edit((PROVED, "proved = 2025-11-01 }\n[auth")), subject="pinsets.p"),
    Case("no-usable-backup", edit(('custody = "safe"', 'custody = "safe", status = "lost"')), ERROR, "pinsets.p"),
    Case("no-usable-backup", edit(('serves = "a-chain"', 'serves = ["a-chain", "b.pem"]')), ERROR, "pinsets.p"),
    Case(
        "no-usable-backup",
        edit(('backups = ["b"]\n', 'authorities = ["ica"]\n')),
        ERROR,
        "pinsets.p",
        lacking=edit(('backups = ["b"]\n', 'authorities = ["other-root"]\n')),
    ),
    Case("custody-unknown", edit(('custody = "safe", ', "")), INFO, "keys.b"),
    Case("single-pin", edit(NO_BACKUP), subject="pinsets.p"),
    Case(
        "primary-not-served",
        edit(('primary = "a"', 'primary = "b"'), ('backups = ["b"]', 'backups = ["a"]')),
        subject="pinsets.p.primary",
    ),
    Case(
        "stale-proof",
        edit(('primary = "a"\nbackups = ["b"]', 'primary = ["a", "b"]'), (PROVED, "proved = 2025-01-01 }\n[auth")),
        subject="keys.b",
    ),
    Case("compromised-pin-shipped", edit(('custody = "hsm"', 'status = "compromised"')), ERROR, "keys.a"),
    Case("lost-pin-shipped", edit(('custody = "safe"', 'status = "lost"')), subject="keys.b"),
    Case("destroyed-pin-shipped", edit(('custody = "safe"', 'status = "destroyed"')), subject="keys.b"),
    # dates
    Case(
        "pins-expire",
        edit(TRUSTKIT, more_pinset("expires = 2027-02-01")),
        ERROR,
        "apps.shop",
        lacking=edit(more_pinset("expires = 2027-02-01")),
    ),
    Case(
        "pins-expire",
        edit(TRUSTKIT, more_pinset("expires = 2027-06-30")),
        subject="apps.shop",
        lacking=edit(TRUSTKIT, more_pinset("expires = 2029-06-30")),
    ),
    Case(
        "pins-expired",
        edit(ANDROID, more_pinset("expires = 2026-11-20")),
        subject="apps.shop",
    ),
    Case("cert-expires", SOUND, subject="hosts.api", at="2027-07-15"),
    Case("cert-expires", SOUND, ERROR, "hosts.api", at="2027-09-10"),
    Case("cert-expired", SOUND, ERROR, "hosts.api", at="2027-10-10"),
    Case(
        "certificate-pin",
        edit(more_pinset('certificates = ["a-chain"]')),
        subject="pinsets.p.certificates",
    ),
    Case("stale-counts", edit(("measured = 2026-11-20", "measured = 2026-10-01")), INFO, "measured"),
    Case("stale-counts", edit(("measured = 2026-11-20", "measured = 2026-06-01")), subject="measured"),
    Case("counts-missing", BASE + app("shop", clients=""), INFO, "apps"),
    Case(
        "mixed-units",
        BASE + app("x", more='counts = { unit = "a" }') + app("y", more='counts = { unit = "b" }'),
        subject="apps",
        lacking=BASE + app("x", more='counts = { unit = "a" }') + app("y", more='counts = { unit = "a" }'),
    ),
    Case(
        "stale-sighting",
        edit(('serves = "a-chain"', 'serves = "a-chain"\nobserved = 2026-11-01')),
        INFO,
        "hosts.api.observed",
        lacking=edit(('serves = "a-chain"', 'serves = "a-chain"\nobserved = 2026-11-20')),
    ),
    # pins
    Case(
        "unknown-pin",
        shipped("stranger.xml"),
        subject=pin_text("stranger"),
        lacking=shipped("known.xml"),
        files={
            "stranger.xml": NSC.format(f'<pin-set><pin digest="SHA-256">{pin_b64("stranger")}</pin></pin-set>'),
            "known.xml": NSC.format(f"<pin-set>{TWO_PINS}</pin-set>"),
        },
    ),
    Case("junk-pin", edit((B[0], f'b = {{ spki = "{JUNK}" }}')), ERROR, "keys.b"),
    Case(
        "pinned-not-ours",
        edit(more=THEIRS),
        subject="hosts.theirs",
        lacking=edit(more=THEIRS.replace('"third-party"', '"third-party"\naudience = "intranet"')),
    ),
    Case(
        "export-drift",
        edit(more='[[exports]]\npinset = "p"\nfiles = { okhttp = "old.json" }\n'),
        ERROR,
        "exports[0].files.okhttp",
        lacking=edit(more='[[exports]]\npinset = "p"\nfiles = { okhttp = "new.json" }\n'),
        files={
            "old.json": f'{{"api.example.com": ["{pin_text("a")}"]}}',
            "new.json": f'{{"api.example.com": ["{pin_text("a")}", "{pin_text("b")}"]}}',
        },
    ),
    Case(
        "export-drift",
        edit(more='[[exports]]\npinset = "p"\nfiles = { okhttp = "broken.json" }\n'),
        ERROR,
        "exports[0].files.okhttp",
        lacking=edit(more='[[exports]]\npinset = "p"\nfiles = { okhttp = "none.json" }\n'),
        files={"broken.json": "nonsense"},
    ),
    # files and formats
    Case(
        "config-rejected",
        shipped("bad.xml"),
        ERROR,
        "apps.shop.config",
        files={"bad.xml": NSC.format("<pin-set/>" * 2)},
    ),
    Case("config-rejected", edit(TRUSTKIT, NO_BACKUP), ERROR, "pinsets.p"),
    Case(
        "nothing-pinned",
        shipped("empty.xml"),
        subject="apps.shop.config",
        files={"empty.xml": "<network-security-config/>"},
    ),
    Case(
        "single-pin",
        shipped("one.xml"),
        subject="apps.shop.config: api.example.com",
        files={"one.xml": NSC.format(f'<pin-set><pin digest="SHA-256">{pin_b64("a")}</pin></pin-set>')},
    ),
    Case(
        "no-expiry",
        edit(more_pinset("expires = 2029-06-30")),
        subject="pinsets.p",
        lacking=edit(TRUSTKIT, more_pinset("expires = 2029-06-30")),
    ),
    Case("no-report-only", edit(more_pinset('mode = "report-only"')), subject="pinsets.p"),
    Case(
        "no-certificate-pins",
        edit(more_pinset('certificates = ["a-chain"]')),
        subject="pinsets.p",
    ),
    Case("ends-by-itself", edit(('"okhttp"', '"chromium"')), subject="pinsets.p"),
    Case("leaf-only", edit(('"okhttp"', '"curl"'), more_pinset('authorities = ["root"]')), subject="pinsets.p"),
    # what a client can use
    Case(
        "ca-pin-for-leaf",
        shipped("curl.conf", "curl"),
        ERROR,
        "apps.shop.config: every host",
        lacking=shipped("own.conf", "curl"),
        files={
            "curl.conf": f"pinnedpubkey = sha256//{pin_b64('a')};sha256//{pin_b64('ica')}\n",
            "own.conf": f"pinnedpubkey = sha256//{pin_b64('a')};sha256//{pin_b64('b')}\n",
        },
    ),
    Case(
        "leaf-pin-for-ca",
        shipped("Info.plist", "apple-ats"),
        ERROR,
        "apps.shop.config: api.example.com",
        lacking=edit(APPLE, more_pinset('authorities = ["ica", "other-root"]\ncombine = "leaf-and-ca"')),
        files={"Info.plist": CA_LIST},
    ),
    Case("key-type-unsupported", edit((B[0], B_521), TRUSTKIT), ERROR, "keys.b", files={"b521.pub": PUB_521}),
    Case("unusual-key-type", edit((B[0], B_521)), subject="keys.b", files={"b521.pub": PUB_521}),
    Case("too-few-pins", edit(TRUSTKIT, NO_BACKUP), subject="pinsets.p"),
    Case(
        "one-label-only",
        edit(APPLE, more_pinset(BELOW)),
        subject="pinsets.p",
        lacking=edit(more_pinset(BELOW)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{case.id}" for i, case in enumerate(CASES)])
def test_a_policy_that_has_it_says_so(desk: Desk, case: Case) -> None:
    for name, data in case.files.items():
        desk.file(name, data)
    found = [f for f in desk.check(case.having, instant(case.at)).findings if f.id == case.id]
    fitting = [f for f in found if f.subject == case.subject and f.severity is case.severity]
    assert fitting, [str(f) for f in found] or desk.findings(case.having, instant(case.at))
    assert fitting[0].message


@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{case.id}" for i, case in enumerate(CASES)])
def test_one_that_has_not_does_not(desk: Desk, case: Case) -> None:
    for name, data in case.files.items():
        desk.file(name, data)
    assert case.id not in desk.findings(case.lacking)


def test_a_sound_policy_has_nothing_to_say(desk: Desk) -> None:
    assert desk.findings(SOUND) == set()


def test_a_key_no_public_ca_certifies_is_no_backup_except_under_a_private_one(desk: Desk) -> None:
    """The minted roots are private, so any key type will do; under a root of the bundle it will not."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    desk.file("odd.pub", key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    private = edit((B[0], 'b = { public_key = "odd.pub", custody = "safe", proved = 2026-11-01 }'))
    assert "no-usable-backup" not in desk.findings(private)
    public = edit(
        ('a-chain = { file = "a.pem" }', 'a-chain = { leaf = "a", issuers = ["x1"], not_before = 2026-11-01 }'),
        ("[chains]", 'x1 = { bundled = "ISRG Root X1" }\n[chains]'),
        base=private,
    )
    assert "no-usable-backup" in desk.findings(public)


def test_an_end_within_the_local_day_is_told_with_both_bounds(desk: Desk) -> None:
    text = edit(ANDROID, more_pinset("expires = 2026-12-31"))
    (found,) = [f for f in desk.check(text).findings if f.id == "pins-expire"]
    assert "2026-12-30T10:00Z to 2026-12-31T12:00Z" in found.message
    assert found.due is not None
    assert found.due.isoformat() == "2026-12-30"


def test_findings_come_worst_first(desk: Desk) -> None:
    text = edit(("measured = 2026-11-20", "measured = 2026-10-01"), NO_BACKUP)
    ranks = [f.severity.rank for f in desk.check(text).findings]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == 3


def test_a_cross_signed_intermediate_that_is_pinned_but_not_used_is_a_spare(desk: Desk) -> None:
    spare = intermediate("spare-ica", root("other-root"))
    desk.file("spare.pem", spare.pem)
    text = edit(
        ("[chains]", 'spare = { certificate = "spare.pem" }\n[chains]'),
        ('backups = ["b"]', 'authorities = ["spare"]'),
    )
    assert "no-usable-backup" not in desk.findings(text)


def test_a_renewal_rhythm_keeps_short_certificates_quiet(desk: Desk) -> None:
    short = mint("a", intermediate("ica", root("root")), names=["api.example.com"], not_after="2026-12-20")
    desk.file("a.pem", short.pem + (desk.folder / "ica.pem").read_bytes())
    assert "cert-expires" in desk.findings(SOUND)
    assert "cert-expires" not in desk.findings(edit(('serves = "a-chain"', 'serves = "a-chain"\nrenew_days = 60')))
    late = instant("2026-12-10")
    assert "cert-expires" in desk.findings(edit(('serves = "a-chain"', 'serves = "a-chain"\nrenew_days = 60')), late)


def test_pins_that_end_while_others_of_the_release_hold_are_only_told(desk: Desk) -> None:
    """Nobody goes unpinned, and nobody is let through by waiting."""
    both = BASE.replace('backups = ["b"]', 'backups = ["b"]\nexpires = 2027-01-15') + (
        '[apps.shop]\nmechanism = ["android-nsc", "okhttp"]\npinset = "p"\ntrust = "ours"\nclients = 10\n'
    )
    (found,) = [f for f in desk.check(both).findings if f.id == "pins-expire"]
    assert found.severity is Severity.INFO
    assert "others of the same release hold" in found.message


def test_a_certificate_pin_is_told_with_its_next_renewal(desk: Desk) -> None:
    pins = '[mechanisms.exact]\nlike = "curl"\nobject = "cert-sha256"\n[pinsets.cert]\ncertificates = ["a-chain"]\n'
    text = BASE + pins + app("shop", "exact", pinset="cert")
    (found,) = [f for f in desk.check(text).findings if f.id == "certificate-pin"]
    assert "by 2027-09-30" in found.message
    rhythm = text.replace('serves = "a-chain"', 'serves = "a-chain"\nrenew_days = 60')
    (found,) = [f for f in desk.check(rhythm).findings if f.id == "certificate-pin"]
    assert "by 2026-11-30" in found.message


ALLOW = '[[allow]]\nfinding = "single-pin"\nreason = "agreed"\n'
ONE_PIN = edit(NO_BACKUP)


@pytest.mark.parametrize(
    ("more", "there"),
    [
        ("", False),
        ('subject = "pinsets.p"\n', False),
        ('subject = "pinsets"\n', False),
        ('subject = "pinsets.q"\n', True),
        ('subject = "pinset"\n', True),
        ("until = 2026-11-23\n", False),
        ("until = 2026-11-22\n", True),
    ],
)
def test_a_finding_we_live_with_is_left_out_until_its_day(desk: Desk, more: str, *, there: bool) -> None:
    found = [f for f in desk.check(ONE_PIN + ALLOW + more).findings if f.id == "single-pin"]
    assert bool(found) is there
    if "2026-11-22" in more:
        assert "allowed until 2026-11-22" in found[0].message


def test_the_calendar_has_ends_events_and_freezes_within_the_horizon(desk: Desk) -> None:
    text = edit(
        ANDROID,
        more_pinset("expires = 2027-06-30"),
        more=(
            '[[calendar]]\ndate = 2027-04-15\nevent = "ca-distrust:root"\nnote = "drill"\n'
            '[[calendar]]\ndate = 2030-04-15\nevent = "ca-distrust:root"\n'
            "[[freeze]]\nfrom = 2026-12-18\nto = 2027-01-04\n"
        ),
    )
    rows = [(item.day.isoformat(), item.what) for item in desk.check(text, NOW).calendar]
    assert rows == [
        ("2026-12-18", "freeze begins (ship, serve)"),
        ("2027-01-04", "freeze ends"),
        ("2027-04-15", "ca-distrust:root (drill)"),
        ("2027-06-29", "pins of shop end"),
        ("2027-09-30", "certificate of api ends"),
    ]


def test_a_finding_as_json_has_all_its_parts(desk: Desk) -> None:
    (found,) = [f for f in desk.check(ONE_PIN).findings if f.id == "single-pin"]
    assert found.to_json() == {
        "id": "single-pin",
        "severity": "warning",
        "subject": "pinsets.p",
        "message": "one pin only: when its key is lost or changed, every client breaks",
        "hint": "add the pin of a backup key that is kept apart",
        "due": None,
        "source": "",
    }


def test_a_compromised_key_that_is_served_is_an_error(desk: Desk) -> None:
    stolen = BASE.replace("proved = 2026-11-01 }\nb", 'proved = 2026-11-01, status = "compromised" }\nb')
    assert "compromised-key-served" in desk.findings(stolen + app("shop"))
    assert "compromised-key-served" not in desk.findings(BASE + app("shop"))
    backup = BASE.replace('b = { csr = "b.csr", ', 'b = { csr = "b.csr", status = "compromised", ')
    assert "compromised-key-served" not in desk.findings(backup + app("shop"))


@pytest.mark.parametrize("status", ["lost", "destroyed"])
def test_a_key_that_is_gone_and_served_is_an_error(desk: Desk, status: str) -> None:
    def marked(since: str) -> str:
        return BASE.replace("proved = 2026-11-01 }\nb", f'status = "{status}"{since} }}\nb') + app("shop")

    for since in ("", ", since = 2026-11-01", ", since = 2026-12-01"):
        found = next(f for f in desk.check(marked(since)).findings if f.id == f"{status}-key-served")
        assert (found.severity, found.subject) == (ERROR, "keys.a")
        assert "api" in found.message
        assert (found.due is not None) is since.endswith("12-01")
    assert f"{status}-key-served" not in desk.findings(BASE + app("shop"))
