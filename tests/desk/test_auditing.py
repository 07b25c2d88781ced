"""A real office's bundle: packed, counted again by the commands an auditor runs, and tampered with in every way.

Source: issue 3, item 7; security.md 5.5.
"""

import datetime as dt
import json
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App

import madelog
from conftest import Templates
from dueprocess.audit.bundle import (
    HEADER,
    OUTSIDE,
    RECORDS,
    SEEDS,
    WITHHELD,
    Header,
    parse_header,
    parse_record,
)
from dueprocess.cli.audit_check import check_command
from dueprocess.cli.audit_draw import draw_command
from dueprocess.desk import auditing, closing, erasing
from dueprocess.errors import BrokenError, MalformedError, RefusedError, UnavailableError
from dueprocess.history import connection, ledger
from dueprocess.history.append import load_case
from dueprocess.report import parse_report
from dueprocess.tlog.record import AUDIENCES
from dueprocess.wire import canonical, sha256_hex
from dueprocess.worker import loop
from dueprocess.worker.clock import set_clock
from office import EVA, FINN, Office

FROM, UNTIL = dt.date(2026, 7, 1), dt.date(2027, 1, 1)
BOTH = ("boris", "chi")

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Audited:
    """What came of a half-year: the office, its bundle, its public log, and what was drawn of it."""

    office: Office
    bundle: Path
    log: Path
    policy: Path
    open_case: str
    erased: str
    produced: str


def leap(office: Office, **delta: float) -> None:
    """Time passes while the machine stands still; the log says so in a gap."""
    office.now += dt.timedelta(**delta)
    set_clock(office.desk.installation, office.now)
    loop.turn(office.desk, office.desk.log(), office.now)


@pytest.fixture(scope="module")
def audited(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    """One answered demand, twelve refused ones, one open under an order; a report; one erased; all packed."""
    folder = tmp_path_factory.mktemp("audited")
    office, _ = templates.copy("sqlite", "produced", folder / "office")
    produced = office.cases[0]
    office.deliver(produced, folder / "parcel.age")
    office.wait(hours=6)
    refused = []
    for _ in range(12):
        refused.append(office.assessed_case())
        office.close(refused[-1])
    open_case = office.assessed_case()
    office.wait(hours=12)
    office.notify(produced)
    office.wait(hours=6)
    office.close(produced)
    office.wait(hours=12)
    leap(office, days=210)
    leap(office, hours=6)
    place = office.desk.installation
    closing.report(office.desk, "2026H2", place.public / "reports" / "2026H2", now=office.now)
    office.wait(hours=6)
    signers = [office.people[each] for each in BOTH]
    erasing.erase(office.desk, refused[3], "retention-over", signers, now=office.now)
    office.wait(hours=12)
    auditing.pack(office.desk, folder / "bundle", FROM, UNTIL, now=office.now)
    yield Audited(
        office, folder / "bundle", place.log, place.public / "policy.txt", open_case, refused[3], produced
    )
    connection.use("sqlite::memory:")


@pytest.fixture
def bundle(audited: Audited, tmp_path: Path) -> Path:
    """The bundle once more, to be tampered with."""
    connection.use(audited.office.desk.installation.database)
    return Path(shutil.copytree(audited.bundle, tmp_path / "bundle"))


def check(audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str], **more: Any) -> dict[str, Any]:
    """What the auditor's command says, as JSON."""
    capsys.readouterr()
    status = check_command(bundle, log=str(audited.log), policy=audited.policy, json=True, **more)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert status == (0 if found["fits"] else 7)
    return found


def codes(found: dict[str, Any]) -> set[str]:
    return {each["code"] for each in found["faults"]}


def told(found: dict[str, Any]) -> str:
    return " ".join(each["told"] for each in found["faults"])


