"""The smallest XMPP client that the tests need: register, log in, publish, and send, over loopback without TLS."""

import base64
import re
import socket
import time
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape

_HEAD = "<?xml version='1.0'?><stream:stream to='{host}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
_ROSTER = "<query xmlns='jabber:iq:roster'/>"
PATIENCE = 20.0


class Client:
    """One connection of one person. Every question waits for its answer, so that nothing is left to timing."""

    def __init__(self, port: int, host: str) -> None:
        self._host = host
        self._read = ""
        self._link = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._stream()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.close()

    def register(self, name: str, password: str, **details: str) -> None:
        """A new account, made as any client makes one (XEP-0077)."""
        fields = {"username": name, "password": password, **details}
        given = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in fields.items())
        self.ask("set", f"<query xmlns='jabber:iq:register'>{given}</query>", to=self._host)

    def log_in(self, name: str, password: str) -> None:
        """SASL PLAIN, then a resource and presence, so that messages arrive and are archived."""
        secret = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
        self._send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>")
        self._until(r"<success[^>]*>")
        self._stream()
        self.ask("set", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desk</resource></bind>")
        if "urn:ietf:params:xml:ns:xmpp-session" in self._features:
            self.ask("set", "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>")

    def come_online(self) -> None:
        """From now on, messages arrive here instead of waiting."""
        self._send("<presence/>")
        self.ask("get", _ROSTER)

    def say(self, to: str, text: str) -> None:
        """One message with a body. Returns when the server has worked through it."""
        self._send(
            f"<message to='{to}' type='chat' id='m{time.time_ns()}'><body>{escape(text)}</body></message>"
        )
        self.ask("get", _ROSTER)

    def ask(self, kind: str, payload: str, to: str | None = None) -> str:
        """An IQ and its answer; a refusal fails the test with the server's words."""
        number = f"q{time.time_ns()}"
        where = f" to='{to}'" if to else ""
        self._send(f"<iq type='{kind}' id='{number}'{where}>{payload}</iq>")
        answer = self._until(rf"<iq\b[^>]*\bid=['\"]{number}['\"][^>]*?(/>|>.*?</iq>)")
        if re.search(r"<iq\b[^>]*\btype=['\"]error['\"]", answer):
            raise AssertionError(f"The server refused {payload[:60]}: {answer[:400]}")
        return answer

    def _stream(self) -> None:
        self._read = ""
        self._send(_HEAD.format(host=self._host))
        self._features = self._until(r"<stream:features>.*?</stream:features>")

    def _send(self, text: str) -> None:
        self._link.sendall(text.encode())

    def _until(self, pattern: str) -> str:
        """Reads until the pattern is there, and forgets everything up to its end."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = re.search(pattern, self._read, re.DOTALL)
            if found:
                self._read = self._read[found.end() :]
                return found[0]
            piece = self._link.recv(65536)
            if not piece:
                break
            self._read += piece.decode("utf-8", "replace")
        raise AssertionError(f"The server did not answer with {pattern}: {self._read[-400:]}")
