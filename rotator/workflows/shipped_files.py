"""The pin files that shipped, from the tags of a git repository or from a folder of dated files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath

from rotator.errors import InputError, Problem, UsageError
from rotator.files import git
from rotator.files.place import NAME
from rotator.files.policy_toml import read_bytes
from rotator.mechanisms.base import PinConfig, PinsetSpec
from rotator.mechanisms.registry import mechanism as known_mechanism
from rotator.model.code_pins import ENDINGS, Candidate, candidates
from rotator.model.globs import fits
from rotator.model.names import did_you_mean
from rotator.model.versions import order, version_in
from rotator.workflows.importing import slug
from rotator.workflows.inputs import DEFAULT_APPS, Given, pin_file_of

MAX_FILES = 5_000
FOLDER = "shipped"
"""The folder beside a policy in which the files lie that came out of git: `shipped/APP/VERSION/NAME`."""
_DATE = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")
_DOTTED = re.compile(r"(?<![\w.])[vV]?(\d+(?:\.\d+)+(?:-[0-9A-Za-z.]+)?)(?![\w])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which files are looked for: a pattern of paths, and the app they belong to, "" for the usual one."""

    glob: str
    app: str = ""

    @classmethod
    def of(cls, text: str) -> Wanted:
        """Read `[APP=]GLOB`."""
        app, equals, glob = text.partition("=")
        if equals and NAME.fullmatch(app) and glob:
            return cls(glob=glob, app=app)
        return cls(glob=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class InCode:
    """Pins found in code: where, in which versions, and what."""

    app: str
    path: str
    versions: tuple[str, ...]
    candidate: Candidate

    def to_json(self) -> dict[str, object]:
        """Give it as plain JSON values."""
        found = self.candidate
        return {
            "path": self.path,
            "line": found.line,
            "versions": list(self.versions),
            "host": found.host or None,
            "name": found.name or None,
            "subdomains": found.below,
            "pins": [pin.text for pin in found.pins],
        }


@dataclass(frozen=True, kw_only=True)
class Harvest:
    """What was found.

    Attributes:
        given: shipped files, the oldest first, each with version and date, and not yet in a file of its own.
        in_code: pins in code that nobody has confirmed.
        notes: what was left out, and why.
    """

    given: tuple[Given, ...] = ()
    in_code: tuple[InCode, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    app: str
    version: str
    released: date | None
    at: datetime
    path: str
    origin: str
    data: bytes


def from_git(repository: str, choice: str, wanted: Sequence[Wanted], take: Mapping[str, str], base: Path) -> Harvest:
    """Find the shipped files of every chosen tag.

    Args:
        repository: a folder of the repository.
        choice: tags, with commas between: a name, a pattern (`v*`), or the first and the last one (`v8.4..v9.4`).
        wanted: which files.
        take: hosts whose pins in code are confirmed, each with the mechanism that enforces them.
        base: the folder of the policy, beside which the files will lie.

    Raises:
        InputError: git cannot read it, several files fit, or a tag that is named is not there.
    """
    notes: list[str] = []
    chosen = _versions(_chosen(git.tags(repository), choice, repository), notes)
    listed = {tag.commit: git.paths(repository, tag.commit) for tag, _ in chosen}
    hits: list[tuple[git.Tag, str, str, str, str]] = []
    for tag, version in chosen:
        before = len(hits)
        for want in wanted:
            fitting = sorted(path for path in listed[tag.commit] if fits(want.glob, path))
            _one_shipped(fitting, want, f"{tag.name} of {repository}")
            hits += [(tag, version, want.app, path, listed[tag.commit][path]) for path in fitting]
        if len(hits) == before:
            notes.append(f"{tag.name}: left out, no file fits {' or '.join(want.glob for want in wanted)}")
    data = git.contents(repository, (blob for *_, blob in hits)) if hits else {}
    found = [
        _Found(
            app=app,
            version=version,
            released=tag.date.date(),
            at=tag.date,
            path=path,
            origin=f"{tag.name}:{path}",
            data=data[blob],
        )
        for tag, version, app, path, blob in hits
    ]
    return _harvest(found, take, base, notes)


def from_folder(folder: str, wanted: Sequence[Wanted], take: Mapping[str, str], base: Path) -> Harvest:
    """Find the shipped files of a folder: the date and the version stand in the name of each file or of its folder.

    Raises:
        InputError: the folder cannot be read, or two files are of one version.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(Problem("is not a folder", file=folder))
    notes: list[str] = []
    found: list[_Found] = []
    for path in _files(root):
        inside = path.relative_to(root).as_posix()
        want = next((want for want in wanted if fits(want.glob, inside)), None) if wanted else Wanted(glob="**")
        if want is None or path.name.startswith("."):
            continue
        released, version = _dated(inside), _version_of(inside)
        if released is None and not version:
            notes.append(f"{inside}: left out, neither a date nor a version stands in its name")
            continue
        at = datetime.combine(released or date.min, datetime.min.time(), UTC)
        found.append(
            _Found(
                app=want.app,
                version=version or str(released),
                released=released,
                at=at,
                path=inside,
                origin=inside,
                data=read_bytes(str(path)),
            )
        )
    if not found and not notes:
        notes.append(f"{folder}: no file fits")
    harvest = _harvest(found, take, base, notes)
    # A file of the folder is named where it lies; pins taken from code get a file beside the policy.
    there = {one.origin: root / one.path for one in found if not one.path.lower().endswith(ENDINGS)}
    kept = (
        replace(given, file=str(there[given.origin]), new_file=False) if given.origin in there else given
        for given in harvest.given
    )
    return replace(harvest, given=tuple(kept))


def _files(root: Path) -> Iterator[Path]:
    count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_file():
                count += 1
                if count > MAX_FILES:
                    raise InputError(Problem("holds too many files", file=str(root), expected=f"at most {MAX_FILES}"))
                yield path


def _dated(inside: str) -> date | None:
    for match in reversed(list(_DATE.finditer(inside))):
        try:
            return date.fromisoformat(match[1])
        except ValueError:
            continue
    return None


def _version_of(inside: str) -> str:
    """Take a version with a dot in it from the folders or the name; a date is none, nor is a digest."""
    for part in reversed(PurePosixPath(_DATE.sub(" ", inside)).with_suffix("").parts):
        match = _DOTTED.search(part.replace("_", " "))
        if match is not None:
            return match[1]
    return ""


def _chosen(known: Sequence[git.Tag], choice: str, repository: str) -> list[git.Tag]:
    found: dict[str, git.Tag] = {}
    for word in (part.strip() for part in choice.split(",")):
        fitting = _between(known, *word.split("..", 1), repository=repository) if ".." in word else None
        if fitting is None:
            fitting = [tag for tag in known if tag.name == word or fits(word if "/" in word else f"**{word}", tag.name)]
            fitting = [tag for tag in fitting if tag.name == word] or fitting if "*" not in word else fitting
        if not fitting:
            hint = did_you_mean(word, (tag.name for tag in known)) or "git fetch --tags brings the tags of a clone"
            raise InputError(Problem("no tag fits", file=repository, value=word, hint=hint))
        found |= {tag.name: tag for tag in fitting}
    return list(found.values())


def _between(known: Sequence[git.Tag], first: str, last: str, *, repository: str) -> list[git.Tag]:
    """Give the tags of one kind from one version to another, both among them, in whatever order they were made."""
    names = {tag.name for tag in known}
    ends = [version_in(name) for name in (first, last)]
    for name, end in zip((first, last), ends, strict=True):
        if name not in names or end is None:
            hint = did_you_mean(name, names) or "git fetch --tags brings the tags of a clone"
            raise InputError(Problem("no tag has this name", file=repository, value=name, hint=hint))
    (prefix, low), (other, high) = (end for end in ends if end is not None)
    if prefix != other:
        raise UsageError(Problem("the two tags are not of one kind", value=f"{first}..{last}"))
    found = []
    for tag in known:
        own = version_in(tag.name)
        if own is not None and own[0] == prefix and order(low) <= order(own[1]) <= order(high):
            found.append(tag)
    return found


def _versions(chosen: Iterable[git.Tag], notes: list[str]) -> list[tuple[git.Tag, str]]:
    """Give each tag its version; of two tags of one version the older counts."""
    found: dict[str, git.Tag] = {}
    for tag in sorted(chosen, key=lambda tag: (tag.date, tag.name)):
        version = version_in(tag.name)
        if version is None:
            notes.append(f"{tag.name}: left out, there is no version in its name")
        elif version[1] in found:
            notes.append(f"{tag.name}: left out, {found[version[1]].name} is of version {version[1]} too")
        else:
            found[version[1]] = tag
    return [(tag, version) for version, tag in found.items()]


def _one_shipped(fitting: Sequence[str], want: Wanted, where: str) -> None:
    """Refuse to choose among several shipped files; several files of code may each hold some pins."""
    files = [path for path in fitting if not path.lower().endswith(ENDINGS)]
    if len(files) > 1:
        raise InputError(
            Problem(
                "several files fit, and a release ships one",
                file=where,
                path="--path",
                value=want.glob,
                expected=" or ".join(files[:6]) + (" or more" if len(files) > 6 else ""),
                hint="narrow the pattern, or give each app its own: --path APP=GLOB",
            )
        )


def _harvest(found: Sequence[_Found], take: Mapping[str, str], base: Path, notes: list[str]) -> Harvest:
    given: list[Given] = []
    waiting: dict[tuple[str, str, Candidate], list[tuple[str, int]]] = {}
    hosts: set[str] = set()
    for one in sorted(found, key=lambda one: (one.at, order(one.version), one.path)):
        if not one.path.lower().endswith(ENDINGS):
            given.append(_given(one, pin_file_of(one.data), PurePosixPath(one.path).name, one.data, base))
            continue
        in_code = candidates(one.data.decode("utf-8-sig", "replace"))
        hosts |= {candidate.host for candidate in in_code if candidate.host}
        for mechanism in dict.fromkeys(take[c.host] for c in in_code if c.host in take):
            own = [c for c in in_code if take.get(c.host) == mechanism]
            name = known_mechanism(mechanism).file_name or f"{mechanism}.txt"
            given.append(_given(one, mechanism, name, _written(own, mechanism, one.origin), base))
        for candidate in in_code:
            if candidate.host not in take:
                key = (one.app, one.path, replace(candidate, line=0))
                waiting.setdefault(key, []).append((one.version, candidate.line))
    missing = next((host for host in take if host not in hosts), None)
    if missing is not None:
        raise UsageError(
            Problem("no code that was found pins this host", value=missing, hint=did_you_mean(missing, hosts))
        )
    _no_twins(given)
    in_code_found = tuple(
        InCode(app=app, path=path, versions=tuple(v for v, _ in seen), candidate=replace(candidate, line=seen[-1][1]))
        for (app, path, candidate), seen in waiting.items()
    )
    return Harvest(given=tuple(given), in_code=in_code_found, notes=tuple(notes))


def _given(one: _Found, mechanism: str, name: str, data: bytes, base: Path) -> Given:
    """Make an input of a file that is to lie beside the policy, by app and version."""
    from rotator.files import pem

    pem.refuse_private_key(data, one.origin)
    if not mechanism:
        raise InputError(
            Problem(
                "is no pin file that is known",
                file=one.origin,
                hint="narrow --path; a file of another kind is read by its mechanism: rotator import",
            )
        )
    app = one.app or DEFAULT_APPS.get(mechanism, slug(mechanism))
    return Given(
        file=str(base / FOLDER / app / slug(one.version) / slug(name)),
        data=data,
        app=app,
        version=one.version,
        released=one.released,
        mechanism=mechanism,
        origin=one.origin,
        new_file=True,
    )


def _written(found: Sequence[Candidate], mechanism: str, origin: str) -> bytes:
    """Write confirmed pins of code as the file their mechanism reads."""
    made = known_mechanism(mechanism)
    entries = tuple(
        entry
        for candidate in found
        for entry in made.from_pinset(PinsetSpec(name="code", covers=(candidate.cover,), keys=candidate.pins)).entries
    )
    try:
        return made.render(PinConfig(entries=entries))
    except InputError as error:
        first = error.problems[0]
        raise InputError(Problem(first.message, file=origin, value=first.value, hint=first.hint)) from None


def _no_twins(given: Iterable[Given]) -> None:
    """Refuse two files of one version of an app that differ: nobody says which one shipped."""
    seen: dict[tuple[str, str], Given] = {}
    for one in given:
        other = seen.setdefault((one.app, one.version), one)
        if other is not one:
            raise InputError(
                Problem(
                    f"two files are of version {one.version} of {one.app}",
                    file=one.origin,
                    value=other.origin,
                    hint="narrow --path, or give each app its own: --path APP=GLOB",
                )
            )
