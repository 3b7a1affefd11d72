"""A first policy out of what people have, told apart by content."""

from __future__ import annotations

import json
import plistlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from rotator.errors import InputError, UsageError
from rotator.files.policy_toml import read_policy
from rotator.model.policy import Policy
from rotator.model.verdicts import Verdict
from rotator.workflows.creating import create
from rotator.workflows.inputs import read_input
from rotator.workflows.opening import open_policy
from tests.desk import TODAY, Desk, ask, verdicts
from tests.minting import (
    chain_pem,
    csr,
    intermediate,
    mint,
    pin_b64,
    pin_text,
    private_pem,
    public_pem,
    root,
    spki_der,
)

NSC = (
    "<network-security-config><domain-config><domain>api.example.com</domain>"
    '<pin-set expiration="2027-06-30"><pin digest="SHA-256">{}</pin><pin digest="SHA-256">{}</pin></pin-set>'
    "</domain-config></network-security-config>"
)
APPLE = {
    "NSAppTransportSecurity": {
        "NSPinnedDomains": {
            "api.example.com": {"NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": pin_b64(n)} for n in "ab"]}
        }
    }
}
TRUSTKIT = {
    "TSKConfiguration": {"TSKPinnedDomains": {"api.example.com": {"TSKPublicKeyHashes": [pin_b64("a"), pin_b64("b")]}}}
}


class Maker:
    """Makes policies in a desk's folder."""

    def __init__(self, desk: Desk) -> None:
        """Work in its folder."""
        self.desk = desk
        self.notes: tuple[str, ...] = ()

    def make(self, *inputs: str, stdin: bytes | None = None, apps: dict[str, str] | None = None) -> Policy:
        """Create a policy and read it back."""
        target = self.desk.folder / "new.toml"
        target.unlink(missing_ok=True)
        given = []
        for word in inputs:
            label, equals, file = word.rpartition("=")
            path = file if file == "-" else str(self.desk.folder / file)
            given.append(read_input(f"{label}{equals}{path}", stdin))
        created = create(str(target), given, TODAY, apps)
        self.notes = created.notes
        assert target.read_text() == created.text
        return read_policy(str(target))[0]


@pytest.fixture
def maker(desk: Desk) -> Maker:
    """Give a maker with shipped pin files at hand."""
    desk.file("nsc.xml", NSC.format(pin_b64("a"), pin_b64("b")))
    desk.file("apple.plist", plistlib.dumps(APPLE))
    desk.file("binary.plist", plistlib.dumps(APPLE, fmt=plistlib.FMT_BINARY))
    desk.file("trustkit.plist", plistlib.dumps(TRUSTKIT))
    desk.file("pins.json", json.dumps({"api.example.com": [pin_text("a"), pin_text("b")]}))
    desk.file("rows.jsonl", json.dumps({"pattern": "api.example.com", "pins": [pin_text("a")]}) + "\n")
    desk.file("curlrc", f'pinnedpubkey = "sha256//{pin_b64("a")}"\n')
    desk.file("bare.txt", f"sha256//{pin_b64('a')}")
    return Maker(desk)


def test_a_chain_becomes_a_host_a_key_and_a_pinset(maker: Maker) -> None:
    policy = maker.make("a.pem", "b.csr", apps={"shop": "okhttp"})
    assert policy.measured == TODAY
    assert set(policy.keys) == {"now", "b"}
    assert policy.keys["now"].certificate == str(maker.desk.folder / "a.pem")
    assert policy.keys["b"].csr == str(maker.desk.folder / "b.csr")
    assert policy.hosts["api.example.com"].serves == ("a.pem",)
    assert (policy.pinsets["first"].primary, policy.pinsets["first"].backups) == (("now",), ("b",))
    assert (policy.apps["shop"].mechanism, policy.apps["shop"].pinset) == (("okhttp",), {"": "first"})


