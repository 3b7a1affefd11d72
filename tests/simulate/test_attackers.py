"""What each attacker can do, mechanism by mechanism: CAs, hostile pins, the wire without TLS, roots on devices."""

from __future__ import annotations

import pytest

from rotator.model.pki import may_have_issued
from rotator.model.verdicts import Reason, Verdict
from rotator.simulate.attacks import MAX_ORDERS, orders, public_end
from tests.desk import BASE, Desk, app, key_lines, row, verdicts
from tests.minting import chain_pem, instant, intermediate, mint, pin_b64, public_pem, root, values

OK, UNPINNED, BREAKS, EXPOSED, LOST = (
    Verdict.OK,
    Verdict.UNPINNED,
    Verdict.BREAKS,
    Verdict.EXPOSED,
    Verdict.LOST,
)
PINS = """\
[pinsets.top]
authorities = ["root"]
[pinsets.mid]
authorities = ["ica"]
[pinsets.cert]
certificates = ["a-chain"]
[pinsets.live]
primary = "a"
backups = ["b"]
delivery = "live"
[pinsets.wide]
primary = "a"
backups = ["b"]
authorities = ["root"]
[mechanisms.exact]
like = "curl"
object = "cert-sha256"
"""
LEVELS = app("leaf") + app("top", pinset="top") + app("mid", pinset="mid") + app("cert", "exact", pinset="cert")
TEXT = BASE + PINS + LEVELS + app("none", "none", pinset="")


def exposed(desk: Desk, text: str, *events: str, at: str = "") -> set[str]:
    """Give the apps that some events expose."""
    return {name for name, verdict in verdicts(desk.ask(text, *events, at=at)).items() if verdict.is_exposed}


# --- CAs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "who"),
    [
        ("ca-compromise:root", {"top", "none"}),
        ("ca-compromise:ica", {"top", "mid", "none"}),
        ("ca-compromise:other-root", {"none"}),
        ("mis-issue:api:root", {"top", "none"}),
        ("mis-issue:api:ica", {"top", "mid", "none"}),
        ("mis-issue:api:other-root", {"none"}),
        ("mis-issue:api", {"none"}),
    ],
)
def test_a_pin_on_a_ca_or_above_it_does_not_protect_against_that_ca(desk: Desk, event: str, who: set[str]) -> None:
    """A root may sign without the intermediate, so a pin on that protects against its root's mistakes."""
    assert exposed(desk, TEXT, event) == who


def test_the_reason_tells_a_stolen_ca_key_from_a_mistake(desk: Desk) -> None:
    stolen = desk.ask(BASE + PINS + app("top", pinset="top"), "ca-compromise:root")
    assert row(stolen).attacker_reason is Reason.CA_COMPROMISED
    mistake = desk.ask(BASE + PINS + app("top", pinset="top"), "mis-issue:api:root")
    assert row(mistake).attacker_reason is Reason.CA_MISISSUES
    refused = desk.ask(BASE + app("leaf"), "mis-issue:api")
    assert row(refused).attacker_reason is Reason.PIN_MISMATCH


def test_a_mistake_is_about_one_host(desk: Desk) -> None:
    two = BASE.replace("[trust]", '[hosts.www]\nnames = ["www.example.com"]\nserves = "a-chain"\n[trust]')
    answer = desk.ask(two + PINS + app("top", pinset="top"), "mis-issue:api:root")
    attacked = {r.connection.host: r.attacker is not None for r in answer.impact.rows}
    assert attacked == {"api": True, "www": False}
    anywhere = desk.ask(two + PINS + app("top", pinset="top"), "ca-compromise:root")
    assert all(r.verdict.is_exposed for r in anywhere.impact.rows)


