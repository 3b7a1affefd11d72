"""Text of files and servers is data: never an escape code, never markup, never live HTML, on no way out."""

from __future__ import annotations

import json
import plistlib
import re
import unicodedata

import pytest

from tests.cli.conftest import Ran, Run
from tests.desk import BASE, Desk, app
from tests.minting import chain_pem, intermediate, mint, pin_b64, pin_text, root

EVIL = "\x1b[31mX\x9b0mY\u202eZ\u200b<script>alert(1)</script>[a](javascript:x)|`b`\x07\r\u2028\u2066&amp;"
#: The same for names in certificates, which are short.
SHORT = "\x1b[31mX\x9b0mY\u202eZ<script>1</script>[a](b)|`"
#: Characters that a terminal would obey, that reorder or hide text, or that end a line.
LIVE = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"}


def live(text: str) -> set[str]:
    """Give the characters of a text that are not plain; line feeds are ours."""
    return {char for char in text if char != "\n" and unicodedata.category(char) in LIVE}


def quiet(ran: Ran) -> None:
    """Hold that neither stream holds anything live."""
    assert live(ran.out) == set(), ran.out
    assert live(ran.err) == set(), ran.err


Q = json.dumps(EVIL)
OFFERS = f'other_clients = {Q}\nedges = [{{ name = {Q}, serves = "c.pem" }}]'
BESIDE = f'beside = [{{ mechanism = "curl", hosts = ["api"], note = {Q} }}]'
MORE = f"""\
[apps.ios]
mechanism = "apple-ats"
trust = "ours"
releases = [{{ version = {Q}, config = "Info.plist", clients = 10 }}]
counts = {{ unit = {Q}, source = {Q} }}
[[calendar]]
date = 2026-12-01
event = "expire:a-chain"
note = {Q}
[[allow]]
finding = {Q}
reason = {Q}
subject = {Q}
[[freeze]]
from = 2026-12-18
to = 2027-01-04
"""


@pytest.fixture
def policy(desk: Desk) -> str:
    """Write a policy with hostile text wherever a policy or its files may hold any."""
    evil_root = root(SHORT)
    evil_ica = intermediate(f"ica {SHORT}", evil_root)
    desk.file("root.pem", evil_root.pem)
    desk.file("ica.pem", evil_ica.pem)
    leaf = mint(f"leaf {SHORT}", evil_ica, key_name="a", names=["api.example.com"])
    desk.file("a.pem", chain_pem(leaf, evil_ica))
    desk.file(
        "Info.plist",
        plistlib.dumps(
            {
                "NSAppTransportSecurity": {
                    "NSPinnedDomains": {
                        f"x{EVIL}": {"NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": EVIL}], EVIL: True},
                        "api.example.com": {"NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": pin_b64("a")}]},
                    }
                }
            },
            fmt=plistlib.FMT_BINARY,
        ),
    )
    desk.file(
        "pins.json", json.dumps({"api.example.com": [pin_text("a"), pin_text("stranger")], "x.test": ["sha256/AAAA"]})
    )
    text = BASE.replace("schema = 1\n", f"schema = 1\nname = {Q}\n")
    text = text.replace('serves = "a-chain"\n', f'serves = "a-chain"\n{OFFERS}\n')
    text = text.replace('ica = { certificate = "ica.pem" }\n', "")
    text += app("android", pinset="", more='config = "pins.json"') + app("web", "none", pinset="", more=BESIDE) + MORE
    desk.policy(BASE + app("shop"), "plain.toml")
    return desk.policy(text)


