"""The monitor as it is typed: over http, refused, and running until it is stopped."""

import datetime as dt
import http.server
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from cli.watching import PERIOD, REGISTER, REPORT, Post, run
from dueprocess.cli.monitor_state import read_memory
from dueprocess.errors import RefusedError
from madelog import (
    POLICY_TEXT,
    grown,
    live,
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The folder `log` of the test over a real web server on this machine."""
    kind = partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as running:
        running.daemon_threads = True
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and keeps quiet about it."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class calls it so
        """Nothing on the terminal of a test run."""


def test_the_command_watches_over_http_and_ends_with_the_right_code(post: Post, served: str) -> None:
    """Good ends with 0, a fork with 7, a log that is gone with 6; and --json is one value a look."""
    now = dt.datetime.now(dt.UTC)
    log = post.serve(live(now))
    register, report = REGISTER.encoded, REPORT.encoded
    log.report(PERIOD, register, report)
    post.serve(log.publish(at=now))
    post.pages(register, report)
    (post.root / "policy.txt").write_bytes(POLICY_TEXT)
    words = (
        "monitor",
        f"{served}/log",
        "--policy",
        post.root / "policy.txt",
        "--state",
        post.state,
        "--once",
    )
    first = run(*words, "--site", f"{served}/site", "--json")
    assert first.returncode == 0, first
    value = json.loads(first.stdout)
    assert (value["first"], value["size"], value["alarms"]) == (True, 8, 0)
    assert "report-recounted" in [each["kind"] for each in value["findings"]]
    other = live(now, epochs=9)
    for path in (post.root / "log").rglob("*"):
        if path.is_file():
            path.unlink()
    post.serve(other)
    second = run(*words)
    assert second.returncode == 7, second
    assert second.stdout.startswith("ALARM: two different histories were signed")
    (post.root / "log" / "checkpoint").unlink()
    third = run(*words)
    assert third.returncode == 6, third
    assert "could not be reached since" in third.stdout


def test_the_command_refuses_what_cannot_work(post: Post) -> None:
    """No folder, no policy, an address that anybody could answer, no time between looks."""
    post.serve(grown())
    (post.root / "policy.txt").write_bytes(POLICY_TEXT)
    (post.root / "not.txt").write_bytes(b"hello\n")
    keys, state = ("--policy", post.root / "policy.txt"), ("--state", post.state)
    assert run("monitor", post.root / "nothing", *keys, *state, "--once").returncode == 6
    assert run("monitor", "http://chat.example/log", *keys, *state, "--once").returncode == 3
    assert (
        run("monitor", post.root / "log", "--policy", post.root / "not.txt", *state, "--once").returncode == 4
    )
    assert run("monitor", post.root / "log", *keys, *state, "--every", "0").returncode == 3
    assert run("monitor", post.root / "log").returncode == 2


def test_the_command_keeps_running_through_an_alarm(post: Post) -> None:
    """Without --once it looks again and again, and stops when it is told to."""
    from dueprocess.cli.monitor import monitor_command

    post.serve(grown())
    (post.root / "policy.txt").write_bytes(POLICY_TEXT)
    rounds = 0

    def stop(seconds: float) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("time.sleep", stop)
        with pytest.raises(KeyboardInterrupt):
            monitor_command(
                str(post.root / "log"), policy=post.root / "policy.txt", state=post.state, every=1, json=True
            )
    assert rounds == 3
    assert read_memory(post.state).standing.keys() >= {"missed-cadence"}
    with pytest.raises(RefusedError):
        monitor_command("x", policy=post.root / "policy.txt", state=post.state, every=0)
