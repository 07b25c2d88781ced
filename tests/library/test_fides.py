"""A draft from a Fides dataset says what is certain and asks the rest; it never lists a credential."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.demand import AUTHORISABLE
from dueprocess.errors import DueprocessError, MalformedError, UnavailableError
from dueprocess.library.fides import CREDENTIALS, TRANSLATED, Collection, Field, Reference, parse_fides
from dueprocess.library.fidesdraft import Draft, draft, import_fides
from dueprocess.plan import Hop, parse_map

DATA = Path(__file__).parent / "data" / "fides"
POSTGRES = DATA / "postgres_example_test_dataset.yml"


def parses(made: Draft) -> bool:
    try:
        parse_map(made.text, "draft.toml")
    except DueprocessError:
        return False
    return True


@pytest.mark.parametrize("file", sorted(DATA.glob("*.yml")), ids=lambda file: file.stem)
def test_a_draft_parses_exactly_if_nothing_is_missing(file: Path) -> None:
    """Each example gives a draft; it is a map where the accounts' table is certain, else its questions come first."""
    made = import_fides(file)
    assert made.complete == parses(made)
    assert made.questions
    assert made.text.count("# Question:") == len(made.questions)
    assert "TODO" not in made.text


def test_two_tables_of_people_are_a_question_and_not_a_guess() -> None:
    """Customers or employees? Without an answer there is no target and no table."""
    made = import_fides(POSTGRES)
    assert not made.complete
    assert made.tables == ()
    assert any("customer" in each and "employee" in each and "--accounts" in each for each in made.questions)


def test_paths_are_equalities_that_end_at_the_account() -> None:
    """By the key, by a reference, over a unique key, by the same address; what only points away is left out."""
    made = import_fides(POSTGRES, accounts="customer")
    datamap = parse_map(made.text, "draft.toml")
    paths = {table.path.table: (table.path.hops, table.path.subject) for table in datamap.tables}
    assert paths == {
        "customer": ((), "id"),
        "payment_card": ((), "customer_id"),
        "report": ((Hop("customer", "email", "email"),), "id"),
        "visit": ((Hop("customer", "email", "email"),), "id"),
    }
    assert datamap.route("email").column == "email"
    for left in ("address", "employee", "product", "service_request"):
        assert any(f".{left} is left out" in each for each in made.questions), left
    assert (
        '# via = [{ table = "orders", on = "order_id", foreign = "id", subject = "customer_id" }]'
        in made.text
    )
    assert any("report.email belong" in each for each in made.questions)


def test_only_certain_categories_are_translated() -> None:
    """The rest are asked about by name, with what Fides says of them."""
    made = import_fides(POSTGRES, accounts="customer")
    datamap = parse_map(made.text, "draft.toml")
    listed = {
        (table.path.table, column.name): column.category
        for table in datamap.tables
        for column in table.columns
    }
    assert listed["customer", "email"] == "subscriber.identity"
    assert listed["payment_card", "ccn"] == "subscriber.payment"
    assert ("payment_card", "code") not in listed
    assert any("code, name" in each and "user.financial" in each for each in made.questions)
    assert {ours for ours, _ in TRANSLATED.values()} <= AUTHORISABLE
    assert all(why for _, why in TRANSLATED.values())


def column(name: str, *categories: str, **more: object) -> Field:
    said = {"primary": False, "identity": None, "references": (), "nested": False, **more}
    return Field(name, categories, **said)  # type: ignore[arg-type]  # the four above, by name


def users(*fields: Field) -> Collection:
    key = column("id", "user.unique_id", primary=True)
    return Collection(
        "host", "users", (key, column("email", "user.contact.email", identity="email"), *fields)
    )


def test_credentials_are_left_out_and_listed() -> None:
    """By category or by name; never as a column and never as a question."""
    made = draft(
        (
            users(
                column("hash", "user.authorization.password"),
                column("reset_token", "user.name"),
                column("face", "user.biometric"),
                column("cvv", "user.financial.credit_card"),
            ),
        )
    )
    assert made.credentials == (
        "host.users.hash",
        "host.users.reset_token",
        "host.users.face",
        "host.users.cvv",
    )
    columns = [each.name for each in parse_map(made.text, "a.toml").tables[0].columns]
    assert columns == ["email"]
    for name in ("hash", "reset_token", "face", "cvv"):
        assert not any(name in each for each in made.questions)


def test_records_of_use_wait_for_their_time_column() -> None:
    """Fides knows no times. Such columns stand as comments until a person names the column that dates a row."""
    seen = Collection(
        "host",
        "sessions",
        (
            column("owner", "system.operations", references=(Reference("host", "users", "id"),)),
            column("ip", "user.device.ip_address"),
        ),
    )
    made = draft((users(column("home", "user.location.precise")), seen))
    assert made.tables == ("host.users",)
    assert '# ip = { category = "traffic" }' in made.text
    assert '# home = { category = "location" }' in made.text
    head = (
        '# [[table]]\n# store = "host"\n# name = "sessions"\n# subject = "owner"\n# [table.columns]\n# ip ='
    )
    assert head in made.text
    answered = made.text.replace("# subject = ", '# time = { column = "at", unit = "s" }\n# subject = ')
    start = answered.index("# [[table]]")
    datamap = parse_map(answered[:start] + answered[start:].replace("# ", ""), "a.toml")
    assert [table.path.table for table in datamap.tables] == ["users", "sessions"]


