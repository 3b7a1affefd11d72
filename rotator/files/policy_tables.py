"""Every table of the policy file: its keys, their types, and what must go together inside one table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from rotator.files.place import Json, Place
from rotator.files.policy_values import (
    COUNT,
    COVER,
    CertificateName,
    ChainRef,
    Clients,
    HostName,
    Roots,
    Spki,
    Trailing,
    same,
)
from rotator.files.reading import (
    Choice,
    Day,
    Either,
    FilePath,
    Flag,
    Ident,
    Many,
    MapOf,
    Moment,
    Number,
    Ref,
    Table,
    Text,
    Type,
)
from rotator.model import policy as p
from rotator.model import rules

SHARE = Number(0, 1)
DAYS = Number(0, 100_000)


def _per_mechanism(item: Type) -> Either:
    """Accept one value for every mechanism, or a table by mechanism."""
    return Either(((str,), item, lambda v: {"": v}), ((dict,), MapOf(Ref("mechanisms"), item), same))


def _shares(kind: str, *, even: bool = False) -> Either:
    """Accept a list of names, or a table of shares; a list gives each 1, or an even part of 1."""
    return Either(
        (
            (list,),
            Many(Ref(kind), empty=False),
            lambda v: dict.fromkeys(v, 1 / max(1, len(v)) if even else 1.0),
        ),
        ((dict,), MapOf(Ref(kind), SHARE), same),
    )


def _exactly_one(*fields: str, what: str) -> Any:  # noqa: ANN401
    def check(made: object, place: Place) -> None:
        given = [name for name in fields if getattr(made, name)]
        if len(given) != 1:
            found = " and ".join(given) if given else "none"
            place.report(f"{what} has exactly one source", value=found, expected=" | ".join(fields))

    return check


LIMITS = Table(
    p.Limits,
    {
        "break_budget": SHARE,
        "exposure_budget": SHARE,
        "noise_floor": SHARE,
        "exposure_weight": Number(0),
        "confidence": Number(0.5, 0.999),
        "horizon_days": Number(1, 3650, whole=True),
        "emergency_days": Number(1, 365, whole=True),
        "proof_days": Number(1, whole=True),
        "deploy_days": DAYS,
        "rollback_days": DAYS,
        "review_days": DAYS,
        "safety_days": DAYS,
        "sighting_days": Number(1, whole=True),
        "key_max_days": Number(1, whole=True),
    },
)
KEY = Table(
    p.Key,
    {
        "certificate": FilePath(),
        "public_key": FilePath(),
        "csr": FilePath(),
        "spki": Spki(),
        "custody": Text(),
        "proved": Day(),
        "status": Choice("active", "compromised", "lost", "destroyed"),
        "since": Day(),
    },
    check=_exactly_one("certificate", "public_key", "csr", "spki", what="a key"),
)
AUTHORITY = Table(
    p.Authority,
    {
        "bundled": Text(),
        "certificate": Many(FilePath(), one=True, empty=False),
        "spki": Spki(),
        "holder": Text(),
        "until": Day(),
        "custody": Text(),
        "issued_by": Many(Ref("authorities"), one=True),
    },
    check=_exactly_one("bundled", "certificate", "spki", what="an authority"),
)


def _check_chain(chain: p.ChainPlan, place: Place) -> None:
    planned = (chain.leaf, chain.issuers, chain.not_before, chain.lifetime_days, chain.sends, chain.names)
    if chain.file and any(planned):
        place.report("a chain is a file, or planned, not both", expected="file | issuers with not_before and so on")
    elif not chain.file and not (chain.issuers or chain.leaf):
        place.report("nothing says what this chain is", expected="file, or leaf and issuers")
    for name in chain.sends or ():
        if name not in chain.issuers:
            place.child("sends").report("sends what is not among its issuers", value=name)


CHAIN = Table(
    p.ChainPlan,
    {
        "file": FilePath(),
        "leaf": Ref("keys"),
        "issuers": Many(Ref("authorities"), one=True),
        "not_before": Moment(),
        "lifetime_days": Number(0.1, 36_500),
        "lead_hours": Number(0),
        "sends": Many(Ref("authorities")),
        "names": Many(CertificateName()),
        "common_name": Flag(),
    },
    check=_check_chain,
)


def _odds(names: tuple[str, ...]) -> dict[str, float]:
    return dict.fromkeys(names, 1 / max(1, len(names)))


HOST = Table(
    p.Host,
    {
        "names": Many(HostName(), one=True, empty=False),
        "port": Number(1, 65_535, whole=True),
        "serves": Many(ChainRef(), one=True),
        "edges": Many(
            Table(p.Edge, {"name": Text(), "serves": Many(ChainRef(), one=True)}, required=("name", "serves"))
        ),
        "issuer_pool": _shares("authorities", even=True),
        "renew_days": Number(1, whole=True),
        "renew_key": Choice("same", "new"),
        "observed": Day(),
        "other_clients": Text(),
        "control": Choice("ours", "third-party"),
        "audience": Choice("public", "intranet"),
        "dane": Table(
            p.Dane,
            {
                "records": FilePath(),
                "ttl_seconds": Number(0, whole=True),
                "dnssec": Choice("secure", "insecure", "bogus"),
            },
            required=("records",),
        ),
    },
    hint=lambda _key, value: (
        'a host name with dots needs quotes, as in [hosts."api.shop.example"]' if isinstance(value, dict) else ""
    ),
)


TRUST = Table(
    p.Trust,
    {
        "roots": Roots(),
        "without": Many(Ref("authorities")),
        "local_roots": Many(Ref("authorities"), one=True),
        "intercepted_by": Ref("authorities"),
        "os": Many(Text(), one=True),
        "accepts_expired_roots": Flag(),
        "key_types": Many(Text(), one=True),
    },
)


def _check_pinset(pinset: p.Pinset, place: Place) -> None:
    for name in set(pinset.primary) & set(pinset.backups):
        place.child("backups").report("is primary and backup at once", value=name)
    if pinset.delivery == "release" and pinset.signed_by:
        place.child("signed_by").report("only live pins are signed", expected='delivery = "live"')


PINSET = Table(
    p.Pinset,
    {
        "primary": Many(Ref("keys"), one=True),
        "backups": Many(Ref("keys"), one=True),
        "authorities": Many(Ref("authorities"), one=True),
        "certificates": Many(ChainRef(), one=True),
        "covers": Many(COVER, one=True),
        "expires": Moment(),
        "mode": Choice("enforce", "report-only"),
        "combine": Choice("any", "leaf-and-ca"),
        "delivery": Choice("release", "live"),
        "refresh_days": Number(0.01),
        "offline_share": SHARE,
        "stale": Choice("open", "closed"),
        "signed_by": Ref("keys"),
        "max_age_days": Number(0),
    },
    check=_check_pinset,
)
RELEASE_FIELDS: Mapping[str, Type] = {
    "version": Text(),
    "also": Many(Text()),
    "builds": Many(Number(0, whole=True)),
    "min_os": Text(),
    "released": Day(),
    "pinset": _per_mechanism(Ref("pinsets")),
    "mechanism": Many(Ref("mechanisms"), one=True, empty=False),
    "config": _per_mechanism(FilePath()),
    "trust": Either(((str,), Ref("trust"), lambda v: {v: 1.0}), ((dict,), MapOf(Ref("trust"), SHARE), same)),
    "clients": Clients(),
}


def _check_freeze(freeze: p.Freeze, place: Place) -> None:
    if freeze.to < freeze.from_:
        place.child("to").report("ends before it begins", value=freeze.to.isoformat())


def _check_row(row: p.TimelineRow, place: Place) -> None:
    if (row.event is None) == (row.action is None):
        place.report("a row has an event or an action", value="both" if row.event else "none", expected="one of them")


def _adoption(**values: float) -> p.Adoption:
    return p.Adoption(**values)  # type: ignore[arg-type]  # the table below reads numbers only


def _check_adoption(adoption: p.Adoption, place: Place) -> None:
    if (adoption.never or 0) + (adoption.fast or 0) > 1 + 1e-9:
        place.report("never and fast are more than everybody", value=f"{adoption.never} + {adoption.fast}")


APP_FIELDS: Mapping[str, Type] = {
    **{key: kind for key, kind in RELEASE_FIELDS.items() if key not in ("version", "also", "builds")},
    "hosts": _shares("hosts"),
    "adoption": Either(
        ((str,), Choice("fast", "typical", "slow", "fitted", "deploy"), lambda v: p.Adoption(preset=v)),
        (
            (dict,),
            Table(
                _adoption,
                {"never": SHARE, "fast": SHARE, "fast_days": Number(0.01), "slow_days": Number(0.01)},
                required=("never", "fast", "fast_days", "slow_days"),
                check=_check_adoption,
            ),
            same,
        ),
    ),
    "new_installs": SHARE,
    "rollout": Either(
        ((str,), Choice("at-once", "staged-7d", "apple-phased"), same),
        ((list,), Many(Many(Number(0)), empty=False), lambda v: tuple((pair[0], pair[1]) for pair in v)),
    ),
    "review_days": DAYS,
    "break_budget": SHARE,
    "cleartext": Flag(),
    "floors": Many(
        Table(
            p.Floor,
            {
                "version": Text(),
                "date": Day(),
                "mode": Choice("hard", "soft"),
                "reach": SHARE,
                "reach_days": Number(0.01),
                "via": HostName(),
            },
            required=("version", "date"),
        )
    ),
    "counts": Table(
        p.CountsInfo,
        {
            "source": Text(),
            "unit": Text(),
            "basis": Choice("measured", "scaled", "assumed"),
            "spread": Choice("measured", "assumed"),
            "date": Day(),
            "file": FilePath(),
            "opt_in": Number(0.0001, 1),
        },
    ),
    "beside": Many(
        Table(
            p.Beside,
            {
                "mechanism": Many(Ref("mechanisms"), one=True, empty=False),
                "hosts": Many(Ref("hosts"), one=True, empty=False),
                "pinset": _per_mechanism(Ref("pinsets")),
                "note": Text(),
            },
            required=("mechanism", "hosts"),
        )
    ),
    "unseen": COUNT,
    "releases": Many(Table(p.Release, RELEASE_FIELDS, required=("version",))),
}


def _check_app(app: p.App, place: Place) -> None:
    if app.unseen is not None and not app.releases:
        place.child("unseen").report("an app without releases hides none", expected="releases, or no unseen")
    if app.unseen is not None and app.unseen.low > app.unseen.high:
        place.child("unseen").report("low is above high", value=f"{app.unseen.low} > {app.unseen.high}")
    if app.releases and app.clients is not None:
        place.child("clients").report("counts belong to the releases here", expected="clients in each release")
    seen: dict[str, int] = {}
    for index, release in enumerate(app.releases):
        for version in (release.version, *release.also):
            if version in seen:
                place.child("releases").item(index).report("this version is there twice", value=version)
            seen[version] = index
    for step in app.rollout if isinstance(app.rollout, tuple) else ():
        if not 0 <= step[1] <= 1:
            place.child("rollout").report("a share is from 0 to 1", value=str(step[1]))


APP = Table(p.App, APP_FIELDS, required=("mechanism",), check=_check_app)
AXES: Mapping[str, type[StrEnum]] = {
    "scope": rules.Scope,
    "combine": rules.Combine,
    "path": rules.PathUse,
    "builder": rules.Builder,
    "base": rules.Base,
    "local_roots": rules.LocalRoots,
    "revocation": rules.Revocation,
    "on_bad_config": rules.BadConfig,
}


def _custom(**values: str) -> p.CustomMechanism:
    plain = {key: values.pop(key) for key in ("like", "host_rule", "runtime") if key in values}
    return p.CustomMechanism(**plain, axes=values)


MECHANISM = Table(
    _custom,
    {
        "like": Ref("known mechanisms"),
        "host_rule": Choice("exact", "one-label", "all", "any"),
        "runtime": Choice("android", "jvm"),
        "object": Choice("spki-sha256", "spki-sha1", "cert-sha256", "cert-sha1", "cert-md5", "raw"),
        "expiry": Choice("open", "closed", "none"),
        "no_host": Choice("open", "closed"),
        **{name: Choice(*(str(word) for word in words)) for name, words in AXES.items()},
    },
    required=("like",),
)
ROW = Table(
    p.TimelineRow,
    {"date": Moment(), "event": Trailing(action=False), "action": Trailing(action=True), "note": Text()},
    required=("date",),
    check=_check_row,
)
POLICY = Table(
    dict,
    {
        "schema": Number(1, whole=True),
        "name": Text(),
        "measured": Day(),
        "include": Many(FilePath(), one=True),
        "pki": Many(FilePath(), one=True),
        "limits": LIMITS,
        "keys": MapOf(Ident(), KEY),
        "authorities": MapOf(Ident(), AUTHORITY),
        "chains": MapOf(Ident(), CHAIN),
        "hosts": MapOf(Ident(), HOST),
        "trust": MapOf(Ident(), TRUST),
        "pinsets": MapOf(Ident(), PINSET),
        "apps": MapOf(Ident(), APP),
        "mechanisms": MapOf(Ident(), MECHANISM),
        "fleet": Table(lambda file: file, {"file": FilePath()}, required=("file",)),
        "exports": Many(
            Table(
                p.Export,
                {"pinset": Ref("pinsets"), "files": MapOf(Ref("mechanisms"), FilePath())},
                required=("pinset", "files"),
            )
        ),
        "freeze": Many(
            Table(
                p.Freeze,
                {"from": Day(), "to": Day(), "what": Many(Choice("ship", "serve"))},
                required=("from", "to"),
                rename={"from": "from_"},
                check=_check_freeze,
            )
        ),
        "calendar": Many(ROW),
        "scenarios": MapOf(Ident(), Many(ROW)),
        "allow": Many(
            Table(
                p.Allow,
                {"finding": Text(), "subject": Text(), "reason": Text(), "until": Day()},
                required=("finding", "reason"),
            )
        ),
    },
)


def json_schema() -> Json:
    """Give the JSON Schema of the policy file, made from the tables above (dates as their ISO text)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rotator policy",
        **POLICY.schema(),
        "required": ["schema"],
    }


#: The schema this program writes; a policy with a higher number is from a newer Rotator.
SCHEMA = 1
