"""The next pinsets for every platform, the updated policy and the report: first shown, then written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rotator.errors import InputError, UnsafeError, UsageError
from rotator.files.store import locked
from rotator.mechanisms.registry import MODULES, mechanism
from rotator.workflows import reports
from rotator.workflows.exporting import Asked, Export, plan_export, to_json, write_export
from rotator.workflows.opening import open_policy
from tests.desk import API, BASE, KEYS, NOW, PKI, TODAY, TOP, Desk
from tests.judging import diff
from tests.minting import pin, pin_b64, pin_text

THREE = BASE.replace("[keys]\n", '[keys]\nc = { csr = "c.csr", custody = "c", proved = 2026-11-01 }\n').replace(
    'backups = ["b"]', 'backups = ["b", "c"]'
)
ALL = '[apps.{0}]\nmechanism = "{0}"\npinset = "p"\ntrust = "ours"\nclients = 10\n'
APPS = "".join(ALL.format(name) for name in ("android-nsc", "apple-ats", "trustkit-ios", "okhttp", "curl"))
EXPORTS = """\
[[exports]]
pinset = "p"
files = { android-nsc = "app/res/xml/nsc.xml", okhttp = "app/pins.json" }
"""
NSC = f"""\
<?xml version="1.0" encoding="utf-8"?>
<network-security-config>
    <!-- cleartext stays off -->
    <base-config cleartextTrafficPermitted="false"/>
    <domain-config>
        <domain includeSubdomains="false">api.example.com</domain>
        <pin-set>
            <pin digest="SHA-256">{pin_b64("a")}</pin>
            <pin digest="SHA-256">{pin_b64("old")}</pin>
        </pin-set>
    </domain-config>
