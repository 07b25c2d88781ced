"""Planted bugs: each puts one wrong order into the program, by name. The harness must catch every one of them.

What is planted stays planted in the restarted program too, as a real bug would.
"""
# ruff: noqa: SLF001  a planted bug reaches for what is private

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection as database

from dueprocess.delivery import handover as delivery
from dueprocess.delivery.handover import check_parcel, hand_over, parcel_path, room_for
from dueprocess.desk import erasing, handover, parcels, production, setup
from dueprocess.desk.decisions import open_decision
from dueprocess.desk.desk import open_desk
from dueprocess.desk.gatekeeping import last_look, prove
from dueprocess.history import address, append, ledger
from dueprocess.history.models import RecordRow
from dueprocess.production import head as accepted
from dueprocess.production import proof
from dueprocess.publication import durable, log
from dueprocess.publication.log import read_log_file
from dueprocess.steps import deliver as deliver_steps
from dueprocess.steps import erase as erase_steps
from dueprocess.steps import notify as notify_steps
from dueprocess.steps import produce as produce_steps
from dueprocess.steps import receive as receive_steps
from dueprocess.tlog.growing import tiles_for_growth
from dueprocess.tlog.merkle import Frontier
from dueprocess.tlog.tiles import CHECKPOINT_PATH
from dueprocess.vault import keystore, privatefiles, vault
from dueprocess.wire import b64, canonical, sha256_hex
from dueprocess.worker import loop
from dueprocess.worker import production as production_worker


@dataclass(frozen=True, slots=True)
class Plant:
    """One planted bug: what is wrong, in which step it shows, and by which means it is looked for."""

    name: str
    step: str
    put: Callable[[ExitStack, Path], None]
    kind: str = "SIGKILL"
    """The fault under which it shows; ``power cut`` for the crash-state explorer."""
    where: str = ""
    """Words of the calls to try first."""


def _swap(stack: ExitStack, owner: Any, name: str, value: Any) -> Any:
    """Puts another function into a place until the stack ends. Returns the real one."""
    real = getattr(owner, name)
    setattr(owner, name, value)
    stack.callback(setattr, owner, name, real)
    return real


def _commit_here() -> None:
    """Ends the transaction in the middle, as code does that uses two."""
    with database.cursor() as cursor:
        cursor.execute("COMMIT")
        cursor.execute("BEGIN IMMEDIATE")


# ---------------------------------------------------------------- the log


def _checkpoint_before_tiles(stack: ExitStack, folder: Path) -> None:
    def publish(self: Any, now: Any) -> Any:
        head = ledger.head()
        if head is not None:
            durable.write_durable(self._folder / CHECKPOINT_PATH, head.checkpoint.encode(), at=now)
        return real(self, now)

    real = _swap(stack, log.Log, "_publish", publish)
    _swap(stack, log.Log, "_published_checkpoint", lambda _: None)


def _published_before_committed(stack: ExitStack, folder: Path) -> None:
    place = folder / "install" / "log"

    def close_epoch(closed: Any, places: Any, entry: str, head: Any) -> None:
        frontier = log._extended(Frontier(), head.size - 1)
        for path, data in tiles_for_growth(
            frontier, [entry.encode()], lambda path: read_log_file(place, path)
        ):
            durable.write_durable(place / path, data)
        durable.write_durable(place / CHECKPOINT_PATH, head.checkpoint.encode())
        real(closed, places, entry, head)

    real = _swap(stack, ledger, "close_epoch", close_epoch)


def _epoch_and_head_apart(stack: ExitStack, folder: Path) -> None:
    def add_leaf(*given: Any) -> None:
        _commit_here()
        real(*given)

    real = _swap(stack, ledger, "add_leaf", add_leaf)


