"""The JSON Schema of the policy file: made from the tables that read it."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from datetime import date, datetime
from typing import Any

import jsonschema
import pytest

from rotator.files.policy_tables import json_schema
from tests.desk import BASE, app
from tests.files.examples import EVERYTHING, NEWCOMER

VALIDATOR = jsonschema.Draft202012Validator(json_schema(), format_checker=jsonschema.FormatChecker())


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    """Give TOML values as JSON has them: dates as their text."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def parsed(text: str) -> Any:  # noqa: ANN401 - a JSON value
    """Read TOML as JSON values."""
    return plain(tomllib.loads(text))


@pytest.mark.parametrize("text", [NEWCOMER, EVERYTHING, BASE + app("shop")], ids=["newcomer", "everything", "desk"])
def test_sound_policies_are_accepted(text: str) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(parsed(text))] == []


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def misspelt(document: Any, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - a JSON value
    """Misspell the last key of a path."""
    changed = deepcopy(document)
    here = changed
    for part in path[:-1]:
        here = here[part]
    here[f"{path[-1]}x"] = here.pop(path[-1])
    return changed


@pytest.mark.parametrize(
    "path",
    [
        ("measured",),
        ("limits", "break_budget"),
        ("keys", "api-2025", "custody"),
        ("authorities", "dst-x3", "until"),
        ("chains", "api-next", "not_before"),
        ("hosts", "api", "renew_key"),
        ("hosts", "broker", "dane", "dnssec"),
        ("trust", "android-7", "os"),
        ("pinsets", "mobile-3", "expires"),
        ("apps", "shop-android", "hosts"),
        ("apps", "shop-android", "releases", 1, "released"),
        ("apps", "shop-android", "counts", "unit"),
        ("apps", "shop-android", "floors", 0, "date"),
        ("mechanisms", "ledger-verify", "scope"),
        ("exports", 0, "files"),
        ("freeze", 0, "to"),
        ("calendar", 0, "event"),
        ("scenarios", "friday-leak", 0, "date"),
        ("allow", 0, "reason"),
    ],
    ids=lambda path: ".".join(map(str, path)),
)
def test_a_misspelt_key_is_rejected(path: tuple[str | int, ...]) -> None:
    document = parsed(EVERYTHING)
    assert not VALIDATOR.is_valid(misspelt(document, path))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "1"),
        (("measured",), "yesterday"),
        (("limits", "break_budget"), 2),
        (("hosts", "api", "port"), 0),
        (("pinsets", "mobile-3", "mode"), "enforced"),
        (("calendar", 0, "event"), "nonsense"),
        (("apps", "ledger", "clients"), -1),
        (("apps", "ledger", "mechanism"), []),
    ],
)
def test_a_wrong_value_is_rejected(path: tuple[str | int, ...], value: object) -> None:
    document = parsed(EVERYTHING)
    here = document
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value
    assert not VALIDATOR.is_valid(document)


def test_a_policy_without_schema_is_rejected() -> None:
    assert not VALIDATOR.is_valid({})
    assert VALIDATOR.is_valid({"schema": 1})
