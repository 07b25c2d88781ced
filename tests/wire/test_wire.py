"""Bytes that are hashed or signed: one form for each value, and only `MalformedError` for what has none."""

import base64
import datetime as dt
import json
import string
from collections.abc import Callable
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.wire import (
    b64,
    canonical,
    digest_of,
    instant,
    lp,
    parse_instant,
    parse_json,
    sha256,
    sha256_hex,
    unb64,
    unhex,
)

SAFE = 2**53 - 1
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def _code(act: Callable[[], Any]) -> str:
    with pytest.raises(MalformedError) as caught:
        act()
    return caught.value.code


# ------------------------------------------------------------------ canonical JSON


# The examples of RFC 8785, copied by hand from its text and cut down to what holds no fraction.
RFC_8785: list[tuple[str, str, bytes]] = [
    (
        "section 3.2.3, sorting of property names",
        r"""{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
            "\u00f6": "Latin Small Letter O With Diaeresis"}""",
        (b'{"\\r":"Carriage Return","1":"One","\xc2\x80":"Control",'
        b'"\xc3\xb6":"Latin Small Letter O With Diaeresis","\xe2\x82\xac":"Euro Sign",'
        b'"\xf0\x9f\x98\x80":"Emoji: Grinning Face","\xef\xac\xb3":"Hebrew Letter Dalet With Dagesh"}'),
    ),
    (
        "section 3.2.2, strings and literals",
        r"""{"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}""",
        b'{"literals":[null,true,false],"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    ),
    (
        "section 3.2.4, the bytes of that example, in hexadecimal",
        r"""{"literals": [null, true, false]}""",
        bytes.fromhex("7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72 75 65 2c 66 61 6c 73 65 5d 7d"),
    ),
    ("appendix B, zero and minus zero as an integer", "[0, -0]", b"[0,0]"),
    ("appendix B, the largest safe integers", "[9007199254740991, -9007199254740991]",
     b"[9007199254740991,-9007199254740991]"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given_text", "wanted"), [row[1:] for row in RFC_8785], ids=[row[0] for row in RFC_8785]
)
def test_the_examples_of_rfc_8785_come_out_byte_for_byte(given_text: str, wanted: bytes) -> None:
    """Parsed and written again, each example of the specification has the bytes that it prints."""
    assert canonical(parse_json(given_text)) == wanted


def _escaped(character: str) -> str:
    short = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    return short.get(character) or (f"\\u{ord(character):04x}" if character < " " else character)


def _second_writer(value: Any) -> str:
    """RFC 8785 without numbers that have a fraction, written from its text and from nothing else."""
    if isinstance(value, bool) or value is None:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(map(_escaped, value)) + '"'
    if isinstance(value, list):
        return "[" + ",".join(map(_second_writer, value)) + "]"
    keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return "{" + ",".join(f"{_second_writer(key)}:{_second_writer(value[key])}" for key in keys) + "}"


@given(JSON)
@settings(max_examples=300, deadline=None)
def test_a_second_writer_agrees_on_every_byte(value: Any) -> None:
    """An independent implementation gives the same bytes, and reading them gives the value."""
    assert canonical(value) == _second_writer(value).encode()
    assert parse_json(canonical(value)) == value


ASCII = st.text(st.characters(max_codepoint=127), max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | TEXT | ASCII,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ASCII | TEXT, inner, max_size=6),
    max_leaves=30,
)


@given(PLAIN)
@settings(max_examples=400, deadline=None)
def test_the_faster_writer_gives_the_bytes_of_the_other(value: Any) -> None:
    """Where Python's own writer is used, its bytes are those of the library for RFC 8785."""
    assert canonical(value) == rfc8785.dumps(value)


@given(st.dictionaries(TEXT, JSON, max_size=5))
@settings(max_examples=100, deadline=None)
def test_the_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    """Two programs that agree on a value agree on its digest."""
    assert digest_of(dict(reversed(list(value.items())))) == digest_of(value)


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        float("nan"),
        [1.0],
        {"a": [{"b": 0.5}]},
        2**53,
        -(2**53),
        "\ud800",
        {"\udfff": 1},
        {1: "a"},
        b"x",
        {"a": {1, 2}},
    ],
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    """Fractions, big integers, half characters, keys that are no text and foreign types."""
    assert _code(lambda: canonical(value)) in ("float", "not-canonical")


