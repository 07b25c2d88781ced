"""Rule packs in force: two people activate and retire them, and what about them needs a person's eye.

The text of a pack is kept in the installation before the event that names its digest, so that what is in force can
always be read, and an assessment can be computed again after its packs were replaced.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.cases.events import Event
from dueprocess.cases.packrules import (
    BASELINE,
    PACK_VERDICTS,
    ActivePack,
    PackRules,
    activation_document,
    retirement_document,
)
from dueprocess.desk.desk import Desk
from dueprocess.desk.filekeys import FileKey
from dueprocess.desk.signing import nonce, signed
from dueprocess.errors import DueprocessError, RefusedError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from dueprocess.history.fault import Fault
from dueprocess.law import Pack, pack_warnings
from dueprocess.law.comparing.changes import OpenCase
from dueprocess.library.packs import PackFile, kept_file, pack_set, shipped_as_written
from dueprocess.publication.durable import write_durable
from dueprocess.steps.packrules import decide_about_packs
from dueprocess.wire import Json, parse_instant

SOURCE = "formats.md, Rosters"


def activate(desk: Desk, file: PackFile, signers: Sequence[FileKey], now: dt.datetime) -> ActivePack:
    """Puts a pack in force, in place of the one with its id. Returns what is in force now.

    Refuses a pack that does not hold together with the others in force (an overlay that widens or has nothing to
    overlay, a pack below the baseline's floor), and the same content again.
    """
    _check_kind(file.pack)
    pack_set([file, *(each for each in active_files(desk) if each.pack.id != file.pack.id)])
    path = desk.installation.packs / f"{file.pack.sha256}.toml"
    if not _is_kept(desk, file.pack.sha256):
        write_durable(path, file.text.encode())
    document = activation_document(
        file.pack.id, file.pack.version, file.pack.sha256,
        origin=desk.pins.origin, number=desk.pack_rules().next_number, nonce=nonce(),
    )  # fmt: skip
    _decide(desk, "PackActivated", document, signers, now)
    return in_force(desk, file.pack.id)


def retire(desk: Desk, pack_id: str, signers: Sequence[FileKey], now: dt.datetime) -> ActivePack:
    """Takes a pack out of force. Refuses the baseline, and a pack that an overlay in force rests on."""
    rules, current = desk.pack_rules(), in_force(desk, pack_id)
    if pack_id != BASELINE:
        pack_set(each for each in active_files(desk) if each.pack.id != pack_id)
    document = retirement_document(
        pack_id, current.sha256, origin=desk.pins.origin, number=rules.next_number, nonce=nonce()
    )
    _decide(desk, "PackRetired", document, signers, now)
    return current


def active_files(desk: Desk) -> tuple[PackFile, ...]:
    """The packs in force as they were written, with their texts, by id."""
    return tuple(kept(desk, each) for each in desk.pack_rules().active)


def kept(desk: Desk, active: ActivePack) -> PackFile:
    """The text of a pack that is or was in force. Refuses one that was altered since."""
    return kept_file(desk.installation.packs, active.sha256)


def in_force(desk: Desk, pack_id: str) -> ActivePack:
    """What is in force under this id. Refuses an id under which nothing is."""
    found = desk.pack_rules().of(pack_id)
    if found is None:
        raise RefusedError(
            "pack-not-active", f"No pack {pack_id[:80]!r} is in force.",
            do="See what is: dueprocess packs list.", source=SOURCE,
        )  # fmt: skip
    return found


def _check_kind(pack: Pack) -> None:
    if (pack.kind == "baseline") != (pack.id == BASELINE):
        raise RefusedError(
            "one-baseline",
            f"The pack {pack.id} says that it is of the kind {pack.kind}.",
            why=f"There is one baseline, its id is {BASELINE}, and no other pack takes its place.",
            do="Correct `kind` or `id` in the pack.",
            source=SOURCE,
        )


def _is_kept(desk: Desk, sha256: str) -> bool:
    try:
        return kept_file(desk.installation.packs, sha256).pack.sha256 == sha256
    except DueprocessError:
        return False


def _decide(
    desk: Desk, kind: str, document: dict[str, Json], signers: Sequence[FileKey], now: dt.datetime
) -> Event:
    draft = signed(desk, kind, document, signers, PACK_VERDICTS[kind])
    hand = desk.hand(signers[0].person, now, desk.stream)
    return decide_about_packs(
        desk.stream, hand, draft, origin=desk.pins.origin, root=desk.pins.founding_sha256
    )


# ---------------------------------------------------------------------------------------------- what to look at


def warnings(desk: Desk, on: dt.date) -> list[str]:
    """What about the packs in force needs a person: none at all, old, unreviewed, ending, or a newer one at hand."""
    active = active_files(desk)
    if not [each for each in active if each.pack.kind == "regime"]:
        return [_NONE]
    unreviewed = [each.pack.id for each in active if not each.pack.reviewed_by]
    lines = [f"No counsel has reviewed: {', '.join(unreviewed)}."] if unreviewed else []
    for each in active:
        lines += [f"{found.text} {found.do}".strip() for found in pack_warnings(each.pack, on)]
    return [*lines, *_newer(active)]


_NONE = (
    "No rule pack is in force, so every assessment goes to counsel: dueprocess packs list, then dueprocess packs "
    "activate ID --signer KEY --signer KEY"
)


def _newer(active: Sequence[PackFile]) -> Iterator[str]:
    shipped = shipped_as_written()
    for each in active:
        there = shipped.get(each.pack.id)
        if there is not None and version_key(there.version) > version_key(each.pack.version):
            yield (
                f"This program brings {each.pack.id} {there.version}; in force is {each.pack.version}: dueprocess "
                f"packs diff active:{each.pack.id} shipped:{each.pack.id}"
            )


def version_key(version: str) -> tuple[tuple[int, str], ...]:
    """Versions in order: the parts between dots as numbers where they are numbers."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in version.split("."))


def open_cases() -> list[OpenCase]:
    """Every case that was read and is not finished: what a change of a pack may concern."""
    cases = [load_case(line.case_id) for line in docket()]
    return [_open(case, case.read) for case in cases if case.read is not None and case.closed is None]


def _open(case: Case, read: Event) -> OpenCase:
    targets: Any = read.body["targets"]
    asked = frozenset(name for names in targets.values() for name in names)
    return OpenCase(case.case_id, read.text("regime"), read.text("instrument"), asked)


# ---------------------------------------------------------------------------------------------- fsck


def pack_faults(desk: Desk, cases: Sequence[Case]) -> Iterator[Fault]:
    """Each pack that was ever in force: its text is there and is it. Each assessment: by packs in force at its time."""
    rules = desk.pack_rules()
    for digest in sorted({each.sha256 for each in rules.history}):
        try:
            kept_file(desk.installation.packs, digest)
        except DueprocessError as error:
            yield Fault("pack", digest[:16], f"{error.what} {error.why}".strip(), "I7")
    for case in cases:
        yield from _assessed_by(case, rules)


def _assessed_by(case: Case, rules: PackRules) -> Iterator[Fault]:
    for event in case.events:
        at = parse_instant(event.recorded_at)
        if event.kind != "DemandAssessed" or not rules.began(at):
            continue
        strange = [each for each in named_packs(event) if not rules.was_active(each, at)]
        if strange:
            row = f"{case.case_id[:8]}/{event.case_seq}"
            yield Fault(
                "event", row, f"assessed by a pack that was not in force then ({strange[0][:16]}…)", "I2"
            )


def named_packs(assessed: Event) -> list[str]:
    """Digests of the packs that an assessment was made by."""
    found = assessed.body["packs"]
    return (
        [str(each["sha256"]) for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    )
