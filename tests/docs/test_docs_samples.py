"""The samples hold what the README says, and what commands print follows the published schemas."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date, datetime
from functools import cache
from typing import Any

import jsonschema
import pytest

from rotator.cli.main import main
from tests.docs.sources import DOCS, ROOT, SAMPLES, finding_ids, sections

TODAY = "2026-11-23"
README = (ROOT / "README.md").read_text(encoding="utf-8")
NAMES = [path.name for path in SAMPLES]


def schema(name: str) -> dict[str, Any]:
    text = (DOCS / f"{name}.schema.json").read_text(encoding="utf-8")
    value: dict[str, Any] = json.loads(text)
    return value


def valid(value: object, name: str) -> None:
    jsonschema.Draft202012Validator(schema(name), format_checker=jsonschema.FormatChecker()).validate(value)


def run(capsys: pytest.CaptureFixture[str], *words: str, today: str = TODAY) -> tuple[int, str]:
    code = main(words, {"ROTATOR_TODAY": today})
    return code, capsys.readouterr().out


def asked(capsys: pytest.CaptureFixture[str], *words: str, today: str = TODAY) -> dict[str, Any]:
    _, out = run(capsys, *words, "--json", today=today)
    value: dict[str, Any] = json.loads(out)
    return value


@cache
def sample(name: str) -> str:
    return str(ROOT / "policies" / name)


def simulated(capsys: pytest.CaptureFixture[str], name: str, *words: str, today: str = TODAY) -> dict[str, Any]:
    answer = asked(capsys, "simulate", sample(name), *words, "--no-report", today=today)
    valid(answer, "simulate")
    return answer


def broken(answer: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(c["app"], c["version"], c["reason"]) for c in answer["cohorts"] if c["verdict"] in ("breaks", "lost")}


# --- schemas ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["policy", "simulate", "check", "backtest", "threats", "drill", "now", "status", "new", "observe", "review", "why"],
)
def test_schemas_are_sound(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize(
    ("name", "host"), [("storefront.toml", "api"), ("storefront.toml", "warehouse"), ("intranet-bank.toml", "core")]
)
def test_a_grid_of_threats_fits_its_schema(capsys: pytest.CaptureFixture[str], name: str, host: str) -> None:
    grid = asked(capsys, "threats", sample(name), host)
    valid(grid, "threats")
    columns = [pins["id"] for pins in grid["pins"]]
    assert all([cell["pins"] for cell in row["cells"]] == columns for row in grid["threats"])


@pytest.mark.parametrize("name", ["storefront.toml", "intranet-bank.toml"])
def test_a_drill_fits_its_schema(capsys: pytest.CaptureFixture[str], name: str) -> None:
    found = asked(capsys, "drill", sample(name))
    valid(found, "drill")
    assert found["total"] == len(found["losses"]) > 0


@pytest.mark.parametrize("words", [("--revoked", "api"), ("--stolen", "api-2026"), ("--stolen", "api-2025")])
def test_an_emergency_fits_its_schema(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    found = asked(capsys, "now", sample("storefront.toml"), *words, "--no-report")
    valid(found, "now")
    assert [r["recommended"] for r in found["responses"]] == [True] + [False] * (len(found["responses"]) - 1)


EVERY = (
    "ca-compromise:digicert-g2",
    "mis-issue:api",
    "mis-issue:pay:digicert-g3",
    "hostile-pins:api",
    "strip:api",
    "wrong-pin:mobile-4",
    "local-root:shop-android?intercepts=yes",
    "intermediate-swap:api:free-tls-1",
    "algorithm-change:images:ec-p384",
    "ship:shop-android:99.0:mobile-4",
    "publish:shop-ios:mobile-4",
    "floor:shop-android:7.0.0",
    "destroy:api-2024",
)


@pytest.mark.parametrize("words", [*((event,) for event in EVERY), EVERY], ids=lambda words: words[0])
def test_every_event_is_answered_alone_and_with_all_others(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    simulated(capsys, "storefront.toml", *words)


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    """Give TOML values as JSON has them: dates as text."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


@pytest.mark.parametrize("name", NAMES)
def test_samples_follow_the_schema_of_the_policy_file(name: str) -> None:
    with (ROOT / "policies" / name).open("rb") as file:
        valid(plain(tomllib.load(file)), "policy")


