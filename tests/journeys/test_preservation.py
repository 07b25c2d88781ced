"""A preservation letter that names a mail address, from its text to a parcel: every step is typed, by two people."""

import re
from functools import partial
from pathlib import Path

import pytest

from desk.holds import platform
from desk.resolutions import MAIL, NOBODY, on_the_platform
from journeys.arriving import Typing, arrived, completed, opened, todo, turn, typing
from journeys.counter import REFUSED, as_person, give_stores, says, whole
from journeys.typed import Said, called
from office import EVA, Office

pytestmark = [pytest.mark.slow, pytest.mark.stage("brisk")]

LETTER = """\
From: Det. Example <desk@police.example>
To: legal@chat.example
Subject: Preservation letter

NORTHPORT POLICE
PRESERVATION REQUEST under 18 U.S.C. 2703(f)
Date: September 3, 2026
You are requested to preserve all records and other evidence in your possession about the user of the
e-mail address {mail} from August 12, 2026 to August 31, 2026: subscriber information, session
times, IP addresses and the contents of all messages, for 90 days pending the issuance of a court order.
/s/ Detective Example
"""
ORDER = f"""\
From: Clerk <clerk@court.example>
To: legal@chat.example
Subject: Order

UNITED STATES DISTRICT COURT
ORDER under 18 U.S.C. 2703(d)
Date: September 3, 2026
The applicant has offered specific and articulable facts showing reasonable grounds to believe that the
records are relevant and material to an ongoing criminal investigation.
The court orders the disclosure of all records about the account {EVA}
from August 12, 2026 to August 31, 2026: subscriber information, session times and IP addresses.
/s/ Judge Example
"""
preserving = partial(completed, kind='"preservation"')
ordering = partial(
    completed,
    elements='["date", "identifier", "issuer", "reasonable_grounds", "signature"]',
    identifies="false",
)


@pytest.fixture
def wide(office: Office) -> Office:
    """The office with the wider platform, whose worker has its credentials."""
    on_the_platform(office)
    give_stores(office)
    return office


def letter(office: Office, say: Typing, mail: str) -> str:
    paper = office.root.parent / f"{mail}.eml"
    paper.write_text(LETTER.format(mail=mail))
    return arrived(say, paper, preserving)


def found_out(office: Office, say: Typing, case: str) -> None:
    """Narrowed, proposed by Boris, approved by Chi, sealed, and asked by the worker."""
    assert todo(say, case) == [f"dueprocess narrow {case} t1"]
    assert "Next: dueprocess propose." in say("boris", "narrow", case, "t1").out
    alone = called("hold", case, "t1", environment=as_person(office, "boris"))
    says(alone, REFUSED, "resolved to an account")
    assert todo(say, case) == [f"dueprocess propose {case} t1"]
    assert "the vault, and nobody" in say("boris", "propose", case, "t1").out
    says(called("approve", case, "t1", environment=as_person(office, "boris")), REFUSED)
    say("chi", "approve", case, "t1")
    office.wait(hours=12)
    assert turn(office) == [f"{case} t1: resolved"]


def test_a_letter_that_names_a_mail_address_leads_to_a_parcel_of_what_the_platform_forgot(
    wide: Office, tmp_path: Path
) -> None:
    """Two find out whose it is, one holds and another confirms; the platform forgets; an order brings it out."""
    told: list[Said] = []
    say = typing(wide, told)
    case = letter(wide, say, MAIL)
    found_out(wide, say, case)
    assert todo(say, case) == [f"dueprocess narrow {case} t2"]
    assert "Next: dueprocess hold." in say("boris", "narrow", case, "t2").out
    assert todo(say, case) == [f"dueprocess hold {case} t2"]
    say("boris", "hold", case, "t2")
    assert "main.sessions found" in "".join(turn(wide))
    assert todo(say, case)[0].endswith(f"dueprocess hold {case} t2 --confirm")
    assert "Confirmed by two" in say("chi", "hold", case, "t2", "--confirm").out
    assert todo(say, case) == []

    with platform(wide) as store:
        store.executescript("DELETE FROM sessions; DELETE FROM messages; DELETE FROM users;")
    paper = wide.root.parent / "order.eml"
    paper.write_text(ORDER)
    order = arrived(say, paper, ordering)
    for who, verb in (("boris", "narrow"), ("boris", "propose"), ("chi", "approve")):
        say(who, verb, order, "t1")
    wide.wait(days=3)
    assert re.search(f"{order} t1: produced p-", "".join(turn(wide)))
    wide.wait(hours=12)
    parcel = tmp_path / "parcel.age"
    say("boris", "deliver", order, "t1", "--to", parcel)
    members = opened(parcel, wide.officer)
    (name,) = [
        each for each in members if "/hold-" in each and "sessions" in each and each.endswith(".jsonl")
    ]
    assert members[name].count(b"192.0.2.") == 3
    whole(wide)


def test_a_letter_about_nobody_is_answered_in_the_same_words(wide: Office) -> None:
    """The letter to the authority about an address that nobody has is the one about Eva's, but for the paper."""
    told: list[Said] = []
    say = typing(wide, told)
    cases = [letter(wide, say, mail) for mail in (MAIL, NOBODY)]
    for case in cases:
        found_out(wide, say, case)
    assert todo(say, cases[1]) == [f"dueprocess close {cases[1]}"]
    answers = [say("ana", "letter", case, "holding", "--on", "2026-09-03").out for case in cases]
    plain = [answer.replace(case, "CASE") for answer, case in zip(answers, cases, strict=True)]
    assert plain[0] == plain[1]
    assert "neither confirms nor denies" in " ".join(plain[0].split())
