"""The fictional papers of the demonstration: two demands, and two attacks.

Courts, officers and hosts are invented and stand under ``.example``. The wording is that of real papers, so that
what the intake finds in them is found by its own words.

Source: 18 USC 2703(c)(2), (d); 18 USC 2705(b).
"""

import datetime as dt
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from dueprocess.cli.demo import typeset
from dueprocess.cli.demo.cast import EVA, FINN, GINA
from dueprocess.demand import Period
from dueprocess.errors import MalformedError

PROVIDER = "Chat Example"
LEGAL_DESK = "legal@chat.example"
COURT = "DISTRICT COURT OF EXAMPLE"
JUDGE = "Helena Marsh"
OFFICER = "Sergeant Nils Aalto"
OFFICER_MAIL = "n.aalto@police.example"
ORDER_DOCKET, JURY_DOCKET = "26-MC-0417", "26-GJ-0088"


def order_2703d(*, window_start: dt.datetime, issued_on: dt.date, sent_at: dt.datetime) -> bytes:
    """Case 1 as it arrives: a mail (.eml) of an officer, with the court's order as a PDF.

    The order asks for everything about two accounts, content included, from ``window_start`` with no end.
    """
    return _mail(
        subject=f"Court order {ORDER_DOCKET}, two accounts",
        sender=f"{OFFICER}, Example State Police <{OFFICER_MAIL}>",
        text=_COVER,
        sent_at=sent_at,
        attached=("order.pdf", order_pdf(window_start=window_start, issued_on=issued_on)),
    )


_COVER = f"""To whom it may concern,

please find attached an order of the {COURT.title().replace(" Of ", " of ")}.
Send the records in encrypted form to the key that your office has on file
for this court.

{OFFICER}
Example State Police, Cybercrime Unit
"""


def order_pdf(*, window_start: dt.datetime, issued_on: dt.date) -> bytes:
    """The court order alone, one page."""
    blocks = [
        typeset.heading(COURT, "SECOND DIVISION", below=22.0),
        typeset.caption(
            [
                "IN RE APPLICATION OF THE STATE OF",
                "EXAMPLE FOR AN ORDER PURSUANT TO",
                "18 U.S.C. § 2703(d) DIRECTED TO",
                f"{PROVIDER.upper()}",
            ],
            [f"Case No. {ORDER_DOCKET}", f"Hon. {JUDGE}"],
        ),
        typeset.heading("ORDER"),
        typeset.paragraph(
            f"This matter has come before the Court upon an application under 18 U.S.C. § 2703(d) for an order "
            f"that directs {PROVIDER}, a provider of an electronic communication service, to disclose records "
            "and other information about the accounts named below."
        ),
        typeset.paragraph(
            "The Court finds that the applicant has offered specific and articulable facts showing that there "
            "are reasonable grounds to believe that the records and other information sought are relevant and "
            "material to an ongoing criminal investigation."
        ),
        typeset.paragraph(
            f"IT IS THEREFORE ORDERED that {PROVIDER} shall produce to the Example State Police, within ten "
            "(10) days of receipt of this Order, any and all records, including subscriber information, session "
            "times, IP addresses and the contents of all messages, of each of the following accounts:"
        ),
        typeset.listing(f"Account: {EVA.id}", f"Account: {FINN.id}"),
        typeset.paragraph(
            f"This Order covers all that exists since {_day(window_start)}, {_clock(window_start)} and onward."
        ),
        typeset.paragraph(f"SO ORDERED. Dated {_day(issued_on)}.", indent=0),
        typeset.signature(JUDGE, "District Judge", COURT.title().replace(" Of ", " of ")),
    ]
    return typeset.pdf(
        [blocks],
        title=f"Order, Case No. {ORDER_DOCKET}",
        foot=f"{COURT} (fictional)   {ORDER_DOCKET}",
        stamp=_filed(issued_on),
    )


def subpoena_2705b(
    *, window: Period, issued_on: dt.date, due_on: dt.date, silent_until: dt.datetime
) -> bytes:
    """Case 2 as it arrives: a grand jury subpoena and, on a page of its own, the order not to tell (PDF).

    Refuses a window that is open: this paper names both ends.
    """
    if window.since is None or window.until is None:
        raise MalformedError("open-window", "The subpoena names a window with both ends.")
    subpoena = [
        typeset.heading(COURT, below=22.0),
        typeset.heading("SUBPOENA TO PRODUCE RECORDS", "BEFORE THE GRAND JURY", below=16.0),
        typeset.caption(["TO: Custodian of Records", f"    {PROVIDER}"], [f"File No. {JURY_DOCKET}"]),
        typeset.paragraph(
            f"YOU ARE COMMANDED to produce to the Grand Jury, no later than {_day(due_on)}, the following "
            "records under 18 U.S.C. § 2703(c)(2):"
        ),
        typeset.listing(
            "1. name and address of the subscriber,",
            "2. length of service,",
            "3. session times and durations,",
            column=8,
        ),
        typeset.paragraph("of the following account:", indent=0),
        typeset.listing(f"Account: {GINA.id}"),
        typeset.paragraph(
            f"for the period from {_day(window.since)}, {_clock(window.since)} "
            f"to {_day(window.until)}, {_clock(window.until)}.",
            indent=0,
        ),
        typeset.paragraph("The contents of communications are not requested."),
        typeset.paragraph(f"Issued on {_day(issued_on)}.", indent=0),
        typeset.signature("Tomas Brandt", "Assistant Prosecutor", "for the Grand Jury"),
    ]
    return typeset.pdf(
        [subpoena, _silence(issued_on, silent_until)],
        title=f"Subpoena, File No. {JURY_DOCKET}",
        foot=f"{COURT} (fictional)   {JURY_DOCKET}",
        stamp=_filed(issued_on),
    )


