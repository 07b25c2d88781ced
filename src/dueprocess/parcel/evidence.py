"""Evidence description in the CASE ontology: who was authorised, what was done, which files came of it.

Source: CASE 1.x and UCO 1.x (https://caseontology.org), classes Authorization, InvestigativeAction,
ProvenanceRecord, File, Hash.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from dueprocess.parcel.bag import Entry
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


def case_jsonld(evidence: Evidence, entries: Sequence[Entry]) -> bytes:
    """``case.jsonld`` for the payload files of a bag, each with its SHA-256. Ends in a newline."""
    files = [_file(evidence, entry) for entry in entries]
    graph = [*_around(evidence, [_reference(file) for file in files]), *files]
    return json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1).encode() + b"\n"


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
    record: Node = {
        **_node(evidence, "inv:ProvenanceRecord", "record"),
        "core:description": "Files produced in answer to the demand",
        "inv:exhibitNumber": evidence.parcel_id,
        "core:object": files,
    }
    action: Node = {
        **_node(evidence, "inv:InvestigativeAction", "action"),
        "core:name": "produced",
        "action:startTime": _time(evidence.started_at),
        "action:endTime": _time(evidence.ended_at),
        "action:performer": _reference(organization),
        "action:instrument": [_reference(tool)],
        "action:object": files,
        "action:result": [_reference(record)],
    }
    investigation: Node = {
        **_node(evidence, "inv:Investigation", "investigation"),
        "core:name": f"Answer {evidence.parcel_id}",
        "inv:investigationForm": "case",
        "inv:relevantAuthorization": _reference(authorization),
        "core:object": [_reference(action)],
    }
    kept = [node if files else _without_files(node) for node in (record, action)]
    return [authorization, investigation, organization, tool, *kept]


def _without_files(node: Node) -> Node:
    return {key: value for key, value in node.items() if key not in {"core:object", "action:object"}}


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
