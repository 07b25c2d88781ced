"""A small ledger made up by hand, sealed as a real one is: what no honest operator has can be put into it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from dueprocess.audit.bundle import BundleRecord, Header, Withheld, epochs_of, seed_line
from dueprocess.audit.result import Bundle, PublicLog
from dueprocess.report import RegisterRow, build_register, build_report, row_commitment
from dueprocess.tlog.checkpoint import without_ml_dsa
from dueprocess.tlog.epoch import EpochTree, epoch_root, epoch_until
from dueprocess.tlog.leaf import EpochLeaf, Leaf, PolicyLeaf, RegisterLeaf, ReportLeaf, encode_leaf
from dueprocess.tlog.proof import LogProof, format_proof
from dueprocess.tlog.receipt import Receipt, ReceiptRecord
from dueprocess.tlog.record import (
    AUDIENCES,
    KEPT_AFTER_ERASURE,
    Audience,
    Record,
    commitment,
    open_fields,
)
from dueprocess.wire import Json, sha256, sha256_hex
from madelog import MadeLog, trust

ORIGIN = "chat.example/dueprocess/1"
SECONDS = 86_400
"""An epoch is a day, so that a half-year is small."""
FROM, UNTIL = dt.date(2026, 7, 1), dt.date(2027, 1, 1)
FIRST, LAST = epochs_of(FROM, UNTIL, SECONDS)
NOW = dt.datetime(2027, 4, 2, tzinfo=dt.UTC)
TWO: list[Json] = ["a" * 64, "b" * 64]

Rows = list[tuple[RegisterRow, str]]


def seed_of(epoch: int) -> bytes:
    return sha256(b"seed %d" % epoch)


@cache
def epoch_leaf(epoch: int, placed: tuple[tuple[int, bytes], ...]) -> bytes:
    root = epoch_root(seed_of(epoch), epoch, dict(placed))
    return encode_leaf(EpochLeaf(epoch, root, epoch_until(epoch, seconds=SECONDS)))


def policy_leaf(**changes: object) -> PolicyLeaf:
    leaf = PolicyLeaf(
        number=1, epoch_seconds=SECONDS, depth=16, k=10, delay_days=90, bands=(0, 250), quorum_modes=("two",),
        clock="system", witness_policy_sha256="0" * 64, software_sha256="1" * 64, in_force_on=FROM,
    )  # fmt: skip
    return replace(leaf, **changes)  # type: ignore[arg-type]  # a test's own changes


def register_row(number: int, *, instrument: str = "d_order") -> RegisterRow:
    """The coarse row of a demand that was refused."""
    return RegisterRow(
        period="2026H2", country="US", regime="us", instrument=instrument, basis="18 USC 2703(d)",
        authority_class="court", demand_kind="disclosure", emergency=False, categories=(), accounts_band="1",
        outcome="rejected", narrowed=False, notice="none", challenged=False,
    )  # fmt: skip


def row_salt(number: int) -> bytes:
    return sha256(b"row %d" % number)


@dataclass
class Made:
    """One record as it was sealed."""

    seq: int
    epoch: int
    record: Record
    secret: bytes
    place: int
    kept: dict[tuple[object, ...], Any] = field(default_factory=dict)
    """What was computed before, by what it was computed from: worlds are built over and over."""

    @property
    def commitment(self) -> bytes:
        key = (id(self.record),)
        if key not in self.kept:
            self.kept[key] = commitment(self.record, self.secret)
        found: bytes = self.kept[key]
        return found

    def line(self, *, kept: bool) -> bytes:
        key = (id(self.record), self.epoch, self.seq, kept)
        if key not in self.kept:
            self.kept[key] = self.shown(kept=kept).line
        found: bytes = self.kept[key]
        return found

    def shown(self, *, kept: bool = False) -> BundleRecord:
        names = KEPT_AFTER_ERASURE if kept else AUDIENCES["auditor"]
        opening = open_fields(self.record, self.secret, names)
        return BundleRecord(self.seq, self.epoch, self.place, self.commitment, opening)


@dataclass
class World:
    """A ledger with its public log. ``add`` records, then ``bundle()`` and ``log()``."""

    made: list[Made] = field(default_factory=list)
    tips: dict[str, str] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    """Cases of which only the kept openings are handed out."""
    owner: dict[int, str] = field(default_factory=dict)
    withheld: list[Withheld] = field(default_factory=list)
    registers: dict[str, bytes] = field(default_factory=dict)
    reports: dict[str, bytes] = field(default_factory=dict)
    rare: dict[int, list[Leaf]] = field(default_factory=dict)
    """Epoch after whose leaf these other leaves stand."""
    missed: set[int] = field(default_factory=set)
    """Epochs that have no leaf."""
    first: int = FIRST
    """The first epoch of the log."""
    last: int = LAST

    def add(self, case: str, kind: str, *, day: int = 0, **values: Json) -> int:
        """Records an event of a case on a day of the period, or on that of the newest if that is later.

        Returns the ledger number.
        """
        seq, epoch = len(self.made) + 1, max([FIRST + day, *(each.epoch for each in self.made[-1:])])
        month = f"{epoch_until(epoch, seconds=SECONDS) - dt.timedelta(seconds=1):%Y-%m}"
        facts: dict[str, Json] = {
            "event_sha256": sha256_hex(b"event %d" % seq), "prev": self.tips.get(case), "ledger_seq": seq,
            "kind": kind, "month": month,
        }  # fmt: skip
        record = Record({**facts, **values})
        made = Made(seq, epoch, record, sha256(b"secret %d" % seq), 100 + seq)
        self.made.append(made)
        self.tips[case], self.owner[seq] = made.commitment.hex(), case
        return seq

    def demand(self, case: str, *, day: int = 0) -> int:
        """A demand that arrives and is read. Returns the number of the reading."""
        self.add(case, "DemandReceived", day=day)
        return self.add(case, "DemandRead", day=day, instrument="d_order", nondisclosure=False)

    def produced(
        self, case: str, *, day: int = 1, leave_out: str = "", approvals: Sequence[Json] | None = None
    ) -> None:
        """The way from a proposal to a hand-over, without one kind where a test wants it."""
        both = list(TWO if approvals is None else approvals)
        for kind in (
            "DecisionProposed", "DecisionApproved", "ProductionStarted", "TargetResolved", "DataProduced",
            "DeliveryStarted", "ParcelDelivered",
        ):  # fmt: skip
            if kind != leave_out:
                known = both[:1] if kind == "DecisionProposed" else both
                self.add(case, kind, day=day, approvals=known)

    def closed(
        self, case: str, number: int, *, day: int = 2, instrument: str = "d_order", **changes: Json
    ) -> int:
        """The case is closed, and its row committed. Returns the number of the registration."""
        values: dict[str, Json] = {
            "country": "US", "instrument": instrument, "basis": ["18 USC 2703(d)"], "authority_class": "court",
            "demand_kind": "disclosure", "emergency": False, "accounts": 1, "outcome": "rejected",
        }  # fmt: skip
        self.add(case, "CaseClosed", day=day, **values)
        row = row_commitment(register_row(number, instrument=instrument), row_salt(number))
        return self.add(case, "CaseRegistered", day=day, register_row=row, **{**values, **changes})

    def register(self, numbers: Sequence[int], *, at: int | None = None) -> None:
        """Publishes the register and the report of the half-year with the rows of these cases."""
        rows: Rows = [
            (register_row(each), row_commitment(register_row(each), row_salt(each))) for each in numbers
        ]
        register = build_register(rows, period="2026H2")
        report = build_report(register)
        self.registers["2026H2"], self.reports["2026H2"] = register.encoded, report.encoded
        leaves = self.rare.setdefault(self.last if at is None else at, [])
        leaves.append(RegisterLeaf("2026H2", register.sha256))
        leaves.append(ReportLeaf("2026H2", report.sha256, 0, "2" * 64))

    def quiet(self, count: int = 12, **changes: Any) -> None:
        """So many demands that came and were refused, and their register."""
        for number in range(count):
            self.demand(f"q{number}")
            self.closed(f"q{number}", number, **changes)
        self.register(range(count))

    # ------------------------------------------------------------------ what is handed out

    def placed(self, epoch: int) -> dict[int, bytes]:
        return {each.place: each.commitment for each in self.made if each.epoch == epoch}

    def entries(self) -> list[bytes]:
        """The leaves of the log."""
        placed: dict[int, dict[int, bytes]] = {}
        for each in self.made:
            placed.setdefault(each.epoch, {})[each.place] = each.commitment
        found = [encode_leaf(policy_leaf())]
        for epoch in range(self.first, self.last + 1):
            if epoch not in self.missed:
                found.append(epoch_leaf(epoch, tuple(placed.get(epoch, {}).items())))
            for leaf in self.rare.get(epoch, []):
                at_its_place = (
                    replace(leaf, register_leaf=len(found) - 1) if isinstance(leaf, ReportLeaf) else leaf
                )
                found.append(encode_leaf(at_its_place))
        return found

    def log(self) -> PublicLog:
        entries = self.entries()
        return PublicLog(ORIGIN, len(entries), entries, ())

    @staticmethod
    def shown_of(record: Record, secret: bytes) -> BundleRecord:
        """A record that is in no ledger."""
        return Made(1, FIRST, record, secret, 7).shown()

    def shown(self, made: Made) -> BundleRecord:
        return made.shown(kept=self.owner[made.seq] in self.erased)

    def inside(self) -> list[Made]:
        return [each for each in self.made if FIRST <= each.epoch <= min(self.last, LAST)]

    def header(self) -> Header:
        inside = self.inside()
        return Header(
            origin=ORIGIN, from_on=FROM, until_on=UNTIL, epoch_seconds=SECONDS, first_epoch=FIRST,
            last_epoch=min(self.last, LAST), first_seq=inside[0].seq if inside else None,
            last_seq=inside[-1].seq if inside else None, log_size=len(self.entries()), packed_at=NOW, files={},
        )  # fmt: skip

    def outside(self) -> list[BundleRecord]:
        """Every record beyond the period, with its path."""
        inside = {each.seq for each in self.inside()}
        found = []
        for each in self.made:
            if each.seq not in inside:
                tree = EpochTree(seed_of(each.epoch), each.epoch, self.placed(each.epoch))
                found.append(replace(self.shown(each), path=tree.path(each.place)))
        return found

    def bundle(self) -> Bundle:
        header = self.header()
        epochs = range(header.first_epoch, header.last_epoch + 1)
        return Bundle(
            header,
            [seed_line(epoch, seed_of(epoch)) for epoch in epochs],
            [each.line(kept=self.owner[each.seq] in self.erased) for each in self.inside()],
            [each.line for each in self.outside()],
            [each.line for each in self.withheld],
            dict(self.registers),
            dict(self.reports),
        )

    # ------------------------------------------------------------------ receipts

    def published(self) -> MadeLog:
        """The log signed and witnessed, as files."""
        made = MadeLog(policy_leaf())
        for entry in self.entries()[1:]:
            made.add(entry)
        return made.publish(at=NOW)

    def receipt(self, case: str, log: MadeLog, *, audience: Audience = "court", **changes: object) -> bytes:
        """The receipt of a whole case. ``changes`` are of the receipt; ``leave_out`` of its records, by place."""
        leave_out = changes.pop("leave_out", ())
        assert isinstance(leave_out, tuple)
        own = [each for each in self.made if self.owner[each.seq] == case]
        entries, reader = self.entries(), log.reader()
        records = []
        for each in own:
            tree = EpochTree(seed_of(each.epoch), each.epoch, self.placed(each.epoch))
            leaf = next(
                entry for entry in entries if b'"e":"%010d"' % each.epoch in entry and b'"epoch"' in entry
            )
            index = entries.index(leaf)
            note = without_ml_dsa(log.checkpoint, trust().policy.unwitnessed)
            names = AUDIENCES[audience]
            records.append(
                ReceiptRecord(
                    each.epoch, each.place, tree.path(each.place), open_fields(each.record, each.secret, names), leaf,
                    format_proof(LogProof(index, reader.inclusion_proof(index), note)),
                )
            )  # fmt: skip
        shown = tuple(each for place, each in enumerate(records) if place not in leave_out)
        receipt = Receipt(ORIGIN, audience, None, shown, unwitnessed=False)
        return replace(receipt, **changes).to_bytes()  # type: ignore[arg-type]  # a test's own changes