</network-security-config>
"""


def planned(desk: Desk, text: str, **asked: object) -> Export:
    """Plan an export."""
    file = desk.policy(text)
    return plan_export(file, desk.open(text), Asked(**asked), NOW)  # type: ignore[arg-type]  # fields of what is asked


def names(export: Export, desk: Desk) -> dict[str, str]:
    """Give the files by their path in the folder, with what happens to them."""
    return {change.path.relative_to(desk.folder.resolve()).as_posix(): change.sign for change in export.files}


def test_a_pinset_is_written_for_every_mechanism_that_uses_it(desk: Desk) -> None:
    export = planned(desk, BASE + APPS)
    assert names(export, desk) == {
        "pinsets/p/network_security_config.xml": "+",
        "pinsets/p/Info.plist": "+",
        "pinsets/p/TrustKit.plist": "+",
        "pinsets/p/pins.json": "+",
        "pinsets/p/curl.conf": "+",
        "policy.toml": "=",
    }
    pins = {p: change.new for p, change in zip(names(export, desk), export.files, strict=True) if p != "policy.toml"}
    assert all(pin_b64("a").encode() in data and pin_b64("b").encode() in data for data in pins.values())
    losses = {loss for change in export.files for loss, _ in change.losses}
    assert losses == set()


def test_files_that_exports_name_go_where_they_belong(desk: Desk) -> None:
    found = names(planned(desk, BASE + APPS + EXPORTS), desk)
    assert {"app/res/xml/nsc.xml", "app/pins.json", "pinsets/p/Info.plist"} <= set(found)
    assert "pinsets/p/network_security_config.xml" not in found


def test_a_file_that_is_there_is_changed_in_place(desk: Desk) -> None:
    path = desk.file("app/res/xml/nsc.xml", NSC)
    export = planned(desk, BASE + APPS + EXPORTS)
    (change,) = [c for c in export.files if c.path == path]
    assert change.sign == "~"
    gone, came = diff(NSC.encode(), change.new)
    assert gone == [f'            <pin digest="SHA-256">{pin_b64("old")}</pin>\n'.encode()]
    assert came == [f'            <pin digest="SHA-256">{pin_b64("b")}</pin>\n'.encode()]
    assert [line[0] for line in change.diff() if line[:1] in "+-" and line[:3] not in ("+++", "---")] == ["-", "+"]


def test_nothing_is_written_until_it_is_asked_for(desk: Desk) -> None:
    before = sorted(path.name for path in desk.folder.rglob("*"))
    planned(desk, BASE + APPS, promote="b")
    assert sorted(path.name for path in desk.folder.rglob("*")) == sorted([*before, "policy.toml"])


def test_writing_writes_exactly_what_was_shown_and_keeps_the_old(desk: Desk) -> None:
    desk.file("app/res/xml/nsc.xml", NSC)
    text = BASE + APPS + EXPORTS
    export = planned(desk, text, promote="b")
    file = str(desk.folder / "policy.toml")
    written, report = write_export(file, export, NOW)
    for change in export.files:
        assert change.path.read_bytes() == change.new
    assert len(written) == len([c for c in export.files if c.changed])
    kept = {path.name.partition("-")[2] for path in (desk.folder / "policy.rotator/replaced").iterdir()}
    assert kept == {"nsc.xml", "policy.toml"}
    assert reports.one(file, "last").id == report.id
    again = plan_export(file, open_policy(file, TODAY), Asked(), NOW)
    assert not any(change.changed for change in again.files)


def test_a_promotion_edits_the_policy_and_nothing_else_in_it(desk: Desk) -> None:
    text = "# mine\n" + (BASE + APPS).replace('primary = "a"', 'primary = "a"   # the live one')
    export = planned(desk, text, promote="b")
    gone, came = diff(text.encode(), export.files[-1].new)
    assert gone == [b'primary = "a"   # the live one\n', b'backups = ["b"]\n']
    assert came == [b'primary = "b"   # the live one\n', b'backups = ["a"]\n']
    assert export.pinsets == ("p",)


def test_dropping_a_stolen_key_makes_the_pinset_of_the_next_release(desk: Desk) -> None:
    export = planned(desk, THREE + APPS + EXPORTS, promote="b", drop=("a",))
    assert export.pinsets == ("p-2",)
    found = names(export, desk)
    assert {"app/res/xml/nsc.xml", "app/pins.json", "pinsets/p-2/Info.plist"} <= set(found)
    for change in export.files[:-1]:
        assert pin_b64("a").encode() not in change.new
        assert pin_b64("b").encode() in change.new
    assert b'status = "compromised"' in export.files[-1].new
    assert any("p has shipped and stays" in note for note in export.notes)


def test_into_folders_goes_the_same_tree_and_the_policy(desk: Desk) -> None:
    android, ios = desk.folder / "app-android", desk.folder / "app-ios"
    for folder in (android, ios):
        folder.mkdir()
    desk.file("app-ios/app/pins.json", json.dumps({"api.example.com": [pin_text("a")]}))
    export = planned(desk, BASE + APPS + EXPORTS, into=(str(android), str(ios)))
    found = names(export, desk)
    assert found["app-ios/app/pins.json"] == "~"
    assert found["app-android/app/res/xml/nsc.xml"] == "+"
    assert found["app-android/p/Info.plist"] == "+"
    assert found["app-android/policy.toml"] == "+"
    write_export(str(desk.folder / "policy.toml"), export, NOW)
    picture = open_policy(str(android / "policy.toml"), NOW.date())
    assert picture.policy.pinsets == desk.open(BASE + APPS + EXPORTS).policy.pinsets
    written = [Path(file) for export in picture.policy.exports for file in export.files.values()]
    assert (android / "app/res/xml/nsc.xml") in written
    assert (ios / "app/pins.json") in written


def test_into_a_folder_a_file_begins_as_the_one_the_policy_names(desk: Desk) -> None:
    """Settings that no pinset holds, such as whether cleartext is allowed, are not lost on the way."""
    desk.file("app/res/xml/nsc.xml", NSC)
    export = planned(desk, BASE + APPS + EXPORTS, into=(str(desk.folder / "fix"),))
    (change,) = [change for change in export.files if change.path.name == "nsc.xml"]
    assert (change.sign, change.path) == ("+", desk.folder / "fix/app/res/xml/nsc.xml")
    assert b'<!-- cleartext stays off -->\n    <base-config cleartextTrafficPermitted="false"/>' in change.new
    assert pin_b64("b").encode() in change.new


def test_a_name_beside_those_of_the_pinset_keeps_its_pins_and_its_end(desk: Desk) -> None:
    beside = NSC.replace("</domain>", "</domain><domain>other.example.net</domain>")
    desk.file("app/res/xml/nsc.xml", beside)
    with pytest.raises(InputError, match=r"demanded of other\.example\.net, which the pinset does not cover"):
        planned(desk, BASE + APPS + EXPORTS)


@pytest.mark.parametrize(
    ("mechanism", "file", "data", "kept"),
    [
        (
            "android-nsc",
            "nsc.xml",
            (
                f'<network-security-config><domain-config><domain includeSubdomains="true">{API}</domain><pin-set>'
                f'<pin digest="SHA-256">{pin_b64("c")}</pin></pin-set></domain-config></network-security-config>'
            ),
            b'includeSubdomains="true"',
        ),
        (
            "trustkit-ios",
            "TK.plist",
            (
                f"<plist><dict><key>TSKPinnedDomains</key><dict><key>{API}</key><dict><key>TSKIncludeSubdomains</key><true/>"
                f"<key>TSKPublicKeyHashes</key><array><string>{pin_b64('c')}</string><string>{pin_b64('d')}</string></array></dict></dict></dict></plist>"
            ),
            b"<key>TSKIncludeSubdomains</key><true/>",
        ),
        (
            "apple-ats",
            "Info.plist",
            (
                "<plist><dict><key>NSAppTransportSecurity</key><dict><key>NSPinnedDomains</key><dict>"
                f"<key>{API}</key><dict><key>NSIncludesSubdomains</key><true/><key>NSPinnedLeafIdentities</key><array><dict>"
                f"<key>SPKI-SHA256-BASE64</key><string>{pin_b64('c')}</string></dict></array></dict>"
                "</dict></dict></dict></plist>"
            ),
            b"<key>NSIncludesSubdomains</key><true/>",
        ),
        (
            "cronet",
            "pins.json",
            json.dumps([{"host": API, "pins": [pin_text("c")], "includeSubdomains": True, "expires": "2028-01-01"}]),
            b'"includeSubdomains": true',
        ),
    ],
)
def test_a_file_that_reaches_below_a_name_still_does_and_it_is_told(
    desk: Desk, mechanism: str, file: str, data: str, kept: bytes
) -> None:
    desk.file(file, data)
    text = BASE.replace('backups = ["b"]', 'backups = ["b"]\nexpires = 2028-01-01') + ALL.format(mechanism)
    export = planned(desk, text + f'[[exports]]\npinset = "p"\nfiles = {{ {mechanism} = "{file}" }}\n')
    (change,) = [change for change in export.files if change.path.name == file]
    assert kept in change.new
    assert any("since the file reaches it too" in note for note in export.notes)


def test_comments_stay_and_one_beside_a_pin_that_changes_is_to_be_read(desk: Desk) -> None:
    last = f'<pin digest="SHA-256">{pin_b64("old")}'
    commented = NSC.replace(last, f"<!-- HSM slot 4 -->\n            {last}")
    desk.file("app/res/xml/nsc.xml", commented)
    export = planned(desk, BASE + APPS + EXPORTS)
    (change,) = [change for change in export.files if change.path.name == "nsc.xml"]
    assert b"<!-- HSM slot 4 -->" in change.new
    assert any("comments stand beside pins" in note for note in export.notes)


def test_pins_that_only_reported_are_not_enforced_without_a_word(desk: Desk) -> None:
    desk.file(
        "TK.plist",
        f"<plist><dict><key>TSKPinnedDomains</key><dict><key>{API}</key><dict><key>TSKEnforcePinning</key><false/>"
        f"<key>TSKPublicKeyHashes</key><array><string>{pin_b64('c')}</string><string>{pin_b64('d')}</string></array></dict></dict></dict></plist>",
    )
    export = planned(
        desk, BASE + ALL.format("trustkit-ios") + '[[exports]]\npinset = "p"\nfiles = { trustkit-ios = "TK.plist" }\n'
    )
    assert any("enforced from now on" in note for note in export.notes)


def test_what_its_client_refuses_is_refused_unless_a_reason_is_given(desk: Desk) -> None:
    text = BASE.replace('backups = ["b"]\n', "") + ALL.format("trustkit-ios")
    export = planned(desk, text)
    assert "fewer than two different pins" in export.unsafe[0]
    with pytest.raises(UnsafeError, match="--override REASON"):
        write_export(str(desk.folder / "policy.toml"), export, NOW)
    assert not (desk.folder / "pinsets").exists()
    forced = planned(desk, text, override="the app ships its own check")
    _, report = write_export(str(desk.folder / "policy.toml"), forced, NOW)
    assert report.override == "the app ships its own check"
    shown = reports.render(report, "text")
    assert shown.splitlines()[2] == "OVERRIDE: the app ships its own check"
    assert (desk.folder / "pinsets/p/TrustKit.plist").exists()


def test_a_file_that_changed_since_it_was_shown_stops_everything(desk: Desk) -> None:
    path = desk.file("app/res/xml/nsc.xml", NSC)
    export = planned(desk, BASE + APPS + EXPORTS, promote="b")
    path.write_text(NSC + "<!-- somebody else -->")
    with pytest.raises(InputError, match="changed since it was shown, so nothing was written"):
        write_export(str(desk.folder / "policy.toml"), export, NOW)
    assert not (desk.folder / "app/pins.json").exists()
    assert b'primary = "a"' in (desk.folder / "policy.toml").read_bytes()


def test_two_exports_do_not_run_at_once(desk: Desk) -> None:
    export = planned(desk, BASE + APPS)
    file = str(desk.folder / "policy.toml")
    with locked(file), pytest.raises(InputError, match="another Rotator"):
        write_export(file, export, NOW)


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("app/pins.json", json.dumps({"**.example.com": [pin_text("stranger")]})),
        ("app/pins.json", json.dumps({"API.example.com": [pin_text("stranger")]})),
    ],
    ids=["wider pattern", "other case"],
)
def test_a_file_whose_other_entries_would_widen_the_pins_is_not_written(desk: Desk, file: str, data: str) -> None:
    """What would be written is read back by the client's own rules."""
    desk.file(file, data)
    with pytest.raises(InputError, match="would demand something else"):
        planned(desk, BASE + APPS + EXPORTS)


