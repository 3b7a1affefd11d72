"""Plans on small policies: what is carried how, what is never planned, what is refused, and what is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.errors import UnsafePlanError, UsageError
from rotator.plan.values import Goal
from tests.desk import Desk
from tests.plan.planning import LIMITS, SWAP, app, day, plan, policy, server, step

SLOW = "{ never = 0.2, fast = 0.5, fast_days = 2, slow_days = 20 }"


def test_a_rotation_waits_until_enough_carry_the_key(desk: Desk) -> None:
    """One release on 2026-05-01, 203 days alone: the mix of `fast` is .75/.20/0 of .95, with .05 who never came.

    On the oldest listed version everybody is taken to be a fresh sample, .05 never. A budget of 5 % is their number,
    which is come near to and never reached: 8 % is reached when .95 - .75 e^(-t/2.5) - .20 e^(-t/25) = .92.
    """
    text = policy(app(), limits="break_budget = 0.08\nreview_days = 0\nsafety_days = 4\n")
    found = plan(desk, text)
    assert not found.never
    assert found.replayed == ()
    # .20 e^(-t/25) = .03, t = 25 ln(6.667) = 47.4 days: the 48th is the first whole day.
    assert step(found, "observe").planned == day("2027-01-07")
    assert step(found, "serve").planned == day("2027-01-11")
    assert step(found, "serve").binding.formula == "ready 2027-01-07 + 4 days of safety"
    # 1 day to deploy and 14 to roll back before the old pin goes.
    assert step(found, "drop").planned == day("2027-01-26")
    assert [s.number for s in found.steps] == list(range(1, len(found.steps) + 1))


def test_where_nobody_is_waited_for_no_days_of_safety_are_named(desk: Desk) -> None:
    """Who all carry the key today are served today: the formula says so, and every rule is said in a sentence."""
    text = policy(app(adoption='"deploy"'), limits="break_budget = 1\nreview_days = 0\nsafety_days = 4\n")
    own = step(plan(desk, text, Goal(to="c")), "serve")
    assert own.planned == own.earliest
    assert "of safety" not in own.binding.formula
    assert own.binding.formula.endswith("nobody has to be waited for")
    rule, whom, last = own.binding.said
    assert rule.startswith("I2: users broken by our steps stay inside the budget")
    assert whom.startswith("for ")
    assert last == own.binding.formula


def test_the_steps_of_a_plan_that_is_never_possible_name_no_day_that_is_none(desk: Desk) -> None:
    found = plan(desk, policy(app(), limits="break_budget = 0.01\nreview_days = 0\n"))
    assert found.never
    drop = step(found, "drop").binding
    assert "None" not in " ".join(drop.said)
    assert "no day for that yet" in drop.formula


def test_at_best_is_the_end_of_the_curve(desk: Desk) -> None:
    """80 % ever move: NEVER, at best 80 %, and no step on the servers has a day."""
    found = plan(desk, policy(app(adoption=SLOW)))
    assert found.never
    assert found.at_best == pytest.approx(0.8, abs=0.001)
    assert step(found, "serve").planned is None
    assert found.blocked is not None
    assert found.blocked.segment == "shop"
    assert found.blocked.left.high == pytest.approx(200, abs=1)


def test_the_formula_of_a_trust_store_is_said_for_it(desk: Desk) -> None:
    """The segment in the way is named with its own share, not its app's: nobody on `lone` knows the new issuer."""
    text = policy(
        app(
            releases='{ version = "1.0", released = 2026-05-01, '
            "clients = { ours = 600, lone = 400 }, trust = { ours = 0.6, lone = 0.4 } }",
            more="",
        ).replace('trust = "ours"', "trust = { ours = 0.6, lone = 0.4 }"),
        more='[chains.b-other]\nfile = "b-other.pem"\n[authorities.other]\ncertificate = "other-root.pem"\n',
    ).replace(
        '[trust]\nours = { roots = ["root"] }',
        '[trust]\nours = { roots = ["root", "other"] }\nlone = { roots = ["root"] }',
    )
    desk.file("b-other.pem", (desk.folder / "c.pem").read_bytes())
    found = plan(desk, text, Goal(chain="b-other"))
    assert found.never
    assert found.blocked is not None
    assert found.blocked.segment == "shop (lone)"
    assert "0.000" in step(found, "serve").binding.formula


