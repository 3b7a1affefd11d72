"""Every client technology on one screen: its id and the module it lives in, imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from rotator.errors import InputError, Problem
from rotator.model.names import did_you_mean

if TYPE_CHECKING:
    from rotator.mechanisms.base import Mechanism

MODULES = {
    "android-nsc": "android_nsc",
    "apple-ats": "apple_ats",
    "curl": "curl",
    "none": "none",
    "okhttp": "okhttp",
    "trustkit-ios": "trustkit_ios",
}
"""Technologies that Rotator plays; each module holds one `MECHANISM`."""

ANNOUNCED = (
    "afnetworking",
    "aiohttp",
    "alamofire",
    "approov",
    "chromium",
    "cronet",
    "dane",
    "firefox",
    "flutter-http-pinning",
    "hpkp",
    "node",
    "rn-public-key-pinning",
    "rn-ssl-pinning",
    "trustkit-android",
    "urllib3",
    "wget",
    "wultra",
    "dotnet",
    "go",
    "go-sent",
    "httpx",
    "jdk",
    "perl",
    "php",
    "rustls",
    "tofu",
)
"""Ids that a policy may name already; they are kept and checked, but not played yet."""

KNOWN_IDS = (*MODULES, *ANNOUNCED)


def mechanism(name: str) -> Mechanism:
    """Give a client technology by its id.

    Raises:
        InputError: there is none of this id, or it is not played yet.
    """
    module = MODULES.get(name)
    if module is None:
        message = "this mechanism is not played yet" if name in ANNOUNCED else "no mechanism has this id"
        raise InputError(Problem(message, value=name, hint=did_you_mean(name, MODULES)))
    found: Mechanism = import_module(f"rotator.mechanisms.{module}").MECHANISM
    return found
