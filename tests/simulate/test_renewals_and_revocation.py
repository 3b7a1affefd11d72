"""Renewals, CA changes, revocation with its clock, and ends."""

from __future__ import annotations

import pytest

from rotator.errors import InputError
from rotator.model.policy import TimelineRow
from rotator.model.verdicts import Reason, Verdict
from rotator.simulate.explain import why
from rotator.simulate.question import Question, ask
from rotator.simulate.timeline import from_row
from tests.desk import BASE, NOW, Desk, app, row, verdicts
from tests.minting import chain_pem, intermediate, mint, root

OK, BREAKS, EXPOSED = Verdict.OK, Verdict.BREAKS, Verdict.EXPOSED
CHAINS = """\
[chains.a-by-other]
file = "a-by-other.pem"
[chains.a-renewed]
file = "a-renewed.pem"
[mechanisms.exact]
like = "curl"
object = "cert-sha256"
[mechanisms.checking]
like = "okhttp"
revocation = "hard"
[pinsets.cert]
certificates = ["a-chain"]
[pinsets.mid]
authorities = ["ica"]
[pinsets.top]
authorities = ["root"]
[pinsets.wide]
primary = "a"
authorities = ["ica"]
"""
TEXT = (
    BASE
    + CHAINS
    + app("key")
    + app("cert", "exact", pinset="cert")
    + app("mid", pinset="mid")
    + app("top", pinset="top")
    + app("wide", pinset="wide")
)
ALL = ("key", "cert", "mid", "top", "wide")


def broken(verdict: dict[str, Verdict]) -> set[str]:
    """Give the apps that break."""
    assert set(verdict.values()) <= {OK, BREAKS}
    return {name for name, found in verdict.items() if found is BREAKS}


@pytest.mark.parametrize(
    ("event", "breaks"),
    [
        ("renew:api:same-key", {"cert"}),
        ("renew:api:new-key", {"key", "cert"}),
        ("renew:api", {"key", "cert"}),
        ("serve:api:a-renewed", {"cert"}),
        ("ca-change:api:a-by-other", {"cert", "mid", "top"}),
        ("serve:api:b", {"cert"}),
    ],
)
def test_the_table_of_section_6_played(desk: Desk, event: str, breaks: set[str]) -> None:
    assert broken(verdicts(desk.ask(TEXT, event))) == breaks


def test_the_policy_says_whether_a_renewal_keeps_the_key(desk: Desk) -> None:
    kept = TEXT.replace('serves = "a-chain"\n', 'serves = "a-chain"\nrenew_key = "same"\n')
    answer = desk.ask(kept, "renew:api")
    assert broken(verdicts(answer)) == {"cert"}
    assert not any("renew_key" in note for note in answer.notes)
    assert any("renew_key of api is not stated" in note for note in desk.ask(TEXT, "renew:api").notes)


def test_worked_example_5_reissue_with_the_same_key(desk: Desk) -> None:
    """Nobody who pins keys breaks, everybody who pins the certificate, intermediates only if the issuer differs."""
    same = desk.ask(TEXT, "revoke:api?clock=0h", "renew:api:same-key")
    assert broken(verdicts(same)) == {"cert"}
    moved = desk.ask(TEXT, "revoke:api?clock=0h", "serve:api:a-by-other")
    assert broken(verdicts(moved)) == {"cert", "mid", "top"}


CHECKING = BASE + CHAINS + app("checks", "checking") + app("blind") + app("ios", "apple-ats")


def test_a_revocation_is_out_at_the_end_of_its_clock(desk: Desk) -> None:
    event = "revoke:api@2026-12-01"
    before = desk.ask(CHECKING, event, at="2026-12-01T23:59:59Z")
    assert verdicts(before) == {"checks": OK, "blind": OK, "ios": OK}
    after = desk.ask(CHECKING, event, at="2026-12-02")
    assert verdicts(after) == {"checks": BREAKS, "blind": OK, "ios": BREAKS}
    assert row(after, "checks").reason is Reason.REVOKED
    assert not row(after, "checks").unsure
    assert row(after, "ios").unsure
    longer = desk.ask(CHECKING, "revoke:api?clock=5d@2026-12-01", at="2026-12-05T23:59:59Z")
    assert verdicts(longer)["checks"] is OK


