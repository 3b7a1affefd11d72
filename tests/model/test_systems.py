"""Operating systems are the same however they are written."""

from __future__ import annotations

import pytest

from rotator.model.systems import System, parse_system


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("24", 24),
        ("API 24", 24),
        ("Android API level 24", 24),
        ("sdk-24", 24),
        ("Android 7.0", 24),
        ("android-7", 24),
        ("7.0", 24),
        ("Android 7.1.1", 25),
        ("Android OS 8.1.0", 27),
        ("Android 12L", 32),
        ("Android 12", 31),
        ("Android 16", 36),
    ],
)
def test_android_is_known_by_its_level(text: str, level: int) -> None:
    assert parse_system(text) == System("android", (level,))


@pytest.mark.parametrize("text", ["iOS 18.1", "ios-18.1", "iPadOS 18.1", "18.1"])
def test_ios_is_known_by_its_version(text: str) -> None:
    assert parse_system(text, "ios") == System("ios", (18, 1))


@pytest.mark.parametrize("text", ["", "Windows 11", "Android", "Android 3", "iOS", "1234", "٣", "seven", "1.2.3.4.5"])
def test_what_is_no_system_is_none(text: str) -> None:
    assert parse_system(text) is None


def test_a_minor_version_is_within_its_major_one() -> None:
    eighteen, minor = System("ios", (18,)), System("ios", (18, 1))
    assert minor.within(eighteen)
    assert not eighteen.within(minor)
    assert not minor.within(System("android", (18,)))


def test_older_compares_parts_and_platforms_apart() -> None:
    assert System("ios", (15, 8)).older(System("ios", (16,)))
    assert not System("ios", (16,)).older(System("ios", (16, 0)))
    assert not System("android", (15,)).older(System("ios", (16,)))


def test_it_is_shown_as_a_policy_writes_it() -> None:
    assert (System("android", (24,)).text, System("ios", (18, 1)).text) == ("24", "iOS 18.1")
