"""Asking a homeserver whose access token this is. The only sentence over the network of `dueprocess try`.

The token goes to the one address that the operator named, over TLS or to this machine, is followed to no other
place, and stands in no error. Nothing that arrives is believed beyond its shape.
"""

import http.client
import ipaddress
import re
import ssl
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from dueprocess.errors import MalformedError, RefusedError, UnavailableError
from dueprocess.wire import parse_json

MOST_ANSWER = 64 * 1024
"""Bytes. The answer to `whoami` has about a hundred."""
SECONDS_SILENT = 10.0
SECONDS_IN_ALL = 30.0
_WHOAMI = "/_matrix/client/v3/account/whoami"
_USER_ID = re.compile(r"@[!-9;-~]{1,200}:[A-Za-z0-9.\-\[\]:]{1,230}", re.ASCII)
_DEVICE_ID = re.compile(r"[\x20-\x7e]{1,255}", re.ASCII)
_CODE = re.compile(r"[A-Z_]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Whoami:
    """What a homeserver says about a token: whose it is, and which session."""

    user_id: str
    device_id: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a homeserver listens. Plain http only on this machine."""

    scheme: str
    host: str
    port: int | None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


def place_of(address: str) -> Place:
    """The homeserver at a base address. Refuses http to another machine, and anything beyond host and port."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _bad_address() from error
    extra = parts.username is not None or parts.query or parts.fragment or parts.path not in {"", "/"}
    safe = parts.scheme == "https" or (parts.scheme == "http" and _names_this_machine(host))
    if not host or extra or not safe or not re.fullmatch(r"[!-~]+", address):
        raise _bad_address()
    return Place(parts.scheme, host, port)


def whoami(place: Place, token: str) -> Whoami:
    """Whose ordinary session the token is, by the live server's word.

    Refuses a token that the server does not know, a guest's, one without a session (application services, an
    administrator's log-in as somebody else), an administrator's, a redirect and an answer over 64 kB.
    Source: Matrix client-server API v1.11, "GET /_matrix/client/v3/account/whoami"; Synapse admin API, "User Admin
    API", and its request to ask whether an account is an administrator's.
    """
    answer = _ask(place, _WHOAMI, token)
    if answer.status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        raise _not_accepted(answer)
    if 300 <= answer.status < 400:
        raise RefusedError(
            "redirected",
            "The server sends this request to another place, which is not followed.",
            why="A token goes to the one address that was named.",
            do="Name the homeserver's own address with --server.",
        )
    if answer.status != http.client.OK:
        raise UnavailableError(
            "server-answer",
            f"The server answered {answer.status} to the question whose token this is.",
            do="Check that --server is the address at which clients reach the homeserver.",
        )
    found = _read(answer.body)
    if _is_administrator(place, token, found.user_id):
        raise RefusedError(
            "administrator",
            "This token belongs to an administrator, and such accounts are not counted.",
            why="An administrator can speak for others. Only a person's own session proves who asks.",
            do="Use the token of an ordinary account of your own.",
        )
    return found


def _read(body: bytes) -> Whoami:
    told: Any = parse_json(body, "the server's answer")
    user, device = (told.get("user_id"), told.get("device_id")) if isinstance(told, dict) else (None, None)
    if (
        not isinstance(told, dict)
        or not isinstance(user, str)
        or not _USER_ID.fullmatch(user)
        or len(user) > 255
    ):
        raise MalformedError(
            "not-matrix",
            "The server's answer names no Matrix account.",
            do="Check that --server is the address of a Matrix homeserver.",
        )
    if told.get("is_guest", False) is not False:
        raise RefusedError(
            "guest", "This token is a guest's.", do="Use the token of an ordinary account of your own."
        )
    if not isinstance(device, str) or not _DEVICE_ID.fullmatch(device):
        raise RefusedError(
            "no-session",
            "This token belongs to no session of a person.",
            why="Tokens of application services, and those with which an administrator logs in as somebody else, "
            "have no device.",
            do="Log in with an ordinary client, and use that session's token.",
            source='Synapse admin API, "Login as a user": no device is made',
        )
    return Whoami(user, device)


def _is_administrator(place: Place, token: str, user_id: str) -> bool:
    """Whether the admin API opens for this token. Where it cannot be asked, the database's word counts alone."""
    answer = _ask(place, f"/_synapse/admin/v1/users/{quote(user_id, safe='')}/admin", token)
    return answer.status == http.client.OK and "admin" in _object(answer.body)


def _object(body: bytes) -> dict[str, Any]:
    """The members of a JSON object; none where the body is anything else."""
    try:
        told = parse_json(body, "the server's answer")
    except MalformedError:
        return {}
    return told if isinstance(told, dict) else {}


def _not_accepted(answer: _Answer) -> RefusedError:
    code = _object(answer.body).get("errcode")
    said = f" ({code})" if isinstance(code, str) and _CODE.fullmatch(code) else ""
    return RefusedError(
        "token-refused",
        f"The server does not accept this token{said}.",
        why="It is not this server's, was logged out, has run out, or its account is closed or locked.",
        do="Copy the token of a live session of your own: in Element under Settings, Help & About, Access Token.",
    )


# ------------------------------------------------------------------------------------------------ the wire


def _ask(place: Place, path: str, token: str) -> _Answer:
    """One GET. The token is sent only after the connection was seen to be what the address promised."""
    link = _link(place)
    try:
        link.connect()
        if place.scheme == "http" and not _is_loopback(link.sock.getpeername()[0]):
            raise _bad_address()
        headers = {
            "Authorization": f"Bearer {token}",
            "User-Agent": "dueprocess-try",
            "Accept-Encoding": "identity",
        }
        link.request("GET", path, headers=headers)
        with link.getresponse() as answer:
            return _Answer(answer.status, _body(answer))
    except ssl.SSLError as error:
        raise RefusedError(
            "bad-tls",
            "The server's certificate is not good, so the token was not sent.",
            why=(getattr(error, "verify_message", "") or error.reason or "TLS failed")[:200],
            do="Ask at the server's own machine: --server http://127.0.0.1:8008.",
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(
            "server-silent",
            "The homeserver does not answer.",
            why=(getattr(error, "strerror", None) or type(error).__name__)[:200],
            do="Check that it runs, and that --server is its address.",
        ) from error
    finally:
        link.close()


def _link(place: Place) -> http.client.HTTPConnection:
    if place.scheme == "http":
        return http.client.HTTPConnection(place.host, place.port, timeout=SECONDS_SILENT)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(place.host, place.port, timeout=SECONDS_SILENT, context=context)


def _body(answer: http.client.HTTPResponse) -> bytes:
    until, body = time.monotonic() + SECONDS_IN_ALL, bytearray()
    while piece := answer.read1(MOST_ANSWER + 1 - len(body)):
        body += piece
        if len(body) > MOST_ANSWER:
            raise RefusedError(
                "too-large",
                f"The server's answer is larger than {MOST_ANSWER:,} bytes, so it was not read.",
                do="Check that --server is the address of the homeserver.",
            )
        if time.monotonic() > until:
            raise UnavailableError(
                "server-silent", "The homeserver's answer takes too long.", do="Run it again."
            )
    return bytes(body)


def _names_this_machine(host: str) -> bool:
    return host == "localhost" or _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bad_address() -> RefusedError:
    return RefusedError(
        "bad-address",
        "This address cannot be used for a token.",
        why="It must be https://host or https://host:port. Plain http is allowed on this machine only: elsewhere "
        "anybody on the way could read the token.",
        do="Run this on the server itself with --server http://127.0.0.1:8008, or use its https address.",
    )
