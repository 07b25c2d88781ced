"""Replies to a European Production Order: what fits its IT system, and the manifest of what does not."""

import dataclasses
import datetime as dt
import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from desk.european import MOST, PARCEL_ID, noise, produced_epoc
from desk.test_erasing import REPORTED, jump
from dueprocess.delivery.handover import manifest_paths, parcel_path
from dueprocess.desk import closing, erasing, handover, manifests, purging, releasing
from dueprocess.desk.check import check_everything
from dueprocess.desk.manifests import Beside, Made
from dueprocess.errors import BrokenError, RefusedError
from dueprocess.history.append import load_case
from dueprocess.parcel.eu_reply import Cause
from office import Office

pytestmark = pytest.mark.stage("brisk")

SAID = Beside(reference="FR-2026-0007", means="registered courier, encrypted disk")
SMALL = 4096


def made(office: Office, case_id: str, said: Beside = SAID, to: Path | None = None) -> Made | None:
    return manifests.make(office.desk, case_id, "t1", said, actor="boris", now=office.now, to=to)


def handed(office: Office, case_id: str, to: Path) -> None:
    handover.deliver(office.desk, case_id, "t1", to, actor="boris", now=office.now)


def told(case_id: str, kind: str = "ManifestMade") -> list[dict[str, Any]]:
    return [dict(event.body) for event in load_case(case_id).events if event.kind == kind]


def code_of(caught: pytest.ExceptionInfo[Any]) -> str:
    return str(caught.value.code)


def test_25_million_bytes_go_through_the_system_and_one_more_does_not(office: Office, tmp_path: Path) -> None:
    """At 25,000,000 bytes nothing is owed; at 25,000,001 a manifest, whose digests are those of the real file."""
    case_id = produced_epoc(office, MOST)
    case = load_case(case_id)
    assert manifests.cause_of(case, "t1", "file") is None
    handed(office, case_id, tmp_path / "fits.tar.age")
    assert made(office, case_id) is None
    assert told(case_id) == []
    assert not any(each.exists() for each in manifest_paths(office.desk.installation.parcels, PARCEL_ID))


def test_an_answer_over_25_mb_gets_its_manifest(office: Office, tmp_path: Path) -> None:
    """Beside the parcel, for its owner only, in both forms; its digest stands in history; a second run adds nothing."""
    case_id = produced_epoc(office, MOST + 1)
    to = tmp_path / "answer.tar.age"
    assert manifests.cause_of(load_case(case_id), "t1", "file", SAID) == "size"
    handed(office, case_id, to)
    found = made(office, case_id, to=to)
    assert found is not None
    assert (found.json, found.text) == manifest_paths(office.desk.installation.parcels, PARCEL_ID)
    value = json.loads(found.json.read_bytes())
    [file] = value["files"]
    assert (file["name"], file["size_bytes"]) == ("answer.tar.age", MOST + 1)
    whole = to.read_bytes()
    assert [each["value"] for each in file["digests"]] == [
        hashlib.sha512(whole).hexdigest(),
        hashlib.sha256(whole).hexdigest(),
    ]
    assert (value["sender"], value["recipient"]) == ("Chat Example", "District Court of Example")
    assert value["orders"] == [{"kind": "EPOC", "reference": "FR-2026-0007"}]
    assert value["transmission"]["means"] == SAID.means
    assert value["transmission"]["until"] is None
    assert value["transmission"]["encryption"] == "other"
    assert "supplied no certificate" in value["transmission"]["why_not_to_the_certificate"]
    assert "FR-2026-0007" in found.text.read_text()
    assert {stat.S_IMODE(each.stat().st_mode) for each in (found.json, found.text)} == {0o600}
    digest = hashlib.sha256(found.json.read_bytes()).hexdigest()
    assert [(each["manifest_sha256"], each["cause"]) for each in told(case_id)] == [(digest, "size")]
    assert "FR-2026" not in str(load_case(case_id).events)
    office.now += dt.timedelta(days=2)
    assert made(office, case_id, to=to) == found
    assert len(told(case_id)) == 1
    assert check_everything(office.desk) == []


