"""Where the event store lives: a database address in one line, turned into Django's settings.

``sqlite:PATH`` or ``postgresql://user@host:port/name``; passwords come from the usual PostgreSQL files.
"""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from dueprocess.errors import MalformedError

PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
)
"""FULL: a commit that was acknowledged survives a power cut (sqlite.org/pragma.html#pragma_synchronous)."""


def database_settings(address: str) -> dict[str, Any]:
    """Django's settings for a database address. Refuses anything but SQLite and PostgreSQL."""
    if address.startswith("sqlite:"):
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": address.removeprefix("sqlite:"),
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": PRAGMAS},
        }
    if address.startswith("postgresql://"):
        parts = urlsplit(address)
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parse_qs(parts.query).get("host", [parts.hostname or ""])[0],
            "PORT": str(parts.port or ""),
            "OPTIONS": {"options": "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"},
        }
    raise MalformedError(
        "database-address",
        "The database address is neither sqlite:PATH nor postgresql://…",
        do="Look at `database` in dueprocess.toml.",
    )
