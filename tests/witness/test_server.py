"""The witness over real HTTP, sentence by sentence of C2SP tlog-witness."""

import contextlib
import datetime as dt
import hashlib
import http.client
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import aics_tlog
import pytest

from dueprocess import doorway
from dueprocess.errors import UnavailableError
from dueprocess.tlog.note import COSIGNATURE, ML_DSA_44, format_note, parse_note, verify_note
from dueprocess.tlog.witness import MOST_BODY_BYTES, monitoring_path
from dueprocess.witness.place import WitnessPlace
from dueprocess.witness.server import Running, serve_in_thread
from witness import asking
from witness.asking import ask, connect, send, verified
from witness.conftest import NAME, TickingClock
from witness.growing import GrowingLog


def add(running: Running, body: bytes) -> asking.Answer:
    return ask(running.url, "POST", "/add-checkpoint", body)


def test_a_good_checkpoint_must_be_answered_200_with_cosignatures_of_the_witness_keys(
    running: Running, log: GrowingLog
) -> None:
    """Both verify over the entire submitted tree, one line each, with one time that is not zero."""
    found = add(running, log.body(0, 5))
    assert found.status == 200
    lines = found.body.decode().splitlines(keepends=True)
    assert all(line.startswith("— ") and line.endswith("\n") for line in lines)
    signed = verified(log.head(5).text, found.body, running.vkeys)
    assert [each.vkey.algorithm for each in signed] == [COSIGNATURE, ML_DSA_44]
    assert len({each.timestamp for each in signed}) == 1
    assert signed[0].timestamp


def test_the_ed25519_cosignature_is_one_that_another_authors_library_verifies(
    running: Running, log: GrowingLog
) -> None:
    """aics-tlog, which shares no code with this one, accepts it, and for no other size."""
    found = add(running, log.body(0, 5))
    raw = parse_note(f"{log.head(5).text}\n".encode() + found.body).signatures[0].raw
    public, head = running.vkeys[0].public, log.head(5)
    assert aics_tlog.verify_cosignature(raw, NAME, public, log.origin, 5, head.root)
    assert not aics_tlog.verify_cosignature(raw, NAME, public, log.origin, 6, head.root)


def test_the_record_must_be_updated_with_each_accepted_checkpoint(running: Running, log: GrowingLog) -> None:
    """0 to 3, to 3 again, to 8: each from the one before, each with a later time."""
    stamps = []
    for old, new in ((0, 3), (3, 3), (3, 8)):
        found = add(running, log.body(old, new))
        assert found.status == 200
        stamps += [
            each.timestamp or 0 for each in verified(log.head(new).text, found.body, running.vkeys)[:1]
        ]
    assert stamps == sorted(set(stamps))


def test_a_conflict_must_be_409_with_the_size_and_its_content_type(running: Running, log: GrowingLog) -> None:
    """And the client that takes the size from it succeeds."""
    add(running, log.body(0, 3))
    found = add(running, log.body(0, 8))
    assert (found.status, found.content_type, found.body) == (409, "text/x.tlog.size", b"3\n")
    assert add(running, log.body(int(found.body), 8)).status == 200


def test_an_empty_log_is_cosigned_and_grows(running: Running, log: GrowingLog) -> None:
    """Size zero is a size: cosigned, kept, and the next proof from it is empty."""
    assert add(running, log.body(0, 0)).status == 200
    assert add(running, log.body(0, 0)).status == 200
    assert add(running, log.body(0, 4)).status == 200


BODIES: dict[str, tuple[Callable[[GrowingLog], bytes], int]] = {
    "an unknown log": (lambda _: GrowingLog.new("log.example/unknown").body(0, 3), 404),
    "a forged signature": (lambda _: GrowingLog.new().body(0, 3), 403),
    "old above new": (lambda log: log.body(0, 3).replace(b"old 0", b"old 9"), 400),
    "no proof": (lambda log: log.body(0, 7).replace(b"old 0", b"old 5"), 422),
    "another history": (lambda log: log.forked(2).body(5, 7), 422),
    "another root": (lambda log: log.forked(2).body(5, 5), 422),
    "nothing": (lambda _: b"", 400),
    "garbage": (lambda _: b"\x00\xff" * 40, 400),
    "no note": (lambda _: b"old 5\n\n", 400),
}


