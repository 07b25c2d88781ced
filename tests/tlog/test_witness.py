"""What a witness must answer, sentence by sentence of C2SP tlog-witness."""

import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog.checkpoint import Checkpoint
from dueprocess.tlog.merkle import EMPTY_ROOT
from dueprocess.tlog.note import (
    COSIGNATURE,
    MOST_SIGNATURES,
    Signature,
    cosign,
    format_note,
    make_vkey,
    parse_note,
    sign_note,
)
from dueprocess.tlog.witness import (
    MOST_BODY_BYTES,
    AddCheckpoint,
    Judgement,
    Misbehaviour,
    answer,
    cosigned_note,
    format_add_checkpoint,
    format_size,
    judge,
    monitoring_path,
    origin_of,
    parse_add_checkpoint,
    parse_size,
    signature_lines,
)
from witness.growing import SIGNED_AT, GrowingLog

LOG = GrowingLog.new()
OTHER = GrowingLog.new("log.example/other")

LINE = "— example.com/behind-the-sofa "
EXAMPLE = f"""\
old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

{LINE}Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
{LINE}opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
""".encode()
"""From the specification, add-checkpoint."""


def judged(request: AddCheckpoint, known: int | None = None, log: GrowingLog = LOG) -> Judgement:
    """What a witness answers that trusts both keys and cosigned the honest log at ``known`` leaves."""
    return judge(request, None if known is None else LOG.head(known), log.vkeys)


# ---------------------------------------------------------------- the body


def test_the_example_of_the_specification_is_read_and_written_back() -> None:
    """The only worked example that C2SP gives keeps its every byte."""
    request = parse_add_checkpoint(EXAMPLE)
    assert (request.old_size, len(request.proof)) == (20852014, 4)
    assert origin_of(request) == "example.com/behind-the-sofa"
    assert format_add_checkpoint(request) == EXAMPLE


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"old",
        b"old ",
        b"old  3",
        b"old 3 ",
        b"old +3",
        b"old -3",
        b"Old 3",
        b"old\t3",
        b"old 3\r",
        b"old 3.0",
        "old ٣".encode(),
        b"old %d" % 2**53,
        b"old 3\nAAAA",
        b"old 3\n" + b"A" * 43 + b"=\r",
        b"old 3\n " + b"A" * 43 + b"=",
        b"old 3\n" + b"A" * 43 + b"= ",
        b"old 3\n" + b"A" * 42 + b"B=",
        b"old 3\n" + b"A" * 86 + b"==",
        b"size 3",
        b"\xff",
    ],
)
def test_the_body_must_be_an_old_size_line_then_one_base64_hash_on_each_line(head: bytes) -> None:
    """Whatever else stands before the empty line is refused."""
    body = head + b"\n\n" + LOG.note(3)
    with pytest.raises(MalformedError):
        parse_add_checkpoint(body)
    assert asked_bytes(body).status == 400


def asked_bytes(body: bytes) -> Judgement:
    return answer(body, vkeys_of=lambda _: LOG.vkeys, known_of=lambda _: None)


@pytest.mark.parametrize("head", [b"old 00", b"old 03", b"old 01"])
def test_the_old_size_must_have_no_leading_zeroes(head: bytes) -> None:
    """One spelling for one number."""
    assert asked_bytes(head + b"\n\n" + LOG.note(3)).status == 400


def test_the_old_size_zero_must_be_encoded_as_0() -> None:
    """Zero has a spelling too, and only one."""
    assert asked_bytes(b"old 0\n\n" + LOG.note(3)).status == 200
    assert asked_bytes(b"old \n\n" + LOG.note(3)).status == 400


def test_each_line_must_terminate_in_a_newline_and_an_empty_line_must_follow() -> None:
    """Without the empty line there is no checkpoint, and without its last newline no note."""
    assert asked_bytes(b"old 0\n" + LOG.note(3)).status == 400
    assert asked_bytes(b"old 0\n\n" + LOG.note(3)[:-1]).status == 400
    assert asked_bytes(b"old 0\r\n\r\n" + LOG.note(3)).status == 400


def test_the_client_must_not_send_more_than_63_proof_lines() -> None:
    """63 hashes are read, 64 are not."""
    most = AddCheckpoint(1, (bytes(32),) * 63, b"x")
    assert parse_add_checkpoint(format_add_checkpoint(most)) == most
    with pytest.raises(MalformedError):
        format_add_checkpoint(AddCheckpoint(1, (bytes(32),) * 64, b"x"))


