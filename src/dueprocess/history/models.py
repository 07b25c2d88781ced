"""The tables of history. Only this room touches them; all but docket and lease are append-only by trigger.

Times are RFC 3339 text and bodies canonical JSON text, so that the bytes that were hashed are the bytes that
are stored, on both databases.
"""

from django.db import models


class EventRow(models.Model):
    """What happened. UNIQUE(case_id, case_seq) is the compare-and-swap."""

    pk = models.CompositePrimaryKey("case_id", "case_seq")
    case_id = models.CharField(max_length=32)
    case_seq = models.IntegerField()
    kind = models.CharField(max_length=40)
    version = models.IntegerField()
    body = models.TextField()
    actor = models.CharField(max_length=64)
    recorded_at = models.CharField(max_length=32)
    prev_sha256 = models.CharField(max_length=64)

    class Meta:
        db_table = "event"

    def __str__(self) -> str:
        return f"{self.case_id[:8]} {self.case_seq} {self.kind}"


class RecordRow(models.Model):
    """The ledger's commitment to one event, written in the event's own transaction. Gap-free from 1."""

    ledger_seq = models.BigIntegerField(primary_key=True)
    case_id = models.CharField(max_length=32)
    case_seq = models.IntegerField()
    event_sha256 = models.CharField(max_length=64)
    commitment = models.CharField(max_length=64)

    class Meta:
        db_table = "record"
        constraints = [models.UniqueConstraint(fields=["case_id", "case_seq"], name="record_once_per_event")]

    def __str__(self) -> str:
        return f"{self.ledger_seq} {self.commitment[:12]}"


class EpochRow(models.Model):
    """A closed epoch: its root and the public leaf that carries it."""

    epoch = models.BigIntegerField(primary_key=True)
    root = models.CharField(max_length=64)
    records = models.IntegerField()
    closed_at = models.CharField(max_length=32)
    leaf_index = models.BigIntegerField(unique=True)

    class Meta:
        db_table = "epoch"

    def __str__(self) -> str:
        return f"epoch {self.epoch}"


class PlacementRow(models.Model):
    """Where a record lies: assigned when its epoch closes, never before."""

    ledger_seq = models.BigIntegerField(primary_key=True)
    epoch = models.BigIntegerField()
    place = models.IntegerField()

    class Meta:
        db_table = "placement"
        constraints = [models.UniqueConstraint(fields=["epoch", "place"], name="one_record_per_place")]

    def __str__(self) -> str:
        return f"{self.ledger_seq} at {self.epoch}/{self.place}"


class LeafRow(models.Model):
    """An entry of the public log, byte for byte."""

    leaf_index = models.BigIntegerField(primary_key=True)
    entry = models.TextField()

    class Meta:
        db_table = "leaf"

    def __str__(self) -> str:
        return f"leaf {self.leaf_index}"


class HeadRow(models.Model):
    """A signed head of the public log. One per size: two heads of one size cannot be stored."""

    size = models.BigIntegerField(primary_key=True)
    root = models.CharField(max_length=64)
    checkpoint = models.TextField()

    class Meta:
        db_table = "head"

    def __str__(self) -> str:
        return f"head of {self.size}"


class CosignedRow(models.Model):
    """A head with the cosignatures that met the policy's quorum: the note as it was published."""

    size = models.BigIntegerField(primary_key=True)
    checkpoint = models.TextField()

    class Meta:
        db_table = "cosigned"

    def __str__(self) -> str:
        return f"cosigned head of {self.size}"


class ErasedRow(models.Model):
    """What stays provable of a record whose case was erased: its opening of the kept fields, canonical JSON."""

    ledger_seq = models.BigIntegerField(primary_key=True)
    opening = models.TextField()

    class Meta:
        db_table = "erased"

    def __str__(self) -> str:
        return f"{self.ledger_seq} erased"


class CounterRow(models.Model):
    """The last ledger number that was handed out. It only ever grows by one, under the append lock."""

    name = models.CharField(max_length=20, primary_key=True)
    value = models.BigIntegerField()

    class Meta:
        db_table = "counter"

    def __str__(self) -> str:
        return f"{self.name} {self.value}"


class DocketRow(models.Model):
    """A projection for lists, derived from events; `fsck` refolds and compares."""

    case_id = models.CharField(max_length=32, primary_key=True)
    is_roster = models.BooleanField()
    stage = models.CharField(max_length=20)
    last_seq = models.IntegerField()
    received_at = models.CharField(max_length=32)
    updated_at = models.CharField(max_length=32)

    class Meta:
        db_table = "docket"

    def __str__(self) -> str:
        return f"{self.case_id[:8]} {self.stage}"


class LeaseRow(models.Model):
    """Who works on what until when. Losing a lease loses nothing: what is owed follows from the events."""

    name = models.CharField(max_length=80, primary_key=True)
    holder = models.CharField(max_length=64)
    until = models.CharField(max_length=32)

    class Meta:
        db_table = "lease"

    def __str__(self) -> str:
        return f"{self.name} held by {self.holder}"


APPEND_ONLY = (EventRow, RecordRow, EpochRow, PlacementRow, LeafRow, HeadRow, CosignedRow, ErasedRow)
"""The append-only tables."""

PROTECTED = (*APPEND_ONLY, CounterRow)
"""Everything that triggers guard and of which `fsck` checks every column of every row."""
