"""Shipped data maps are strict maps, and a file of one's own is read by the same rule."""

from pathlib import Path

import pytest

from dueprocess.errors import BrokenError, MalformedError, RefusedError, UnavailableError
from dueprocess.library import datamaps
from dueprocess.library.datamaps import datamaps_folder, load_map, named_map, shipped_maps


def test_every_shipped_map_parses() -> None:
    """Each shipped map is a map under its own id, and Synapse's is among them."""
    maps = shipped_maps()
    assert all(datamap.id == name for name, datamap in maps.items())
    assert maps["synapse"].route("account").column == "name"


def test_the_synapse_map_lists_nothing_that_opens_something_else() -> None:
    """No password, key or token, and no table about whom somebody knows."""
    synapse = shipped_maps()["synapse"]
    tables = {table.path.table for table in synapse.tables}
    columns = {column.name for table in synapse.tables for column in table.columns}
    assert not columns & {"password_hash", "token", "access_token", "key_json", "pushkey", "session_data"}
    assert not tables & {
        "access_tokens",
        "refresh_tokens",
        "room_memberships",
        "user_directory",
        "device_inbox",
    }
    assert tables == {
        "users",
        "user_threepids",
        "user_external_ids",
        "profiles",
        "user_ips",
        "devices",
        "user_daily_visits",
        "event_json",
        "local_media_repository",
    }


def test_a_file_of_ones_own_is_the_same_map(tmp_path: Path) -> None:
    """The digest depends on the content, not on where it lies."""
    own = tmp_path / "own.toml"
    own.write_bytes((datamaps_folder() / "synapse.toml").read_bytes())
    assert load_map(own).sha256 == shipped_maps()["synapse"].sha256


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Missing, a folder, not UTF-8, too large: each a clear error."""
    with pytest.raises(UnavailableError):
        load_map(tmp_path / "nothing.toml")
    with pytest.raises(UnavailableError):
        load_map(tmp_path)
    odd = tmp_path / "odd.toml"
    odd.write_bytes(b"\xff\xfe")
    with pytest.raises(MalformedError, match=r"odd\.toml"):
        load_map(odd)
    odd.write_bytes(b"#" * (16 * 1024 * 1024 + 1))
    with pytest.raises(MalformedError, match="larger"):
        load_map(odd)
    odd.write_bytes(b"")
    with pytest.raises(MalformedError, match=r"odd\.toml"):
        load_map(odd)


def test_two_maps_of_one_id_break_the_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of the two would count, nobody could say."""
    for name in ("a.toml", "b.toml", "notes.txt"):
        (tmp_path / name).write_bytes((datamaps_folder() / "synapse.toml").read_bytes())
    monkeypatch.setattr(datamaps, "datamaps_folder", lambda: tmp_path)
    with pytest.raises(BrokenError, match="synapse"):
        shipped_maps()


def test_a_map_is_named_by_its_file_or_by_its_shipped_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file wins; a name that is neither is refused with advice; a path never means a shipped map."""
    assert named_map(Path("synapse")).sha256 == shipped_maps()["synapse"].sha256
    monkeypatch.chdir(tmp_path)
    text = (datamaps_folder() / "mastodon.toml").read_text(encoding="utf-8")
    (tmp_path / "synapse").write_text(text, encoding="utf-8")
    assert named_map(Path("synapse")).id == shipped_maps()["mastodon"].id
    for odd in ("nothing", "../datamaps/synapse", "/synapse"):
        with pytest.raises(RefusedError, match="no data map"):
            named_map(Path(odd))
