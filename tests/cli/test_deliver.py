"""`deliver --download`, `portal`, `enrol authority` and the worker as programs, together."""

import hashlib
import html
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyrage
import pytest

from desk.european import MOST, PARCEL_ID, produced_epoc
from dueprocess.delivery.handover import manifest_paths
from dueprocess.history.append import load_case
from office import Office


def command(office: Office, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DUEPROCESS_PERSON": "boris", "DUEPROCESS_INSTALL": str(office.root)}
    return subprocess.run(
        [sys.executable, "-m", "dueprocess", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


@contextmanager
def served(office: Office, home: Path) -> Iterator[str]:
    """The portal as a program that sees two folders and a clock."""
    seen = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    root = office.desk.installation.root
    words = [sys.executable, "-m", "dueprocess.portal.server", "--port", "0", "--clock", str(root / "clock")]
    words += ["--releases", str(root / "releases"), "--fetched", str(root / "fetched")]
    portal = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=seen)
    assert portal.stdout is not None
    try:
        yield portal.stdout.readline().split(" at ")[1].split("/parcels/")[0]
    finally:
        portal.terminate()
        assert portal.wait(10) == 0
        portal.stdout.close()


def commands(page: str) -> str:
    """The first commands that a page shows, as a person copies them."""
    return html.unescape("PASS=" + page.split("<code>PASS=", 1)[1].split("</code>", maxsplit=1)[0]) + "\n"


@pytest.mark.stage("produced")
def test_a_whole_download_by_programs_alone(office: Office, tmp_path: Path) -> None:
    """Release, portal, the page's three lines with curl and age, the worker's turn: delivered."""
    case_id = office.cases[0]
    done = command(office, "deliver", case_id[:8], "t1", "--download", "--days", "3", "--json")
    assert done.returncode == 0, done.stderr
    path = json.loads(done.stdout)["path"]
    with served(office, tmp_path) as address:
        page = subprocess.run(["curl", "-fsS", address + path], capture_output=True, text=True, check=True)
        (tmp_path / "YOUR-KEY.txt").write_text(str(office.officer))
        script = "set -eo pipefail\n" + commands(page.stdout)
        subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True, capture_output=True)
    assert command(office, "worker", "--once").returncode == 0
    events = load_case(case_id).events
    assert [event.kind for event in events[-2:]] == ["ParcelFetched", "ParcelDelivered"]
    state = load_case(case_id).target("t1")
    assert state.produced is not None
    fetched = tmp_path / f"{state.produced.text('parcel_id')}.tar.age"
    opened = pyrage.decrypt(fetched.read_bytes(), [office.officer])
    assert b"bagit.txt" in opened
    receipt = pyrage.decrypt(next(tmp_path.glob("*.receipt.json.age")).read_bytes(), [office.officer])
    (tmp_path / "receipt.json").write_bytes(receipt)
    policy = office.root / "public" / "policy.txt"
    words = ["--receipt", str(tmp_path / "receipt.json"), "--policy", str(policy)]
    checked = command(office, "verify", str(fetched), *words)
    assert checked.returncode == 0, checked.stderr + checked.stdout


def test_the_portal_gets_two_folders_and_no_secret(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the installation nor a credential of the environment is handed on."""
    from dueprocess.cli.place import Place
    from dueprocess.cli.portal import portal_words

    monkeypatch.setenv("PLATFORM_DSN", "secret")
    words, environment = portal_words(Place(install=office.root), "127.0.0.1", 0)
    assert set(environment) <= {"PATH", "HOME", "LANG", "TZ", "VIRTUAL_ENV"}
    assert "--install" not in words
    assert [words[words.index(each) + 1].rsplit("/", 1)[1] for each in ("--releases", "--fetched")] == [
        "releases",
        "fetched",
    ]


@pytest.mark.parametrize(
    "given", [[], ["--to", "x", "--download"], ["--recorded", "sealed_medium"], ["--spoken", "--to", "x"]]
)
def test_exactly_one_way(office: Office, given: list[str]) -> None:
    """None or two ways are refused with what there is."""
    case_id = office.assessed_case()
    done = command(office, "deliver", case_id[:8], "t1", *given)
    assert done.returncode == 3
    assert "--download" in done.stderr


def test_an_authority_has_exactly_one_way(office: Office, tmp_path: Path) -> None:
    """No key, two keys, a bad key, a missing file: refused in words. A good one is enrolled."""
    keys = office.root.parent / "people"
    signers = ["--signer", str(keys / "boris.json"), "--signer", str(keys / "chi.json")]
    base = [
        "enrol",
        "authority",
        "b-police",
        "--name",
        "Police of Example",
        "--country",
        "US",
        "--class",
        "police",
    ]
    age = str(pyrage.x25519.Identity.generate().to_public())
    (tmp_path / "bad.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    for given, code in (
        ([], 3),
        (["--age", age, "--handover", "sealed_medium"], 3),
        (["--age", "age1nonsense"], 4),
        (["--cms", str(tmp_path / "bad.pem")], 4),
        (["--openpgp", str(tmp_path / "none.asc")], 6),
        (["--handover", "pigeon"], 4),
        (["--handover", "sealed_medium"], 0),
    ):
        done = command(office, *base, *given, *signers)
        assert done.returncode == code, (given, done.stderr)
    entry = office.desk.roster().authority("b-police")
    assert entry is not None
    assert entry.about["handover"] == "sealed_medium"


def in_words(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.stage("brisk")
def test_a_large_european_answer_leaves_with_its_manifest(office: Office, tmp_path: Path) -> None:
    """Asked for what the manifest needs before anything is begun; then the paths of both forms and what to do."""
    case_id = produced_epoc(office, MOST + 1)
    to = str(tmp_path / "answer.tar.age")
    asked = command(office, "deliver", case_id[:8], "t1", "--to", to)
    assert asked.returncode == 3
    assert "--reference" in asked.stderr
    assert load_case(case_id).events[-1].kind == "DataProduced"
    said = ["--reference", "FR-2026-0007", "--means", "registered courier"]
    done = command(office, "deliver", case_id[:8], "t1", "--to", to, *said, "--json")
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    made = Path(value["manifest"])
    assert made == manifest_paths(office.desk.installation.parcels, PARCEL_ID)[0]
    assert hashlib.sha256(made.read_bytes()).hexdigest() == value["manifest_sha256"]
    made.unlink()
    again = command(office, "deliver", case_id[:8], "t1", "--manifest", "--to", to, *said)
    assert again.returncode == 0, again.stderr
    assert f"Manifest for programs: {made}" in in_words(again)
    assert "record the transmission in the decentralised IT system" in in_words(again)
    assert hashlib.sha256(made.read_bytes()).hexdigest() == value["manifest_sha256"]
    assert [event.kind for event in load_case(case_id).events].count("ManifestMade") == 1


@pytest.mark.stage("brisk")
def test_a_small_european_answer_is_told_to_go_through_the_system(office: Office, tmp_path: Path) -> None:
    """No manifest, the sentence instead; and no release for fewer than ten days, with the source."""
    case_id = produced_epoc(office, 4096)
    short = command(office, "deliver", case_id[:8], "t1", "--download", "--days", "9")
    assert short.returncode == 3
    assert "point 3.3.3(b)" in in_words(short)
    done = command(office, "deliver", case_id[:8], "t1", "--to", str(tmp_path / "a"))
    assert done.returncode == 0, done.stderr
    assert "it can go through the decentralised IT system as it is" in in_words(done)
    assert "ManifestMade" not in [event.kind for event in load_case(case_id).events]