def test_the_same_key_from_another_ca_is_a_way_out_and_why_they_refuse_is_told(desk: Desk) -> None:
    """Old devices hold one root: the chain of the new key ends at another, its second chain at theirs."""
    text = policy(
        app(
            releases='{ version = "1.0", released = 2026-05-01, '
            "clients = { ours = 600, lone = 400 }, trust = { ours = 0.6, lone = 0.4 } }",
            more="",
            adoption='"deploy"',
        ).replace('trust = "ours"', "trust = { ours = 0.6, lone = 0.4 }"),
        limits="break_budget = 0.08\nreview_days = 0\n",
        more='[authorities.other]\ncertificate = "other-root.pem"\n',
    ).replace(
        '[trust]\nours = { roots = ["root"] }',
        '[trust]\nours = { roots = ["root", "other"] }\nlone = { roots = ["root"] }',
    )
    planned = "not_before = 2026-11-01, lifetime_days = 300 }\n"
    text = text.replace(
        "[hosts.api]",
        f'b-first = {{ leaf = "b", issuers = ["other"], {planned}'
        f'b-second = {{ leaf = "b", issuers = ["ica", "root"], {planned}[hosts.api]',
    )
    found = plan(desk, text)
    assert found.never
    assert found.blocked is not None
    assert any("no path from b-first" in why and "(4" in why for why in found.blocked.why), found.blocked.why
    ways = {way.id: way for way in found.exits}
    assert ways["chain:b-second"].safe
    assert not {"floor", "bridge"} & set(ways), "no release gives them a root"
    taken = plan(desk, text, replace(SWAP, take=("chain:b-second",)))
    assert not taken.never
    assert taken.replayed == ()
    assert step(taken, "serve").subject == "api b-second"
    assert step(taken, "serve").planned == ways["chain:b-second"].done
    with pytest.raises(UsageError, match="no chain of the key"):
        plan(desk, text, replace(SWAP, take=("chain:a-chain",)))


# --- counts --------------------------------------------------------------------------------------------------------


def test_without_counts_nothing_is_called_safe(desk: Desk) -> None:
    found = plan(desk, policy(app(releases='{ version = "1.0", released = 2026-05-01 }')))
    assert found.never
    assert found.at_best is None
    assert any(text.startswith("unknown: cannot say safe") and "shop" in text for text in found.findings)
    assert "counts" in {e.id for e in found.exits}
    assert found.blocked is not None
    assert found.blocked.left.high is None


def test_a_policy_without_clients_is_always_safe(desk: Desk) -> None:
    found = plan(desk, policy(app(adoption=SLOW, releases='{ version = "1.0", released = 2026-05-01, clients = 0 }')))
    assert not found.never
    assert found.replayed == ()


def test_a_policy_without_apps_is_safe(desk: Desk) -> None:
    found = plan(desk, policy(), Goal(to="b", from_="a", hosts=("api",)))
    assert not found.never


def test_a_tiny_segment_is_named_and_does_not_hold_the_plan_up(desk: Desk) -> None:
    """2,000,000 phones and 30 ledger machines, of which all break: below the noise floor of the fleet."""
    phones = app(adoption='"deploy"', releases='{ version = "1.0", released = 2026-05-01, clients = 2_000_000 }')
    ledger = server("ledger", "aiohttp", pinset="whole", clients="clients = 30")
    found = plan(desk, policy(phones, ledger, pinsets='[pinsets.whole]\ncertificates = "a-chain"\n'))
    assert not found.never
    assert any(text.startswith("small-segment: 30 of ledger") for text in found.findings)


# --- deadlines -----------------------------------------------------------------------------------------------------


def test_a_day_beyond_a_natural_deadline_is_said_to_be_late(desk: Desk) -> None:
    limits = f"{LIMITS}key_max_days = 40\n"
    found = plan(desk, policy(app(adoption='"deploy"'), limits=limits), replace(SWAP, from_="a"))
    assert not found.never
    assert found.slack is not None
    assert found.slack < 0
    assert any(text.startswith("late: ") and "key_max_days" in text for text in found.findings)


