"""When roots leave, whose a key is, and how long certificates may last."""

from __future__ import annotations

from datetime import date

import pytest

from rotator.files.facts import known_facts
from rotator.model.calendar import Certainty, Fact, FactKind, departure, limits_of_validity, organisation_of
from rotator.model.pki import planned_certificate
from tests.minting import instant

KEY = bytes([7]) * 32


def made_on(day: str):  # type: ignore[no-untyped-def]  # noqa: ANN201 - a certificate
    return planned_certificate(
        identity=day, spki=KEY, subject="CN=Some Root", issuer=None, not_before=instant(day), ca=True
    )


@pytest.mark.parametrize(
    ("made", "leaves"),
    [
        ("1999-12-24", "2025-04-15"),
        ("2005-12-31", "2025-04-15"),
        ("2006-01-01", "2026-04-15"),
        ("2007-12-31", "2026-04-15"),
        ("2009-03-18", "2027-04-15"),
        ("2011-12-31", "2028-04-15"),
        ("2012-01-01", "2029-04-15"),
        ("2014-04-14", "2029-04-15"),
        ("2014-04-15", "2029-04-15"),
        ("2015-06-04", "2030-06-04"),
        ("2020-02-29", "2035-03-01"),
    ],
)
def test_a_root_leaves_by_the_age_of_its_key(made: str, leaves: str) -> None:
    """The limits are those of the Mozilla wiki's table."""
    found = departure(KEY, [made_on(made)], known_facts())
    assert found is not None
    assert found.day == date.fromisoformat(leaves)
    assert found.certainty is Certainty.ASSUMED
    assert found.made == date.fromisoformat(made)
    assert "assumed" in found.because


def test_the_oldest_certificate_of_a_key_tells_its_age() -> None:
    found = departure(KEY, [made_on("2019-01-01"), made_on("2009-01-01")], known_facts())
    assert found is not None
    assert found.day == date(2027, 4, 15)


def test_a_root_that_is_named_leaves_on_its_own_day() -> None:
    named = Fact(
        id="x", kind=FactKind.REMOVAL, what="it leaves", source="page", day=date(2031, 1, 2), keys={"Some Root": KEY}
    )
    found = departure(KEY, [made_on("1999-01-01")], (*known_facts(), named))
    assert found is not None
    assert (found.day, found.certainty, found.because) == (date(2031, 1, 2), Certainty.STATED, "")


def test_a_root_outside_the_bundle_has_no_such_day() -> None:
    assert departure(bytes(32), [made_on("1999-01-01")], known_facts()) is None


def test_the_named_roots_agree_with_the_rule_by_age() -> None:
    """GlobalSign's own page and Mozilla's table say the same of R3, made in 2009, and R5, made in 2012."""
    facts = {fact.id: fact.day for fact in known_facts()}
    assert facts["globalsign-r3"] == facts["mozilla-keys-2008-2009"]
    assert facts["globalsign-r5"] == facts["mozilla-keys-2012-2014"]
    assert facts["digicert-g1"] == facts["mozilla-keys-2006-2007"]


@pytest.mark.parametrize(
    ("subject", "organisation"),
    [
        ("CN=E7,O=Let's Encrypt,C=US", "Let's Encrypt"),
        ("CN=x,O=Entrust\\, Inc.,C=US", "Entrust, Inc."),
        ("O=First", "First"),
        ("CN=O=not,C=US", None),
        ("CN=plain", None),
        ("", None),
    ],
)
def test_the_organisation_is_read_from_a_name(subject: str, organisation: str | None) -> None:
    assert organisation_of(subject) == organisation


@pytest.mark.parametrize(
    ("subject", "holder", "about"),
    [
        ("CN=R,O=Entrust\\, Inc.", None, True),
        ("CN=R,O=ENTRUST", None, True),
        ("CN=R,O=Entrusted Ltd", None, False),
        ("CN=Entrust look-alike,O=Other", None, False),
        ("plain", "Entrust", True),
        ("plain", "not Entrust", False),
    ],
)
def test_a_fact_is_about_an_operator_by_organisation_or_holder(
    subject: str, holder: str | None, *, about: bool
) -> None:
    fact = Fact(id="x", kind=FactKind.DISTRUST, what="", day=date(2024, 11, 11), operators=("Entrust",))
    root = planned_certificate(identity="r", spki=KEY, subject=subject, issuer=None)
    assert fact.is_about(root, holder) is about


def test_the_life_of_certificates_only_shrinks() -> None:
    other = planned_certificate(identity="r", spki=KEY, subject="CN=R,O=Some CA", issuer=None)
    everybody = limits_of_validity(known_facts(), other)
    days = [fact.max_days or 0 for fact in everybody]
    assert days == sorted(days, reverse=True)
    assert [fact.id for fact in everybody] == ["validity-200", "validity-100", "validity-47"]
    encrypt = planned_certificate(identity="e", spki=KEY, subject="CN=E7,O=Let's Encrypt", issuer=None)
    assert "letsencrypt-64" in [fact.id for fact in limits_of_validity(known_facts(), encrypt)]
