"""The program that encrypts a parcel to one recipient, fed through a pipe: age, OpenPGP or CMS by the key's kind.

Each is a process of its own: it uses another core, and none of them can see a store. Plaintext is only ever in
the pipe; the program's folder holds the recipient's public key and nothing else.

Source: C2SP age v1; RFC 4880 (OpenPGP); RFC 5652, RFC 5083 (CMS).
"""

import abc
import datetime as dt
import errno
import fcntl
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, NoReturn, Protocol

import pyrage
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from dueprocess.errors import MalformedError, UnavailableError

PIECE = 1024 * 1024
_BUFFER = 64 * 1024
_RSA_BITS = 2048

KeyKind = Literal["age", "openpgp", "cms"]
_BEGINS: tuple[tuple[str, KeyKind], ...] = (
    ("age1", "age"),
    ("-----BEGIN PGP PUBLIC KEY BLOCK", "openpgp"),
    ("-----BEGIN CERTIFICATE", "cms"),
)


class Sink(Protocol):
    """Where the ciphertext goes: a file opened for writing bytes, a socket, a hash. It keeps no piece."""

    def write(self, piece: bytes | memoryview, /) -> object: ...


def key_kind(recipient: str) -> KeyKind:
    """The kind of a recipient's key by how its text begins. Refuses any other text."""
    for start, kind in _BEGINS:
        if recipient.startswith(start):
            return kind
    raise _bad(
        "not a key of a kind that can receive", "Expected an age key, an OpenPGP key or a certificate."
    )


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
    if kind == "age":
        _check_age_key(recipient)
        yield _Program(
            "age", [sys.executable, "-I", "-m", "dueprocess.production.sealing", recipient], reports=True
        )
        return
    with tempfile.TemporaryDirectory(prefix="dueprocess-key-") as place:
        path = Path(place) / "recipient"
        path.write_text(recipient)
        if kind == "openpgp":
            yield _Program("gpg", _gpg(path))
        else:
            _check_certificate(recipient, at)
            yield _Program("openssl", _openssl(path))


def _check_age_key(recipient: str) -> None:
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise _bad("not an age key", "Expected a text that begins with age1.") from error


_GPG = (
    "--batch",
    "--no-tty",
    "--quiet",
    "--no-options",
    "--no-keyring",
    "--no-autostart",
    "--no-random-seed-file",
)


def _gpg(path: Path) -> list[str]:
    """Refuses what is not exactly one public key that can encrypt now. Compression stays off: it would leak."""
    gpg = [_found("gpg"), *_GPG, "--homedir", str(path.parent)]
    shown = subprocess.run(  # noqa: S603  a program found on this machine, with checked arguments
        [*gpg, "--with-colons", "--show-keys", str(path)], capture_output=True, text=True, check=False
    )
    lines = [line.split(":") for line in shown.stdout.splitlines()]
    keys = [fields for fields in lines if fields[0] in ("pub", "sec")]
    if len(keys) != 1 or keys[0][0] != "pub":
        raise _bad("not exactly one OpenPGP public key", "Enrol one key, exported with gpg --armor --export.")
    if keys[0][1] in tuple("eri") or "E" not in keys[0][11]:
        raise _bad("an OpenPGP key that has expired, is revoked or cannot encrypt", "Ask for a new key.")
    safe = ("--trust-model", "always", "--compress-algo", "none", "--cipher-algo", "AES256")
    return [*gpg, *safe, "--recipient-file", str(path), "--output", "-", "--encrypt"]


def _check_certificate(text: str, at: dt.datetime) -> None:
    """Refuses what is not exactly one certificate in force, with an RSA key of 2048 bits or an elliptic one."""
    advice = "Enrol the authority's current certificate for encryption, as PEM."
    try:
        (certificate,) = x509.load_pem_x509_certificates(text.encode())
        key = certificate.public_key()
    except ValueError as error:
        raise _bad("not exactly one certificate", advice) from error
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise _bad("a certificate that is not in force", advice)
    big = isinstance(key, RSAPublicKey) and key.key_size >= _RSA_BITS
    if not big and not isinstance(key, EllipticCurvePublicKey):
        raise _bad("a certificate whose key cannot receive", advice)


def _openssl(path: Path) -> list[str]:
    """CMS with AES-256-GCM, so that a changed parcel does not open; in DER and as a stream."""
    how = ("cms", "-encrypt", "-stream", "-binary", "-outform", "DER", "-aes-256-gcm")
    return [_found("openssl"), *how, str(path)]


def _found(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise UnavailableError(
            "no-program",
            f"The program {name} is not installed on the production worker's machine.",
            why="This authority's key needs it.",
            do=f"Install {name}, then run again. Nothing was read.",
        )
    return path


def _bad(what: str, do: str) -> MalformedError:
    return MalformedError("bad-recipient", f"The recipient's key is {what}.", do=do)


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