def test_a_day_that_was_asked_for_is_hard(desk: Desk) -> None:
    found = plan(desk, policy(app(), limits="break_budget = 0.08\n"), replace(SWAP, by=day("2026-12-01")))
    assert found.never
    assert not any(text.startswith("late: ") for text in found.findings)


# --- clients that hold one value -----------------------------------------------------------------------------------


def test_whole_certificates_of_a_chain_that_is_not_issued_cannot_be_carried(desk: Desk) -> None:
    whole = '[pinsets.whole]\ncertificates = "a-chain"\n'
    found = plan(desk, policy(server("job", "aiohttp", pinset="whole"), pinsets=whole))
    assert found.never
    assert any("coordinated-cutover-only" in text and "job" in text for text in found.findings)
    assert not [s for s in found.steps if s.action == "ship"]
    assert "cutover" in {e.id for e in found.exits}


def test_a_client_with_room_for_one_value_is_not_given_two(desk: Desk) -> None:
    """The next certificate exists, and still no release carries both."""
    whole = '[pinsets.whole]\ncertificates = "a-chain"\n[chains.b-chain]\nfile = "b.pem"\n'
    found = plan(desk, policy(server("job", "aiohttp", pinset="whole"), pinsets=whole), Goal(chain="b-chain"))
    assert found.never
    assert any("coordinated-cutover-only" in text for text in found.findings)
    assert not [s for s in found.steps if s.action == "ship"]


# --- what a client refuses -----------------------------------------------------------------------------------------


def test_a_pinset_that_the_client_refuses_is_never_shipped(desk: Desk) -> None:
    """TrustKit throws with fewer than two pins: to one pin alone is no plan."""
    text = policy(
        app(mechanism="trustkit-ios"),
        pinsets='backups = "c"\n[pinsets.one]\nprimary = "b"\ncovers = ["api.example.com"]\n',
    )
    found = plan(desk, text, Goal(pinset="one"))
    assert found.never
    assert any("config-rejected" in text for text in found.findings)
    assert not [s for s in found.steps if s.action == "ship"]


def test_the_old_pin_stays_where_dropping_it_leaves_too_few(desk: Desk) -> None:
    text = policy(app(mechanism="trustkit-ios", adoption='"deploy"'), pinsets='backups = "b"\n')
    text = text.replace(
        ", proved = 2026-11-01 }\n[authorities]", ', status = "lost", since = 2026-11-01 }\n[authorities]'
    )
    found = plan(desk, text)
    assert not found.never
    assert any("keeps a: config-rejected" in text for text in found.findings)
    assert not [s for s in found.steps if s.action == "drop"]


def test_pins_on_roots_are_not_given_to_a_client_that_compares_leaves(desk: Desk) -> None:
    found = plan(desk, policy(app(mechanism="curl", adoption='"deploy"')), Goal(pin_to="roots"))
    assert found.never or not found.replayed
    assert not found.never or any("unsayable" in text or "config" in text for text in found.findings) or found.blocked


def test_a_release_that_refuses_what_is_served_breaks_by_our_hand(desk: Desk) -> None:
    """The pinset `other` matches nothing that is served: a release with it is ours, and so is what it breaks."""
    text = policy(app(adoption='"deploy"'), pinsets='[pinsets.other]\nprimary = "c"\n')
    found = plan(desk, text, Goal(pinset="other"))
    assert found.never
    assert found.blocked is not None
    assert found.blocked.left.high == 1000


def test_leaving_pins_behind_is_done_when_enough_have_moved(desk: Desk) -> None:
    found = plan(desk, policy(app(adoption='"deploy"')), Goal(pin_to="none"))
    assert not found.never
    assert found.replayed == ()
    assert step(found, "observe").planned is not None


# --- ways without a release ----------------------------------------------------------------------------------------


def test_live_pins_are_published_and_waited_for(desk: Desk) -> None:
    live = 'backups = "c"\ndelivery = "live"\nrefresh_days = 5\noffline_share = 0.02\n'
    found = plan(desk, policy(server("shop", "okhttp"), pinsets=live, limits=f"{LIMITS}safety_days = 3\n"))
    assert not found.never
    assert found.replayed == ()
    assert not [s for s in found.steps if s.action == "ship"]
    assert step(found, "publish").planned == day("2026-11-20")
    assert step(found, "serve").planned == day("2026-11-28")
    assert "2.00%" in step(found, "publish").binding.formula


