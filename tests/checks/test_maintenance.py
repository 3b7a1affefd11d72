"""What ordinary maintenance breaks, and whom the pins depend on."""

from __future__ import annotations

from rotator.model.findings import Finding, Severity
from rotator.model.verdicts import Verdict
from tests.checks.test_facts import encrypt, policy
from tests.desk import BASE, Desk, app, row
from tests.minting import instant, intermediate, mint, pin_b64, pin_text, root

C_CHAIN = BASE.replace("[hosts.api]", 'c-chain = { file = "c.pem" }\n[hosts.api]')


def found(desk: Desk, text: str, finding: str, at: str = "2026-11-23T09:00:00") -> list[Finding]:
    return [f for f in desk.check(text, instant(at)).findings if f.id == finding]


# --- our own plans ----------------------------------------------------------------------------------------------------


def planned(chain: str, date: str = "2026-12-24") -> str:
    return C_CHAIN + app("shop") + f'[[calendar]]\ndate = {date}\naction = "serve:api:{chain}"\n'


def test_a_plan_that_breaks_is_told_with_its_day_and_its_clients(desk: Desk) -> None:
    (told,) = found(desk, planned("c-chain"), "planned-break")
    assert told.severity is Severity.ERROR
    assert told.subject == "calendar[0]"
    assert told.message == "2026-12-24: serve:api:c-chain breaks shop (ours) (1,000 clients, pin-mismatch)"
    assert told.due is not None
    assert told.due.isoformat() == "2026-12-24"


def test_a_far_plan_is_a_warning_and_a_sound_one_nothing(desk: Desk) -> None:
    (told,) = found(desk, planned("c-chain", "2027-06-01"), "planned-break")
    assert told.severity is Severity.WARNING
    assert found(desk, planned("c-chain", "2029-06-01"), "planned-break") == []
    assert found(desk, planned("a-chain"), "planned-break") == []


def test_only_what_the_plan_adds_is_told(desk: Desk) -> None:
    """An app that is refused today already is not broken by the plan."""
    text = planned("c-chain") + '[pinsets.late]\nprimary = "b"\n' + app("gone", pinset="late")
    (told,) = found(desk, text, "planned-break")
    assert "gone" not in told.message


def test_releases_that_pin_alike_are_counted_together(desk: Desk) -> None:
    """And one with other pins, which holds, is not."""
    releases = "".join(f'{{ version = "{n}", pinset = "p", clients = {n}00 }}, ' for n in (1, 2, 3))
    sound = '{ version = "4", pinset = "both", clients = 400 }'
    text = C_CHAIN.replace("[keys]", '[keys]\nc = { certificate = "c.pem" }') + (
        '[pinsets.both]\nprimary = "a"\nbackups = "c"\n'
        f'[apps.shop]\nmechanism = "okhttp"\ntrust = "ours"\nreleases = [{releases}{sound}]\n'
        '[[calendar]]\ndate = 2026-12-24\naction = "serve:api:c-chain"\n'
    )
    (told,) = found(desk, text, "planned-break")
    assert "breaks shop 1 (ours), shop 2 (ours), shop 3 (ours) (600 clients, pin-mismatch)" in told.message


# --- renewals ---------------------------------------------------------------------------------------------------------


def renewing(how: str, pinset: str = "p") -> str:
    host = f'serves = "a-chain"\nrenew_key = "{how}"'
    return BASE.replace('serves = "a-chain"', host) + app("shop", pinset=pinset)


def test_a_renewal_with_a_new_key_that_nobody_pins_is_told(desk: Desk) -> None:
    (told,) = found(desk, renewing("new"), "renewal-breaks")
    assert "the next renewal of api, by 2027-09-30, with a new key breaks shop" in told.message
    assert told.severity is Severity.WARNING
    assert found(desk, renewing("same"), "renewal-breaks") == []
    assert found(desk, BASE + app("shop"), "renewal-breaks") == []


