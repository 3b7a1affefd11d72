"""Pinsets against what a host really served: breaks, what changed, and how long each kind of pin would have held."""

from __future__ import annotations

from dataclasses import replace

from rotator.model.pki import Certificate
from rotator.simulate.backtest import Backtest, Level, Snapshot, Survival, backtest
from rotator.simulate.fleet import fleet_of
from tests.desk import API, BASE, Desk, app
from tests.minting import Minted, instant, intermediate, mint, root, values

ROOT, OTHER = root("root"), root("other-root")
ICA, SECOND = intermediate("ica", ROOT), intermediate("second", ROOT)
ELSEWHERE = intermediate("other-ica", OTHER)
A = mint("a", ICA, names=[API], not_before="2026-01-01", not_after="2026-04-01")
A2 = mint("a", ICA, names=[API], not_before="2026-03-01", not_after="2026-06-01")
A3 = mint("a", SECOND, names=[API], not_before="2026-05-01", not_after="2026-08-01")
B = mint("b", SECOND, names=[API], not_before="2026-07-01", not_after="2026-10-01")
C = mint("c", ELSEWHERE, names=[API], not_before="2026-09-01", not_after="2026-12-01")
EVERY = (ROOT, OTHER, ICA, SECOND, ELSEWHERE, A, A2, A3, B, C)
KNOWN: dict[Minted, Certificate] = dict(zip(EVERY, values(*EVERY), strict=True))


def seen(at: str, *sent: Minted, host: str = API) -> Snapshot:
    """Make a snapshot."""
    return Snapshot(
        at=instant(at),
        host=host,
        sent=tuple(KNOWN[m] for m in sent),
        roots=(KNOWN[ROOT], KNOWN[OTHER]),
    )


RECORD = (
    seen("2026-02-01", A, ICA),
    seen("2026-03-15", A2, ICA),
    seen("2026-05-15", A3, SECOND),
    seen("2026-07-15", B, SECOND),
    seen("2026-09-15", C, ELSEWHERE),
)
MORE = '[pinsets.only-a]\nprimary = "a"\n[pinsets.mid]\nauthorities = ["ica"]\n[pinsets.top]\nauthorities = ["root"]\n'


def held_against(desk: Desk, text: str, *record: Snapshot) -> Backtest:
    """Hold a policy against a record."""
    picture = desk.open(text)
    return backtest(picture.inventory, fleet_of(picture.inventory), record)


def breaks(found: Backtest) -> list[tuple[str, int | None, tuple[str, ...]]]:
    """Give the breaks: the day, how many, and what changed."""
    return [(b.at.date().isoformat(), b.total.high, tuple(map(str, b.changed))) for b in found.breaks]


def test_each_kind_of_pin_breaks_with_the_change_it_is_about(desk: Desk) -> None:
    found = held_against(desk, BASE, *RECORD)
    survived = {s.what: (s.broke.date().isoformat() if s.broke else None, s.held, s.seen) for s in found.survival}
    assert survived == {
        Level.CERTIFICATE: ("2026-03-15", 1, 5),
        Level.LEAF_KEY: ("2026-07-15", 3, 5),
        Level.INTERMEDIATE: ("2026-05-15", 2, 5),
        Level.ROOT: ("2026-09-15", 4, 5),
    }


def test_pinsets_break_where_nothing_that_is_served_is_pinned(desk: Desk) -> None:
    text = BASE + MORE + app("both") + app("only", pinset="only-a", clients="10")
    assert breaks(held_against(desk, text, *RECORD)) == [
        ("2026-07-15", 10, ("certificate", "leaf key")),
        ("2026-09-15", 1010, ("certificate", "leaf key", "intermediate", "root")),
    ]


def test_pins_on_authorities_are_held_against_the_path(desk: Desk) -> None:
    mid = held_against(desk, BASE + MORE + app("mid", pinset="mid"), *RECORD)
    assert [day for day, _, _ in breaks(mid)] == ["2026-05-15", "2026-07-15", "2026-09-15"]
    top = held_against(desk, BASE + MORE + app("top", pinset="top"), *RECORD)
    assert [day for day, _, _ in breaks(top)] == ["2026-09-15"]


def test_the_order_of_the_record_does_not_matter(desk: Desk) -> None:
    text = BASE + app("both")
    assert breaks(held_against(desk, text, *reversed(RECORD))) == breaks(held_against(desk, text, *RECORD))


def test_a_gap_and_a_certificate_that_ends_in_it_are_no_break(desk: Desk) -> None:
    """A ended on 2026-04-01; the next sighting has another."""
    assert breaks(held_against(desk, BASE + app("both"), RECORD[0], RECORD[2])) == []


