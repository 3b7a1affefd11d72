"""Writing into a file that is there changes pins and nothing else: each format as people write it by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date

import pytest

from rotator.errors import InputError
from rotator.mechanisms.base import Mechanism, PinConfig
from rotator.mechanisms.registry import mechanism
from rotator.model.names import Cover, Reach
from rotator.model.pins import Pin, PinKind, b64
from rotator.model.rules import Mode
from tests.judging import CONTEXT, diff, spec
from tests.minting import pin, pin_b64, pin_text

A, B, OLD = (Pin(PinKind.CERT_SHA256, bytes([n]) * 31 + b"\x07") for n in (1, 2, 3))
HEX = {p: ":".join(f"{byte:02X}" for byte in p.digest) for p in (A, OLD)}
END = date(2027, 6, 30)
SECONDS = 1814313600


@dataclass(frozen=True, kw_only=True)
class Case:
    """A file, and the lines that go and come when its old pin gives way to b; a stays as it is spelt."""

    own: str
    text: str
    gone: tuple[str, ...]
    came: tuple[str, ...]

    def config(self, own: Mechanism) -> PinConfig:
        """Give what shall be in the file."""
        pinset = spec("api.example.com", keys=("a", "b"), expires=END)
        return own.from_pinset(pinset if own.says_keys else replace(pinset, keys=(), certificates=(A, B)))


def rows(**more: object) -> str:
    """Write rows as somebody's own formatter does."""
    tail = "".join(f", {json.dumps(key)}: {json.dumps(value)}" for key, value in more.items())
    return (
        '{"note":  "ours",\n "rows": [\n'
        f'   {{"host": "shop.example.com", "pins": ["{pin_text("x")}"]{tail}}},\n'
        f'   {{"host": "API.example.com", "pins": ["{pin_text("a")}", "{pin_text("old")}"]{tail}, "owner": "web"}}\n'
        " ]}\n"
    )


def row(*names: str, **more: object) -> str:
    """Write the row of our host."""
    tail = "".join(f", {json.dumps(key)}: {json.dumps(value)}" for key, value in more.items())
    pins = ", ".join(f'"{pin_text(name)}"' for name in names)
    return f'   {{"host": "API.example.com", "pins": [{pins}]{tail}, "owner": "web"}}\n'


def fingerprint(which: Pin, tail: str = "", signature: str = "") -> str:
    """Write a fingerprint of our host."""
    signed = f', "signature": "{signature}"' if signature else ""
    digest = b64(which.digest)
    return f'  {{"name": "api.example.com", "fingerprint": "{digest}", "expires": {SECONDS}{signed}}}{tail}\n'


def header(*names: str) -> str:
    """Write a header with other directives around its pins."""
    pins = "; ".join(f'pin-sha256="{pin_b64(name)}"' for name in names)
    return f'Public-Key-Pins: max-age=600; report-uri="https://r.example/a;b"; {pins}\n'


