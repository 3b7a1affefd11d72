"""From the bytes of a download to text: packed or not, in whichever Unicode form."""

from __future__ import annotations

import gzip
import io
import zlib

from rotator.errors import InputError, Problem

MAX_BYTES = 256 * 1024 * 1024
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decode(data: bytes, file: str) -> tuple[str, tuple[str, ...]]:
    """Give the text of a file, and in what form it came: such as `gzip`, `UTF-16`.

    Args:
        data: the file. It is unpacked by its content: a name ending in .gz says nothing, since some clients unpack on
            the way and keep the name.
        file: its name, for messages.

    Raises:
        InputError: it is packed in another way, damaged, too large or no text.
    """
    forms: list[str] = []
    if data[:2] == b"\x1f\x8b":
        data = _unpacked(data, file)
        forms.append("gzip")
    if data[:4] == b"PK\x03\x04":
        raise InputError(Problem("is a ZIP archive", file=file, hint="unpack it and give the CSV inside"))
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "") or _by_pattern(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        shown = "UTF-16" if encoding.startswith("utf-16") else "UTF-8"
        raise InputError(Problem(f"is not {shown} text", file=file, expected="a CSV or TSV as downloaded")) from None
    if "\0" in text:
        raise InputError(Problem("is no text", file=file, expected="a CSV or TSV as downloaded"))
    if encoding.startswith("utf-16"):
        forms.append("UTF-16")
    return text, tuple(forms)


def _unpacked(data: bytes, file: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            found = packed.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise InputError(Problem("is damaged: it cannot be unpacked", file=file, hint="download it again")) from None
    if len(found) > MAX_BYTES:
        raise InputError(Problem(f"is larger than {MAX_BYTES // 1024 // 1024} MB unpacked", file=file))
    return found


def _by_pattern(data: bytes) -> str:
    """Tell UTF-16 without a mark by its zero bytes: tables are mostly ASCII."""
    head = data[:400]
    if len(head) >= 4 and head[1::2].count(0) * 2 > len(head) // 2 and head[0::2].count(0) == 0:
        return "utf-16-le"
    if len(head) >= 4 and head[0::2].count(0) * 2 > len(head) // 2 and head[1::2].count(0) == 0:
        return "utf-16-be"
    return "utf-8"
