"""The audit bundle: what an operator gives to an auditor under confidentiality, read strictly.

Seeds of the epochs, every record with the fields that an auditor may see, and what no register holds yet. No
account, no case id, no digest of a paper. The public log is not in it: the auditor takes that himself.

Source: specs/audit/README.md.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from dueprocess.errors import MalformedError
from dueprocess.tlog import shape
from dueprocess.tlog.epoch import DEPTH, MOST_EPOCH, PLACES, epoch_at, root_from_path
from dueprocess.tlog.merkle import MOST_LEAVES
from dueprocess.tlog.record import Opening, check_audience, is_kept, opening_from_json, verify_opening
from dueprocess.wire import Json, b64, canonical, instant, parse_instant, sha256_hex, unb64, unhex

FORMAT = "dueprocess-audit"
HEADER, SEEDS, RECORDS, OUTSIDE, WITHHELD = (
    "bundle.json", "seeds.jsonl", "records.jsonl", "outside.jsonl", "withheld.jsonl",
)  # fmt: skip
"""The files of a bundle. Beside them lie ``registers/<half-year>/register.json`` and ``report.json``."""

MOST_SEQ = 2**53 - 1
MOST_LINE_BYTES = 4 * 1024 * 1024
"""More than any record can have: 32 digests and the opened values."""

Why = Literal["open", "nondisclosure", "unregistered", "too-early"]
WHY: Mapping[Why, str] = MappingProxyType(
    {
        "open": "not finished yet",
        "nondisclosure": "not finished yet, under an order not to tell",
        "unregistered": "closed, its row not made yet",
        "too-early": "closed, the register of its half-year not due yet",
    }
)
"""Why a demand that was read stands in no register, in words."""

_FILE = re.compile(rf"{SEEDS}|{RECORDS}|{OUTSIDE}|{WITHHELD}|registers/20\d\dH[12]/(register|report)\.json")
_PERIOD = re.compile(r"20\d\dH[12]")
_MEMBERS = (
    "t", "v", "origin", "from", "until", "epoch_s", "first_e", "last_e", "first_seq", "last_seq", "log_size",
    "packed_at", "files",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """``bundle.json``: which log, which days and epochs, which ledger numbers, and the digest of each file."""

    origin: str
    from_on: dt.date
    until_on: dt.date
    """The first day that is not in the period any more."""
    epoch_seconds: int
    first_epoch: int
    last_epoch: int
    """The last epoch that the bundle speaks of: the period's last, or the newest that was published."""
    first_seq: int | None
    """The ledger number of the first record, None where the period holds none."""
    last_seq: int | None
    log_size: int
    """Entries of the public log when the bundle was made."""
    packed_at: dt.datetime
    files: Mapping[str, str]
    """Name of each other file to its SHA-256 in hex."""

    def as_json(self) -> dict[str, Json]:
        return {
            "t": FORMAT,
            "v": 1,
            "origin": self.origin,
            "from": self.from_on.isoformat(),
            "until": self.until_on.isoformat(),
            "epoch_s": self.epoch_seconds,
            "first_e": self.first_epoch,
            "last_e": self.last_epoch,
            "first_seq": self.first_seq,
            "last_seq": self.last_seq,
            "log_size": self.log_size,
            "packed_at": instant(self.packed_at),
            "files": dict(self.files),
        }

    @property
    def encoded(self) -> bytes:
        """The file ``bundle.json``."""
        return canonical(self.as_json())

    @property
    def sha256(self) -> str:
        """The digest of ``bundle.json``: it stands for the whole bundle."""
        return sha256_hex(self.encoded)

    @property
    def from_the_start(self) -> bool:
        """Whether nothing of the ledger lies before the bundle."""
        return self.first_seq == 1

    def holds(self, epoch: int) -> bool:
        """Whether this epoch is one of the bundle's."""
        return self.first_epoch <= epoch <= self.last_epoch


def epochs_of(from_on: dt.date, until_on: dt.date, seconds: int) -> tuple[int, int]:
    """The first and the last epoch that begin on these days (UTC; ``until_on`` is the first day left out)."""
    first, after = (
        epoch_at(dt.datetime.combine(day, dt.time(), dt.UTC) - dt.timedelta(microseconds=1), seconds=seconds)
        + 1
        for day in (from_on, until_on)
    )
    return first, after - 1


