"""curl and libcurl: `--pinnedpubkey`, `CURLOPT_PINNEDPUBLICKEY`, `pinnedpubkey` in a config file.

Rules from `Curl_pin_peer_pubkey` in `lib/vtls/vtls.c`, checked on curl 7.88.1 on loopback.
"""

from __future__ import annotations

from rotator.mechanisms.base import Facts
from rotator.mechanisms.shared.curl_pins import CurlLike

VENDOR = "https://curl.se/libcurl/c/CURLOPT_PINNEDPUBLICKEY.html"


class Curl(CurlLike):
    """curl and everything on libcurl."""

    id = "curl"
    file_name = "curl.conf"
    vendor = VENDOR
    tool = "curl"
    settings = "a curl config file"
    facts = Facts(
        title="curl and libcurl pinnedpubkey",
        object="public key, SHA-256, or a key file",
        scope="the leaf",
        host_rule="every host of the transfer",
        expiry="none",
        report_only="no",
        local_roots="pins hold",
        update_channel="configuration",
        bad_config="an element that is not canonical base64 never matches",
        sources=("curl lib/vtls/vtls.c", VENDOR),
    )


MECHANISM = Curl()
