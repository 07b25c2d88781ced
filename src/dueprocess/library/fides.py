"""A first draft of a data map from a Fides dataset: what is certain, and everything else as a question.

Fides describes a store for privacy requests: collections, fields, categories, and by which references a person's
records are found. That is much of a data map, and not all: it knows no time windows, no units and no cap, and its
categories were made for another purpose. A draft is therefore never in use before a person has read it.

Source: https://ethyca.github.io/fideslang/ (taxonomy 3), Fides dataset YAML.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dueprocess.demand import Category
from dueprocess.errors import MalformedError, UnavailableError

MOST_BYTES = 4 * 1024 * 1024

TRANSLATED: dict[str, tuple[str, str]] = {
    "user.name": ("subscriber.identity", "the name given at registration; 18 USC 2703(c)(2)(A)"),
    "user.account.username": ("subscriber.identity", "what the account calls itself; 18 USC 2703(c)(2)(E)"),
    "user.contact.email": ("subscriber.identity", "Regulation (EU) 2023/1543 Article 3(9)(a) names it"),
    "user.contact.phone_number": (
        "subscriber.identity",
        "Regulation (EU) 2023/1543 Article 3(9)(a) names it",
    ),
    "user.contact.address": ("subscriber.identity", "the postal address; 18 USC 2703(c)(2)(B)"),
    "user.financial.bank_account": ("subscriber.payment", "18 USC 2703(c)(2)(F) names the account number"),
    "user.financial.credit_card": ("subscriber.payment", "18 USC 2703(c)(2)(F) names the card number"),
    "user.device.ip_address": ("traffic", "an address of a session or device, which is no content"),
    "user.device.device_id": ("traffic", "a record about a device, which is no content"),
    "user.location.precise": ("location", "where somebody was"),
}
"""Fides category to ours, with the reason. A parent stands for its children; whatever is not here is a question.

Deliberately not here: ``user.contact`` and ``user.financial`` alone (a balance is no means of payment),
``user.payment`` (it holds what was bought too), ``user.content`` (messages, files or a profile?),
``user.demographic`` (the United States do not count it to the subscriber's data), ``user.unique_id`` (a key, not
what it opens), ``user.behavior``, ``user.sensor``, ``user.telemetry`` and ``system`` (anything at all).
"""

CREDENTIALS = (
    "user.authorization",
    "user.biometric",
    "user.credentials",
    "user.device.cookie",
    "user.device.cookie_id",
)
"""Fides categories of what opens an account. They are left out without a question."""

IDENTITIES = {"email": "email", "phone_number": "phone"}
"""Fides identity to the kind of target that has it for a value."""


@dataclass(frozen=True, slots=True)
class Reference:
    """``dataset.collection.field`` that a field equals."""

    dataset: str
    collection: str
    column: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a collection as Fides describes it."""

    name: str
    categories: tuple[str, ...]
    primary: bool
    identity: str | None
    references: tuple[Reference, ...]
    nested: bool

    def within(self, parents: Iterable[str]) -> bool:
        """Whether any of its categories is one of these, or below one."""
        return any(below(each, parent) for each in self.categories for parent in parents)

    @property
    def category(self) -> Category | None:
        """Ours, if all of its categories say the same; None in doubt."""
        ours = {_translated(each) for each in self.categories}
        found = ours.pop() if len(ours) == 1 else None
        return Category(found) if found is not None else None


@dataclass(frozen=True, slots=True)
class Collection:
    """A table, or what its store calls one."""

    dataset: str
    name: str
    fields: tuple[Field, ...]

    @property
    def key(self) -> str | None:
        """The one column that is unique for certain, or None."""
        keys = [each.name for each in self.fields if each.primary]
        return keys[0] if len(keys) == 1 else None

    def identities(self) -> Iterator[Field]:
        """Fields whose value names a person in the world outside, and that Fides files as such."""
        for each in self.fields:
            if each.identity in IDENTITIES and not each.nested and each.category == "subscriber.identity":
                yield each

    @property
    def holds_people(self) -> bool:
        """Whether each row seems to be one person: its own key is a person's, and it names an identity."""
        keyed = any(each.primary and each.within(["user.unique_id"]) for each in self.fields)
        return self.key is not None and keyed and any(self.identities())


