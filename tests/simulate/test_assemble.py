"""Putting a policy together with its files: authorities, planned chains, trust stores, and what cannot be."""

from __future__ import annotations

import pytest

from rotator.errors import UsageError
from rotator.model.pki import may_have_issued
from rotator.model.verdicts import Verdict
from tests.desk import BASE, TOP, Desk, app, row, verdicts
from tests.minting import instant, mint, pin, pin_text

PLANNED = f"""\
[keys]
a = {{ certificate = "a.pem" }}
b = {{ csr = "b.csr" }}
[authorities]
root = {{ certificate = "root.pem" }}
ica = {{ certificate = "ica.pem" }}
new = {{ certificate = ["other-root.pem", "cross.pem"] }}
digest = {{ spki = "{pin_text("digest")}", issued_by = ["root"], until = 2027-01-01 }}
[chains]
plan = {{ leaf = "b", issuers = ["ica", "root"], not_before = 2026-11-01, lifetime_days = 30 }}
crossed = {{ leaf = "b", issuers = ["new", "root"], not_before = 2026-11-01 }}
bare = {{ leaf = "b", issuers = ["new"], not_before = 2026-11-01 }}
below-digest = {{ leaf = "b", issuers = ["digest", "root"], not_before = 2026-11-01, lifetime_days = 900 }}
partner = {{ issuers = ["ica", "root"], not_before = 2026-11-01 }}
[chains.all]
leaf = "b"
issuers = ["ica", "root"]
sends = ["ica", "root"]
names = ["*.example.com"]
common_name = true
[hosts.api]
names = ["api.example.com"]
serves = "plan"
[hosts.x]
names = ["x.example.com"]
serves = ["crossed", "partner"]
"""


def test_a_planned_chain_is_what_a_ca_would_issue(desk: Desk) -> None:
    chains = desk.open(TOP + PLANNED).inventory.chains
    plan = chains["plan"]
    assert plan.planned
    assert plan.leaf.matches(pin("b"))
    assert plan.leaf.key_type == "ec-p256"
    assert plan.leaf.dns_names == ("api.example.com",)
    assert (plan.leaf.not_before, plan.leaf.not_after) == (instant("2026-11-01"), instant("2026-12-01"))
    assert [c.label for c in plan.sent] == ["b", "ica"]
    assert may_have_issued(plan.sent[1], plan.leaf)


def test_the_cross_sign_that_leads_to_the_next_issuer_is_chosen(desk: Desk) -> None:
    chains = desk.open(TOP + PLANNED).inventory.chains
    assert [c.issuer for c in chains["crossed"].sent] == ["CN=other-root", "CN=root"]
    assert [c.label for c in chains["bare"].sent] == ["b"]


def test_an_authority_known_by_digest_gets_the_certificates_it_is_said_to_have(desk: Desk) -> None:
    inventory = desk.open(TOP + PLANNED).inventory
    (made,) = inventory.authorities["digest"]
    assert made.matches(pin("digest"))
    assert made.issuer == "CN=root"
    assert made.not_after == instant("2027-01-01")
    assert [c.label for c in inventory.chains["below-digest"].sent] == ["b", "digest"]


def test_a_key_nobody_named_is_nobodys_pin(desk: Desk) -> None:
    inventory = desk.open(TOP + PLANNED).inventory
    leaf = inventory.chains["partner"].leaf
    assert inventory.key_of(leaf) is None
    assert not any(leaf.matches(pin(name)) for name in ("a", "b", "root", "ica"))


def test_what_is_sent_and_which_names_it_is_for_can_be_said(desk: Desk) -> None:
    every = desk.open(TOP + PLANNED).inventory.chains["all"]
    assert [c.label for c in every.sent] == ["b", "ica", "root"]
    assert every.leaf.dns_names == ("*.example.com",)
    assert every.leaf.common_name == "*.example.com"


def test_labels_are_the_names_of_the_policy(desk: Desk) -> None:
    inventory = desk.open(TOP + PLANNED).inventory
    assert inventory.label(pin("a")) == "a"
    assert inventory.label(pin("root")) == "root"
    assert inventory.label(pin("stranger")) == pin_text("stranger")


def test_a_root_of_the_mozilla_bundle_is_found_by_its_name(desk: Desk) -> None:
    text = TOP + '[authorities]\nx1 = { bundled = "ISRG Root X1" }\n'
    (root,) = desk.open(text).inventory.authorities["x1"]
    assert root.self_signed
    (problem,) = desk.problems(TOP + '[authorities]\nx1 = { bundled = "ISRG Root X11" }\n')
    assert problem.path == "authorities.x1.bundled"
    assert problem.hint == "did you mean ISRG Root X1?"


@pytest.mark.parametrize(
    ("old", "new", "path", "word"),
    [
        (
            'root = { certificate = "root.pem" }',
            'root = { certificate = "a.pem" }',
            "root.certificate",
            "different keys",
        ),
        ('root = { certificate = "root.pem" }', 'root = { certificate = "leaf.pem" }', "root.certificate", "not a CA"),
        ('a = { certificate = "a.pem"', 'a = { certificate = "root.pem"', "keys.a.certificate", "CA's certificate"),
        ('b = { csr = "b.csr"', 'b = { certificate = "a.pem"', "keys.b", "key of another name"),
        (
            'ica = { certificate = "ica.pem" }',
            'ica = { certificate = "root.pem" }',
            "authorities.ica",
            "key of another name",
        ),
    ],
)
def test_what_cannot_be_put_together_is_told_by_its_place(desk: Desk, old: str, new: str, path: str, word: str) -> None:
    desk.file("leaf.pem", mint("lonely", names=["x.test"]).pem)
    problems = desk.problems(BASE.replace(old, new))
    assert any(p.path.endswith(path) and word in p.message for p in problems), [str(p) for p in problems]


