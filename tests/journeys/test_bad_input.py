"""Papers, facts files, data maps and receipts that are none: a clear error, nothing lost, the right one then works.

Where an installation is at hand, `dueprocess fsck` must still say that everything fits.
"""

import datetime as dt
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dueprocess.demand.facts import parse_facts
from dueprocess.demand.target import KINDS, REVERSE_KINDS
from dueprocess.errors import MalformedError, RefusedError
from journeys.counter import (
    BROKEN,
    EXAMPLES,
    GOOD_FACTS,
    MALFORMED,
    NSL,
    REFUSED,
    TARGET,
    UNAVAILABLE,
    cases,
    found_words,
    give_stores,
    here,
    says,
    whole,
)
from journeys.typed import called, settings
from office import EVA, FINN, MAP, Office

pytestmark = pytest.mark.slow


def _zeros(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 * 2**20)


def _truncated(path: Path) -> None:
    path.write_bytes(NSL.read_bytes()[:3_000])


PAPERS: dict[str, tuple[Callable[[Path], object], int]] = {
    "an empty file": (lambda path: path.write_bytes(b""), MALFORMED),
    "100 MB of zeros": (_zeros, MALFORMED),
    "a page of zeros": (lambda path: path.write_bytes(bytes(4096)), MALFORMED),
    "a truncated PDF": (_truncated, MALFORMED),
    "a directory": (lambda path: path.mkdir(), MALFORMED),
    "a missing file": (lambda _: None, MALFORMED),
    "an archive": (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 9), MALFORMED),
    "noise": (lambda path: path.write_bytes(bytes(range(256)) * 64), MALFORMED),
    "a pipe": (os.mkfifo, MALFORMED),
}


@pytest.mark.parametrize("verb", ["receive", "triage"])
@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_that_is_none_is_refused(office: Office, tmp_path: Path, name: str, verb: str) -> None:
    """No case is opened for it; the next paper is received."""
    make, code = PAPERS[name]
    path = tmp_path / "paper"
    make(path)
    says(called(verb, path, environment=here(office)), code)
    assert cases(office) == []
    whole(office)
    if verb == "receive":
        assert called(verb, EXAMPLES / "mail" / "order.eml", environment=here(office)).code == 0
        assert len(cases(office)) == 1


def _with_target(kind: str, value: str = "word") -> str:
    return GOOD_FACTS.replace('kind = "account"', f'kind = "{kind}"').replace(EVA, value)


FACTS: dict[str, tuple[str, int, str]] = {
    "no target": (GOOD_FACTS.replace(TARGET, ""), MALFORMED, "target"),
    "an empty list of targets": (GOOD_FACTS.replace(TARGET, "target = []"), REFUSED, "target"),
    "a target that is a table": (GOOD_FACTS.replace("[[target]]", "[target]"), MALFORMED, "[[target]]"),
    "an empty value": (_with_target("account", ""), MALFORMED, "1 to 320 characters"),
    "a wildcard": (_with_target("account", "@*:chat.example"), REFUSED, "wildcard"),
    "an area": (_with_target("area"), REFUSED, "an area"),
    "a keyword": (_with_target("keyword"), REFUSED, "a search word"),
    "a room": (_with_target("room"), REFUSED, "everyone in a room"),
    "a tower": (_with_target("tower"), REFUSED, "a cell tower"),
    "all users": (_with_target("all"), REFUSED, "all users who share a property"),
    "an unknown kind": (_with_target("mood"), MALFORMED, "mood"),
    "101 targets": (GOOD_FACTS + "".join(TARGET.replace(EVA, f"@n{n}:x") for n in range(100)), REFUSED, "100"),
    "one target twice": (GOOD_FACTS + TARGET, MALFORMED, ""),
    "no category": (re.sub("categories = .*", "categories = []", GOOD_FACTS), MALFORMED, ""),
    "an unknown category": (GOOD_FACTS.replace('"traffic"', '"opinions"'), MALFORMED, "opinions"),
    "an unknown key": (f"area = 1\n{GOOD_FACTS}", MALFORMED, "unknown: ['area']"),
    "an unknown key of a target": (f"{GOOD_FACTS}radius = 5\n", MALFORMED, "[[target]]"),
    "a duplicate key": (f'kind = "disclosure"\n{GOOD_FACTS}', MALFORMED, "not TOML"),
    "no TOML": ("Dear colleagues, please find attached", MALFORMED, "not TOML"),
    "nothing": ("", MALFORMED, "Missing"),
    "a window that ends before it begins": (
        GOOD_FACTS.replace("until = 2026-09-01", "until = 2026-08-01"), MALFORMED, ""),
    "a time without zone": (GOOD_FACTS.replace("T00:00:00Z", "T00:00:00"), MALFORMED, ""),
    "a country in words": (GOOD_FACTS.replace('"US"', '"United States"'), MALFORMED, "two-letter"),
    "endless nesting": ("a = " + "[" * 100_000, MALFORMED, "not TOML"),
}  # fmt: skip


