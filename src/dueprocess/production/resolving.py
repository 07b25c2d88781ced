"""The one question of a resolution: which account, or whose accounts, a target means.

The answer goes to whoever puts it into the vault. Nothing here prints, logs or counts it.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from dueprocess.demand import Target
from dueprocess.errors import DueprocessError, RefusedError, UnavailableError
from dueprocess.plan import DataMap, Owners, Plan, TargetRoute
from dueprocess.production.stores import Stores, Subject, open_stores

_AMBIGUOUS = "ambiguous-target"
"""Code of every store's refusal to choose between accounts or to count them."""


@runtime_checkable
class Naming(Protocol):
    """A store that can say what the account of a key is called, and who owns a thing."""

    def called(self, account: TargetRoute, subject: Subject, /) -> str | None:
        """The account's name; None where there is none."""
        ...

    def owners(self, owners: Owners, subject: Subject, /) -> list[str]:
        """The names of the accounts that own a thing, each once."""
        ...


def meant_by(
    plan: Plan, datamap: DataMap, environment: Mapping[str, str], reader: str
) -> tuple[str, ...] | None:
    """The accounts that the plan's target means, by `find_accounts`; None where it names more than it may.

    That is an answer: asked again, the store says the same. Whatever kept it from answering is raised.
    """
    try:
        return find_accounts(plan, datamap, environment, reader)
    except RefusedError as error:
        if error.code != _AMBIGUOUS:
            raise
        return None


def find_accounts(
    plan: Plan, datamap: DataMap, environment: Mapping[str, str], reader: str
) -> tuple[str, ...]:
    """Opens the map's stores, asks, and closes them. At most one name, unless the target is a thing with owners.

    ``reader`` stands in a store's own log. Refuses a map other than the one the plan was compiled from.
    """
    if datamap.sha256 != plan.map_sha256:
        raise RefusedError(
            "map-changed",
            "The data map is not the one that this plan was made from.",
            why="What was approved is what is read.",
            do="Narrow again and let two people sign again.",
            source="formats.md, Plan and Gate",
        )
    stores = open_stores(datamap, environment, reader)
    try:
        return accounts(plan, datamap, stores)
    finally:
        stores.close()


def accounts(plan: Plan, datamap: DataMap, stores: Stores) -> tuple[str, ...]:
    """The names of the accounts that the plan's target means, as the map's own target column has them."""
    route, account = plan.target.route, datamap.route("account")
    subject = stores.databases[route.store].resolve(plan.target)
    if subject is None:
        return ()
    if route.owners is not None:
        found = _naming(stores, route.store).owners(route.owners, subject)
    else:
        name = _naming(stores, account.store).called(account, subject)
        found = [] if name is None else [name]
    return tuple(map(_usable, found))


def _naming(stores: Stores, name: str) -> Naming:
    store = stores.databases[name]
    if not isinstance(store, Naming):
        raise UnavailableError(
            "cannot-resolve-here",
            f"The store {name!r} cannot say what an account is called.",
            do="Point the route of the data map at a database.",
        )
    return store


def _usable(name: str) -> str:
    """The name, if it can be a target. The refusal does not repeat it."""
    try:
        return Target("account", name).value
    except DueprocessError:
        raise UnavailableError(
            "unusable-account",
            "An account was found whose name cannot be named as a target.",
            why="It holds a sign that two spellings could share, or that stands for many.",
            do="Look at the account in the platform, and correct its name or the data map.",
        ) from None