def test_a_body_over_a_million_bytes_is_refused() -> None:
    """The limit holds for the whole body, to the byte."""
    head = b"old 0\n\n"
    assert parse_add_checkpoint(head + b"x" * (MOST_BODY_BYTES - len(head))).old_size == 0
    with pytest.raises(MalformedError):
        parse_add_checkpoint(head + b"x" * (MOST_BODY_BYTES - len(head) + 1))


@pytest.mark.parametrize("proof", [(b"short",), (bytes(33),)])
def test_a_request_that_would_not_be_read_back_is_not_written(proof: tuple[bytes, ...]) -> None:
    """A client finds its mistake before the witness does."""
    with pytest.raises(MalformedError):
        format_add_checkpoint(AddCheckpoint(1, proof, b"x"))


def test_a_negative_size_is_not_written() -> None:
    """A size below nothing has no form."""
    with pytest.raises(MalformedError):
        format_add_checkpoint(AddCheckpoint(-1, (), b"x"))


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_parsed_or_malformed(data: bytes) -> None:
    """A parser of foreign bytes raises one family of error; the whole answer raises nothing at all."""
    for body in (data, b"old 0\n\n" + data, b"old 3\n" + data + LOG.note(3)):
        try:
            again = format_add_checkpoint(parse_add_checkpoint(body))
        except MalformedError:
            pass
        else:
            assert again == body
        assert asked_bytes(body).status in {400, 403, 409}
    with contextlib.suppress(MalformedError):
        assert format_size(parse_size(data)) == data


@given(st.integers(0, 2**53 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.binary())
@settings(max_examples=80, deadline=None)
def test_every_request_survives_the_wire(old: int, proof: list[bytes], note: bytes) -> None:
    """Written and read back it is the same."""
    request = AddCheckpoint(old, tuple(proof), note)
    assert parse_add_checkpoint(format_add_checkpoint(request)) == request


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_one_changed_byte_of_a_good_request_never_yields_another_head(data: st.DataObject) -> None:
    """Whatever a byte becomes, the head that is accepted is the one that the log signed."""
    body = bytearray(LOG.body(3, 7))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] = data.draw(st.integers(0, 255))
    found = answer(bytes(body), vkeys_of=lambda _: LOG.vkeys, known_of=lambda _: LOG.head(3))
    assert found.checkpoint in {None, LOG.head(7)}
    assert (found.status == 200) == (found.checkpoint is not None)


# ---------------------------------------------------------------- who signed


def test_an_unknown_origin_must_be_answered_404() -> None:
    """A log that is not watched learns so, whatever it sends; its state is not even looked up."""

    def never(_: str) -> Checkpoint | None:
        raise AssertionError

    assert answer(OTHER.body(0, 3), vkeys_of=lambda _: (), known_of=never).status == 404


def test_a_checkpoint_without_a_signature_of_a_trusted_key_must_be_answered_403() -> None:
    """Another log's keys under the right name do not help."""
    stranger = GrowingLog.new()
    assert judged(stranger.asked(0, 3)).status == 403


def test_a_signature_line_of_a_trusted_key_that_does_not_verify_must_be_answered_403() -> None:
    """Even beside a good signature of another trusted key, one bad line makes the note malformed."""
    text = LOG.head(3).text
    good, stamped = LOG.signatures(text)
    bad = Signature(good.name, good.key_id, bytes(64))
    for lines in ((bad,), (bad, stamped), (stamped, bad)):
        assert judged(LOG.asked(0, 3, note=format_note(text, lines))).status == 403


@pytest.mark.parametrize("which", [0, 1])
def test_the_signature_must_be_verified_against_any_one_trusted_key(which: int) -> None:
    """Ed25519 alone or ML-DSA-44 alone is enough."""
    text = LOG.head(3).text
    found = judged(LOG.asked(0, 3, note=format_note(text, LOG.signatures(text)[which : which + 1])))
    assert (found.status, len(found.signed)) == (200, 1)


def test_signatures_of_unknown_keys_must_be_ignored() -> None:
    """They neither hurt nor are they kept."""
    text = LOG.head(3).text
    stranger = GrowingLog.new()
    lines = (*stranger.signatures(text), *LOG.signatures(text), Signature("x", b"1234", b"?"))
    found = judged(LOG.asked(0, 3, note=format_note(text, lines)))
    assert found.status == 200
    assert found.signed == tuple(parse_note(format_note(text, lines)).signatures[2:4])


def test_a_checkpoint_may_include_multiple_signatures() -> None:
    """As many as a note carries here; one more is no note."""
    text = LOG.head(3).text
    others = [Signature("x", each.to_bytes(4, "big"), b"?") for each in range(MOST_SIGNATURES)]
    lines = (*LOG.signatures(text)[:1], *others[:-1])
    assert judged(LOG.asked(0, 3, note=format_note(text, lines))).status == 200
    many = format_note(text, lines) + others[-1].line.encode()
    assert judged(LOG.asked(0, 3, note=many)).status == 400


