"""The three ways clients build a path, on certificates with real signatures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.model.paths import Conditions, Distrust, Path, find_paths
from rotator.model.pki import Certificate, TrustStore
from rotator.model.rules import Builder
from tests.minting import Minted, instant, intermediate, mint, root, values

AT = instant("2026-11-23")
ALL = tuple(Builder)
OLD, NEW = root("old"), root("new")
CROSS = intermediate("new", OLD, key_name="new")
ICA = intermediate("ica", NEW)
LEAF = mint("leaf", ICA, names=["api.example.com"])


class Scene:
    """Certificates as values, so that what is sent and what is trusted know each other's signatures."""

    def __init__(self, *minted: Minted) -> None:
        """Link them."""
        self.known = dict(zip(minted, values(*minted), strict=True))

    def paths(
        self,
        builder: Builder,
        sent: tuple[Minted, ...],
        roots: tuple[Minted, ...],
        conditions: Conditions | None = None,
        **more: tuple[Minted, ...] | bool,
    ) -> list[Path]:
        """Find every path of a builder."""
        extra = more.pop("extra", ())
        local = more.pop("local", ())
        trust = TrustStore(
            name="t",
            roots=self.values(roots),
            local_roots=self.values(local if isinstance(local, tuple) else ()),
            accepts_expired_roots=bool(more.pop("lenient", False)),
        )
        return list(
            find_paths(
                self.values(sent),
                trust,
                conditions or Conditions(at=AT),
                builder,
                self.values(extra if isinstance(extra, tuple) else ()),
            )
        )

    def values(self, minted: tuple[Minted, ...]) -> tuple[Certificate, ...]:
        """Give the values of certificates."""
        return tuple(self.known[m] for m in minted)


WORLD = Scene(OLD, NEW, CROSS, ICA, LEAF)


def labels(paths: list[Path]) -> list[str]:
    """Show paths by issuer too, since a root and its cross-sign have one name."""
    return [" > ".join(f"{c.label}/{c.issuer.removeprefix('CN=')}" for c in path.certificates) for path in paths]


@pytest.mark.parametrize("builder", ALL)
def test_the_root_belongs_to_the_path_though_nobody_sent_it(builder: Builder) -> None:
    paths = WORLD.paths(builder, (LEAF, ICA), (NEW,))
    assert labels(paths)[0] == "leaf/ica > ica/new > new/new"


@pytest.mark.parametrize("builder", ALL)
def test_without_the_root_there_is_no_path(builder: Builder) -> None:
    assert WORLD.paths(builder, (LEAF, ICA), (OLD,)) == []


@pytest.mark.parametrize("builder", ALL)
def test_without_the_intermediate_there_is_no_path(builder: Builder) -> None:
    assert WORLD.paths(builder, (LEAF,), (NEW,)) == []


@pytest.mark.parametrize("builder", ALL)
def test_nothing_sent_gives_no_path(builder: Builder) -> None:
    assert WORLD.paths(builder, (), (NEW,)) == []


@pytest.mark.parametrize("builder", ALL)
def test_superfluous_certificates_are_left_out(builder: Builder) -> None:
    """A pinned certificate that is merely sent along is not in the path (CVE-2016-2402)."""
    paths = WORLD.paths(builder, (LEAF, OLD, ICA, CROSS), (NEW,))
    assert labels(paths)[0] == "leaf/ica > ica/new > new/new"


@pytest.mark.parametrize("builder", ALL)
def test_old_devices_reach_the_old_root_over_the_cross_sign(builder: Builder) -> None:
    paths = WORLD.paths(builder, (LEAF, ICA, CROSS), (OLD,))
    assert labels(paths)[0] == "leaf/ica > ica/new > new/old > old/old"


@pytest.mark.parametrize("builder", ALL)
def test_with_both_roots_the_path_stops_at_the_new_one(builder: Builder) -> None:
    """So a pin on the old root alone breaks on devices that trust both."""
    paths = WORLD.paths(builder, (LEAF, ICA, CROSS), (OLD, NEW))
    assert labels(paths)[0] == "leaf/ica > ica/new > new/new"


def test_a_client_that_wants_every_path_gets_both() -> None:
    """As Go does; what is built first is the same for all."""
    assert labels(WORLD.paths(Builder.BACKTRACK, (LEAF, ICA, CROSS), (OLD, NEW))) == [
        "leaf/ica > ica/new > new/new",
        "leaf/ica > ica/new > new/new",
        "leaf/ica > ica/new > new/old > old/old",
    ]


