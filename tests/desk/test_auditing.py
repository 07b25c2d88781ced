"""A real office's bundle: packed, counted again by the commands an auditor runs, and sampled by lot.

Source: security.md 5.5.
"""

import datetime as dt
import json
import stat
from contextlib import suppress
from pathlib import Path

import pytest
from cyclopts import App

from desk.half_year import FROM, UNTIL, Audited, check, codes, told
from dueprocess.audit.bundle import (
    HEADER,
    RECORDS,
    parse_record,
)
from dueprocess.cli.audit_check import check_command
from dueprocess.cli.audit_draw import draw_command
from dueprocess.desk import auditing
from dueprocess.errors import BrokenError, MalformedError, RefusedError, UnavailableError
from dueprocess.history import connection, ledger
from dueprocess.history.append import load_case
from dueprocess.tlog.record import AUDIENCES
from dueprocess.vault.privatefiles import replace_private
from dueprocess.wire import canonical, sha256_hex
from office import EVA, FINN, Office

pytestmark = pytest.mark.slow


# ------------------------------------------------------------------ an honest bundle


def test_an_honest_half_year_fits(audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every slot rebuilt, every number counted, the erasure after the period shown, and what was not seen.

    After the period come the purge of the parcel and the erasure.
    """
    found = check(audited, bundle, capsys)
    assert found["faults"] == []
    months = found["months"]["2026-09"]
    assert (months["received"], months["read"], months["decided"]) == (14, 14, 1)
    assert (months["produced"], months["delivered"]) == (1, 1)
    assert found["erased"] == [found["bundle"]["last_seq"] + 2]
    assert found["epochs"] > 15
    assert any("without" in each or "no independent timekeeper" in each for each in found["shown"])
    assert any("839 time slots" in each or "time slots" in each for each in found["shown"])
    assert any("1 rows of 2026H2 belong to erased demands" in each for each in found["unseen"])
    assert any("outside of this software" in each for each in found["unseen"])


def test_the_text_says_the_conclusion_first(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And ends with what could not be seen. No word of the trade, no name, no case."""
    assert check_command(bundle, log=str(audited.log), policy=audited.policy) == 0
    text = capsys.readouterr().out
    assert text.startswith("Everything that can be counted fits together.")
    assert text.index("What this audit could not see") > text.index("Month by month")
    assert not {"merkle", "hmac", "commitment", "opening"} & set(text.lower().split())


def test_the_bundle_holds_no_name_no_case_and_no_digest_of_a_paper(audited: Audited, bundle: Path) -> None:
    """It may be lost: then it shows that there were demands, and of what kind."""
    everything = b"".join(each.read_bytes() for each in bundle.rglob("*") if each.is_file())
    desk = audited.office.desk
    secrets = [EVA, FINN, "boris", "Chat Example", desk.master.hex(), audited.open_case, audited.produced]
    case = load_case(audited.produced)
    assert case.received is not None
    secrets += [str(case.received.body[name]) for name in ("paper_sha256", "order_ref")]
    assert case.read is not None
    secrets += [case.read.text("subjects_root"), case.read.text("scope_sha256")]
    for each in secrets:
        assert each.encode() not in everything, each
    for line in (bundle / RECORDS).read_bytes().splitlines():
        assert set(parse_record(line).opening.opened) <= set(AUDIENCES["auditor"])


def test_the_bundle_is_for_its_owner_alone_and_packs_again_to_the_same(
    audited: Audited, tmp_path: Path
) -> None:
    """Nobody else on the machine reads it; a second run gives the same files."""
    connection.use(audited.office.desk.installation.database)
    for _ in range(2):
        auditing.pack(audited.office.desk, tmp_path / "b", FROM, UNTIL, now=audited.office.now)
    for each in (tmp_path / "b").rglob("*"):
        assert stat.S_IMODE(each.stat().st_mode) in (0o700, 0o600)
        if each.is_file():
            assert each.read_bytes() == (audited.bundle / each.relative_to(tmp_path / "b")).read_bytes()


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (dt.date(2026, 9, 4), dt.date(2026, 9, 6)),
        (dt.date(2026, 9, 1), dt.date(2026, 9, 3)),
        (dt.date(2027, 1, 1), dt.date(2027, 7, 1)),
        (dt.date(2026, 9, 5), dt.date(2027, 4, 4)),
    ],
    ids=str,
)
def test_any_period_fits(
    audited: Audited, tmp_path: Path, capsys: pytest.CaptureFixture[str], since: dt.date, until: dt.date
) -> None:
    """One that cuts cases in two, one before the first demand, one after most, one that begins in the middle."""
    desk = audited.office.desk
    connection.use(desk.installation.database)
    auditing.pack(desk, tmp_path / "b", since, until, now=audited.office.now)
    found = check(audited, tmp_path / "b", capsys)
    assert found["faults"] == []


