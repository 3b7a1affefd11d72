"""Damaged pin files, policies and certificates: a result or an `InputError` with words, and nothing else."""

from __future__ import annotations

import json
import os
import plistlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypeVar

import pytest

from rotator.errors import InputError
from rotator.files import pem
from rotator.files.policy_toml import read_policy
from rotator.mechanisms.base import Mechanism
from rotator.mechanisms.registry import KNOWN_IDS, mechanism
from rotator.model.names import Cover, Reach
from rotator.model.pins import Pin, PinKind
from tests.desk import BASE, app, standard_files
from tests.files.examples import EVERYTHING
from tests.judging import CONTEXT, Scene, spec
from tests.minting import mint, pin_b64, pin_text, public_pem
from tests.real.data import files

CERTIFICATE = Pin(PinKind.CERT_SHA256, b"\x5a" * 31 + b"\x01")
PINSET = replace(
    spec(
        "api.example.com",
        Cover("example.com", Reach.ALL),
        authorities=("ca",),
        certificates=(CERTIFICATE,),
        expires=date(2027, 6, 30),
    ),
    common_names={CERTIFICATE: "api.example.com"},
)
FORMATS = tuple(name for name in KNOWN_IDS if mechanism(name).ours_to_write and name != "none")
HEADER = (
    f'static const char kAFingerprint[] = "{pin_b64("a")}";\n'
    "static const char* const kPinset_p_Data[] = {\n  kAFingerprint,\n};\n"
    '{ "example.com", true, false, false, -1, &kPinset_p },\n'
    "static const PRTime kPreloadPKPinsExpirationTime = INT64_C(1801440000000000);\n"
)
#: Files in shapes that no mechanism writes, by the mechanism that reads them.
SHAPES = (
    ("hpkp", f'Public-Key-Pins: max-age=60; pin-sha256="{pin_b64("a")}"; pin-sha256="{pin_b64("b")}"; x="y\\"z"\n'),
    (
        "firefox",
        HEADER,
    ),
    (
        "firefox",
        json.dumps(
            {
                "fingerprints": {"kA": pin_b64("a")},
                "pinsets": {"p": ["kAFingerprint"]},
                "entries": [{"host": "example.com", "includeSubdomains": True, "testMode": False, "pinset": "p"}],
                "expirationTimeMicros": 1_801_440_000_000_000,
            }
        ),
    ),
    (
        "chromium",
        json.dumps(
            {
                "pinsets": [{"name": "p", "static_spki_hashes": ["A"], "bad_static_spki_hashes": ["B"]}],
                "entries": [{"name": "example.com", "include_subdomains": True, "pins": "p"}],
            }
        ),
    ),
    ("chromium", f"# c\nPinsListTimestamp\n1793491200\nA\n{pin_text('a')}\nB\n{public_pem('b').decode()}"),
    ("chromium", f"A\n{mint('a').pem.decode()}"),
    ("dane", json.dumps({"owner": "_443._tcp.a.b.", "usage": 3, "selector": 1, "matching": 1, "data": "5a" * 32})),
    ("approov", json.dumps({"public-key-sha256": {"example.com": [], "*": [pin_b64("a")]}})),
    ("approov", json.dumps({"domains": {"example.com": {"pins": [pin_b64("a")]}}})),
    ("flutter-http-pinning", json.dumps([{"pattern": "example.com", "pins": ["5a" * 32]}])),
    ("rn-ssl-pinning", json.dumps([{"host": "example.com", "certs": [pin_text("a")], "disableAllSecurity": True}])),
    ("rn-public-key-pinning", json.dumps({"pattern": "example.com", "pins": [pin_b64("a"), pin_b64("b")]})),
    ("curl", f"insecure\n{public_pem('a').decode()}"),
    *((name, mint("a").pem.decode()) for name in ("alamofire", "afnetworking", "rn-ssl-pinning")),
)
#: How often each file is damaged: a few times here, many with ROTATOR_LONG.
TIMES = 150
WORDS = (
    b"<|>|/|\"|'|&|=|;|{|}|[|]|,|:|\n|\x00|\xff|\xe2\x80\xae|<pin-set/>|<dict>|</dict>|<array/>|true|null|-1|sha256/|"
    + b"9" * 40
).split(b"|")
T = TypeVar("T")