def test_a_shipped_file_with_a_whole_certificate_breaks_with_the_same_key(desk: Desk) -> None:
    leaf = mint("a", intermediate("ica", root("root")), names=["api.example.com"])
    desk.file("fp.txt", leaf.x509.fingerprint(leaf.x509.signature_hash_algorithm).hex())  # type: ignore[arg-type]
    shipped = 'config = "fp.txt"'
    text = BASE.replace('serves = "a-chain"', 'serves = "a-chain"\nrenew_key = "same"')
    (told,) = found(desk, text + app("job", "urllib3", pinset="", more=shipped), "renewal-breaks")
    assert "with the same key breaks job" in told.message


# --- issuers ----------------------------------------------------------------------------------------------------------


def pooled(pool: str, pins: str, more: str = "") -> str:
    text = policy(pins=pins, host=f"issuer_pool = {pool}\nrenew_days = 60{more}")
    second = f'second = {{ spki = "{pin_text("second")}", issued_by = ["top"] }}\n'
    third = f'third = {{ spki = "{pin_text("third")}", issued_by = ["g2"] }}\n'
    third += 'g2 = { bundled = "DigiCert Global Root G2" }\n'
    return text.replace("[chains]", second + third + "[chains]")


def test_a_pool_is_told_with_its_odds_per_renewal_and_per_year(desk: Desk) -> None:
    (told,) = found(desk, pooled('["ica", "second"]', 'authorities = ["ica"]'), "issuer-not-pinned")
    assert told.subject == "hosts.api.issuer_pool"
    assert told.message.startswith(
        "second may issue the next certificate of api, and shop (1,000 clients) would refuse it: "
    )
    assert "50% at each renewal, 98% within a year (6 renewals)" in told.message


def test_odds_that_are_stated_are_taken(desk: Desk) -> None:
    (told,) = found(desk, pooled("{ ica = 0.9, second = 0.1 }", 'authorities = ["ica"]'), "issuer-not-pinned")
    assert "10% at each renewal, 47% within a year" in told.message


def test_pins_that_cover_every_ca_of_the_pool_are_sound(desk: Desk) -> None:
    assert found(desk, pooled('["ica", "second"]', 'authorities = ["top"]'), "issuer-not-pinned") == []
    assert found(desk, pooled('["ica", "second"]', 'authorities = ["ica", "second"]'), "issuer-not-pinned") == []
    (told,) = found(desk, pooled('["ica", "third"]', 'authorities = ["top"]'), "issuer-not-pinned")
    assert told.message.startswith("third may issue")
    assert found(desk, pooled('["ica", "third"]', 'authorities = ["top", "g2"]'), "issuer-not-pinned") == []


def test_a_key_of_ones_own_does_not_mind_who_issues(desk: Desk) -> None:
    assert found(desk, pooled('["ica", "third"]', 'primary = "a"\nbackups = "b"'), "issuer-not-pinned") == []


def test_an_intermediate_of_somebody_else_is_told_unless_the_pool_is_known(desk: Desk) -> None:
    (told,) = found(desk, encrypt(), "intermediate-pinned")
    assert "1,000 clients accept api by the pin of ica alone" in told.message
    assert found(desk, pooled('["ica"]', 'authorities = ["ica"]'), "intermediate-pinned") == []
    assert found(desk, policy(pins='authorities = ["ica", "top"]'), "intermediate-pinned") == []
    assert found(desk, policy(pins='primary = "a"\nauthorities = ["ica"]'), "intermediate-pinned") == []
    assert found(desk, policy(ica=', holder = "ours"', pins='authorities = ["ica"]'), "intermediate-pinned") == []


def test_pins_of_one_ca_only_are_told(desk: Desk) -> None:
    (told,) = found(desk, encrypt(), "one-ca")
    assert "every pin that shop has for api is a key of Let's Encrypt" in told.message
    (both,) = found(desk, policy(pins='authorities = ["ica", "top"]'), "one-ca")
    assert "Internet Security Research Group" in both.message
    assert found(desk, pooled('["ica"]', 'authorities = ["top", "g2"]'), "one-ca") == []
    assert found(desk, policy(pins='primary = "a"\nauthorities = ["ica"]'), "one-ca") == []


# --- ends of CA certificates ------------------------------------------------------------------------------------------


