"""The steps that are attacked: what each does, how it is run again, and what must have come of it.

A step acknowledges only what is committed. ``finish`` is what the people and workers of a real office do after the
restart: look whether the step was done, and if not run the same thing again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dueprocess.cases.events import Event
from dueprocess.desk import (
    backups,
    closing,
    decisions,
    demands,
    erasing,
    handover,
    logrules,
    notices,
    recovery,
    setup,
)
from dueprocess.desk.filekeys import open_key
from dueprocess.desk.promises import intake_receipt, promise_path
from dueprocess.errors import ConflictError, RefusedError, UnavailableError
from dueprocess.history import ledger
from dueprocess.history.append import load_case, load_events
from dueprocess.history.docket import docket
from dueprocess.library.backup_archive import read_archive
from dueprocess.worker import loop
from dueprocess.worker import production as production_worker
from faults.stages import EPOCH, PAPER
from office import START, Office


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``finish`` gets what was acknowledged, or None, and gives what is wrong."""

    name: str
    stage: str
    run: Callable[[Office], str]
    finish: Callable[[Office, str | None], list[str]]
    rival: Callable[[Office], object] | None = None
    """What another process does while a call of this one stalls. None: the same step."""
    first: Callable[[Office], None] | None = None
    """What people must do after a restart before the workers can run."""


def kinds(case_id: str) -> list[str]:
    return [event.kind for event in load_case(case_id).events]


def folder_of(office: Office) -> Path:
    return office.root.parent


def turn(office: Office) -> None:
    """One turn of the log's worker, the way it starts."""
    office.seen += loop.turn(office.desk, office.desk.log(), office.now)


# ---------------------------------------------------------------- receive


def _receive(office: Office) -> str:
    paper = folder_of(office) / "order.txt"
    return demands.receive(office.desk, paper, channel="mail", actor="ana", now=office.now)[0]


def _cases() -> list[str]:
    return [line.case_id for line in docket()]


def _received(office: Office, acked: str | None) -> list[str]:
    wrong = list[str]()
    if acked is not None and acked not in _cases():
        return [f"I4 case {acked[:8]} was acknowledged and is not there"]
    if acked is not None and not promise_path(office.desk, acked).exists():
        wrong.append("I4 acknowledged without the intake receipt")
    for case_id in _cases():
        if office.desk.vault.get(case_id, "paper").decode() != PAPER:
            wrong.append("I4 the paper is another one")
        intake_receipt(office.desk, case_id)
    again = _receive(office)
    return wrong if again in _cases() else [*wrong, "the same paper cannot be received afterwards"]


# ---------------------------------------------------------------- approve


def _approve(office: Office) -> str:
    chi = office.people["chi"]
    decisions.approve(office.desk, office.cases[0], "t1", chi, role="reviewer", now=office.now)
    return "approved"


def _approved(office: Office, acked: str | None) -> list[str]:
    case_id = office.cases[0]
    there = kinds(case_id).count("DecisionApproved")
    wrong = ["I4 an acknowledged approval is gone"] if acked and not there else []
    try:
        _approve(office)
    except (ConflictError, RefusedError) as error:
        if not there:
            wrong.append(f"the approval cannot be given again: {error.what}")
    if load_case(case_id).target("t1").stage != "approved" or kinds(case_id).count("DecisionApproved") != 1:
        wrong.append("I2 the approval does not count exactly once")
    return wrong


# ---------------------------------------------------------------- close an epoch, publish


def _patiently(act: Callable[[], object]) -> None:
    """As the worker's loop does: what is unavailable is tried again by the same program."""
    try:
        act()
    except UnavailableError:
        act()


def _close_epoch(office: Office) -> str:
    log = office.desk.log()
    _patiently(lambda: log.close_due(office.now))
    head = ledger.head()
    assert head is not None
    return str(head.size)


def _publish(office: Office) -> str:
    log = office.desk.log()
    _patiently(lambda: log.publish(office.now))
    assert log.published is not None
    return str(log.published.size)