def test_a_mistake_ends_with_its_certificate_and_a_stolen_ca_key_does_not(desk: Desk) -> None:
    """A public certificate lives 200 days at most from 2026-03-15, 100 from 2027-03-15 (ballot SC-081v3)."""
    assert public_end(instant("2026-12-01")) == instant("2027-06-19")
    assert public_end(instant("2027-03-15")) == instant("2027-06-23")
    assert public_end(instant("2026-03-14")) == instant("2027-04-16")
    last = exposed(desk, TEXT, "mis-issue:api@2026-12-01", at="2027-06-19")
    assert last == {"none"}
    assert exposed(desk, TEXT, "mis-issue:api@2026-12-01", at="2027-06-19T00:00:01Z") == set()
    assert "none" in exposed(desk, TEXT, "ca-compromise:root@2026-12-01", at="2029-01-01")


def test_the_end_of_a_mistake_is_a_day_of_its_own(desk: Desk) -> None:
    answer = desk.ask(TEXT, "mis-issue:api@2026-12-01", at="2027-06-15", until="2027-06-25")
    exposed_on = [day.day.date().isoformat() for day in answer.days if day.totals["exposed"].high]
    assert exposed_on[-1] == "2027-06-19"


def test_distrust_ends_it_but_not_for_leaves_that_are_backdated(desk: Desk) -> None:
    assert exposed(desk, TEXT, "ca-compromise:root", "ca-distrust:root") == set()
    after = "ca-distrust:root?issued-after=2026-11-01"
    assert exposed(desk, TEXT, "mis-issue:api:root", after) == set()
    assert exposed(desk, TEXT, "ca-compromise:root", after) == {"top", "none"}


def test_a_compromised_ca_that_has_ended_signs_for_nobody(desk: Desk) -> None:
    assert exposed(desk, TEXT, "ca-compromise:ica", "expire:ica") == set()


def test_what_is_sent_along_fools_only_clients_that_compare_what_is_sent(desk: Desk) -> None:
    """The attacker's chain with the pinned certificates appended (CVE-2016-2402)."""
    text = (
        BASE + PINS + app("built", pinset="mid") + app("sent", "go-sent", pinset="mid") + app("any", "go", pinset="mid")
    )
    assert exposed(desk, text, "mis-issue:api") == {"sent"}


def test_a_client_without_path_check_falls_to_whoever_holds_a_pinned_ca_key(desk: Desk) -> None:
    """A leaf pin on the CA's own key matches nothing of ours, and everything of the thief."""
    text = BASE + PINS + app("odd", "dotnet", pinset="mid")
    assert row(desk.ask(text, "ca-compromise:ica")).verdict is LOST
    assert row(desk.ask(text, "mis-issue:api:ica")).verdict is BREAKS


def test_a_store_that_holds_only_roots_of_ours_trusts_no_public_ca(desk: Desk) -> None:
    ours = 'other-root = { certificate = "other-root.pem" }'
    text = BASE.replace('root = { certificate = "root.pem" }', 'root = { certificate = "root.pem", holder = "ours" }')
    text = text.replace(ours, ours.replace(" }", ', holder = "ours" }'))
    assert exposed(desk, text + app("none", "none", pinset=""), "mis-issue:api") == set()
    assert exposed(desk, BASE + app("none", "none", pinset=""), "mis-issue:api") == {"none"}


def test_a_stolen_backup_becomes_dangerous_with_a_mistake_of_any_ca(desk: Desk) -> None:
    text = BASE + app("shop")
    assert exposed(desk, text, "key-compromise:b") == set()
    both = desk.ask(text, "mis-issue:api", "key-compromise:b")
    assert row(both).verdict is EXPOSED
    assert not any(note.startswith("needs-certificate") for note in both.notes)
    assert exposed(desk, text, "mis-issue:api") == set()


def test_a_ca_known_by_its_key_alone_is_taken_to_be_trusted(desk: Desk) -> None:
    text = BASE.replace("[chains]", key_lines(("vendor",)) + "[chains]") + '[pinsets.v]\nauthorities = ["vendor"]\n'
    for event in ("ca-compromise:vendor", "mis-issue:api:vendor"):
        answer = desk.ask(text + app("shop", pinset="v"), event)
        assert row(answer).verdict is LOST
        assert any("nothing says who signed vendor" in note for note in answer.notes)


