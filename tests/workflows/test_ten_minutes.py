"""Your own app in ten minutes: from a repository of shipped files and a pasted handshake to an answer, by commands."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.conftest import Run, run
from tests.minting import chain_pem, csr, intermediate, mint, pin_b64, root
from tests.repositories import Repository

__all__ = ["run"]
ICA = intermediate("ica", root("root"))
PLACE = "src/main/res/xml/network_security_config.xml"


def nsc(*names: str) -> str:
    pins = "".join(f'<pin digest="SHA-256">{pin_b64(name)}</pin>' for name in names)
    inner = f"<domain>api.example.com</domain><pin-set>{pins}</pin-set>"
    return f"<network-security-config><domain-config>{inner}</domain-config></network-security-config>"


def test_a_policy_is_built_by_commands_alone_and_answers(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under ten commands; nobody writes TOML, and what is not known is said."""

    def paste(key: str) -> None:
        chain = chain_pem(mint(key, ICA, names=["api.example.com"]), ICA, root("root"))
        text = b"CONNECTED(00000003)\n---\n" + chain + b"---\nDONE\n"
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text)))

    app = Repository(tmp_path / "app-android")
    app.commit({PLACE: nsc("a", "old")}, "2025-05-01T00:00:00Z", "v8.4")
    app.commit({PLACE: nsc("a", "b")}, "2026-05-01T00:00:00Z", "v9.0")
    Path("next.csr").write_bytes(csr("b"))
    shipped = ("--from-git", "app-android", "v*", "--path", f"bank=**/{PLACE}")

    paste("a")
    assert run("new", "bank.toml", "-", "next.csr", *shipped).code == 0
    text = Path("bank.toml").read_text()
    assert 'next = { csr = "next.csr" }' in text
    assert "assumed" not in text
    lost = run("simulate", "bank.toml", "key-loss:now", "--serve", "api.example.com=next", "--json", "--no-report").json
    # The CA of a test is no public one, so every client finds no path, whatever it pins.
    assert {row["version"]: row["reason"] for row in lost["cohorts"]} == {"9.0": "no-path", "8.4": "no-path"}
    assert lost["broken"]["clients"] is None
    app.commit({PLACE: nsc("b")}, "2026-11-01T00:00:00Z", "v9.1")
    assert run("new", "bank.toml", *shipped).code == 0
    assert [row["version"] for row in run("simulate", "bank.toml", "--json").json["cohorts"]].count("9.1") == 1
    paste("a")
    assert "refused-as-served" in run("observe", "bank.toml", "api.example.com=-").out
    Path("before.toml").write_text(text)
    assert "bank 9.1: new, adds next" in run("review", "bank.toml", "--base", "before.toml").out
    assert "? of bank 9.1" in run("why", "bank.toml", "broken").out
