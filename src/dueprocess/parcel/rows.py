"""Rows as JSON lines and as CSV: one record, one control number, nothing that a spreadsheet would run.

JSON is the canonical form. CSV is for reading: a text that a spreadsheet could take for a formula gets an
apostrophe in front.

Source: OWASP ASVS 5.0 V1.2.10 (CSV injection); RFC 4180.
"""

import csv
import datetime as dt
import decimal
import io
import json
import math
import re
from collections.abc import Mapping, Sequence

from dueprocess.errors import MalformedError
from dueprocess.wire import b64, instant

CONTROL_NUMBER = "control_number"
_FORMULA = re.compile(r"\s*[=+\-@\t\r\0＝＋－＠]")
_PREFIX = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}")


def control_number(prefix: str, number: int) -> str:
    """``7F3K-000001``: the parcel's four characters, then the record's number from 1, at least six digits.

    Refuses a prefix with I, L, O or U, which are misread on paper. Source: Crockford's base 32.
    """
    if not _PREFIX.fullmatch(prefix) or number < 1:
        raise MalformedError("bad-control-number", "A control number has four characters and counts from 1.")
    return f"{prefix}-{number:06d}"


def plain(value: object) -> object:
    """A value of a store as JSON can say it: exact numbers as text, times in UTC, bytes in base64.

    A time without a zone counts as UTC.
    """
    if value is None or isinstance(value, bool | int | str):
        return _whole_text(value) if isinstance(value, str) else value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dt.datetime):
        return instant(value if value.tzinfo else value.replace(tzinfo=dt.UTC))
    if isinstance(value, bytes | bytearray | memoryview):
        return {"base64": b64(bytes(value))}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return _exact(value)


def _exact(value: object) -> str:
    """Decimals, dates, UUIDs and whatever else an engine has: as text, never as an approximation."""
    if isinstance(value, decimal.Decimal):
        return format(value, "f") if value.is_finite() else str(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return _whole_text(str(value))


def _whole_text(text: str) -> str:
    """Text that has UTF-8: a lone surrogate becomes the replacement character."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


def json_line(row: Mapping[str, object]) -> bytes:
    """One record as one line of JSON, keys in the order of the columns."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def csv_line(values: Sequence[object]) -> bytes:
    """One record as one CSV line, every cell quoted, every text formula-safe."""
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([cell(each) for each in values])
    return line.getvalue().encode()


def cell(value: object) -> str:
    """A plain value as the text of a CSV cell. Numbers stay numbers; NULL is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return safe(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def safe(text: str) -> str:
    """The text with an apostrophe in front if a spreadsheet could take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text
