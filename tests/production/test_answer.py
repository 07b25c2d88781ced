"""From plan to parcel on each engine: what was authorised is in it, and nothing else is."""

import dataclasses
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

import pypdf
import pyrage
import pytest

from dueprocess.demand import UNBOUNDED
from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.parcel import TableResult
from dueprocess.plan import Plan
from dueprocess.production.answer import Answer, Answered, produce_answer, run_plan

EVERYTHING = (
    "subscriber.identity",
    "subscriber.service",
    "session",
    "traffic",
    "content.messages",
    "content.files",
)


type Produced = tuple[dict[str, bytes], dict[str, TableResult], Answered]
type Run = Callable[[Any, Plan], Produced]


def opened(ciphertext: bytes, officer: pyrage.x25519.Identity) -> dict[str, bytes]:
    """Every file of a decrypted parcel by its path without the top folder."""
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(ciphertext, [officer]))) as bag:
        files = {member.name.partition("/")[2]: bag.extractfile(member) for member in bag.getmembers()}
        return {path: file.read() for path, file in files.items() if file is not None}


@pytest.fixture
def produce(answer: Callable[[Plan], Answer], officer: pyrage.x25519.Identity) -> Run:
    """Runs a plan on a platform and opens the parcel: files by path, and results by table."""

    def run(host: Any, plan: Plan) -> Produced:
        out = io.BytesIO()
        answered = produce_answer(plan, host.stores(), answer(plan), out)
        return (
            opened(out.getvalue(), officer),
            {result.table: result for result in answered.results},
            answered,
        )

    return run


def test_everything_authorised_is_there_and_no_canary(host: Any, produce: Run) -> None:
    """Other people's rows, rows outside the window, unlisted columns and third parties appear in no member."""
    files, results, _ = produce(host, host.plan(*EVERYTHING))
    assert {table: (result.status, result.rows) for table, result in results.items()} == {
        "accounts": ("found", 1),
        "sessions": ("found", 2),
        "bodies": ("found", 1),
        "uploads": ("failed", 1),
    }
    assert not [path for path, content in files.items() if b"CANARY" in content or "CANARY" in path]
    sessions = [json.loads(line) for line in files["data/main/sessions.0001.jsonl"].splitlines()]
    assert [(row["control_number"], row["ip"]) for row in sessions] == [
        ("7F3K-000002", "192.0.2.2"),
        ("7F3K-000003", "192.0.2.1"),
    ]
    assert b'"\'=cmd()"' in files["data/main/sessions.0001.csv"]
    body = json.loads(json.loads(files["data/main/bodies.0001.jsonl"])["body"])
    assert body == {"text": "kept", "mentions": {"users": "[withheld: other people]"}}
    assert files["data/media/files/7F3K-000005_aabbcc"] == b"eva's file"
    assert results["uploads"].why.startswith("1 of 2 files could not be read: 7F3K-000006 (it is not there)")


def test_only_columns_of_authorised_categories_are_there(host: Any, produce: Run) -> None:
    """With traffic alone, neither times nor identity nor content leave."""
    files, results, _ = produce(host, host.plan("traffic"))
    assert list(results) == ["sessions"]
    rows = [json.loads(line) for line in files["data/main/sessions.0001.jsonl"].splitlines()]
    assert [set(row) for row in rows] == [{"control_number", "ip", "agent"}] * 2
    everything = b"".join(content for path, content in files.items() if path.startswith("data/main"))
    assert b"eva@mail.example" not in everything
    assert not [path for path in files if "bodies" in path or "files" in path]
    page = files["data/index.html"].decode()
    assert "not collected: not authorised by the decision" in page
    assert "<bdi>sessions</bdi></td><td><bdi>found 2 records</bdi>" in page


def test_an_account_that_is_not_there_holds_nothing(host: Any, produce: Run) -> None:
    """The parcel is then complete and empty, and every table says so."""
    files, results, answered = produce(host, host.plan("traffic", value="@chi:host.example"))
    assert not answered.subject_found
    assert {result.words for result in results.values()} == {"nothing held"}
    assert not [path for path in files if path.startswith("data/main")]


def test_without_a_window_no_dated_row_is_read(host: Any, produce: Run) -> None:
    """Identity alone may be authorised without ends; sessions are then untouched."""
    files, results, _ = produce(host, host.plan("subscriber.identity", period=UNBOUNDED))
    assert list(results) == ["accounts"]
    assert json.loads(files["data/main/accounts.0001.jsonl"])["email"] == "eva@mail.example"