def test_a_shipped_file_that_is_no_such_file_is_an_error_and_no_verdict(desk: Desk) -> None:
    desk.file("bad.xml", "nonsense")
    (problem,) = desk.problems(BASE + app("shop", "android-nsc", pinset="", more='config = "bad.xml"'))
    assert problem.path == "apps.shop.config"
    assert "not well-formed XML" in problem.message


def test_cross_signs_that_clients_may_have_help_the_attacker_and_leave_ours_in_doubt(desk: Desk) -> None:
    """`pki` names certificates that clients may build with though nobody sends them."""
    text = TOP + (
        '[keys]\na = { certificate = "a.pem" }\n[authorities]\nroot = { certificate = "root.pem" }\n'
        '[chains]\nlone = { file = "lone.pem" }\n[hosts.api]\nnames = ["api.example.com"]\nserves = "lone"\n'
        '[trust]\nours = { roots = ["root"] }\n[pinsets.p]\nprimary = "a"\n'
    )
    lone = (desk.folder / "a.pem").read_bytes().split(b"-----END CERTIFICATE-----\n")[
        0
    ] + b"-----END CERTIFICATE-----\n"
    desk.file("lone.pem", lone)
    text = text.replace('certificate = "a.pem"', 'certificate = "lone.pem"')
    assert row(desk.ask(text + app("s"), "key-compromise:a")).verdict is Verdict.BREAKS
    known = text.replace("[keys]", 'pki = ["ica.pem"]\n[keys]', 1)
    found = row(desk.ask(known + app("s"), "key-compromise:a"))
    assert (found.verdict, found.unsure) == (Verdict.LOST, True)
    blind = row(desk.ask(known + app("s", "curl"), "key-compromise:a"))
    assert (blind.verdict, blind.unsure) == (Verdict.LOST, False)  # the attacker sends the intermediate along


def test_a_backup_with_a_certificate_of_its_own_is_served_with_todays_intermediate(desk: Desk) -> None:
    lone = (desk.folder / "b.pem").read_bytes().split(b"-----END CERTIFICATE-----\n")[
        0
    ] + b"-----END CERTIFICATE-----\n"
    desk.file("b-lone.pem", lone)
    text = BASE.replace('b = { csr = "b.csr"', 'b = { certificate = "b-lone.pem"') + app("shop")
    answer = desk.ask(text, "serve:api:b")
    assert verdicts(answer) == {"shop": Verdict.OK}
    assert not any("assumed:" in note and "issuer" in note for note in answer.notes)


def test_a_key_without_a_chain_is_served_by_todays_issuer_and_that_is_said(desk: Desk) -> None:
    answer = desk.ask(BASE + app("shop"), "serve:api:b")
    assert verdicts(answer) == {"shop": Verdict.OK}
    assert any("b has no chain in the policy" in note and "ica" in note for note in answer.notes)


def test_a_key_is_served_with_the_chain_the_policy_has_for_it(desk: Desk) -> None:
    text = BASE.replace("[chains]\n", '[chains]\nb-chain = { file = "b.pem" }\n') + app("shop")
    answer = desk.ask(text, "serve:api:b")
    assert row(answer).ours.chain == "b-chain"
    assert not any("assumed: b" in note for note in answer.notes)


def test_a_planned_chain_served_early_is_issued_early_and_that_is_said(desk: Desk) -> None:
    text = BASE.replace(
        'a-chain = { file = "a.pem" }',
        'a-chain = { file = "a.pem" }\nnext = { leaf = "b", issuers = ["ica", "root"], not_before = 2027-01-20 }',
    )
    answer = desk.ask(text + app("shop"), "serve:api:next")
    assert verdicts(answer) == {"shop": Verdict.OK}
    assert any("earlier than planned" in note for note in answer.notes)
    by_key = desk.ask(text + app("shop"), "serve:api:b")
    assert by_key.impact.rows[0].ours.chain == "next"


def test_a_planned_chain_served_after_its_end_is_issued_then(desk: Desk) -> None:
    plan = 'old = { leaf = "b", issuers = ["ica", "root"], not_before = 2025-01-01, lifetime_days = 90 }'
    answer = desk.ask(BASE.replace("[chains]\n", f"[chains]\n{plan}\n") + app("shop"), "serve:api:old")
    assert verdicts(answer) == {"shop": Verdict.OK}
    assert any("later than planned" in note for note in answer.notes)


def test_a_host_that_serves_nothing_has_no_issuer_to_assume(desk: Desk) -> None:
    text = BASE.replace('serves = "a-chain"\n', "") + app("shop")
    with pytest.raises(UsageError, match="no issuer can be assumed"):
        desk.ask(text, "serve:api:b")


def test_files_that_are_not_there_are_told_by_their_place(desk: Desk) -> None:
    text = BASE.replace('"b.csr"', '"none.csr"').replace('"root.pem"', '"none.pem"') + app("shop")
    text += '[apps.x]\nmechanism = "okhttp"\nconfig = "none.json"\n'
    told = {p.path: p.message for p in desk.problems(text)}
    assert set(told) == {"keys.b.csr", "authorities.root.certificate", "apps.x.config"}
    assert all("cannot be read" in message for message in told.values())


def test_serving_an_expired_certificate_of_a_key_means_asking_for_a_new_one(desk: Desk) -> None:
    text = BASE.replace('b = { csr = "b.csr"', 'b = { certificate = "b.pem"') + app("shop")
    answer = desk.ask(text, "serve:api:b@2027-12-01")
    assert verdicts(answer) == {"shop": Verdict.OK}
    assert any("b has no chain in the policy" in note for note in answer.notes)
