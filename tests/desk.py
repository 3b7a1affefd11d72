"""A folder with minted certificates and a policy that names them, and short ways to ask it things."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path

from rotator.errors import InputError, Problem
from rotator.model.verdicts import Verdict
from rotator.model.when import parse_instant
from rotator.simulate.cohorts import NO_VERSION
from rotator.simulate.impact import Row
from rotator.simulate.question import Answer, Picture
from rotator.workflows.checking import Checked, check
from rotator.workflows.opening import open_policy
from rotator.workflows.simulating import Asked, simulate
from tests.minting import Minted, chain_pem, csr, instant, intermediate, mint, pin_text, public_pem, root

NOW = instant("2026-11-23T09:00:00")
TODAY = date(2026, 11, 23)
API = "api.example.com"

TOP = """\
schema = 1
measured = 2026-11-20
"""
KEYS = """\
[keys]
a = { certificate = "a.pem", custody = "hsm", proved = 2026-11-01 }
b = { csr = "b.csr", custody = "safe", proved = 2026-11-01 }
"""
PKI = """\
[authorities]
root = { certificate = "root.pem" }
ica = { certificate = "ica.pem" }
other-root = { certificate = "other-root.pem" }
[chains]
a-chain = { file = "a.pem" }
[hosts.api]
names = ["api.example.com"]
serves = "a-chain"
[trust]
ours = { roots = ["root", "other-root"] }
[pinsets.p]
primary = "a"
backups = ["b"]
"""
BASE = TOP + KEYS + PKI


@cache
def standard_files() -> dict[str, bytes]:
    """Mint the files every desk has.

    Two roots, `root` and `other-root`; an intermediate of each, `ica` and `other-ica`; a cross-sign of `other-root`
    by `root`; certificates for the keys `a`, `b` and `c` of `api.example.com`; requests for `b` and `c`.
    """
    r, o = root("root"), root("other-root")
    ica, other = intermediate("ica", r), intermediate("other-ica", o)

    def leaf(name: str, issuer: Minted, **more: str) -> bytes:
        return chain_pem(mint(name, issuer, names=[API], **more), issuer)  # type: ignore[arg-type]  # dates only

    return {
        "root.pem": r.pem,
        "ica.pem": ica.pem,
        "other-root.pem": o.pem,
        "other-ica.pem": other.pem,
        "cross.pem": intermediate("other-root", r, key_name="other-root").pem,
        "a.pem": leaf("a", ica),
        "a-by-other.pem": leaf("a", other),
        "a-renewed.pem": leaf("a", ica, not_before="2026-11-01", not_after="2027-10-30"),
        "b.pem": leaf("b", ica),
        "c.pem": leaf("c", other),
        "b.csr": csr("b"),
        "c.csr": csr("c"),
        "b.pub": public_pem("b"),
    }


class Desk:
    """A folder of its own for one test."""

    def __init__(self, folder: Path) -> None:
        """Write the standard files."""
        self.folder = folder
        for name, data in standard_files().items():
            (folder / name).write_bytes(data)

    def file(self, name: str, data: bytes | str) -> Path:
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def policy(self, text: str, name: str = "policy.toml") -> str:
        """Write a policy."""
        return str(self.file(name, text))

    def open(self, text: str, today: date = TODAY) -> Picture:
        """Write a policy and open it."""
        return open_policy(self.policy(text), today)

    def ask(self, text: str, *events: str, at: str = "", until: str = "", serve: tuple[str, ...] = ()) -> Answer:
        """Ask a policy what some events do; `at` is now unless it is given."""
        return ask(self.open(text), *events, at=at, until=until, serve=serve)

    def check(self, text: str, now: datetime = NOW) -> Checked:
        """Check a policy."""
        return check(open_policy(self.policy(text), now.date()), now)

    def findings(self, text: str, now: datetime = NOW) -> set[str]:
        """Give the ids of the findings of a policy."""
        return {finding.id for finding in self.check(text, now).findings}

    def problems(self, text: str) -> list[Problem]:
        """Give everything that is wrong with a policy that cannot be opened."""
        try:
            self.open(text)
        except InputError as error:
            return list(error.problems)
        raise AssertionError("the policy is fine")


def ask(picture: Picture, *events: str, at: str = "", until: str = "", serve: tuple[str, ...] = ()) -> Answer:
    """Ask an open policy what some events do."""
    asked = Asked(
        events=events,
        serve=serve,
        at=parse_instant(at) if at else None,
        until=parse_instant(until) if until else None,
    )
    return simulate(picture, asked, NOW)


def verdicts(answer: Answer) -> dict[str, Verdict]:
    """Give the verdict of each row by `app` or `app version`, with what else tells rows apart behind it."""
    return {_name(row, answer): row.verdict for row in answer.impact.rows}


def _name(row: Row, answer: Answer) -> str:
    cohort = row.connection.cohort
    name = cohort.app if cohort.version == NO_VERSION else f"{cohort.app} {cohort.version}"
    if len({r.connection.cohort.trust for r in answer.impact.rows}) > 1:
        name += f" {cohort.trust}"
    if len({r.connection.host for r in answer.impact.rows}) > 1:
        name += f" @{row.connection.host}"
    return name + (f" ({row.connection.note})" if row.connection.note else "")


def row(answer: Answer, app: str = "") -> Row:
    """Give the one row, or the one of an app."""
    rows = [r for r in answer.impact.rows if not app or r.connection.cohort.app == app]
    assert len(rows) == 1, [r.connection.cohort.name for r in rows]
    return rows[0]


def app(name: str, mechanism: str = "okhttp", *, pinset: str = "p", clients: str = "1000", more: str = "") -> str:
    """Write an app; its trust store is the two minted roots."""
    lines = [f"[apps.{name}]", f'mechanism = "{mechanism}"', 'trust = "ours"', more]
    lines += [f'pinset = "{pinset}"'] if pinset else []
    lines += [f"clients = {clients}"] if clients else []
    return "\n".join(line for line in lines if line) + "\n"


def key_lines(names: Iterator[str] | tuple[str, ...]) -> str:
    """Write keys known by digest only."""
    return "".join(f'{name} = {{ spki = "{pin_text(name)}" }}\n' for name in names)
