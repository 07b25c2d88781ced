"""A sample of the fault harness in the test suite: every step, every kind of fault, every planted bug.

All of it is `make faults`: python tests/faults/run.py --full.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.calls import KINDS, faults, parse, worth
from faults.states import Disk, Op

pytestmark = pytest.mark.slow

RUN = Path(__file__).with_name("run.py")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the quick set found, run once in a program of its own, because it forks."""
    found = tmp_path_factory.mktemp("faults") / "found.json"
    done = subprocess.run(
        [sys.executable, RUN, "--quick", "--json", found],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert found.exists(), done.stdout + done.stderr
    yield json.loads(found.read_text())
    assert done.returncode in (0, 1), done.stderr


def test_no_fault_breaks_a_promise(told: dict[str, Any]) -> None:
    """Killed, failed, full, cut short, stalled or without power: after the restart everything holds."""
    assert told["violations"] == []
    assert told["injections"] > 100
    assert told["states"] > 40


def test_every_step_meets_every_kind_of_fault(told: dict[str, Any]) -> None:
    """A step that is not attacked, or a fault that never takes place, would prove nothing."""
    assert len(told["table"]) >= 14
    for step, row in told["table"].items():
        assert {kind for kind in KINDS if not row.get(kind)} == set(), step


def test_every_planted_bug_is_caught(told: dict[str, Any]) -> None:
    """The harness bites: each wrong order that was put in on purpose shows under some fault, and none without."""
    assert told["not_caught"] == [], [each for each in told["plants"] if not each["caught"]]
    assert len(told["plants"]) >= 24


TRACE = """\
7 openat(AT_FDCWD<\\x2f>, "\\x2f\\x61\\x2f\\x6e", O_WRONLY|O_CREAT, 0600) = 3<\\x2f\\x61\\x2f\\x6e>
7 write(3<\\x2f\\x61\\x2f\\x6e>, "\\x68\\x69", 2) = 2
9 write(3<\\x2f\\x61\\x2f\\x6e>, "\\x68\\x69", 2 <unfinished ...>
7 openat(AT_FDCWD<\\x2f>, "\\x2f\\x61\\x2f\\x6e", O_RDONLY) = 4<\\x2f\\x61\\x2f\\x6e>
7 rename("\\x2f\\x61\\x2f\\x6e", "\\x2f\\x61\\x2f\\x6d") = 0
7 +++ exited with 0 +++
"""


def test_calls_are_counted_as_strace_counts_them() -> None:
    """By name and thread; opening to read counts and is not worth a fault."""
    calls = parse(TRACE)
    assert [(call.name, call.thread, call.when) for call in calls] == [
        ("openat", 7, 1), ("write", 7, 1), ("write", 9, 1), ("openat", 7, 2), ("rename", 7, 1),
    ]  # fmt: skip
    assert [call.words("/a") for call in worth(calls, "/a")] == ["openat n", "write n", "rename m"]
    assert [fault.option for fault in faults(worth(calls, "/a")[1:2], ["EIO"])] == [
        "inject=write:error=EIO:when=1"
    ]


def test_a_name_without_its_folder_is_lost() -> None:
    """The model keeps no file in a folder that is not there, and zeros where a write before was lost."""
    disk = Disk(root="/a", folders={"/a"})
    for op in (Op("mkdir", new="/a/b"), Op("create", 1, new="/a/b/c"), Op("write", 1, 2, b"hi")):
        disk.apply(op)
    assert disk.seen() == {"/a/b/c": b"\0\0hi"}
    disk.apply(Op("link", 1, new="/a/d"))
    disk.apply(Op("rmdir", old="/a/b"))
    assert disk.seen() == {"/a/d": b"\0\0hi"}
