"""parse(render(x)) == x up to what a format cannot say; and writing twice is writing once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.errors import InputError
from rotator.mechanisms.base import Mechanism, PinConfig, PinsetSpec
from rotator.mechanisms.registry import KNOWN_IDS, mechanism
from rotator.model.names import Cover, Reach
from tests.judging import CONTEXT
from tests.property.strategies import sayable, specs

KNOWN = [mechanism(name) for name in KNOWN_IDS if name != "none"]
FORMATS = [own for own in KNOWN if own.ours_to_write]
FORMAT = pytest.mark.parametrize("own", FORMATS, ids=lambda own: own.id)
#: Losses that can leave nothing of a pinset.
NOTHING_LEFT = {"needs-expiry", "no-key-pins", "exact-names-only"}
#: Changing one name's pins may leave another entry of the file in force beside them: Apple adds lists up, TrustKit
#: keeps pins that a name below it had, so `export` reads back what it wrote and refuses.
ADD_UP = ("apple-ats", "trustkit-ios")


def hosts_of(own: Mechanism, spec: PinsetSpec, config: PinConfig) -> list[str]:
    """Give hosts in and around what a pinset covers; only covered ones where the file itself names no hosts."""
    names = [cover.name for cover in spec.covers]
    found = [*names, *(f"x.{name}" for name in names), *(f"y.x.{name}" for name in names), "other.test"]
    return [host for host in found if own.names_hosts or own.rule(config, host).clauses]


@FORMAT
@given(data=st.data())
def test_a_client_reads_from_the_file_what_the_pinset_stands_for(own: Mechanism, data: st.DataObject) -> None:
    spec = data.draw(sayable(own))
    config = own.from_pinset(spec)
    again = own.parse(own.render(config), CONTEXT).config
    for host in hosts_of(own, spec, config):
        assert own.rule(again, host) == own.rule(config, host), host


@FORMAT
@given(data=st.data())
def test_writing_what_was_read_gives_the_same_bytes(own: Mechanism, data: st.DataObject) -> None:
    once = own.render(own.from_pinset(data.draw(sayable(own))))
    assert own.render(own.parse(once, CONTEXT).config) == once


@pytest.mark.parametrize("own", KNOWN, ids=lambda own: own.id)
@given(spec=specs(certificates_most=2))
def test_what_is_lost_is_told(own: Mechanism, spec: PinsetSpec) -> None:
    """Every pin, end and mode of the pinset is in the rule, or a loss says that it is not."""
    told = {name for name, _ in own.losses(spec)}
    config = own.from_pinset(spec)
    cover = spec.covers[0]
    host = f"x.{cover.name}" if cover.reach is Reach.ONLY_ONE else cover.name
    rule = own.rule(config, host)
    if not rule.clauses:
        assert told & NOTHING_LEFT
        return
    digests = {pin.digest for pin in rule.pins}
    few = told & {"coordinated-cutover-only"}
    assert {pin.digest for pin in spec.keys} <= digests or few | told & {"no-key-pins"}
    assert {pin.digest for pin in spec.authorities} <= digests or few | told & {"leaf-only", "no-key-pins"}
    assert {pin.digest for pin in spec.certificates} <= digests or few | told & {"no-certificate-pins"}
    assert rule.expiry == own.expiry(spec.expires) or "no-expiry" in told
    assert rule.mode == spec.mode or told & {"no-report-only", "report-only-in-part"}
    assert len(rule.clauses) == 1 or "no-leaf-and-ca" not in told
    below = own.rule(config, f"y.x.{cover.name}")
    assert bool(below.clauses) == cover.matches(f"y.x.{cover.name}") or _names_differ(own, spec, told)


def _names_differ(own: Mechanism, spec: PinsetSpec, told: set[str]) -> bool:
    """Say whether a loss tells that other names are covered; Wultra goes by the certificate's name instead."""
    others = len(spec.covers) > 1
    return others or own.id == "wultra" or bool(told & {"covers-more", "one-label-only", "exact-names-only"})


@FORMAT
@given(data=st.data(), same_names=st.booleans())
def test_an_edited_file_demands_what_the_new_pinset_does(
    own: Mechanism, data: st.DataObject, *, same_names: bool
) -> None:
    """For its own names, and as `export` checks before it writes; a conflict with what stays is never silent."""
    old, new = data.draw(sayable(own)), data.draw(sayable(own))
    if same_names:
        new = replace(new, covers=old.covers, authorities=(), mode=old.mode)
    config = own.from_pinset(new)
    edited = own.edit(own.render(own.from_pinset(old)), config, CONTEXT)
    found = own.parse(edited, CONTEXT).config
    if same_names and own.id not in ADD_UP:
        for host in hosts_of(own, new, config):
            assert own.agrees(found, config, host), host
    assert own.edit(edited, config, CONTEXT) == edited


@FORMAT
@given(data=st.data())
def test_editing_in_what_is_there_changes_no_byte(own: Mechanism, data: st.DataObject) -> None:
    config = own.from_pinset(data.draw(sayable(own)))
    written = own.render(config)
    assert own.edit(written, config, CONTEXT) == written


@pytest.mark.parametrize("own", [own for own in FORMATS if own.names_hosts], ids=lambda own: own.id)
@given(data=st.data())
def test_pins_of_other_names_stay(own: Mechanism, data: st.DataObject) -> None:
    spec, other = data.draw(sayable(own)), data.draw(sayable(own))
    names = {cover.name for cover in spec.covers}
    elsewhere = (Cover(c.name.replace("example.com", "example.org"), c.reach) for c in other.covers)
    other = replace(other, covers=tuple(elsewhere))
    config = own.from_pinset(spec)
    before = own.render(config)
    after = own.parse(own.edit(before, own.from_pinset(other), CONTEXT), CONTEXT).config
    for name in names:
        assert own.agrees(after, config, name)


@pytest.mark.parametrize("own", [own for own in KNOWN if not own.ours_to_write], ids=lambda own: own.id)
@given(spec=specs())
def test_a_list_of_somebody_else_is_never_written(own: Mechanism, spec: PinsetSpec) -> None:
    config = own.from_pinset(spec)
    with pytest.raises(InputError, match="read, never written"):
        own.render(config)
    with pytest.raises(InputError, match="read, never written"):
        own.edit(b"{}", config, CONTEXT)
    assert "not-ours" in {name for name, _ in own.losses(spec)}
