"""Make the parts of the documentation that follow from the code: `python -m tests.docs.making` writes them.

A generated part stands between two comments in a page; whole files are JSON Schemas. The tests beside this file
compare, so that a change of the code without its page does not go in.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rotator.checks.difference import TODAY
from rotator.cli.parser import parser
from rotator.files.facts import known_facts
from rotator.files.policy_tables import json_schema
from rotator.files.reference import system_facts
from rotator.mechanisms.base import Mechanism, PinsetSpec
from rotator.mechanisms.registry import KNOWN_IDS, mechanism
from rotator.model.calendar import Certainty
from rotator.model.findings import Severity
from rotator.model.names import Cover, Reach
from rotator.model.pins import Pin, PinKind
from rotator.model.rules import Combine, Mode
from rotator.model.sightings import Fault
from rotator.model.verdicts import Reason, Verdict
from rotator.report.because import MOST_INPUTS
from rotator.report.mechanisms import AXES, axes, pairs
from rotator.simulate.backtest import PARTS, Level
from rotator.simulate.because import TOTALS
from rotator.simulate.grammar import ACTIONS, EVENTS, Form, usage_of
from rotator.simulate.grid import Outcome
from rotator.simulate.terms import MOST_MOVES
from rotator.tui.actions import EVERYWHERE, FILTER, HELP, KNOBS, LIST, PANES, readable
from rotator.tui.keymaps import KEYMAPS, KeyNames
from tests.docs.sources import DOCS
from tests.docs.stories import stories
from tests.incidents.page import overview, sections

Schema = dict[str, Any]
COMMON = ("--json", "--ascii", "--no-color")


def main() -> None:
    """Write every generated part."""
    for path, text in made().items():
        (DOCS / path).write_text(text, encoding="utf-8", newline="\n")


def made() -> dict[str, str]:
    """Give every page and file as it should be, by its path under `docs/`."""
    files = {f"{name}.schema.json": _json(schema()) for name, schema in SCHEMAS.items()}
    for page, blocks in BLOCKS.items():
        text = (DOCS / page).read_text(encoding="utf-8")
        for name, make in blocks.items():
            text = _put(text, name, make())
        files[page] = text
    return files


def _put(text: str, name: str, block: str) -> str:
    """Put a generated part between its two comments."""
    begin, end = f"<!-- made: {name} -->", "<!-- end -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        message = f"no place for {name}"
        raise LookupError(message)
    return pattern.sub(lambda _: f"{begin}\n{block.strip()}\n{end}", text, count=1)


def _json(value: Schema) -> str:
    return json.dumps(value, indent=2) + "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [tuple(head), *map(tuple, rows)]
    shown = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join([shown[0], "|" + "---|" * len(lines[0]), *shown[1:]])


# --- mechanisms -------------------------------------------------------------------------------------------------------


def _everything() -> PinsetSpec:
    """Give a pinset that says all that a pinset can say."""
    keys = tuple(Pin(PinKind.SPKI_SHA256, bytes([n]) * 32) for n in (1, 2))
    return PinsetSpec(
        name="all",
        covers=(Cover("example.com", Reach.ALL), Cover("example.org", Reach.ONLY_ONE)),
        keys=keys,
        authorities=(Pin(PinKind.SPKI_SHA256, bytes([3]) * 32),),
        certificates=(Pin(PinKind.CERT_SHA256, bytes([4]) * 32),),
        expires=date(2027, 6, 30),
        mode=Mode.REPORT_ONLY,
        combine=Combine.LEAF_AND_CA,
    )


def _played() -> list[Mechanism]:
    return [mechanism(name) for name in KNOWN_IDS]


def mechanism_table() -> str:
    """Give the axes of every mechanism, one row each."""
    rows = [(f"`{found.id}`", *axes(found).values()) for found in _played()]
    return _table(("id", *(name.replace("_", " ") for name in AXES)), rows)


def mechanism_sections() -> str:
    """Give a section for every mechanism."""
    parts = []
    for found in _played():
        said = dict(pairs(found))
        said["file written"] = f"`{found.file_name}`" if found.file_name else "none"
        said["known from"] = "; ".join(_link(source) for source in found.facts.sources)
        parts.append(f"### `{found.id}`: {found.facts.title.replace('<', '`<').replace('>', '>`')}\n")
        parts.append(_table(("", ""), said.items()) + "\n")
    return "\n".join(parts)


def _link(source: str) -> str:
    return f"<{source}>" if source.startswith("https://") else source


def losses_table() -> str:
    """Give what each format cannot say, by what the code says of a pinset that holds everything."""
    with_file = [found for found in _played() if found.file_name]
    rows = [(f"`{found.id}`", f"`{name}`", text) for found in with_file for name, text in found.losses(_everything())]
    return _table(("mechanism", "id", "what is lost"), rows)


# --- dated facts ------------------------------------------------------------------------------------------------------


def facts_table() -> str:
    """Give every dated fact, those without a day of their own first."""
    facts = sorted(known_facts(), key=lambda fact: fact.day or date.min)
    rows = []
    for fact in facts:
        sure = "" if fact.certainty is Certainty.STATED else f" ({fact.certainty})"
        when = fact.day.isoformat() if fact.day else f"{fact.hours} h" if fact.hours else "by key"
        rows.append((when, f"`{fact.id}`", str(fact.kind), fact.what + sure, _links(fact.source) or "none"))
    return _table(("day", "id", "kind", "what", "source"), rows)


def _links(source: str) -> str:
    return re.sub(r"https://[^\s,]+", lambda found: f"<{found[0]}>", source)


# --- events and commands ----------------------------------------------------------------------------------------------


def _events(forms: Mapping[str, Form]) -> str:
    rows = [(f"`{usage_of(name, form)}`", form.about) for name, form in forms.items()]
    return _table(("written", "what changes"), rows)


def events_table() -> str:
    """Give every event."""
    return _events(EVENTS)


def actions_table() -> str:
    """Give every action."""
    return _events(ACTIONS)


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the parser: its help, and its arguments as (written, help)."""

    about: str
    arguments: tuple[tuple[str, str], ...]
    options: frozenset[str]


