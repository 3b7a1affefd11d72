"""Laws of importing counts: nothing vanishes, the order of files does not matter, and twice is once."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from rotator.errors import InputError
from rotator.files.counts.reader import read_counts
from rotator.model import policy as p
from rotator.model.counting import Reading
from rotator.model.policy import Count, Policy
from rotator.simulate.census import AppCensus, Stated, take
from rotator.simulate.matching import match
from rotator.simulate.spreading import whole
from tests.files.counts import making
from tests.files.counts.making import TODAY, play_bulk, play_overview, play_page, session, sessions

VERSIONS = ("7.4.0", "7.2.0", "6.8.0", "6.1.0")
SYSTEMS = ("iOS 18.1", "iOS 17.0", "iOS 15.8", "iOS 12.5", "")
cells = st.none() | st.integers(0, 2_000_000)
days = st.integers(0, 9).map(lambda n: date(2026, 11, 20) - timedelta(days=n))
ranges = st.tuples(st.floats(0.05, 1), st.floats(0.05, 1)).map(lambda pair: (min(pair), max(pair)))


def code(version: str) -> int:
    return int(version.replace(".", "0"))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Draw a policy with an app of each platform; some releases have counts already."""
    counts = st.none() | st.integers(0, 10**6).map(lambda n: Count(low=n, high=n))
    trust = {"old": p.Trust(os=("24", "25", "iOS 12", "iOS 15")), "new": p.Trust(os=("34", "iOS 17", "iOS 18"))}
    shares = draw(st.sampled_from([{}, {"old": 0.2, "new": 0.8}]))

    def app(mechanism: str, oldest: str) -> p.App:
        releases = tuple(
            p.Release(version=v, builds=(code(v),), clients=draw(counts), min_os=oldest)
            for v in draw(st.sets(st.sampled_from(VERSIONS), min_size=1))
        )
        return p.App(mechanism=(mechanism,), releases=releases, trust=shares, unseen=draw(counts))

    apps = {"android": app("android-nsc", "26"), "ios": app("apple-ats", "iOS 16")}
    return Policy(apps=apps, trust=trust, file="policy.toml")


@st.composite
def files(draw: st.DrawFn) -> list[bytes]:
    """Draw files of both stores: blanks, older days, hidden versions, systems and totals among them."""
    found: list[bytes] = []
    rows = draw(
        st.lists(st.tuples(days, st.sampled_from(VERSIONS).map(code), cells), min_size=1, unique_by=lambda r: r[:2])
    )
    found.append(play_bulk(*((day.isoformat(), own, "" if n is None else n) for day, own, n in rows)))
    if draw(st.booleans()):
        # The file of another month, or an older download of the same one: the newest day counts, wherever it stands.
        back = timedelta(days=draw(st.integers(0, 40)))
        again = [(day - back, own, n if back else (n or 0)) for day, own, n in rows[: draw(st.integers(1, len(rows)))]]
        found.append(play_bulk(*((day.isoformat(), own, "" if n is None else n) for day, own, n in again)))
    if draw(st.booleans()):
        found.append(play_overview((rows[0][0].isoformat(), draw(st.integers(0, 10**7)))))
    if draw(st.booleans()):
        mix = draw(st.lists(st.integers(1, 1000), min_size=3, max_size=3))
        names = ("Android 14", "Android 8.0", "Android 7.0")
        dimension = "Android OS Version"
        parts = ((rows[0][0].isoformat(), name, n) for name, n in zip(names, mix, strict=True))
        found.append(play_bulk(*parts, dimension=dimension))
    if draw(st.booleans()):
        months = st.sampled_from(["2026-09-01", "2026-10-01"])
        lines = draw(
            st.lists(
                st.tuples(months, st.sampled_from(VERSIONS), st.sampled_from(SYSTEMS), cells),
                min_size=1,
                unique_by=lambda r: r[:3],
            )
        )
        text = sessions(*(session(day, v, os, "" if n is None else n) for day, v, os, n in lines))
        found.append(draw(st.sampled_from([text, gzip.compress(text)])))
    return found


