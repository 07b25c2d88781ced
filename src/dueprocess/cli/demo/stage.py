"""The stage of the demo: a founded installation on a declared, simulated clock, and everybody's keys."""

import datetime as dt
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import pyrage

from dueprocess.cli.demo.platform import PlatformRun
from dueprocess.cli.demo.telling import Telling
from dueprocess.desk import rosters, setup
from dueprocess.desk.desk import Desk
from dueprocess.desk.filekeys import FileKey, FileKeyWarning, make_key
from dueprocess.library.datamaps import datamaps_folder
from dueprocess.worker import loop
from dueprocess.worker.clock import set_clock

ORIGIN = "chat.example/dueprocess/1"
EPOCH_HOURS = 6
"""An epoch of the demo. A real installation closes one every five minutes."""
COURT, GRAND_JURY = "a-district-court", "a-grand-jury"
PEOPLE = ("ana", "boris", "chi", "dana")


@dataclass
class Stage:
    """Who and what acts in the demo. ``now`` is the simulated clock."""

    folder: Path
    desk: Desk
    people: dict[str, FileKey]
    officers: dict[str, pyrage.x25519.Identity]
    """The age identity of each authority: only the demo holds them, to look into its own parcels."""
    run: PlatformRun
    telling: Telling
    now: dt.datetime
    seen: list[str] = field(default_factory=list)

    def wait(self, **delta: float) -> list[str]:
        """Moves the clock; the worker takes a turn at the end of every epoch on the way. Returns what it did."""
        until = self.now + dt.timedelta(**delta)
        log, done = self.desk.log(), list[str]()
        step = dt.timedelta(hours=EPOCH_HOURS)
        while self.now < until:
            self.now = min(self.now + step, until)
            set_clock(self.desk.installation, self.now)
            done += loop.turn(self.desk, log, self.now)
        self.seen += done
        return [line for line in done if not line.startswith("closed")]


def set_stage(folder: Path, run: PlatformRun, telling: Telling) -> Stage:
    """Founds the installation three days before the first paper, enrols people and authorities, opens the stores."""
    warnings.simplefilter("ignore", FileKeyWarning)
    begun = run.received_at - dt.timedelta(days=3)
    root = folder / "install"
    (root / "datamaps").mkdir(parents=True)
    text = (datamaps_folder() / "synapse.toml").read_text(encoding="utf-8")
    (root / "datamaps" / "synapse.toml").write_text(text, encoding="utf-8")
    people = {name: make_key(name, root / "keys" / "people" / f"{name}.json") for name in PEOPLE}
    founders = [people["boris"], people["chi"]]
    new = setup.NewInstallation(
        origin=ORIGIN,
        regimes=("us",),
        operator="Chat Example",
        contact="legal@chat.example",
        country="US",
        datamap="datamaps/synapse.toml",
        clock="simulated",
        epoch_seconds=EPOCH_HOURS * 3600,
        window_days=7,
    )
    desk = setup.create(root, new, founders, begun)
    stores = f"SYNAPSE_DSN=sqlite:///{run.database.resolve()}\nSYNAPSE_MEDIA=file:///{run.media.resolve()}\n"
    (root / "worker" / "stores.env").write_text(stores)
    set_clock(desk.installation, begun)
    officers = {who: pyrage.x25519.Identity.generate() for who in (COURT, GRAND_JURY)}
    identity = f"# demo identity of the requesting officer\n{officers[COURT]}\n"
    (folder / "officer.agekey").write_text(identity)
    for name, roles in (("ana", ["intake"]), ("dana", ["reviewer"])):
        key = people[name]
        rosters.enrol(desk, setup.staff_document(name, key.public, key.credential, roles), founders, begun)
    for who, name in ((COURT, "District Court of Example"), (GRAND_JURY, "Grand Jury of Example")):
        age = str(officers[who].to_public())
        entry = rosters.authority_document(who, name=name, country="US", authority_class="court", age=age)
        rosters.enrol(desk, entry, founders, begun)
    stage = Stage(folder, desk, people, officers, run, telling, begun)
    stage.wait(seconds=(run.received_at - begun).total_seconds())
    return stage
