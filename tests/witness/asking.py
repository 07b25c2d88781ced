"""A plain HTTP client for the tests."""

import http.client
from dataclasses import dataclass

from dueprocess.tlog.note import Verified, Vkey, parse_note, verify_note


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str
    headers: http.client.HTTPMessage


def connect(url: str) -> http.client.HTTPConnection:
    """A connection that stays open."""
    return http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)


def send(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> Answer:
    connection.request(method, path, body)
    found = connection.getresponse()
    return Answer(found.status, found.read(), found.headers["Content-Type"], found.headers)


def ask(url: str, method: str, path: str, body: bytes | None = None) -> Answer:
    """One request on a connection of its own."""
    connection = connect(url)
    try:
        return send(connection, method, path, body)
    finally:
        connection.close()


def verified(text: str, lines: bytes, vkeys: tuple[Vkey, ...]) -> tuple[Verified, ...]:
    """The cosignatures of these keys under a text."""
    return verify_note(parse_note(f"{text}\n".encode() + lines), vkeys)
