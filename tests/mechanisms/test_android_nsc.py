"""Android Network Security Config: what Android reads, and for which hosts."""

from __future__ import annotations

from datetime import date

import pytest

from rotator.errors import InputError
from rotator.mechanisms.android_nsc import MECHANISM as NSC
from rotator.model.rules import BadConfig, LocalRoots
from rotator.model.verdicts import Reason
from tests.judging import ICA, LEAF, ROGUE, ROGUE_ICA, ROGUE_ROOT, ROOT, Scene, findings, pins_for, read, refused
from tests.minting import instant, pin, pin_b64

A, B = f'<pin digest="SHA-256">{pin_b64("a")}</pin>', f'<pin digest="SHA-256">{pin_b64("b")}</pin>'
PIN_SET = f"<pin-set>{A}{B}</pin-set>"
SYSTEM = '<certificates src="system"/>'


def nsc(body: str) -> str:
    """Wrap blocks into a file."""
    return f'<?xml version="1.0" encoding="utf-8"?>\n<network-security-config>{body}</network-security-config>\n'


def block(*domains: str, body: str = PIN_SET) -> str:
    """Write a domain-config; a `+` in front of a domain includes its subdomains."""
    lines = [f'<domain includeSubdomains="{str(d[0] == "+").lower()}">{d.removeprefix("+")}</domain>' for d in domains]
    return f"<domain-config>{''.join(lines)}{body}</domain-config>"


def pinned(name: str, body: str = "") -> str:
    """Write a block that pins the key of a name."""
    return f'<pin-set><pin digest="SHA-256">{pin_b64(name)}</pin></pin-set>{body}'


# --- hosts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("example.com", True),
        ("a.example.com", True),
        ("b.a.example.com", True),
        ("badexample.com", False),
        ("com", False),
    ],
)
def test_subdomains_reach_any_depth(host: str, *, covered: bool) -> None:
    assert bool(pins_for(NSC, nsc(block("+example.com")), host)) is covered


def test_without_the_flag_only_the_name_itself() -> None:
    text = nsc(block("example.com"))
    assert pins_for(NSC, text, "example.com")
    assert not pins_for(NSC, text, "a.example.com")


def test_the_exact_name_beats_a_parent_even_without_the_flag() -> None:
    text = nsc(block("+example.com", body=pinned("parent")) + block("api.example.com", body=pinned("child")))
    assert pins_for(NSC, text, "api.example.com") == {pin("child")}
    assert pins_for(NSC, text, "www.example.com") == {pin("parent")}


def test_the_longest_parent_wins_and_pins_are_not_added() -> None:
    text = nsc(block("+example.com", body=pinned("far")) + block("+a.example.com", body=pinned("near")))
    assert pins_for(NSC, text, "b.a.example.com") == {pin("near")}


def test_a_parent_without_the_flag_is_passed_over() -> None:
    text = nsc(block("+example.com", body=pinned("far")) + block("a.example.com", body=pinned("near")))
    assert pins_for(NSC, text, "b.a.example.com") == {pin("far")}


def test_names_lose_case_and_white_space() -> None:
    text = nsc("<domain-config><domain>\n   API.Example.COM\n  </domain>" + PIN_SET + "</domain-config>")
    assert pins_for(NSC, text, "api.example.com")


def test_a_name_with_a_trailing_dot_never_matches() -> None:
    """Android strips the dot of the host it asks for, not of the name in the file."""
    text = nsc(block("example.com."))
    assert not pins_for(NSC, text, "example.com")
    assert "domain-never-matches" in findings(NSC, text)


@pytest.mark.parametrize("name", ["*.example.com", "https://example.com", "example.com:443", "example.com/x"])
def test_names_that_no_host_has_are_told(name: str) -> None:
    text = nsc(block(name))
    assert "domain-never-matches" in findings(NSC, text)
    assert not pins_for(NSC, text, "a.example.com")


# --- inheritance ------------------------------------------------------------------------------------------------


def test_a_sibling_block_inherits_nothing() -> None:
    """Vector 3: parent includes subdomains, the child has a block of its own without pins."""
    text = nsc(block("+example.com") + block("open.example.com", body=""))
    assert not pins_for(NSC, text, "open.example.com")
    assert "unpinned-below" in findings(NSC, text)