def test_a_ca_that_may_sign_for_one_name_only_gets_that_one_attacked(desk: Desk) -> None:
    """The attacker asks for one name at a time, so a constraint on the host's other names is no help."""
    top = root("narrow-root")
    narrow = mint(
        "narrow", top, ca=True, not_before="2022-01-01", not_after="2035-01-01", permitted=["api.example.com"]
    )
    desk.file("narrow-root.pem", top.pem)
    desk.file("narrow.pem", narrow.pem)
    text = BASE.replace(
        "[chains]",
        'narrow-root = { certificate = "narrow-root.pem" }\nnarrow = { certificate = "narrow.pem" }\n[chains]',
    )
    text = text.replace('"other-root"]', '"other-root", "narrow-root"]')
    text = text.replace('names = ["api.example.com"]', 'names = ["api.example.com", "img.example.com"]')
    text += '[pinsets.n]\nauthorities = ["narrow"]\n' + app("shop", pinset="n")
    assert exposed(desk, text, "ca-compromise:narrow") == {"shop"}


@pytest.mark.parametrize("files", ['["icao.pem", "ica.pem"]', '["ica.pem", "icao.pem"]'])
@pytest.mark.parametrize("event", ["ca-compromise:ica", "mis-issue:api:ica"])
def test_the_attacker_sends_the_certificates_of_a_cross_signed_ca_in_the_order_that_helps(
    desk: Desk, event: str, files: str
) -> None:
    """These clients compare one path, and which one depends on what is sent first."""
    desk.file("icao.pem", intermediate("ica", root("other-root")).pem)
    text = BASE.replace('ica = { certificate = "ica.pem" }', f"ica = {{ certificate = {files} }}") + PINS
    who = {name: app(name, name, pinset="top") for name in ("android-nsc", "okhttp", "apple-ats", "go")}
    assert exposed(desk, text + "".join(who.values()), event) == set(who)


def test_a_thief_sends_the_intermediates_of_an_existing_chain_in_another_order_or_not_at_all(desk: Desk) -> None:
    """What is served leads to the distrusted root first, and breaks; the thief leaves that certificate out."""
    mine, other = intermediate("ica", root("root")), intermediate("ica", root("other-root"))
    desk.file("two.pem", chain_pem(mint("a", mine, names=["api.example.com"]), other, mine))
    text = BASE.replace('file = "a.pem"', 'file = "two.pem"').replace('certificate = "a.pem"', 'public_key = "a.pub"')
    desk.file("a.pub", public_pem("a"))
    text += app("shop", "curl")
    assert row(desk.ask(text, "ca-distrust:other-root")).verdict is BREAKS
    assert row(desk.ask(text, "ca-distrust:other-root", "key-compromise:a")).verdict is LOST


def test_a_tangle_of_cross_signs_gives_the_attacker_a_bounded_number_of_chains() -> None:
    tops = [root(f"top {number}") for number in range(4)]
    above = [intermediate(f"mid {n}", top, key_name=f"mid {n}") for n in range(4) for top in tops]
    above += [intermediate(f"mid {n}", above[4 * m]) for n in range(4) for m in range(4) if m != n]
    leaf, *rest = values(mint("a", above[0], names=["api.example.com"]), *above)
    assert len(list(orders(leaf, tuple(rest)))) == MAX_ORDERS
    assert {sent[1] for sent in orders(leaf, tuple(rest)) if len(sent) == 2} == {
        c for c in rest if may_have_issued(c, leaf)
    }


def test_a_host_that_is_an_address_is_attacked_like_any_other(desk: Desk) -> None:
    text = BASE.replace('names = ["api.example.com"]', 'names = ["192.0.2.7"]') + app("none", "none", pinset="")
    assert exposed(desk, text, "mis-issue:api") == {"none"}


# --- pins that an attacker writes ------------------------------------------------------------------------------------


