"""A strict reader for one TOML table: each key is asked for once, and what nobody asked for is an error.

Law that is misspelt must not be law that is ignored, so unknown keys, missing keys and wrong types all
refuse, with the file, the line and the key in the message.
"""

import datetime as dt
import re
import tomllib
from collections.abc import Iterable
from typing import Any, NoReturn

from dueprocess.demand import Answer
from dueprocess.errors import MalformedError
from dueprocess.law.parsing.lines import Path, line_of, place_name

MOST_BYTES = 4 * 1024 * 1024
"""A rule pack is text that a person reads; a longer one is something else."""

_SYNTAX_AT = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)
_BARE_WORD = re.compile(r"[A-Za-z][A-Za-z_-]*")
_KEY = re.compile(r"[A-Za-z0-9_-]+[ \t]*=")
_CORRECT = "Correct the file; nothing of it was used."


def read_toml(text: str, where: str) -> "Table":
    """The outermost table of a TOML text. Raises ``MalformedError`` and nothing else."""
    _check_text(text, where)
    try:
        return Table(tomllib.loads(text), where, text=text)
    except RecursionError as error:
        raise MalformedError(
            "too-deep",
            f"{where}, line {_most_brackets(text)}: this is nested too deeply.",
            why="Nothing in a rule pack needs more than four brackets inside one another.",
            do="Close the brackets, or start again from a shipped pack.",
        ) from error
    except ValueError as error:
        raise _syntax(str(error), text, where) from error


def _check_text(text: str, where: str) -> None:
    if len(text) > MOST_BYTES or len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise MalformedError(
            "too-large",
            f"{where}, line 1: the file is larger than a rule pack can be.",
            why=f"The largest is {MOST_BYTES} bytes: a pack is text that a person reads.",
            do="Check that this is the right file; divide a pack that is really so long.",
        )
    if text.startswith("\ufeff"):
        raise MalformedError(
            "byte-order-mark",
            f"{where}, line 1: the file begins with a byte-order mark.",
            why="TOML is plain UTF-8; the mark is invisible and would become part of the first key.",
            do="Save the file as UTF-8 without byte-order mark.",
        )
    if odd := re.search("[\ud800-\udfff]", text):
        line = text.count("\n", 0, odd.start()) + 1
        raise MalformedError(
            "not-utf8",
            f"{where}, line {line}: this is not UTF-8.",
            why="The line holds half a character.",
            do="Save the file as UTF-8.",
        )


def _most_brackets(text: str) -> int:
    counts = [line.count("[") + line.count("{") for line in text.split("\n")]
    return counts.index(max(counts)) + 1


def _syntax(message: str, text: str, where: str) -> MalformedError:
    """What the TOML reader found, with a remedy for what people usually mean."""
    found = _SYNTAX_AT.match(message)
    what = found[1] if found else message
    lines = text.replace("\r\n", "\n").split("\n")
    line = int(found[2]) if found and found[2] else len(lines)
    column = int(found[3]) if found and found[3] else 1
    return MalformedError(
        "not-toml",
        f"{where}, line {line}: this is not TOML.",
        why=what[:200] + ("" if what.endswith(".") else "."),
        do=_remedy(what, lines[line - 1][column - 1 :]),
    )


def _remedy(what: str, rest: str) -> str:
    if what == "Invalid value" and _KEY.match(rest):
        return "A new key begins here although a list or table is still open: close it above with ] or }."
    if what == "Invalid value" and (word := _BARE_WORD.match(rest)):
        return f'Put the word in quotes: "{word[0]}". Yes and no are written true and false.'
    if what.startswith(("Cannot overwrite", "Cannot declare", "Duplicate inline")):
        return "It stands twice: keep one of the two. A new entry of a list begins with [[...]]."
    return "Correct the line; look for a missing quote, bracket or comma there or just before it."


