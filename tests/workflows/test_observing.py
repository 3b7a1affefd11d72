"""What hosts really serve: on a farm of servers on loopback, and from files."""

from __future__ import annotations

import argparse
import io
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rotator.checks.sightings import REUSE_HINT
from rotator.cli.commands.observe import observe
from rotator.cli.console import Console
from rotator.cli.main import main
from rotator.cli.parser import parser
from rotator.errors import UsageError
from rotator.files.policy_toml import read_policy
from rotator.model.findings import Finding
from rotator.model.sightings import Fault
from rotator.workflows.observing import Observed, Wish, keep, look
from rotator.workflows.opening import open_policy
from tests.cli.conftest import ENVIRON, Run, run
from tests.desk import BASE, NOW, TODAY, Desk, app
from tests.docs.test_docs_samples import valid
from tests.farm import (
    BIND,
    CONNECT,
    Farm,
    ec,
    flood,
    garbage,
    half_way,
    hang_up,
    plain_http,
    reset,
    rsa_leaf,
    too_old,
)
from tests.minting import Minted, chain_pem, intermediate, mint, root

__all__ = ["run"]
ICA = intermediate("ica", root("root"))
GUARD = 60
"""Seconds after which a look hangs; every handshake in it may take one."""


@pytest.fixture
def farm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Farm]:
    """Give a farm, with sockets for loopback only."""

    def connect(self: socket.socket, address: Any) -> None:  # noqa: ANN401 - as the socket takes it
        assert address[0] == "127.0.0.1"
        CONNECT(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "bind", BIND)
    made = Farm(tmp_path)
    yield made
    made.close()


def leaf(key: str, name: str, **more: str) -> Minted:
    return mint(f"leaf of {key}", ICA, key_name=key, names=[name], **more)  # type: ignore[arg-type]  # dates only


def host(label: str, *, serves: str = "a-chain", more: str = "") -> str:
    return f'[hosts.{label}]\nnames = ["{label}.example.com"]\nserves = "{serves}"\n{more}\n'


def seen(desk: Desk, farm: Farm, text: str, *wishes: Wish) -> Observed:
    """Look at the hosts of a policy, and fail where that does not end."""
    picture = open_policy(desk.policy(text), TODAY)
    done: list[Observed] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            done.append(look(picture, wishes, NOW, farm.net, 1.0, lambda _target, _hand: None))
        except BaseException as error:  # noqa: BLE001 - handed over to the test
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(GUARD)
    assert not thread.is_alive(), "it hangs"
    if failed:
        raise failed[0]
    return done[0]


def ids(observed: Observed, label: str) -> dict[str, Finding]:
    return {f.id: f for f in observed.findings if f.subject.startswith(f"hosts.{label}")}


