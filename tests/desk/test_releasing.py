"""Releases: from the gate to the event of a download, through crashes of both sides, to their end and the purge."""

import datetime as dt
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyrage
import pytest

from dueprocess.delivery import fetches, releases
from dueprocess.delivery.fetches import fetched_folder
from dueprocess.delivery.handover import parcel_path, purged_path
from dueprocess.delivery.releases import releases_folder
from dueprocess.desk import handover, purging, releasing, rosters
from dueprocess.desk.check import check_everything
from dueprocess.errors import ConflictError, RefusedError
from dueprocess.history.append import load_case
from dueprocess.portal.server import open_server
from dueprocess.worker.clock import set_clock
from office import Office
from portal.waiting import Waiting

pytestmark = pytest.mark.stage("produced")


@dataclass
class Fetching(Waiting):
    """A client of this office's portal."""

    parcel_id: str = ""

    @property
    def path(self) -> str:
        return f"/parcels/{self.parcel_id}"

    def get(self, token: str, **headers: str) -> Any:
        return self.ask(f"{self.path}/file", Authorization=f"Bearer {token}", **headers)

    def fresh(self) -> str:
        sealed = self.ask(f"{self.path}/challenge", "POST")
        assert sealed.status == 200, sealed
        return bytes(pyrage.decrypt(sealed.body, [self.officer])).decode()


@pytest.fixture
def portal(office: Office) -> Iterator[Fetching]:
    """The portal of the office, in a thread, on the office's clock."""
    root = office.desk.installation.root
    found = Fetching(root, b"", office.officer)
    server = open_server(
        "127.0.0.1",
        0,
        (releases_folder(root), fetched_folder(root)),
        clock=lambda: office.now,
        report=found.said.append,
    )
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    found.servers.append(server)
    yield found
    server.stop()


def release(office: Office, portal: Fetching | None = None, **how: Any) -> str:
    made = releasing.release(office.desk, office.cases[0], "t1", actor="boris", now=office.now, **how)
    if portal is not None:
        portal.parcel_id = made.release.parcel_id
    return made.release.release


def end_authority(office: Office, verdict: Literal["revoke", "suspend"]) -> None:
    """Two people end the court's entry."""
    entry = office.desk.roster().authority("a-court")
    assert entry is not None
    signers = [office.people["boris"], office.people["chi"]]
    document = rosters.ending_document(verdict, entry.credential)
    rosters.enrol(office.desk, document, signers, office.now, verdict=verdict)


def kinds(office: Office) -> list[str]:
    return [event.kind for event in load_case(office.cases[0]).events]


def told(office: Office, kind: str) -> list[dict[str, Any]]:
    return [dict(event.body) for event in load_case(office.cases[0]).events if event.kind == kind]


def turn(office: Office, **later: float) -> list[str]:
    office.now += dt.timedelta(**later)
    set_clock(office.desk.installation, office.now)
    return releasing.keep_releases(office.desk, office.now)


def parcel(office: Office) -> Path:
    state = load_case(office.cases[0]).target("t1")
    assert state.produced is not None
    return parcel_path(office.desk.installation.parcels, state.produced.text("parcel_id"))


def settled(office: Office, release_id: str) -> None:
    from portal.waiting import until

    folder = fetched_folder(office.desk.installation.root)
    assert until(lambda: not any(each.running for each in fetches.look(folder, release_id)))


def test_a_release_is_fetched_once_and_recorded(office: Office, portal: Fetching) -> None:
    """Gate, release, challenge, file; the worker's turn makes it a delivery and takes everything away."""
    found = release(office, portal)
    assert kinds(office)[-2:] == ["DeliveryStarted", "ParcelReleased"]
    assert told(office, "DeliveryStarted")[0]["channel"] == "download"
    assert "it can be fetched" not in str(turn(office))
    got = portal.get(portal.fresh())
    assert (got.status, got.body) == (200, parcel(office).read_bytes())
    settled(office, found)
    assert any("completely" in line for line in turn(office))
    assert kinds(office)[-2:] == ["ParcelFetched", "ParcelDelivered"]
    fetched = told(office, "ParcelFetched")[0]
    assert (fetched["bytes"], fetched["requests"], fetched["complete"]) == (len(got.body), 1, True)
    assert told(office, "ParcelDelivered")[0]["channel"] == "download"
    assert portal.ask(portal.path).status == 404
    assert not releases.offered(releases_folder(office.root))
    assert not fetches.releases_noted(fetched_folder(office.root))
    assert turn(office) == []
    assert parcel(office).exists(), "the installation keeps its own until the purge"
    assert check_everything(office.desk) == []


