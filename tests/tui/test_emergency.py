"""The Emergency screen by keys alone: what happened, the responses, the hours, what is to do, and giving up."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from textual import events

from rotator.report.emergency import LONGEST
from rotator.tui.screens import alarming
from rotator.workflows.emergency import means, nameable
from rotator.workflows.opening import open_policy
from tests.tui.piloting import LARGE, NOW, SMALL, copy_of, drive, endless, planner, press, shown, styles, typed

STOLEN = "exclamation_mark . enter . y . . ."
UNKNOWN = "exclamation_mark . enter . u . . ."


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """Give a copy of the sample policy."""
    return copy_of("storefront.toml", tmp_path)


def test_one_key_from_anywhere_asks_what_happened_and_whether_the_key_is_suspected(policy: str) -> None:
    what, suspected, answer = drive(planner(policy), "3 exclamation_mark .", "enter .", "u . . .")
    assert "what is it about?" in what
    assert "api-2025" in what
    assert "Is the private key suspected?" in suspected
    assert "A surely safe: reissue with the same key" in answer
    assert "B else: a new key on the servers ends no exposure" in answer
    assert "CA CLOCK 24:00" in answer


def test_responses_stand_in_order_with_what_is_worse_and_what_is_refused_named(policy: str) -> None:
    [screen] = drive(planner(policy), STOLEN)
    rows = [line for line in screen.splitlines() if line[2:4].strip() in list("12345") and len(line) > 60]
    assert len(rows) <= 5
    assert "best" in rows[0]
    assert "worse" in rows[1]
    assert "REFUSED" in rows[-1]
    assert "keep the revoked chain" in rows[-1]
    for label in ("WHY", "DOUBT", "NEXT"):
        assert any(line.startswith(f" {label}") for line in screen.splitlines())


def test_the_screen_says_what_the_command_says(policy: str) -> None:
    """The text to copy is the one that `rotator now` prints: the same core answers."""
    app = planner(policy)
    drive(app, f"{UNKNOWN} y")
    picture = open_policy(policy, NOW.date())
    from rotator.report.emergency import chat
    from rotator.workflows.emergency import emergency

    found = emergency(picture, NOW, stolen="api-2025", suspected="unknown")
    assert app.clipboard == chat(found, picture.policy.name)
    assert len(app.clipboard) < LONGEST
    assert "\x1b" not in app.clipboard


def test_a_certificate_is_named_by_serial_with_what_mails_write_before_it_by_host_and_by_what_is_pasted(
    policy: str,
) -> None:
    inventory = open_policy(policy, NOW.date()).inventory
    chain = next(c for c in inventory.chains.values() if not c.planned and c.leaf.serial)
    serial = f"{chain.leaf.serial:X}"
    assert any(serial in about for _, about in nameable(inventory))
    by_serial, by_host = drive(
        planner(policy),
        f"exclamation_mark . {typed('serial=' + serial.lower())} enter . n . . .",
        f"o . {'ctrl+u'} {typed('api.shop.example.com')} enter . n . . .",
    )
    assert "the CA revokes" in by_serial
    assert "Reissue with the same key" in by_serial
    assert "the CA revokes" in by_host


def test_a_pasted_certificate_is_found_in_the_policy(policy: str) -> None:
    inventory = open_policy(policy, NOW.date()).inventory
    chain = inventory.chains["warehouse-now"]
    pem = (Path(policy).parent / "storefront" / "pki" / "warehouse.pem").read_text()

    async def run() -> str:
        app = planner(policy)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, ". exclamation_mark .")
            app.post_message(events.Paste(pem))
            await press(pilot, ". n . . .")
            return shown(app)

    assert f"the CA revokes {chain.name}" in asyncio.run(run())


def test_what_nobody_knows_is_refused_in_words_and_the_answer_before_it_stays(policy: str) -> None:
    first, refused = drive(planner(policy), STOLEN, f"o . {typed('0badcafe')} enter . n . . .")
    assert "api-2025 stolen" in first
    assert "REFUSED: no certificate of this policy is meant by this" in refused
    assert "api-2025 stolen" in refused


def test_hours_are_scrubbed_and_events_jumped_to(policy: str) -> None:
    start, later, swapped, days, back = drive(
        planner(policy),
        STOLEN,
        "greater_than_sign greater_than_sign .",
        "right_square_bracket .",
        "minus greater_than_sign .",
        "t .",
    )
    assert "BREAKS 0" in start
    assert "+0 h" in start
    assert "+2 h" in later
    assert "+22 h" in swapped
    assert "BREAKS 0" not in swapped
    assert "+28 h" in days
    assert "+0 h" in back


def test_what_is_to_do_is_ticked_off_and_a_report_keeps_it(policy: str) -> None:
    listed, ticked = drive(planner(policy), f"{STOLEN} d .", "space . K .")
    assert "have the CA revoke" in listed
    assert "order the certificate of api-spare" in listed
    assert "done 09:0" in ticked
    [kept] = (Path(policy).parent / "storefront.rotator" / "reports").glob("*.json")
    assert "have the CA revoke" in str(json.loads(kept.read_text())["document"]["blocks"][-1])


def test_enter_says_where_the_numbers_of_a_response_come_from(policy: str) -> None:
    best, refused = drive(planner(policy), f"{STOLEN} enter .", "escape end enter .")
    assert "put in order by" in best
    assert "serve:api:api-spare@2026-11-24T07:00Z" in best
    assert "Refused: " in refused


def test_p_promotes_what_the_response_serves_and_u_takes_it_back(policy: str) -> None:
    app = planner(policy)
    promoted, back = drive(app, f"{STOLEN} p . 4 .", "u .")
    assert "api-spare" in promoted or "api-2026" in promoted
    assert "storefront.toml *" in promoted
    assert "storefront.toml *" not in back


def test_the_key_under_the_cursor_is_the_one_asked_about_first(policy: str) -> None:
    [screen] = drive(planner(policy), "1 . down down exclamation_mark . enter . y . . .")
    assert "api-2026 stolen" in screen


def test_the_other_answers_are_there_on_a_wide_screen_at_once(policy: str) -> None:
    [screen] = drive(planner(policy), STOLEN, size=LARGE)
    for words in ("TO DO", "UNDO", "EXPOSED: up to", "BREAKS: up to", "SUM X1"):
        assert words in screen


def test_escape_gives_the_answer_up_and_the_one_before_stays(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = planner(policy)

    async def run() -> tuple[str, str, list[str]]:
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, f". {STOLEN}")
            monkeypatch.setattr(alarming, "emergency", endless)
            for key in ("c", "u"):
                await pilot.press(key)
            await pilot.pause(0.8)
            working = shown(app)
            await press(pilot, "greater_than_sign escape .")
            return working, shown(app), [notice.message for notice in app._notifications]

    working, after, notices = asyncio.run(run())
    assert "playing the responses: " in working
    assert "parts done; something long" in working
    assert "esc gives it up" in working
    assert "key suspected: yes" in after
    assert "+1 h" in after, "keys are answered while it works"
    assert any("given up" in notice for notice in notices)


def test_without_colour_the_signs_carry_what_is_meant(policy: str) -> None:
    app = planner(policy, no_color=True)
    seen: list[str] = []

    async def run() -> None:
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, f". {STOLEN}")
            seen.extend((shown(app), styles(app)))

    asyncio.run(run())
    assert "▲▲▲" in seen[0]
    assert "✖" in seen[0]


def test_a_name_that_is_a_key_and_a_host_means_the_host(policy: str) -> None:
    inventory = open_policy(policy, NOW.date()).inventory
    assert means(inventory, "api-2025") == {"stolen": "api-2025"}
    assert means(inventory, "api") == {"revoked": "api"}
    assert means(inventory, " 0A:3F ") == {"revoked": "0A:3F"}
