"""What hosts move to, and what we ship, publish, force and destroy."""

from __future__ import annotations

import pytest

from rotator.errors import UsageError
from rotator.model.verdicts import Reason, Verdict
from rotator.report.simulation import headlines, to_json
from rotator.simulate.scene import version_key
from tests.desk import BASE, Desk, app, key_lines, row, verdicts

OK, UNPINNED, BREAKS, EXPOSED = Verdict.OK, Verdict.UNPINNED, Verdict.BREAKS, Verdict.EXPOSED
PINS = """\
[pinsets.top]
authorities = ["root"]
[pinsets.mid]
authorities = ["ica"]
[pinsets.q]
primary = "b"
backups = ["a"]
[pinsets.only-b]
primary = "b"
"""
#: Another intermediate of the same root that is known by its key, and one of the other root with its certificate.
ICAS = BASE.replace(
    "[chains]",
    'other-ica = { certificate = "other-ica.pem" }\n' + key_lines(("ica-2",)) + "[chains]",
)
LEVELS = app("leaf") + app("top", pinset="top") + app("mid", pinset="mid")
POOL = ICAS.replace(
    'serves = "a-chain"\n', 'serves = "a-chain"\nissuer_pool = { ica = 0.8, ica-2 = 0.2 }\nrenew_days = 60\n'
)


def broken(desk: Desk, text: str, *events: str) -> set[str]:
    """Give the apps that some events break."""
    return {name for name, verdict in verdicts(desk.ask(text, *events)).items() if verdict.is_broken}


# --- other issuers ---------------------------------------------------------------------------------------------------


def test_another_intermediate_breaks_pins_on_the_old_one(desk: Desk) -> None:
    """Section 6: the leaf key and the root survive, the intermediate does not."""
    answer = desk.ask(ICAS + PINS + LEVELS, "intermediate-swap:api:ica-2")
    assert verdicts(answer) == {"leaf": OK, "top": OK, "mid": BREAKS}
    assert any("assumed: ica-2 is signed by root" in note for note in answer.notes)
    assert any("the key is taken to stay" in note for note in answer.notes)


def test_another_intermediate_of_another_root_breaks_pins_on_the_root_too(desk: Desk) -> None:
    assert broken(desk, ICAS + PINS + LEVELS, "intermediate-swap:api:other-ica") == {"top", "mid"}


def test_a_swap_to_todays_issuer_breaks_nobody_and_a_new_key_whoever_pins_the_old(desk: Desk) -> None:
    assert broken(desk, ICAS + PINS + LEVELS, "intermediate-swap:api:ica") == set()
    fresh = ICAS.replace('serves = "a-chain"\n', 'serves = "a-chain"\nrenew_key = "new"\n')
    assert broken(desk, fresh + PINS + LEVELS, "intermediate-swap:api:ica") == {"leaf"}


def test_a_pool_gives_the_probability_per_renewal_and_over_a_year(desk: Desk) -> None:
    answer = desk.ask(POOL + PINS + LEVELS, "intermediate-swap:api:ica-2")
    odds = {o.connection.cohort.app: o for o in answer.odds}
    assert (odds["leaf"].per_renewal, odds["top"].per_renewal) == (0, 0)
    assert odds["mid"].per_renewal == pytest.approx(0.2)
    assert odds["mid"].renewals == 6
    assert odds["mid"].per_year == pytest.approx(1 - 0.8**6)
    assert odds["mid"].by == ("ica-2",)
    assert answer.odds[0].connection.cohort.app == "mid"
    assert "with a probability of 20.0 %; within a year (6 renewals) 73.8 %" in " ".join(headlines(answer))
    rows = to_json(answer)["renewals"]
    assert rows[0]["app"] == "mid"
    assert any("with a probability of 20%; here it does" in note for note in answer.notes)


def test_without_a_stated_rhythm_the_life_of_the_certificate_gives_it(desk: Desk) -> None:
    answer = desk.ask(POOL.replace("renew_days = 60\n", "") + PINS + LEVELS, "renew:api:same-key")
    assert answer.odds[0].renewals == 1  # the minted certificate lives for a year


def test_a_renewal_from_a_pool_counts_the_worst_and_says_that_nobody_knows(desk: Desk) -> None:
    answer = desk.ask(POOL + PINS + LEVELS, "renew:api:same-key")
    assert verdicts(answer) == {"leaf": OK, "top": OK, "mid": BREAKS}
    assert row(answer, "mid").unsure
    assert not row(answer, "leaf").unsure
    assert (answer.impact.broken.low, answer.impact.broken.high) == (0, 1000)
    certain = desk.ask(POOL.replace("{ ica = 0.8, ica-2 = 0.2 }", '["ica-2"]') + PINS + LEVELS, "renew:api:same-key")
    assert not row(certain, "mid").unsure
    assert certain.odds[0].per_year == 1


