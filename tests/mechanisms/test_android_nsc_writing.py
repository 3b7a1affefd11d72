"""Android Network Security Config: files written anew, and shipped files changed in place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rotator.errors import InputError
from rotator.mechanisms.android_nsc import MECHANISM as NSC
from rotator.mechanisms.base import PinConfig
from rotator.model.names import Cover, Reach
from rotator.model.rules import LocalRoots, Mode
from tests.judging import CONTEXT, diff, findings, pins_for, read, spec
from tests.minting import pin, pin_b64

SHIPPED = f"""\
<?xml version="1.0" encoding="utf-8"?>
<!-- reviewed 2025-02-03, ask security before touching -->
<network-security-config xmlns:tools="http://schemas.android.com/tools">
    <base-config cleartextTrafficPermitted="false">
        <trust-anchors>
            <certificates src="system" />
        </trust-anchors>
    </base-config>
    <domain-config cleartextTrafficPermitted="false">
        <domain includeSubdomains="true">example.com</domain>   <!-- the API -->
        <pin-set expiration="2027-06-30">
            <!-- now -->
            <pin digest="SHA-256">{pin_b64("a")}</pin>
            <!-- backup -->
            <pin digest="SHA-256">{pin_b64("b")}</pin>
        </pin-set>
        <trustkit-config enforcePinning="true"/>
        <certificateTransparency enabled="true"/>
    </domain-config>
    <domain-config>
        <domain>other.test</domain>
        <pin-set><pin digest="SHA-256">{pin_b64("other")}</pin></pin-set>
    </domain-config>
    <debug-overrides><trust-anchors><certificates src="user"/></trust-anchors></debug-overrides>
