"""`dueprocess audit check`: the auditor's recount, on a laptop with the base install and no network."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.audit.bundle import Header
from dueprocess.audit.court import Opened, check_opened
from dueprocess.audit.recount import recount
from dueprocess.audit.result import Recount
from dueprocess.audit.sample import Sample
from dueprocess.cli.audit_draw import check_dice
from dueprocess.cli.audit_files import open_bundle, open_log
from dueprocess.cli.audit_words import as_json, told
from dueprocess.cli.printing import say, working
from dueprocess.cli.verify_files import need_policy, read
from dueprocess.tlog.policy import Policy

FAULTY = 7
"""The exit status where something does not fit: that of the family `broken`."""


def check_command(
    bundle: Annotated[Path, Parameter(help="the folder that the operator gave you")],
    *,
    log: Annotated[str, Parameter(help="the public log: your own copy in a folder, or its https address")],
    policy: Annotated[
        Path | None, Parameter(help="the operator's policy.txt, from a way that you trust")
    ] = None,
    sample: Annotated[
        Path | None, Parameter(help="the folder of audit draw, with the receipts that you were handed for it")
    ] = None,
    json: Annotated[bool, Parameter(negative="", help="Print one JSON value.")] = False,
) -> int:
    """Count a period again: rebuild every time slot, follow every case, pair the registers, say what was not seen."""
    trust = need_policy(policy, "A bundle")
    given = open_bundle(bundle)
    drawn = _drawn(bundle, sample, given.header)
    with working("Rebuilding the time slots"):
        public, head = open_log(log, trust)
        found = recount(given, public, drawn=frozenset(drawn.drawn) if drawn else frozenset())
    for finding in head.weak:
        found.faulty(finding.kind, finding.told)
    opened = _open(found, drawn, sample, trust.policy)
    for each in opened:
        for fault in each.faults:
            found.fault(fault)
    witnessed = head.opened.witnessed
    say(told(found, opened, witnessed=witnessed), as_json(found, opened, witnessed=witnessed), as_json=json)
    return FAULTY if found.faults else 0


def _drawn(bundle: Path, sample: Path | None, header: Header) -> Sample | None:
    return None if sample is None else check_dice(bundle, sample, header)


def _open(found: Recount, drawn: Sample | None, folder: Path | None, policy: Policy) -> list[Opened]:
    if drawn is None or folder is None:
        return []
    by_seq = {chain.seqs[0]: chain for chain in found.chains.all if chain.seqs}
    opened = []
    for seq in drawn.drawn:
        chain = by_seq[seq]
        if chain.erased_seq is not None:
            opened.append(Opened(seq, ()))
            continue
        opened.append(check_opened(read(folder / f"{seq}.json"), chain, found.header, policy))
    return opened