def test_live_pins_that_miss_more_than_the_budget_are_never_enough(desk: Desk) -> None:
    live = 'backups = "c"\ndelivery = "live"\nrefresh_days = 5\noffline_share = 0.06\n'
    found = plan(desk, policy(server("shop", "okhttp"), pinsets=live))
    assert found.never
    assert found.at_best == pytest.approx(0.94)


def test_a_header_is_waited_for_until_the_last_browser_forgot_the_old_one(desk: Desk) -> None:
    """RFC 7469: a browser keeps a header for max-age from its last visit."""
    header = 'backups = "c"\nmax_age_days = 30\n'
    found = plan(desk, policy(server("web", "hpkp"), pinsets=header, limits=f"{LIMITS}safety_days = 0\n"))
    assert not found.never
    assert found.replayed == ()
    assert step(found, "serve").planned == day("2026-12-20")


def test_records_are_published_two_times_to_live_ahead(desk: Desk) -> None:
    """RFC 7671, 8.1; with the hour that records have here the next day is the first whole one."""
    found = plan(desk, policy(server("mail", "dane"), pinsets='backups = "c"\n', limits=f"{LIMITS}safety_days = 0\n"))
    assert not found.never
    assert found.replayed == ()
    assert step(found, "serve").planned == day("2026-11-21")


# --- the end of it -------------------------------------------------------------------------------------------------


def test_a_key_that_another_host_serves_is_kept(desk: Desk) -> None:
    more = '[hosts.www]\nnames = ["www.example.com"]\nserves = "www"\n'
    more += '[chains.www]\nleaf = "a"\nissuers = ["ica", "root"]\n'
    text = policy(app(adoption='"deploy"', more='hosts = ["api"]'), more=more)
    found = plan(desk, text, Goal(to="b", from_="a", hosts=("api",)))
    assert not [s for s in found.steps if s.action in ("drop", "destroy")]
    assert any(text.startswith("I4: www still serves a") for text in found.findings)


def test_a_spare_of_other_pinsets_is_no_spare(desk: Desk) -> None:
    text = policy(app(adoption='"deploy"'), pinsets='[pinsets.other]\nprimary = "c"\n')
    found = plan(desk, text)
    assert any(text.startswith("I8: ") for text in found.findings)
    assert step(found, "drop").adds == ()


# --- steps that are moved by hand ----------------------------------------------------------------------------------

EIGHT = "break_budget = 0.08\nreview_days = 0\nsafety_days = 4\n"


def moved(desk: Desk, number: int, to: str, limits: str = EIGHT) -> str:
    """Move a step and give the refusal."""
    with pytest.raises(UnsafePlanError) as refused:
        plan(desk, policy(app(), limits=limits), replace(SWAP, moved=((number, day(to)),)))
    assert refused.value.exit_code == 3
    return str(refused.value)


def test_serving_too_early_is_refused_with_numbers_limit_segment_and_what_is_safe(desk: Desk) -> None:
    text = moved(desk, 3, "2026-12-01")
    for part in ("of shop", "8.00% may be", "(I2)", "safe from 2027-01-11 on"):
        assert part in text


def test_serving_inside_the_days_of_safety_is_refused(desk: Desk) -> None:
    assert "4 days of safety" in moved(desk, 3, "2027-01-08")


def test_dropping_before_rolling_back_is_over_is_refused(desk: Desk) -> None:
    assert "I4" in moved(desk, 4, "2027-01-25")


def test_a_step_may_be_moved_later(desk: Desk) -> None:
    found = plan(desk, policy(app(), limits=EIGHT), replace(SWAP, moved=((3, day("2027-02-01")),)))
    assert step(found, "serve").planned == day("2027-02-01")
    assert step(found, "drop").planned == day("2027-02-16")
    assert found.replayed == ()


