"""A synthetic platform of 1,000 accounts with a canary in every text of every table, and what may leave of it.

Rows are made here and nowhere else; `builders` writes them into each engine, `expected` says in plain Python what a
scope may give. Neither knows the plan, the data map's parser or a query. Odd names are on purpose: one account's name
is the beginning of another's, two differ in case only, one holds a quote and SQL.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ACCOUNTS = 1000
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MARK = "¤"

ODD_NAMES = {
    1: "@eva:canary.example",
    2: "@Eva:canary.example",
    3: "@eva1:canary.example",
    4: "@ev:canary.example",
    5: "@o'brien:canary.example",
    6: "@x' OR '1'='1:canary.example",
    7: '@y" --:canary.example',
    8: "@zoë:canary.example",
    9: "@ευα:canary.example",
    10: "@$1 {x} :canary.example",
}
EDGES = [
    dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC),
    dt.datetime(2026, 6, 1, tzinfo=dt.UTC),
    dt.datetime(2026, 9, 1, tzinfo=dt.UTC),
    dt.datetime(2026, 10, 25, 1, tzinfo=dt.UTC),
]
"""Instants at which windows begin and end; rows lie on them and one step of their unit beside them."""

type Row = dict[str, Any]


def name_of(account: int) -> str:
    return ODD_NAMES.get(account, f"@a{account:04d}:canary.example")


def canary(table: str, column: str, account: int, number: int) -> str:
    """A text that says where it belongs; nothing else on the platform is called so."""
    return f"{MARK}{table}.{column}.{account}.{number}{MARK}"


def instants(account: int, step: dt.timedelta) -> list[dt.datetime]:
    """Three instants of an account: on an edge, one step before it, and between two edges."""
    edge = EDGES[account % len(EDGES)]
    return [edge - step, edge, edge + dt.timedelta(days=1 + account % 20, seconds=account)]


@dataclass(frozen=True)
class Table:
    """One table: its columns as (name, kind), its rows, each with the account it belongs to and its instant."""

    name: str
    columns: Sequence[tuple[str, str]]
    rows: list[Row] = field(default_factory=list)


def _ms(at: dt.datetime) -> int:
    return (at - EPOCH) // dt.timedelta(milliseconds=1)


def _us(at: dt.datetime) -> int:
    return (at - EPOCH) // dt.timedelta(microseconds=1)


def _iso(at: dt.datetime) -> str:
    text = at.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{at.microsecond:06d}Z" if at.microsecond else f"{text}Z"


def body(account: int, number: int) -> str:
    """A message as JSON: own words, and two places that name somebody else."""
    other = 1 + account % ACCOUNTS
    return json.dumps(
        {
            "text": canary("messages", "own", account, number),
            "to": {"name": canary("messages", "other", other, number)},
            "seen": [{"by": canary("messages", "seen", other, number), "at": 1.10}, {"at": 2}],
            "weight": 12345678901234567890,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def make_tables() -> dict[str, Table]:
    """Every table of the platform, filled."""
    found = {name: Table(name, columns) for name, columns in SHAPES.items()}
    for account in range(1, ACCOUNTS + 1):
        for name, row in _rows(account):
            found[name].rows.append(row)
    return found


SHAPES: dict[str, Sequence[tuple[str, str]]] = {
    "accounts": (
        ("id", "key"), ("name", "text"), ("created", "int"), ("plan", "text"), ("password_hash", "text"),
        ("note", "text"),
    ),
    "emails": (("account_id", "int"), ("address", "text"), ("verified", "text"), ("hint", "text")),
    "sessions": (
        ("account_id", "int"), ("seen_ms", "int"), ("ip", "text"), ("agent", "text"), ("token", "text"),
    ),
    "messages": (
        ("id", "key"), ("sender_id", "int"), ("sent_us", "int"), ("body", "text"), ("moderation", "text"),
    ),
    "attachments": (("id", "key"), ("message_id", "int"), ("title", "text"), ("scan_result", "text")),
    "places": (("account_id", "int"), ("at", "text"), ("place", "text"), ("guess", "text")),
    "stamps": (("account_id", "int"), ("at", "timestamp"), ("what", "text"), ("why", "text")),
    "profiles": (("account_id", "int"), ("bio", "text"), ("score", "text")),
    "things": (
        ("account_id", "int"), ("kind", "text"), ("at_s", "int"), ("deleted_at", "int"), ("value", "text"),
        ("aside", "text"),
    ),
    "uploads": (("account_id", "int"), ("at_s", "int"), ("media_id", "text"), ("label", "text")),
}  # fmt: skip
"""Table → (column, kind). Kinds: key (unique whole number), int, text, timestamp."""


def _rows(account: int) -> Iterator[tuple[str, Row]]:
    def c(table: str, column: str, number: int = 0) -> str:
        return canary(table, column, account, number)

    yield "accounts", {
        "id": account, "name": name_of(account), "created": 1_700_000_000 + account, "plan": c("accounts", "plan"),
        "password_hash": c("accounts", "password_hash"), "note": c("accounts", "note"),
    }  # fmt: skip
    for number in range(1 + account % 2):
        yield "emails", {
            "account_id": account, "address": c("emails", "address", number),
            "verified": c("emails", "verified", number), "hint": c("emails", "hint", number),
        }  # fmt: skip
    yield "profiles", {"account_id": account, "bio": c("profiles", "bio"), "score": c("profiles", "score")}
    for number, at in enumerate(instants(account, dt.timedelta(milliseconds=1))):
        yield "sessions", {
            "account_id": account, "seen_ms": _ms(at), "ip": c("sessions", "ip", number),
            "agent": c("sessions", "agent", number), "token": c("sessions", "token", number),
        }  # fmt: skip
    for number, at in enumerate(instants(account, dt.timedelta(microseconds=1))):
        key = account * 10 + number
        yield "messages", {
            "id": key, "sender_id": account, "sent_us": _us(at), "body": body(account, number),
            "moderation": c("messages", "moderation", number),
        }  # fmt: skip
        yield "attachments", {
            "id": key * 10, "message_id": key, "title": c("attachments", "title", number),
            "scan_result": c("attachments", "scan_result", number),
        }  # fmt: skip
        yield "places", {
            "account_id": account, "at": _iso(at), "place": c("places", "place", number),
            "guess": c("places", "guess", number),
        }  # fmt: skip
        yield "stamps", {
            "account_id": account, "at": at, "what": c("stamps", "what", number), "why": c("stamps", "why", number),
        }  # fmt: skip
    for number, at in enumerate(instants(account, dt.timedelta(seconds=1))):
        seconds = _ms(at) // 1000
        for kind in ("own", "shared"):
            yield "things", {
                "account_id": account, "kind": kind, "at_s": seconds,
                "deleted_at": seconds if number == 2 and account % 3 == 0 else None,
                "value": c(f"things-{kind}", "value", number), "aside": c(f"things-{kind}", "aside", number),
            }  # fmt: skip
        yield "uploads", {
            "account_id": account, "at_s": seconds, "media_id": f"m{account:05d}{number}",
            "label": c("uploads", "label", number),
        }  # fmt: skip


def media(row: Mapping[str, Any]) -> bytes:
    """The bytes of an upload: a canary between bytes that are no text."""
    number = int(str(row["media_id"])[-1])
    return b"\x00\xff" + canary("media", "bytes", int(row["account_id"]), number).encode() + b"\xfe\x01"
