"""Open a policy: read it, everything it names, and put them together."""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rotator.errors import InputError
from rotator.files.fleet_table import open_table
from rotator.files.material import read_material
from rotator.files.policy_toml import read_policy
from rotator.mechanisms.base import Context
from rotator.model.pins import Pin, spki_pin
from rotator.model.progress import Progress, heed
from rotator.simulate.assemble import assemble
from rotator.simulate.question import Picture
from rotator.simulate.tables import FleetTable
from rotator.workflows.remembering import counted_before, fitted

if TYPE_CHECKING:
    from rotator.model.pki import Certificate


def open_policy(path: str, today: date, text: str | None = None, progress: Progress | None = None) -> Picture:
    """Open a policy.

    Args:
        path: its file.
        today: the day findings about shipped files are judged on.
        text: what to read instead of what the file holds.
        progress: hears how far the reading of a large fleet table is.

    Raises:
        InputError: it cannot be used; with all problems.
    """
    policy, data = read_policy(path, None if text is None else text.encode())
    heed("looking up what the policy names")
    material = read_material(policy)
    table = FleetTable()
    if policy.fleet is not None:
        try:
            table = open_table(policy.fleet, place="fleet.file", progress=progress)
        except InputError as error:
            material.problems += error.problems
    history, problems = counted_before(path, policy, today)
    material.problems += problems
    context = reading(path, today)
    digest = hashlib.sha256(data).hexdigest()
    inventory = assemble(policy, material, context, digest)
    return Picture(
        policy=policy,
        material=material,
        context=context,
        digest=digest,
        inventory=inventory,
        table=table,
        history=history,
        fitted=fitted(policy, history),
    )


def reading(subject: str, today: date) -> Context:
    """Give what reading a file needs from outside: public suffixes, public roots, and a reader of certificates."""
    return Context(
        subject=subject, today=today, public_suffix=public_suffix, decode=_decode, is_authority=_is_public_root
    )


def _is_public_root(pin: Pin) -> bool:
    return pin in _public_roots()


@cache
def _public_roots() -> frozenset[Pin]:
    from rotator.files.roots import mozilla_bundle

    return frozenset(spki_pin(root.spki) for root in mozilla_bundle()[0])


def _decode(data: bytes) -> tuple[Certificate, ...]:
    from rotator.files.pem import decode

    return decode(data)


def public_suffix(name: str) -> str | None:
    """Give the public suffix of a name, or None when its top-level domain is not a known one."""
    top = name.lower().rstrip(".").rpartition(".")[2]
    found: str | None = _suffix_list("" if top.startswith("xn--") else top).publicsuffix(name)
    return found


@cache
def _suffix_list(top: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the package has no types
    """Give the list, without the lines in which a top-level domain is not written; the whole of it for "".

    Reading sixteen thousand rules takes 20 ms, and forms that stand for names of other alphabets half a second; the
    rules that a name can match all end in its top-level domain.
    """
    from publicsuffixlist import PSLFILE, PublicSuffixList

    if not top:
        return PublicSuffixList(accept_unknown=False)
    wanted = top.encode("utf-8", "replace")
    lines = [line for line in Path(PSLFILE).read_bytes().splitlines() if wanted in line and not line.startswith(b"//")]
    foreign = any(not line.isascii() for line in lines)
    return PublicSuffixList(lines, accept_unknown=False, accept_encoded_idn=foreign)