@pytest.mark.parametrize(
    ("name", "data", "source"),
    [
        ("next.csr", csr("b"), "csr"),
        ("next.pub", public_pem("b"), "public_key"),
        ("next.der", spki_der("b"), "public_key"),
        ("request.der", x509.load_pem_x509_csr(csr("b")).public_bytes(serialization.Encoding.DER), "csr"),
    ],
)
def test_a_backup_comes_as_a_request_or_a_public_key(maker: Maker, name: str, data: bytes, source: str) -> None:
    maker.desk.file(name, data)
    policy = maker.make("a.pem", name)
    backup = policy.keys[name.partition(".")[0]]
    assert getattr(backup, source) == str(maker.desk.folder / name)
    assert policy.pinsets["first"].backups == (name.partition(".")[0],)


def test_a_certificate_in_der_is_a_chain_of_one(maker: Maker) -> None:
    maker.desk.file("leaf.der", mint("x", names=["x.example.com"]).der)
    assert set(maker.make("leaf.der").hosts) == {"x.example.com"}


def test_what_openssl_prints_is_kept_beside_the_policy(maker: Maker) -> None:
    pasted = b"CONNECTED(00000003)\n---\n" + (maker.desk.folder / "a.pem").read_bytes() + b"---\nDONE\n"
    policy = maker.make("-", stdin=pasted)
    assert policy.hosts["api.example.com"].serves == ("new-chain.pem",)
    assert (maker.desk.folder / "new-chain.pem").read_bytes() == pasted


def test_a_pasted_request_is_kept_too(maker: Maker) -> None:
    policy = maker.make("-", stdin=csr("b"))
    assert policy.keys["next"].csr == str(maker.desk.folder / "new-next.pem")
    assert (maker.desk.folder / "new-next.pem").read_bytes() == csr("b")


@pytest.mark.parametrize(
    ("file", "mechanism", "app"),
    [
        ("nsc.xml", "android-nsc", "android"),
        ("apple.plist", "apple-ats", "ios"),
        ("binary.plist", "apple-ats", "ios"),
        ("trustkit.plist", "trustkit-ios", "ios-trustkit"),
        ("pins.json", "okhttp", "android-okhttp"),
        ("rows.jsonl", "okhttp", "android-okhttp"),
        ("curlrc", "curl", "server-job"),
        ("bare.txt", "curl", "server-job"),
    ],
)
def test_a_shipped_file_becomes_a_release_that_ships_it(maker: Maker, file: str, mechanism: str, app: str) -> None:
    policy = maker.make(file)
    assert set(policy.apps) == {app}
    made = policy.apps[app]
    assert made.mechanism == (mechanism,)
    assert [r.config for r in made.releases] == [{"": str(maker.desk.folder / file)}]
    assert any("is assumed" in note for note in maker.notes) or mechanism == "curl"


def test_names_versions_and_dates_of_releases(maker: Maker) -> None:
    for day in ("2025-02-01", "2026-03-04"):
        maker.desk.file(f"nsc__{day}_abc.xml", NSC.format(pin_b64("a"), pin_b64("b")))
    policy = maker.make("nsc__2026-03-04_abc.xml", "shop:6.1=nsc__2025-02-01_abc.xml", "shop=nsc.xml", "pins.json")
    assert {name: [r.version for r in app.releases] for name, app in policy.apps.items()} == {
        "shop": ["6.1", "1"],
        "android": ["2026-03-04"],
        "android-okhttp": ["1"],
    }
    assert [str(r.released) for r in policy.apps["shop"].releases] == ["2025-02-01", "None"]


def test_files_of_one_app_stand_newest_first_under_versions_of_their_own(maker: Maker) -> None:
    for day in ("2025-02-01", "2026-03-04"):
        maker.desk.file(f"x-{day}.xml", NSC.format(pin_b64("a"), pin_b64("b")))
        maker.desk.file(f"y-{day}.xml", NSC.format(pin_b64("a"), pin_b64("b")))
    policy = maker.make("x-2025-02-01.xml", "y-2026-03-04.xml", "x-2026-03-04.xml", "y-2025-02-01.xml")
    versions = [r.version for r in policy.apps["android"].releases]
    assert versions == ["2026-03-04-2", "2026-03-04", "2025-02-01-2", "2025-02-01"]


