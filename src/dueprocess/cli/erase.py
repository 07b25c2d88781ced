"""`dueprocess erase CASE --ground GROUND`: two people destroy what a finished case holds."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cases.erase import GROUNDS
from dueprocess.cli.place import Place, signing_key
from dueprocess.desk import erasing

_GROUND_HELP = "why: " + "; ".join(f"{code} ({meaning})" for code, meaning in GROUNDS.items())


def erase_command(
    case: str,
    *,
    ground: Annotated[str, Parameter(help=_GROUND_HELP)],
    signer: Annotated[list[Path], Parameter(help="the key files of two people who decide it, once for each")],
    place: Place | None = None,
) -> None:
    """Destroy what a finished case holds, for ever. Two people sign; history keeps that it happened, and when."""
    at = place or Place()
    desk, now = at.open()
    case_id = at.case(case)
    found = erasing.erase(desk, case_id, ground, [signing_key(each) for each in signer], now=now)
    at.say(
        [
            f"Case {case_id[:8]} is erased: {found['meaning']}.",
            f"Recorded {found['erased_at']}, signed by {' and '.join(map(str, _list(found['signed_by'])))}.",
            "Destroyed: its paper, what was read in it, decisions, letters, parcels, and its key.",
            "Kept: its events without names, its place in the log, and that it was erased.",
            f"Backups of the key store: the last copy of the key goes on {found['last_key_backup_gone_on']}.",
            f"Certificate: outbox/erased-{case_id[:16]}.json",
        ],
        found,
    )


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