def test_backtracking_finds_the_second_cross_sign_and_the_others_do_not() -> None:
    """Two cross-signs sent, only the second one's root trusted."""
    third = root("third")
    second = intermediate("new", third, key_name="new")
    scene = Scene(OLD, NEW, CROSS, ICA, LEAF, third, second)
    sent = (LEAF, ICA, CROSS, second)
    assert labels(scene.paths(Builder.BACKTRACK, sent, (third,))) == ["leaf/ica > ica/new > new/third > third/third"]
    assert scene.paths(Builder.FIRST_ISSUER, sent, (third,)) == []
    assert scene.paths(Builder.OKHTTP, sent, (third,)) == []


def test_only_backtracking_clients_use_certificates_nobody_sent() -> None:
    assert labels(WORLD.paths(Builder.BACKTRACK, (LEAF,), (NEW,), extra=(ICA,))) == ["leaf/ica > ica/new > new/new"]
    assert WORLD.paths(Builder.FIRST_ISSUER, (LEAF,), (NEW,), extra=(ICA,)) == []


@pytest.mark.parametrize("builder", ALL)
@pytest.mark.parametrize("which", ["leaf", "ica", "root"])
def test_an_ended_certificate_anywhere_ends_the_path(builder: Builder, which: str) -> None:
    r = root("r2", not_after="2026-11-22" if which == "root" else "2040-01-01")
    i = intermediate("i2", r, not_after="2026-11-22" if which == "ica" else "2035-01-01")
    leaf = mint("l2", i, not_after="2026-11-22" if which == "leaf" else "2027-01-01")
    scene = Scene(r, i, leaf)
    assert scene.paths(builder, (leaf, i), (r,)) == []
    assert len(scene.paths(builder, (leaf, i), (r,), Conditions(at=instant("2026-11-22")))) == 1
    assert len(scene.paths(builder, (leaf, i), (r,), Conditions(at=None))) == 1


@pytest.mark.parametrize("builder", ALL)
def test_some_stores_do_not_mind_an_ended_root(builder: Builder) -> None:
    r = root("r3", not_after="2021-09-30")
    leaf = mint("l3", r)
    scene = Scene(r, leaf)
    assert scene.paths(builder, (leaf,), (r,)) == []
    assert len(scene.paths(builder, (leaf,), (r,), lenient=True)) == 1


@pytest.mark.parametrize("builder", ALL)
def test_a_certificate_that_ended_early_counts_as_ended(builder: Builder) -> None:
    ended = Conditions(at=AT, ended=frozenset({WORLD.known[ICA].sha256}))
    assert WORLD.paths(builder, (LEAF, ICA), (NEW,), ended) == []
    assert len(WORLD.paths(builder, (LEAF, ICA), (NEW,), ended.without_time())) == 1


@pytest.mark.parametrize("builder", ALL)
def test_a_distrusted_authority_anywhere_ends_the_path(builder: Builder) -> None:
    for gone in (ICA, NEW):
        distrust = Conditions(at=AT, distrusted=frozenset({(WORLD.known[gone].spki, None)}))
        assert WORLD.paths(builder, (LEAF, ICA), (NEW,), distrust) == []
        assert len(WORLD.paths(builder, (LEAF, ICA), (NEW,), distrust.without_distrust())) == 1


@pytest.mark.parametrize("builder", ALL)
def test_a_root_that_left_the_store_may_still_be_reached_over_its_cross_sign(builder: Builder) -> None:
    """As with a store that never held it; a client that refuses the key itself finds no path."""
    by_key = Conditions(at=AT, distrusted=frozenset({(WORLD.known[NEW].spki, None)}))
    left = replace(by_key, distrust=Distrust.STORE)
    sent = (LEAF, ICA, CROSS)
    assert WORLD.paths(builder, sent, (NEW, OLD), by_key) == []
    assert labels(WORLD.paths(builder, sent, (NEW, OLD), left)) == labels(WORLD.paths(builder, sent, (OLD,)))
    assert labels(WORLD.paths(builder, sent, (OLD,), left)) == []


def test_only_backtracking_clients_leave_a_distrusted_root_for_another() -> None:
    """The others take the certificate that was sent first, and with that root gone it leads nowhere."""
    other = intermediate("ica", OLD)
    scene = Scene(LEAF, ICA, other, OLD, NEW)
    for distrust in Distrust:
        gone = Conditions(at=AT, distrusted=frozenset({(scene.known[OLD].spki, None)}), distrust=distrust)
        for builder in ALL:
            found = labels(scene.paths(builder, (LEAF, other, ICA), (OLD, NEW), gone))
            assert found == labels(scene.paths(builder, (LEAF, other, ICA), (NEW,)))
            assert bool(found) is (builder is Builder.BACKTRACK)