def reseal(bundle: Path, change: Callable[[Header], Header] = lambda each: each) -> None:
    """Makes the digests in bundle.json fit the tampered files, as a lying operator would."""
    header = parse_header((bundle / HEADER).read_bytes())
    files = {name: sha256_hex((bundle / name).read_bytes()) for name in header.files}
    (bundle / HEADER).write_bytes(change(replace(header, files=files)).encoded)


def edit(bundle: Path, name: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Changes the lines of a file and makes bundle.json fit."""
    lines = (bundle / name).read_bytes().splitlines()
    (bundle / name).write_bytes(b"".join(line + b"\n" for line in change(lines)))
    reseal(bundle)


# ------------------------------------------------------------------ an honest bundle


def test_an_honest_half_year_fits(audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every slot rebuilt, every number counted, the erasure after the period shown, and what was not seen."""
    found = check(audited, bundle, capsys)
    assert found["faults"] == []
    months = found["months"]["2026-09"]
    assert (months["received"], months["read"], months["decided"]) == (14, 14, 1)
    assert (months["produced"], months["delivered"]) == (1, 1)
    assert found["erased"] == [found["bundle"]["last_seq"] + 1]
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


# ------------------------------------------------------------------ attacks


def test_a_hidden_record_is_named(audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest record is kept back, its number and everything else made to fit."""
    edit(bundle, RECORDS, lambda lines: lines[:-1])
    reseal(bundle, lambda each: replace(each, last_seq=(each.last_seq or 0) - 1))
    found = check(audited, bundle, capsys)
    assert "epoch-differs" in codes(found)
    assert "A record was hidden, left out, added or changed" in told(found)


def test_a_record_left_out_is_named(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One from the middle."""
    edit(bundle, RECORDS, lambda lines: [*lines[:20], *lines[21:]])
    found = check(audited, bundle, capsys)
    assert {"ledger-gap", "epoch-differs"} <= codes(found)
    assert "number 21 is missing" in told(found)


def changed(line: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    value = json.loads(line)
    change(value)
    return canonical(value)


def test_a_changed_opening_is_named(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refused demand that is to look like another country's."""

    def sweden(value: dict[str, Any]) -> None:
        value["opening"]["opened"]["country"]["value"] = "SE"

    edit(bundle, RECORDS, lambda lines: [*lines[:30], changed(lines[30], sweden), *lines[31:]])
    found = check(audited, bundle, capsys)
    assert "wrong-opening" in codes(found)
    assert "Record 31 cannot be believed" in told(found)


def test_a_wrong_seed_is_named(audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The slot cannot be rebuilt."""
    at = next(
        number for number, line in enumerate((bundle / SEEDS).read_bytes().splitlines())
        if json.loads(line)["e"] == parse_record((bundle / RECORDS).read_bytes().splitlines()[0]).epoch
    )  # fmt: skip

    def other(lines: list[bytes]) -> list[bytes]:
        seed = json.loads(lines[at + 1])["seed"]
        return [*lines[:at], changed(lines[at], lambda value: value.update(seed=seed)), *lines[at + 1 :]]

    edit(bundle, SEEDS, other)
    assert codes(check(audited, bundle, capsys)) == {"epoch-differs"}


def test_a_gap_in_the_numbers_is_named(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Renumbering does not help: each record opens its own number."""

    def renumber(lines: list[bytes]) -> list[bytes]:
        return [*lines[:-1], changed(lines[-1], lambda value: value.update(seq=value["seq"] + 1))]

    edit(bundle, RECORDS, renumber)
    reseal(bundle, lambda each: replace(each, last_seq=(each.last_seq or 0) + 1))
    assert {"ledger-gap", "wrong-opening"} <= codes(check(audited, bundle, capsys))


def test_an_erased_record_passed_off_as_never_there_is_named(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its whole case is left out, or the erasure that explains it."""
    case = load_case(audited.erased)
    own = {each.ledger_seq for each in ledger.records_of(case.case_id).values()}
    edit(bundle, RECORDS, lambda lines: [each for each in lines if parse_record(each).seq not in own])
    found = check(audited, bundle, capsys)
    assert {"ledger-gap", "epoch-differs", "row-without-record"} <= codes(found)
    whole = audited.bundle
    (bundle / RECORDS).write_bytes((whole / RECORDS).read_bytes())
    edit(bundle, OUTSIDE, lambda _: [])
    found = check(audited, bundle, capsys)
    assert codes(found) == {"erased-unsaid"}
    assert "no record says that the case was erased" in told(found)


def test_a_demand_that_is_kept_off_the_list_is_named(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stands in no register and is not said to be withheld."""
    edit(bundle, WITHHELD, lambda _: [])
    assert codes(check(audited, bundle, capsys)) == {"demand-nowhere"}


def test_a_report_with_another_number_is_named(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the bundle; the log names another file, too."""
    path = bundle / "registers" / "2026H2" / "report.json"
    report = parse_report(path.read_bytes())
    cells = (replace(report.cells[0], number=14), *report.cells[1:])
    path.write_bytes(replace(report, cells=cells).encoded)
    reseal(bundle)
    found = check(audited, bundle, capsys)
    assert codes(found) == {"report-not-in-log", "report-differs"}
    assert "the report says 14, the register gives 13" in told(found)


def test_a_register_with_a_row_too_many_or_too_few_is_named(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A demand that nobody made, one that vanished."""
    path = bundle / "registers" / "2026H2" / "register.json"
    value = json.loads(path.read_bytes())
    rows = value["rows"]
    value["rows"] = sorted([*rows, {**rows[0], "rc": "f" * 64}], key=lambda each: [*map(str, each.values())])
    value["statement"] = f"{len(value['rows'])} demands"
    path.write_bytes(canonical(value))
    reseal(bundle)
    assert {"row-without-record", "register-not-in-log"} <= codes(check(audited, bundle, capsys))
    value["rows"], value["statement"] = rows[2:], f"{len(rows) - 2} demands"
    path.write_bytes(canonical(value))
    reseal(bundle)
    assert {"record-without-row", "register-not-in-log"} <= codes(check(audited, bundle, capsys))


def test_a_file_that_changed_on_the_way_is_refused(audited: Audited, bundle: Path) -> None:
    """Before anything is counted; a missing one too."""
    with (bundle / SEEDS).open("ab") as file:
        file.write(b" ")
    with pytest.raises(MalformedError, match="not the file that bundle"):
        check_command(bundle, log=str(audited.log), policy=audited.policy)
    (bundle / SEEDS).unlink()
    with pytest.raises(UnavailableError, match="cannot be read"):
        check_command(bundle, log=str(audited.log), policy=audited.policy)


def test_a_line_without_end_is_refused(audited: Audited, bundle: Path) -> None:
    """It would fill the memory."""
    (bundle / WITHHELD).write_bytes(b"[" * (5 * 1024 * 1024))
    reseal(bundle)
    with pytest.raises(MalformedError, match="longer than any"):
        check_command(bundle, log=str(audited.log), policy=audited.policy)


def test_a_head_without_enough_witnesses_is_named(
    audited: Audited, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The policy that the auditor trusts asks for one who never signed."""
    asks = madelog.witness("north").vkey.text
    text = audited.policy.read_text().replace("quorum none", f"witness north {asks}\nquorum north")
    (tmp_path / "policy.txt").write_text(text)
    found = check(replace(audited, policy=tmp_path / "policy.txt"), bundle, capsys)
    assert codes(found) == {"too-few-witnesses"}
    assert any("one log only" in each for each in found["unseen"])


def test_without_a_policy_nothing_is_believed(audited: Audited, bundle: Path) -> None:
    """The keys come by another way."""
    with pytest.raises(RefusedError, match="policy"):
        check_command(bundle, log=str(audited.log))


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
            auditing.write_private(folder / f"{each}.json", auditing.open_drawn(audited.office.desk, each)[1])
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