def test_the_portal_is_told_no_case_and_no_account(office: Office, portal: Fetching) -> None:
    """Nothing in its folders names a case, an account or another key than the requester's public one."""
    release(office, portal)
    for path in releases_folder(office.root).rglob("*"):
        text = b"" if path.is_dir() else path.read_bytes()
        assert office.cases[0].encode() not in text
        assert office.cases[0][:8] not in str(path)
        assert b"eva" not in text
    at = releases.receipt_path(releases_folder(office.root), portal.parcel_id)
    assert b"case" in pyrage.decrypt(at.read_bytes(), [office.officer])


def test_a_release_needs_the_gate(office: Office) -> None:
    """An authority that is suspended gets nothing, and no release appears."""
    end_authority(office, "suspend")
    office.wait(hours=6)
    with pytest.raises(RefusedError) as caught:
        release(office)
    assert caught.value.code == "authority-suspended"
    assert not releases.offered(releases_folder(office.root))


def test_a_resumed_download_is_one_event(office: Office, portal: Fetching) -> None:
    """Three requests under one token: one event with the bytes of all; nothing before it is over."""
    found = release(office, portal)
    token, size = portal.fresh(), parcel(office).stat().st_size
    for first, last in ((0, 99), (100, 999)):
        portal.get(token, Range=f"bytes={first}-{last}")
    settled(office, found)
    turn(office)
    assert "ParcelFetched" not in kinds(office), "it may still be resumed"
    portal.get(token, Range="bytes=1000-")
    settled(office, found)
    turn(office)
    assert [(each["requests"], each["bytes"]) for each in told(office, "ParcelFetched")] == [(3, size)]


def test_a_download_that_lapses_is_an_event_and_its_bytes_count(office: Office, portal: Fetching) -> None:
    """Half under one token, an hour later the rest under another: two events, one hand-over."""
    found = release(office, portal)
    portal.get(portal.fresh(), Range="bytes=0-999")
    settled(office, found)
    assert any("1000 bytes of it" in line for line in turn(office, hours=1))
    assert turn(office) == [], "told once"
    portal.get(portal.fresh(), Range="bytes=1000-")
    settled(office, found)
    turn(office)
    assert [each["complete"] for each in told(office, "ParcelFetched")] == [False, True]
    assert kinds(office)[-1] == "ParcelDelivered"


def test_a_release_that_nobody_fetched_fails_in_time(office: Office, portal: Fetching) -> None:
    """A second before its end nothing; at its end it can be handed over again, and no file waits any more."""
    release(office, portal, days=1)
    assert turn(office, hours=23, minutes=59, seconds=59) == []
    assert any("its time is over" in line for line in turn(office, seconds=1))
    assert kinds(office)[-1] == "DeliveryFailed"
    assert portal.ask(portal.path).status == 404
    assert load_case(office.cases[0]).target("t1").stage == "produced"
    office.wait(hours=6)
    second = release(office, portal)
    assert portal.ask(portal.path).status == 200
    portal.get(portal.fresh())
    settled(office, second)
    turn(office)
    assert kinds(office)[-1] == "ParcelDelivered"


def test_a_part_that_was_fetched_is_told_when_the_time_is_over(office: Office, portal: Fetching) -> None:
    """What went out stands in history although the hand-over failed."""
    found = release(office, portal, days=1)
    portal.get(portal.fresh(), Range="bytes=0-9")
    settled(office, found)
    turn(office, days=1)
    assert kinds(office)[-2:] == ["ParcelFetched", "DeliveryFailed"]