def crossed(desk: Desk, *, old_end: str, builder: str = "", roots: str = '["old", "new"]') -> str:
    """Write a host under a root that an old one cross-signed, which ends soon."""
    old = root("old", not_after=old_end)
    new = root("new")
    cross = mint("new", old, key_name="new", ca=True, not_before="2022-01-01", not_after=old_end)
    issuing = intermediate("issuing", new)
    leaf = mint("a", issuing, names=["api.example.com"])
    for name, made in (("old", old), ("new", new), ("cross", cross)):
        desk.file(f"{name}.pem", made.pem)
    desk.file("full.pem", leaf.pem + issuing.pem + cross.pem)
    return (
        'schema = 1\n[keys]\na = { certificate = "full.pem" }\n[authorities]\nold = { certificate = "old.pem" }\n'
        'new = { certificate = ["new.pem", "cross.pem"] }\n[chains]\nnow = { file = "full.pem" }\n'
        f'[hosts."api.example.com"]\nserves = "now"\n[trust.own]\nroots = {roots}\n{builder}'
        '[apps.shop]\nmechanism = "client"\ntrust = "own"\nclients = 70\n'
    )


CLIENT = '[mechanisms.client]\nlike = "go"\n'


def test_a_root_that_ends_is_told_where_there_is_no_other_path(desk: Desk) -> None:
    (told,) = found(desk, crossed(desk, old_end="2027-02-01", builder=CLIENT, roots='["old"]'), "authority-ends")
    assert told.severity is Severity.ERROR
    assert "ends on 2027-02-01, and shop (own) (70 clients, " in told.message
    assert "the root old" in told.message
    assert "new as signed by old" in told.message


def test_clients_with_another_path_do_not_mind(desk: Desk) -> None:
    assert found(desk, crossed(desk, old_end="2027-02-01", builder=CLIENT), "authority-ends") == []


def test_an_end_beyond_the_horizon_is_not_told(desk: Desk) -> None:
    text = crossed(desk, old_end="2029-02-01", builder=CLIENT, roots='["old"]')
    assert found(desk, text, "authority-ends") == []


def test_a_store_that_does_not_mind_ends_does_not_break(desk: Desk) -> None:
    text = crossed(desk, old_end="2027-02-01", builder=CLIENT, roots='["old"]\naccepts_expired_roots = true')
    (told,) = found(desk, text, "authority-ends")
    assert "new as signed by old" in told.message  # the cross-sign itself is no anchor and does end


# --- revocation -------------------------------------------------------------------------------------------------------


def test_a_revocation_breaks_pins_on_whole_certificates_only(desk: Desk) -> None:
    text = policy(pins='certificates = ["now"]', mechanism="urllib3")
    (told,) = found(desk, text, "revocation-breaks")
    assert told.severity is Severity.ERROR
    assert "24 hours or 5 days" in told.message
    assert "breaks shop (1,000 clients, pin-mismatch)" in told.message
    assert found(desk, policy(pins='primary = "a"'), "revocation-breaks") == []
    assert (
        found(desk, text.replace('serves = "now"', 'serves = "now"\ncontrol = "third-party"'), "revocation-breaks")
        == []
    )


def test_a_swap_slower_than_the_clock_is_told(desk: Desk) -> None:
    slow = policy().replace("[keys]", "[limits]\ndeploy_days = 2\n[keys]")
    (told,) = found(desk, slow, "slower-than-revocation")
    assert "takes 48 hours to reach every edge, and a CA must revoke within 24" in told.message
    assert found(desk, policy(), "slower-than-revocation") == []


# --- channels ---------------------------------------------------------------------------------------------------------


def test_live_pins_that_nothing_signs_are_told(desk: Desk) -> None:
    live = 'primary = "a"\nbackups = "b"\ndelivery = "live"'
    (told,) = found(desk, policy(pins=live), "unsigned-live-pins")
    assert told.subject == "pinsets.p"
    assert found(desk, policy(pins=live + '\nsigned_by = "b"'), "unsigned-live-pins") == []


