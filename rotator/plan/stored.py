"""A plan as plain JSON values, and back: what is kept beside the policy and never rewritten.

The form follows the fields of `rotator.plan.values`: dates and instants in ISO 8601, `from_` is `from`. What a later
version of Rotator adds to a plan is read over; what this one needs and does not find makes the file unusable.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, date, datetime
from typing import Any, NoReturn, Union, cast, get_args, get_origin, get_type_hints

from rotator.model.when import iso
from rotator.plan.values import Plan

SCHEMA = 1
Json = dict[str, Any]
_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def to_json(plan: Plan) -> Json:
    """Give a plan as plain JSON values."""
    return {"schema": SCHEMA, **cast("Json", plain(plan))}


def from_json(data: object) -> Plan:
    """Read a plan back.

    Raises:
        ValueError: it is none, or of a later form; the message names the place.
    """
    if not isinstance(data, dict) or "schema" not in data:
        message = "not a plan: it has no schema"
        raise ValueError(message)
    if data["schema"] != SCHEMA:
        message = f"a plan of form {data['schema']!r}; this Rotator reads {SCHEMA}"
        raise ValueError(message)
    return cast("Plan", typed(Plan, data, "plan"))


def plain(value: object) -> object:
    """Give a value of plain dataclasses, tuples and dates as JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {_key(field): plain(getattr(value, field.name)) for field in fields(value) if field.init}
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def typed(kind: Any, data: object, place: str) -> object:  # noqa: ANN401 - a type, as the hints of a dataclass give it
    """Read a value of a type back from what JSON has.

    Args:
        kind: the type: a dataclass, a tuple, a mapping, a union with None, a date, or a plain one.
        data: what JSON has.
        place: where it stands, for messages.

    Raises:
        ValueError: it is not of that type.
    """
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        kinds = [k for k in get_args(kind) if k is not type(None)]
        return None if data is None and len(kinds) < len(get_args(kind)) else typed(kinds[0], data, place)
    if origin is tuple:
        return _tuple(get_args(kind), data, place)
    if origin is not None and issubclass(origin, Mapping):
        return {name: typed(get_args(kind)[1], item, f"{place}.{name}") for name, item in _object(data, place).items()}
    if is_dataclass(kind):
        return _made(kind, _object(data, place), place)
    if kind is datetime or kind is date:
        return _day(kind, data, place)
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
        _wrong(place, _WORDS.get(kind, kind.__name__), data)
    return data


def _made(kind: Any, data: Json, place: str) -> object:  # noqa: ANN401 - a dataclass
    hints, values = get_type_hints(kind), {}
    for field in fields(kind):
        name = _key(field)
        if not field.init:
            continue
        if name in data:
            values[field.name] = typed(hints[field.name], data[name], f"{place}.{name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            message = f"{place} has no {name}"
            raise ValueError(message)
    return kind(**values)


def _tuple(kinds: tuple[Any, ...], data: object, place: str) -> tuple[object, ...]:
    if not isinstance(data, list):
        _wrong(place, "a list", data)
    items = cast("list[object]", data)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(typed(kinds[0], item, f"{place}[{number}]") for number, item in enumerate(items))
    if len(items) != len(kinds):
        _wrong(place, f"a list of {len(kinds)}", data)
    return tuple(typed(k, item, f"{place}[{n}]") for n, (k, item) in enumerate(zip(kinds, items, strict=True)))


def _object(data: object, place: str) -> Json:
    if not isinstance(data, dict):
        _wrong(place, "an object", data)
    return cast("Json", data)


def _day(kind: type[date], data: object, place: str) -> date:
    try:
        if not isinstance(data, str):
            raise TypeError  # noqa: TRY301 - one message for every unreadable date
        if kind is datetime:
            at = datetime.fromisoformat(data)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        return date.fromisoformat(data)
    except (TypeError, ValueError, OverflowError):
        _wrong(place, "a date" if kind is date else "an instant", data)


def _wrong(place: str, wanted: str, data: object) -> NoReturn:
    message = f"{place} must be {wanted}, not {str(data)[:60]!r}"
    raise ValueError(message)


def _key(field: Field[Any]) -> str:
    return field.name.rstrip("_")
