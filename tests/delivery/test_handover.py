"""Parcels on disk: what is copied out is what history names, or nothing is."""

import hashlib
from pathlib import Path

import pytest

from dueprocess.delivery.handover import check_parcel, hand_over, parcel_path, room_for
from dueprocess.errors import BrokenError, ConflictError, UnavailableError

DATA = b"ciphertext" * 300_000


@pytest.fixture
def parcel(tmp_path: Path) -> Path:
    path = parcel_path(tmp_path, "p-1")
    path.write_bytes(DATA)
    return path


def digest() -> str:
    return hashlib.sha256(DATA).hexdigest()


def test_the_copy_is_the_parcel(parcel: Path, tmp_path: Path) -> None:
    """Whole, under its final name at once, and nothing else stays beside it."""
    to = tmp_path / "answer.age"
    with room_for(check_parcel(tmp_path, "p-1", digest()), to) as fresh:
        assert fresh.stat().st_size == len(DATA)
        assert set(fresh.read_bytes()) == {0}
        hand_over(parcel, digest(), fresh, to)
    assert to.read_bytes() == DATA
    assert sorted(each.name for each in tmp_path.iterdir()) == ["answer.age", "p-1.tar.age"]


@pytest.mark.parametrize("at", [0, len(DATA) // 2, -1])
def test_a_bit_that_flips_between_check_and_copy_is_seen(parcel: Path, tmp_path: Path, at: int) -> None:
    """The bytes that are copied are compared, not the bytes that were there a moment before."""
    to = tmp_path / "answer.age"
    with room_for(check_parcel(tmp_path, "p-1", digest()), to) as fresh:
        changed = bytearray(DATA)
        changed[at] ^= 1
        parcel.write_bytes(changed)
        with pytest.raises(BrokenError) as caught:
            hand_over(parcel, digest(), fresh, to)
    assert caught.value.code == "parcel-altered"
    assert not to.exists()


def test_a_parcel_that_shrank_is_seen(parcel: Path, tmp_path: Path) -> None:
    """Room that was taken is no content."""
    to = tmp_path / "answer.age"
    with room_for(parcel, to) as fresh:
        parcel.write_bytes(DATA[:-1])
        with pytest.raises(BrokenError):
            hand_over(parcel, digest(), fresh, to)
    assert not to.exists()


def test_a_file_that_appears_meanwhile_is_kept(parcel: Path, tmp_path: Path) -> None:
    """Never over an existing file, even one that was not there when the hand-over began."""
    to = tmp_path / "answer.age"
    with room_for(parcel, to) as fresh:
        to.write_text("somebody else's")
        with pytest.raises(ConflictError):
            hand_over(parcel, digest(), fresh, to)
    assert to.read_text() == "somebody else's"


def test_a_place_or_a_parcel_that_goes_away_is_said(parcel: Path, tmp_path: Path) -> None:
    """A folder that is not there, a parcel that is gone in the middle."""
    with pytest.raises(UnavailableError), room_for(parcel, tmp_path / "none" / "answer.age"):
        pass  # pragma: no cover
    to = tmp_path / "answer.age"
    with room_for(parcel, to) as fresh:
        parcel.unlink()
        with pytest.raises(UnavailableError) as caught:
            hand_over(parcel, digest(), fresh, to)
    assert caught.value.code == "cannot-hand-over"
    assert not to.exists()