def test_hostile_pins_take_live_pins_over_and_leave_those_of_a_release(desk: Desk) -> None:
    text = BASE + PINS + app("live", pinset="live") + app("fixed")
    answer = desk.ask(text, "hostile-pins:api")
    assert verdicts(answer) == {"live": LOST, "fixed": OK}
    assert (row(answer, "live").reason, row(answer, "live").attacker_reason) == (
        Reason.HOSTILE_PINS,
        Reason.HOSTILE_PINS,
    )


def test_whoever_controls_a_host_has_any_public_ca_certify_it_even_the_pinned_one(desk: Desk) -> None:
    """A pin on a CA does not stop a certificate for whoever controls the name."""
    assert exposed(desk, TEXT, "hostile-pins:api") == {"top", "mid", "none"}


def test_a_hostile_header_is_taken_only_over_a_connection_the_pins_accept(desk: Desk) -> None:
    text = BASE + PINS + app("leaf", "hpkp") + app("wide", "hpkp", pinset="wide") + app("fresh", "hpkp", pinset="")
    answer = desk.ask(text, "hostile-pins:api")
    assert verdicts(answer) == {"leaf": OK, "wide": LOST, "fresh": LOST}
    assert row(answer, "fresh").reason is Reason.HOSTILE_PINS
    stolen = desk.ask(text, "hostile-pins:api", "key-compromise:a")
    assert verdicts(stolen)["leaf"] is LOST


def test_a_hostile_header_outlives_the_certificate_it_came_with(desk: Desk) -> None:
    text = BASE + PINS + app("fresh", "hpkp", pinset="")
    later = desk.ask(text, "hostile-pins:api@2026-12-01", at="2027-08-01")
    assert row(later).reason is Reason.HOSTILE_PINS


@pytest.mark.parametrize(
    "later",
    [
        ("ca-distrust:root@2026-12-03",),
        ("expire:root@2026-12-03",),
        ("wrong-pin:wide@2026-12-03",),
        ("ca-distrust:root@2026-12-03", "renew:api:same-key@2026-12-04"),
    ],
)
def test_a_hostile_header_once_taken_stays_whatever_becomes_of_its_ca_or_of_our_pins(
    desk: Desk, later: tuple[str, ...]
) -> None:
    """It was accepted when it came; what the client would say of that connection today does not matter."""
    text = (
        BASE.replace("[hosts.api]", 'moved = { file = "a-by-other.pem" }\n[hosts.api]')
        + PINS
        + app("h", "hpkp", pinset="wide")
    )
    taken = ("hostile-pins:api@2026-12-01", "ca-change:api:moved@2026-12-02", *later)
    assert row(desk.ask(text, *taken, at="2026-12-05")).reason is Reason.HOSTILE_PINS


def test_a_header_that_was_refused_when_it_came_is_taken_once_the_attacker_holds_a_pinned_key(desk: Desk) -> None:
    text = BASE + app("h", "hpkp")
    events = ["hostile-pins:api@2026-12-01", "key-compromise:a@2026-12-03", "ca-distrust:root@2026-12-05"]
    events += ["ca-distrust:other-root@2026-12-05"]
    assert row(desk.ask(text, *events, at="2026-12-02")).verdict is OK
    assert row(desk.ask(text, *events, at="2026-12-04")).reason is Reason.HOSTILE_PINS
    later = row(desk.ask(text, *events, at="2026-12-06"))
    assert later.ours.judgement.reason is Reason.HOSTILE_PINS


@pytest.mark.parametrize("before", ["ca-distrust:root", "expire:root", "wrong-pin:wide"])
def test_a_hostile_header_is_not_taken_over_what_had_ended_when_it_came(desk: Desk, before: str) -> None:
    text = BASE + PINS + app("h", "hpkp", pinset="wide")
    answer = desk.ask(text, f"{before}@2026-12-01", "hostile-pins:api@2026-12-02", at="2026-12-03")
    assert row(answer).reason is not Reason.HOSTILE_PINS


