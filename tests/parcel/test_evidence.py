"""The evidence description names each file with its digest, and its identifiers tell nothing."""

import dataclasses
import datetime as dt
import json
import re

from dueprocess.parcel import Entry, Evidence, case_jsonld

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