@pytest.mark.parametrize("name", FACTS)
def test_a_demand_without_named_targets_is_never_read(office: Office, tmp_path: Path, name: str) -> None:
    """Neither `read` nor `assess` takes the file; the paper can still be read afterwards."""
    text, code, word = FACTS[name]
    case = office.receive()
    facts = tmp_path / "facts.toml"
    facts.write_text(text)
    says(called("assess", "--facts", facts, "--on", "2026-09-03", environment=settings(None)), code, word)
    says(called("read", case, "--facts", facts, environment=here(office)), code, word)
    whole(office)
    facts.write_text(GOOD_FACTS)
    assert called("read", case, "--facts", facts, environment=here(office)).code == 0


@pytest.mark.parametrize(
    ("content", "code"), [(None, UNAVAILABLE), (b"\xff\xfe\x00", MALFORMED), (b"#" * 2**21, MALFORMED)]
)
def test_a_facts_file_that_is_no_text(
    office: Office, tmp_path: Path, content: bytes | None, code: int
) -> None:
    """A missing file, bytes that are no text, and a file that is far too large are each said to be that."""
    path = tmp_path / "facts.toml"
    if content is not None:
        path.write_bytes(content)
    says(called("assess", "--facts", path, "--on", "2026-09-03", environment=settings(None)), code)
    says(called("read", office.receive(), "--facts", path, environment=here(office)), code)


def test_an_unknown_instrument_escalates(office: Office, tmp_path: Path) -> None:
    """What no pack knows goes to counsel, and nothing can be produced for it."""
    case = office.receive()
    facts = tmp_path / "facts.toml"
    facts.write_text(GOOD_FACTS.replace('"d_order"', '"tea_leaves"'))
    found = called(
        "assess", "--facts", facts, "--on", "2026-09-03", "--json", environment=settings(None)
    ).value
    assert found["producible"] is False
    assert found["outcome"] == "escalate_to_counsel"
    assert called("read", case, "--facts", facts, environment=here(office)).code == 0
    assert called("assess", case, environment=here(office)).code == 0
    says(called("narrow", case, "t1", environment=here(office)), REFUSED)
    whole(office)


