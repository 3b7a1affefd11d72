"""Approov managed pins: exact domains, and managed roots for domains whose own list is empty."""

from __future__ import annotations

import json

import pytest

from rotator.errors import InputError
from rotator.mechanisms.approov import MECHANISM as APPROOV
from rotator.model.rules import Builder, LocalRoots
from rotator.model.verdicts import Reason
from tests.judging import CONTEXT, ICA, LEAF, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, pins_for, read, reason, spec
from tests.minting import pin, pin_b64, pin_text, values


def pins(**domains: list[object]) -> str:
    """Write the map; `__` in a name stands for a dot, `managed` for `*`."""
    return json.dumps({"*" if name == "managed" else name.replace("__", "."): own for name, own in domains.items()})


@pytest.mark.parametrize("name", ["leaf", "ica", "root"])
def test_any_certificate_of_the_path_matches(name: str) -> None:
    assert reason(APPROOV, pins(example__com=[pin_b64(name)])) is Reason.PIN_MATCHED


@pytest.mark.parametrize("text", [pin_text("leaf"), f"cert-sha256:{values(LEAF)[0].sha256.hex()}", "AAAA", "", 3])
def test_only_bare_base64_matches(text: object) -> None:
    """The client puts `sha256/` in front itself."""
    assert reason(APPROOV, pins(example__com=[text])) is Reason.PIN_MISMATCH
    assert "pin-never-matches" in findings(APPROOV, pins(example__com=[text]))
    data = pins(example__com=[text]).encode()
    mended = APPROOV.edit(data, APPROOV.from_pinset(spec("example.com", keys=("leaf",))), CONTEXT)
    assert json.loads(mended) == {"example.com": [pin_b64("leaf")]}


@pytest.mark.parametrize(
    ("text", "host", "pinned"),
    [
        (pins(example__com=[pin_b64("x")]), "example.com", {"x"}),
        (pins(example__com=[pin_b64("x")]), "a.example.com", set()),
        (pins(Example__COM=[pin_b64("x")]), "example.com", {"x"}),
        (pins(example__com=[], managed=[pin_b64("root")]), "example.com", {"root"}),
        (pins(example__com=[pin_b64("x")], managed=[pin_b64("root")]), "example.com", {"x"}),
        (pins(other__test=[], managed=[pin_b64("root")]), "example.com", set()),
        (pins(managed=[pin_b64("root")]), "example.com", set()),
        (pins(example__com=[], managed=[]), "example.com", set()),
        (pins(example__com=[]), "example.com", set()),
    ],
    ids=[
        "own list",
        "below",
        "capitals",
        "managed roots",
        "own list beats them",
        "not there",
        "only managed roots",
        "both empty",
        "empty",
    ],
)
def test_whose_pins_a_host_gets(text: str, host: str, pinned: set[str]) -> None:
    assert pins_for(APPROOV, text, host) == {pin(name) for name in pinned}
    judgement = Scene().judge(APPROOV.rule(read(APPROOV, text), host), host)
    assert judgement.accepted is (not pinned or "root" in pinned)


def test_certificates_sent_beside_the_path_do_not_count() -> None:
    padded = Scene(sent=(*OTHER_CA, ICA, ROOT), roots=(ROOT, ROGUE_ROOT))
    assert reason(APPROOV, pins(example__com=[pin_b64("root")]), scene=padded) is Reason.PIN_MISMATCH


def test_axes_are_those_of_the_table() -> None:
    rule = APPROOV.rule(read(APPROOV, pins(example__com=[pin_b64("leaf")])), "example.com")
    assert (rule.builder, rule.local_roots, rule.expiry) == (Builder.BACKTRACK, LocalRoots.ENFORCE, None)
    local = Scene(sent=OTHER_CA, local=(ROGUE_ROOT,))
    assert local.judge(rule).reason is Reason.PIN_MISMATCH


@pytest.mark.parametrize("key", ["public-key-sha256", "domains"])
def test_the_shapes_of_the_service(key: str) -> None:
    inner = {"example.com": [pin_b64("leaf")]}
    assert read(APPROOV, json.dumps({key: inner, "other": 1})) == read(APPROOV, json.dumps(inner))
    listed = {"example.com": {"pins": [pin_b64("leaf")]}}
    assert read(APPROOV, json.dumps({key: listed})) == read(APPROOV, json.dumps(inner))


def test_managed_roots_and_pins_that_never_match_are_told() -> None:
    found = findings(APPROOV, pins(example__com=["AAAA", pin_b64("leaf")], managed=[pin_b64("root")]))
    assert {"managed-roots", "pin-never-matches"} <= set(found)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"example.com": 3}', '{"example.com": {"pins": 3}}', "{" * 5000])
def test_what_is_no_such_file_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError):
        read(APPROOV, text)
