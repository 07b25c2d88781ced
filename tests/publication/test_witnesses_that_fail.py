"""Witnesses that hang, lie, babble or send us elsewhere: a fault in words for each, in bounded time, and no crash."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import BrokenError, MalformedError, RefusedError, UnavailableError
from dueprocess.publication.asking import Heard, ask, check_address, together
from dueprocess.publication.witnesses import Shown, _read_shown, check_addresses
from dueprocess.tlog.note import COSIGNATURE, make_vkey
from dueprocess.tlog.policy import Policy, Witness, format_policy, parse_policy
from publication.bench import HOUR, START, Bench, Misbehaving
from sabotage import rows

type Answer = Callable[[socket.socket, threading.Event], None]
type Make = Callable[[Answer], Misbehaving]


def says(text: bytes) -> Answer:
    """Takes the request and answers with these bytes."""

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(text)

    return answer


def http(status: str, body: bytes = b"", *headers: str) -> Answer:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return says("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def hang(connection: socket.socket, over: threading.Event) -> None:
    """Accepts and never answers."""
    over.wait(20)


def drip(connection: socket.socket, over: threading.Event) -> None:
    """One byte at a time, each well within any time-out of a socket, without an end."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not over.wait(0.1):
        connection.sendall(b"x")


def drip_headers(connection: socket.socket, over: threading.Event) -> None:
    """The same before the first line is over."""
    connection.recv(65536)
    while not over.wait(0.1):
        connection.sendall(b"H")


