"""Text files as a store: whose lines they are, in which window, over which hops, and what cannot be read."""

import bz2
import gzip
import lzma
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.plan import (
    Hop,
)
from dueprocess.production.stores.linefiles import Limits, Trouble
from production.stores.linelogs import SINCE, asked, incomplete, read, store, write


def test_only_the_subject_s_lines_inside_the_window_in_order(tmp_path: Path) -> None:
    """Others, names that only look alike, both ends of the window, and lines of another form stay behind."""
    write(
        tmp_path,
        "2026-09-30T23:59:59.999999Z login eva LAST",
        "2026-10-01T00:00:00Z login eva CANARY-LATE",
        "2026-08-31T23:59:59.999999Z login eva CANARY-EARLY",
        "2026-09-01T02:00:00+02:00 login eva FIRST",
        "2026-09-05T00:00:00Z login dana CANARY-OTHER",
        "2026-09-05T00:00:00Z login Eva CANARY-CASE-of-eva",
        "2026-09-05T00:00:00Z login evamaria CANARY-PREFIX",
        "2026-09-05T00:00:00Z login eva CANARY-TAIL and more",
        "2026-09-05T00:00:00Z logout eva CANARY-FORM",
    )
    found = read(store(tmp_path), asked("logins", "time", "address"))
    assert [row["address"] for row in found] == ["FIRST", "LAST"]
    assert found[0]["time"] == SINCE


def test_fixed_and_absent_groups_narrow(tmp_path: Path) -> None:
    """A group that did not take part is absent; one that did holds its text."""
    write(
        tmp_path,
        "2026-09-05T00:00:00Z login eva PLAIN",
        "2026-09-05T00:00:01Z login eva ADMIN as admin",
        "2026-09-05T00:00:02Z login eva GUEST as guest",
    )
    lines = store(tmp_path)
    assert [r["address"] for r in read(lines, asked("logins", "address", absent=("role",)))] == ["PLAIN"]
    fixed = asked("logins", "address", equals=(("role", "admin"),))
    assert [r["address"] for r in read(lines, fixed)] == ["ADMIN"]
    with pytest.raises(UnavailableError) as caught:
        read(lines, asked("logins", "address", equals=(("role", 1),)))
    assert caught.value.code == "bad-constant"


def test_files_of_every_packing_are_read_and_no_others(tmp_path: Path) -> None:
    """Plain, gzip in several parts, xz and bzip2; a packed copy of a plain file counts once."""
    line = "2026-09-0{}T00:00:00Z login eva {}\n"
    (tmp_path / "app.log").write_text(line.format(6, "plain"))
    (tmp_path / "app.log.1").write_text(line.format(5, "rotated"))
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(line.format(5, "rotated").encode())[:-9])
    parts = gzip.compress(line.format(4, "gz").encode()) + gzip.compress(line.format(4, "gz2").encode())
    (tmp_path / "app.log.2.gz").write_bytes(parts)
    (tmp_path / "app.log.3.xz").write_bytes(lzma.compress(line.format(3, "xz").encode()))
    both = bz2.compress(line.format(2, "bz2").encode()) + bz2.compress(line.format(2, "bz2b").encode())
    (tmp_path / "app.log.4.bz2").write_bytes(both)
    (tmp_path / "other.log").write_text(line.format(7, "CANARY"))
    (tmp_path / ".app.log.swp").write_text(line.format(7, "CANARY"))
    (tmp_path / "app.log.d").mkdir()
    found = [row["address"] for row in read(store(tmp_path), asked("logins", "address"))]
    assert found == ["bz2", "bz2b", "xz", "gz", "gz2", "rotated", "plain"]


def test_the_pattern_of_names_stays_inside_the_folder(tmp_path: Path) -> None:
    """A link out is not followed, and the answer says so; a link to a file that is read anyway is nothing."""
    (tmp_path / "logs").mkdir()
    write(tmp_path, "2026-09-05T00:00:00Z login eva CANARY-OUTSIDE", name="outside")
    write(tmp_path / "logs", "2026-09-05T00:00:00Z login eva inside")
    (tmp_path / "logs" / "app.log.now").symlink_to("app.log")
    assert len(read(store(tmp_path / "logs"), asked("logins", "address"))) == 1
    (tmp_path / "logs" / "app.log.9").symlink_to(tmp_path / "outside")
    found, why = incomplete(store(tmp_path / "logs"), asked("logins", "address"))
    assert [row["address"] for row in found] == ["inside"]
    assert "app.log.9 is a link" in why


def test_more_than_the_cap_is_refused_before_anything_is_given(tmp_path: Path) -> None:
    """Nothing is cut off silently."""
    write(tmp_path, *(f"2026-09-05T00:00:0{n}Z login eva x" for n in range(4)))
    assert len(read(store(tmp_path), asked("logins", "address", cap=4))) == 4
    with pytest.raises(RefusedError) as caught:
        next(store(tmp_path).batches(asked("logins", "address", cap=3), "eva"))
    assert caught.value.code == "too-many-rows"