def damaged(data: bytes, seed: int, times: int) -> Iterator[bytes]:
    """Give a file damaged in many ways: bytes changed, cut, doubled, and words put in."""
    dice = random.Random(f"{seed} {len(data)}")  # noqa: S311 - the same damage at every run
    for _ in range(times):
        out = bytearray(data)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(out) + 1)
            to = min(len(out), at + dice.randint(0, 30))
            how = dice.randrange(5)
            if how == 0:
                out[at:to] = b""
            elif how == 1:
                out[at:at] = dice.choice(WORDS)
            elif how == 2:
                out[at:at] = out[at:to] * dice.randint(1, 3)
            elif how == 3 and at < len(out):
                out[at] = dice.randrange(256)
            else:
                del out[at:]
        yield bytes(out)


def attempt(act: Callable[[], T]) -> T | None:
    """Do something; None where it is refused, which must be said in words."""
    try:
        return act()
    except InputError as error:
        if not (error.problems and all(problem.message for problem in error.problems)):
            raise AssertionError("refused without a word") from error
        return None


READING = replace(
    CONTEXT,
    decode=pem.decode,
    sibling=lambda _: f"PinsListTimestamp\n1793491200\nA\n{pin_text('a')}\nB\n{pin_text('b')}\n".encode(),
    verify=lambda message, signature: len(message) > len(signature),
)


def try_all(own: Mechanism, data: bytes, seed: int, times: int) -> None:
    """Read damaged files, and use what can be read."""
    wanted = own.from_pinset(PINSET)
    for broken in damaged(data, seed, times):
        parsed = attempt(lambda broken=broken: own.parse(broken, READING))  # type: ignore[misc]  # bound at once
        if parsed is None:
            continue
        assert all(finding.message and finding.subject for finding in parsed.findings)
        for host in ("api.example.com", "x.example.com", "x.test"):
            rule = own.rule(parsed.config, host)
            assert rule.sentence
            Scene().judge(rule, host)
        if not own.ours_to_write:
            continue
        written = own.render(parsed.config)
        attempt(lambda written=written: own.parse(written, CONTEXT))  # type: ignore[misc]
        attempt(lambda broken=broken: own.edit(broken, wanted, CONTEXT))  # type: ignore[misc]


@pytest.mark.parametrize(("name", "text"), SHAPES, ids=[f"{i}-{name}" for i, (name, _) in enumerate(SHAPES)])
def test_damaged_files_in_other_shapes(name: str, text: str) -> None:
    try_all(mechanism(name), text.encode(), 5, 2 * TIMES)


PEM_HEAD = b"-----BEGIN PUBLIC KEY-----\n"