ROWS = [
    Case(own=own, text=rows(**more), gone=(row("a", "old", **more),), came=(row("a", "b", **more),))
    for own, more in (
        ("node", {}),
        ("go", {}),
        ("rn-ssl-pinning", {"pkPinning": True}),
        ("cronet", {"includeSubdomains": False, "expires": "2027-06-30T00:00:00Z"}),
    )
]
CASES = [
    *ROWS,
    Case(
        own="alamofire",
        text=rows().replace("API", "api"),
        gone=(row("a", "old").replace("API", "api"),),
        came=(row("a", "b").replace("API", "api"),),
    ),
    Case(
        own="approov",
        text=f'{{ "domains": {{\n  "api.example.com": {{"pins": ["{pin_b64("a")}",\n    "{pin_b64("old")}"]}},\n'
        f'  "*": ["{pin_b64("x")}"] }} }}\n',
        gone=(f'  "api.example.com": {{"pins": ["{pin_b64("a")}",\n', f'    "{pin_b64("old")}"]}},\n'),
        came=(
            '  "api.example.com": {"pins": [\n',
            f'    "{pin_b64("a")}",\n',
            f'    "{pin_b64("b")}"\n',
            "  ]},\n",
        ),
    ),
    Case(
        own="rn-public-key-pinning",
        text='{\n\t"api.example.com": {\n\t\t"expirationDate": "2027-06-30",\n'
        f'\t\t"publicKeyHashes": ["{pin_b64("a")}", "{pin_b64("old")}"],\n\t\t"x": 1\n\t}}\n}}\n',
        gone=(f'\t\t"publicKeyHashes": ["{pin_b64("a")}", "{pin_b64("old")}"],\n', '\t\t"x": 1\n'),
        came=(
            f'\t\t"publicKeyHashes": ["{pin_b64("a")}", "{pin_b64("b")}"],\n',
            '\t\t"x": 1,\n',
            '\t\t"includeSubdomains": false\n',
        ),
    ),
    Case(
        own="hpkp",
        text=f"# what the proxy sends\n{header('old', 'a')}",
        gone=(header("old", "a"),),
        came=(header("a", "b"),),
    ),
    Case(
        own="dane",
        text="$ORIGIN example.com.\nwww 300 IN A 192.0.2.1\n"
        f"_25._tcp.mail.example.com. 300 IN TLSA 3 1 1 {pin('x').digest.hex()}\n"
        f"_8443._tcp.api.example.com. 300 IN TLSA 3 1 1 {pin('old').digest.hex()} ; the old one\n"
        f"   IN TLSA 3 1 1 {pin('a').digest.hex().upper()} ; in use\n; the end\n",
        gone=(f"_8443._tcp.api.example.com. 300 IN TLSA 3 1 1 {pin('old').digest.hex()} ; the old one\n",),
        came=(f"_8443._tcp.api.example.com. 300 IN TLSA 3 1 1 {pin('b').digest.hex()} ; the old one\n",),
    ),
    Case(
        own="afnetworking",
        text=f"# web\n{pin_text('a')}  # in use\n\n{pin_text('old')}\n# end\n",
        gone=(f"{pin_text('old')}\n",),
        came=(f"{pin_text('b')}\n",),
    ),
    Case(
        own="flutter-http-pinning",
        text=f"# probe\n{HEX[A]}\n{HEX[OLD]}\n",
        gone=(f"{HEX[OLD]}\n",),
        came=(f"{B.digest.hex()}\n",),
    ),
    Case(own="aiohttp", text=f"# web\n{HEX[OLD]}\n", gone=(f"{HEX[OLD]}\n",), came=(f"{A.digest.hex()}\n",)),
    Case(own="urllib3", text=f"# web\n{HEX[A]}  # kept\n", gone=(), came=()),
    Case(
        own="wget",
        text=f"# proxy\nuse_proxy = on\npinned-pubkey=sha256//{pin_b64('old')}\n",
        gone=(f"pinned-pubkey=sha256//{pin_b64('old')}\n",),
        came=(f"pinned-pubkey=sha256//{pin_b64('a')};sha256//{pin_b64('b')}\n",),
    ),
    Case(
        own="curl",
        text=f'silent\n--pinnedpubkey "sha256//{pin_b64("old")}"\nurl = "https://api.example.com/"\n',
        gone=(f'--pinnedpubkey "sha256//{pin_b64("old")}"\n',),
        came=(f'--pinnedpubkey "sha256//{pin_b64("a")};sha256//{pin_b64("b")}"\n',),
    ),
    Case(
        own="wultra",
        text='{"timestamp": 1, "fingerprints": [\n'
        f'  {{"name": "shop.example.com", "fingerprint": "{b64(OLD.digest)}", "expires": 9, "signature": "MEUC"}},\n'
        f"{fingerprint(OLD, ',')}{fingerprint(A, signature='MEQC')}]}}\n",
        gone=(fingerprint(OLD, ","), fingerprint(A, signature="MEQC")),
        came=(fingerprint(A, ",", "MEQC"), fingerprint(B)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.own)
def test_only_the_pins_change(case: Case) -> None:
    own = mechanism(case.own)
    config = case.config(own)
    new = own.edit(case.text.encode(), config, CONTEXT)
    gone, came = diff(case.text.encode(), new)
    assert (b"".join(gone).decode(), b"".join(came).decode()) == ("".join(case.gone), "".join(case.came))
    assert own.agrees(own.parse(new, CONTEXT).config, config, "api.example.com")
    assert own.edit(new, config, CONTEXT) == new


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.own)
def test_line_endings_stay(case: Case) -> None:
    own = mechanism(case.own)
    new = own.edit(case.text.replace("\n", "\r\n").encode(), case.config(own), CONTEXT)
    assert new.count(b"\n") == new.count(b"\r\n")


def test_an_entry_whose_end_changes_loses_its_signature() -> None:
    """The signature is over the end as well: the old one would be wrong."""
    own = mechanism("wultra")
    entry = {"name": "api.example.com", "fingerprint": b64(A.digest), "expires": 9, "signature": "MEUC"}
    config = own.from_pinset(replace(spec("api.example.com", keys=(), expires=END), certificates=(A,)))
    (new,) = json.loads(own.edit(json.dumps({"fingerprints": [entry]}).encode(), config, CONTEXT))["fingerprints"]
    assert new == {"name": "api.example.com", "fingerprint": b64(A.digest), "expires": SECONDS}


def test_pins_without_an_end_take_the_old_end_out() -> None:
    own = mechanism("rn-public-key-pinning")
    text = own.render(own.from_pinset(spec("api.example.com", expires=END)))
    config = own.from_pinset(spec("api.example.com"))
    assert own.parse(own.edit(text, config, CONTEXT), CONTEXT).config == config


def test_a_header_becomes_report_only_with_its_pinset() -> None:
    own = mechanism("hpkp")
    reported = own.from_pinset(replace(spec("api.example.com"), mode=Mode.REPORT_ONLY))
    enforced = own.from_pinset(spec("api.example.com"))
    for old in (own.render(enforced), b'Public-Key-Pins: max-age=600; pin-sha256="' + pin_b64("a").encode() + b'"\n'):
        new = own.edit(old, reported, CONTEXT)
        assert b"Public-Key-Pins-Report-Only" in new
        assert own.rule(own.parse(new, CONTEXT).config, "api.example.com").mode is Mode.REPORT_ONLY


@pytest.mark.parametrize("own", ["alamofire", "node", "cronet", "go"])
@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"rows": []}', '{"host": "a.test", "pins": []}\n', '{\n "host": "a.test",\n "pins": []\n}\n'],
    ids=["empty", "list", "rows", "lines", "one row"],
)
def test_a_file_of_any_shape_takes_a_new_host(own: str, text: str) -> None:
    """Lists, rows beside settings, JSON Lines and a single row all are read by the same client."""
    found = mechanism(own)
    if own == "cronet":
        text = text.replace('"pins": []', f'"expires": "2027-01-01T00:00:00Z", "pins": ["{pin_text("x")}"]')
    config = found.from_pinset(spec(Cover("api.example.com", Reach.EXACT), expires=END))
    new = found.edit(text.encode(), config, CONTEXT)
    read = found.parse(new, CONTEXT).config
    assert found.agrees(read, config, "api.example.com")
    assert ("a.test" in text) == any(cover.name == "a.test" for entry in read.entries for cover in entry.covers)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "$ORIGIN example.com.\n_443._tcp.api 300 IN TLSA ( 3 1 1 ; ours\n  {old} )\nwww IN A 192.0.2.1\n",
            (
                "$ORIGIN example.com.\n_443._tcp.api 300 IN TLSA   3 1 1 {a} ; ours\n"
                "_443._tcp.api.example.com. 300 IN TLSA 3 1 1 {b}\nwww IN A 192.0.2.1\n"
            ),
        ),
        (
            "$ORIGIN api.example.com.\n_443._tcp IN TLSA 3 1 1 {old}\n  IN TLSA 3 1 1 {x}\n  IN TLSA 3 1 1 {b}\n",
            "$ORIGIN api.example.com.\n_443._tcp IN TLSA 3 1 1 {a}\n  IN TLSA 3 1 1 {b}\n",
        ),
        (
            "_443._tcp.api.example.com. IN TLSA 3 0 1 {x}\n 60 IN TLSA 3 1 1 {a}\n IN TLSA (3 1 1\n{b})\n",
            "_443._tcp.api.example.com. 60 IN TLSA 3 1 1 {a}\n IN TLSA (3 1 1\n{b})\n",
        ),
    ],
)
def test_records_of_a_zone_keep_owner_time_to_live_and_comment(old: str, new: str) -> None:
    own = mechanism("dane")
    digests = {name: pin(name).digest.hex() for name in ("a", "b", "old", "x")}
    wanted = own.from_pinset(spec("api.example.com"))
    written = own.edit(old.format(**digests).encode(), wanted, CONTEXT)
    assert written.decode() == new.format(**digests)
    assert own.agrees(own.parse(written, CONTEXT).config, wanted, "api.example.com")
    assert own.edit(written, wanted, CONTEXT) == written