@pytest.mark.parametrize("what", BODIES)
def test_a_refused_checkpoint_must_not_be_cosigned(running: Running, log: GrowingLog, what: str) -> None:
    """Each with its status; the record stays where it was and no signature is given."""
    body, status = BODIES[what]
    add(running, log.body(0, 5))
    before = ask(running.url, "GET", f"/{monitoring_path(log.origin)}").body
    found = add(running, body(log))
    assert found.status == status
    assert NAME.encode() not in found.body
    assert ask(running.url, "GET", f"/{monitoring_path(log.origin)}").body == before


def test_the_monitored_checkpoint_must_hold_the_returned_cosignatures_and_the_verified_log_signatures(
    running: Running, log: GrowingLog
) -> None:
    """The address is the lower-case SHA-256 of the origin; a signature of an unknown key is not passed on."""
    text, stranger = log.head(4).text, GrowingLog.new()
    lines = (*log.signatures(text), *stranger.signatures(text))
    body = b"old 0\n\n" + format_note(text, lines)
    returned = add(running, body).body
    found = ask(running.url, "GET", f"/{hashlib.sha256(log.origin.encode()).hexdigest()}/checkpoint")
    note = parse_note(found.body)
    assert (found.status, note.text) == (200, text)
    assert found.body.endswith(returned)
    assert len(verify_note(note, (*log.vkeys, *running.vkeys))) == len(note.signatures) == 4


def test_a_log_never_cosigned_must_be_404_for_monitors(running: Running, log: GrowingLog) -> None:
    """Watched or not; and the digest is in lower case or nothing."""
    path = f"/{monitoring_path(log.origin)}"
    assert ask(running.url, "GET", path).status == 404
    add(running, log.body(0, 3))
    assert ask(running.url, "GET", path).status == 200
    assert ask(running.url, "GET", f"/{monitoring_path('log.example/unknown')}").status == 404
    assert ask(running.url, "GET", path.upper().replace("CHECKPOINT", "checkpoint")).status == 404


def test_add_checkpoint_must_be_a_post_and_the_monitored_checkpoint_a_get(
    running: Running, log: GrowingLog
) -> None:
    """Other methods change and give nothing."""
    found = ask(running.url, "GET", "/add-checkpoint")
    assert (found.status, found.headers["Allow"]) == (405, "POST")
    assert ask(running.url, "PUT", "/add-checkpoint", log.body(0, 3)).status == 501
    assert ask(running.url, "POST", f"/{monitoring_path(log.origin)}", b"").status == 404
    assert ask(running.url, "GET", f"/{monitoring_path(log.origin)}").status == 404


def test_subtrees_are_not_signed_and_the_witness_says_so(running: Running) -> None:
    """The specification leaves that address open."""
    found = ask(running.url, "POST", "/sign-subtree", b"subtree 0 1\n")
    assert found.status == 404
    assert b"does not sign subtrees" in found.body


def test_the_front_page_says_what_it_is_which_keys_and_which_logs(running: Running, log: GrowingLog) -> None:
    """In plain text, with the length seen last, and without folders or files."""
    assert "nothing signed yet" in ask(running.url, "GET", "/").body.decode()
    add(running, log.body(0, 3))
    found = ask(running.url, "GET", "/")
    text = found.body.decode()
    assert all(each.text in text for each in running.vkeys)
    assert f"{log.origin}  (3 leaves)  /{monitoring_path(log.origin)}" in text
    for path in ("/keys", "/keys/witness.pem", "/state.db", "/../witness.toml", "/logs/", "/?"):
        assert ask(running.url, "GET", path).status == 404
    head = ask(running.url, "HEAD", "/")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(found.body)))


def test_connections_are_kept_alive(running: Running, log: GrowingLog) -> None:
    """Requests follow each other on one connection, refused ones included."""
    connection = connect(running.url)
    assert send(connection, "POST", "/add-checkpoint", log.body(0, 3)).status == 200
    first = connection.sock
    assert send(connection, "POST", "/add-checkpoint", b"garbage").status == 400
    assert send(connection, "POST", "/add-checkpoint", log.body(3, 5)).status == 200
    assert connection.sock is first
    connection.close()


