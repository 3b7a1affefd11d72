"""The founding question: what does each kind of pin protect against, and what does maintenance then break?"""

from __future__ import annotations

import pytest

from rotator.errors import UsageError
from rotator.report.text import render
from rotator.report.threats import to_document, to_json
from rotator.simulate.grid import Outcome, Threats
from rotator.workflows.threatening import threats_of
from tests.desk import BASE, NOW, Desk, app

P, W, E, B, L = Outcome.PROTECTED, Outcome.WORKS, Outcome.EXPOSED, Outcome.BROKEN, Outcome.LOST
KINDS = (
    "nothing",
    "root",
    "root+backup",
    "intermediate",
    "intermediate+backup",
    "key",
    "key+backup",
    "certificate",
    "certificate+backup",
)


def grid_of(desk: Desk, text: str = BASE + app("shop"), mechanism: str | None = None) -> Threats:
    """Make the grid of the one host."""
    return threats_of(desk.open(text), "api", NOW, mechanism)


def outcomes(grid: Threats, row: str) -> tuple[Outcome, ...]:
    """Give a row of the grid."""
    return next(tuple(cell.outcome for cell in found.cells) for found in grid.rows if found.id == row)


def test_the_columns_are_every_kind_of_pin_without_and_with_a_backup(desk: Desk) -> None:
    assert tuple(kind.id for kind in grid_of(desk).kinds) == KINDS


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("root-compromised", (E, E, E, P, P, P, P, P, P)),
        ("issuer-compromised", (E, E, E, E, E, P, P, P, P)),
        ("backup-ca-compromised", (E, P, E, P, P, P, P, P, P)),
        ("other-ca-compromised", (E, P, P, P, P, P, P, P, P)),
        ("issuer-mistake", (E, E, E, E, E, P, P, P, P)),
        ("other-ca-mistake", (E, P, P, P, P, P, P, P, P)),
        ("key-stolen", (E, E, E, E, E, E, E, E, E)),
        ("key-stolen-swapped", (E, E, E, E, E, L, E, L, E)),
        ("hostile-pins", (E, E, E, E, E, P, P, P, P)),
        ("today", (W,) * 9),
        ("renew-same-key", (W, W, W, W, W, W, W, B, B)),
        ("renew-new-key", (W, W, W, W, W, B, B, B, B)),
        ("swap-to-backup", (W, W, W, W, W, B, W, B, W)),
        ("intermediate-swap", (W, W, W, B, B, W, W, B, B)),
        ("ca-change", (W, B, W, B, W, W, W, B, B)),
    ],
)
def test_a_client_that_matches_anything_in_its_path(desk: Desk, row: str, expected: tuple[Outcome, ...]) -> None:
    """The table of section 6, computed; the backup CA's root signs without the intermediate that is pinned."""
    assert outcomes(grid_of(desk), row) == expected


def test_a_local_root_is_a_matter_of_the_client_and_not_of_what_is_pinned(desk: Desk) -> None:
    assert set(outcomes(grid_of(desk, mechanism="android-nsc"), "local-root")) == {P}
    holds = outcomes(grid_of(desk, mechanism="okhttp"), "local-root")
    assert holds == (E, P, P, P, P, P, P, P, P)
    bypassed = outcomes(grid_of(desk, mechanism="hpkp"), "local-root")
    assert (bypassed[2], bypassed[6]) == (E, E)


def test_a_client_that_takes_no_pins_without_an_end_gets_some_with_one(desk: Desk) -> None:
    """Cronet's pins always have an end: those of the grid hold far longer than anything in it."""
    grid = grid_of(desk, mechanism="cronet")
    assert outcomes(grid, "other-ca-mistake") == (E, *(P,) * 8)
    assert outcomes(grid, "renew-new-key") == (W, W, W, W, W, B, B, B, B)
    assert outcomes(grid, "key-stolen-swapped") == (E, E, E, E, E, L, E, L, E)
    like = BASE + '[mechanisms.own]\nlike = "cronet"\n' + app("shop", "own")
    assert outcomes(grid_of(desk, like), "other-ca-mistake") == (E, *(P,) * 8)
    assert outcomes(grid_of(desk, mechanism="wultra"), "today")[-2:] == (W, W)


def test_a_client_that_reads_two_lists_finds_certificates_in_the_one_of_the_leaf(desk: Desk) -> None:
    grid = grid_of(desk, mechanism="apple-ats")
    assert outcomes(grid, "other-ca-mistake") == (E, *(P,) * 8)
    assert outcomes(grid, "renew-same-key") == (W, W, W, W, W, W, W, B, B)


