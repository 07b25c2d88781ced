"""A Maildir in a parcel: which messages, in which order, and nothing that is not a message of this account."""

import datetime as dt
import os
import tracemalloc
from pathlib import Path

import pytest

from dueprocess.demand import Category, Period
from dueprocess.errors import UnavailableError
from dueprocess.plan import FileQuery, Layout, PathPart, PlannedColumn, RowPath, TableQuery
from dueprocess.production.stores import FolderStore, FoundFile
from dueprocess.production.stores.facts import Row

SINCE, UNTIL = dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
SEPTEMBER = Period(SINCE, UNTIL)
FIRST, BEYOND = int(SINCE.timestamp()), int(UNTIL.timestamp())
EVA: Row = {"login": "eva"}


def asked(layout: Layout = "maildir", root: str = ".", window: Period | None = SEPTEMBER) -> FileQuery:
    path = RowPath("users", "accounts", (), "user", None, False, ())
    rows = TableQuery(path, None, (PlannedColumn("login", Category("content.messages"), ()),), ("login",), 10)
    parts = (PathPart(column="login"), PathPart(text="/Maildir"))
    return FileQuery(
        rows, "mail", root, "{login}/Maildir", parts, Category("content.messages"), layout, window
    )


def mailbox(folder: Path, login: str = "eva") -> Path:
    base = folder / login / "Maildir"
    for part in ("cur", "new", "tmp"):
        (base / part).mkdir(parents=True)
    return base


def put(box: Path, name: str, text: str = "x") -> None:
    box.mkdir(parents=True, exist_ok=True)
    (box / name).write_text(text)


def found(folder: Path, query: FileQuery | None = None) -> tuple[list[FoundFile], list[str]]:
    """The messages, and the reasons for what cannot be read."""
    each = list(FolderStore("mail", folder).files(query or asked(), EVA))
    return [file for file in each if isinstance(file, FoundFile)], [
        str(error.why) for error in each if isinstance(error, UnavailableError)
    ]


def texts(folder: Path) -> list[str]:
    store = FolderStore("mail", folder)
    return [b"".join(store.chunks(file)).decode() for file in found(folder)[0]]


def test_messages_of_every_folder_inside_the_window_by_time(tmp_path: Path) -> None:
    """Both ends of the window, cur, new and subfolders; tmp, the server's own files and others' mail never."""
    base = mailbox(tmp_path)
    put(base / "cur", f"{FIRST}.M1P1.host,S=5:2,S", "first")
    put(base / "cur", f"{FIRST - 1}.M1P1.host:2,S", "CANARY-EARLY")
    put(base / "new", f"{BEYOND - 1}.M1P1.host", "last")
    put(base / "new", f"{BEYOND}.M1P1.host", "CANARY-LATE")
    put(base / ".Sent" / "cur", f"{FIRST + 5}.M1P1.host:2,S", "sent")
    put(base / ".Archive.2026" / "new", f"{FIRST + 5}.M0P1.host", "archived")
    put(base / "tmp", f"{FIRST + 6}.M1P1.host", "CANARY-TMP")
    put(base / ".Sent" / "tmp", f"{FIRST + 6}.M1P1.host", "CANARY-TMP")
    put(base, "dovecot-uidlist", "CANARY-INDEX")
    put(base / "cur", ".hidden", "CANARY-HIDDEN")
    put(base / "sieve", f"{FIRST}.script", "CANARY-SIEVE")
    put(mailbox(tmp_path, "dana") / "cur", f"{FIRST}.M1P1.host:2,S", "CANARY-OTHER")
    files, odd = found(tmp_path)
    assert texts(tmp_path) == ["first", "archived", "sent", "last"]
    assert [file.name for file in files] == [
        "INBOX_20260901T000000Z.eml",
        "Archive.2026_20260901T000005Z.eml",
        "Sent_20260901T000005Z.eml",
        "INBOX_20260930T235959Z.eml",
    ]
    assert [file.at for file in files] == [FIRST, FIRST + 5, FIRST + 5, BEYOND - 1]
    assert odd == []


def test_a_name_without_a_time_is_told(tmp_path: Path) -> None:
    """Whether such a message belongs into the window is not known, so it is neither given nor forgotten."""
    base = mailbox(tmp_path)
    put(base / "cur", f"{FIRST}.M1.host:2,", "good")
    put(base / "cur", "imported-by-hand.eml", "CANARY")
    put(base / ".Sent" / "cur", "٣.M1.host", "CANARY")
    assert texts(tmp_path) == ["good"]
    assert found(tmp_path)[1] == [
        "a message in INBOX has no time in its name: imported-by-hand.eml",
        "a message in Sent has no time in its name: ٣.M1.host",
    ]


