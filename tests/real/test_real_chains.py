"""Chains that real hosts served over the years: every record is read, and every kind of pin judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotator.files.history import read_history
from rotator.simulate.backtest import Level, Snapshot, path_of, survive
from tests.real.data import DATA, needs_data

pytestmark = needs_data


@pytest.fixture(scope="module")
def record() -> tuple[Snapshot, ...]:
    """Read the whole record once."""
    assert DATA is not None
    return read_history(str(Path(DATA) / "real" / "chain-history"))


def test_every_record_is_read(record: tuple[Snapshot, ...]) -> None:
    assert len(record) > 50
    assert len({snapshot.host for snapshot in record}) > 5
    assert all(snapshot.sent for snapshot in record)


def test_most_paths_are_found_with_the_roots_of_their_day(record: tuple[Snapshot, ...]) -> None:
    found = [snapshot for snapshot in record if path_of(snapshot) is not None]
    assert len(found) > 0.9 * len(record)


def test_a_pin_higher_up_holds_no_shorter_than_the_certificate(record: tuple[Snapshot, ...]) -> None:
    for host in {snapshot.host for snapshot in record}:
        own = sorted((s for s in record if s.host == host), key=lambda s: s.at)
        held = {s.what: s.held for s in survive(own)}
        assert held[Level.CERTIFICATE] <= held[Level.LEAF_KEY] <= len(own)


def test_roots_of_one_ca_hold_longer_than_one_of_them(record: tuple[Snapshot, ...]) -> None:
    """And every gap begins and ends at a snapshot of the record."""
    known = tuple(root for snapshot in record for root in snapshot.roots)
    several = 0
    for host in {snapshot.host for snapshot in record}:
        own = sorted((s for s in record if s.host == host), key=lambda s: s.at)
        fared = {s.what: s for s in survive(own, known)}
        days = {s.at for s in own}
        for one in fared.values():
            assert one.held + sum(gap.snapshots for gap in one.gaps) == one.seen == len(own)
            assert all(gap.begin in days and (gap.end is None or gap.end in days) for gap in one.gaps)
        if Level.ROOTS in fared:
            several += 1
            assert fared[Level.ROOTS].held >= fared[Level.ROOT].held
    assert several
