"""The emergency: who breaks by a reissue, and how responses to a stolen key compare, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rotator.errors import UsageError
from rotator.model.when import plus
from rotator.plan.alarm import LEAST, Emergency, Option, Refused, Response, UserDays, Weighed
from rotator.plan.responding import Responding
from rotator.plan.responses import Responses
from rotator.plan.weighing import rank
from rotator.report.emergency import LONGEST, chat, to_document, to_json
from rotator.report.text import render
from rotator.simulate.totals import Total
from rotator.workflows.emergency import alarm_of, emergency
from tests.desk import BASE, NOW, Desk, app, ask
from tests.minting import intermediate, mint, root

ONLY_A = '[pinsets.only-a]\nprimary = "a"\n'
CERT = """\
[pinsets.cert]
certificates = "a-chain"
[mechanisms.by-cert]
like = "curl"
object = "cert-sha256"
"""
BY_CA = '[pinsets.ca]\nauthorities = "ica"\n'
TWO = BASE + ONLY_A + app("shop", clients="9000") + app("old", pinset="only-a", clients="1000")
MOVING = """\
[apps.shop]
mechanism = "okhttp"
trust = "ours"
adoption = "typical"
review_days = 1
rollout = "at-once"
releases = [
  { version = "2.0", released = 2026-06-01, clients = 9_000, pinset = "p" },
  { version = "1.0", released = 2026-01-01, clients = 1_000, pinset = "only-a" },
]
"""


def now(desk: Desk, text: str, **asked: str) -> Emergency:
    """Ask."""
    return emergency(desk.open(text), NOW, **asked)


def options(found: Emergency) -> dict[str, Option]:
    """Give the options by id."""
    return {option.weighed.response.id: option for option in found.options}


# --- the key is safe --------------------------------------------------------------------------------------------------


def test_a_reissue_with_the_same_key_breaks_who_pins_the_certificate(desk: Desk) -> None:
    text = BASE + CERT + app("shop", clients="900") + app("job", "by-cert", pinset="cert", clients="100")
    found = now(desk, text, revoked="api", suspected="no")
    assert found.reissue is not None
    assert (found.reissue.broken.low, found.reissue.broken.high) == (100, 100)
    assert {row.connection.cohort.app for row in found.reissue.rows} == {"job"}
    assert found.options == ()


def test_who_pins_the_issuer_breaks_by_another_one_alone(desk: Desk) -> None:
    text = BASE + BY_CA + app("shop", clients="900") + app("ca", pinset="ca", clients="50")
    found = now(desk, text, revoked="api", suspected="no")
    assert found.reissue is not None
    assert found.reissue.broken.none
    assert found.reissue.elsewhere is not None
    assert found.reissue.elsewhere.high == 50


def test_unknown_shows_both_answers(desk: Desk) -> None:
    found = now(desk, TWO, revoked="api")
    assert found.reissue is not None
    assert found.best is not None
    said = render(to_document(found, "p", 1.0))
    assert "Unknown counts as stolen. What decides it" in said


# --- the key may be out -----------------------------------------------------------------------------------------------


def test_user_days_by_hand(desk: Desk) -> None:
    """9,000 users hold a and b, 1,000 hold a alone, nobody moves; the clock ends on the 24th at 09:00Z.

    Served at 07:00Z on the 24th, two hours before, b breaks 1,000 for 29 days and 2 hours: 29,083.3. At once is
    10:00Z today, an hour for the CA: 29 days and 23 hours, 29,958.3. All 10,000 are exposed for 30 days.
    """
    found = options(now(desk, TWO, stolen="a"))
    late, at_once = found["swap-late"].weighed, found["swap-now"].weighed
    assert (late.response.swap, at_once.response.swap) == (NOW + timedelta(hours=22), NOW + timedelta(hours=1))
    assert late.broken == UserDays(low=29_084, high=29_084)
    assert at_once.broken == UserDays(low=29_959, high=29_959)
    assert late.exposed == at_once.exposed == UserDays(low=300_000, high=300_000)
    assert found["swap-late"].recommended
    assert found["swap-now"].standing == "dominated"
    assert (late.worst.high, late.worst_at) == (1_000, late.response.swap)


def test_a_backup_without_a_certificate_has_its_issuer_assumed(desk: Desk) -> None:
    found = now(desk, TWO, stolen="a")
    assert any("taken to get one from today's issuer" in note for note in found.notes)


def test_serving_a_stolen_key_on_is_refused_though_it_breaks_nobody(desk: Desk) -> None:
    """OkHttp asks nobody about a revocation, so nothing would break: it is refused all the same."""
    keep = options(now(desk, TWO, stolen="a"))["keep"]
    assert keep.weighed.broken == UserDays(low=0, high=0)
    assert keep.standing == "refused"
    assert keep.weighed.response.refused is Refused.KEPT
    assert not keep.recommended


def test_who_may_notice_a_revocation_makes_a_range(desk: Desk) -> None:
    text = TWO + app("ios", "apple-ats", clients="500")
    keep = options(now(desk, text, stolen="a"))["keep"].weighed
    assert keep.broken.low == 0
    assert keep.broken.high == 500 * 29  # from the end of the clock, on the 24th at 09:00Z
    assert keep.uncertain


def test_floors_and_builds_without_the_pin_move_both_numbers(desk: Desk) -> None:
    found = now(desk, BASE + ONLY_A + MOVING, stolen="a")
    best = found.best
    assert best is not None
    assert best.weighed.response.id == "swap-late+builds+floors"
    assert [o.parts for o in best.weighed.response.occurrences if o.id == "floor"] == [("shop", "2.0"), ("shop", "2.1")]
    assert [(c.version, c.base) for c in best.weighed.response.releases] == [("2.1", "2.0")]
    plain, floor = options(found)["swap-late"].weighed, options(found)["swap-late+floor"].weighed
    assert (floor.broken.high or 0) < (plain.broken.high or 0)
    assert floor.exposed.high == pytest.approx(plain.exposed.high, rel=0.001)
    assert (best.weighed.exposed.high or 0) < (floor.exposed.high or 0)


@pytest.mark.parametrize("until", ["24h", "120h"])
def test_the_table_by_version_adds_up_to_the_totals(desk: Desk, until: str) -> None:
    """At the worst instant and at the end: each on the day that its column says."""
    found = now(desk, BASE + ONLY_A + MOVING, stolen="a", clock=until)
    assert found.best is not None
    own = found.best.weighed
    assert sum(g.broken or 0 for g in found.groups) == own.worst.high
    assert sum(g.broken_last or 0 for g in found.groups) == own.broken_last.high
    assert sum(g.exposed_last or 0 for g in found.groups) == own.exposed_last.high
    assert own.exposed_last.high


def test_a_build_without_the_pin_never_comes_before_the_swap(desk: Desk) -> None:
    text = BASE + ONLY_A + MOVING.replace("review_days = 1", "review_days = 0")
    best = now(desk, text, stolen="a", clock="5d").best
    assert best is not None
    assert best.weighed.response.swap is not None
    assert all(c.at >= best.weighed.response.swap for c in best.weighed.response.releases)


def test_without_a_backup_a_new_key_is_made_and_breaks_all(desk: Desk) -> None:
    text = BASE.replace('backups = ["b"]', "") + app("shop", clients="100")
    found = now(desk, text, stolen="a")
    assert found.best is not None
    assert found.best.weighed.response.target == "a new key"
    assert found.best.weighed.worst.high == 100
    assert any("make a key" in todo.what for todo in found.todo)


def test_a_stolen_backup_needs_no_swap(desk: Desk) -> None:
    found = now(desk, TWO, stolen="b")
    assert found.alarm.hosts == ()
    assert found.best is not None
    assert found.best.weighed.response.swap is None
    assert found.best.weighed.broken == UserDays(low=0, high=0)


def test_the_days_are_those_of_simulate(desk: Desk) -> None:
    """With nobody moving and everything at midnight, user-days are the sum of the days of `simulate --until`."""
    picture = desk.open(TWO)
    midnight = NOW.replace(hour=0)
    found = emergency(picture, midnight, stolen="a", clock="26h")
    best = found.best
    assert best is not None
    assert best.weighed.response.swap == midnight + timedelta(days=1)
    events = ("key-compromise:a@2026-11-23", "revoke:a-chain?clock=26h@2026-11-23", "serve:api:b@2026-11-24")
    days = ask(picture, *events, at="2026-11-23", until="2026-12-22").days
    assert len(days) == 30
    assert best.weighed.broken.high == sum(day.totals["broken"].high or 0 for day in days)
    assert best.weighed.exposed.high == sum(day.totals["exposed"].high or 0 for day in days)


def test_with_people_moving_the_days_of_simulate_are_no_less(desk: Desk) -> None:
    picture = desk.open(BASE + ONLY_A + MOVING)
    own = options(emergency(picture, NOW, stolen="a"))["swap-late"].weighed
    events = (
        "key-compromise:a@2026-11-23T09:00Z",
        "revoke:a-chain?clock=24h@2026-11-23T09:00Z",
        "serve:api:b@2026-11-24T07:00Z",
    )
    days = ask(picture, *events, until="2026-12-23").days
    assert (own.broken.high or 0) <= sum(day.totals["broken"].high or 0 for day in days)
    assert (own.exposed.high or 0) <= sum(day.totals["exposed"].high or 0 for day in days)


def test_without_counts_the_order_goes_by_connections(desk: Desk) -> None:
    text = TWO.replace("clients = 9000\n", "").replace("clients = 1000\n", "")
    found = now(desk, text, stolen="a")
    assert found.best is not None
    assert found.best.weighed.response.id == "swap-late"
    assert found.best.weighed.broken == UserDays(low=None, high=None)
    assert "?" in render(to_document(found, "p", 1.0))


def test_the_weight_of_the_policy_decides() -> None:
    few, many = made("a", 100, 2000), made("b", 1000, 200)
    for weight, first in ((1.0, "b"), (0.1, "a")):
        weighed = [scored(few, weight), scored(many, weight)]
        assert [o.weighed.response.id for o in rank(weighed, most=5)] == [first, "ab".replace(first, "")]


@pytest.mark.parametrize("weight", [0.05, 1.0, 20.0])
@pytest.mark.parametrize("name", ["still", "moving", "live", "live and moving"])
def test_no_hour_and_no_combination_is_better_than_the_front(desk: Desk, name: str, weight: float) -> None:
    """Every second hour of 30, with all that can be done beside it, is weighed: none beats what is shown."""
    live = app("live", pinset="live", clients="1000")
    only = BASE + LIVE + ONLY_A
    text = {"still": TWO, "moving": only + MOVING, "live": only + live, "live and moving": only + live + MOVING}[name]
    text = text.replace("schema = 1", f"schema = 1\nlimits = {{ exposure_weight = {weight} }}", 1)
    picture = desk.open(text)
    found = emergency(picture, NOW, stolen="a", clock="30h")
    work = Responding(picture, found, ())
    space = Responses(work.choices)
    hours = [plus(NOW, timedelta(hours=n)) for n in range(1, 29, 2)]
    every = {replace(p, when="", swap=at) for p in space.parts() if p.when == "late" for at in hours}
    tried = [work.weigh(space.made(parts)) for parts in sorted(every, key=str)]
    front = [option.weighed for option in found.options if option.standing == "front"]
    assert front
    least = min(w.score for w in tried)
    assert front[0].score <= least + max(LEAST, least / 1000)
    for own in front:
        far = (max(LEAST, axis // 1000) for axis in own.axes)
        least_broken, least_exposed = (axis - more for axis, more in zip(own.axes, far, strict=True))
        assert not [w.response.id for w in tried if w.axes[0] < least_broken and w.axes[1] < least_exposed]


def test_the_space_is_gone_through_whole(desk: Desk) -> None:
    """Two instants; without builds no floor or one on 2.0, with builds four ways of floors: hard or soft each."""
    picture = desk.open(BASE + ONLY_A + MOVING)
    found = emergency(picture, NOW, stolen="a", clock="8h")
    every = list(Responses(Responding(picture, found, ()).choices).parts())
    assert len(every) == len(set(every)) == 2 * ((1 + 2) + (1 + 2 * 3))
    assert {parts.when for parts in every} == {"late", "now"}


def test_refused_ones_keep_their_place_among_five() -> None:
    rows = rank([*(made(str(n), 100 + 100 * n, 10) for n in range(9)), made("no", 0, 0, refused=True)], most=5)
    assert [row.standing for row in rows] == ["front", "dominated", "dominated", "dominated", "refused"]
    assert [row.recommended for row in rows] == [True, False, False, False, False]


def test_nothing_permitted_recommends_nothing() -> None:
    assert not any(row.recommended for row in rank([made("no", 0, 0, refused=True)], most=5))


def made(name: str, broken: int, exposed: int, *, refused: bool = False) -> Weighed:
    """Make a weighed response."""
    nobody = Total(low=0, high=0, share=0.0)
    return Weighed(
        response=Response(id=name, title=name, refused=Refused.KEPT if refused else Refused.NONE),
        answer=None,  # type: ignore[arg-type]  # not looked at
        worst=nobody,
        worst_at=NOW,
        broken=UserDays(low=broken, high=broken),
        exposed=UserDays(low=exposed, high=exposed),
        broken_last=nobody,
        exposed_last=nobody,
        score=broken + exposed,
        axes=(broken, exposed),
    )


def scored(own: Weighed, weight: float) -> Weighed:
    """Give a weighed response with another weight."""
    return replace(own, score=own.axes[0] + weight * own.axes[1])


# --- what is said -----------------------------------------------------------------------------------------------------


def test_the_text_to_paste_is_short_and_plain(desk: Desk) -> None:
    many = "".join(app(f"shop-with-a-long-name-{n}", pinset="only-a", clients="1000") for n in range(40))
    found = now(desk, BASE + ONLY_A + many, revoked="api")
    said = chat(found, "A bank with a long name " * 20)
    assert len(said) < LONGEST
    assert "\x1b" not in said


def test_old_counts_are_said_first(desk: Desk) -> None:
    found = now(desk, BASE.replace("measured = 2026-11-20", "measured = 2026-08-21") + app("shop"), stolen="a")
    assert "COUNTS ARE OLD: shop 94 DAYS OLD" in render(to_document(found, "p", 1.0))


def test_what_is_not_counted_is_said(desk: Desk) -> None:
    text = TWO.replace('serves = "a-chain"', 'serves = "a-chain"\nother_clients = "a web shop"')
    assert now(desk, text, stolen="a").uncounted == ("api: a web shop",)


def test_things_to_do_stand_by_their_latest_start(desk: Desk) -> None:
    todo = now(desk, BASE + ONLY_A + MOVING, stolen="a").todo
    assert [t.latest for t in todo] == sorted(t.latest for t in todo)
    assert all(t.latest >= NOW for t in todo)


def test_a_doubt_is_about_floors_and_says_whether_the_order_turns(desk: Desk) -> None:
    found = now(desk, BASE + ONLY_A + MOVING, stolen="a")
    doubt = next(d for d in found.doubts if "floors reach 82 %" in d.text)
    best = found.best
    assert best is not None
    assert doubt.otherwise == "at 60 %"
    assert (doubt.broken.high or 0) > (best.weighed.broken.high or 0)
    assert not doubt.turns


def test_json_names_everything(desk: Desk) -> None:
    data = to_json(now(desk, TWO, stolen="a"), "policy", "00" * 32)
    assert data["responses"][0]["broken_user_days"] == {"user_days": 29_084}
    assert data["responses"][0]["actions"] == ["serve:api:b@2026-11-24T07:00Z"]
    assert data["responses"][-1]["refused"] == str(Refused.KEPT) or data["responses"][-1]["id"] == "same-key"


# --- what is meant ----------------------------------------------------------------------------------------------------


def serial() -> int:
    """Give the serial of the certificate that is served."""
    return mint("a", intermediate("ica", root("root")), names=["api.example.com"]).x509.serial_number


@pytest.mark.parametrize("form", ["{0:X}", "0x{0:x}", "{0:040x}"])
def test_a_serial_finds_the_chain(desk: Desk, form: str) -> None:
    alarm = alarm_of(desk.open(TWO).inventory, revoked=form.format(serial()))
    assert (alarm.key, alarm.hosts, alarm.chains) == ("a", ("api",), ("a-chain",))


def test_a_file_and_a_name_find_it_too(desk: Desk) -> None:
    inventory = desk.open(TWO).inventory
    by_file = alarm_of(inventory, revoked=str(desk.folder / "a.pem"))
    by_name = alarm_of(inventory, revoked="api.example.com")
    assert by_file.chains == by_name.chains == ("a-chain",)


def test_what_is_in_other_hands_is_no_emergency_of_ours(desk: Desk) -> None:
    text = TWO.replace('serves = "a-chain"', 'serves = "a-chain"\ncontrol = "third-party"')
    with pytest.raises(UsageError, match="not in our hands"):
        alarm_of(desk.open(text).inventory, revoked="api")


@pytest.mark.parametrize("asked", [{}, {"revoked": "api", "stolen": "a"}, {"revoked": "zz"}, {"stolen": "zz"}])
def test_what_cannot_be_understood_is_refused(desk: Desk, asked: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        alarm_of(desk.open(TWO).inventory, **asked)


# --- live pins, and apps of which nobody said how they update ---------------------------------------------------------

LIVE = """\
[pinsets.live]
primary = "a"
delivery = "live"
refresh_days = 0.5
offline_share = 0.1
"""


def test_live_pins_spare_those_whom_they_reach(desk: Desk) -> None:
    """1,000 pin a alone. b goes out at once and is there after half a day, at 21:00Z, for 900 of them: swapped then.

    100 are never reached: they break for 29.5 days, 2,950 user-days, and stay exposed for 30. The others lose a half
    a day after the swap: 900 x 1 + 100 x 30 = 3,900. At once, 900 break for 11 hours more: 412.5 + 100 x 29 23/24.
    """
    found = now(desk, BASE + LIVE + app("shop", pinset="live", clients="1000"), stolen="a")
    own = options(found)
    assert found.best is not None
    best = found.best.weighed
    assert best.response.id == "swap-reached+live"
    assert (best.broken.high, best.worst.high, best.exposed.high) == (2_950, 100, 3_900)
    assert own["swap-now+live"].weighed.broken.high == 3_409
    assert own["swap-late+live"].weighed.worst.high == 100
    assert [p.at for p in best.response.published] == [NOW, NOW + timedelta(hours=12)]
    said = [todo.what for todo in found.todo]
    assert "publish the live pins of shop with b beside a" in said
    assert "publish the live pins of shop without a" in said


def test_live_pins_that_hold_what_is_served_only_lose_the_stolen_key(desk: Desk) -> None:
    text = BASE + LIVE.replace('"a"', '"a"\nbackups = "b"') + app("shop", pinset="live", clients="1000")
    found = now(desk, text, stolen="a")
    assert found.best is not None
    best = found.best.weighed
    assert [bool(p.pins.drop) for p in best.response.published] == [True]
    assert best.broken.high == 0


def test_apps_of_which_nobody_said_how_they_update_are_taken_to_be_typical(desk: Desk) -> None:
    still = MOVING.replace('adoption = "typical"\n', "")
    own, typical = now(desk, BASE + ONLY_A + still, stolen="a"), now(desk, BASE + ONLY_A + MOVING, stolen="a")
    assert own.best is not None
    assert typical.best is not None
    assert own.best.weighed.axes == typical.best.weighed.axes
    assert own.best.weighed.response.releases
    assert "assumed: clients of shop update as `typical`: it has no adoption" in own.notes
