"""The drills of docs/backup.md, typed as a person types them: what is lost, what is refused, how work goes on."""

import datetime as dt
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dueprocess.wire import instant
from journeys.counter import BROKEN, CONFLICT, MALFORMED, REFUSED, UNAVAILABLE, give_stores, here, says
from journeys.typed import Said, called, settings, typed
from office import Office

if TYPE_CHECKING:
    from conftest import Templates

pytestmark = [pytest.mark.slow, pytest.mark.stage("ready")]


class Drill:
    """An office that is backed up and comes out elsewhere."""

    def __init__(self, office: Office, database: str | None) -> None:
        self.office = office
        self.folder = office.root.parent
        self.main, self.keys, self.kek = (
            self.folder / name for name in ("main.backup", "keys.backup", "paper")
        )
        self.root = self.folder / "elsewhere"
        self.database = database
        self.now = office.now

    @property
    def case(self) -> str:
        return self.office.cases[0][:8]

    def back_up(self) -> list[Said]:
        """Both archives; the key-encryption key is copied by hand."""
        shutil.copy(self.office.root / "keys" / "kek", self.kek)
        said = [called("backup", "--out", self.main, environment=here(self.office))]
        said.append(called("backup", "--keys", "--out", self.keys, environment=here(self.office)))
        assert [each.code for each in said] == [0, 0], said
        return said

    def restore_words(self, **changes: Path) -> list[str | Path]:
        named = {"main": self.main, "keys": self.keys, "kek": self.kek, "to": self.root, **changes}
        words: list[str | Path] = ["restore", named["main"], named["to"], "--keys", named["keys"]]
        return [*words, "--kek", named["kek"], *(["--database", self.database] if self.database else [])]

    def restore(self) -> Said:
        said = called(*self.restore_words(), environment=settings(None))
        if said.code == 0:
            self.clock()
            shutil.copy(self.office.root / "worker" / "stores.env", self.root / "worker")
        return said

    def clock(self, hours: int = 0) -> None:
        self.now += dt.timedelta(hours=hours)
        (self.root / "clock").write_text(instant(self.now))

    def type(self, *words: str | Path, **more: str) -> Said:
        """A command in the restored installation."""
        return called(*words, environment=settings(self.root, **more))

    def person(self, name: str) -> Path:
        return self.folder / "people" / f"{name}.json"

    def recover(self, *more: str | Path, people: tuple[str, ...] = ("boris", "chi")) -> Said:
        signers = [word for name in people for word in ("--signer", self.person(name))]
        return self.type("recover-log", *more, *signers)

    def turn(self) -> Said:
        """The worker takes a turn; it runs as a process of its own."""
        return typed("worker", "--once", environment=settings(self.root), folder=self.folder)

    def wait(self, hours: int) -> None:
        for _ in range(hours // 6):
            self.clock(6)
            said = self.turn()
            assert said.code == 0, said


@pytest.fixture
def drill(office: Office) -> Drill:
    give_stores(office)
    return Drill(office, None)


@pytest.fixture
def drill_on(office_on: Office, vendor: str, templates: "Templates") -> Drill:
    give_stores(office_on)
    return Drill(office_on, templates.database("postgresql") if vendor == "postgresql" else None)


def test_a_case_goes_on_elsewhere_to_its_delivery(drill_on: Drill, tmp_path: Path) -> None:
    """Backed up, the machine gone, restored, recovered by two, decided again, collected and handed over."""
    told, about_keys = drill_on.back_up()
    assert "is in no backup: keep it on paper" in told.out
    assert "DESTROY IT ON " in about_keys.out
    said = drill_on.restore()
    assert (said.code, "fsck: everything fits." in said.out) == (0, True), said
    says(drill_on.turn(), REFUSED, "recover-log --from LOG")
    says(drill_on.type("produce", drill_on.case, "t1"), REFUSED, "restored from a backup")
    says(drill_on.recover(people=("boris",)), REFUSED, "two different people")
    said = drill_on.recover("--from", drill_on.office.root / "log")
    assert (said.code, "No epoch is lost" in said.out) == (0, True), said
    assert drill_on.type("fsck").code == 0
    drill_on.wait(6)
    says(drill_on.type("produce", drill_on.case, "t1"), REFUSED, "proposed before the log was recovered")
    assert "decide again: dueprocess narrow" in drill_on.type("next").out
    assert drill_on.type("narrow", drill_on.case, "t1").code == 0
    assert (
        drill_on.type("propose", drill_on.case, "t1", DUEPROCESS_KEY=str(drill_on.person("boris"))).code == 0
    )
    assert drill_on.type("approve", drill_on.case, "t1", DUEPROCESS_KEY=str(drill_on.person("chi"))).code == 0
    drill_on.wait(36)
    said = drill_on.type("produce", drill_on.case, "t1")
    assert said.code == 0, said
    drill_on.wait(6)
    said = drill_on.type("deliver", drill_on.case, "t1", "--to", tmp_path / "answer.tar.age")
    assert said.code == 0, said
    assert drill_on.type("fsck").code == 0


def test_an_old_backup_says_what_was_lost_for_ever(drill: Drill) -> None:
    """Two days later: what came in since is lost, the public log says so, and it still verifies for outsiders."""
    drill.back_up()
    drill.office.wait(hours=48)
    drill.now = drill.office.now
    log = drill.office.root / "log"
    head = called("log", "--json", environment=here(drill.office)).value
    assert drill.restore().code == 0
    said = drill.recover("--from", log)
    assert said.code == 0, said
    assert "Lost for good: whatever was recorded in the epochs " in said.out
    assert f"{drill.case} t1: the decision is void" in said.out
    after = drill.type("log", "--json").value
    assert after["size"] == head["size"] + 1
    policy = drill.root / "public" / "policy.txt"
    verified = drill.type("verify", drill.root / "log", "--policy", policy)
    assert verified.code == 0, verified
    assert drill.type("fsck").code == 0
    says(drill.recover("--from", log), REFUSED, "is not behind")


def test_each_wrong_file_is_told_apart(drill: Drill, tmp_path: Path) -> None:
    """At night one takes the wrong file; each gets a sentence of its own, and nothing is restored."""
    drill.back_up()
    bad, cut = tmp_path / "bad-kek", tmp_path / "cut.backup"
    bad.write_text("A" * 43 + "=")
    cut.write_bytes(drill.main.read_bytes()[:-5000])
    for changes, code, words in (
        ({"kek": tmp_path / "none"}, UNAVAILABLE, "Without it nothing can be restored"),
        ({"kek": bad}, REFUSED, "not the key-encryption key that the backup was made under"),
        ({"kek": drill.main}, MALFORMED, "one line of 44 characters"),
        ({"main": cut}, MALFORMED, "Take another copy of the backup"),
        ({"main": drill.keys, "keys": drill.main}, MALFORMED, "Give the backup of the installation first"),
        ({"keys": tmp_path / "none"}, UNAVAILABLE, "There is no backup"),
        ({"to": drill.office.root}, CONFLICT, "Name an empty folder"),
    ):
        says(called(*drill.restore_words(**changes), environment=settings(None)), code, words)
    assert not (drill.root / "dueprocess.toml").exists()
    assert drill.restore().code == 0


def test_a_restore_with_something_missing_ends_as_broken_and_names_it(drill: Drill) -> None:
    """Keys that were backed up before the last case came: its paper cannot be opened, and the exit code says so."""
    shutil.copy(drill.office.root / "keys" / "kek", drill.kek)
    assert called("backup", "--keys", "--out", drill.keys, environment=here(drill.office)).code == 0
    late = drill.office.receive("a late paper", "late.txt")
    assert called("backup", "--out", drill.main, environment=here(drill.office)).code == 0
    said = called(*drill.restore_words(), environment=settings(None))
    assert said.code == BROKEN
    assert f"Nobody can open 1 case: {late[:8]}" in said.out
    assert "FAULT " in said.out


def test_the_three_commands_answer_in_json(drill: Drill) -> None:
    """For the scripts that run at night."""
    shutil.copy(drill.office.root / "keys" / "kek", drill.kek)
    environment = here(drill.office)
    main = called("backup", "--out", drill.main, "--json", environment=environment).value
    keys = called("backup", "--keys", "--out", drill.keys, "--json", environment=environment).value
    assert (main["kind"], keys["kind"], main["destroy_on"]) == ("installation", "keys", None)
    assert keys["destroy_on"] > keys["made_at"][:10]
    restored = called(*drill.restore_words(), "--json", environment=settings(None)).value
    assert (restored["faults"], restored["head_size"]) == ([], main["head"]["size"])
    drill.clock()
    said = drill.recover("--json")
    assert (said.value["lost_epochs"], said.value["log_size"]) == (None, main["head"]["size"])
