"""One client's connection to the witness: requests in, answers out, nothing written down about who asks.

A request must arrive whole in time, so that slow or silent clients cost a thread for a few seconds at most.
"""

import re
from contextlib import AbstractContextManager
from typing import Protocol, cast

from dueprocess.doorway import TimedConversation
from dueprocess.errors import HTTP_STATUS, DueprocessError
from dueprocess.tlog.witness import MOST_BODY_BYTES, TEXT_TYPE
from dueprocess.witness.timekeeper import Report, Timekeeper

_LENGTH = re.compile(r"[0-9]{1,9}")
_MONITORED = re.compile(r"/([0-9a-f]{64})/checkpoint")


class House(Protocol):
    """What a connection needs of the server that it came in by."""

    timekeeper: Timekeeper
    report: Report

    def answering(self) -> AbstractContextManager[None]:
        """Work that a stop waits for."""


class Conversation(TimedConversation):
    """One connection, which may bring several requests."""

    server_version = "dueprocess-witness"
    content_type = TEXT_TYPE
    always = (("Cache-Control", "no-cache"), ("X-Content-Type-Options", "nosniff"))
    house: House

    def setup(self) -> None:
        super().setup()
        self.house = cast("House", self.server)

    def handle_expect_100(self) -> bool:
        if self._length() is None:
            return False
        sent = super().handle_expect_100()
        self.wfile.flush()
        return sent

    def do_GET(self) -> None:  # noqa: N802  the library's name
        """The page, or the newest head of a log."""
        found = _MONITORED.fullmatch(self.path)
        with self.house.answering():
            if found is not None:
                self._monitor(found[1])
            elif self.path == "/":
                self._page()
            elif self.path in ("/add-checkpoint", "/sign-subtree"):
                self.answer(405, b"This address takes POST.\n", headers=(("Allow", "POST"),))
            else:
                self.answer(404, b"There is nothing here.\n")

    def do_HEAD(self) -> None:  # noqa: N802  the library's name
        """The same without the body."""
        self.do_GET()

    def do_POST(self) -> None:  # noqa: N802  the library's name
        """A log asks for a cosignature."""
        length = self._length()
        if length is None:
            return
        body = self.rfile.read(length)
        if len(body) != length:
            self.close_connection = True
            return
        with self.house.answering():
            if self.path == "/sign-subtree":
                self.answer(
                    404, b"This witness does not sign subtrees, which the specification leaves open.\n"
                )
            elif self.path != "/add-checkpoint":
                self.answer(404, b"There is nothing here.\n")
            else:
                self._add_checkpoint(body)

    def _add_checkpoint(self, body: bytes) -> None:
        try:
            judged = self.house.timekeeper.add_checkpoint(body)
        except DueprocessError as error:
            self._fail(error)
        else:
            self.answer(judged.status, judged.body, judged.content_type)

    def _monitor(self, origin_sha256: str) -> None:
        try:
            note = self.house.timekeeper.checkpoint(origin_sha256)
        except DueprocessError as error:
            self._fail(error)
            return
        if note is None:
            self.answer(404, b"This witness never cosigned a checkpoint of such a log.\n")
        else:
            self.answer(200, note)

    def _page(self) -> None:
        try:
            page = self.house.timekeeper.page()
        except DueprocessError as error:
            self._fail(error)
        else:
            self.answer(200, page.encode())

    def _length(self) -> int | None:
        """How long the body is. Answers and gives None where that is not said in one plain way, or too long."""
        lengths = self.headers.get_all("Content-Length") or []
        if "Transfer-Encoding" in self.headers or not lengths:
            self.answer_last(411, b"Say the length of the body with Content-Length.\n")
        elif len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
            self.answer_last(400, b"The length of the body is said in no plain way.\n")
        elif int(lengths[0]) > MOST_BODY_BYTES:
            self.answer_last(413, b"A request has at most 1,000,000 bytes here.\n")
        else:
            return int(lengths[0])
        return None

    def _fail(self, error: DueprocessError) -> None:
        self.house.report(f"Not answered: {error}")
        self.answer(HTTP_STATUS[type(error)], f"{error.what}\n".encode())
