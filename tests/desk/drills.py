"""What drills share: backups of an office, the same office restored elsewhere, real witnesses, two people."""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import pytest

from dueprocess.desk import backups, logrules, recovery, restoring
from dueprocess.desk.desk import open_desk
from dueprocess.desk.filekeys import FileKey
from dueprocess.errors import DueprocessError
from dueprocess.publication.signer import LogSigner
from dueprocess.tlog.policy import format_policy
from dueprocess.witness.place import create_place
from dueprocess.worker.clock import set_clock
from office import Office
from publication.bench import Friend

if TYPE_CHECKING:
    from conftest import Templates

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Saved:
    """One night's two archives, and the key-encryption key as it lies in the safe."""

    main: Path
    keys: Path
    kek: Path
    at: dt.datetime

    def backup(self, **changes: object) -> restoring.Backup:
        return replace(restoring.Backup(self.main, self.keys, self.kek), **changes)  # type: ignore[arg-type]


def two(office: Office) -> list[FileKey]:
    return [office.people["boris"], office.people["chi"]]


def save(office: Office, name: str = "night", *, to: str | None = None) -> Saved:
    """Backs an office up as an operator would: first all, then the keys; the key-encryption key is on paper."""
    folder = office.root.parent / name
    folder.mkdir()
    main, keys, kek = folder / "main.backup", folder / "keys.backup", folder / "paper"
    backups.back_up(office.desk, main, office.now, to=to)
    backups.back_up_keys(office.desk, keys, office.now, to=to)
    kek.write_text((office.desk.installation.keys / "kek").read_text())
    return Saved(main, keys, kek, office.now)


@dataclass
class Elsewhere:
    """Where offices are restored to: another folder, and another database where the store was in one."""

    vendor: str
    templates: "Templates"
    folder: Path

    def place(self, saved: Saved, **changes: object) -> restoring.Backup:
        if self.vendor == "postgresql":
            changes = {"database": self.templates.database("postgresql"), **changes}
        return saved.backup(**changes)

    def restored(
        self, office: Office, saved: Saved, name: str = "elsewhere", **changes: object
    ) -> tuple[Office, restoring.RestoredInstallation]:
        """The office as it comes out of its backups on another machine, at today's time."""
        root = self.folder / name
        found = restoring.restore(self.place(saved, **changes), root, office.now)
        desk = open_desk(root)
        set_clock(desk.installation, office.now)
        return replace(office, desk=desk, root=root, seen=[]), found


def recover(office: Office, *, copy: Path | None = None, **changes: object) -> recovery.Recovered:
    """Boris and Chi recover the log, from a copy of the public log or from the folder itself."""
    read: Callable[[str], bytes] | None = None
    if copy is not None:
        folder = copy

        def read(path: str) -> bytes:
            from dueprocess.publication.log import read_log_file

            return read_log_file(folder, path)

    signers = changes.pop("signers", two(office))
    return recovery.recover(office.desk, read, signers, office.now, **changes)  # type: ignore[arg-type]


def code(act: Callable[[], object]) -> str:
    """The code of the error that this raises."""
    with pytest.raises(DueprocessError) as caught:
        act()
    return caught.value.code


@dataclass
class Friends(AbstractContextManager["Friends"]):
    """Real witnesses over HTTP, in the policy that two people of the office put in force."""

    office: Office
    count: int = 1
    need: int = 1
    all: list[Friend] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        place = self.office.desk.installation
        vkeys = LogSigner.open(place.origin, place.keys).vkeys
        for number in range(1, self.count + 1):
            made = create_place(self.office.root.parent / f"w{number}", f"w{number}.example/witness")
            made.add_logs(vkeys)
            friend = Friend(made.folder, f"w{number}", lambda: self.office.now)
            friend.start()
            self._stack.callback(friend.stop)
            self.all.append(friend)
        policy = format_policy(vkeys, [each.line() for each in self.all], need=self.need)
        logrules.change_policy(self.office.desk, policy, two(self.office), self.office.now)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