def test_without_at_the_answer_is_for_when_the_revocation_is_out(desk: Desk) -> None:
    """Asking what a revocation does must not be answered for the hours before it does anything."""
    answer = desk.ask(CHECKING, "revoke:api")
    assert verdicts(answer)["checks"] is BREAKS
    assert answer.impact.at.isoformat() == "2026-11-24T09:00:00+00:00"


def test_an_uncertain_refusal_counts_in_the_upper_number_only(desk: Desk) -> None:
    broken_total = desk.ask(CHECKING, "revoke:api@2026-12-01", at="2026-12-02").impact.broken
    assert (broken_total.low, broken_total.high) == (1000, 2000)


def test_a_revocation_is_of_what_was_served_when_it_was_announced(desk: Desk) -> None:
    """Reissued within the 24 hours, the new certificate is not revoked and the old one is."""
    answer = desk.ask(CHECKING, "revoke:api@2026-12-01", "renew:api:same-key@2026-12-01T06:00Z", at="2026-12-03")
    assert verdicts(answer) == {"checks": OK, "blind": OK, "ios": OK}
    mine = '[mechanisms.checking]\nlike = "okhttp"\nrevocation = "hard"\n'
    stolen = desk.ask(
        BASE + mine + app("checks", "checking") + app("blind") + app("ios", "apple-ats"),
        "revoke:api@2026-12-01",
        "serve:api:b@2026-12-01T06:00Z",
        "key-compromise:a@2026-12-01",
        at="2026-12-03",
    )
    assert verdicts(stolen) == {"checks": OK, "blind": EXPOSED, "ios": EXPOSED}


def test_reissuing_at_the_very_instant_of_the_announcement_is_in_time(desk: Desk) -> None:
    answer = desk.ask(CHECKING, "revoke:api@2026-12-01", "renew:api:same-key@2026-12-01", at="2026-12-03")
    assert verdicts(answer) == {"checks": OK, "blind": OK, "ios": OK}


def test_revoking_a_chain_by_name_is_of_that_chain(desk: Desk) -> None:
    answer = desk.ask(CHECKING, "revoke:a-renewed?clock=0h@2026-12-01")
    assert verdicts(answer)["checks"] is OK
    answer = desk.ask(CHECKING, "revoke:a-renewed?clock=0h@2026-12-01", "serve:api:a-renewed@2026-12-01")
    assert verdicts(answer)["checks"] is BREAKS


def test_our_own_revocation_is_out_at_once(desk: Desk) -> None:
    picture = desk.open(CHECKING)
    action = from_row(TimelineRow(date=NOW, action="revoke:a-chain"))
    answer = ask(picture, Question(occurrences=(action,), at=NOW))
    assert verdicts(answer)["checks"] is BREAKS


def test_revoked_is_not_stolen(desk: Desk) -> None:
    answer = desk.ask(CHECKING, "revoke:api?clock=0h")
    assert answer.impact.exposed.none


def test_a_chain_that_nobody_renewed_breaks_everybody(desk: Desk) -> None:
    answer = desk.ask(TEXT, "expire:a-chain")
    assert broken(verdicts(answer)) == set(ALL)
    assert {r.reason for r in answer.impact.rows} == {Reason.CHAIN_EXPIRED}
    assert broken(verdicts(desk.ask(TEXT, "expire:a-chain", "renew:api:same-key"))) == {"cert"}


def test_a_certificate_ends_by_itself(desk: Desk) -> None:
    assert broken(verdicts(desk.ask(TEXT, at="2027-09-30"))) == set()
    assert broken(verdicts(desk.ask(TEXT, at="2027-09-30T00:00:01Z"))) == set(ALL)
    assert broken(verdicts(desk.ask(TEXT, at="2026-09-30"))) == set(ALL)


@pytest.mark.parametrize("authority", ["ica", "root"])
def test_an_authority_that_ends_breaks_everybody_under_it(desk: Desk, authority: str) -> None:
    answer = desk.ask(TEXT, f"expire:{authority}")
    assert broken(verdicts(answer)) == set(ALL)
    moved = desk.ask(TEXT, f"expire:{authority}", "serve:api:a-by-other")
    assert broken(verdicts(moved)) == {"cert", "mid", "top"}


def test_a_root_that_ends_does_not_matter_to_stores_that_do_not_mind(desk: Desk) -> None:
    lenient = TEXT.replace(
        'roots = ["root", "other-root"] }', 'roots = ["root", "other-root"], accepts_expired_roots = true }'
    )
    assert broken(verdicts(desk.ask(lenient, "expire:root"))) == set()
    assert broken(verdicts(desk.ask(lenient, "expire:ica"))) == set(ALL)


