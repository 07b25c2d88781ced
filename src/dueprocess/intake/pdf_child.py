"""The child that reads one PDF and dies: bytes on stdin, one JSON value a line on stdout.

A PDF is a program from a stranger. This process limits itself (memory, processor time, open files, no file
may be written) before it looks at the first byte, so that a bomb costs one child and a sentence.

Lines: ``{"pages": n}``, then per page ``{"page": i, "text": ..., "image": bool}`` or
``{"page": i, "error": ...}``, last ``{"end": true, ...}`` or ``{"error": code, "why": ...}``.
"""

import contextlib
import io
import json
import logging
import resource
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

MAX_PAGES = 500
MAX_PAGE_CHARS = 200_000
MAX_ALL_CHARS = 6_000_000


def _limit(memory_bytes: int, cpu_seconds: int) -> None:
    """Lowers what this process may use. The parent's wall clock stands behind every one of them."""
    limits = (
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, memory_bytes),
    )
    for kind, amount in limits:
        # macOS refuses RLIMIT_AS; the other limits still hold there.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (amount, amount))


def _emit(value: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _has_image(page: "PageObject") -> bool:
    """Whether the page draws an image: its text may then be a machine's reading of a scan."""
    try:
        resources: Any = page.get("/Resources")
        drawn: Any = resources.get_object().get("/XObject") if resources is not None else None
        names = drawn.get_object().values() if drawn is not None else []
        return any(each.get_object().get("/Subtype") == "/Image" for each in names)
    except Exception:  # noqa: BLE001  # a broken resource table costs a note, not the page
        return False


class _Doubts(logging.Handler):
    """What the library says in passing while it reads one page: parts that it skipped, letters it guessed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.heard) < 3:
            self.heard.append(record.getMessage()[:200])


def _read_page(reader: "PdfReader", index: int, doubts: _Doubts) -> dict[str, object]:
    doubts.heard.clear()
    try:
        page = reader.pages[index]
        # extract_text() passes over a content stream that it cannot unpack and gives an empty text. Unpacking
        # it here first makes that an error, and not a page without words.
        contents = page.get_contents()
        if contents is not None:
            contents.get_data()
        text = page.extract_text()
        cut = len(text) > MAX_PAGE_CHARS
        return {
            "page": index + 1,
            "text": text[:MAX_PAGE_CHARS],
            "image": _has_image(page),
            "cut": cut,
            "doubt": "; ".join(doubts.heard),
        }
    except (MemoryError, RecursionError) as error:
        return {"page": index + 1, "error": type(error).__name__}
    except Exception as error:  # noqa: BLE001  # one broken page must not hide the others
        return {"page": index + 1, "error": f"{type(error).__name__}: {error}"[:200]}


def _features(reader: "PdfReader") -> dict[str, object]:
    """What the file holds beside pages. Nothing of it is opened or checked here."""
    found: dict[str, object] = {}
    with contextlib.suppress(Exception):
        root: Any = reader.trailer["/Root"]
        form: Any = root.get("/AcroForm")
        found["signature_field"] = bool(form is not None and form.get_object().get("/SigFlags"))
        names: Any = root.get("/Names")
        found["embedded_files"] = bool(names is not None and "/EmbeddedFiles" in names.get_object())
    return found


def read(content: bytes) -> None:
    """Reads one PDF and emits its lines. Every failure becomes a line with a code."""
    from pypdf import PasswordType, PdfReader  # noqa: PLC0415  # after the limits are in force

    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
        _emit({"error": "encrypted-pdf", "why": "It asks for a password."})
        return
    doubts = _Doubts()
    logging.getLogger("pypdf").addHandler(doubts)
    total = len(reader.pages)
    _emit({"pages": total})
    chars = 0
    for index in range(min(total, MAX_PAGES)):
        line = _read_page(reader, index, doubts)
        chars += len(str(line.get("text", "")))
        if chars > MAX_ALL_CHARS:
            line = {"page": index + 1, "error": "the text of this file is longer than this program reads"}
        _emit(line)
        if chars > MAX_ALL_CHARS:
            break
    _emit({"end": True, **_features(reader)})


def main(arguments: list[str]) -> None:
    """Limits itself to ``arguments`` (bytes of memory, seconds of processor time) and reads stdin."""
    _limit(int(arguments[0]), int(arguments[1]))
    try:
        read(sys.stdin.buffer.read())
    except MemoryError:
        _emit({"error": "pdf-memory", "why": "Reading it takes more memory than the reader may use."})
    except RecursionError:
        _emit({"error": "pdf-depth", "why": "Its objects are nested too deeply."})
    except Exception as error:  # noqa: BLE001  # the parent turns this line into a MalformedError
        _emit({"error": "broken-pdf", "why": f"{type(error).__name__}: {error}"[:300]})


if __name__ == "__main__":
    main(sys.argv[1:])