def test_a_nested_block_inherits_pins() -> None:
    """Vector 4."""
    text = nsc(block("+example.com", body=PIN_SET + block("open.example.com", body="")))
    assert pins_for(NSC, text, "open.example.com") == {pin("a"), pin("b")}


def test_pins_after_a_nested_block_are_inherited_too() -> None:
    """Android builds the nested configuration from its parent when everything is read."""
    text = nsc(block("+example.com", body=block("open.example.com", body="") + PIN_SET))
    assert pins_for(NSC, text, "open.example.com") == {pin("a"), pin("b")}


def test_an_empty_pin_set_unpins() -> None:
    text = nsc(block("+example.com", body=PIN_SET + block("open.example.com", body="<pin-set/>")))
    assert not pins_for(NSC, text, "open.example.com")
    assert "unpinned-below" in findings(NSC, text)


def test_an_empty_pin_set_unpins_what_is_nested_below_it() -> None:
    inner = block("x.open.example.com", body="")
    text = nsc(block("+example.com", body=PIN_SET + block("+open.example.com", body="<pin-set/>" + inner)))
    assert not pins_for(NSC, text, "x.open.example.com")


def test_an_end_is_inherited_with_its_pins() -> None:
    ends = f'<pin-set expiration="2027-06-30">{A}</pin-set>'
    text = nsc(block("+example.com", body=ends + block("a.example.com", body="")))
    assert [entry.expires for entry in read(NSC, text).entries] == [date(2027, 6, 30)] * 2


def test_pins_of_a_nested_block_replace_those_around_it() -> None:
    text = nsc(block("+example.com", body=PIN_SET + block("a.example.com", body=pinned("own"))))
    assert pins_for(NSC, text, "a.example.com") == {pin("own")}


# --- expiry -----------------------------------------------------------------------------------------------------


def test_pins_end_at_local_midnight() -> None:
    """Worked example 10: gone for exposure from UTC+14, in force for breakage until UTC-12."""
    text = nsc(block("example.com", body=f'<pin-set expiration="2026-12-31">{A}</pin-set>'))
    expiry = NSC.rule(read(NSC, text), "example.com").expiry
    assert expiry is not None
    assert (expiry.first, expiry.last) == (instant("2026-12-30T10:00:00"), instant("2026-12-31T12:00:00"))
    assert not expiry.closed


def test_without_a_date_pins_never_end() -> None:
    assert NSC.rule(read(NSC, nsc(block("example.com"))), "example.com").expiry is None


@pytest.mark.parametrize(
    ("text", "day"),
    [("2027-06-30", date(2027, 6, 30)), ("2027-6-3", date(2027, 6, 3)), ("2027-06-30 noon", date(2027, 6, 30))],
)
def test_dates_are_read_as_java_reads_them(text: str, day: date) -> None:
    config = read(NSC, nsc(block("example.com", body=f'<pin-set expiration="{text}">{A}</pin-set>')))
    assert config.entries[0].expires == day


def test_an_end_in_the_past_is_told() -> None:
    text = nsc(block("example.com", body=f'<pin-set expiration="2026-11-23">{A}{B}</pin-set>'))
    assert "pins-expired" in findings(NSC, text)
    assert "pins-expired" not in findings(NSC, text, today=date(2026, 11, 22))
    assert "expiry-is-local" in findings(NSC, text, today=date(2026, 11, 22))


# --- vectors on real chains -------------------------------------------------------------------------------------

PIN_ROOT = nsc(block("example.com", body=f'<pin-set><pin digest="SHA-256">{pin_b64("root")}</pin></pin-set>'))
PIN_LEAF = f'<pin-set><pin digest="SHA-256">{pin_b64("leaf")}</pin></pin-set>'


def test_a_pin_on_a_root_that_is_not_sent_matches() -> None:
    """Vector 1."""
    assert Scene().judge(NSC.rule(read(NSC, PIN_ROOT), "example.com")).reason is Reason.PIN_MATCHED