def commands() -> dict[str, Command]:
    """Read the commands off the parser."""
    subparsers = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    helps = {choice.dest: choice.help or "" for choice in subparsers._choices_actions}
    found = {}
    for name, command in subparsers.choices.items():
        rows = []
        options: set[str] = set()
        for action in command._actions:
            if isinstance(action, argparse._HelpAction):
                continue
            options |= set(action.option_strings)
            if not set(action.option_strings) & set(COMMON):
                rows.append((_written(action), action.help or ""))
        found[name] = Command(helps[name], tuple(rows), frozenset(options))
    return found


def _written(action: argparse.Action) -> str:
    choices = "|".join(map(str, action.choices)) if action.choices else ""
    named = " ".join(action.metavar) if isinstance(action.metavar, tuple) else action.metavar
    metavar = named or choices or action.dest.upper()
    if not action.option_strings:
        return f"`{metavar}`" + (" ..." if action.nargs == "*" else "")
    takes = "" if action.nargs == 0 else f" {metavar}"
    default = f" (default `{action.default}`)" if takes and action.default not in (None, "", []) else ""
    return f"`{action.option_strings[0]}{takes}`{default}"


def command_block(name: str) -> str:
    """Give the arguments and options of one command."""
    return _table(("argument", "meaning"), commands()[name].arguments)


def roots_table() -> str:
    """Give what is known of the roots of systems."""
    facts = system_facts()
    rows = [
        (
            fact.name,
            *(f"`{fact.since[name].text}`" if name in fact.since else "-" for name in ("android", "ios")),
            f"{fact.certainty}: {fact.source}",
        )
        for fact in facts.roots
    ]
    young = "any that began after the next Android was out"
    why = f"by age: roots came with the system image before API level {facts.updatable_from}; days: {facts.source}"
    rows.append((young, "not in that one", "-", why))
    return _table(("root", "Android from", "iOS from", "how it is known"), rows)


# --- schemas of what is printed ---------------------------------------------------------------------------------------


def _object(properties: Schema, optional: Iterable[str] = ()) -> Schema:
    left_out = set(optional)
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in left_out],
        "additionalProperties": False,
    }


def _head(title: str) -> Schema:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}


