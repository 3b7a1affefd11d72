"""Two questions, five verdicts, one order of reasons."""

from __future__ import annotations

import itertools

from rotator.model.findings import Severity, error, info, warning, worst_first
from rotator.model.verdicts import REFUSAL_ORDER, Reason, Verdict, verdict_of


def test_the_table_of_verdicts() -> None:
    found = {
        (ours, pinned, attacker): verdict_of(ours_accepted=ours, pin_in_force=pinned, attacker_accepted=attacker)
        for ours, pinned, attacker in itertools.product((True, False), repeat=3)
    }
    assert found == {
        (True, True, False): Verdict.OK,
        (True, False, False): Verdict.UNPINNED,
        (False, True, False): Verdict.BREAKS,
        (False, False, False): Verdict.BREAKS,
        (True, True, True): Verdict.EXPOSED,
        (True, False, True): Verdict.EXPOSED,
        (False, True, True): Verdict.LOST,
        (False, False, True): Verdict.LOST,
    }


def test_rows_sort_lost_exposed_breaks_unpinned_ok() -> None:
    assert sorted(Verdict, key=lambda v: v.rank) == [
        Verdict.LOST,
        Verdict.EXPOSED,
        Verdict.BREAKS,
        Verdict.UNPINNED,
        Verdict.OK,
    ]


def test_lost_is_broken_and_exposed_at_once() -> None:
    assert {v for v in Verdict if v.is_broken} == {Verdict.BREAKS, Verdict.LOST}
    assert {v for v in Verdict if v.is_exposed} == {Verdict.EXPOSED, Verdict.LOST}


def test_signs_are_those_of_the_table_and_never_shared() -> None:
    signs = {v: v.glyph + v.ascii_glyph + v.letter for v in Verdict}
    assert signs == {
        Verdict.OK: "✓+O",
        Verdict.UNPINNED: "○-U",
        Verdict.BREAKS: "✗xB",
        Verdict.EXPOSED: "▲!E",
        Verdict.LOST: "✖XL",
    }


def test_the_order_of_reasons_is_that_of_the_product_notes() -> None:
    stated = [
        Reason.NOT_SERVED,
        Reason.CONFIG_REJECTED,
        Reason.ROOT_DISTRUSTED,
        Reason.CHAIN_EXPIRED,
        Reason.REVOKED,
        Reason.NAME_MISMATCH,
        Reason.NO_PATH,
        Reason.PIN_MISMATCH,
    ]
    assert [reason for reason in REFUSAL_ORDER if reason in stated] == stated


def test_reason_ids_are_the_closed_list() -> None:
    listed = """
        pin-matched pin-mismatch no-path chain-expired revoked root-distrusted name-mismatch config-rejected
        key-type-unsupported not-served no-pins pins-expired report-only local-root-bypass host-not-listed
        cleartext-allowed key-stolen ca-compromised ca-misissues hostile-pins forced-out
    """
    assert {str(reason) for reason in Reason} == set(listed.split())


def test_findings_come_worst_first_without_repeats() -> None:
    rows = [info("c", "s", "m"), error("b", "s", "m"), warning("a", "s", "m"), error("a", "s", "m")]
    rows.append(rows[0])
    assert [(f.severity, f.id) for f in worst_first(rows)] == [
        (Severity.ERROR, "a"),
        (Severity.ERROR, "b"),
        (Severity.WARNING, "a"),
        (Severity.INFO, "c"),
    ]