def test_two_accounts_for_one_target_are_refused_without_a_count(unbuilt: Any, produce: Run) -> None:
    """The refusal does not say whether there were two or two hundred."""
    accounts = unbuilt.tables["accounts"]
    accounts.unique = ()
    said = []
    for copies in (1, 5):
        accounts.rows += [accounts.rows[0]] * copies
    unbuilt.build()
    with pytest.raises(RefusedError) as caught:
        produce(unbuilt, unbuilt.plan("traffic"))
    said.append(str(caught.value))
    assert caught.value.code == "ambiguous-target"
    assert not any(character.isdigit() for character in said[0].replace("1.1", ""))


def test_a_missing_table_fails_and_the_others_go_on(unbuilt: Any, produce: Run) -> None:
    """A dropped table is told; the rest of the answer is complete."""
    del unbuilt.tables["sessions"]
    unbuilt.build()
    files, results, _ = produce(unbuilt, unbuilt.plan("traffic", "subscriber.identity"))
    assert results["sessions"].status == "failed"
    assert "no table sessions" in results["sessions"].why
    assert results["accounts"].status == "found"
    assert b"not sent" in files["data/queries.sql"]
    assert "FAILED: The store &#x27;main&#x27; has no table sessions." in files["data/index.html"].decode()


def test_more_rows_than_the_cap_fail_and_none_leaves(unbuilt: Any, produce: Run) -> None:
    """Never a silent cut: one record beyond the cap, and the table gives nothing but the reason."""
    row = unbuilt.tables["sessions"].rows[0]
    unbuilt.tables["sessions"].rows += [row] * 99
    unbuilt.build()
    files, results, _ = produce(unbuilt, unbuilt.plan("traffic"))
    assert results["sessions"].status == "failed"
    assert "more than 100 records" in results["sessions"].why
    assert not [path for path in files if "sessions" in path]


def test_as_many_rows_as_the_cap_are_found(unbuilt: Any, produce: Run) -> None:
    """The cap itself is allowed."""
    row = unbuilt.tables["sessions"].rows[0]
    unbuilt.tables["sessions"].rows += [row] * 98
    unbuilt.build()
    _, results, _ = produce(unbuilt, unbuilt.plan("traffic"))
    assert (results["sessions"].status, results["sessions"].rows) == ("found", 100)


def test_a_path_that_fans_out_is_refused(unbuilt: Any, produce: Run) -> None:
    """If one key belongs to two people, no body leaves for either."""
    posts = unbuilt.tables["posts"]
    posts.unique = ()
    posts.rows.append((1, "@dana:host.example", posts.rows[0][2]))
    unbuilt.build()
    files, results, _ = produce(unbuilt, unbuilt.plan("content.messages"))
    assert results["bodies"].status == "failed"
    assert "not unique" in results["bodies"].why
    assert not [path for path in files if "bodies" in path]


def test_third_parties_hide_in_no_text_that_is_not_json(unbuilt: Any, produce: Run) -> None:
    """What cannot be read cannot be cleaned: the table fails, the text stays."""
    unbuilt.tables["bodies"].rows[0] = (1, "CANARY-THIRD but not JSON", None)
    unbuilt.build()
    files, results, _ = produce(unbuilt, unbuilt.plan("content.messages"))
    assert results["bodies"].status == "failed"
    assert not [path for path, content in files.items() if b"CANARY" in content]


def test_an_unreachable_store_stops_only_what_lives_there(small: Any, produce: Run) -> None:
    """Without the media folder the rows still come; without the accounts' store nothing can be asked."""
    (small.folder / "media").rename(small.folder / "away")
    _, results, _ = produce(small, small.plan("traffic", "content.files"))
    assert results["sessions"].status == "found"
    assert "folder" in results["uploads"].why
    small.dsn = f"sqlite:///{small.folder}/nowhere.sqlite"
    with pytest.raises(UnavailableError) as caught:
        produce(small, small.plan("traffic"))
    assert caught.value.code == "store-unavailable"


def test_values_stand_beside_the_decision_and_not_in_the_queries(host: Any, produce: Run) -> None:
    """queries.sql has places; the account and the window stand in decision.json."""
    files, _, _ = produce(host, host.plan("traffic"))
    assert b"@eva" not in files["data/queries.sql"]
    assert b'WHERE t0."account" = ' in files["data/queries.sql"]
    assert json.loads(files["data/decision.json"]) == {
        "decision": {"v": 1},
        "bound": {"target": "@eva:host.example", "window": ["2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z"]},
    }


def test_a_changed_map_is_refused_before_a_store_is_opened(
    small: Any, answer: Callable[[Plan], Answer]
) -> None:
    """What was approved is what is read: one more listed column, and the plan no longer runs."""
    plan = small.plan("traffic")
    out = io.BytesIO()
    good = run_plan(plan, small.datamap(), small.environment(), answer(plan), out)
    assert good.packed.size == len(out.getvalue())
    small.text = small.text.replace("ip = {", 'note = { category = "traffic" }\nip = {')
    with pytest.raises(RefusedError) as caught:
        run_plan(plan, small.datamap(), {}, answer(plan), io.BytesIO())
    assert caught.value.code == "map-changed"


