"""The editor that a person named in the environment, run on the terminal."""

from __future__ import annotations

import subprocess

from rotator.errors import InputError, Problem


def run_editor(words: list[str]) -> int:
    """Run an editor and wait for it.

    Args:
        words: the program, its options and the file.

    Returns:
        What it ended with.

    Raises:
        InputError: there is no such program, or it cannot be started.
    """
    try:
        return subprocess.run(words, check=False).returncode  # noqa: S603 - what the person named in EDITOR
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        hint = "set EDITOR to a program that is installed"
        raise InputError(Problem(f"cannot be started: {reason}", file=words[0], hint=hint)) from None
