"""The real program in a real terminal: a pseudo-terminal, keys as bytes, and the screen as lines of text."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
KEYS = {
    "enter": "\r", "escape": "\x1b", "tab": "\t", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
    "space": " ", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "home": "\x1b[H", "end": "\x1b[F",
}  # fmt: skip
_TOKEN = re.compile(
    r"\x1b\[(?P<csi>[0-9;?<>=!]*)[ !\"$']*(?P<end>[@-~])|\x1b[PX^_\]].*?(?:\x1b\\|\x07)"
    r"|\x1b[()][A-Z0-9]|\x1b[^\[PX^_\]()]|(?P<text>[^\x1b\x00-\x1f]+)|(?P<control>[\x00-\x1f])",
    re.DOTALL,
)


class Terminal:
    """A program in a terminal of some size."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        size: tuple[int, int] = (80, 24),
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Start the program."""
        self.width, self.height = size
        self.cells = [[" "] * self.width for _ in range(self.height)]
        self.x = self.y = 0
        self.pending = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.colours: set[str] = set()
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", self.height, self.width, 0, 0))
        env = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "COLORTERM": "truecolor", **(environ or {})}
        env.setdefault("PYTHONPATH", str(ROOT))
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            words, stdin=slave, stdout=slave, stderr=slave, env=env, cwd=folder, close_fds=True, start_new_session=True
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.master)

    def send(self, *keys: str) -> None:
        """Press keys: names of `KEYS`, `ctrl+x`, or characters."""
        for key in keys:
            known = chr(ord(key[-1]) & 31) if key.startswith("ctrl+") else KEYS.get(key, key)
            os.write(self.master, known.encode())

    def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        self.width, self.height = width, height
        self.cells = [[" "] * width for _ in range(height)]
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.process.send_signal(signal.SIGWINCH)

    def read(self, seconds: float = 0.05) -> bool:
        """Take in what the program wrote; say whether there was anything."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self._draw(self.decoder.decode(data))
        return bool(data)

    def wait_for(self, *words: str, seconds: float = 20, gone: str = "") -> str:
        """Read until all of some words are on the screen, and others gone.

        Raises:
            AssertionError: they did not come.
        """
        end = time.perf_counter() + seconds
        while True:
            text = self.text()
            if all(word in text for word in words) and not (gone and gone in text):
                return text
            assert time.perf_counter() < end, f"{words} not on the screen:\n{text}"
            self.read()

    def ended(self, seconds: float = 20) -> int:
        """Wait for the end of the program, and give its exit code."""
        end = time.perf_counter() + seconds
        while self.process.poll() is None and time.perf_counter() < end:
            self.read()
        return self.process.wait(timeout=1)

    def text(self) -> str:
        """Give the screen."""
        return "\n".join("".join(row).rstrip() for row in self.cells)

    def _draw(self, text: str) -> None:
        text = self.pending + text
        cut = text.rfind("\x1b", max(0, len(text) - 40))
        whole = cut < 0 or ((found := _TOKEN.match(text, cut)) is not None and found.end() - cut > 1)
        text, self.pending = (text, "") if whole else (text[:cut], text[cut:])
        for token in _TOKEN.finditer(text):
            if token["text"]:
                for char in token["text"]:
                    if self.y < self.height and self.x < self.width:
                        self.cells[self.y][self.x] = char
                    self.x += 1
            elif token["end"]:
                self._move(token["end"], token["csi"])
            elif token["control"] == "\n":
                self.y = min(self.y + 1, self.height - 1)
            elif token["control"] == "\r":
                self.x = 0

    def _move(self, end: str, parameters: str) -> None:
        numbers = [int(part or 1) for part in parameters.split(";") if part.isdigit() or not part]
        if end == "m":
            self.colours.update(re.findall(r"[34]8;2;[0-9]+;[0-9]+;[0-9]+|[34]8;5;[0-9]+", parameters))
        elif end == "H":
            self.y, self.x = (numbers[0] - 1, numbers[1] - 1) if len(numbers) == 2 else (0, 0)
        elif end == "J" and parameters in ("2", "3"):
            self.cells = [[" "] * self.width for _ in range(self.height)]
        elif end == "K" and self.y < self.height:
            self.cells[self.y][self.x :] = [" "] * max(0, self.width - self.x)


def planner(policy: str, *words: str, size: tuple[int, int] = (80, 24), **environ: str) -> Terminal:
    """Open the planner on a policy, on a day that is fixed, with no settings of anybody."""
    env = {"ROTATOR_TODAY": "2026-11-23T09:00Z", "XDG_CONFIG_HOME": "/nowhere", **environ}
    return Terminal([sys.executable, "-m", "rotator", policy, *words], size=size, environ=env)
