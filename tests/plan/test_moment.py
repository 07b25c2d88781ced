"""An address at a time is one address, at most one port, and one instant."""

import datetime as dt
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.plan import Moment, parse_moment

TEN = dt.datetime(2026, 9, 1, 10, tzinfo=dt.UTC)
FOUR, SIX = ipaddress.ip_address("198.51.100.7"), ipaddress.ip_address("2001:db8::1")


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("198.51.100.7 2026-09-01T10:00:00Z", Moment(FOUR, None, TEN)),
        ("198.51.100.7:40001 2026-09-01T12:00:00+02:00", Moment(FOUR, 40001, TEN)),
        ("[2001:db8::1]:1 2026-09-01T10:00:00Z", Moment(SIX, 1, TEN)),
        ("[2001:DB8:0::1] 2026-09-01T10:00:00Z", Moment(SIX, None, TEN)),
        ("2001:db8::1 2026-09-01T10:00:00.5Z", Moment(SIX, None, TEN + dt.timedelta(milliseconds=500))),
    ],
)
def test_its_forms(value: str, moment: Moment) -> None:
    """With and without a port, of both versions, in any zone; the window is the one microsecond."""
    assert parse_moment(value) == moment
    assert moment.window.since == moment.at


BAD = [
    "", "198.51.100.7", "2026-09-01T10:00:00Z", "198.51.100.7 2026-09-01T10:00:00", "198.51.100.7 2026-09-01",
    "198.51.100.0/24 2026-09-01T10:00:00Z", "198.51.100.7:0 2026-09-01T10:00:00Z",
    "198.51.100.7:65536 2026-09-01T10:00:00Z", "198.51.100.7:1-9 2026-09-01T10:00:00Z",
    "198.51.100.999 2026-09-01T10:00:00Z", "198.51.100.7 2026-13-01T10:00:00Z",
    "198.51.100.7 2026-09-01T10:00:00Z 2026-09-01T11:00:00Z", "[198.51.100.7]:1 2026-09-01T10:00:00Z",
    "198.51.100.7 9999-12-31T23:59:59.999999Z", "198.51.100.7 0001-01-01T00:00:00+10:00",
    "198.51.100.7 2026-09-01T10:00:00Z\n", "198.51.100.007 2026-09-01T10:00:00Z",
]  # fmt: skip


@pytest.mark.parametrize("value", BAD)
def test_nothing_wider_or_vaguer_has_a_form(value: str) -> None:
    """No range of addresses, ports or times, no time without a zone, no time alone."""
    with pytest.raises(MalformedError, match="one exact address"):
        parse_moment(value)


def test_where_people_share_an_address_its_port_is_named() -> None:
    """Without it several of them could be meant."""
    assert parse_moment("198.51.100.7:9 2026-09-01T10:00:00Z", shared=True).port == 9
    with pytest.raises(MalformedError, match="the port"):
        parse_moment("198.51.100.7 2026-09-01T10:00:00Z", shared=True)


@given(st.text())
def test_any_text_is_a_moment_or_malformed(value: str) -> None:
    """Nothing else comes out of the parser."""
    try:
        assert parse_moment(value).at.tzinfo is not None
    except MalformedError:
        return
