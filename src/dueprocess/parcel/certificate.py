"""Certificate of the custodian of records: a form that binds a signed paper to the files.

The software says what it recorded: how the copies were made, which files, which digests. Whatever only a person can
know stands as a box to tick or a blank to fill, and the software ticks and fills none. The account is not named: a
certificate is filed in public records.

Source: 28 USC 1746 (read at release point 119-73). Federal Rules of Evidence 902(11), (13), (14) and 803(6) were not
read at a primary source: docs/parcel.md says which words are ours.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from dueprocess.parcel.bag import Entry, manifest
from dueprocess.parcel.page import Block, Page, cell, visible
from dueprocess.parcel.statement import NOT_NOTHING, counted
from dueprocess.wire import instant, sha256_hex

Form = Literal["us", "neutral"]
CERTIFICATE = "data/certificate.pdf"
MOST_LISTED = 50
"""A certificate lists so many files; of more it lists none, and the digest stands for all."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What the software recorded about one package. ``failed`` and ``entries`` count entries of the data map."""

    parcel_id: str
    operator: str
    authority: str
    order: str
    software: str
    started_at: dt.datetime
    ended_at: dt.datetime
    entries: int
    failed: int
    files: tuple[Entry, ...]
    """Every payload file of the package but the certificate itself."""

    @property
    def payload_sha256(self) -> str:
        return payload_sha256(self.files)


def form_for(country: str) -> Form:
    """The form for an authority of this country, by its ISO 3166 code; the neutral one where none is known."""
    return "us" if country.upper() == "US" else "neutral"


def payload_sha256(files: Iterable[Entry]) -> str:
    """The SHA-256 of the payload manifest as it stood before the certificate was added.

    So it is that of ``manifest-sha256.txt`` without the certificate's own line.
    """
    return sha256_hex(manifest(each for each in files if each.path != CERTIFICATE))


def certificate_page(facts: CertificateFacts, form: Form) -> Page:
    """The form, ready to be printed, read, ticked and signed by a person."""
    title = "Certificate of records" if form == "us" else "Attestation of copies"
    ticks, oath = (_US_TICKS, _US_OATH) if form == "us" else (_NEUTRAL_TICKS, _NEUTRAL_OATH)
    blocks = (
        Block("warning", _UNSIGNED),
        Block("facts", rows=_about(facts)),
        Block("heading", "1. What the software recorded"),
        *(Block("item", each) for each in _recorded(facts)),
        Block("heading", "2. What binds this paper to the files"),
        *_binding(facts),
        Block("heading", "3. What the signer affirms"),
        Block("text", "The signer ticks what is true to their knowledge, and strikes out the rest."),
        *(Block("tick", each) for each in ticks),
        Block("text", "Remarks, if any:"),
        Block("blanks", rows=(("",),)),
        Block("heading", "4. Declaration"),
        *(Block("tick" if form == "us" else "text", each) for each in oath),
        Block(
            "text",
            f"This is about answer package {visible(facts.parcel_id)}, whose list of files has the SHA-256 "
            f"{facts.payload_sha256}.",
        ),
        Block("blanks", rows=_BLANKS),
        *_listed(facts.files),
    )
    return Page(title, f"{title}, {visible(facts.parcel_id)}", visible(facts.operator), blocks)


def _about(facts: CertificateFacts) -> tuple[tuple[str, str], ...]:
    return (
        ("Records of", cell(facts.operator)),
        ("Produced to", cell(facts.authority)),
        ("In answer to", cell(facts.order)),
        ("Answer package", cell(facts.parcel_id)),
    )


def _recorded(facts: CertificateFacts) -> tuple[str, ...]:
    failed = f"Failed: {facts.failed:,}; which and why stands in data/index.html. {NOT_NOTHING}"
    read = f"Entries of the operator's list of what it holds that were to be read: {facts.entries:,}. "
    return (
        (
            f"The copies were made by {visible(facts.software)} between {instant(facts.started_at)} and "
            f"{instant(facts.ended_at)}, by queries that only read. The queries stand in data/queries.sql, the values "
            "they were given in data/decision.json."
        ),
        (
            "The software copied what one decision names, and checked of each record that it belongs to the account "
            "and lies in the window. What was left out, and why, stands in data/index.html."
        ),
        (
            "Each file was hashed with SHA-256 while it was written. The hashes stand in manifest-sha256.txt, in the "
            "form of RFC 8493."
        ),
        read + (failed if facts.failed else "None failed."),
        "Copies from a hold, or collected by hand, are named in data/index.html with the time when they were taken.",
        "The software does not know whether the records are true, or how and why the operator makes them.",
    )


def _binding(facts: CertificateFacts) -> tuple[Block, ...]:
    size = sum(each.size for each in facts.files)
    rows = (
        ("Files", f"{counted(len(facts.files), 'file')}, {size:,} bytes, this paper not counted"),
        ("SHA-256 of their list", facts.payload_sha256),
        ("How to check", f"grep -v ' {CERTIFICATE}$' manifest-sha256.txt | sha256sum"),
        ("or", "dueprocess verify FOLDER"),
    )
    said = (
        "The list is manifest-sha256.txt without the line of this certificate: digest and path of each file."
    )
    return Block("facts", rows=rows), Block("text", said)


def _listed(files: Sequence[Entry]) -> tuple[Block, ...]:
    if not files or len(files) > MOST_LISTED:
        return ()
    title = "Annex: the files"
    rows = tuple(
        (cell(each.path), f"{each.size:,}", each.sha256) for each in sorted(files, key=lambda one: one.path)
    )
    return Block("heading", title), Block("table", title, ("File", "Bytes", "SHA-256"), rows, (31, 9, 60))


_UNSIGNED = "This form was filled in by a program. It certifies nothing until a person has read, ticked and signed it."

_BLANKS = (("Name", "Title and employer"), ("Executed on (date)", "Place"), ("Signature",))

_US_TICKS = (
    (
        "I am a custodian of the records, or another person qualified to speak about them, and I am familiar with how "
        "the operator makes and keeps them."
    ),
    (
        "Fed. R. Evid. 902(11): the records were made at or near the time of what they record, by someone with "
        "knowledge or from what such a person transmitted; they were kept in the course of a regularly conducted "
        "activity of the operator; and making them was a regular practice of that activity."
    ),
    (
        "Fed. R. Evid. 902(13): the records were generated by an electronic process or system that produces an "
        "accurate result. I am qualified to say so because of what I state under Remarks."
    ),
    (
        "Fed. R. Evid. 902(14): the files are data copied from an electronic device, storage medium or file, and I "
        "have compared the digest in part 2 with the files. I am qualified to say so because of what I state under "
        "Remarks."
    ),
)
_US_OATH = (
    (
        "Executed within the United States, its territories, possessions, or commonwealths (28 U.S.C. 1746(2)): I "
        "declare under penalty of perjury that the foregoing is true and correct."
    ),
    (
        "Executed outside the United States (28 U.S.C. 1746(1)): I declare under penalty of perjury under the laws of "
        "the United States of America that the foregoing is true and correct."
    ),
)
_NEUTRAL_TICKS = (
    "I am responsible for the records of the operator, or authorised to speak about them.",
    "I know how the operator makes and keeps these records, and the files are copies of them.",
    "I have compared the digest in part 2 with the files.",
    "Making such records is a regular practice of the operator.",
)
_NEUTRAL_OATH = (
    (
        "I attest that what is ticked above is true to the best of my knowledge. Which form the law of the recipient "
        "asks for (an oath, a seal, a qualified signature) is for the signer and the recipient to know."
    ),
)