def parse_header(data: bytes) -> Header:
    """``bundle.json`` from its bytes. Raises ``MalformedError`` and nothing else."""
    found = shape.members(shape.parse_canonical(data, "audit bundle"), _MEMBERS, "the bundle")
    shape.version(found["v"], "audit bundle")
    if found["t"] != FORMAT:
        raise MalformedError("not-a-bundle", "This is not the bundle of an audit.")
    header = Header(
        origin=shape.text(found["origin"], "the origin"),
        from_on=_day(found["from"]),
        until_on=_day(found["until"]),
        epoch_seconds=shape.number(found["epoch_s"], "the seconds of an epoch", most=86_400),
        first_epoch=shape.number(found["first_e"], "the first epoch", most=MOST_EPOCH),
        last_epoch=shape.number(found["last_e"], "the last epoch", most=MOST_EPOCH),
        first_seq=_seq_or_none(found["first_seq"]),
        last_seq=_seq_or_none(found["last_seq"]),
        log_size=shape.number(found["log_size"], "the size of the log", most=MOST_LEAVES),
        packed_at=parse_instant(shape.text(found["packed_at"], "the time of packing")),
        files=_files(found["files"]),
    )
    _check_spans(header)
    return header


def _check_spans(header: Header) -> None:
    first, last = header.first_seq, header.last_seq
    wrong = header.until_on <= header.from_on or header.last_epoch < header.first_epoch
    if wrong or (first is None) != (last is None) or (first or 1) > (last or 1) or not header.epoch_seconds:
        raise MalformedError(
            "bad-span", "The period, the epochs or the ledger numbers of this bundle end too early."
        )
    first_e, last_e = epochs_of(header.from_on, header.until_on, header.epoch_seconds)
    if header.first_epoch != first_e or header.last_epoch > last_e:
        raise MalformedError("bad-span", "The epochs of this bundle are not those of its days.")


def _files(value: Json) -> Mapping[str, str]:
    if not isinstance(value, dict) or not {SEEDS, RECORDS, OUTSIDE, WITHHELD} <= value.keys():
        raise MalformedError("files-missing", "The bundle does not name all of its files.")
    for name in value:
        if not _FILE.fullmatch(name):
            raise MalformedError("unknown-file", f"A bundle has no file {name[:80]!r}.")
    return MappingProxyType({name: shape.sha256_text(each, name) for name, each in value.items()})


def _seq_or_none(value: Json) -> int | None:
    return None if value is None else _seq(value)


def _seq(value: Json) -> int:
    found = shape.number(value, "a ledger number", most=MOST_SEQ)
    if not found:
        raise MalformedError("not-a-number", "Ledger numbers begin at 1.")
    return found


def _day(value: Json) -> dt.date:
    text = shape.text(value, "a day")
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise MalformedError("bad-day", "Expected a day such as 2026-07-01.", why=str(error)) from error
    if day.isoformat() != text or not 1971 <= day.year < 9999:
        raise MalformedError("bad-day", "Expected a day such as 2026-07-01.")
    return day


# ------------------------------------------------------------------ seeds


def seed_line(epoch: int, seed: bytes) -> bytes:
    """One line of ``seeds.jsonl``, without its end."""
    return b'{"e":%d,"seed":"%s"}' % (epoch, b64(seed).encode())


def read_seed(line: bytes, epoch: int) -> bytes:
    """The seed in a line that must be about ``epoch``: the lines go up by one. Raises ``MalformedError``."""
    head = b'{"e":%d,"seed":"' % epoch
    if not line.startswith(head) or not line.endswith(b'"}') or not line.isascii():
        raise MalformedError(
            "bad-seed",
            f"{SEEDS} does not go on with epoch {epoch}.",
            why="It has one line for each epoch of the period, none left out.",
            do="Ask the operator for the bundle again.",
        )
    return unb64(line[len(head) : -2].decode(), length=32)


# ------------------------------------------------------------------ records


@dataclass(frozen=True, slots=True)
class BundleRecord:
    """One line of ``records.jsonl``, or of ``outside.jsonl`` (then with a path). Not yet believed."""

    seq: int
    epoch: int
    place: int
    commitment: bytes
    opening: Opening
    path: tuple[bytes, ...] | None = None

    def as_json(self) -> dict[str, Json]:
        value: dict[str, Json] = {
            "seq": self.seq,
            "epoch": self.epoch,
            "place": self.place,
            "c": self.commitment.hex(),
            "opening": self.opening.as_json(),
        }
        return value if self.path is None else {**value, "path": [b64(each) for each in self.path]}

    @property
    def line(self) -> bytes:
        return canonical(self.as_json())

    @property
    def root(self) -> bytes:
        """The root of its epoch to which the path of an outside record leads."""
        return root_from_path(self.epoch, self.place, self.commitment, self.path or ())


