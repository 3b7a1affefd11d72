"""Fleet tables of millions of rows, in columns: each text once, rows as numbers, added up by version and system."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rotator.model.policy import Count
from rotator.simulate.engine.codes import Flags, Indexes
from rotator.simulate.tables import FleetTable

MOST_DIGITS = 15
"""Digits of a count that is taken for one; sums of such numbers are exact."""
_DENSE = 20_000_000
"""Possible combinations up to which rows are added up without sorting."""


class Vocabulary(dict[str, int]):
    """Texts as they are written, each with the number of what it means; spaces around it do not count."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, int] = {}

    def __missing__(self, written: str) -> int:
        number = self[written] = self.texts.setdefault(written.strip(), len(self.texts))
        return number

    def numbers(self, column: Sequence[str]) -> Indexes:
        """Give the numbers of a column of texts."""
        return np.fromiter(map(self.__getitem__, column), np.int64, len(column))


@dataclass
class Gathering:
    """A table that comes in chunks: columns of texts, which tell rows apart, and of counts."""

    words: dict[str, Vocabulary] = field(default_factory=dict)
    _texts: dict[str, list[Indexes]] = field(default_factory=dict)
    _counts: dict[str, list[Indexes]] = field(default_factory=dict)

    def texts(self, name: str, column: Sequence[str]) -> None:
        """Take a chunk of a column of texts."""
        self.codes(name, self._vocabulary(name).numbers(column))

    def coded(self, name: str, places: ArrayLike, texts: Sequence[str]) -> None:
        """Take a chunk of a column that comes as places in a list of texts."""
        self.codes(name, self._vocabulary(name).numbers(texts)[np.asarray(places, np.int64)])

    def codes(self, name: str, numbers: Indexes) -> None:
        """Take a chunk of a column as numbers of its vocabulary."""
        self._vocabulary(name)
        self._texts.setdefault(name, []).append(numbers)

    def counts(self, name: str, numbers: Any) -> None:  # noqa: ANN401 - any column of whole numbers
        """Take a chunk of a column of counts."""
        self._counts.setdefault(name, []).append(np.asarray(numbers, np.int64))

    def _vocabulary(self, name: str) -> Vocabulary:
        return self.words.setdefault(name, Vocabulary())

    def known(self, name: str) -> list[str]:
        """Give every different text of a column, in order of its number."""
        return list(self.words[name].texts) if name in self.words else []

    def bad_counts(self, name: str) -> list[int]:
        """Give the places of the counts that are no counts: below 0, or beyond what is exact."""
        found = _whole(self._counts[name])
        return np.flatnonzero((found < 0) | (found >= 10**MOST_DIGITS)).tolist()

    def above(self, low: str, high: str) -> list[int]:
        """Give the places at which one column of counts is above another."""
        return np.flatnonzero(_whole(self._counts[low]) > _whole(self._counts[high])).tolist()

    def where(self, name: str, text: str) -> list[int]:
        """Give the places of a text in a column."""
        number = self.words[name].texts.get(text, -1)
        return np.flatnonzero(_whole(self._texts[name]) == number).tolist()

    def units(self) -> dict[str, set[str]]:
        """Give the units of the newest rows of each app."""
        apps = self.known("app")
        found: dict[str, set[str]] = {app: set() for app in apps}
        if "unit" in self._texts:
            units = self.known("unit")
            newest = self._newest()
            pairs = np.stack([_whole(self._texts["app"])[newest], _whole(self._texts["unit"])[newest]])
            for app, unit in np.unique(pairs, axis=1).T.tolist():
                found[apps[app]] |= {units[unit]} - {""}
        return found

    def _newest(self) -> Flags:
        """Say which rows are of the newest date of their app; dates are in order as texts."""
        apps = _whole(self._texts["app"])
        if "date" not in self._texts:
            return np.ones(len(apps), np.bool_)
        order = np.argsort(np.argsort(np.array(self.known("date"))))
        days = order[_whole(self._texts["date"])]
        newest = np.zeros(len(self.known("app")), np.int64)
        np.maximum.at(newest, apps, days)
        found: Flags = days == newest[apps]
        return found

    def table(self) -> ColumnTable:
        """Add the rows up."""
        apps = _whole(self._texts["app"])
        parts = [
            _whole(self._texts[name]) if name in self._texts else np.zeros(len(apps), np.int64)
            for name in ("app", "version", "os")
        ]
        low = _whole(self._counts.get("low") or self._counts["clients"])
        high = _whole(self._counts.get("high") or self._counts["clients"])
        if "date" in self._texts:
            newest = self._newest()
            parts, low, high = [part[newest] for part in parts], low[newest], high[newest]
        texts = {name: self.known(name) or [""] for name in ("app", "version", "os")}
        versions, systems = len(texts["version"]), len(texts["os"])
        key = (parts[0] * versions + parts[1]) * systems + parts[2]
        if len(texts["app"]) * versions * systems <= _DENSE:
            present = np.flatnonzero(np.bincount(key))
            sums = [np.bincount(key, column)[present].astype(np.int64) for column in (low, high)]
        else:
            present, places = np.unique(key, return_inverse=True)
            sums = [np.bincount(places, column).astype(np.int64) for column in (low, high)]
        units = {app: next(iter(sorted(found)), "") for app, found in self.units().items()}
        return ColumnTable(texts, present, sums[0], sums[1], units)


class ColumnTable(FleetTable):
    """Counts by app, version and system, in order; a version's rows are made when they are asked for."""

    def __init__(
        self, texts: dict[str, list[str]], keys: Indexes, low: Indexes, high: Indexes, units: dict[str, str]
    ) -> None:
        """Keep the columns.

        Args:
            texts: every app, version and system.
            keys: their numbers in one, in order.
            low: the least clients of each.
            high: the most.
            units: what each app is counted in.
        """
        super().__init__()
        self._apps = {text: number for number, text in enumerate(texts["app"])}
        self._versions = {text: number for number, text in enumerate(texts["version"])}
        self._systems = texts["os"]
        self._keys, self._low, self._high = keys, low, high
        self._units = units

    def __len__(self) -> int:
        """Give how many versions on how many systems there are."""
        return len(self._keys)

    def unit(self, app: str) -> str:
        """Give what an app is counted in."""
        return self._units.get(app, "")

    def counts(self, app: str, versions: Collection[str]) -> Iterator[tuple[str, Count]]:
        """Give the clients of some versions of an app by operating system."""
        wide = len(self._systems)
        for version in versions:
            if app in self._apps and version in self._versions:
                first = (self._apps[app] * len(self._versions) + self._versions[version]) * wide
                begin, end = np.searchsorted(self._keys, [first, first + wide]).tolist()
                for key, low, high in zip(
                    self._keys[begin:end].tolist(),
                    self._low[begin:end].tolist(),
                    self._high[begin:end].tolist(),
                    strict=True,
                ):
                    yield self._systems[key - first], Count(low=low, high=high)


def _whole(chunks: Sequence[Indexes]) -> Indexes:
    return chunks[0] if len(chunks) == 1 else np.concatenate(chunks)
