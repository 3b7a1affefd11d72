"""A git repository made for a test: commits with dates and tags, of nobody, with no settings of this machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Repository:
    """A repository in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        """Make it."""
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str, date: str = "2026-01-01T00:00:00Z") -> str:
        """Run git in it."""
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
            **{f"GIT_{who}_{what}": "nobody" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        done = subprocess.run(
            ["git", "-C", str(self.folder), *words], env=environ, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, files: dict[str, bytes | str | None], date: str, *tags: str) -> None:
        """Commit some files, None takes one away, and tag what came; a tag that ends with `!` is annotated."""
        for name, data in files.items():
            path = self.folder / name
            if data is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data.encode() if isinstance(data, str) else data)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "work", date=date)
        for tag in tags:
            if tag.endswith("!"):
                self.git("tag", "-a", tag[:-1], "-m", "tag", date="2026-11-11T00:00:00Z")
            else:
                self.git("tag", tag)