def _no_publishing_after_a_crash(stack: ExitStack, folder: Path) -> None:
    def publish(self: Any, now: Any) -> Any:
        head, known = ledger.head(), getattr(self, "_planted", None)
        self._planted = head
        return real(self, now) if known is None or known != head else self.published

    def close_due(self: Any, now: Any) -> int:
        self._planted = ledger.head()
        return int(whole(self, now))

    real = _swap(stack, log.Log, "publish", publish)
    whole = _swap(stack, log.Log, "close_due", close_due)


def _no_lock(stack: ExitStack, folder: Path) -> None:
    @contextmanager
    def openly(_: Path) -> Any:
        yield

    _swap(stack, log, "exclusively", openly)


def _unwitnessed_first(stack: ExitStack, folder: Path) -> None:
    def renew(self: Any, old: bytes, head: Any, now: Any) -> bytes:
        durable.write_durable(self._folder / CHECKPOINT_PATH, head.checkpoint.encode(), at=now)
        return bytes(real(self, old, head, now))

    real = _swap(stack, log.Log, "_renew", renew)


def _cosigned_kept_last(stack: ExitStack, folder: Path) -> None:
    def write(path: Path, data: bytes, **how: Any) -> None:
        durable.write_durable(path, data, **how)
        while late and path.name == CHECKPOINT_PATH:
            real(*late.pop())

    late: list[Any] = []
    real = _swap(stack, ledger, "keep_cosigned", lambda *given: late.append(given))
    _swap(stack, log, "write_durable", write)


def _leftovers_stay(stack: ExitStack, folder: Path) -> None:
    _swap(stack, log, "clear_unfinished", lambda _: None)


# ---------------------------------------------------------------- files


