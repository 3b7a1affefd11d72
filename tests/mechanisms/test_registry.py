"""Every mechanism on one screen: facts, files and ids."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rotator.errors import InputError
from rotator.mechanisms.base import Mechanism, PinsetSpec, no_suffix_list
from rotator.mechanisms.registry import KNOWN_IDS, MODULES, PRESETS, mechanism
from rotator.model.names import Cover
from rotator.model.pins import Pin, PinKind
from rotator.model.verdicts import Reason
from tests.judging import CONTEXT, LEAF, Scene, spec
from tests.minting import pin, values

ALL = [mechanism(name) for name in KNOWN_IDS]
OURS = [own for own in ALL if own.ours_to_write and own.id != "none"]
#: A host with no policy is refused by these two alone.
CLOSED = ("alamofire", "wultra")
LEAF_PIN = Pin(PinKind.CERT_SHA256, values(LEAF)[0].sha256)
WRONG_PIN = Pin(PinKind.CERT_SHA256, b"\x07" * 31 + b"\x01")
TABLE = """
    hpkp android-nsc apple-ats trustkit-ios trustkit-android okhttp chromium cronet firefox curl wget urllib3 aiohttp
    node alamofire afnetworking flutter-http-pinning rn-ssl-pinning rn-public-key-pinning dane wultra approov
"""


def test_every_id_of_the_comparison_table_is_known() -> None:
    assert set(TABLE.split()) == set(MODULES)
    assert set(KNOWN_IDS) == {*MODULES, *PRESETS}
    assert len(set(KNOWN_IDS)) == len(KNOWN_IDS)


@pytest.mark.parametrize("own", ALL, ids=lambda own: own.id)
def test_a_mechanism_has_its_id_and_says_its_axes(own: Mechanism) -> None:
    assert mechanism(own.id) is own
    facts = [getattr(own.facts, name) for name in own.facts.__slots__]
    assert all(facts)


def known(key: str, certificate: Pin) -> PinsetSpec:
    """Make a pinset that any mechanism can say something of."""
    pins = spec(keys=(key, "b"), certificates=(certificate,), expires=date(2027, 6, 30))
    also = {(pin(key), PinKind.RAW): Pin(PinKind.RAW, values(LEAF)[0].raw)} if key == "leaf" else {}
    return replace(pins, common_names={certificate: "leaf"}, also=also)


@pytest.mark.parametrize("own", ALL, ids=lambda own: own.id)
def test_a_host_that_no_pin_is_for_goes_unpinned_except_where_it_is_refused(own: Mechanism) -> None:
    config = own.from_pinset(replace(known("x", WRONG_PIN), covers=(Cover("other.com"),)))
    judgement = Scene().judge(own.rule(config, "example.com"))
    assert judgement.accepted is (own.id not in CLOSED)
    if judgement.accepted:
        assert not judgement.pin_in_force


@pytest.mark.parametrize("own", OURS, ids=lambda own: own.id)
def test_the_right_pin_is_accepted_and_a_wrong_one_refused(own: Mechanism) -> None:
    """Node compares its own form of the key, and Perl takes a trusted path instead: `test_node`, `test_presets`."""
    right, wrong = (
        Scene().judge(own.rule(own.from_pinset(known(*pins)), "example.com"))
        for pins in (("leaf", LEAF_PIN), ("x", WRONG_PIN))
    )
    if own.id != "node":
        assert (right.accepted, right.reason, right.pin_in_force) == (True, Reason.PIN_MATCHED, True)
    if own.id != "perl":
        assert (wrong.accepted, wrong.reason, wrong.pin_in_force) == (False, Reason.PIN_MISMATCH, True)


@pytest.mark.parametrize("own", OURS, ids=lambda own: own.id)
def test_a_file_written_anew_has_the_name_clients_expect(own: Mechanism) -> None:
    assert own.file_name
    assert own.parse(own.render(own.from_pinset(known("leaf", LEAF_PIN))), CONTEXT).config.pinned


def test_the_lists_of_browsers_are_read_and_never_written() -> None:
    assert {own.id for own in ALL if not own.ours_to_write} == {"chromium", "firefox"}


def test_a_misspelt_mechanism_is_told_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean okhttp"):
        mechanism("okhtp")


def test_without_a_suffix_list_the_last_label_is_the_suffix() -> None:
    assert no_suffix_list("a.example.com") == "com"
    assert no_suffix_list("") is None
