"""Restoring a backup into an empty folder: everything is checked before anything is unpacked.

What comes out may not sign, publish or produce until two people have recovered its log (`recovery`).
"""

import datetime as dt
import json
import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from dueprocess.desk.backups import CASES, open_keks, unwrap
from dueprocess.desk.check import check_everything
from dueprocess.desk.desk import Desk, open_desk
from dueprocess.desk.erasing import finish_erasures
from dueprocess.desk.restored import Restored, mark
from dueprocess.errors import ConflictError, MalformedError, RefusedError, UnavailableError
from dueprocess.history.docket import docket
from dueprocess.history.fault import Fault
from dueprocess.library.backup_archive import (
    Manifest,
    decrypt,
    is_encrypted,
    key_check,
    member,
    read_archive,
    unpack,
)
from dueprocess.library.backup_database import (
    StoreState,
    check_vendor,
    restore_postgresql,
)
from dueprocess.library.installation import SETTINGS_FILE
from dueprocess.publication.durable import sync_folder, write_durable
from dueprocess.vault import passphrase_from
from dueprocess.vault.keksource import KEK
from dueprocess.vault.keystore import KEY_BACKUP_DAYS
from dueprocess.vault.passphrase import Passphrase, is_sealed, unseal_kek
from dueprocess.wire import b64, canonical, instant, parse_instant

UNFINISHED = ".restoring"
"""Stands in the folder while a restore runs; where it is found, the same restore goes on."""

STORE = "history.db"
_SCRATCH = ".scratch"
_PUBLIC = ("log/", "public/")
_KNOWN = re.compile(
    r"clock|worker/(pins\.json|evidence/.+)|(?!keys/)[^.].*\.toml|database/history\.(sqlite|pgdump)"
    r"|(log|public|vault|parcels|outbox|datamaps)/.+"
)
_KNOWN_KEY = re.compile(r"cases/[0-9a-f]{32}\.key|[a-z0-9-]+\.(secret|pem)|kek|in-use\.json")


@dataclass(frozen=True, slots=True)
class Backup:
    """What a restore begins with: the two archives, the key-encryption key's file, an age identity if needed."""

    archive: Path
    keys: Path
    kek: Path | None
    """A file with the key-encryption key, bare or sealed; None where the backup of the keys holds it sealed. After a
    rotation it may hold several lines: the key-encryption keys of the older and of the newer archive."""
    identity: str | None = None
    database: str | None = None
    """Where a PostgreSQL store goes: the address of an empty database."""
    passphrase: Passphrase = field(default_factory=lambda: passphrase_from({}))
    """What opens a sealed key-encryption key, asked for only then."""


@dataclass(frozen=True, slots=True)
class RestoredInstallation:
    """What came out, and what does not fit or is missing."""

    made_at: str
    head_size: int
    faults: list[Fault]
    erased_again: list[str]
    without_key: list[str]
    """Cases that nobody can open: erased after the backup, or newer than the backup of the keys."""
    without_case: list[str]
    """Keys whose cases are not in the backup: papers that came in after it."""


def restore(backup: Backup, root: Path, now: dt.datetime) -> RestoredInstallation:
    """Restores into an empty folder. Refuses damage, a wrong key, and a backup of the keys over 30 days old.

    Can be run again after an interruption. The installation neither signs nor produces before its log is recovered.
    """
    given = _given(backup)
    for path in (backup.archive, backup.keys):
        if not path.is_file():
            raise UnavailableError("no-backup", f"There is no backup {path}.", do="Check the name.")
    _claim(root)
    scratch = root / _SCRATCH
    try:
        scratch.mkdir(mode=0o700, exist_ok=True)
        main = _opened(backup.archive, scratch / "main.tar", backup.identity)
        keys = _opened(backup.keys, scratch / "keys.tar", backup.identity)
        given = given or _sealed_in(keys, backup.passphrase)
        about = _checked(main, given.keks, "installation")
        about_keys = _checked(keys, given.keks, "keys")
        _refuse_keys(about_keys, about, now)
        if not _begun(root, about, about_keys):
            _unpack(root, main, about, backup)
            _unpack_keys(root, keys, about_keys, given)
            _mark(root, about, now)
            os.sync()
            _settle(root, backup.database)
        desk, erased = _reopened(root, now, backup.passphrase)
    finally:
        _clear(scratch)
    (root / UNFINISHED).unlink()
    sync_folder(root)
    return _told(desk, about, about_keys, erased)


@dataclass(frozen=True, slots=True)
class _Given:
    """The key-encryption keys that were brought, and the sealed file if they came in one."""

    keks: tuple[bytes, ...]
    sealed: bytes | None = None

    def of(self, manifest: Manifest) -> bytes:
        """The one under which this archive was made."""
        return next(each for each in self.keks if key_check(each) == manifest.about["key_check"])