def test_two_pinsets_go_into_one_file(desk: Desk) -> None:
    """Each edit builds on the one before it, and all of them are read back at the end."""
    path = desk.file("app/res/xml/nsc.xml", NSC)
    second = '[pinsets.q]\nprimary = "b"\nbackups = ["a"]\ncovers = ["www.example.com"]\nexpires = 2027-06-30\n'
    exports = '[[exports]]\npinset = "{}"\nfiles = {{ android-nsc = "app/res/xml/nsc.xml" }}\n'
    export = planned(desk, BASE + second + ALL.format("android-nsc") + exports.format("p") + exports.format("q"))
    (change,) = [c for c in export.files if c.path == path]
    assert change.what == "android-nsc pins of p, android-nsc pins of q"
    assert b"www.example.com</domain>" in change.new
    assert pin_b64("old").encode() not in change.new


def test_two_clients_of_one_file_get_one_file(desk: Desk) -> None:
    """TrustKit reads the platform's own file."""
    desk.file("nsc.xml", NSC)
    exports = '[[exports]]\npinset = "p"\nfiles = { android-nsc = "nsc.xml", trustkit-android = "nsc.xml" }\n'
    export = planned(desk, BASE + ALL.format("android-nsc") + ALL.format("trustkit-android") + exports)
    (change,) = [c for c in export.files if c.path.name == "nsc.xml"]
    assert b'<trustkit-config enforcePinning="true"/>' in change.new