def test_a_host_the_policy_does_not_have_is_judged_by_kinds_of_pins_only(desk: Desk) -> None:
    found = held_against(desk, BASE + app("both"), *(seen("2026-02-01", C, ELSEWHERE, host="elsewhere.test"),))
    assert found.breaks == ()
    assert {s.host for s in found.survival} == {"elsewhere.test"}


def test_unpinned_clients_do_not_break(desk: Desk) -> None:
    assert held_against(desk, BASE + app("web", "none", pinset=""), *RECORD).breaks == ()


def test_nothing_recorded_says_nothing(desk: Desk) -> None:
    found = held_against(desk, BASE + app("both"))
    assert (found.snapshots, found.breaks, found.survival) == ((), (), ())


# --- from when to when ------------------------------------------------------------------------------------------------


def gaps(found: Survival) -> list[tuple[str, str | None, int]]:
    """Give the days between which nothing matched, and how many snapshots say so."""
    return [(str(g.begin.date()), str(g.end.date()) if g.end else None, g.snapshots) for g in found.gaps]


def named(found: tuple[Survival, ...], what: str) -> Survival:
    (one,) = [s for s in found if s.what == what]
    return one


def test_a_pin_that_matches_again_has_a_gap_with_both_ends(desk: Desk) -> None:
    """The host leaves the intermediate twice and comes back once."""
    again = mint("a", ICA, names=[API], not_before="2026-06-01", not_after="2026-09-01")
    KNOWN[again] = values(ROOT, ICA, again)[2]
    record = (*RECORD[:3], seen("2026-06-15", again, ICA), *RECORD[3:])
    found = named(held_against(desk, BASE, *record).survival, Level.INTERMEDIATE)
    assert gaps(found) == [("2026-05-15", "2026-06-15", 1), ("2026-07-15", None, 2)]
    assert (found.held, found.seen, found.broke) == (3, 6, instant("2026-05-15"))


def test_each_pinset_is_held_against_the_record_whoever_carries_it(desk: Desk) -> None:
    """Nobody carries `mid` and `top`; they are judged all the same."""
    found = held_against(desk, BASE + MORE + app("both"), *RECORD).pinsets
    assert gaps(named(found, "p")) == [("2026-09-15", None, 1)]
    assert gaps(named(found, "only-a")) == [("2026-07-15", None, 2)]
    assert gaps(named(found, "mid")) == [("2026-05-15", None, 3)]
    assert gaps(named(found, "top")) == [("2026-09-15", None, 1)]


def test_a_pinset_of_another_name_is_left_out(desk: Desk) -> None:
    other = BASE + '[pinsets.theirs]\nprimary = "a"\ncovers = "elsewhere.test"\n' + app("both")
    assert [s.what for s in held_against(desk, other, *RECORD).pinsets] == ["p"]


def test_a_pinset_that_wants_leaf_and_ca_needs_both(desk: Desk) -> None:
    both = BASE + '[pinsets.strict]\nprimary = "a"\nauthorities = "ica"\ncombine = "leaf-and-ca"\n' + app("shop")
    assert gaps(named(held_against(desk, both, *RECORD).pinsets, "strict")) == [("2026-05-15", None, 3)]


def test_several_roots_are_those_of_one_organisation(desk: Desk) -> None:
    """The organisation of minted roots is written into their names here; the host moves from one to the other."""

    def of(name: str, *certificates: Certificate) -> tuple[Certificate, ...]:
        return tuple(replace(c, subject=f"CN={c.label},O={name}") if c.self_signed else c for c in certificates)

    record = [replace(s, roots=of("One CA", *s.roots)) for s in RECORD]
    found = named(held_against(desk, BASE, *record).survival, Level.ROOTS)
    assert (found.pins, found.gaps) == (2, ())
    apart = [replace(s, roots=(*of("One CA", s.roots[0]), *of("Another", s.roots[1]))) for s in RECORD]
    assert Level.ROOTS not in {s.what for s in held_against(desk, BASE, *apart).survival}


def test_the_roots_of_a_pool_belong_to_several_roots(desk: Desk) -> None:
    desk.file("other-ica.pem", ELSEWHERE.pem)
    text = BASE.replace("[chains]", 'other-ica = { certificate = "other-ica.pem" }\n[chains]').replace(
        'serves = "a-chain"', 'serves = "a-chain"\nissuer_pool = ["ica", "other-ica"]'
    )
    found = named(held_against(desk, text, *RECORD).survival, Level.ROOTS)
    assert (found.pins, found.gaps) == (2, ())


def test_a_record_that_does_not_say_what_was_trusted_takes_the_roots_of_the_policy(desk: Desk) -> None:
    bare = [replace(s, roots=()) for s in RECORD]
    found = held_against(desk, BASE + app("both"), *bare)
    assert gaps(named(found.survival, Level.ROOT)) == [("2026-09-15", None, 1)]
