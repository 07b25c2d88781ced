"""A watcher's post, and the commands that are run from it."""

import dataclasses
import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dueprocess.cli.monitor_fetch import place_of
from dueprocess.cli.monitor_show import show
from dueprocess.cli.monitor_watch import Round, Watch
from dueprocess.report import build_register, build_report
from madelog import (
    POLICY_TEXT,
    MadeLog,
    trust,
)

PERIOD = "2026H1"
REGISTER = build_register([], period=PERIOD)
REPORT = build_report(REGISTER)


@dataclasses.dataclass
class Post:
    """A watcher's post: a folder with the log as it is served, and a folder of the watcher's own."""

    root: Path
    policy: bytes = POLICY_TEXT

    @property
    def state(self) -> Path:
        return self.root / "state"

    def serve(self, log: MadeLog) -> MadeLog:
        log.write(self.root / "log")
        return log

    def watch(self, *, site: bool = False) -> Watch:
        (self.root / "log").mkdir(exist_ok=True)
        pages = place_of(str(self.root / "site")) if site else None
        log = str(self.root / "log")
        return Watch(log, place_of(log), pages, trust(self.policy), self.policy, self.state)

    def look(self, now: dt.datetime, *, site: bool = False) -> Round:
        return self.watch(site=site).look(now)

    def pages(self, register: bytes, report: bytes) -> None:
        folder = self.root / "site" / "reports" / PERIOD
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "register.json").write_bytes(register)
        (folder / "report.json").write_bytes(report)

    def recheck(self, folder: Path, *, policy: bytes | None = None) -> subprocess.CompletedProcess[str]:
        """Somebody else, in a process of its own, with a policy of its own and nothing else."""
        path = self.root / "mine.txt"
        path.write_bytes(self.policy if policy is None else policy)
        return run("verify", folder, "--policy", path)


def run(*words: str | Path, seconds: float = 30) -> subprocess.CompletedProcess[str]:
    """One command in a fresh process, whether or not the manual lists `monitor` already."""
    start = (
        "import dueprocess.cli.main as main, dueprocess.cli.manual as manual\n"
        "have = {each.name for each in manual.COMMANDS}\n"
        "new = manual.Command('monitor', 'dueprocess.cli.monitor:monitor_command', '')\n"
        "main.COMMANDS += () if 'monitor' in have else (new,)\n"
        "main.main()"
    )
    return subprocess.run(
        [sys.executable, "-c", start, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
    )


def kinds(found: Round) -> list[str]:
    return [each.finding.kind for each in found.alarms]


def said(found: Round, capsys: pytest.CaptureFixture[str], *, brief: bool = False) -> str:
    capsys.readouterr()
    show(found, as_json=False, brief=brief)
    return capsys.readouterr().out
