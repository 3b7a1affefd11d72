"""Pins that end: by their own date, or because an event says so, in formats with and without an end."""

from __future__ import annotations

import pytest

from rotator.model.verdicts import Reason, Verdict
from tests.desk import BASE, Desk, app, row, verdicts

OK, UNPINNED, BREAKS, EXPOSED, LOST = (
    Verdict.OK,
    Verdict.UNPINNED,
    Verdict.BREAKS,
    Verdict.EXPOSED,
    Verdict.LOST,
)
DATED = BASE.replace('backups = ["b"]\n', 'backups = ["b"]\nexpires = 2026-12-31\n')
OLD = BASE.replace('backups = ["b"]\n', 'backups = ["b"]\n[pinsets.only-b]\nprimary = "b"\nexpires = 2026-12-31\n')
ALL = ("android-nsc", "trustkit-ios", "okhttp", "apple-ats", "curl")


def apps(**more: str) -> str:
    """Write one app for each mechanism."""
    return "".join(app(name, name, **more) for name in ALL)


def test_formats_with_an_end_go_unpinned_and_the_others_hold(desk: Desk) -> None:
    answer = desk.ask(DATED + apps(), at="2027-01-01")
    assert verdicts(answer) == {
        "android-nsc": UNPINNED,
        "trustkit-ios": UNPINNED,
        "okhttp": OK,
        "apple-ats": OK,
        "curl": OK,
    }
    assert row(answer, "android-nsc").reason is Reason.PINS_EXPIRED


@pytest.mark.parametrize(
    ("at", "nsc", "trustkit"),
    [
        ("2026-12-30T09:59:59Z", (LOST, False), (LOST, False)),
        ("2026-12-30T10:00:00Z", (LOST, True), (LOST, False)),
        ("2026-12-31T11:59:59Z", (LOST, True), (EXPOSED, False)),
        ("2026-12-31T12:00:00Z", (EXPOSED, False), (EXPOSED, False)),
    ],
)
def test_worked_example_10_on_wrong_pins_and_a_stolen_pinned_key(
    desk: Desk, at: str, nsc: tuple[Verdict, bool], trustkit: tuple[Verdict, bool]
) -> None:
    """The pins are of B alone, A is served, and B is stolen with a certificate."""
    text = OLD.replace('a-chain = { file = "a.pem" }', 'a-chain = { file = "a.pem" }\nb-chain = { file = "b.pem" }')
    text += app("nsc", "android-nsc", pinset="only-b") + app("tk", "trustkit-ios", pinset="both")
    text += '[pinsets.both]\nprimary = "b"\nbackups = ["c"]\nexpires = 2026-12-31\n'
    text = text.replace("[keys]\n", '[keys]\nc = { csr = "c.csr" }\n')
    answer = desk.ask(text, "key-compromise:b@2026-12-01", at=at)
    found = {name: (row(answer, name).verdict, row(answer, name).unsure) for name in ("nsc", "tk")}
    assert found == {"nsc": nsc, "tk": trustkit}


@pytest.mark.parametrize(
    ("at", "expected", "unsure"),
    [
        ("2026-12-30T09:59:59Z", BREAKS, False),
        ("2026-12-30T10:00:00Z", BREAKS, True),
        ("2026-12-31T11:59:59Z", BREAKS, True),
        ("2026-12-31T12:00:00Z", UNPINNED, False),
    ],
)
def test_wrong_pins_count_as_in_force_until_the_last_midnight(
    desk: Desk, at: str, expected: Verdict, *, unsure: bool
) -> None:
    answer = desk.ask(OLD + app("nsc", "android-nsc", pinset="only-b"), at=at)
    assert (row(answer).verdict, row(answer).unsure) == (expected, unsure)
    assert answer.impact.broken.low == (1000 if expected is BREAKS and not unsure else 0)
    assert answer.impact.broken.high == (1000 if expected is BREAKS else 0)


def test_right_pins_count_as_gone_from_the_first_midnight(desk: Desk) -> None:
    text = DATED + app("nsc", "android-nsc")
    assert row(desk.ask(text, at="2026-12-30T09:59:59Z")).verdict is OK
    assert row(desk.ask(text, at="2026-12-30T10:00:00Z")).verdict is UNPINNED
    assert desk.ask(text, at="2026-12-30T10:00:00Z").impact.unpinned.high == 1000