def test_every_fault_of_a_farm_is_named_in_one_look_and_none_hangs(desk: Desk, farm: Farm) -> None:
    """Slow, silent, cut off, garbage, endless, huge: each has its own name, and good hosts beside them are seen."""

    def no_name(_tls: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> int:
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    def chain(name: str, key: str = "a", **more: str) -> tuple[bytes, bytes]:
        return ec(leaf(key, f"{name}.example.com", **more), ICA)

    huge = [mint(f"padding {n}", names=[f"{n}-{m}.example.com" for m in range(400)]) for n in range(16)]
    handlers = {
        "good": farm.tls(chain("good")),
        "other": farm.tls(chain("elsewhere")),
        "ended": farm.tls(chain("ended", not_before="2025-01-01", not_after="2025-12-31")),
        "soon": farm.tls(chain("soon", not_after="2026-12-01")),
        "old": farm.tls(chain("old"), maximum_version=ssl.TLSVersion.TLSv1_2),
        "new": farm.tls(chain("new"), minimum_version=ssl.TLSVersion.TLSv1_3),
        "two": farm.tls(chain("two"), rsa_leaf(ICA, "two.example.com")),
        "nosni": farm.tls(chain("nosni"), sni_callback=no_name),
        "huge": farm.tls(ec(leaf("a", "huge.example.com"), *huge)),
        "slow": farm.drip,
        "silent": farm.silent,
        "cut": reset,
        "closes": hang_up,
        "half": half_way,
        "ssh": garbage,
        "http": plain_http,
        "flood": flood,
        "ancient": too_old,
        "late": farm.late(farm.tls(chain("late")), 0.2),
        "mutual": farm.tls(chain("mutual"), verify_mode=ssl.CERT_REQUIRED),
        "swallows": farm.silent,
        "closed": None,
    }
    for name, handler in handlers.items():
        farm.serve(f"{name}.example.com", handler)
    farm.swallowing.add(farm.names["swallows.example.com"][0])
    labels = [*handlers, "lost", "waits", "nowhere"]
    farm.names["nowhere.example.com"] = ["198.51.100.1"]
    observed = seen(desk, farm, BASE + "".join(map(host, labels)), *(Wish(host=label) for label in labels))
    faults = {one.label: one.fault for one in observed.sightings.unseen}
    assert faults == {
        "nosni": Fault.ALERT,
        "huge": Fault.TOO_LARGE,
        "slow": Fault.TIMED_OUT,
        "silent": Fault.TIMED_OUT,
        "cut": Fault.RESET,
        "closes": Fault.CLOSED,
        "half": Fault.RESET,
        "ssh": Fault.NOT_TLS,
        "http": Fault.NOT_TLS,
        "ancient": Fault.ALERT,
        "swallows": Fault.TIMED_OUT,
        "flood": faults["flood"],
        "closed": Fault.REFUSED,
        "lost": Fault.UNRESOLVED,
        "waits": Fault.UNRESOLVED,
        "nowhere": Fault.UNREACHABLE,
    }
    assert faults["flood"] in (Fault.TOO_LARGE, Fault.UNREADABLE)
    for label, fault in faults.items():
        assert fault.words in ids(observed, label)["no-handshake"].message
    assert "unrecognized name" in ids(observed, "nosni")["no-handshake"].message
    assert "protocol version" in ids(observed, "ancient")["no-handshake"].message
    assert "wrong-name" in ids(observed, "other")
    assert "ended on 2025-12-31" in ids(observed, "ended")["cert-expired"].message
    assert "in 8 days" in ids(observed, "soon")["cert-expires"].message
    assert "no-tls13" in ids(observed, "old")
    assert "no-tls13" not in ids(observed, "good")
    by_label: dict[str, list[str]] = {}
    for one in observed.sightings.seen:
        by_label.setdefault(one.label, []).append(one.leaf.key_type)
    assert set(by_label) == {"good", "other", "ended", "soon", "old", "new", "two", "late", "mutual"}
    assert sorted(by_label.pop("two")) == ["ec-p256", "rsa-2048"]
    assert all(types == ["ec-p256"] for types in by_label.values())
    versions = {one.label: one.versions for one in observed.sightings.seen}
    assert (versions["good"], versions["old"], versions["new"]) == (("TLSv1.2", "TLSv1.3"), ("TLSv1.2",), ("TLSv1.3",))
    good = next(one for one in observed.sightings.seen if one.label == "good")
    assert [c.common_name for c in good.sent] == ["leaf of a", "ica"]
    assert good.sent[0].signer == good.sent[1].spki
    # Nothing ever waits for ever, nor longer than a whole handshake may take.
    assert all(wait is not None and 0 < wait <= 1.0 for wait in farm.waits)
    assert len(farm.waits) > len(handlers)


def served(farm: Farm, *keys: str, name: str = "api.example.com") -> None:
    """Serve the files of the desk that belong to some keys, each at an address of its own."""
    for key in keys:
        farm.serve(name, farm.tls(ec(mint(key, ICA, names=[name]), ICA)))


def test_a_host_that_serves_what_the_policy_says_gives_nothing_to_say(desk: Desk, farm: Farm) -> None:
    served(farm, "a", "a")
    observed = seen(desk, farm, BASE + app("shop"))
    assert (observed.findings, observed.agreeing) == ((), ("api",))
    (one,) = observed.sightings.seen
    assert one.addresses == ("192.0.2.1", "192.0.2.2")


def test_another_key_is_told_with_everybody_who_refuses_it(desk: Desk, farm: Farm) -> None:
    served(farm, "zebra")
    observed = seen(desk, farm, BASE + app("shop", clients="74_000"))
    found = ids(observed, "api")
    assert found["served-differs"].severity == "error"
    assert "a key that this policy does not know" in found["served-differs"].message
    assert "is refused by 74,000 clients: shop" in found["refused-as-served"].message
    assert "pin-mismatch" in found["refused-as-served"].message
    assert observed.agreeing == ()


def test_a_backup_that_is_served_is_a_warning_and_breaks_nobody_who_pins_it(desk: Desk, farm: Farm) -> None:
    served(farm, "b")
    text = BASE.replace('backups = ["b"]', 'backups = ["b"]\ncovers = ["api.example.com"]') + app("shop")
    observed = seen(desk, farm, text)
    assert {f.id: str(f.severity) for f in observed.findings} == {
        "served-differs": "warning",
        "primary-not-served": "warning",
    }


def test_a_renewal_with_the_same_key_is_good_to_know(desk: Desk, farm: Farm) -> None:
    renewed = mint("a", ICA, names=["api.example.com"], not_before="2026-11-01", not_after="2027-10-30")
    farm.serve("api.example.com", farm.tls(ec(renewed, ICA)))
    observed = seen(desk, farm, BASE + app("shop"))
    assert {f.id: str(f.severity) for f in observed.findings} == {"served-renewed": "info"}


def test_addresses_that_differ_are_told(desk: Desk, farm: Farm) -> None:
    served(farm, "a", "b")
    observed = seen(desk, farm, BASE + app("shop"))
    assert "192.0.2.1, 192.0.2.2" in ids(observed, "api")["served-unevenly"].message


def test_a_chain_that_nobody_saw_is_told(desk: Desk, farm: Farm) -> None:
    served(farm, "a")
    text = BASE.replace('serves = "a-chain"', 'serves = ["a-chain", "b.pem"]') + app("shop")
    found = seen(desk, farm, text).findings
    assert [(f.id, f.subject) for f in found] == [("serves-not-seen", "hosts.api.serves")]


def test_an_address_without_a_way_from_here_does_not_count_where_others_answer(desk: Desk, farm: Farm) -> None:
    served(farm, "a")
    farm.names["api.example.com"].append("2001:db8::1")
    observed = seen(desk, farm, BASE + app("shop"))
    assert {f.id: str(f.severity) for f in observed.findings} == {"no-handshake": "info"}
    assert observed.agreeing == ("api",)


def test_only_hosts_of_the_policy_are_ever_called(desk: Desk, farm: Farm) -> None:
    served(farm, "a")
    with pytest.raises(UsageError, match="is no host of the policy"):
        seen(desk, farm, BASE, Wish(host="example.org"))


# --- keys that a renewal changed --------------------------------------------------------------------------------------


def history(desk: Desk, day: str, key: str) -> None:
    desk.file(
        f"policy.rotator/sightings/api.example.com__{day}.pem",
        chain_pem(mint(key, ICA, names=["api.example.com"]), ICA),
    )


def test_a_renewal_that_changed_the_key_is_an_error_where_pins_count_on_it(desk: Desk, farm: Farm) -> None:
    history(desk, "2026-09-01", "older")
    history(desk, "2026-10-01", "a")
    served(farm, "zebra")
    found = ids(seen(desk, farm, BASE + app("shop")), "api")["key-not-reused"]
    assert str(found.severity) == "error"
    assert "seen on 2026-11-23T09:00Z has another key than the one of 2026-10-01" in found.message
    assert "1,000 clients pin the old key" in found.message
    assert found.hint == REUSE_HINT
    assert "--reuse-key" in found.hint


@pytest.mark.parametrize(
    ("past", "now", "text", "said"),
    [
        (["a"], "a", BASE + app("shop"), ""),
        (["a"], "b", BASE + app("shop"), ""),
        (["other"], "zebra", BASE + app("shop"), ""),
        (["zebra", "a"], "zebra", BASE + app("shop"), "told"),
        (["other"], "zebra", BASE.replace('serves = "a-chain"', 'serves = "a-chain"\nrenew_key = "same"'), "told"),
    ],
    ids=["same key", "a rotation to a backup", "nobody pinned it", "and back", "the policy says so"],
)
def test_a_changed_key_is_told_only_where_somebody_counts_on_it(
    desk: Desk, farm: Farm, past: list[str], now: str, text: str, said: str
) -> None:
    for number, key in enumerate(past):
        history(desk, f"2026-10-{number + 1:02}", key)
    served(farm, now)
    assert ("key-not-reused" in ids(seen(desk, farm, text), "api")) is bool(said)


def test_two_keys_served_at_once_are_no_renewal(desk: Desk, farm: Farm) -> None:
    history(desk, "2026-10-01", "a")
    served(farm, "a", "zebra")
    assert "key-not-reused" not in ids(seen(desk, farm, BASE + app("shop")), "api")


# --- the command ------------------------------------------------------------------------------------------------------


def test_what_was_seen_is_kept_where_backtest_reads_it(desk: Desk, farm: Farm, run: Run) -> None:
    served(farm, "zebra")
    observed = seen(desk, farm, BASE + app("shop"))
    (path,) = keep(str(desk.folder / "policy.toml"), observed)
    assert path.name.startswith("api.example.com__2026-11-23T0900Z__")
    keep(str(desk.folder / "policy.toml"), observed)
    answer = run("backtest", "policy.toml", "--history", "policy.rotator/sightings", "--json").json
    assert [(row["at"], row["host"]) for row in answer["breaks"]] == [("2026-11-23T09:00:00Z", "api")]


def test_a_file_or_a_paste_stands_for_a_host_that_cannot_be_reached(
    desk: Desk, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is called then; the record has the host's name though the file is called otherwise."""
    desk.policy(BASE + app("shop"))
    assert run("observe", "policy.toml", "api=a.pem").code == 0
    pasted = b"CONNECTED(00000003)\n---\n" + (desk.folder / "b.pem").read_bytes() + b"DONE\n"
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(pasted)))
    ran = run("observe", "policy.toml", "api.example.com=-")
    assert ran.code == 1
    assert "served-differs" in ran.out
    assert len(list((desk.folder / "policy.rotator/sightings").iterdir())) == 2
    answer = run("observe", "policy.toml", "api=a-renewed.pem", "--json", "--no-record").json
    valid(answer, "observe")
    assert [(row["host"], row["source"]) for row in answer["seen"]] == [("api", "a-renewed.pem")]
    assert run("observe", "policy.toml", "api=b.csr").code == 2
    assert run("observe", "policy.toml", "apo=a.pem").code == 2
    assert len(list((desk.folder / "policy.rotator/sightings").iterdir())) == 2


