"""Ranges: RFC 9110's own examples, and every header that somebody could send."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.portal.ranges import Span, asked_span

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("bytes=0-499", (0, 500)),
        ("bytes=500-999", (500, 1000)),
        ("bytes=-500", (9500, 10_000)),
        ("bytes=9500-", (9500, 10_000)),
        ("bytes=0-0", (0, 1)),
        ("bytes=-1", (9999, 10_000)),
        ("bytes=0-99999", (0, 10_000)),
        ("bytes=-99999", (0, 10_000)),
        ("bytes= 1-1 ", (1, 2)),
    ],
)
def test_the_standards_examples(asked: str, span: tuple[int, int]) -> None:
    """RFC 9110 section 14.1.2, with a file of 10,000 bytes."""
    assert asked_span([asked], [], ETAG, 10_000) == Span(*span, partial=True)


@pytest.mark.parametrize("asked", ["bytes=10000-", "bytes=10000-20000", "bytes=-0"])
def test_bytes_that_are_not_there_are_refused(asked: str) -> None:
    """Unsatisfiable: 416."""
    assert asked_span([asked], [], ETAG, 10_000) is None


@pytest.mark.parametrize(
    "asked",
    [[], ["bytes=0-1,5-6"], ["bytes=5-4"], ["rows=0-1"], ["bytes=a-b"], ["bytes=-"], ["bytes=0-1", "bytes=2-3"],
     ["bytes=٣-"]],
)  # fmt: skip
def test_what_is_no_single_plain_range_gets_everything(asked: list[str]) -> None:
    """The standard lets a server not heed a Range; it never sends a part that was not asked for."""
    assert asked_span(asked, [], ETAG, 10_000) == Span(0, 10_000, partial=False)


@pytest.mark.parametrize("validator", ['"other"', 'W/"abc"', "Sat, 05 Sep 2026 08:00:00 GMT", "abc", ""])
def test_a_range_of_another_file_gets_everything(validator: str) -> None:
    """If-Range compares strongly: a weak or another tag, or a date, starts anew."""
    assert asked_span(["bytes=1-"], [validator], ETAG, 10) == Span(0, 10, partial=False)
    assert asked_span(["bytes=1-"], [ETAG], ETAG, 10) == Span(1, 10, partial=True)


@settings(max_examples=200)
@given(st.text() | st.from_regex(r"bytes=[0-9]{0,20}-[0-9]{0,20}", fullmatch=True), st.integers(1, 10**15))
def test_no_header_leads_out_of_the_file(asked: str, size: int) -> None:
    """Whatever is asked, what is sent lies in the file and is not empty."""
    span = asked_span([asked], [], ETAG, size)
    assert span is None or 0 <= span.first < span.until <= size