def test_publishing_our_live_pins_again_mends_what_an_attacker_wrote(desk: Desk) -> None:
    text = BASE + PINS + app("live", pinset="live")
    answer = desk.ask(text, "hostile-pins:api@2026-12-01", "publish:live:live@2026-12-02", at="2026-12-03")
    assert row(answer).verdict is OK
    before = desk.ask(text, "publish:live:live@2026-12-01", "hostile-pins:api@2026-12-02", at="2026-12-03")
    assert row(before).verdict is LOST


# --- the wire without TLS --------------------------------------------------------------------------------------------

NSC = """<network-security-config>
<base-config cleartextTrafficPermitted="{base}"/>
<domain-config{own}><domain includeSubdomains="true">example.com</domain>
<pin-set><pin digest="SHA-256">{a}</pin><pin digest="SHA-256">{b}</pin></pin-set></domain-config>
</network-security-config>"""


def nsc_app(name: str, file: str) -> str:
    """Write an Android app that shipped with a file."""
    return app(name, "android-nsc", pinset="", more=f'config = "{file}"')


def test_stripping_exposes_clients_that_allow_it_and_no_others(desk: Desk) -> None:
    pins = {"a": pin_b64("a"), "b": pin_b64("b")}
    desk.file("yes.xml", NSC.format(base="true", own="", **pins))
    desk.file("no.xml", NSC.format(base="false", own="", **pins))
    desk.file("own.xml", NSC.format(base="true", own=' cleartextTrafficPermitted="false"', **pins))
    text = BASE + nsc_app("yes", "yes.xml") + nsc_app("no", "no.xml") + nsc_app("own", "own.xml")
    text += app("default", "android-nsc") + app("ats", "apple-ats")
    answer = desk.ask(text, "strip:api")
    assert verdicts(answer) == {"yes": EXPOSED, "no": OK, "own": OK, "default": OK, "ats": OK}
    assert row(answer, "yes").attacker_reason is Reason.CLEARTEXT_ALLOWED
    assert not row(answer, "yes").unsure


def test_an_apple_plist_says_where_loads_without_tls_are_allowed(desk: Desk) -> None:
    def plist(security: str) -> str:
        return (
            '<?xml version="1.0"?><plist version="1.0"><dict><key>NSAppTransportSecurity</key><dict>'
            f"{security}<key>NSPinnedDomains</key><dict><key>example.com</key><dict><key>NSIncludesSubdomains</key><true/>"
            "<key>NSPinnedLeafIdentities</key><array><dict><key>SPKI-SHA256-BASE64</key>"
            f"<string>{pin_b64('a')}</string></dict></array></dict></dict></dict></dict></plist>"
        )

    everywhere = "<key>NSAllowsArbitraryLoads</key><true/>"
    own = "<key>NSExceptionDomains</key><dict><key>api.example.com</key><dict>{}</dict></dict>"
    allowed = own.format("<key>NSExceptionAllowsInsecureHTTPLoads</key><true/>")
    texts = {"all": everywhere, "one": allowed, "but": everywhere + own.format(""), "plain": ""}
    text = BASE
    for name, security in texts.items():
        desk.file(f"{name}.plist", plist(security))
        text += app(name, "apple-ats", pinset="", more=f'config = "{name}.plist"')
    assert exposed(desk, text, "strip:api") == {"all", "one"}


def test_where_nothing_says_it_the_worse_counts_and_the_policy_can_say_it(desk: Desk) -> None:
    text = (
        BASE
        + app("job", "curl")
        + app("tls", "curl", more="cleartext = false")
        + app("open", "curl", more="cleartext = true")
    )
    answer = desk.ask(text, "strip:api")
    assert verdicts(answer) == {"job": EXPOSED, "tls": OK, "open": EXPOSED}
    assert [row(answer, name).unsure for name in ("job", "open")] == [True, False]
    assert (answer.impact.exposed.low, answer.impact.exposed.high) == (1000, 2000)


def test_one_guard_that_refuses_cleartext_is_enough(desk: Desk) -> None:
    text = BASE + app("both", "okhttp").replace('"okhttp"', '["android-nsc", "okhttp"]')
    assert exposed(desk, text, "strip:api") == set()