@pytest.mark.parametrize(
    "words",
    [
        ("{}",),
        ("check", "{}"),
        ("simulate", "{}", "key-compromise:a"),
        ("simulate", "{}", "ca-distrust:root"),
        ("simulate", "{}", "key-loss:a", "--until", "2026-12-05"),
        ("simulate", "{}", f"key-loss:{EVIL}"),
        ("simulate", "{}", EVIL),
        ("export", "{}", "--promote", "b"),
        ("export", "{}", "--promote", "b", "--override", EVIL),
        ("export", "{}", "--promote", EVIL),
        ("import", "apple-ats", "Info.plist"),
        ("import", "okhttp", "pins.json"),
        ("report", "list", "{}"),
        ("report", "show", "{}", "last"),
        ("report", "show", "{}", EVIL),
        ("new", "fresh.toml", "a.pem"),
        ("new", "fresh.toml", "--from-folder", ".", "--path", "*.json"),
        ("new", "fresh.toml", "--from-folder", EVIL),
        ("new", "fresh.toml", "--from-git", EVIL, EVIL, "--path", EVIL),
        ("new", "fresh.toml", "--from-folder", ".", "--take", f"{EVIL}=okhttp"),
        ("observe", "{}", "api=a.pem", "--no-record"),
        ("observe", "{}", f"{EVIL}=a.pem"),
        ("observe", "{}", f"api={EVIL}"),
        ("review", "{}", "--base", "plain.toml"),
        ("review", "plain.toml", "--base", "{}"),
        ("review", "{}", "--base", EVIL),
        ("why", "{}", "exposed", "key-compromise:a"),
        ("why", "{}", "cohorts[0].why", "key-compromise:a"),
        ("why", "{}", EVIL),
        ("check", f"{EVIL}.toml"),
    ],
    ids=lambda words: re.sub(r"[^ -~]+", "?", " ".join(words))[:40],
)
@pytest.mark.parametrize("ascii_only", [False, True], ids=["", "ascii"])
def test_no_text_reaches_a_terminal_live(run: Run, policy: str, words: tuple[str, ...], *, ascii_only: bool) -> None:
    run("simulate", policy, "key-compromise:a")
    words = tuple(policy if word == "{}" else word for word in words)
    ran = run(*words, *(["--ascii"] if ascii_only else []))
    assert ran.out or ran.err
    quiet(ran)


@pytest.mark.parametrize("event", ["key-compromise:a", "ca-distrust:root"])
def test_no_markup_reaches_markdown(run: Run, policy: str, event: str) -> None:
    run("simulate", policy, event)
    ran = run("report", "show", policy, "last", "--format", "md")
    quiet(ran)
    bare = re.sub(r"\\.", "", ran.out)
    assert "script" in ran.out
    for mark in ("<", ">", "[", "]", "`", "&"):
        assert mark not in bare, mark
    for line in ran.out.splitlines():
        assert not line.startswith("|") or line.replace("\\|", "").count("|") == 6


@pytest.mark.parametrize("event", ["key-compromise:a", "ca-distrust:root"])
def test_no_html_reaches_a_page_live(run: Run, policy: str, event: str) -> None:
    run("simulate", policy, event)
    ran = run("report", "show", policy, "last", "--format", "html")
    quiet(ran)
    tags = set(re.findall(r"<(/?[a-zA-Z][a-zA-Z0-9]*)", ran.out))
    assert "script" not in tags
    assert "a" not in tags
    assert "&lt;script&gt;" in ran.out
    assert "default-src 'none'" in ran.out
    assert not re.search(r"\son[a-z]+=", ran.out)


def test_json_keeps_the_text_as_it_is_but_no_control_characters(run: Run, policy: str) -> None:
    ran = run("simulate", policy, "key-compromise:a", "--json")
    assert EVIL in ran.json["policy"]["name"]
    assert not {char for char in ran.out if char != "\n" and ord(char) < 32}


def test_a_diff_shows_hostile_lines_as_what_they_are(desk: Desk, run: Run) -> None:
    desk.file("android.xml", "<network-security-config><!-- \x85\u202eevil -->\n</network-security-config>")
    text = BASE + app("shop", "android-nsc") + '[[exports]]\npinset = "p"\nfiles = { android-nsc = "android.xml" }\n'
    ran = run("export", desk.policy(text))
    assert ran.code == 0
    quiet(ran)
    assert "\\u202eevil" in ran.out


def test_an_option_that_is_none_reaches_no_terminal_live(run: Run, policy: str) -> None:
    ran = run("simulate", policy, "--bogus\x1b[31m", "\x1b]0;title\x07")
    assert ran.code == 2
    quiet(ran)