def test_no_link_is_followed(tmp_path: Path) -> None:
    """Not of a message, a folder, a mailbox or the whole Maildir: it may lead to somebody else's."""
    other = mailbox(tmp_path, "dana")
    put(other / "cur", f"{FIRST}.M1.host", "CANARY")
    base = mailbox(tmp_path)
    put(base / "cur", f"{FIRST}.M2.host", "good")
    (base / "cur" / f"{FIRST}.M3.host").symlink_to(other / "cur" / f"{FIRST}.M1.host")
    (base / ".Shared").symlink_to(other)
    (base / ".Half").mkdir()
    (base / ".Half" / "cur").symlink_to(other / "cur")
    os.mkfifo(base / "cur" / f"{FIRST}.M4.host")
    assert texts(tmp_path) == ["good"]
    assert sorted(why.partition(":")[0] for why in found(tmp_path)[1]) == [
        ".Shared is a link, and links are not followed",
        "Half/cur is a link, and links are not followed",
        "INBOX_20260901T000000Z",
        "INBOX_20260901T000000Z",
    ]


@pytest.mark.parametrize("where", ["eva", "eva/Maildir"])
def test_a_link_on_the_way_is_refused(tmp_path: Path, where: str) -> None:
    """Another account's Maildir under this account's name."""
    put(mailbox(tmp_path, "dana") / "cur", f"{FIRST}.M1.host", "CANARY")
    link = tmp_path / where
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "dana" / Path(where).relative_to("eva"))
    assert found(tmp_path) == ([], ["a link stands on the way to it"])


def test_what_is_no_maildir_is_not_an_empty_one(tmp_path: Path) -> None:
    """A missing folder, one of another kind, one whose subfolders are named otherwise, one without a window."""
    assert found(tmp_path) == ([], ["its Maildir is not there"])
    (tmp_path / "eva" / "Maildir").mkdir(parents=True)
    assert found(tmp_path) == ([], ["it is no Maildir"])
    for part in ("cur", "new", "tmp", "Sent/cur"):
        (tmp_path / "eva" / "Maildir" / part).mkdir(parents=True)
    assert found(tmp_path) == ([], ["the folder Sent is not named as Maildir++ names folders"])
    assert found(tmp_path, asked(window=None)) == ([], ["the plan has no window for its messages"])
    with pytest.raises(UnavailableError):
        FolderStore("mail", tmp_path).find(asked(), EVA)


def test_a_message_that_is_read_meanwhile_is_still_found(tmp_path: Path) -> None:
    """A mail program moves it from new to cur and gives it flags; one that is deleted is told."""
    base = mailbox(tmp_path)
    for number in range(3):
        put(base / "new", f"{FIRST + number}.M{number}.host", f"message {number}")
    each = FolderStore("mail", tmp_path).files(asked(), EVA)
    assert isinstance(next(each), FoundFile)
    (base / "new" / f"{FIRST + 1}.M1.host").rename(base / "cur" / f"{FIRST + 1}.M1.host:2,S")
    (base / "new" / f"{FIRST + 2}.M2.host").unlink()
    moved, gone = each
    assert isinstance(moved, FoundFile)
    assert moved.path.read_text() == "message 1"
    assert isinstance(gone, UnavailableError)
    assert "moved or deleted" in str(gone.why)


def test_the_plain_layout_goes_on_as_before(tmp_path: Path) -> None:
    """One file for each row, or why it is not there."""
    assert found(tmp_path, asked("file"))[1] == ["it is not there"]
    (tmp_path / "eva").mkdir()
    (tmp_path / "eva" / "Maildir").write_text("a file")
    assert [file.size for file in found(tmp_path, asked("file"))[0]] == [6]


def test_many_messages_in_little_memory(tmp_path: Path) -> None:
    """Only names wait to be sorted; a message is looked at when its turn comes."""
    base = mailbox(tmp_path)
    for number in range(20_000):
        (base / "cur" / f"{FIRST + number % 5000}.M{number}P1.host:2,S").touch()
    tracemalloc.start()
    try:
        count, last = 0, 0
        for file in FolderStore("mail", tmp_path).files(asked(), EVA):
            assert isinstance(file, FoundFile)
            assert file.at is not None
            assert file.at >= last
            count, last = count + 1, file.at
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 12_000_000