class Table:
    """One table with its place. ``done`` refuses every key that was not read."""

    def __init__(self, content: dict[str, Any], where: str, path: Path = (), *, text: str = "") -> None:
        self.where = where
        self.content = content
        self.path = path
        self._text = text
        self._left = dict(content)

    @property
    def place(self) -> str:
        """The place of this table as people read it: ``instrument[3]``."""
        return place_name(self.path)

    def fail(self, key: str, why: str, *, do: str = _CORRECT) -> NoReturn:
        """Raises ``MalformedError`` that names the file, the line and the key."""
        self.fail_at((key,) if key else (), why, do=do)

    def fail_at(self, inner: Path, why: str, *, do: str = _CORRECT) -> NoReturn:
        """The same for a place further inside."""
        path = (*self.path, *inner)
        line = line_of(self._text, path)
        name = place_name(path)[:120] or "the file"
        raise MalformedError("bad-pack", f"{self.where}, line {line}: {name} is not right.", why=why, do=do)

    def _take(self, key: str, kinds: tuple[type, ...], what: str) -> Any:
        if key not in self._left:
            self.fail(key, f"The key is missing; it holds {what}.", do=f"Add `{key} = ...` here.")
        value = self._left.pop(key)
        if type(value) not in kinds:
            self.fail(key, f"Expected {what}.", do=f"Write {what}.")
        return value

    def has(self, key: str) -> bool:
        return key in self._left

    def text(self, key: str) -> str:
        """A text that says something."""
        value = str(self._take(key, (str,), "a text in quotes"))
        if not value.strip():
            self.fail(key, "This text is empty.", do="Say it, or leave out the whole entry.")
        return value.strip()

    def maybe_text(self, key: str) -> str:
        """A text, or the empty text where the key is absent or empty."""
        return str(self._take(key, (str,), "a text in quotes")).strip() if self.has(key) else ""

    def choice[T: str](self, key: str, among: Iterable[T]) -> T:
        """One of the words that are allowed here."""
        found, allowed = self.text(key), tuple(among)
        word = next((word for word in allowed if word == found), None)
        if word is None:
            listed = ", ".join(allowed)
            self.fail(key, f"{found[:40]!r} is not one of: {listed}.", do=f"Choose from: {listed}.")
        return word

    def choices[T: str](self, key: str, among: Iterable[T]) -> tuple[T, ...]:
        """Some of the words that are allowed here, in the order in which they were allowed."""
        found, allowed = self.names(key), tuple(among)
        if odd := [word for word in found if word not in allowed]:
            listed = ", ".join(allowed)
            self.fail(key, f"{odd[0][:40]!r} is not one of: {listed}.", do=f"Choose from: {listed}.")
        return tuple(word for word in allowed if word in found)

    def flag(self, key: str) -> bool:
        """True or false; false where the key is absent."""
        return self.maybe_flag(key) or False

    def maybe_flag(self, key: str) -> bool | None:
        """True, false, or unknown where the key is absent."""
        return bool(self._take(key, (bool,), "true or false, without quotes")) if self.has(key) else None

    def number(self, key: str) -> int:
        """A whole number from 1 to 100,000."""
        value = int(self._take(key, (int,), "a whole number"))
        if not 1 <= value <= 100_000:
            self.fail(key, "Expected a number from 1 to 100,000.", do="Write the number of the law.")
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
            self.fail(key, "A time needs its zone.", do="End it with Z, or with +01:00 and the like.")
        return value

    def maybe_moment(self, key: str) -> dt.datetime | None:
        return self.moment(key) if self.has(key) else None

    def names(self, key: str) -> tuple[str, ...]:
        """A list of texts without repetition; the empty list where the key is absent."""
        if not self.has(key):
            return ()
        found = self._take(key, (list,), 'a list of texts such as ["a", "b"]')
        if not all(isinstance(name, str) and name.strip() for name in found):
            self.fail(key, "Expected a list of texts.", do='Write a list of texts such as ["a", "b"].')
        if len(set(found)) != len(found):
            self.fail(key, "The list names something twice.", do="Name it once.")
        return tuple(found)

    def some(self, key: str) -> tuple[str, ...]:
        """A list of texts with at least one."""
        found = self.names(key)
        if not found:
            self.fail(key, "Expected at least one text.", do=f'Name at least one: {key} = ["..."].')
        return found

    def answers(self, key: str) -> frozenset[Answer]:
        """A list of answers: true, false and texts; at least one, none twice."""
        found = self._take(key, (list,), 'a list of answers such as [true] or ["mail"]')
        if not found or not all(isinstance(each, bool) or (isinstance(each, str) and each) for each in found):
            self.fail(
                key, "Expected a list of answers.", do='Write [true], [false] or texts such as ["mail"].'
            )
        if len(set(found)) != len(found):
            self.fail(key, "The list names something twice.", do="Name it once.")
        return frozenset(found)

    def table(self, key: str) -> "Table":
        """A table inside this one."""
        return Table(self._take(key, (dict,), "a table"), self.where, (*self.path, key), text=self._text)

    def texts(self, key: str) -> dict[str, str]:
        """A table of texts under free keys; empty where the key is absent."""
        if not self.has(key):
            return {}
        inner = self.table(key)
        return {each: inner.text(each) for each in inner.content}

    def tables(self, key: str) -> list["Table"]:
        """The repeated tables ``[[key]]``; none where the key is absent."""
        if not self.has(key):
            return []
        found = self._take(key, (list,), f"repeated tables [[{key}]]")
        if not all(isinstance(each, dict) for each in found):
            self.fail(key, f"Expected repeated tables [[{key}]].", do="Write { ... } for each entry.")
        path = (*self.path, key)
        return [Table(each, self.where, (*path, n), text=self._text) for n, each in enumerate(found, 1)]

    def done(self) -> None:
        """Refuses keys that nobody read."""
        for key in sorted(self._left):
            self.fail(
                key,
                "There is no such key here.",
                do="Check the spelling of the key and the entry in which it stands, or remove it.",
            )
