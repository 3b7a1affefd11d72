"""Made files of counts, each with the traps of its format."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date

TODAY = date(2026, 11, 23)
INSTALL_BASE = "Install base (All devices, Unique devices, Per interval, Daily)"
SESSION_COLUMNS = (
    "Date",
    "App Name",
    "App Apple Identifier",
    "App Version",
    "Device",
    "Platform Version",
    "Source Type",
    "Page Type",
    "App Download Date",
    "Territory",
    "Sessions",
    "Total Session Duration",
    "Unique Devices",
)


def rows(*lines: Iterable[object], delimiter: str = ",") -> str:
    """Write rows as CSV."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(lines)
    return out.getvalue()


def play_bulk(*lines: tuple[object, ...], dimension: str = "App Version Code", package: str = "com.shop") -> bytes:
    """Write Play's monthly report, UTF-16 with a mark: lines of date, code and Active Device Installs."""
    head = ("Date", "Package Name", dimension, "Daily Device Installs", "Active Device Installs", "Install events")
    text = rows(head, *((day, package, code, 9, clients, 0) for day, code, clients in lines))
    return text.encode("utf-16")


def play_overview(*lines: tuple[object, ...], package: str = "com.shop") -> bytes:
    """Write Play's monthly report of the whole app."""
    head = ("Date", "Package Name", "Daily Device Installs", "Active Device Installs")
    return rows(head, *((day, package, 9, clients) for day, clients in lines)).encode("utf-16")


def play_page(columns: Iterable[str], *lines: tuple[object, ...], metric: str = INSTALL_BASE) -> bytes:
    """Write an export of Play's Statistics page: lines of a date and a value for each column."""
    head = ("Date", *(f"{metric}: {column}" for column in columns), "Notes")
    return rows(head, *((*line, "") for line in lines)).encode()


def sessions(*lines: Mapping[str, object], order: Iterable[str] = SESSION_COLUMNS, bom: bool = False) -> bytes:
    """Write App Sessions: lines by name of column, what is left out is filled in."""
    usual = {"App Name": "Shop", "App Apple Identifier": 123, "Device": "iPhone", "Territory": "DE", "Sessions": 1}
    head = tuple(order)
    text = rows(head, *(tuple({**usual, **line}.get(name, "") for name in head) for line in lines), delimiter="\t")
    return text.encode("utf-8-sig" if bom else "utf-8")


def session(day: str, version: str, os: str, clients: object, **more: object) -> dict[str, object]:
    """Make a line of App Sessions."""
    named = {key.replace("_", " ").title(): value for key, value in more.items()}
    return {"Date": day, "App Version": version, "Platform Version": os, "Unique Devices": clients, **named}


def opt_in(*lines: tuple[str, int, int]) -> bytes:
    """Write the report of those who opted in: lines of a date, all users and those who agreed."""
    head = ("Date", "App Name", "App Apple Identifier", "Downloading Users", "Users Opting-In")
    return rows(head, *((day, "Shop", 123, every, some) for day, every, some in lines), delimiter="\t").encode()


GERMAN_PAGE = """\
Name,Mein Laden
Startdatum,10/30/26
Enddatum,11/1/26

Datum,12.0 Aktive Geräte,11.4 Aktive Geräte
10/30/26,1234.0,-
10/31/26,1240.0,12.0
"""
ENGLISH_PAGE = """\
Name,Shop
Start Date,10/30/26
End Date,10/31/26
Date,12.0 Active in last 30 days,11.4 Active in last 30 days
10/30/26,1234,10
10/31/26,1240,12
"""
FIREBASE = """\
# ----------------------------------------
# All Users
# Start date: 20261020
# End date: 20261118
# ----------------------------------------
App version,Active users
9.4.0,1200
(not set),3
,1203

Day,Users
1,2
"""
