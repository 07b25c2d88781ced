"""Running a function in a forked child under strace, with at most one fault; and looking at what is left.

Everything is imported once; each run is a fork, so that an injection costs a fraction of a second.
"""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faults.calls import WATCHED, Fault

SECONDS = 60
"""After so long a run counts as hung."""

STILL = 0.03
"""Nothing but the injected delay lasts so long, in seconds."""

NUMBERS = {"write": 1, "pwrite64": 18} if os.uname().machine == "x86_64" else {"write": 64, "pwrite64": 68}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: what it acknowledged, what it raised, which signal killed it, and its trace."""

    acked: str | None
    raised: str | None
    signal: int
    trace: str = ""

    @property
    def hung(self) -> bool:
        return self.signal == signal.SIGALRM


def strace() -> str:
    """The program strace. Its absence is a failure, never a skip."""
    found = shutil.which("strace")
    if found is None:
        raise SystemExit("strace is missing: install it (Debian: apt-get install strace)")
    return found


def run(work: Callable[[Callable[[str], None]], None], *, gate: int | None = None) -> tuple[int, int]:
    """Forks a child that waits for a byte from ``gate`` and works. Gives its number and where it answers."""
    hear, tell = os.pipe()
    child = os.fork()
    if child:
        os.close(tell)
        return child, hear
    try:
        os.close(hear)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        if gate is not None:
            os.read(gate, 1)
        work(lambda line: _tell(tell, f"acked {line}"))
    except BaseException as error:  # noqa: BLE001  whatever it was, it is told
        frames = [
            f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)[-6:]
        ]
        _tell(tell, f"raised {kind_of(error)}: {error} [{' '.join(frames)}]")
    finally:
        os._exit(0)


def kind_of(error: BaseException) -> str:
    """The family and code of one of our own errors, the plain class of any other."""
    code = getattr(error, "code", None)
    return f"{type(error).__name__}/{code}" if isinstance(code, str) else f"raw {type(error).__name__}"


def _tell(tell: int, line: str) -> None:
    os.write(tell, (line.replace("\n", " ") + "\n").encode())


def ended(child: int, hear: int, trace: str = "") -> Ending:
    """Waits for a child and reads what it told."""
    _, status = os.waitpid(child, 0)
    with os.fdopen(hear) as told:
        lines = told.read().splitlines()
    acked = [line.removeprefix("acked ") for line in lines if line.startswith("acked ")]
    raised = [line.removeprefix("raised ") for line in lines if line.startswith("raised ")]
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return Ending(acked[-1] if acked else None, raised[-1] if raised else None, number, trace)


def apart(work: Callable[[Callable[[str], None]], None]) -> Ending:
    """Runs something in a child without strace: its memory and its connections go with it."""
    return ended(*run(work))


def traced(
    work: Callable[[Callable[[str], None]], None],
    out: Path,
    fault: Fault | None = None,
    *,
    whole: bool = False,
    meanwhile: Callable[[], Callable[[], None]] | None = None,
) -> Ending:
    """Runs ``work`` under strace with one fault. ``whole``: all bytes of each write are kept in the trace.

    ``meanwhile`` is called while a stalled call waits; what it gives is called when the stalled program has ended.
    """
    gate, open_gate = os.pipe()
    child, hear = run(work, gate=gate)
    option = ["-e", fault.option] if fault else []
    names = ",".join(WATCHED) if fault is None else fault.call.name
    tracer = subprocess.Popen(
        [strace(), "-f", "-y", "-xx", "-s", "1048576" if whole else "4096", "-o", str(out), "-e",
         f"trace={names}", *option, "-p", str(child)],
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert tracer.stderr is not None
    attached = tracer.stderr.readline()
    if b"attached" not in attached:
        os.kill(child, signal.SIGKILL)
        raise SystemExit(f"strace cannot attach: {attached.decode()}")
    os.write(open_gate, b"g")
    afterwards = None
    if fault is not None and fault.kind in ("short write", "stall") and _stands_still(child):
        if fault.kind == "short write":
            _halve(child, fault)
        elif meanwhile is not None:
            tracer.send_signal(signal.SIGSTOP)  # as long as strace rests, the call does not go on
            afterwards = meanwhile()
            tracer.send_signal(signal.SIGCONT)
    found = ended(child, hear)
    if afterwards is not None:
        afterwards()
    tracer.stderr.read()
    tracer.stderr.close()
    tracer.wait()
    os.close(gate)
    os.close(open_gate)
    return Ending(found.acked, found.raised, found.signal, out.read_text(errors="replace"))


def _stands_still(child: int) -> bool:
    """Waits until the child stands still in the delayed call; False where it ends without coming to it."""
    seen, since = "", time.monotonic()
    while True:
        try:
            now = Path(f"/proc/{child}/syscall").read_text()
            state = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return False
        if state == "Z":
            return False
        if now != seen or state != "t" or now.startswith("running"):
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > STILL:
            return True
        time.sleep(0.001)


def _halve(child: int, fault: Fault) -> None:
    """Limits the size of files so that half of this write fits: the kernel itself makes it short."""
    fields = Path(f"/proc/{child}/syscall").read_text().split()
    if fields[0] != str(NUMBERS[fault.call.name]):
        return
    descriptor, _, count, offset = (int(each, 16) for each in fields[1:5])
    if fault.call.name == "write":
        with contextlib.suppress(OSError):
            offset = int(Path(f"/proc/{child}/fdinfo/{descriptor}").read_text().split()[1])
    resource.prlimit(child, resource.RLIMIT_FSIZE, (offset + count // 2, resource.RLIM_INFINITY))


def was_hit(ending: Ending, fault: Fault) -> bool:
    """Whether the fault took place: a run can take another way than the recorded one."""
    if fault.kind == "SIGKILL":
        return ending.signal == signal.SIGKILL
    return "(INJECTED)" in ending.trace or "(DELAYED)" in ending.trace
