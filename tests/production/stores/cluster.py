"""A real Spark cluster on loopback: a master, two workers, and a Spark Connect server in front of them.

The programs come from a Python environment of their own, ``.venv-spark``; what is tested speaks to them only over the
network.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dueprocess.production.stores import sparkwire

ENVIRONMENT = Path(__file__).parents[3] / ".venv-spark"
_START_SECONDS = 180.0
WITH_US = ["setpriv", "--pdeathsig", "KILL"]
"""What is started ends with the test run, also where the run itself is killed."""


@dataclass
class Cluster:
    """The port of Spark Connect, a folder for tables, and the processes."""

    port: int
    folder: Path
    workers: list["subprocess.Popen[bytes]"]

    def dsn(self, database: str) -> str:
        return f"spark://127.0.0.1:{self.port}/spark_catalog.{database}"

    def run(self, *texts: str) -> None:
        """Commands, as somebody who may do everything."""
        where = sparkwire.address("setup", self.dsn("default"))
        link = sparkwire.Link("setup", where, "setup", 120.0)
        for text in texts:
            link.rows(text, [])  # A command is run where it is read.
        link.close()

    def write(self, database: str, tables: Mapping[str, pa.Table], **how: Any) -> None:
        """Tables of Parquet files, known to the cluster's own catalog."""
        texts = list[str]()
        for name, table in tables.items():
            folder = self.folder / database / name
            folder.mkdir(parents=True)
            pq.write_table(table, folder / "part-0.parquet", **how)
            texts.append(f"CREATE TABLE {database}.`{name}` USING parquet LOCATION 'file://{folder}'")
        self.run(*texts)

    def executors(self) -> list[int]:
        """The processes that do the work, by number: the children of the workers."""
        parents = {str(worker.pid) for worker in self.workers}
        found = list[int]()
        for each in Path("/proc").iterdir():
            try:
                told = (each / "stat").read_text() if each.name.isdigit() else ""
                works = told and b"CoarseGrainedExecutorBackend" in (each / "cmdline").read_bytes()
            except OSError:
                continue
            if works and told.rpartition(")")[2].split()[1] in parents:
                found.append(int(each.name))
        return found

    def kill_one(self) -> None:
        """Ends an executor at once, as a machine that fails does."""
        os.kill(self.executors()[0], signal.SIGKILL)


def _home() -> Path:
    found = sorted(ENVIRONMENT.glob("lib/python3*/site-packages/pyspark"))
    if not found:
        pytest.fail(
            ".venv-spark is missing: python -m venv .venv-spark, "
            "then .venv-spark/bin/pip install 'pyspark[connect]==4.3.*'"
        )
    if shutil.which("java") is None:
        pytest.fail(
            "java is missing: install a Java runtime (Debian: apt-get install openjdk-17-jre-headless)"
        )
    return found[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running() -> Iterator[Cluster]:
    """A cluster that runs until the end, and nothing of it after."""
    home, folder = _home(), Path(tempfile.mkdtemp(prefix="dp-spark-"))
    master, connect = _free_port(), _free_port()
    environment = {
        **os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_DIRS": f"{folder}/local",
    }  # fmt: skip
    started: list[subprocess.Popen[bytes]] = []

    def start(log: str, *words: str) -> "subprocess.Popen[bytes]":
        memory = "700m" if log == "connect.log" else "256m"
        with (folder / log).open("wb") as out:
            one = subprocess.Popen(
                [*WITH_US, *words],
                stdout=out,
                stderr=out,
                cwd=folder,
                env={**environment, "SPARK_DAEMON_MEMORY": memory},
                start_new_session=True,
            )
        started.append(one)
        return one

    deploy = "org.apache.spark.deploy"
    run = str(home / "bin" / "spark-class")
    try:
        start("master.log", run, f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", str(master),
              "--webui-port", str(_free_port()))  # fmt: skip
        _wait_for(master, folder / "master.log", started)
        workers = [
            start(f"worker{n}.log", run, f"{deploy}.worker.Worker", "--host", "127.0.0.1", "--cores", "1",
                  "--memory", "700m", "--webui-port", str(_free_port()), "--work-dir", f"{folder}/worker{n}",
                  f"spark://127.0.0.1:{master}")
            for n in (1, 2)
        ]  # fmt: skip
        settings = {
            "spark.connect.grpc.binding.address": "127.0.0.1", "spark.connect.grpc.binding.port": connect,
            "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.memory": "700m",
            "spark.executor.memory": "600m", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": 4,
            "spark.sql.warehouse.dir": f"{folder}/warehouse",
        }  # fmt: skip
        words = [word for key, value in settings.items() for word in ("--conf", f"{key}={value}")]
        (jar,) = (home / "jars").glob("spark-connect_*.jar")
        start("connect.log", str(home / "bin" / "spark-submit"), "--master", f"spark://127.0.0.1:{master}",
              "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", *words, str(jar))  # fmt: skip
        _wait_for(connect, folder / "connect.log", started)
        yield Cluster(connect, folder, workers)
    finally:
        for each in reversed(started):
            for how in (signal.SIGTERM, signal.SIGKILL):
                _end(each, how)
        shutil.rmtree(folder, ignore_errors=True)


def _end(process: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    """Ends a process and its children; each was started as a group of its own."""
    try:
        os.killpg(process.pid, how)
        process.wait(10)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        process.poll()


def _wait_for(port: int, log: Path, started: list["subprocess.Popen[bytes]"]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and all(each.poll() is None for each in started):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail("Spark does not start: " + log.read_text()[-800:])
