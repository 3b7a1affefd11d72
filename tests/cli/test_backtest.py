"""`rotator backtest`: 1 only where a snapshot would have broken clients."""

from __future__ import annotations

import json

import jsonschema

from tests.cli.conftest import Run
from tests.desk import BASE, Desk, app
from tests.docs.sources import DOCS


def test_a_record_that_fits_and_one_that_does_not(desk: Desk, run: Run) -> None:
    desk.policy(BASE + app("shop"))
    for day, name in ((1, "a.pem"), (2, "b.pem")):
        desk.file(f"fits/api.example.com__2026-11-0{day}_{name}", (desk.folder / name).read_bytes())
    desk.file("breaks/api.example.com__2026-11-01_a.pem", (desk.folder / "a.pem").read_bytes())
    desk.file("breaks/api.example.com__2026-11-02_c.pem", (desk.folder / "c.pem").read_bytes())
    fits = run("backtest", "policy.toml", "--history", "fits", "--json")
    assert fits.code == 0, fits.err
    broken = run("backtest", "policy.toml", "--history", "breaks", "--json")
    assert broken.code == 1
    (row,) = broken.json["breaks"]
    assert (row["date"], row["host"], row["reason"], row["clients"]) == ("2026-11-02", "api", "pin-mismatch", 1000)
    schema = json.loads((DOCS / "backtest.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(broken.json, schema)
    jsonschema.validate(fits.json, schema)
    assert {row["pin"] for row in broken.json["survival"]} == {"certificate", "leaf key", "intermediate", "root"}
    (pinset,) = broken.json["pinsets"]
    assert (pinset["pinset"], pinset["held"], pinset["snapshots"]) == ("p", 1, 2)
    assert pinset["broken"] == [{"from": "2026-11-02T00:00:00Z", "to": None, "snapshots": 1}]
    text = run("backtest", "policy.toml", "--history", "breaks").out
    assert "from 2026-11-02 on" in text
    assert "EACH KIND OF PIN" in text


def test_a_record_that_cannot_be_read_is_2(desk: Desk, run: Run) -> None:
    desk.policy(BASE + app("shop"))
    ran = run("backtest", "policy.toml", "--history", "none")
    assert (ran.code, ran.out) == (2, "")
    assert run("backtest", "policy.toml").code == 2
