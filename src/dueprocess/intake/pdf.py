"""Text of a PDF, read by a limited child process: a bomb costs the child, never the caller.

The child is `dueprocess.intake.pdf_child`. What it says is believed only after it is parsed strictly; what
it cannot read is named page by page.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.intake.pdf_child import MAX_PAGES

_OUTPUT_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child may use. The defaults read every order we have seen with a wide margin."""

    memory_bytes: int = 2**30
    cpu_seconds: int = 20
    wall_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class PdfPage:
    """Text of one page. ``error`` says why there is none, or not all; ``doubt`` what the reader passed over.

    ``image``: the page holds an image, so its text may be a machine's reading of a scan.
    """

    number: int
    text: str
    image: bool = False
    error: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class PdfText:
    """Every page that the reader reached. ``broken_off`` says in words where and why it stopped early."""

    pages: tuple[PdfPage, ...]
    page_count: int
    broken_off: str = ""
    signature_field: bool = False
    embedded_files: bool = False


_USUAL_LIMITS = Limits()


def read_pdf(content: bytes, *, limits: Limits = _USUAL_LIMITS) -> PdfText:
    """Text of every page, in order; pages after a break are named, not invented.

    Refuses (``MalformedError``) what is no readable PDF, is locked, or exhausts the child before its first
    page. Raises ``UnavailableError`` where no child can be started.
    """
    output, stopped = _run(content, limits)
    lines = [_line(each) for each in output.split(b"\n")[:-1]]
    failed = next((line for line in lines if "error" in line and "page" not in line), None)
    pages = tuple(_page(line) for line in lines if "page" in line)
    count = next((int(line["pages"]) for line in lines if "pages" in line), 0)
    why = failed["why"] if failed else stopped
    if not any(page.text or not page.error for page in pages):
        _refuse(failed, why, pages, count)
    end = next((line for line in lines if "end" in line), {})
    if count > MAX_PAGES and not why:
        why = f"this program reads {MAX_PAGES} pages of a file, this one has {count}"
    return PdfText(
        pages=pages,
        page_count=count,
        broken_off=why if why or end else "the reader ended without saying so",
        signature_field=bool(end.get("signature_field")),
        embedded_files=bool(end.get("embedded_files")),
    )


def _refuse(failed: dict[str, Any] | None, why: str, pages: tuple[PdfPage, ...], count: int) -> None:
    if failed and failed["error"] == "encrypted-pdf":
        raise MalformedError(
            "encrypted-pdf",
            "This PDF is locked with a password.",
            why=why,
            do="Ask for an open copy through a channel that you found yourself. "
            "Do not type a password from the same message.",
        )
    code = failed["error"] if failed else "pdf-limit" if why else "broken-pdf"
    page_error = next((page.error for page in pages), "")
    raise MalformedError(
        code,
        "This PDF cannot be read.",
        why=why or page_error or f"It lists {count} pages and none of them could be reached.",
        do="It may be cut short or made to do harm. Ask for it again through a channel that you found "
        "yourself, or print it and read it on paper.",
    )


def _page(line: dict[str, Any]) -> PdfPage:
    error = str(line.get("error", ""))
    if line.get("cut"):
        error = "the text of this page is longer than this program reads; the rest is left out"
    return PdfPage(
        number=int(line["page"]),
        text=str(line.get("text", "")),
        image=bool(line.get("image")),
        error=error,
        doubt=str(line.get("doubt", "")),
    )


def _line(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise MalformedError("pdf-child", "The PDF reader answered with something else.") from error
    if not isinstance(value, dict):
        raise MalformedError("pdf-child", "The PDF reader answered with something else.")
    return value


def _run(content: bytes, limits: Limits) -> tuple[bytes, str]:
    """The child's output and, where it did not end by itself, why in words."""
    command = [sys.executable, "-I", "-B", "-m", "dueprocess.intake.pdf_child"]
    try:
        child = subprocess.Popen(  # noqa: S603  # our own module, no shell, no argument from outside
            [*command, str(limits.memory_bytes), str(limits.cpu_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        )
    except OSError as error:
        raise UnavailableError(
            "no-pdf-reader", "The PDF reader could not be started.", why=str(error), do="Try again."
        ) from error
    assert child.stdin is not None
    assert child.stdout is not None
    feeder = threading.Thread(target=_feed, args=(child.stdin, content), daemon=True)
    feeder.start()
    try:
        output, stopped = _collect(child, limits)
    finally:
        _end(child)
        feeder.join(timeout=5)
        child.stdout.close()
    return output, stopped or _exit_reason(child.returncode)


def _feed(pipe: Any, content: bytes) -> None:
    """Writes the file to the child. A child that died early closes the pipe; that is told elsewhere."""
    with contextlib.suppress(OSError):
        pipe.write(content)
    with contextlib.suppress(OSError):
        pipe.close()


def _collect(child: subprocess.Popen[bytes], limits: Limits) -> tuple[bytes, str]:
    assert child.stdout is not None
    deadline = time.monotonic() + limits.wall_seconds
    found = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                return bytes(found), f"It took longer than {limits.wall_seconds:g} seconds."
            chunk = os.read(child.stdout.fileno(), 65536)
            if not chunk:
                break
            found += chunk
            if len(found) > _OUTPUT_BYTES:
                return bytes(found), "It gives more text than this program reads."
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=max(0.1, deadline - time.monotonic()))
    return bytes(found), ""


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends the child and everything that it may have started."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _exit_reason(code: int) -> str:
    if code == 0:
        return ""
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "It takes more processor time or memory than the reader may use."
    return f"The reader crashed on it (exit {code})."