@pytest.mark.parametrize(
    "text",
    [
        f"{LOG.origin}\n03\n{'A' * 43}=\n",
        f"{LOG.origin}\n3\n{'A' * 40}\n",
        f"{LOG.origin}\n3\n",
        f"{LOG.origin}\n3\n{'A' * 43}=\n\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_answered_400(text: str) -> None:
    """The log's own signature does not make three lines out of two."""
    signature = sign_note(text, LOG.vkeys[0], LOG.ed25519.sign)
    assert judged(LOG.asked(0, 3, note=format_note(text, (signature,)))).status == 400


def test_bytes_that_are_no_note_are_answered_400() -> None:
    """Also where the rule is asked without the parser before it."""
    assert judged(AddCheckpoint(0, (), b"garbage")).status == 400


# ---------------------------------------------------------------- sizes


@pytest.mark.parametrize("known", [None, 3, 7])
def test_an_old_size_above_the_checkpoints_must_be_answered_400(known: int | None) -> None:
    """Whatever the witness knows: nothing shrinks."""
    assert judged(LOG.asked(7, 3, proof=()), known).status == 400


@pytest.mark.parametrize(
    ("known", "old", "new"), [(None, 3, 7), (3, 0, 7), (7, 3, 7), (7, 3, 9), (3, 5, 7), (7, 0, 3)]
)
def test_an_old_size_that_is_not_the_latest_cosigned_one_must_be_answered_409_with_it(
    known: int | None, old: int, new: int
) -> None:
    """The body is the size in decimal and a newline, the content type text/x.tlog.size; zero if never cosigned."""
    found = judged(LOG.asked(old, new), known)
    assert (found.status, found.content_type) == (409, "text/x.tlog.size")
    assert found.body == f"{known or 0}\n".encode()
    assert parse_size(found.body) == (known or 0)
    assert found.misbehaviour is None


@pytest.mark.parametrize("body", [b"", b"3", b"03\n", b"3\n\n", b"-1\n", b" 3\n", b"%d\n" % 2**53])
def test_a_size_in_another_form_is_malformed(body: bytes) -> None:
    """A client does not act on what a witness did not say clearly."""
    with pytest.raises(MalformedError):
        parse_size(body)


def test_a_checkpoint_of_size_zero_must_have_the_root_of_the_empty_tree_else_422() -> None:
    """A log that signs another root for nothing shows a fault of its own."""
    assert judged(LOG.asked(0, 0)).status == 200
    text = LOG.wrong_empty()
    plain = sign_note(text, LOG.vkeys[0], LOG.ed25519.sign)
    found = judged(LOG.asked(0, 0, note=format_note(text, (plain,))))
    assert (found.status, found.misbehaviour, found.signed) == (422, Misbehaviour.WRONG_EMPTY, (plain,))


def test_a_wrong_empty_root_that_only_ml_dsa_could_have_signed_is_422_without_blame() -> None:
    """No ML-DSA-44 message exists for it, so nothing is proven about the log."""
    text = LOG.wrong_empty()
    line = Signature(LOG.origin, LOG.vkeys[1].key_id, bytes(8 + 2420))
    found = judged(LOG.asked(0, 0, note=format_note(text, (line,))))
    assert (found.status, found.misbehaviour) == (422, None)


def test_a_wrong_empty_root_that_nobody_trusted_signed_is_403() -> None:
    """A stranger's signature and a forged one say nothing about the log."""
    text, stranger = LOG.wrong_empty(), GrowingLog.new()
    foreign = sign_note(text, stranger.vkeys[0], stranger.ed25519.sign)
    forged = Signature(LOG.origin, LOG.vkeys[0].key_id, bytes(64))
    stamped = Signature(LOG.origin, LOG.vkeys[1].key_id, bytes(8 + 2420))
    for lines in ((foreign,), (forged,), (forged, stamped)):
        assert judged(LOG.asked(0, 0, note=format_note(text, lines))).status == 403


# ---------------------------------------------------------------- consistency


@pytest.mark.parametrize("known", [None, 0])
def test_if_the_old_size_is_zero_the_proof_must_be_empty_else_422(known: int | None) -> None:
    """There is nothing to prove from nothing, and no blame for it."""
    found = judged(LOG.asked(0, 3, proof=(bytes(32),)), known)
    assert (found.status, found.misbehaviour) == (422, None)
    assert judged(LOG.asked(0, 3), known).status == 200


@given(st.integers(1, 40), st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_a_proof_from_the_old_size_to_the_checkpoint_size_is_accepted(old: int, more: int) -> None:
    """Of any two sizes; without blame."""
    found = judged(LOG.asked(old, old + more), old)
    assert (found.status, found.checkpoint) == (200, LOG.head(old + more))
    assert found.misbehaviour is None


@given(st.integers(1, 30), st.integers(1, 30), st.data())
@settings(max_examples=40, deadline=None)
def test_a_proof_that_does_not_verify_must_be_answered_422(old: int, more: int, data: st.DataObject) -> None:
    """A hash changed, dropped or added: refused, and kept as suspicious."""
    proof = list(LOG.proof(old, old + more))
    spoiled = [
        [*proof, bytes(32)],
        proof[:-1],
        [bytes(32), *proof[1:]],
    ]
    wrong = data.draw(st.sampled_from(spoiled))
    found = judged(LOG.asked(old, old + more, proof=wrong), old)
    assert (found.status, found.misbehaviour) == (422, Misbehaviour.BAD_PROOF)
    assert found.checkpoint is None


@given(st.integers(1, 30), st.integers(1, 30), st.data())
@settings(max_examples=40, deadline=None)
def test_a_history_that_changed_before_the_old_size_is_never_cosigned(
    old: int, more: int, data: st.DataObject
) -> None:
    """However honest the forked log's own proof is."""
    forked = LOG.forked(data.draw(st.integers(0, old - 1)))
    found = judged(forked.asked(old, old + more), old)
    assert (found.status, found.misbehaviour, found.checkpoint) == (422, Misbehaviour.BAD_PROOF, None)


def test_equal_sizes_must_have_identical_roots_else_422() -> None:
    """Two signed roots of one size prove two histories."""
    assert judged(LOG.asked(3, 3), 3).status == 200
    found = judged(LOG.forked(0).asked(3, 3, proof=()), 3)
    assert (found.status, found.misbehaviour) == (422, Misbehaviour.TWO_ROOTS)


def test_two_roots_of_one_size_are_noticed_whatever_old_size_comes_with_them() -> None:
    """The answer is the one the specification asks for; the proof is kept all the same."""
    forked = LOG.forked(0)
    for old, status in ((0, 409), (2, 409), (5, 400)):
        found = judged(forked.asked(old, 3, proof=()), 3)
        assert (found.status, found.misbehaviour) == (status, Misbehaviour.TWO_ROOTS)


def test_needless_hashes_for_the_head_that_is_known_are_422_without_blame() -> None:
    """The log signed what it had signed; only the proof is odd."""
    found = judged(LOG.asked(3, 3, proof=(bytes(32),)), 3)
    assert (found.status, found.misbehaviour) == (422, None)


def test_an_extension_line_does_not_hide_the_head() -> None:
    """Only the first three lines are judged; the others stay in the text that is signed."""
    head = Checkpoint(LOG.origin, 3, LOG.head(3).root, ("more",))
    found = judged(LOG.asked(3, 3, note=format_note(head.text, LOG.signatures(head.text))), 3)
    assert found.checkpoint == head


# ---------------------------------------------------------------- the answer and what is kept


def test_the_answer_must_be_signature_lines_and_the_kept_note_must_hold_the_logs_too() -> None:
    """Each line begins with an em dash and ends with a newline; the note opens with both kinds of key."""
    found = judged(LOG.asked(0, 3))
    vkey = make_vkey("witness.example/w1", LOG.ed25519.public_key().public_bytes_raw(), algorithm=COSIGNATURE)
    line = cosign(LOG.head(3).text, vkey, timestamp=SIGNED_AT, sign=LOG.ed25519.sign)
    body = signature_lines((line, line))
    assert re.fullmatch("(— witness\\.example/w1 [A-Za-z0-9+/=]+\n){2}", body.decode())
    assert parse_note(cosigned_note(found, (line,))).signatures == (*found.signed, line)


def test_a_refused_checkpoint_has_no_note_to_keep() -> None:
    """Nothing can be cosigned by mistake out of a refusal."""
    with pytest.raises(MalformedError):
        cosigned_note(judged(LOG.asked(7, 3, proof=())), ())


def test_the_monitoring_path_must_be_the_lower_case_sha256_of_the_origin() -> None:
    """As `printf %s example.com/behind-the-sofa | sha256sum` gives it."""
    assert monitoring_path("example.com/behind-the-sofa") == (
        "5fd2dc0beb4ce54da5050cf6d5c75248b023abad441c3cecde3976fbe9da4fe4/checkpoint"
    )


def test_the_empty_root_is_the_hash_of_the_empty_string() -> None:
    """RFC 6962 section 2.1, in hex as everybody knows it."""
    assert EMPTY_ROOT.hex().startswith("e3b0c44298fc1c149afbf4c8996fb924")
