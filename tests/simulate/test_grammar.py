"""Events and actions as people write them: every form, and what is said about a wrong one."""

from __future__ import annotations

import pytest

from rotator.errors import Problem, UsageError
from rotator.model.policy import App, Authority, ChainPlan, Host, Key, Pinset, Policy, Release, Trust
from rotator.simulate.events import PLAYED
from rotator.simulate.grammar import ACTIONS, EVENTS, parse_action, parse_event, unknown_names, usage_of
from tests.minting import instant

POLICY = Policy(
    keys={"api-1": Key(), "api-2": Key()},
    authorities={"root": Authority(), "ica": Authority()},
    chains={"now": ChainPlan(), "next": ChainPlan()},
    hosts={"api": Host(names=("api.example.com", "img.example.com")), "www.example.com": Host()},
    trust={"old": Trust()},
    pinsets={"mobile": Pinset()},
    apps={"shop": App(mechanism=("okhttp",), releases=(Release(version="7.0", also=("7.0.1",)),))},
)
GOOD_EVENTS = [
    "key-compromise:api-1",
    "key-compromise:api-1?certified=yes",
    "key-loss:api-2",
    "renew:api",
    "renew:api:same-key",
    "renew:img.example.com:new-key",
    "ca-change:api:next",
    "intermediate-swap:api:ica",
    "ca-compromise:root",
    "ca-distrust:root",
    "ca-distrust:root?issued-after=2026-12-01",
    "revoke:api",
    "revoke:now",
    "revoke:api?clock=24h",
    "revoke:api?clock=5d",
    "expire:now",
    "expire:root",
    "expire:ica/root",
    "mis-issue:api",
    "mis-issue:api:root",
    "hostile-pins:api",
    "strip:www.example.com",
    "local-root:shop",
    "local-root:shop/7.0.1",
    "local-root:shop/7.0/old?intercepts=yes",
    "pins-expire:mobile",
    "wrong-pin:mobile",
    "algorithm-change:api:ml-dsa-65",
]
GOOD_ACTIONS = [
    "serve:api:next",
    "serve:api:api-2",
    "ship:shop:7.1:mobile",
    "publish:shop:mobile",
    "floor:shop:7.0",
    "revoke:now",
    "destroy:api-1",
]


@pytest.mark.parametrize("text", GOOD_EVENTS)
def test_every_form_of_event_is_read_and_written_the_same(text: str) -> None:
    event = parse_event(text)
    assert event.text == text
    assert not event.action
    assert event.at is None
    assert list(unknown_names(event, POLICY)) == []


@pytest.mark.parametrize("text", GOOD_ACTIONS)
def test_every_form_of_action_is_read_and_written_the_same(text: str) -> None:
    action = parse_action(text)
    assert action.text == text
    assert action.action
    assert list(unknown_names(action, POLICY)) == []


def test_every_event_and_action_of_the_product_notes_has_an_example_here() -> None:
    assert {text.partition(":")[0] for text in GOOD_EVENTS} == set(EVENTS)
    assert {text.partition(":")[0] for text in GOOD_ACTIONS} == set(ACTIONS)
    assert {name for name, action in PLAYED if action} <= set(ACTIONS)
    assert {name for name, action in PLAYED if not action} <= set(EVENTS)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("key-loss:api-1@2026-12-01", "2026-12-01"),
        ("key-loss:api-1@2026-12-01T17:30Z", "2026-12-01T17:30:00"),
        ("key-loss:api-1@2026-12-01T17:30:00+01:00", "2026-12-01T16:30:00"),
        ("revoke:api?clock=5d@2026-12-01", "2026-12-01"),
    ],
)
def test_an_instant_stands_behind_the_at_sign(text: str, when: str) -> None:
    event = parse_event(text)
    assert event.at == instant(when)
    assert parse_event(event.text) == event


def problem(text: str, *, action: bool = False) -> Problem:
    """Give the one problem of a text."""
    with pytest.raises(UsageError) as caught:
        (parse_action if action else parse_event)(text)
    (only,) = caught.value.problems
    return only


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("key-compromised:api-1", "did you mean key-compromise?"),
        ("serve:api:next", "serve is an action"),
        ("", "known:"),
        ("nonsense", "known:"),
        ("key-compromise", "key-compromise:KEY"),
        ("key-compromise:", "key-compromise:KEY"),
        ("key-compromise:a:b", "key-compromise:KEY"),
        ("renew::same-key", "renew:HOST[:same-key|new-key]"),
        ("renew:api:same", "did you mean same-key?"),
        ("renew:api:samekey", "did you mean same-key?"),
        ("ca-change:api", "ca-change:HOST:CHAIN"),
        ("key-loss:a?certified=yes", "unknown option"),
        ("key-compromise:a?certifed=yes", "did you mean certified?"),
        ("key-compromise:a?certified=maybe", "yes|no"),
        ("key-compromise:a?certified", "yes|no"),
        ("revoke:api?clock=soon", "24h or 5d"),
        ("ca-distrust:root?issued-after=soon", "2026-11-27"),
        ("key-loss:a@soon", "2026-11-27"),
        ("key-loss:a@", "2026-11-27"),
        ("algorithm-change:api:rsa-1024", "did you mean rsa-"),
    ],
)
def test_a_wrong_event_says_what_would_be_right(text: str, word: str) -> None:
    assert word in str(problem(text))


def test_a_wrong_action_says_what_would_be_right() -> None:
    assert "key-loss is an event" in str(problem("key-loss:a", action=True))
    assert "ship:APP:VERSION:PINSET" in str(problem("ship:shop:7.1", action=True))
    assert "serve:HOST:CHAIN or KEY" in str(problem("serve:api", action=True))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("key-compromise:api-3", "did you mean api-"),
        ("key-loss:root", "no key has this name"),
        ("renew:ap", "did you mean api?"),
        ("ca-change:api:nxt", "did you mean next?"),
        ("ca-distrust:api-1", "no authority has this name"),
        ("revoke:nowhere", "no chain or host has this name"),
        ("expire:ica/api-1", "no chain or authority/issuer"),
        ("expire:api", "no chain or authority/issuer"),
        ("pins-expire:mobil", "did you mean mobile?"),
        ("local-root:shop/8.0", "no cohort has this name"),
        ("local-root:shop/7.0/new", "no cohort has this name"),
        ("local-root:shop/7.0/old/x", "no cohort has this name"),
    ],
)
def test_names_that_are_not_in_the_policy_are_told_with_the_nearest(text: str, word: str) -> None:
    (only,) = unknown_names(parse_event(text), POLICY)
    assert word in str(only)


def test_all_unknown_names_of_one_text_are_told() -> None:
    assert len(list(unknown_names(parse_event("ca-change:ap:nxt"), POLICY))) == 2


def test_an_option_given_twice_is_refused_even_with_the_same_value() -> None:
    for query in ("clock=5d&clock=1h", "clock=5d&clock=5d"):
        with pytest.raises(UsageError, match="an option given twice"):
            parse_event(f"revoke:api?{query}")


def test_usage_shows_variants_and_options() -> None:
    assert usage_of("renew", EVENTS["renew"]) == "renew:HOST[:same-key|new-key][@DATE]"
    assert usage_of("revoke", EVENTS["revoke"]) == "revoke:CHAIN or HOST[?clock=duration][@DATE]"
    assert usage_of("expire", EVENTS["expire"]) == "expire:CHAIN or AUTHORITY/ISSUER[@DATE]"
