"""Everything that can be wrong with a policy file: where, what, what was expected, and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotator.errors import InputError, Problem
from rotator.files.policy_toml import read_policy
from tests.minting import pin_text

SPKI = pin_text("a")
SOUND = f"""\
schema = 1
[keys]
api-1 = {{ spki = "{SPKI}" }}
api-2 = {{ spki = "{pin_text("b")}" }}
[authorities]
root = {{ spki = "{pin_text("root")}" }}
ica = {{ spki = "{pin_text("ica")}", issued_by = ["root"] }}
[chains]
now = {{ leaf = "api-1", issuers = ["root"] }}
[hosts.api]
serves = "now"
[trust]
old = {{ roots = ["root"] }}
new = {{ roots = ["root"] }}
[pinsets.mobile]
primary = "api-1"
backups = ["api-2"]
[apps.shop]
mechanism = "okhttp"
pinset = "mobile"
[apps.shop2]
mechanism = "okhttp"
pinset = "mobile"
releases = [{{ version = "1.0" }}]
"""


def problems(text: str, folder: Path) -> list[Problem]:
    """Read a policy and give what is wrong with it."""
    path = folder / "policy.toml"
    path.write_text(text)
    try:
        read_policy(str(path))
    except InputError as error:
        return list(error.problems)
    return []


def changed(*changes: str) -> str:
    """Change lines of the sound policy: `old => new`, or a line to add at the end."""
    text = SOUND
    for change in changes:
        old, arrow, new = change.partition(" => ")
        if arrow:
            assert old in text, old
            text = text.replace(old, new, 1)
        else:
            text += change + "\n"
    return text


def test_the_sound_policy_is_sound(tmp_path: Path) -> None:
    assert problems(SOUND, tmp_path) == []


#: A change, then the path, a word of the message, and a word of what is said of the value, expectation or hint.
WRONG = [
    # tables and keys
    ("schema = 1 => ", "", "schema is missing", "schema = 1"),
    ("schema = 1 => schema = 2", "schema", "from a newer Rotator", "install a newer version"),
    ('schema = 1 => schema = "1"', "schema", "not a number", "leave out the quotes"),
    ("schema = 1 => schema = 0", "schema", "not such a number", "whole number from 1"),
    ("[pinset.x]", "pinset", "unknown key", "did you mean pinsets?"),
    ('primary = "api-1" => primry = "api-1"', "pinsets.mobile.primry", "unknown key", "did you mean primary?"),
    (
        'backups = ["api-2"] => backups = ["api-2"]\nexpries = 2027-06-30',
        "pinsets.mobile.expries",
        "unknown key",
        "did you mean expires?",
    ),
    ("[limits]\nbreak_buget = 0.1", "limits.break_buget", "unknown key", "did you mean break_budget?"),
    ('[apps.x]\npinset = "mobile"', "apps.x", "mechanism is missing", "mechanism"),
    ("[keys.x]", "keys.x", "exactly one source", "certificate | public_key | csr | spki"),
    ('[apps."a b"]\nmechanism = "okhttp"', 'apps."a b"', "not a name", "letters, digits"),
    # values
    ('serves = "now" => serves = "now"\nport = 0', "hosts.api.port", "not such a number", "1 to 65535"),
    ('serves = "now" => serves = "now"\nport = 443.5', "hosts.api.port", "not such a number", "whole number"),
    ('serves = "now" => serves = "now"\nport = true', "hosts.api.port", "not such a number", "whole number"),
    ("[limits]\nbreak_budget = 1.5", "limits.break_budget", "not such a number", "from 0 to 1"),
    ("[limits]\nbreak_budget = nan", "limits.break_budget", "not such a number", "from 0 to 1"),
    ("[limits]\nconfidence = 0.2", "limits.confidence", "not such a number", "0.5"),
    ('version = "1.0" => version = 7.2', "apps.shop2.releases[0].version", "not a text", "put it in quotes"),
    ('version = "1.0" => version = ""', "apps.shop2.releases[0].version", "not a text", "''"),
    (
        'version = "1.0" => version = "1.0", released = "2026-05-04"',
        "apps.shop2.releases[0].released",
        "not a date",
        "leave out the quotes",
    ),
    (
        'version = "1.0" => version = "1.0", released = 2026-05-04T00:00:00Z',
        "apps.shop2.releases[0].released",
        "not a date",
        "leave out the time",
    ),
    (
        'backups = ["api-2"] => backups = ["api-2"]\nexpires = "2027-06-30"',
        "pinsets.mobile.expires",
        "not a date",
        "leave out the quotes",
    ),
    (
        'backups = ["api-2"] => backups = ["api-2"]\nmode = "enforced"',
        "pinsets.mobile.mode",
        "not a known word",
        "did you mean enforce?",
    ),
    ('serves = "now" => serves = "now"\nnames = []', "hosts.api.names", "an empty array", "DNS name"),
    (
        'serves = "now" => serves = "now"\nnames = ["https://a.b"]',
        "hosts.api.names[0]",
        "not a DNS name",
        "no scheme, port, path",
    ),
    ('serves = "now" => serves = "now"\nnames = ["a..b"]', "hosts.api.names[0]", "not a DNS name", "a..b"),
    ('serves = "now" => serves = 12', "hosts.api.serves", "not a name", "chain"),
    ("api-1 = { => api-1 = { proved = 12, ", "keys.api-1.proved", "not a date", "2026-11-27"),
    ("[hosts.y]\naudience = 3", "hosts.y.audience", "not a known word", "public | intranet"),
    ("[trust.z]\naccepts_expired_roots = 1", "trust.z.accepts_expired_roots", "not a flag", "true or false"),
    ('[mechanisms.m]\nlike = "curl"\nbase = "non"', "mechanisms.m.base", "not a known word", "did you mean none?"),
    ("[fleet]", "fleet", "file is missing", "a path"),
    # digests
    (f'"{SPKI}" => "{SPKI[:-2]}="', "keys.api-1.spki", "not a digest", "base64 of 32 bytes"),
    (f'"{SPKI}" => "{SPKI.removeprefix("sha256/")}"', "keys.api-1.spki", "not a digest", "sha256/"),
    # references
    ('primary = "api-1" => primary = "api-3"', "pinsets.mobile.primary", "nothing has this name", "did you mean api-"),
    (
        'primary = "api-1" => primary = "root"',
        "pinsets.mobile.primary",
        "nothing has this name",
        "root is an authority",
    ),
    ('backups = ["api-2"] => authorities = ["api-2"]', "pinsets.mobile.authorities[0]", "nothing", "api-2 is a key"),
    ('serves = "now" => serves = "nwo"', "hosts.api.serves", "nothing has this name", "path of a PEM file"),
    ('pinset = "mobile" => pinset = "mobil"', "apps.shop.pinset", "nothing has this name", "did you mean mobile?"),
    ('mechanism = "okhttp" => mechanism = "okhtp"', "apps.shop.mechanism", "nothing", "did you mean okhttp?"),
    ('pinset = "mobile" => trust = "odl"', "apps.shop.trust", "nothing has this name", "did you mean old?"),
    ('pinset = "mobile" => hosts = ["apy"]', "apps.shop.hosts[0]", "nothing has this name", "did you mean api?"),
    ('[mechanisms.m]\nlike = "okhtp"', "mechanisms.m.like", "nothing has this name", "did you mean okhttp?"),
    # what goes together
    (f'spki = "{SPKI}" => spki = "{SPKI}", csr = "x"', "keys.api-1", "exactly one source", "csr and spki"),
    ('now = { leaf => now = { file = "x.pem", leaf', "chains.now", "a file, or planned, not both", "file |"),
    ("[chains.x]", "chains.x", "nothing says what this chain is", "file, or leaf"),
    ('issuers = ["root"] => issuers = ["root"], sends = ["ica"]', "chains.now.sends", "sends what is not", "ica"),
    ('backups = ["api-2"] => backups = ["api-1"]', "pinsets.mobile.backups", "primary and backup at once", "api-1"),
    (
        'backups = ["api-2"] => backups = ["api-2"]\nsigned_by = "api-1"',
        "pinsets.mobile.signed_by",
        "only live pins are signed",
        "live",
    ),
    (
        "releases = [{ => clients = 5\nreleases = [{",
        "apps.shop2.clients",
        "counts belong to the releases",
        "each release",
    ),
    (
        'version = "1.0" } => version = "1.0" }, { version = "2", also = ["1.0"] }',
        "apps.shop2.releases[1]",
        "this version is there twice",
        "1.0",
    ),
    ('pinset = "mobile" => clients = { low = 9, high = 3 }', "apps.shop.clients", "low is above high", "9 > 3"),
    ('pinset = "mobile" => clients = { low = 9 }', "apps.shop.clients", "high is missing", "whole number"),
    ('pinset = "mobile" => clients = -1', "apps.shop.clients", "not such a number", "from 0"),
    ('pinset = "mobile" => clients = "9"', "apps.shop.clients", "not of a known shape", "whole number"),
    ("[[freeze]]\nfrom = 2027-01-04\nto = 2026-12-18", "freeze[0].to", "ends before it begins", "2026-12-18"),
    ('[[calendar]]\ndate = 2026-12-18\nnote = "x"', "calendar[0]", "an event or an action", "one of them"),
    (
        '[[calendar]]\ndate = 2026-12-18\nevent = "key-loss:api-1"\naction = "destroy:api-1"',
        "calendar[0]",
        "an event or an action",
        "both",
    ),
    ('[[allow]]\nfinding = "x"', "allow[0]", "reason is missing", "text"),
    (
        'pinset = "mobile" => adoption = { never = 0.9, fast = 0.9, fast_days = 1, slow_days = 1 }',
        "apps.shop.adoption",
        "more than everybody",
        "0.9 + 0.9",
    ),
    ('pinset = "mobile" => rollout = [[0, 0.1], [1, 1.5]]', "apps.shop.rollout[1]", "a share is from 0 to 1", "1.5"),
    ('pinset = "mobile" => rollout = [[0], [1, 0.5]]', "apps.shop.rollout[0]", "not a day and a share", "[0]"),
    ('pinset = "mobile" => rollout = [[0, 0.7], [1, 0.5]]', "apps.shop.rollout[1]", "goes back", "from 0.7"),
    ('pinset = "mobile" => rollout = [[3, 0.5], [1, 0.7]]', "apps.shop.rollout[1]", "goes back", "after 3"),
    # between tables
    ('issued_by = ["root"] => issued_by = ["ica"]', "authorities.ica.issued_by", "goes round in a circle", "ica"),
    ('pinset = "mobile" => trust = { old = 0.5, new = 0.6 }', "apps.shop.trust", "do not add up to 1", "1.1"),
    (
        'serves = "now" => serves = "now"\nissuer_pool = { root = 0.5, ica = 0.4 }',
        "hosts.api.issuer_pool",
        "do not add up to 1",
        "0.9",
    ),
    ('[hosts."x.test"]\nnames = ["api"]', "hosts.x.test.names", "another host has this name", "hosts.api"),
    ('[mechanisms.curl]\nlike = "okhttp"', "mechanisms.curl", "the name of a known mechanism", "choose another"),
    ('[mechanisms.m]\nlike = "curl"\nruntime = "jvm"', "mechanisms.m.runtime", "only okhttp has a runtime", "jvm"),
    ('pinset = "mobile" => pinset = { curl = "mobile" }', "apps.shop.pinset.curl", "does not use this", "okhttp"),
    (
        'mechanism = "okhttp" => mechanism = ["okhttp", "curl"]\nconfig = "x"',
        "apps.shop.config",
        "one file for several mechanisms",
        "okhttp =",
    ),
    (
        'pinset = "mobile" => trust = "old"\nclients = { new = 5 }',
        "apps.shop.clients.new",
        "no clients with this trust store",
        "add it to trust",
    ),
    (
        'version = "1.0" }] => version = "1.0" }]\nfloors = [{ version = "9", date = 2027-01-01 }]',
        "apps.shop2.floors[0].version",
        "no release has this version",
        "9",
    ),
    (
        'backups = ["api-2"] => authorities = ["root"]\n[apps.ios]\nmechanism = "apple-ats"\npinset = "mobile"',
        "pinsets.mobile",
        "Apple demands one of the keys and one of the authorities",
        "leaf-and-ca",
    ),
    (
        '[trust.proxied]\nroots = ["root"]\nintercepted_by = "ica"',
        "trust.proxied.intercepted_by",
        "do not trust the proxy's root",
        "local_roots",
    ),
    (
        '[[calendar]]\ndate = 2026-12-18\nevent = "key-loss:api-3"',
        "calendar[0].event",
        "no key has this name",
        "did you mean api-",
    ),
    (
        '[[scenarios.s]]\ndate = 2026-12-18\naction = "serve:api:nwo"',
        "scenarios.s[0].action",
        "no chain or key has this name",
        "did you mean now?",
    ),
    ('[[calendar]]\ndate = 2026-12-18\nevent = "key-los:api-1"', "calendar[0].event", "not an event", "key-loss?"),
]


@pytest.mark.parametrize(("change", "path", "message", "more"), WRONG, ids=[f"{c[1] or 'file'}: {c[2]}" for c in WRONG])
def test_each_mistake_is_told_with_its_place_and_a_way_out(
    tmp_path: Path, change: str, path: str, message: str, more: str
) -> None:
    found = problems(changed(change), tmp_path)
    fitting = [p for p in found if p.path == path and message in p.message and more in str(p)]
    assert fitting, [str(p) for p in found]
    assert fitting[0].file == str(tmp_path / "policy.toml")


def test_a_host_name_with_dots_needs_quotes(tmp_path: Path) -> None:
    found = problems(changed('[hosts.api.shop.example]\nserves = "now"'), tmp_path)
    assert any("needs quotes" in p.hint for p in found)


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    text = changed(
        'primary = "api-1" => primry = "api-1"',
        'serves = "now" => serves = "nwo"\nport = 0',
        'version = "1.0" => version = 7.2',
        "[limits]\nbreak_budget = 2",
        '[[calendar]]\ndate = 2026-12-18\nevent = "key-loss:api-9"',
        "colour = 3",
    ).replace("colour = 3", "")
    paths = [p.path for p in problems("colour = 3\n" + text, tmp_path)]
    assert paths == [
        "colour",
        "hosts.api.serves",
        "hosts.api.port",
        "pinsets.mobile.primry",
        "apps.shop2.releases[0].version",
        "limits.break_budget",
        "calendar[0].event",
    ]


def test_a_name_of_a_key_and_an_authority_is_told(tmp_path: Path) -> None:
    text = changed(f'api-2 = {{ => root = {{ spki = "{pin_text("z")}" }}\napi-2 = {{')
    (only,) = problems(text, tmp_path)
    assert (only.path, only.message) == ("authorities.root", "a key has this name already")


def test_counts_in_two_places_are_told(tmp_path: Path) -> None:
    text = changed('version = "1.0" } => version = "1.0", clients = 5 }', '[fleet]\nfile = "f.csv"')
    (only,) = problems(text, tmp_path)
    assert only.message == "counts stand here and in the fleet file"


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (b"schema = 1\nname = \n", "is not TOML: invalid value (at line 2", "the line reads: name ="),
        (b"schema = 1\nname = 'a\n", "is not TOML", ""),
        (b"schema = 1\na = 1\na = 2\n", "is not TOML", "the line reads: a = 2"),
        (b"schema = 1\nname = '\xff'\n", "is not UTF-8 text (line 2)", ""),
        (b"x = " + b"[" * 5000, "is not TOML", ""),
        (b"\x00", "is not TOML", ""),
    ],
    ids=["no value", "open text", "twice", "bytes", "deep", "NUL"],
)
def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path, data: bytes, message: str, hint: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_policy(str(path))
    (only,) = caught.value.problems
    assert message in only.message
    assert hint in only.hint


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: no such file"):
        read_policy(str(tmp_path / "none.toml"))
    with pytest.raises(InputError, match="cannot be read: is a directory"):
        read_policy(str(tmp_path))


@pytest.mark.parametrize("change", [("\n", "\r\n"), ("schema", "\ufeffschema")], ids=["CRLF", "BOM"])
def test_line_endings_and_marks_of_other_editors_are_no_mistake(tmp_path: Path, change: tuple[str, str]) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(SOUND.replace(*change).encode())
    policy, _ = read_policy(str(path))
    assert set(policy.apps) == {"shop", "shop2"}


def test_values_in_messages_cannot_drive_a_terminal(tmp_path: Path) -> None:
    found = problems(changed('primary = "api-1" => primary = "\\u001b[31m\\u202eevil"'), tmp_path)
    assert all("\x1b" not in str(p) and "\u202e" not in str(p) for p in found)
    assert "\\x1b[31m\\u202eevil" in str(found[0])


def test_a_problem_as_json_has_all_its_parts(tmp_path: Path) -> None:
    (only,) = problems(changed('pinset = "mobile" => pinset = "mobil"'), tmp_path)
    assert only.to_json() == {
        "file": str(tmp_path / "policy.toml"),
        "path": "apps.shop.pinset",
        "message": "nothing has this name",
        "value": "mobil",
        "expected": "the name of a pinset",
        "hint": "did you mean mobile?",
    }