@pytest.mark.parametrize("own", ["afnetworking", "alamofire", "rn-ssl-pinning"])
def test_a_bundled_certificate_is_not_written_over(own: str) -> None:
    found = mechanism(own)
    with pytest.raises(InputError, match="is a certificate"):
        found.edit(b"-----BEGIN CERTIFICATE-----", found.from_pinset(spec("api.example.com")), CONTEXT)


@pytest.mark.parametrize(
    ("own", "text", "name"),
    [
        ("approov", '{"%s": ["PIN", "PIN2"]}\n', "api.example.com."),
        ("rn-public-key-pinning", '{"%s": {"publicKeyHashes": ["PIN", "PIN2"]}}\n', "api.example.com."),
        ("rn-public-key-pinning", '[{"host": "%s", "pins": ["PIN", "PIN2"]}]\n', "api.example.com."),
        ("rn-ssl-pinning", '[{"host": "%s", "pins": ["sha256/PIN"], "pkPinning": true}]\n', "api.example.com."),
        ("alamofire", '{"rows": [{"host": "%s", "pins": ["sha256/PIN"]}]}\n', "api.example.com."),
        ("alamofire", '{"rows": [{"host": "%s", "pins": ["sha256/PIN"]}]}\n', "API.example.com"),
    ],
)
def test_a_name_the_client_never_asks_for_is_told_and_gets_no_pins(own: str, text: str, name: str) -> None:
    """A last dot matches no host, nor another letter case where keys are exact: the plain name is written beside it."""
    found = mechanism(own)
    whole = (text % name).replace("PIN2", pin_b64("x")).replace("PIN", pin_b64("old")).encode()
    parsed = found.parse(whole, CONTEXT)
    assert not found.rule(parsed.config, "api.example.com").pins
    assert "domain-never-matches" in {finding.id for finding in parsed.findings}
    wanted = found.from_pinset(spec("api.example.com"))
    written = found.edit(whole, wanted, CONTEXT)
    assert name.encode() in written
    assert pin_b64("old").encode() in written
    assert found.agrees(found.parse(written, CONTEXT).config, wanted, "api.example.com")
