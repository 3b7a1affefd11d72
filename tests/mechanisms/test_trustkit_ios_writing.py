"""TrustKit for iOS: files written anew, and shipped files changed in place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rotator.mechanisms.base import Entry, PinConfig
from rotator.mechanisms.trustkit_ios import MECHANISM as TRUSTKIT
from rotator.model.names import Cover, Reach
from rotator.model.rules import Mode
from tests.judging import CONTEXT, diff, findings, pins_for, read, spec
from tests.minting import pin, pin_b64

SHIPPED = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0">
<dict>
    <key>CFBundleName</key><string>Shop</string>
    <key>TSKConfiguration</key>
    <dict>
        <key>TSKSwizzleNetworkDelegates</key>
        <true/>
        <key>TSKPinnedDomains</key>
        <dict>
            <key>example.com</key>
            <dict>
                <!-- reviewed -->
                <key>TSKExpirationDate</key>
                <string>2027-06-30</string>
                <key>TSKPublicKeyHashes</key>
                <array>
                    <string>{pin_b64("a")}</string>
                    <string>{pin_b64("b")}</string>
                </array>
                <key>TSKIncludeSubdomains</key>
                <false/>
                <key>TSKEnforcePinning</key>
                <true/>
                <key>TSKReportUris</key>
                <array>
                    <string>https://reports.example.com/pins</string>
                </array>
            </dict>
        </dict>
    </dict>
</dict>
</plist>
"""


def wanted(*keys: str, expires: date | None = date(2027, 6, 30), cover: Cover | None = None) -> PinConfig:
    """Give the configuration of a pinset."""
    return TRUSTKIT.from_pinset(spec(cover or "example.com", keys=keys, expires=expires))


def test_the_same_pins_leave_the_file_as_it_is() -> None:
    assert TRUSTKIT.edit(SHIPPED.encode(), wanted("a", "b"), CONTEXT) == SHIPPED.encode()


def test_a_changed_pin_changes_pin_lines_and_nothing_else() -> None:
    gone, came = diff(SHIPPED.encode(), TRUSTKIT.edit(SHIPPED.encode(), wanted("a", "c"), CONTEXT))
    assert gone == [f"                    <string>{pin_b64('b')}</string>\n".encode()]
    assert came == [f"                    <string>{pin_b64('c')}</string>\n".encode()]


def test_an_end_that_moves_changes_its_line_only() -> None:
    new = TRUSTKIT.edit(SHIPPED.encode(), wanted("a", "b", expires=date(2028, 1, 31)), CONTEXT)
    gone, came = diff(SHIPPED.encode(), new)
    assert (gone, came) == (
        [b"                <string>2027-06-30</string>\n"],
        [b"                <string>2028-01-31</string>\n"],
    )


def test_reporting_and_other_settings_stay() -> None:
    new = TRUSTKIT.edit(SHIPPED.encode(), wanted("c", "d", expires=None), CONTEXT)
    for kept in (b"reports.example.com", b"<!-- reviewed -->", b"TSKSwizzleNetworkDelegates"):
        assert kept in new
    assert b"TSKDisableDefaultReportUri" not in new


def test_a_domain_that_was_not_there_is_added() -> None:
    new = TRUSTKIT.edit(SHIPPED.encode(), wanted("a", "b", cover=Cover("other.com", Reach.ALL)), CONTEXT)
    assert diff(SHIPPED.encode(), new)[0] == []
    assert pins_for(TRUSTKIT, new, "x.other.com") == {pin("a"), pin("b")}
    assert pins_for(TRUSTKIT, new, "example.com") == {pin("a"), pin("b")}


def test_a_bare_configuration_is_edited_where_it_stands() -> None:
    bare = TRUSTKIT.render(wanted("a", "b")).replace(b"<dict>\n\t<key>TSKConfiguration</key>\n\t", b"", 1)
    bare = bare.replace(b"\n</dict>\n</plist>", b"\n</plist>")
    new = TRUSTKIT.edit(bare, wanted("a", "c"), CONTEXT)
    assert pins_for(TRUSTKIT, new, "example.com") == {pin("a"), pin("c")}
    assert b"TSKConfiguration" not in new


def test_a_file_without_trustkit_gets_it() -> None:
    new = TRUSTKIT.edit(b"<plist><dict/></plist>", wanted("a", "b"), CONTEXT)
    assert pins_for(TRUSTKIT, new, "example.com") == {pin("a"), pin("b")}


def test_a_written_file_is_read_as_what_was_meant() -> None:
    given = spec("example.com", Cover("other.com", Reach.ALL), expires=date(2027, 6, 30))
    config = TRUSTKIT.from_pinset(given)
    data = TRUSTKIT.render(config)
    again = read(TRUSTKIT, data)
    for host in ("example.com", "a.example.com", "other.com", "a.b.other.com"):
        assert TRUSTKIT.rule(again, host) == TRUSTKIT.rule(config, host)
    assert TRUSTKIT.render(again) == data
    assert set(findings(TRUSTKIT, data)) == set()


def test_report_only_is_said() -> None:
    given = replace(spec(keys=("a",)), mode=Mode.REPORT_ONLY)
    again = read(TRUSTKIT, TRUSTKIT.render(TRUSTKIT.from_pinset(given)))
    assert again.entries[0].mode is Mode.REPORT_ONLY
    assert list(TRUSTKIT.losses(given)) == []


def test_an_exclusion_survives_a_round_trip() -> None:
    config = PinConfig(
        entries=(
            *wanted("a", "b", cover=Cover("example.com", Reach.ALL)).entries,
            Entry(covers=(Cover("open.example.com"),), unpinned_on_purpose=True),
        )
    )
    assert read(TRUSTKIT, TRUSTKIT.render(config)) == config


@pytest.mark.parametrize(
    ("given", "losses"),
    [
        (spec(keys=("a",)), ["too-few-pins"]),
        (spec(certificates=(pin("x"),)), ["no-certificate-pins"]),
        (spec(Cover("example.com", Reach.ONLY_ONE)), ["covers-more"]),
        (spec(Cover("example.com", Reach.ALL)), []),
        (spec(keys=("a",), authorities=("ca",)), []),
    ],
    ids=["one pin", "certificates", "one label", "all", "key and authority"],
)
def test_what_cannot_be_said(given: object, losses: list[str]) -> None:
    assert [loss for loss, _ in TRUSTKIT.losses(given)] == losses  # type: ignore[arg-type]  # a pinset


def test_one_label_only_is_said_with_everything_below() -> None:
    config = TRUSTKIT.from_pinset(spec(Cover("example.com", Reach.ONLY_ONE)))
    assert TRUSTKIT.rule(config, "a.example.com").pins
    assert read(TRUSTKIT, TRUSTKIT.render(config)).entries[0].covers == (Cover("example.com", Reach.ALL),)


@pytest.mark.parametrize(
    ("config", "word"),
    [
        (wanted("a"), "two different pins"),
        (wanted("a", "b", cover=Cover("api.shop.example")), "public suffix"),
        (wanted("a", "b", cover=Cover("localhost")), "public suffix"),
        (wanted("a", "b", cover=Cover("co.uk", Reach.ALL)), "public suffix"),
    ],
    ids=["one pin", "unknown suffix", "no dot", "subdomains of a suffix"],
)
def test_a_pinset_that_trustkit_would_raise_at_is_refused(config: PinConfig, word: str) -> None:
    assert word in TRUSTKIT.refuse(config, CONTEXT)


def test_a_sound_pinset_is_not_refused() -> None:
    assert TRUSTKIT.refuse(wanted("a", "b"), CONTEXT) == ""
