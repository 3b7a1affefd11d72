"""0 fine; 1 bad news; 2 unusable input or usage; 3 refused as unsafe."""

from __future__ import annotations

import pytest

from rotator.cli.commands import simulate
from tests.cli.conftest import Run
from tests.desk import BASE, Desk, app
from tests.minting import pin_b64, pin_text

SOUND = BASE + app("shop")
ONE_PIN = SOUND.replace('backups = ["b"]\n', "")
NSC = (
    "<network-security-config><domain-config><domain>api.example.com</domain><pin-set>"
    f'<pin digest="SHA-256">{pin_b64("a")}</pin><pin digest="SHA-256">{pin_b64("b")}</pin></pin-set>'
    "</domain-config></network-security-config>"
)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("policy.toml", 0),
        ("open policy.toml", 0),
        ("open --summary policy.toml", 0),
        ("check policy.toml", 0),
        ("check one-pin.toml", 1),
        ("check one-pin.toml --fail-on error", 1),
        ("check old.toml", 0),
        ("check old.toml --fail-on info", 1),
        ("one-pin.toml", 1),
        ("simulate policy.toml", 0),
        ("simulate policy.toml key-loss:b", 0),
        ("simulate policy.toml key-loss:a", 1),
        ("simulate policy.toml key-compromise:a", 1),
        ("simulate policy.toml key-compromise:b", 0),
        ("drill policy.toml", 1),
        ("drill two-chains.toml", 0),
        ("drill none.toml", 2),
        ("now policy.toml --revoked api --key-suspected no", 0),
        ("now policy.toml --revoked api", 1),
        ("now policy.toml --stolen a --clock 5d", 1),
        ("now policy.toml", 2),
        ("now policy.toml --stolen x", 2),
        ("now policy.toml --revoked 0A3F", 2),
        ("now policy.toml --revoked api --stolen a", 2),
        ("now policy.toml --revoked api --clock 9d", 2),
        ("import android-nsc good.xml", 0),
        ("import android-nsc empty.xml", 1),
        ("import android-nsc bad.xml", 2),
        ("import okhttp good.xml", 2),
        ("import cronet good.xml", 2),
        ("import nothing good.xml", 2),
        ("import android-nsc none.xml", 2),
        ("export policy.toml", 0),
        ("export policy.toml --promote b", 0),
        ("export policy.toml --promote b --drop b", 3),
        ("export policy.toml --promote b --drop b --override because", 0),
        ("export policy.toml --drop a", 2),
        ("export policy.toml --promote x", 2),
        ("report list policy.toml", 0),
        ("report show policy.toml last", 2),
        ("report show policy.toml", 2),
        ("report show policy.toml a b", 2),
        ("report diff policy.toml last", 2),
        ("report diff policy.toml last last", 2),
        ("export policy.toml --leave-out nothing.xml", 2),
        ("new fresh.toml a.pem b.csr --app shop=okhttp", 0),
        ("new policy.toml a.pem", 2),
        ("new fresh.toml", 2),
        ("new fresh.toml a.pem --app shop", 2),
        ("new fresh.toml a.pem --app shop=nothing", 2),
        ("check none.toml", 2),
        ("check broken.toml", 2),
        ("none.toml", 2),
        ("simulate policy.toml nonsense", 2),
        ("simulate policy.toml key-loss:x", 2),
        ("simulate policy.toml strip:api", 1),
        ("simulate policy.toml --at soon", 2),
        ("simulate policy.toml --until 2020-01-01", 2),
        ("simulate policy.toml --scenario x", 2),
        ("simulate policy.toml --serve api", 2),
        ("simulate policy.toml --nonsense", 2),
        ("check policy.toml --baseline empty.xml", 2),
        ("check policy.toml extra", 2),
        ("check", 2),
        ("check --fail-on never policy.toml", 2),
        ("", 2),
        ("--nonsense", 2),
        ("--help", 0),
        ("--version", 0),
        ("check --help", 0),
    ],
)
def test_exit_codes(desk: Desk, run: Run, words: str, code: int) -> None:
    desk.policy(SOUND)
    desk.policy(ONE_PIN, "one-pin.toml")
    desk.policy(SOUND.replace("[chains]\n", '[chains]\nother = { file = "a-by-other.pem" }\n'), "two-chains.toml")
    desk.policy(SOUND.replace("measured = 2026-11-20", "measured = 2026-10-01"), "old.toml")
    desk.policy("schema = 1\n[pinset.x]\n", "broken.toml")
    desk.file("good.xml", NSC)
    desk.file("empty.xml", "<network-security-config/>")
    desk.file("bad.xml", NSC.replace(pin_b64("b"), "AAAA"))
    ran = run(*words.split())
    assert ran.code == code, ran.err
    if code == 2:
        assert ran.out == ""
        assert ran.err


def test_a_known_finding_does_not_fail_the_next_run(desk: Desk, run: Run) -> None:
    """A check in CI fails on new findings only."""
    desk.policy(ONE_PIN)
    before = run("check", "policy.toml", "--json")
    desk.file("baseline.json", before.out)
    again = run("check", "policy.toml", "--baseline", "baseline.json")
    assert (before.code, again.code) == (1, 0)
    assert "(known)" in again.out
    worse = desk.policy(ONE_PIN.replace('primary = "a"', 'primary = "b"'))
    assert run("check", worse, "--baseline", "baseline.json").code == 1


def test_today_is_read_from_the_environment(desk: Desk, run: Run) -> None:
    desk.policy(SOUND)
    assert run("check", "policy.toml", environ={"ROTATOR_TODAY": "2028-01-01"}).code == 1
    assert run("check", "policy.toml", environ={"ROTATOR_TODAY": " 2026-11-23 "}).code == 0
    wrong = run("check", "policy.toml", environ={"ROTATOR_TODAY": "today"})
    assert wrong.code == 2
    assert "ROTATOR_TODAY" in wrong.err


def test_without_it_the_clock_is_read(desk: Desk, run: Run) -> None:
    """The minted certificates end in 2027, so only that it answers is certain."""
    desk.policy(SOUND)
    assert run("check", "policy.toml", environ={}).code in (0, 1)


def test_an_interrupt_is_130(desk: Desk, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(simulate, "run", interrupted)
    assert run("simulate", desk.policy(SOUND)).code == 130


def test_all_problems_are_counted(desk: Desk, run: Run) -> None:
    ran = run("check", desk.policy("schema = 1\ncolour = 1\nshape = 2\n"))
    assert ran.err.count("error: ") == 2
    assert ran.err.endswith("2 problems\n")


def test_a_pinset_that_its_client_would_refuse_is_not_written(desk: Desk, run: Run) -> None:
    text = SOUND.replace('"okhttp"', '"trustkit-ios"').replace('backups = ["b"]\n', "")
    refused = run("export", desk.policy(text), "--into", "out")
    assert refused.code == 3
    assert "refuses p: fewer than two different pins" in refused.err
    assert not (desk.folder / "out").exists()
    assert pin_text("a") not in refused.err
