"""The draft of a data map that a Fides dataset gives: its TOML text, with questions where a person must decide."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dueprocess.demand import WITHOUT_WINDOW
from dueprocess.errors import DueprocessError, MalformedError
from dueprocess.library.fides import (
    CREDENTIALS,
    IDENTITIES,
    Collection,
    Field,
    Reference,
    read_fides,
)
from dueprocess.plan.names import RESERVED, check_name, refuse_gathering, refuse_secret, words

MOST_ROWS = 100_000
MOST_HOPS = 4


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of a draft, and what it says in lists. ``complete``: nothing is missing that a map must have."""

    text: str
    tables: tuple[str, ...]
    questions: tuple[str, ...]
    credentials: tuple[str, ...]
    complete: bool

    @property
    def summary(self) -> str:
        return (
            f"tables drafted: {len(self.tables)}, questions to a person: {len(self.questions)}, "
            f"credentials left out: {len(self.credentials)}."
        )

    def as_json(self) -> dict[str, object]:
        return {
            "text": self.text,
            "tables": list(self.tables),
            "questions": list(self.questions),
            "credentials": list(self.credentials),
            "complete": self.complete,
        }


@dataclass(frozen=True, slots=True)
class Way:
    """How rows of a collection lead to the account: hops ``(table, on, foreign)`` and the subject column."""

    hops: tuple[tuple[str, str, str], ...]
    subject: str
    shared: str = ""
    """The column whose value the account must have too, where no reference says that it is the account's."""

    @property
    def toml(self) -> str:
        if not self.hops:
            return f'subject = "{self.subject}"'
        *first, last = (
            f'table = "{table}", on = "{on}", foreign = "{foreign}"' for table, on, foreign in self.hops
        )
        steps = [f"{{ {each} }}" for each in first] + [f'{{ {last}, subject = "{self.subject}" }}']
        return f"via = [{', '.join(steps)}]"


def import_fides(path: Path, *, accounts: str | None = None) -> Draft:
    """A draft from a Fides file. ``accounts`` names the collection that holds the accounts where several could."""
    return draft(read_fides(path), accounts=accounts)


def draft(collections: tuple[Collection, ...], *, accounts: str | None = None) -> Draft:
    """A draft from the collections of Fides datasets. Refuses ``accounts`` that cannot be the accounts' collection."""
    people = [each for each in collections if each.holds_people and _named(each)]
    chosen = [each for each in people if accounts in {each.name, f"{each.dataset}.{each.name}"}]
    if accounts is not None and len(chosen) != 1:
        names = ", ".join(f"{each.dataset}.{each.name}" for each in people) or "none"
        raise MalformedError(
            "fides-accounts",
            f"{accounts[:60]!r} is not one collection of people with a key and an identity.",
            do=f"Choose from: {names}.",
        )
    return _Writer(collections, people, chosen or people).written()


def _named(collection: Collection) -> bool:
    """Whether the collection and its key can be written in a map at all."""
    return all(_person(name) for name in (collection.name, collection.key or ""))


def _allowed(name: str) -> bool:
    try:
        check_name(name, "")
        refuse_secret(name, "")
    except DueprocessError:
        return False
    return name not in RESERVED


def _person(name: str) -> bool:
    try:
        refuse_gathering(name, "")
    except DueprocessError:
        return False
    return _allowed(name)


