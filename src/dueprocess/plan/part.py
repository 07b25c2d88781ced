"""One table of a data map's TOML, with the keys that it must and may have. Errors name file, place and key."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import cast
from zoneinfo import ZoneInfo

from dueprocess.demand import AUTHORISABLE, SECRETS, Category
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.plan.datamap import Constant, Equalities
from dueprocess.plan.names import check_name, refuse_secret

MOST_CHARS = 1000
MOST_INTEGER = 2**53 - 1
"""The largest whole number that every reader of JSON keeps; a larger one has no digest."""

_ZONE = re.compile(
    r"UTC|Etc/UTC|(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)"
    r"(?:/[A-Za-z][A-Za-z0-9_+-]{0,40}){1,2}"
)


@dataclass(frozen=True, slots=True)
class Part:
    """A table of the TOML file with the keys that it must and may have; ``where`` grows as we go down."""

    raw: dict[str, object]
    where: str
    required: Collection[str]
    optional: Collection[str] = ()

    def __post_init__(self) -> None:
        for key in self.required:
            if key not in self.raw:
                raise self.wrong(key, "is missing")
        for key in self.raw:
            if key not in self.required and key not in self.optional:
                raise self.wrong(key[:60], "is not a key of this place")

    def wrong(self, key: str, what: str) -> MalformedError:
        return MalformedError(
            "data-map",
            f"{self.where}: `{key}` {what}.",
            do="A data map is a closed world: see docs/datamap.md for the keys of each place.",
            source="formats.md, Data map",
        )

    def has(self, key: str) -> bool:
        return key in self.raw

    def text(self, key: str, most: int = MOST_CHARS) -> str:
        value = self.raw[key]
        if not isinstance(value, str) or not value or len(value) > most:
            raise self.wrong(key, f"is a text of 1 to {most} characters")
        return value

    def matching(self, key: str, form: re.Pattern[str]) -> str:
        value = self.text(key)
        if not form.fullmatch(value):
            raise self.wrong(key, f"does not have the form {form.pattern}")
        return value

    def choice(self, key: str, choices: Iterable[str]) -> str:
        """One of some words."""
        value, known = self.text(key), tuple(choices)
        if value not in known:
            raise self.wrong(key, f"is one of {', '.join(known)}")
        return value

    def flag(self, key: str) -> bool:
        """True or false; false where the key is absent."""
        value = self.raw.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "is true or false")
        return value

    def name(self, key: str) -> str:
        return check_name(self.text(key), f"{self.where}: `{key}`")

    def names(self, key: str) -> tuple[str, ...]:
        """A list of names, each once; empty where the key is absent."""
        found = self.texts(key)
        return tuple(check_name(name, f"{self.where}: `{key}`") for name in found)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.raw.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(key, "is a list of texts")
        if len(set(value)) != len(value):
            raise self.wrong(key, "names the same thing twice")
        return tuple(cast("list[str]", value))

    def zone(self, key: str) -> str:
        """The name of an IANA time zone that this machine knows; UTC where the key is absent."""
        if not self.has(key):
            return "UTC"
        value = self.matching(key, _ZONE)
        try:
            return ZoneInfo(value).key
        except (KeyError, ValueError, OSError) as error:
            raise self.wrong(key, f"is no time zone that this machine knows: {value!r}") from error

    def equalities(self, key: str) -> Equalities:
        """Columns with the one value that each must hold; none where the key is absent.

        Refuses a column of secrets: a query that compares a password answers a question about it.
        """
        if not self.has(key):
            return ()
        raw = self.raw[key]
        if not isinstance(raw, dict) or not raw:
            raise self.wrong(key, "is a table of at least one column with its value")
        where = f"{self.where}: `{key}`"
        for name in raw:
            check_name(name, where)
            refuse_secret(name, where)
        return tuple((name, self._constant(key, value)) for name, value in raw.items())

    def _constant(self, key: str, value: object) -> Constant:
        if isinstance(value, str) and len(value) <= MOST_CHARS:
            return value
        if isinstance(value, int) and abs(value) <= MOST_INTEGER:
            return value
        raise self.wrong(key, "compares with a text, a whole number, true or false")

    def part(self, key: str, required: Collection[str], optional: Collection[str] = ()) -> "Part":
        value = self.raw[key]
        if not isinstance(value, dict):
            raise self.wrong(key, "is a table")
        return Part(value, f"{self.where}: [{key}]", required, optional)

    def parts(
        self, key: str, required: Collection[str], optional: Collection[str] = ()
    ) -> tuple["Part", ...]:
        value = self.raw[key]
        if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
            raise self.wrong(key, "is a list of at least one table")
        return tuple(
            Part(each, f"{self.where}: [[{key}]] {number}", required, optional)
            for number, each in enumerate(value, start=1)
        )

    def category(self, key: str) -> Category:
        value = self.text(key)
        if value == SECRETS:
            raise RefusedError(
                "secrets",
                f"{self.where}: `{key}`: passwords, keys and tokens are never listed.",
                why="What is not listed cannot leave, and these open everything else.",
                do="Remove the column from the map.",
                source="architecture.md 1.5; Regulation (EU) 2023/1543 Article 3(9)",
            )
        if value not in AUTHORISABLE:
            raise self.wrong(key, "is not a leaf of the tree of categories")
        return Category(value)
