"""The worked examples of the planning notes that need no planner: 4, 5 and 10 stand with what they are about."""

from __future__ import annotations

import itertools

from rotator.model.verdicts import Verdict
from rotator.simulate.budget import breaches
from tests.desk import BASE, TOP, Desk, app, verdicts
from tests.minting import chain_pem, intermediate, mint, root

OK, BREAKS, EXPOSED = Verdict.OK, Verdict.BREAKS, Verdict.EXPOSED

APPLE = """\
[keys]
l = { certificate = "l-c1.pem" }
[authorities]
r = { certificate = "r.pem" }
c1 = { certificate = "c1.pem" }
c2 = { certificate = "c2.pem" }
c3 = { certificate = "c3.pem" }
[chains]
by-c1 = { file = "l-c1.pem" }
by-c2 = { file = "l-c2.pem" }
by-c3 = { file = "l-c3.pem" }
[hosts.api]
names = ["api.example.com"]
serves = "by-c1"
[trust]
ours = { roots = ["r"] }
[pinsets.p]
primary = "l"
authorities = ["c1", "c2", "c3"]
combine = "leaf-and-ca"
"""


def test_example_6_apple_locks_out_without_its_leaf_or_without_all_its_authorities(desk: Desk) -> None:
    """Apple leaf {L} AND CA {C1, C2, C3}: losing L locks out alone; C1 and C2 do not; all three do."""
    r = root("r")
    desk.file("r.pem", r.pem)
    for name in ("c1", "c2", "c3"):
        ca = intermediate(name, r)
        desk.file(f"{name}.pem", ca.pem)
        desk.file(f"l-{name}.pem", chain_pem(mint("l", ca, names=["api.example.com"]), ca))
    text = TOP + APPLE + app("ios", "apple-ats")

    def locked_out(*lost: str) -> bool:
        """Say whether no chain that can still be had is accepted."""
        events = [f"key-loss:{n}" if n == "l" else f"ca-distrust:{n}" for n in lost]
        tried = [verdicts(desk.ask(text, *events, f"serve:api:by-{ca}"))["ios"] for ca in ("c1", "c2", "c3")]
        return BREAKS in tried and OK not in tried

    assert verdicts(desk.ask(text)) == {"ios": OK}
    assert locked_out("l")
    assert not any(locked_out(*pair) for pair in itertools.combinations(("c1", "c2", "c3"), 2))
    assert locked_out("c1", "c2", "c3")


def test_example_6_nsc_locks_out_with_the_pair_only(desk: Desk) -> None:
    """NSC {A, B}: only the pair (A, B)."""
    text = BASE.replace('a-chain = { file = "a.pem" }', 'a-chain = { file = "a.pem" }\nb-chain = { file = "b.pem" }')
    text += app("android", "android-nsc")

    def locked_out(*lost: str) -> bool:
        events = [f"key-loss:{name}" for name in lost]
        return all(
            verdicts(desk.ask(text, *events, f"serve:api:{chain}"))["android"] is BREAKS
            for chain in ("a-chain", "b-chain")
        )

    assert not locked_out("a")
    assert not locked_out("b")
    assert locked_out("a", "b")


def test_example_7_a_backup_alone_exposes_nobody(desk: Desk) -> None:
    """Backup B stolen: nobody; B stolen and a CA that certifies it: all who accept B."""
    pins = '[pinsets.only-a]\nprimary = "a"\n'
    text = BASE + pins + app("both") + app("with-a", pinset="only-a")
    assert verdicts(desk.ask(text, "key-compromise:b")) == {"both": OK, "with-a": OK}
    assert verdicts(desk.ask(text, "key-compromise:b?certified=yes")) == {"both": EXPOSED, "with-a": OK}


def test_example_9_a_small_segment_of_which_all_break_is_over_budget(desk: Desk) -> None:
    """Two million phones and 30 machines: refused, unless the segment is below the noise floor."""
    pins = '[pinsets.only-a]\nprimary = "a"\n'

    def refused(machines: int) -> list[str]:
        text = BASE + pins + app("phones", clients="2_000_000")
        text += app("ledger", "curl", pinset="only-a", clients=str(machines))
        answer = desk.ask(text, "serve:api:b")
        return list(breaches(answer.impact, answer.inventory))

    assert refused(30) == []
    assert len(refused(3000)) == 1
    assert "ledger" in refused(3000)[0]