@dataclass(slots=True)
class _Writer:
    """Puts the draft together, and keeps what it could not decide."""

    collections: tuple[Collection, ...]
    people: list[Collection]
    roots: list[Collection]
    stores: dict[str, str] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for each in self.collections:
            if each.dataset not in self.stores:
                name = _store(each.dataset)
                self.stores[each.dataset] = (
                    name if name not in self.stores.values() else f"{name}_{len(self.stores)}"
                )

    @property
    def root(self) -> Collection | None:
        return self.roots[0] if len(self.roots) == 1 else None

    def written(self) -> Draft:
        self.credentials += [
            f"{each.dataset}.{each.name}.{field.name}"
            for each in self.collections
            for field in each.fields
            if _credential(field)
        ]
        targets = list(self._targets())
        tables = [line for each in self.collections for line in self._table(each)]
        lines = [
            *_HEAD,
            *self._credentials(),
            "",
            "[map]",
            f'id = "{_slug(next(iter(self.stores), "draft"))}"',
        ]
        lines += ['version = "draft"', f'platform = "{_slug(next(iter(self.stores), "draft"))}"']
        for dataset, name in self.stores.items():
            lines += [
                "",
                *self._asked(f"how many rows may one table of {dataset} give for one account at most?"),
            ]
            lines += [f"[store.{name}]", f'connect = "${{{name.upper()}_DSN}}"', f"max_rows = {MOST_ROWS}"]
        lines += ["", *targets, *tables]
        complete = bool(targets and self.tables and self.root)
        text = "\n".join(lines).rstrip("\n") + "\n"
        return Draft(text, tuple(self.tables), tuple(self.questions), tuple(self.credentials), complete)

    def _asked(self, question: str) -> list[str]:
        self.questions.append(question)
        return [f"# Question: {_line(question)}"]

    def _credentials(self) -> list[str]:
        return [f"# Left out, because it opens something: {_line(each)}" for each in self.credentials]

    def _targets(self) -> Iterator[str]:
        if self.root is None:
            names = ", ".join(f"{each.dataset}.{each.name}" for each in self.people)
            what = (
                f"which of these holds the accounts: {names}? Run this again with --accounts."
                if names
                else ("which collection holds the accounts? None has a person's key and an identity.")
            )
            yield from self._asked(what)
            return
        for name, found in _by_kind(self.root).items():
            if len(found) > 1:
                columns = ", ".join(each.name for each in found)
                yield from self._asked(f"which column names an account by {name}: {columns}?")
                continue
            yield from self._asked(
                f"does each {self.root.name}.{found[0].name} stand for one account, and do capitals count?"
            )
            yield from ("[[target]]", f'kind = "{name}"', f'store = "{self.stores[self.root.dataset]}"')
            yield from (f'table = "{self.root.name}"', f'column = "{found[0].name}"')
            yield from (f'subject = "{self.root.key}"', "")

    def _table(self, collection: Collection) -> Iterator[str]:
        where = f"{collection.dataset}.{collection.name}"
        ways = self._ways(collection, frozenset())
        again = self._collection(Reference(collection.dataset, collection.name, "")) is not collection
        if again or not _allowed(collection.name) or len(ways) != 1:
            why = (
                "it is there twice" if again else "which column leads from it to one account, by equalities?"
            )
            why = f"{why} {len(ways)} could." if len(ways) > 1 else why
            yield from (*self._asked(f"{where} is left out: {why}"), "")
            return
        sure, later, lines = self._columns(where, collection)
        yield from lines
        head = [
            "[[table]]",
            f'store = "{self.stores[collection.dataset]}"',
            f'name = "{collection.name}"',
            ways[0].toml,
        ]
        if ways[0].shared:
            what = f"does each {where}.{ways[0].shared} belong to the account that has the same value?"
            yield from self._asked(what)
        self.tables += [where] if sure else []
        mark = "" if sure else "# "
        yield from (mark + each for each in (*head, "[table.columns]", *sure))
        yield from (f"# {each}" for each in later)
        yield ""

    def _columns(self, where: str, collection: Collection) -> tuple[list[str], list[str], list[str]]:
        """Columns that may be listed at once, those that wait for a time column, and the questions left."""
        sure, later, doubts = dict[str, str](), dict[str, str](), dict[str, list[str]]()
        for each in collection.fields:
            why = _doubt(each)
            if _credential(each):
                continue
            if why or each.name in sure or each.name in later:
                doubts.setdefault(why or "is there twice", []).append(each.name)
            elif each.category is not None:
                (sure if each.category in WITHOUT_WINDOW else later)[each.name] = each.category
        lines = [
            line
            for why, names in doubts.items()
            for line in self._asked(f"{where}: {', '.join(names)}: {why}?")
        ]
        if later:
            lines += self._asked(
                f"which column of {where} says when a row happened, and in which unit? Then write `time` and "
                "uncomment its other columns."
            )
        return _columns_toml(sure), _columns_toml(later), lines

    # -- from a collection to the account ----------------------------------------------------------

    def _ways(self, collection: Collection, passed: frozenset[str]) -> list[Way]:
        """The ways of the best kind: the account's own key, a reference, or an identity. Two are a question."""
        root = self.root
        if root is None or root.key is None:
            return []
        if collection == root:
            return [Way((), root.key)]
        direct = [
            Way((), each.name)
            for each in collection.fields
            if Reference(root.dataset, root.name, root.key) in each.references
            and _person(each.name)
            and not each.nested
        ]
        return direct or list(self._indirect(collection, passed)) or list(self._by_identity(collection, root))

    def _indirect(self, collection: Collection, passed: frozenset[str]) -> Iterator[Way]:
        """Over another collection of the same store whose unique key a column equals: many to one."""
        if len(passed) >= MOST_HOPS:
            return
        for each in collection.fields:
            for to in each.references:
                further = self._collection(to)
                if further is None or to.dataset != collection.dataset or further.key != to.column:
                    continue
                if further.name in {*passed, collection.name} or not all(
                    map(_allowed, (each.name, to.column, further.name))
                ):
                    continue
                for way in self._ways(further, passed | {collection.name}):
                    if collection.name not in {table for table, _, _ in way.hops} and not each.nested:
                        yield Way(((further.name, each.name, to.column), *way.hops), way.subject, way.shared)

    def _by_identity(self, collection: Collection, root: Collection) -> Iterator[Way]:
        """A column with the same kind of identity as the accounts', where the rows are no people of their own."""
        if collection.dataset != root.dataset or collection in self.people or root.key is None:
            return
        for each in collection.fields:
            found = _by_kind(root).get(IDENTITIES.get(each.identity or "", ""), [])
            if len(found) == 1 and not each.nested and all(map(_allowed, (each.name, found[0].name))):
                yield Way(((root.name, each.name, found[0].name),), root.key, each.name)

    def _collection(self, to: Reference) -> Collection | None:
        return {(each.dataset, each.name): each for each in reversed(self.collections)}.get(
            (to.dataset, to.collection)
        )


