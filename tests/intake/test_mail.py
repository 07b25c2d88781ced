"""What a mail's headers show, and beside each what it does not prove. Nothing is ever verified."""

import re
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.intake.mail import Finding, address_of, sender_evidence
from dueprocess.intake.paper import Paper


def _paper(*headers: tuple[str, str]) -> Paper:
    return Paper("mail", "x.eml", "0" * 64, 1, (), headers=headers)


def _codes(*headers: tuple[str, str]) -> list[str]:
    return [found.code for found in sender_evidence(_paper(*headers))]


def test_a_paper_without_headers_shows_no_sender() -> None:
    """A PDF alone says nothing about who sent it."""
    assert _codes() == ["no-headers"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ((("From", "a@court.example"), ("Reply-To", "b@other.example")), "reply-to-differs"),
        ((("From", "a@court.example"), ("Return-Path", "<b@other.example>")), "return-path-differs"),
        ((("From", "Police <captain@web.de>"),), "free-mail"),
        ((("From", "Police <captain@inbox.example>"),), "name-claims-authority"),
        ((("From", '"a@fbi.gov" <b@inbox.example>'),), "name-shows-another-address"),
        ((("From", "a@justice.gov.mail.example"),), "look-alike"),
        ((("From", "a@fbi-gov.example"),), "look-alike"),
        ((("From", "a@xn--plice-2ra.example"),), "look-alike"),
        ((("From", "a@pоlice.example"),), "look-alike"),
        ((("From", "a@cityhall.gov"),), "government-ending"),
        ((("From", "a@met.police.uk"),), "government-ending"),
        (
            (("From", "a@b.example"), ("Authentication-Results", "mx.b.example; dkim=pass")),
            "authentication-results",
        ),
        ((("From", "a@b.example"), ("DKIM-Signature", "v=1; d=b.example; s=x")), "dkim-present"),
        ((("From", "a@b.example"),), "no-authentication"),
    ],
)
def test_each_oddity_is_found(headers: tuple[tuple[str, str], ...], code: str) -> None:
    """One header set for each finding."""
    assert code in _codes(*headers)


def test_an_ordinary_authority_domain_is_no_look_alike() -> None:
    """Police and court names under their own domains are not accused."""
    for domain in (
        "polizei.bayern.example",
        "court.northport.example",
        "sheriff.northport.example",
        "cityhall.gov",
    ):
        assert "look-alike" not in _codes(("From", f"a@{domain}"))
    assert "reply-to-differs" not in _codes(("From", "a@b.example"), ("Reply-To", "c@b.example"))


def test_a_claimed_authentication_says_that_anyone_can_write_it() -> None:
    """The header counts only when your own server added it, and the finding says so."""
    found = {
        each.code: each for each in sender_evidence(_paper(("Authentication-Results", "evil; dkim=pass")))
    }
    assert "only if your own mail server wrote it" in found["authentication-results"].proves
    assert "anyone can type this header" in found["authentication-results"].does_not_prove


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["From", "Reply-To", "Return-Path", "Sender", "Authentication-Results", "DKIM-Signature"]
            ),
            st.text(max_size=80),
        ),
        max_size=6,
    )
)
def test_nothing_is_ever_called_verified(headers: list[tuple[str, str]]) -> None:
    """No header, however it is written, makes our own words vouch for the sender; none crashes the reader."""
    for found in sender_evidence(_paper(*headers)):
        assert isinstance(found, Finding)
        assert found.does_not_prove
        ours = found.proves + found.does_not_prove
        assert not re.search(r"\b(verified|genuine|authentic|trusted)\b", ours)


def test_addresses_are_read_out_of_odd_headers() -> None:
    """Display names with commas and broken brackets still give the address."""
    assert address_of('"Holt, Sam" <Holt@Court.example>') == ("Holt, Sam", "holt@court.example")
    assert address_of("broken <<a@b.example")[1] == "a@b.example"
    assert address_of("nobody at all; really")[1] == ""


def test_the_example_emergency_is_seen_through(make: ModuleType) -> None:
    """The forged example shows three separate oddities."""
    from dueprocess.intake.paper import read_paper

    codes = {each.code for each in sender_evidence(read_paper(make.examples()["emergency.eml"], name="x"))}
    assert {"reply-to-differs", "name-claims-authority", "look-alike"} <= codes
