"""Where a number comes from: as JSON, and for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rotator.report.document import Block, Document, Facts, Heading, Json, Paragraph, Table, number, percent, span
from rotator.simulate.because import Because
from rotator.simulate.terms import Input, Move

MOST_INPUTS = 100
"""Inputs that `simulate --json` gives of each number; `why` gives all of them."""


def to_json(found: Because, policy: dict[str, str]) -> Json:
    """Give it as plain JSON values."""
    return {"schema": 1, "policy": policy, "path": found.path, **_body(found)}


def in_short(found: Because) -> Json:
    """Give it as a part of the answer it is about: the inputs that make most of it, and how many more there are."""
    body = _body(found)
    inputs: list[Json] = body["inputs"]
    return {**body, "inputs": inputs[:MOST_INPUTS], "left_out": max(0, len(inputs) - MOST_INPUTS)}


def _body(found: Because) -> Json:
    return {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "formula": found.formula,
        "inputs": [
            {
                "path": one.path,
                "what": one.what,
                "low": one.low,
                "high": one.high,
                "basis": one.basis or None,
                "source": one.source or None,
                "date": None if one.date is None else one.date.isoformat(),
                "file": one.file or None,
                "counted": None if one.counted is None else {"low": one.counted.low, "high": one.counted.high},
                "moved": one.moved or None,
                "value": one.value,
            }
            for one in found.inputs
        ],
        "moves": [{"path": one.path, "change": one.change, "turns_at": one.turns_at} for one in found.moves],
        "checks": [{"what": what, "agrees": agrees} for what, agrees in found.checks],
    }


def to_document(found: Because) -> Document:
    """Write it for people: the value, the formula, the inputs, and what moves it."""
    blocks: list[Block] = [Paragraph(f"{found.path} = {_value(found)}", strong=True), Paragraph(found.formula)]
    blocks += _counted([one for one in found.inputs if one.basis and one.value is None])
    blocks += _curves([one for one in found.inputs if one.value is not None])
    others = tuple(
        (one.path, one.what + (f" ({one.source})" if one.source else "")) for one in found.inputs if not one.basis
    )
    if others:
        blocks += [Heading("decided by"), Facts(others)]
    if found.moves:
        columns = ("what moves it most", "by a tenth of it", "crosses the budget at")
        moves = tuple((one.path, number(one.change), _turns(one)) for one in found.moves)
        blocks += [Heading("what moves it"), Table(columns, moves, right=columns[1:])]
    if found.checks:
        pairs = tuple(("agrees" if agrees else "DOES NOT AGREE", what) for what, agrees in found.checks)
        blocks += [Heading("computed twice"), Facts(pairs)]
    return Document(f"why {found.path}", tuple(blocks))


def _counted(inputs: Sequence[Input]) -> Iterator[Block]:
    """Give the counts; where people have moved since, what was counted beside what it has become."""
    if not inputs:
        return
    moved = any(one.counted is not None for one in inputs)
    before = ("counted",) if moved else ()
    rows = tuple(
        (one.what, span(one.low, one.high), *_before(one)[: len(before)], one.basis, _day(one), _whence(one))
        for one in inputs
    )
    yield Heading("stands on")
    yield Table(("what", "clients", *before, "basis", "date", "where"), rows, ("clients", *before), "where")


def _before(one: Input) -> tuple[str]:
    own = one.counted
    return (span(one.low, one.high) if own is None else span(own.low, own.high),)


def _curves(inputs: Sequence[Input]) -> Iterator[Block]:
    """Give the numbers of the curves that moved people since they were counted."""
    if inputs:
        rows = tuple((one.path, one.what, f"{one.value:g}", one.basis) for one in inputs)
        yield Heading("moved by")
        yield Table(("curve", "what", "value", "basis"), rows, ("value",), "what")


def _value(found: Because) -> str:
    if found.value is None:
        return "unknown"
    if isinstance(found.value, str):
        return found.value
    if found.path.endswith(".share"):
        return percent(float(found.value))
    if found.low is not None and found.high is not None and found.low != found.high:
        return f"{number(found.value, exact=True)} ({number(found.low, exact=True)}-{number(found.high, exact=True)})"
    return number(found.value, exact=True)


def _turns(one: Move) -> str:
    if one.of_curve:
        return "-"
    return "not by it alone" if one.turns_at is None else number(one.turns_at)


def _day(one: Input) -> str:
    return "?" if one.date is None else one.date.isoformat()


def _whence(one: Input) -> str:
    """Say where an input stands; of a file the name, for JSON has its path."""
    return ", ".join(part for part in (one.path, one.source, one.file.rpartition("/")[2]) if part)