MAPS: dict[str, tuple[str, int, str]] = {
    "a room as an account": (MAP.replace('subject = "sender"', 'subject = "room_id"'), REFUSED, "room_id"),
    "a duplicate key": (MAP.replace('id = "platform"', 'id = "platform"\nid = "other"'), MALFORMED, ""),
    "no TOML": ("<map/>", MALFORMED, ""),
    "an unknown key": (MAP.replace('version = "1"', 'version = "1"\nregion = "north"'), MALFORMED, "region"),
    "an unknown category": (MAP.replace('"traffic"', '"opinions"'), MALFORMED, "tree of categories"),
    "nothing": ("", MALFORMED, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", MAPS)
def test_a_map_that_cannot_be_is_not_loaded(office: Office, tmp_path: Path, name: str) -> None:
    """Refused when it is shown, checked, named to init, and used; the installation's own map is as it was."""
    text, code, word = MAPS[name]
    path = tmp_path / "own.toml"
    path.write_text(text)
    says(called("datamap", "show", path, environment=here(office)), code, word)
    says(called("datamap", "check", path, environment=here(office)), code, word)
    says(called(*found_words(tmp_path / "new", "--datamap", path), environment=settings(None)), code, word)
    assert not (tmp_path / "new").exists()
    own = office.root / "datamaps" / "platform.toml"
    kept = own.read_text()
    own.write_text(text)
    says(called("cases", environment=here(office)), code, word)
    own.write_text(kept)
    assert called("cases", environment=here(office)).code == 0


def test_a_map_that_names_a_missing_table_is_found(office: Office, tmp_path: Path) -> None:
    """`datamap check` exits with 4, names the table, and fits again with the right map."""
    give_stores(office)
    path = tmp_path / "own.toml"
    path.write_text(MAP.replace('name = "sessions"', 'name = "seances"'))
    environment = here(office, **office.environment)
    said = called("datamap", "check", path, environment=environment)
    assert said.code == MALFORMED, said
    assert "main.seances" in said.out
    assert called("datamap", "check", environment=environment).code == 0


@pytest.fixture
def letter(office: Office) -> Path:
    """A user's letter with its receipt and its policy."""
    return next((office.root / "outbox").iterdir())


OTHER_POLICY = "log chat.example/dueprocess/1+00000000+AQAA\nquorum none\n"


@pytest.mark.stage("produced")
def test_a_receipt_that_is_none_proves_nothing(office: Office, letter: Path, tmp_path: Path) -> None:
    """Empty, cut off, changed, against a wrong policy, without one: each is an error; the true one then holds."""
    receipt, policy = letter / "receipt.json", letter / "policy.txt"
    data = receipt.read_bytes()
    other = called(*found_words(tmp_path / "other"), environment=settings(None))
    assert other.code == 0, other
    wrong: list[tuple[bytes, Path, set[int]]] = [
        (b"", policy, {MALFORMED}),
        (data[: len(data) // 2], policy, {MALFORMED}),
        (b"[]", policy, {MALFORMED}),
        (data.replace(b"d_order", b"warrant"), policy, {MALFORMED, BROKEN}),
        (data, tmp_path / "other" / "public" / "policy.txt", {MALFORMED, BROKEN}),
        (data, tmp_path / "missing.txt", {UNAVAILABLE}),
        (data, receipt, {MALFORMED}),
    ]
    for content, keys, codes in wrong:
        path = tmp_path / "receipt.json"
        path.write_bytes(content)
        said = called("verify", path, "--policy", keys, environment=settings(None))
        assert said.code in codes, said
        says(said, said.code)
    says(called("verify", tmp_path, "--policy", policy, environment=settings(None)), UNAVAILABLE)
    says(called("verify", receipt, environment=settings(None)), REFUSED, "--policy")
    says(
        called("verify", receipt, "--policy", policy, "--log", tmp_path, environment=settings(None)),
        UNAVAILABLE,
    )
    assert called("verify", receipt, "--policy", policy, environment=settings(None)).code == 0


def toml(value: object) -> str:
    """A value as TOML, on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case dt.datetime():
            return value.isoformat()
        case int():
            return str(value)
        case _:
            return json.dumps(value)


SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.booleans(), st.integers(-5, 5), st.text(max_size=8), st.just([]), st.just({})
)
NAMES = [EVA, FINN, "*", "@*:chat.example", "a?", "all", "%", "…", "", " ", "2001:db8::/32", "192.0.2.1-9"]
VALUES = st.one_of(st.sampled_from(NAMES), st.sampled_from(NAMES), st.text(max_size=12), SCALARS)
CATEGORIES = st.one_of(
    st.lists(st.sampled_from(["subscriber", "session", "traffic", "content", "everything", "*"]), max_size=3),
    SCALARS,
)
CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "kind": st.one_of(st.sampled_from([*KINDS, *REVERSE_KINDS, "everyone"]), SCALARS),
    "value": VALUES,
    "categories": CATEGORIES,
    "from": SCALARS,
    "radius": SCALARS,
    "values": SCALARS,
}


@st.composite
def targets(draw: st.DrawFn) -> dict[str, Any]:
    """A target that is right but for its value or one more key: what is wrong is then mostly wrong alone."""
    found: dict[str, Any] = {
        "kind": "account",
        "value": draw(st.sampled_from(NAMES)),
        "categories": ["subscriber"],
    }
    key = draw(st.one_of(st.none(), st.sampled_from(list(CHANGES))))
    return found if key is None else {**found, key: draw(CHANGES[key])}


BASE: dict[str, Any] = {
    "kind": "disclosure",
    "regime": "us",
    "instrument": "d_order",
    "country": "US",
    "legal_bases": ["18 USC 2703(d)"],
}


@st.composite
def facts_files(draw: st.DrawFn) -> str:
    """A facts file that is almost right: keys lost, keys too many, any number of targets of any kind."""
    change = draw(st.sampled_from(["none", "none", "none", "lost", "more", "asked"]))
    lost = draw(st.sampled_from([*BASE, "target"])) if change == "lost" else None
    keys = st.sampled_from(["elements", "emergency", "area", "keyword", "identifies", "due_on"])
    more = draw(st.dictionaries(keys, SCALARS, max_size=1)) if change == "more" else {}
    asked = draw(
        st.one_of(targets(), SCALARS, st.integers(98, 103).map(many))
        if change == "asked"
        else st.lists(targets(), max_size=2)
    )
    found = {key: value for key, value in {**BASE, **more, "target": asked}.items() if key != lost}
    return "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in found.items())


def many(number: int) -> list[dict[str, Any]]:
    return [
        {"kind": "account", "value": f"@n{each}:chat.example", "categories": ["subscriber"]}
        for each in range(number)
    ]


def names_people(text: str) -> bool:
    """Reads a facts file; says whether a demand came of it, and fails where its targets are not exactly named."""
    received = dt.datetime(2026, 9, 3, tzinfo=dt.UTC)
    try:
        demand, _ = parse_facts(text, received_at=received, nonce=bytes(32))
    except (MalformedError, RefusedError):
        return False
    items = demand.scope.items
    assert 1 <= len(items) <= 100
    for item in items:
        assert item.target.kind in KINDS
        assert item.target.value.strip()
        assert item.target.kind == "content_url" or not re.search(r"[*?%…]|\.\.\.", item.target.value)
        assert json.dumps(item.target.value) in text
    assert len({item.target for item in items}) == len(items)
    return True


@given(facts_files())
@hypothesis_settings(max_examples=400, deadline=None)
def test_no_facts_file_yields_a_demand_without_named_targets(text: str) -> None:
    """Whatever keys and targets a file has: a demand of 1 to 100 exactly named targets, or an error."""
    names_people(text)


@given(st.one_of(st.text(max_size=200), st.text(max_size=40).map(lambda each: GOOD_FACTS + each)))
@hypothesis_settings(max_examples=200, deadline=None)
def test_no_text_yields_a_demand_without_named_targets(text: str) -> None:
    """Any text at all: an error of the two families that a parser of foreign words may raise, or named targets."""
    try:
        demand, _ = parse_facts(text, received_at=dt.datetime(2026, 9, 3, tzinfo=dt.UTC), nonce=bytes(32))
    except (MalformedError, RefusedError):
        return
    assert [item.target.value for item in demand.scope.items] == [EVA]


def test_the_generated_files_are_not_all_refused() -> None:
    """The property above is not empty: a file with one and with a hundred named accounts is read."""
    for number in (1, 100):
        assert names_people(
            "".join(f"{key} = {toml(value)}\n" for key, value in {**BASE, "target": many(number)}.items())
        )
    assert not names_people(
        "".join(f"{key} = {toml(value)}\n" for key, value in {**BASE, "target": many(101)}.items())
    )
