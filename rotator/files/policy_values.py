"""Values of the policy file that are more than plain text and numbers: pins, chains, names, counts, covers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotator.errors import UsageError
from rotator.files.place import Json, Place, SkipError, shown
from rotator.files.reading import (
    Choice,
    Either,
    FilePath,
    Flag,
    Many,
    MapOf,
    Number,
    Ref,
    Table,
    Text,
    Type,
)
from rotator.model import policy as p
from rotator.model.names import Cover, Reach, canonical, is_host_name
from rotator.model.pins import Pin, parse_spki
from rotator.simulate.grammar import parse_action, parse_event

PEM_ENDINGS = (".pem", ".crt", ".cer", ".der", ".txt")


class Spki(Text):
    """A digest of a SubjectPublicKeyInfo."""

    expected = "sha256/ and the base64 of 32 bytes (or sha1/ and of 20)"

    def read(self, value: object, place: Place) -> Pin:  # type: ignore[override]  # a pin, not its text
        """Give the pin."""
        text = super().read(value, place)
        pin = parse_spki(text)
        if pin is None:
            raise place.fail("not a digest of a public key", value=text, expected=self.expected)
        return pin


class ChainRef(Ref):
    """The name of a chain, or the path of a PEM file that is a chain of its own."""

    def __init__(self) -> None:
        """Refer to chains."""
        super().__init__("chains")
        self.expected += ", or the path of a PEM file"

    def read(self, value: object, place: Place) -> str:
        """Give the name; a path becomes a chain whose name is the text written."""
        if (
            isinstance(value, str)
            and value not in place.known.get("chains", ())
            and ("/" in value or value.lower().endswith(PEM_ENDINGS))
        ):
            place.chain_files[value] = place.resolve(value)
            return value
        return super().read(value, place)


class HostName(Text):
    """A DNS name."""

    expected = "a DNS name"

    def read(self, value: object, place: Place) -> str:
        """Give the name, lower-case, without a trailing dot."""
        name = canonical(super().read(value, place))
        if not is_host_name(name):
            hint = "no scheme, port, path or wildcard" if any(c in name for c in ":/*") else ""
            raise place.fail("not a DNS name", value=shown(value), expected=self.expected, hint=hint)
        return name


class CertificateName(HostName):
    """A DNS name that may begin with a wildcard label."""

    def read(self, value: object, place: Place) -> str:
        """Give the name."""
        text = Text.read(self, value, place)
        prefix = "*." if text.startswith("*.") else ""
        return prefix + super().read(text.removeprefix("*."), place)


class Trailing(Type):
    """The text of an event or an action, checked against the grammar and the names of the policy."""

    def __init__(self, *, action: bool) -> None:
        """Say which of the two it is."""
        self.action = action
        self.expected = "an action such as serve:api:api-next" if action else "an event such as key-compromise:api-1"

    def read(self, value: object, place: Place) -> str:
        """Give the text."""
        if not isinstance(value, str):
            raise place.fail("not a text", value=shown(value), expected=self.expected)
        try:
            (parse_action if self.action else parse_event)(value)
        except UsageError as error:
            for problem in error.problems:
                place.report(problem.message, value=value, expected=problem.expected, hint=problem.hint)
            raise SkipError from None
        return value

    def schema(self) -> Json:
        """Give the JSON Schema."""
        return {"type": "string", "pattern": r"^[a-z-]+:.+$"}


def same(value: Any) -> Any:  # noqa: ANN401 - whatever was read
    """Keep what was read as it is."""
    return value


COUNT = Either(
    ((int,), Number(0, whole=True), lambda v: p.Count(low=v, high=v)),
    (
        (dict,),
        Table(p.Count, {"low": Number(0, whole=True), "high": Number(0, whole=True)}, required=("low", "high")),
        same,
    ),
)


class Clients(Type):
    """A count, a range, or counts by trust store."""

    expected = "a whole number, { low = ..., high = ... }, or a table of counts by trust store"

    def read(self, value: object, place: Place) -> p.Count | dict[str, p.Count]:
        """Give the count or the counts."""
        if isinstance(value, dict) and not value.keys() & {"low", "high"}:
            counts: dict[str, p.Count] = MapOf(Ref("trust"), COUNT).read(value, place)
            return counts
        count: p.Count = COUNT.read(value, place)
        if count.low > count.high:
            raise place.fail("low is above high", value=f"{count.low} > {count.high}")
        return count

    def schema(self) -> Json:
        """Give the JSON Schema."""
        return {"anyOf": [COUNT.schema(), MapOf(Ref("trust"), COUNT).schema()]}


SUBDOMAINS: Mapping[object, Reach] = {False: Reach.EXACT, True: Reach.ALL, "one-label": Reach.ONLY_ONE}
COVER = Either(
    ((str,), HostName(), Cover),
    (
        (dict,),
        Table(
            lambda name, subdomains=False: Cover(name, SUBDOMAINS[subdomains]),
            {
                "name": HostName(),
                "subdomains": Either(((bool,), Flag(), same), ((str,), Choice("one-label"), same)),
            },
            required=("name",),
        ),
        same,
    ),
)


class Roots(Type):
    """Authorities by name, or the path of a PEM bundle."""

    expected = "an array of names of authorities, or the path of a PEM bundle"

    def read(self, value: object, place: Place) -> tuple[str, ...] | str:
        """Give the names, or the absolute path."""
        if isinstance(value, str):
            return FilePath().read(value, place)
        return Many(Ref("authorities")).read(value, place)

    def schema(self) -> Json:
        """Give the JSON Schema."""
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


SHARE = Number(0, 1)
DAYS = Number(0, 100_000)


def per_mechanism(item: Type) -> Either:
    """Accept one value for every mechanism, or a table by mechanism."""
    return Either(((str,), item, lambda v: {"": v}), ((dict,), MapOf(Ref("mechanisms"), item), same))


def shares(kind: str, *, even: bool = False) -> Either:
    """Accept a list of names, or a table of shares; a list gives each 1, or an even part of 1."""
    return Either(
        (
            (list,),
            Many(Ref(kind), empty=False),
            lambda v: dict.fromkeys(v, 1 / max(1, len(v)) if even else 1.0),
        ),
        ((dict,), MapOf(Ref(kind), SHARE), same),
    )