def below(name: str, parent: str) -> bool:
    return name == parent or name.startswith(parent + ".")


def _translated(name: str) -> str | None:
    return next((ours for theirs, (ours, _) in TRANSLATED.items() if below(name, theirs)), None)


def read_fides(path: Path) -> tuple[Collection, ...]:
    """The collections of a Fides file. Refuses what is no dataset; reads no more than 4 MiB of it."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnavailableError(
            "fides-unreadable", f"{path.name} cannot be read.", why=str(error), do="Check the path."
        ) from error
    return parse_fides(content, path.name)


def parse_fides(content: bytes, where: str) -> tuple[Collection, ...]:
    """The collections of a Fides dataset in YAML. Raises ``MalformedError`` for anything else."""
    if len(content) > MOST_BYTES:
        raise MalformedError("fides", f"{where}: this is larger than any dataset.")
    raw = _yaml(content, where)
    datasets = raw.get("dataset") if isinstance(raw, dict) else None
    if not isinstance(datasets, list) or not datasets:
        raise _wrong(where, "has no list `dataset`")
    return tuple(each for dataset in datasets for each in _dataset(dataset, where))


def _yaml(content: bytes, where: str) -> object:
    try:
        import yaml  # noqa: PLC0415  only this command reads YAML
    except ImportError as error:
        raise UnavailableError(
            "no-yaml",
            "Reading a Fides dataset needs PyYAML.",
            do="Install it: pip install pyyaml.",
        ) from error
    try:
        found: object = yaml.safe_load(content)
    except (
        yaml.YAMLError,
        ValueError,
        RecursionError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
    ) as error:
        # PyYAML's own readers of numbers and times raise what they like over odd scalars.
        why = (str(error).splitlines() or [""])[0][:200]
        raise MalformedError("fides", f"{where}: this is not YAML.", why=why) from error
    return found


def _wrong(where: str, what: str) -> MalformedError:
    return MalformedError(
        "fides", f"{where}: this {what}.", do="Give a Fides dataset: dataset, collections, fields."
    )


def _dataset(raw: object, where: str) -> Iterator[Collection]:
    if not isinstance(raw, dict):
        raise _wrong(where, "has a dataset that is no mapping")
    key = _text(raw, "fides_key", where)
    for each in _list(raw, "collections", where):
        name = _text(each, "name", where)
        fields = [_field(field, where) for field in _list(each, "fields", where)]
        yield Collection(key, name, tuple(fields))


def _field(raw: Any, where: str) -> Field:
    name = _text(raw, "name", where)
    meta = raw.get("fides_meta") or raw.get("fidesops_meta") or {}
    if not isinstance(meta, dict):
        raise _wrong(where, f"has a field {name!r} whose fides_meta is no mapping")
    categories = raw.get("data_categories") or []
    if not isinstance(categories, list) or not all(isinstance(each, str) for each in categories):
        raise _wrong(where, f"has a field {name!r} whose data_categories are no list of words")
    kind, identity = meta.get("data_type"), meta.get("identity")
    return Field(
        name=name,
        categories=tuple(categories),
        primary=meta.get("primary_key") is True,
        identity=identity if isinstance(identity, str) else None,
        references=tuple(_references(meta.get("references"), where)),
        nested=bool(raw.get("fields"))
        or (isinstance(kind, str) and (kind.endswith("[]") or kind == "object")),
    )


def _references(raw: object, where: str) -> Iterator[Reference]:
    """References to a field of a collection; those into a document have more parts and lead nowhere here."""
    if raw is None:
        return
    if not isinstance(raw, list):
        raise _wrong(where, "has references that are no list")
    for each in raw:
        parts = _text(each, "field", where).split(".")
        if len(parts) == 2:
            yield Reference(_text(each, "dataset", where), parts[0], parts[1])


def _text(raw: Any, key: str, where: str) -> str:
    value = raw.get(key) if isinstance(raw, dict) else None
    if not isinstance(value, str) or not value or len(value) > 200:
        raise _wrong(where, f"lacks a text `{key}`")
    return value


def _list(raw: dict[str, object], key: str, where: str) -> list[Any]:
    value = raw.get(key)
    if not isinstance(value, list):
        raise _wrong(where, f"lacks a list `{key}`")
    return value