CROSS = """\
[authorities.new]
certificate = ["other-root.pem", "cross.pem"]
[authorities.other-ica]
certificate = "other-ica.pem"
[chains.crossed]
leaf = "a"
issuers = ["other-ica", "new", "root"]
not_before = 2026-11-01
[hosts.x]
names = ["x.example.com"]
serves = "crossed"
[trust.old]
roots = ["root"]
[trust.both]
roots = ["root", "new"]
"""


def crossed(*apps: str) -> str:
    """Write a policy whose chain reaches the old root over a cross-sign."""
    base = BASE.replace('other-root = { certificate = "other-root.pem" }\n', "").replace(
        'roots = ["root", "other-root"]', 'roots = ["root"]'
    )
    return base + CROSS + "".join(apps)


def test_a_cross_sign_that_ends_breaks_only_who_needs_it(desk: Desk) -> None:
    uses = 'hosts = ["x"]'
    text = crossed(
        app("old", more=uses).replace('"ours"', '"old"'),
        app("both", more=uses).replace('"ours"', '"both"'),
    )
    assert set(verdicts(desk.ask(text)).values()) == {OK}
    answer = desk.ask(text, "expire:new/root")
    assert {r.connection.cohort.app: r.verdict for r in answer.impact.rows} == {"old": BREAKS, "both": OK}


def test_a_pin_on_the_old_root_breaks_where_the_new_one_is_trusted(desk: Desk) -> None:
    uses = 'hosts = ["x"]'
    pins = '[pinsets.old-root]\nauthorities = ["root"]\n[pinsets.new-root]\nauthorities = ["new"]\n'
    text = crossed(
        pins,
        app("a-old", more=uses, pinset="old-root").replace('"ours"', '"old"'),
        app("a-both", more=uses, pinset="old-root").replace('"ours"', '"both"'),
        app("b-old", more=uses, pinset="new-root").replace('"ours"', '"old"'),
        app("b-both", more=uses, pinset="new-root").replace('"ours"', '"both"'),
    )
    found = {r.connection.cohort.app: r.verdict for r in desk.ask(text).impact.rows}
    assert found == {"a-old": OK, "a-both": BREAKS, "b-old": OK, "b-both": OK}


def test_distrust_breaks_until_another_ca_is_served(desk: Desk) -> None:
    answer = desk.ask(TEXT, "ca-distrust:root")
    assert broken(verdicts(answer)) == set(ALL)
    assert {r.reason for r in answer.impact.rows} == {Reason.ROOT_DISTRUSTED}
    moved = desk.ask(TEXT, "ca-distrust:root", "ca-change:api:a-by-other")
    assert broken(verdicts(moved)) == {"cert", "mid", "top"}


def test_one_store_parts_with_an_authority_and_the_others_go_on(desk: Desk) -> None:
    """Each store on a day of its own; without names it is all of them."""
    stores = 'b = { roots = ["root"] }\nc = { roots = ["root"] }\n[pinsets.p]'
    text = BASE.replace("[pinsets.p]", stores) + app("shop").replace('"ours"', "{ ours = 0.4, b = 0.3, c = 0.3 }")
    events = ("ca-distrust:root?trust=b,c@2026-12-01", "ca-distrust:root?trust=ours@2026-12-03")

    def gone(at: str, *events: str) -> set[str]:
        rows = desk.ask(text, *events, at=at).impact.rows
        assert {r.reason for r in rows if r.verdict is BREAKS} <= {Reason.ROOT_DISTRUSTED}
        return {r.connection.cohort.trust for r in rows if r.verdict is BREAKS}

    assert gone("2026-11-30", *events) == set()
    assert gone("2026-12-02", *events) == {"b", "c"}
    assert gone("2026-12-04", *events) == gone("2026-12-04", "ca-distrust:root@2026-12-01") == {"ours", "b", "c"}
    assert gone("2026-12-04", "ca-distrust:root?trust=b@2026-12-01", "local-root:shop@2026-12-01") == {"b"}


def test_a_store_that_is_none_is_an_error(desk: Desk) -> None:
    with pytest.raises(InputError, match="no trust store has this name"):
        desk.ask(BASE + app("shop"), "ca-distrust:root?trust=ourz")
    with pytest.raises(InputError, match="not names of trust stores"):
        desk.ask(BASE + app("shop"), "ca-distrust:root?trust=")