_HEAD = (
    "# Draft of a data map, made from a Fides dataset. What is not listed cannot leave.",
    "# A person answers each question below and removes it; then",
    "# `dueprocess datamap check` compares the map with the live store.",
)


def _columns_toml(listed: dict[str, str]) -> list[str]:
    return [f'{name} = {{ category = "{category}" }}' for name, category in listed.items()]


def _doubt(each: Field) -> str:
    """What a person must say before this column can be listed; empty where nothing is open."""
    if each.nested:
        return "left out, because it holds a document, and only whole columns can be listed; right"
    if each.category is None:
        return f"which category, if any ({', '.join(each.categories) or 'none said'})"
    return "" if _allowed(each.name) else "left out, because its name cannot stand in a map; right"


def _credential(each: Field) -> bool:
    """By its category or its name."""
    if each.within(CREDENTIALS):
        return True
    try:
        refuse_secret(each.name, "")
    except DueprocessError:
        return True
    return bool(words(each.name) & {"pin", "cvv", "cvc"})


def _by_kind(collection: Collection) -> dict[str, list[Field]]:
    """Identity columns by the kind of target that has them for a value."""
    found: dict[str, list[Field]] = {}
    for each in collection.identities():
        if each.identity is not None and _person(each.name):
            found.setdefault(IDENTITIES[each.identity], []).append(each)
    return found


def _store(dataset: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_]", "_", dataset)[:50]
    return name if re.match(r"[A-Za-z_]", name) else f"s_{name}"


def _slug(dataset: str) -> str:
    return re.sub(r"[^a-z0-9._-]", "-", dataset.lower()).strip("._-")[:60] or "draft"


def _line(text: str) -> str:
    """One line that a comment of TOML may hold."""
    return "".join(each if each.isprintable() else " " for each in text)
