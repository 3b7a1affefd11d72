"""Plain CSV split in columns without looking at one cell after the other: no quotes, as many cells in every row."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rotator.simulate.engine.codes import Flags, Indexes

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
BLOCK = 1 << 21
"""Bytes looked at in one go: what stays in a cache."""
_COMMA, _END, _ZERO = 44, 10, 48
_BUCKETS = 20
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_WORD = 8
_KEPT: Words = np.array([(1 << 8 * n) - 1 for n in range(_WORD)] + [2**64 - 1], np.uint64)


@dataclass(frozen=True, slots=True)
class Cells:
    """Some rows of a table: where each cell begins and ends in its block, a row for each row."""

    block: bytes
    begins: Indexes
    ends: Indexes

    def __len__(self) -> int:
        """Give how many rows there are."""
        return len(self.begins)

    def whole_numbers(self, column: int, most_digits: int) -> Indexes | None:
        """Read a column of counts; None where one is not made of digits alone."""
        ends = self.ends[:, column]
        lengths = ends - self.begins[:, column]
        longest = int(lengths.max())
        if longest > most_digits or not lengths.all():
            return None
        buffer = np.frombuffer(self.block, np.uint8)
        found = np.zeros(len(ends), np.int64)
        for place in range(longest):
            there = lengths > place
            digits = buffer[np.where(there, ends - 1 - place, 0)].astype(np.int64) - _ZERO
            if ((digits < 0) | (digits > 9))[there].any():
                return None
            found += np.where(there, digits * 10**place, 0)
        return found

    def texts(self, column: int) -> tuple[Indexes, list[str]]:
        """Give a column of texts as places in a list of the different ones.

        Raises:
            UnicodeDecodeError: one is no UTF-8.
        """
        begins = self.begins[:, column]
        lengths = self.ends[:, column] - begins
        words = [self._words(begins, lengths, n) for n in range(max(1, -(-int(lengths.max()) // _WORD)))]
        places, firsts = _numbered(words)
        starts, stops = begins[firsts].tolist(), self.ends[firsts, column].tolist()
        return places, [self.block[a:b].decode() for a, b in zip(starts, stops, strict=True)]

    def _words(self, begins: Indexes, lengths: Indexes, number: int) -> Words:
        """Give the n-th eight bytes of each cell, what lies behind it left out; the length counts as well."""
        # The block ends in enough spare bytes for the last cell.
        every = np.ndarray((len(self.block) - _WORD + 1,), "<u8", self.block, strides=(1,))
        left = np.clip(lengths - number * _WORD, 0, _WORD)
        places = np.minimum(begins + number * _WORD, len(every) - 1)
        found: Words = every[places] & _KEPT[left]
        return found


def _numbered(words: Sequence[Words]) -> tuple[Indexes, Indexes]:
    """Number rows of words, equal rows alike: the number of each, and where each number comes first."""
    mixed = words[0] * _SPREAD
    for word in words[1:]:
        mixed = (mixed ^ (mixed >> np.uint64(29)) ^ word) * _SPREAD
    bucket = (mixed >> np.uint64(64 - _BUCKETS)).astype(np.int64)
    holder = np.zeros(1 << _BUCKETS, np.int64)
    holder[bucket] = np.arange(len(bucket))
    first = holder[bucket]
    if all((word[first] == word).all() for word in words):
        firsts = np.flatnonzero(_marked(first))
        number = np.zeros(len(bucket), np.int64)
        number[firsts] = np.arange(len(firsts))
        return number[first], firsts
    table = np.stack(words, axis=1)
    _, firsts, places = np.unique(table, axis=0, return_index=True, return_inverse=True)
    return places.ravel().astype(np.int64), firsts.astype(np.int64)


def _marked(places: Indexes) -> Flags:
    found = np.zeros(len(places), np.bool_)
    found[places] = True
    return found


def scan(data: bytes, columns: int) -> Iterator[Cells | None]:
    """Split the rows of a table, its header left out, block by block; None where it is not plain."""
    if b'"' in data or b"\0" in data or sys.byteorder != "little" or columns < 2:
        yield None
        return
    data = data.replace(b"\r\n", b"\n") if b"\r" in data else data
    begin = 0
    while begin < len(data):
        end = data.rfind(b"\n", begin, begin + BLOCK) + 1 if begin + BLOCK < len(data) else len(data)
        if end <= begin:
            yield None
            return
        block = data[begin:end] if data[end - 1] == _END else data[begin:end] + b"\n"
        yield _split(block + bytes(_WORD), len(block), columns)
        begin = end


def _split(block: bytes, size: int, columns: int) -> Cells | None:
    buffer: Bytes = np.frombuffer(block, np.uint8)[:size]
    stops = np.flatnonzero((buffer == _COMMA) | (buffer == _END))
    if len(stops) % columns:
        return None
    kinds = buffer[stops].reshape(-1, columns)
    if (kinds[:, -1] != _END).any() or (kinds[:, :-1] != _COMMA).any():
        return None
    begins = np.empty(len(stops), np.int64)
    begins[0], begins[1:] = 0, stops[:-1] + 1
    return Cells(block, begins.reshape(-1, columns), stops.reshape(-1, columns))
