"""Why: one sentence for each row, in the names of the policy."""

from __future__ import annotations

import pytest

from rotator.simulate.explain import why
from tests.desk import BASE, Desk, app, row
from tests.minting import pin_text

MORE = """\
[pinsets.only-b]
primary = "b"
[pinsets.both-lists]
primary = "b"
authorities = ["root"]
combine = "leaf-and-ca"
[mechanisms.checking]
like = "okhttp"
revocation = "hard"
"""


def said(desk: Desk, own: str, *events: str, at: str = "") -> str:
    """Give the sentence of the one row."""
    answer = desk.ask(BASE + MORE + own, *events, at=at)
    return why(row(answer), answer.inventory)


@pytest.mark.parametrize(
    ("own", "events", "sentence"),
    [
        (app("s"), (), "pin a matches in a > ica > root"),
        (app("s", pinset="only-b"), (), "pins {b} are not in a > ica > root"),
        (app("s", "none", pinset=""), (), "no pins are in force; a > ica > root"),
        (app("s"), ("key-loss:a",), "nothing can be served on api: its key is lost"),
        (app("s"), ("ca-distrust:root",), "every path of a-chain leads over a distrusted authority"),
        (app("s"), ("expire:a-chain",), "a in a-chain has ended and nobody renewed it"),
        (app("s", "checking"), ("revoke:api?clock=0h",), "the certificate of a in a-chain is revoked"),
        (
            app("s"),
            ("key-compromise:a",),
            "pin a matches in a > ica > root; whoever holds a is accepted: pin a matches",
        ),
        (
            app("s", "none", pinset=""),
            ("key-compromise:a",),
            "no pins are in force; a > ica > root; whoever holds a is accepted: no pin is in force",
        ),
        (
            app("s", pinset="only-b"),
            ("key-compromise:a",),
            "pins {b} are not in a > ica > root; whoever holds a is refused: no pin matches",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else "+".join(value) or "today",
)
def test_the_sentence_says_what_decided(desk: Desk, own: str, events: tuple[str, ...], sentence: str) -> None:
    found = said(desk, own, *events)
    for part in sentence.split("; "):
        assert part in found


def test_an_end_is_told_with_its_date(desk: Desk) -> None:
    assert said(desk, app("s"), at="2027-10-01") == "a in a-chain ended on 2027-09-30"
    assert said(desk, app("s"), at="2026-09-01") == "a in a-chain begins on 2026-10-01"


def test_the_mechanism_that_refuses_is_named_where_there_are_several(desk: Desk) -> None:
    two = '[apps.s]\nmechanism = ["none", "okhttp"]\npinset = "only-b"\ntrust = "ours"\nclients = 10\n'
    assert said(desk, two).startswith("okhttp: pins {b} are not in")


def test_of_two_lists_the_one_that_does_not_match_is_named(desk: Desk) -> None:
    sentence = said(desk, app("s", "apple-ats", pinset="both-lists"))
    assert "{b}" in sentence
    assert "{root}" not in sentence


def test_doubt_is_said(desk: Desk) -> None:
    assert said(desk, app("s", "apple-ats"), "revoke:api?clock=0h").endswith(
        "UNSURE: devices differ here, and the worse is counted"
    )


def test_the_name_that_decided_is_told_where_a_host_has_several(desk: Desk) -> None:
    text = BASE.replace('names = ["api.example.com"]', 'names = ["api.example.com", "img.example.com"]') + app("s")
    answer = desk.ask(text)
    assert (
        why(row(answer), answer.inventory) == "the certificate of a-chain is not for img.example.com (img.example.com)"
    )


def test_a_rejected_configuration_is_told_with_its_line(desk: Desk) -> None:
    desk.file("bad.xml", "<network-security-config>\n<domain-config/>\n</network-security-config>")
    sentence = said(desk, app("s", "android-nsc", pinset="", more='config = "bad.xml"'))
    assert sentence == "the client refuses its configuration: a domain-config without a domain (line 2)"


def test_no_path_names_the_store(desk: Desk) -> None:
    assert said(desk, app("s").replace('trust = "ours"\n', "")) == "no path from a-chain to a root of mozilla"


@pytest.mark.parametrize(
    ("mechanisms", "own", "events", "part"),
    [
        ("", app("s").replace('"ours"', '"rsa"'), (), "the client cannot handle ec-p256"),
        (
            'like = "okhttp"\nno_host = "closed"',
            app("s", "m", pinset="elsewhere"),
            (),
            "not among the pinned names and is",
        ),
        ("", app("s", pinset="elsewhere"), (), "the host is not among the pinned names"),
        ("", app("s", "trustkit-ios", pinset="seen"), (), "a mismatch is only reported"),
        (
            'like = "okhttp"\nexpiry = "closed"',
            app("s", "m", pinset="ended"),
            (),
            "have ended and the client then refuses",
        ),
        ("", app("s", "android-nsc", pinset="ended"), (), "the pins have ended"),
        ("", app("s"), ("key-compromise:a", "expire:a-chain"), "refused: every certificate for it has ended"),
        ("", app("s"), ("key-compromise:a", "ca-distrust:root"), "refused: its issuer is distrusted"),
        (
            'like = "okhttp"\nrevocation = "hard"',
            app("s", "m"),
            ("key-compromise:a", "revoke:api?clock=0h"),
            "are revoked",
        ),
    ],
)
def test_every_reason_has_its_words(desk: Desk, mechanisms: str, own: str, events: tuple[str, ...], part: str) -> None:
    extra = (
        '[trust.rsa]\nroots = ["root"]\nkey_types = ["rsa"]\n'
        '[pinsets.elsewhere]\nprimary = "a"\ncovers = ["www.example.com"]\n'
        '[pinsets.seen]\nprimary = "b"\nmode = "report-only"\n'
        '[pinsets.ended]\nprimary = "a"\nexpires = 2026-11-01\n'
    )
    extra += f"[mechanisms.m]\n{mechanisms}\n" if mechanisms else ""
    answer = desk.ask(BASE + extra + own, *events)
    assert part in why(row(answer), answer.inventory)


def test_many_pins_are_counted(desk: Desk) -> None:
    pins = "\n".join(f'k{n} = {{ spki = "{pin_text(f"k{n}")}" }}' for n in range(9))
    names = ", ".join(f'"k{n}"' for n in range(9))
    text = BASE.replace("[keys]\n", f"[keys]\n{pins}\n") + f"[pinsets.many]\nprimary = [{names}]\n"
    answer = desk.ask(text + app("s", pinset="many"))
    assert "{k0, k1, k2, k3 and 5 more}" in why(row(answer), answer.inventory)
