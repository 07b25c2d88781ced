"""The program that encrypts a parcel to one recipient, fed through a pipe: age, OpenPGP or CMS by the key's kind.

Each is a process of its own: it uses another core, and none of them can see a store. Plaintext is only ever in
the pipe; the program's folder holds the recipient's public key and nothing else.

Source: C2SP age v1; RFC 9580 (OpenPGP); RFC 5652, RFC 5083 (CMS).
"""

import abc
import datetime as dt
import errno
import fcntl
import hashlib
import io
import json
import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn, Protocol

from dueprocess.errors import UnavailableError
from dueprocess.library.recipients import checked_key, cms_command, key_kind, openpgp_command

PIECE = 1024 * 1024
_BUFFER = 64 * 1024


class Sink(Protocol):
    """Where the ciphertext goes: a file opened for writing bytes, a socket, a hash. It keeps no piece."""

    def write(self, piece: bytes | memoryview, /) -> object: ...


@contextmanager
def encrypting(recipient: str, at: dt.datetime, out: Sink) -> Iterator["Encryption"]:
    """A running program that encrypts to the recipient. Whatever happens, none is left behind at the end.

    Refuses, before anything is read, a key that is not what its beginning says or does not count at ``at``.
    """
    with _program(recipient, at) as program:
        encryption = Encryption(program, out)
        try:
            yield encryption
        finally:
            encryption.end()


@dataclass(frozen=True, slots=True)
class _Program:
    """How it is started. ``reports``: it can write into a descriptor and digest what it writes."""

    name: str
    command: Sequence[str]
    reports: bool = False


@contextmanager
def _program(recipient: str, at: dt.datetime) -> Iterator[_Program]:
    kind = key_kind(recipient)
    checked_key(kind, recipient, at)
    if kind == "age":
        sealing = [sys.executable, "-I", "-m", "dueprocess.production.sealing", recipient]
        yield _Program("age", sealing, reports=True)
        return
    with tempfile.TemporaryDirectory(prefix="dueprocess-key-") as place:
        path = Path(place) / "recipient"
        path.write_text(recipient)
        if kind == "openpgp":
            yield _Program("gpg", openpgp_command(path))
        else:
            # With AES-256-GCM, so that a changed parcel does not open.
            yield _Program("openssl", cms_command(path, "-stream", "-aes-256-gcm"))


class Encryption:
    """A running program. ``write`` and ``finish`` raise what really went wrong: the sink's error or the program's."""

    def __init__(self, program: _Program, out: Sink) -> None:
        self._name, self._out = program.name, out
        file = _descriptor(out) if program.reports else None
        come, give = os.pipe()
        given: tuple[int, ...] = () if file is None else (file, give)
        places = [str(each) for each in given or (1,)] if program.reports else []
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  closed in end()
        try:
            self._child = subprocess.Popen(  # noqa: S603  our own or a found program with checked arguments
                [*program.command, *places], stdin=subprocess.PIPE, stderr=self._words, bufsize=_BUFFER,
                stdout=give if file is None else subprocess.DEVNULL, pass_fds=given, process_group=0,
            )  # fmt: skip
        except BaseException:
            os.close(come)
            self._words.close()
            raise
        finally:
            os.close(give)
        self._feed = _feed(self._child)
        for pipe in (self._feed.fileno(), come):
            with suppress(OSError, AttributeError):  # a smaller pipe is only slower
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIECE)
        self._taker: _Taker = _Relayed(come, out) if file is None else _Reported(come)
        self._taker.start()

    def write(self, piece: bytes | memoryview) -> None:
        try:
            self._feed.write(piece)
        except BrokenPipeError:
            self._fail()

    def finish(self) -> tuple[str, int]:
        """Hex digest and size of the whole ciphertext, which is then in the sink."""
        try:
            self._feed.close()
        except BrokenPipeError:
            self._fail()
        self._taker.join()
        if self._child.wait() or self._taker.failure is not None:
            self._fail()
        if isinstance(self._out, io.BufferedWriter):
            self._out.seek(0, io.SEEK_END)
        return self._taker.digest, self._taker.size

    def end(self) -> None:
        """Kills the program if it still runs, and waits for it. Safe to call again."""
        with suppress(ProcessLookupError):
            self._child.kill()
        with suppress(OSError):
            self._feed.close()
        self._child.wait()
        self._taker.join()
        self._words.close()

    def _fail(self) -> NoReturn:
        # A sink that fails ends the program too, so its error is looked for first.
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=5)
        self._child.kill()
        self._child.wait()
        self._taker.join()
        if self._taker.failure is not None:
            raise self._taker.failure
        self._words.seek(0)
        words = self._words.read().decode(errors="replace").strip()
        raise UnavailableError(
            "encryption-ended",
            f"The program that encrypts ({self._name}) ended before the parcel was whole; nothing was handed over.",
            why=f"exit code {self._child.returncode}: {words[-300:]}".rstrip(": "),
            do="Run again. If it comes back, look at the machine's memory and at the recipient's key.",
        )


def _feed(child: subprocess.Popen[bytes]) -> IO[bytes]:
    assert child.stdin is not None
    return child.stdin


class _Taker(threading.Thread, abc.ABC):
    """Takes what comes out of the program until it ends."""

    def __init__(self, come: int) -> None:
        super().__init__(daemon=True)
        self._come = io.FileIO(come)
        self.digest, self.size = "", 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            with self._come:  # closed after an error too, so that the program ends
                self.take()
        except BaseException as error:  # noqa: BLE001  raised again in the thread that feeds
            self.failure = error

    @abc.abstractmethod
    def take(self) -> None:
        """Everything, until the end."""


class _Relayed(_Taker):
    """The ciphertext itself: digested and passed on to the sink."""

    def __init__(self, come: int, out: Sink) -> None:
        super().__init__(come)
        self._out = out

    def take(self) -> None:
        room, digest = memoryview(bytearray(PIECE)), hashlib.sha256()
        while got := self._come.readinto(room):
            digest.update(room[:got])
            self._out.write(room[:got])
            self.size += got
        self.digest = digest.hexdigest()


class _Reported(_Taker):
    """The program's own word about what it wrote into the file."""

    def take(self) -> None:
        told = json.loads(self._come.readall() or b"{}")
        if (number := told.get("errno")) is not None and number != errno.EPIPE:
            raise OSError(number, os.strerror(number))
        self.digest, self.size = told.get("sha256", ""), told.get("size", 0)


def _descriptor(out: Sink) -> int | None:
    """The descriptor of a plain file, which a program can write into by itself, or None."""
    if not isinstance(out, io.BufferedWriter | io.FileIO):
        return None
    out.flush()
    number = out.fileno()
    return number if stat.S_ISREG(os.fstat(number).st_mode) else None