def test_what_a_file_says_of_user_roots_is_its_own_affair(desk: Desk) -> None:
    """A pinset knows nothing of them, so they stay and stop no export."""
    anchors = '<trust-anchors><certificates src="system"/><certificates src="user"/></trust-anchors>\n        <pin-set>'
    desk.file("app/res/xml/nsc.xml", NSC.replace("<pin-set>", anchors))
    export = planned(desk, BASE + APPS + EXPORTS)
    (change,) = [c for c in export.files if c.path.name == "nsc.xml"]
    assert b'<certificates src="user"/>' in change.new


def test_pins_that_a_file_switches_off_are_not_passed_over(desk: Desk) -> None:
    off = '<trust-anchors><certificates src="system" overridePins="true"/></trust-anchors>\n        <pin-set>'
    desk.file("app/res/xml/nsc.xml", NSC.replace("<pin-set>", off))
    with pytest.raises(InputError, match="would demand something else"):
        planned(desk, BASE + APPS + EXPORTS)


def test_a_file_that_covers_less_than_the_pinset_is_not_passed_over(desk: Desk) -> None:
    """The pinset reaches below the name, the shipped block does not."""
    desk.file("app/res/xml/nsc.xml", NSC)
    below = 'covers = [{ name = "api.example.com", subdomains = true }]'
    with pytest.raises(InputError, match="demand something else of any-name-below"):
        planned(desk, BASE.replace('backups = ["b"]', f'backups = ["b"]\n{below}') + APPS + EXPORTS)


