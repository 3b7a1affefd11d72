"""Hosts with several chains, edges, several names; connections beside; proxies; trust stores."""

from __future__ import annotations

import pytest

from rotator.model.verdicts import Reason, Verdict
from rotator.simulate.explain import why
from tests.desk import BASE, Desk, app, row, verdicts
from tests.minting import pin_text, root

OK, UNPINNED, BREAKS, EXPOSED, LOST = (
    Verdict.OK,
    Verdict.UNPINNED,
    Verdict.BREAKS,
    Verdict.EXPOSED,
    Verdict.LOST,
)


def serving(more: str) -> str:
    """Change what the host serves."""
    return BASE.replace('serves = "a-chain"\n', more + "\n")


@pytest.mark.parametrize(
    ("serves", "verdict", "place"),
    [
        ('serves = ["a-chain", "b.pem"]', OK, ""),
        ('serves = ["a-chain", "c.pem"]', BREAKS, ""),
        ('serves = ["c.pem", "a-chain"]', BREAKS, ""),
        ('serves = "a-chain"\nedges = [{ name = "dr", serves = "b.pem" }]', OK, ""),
        ('serves = "a-chain"\nedges = [{ name = "dr", serves = "c.pem" }]', BREAKS, "dr"),
        ('serves = "c.pem"\nedges = [{ name = "dr", serves = "a-chain" }]', BREAKS, ""),
    ],
)
def test_of_several_chains_and_places_the_worst_counts(desk: Desk, serves: str, verdict: Verdict, place: str) -> None:
    found = row(desk.ask(serving(serves) + app("shop")))
    assert found.verdict is verdict
    if verdict is BREAKS:
        assert found.ours.place == place


def test_a_place_that_only_some_reach_is_named_in_the_reason(desk: Desk) -> None:
    answer = desk.ask(serving('serves = "a-chain"\nedges = [{ name = "dr", serves = "c.pem" }]') + app("shop"))
    assert "at dr" in why(row(answer), answer.inventory)


def test_serving_reaches_every_place(desk: Desk) -> None:
    text = serving('serves = "a-chain"\nedges = [{ name = "dr", serves = "c.pem" }]') + app("shop")
    assert row(desk.ask(text, "serve:api:b")).verdict is OK
    assert row(desk.ask(text, "renew:api:same-key")).verdict is BREAKS
    assert row(desk.ask(text, "revoke:api?clock=0h")).verdict is BREAKS


def test_losing_one_of_two_keys_breaks_where_that_one_is_served(desk: Desk) -> None:
    text = serving('serves = ["a-chain", "b.pem"]') + app("shop")
    assert row(desk.ask(text, "key-loss:b")).verdict is BREAKS


def test_every_name_of_a_host_must_be_right(desk: Desk) -> None:
    text = BASE.replace('names = ["api.example.com"]', 'names = ["api.example.com", "img.example.com"]') + app("shop")
    found = row(desk.ask(text))
    assert (found.verdict, found.reason, found.ours.name) == (BREAKS, Reason.NAME_MISMATCH, "img.example.com")


def test_a_name_that_a_pinset_does_not_cover_is_unpinned(desk: Desk) -> None:
    text = BASE.replace('backups = ["b"]\n', 'backups = ["b"]\ncovers = ["www.example.com"]\n') + app("shop")
    assert (row(desk.ask(text)).verdict, row(desk.ask(text)).reason) == (UNPINNED, Reason.HOST_NOT_LISTED)


def test_a_host_that_serves_nothing_breaks(desk: Desk) -> None:
    text = serving("") + app("shop")
    assert row(desk.ask(text)).reason is Reason.NOT_SERVED
    assert row(desk.ask(text, "serve:api:a-chain")).verdict is OK


BESIDE = app("shop", more='beside = [{ mechanism = "none", hosts = ["api"], note = "WebView" }]')


def test_connections_beside_the_pinned_ones_are_rows_of_their_own(desk: Desk) -> None:
    found = verdicts(desk.ask(BASE + BESIDE, "key-compromise:a"))
    assert found == {"shop": EXPOSED, "shop (WebView)": EXPOSED}
    assert verdicts(desk.ask(BASE + BESIDE)) == {"shop": OK, "shop (WebView)": UNPINNED}


