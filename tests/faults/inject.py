"""One injection: copy the stage, run the step with one fault, look, restart, finish the step, look again."""

import select
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from dueprocess.desk import erasing
from dueprocess.desk.desk import open_desk
from dueprocess.history import connection
from faults import look
from faults.calls import Call, Fault, parse, worth
from faults.plants import Plant
from faults.stages import Stage, copied, entered, witness
from faults.states import Disk, State, Story
from faults.steps import STEPS, found, founded, turn
from faults.traced import Ending, apart, ended, run, traced, was_hit
from office import Office

INIT = "init"
PATIENCE = 0.8
"""Seconds that a rival has while a call stalls. One that waits for a lock gets it afterwards."""


@dataclass(frozen=True, slots=True)
class Injected:
    """What came of one injection."""

    step: str
    kind: str
    words: str
    when: int
    hit: bool
    acked: bool
    raised: str | None
    wrong: tuple[str, ...]


def stage_of(step: str) -> str:
    return "founders" if step == INIT else STEPS[step].stage


@dataclass(frozen=True, slots=True)
class Bench:
    """One copy of one stage for one step, with or without a planted bug."""

    stage: Stage
    folder: Path
    step: str
    plant: Plant | None = None

    def record(self, *, whole: bool = False) -> list[Call]:
        """Runs the step undisturbed and gives the calls worth a fault, or with ``whole`` all calls with their bytes."""
        copied(self.stage, self.folder)
        with self._outside():
            ending = traced(self._work, self._out, whole=whole)
        if ending.acked is None:
            raise SystemExit(f"{self.step} does not work without faults: {ending.raised}")
        calls = parse(ending.trace)
        return calls if whole else worth(calls, str(self.folder))

    def inject(self, fault: Fault) -> Injected:
        copied(self.stage, self.folder)
        floor = [0]
        with self._outside():
            rival = (lambda: self._rival(floor)) if fault.kind == "stall" else None
            ending = traced(self._work, self._out, fault, meanwhile=rival)
            wrong = self._aftermath(ending.acked, floor[0]) + _unexpected(ending, fault)
        return Injected(
            self.step, fault.kind, fault.call.words(str(self.folder)), fault.call.when, was_hit(ending, fault),
            ending.acked is not None, ending.raised, tuple(wrong),
        )  # fmt: skip

    def undisturbed(self) -> list[str]:
        """What is wrong after a run without any fault: nothing, also with a planted bug."""
        copied(self.stage, self.folder)
        with self._outside():
            return self._aftermath(traced(self._work, self._out).acked)

    def after_power_cut(self, state: State) -> list[str]:
        """What is wrong when the office wakes up on this disk."""
        state.disk.write(self.folder)
        with self._outside():
            return self._aftermath(state.acked, cut=True)

    def story(self) -> Story:
        """An undisturbed run as changes and syncs."""
        copied(self.stage, self.folder)
        begun = Disk.read(self.folder)
        return Story(self.record(whole=True), self.folder, begun)

    def _aftermath(self, acked: str | None, floor: int = 0, *, cut: bool = False) -> list[str]:
        """Looks at what is left, restarts, finishes, looks again: in a process of its own."""
        found = apart(lambda tell: self._restart(tell, acked, floor, cut=cut))
        if found.hung:
            return ["the restart hangs"]
        if found.raised is not None or found.acked is None:
            return [f"the restart fails: {found.raised or f'signal {found.signal}'}"]
        return [line for line in found.acked.split("\t") if line]

    @property
    def _out(self) -> Path:
        return self.folder.with_suffix(".trace")

    def _outside(self) -> ExitStack:
        stack = ExitStack()
        if self.stage.port and self.stage.office is not None:
            stack.enter_context(witness(self.folder, self.stage.office.now, self.stage.port))
        return stack

    def _work(self, tell: Callable[[str], None]) -> None:
        with ExitStack() as stack:
            if self.plant is not None:
                self.plant.put(stack, self.folder)
            if self.step == INIT:
                tell(found(self.folder))
            else:
                tell(STEPS[self.step].run(entered(self.stage, self.folder)))
            connection.close()

    def _rival(self, floor: list[int]) -> Callable[[], None]:
        """Another program at the same time. It gets a while; then, waiting for a lock or not, the first goes on.

        What it published must not be taken back.
        """

        def work(tell: Callable[[str], None]) -> None:
            with ExitStack() as stack:
                if self.plant is not None:
                    self.plant.put(stack, self.folder)
                if self.step == INIT:
                    tell(found(self.folder))
                    return
                step, office = STEPS[self.step], entered(self.stage, self.folder)
                (step.rival or step.run)(office)
                tell("done")
                connection.close()

        child, hear = run(work)
        done, _, _ = select.select([hear], [], [], PATIENCE)
        if done:
            floor[0] = self._published()
        return lambda: _over(child, hear)

    def _published(self) -> int:
        if not (self.folder / "install" / "log" / "checkpoint").exists():
            return 0
        moment, _ = look.at_the_crash(self.folder)
        return moment.published.size if moment.published else 0

    def _restart(self, tell: Callable[[str], None], acked: str | None, floor: int, *, cut: bool) -> None:
        with ExitStack() as stack:
            if self.plant is not None:
                self.plant.put(stack, self.folder)
            moment, wrong = look.at_the_crash(self.folder, floor)
            if self.step == INIT:
                wrong += founded(self.folder, acked, cut=cut)
                wrong += look.after_restart(open_desk(self.folder / "install"), moment)
            else:
                wrong += self._finish(entered(self.stage, self.folder), moment, acked)
            tell("\t".join(each.replace("\t", " ") for each in wrong))

    def _finish(self, office: Office, moment: look.Moment, acked: str | None) -> list[str]:
        wrong = look.releases(office.desk, self.folder) + look.letters(office.desk) + look.seen(office.desk)
        first = STEPS[self.step].first
        if first is not None:
            first(office)
        turn(office)
        office.seen += erasing.finish_erasures(office.desk, office.now)
        wrong += look.after_restart(office.desk, moment)
        wrong += STEPS[self.step].finish(office, acked)
        office.wait(days=1)
        wrong += look.after_restart(office.desk, moment) + look.releases(office.desk, self.folder)
        return wrong


def _over(child: int, hear: int) -> None:
    ended(child, hear)


def _unexpected(ending: Ending, fault: Fault) -> list[str]:
    """A step may refuse in our own words; it never hangs, and never ends with somebody else's error."""
    if ending.hung:
        return ["the step hangs"]
    if ending.raised is not None and ending.raised.startswith("raw "):
        return [f"an error without a word of what to do: {ending.raised}"]
    if ending.raised is not None and ending.raised.startswith("BrokenError"):
        return [f"a disk that fails is reported as lost integrity: {ending.raised}"]
    return []