def test_renewals_from_a_pool_do_not_multiply_what_is_served(desk: Desk) -> None:
    """Each time one of the pool signs, whichever signed before."""
    rows = "".join(f'[[calendar]]\ndate = 2026-11-{day:02d}\nevent = "renew:api:same-key"\n' for day in range(1, 23))
    answer = desk.ask(POOL + PINS + LEVELS + rows)
    assert len(answer.impact.world.served["api"]) == 2
    assert verdicts(answer) == {"leaf": OK, "top": OK, "mid": BREAKS}


def test_without_a_pool_there_are_no_odds(desk: Desk) -> None:
    assert desk.ask(BASE + LEVELS.replace('"mid"', '"p"').replace('"top"', '"p"'), "renew:api").odds == ()


# --- key types -------------------------------------------------------------------------------------------------------

RSA = BASE.replace('roots = ["root", "other-root"]', 'roots = ["root", "other-root"], key_types = ["ec"]')


def test_another_key_type_breaks_clients_that_cannot_handle_it(desk: Desk) -> None:
    answer = desk.ask(RSA + PINS + app("top", pinset="top"), "algorithm-change:api:rsa-2048")
    assert (row(answer).verdict, row(answer).reason) == (BREAKS, Reason.KEY_TYPE_UNSUPPORTED)
    assert broken(desk, BASE + PINS + app("top", pinset="top"), "algorithm-change:api:rsa-2048") == set()


def test_trustkit_refuses_key_types_that_it_cannot_rebuild(desk: Desk) -> None:
    text = BASE + '[pinsets.two]\nauthorities = ["ica", "other-root"]\n' + app("tk", "trustkit-ios", pinset="two")
    assert row(desk.ask(text, "algorithm-change:api:ec-p521")).verdict is OK  # it finds the intermediate first
    leaf = BASE + app("tk", "trustkit-ios")
    assert row(desk.ask(leaf, "algorithm-change:api:ec-p521")).reason is Reason.KEY_TYPE_UNSUPPORTED


def test_a_key_of_that_type_held_ready_is_served(desk: Desk) -> None:
    answer = desk.ask(BASE + app("leaf"), "algorithm-change:api:ec-p256")
    assert verdicts(answer) == {"leaf": OK}
    assert any("held ready" in note for note in answer.notes)
    fresh = desk.ask(BASE + app("leaf"), "algorithm-change:api:rsa-2048")
    assert row(fresh).reason is Reason.PIN_MISMATCH


def test_nobody_knows_who_handles_a_key_type_that_few_do(desk: Desk) -> None:
    answer = desk.ask(BASE + PINS + app("top", pinset="top"), "algorithm-change:api:ml-dsa-65")
    assert (row(answer).verdict, row(answer).unsure) == (BREAKS, True)
    listed = BASE.replace('roots = ["root", "other-root"]', 'roots = ["root"], key_types = ["ec", "ml-dsa-65"]')
    assert not desk.ask(listed + PINS + app("top", pinset="top"), "algorithm-change:api:ml-dsa-65").impact.broken.high


# --- pins that go out ------------------------------------------------------------------------------------------------


def test_a_wrong_pin_breaks_whoever_enforces_the_pinset(desk: Desk) -> None:
    lax = PINS + '[pinsets.lax]\nprimary = "a"\nbackups = ["b"]\nmode = "report-only"\n'
    text = BASE + lax + app("shop") + app("other", pinset="q") + app("lax", "trustkit-ios", pinset="lax")
    answer = desk.ask(text, "wrong-pin:p")
    assert verdicts(answer) == {"shop": BREAKS, "other": OK, "lax": UNPINNED}
    assert row(answer, "shop").reason is Reason.PIN_MISMATCH
    assert verdicts(desk.ask(text, "wrong-pin:lax"))["lax"] is UNPINNED


def test_a_wrong_pin_begins_when_it_goes_out_and_ends_with_the_pins(desk: Desk) -> None:
    text = BASE.replace('backups = ["b"]', 'backups = ["b"]\nexpires = 2027-03-01') + app("shop", "android-nsc")
    found = [desk.ask(text, "wrong-pin:p@2026-12-01", at=at) for at in ("2026-11-30", "2026-12-01", "2027-03-02")]
    assert [row(answer).verdict for answer in found] == [OK, BREAKS, UNPINNED]


