"""One client's connection to the portal: a page, a challenge, a file. Nothing is written down about who asks.

Unknown, ended and expired parcels get one and the same answer. There is no list of anything.
"""

import datetime as dt
import os
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from http import HTTPStatus
from pathlib import Path
from typing import Protocol, cast

from dueprocess.delivery import fetches, releases
from dueprocess.delivery.fetches import Token
from dueprocess.delivery.recipients import encrypt_small
from dueprocess.delivery.releases import Release
from dueprocess.doorway import TimedConversation
from dueprocess.errors import HTTP_STATUS, DueprocessError, RefusedError
from dueprocess.portal.page import challenge_name, nothing_page, parcel_page, receipt_name, style
from dueprocess.portal.ranges import Span, asked_span
from dueprocess.portal.sender import send_file
from dueprocess.wire import b64, unhex

POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Robots-Tag", "noindex, nofollow"),
    ("Cache-Control", "no-store"),
)
_PATH = re.compile(r"/parcels/(p-[0-9a-f]{16})(?:/(challenge|file|receipt))?")
_STYLE = re.compile(r"(/parcels(/p-[0-9a-f]{16})?)?/style\.css")
_BEARER = re.compile(r"Bearer ([A-Za-z0-9_-]{43})", re.IGNORECASE)
_BYTES, _HTML = "application/octet-stream", "text/html; charset=utf-8"
_STATUS = {"too-many": 429, "fetched": 410, "ended": 410}

Answers = Mapping[str | None, Callable[[Release], None]]


class House(Protocol):
    """What a connection needs of the server that it came in by."""

    releases: Path
    fetched: Path
    stopping: bool
    live: fetches.Live
    clock: Callable[[], dt.datetime]
    report: Callable[[str], None]

    def sending(self, release: str) -> AbstractContextManager[bool]:
        """A place among those who are sent a parcel now; false where all are taken."""