def test_doubt_about_stripping_is_no_doubt_about_breaking(desk: Desk) -> None:
    """Two questions, each with doubts of its own."""
    answer = desk.ask(BASE + PINS + app("job", "curl", pinset="mid"), "strip:api")
    assert row(answer).verdict is LOST
    assert (answer.impact.broken.low, answer.impact.exposed.low) == (1000, 0)


# --- roots on devices ------------------------------------------------------------------------------------------------

DEVICES = app("holds") + app("bypass", "hpkp") + app("deaf", "android-nsc") + app("open", "none", pinset="")


def test_a_local_root_exposes_clients_that_let_it_pass(desk: Desk) -> None:
    for name, verdict in {"holds": OK, "bypass": EXPOSED, "deaf": OK, "open": EXPOSED}.items():
        answer = desk.ask(BASE + DEVICES, f"local-root:{name}")
        assert row(answer, name).verdict is verdict, name
        assert {r.connection.cohort.app for r in answer.impact.rows if r.attacker} == {name}
    assert row(answer, "open").attacker_reason is Reason.LOCAL_ROOT_BYPASS


def test_a_proxy_that_signs_everything_breaks_clients_whose_pins_hold(desk: Desk) -> None:
    found = {}
    for name in ("holds", "bypass", "deaf", "open"):
        answer = desk.ask(BASE + DEVICES, f"local-root:{name}?intercepts=yes")
        found[name] = (row(answer, name).verdict, row(answer, name).reason)
    assert found == {
        "holds": (BREAKS, Reason.PIN_MISMATCH),
        "bypass": (EXPOSED, Reason.LOCAL_ROOT_BYPASS),
        "deaf": (BREAKS, Reason.NO_PATH),
        "open": (EXPOSED, Reason.NO_PINS),
    }


def test_a_local_root_is_installed_where_the_event_says(desk: Desk) -> None:
    text = BASE + '[apps.web]\nmechanism = "none"\ntrust = { ours = 0.5, mozilla = 0.5 }\n'
    text = text.replace("[trust]", "[trust]\nmozilla = {}\n") + (
        'releases = [ { version = "2", also = ["2.1"], clients = 10 }, { version = "1", clients = 10 } ]\n'
    )
    for subject, count in {"web": 4, "web/2": 2, "web/2.1": 2, "web/1/ours": 1, "web//ours": 2}.items():
        answer = desk.ask(text, f"local-root:{subject}")
        assert sum(r.attacker is not None for r in answer.impact.rows) == count, subject


def test_a_thief_on_the_client_side_of_a_proxy_is_not_stopped_by_it(desk: Desk) -> None:
    """The proxy would re-sign the stolen certificate, which the pins refuse; the wire before it needs no proxy."""
    text = BASE.replace(
        "[trust]",
        '[trust]\nproxied = { roots = ["root"], local_roots = ["other-root"], intercepted_by = "other-root" }\n',
    )
    answer = desk.ask(text + app("shop").replace('"ours"', '"proxied"'), "key-compromise:a")
    assert row(answer).verdict is LOST


# --- records in the DNS ----------------------------------------------------------------------------------------------


def test_a_record_on_the_leaf_needs_no_certificate_of_a_ca(desk: Desk) -> None:
    """DANE-EE looks at nothing but the key, so a stolen backup that is published already is enough."""
    records = "_443._tcp.api.example.com. 3600 IN TLSA 3 1 1 {}\n"
    from tests.minting import pin

    desk.file("api.tlsa", "".join(records.format(pin(name).digest.hex()) for name in ("a", "b")))
    text = BASE + app("mail", "dane", pinset="", more='config = "api.tlsa"')
    assert verdicts(desk.ask(text)) == {"mail": OK}
    assert exposed(desk, text, "key-compromise:b") == {"mail"}
    assert exposed(desk, text, "mis-issue:api") == set()
    assert row(desk.ask(text, "hostile-pins:api")).verdict is LOST
