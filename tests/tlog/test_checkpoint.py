"""Checkpoints, and what a policy makes of them."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    COSIGNATURE,
    EMPTY_ROOT,
    Checkpoint,
    Signature,
    Vkey,
    Witness,
    cosign,
    format_note,
    format_policy,
    make_vkey,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    parse_policy,
    sign_checkpoint,
)

# C2SP tlog-checkpoint, first example.
EXAMPLE = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


def key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def witness(name: str) -> Vkey:
    return make_vkey(f"{name}.example", key(name).public_key().public_bytes_raw(), algorithm=COSIGNATURE)


LOG = make_vkey("log.example/1", key("log").public_key().public_bytes_raw())
WITNESSES = [Witness(name, witness(name)) for name in ("w1", "w2", "w3")]
HEAD = Checkpoint(LOG.name, 3, hashlib.sha256(b"root").digest())
ALONE = sign_checkpoint(HEAD, [(LOG, key("log").sign)], timestamp=1)


def cosigned(*names: str) -> bytes:
    note = parse_note(ALONE)
    more = [cosign(note.text, witness(name), timestamp=100, sign=key(name).sign) for name in names]
    return format_note(note.text, (*note.signatures, *more))


def test_the_example_of_the_specification_is_read() -> None:
    """Origin, size and root of the printed checkpoint, and the same text again."""
    found = parse_checkpoint(EXAMPLE)
    assert (found.origin, found.size, found.root.hex()[:8]) == (
        "example.com/behind-the-sofa",
        20_852_163,
        "0ac5186a",
    )
    assert found.text == EXAMPLE


def test_extension_lines_are_kept() -> None:
    """They are opaque, and part of what was signed."""
    assert parse_checkpoint(EXAMPLE + "more\n").extension == ("more",)
    assert parse_checkpoint(EXAMPLE + "more\n").text == EXAMPLE + "more\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        EXAMPLE[:-1],
        EXAMPLE + "\n",
        EXAMPLE + "more",
        EXAMPLE + "\nmore\n",
        EXAMPLE.replace("2085", "02085"),
        EXAMPLE.replace("2085", "+2085"),
        EXAMPLE.replace("20852163", ""),
        EXAMPLE.replace("20852163", "\u0661"),
        EXAMPLE.replace("20852163", "9" * 16),
        EXAMPLE.replace("20852163", "0"),
        EXAMPLE.replace("example.com/behind-the-sofa", ""),
        EXAMPLE.replace("example", "exa\tmple"),
        EXAMPLE.replace("CsUY", "CsU"),
        EXAMPLE.replace("CsUY", ""),
        EXAMPLE.replace("q2I=", "q2J="),
    ],
)
def test_what_is_not_a_checkpoint_is_refused(text: str) -> None:
    """Leading zeros, signs, foreign digits, cut roots, missing and empty lines."""
    with pytest.raises(MalformedError):
        parse_checkpoint(text)


def test_an_empty_log_has_the_empty_root() -> None:
    """Size 0 with SHA-256 of nothing is a checkpoint; the size is written ``0``."""
    empty = Checkpoint("log.example/1", 0, EMPTY_ROOT)
    assert parse_checkpoint(empty.text) == empty


def test_a_key_signs_only_for_the_log_of_its_name() -> None:
    """The policy knows a log by its key's name."""
    with pytest.raises(MalformedError) as caught:
        sign_checkpoint(Checkpoint("other.example", 3, HEAD.root), [(LOG, key("log").sign)], timestamp=1)
    assert caught.value.code == "wrong-origin"


def test_a_policy_without_quorum_takes_the_log_alone() -> None:
    """And says that nobody witnessed it."""
    opened = open_checkpoint(ALONE, parse_policy(format_policy([LOG])))
    assert (opened.checkpoint, opened.log_vkeys, opened.witnesses) == (HEAD, (LOG,), ())
    assert not opened.witnessed


def test_known_witnesses_are_named_with_their_time() -> None:
    """Key name and time stamp, in the order of the note."""
    opened = open_checkpoint(cosigned("w3", "w1"), parse_policy(format_policy([LOG], WITNESSES, need=2)))
    assert opened.witnesses == (("w3.example", 100), ("w1.example", 100))
    assert opened.witnessed


def test_a_witness_that_nobody_demanded_makes_nothing_witnessed() -> None:
    """Under ``quorum none`` a cosigner is named, but no quorum vouches for the time."""
    opened = open_checkpoint(cosigned("w1"), parse_policy(format_policy([LOG], WITNESSES)))
    assert opened.witnesses == (("w1.example", 100),)
    assert (opened.witnessed, opened.witnessed_at) == (False, None)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (cosigned("w1"), "quorum-not-met"),
        (cosigned("w1", "stranger"), "quorum-not-met"),
        (format_note(HEAD.text, parse_note(cosigned("w1", "w2")).signatures[1:]), "log-did-not-sign"),
        (format_note(HEAD.text, [Signature("x", b"abcd", b"x")]), "no-known-signature"),
        (ALONE.replace(b"\n3\n", b"\n4\n"), "bad-signature"),
        (ALONE.replace(b"log.example/1\n", b"log.example/2\n"), "unknown-log"),
    ],
)
def test_a_checkpoint_that_the_policy_does_not_accept_is_refused(data: bytes, code: str) -> None:
    """Each missing vouching has its own refusal."""
    with pytest.raises(MalformedError) as caught:
        open_checkpoint(data, parse_policy(format_policy([LOG], WITNESSES, need=2)))
    assert caught.value.code == code


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.tuples(st.text(), st.text(), st.text()).map("\n".join)))
@example(EXAMPLE)
def test_text_gives_a_checkpoint_or_a_malformed_error(text: str) -> None:
    """The parser raises nothing else, and what it takes has one text."""
    try:
        assert parse_checkpoint(text).text == text
    except MalformedError:
        return


@settings(max_examples=100, deadline=None)
@given(st.binary())
def test_bytes_are_opened_or_malformed(data: bytes) -> None:
    """Opening raises nothing else either."""
    with pytest.raises(MalformedError):
        open_checkpoint(data, parse_policy(format_policy([LOG])))
