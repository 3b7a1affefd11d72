"""parse(render(x)) == x up to what a format cannot say; and writing twice is writing once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.mechanisms.base import Mechanism, PinsetSpec
from rotator.mechanisms.registry import MODULES, mechanism
from rotator.model.names import Reach
from tests.judging import CONTEXT
from tests.property.strategies import specs

FORMATS = [mechanism(name) for name in MODULES if name != "none"]
FORMAT = pytest.mark.parametrize("own", FORMATS, ids=lambda own: own.id)


def hosts_of(spec: PinsetSpec) -> list[str]:
    """Give hosts in and around what a pinset covers."""
    names = [cover.name for cover in spec.covers]
    return [*names, *(f"x.{name}" for name in names), *(f"y.x.{name}" for name in names), "other.test"]


@FORMAT
@given(spec=specs())
def test_a_client_reads_from_the_file_what_the_pinset_stands_for(own: Mechanism, spec: PinsetSpec) -> None:
    config = own.from_pinset(spec)
    again = own.parse(own.render(config), CONTEXT).config
    for host in hosts_of(spec):
        if own.id != "curl" or own.rule(config, host).clauses:  # the option itself knows no hosts
            assert own.rule(again, host) == own.rule(config, host), host


@FORMAT
@given(spec=specs())
def test_writing_what_was_read_gives_the_same_bytes(own: Mechanism, spec: PinsetSpec) -> None:
    once = own.render(own.from_pinset(spec))
    assert own.render(own.parse(once, CONTEXT).config) == once


@FORMAT
@given(spec=specs())
def test_what_is_lost_is_told(own: Mechanism, spec: PinsetSpec) -> None:
    """Every pin, end and mode of the pinset is in the rule, or a loss says that it is not."""
    told = {name for name, _ in own.losses(spec)}
    config = own.from_pinset(spec)
    cover = spec.covers[0]
    host = f"x.{cover.name}" if cover.reach is Reach.ONLY_ONE else cover.name
    rule = own.rule(config, host)
    assert {*spec.keys, *spec.authorities} <= rule.pins or "leaf-only" in told
    assert set(spec.certificates) <= rule.pins or "no-certificate-pins" in told
    assert rule.expiry == own.expiry(spec.expires) or "no-expiry" in told
    assert rule.mode == spec.mode or "no-report-only" in told
    assert len(rule.clauses) == 1 or "no-leaf-and-ca" not in told


@FORMAT
@given(old=specs(), new=specs(), same_names=st.booleans())
def test_an_edited_file_demands_what_the_new_pinset_does(
    own: Mechanism, old: PinsetSpec, new: PinsetSpec, *, same_names: bool
) -> None:
    """For its own names, and as `export` checks before it writes; a conflict with what stays is never silent."""
    if same_names:
        new = PinsetSpec(name="p", covers=old.covers, keys=new.keys, expires=new.expires, mode=old.mode)
    config = own.from_pinset(new)
    data = own.edit(own.render(own.from_pinset(old)), config, CONTEXT)
    found = own.parse(data, CONTEXT).config
    if same_names and own.id not in ("apple-ats", "trustkit-ios"):
        for host in hosts_of(new):
            if own.id != "curl" or own.rule(config, host).clauses:
                assert own.rule(found, host) == own.rule(config, host), host
    assert own.edit(data, config, CONTEXT) == data


@FORMAT
@given(spec=specs())
def test_editing_in_what_is_there_changes_no_byte(own: Mechanism, spec: PinsetSpec) -> None:
    config = own.from_pinset(spec)
    data = own.render(config)
    assert own.edit(data, config, CONTEXT) == data


@FORMAT
@given(spec=specs(), other=specs())
def test_pins_of_other_names_stay(own: Mechanism, spec: PinsetSpec, other: PinsetSpec) -> None:
    names = {cover.name for cover in spec.covers}
    if own.id == "curl" or any(
        c.name in names or any(c.name.endswith(f".{n}") or n.endswith(f".{c.name}") for n in names)
        for c in other.covers
    ):
        return
    before = own.render(own.from_pinset(spec))
    after = own.parse(own.edit(before, own.from_pinset(other), CONTEXT), CONTEXT).config
    for name in names:
        assert own.rule(after, name) == own.rule(own.parse(before, CONTEXT).config, name)
