"""Host names: one spelling, reach, and which names a certificate is good for."""

from __future__ import annotations

import pytest

from rotator.model.names import (
    Cover,
    Reach,
    canonical,
    certificate_covers,
    did_you_mean,
    is_host_name,
    is_ip,
    nearest,
    parents,
    within,
)


@pytest.mark.parametrize(
    ("reach", "covered"),
    [
        (Reach.EXACT, {"example.com"}),
        (Reach.ONE, {"example.com", "a.example.com"}),
        (Reach.ONLY_ONE, {"a.example.com"}),
        (Reach.ALL, {"example.com", "a.example.com", "b.a.example.com"}),
    ],
)
def test_a_cover_reaches_as_far_as_it_says(reach: Reach, covered: set[str]) -> None:
    hosts = ("example.com", "a.example.com", "b.a.example.com", "badexample.com", "com", "example.com.evil.test")
    assert {host for host in hosts if Cover("example.com", reach).matches(host)} == covered


@pytest.mark.parametrize(
    ("text", "plain"), [("API.Example.COM", "api.example.com"), ("a.b.", "a.b"), ("a.b..", "a.b."), ("", "")]
)
def test_names_lose_case_and_one_trailing_dot(text: str, plain: str) -> None:
    assert canonical(text) == plain


@pytest.mark.parametrize("name", ["a", "a.b", "xn--caf-dma.example", "a_b.c", "1.2.3.4", "::1", "[::1]", "a" * 63])
def test_host_names(name: str) -> None:
    assert is_host_name(name)


@pytest.mark.parametrize(
    "name", ["", "a..b", "-a.b", "a-.b", "A.b", "a b", "*.a", "a/b", "a:1", "café.fr", "a" * 64, "a." * 127 + "ab"]
)
def test_what_is_no_host_name(name: str) -> None:
    assert not is_host_name(name)


def test_parents_come_longest_first() -> None:
    assert list(parents("a.b.example.com")) == ["b.example.com", "example.com", "com"]
    assert list(parents("localhost")) == []


@pytest.mark.parametrize(
    ("pattern", "host", "good"),
    [
        ("example.com", "example.com", True),
        ("Example.Com", "EXAMPLE.com.", True),
        ("example.com.", "example.com", True),
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "b.a.example.com", False),
        ("*.com", "example.com", False),
        ("a*.example.com", "ab.example.com", False),
        ("www.*.com", "www.example.com", False),
        ("*", "example", False),
        ("*.*.com", "a.b.com", False),
        ("example.com", "a.example.com", False),
    ],
)
def test_alternative_names_cover_hosts_as_rfc_9525_says(pattern: str, host: str, *, good: bool) -> None:
    assert certificate_covers(host, dns_names=(pattern,)) is good


@pytest.mark.parametrize(
    ("dns", "ips", "host", "good"),
    [
        ((), ("192.0.2.1",), "192.0.2.1", True),
        ((), ("2001:db8::1",), "[2001:db8:0:0::1]", True),
        (("192.0.2.1",), (), "192.0.2.1", False),
        ((), ("192.0.2.1",), "192.0.2.2", False),
        (("*.0.2.1",), (), "192.0.2.1", False),
        ((), ("192.0.2.1",), "a.example", False),
    ],
)
def test_addresses_are_compared_with_addresses_only(
    dns: tuple[str, ...], ips: tuple[str, ...], host: str, *, good: bool
) -> None:
    assert certificate_covers(host, dns_names=dns, ip_names=ips) is good


@pytest.mark.parametrize(
    ("name", "base", "inside"),
    [
        ("a.example.com", "example.com", True),
        ("example.com", "example.com", True),
        ("a.example.com", ".example.com", True),
        ("badexample.com", "example.com", False),
        ("example.com", "a.example.com", False),
        ("anything", "", True),
    ],
)
def test_name_constraints_are_subtrees(name: str, base: str, *, inside: bool) -> None:
    assert within(name, base) is inside


def test_addresses_are_told_from_names() -> None:
    assert is_ip("192.0.2.1")
    assert not is_ip("192.0.2.1.example")
    assert not is_ip("example.com")


def test_the_nearest_name_is_offered_else_the_known_ones() -> None:
    known = ["expires", "backups", "primary"]
    assert nearest("expries", known) == "expires"
    assert did_you_mean("expries", known) == "did you mean expires?"
    assert did_you_mean("zzz", known) == "known: backups, expires, primary"
    assert did_you_mean("zzz", [f"n{i}" for i in range(20)]).endswith(", ...")
    assert did_you_mean("zzz", []) == ""


def test_covers_are_shown_as_people_write_them() -> None:
    texts = {reach: Cover("x.test", reach).text for reach in Reach}
    assert texts == {
        Reach.EXACT: "x.test",
        Reach.ONE: "x.test and one label below it",
        Reach.ONLY_ONE: "*.x.test",
        Reach.ALL: "x.test and everything below it",
    }
