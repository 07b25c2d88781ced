"""Refused checkpoints that the log had signed are kept, so that a fork seen once can be proven for ever."""

import json
from pathlib import Path
from typing import Any

import pytest

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.tlog.checkpoint import parse_checkpoint
from dueprocess.tlog.merkle import verify_consistency
from dueprocess.tlog.note import format_note, parse_note, sign_note, verify_note
from dueprocess.tlog.witness import AddCheckpoint, format_add_checkpoint
from dueprocess.wire import unb64
from dueprocess.witness import evidence
from dueprocess.witness.place import WitnessPlace
from dueprocess.witness.server import Running
from witness.asking import ask
from witness.growing import GrowingLog


def add(running: Running, body: bytes) -> int:
    return ask(running.url, "POST", "/add-checkpoint", body).status


def kept(place: WitnessPlace) -> list[Path]:
    return sorted(place.evidence.rglob("*.json"))


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def test_two_signed_roots_of_one_size_are_kept_as_proof(
    running: Running, place: WitnessPlace, log: GrowingLog, said: list[str]
) -> None:
    """Both notes carry the log's signatures; anyone with the log's keys can check the file, without the witness."""
    assert add(running, log.body(0, 5)) == 200
    assert add(running, log.forked(2).body(5, 5)) == 422
    (path,) = kept(place)
    found = read(path)
    heads = []
    for member in ("cosigned", "refused"):
        note = parse_note(found[member].encode())
        assert {each.vkey for each in verify_note(note, log.vkeys)} == set(log.vkeys)
        heads.append(parse_checkpoint(note.text))
    assert heads[0].size == heads[1].size
    assert heads[0].root != heads[1].root
    assert (found["v"], found["kind"], found["origin"]) == (1, "two-roots", log.origin)
    assert said[-1].startswith("PROVEN: ")
    assert str(path.relative_to(place.folder)) in said[-1]


def test_a_fork_shown_with_an_old_size_that_conflicts_is_kept_all_the_same(
    running: Running, place: WitnessPlace, log: GrowingLog
) -> None:
    """409 is the answer, and the file is there."""
    add(running, log.body(0, 5))
    assert add(running, log.forked(2).body(0, 5)) == 409
    assert [read(each)["kind"] for each in kept(place)] == ["two-roots"]


def test_a_proof_that_does_not_fit_is_kept_as_suspicious(
    running: Running, place: WitnessPlace, log: GrowingLog, said: list[str]
) -> None:
    """With the proof as it came, so that anyone sees that it leads nowhere."""
    add(running, log.body(0, 5))
    assert add(running, log.forked(2).body(5, 9)) == 422
    found = read(kept(place)[0])
    assert (found["kind"], found["old_size"]) == ("bad-proof", 5)
    old, new = (parse_checkpoint(parse_note(found[each].encode()).text) for each in ("cosigned", "refused"))
    with pytest.raises(MalformedError):
        verify_consistency(old.size, new.size, old.root, new.root, [unb64(each) for each in found["proof"]])
    assert said[-1].startswith("Suspicious: ")


def test_a_suspicion_goes_away_when_a_good_proof_comes(
    running: Running, place: WitnessPlace, log: GrowingLog
) -> None:
    """A fault in sending is no fault of the log's."""
    add(running, log.body(0, 5))
    assert add(running, format_add_checkpoint(log.asked(5, 9, proof=(bytes(32),)))) == 422
    assert len(kept(place)) == 1
    assert add(running, log.body(5, 9)) == 200
    assert kept(place) == []


def test_a_wrong_root_of_nothing_is_kept(running: Running, place: WitnessPlace, log: GrowingLog) -> None:
    """Even before anything was cosigned."""
    text = log.wrong_empty()
    note = format_note(text, (sign_note(text, log.vkeys[0], log.ed25519.sign),))
    assert add(running, format_add_checkpoint(AddCheckpoint(0, (), note))) == 422
    found = read(kept(place)[0])
    assert (found["kind"], found["cosigned"]) == ("wrong-empty", None)


def test_what_the_log_did_not_sign_is_not_kept(
    running: Running, place: WitnessPlace, log: GrowingLog
) -> None:
    """Strangers cannot fill the disk, nor blame a log: forged, unknown, garbage, or an honest mistake."""
    add(running, log.body(0, 5))
    stranger = GrowingLog.new()
    for body in (
        stranger.body(5, 5),
        GrowingLog.new("log.example/x").body(0, 5),
        b"old 5\n\n",
        log.body(0, 9),
        log.body(5, 5).replace(b"old 5", b"old 9"),
        format_add_checkpoint(log.asked(5, 5, proof=(bytes(32),))),
    ):
        assert add(running, body) in {400, 403, 404, 409, 422}
    assert kept(place) == []


def test_the_same_finding_is_kept_once(
    running: Running, place: WitnessPlace, log: GrowingLog, said: list[str]
) -> None:
    """Whatever proofs come with it: repeating it neither fills the disk nor the screen."""
    add(running, log.body(0, 5))
    for each in range(4):
        add(running, format_add_checkpoint(log.asked(5, 9, proof=(bytes([each] * 32),))))
    assert len(kept(place)) == 1
    assert sum("Suspicious" in line for line in said) == 1


def test_evidence_is_bounded_and_proof_is_never_pushed_out(
    running: Running, place: WitnessPlace, log: GrowingLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first proofs stay; of mere suspicions the newest do."""
    monkeypatch.setattr(evidence, "MOST_FILES", 3)
    add(running, log.body(0, 7))
    for at in range(5):
        assert add(running, log.forked(at).body(7, 7)) == 422
    proven = {read(each)["refused"] for each in kept(place)}
    texts = {parse_note(each.encode()).text for each in proven}
    assert texts == {log.forked(at).head(7).text for at in range(3)}
    for size in range(8, 13):
        assert add(running, log.forked(1).body(7, size)) == 422
    found = [read(each) for each in kept(place)]
    assert sum(each["kind"] == "two-roots" for each in found) == 3
    sizes = [
        parse_checkpoint(parse_note(e["refused"].encode()).text).size
        for e in found
        if e["kind"] != "two-roots"
    ]
    assert sorted(sizes) == [10, 11, 12]


def test_a_witness_that_cannot_keep_evidence_still_refuses(
    running: Running,
    place: WitnessPlace,
    log: GrowingLog,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answer is the same, and the operator is told."""
    add(running, log.body(0, 5))

    def full(*_: object) -> None:
        raise UnavailableError("cannot-write", "The disk is full.")

    monkeypatch.setattr(evidence, "write_new", full)
    assert add(running, log.forked(2).body(5, 5)) == 422
    assert "could not be kept" in said[-1]
    assert kept(place) == []
