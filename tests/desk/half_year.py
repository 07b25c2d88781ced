"""What came of a real office's half-year, and what the auditor's command says about it."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dueprocess.cli.audit_check import check_command
from office import Office

FROM, UNTIL = dt.date(2026, 7, 1), dt.date(2027, 1, 1)


@dataclass(frozen=True)
class Audited:
    """What came of a half-year: the office, its bundle, its public log, and what was drawn of it."""

    office: Office
    bundle: Path
    log: Path
    policy: Path
    open_case: str
    erased: str
    produced: str


def check(audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str], **more: Any) -> dict[str, Any]:
    """What the auditor's command says, as JSON."""
    capsys.readouterr()
    status = check_command(bundle, log=str(audited.log), policy=audited.policy, json=True, **more)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert status == (0 if found["fits"] else 7)
    return found


def codes(found: dict[str, Any]) -> set[str]:
    return {each["code"] for each in found["faults"]}


def told(found: dict[str, Any]) -> str:
    return " ".join(each["told"] for each in found["faults"])
