"""`rotator serve`, seen by a real browser without a window: the planner is drawn there and obeys the keyboard."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.tui.piloting import copy_of

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 60.0


def browser() -> str:
    """Give the browser that is here; without one the test is skipped by name."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("Chromium is not installed here: serving is not seen by a browser")
    return found


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        port: int = own.getsockname()[1]
        return port


@contextmanager
def running(*words: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program whose stderr is read, and end it."""
    with subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, **environ}
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def told(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """Read what a program says until it says something."""
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(pattern, line)
        if found is not None:
            return found
    raise AssertionError(f"it ended without a word of {pattern}")


class Page:
    """A page of the browser, by the protocol of its developer tools."""

    def __init__(self, socket_: Any) -> None:  # noqa: ANN401 - of a library that may not be here
        """Talk over a socket that is open."""
        self.socket = socket_
        self.sent = 0
        self.answers: dict[int, dict[str, Any]] = {}
        self.drawn = ""
        """What the program sent to be drawn, without the codes for colours and places."""

    async def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self.sent += 1
        own = self.sent
        await self.socket.send_str(json.dumps({"id": own, "method": method, "params": parameters}))
        end = time.monotonic() + SECONDS
        while own not in self.answers:
            assert time.monotonic() < end, method
            await self._hear(1.0)
        return self.answers.pop(own)

    async def _hear(self, seconds: float) -> None:
        try:
            message = await self.socket.receive(timeout=seconds)
        except TimeoutError:
            return
        said = json.loads(message.data)
        if "id" in said:
            self.answers[said["id"]] = said["result"]
        elif said["method"] == "Network.webSocketFrameReceived" and said["params"]["response"]["opcode"] == 2:
            text = base64.b64decode(said["params"]["response"]["payloadData"]).decode(errors="replace")
            self.drawn += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", " ", text)

    async def wait_for(self, *words: str) -> None:
        """Hear what is drawn until all of some words were."""
        end = time.monotonic() + SECONDS
        while not all(word in self.drawn for word in words):
            assert time.monotonic() < end, f"{words} were not drawn: {self.drawn[-2000:]}"
            await self._hear(0.5)

    async def press(self, key: str) -> None:
        """Press a key in the terminal of the page."""
        self.drawn = ""
        await self.ask("Runtime.evaluate", expression="document.querySelector('.xterm-helper-textarea').focus()")
        await self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def shown(self, expression: str) -> object:
        """Give what an expression is on the page."""
        found = await self.ask("Runtime.evaluate", expression=expression)
        return found["result"].get("value")


async def visit(debugger: str, url: str) -> None:
    """Open the page, look at two screens by their keys, and leave."""
    aiohttp = pytest.importorskip("aiohttp", reason="the extra `web` is not installed: nothing is served")
    async with aiohttp.ClientSession() as http:
        async with http.get(f"http://{debugger}/json") as listed:
            page = next(one for one in await listed.json() if one["type"] == "page")
        async with http.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket_:
            own = Page(socket_)
            await own.ask("Network.enable")
            await own.ask("Page.enable")
            end = time.monotonic() + SECONDS
            while "errorText" in await own.ask("Page.navigate", url=url):
                assert time.monotonic() < end, "nothing is served"
                await asyncio.sleep(0.2)
            await own.wait_for("IF IT HAPPENED TODAY", "storefront.toml")
            await own.press("2")
            await own.wait_for("key-compromise", "EXPOSED")
            assert await own.shown("document.querySelector('.xterm canvas, .xterm-rows') !== null")
            await own.press("q")
            ended = "document.querySelector('.closed-dialog').checkVisibility()"
            while not await own.shown(ended):
                assert time.monotonic() < end + SECONDS, "the page does not say that the session ended"
                await asyncio.sleep(0.1)


@pytest.mark.loopback
def test_the_planner_is_drawn_in_a_browser_obeys_its_keys_and_ends(tmp_path: Path) -> None:
    program = browser()
    pytest.importorskip("textual_serve", reason="the extra `web` is not installed: nothing is served")
    policy, port = copy_of("storefront.toml", tmp_path), free_port()
    with ExitStack() as stack:
        server = stack.enter_context(
            running(sys.executable, "-m", "rotator", "serve", policy, "--port", str(port), PYTHONUNBUFFERED="1")
        )
        told(server, "there is no login")
        window = stack.enter_context(
            running(
                program, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
                f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,900", "about:blank",
            )
        )  # fmt: skip
        found = told(window, r"ws://([0-9.]+:[0-9]+)/")
        asyncio.run(visit(found[1], f"http://127.0.0.1:{port}/"))