@pytest.mark.parametrize("name", NAMES)
def test_check_prints_what_its_schema_says(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = asked(capsys, "check", sample(name))
    valid(answer, "check")
    assert {finding["id"] for finding in answer["findings"]} <= set(finding_ids())


@pytest.mark.parametrize("name", NAMES)
def test_no_finding_is_about_a_place_of_this_machine(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a policy allows, and a baseline kept elsewhere, name findings by their subjects."""
    subjects = [finding["subject"] for finding in asked(capsys, "check", sample(name))["findings"]]
    assert subjects
    assert not [subject for subject in subjects if str(ROOT) in subject]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("words", [(), ("--totals",), ("--until", "2027-03-31")], ids=["plain", "totals", "days"])
def test_simulate_prints_what_its_schema_says(
    name: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = simulated(capsys, name, *words)
    assert ("cohorts" in answer) == ("--totals" not in words)
    assert ("days" in answer) == ("--until" in words)


# --- what the README says of the samples ------------------------------------------------------------------------------


def said_of(name: str) -> str:
    return sections(README, 3)[f"In `policies/{name}"].partition("\n## ")[0]


@pytest.mark.parametrize("name", NAMES)
def test_readme_names_every_finding_of_a_sample_and_no_other(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = asked(capsys, "check", sample(name))
    said = set(re.findall(r"`([a-z0-9-]+)`", said_of(name))) & set(finding_ids())
    assert said == {finding["id"] for finding in answer["findings"]}


@pytest.mark.parametrize("name", NAMES)
def test_readme_numbers_are_those_of_the_program(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every number with a thousands separator, or above a hundred, is one the program gives for what is asked there."""
    from rotator.report.document import number

    given: set[str] = set()
    for words in QUESTIONS[name]:
        answer = simulated(capsys, name, *words)
        for total in (answer["broken"], answer["exposed"], *(day["broken"] for day in answer.get("days", []))):
            given.add(number(total["clients"]))
    said = set(re.findall(r"(?<![\w./-])\d{1,3}(?:,\d{3})+(?![\w-])|(?<![\w.,/-])\d{3}(?= devices)", said_of(name)))
    assert said
    assert said <= given


QUESTIONS = {
    "storefront.toml": (
        ("key-compromise:api-2025",),
        ("--serve", "api=api-next"),
        ("--serve", "api=api-spare"),
        ("--until", "2027-03-31"),
    ),
    "intranet-bank.toml": ((), ("--scenario", "other-ca"), ("--scenario", "hsm-a-stolen")),
}


def test_a_stolen_primary_exposes_every_phone(capsys: pytest.CaptureFixture[str]) -> None:
    answer = simulated(capsys, "storefront.toml", "key-compromise:api-2025")
    rows = [c for c in answer["cohorts"] if c["host"] == "api"]
    assert {c["verdict"] for c in rows} == {"exposed"}
    assert {c["app"] for c in rows} == {"shop-android", "shop-ios", "orders-job"}
    assert {c["verdict"] for c in answer["cohorts"] if c["app"] == "stock-sync"} == {"ok"}


def test_serving_the_backup_from_a_new_ca_breaks_two_kinds_of_clients(capsys: pytest.CaptureFixture[str]) -> None:
    answer = simulated(capsys, "storefront.toml", "--serve", "api=api-next")
    assert broken(answer) == {
        ("shop-android", "7.2.0", "no-path"),
        ("shop-android", "6.8.0", "pin-mismatch"),
        ("shop-android", "6.8.0", "no-path"),
        ("shop-android", "5.9.0", "no-path"),
        ("shop-ios", "10.3", "pin-mismatch"),
        ("orders-job", "-", "pin-mismatch"),
    }


def test_serving_the_backup_from_the_same_ca_breaks_those_without_the_pin(capsys: pytest.CaptureFixture[str]) -> None:
    answer = simulated(capsys, "storefront.toml", "--serve", "api=api-spare")
    assert broken(answer) == {("shop-android", "6.8.0", "pin-mismatch"), ("orders-job", "-", "pin-mismatch")}


def test_after_its_pins_have_ended_a_release_does_not_break(capsys: pytest.CaptureFixture[str]) -> None:
    answer = simulated(capsys, "storefront.toml", "--serve", "api=api-spare", today="2027-02-01")
    on_api = {c["version"] for c in answer["cohorts"] if c["verdict"] == "breaks" and c["host"] == "api"}
    assert on_api == {"-"}
    row = next(c for c in answer["cohorts"] if c["version"] == "6.8.0" and c["host"] == "api")
    assert (row["verdict"], row["reason"]) == ("unpinned", "pins-expired")


def test_the_partner_breaks_a_release_on_the_day_it_announced(capsys: pytest.CaptureFixture[str]) -> None:
    answer = simulated(capsys, "storefront.toml", "--until", "2027-03-31")
    days = {day["date"]: day["broken"]["clients"] for day in answer["days"]}
    assert days["2027-02-14"] == 0
    assert days["2027-02-15"] > 0
    assert answer["first_break"]["version"] == "7.2.0"


def test_in_the_friday_scenario_some_are_refused_and_exposed(capsys: pytest.CaptureFixture[str]) -> None:
    answer = simulated(capsys, "storefront.toml", "--scenario", "friday-leak")
    assert answer["lost"]["clients"] == answer["broken"]["clients"] > 0


def test_a_distrusted_vendor_breaks_everybody_at_the_next_renewal(capsys: pytest.CaptureFixture[str]) -> None:
    answer = simulated(capsys, "storefront.toml", "--scenario", "vendor-distrusted", "--until", "2027-05-31")
    days = {day["date"]: day["broken"]["share"] for day in answer["days"]}
    assert days["2027-03-28"] < 0.1
    assert days["2027-03-29"] > 0.99


def test_export_of_the_fix_writes_both_platforms(capsys: pytest.CaptureFixture[str]) -> None:
    answer = asked(capsys, "export", sample("storefront.toml"), "--promote", "api-2026", "--drop", "api-2025")
    assert not answer["unsafe"]
    assert [f["change"] for f in answer["files"]] == ["changed"] * 3
    assert {f["what"].partition(" ")[0] for f in answer["files"]} == {"android-nsc", "apple-ats", "the"}


def test_the_bank_breaks_only_behind_the_proxy_today(capsys: pytest.CaptureFixture[str]) -> None:
    answer = simulated(capsys, "intranet-bank.toml")
    assert {c["trust"] for c in answer["cohorts"] if c["verdict"] == "breaks"} == {"inspected"}


def test_two_lists_break_when_the_ca_moves_and_the_key_stays(capsys: pytest.CaptureFixture[str]) -> None:
    answer = simulated(capsys, "intranet-bank.toml", "--scenario", "other-ca")
    moved = {c["app"] for c in answer["cohorts"] if c["verdict"] == "breaks" and c["trust"] == "managed"}
    assert moved == {"tablet"}


def test_a_client_that_checks_nothing_but_the_pin_does_not_notice_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    answer = simulated(capsys, "intranet-bank.toml", "expire:ledger-now")
    assert {c["verdict"] for c in answer["cohorts"] if c["app"] == "ledger"} == {"ok"}
    late = simulated(capsys, "intranet-bank.toml", "key-compromise:ledger-2026", "--at", "2032-01-01")
    assert {c["verdict"] for c in late["cohorts"] if c["app"] == "ledger"} == {"exposed"}


def test_a_stolen_backup_is_enough_where_nothing_but_the_pin_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    answer = simulated(capsys, "intranet-bank.toml", "key-compromise:ledger-2027")
    assert {c["app"] for c in answer["cohorts"] if c["verdict"] == "exposed"} == {"ledger"}
    other = simulated(capsys, "intranet-bank.toml", "key-compromise:core-2027")
    assert other["exposed"]["clients"] == 0
    assert any("needs-certificate" in note for note in other["because"]["notes"])


def test_a_certified_backup_exposes_those_who_pin_it(capsys: pytest.CaptureFixture[str]) -> None:
    answer = simulated(capsys, "storefront.toml", "key-compromise:api-2026?certified=yes")
    exposed = {(c["app"], c["version"], c["host"]) for c in answer["cohorts"] if c["verdict"] == "exposed"}
    assert {host for _, _, host in exposed} == {"api"}
    assert ("shop-android", "7.4.0", "api") in exposed
    assert ("shop-android", "6.8.0", "api") not in exposed
    assert ("orders-job", "-", "api") not in exposed


def test_a_release_to_come_has_no_clients_and_hides_no_total(capsys: pytest.CaptureFixture[str]) -> None:
    answer = simulated(capsys, "storefront.toml")
    assert {c["clients"] for c in answer["cohorts"] if c["version"] == "7.5.0"} == {0}
    assert answer["population"] == 3_072_154


def test_a_step_is_not_blamed_for_those_who_are_broken_already(capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(capsys, sample("intranet-bank.toml"))
    assert "Serve core-2027? YES: breaks 0" in out


@pytest.mark.parametrize("today", ["2026-11-23", "2027-03-01", "2027-09-01"])
@pytest.mark.parametrize("name", NAMES)
def test_samples_keep_their_summary_for_months(name: str, today: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, sample(name), today=today)
    lines = out.splitlines()
    assert code == 1
    assert "ATTENTION" in out
    assert len(lines) < 50
    assert max(map(len, lines)) <= 80
    assert out.isascii()


def test_no_private_key_lies_in_the_samples() -> None:
    for path in (ROOT / "policies").rglob("*"):
        if path.is_file() and path.suffix != ".py":
            assert b"PRIVATE KEY" not in path.read_bytes(), path


# --- the README's two commands ----------------------------------------------------------------------------------------


def test_the_first_two_shell_blocks_are_one_line_each() -> None:
    first, second = re.findall(r"(?ms)^```sh\n(.*?)^```", README)[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert first.rstrip().endswith("rotator policies/storefront.toml")
    assert "pytest" in second
    for line in (first, second):
        assert line.startswith("python3 -m venv ")
        assert not re.search(r"\b(sudo|uv|pipx|curl)\b", line)


def test_the_readme_opens_with_three_sentences_and_a_picture() -> None:
    title, words, picture = README.split("\n\n")[:3]
    assert title == "# Rotator"
    assert len(re.findall(r"[.](?=\s|$)", words)) == 3
    assert picture.startswith("![")
