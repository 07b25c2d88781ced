"""BagIt texts: what a manifest says, and what may never stand in one."""

import datetime as dt
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.parcel import BAGIT_TXT, Entry, bag_label, check_path, manifest

ON = dt.date(2026, 11, 22)
DIGEST = hashlib.sha256(b"").hexdigest()


def test_the_declaration_is_the_one_of_the_standard() -> None:
    """RFC 8493 section 2.1.1 gives these two lines."""
    assert BAGIT_TXT == b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def test_a_manifest_has_one_line_a_file_sorted() -> None:
    """Digest, two spaces, path; the order does not depend on the order of making."""
    entries = [Entry("data/b", 1, "b" * 64), Entry("data/a", 1, "a" * 64)]
    assert manifest(entries) == b"a" * 64 + b"  data/a\n" + b"b" * 64 + b"  data/b\n"
    assert manifest([]) == b""


def test_bag_info_counts_octets_and_files() -> None:
    """Payload-Oxum is the sum of sizes, a dot, the number of files."""
    entries = [Entry("data/a", 3, DIGEST), Entry("data/b", 4, DIGEST)]
    text = bag_label(entries, on=ON, fields={"External-Identifier": "7F3K"}).decode()
    assert text == "Bagging-Date: 2026-11-22\nPayload-Oxum: 7.2\nExternal-Identifier: 7F3K\n"


@pytest.mark.parametrize(
    "fields", [{"Bad label": "x"}, {"A": "x\nB: y"}, {"A": ""}, {"Payload-Oxum": "0.0"}, {"": "x"}]
)
def test_a_field_cannot_begin_another_line(fields: dict[str, str]) -> None:
    """Labels are plain, values are one line, and the two computed fields cannot be given."""
    with pytest.raises(MalformedError):
        bag_label([], on=ON, fields=fields)


@pytest.mark.parametrize(
    "path", ["", "/a", "a/", "a//b", "a/../b", "./a", "a b", "a\nb", "ä", "a%0Ab", "a\\b"]
)
def test_a_path_is_relative_and_plain(path: str) -> None:
    """Nothing that leaves the bag, needs encoding or hides gets a line."""
    with pytest.raises(MalformedError):
        check_path(path)


def test_two_files_cannot_share_a_path() -> None:
    """Not even on a file system that folds case."""
    with pytest.raises(MalformedError, match="same path"):
        manifest([Entry("data/A", 1, DIGEST), Entry("data/a", 1, DIGEST)])


@given(st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_a_path_that_is_let_in_stays_inside(path: str) -> None:
    """Whatever the text: accepted paths have only plain steps, everything else is malformed."""
    try:
        accepted = check_path(path)
    except MalformedError:
        return
    assert accepted == path
    assert ".." not in accepted.split("/")
    assert accepted.isascii()
