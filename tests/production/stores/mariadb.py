"""A real MariaDB server on loopback: its own folder, its own port, and a user who may only read."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
import pytest

READER, PASSWORD = "reader", "CANARY-PASSWORD"


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.fail(f"{name} is missing: install MariaDB (Debian: apt-get install mariadb-server)")
    return found


@contextmanager
def running() -> Iterator[Path]:
    """The folder of a server that runs until the end; its socket is ``s.sock``, its port in ``port``."""
    folder = Path(tempfile.mkdtemp(prefix="dp-maria-"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # Debian's package brings the user mysql; mariadbd refuses to run as root.
        shutil.chown(folder, "mysql", "mysql")
        as_user = ["setpriv", "--reuid=mysql", "--regid=mysql", "--clear-groups"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    here = f"--datadir={folder}/data"
    install = [
        _program("mariadb-install-db"),
        here,
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
    ]
    subprocess.run([*as_user, *install], check=True, capture_output=True, cwd=folder)
    serve = [_program("mariadbd"), "--no-defaults", here, f"--socket={folder}/s.sock", f"--port={port}"]
    serve += ["--bind-address=127.0.0.1", f"--pid-file={folder}/pid", "--innodb-buffer-pool-size=32M"]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [*(as_user or ["setpriv"]), "--pdeathsig", "KILL", *serve, "--innodb-flush-log-at-trx-commit=0"],
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    (folder / "port").write_text(str(port))
    try:
        _wait(folder, server)
        yield folder
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(folder: Path, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        if server.poll() is not None:
            break
        if "ready for connections" in (folder / "server.log").read_text():
            return
        time.sleep(0.1)
    pytest.fail("MariaDB does not start: " + (folder / "server.log").read_text()[-500:])


def as_root(folder: Path, database: str | None = None) -> Any:
    """A connection that may do everything."""
    return pymysql.connect(
        unix_socket=f"{folder}/s.sock", user="root", database=database, charset="utf8mb4", autocommit=True
    )


@contextmanager
def new_database(folder: Path, more: str = "") -> Iterator[tuple[str, str]]:
    """A fresh database: its name, and the connection string of a user who may read it and nothing else."""
    name = f"t{uuid.uuid4().hex[:12]}"
    link = as_root(folder)
    with link.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 {more}")
        cursor.execute(f"CREATE OR REPLACE USER {READER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
        cursor.execute(f"GRANT SELECT, SHOW VIEW ON {name}.* TO {READER}@'127.0.0.1'")
    yield name, f"mysql://{READER}:{PASSWORD}@127.0.0.1:{(folder / 'port').read_text()}/{name}"
    with link.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")
    link.close()
