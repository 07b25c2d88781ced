"""Records of the private ledger: 32 fields, each under its own salt, so that each can be shown alone.

One secret of 32 bytes per record makes all the salts. Whoever gets an opening sees the opened fields and
nothing about the others; destroying the secret erases them while the commitment stays provable.

Source: formats.md, "Ledger and public log"; specs/tlog/README.md, "Records", "Audiences".
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from dueprocess.errors import MalformedError
from dueprocess.tlog import shape
from dueprocess.wire import Json, b64, canonical, sha256

FIELDS: tuple[str, ...] = (
    "event_sha256",
    "prev",
    "ledger_seq",
    "kind",
    "month",
    "demand_kind",
    "instrument",
    "basis",
    "country",
    "authority_class",
    "emergency",
    "nondisclosure",
    "nondisclosure_until",
    "categories",
    "accounts",
    "outcome",
    "narrowed",
    "quorum_mode",
    "witnessed",
    "approvals",
    "order_ref",
    "paper_sha256",
    "scope_sha256",
    "plan_sha256",
    "parcel_sha256",
    "notice",
    "subjects_root",
    "register_row",
    "reserved_1",
    "reserved_2",
    "reserved_3",
    "reserved_4",
)
"""The order is part of the format: a field's place here is the index of its salt, counted from 0."""

RESERVED = FIELDS[28:]
MOST_VALUE_BYTES = 65_536

Audience = Literal["user", "requester", "auditor", "court"]

_CLASS_FIELDS = (
    "kind",
    "month",
    "demand_kind",
    "instrument",
    "basis",
    "country",
    "authority_class",
    "emergency",
    "nondisclosure",
    "nondisclosure_until",
    "categories",
    "outcome",
    "narrowed",
    "quorum_mode",
    "witnessed",
)

AUDIENCES: Mapping[Audience, tuple[str, ...]] = MappingProxyType(
    {
        # The user: the demand about him, and that he is the subject. Not `accounts`: it counts other people.
        "user": ("prev", *_CLASS_FIELDS, "order_ref", "notice", "subjects_root", "register_row"),
        # The requester: its own paper and answer. Neither `accounts` nor `subjects_root` (whether and how many
        # accounts exist is itself a disclosure), nor what the user was told.
        "requester": ("prev", *_CLASS_FIELDS, "order_ref", "paper_sha256", "scope_sha256", "parcel_sha256"),
        # The auditor: completeness and classes, and no identifier or digest of a paper.
        "auditor": (
            "event_sha256",
            "prev",
            "ledger_seq",
            *_CLASS_FIELDS,
            "accounts",
            "approvals",
            "notice",
            "register_row",
        ),
        # The court: everything about the case; not `ledger_seq`, which counts the other cases.
        "court": tuple(name for name in FIELDS if name != "ledger_seq" and name not in RESERVED),
    }
)
"""The only fields that a receipt may open to each audience."""

KEPT_AFTER_ERASURE = ("event_sha256", "prev", "ledger_seq", "kind", "month")
"""Fields whose openings survive the destruction of a record's secret."""

_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Record:
    """The facts of one event as the ledger commits to them. Absent fields are null.

    Refuses unknown fields, values in reserved ones, and values with no canonical form.
    """

    values: Mapping[str, Json]

    def __post_init__(self) -> None:
        for name, value in self.values.items():
            if name not in FIELDS or (name in RESERVED and value is not None):
                raise MalformedError("unknown-field", f"A record has no field {name[:60]!r}.")
            _encoded(name, value)
        present = {name: value for name, value in self.values.items() if value is not None}
        object.__setattr__(self, "values", MappingProxyType(present))

    def value(self, name: str) -> Json:
        """The value of a field, None where it is absent."""
        _index(name)
        return self.values.get(name)


def _index(name: str) -> int:
    if name not in FIELDS:
        raise MalformedError("unknown-field", f"A record has no field {name[:60]!r}.")
    return FIELDS.index(name)


def _encoded(name: str, value: Json) -> bytes:
    encoded = canonical(value)
    if len(encoded) > MOST_VALUE_BYTES:
        raise MalformedError("too-long", f"The field {name} has more than {MOST_VALUE_BYTES} bytes.")
    return encoded


def salt(secret: bytes, index: int) -> bytes:
    """The salt of field ``index`` (0 to 31), 32 bytes."""
    return _keyed(secret, b"dueprocess/salt/v1\n" + bytes([index]))


def blind(secret: bytes) -> bytes:
    """The key of the outer commitment, 32 bytes."""
    return _keyed(secret, b"dueprocess/blind/v1\n")


def _keyed(secret: bytes, message: bytes) -> bytes:
    if len(secret) != _HASH_BYTES:
        raise MalformedError("wrong-length", f"The secret of a record has 32 bytes, not {len(secret)}.")
    return hmac.digest(secret, message, "sha256")


def field_digest(name: str, value: Json, field_salt: bytes) -> bytes:
    """What stands for one field in the record: nothing can be guessed from it without the salt."""
    encoded = _encoded(name, value)
    sizes = len(name).to_bytes(2, "big") + len(encoded).to_bytes(4, "big")
    return sha256(b"dueprocess/field/v1\n" + field_salt + sizes + name.encode() + encoded)


def _digests(record: Record, secret: bytes) -> tuple[bytes, ...]:
    salted = ((name, salt(secret, index)) for index, name in enumerate(FIELDS))
    return tuple(field_digest(name, record.value(name), each) for name, each in salted)


