"""What a stolen or lost key does, and what answering it does."""

from __future__ import annotations

import re

import pytest

from rotator.model.verdicts import Reason, Verdict
from tests.desk import BASE, KEYS, PKI, TOP, Desk, app, row, verdicts
from tests.minting import instant

OK, UNPINNED, BREAKS, EXPOSED, LOST = (
    Verdict.OK,
    Verdict.UNPINNED,
    Verdict.BREAKS,
    Verdict.EXPOSED,
    Verdict.LOST,
)
B_READY = BASE.replace('a-chain = { file = "a.pem" }', 'a-chain = { file = "a.pem" }\nb-chain = { file = "b.pem" }')
MORE = '[pinsets.only-a]\nprimary = "a"\n[pinsets.only-b]\nprimary = "b"\n'
ALL = B_READY + MORE + app("both") + app("with-a", pinset="only-a") + app("with-b", pinset="only-b")


def test_a_stolen_key_exposes_whoever_pins_it(desk: Desk) -> None:
    answer = desk.ask(BASE + app("shop"), "key-compromise:a")
    found = row(answer)
    assert found.verdict is EXPOSED
    assert (found.reason, found.attacker_reason) == (Reason.PIN_MATCHED, Reason.KEY_STOLEN)
    assert answer.notes[0].startswith("assumed: client counts")


def test_worked_example_4_a_swap_moves_broken_and_never_exposed(desk: Desk) -> None:
    """Pins {A, B}, A served and stolen, B's chain ready."""
    before = desk.ask(ALL, "key-compromise:a")
    assert verdicts(before) == {"both": EXPOSED, "with-a": EXPOSED, "with-b": BREAKS}
    after = desk.ask(ALL, "key-compromise:a", "serve:api:b")
    assert verdicts(after) == {"both": EXPOSED, "with-a": LOST, "with-b": OK}
    alone = desk.ask(ALL, "serve:api:b")
    assert verdicts(alone) == {"both": OK, "with-a": BREAKS, "with-b": OK}


def test_exposure_ends_with_the_certificates(desk: Desk) -> None:
    """The stolen key's certificate ends on 2027-09-30; our own B ends then, too."""
    live = desk.ask(ALL, "key-compromise:a@2026-12-01", at="2027-09-30")
    assert verdicts(live)["both"] is EXPOSED
    ended = desk.ask(ALL, "key-compromise:a@2026-12-01", at="2027-09-30T00:00:01Z")
    assert row(ended, "both").attacker_reason is Reason.CHAIN_EXPIRED
    assert verdicts(ended)["both"] is BREAKS


def test_a_client_that_checks_nothing_but_the_pin_stays_exposed_after_the_end(desk: Desk) -> None:
    own = '[mechanisms.careless]\nlike = "curl"\nbase = "none"\n'
    answer = desk.ask(BASE + own + app("job", "careless"), "key-compromise:a@2026-12-01", at="2028-01-01")
    assert row(answer).verdict is EXPOSED


def test_a_client_that_checks_nothing_but_the_pin_needs_no_certificate_to_be_exposed(desk: Desk) -> None:
    """Whoever holds the key signs a certificate for itself."""
    own = '[mechanisms.careless]\nlike = "curl"\nbase = "none"\n'
    answer = desk.ask(BASE + own + app("job", "careless") + app("shop"), "key-compromise:b")
    assert verdicts(answer) == {"job": EXPOSED, "shop": OK}


def test_a_stolen_backup_without_a_certificate_exposes_nobody_yet(desk: Desk) -> None:
    """Worked example 7, first half."""
    answer = desk.ask(BASE + app("shop"), "key-compromise:b")
    assert verdicts(answer) == {"shop": OK}
    assert any(note.startswith("needs-certificate") for note in answer.notes)


def test_a_stolen_backup_that_gets_a_certificate_exposes_whoever_pins_it(desk: Desk) -> None:
    answer = desk.ask(BASE + MORE + app("both") + app("with-a", pinset="only-a"), "key-compromise:b?certified=yes")
    assert verdicts(answer) == {"both": EXPOSED, "with-a": OK}
    assert not any(note.startswith("needs-certificate") for note in answer.notes)


@pytest.mark.parametrize("how", ["chain", "key"])
def test_a_stolen_backup_whose_certificate_is_in_the_policy_is_exposed_at_once(desk: Desk, how: str) -> None:
    """Served or not: certificates are public."""
    text = B_READY if how == "chain" else BASE.replace('{ csr = "b.csr"', '{ certificate = "b.pem"')
    answer = desk.ask(text + app("shop"), "key-compromise:b")
    assert verdicts(answer) == {"shop": EXPOSED}
    assert not any(note.startswith("needs-certificate") for note in answer.notes)