@pytest.mark.parametrize("name", [name for name in KNOWN_IDS if name != "none"])
def test_long_runs_are_no_reason_to_wait(name: str) -> None:
    """A pattern that goes back over a run again and again would take hours on these."""
    own = mechanism(name)
    texts = [own.render(own.from_pinset(PINSET))] if own.ours_to_write else []
    texts += [text.encode() for shape, text in SHAPES if shape == name]
    for data in texts:
        for run in (b" ", b"\n", b"\t;", b"=", b'"', b"a", b"- ", b"(", b"{", b"<", b"//\n", b"A=", PEM_HEAD):
            long = run * (60_000 // len(run))
            body = data.rstrip()
            places = {data.find(mark) + 1 for mark in b"=;: >,"} | {len(data) // 2}
            cut = (data[:at] + long + end for at in sorted(places) for end in (data[at:], b'"', b"!"))
            for broken in (body + long + b"!", body + b"; a=" + long + b'"', long + data, *cut):
                attempt(lambda broken=broken: own.parse(broken, READING))  # type: ignore[misc]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("seed", range(3))
def test_damaged_pin_files(name: str, seed: int) -> None:
    own = mechanism(name)
    try_all(own, own.render(own.from_pinset(PINSET)), seed, TIMES)


def test_damaged_binary_property_lists() -> None:
    for name in ("apple-ats", "trustkit-ios"):
        own = mechanism(name)
        tree = plistlib.loads(own.render(own.from_pinset(PINSET)))
        try_all(own, plistlib.dumps(tree, fmt=plistlib.FMT_BINARY), 7, 4 * TIMES)


def test_damaged_json_lines() -> None:
    rows = [{"pattern": "**.example.com", "pins": [pin_text("a")]}, {"pattern": "x.test", "pins": [pin_text("b")]}]
    try_all(mechanism("okhttp"), b"".join(json.dumps(row).encode() + b"\n" for row in rows), 8, 4 * TIMES)


@pytest.mark.parametrize("text", [BASE + app("shop"), EVERYTHING], ids=["small", "everything"])
def test_damaged_policies(tmp_path: Path, text: str) -> None:
    path = str(tmp_path / "policy.toml")
    for broken in damaged(text.encode(), 1, 3 * TIMES):
        attempt(lambda broken=broken: read_policy(path, broken))  # type: ignore[misc]


@pytest.mark.parametrize("name", ["a.pem", "b.csr", "b.pub"])
def test_damaged_certificates_requests_and_keys(name: str) -> None:
    for broken in damaged(standard_files()[name], 2, 2 * TIMES):
        for source in ("certificate", "csr", "public_key"):
            attempt(lambda broken=broken, source=source: pem.load_key(broken, name, source))  # type: ignore[misc]


KINDS = {
    "android-nsc": ("android-nsc", "trustkit-android"),
    "ios-plist": ("apple-ats", "trustkit-ios"),
    "code-pins-okhttp": ("okhttp", "approov", "go", "node"),
    "code-pins-trustkit-in-code": ("trustkit-ios",),
    "code-pins-rn-flutter": ("rn-public-key-pinning", "rn-ssl-pinning", "flutter-http-pinning"),
    "rn-flutter-files": ("rn-public-key-pinning", "rn-ssl-pinning", "approov"),
    "chromium-pins": ("chromium",),
    "firefox-hpkp": ("firefox",),
    "hpkp-headers": ("hpkp",),
    "dane-tlsa": ("dane",),
}
REAL = [(name, path) for kind, names in KINDS.items() for path in files(kind) for name in names]


NO_DATA = pytest.mark.skipif(not REAL, reason="no real data here: set ROTATOR_DATA to the folder with verdicts/")


@NO_DATA
def test_damaged_real_files() -> None:
    for index, (name, path) in enumerate(REAL):
        try_all(mechanism(name), path.read_bytes(), index, 10 if path.stat().st_size < 30_000 else 1)


#: How long the long version works on each mechanism, in seconds.
LONG = 60


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in KNOWN_IDS if name != "none"])
def test_damaged_files_for_a_minute(name: str) -> None:
    """`ROTATOR_LONG=1` damages what each mechanism reads for a minute, 5 for five; each run damages it anew."""
    own = mechanism(name)
    texts = [own.render(own.from_pinset(PINSET))] if own.ours_to_write else []
    texts += [text.encode() for shape, text in SHAPES if shape == name]
    texts += [path.read_bytes() for real, path in REAL if real == name and path.stat().st_size < 30_000]
    end = time.monotonic() + LONG * max(1, int(os.environ.get("ROTATOR_LONG") or 1))
    seed = time.time_ns()
    while time.monotonic() < end:
        for data in texts:
            seed += 1
            try_all(own, data, seed, 5)