def test_the_chain_tells_what_a_pinned_host_serves(maker: Maker) -> None:
    policy = maker.make("a.pem", "b.csr", "nsc.xml")
    assert policy.hosts["api.example.com"].serves == ("a.pem",)
    next_pinset = policy.pinsets["next-api.example.com"]
    assert (next_pinset.primary, next_pinset.backups) == (("now",), ("b",))
    assert not any("assumed" in note for note in maker.notes)


def test_a_new_backup_joins_the_pinset_of_the_next_release(maker: Maker) -> None:
    policy = maker.make("a.pem", "c.csr", "nsc.xml")
    assert policy.pinsets["next-api.example.com"].backups[-1] == "c"


def test_a_ca_that_came_alone_is_what_the_apps_trust(maker: Maker) -> None:
    """Nobody's phone has it by itself, so it is said; with it the chain is accepted as served."""
    policy = maker.make("a.pem", "root.pem", "nsc.xml", apps={"job": "curl"})
    assert policy.authorities["root"].certificate == (str(maker.desk.folder / "root.pem"),)
    assert policy.trust["own"].roots == ("root",)
    assert {name: dict(app.trust) for name, app in policy.apps.items()} == {
        "android": {"own": 1.0},
        "job": {"own": 1.0},
    }
    assert any("assumed to trust root.pem and no other CA" in note for note in maker.notes)
    picture = open_policy(str(maker.desk.folder / "new.toml"), TODAY)
    assert verdicts(ask(picture))["android 1"] is Verdict.OK


def test_a_host_without_a_chain_is_taken_to_have_its_certificate_from_the_ca_that_was_given(maker: Maker) -> None:
    policy = maker.make("root.pem", "nsc.xml")
    assert [chain.issuers for chain in policy.chains.values()] == [("root",)]


def test_a_ca_that_is_pinned_too_is_one_authority(maker: Maker) -> None:
    maker.desk.file("mixed.xml", NSC.format(pin_b64("a"), pin_b64("root")))
    policy = maker.make("a.pem", "root.pem", "mixed.xml")
    assert set(policy.authorities) == {"root"}
    assert policy.pinsets["next-api.example.com"].authorities == ("root",)


def test_mechanisms_of_one_app_are_told_apart(maker: Maker) -> None:
    policy = maker.make("shop:2=nsc.xml", "shop:1=pins.json")
    releases = {r.version: r.mechanism or policy.apps["shop"].mechanism for r in policy.apps["shop"].releases}
    assert releases == {"2": ("android-nsc",), "1": ("okhttp",)}


def test_a_pinned_authority_is_told_from_a_pinned_key(maker: Maker) -> None:
    maker.desk.file("mixed.xml", NSC.format(pin_b64("a"), pin_b64("ica")))
    policy = maker.make("a.pem", "mixed.xml")
    pinset = policy.pinsets["next-api.example.com"]
    assert pinset.primary == ("now",)
    assert len(pinset.authorities) == 1
    assert set(policy.authorities) == set(pinset.authorities)


def test_a_policy_without_a_chain_can_be_asked_at_once(maker: Maker) -> None:
    """The newest file's first pin is assumed to be what is served, and said so."""
    maker.make("nsc.xml")
    picture = open_policy(str(maker.desk.folder / "new.toml"), TODAY)
    (key,) = [name for name, facts in picture.inventory.keys.items() if facts.pin.text == pin_text("a")]
    assert verdicts(ask(picture)) == {"android 1": Verdict.OK}
    assert verdicts(ask(picture, f"key-compromise:{key}")) == {"android 1": Verdict.EXPOSED}


