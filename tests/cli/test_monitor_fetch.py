"""Getting files from a folder and from a real server on this machine that misbehaves in every way we know."""

import contextlib
import datetime as dt
import http.server
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dueprocess.cli import monitor_fetch
from dueprocess.cli.monitor_fetch import MOST_TILE_BYTES, FolderPlace, WebPlace, most_bytes, place_of
from dueprocess.errors import RefusedError, UnavailableError

type Web = Callable[[str], WebPlace]
type Misbehave = Callable[["Handler"], None]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with files, or as the test says."""

    protocol_version = "HTTP/1.1"
    files: dict[str, bytes]
    odd: dict[str, Misbehave]
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = self.path.removeprefix("/log/")
        if path in self.odd:
            self.odd[path](self)
        elif path in self.files:
            self.answer(200, self.files[path])
        else:
            self.answer(404, b"no such file")

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class calls it so
        """Nothing on the terminal of a test run."""


@pytest.fixture
def web() -> Iterator[Callable[[str], WebPlace]]:
    """Makes web places, and hangs up at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda address: stack.enter_context(contextlib.closing(WebPlace(address)))


@pytest.fixture
def server() -> Iterator[tuple[str, type[Handler]]]:
    """The address of a real server, and its handler with files and oddities."""
    kind = type("One", (Handler,), {"files": {}, "odd": {}, "asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/log", kind
        running.shutdown()


def test_files_come_over_one_kept_connection(server: tuple[str, type[Handler]], web: Web) -> None:
    """Two files, byte for byte; a slash at the end of the address changes nothing."""
    address, kind = server
    kind.files = {"checkpoint": b"head", "tile/0/000": b"x" * 8192}
    place = web(address + "/")
    assert (place.read("checkpoint"), place.read("tile/0/000")) == (b"head", b"x" * 8192)
    assert kind.asked == ["/log/checkpoint", "/log/tile/0/000"]


def test_a_connection_that_was_closed_meanwhile_is_made_again(
    server: tuple[str, type[Handler]], web: Web
) -> None:
    """A server that hangs up between two files is no error."""
    address, kind = server
    kind.files = {"checkpoint": b"head"}

    def last(handler: Handler) -> None:
        handler.answer(200, b"bye")
        handler.close_connection = True

    kind.odd = {"last": last}
    place = web(address)
    assert place.read("last") == b"bye"
    assert place.read("checkpoint") == b"head"


def gone(handler: Handler) -> None:
    handler.answer(410, b"")


def broken(handler: Handler) -> None:
    handler.answer(500, b"x" * 100_000)


def truncated(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"only this")
    handler.close_connection = True


def cut_chunks(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"5\r\nhello\r\nff\r\nhalf")
    handler.close_connection = True


def one_gigabyte(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(2**30))
    handler.end_headers()
    handler.wfile.write(b"x" * 1000)


def endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    with contextlib.suppress(OSError):
        while True:
            handler.wfile.write(b"x" * 65536)


def nonsense(handler: Handler) -> None:
    handler.wfile.write(b"this is not http\r\n\r\n")
    handler.close_connection = True


def elsewhere(handler: Handler) -> None:
    handler.answer(302, b"", Location="http://other.example/log/checkpoint")


def another_port(handler: Handler) -> None:
    handler.answer(302, b"", Location="http://127.0.0.1:1/log/checkpoint")


def bad_port(handler: Handler) -> None:
    handler.answer(302, b"", Location="http://127.0.0.1:x/")


def circle(handler: Handler) -> None:
    handler.answer(301, b"", Location=handler.path)


def nowhere(handler: Handler) -> None:
    handler.answer(301, b"")


@pytest.mark.parametrize(
    ("odd", "code", "words"),
    [
        (gone, "file-missing", "There is no file"),
        (broken, "unreachable", "answered 500"),
        (truncated, "unreachable", "broke off after 9 of 1000"),
        (cut_chunks, "unreachable", "broke off"),
        (one_gigabyte, "too-large", "larger than such a file"),
        (endless, "too-large", "larger than such a file"),
        (nonsense, "unreachable", ""),
        (elsewhere, "unreachable", "another place"),
        (another_port, "unreachable", "another place"),
        (bad_port, "unreachable", "another place"),
        (circle, "unreachable", "in circles"),
        (nowhere, "unreachable", "in circles"),
    ],
)
def test_a_server_that_misbehaves_is_one_sentence(
    server: tuple[str, type[Handler]], web: Web, odd: Misbehave, code: str, words: str
) -> None:
    """Whatever it does, the reader gets an error of one kind with a reason, and the next file still comes."""
    address, kind = server
    kind.odd, kind.files = {"checkpoint": odd}, {"good": b"good"}
    place = web(address)
    with pytest.raises(UnavailableError) as caught:
        place.read("checkpoint")
    assert caught.value.code == code
    assert words in str(caught.value)
    assert place.read("good") == b"good"


def test_a_redirect_on_the_same_server_is_followed(server: tuple[str, type[Handler]], web: Web) -> None:
    """A moved folder on the server that was named is still that server."""
    address, kind = server
    kind.files = {"new/checkpoint": b"head"}
    kind.odd = {"checkpoint": lambda handler: handler.answer(308, b"", Location="/log/new/checkpoint")}
    assert web(address).read("checkpoint") == b"head"


def test_a_silent_server_is_given_up(
    server: tuple[str, type[Handler]], web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No byte within the time, and the wait ends."""
    address, kind = server
    monkeypatch.setattr(monitor_fetch, "SECONDS_SILENT", 0.2)
    kind.odd = {"checkpoint": lambda _: time.sleep(1)}
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="said nothing"):
        web(address).read("checkpoint")
    assert time.monotonic() - began < 0.9


def test_a_dripping_server_is_given_up(
    server: tuple[str, type[Handler]], web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then keeps no one waiting for ever."""
    address, kind = server
    monkeypatch.setattr(monitor_fetch, "SECONDS_PER_FILE", 0.3)

    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(20):
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(0.05)

    kind.odd = {"checkpoint": drip}
    with pytest.raises(UnavailableError, match="took longer"):
        web(address).read("checkpoint")


def test_a_kept_connection_that_dies_for_good_is_one_sentence(
    server: tuple[str, type[Handler]], web: Web
) -> None:
    """Tried once more, then told."""
    address, kind = server
    kind.files = {"checkpoint": b"head"}
    place = web(address)
    assert place.read("checkpoint") == b"head"

    def die(handler: Handler) -> None:
        handler.close_connection = True

    kind.odd = {"checkpoint": die}
    with pytest.raises(UnavailableError):
        place.read("checkpoint")
    assert kind.asked == ["/log/checkpoint"] * 3


def test_a_certificate_that_nobody_vouches_for_is_not_believed(tmp_path: Path, web: Web) -> None:
    """A server with a certificate of its own making gets no question."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    then = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(then).not_valid_after(then + dt.timedelta(days=36_500))
    )
    pem = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            raw, _ = listening.accept()
            with raw, contextlib.suppress(OSError), context.wrap_socket(raw, server_side=True):
                pass

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        with pytest.raises(UnavailableError, match=r"(?i)certificate"):
            web(f"https://localhost:{listening.getsockname()[1]}/log").read("checkpoint")
        thread.join(5)


def test_nobody_at_the_address_is_one_sentence(web: Web) -> None:
    """A closed port."""
    with pytest.raises(UnavailableError):
        web("http://127.0.0.1:1/log").read("checkpoint")


@pytest.mark.parametrize(
    "address",
    [
        "http://chat.example/log",
        "http://10.0.0.1/log",
        "ftp://chat.example/log",
        "https://eva:secret@chat.example/log",
        "https://chat.example/log?x=1",
        "https://chat.example/log#top",
        "https:///log",
        "https://chat.example:x/log",
        "https://[::1/log",
        "https://chät.example/log",
    ],
)
def test_addresses_that_anybody_could_answer_are_refused(address: str) -> None:
    """Plain http only to this machine; nothing that carries more than host and path."""
    with pytest.raises(RefusedError):
        place_of(address)


def test_https_and_loopback_addresses_are_taken() -> None:
    """These are the ones that work."""
    for address in ("https://chat.example/log", "http://localhost/log", "http://[::1]:80/log"):
        assert isinstance(place_of(address), WebPlace)


def test_a_folder_gives_its_files_and_nothing_too_large(tmp_path: Path) -> None:
    """The same limits as over the network; a missing folder says what to name instead."""
    (tmp_path / "tile").mkdir()
    (tmp_path / "tile" / "0").write_bytes(b"x" * (MOST_TILE_BYTES + 1))
    (tmp_path / "checkpoint").write_bytes(b"head")
    place = place_of(str(tmp_path))
    assert isinstance(place, FolderPlace)
    assert place.read("checkpoint") == b"head"
    for path, code in (("tile/0", "too-large"), ("tile/1", "file-missing"), ("tile", "unreachable")):
        with pytest.raises(UnavailableError) as caught:
            place.read(path)
        assert caught.value.code == code
    with pytest.raises(UnavailableError, match="There is no folder"):
        place_of(str(tmp_path / "missing"))


def test_each_file_has_its_own_limit() -> None:
    """A head, a tile, a bundle and a report."""
    sizes = [
        most_bytes(path)
        for path in ("tile/0/000", "checkpoint", "tile/entries/000", "reports/2026H1/report.json")
    ]
    assert sizes == sorted(sizes)
