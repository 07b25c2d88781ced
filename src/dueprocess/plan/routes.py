"""Targets of a data map: how what a paper names becomes the key of one subject, or the owners of one thing."""

from typing import cast, get_args

from dueprocess.demand import KINDS, TargetKind
from dueprocess.errors import RefusedError
from dueprocess.plan.datamap import MANUAL, Compare, Interval, Owners, TargetRoute, TimeUnit
from dueprocess.plan.names import refuse_gathering, refuse_mere_users, refuse_property, refuse_secret
from dueprocess.plan.part import Part
from dueprocess.plan.paths import Entries, known_store

TARGET = (
    ("kind", "store", "table", "column", "subject"),
    ("absent", "equals", "compare", "interval", "owners"),
)
_INTERVAL = (("since", "until", "unit"), ("port_from", "port_to"))
_OWNERS = (("table", "resource", "subject", "accounts", "key", "name"), ("equals",))


def read_route(part: Part, stores: Entries) -> TargetRoute:
    """One route. Refuses a subject that is no person, and a resource that is a property which people share."""
    kind = cast("TargetKind", part.choice("kind", KINDS))
    absent, equals = part.names("absent"), part.equalities("equals")
    route = TargetRoute(
        kind=kind,
        store=known_store(part, "store", stores, folder=False),
        table=part.name("table"),
        column=part.name("column"),
        subject=part.name("subject"),
        absent=absent,
        equals=equals,
        compare=cast("Compare", part.choice("compare", get_args(Compare)))
        if part.has("compare")
        else "exact",
        interval=_interval(part) if _goes_with(part, "interval", kind, "ip_at_time") else None,
        owners=_owners(part) if _goes_with(part, "owners", kind, "resource") else None,
    )
    _refuse_words(route, part.where)
    for name, _ in equals:
        if name in absent:
            raise part.wrong("equals", f"gives {name!r} a value, and `absent` says that it has none")
    return route


def _goes_with(part: Part, key: str, kind: TargetKind, wanted: TargetKind) -> bool:
    """Whether the key is there. It must be for the wanted kind, and must not for any other."""
    if part.has(key) != (kind == wanted):
        raise part.wrong(key, "is missing" if kind == wanted else f"is for the kind {wanted}, and only there")
    return part.has(key)


def _refuse_words(route: TargetRoute, where: str) -> None:
    refuse_gathering(route.subject, where)
    refuse_secret(route.subject, where)
    refuse_secret(route.column, where)
    for name in (route.table, route.column):
        if route.kind == "resource":
            refuse_property(name, where)
        else:
            refuse_gathering(name, where)


def _interval(part: Part) -> Interval:
    """From when until when an address belonged to an account. Days are too coarse: addresses change hands."""
    interval = part.part("interval", *_INTERVAL)
    units = tuple(unit for unit in get_args(TimeUnit) if unit != "date")
    if interval.has("port_from") != interval.has("port_to"):
        raise interval.wrong("port_from", "and `port_to` are given together, or neither")
    ports = [interval.name(key) if interval.has(key) else None for key in ("port_from", "port_to")]
    unit = cast("TimeUnit", interval.choice("unit", units))
    return Interval(interval.name("since"), interval.name("until"), unit, ports[0], ports[1])


def _owners(part: Part) -> Owners:
    """From a thing to those who own it. Refuses whoever merely uses, reads or follows it."""
    owners = part.part("owners", *_OWNERS)
    found = Owners(
        table=owners.name("table"),
        resource=owners.name("resource"),
        subject=owners.name("subject"),
        equals=owners.equalities("equals"),
        accounts=owners.name("accounts"),
        key=owners.name("key"),
        name=owners.name("name"),
    )
    for name in (found.subject, found.accounts, found.key, found.name):
        refuse_gathering(name, owners.where)
        refuse_secret(name, owners.where)
    refuse_secret(found.resource, owners.where)
    said = [found.table, *(word for pair in found.equals for word in pair if isinstance(word, str))]
    for text in said:
        refuse_mere_users(text, owners.where)
    return found


def refuse_lost_owners(route: TargetRoute, account: TargetRoute | None) -> None:
    """Refuses owners whose names are no targets of the kind account: nobody could decide about them."""
    owners = route.owners
    if owners is None:
        return
    named = (route.store, owners.accounts, owners.name)
    if account is None or named != (account.store, account.table, account.column):
        raise RefusedError(
            "owners-without-account",
            f"The owners of a resource are named by {owners.accounts}.{owners.name}, and no target of the kind "
            "account is.",
            why="Each owner becomes a target of a new decision, and must be found again by the account's route.",
            do="Declare a [[target]] of the kind account with the same store, table and column.",
            source="architecture.md section 1; formats.md, Scope",
        )


def refuse_by_hand(route: TargetRoute, stores: Entries) -> None:
    """Refuses a target in a store that a person reads, unless the whole map is of such stores.

    Then nobody looks anything up: what the paper names is the subject itself, and a person goes by it.
    """
    if not stores[route.store].by_hand:
        return
    live = [each.name for each in stores.values() if each.max_rows is not None and not each.by_hand]
    bare = TargetRoute("account", route.store, route.table, route.subject, route.subject)
    if live or route != bare:
        raise RefusedError(
            "route-by-hand",
            f"The target of the kind {route.kind} is to be looked up in {route.store!r}, which no program reads.",
            why=f"Which account is meant is looked up in a database: {', '.join(live)}."
            if live
            else "Without any database what the paper names is the account, byte for byte.",
            do="Point the target at a database."
            if live
            else "Declare one [[target]] of the kind account whose `column` is its `subject`, and nothing more.",
            source=f"docs/manual-collection.md; a store {MANUAL}",
        )