def test_a_memory_longer_than_sixty_days_is_told(desk: Desk) -> None:
    pins = 'primary = "a"\nbackups = "b"\nmax_age_days = '
    (told,) = found(desk, policy(pins=pins + "365", mechanism="hpkp"), "long-max-age")
    assert "for 365 days after the last visit" in told.message
    assert found(desk, policy(pins=pins + "60", mechanism="hpkp"), "long-max-age") == []


def test_pins_that_a_host_hands_out_itself_are_told(desk: Desk) -> None:
    """Pins that ship with a release are not taken from the host."""
    pins = 'primary = "a"\nbackups = "b"'
    (told,) = found(desk, policy(pins=pins, mechanism="hpkp"), "pins-from-the-host")
    assert told.subject == "hosts.api"
    assert "shop (1,000 clients)" in told.message
    assert found(desk, policy(pins=pins), "pins-from-the-host") == []


ON_CHAIN = BASE.replace('backups = ["b"]', 'authorities = ["ica"]')


def test_a_header_all_of_whose_pins_are_served_is_ignored(desk: Desk) -> None:
    """RFC 7469, 2.5: without the pin of a spare key a browser keeps nothing, so it is unpinned."""
    (told,) = found(desk, ON_CHAIN + app("shop", "hpkp"), "header-ignored")
    assert told.subject == "pinsets.p: api"
    assert row(desk.ask(ON_CHAIN + app("shop", "hpkp"))).verdict is Verdict.UNPINNED
    assert row(desk.ask(ON_CHAIN + app("shop", "android-nsc"))).verdict is Verdict.OK
    assert found(desk, BASE + app("shop", "hpkp"), "header-ignored") == []
    assert row(desk.ask(BASE + app("shop", "hpkp"))).verdict is Verdict.OK


def test_a_header_with_no_pin_of_what_is_served_is_ignored(desk: Desk) -> None:
    """RFC 7469, 2.5: a browser keeps it only where a pin is of the chain, so nobody is refused and nobody protected."""
    text = BASE.replace('file = "a.pem"', 'file = "c.pem"') + app("shop", "hpkp")
    (told,) = found(desk, text, "header-ignored")
    assert told.subject == "pinsets.p: api"
    assert "no pin is of the chain that api serves" in told.message
    assert row(desk.ask(text)).verdict is Verdict.UNPINNED
    assert row(desk.ask(text.replace('"hpkp"', '"android-nsc"'))).verdict is Verdict.BREAKS


def test_a_header_that_one_of_two_chains_fits_is_kept(desk: Desk) -> None:
    """A visitor who met the chain that fits keeps the pins, and is refused by the other one."""
    both = 'other = { file = "c.pem" }\n[hosts.api]\nserves = ["a-chain", "other"]'
    text = BASE.replace('serves = "a-chain"\n', "").replace("[hosts.api]", both) + app("shop", "hpkp")
    assert found(desk, text, "header-ignored") == []
    assert row(desk.ask(text)).verdict is Verdict.BREAKS


def test_a_shipped_header_all_of_whose_pins_are_served_is_ignored(desk: Desk) -> None:
    pins = f'max-age=5000; pin-sha256="{pin_b64("a")}"; pin-sha256="{pin_b64("root")}"'
    desk.file("pins.txt", pins)
    text = BASE + app("shop", "hpkp", pinset="", more='config = "pins.txt"')
    (told,) = found(desk, text, "header-ignored")
    assert told.subject == "apps.shop.config: api"
    assert row(desk.ask(text)).verdict is Verdict.UNPINNED
    desk.file("pins.txt", f'{pins}; pin-sha256="{pin_b64("b")}"')
    assert found(desk, text, "header-ignored") == []
    assert row(desk.ask(text)).verdict is Verdict.OK


def test_a_header_of_one_pin_is_none(desk: Desk) -> None:
    text = BASE.replace('backups = ["b"]\n', "") + app("shop", "hpkp")
    assert row(desk.ask(text)).verdict is Verdict.UNPINNED
    assert found(desk, text, "config-rejected") == []
    (told,) = found(desk, text, "too-few-pins")
    assert "nothing is pinned" in told.message
