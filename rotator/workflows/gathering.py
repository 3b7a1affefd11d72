"""What a first policy is made of, taken in one by one and told apart by content."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rotator.errors import InputError, Problem
from rotator.mechanisms.registry import mechanism as known_mechanism
from rotator.workflows.importing import slug, unused
from rotator.workflows.inputs import Given, Served, Shipped, pin_file_of
from rotator.workflows.opening import reading

if TYPE_CHECKING:
    from rotator.model.pki import Certificate
    from rotator.simulate.inventory import KeyFacts

_DATE = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")


class Gathered:
    """Everything that was given for a policy.

    Attributes:
        base: the folder of the policy, which paths are relative to.
        served: chains.
        authorities: certificates of CAs that came alone, each with its path: what clients trust.
        keys: keys without a chain: name, how the policy says it, the input, and what it holds.
        shipped: pin files.
        side_files: files to be written beside the policy, for what was pasted.
        taken: names that are in use.
    """

    def __init__(self, target: Path, today: date) -> None:
        """Begin with nothing."""
        self.target = target
        self.base = target.resolve().parent
        self.today = today
        self.served: list[Served] = []
        self.authorities: list[tuple[str, Certificate]] = []
        self.keys: list[tuple[str, str, Given, KeyFacts]] = []
        self.shipped: list[Shipped] = []
        self.side_files: list[tuple[Path, bytes]] = []
        self.taken: set[str] = set()

    def take(self, given: Given) -> None:
        """Tell an input by its content and take it in."""
        from rotator.files import pem

        pem.refuse_private_key(given.data, given.origin or given.file)
        head = given.data.lstrip()[:4096]
        if given.mechanism:
            self._pin_file(given, given.mechanism)
        elif b"-----BEGIN CERTIFICATE-----" in given.data:
            self._chain(given)
        elif b"CERTIFICATE REQUEST-----" in head:
            self._key(given, "csr")
        elif b"-----BEGIN PUBLIC KEY-----" in head or b"-----BEGIN RSA PUBLIC KEY-----" in head:
            self._key(given, "public_key")
        elif given.data[:1] == b"\x30":
            self._der(given)
        elif found := pin_file_of(given.data):
            self._pin_file(given, found)
        else:
            raise InputError(
                Problem(
                    "is nothing that a policy is made of",
                    file=given.file,
                    expected="a PEM chain, a key, a request, a shipped pin file or a file of user counts",
                )
            )

    def _der(self, given: Given) -> None:
        for source in ("csr", "public_key"):
            try:
                self._key(given, source)
            except InputError:
                continue
            return
        self._chain(given)

    def _chain(self, given: Given) -> None:
        from rotator.files import pem

        loaded = pem.load_certificates(given.data, given.file)
        linked = pem.link(loaded)
        found = tuple(linked[item.value] for item in loaded)
        lone_ca = found[0].ca and len(found) == 1
        path = self.path(given, "ca.pem" if lone_ca else "chain.pem", given.data if given.file == "-" else None)
        if lone_ca:
            self.authorities.append((path, found[0]))
        else:
            self.served.append(Served(path, found))

    def _key(self, given: Given, source: str) -> None:
        from rotator.files import pem

        facts = pem.load_key(given.data, given.file, source)
        name = unused(slug(Path(given.file).stem if given.file != "-" else "next"), self.taken)
        self.keys.append((name, source, given, facts))

    def _pin_file(self, given: Given, mechanism: str) -> None:
        context = reading(given.origin or given.file, self.today)
        parsed = known_mechanism(mechanism).parse(given.data, context)
        dated = _DATE.search(Path(given.file).name)
        released = given.released
        if dated is not None and released is None:
            try:
                released = date.fromisoformat(dated[1])
            except ValueError:
                released = None
        version = given.version or (released.isoformat() if released else "1")
        self.shipped.append(Shipped(given, mechanism, parsed.config, version, released))

    def path(self, given: Given, fallback: str, data: bytes | None) -> str:
        """Give a path as the policy writes it; what was pasted is kept in a file of its own."""
        given.refuse_another()
        if given.new_file:
            self.side_files.append((Path(given.file), given.data))
        if data is None:
            return Path(os.path.relpath(os.path.realpath(given.file), self.base)).as_posix()
        number, path = 1, self.base / f"{self.target.stem}-{fallback}"
        while path.exists() or any(path == other for other, _ in self.side_files):
            number += 1
            path = self.base / f"{self.target.stem}-{number}-{fallback}"
        self.side_files.append((path, data))
        return path.name
