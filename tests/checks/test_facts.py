"""Dated facts of the world meet what a policy pins and serves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.files.facts import known_facts
from rotator.model.findings import Finding, Severity
from rotator.model.pki import Certificate
from tests.desk import Desk
from tests.minting import instant, intermediate, pin_text, root

#: DigiCert Global Root CA, of which a removal is known; GlobalSign Root R3, likewise. Public keys of public roots.
G1 = "sha256/r/mIkG3eEpVdm+u/ko/cwxzOMo1bk4TyHIlByibiA5E="
R3 = "sha256/cGuxAXyFXFkWm61cF4HPWX8S0srS9j0aSqN0k4AP+4A="
ICA = pin_text("an issuing CA")


def policy(
    *,
    ica: str = "",
    root: str = 'bundled = "ISRG Root X1"',
    pins: str = 'authorities = ["top"]',
    host: str = "",
    mechanism: str = "okhttp",
    begin: str = "2026-11-01",
    more: str = "",
) -> str:
    """Write a policy of one host served under a planned chain, and one app that pins some of it."""
    return (
        f'schema = 1\nmeasured = 2026-11-20\n[keys]\na = {{ spki = "{pin_text("a")}" }}\n'
        f'b = {{ spki = "{pin_text("b")}" }}\n[authorities]\ntop = {{ {root} }}\n'
        f'ica = {{ spki = "{ICA}", issued_by = ["top"]{ica} }}\n[chains]\n'
        f'now = {{ leaf = "a", issuers = ["ica", "top"], not_before = {begin}, lifetime_days = 90 }}\n'
        f'[hosts.api]\nnames = ["api.example.com"]\nserves = "now"\n{host}\n[pinsets.p]\n{pins}\n'
        f'[apps.shop]\nmechanism = "{mechanism}"\npinset = "p"\nclients = 1000\n{more}'
    )


def found(desk: Desk, text: str, finding: str, at: str = "2026-11-23T09:00:00") -> list[Finding]:
    return [f for f in desk.check(text, instant(at)).findings if f.id == finding]


# --- roots that leave -------------------------------------------------------------------------------------------------


def test_a_pin_on_a_root_that_leaves_is_told_with_its_day(desk: Desk) -> None:
    (told,) = found(desk, policy(root=f'spki = "{R3}"', more='trust = "own"\n[trust.own]\nroots = ["top"]\n'), LEAVES)
    assert told.subject == "authorities.top"
    assert "top leaves Mozilla's store on 2027-04-15: pinned by shop" in told.message
    assert "1,000 clients" in told.message
    assert told.severity is Severity.WARNING
    assert told.due is not None
    assert told.due.isoformat() == "2027-04-15"
    assert told.source


LEAVES = "root-leaves-store"


def test_a_root_that_has_left_is_told_without_a_day_ahead(desk: Desk) -> None:
    text = policy(root=f'spki = "{G1}"', more='trust = "own"\n[trust.own]\nroots = ["top"]\n')
    (told,) = found(desk, text, LEAVES)
    assert "top left Mozilla's store on 2026-04-15" in told.message
    assert told.due is None
    (before,) = found(desk, text, LEAVES, "2026-04-08T00:00:00")
    assert "leaves Mozilla's store" in before.message


def test_a_root_known_only_by_the_age_of_its_certificate_says_that_this_is_assumed(desk: Desk) -> None:
    """ISRG Root X1 began on 2015-06-04, so its key is taken to leave fifteen years later."""
    (told,) = found(desk, policy(begin="2029-12-01"), LEAVES, "2029-12-20T00:00:00")
    assert "on 2030-06-04, by the age of its key, which is assumed to be as old as its certificate" in told.message
    assert "the root of what api serves to 1,000 clients" in told.message
    assert told.severity is Severity.WARNING
    (near,) = found(desk, policy(begin="2030-04-01"), LEAVES, "2030-05-01T00:00:00")
    assert near.severity is Severity.ERROR


def test_clients_with_a_store_of_their_own_do_not_follow_mozilla(desk: Desk) -> None:
    text = policy(begin="2029-12-01", pins='primary = "a"', more='trust = "own"\n[trust.own]\n')
    assert found(desk, text + 'roots = ["top"]\n', LEAVES, "2029-12-20T00:00:00") == []
    assert found(desk, text + 'os = ["34"]\n', LEAVES, "2029-12-20T00:00:00")


def test_what_lies_beyond_the_horizon_is_not_told(desk: Desk) -> None:
    assert found(desk, policy(), LEAVES) == []
    assert found(desk, policy().replace("[keys]", "[limits]\nhorizon_days = 3000\n[keys]"), LEAVES)


def test_a_private_root_has_no_age_that_matters(desk: Desk) -> None:
    text = policy(root=f'spki = "{pin_text("ours")}"', more='trust = "own"\n[trust.own]\nlocal_roots = ["top"]\n')
    assert found(desk, text, LEAVES) == []


def test_the_calendar_carries_the_fact_its_source_and_how_sure_it_is(desk: Desk) -> None:
    text = policy(root=f'spki = "{R3}"', more='trust = "own"\n[trust.own]\nroots = ["top"]\n')
    rows = {item.fact: item.to_json() for item in desk.check(text).calendar if item.fact}
    assert rows["globalsign-r3"]["date"] == "2027-04-15"
    assert rows["globalsign-r3"]["what"] == "top leaves Mozilla's store"
    assert rows["globalsign-r3"]["certainty"] == "stated"
    assert "globalsign" in rows["globalsign-r3"]["source"]
    assert rows["validity-100"]["subject"] == "hosts.api"
    assumed = [i for i in desk.check(policy(begin="2029-12-01"), instant("2029-12-20")).calendar if i.fact]
    assert [i.text for i in assumed if str(i.certainty) == "assumed"] == ["top leaves Mozilla's store (assumed)"]


def test_a_private_ca_has_no_facts_of_the_world(desk: Desk) -> None:
    text = policy(root=f'spki = "{pin_text("ours")}"', more='trust = "own"\n[trust.own]\nlocal_roots = ["top"]\n')
    assert [item for item in desk.check(text).calendar if item.fact] == []


# --- CAs that move or are distrusted ----------------------------------------------------------------------------------


def encrypt(**more: str) -> str:
    return policy(ica=', holder = "Let\'s Encrypt"', pins='authorities = ["ica"]', **more)


def test_a_pinned_ca_that_is_about_to_move_is_told(desk: Desk) -> None:
    (told,) = found(desk, encrypt(begin="2026-03-01"), "ca-switches", "2026-04-01T00:00:00")
    assert told.subject == "authorities.ica"
    assert "2026-05-13: Let's Encrypt's classic profile moves to Generation Y" in told.message
    assert "ica is pinned by shop" in told.message


def test_after_the_move_what_was_issued_before_still_has_a_renewal_ahead(desk: Desk) -> None:
    (told,) = found(desk, encrypt(begin="2026-05-01"), "ca-switches", "2026-06-01T00:00:00")
    assert "api still serves a certificate from before" in told.message
    assert found(desk, encrypt(begin="2026-06-01"), "ca-switches", "2026-06-20T00:00:00") == []


def test_a_move_of_another_ca_and_a_key_it_moves_to_are_nothing(desk: Desk) -> None:
    assert found(desk, policy(pins='authorities = ["ica"]', begin="2026-03-01"), "ca-switches", "2026-04-01") == []
    yr = "sha256/fk6IOKit1ild5647BH06ujSIq5XbCgqlbYl6ANhhi88="
    text = encrypt(begin="2026-03-01").replace(ICA, yr)
    assert found(desk, text, "ca-switches", "2026-04-01") == []


@pytest.mark.parametrize(
    ("subject", "above", "told"),
    [
        ("CN=YE1,O=Let's Encrypt,C=US", "CN=Root YE,O=ISRG,C=US", False),
        ("CN=YE9,O=Let's Encrypt,C=US", "CN=ISRG Root YE,O=ISRG,C=US", False),
        ("CN=YR2,O=Let's Encrypt,C=US", "CN=somebody,O=ISRG,C=US", False),
        ("CN=E7,O=Let's Encrypt,C=US", "CN=ISRG Root X2,O=Internet Security Research Group,C=US", True),
        ("CN=Root YE 2,O=Let's Encrypt,C=US", "CN=My Root YE,O=ISRG,C=US", True),
    ],
)
def test_an_intermediate_of_the_new_kind_is_not_called_old(subject: str, above: str, told: bool) -> None:  # noqa: FBT001
    """More of them exist than the fact lists: the name of the one above tells, where its key is not at hand."""
    (fact,) = (fact for fact in known_facts() if fact.id == "letsencrypt-gen-y")
    certificate = Certificate(
        sha256=b"x", spki=b"k", subject=subject, issuer=above, subject_id=b"s", issuer_id=b"i", ca=True
    )
    assert fact.brings(certificate) is not told
    assert fact.brings(replace(certificate, signer=next(iter(fact.keys.values()))))


def test_a_pinned_intermediate_of_the_new_kind_gives_no_finding(desk: Desk) -> None:
    """Found by name: the file of the intermediate came without its issuer."""
    for name, above, told in (("YE1", "ISRG Root YE", 0), ("E7", "ISRG Root X2", 1)):
        desk.file("ica.pem", intermediate(name, root(above)).pem)
        text = encrypt(begin="2026-03-01").replace(f'spki = "{ICA}", issued_by = ["top"]', 'certificate = "ica.pem"')
        assert len(found(desk, text, "ca-switches", "2026-04-01")) == told


def entrust(**more: str) -> str:
    return policy(ica=', holder = "Entrust"', pins='primary = "a"\nauthorities = ["ica"]', **more)


def test_a_distrusted_ca_is_told_before_and_after_its_day(desk: Desk) -> None:
    before = found(desk, entrust(begin="2024-10-01"), "ca-distrusted", "2024-11-04T00:00:00")
    assert [f.severity for f in before] == [Severity.WARNING] * 2
    assert all("api can be renewed with another CA only" in f.message for f in before)
    after = found(desk, entrust(begin="2024-12-10"), "ca-distrusted", "2024-12-20T00:00:00")
    assert [f.severity for f in after] == [Severity.ERROR] * 2
    assert all("serves a certificate issued after it" in f.message for f in after)


def test_a_pin_that_nothing_uses_any_more_is_told_too(desk: Desk) -> None:
    other = f'old = {{ spki = "{pin_text("old")}", holder = "StartCom" }}\n[chains]'
    text = policy(pins='primary = "a"\nauthorities = ["old"]').replace("[chains]", other)
    (told,) = found(desk, text, "ca-distrusted")
    assert "no new certificate can make use of the pin" in told.message
    assert "(unverified)" in told.message


# --- certificates that last less --------------------------------------------------------------------------------------

WHOLE = 'certificates = ["now"]'
SHRINKS = "validity-shrinks"


def whole(**more: str) -> str:
    return policy(pins=WHOLE, mechanism="urllib3", **more)


def test_a_whole_certificate_breaks_more_and_more_often(desk: Desk) -> None:
    text = whole().replace("lifetime_days = 90", "lifetime_days = 198")
    (told,) = found(desk, text, SHRINKS)
    assert (
        "every 198 days at the latest now, from 2027-03-15 every 100 days, from 2029-03-15 every 47 days"
        in told.message
    )
    assert "8 times a year" in told.message
    assert "1,000 clients" in told.message
    assert told.due is not None
    assert told.due.isoformat() == "2027-03-15"


def test_a_step_that_does_not_shorten_anything_is_left_out(desk: Desk) -> None:
    (told,) = found(desk, whole(), SHRINKS)
    assert "2027-03-15" not in told.message
    assert "from 2029-03-15 every 47 days" in told.message


def test_a_check_of_an_earlier_day_does_not_know_what_was_announced_later(desk: Desk) -> None:
    text = whole(begin="2024-11-01").replace("lifetime_days = 90", "lifetime_days = 390")
    assert found(desk, text, SHRINKS, "2025-04-10T00:00:00") == []
    assert found(desk, text, SHRINKS, "2025-04-11T00:00:00")


def test_the_steps_of_the_own_ca_come_in(desk: Desk) -> None:
    text = whole(ica=', holder = "Let\'s Encrypt"')
    (told,) = found(desk, text, SHRINKS)
    assert "from 2027-02-10 every 64 days" in told.message


def test_a_new_key_at_each_renewal_is_the_same_trouble(desk: Desk) -> None:
    new = policy(pins='primary = "a"\nbackups = ["b"]', host='renew_key = "new"')
    (told,) = found(desk, new, SHRINKS)
    assert "each renewal brings a new key" in told.message
    assert found(desk, new.replace('"new"', '"same"'), SHRINKS) == []
    with_root = policy(pins='primary = "a"\nauthorities = ["top"]', host='renew_key = "new"')
    assert found(desk, with_root, SHRINKS) == []


def test_a_leaf_and_a_ca_together_mind_a_new_key(desk: Desk) -> None:
    pins = 'primary = "a"\nbackups = "b"\nauthorities = ["top"]\ncombine = "leaf-and-ca"'
    assert found(desk, policy(pins=pins, host='renew_key = "new"', mechanism="apple-ats"), SHRINKS)


def test_a_chain_without_dates_says_nothing_of_today(desk: Desk) -> None:
    text = whole().replace(", not_before = 2026-11-01, lifetime_days = 90", "")
    (told,) = found(desk, text, SHRINKS)
    assert "a renewal breaks them: from 2027-03-15 every 100 days" in told.message


def test_an_intranet_and_a_private_ca_keep_their_own_rules(desk: Desk) -> None:
    assert found(desk, whole(host='audience = "intranet"'), SHRINKS) == []
    private = whole(root=f'spki = "{pin_text("ours")}"', more='trust = "own"\n[trust.own]\nlocal_roots = ["top"]\n')
    assert found(desk, private, SHRINKS) == []
