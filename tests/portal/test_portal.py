"""The portal to real clients: what it gives, to whom, and what it never tells."""

import datetime as dt
import http.client
import itertools
import random
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from dueprocess.delivery import fetches, releases
from dueprocess.portal.server import MOST_OF_ONE, PortalServer
from portal.waiting import PARCEL_ID, RELEASE_ID, Waiting, start_program, until, waiting

PAGE = f"/parcels/{PARCEL_ID}"


def test_the_page_says_what_it_is_and_how_to_fetch_it(portal: Waiting) -> None:
    """Size, digest, time and three lines of curl; no script, no cookie, strict headers."""
    portal.offer()
    page = portal.ask(PAGE)
    text = page.body.decode()
    assert page.status == 200
    for word in (
        portal.sha256,
        "2.9 MiB (3,000,000 bytes)",
        "19 September 2026",
        "curl -f -C -",
        "dueprocess verify",
    ):
        assert word in text, word
    assert f"http://127.0.0.1:{portal.servers[-1].server_port}{PAGE}/file" in text
    assert "<script" not in text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    assert "set-cookie" not in page.headers
    assert portal.ask("/style.css").headers["content-type"].startswith("text/css")


def test_a_host_header_that_is_no_host_is_not_shown(portal: Waiting) -> None:
    """The page shows a placeholder, never what somebody wrote."""
    portal.offer()
    assert b"https://THIS-SITE/parcels" in portal.ask(PAGE, Host='evil"><script>').body
    assert b"https://portal.chat.example/parcels" in portal.ask(PAGE, Host="portal.chat.example").body


def test_unknown_expired_ended_and_listing_look_the_same(portal: Waiting) -> None:
    """One answer, byte for byte; no folder is ever listed."""
    portal.offer(expires_at=portal.now + dt.timedelta(days=1))
    nothing = portal.ask("/parcels/p-ffffffffffffffff")
    others = [
        "/",
        "/parcels",
        "/parcels/",
        "/parcels/p-1",
        "/parcels/../releases",
        "/.env",
        f"{PAGE}/",
        f"{PAGE}/x",
    ]
    answers = [portal.ask(each) for each in others]
    assert portal.ask(PAGE).status == 200
    portal.now += dt.timedelta(days=1)
    answers += [portal.ask(PAGE), portal.ask(f"{PAGE}/file"), portal.ask(f"{PAGE}/challenge", "POST")]
    portal.now -= dt.timedelta(hours=1)
    releases.end(portal.releases, PARCEL_ID)
    answers.append(portal.ask(PAGE))
    assert {(each.status, each.body) for each in answers} == {(404, nothing.body)}
    names = {"date"}
    assert {tuple(sorted(set(each.headers) - names)) for each in answers} == {
        tuple(sorted(set(nothing.headers) - names))
    }


def test_only_the_keys_holder_gets_a_byte(portal: Waiting) -> None:
    """No token, a wrong one, one of a different length: 401 and not a byte, to GET and HEAD."""
    portal.offer()
    token = portal.token()
    wrong = [token[:-1] + ("A" if token[-1] != "A" else "B"), token[:-1], "", "x" * 43, token + "x"]
    for each in wrong:
        for path in ("file", "receipt"):
            answer = portal.ask(f"{PAGE}/{path}", Authorization=f"Bearer {each}")
            assert answer.status == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert portal.ask(f"{PAGE}/file").status == 401
    assert portal.file(wrong[0], "HEAD").status == 401
    assert not list(portal.fetched.rglob("*.sent"))
    assert portal.ask(f"{PAGE}/receipt", Authorization=f"Bearer {token}").body == b"a sealed receipt"


def test_only_the_digest_of_a_token_is_kept(portal: Waiting) -> None:
    """Whoever reads the portal's folder cannot fetch."""
    portal.offer()
    token = portal.token()
    written = b"".join(each.read_bytes() for each in portal.fetched.rglob("*") if each.is_file())
    assert token.encode() not in written
    assert len(token) == 43, "32 random bytes"


def test_a_token_is_good_for_one_hour_and_one_release(portal: Waiting) -> None:
    """A minute before its end it opens, at its end not; a token of another release never does."""
    portal.offer()
    token = portal.token()
    portal.now += dt.timedelta(minutes=59)
    assert portal.file(token, "HEAD").status == 200
    portal.now += dt.timedelta(minutes=1)
    assert portal.file(token, "HEAD").status == 401
    fresh = portal.token()
    releases.remove(portal.releases, PARCEL_ID)
    portal.offer(release="cd" * 16)
    assert portal.file(fresh, "HEAD").status == 401