def _given(backup: Backup) -> _Given | None:
    if backup.kek is None:
        return None
    try:
        content = backup.kek.read_bytes()
    except OSError:
        content = b""  # said in words below
    if is_sealed(content):
        return _Given((unseal_kek(content, backup.passphrase),), content)
    return _Given(open_keks(backup.kek))


def _sealed_in(keys: Path, passphrase: Passphrase) -> _Given:
    """The key-encryption key that a backup of the keys holds under a passphrase. Refuses where it holds none."""
    with keys.open("rb") as file:
        content = member(file, KEK)
    if content is None or not is_sealed(content):
        raise RefusedError(
            "no-kek",
            "This backup of the keys does not hold the key-encryption key.",
            do="Name its file with --kek: the copy that you keep on paper or offline.",
            source="formats.md, Vault",
        )
    return _Given((unseal_kek(content, passphrase),), content)


def _clear(scratch: Path) -> None:
    """Takes the decrypted archives and the dump away."""
    for each in scratch.iterdir() if scratch.is_dir() else ():
        each.unlink()
    if scratch.is_dir():
        scratch.rmdir()


def _claim(root: Path) -> None:
    """Makes the folder ours. Refuses one that holds anything but what an interrupted restore left."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (root / UNFINISHED).exists():
        return
    if any(root.iterdir()):
        raise ConflictError(
            "not-empty",
            f"The folder {root} holds something already; nothing was changed.",
            why="A restore never mixes with what is there.",
            do="Name an empty folder.",
        )
    write_durable(root / UNFINISHED, b"")


def _opened(path: Path, scratch: Path, identity: str | None) -> Path:
    """The archive itself, or its decrypted copy in the restored folder."""
    if not is_encrypted(path):
        return path
    if identity is None:
        raise RefusedError(
            "no-identity",
            f"The backup {path.name} is encrypted.",
            do="Name the file with the age identity: --identity FILE.",
        )
    decrypt(path, scratch, identity)
    return scratch


def _checked(path: Path, keks: Sequence[bytes], kind: str) -> Manifest:
    """The manifest of an archive of which every byte was checked. Refuses files that do not belong there."""
    manifest = _read(path, keks)
    if manifest.about.get("kind") != kind:
        raise MalformedError(
            "other-backup",
            f"{path.name} is not a backup of the {kind}.",
            do="Give the backup of the installation first, and that of the keys with --keys.",
        )
    known = _KNOWN if kind == "installation" else _KNOWN_KEY
    odd = [name for name in manifest.members if not known.fullmatch(name)]
    if odd:
        raise MalformedError("backup-damaged", f"The file {odd[0][:80]!r} does not belong into a backup.")
    return manifest


def _read(path: Path, keks: Sequence[bytes]) -> Manifest:
    """Reads an archive under the first of these key-encryption keys that is its own."""
    for place, kek in enumerate(keks, start=1):
        try:
            with path.open("rb") as file:
                return read_archive(file, kek)
        except RefusedError:
            if place == len(keks):
                raise
    raise MalformedError("bad-kek", "There is no key-encryption key.")


def _refuse_keys(keys: Manifest, main: Manifest, now: dt.datetime) -> None:
    made_at = parse_instant(str(keys.about["made_at"]))
    if keys.about["origin"] != main.about["origin"]:
        raise RefusedError("other-log", "The two backups are of two different installations.")
    if now > made_at + dt.timedelta(days=KEY_BACKUP_DAYS):
        raise RefusedError(
            "key-backup-too-old",
            f"This backup of the keys is of {made_at:%Y-%m-%d}; it had to be destroyed after {KEY_BACKUP_DAYS} days.",
            why="Every erasure certificate names the day on which the last copy of the key is gone. Older keys "
            "would bring erased people back.",
            do="Take a newer backup of the keys, and destroy this one now.",
            source="formats.md, Vault",
        )


def _begun(root: Path, main: Manifest, keys: Manifest) -> bool:
    """Whether an interrupted restore of these very backups was all but done. Refuses another one's folder."""
    ours = canonical({"main": main.sha256, "keys": keys.sha256})
    found = (root / UNFINISHED).read_bytes()
    if found not in (b"", ours):
        raise ConflictError(
            "other-restore",
            "Another backup is half restored in this folder.",
            do="Name an empty folder, or the backups that this restore was begun with.",
        )
    write_durable(root / UNFINISHED, ours)
    return (root / SETTINGS_FILE).exists()


# ---------------------------------------------------------------------------------------------- unpacking


