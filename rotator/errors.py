"""What can go wrong with input, usage and safety: each error says where, what, what was expected, and how to mend it.

Bad news about a sound policy is a finding (`rotator.model.findings`), never an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Problem:
    """One thing wrong with an input.

    Attributes:
        message: lower-case fact, without a full stop.
        file: the file it stands in, as the user named it; "" when there is none.
        path: the place inside the file, such as `apps.shop.releases[1].pinset`; "" for the whole file.
        value: what was found, shown as text; None when nothing was found.
        expected: what would have been right; "" when the message says it all.
        hint: what to do, or the nearest known name; "" when there is no good one.
    """

    __slots__ = ("expected", "file", "hint", "message", "path", "value")

    def __init__(
        self,
        message: str,
        *,
        file: str = "",
        path: str = "",
        value: object = None,
        expected: str = "",
        hint: str = "",
    ) -> None:
        """Keep the facts as given."""
        self.message = message
        self.file = file
        self.path = path
        self.value = None if value is None else shorten(value)
        self.expected = expected
        self.hint = hint

    def __str__(self) -> str:
        where = ": ".join(printable(part) for part in (self.file, self.path) if part)
        text = f"{where}: {self.message}" if where else self.message
        if self.value is not None:
            text += f" (found {self.value})"
        if self.expected:
            text += f"; expected {self.expected}"
        if self.hint:
            text += f"\n  hint: {self.hint}"
        return text

    def to_json(self) -> dict[str, str | None]:
        """Give the problem as plain JSON values."""
        return {name: getattr(self, name) for name in ("file", "path", "message", "value", "expected", "hint")}


class RotatorError(Exception):
    """Anything Rotator refuses, with the exit code the command line ends with."""

    exit_code = 2


class InputError(RotatorError):
    """Unusable input: one or many problems, all of a file at once."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        """Keep the problems in the order they were found."""
        self.problems: Sequence[Problem] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(InputError):
    """A command line, an event or an instant that cannot be understood."""


class UnsafeError(RotatorError):
    """Refused because it would be unsafe: numbers, limit, who, and what would make it safe."""

    exit_code = 3


class UnsafePlanError(UnsafeError):
    """A step of a plan is refused because it would break an invariant."""


def shorten(value: object, limit: int = 80) -> str:
    """Show a value in one line, at most `limit` characters, with nothing a terminal would obey."""
    text = value if isinstance(value, str) else repr(value)
    text = printable(text)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def printable(text: str) -> str:
    r"""Replace every character a terminal would obey or that would hide text by its escape.

    Covers C0 and C1 controls, line and paragraph separators, bidirectional overrides, zero-width
    characters and lone surrogates; `\n` is shown as `\n`.
    """
    if text.isprintable() and (text.isascii() or _HIDDEN.isdisjoint(text)):
        return text
    return "".join(
        char if char.isprintable() and char not in _HIDDEN else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


_HIDDEN = frozenset("\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\uffa0")