def test_a_planned_chain_is_no_certificate_until_it_is_served(desk: Desk) -> None:
    planned = (
        'a-chain = { file = "a.pem" }\nb-plan = { leaf = "b", issuers = ["ica", "root"], not_before = 2026-12-01 }'
    )
    text = BASE.replace('a-chain = { file = "a.pem" }', planned) + app("shop")
    assert verdicts(desk.ask(text, "key-compromise:b")) == {"shop": OK}
    served = desk.ask(text, "key-compromise:b@2026-12-02", "serve:api:b-plan@2026-12-01")
    assert verdicts(served) == {"shop": EXPOSED}
    swapped_back = desk.ask(
        text, "serve:api:b-plan@2026-12-01", "serve:api:a-chain@2026-12-02", "key-compromise:b@2026-12-03"
    )
    assert verdicts(swapped_back) == {"shop": EXPOSED}


def test_a_renewal_with_a_stolen_key_prolongs_the_exposure(desk: Desk) -> None:
    text = ALL
    answer = desk.ask(
        text, "key-compromise:a@2026-12-01", "renew:api:same-key@2027-06-01", "serve:api:b@2027-06-02", at="2027-10-15"
    )
    assert verdicts(answer)["with-a"] is LOST


def test_a_planned_chain_served_on_a_second_host_exposes_that_host_too(desk: Desk) -> None:
    """The certificate then names both hosts, so whoever holds its key is accepted on both."""
    text = (
        TOP
        + KEYS
        + PKI.replace('serves = "a-chain"', 'serves = "plan"').replace(
            'a-chain = { file = "a.pem" }', 'plan = { leaf = "a", issuers = ["ica", "root"], not_before = 2026-11-01 }'
        )
        + '[hosts.www]\nnames = ["www.example.com"]\nserves = "other"\n'
        + '[chains.other]\nleaf = "b"\nissuers = ["ica", "root"]\nnot_before = 2026-11-01\n'
        + app("shop")
    )
    answer = desk.ask(text, "serve:www:plan@2026-12-01", "key-compromise:a@2026-12-02")
    assert verdicts(answer) == {"shop @api": EXPOSED, "shop @www": EXPOSED}


def test_a_lost_key_breaks_whatever_serves_it(desk: Desk) -> None:
    answer = desk.ask(ALL, "key-loss:a")
    assert verdicts(answer) == dict.fromkeys(("both", "with-a", "with-b"), BREAKS)
    assert {r.reason for r in answer.impact.rows} == {Reason.NOT_SERVED}
    assert verdicts(desk.ask(ALL, "key-loss:b")) == {"both": OK, "with-a": OK, "with-b": BREAKS}


def test_serving_the_backup_mends_a_loss_for_who_carries_it(desk: Desk) -> None:
    answer = desk.ask(ALL, "key-loss:a", "serve:api:b")
    assert verdicts(answer) == {"both": OK, "with-a": BREAKS, "with-b": OK}


def test_renewing_a_lost_key_does_not_bring_it_back(desk: Desk) -> None:
    assert verdicts(desk.ask(ALL, "key-loss:a@2026-12-01", "renew:api:same-key@2026-12-02"))["both"] is BREAKS
    assert verdicts(desk.ask(ALL, "key-loss:a@2026-12-01", "renew:api:new-key@2026-12-02"))["both"] is BREAKS


def test_unpinned_clients_are_broken_and_exposed_too(desk: Desk) -> None:
    text = BASE + app("web", "none", pinset="")
    assert verdicts(desk.ask(text)) == {"web": UNPINNED}
    assert verdicts(desk.ask(text, "key-compromise:a")) == {"web": EXPOSED}
    assert verdicts(desk.ask(text, "key-loss:a")) == {"web": BREAKS}


def test_a_stolen_key_of_another_host_exposes_nobody_here(desk: Desk) -> None:
    text = BASE + '[hosts.www]\nnames = ["www.example.com"]\nserves = "a-chain"\n' + app("shop", more='hosts = ["api"]')
    certificate_for_api = desk.ask(text, "key-compromise:a")
    assert verdicts(certificate_for_api) == {"shop": EXPOSED}
    elsewhere = BASE.replace('names = ["api.example.com"]', 'names = ["www.example.com"]') + app("shop")
    assert row(desk.ask(elsewhere, "key-compromise:a")).attacker_reason is Reason.NAME_MISMATCH


