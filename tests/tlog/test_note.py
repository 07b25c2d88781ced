"""Signed notes: the specification's own examples, and everything that must be refused."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    COSIGNATURE,
    Note,
    Signature,
    Verified,
    Vkey,
    cosign,
    format_note,
    key_id,
    make_vkey,
    parse_note,
    parse_signatures,
    parse_vkey,
    sign_note,
    verify_note,
)
from dueprocess.wire import b64

# C2SP signed-note, "Example".
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n— example.com/foo"
    " Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
# C2SP signed-note, first example: its text holds an empty line.
POEM = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore"
    " NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
).encode()

KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"log").digest())
OTHER = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"other").digest())
LOG = make_vkey("log.example/1", KEY.public_key().public_bytes_raw())
WITNESS = make_vkey("witness.example/w1", OTHER.public_key().public_bytes_raw(), algorithm=COSIGNATURE)
TEXT = "log.example/1\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


def refused(code: str, data: bytes, *vkeys: Vkey) -> None:
    with pytest.raises(MalformedError) as caught:
        verify_note(parse_note(data), vkeys or (LOG,))
    assert caught.value.code == code


def test_the_example_of_the_specification_verifies() -> None:
    """The vkey and the note printed in the specification agree."""
    vkey = parse_vkey(VKEY)
    assert vkey.text == VKEY
    assert verify_note(parse_note(NOTE), [vkey]) == (Verified(vkey, None),)


def test_the_text_may_hold_empty_lines() -> None:
    """The last empty line separates, not the first."""
    note = parse_note(POEM)
    assert note.text.endswith("sole:\n\ned è subito sera.\n")
    assert format_note(note.text, note.signatures) == POEM


def test_a_signature_made_here_verifies_here() -> None:
    """Signing through a callable gives a note that verifies, with all bytes kept."""
    data = format_note(TEXT, [sign_note(TEXT, LOG, KEY.sign)])
    assert verify_note(parse_note(data), [LOG]) == (Verified(LOG, None),)


def test_a_cosignature_carries_its_time() -> None:
    """A witness signs the text and a time; the time comes back."""
    signatures = [
        sign_note(TEXT, LOG, KEY.sign),
        cosign(TEXT, WITNESS, timestamp=1_679_315_147, sign=OTHER.sign),
    ]
    found = verify_note(parse_note(format_note(TEXT, signatures)), [LOG, WITNESS])
    assert found == (Verified(LOG, None), Verified(WITNESS, 1_679_315_147))


def test_a_cosignature_does_not_verify_at_another_time() -> None:
    """The time stamp is part of what is signed."""
    made = cosign(TEXT, WITNESS, timestamp=1_679_315_147, sign=OTHER.sign)
    moved = Signature(made.name, made.key_id, (1_679_315_148).to_bytes(8, "big") + made.raw[8:])
    refused("bad-signature", format_note(TEXT, [moved]), WITNESS)


def test_a_time_beyond_the_specification_is_refused() -> None:
    """2^63 seconds and more are no time stamp, even if correctly signed."""
    with pytest.raises(MalformedError):
        cosign(TEXT, WITNESS, timestamp=2**63, sign=OTHER.sign)


@pytest.mark.parametrize("timestamp", [-1, 0])
def test_a_cosignature_without_a_time_is_never_made(timestamp: int) -> None:
    """Zero would make no statement that this was the newest head."""
    with pytest.raises(MalformedError) as caught:
        cosign(TEXT, WITNESS, timestamp=timestamp, sign=OTHER.sign)
    assert caught.value.code == "bad-cosignature"


def test_each_type_of_key_signs_its_own_message_only() -> None:
    """A log's plain key makes no cosignature, a witness's key signs no bare text."""
    with pytest.raises(MalformedError) as plain:
        cosign(TEXT, LOG, timestamp=1, sign=KEY.sign)
    with pytest.raises(MalformedError) as timed:
        sign_note(TEXT, WITNESS, OTHER.sign)
    assert (plain.value.code, timed.value.code) == ("bad-cosignature", "wrong-algorithm")


def test_signature_lines_are_read_without_their_note() -> None:
    """One line or more, as a witness answers; and each spelled in one way."""
    one, two = Signature("a", b"abcd", b"x"), Signature("b", b"efgh", bytes(72))
    assert parse_signatures((one.line + two.line).encode()) == (one, two)


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"x\n", b"\xff\n", "— a AAAAAAA=".encode(), "— a\tAAAAAAA=\n".encode()]
)
def test_what_is_no_signature_line_is_refused(data: bytes) -> None:
    """Nothing, a line that does not end, bytes that are no text, other lines."""
    with pytest.raises(MalformedError):
        parse_signatures(data)


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(), st.binary(min_size=1).map(lambda raw: f"— a {b64(raw)}\n".encode())))
def test_bytes_give_signature_lines_or_a_malformed_error(data: bytes) -> None:
    """The parser raises nothing else, and what it takes is written back byte for byte."""
    try:
        found = parse_signatures(data)
    except MalformedError:
        return
    assert "".join(each.line for each in found).encode() == data


def test_a_signer_with_the_wrong_key_is_noticed_at_once() -> None:
    """What does not verify under the vkey is never put into a note."""
    with pytest.raises(MalformedError):
        sign_note(TEXT, LOG, OTHER.sign)


def test_unknown_signatures_are_ignored() -> None:
    """A foreign key, and one that shares only the name or only the id, change nothing."""
    good = sign_note(TEXT, LOG, KEY.sign)
    foreign = [Signature(LOG.name, b"abcd", b"x" * 64), Signature("other.example", LOG.key_id, b"x" * 64)]
    assert verify_note(parse_note(format_note(TEXT, [*foreign, good])), [LOG]) == (Verified(LOG, None),)


def test_a_bad_signature_of_a_known_key_refuses_the_whole_note() -> None:
    """Even beside a good one of another known key."""
    good = sign_note(TEXT, LOG, KEY.sign)
    bad = Signature(WITNESS.name, WITNESS.key_id, bytes(72))
    refused("bad-signature", format_note(TEXT, [good, bad]), LOG, WITNESS)


@pytest.mark.parametrize("length", [1, 7, 63, 65, 71, 73])
def test_a_signature_of_the_wrong_length_is_bad(length: int) -> None:
    """Neither cut nor padded signatures verify."""
    raw = (sign_note(TEXT, LOG, KEY.sign).raw * 2)[:length]
    refused("bad-signature", format_note(TEXT, [Signature(LOG.name, LOG.key_id, raw)]))


def test_a_note_without_a_known_signature_is_refused() -> None:
    """Nobody known vouches for it."""
    refused("no-known-signature", NOTE)


def test_a_key_that_signs_twice_is_refused() -> None:
    """Two lines of one key would leave the time open."""
    good = sign_note(TEXT, LOG, KEY.sign)
    refused("signed-twice", format_note(TEXT, [good, good]))


def test_two_keys_under_one_name_and_id_are_refused() -> None:
    """Then nobody could say which of them signed."""
    twin = make_vkey(LOG.name, OTHER.public_key().public_bytes_raw())
    object.__setattr__(twin, "key_id", LOG.key_id)
    refused("ambiguous-key", format_note(TEXT, [sign_note(TEXT, LOG, KEY.sign)]), LOG, twin)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not-a-note"),
        (b"text\n", "not-a-note"),
        (b"text\n\n", "not-a-note"),
        (NOTE[:-1], "not-a-note"),
        (NOTE + b"\n", "not-a-note"),
        (NOTE + b"x\n", "bad-signature-line"),
        (NOTE.replace(b"message", b"mess\xffage"), "not-utf8"),
        (NOTE.replace(b"message", b"mess\tage"), "control-character"),
        (NOTE.replace(b"\n", b"\r\n"), "control-character"),
        (NOTE.replace("— ".encode(), b"- "), "bad-signature-line"),
        (NOTE.replace(b"foo Uw", b"fooUw"), "bad-signature-line"),
        (NOTE.replace(b"foo Uw", b"foo  Uw"), "not-base64"),
        (NOTE.replace(b"foo Uw", "foo\u2003x Uw".encode()), "bad-key-name"),
        (NOTE.replace(b"com/foo", b"com+foo"), "bad-key-name"),
        (NOTE.replace("— example.com/foo".encode(), "— ".encode()), "bad-key-name"),
        (NOTE.replace(b"QM=", b"QN="), "not-base64"),
        (NOTE.split(b" Uw")[0] + b" Uw2QOg==\n", "bad-signature-line"),
        (b"t\n\n" + "— a AAAAAAA=\n".encode() * 101, "too-many-signatures"),
    ],
)
def test_what_is_not_a_note_is_refused_with_its_reason(data: bytes, code: str) -> None:
    """Each rule of the format has its own refusal."""
    with pytest.raises(MalformedError) as caught:
        parse_note(data)
    assert caught.value.code == code


def test_sixteen_signatures_and_more_are_accepted() -> None:
    """The specification asks for 16 at least."""
    assert len(parse_note(b"t\n\n" + "— a AAAAAAA=\n".encode() * 100).signatures) == 100


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not-a-vkey"),
        ("a+b", "not-a-vkey"),
        (VKEY.replace("530d", "530D"), "not-a-vkey"),
        (VKEY.replace("530d", "530e"), "wrong-key-id"),
        (VKEY.replace("foo", "fo o"), "bad-key-name"),
        (VKEY.replace("example.com/foo", ""), "bad-key-name"),
        (VKEY.replace("example.com/foo", "\ud800"), "bad-key-name"),
        (VKEY[:-1], "not-base64"),
        (VKEY[:-4], "bad-key"),
        ("a+00000000+", "not-a-vkey"),
        ("a+00000000+" + b64(b"\x05" + bytes(32)), "unknown-algorithm"),
        ("a+00000000+" + b64(b"\x06" + bytes(1312)), "wrong-key-id"),
        ("a+00000000+" + b64(b"\x06" + bytes(1311)), "bad-key"),
        ("a+00000000+" + b64(b"\x01" + bytes(1312)), "bad-key"),
    ],
)
def test_what_is_not_a_verifier_key_is_refused(text: str, code: str) -> None:
    """A key cannot come in with a foreign id, a bad name, a wrong length or an unsupported type."""
    with pytest.raises(MalformedError) as caught:
        parse_vkey(text)
    assert caught.value.code == code


def test_a_key_under_which_one_signature_fits_every_message_is_refused() -> None:
    """The identity point is such a key: OpenSSL accepts the signature, so the parser must not take the key."""
    identity = bytes([1]) + bytes(31)
    Ed25519PublicKey.from_public_bytes(identity).verify(identity + bytes(32), b"anything")
    not_canonical = (b"\xed" + b"\xff" * 30 + b"\x7f", b"\xff" * 32)
    for weak in (identity, bytes(31) + b"\x80", b"\xec" + b"\xff" * 31, *not_canonical):
        with pytest.raises(MalformedError) as caught:
            make_vkey("log.example/1", weak)
        assert caught.value.code == "weak-key"


def test_a_text_that_would_not_be_read_back_is_refused() -> None:
    """A note's text ends in a newline and its signatures exist."""
    with pytest.raises(MalformedError):
        format_note("no newline", [sign_note(TEXT, LOG, KEY.sign)])
    with pytest.raises(MalformedError):
        format_note(TEXT, [])
    with pytest.raises(MalformedError):
        format_note("text\n\n— a AAAAAAA=", [sign_note(TEXT, LOG, KEY.sign)])


