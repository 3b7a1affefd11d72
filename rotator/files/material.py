"""Read every file that a policy names, each problem with the TOML path that named it."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.errors import InputError, Problem
from rotator.files.policy_toml import read_bytes
from rotator.files.reference import system_facts
from rotator.files.roots import load_roots, mozilla_bundle
from rotator.model.policy import Policy
from rotator.simulate.inventory import KeyFacts, Material


def read_material(policy: Policy) -> Material:
    """Read certificates, keys, bundles and shipped pin files of a policy.

    What cannot be read is among the problems of what is given back, so that all of them are told at once.
    """
    work = _Reading(policy)
    work.bundle()
    work.certificates()
    work.keys()
    work.shipped()
    return work.material


class _Reading:
    """The work in progress."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.material = Material()
        self.bytes: dict[str, bytes] = {}

    def bundle(self) -> None:
        self.material.bundle, self.material.bundle_names = mozilla_bundle()
        self.material.systems = system_facts()

    def _read(self, file: str, place: str) -> bytes | None:
        if file not in self.bytes:
            try:
                self.bytes[file] = read_bytes(file)
            except InputError as error:
                self._report(error, place)
                return None
        return self.bytes[file]

    def _report(self, error: InputError, place: str) -> None:
        for p in error.problems:
            message = f"{p.file}: {p.message}" if p.file else p.message
            self.material.problems.append(
                Problem(
                    message,
                    file=self.policy.file,
                    path=place,
                    value=p.value,
                    expected=p.expected,
                    hint=p.hint,
                )
            )

    def certificates(self) -> None:
        places = list(self._certificate_files())
        if not places:
            return
        from rotator.files import pem

        loaded: dict[str, list[pem.Loaded]] = {}
        for file, place in places:
            data = None if file in loaded else self._read(file, place)
            if data is None:
                continue
            try:
                loaded[file] = pem.load_certificates(data, file, skip_unreadable=place.endswith(".roots"))
            except InputError as error:
                loaded[file] = []
                self._report(error, place)
        everything = [item for items in loaded.values() for item in items]
        wanted = {item.value.issuer_id for item in everything}
        anchors = [root for root in self.material.bundle if root.subject_id in wanted]
        linked = pem.link([*everything, *load_roots(anchors)])
        self.material.certificates = {
            file: tuple(linked[item.value] for item in items) for file, items in loaded.items()
        }

    def _certificate_files(self) -> Iterator[tuple[str, str]]:
        for name, authority in self.policy.authorities.items():
            for index, file in enumerate(authority.certificate):
                where = f"authorities.{name}.certificate"
                yield file, f"{where}[{index}]" if len(authority.certificate) > 1 else where
        for name, key in self.policy.keys.items():
            if key.certificate is not None:
                yield key.certificate, f"keys.{name}.certificate"
        for name, chain in self.policy.chains.items():
            if chain.file is not None:
                yield chain.file, f"chains.{name}.file"
        for name, trust in self.policy.trust.items():
            if isinstance(trust.roots, str):
                yield trust.roots, f"trust.{name}.roots"
        for index, file in enumerate(self.policy.pki):
            yield file, f"pki[{index}]"

    def keys(self) -> None:
        signing = {pinset.signed_by for pinset in self.policy.pinsets.values()}
        for name, key in self.policy.keys.items():
            if key.spki is not None:
                self.material.keys[name] = KeyFacts(pin=key.spki)
                continue
            source = next((s for s in ("certificate", "public_key", "csr") if getattr(key, s)), "")
            if not source:
                continue
            if source == "certificate" and not self.material.certificates.get(str(key.certificate)):
                continue  # told already
            file = getattr(key, source)
            place = f"keys.{name}.{source}"
            data = self._read(file, place)
            if data is None:
                continue
            from rotator.files import pem

            try:
                facts = pem.load_key(data, file, source)
            except InputError as error:
                self._report(error, place)
                continue
            if facts.ca:
                self.material.problems.append(
                    Problem(
                        "this is a CA's certificate",
                        file=self.policy.file,
                        path=place,
                        value=file,
                        hint=f"move it to [authorities]: {name} = {{ certificate = ... }}",
                    )
                )
            self.material.keys[name] = facts
            if name in signing:
                check = pem.verifier(data, file, source)
                if check is not None:
                    self.material.verifiers[name] = check

    def shipped(self) -> None:
        for name, host in self.policy.hosts.items():
            data = self._read(host.dane.records, f"hosts.{name}.dane.records") if host.dane is not None else None
            if host.dane is not None and data is not None:
                self.material.shipped[host.dane.records] = data
        for name, app in self.policy.apps.items():
            tables = [(f"apps.{name}.config", app.config)]
            tables += [(f"apps.{name}.releases[{i}].config", r.config or {}) for i, r in enumerate(app.releases)]
            for place, table in tables:
                for mechanism, file in table.items():
                    data = self._read(file, f"{place}.{mechanism}" if mechanism else place)
                    if data is not None:
                        self.material.shipped[file] = data
                        for ending, other in beside(file).items():
                            self.material.beside[file, ending] = other


def beside(file: str) -> dict[str, bytes]:
    """Give the files that belong to a shipped one, by the ending of their name: Chromium's keys beside its JSON."""
    if not file.endswith(".json"):
        return {}
    for name in (file.removesuffix("_pins.json") + ".pins", file.removesuffix(".json") + ".pins"):
        try:
            return {".pins": read_bytes(name)}
        except InputError:
            continue
    return {}