def flood(connection: socket.socket, over: threading.Event) -> None:
    """Ten megabytes of body."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x" * 10_000)


def close(connection: socket.socket, over: threading.Event) -> None:
    """Hangs up at once."""


FAULTS: list[tuple[str, Answer, str]] = [
    ("hangs", hang, "did not answer within 0.5 seconds"),
    ("drips", drip, "did not answer within 0.5 seconds"),
    ("drips headers", drip_headers, "did not answer within 0.5 seconds"),
    ("floods", flood, "more than 65536 bytes"),
    ("hangs up", close, ""),
    ("garbage", says(b"\x00\xff garbage \x1b[31m\r\n\r\n"), ""),
    ("half a status line", says(b"HTTP/1.1 2"), ""),
    ("half a body", says(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n\xe2\x80\x94 w1.exam"), ""),
    ("endless header", says(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000), ""),
    ("many headers", says(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n"), ""),
    ("bad length", says(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"), ""),
    ("bad chunk", says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), ""),
    ("nothing in 200", http("200 OK"), ""),
    ("half a line in 200", http("200 OK", "— w1.example/witness AAAA".encode()), "signature line"),
    (
        "no signature of its own",
        http("200 OK", "— x.example/y AAAAAAAAAAAAAAAA\n".encode()),
        "does not carry",
    ),
    ("redirects", http("302 Found", b"", "Location: http://127.0.0.1:9/"), "elsewhere (status 302)"),
    ("bad request", http("400 Bad Request"), "status 400"),
    ("does not accept our key", http("403 Forbidden"), "knows other keys for this log"),
    ("does not know us", http("404 Not Found"), "does not know this log"),
    ("names no size", http("409 Conflict", b"many\n"), "size of a log"),
    ("names one size and another", http("409 Conflict", b"0\n"), "one size and then another"),
    ("is broken", http("503 Service Unavailable"), "fault of its own (status 503)"),
    ("a status of its own", http("299 Odd"), "not in the protocol"),
]


@pytest.mark.parametrize(("answer", "words"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS])
def test_each_fault_is_said_of_its_witness_and_stops_nothing(
    quick_bench: Bench, misbehaving: Make, answer: Answer, words: str
) -> None:
    """The epoch is closed, nothing is published, the witness is named with printable words, in a bounded time."""
    bench = quick_bench
    (friend,) = bench.befriend(1, need=1)
    bench.set_policy(replace(friend.line(), url=misbehaving(answer).url), need=1)
    log = bench.log(outside=bench.outside(seconds=0.5))
    begun = time.monotonic()
    assert log.close_due(START) == 1
    assert time.monotonic() - begun < 4
    assert log.published is not None
    assert (log.published.size, log.published.head_size, log.published.missing) == (0, 1, ("w1",))
    fault = log.published.silent[0].fault
    assert words in fault
    assert fault
    assert fault.isprintable()


def test_a_slow_witness_delays_nobody(quick_bench: Bench, misbehaving: Make) -> None:
    """All are asked at once: four that hang cost one time-out together, and the quorum of the others is published."""
    bench = quick_bench
    friends = bench.befriend(6, need=2)
    slow = [replace(each.line(), url=misbehaving(hang).url) for each in friends[2:]]
    bench.set_policy(*(each.line() for each in friends[:2]), *slow, need=2)
    log = bench.log(outside=bench.outside(seconds=0.5))
    log.close_due(START)
    begun = time.monotonic()
    log.close_due(START + HOUR)
    assert time.monotonic() - begun < 2.5, "one after the other they would have cost four seconds"
    assert log.published is not None
    assert log.published.witnessed
    assert log.published.missing == ("w3", "w4", "w5", "w6")


def test_a_redirect_is_not_followed(quick_bench: Bench, misbehaving: Make) -> None:
    """Nobody is asked whom the policy does not name."""
    bench = quick_bench
    reached = threading.Event()

    def elsewhere(connection: socket.socket, over: threading.Event) -> None:
        reached.set()

    other = misbehaving(elsewhere)
    (friend,) = bench.befriend(1, need=1)
    lost = misbehaving(http("307 Temporary Redirect", b"", f"Location: {other.url}/add-checkpoint"))
    bench.set_policy(replace(friend.line(), url=lost.url), need=1)
    bench.log(outside=bench.outside(seconds=0.5)).close_due(START)
    assert not reached.is_set()


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [("409 Conflict", b"7\n", "behind-witness"), ("422 Unprocessable", b"no", "log-forked")],
)
def test_a_claim_without_proof_stops_the_signer_and_says_what_is_missing(
    quick_bench: Bench, misbehaving: Make, status: str, body: bytes, code: str
) -> None:
    """Whether witness or database is wrong, a person must look: the answer is kept, and said to be no proof."""
    bench = quick_bench
    (friend,) = bench.befriend(1, need=1)

    def answer(connection: socket.socket, over: threading.Event) -> None:
        asked = connection.recv(65536)
        http("404 Not Found")(connection, over) if asked.startswith(b"GET") else None
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    bench.set_policy(replace(friend.line(), url=misbehaving(answer).url), need=1)
    with pytest.raises(BrokenError) as caught:
        bench.log().close_due(START)
    assert caught.value.code == code
    assert "may also be wrong itself" in caught.value.why
    assert "take it out of the policy" in caught.value.do
    (received,) = (data for name, data in bench.evidence().items() if name.endswith(".received"))
    assert received == status[:3].encode() + b"\n" + body + b"\n"
    (ours,) = (data for name, data in bench.evidence().items() if name.endswith(".ours"))
    assert ours.decode() == rows("head")[0]["checkpoint"]


def test_a_foreign_checkpoint_is_no_evidence(quick_bench: Bench, misbehaving: Make) -> None:
    """A witness that shows a head which this log did not sign is at fault itself; it stops nobody."""
    bench = quick_bench
    friends = bench.befriend(2, need=1)
    fake = (
        b"chat.example/dueprocess/1\n99\n"
        + b"A" * 43
        + b"=\n\n"
        + "— chat.example/dueprocess/1 AAAAAAAAAAAA\n".encode()
    )
    lying = misbehaving(http("200 OK", fake))
    bench.set_policy(friends[0].line(), replace(friends[1].line(), url=lying.url), need=1)
    log = bench.log()
    log.close_due(START)
    assert log.published is not None
    assert (log.published.witnessed, log.published.missing) == (True, ("w2",))
    assert bench.evidence() == {}


@settings(max_examples=60, deadline=None)
@given(st.integers(100, 599), st.binary(max_size=300))
def test_whatever_a_witness_shows_becomes_a_value_or_malformed(status: int, body: bytes) -> None:
    """The bytes of the monitoring endpoint raise nothing but our own error."""
    policy, witness = a_policy("https://w.example/w")
    with suppress(MalformedError):
        assert isinstance(_read_shown(witness, Heard(status, body), policy), Shown)


def a_policy(url: str | None) -> tuple[Policy, Witness]:
    """A policy with one witness at this address, of fresh keys."""
    public = [Ed25519PrivateKey.generate().public_key().public_bytes_raw() for _ in range(2)]
    witness = Witness("w", make_vkey("w.example/w", public[0], algorithm=COSIGNATURE), url)
    return parse_policy(format_policy([make_vkey("chat.example/1", public[1])], [witness], need=1)), witness


GOOD = ["https://w.example", "https://w.example/a/b", "https://w.example:8443/", "http://127.0.0.1:8099",
        "http://localhost/w", "http://[::1]:80/w", "http://127.9.9.9/"]  # fmt: skip
BAD = ["http://w.example", "http://10.0.0.1/", "ftp://w.example", "w.example", "https://", "https:///w", "//w.example",
       "https://user@w.example/", "https://w.example/?a=b", "https://w.example/#a", "https://w.example:99999/",
       "https://w.example:x/", "http://localhost.example/", "http://[::2]/", "http://127.0.0.1.example/",
       "https://wé.example/", "http://[::1/", "https://w.example:0/"]  # fmt: skip


@pytest.mark.parametrize("url", GOOD)
def test_an_address_is_https_or_this_machine(url: str) -> None:
    """With a path or without."""
    check_address(url, "the witness w")


@pytest.mark.parametrize("url", [*BAD, None])
def test_an_unsafe_address_is_refused_at_start(url: str | None) -> None:
    """Plain http to elsewhere, passwords, queries, broken ports, other schemes, and none at all."""
    policy, _ = a_policy(url)
    with pytest.raises(RefusedError) as caught:
        check_addresses(policy)
    assert caught.value.code in ("bad-address", "no-address")


def test_a_log_with_an_unsafe_policy_does_not_start(quick_bench: Bench) -> None:
    """Before anything is closed or signed."""
    bench = quick_bench
    (friend,) = bench.befriend(1, need=1)
    bench.set_policy(replace(friend.line(), url="http://w.example/"), need=1)
    with pytest.raises(RefusedError):
        bench.log()


def test_work_that_hangs_is_left_behind() -> None:
    """The others' results are there in time."""
    over = threading.Event()
    begun = time.monotonic()
    done = together({"slow": lambda: over.wait(20), "quick": lambda: True}, within=0.2)
    assert done == {"quick": True}
    assert time.monotonic() - begun < 2
    over.set()


@pytest.mark.parametrize("answer", [drip, drip_headers, hang])
def test_one_request_ends_in_time(misbehaving: Make, answer: Answer) -> None:
    """Also where each byte comes within the time-out of the socket: the whole answer has one."""
    begun = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        ask(misbehaving(answer).url + "/add-checkpoint", b"", seconds=0.3)
    assert time.monotonic() - begun < 3
    assert "did not answer within 0.3 seconds" in caught.value.why


def test_nobody_at_the_address_is_said() -> None:
    """A refused connection is one sentence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(UnavailableError) as caught:
        ask(f"http://127.0.0.1:{port}/add-checkpoint", b"", seconds=0.5)
    assert "refused" in caught.value.why