def test_a_client_with_a_connection_beside_counts_once(desk: Desk) -> None:
    impact = desk.ask(BASE + BESIDE, "key-compromise:a").impact
    assert (impact.exposed.low, impact.exposed.high) == (1000, 1000)
    assert impact.unpinned.high == 1000
    assert desk.ask(BASE + BESIDE).impact.ok.high == 0


def test_connections_beside_one_another_are_those_of_the_same_clients(desk: Desk) -> None:
    """A tenth of the clients uses the host, through both; so a tenth is hit, not a fifth."""
    some = BESIDE.replace("clients = 1000", "clients = 1000\nhosts = { api = 0.1 }")
    assert desk.ask(BASE + some, "key-loss:a").impact.broken.high == 100
    assert desk.ask(BASE + some, "key-loss:a").impact.ok.high == 900


def test_a_connection_beside_may_be_pinned_too(desk: Desk) -> None:
    pins = '[pinsets.only-a]\nprimary = "a"\n'
    beside = 'beside = [{ mechanism = "curl", hosts = ["api"], pinset = "only-a" }]'
    found = verdicts(desk.ask(BASE + pins + app("shop", more=beside), "serve:api:b"))
    assert found == {"shop": OK, "shop (beside)": BREAKS}


def test_all_mechanisms_of_an_app_must_accept(desk: Desk) -> None:
    pins = '[pinsets.only-a]\nprimary = "a"\n'
    two = """[apps.shop]
mechanism = ["android-nsc", "okhttp"]
pinset = { android-nsc = "p", okhttp = "only-a" }
trust = "ours"
clients = 10
"""
    assert row(desk.ask(BASE + pins + two)).verdict is OK
    answer = desk.ask(BASE + pins + two, "serve:api:b")
    assert (row(answer).verdict, row(answer).ours.mechanism) == (BREAKS, "okhttp")
    stolen = desk.ask(BASE + pins + two, "key-compromise:b?certified=yes")
    assert row(stolen).verdict is OK


@pytest.mark.parametrize("order", ["okhttp, checking", "checking, okhttp"])
def test_of_two_mechanisms_that_refuse_the_first_reason_in_order_is_given(desk: Desk, order: str) -> None:
    own = '[mechanisms.checking]\nlike = "okhttp"\nrevocation = "hard"\n[pinsets.only-b]\nprimary = "b"\n'
    names = ", ".join(f'"{name}"' for name in order.split(", "))
    two = f'[apps.shop]\nmechanism = [{names}]\npinset = "only-b"\ntrust = "ours"\nclients = 10\n'
    assert row(desk.ask(BASE + own + two, "revoke:api?clock=0h")).reason is Reason.REVOKED


def test_one_pinned_mechanism_pins_the_connection(desk: Desk) -> None:
    two = '[apps.shop]\nmechanism = ["none", "okhttp"]\npinset = "p"\ntrust = "ours"\nclients = 10\n'
    assert row(desk.ask(BASE + two)).verdict is OK


PROXY = """\
[trust.managed]
roots = ["root", "other-root"]
local_roots = ["proxy"]
intercepted_by = "proxy"
"""


def managed(text: str) -> str:
    """Put an app behind an inspecting proxy."""
    return text.replace('trust = "ours"', 'trust = "managed"')


@pytest.mark.parametrize(
    ("mechanism", "verdict", "reason"),
    [
        ("okhttp", BREAKS, Reason.PIN_MISMATCH),
        ("apple-ats", BREAKS, Reason.PIN_MISMATCH),
        ("trustkit-ios", BREAKS, Reason.PIN_MISMATCH),
        ("curl", BREAKS, Reason.PIN_MISMATCH),
        ("android-nsc", BREAKS, Reason.NO_PATH),
        ("none", UNPINNED, Reason.NO_PINS),
    ],
)
def test_an_inspecting_proxy_breaks_pinned_clients(
    desk: Desk, mechanism: str, verdict: Verdict, reason: Reason
) -> None:
    desk.file("proxy.pem", root("proxy").pem)
    text = BASE.replace("[chains]\n", 'proxy = { certificate = "proxy.pem" }\n[chains]\n') + PROXY
    text += managed(app("shop", mechanism, pinset="" if mechanism == "none" else "p"))
    found = row(desk.ask(text))
    assert (found.verdict, found.reason) == (verdict, reason)


