"""Packs from disk: shipped, your own, those an installation keeps, and their cases."""

from pathlib import Path

import pytest

from desk.own_pack import OWN, STRICT, written
from dueprocess.errors import BrokenError, MalformedError, RefusedError, UnavailableError
from dueprocess.library import packs
from dueprocess.library.packs import (
    check_pack,
    kept_file,
    kept_packs,
    load_file,
    load_pack,
    own_packs,
    pack_set,
    rulepacks_folder,
    shipped_as_written,
    shipped_file,
    shipped_packs,
)

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
    with pytest.raises(BrokenError, match=r"call themselves us\.sca") as caught:
        shipped_packs()
    assert "us/b.toml, line" in caught.value.what


def test_an_installation_without_packs_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing could be assessed; stray files beside the folders are not packs."""
    (tmp_path / "note.toml").write_text("stray")
    monkeypatch.setattr(packs, "rulepacks_folder", lambda: tmp_path)
    with pytest.raises(BrokenError, match="no rule packs"):
        shipped_packs()


def test_the_shipped_set_holds_the_baseline_and_is_read_once() -> None:
    """As written and as applied; the second time it is the same object, from the texts as they are on disk."""
    assert shipped_as_written()["baseline"].kind == "baseline"
    assert set(shipped_packs()) == {
        each.id for each in shipped_as_written().values() if each.kind != "overlay"
    }
    assert shipped_packs()["us.sca"] is shipped_packs()["us.sca"]


def test_a_shipped_pack_comes_with_its_text() -> None:
    """What is put in force is what lies in the folder; an id that is not shipped names those that are."""
    for pack_id, pack in shipped_as_written().items():
        file = shipped_file(pack_id)
        assert file.pack == pack
        assert (ROOT / "rulepacks" / file.name).read_text(encoding="utf-8") == file.text
    with pytest.raises(RefusedError, match=r"us\.sca") as caught:
        shipped_file("us.none")
    assert caught.value.code == "no-such-pack"


def test_packs_of_ones_own_are_used_with_the_shipped_floor(tmp_path: Path) -> None:
    """The baseline comes along, and the shipped pack under an overlay; no other law does."""
    own = written(tmp_path, OWN)
    assert [each.id for each in own_packs([own])] == ["baseline", "xx.own"]
    over = written(tmp_path, STRICT.replace("xx.own", "us.sca").replace('"order"', '"d_order"'), "over.toml")
    applied = {each.id: each for each in own_packs([over])}
    assert list(applied) == ["baseline", "us.sca"]
    assert [each.id for each in applied["us.sca"].layers] == ["xx.strict"]
    both = {each.id: each for each in own_packs([own, written(tmp_path, STRICT, "strict.toml")])}
    assert [each.id for each in both["xx.own"].layers] == ["xx.strict"]
    with pytest.raises(MalformedError, match=r"strict\.toml"):
        own_packs([tmp_path / "strict.toml"])


def test_cases_of_an_overlay_run_with_what_it_overlays(tmp_path: Path) -> None:
    """An overlay's cases see the pack below it, the floor, and the packs that the file asks for by name."""
    text = STRICT.replace("xx.own", "us.sca").replace('"order"', '"subpoena"')
    written(tmp_path, text, "house.toml")
    cases = SCA.with_name("sca.cases.toml").read_text(encoding="utf-8")
    (tmp_path / "house.cases.toml").write_text('with = ["us.reverse"]\n' + cases, encoding="utf-8")
    report = check_pack(tmp_path / "house.toml")
    assert report.pack.id == "xx.strict"
    differing = {each for _, found in report.failures for each in found}
    assert differing
    assert all("xx.strict" not in each or "house" in each for each in differing)
    (tmp_path / "house.cases.toml").write_text('with = ["us.none"]\n' + cases, encoding="utf-8")
    with pytest.raises(RefusedError, match=r"us\.none"):
        check_pack(tmp_path / "house.toml")


def test_kept_packs_are_those_of_their_digests(tmp_path: Path) -> None:
    """Named by digest, read by digest; a comment does not count, a changed word does."""
    files = {each.pack.sha256: each for each in (load_file(SCA), shipped_file("baseline"))}
    for digest, file in files.items():
        (tmp_path / f"{digest}.toml").write_text(file.text + "# a note\n", encoding="utf-8")
    assert {each.sha256 for each in kept_packs(tmp_path, files)} == set(files)
    assert kept_packs(tmp_path, ()) == ()
    for digest in files:
        assert kept_file(tmp_path, digest).pack.sha256 == digest
    other = next(iter(files))
    (tmp_path / f"{other}.toml").write_text(
        written(tmp_path, OWN).read_text(encoding="utf-8"), encoding="utf-8"
    )
    for read in (lambda: kept_packs(tmp_path, files), lambda: kept_file(tmp_path, other)):
        with pytest.raises(BrokenError) as caught:
            read()
        assert caught.value.code == "pack-altered"
        assert other in caught.value.what


def test_kept_packs_that_do_not_hold_together_are_broken(tmp_path: Path) -> None:
    """An overlay whose pack is gone: not what two people put in force."""
    alone = load_file(written(tmp_path, STRICT))
    (tmp_path / f"{alone.pack.sha256}.toml").write_text(alone.text, encoding="utf-8")
    with pytest.raises(BrokenError, match="hold together"):
        kept_packs(tmp_path, [alone.pack.sha256])
    with pytest.raises(MalformedError):
        pack_set([alone])
