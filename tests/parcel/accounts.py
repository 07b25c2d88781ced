"""A statement of a fictional package with something of everything, for tests of what is made of it."""

import datetime as dt
from dataclasses import replace

from dueprocess.parcel import Account, CategoryLine, RedactionCount, SourceNote, Statement, TableResult

CATEGORIES = (
    CategoryLine("subscriber.identity", "name", asked=True, permitted=True, authorised=True),
    CategoryLine(
        "session.times",
        "times",
        asked=True,
        permitted=True,
        authorised=True,
        not_collected="these records carry times",
    ),
    CategoryLine(
        "traffic",
        "other records",
        asked=True,
        permitted=True,
        authorised=True,
        columns=(("main", "sessions", "peer"), ("main", "devices", "peer")),
    ),
    CategoryLine("location", "where", asked=False, permitted=False, authorised=False),
    CategoryLine("content.messages", "what was said", asked=True, permitted=True, authorised=False),
    CategoryLine("content.profile", "profile", asked=True, permitted=False, authorised=False),
    CategoryLine("content.files", "files and media", asked=True, permitted=True, authorised=True),
    CategoryLine(
        "subscriber.payment",
        "payment",
        asked=True,
        permitted=True,
        authorised=True,
        not_collected="not listed",
    ),
)
STATEMENT = Statement(
    parcel_id="p-7f3k",
    operator="Example Host",
    authority="District of Example <script>",
    order="order 1:26-mc-1",
    account="@eva:host.example",
    legal_basis=("18 USC 2703(d)", "18 USC 2703(c)"),
    windows=(("asked", "no end"), ("authorised", "2026-09-01 to 2026-10-01")),
    categories=CATEGORIES,
    produced_at="2026-11-22T10:00:00Z",
    sources=(
        SourceNote("hold-3f2a9c01", "hold", "2026-10-02T08:00:00Z"),
        SourceNote("hand-01", "hand", "2026-11-20T09:30:00Z", "bills", files=("ab" * 32,)),
        SourceNote("hand-02", "hand", "2026-11-20T09:30:00Z", "letters"),
    ),
)
RESULTS = (
    TableResult("main", "accounts", "nothing_held", 0, "", ("subscriber.identity",)),
    TableResult("main", "sessions", "found", 1234, "", ("session.times", "traffic", "location")),
    TableResult("main", "devices", "failed", 1, "the store stopped", ("traffic", "location")),
    TableResult("media", "uploads", "found", 3, "", ("content.files",), files=True),
    TableResult("media", "avatars", "failed", 0, "no folder", ("subscriber.payment",), files=True),
    TableResult("hold-3f2a9c01", "sessions", "found", 2, "", ("session.times", "traffic")),
)
REDACTIONS = (
    RedactionCount("main", "sessions", "peer", "mask", 1234, 1234),
    RedactionCount("hold-3f2a9c01", "sessions", "peer", "mask", 2, 2),
    RedactionCount("main", "bodies", "body", "redact:content.m.mentions.user_ids", 12, 31),
)
ACCOUNT = Account(STATEMENT, RESULTS, REDACTIONS)
EMPTY = Account(STATEMENT, ())
RESUMED = Account(
    STATEMENT,
    (
        replace(
            RESULTS[1],
            read=(dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC), dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)),
        ),
        RESULTS[0],
    ),
)
"""One entry was read in a run that was interrupted."""
