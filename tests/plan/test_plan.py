"""A plan holds what was authorised and nothing else, and its digest holds it to that."""

import dataclasses
import datetime as dt
import sys
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dueprocess.demand import (
    AUTHORISABLE,
    UNBOUNDED,
    WITHOUT_WINDOW,
    Category,
    Period,
    ScopeItem,
    Target,
    expand,
)
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.plan import (
    DataMap,
    HeldPart,
    Hop,
    ListedColumn,
    ListedFile,
    ListedTable,
    PathPart,
    Plan,
    RowPath,
    StoreEntry,
    TargetRoute,
    TimeColumn,
    compile_plan,
    parse_map,
)

NONCE = bytes(range(32))
WINDOW = Period(dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
EVA = Target("account", "@eva:host.example")

names = st.sampled_from(["alpha", "beta", "gamma", "delta", "ip", "seen"])
categories = st.sampled_from(sorted(AUTHORISABLE))
columns = st.builds(
    ListedColumn,
    name=names,
    category=categories,
    sole_purpose_identify=st.none() | categories,
    third_party=st.sampled_from([(), ("mask",), ("redact:a.b",)]),
)


@st.composite
def paths(draw: st.DrawFn, table: str) -> RowPath:
    hops = draw(st.sampled_from([(), (Hop("posts", "post", "id"),)]))
    timed = draw(st.booleans())
    time = (
        TimeColumn(table, "seen", draw(st.sampled_from(["s", "ms", "us", "iso", "timestamp"])))
        if timed
        else None
    )
    return RowPath("main", table, hops, "account", time, not timed, draw(st.sampled_from([(), ("gone",)])))


@st.composite
def datamaps(draw: st.DrawFn) -> DataMap:
    tables = [
        ListedTable(
            draw(paths(f"table_{number}")),
            tuple(draw(st.lists(columns, min_size=1, max_size=4, unique_by=lambda column: column.name))),
            ("alpha",),
        )
        for number in range(draw(st.integers(0, 4)))
    ]
    part = (PathPart(column="alpha"),)
    files = [
        ListedFile(draw(paths("uploads")), "media", ".", "{alpha}", part, draw(categories))
        for _ in range(draw(st.integers(0, 1)))
    ]
    return DataMap(
        id="example",
        version="1",
        platform="Example Host",
        stores=(StoreEntry("main", "${A}", draw(st.integers(1, 9))), StoreEntry("media", "${B}", None)),
        targets=(TargetRoute("account", "main", "accounts", "name", "id"),),
        tables=tuple(tables),
        files=tuple(files),
    )


@st.composite
def items(draw: st.DrawFn) -> ScopeItem:
    chosen = frozenset(draw(st.sets(categories, min_size=1)))
    unbounded = chosen <= WITHOUT_WINDOW and draw(st.booleans())
    value = draw(st.sampled_from(["@eva:host.example", "@dana:host.example"]))
    purpose = draw(st.sampled_from([None, "identify"]))
    return ScopeItem(Target("account", value), chosen, UNBOUNDED if unbounded else WINDOW, purpose)  # type: ignore[arg-type]  # sampled from the two that there are


@given(items(), datamaps())
@settings(max_examples=120, deadline=None)
def test_no_plan_has_a_column_outside_the_authorised_categories(item: ScopeItem, datamap: DataMap) -> None:
    """Whatever the map lists, a planned column counts under an authorised category, as the purpose says."""
    plan = compile_plan(item, datamap, nonce=NONCE)
    listed = {(table.path.table, column.name): column for table in datamap.tables for column in table.columns}
    for query in plan.tables:
        assert query.columns
        for column in query.columns:
            assert column.category in item.categories
            assert column.category == listed[query.table, column.name].counts_under(item.purpose)
            assert column.third_party == listed[query.table, column.name].third_party
        assert set(query.categories) == {column.category for column in query.columns}
    assert all(each.category in item.categories for each in plan.files)


@given(items(), datamaps())
@settings(max_examples=120, deadline=None)
def test_no_query_lacks_subject_window_or_cap(item: ScopeItem, datamap: DataMap) -> None:
    """Every query begins at the subject, is cut by a closed window where rows carry times, and has a cap."""
    plan = compile_plan(item, datamap, nonce=NONCE)
    for query in (*plan.tables, *(each.rows for each in plan.files)):
        said = query.as_json()
        assert said["subject"] == {"table": query.path.subject_table, "column": "account"}
        assert (query.window is not None) == (query.path.time is not None)
        assert query.window is None or (query.window == item.period and query.window.closed)
        assert query.cap == datamap.store("main").max_rows
        assert query.order
        assert query.store == "main"


@given(items(), datamaps())
@settings(max_examples=80, deadline=None)
def test_every_category_is_either_planned_or_explained(item: ScopeItem, datamap: DataMap) -> None:
    """Silence is impossible: each category of the tree has a query or a reason."""
    plan = compile_plan(item, datamap, nonce=NONCE)
    planned = {category for query in plan.tables for category in query.categories}
    planned |= {each.category for each in plan.files}
    explained = {entry.category for entry in plan.not_collected}
    assert planned | explained == AUTHORISABLE | {"secrets"}
    assert all(entry.why for entry in plan.not_collected)
    for entry in plan.not_collected:
        assert (entry.category in item.categories) == (entry.reason in {"not_mapped", "no_window"})


@given(items(), items(), datamaps(), datamaps())
@settings(max_examples=120, deadline=None)
def test_the_digest_follows_item_and_map(
    one: ScopeItem, two: ScopeItem, first: DataMap, second: DataMap
) -> None:
    """Compiling again gives the same digest; another item or another map gives another."""

    def digest(item: ScopeItem, datamap: DataMap) -> str:
        return compile_plan(item, datamap, nonce=NONCE).plan_sha256

    assert digest(one, first) == digest(one, first)
    assert (digest(one, first) == digest(two, first)) == (one == two)
    assert (digest(one, first) == digest(one, second)) == (first.sha256 == second.sha256)


def example(
    *, purpose: str | None = None, period: Period = WINDOW, names: tuple[str, ...] = ("traffic",)
) -> Plan:
    ip = ListedColumn("ip", Category("traffic"), Category("subscriber.number"))
    born = ListedColumn("born", Category("subscriber.identity"))
    datamap = DataMap(
        id="example",
        version="1",
        platform="Example Host",
        stores=(StoreEntry("main", "${A}", 9), StoreEntry("media", "${B}", None)),
        targets=(TargetRoute("account", "main", "accounts", "name", "id"),),
        tables=(
            ListedTable(
                RowPath("main", "sessions", (), "account", TimeColumn("sessions", "seen", "ms"), False, ()),
                (ip, born),
                ("seen",),
            ),
        ),
        files=(
            ListedFile(
                RowPath(
                    "main", "scans", (), "account", TimeColumn("scans", "at", "ms"), False, ()
                ),  # as above
                "media",
                ".",
                "{key}",
                (PathPart(column="key"),),
                Category("subscriber.identity"),
            ),
        ),
    )
    item = ScopeItem(EVA, expand(names), period, purpose)  # type: ignore[arg-type]  # the two purposes that there are
    return compile_plan(item, datamap, nonce=NONCE)


def test_an_address_counts_as_a_number_where_the_sole_purpose_is_to_identify() -> None:
    """The finding `identify` moves the column to its other category, and out of its first."""
    assert [column.name for query in example().tables for column in query.columns] == ["ip"]
    assert example(purpose="identify").tables == ()
    moved = example(purpose="identify", names=("subscriber.number",)).tables
    assert [(column.name, column.category) for column in moved[0].columns] == [("ip", "subscriber.number")]


def test_dated_rows_are_left_out_where_no_window_was_authorised() -> None:
    """Identity may be authorised without a window; rows that carry times are then not read, and listed."""
    open_ended = example(period=UNBOUNDED, names=("subscriber.identity",))
    assert (open_ended.tables, open_ended.files) == ((), ())
    left = [
        (entry.category, entry.table) for entry in open_ended.not_collected if entry.reason == "no_window"
    ]
    assert left == [("subscriber.identity", "main.sessions"), ("subscriber.identity", "main.scans")]
    half = Period(None, WINDOW.until)
    assert example(period=half, names=("subscriber.identity",)).tables == ()
    closed = example(names=("subscriber.identity",))
    assert [query.table for query in closed.tables] == ["sessions"]
    assert [each.rows.table for each in closed.files] == ["scans"]


def test_secrets_and_open_windows_are_refused() -> None:
    """What nobody may authorise has no plan."""
    with pytest.raises(RefusedError) as secret:
        example(names=("secrets",))
    assert secret.value.code == "secrets"
    with pytest.raises(RefusedError) as open_ended:
        example(period=UNBOUNDED)
    assert open_ended.value.code == "open-window"


@given(datamaps(), items())
@settings(max_examples=20, deadline=None)
def test_only_declared_kinds_have_a_plan(datamap: DataMap, item: ScopeItem) -> None:
    """A target that the map cannot resolve is refused before anything is compiled."""
    odd = dataclasses.replace(item, target=Target("email", "eva@mail.example"))
    with pytest.raises(RefusedError) as caught:
        compile_plan(odd, datamap, nonce=NONCE)
    assert caught.value.code == "no-route"


def test_a_nonce_has_32_bytes_and_counts() -> None:
    """A short nonce is malformed; another nonce is another digest."""
    plan = example()
    assert dataclasses.replace(plan, nonce=bytes(32)).plan_sha256 != plan.plan_sha256
    with pytest.raises(MalformedError):
        compile_plan(plan.item, datamaps_example(), nonce=b"short")


def datamaps_example() -> DataMap:
    return DataMap(
        id="a",
        version="1",
        platform="x",
        stores=(StoreEntry("main", "", None),),
        targets=(TargetRoute("account", "main", "accounts", "name", "id"),),
        tables=(
            ListedTable(
                RowPath("main", "accounts", (), "id", None, False, ()),
                (ListedColumn("email", Category("subscriber.identity")),),
                ("email",),
            ),
        ),
        files=(),
    )


def test_a_store_without_a_cap_gives_no_rows() -> None:
    """A map built by hand with a folder as a database is malformed, not unbounded."""
    item = ScopeItem(EVA, expand(["subscriber.identity"]), UNBOUNDED)
    with pytest.raises(MalformedError, match="max_rows"):
        compile_plan(item, datamaps_example(), nonce=NONCE)


@given(items(), datamaps())
@settings(max_examples=40, deadline=None)
def test_the_plan_is_the_same_for_every_connection_string(item: ScopeItem, datamap: DataMap) -> None:
    """Engine and address are no part of a plan, so that what was approved holds on any of them."""
    other = dataclasses.replace(
        datamap, stores=tuple(dataclasses.replace(store, connect="sqlite:///x") for store in datamap.stores)
    )
    assume(other.stores != datamap.stores)
    assert (
        compile_plan(item, other, nonce=NONCE).plan_sha256
        == compile_plan(item, datamap, nonce=NONCE).plan_sha256
    )


def test_maps_without_the_newer_words_keep_their_digests() -> None:
    """What was signed before labels, constants, zones and owners existed is still what was signed."""
    plan = example()
    assert plan.plan_sha256 == "4006878acf4b765402635f377b0abc56271faa8cf016129679fdf005443e23d9"
    assert plan.map_sha256 == "227367f6b42aded628aa715428ffcf38778247ba0493122134824646a8b02338"


LABELLED = """
[map]
id = "example"
version = "1"
platform = "Example Host"
[store.main]
connect = "${A}"
max_rows = 9
[store.mail]
connect = "${B}"
[[target]]
kind = "account"
store = "main"
table = "accounts"
column = "name"
subject = "id"
[[table]]
store = "main"
name = "archive"
as = "calls"
subject = "owner"
equals = { kind = "call" }
time = { column = "at", unit = "timestamp", zone = "Europe/Berlin" }
[table.columns]
account = { category = "subscriber.identity" }
[[table]]
store = "main"
name = "archive"
subject = "owner"
equals = { kind = "chat" }
time = { column = "at", unit = "timestamp" }
[table.columns]
account = { category = "subscriber.identity" }
[[file]]
store = "mail"
root = "."
path = "{login}"
category = "content.messages"
layout = "maildir"
[file.from]
store = "main"
table = "boxes"
subject = "owner"
"""


def test_two_kinds_of_records_in_one_table_are_two_queries() -> None:
    """Each with its label, its constants and its zone; a plain one says none of them."""
    datamap = parse_map(LABELLED, "a.toml")
    plan = compile_plan(ScopeItem(EVA, expand(["subscriber.identity"]), WINDOW), datamap, nonce=NONCE)
    calls, chats = plan.tables
    assert [(query.table, query.label) for query in plan.tables] == [
        ("archive", "calls"),
        ("archive", "archive"),
    ]
    assert calls.as_json()["as"] == "calls"
    assert "as" not in chats.as_json()
    assert calls.as_json()["equals"] == {"kind": "call"}
    time = calls.as_json()["time"]
    assert isinstance(time, dict)
    assert time["zone"] == "Europe/Berlin"
    undated = compile_plan(ScopeItem(EVA, expand(["subscriber.identity"]), UNBOUNDED), datamap, nonce=NONCE)
    assert [each.table for each in undated.not_collected if each.reason == "no_window"] == [
        "main.calls",
        "main.archive",
    ]


def test_a_maildir_is_cut_by_the_times_in_its_names() -> None:
    """Its row has no time; the window goes with the files, and stands in the digest."""
    datamap = parse_map(LABELLED, "a.toml")
    item = ScopeItem(EVA, expand(["content.messages"]), WINDOW)
    plan = compile_plan(item, datamap, nonce=NONCE)
    (mail,) = plan.files
    assert (mail.layout, mail.window, mail.rows.window) == ("maildir", WINDOW, None)
    assert mail.as_json()["layout"] == "maildir"
    assert mail.as_json()["window"] == {"from": "2026-09-01T00:00:00Z", "until": "2026-10-01T00:00:00Z"}
    later = dataclasses.replace(plan, files=(dataclasses.replace(mail, window=None),))
    assert later.plan_sha256 != plan.plan_sha256


def test_what_is_kept_in_place_is_part_of_what_is_signed() -> None:
    """A mark in the map goes into the plan and changes its digest; without the mark nothing of it stands there."""
    marked = LABELLED.replace('layout = "maildir"\n', 'layout = "maildir"\nin_place = true\n')
    item = ScopeItem(EVA, expand(["content.messages"]), WINDOW)
    plans = [compile_plan(item, parse_map(text, "a.toml"), nonce=NONCE) for text in (LABELLED, marked)]
    assert [each.files[0].in_place for each in plans] == [False, True]
    assert "in_place" not in plans[0].files[0].as_json()
    assert plans[1].files[0].as_json()["in_place"] is True
    unmarked = dataclasses.replace(plans[1].files[0], in_place=False)
    assert dataclasses.replace(plans[1], files=(unmarked,)).plan_sha256 != plans[1].plan_sha256


@pytest.mark.parametrize("layout", ["maildir", "file"])
def test_a_maildir_needs_a_closed_window(layout: str) -> None:
    """Where only who somebody is may be told without a window, mail that counts as such stays out, with a reason."""
    text = LABELLED.replace('"content.messages"', '"subscriber.identity"').replace('"maildir"', f'"{layout}"')
    item = ScopeItem(EVA, expand(["subscriber.identity"]), UNBOUNDED)
    plan = compile_plan(item, parse_map(text, "a.toml"), nonce=NONCE)
    left = [each.table for each in plan.not_collected if each.reason == "no_window"]
    assert ("main.boxes" in left) == (layout == "maildir")
    assert (plan.files == ()) == (layout == "maildir")


def wide(tables: int) -> str:
    """A map of many tables, each with a label of its own and three columns."""
    head = LABELLED[: LABELLED.index("[[table]]")]
    return head + "".join(
        f"""[[table]]
store = "main"
name = "records_{number}"
subject = "owner"
time = {{ column = "at", unit = "ms" }}
[table.columns]
at = {{ category = "session.times" }}
ip_{number} = {{ category = "traffic", sole_purpose_identify = "subscriber.number" }}
body = {{ category = "content.messages" }}
"""
        for number in range(tables)
    )


def test_a_thousand_tables_are_planned_each_once_and_in_order() -> None:
    """Nothing is lost, doubled or mixed up in a map that is wider than any test by hand."""
    datamap = parse_map(wide(1000), "wide.toml")
    plan = compile_plan(ScopeItem(EVA, expand(["traffic"]), WINDOW), datamap, nonce=NONCE)
    assert [query.label for query in plan.tables] == [f"records_{number}" for number in range(1000)]
    assert [[column.name for column in query.columns] for query in plan.tables] == [
        [f"ip_{number}"] for number in range(1000)
    ]


def calls_of(act: Callable[[], object]) -> int:
    """How many Python functions an act calls, which unlike time is the same on every machine."""
    count = 0

    def trace(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(trace)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


def test_work_grows_with_the_number_of_tables_and_not_with_its_square() -> None:
    """Four times the tables are at most 4.2 times the calls, from the text to the digest of the plan."""
    item = ScopeItem(EVA, expand(["traffic", "session", "content"]), WINDOW)

    def work(text: str) -> Callable[[], object]:
        return lambda: compile_plan(item, parse_map(text, "wide.toml"), nonce=NONCE).plan_sha256

    few, many = calls_of(work(wide(50))), calls_of(work(wide(200)))
    assert many < 4.2 * few


RESOURCE = """
[[target]]
kind = "resource"
store = "main"
table = "packages"
column = "name"
subject = "id"
owners = { table = "roles", resource = "package", subject = "by", accounts = "accounts", key = "id", name = "name" }
"""


def test_a_thing_is_never_taken_for_an_account() -> None:
    """A resource's key may equal an account's: no table is asked for it, and each category says why."""
    item = ScopeItem(Target("resource", "requests-ng"), expand(["subscriber", "content.messages"]), WINDOW)
    plan = compile_plan(item, parse_map(LABELLED + RESOURCE, "a.toml"), nonce=NONCE)
    assert (plan.tables, plan.files) == ((), ())
    assert {each.category for each in plan.not_collected if each.reason == "owners"} == item.categories
    assert plan.target.as_json()["owners"] == {
        "table": "roles",
        "resource": "package",
        "subject": "by",
        "equals": {},
        "accounts": "accounts",
        "key": "id",
        "name": "name",
    }


def test_a_snapshot_that_is_read_too_is_in_the_digest() -> None:
    """What a hold keeps is named by its digest; its folder in the parcel begins with its own number."""
    held = HeldPart("3f2a9c01" + "0" * 24, "case", "t1", "ab" * 32)
    plan = example()
    with_hold = dataclasses.replace(plan, holds=(held,))
    assert held.store == "hold-3f2a9c01"
    assert "holds" not in plan.as_json()
    assert with_hold.as_json()["holds"] == [held.as_json()]
    other = dataclasses.replace(held, manifest_sha256="cd" * 32)
    assert (
        len({plan.plan_sha256, with_hold.plan_sha256, dataclasses.replace(plan, holds=(other,)).plan_sha256})
        == 3
    )
