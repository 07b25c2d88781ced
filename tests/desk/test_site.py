"""The public files of an installation: made from its active packs, written once, served with their types."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper

from dueprocess.desk import packs as pack_decisions
from dueprocess.desk.site import public_facts, write_site
from dueprocess.public.site import site
from dueprocess.ui import WELL_KNOWN
from office import Office


def read(office: Office) -> tuple[str, Any]:
    """The page for authorities and the profile, as they lie on disk."""
    public = office.desk.installation.public
    return (public / "serve.html").read_text(encoding="utf-8"), json.loads((public / WELL_KNOWN).read_bytes())


def fetch(root: Path, path: str) -> tuple[str, dict[str, str], bytes]:
    """An answer of the web process."""
    said: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], object]:
        said.update(status=status, headers={name.lower(): value for name, value in headers})
        return lambda _: None

    answer = site(root)({"REQUEST_METHOD": "GET", "PATH_INFO": path}, start)
    body = b"".join(answer)
    if isinstance(answer, FileWrapper):
        answer.close()
    return said["status"], said["headers"], body


def test_the_profile_lies_beside_the_pages_and_names_the_packs_in_force(office: Office) -> None:
    """Every active pack by its digest, and no shipped one that two people did not put in force."""
    write_site(office.desk)
    page, profile = read(office)
    active = office.desk.packs
    assert {each["id"]: each["sha256"] for each in [*profile["packs"], *profile["baseline"]]} == {
        each.id: each.sha256 for each in active.values()
    }
    assert profile["origin"] == office.desk.installation.origin
    for pack in profile["packs"]:
        for paper in pack["instruments"]:
            assert f'id="{paper["section"]}"' in page


def test_a_pack_that_two_people_retired_leaves_the_page_and_the_profile(office: Office) -> None:
    """With the next epoch its papers are gone; an installation without rules asks for nothing."""
    write_site(office.desk)
    assert "Search warrant" in read(office)[0]
    two = [office.people["boris"], office.people["chi"]]
    for pack_id in [each.id for each in office.desk.packs.values() if each.kind == "regime"]:
        pack_decisions.retire(office.desk, pack_id, two, office.now)
    office.wait(hours=2)
    page, profile = read(office)
    assert profile["packs"] == []
    assert "us.sca" not in json.dumps(profile)
    assert "Search warrant" not in page
    assert "Please send nothing." in page


def test_nothing_is_written_when_nothing_changed(office: Office) -> None:
    """The files keep their times, so that caches and mirrors see no change."""
    write_site(office.desk)
    public = office.desk.installation.public
    before = {path: path.stat().st_mtime_ns for path in public.rglob("*") if path.is_file()}
    write_site(office.desk)
    assert {path: path.stat().st_mtime_ns for path in public.rglob("*") if path.is_file()} == before


def test_an_epoch_does_not_change_the_profile(office: Office) -> None:
    """The log's pages follow the log; the profile follows the law and the operator."""
    write_site(office.desk)
    path = office.desk.installation.public / WELL_KNOWN
    before = path.stat().st_mtime_ns
    office.wait(hours=3)
    assert path.stat().st_mtime_ns == before


def test_the_day_of_the_rules_comes_from_the_record(office: Office) -> None:
    """No clock is read: the newest sealed or signed thing says which day it is."""
    office.wait(days=2)
    assert public_facts(office.desk).on == office.now.date()


def test_the_profile_is_served_as_json_with_the_strict_headers(office: Office) -> None:
    """application/json under /.well-known/, and never guessed to be something else."""
    write_site(office.desk)
    root = office.desk.installation.root
    status, headers, body = fetch(root, f"/{WELL_KNOWN}")
    assert status.startswith("200")
    assert headers["content-type"] == "application/json"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert body == (root / "public" / WELL_KNOWN).read_bytes()
    assert fetch(root, "/.well-known/other.json")[0].startswith("404")
