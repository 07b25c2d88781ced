"""`dueprocess audit draw`: which demands an auditor looks at, by dice that nobody holds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.audit.bundle import RECORDS, Header, open_record, parse_record
from dueprocess.audit.sample import Sample, announcement, draw, parse_sample, sample_seed
from dueprocess.cli.audit_files import lines, open_bundle
from dueprocess.cli.printing import say
from dueprocess.cli.verify_files import need_policy, read
from dueprocess.errors import BrokenError, MalformedError, RefusedError
from dueprocess.tlog.checkpoint import Checkpoint, parse_checkpoint
from dueprocess.tlog.follow import Trust, open_head
from dueprocess.tlog.note import parse_note

SAMPLE, CHECKPOINT = "sample.json", "checkpoint"


def draw_command(  # noqa: PLR0913  (each is a fact of the draw)
    bundle: Annotated[Path, Parameter(help="the folder that the operator gave you")],
    *,
    after: Annotated[
        int, Parameter(help="the size that you announce: the first signed head that has it decides")
    ],
    count: Annotated[int, Parameter(help="how many demands to draw")],
    checkpoint: Annotated[
        Path | None, Parameter(help="that head, once it exists; without it: what to announce")
    ] = None,
    policy: Annotated[Path | None, Parameter(help="the policy of the log that the head is of")] = None,
    out: Annotated[Path | None, Parameter(help="the folder for the draw and, later, the receipts")] = None,
    origin: Annotated[
        str | None, Parameter(help="the log whose head decides; default the audited one, better another's")
    ] = None,
    json: Annotated[bool, Parameter(negative="", help="Print one JSON value.")] = False,
) -> None:
    """Draw demands with dice from a head that does not exist yet. First announce (no --checkpoint), later draw."""
    header = open_bundle(bundle).header
    log = origin or header.origin
    if count < 1 or after < 1:
        raise RefusedError("bad-draw", "At least one demand is drawn, after at least one entry.")
    if checkpoint is None:
        say_announcement(header, log, after, count, as_json=json)
        return
    data = read(checkpoint)
    head = _head(data, need_policy(policy, "The dice"), log, after)
    made = _draw(bundle, header, head, after, count)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / SAMPLE).write_bytes(made.encoded)
        (out / CHECKPOINT).write_bytes(data)
    say(_told(made, out), made.as_json(), as_json=json)


def say_announcement(header: Header, log: str, after: int, count: int, *, as_json: bool) -> None:
    """The sentence to sign before the dice exist."""
    sentence = announcement(header.sha256, log, after, count)
    advice = [
        "Sign and date this sentence and send it to the operator before the log has that size:",
        "",
        sentence,
        "",
        "Keep the first head that reaches the size, with its signatures, as soon as it is published.",
    ]
    if log == header.origin:
        advice.append(
            "Better name the log of somebody else (--origin): who makes a log could try several heads until he likes"
            " what it draws."
        )
    say(advice, {"announcement": sentence, "bundle_sha256": header.sha256}, as_json=as_json)


def _head(data: bytes, trust: Trust, log: str, after: int) -> Checkpoint:
    opened, _ = open_head(data, trust)
    head = opened.checkpoint
    if head.origin != log:
        raise MalformedError(
            "other-log", f"The dice are of the log {head.origin[:80]!r}, not of {log[:80]!r}."
        )
    if head.size < after:
        raise RefusedError(
            "too-early",
            f"This head has {head.size} entries, fewer than the {after} that were announced.",
            do="Wait for the first head that has them.",
        )
    return head


def drawn_from(path: Path) -> Iterator[int]:
    """The ledger numbers of the demands that arrived in the period, rising. Refuses a record that does not open."""
    for line in lines(path):
        record = parse_record(line)
        if open_record(record).kind == "DemandReceived":
            yield record.seq


def _draw(bundle: Path, header: Header, head: Checkpoint, after: int, count: int) -> Sample:
    demands = list(drawn_from(bundle / RECORDS))
    drawn = draw(sample_seed(head.origin, head.size, head.root), demands, count)
    return Sample(header.sha256, after, count, head.origin, head.size, head.root, drawn)


def _told(made: Sample, out: Path | None) -> list[str]:
    if not made.drawn:
        return ["No demand arrived in the period, so none can be drawn."]
    folder = out or "the folder of your sample"
    return [
        f"Drawn: {', '.join(map(str, made.drawn))} (ledger numbers of the arrival).",
        f"Dice: the head of {made.origin} with {made.size} entries; announced were {made.after}.",
        *(
            ["It is larger than announced: make sure that no head between the two was published."]
            if made.size > made.after
            else []
        ),
        "Ask the operator to run, for each number N:",
        "  dueprocess audit open N --out N.json",
        f"and to show you the papers. Put the files into {folder}, then: dueprocess audit check --sample.",
    ]


def check_dice(bundle: Path, folder: Path, header: Header) -> Sample:
    """The sample in a folder, drawn again from its own dice. Raises ``BrokenError`` where it is another draw."""
    kept = parse_sample(read(folder / SAMPLE))
    head = parse_checkpoint(parse_note(read(folder / CHECKPOINT)).text)
    fits = (head.origin, head.size, head.root) == (
        kept.origin,
        kept.size,
        kept.root,
    ) and kept.after <= kept.size
    if (
        kept.bundle_sha256 != header.sha256
        or not fits
        or _draw(bundle, header, head, kept.after, kept.count) != kept
    ):
        raise BrokenError(
            "other-draw",
            "The sample is not what its dice draw from this bundle.",
            why="The bundle, the head or the numbers were exchanged after the draw.",
            do="Draw again with the head that you kept, and keep both folders.",
        )
    return kept