def test_a_row_that_could_be_two_people_s_is_left_out() -> None:
    """Sender and receiver both lead to an account: which of them, is not for a program to say."""
    to_user = (Reference("host", "users", "id"),)
    mail = Collection(
        "host", "mail", (column("sender", references=to_user), column("receiver", references=to_user))
    )
    made = draft((users(), mail))
    assert made.tables == ("host.users",)
    assert any("host.mail is left out" in each and "2 could" in each for each in made.questions)


def test_a_path_goes_over_unique_keys_alone() -> None:
    """A column that equals something which several rows may share would join people."""
    owner = column("owner", references=(Reference("host", "users", "id"),))
    posts = Collection("host", "posts", (column("id", primary=True), column("topic"), owner))
    by_key, by_topic = (
        Collection(
            "host",
            f"by_{name}",
            (column(name, references=(Reference("host", "posts", name),)), column("who", "user.name")),
        )
        for name in ("id", "topic")
    )
    made = draft((users(), posts, by_key, by_topic))
    assert made.tables == ("host.users", "host.by_id")
    assert any("host.by_topic is left out" in each for each in made.questions)


def test_another_store_is_reached_by_the_key_alone() -> None:
    """A path cannot join two stores, and an equal key needs no join."""
    keyed = Collection(
        "other",
        "notes",
        (column("by", references=(Reference("host", "users", "id"),)), column("who", "user.name")),
    )
    mailed = Collection("other", "news", (column("email", "user.contact.email", identity="email"),))
    made = draft((users(), keyed, mailed))
    assert made.tables == ("host.users", "other.notes")
    assert [store.name for store in parse_map(made.text, "a.toml").stores] == ["host", "other"]


def test_accounts_must_be_one_collection_of_people() -> None:
    """A name that is no candidate is refused, and the candidates are named."""
    with pytest.raises(MalformedError) as caught:
        import_fides(POSTGRES, accounts="product")
    assert "postgres_example_test_dataset.customer" in caught.value.do


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"dataset: []",
        b"dataset: [1]",
        b"dataset: [{fides_key: a}]",
        b"dataset: [{fides_key: a, collections: [{name: b, fields: [{name: 7}]}]}]",
        b"dataset: [{fides_key: a, collections: [{name: b, fields: [{name: c, data_categories: x}]}]}]",
        b"dataset: [{fides_key: a, collections: [{name: b, fields: [{name: c, fides_meta: [1]}]}]}]",
        b"dataset: [{fides_key: a, collections: [{name: b, fields: [{name: c, fides_meta: {references: 1}}]}]}]",
        b"x: 2001-99-99",
        b"{" * 5000,
        b"&a [*a",
        b"!!python/object/apply:os.system [echo]",
        b"#" * (4 * 1024 * 1024 + 1),
        (DATA / "example_test_dataset.invalid").read_bytes(),
    ],
)
def test_what_is_no_dataset_is_malformed(content: bytes) -> None:
    """With the file's name."""
    with pytest.raises(MalformedError, match=r"x\.yml"):
        parse_fides(content, "x.yml")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """As unavailable, not as malformed."""
    with pytest.raises(UnavailableError):
        import_fides(tmp_path / "nothing.yml")


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
@settings(max_examples=200, deadline=None)
def test_foreign_bytes_raise_only_malformed(content: bytes) -> None:
    """Whatever the file holds."""
    with contextlib.suppress(MalformedError):
        parse_fides(content, "x.yml")


names = st.sampled_from(
    ["users", "id", "email", "room", "api_token", "a b", "x", "y", "café", "control_number", "", "1"]
)
fields = st.builds(
    Field,
    name=names,
    categories=st.lists(
        st.sampled_from([*TRANSLATED, *CREDENTIALS, "user", "user.unique_id", "system\n[x]"]), max_size=2
    ).map(tuple),
    primary=st.booleans(),
    identity=st.sampled_from([None, None, "email", "phone_number", "other"]),
    references=st.lists(st.builds(Reference, st.sampled_from(["one", "two"]), names, names), max_size=2).map(
        tuple
    ),
    nested=st.booleans(),
)
collections = st.builds(
    Collection,
    st.sampled_from(["one", "two", "t-wo", "t_wo"]),
    names,
    st.lists(fields, max_size=4).map(tuple),
)


@given(st.lists(collections, min_size=1, max_size=4).map(tuple), st.sampled_from([(), (users(),)]))
@settings(max_examples=300, deadline=None)
def test_a_draft_of_anything_is_a_map_or_says_that_it_is_none(
    made_up: tuple[Collection, ...], before: tuple[Collection, ...]
) -> None:
    """However odd the names: the text is one map without a credential, or the draft says that it is not complete."""
    made = draft((*before, *made_up))
    assert made.complete == parses(made)
    if made.complete:
        datamap = parse_map(made.text, "a.toml")
        assert not {each.name for table in datamap.tables for each in table.columns} & {"api_token"}