@pytest.mark.parametrize("builder", [Builder.BACKTRACK, Builder.FIRST_ISSUER])
def test_an_intermediate_that_is_an_anchor_stays_one_when_its_root_leaves(builder: Builder) -> None:
    gone = Conditions(at=AT, distrusted=frozenset({(WORLD.known[NEW].spki, None)}))
    assert labels(WORLD.paths(builder, (LEAF, ICA), (ICA, NEW), gone)) == labels(
        WORLD.paths(builder, (LEAF, ICA), (ICA,))
    )


@pytest.mark.parametrize("builder", ALL)
def test_distrust_from_a_day_on_spares_older_leaves(builder: Builder) -> None:
    """The minted leaf begins on 2026-10-01; the instant itself is the first that is refused."""
    key = WORLD.known[NEW].spki
    after = Conditions(at=AT, distrusted=frozenset({(key, instant("2026-10-01T00:00:01Z"))}))
    before = Conditions(at=AT, distrusted=frozenset({(key, instant("2026-10-01"))}))
    assert len(WORLD.paths(builder, (LEAF, ICA), (NEW,), after)) == 1
    assert WORLD.paths(builder, (LEAF, ICA), (NEW,), before) == []


@pytest.mark.parametrize("builder", ALL)
def test_a_path_length_is_kept(builder: Builder) -> None:
    r = mint("r4", ca=True, path_length=0, not_before="2020-01-01", not_after="2040-01-01")
    i = intermediate("i4", r)
    long, short = mint("l4", i), mint("l5", r)
    scene = Scene(r, i, long, short)
    assert scene.paths(builder, (long, i), (r,)) == []
    assert len(scene.paths(builder, (short,), (r,))) == 1


@pytest.mark.parametrize("builder", ALL)
def test_self_issued_certificates_do_not_count_against_a_path_length(builder: Builder) -> None:
    """RFC 5280, 4.2.1.9: a CA that certifies its own new key under its own name adds nothing."""
    r = mint("r6", ca=True, path_length=0, not_before="2020-01-01", not_after="2040-01-01")
    own = intermediate("r6", r, key_name="r6-new-key")
    leaf = mint("l6", own)
    scene = Scene(r, own, leaf)
    assert len(scene.paths(builder, (leaf, own), (r,))) == 1


@pytest.mark.parametrize("builder", [Builder.BACKTRACK, Builder.FIRST_ISSUER])
@pytest.mark.parametrize(
    ("permitted", "excluded", "name", "good"),
    [
        (["example.com"], [], "api.example.com", True),
        (["example.com"], [], "api.example.org", False),
        (None, ["example.org"], "api.example.com", True),
        (None, ["example.com"], "api.example.com", False),
        (["example.com"], ["internal.example.com"], "x.internal.example.com", False),
        (["example.com"], [], "*.example.com", True),
        (["example.com"], [], "*.example.org", False),
    ],
)
def test_name_constraints_are_kept(
    builder: Builder, permitted: list[str] | None, excluded: list[str], name: str, *, good: bool
) -> None:
    r = root("r7")
    i = mint("i7", r, ca=True, permitted=permitted, excluded=excluded)
    leaf = mint("l7", i, names=[name])
    assert bool(Scene(r, i, leaf).paths(builder, (leaf, i), (r,))) is good


@pytest.mark.parametrize("builder", ALL)
def test_a_leaf_cannot_sign_and_a_client_ca_cannot_sign_for_servers(builder: Builder) -> None:
    r = root("r8")
    no_ca = mint("i8", r)
    clients = mint("i9", r, ca=True, client_only=True)
    below, other = mint("l8", no_ca), mint("l9", clients)
    scene = Scene(r, no_ca, clients, below, other)
    assert scene.paths(builder, (below, no_ca), (r,)) == []
    assert scene.paths(builder, (other, clients), (r,)) == []


@pytest.mark.parametrize("builder", ALL)
def test_a_name_alone_makes_no_issuer(builder: Builder) -> None:
    """The same subject with another key never signed anything here."""
    rogue = root("ica", key_name="rogue")
    scene = Scene(NEW, ICA, LEAF, rogue)
    assert scene.paths(builder, (LEAF,), (rogue,)) == []


