"""What a scope may give of the synthetic platform, in plain Python and from a table written by hand.

It imports nothing of the package: neither categories, nor windows, nor plans. `OFFERED` is read by people.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from canary.platform_rows import EPOCH, Row, Table, media, name_of

MASKED = "[withheld: other people]"


@dataclass(frozen=True)
class Asked:
    """One authorised scope: an account's name, leaves of the tree of categories, a window or None, a purpose."""

    name: str
    categories: frozenset[str]
    since: dt.datetime | None
    until: dt.datetime | None
    identify: bool = False


@dataclass(frozen=True)
class Offer:
    """One entry of the map: which rows are whose, when they happened, and what each column counts under."""

    label: str
    table: str
    owner: Callable[[Row], int]
    when: Callable[[Row], dt.datetime] | None
    columns: dict[str, tuple[str, str]]
    """Column → (category, category where the sole purpose is to identify)."""
    counts: Callable[[Row], bool] = lambda _: True
    order: Callable[[Row], Any] = lambda _: 0


def _at(per_second: int, column: str) -> Callable[[Row], dt.datetime]:
    return lambda row: EPOCH + dt.timedelta(microseconds=row[column] * 1_000_000 // per_second)


def _text(row: Row) -> dt.datetime:
    return dt.datetime.fromisoformat(row["at"])


def _same(category: str) -> tuple[str, str]:
    return category, category


def _own(row: Row) -> int:
    return int(row["account_id"])


OFFERED = (
    Offer(
        "accounts",
        "accounts",
        lambda row: int(row["id"]),
        None,
        {
            "name": _same("subscriber.identity"),
            "created": _same("subscriber.service"),
            "plan": _same("subscriber.payment"),
        },
    ),
    Offer(
        "emails",
        "emails",
        _own,
        None,
        {"address": _same("subscriber.identity"), "verified": _same("subscriber.service")},
        order=lambda row: row["address"],
    ),
    Offer(
        "sessions",
        "sessions",
        _own,
        _at(1000, "seen_ms"),
        {
            "seen_ms": _same("session.times"),
            "ip": ("traffic", "subscriber.number"),
            "agent": _same("traffic"),
        },
        order=lambda row: row["seen_ms"],
    ),
    Offer(
        "messages",
        "messages",
        lambda row: int(row["sender_id"]),
        _at(1_000_000, "sent_us"),
        {"id": _same("content.messages"), "sent_us": _same("traffic"), "body": _same("content.messages")},
        order=lambda row: row["sent_us"],
    ),
    Offer(
        "attachments",
        "attachments",
        lambda row: int(row["message_id"]) // 10,
        lambda row: row["sent"],
        {"title": _same("content.files")},
        order=lambda row: row["sent"],
    ),
    Offer(
        "places", "places", _own, _text, {"at": _same("location"), "place": _same("location")},
        order=lambda row: row["at"],
    ),
    Offer(
        "stamps", "stamps", _own, lambda row: row["at"],
        {"at": _same("session.times"), "what": _same("traffic")},
        order=lambda row: row["at"],
    ),
    Offer("profiles", "profiles", _own, None, {"bio": _same("content.profile")}),
    Offer(
        "own_things", "things", _own, _at(1, "at_s"), {"value": _same("content.profile")},
        counts=lambda row: row["kind"] == "own" and row["deleted_at"] is None,
        order=lambda row: row["at_s"],
    ),
    Offer(
        "shared_things", "things", _own, _at(1, "at_s"), {"value": _same("content.messages")},
        counts=lambda row: row["kind"] == "shared",
        order=lambda row: row["at_s"],
    ),
    Offer(
        "uploads", "uploads", _own, _at(1, "at_s"), {"media_id": _same("content.files")},
        order=lambda row: row["at_s"],
    ),
)  # fmt: skip


def expected(asked: Asked, tables: dict[str, Table], by_owner: dict[str, dict[int, list[Row]]]) -> "Given":
    """Records by label, in order, and the bytes of files, that exactly this scope gives."""
    accounts = [row["id"] for row in tables["accounts"].rows if row["name"] == asked.name]
    found = Given({}, [])
    for account in accounts:
        for offer in OFFERED:
            rows = [dict(row) for row in by_owner[offer.label].get(account, ()) if _inside(offer, row, asked)]
            columns = [name for name in offer.columns if _category(offer, name, asked) in asked.categories]
            if rows and columns:
                kept = sorted((row for row in rows if offer.counts(row)), key=offer.order)
                found.records[offer.label] = [{name: _value(row, name) for name in columns} for row in kept]
        if "content.files" in asked.categories and asked.since is not None:
            uploads = next(each for each in OFFERED if each.label == "uploads")
            rows = [row for row in by_owner["uploads"].get(account, ()) if _inside(uploads, row, asked)]
            found.files += [media(row) for row in sorted(rows, key=uploads.order)]
    found.records = {label: rows for label, rows in found.records.items() if rows}
    return found


@dataclass
class Given:
    """What leaves: records by label, and files."""

    records: dict[str, list[Row]]
    files: list[bytes]


def group(tables: dict[str, Table]) -> dict[str, dict[int, list[Row]]]:
    """Rows of each offer by the account they belong to, so that ten thousand questions stay cheap."""
    sent = {row["id"]: _at(1_000_000, "sent_us")(row) for row in tables["messages"].rows}
    found: dict[str, dict[int, list[Row]]] = {}
    for offer in OFFERED:
        groups: dict[int, list[Row]] = {}
        for row in tables[offer.table].rows:
            full = {**row, "sent": sent[row["message_id"]]} if offer.table == "attachments" else row
            owner = full["message_id"] // 10 if offer.table == "attachments" else offer.owner(full)
            groups.setdefault(owner, []).append(full)
        found[offer.label] = groups
    return found


def _category(offer: Offer, column: str, asked: Asked) -> str:
    return offer.columns[column][1 if asked.identify else 0]


def _inside(offer: Offer, row: Row, asked: Asked) -> bool:
    if offer.when is None:
        return True
    if asked.since is None or asked.until is None:
        return False
    return asked.since <= offer.when(row) < asked.until


def _value(row: Row, name: str) -> Any:
    """The value as JSON has it; other people's places of a message are masked."""
    value = row[name]
    if isinstance(value, dt.datetime):
        text = value.astimezone(dt.UTC).replace(tzinfo=None).isoformat()
        return f"{text}Z"
    if name == "body":
        document = exact_json(value)
        document["to"]["name"] = MASKED
        document["seen"] = [{**each, "by": MASKED} if "by" in each else each for each in document["seen"]]
        return document
    return value


def exact_json(text: str) -> Any:
    """JSON with its numbers as they are written, so that 1.10 and 1.1 differ."""
    return json.loads(text, parse_float=str, parse_int=str)


def names(count: int) -> Iterator[str]:
    """Every account's name, and some that nobody has."""
    for account in range(1, count + 1):
        yield name_of(account)
    yield from ("@nobody:canary.example", "@EVA:canary.example", "@eva:canary.exampl", "@e_a:canary.example")