def test_a_proxy_does_not_mend_what_it_does_not_accept_itself(desk: Desk) -> None:
    desk.file("proxy.pem", root("proxy").pem)
    text = BASE.replace("[chains]\n", 'proxy = { certificate = "proxy.pem" }\n[chains]\n') + PROXY
    text += managed(app("shop", "none", pinset=""))
    assert row(desk.ask(text, "ca-distrust:root")).verdict is BREAKS
    assert row(desk.ask(text, "key-compromise:a")).verdict is EXPOSED


def test_a_client_that_pins_the_proxy_works_behind_it_alone(desk: Desk) -> None:
    desk.file("proxy.pem", root("proxy").pem)
    pins = '[pinsets.proxied]\nauthorities = ["proxy"]\n'
    text = BASE.replace("[chains]\n", 'proxy = { certificate = "proxy.pem" }\n[chains]\n') + PROXY + pins
    inside = row(desk.ask(text + managed(app("shop", pinset="proxied"))))
    outside = row(desk.ask(text + app("shop", pinset="proxied")))
    assert (inside.verdict, outside.verdict) == (OK, BREAKS)


def test_key_types_that_a_device_cannot_handle_break_it(desk: Desk) -> None:
    text = BASE.replace(
        'roots = ["root", "other-root"] }', 'roots = ["root", "other-root"], key_types = ["rsa"] }'
    ) + app("old")
    assert row(desk.ask(text)).reason is Reason.KEY_TYPE_UNSUPPORTED


def test_a_store_without_an_authority_does_not_reach_it(desk: Desk) -> None:
    text = BASE.replace(
        'ours = { roots = ["root", "other-root"] }', 'ours = { roots = ["root", "other-root"], without = ["root"] }'
    )
    assert row(desk.ask(text + app("shop"))).reason is Reason.NO_PATH


def test_a_bundle_of_roots_is_read_from_a_file(desk: Desk) -> None:
    desk.file("bundle.pem", (desk.folder / "root.pem").read_bytes() + (desk.folder / "other-root.pem").read_bytes())
    text = BASE.replace('ours = { roots = ["root", "other-root"] }', 'ours = { roots = "bundle.pem" }') + app("shop")
    assert row(desk.ask(text)).verdict is OK


def test_an_app_that_names_no_store_trusts_the_mozilla_bundle(desk: Desk) -> None:
    """Which does not hold the minted root."""
    text = BASE + app("shop").replace('trust = "ours"\n', "")
    found = row(desk.ask(text))
    assert (found.reason, found.connection.cohort.trust) == (Reason.NO_PATH, "mozilla")


def test_a_shipped_file_that_its_client_refuses_breaks_the_release(desk: Desk) -> None:
    desk.file("bad.json", '{"*": ["sha256/x"]}')
    found = row(desk.ask(BASE + app("shop", pinset="", more='config = "bad.json"'), "key-compromise:a"))
    assert (found.verdict, found.reason, found.attacker_reason) == (
        BREAKS,
        Reason.CONFIG_REJECTED,
        Reason.CONFIG_REJECTED,
    )


def test_a_pinset_that_its_client_refuses_breaks_the_release(desk: Desk) -> None:
    text = BASE.replace("api.example.com", "api.shop.example")
    found = row(desk.ask(text + app("ios", "trustkit-ios")))
    assert found.reason is Reason.CONFIG_REJECTED


def test_releases_enforce_what_each_of_them_shipped(desk: Desk) -> None:
    desk.file("old.json", f'{{"api.example.com": ["{pin_text("a")}"]}}')
    releases = """[apps.shop]
mechanism = "okhttp"
trust = "ours"
releases = [
  { version = "2", pinset = "p", clients = 90 },
  { version = "1", config = "old.json", clients = 10 },
]
"""
    answer = desk.ask(BASE + releases, "serve:api:b")
    assert verdicts(answer) == {"shop 2": OK, "shop 1": BREAKS}
    assert answer.impact.broken.share == 0.1