def _written_in_place(stack: ExitStack, folder: Path) -> None:
    def write(path: Path, data: bytes, **_: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb", buffering=0) as file:
            file.write(data[: len(data) // 2])
            file.write(data[len(data) // 2 :])
            os.fsync(file.fileno())

    _swap(stack, log, "write_durable", write)


def _vault_in_place(stack: ExitStack, folder: Path) -> None:
    def write(path: Path, data: bytes) -> None:
        privatefiles.make_folder(path.parent)
        with path.open("xb", buffering=0) as file:
            file.write(data)
            os.fsync(file.fileno())

    _swap(stack, vault, "write_private", write)


def _seen_in_place(stack: ExitStack, folder: Path) -> None:
    def remember(seen: Path, data: bytes) -> None:
        with seen.open("wb", buffering=0) as file:
            file.write(data)
            os.fsync(file.fileno())

    _swap(stack, accepted, "remember", remember)
    _swap(stack, proof, "remember", remember)


# ---------------------------------------------------------------- history


def _record_apart(stack: ExitStack, folder: Path) -> None:
    def bulk_create(rows: Any, **how: Any) -> Any:
        _commit_here()
        return real(rows, **how)

    real = _swap(stack, RecordRow.objects, "bulk_create", bulk_create)


def _counter_apart(stack: ExitStack, folder: Path) -> None:
    def next_number() -> int:
        number = int(real())
        _commit_here()
        return number

    real = _swap(stack, append, "_next_number", next_number)


def _promised_before_commit(stack: ExitStack, folder: Path) -> None:
    """The case's key is made after its first record is committed under it."""

    def make(self: Any, case_id: str) -> Any:
        keys = real(self, case_id)
        (self._folder / "cases" / f"{case_id}.key").unlink()
        kept[case_id] = keys
        return keys

    def keys(self: Any, case_id: str) -> Any:
        return kept[case_id] if case_id in kept else whole(self, case_id)

    def receive(case_id: str, hand: Any, **facts: Any) -> Any:
        event = step(case_id, hand, **facts)
        store = keystore.KeyStore.open(folder / "install" / "keys")
        found = kept.pop(case_id)
        plain = canonical({"record_key": b64(found.record_key), "identity": found.identity})
        privatefiles.write_private(store._path(case_id), store._ring.wrap(plain, case_id))
        return event

    kept: dict[str, Any] = {}
    real = _swap(stack, keystore.KeyStore, "make", make)
    whole = _swap(stack, keystore.KeyStore, "keys", keys)
    step = _swap(stack, receive_steps, "receive", receive)


# ---------------------------------------------------------------- parcels


def _recorded_before_named(stack: ExitStack, folder: Path) -> None:
    _parcel_finished_late(
        stack, lambda path: path.unlink(), lambda path, _: os.link(path.with_suffix(".new"), path)
    )


def _named_before_complete(stack: ExitStack, folder: Path) -> None:
    def halve(path: Path) -> None:
        os.truncate(path, path.stat().st_size // 2)

    _parcel_finished_late(stack, halve, Path.write_bytes)


def _parcel_finished_late(
    stack: ExitStack, before: Callable[[Path], object], after: Callable[[Path, bytes], object]
) -> None:
    """What is done to a finished parcel before history names it, and what puts it right afterwards."""

    @contextmanager
    def filled(self: Any) -> Any:
        with real(self) as file:
            yield file
        late.append((self.path, self.path.read_bytes()))
        before(self.path)

    def finish(case_id: str, hand: Any, made: Any) -> Any:
        event = done(case_id, hand, made)
        for path, content in late:
            after(path, content)
        return event

    late: list[tuple[Path, bytes]] = []
    real = _swap(stack, parcels.UnfinishedParcel, "filled", filled)
    done = _swap(stack, produce_steps, "finish_production", finish)


def _parcels_not_cleared(stack: ExitStack, folder: Path) -> None:
    for owner in (production, production_worker):
        _swap(stack, owner, "clear_unfinished", lambda _: None)


def _handed_over_first(stack: ExitStack, folder: Path) -> None:
    """`deliver` with its start recorded after the hand-over."""

    def deliver(desk: Any, case_id: str, ref: str, to: Path, *, actor: str, now: Any) -> list[str]:
        case = append.load_case(case_id)
        produced = case.target(ref).produced
        assert produced is not None
        digest = produced.text("parcel_sha256")
        path = check_parcel(desk.installation.parcels, produced.text("parcel_id"), digest)
        proved = prove(desk, case_id)
        hand = desk.hand(actor, now, case_id)
        key = open_decision(desk, case, ref)["recipient"]["key"]
        how = deliver_steps.HandOver("file", sha256_hex(key.encode()), proved.log.witnessed)
        look = last_look(desk, ref, "deliver", proved, now)
        if case.target(ref).stage == "produced":
            look(case)
        with room_for(path, to) as fresh:
            hand_over(path, digest, fresh, to)
        told = deliver_steps.start_delivery(case_id, hand, ref, look=look, how=how)
        deliver_steps.finish_delivery(case_id, hand, ref, channel="file")
        return told

    _swap(stack, handover, "deliver", deliver)


# ---------------------------------------------------------------- letters, erasure, init


def _letter_first(stack: ExitStack, folder: Path) -> None:
    def start(case_id: str, hand: Any, ref: str, **facts: Any) -> None:
        late.append((case_id, hand, ref, facts))

    def notified(case_id: str, hand: Any, ref: str, **facts: Any) -> Any:
        for each in late:
            real(*each[:3], **each[3])
        return done(case_id, hand, ref, **facts)

    late: list[Any] = []
    real = _swap(stack, notify_steps, "start", start)
    done = _swap(stack, notify_steps, "notified", notified)


def _destroyed_first(stack: ExitStack, folder: Path) -> None:
    def erase(case_id: str, hand: Any, signed: Any, **facts: Any) -> Any:
        desk = open_desk(folder / "install")
        case = append.load_case(case_id)
        erasing._remove(parcel_path(desk.installation.parcels, each) for each in erasing._parcels(case))
        for each in erasing._letters(desk, case_id):
            if each.is_dir():
                shutil.rmtree(each)
            else:
                each.unlink()
        desk.vault.remove(case_id)
        desk.keys.destroy(case_id)
        return real(case_id, hand, signed, **facts)

    real = _swap(stack, erase_steps, "erase", erase)


def _erasure_not_resumed(stack: ExitStack, folder: Path) -> None:
    _swap(stack, erasing, "finish_erasures", lambda *_: [])
    _swap(stack, loop, "finish_erasures", lambda *_: [])


def _settings_before_keys(stack: ExitStack, folder: Path) -> None:
    """The mark that says that an installation is unfinished is gone before it is finished."""

    def keep(*given: Any) -> Any:
        (folder / "install" / setup.UNFINISHED).unlink(missing_ok=True)
        return real(*given)

    def unlinked(self: Path, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002  pathlib's own signature
        unlink(self, missing_ok=missing_ok or self.name == setup.UNFINISHED)

    real = _swap(stack, setup, "_found", keep)
    unlink = _swap(stack, Path, "unlink", unlinked)


# ---------------------------------------------------------------- what only a power cut shows


def _no_fsync(stack: ExitStack, folder: Path) -> None:
    _swap(stack, os, "fsync", lambda _: None)


def _no_folder_fsync(stack: ExitStack, folder: Path) -> None:
    for owner in (durable, privatefiles, keystore, vault, erasing, parcels, accepted, delivery):
        _swap(stack, owner, "sync_folder", lambda _: None)


def _commits_not_synced(stack: ExitStack, folder: Path) -> None:
    _swap(stack, address, "PRAGMAS", address.PRAGMAS.replace("FULL", "NORMAL"))


PLANTS = (
    Plant("checkpoint before tiles", "publish", _checkpoint_before_tiles, where="log/"),
    Plant("checkpoint before the head is committed", "close epoch", _published_before_committed, where="wal"),
    Plant("epoch and head in two transactions", "close epoch", _epoch_and_head_apart, where="wal"),
    Plant("no publishing after a crash", "close epoch", _no_publishing_after_a_crash, where="log/"),
    Plant("no lock on the log's folder", "close epoch", _no_lock, "stall", "rename log/checkpoint"),
    Plant(
        "head published before its witnesses signed", "publish, witnessed", _unwitnessed_first, where="wal"
    ),
    Plant("cosigned head kept after it is published", "publish, witnessed", _cosigned_kept_last, where="wal"),
    Plant("half-written files are not cleared", "publish", _leftovers_stay, where="rename log/"),
    Plant("log files written in place", "publish", _written_in_place, where="write log/"),
    Plant("vault objects written in place", "close case", _vault_in_place, where="write install/vault"),
    Plant("seen checkpoint truncated in place", "produce", _seen_in_place, where="write worker/seen"),
    Plant("event and record in two transactions", "approve", _record_apart, where="wal"),
    Plant("ledger counter outside the transaction", "approve", _counter_apart, where="wal"),
    Plant("case key written after the first record", "receive", _promised_before_commit, where="keys/cases"),
    Plant("parcel recorded before it has its name", "produce", _recorded_before_named, where="parcels/"),
    Plant("parcel named before it is complete", "produce", _named_before_complete, where="parcels/"),
    Plant("what a killed production left stays", "produce", _parcels_not_cleared, where="parcels/"),
    Plant("hand-over begun is recorded after it", "deliver", _handed_over_first, where="wal"),
    Plant("a second hand-over finds no trace of the first", "deliver", _handed_over_first, "stall", "wal"),
    Plant("letter written before it is recorded as begun", "notify", _letter_first, where="rename outbox"),
    Plant("contents destroyed before the erasure is committed", "erase", _destroyed_first, where="wal"),
    Plant("erasure is not resumed", "erase", _erasure_not_resumed, where="unlink"),
    Plant("installation counts as finished too early", "init", _settings_before_keys, where="install/log/"),
    Plant("no fsync of files", "publish", _no_fsync, "power cut"),
    Plant("no fsync of folders", "publish", _no_folder_fsync, "power cut"),
    Plant("commits are not synced", "close epoch", _commits_not_synced, "power cut"),
)