def test_a_flipped_byte_stops_it_and_an_altered_manifest_is_seen(office: Office, tmp_path: Path) -> None:
    """The parcel is compared with history first; fsck compares the manifest; a new run writes it again."""
    case_id = produced_epoc(office, SMALL)
    down = dataclasses.replace(SAID, cause="disruption")
    handed(office, case_id, tmp_path / "a")
    found = made(office, case_id, down)
    assert found is not None
    good = found.json.read_bytes()
    found.json.write_bytes(good.replace(b"4096", b"4097"))
    [fault] = check_everything(office.desk)
    assert "manifest" in fault.what
    assert made(office, case_id, down) == found
    assert found.json.read_bytes() == good
    assert len(told(case_id)) == 1
    path = parcel_path(office.desk.installation.parcels, PARCEL_ID)
    path.write_bytes(bytes([noise(SMALL)[0] ^ 1]) + noise(SMALL)[1:])
    with pytest.raises(BrokenError) as caught:
        made(office, case_id, down)
    assert code_of(caught) == "parcel-altered"


def test_a_small_answer_needs_a_cause(office: Office, tmp_path: Path) -> None:
    """A disruption or a forensic need owes a manifest at any size; its size is no cause. A correction is recorded."""
    case_id = produced_epoc(office, SMALL)
    with pytest.raises(RefusedError) as caught:
        manifests.cause_of(load_case(case_id), "t1", "file", dataclasses.replace(SAID, cause="size"))
    assert code_of(caught) == "fits-the-system"
    assert "Article 19(5)" in caught.value.source
    handed(office, case_id, tmp_path / "a")
    causes: tuple[Cause, ...] = ("disruption", "legal_or_forensic")
    for cause in causes:
        found = made(office, case_id, dataclasses.replace(SAID, cause=cause))
        assert found is not None
        assert json.loads(found.json.read_bytes())["transmission"]["why_not_through_the_system"] == cause
    assert [each["cause"] for each in told(case_id)] == list(causes)


def test_what_the_manifest_would_lack_is_asked_before(office: Office) -> None:
    """Nothing is begun without the authority's file number and the means."""
    case_id = produced_epoc(office, MOST + 1)
    for said, lacks in (
        (Beside(), "--reference"),
        (Beside(reference=" ", means="a disk"), "--reference"),
        (Beside(reference="FR-1"), "--means"),
    ):
        with pytest.raises(RefusedError) as caught:
            manifests.cause_of(load_case(case_id), "t1", "file", said)
        assert code_of(caught) == "manifest-lacks"
        assert lacks in caught.value.do
    with pytest.raises(RefusedError) as caught:
        made(office, case_id)
    assert code_of(caught) == "nothing-begun"


def test_a_release_lasts_as_long_as_the_manifest_says(office: Office) -> None:
    """10 to 45 days; longer at the authority's request; the end in the manifest is the end of the release."""
    case_id = produced_epoc(office, MOST + 1)
    case, told_by = load_case(case_id), dataclasses.replace(SAID, means="")
    with pytest.raises(RefusedError) as caught:
        releasing.release(office.desk, case_id, "t1", actor="boris", now=office.now, days=9)
    assert code_of(caught) == "too-short"
    assert "point 3.3.3(b)" in caught.value.source
    assert told(case_id, "ParcelReleased") == []
    for days, extended, refused in (
        (9, True, True),
        (10, False, False),
        (45, False, False),
        (46, False, True),
    ):
        said = dataclasses.replace(told_by, extended=extended)
        if refused:
            with pytest.raises(RefusedError):
                manifests.check_release(case, "t1", days, said)
        else:
            assert manifests.check_release(case, "t1", days, said) == "size"
    long = dataclasses.replace(told_by, extended=True)
    assert manifests.check_release(case, "t1", 60, long) == "size"
    releasing.release(office.desk, case_id, "t1", actor="boris", now=office.now, days=60)
    found = made(office, case_id, long)
    assert found is not None
    value = json.loads(found.json.read_bytes())["transmission"]
    assert value["until"] == told(case_id, "ParcelReleased")[0]["expires_at"]
    assert value["extended_at_the_authoritys_request"] is True
    assert value["proof"] == f"/parcels/{PARCEL_ID} of the sender's portal"
    assert json.loads(found.json.read_bytes())["files"][0]["name"] == f"{PARCEL_ID}.tar.age"


