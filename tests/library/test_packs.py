"""Packs from disk: shipped, your own, and their cases."""

from pathlib import Path

import pytest

from dueprocess.errors import BrokenError, MalformedError, UnavailableError
from dueprocess.library import packs
from dueprocess.library.packs import check_pack, load_pack, rulepacks_folder, shipped_packs

ROOT = Path(__file__).parents[2]
SCA = ROOT / "rulepacks" / "us" / "sca.toml"


def test_the_shipped_packs_are_found_by_id() -> None:
    """us.sca is there, and is the file in the repository."""
    assert shipped_packs()["us.sca"] == load_pack(SCA)
    assert (rulepacks_folder() / "us" / "sca.toml").is_file()


def test_every_shipped_pack_agrees_with_its_worked_cases() -> None:
    """No pack ships without cases, and all of them hold."""
    files = [each for each in (ROOT / "rulepacks").glob("*/*.toml") if not each.name.endswith(".cases.toml")]
    assert files
    for file in files:
        report = check_pack(file)
        assert report.agrees, report.failures
        assert len(report.cases) >= 12


def test_a_case_that_does_not_hold_is_reported_by_name(tmp_path: Path) -> None:
    """The report names the case and what differs."""
    (tmp_path / "sca.toml").write_bytes(SCA.read_bytes())
    cases = SCA.with_name("sca.cases.toml").read_text(encoding="utf-8")
    wrong = cases.replace('outcome = "permit_all"', 'outcome = "refuse"', 1)
    (tmp_path / "sca.cases.toml").write_text(wrong, encoding="utf-8")
    report = check_pack(tmp_path / "sca.toml")
    assert not report.agrees
    assert report.failures == (
        (
            "A grand jury subpoena for the basic subscriber list",
            ("outcome: expected refuse, found permit_all",),
        ),
    )


def test_a_pack_without_cases_fails_its_check(tmp_path: Path) -> None:
    """Law without worked cases is not checked law."""
    (tmp_path / "sca.toml").write_bytes(SCA.read_bytes())
    with pytest.raises(UnavailableError, match=r"sca\.cases\.toml"):
        check_pack(tmp_path / "sca.toml")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\0" * 1000])
def test_bytes_that_are_no_pack_are_malformed(tmp_path: Path, content: bytes) -> None:
    """Empty, not UTF-8, zeros: one family of error."""
    file = tmp_path / "bad.toml"
    file.write_bytes(content)
    with pytest.raises(MalformedError, match=r"bad\.toml"):
        load_pack(file)


def test_a_file_too_large_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    """A hundred megabytes of zeros are no rule pack."""
    file = tmp_path / "huge.toml"
    with file.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    with pytest.raises(MalformedError, match="larger than"):
        load_pack(file)


def test_a_directory_or_a_missing_file_is_unavailable(tmp_path: Path) -> None:
    """What cannot be read says so, with the reason of the system."""
    for path in (tmp_path, tmp_path / "none.toml"):
        with pytest.raises(UnavailableError, match="cannot be read"):
            load_pack(path)


def test_two_packs_of_one_id_break_the_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of them is the law would be chance."""
    for name in ("a.toml", "b.toml"):
        (tmp_path / "us").mkdir(exist_ok=True)
        (tmp_path / "us" / name).write_bytes(SCA.read_bytes())
    monkeypatch.setattr(packs, "rulepacks_folder", lambda: tmp_path)
    with pytest.raises(BrokenError, match=r"call themselves us\.sca"):
        shipped_packs()


def test_an_installation_without_packs_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing could be assessed; stray files beside the folders are not packs."""
    (tmp_path / "note.toml").write_text("stray")
    monkeypatch.setattr(packs, "rulepacks_folder", lambda: tmp_path)
    with pytest.raises(BrokenError, match="no rule packs"):
        shipped_packs()
