"""`rotator edit`: a named edit of a policy, shown before it is written."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.errors import Problem, UsageError
from rotator.workflows.editing import FORMS, Edited, edit, write_edit
from rotator.workflows.opening import open_policy


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Show what an edit changes, and write it where asked."""
    at = now(environ)
    if not asked.edit:
        return _list(asked, console, environ)
    done = edit(asked.policy, asked.edit, _values(asked.inputs), at)
    if asked.write:
        write_edit(asked.policy, done)
    if asked.json:
        console.json(to_json(done, written=asked.write))
    else:
        console.result("\n".join(done.difference))
    for note in done.rotation.notes:
        console.talk(f"note: {note}")
    if not asked.write:
        done.rotation.refuse()
    console.talk(f"written: {asked.policy}" if asked.write else "nothing was written: --write does it")
    return 0


def to_json(done: Edited, *, written: bool) -> dict[str, object]:
    """Give an edit as plain JSON values."""
    return {
        "schema": 1,
        "edit": done.rotation.change.title,
        "difference": list(done.difference),
        "pinsets": list(done.rotation.pinsets),
        "notes": list(done.rotation.notes),
        "unsafe": list(done.rotation.unsafe),
        "written": written,
    }


def _values(words: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(Problem("not an answer", value=word, expected="NAME=VALUE"))
        if name in values:
            raise UsageError(Problem("answered twice", value=name))
        values[name] = value
    return values


def _list(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    picture = open_policy(asked.policy, now(environ).date())
    if asked.json:
        fields = ("id", "about", "kind", "needed")
        forms = [
            {"id": form.id, "about": form.about, "fields": [{f: getattr(x, f) for f in fields} for x in form.fields]}
            for form in FORMS
        ]
        console.json({"schema": 1, "edits": forms})
        return 0

    def lines() -> Iterator[str]:
        for form in FORMS:
            yield f"{form.id}: {form.about}"
            for field in form.fields:
                known = list(field.choices(picture)) if field.choices and field.kind in ("one", "many") else []
                named = f": {', '.join(known[:8])}{', ...' if len(known) > 8 else ''}" if known else ""
                yield f"  {field.id + '=':<13}{'' if field.needed else '(may be left out) '}{field.about}{named}"

    console.result("\n".join(lines()))
    return 0