def parse_record(line: bytes, *, outside: bool = False) -> BundleRecord:
    """A record from its line. Raises ``MalformedError`` and nothing else; ``open_record`` judges it."""
    names = ("seq", "epoch", "place", "c", "opening", *(["path"] if outside else []))
    found = shape.members(shape.parse_canonical(line, "record of a bundle"), names, "a record of the bundle")
    path = None
    if outside:
        hashes = shape.items(found["path"], "the path", count=DEPTH)
        path = tuple(shape.b64_bytes(each, "a hash of the path") for each in hashes)
    return BundleRecord(
        _seq(found["seq"]),
        shape.number(found["epoch"], "the epoch", most=MOST_EPOCH),
        shape.number(found["place"], "the place", most=PLACES - 1),
        unhex(shape.text(found["c"], "a commitment")),
        opening_from_json(found["opening"]),
        path,
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """A record that the auditor has opened: its values are those that the ledger committed to."""

    seq: int
    epoch: int
    commitment: bytes
    values: Mapping[str, Json]
    kept: bool
    """Whether only what stays after an erasure can be seen."""

    @property
    def kind(self) -> str:
        return str(self.values["kind"])

    @property
    def month(self) -> str:
        """``2026-11``."""
        return str(self.values["month"])

    @property
    def prev(self) -> bytes | None:
        found = self.values["prev"]
        return None if found is None else unhex(str(found))

    def text(self, name: str) -> str | None:
        found = self.values.get(name)
        return found if isinstance(found, str) else None


_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


def open_record(record: BundleRecord) -> Seen:
    """What a record says. Raises ``MalformedError`` where its opening does not lead to its commitment.

    Also where it opens more or fewer fields than an auditor sees: all of his, or those that stay after erasure.
    """
    opened = verify_opening(record.opening)
    if opened.commitment != record.commitment:
        raise MalformedError("wrong-opening", "Its opening does not lead to its commitment.")
    check_audience(record.opening, "auditor")
    kept = is_kept(record.opening)
    values = opened.values
    if values["ledger_seq"] != record.seq:
        raise MalformedError(
            "seq-differs", f"It was recorded under the ledger number {values['ledger_seq']}."
        )
    prev = values["prev"]
    if prev is not None:
        unhex(shape.text(prev, "prev"))
    shape.text(values["kind"], "kind")
    if not _MONTH.fullmatch(shape.text(values["month"], "month")):
        raise MalformedError("bad-month", "Its month is none.")
    return Seen(record.seq, record.epoch, record.commitment, values, kept)


# ------------------------------------------------------------------ withheld


@dataclass(frozen=True, slots=True)
class Withheld:
    """A demand that was read and stands in no register yet: one line of ``withheld.jsonl``."""

    seq: int
    """The ledger number of its first reading in the period (before the period: of its first reading)."""
    why: Why
    until: str | None
    """The end of an order not to tell, as the order has it; None where it has none or there is no order."""
    period: str | None
    """The half-year in whose register it will stand, where it is closed."""

    def as_json(self) -> dict[str, Json]:
        return {"seq": self.seq, "why": self.why, "until": self.until, "period": self.period}

    @property
    def line(self) -> bytes:
        return canonical(self.as_json())


def parse_withheld(line: bytes) -> Withheld:
    """A line of ``withheld.jsonl``. Raises ``MalformedError`` and nothing else."""
    found = shape.members(
        shape.parse_canonical(line, "withheld line"), ("seq", "why", "until", "period"), "a withheld line"
    )
    until, period = found["until"], found["period"]
    if period is not None and not _PERIOD.fullmatch(shape.text(period, "the half-year")):
        raise MalformedError("bad-period", "Expected a half-year such as 2026H2.")
    return Withheld(
        _seq(found["seq"]),
        _why(found["why"]),
        None if until is None else shape.text(until, "the end of an order"),
        None if period is None else str(period),
    )


def _why(value: Json) -> Why:
    for each in get_args(Why):
        if value == each and isinstance(value, str):
            chosen: Why = each
            return chosen
    raise MalformedError("unknown-reason", f"A demand is withheld for one of: {', '.join(WHY)}.")
