"""Reply to a European Production Order: through the system up to 25 MB, with a manifest above."""

import dataclasses
import datetime as dt
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.parcel.eu_reply import (
    MOST_IN_THE_SYSTEM_BYTES,
    EuManifest,
    OrderMark,
    SentFile,
    Transmission,
    fits_the_system,
    manifest_json,
    manifest_owed,
    manifest_text,
    sent_file,
)
from parcel.eu import FILE, MANIFEST, NOON, SENT


def large(size: int) -> EuManifest:
    return dataclasses.replace(MANIFEST, files=(dataclasses.replace(FILE, size=size),))


def test_the_size_decides() -> None:
    """25 MB go through the system as one attachment; one byte more owes a manifest."""
    assert fits_the_system(MOST_IN_THE_SYSTEM_BYTES)
    assert not fits_the_system(MOST_IN_THE_SYSTEM_BYTES + 1)
    assert MOST_IN_THE_SYSTEM_BYTES <= 25_600 * 1000
    assert manifest_owed(large(MOST_IN_THE_SYSTEM_BYTES)) is None
    above = large(MOST_IN_THE_SYSTEM_BYTES + 1)
    assert manifest_owed(above) is above


def test_another_cause_owes_a_manifest_at_any_size() -> None:
    """The system may be down for a small reply too."""
    down = dataclasses.replace(MANIFEST, transmission=dataclasses.replace(SENT, cause="disruption"))
    assert manifest_owed(down) is down


def test_both_renderings_have_everything_that_the_regulation_lists() -> None:
    """Sender, recipient, order, time, means, full name, size, digest with its algorithm, end of access."""
    text, value = manifest_text(MANIFEST).decode(), json.loads(manifest_json(MANIFEST))
    facts = (
        "Example Host",
        "Juge Beispiel",
        "FR-2026-0007",
        "2026-11-22T12:00:00Z",
        "secure link",
        "log entry 7",
    )
    for fact in (
        *facts,
        FILE.name,
        str(FILE.size),
        FILE.sha512,
        FILE.sha256,
        "2026-12-12T12:00:00Z",
        "p-7f3k",
    ):
        assert fact in text
        assert fact in manifest_json(MANIFEST).decode()
    assert value["files"][0]["digests"][0] == {"algorithm": "SHA-512", "value": FILE.sha512}
    assert "SHA-512" in text
    assert value["transmission"]["until"] == "2026-12-12T12:00:00Z"


def test_what_is_not_there_has_no_line() -> None:
    """A hand-over for good has no end of access; a manifest without remarks or explanations has none."""
    sent = dataclasses.replace(
        SENT, until=None, proof="", encryption="none", why_not_x509="no such certificate"
    )
    text = manifest_text(dataclasses.replace(MANIFEST, transmission=sent, remarks="Part 1 of 1.")).decode()
    assert "Accessible until" not in text
    assert "Record: none yet" in text
    assert "Why not to the certificate: no such certificate" in text
    assert "(c) Remarks: Part 1 of 1." in text
    assert "Remarks" not in manifest_text(MANIFEST).decode()
    assert "Why not to the certificate" not in manifest_text(MANIFEST).decode()


@pytest.mark.parametrize(
    ("days", "extended", "good"),
    [
        (9, False, False),
        (10, False, True),
        (45, False, True),
        (46, False, False),
        (46, True, True),
        (9, True, False),
    ],
)
def test_evidence_stays_accessible_for_10_to_45_days(days: int, extended: bool, good: bool) -> None:  # noqa: FBT001
    """Longer only where the authority asked for it, shorter never."""

    def make() -> Transmission:
        return dataclasses.replace(SENT, until=NOON + dt.timedelta(days=days), extended=extended)

    if good:
        said = manifest_text(dataclasses.replace(MANIFEST, transmission=make())).decode()
        assert ("extended at the authority's request" in said) is extended
    else:
        with pytest.raises(MalformedError, match="10 to 45"):
            make()


@pytest.mark.parametrize(
    "change",
    [
        {"files": ()},
        {"orders": ()},
        {"sender": " "},
        {"recipient": ""},
        {"reference": ""},
        {"orders": (OrderMark("EPOC", ""),)},
        {"files": (FILE, FILE)},
        {"transmission": dataclasses.replace(SENT, means="")},
    ],
)
def test_an_incomplete_manifest_is_refused(change: dict[str, object]) -> None:
    """Nothing that the regulation lists may be missing, and no name may stand for two files."""
    with pytest.raises(MalformedError) as caught:
        dataclasses.replace(MANIFEST, **change)  # type: ignore[arg-type]  # each case changes one field
    assert caught.value.code == "incomplete-manifest"


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "a/b"},
        {"name": "a\nb"},
        {"size": 0},
        {"sha256": "AB" * 32},
        {"sha512": "ab" * 32},
    ],
)
def test_a_file_has_a_name_a_size_and_two_digests(change: dict[str, object]) -> None:
    """No path, no line feed, no other digest."""
    with pytest.raises(MalformedError) as caught:
        dataclasses.replace(FILE, **change)  # type: ignore[arg-type]  # each case changes one field
    assert caught.value.code == "bad-sent-file"


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=6).filter(any))
@settings(max_examples=40, deadline=None)
def test_digests_are_those_of_the_bytes(pieces: list[bytes]) -> None:
    """However they are cut."""
    whole = b"".join(pieces)
    made = sent_file("p.tar.age", pieces)
    assert made == SentFile(
        "p.tar.age", len(whole), hashlib.sha256(whole).hexdigest(), hashlib.sha512(whole).hexdigest()
    )


@given(st.text(min_size=1, max_size=20).filter(lambda text: bool(text.strip())))
@settings(max_examples=60, deadline=None)
def test_a_foreign_text_begins_no_line_of_its_own(value: str) -> None:
    """A recipient's name cannot add a file or a digest."""
    changed = dataclasses.replace(MANIFEST, recipient=value, remarks=value)
    assert len(manifest_text(changed).splitlines()) == len(manifest_text(MANIFEST).splitlines()) + 1
    json.loads(manifest_json(changed))
