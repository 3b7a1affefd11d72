"""Edit the text of a policy: only what changes is touched, comments, order and formatting stay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rotator.errors import InputError, Problem
from rotator.model.edits import Edit, Insert, Remove, SetValue


def apply(text: str, edits: Iterable[Edit], file: str) -> str:
    """Give the text with some edits made.

    Args:
        text: TOML.
        edits: what to change, in order.
        file: the name of the policy, for messages.

    Raises:
        InputError: a place to edit does not exist in this file.
    """
    import tomlrt

    document = tomlrt.loads(text)
    for edit in edits:
        try:
            if isinstance(edit, SetValue):
                _set(document, edit)
            elif isinstance(edit, Insert):
                _insert(document, edit)
            else:
                _remove(document, edit)
        except (KeyError, IndexError, TypeError, tomlrt.TOMLError) as error:
            raise InputError(
                Problem(
                    f"cannot be edited here: {error}",
                    file=file,
                    path=edit.where,
                    hint="it may stand in an included file; edit it there",
                )
            ) from None
    return tomlrt.dumps(document)


def _set(document: Any, edit: SetValue) -> None:  # noqa: ANN401 - a document of tomlrt
    if isinstance(edit.value, list) and _is_rows(document, edit):
        import tomlrt

        document.install(
            [str(part) for part in edit.path], tomlrt.AoT(row for row in edit.value if isinstance(row, dict))
        )
        return
    *parents, last = edit.path
    here = document
    for depth, part in enumerate(parents):
        if isinstance(part, str) and part not in here:
            names = [str(name) for name in parents[depth:]]
            here = here.ensure_table(names)
            break
        here = here[part]
    new = isinstance(last, str) and last not in here and here is not document
    if isinstance(edit.value, dict) and new and not edit.inline:
        table = document.ensure_table([str(part) for part in edit.path])
        for key, value in edit.value.items():
            table[key] = value
        return
    here[last] = edit.value


_ROWS = ("calendar", "scenarios", "exports", "freeze", "allow")
"""Tables whose rows are written one below the other, as people write them."""


def _is_rows(document: Any, edit: SetValue) -> bool:  # noqa: ANN401 - a document of tomlrt
    """Say whether an edit brings the first rows of a table that is written `[[like.this]]`."""
    if edit.inline or edit.path[0] not in _ROWS or not all(isinstance(part, str) for part in edit.path):
        return False
    here = document
    for part in edit.path:
        if part not in here:
            value = edit.value
            return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)
        here = here[part]
    return False


def _insert(document: Any, edit: Insert) -> None:  # noqa: ANN401 - a document of tomlrt
    here = document
    for part in edit.path[:-1]:
        here = here[part]
    here.insert(edit.path[-1], edit.value)


def _remove(document: Any, edit: Remove) -> None:  # noqa: ANN401 - a document of tomlrt
    here = document
    for part in edit.path[:-1]:
        here = here[part]
    del here[edit.path[-1]]