</network-security-config>
"""


def wanted(*keys: str, expires: date | None = date(2027, 6, 30), name: str = "example.com") -> PinConfig:
    """Give the configuration of a pinset."""
    return NSC.from_pinset(spec(Cover(name, Reach.ALL), keys=keys, expires=expires))


def edited(data: bytes, config: PinConfig) -> bytes:
    """Change a file in place."""
    return NSC.edit(data, config, CONTEXT)


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_changed_pin_changes_its_line_and_nothing_else(newline: str) -> None:
    old = SHIPPED.replace("\n", newline).encode()
    gone, came = diff(old, edited(old, wanted("a", "c")))
    pad = " " * 12
    assert gone == [f'{pad}<pin digest="SHA-256">{pin_b64("b")}</pin>{newline}'.encode()]
    assert came == [f'{pad}<pin digest="SHA-256">{pin_b64("c")}</pin>{newline}'.encode()]


def test_an_added_pin_is_one_line_more() -> None:
    old = SHIPPED.encode()
    gone, came = diff(old, edited(old, wanted("a", "b", "c")))
    assert gone == []
    assert came == [f'            <pin digest="SHA-256">{pin_b64("c")}</pin>\n'.encode()]


def test_a_dropped_pin_is_one_line_less() -> None:
    old = SHIPPED.encode()
    gone, came = diff(old, edited(old, wanted("b")))
    assert gone == [f'            <pin digest="SHA-256">{pin_b64("a")}</pin>\n'.encode()]
    assert came == []


def test_when_every_pin_changes_the_new_ones_stand_where_the_old_ones_stood() -> None:
    old = SHIPPED.encode()
    new = edited(old, wanted("c", "d"))
    assert pins_for(NSC, new.decode(), "example.com") == {pin("c"), pin("d")}
    gone, came = diff(old, new)
    assert len(gone) == len(came) == 2
    assert all(b"<pin digest" in line for line in (*gone, *came))


def test_the_same_pins_leave_the_file_as_it_is() -> None:
    assert edited(SHIPPED.encode(), wanted("b", "a")) == SHIPPED.encode()


def test_an_end_that_moves_changes_its_line_only() -> None:
    gone, came = diff(SHIPPED.encode(), edited(SHIPPED.encode(), wanted("a", "b", expires=date(2028, 1, 31))))
    assert gone == [b'        <pin-set expiration="2027-06-30">\n']
    assert came == [b'        <pin-set expiration="2028-01-31">\n']


def test_an_end_that_goes_and_one_that_comes() -> None:
    without = edited(SHIPPED.encode(), wanted("a", "b", expires=None))
    assert b"<pin-set>\n" in without
    assert edited(without, wanted("a", "b")) == SHIPPED.encode()


def test_single_quotes_stay_where_nothing_changes() -> None:
    old = SHIPPED.replace('expiration="2027-06-30"', "expiration='2027-06-30'").encode()
    assert edited(old, wanted("a", "b")) == old


def test_other_blocks_keep_their_pins() -> None:
    new = edited(SHIPPED.encode(), wanted("c"))
    assert pins_for(NSC, new.decode(), "other.test") == {pin("other")}


def test_a_name_without_a_block_gets_one_at_the_end() -> None:
    new = edited(SHIPPED.encode(), wanted("a", "b", name="new.test"))
    gone, came = diff(SHIPPED.encode(), new)
    assert gone == []
    assert b"new.test" in b"".join(came)
    assert pins_for(NSC, new.decode(), "x.new.test") == {pin("a"), pin("b")}
    assert pins_for(NSC, new.decode(), "example.com") == {pin("a"), pin("b")}


def one_block(*lines: str) -> bytes:
    """Write a file with one block for a name and what is below it."""
    domain = '<domain includeSubdomains="true">example.com</domain>'
    inside = "".join(f"    {line}\n" for line in (domain, *lines))
    return (
        f"<network-security-config>\n  <domain-config>\n{inside}  </domain-config>\n</network-security-config>\n"
    ).encode()


@pytest.mark.parametrize(
    "empty", ["<pin-set/>", "<pin-set />", "<pin-set></pin-set>", '<pin-set expiration="2025-01-01"/>']
)
def test_an_empty_pin_set_is_filled(empty: str) -> None:
    new = edited(one_block(empty), wanted("a", "b"))
    assert NSC.rule(read(NSC, new), "example.com") == NSC.rule(wanted("a", "b"), "example.com")


def test_a_block_without_pins_gets_a_pin_set() -> None:
    new = edited(one_block(), wanted("a", "b"))
    assert NSC.rule(read(NSC, new), "example.com") == NSC.rule(wanted("a", "b"), "example.com")
    assert diff(one_block(), new)[0] == []


@pytest.mark.parametrize("shape", ["one line", "pins on one line", "two pins on one line"])
@pytest.mark.parametrize("keys", [("b", "c"), ("a", "c"), ("c",), ("a",)], ids="-".join)
def test_pins_that_share_a_line_with_something_are_changed_too(shape: str, keys: tuple[str, ...]) -> None:
    a, b = (f'<pin digest="SHA-256">{pin_b64(name)}</pin>' for name in "ab")
    data = one_block(
        f"<pin-set>{a}{b}</pin-set>" if shape != "two pins on one line" else f"<pin-set>\n{a}{b}\n</pin-set>"
    )
    if shape == "one line":
        data = data.replace(b"\n", b"")
    new = edited(data, wanted(*keys, expires=None))
    assert pins_for(NSC, new.decode(), "example.com") == {pin(name) for name in keys}


def test_a_pin_in_an_odd_spelling_is_the_same_pin() -> None:
    old = SHIPPED.replace(pin_b64("a"), pin_b64("a").rstrip("=")).encode()
    assert edited(old, wanted("a", "b")) == old


def test_repeated_pins_are_left_once() -> None:
    line = f'            <pin digest="SHA-256">{pin_b64("a")}</pin>\n'
    old = SHIPPED.replace(line, line * 2).encode()
    new = edited(old, wanted("a", "b"))
    assert new == SHIPPED.encode()


def test_names_in_several_blocks_are_all_changed() -> None:
    config = NSC.from_pinset(spec(Cover("example.com", Reach.ALL), "other.test", keys=("c",)))
    new = edited(SHIPPED.encode(), config)
    assert pins_for(NSC, new.decode(), "example.com") == pins_for(NSC, new.decode(), "other.test") == {pin("c")}


def test_what_is_no_xml_is_not_edited() -> None:
    with pytest.raises(InputError, match="not well-formed"):
        edited(b"<network-security-config>", wanted("a"))


def test_a_written_file_is_read_as_what_was_meant() -> None:
    config = wanted("a", "b")
    data = NSC.render(config)
    assert read(NSC, data) == config
    assert NSC.render(read(NSC, data)) == data


def test_nested_blocks_unpinned_ones_and_anchors_survive_a_round_trip() -> None:
    text = f"""<network-security-config>
      <domain-config><domain includeSubdomains="true">example.com</domain>
        <pin-set expiration="2027-06-30"><pin digest="SHA-256">{pin_b64("a")}</pin></pin-set>
        <trust-anchors><certificates src="system"/><certificates src="user" overridePins="true"/></trust-anchors>
        <domain-config><domain>open.example.com</domain><pin-set/></domain-config>
        <domain-config><domain>child.example.com</domain></domain-config>
      </domain-config>
      <domain-config><domain>off.test</domain>
        <pin-set><pin digest="SHA-256">{pin_b64("b")}</pin></pin-set>
        <trust-anchors><certificates src="system" overridePins="true"/></trust-anchors>
      </domain-config>
    </network-security-config>"""
    config = read(NSC, text)
    again = read(NSC, NSC.render(config))
    for host in ("example.com", "x.example.com", "open.example.com", "child.example.com", "off.test"):
        assert NSC.rule(again, host) == NSC.rule(config, host), host
    assert NSC.rule(again, "off.test").system_roots is LocalRoots.BYPASS


def test_a_pinset_becomes_one_block() -> None:
    config = NSC.from_pinset(spec("api.test", Cover("x.test", Reach.ALL), expires=date(2027, 1, 1)))
    assert len(config.entries) == 1
    assert config.entries[0].expires == date(2027, 1, 1)
    assert list(NSC.losses(spec("api.test", expires=date(2027, 1, 1)))) == []


def test_one_label_only_is_said_with_everything_below_and_told() -> None:
    given = spec(Cover("x.test", Reach.ONLY_ONE))
    assert NSC.from_pinset(given).entries[0].covers == (Cover("x.test", Reach.ALL),)
    assert [loss for loss, _ in NSC.losses(given)] == ["covers-more"]


def test_certificate_pins_and_report_only_cannot_be_said() -> None:
    given = replace(spec(certificates=(pin("x"),)), mode=Mode.REPORT_ONLY)
    assert [loss for loss, _ in NSC.losses(given)] == ["no-certificate-pins", "no-report-only"]
    config = NSC.from_pinset(given)
    assert config.entries[0].mode is Mode.ENFORCE
    assert set(config.entries[0].pins) == {pin("a"), pin("b")}


def test_authorities_are_pinned_beside_keys() -> None:
    assert set(NSC.from_pinset(spec(authorities=("ca",))).entries[0].pins) == {pin("a"), pin("b"), pin("ca")}


def test_a_pinset_without_pins_writes_nothing() -> None:
    assert NSC.from_pinset(spec(keys=())) == PinConfig()


def test_what_is_written_has_nothing_to_complain_about() -> None:
    told = findings(NSC, NSC.render(wanted("a", "b")))
    assert set(told) == {"expiry-is-local"}
