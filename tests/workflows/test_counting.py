"""Counts of stores in a policy: mapped by code and version, scaled with a range, spread by system, never unlike."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rotator.errors import InputError, UnsafeError
from rotator.model.policy import Count
from rotator.simulate.census import AppCensus, Stated
from rotator.workflows.counting import Import, plan_import, write_import
from rotator.workflows.inputs import Given
from rotator.workflows.opening import open_policy
from rotator.workflows.remembering import history_file
from tests.desk import BASE, NOW, TODAY, Desk
from tests.files.counts import making
from tests.files.counts.making import play_bulk, play_overview, play_page, session, sessions

ANDROID = """\
[apps.shop-android] # the shop
mechanism = "android-nsc"
pinset = "p"
trust = "ours"
releases = [
  { version = "7.4.0", also = ["7.4.1"], builds = [70400, 70410], released = 2026-09-01, min_os = "26" }, # newest
  { version = "7.2.0", builds = [70200], released = 2026-03-01, min_os = "24" },
  { version = "6.8.0", builds = [60800], released = 2025-06-01, min_os = "24", clients = 900 },
]
"""
IOS = """\
[apps.shop-ios]
mechanism = "trustkit-ios"
pinset = "p"
trust = "ours"
releases = [
  { version = "12.0", released = 2026-09-01, min_os = "iOS 16" },
  { version = "11.4", released = 2026-02-01, min_os = "15.0" },
]
"""
DAY = "2026-11-19"
PLAY = play_bulk((DAY, 70400, 1000), (DAY, 70410, 50), (DAY, 70200, 400), (DAY, 60800, 100))
SESSIONS = sessions(
    session("2026-10-01", "12.0", "iOS 18.1", 540),
    session("2026-10-01", "12.0", "iOS 16.2", 60),
    session("2026-10-01", "11.4", "iOS 15.8", 108),
)


def plan(desk: Desk, text: str, *files: bytes | str, **stated: object) -> Import:
    """Write a policy and plan an import; a file may be given as `APP=` and its text."""
    inputs = []
    for number, data in enumerate(files):
        app, _, rest = data.partition("|") if isinstance(data, str) and "|" in data else ("", "", data)
        raw = rest.encode() if isinstance(rest, str) else rest
        assert isinstance(raw, bytes)
        inputs.append(Given(file=str(desk.file(f"counts-{number}.csv", raw)), data=raw, app=app))
    path = desk.policy(text)
    wanted = Stated(**stated)  # type: ignore[arg-type]  # as given by the test
    return plan_import(path, open_policy(path, TODAY), inputs, wanted, None, NOW)


def one(found: Import) -> AppCensus:
    (app,) = found.apps
    return app


def clients(app: AppCensus) -> dict[str, object]:
    """Give the clients of each release: a number, a range as a pair, or by trust store."""

    def shown(count: object) -> object:
        if isinstance(count, Count):
            return count.high if count.exact else (count.low, count.high)
        return {name: shown(part) for name, part in count.items()} if isinstance(count, dict) else count

    return {row.version: shown(row.after) for row in app.releases}


def refused(desk: Desk, text: str, *files: bytes | str, **stated: object) -> str:
    with pytest.raises(InputError) as caught:
        plan(desk, text, *files, **stated)
    return str(caught.value)


# --- which app, which release -----------------------------------------------------------------------------------------


def test_codes_find_the_app_and_its_releases(desk: Desk) -> None:
    app = one(plan(desk, BASE + ANDROID + IOS, PLAY))
    assert (app.app, app.day, app.unit, app.basis) == (
        "shop-android",
        date(2026, 11, 19),
        "active devices, 30 days",
        "measured",
    )
    assert clients(app) == {"7.4.0": 1050, "7.2.0": 400, "6.8.0": 100}
    assert app.after == Count(low=1550, high=1550)


def test_a_code_that_two_apps_have_asks_which(desk: Desk) -> None:
    two = ANDROID + ANDROID.replace("shop-android", "bank-android")
    assert "expected shop-android=" in refused(desk, BASE + two, PLAY)


def test_an_app_may_be_named(desk: Desk) -> None:
    two = ANDROID + ANDROID.replace("shop-android", "bank-android")
    text = PLAY.decode("utf-16")
    assert one(plan(desk, BASE + two, f"bank-android|{text}")).app == "bank-android"
    assert "no such app" in refused(desk, BASE + two, f"bank-androd|{text}")
    assert "did you mean bank-android" in refused(desk, BASE + two, f"bank-androd|{text}")


def test_codes_named_by_hand_go_into_the_policy(desk: Desk) -> None:
    text = BASE + ANDROID.replace("builds = [70200], ", "")
    found = plan(desk, text, PLAY, builds={"7.2.0": (70200,)})
    assert clients(one(found))["7.2.0"] == 400
    assert b"builds = [70200]" in found.files[0].new
    assert "no release has this version" in refused(desk, text, PLAY, builds={"9": (70200,)})
    assert "belongs to two releases" in refused(desk, BASE + ANDROID, PLAY, builds={"6.8.0": (70200,)})


def test_versions_of_no_release_are_dropped_with_what_may_be_meant(desk: Desk) -> None:
    text = BASE + ANDROID.replace("builds = [70200], ", "")
    found = plan(desk, text, PLAY)
    assert one(found).unknown == (("70200", Count(low=400, high=400), "7.2.0"),)
    assert found.beyond == ("shop-android: 400 clients run versions that the policy does not know",)
    unseen = one(plan(desk, text, PLAY, count_unknown=True)).unseen
    assert unseen == (None, Count(low=400, high=400))


def test_a_file_of_which_nothing_is_known_is_refused(desk: Desk) -> None:
    found = plan(desk, BASE + ANDROID, play_bulk((DAY, 9, 1000)))
    with pytest.raises(UnsafeError, match="no version of the file is a release of shop-android"):
        write_import(desk.policy(BASE + ANDROID), found)


# --- what is not in the file ------------------------------------------------------------------------------------------


def test_a_release_that_no_file_shows_is_not_nobody(desk: Desk) -> None:
    app = one(plan(desk, BASE + ANDROID, play_bulk((DAY, 70400, 1000))))
    assert clients(app) == {"7.4.0": 1000, "7.2.0": (0, 1000), "6.8.0": (0, 900)}


def test_a_page_on_which_versions_were_picked_says_nothing_of_the_others(desk: Desk) -> None:
    app = one(plan(desk, BASE + ANDROID, play_page(["70400"], ("2026-11-19", 1000))))
    assert clients(app) == {"7.4.0": 1000, "7.2.0": None, "6.8.0": (0, 900)}


def test_the_whole_less_the_sum_is_unseen(desk: Desk) -> None:
    app = one(plan(desk, BASE + ANDROID, play_bulk((DAY, 70400, 1000)), play_overview((DAY, 1300))))
    assert clients(app) == {"7.4.0": 1000, "7.2.0": 0, "6.8.0": 0}
    assert app.unseen[1] == Count(low=300, high=300)
    assert app.after == Count(low=1300, high=1300)
    other_day = plan(desk, BASE + ANDROID, PLAY, play_overview(("2026-11-18", 1300)))
    assert one(other_day).unseen[1] is None
    assert one(plan(desk, BASE + ANDROID, PLAY, total=1600)).unseen[1] == Count(low=50, high=50)


def test_a_release_to_come_has_no_clients_yet(desk: Desk) -> None:
    text = ANDROID.replace("releases = [\n", 'releases = [\n  { version = "8.0", released = 2026-12-07 },\n')
    app = one(plan(desk, BASE + text, PLAY))
    assert (clients(app)["8.0"], app.after) == (None, Count(low=1550, high=1550))


# --- several files ----------------------------------------------------------------------------------------------------


def test_the_newest_file_counts_and_the_same_again_changes_nothing(desk: Desk) -> None:
    older = play_bulk(("2026-10-19", 70400, 7), ("2026-10-19", 70200, 8))
    app = one(plan(desk, BASE + ANDROID, PLAY, older, PLAY))
    assert clients(app)["7.4.0"] == 1050
    assert len(app.unused) == 2


def test_parts_of_a_report_go_together_and_two_reports_of_a_day_do_not(desk: Desk) -> None:
    parts = [
        sessions(session("2026-10-01", "12.0", "iOS 18.1", 540)),
        sessions(session("2026-10-01", "11.4", "iOS 15.8", 108)),
    ]
    assert clients(one(plan(desk, BASE + IOS, *parts))) == {"12.0": 540, "11.4": 108}
    again = sessions(session("2026-10-01", "12.0", "iOS 18.1", 555))
    assert "two files count the same clients" in refused(desk, BASE + IOS, parts[0], again)


def test_two_ways_of_counting_one_app_are_never_added(desk: Desk) -> None:
    page = play_page(["70400"], ("2026-11-19", 1000))
    assert "two ways of counting shop-android" in refused(desk, BASE + ANDROID, PLAY, page)


def test_a_file_without_versions_needs_one_with(desk: Desk) -> None:
    assert "which app is it about" in refused(desk, BASE + ANDROID, making.opt_in(("2026-10-01", 100, 25)))
    assert "counts no versions" in refused(desk, BASE + ANDROID, play_overview((DAY, 1300)))


# --- units and scaling ------------------------------------------------------------------------------------------------


def test_opted_in_devices_are_scaled_with_a_range_or_called_so(desk: Desk) -> None:
    app = one(plan(desk, BASE + IOS, SESSIONS))
    assert (app.unit, app.basis) == ("opted-in active devices, 30 days", "measured")
    app = one(plan(desk, BASE + IOS, SESSIONS, opt_in=(0.25, 0.30)))
    assert (app.unit, app.basis) == ("active devices, 30 days", "scaled")
    assert clients(app) == {"12.0": (2000, 2400), "11.4": (360, 432)}


def test_the_opt_in_report_is_about_new_users_and_gets_doubt(desk: Desk) -> None:
    report = making.opt_in(("2026-10-01", 1000, 270))
    app = one(plan(desk, BASE + IOS, SESSIONS, report))
    assert app.opt_in == pytest.approx((0.25, 0.29))
    assert any("assumed" in note for note in app.notes)
    policy = BASE + IOS + "[apps.shop-ios.counts]\nopt_in = 0.27\n"
    assert one(plan(desk, policy, SESSIONS)).opt_in == pytest.approx((0.25, 0.29))


def test_unlike_units_are_refused_and_scaled_ones_are_not(desk: Desk) -> None:
    text = BASE + ANDROID + IOS
    found = plan(desk, text, PLAY, SESSIONS)
    with pytest.raises(UnsafeError, match="unlike units are never added") as caught:
        write_import(desk.policy(text), found)
    assert "--opt-in" in str(caught.value)
    assert not plan(desk, text, PLAY, SESSIONS, opt_in=(0.25, 0.30)).refused
    daily = sessions(session("2026-11-10", "12.0", "iOS 18.1", 540))
    assert plan(desk, text, PLAY, daily, opt_in=(0.25, 0.30)).refused


def test_anything_may_be_scaled_with_a_stated_range(desk: Desk) -> None:
    app = one(plan(desk, BASE + IOS, making.FIREBASE.replace("9.4.0", "12.0"), scale=(1.5, 2), unit="devices"))
    assert (app.unit, app.basis, clients(app)["12.0"]) == ("devices", "scaled", (1800, 2400))


def test_what_is_said_of_one_app_is_not_said_of_two(desk: Desk) -> None:
    assert "are about one app" in refused(desk, BASE + ANDROID + IOS, PLAY, SESSIONS, unit="devices")
    assert "agreed to be counted" in refused(desk, BASE + ANDROID, PLAY, opt_in=(0.2, 0.3))


# --- systems ----------------------------------------------------------------------------------------------------------

STORES = (
    '[trust.old]\nroots = ["root"]\nos = ["24", "25", "iOS 15"]\n[trust.new]\nos = ["26", "34", "iOS 16", "iOS 18"]\n'
)
SPLIT = "trust = { old = 0.1, new = 0.9 }"
OS = play_bulk((DAY, "Android 14", 800), (DAY, "8.0", 150), (DAY, "Android 7.0", 50), dimension="Android OS Version")


def stores(text: str) -> str:
    return BASE + STORES + text.replace('trust = "ours"', SPLIT)


def test_versions_and_systems_together_give_trust_stores(desk: Desk) -> None:
    app = one(plan(desk, stores(IOS), SESSIONS))
    assert clients(app) == {"12.0": {"old": 0, "new": 600}, "11.4": {"old": 108, "new": 0}}
    assert app.spread == "measured"
    assert app.stuck == Count(low=108, high=108)
    assert app.stuck_for == "12.0 needs iOS 16"


def test_one_mix_of_systems_is_spread_the_worst_way(desk: Desk) -> None:
    app = one(plan(desk, stores(ANDROID), PLAY, OS))
    assert clients(app) == {
        "7.4.0": {"old": 0, "new": 1050},
        "7.2.0": {"old": 0, "new": 400},
        "6.8.0": {"old": 77, "new": 23},
    }
    assert app.spread == "assumed"
    assert app.stuck == Count(low=77, high=78)


def test_without_systems_the_split_stays_as_it_was(desk: Desk) -> None:
    text = stores(ANDROID).replace("clients = 900", "clients = { old = 300, new = 600 }")
    app = one(plan(desk, text, PLAY))
    assert clients(app) == {"7.4.0": 1050, "7.2.0": 400, "6.8.0": {"old": 33, "new": 67}}
    assert app.spread == "assumed"
    assert app.stuck is None


# --- writing ----------------------------------------------------------------------------------------------------------


def test_only_what_changes_is_touched_and_the_old_file_is_kept(desk: Desk) -> None:
    path = desk.policy(BASE + ANDROID)
    found = plan(desk, BASE + ANDROID, PLAY)
    write_import(path, found)
    text = Path(path).read_text(encoding="utf-8")
    assert "# newest" in text
    assert "# the shop" in text
    assert [line for line in BASE.splitlines() if line not in text] == []
    kept = list((desk.folder / "policy.rotator" / "replaced").iterdir())
    assert [p.read_text(encoding="utf-8") for p in kept] == [BASE + ANDROID]
    app = open_policy(path, TODAY).policy.apps["shop-android"]
    assert app.counts is not None
    assert (app.counts.source, app.counts.date, app.counts.basis) == ("play-console", date(2026, 11, 19), "measured")
    assert [r.clients for r in app.releases] == [Count(low=n, high=n) for n in (1050, 400, 100)]


def test_importing_twice_changes_nothing(desk: Desk) -> None:
    path = desk.policy(BASE + ANDROID + IOS)
    files = (PLAY, play_overview((DAY, 1700)), SESSIONS)
    write_import(path, plan(desk, BASE + ANDROID + IOS, *files, opt_in=(0.25, 0.3)))
    text = Path(path).read_text(encoding="utf-8")
    again = plan(desk, text, *files, opt_in=(0.25, 0.3))
    assert not any(change.changed for change in again.files)
    assert again.last["shop-android"].day == date(2026, 11, 19)
    assert write_import(path, again) == []


def test_a_later_day_joins_the_counts_over_time(desk: Desk) -> None:
    path = desk.policy(BASE + ANDROID)
    write_import(path, plan(desk, BASE + ANDROID, PLAY))
    text = Path(path).read_text(encoding="utf-8")
    later = play_bulk(("2026-11-20", 70400, 1100), ("2026-11-20", 70200, 390), ("2026-11-20", 70500, 9))
    found = plan(desk, text, later)
    assert found.last["shop-android"].clients["7.4.0"] == Count(low=1050, high=1050)
    write_import(path, found)
    rows = history_file(path, "shop-android").read_text(encoding="utf-8").splitlines()
    assert {row.split(",")[5] for row in rows[1:]} == {"2026-11-19", "2026-11-20"}


def test_a_policy_that_changed_meanwhile_is_not_written_over(desk: Desk) -> None:
    path = desk.policy(BASE + ANDROID)
    found = plan(desk, BASE + ANDROID, PLAY)
    desk.policy(BASE + ANDROID + "# meanwhile\n")
    with pytest.raises(InputError, match="changed since it was shown"):
        write_import(path, found)


def test_a_policy_with_a_fleet_file_gets_its_rows_there(desk: Desk) -> None:
    fleet = desk.file("fleet.csv", "app,version,os,clients\nother,1,,5\nshop-android,7.4.0,34,3\n")
    text = BASE + ANDROID.replace(", clients = 900", "") + '[fleet]\nfile = "fleet.csv"\n'
    path = desk.policy(text)
    write_import(path, plan(desk, text, PLAY, total=1600))
    rows = fleet.read_text(encoding="utf-8").splitlines()
    assert 'shop-android,7.4.0,,1050,1050,2026-11-19,"active devices, 30 days"' in rows
    assert "other,1,,5,5,," in rows
    cohorts = open_policy(path, TODAY)
    assert cohorts.policy.apps["shop-android"].releases[0].clients is None
    from tests.desk import ask

    found = ask(cohorts).fleet.cohorts
    assert {c.version: c.clients.high for c in found if c.clients} == {
        "7.4.0": 1050,
        "7.2.0": 400,
        "6.8.0": 100,
        "older, unseen": 50,
    }


def test_an_app_without_releases_has_one_count(desk: Desk) -> None:
    text = BASE + '[apps.job]\nmechanism = "curl"\npinset = "p"\nclients = 3\n'
    app = one(plan(desk, text, "version,clients,date\nx,4,2026-11-20\ny,5,2026-11-20\n"))
    assert clients(app) == {"-": 9}
