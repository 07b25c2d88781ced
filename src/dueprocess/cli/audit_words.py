"""A recount in words, for an auditor who is not a programmer; and the same as one JSON value."""

from collections.abc import Sequence
from typing import Any

from dueprocess.audit.bundle import epochs_of
from dueprocess.audit.chains import COLUMNS
from dueprocess.audit.court import Opened
from dueprocess.audit.result import Recount
from dueprocess.cli.printing import counted
from dueprocess.wire import instant

ALWAYS_UNSEEN = (
    "Whatever happened outside of this software: the ledger proves what was recorded, not that nothing else was.",
    "Whether the recorded facts are true: a false one is a lie that stays provable. Draw a sample and look at papers.",
    "Whether each slot was closed on time, day by day: dueprocess monitor watches that.",
    "Statements to the database beside this software: dueprocess audit export compares the database's own log.",
)


def conclusion(found: Recount) -> str:
    wrong = len(found.faults) + sum(found.more.values())
    return (
        f"{counted(wrong, 'thing does', 'things do')} not fit together. The operator has to explain each."
        if wrong
        else "Everything that can be counted fits together."
    )


def told(found: Recount, opened: Sequence[Opened], *, witnessed: bool) -> list[str]:
    """The whole answer, the conclusion first."""
    header = found.header
    lines = [
        conclusion(found),
        "",
        f"Log: {header.origin}. Period: {header.from_on} up to, not including, {header.until_on}.",
        f"Rebuilt: {counted(found.epochs, 'time slot')}, in {found.busy} of them {counted(found.records, 'record')}.",
    ]
    if header.first_seq is not None:
        lines.append(f"Ledger numbers {header.first_seq} to {header.last_seq}.")
    lines += _part("What does not fit", [each.told for each in found.faults] + _more(found))
    lines += _part("Month by month", _months(found))
    lines += _part("Erasures", _erasures(found))
    lines += _part("What the log itself says, and what you should know", _shown(found))
    lines += _part("The sample", [line for each in opened for line in _drawn(each)])
    lines += _part("What this audit could not see", unseen(found, witnessed=witnessed))
    return lines


def _part(title: str, lines: Sequence[str]) -> list[str]:
    return ["", title, *(f"  {line}" for line in lines)] if lines else []


def _more(found: Recount) -> list[str]:
    return [f"{count} more of the kind {code}." for code, count in sorted(found.more.items())]


def _months(found: Recount) -> list[str]:
    if not found.chains.months:
        return []
    head = "month    " + "".join(f"{name:>11}" for name in COLUMNS)
    rows = [
        f"{month:<9}" + "".join(f"{counts[name]:>11}" for name in COLUMNS)
        for month, counts in sorted(found.chains.months.items())
    ]
    return [head, *rows]


def _erasures(found: Recount) -> list[str]:
    return [
        f"Record {chain.erased_seq} says that its case was erased: of {counted(chain.kept, 'record')} only kind, month"
        " and place are left."
        for chain in found.chains.all
        if chain.erased_seq is not None
    ]


_RULES = {
    "PolicyChanged": "Two people changed the log's policy (keys, independent timekeepers)",
    "WitnessesWaived": "Two people let work go on without independent timekeepers",
    "LogRecovered": "Two people let the service go on from a backup",
    "PackActivated": "Two people put a rule pack (the law that is applied) in force",
    "PackRetired": "Two people took a rule pack out of force",
}
_UNWITNESSED = {
    "ProductionStarted": "Data was collected while no independent timekeeper vouched for the log",
    "DeliveryStarted": "A parcel was handed over while no independent timekeeper vouched for the log",
}


def _shown(found: Recount) -> list[str]:
    chains = found.chains
    return [
        *found.shown,
        *(
            f"{words}: {counted(chains.kinds[kind], 'time')}."
            for kind, words in _RULES.items()
            if chains.kinds[kind]
        ),
        *(
            f"{words}: {counted(chains.unwitnessed[kind], 'time')}. It is marked so for ever."
            for kind, words in _UNWITNESSED.items()
            if chains.unwitnessed[kind]
        ),
        *found.registers.shown,
    ]


def _drawn(each: Opened) -> list[str]:
    if each.faults:
        return [f"Record {each.seq}: does not hold, see above."]
    if each.paper_sha256 is None:
        return [
            f"Record {each.seq}: its case was erased, nothing of it can be shown. The erasure is in the ledger."
        ]
    facts = "; ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in each.facts.items())
    unwitnessed = " No independent timekeeper vouches for this receipt." if each.unwitnessed else ""
    return [
        f"Record {each.seq}: the receipt is of this demand and shows all of its {each.records} records.{unwitnessed}",
        f"  {facts}",
        f"  SHA-256 of the paper, to be compared with the paper that you were shown: {each.paper_sha256}",
    ]


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value).replace("_", " ")


def unseen(found: Recount, *, witnessed: bool) -> list[str]:
    """What stays open however well everything fits. Never empty."""
    header, lines = found.header, list(ALWAYS_UNSEEN)
    if header.first_seq is not None and header.first_seq > 1:
        lines.append(
            f"The {header.first_seq - 1} records before the period, ledger numbers 1 to {header.first_seq - 1}."
        )
    begun = sum(not each.whole for each in found.chains.all)
    if begun:
        lines.append(
            f"How {counted(begun, 'case')} began: {'it' if begun == 1 else 'they'} began before the period."
        )
    kept = sum(each.kept for each in found.chains.all)
    if kept:
        lines.append(
            f"What stood in {counted(kept, 'record')}: erased. That they were there, and when, can be seen."
        )
    if header.last_epoch < _last(found):
        lines.append(
            f"The rest of the period: the bundle was made at {instant(header.packed_at)}, before its end."
        )
    if not witnessed:
        lines.append(
            "Whether there is one log only, and its times: no quorum of independent timekeepers vouches for its head."
        )
    return [*lines, *found.unseen, *found.registers.unseen]


def _last(found: Recount) -> int:
    header = found.header
    return epochs_of(header.from_on, header.until_on, header.epoch_seconds)[1]


def as_json(found: Recount, opened: Sequence[Opened], *, witnessed: bool) -> dict[str, Any]:
    """The same for programs."""
    return {
        "fits": not found.faults,
        "conclusion": conclusion(found),
        "bundle": found.header.as_json(),
        "epochs": found.epochs,
        "busy_epochs": found.busy,
        "records": found.records,
        "faults": [each.as_json() for each in found.faults],
        "more": dict(found.more),
        "months": {month: dict(counts) for month, counts in sorted(found.chains.months.items())},
        "erased": [each.erased_seq for each in found.chains.all if each.erased_seq is not None],
        "unwitnessed": dict(found.chains.unwitnessed),
        "shown": _shown(found),
        "sample": [
            {
                "seq": each.seq,
                "faults": [one.as_json() for one in each.faults],
                "paper_sha256": each.paper_sha256,
            }
            for each in opened
        ],
        "unseen": unseen(found, witnessed=witnessed),
    }