def test_a_release_can_be_taken_back_unless_it_was_fetched(office: Office, portal: Fetching) -> None:
    """--confirm lost ends it at once; after a complete download it says so instead."""
    release(office, portal)
    event = handover.confirm(office.desk, office.cases[0], "t1", actor="boris", now=office.now, arrived=False)
    assert (event.kind, event.actor) == ("DeliveryFailed", "boris")
    assert portal.ask(portal.path).status == 404
    office.wait(hours=6)
    found = release(office, portal)
    portal.get(portal.fresh())
    settled(office, found)
    with pytest.raises(ConflictError):
        handover.confirm(office.desk, office.cases[0], "t1", actor="boris", now=office.now, arrived=False)
    assert kinds(office)[-1] == "ParcelDelivered"


def test_it_is_not_released_twice(office: Office) -> None:
    """A second release while the first waits, and one after the hand-over, are refused."""
    release(office)
    with pytest.raises(RefusedError) as caught:
        release(office)
    assert caught.value.code == "released"
    with pytest.raises(RefusedError):
        office.deliver(office.cases[0], office.root.parent / "parcel.age")


def test_a_person_may_reopen_what_was_fetched(office: Office, portal: Fetching, tmp_path: Path) -> None:
    """--again, with a reason: recorded, through the gate, fetched again; refused without the reason."""
    office.deliver(office.cases[0], tmp_path / "parcel.age")
    with pytest.raises(RefusedError):
        release(office)
    with pytest.raises(RefusedError):
        release(office, again="please")
    assert kinds(office)[-1] == "ParcelDelivered"
    found = release(office, portal, again="lost")
    assert kinds(office)[-3:] == ["DeliveryReopened", "DeliveryStarted", "ParcelReleased"]
    assert portal.get(portal.fresh()).body == (tmp_path / "parcel.age").read_bytes()
    settled(office, found)
    turn(office)
    assert kinds(office)[-1] == "ParcelDelivered"
    release(office, again="unreadable", days=1)
    turn(office, days=1)
    assert kinds(office)[-1] == "ReopeningLapsed"
    assert load_case(office.cases[0]).target("t1").stage == "delivered"
    assert check_everything(office.desk) == []


def test_a_refused_reopening_leaves_no_trace(office: Office, tmp_path: Path) -> None:
    """The gate says no (the authority was suspended): the target stays delivered, in the same transaction."""
    office.deliver(office.cases[0], tmp_path / "parcel.age")
    end_authority(office, "suspend")
    office.wait(hours=6)
    before = kinds(office)
    with pytest.raises(RefusedError) as caught:
        release(office, again="lost")
    assert caught.value.code == "authority-suspended"
    assert kinds(office) == before


def test_a_release_follows_from_history_after_a_crash(office: Office, portal: Fetching) -> None:
    """Killed after the event and before the files, or half way through them: the worker's turn makes them."""
    release(office, portal)
    for left in ((), ("parcel",), ("parcel", "receipt")):
        at = releases_folder(office.root) / portal.parcel_id
        kept = {name: (at / name).read_bytes() for name in left}
        shutil.rmtree(at)
        at.mkdir()
        for name, content in kept.items():
            (at / name).write_bytes(content)
        assert portal.ask(portal.path).status == 404
        turn(office)
        assert portal.ask(portal.path).status == 200


def test_a_worker_killed_after_recording_tells_nothing_twice(office: Office, portal: Fetching) -> None:
    """The event is there, what it was made from too: the next turn only tidies up."""
    found = release(office, portal)
    portal.get(portal.fresh())
    settled(office, found)
    copies = [
        (each, each.with_name(each.name + "-copy"))
        for each in (releases_folder(office.root), fetched_folder(office.root))
    ]
    for folder, copy in copies:
        shutil.copytree(folder, copy)
    turn(office)
    before = kinds(office)
    for folder, copy in copies:
        shutil.rmtree(folder)
        copy.rename(folder)
    assert turn(office) == []
    assert kinds(office) == before
    assert not releases.offered(releases_folder(office.root))
    assert not fetches.releases_noted(fetched_folder(office.root))


def test_what_is_being_sent_is_waited_for(office: Office, portal: Fetching) -> None:
    """A download that is running at the end of its release is told when it has stopped, not lost."""
    found = release(office, portal, days=1)
    folder = fetched_folder(office.root)
    token = fetches.find(folder, found, portal.fresh(), office.now)
    assert token is not None
    with fetches.sending(folder, found, token, 0, set()) as line:
        line.sent(500, 600)
        assert turn(office, days=1) == []
        assert kinds(office)[-1] == "ParcelReleased"
    turn(office)
    assert kinds(office)[-2:] == ["ParcelFetched", "DeliveryFailed"]
    assert told(office, "ParcelFetched")[0]["bytes"] == 500


