"""A full disk, a store that does not answer, Ctrl-C: nothing is lost and the same command works again."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import pytest

from journeys.counter import (
    INTERRUPTED,
    MALFORMED,
    NSL,
    UNAVAILABLE,
    cases,
    give_stores,
    here,
    says,
    whole,
)
from journeys.typed import Said, called, command, settings
from office import EVA, Office

pytestmark = pytest.mark.slow


def with_room_for(kibibytes: int, *words: str | Path) -> list[str]:
    """The command in a shell that lets no file grow beyond this: a write beyond fails as on a full disk."""
    return ["bash", "-c", f'ulimit -f {kibibytes}; exec "$@"', "sh", *command(*words)]


def cramped(office: Office, kibibytes: int, *words: str | Path) -> Said:
    """Runs the command on a full disk. It writes no bytecode: half a file of that would outlive the test."""
    done = subprocess.run(
        with_room_for(kibibytes, *words),
        env=here(office, PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Said(tuple(map(str, words)), done.returncode, done.stdout, done.stderr)


def unfinished(office: Office) -> list[Path]:
    return [each for each in office.root.rglob("*") if each.name.startswith(".new-") or each.suffix == ".new"]


def test_a_paper_finds_no_room(office: Office, tmp_path: Path) -> None:
    """With the disk full no case is opened and nothing half written stays; with room the same command works."""
    paper = tmp_path / "paper.txt"
    paper.write_text("We ask for records. " * 100_000)
    for room in (0, 1, 300):
        says(cramped(office, room, "receive", paper), UNAVAILABLE)
        assert cases(office) == []
        assert unfinished(office) == []
    assert called("receive", paper, environment=here(office)).code == 0
    whole(office)


@pytest.mark.stage("ready")
def test_a_parcel_finds_no_room(office: Office) -> None:
    """With the disk full there is no parcel and no word of one; with room the same command produces it."""
    give_stores(office)
    with closing(sqlite3.connect(office.root.parent / "platform.db")) as store, store:
        store.execute("UPDATE sessions SET ip = hex(randomblob(600000)) WHERE user = ?", (EVA,))
    words = ["produce", office.cases[0], "t1"]
    says(cramped(office, 1024, *words), UNAVAILABLE, "nothing was handed over")
    assert unfinished(office) == []
    parcels = office.root / "parcels"
    assert not parcels.exists() or list(parcels.iterdir()) == []
    said = called(*words, environment=here(office))
    assert said.code == 0, said
    assert len(list(parcels.iterdir())) == 1
    whole(office)


@pytest.mark.stage("ready")
def test_a_store_that_is_gone_is_said_to_be_gone(office: Office) -> None:
    """Without the store, or without its address, nothing is produced; with it the same command works."""
    case, kept = office.cases[0], office.root.parent / "elsewhere.db"
    says(called("produce", case, "t1", environment=here(office)), UNAVAILABLE, "PLATFORM_DSN")
    give_stores(office)
    platform = office.root.parent / "platform.db"
    platform.rename(kept)
    says(called("produce", case, "t1", environment=here(office)), UNAVAILABLE)
    (office.root / "worker" / "stores.env").write_text("PLATFORM_DSN\n")
    says(called("produce", case, "t1", environment=here(office)), MALFORMED, "stores.env")
    kept.rename(platform)
    give_stores(office)
    assert called("produce", case, "t1", environment=here(office)).code == 0
    whole(office)


@pytest.mark.stage("ready")
def test_a_table_that_does_not_answer_is_reported(office: Office) -> None:
    """One table fails, the others are collected, and the failure is said: silence would look like innocence."""
    give_stores(office)
    with closing(sqlite3.connect(office.root.parent / "platform.db")) as store, store:
        store.execute("ALTER TABLE sessions RENAME TO moved")
    said = called("produce", office.cases[0], "t1", environment=here(office))
    assert said.code == 0, said
    assert "main.users: found 1 record" in said.out
    assert "main.sessions: failed" in said.out
    whole(office)


def below(pid: int) -> set[int]:
    """This process and every living process that it began, however deep."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if fields[0] != "Z":
                parents[int(stat.parent.name)] = int(fields[1])
    found = {pid} & set(parents)
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if below(pid)}


def begun(environment: Mapping[str, str], *words: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*words), env={**environment, "PYTHONUNBUFFERED": "1"}, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def interrupted(process: subprocess.Popen[str]) -> Said:
    """Presses Ctrl-C, which a terminal sends to everything in the foreground, and waits for the end of all."""
    theirs = below(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    until = time.monotonic() + 5
    while (left := alive(theirs)) and time.monotonic() < until:
        time.sleep(0.05)
    assert left == set(), "a process was left behind"
    assert "Traceback" not in err
    assert "Interrupted. Nothing was lost: run the same command again." in err
    return Said((), process.returncode, out, err)


def wait_for(happened: Callable[[], object], process: subprocess.Popen[str], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.02)


def large_mail(path: Path) -> None:
    """A mail with many attached PDFs, each of which takes a moment to read."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "clerk@court.example", "legal@chat.example", "Orders"
    mail.set_content("Please find attached.")
    for number in range(6):
        mail.add_attachment(
            NSL.read_bytes() + b"\n" * number, maintype="application", subtype="pdf", filename=f"{number}.pdf"
        )
    path.write_bytes(bytes(mail))


def test_ctrl_c_while_a_large_mail_is_received(office: Office, tmp_path: Path) -> None:
    """Exit code 130, no case, no reader left running; the same command then receives the mail."""
    paper = tmp_path / "large.eml"
    large_mail(paper)
    process = begun(here(office), "receive", paper)
    wait_for(lambda: len(below(process.pid)) > 1, process)
    said = interrupted(process)
    assert said.code == INTERRUPTED, said
    assert cases(office) == []
    whole(office)
    assert called("receive", paper, environment=here(office)).code == 0
    whole(office)


@pytest.mark.stage("ready")
def test_ctrl_c_while_a_parcel_is_produced(office: Office) -> None:
    """Exit code 130, nothing handed over, no worker left; the same command then produces it."""
    give_stores(office)
    case, platform = office.cases[0], office.root.parent / "platform.db"
    with closing(sqlite3.connect(platform, isolation_level=None)) as store:
        store.execute("BEGIN EXCLUSIVE")  # the production worker waits for the store
        process = begun(here(office), "produce", case, "t1")
        wait_for(lambda: list((office.root / "parcels").glob("*.new")), process)
        said = interrupted(process)
        store.execute("ROLLBACK")
    assert said.code == INTERRUPTED, said
    whole(office)
    again = called("produce", case, "t1", environment=here(office))
    assert again.code == 0, again
    whole(office)


def test_ctrl_c_while_the_demo_starts_its_server(tmp_path: Path) -> None:
    """No process of the homeserver is left over, and the same command can be given again at once."""
    out = tmp_path / "demo-out"
    for _ in range(2):
        process = begun(settings(None), "demo", "--out", out)
        wait_for(partial(_server_starts, out / "platform", process.pid), process)
        said = interrupted(process)
        assert said.code == INTERRUPTED, said
        assert (out / ".dueprocess-demo").exists()


def _server_starts(platform: Path, pid: int) -> bool:
    """Whether the homeserver's process runs and has begun to write its database."""
    return len(below(pid)) > 1 and (platform / "homeserver.db").exists()
