"""Typed reading of TOML values: every problem with its path, all of them in one go, and a JSON Schema for free.

A `Type` turns one TOML value into a value of the model or reports what is wrong with it; a `Table` does so for a
table of known keys. Reading goes on after a problem, so that a person sees everything at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from rotator.files.place import NAME, Json, Place, SkipError, shown
from rotator.model.names import did_you_mean


class Type:
    """Reads one TOML value."""

    expected = "a value"

    def read(self, value: object, place: Place) -> Any:  # noqa: ANN401 - each type gives its own kind of value
        """Give the value, or record a problem and raise `SkipError`."""
        raise NotImplementedError  # pragma: no cover

    def schema(self) -> Json:
        """Give the JSON Schema of what is accepted."""
        raise NotImplementedError  # pragma: no cover


class Text(Type):
    """Any text that is not empty."""

    expected = "text"

    def read(self, value: object, place: Place) -> str:
        """Give the text."""
        if isinstance(value, str) and value.strip():
            return value
        hint = "put it in quotes" if isinstance(value, int | float | date) else ""
        raise place.fail("not a text", value=shown(value), expected=self.expected, hint=hint)

    def schema(self) -> Json:
        """Give the JSON Schema."""
        return {"type": "string", "minLength": 1}


class Ident(Text):
    """A name: letters, digits, dots, underscores and hyphens."""

    expected = "a name of letters, digits, '.', '_' and '-'"

    def read(self, value: object, place: Place) -> str:
        """Give the name."""
        text = super().read(value, place)
        if NAME.fullmatch(text):
            return text
        raise place.fail("not a name", value=shown(value), expected=self.expected)

    def schema(self) -> Json:
        """Give the JSON Schema."""
        return {"type": "string", "pattern": f"^{NAME.pattern}$"}


class FilePath(Text):
    """A path, relative to the file it stands in."""

    expected = "a path"

    def read(self, value: object, place: Place) -> str:
        """Give the absolute path."""
        text = super().read(value, place)
        if "\0" in text:
            raise place.fail("not a path", value=shown(value), expected=self.expected)
        return place.resolve(text)


class Choice(Type):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        """Keep the words in the order they are shown."""
        self.words = words
        self.expected = " | ".join(words)

    def read(self, value: object, place: Place) -> str:
        """Give the word."""
        if isinstance(value, str) and value in self.words:
            return value
        hint = did_you_mean(value, self.words) if isinstance(value, str) else ""
        raise place.fail("not a known word", value=shown(value), expected=self.expected, hint=hint)

    def schema(self) -> Json:
        """Give the JSON Schema."""
        return {"enum": list(self.words)}


class Flag(Type):
    """True or false."""

    expected = "true or false"

    def read(self, value: object, place: Place) -> bool:
        """Give the flag."""
        if isinstance(value, bool):
            return value
        raise place.fail("not a flag", value=shown(value), expected=self.expected)

    def schema(self) -> Json:
        """Give the JSON Schema."""
        return {"type": "boolean"}


class Number(Type):
    """A finite number within bounds."""

    def __init__(self, low: float = 0, high: float | None = None, *, whole: bool = False) -> None:
        """Set the bounds, both included; `whole` refuses fractions."""
        self.low, self.high, self.whole = low, high, whole
        kind = "a whole number" if whole else "a number"
        self.expected = f"{kind} from {low:g}" + (f" to {high:g}" if high is not None else " up")

    def read(self, value: object, place: Place) -> float | int:
        """Give the number; whole numbers as `int`."""
        good = isinstance(value, int if self.whole else int | float) and not isinstance(value, bool)
        if good and isinstance(value, int | float) and self.low <= value <= (self.high or 1e15):
            return value
        if isinstance(value, str) and value.replace("_", "").replace(".", "", 1).isdigit():
            raise place.fail("not a number", value=shown(value), expected=self.expected, hint="leave out the quotes")
        raise place.fail("not such a number", value=shown(value), expected=self.expected)

    def schema(self) -> Json:
        """Give the JSON Schema."""
        schema: Json = {"type": "integer" if self.whole else "number", "minimum": self.low}
        return schema if self.high is None else {**schema, "maximum": self.high}


class Day(Type):
    """A date without a time."""

    expected = "a date such as 2026-11-27"

    def read(self, value: object, place: Place) -> date:
        """Give the date."""
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        hint = "leave out the quotes" if isinstance(value, str) else ""
        hint = "leave out the time" if isinstance(value, datetime) else hint
        raise place.fail("not a date", value=shown(value), expected=self.expected, hint=hint)

    def schema(self) -> Json:
        """Give the JSON Schema."""
        return {"type": "string", "format": "date"}


class Moment(Type):
    """A date or an instant."""

    expected = "a date such as 2026-11-27 or an instant such as 2026-11-27T17:30:00Z"

    def read(self, value: object, place: Place) -> date | datetime:
        """Give the date or the instant."""
        if isinstance(value, date):
            return value
        hint = "leave out the quotes" if isinstance(value, str) else ""
        raise place.fail("not a date", value=shown(value), expected=self.expected, hint=hint)

    def schema(self) -> Json:
        """Give the JSON Schema."""
        return {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}


class Ref(Type):
    """A name that must exist elsewhere in the policy."""

    def __init__(self, *kinds: str) -> None:
        """Say which tables may hold the name."""
        self.kinds = kinds
        self.expected = "the name of " + " or ".join(_SINGULAR.get(kind, kind) for kind in kinds)

    def read(self, value: object, place: Place) -> str:
        """Give the name."""
        if not isinstance(value, str):
            raise place.fail("not a name", value=shown(value), expected=self.expected)
        if any(value in place.known.get(kind, ()) for kind in self.kinds):
            return value
        raise place.fail("nothing has this name", value=value, expected=self.expected, hint=self._hint(value, place))

    def _hint(self, value: str, place: Place) -> str:
        for kind, names in place.known.items():
            if value in names and kind not in self.kinds:
                return f"{value} is {_SINGULAR.get(kind, kind)}"
        known = [name for kind in self.kinds for name in place.known.get(kind, ())]
        return did_you_mean(value, known)

    def schema(self) -> Json:
        """Give the JSON Schema."""
        return {"type": "string", "minLength": 1}


_SINGULAR = {
    "keys": "a key",
    "authorities": "an authority",
    "chains": "a chain",
    "hosts": "a host",
    "trust": "a trust store",
    "pinsets": "a pinset",
    "apps": "an app",
    "mechanisms": "a mechanism",
}


class Many(Type):
    """An array of values; a single value stands for an array of one where `one` says so."""

    def __init__(self, item: Type, *, one: bool = False, empty: bool = True) -> None:
        """Say what the items are, and whether the array may be empty."""
        self.item, self.one, self.empty = item, one, empty
        self.expected = ("one or " if one else "") + f"an array of: {item.expected}"

    def read(self, value: object, place: Place) -> tuple[Any, ...]:
        """Give the items that could be read; the others are reported."""
        if not isinstance(value, list):
            if self.one:
                return (self.item.read(value, place),)
            raise place.fail("not an array", value=shown(value), expected=self.expected)
        if not value and not self.empty:
            raise place.fail("an empty array", expected=self.expected)
        found = []
        for index, entry in enumerate(value):
            try:
                found.append(self.item.read(entry, place.item(index)))
            except SkipError:
                continue
        return tuple(found)

    def schema(self) -> Json:
        """Give the JSON Schema."""
        array: Json = {"type": "array", "items": self.item.schema()}
        if not self.empty:
            array["minItems"] = 1
        return {"anyOf": [self.item.schema(), array]} if self.one else array


class MapOf(Type):
    """A table from names to values."""

    def __init__(self, key: Type, value: Type) -> None:
        """Say what the keys and the values are."""
        self.key, self.value = key, value
        self.expected = f"a table of: {value.expected}"

    def read(self, value: object, place: Place) -> dict[str, Any]:
        """Give the entries that could be read; the others are reported."""
        if not isinstance(value, dict):
            raise place.fail("not a table", value=shown(value), expected=self.expected)
        found = {}
        for name, entry in value.items():
            inside = place.child(name)
            try:
                found[self.key.read(name, inside)] = self.value.read(entry, inside)
            except SkipError:
                continue
        return found

    def schema(self) -> Json:
        """Give the JSON Schema."""
        return {"type": "object", "additionalProperties": self.value.schema()}


class Table(Type):
    """A table of known keys that becomes one value of the model."""

    expected = "a table"

    def __init__(
        self,
        make: Callable[..., Any],
        fields: Mapping[str, Type],
        *,
        required: tuple[str, ...] = (),
        check: Callable[[Any, Place], None] | None = None,
        rename: Mapping[str, str] | None = None,
        hint: Callable[[str, object], str] | None = None,
    ) -> None:
        """Describe the table.

        Args:
            make: called with the values read, by key.
            fields: the type of each key.
            required: keys that must be there.
            check: called with what was made, to report what does not go together.
            rename: keys that are Python words, and their names in `make`.
            hint: says what an unknown key may be about, where the nearest name says too little.
        """
        self.make, self.fields, self.required = make, fields, required
        self.check, self.rename, self.hint = check, rename or {}, hint

    def read(self, value: object, place: Place) -> Any:  # noqa: ANN401 - what `make` makes
        """Give what the table makes; problems of all its keys are reported first."""
        if not isinstance(value, dict):
            raise place.fail("not a table", value=shown(value), expected=self.expected)
        values = {}
        sound = True
        for key, entry in value.items():
            inside = place.child(key)
            kind = self.fields.get(key)
            if kind is None:
                hint = (self.hint and self.hint(key, entry)) or did_you_mean(key, self.fields)
                inside.report("unknown key", hint=hint)
                sound = False
                continue
            try:
                values[self.rename.get(key, key)] = kind.read(entry, inside)
            except SkipError:
                sound = False
        for key in self.required:
            if key not in value:
                place.report(f"{key} is missing", expected=self.fields[key].expected)
                sound = False
        if not sound:
            raise SkipError
        made = self.make(**values)
        if self.check is not None:
            before = len(place.problems)
            self.check(made, place)
            if len(place.problems) > before:
                raise SkipError
        return made

    def schema(self) -> Json:
        """Give the JSON Schema."""
        schema: Json = {
            "type": "object",
            "properties": {key: kind.schema() for key, kind in self.fields.items()},
            "additionalProperties": False,
        }
        return {**schema, "required": list(self.required)} if self.required else schema


class Either(Type):
    """A value of one of several shapes, told apart by its TOML type."""

    def __init__(self, *shapes: tuple[tuple[type, ...], Type, Callable[[Any], Any]]) -> None:
        """List the shapes: the Python types TOML gives, the reader, and what to make of what was read."""
        self.shapes = shapes
        self.expected = ", or ".join(kind.expected for _, kind, _ in shapes)

    def read(self, value: object, place: Place) -> Any:  # noqa: ANN401 - one of the shapes
        """Give what the first fitting shape makes."""
        for types, kind, make in self.shapes:
            if isinstance(value, types) and not (isinstance(value, bool) and bool not in types):
                return make(kind.read(value, place))
        raise place.fail("not of a known shape", value=shown(value), expected=self.expected)

    def schema(self) -> Json:
        """Give the JSON Schema."""
        return {"anyOf": [kind.schema() for _, kind, _ in self.shapes]}