def _closed_epoch(office: Office, acked: str | None) -> list[str]:
    head = ledger.head()
    wrong = ["I4 an acknowledged head is gone"] if acked and (head is None or head.size < int(acked)) else []
    unsealed = [record.ledger_seq for record in ledger.waiting()]
    return [*wrong, f"records {unsealed} are not sealed"] if unsealed else wrong


def _later(office: Office) -> None:
    """Another signer of the same log, an epoch later."""
    office.wait(seconds=EPOCH.total_seconds())


# ---------------------------------------------------------------- produce


def _produce(office: Office) -> str:
    return office.produce(office.cases[0]).parcel_sha256


def _produced(office: Office, acked: str | None) -> list[str]:
    case_id, wrong = office.cases[0], list[str]()
    made = [event.text("parcel_sha256") for event in _events(case_id, "DataProduced")]
    if acked and made != [acked]:
        wrong.append(f"I4 an acknowledged parcel is not the one in history: {made}")
    office.seen += production_worker.turn(office.desk, office.now)
    if kinds(case_id).count("DataProduced") != 1:
        wrong.append(
            f"production ends with {kinds(case_id).count('DataProduced')} parcels: {office.seen[-1:]}"
        )
    parcels = [each.name for each in office.desk.installation.parcels.iterdir()]
    if len(parcels) != 1:
        wrong.append(f"I9 files in parcels/ that no event names: {sorted(parcels)}")
    office.wait(days=1)
    office.deliver(case_id, folder_of(office) / "answer.age")
    return wrong


def _events(case_id: str, kind: str) -> list[Event]:
    return [event for event in load_case(case_id).events if event.kind == kind]


# ---------------------------------------------------------------- deliver


def _deliver(office: Office) -> str:
    office.deliver(office.cases[0], folder_of(office) / "answer.age")
    return "delivered"


def _rival_delivery(office: Office) -> None:
    office.deliver(office.cases[0], folder_of(office) / "rival.age")


def _delivered(office: Office, acked: str | None) -> list[str]:
    case_id, wrong = office.cases[0], list[str]()
    outside = [folder_of(office) / name for name in ("answer.age", "rival.age")]
    to = [path for path in outside if path.exists()]
    if acked and (not to or "ParcelDelivered" not in kinds(case_id)):
        wrong.append("I4 a hand-over was acknowledged and is not there or not recorded")
    if load_case(case_id).target("t1").stage == "delivering":
        try:
            office.deliver(case_id, folder_of(office) / "again.age")
            wrong.append("I5 a hand-over that was begun is repeated without a person")
        except RefusedError as error:
            wrong += [] if error.code == "half-delivered" else [f"refused as {error.code}"]
        handover.confirm(office.desk, case_id, "t1", actor="boris", now=office.now, arrived=bool(to))
    if load_case(case_id).target("t1").stage != "delivered":
        if to:
            wrong.append("I5 a parcel lies outside and history would hand it over again")
        office.deliver(case_id, folder_of(office) / "again.age")
    try:
        office.deliver(case_id, folder_of(office) / "twice.age")
        wrong.append("I5 a parcel is handed over twice")
    except RefusedError:
        pass
    left = [each.name for each in folder_of(office).iterdir() if each.name.endswith(".new")]
    return wrong + [f"half a parcel is left outside: {name}" for name in left if not left_allowed(name)]


def left_allowed(name: str) -> bool:
    """A hidden file beside the hand-over, of the parcel's size: known, ciphertext, named in docs/faults.md."""
    return name.startswith(".")


# ---------------------------------------------------------------- letters, close, report, policy


def _notify(office: Office) -> str:
    return str(office.notify(office.cases[0]))


