"""A shipped pin file as policy TOML that can be read, and that means the same."""

from __future__ import annotations

import json
import plistlib
import re
from datetime import date
from pathlib import Path

import pytest

from rotator.errors import InputError
from rotator.files.policy_toml import read_policy
from rotator.files.roots import mozilla_bundle
from rotator.model.names import Cover, Reach
from rotator.model.pins import b64
from rotator.model.policy import Policy
from rotator.workflows.importing import Names, import_file, slug, unused
from tests.desk import BASE, TODAY, Desk, app
from tests.minting import chain_pem, intermediate, pin, pin_b64, pin_text, root

A, B, C = pin_b64("a"), pin_b64("b"), pin_b64("c")


def imported(folder: Path, mechanism: str, data: str | bytes, name: str = "shipped") -> tuple[Policy, str, set[str]]:
    """Import a file; give the policy its TOML makes, the TOML, and the ids of the findings."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    found = import_file(mechanism, str(path), TODAY)
    (folder / "imported.toml").write_text(found.toml)
    return read_policy(str(folder / "imported.toml"))[0], found.toml, {f.id for f in found.findings}


def name_of(policy: Policy, key: str) -> str:
    """Give the name of a minted key among the keys of a policy."""
    (name,) = [name for name, own in policy.keys.items() if own.spki == pin(key)]
    return name


def nsc(*blocks: str) -> str:
    """Wrap blocks."""
    return f"<network-security-config>{''.join(blocks)}</network-security-config>"


def block(domain: str, *pins: str, below: str = "true", more: str = "", expires: str = "") -> str:
    """Write a block."""
    when = f' expiration="{expires}"' if expires else ""
    inside = "".join(f'<pin digest="SHA-256">{pin}</pin>' for pin in pins)
    return (
        f'<domain-config><domain includeSubdomains="{below}">{domain}</domain>'
        f"<pin-set{when}>{inside}</pin-set>{more}</domain-config>"
    )


def test_android(tmp_path: Path) -> None:
    text = nsc(
        block("example.com", A, B, expires="2027-06-30", more=block("open.example.com")),
        block("x.test", A, C, below="false"),
    )
    policy, toml, _ = imported(tmp_path, "android-nsc", text)
    assert set(policy.pinsets) == {"example.com", "x.test"}
    pinset = policy.pinsets["example.com"]
    assert (pinset.primary, pinset.backups) == ((name_of(policy, "a"),), (name_of(policy, "b"),))
    assert pinset.covers == (Cover("example.com", Reach.ALL),)
    assert pinset.expires == date(2027, 6, 30)
    assert policy.pinsets["x.test"].covers == (Cover("x.test"),)
    assert policy.pinsets["x.test"].primary == pinset.primary
    assert "# unpinned on purpose in the file: open.example.com" in toml
    assert toml.startswith("# from ")


def test_keys_are_written_in_the_canonical_spelling(tmp_path: Path) -> None:
    odd = A.rstrip("=")
    _, toml, ids = imported(tmp_path, "android-nsc", nsc(block("x.test", odd, B)))
    assert f'spki = "{pin_text("a")}"' in toml
    assert "non-canonical-pin" in ids


def test_pins_that_are_switched_off_are_told(tmp_path: Path) -> None:
    off = '<trust-anchors><certificates src="system" overridePins="true"/></trust-anchors>'
    _, toml, ids = imported(tmp_path, "android-nsc", nsc(block("x.test", A, B, more=off)))
    assert "switches these pins off" in toml
    assert "pins-overridden" in ids


def test_apple_with_both_lists(tmp_path: Path) -> None:
    data = plistlib.dumps(
        {
            "NSAppTransportSecurity": {
                "NSPinnedDomains": {
                    "example.com": {
                        "NSIncludesSubdomains": True,
                        "NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": A}, {"SPKI-SHA256-BASE64": B}],
                        "NSPinnedCAIdentities": [{"SPKI-SHA256-BASE64": C}],
                    }
                }
            }
        }
    )
    policy, _, _ = imported(tmp_path, "apple-ats", data)
    pinset = policy.pinsets["example.com"]
    assert pinset.keys == (name_of(policy, "a"), name_of(policy, "b"))
    assert [policy.authorities[name].spki for name in pinset.authorities] == [pin("c")]
    assert pinset.combine == "leaf-and-ca"
    assert pinset.covers == (Cover("example.com", Reach.ALL),)


def test_trustkit_that_reports_only(tmp_path: Path) -> None:
    domain = {"TSKPublicKeyHashes": [A, B], "TSKEnforcePinning": False, "TSKExpirationDate": "2027-06-30"}
    data = plistlib.dumps({"TSKConfiguration": {"TSKPinnedDomains": {"example.com": domain}}})
    policy, _, ids = imported(tmp_path, "trustkit-ios", data)
    assert policy.pinsets["example.com"].mode == "report-only"
    assert policy.pinsets["example.com"].expires == date(2027, 6, 30)
    assert "report-only" in ids


def test_okhttp_with_patterns_and_dead_pins(tmp_path: Path) -> None:
    rows = {"*.example.com": [pin_text("a"), "sha256/AAAA"], "**.x.test": [pin_text("b")], "y.test": []}
    policy, toml, ids = imported(tmp_path, "okhttp", json.dumps(rows))
    assert policy.pinsets["example.com"].covers == (Cover("example.com", Reach.ONLY_ONE),)
    assert policy.pinsets["x.test"].covers == (Cover("x.test", Reach.ALL),)
    assert set(policy.pinsets) == {"example.com", "x.test"}
    assert "# left out, can never match: sha256/AAAA" in toml
    assert {"pin-never-matches", "single-pin", "one-label-only"} <= ids


def test_curl_pins_every_host(tmp_path: Path) -> None:
    policy, _, _ = imported(tmp_path, "curl", f"sha256//{A};sha256//{B}")
    assert policy.pinsets["every-host"].keys == (name_of(policy, "a"), name_of(policy, "b"))
    assert policy.pinsets["every-host"].covers is None


def test_a_public_root_is_an_authority_by_its_name(tmp_path: Path) -> None:
    root = mozilla_bundle()[1]["ISRG Root X1"]
    _, toml, _ = imported(tmp_path, "okhttp", json.dumps({"x.test": [f"sha256/{b64(root.spki)}", pin_text("b")]}))
    assert 'isrg-root-x1 = { bundled = "ISRG Root X1" }' in toml
    assert 'authorities = ["isrg-root-x1"]' in toml


@pytest.mark.parametrize(
    ("mechanism", "data", "finding"),
    [
        ("android-nsc", nsc(), "nothing-pinned"),
        ("android-nsc", nsc(block("x.test", A)), "single-pin"),
        ("android-nsc", nsc(block("x.test", A, B, expires="2020-01-01")), "pins-expired"),
        ("android-nsc", nsc(block("*.x.test", A, B)), "domain-never-matches"),
        ("android-nsc", nsc(block("x.test.", A, B)), "domain-never-matches"),
        ("android-nsc", nsc(block("https://x.test:443/a", A, B)), "domain-never-matches"),
        ("android-nsc", nsc(block("x.test", "A" * 43 + "=", B)), "junk-pin"),
        ("apple-ats", plistlib.dumps({}), "nothing-pinned"),
        (
            "apple-ats",
            plistlib.dumps(
                {
                    "NSAppTransportSecurity": {
                        "NSPinnedDomains": {"*.x.test": {"NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": A}]}}
                    }
                }
            ),
            "domain-never-matches",
        ),
        ("curl", "silent: true\n", "nothing-pinned"),
        ("okhttp", json.dumps({"x.test": ["sha256/AAAA"]}), "pin-never-matches"),
    ],
)
def test_whatever_is_wrong_with_it_the_toml_is_a_readable_policy(
    tmp_path: Path, mechanism: str, data: str | bytes, finding: str
) -> None:
    _, _, ids = imported(tmp_path, mechanism, data)
    assert finding in ids


@pytest.mark.parametrize("name", ["*.x.test", "x.test.", "https://x.test"])
def test_a_name_that_no_host_has_does_not_come_to_pin_one(tmp_path: Path, name: str) -> None:
    policy, toml, _ = imported(tmp_path, "android-nsc", nsc(block(name, A, B)))
    assert policy.pinsets == {}
    assert "left out, no host has this name" in toml
    policy, toml, _ = imported(
        tmp_path, "android-nsc", nsc(block("y.test", A, B).replace("<pin-set>", f"<domain>{name}</domain><pin-set>"))
    )
    assert policy.pinsets["y.test"].covers == (Cover("y.test", Reach.ALL),)
    assert "left out, no host has this name" in toml


def test_a_file_its_client_refuses_is_an_error_with_what_the_client_does(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text(json.dumps({"*": [pin_text("a")]}))
    with pytest.raises(InputError, match="the app crashes there"):
        import_file("okhttp", str(path), TODAY)


def test_hostile_names_become_plain_ones(tmp_path: Path) -> None:
    domain = "x\u202e\u0007]\n[keys]\nevil = { spki = 1 }\n"
    data = plistlib.dumps(
        {
            "NSAppTransportSecurity": {
                "NSPinnedDomains": {domain: {"NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": A}]}}
            }
        },
        fmt=plistlib.FMT_BINARY,
    )
    policy, toml, _ = imported(tmp_path, "apple-ats", data)
    assert "evil" not in policy.keys
    assert "\u202e" not in toml


def test_the_same_pin_has_the_same_name_and_another_another() -> None:
    names = Names()
    first = names.key(pin("a"))
    assert names.key(pin("a")) == first
    assert names.authority(pin("a")) != first
    assert names.key(pin("b")) != first


def test_names_for_the_policy() -> None:
    assert slug("*.example.com") == "example.com"
    assert slug("ISRG Root X1") == "ISRG-Root-X1"
    assert slug("你好") == slug("你好")
    assert slug("你好").startswith("n-")
    taken: set[str] = set()
    assert [unused("a", taken) for _ in range(3)] == ["a", "a-2", "a-3"]


def test_names_of_a_list_are_used_and_told_apart_from_keys(tmp_path: Path) -> None:
    bundle = tmp_path / "names.pem"
    bundle.write_bytes(chain_pem(intermediate("Their CA 1", root("their root"))))
    path = tmp_path / "pins.json"
    path.write_text(json.dumps({"x.test": [pin_text("Their CA 1"), pin_text("b")]}))
    toml = import_file("okhttp", str(path), TODAY, [str(bundle)]).toml
    assert f'their-ca-1 = {{ spki = "{pin_text("Their CA 1")}" }}' in toml
    assert 'authorities = ["their-ca-1"]' in toml
    assert 'primary = "their-ca-1"' not in toml


def test_a_policy_gives_its_names_and_they_are_not_written_again(desk: Desk) -> None:
    picture = desk.open(BASE + app("shop"))
    path = desk.file("pins.json", json.dumps({"x.test": [pin_text("a"), pin_text("ica"), pin_text("new")]}))
    toml = import_file("okhttp", str(path), TODAY, inventory=picture.inventory).toml
    assert 'primary = "a"' in toml
    assert 'authorities = ["ica"]' in toml
    assert toml.count("spki =") == 1
    assert f'"{pin_text("new")}"' in toml


def test_a_pin_that_nearly_is_a_known_one_is_told(tmp_path: Path) -> None:
    known = mozilla_bundle()[1]["ISRG Root X1"]
    text = b64(known.spki)
    wrong = text[:10] + ("A" if text[10] != "A" else "B") + text[11:]
    data = json.dumps({"x.test": [f"sha256/{wrong}", pin_text("b"), f"sha256/{text[:-1]}"]})
    _, toml, ids = imported(tmp_path, "okhttp", data)
    assert "pin-resembles" in ids
    assert "# nearly ISRG Root X1: 1 character differs" in toml


def test_a_ca_s_key_among_those_of_the_leaf_is_told_and_left_out(tmp_path: Path) -> None:
    known = mozilla_bundle()[1]["ISRG Root X1"]
    value = f"sha256//{A};sha256//{b64(known.spki)}"
    policy, toml, ids = imported(tmp_path, "curl", value)
    assert "ca-pin-for-leaf" in ids
    assert "a CA's key is never the leaf's: ISRG Root X1" in toml
    (pinset,) = policy.pinsets.values()
    assert not pinset.authorities


def test_roots_that_share_a_name_are_told_apart(tmp_path: Path) -> None:
    """Two keys of the bundle have the common name GlobalSign."""
    bundle, by_name = mozilla_bundle()
    for root_ in (r for r in bundle if r.label.startswith("GlobalSign")):
        _, toml, _ = imported(tmp_path, "okhttp", json.dumps({"x.test": [f"sha256/{b64(root_.spki)}", pin_text("b")]}))
        (name,) = re.findall(r'bundled = "(.*)"', toml)
        assert by_name[name].spki == root_.spki


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ([], "every connection is refused"),
        ([{"SPKI-SHA256-BASE64": "BACKUP_HASH_HERE"}], "every connection is refused"),
    ],
)
def test_a_list_that_nothing_can_match_is_no_pinset_without_pins(tmp_path: Path, data: list[object], why: str) -> None:
    """An empty pinset would say the opposite: not pinned."""
    domain = {"NSPinnedLeafIdentities": data, "NSPinnedCAIdentities": [{"SPKI-SHA256-BASE64": C}]}
    plist = plistlib.dumps({"NSAppTransportSecurity": {"NSPinnedDomains": {"example.com": domain}}})
    policy, toml, _ = imported(tmp_path, "apple-ats", plist)
    assert not policy.pinsets
    assert f"# left out, {why}: example.com" in toml


def test_digests_of_certificates_are_never_written_as_digests_of_keys(tmp_path: Path) -> None:
    fingerprint = ":".join(["AB", *[f"{n:02X}" for n in range(31)]])
    policy, toml, _ = imported(tmp_path, "urllib3", fingerprint)
    assert not policy.keys
    assert not policy.pinsets
    assert "only pins that a pinset cannot hold" in toml


def test_an_odd_spelling_for_trustkit_android_is_no_second_demand(tmp_path: Path) -> None:
    text = nsc(block("example.com", A.rstrip("="), B, more='<trustkit-config enforcePinning="true"/>'))
    _, toml, _ = imported(tmp_path, "trustkit-android", text)
    assert "leaf-and-ca" not in toml