def _commit(digests: Sequence[bytes], blinding: bytes) -> bytes:
    joined = sha256(b"dueprocess/record/v1\n" + bytes([len(FIELDS)]) + b"".join(digests))
    return hmac.digest(blinding, b"dueprocess/slot/v1\n\x01" + joined, "sha256")


def commitment(record: Record, secret: bytes) -> bytes:
    """The 32 bytes that stand for the record in its epoch, and that the case's next record names as ``prev``."""
    return _commit(_digests(record, secret), blind(secret))


@dataclass(frozen=True, slots=True)
class Opening:
    """All 32 field digests and the blind, and of some fields the value and its salt."""

    digests: tuple[bytes, ...]
    blind: bytes
    opened: Mapping[str, tuple[Json, bytes]]

    def as_json(self) -> dict[str, Json]:
        opened: dict[str, Json] = {
            name: {"salt": b64(each), "value": value} for name, (value, each) in self.opened.items()
        }
        return {
            "v": 1,
            "digests": [b64(each) for each in self.digests],
            "blind": b64(self.blind),
            "opened": opened,
        }


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """What an opening shows: the commitment, and the opened values in the order of ``FIELDS``."""

    commitment: bytes
    values: Mapping[str, Json]


def open_fields(record: Record, secret: bytes, names: Iterable[str]) -> Opening:
    """An opening of exactly these fields. Absent fields are opened as null."""
    wanted = sorted({_index(name) for name in names})
    opened = {FIELDS[each]: (record.value(FIELDS[each]), salt(secret, each)) for each in wanted}
    return Opening(_digests(record, secret), blind(secret), MappingProxyType(opened))


def kept_opening(record: Record, secret: bytes) -> Opening:
    """What stays of a record when it is erased: the openings of ``KEPT_AFTER_ERASURE``, all digests, the blind."""
    return open_fields(record, secret, KEPT_AFTER_ERASURE)


def is_kept(opening: Opening) -> bool:
    """Whether this opening shows exactly the fields that stay after erasure, each as it was committed to.

    An erasure that kept less would be a hole, one that kept more would be none.
    """
    if set(opening.opened) != set(KEPT_AFTER_ERASURE):
        return False
    try:
        verify_opening(opening)
    except MalformedError:
        return False
    return True


def verify_opening(opening: Opening) -> OpenedRecord:
    """The commitment that an opening leads to, and its values. Raises ``MalformedError`` naming the field."""
    if len(opening.digests) != len(FIELDS):
        raise MalformedError(
            "bad-opening", f"An opening has {len(FIELDS)} digests, not {len(opening.digests)}."
        )
    for name, (value, field_salt) in opening.opened.items():
        if field_digest(name, value, field_salt) != opening.digests[_index(name)]:
            raise MalformedError(
                "wrong-opening",
                f"The opened field {name} is not what the record committed to.",
                why="The value or its salt was changed.",
                source="specs/tlog, Records",
            )
    values = {name: opening.opened[name][0] for name in FIELDS if name in opening.opened}
    return OpenedRecord(_commit(opening.digests, opening.blind), MappingProxyType(values))


def opening_from_json(value: Json) -> Opening:
    """Inverse of ``Opening.as_json``, strictly. Raises ``MalformedError`` and nothing else."""
    found = shape.members(value, ("v", "digests", "blind", "opened"), "an opening")
    shape.version(found["v"], "opening")
    digests = shape.items(found["digests"], "the digests of an opening", count=len(FIELDS))
    opened = found["opened"]
    if not isinstance(opened, dict):
        raise MalformedError("not-an-object", "Expected an object as the opened fields.")
    return Opening(
        tuple(shape.b64_bytes(each, "a digest of an opening") for each in digests),
        shape.b64_bytes(found["blind"], "the blind of an opening"),
        MappingProxyType({FIELDS[_index(name)]: _opened(name, each) for name, each in opened.items()}),
    )


def _opened(name: str, value: Json) -> tuple[Json, bytes]:
    found = shape.members(value, ("salt", "value"), f"the opened field {name[:60]}")
    return found["value"], shape.b64_bytes(found["salt"], f"the salt of {name[:60]}")


def parse_opening(data: bytes) -> Opening:
    """An opening from its canonical JSON. Raises ``MalformedError`` and nothing else."""
    return opening_from_json(shape.parse_canonical(data, "opening"))


def check_audience(opening: Opening, audience: Audience) -> None:
    """Refuses an opening that shows this audience more or less than its list; an auditor may see what was kept.

    A field that is left out could hide what it says, such as that no witness saw the log.

    Source: specs/tlog/README.md, "Audiences".
    """
    opened, listed = set(opening.opened), set(AUDIENCES[audience])
    if audience == "auditor" and opened == set(KEPT_AFTER_ERASURE):
        return
    for code, odd, words in (
        ("foreign-field", opened - listed, "does not open"),
        ("opened-in-part", listed - opened, "must also open"),
    ):
        if odd:
            raise MalformedError(
                code,
                f"A receipt for the {audience} {words} {', '.join(sorted(odd))}.",
                source="specs/tlog, Audiences",
            )


def audience_from_json(value: Json) -> Audience:
    """One of the four audiences. Raises ``MalformedError``."""
    for each in get_args(Audience):
        if value == each and isinstance(value, str):
            chosen: Audience = each
            return chosen
    raise MalformedError("unknown-audience", "A receipt is for user, requester, auditor or court.")