@pytest.mark.parametrize("mechanism", ["android-nsc", "curl", "okhttp"])
def test_a_distrusted_root_with_a_cross_sign_of_another_is_in_doubt(desk: Desk, mechanism: str) -> None:
    """A client that only lost the root goes on over the cross-sign; one that refuses its key does not."""
    top = intermediate("root", root("other-root"), key_name="root")
    ica = intermediate("ica", root("root"))
    desk.file("crossed.pem", chain_pem(mint("a", ica, names=["api.example.com"]), ica, top))
    text = BASE.replace('file = "a.pem"', 'file = "crossed.pem"') + app("shop", mechanism)
    ours = desk.ask(text, "ca-distrust:root")
    assert (row(ours).verdict, row(ours).unsure) == (Verdict.BREAKS, True)
    assert "a client that refuses the key of a distrusted authority" in why(row(ours), ours.inventory)
    stolen = desk.ask(text, "ca-distrust:root", "key-compromise:a")
    assert (row(stolen).verdict, row(stolen).unsure) == (Verdict.LOST, True)
    plain = desk.ask(BASE + app("shop", mechanism), "ca-distrust:root")
    assert (row(plain).verdict, row(plain).unsure) == (Verdict.BREAKS, False)


def test_the_cleaner_of_okhttp_does_not_end_at_a_root_that_left_the_store(desk: Desk) -> None:
    mine, other = intermediate("ica", root("root")), intermediate("ica", root("other-root"))
    desk.file("two.pem", chain_pem(mint("a", mine, names=["api.example.com"]), other, mine))
    text = BASE.replace('file = "a.pem"', 'file = "two.pem"').replace(
        'primary = "a"\nbackups = ["b"]', 'authorities = ["other-root"]'
    )
    text += '[mechanisms.jvm]\nlike = "okhttp"\nbuilder = "okhttp"\n' + app("shop", "jvm")
    assert row(desk.ask(text)).verdict is OK
    assert row(desk.ask(text, "ca-distrust:other-root")).verdict is Verdict.BREAKS


def test_distrust_from_a_day_on_spares_certificates_issued_before(desk: Desk) -> None:
    """The served one began on 2026-10-01, the renewed one on 2026-11-01."""
    event = "ca-distrust:root?issued-after=2026-10-15@2026-11-24"
    assert broken(verdicts(desk.ask(TEXT, event))) == set()
    assert broken(verdicts(desk.ask(TEXT, event, "serve:api:a-renewed@2026-11-24"))) == set(ALL)
    assert broken(verdicts(desk.ask(TEXT, event, "renew:api:same-key@2026-11-24"))) == set(ALL)


@pytest.mark.parametrize(("issued", "gone"), [("2026-12-01T10:00:00Z", False), ("2026-12-02T00:00:00Z", True)])
def test_what_is_issued_on_the_day_itself_is_not_issued_after_it(desk: Desk, issued: str, *, gone: bool) -> None:
    events = (f"renew:api:same-key@{issued}", "ca-distrust:root?issued-after=2026-12-01@2026-12-05")
    renewed = broken(verdicts(desk.ask(TEXT, events[0])))
    assert broken(verdicts(desk.ask(TEXT, *events))) == (set(ALL) if gone else renewed)


def test_a_client_that_checks_no_path_does_not_notice_distrust_or_ends(desk: Desk) -> None:
    own = '[mechanisms.careless]\nlike = "curl"\nbase = "none"\n'
    text = BASE + own + app("job", "careless")
    for event in ("ca-distrust:root", "expire:a-chain", "expire:root", "revoke:api?clock=0h"):
        assert verdicts(desk.ask(text, event)) == {"job": OK}


def test_react_native_pins_of_a_certificate_hold_on_android_after_a_renewal_with_the_same_key(desk: Desk) -> None:
    """Android compares the anchor's key, iOS its bytes: some are refused after a renewal, all after another key."""
    text = BASE + CHAINS + '[chains.b]\nfile = "b.pem"\n' + app("rn", "rn-ssl-pinning", pinset="cert")
    same, renewed, other = (
        row(desk.ask(text.replace('serves = "a-chain"', f'serves = "{chain}"')))
        for chain in ("a-chain", "a-renewed", "b")
    )
    assert (same.verdict, same.unsure) == (OK, False)
    assert (renewed.verdict, renewed.unsure) == (BREAKS, True)
    assert (other.verdict, other.unsure) == (BREAKS, False)
