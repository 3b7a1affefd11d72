"""Apple NSPinnedDomains: files written anew, and shipped files changed in place."""

from __future__ import annotations

import plistlib

import pytest

from rotator.errors import InputError
from rotator.mechanisms.apple_ats import MECHANISM as APPLE
from rotator.mechanisms.base import PinConfig
from rotator.model.names import Cover, Reach
from rotator.model.rules import Scope
from tests.judging import CONTEXT, diff, findings, pins_for, read, spec
from tests.minting import pin, pin_b64

SHIPPED = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
\t<key>CFBundleName</key>
\t<string>Shop &amp; Go</string>
\t<!-- do not allow cleartext -->
\t<key>NSAppTransportSecurity</key>
\t<dict>
\t\t<key>NSAllowsArbitraryLoads</key>
\t\t<false/>
\t\t<key>NSPinnedDomains</key>
\t\t<dict>
\t\t\t<key>example.com</key>
\t\t\t<dict>
\t\t\t\t<key>NSPinnedLeafIdentities</key>
\t\t\t\t<array>
\t\t\t\t\t<dict>
\t\t\t\t\t\t<key>SPKI-SHA256-BASE64</key>
\t\t\t\t\t\t<string>{pin_b64("a")}</string>
\t\t\t\t\t</dict>
\t\t\t\t\t<dict>
\t\t\t\t\t\t<key>SPKI-SHA256-BASE64</key>
\t\t\t\t\t\t<string>{pin_b64("b")}</string>
\t\t\t\t\t</dict>
\t\t\t\t</array>
\t\t\t</dict>
\t\t\t<key>other.test</key>
\t\t\t<dict>
\t\t\t\t<key>NSPinnedCAIdentities</key>
\t\t\t\t<array/>
\t\t\t</dict>
\t\t</dict>
\t</dict>
</dict>
</plist>
"""


def wanted(*keys: str, authorities: tuple[str, ...] = (), cover: Cover | None = None) -> PinConfig:
    """Give the configuration of a pinset."""
    return APPLE.from_pinset(spec(cover or "example.com", keys=keys, authorities=authorities))


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("indent", ["\t", "  "], ids=["tabs", "spaces"])
def test_a_changed_pin_changes_its_line_and_nothing_else(newline: str, indent: str) -> None:
    old = SHIPPED.replace("\t", indent).replace("\n", newline).encode()
    gone, came = diff(old, APPLE.edit(old, wanted("a", "c"), CONTEXT))
    assert gone == [f"{indent * 6}<string>{pin_b64('b')}</string>{newline}".encode()]
    assert came == [f"{indent * 6}<string>{pin_b64('c')}</string>{newline}".encode()]


def test_the_same_pins_leave_the_file_as_it_is() -> None:
    assert APPLE.edit(SHIPPED.encode(), wanted("a", "b"), CONTEXT) == SHIPPED.encode()


def test_a_list_that_was_not_there_is_added() -> None:
    new = APPLE.edit(SHIPPED.encode(), wanted("a", "b", authorities=("ca",)), CONTEXT)
    gone, came = diff(SHIPPED.encode(), new)
    assert gone == []
    assert b"NSPinnedCAIdentities" in new
    assert pin_b64("ca").encode() in b"".join(came)
    assert [c.scope for c in APPLE.rule(read(APPLE, new), "example.com").clauses] == [Scope.LEAF, Scope.CA]


def test_a_domain_that_was_not_there_is_added() -> None:
    new = APPLE.edit(SHIPPED.encode(), wanted("a", cover=Cover("new.test", Reach.ALL)), CONTEXT)
    assert diff(SHIPPED.encode(), new)[0] == []
    assert pins_for(APPLE, new, "x.new.test") == {pin("a")}
    assert pins_for(APPLE, new, "example.com") == {pin("a"), pin("b")}


@pytest.mark.parametrize(
    "text",
    [
        "<plist><dict/></plist>",
        "<plist><dict>\n</dict></plist>",
        "<plist>\n<dict>\n\t<key>NSAppTransportSecurity</key>\n\t<dict/>\n</dict>\n</plist>\n",
        "<plist><dict><key>NSAppTransportSecurity</key><dict><key>NSPinnedDomains</key><dict/></dict></dict></plist>",
    ],
    ids=["empty", "nearly empty", "ATS empty", "one line"],
)
def test_missing_dictionaries_are_made(text: str) -> None:
    new = APPLE.edit(text.encode(), wanted("a", "b"), CONTEXT)
    assert pins_for(APPLE, new, "example.com") == {pin("a"), pin("b")}


def test_an_empty_list_is_filled() -> None:
    config = APPLE.from_pinset(spec("other.test", keys=(), authorities=("ca",)))
    new = APPLE.edit(SHIPPED.encode(), config, CONTEXT)
    assert pins_for(APPLE, new, "other.test") == {pin("ca")}
    assert diff(SHIPPED.encode(), new)[0] == [b"\t\t\t\t<array/>\n"]


def test_a_binary_list_is_refused_with_the_way_out() -> None:
    data = plistlib.dumps(plistlib.loads(SHIPPED.encode()), fmt=plistlib.FMT_BINARY)
    with pytest.raises(InputError, match="plutil -convert xml1"):
        APPLE.edit(data, wanted("c"), CONTEXT)


def test_something_else_in_the_way_is_an_error() -> None:
    with pytest.raises(InputError, match="is not a dictionary"):
        APPLE.edit(b"<plist><dict><key>NSAppTransportSecurity</key><true/></dict></plist>", wanted("c"), CONTEXT)


def test_keys_go_into_the_leaf_list_and_authorities_into_the_ca_list() -> None:
    config = APPLE.from_pinset(spec(authorities=("ca",)))
    assert [(pins.scope, set(pins.pins)) for pins in config.entries[0].lists] == [
        (Scope.LEAF, {pin("a"), pin("b")}),
        (Scope.CA, {pin("ca")}),
    ]


def test_no_list_is_ever_written_empty() -> None:
    assert APPLE.from_pinset(spec(keys=())) == PinConfig()
    assert b"NSPinnedCAIdentities" not in APPLE.render(wanted("a"))


@pytest.mark.parametrize(
    ("reach", "written", "losses"),
    [
        (Reach.EXACT, Reach.EXACT, []),
        (Reach.ALL, Reach.ONE, ["one-label-only"]),
        (Reach.ONLY_ONE, Reach.ONE, ["covers-more"]),
    ],
)
def test_what_a_cover_becomes(reach: Reach, written: Reach, losses: list[str]) -> None:
    given = spec(Cover("x.test", reach))
    config = APPLE.from_pinset(given)
    assert config.entries[0].covers == (Cover("x.test", written),)
    assert [loss for loss, _ in APPLE.losses(given)] == losses
    assert read(APPLE, APPLE.render(config)) == config


def test_a_written_file_is_read_as_what_was_meant() -> None:
    config = APPLE.from_pinset(spec("x.test", Cover("y.test", Reach.ALL), authorities=("ca",)))
    data = APPLE.render(config)
    assert read(APPLE, data) == config
    assert APPLE.render(read(APPLE, data)) == data
    assert set(findings(APPLE, data)) == {"no-expiry", "one-label-only"}
