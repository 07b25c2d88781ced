"""A strict reader for one TOML table: each key is asked for once, and what nobody asked for is an error.

Law that is misspelt must not be law that is ignored, so unknown keys, missing keys and wrong types all
refuse, with the file and the key in the message.
"""

import datetime as dt
import tomllib
from collections.abc import Iterable
from typing import Any, NoReturn

from dueprocess.errors import MalformedError


def read_toml(text: str, where: str) -> "Table":
    """The outermost table of a TOML text. Raises ``MalformedError`` and nothing else."""
    try:
        return Table(tomllib.loads(text), where, "")
    except RecursionError as error:
        raise MalformedError("too-deep", f"{where} is nested too deeply.") from error
    except ValueError as error:
        raise MalformedError("not-toml", f"{where} is not TOML.", why=str(error)[:200]) from error


class Table:
    """One table with its place. ``done`` refuses every key that was not read."""

    def __init__(self, content: dict[str, Any], where: str, place: str) -> None:
        self.where = where
        self.place = place
        self.content = content
        self._left = dict(content)

    def fail(self, key: str, why: str) -> NoReturn:
        """Raises ``MalformedError`` that names the file and the key."""
        raise MalformedError(
            "bad-pack",
            f"{self.where}: {self._at(key)} is not right.",
            why=why,
            do="Correct the file; nothing of it was used.",
        )

    def _at(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place and key else self.place or key

    def _take(self, key: str, kinds: tuple[type, ...], what: str) -> Any:
        if key not in self._left:
            self.fail(key, f"The key is missing; it holds {what}.")
        value = self._left.pop(key)
        if type(value) not in kinds:
            self.fail(key, f"Expected {what}.")
        return value

    def has(self, key: str) -> bool:
        return key in self._left

    def text(self, key: str) -> str:
        """A text that says something."""
        value = str(self._take(key, (str,), "a text"))
        if not value.strip():
            self.fail(key, "This text is empty.")
        return value.strip()

    def maybe_text(self, key: str) -> str:
        """A text, or the empty text where the key is absent or empty."""
        return str(self._take(key, (str,), "a text")).strip() if self.has(key) else ""

    def choice[T: str](self, key: str, among: Iterable[T]) -> T:
        """One of the words that are allowed here."""
        found, allowed = self.text(key), tuple(among)
        word = next((word for word in allowed if word == found), None)
        if word is None:
            self.fail(key, f"{found[:40]!r} is not one of: {', '.join(allowed)}.")
        return word

    def flag(self, key: str) -> bool:
        """True or false; false where the key is absent."""
        return bool(self._take(key, (bool,), "true or false")) if self.has(key) else False

    def maybe_flag(self, key: str) -> bool | None:
        """True, false, or unknown where the key is absent."""
        return bool(self._take(key, (bool,), "true or false")) if self.has(key) else None

    def number(self, key: str) -> int:
        """A whole number from 1 to 100,000."""
        value = int(self._take(key, (int,), "a whole number"))
        if not 1 <= value <= 100_000:
            self.fail(key, "Expected a number from 1 to 100,000.")
        return value

    def day(self, key: str) -> dt.date:
        value: dt.date = self._take(key, (dt.date,), "a date such as 2026-11-22, without quotes")
        return value

    def maybe_day(self, key: str) -> dt.date | None:
        return self.day(key) if self.has(key) else None

    def moment(self, key: str) -> dt.datetime:
        """An instant with its zone."""
        value: dt.datetime = self._take(key, (dt.datetime,), "a time such as 2026-11-22T09:30:00Z")
        if value.tzinfo is None:
            self.fail(key, "A time needs its zone.")
        return value

    def maybe_moment(self, key: str) -> dt.datetime | None:
        return self.moment(key) if self.has(key) else None

    def names(self, key: str) -> tuple[str, ...]:
        """A list of texts without repetition; the empty list where the key is absent."""
        if not self.has(key):
            return ()
        found = self._take(key, (list,), "a list of texts")
        if not all(isinstance(name, str) and name.strip() for name in found):
            self.fail(key, "Expected a list of texts.")
        if len(set(found)) != len(found):
            self.fail(key, "The list names something twice.")
        return tuple(found)

    def table(self, key: str) -> "Table":
        """A table inside this one."""
        return Table(self._take(key, (dict,), "a table"), self.where, self._at(key))

    def tables(self, key: str) -> list["Table"]:
        """The repeated tables ``[[key]]``; none where the key is absent."""
        if not self.has(key):
            return []
        found = self._take(key, (list,), f"repeated tables [[{key}]]")
        if not all(isinstance(each, dict) for each in found):
            self.fail(key, f"Expected repeated tables [[{key}]].")
        return [Table(each, self.where, f"{self._at(key)}[{n}]") for n, each in enumerate(found, 1)]

    def done(self) -> None:
        """Refuses keys that nobody read."""
        for key in sorted(self._left):
            self.fail(key[:60], "There is no such key here.")