def test_an_opened_answer_is_listed_as_it_was_written(office: Office, tmp_path: Path) -> None:
    """On a medium: no encryption, the digests of the opened file. Through the official system: never beside it."""
    case_id = produced_epoc(office, SMALL, handover="sealed_medium")
    case, to = load_case(case_id), tmp_path / "answer.tar"
    down = dataclasses.replace(SAID, cause="disruption")
    with pytest.raises(RefusedError) as caught:
        manifests.cause_of(case, "t1", "official_system", down)
    assert code_of(caught) == "beside-the-system"
    assert manifests.cause_of(case, "t1", "official_system") is None
    handover.record(office.desk, case_id, "t1", to, channel="sealed_medium", actor="boris", now=office.now)
    with pytest.raises(RefusedError) as caught:
        made(office, case_id, down)
    assert code_of(caught) == "no-file"
    found = made(office, case_id, down, to)
    assert found is not None
    value = json.loads(found.json.read_bytes())
    assert value["files"][0]["name"] == "answer.tar"
    assert value["files"][0]["digests"][1]["value"] == hashlib.sha256(noise(SMALL)).hexdigest()
    assert value["transmission"]["encryption"] == "none"


def test_another_law_has_no_manifest(office: Office) -> None:
    """A 2703(d) order owes none at any size, and its words are refused; a release of one day is fine for it."""
    case_id = office.approved_case()
    office.wait(hours=30)
    office.produce(case_id)
    office.wait(hours=6)
    case = load_case(case_id)
    assert not manifests.is_european(case)
    assert manifests.cause_of(case, "t1", "file") is None
    with pytest.raises(RefusedError) as caught:
        manifests.cause_of(case, "t1", "file", SAID)
    assert code_of(caught) == "no-european-order"
    assert manifests.check_release(case, "t1", 1) is None
    releasing.release(office.desk, case_id, "t1", actor="boris", now=office.now, days=1)


def test_a_manifest_goes_with_its_parcel(office: Office, tmp_path: Path) -> None:
    """Thirty days after the hand-over nothing of it lies there, and it cannot be made again."""
    case_id = produced_epoc(office, SMALL)
    handed(office, case_id, tmp_path / "a")
    down = dataclasses.replace(SAID, cause="disruption")
    found = made(office, case_id, down)
    assert found is not None
    assert found.json.exists()
    office.now += dt.timedelta(days=30)
    assert purging.purge_parcels(office.desk, office.now)
    assert not found.json.exists()
    assert not found.text.exists()
    with pytest.raises(RefusedError) as caught:
        made(office, case_id, down)
    assert code_of(caught) == "purged"
    assert check_everything(office.desk) == []


def test_erasing_a_case_takes_its_manifest(office: Office, tmp_path: Path) -> None:
    """One that a restored backup brought back goes with the case: it names recipient and file number."""
    case_id = produced_epoc(office, SMALL)
    handed(office, case_id, tmp_path / "a")
    found = made(office, case_id, dataclasses.replace(SAID, cause="disruption"))
    assert found is not None
    kept = found.json.read_bytes()
    office.wait(hours=6)
    office.close(case_id)
    jump(office, REPORTED)
    desk = office.desk
    closing.report(desk, "2026H2", desk.installation.public / "reports" / "2026H2", now=office.now)
    office.wait(hours=6)
    assert not found.json.exists()
    found.json.write_bytes(kept)
    found.text.write_bytes(kept)
    signers = [office.people[each] for each in ("boris", "chi")]
    erasing.erase(desk, case_id, "retention-over", signers, now=office.now)
    assert not found.json.exists()
    assert not found.text.exists()