def test_a_column_is_masked_and_the_order_may_be_by_another(tmp_path: Path) -> None:
    """The same check as for every engine: rules apply, and only the planned columns come out."""
    write(tmp_path, "2026-09-06T00:00:00Z login eva a", "2026-09-05T00:00:00Z login eva b")
    found = read(store(tmp_path), asked("logins", "role", "address", rules=("mask",), order=("address",)))
    assert [row["address"] for row in found] == ["[withheld: other people]"] * 2
    assert list(found[0]) == ["role", "address"]


# -- what cannot be read --------------------------------------------------------------------------------


def half(folder: Path) -> str:
    (folder / "app.log.1").write_text("2026-09-05T00:00:00Z login eva 192.0.2")
    return "app.log.1 ends in the middle of a line"


def damaged(folder: Path) -> str:
    (folder / "app.log.1.gz").write_bytes(gzip.compress(b"2026-09-05T00:00:00Z login eva x\n" * 99)[:-20])
    return "app.log.1.gz could not be unpacked"


def unknown(folder: Path) -> str:
    (folder / "app.log.1.zst").write_bytes(b"\x28\xb5\x2f\xfd....")
    return "app.log.1.zst is packed with zstd"


def bomb(folder: Path) -> str:
    (folder / "app.log.1.xz").write_bytes(lzma.compress(b"\n" * 40_000_000))
    return "app.log.1.xz unpacks to more than"


def greedy(folder: Path) -> str:
    """An xz file whose dictionary alone would take 1.5 GB."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1536 * 1024 * 1024}]
    packer = [
        sys.executable,
        "-c",
        f"import lzma,sys;sys.stdout.buffer.write(lzma.compress(b'x', filters={filters}))",
    ]
    (folder / "app.log.1.xz").write_bytes(subprocess.run(packer, check=True, capture_output=True).stdout)
    return "app.log.1.xz could not be unpacked"


def endless(folder: Path) -> str:
    (folder / "app.log.1").write_text("2026-09-05T00:00:00Z login eva " + "x" * 10_000_000 + "\n")
    return "1 lines could not be read"


def timeless(folder: Path) -> str:
    (folder / "app.log.1").write_text("2026-09-05T00:00:00 login eva x\n2026-02-30T00:00:00Z login eva x\n")
    return "2 lines could not be read"


@pytest.mark.parametrize("spoil", [half, damaged, unknown, bomb, endless, timeless])
def test_what_cannot_be_read_is_told_after_what_can(tmp_path: Path, spoil: Callable[[Path], str]) -> None:
    """One bad file or line does not stop the others, and never counts as nothing."""
    write(tmp_path, "2026-09-06T00:00:00Z login eva good")
    said = spoil(tmp_path)
    limits = Limits(unpacked_bytes=20_000_000)
    found, why = incomplete(store(tmp_path, limits=limits), asked("logins", "address"))
    assert [row["address"] for row in found][-1] == "good"
    assert said in why


def test_a_dictionary_of_an_xz_file_takes_bounded_memory(tmp_path: Path) -> None:
    """What asks for more than the limit is not unpacked."""
    write(tmp_path, "2026-09-06T00:00:00Z login eva good")
    try:
        said = greedy(tmp_path)
    except subprocess.CalledProcessError:
        pytest.fail("This machine could not pack the file of the test.")
    assert said in incomplete(store(tmp_path), asked("logins", "address"))[1]


def test_a_file_without_rights_is_named() -> None:
    """Not being allowed to read is not having read."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        write(folder, "2026-09-06T00:00:00Z login eva good")
        write(folder, "x", name="app.log.1").joinpath("app.log.1").chmod(0)
        folder.chmod(0o755)
        root = os.geteuid() == 0
        os.seteuid(65534 if root else os.geteuid())
        try:
            assert "app.log.1 could not be opened" in incomplete(store(folder), asked("logins", "address"))[1]
        finally:
            os.seteuid(0 if root else os.geteuid())


def test_endless_lines_of_others_spoil_nothing(tmp_path: Path) -> None:
    """A line of ten megabytes that does not hold the subject's name cannot be one of the subject's."""
    long = "2026-09-05T00:00:00Z login dana " + "x" * 10_000_000
    write(tmp_path, long, "2026-09-06T00:00:00Z login eva good", long)
    assert [row["address"] for row in read(store(tmp_path), asked("logins", "address"))] == ["good"]