# ------------------------------------------------------------------ the sample


def drawn(
    audited: Audited, bundle: Path, folder: Path, capsys: pytest.CaptureFixture[str], count: int
) -> list[int]:
    """Draws with the log's head of now, and lets the operator hand over a receipt for each number."""
    head = audited.log / "checkpoint"
    capsys.readouterr()
    draw_command(bundle, after=2, count=count, checkpoint=head, policy=audited.policy, out=folder, json=True)
    numbers: list[int] = json.loads(capsys.readouterr().out)["drawn"]
    for each in numbers:
        with suppress(RefusedError):
            replace_private(folder / f"{each}.json", auditing.open_drawn(audited.office.desk, each)[1])
    return numbers


def test_a_sample_is_drawn_opened_and_checked(
    audited: Audited, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All fourteen: thirteen with the digest of their paper, the erased one shown as erased."""
    numbers = drawn(audited, bundle, tmp_path / "sample", capsys, 99)
    assert len(numbers) == 14
    found = check(audited, bundle, capsys, sample=tmp_path / "sample")
    assert found["faults"] == []
    papers = [each["paper_sha256"] for each in found["sample"]]
    assert papers.count(None) == 1
    assert set(papers) - {None} == {sha256_hex(b"a paper")}
    assert check_command(bundle, log=str(audited.log), policy=audited.policy, sample=tmp_path / "sample") == 0
    text = capsys.readouterr().out
    assert "its case was erased" in text
    assert "to be compared with the paper" in text


def test_a_swapped_sample_is_named(
    audited: Audited, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The receipt of a harmless demand in the place of the drawn one, or another draw altogether."""
    folder = tmp_path / "sample"
    numbers = [
        each for each in drawn(audited, bundle, folder, capsys, 4) if (folder / f"{each}.json").exists()
    ]
    first, second = numbers[:2]
    (folder / f"{first}.json").write_bytes((folder / f"{second}.json").read_bytes())
    found = check(audited, bundle, capsys, sample=folder)
    assert codes(found) == {"sample-swapped"}
    assert f"record {first} belongs to another demand" in told(found)
    sample = json.loads((folder / "sample.json").read_bytes())
    other = next(each for each in range(1, 99) if each not in sample["drawn"])
    (folder / "sample.json").write_bytes(
        canonical({**sample, "drawn": sorted([other, *sample["drawn"][1:]])})
    )
    with pytest.raises(BrokenError, match="not what its dice draw"):
        check_command(bundle, log=str(audited.log), policy=audited.policy, sample=folder)


def test_the_draw_is_announced_before_the_head_exists(
    audited: Audited, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sentence to sign; a head that is too small, or another log's, is refused."""
    draw_command(bundle, after=10**6, count=3)
    text = capsys.readouterr().out
    assert "I draw 3 demands by lot" in text
    assert "1000000 entries or more" in text
    assert "Better name the log of somebody else" in text
    draw_command(bundle, after=10**6, count=3, origin="other.example/1")
    assert "Better name" not in capsys.readouterr().out
    head = audited.log / "checkpoint"
    for more, match in (
        ({"after": 10**6}, "fewer than"),
        ({"after": 1, "origin": "other.example/1"}, "not of"),
    ):
        with pytest.raises((RefusedError, MalformedError), match=match):
            draw_command(bundle, count=3, checkpoint=head, policy=audited.policy, **more)
    with pytest.raises(RefusedError, match="At least one"):
        draw_command(bundle, after=1, count=0)
    draw_command(bundle, after=1, count=3, checkpoint=head, policy=audited.policy, out=tmp_path / "s")
    assert "larger than announced" in capsys.readouterr().out


def test_a_period_without_demands_draws_none(
    audited: Audited, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says so."""
    desk = audited.office.desk
    connection.use(desk.installation.database)
    auditing.pack(desk, tmp_path / "b", dt.date(2026, 9, 1), dt.date(2026, 9, 3), now=audited.office.now)
    draw_command(
        tmp_path / "b", after=1, count=3, checkpoint=audited.log / "checkpoint", policy=audited.policy
    )
    assert "No demand arrived" in capsys.readouterr().out


# ------------------------------------------------------------------ packing


def test_only_demands_are_opened(audited: Audited, bundle: Path) -> None:
    """Not the rosters, not what is not there, not what is erased."""
    desk = audited.office.desk
    erased = ledger.records_of(audited.erased)[1].ledger_seq
    for seq, code in ((1, "not-a-demand"), (10**6, "no-such-record"), (erased, "erased")):
        with pytest.raises(RefusedError) as refused:
            auditing.open_drawn(desk, seq)
        assert refused.value.code == code


@pytest.mark.stage("ready")
def test_a_period_of_which_nothing_is_published_is_refused(office: Office, tmp_path: Path) -> None:
    """Nothing could be compared. Days that end before they begin are refused too."""
    for since, until, code in (
        (dt.date(2028, 1, 1), dt.date(2028, 7, 1), "nothing-published"),
        (dt.date(2026, 9, 2), dt.date(2026, 9, 2), "bad-period"),
    ):
        with pytest.raises(RefusedError) as refused:
            auditing.pack(office.desk, tmp_path / "b", since, until, now=office.now)
        assert refused.value.code == code


@pytest.mark.stage("ready")
def test_a_record_that_somebody_changed_is_not_packed(office: Office, tmp_path: Path) -> None:
    """The operator learns it before the auditor does."""
    import sabotage

    sabotage.disarm()
    record = sabotage.rows("record")[-1]
    sabotage.edit("record", record, commitment="f" * 64)
    with pytest.raises(BrokenError, match="does not follow from its event"):
        auditing.pack(office.desk, tmp_path / "b", FROM, UNTIL, now=office.now)
    assert not (tmp_path / "b" / HEADER).exists()


@pytest.mark.stage("ready")
def test_a_full_disk_is_said_to_be_one(office: Office, tmp_path: Path) -> None:
    """A folder that cannot be written leaves no half bundle."""
    (tmp_path / "b").write_text("in the way")
    with pytest.raises(UnavailableError, match="could not be written"):
        auditing.pack(office.desk, tmp_path / "b", FROM, UNTIL, now=office.now)


def test_the_commands_of_the_operator_work_together(
    audited: Audited, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pack and open as they are typed; a period is named once."""
    program = App(name="dueprocess", result_action="return_value")
    program.command("dueprocess.cli.audit:app", name="audit")

    def run(*words: str | Path) -> str:
        assert program(["audit", *map(str, words)], exit_on_error=False, print_error=False) in (0, None)
        return capsys.readouterr().out

    at = ("--install", audited.office.root)
    made = json.loads(run("pack", "--period", "2026H2", "--out", tmp_path / "b", *at, "--json"))
    assert made["sha256"] == sha256_hex((tmp_path / "b" / HEADER).read_bytes())
    assert "confidential" in run(
        "pack", "--from", "2026-01-01", "--until", "2026-10-01", "--out", tmp_path / "c", *at
    )
    for words in (["--period", "2026H2", "--from", "2026-07-01"], ["--period", "2026"], []):
        with pytest.raises(RefusedError, match="Name the period once"):
            run("pack", *words, "--out", tmp_path / "d", *at)
    seq = ledger.records_of(audited.produced)[1].ledger_seq
    assert "Show the auditor the paper" in run("open", str(seq), "--out", tmp_path / "r.json", *at)
    assert (tmp_path / "r.json").stat().st_mode & 0o077 == 0
    log = ("--log", audited.log, "--policy", audited.policy)
    assert run("check", tmp_path / "b", *log).startswith("Everything")
    assert "by lot" in run("draw", tmp_path / "b", "--after", "9999", "--count", "2")
