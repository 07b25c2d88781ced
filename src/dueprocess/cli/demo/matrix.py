"""What the demonstration asks of a Matrix homeserver, over plain HTTP on loopback: a few calls, no library.

Source: Matrix client-server API v1.11 (https://spec.matrix.org); Synapse admin API, "Register Users" and
"User Admin API" (https://element-hq.github.io/synapse).
"""

import hashlib
import hmac
import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dueprocess.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the server sees it: the program, the address, and the token once there is one."""

    user_agent: str
    address: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """One real login: the token and the device that the server gave out."""

    user_id: str
    caller: Caller
    device_id: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """A homeserver on this machine. Each call is one request; anything but success is an error."""

    port: int

    def register(self, name: str, password: str, secret: str, caller: Caller, *, admin: bool = False) -> None:
        """Makes an account through the shared secret, without logging it in.

        Source: Synapse admin API; the message authentication code there is HMAC-SHA1.
        """
        path = "/_synapse/admin/v1/register"
        nonce = str(self.ask("GET", path, caller)["nonce"])
        words = (nonce, name, password, "admin" if admin else "notadmin")
        code = hmac.new(secret.encode(), b"\0".join(each.encode() for each in words), hashlib.sha1)
        body = {
            "nonce": nonce,
            "username": name,
            "password": password,
            "mac": code.hexdigest(),
            "admin": admin,
            "inhibit_login": True,
        }
        self.ask("POST", path, caller, body)

    def login(self, name: str, password: str, caller: Caller, *, device_name: str) -> LoggedIn:
        """Logs in with the password as a new device, and uses the session once, so that it is seen."""
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": name},
            "password": password,
            "initial_device_display_name": device_name,
        }
        found = self.ask("POST", "/_matrix/client/v3/login", caller, body)
        known = Caller(caller.user_agent, caller.address, str(found["access_token"]))
        self.ask("GET", "/_matrix/client/v3/account/whoami", known)
        return LoggedIn(str(found["user_id"]), known, str(found["device_id"]))

    def set_mail(self, admin: Caller, user_id: str, address: str) -> None:
        """Records a confirmed e-mail address of an account, as an administrator may."""
        path = f"/_synapse/admin/v2/users/{quote(user_id, safe='')}"
        self.ask("PUT", path, admin, {"threepids": [{"medium": "email", "address": address}]})

    def set_display_name(self, who: LoggedIn, name: str) -> None:
        path = f"/_matrix/client/v3/profile/{quote(who.user_id, safe='')}/displayname"
        self.ask("PUT", path, who.caller, {"displayname": name})

    def open_room(self, who: LoggedIn, name: str) -> str:
        """Makes an unencrypted room that anyone here may join; returns its id."""
        found = self.ask(
            "POST", "/_matrix/client/v3/createRoom", who.caller, {"preset": "public_chat", "name": name}
        )
        return str(found["room_id"])

    def join(self, who: LoggedIn, room: str) -> None:
        self.ask("POST", f"/_matrix/client/v3/join/{quote(room, safe='')}", who.caller, {})

    def send(self, who: LoggedIn, room: str, content: dict[str, Any], number: int) -> str:
        """Sends one message; returns the id of its event. ``number`` is unique to the session."""
        path = f"/_matrix/client/v3/rooms/{quote(room, safe='')}/send/m.room.message/t{number}"
        return str(self.ask("PUT", path, who.caller, content)["event_id"])

    def upload(self, who: LoggedIn, picture: bytes, name: str) -> str:
        """Stores a PNG on the server; returns its ``mxc://`` address."""
        path = f"/_matrix/media/v3/upload?filename={quote(name)}"
        return str(self.ask("POST", path, who.caller, picture)["content_uri"])

    def ask(
        self, method: str, path: str, caller: Caller, body: dict[str, Any] | bytes | None = None
    ) -> dict[str, Any]:
        """One request and its JSON answer. Raises ``UnavailableError`` with the server's own words."""
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = {"User-Agent": caller.user_agent}
        # What a proxy in front of a homeserver adds: the server believes it, and so do its rows.
        headers |= {"X-Forwarded-For": caller.address, "X-Forwarded-Proto": "https"}
        headers["Content-Type"] = "image/png" if isinstance(body, bytes) else "application/json"
        if caller.token:
            headers["Authorization"] = f"Bearer {caller.token}"
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            link.request(method, path, content, headers)
            answer = link.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise _failed(method, path, str(error)) from error
        finally:
            link.close()
        return _opened(method, path, answer.status, text)


def _opened(method: str, path: str, status: int, text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _failed(method, path, f"{status}, and no JSON: {text[:120]!r}") from error
    if status != http.HTTPStatus.OK:
        raise _failed(method, path, f"{status}: {found}")
    if not isinstance(found, dict):
        raise _failed(method, path, "no object")
    return found


def _failed(method: str, path: str, why: str) -> UnavailableError:
    return UnavailableError(
        "homeserver-refused",
        f"The homeserver did not accept {method} {path.partition('?')[0]}.",
        why=why[:400],
        do="Run the same command again; the homeserver's own log is homeserver.log in its folder.",
    )
