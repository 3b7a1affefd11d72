"""The tables of an app in the policy file: its releases, how they spread, and who runs them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from rotator.files.place import Place
from rotator.files.policy_values import COUNT, DAYS, SHARE, Clients, HostName, per_mechanism, same, shares
from rotator.files.reading import Choice, Day, Either, FilePath, Flag, Many, MapOf, Number, Ref, Table, Text, Type
from rotator.model import policy as p

RELEASE_FIELDS: Mapping[str, Type] = {
    "version": Text(),
    "also": Many(Text()),
    "builds": Many(Number(0, whole=True)),
    "min_os": Text(),
    "released": Day(),
    "pinset": per_mechanism(Ref("pinsets")),
    "mechanism": Many(Ref("mechanisms"), one=True, empty=False),
    "config": per_mechanism(FilePath()),
    "trust": Either(((str,), Ref("trust"), lambda v: {v: 1.0}), ((dict,), MapOf(Ref("trust"), SHARE), same)),
    "clients": Clients(),
}


def _adoption(**values: float) -> p.Adoption:
    return p.Adoption(**values)  # type: ignore[arg-type]  # the table below reads numbers only


def _check_adoption(adoption: p.Adoption, place: Place) -> None:
    if (adoption.never or 0) + (adoption.fast or 0) > 1 + 1e-9:
        place.report("never and fast are more than everybody", value=f"{adoption.never} + {adoption.fast}")


APP_FIELDS: Mapping[str, Type] = {
    **{key: kind for key, kind in RELEASE_FIELDS.items() if key not in ("version", "also", "builds")},
    "hosts": shares("hosts"),
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
        ((list,), Many(Many(Number(0)), empty=False), same),
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
                "pinset": per_mechanism(Ref("pinsets")),
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
    if isinstance(app.rollout, tuple):
        _check_rollout(app.rollout, place.child("rollout"))


def _check_rollout(rollout: tuple[tuple[float, ...], ...], place: Place) -> None:
    """A roll-out goes forward: each step is a later day, with no smaller a share."""
    for index, step in enumerate(rollout):
        here = place.item(index)
        if len(step) != 2:
            here.report("not a day and a share", value=str(list(step)), expected="[day, share], such as [7, 1.0]")
        elif not 0 <= step[1] <= 1:
            here.report("a share is from 0 to 1", value=str(step[1]))
    steps = [step for step in rollout if len(step) == 2]
    for index, (before, after) in enumerate(pairwise(steps), 1):
        if after[0] <= before[0] or after[1] < before[1]:
            place.item(index).report(
                "goes back",
                value=str(list(after)),
                expected=f"a day after {before[0]:g} and a share from {before[1]:g}",
            )


APP = Table(p.App, APP_FIELDS, required=("mechanism",), check=_check_app)
