"""Formats of the answer package: BagIt texts, rows as JSON lines and CSV, evidence, minimisation statement.

Bytes in, bytes out: nothing here opens a file, and nothing encrypts. The packing is in `production`.
"""

from dueprocess.parcel.bag import BAGIT_TXT, Entry, bag_label, check_path, manifest
from dueprocess.parcel.evidence import Evidence, case_jsonld
from dueprocess.parcel.rows import CONTROL_NUMBER, cell, control_number, csv_line, json_line, plain, safe
from dueprocess.parcel.statement import CategoryLine, Statement, Status, TableResult, statement_html

__all__ = [
    "BAGIT_TXT",
    "CONTROL_NUMBER",
    "CategoryLine",
    "Entry",
    "Evidence",
    "Statement",
    "Status",
    "TableResult",
    "bag_label",
    "case_jsonld",
    "cell",
    "check_path",
    "control_number",
    "csv_line",
    "json_line",
    "manifest",
    "plain",
    "safe",
    "statement_html",
]
