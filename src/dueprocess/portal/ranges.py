"""Which bytes of a file a request asks for.

Source: RFC 9110 sections 13.1.5 (If-Range), 14.1.2 (byte ranges), 14.2 (Range).
"""

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))[ \t]*")


@dataclass(frozen=True, slots=True)
class Span:
    """From ``first``, included, to ``until``, not included. ``partial``: the client asked for a range."""

    first: int
    until: int
    partial: bool


def asked_span(ranges: list[str], if_range: list[str], etag: str, size: int) -> Span | None:
    """The bytes that a GET asks for; None where there are none of these (416).

    What is no single plain range is not heeded, as the standard allows, and everything is sent: several ranges, another
    unit, a Range that came twice, an If-Range that is not this file's strong ETag.
    """
    whole = Span(0, size, partial=False)
    if len(ranges) != 1 or (if_range and if_range != [etag]):
        return whole
    found = _ONE.fullmatch(ranges[0])
    if found is None:
        return whole
    if found[3] is not None:
        length = min(int(found[3]), size)
        return Span(size - length, size, partial=True) if length else None
    first = int(found[1])
    until = size if found[2] is None else min(int(found[2]) + 1, size)
    if found[2] is not None and int(found[2]) < first:
        return whole
    return Span(first, until, partial=True) if first < size else None
