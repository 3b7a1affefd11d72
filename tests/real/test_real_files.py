"""Real pin files through `import`: a result or one clear error each, and how many of each."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from rotator.errors import InputError
from rotator.files.policy_toml import read_policy
from rotator.files.roots import mozilla_bundle
from rotator.mechanisms.base import ConfigRejectedError
from rotator.mechanisms.registry import mechanism as known
from rotator.model.pins import junk_reason, parse_spki, spki_pin
from rotator.workflows.importing import Imported, import_file
from tests.judging import CONTEXT, read
from tests.real.data import files, needs_data

pytestmark = needs_data
TODAY = date(2026, 11, 23)
FILES = [
    *(("android-nsc", path) for path in files("android-nsc")),
    *(("apple-ats", path) for path in files("ios-plist")),
    *(("trustkit-ios", path) for path in files("ios-plist")),
    *(("okhttp", path) for path in files("code-pins-okhttp")),
]
#: Which mechanisms read the other kinds: what is not theirs must be refused in words.
KINDS = {
    "android-nsc": ("trustkit-android",),
    "chromium-pins": ("chromium",),
    "firefox-hpkp": ("firefox",),
    "hpkp-headers": ("hpkp",),
    "dane-tlsa": ("dane",),
    "code-pins-trustkit-in-code": ("trustkit-ios",),
    "code-pins-rn-flutter": ("rn-public-key-pinning", "rn-ssl-pinning", "flutter-http-pinning"),
    "rn-flutter-files": ("rn-public-key-pinning", "rn-ssl-pinning", "approov"),
    "certs": ("afnetworking", "alamofire"),
}
ALL = [
    *FILES,
    *((mechanism, path) for kind, names in KINDS.items() for path in files(kind) for mechanism in names),
]
#: Files in which writing the same pins changes pin lines, each with the reason.
ODD = {
    "E-Rezept-App-Android__app-android-main-network_security_config__2024-01-23_6fdb6839.xml": "repeats pins",
    "approov__react-native-cert-pinner.jsonl": "spells pins in another way than the canonical one",
    "chiuki__mockwebserver-demo.jsonl": "leaves the padding of a pin out",
    "mapbox__mapbox-events-android.jsonl": "repeats pins",
}
ANY = pytest.mark.parametrize(("mechanism", "path"), ALL, ids=[f"{m}-{p.name[:60]}" for m, p in ALL])
BUNDLE = mozilla_bundle()[1]
EVERY = pytest.mark.parametrize(("mechanism", "path"), FILES, ids=[f"{m}-{p.name[:60]}" for m, p in FILES])


def attempt(mechanism: str, path: Path) -> Imported | InputError:
    """Import a file."""
    try:
        return import_file(mechanism, str(path), TODAY)
    except InputError as error:
        return error


def outcome(mechanism: str, path: Path) -> str:
    """Import a file and say in a word how it went."""
    found = attempt(mechanism, path)
    if isinstance(found, InputError):
        return "its client refuses it" if isinstance(found, ConfigRejectedError) else "no such file"
    return "pinned" if found.config.pinned else "nothing pinned"


@ANY
def test_a_result_that_is_a_readable_policy_or_one_clear_error(tmp_path: Path, mechanism: str, path: Path) -> None:
    imported = attempt(mechanism, path)
    if isinstance(imported, InputError):
        (problem,) = imported.problems
        assert problem.file == str(path)
        assert problem.hint or problem.expected
        return
    (tmp_path / "p.toml").write_text(imported.toml)
    policy, _ = read_policy(str(tmp_path / "p.toml"))
    pinned = {pin for entry in imported.config.entries for pin in (*entry.pins, *entry.forbidden)}
    named = {own.spki for own in policy.keys.values()} | {own.spki for own in policy.authorities.values()}
    bundled = {spki_pin(BUNDLE[own.bundled].spki) for own in policy.authorities.values() if own.bundled}
    assert (named - {None}) | bundled <= pinned
    assert imported.findings or policy.pinsets


@EVERY
def test_writing_what_was_read_means_the_same(mechanism: str, path: Path) -> None:
    own = known(mechanism)
    try:
        config = own.parse(path.read_bytes(), CONTEXT).config
    except InputError:
        return
    again = read(own, own.render(config))
    for entry in config.entries:
        for cover in entry.covers:
            for host in (cover.name, f"x.{cover.name}", f"y.x.{cover.name}"):
                before, after = own.rule(config, host), own.rule(again, host)
                assert after.pins == before.pins, host
                assert (after.expiry, after.mode) == (before.expiry, before.mode), host


@EVERY
def test_editing_in_what_is_there_changes_no_byte(mechanism: str, path: Path) -> None:
    own, data = known(mechanism), path.read_bytes()
    try:
        config = own.parse(data, CONTEXT).config
    except InputError:
        return
    if any(pins.dead for entry in config.entries for pins in entry.lists) or not config.pinned:
        return
    if mechanism == "okhttp" and len({c for e in config.entries for c in e.covers}) != len(config.entries):
        return
    changed = own.edit(data, config, CONTEXT)
    if mechanism in ("android-nsc", "okhttp"):
        odd = next((why for end, why in ODD.items() if path.name.endswith(end)), "")
        assert (changed == data) is not bool(odd), odd
    assert read(own, changed).pinned
    assert own.edit(changed, config, CONTEXT) == changed


def test_how_they_go_in_numbers() -> None:
    """A change here is a change in what people's own files do: look at it."""
    found: dict[str, Counter[str]] = {}
    for mechanism, path in ALL:
        found.setdefault(mechanism, Counter())[outcome(mechanism, path)] += 1
    assert {mechanism: dict(counter) for mechanism, counter in found.items()} == {
        "android-nsc": {"pinned": 69, "nothing pinned": 4, "its client refuses it": 1},
        "apple-ats": {"pinned": 10},
        "trustkit-android": {"pinned": 69, "nothing pinned": 4, "its client refuses it": 1},
        "trustkit-ios": {"nothing pinned": 10, "its client refuses it": 2},
        "okhttp": {"pinned": 9, "its client refuses it": 1},
        "chromium": {"nothing pinned": 7, "pinned": 3, "no such file": 2},
        "firefox": {"pinned": 1, "no such file": 1},
        "hpkp": {"pinned": 1},
        "dane": {"pinned": 1, "no such file": 1},
        "rn-public-key-pinning": {"its client refuses it": 6, "pinned": 1},
        "rn-ssl-pinning": {"no such file": 7},
        "flutter-http-pinning": {"pinned": 2},
        "approov": {"no such file": 4, "pinned": 1},
        "afnetworking": {"pinned": 112, "no such file": 2},
        "alamofire": {"pinned": 112, "no such file": 2},
    }


def test_the_junk_of_real_files_is_told() -> None:
    """Placeholders that people left in and shipped."""
    junk = set()
    for mechanism, path in FILES:
        found = attempt(mechanism, path)
        if isinstance(found, Imported):
            junk |= {f.message.partition(" is ")[0] for f in found.findings if f.id == "junk-pin"}
    assert len(junk) >= 3
    assert all(junk_reason(pin.digest) for pin in map(parse_spki, junk) if pin is not None)


def test_every_row_of_okhttp_pins_in_code_is_read() -> None:
    for path in files("code-pins-okhttp"):
        rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
        found = attempt("okhttp", path)
        if isinstance(found, InputError):
            assert found.problems[0].path.startswith("line ")
        else:
            assert len(found.config.entries) == len(rows)
