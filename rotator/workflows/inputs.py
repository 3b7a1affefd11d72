"""What people bring to a first policy, told apart by content."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from rotator.errors import Problem, UsageError
from rotator.files.policy_toml import read_bytes
from rotator.mechanisms.base import PinConfig
from rotator.model.pki import Certificate

if TYPE_CHECKING:
    pass
_LABELLED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?::([^=/]+))?=(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One input as the user gave it: `[APP[:VERSION]=]FILE`, or `-` for standard input."""

    file: str
    data: bytes
    app: str = ""
    version: str = ""


@dataclass(slots=True)
class Shipped:
    """A shipped pin file among the inputs."""

    given: Given
    mechanism: str
    config: PinConfig
    version: str
    released: date | None
    clients: int | None = None


@dataclass(slots=True)
class Served:
    """A chain among the inputs."""

    path: str
    certificates: tuple[Certificate, ...]
    hosts: list[str] = field(default_factory=list)


def read_input(argument: str, stdin: bytes | None) -> Given:
    """Read one input of the command line.

    Args:
        argument: `[APP[:VERSION]=]FILE`, or `-`.
        stdin: what standard input holds, for `-`.

    Raises:
        InputError: it cannot be read.
    """
    app = version = ""
    file = argument
    labelled = _LABELLED.fullmatch(argument)
    if labelled is not None and not os.path.exists(argument):  # noqa: PTH110 - an odd text must not raise
        app, version, file = labelled[1], labelled[2] or "", labelled[3]
    if file == "-":
        if stdin is None:
            raise UsageError(Problem("nothing comes in on standard input", value="-"))
        return Given(file="-", data=stdin, app=app, version=version)
    return Given(file=file, data=read_bytes(file), app=app, version=version)
