"""Every page says what the code says, and nothing that it does not."""

from __future__ import annotations

import re

import pytest

from rotator.files.policy_app_tables import APP_FIELDS, RELEASE_FIELDS
from rotator.files.policy_tables import (
    AUTHORITY,
    CHAIN,
    HOST,
    KEY,
    LIMITS,
    MECHANISM,
    PINSET,
    POLICY,
    ROW,
    TRUST,
)
from rotator.files.policy_toml import read_policy
from rotator.files.policy_values import COVER
from rotator.files.reading import Either, Many, Table, Type
from rotator.mechanisms.registry import KNOWN_IDS, MODULES, mechanism
from rotator.model.verdicts import REFUSAL_ORDER, Reason, Verdict
from rotator.plan.invariants import INVARIANTS
from rotator.plan.values import RULES
from rotator.simulate.grammar import ACTIONS, EVENTS
from tests.docs.making import COMMON, commands, made
from tests.docs.sources import DOCS, GAPS, ROOT, finding_ids, loss_ids, sections, severities


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(made()))
def test_generated_parts_are_those_the_code_makes(path: str) -> None:
    assert page(path) == made()[path], "python -m tests.docs.making writes them again"


# --- commands ---------------------------------------------------------------------------------------------------------


def test_every_command_has_its_section_and_no_other() -> None:
    assert set(sections(page("commands.md"))) == set(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_option_stands_in_the_section_of_its_command(name: str) -> None:
    command = commands()[name]
    written = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", sections(page("commands.md"))[name]))
    assert command.options - set(COMMON) - {"-h", "--help"} <= written
    others = set().union(*(c.options for c in commands().values()))
    assert {w for w in written if w in others} <= command.options
    assert command.about
    assert all(about for _, about in command.arguments)


def test_options_of_every_command_stand_on_top() -> None:
    top = page("commands.md").partition("\n## ")[0]
    assert all(f"`{option}`" in top for option in COMMON)


def test_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = sections(readme)["Commands"]
    missing = [name for name in commands() if name != "open" and f"`rotator {name}" not in table]
    assert not missing


# --- findings, reasons, events, mechanisms ----------------------------------------------------------------------------


def test_every_finding_of_the_code_has_its_section_and_no_other() -> None:
    assert set(sections(page("findings.md"))) == set(finding_ids())


@pytest.mark.parametrize("name", sorted(finding_ids()))
def test_a_finding_says_its_severity_and_what_to_do(name: str) -> None:
    body = sections(page("findings.md"))[name].strip()
    assert re.match(r"(Error|Warning|Info)\b", body)
    assert "**Do:**" in body or name == "expiry-is-local"


@pytest.mark.parametrize("name", sorted(set(severities()) - {each.format(w) for each, ws in GAPS.items() for w in ws}))
def test_a_finding_names_each_severity_the_code_gives_it(name: str) -> None:
    meaning = sections(page("findings.md"))[name].partition("**Do:**")[0].lower()
    assert severities()[name] <= set(re.findall(r"\b(?:error|warning|info)\b", meaning))


def test_every_loss_is_a_finding_with_a_section() -> None:
    assert loss_ids() <= set(sections(page("findings.md")))


def test_every_reason_has_its_paragraph_in_the_order_of_the_code() -> None:
    assert list(sections(page("verdicts.md"), 3)) == [str(reason) for reason in Reason]


def test_verdicts_and_their_signs_stand_in_the_table() -> None:
    for verdict in Verdict:
        assert f"| `{verdict}` | {verdict.glyph} {verdict.ascii_glyph} {verdict.letter} |" in page("verdicts.md")


def test_the_order_of_reasons_is_that_of_the_code() -> None:
    text = " ".join(page("verdicts.md").split())
    said = [r for r in REFUSAL_ORDER if r is not Reason.FORCED_OUT]
    assert ", ".join(said) in text


def test_every_event_and_action_has_its_paragraph() -> None:
    parts = sections(page("events.md"))
    assert set(sections(parts["Events"], 3)) == set(EVENTS)
    assert set(sections(parts["Actions"], 3)) == set(ACTIONS)


def test_every_mechanism_that_is_played_has_its_section() -> None:
    found = sections(page("mechanisms.md"), 3)
    assert [title.partition("`")[0] for title in found] == list(KNOWN_IDS)


def test_import_names_every_mechanism_with_a_file() -> None:
    reads = sections(page("formats.md"))["What import reads"]
    assert re.findall(r"(?m)^\| `([a-z0-9-]+)`", reads) == list(MODULES)


def test_export_names_every_file_and_every_list_of_somebody_else() -> None:
    """Formats that are read and never written are named as such; every other file has its row."""
    writes = sections(page("formats.md"))["What export writes"].partition("<!--")[0]
    found = [mechanism(name) for name in MODULES]
    rows = dict(re.findall(r"(?m)^\| `([a-z0-9-]+)` \| `([^`]+)`", writes))
    assert rows == {own.id: own.file_name for own in found if own.ours_to_write}
    assert all(f"`{own.id}`" in writes for own in found if not own.ours_to_write)


# --- the policy file --------------------------------------------------------------------------------------------------


def fields_of(kind: Type) -> set[str]:
    """Give the keys of the table inside a type."""
    if isinstance(kind, Table):
        return set(kind.fields)
    if isinstance(kind, Many):
        return fields_of(kind.item)
    assert isinstance(kind, Either)
    return set().union(*(fields_of(inner) for _, inner, _ in kind.shapes if isinstance(inner, Table)))


TABLES = {
    "The top of the file": set(POLICY.fields),
    "[limits]": set(LIMITS.fields),
    "[keys]": set(KEY.fields),
    "[authorities]": set(AUTHORITY.fields),
    "[chains]": set(CHAIN.fields),
    "[hosts]": set(HOST.fields),
    "edges": fields_of(HOST.fields["edges"]),
    "dane": fields_of(HOST.fields["dane"]),
    "[trust]": set(TRUST.fields),
    "[pinsets]": set(PINSET.fields),
    "covers": fields_of(COVER),
    "[apps]": set(APP_FIELDS),
    "releases": set(RELEASE_FIELDS),
    **{name: fields_of(APP_FIELDS[name]) for name in ("counts", "floors", "beside", "adoption")},
    "[mechanisms]": set(MECHANISM.fields),
    "[fleet]": fields_of(POLICY.fields["fleet"]),
    "[[exports]]": fields_of(POLICY.fields["exports"]),
    "[[freeze]]": fields_of(POLICY.fields["freeze"]),
    "[[calendar]]` and `[[scenarios.NAME]]": set(ROW.fields),
    "[[allow]]": fields_of(POLICY.fields["allow"]),
}


@pytest.mark.parametrize("title", sorted(TABLES))
def test_every_key_of_the_policy_file_is_explained_and_no_other(title: str) -> None:
    text = page("policy-file.md").replace("\n### ", "\n## ")
    rows = re.findall(r"(?m)^\| `([a-z_]+)` \|", sections(text)[title])
    assert sorted(rows) == sorted(TABLES[title])


def test_defaults_of_limits_are_those_of_the_code() -> None:
    from rotator.model.policy import Limits

    said = dict(re.findall(r"(?m)^\| `([a-z_]+)` \| ([0-9.]+|none) \|", sections(page("policy-file.md"))["[limits]"]))
    assert {k: None if v == "none" else float(v) for k, v in said.items()} == {
        name: getattr(Limits(), name) for name in LIMITS.fields
    }


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", text)


@pytest.mark.parametrize("name", ["policy-file.md"])
def test_whole_examples_are_policies(name: str) -> None:
    whole = [block for block in blocks(page(name), "toml") if block.startswith("schema = 1")]
    assert whole
    for block in whole:
        policy, _ = read_policy("example.toml", block.encode())
        assert policy.apps


def test_the_examples_of_rows_fit_the_grammar() -> None:
    from rotator.simulate.grammar import parse_action, parse_event

    rows = [line for name in ("events.md",) for block in blocks(page(name), "toml") for line in block.splitlines()]
    events = [line.partition(" = ")[2].strip('"') for line in rows if line.startswith("event")]
    actions = [line.partition(" = ")[2].strip('"') for line in rows if line.startswith("action")]
    assert events
    assert actions
    for text in events:
        parse_event(text)
    for text in actions:
        parse_action(text)


def test_the_invariants_of_planning_are_those_that_plans_name() -> None:
    rows = re.findall(r"^\| (I\d+) \| (.*) \|$", (DOCS / "planning.md").read_text(), re.MULTILINE)
    assert dict(rows) == dict(RULES)
    assert set(INVARIANTS) == set(RULES)


# --- all pages --------------------------------------------------------------------------------------------------------

PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(path: object) -> None:
    from pathlib import Path

    assert isinstance(path, Path)
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if not target.startswith("https://") and not target.startswith("docs/pictures/"):
            assert (path.parent / target).exists(), target