def _notified(office: Office, acked: str | None) -> list[str]:
    case_id = office.cases[0]
    wrong = (
        ["I4 an acknowledged letter is not recorded"]
        if acked and "UserNotified" not in kinds(case_id)
        else []
    )
    state = load_case(case_id).target("t1")
    if [phase for phase in state.notice_started if phase not in state.notified]:
        try:
            office.notify(case_id)
            wrong.append("I8 a letter that was begun is sent again without a person")
        except RefusedError as error:
            wrong += [] if error.code == "half-sent" else [f"refused as {error.code}"]
        notices.confirm(office.desk, case_id, "t1", actor="boris", now=office.now)
    if office.notify(case_id) not in (None, "before"):
        wrong.append("another letter than the one that was owed")
    if kinds(case_id).count("UserNotified") != 1 or kinds(case_id).count("NoticeStarted") != 1:
        wrong.append("I8 the user is not told exactly once")
    return wrong


def _close_case(office: Office) -> str:
    office.close(office.cases[0])
    return "closed"


def _closed_case(office: Office, acked: str | None) -> list[str]:
    case_id = office.cases[0]
    there = "CaseRegistered" in kinds(case_id)
    wrong = ["I4 an acknowledged closing is gone"] if acked and not there else []
    office.close(case_id)
    once = [kinds(case_id).count(kind) for kind in ("CaseClosed", "CaseRegistered")]
    return wrong if once == [1, 1] else [*wrong, f"closed and registered {once} times"]


def _report(office: Office) -> str:
    folder = office.desk.installation.public / "reports" / "2026H2"
    register, _ = closing.report(office.desk, "2026H2", folder, now=office.now)
    return str(len(register.rows))


def _report_again(office: Office) -> None:
    """Until a report that was begun is finished, `fsck` rightly misses its files. What was out stays as it was."""
    folder = office.desk.installation.public / "reports" / "2026H2"
    before = {path: path.read_bytes() for path in folder.glob("*") if not path.name.startswith(".")}
    _report(office)
    changed = [path.name for path, found in before.items() if path.read_bytes() != found]
    assert changed == [], f"I10 a published figure changed: {changed}"
    (folder / "before").write_text(str(len(before)))


def _reported(office: Office, acked: str | None) -> list[str]:
    note = office.desk.installation.public / "reports" / "2026H2" / "before"
    files = int(note.read_text())
    note.unlink()
    return ["I4 an acknowledged report was not whole"] if acked and files < 6 else []


def _signers(office: Office) -> list[Any]:
    return [office.people["boris"], office.people["chi"]]


def _policy_text(office: Office) -> bytes:
    return office.desk.pins.policy + b"# the same keys, said again\n"


def _change_policy(office: Office) -> str:
    found = logrules.change_policy(office.desk, _policy_text(office), _signers(office), office.now)
    return str(found.number)


def _changed_policy(office: Office, acked: str | None) -> list[str]:
    before = office.desk.log_rules().newest.number
    wrong = ["I4 an acknowledged policy is not in force"] if acked and before != int(acked) else []
    try:
        _change_policy(office)
    except ConflictError as error:
        wrong += [] if before == 2 else [f"cannot be decided again: {error.what}"]
    rules = office.desk.log_rules()
    if rules.newest.number != 2 or office.desk.installation.policy.read_bytes() != rules.newest.text:
        wrong.append("the policy in history and its file differ")
    return wrong


# ---------------------------------------------------------------- erase, init


def _erase(office: Office) -> str:
    found = erasing.erase(office.desk, office.cases[0], "retention-over", _signers(office), now=office.now)
    return str(found["event_sha256"])


def _erased(office: Office, acked: str | None) -> list[str]:
    case_id = office.cases[0]
    gone = load_case(case_id).erased is not None
    wrong = ["I4 an acknowledged erasure is not recorded"] if acked and not gone else []
    if not gone and not office.desk.keys.has(case_id):
        return [*wrong, "the key is destroyed and history does not say that the case is erased"]
    _erase(office)
    place = office.desk.installation
    left = [each.name for each in place.parcels.iterdir() if not each.name.startswith(".")]
    left += [each.name for each in place.outbox.iterdir() if each.name.startswith(case_id[:8])]
    left += ["its key"] if office.desk.keys.has(case_id) else []
    left += ["its folder in the vault"] if any((place.vault / case_id[:2]).rglob("*")) else []
    return [*wrong, f"erased, and still there: {left}"] if left else wrong


