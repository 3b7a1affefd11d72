"""The drill: every loss and every pair is what `simulate` says of the same events, and the answer survives the loss."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from rotator.model.policy import Policy
from rotator.model.progress import CancelledError
from rotator.simulate.drill import Drill, Loss, drill, possible
from rotator.simulate.question import Picture, Question, ask
from rotator.workflows.opening import open_policy
from rotator.workflows.simulating import calendar, parse
from tests.desk import BASE, NOW, TODAY, Desk, app
from tests.property.strategies import picture, policies

POLICIES = Path(__file__).resolve().parents[2] / "policies"


def by_events(found: Drill) -> dict[tuple[str, ...], Loss]:
    return {loss.events: loss for loss in found.losses}


def hold(own: Picture, *, every: int = 1) -> None:
    """Hold each loss of a drill, or some of them, against an answer of its own."""
    planned = calendar(own.policy)
    found = drill(own, NOW, planned)
    alone = len(possible(own.inventory, NOW))
    assert len(found.losses) == alone + alone * (alone - 1) // 2
    for loss in found.losses[::every]:
        events = tuple(parse(text) for text in loss.events)
        impact = ask(own, Question(occurrences=events, at=NOW), planned).impact
        assert (loss.broken, loss.exposed) == (impact.broken, impact.exposed), loss.events
    assert list(found.losses) == sorted(found.losses, key=lambda own: tuple(-n for n in own.badness))


@settings(max_examples=8)
@given(policies(known=False))
def test_every_loss_is_what_simulate_says_of_it(policy: Policy) -> None:
    hold(picture(policy))


@pytest.mark.parametrize(("name", "every"), [("storefront", 5), ("intranet-bank", 3), ("incidents/diginotar", 1)])
def test_every_loss_of_a_sample_is_what_simulate_says_of_it(name: str, every: int) -> None:
    hold(open_policy(str(POLICIES / f"{name}.toml"), TODAY), every=every)


def test_a_stolen_backup_and_a_ca_that_certifies_it_expose_together(desk: Desk) -> None:
    """Neither does alone: the backup has no certificate, and the CA alone has no pinned key."""
    found = by_events(drill(desk.open(BASE + app("shop")), NOW))
    assert found["key-compromise:b",].exposed.high == 0
    assert found["ca-compromise:ica",].exposed.high == 0
    assert found["key-compromise:b", "ca-compromise:ica"].exposed.high == 1000


def test_two_distrusts_close_two_ways(desk: Desk) -> None:
    """A cross-sign is sent: one distrust leaves a way for some clients, both leave none."""
    desk.file(
        "two.pem", desk.folder.joinpath("a-by-other.pem").read_bytes() + desk.folder.joinpath("cross.pem").read_bytes()
    )
    text = BASE.replace('a-chain = { file = "a.pem" }', 'a-chain = { file = "two.pem" }').replace(
        "[chains]", 'other-ica = { certificate = "other-ica.pem" }\n[chains]'
    )
    found = by_events(drill(desk.open(text + app("shop", "android-nsc")), NOW))
    assert found["ca-distrust:root",].broken.high == 0
    assert found["ca-distrust:other-root",].broken.low == 0
    assert found["ca-distrust:root", "ca-distrust:other-root"].broken.low == 1000


def test_the_answer_is_a_chain_that_survives_both_losses_and_that_most_clients_take(desk: Desk) -> None:
    text = BASE.replace("[chains]\n", "[chains]\nb-chain = { file = 'b.pem' }\nother = { file = 'a-by-other.pem' }\n")
    found = by_events(drill(desk.open(text + app("shop")), NOW))
    assert found["key-loss:a",].response == ("serve:api:b-chain",)
    assert found["ca-distrust:ica",].response == ("serve:api:other",)
    assert found["key-loss:b",].response == ()
    assert found["key-loss:a", "ca-distrust:ica"].response is None
    assert found["key-loss:a", "key-loss:b"].response is None


def test_a_chain_that_nobody_takes_is_no_answer(desk: Desk) -> None:
    text = BASE.replace("[chains]\n", "[chains]\nc-chain = { file = 'c.pem' }\n") + '[pinsets.only-a]\nprimary = "a"\n'
    found = by_events(drill(desk.open(text + app("shop", pinset="only-a")), NOW))
    assert found["key-loss:a",].response is None


def test_keys_that_are_gone_are_not_lost_again(desk: Desk) -> None:
    text = BASE.replace('b = { csr = "b.csr",', 'b = { csr = "b.csr", status = "destroyed", since = 2026-01-01,')
    found = by_events(drill(desk.open(text + app("shop")), NOW))
    assert not any("b" in {event.partition(":")[2] for event in events} for events in found)


def test_a_drill_says_how_far_it_is_and_can_be_given_up(desk: Desk) -> None:
    class Impatient:
        def __init__(self) -> None:
            self.heard: list[tuple[int, int]] = []

        def step(self, done: int, of: int, what: str) -> None:
            self.heard.append((done, of))
            if what == "pairs":
                raise CancelledError

    listening = Impatient()
    with pytest.raises(CancelledError):
        drill(desk.open(BASE + app("shop")), NOW, progress=listening)
    assert listening.heard[0] == (0, 55)
    assert listening.heard[-1][0] == 10
