"""The tables of docs/faults.md."""

import datetime as dt
import os
import platform
from pathlib import Path
from typing import Any

from faults.calls import KINDS

HEAD = """# Faults

What happens when the machine fails in the middle of a step. Made by `make faults`; do not edit by hand.

Every step is run in a prepared office while one thing goes wrong at one system call that changes a file. Then the
office is restarted as it really starts: the log publishes what it signed, the worker takes a turn, unfinished erasures
are finished, and the people run the step again if it was not acknowledged. At the moment of the fault, after the
restart and at the end it is checked that

- the published log verifies with the files that lie there at that moment, and later only grows;
- nothing that was acknowledged is lost;
- no parcel lies outside without its sealed record, and none goes out twice;
- no word of a paper or of the platform lies in the open;
- `dueprocess fsck` finds nothing;
- the step can be completed by running it again, and refuses in words of its own.

## The faults

| Fault | What it is |
|---|---|
| SIGKILL | the program dies before the call |
| EIO, ENOSPC | the call fails: a broken disk, a full disk |
| short write | the kernel takes half of the bytes, then the disk is full (a limit on the size of files) |
| stall | the call waits while another program does the same or the next thing, then goes on |
| power cut | what no fsync made safe is lost: each single change, each pair, all of them, or half of a write |

strace injects the first five (`-e inject`). Power cuts are computed from the calls of an undisturbed run, on a model
that promises what POSIX promises and no more: fsync of a file does not make its name safe. strace's `retval`, a disk
that claims to have written what it has not, is not used: no program can survive it, and checks at reading find it.

What a crash may leave behind: files named `.new-*` (half-written copies, in `keys/`, `vault/`, `outbox/` and
`public/`), the key and the papers of a demand that never came to be, and a hidden file `.NAME.new` beside a parcel that
was not handed over. The keys are as secret as the others; the rest is ciphertext or public. In `log/` and in
`parcels/` nothing is left.

"""


def as_markdown(told: dict[str, Any], on: dt.date) -> str:
    """The whole document."""
    lines = [HEAD, "## Result\n", _figures(told, on), "\n## Injections\n"]
    kinds = [*KINDS]
    lines += [
        f"| Step | {' | '.join(kinds)} | acknowledged | violations |",
        f"|---|{'---:|' * (len(kinds) + 2)}",
    ]
    for step, row in told["table"].items():
        counts = " | ".join(str(row.get(kind, 0)) for kind in (*kinds, "acked", "violations"))
        lines.append(f"| {step} | {counts} |")
    lines += ["\nAcknowledged: the step ended well in spite of the fault, or the fault came after it.\n"]
    lines += ["## Power cuts\n", "| Step | disks looked at | different disks |", "|---|---:|---:|"]
    lines += [f"| {step} | {looked} | {there} |" for step, (looked, there) in told["cuts"].items()]
    lines += ["\nWhere there are more than were looked at, a fixed sample is taken.\n", "## Planted bugs\n"]
    lines += ["Each puts one wrong order into the program. Without a fault none of them shows.\n"]
    lines += ["| Planted | Step | Fault | Caught at | Tries | By |", "|---|---|---|---|---:|---|"]
    lines += [_planted(each) for each in told["plants"]]
    return "\n".join(lines) + "\n"


def _figures(told: dict[str, Any], on: dt.date) -> str:
    return (
        f"{on:%d %B %Y}, {_machine()}: **{told['injections']:,} injections, {told['states']:,} disks after a power "
        f"cut, {len(told['violations'])} violations; {len(told['plants']) - len(told['not_caught'])} of "
        f"{len(told['plants'])} planted bugs caught**, in {told['seconds'] // 60} minutes. {told['missed']} faults did "
        "not take place because a run took another way than the recorded one; they are not counted.\n"
    )


def _machine() -> str:
    memory = Path("/proc/meminfo").read_text().split(maxsplit=2)[1]
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {int(memory) // 2**20} GiB, "
        f"{platform.system()}, Python {platform.python_version()}, files in memory"
    )


def _planted(each: dict[str, Any]) -> str:
    at = str(each.get("at", "")).replace("|", "/")
    by = str(each["wrong"]).split(" [")[0].split(" What to do:")[0].replace("|", "/")
    said = f"{by[:110]}…" if len(by) > 110 else by
    return f"| {each['name']} | {each['step']} | {each['kind']} | {_short(at)} | {each['tried']} | {said} |"


def _short(text: str) -> str:
    """A place without the folder of this run."""
    plain = " ".join(word.split("/install/")[-1] for word in text.split())
    return f"{plain[:80]}…" if len(plain) > 80 else plain
