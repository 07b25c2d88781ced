"""The evidence description names each file with its digest, and its identifiers tell nothing."""

import dataclasses
import datetime as dt
import json
import re

from dueprocess.parcel import Entry, Evidence, began_at, case_jsonld
from parcel.accounts import RESULTS, STATEMENT

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
EVIDENCE = Evidence(
    seed=b"s" * 32,
    parcel_id="7F3K",
    operator="Example Host",
    tool_version="0.1.0",
    instrument="d_order",
    order="1:26-mc-1",
    authorised_at=NOON,
    started_at=NOON,
    ended_at=NOON,
)
ENTRY = Entry("data/main/sessions.0001.jsonl", 3, "ab" * 32)


def test_each_file_stands_there_with_size_and_digest() -> None:
    """A File with FileFacet and Hash, pointed at by the action and the provenance record."""
    graph = json.loads(case_jsonld(EVIDENCE, [ENTRY]))["@graph"]
    (file,) = [node for node in graph if node["@type"] == "obs:File"]
    facet, content = file["core:hasFacet"]
    assert facet["obs:filePath"] == ENTRY.path
    assert facet["obs:sizeInBytes"]["@value"] == "3"
    assert content["obs:hash"][0]["types:hashValue"]["@value"] == ENTRY.sha256
    pointing = [node for node in graph if {"@id": file["@id"]} in node.get("core:object", [])]
    assert [node["@type"] for node in pointing] == ["inv:ProvenanceRecord"]


def test_a_parcel_without_files_points_at_none() -> None:
    """Nothing held is a description without objects, not an empty list of them."""
    graph = json.loads(case_jsonld(EVIDENCE, []))["@graph"]
    assert not [node for node in graph if node["@type"] == "obs:File"]
    action = next(node for node in graph if node["@type"] == "inv:InvestigativeAction")
    assert "action:object" not in action


def test_identifiers_follow_the_seed_and_end_in_a_uuid() -> None:
    """The same seed gives the same bytes, another seed other identifiers; all end as CASE suggests."""
    one, again = case_jsonld(EVIDENCE, [ENTRY]), case_jsonld(EVIDENCE, [ENTRY])
    other = case_jsonld(dataclasses.replace(EVIDENCE, seed=b"t" * 32), [ENTRY])
    assert one == again != other
    identifiers = re.findall(r'"kb:[A-Za-z]+-([^"]+)"', one.decode())
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", each)
        for each in identifiers
    )


PATHS = (
    "main/sessions.0001.jsonl",
    "main/sessions.0001.csv",
    "main/sessions.0002.jsonl",
    "media/files/7F3K-000005_a.0001.csv",
    "hold-3f2a9c01/sessions.0001.jsonl",
    "hand-01/bills.0001.jsonl",
    "index.html",
)
ENTRIES = [Entry(f"data/{path}", 3, "ab" * 32) for path in PATHS]


def test_each_entry_that_was_read_is_an_action_with_its_own_files() -> None:
    """What failed or held nothing is an action without files; media are not taken for rows."""
    graph = json.loads(case_jsonld(EVIDENCE, ENTRIES, RESULTS, STATEMENT.sources))["@graph"]
    nodes = {node["@id"]: node for node in graph}
    path = {
        node["@id"]: node["core:hasFacet"][0]["obs:filePath"] for node in graph if node["@type"] == "obs:File"
    }
    read = {
        node["core:name"]: node
        for node in graph
        if node["core:name" if "core:name" in node else "@id"].startswith("read ")
    }
    assert len(read) == len(RESULTS)
    files = {
        name: [
            path[file["@id"]]
            for link in node.get("action:result", [])
            for file in nodes[link["@id"]]["core:object"]
        ]
        for name, node in read.items()
    }
    assert files["read main.sessions"] == [f"data/{each}" for each in PATHS[:3]]
    assert files["read media.uploads (files)"] == ["data/media/files/7F3K-000005_a.0001.csv"]
    assert files["read hold-3f2a9c01.sessions"] == ["data/hold-3f2a9c01/sessions.0001.jsonl"]
    assert files["read main.accounts"] == files["read main.devices"] == []
    assert read["read main.devices"]["core:description"] == "failed: the store stopped"
    assert all("action:performer" in node and "action:instrument" in node for node in read.values())
    assert len(nodes) == len(graph)


def test_an_entry_of_an_interrupted_run_has_its_own_time() -> None:
    """It was read then, the others now; and the whole work began with the oldest of them."""
    early, hour = NOON - dt.timedelta(hours=5), dt.timedelta(hours=1)
    results = [RESULTS[0], dataclasses.replace(RESULTS[1], read=(early, early + hour))]
    graph = json.loads(case_jsonld(EVIDENCE, [], results))["@graph"]
    times = [
        (
            each["core:name"],
            each["action:startTime"]["@value"][11:16],
            each["action:endTime"]["@value"][11:16],
        )
        for each in graph
        if each["@type"] == "inv:InvestigativeAction"
    ]
    assert times == [
        ("produced", "07:00", "12:00"),
        ("read main.accounts", "12:00", "12:00"),
        ("read main.sessions", "07:00", "08:00"),
    ]
    assert began_at(EVIDENCE, results) == early
    assert began_at(EVIDENCE, RESULTS) == NOON


def test_a_source_that_is_no_live_store_has_its_own_record() -> None:
    """Kept by a hold or collected by hand: said, with its files where it has any."""
    graph = json.loads(case_jsonld(EVIDENCE, ENTRIES, (), STATEMENT.sources))["@graph"]
    records = [node for node in graph if node["@type"] == "inv:ProvenanceRecord"]
    said = {record["core:description"].split(" on ")[0]: record for record in records}
    assert len(records) == 4
    assert said["Kept by a hold: hold-3f2a9c01: a snapshot that was taken"]["core:object"]
    assert said["By hand: hand-01.bills: collected by hand"]["core:object"]
    assert "core:object" not in said["By hand: hand-02.letters: answered by hand"]
