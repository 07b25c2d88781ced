"""Evidence description in the CASE ontology: who was authorised, what was done, which files came of it.

Source: CASE 1.x and UCO 1.x (https://caseontology.org), classes Authorization, InvestigativeAction,
ProvenanceRecord, File, Hash.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dueprocess.parcel.bag import Entry
from dueprocess.parcel.statement import SourceNote, TableResult
from dueprocess.wire import instant

CONTEXT = {
    "kb": "urn:dueprocess:kb:",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "inv": "https://ontology.caseontology.org/case/investigation/",
    "core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "obs": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "types": "https://ontology.unifiedcyberontology.org/uco/types/",
}

type Node = dict[str, object]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The facts around the files. ``seed`` makes the identifiers: unguessable, and the same every time."""

    seed: bytes
    parcel_id: str
    operator: str
    tool_version: str
    instrument: str
    order: str
    authorised_at: dt.datetime
    started_at: dt.datetime
    ended_at: dt.datetime


def case_jsonld(
    evidence: Evidence,
    entries: Sequence[Entry],
    results: Sequence[TableResult] = (),
    sources: Sequence[SourceNote] = (),
) -> bytes:
    """``case.jsonld`` for the payload files of a bag, each with its SHA-256. Ends in a newline.

    Each result of an entry is an action of its own; its files, and those of each source that is no live store, have
    a record of where they come from. An entry that failed or held nothing has an action and no files.
    """
    files = [_file(evidence, entry) for entry in entries]
    whole = replace(evidence, started_at=began_at(evidence, results))
    around = _around(whole, [_reference(file) for file in files])
    described = _described(evidence, _by_origin(entries, files), results, sources)
    graph = [*around, *described, *files]
    return json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1).encode() + b"\n"


def began_at(evidence: Evidence, results: Sequence[TableResult]) -> dt.datetime:
    """When the work began: with the oldest entry, also where that was read in a run that was interrupted."""
    return min([evidence.started_at, *(each.read[0] for each in results if each.read is not None)])


_MEMBER = re.compile(r"data/([^/]+)/(?:files/.+|(.+)\.[0-9]{4,}\.(?:jsonl|csv))")


def _by_origin(entries: Sequence[Entry], files: Sequence[Node]) -> dict[tuple[str, str | None], list[Node]]:
    """References to files by (store, entry), for media by (store, None), for a whole store by (store, empty text)."""
    found: dict[tuple[str, str | None], list[Node]] = {}
    for entry, file in zip(entries, files, strict=True):
        if match := _MEMBER.fullmatch(entry.path):
            for name in (match[2], ""):
                found.setdefault((match[1], name), []).append(_reference(file))
    return found


def _described(
    evidence: Evidence,
    origin: dict[tuple[str, str | None], list[Node]],
    results: Sequence[TableResult],
    sources: Sequence[SourceNote],
) -> list[Node]:
    """An action and a record for each entry, a record for each source that is no live store."""
    nodes: list[Node] = []
    for at, result in enumerate(results, start=1):
        name = f"{result.store}.{result.table}{' (files)' if result.files else ''}"
        action: Node = {
            **_node(evidence, "inv:InvestigativeAction", f"{at} {name}"),
            "core:name": f"read {name}",
            "core:description": result.words,
            **_acted(evidence, result.read),
        }
        nodes.append(action)
        if files := origin.get((result.store, None if result.files else result.table)):
            record = _record(evidence, f"{at} {name}", f"Files read from {name}", files)
            action["action:result"] = [_reference(record)]
            nodes.append(record)
    for note in sources:
        kind = "Kept by a hold" if note.kind == "hold" else "By hand"
        said = f"{kind}: {note.name}: {note.words}"
        nodes.append(_record(evidence, f"source {note.name}", said, origin.get((note.store, note.table), [])))
    return nodes