def test_pins_that_end_today_are_open_on_a_device_in_utc() -> None:
    """Vector 2; elsewhere the day may not have begun, so until noon the answer is not certain."""
    rule = NSC.rule(
        read(NSC, nsc(block("example.com", body=f'<pin-set expiration="2026-11-23">{A}</pin-set>'))), "example.com"
    )
    early, late = (Scene(at=instant(t)).judge(rule) for t in ("2026-11-23T00:00:01", "2026-11-23T12:00:00"))
    assert not early.accepted
    assert early.unsure
    assert late.accepted
    assert late.reason is Reason.PINS_EXPIRED


def test_a_user_root_is_not_trusted_by_default() -> None:
    rule = NSC.rule(read(NSC, nsc(block("example.com", body=PIN_LEAF))), "example.com")
    scene = Scene(sent=(ROGUE, ROGUE_ICA), local=(ROGUE_ROOT,))
    assert scene.judge(rule).reason is Reason.NO_PATH


@pytest.mark.parametrize(
    ("override", "accepted", "reason"),
    [("", False, Reason.PIN_MISMATCH), (' overridePins="true"', True, Reason.LOCAL_ROOT_BYPASS)],
)
def test_pins_hold_for_a_trusted_user_root_unless_overridden(override: str, reason: Reason, *, accepted: bool) -> None:
    """Vectors 7 and 8."""
    anchors = f'<trust-anchors>{SYSTEM}<certificates src="user"{override}/></trust-anchors>'
    text = nsc(block("example.com", body=PIN_LEAF + anchors))
    judgement = Scene(sent=(ROGUE, ROGUE_ICA), local=(ROGUE_ROOT,)).judge(NSC.rule(read(NSC, text), "example.com"))
    assert (judgement.accepted, judgement.reason) == (accepted, reason)
    assert ("pins-overridden" in findings(NSC, text)) is bool(override)


def test_anchors_of_a_block_replace_those_of_the_base() -> None:
    base = '<base-config><trust-anchors><certificates src="user"/></trust-anchors></base-config>'
    own = f"<trust-anchors>{SYSTEM}</trust-anchors>"
    inherited = read(NSC, nsc(base + block("example.com")))
    replaced = read(NSC, nsc(base + block("example.com", body=PIN_SET + own)))
    assert NSC.rule(inherited, "example.com").local_roots is LocalRoots.ENFORCE
    assert NSC.rule(replaced, "example.com").local_roots is LocalRoots.UNTRUSTED


@pytest.mark.parametrize(
    ("source", "local_roots"),
    [
        ("", LocalRoots.UNTRUSTED),
        (SYSTEM, LocalRoots.UNTRUSTED),
        ('<certificates src="user"/>', LocalRoots.ENFORCE),
        ('<certificates src="user" overridePins="true"/>', LocalRoots.BYPASS),
    ],
)
def test_a_host_without_a_block_trusts_what_the_base_does(source: str, local_roots: LocalRoots) -> None:
    base = f"<base-config><trust-anchors>{source}</trust-anchors></base-config>" if source else ""
    text = nsc(base + block("other.example"))
    config = read(NSC, text)
    assert NSC.rule(config, "example.com").local_roots is local_roots
    assert NSC.rule(read(NSC, NSC.render(config)), "example.com").local_roots is local_roots
    behind_proxy = Scene(sent=(ROGUE, ROGUE_ICA), local=(ROGUE_ROOT,))
    assert behind_proxy.judge(NSC.rule(config, "example.com")).accepted is (local_roots is not LocalRoots.UNTRUSTED)


def test_pins_that_the_system_store_overrides_are_off() -> None:
    anchors = '<trust-anchors><certificates src="system" overridePins="true"/></trust-anchors>'
    rule = NSC.rule(read(NSC, nsc(block("example.com", body=PIN_LEAF + anchors))), "example.com")
    judgement = Scene(sent=(ROGUE, ROGUE_ICA), roots=(ROOT, ROGUE_ROOT)).judge(rule)
    assert (judgement.accepted, judgement.pin_in_force) == (True, False)


