"""The gate as the worker runs it: proof from the log, decision from the vault, plan compiled again, pure checks."""

import datetime as dt
from collections.abc import Callable

from dueprocess.cases.case import Case
from dueprocess.cases.gate import GateFacts, Phase, check_gate
from dueprocess.cases.logproof import CLOCK_MARGIN
from dueprocess.desk.decisions import open_decision
from dueprocess.desk.demands import authorised
from dueprocess.desk.desk import Desk
from dueprocess.desk.restored import refuse_restored
from dueprocess.plan import Plan
from dueprocess.production.proof import LogView, Proved, look_again, prove_log

FRESHEST_EPOCHS = 2
"""A head may be at most this many epochs old, and the margin by which clocks differ."""


def log_view(desk: Desk) -> LogView:
    """The worker's own way to the log, with its pinned policy and last seen head."""
    place = desk.installation
    return LogView(
        read=desk.read_log,
        origin=desk.pins.origin,
        founding_sha256=desk.pins.founding_sha256,
        policy=desk.pins.policy,
        master=desk.master,
        case_key=lambda case_id: desk.keys.keys(case_id).record_key,
        roster_stream=desk.stream,
        epoch_seconds=place.epoch_seconds,
        seen=place.worker / "seen-checkpoint",
    )


def prove(desk: Desk, case_id: str) -> Proved:
    """Proves from the log what there is to prove about one case, and remembers the head.

    Refuses in a restored installation that was not recovered.
    """
    refuse_restored(desk.installation)
    return prove_log(log_view(desk), case_id)


def last_look(
    desk: Desk, ref: str, phase: Phase, proved: Proved, now: dt.datetime
) -> Callable[[Case], list[str]]:
    """The whole gate, to be run on the case as it is under the append lock."""

    def look(case: Case) -> list[str]:
        look_again(log_view(desk), proved)
        return check_gate(
            GateFacts(
                case=case,
                ref=ref,
                document=open_decision(desk, case, ref),
                roster=desk.roster(),
                origin=desk.pins.origin,
                plan_sha256=recompiled(desk, case, ref).plan_sha256,
                proof=proved.log,
                now=now,
                freshest=freshest(desk.installation.epoch_seconds),
                phase=phase,
            )
        )

    return look


def freshest(epoch_seconds: int) -> dt.timedelta:
    """How old a head may be."""
    return dt.timedelta(seconds=FRESHEST_EPOCHS * epoch_seconds) + CLOCK_MARGIN


def recompiled(desk: Desk, case: Case, ref: str) -> Plan:
    """The plan of a target, compiled now from the authorised scope and the data map as they are."""
    return authorised(desk, case, ref)[1]
