"""From words to an exit code."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module

from rotator.cli.console import Console, console
from rotator.cli.parser import COMMANDS, parser
from rotator.errors import InputError, RotatorError, printable


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command.

    Args:
        arguments: the words after the program's name.
        environ: the environment.

    Returns:
        0 fine, 1 bad news, 2 unusable input or usage, 3 refused as unsafe, 130 interrupted.
    """
    words = _with_command(list(arguments))
    if not words:
        parser().print_help(sys.stderr)
        return 2
    try:
        asked = _parse(words)
    except SystemExit as end:
        return int(end.code or 0)
    talk = console(ascii_only=asked.ascii, no_color=asked.no_color, environ=environ)
    try:
        module = import_module(f"rotator.cli.commands.{asked.command.replace('import', 'import_')}")
        # What is loaded now stays to the end: it need not be looked through again each time memory is tidied.
        if not gc.get_freeze_count():
            gc.freeze()
        with _listening(asked.command, talk):
            code: int = module.run(asked, talk, environ)
    except RotatorError as error:
        _tell(error, talk)
        return error.exit_code
    except BrokenPipeError:
        # The reader went away, as `| head` does; stdout must not be flushed again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # Everything that is read or written by name says so itself; this is the output, on a full disk for example.
        talk.talk(f"error: the output could not be written: {error.strerror or error}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except KeyboardInterrupt:
        return 130
    return code


INTERACTIVE = frozenset({"edit", "new", "open", "serve"})
"""Commands that talk to a person or take the whole screen, where nothing else may write."""


@contextmanager
def _listening(command: str, talk: Console) -> Iterator[None]:
    """Say how far the work of a command is, where it is one that answers and ends."""
    if command in INTERACTIVE:
        yield
        return
    with talk.listening():
        yield


def _parse(words: list[str]) -> argparse.Namespace:
    """Parse the words; those that may be many can stand before and after options alike."""
    known = parser(words[0])
    asked, rest = known.parse_known_args(words)
    many = next((name for name in ("events", "inputs", "targets") if hasattr(asked, name)), None)
    if rest and (many is None or any(word.startswith("-") and word != "-" for word in rest)):
        known.error(printable(f"unrecognized arguments: {' '.join(rest)}"))
    if many is not None:
        getattr(asked, many).extend(rest)
    return asked


def _with_command(words: list[str]) -> list[str]:
    """Put `open` in front where the first word is a policy."""
    if words and not words[0].startswith("-") and words[0] not in COMMANDS:
        return ["open", *words]
    return words


def _tell(error: RotatorError, talk: Console) -> None:
    if isinstance(error, InputError):
        for problem in error.problems:
            talk.talk(f"error: {problem}")
        if len(error.problems) > 1:
            talk.talk(f"{len(error.problems)} problems")
    else:
        talk.talk(str(error))
