"""`rotator edit` shows before it writes; `rotator serve` stays on this machine."""

from __future__ import annotations

import builtins

import pytest

from rotator.cli.commands.serve import is_loopback
from tests.cli.conftest import Run
from tests.desk import BASE, Desk, app


@pytest.fixture
def policy(desk: Desk) -> str:
    """Give the name of a policy in the folder of the test."""
    desk.policy(BASE + app("shop"))
    return "policy.toml"


def test_an_edit_is_shown_and_written_only_when_asked(run: Run, policy: str, desk: Desk) -> None:
    before = (desk.folder / policy).read_text()
    words = ("edit", policy, "add-key", "name=c", "from=c.csr")
    shown = run(*words)
    assert (shown.code, (desk.folder / policy).read_text()) == (0, before)
    assert '+c = { csr = "c.csr" }' in shown.out
    assert "nothing was written" in shown.err
    written = run(*words, "--write", "--json")
    assert (written.code, written.json["written"], written.json["edit"]) == (0, True, "add key c")
    assert 'c = { csr = "c.csr" }' in (desk.folder / policy).read_text()


def test_without_an_edit_every_edit_is_listed_with_what_it_asks_for(run: Run, policy: str) -> None:
    assert "retire-key: mark a key as destroyed" in run("edit", policy).out
    assert {"add-key", "add-event"} <= {form["id"] for form in run("edit", policy, "--json").json["edits"]}


def test_an_unsafe_edit_is_refused(run: Run, policy: str, desk: Desk) -> None:
    before = (desk.folder / policy).read_text()
    ran = run("edit", policy, "retire-key", "key=a", "--write")
    assert (ran.code, (desk.folder / policy).read_text()) == (3, before)
    assert "a is served by api" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add-key", "name"), "not an answer"),
        (("add-key", "name=a", "name=b"), "answered twice"),
        (("x",), "no such edit"),
    ],
)
def test_answers_that_cannot_be_used_are_named(run: Run, policy: str, words: tuple[str, ...], said: str) -> None:
    ran = run("edit", policy, *words)
    assert ran.code == 2
    assert said in ran.err


def test_an_address_that_others_can_reach_is_refused_unless_asked_for(run: Run, policy: str) -> None:
    ran = run("serve", policy, "--host", "0.0.0.0")  # noqa: S104 - it is refused
    assert ran.code == 3
    assert "there is no login" in ran.err
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "10.0.0.1", "example.com", "0.0.0.0")] == [  # noqa: S104
        True, True, True, False, False, False,
    ]  # fmt: skip


def test_what_has_to_be_installed_is_said(run: Run, policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name.startswith("textual_serve"):
            raise ImportError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(builtins, "__import__", without)
    ran = run("serve", policy)
    assert ran.code == 2
    assert "rotator[web]" in ran.err
    assert run("serve", policy, "--port", "0").code == 2