def test_bytes_that_are_no_utf8_leave_as_they_are(tmp_path: Path) -> None:
    """They are neither replaced nor lost, and never make a name equal to another."""
    lines = [b"2026-09-05T00:00:00Z login eva \xff\xfe", b"2026-09-05T00:00:01Z login eva x"]
    lines += [b"2026-09-05T00:00:02Z login eva\xff CANARY", b"2026-09-05T00:00:03Z login \xffeva CANARY"]
    (tmp_path / "app.log").write_bytes(b"\n".join(lines) + b"\n")
    found = read(store(tmp_path), asked("logins", "address"))
    assert [row["address"] for row in found] == ['{"base64":"//4="}', '"x"']


def test_no_file_and_no_line_of_the_form_are_not_nothing(tmp_path: Path) -> None:
    """A log that is missing, and a pattern for another version, say nothing about what happened."""
    for code in ("no-files", "no-lines"):
        with pytest.raises(UnavailableError) as caught:
            read(store(tmp_path), asked("logins", "address"))
        assert caught.value.code == code
        assert store(tmp_path).columns("logins") == {}
        write(tmp_path, "Sep  5 00:00:00 login eva x")
    write(tmp_path, "2026-09-05T00:00:00Z login dana x")
    assert read(store(tmp_path), asked("logins", "address")) == []


def test_a_line_that_grows_while_it_is_read_is_read_to_its_end(tmp_path: Path) -> None:
    """What a writer adds after the file was opened is not read, but for the rest of a line that had begun."""
    path = write(tmp_path, "2026-09-05T00:00:00Z login eva one") / "app.log"
    lines = store(tmp_path)
    batches = lines.batches(asked("logins", "address"), "eva")
    with path.open("a") as log:
        log.write("2026-09-06T00:00:00Z login eva tw")
        log.flush()
        with pytest.raises(UnavailableError):
            list(batches)
        log.write("o\n")
    assert len(read(lines, asked("logins", "address"))) == 2


def test_a_file_that_is_cut_short_while_it_is_read_is_told(tmp_path: Path) -> None:
    """Copytruncate between two pieces of reading."""
    filler = "2026-09-05T00:00:00Z login dana " + "x" * 60
    path = write(tmp_path, *[filler] * 20_000, "2026-09-05T00:00:00Z login eva x") / "app.log"
    lines = store(tmp_path)
    seen: list[int] = []

    def wanted(match: Any) -> bool:
        if not seen:
            seen.append(1)
            os.truncate(path, 300_000)
        return False

    trouble = Trouble()
    list(lines._records("logins", [], wanted, trouble))  # noqa: SLF001  # the moment between two pieces
    assert trouble.files == {"app.log": "became shorter while it was read"}


def test_rotation_while_files_are_opened_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Files that are renamed again and again give each line once, or an error."""
    write(tmp_path, "2026-09-05T00:00:00Z login eva old", name="app.log.1")
    write(tmp_path, "2026-09-06T00:00:00Z login eva new")
    mover = (
        "import os,sys,time\nos.chdir(sys.argv[1])\nprint('x', flush=True)\n"
        "while True:\n os.rename('app.log.1','app.log.2'); os.rename('app.log','app.log.1')\n time.sleep(0.002)\n"
        " os.rename('app.log.1','app.log'); os.rename('app.log.2','app.log.1'); time.sleep(0.002)\n"
    )
    with subprocess.Popen([sys.executable, "-c", mover, str(tmp_path)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            ends = [_once(tmp_path) for _ in range(60)]
        finally:
            process.kill()
    assert set(ends) <= {"old new", "files-changing"}
    assert "old new" in ends


def _once(folder: Path) -> str:
    try:
        return " ".join(row["address"] for row in read(store(folder), asked("logins", "address")))
    except UnavailableError as error:
        return error.code


def test_what_one_question_may_cost_is_bounded(tmp_path: Path) -> None:
    """Files, memory and keys: too much is an error that says what to do."""
    write(tmp_path, *(f"2026-09-05T00:00:00Z queued K{n} by eva" for n in range(50)))
    write(tmp_path, *["2026-09-05T00:00:00Z login eva x"] * 50, name="app.log.1")
    hop = (Hop("queued", "key", "key"),)
    for limits, query, code in (
        (Limits(files=1), asked("logins", "address"), "too-many-files"),
        (Limits(held_bytes=9000), asked("logins", "address"), "too-big-to-sort"),
        (Limits(keys=9), asked("sent", "recipient", hops=hop), "too-many-keys"),
    ):
        with pytest.raises(UnavailableError) as caught:
            read(store(tmp_path, limits=limits), query)
        assert caught.value.code == code
    with pytest.raises(UnavailableError) as caught:
        store(tmp_path, limits=Limits(values=9)).has_twice("queued", "key")
    assert caught.value.code == "too-big-to-check"


# -- hops -----------------------------------------------------------------------------------------------