_COUNT: Schema = {"type": ["integer", "null"], "minimum": 0}
_SHARE: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
_TEXT: Schema = {"type": "string"}
_DAY: Schema = {"type": "string", "format": "date"}
_INSTANT: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"}
_POLICY = _object({"name": _TEXT, "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}})
_TOTAL = _object(
    {"clients": _COUNT, "share": _SHARE, "low": _COUNT, "high": _COUNT},
    optional=("low", "high"),
)
KINDS = ("revoked", "primary-lost", "primary-stolen", "backup-lost", "ca-distrusted")
"""The rows of the standard drill."""


def simulate_schema() -> Schema:
    """Give the schema of `simulate --json`."""
    total = {"$ref": "#/$defs/total"}
    reasons = [str(reason) for reason in Reason]
    row = _object(
        {
            "app": _TEXT,
            "version": _TEXT,
            "mechanism": {"type": "array", "items": _TEXT},
            "trust": _TEXT,
            "host": _TEXT,
            "verdict": {"enum": [str(verdict) for verdict in Verdict]},
            "reason": {"enum": reasons},
            "attacker_reason": {"enum": [*reasons, None]},
            "pin_in_force": {"type": "boolean"},
            "unsure": {"type": "boolean"},
            "clients": _COUNT,
            "share": _SHARE,
            "why": _TEXT,
            "low": _COUNT,
            "high": _COUNT,
            "demands": {"type": "array", "items": _TEXT},
            "beside": _TEXT,
        },
        optional=("low", "high", "beside"),
    )
    first = _object({"at": _INSTANT, "app": _TEXT, "version": _TEXT, "host": _TEXT})
    odds = _object(
        {
            **dict.fromkeys(("app", "version", "trust", "host"), _TEXT),
            "per_renewal": {"type": "number", "minimum": 0, "maximum": 1},
            "renewals_per_year": {"type": "integer", "minimum": 1},
            "per_year": {"type": "number", "minimum": 0, "maximum": 1},
            "by": {"type": "array", "items": _TEXT},
        }
    )
    day = _object({"date": _DAY, "broken": total, "exposed": total, "unpinned": total})
    instant = _object({"at": _INSTANT, "broken": total, "exposed": total, "unpinned": total})
    answer = _object(
        {
            "schema": {"const": 1},
            "policy": _POLICY,
            "events": {"type": "array", "items": _TEXT},
            "at": _INSTANT,
            "population": _COUNT,
            **dict.fromkeys(("ok", "unpinned", "broken", "exposed", "lost"), total),
            "first_break": {"anyOf": [first, {"type": "null"}]},
            "because": _object(
                {
                    "notes": {"type": "array", "items": _TEXT},
                    **{name: {"$ref": "#/$defs/because"} for name in ("population", *TOTALS)},
                }
            ),
            "renewals": {"type": "array", "items": odds},
            "cohorts": {"type": "array", "items": row},
            "days": {"type": "array", "items": day},
            "instants": {"type": "array", "items": instant},
        },
        optional=("renewals", "cohorts", "days", "instants"),
    )
    short = {
        **_because(),
        "inputs": {"type": "array", "items": _input(), "maxItems": MOST_INPUTS},
        "left_out": {"type": "integer", "minimum": 0},
    }
    return {**_head("rotator simulate --json"), **answer, "$defs": {"total": _TOTAL, "because": _object(short)}}


def check_schema() -> Schema:
    """Give the schema of `check --json`."""
    finding = _object(
        {
            "id": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
            "severity": {"enum": [str(severity) for severity in Severity]},
            "subject": _TEXT,
            "message": _TEXT,
            "hint": _TEXT,
            "due": {"type": ["string", "null"], "format": "date"},
            "source": _TEXT,
            "known": {"type": "boolean"},
        },
        optional=("known",),
    )
    date_row = _object(
        {
            "date": _DAY,
            "what": _TEXT,
            "subject": _TEXT,
            "fact": _TEXT,
            "source": _TEXT,
            "certainty": {"enum": [str(certainty) for certainty in Certainty]},
        }
    )
    answer = _object(
        {
            "schema": {"const": 1},
            "policy": _POLICY,
            "findings": {"type": "array", "items": finding},
            "calendar": {"type": "array", "items": date_row},
        }
    )
    return {**_head("rotator check --json"), **answer}


def threats_schema() -> Schema:
    """Give the schema of `threats --json`."""
    kinds = _object({"id": _TEXT, "label": _TEXT, "of": {"type": "array", "items": _TEXT}})
    cell = _object(
        {
            "pins": _TEXT,
            "outcome": {"enum": [str(outcome) for outcome in Outcome]},
            "unsure": {"type": "boolean"},
            "why": _TEXT,
        }
    )
    row = _object(
        {
            "id": _TEXT,
            "label": _TEXT,
            "maintenance": {"type": "boolean"},
            "events": {"type": "array", "items": _TEXT},
            "cells": {"type": "array", "items": cell},
        }
    )
    answer = _object(
        {
            "schema": {"const": 1},
            "policy": _POLICY,
            "host": _TEXT,
            "at": _INSTANT,
            "mechanism": _TEXT,
            "trust": _TEXT,
            "path": {"type": "array", "items": _TEXT},
            "pins": {"type": "array", "items": kinds},
            "threats": {"type": "array", "items": row},
        }
    )
    return {**_head("rotator threats --json"), **answer}


def drill_schema() -> Schema:
    """Give the schema of `drill --json`."""
    texts = {"type": "array", "items": _TEXT}
    loss = _object(
        {
            "events": {**texts, "minItems": 1, "maxItems": 2},
            "broken": _TOTAL,
            "exposed": _TOTAL,
            "response": {"anyOf": [texts, {"type": "null"}]},
            "safe_on": {"anyOf": [_DAY, {"type": "null"}]},
        }
    )
    answer = _object(
        {
            "schema": {"const": 1},
            "policy": _POLICY,
            "at": _INSTANT,
            "broken": _TOTAL,
            "exposed": _TOTAL,
            "total": {"type": "integer", "minimum": 0},
            "losses": {"type": "array", "items": loss},
        }
    )
    return {**_head("rotator drill --json"), **answer}


def plan_schema() -> Schema:
    """Give the schema of `plan --json`."""

    def maybe(schema: Schema) -> Schema:
        return {"anyOf": [schema, {"type": "null"}]}

    texts = {"type": "array", "items": _TEXT}
    standing = _object({"broken": _TOTAL, "exposed": _TOTAL})
    binding = _object({"invariant": _TEXT, "segment": _TEXT, "formula": _TEXT})
    step = _object(
        {
            "number": {"type": "integer", "minimum": 1},
            "action": {"enum": ["ship", "serve", "drop", "floor", "publish", "revoke", "observe", "destroy"]},
            "subject": _TEXT,
            "title": _TEXT,
            "earliest": maybe(_DAY),
            "planned": maybe(_DAY),
            "latest": maybe(_DAY),
            "range": maybe(_object({"p10": maybe(_DAY), "p50": maybe(_DAY), "p90": maybe(_DAY)})),
            "unsure": {"type": "boolean"},
            "before": maybe(standing),
            "after": maybe(standing),
            "binding": binding,
            "undo": _TEXT,
            "proof": _TEXT,
            "states": texts,
            "adds": texts,
            "drops": texts,
        }
    )
    way = _object(
        {
            "id": _TEXT,
            "title": _TEXT,
            "left": _TOTAL,
            "done": maybe(_DAY),
            "price": _TEXT,
            "safe": {"type": "boolean"},
        }
    )
    days: Schema = {"type": "number", "minimum": 0}
    renewed = _object(
        {"host": _TEXT, "renew_days": {"type": "integer"}, "keys_ahead": maybe({"type": "integer", "minimum": 1})}
    )
    pace = _object(
        {"carried_days": maybe(days), "least_days": maybe(days), "hosts": {"type": "array", "items": renewed}}
    )
    point = _object(
        {
            "date": _DAY,
            "coverage": maybe({"type": "number", "minimum": 0, "maximum": 1}),
            "segment": _TEXT,
            "broken": _TOTAL,
            "exposed": _TOTAL,
        }
    )
    also = {"type": "array", "items": _object({"from": _TEXT, "to": _TEXT})}
    named = {name: maybe(_TEXT) for name in ("to", "from", "chain", "pinset", "algorithm", "pin_to")}
    blocked = _object(
        {
            "step": {"type": "integer", "minimum": 1},
            "invariant": _TEXT,
            "segment": _TEXT,
            "who": texts,
            "left": _TOTAL,
            "unsure": {"type": "boolean"},
            "settled_by": maybe(_TEXT),
            "expected": maybe(_DAY),
        }
    )
    share: Schema = {"type": "number", "minimum": 0, "maximum": 1}
    answer = _object(
        {
            "schema": {"const": 1},
            "policy": _object({"sha256": _TEXT}),
            "goal": _object({"text": _TEXT, **named, "also": also, "hosts": texts, "by": maybe(_DAY), "take": texts}),
            "made": _TEXT,
            "outcome": {"enum": ["plan", "never"]},
            "blocked_at": maybe({"type": "integer", "minimum": 1}),
            "blocked": maybe(blocked),
            "at_best": maybe(share),
            "at_best_range": _object({"low": maybe(share), "high": maybe(share)}),
            "confidence": share,
            "seed": {"type": "integer"},
            "deadline": maybe(_object({"date": _DAY, "reason": _TEXT})),
            "slack_days": maybe({"type": "integer"}),
            "steps": {"type": "array", "items": step},
            "exits": {"type": "array", "items": way},
            "accepted": maybe(_TEXT),
            "loss": maybe(_TEXT),
            "findings": texts,
            "cadence": texts,
            "pace": maybe(pace),
            "curve": maybe({"type": "array", "items": point}),
            "notes": texts,
            "replay": _object({"agrees": {"type": "boolean"}, "against": texts}),
        }
    )
    return {**_head("rotator plan --json"), **answer}


def status_schema() -> Schema:
    """Give the schema of `status --json`."""
    texts = {"type": "array", "items": _TEXT}
    share: Schema = {"type": "number", "minimum": 0, "maximum": 1}

    def maybe(own: Schema) -> Schema:
        return {"anyOf": [own, {"type": "null"}]}

    seen = _object(
        {
            "at": _INSTANT,
            "how": {"enum": ["said", "observed", "counted"]},
            "share": maybe(share),
            "evidence": maybe(_TEXT),
            "sha256": maybe(_TEXT),
            "by": maybe(_TEXT),
        }
    )
    counted = _object(
        {"day": _DAY, "low": share, "forecast": share, "high": share, "counted": share, "holds": {"type": "boolean"}}
    )
    step = _object(
        {
            "number": {"type": "integer", "minimum": 1},
            "action": _TEXT,
            "subject": _TEXT,
            "title": _TEXT,
            "earliest": maybe(_DAY),
            "planned": maybe(_DAY),
            "latest": maybe(_DAY),
            "state": {"enum": ["done", "may be done", "late", "waits", "look again"]},
            "why": maybe(_TEXT),
            "seen": maybe(seen),
            "range": maybe(counted),
        }
    )
    moved = _object({"action": _TEXT, "subject": _TEXT, "title": _TEXT, "old": maybe(_DAY), "new": maybe(_DAY)})
    answer = _object(
        {
            "schema": {"const": 1},
            "policy": _POLICY,
            "plan": _TEXT,
            "goal": _TEXT,
            "made": _INSTANT,
            "at": _INSTANT,
            "off": {"type": "boolean"},
            "slack_days": maybe({"type": "integer"}),
            "today": {"type": "array", "items": {"type": "integer", "minimum": 1}},
            "next_look": maybe(_DAY),
            "inputs_moved": texts,
            "steps": {"type": "array", "items": step},
            "causes": texts,
            "proposal": {"type": "array", "items": moved},
            "notes": texts,
        }
    )
    return {**_head("rotator status --json"), **answer}


def now_schema() -> Schema:
    """Give the schema of `now --json`."""
    texts = {"type": "array", "items": _TEXT}
    number: Schema = {"type": ["integer", "null"], "minimum": 0}
    text_or_none: Schema = {"type": ["string", "null"]}
    days = _object({"user_days": number, "low": number, "high": number}, optional=("low", "high"))
    response = _object(
        {
            "id": _TEXT,
            "title": _TEXT,
            "standing": {"enum": ["front", "dominated", "refused"]},
            "recommended": {"type": "boolean"},
            "refused": text_or_none,
            "serves": text_or_none,
            "swap": {"anyOf": [_INSTANT, {"type": "null"}]},
            "actions": texts,
            "releases": {"type": "array", "items": _object({"app": _TEXT, "version": _TEXT, "at": _INSTANT})},
            "worst": _object({"at": _INSTANT, **_TOTAL["properties"]}, optional=("low", "high")),
            "broken_user_days": days,
            "exposed_user_days": days,
            "score": {"type": "number", "minimum": 0},
            "broken_last": _TOTAL,
            "exposed_last": _TOTAL,
            "unsure": {"type": "boolean"},
        }
    )
    reissue = _object(
        {
            "at": _INSTANT,
            "broken": _TOTAL,
            "broken_by_other_issuer": {"anyOf": [_TOTAL, {"type": "null"}]},
            "who": texts,
            "who_by_other_issuer": texts,
        }
    )
    sizes = dict.fromkeys(("clients", "broken", "broken_last", "exposed_last", "stuck"), number)
    doubt = _object(
        {
            "assumed": _TEXT,
            "otherwise": _TEXT,
            "broken_user_days": days,
            "exposed_user_days": days,
            "order": {"type": "array", "items": {"type": "integer", "minimum": 1}},
            "turns": {"type": "boolean"},
        }
    )
    answer = _object(
        {
            "schema": {"const": 1},
            "policy": _POLICY,
            "what": _TEXT,
            "key": text_or_none,
            "hosts": texts,
            "chains": texts,
            "key_suspected": {"enum": ["no", "yes", "unknown"]},
            "at": _INSTANT,
            "clock_ends": _INSTANT,
            "until": _INSTANT,
            "population": number,
            "exposed": _TOTAL,
            "reissue": {"anyOf": [reissue, {"type": "null"}]},
            "responses": {"type": "array", "items": response, "maxItems": 5},
            "cohorts": {"type": "array", "items": _object({"app": _TEXT, "version": _TEXT, **sizes})},
            "why": texts,
            "doubts": {"type": "array", "items": doubt},
            "not_counted": texts,
            "counts_days_old": {"type": "object", "additionalProperties": {"type": "integer"}},
            "todo": {"type": "array", "items": _object({"latest": _INSTANT, "what": _TEXT, "undo": _TEXT})},
            "chat": {"type": "string", "maxLength": 899},
            "because": _object({"notes": texts}),
        }
    )
    return {**_head("rotator now --json"), **answer}


def backtest_schema() -> Schema:
    """Give the schema of `backtest --json`."""
    instant_or_none: Schema = {"anyOf": [_INSTANT, {"type": "null"}]}
    gap = _object({"from": _INSTANT, "to": instant_or_none, "snapshots": {"type": "integer", "minimum": 1}})
    fared: Schema = {
        "pins": {"type": "integer", "minimum": 1},
        "broke": instant_or_none,
        "date": {"type": ["string", "null"], "format": "date"},
        "snapshots": {"type": "integer", "minimum": 1},
        "held": {"type": "integer", "minimum": 0},
        "broken": {"type": "array", "items": gap},
    }
    row = _object(
        {
            "at": _INSTANT,
            "date": _DAY,
            "host": _TEXT,
            "cohorts": {"type": "array", "items": _object({"app": _TEXT, "version": _TEXT, "trust": _TEXT})},
            "reason": {"enum": [str(reason) for reason in Reason]},
            "changed": {"type": "array", "items": {"enum": [str(level) for level in PARTS]}},
            "clients": _COUNT,
            "share": _SHARE,
            "low": _COUNT,
            "high": _COUNT,
        },
        optional=("low", "high"),
    )
    kind = _object({"host": _TEXT, "pin": {"enum": [str(level) for level in Level]}, **fared})
    answer = _object(
        {
            "schema": {"const": 1},
            "policy": _POLICY,
            "snapshots": {"type": "integer", "minimum": 1},
            "hosts": {"type": "array", "items": _TEXT},
            "breaks": {"type": "array", "items": row},
            "survival": {"type": "array", "items": kind},
            "pinsets": {"type": "array", "items": _object({"host": _TEXT, "pinset": _TEXT, **fared})},
        }
    )
    return {**_head("rotator backtest --json"), **answer}


_FINDING = _object(
    {
        "id": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
        "severity": {"enum": [str(severity) for severity in Severity]},
        "subject": _TEXT,
        "message": _TEXT,
        "hint": _TEXT,
        "due": {"type": ["string", "null"], "format": "date"},
        "source": _TEXT,
    }
)


def observe_schema() -> Schema:
    """Give the schema of `observe --json`."""
    texts = {"type": "array", "items": _TEXT}
    maybe: Schema = {"type": ["string", "null"]}
    seen = _object(
        {
            "host": _TEXT,
            "name": _TEXT,
            "at": _INSTANT,
            "addresses": texts,
            "tls": {"type": "array", "items": {"enum": ["TLSv1.2", "TLSv1.3"]}},
            "source": maybe,
            "key": maybe,
            "spki": {"type": "string", "pattern": "^sha256/"},
            "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "key_type": _TEXT,
            "not_before": _INSTANT,
            "not_after": _INSTANT,
            "chain": texts,
        }
    )
    unseen = _object(
        {
            "host": _TEXT,
            "name": _TEXT,
            "port": {"type": "integer", "minimum": 1},
            "address": maybe,
            "fault": {"enum": [str(fault) for fault in Fault]},
            "detail": _TEXT,
        }
    )
    answer = _object(
        {
            "schema": {"const": 1},
            "policy": _POLICY,
            "seen": {"type": "array", "items": seen},
            "unseen": {"type": "array", "items": unseen},
            "agreeing": texts,
            "findings": {"type": "array", "items": _FINDING},
        }
    )
    return {**_head("rotator observe --json"), **answer}


def review_schema() -> Schema:
    """Give the schema of `review --json`."""
    texts = {"type": "array", "items": _TEXT}
    maybe: Schema = {"type": ["string", "null"]}
    digest = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    change = _object({"path": _TEXT, "before": maybe, "after": maybe, "looser": {"type": "boolean"}})
    changes = {"type": "array", "items": change}
    pair = _object({"broken": {"$ref": "#/$defs/total"}, "exposed": {"$ref": "#/$defs/total"}})
    drilled = _object(
        {"kind": {"enum": [TODAY, *KINDS]}, "label": _TEXT, "before": pair, "after": pair, "newly": pair, "who": texts}
    )
    pins = _object(
        {"app": _TEXT, "versions": texts, "release": {"enum": ["new", "gone", None]}, "added": texts, "removed": texts}
    )
    findings = {"type": "array", "items": _FINDING}
    answer = _object(
        {
            "schema": {"const": 1},
            "policy": _POLICY,
            "base": _object({"name": _TEXT, "sha256": digest, "ref": _TEXT}),
            "worse": {"type": "boolean"},
            "verdict": _TEXT,
            "limits": changes,
            "overrides": changes,
            "drill": {"type": "array", "items": drilled},
            "pins": {"type": "array", "items": pins},
            "dates": changes,
            "changed": changes,
            "findings": _object({"new": findings, "gone": findings}),
        }
    )
    return {**_head("rotator review --json"), **answer, "$defs": {"total": _TOTAL}}


def why_schema() -> Schema:
    """Give the schema of `why --json`."""
    answer = _object({"schema": {"const": 1}, "policy": _POLICY, "path": _TEXT, **_because()})
    return {**_head("rotator why --json"), **answer}


def _because() -> Schema:
    """Give what explains a number: its properties."""
    number: Schema = {"type": ["number", "null"]}
    move = _object({"path": _TEXT, "change": {"type": "number"}, "turns_at": _COUNT})
    agrees = _object({"what": _TEXT, "agrees": {"type": "boolean"}})
    return {
        "value": {"type": ["number", "string", "null"]},
        "low": number,
        "high": number,
        "formula": _TEXT,
        "inputs": {"type": "array", "items": _input()},
        "moves": {"type": "array", "items": move, "maxItems": MOST_MOVES},
        "checks": {"type": "array", "items": agrees},
    }


def _input() -> Schema:
    maybe: Schema = {"type": ["string", "null"]}
    return _object(
        {
            "path": _TEXT,
            "what": _TEXT,
            "low": _COUNT,
            "high": _COUNT,
            "basis": {"enum": ["measured", "scaled", "assumed", None]},
            "source": maybe,
            "date": {**maybe, "format": "date"},
            "file": maybe,
            "counted": {"anyOf": [_object({"low": _COUNT, "high": _COUNT}), {"type": "null"}]},
            "moved": maybe,
            "value": {"type": ["number", "null"]},
        }
    )


def new_schema() -> Schema:
    """Give the schema of `new --json`."""
    texts = {"type": "array", "items": _TEXT}
    maybe: Schema = {"type": ["string", "null"]}
    release = _object(
        {"app": _TEXT, "version": _TEXT, "released": {**maybe, "format": "date"}, "file": _TEXT, "from": _TEXT}
    )
    candidate = _object(
        {
            "path": _TEXT,
            "line": {"type": "integer", "minimum": 1},
            "versions": texts,
            "host": maybe,
            "name": maybe,
            "subdomains": {"type": "boolean"},
            "pins": texts,
        }
    )
    answer = _object(
        {
            "schema": {"const": 1},
            "policy": _TEXT,
            "toml": maybe,
            "notes": texts,
            "releases": {"type": "array", "items": release},
            "candidates": {"type": "array", "items": candidate},
        }
    )
    return {**_head("rotator new --json"), **answer}


def fleet_schema() -> Schema:
    """Give the schema of `fleet --json`."""
    whole = {"type": "integer", "minimum": 0}
    texts = {"type": "array", "items": _TEXT}
    maybe_text = {"type": ["string", "null"]}
    maybe_day = {"type": ["string", "null"], "format": "date"}
    none = {"type": "null"}
    ends = {"clients": whole, "low": whole, "high": whole}
    count = {"anyOf": [{"$ref": "#/$defs/count"}, none]}
    by_trust = {"type": "object", "additionalProperties": {"$ref": "#/$defs/count"}}
    clients = {"anyOf": [_object({**ends, "by_trust": by_trust}, optional=("by_trust",)), none]}
    part = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
    file = _object(
        {
            "file": _TEXT,
            "kind": _TEXT,
            "recognised_as": _TEXT,
            "app": maybe_text,
            "unit": maybe_text,
            "date": maybe_day,
            "rows": whole,
            "read": whole,
            "used": whole,
            "total": _COUNT,
            "in_use": {"type": "boolean"},
            "dropped": {"type": "array", "items": _object({"reason": _TEXT, "rows": whole, "clients": whole})},
            "notes": texts,
        }
    )
    release = _object(
        {
            "version": _TEXT,
            "before": clients,
            "after": clients,
            "in_file": {"type": "boolean"},
            "to_come": {"type": "boolean"},
        }
    )
    app = _object(
        {
            "app": _TEXT,
            "source": _TEXT,
            "unit": _TEXT,
            "basis": {"enum": ["measured", "scaled", "assumed"]},
            "spread": {"enum": ["measured", "assumed"]},
            "date": maybe_day,
            "opt_in": {"anyOf": [_object({"low": part, "high": part}), none]},
            "before": count,
            "after": count,
            "releases": {"type": "array", "items": release},
            "unseen": _object({"before": count, "after": count}),
            "unknown": {"type": "array", "items": _object({"version": _TEXT, **ends, "meant": maybe_text})},
            "stuck": _object({"clients": count, "why": _TEXT}),
            "files": {"type": "array", "items": file},
            "last_import": {"anyOf": [_object({"date": _DAY, "clients": whole, "new": texts, "gone": texts}), none]},
            "notes": texts,
        }
    )
    written = _object(
        {
            "path": _TEXT,
            "what": _TEXT,
            "change": {"enum": ["new", "changed", "same"]},
            "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        }
    )
    answer = _object(
        {
            "schema": {"const": 1},
            "policy": _POLICY,
            "apps": {"type": "array", "items": app},
            "files": {"type": "array", "items": written},
            "refused": {"type": "array", "items": _object({"what": _TEXT, "hint": _TEXT})},
            "beyond": texts,
            "written": {"type": "boolean"},
        }
    )
    return {**_head("rotator fleet --json"), **answer, "$defs": {"count": _object(ends)}}


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "policy": json_schema,
    "simulate": simulate_schema,
    "check": check_schema,
    "fleet": fleet_schema,
    "threats": threats_schema,
    "drill": drill_schema,
    "plan": plan_schema,
    "status": status_schema,
    "now": now_schema,
    "backtest": backtest_schema,
    "new": new_schema,
    "observe": observe_schema,
    "review": review_schema,
    "why": why_schema,
}


# --- keys -------------------------------------------------------------------------------------------------------------


def keys_table() -> str:
    """List every action with its keys, by where it works."""
    shared = {id(FILTER)}
    groups = [("everywhere", EVERYWHERE), ("every screen", (*PANES, FILTER))]
    groups += [(place, tuple(a for a in actions if id(a) not in shared)) for place, actions in HELP.items()]
    groups += [("lists", LIST), ("knobs", KNOBS)]
    names = KeyNames()
    rows = [
        (place, " ".join(f"`{key}`" for key in names.every(action).split()), f"`{action.id}`", action.about)
        for place, actions in groups
        for action in actions
    ]
    return _table(("where", "keys", "id", "what it does"), rows)


def vim_table() -> str:
    """List what the vim keymap changes."""
    rows = [
        (f"`{name}`", " ".join(f"`{readable(key)}`" for key in keys.split(",")))
        for name, keys in KEYMAPS["vim"].items()
    ]
    return _table(("id", "keys"), rows)


def _command_maker(name: str) -> Callable[[], str]:
    return lambda: command_block(name)


BLOCKS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "mechanisms.md": {"axes": mechanism_table, "each mechanism": mechanism_sections},
    "formats.md": {"losses": losses_table},
    "events.md": {"events": events_table, "actions": actions_table},
    "calendar.md": {"facts": facts_table},
    "incidents.md": {"overview": overview, "sections": sections},
    "fleet.md": {"roots": roots_table},
    "planning.md": {"stories": stories},
    "planner.md": {"keys": keys_table, "vim": vim_table},
    "commands.md": {name: _command_maker(name) for name in commands()},
}

if __name__ == "__main__":
    main()