def test_a_release_that_is_moved_later_moves_what_waits_for_it(desk: Desk) -> None:
    found = plan(desk, policy(app(), limits=EIGHT), replace(SWAP, moved=((1, day("2026-11-30")),)))
    assert step(found, "ship").planned == day("2026-11-30")
    assert step(found, "serve").planned == day("2027-01-21")


@pytest.mark.parametrize(("number", "to"), [(2, "2027-01-01"), (9, "2027-01-01"), (3, "2026-01-01")])
def test_what_is_no_step_to_move_is_said(desk: Desk, number: int, to: str) -> None:
    with pytest.raises(UsageError):
        plan(desk, policy(app(), limits=EIGHT), replace(SWAP, moved=((number, day(to)),)))


def test_a_step_is_not_moved_into_a_freeze(desk: Desk) -> None:
    freeze = '[[freeze]]\nfrom = 2027-02-01\nto = 2027-02-10\nwhat = ["ship", "serve"]\n'
    with pytest.raises(UnsafePlanError, match="free from 2027-02-11"):
        plan(desk, policy(app(), limits=EIGHT, more=freeze), replace(SWAP, moved=((3, day("2027-02-05")),)))


TRAINS = """{ version = "1.0", released = 2026-05-01, clients = 1000 }, { version = "2.0", released = 2026-12-01 },
{ version = "3.0", released = 2027-02-01 }, { version = "4.0", released = 2027-05-01 }"""


def test_every_train_carries_the_new_pin_and_a_later_one_drops_the_old(desk: Desk) -> None:
    """2.0 brings b, and 3.0 and 4.0 keep it, or those who update to them would lose it again; 4.0 drops a.

    .20 e^(-t/25) = .03 is 47.4 days after 2026-12-01: seen on 2027-01-18 with the first day that is whole.
    """
    found = plan(desk, policy(app(releases=TRAINS), limits="break_budget = 0.08\nreview_days = 2\n"))
    ship, drop = step(found, "ship"), step(found, "drop")
    assert (ship.version, str(ship.planned)) == ("2.0", "2026-11-29")
    assert ship.title == "ship shop 2.0 with b, and 3.0, 4.0"
    assert not found.never
    assert (drop.version, str(drop.planned)) == ("4.0", "2027-04-29")
    assert found.replayed == ()


def test_a_train_is_handed_in_before_a_freeze_and_after_none(desk: Desk) -> None:
    """Two days before 2.0 of 2026-12-01 nothing may be handed in: it is done the day before the freeze."""
    frozen = '[[freeze]]\nfrom = 2026-11-27\nto = 2026-11-30\nwhat = ["ship"]\n'
    limits = "break_budget = 0.08\nreview_days = 2\n"
    found = plan(desk, policy(app(releases=TRAINS), limits=limits, more=frozen))
    assert str(step(found, "ship").planned) == "2026-11-26"


def test_people_who_move_to_a_release_that_breaks_are_counted_once(desk: Desk) -> None:
    """Nobody accepts the other root: 1,000 on 1.0 break now, and the 950 of them who go on to 1.1 are the same."""
    text = policy(app(), more='[chains.far]\nleaf = "b"\nissuers = ["other-root"]\n').replace(
        "[chains]", '[authorities.other-root]\ncertificate = "other-root.pem"\n[chains]'
    )
    found = plan(desk, text, Goal(chain="far"))
    assert found.blocked is not None
    assert found.blocked.left.high == 1_000
    assert found.blocked.left.share == 1.0


def test_who_has_the_pins_of_a_goal_already_is_not_made_to_update(desk: Desk) -> None:
    """2.0 pins a and b as asked; 400 people on 1.0 pin a alone and are all that is waited for, without any release."""
    releases = """{ version = "1.0", released = 2026-05-01, clients = 400 },
    { version = "2.0", released = 2026-11-18, clients = 600, pinset = "q" }"""
    text = policy(app(releases=releases), pinsets='[pinsets.q]\nprimary = "a"\nbackups = "b"\n')
    found = plan(desk, text, Goal(pinset="q"))
    assert [s.action for s in found.steps] == ["observe"]
    still = plan(desk, text.replace("never = 0.05, fast = 0.75", "never = 1.0, fast = 0.0"), Goal(pinset="q"))
    assert still.blocked is not None
    assert still.blocked.left.high == 400
