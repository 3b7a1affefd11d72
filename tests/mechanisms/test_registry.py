"""Every mechanism on one screen: facts, files and ids."""

from __future__ import annotations

import pytest

from rotator.errors import InputError
from rotator.mechanisms.base import Mechanism, no_suffix_list
from rotator.mechanisms.registry import ANNOUNCED, KNOWN_IDS, MODULES, mechanism
from rotator.model.rules import Rule
from rotator.model.verdicts import Reason
from tests.judging import CONTEXT, Scene, spec

ALL = [mechanism(name) for name in MODULES]
TABLE = """
    hpkp android-nsc apple-ats trustkit-ios trustkit-android okhttp chromium cronet firefox curl wget urllib3 aiohttp
    node alamofire afnetworking flutter-http-pinning rn-ssl-pinning rn-public-key-pinning dane wultra approov
"""


def test_every_id_of_the_comparison_table_is_known() -> None:
    assert set(TABLE.split()) <= set(KNOWN_IDS)
    assert len(set(KNOWN_IDS)) == len(KNOWN_IDS)


@pytest.mark.parametrize("own", ALL, ids=lambda own: own.id)
def test_a_mechanism_has_its_id_and_says_its_axes(own: Mechanism) -> None:
    assert mechanism(own.id) is own
    facts = [getattr(own.facts, name) for name in own.facts.__slots__]
    assert all(facts)


@pytest.mark.parametrize("own", ALL, ids=lambda own: own.id)
def test_a_host_that_no_pin_is_for_goes_unpinned(own: Mechanism) -> None:
    judgement = Scene().judge(own.rule(own.from_pinset(spec("other.com")), "example.com"))
    assert judgement.accepted
    assert not judgement.pin_in_force


@pytest.mark.parametrize("own", [own for own in ALL if own.id != "none"], ids=lambda own: own.id)
def test_the_right_pin_is_accepted_and_a_wrong_one_refused(own: Mechanism) -> None:
    right, wrong = (
        Scene().judge(own.rule(own.from_pinset(spec(keys=keys)), "example.com")) for keys in (("leaf", "b"), ("x", "y"))
    )
    assert (right.accepted, right.reason, right.pin_in_force) == (True, Reason.PIN_MATCHED, True)
    assert (wrong.accepted, wrong.reason, wrong.pin_in_force) == (False, Reason.PIN_MISMATCH, True)


@pytest.mark.parametrize("own", [own for own in ALL if own.id != "none"], ids=lambda own: own.id)
def test_a_file_written_anew_has_the_name_clients_expect(own: Mechanism) -> None:
    assert own.file_name
    assert own.parse(own.render(own.from_pinset(spec())), CONTEXT).config.pinned


def test_no_pinning_is_no_rule_and_no_file() -> None:
    none = mechanism("none")
    assert none.rule(none.from_pinset(spec()), "example.com") == Rule()
    for act in (lambda: none.parse(b"", CONTEXT), lambda: none.edit(b"", none.from_pinset(spec()), CONTEXT)):
        with pytest.raises(InputError, match="no file belongs"):
            act()
    with pytest.raises(InputError, match="no file belongs"):
        none.render(none.from_pinset(spec()))


@pytest.mark.parametrize("name", ANNOUNCED)
def test_an_announced_mechanism_is_known_but_not_played(name: str) -> None:
    with pytest.raises(InputError, match="not played yet"):
        mechanism(name)


def test_a_misspelt_mechanism_is_told_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean okhttp"):
        mechanism("okhtp")


def test_without_a_suffix_list_the_last_label_is_the_suffix() -> None:
    assert no_suffix_list("a.example.com") == "com"
    assert no_suffix_list("") is None