def test_a_wrong_pin_of_a_certificate_or_a_name_is_wrong_too(desk: Desk) -> None:
    text = BASE + '[pinsets.cert]\ncertificates = ["a-chain"]\n' + app("w", "wultra", pinset="cert")
    assert row(desk.ask(text)).verdict in (OK, BREAKS)
    assert row(desk.ask(text, "wrong-pin:cert")).verdict is BREAKS


RELEASES = BASE + PINS + '[apps.shop]\nmechanism = "okhttp"\ntrust = "ours"\npinset = "p"\nreleases = [\n'
ONE = '  { version = "1.0", released = 2026-01-01, clients = 100 },\n'


def test_a_release_that_ships_is_there_from_its_day_with_nobody_on_it(desk: Desk) -> None:
    text = RELEASES + ONE + "]\n"
    before = desk.ask(text, "ship:shop:2.0:only-b@2026-12-01", at="2026-11-30")
    assert verdicts(before) == {"shop 1.0": OK}
    after = desk.ask(text, "ship:shop:2.0:only-b@2026-12-01", at="2026-12-01")
    assert verdicts(after) == {"shop 1.0": OK, "shop 2.0": BREAKS}
    assert after.impact.broken.high == 0
    assert any("nobody runs shop 2.0 yet" in note for note in after.notes)


def test_a_release_to_come_ships_what_the_action_says(desk: Desk) -> None:
    text = RELEASES + ONE + '  { version = "2.0", released = 2026-12-05, pinset = "p" },\n]\n'
    assert verdicts(desk.ask(text, "ship:shop:2.0:only-b"))["shop 2.0"] is BREAKS


def test_what_has_shipped_does_not_ship_again(desk: Desk) -> None:
    with pytest.raises(UsageError, match="cannot be changed"):
        desk.ask(RELEASES + ONE + "]\n", "ship:shop:1.0:only-b")


def test_an_app_without_releases_ships_one_beside_what_it_runs(desk: Desk) -> None:
    answer = desk.ask(BASE + PINS + app("job"), "ship:job:2:only-b")
    assert verdicts(answer) == {"job": OK, "job 2": BREAKS}
    assert answer.fleet.population is not None
    assert answer.fleet.population.high == 1000


LIVE = (
    BASE
    + PINS
    + '[pinsets.live]\nprimary = "a"\ndelivery = "live"\n'
    + '[pinsets.live-2]\nprimary = "b"\ndelivery = "live"\nrefresh_days = 2\noffline_share = 0.03\n'
    + app("taker", pinset="live")
    + app("fixed")
)


def test_live_pins_reach_everybody_after_their_refresh_and_until_then_the_worse_counts(desk: Desk) -> None:
    event = "publish:taker:live-2@2026-12-01"
    found = {}
    for at in ("2026-11-30", "2026-12-01", "2026-12-02T23:59:59Z", "2026-12-03"):
        answer = desk.ask(LIVE, event, at=at)
        (reached,) = [r for r in answer.impact.rows if r.connection.cohort.app == "taker" and not r.connection.note]
        found[at] = (reached.verdict, reached.unsure)
    assert list(found.values()) == [(OK, False), (BREAKS, True), (BREAKS, True), (BREAKS, False)]


def test_live_pins_do_not_reach_those_who_are_offline(desk: Desk) -> None:
    answer = desk.ask(LIVE, "publish:taker:live-2@2026-12-01", "serve:api:b@2026-12-01", at="2026-12-10")
    assert verdicts(answer)["taker"] is OK
    assert verdicts(answer)["taker (not reached by live pins)"] is BREAKS
    assert answer.impact.broken.high == 30
    assert verdicts(answer)["fixed"] is OK


def test_publishing_to_an_app_that_takes_no_live_pins_changes_nothing_and_says_so(desk: Desk) -> None:
    answer = desk.ask(LIVE, "publish:fixed:live-2")
    assert verdicts(answer)["fixed"] is OK
    assert any("takes live pins" in note for note in answer.notes)


def test_without_at_the_answer_is_for_when_live_pins_are_there(desk: Desk) -> None:
    assert desk.ask(LIVE, "publish:taker:live-2").impact.at.isoformat() == "2026-11-25T09:00:00+00:00"


def test_publishing_twice_leaves_the_latest(desk: Desk) -> None:
    events = ("publish:taker:live-2@2026-12-01", "publish:taker:live@2026-12-02")
    (found,) = [
        r
        for r in desk.ask(LIVE, *events, at="2026-12-20").impact.rows
        if r.connection.cohort.app == "taker" and not r.connection.note
    ]
    assert (found.verdict, found.unsure) == (OK, False)