@pytest.mark.parametrize("sources", ["{s}{u}", "{u}{s}", "{s}{s2}{u}", "{s2}{s}{u}"])
def test_an_override_is_for_the_roots_of_its_source_alone(sources: str) -> None:
    """An anchor with overridePins means no check; one that is in two sources has it when either does."""
    s, s2 = '<certificates src="system" overridePins="true"/>', '<certificates src="system"/>'
    listed = sources.format(s=s, s2=s2, u='<certificates src="user"/>')
    text = nsc(block("example.com", body=f"{PIN_LEAF}<trust-anchors>{listed}</trust-anchors>"))
    rule = NSC.rule(read(NSC, text), "example.com")
    of_user = Scene(sent=(ROGUE, ROGUE_ICA), local=(ROGUE_ROOT,)).judge(rule)
    of_system = Scene(sent=(ROGUE, ROGUE_ICA), roots=(ROOT, ROGUE_ROOT)).judge(rule)
    assert (of_user.accepted, of_user.reason) == (False, Reason.PIN_MISMATCH)
    assert (of_system.accepted, of_system.pin_in_force) == (True, False)


@pytest.mark.parametrize("listed", ["", '<certificates src="user"/>'], ids=["none", "user"])
def test_anchors_that_are_listed_replace_those_of_the_system(listed: str) -> None:
    text = nsc(block("example.com", body=f"{PIN_LEAF}<trust-anchors>{listed}</trust-anchors>"))
    found = Scene().judge(NSC.rule(read(NSC, text), "example.com"))
    assert (found.accepted, found.reason) == (False, Reason.NO_PATH)


def test_debug_overrides_are_not_for_users() -> None:
    debug = '<debug-overrides><trust-anchors><certificates src="user"/></trust-anchors></debug-overrides>'
    rule = NSC.rule(read(NSC, nsc(debug + block("example.com"))), "example.com")
    assert rule.local_roots is LocalRoots.UNTRUSTED


def test_only_the_built_path_counts() -> None:
    """An attacker who sends the pinned certificates along is refused."""
    rule = NSC.rule(read(NSC, nsc(block("example.com", body=PIN_LEAF))), "example.com")
    padded = Scene(sent=(ROGUE, ROGUE_ICA, LEAF, ICA), roots=(ROOT, ROGUE_ROOT))
    assert padded.judge(rule).reason is Reason.PIN_MISMATCH


def test_no_pins_means_no_check() -> None:
    judgement = Scene().judge(NSC.rule(read(NSC, nsc("")), "example.com"))
    assert (judgement.accepted, judgement.reason) == (True, Reason.NO_PINS)
    other = Scene().judge(NSC.rule(read(NSC, nsc(block("other.example"))), "example.com"))
    assert other.reason is Reason.HOST_NOT_LISTED


# --- what Android throws at -------------------------------------------------------------------------------------

