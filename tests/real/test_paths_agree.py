"""The judge's paths against two verifiers that were written by others, on thousands of minted chains.

Cross-signs, several certificates of one key, ends, path lengths, names, intermediates as anchors, superfluous
certificates in any order. `cryptography` looks for another path as the backtracking builder does; OpenSSL follows the
first issuer. `ROTATOR_LONG=1` draws many more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification

from rotator.model.pki import TrustStore
from rotator.model.rules import Builder, Rule
from rotator.simulate.judge import judge
from rotator.simulate.judgement import Side, Situation
from tests.real.drawing import AT, HOST, Case, Piece, draw, universe

LONG = bool(os.environ.get("ROTATOR_LONG"))
Known = Callable[[Case], bool]


def accepted(case: Case, builder: Builder) -> bool:
    """Ask the judge, for a client without pins."""
    trust = TrustStore(name="drawn", roots=tuple(piece.value for piece in case.roots))
    sent = tuple(piece.value for piece in case.sent)
    return judge(Rule(builder=builder), sent, HOST, trust, Situation(at=AT), Side.OURS).accepted


def cryptography_accepts(case: Case) -> bool:
    """Ask `cryptography`."""
    store = verification.Store([piece.x509 for piece in case.roots])
    verifier = verification.PolicyBuilder().store(store).time(AT).build_server_verifier(x509.DNSName(HOST))
    try:
        verifier.verify(case.sent[0].x509, [piece.x509 for piece in case.sent[1:]])
    except verification.VerificationError:
        return False
    return True


def openssl_accepts(case: Case, folder: Path) -> bool:
    """Ask `openssl verify`, with partial chains as curl sets them."""
    words = ["openssl", "verify", "-partial_chain", "-attime", str(int(AT.timestamp())), "-purpose", "sslserver"]
    words += ["-verify_hostname", HOST]
    files = (("-trusted", case.roots), ("-untrusted", case.sent[1:]), ("", case.sent[:1]))
    for number, (option, pieces) in enumerate(files):
        file = folder / f"{number}.pem"
        file.write_bytes(b"".join(piece.x509.public_bytes(Encoding.PEM) for piece in pieces))
        if pieces:
            words += [*([option] if option else []), str(file)]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def highest_anchor(case: Case) -> bool:
    """Say whether an anchor's own issuer is an anchor too."""
    return any(root.subject != root.issuer and root.issuer in {r.subject for r in case.roots} for root in case.roots)


KNOWN: dict[str, tuple[Known, str]] = {
    "highest-anchor": (
        highest_anchor,
        """Conscrypt goes on to the highest anchor there is and then has no way back to a lower one; where the path
        length of that one is too short, `cryptography` stops at the lower and accepts.""",
    ),
}
"""Where the backtracking builder and `cryptography` disagree, and why; with OpenSSL there is no disagreement."""


def test_backtracking_agrees_with_cryptography() -> None:
    both = {True: 0, False: 0}
    for case in draw(60_000 if LONG else 6_000, seed=7):
        ours, theirs = accepted(case, Builder.BACKTRACK), cryptography_accepts(case)
        if ours is not theirs:
            assert any(known(case) for known, _ in KNOWN.values()), f"ours {ours}: {case.text}"
        both[theirs] += 1
    assert min(both.values()) > 500, both


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed")
def test_following_the_first_issuer_agrees_with_openssl(tmp_path: Path) -> None:
    both = {True: 0, False: 0}
    for case in draw(4_000 if LONG else 150, seed=3):
        ours, theirs = accepted(case, Builder.FIRST_ISSUER), openssl_accepts(case, tmp_path)
        assert ours is theirs, case.text
        both[theirs] += 1
    assert min(both.values()) > 15, both


def test_who_goes_back_accepts_whatever_who_does_not_accepts() -> None:
    """A first issuer that leads to a root is also a path for a client that looks further."""
    for case in draw(3_000, seed=11):
        if accepted(case, Builder.FIRST_ISSUER) and not accepted(case, Builder.BACKTRACK):
            assert highest_anchor(case), case.text


def piece(subject: str, issuer: str, path_length: int | None = None, names: tuple[str, ...] = ()) -> Piece:
    """Find a sound certificate."""
    wanted = (subject, issuer, "sound", path_length)
    return next(
        p
        for p in universe()
        if (p.subject, p.issuer, p.time, p.path_length) == wanted and (not names or p.names == names)
    )


def test_the_known_disagreement_is_still_there() -> None:
    """A list of exceptions must not outlive them."""
    leaf = piece("leaf of J", "J", names=(HOST,))
    case = Case(sent=(leaf, piece("J", "I")), roots=(piece("B", "B", 1), piece("I", "B")))
    assert highest_anchor(case)
    assert cryptography_accepts(case)
    assert not accepted(case, Builder.BACKTRACK)
