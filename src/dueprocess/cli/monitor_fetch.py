"""Getting a log's files from a folder or over HTTPS, from somebody who may be broken or mean harm.

Every file has a size that it cannot exceed and a time in which it must arrive. Whatever goes wrong is one
``UnavailableError`` with one sentence; nothing that arrived is believed here.
"""

import http.client
import ipaddress
import ssl
import time
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.tlog import HASH_BYTES, MOST_ENTRY_BYTES, WIDTH

MOST_HEAD_BYTES = 1_000_000
MOST_TILE_BYTES = WIDTH * HASH_BYTES
MOST_BUNDLE_BYTES = WIDTH * (2 + MOST_ENTRY_BYTES)
MOST_REPORT_BYTES = 64 * 1024 * 1024

SECONDS_SILENT = 15.0
"""How long a server may say nothing."""
SECONDS_PER_FILE = 60.0
"""How long one file may take, however slowly it drips."""
MOST_REDIRECTS = 3

_PIECE = 65_536
_MOVED = frozenset({301, 302, 303, 307, 308})


class Place(Protocol):
    """Where files come from. ``read`` raises ``UnavailableError`` where there is nothing, or too much."""

    def read(self, path: str) -> bytes: ...

    def close(self) -> None: ...


def place_of(address: str) -> Place:
    """A web address as a web place, everything else as a folder."""
    if "://" in address:
        return WebPlace(address)
    folder = Path(address)
    if not folder.is_dir():
        raise UnavailableError(
            "no-folder",
            f"There is no folder {address}.",
            do="Name the folder of the log (it holds a file called checkpoint), or its https address.",
        )
    return FolderPlace(folder)


def most_bytes(path: str) -> int:
    """The most that the file at a path of a log or a report site may hold."""
    if path.startswith("tile/entries/"):
        return MOST_BUNDLE_BYTES
    if path.startswith("tile/"):
        return MOST_TILE_BYTES
    return MOST_REPORT_BYTES if path.startswith("reports/") else MOST_HEAD_BYTES


class FolderPlace:
    """A folder on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str) -> bytes:
        most = most_bytes(path)
        try:
            with (self._folder / path).open("rb") as file:
                data = file.read(most + 1)
        except FileNotFoundError as error:
            raise _missing(f"{self._folder}/{path}") from error
        except OSError as error:
            raise _unreachable(f"{self._folder}/{path}", error.strerror or str(error)) from error
        if len(data) > most:
            raise _too_large(path, most)
        return data

    def close(self) -> None:
        """Nothing is kept open."""


class WebPlace:
    """A web address. One connection is kept while it lasts; a lost one is made again once."""

    def __init__(self, address: str) -> None:
        """Refuses http to anywhere but this machine, and addresses with a password, a query or a fragment."""
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError as error:
            raise _bad_address(address) from error
        plain = parts.scheme == "http" and _is_loopback(parts.hostname or "")
        extra = parts.username is not None or parts.query or parts.fragment
        if not parts.hostname or extra or not (plain or parts.scheme == "https") or not address.isascii():
            raise _bad_address(address)
        self._scheme, self._host, self._port = parts.scheme, parts.hostname, port
        self._base = parts.path.rstrip("/") + "/"
        self._connection: http.client.HTTPConnection | None = None

    def read(self, path: str) -> bytes:
        target = self._base + path
        for _ in range(MOST_REDIRECTS + 1):
            moved = self._read(target, most_bytes(path))
            if isinstance(moved, bytes):
                return moved
            target = self._same_place(target, moved)
        raise _unreachable(path, "it redirects in circles")

    def _same_place(self, target: str, location: str) -> str:
        """The path of a redirect that stays on this server. Another one would not be the log that was named."""
        root = f"{self._scheme}://{self._host}{'' if self._port is None else f':{self._port}'}"
        try:
            parts = urlsplit(urljoin(root + target, location))
            place = (parts.scheme, parts.hostname, parts.port)
        except ValueError:
            parts, place = urlsplit(""), ("", None, None)
        if place != (self._scheme, self._host, self._port) or not location.isascii():
            raise _unreachable(
                target, f"it redirects to another place ({location[:120]!r}), which is not followed"
            )
        return parts.path

    def _read(self, target: str, most: int) -> bytes | str:
        """The bytes of the file, or where it has moved."""
        until = time.monotonic() + SECONDS_PER_FILE
        kept = self._connection is not None
        try:
            return self._ask(target, most, until)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if not kept:
                raise _unreachable(target, _words(error)) from error
        try:
            return self._ask(target, most, until)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise _unreachable(target, _words(error)) from error

    def _ask(self, target: str, most: int, until: float) -> bytes | str:
        connection = self._connection = self._connection or self._connect()
        headers = {
            "Accept-Encoding": "identity",
            "Cache-Control": "no-cache",
            "User-Agent": "dueprocess-monitor",
        }
        connection.request("GET", target, headers=headers)
        with connection.getresponse() as answer:
            if answer.status == http.client.OK:
                return self._body(answer, target, most, until)
            self.close()  # What an error page says is not read.
            if answer.status in _MOVED:
                return answer.headers.get("Location", "")
            if answer.status in (http.client.NOT_FOUND, http.client.GONE):
                raise _missing(target)
            raise _unreachable(target, f"the server answered {answer.status}")

    def _connect(self) -> http.client.HTTPConnection:
        if self._scheme == "http":
            return http.client.HTTPConnection(self._host, self._port, timeout=SECONDS_SILENT)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(self._host, self._port, timeout=SECONDS_SILENT, context=context)

    def _body(self, answer: http.client.HTTPResponse, target: str, most: int, until: float) -> bytes:
        length = answer.length
        if length is not None and length > most:
            self.close()
            raise _too_large(target, most)
        data = bytearray()
        while piece := answer.read1(_PIECE):
            data += piece
            if len(data) > most:
                self.close()
                raise _too_large(target, most)
            if time.monotonic() > until:
                self.close()
                raise _unreachable(target, f"it took longer than {SECONDS_PER_FILE:.0f} seconds")
        if length is not None and len(data) != length:
            self.close()
            raise _unreachable(target, f"it broke off after {len(data)} of {length} bytes")
        return bytes(data)

    def close(self) -> None:
        """Hangs up. The next read connects again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"it said nothing for {SECONDS_SILENT:.0f} seconds"
    if isinstance(error, http.client.IncompleteRead):
        return "it broke off in the middle"
    return str(error) or type(error).__name__


def _bad_address(address: str) -> RefusedError:
    return RefusedError(
        "bad-address",
        f"This address cannot be used: {address[:120]!r}.",
        why="It must be https://host/path without a password, a query or a fragment. Plain http is allowed on this"
        " machine only: elsewhere anybody on the way could answer.",
        do="Use the log's https address, or a folder with a copy of the log.",
    )


def _missing(path: str) -> UnavailableError:
    return UnavailableError(
        "file-missing", f"There is no file {path}.", do="Check the address; if it is right, ask the operator."
    )


def _unreachable(path: str, why: str) -> UnavailableError:
    return UnavailableError(
        "unreachable", f"{path} could not be fetched.", why=why, do="Run the same command again later."
    )


def _too_large(path: str, most: int) -> UnavailableError:
    return UnavailableError(
        "too-large",
        f"{path} is larger than such a file can be ({most:,} bytes), so it was not read.",
        do="Check the address; if it is right, ask the operator.",
    )