def test_two_attacks_at_once_count_the_better_one(desk: Desk) -> None:
    answer = desk.ask(BASE + app("shop"), "key-compromise:b", "key-compromise:a")
    assert row(answer).verdict is EXPOSED
    assert row(answer).attacker is not None
    assert row(answer).attacker.chain == "a"  # type: ignore[union-attr]  # asserted above


def test_a_pin_on_a_ca_accepts_a_stolen_key_nobody_pins(desk: Desk) -> None:
    pins = '[pinsets.ca]\nauthorities = ["root"]\n'
    text = BASE + pins + app("shop", pinset="ca")
    assert verdicts(desk.ask(text, "key-compromise:a")) == {"shop": EXPOSED}
    assert verdicts(desk.ask(text, "renew:api:new-key")) == {"shop": OK}


def test_a_key_pinned_on_one_name_of_a_host_can_be_certified_for_the_host(desk: Desk) -> None:
    text = BASE.replace('names = ["api.example.com"]', 'names = ["api.example.com", "img.example.com"]')
    text = text.replace('backups = ["b"]\n', 'backups = ["b"]\ncovers = ["img.example.com"]\n') + app("shop")
    found = row(desk.ask(text, "key-compromise:b?certified=yes"))
    assert found.verdict.is_exposed


def test_a_certificate_pin_is_safe_from_a_stolen_backup_even_when_certified(desk: Desk) -> None:
    pins = '[mechanisms.exact]\nlike = "curl"\nobject = "cert-sha256"\n[pinsets.cert]\ncertificates = ["a-chain"]\n'
    text = BASE + pins + app("shop", "exact", pinset="cert")
    assert verdicts(desk.ask(text, "key-compromise:b?certified=yes")) == {"shop": OK}
    assert verdicts(desk.ask(text, "key-compromise:a")) == {"shop": EXPOSED}
    assert verdicts(desk.ask(text, "key-compromise:a?certified=yes")) == {"shop": EXPOSED}


def marked(key: str, status: str, since: str = "") -> str:
    """Mark a key in the policy."""
    mark = f', status = "{status}"' + (f", since = {since}" if since else "")
    return re.sub(rf"(?m)^({key} = {{.*) }}$", rf"\g<1>{mark} }}", B_READY, count=1) + MORE + app("both")


@pytest.mark.parametrize("status", ["lost", "destroyed"])
@pytest.mark.parametrize("since", ["", "2026-11-01"])
def test_a_key_that_the_policy_marks_as_gone_is_not_served(desk: Desk, status: str, since: str) -> None:
    """What the policy says is as good as the event."""
    served = desk.ask(marked("a", status, since))
    assert (row(served).verdict, row(served).reason) == (BREAKS, Reason.NOT_SERVED)
    assert verdicts(desk.ask(marked("a", status, since), "renew:api:same-key")) == {"both": BREAKS}
    assert verdicts(desk.ask(marked("a", status, since), "serve:api:b")) == {"both": OK}
    assert row(desk.ask(marked("b", status, since), "serve:api:b")).reason is Reason.NOT_SERVED
    assert verdicts(desk.ask(marked("b", status, since))) == {"both": OK}


def test_a_key_is_gone_from_the_day_the_policy_says(desk: Desk) -> None:
    text = marked("a", "destroyed", "2026-12-01")
    assert verdicts(desk.ask(text, at="2026-11-30T23:59:59Z")) == {"both": OK}
    assert verdicts(desk.ask(text, at="2026-12-01")) == {"both": BREAKS}
    days = desk.ask(text, "key-loss:b", until="2026-12-02")
    assert days.first_break is not None
    assert days.first_break.at == instant("2026-12-01")
    assert [day.totals["broken"].high for day in days.days][-3:] == [0, 1000, 1000]


def test_a_key_that_the_policy_marks_as_stolen_is_held_by_an_attacker(desk: Desk) -> None:
    for since in ("", "2026-11-01"):
        found = row(desk.ask(marked("a", "compromised", since)))
        assert (found.verdict, found.attacker_reason) == (EXPOSED, Reason.KEY_STOLEN)
        assert verdicts(desk.ask(marked("a", "compromised", since), "serve:api:b")) == {"both": EXPOSED}
    later = marked("a", "compromised", "2026-12-01")
    assert verdicts(desk.ask(later, at="2026-11-30")) == {"both": OK}
    assert verdicts(desk.ask(later, at="2026-12-01")) == {"both": EXPOSED}
