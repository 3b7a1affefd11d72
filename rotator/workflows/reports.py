"""Reports: immutable records beside the policy, kept by the digest of what they say."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rotator import __version__
from rotator.errors import InputError, Problem, UsageError
from rotator.files.store import current, side_folder, write
from rotator.model.names import did_you_mean
from rotator.model.when import iso
from rotator.report import document, text
from rotator.report.document import Document

SCHEMA = 1
FORMATS = ("text", "md", "html", "json")
_ID = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, kw_only=True)
class Report:
    """One record.

    Attributes:
        id: its name: the day, what it is about, and the start of its digest.
        kind: `simulate` or `export`.
        made: when it was made.
        title: one line on what it is about.
        policy: name and SHA-256 of the policy it is about.
        document: what it says.
        answer: the same as plain values.
        override: the reason given for going on against a refusal, "" when there was none.
    """

    id: str
    kind: str
    made: str
    title: str
    policy: dict[str, str]
    document: Document
    answer: dict[str, Any]
    override: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the record as plain JSON values."""
        return {"id": self.id, **self.body()}

    def body(self) -> dict[str, Any]:
        """Give everything the digest is made of."""
        return {
            "schema": SCHEMA,
            "rotator": __version__,
            "kind": self.kind,
            "made": self.made,
            "title": self.title,
            "policy": self.policy,
            "override": self.override,
            "document": self.document.to_json(),
            "answer": self.answer,
        }


def make(
    kind: str,
    about: str,
    made: datetime,
    policy: dict[str, str],
    doc: Document,
    answer: dict[str, Any],
    override: str = "",
) -> Report:
    """Make a record; its id follows from what it says, so the same answer is the same record."""
    draft = Report(
        id="",
        kind=kind,
        made=iso(made),
        title=doc.title,
        policy=policy,
        document=doc,
        answer=answer,
        override=override,
    )
    digest = hashlib.sha256(json.dumps({**draft.body(), "made": ""}, sort_keys=True).encode()).hexdigest()
    slug = re.sub(r"[^a-z0-9]+", "-", about.lower()).strip("-")[:48].strip("-")
    return Report(
        id="-".join(part for part in (f"{made.date()}", slug, digest[:8]) if part),
        kind=kind,
        made=draft.made,
        title=draft.title,
        policy=policy,
        document=doc,
        answer=answer,
        override=override,
    )


def keep(policy_file: str, report: Report) -> Path:
    """Keep a record; one that is kept already stays as it is.

    Raises:
        InputError: it cannot be written.
    """
    path = _folder(policy_file) / f"{report.id}.json"
    if current(path) is None:
        data = json.dumps(report.to_json(), indent=1, ensure_ascii=False).encode() + b"\n"
        write(path, data, expected=None)
    return path


def all_reports(policy_file: str) -> tuple[list[Report], list[Problem]]:
    """Give every record of a policy, the newest first, and what is wrong with files that are none."""
    found: list[Report] = []
    problems: list[Problem] = []
    folder = _folder(policy_file)
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            found.append(_read(path))
        except InputError as error:
            problems += error.problems
    found.sort(key=lambda report: (report.made, report.id), reverse=True)
    return found, problems


def one(policy_file: str, name: str) -> Report:
    """Give a record by its id, the start of its id, or `last`.

    Raises:
        UsageError: there is none, or several begin like this.
        InputError: the file is damaged.
    """
    folder = _folder(policy_file)
    if _ID.fullmatch(name) and (folder / f"{name}.json").is_file():
        return _read(folder / f"{name}.json")
    reports, _ = all_reports(policy_file)
    ids = [report.id for report in reports]
    if name == "last" and reports:
        return reports[0]
    close = [report for report in reports if name and (report.id.startswith(name) or report.id.endswith(name))]
    if len(close) == 1:
        return close[0]
    if close:
        raise UsageError(
            Problem("several reports begin like this", value=name, expected=", ".join(r.id for r in close))
        )
    hint = did_you_mean(name, ids) or "none is kept yet: simulate and export keep them"
    raise UsageError(Problem("no report has this id", value=name, hint=hint))


def render(report: Report, form: str, *, ascii_only: bool = False) -> str:
    """Write a record as text, Markdown, HTML or JSON."""
    if form == "json":
        return json.dumps(report.to_json(), indent=2, ensure_ascii=ascii_only) + "\n"
    doc = report.document
    if form == "md":
        from rotator.report import markdown

        return markdown.render(doc)
    if form == "html":
        from rotator.report import html

        return html.render(doc)
    return text.render(doc, ascii_only=ascii_only)


def _folder(policy_file: str) -> Path:
    return side_folder(policy_file) / "reports"


def _read(path: Path) -> Report:
    data = current(path)
    try:
        row = json.loads(data or b"")
        report = Report(
            id=path.stem,
            kind=str(row["kind"]),
            made=str(row["made"]),
            title=str(row["title"]),
            policy={str(k): str(v) for k, v in row["policy"].items()},
            document=document.from_json(row["document"]),
            answer=dict(row["answer"]),
            override=str(row.get("override", "")),
        )
    except json.JSONDecodeError as error:
        raise InputError(Problem(f"is not a report: it is no JSON: {error}", file=str(path))) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        hint = "a file of this folder that Rotator did not write can be moved away"
        raise InputError(Problem("is not a report: it has not the parts of one", file=str(path), hint=hint)) from None
    return report