def test_a_tuple_with_a_fraction_inside_is_refused() -> None:
    """Tuples are written as lists, so they are searched like lists."""
    assert canonical((1, "a")) == b'[1,"a"]'  # type: ignore[arg-type]
    assert _code(lambda: canonical((1, (2.5,)))) == "float"  # type: ignore[arg-type]


def test_endless_nesting_is_malformed_both_ways() -> None:
    """A value too deep to write, and a text too deep to read, are the sender's fault, not a crash."""
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    assert _code(lambda: canonical(deep)) == "too-deep"
    assert _code(lambda: parse_json("[" * 200_000)) == "too-deep"


# ------------------------------------------------------------------ reading JSON


@given(st.binary(max_size=60) | st.text(max_size=60))
@settings(max_examples=500, deadline=None)
def test_reading_foreign_bytes_raises_malformed_and_nothing_else(data: bytes | str) -> None:
    """Whatever arrives, there is a value or a `MalformedError`."""
    try:
        parse_json(data)
    except MalformedError:
        return


@given(st.text('{}[]",:\\u0123456789abcdefE+-.eInfNatrulsd ', max_size=40))
@settings(max_examples=500, deadline=None)
def test_reading_almost_json_raises_malformed_and_nothing_else(text: str) -> None:
    """The same for texts that come close to JSON; and what is read has canonical bytes or is refused again."""
    try:
        value = parse_json(text)
        canonical(value)
    except MalformedError:
        return


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a":1,"a":2}', "duplicate-key"),
        ('[{"a":{"b":1,"b":1}}]', "duplicate-key"),
        ("1.0", "float"),
        ("[1e3]", "float"),
        ("NaN", "float"),
        ("-Infinity", "float"),
        ("9007199254740992", "big-integer"),
        ("-9007199254740992", "big-integer"),
        ("9" * 5000, "big-integer"),
        (b"\xff", "not-utf8"),
        (b"\xef\xbb\xbf{}", "not-json"),
        ("", "not-json"),
        ("{} {}", "not-json"),
        ("{'a':1}", "not-json"),
    ],
)
def test_json_is_read_strictly(text: str | bytes, code: str) -> None:
    """What two readers could read in two ways is refused."""
    assert _code(lambda: parse_json(text, "paper")) == code


# ------------------------------------------------------------------ digests and prefixes


def test_the_digest_is_sha_256() -> None:
    """The vector for `abc`. Source: FIPS 180-4, appendix B.1."""
    wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_hex(b"abc") == wanted == sha256(b"abc").hex()


@given(st.lists(TEXT, max_size=4), st.lists(TEXT, max_size=4))
@settings(max_examples=200, deadline=None)
def test_no_two_lists_of_fields_share_their_prefixed_bytes(left: list[str], right: list[str]) -> None:
    """`ab`, `c` is another message than `a`, `bc`."""
    joined = [b"".join(map(lp, fields)) for fields in (left, right)]
    assert (joined[0] == joined[1]) == (left == right)


def test_a_field_has_a_length_that_fits_and_whole_characters() -> None:
    """65,535 bytes of UTF-8 at most; half a surrogate pair is no character."""
    assert lp("é") == b"\x00\x02\xc3\xa9"
    assert len(lp("x" * 65_535)) == 65_537
    assert _code(lambda: lp("x" * 65_536)) == "too-long"
    assert _code(lambda: lp("\ud800")) == "not-utf8"


# ------------------------------------------------------------------ base64 and hex


