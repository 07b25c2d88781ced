"""Real chat servers on loopback, each with a folder of its own: started for a test, stopped with it.

They run as whoever runs the tests, without TLS, without federation, and forget everything afterwards.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE = 30.0
HOST, OTHER = "chat.example", "other.example"


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def needed(program: str, package: str) -> str:
    """The path of a program. A missing one fails the test and names Debian's package."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.fail(f"{program} is missing: install it (Debian: apt-get install {package})")
    return found


def needed_folder(pattern: str, package: str) -> Path:
    """A folder of /usr/lib or /usr/share. A missing one fails the test and names Debian's package."""
    found = sorted(Path("/usr").glob(pattern))
    if not found:
        pytest.fail(f"/usr/{pattern} is missing: install it (Debian: apt-get install {package})")
    return found[-1]


@contextmanager
def prosody(folder: Path) -> Iterator[int]:
    """Prosody with two hosts and everything in ``folder/prosody.sqlite``. Yields the port for clients."""
    program = needed("prosody", "prosody")
    needed_folder("lib/*/lua/5.*/dbd/sqlite3.so", "lua-dbi-sqlite3")
    port = free_port()
    (folder / "prosody.cfg.lua").write_text(
        _PROSODY.format(folder=folder, port=port, hosts=_hosts("VirtualHost"))
    )
    command = [program, *(["--root"] if os.geteuid() == 0 else []), "--config", "prosody.cfg.lua", "-F"]
    with _running(command, folder, port, {}):
        yield port


_PROSODY = """
data_path = "{folder}"
pidfile = "{folder}/prosody.pid"
run_as_root = true
log = {{ info = "*console" }}
certificates = "."
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
s2s_ports = {{}}
c2s_direct_tls_ports = {{}}
http_ports = {{}}
https_ports = {{}}
modules_enabled = {{ "saslauth", "offline", "mam", "roster", "disco", "private", "pep", "vcard_legacy", "register" }}
modules_disabled = {{ "s2s", "tls" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
allow_registration = true
additional_registration_fields = {{ "email" }}
authentication = "internal_hashed"
storage = "sql"
sql = {{ driver = "SQLite3", database = "prosody.sqlite" }}
archive_expires_after = "never"
{hosts}
"""


def _hosts(word: str) -> str:
    return "\n".join(f'{word} "{host}"' for host in (HOST, OTHER))


@contextmanager
def ejabberd(folder: Path, storage: str, hosts: tuple[str, ...]) -> Iterator[int]:
    """Ejabberd with these hosts and this SQL storage (lines of its configuration). Yields the port for clients.

    It starts without a node name, so that no port mapper is left behind.
    """
    erl = needed("erl", "ejabberd")
    code = needed_folder("lib/*/ejabberd-*/ebin/ejabberd.app", "ejabberd").parent
    port = free_port()
    (folder / "ejabberd.yml").write_text(_EJABBERD.format(hosts=", ".join(hosts), storage=storage, port=port))
    command = [
        erl,
        "-noinput",
        "-noshell",
        "-pa",
        str(code),
        "-mnesia",
        "dir",
        f'"{folder}/mnesia"',
        "-s",
        "ejabberd",
    ]
    names = {"EJABBERD_CONFIG_PATH": "ejabberd.yml", "EJABBERD_LOG_PATH": f"{folder}/ejabberd.log"}
    with _running(command, folder, port, names):
        yield port


_EJABBERD = """
hosts: [{hosts}]
loglevel: warning
{storage}
auth_method: sql
default_db: sql
registration_timeout: infinity
listen:
  - {{port: {port}, ip: "127.0.0.1", module: ejabberd_c2s}}
modules:
  mod_mam: {{default: always}}
  mod_offline: {{}}
  mod_private: {{}}
  mod_vcard: {{}}
  mod_roster: {{}}
  mod_last: {{}}
  mod_register: {{ip_access: all, access: all}}
"""


@contextmanager
def _running(command: list[str], folder: Path, port: int, names: dict[str, str]) -> Iterator[None]:
    """A program until the end of the block, from the moment at which it listens."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **names}
    with (folder / "console.log").open("wb") as console:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=console, stderr=console, start_new_session=True
        )
        try:
            _wait_until_it_listens(process, port, folder)
            yield
        finally:
            _stop(process)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    logs = "".join(path.read_text(errors="replace")[-3000:] for path in sorted(folder.glob("*.log")))
    pytest.fail(f"{Path(str(process.args[0])).name} does not listen: {logs}")  # type: ignore[index]  # a list, above


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the process group that this test started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