def raw(running: Running, data: bytes) -> bytes:
    """What comes back for these bytes until the server closes."""
    with socket.create_connection(("127.0.0.1", running.server.server_port), timeout=20) as connection:
        connection.sendall(data)
        found = b""
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65_536):
                found += part
        return found


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"", 411),
        (b"Transfer-Encoding: chunked\r\n", 411),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 411),
        (b"Content-Length: 3\r\nContent-Length: 4\r\n", 400),
        (b"Content-Length: -3\r\n", 400),
        (b"Content-Length: +3\r\n", 400),
        (b"Content-Length: 3, 3\r\n", 400),
        (b"Content-Length: 99999999999999\r\n", 400),
        (b"Content-Length: %d\r\n" % (MOST_BODY_BYTES + 1), 413),
        (b"Content-Length: %d\r\nExpect: 100-continue\r\n" % (MOST_BODY_BYTES + 1), 413),
    ],
)
def test_a_body_whose_length_is_not_said_plainly_or_too_long_is_refused_unread(
    running: Running, headers: bytes, status: int
) -> None:
    """No proxy in front can be made to disagree about where a request ends."""
    found = raw(running, b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n" + headers + b"\r\n")
    assert found.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nConnection: close\r\n" in found
    assert found.count(b"HTTP/1.1") == 1


def test_a_client_that_waits_to_be_told_to_go_on_is_told(running: Running, log: GrowingLog) -> None:
    """`Expect: 100-continue`, as curl sends it with large bodies."""
    body = log.body(0, 3)
    with socket.create_connection(("127.0.0.1", running.server.server_port), timeout=20) as connection:
        head = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nExpect: 100-continue\r\nConnection: close\r\n"
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "line", [b"GARBAGE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n"]
)
def test_what_is_not_http_is_refused_in_plain_text(running: Running, line: bytes) -> None:
    """No page of the library's, and the next client is served."""
    assert b"<" not in raw(running, line)
    assert ask(running.url, "GET", "/").status == 200


def test_a_slow_client_does_not_block_others_and_is_cut_off(running: Running, log: GrowingLog) -> None:
    """Half a request, then a byte now and then: others are answered at once, and it ends in time all the same."""
    running.server.request_seconds = 0.6
    with socket.create_connection(("127.0.0.1", running.server.server_port), timeout=20) as slow:
        begun = time.monotonic()
        slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 500\r\n\r\nold 0\n")
        assert add(running, log.body(0, 3)).status == 200
        assert time.monotonic() - begun < 0.5
        slow.settimeout(0.1)
        ended = False
        while not ended and time.monotonic() - begun < 10:
            try:
                slow.sendall(b"x")
                ended = not slow.recv(10)
            except TimeoutError:
                continue
            except ConnectionError:
                ended = True
        assert 0.4 < time.monotonic() - begun < 3


def test_a_client_that_leaves_in_the_middle_of_its_body_changes_nothing(
    running: Running, log: GrowingLog, said: list[str]
) -> None:
    """Half a request is no request, and no failure to report."""
    body = log.body(0, 3)
    with socket.create_connection(("127.0.0.1", running.server.server_port), timeout=20) as leaving:
        leaving.sendall(
            b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:-5]
        )
    assert add(running, body).status == 200
    assert said == [f"cosigned {log.origin} at 3 leaves"]


