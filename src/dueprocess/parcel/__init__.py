"""Formats of the answer package: BagIt texts, rows as JSON lines and CSV, evidence, statement, certificate, manifest.

Bytes in, bytes out: nothing here opens a file, and nothing encrypts. The packing is in `production`.
"""

from dueprocess.parcel.bag import BAGIT_TXT, Entry, bag_label, check_path, manifest
from dueprocess.parcel.certificate import (
    CERTIFICATE,
    CertificateFacts,
    certificate_page,
    form_for,
    payload_sha256,
)
from dueprocess.parcel.evidence import Evidence, began_at, case_jsonld
from dueprocess.parcel.page import Block, Page, page_html, visible
from dueprocess.parcel.rows import CONTROL_NUMBER, cell, control_number, csv_line, json_line, plain, safe
from dueprocess.parcel.statement import (
    NOT_NOTHING,
    Account,
    CategoryLine,
    RedactionCount,
    SourceNote,
    Statement,
    Status,
    TableResult,
    statement_json,
    summed,
)
from dueprocess.parcel.statement_page import statement_html, statement_page

__all__ = [
    "BAGIT_TXT",
    "CERTIFICATE",
    "CONTROL_NUMBER",
    "NOT_NOTHING",
    "Account",
    "Block",
    "CategoryLine",
    "CertificateFacts",
    "Entry",
    "Evidence",
    "Page",
    "RedactionCount",
    "SourceNote",
    "Statement",
    "Status",
    "TableResult",
    "bag_label",
    "began_at",
    "case_jsonld",
    "cell",
    "certificate_page",
    "check_path",
    "control_number",
    "csv_line",
    "form_for",
    "json_line",
    "manifest",
    "page_html",
    "payload_sha256",
    "plain",
    "safe",
    "statement_html",
    "statement_json",
    "statement_page",
    "summed",
    "visible",
]