def test_a_floor_cuts_off_who_does_not_update(desk: Desk) -> None:
    text = RELEASES + ONE + '  { version = "1.10", released = 2026-06-01, clients = 50 },\n]\n'
    answer = desk.ask(text, "floor:shop:1.2")
    assert verdicts(answer) == {"shop 1.0": BREAKS, "shop 1.10": OK}
    cut = next(r for r in answer.impact.rows if r.verdict is BREAKS)
    assert (cut.reason, cut.unsure) == (Reason.FORCED_OUT, True)
    assert (answer.impact.broken.low, answer.impact.broken.high) == (0, 100)


def test_a_floor_ends_no_exposure_of_who_stays(desk: Desk) -> None:
    text = RELEASES + ONE + "]\n"
    answer = desk.ask(text, "floor:shop:2.0", "key-compromise:a")
    assert next(iter(answer.impact.rows)).verdict is Verdict.LOST


@pytest.mark.parametrize(
    ("low", "high"), [("1.9", "1.10"), ("9", "10.0"), ("1.0", "1.0.1"), ("2.0-beta", "2.0.1"), ("1.0", "1.1")]
)
def test_versions_are_put_in_order_by_their_numbers(low: str, high: str) -> None:
    assert version_key(low) < version_key(high)


def test_a_destroyed_key_is_served_no_more_and_stays_stolen(desk: Desk) -> None:
    answer = desk.ask(BASE + app("shop"), "destroy:a")
    assert (row(answer).verdict, row(answer).reason) == (BREAKS, Reason.NOT_SERVED)
    assert any("destroyed while api serves it" in note for note in answer.notes)
    stolen = desk.ask(BASE + app("shop"), "key-compromise:a", "serve:api:b", "destroy:a")
    assert row(stolen).verdict is EXPOSED


# --- what is said first ----------------------------------------------------------------------------------------------


def test_the_first_line_says_that_revoked_is_not_stolen(desk: Desk) -> None:
    answer = desk.ask(BASE + app("shop"), "revoke:api", "renew:api:same-key")
    assert (
        headlines(answer)[0] == "Revoked is not stolen: with a sound key, reissue with the same key breaks no key pin."
    )
    assert row(answer).verdict is OK
    both = headlines(desk.ask(BASE + app("shop"), "revoke:api", "key-compromise:a"))
    assert not any("not stolen" in line for line in both)


def test_a_new_certificate_for_a_stolen_key_mends_nothing_and_is_called_out(desk: Desk) -> None:
    answer = desk.ask(BASE + app("shop"), "key-compromise:a", "renew:api:same-key", "revoke:a-chain?clock=0h")
    assert any("api has a new certificate for a, which is stolen" in line for line in headlines(answer))
    assert row(answer).verdict is EXPOSED
    for events in (("key-compromise:a", "serve:api:b"), ("renew:api:same-key@2026-11-01", "key-compromise:a")):
        assert not any("new certificate for" in line for line in headlines(desk.ask(BASE + app("shop"), *events)))


def test_a_renewal_with_the_stolen_key_lengthens_the_exposure(desk: Desk) -> None:
    """The old certificate ends on 2027-09-30, the one of 2027-09-01 a year later."""
    events = ("key-compromise:a@2026-12-01", "renew:api:same-key@2027-09-01", "serve:api:b@2027-09-02")
    assert row(desk.ask(BASE + app("shop"), *events, at="2028-08-01")).attacker_reason is Reason.KEY_STOLEN
    without = (events[0], "serve:api:b@2027-09-02")
    assert not row(desk.ask(BASE + app("shop"), *without, at="2028-08-01")).verdict.is_exposed


def test_the_answer_says_when_the_last_certificate_for_a_stolen_key_ends(desk: Desk) -> None:
    said = " ".join(headlines(desk.ask(BASE + app("shop"), "key-compromise:a")))
    assert "or the end of its certificates (the last on 2027-09-30)" in said
    renewed = " ".join(headlines(desk.ask(BASE + app("shop"), "key-compromise:a", "renew:api:same-key")))
    assert "(the last on 2027-11-22)" in renewed


def test_live_pins_that_are_published_end_when_they_say(desk: Desk) -> None:
    ending = LIVE.replace("refresh_days = 2\n", "refresh_days = 2\nexpires = 2027-01-10\n").replace(
        '"okhttp"', '"android-nsc"'
    )
    answer = desk.ask(ending, "publish:taker:live-2@2026-12-01", at="2026-12-05", until="2027-01-20")
    unpinned = [day.totals["unpinned"].high for day in answer.days if day.day.date().isoformat() == "2027-01-15"]
    assert unpinned == [970]
