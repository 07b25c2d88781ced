"""What the witness keeps: its state is never taken back, never made anew by accident, and only its own."""

import hashlib
import sqlite3
from pathlib import Path

import pytest

from dueprocess.errors import (
    BrokenError,
    ConflictError,
    DueprocessError,
    MalformedError,
    RefusedError,
    UnavailableError,
)
from dueprocess.tlog.note import Vkey
from dueprocess.witness.files import write_new, write_over
from dueprocess.witness.place import WitnessPlace, create_place
from dueprocess.witness.server import serve_in_thread
from dueprocess.witness.signer import ED25519_FILE, ML_DSA_FILE, WitnessSigner
from dueprocess.witness.store import Cosigned, Store
from dueprocess.witness.timekeeper import Timekeeper
from witness.asking import ask
from witness.conftest import NAME, TickingClock
from witness.growing import GrowingLog


def opened(place: WitnessPlace) -> Timekeeper:
    return Timekeeper(place, TickingClock(), lambda _: None)


def cosigned_at(place: WitnessPlace, log: GrowingLog, size: int) -> None:
    """Lets the witness cosign the log once."""
    witness = opened(place)
    assert witness.add_checkpoint(log.body(0, size)).status == 200
    witness.close()


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE cosigned SET size = 2",
        "UPDATE cosigned SET root = zeroblob(32)",
        "UPDATE cosigned SET timestamp = timestamp - 1",
        "UPDATE cosigned SET origin = 'log.example/other'",
        "UPDATE cosigned SET origin_sha256 = 'x'",
        "DELETE FROM cosigned",
    ],
)
def test_the_state_itself_refuses_to_take_anything_back(
    place: WitnessPlace, log: GrowingLog, spoil: str
) -> None:
    """Not even a program with a mistake in it can."""
    cosigned_at(place, log, 5)
    connection = sqlite3.connect(place.state)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(spoil)
    connection.close()


def test_keeping_a_smaller_head_is_refused_as_a_fault_of_ours(place: WitnessPlace, log: GrowingLog) -> None:
    """The rule holds below the rule."""
    cosigned_at(place, log, 5)
    store = Store(place.state)
    kept = store.latest(log.origin)
    assert kept is not None
    with pytest.raises(BrokenError), store.exclusively() as turn:
        turn.keep(Cosigned(log.origin, 4, log.head(4).root, log.note(4), kept.timestamp))
    assert store.latest(log.origin) == kept
    store.close()


def test_a_failure_inside_a_turn_leaves_the_state_as_it_was(place: WitnessPlace, log: GrowingLog) -> None:
    """And the next turn comes."""
    store = Store(place.state)
    head = Cosigned(log.origin, 3, log.head(3).root, log.note(3), 1)

    def keep_and_fail() -> None:
        with store.exclusively() as turn:
            turn.keep(head)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        keep_and_fail()
    assert store.everything() == []
    with store.exclusively() as turn:
        assert turn.latest(log.origin) is None
        assert turn.newest_timestamp() == 0
    store.close()