class Conversation(TimedConversation):
    """One connection, which may bring several requests."""

    server_version = "dueprocess-portal"
    always = HEADERS
    house: House

    def setup(self) -> None:
        super().setup()
        self.house = cast("House", self.server)

    def do_GET(self) -> None:  # noqa: N802  the library's name
        """The page of a parcel, its bytes, its receipt, or the style of the page."""
        self._answer({None: self._page, "file": self._file, "receipt": self._receipt})

    def do_HEAD(self) -> None:  # noqa: N802  the library's name
        """The same without the body."""
        self.do_GET()

    def do_POST(self) -> None:  # noqa: N802  the library's name
        """A challenge: a fresh token that only the requester's key opens."""
        if "Transfer-Encoding" in self.headers or self.headers.get("Content-Length", "0") != "0":
            self.close_connection = True  # no body is wanted, so none is read
        self._answer({"challenge": self._challenge})

    def _answer(self, answers: Answers) -> None:
        try:
            found = _PATH.fullmatch(self.path)
            release = self._open_release(found[1]) if found is not None else None
            if _STYLE.fullmatch(self.path) and self.command != "POST":
                self.answer(200, style(), "text/css; charset=utf-8")
            elif found is None or release is None:
                self.answer(404, nothing_page(), _HTML)
            elif found[2] not in answers:
                allowed = "POST" if found[2] == "challenge" else "GET, HEAD"
                self.answer(405, f"This address takes {allowed}.\n".encode(), headers=(("Allow", allowed),))
            else:
                answers[found[2]](release)
        except DueprocessError as error:
            self._fail(error)

    def _open_release(self, parcel_id: str) -> Release | None:
        release = releases.read_release(self.house.releases, parcel_id)
        now = self.house.clock()
        return (
            release if release is not None and releases.is_open(self.house.releases, release, now) else None
        )

    def _page(self, release: Release) -> None:
        host = self.headers.get("Host", "")
        self.answer(200, parcel_page(release, host, whole=self._whole(release)), _HTML)

    def _whole(self, release: Release) -> bool:
        found = fetches.look(self.house.fetched, release.release)
        return fetches.is_whole(found, release.size_bytes)

    def _challenge(self, release: Release) -> None:
        if self._whole(release):
            raise _fetched_already()
        token = fetches.issue(self.house.fetched, release.release, self.house.clock())
        sealed = encrypt_small(release.recipient, token.encode())
        self.answer(200, sealed, _BYTES, headers=(_attachment(challenge_name(release)),))

    def _receipt(self, release: Release) -> None:
        if self._token(release) is None:
            return
        try:
            receipt = releases.receipt_path(self.house.releases, release.parcel_id).read_bytes()
        except FileNotFoundError:
            self.answer(404, nothing_page(), _HTML)
        else:
            self.answer(200, receipt, _BYTES, headers=(_attachment(receipt_name(release)),))

    def _token(self, release: Release) -> Token | None:
        """The token that this request brings; without a good one the request is answered and None comes back."""
        given = _BEARER.fullmatch(self.headers.get("Authorization", ""))
        now = self.house.clock()
        token = fetches.find(self.house.fetched, release.release, given[1], now) if given else None
        if token is None:
            words = b"This needs a fresh key: ask for one with POST at .../challenge and open it.\n"
            self.answer(401, words, headers=(("WWW-Authenticate", 'Bearer realm="parcel"'),))
        return token

    def _file(self, release: Release) -> None:
        token = self._token(release)
        if token is None:
            return
        if self._whole(release):
            raise _fetched_already()
        etag = f'"{release.sha256}"'
        span = asked_span(
            self.headers.get_all("Range", []), self.headers.get_all("If-Range", []), etag, release.size_bytes
        )
        if span is None:
            beyond = ("Content-Range", f"bytes */{release.size_bytes}")
            self.answer(416, b"The parcel ends before that byte.\n", headers=(("ETag", etag), beyond))
        elif self.command == "HEAD":
            self._file_head(release, etag, span)
        else:
            with self.house.sending(release.release) as free:
                if free:
                    self._send_file(release, token, etag, span)
                else:
                    self.answer(503, b"Too many downloads at once.\n", headers=(("Retry-After", "30"),))

    def _send_file(self, release: Release, token: Token, etag: str, span: Span) -> None:
        file = os.open(releases.file_path(self.house.releases, release.parcel_id), os.O_RDONLY)
        try:
            fetched = self.house.fetched
            with fetches.sending(fetched, release.release, token, span.first, self.house.live) as line:
                if not self._still(release, token):
                    raise RefusedError("ended", "This download has ended.")
                self._file_head(release, etag, span)
                count = send_file(
                    self.connection, file, (span.first, span.until), line.sent, lambda: self._goes_on(release)
                )
                if count < span.until - span.first:
                    self.close_connection = True
        finally:
            os.close(file)

    def _still(self, release: Release, token: Token) -> bool:
        """Looked at under the lock, because the worker may have put this download on record meanwhile."""
        now = self.house.clock()
        still = now < token.lapses_at and releases.is_open(self.house.releases, release, now)
        return still and not self._whole(release)

    def _goes_on(self, release: Release) -> bool:
        return not self.house.stopping and releases.is_open(self.house.releases, release, self.house.clock())

    def _file_head(self, release: Release, etag: str, span: Span) -> None:
        lines = [("Content-Type", _BYTES), ("Content-Length", str(span.until - span.first)), ("ETag", etag)]
        lines += [("Accept-Ranges", "bytes"), _attachment(release.name)]
        lines.append(("Repr-Digest", f"sha-256=:{b64(unhex(release.sha256))}:"))
        if span.partial:
            lines.append(("Content-Range", f"bytes {span.first}-{span.until - 1}/{release.size_bytes}"))
        self.answer_head(206 if span.partial else 200, lines)
        self.wfile.flush()

    def _fail(self, error: DueprocessError) -> None:
        status = _STATUS.get(error.code, HTTP_STATUS[type(error)])
        if not isinstance(error, RefusedError):
            self.house.report(f"Not answered: {error}")
        retry = (("Retry-After", "60"),) if status == HTTPStatus.TOO_MANY_REQUESTS else ()
        told = (
            "\n".join(each for each in (error.what, error.do) if each) if status < 500 else "Try again later."
        )
        self.answer(status, f"{told}\n".encode(), headers=retry)


def _attachment(name: str) -> tuple[str, str]:
    return "Content-Disposition", f'attachment; filename="{name}"'


def _fetched_already() -> RefusedError:
    return RefusedError(
        "fetched",
        "This answer package was fetched completely; it is given out once.",
        do="If it was lost, ask the service: a person there can release it once more.",
    )