@pytest.mark.parametrize("builder", ALL)
def test_local_roots_count_where_the_client_looks_at_them(builder: Builder) -> None:
    shown = WORLD.paths(builder, (LEAF, ICA), (OLD,), local=(NEW,))
    assert [path.local for path in shown] == [True]
    refused = Conditions(at=AT, local_roots=False)
    assert WORLD.paths(builder, (LEAF, ICA), (OLD,), refused, local=(NEW,)) == []


def test_the_cleaner_of_okhttp_gives_up_after_nine_signers() -> None:
    """The platform's own path check goes one further, so there the cleaner decides."""
    chain = [root("c0")]
    for depth in range(1, 9):
        chain.insert(0, intermediate(f"c{depth}", chain[0]))
    leaf = mint("deep", chain[0])
    scene = Scene(*chain, leaf)
    assert len(scene.paths(Builder.BACKTRACK, (leaf, *chain[:-1]), (chain[-1],))[0].certificates) == 10
    assert len(scene.paths(Builder.OKHTTP, (leaf, *chain[:-1]), (chain[-1],))) == 1
    longer = [intermediate("c9", chain[0]), *chain]
    deeper = mint("deeper", longer[0])
    scene = Scene(*longer, deeper)
    for builder in ALL:
        assert scene.paths(builder, (deeper, *longer[:-1]), (longer[-1],)) == []


def test_the_cleaner_follows_what_was_sent_even_where_the_platform_took_another_way() -> None:
    """Sent in the wrong order is no matter; what is missing is."""
    assert labels(WORLD.paths(Builder.OKHTTP, (LEAF, CROSS, ICA), (OLD,)))[0].endswith("old/old")
    assert WORLD.paths(Builder.OKHTTP, (LEAF, CROSS), (OLD,)) == []


def test_a_self_signed_leaf_is_a_path_only_where_it_is_an_anchor() -> None:
    own = mint("own")
    scene = Scene(own, NEW)
    for builder in (Builder.BACKTRACK, Builder.FIRST_ISSUER):
        assert labels(scene.paths(builder, (own,), (own,))) == ["own/own"]
        assert scene.paths(builder, (own,), (NEW,)) == []


def test_an_intermediate_may_be_an_anchor() -> None:
    for builder in (Builder.BACKTRACK, Builder.FIRST_ISSUER):
        assert labels(WORLD.paths(builder, (LEAF, ICA), (ICA,)))[0] == "leaf/ica > ica/new"


def test_an_intermediate_listed_as_anchor_does_not_hide_its_root() -> None:
    """Trust-store issuers come first, so a root above an anchor is still reached."""
    assert labels(WORLD.paths(Builder.BACKTRACK, (LEAF, ICA), (ICA, NEW)))[0] == "leaf/ica > ica/new > new/new"


def test_a_hostile_tangle_of_cross_signs_ends_quickly() -> None:
    """Thirty CAs with one name and key each, all signing each other: the search is bounded."""
    from rotator.model.pki import planned_certificate

    keys = [bytes([n]) * 32 for n in range(30)]
    tangle = [
        replace(
            planned_certificate(identity=f"{a}-{b}", spki=keys[a], subject=f"ca{a}", issuer=None, ca=True),
            subject_id=b"same",
            issuer_id=b"same",
            signer=keys[b],
        )
        for a in range(30)
        for b in range(30)
        if a != b
    ]
    leaf = replace(tangle[0], sha256=b"leaf" * 8, ca=False, spki=b"l" * 32)
    trust = TrustStore(name="t", roots=WORLD.values((NEW,)))
    for builder in ALL:
        assert list(find_paths((leaf, *tangle), trust, Conditions(at=AT), builder)) == []


def test_the_path_length_of_an_anchor_counts_where_another_certificate_of_it_was_sent() -> None:
    """The store's own certificate takes the place of the cross-sign, and so does its bound."""
    short = mint("new", key_name="new", ca=True, path_length=0, not_before="2020-01-01", not_after="2040-01-01")
    scene = Scene(OLD, short, CROSS, ICA, LEAF)
    assert scene.paths(Builder.BACKTRACK, (LEAF, ICA, CROSS), (short,)) == []
    assert labels(scene.paths(Builder.BACKTRACK, (LEAF, ICA, CROSS), (short, OLD))) == [
        "leaf/ica > ica/new > new/old > old/old"
    ]
