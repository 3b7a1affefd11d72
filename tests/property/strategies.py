"""What property tests draw from, and the one profile they all run in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from rotator.mechanisms.base import Mechanism, PinsetSpec
from rotator.model import policy as p
from rotator.model.names import Cover, Reach
from rotator.model.pins import Pin, PinKind, spki_pin
from rotator.model.pki import Certificate
from rotator.model.rules import Combine, Mode
from rotator.simulate.assemble import assemble
from rotator.simulate.grammar import ACTIONS, Occurrence, parse_action, parse_event
from rotator.simulate.inventory import KeyFacts, Material
from rotator.simulate.question import Picture
from tests.judging import CONTEXT
from tests.minting import Minted, instant, intermediate, mint, pin, root, values

settings.register_profile("dev", max_examples=30, deadline=None, derandomize=True)
settings.register_profile(
    "nightly", max_examples=5000, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)


def load_profile() -> None:
    """Load the profile that `HYPOTHESIS_PROFILE` names: `dev`, quick and the same each time, unless told otherwise."""
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


# --- pinsets ----------------------------------------------------------------------------------------------------

digests = st.binary(min_size=32, max_size=32)
spki_pins = st.builds(spki_pin, digests)
labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)
#: Names with a known public suffix, which TrustKit wants.
hosts = st.builds(lambda parts: ".".join([*parts, "example.com"]), st.lists(labels, max_size=3))
reaches = st.sampled_from([Reach.EXACT, Reach.ALL, Reach.ONLY_ONE])
covers = st.lists(st.builds(Cover, hosts, reaches), min_size=1, max_size=4, unique_by=lambda cover: cover.name).map(
    tuple
)
days = st.dates(date(1000, 1, 1), date(9998, 12, 31))


@st.composite
def specs(draw: st.DrawFn, fewest: int = 2, certificates_most: int = 1) -> PinsetSpec:
    """Draw a pinset that any client takes."""
    keys = draw(st.lists(spki_pins, min_size=fewest, max_size=5, unique=True))
    authorities = draw(st.lists(spki_pins.filter(lambda pin: pin not in keys), max_size=2, unique=True))
    return PinsetSpec(
        name="p",
        covers=draw(covers),
        keys=tuple(keys),
        authorities=tuple(authorities),
        certificates=tuple(
            Pin(PinKind.CERT_SHA256, d) for d in draw(st.lists(digests, max_size=certificates_most, unique=True))
        ),
        expires=draw(st.none() | days),
        mode=draw(st.sampled_from([Mode.ENFORCE, Mode.REPORT_ONLY])),
        combine=draw(st.sampled_from([Combine.ANY, Combine.LEAF_AND_CA])),
    )


def sayable(own: Mechanism) -> st.SearchStrategy[PinsetSpec]:
    """Draw a pinset that leaves something to say: with an end, certificates or a name where a client needs it."""
    return specs(certificates_most=2).map(lambda spec: _completed(own, spec))


def _completed(own: Mechanism, spec: PinsetSpec) -> PinsetSpec:
    if own.needs_expiry and spec.expires is None:
        spec = replace(spec, expires=date(2027, 6, 30))
    if not own.says_keys and not spec.certificates:
        spec = replace(spec, certificates=tuple(Pin(PinKind.CERT_SHA256, pin.digest) for pin in spec.keys))
    if not own.from_pinset(spec).pinned:
        spec = replace(spec, covers=(*spec.covers[1:], Cover(spec.covers[0].name)))
    return spec


# --- policies ---------------------------------------------------------------------------------------------------

NAMES = ("api.example.com", "www.example.com")
BEGIN, END = instant("2026-10-15"), instant("2027-12-31")


@cache
def certificates() -> dict[str, tuple[Certificate, ...]]:
    """Mint chains for the keys a, b and c under two roots, and a cross-sign of one root by the other."""
    one, two = root("one", not_after="2027-09-01"), root("two")
    ica, other = intermediate("ica", one, not_after="2027-08-01"), intermediate("other", two)
    cross = intermediate("one", two, key_name="one")
    chains: dict[str, tuple[Minted, ...]] = {
        "a-one": (mint("a", ica, names=NAMES), ica),
        "b-one": (mint("b", ica, names=NAMES[:1], not_after="2027-06-30"), ica, cross),
        "a-two": (mint("a", other, names=NAMES, not_before="2026-11-01"), other),
        "c-two": (mint("c", other, names=NAMES), other),
    }
    everything = list(dict.fromkeys([one, two, cross, *(m for chain in chains.values() for m in chain)]))
    known = dict(zip(everything, values(*everything), strict=True))
    found = {name: tuple(known[m] for m in chain) for name, chain in chains.items()}
    return {**found, "one": (known[one], known[cross]), "two": (known[two],)}


AUTHORITIES = {"one": p.Authority(certificate=("one",)), "two": p.Authority(certificate=("two",))}
KEYS = {name: p.Key(spki=pin(name)) for name in "abc"}
CHAINS = {name: p.ChainPlan(file=name) for name in ("a-one", "b-one", "a-two", "c-two")} | {
    "b-planned": p.ChainPlan(leaf="b", issuers=("two",), not_before=date(2026, 12, 1), lifetime_days=200)
}
TRUST = {
    "both": p.Trust(roots=("one", "two")),
    "old": p.Trust(roots=("one",), accepts_expired_roots=True),
    "new": p.Trust(roots=("two",), without=("one",)),
    "proxied": p.Trust(roots=("one",), local_roots=("two",), intercepted_by="two"),
}
PINSETS = {
    "a": p.Pinset(primary=("a",)),
    "ab": p.Pinset(primary=("a",), backups=("b",), expires=date(2027, 3, 1)),
    "bc": p.Pinset(primary=("b",), backups=("c",), mode="report-only"),
    "one": p.Pinset(authorities=("one",), expires=date(2027, 5, 1)),
    "mixed": p.Pinset(primary=("a",), authorities=("one",), combine="leaf-and-ca"),
    "cert": p.Pinset(certificates=("a-one",)),
    "live": p.Pinset(primary=("b",), backups=("a",), delivery="live", refresh_days=2, offline_share=0.1),
}
MECHANISMS = {
    "careless": p.CustomMechanism(like="curl", axes={"base": "none"}),
    "exact": p.CustomMechanism(like="okhttp", axes={"object": "cert-sha256", "revocation": "hard"}),
    "either": p.CustomMechanism(like="trustkit-ios", axes={"expiry": "closed", "path": "any"}),
}
PLAYED = ("android-nsc", "apple-ats", "curl", "okhttp", "trustkit-ios", "none", "hpkp", *MECHANISMS)

counts = st.integers(0, 5000).map(lambda n: p.Count(low=n, high=n)) | st.tuples(
    st.integers(0, 500), st.integers(0, 500)
).map(lambda pair: p.Count(low=pair[0], high=sum(pair)))
shares = st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 0.9, 1.0])


@st.composite
def apps(draw: st.DrawFn, *, known: bool = True) -> p.App:
    """Draw an app with releases."""
    releases = draw(
        st.lists(
            st.builds(
                p.Release,
                version=st.uuids().map(str),
                pinset=st.sampled_from([{"": name} for name in PINSETS]),
                clients=counts if known else counts | st.none(),
            ),
            max_size=3,
        )
    )
    stores = draw(st.lists(st.sampled_from(sorted(TRUST)), min_size=1, max_size=2, unique=True))
    beside = p.Beside(mechanism=("none",), hosts=("api",))
    return p.App(
        mechanism=tuple(draw(st.lists(st.sampled_from(PLAYED), min_size=1, max_size=2, unique=True))),
        pinset={"": draw(st.sampled_from(sorted(PINSETS)))},
        hosts=draw(st.none() | st.fixed_dictionaries({"api": shares}, optional={"www": shares})),
        trust=dict.fromkeys(stores, 1 / len(stores)),
        clients=None if releases else draw(counts),
        releases=tuple(releases),
        beside=draw(st.sampled_from([(), (beside,)])),
    )


@st.composite
def policies(draw: st.DrawFn, *, known: bool = True) -> p.Policy:
    """Draw a policy of some apps on two hosts; `known` counts all clients."""
    serving = st.lists(st.sampled_from(sorted(CHAINS)), max_size=2, unique=True).map(tuple)
    edge = st.builds(p.Edge, name=st.just("dr"), serves=serving)
    found = draw(st.lists(apps(known=known), min_size=1, max_size=3))
    return p.Policy(
        file="drawn.toml",
        measured=date(2026, 11, 20),
        keys=KEYS,
        authorities=AUTHORITIES,
        chains=CHAINS,
        hosts={
            "api": p.Host(names=NAMES[:1], serves=draw(serving), edges=tuple(draw(st.lists(edge, max_size=1)))),
            "www": p.Host(
                names=NAMES[1:],
                serves=draw(serving),
                renew_key=draw(st.sampled_from([None, "same", "new"])),
                issuer_pool=draw(st.sampled_from([{}, {"one": 0.3, "two": 0.7}])),
            ),
        },
        trust=TRUST,
        pinsets=PINSETS,
        apps={f"app-{index}": app for index, app in enumerate(found)},
        mechanisms=MECHANISMS,
    )


def picture(policy: p.Policy) -> Picture:
    """Put a drawn policy together with the minted files."""
    material = Material(certificates=dict(certificates()), keys={name: KeyFacts(pin=pin(name)) for name in policy.keys})
    inventory = assemble(policy, material, CONTEXT, "drawn")
    return Picture(policy=policy, material=material, context=CONTEXT, digest="drawn", inventory=inventory)


instants = st.datetimes(BEGIN.replace(tzinfo=None), END.replace(tzinfo=None)).map(
    lambda at: at.replace(microsecond=0, tzinfo=BEGIN.tzinfo)
)
ATTACKS = [
    *(f"key-compromise:{key}{option}" for key in "abc" for option in ("", "?certified=yes")),
    *(f"ca-compromise:{ca}" for ca in ("one", "two")),
    *(f"mis-issue:{host}{ca}" for host in ("api", "www") for ca in ("", ":one", ":two")),
    *(f"strip:{host}" for host in ("api", "www")),
    *(f"local-root:{cohort}" for cohort in ("app-0", "app-0//both")),
]
#: These take something from our own servers as well.
HOSTILE = [
    *(f"hostile-pins:{host}" for host in ("api", "www")),
    *(f"local-root:{cohort}?intercepts=yes" for cohort in ("app-0", "app-0//both")),
]
EVENTS = [
    *ATTACKS,
    *(f"key-loss:{key}" for key in "abc"),
    *(f"renew:{host}{how}" for host in ("api", "www") for how in ("", ":same-key", ":new-key")),
    *(f"serve:{host}:{what}" for host in ("api", "www") for what in (*CHAINS, "a", "b", "c")),
    *(f"revoke:{what}{clock}" for what in ("api", "www", "a-one") for clock in ("", "?clock=0h", "?clock=5d")),
    *(f"expire:{what}" for what in ("a-one", "one", "two", "one/two")),
    *(f"ca-distrust:{ca}{after}" for ca in ("one", "two") for after in ("", "?issued-after=2026-11-15")),
    *(f"pins-expire:{name}" for name in ("ab", "one")),
    *HOSTILE,
    *(f"wrong-pin:{name}" for name in ("ab", "live", "cert")),
    *(f"intermediate-swap:{host}:{ca}" for host in ("api", "www") for ca in ("one", "two")),
    *(f"algorithm-change:{host}:{kind}" for host in ("api", "www") for kind in ("rsa-2048", "ec-p521", "ml-dsa-65")),
    *(f"ship:app-0:9.{minor}:{pinset}" for minor in (0, 1) for pinset in ("ab", "live")),
    *(f"publish:app-0:{pinset}" for pinset in ("live", "bc")),
    *(f"floor:app-0:{version}" for version in ("1", "5")),
    *(f"destroy:{key}" for key in "abc"),
]


@st.composite
def happenings(draw: st.DrawFn, among: Sequence[str] = EVENTS, most: int = 4) -> tuple[Occurrence, ...]:
    """Draw dated events and actions; a host that serves nothing has no issuer to assume, so it is never asked to."""
    found = []
    for text in draw(st.lists(st.sampled_from(among), max_size=most)):
        name = text.partition(":")[0]
        parse = parse_action if name in ACTIONS and name != "revoke" else parse_event
        when: datetime = draw(instants | instants.map(lambda at: at.replace(hour=0, minute=0, second=0)))
        occurrence = parse(text)
        found.append(Occurrence(**{**_fields(occurrence), "at": when}))  # type: ignore[arg-type]  # its own fields
    return tuple(found)


def _fields(occurrence: Occurrence) -> dict[str, object]:
    return {name: getattr(occurrence, name) for name in ("id", "parts", "options", "action")}


def later(at: datetime, seconds: int) -> datetime:
    """Give an instant some seconds later."""
    return at + timedelta(seconds=seconds)
