"""Patterns of paths, as people write them: `**/network_security_config.xml`."""

from __future__ import annotations

import re
from functools import cache


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    """Translate: `**/` is any folders or none, `**` anything, `*` and `?` stay inside one name."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob.removeprefix("./"))
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts), re.DOTALL)


def fits(glob: str, path: str) -> bool:
    """Say whether a path, from the top and with `/`, fits a pattern; a pattern without `/` fits any folder's file."""
    target = path if "/" in glob else path.rpartition("/")[2]
    return _pattern(glob).fullmatch(target) is not None