def _unpack(root: Path, archive: Path, manifest: Manifest, backup: Backup) -> None:
    stored = str(manifest.about["database"])
    check_vendor(stored, backup.database)
    dumped = root / _SCRATCH / "store"
    places = {stored: dumped, SETTINGS_FILE: root / _SCRATCH / SETTINGS_FILE}

    def place(name: str) -> IO[bytes]:
        return _open(places.get(name, root / name), public=name.startswith(_PUBLIC))

    with archive.open("rb") as file:
        unpack(file, manifest, place)
    if backup.database is None:
        for suffix in ("-wal", "-shm", "-journal"):
            Path(f"{root / STORE}{suffix}").unlink(missing_ok=True)
        dumped.replace(root / STORE)
        return
    head = manifest.about["head"]
    wanted = StoreState(int(head["size"]), str(head["root"]), int(manifest.about["ledger_seq"]))
    restore_postgresql(backup.database, dumped, wanted)


def _unpack_keys(root: Path, archive: Path, manifest: Manifest, given: _Given) -> None:
    """The key store as it was, with the key-encryption key that was brought from elsewhere, sealed if it came so."""
    folder, wrapped, kek = root / "keys", root / _SCRATCH / "wrapped", given.of(manifest)
    wrapped_names = [name for name in manifest.members if not name.startswith(f"{CASES}/") and name != KEK]

    def place(name: str) -> IO[bytes]:
        aside = name in wrapped_names or name == KEK
        return _open(wrapped.with_name(f"key-{name}") if aside else folder / name)

    with archive.open("rb") as file:
        unpack(file, manifest, place)
    for name in wrapped_names:
        with _open(folder / name) as out:
            out.write(unwrap(wrapped.with_name(f"key-{name}").read_bytes(), name, kek))
    settings = tomllib.loads((root / _SCRATCH / SETTINGS_FILE).read_text(encoding="utf-8"))
    if "command" not in settings.get("keys", {}):  # else the key service holds it, and no file should
        with _open(folder / KEK) as out:
            out.write(given.sealed or b64(kek).encode())


def _open(path: Path, *, public: bool = False) -> IO[bytes]:
    """A fresh file to write, for its owner only unless it is public. What an interrupted run left is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755 if public else 0o700)
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o644 if public else 0o600), "wb")


def _mark(root: Path, manifest: Manifest, now: dt.datetime) -> None:
    head = manifest.about["head"]
    found = Restored(
        marked_at=instant(now.replace(microsecond=0)),
        backup_made_at=str(manifest.about["made_at"]),
        head_size=int(head["size"]),
        head_root=str(head["root"]),
        ledger_seq=int(manifest.about["ledger_seq"]),
    )
    mark(root / "worker" / "restored.json", found)


def _settle(root: Path, database: str | None) -> None:
    """Writes the settings last, with the store's new place: before that there is no installation to open."""
    text = (root / _SCRATCH / SETTINGS_FILE).read_text(encoding="utf-8")
    address = json.dumps(database or f"sqlite:{STORE}")
    fresh, changed = re.subn(
        r'^database = "[^"\n]*"', lambda _: f"database = {address}", text, flags=re.MULTILINE
    )
    if changed != 1:
        raise MalformedError("bad-settings", f"{SETTINGS_FILE} in the backup does not name one database.")
    fresh = _vault_here(fresh)
    write_durable(root / SETTINGS_FILE, fresh.encode())
    (root / SETTINGS_FILE).chmod(0o600)


def _vault_here(text: str) -> str:
    """Settings by which the vault lies in the restored folder: the bucket of the old machine is left as it is."""
    fresh = re.sub(r"""^(\s*store\s*=\s*)["']s3:[^"'\n]*["']""", r'\1"file"', text, flags=re.MULTILINE)
    if str(tomllib.loads(fresh).get("vault", {}).get("store", "file")) != "file":
        raise MalformedError(
            "bad-settings", f"vault.store in the {SETTINGS_FILE} of the backup is written oddly."
        )
    return fresh


# ---------------------------------------------------------------------------------------------- telling


def _reopened(root: Path, now: dt.datetime, passphrase: Passphrase) -> tuple[Desk, list[str]]:
    """The restored installation, in which what history calls erased is erased again."""
    desk = open_desk(root, passphrase)
    return desk, finish_erasures(desk, now)


def _told(desk: Desk, main: Manifest, keys: Manifest, erased: list[str]) -> RestoredInstallation:
    cases = {line.case_id: line.stage for line in docket()}
    kept = {Path(name).stem for name in keys.members if name.startswith(f"{CASES}/")}
    without = [each for each, stage in cases.items() if stage != "erased" and not desk.keys.has(each)]
    return RestoredInstallation(
        made_at=str(main.about["made_at"]),
        head_size=int(main.about["head"]["size"]),
        faults=check_everything(desk),
        erased_again=erased,
        without_key=without,
        without_case=sorted(kept - cases.keys() - {desk.stream}),
    )
