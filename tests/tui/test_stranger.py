"""Somebody who knows nothing but what stands on the screen: from opening to the written pinset in at most 25 keys.

It is a script, in a real terminal: it presses a key only where the screen has told of it. No outsider was observed.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from tests.tui.piloting import LARGE, SMALL, copy_of
from tests.tui.terminal import Terminal, planner

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")

MOST_KEYS = 25
CURSOR = "▸"


class Stranger:
    """Presses keys that the screen names, and counts them."""

    def __init__(self, terminal: Terminal) -> None:
        """Sit down in front of it."""
        self.terminal = terminal
        self.keys = 0
        self.told: set[str] = set()

    def reads(self, *words: str, gone: str = "") -> str:
        """Wait until words are on the screen."""
        return self.terminal.wait_for(*words, gone=gone)

    def finds(self, pattern: str) -> None:
        """Wait until a line of the screen has a pattern: a line may come on in parts."""
        end = time.perf_counter() + 20
        while not re.search(pattern, self.terminal.text(), re.MULTILINE):
            assert time.perf_counter() < end, f"the screen does not show {pattern!r}:\n{self.terminal.text()}"
            self.terminal.read()

    def notes(self, key: str, words: str) -> None:
        """Remember a key whose words are on the screen."""
        self.finds(rf"(^|\s){re.escape(key)}:?\s*{re.escape(words)}")
        self.told.add(key)

    def presses(self, key: str, words: str = "") -> None:
        """Press a key that the screen names by some words now, or named before."""
        if words:
            self.notes(key, words)
        assert key in self.told, f"nothing on the screen told of {key}"
        self._press(key)

    def types(self, text: str) -> None:
        """Type a text where a field asks for one."""
        for char in text:
            self._press(char)

    def goes_to(self, words: str) -> None:
        """Move the cursor, which the screen shows, by the arrow keys to a line that it shows."""
        self.reads(words, CURSOR)
        while (here := self._line(CURSOR)) != (there := self._line(f"{CURSOR} {words}", f"  {words}")):
            assert self.keys < MOST_KEYS, "the cursor does not come to the line"
            self._press("down" if there > here else "up")
            end = time.perf_counter() + 20
            while self._line(CURSOR) in (here, -1):
                assert time.perf_counter() < end, "the cursor does not move"
                self.terminal.read()

    def _line(self, *begins: str) -> int:
        """Find the line of the screen that begins like this, -1 while there is none."""
        lines = self.terminal.text().splitlines()
        return next((n for n, line in enumerate(lines) if line.startswith(begins)), -1)

    def _press(self, key: str) -> None:
        self.keys += 1
        self.terminal.send(key)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
def test_from_who_breaks_to_the_written_pinset_in_25_keys(tmp_path: Path, size: tuple[int, int]) -> None:
    policy = Path(copy_of("storefront.toml", tmp_path))
    shipped = policy.parent / "storefront" / "android" / "network_security_config.xml"
    before = shipped.read_bytes()
    with planner(str(policy), size=size) as terminal:
        stranger = Stranger(terminal)

        # who breaks if the primary key is stolen today
        stranger.reads("IF IT HAPPENED TODAY", "Serving   api-2025", "? keys")
        stranger.goes_to("api-2025 stolen: serve api-2026")
        stranger.presses("o", "play it")
        stranger.reads("LOST     shop-android 6.8", "LOST     shop-ios 10.3", "serve api-2026")

        # the best response
        stranger.presses("!", "compares what can be done")
        stranger.reads("Emergency: what is it about?", f"{CURSOR} api-2025")
        stranger.presses("enter", "go on")
        stranger.presses("y", "yes: it was stolen")
        stranger.reads("api-2025 stolen, key suspected: yes", f"{CURSOR} 1  24 07:00Z", "best", "worse", "REFUSED")

        # the new pinset, and the plan with its dates
        stranger.presses("p", "promote")
        stranger.reads("api-2026 is the primary now", " * ")
        stranger.presses("3", "Plan")
        stranger.reads("Possible by 2026-", "ACCEPTED LOSS", "PLANNED", gone="BLOCKED")
        stranger.finds(r"serve api-2026 on api.*(24 Nov 26|2026-11-24)")

        # written
        stranger.presses("4", "Export")
        stranger.reads("promote api-2026, drop api-2025", "network_security_config")
        stranger.presses("w", "write")
        stranger.reads("Write 3 files?")
        stranger.presses("y", "or enter: yes")
        stranger.reads("3 files written")
        assert stranger.keys <= MOST_KEYS, stranger.keys
    assert shipped.read_bytes() != before
    assert 'status = "compromised"' in policy.read_text()