def _record(evidence: Evidence, name: str, description: str, files: list[Node]) -> Node:
    objects: Node = {"core:object": files} if files else {}
    return {**_node(evidence, "inv:ProvenanceRecord", name), "core:description": description, **objects}


def _acted(evidence: Evidence, read: tuple[dt.datetime, dt.datetime] | None = None) -> Node:
    """Who acted with what, and when: during this run, or when an earlier run read the entry."""
    since, until = read or (evidence.started_at, evidence.ended_at)
    return {
        "action:startTime": _time(since),
        "action:endTime": _time(until),
        "action:performer": {"@id": _identifier(evidence.seed, "identity:Organization", "operator")},
        "action:instrument": [{"@id": _identifier(evidence.seed, "tool:Tool", "tool")}],
    }


def _around(evidence: Evidence, files: list[Node]) -> list[Node]:
    authorization: Node = {
        **_node(evidence, "inv:Authorization", "authorization"),
        "core:name": f"{evidence.instrument} {evidence.order}",
        "inv:authorizationType": evidence.instrument,
        "inv:authorizationIdentifier": evidence.order,
        "core:startTime": _time(evidence.authorised_at),
    }
    organization: Node = {
        **_node(evidence, "identity:Organization", "operator"),
        "core:name": evidence.operator,
    }
    tool: Node = {
        **_node(evidence, "tool:Tool", "tool"),
        "core:name": "dueprocess",
        "tool:version": evidence.tool_version,
    }
    record = _record(evidence, "record", "Files produced in answer to the demand", files)
    record["inv:exhibitNumber"] = evidence.parcel_id
    objects: Node = {"action:object": files} if files else {}
    action: Node = {
        **_node(evidence, "inv:InvestigativeAction", "action"),
        "core:name": "produced",
        **_acted(evidence),
        **objects,
        "action:result": [_reference(record)],
    }
    investigation: Node = {
        **_node(evidence, "inv:Investigation", "investigation"),
        "core:name": f"Answer {evidence.parcel_id}",
        "inv:investigationForm": "case",
        "inv:relevantAuthorization": _reference(authorization),
        "core:object": [_reference(action)],
    }
    return [authorization, investigation, organization, tool, record, action]


def _file(evidence: Evidence, entry: Entry) -> Node:
    facet: Node = {
        **_node(evidence, "obs:FileFacet", entry.path),
        "obs:fileName": entry.path.rsplit("/", 1)[-1],
        "obs:filePath": entry.path,
        "obs:sizeInBytes": {"@type": "xsd:integer", "@value": str(entry.size)},
    }
    digest: Node = {
        **_node(evidence, "types:Hash", entry.path),
        "types:hashMethod": "SHA256",
        "types:hashValue": {"@type": "xsd:hexBinary", "@value": entry.sha256},
    }
    content: Node = {**_node(evidence, "obs:ContentDataFacet", entry.path), "obs:hash": [digest]}
    return {**_node(evidence, "obs:File", entry.path), "core:hasFacet": [facet, content]}


def _node(evidence: Evidence, kind: str, name: str) -> Node:
    return {"@id": _identifier(evidence.seed, kind, name), "@type": kind}


def _identifier(seed: bytes, kind: str, name: str) -> str:
    """``kb:File-`` and a UUID drawn from the secret seed: version 4, because CASE's shapes end at version 5.

    Source: RFC 9562 section 5.4; UCO core shape UcoThing-identifier-regex-shape.
    """
    digest = hashlib.sha256(b"\n".join((seed, kind.encode(), name.encode()))).hexdigest()
    variant = "89ab"[int(digest[16], 16) % 4]
    parts = (digest[:8], digest[8:12], f"4{digest[13:16]}", f"{variant}{digest[17:20]}", digest[20:32])
    return f"kb:{kind.split(':')[1]}-{'-'.join(parts)}"


def _reference(node: Node) -> Node:
    return {"@id": node["@id"]}


def _time(moment: dt.datetime) -> Node:
    return {"@type": "xsd:dateTime", "@value": instant(moment)}