def test_paths_are_relative_to_the_policy(maker: Maker) -> None:
    (maker.desk.folder / "sub").mkdir()
    chain = read_input(str(maker.desk.folder / "a.pem"), None)
    created = create(str(maker.desk.folder / "sub/new.toml"), [chain], TODAY)
    assert 'serves = "../a.pem"' in created.text
    assert read_policy(str(created.path))[0].keys["now"].certificate == str(maker.desk.folder / "a.pem")


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("secret.pem", private_pem("a"), "private key"),
        ("both.pem", chain_pem(mint("x")) + private_pem("x"), "private key"),
        ("odd.bin", b"\x00\x01", "nothing that a policy is made of"),
        ("empty", b"", "nothing that a policy is made of"),
        ("bad.xml", b"<network-security-config>", "not well-formed"),
        ("refused.xml", NSC.format("AAAA", "AAAA").encode(), "instead of 32"),
        ("counts.csv", b"app,version,clients\nx,1,7\n", "nothing that a policy is made of"),
        ("bad.csr", csr("b", tampered=True), "signature is wrong"),
    ],
)
def test_what_cannot_be_used_is_told_and_nothing_is_written(maker: Maker, name: str, data: bytes, word: str) -> None:
    maker.desk.file(name, data)
    with pytest.raises(InputError, match=word):
        maker.make("a.pem", name)
    assert not (maker.desk.folder / "new.toml").exists()


def test_an_existing_policy_is_never_overwritten(maker: Maker) -> None:
    maker.desk.file("there.toml", "mine")
    with pytest.raises(UsageError, match="is there already"):
        create(str(maker.desk.folder / "there.toml"), [read_input(str(maker.desk.folder / "a.pem"), None)], TODAY)
    assert (maker.desk.folder / "there.toml").read_text() == "mine"


def test_with_nothing_one_cannot_begin(maker: Maker) -> None:
    with pytest.raises(UsageError, match="nothing to begin with"):
        maker.make()
    with pytest.raises(UsageError, match="standard input"):
        maker.make("-")


def test_two_chains_are_two_keys_and_two_hosts(maker: Maker) -> None:
    ca = intermediate("ica", root("root"))
    maker.desk.file("www.pem", chain_pem(mint("www", ca, names=["www.example.com"]), ca))
    policy = maker.make("a.pem", "www.pem")
    assert set(policy.hosts) == {"api.example.com", "www.example.com"}
    assert set(policy.keys) == {"now", "now-www.example.com"}
    assert policy.pinsets["first"].primary == ("now", "now-www.example.com")


def test_a_wildcard_chain_serves_the_pinned_names_it_covers(maker: Maker) -> None:
    ca = intermediate("ica", root("root"))
    maker.desk.file("wild.pem", chain_pem(mint("a", ca, names=["*.example.com"]), ca))
    assert set(maker.make("wild.pem", "nsc.xml").hosts) == {"api.example.com"}
    assert set(maker.make("wild.pem").hosts) == {"example.com"}


@pytest.mark.parametrize("name", ["*.example.com", "https://example.com", "example.com."])
def test_names_that_no_host_has_are_left_out_and_told(maker: Maker, name: str) -> None:
    text = NSC.format(pin_b64("a"), pin_b64("b"))
    maker.desk.file("odd.xml", text.replace("api.example.com", name))
    assert maker.make("odd.xml").hosts == {}
    assert any(f"no host has the name {name}" in note for note in maker.notes)
    maker.desk.file("mixed.xml", text.replace("</domain>", f"</domain><domain>{name}</domain>"))
    assert set(maker.make("mixed.xml").hosts) == {"api.example.com"}


def test_files_with_equals_signs_in_their_names_are_files(tmp_path: Path) -> None:
    path = tmp_path / "a=b.pem"
    path.write_bytes(b"x")
    assert read_input(str(path), None).app == ""
    with pytest.raises(InputError, match="cannot be read"):
        read_input("app:1=none.pem", None)


def test_a_key_that_was_given_as_a_request_is_a_backup_wherever_the_file_has_it(maker: Maker) -> None:
    """A request is for a key that no certificate is served for yet: the other pin is the one in use."""
    maker.desk.file("backup-first.xml", NSC.format(pin_b64("b"), pin_b64("a")))
    policy = maker.make("b.csr", "shop:1.0=backup-first.xml")
    (pinset,) = policy.pinsets.values()
    used = next(name for name, own in policy.keys.items() if own.spki is not None)
    assert (pinset.primary, pinset.backups) == ((used,), ("b",))
    (plan,) = policy.chains.values()
    assert plan.leaf == used