@given(st.binary(max_size=40))
@settings(max_examples=200, deadline=None)
def test_bytes_survive_base64_and_hex(data: bytes) -> None:
    """Both are inverses, of the given length."""
    assert unb64(b64(data), length=len(data)) == data
    assert unhex(data.hex(), length=len(data)) == data


@given(st.text(max_size=20) | st.text(string.ascii_letters + string.digits + "+/=\n -_", max_size=20))
@settings(max_examples=500, deadline=None)
def test_each_byte_string_has_one_base64_text(text: str) -> None:
    """Whatever is accepted is what we would have written; everything else is malformed."""
    try:
        data = unb64(text)
    except MalformedError:
        return
    assert base64.b64encode(data).decode() == text


@pytest.mark.parametrize("text", ["QQ", "QR==", "QQ==\n", " QQ==", "Q-==", "QQ===", "é", "====", "QQ==QQ=="])
def test_loose_base64_is_refused(text: str) -> None:
    """Missing or double padding, spare bits, line ends, the other alphabet."""
    assert _code(lambda: unb64(text)) == "not-base64"


def test_bytes_of_another_length_are_refused() -> None:
    """A nonce of 31 bytes is none."""
    assert _code(lambda: unb64(b64(bytes(31)), length=32)) == "wrong-length"


@pytest.mark.parametrize(
    "text", ["", "00" * 31, "00" * 33, "0" * 63, "AA" * 32, "zz" * 32, "٠" * 64, "00" * 31 + "0\n"]
)
def test_a_digest_is_64_lower_case_hex_digits(text: str) -> None:
    """No capitals, no other digits, no line end."""
    assert _code(lambda: unhex(text)) == "not-hex"


# ------------------------------------------------------------------ instants

ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))
MOMENTS = st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1), timezones=ZONES)  # noqa: DTZ001  Hypothesis adds the zone


@given(MOMENTS)
@settings(max_examples=300, deadline=None)
def test_an_instant_survives_writing_and_reading(moment: dt.datetime) -> None:
    """Whatever zone it came in, the text is UTC and means the same instant."""
    assert parse_instant(instant(moment)) == moment
    assert instant(moment).endswith("Z")


@given(st.text(max_size=30) | st.text("0123456789-:TZ.+٢", min_size=19, max_size=27))
@settings(max_examples=500, deadline=None)
def test_each_instant_has_one_text(text: str) -> None:
    """Whatever is accepted is what we would have written; everything else is malformed."""
    try:
        moment = parse_instant(text)
    except MalformedError:
        return
    assert instant(moment) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T09:30:00",
        "2026-11-22T09:30:00+00:00",
        "2026-11-22 09:30:00Z",
        "2026-11-22T09:30Z",
        "2026-11-22T09:30:00.5Z",
        "2026-11-22T09:30:00.000000Z",
        "2026-02-30T00:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T09:30:60Z",
        "0000-01-01T00:00:00Z",
        "2026-11-22T09:30:00Z\n",
        "٢٠٢٦-11-22T09:30:00Z",
        "",
    ],
)
def test_a_time_in_another_form_is_refused(text: str) -> None:
    """Offsets, missing or idle fractions, days and hours that do not exist, other digits."""
    assert _code(lambda: parse_instant(text)) == "not-an-instant"


def test_a_time_needs_its_zone_and_a_year_that_exists_in_utc() -> None:
    """A local time is no instant; neither is one that UTC puts before the year 1."""
    assert _code(lambda: instant(dt.datetime(2026, 11, 22))) == "naive-time"  # noqa: DTZ001  what is refused here
    early = dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=14)))
    assert _code(lambda: instant(early)) == "not-an-instant"


def test_plain_json_writers_read_what_we_write() -> None:
    """Canonical bytes are ordinary JSON for everybody else."""
    value = {"b": [1, None, "é€😀"], "a": {"": True}}
    assert json.loads(canonical(value)) == value  # type: ignore[arg-type]
