"""The tables of the policy file but those of an app: keys, their types, and what must go together in one table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from rotator.files.place import Json, Place
from rotator.files.policy_app_tables import APP
from rotator.files.policy_values import (
    COVER,
    DAYS,
    SHARE,
    CertificateName,
    ChainRef,
    HostName,
    Roots,
    Spki,
    Trailing,
    shares,
)
from rotator.files.reading import (
    Choice,
    Day,
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
)
from rotator.model import policy as p
from rotator.model import rules


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
        "issuer_pool": shares("authorities", even=True),
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


def _check_freeze(freeze: p.Freeze, place: Place) -> None:
    if freeze.to < freeze.from_:
        place.child("to").report("ends before it begins", value=freeze.to.isoformat())


def _check_row(row: p.TimelineRow, place: Place) -> None:
    if (row.event is None) == (row.action is None):
        place.report("a row has an event or an action", value="both" if row.event else "none", expected="one of them")


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
