"""Damaged pin files, policies and certificates: a result or an `InputError` with words, and nothing else."""

from __future__ import annotations

import json
import os
import plistlib
import random
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TypeVar

import pytest

from rotator.errors import InputError
from rotator.files import pem
from rotator.files.policy_toml import read_policy
from rotator.mechanisms.base import Mechanism
from rotator.mechanisms.registry import mechanism
from rotator.model.names import Cover, Reach
from tests.desk import BASE, app, standard_files
from tests.files.examples import EVERYTHING
from tests.judging import CONTEXT, spec
from tests.minting import pin_text
from tests.real.data import files

PINSET = spec("api.example.com", Cover("example.com", Reach.ALL), authorities=("ca",), expires=date(2027, 6, 30))
FORMATS = ("android-nsc", "apple-ats", "trustkit-ios", "okhttp", "curl")
#: How often each file is damaged: a few times here, many with ROTATOR_LONG.
TIMES = 150
WORDS = (
    b"<|>|/|\"|'|&|=|;|{|}|[|]|,|:|\n|\x00|\xff|\xe2\x80\xae|<pin-set/>|<dict>|</dict>|<array/>|true|null|-1|sha256/|"
    + b"9" * 40
).split(b"|")
T = TypeVar("T")


def damaged(data: bytes, seed: int, times: int) -> Iterator[bytes]:
    """Give a file damaged in many ways: bytes changed, cut, doubled, and words put in."""
    dice = random.Random(f"{seed} {len(data)}")  # noqa: S311 - the same damage at every run
    for _ in range(times):
        out = bytearray(data)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(out) + 1)
            to = min(len(out), at + dice.randint(0, 30))
            how = dice.randrange(5)
            if how == 0:
                out[at:to] = b""
            elif how == 1:
                out[at:at] = dice.choice(WORDS)
            elif how == 2:
                out[at:at] = out[at:to] * dice.randint(1, 3)
            elif how == 3 and at < len(out):
                out[at] = dice.randrange(256)
            else:
                del out[at:]
        yield bytes(out)


def attempt(act: Callable[[], T]) -> T | None:
    """Do something; None where it is refused, which must be said in words."""
    try:
        return act()
    except InputError as error:
        if not (error.problems and all(problem.message for problem in error.problems)):
            raise AssertionError("refused without a word") from error
        return None


def try_all(own: Mechanism, data: bytes, seed: int, times: int) -> None:
    """Read damaged files, and use what can be read."""
    wanted = own.from_pinset(PINSET)
    for broken in damaged(data, seed, times):
        parsed = attempt(lambda broken=broken: own.parse(broken, CONTEXT))  # type: ignore[misc]  # bound at once
        if parsed is None:
            continue
        for host in ("api.example.com", "x.example.com", "x.test"):
            assert own.rule(parsed.config, host).sentence
        written = own.render(parsed.config)
        attempt(lambda written=written: own.parse(written, CONTEXT))  # type: ignore[misc]
        attempt(lambda broken=broken: own.edit(broken, wanted, CONTEXT))  # type: ignore[misc]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("seed", range(3))
def test_damaged_pin_files(name: str, seed: int) -> None:
    own = mechanism(name)
    try_all(own, own.render(own.from_pinset(PINSET)), seed, TIMES)


def test_damaged_binary_property_lists() -> None:
    for name in ("apple-ats", "trustkit-ios"):
        own = mechanism(name)
        tree = plistlib.loads(own.render(own.from_pinset(PINSET)))
        try_all(own, plistlib.dumps(tree, fmt=plistlib.FMT_BINARY), 7, 4 * TIMES)


def test_damaged_json_lines() -> None:
    rows = [{"pattern": "**.example.com", "pins": [pin_text("a")]}, {"pattern": "x.test", "pins": [pin_text("b")]}]
    try_all(mechanism("okhttp"), b"".join(json.dumps(row).encode() + b"\n" for row in rows), 8, 4 * TIMES)


@pytest.mark.parametrize("text", [BASE + app("shop"), EVERYTHING], ids=["small", "everything"])
def test_damaged_policies(tmp_path: Path, text: str) -> None:
    path = str(tmp_path / "policy.toml")
    for broken in damaged(text.encode(), 1, 3 * TIMES):
        attempt(lambda broken=broken: read_policy(path, broken))  # type: ignore[misc]


@pytest.mark.parametrize("name", ["a.pem", "b.csr", "b.pub"])
def test_damaged_certificates_requests_and_keys(name: str) -> None:
    for broken in damaged(standard_files()[name], 2, 2 * TIMES):
        for source in ("certificate", "csr", "public_key"):
            attempt(lambda broken=broken, source=source: pem.load_key(broken, name, source))  # type: ignore[misc]


REAL = [
    *(("android-nsc", path) for path in files("android-nsc")),
    *((name, path) for path in files("ios-plist") for name in ("apple-ats", "trustkit-ios")),
    *(("okhttp", path) for path in files("code-pins-okhttp")),
]


NO_DATA = pytest.mark.skipif(not REAL, reason="no real data here: set ROTATOR_DATA to the folder with verdicts/")


@NO_DATA
def test_damaged_real_files() -> None:
    for index, (name, path) in enumerate(REAL):
        try_all(mechanism(name), path.read_bytes(), index, 10)


@NO_DATA
@pytest.mark.long
def test_damaged_real_files_at_length() -> None:
    """`ROTATOR_LONG=1` damages each file a thousand times, 5 five thousand times."""
    times = 1000 * max(1, int(os.environ.get("ROTATOR_LONG") or 1))
    for index, (name, path) in enumerate(REAL):
        try_all(mechanism(name), path.read_bytes(), -index - 1, times)
