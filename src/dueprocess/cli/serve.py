"""`dueprocess serve`: one command that supervises its child processes.

web                 public pages and log, static files only
worker              closes epochs, publishes, sends notices
production worker   the only one with the stores' credentials
portal              answers that wait to be fetched, where a port is given for it
"""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place
from dueprocess.cli.portal import portal_words
from dueprocess.desk.site import write_site
from dueprocess.desk.unlocking import PASSED_ON

QUICK_SECONDS = 5.0
"""A child that ends sooner than this after its start is failing, not unlucky."""
MOST_FAILURES = 5


@dataclass
class Child:
    """One supervised process."""

    name: str
    words: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = field(default=0)

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(self.words, env=self.environment)  # noqa: S603  our own programs

    def watch(self) -> bool:
        """Starts the child again if it ended. False when it keeps failing."""
        if self.process is None or self.process.poll() is None:
            return True
        quick = time.monotonic() - self.started < QUICK_SECONDS
        self.failures = self.failures + 1 if quick else 0
        print(f"serve: {self.name} ended with {self.process.returncode}; starting it again", file=sys.stderr)
        if self.failures >= MOST_FAILURES:
            return False
        self.start()
        return True

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()


def serve_command(
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(help="where the public pages are served")] = 8080,
    portal_port: Annotated[int | None, Parameter(help="run the portal for authorities too, here")] = None,
    place: Place | None = None,
) -> int:
    """Run everything: public pages, worker, production worker, and the portal if wanted. Stop with Ctrl-C."""
    at = place or Place()
    desk, _ = at.open()
    write_site(desk)
    children = children_of(str(desk.installation.root), host, port)
    if portal_port is not None:
        children.append(Child("portal", *portal_words(at, host, portal_port)))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    print(f"Public pages: http://{host}:{port}/   (Ctrl-C stops everything)", flush=True)
    if portal_port is not None:
        print(f"Portal: http://{host}:{portal_port}/   (put a web server with https before it)", flush=True)
    for child in children:
        child.start()
    failed = False
    while not stop.wait(0.5) and not failed:
        failed = not all(child.watch() for child in children)
    for child in reversed(children):
        child.stop()
    if failed:
        print("serve: a part keeps failing; its message stands above", file=sys.stderr)
    return 1 if failed else 0


def _passed_on() -> dict[str, str]:
    """What opens the key store and the vault, where the environment gives it; the web process gets none of it."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def children_of(root: str, host: str, port: int) -> list[Child]:
    """The children that always run, with the environment that each may see. The web process gets no credentials."""
    bare = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ", "VIRTUAL_ENV") if name in os.environ
    }
    bare["DUEPROCESS_INSTALL"] = root
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port)]
    granian += ["--workers", "1", "--blocking-threads", "4", "--no-access-log", "--log-level", "warning"]
    loop = [sys.executable, "-m", "dueprocess.worker.loop", "--install", root]
    production = [sys.executable, "-m", "dueprocess.worker.production", "--install", root]
    return [
        Child("web", [*granian, "dueprocess.public.site:application"], bare),
        Child("worker", loop, {**bare, **_passed_on()}),
        Child("production worker", production, dict(os.environ)),
    ]
