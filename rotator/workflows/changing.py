"""The bytes of a policy with changes made."""

from __future__ import annotations

from collections.abc import Sequence

from rotator.files.policy_edit import apply
from rotator.model.edits import Change


def edited(file: str, data: bytes, changes: Sequence[Change]) -> bytes:
    """Give the bytes of a policy with some changes made, its own line endings and comments kept."""
    text = data.decode("utf-8-sig")
    return apply(text, [edit for change in changes for edit in change.edits], file).encode()