def read(data: list[bytes]) -> list[tuple[str, Reading]]:
    """Read files; those of which every cell is blank are refused and left out here."""
    found = []
    for number, file in enumerate(data):
        try:
            found += [("", reading) for reading in read_counts(file, f"{number}.csv", TODAY)]
        except InputError:
            continue
    return found


def imported(policy: Policy, data: list[bytes], stated: Stated) -> list[AppCensus] | str:
    """Import files; what refuses them is given in words."""
    try:
        return [take(policy, matched, stated) for matched in match(policy, read(data), stated.builds)]
    except InputError as error:
        return str(error)


@st.composite
def tables(draw: st.DrawFn) -> tuple[bytes, int]:
    """Draw a file in one of its forms, with the sum of every number that stands in it."""
    numbers = draw(st.lists(st.tuples(days, st.sampled_from(VERSIONS), cells), min_size=1, unique_by=lambda r: r[:2]))
    total = sum(n or 0 for _, _, n in numbers)
    form = draw(st.sampled_from(["bulk", "own", "sessions", "page"]))
    if form == "bulk":
        found = play_bulk(*((day.isoformat(), code(v), "" if n is None else n) for day, v, n in numbers))
    elif form == "own":
        lines = [f"{v},{'' if n is None else n},{day.isoformat()}" for day, v, n in numbers]
        found = "\n".join(["version,clients,date", *lines, ""]).encode(draw(st.sampled_from(["utf-8-sig", "utf-16"])))
    elif form == "sessions":
        months = [(day.replace(day=1, month=1 + day.day % 9), v, n) for day, v, n in numbers]
        lines_of = (session(m.isoformat(), v, "iOS 18.1", "" if n is None else n) for m, v, n in months)
        found = sessions(*lines_of, bom=draw(st.booleans()))
    else:
        by_day: dict[date, dict[str, int | None]] = {}
        for day, version, number in numbers:
            by_day.setdefault(day, {})[version] = number

        def cell(number: int | None) -> str:
            return "-" if number is None else f"{number:,}"

        lines_of_page = (
            (f"{day:%b} {day.day}, {day.year}", *(cell(own.get(v)) for v in VERSIONS)) for day, own in by_day.items()
        )
        found = play_page([f"{code(v)} ({v})" for v in VERSIONS], *lines_of_page)
    return draw(st.sampled_from([found, gzip.compress(found)])), total


@given(table=tables())
def test_every_number_of_a_file_is_used_or_told_as_dropped(table: tuple[bytes, int]) -> None:
    """Against the sum of what was written into it, so that nothing can vanish between the cells and the sums."""
    data, total = table
    try:
        (reading,) = read_counts(data, "x.csv", TODAY)
    except InputError:
        # A file of blanks alone counts nobody.
        assert total == 0
        return
    assert reading.read == total
    assert reading.used + sum(d.clients for d in reading.dropped) == total


@given(policy=policies(), data=files())
def test_what_is_used_is_what_was_read_less_what_was_told_as_dropped(policy: Policy, data: list[bytes]) -> None:
    for _, reading in read(data):
        assert reading.used == reading.read - sum(d.clients for d in reading.dropped)
    found = imported(policy, data, Stated())
    for app in found if isinstance(found, list) else ():
        used = sum(reading.used for reading in app.readings if reading.by_version)
        in_policy = sum(whole(row.after).high for row in app.releases if row.seen and row.after is not None)
        assert in_policy == used - app.lost.high
        rows = sum(row.clients.high for row in app.table)
        assert app.after is None or rows == app.after.high