TEXT = pin_b64("a")
BAD = {
    "same domain twice": block("x.test") + block("x.test"),
    "same domain twice, other flag": block("x.test") + block("+X.TEST"),
    "same domain twice in one block": block("x.test", "x.test"),
    "same domain nested": block("x.test", body=PIN_SET + block("x.test")),
    "domain-config without domain": f"<domain-config>{PIN_SET}</domain-config>",
    "domain in base-config": "<base-config><domain>x.test</domain></base-config>",
    "pin-set in base-config": f"<base-config>{PIN_SET}</base-config>",
    "domain-config in base-config": f"<base-config>{block('x.test')}</base-config>",
    "pin-set in debug-overrides": f"<debug-overrides>{PIN_SET}</debug-overrides>",
    "domain without a name": block(" "),
    "two pin-sets": block("x.test", body=PIN_SET * 2),
    "two trust-anchors": block("x.test", body=f"<trust-anchors>{SYSTEM}</trust-anchors>" * 2),
    "two base-configs": "<base-config/><base-config/>",
    "two debug-overrides": "<debug-overrides/><debug-overrides/>",
    "unknown digest": block("x.test", body=f'<pin-set><pin digest="SHA-1">{TEXT}</pin></pin-set>'),
    "no digest": block("x.test", body=f"<pin-set><pin>{TEXT}</pin></pin-set>"),
    "31 bytes": block("x.test", body='<pin-set><pin digest="SHA-256">' + "A" * 40 + "AA==</pin></pin-set>"),
    "33 bytes": block("x.test", body='<pin-set><pin digest="SHA-256">' + "A" * 44 + "</pin></pin-set>"),
    "empty pin": block("x.test", body='<pin-set><pin digest="SHA-256"> </pin></pin-set>'),
    "misplaced padding": block("x.test", body=f'<pin-set><pin digest="SHA-256">A={TEXT[2:]}</pin></pin-set>'),
    "single padding": block("x.test", body='<pin-set><pin digest="SHA-256">' + "A" * 42 + "=</pin></pin-set>"),
    "lone last character": block("x.test", body='<pin-set><pin digest="SHA-256">' + "A" * 41 + "</pin></pin-set>"),
    "no date": block("x.test", body=f'<pin-set expiration="soon">{A}</pin-set>'),
    "no such day": block("x.test", body=f'<pin-set expiration="2027-02-30">{A}</pin-set>'),
    "American date": block("x.test", body=f'<pin-set expiration="06/30/2027">{A}</pin-set>'),
    "certificates without src": block("x.test", body="<trust-anchors><certificates/></trust-anchors>"),
    "unknown src": block("x.test", body='<trust-anchors><certificates src="usr"/></trust-anchors>'),
    "unknown src for debugging": '<debug-overrides><trust-anchors><certificates src="x"/></trust-anchors>'
    "</debug-overrides>",
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_what_android_throws_at_stops_all_tls_of_the_app(body: str) -> None:
    error = refused(NSC, nsc(body))
    assert error.consequence is BadConfig.ALL_TLS_FAILS
    problem = error.problems[0]
    assert problem.file == "shipped.file"
    assert problem.path.startswith("line ")
    assert "every TLS connection" in problem.hint


GOOD = {
    "white space around base64": f'<pin digest="SHA-256">\n  {TEXT}\n</pin>',
    "no padding": f'<pin digest="SHA-256">{TEXT[:-1]}</pin>',
    "foreign characters": f'<pin digest="SHA-256">{TEXT[:9]}-.{TEXT[9:]}</pin>',
    "digest in lower case": f'<pin digest="sha-256">{TEXT}</pin>',
    "spare bits": f'<pin digest="SHA-256">{TEXT[:42]}{chr(ord(TEXT[42]) + 1)}=</pin>',
    "unknown element beside it": f'<pin digest="SHA-256">{TEXT}</pin><note/>',
}


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD.keys())
def test_what_android_takes_though_it_is_odd(body: str) -> None:
    assert pins_for(NSC, nsc(block("x.test", body=f"<pin-set>{body}</pin-set>")), "x.test") == {pin("a")}


@pytest.mark.parametrize("body", ["<unknown><domain-config/></unknown>", "<!-- note -->", "<base-config/>"])
def test_what_android_skips(body: str) -> None:
    assert pins_for(NSC, nsc(body + block("x.test")), "x.test")


def test_odd_spellings_are_told() -> None:
    assert "non-canonical-pin" in findings(NSC, nsc(block("x.test", body=f"<pin-set>{GOOD['no padding']}</pin-set>")))
    assert "non-canonical-pin" not in findings(NSC, nsc(block("x.test")))


def test_one_pin_is_accepted_and_told() -> None:
    text = nsc(block("x.test", body=f"<pin-set>{A}</pin-set>"))
    assert pins_for(NSC, text, "x.test") == {pin("a")}
    assert "single-pin" in findings(NSC, text)
    assert "single-pin" not in findings(NSC, nsc(block("x.test")))


def test_junk_and_emptiness_are_told() -> None:
    junk = f'<pin-set>{A}<pin digest="SHA-256">{"A" * 43}=</pin></pin-set>'
    assert "junk-pin" in findings(NSC, nsc(block("x.test", body=junk)))
    assert "nothing-pinned" in findings(NSC, nsc(""))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<network-security-config>",
        b"<other/>",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><network-security-config>&a;</network-security-config>",
        b"<network-security-config>" + b"<a>" * 100 + b"</a>" * 100 + b"</network-security-config>",
        b'<?xml version="1.0" encoding="no-such"?><network-security-config/>',
    ],
    ids=["empty", "text", "cut", "other", "entities", "deep", "encoding"],
)
def test_what_is_no_such_file_is_an_input_error_and_no_verdict(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read(NSC, data)
    assert type(caught.value) is InputError
    assert caught.value.problems[0].file == "shipped.file"
