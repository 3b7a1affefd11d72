"""Every client technology on one screen: its id and the module it lives in, imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from rotator.errors import InputError, Problem
from rotator.model.names import did_you_mean

if TYPE_CHECKING:
    from rotator.mechanisms.base import Mechanism

MODULES = {
    "afnetworking": "afnetworking",
    "aiohttp": "aiohttp",
    "alamofire": "alamofire",
    "android-nsc": "android_nsc",
    "apple-ats": "apple_ats",
    "approov": "approov",
    "chromium": "chromium",
    "cronet": "cronet",
    "curl": "curl",
    "dane": "dane",
    "firefox": "firefox",
    "flutter-http-pinning": "flutter_http_pinning",
    "hpkp": "hpkp",
    "node": "node",
    "okhttp": "okhttp",
    "rn-public-key-pinning": "rn_public_key_pinning",
    "rn-ssl-pinning": "rn_ssl_pinning",
    "trustkit-android": "trustkit_android",
    "trustkit-ios": "trustkit_ios",
    "urllib3": "urllib3",
    "wget": "wget",
    "wultra": "wultra",
}
"""Technologies with a file or a header of their own; each module holds one `MECHANISM`."""

PRESETS = ("dotnet", "go", "go-sent", "httpx", "jdk", "none", "perl", "php", "rustls", "tofu")
"""Code without a file: what `[mechanisms.NAME]` is made like; all in one module, by their name in capitals."""

KNOWN_IDS = (*MODULES, *PRESETS)


def mechanism(name: str) -> Mechanism:
    """Give a client technology by its id.

    Raises:
        InputError: there is none of this id.
    """
    if name in PRESETS:
        preset: Mechanism = getattr(import_module("rotator.mechanisms.presets"), name.upper().replace("-", "_"))
        return preset
    module = MODULES.get(name)
    if module is None:
        raise InputError(Problem("no mechanism has this id", value=name, hint=did_you_mean(name, KNOWN_IDS)))
    found: Mechanism = import_module(f"rotator.mechanisms.{module}").MECHANISM
    return found
