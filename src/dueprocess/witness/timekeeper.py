"""The witness itself: looks at a request, keeps the new head, then signs for it. HTTP is elsewhere."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dueprocess.errors import BrokenError, DueprocessError, MalformedError, UnavailableError
from dueprocess.tlog.checkpoint import Checkpoint
from dueprocess.tlog.note import Vkey, parse_note, verify_note
from dueprocess.tlog.witness import (
    Judgement,
    Misbehaviour,
    answer,
    cosigned_note,
    monitoring_path,
    origin_of,
    parse_add_checkpoint,
    signature_lines,
)
from dueprocess.witness.evidence import EvidenceFolder, Finding
from dueprocess.witness.place import Logs, WitnessPlace
from dueprocess.witness.signer import WitnessSigner
from dueprocess.witness.store import Cosigned, Store

type Clock = Callable[[], dt.datetime]
type Report = Callable[[str], None]

FORK_WORDS: dict[Misbehaviour, str] = {
    Misbehaviour.TWO_ROOTS: "PROVEN: the log {origin} signed two different histories of one length.",
    Misbehaviour.WRONG_EMPTY: "PROVEN: the log {origin} signed an empty list that is not empty.",
    Misbehaviour.BAD_PROOF: "Suspicious: the log {origin} sent a new head that does not follow from the last one. "
    "It may be a mistake in sending; if a good proof comes later, the file goes away by itself.",
}


class Timekeeper:
    """One witness at work. Everything may be called from many threads."""

    def __init__(self, place: WitnessPlace, clock: Clock, report: Report) -> None:
        self.place = place
        self.signer = WitnessSigner.open(place.name, place.keys)
        self.logs: Logs = place.read_logs()
        self._clock = clock
        self._report = report
        self._evidence = EvidenceFolder(place.evidence)
        self._store = Store(place.state)
        try:
            self._check_state()
        except DueprocessError:
            self.close()
            raise

    @property
    def vkeys(self) -> tuple[Vkey, Vkey]:
        return self.signer.vkeys

    def close(self) -> None:
        self._store.close()

    def add_checkpoint(self, body: bytes) -> Judgement:
        """The answer to a request. With status 200 the new head is on the disk and the body is the signatures.

        Raises ``UnavailableError`` where the state cannot be kept or the clock went back: nothing is signed then.
        """
        first, known = self._look(body, self._store.latest)
        if first.checkpoint is not None:
            # The first look costs nobody a turn; only what it accepts is looked at again, this time alone.
            first, known = self._cosign(body)
        if first.misbehaviour is not None:
            self._keep_evidence(body, first, known)
        return first

    def _look(
        self, body: bytes, latest: Callable[[str], Cosigned | None]
    ) -> tuple[Judgement, Cosigned | None]:
        seen: list[Cosigned] = []

        def known_of(origin: str) -> Checkpoint | None:
            seen.extend(each for each in (latest(origin),) if each is not None)
            return seen[0].checkpoint if seen else None

        judgement = answer(body, vkeys_of=lambda origin: self.logs.get(origin, ()), known_of=known_of)
        return judgement, seen[0] if seen else None

    def _cosign(self, body: bytes) -> tuple[Judgement, Cosigned | None]:
        with self._store.exclusively() as turn:
            judgement, known = self._look(body, turn.latest)
            head = judgement.checkpoint
            if head is None:
                return judgement, known
            timestamp = self._timestamp(turn.newest_timestamp())
            lines = self.signer.cosign(head.text, timestamp)
            note = cosigned_note(judgement, lines)
            turn.keep(Cosigned(head.origin, head.size, head.root, note, timestamp))
        self._evidence.clear(head.origin, head.text)
        self._report(f"cosigned {head.origin} at {head.size} leaves")
        return replace(judgement, body=signature_lines(lines)), known

    def _timestamp(self, newest: int) -> int:
        now = int(self._clock().timestamp())
        if now < max(newest, 1):
            raise UnavailableError(
                "clock-went-back",
                "This witness's clock is earlier than the last time that it gave, so it signs nothing.",
                why=f"its clock says {now}, it signed at {newest} (seconds since 1970)",
                do="Set the witness's clock right; it signs again as soon as the clock is later.",
            )
        return now

    def _keep_evidence(self, body: bytes, judgement: Judgement, known: Cosigned | None) -> None:
        assert judgement.misbehaviour is not None
        request = parse_add_checkpoint(body)
        origin = origin_of(request)
        finding = Finding(origin, request, judgement, known.note if known else None)
        try:
            path = self._evidence.keep(finding, self._clock())
        except (DueprocessError, OSError) as error:
            self._report(f"The evidence against {origin} could not be kept: {error}")
            return
        if path is not None:
            words = FORK_WORDS[judgement.misbehaviour].format(origin=origin)
            self._report(f"{words} Nothing was signed. Kept in {_below(path, self.place.folder)}")

    def checkpoint(self, origin_sha256: str) -> bytes | None:
        """The note of the newest head cosigned of a log, by the digest of its origin; None if there is none."""
        found = self._store.by_digest(origin_sha256)
        return found.note if found else None

    def page(self) -> str:
        """What this witness is, its keys, and what it has seen, for a person with a browser."""
        heads = {each.origin: each for each in self._store.everything()}
        lines = [
            f"{self.place.name}: a witness (C2SP tlog-witness)",
            "",
            "This program keeps the time for logs that other people run. It signs the newest length and checksum",
            "of a log only if that log grew out of what it signed last. It sees no entry of any log, asks for no",
            "name, and does not record who asks.",
            "",
            "Its keys, for a policy file:",
            *(f"  {each.text}" for each in self.vkeys),
            "",
            "The logs that it watches:",
        ]
        for origin in sorted(self.logs):
            size = f"{heads[origin].size} leaves" if origin in heads else "nothing signed yet"
            lines.append(f"  {origin}  ({size})  /{monitoring_path(origin)}")
        lines += ["", "POST /add-checkpoint is for logs. It does not sign subtrees.", ""]
        return "\n".join(lines)

    def _check_state(self) -> None:
        """Refuses a state that these keys did not sign."""
        for each in self._store.everything():
            try:
                head = each.checkpoint
                verified = verify_note(parse_note(each.note), self.vkeys)
            except MalformedError as error:
                raise _altered(each.origin, str(error)) from error
            stamps = {one.timestamp for one in verified}
            if head.origin != each.origin or stamps != {each.timestamp} or len(verified) != len(self.vkeys):
                raise _altered(each.origin, "its time stamps differ, or a signature is missing")


def _below(path: Path, folder: Path) -> Path:
    return path.relative_to(folder)


def _altered(origin: str, why: str) -> BrokenError:
    return BrokenError(
        "state-altered",
        f"What is kept about {origin!r} was not signed with the keys of this witness.",
        why=why,
        do="Put the right keys or the right state.db back, never an older one. If you cannot, start a new witness "
        "with a new name.",
    )
