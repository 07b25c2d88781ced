"""`dueprocess serve`: one command, three children, public pages in a real browser."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(address: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


@pytest.fixture(scope="module")
def site(
    demo_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, subprocess.Popen[bytes], Path]]:
    """A served copy of the demo's installation: its address, the supervising process, its folder."""
    install = tmp_path_factory.mktemp("served") / "install"
    shutil.copytree(demo_folder / "install", install)
    port, portal = _free_port(), _free_port()
    words = [sys.executable, "-m", "dueprocess", "serve", "--install", str(install), "--port", str(port)]
    words += ["--portal-port", str(portal)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}/"
    for each in (address, f"http://127.0.0.1:{portal}/"):
        for _ in range(150):
            try:
                fetch(each)
                break
            except OSError:
                time.sleep(0.2)
    yield address, process, install
    process.send_signal(signal.SIGTERM)
    process.wait(30)


def children(parent: int) -> dict[int, str]:
    """Process id → command line of the supervisor's children."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if f"PPid:\t{parent}\n" in status.read_text():
                found[int(status.parent.name)] = (
                    (status.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                )
        except OSError:
            continue
    return found


PLAIN = {"PATH", "HOME", "LANG", "TZ", "VIRTUAL_ENV", "LC_CTYPE"}


def environment_names(pid: int) -> set[str]:
    """Names of what a process may see of the environment."""
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return {entry.split(b"=")[0].decode() for entry in entries if entry}


def test_the_pages_and_the_log_are_served_with_strict_headers(
    site: tuple[str, subprocess.Popen[bytes], Path],
) -> None:
    """Who we are, how to serve a demand, the log's head, how to verify; no script may run."""
    address, _, install = site
    for path in ("", "serve.html", "log.html", "verify.html", "reports.html"):
        status, headers, body = fetch(address + path)
        assert status == 200
        assert "default-src 'none'" in headers["content-security-policy"]
        assert b"<script" not in body
    assert fetch(address + "log/checkpoint")[2] == (install / "log" / "checkpoint").read_bytes()
    assert fetch(address + "log/tile/0/000")[0] == 200


@pytest.mark.parametrize(
    "path", ["history.db", "..%2fhistory.db", "log/..%2f..%2fhistory.db", "keys/kek", "worker/stores.env"]
)
def test_nothing_else_is_served(site: tuple[str, subprocess.Popen[bytes], Path], path: str) -> None:
    """The event store, keys and credentials are out of reach of the web process."""
    assert fetch(site[0] + path)[0] == 404


def test_the_web_process_gets_no_credentials(site: tuple[str, subprocess.Popen[bytes], Path]) -> None:
    """The environment of the web child holds only what it needs."""
    web = [pid for pid, words in children(site[1].pid).items() if "granian" in words]
    assert len(web) == 1
    assert environment_names(web[0]) <= PLAIN | {"DUEPROCESS_INSTALL"}


def test_the_portal_runs_beside_them_with_no_key_and_no_folder_but_its_two(
    site: tuple[str, subprocess.Popen[bytes], Path],
) -> None:
    """It answers, knows no parcel that was not released, and its environment does not name the installation."""
    ((pid, words),) = (
        (pid, words) for pid, words in children(site[1].pid).items() if "portal.server" in words
    )
    assert environment_names(pid) <= PLAIN
    port = words.split("--port ")[1].split()[0]
    assert fetch(f"http://127.0.0.1:{port}/parcels/p-0123456789abcdef")[0] == 404


def test_a_killed_child_is_started_again(site: tuple[str, subprocess.Popen[bytes], Path]) -> None:
    """The supervisor replaces a worker that was killed; the others go on."""
    before = {pid: words for pid, words in children(site[1].pid).items() if "worker.loop" in words}
    assert len(before) == 1
    os.kill(next(iter(before)), signal.SIGKILL)
    after: set[int] = set()
    for _ in range(50):
        time.sleep(0.2)
        after = {pid for pid, words in children(site[1].pid).items() if "worker.loop" in words}
        if after and after != set(before):
            break
    assert after
    assert after != set(before)
    assert fetch(site[0])[0] == 200


def test_a_browser_shows_the_pages(site: tuple[str, subprocess.Popen[bytes], Path], tmp_path: Path) -> None:
    """Chromium renders the first page with its style, and the words a frightened reader needs."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("chromium is missing: python3 tools/setup.py debian")
    words = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-quic", f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=1000,1400",
    ]  # fmt: skip
    shot = tmp_path / "page.png"
    dumped = subprocess.run(
        [*words, "--dump-dom", site[0]], capture_output=True, text=True, check=False, timeout=120
    )
    assert "does not mean that you are accused of anything" in dumped.stdout
    subprocess.run([*words, f"--screenshot={shot}", site[0]], capture_output=True, check=False, timeout=120)
    assert shot.stat().st_size > 50_000, "a page without its style is a much smaller picture"