def test_challenges_are_limited_and_the_limit_survives_a_restart(portal: Waiting) -> None:
    """Six in a minute, whoever asks; a minute later again."""
    portal.offer()
    for _ in range(fetches.CHALLENGES_PER_MINUTE):
        portal.token()
    refused = portal.ask(f"{PAGE}/challenge", "POST")
    assert (refused.status, refused.headers["retry-after"]) == (429, "60")
    portal.serve()
    assert portal.ask(f"{PAGE}/challenge", "POST").status == 429
    portal.now += dt.timedelta(minutes=1)
    assert portal.token()
    assert portal.ask(f"{PAGE}/challenge").status == 405


def test_head_and_whole_file(portal: Waiting) -> None:
    """HEAD tells size, strong tag and that ranges work, and is no download; GET gives the exact bytes."""
    portal.offer()
    token = portal.token()
    head = portal.file(token, "HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "3000000")
    assert head.headers["accept-ranges"] == "bytes"
    assert head.headers["etag"] == f'"{portal.sha256}"'
    assert head.headers["content-disposition"] == f'attachment; filename="{PARCEL_ID}.tar.age"'
    assert portal.file(token).body == portal.data
    assert portal.is_whole()


def test_a_range_is_exact_and_beyond_the_end_is_said(portal: Waiting) -> None:
    """206 with its place; 416 with the size; If-Range with another tag starts anew."""
    portal.offer()
    token = portal.token()
    part = portal.file(token, Range="bytes=1000000-1999999")
    assert (part.status, part.body) == (206, portal.data[1_000_000:2_000_000])
    assert part.headers["content-range"] == "bytes 1000000-1999999/3000000"
    beyond = portal.file(token, Range="bytes=3000000-")
    assert (beyond.status, beyond.headers["content-range"]) == (416, "bytes */3000000")
    same = portal.file(token, Range="bytes=5-9", If_Range=f'"{portal.sha256}"')
    assert (same.status, same.body) == (206, portal.data[5:10])
    assert portal.file(token, Range="bytes=5-9", If_Range='"other"').body == portal.data


def test_random_ranges_put_together_are_the_file(portal: Waiting) -> None:
    """Forty random ranges and then what is missing: every byte right, and complete with the last one only."""
    portal.offer()
    token, mixed = portal.token(), random.Random(5)
    got = bytearray(len(portal.data))
    for _ in range(40):
        first = mixed.randrange(len(portal.data))
        last = min(first + mixed.randrange(200_000), len(portal.data) - 2)
        if last >= first:
            got[first : last + 1] = portal.file(token, Range=f"bytes={first}-{last}").body
    known = portal.settled()
    assert not fetches.is_whole(known, len(portal.data))
    missing = [(0, 0), *known[0].spans, (len(portal.data), len(portal.data))]
    for (_, since), (until_, _) in itertools.pairwise(missing):
        if until_ > since:
            got[since:until_] = portal.file(token, Range=f"bytes={since}-{until_ - 1}").body
    assert bytes(got) == portal.data
    assert portal.is_whole()


def test_it_is_given_out_once(portal: Waiting) -> None:
    """After the last byte: no new challenge, and the token opens nothing more."""
    portal.offer()
    token, other = portal.token(), portal.token()
    assert portal.file(token).body == portal.data
    assert portal.is_whole()
    for answer in (portal.file(token), portal.file(other), portal.ask(f"{PAGE}/challenge", "POST")):
        assert answer.status == 410
        assert b"given out once" in answer.body
    assert b"It was fetched" in portal.ask(PAGE).body


def curl(portal: Waiting, token: str, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = ["curl", "-fsS", "-C", "-", "-o", str(out), "-H", f"Authorization: Bearer {token}", *more]
    return subprocess.run([*words, portal.at("/file")], capture_output=True, text=True, check=False)


def test_curl_goes_on_after_a_cut_connection(quick_folder: Path, tmp_path: Path) -> None:
    """The page's own lines, with age and curl; curl is stopped in the middle and goes on where it was."""
    portal = waiting(quick_folder, 30_000_000)
    portal.offer()
    key = tmp_path / "key.txt"
    key.write_text(str(portal.officer))
    sealed, out = tmp_path / "pass.age", tmp_path / "parcel.age"
    asked = ["curl", "-fsS", "-X", "POST", "-o", str(sealed), portal.at("/challenge")]
    subprocess.run(asked, check=True)
    opened = subprocess.run(["age", "-d", "-i", str(key), str(sealed)], capture_output=True, check=True)
    token = opened.stdout.decode()
    cut = curl(portal, token, out, "--limit-rate", "4M", "--max-time", "1")
    assert cut.returncode == 28
    assert 0 < out.stat().st_size < len(portal.data)
    assert curl(portal, token, out).returncode == 0
    assert out.read_bytes() == portal.data
    assert portal.is_whole()
    again = curl(portal, token, out)
    assert again.returncode == 22, "an error page is never put behind the file's end"
    assert out.read_bytes() == portal.data
    portal.servers[-1].stop()


def test_a_killed_portal_knows_what_it_sent(quick_folder: Path) -> None:
    """SIGKILL in the middle of a download; a new program goes on with the same token and counts both parts."""
    portal = waiting(quick_folder, 20_000_000)
    portal.offer()
    program, out = start_program(portal), quick_folder / "parcel.age"
    token = portal.token()
    words = ["curl", "-fsS", "--limit-rate", "4M", "-o", str(out), "-H", f"Authorization: Bearer {token}"]
    client = subprocess.Popen([*words, portal.at("/file")], stderr=subprocess.DEVNULL)
    try:
        assert until(lambda: out.exists() and out.stat().st_size > 3_000_000)
        assert fetches.look(portal.fetched, RELEASE_ID)[0].running
    finally:
        program.kill()
    assert client.wait(20) != 0
    found = fetches.look(portal.fetched, RELEASE_ID)[0]
    assert not found.running, "the kernel gave the lock back"
    assert 0 < found.size_bytes < len(portal.data)
    program.stop()
    program = start_program(portal)
    try:
        resumed = curl(portal, token, out)
        assert resumed.returncode == 0, resumed.stderr
        assert out.read_bytes() == portal.data
        assert portal.is_whole()
        assert portal.settled()[0].requests == 2
    finally:
        program.stop()
    assert program.process.returncode in (0, -9)


def test_two_clients_at_once_get_the_same_file(portal: Waiting) -> None:
    """Two tokens, two threads; each gets every byte."""
    portal.offer()
    tokens, got = [portal.token(), portal.token()], dict[int, bytes]()
    barrier = threading.Barrier(2)
    with_half = "bytes=0-2999998"  # all but the last byte, so that neither ends it for the other

    def fetch(number: int) -> None:
        barrier.wait()
        got[number] = portal.file(tokens[number], Range=with_half).body

    threads = [threading.Thread(target=fetch, args=(each,)) for each in (0, 1)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert got[0] == got[1] == portal.data[:-1]
    assert [each.size_bytes for each in portal.settled()] == [2_999_999, 2_999_999]


def slow_client(portal: Waiting, token: str) -> socket.socket:
    """A client that asked for the file and reads nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", portal.servers[-1].server_port))
    client.sendall(f"GET {PAGE}/file HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    return client


def test_what_a_client_has_not_taken_does_not_count(quick_folder: Path) -> None:
    """Bytes that wait in our own buffers are not sent: only what the other end acknowledged is."""
    portal = waiting(quick_folder, 30_000_000)
    portal.offer()
    token = portal.token()
    client = slow_client(portal, token)
    try:
        assert until(lambda: fetches.look(portal.fetched, RELEASE_ID)[0].running)
        time.sleep(0.5)
        assert fetches.look(portal.fetched, RELEASE_ID)[0].size_bytes < 4_000_000
        assert portal.ask(PAGE).status == 200, "others are answered meanwhile"
    finally:
        client.close()
    assert until(lambda: not fetches.look(portal.fetched, RELEASE_ID)[0].running)
    portal.servers[-1].stop()


def test_a_last_piece_that_nobody_took_is_not_complete(portal: Waiting) -> None:
    """The whole rest fits into the buffers and the client goes away: the parcel is not called fetched."""
    portal.offer()
    token = portal.token()
    first = portal.file(token, Range="bytes=0-2899999")
    assert len(first.body) == 2_900_000
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.connect(("127.0.0.1", portal.servers[-1].server_port))
    asked = f"GET {PAGE}/file HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nRange: bytes=2900000-\r\n\r\n"
    client.sendall(asked.encode())
    assert until(lambda: fetches.look(portal.fetched, RELEASE_ID)[0].running)
    time.sleep(0.3)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    assert until(lambda: not fetches.look(portal.fetched, RELEASE_ID)[0].running)
    assert not portal.is_whole()
    assert portal.file(token, Range="bytes=2900000-").body == portal.data[2_900_000:]


def test_so_many_at_once_and_no_more(quick_folder: Path) -> None:
    """Four slow readers of one parcel keep the fifth out, politely; a place that is free is given again."""
    portal = waiting(quick_folder, 30_000_000)
    portal.offer()
    token = portal.token()
    clients = [slow_client(portal, token) for _ in range(MOST_OF_ONE)]
    try:
        assert until(lambda: fetches.look(portal.fetched, RELEASE_ID)[0].requests == MOST_OF_ONE)
        server = portal.servers[-1]
        assert isinstance(server, PortalServer)
        server.place_seconds = 0.1
        refused = portal.file(token, Range="bytes=0-9")
        assert (refused.status, refused.headers["retry-after"]) == (503, "30")
        clients.pop().close()
        assert until(lambda: portal.file(token, Range="bytes=0-9").status == 206)
    finally:
        for each in clients:
            each.close()
    portal.servers[-1].stop()


def test_a_download_stops_when_the_time_is_over(quick_folder: Path) -> None:
    """What is being sent at the end of the release is cut off there."""
    portal = waiting(quick_folder, 30_000_000)
    portal.offer()
    token = portal.token()
    client = slow_client(portal, token)
    try:
        assert until(lambda: fetches.look(portal.fetched, RELEASE_ID)[0].running)
        portal.now += dt.timedelta(days=14)
        assert until(lambda: not fetches.look(portal.fetched, RELEASE_ID)[0].running)
    finally:
        client.close()
    portal.servers[-1].stop()


def test_a_stopping_portal_cuts_off_and_can_be_resumed(portal: Waiting) -> None:
    """An orderly end leaves a journal and no lock."""
    portal.offer()
    token = portal.token()
    assert len(portal.file(token, Range="bytes=0-9").body) == 10
    portal.servers.pop().stop()
    assert portal.file(token, Range="bytes=10-").body == portal.data[10:]


def test_bad_requests_get_short_answers(portal: Waiting) -> None:
    """Another method, a body that nobody wants, a request that is none: an answer, never a traceback."""
    portal.offer()
    assert portal.ask(PAGE, "DELETE").status == 501
    connection = http.client.HTTPConnection("127.0.0.1", portal.servers[-1].server_port)
    connection.request("POST", f"{PAGE}/challenge", body=b"x" * 100)
    answer = connection.getresponse()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    connection.close()
    with socket.create_connection(("127.0.0.1", portal.servers[-1].server_port)) as plain:
        plain.sendall(b"nonsense\r\n\r\n")
        assert b"Bad Request" in plain.recv(1000)
    assert portal.said == []


def test_nothing_is_logged_about_who_asks(portal: Waiting, capfd: pytest.CaptureFixture[str]) -> None:
    """No address on the screen, in the report or in any file."""
    portal.offer()
    portal.file(portal.token())
    portal.ask("/nothing", Host="officer-laptop.police.example")
    told = capfd.readouterr()
    assert (told.out, told.err, portal.said) == ("", "", [])
    for path in portal.fetched.rglob("*"):
        assert path.is_dir() or b"127.0.0.1" not in path.read_bytes()


def test_the_portal_needs_no_key_and_no_database() -> None:
    """It runs without Django, without a store's driver and without the desk."""
    import sys

    code = (
        "import dueprocess.portal.server, sys; "
        "bad = [m for m in ('django','duckdb','psycopg','pyarrow','dueprocess.desk','dueprocess.history') "
        "if m in sys.modules]; print(bad)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert shutil.which("curl")


@pytest.mark.browser
def test_a_browser_shows_the_page(portal: Waiting, tmp_path: Path) -> None:
    """Chromium renders it with its style; nothing in it is refused by its own policy."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("chromium is missing: python3 tools/setup.py debian")
    portal.offer()
    words = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-quic", f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=1000,1600", "--enable-logging=stderr",
    ]  # fmt: skip
    dumped = subprocess.run(
        [*words, "--dump-dom", portal.at()], capture_output=True, text=True, check=False, timeout=120
    )
    assert "Answer package for an authority" in dumped.stdout
    assert "Content Security Policy" not in dumped.stderr
    shot = tmp_path / "page.png"
    subprocess.run(
        [*words, f"--screenshot={shot}", portal.at()], capture_output=True, check=False, timeout=120
    )
    assert shot.stat().st_size > 100_000, "a page without its style is a much smaller picture"