EVERY_FILE = {
    "data/index.html",
    "data/index.pdf",
    "data/statement.json",
    "data/queries.sql",
    "data/decision.json",
    "data/case.jsonld",
    "data/certificate.pdf",
}


def test_everything_that_explains_stands_beside_the_records(small: Any, produce: Run) -> None:
    """For people twice, for programs, for a court; and each says the same of an entry that failed."""
    files, _, _ = produce(small, small.plan(*EVERYTHING))
    assert set(files) >= EVERY_FILE
    statement = json.loads(files["data/statement.json"])
    failed = [each for each in statement["entries"] if each["status"] == "failed"]
    assert [each["table"] for each in failed] == ["uploads"]
    assert "1 of 2 files could not be read" in failed[0]["why"]
    assert b"1 entry of 4 failed" in files["data/index.html"]
    assert "1entryof4failed" in squeezed(files["data/index.pdf"])
    assert "Failed:1;" in squeezed(files["data/certificate.pdf"])
    graph = json.loads(files["data/case.jsonld"])["@graph"]
    read = [node["core:name"] for node in graph if str(node.get("core:name", "")).startswith("read ")]
    assert len(read) == 4


def squeezed(pdf: bytes) -> str:
    return "".join("".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).split())


def test_the_certificate_binds_every_other_file(small: Any, produce: Run) -> None:
    """Its digest is that of the manifest without its own line, and any changed file gives another."""
    files, _, _ = produce(small, small.plan("traffic", "content.files"))
    lines = files["manifest-sha256.txt"].decode().splitlines(keepends=True)
    others = [line for line in lines if not line.endswith("  data/certificate.pdf\n")]
    assert len(lines) - len(others) == 1
    digest = hashlib.sha256("".join(others).encode()).hexdigest()
    assert squeezed(files["data/certificate.pdf"]).count(digest) == 2


@pytest.mark.parametrize(("country", "said"), [("US", "902(14)"), ("DE", "Attestationofcopies")])
def test_the_authoritys_country_chooses_the_certificate(
    small: Any, answer: Callable[[Plan], Answer], officer: pyrage.x25519.Identity, country: str, said: str
) -> None:
    """A federal court gets the federal form, everybody else the neutral one."""
    plan, out = small.plan("traffic"), io.BytesIO()
    produce_answer(plan, small.stores(), dataclasses.replace(answer(plan), country=country), out)
    assert said in squeezed(opened(out.getvalue(), officer)["data/certificate.pdf"])


def test_two_builds_of_one_case_give_the_same_files(small: Any, produce: Run) -> None:
    """Every byte of the bag: nothing in our own files tells the machine or the moment of the build."""
    plan = small.plan(*EVERYTHING)
    first, _, _ = produce(small, plan)
    second, _, _ = produce(small, plan)
    assert first == second


def test_a_category_knows_its_columns(small: Any, answer: Callable[[Plan], Answer]) -> None:
    """So that what was redacted in one column is told beside its category and no other."""
    lines = {line.name: line for line in answer(small.plan(*EVERYTHING)).statement.categories}
    assert lines["content.messages"].columns == (("main", "bodies", "body"),)
    assert lines["traffic"].columns == (("main", "sessions", "ip"), ("main", "sessions", "agent"))
    assert lines["location"].columns == ()


def test_what_was_taken_out_is_summed_and_told(small: Any, produce: Run) -> None:
    """By column and rule with the reason in words; beside the category that the column counts under."""
    files, _, _ = produce(small, small.plan("content.messages"))
    statement = json.loads(files["data/statement.json"])
    (redaction,) = statement["redactions"]
    where = {name: redaction[name] for name in ("store", "table", "column", "rule", "records", "places")}
    assert where == {
        "store": "main",
        "table": "bodies",
        "column": "body",
        "rule": "redact:mentions.users",
        "records": 1,
        "places": 1,
    }
    line = next(each for each in statement["categories"] if each["category"] == "content.messages")
    assert (line["held"], line["records"], line["redacted_places"]) == ("yes", 1, 1)
    assert b"1 place about other people, by rule" in files["data/index.html"]


def test_files_are_counted_as_files(small: Any, produce: Run) -> None:
    """Not as records: a photograph is no row."""
    files, _, _ = produce(small, small.plan("traffic", "content.files"))
    statement = json.loads(files["data/statement.json"])
    assert [(each["table"], each["files"]) for each in statement["entries"]] == [
        ("sessions", False),
        ("uploads", True),
    ]
    assert b"This package holds 2 records and 1 file." in files["data/index.html"]