def test_a_list_left_in_an_info_plist_that_the_pinset_lacks_is_not_passed_over(desk: Desk) -> None:
    """A CA list beside the leaf list is an AND to Apple."""
    desk.file(
        "Info.plist",
        "<plist><dict><key>NSAppTransportSecurity</key><dict><key>NSPinnedDomains</key><dict>"
        "<key>api.example.com</key><dict><key>NSPinnedCAIdentities</key><array><dict>"
        f"<key>SPKI-SHA256-BASE64</key><string>{pin_b64('ca')}</string></dict></array></dict>"
        "</dict></dict></dict></plist>",
    )
    exports = '[[exports]]\npinset = "p"\nfiles = { apple-ats = "Info.plist" }\n'
    with pytest.raises(InputError, match="would demand something else"):
        planned(desk, BASE + ALL.format("apple-ats") + exports)


def test_what_a_mechanism_cannot_pin_is_skipped_and_told(desk: Desk) -> None:
    text = BASE.replace('primary = "a"\nbackups = ["b"]', 'certificates = ["a-chain"]') + ALL.format("okhttp")
    export = planned(desk, text)
    assert any("okhttp: p holds nothing that it can pin" in note for note in export.skipped)
    assert names(export, desk) == {"policy.toml": "="}


def test_every_format_is_written_and_read_back_by_its_own_client(desk: Desk) -> None:
    """From nothing, and again into what was written, which changes nothing."""
    text = BASE.replace('backups = ["b"]', 'backups = ["b"]\ncertificates = ["a-chain"]\nexpires = 2027-06-30')
    text += "".join(ALL.format(name) for name in MODULES)
    export = planned(desk, text)
    assert export.unsafe == ()
    written = {change.what.partition(" pins of ")[0] for change in export.files}
    assert written == {name for name in MODULES if mechanism(name).ours_to_write} | {"the updated policy"}
    assert sorted(export.skipped) == [
        "chromium is a list of somebody else: it is read, never written",
        "firefox is a list of somebody else: it is read, never written",
    ]
    write_export(str(desk.folder / "policy.toml"), export, NOW)
    assert not any(change.changed for change in planned(desk, text).files)


@pytest.mark.parametrize(
    ("zone", "owners"),
    [
        ("", ["_8883._tcp"]),
        ("_8883._tcp.{} IN TLSA 3 1 1 {}\n", ["_8883._tcp"]),
        ("*._tcp.{} IN TLSA 3 1 1 {}\n", ["*._tcp"]),
        ("_443._tcp.{} IN TLSA 3 1 1 {}\n", ["_443._tcp", "_8883._tcp"]),
    ],
)
def test_records_are_written_for_the_port_of_the_host(desk: Desk, zone: str, owners: list[str]) -> None:
    """Records of the host's name at other ports get the same keys; a client of port 8883 sees none of them."""
    place = '[[exports]]\npinset = "p"\nfiles = { dane = "tlsa.zone" }\n'
    if zone:
        desk.file("tlsa.zone", zone.format(f"{API}.", "00" * 32))
    text = BASE.replace("[hosts.api]\n", "[hosts.api]\nport = 8883\n") + ALL.format("dane") + place
    (change,) = (change for change in planned(desk, text).files if change.path.name == "tlsa.zone")
    lines = [line.split() for line in change.new.decode().splitlines()]
    assert list(dict.fromkeys(line[0] for line in lines)) == [f"{owner}.{API}." for owner in owners]
    assert {line[-1] for line in lines} == {pin(name).digest.hex() for name in "ab"}