def test_a_suspended_authority_ends_its_release(office: Office, portal: Fetching) -> None:
    """Whoever loses its standing while the parcel waits cannot fetch it any more."""
    release(office, portal)
    end_authority(office, "revoke")
    assert any("not in good standing" in line for line in turn(office, seconds=1))
    assert portal.ask(portal.path).status == 404
    assert kinds(office)[-1] == "DeliveryFailed"


def test_garbage_in_the_portals_folder_harms_nobody(office: Office, portal: Fetching) -> None:
    """Whoever takes the portal over can write there; the worker believes no more than it must."""
    found = release(office, portal)
    at = fetched_folder(office.root) / found
    at.mkdir(parents=True)
    (at / "0011223344556677.token").write_bytes(b"\xff{")
    (at / "0011223344556678.token").write_text('{"v":1}')
    (at / "0011223344556678.sent").write_bytes(os.urandom(500))
    (at / "x.token").write_text("{}")
    (fetched_folder(office.root) / "something").mkdir()
    assert turn(office) == []
    assert not (fetched_folder(office.root) / "something").exists()
    assert portal.get(portal.fresh()).status == 200


def test_a_purged_parcel_is_gone_told_and_not_missed(office: Office, tmp_path: Path) -> None:
    """Thirty days after the hand-over, open case or closed; fsck says nothing, a copy cannot be handed out."""
    office.deliver(office.cases[0], tmp_path / "parcel.age")
    path = parcel(office)
    office.now += dt.timedelta(days=29, hours=23)
    set_clock(office.desk.installation, office.now)
    assert purging.purge_parcels(office.desk, office.now) == []
    office.now += dt.timedelta(hours=1)
    set_clock(office.desk.installation, office.now)
    assert len(purging.purge_parcels(office.desk, office.now)) == 1
    assert kinds(office)[-1] == "ParcelPurged"
    assert not path.exists()
    assert list(path.parent.glob("p-*")) == []
    assert [each for each in check_everything(office.desk) if each.table == "parcel"] == []
    assert purging.purge_parcels(office.desk, office.now) == []
    with pytest.raises(RefusedError) as caught:
        handover.deliver(
            office.desk,
            office.cases[0],
            "t1",
            tmp_path / "again.age",
            actor="boris",
            now=office.now,
            again="lost",
        )
    assert caught.value.code == "purged"


def test_a_closed_cases_parcel_is_purged(office: Office, tmp_path: Path) -> None:
    """Closed before the thirty days were over; the case is looked at once."""
    office.deliver(office.cases[0], tmp_path / "parcel.age")
    office.wait(hours=12)
    office.notify(office.cases[0])
    office.close(office.cases[0])
    office.now += dt.timedelta(days=31)
    set_clock(office.desk.installation, office.now)
    assert len(purging.purge_parcels(office.desk, office.now)) == 1
    assert not parcel(office).exists()
    assert (office.desk.installation.parcels / ".purged-until").exists()


@pytest.mark.parametrize("moment", ["renamed", "recorded"])
def test_a_purge_goes_on_after_a_crash(office: Office, tmp_path: Path, moment: str) -> None:
    """Killed between the steps: no fault for fsck, and the next turn ends it."""
    from dueprocess.steps import deliver as steps

    office.deliver(office.cases[0], tmp_path / "parcel.age")
    path = parcel(office)
    office.now += dt.timedelta(days=30)
    set_clock(office.desk.installation, office.now)
    purged = purged_path(path.parent, path.name.removesuffix(".tar.age"))
    path.rename(purged)
    if moment == "recorded":
        steps.record_purge(office.cases[0], office.desk.hand("worker", office.now, office.cases[0]), "t1")
    assert [each for each in check_everything(office.desk) if each.table == "parcel"] == []
    purging.purge_parcels(office.desk, office.now)
    assert not purged.exists()
    assert kinds(office).count("ParcelPurged") == 1
