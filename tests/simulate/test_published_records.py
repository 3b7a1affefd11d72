"""Clients that find their pins in the DNS: the records of the hosts of the policy, as a resolver gives them."""

from __future__ import annotations

import pytest

from rotator.model.verdicts import Reason, Verdict
from tests.desk import API, BASE, Desk, app, row
from tests.minting import pin

RECORDS = "_443._tcp.{}. 3600 IN TLSA 3 1 1 {}\n"
HOST = '[hosts.api]\nnames = ["api.example.com"]\n'


def text(dnssec: str = "secure", *, pinset: str = "") -> str:
    """Give a policy whose host has records, with an app that asks for them."""
    dane = f'dane = {{ records = "api.tlsa", dnssec = "{dnssec}" }}\n'
    return BASE.replace(HOST, HOST + dane) + app("mailer", "dane", pinset=pinset)


def published(desk: Desk, key: str) -> None:
    """Publish a record for a key."""
    desk.file("api.tlsa", RECORDS.format(API, pin(key).digest.hex()))


def test_records_of_the_host_are_what_the_client_demands(desk: Desk) -> None:
    published(desk, "a")
    assert row(desk.ask(text())).reason is Reason.PIN_MATCHED
    assert row(desk.ask(text(), "renew:api:new-key")).verdict is Verdict.BREAKS
    assert row(desk.ask(text(), "key-compromise:a")).verdict is Verdict.EXPOSED
    published(desk, "b")
    assert row(desk.ask(text())).verdict is Verdict.BREAKS


def test_a_pinset_that_is_given_comes_before_the_records(desk: Desk) -> None:
    published(desk, "c")
    assert row(desk.ask(text(pinset="p"))).verdict is Verdict.OK


@pytest.mark.parametrize(("dnssec", "verdict"), [("insecure", Verdict.UNPINNED), ("bogus", Verdict.BREAKS)])
def test_records_that_are_not_signed_protect_nobody_and_bogus_ones_refuse(
    desk: Desk, dnssec: str, verdict: Verdict
) -> None:
    published(desk, "a")
    assert row(desk.ask(text(dnssec))).verdict is verdict


def test_records_that_are_not_there_are_an_error(desk: Desk) -> None:
    (problem,) = desk.problems(text())
    assert problem.path == "hosts.api.dane.records"


@pytest.mark.parametrize(
    ("owner", "port", "verdict"),
    [
        ("_443._tcp", 443, Verdict.BREAKS),
        ("*._tcp", 443, Verdict.BREAKS),
        ("_8883._tcp", 8883, Verdict.BREAKS),
        ("_443._tcp", 8883, Verdict.UNPINNED),
        ("_25._tcp", 443, Verdict.UNPINNED),
        ("_443._udp", 443, Verdict.UNPINNED),
    ],
)
def test_clients_ask_for_the_port_they_connect_to(desk: Desk, owner: str, port: int, verdict: Verdict) -> None:
    """The name of a record is exact: what stands at another port or protocol is asked by nobody (RFC 6698, 3)."""
    desk.file("api.tlsa", f"{owner}.{API}. 3600 IN TLSA 3 1 1 {pin('c').digest.hex()}\n")
    policy = text().replace(HOST, f"{HOST}port = {port}\n")
    assert row(desk.ask(policy)).verdict is verdict


@pytest.mark.parametrize("other", ["_25._tcp", "*._tcp"])
def test_a_record_of_another_port_does_not_help_one_that_misses(desk: Desk, other: str) -> None:
    """A wildcard is asked only where the name itself has no record."""
    lines = (("_443._tcp", "c"), (other, "a"))
    desk.file("api.tlsa", "".join(f"{o}.{API}. IN TLSA 3 1 1 {pin(key).digest.hex()}\n" for o, key in lines))
    assert row(desk.ask(text())).verdict is Verdict.BREAKS