def test_only_so_many_connections_are_open_at_once(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is told to come back, and is served when another has left."""
    monkeypatch.setattr(doorway, "MOST_CONNECTIONS", 3)
    address = ("127.0.0.1", running.server.server_port)
    idle = [socket.create_connection(address, timeout=20) for _ in range(3)]
    assert raw(running, b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 503 ")
    for each in idle:
        each.close()
    for _ in range(100):
        if ask(running.url, "GET", "/").status == 200:
            break
        time.sleep(0.02)
    assert ask(running.url, "GET", "/").status == 200


def test_it_refuses_to_cosign_when_its_clock_went_back(
    running: Running, log: GrowingLog, clock: TickingClock, said: list[str]
) -> None:
    """503, nothing kept; when the clock is right again it signs."""
    assert add(running, log.body(0, 3)).status == 200
    right = clock.at
    clock.at = right.replace(hour=right.hour - 1)
    found = add(running, log.body(3, 5))
    assert (found.status, b"clock" in found.body) == (503, True)
    assert "clock" in said[-1]
    clock.at = right
    assert add(running, log.body(3, 5)).status == 200


def test_a_second_log_is_held_to_the_newest_time_of_any_log(
    place: WitnessPlace, log: GrowingLog, clock: TickingClock
) -> None:
    """The clock is the witness's, not a log's."""
    other = GrowingLog.new("log.example/other")
    place.add_logs(other.vkeys)
    running = serve_in_thread(place.folder, clock=clock, report=lambda _: None)
    assert add(running, other.body(0, 3)).status == 200
    between = clock.at
    clock.at += dt.timedelta(hours=1)
    assert add(running, log.body(0, 3)).status == 200
    clock.at = between
    assert add(running, other.body(3, 5)).status == 503
    running.stop()


def test_a_time_of_zero_must_not_be_signed(running: Running, log: GrowingLog, clock: TickingClock) -> None:
    """A computer that has lost its clock starts in 1970: it signs nothing."""
    clock.at = dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
    assert add(running, log.body(0, 3)).status == 503
    assert clock.at.timestamp() == 0
    assert add(running, log.body(0, 3)).status == 200


def test_a_stop_lets_what_is_being_answered_finish(
    place: WitnessPlace, log: GrowingLog, clock: TickingClock
) -> None:
    """And closes idle connections without waiting for their time to run out."""
    running = serve_in_thread(place.folder, clock=clock, report=lambda _: None)
    idle = socket.create_connection(("127.0.0.1", running.server.server_port), timeout=20)
    held, statuses = threading.Event(), []
    real = running.server.timekeeper.add_checkpoint

    def slowly(body: bytes) -> object:
        held.set()
        time.sleep(0.3)
        return real(body)

    running.server.timekeeper.add_checkpoint = slowly  # type: ignore[method-assign, assignment]  # only slower
    client = threading.Thread(target=lambda: statuses.append(add(running, log.body(0, 3)).status))
    client.start()
    held.wait(10)
    begun = time.monotonic()
    running.stop()
    client.join(10)
    assert statuses == [200]
    assert time.monotonic() - begun < 4
    assert idle.recv(10) == b""
    idle.close()


@pytest.mark.parametrize("path", ["/", f"/{monitoring_path('log.example/eva')}"])
def test_a_state_that_cannot_be_read_is_503_for_readers_too(
    running: Running, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """In words, without a trace of the program's insides."""

    def fails(*_: object) -> None:
        raise UnavailableError("no-state", "The state cannot be read now.", why="secret insides")

    monkeypatch.setattr("dueprocess.witness.store.Store.everything", fails)
    monkeypatch.setattr("dueprocess.witness.store.Store.by_digest", fails)
    found = ask(running.url, "GET", path)
    assert (found.status, found.body) == (503, b"The state cannot be read now.\n")


def test_a_fault_of_ours_ends_one_connection_and_is_reported_in_one_line(
    running: Running, log: GrowingLog, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are served."""

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("dueprocess.witness.timekeeper.Timekeeper.page", fails)
        with pytest.raises(http.client.RemoteDisconnected):
            ask(running.url, "GET", "/")
    assert any("ZeroDivisionError" in line for line in said)
    assert add(running, log.body(0, 3)).status == 200


def test_an_address_in_use_is_said_and_leaves_nothing_open(place: WitnessPlace, running: Running) -> None:
    """With what to do."""
    with pytest.raises(UnavailableError, match="port"):
        serve_in_thread(place.folder, clock=TickingClock(), port=running.server.server_port)


def test_nothing_about_who_asks_is_written_down(
    running: Running, log: GrowingLog, place: WitnessPlace, said: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """No address, no header, neither on the screen nor in a file."""
    connection = connect(running.url)
    connection.request("POST", "/add-checkpoint", log.body(0, 3), {"User-Agent": "curious/1", "X-Who": "Ana"})
    assert connection.getresponse().read()
    connection.request("POST", "/add-checkpoint", b"garbage", {"User-Agent": "curious/1"})
    assert connection.getresponse().read()
    connection.close()
    written = "".join(said) + "".join(capfd.readouterr())
    files = b"".join(each.read_bytes() for each in Path(place.folder).rglob("*") if each.is_file())
    for trace in ("127.0.0.1:", "curious", "Ana"):
        assert trace not in written
        assert trace.encode() not in files
