"""Subjects: one account is shown, nothing about the others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog import SubjectProof, prove_subject, subject_from_json, subjects_root, verify_subject
from dueprocess.wire import Json

SECRET = bytes(range(32))
EVA, ANA = "@eva:example.org", "@ana:example.org"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=128, unique=True), st.data())
def test_each_subject_can_show_itself(subjects: list[str], data: st.DataObject) -> None:
    """From one to 128 accounts, also through JSON."""
    account = data.draw(st.sampled_from(subjects))
    proof = subject_from_json(prove_subject(SECRET, subjects, account).as_json())
    verify_subject(subjects_root(SECRET, subjects), proof)
    assert proof.account == account


def test_a_proof_looks_the_same_for_one_subject_and_for_many() -> None:
    """Seven hashes and a place anywhere in 128, whatever the number of accounts."""
    for count in (1, 2, 100):
        proof = prove_subject(SECRET, [EVA, *map(str, range(count - 1))], EVA)
        assert len(proof.path) == 7
    places = {prove_subject(bytes([each]) * 32, [EVA], EVA).place for each in range(50)}
    assert len(places) > 20


def test_a_stranger_cannot_show_itself() -> None:
    """Neither by asking for a proof nor with another's."""
    root = subjects_root(SECRET, [EVA])
    with pytest.raises(MalformedError):
        prove_subject(SECRET, [EVA], ANA)
    proof = prove_subject(SECRET, [EVA], EVA)
    wrong = [
        SubjectProof(ANA, proof.salt, proof.place, proof.path),
        SubjectProof(EVA, SECRET, proof.place, proof.path),
        SubjectProof(EVA, proof.salt, proof.place ^ 1, proof.path),
        SubjectProof(EVA, proof.salt, proof.place + 128, proof.path),
        SubjectProof(EVA, proof.salt, proof.place, proof.path[1:]),
        SubjectProof(EVA, proof.salt, proof.place, (*proof.path[1:], SECRET)),
        SubjectProof("\ud800", proof.salt, proof.place, proof.path),
    ]
    for each in wrong:
        with pytest.raises(MalformedError):
            verify_subject(root, each)


def test_no_subjects_is_a_root_too() -> None:
    """A record about nobody yet has a root of the same form."""
    assert len(subjects_root(SECRET, [])) == 32
    assert subjects_root(SECRET, []) != subjects_root(SECRET, [EVA])


@pytest.mark.parametrize("subjects", [[EVA, EVA], [""], [str(each) for each in range(129)]])
def test_a_list_that_cannot_be_is_refused(subjects: list[str]) -> None:
    """Twice the same, nobody, or more than 128."""
    with pytest.raises(MalformedError):
        subjects_root(SECRET, subjects)


def test_the_secret_has_32_bytes() -> None:
    """A short secret would make guessable salts."""
    with pytest.raises(MalformedError):
        subjects_root(b"short", [EVA])


def test_foreign_json_is_refused() -> None:
    """Missing, unknown and ill-typed members."""
    good = prove_subject(SECRET, [EVA], EVA).as_json()
    bad: list[Json] = [
        None,
        {},
        {**good, "more": 1},
        {**good, "place": 128},
        {**good, "account": 1},
        {**good, "path": []},
    ]
    for each in bad:
        with pytest.raises(MalformedError):
            subject_from_json(each)