def test_an_attacker_without_the_pin_is_let_in_when_pins_end(desk: Desk) -> None:
    """C is stolen; nobody pins it; it has a certificate of another trusted CA."""
    text = DATED.replace("[keys]\n", '[keys]\nc = { certificate = "c.pem" }\n') + app("nsc", "android-nsc")
    assert row(desk.ask(text, "key-compromise:c@2026-12-01")).verdict is OK
    early = row(desk.ask(text, "key-compromise:c@2026-12-01", at="2026-12-30T10:00:00Z"))
    assert (early.verdict, early.unsure) == (EXPOSED, True)
    late = row(desk.ask(text, "key-compromise:c@2026-12-01", at="2026-12-31T12:00:00Z"))
    assert (late.verdict, late.unsure) == (EXPOSED, False)


def test_the_event_ends_pins_in_formats_that_can_say_so(desk: Desk) -> None:
    answer = desk.ask(BASE + apps(), "pins-expire:p@2026-12-15", at="2026-12-17")
    assert verdicts(answer) == {
        "android-nsc": UNPINNED,
        "trustkit-ios": UNPINNED,
        "okhttp": OK,
        "apple-ats": OK,
        "curl": OK,
    }
    assert set(verdicts(desk.ask(BASE + apps(), "pins-expire:p@2026-12-15", at="2026-12-13")).values()) == {OK}


@pytest.mark.parametrize("mechanism", ["android-nsc", "trustkit-ios"])
def test_the_event_ends_pins_at_its_instant_on_every_device(desk: Desk, mechanism: str) -> None:
    """A date in a file ends at local midnight; an instant that is asked for is one."""
    text = BASE + app("phone", mechanism)
    event = "pins-expire:p@2026-11-24T18:00:00Z"
    for at, verdict in (("2026-11-24T17:59:59Z", OK), ("2026-11-24T18:00:00Z", UNPINNED)):
        found = row(desk.ask(text, event, at=at))
        assert (found.verdict, found.unsure) == (verdict, False), at


def test_the_event_does_not_make_pins_last_longer(desk: Desk) -> None:
    answer = desk.ask(DATED + app("tk", "trustkit-ios"), "pins-expire:p@2027-06-01", at="2027-01-01")
    assert row(answer).verdict is UNPINNED


def test_an_end_of_one_mechanism_does_not_open_a_connection_that_another_guards(desk: Desk) -> None:
    both = DATED + '[apps.shop]\nmechanism = ["android-nsc", "okhttp"]\npinset = "p"\ntrust = "ours"\nclients = 10\n'
    assert row(desk.ask(both, at="2027-01-01")).verdict is OK
    wrong = both.replace('serves = "a-chain"', 'serves = "c.pem"')
    assert row(desk.ask(wrong, at="2027-01-01")).verdict is BREAKS


WINDOW = "2026-12-31T00:00:00Z"
BOTH = '[apps.shop]\nmechanism = ["android-nsc", "okhttp"]\npinset = "p"\ntrust = "ours"\nclients = 10\n'


def test_a_refusal_that_is_certain_for_one_mechanism_is_certain(desk: Desk) -> None:
    """Some devices still enforce the platform's pins, and every one those of the library."""
    wrong = DATED.replace('serves = "a-chain"', 'serves = "c.pem"') + BOTH
    impact = desk.ask(wrong, at=WINDOW).impact
    assert (impact.broken.low, impact.broken.high) == (10, 10)


def test_an_attacker_let_in_by_one_mechanism_on_some_devices_only_is_not_certain(desk: Desk) -> None:
    text = DATED.replace("[keys]\n", '[keys]\nc = { certificate = "c.pem" }\n')
    two = BOTH.replace('["android-nsc", "okhttp"]', '["none", "android-nsc"]')
    impact = desk.ask(text + two, "key-compromise:c@2026-12-01", at=WINDOW).impact
    assert (impact.exposed.low, impact.exposed.high) == (0, 10)
    guarded = desk.ask(text + BOTH, "key-compromise:c@2026-12-01", at=WINDOW).impact
    assert guarded.exposed.none


def test_report_only_pins_break_nobody_and_protect_nobody(desk: Desk) -> None:
    text = BASE.replace('backups = ["b"]\n', 'backups = ["b"]\nmode = "report-only"\n') + apps()
    wrong = text.replace('serves = "a-chain"', 'serves = "c.pem"')
    found = verdicts(desk.ask(wrong))
    assert found == {
        "android-nsc": BREAKS,
        "trustkit-ios": UNPINNED,
        "okhttp": BREAKS,
        "apple-ats": BREAKS,
        "curl": BREAKS,
    }
    stolen = desk.ask(wrong.replace("[keys]\n", '[keys]\nc = { certificate = "c.pem" }\n'), "key-compromise:c")
    assert verdicts(stolen)["trustkit-ios"] is EXPOSED