def test_the_key_id_follows_the_specification() -> None:
    """SHA-256(name ‖ 0x0A ‖ algorithm ‖ key)[:4], counted here by hand."""
    expected = hashlib.sha256(b"log.example/1\n\x01" + LOG.public).digest()[:4]
    assert key_id("log.example/1", 1, LOG.public) == expected == LOG.key_id


@settings(max_examples=200, deadline=None)
@given(st.binary())
@example(NOTE)
def test_bytes_give_a_note_or_a_malformed_error(data: bytes) -> None:
    """The parser raises nothing else, and a note that is read is written back byte for byte."""
    try:
        note = parse_note(data)
    except MalformedError:
        return
    assert format_note(note.text, note.signatures) == data


@settings(max_examples=200, deadline=None)
@given(st.text(), st.binary(min_size=1, max_size=80))
def test_note_like_text_gives_a_note_or_a_malformed_error(text: str, raw: bytes) -> None:
    """The same for input that is nearly a note."""
    data = f"{text}\n\n— {text} {b64(raw)}\n".encode()
    try:
        note: Note | None = parse_note(data)
    except MalformedError:
        return
    assert note is not None
    assert note.signatures[-1].raw == raw[4:]


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.text().map(lambda each: f"{each}+00000000+{b64(each.encode())}")))
@example(VKEY)
def test_text_gives_a_vkey_or_a_malformed_error(text: str) -> None:
    """The parser raises nothing else, and what it takes has one form."""
    try:
        assert parse_vkey(text).text == text
    except MalformedError:
        return


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(NOTE) - 1), st.integers(1, 255))
def test_a_changed_byte_in_a_note_is_noticed(at: int, mask: int) -> None:
    """Text, name, id or signature: either the note is refused, or its signature is nobody's known."""
    changed = NOTE[:at] + bytes([NOTE[at] ^ mask]) + NOTE[at + 1 :]
    with pytest.raises(MalformedError):
        verify_note(parse_note(changed), [parse_vkey(VKEY)])
