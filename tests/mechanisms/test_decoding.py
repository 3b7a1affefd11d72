"""Base64 as three platforms decode it: vectors worked out from their sources."""

from __future__ import annotations

import base64

import pytest

from rotator.mechanisms.shared.decoding import android, apple, okio

GOOD = base64.b64encode(bytes(range(32))).decode()


@pytest.mark.parametrize("length", range(8))
def test_canonical_text_is_read_by_all(length: int) -> None:
    data = bytes(range(250, 250 + length)) if length < 6 else bytes(range(length))
    text = base64.b64encode(data).decode()
    assert android(text) == okio(text) == apple(text) == data


@pytest.mark.parametrize(
    ("text", "by_android", "by_okio", "by_apple"),
    [
        (GOOD.rstrip("="), True, True, False),
        (f" {GOOD}\n", True, True, False),
        (GOOD[:10] + "\n" + GOOD[10:], True, True, False),
        (GOOD[:10] + "!" + GOOD[10:], True, False, False),
        (GOOD[:4] + "-_" + GOOD[6:], False, True, False),
        (GOOD + "=", False, True, False),
        (GOOD[:-1] + "é", True, False, False),
        ("", True, True, True),
        ("A", False, False, False),
        ("AA", True, True, False),
        ("AA=", False, True, False),
        ("AA==", True, True, True),
        ("AAA=", True, True, True),
        ("A===", False, False, False),
        ("AA==AA==", False, False, False),
        ("=AAA", False, False, False),
    ],
)
def test_where_the_platforms_differ(text: str, *, by_android: bool, by_okio: bool, by_apple: bool) -> None:
    whole = text not in ("", "A", "AA", "AA=", "AA==", "AAA=", "A===", "AA==AA==", "=AAA")
    for decode, good in ((android, by_android), (okio, by_okio), (apple, by_apple)):
        found = decode(text)
        assert (found is not None and (not whole or len(found) == 32)) is good, decode.__name__


def test_foreign_characters_are_skipped_by_android_only() -> None:
    assert android("A-A-A-A") == bytes(3)
    assert okio("A-A-") is not None
