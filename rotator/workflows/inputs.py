"""What people bring to a first policy, told apart by content."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from rotator.errors import InputError, Problem, UsageError
from rotator.files.policy_toml import read_bytes
from rotator.files.store import current
from rotator.mechanisms.base import PinConfig
from rotator.model.pki import Certificate

DEFAULT_APPS = {
    "android-nsc": "android",
    "okhttp": "android-okhttp",
    "apple-ats": "ios",
    "trustkit-ios": "ios-trustkit",
    "curl": "server-job",
}
"""The name of the app that a shipped file is taken to be of where nobody says."""
_LABELLED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?::([^=/]+))?=(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One input: `[APP[:VERSION]=]FILE`, `-` for standard input, or a shipped file that was found.

    Attributes:
        file: where it lies, or is to lie.
        data: what it holds.
        app, version: what it shipped with, "" where nobody said.
        released: when it shipped; None to take a date in its name.
        mechanism: whose rules read it, "" to tell by its content.
        origin: where it was found, for messages.
        new_file: it is to be written to `file`.
    """

    file: str
    data: bytes
    app: str = ""
    version: str = ""
    released: date | None = None
    mechanism: str = ""
    origin: str = ""
    new_file: bool = False

    def refuse_another(self) -> None:
        """Refuse to write where something else lies.

        Raises:
            InputError: its file is there with another content.
        """
        if self.new_file and current(Path(self.file)) not in (None, self.data):
            raise InputError(
                Problem(
                    f"is there already and is not the file of {self.origin}",
                    file=self.file,
                    hint="name the app otherwise (--path NAME=GLOB), or put the policy into a folder of its own",
                )
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelease:
    """A release that a shipped file became: its app and version, when it was released, its file, and whence it came."""

    app: str
    version: str
    released: date | None
    file: str
    origin: str

    @classmethod
    def of(cls, given: Given) -> NewRelease:
        """Make it of an input."""
        return cls(app=given.app, version=given.version, released=given.released, file=given.file, origin=given.origin)

    def to_json(self) -> dict[str, str | None]:
        """Give it as plain JSON values."""
        return {
            "app": self.app,
            "version": self.version,
            "released": None if self.released is None else self.released.isoformat(),
            "file": self.file,
            "from": self.origin,
        }


@dataclass(slots=True)
class Shipped:
    """A shipped pin file among the inputs."""

    given: Given
    mechanism: str
    config: PinConfig
    version: str
    released: date | None


@dataclass(slots=True)
class Served:
    """A chain among the inputs."""

    path: str
    certificates: tuple[Certificate, ...]
    hosts: list[str] = field(default_factory=list)


def pin_file_of(data: bytes) -> str:
    """Tell by its content which mechanism reads a shipped pin file, "" where it is none that is known."""
    if b"<network-security-config" in data:
        return "android-nsc"
    if data.startswith(b"bplist") or b"<plist" in data:
        return "trustkit-ios" if b"TSK" in data else "apple-ats"
    if data.lstrip()[:1] in (b"{", b"["):
        return "okhttp"
    return "curl" if b"sha256//" in data or b"pinnedpubkey" in data.lower() else ""


def is_counts(given: Given, today: date) -> bool:
    """Say whether an input is a file of user counts: by its content, and only where it is nothing else."""
    from rotator.files.counts.reader import recognised

    if given.mechanism or b"-----BEGIN" in given.data or given.data[:1] == b"\x30" or pin_file_of(given.data):
        return False
    return recognised(given.data, given.file, today)


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