# ---------------------------------------------------------------- backup, recovery


def _back_up(office: Office) -> str:
    return str(backups.back_up(office.desk, folder_of(office) / "backup.tar", office.now).size)


def _rival_backup(office: Office) -> None:
    backups.back_up(office.desk, folder_of(office) / "rival.tar", office.now)


def _backed_up(office: Office, acked: str | None) -> list[str]:
    """What has a backup's name is a whole backup; and another one can be made."""
    folder, wrong = folder_of(office), list[str]()
    made = folder / "backup.tar"
    if acked and not made.exists():
        wrong.append("I4 an acknowledged backup is gone")
    backups.back_up(office.desk, folder / "again.tar", office.now)
    kek = backups.open_kek(office.desk.installation.keys / "kek")
    for path in (made, folder / "again.tar"):
        if path.exists():
            with path.open("rb") as file:
                read_archive(file, kek)
    return wrong


def _recover(office: Office) -> str:
    recovery.recover(office.desk, None, _signers(office), office.now)
    return "recovered"


def _recover_if_behind(office: Office) -> None:
    try:
        _recover(office)
    except RefusedError as error:
        if error.code != "nothing-to-recover":
            raise


def _recovered(office: Office, acked: str | None) -> list[str]:
    decided = [event.kind for event in load_events(office.desk.stream)].count("LogRecovered")
    return [] if decided == 1 else [f"I2 the recovery was decided {decided} times"]


FACTS: dict[str, Any] = {
    "origin": "chat.example/dueprocess/1", "regimes": ("us",), "operator": "Chat Example", "country": "US",
    "contact": "legal@chat.example", "datamap": "map.toml", "clock": "simulated",
}  # fmt: skip


def found(folder: Path) -> str:
    """`init` by the two founders whose keys lie beside the installation."""
    people = [open_key(folder / "people" / f"{name}.json") for name in ("boris", "chi")]
    setup.create(folder / "install", setup.NewInstallation(**FACTS), people, START)
    return "founded"


def founded(folder: Path, acked: str | None, *, cut: bool) -> list[str]:
    """Run again by the same founders it ends in one whole installation, or says that there is one."""
    try:
        found(folder)
    except ConflictError as error:
        return [] if error.code == "exists" else [f"init cannot be run again: {error.what}"]
    # After a power cut the mark of an unfinished one may be back: going on then changes nothing.
    return ["I4 an acknowledged installation was not finished"] if acked and not cut else []


STEPS = {
    step.name: step
    for step in (
        Step("receive", "staffed", _receive, _received),
        Step("approve", "assessed", _approve, _approved),
        Step("close epoch", "waiting", _close_epoch, _closed_epoch, _later),
        Step("close epoch, full tile", "full tile", _close_epoch, _closed_epoch, _later),
        Step("publish", "unpublished", _publish, _closed_epoch, _later),
        Step("publish, witnessed", "witnessed", _publish, _closed_epoch, _later),
        Step("produce", "ready", _produce, _produced),
        Step("deliver", "produced", _deliver, _delivered, _rival_delivery),
        Step("notify", "letter", _notify, _notified),
        Step("close case", "delivered", _close_case, _closed_case),
        Step("report", "reportable", _report, _reported, first=_report_again),
        Step("change policy", "ready", _change_policy, _changed_policy, _later),
        Step("erase", "erasable", _erase, _erased),
        Step("backup", "produced", _back_up, _backed_up, _rival_backup),
        Step("recover-log", "set back", _recover, _recovered, _recover_if_behind, _recover_if_behind),
    )
}
"""Every step but init, which has no office to begin in."""
