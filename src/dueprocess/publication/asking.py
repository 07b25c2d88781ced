"""One HTTP request that always ends: with an answer of bounded size, or with one sentence about what was wrong.

Redirects are not followed, proxies are not used, nothing is retried.
"""

import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from urllib.parse import urlsplit

from dueprocess.errors import RefusedError, UnavailableError

MOST_ANSWER_BYTES = 65_536
TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Heard:
    """Status and body of an answer; the body has at most 64 KiB."""

    status: int
    body: bytes


def check_address(url: str, whose: str) -> None:
    """Refuses an address that is not https (http only on this machine), or that carries more than host and path."""
    try:
        parts = urlsplit(url)
        fits = bool(parts.hostname) and parts.port != 0 and url.isascii()
    except ValueError:
        parts, fits = urlsplit(""), False
    plain = parts.scheme == "http" and _is_loopback(parts.hostname or "")
    if fits and (plain or parts.scheme == "https") and not (parts.query or parts.fragment or parts.username):
        return
    raise RefusedError(
        "bad-address",
        f"The address of {whose} cannot be used: {url[:120]!r}.",
        why="It must be https://host/path without a password, a query or a fragment. Plain http is allowed on "
        "this machine only: elsewhere anyone on the way could answer.",
        do="Ask whoever runs it for its https address, and let two people change the policy.",
        source="security.md section 5; C2SP tlog-witness, HTTP Interface",
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def ask(url: str, body: bytes | None = None, *, seconds: float = TIMEOUT_SECONDS) -> Heard:
    """GET, or POST where there is a body. Raises ``UnavailableError`` with the reason and nothing else."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    late = threading.Event()
    try:
        with closing(kind(parts.hostname or "", parts.port, timeout=seconds)) as connection:
            connection.connect()
            # A time-out of the socket starts anew with each byte, so a dripping answer would never end.
            alarm = threading.Timer(seconds, _hang_up, (connection.sock, late))
            alarm.daemon = True
            alarm.start()
            try:
                heard = _exchange(connection, parts.path, body)
            finally:
                alarm.cancel()
    except TimeoutError as error:
        raise _late(seconds) from error
    except (OSError, HTTPException, ValueError) as error:
        raise _late(seconds) if late.is_set() else _unanswered(_words(error)) from error
    if late.is_set():
        raise _late(seconds)
    if len(heard.body) > MOST_ANSWER_BYTES:
        raise _unanswered(f"its answer has more than {MOST_ANSWER_BYTES} bytes")
    return heard


def _exchange(connection: HTTPConnection, path: str, body: bytes | None) -> Heard:
    headers = {"User-Agent": "dueprocess", "Connection": "close"}
    connection.request("GET" if body is None else "POST", path, body, headers)
    with connection.getresponse() as answer:
        return Heard(answer.status, answer.read(MOST_ANSWER_BYTES + 1))


def _hang_up(sock: socket.socket, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _words(error: Exception) -> str:
    """The reason in one line of printable characters: an answer's bytes never reach a terminal as they are."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    first = (text or type(error).__name__).splitlines()[0]
    return ascii(first)[1:-1][:200]


def _late(seconds: float) -> UnavailableError:
    return _unanswered(f"it did not answer within {seconds:g} seconds")


def _unanswered(why: str) -> UnavailableError:
    return UnavailableError("no-answer", "An HTTP request was not answered.", why=why)


def together[T](work: Mapping[str, Callable[[], T]], *, within: float) -> dict[str, T]:
    """Does all of it at once and gives what was done ``within`` these seconds; what hangs is left behind."""
    done: dict[str, T] = {}

    def one(name: str, each: Callable[[], T]) -> None:
        done[name] = each()

    threads = [threading.Thread(target=one, args=item, daemon=True) for item in work.items()]
    for thread in threads:
        thread.start()
    until = time.monotonic() + within
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return dict(done)
