"""Read the facts that come with the program."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from rotator.model.systems import System, parse_system
from rotator.model.trusting import RootFact, SystemFacts

DATA = Path(__file__).parent.parent / "data"


@cache
def system_facts() -> SystemFacts:
    """Give what is known of the trust stores of systems; a test reads every entry."""
    table = tomllib.loads((DATA / "trust_stores.toml").read_text(encoding="utf-8"))
    android = table["android"]
    return SystemFacts(
        roots=tuple(
            RootFact(
                name=row["name"],
                since={name: _system(row[name], name) for name in ("android", "ios") if name in row},
                certainty=row["certainty"],
                source=row["source"],
            )
            for row in table["roots"]
        ),
        released={int(level): day for level, day in android["released"].items()},
        updatable_from=android["updatable_from"],
        source=android["source"],
        read=table["read"],
    )


def _system(text: str, platform: str) -> System:
    system = parse_system(text, platform)
    if system is None:
        raise ValueError(text)
    return system
