"""Operating systems as people and stores write them: `24`, `Android 7.0`, `iOS 18.1`."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Android's version names by API level, from the platform's own table of codenames, tags and build numbers.
ANDROID_LEVELS: dict[tuple[int, ...], int] = {
    (4, 4): 19,
    (5, 0): 21,
    (5, 1): 22,
    (6, 0): 23,
    (7, 0): 24,
    (7, 1): 25,
    (8, 0): 26,
    (8, 1): 27,
    (9,): 28,
    (10,): 29,
    (11,): 30,
    (12,): 31,
    (13,): 33,
    (14,): 34,
    (15,): 35,
    (16,): 36,
}
_NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,4}){0,3}")
_ANDROID = re.compile(r"(?:android)[ _-]*(?:os[ _-]*)?(?P<name>\d.*)", re.IGNORECASE)
_LEVEL = re.compile(r"(?:android[ _-]*)?(?:api|sdk)(?:[ _-]*level)?[ _-]*(?P<level>\d{1,3})", re.IGNORECASE)
_APPLE = re.compile(r"(?:ios|ipados|iphone os)[ _-]*(?P<name>\d.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class System:
    """A version of an operating system.

    Attributes:
        platform: `android` or `ios`.
        version: Android's API level as one number, or the parts of an iOS version.
    """

    platform: str
    version: tuple[int, ...]

    @property
    def text(self) -> str:
        """Show it as a policy writes it."""
        shown = ".".join(map(str, self.version))
        return shown if self.platform == "android" else f"iOS {shown}"

    def within(self, listed: System) -> bool:
        """Say whether it is the one listed, or a minor version of it: iOS 18.1 is an iOS 18."""
        return self.platform == listed.platform and self.version[: len(listed.version)] == listed.version

    def older(self, other: System) -> bool:
        """Say whether it is older than another of the same platform; iOS 18 is not older than iOS 18.0."""
        width = max(len(self.version), len(other.version))
        return self.platform == other.platform and _padded(self.version, width) < _padded(other.version, width)


def parse_system(text: str, platform: str = "android") -> System | None:
    """Read an operating system; None where it is none that is known.

    Args:
        text: such as `24`, `API 24`, `Android 7.1.1`, `iOS 18.1`, `18.1`.
        platform: what a bare number is of; for Android a whole one is an API level, `7.1` a version.
    """
    text = text.strip()
    level = _LEVEL.fullmatch(text)
    if level is not None:
        return System("android", (int(level["level"]),))
    named = _ANDROID.fullmatch(text)
    if named is not None:
        return _android(named["name"])
    apple = _APPLE.fullmatch(text)
    if apple is not None or platform == "ios":
        name = apple["name"] if apple is not None else text
        parts = _parts(name)
        return System("ios", parts) if parts else None
    if "." in text and _NUMBER.fullmatch(text):
        return _android(text)
    return System("android", (int(text),)) if text.isascii() and text.isdigit() and len(text) <= 3 else None


def _android(name: str) -> System | None:
    if name.upper().startswith("12L"):
        return System("android", (32,))
    parts = _parts(name)
    for width in (2, 1):
        level = ANDROID_LEVELS.get((*parts, 0)[:width])
        if parts and level is not None:
            return System("android", (level,))
    return None


def _parts(name: str) -> tuple[int, ...]:
    found = _NUMBER.match(name.strip())
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _padded(version: tuple[int, ...], width: int) -> tuple[int, ...]:
    return version + (0,) * (width - len(version))