def test_the_new_checkpoint_must_be_persisted_before_responding(
    place: WitnessPlace, log: GrowingLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk fails, no signature leaves; when it works again the same request is answered."""
    witness = opened(place)
    full = "disk I/O error"

    def fails(*_: object) -> None:
        raise sqlite3.OperationalError(full)

    with monkeypatch.context() as patch:
        patch.setattr("dueprocess.witness.store.Turn.keep", fails)
        with pytest.raises(UnavailableError, match="signs nothing"):
            witness.add_checkpoint(log.body(0, 3))
    assert witness.checkpoint("x") is None
    assert witness.add_checkpoint(log.body(0, 3)).status == 200
    witness.close()


def test_writes_are_on_the_disk_when_a_turn_ends(place: WitnessPlace) -> None:
    """SQLite is told so: a write-ahead log that is synchronised at each commit, or better."""
    store = Store(place.state)
    assert store._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)  # noqa: SLF001  the promise
    assert store._writer.execute("PRAGMA synchronous").fetchone() == (3,)  # noqa: SLF001  the promise
    store.close()


def test_a_missing_state_is_never_replaced_by_an_empty_one(place: WitnessPlace, log: GrowingLog) -> None:
    """The witness would forget what it cosigned."""
    cosigned_at(place, log, 5)
    for each in place.folder.glob("state.db*"):
        each.unlink()
    with pytest.raises(UnavailableError, match="new name"):
        opened(place)
    assert not place.state.exists()
    place.state.touch()
    with pytest.raises(UnavailableError):
        opened(place)


def test_a_damaged_state_stops_the_witness(place: WitnessPlace, log: GrowingLog) -> None:
    """Integrity is lost: nothing is signed any more."""
    cosigned_at(place, log, 5)
    place.state.write_bytes(b"not a database, but long enough to be read as one" * 100)
    with pytest.raises(BrokenError):
        opened(place)


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE cosigned SET size = 6",
        "UPDATE cosigned SET timestamp = timestamp + 1",
        "UPDATE cosigned SET note = CAST(replace(CAST(note AS TEXT), '/w1', '/w2') AS BLOB)",
        "UPDATE cosigned SET note = X'00ff'",
        "UPDATE cosigned SET note = substr(note, 1, length(note) - 3400)",
    ],
)
def test_a_state_that_these_keys_did_not_sign_stops_the_witness(
    place: WitnessPlace, log: GrowingLog, spoil: str
) -> None:
    """Each column is held against the signatures when the witness starts."""
    cosigned_at(place, log, 5)
    connection = sqlite3.connect(place.state)
    connection.execute(spoil)
    connection.commit()
    connection.close()
    with pytest.raises(DueprocessError) as caught:
        opened(place)
    assert caught.type is BrokenError


def test_other_keys_are_another_witness(place: WitnessPlace, log: GrowingLog) -> None:
    """A state and keys that do not belong together are refused."""
    cosigned_at(place, log, 5)
    for each in place.keys.iterdir():
        each.unlink()
    WitnessSigner.create(place.name, place.keys)
    with pytest.raises(BrokenError, match="not signed with the keys"):
        opened(place)


def test_a_restarted_witness_goes_on_where_it_was(place: WitnessPlace, log: GrowingLog) -> None:
    """Size, keys and time survive."""
    first = serve_in_thread(place.folder, clock=TickingClock(), report=lambda _: None)
    assert ask(first.url, "POST", "/add-checkpoint", log.body(0, 3)).status == 200
    first.stop()
    second = serve_in_thread(place.folder, clock=TickingClock(), report=lambda _: None)
    assert second.vkeys == first.vkeys
    assert ask(second.url, "POST", "/add-checkpoint", log.body(0, 5)).body == b"3\n"
    assert ask(second.url, "POST", "/add-checkpoint", log.body(3, 5)).status == 200
    second.stop()


# ---------------------------------------------------------------- keys


def test_private_keys_are_readable_by_their_owner_only(place: WitnessPlace) -> None:
    """Neither the files nor the folder; and a file that others can read is refused."""
    assert {each.name for each in place.keys.iterdir()} == {ED25519_FILE, ML_DSA_FILE}
    for each in (*place.keys.iterdir(), place.state, place.folder, place.keys):
        assert each.stat().st_mode & 0o077 == 0
    (place.keys / ED25519_FILE).chmod(0o640)
    with pytest.raises(RefusedError, match="Others can read"):
        opened(place)


def test_each_cosigner_must_have_its_own_ed25519_key(quick_folder: Path) -> None:
    """The message does not commit to the name, so one key never serves two witnesses."""
    made = [create_place(quick_folder / str(each), NAME) for each in range(2)]
    first, second = (WitnessSigner.open(each.name, each.keys).vkeys for each in made)
    assert not {each.public for each in first} & {each.public for each in second}


def test_key_ids_must_follow_from_name_algorithm_and_public_key(place: WitnessPlace) -> None:
    """SHA-256(name ‖ newline ‖ 0x04 or 0x06 ‖ public key), four bytes of it."""
    ed25519, ml_dsa = WitnessSigner.open(place.name, place.keys).vkeys
    for vkey, algorithm, length in ((ed25519, b"\x04", 32), (ml_dsa, b"\x06", 1312)):
        assert len(vkey.public) == length
        assert vkey.key_id == hashlib.sha256(NAME.encode() + b"\n" + algorithm + vkey.public).digest()[:4]


def test_a_timestamp_of_zero_must_not_be_signed(place: WitnessPlace, log: GrowingLog) -> None:
    """Below the clock's own check, the signer refuses too."""
    with pytest.raises(RefusedError):
        WitnessSigner.open(place.name, place.keys).cosign(log.head(3).text, 0)


def test_missing_swapped_and_spoilt_keys_are_said(place: WitnessPlace) -> None:
    """Each with its own family of error."""
    ed25519, ml_dsa = place.keys / ED25519_FILE, place.keys / ML_DSA_FILE
    good = ed25519.read_bytes()
    write_over(ed25519, ml_dsa.read_bytes())
    with pytest.raises(MalformedError):
        opened(place)
    write_over(ed25519, b"garbage")
    with pytest.raises(MalformedError):
        opened(place)
    ed25519.unlink()
    with pytest.raises(UnavailableError):
        opened(place)
    write_new(ed25519, good)
    opened(place).close()


# ---------------------------------------------------------------- files


def test_a_file_is_written_whole_or_not_at_all(quick_folder: Path) -> None:
    """Never replaced by accident, and nothing half-made stays behind."""
    write_new(quick_folder / "a", b"1")
    with pytest.raises(ConflictError):
        write_new(quick_folder / "a", b"2")
    assert (quick_folder / "a").read_bytes() == b"1"
    write_over(quick_folder / "a", b"3")
    assert (quick_folder / "a").read_bytes() == b"3"
    for write in (write_new, write_over):
        with pytest.raises(UnavailableError):
            write(quick_folder / "missing" / "a", b"1")
    assert [each.name for each in quick_folder.iterdir()] == ["a"]


def test_a_key_from_the_past_is_not_a_vkey_of_this_name(place: WitnessPlace) -> None:
    """The name is part of the key's identity."""
    one: tuple[Vkey, Vkey] = WitnessSigner.open("witness.example/w1", place.keys).vkeys
    two = WitnessSigner.open("witness.example/w2", place.keys).vkeys
    assert {each.key_id for each in one}.isdisjoint(each.key_id for each in two)
