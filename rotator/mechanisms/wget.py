"""wget `--pinnedpubkey`, and `pinnedpubkey` in a wgetrc: the leaf's key, compared as curl compares it.

Rules from wget's `src/utils.c`, checked on wget 1.21.3 on loopback: several digests work, and
`--no-check-certificate` does not switch the pin off.
"""

from __future__ import annotations

from rotator.mechanisms.base import Facts
from rotator.mechanisms.shared.curl_pins import CurlLike

VENDOR = "https://www.gnu.org/software/wget/manual/html_node/HTTPS-_0028SSL_002fTLS_0029-Options.html"


class Wget(CurlLike):
    """wget with GnuTLS or OpenSSL."""

    id = "wget"
    file_name = "wgetrc"
    vendor = VENDOR
    quotes = False
    tool = "wget"
    settings = "a wgetrc"
    facts = Facts(
        title="wget pinnedpubkey",
        object="public key, SHA-256, or a key file",
        scope="the leaf",
        host_rule="every host of the transfer",
        expiry="none",
        report_only="no",
        local_roots="pins hold",
        update_channel="configuration",
        bad_config="an element that is not canonical base64 never matches",
        sources=("wget src/utils.c", VENDOR),
    )


MECHANISM = Wget()
