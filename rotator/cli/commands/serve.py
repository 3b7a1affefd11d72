"""`rotator serve`: the planner in a browser, on this machine alone unless told otherwise."""

from __future__ import annotations

import argparse
import ipaddress
import shlex
import sys
from collections.abc import Mapping

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.errors import Problem, UnsafeError, UsageError
from rotator.workflows.opening import open_policy


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Serve the planner until interrupted."""
    if not 0 < asked.port < 65536:
        raise UsageError(Problem("not a port", value=asked.port, expected="1 to 65535"))
    if not is_loopback(asked.host) and not asked.open_to_others:
        raise UnsafeError(
            f"refused: {asked.host} can be reached by others, and there is no login\n"
            "  hint: --open-to-others does it all the same; behind a proxy with a login, 127.0.0.1 is enough"
        )
    open_policy(asked.policy, now(environ).date())
    try:
        from textual_serve.server import Server
    except ImportError:
        hint = "pip install 'rotator[web]'"
        raise UsageError(Problem("serving needs textual-serve, which is not installed", hint=hint)) from None
    words = [sys.executable, "-m", "rotator", "open", asked.policy, *(["--ascii"] if asked.ascii else [])]
    words += ["--no-color"] if asked.no_color else []
    console.talk("warning: there is no login: whoever opens the page can read and write the policy")
    console.talk(f"http://{asked.host}:{asked.port}  ctrl+c ends it")
    Server(shlex.join(words), host=asked.host, port=asked.port, title="Rotator").serve()
    return 0


def is_loopback(host: str) -> bool:
    """Say whether an address is of this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