def _silence(issued_on: dt.date, silent_until: dt.datetime) -> list[typeset.Block]:
    return [
        typeset.heading(COURT, below=22.0),
        typeset.caption(
            ["IN RE GRAND JURY SUBPOENA", f"DIRECTED TO {PROVIDER.upper()}"], [f"File No. {JURY_DOCKET}"]
        ),
        typeset.heading("NONDISCLOSURE ORDER", "18 U.S.C. § 2705(b)"),
        typeset.paragraph(
            "The Court determines that there is reason to believe that notification of the existence of the "
            "attached subpoena will result in destruction of or tampering with evidence."
        ),
        typeset.paragraph(
            f"IT IS ORDERED under 18 U.S.C. § 2705(b) that {PROVIDER} shall not notify any other person of the "
            f"existence of the attached subpoena until {_day(silent_until)}, {_clock(silent_until)}. "
            f"{PROVIDER} may disclose it to an attorney in order to receive legal advice."
        ),
        typeset.paragraph(f"SO ORDERED. Dated {_day(issued_on)}.", indent=0),
        typeset.signature(JUDGE, "District Judge", COURT.title().replace(" Of ", " of ")),
    ]


def area_demand(*, dated: dt.date) -> bytes:
    """An attack as text: everyone in an area, and everyone who used a word. No account is named."""
    return f"""SHERIFF'S OFFICE OF EXAMPLE
{_day(dated)}

To: {PROVIDER}
Reference: 26-0311

Please provide the names and addresses of all users who were located within a
radius of 300 meters of Harbour Square on the evening of {_day(dated)}, and of
everyone who used the word "lighthouse" in a message on that day.

Signed: Deputy L. Crane
""".encode()


def emergency_mail(*, sent_at: dt.datetime) -> bytes:
    """An attack as a mail (.eml): an emergency that will not wait for a call, from a look-alike domain."""
    return _mail(
        subject="URGENT: emergency disclosure request, life at risk",
        sender=f"{OFFICER}, Example State Police <n.aalto@example-police.example>",
        text=_EMERGENCY,
        sent_at=sent_at,
    )


_EMERGENCY = f"""EMERGENCY DISCLOSURE REQUEST (18 U.S.C. § 2702(b)(8) and (c)(4))

There is an imminent danger of death or serious physical injury to a child.
Exigent circumstances: there is no time for a court.

Send within 30 minutes, by reply to this mail: name and address, location data,
the contents of all messages and the password of the account {EVA.id}.

Do not call the station, the line is busy. Do not notify the user.

{OFFICER}
Example State Police
"""


def _mail(
    *, subject: str, sender: str, text: str, sent_at: dt.datetime, attached: tuple[str, bytes] | None = None
) -> bytes:
    """One mail as the operator's own server stored it, with the check that this server wrote on top."""
    domain = sender.rpartition("@")[2].rstrip(">")
    message = EmailMessage(policy=SMTP)
    message["Authentication-Results"] = f"mx.chat.example; dkim=pass header.d={domain}; spf=pass"
    message["From"] = sender
    message["To"] = LEGAL_DESK
    message["Subject"] = subject
    message["Date"] = format_datetime(sent_at)
    message["Message-ID"] = f"<{int(sent_at.timestamp())}@{domain}>"
    message.set_content(text)
    if attached:
        name, content = attached
        message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
        message.set_boundary("=-chat-example-1")
    return message.as_bytes()


def _filed(on: dt.date) -> typeset.Stamp:
    return typeset.Stamp(("FILED", _day(on), "Clerk of the Court"))


def _day(day: dt.date) -> str:
    """As American papers write it: November 3, 2026. Times are read in UTC."""
    utc = day.astimezone(dt.UTC) if isinstance(day, dt.datetime) else day
    return f"{_MONTHS[utc.month - 1]} {utc.day}, {utc.year}"


def _clock(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%H:%M:%S UTC")


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
"""English whatever the locale: ``strftime`` would follow the machine."""