def test_files_do_not_take_each_others_place(desk: Desk) -> None:
    """Several clients name their file alike; each file still holds what its client reads."""
    text = BASE.replace('backups = ["b"]', 'backups = ["b"]\ncertificates = ["a-chain"]\nexpires = 2027-06-30')
    text += "".join(ALL.format(name) for name in MODULES)
    paths = [change.path for change in planned(desk, text).files]
    assert len(paths) == len(set(paths))
    assert len(paths) == len([name for name in MODULES if mechanism(name).ours_to_write]) + 1


@pytest.mark.parametrize(
    ("client", "why"),
    [
        ("wultra", "wultra: p holds nothing that it can pin: wultra compares whole certificates"),
        ("aiohttp", "aiohttp: p holds nothing that it can pin: aiohttp compares whole certificates"),
        ("cronet", "cronet: p holds nothing that it can pin: cronet takes no pins without an end: write expires ="),
        ("chromium", "chromium is a list of somebody else: it is read, never written"),
    ],
)
def test_what_is_not_written_is_told_with_its_reason(desk: Desk, client: str, why: str) -> None:
    export = planned(desk, BASE + ALL.format(client))
    assert names(export, desk) == {"policy.toml": "="}
    assert [note for note in export.skipped if note.startswith(why)] == list(export.skipped) != []


def test_what_is_left_to_do_before_clients_have_the_pins_is_noted(desk: Desk) -> None:
    text = BASE.replace('backups = ["b"]', 'backups = ["b"]\ncertificates = ["a-chain"]\nexpires = 2027-06-30')
    notes = planned(desk, text + ALL.format("wultra") + ALL.format("approov")).notes
    assert any("the signature is made where the signing key is" in note for note in notes)
    assert any("approov hands pins out from its service" in note for note in notes)


def test_fingerprints_of_other_certificates_stop_no_export(desk: Desk) -> None:
    """The entries of a signed list are for certificates by their names: other names are none of the pinset's."""
    other = {"name": "shop.example.com", "fingerprint": pin_b64("other"), "expires": 1_800_000_000, "signature": "MEUC"}
    desk.file("fingerprints.json", json.dumps({"timestamp": 1, "fingerprints": [other]}))
    text = BASE.replace('backups = ["b"]', 'backups = ["b"]\ncertificates = ["a-chain"]\nexpires = 2027-06-30')
    exports = '[[exports]]\npinset = "p"\nfiles = { wultra = "fingerprints.json" }\n'
    export = planned(desk, text + ALL.format("wultra") + exports)
    (change,) = [c for c in export.files if c.path.name == "fingerprints.json"]
    assert json.dumps(other).encode() in change.new


def test_losses_are_told_with_their_file(desk: Desk) -> None:
    text = BASE.replace('backups = ["b"]', 'backups = ["b"]\nexpires = 2027-06-30') + APPS
    data = to_json(planned(desk, text))
    told = {row["what"].split()[0]: [x["id"] for x in row["cannot_say"]] for row in data["files"]}  # type: ignore[attr-defined]
    assert told == {
        "android-nsc": [],
        "trustkit-ios": [],
        "apple-ats": ["no-expiry"],
        "okhttp": ["no-expiry"],
        "curl": ["no-expiry"],
        "the": [],
    }


def test_line_endings_and_comments_of_the_policy_stay(desk: Desk) -> None:
    text = ("# mine\n" + BASE + APPS).replace("\n", "\r\n")
    export = planned(desk, text, promote="b")
    new = export.files[-1].new
    assert new.count(b"\n") == new.count(b"\r\n")
    assert new.startswith(b"# mine\r\n")


def test_a_key_defined_in_an_included_file_is_edited_there(desk: Desk) -> None:
    """So dropping it here is refused with the place to go to."""
    desk.file("keys.toml", "schema = 1\n" + KEYS)
    text = TOP.replace("schema = 1\n", 'schema = 1\ninclude = ["keys.toml"]\n') + PKI + APPS
    assert planned(desk, text, promote="b").files
    with pytest.raises(InputError, match="this name is taken"):
        planned(desk, text, promote="b", drop=("a",))


def test_dropping_needs_something_to_promote(desk: Desk) -> None:
    with pytest.raises(UsageError, match="nothing to promote"):
        planned(desk, BASE + APPS, drop=("a",))
