"""The closed tree of data categories: what a demand can name, a rule permit, a data map list.

A parent stands for its children; comparison is on dot boundaries. ``secrets`` can be read from paper, so
that it can be refused by name, and can never be authorised.

Source: law.md 1.3 crosswalk (18 USC 2703(c)(2); Regulation (EU) 2023/1543 Article 3(9)-(12)).
"""

from collections.abc import Iterable
from typing import NewType

from dueprocess.errors import MalformedError

Category = NewType("Category", str)

MEANING: dict[Category, str] = {
    Category("subscriber.identity"): "name and address given at registration",
    Category("subscriber.service"): "what service since when",
    Category("subscriber.payment"): "means and source of payment",
    Category(
        "subscriber.number"
    ): "numbers and addresses assigned to the account, network addresses among them",
    Category("session.times"): "times and lengths of sessions",
    Category("traffic"): "other records that are not content, such as the addresses of sessions and devices",
    Category("location"): "where a device was",
    Category("content.messages"): "what was written or said",
    Category("content.files"): "files and media",
    Category("content.profile"): "what a profile says and shows",
    Category("secrets"): "passwords, keys, tokens",
}
"""Every leaf, in the order of the page that explains them, with its plain meaning."""

LEAVES: frozenset[Category] = frozenset(MEANING)
SECRETS = Category("secrets")
AUTHORISABLE: frozenset[Category] = LEAVES - {SECRETS}
WITHOUT_WINDOW: frozenset[Category] = frozenset(
    {Category("subscriber.identity"), Category("subscriber.service"), Category("subscriber.payment")}
)
"""Categories whose authorised scope needs no time window: they describe the account, not its use."""


def covers(parent: str, leaf: str) -> bool:
    """Whether ``parent`` is ``leaf`` or an ancestor of it, compared on dot boundaries."""
    return leaf == parent or leaf.startswith(parent + ".")


def expand(names: Iterable[str]) -> frozenset[Category]:
    """The leaves that these names stand for: ``subscriber`` gives its four children.

    Refuses a name outside the tree, ``*`` and prefixes such as ``sub`` included.
    """
    found: set[Category] = set()
    for name in names:
        leaves = {leaf for leaf in LEAVES if covers(name, leaf)}
        if not leaves:
            raise MalformedError(
                "unknown-category",
                f"There is no data category {name[:60]!r}.",
                why="The tree of categories is closed, so that every word on a paper is decided once.",
                do="Choose from: " + ", ".join(MEANING),
            )
        found |= leaves
    return frozenset(found)


def ordered(categories: Iterable[Category]) -> list[Category]:
    """Categories in the order of ``MEANING``: one order everywhere people read them."""
    chosen = set(categories)
    return [leaf for leaf in MEANING if leaf in chosen]