def command(farm: Farm, *words: str) -> tuple[int, str, str]:
    """Run the command on the farm."""
    asked: argparse.Namespace = parser().parse_args(["observe", *words])
    out, err = io.StringIO(), io.StringIO()
    code = observe(asked, Console(out, err, ascii_only=True, color=False), ENVIRON, farm.net)
    return code, out.getvalue(), err.getvalue()


def test_the_day_is_written_into_hosts_that_agree_and_no_others(
    desk: Desk, farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.folder)
    served(farm, "a")
    farm.serve("img.example.com", farm.tls(ec(leaf("zebra", "img.example.com"), ICA)))
    desk.policy(
        BASE + app("shop").replace("[apps.shop]", '[hosts.img] # ours\nnames = ["img.example.com"]\n[apps.shop]')
    )
    code, out, err = command(farm, "policy.toml", "--write", "--timeout", "5")
    assert code == 1
    assert "1 of 2 hosts serve what the policy says; not: img." in out
    assert "api.example.com:443 192.0.2.1: TLSv1.3" in err
    policy = read_policy("policy.toml")[0]
    assert (policy.hosts["api"].observed, policy.hosts["img"].observed) == (TODAY, None)
    assert "[hosts.img] # ours" in Path("policy.toml").read_text()


def test_the_answer_follows_its_schema(desk: Desk, farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    served(farm, "a")
    farm.serve("api.example.com", None)
    desk.policy(BASE + app("shop"))
    code, out, _ = command(farm, "policy.toml", "--json", "--no-record")
    answer = json.loads(out)
    valid(answer, "observe")
    assert code == 1
    assert answer["seen"][0]["key"] == "a"
    assert answer["unseen"][0]["fault"] == "refused"
    assert not (desk.folder / "policy.rotator").exists()


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "1e9", "soon"])
def test_a_wait_without_sense_is_refused(desk: Desk, seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    desk.policy(BASE)
    assert main(["observe", "policy.toml", "--timeout", seconds], ENVIRON) == 2
    assert "--timeout" in capsys.readouterr().err