@given(policy=policies(), data=files(), seed=st.randoms(use_true_random=False))
def test_the_order_of_files_does_not_matter(policy: Policy, data: list[bytes], seed: Random) -> None:
    shuffled = list(data)
    seed.shuffle(shuffled)
    one, other = imported(policy, data, Stated()), imported(policy, shuffled, Stated())
    if isinstance(one, str) or isinstance(other, str):
        assert type(one) is type(other)
        return
    assert [(a.app, a.releases, a.unseen, a.unknown, a.stuck, a.day, a.unit) for a in one] == [
        (a.app, a.releases, a.unseen, a.unknown, a.stuck, a.day, a.unit) for a in other
    ]


def after(policy: Policy, found: list[AppCensus]) -> Policy:
    """Give the policy as the import writes it."""
    apps = dict(policy.apps)
    for census in found:
        app = apps[census.app]
        releases = tuple(
            replace(release, clients=release.clients if row.after is None else row.after)
            for release, row in zip(app.releases, census.releases, strict=True)
        )
        unseen = app.unseen if census.unseen[1] is None else census.unseen[1]
        apps[census.app] = replace(app, releases=releases, unseen=unseen)
    return replace(policy, apps=apps)


@given(policy=policies(), data=files(), opt_in=st.none() | ranges, unknown=st.booleans())
def test_importing_twice_changes_nothing(
    *, policy: Policy, data: list[bytes], opt_in: tuple[float, float] | None, unknown: bool
) -> None:
    stated = Stated(opt_in=opt_in, count_unknown=unknown)
    once = imported(policy, data, stated)
    if isinstance(once, str):
        return
    written = after(policy, once)
    twice = imported(written, data, stated)
    assert not isinstance(twice, str)
    assert after(written, twice) == written


@given(policy=policies(), data=files(), share=ranges)
def test_a_scaled_range_holds_every_number_it_may_be(
    policy: Policy, data: list[bytes], share: tuple[float, float]
) -> None:
    plain, scaled = imported(policy, data, Stated()), imported(policy, data, Stated(opt_in=share))
    if isinstance(plain, str) or isinstance(scaled, str):
        return
    for before, now in zip(plain, scaled, strict=True):
        if now.opt_in is None:
            continue
        for row, wide in zip(before.releases, now.releases, strict=True):
            if row.seen and row.after is not None and wide.after is not None:
                exact, found = whole(row.after).high, whole(wide.after)
                assert found.low <= exact / share[1] + 1
                assert found.high >= exact / share[0] - 1
                assert found.low <= found.high


def told(error: InputError) -> None:
    """Check that an error says where and what."""
    assert all(problem.message and problem.file for problem in error.problems)


@given(
    file=st.sampled_from(
        [
            play_bulk(("2026-11-19", 70400, 1000), ("2026-11-19", 70200, "")),
            play_page(["70400", "All versions"], ("Jun 17, 2026", "1,234", 7)),
            sessions(session("2026-10-01", "12.0", "iOS 18.1", 540)),
            making.opt_in(("2026-10-01", 1000, 270)),
            making.GERMAN_PAGE.encode(),
            making.FIREBASE.encode(),
            b"app,version,os,low,high,date,unit\nshop,7.2,34,10,12,2026-11-20,devices\n",
        ]
    ),
    place=st.floats(0, 1),
    length=st.integers(0, 6),
    junk=st.binary(max_size=6) | st.text(max_size=3).map(str.encode),
    packed=st.booleans(),
)
def test_a_damaged_file_is_read_or_refused_in_words(
    *, file: bytes, place: float, length: int, junk: bytes, packed: bool
) -> None:
    data = gzip.compress(file, mtime=0) if packed else file
    start = int(place * len(data))
    try:
        found = read_counts(data[:start] + junk + data[start + length :], "x.csv", TODAY)
    except InputError as error:
        told(error)
        return
    for reading in found:
        assert reading.used == reading.read - sum(d.clients for d in reading.dropped)


@given(data=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_anything_is_read_or_refused_in_words(data: bytes) -> None:
    for columns in (None, {"version": "a", "clients": "b"}):
        try:
            read_counts(data, "x.csv", TODAY, columns)
        except InputError as error:
            told(error)