def test_the_calendar_has_happened_where_it_is_past(desk: Desk) -> None:
    """Served is what the calendar says: the chain that the policy states is not."""
    renewed = BASE + app("shop") + '[[calendar]]\ndate = 2026-11-20\nevent = "ca-change:api:moved"\n'
    renewed = renewed.replace("[hosts.api]", 'moved = { file = "a-by-other.pem" }\n[hosts.api]')
    assert grid_of(desk, renewed).path == ("a", "issuing-ca-1", "other-root")
    assert grid_of(desk, renewed.replace("11-20", "11-24")).path == ("a", "ica", "root")
    gone = BASE + app("shop") + '[[calendar]]\ndate = 2026-11-20\nevent = "EVENT"\n'
    assert outcomes(grid_of(desk, gone.replace("EVENT", "ca-distrust:root")), "today") == (B,) * 9
    assert outcomes(grid_of(desk, gone.replace("EVENT", "key-loss:a")), "today") == (B,) * 9
    assert outcomes(grid_of(desk, gone.replace("EVENT", "key-compromise:a")), "today") == (E,) * 9
    assert outcomes(grid_of(desk, gone.replace("EVENT", "revoke:a-chain")), "today") == (W,) * 9
    hard = '[mechanisms.hard]\nlike = "go"\nrevocation = "hard"\n'
    revoked = gone.replace("EVENT", "revoke:a-chain").replace("[[calendar]]", hard + "[[calendar]]")
    assert set(outcomes(grid_of(desk, revoked, "hard"), "today")) == {B}


def test_everything_that_a_host_serves_is_judged_and_the_worse_counts(desk: Desk) -> None:
    """Pins are of the first chain; a second one, or an edge, is by another CA and has another key."""
    second = BASE.replace('serves = "a-chain"', 'serves = ["a-chain", "c.pem"]') + app("shop")
    edge = BASE.replace('serves = "a-chain"', 'serves = "a-chain"\nedges = [{ name = "cdn", serves = "c.pem" }]')
    for text in (second, edge + app("shop")):
        grid = grid_of(desk, text)
        assert outcomes(grid, "today") == (W, *(B,) * 8)
        assert outcomes(grid, "swap-to-backup") == (W, W, W, W, W, B, W, B, W)
        assert not any(cell.unsure for row in grid.rows if row.id == "today" for cell in row.cells)


def test_a_renewal_from_an_issuer_pool_is_unsure_where_the_pool_decides(desk: Desk) -> None:
    pool = 'serves = "a-chain"\nissuer_pool = { ica = 0.5, other-ica = 0.5 }'
    text = BASE.replace('serves = "a-chain"', pool) + app("shop")
    text = text.replace("[chains]", 'other-ica = { certificate = "other-ica.pem" }\n[chains]')
    grid = grid_of(desk, text)
    assert outcomes(grid, "renew-same-key") == (W, B, B, B, B, W, W, B, B)
    unsure = next([cell.unsure for cell in row.cells] for row in grid.rows if row.id == "renew-same-key")
    assert unsure == [False, True, True, True, True, False, False, False, False]


def test_pins_do_nothing_against_stripping(desk: Desk) -> None:
    grid = grid_of(desk, mechanism="curl")
    row = next(row for row in grid.rows if row.id == "strip")
    assert all(cell.outcome in (E, L) and cell.unsure for cell in row.cells)
    assert set(outcomes(grid_of(desk, mechanism="apple-ats"), "strip")) <= {P, B}


def test_a_client_that_sees_the_leaf_alone_is_broken_by_pins_on_a_ca_from_the_start(desk: Desk) -> None:
    grid = grid_of(desk, mechanism="curl")
    assert outcomes(grid, "today") == (W, B, B, B, B, W, W, W, W)


def test_the_client_is_the_one_most_users_of_the_host_have(desk: Desk) -> None:
    text = BASE + app("few", "curl", clients="5") + app("many", "android-nsc", clients="50")
    assert grid_of(desk, text).mechanism == "android-nsc"
    assert grid_of(desk, BASE).mechanism == "okhttp"


def test_what_has_no_name_in_the_policy_gets_one(desk: Desk) -> None:
    bare = BASE.replace('root = { certificate = "root.pem" }\nica = { certificate = "ica.pem" }\n', "")
    bare = bare.replace('roots = ["root", "other-root"]', 'roots = "root.pem"')
    assert grid_of(desk, bare + app("shop")).path == ("a", "issuing-ca-1", "issuing-root")


def test_a_host_whose_chain_leads_nowhere_has_no_grid(desk: Desk) -> None:
    lost = BASE.replace('roots = ["root", "other-root"]', 'roots = ["other-root"]')
    with pytest.raises(UsageError, match="no path from what api serves"):
        grid_of(desk, lost + app("shop"))
    with pytest.raises(UsageError, match="did you mean api"):
        threats_of(desk.open(BASE), "apo", NOW)
    with pytest.raises(UsageError, match="no mechanism has this id"):
        grid_of(desk, mechanism="okhtp")


def test_an_ended_chain_still_has_its_grid_and_everything_in_it_is_broken(desk: Desk) -> None:
    from tests.minting import instant

    grid = threats_of(desk.open(BASE + app("shop")), "api", instant("2028-01-01"))
    assert set(outcomes(grid, "today")) == {B}


def test_each_cell_says_why_and_the_page_fits_a_terminal(desk: Desk) -> None:
    picture = desk.open(BASE + app("shop"))
    grid = threats_of(picture, "api", NOW)
    assert all(cell.why for row in grid.rows for cell in row.cells)
    text = render(to_document(grid, picture.inventory))
    assert max(len(line) for line in text.splitlines()) <= 80
    data = to_json(grid, picture.inventory)
    assert data["host"] == "api"
