"""The log's side of the witness protocol: show a witness a new head, get its cosignature, see what it saw last.

A witness line of the policy names one address; below it lie both the submission and the monitoring prefix.

Source: C2SP tlog-witness.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dueprocess.errors import DueprocessError, MalformedError, RefusedError
from dueprocess.publication.asking import TIMEOUT_SECONDS, Heard, ask, check_address, together
from dueprocess.tlog.checkpoint import Checkpoint, add_cosignatures, open_checkpoint, parse_checkpoint
from dueprocess.tlog.note import parse_note, verify_note
from dueprocess.tlog.policy import Policy, Witness
from dueprocess.tlog.tilereader import TileReader
from dueprocess.tlog.tiles import ReadPath
from dueprocess.tlog.witness import AddCheckpoint, format_add_checkpoint, monitoring_path, parse_size

Code = Literal["behind-witness", "log-forked"]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A witness says that it saw another log: a longer one, or one with another past."""

    code: Code
    sent: bytes
    """Its answer: status, newline, body."""
    size: int = 0
    """How many leaves it says it saw, where it says so."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of showing one witness a head: signature lines, or a fault in words, or a contradiction."""

    name: str
    lines: bytes = b""
    signed_at: int = 0
    """Seconds since 1970, by the witness's clock; 0 where it did not sign."""
    fault: str = ""
    contradiction: Contradiction | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What one witness shows as the newest head it cosigned. No checkpoint and no fault: it never cosigned one."""

    name: str
    checkpoint: Checkpoint | None = None
    signed_at: int = 0
    sent: bytes = b""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """A head to be cosigned: its note, how to read the log's tiles, and the policy whose witnesses are asked."""

    note: bytes
    read: ReadPath
    policy: Policy
    seconds: float = TIMEOUT_SECONDS

    @property
    def head(self) -> Checkpoint:
        return parse_checkpoint(parse_note(self.note).text)


def check_addresses(policy: Policy) -> None:
    """Refuses a policy that lists a witness whom nobody can ask: no address, or one that is not safe."""
    for witness in policy.witnesses:
        if witness.url is None:
            raise RefusedError(
                "no-address",
                f"The policy names no address for the witness {witness.name}.",
                do="Write the address at the end of its line.",
                source="C2SP tlog-policy, Defining a witness",
            )
        check_address(witness.url, f"the witness {witness.name}")


def show_all(witnesses: Sequence[Witness], origin: str, policy: Policy, *, seconds: float) -> list[Shown]:
    """What each of these witnesses saw last of the log, all asked at once."""
    work = {each.name: _looking(each, origin, policy, seconds) for each in witnesses}
    found = together(work, within=seconds + 1)
    return [found.get(each.name, Shown(each.name, fault=_too_late(seconds))) for each in witnesses]


def _looking(witness: Witness, origin: str, policy: Policy, seconds: float) -> Callable[[], Shown]:
    def look() -> Shown:
        try:
            heard = ask(_below(witness, monitoring_path(origin)), seconds=seconds)
            return _read_shown(witness, heard, policy)
        except DueprocessError as error:
            return Shown(witness.name, fault=_fault(error))

    return look


def _read_shown(witness: Witness, heard: Heard, policy: Policy) -> Shown:
    if heard.status == 404:
        return Shown(witness.name)
    if heard.status != 200:
        return Shown(witness.name, fault=_status_words(heard.status))
    # What the log signed speaks against the log whoever shows it, so only its own signature is asked for.
    opened = open_checkpoint(heard.body, replace(policy.unwitnessed, witnesses=()))
    return Shown(witness.name, opened.checkpoint, _time_of(witness, heard.body), heard.body)


def _time_of(witness: Witness, note: bytes) -> int:
    """When this witness signed the note; 0 where it did not."""
    try:
        return verify_note(parse_note(note), (witness.vkey,))[0].timestamp or 0
    except MalformedError:
        return 0


def submit_all(submission: Submission, witnesses: Sequence[Witness], old: dict[str, int]) -> list[Reply]:
    """Shows the head to each of these witnesses at once. ``old``: name → size it is thought to have seen last."""
    work = {each.name: _submitting(submission, each, old.get(each.name, 0)) for each in witnesses}
    seconds = submission.seconds
    found = together(work, within=2 * seconds + 1)  # a 409 is answered by a second request
    return [found.get(each.name, Reply(each.name, fault=_too_late(seconds))) for each in witnesses]


def _submitting(submission: Submission, witness: Witness, old: int) -> Callable[[], Reply]:
    def submit() -> Reply:
        try:
            return _submit(submission, witness, old)
        except DueprocessError as error:
            return Reply(witness.name, fault=_fault(error))

    return submit


def _submit(submission: Submission, witness: Witness, old: int) -> Reply:
    head = submission.head
    heard = _post(submission, witness, min(old, head.size))
    if heard.status == 409:
        size = parse_size(heard.body)
        if size > head.size:
            return Reply(witness.name, contradiction=Contradiction("behind-witness", _sent(heard), size))
        heard = _post(submission, witness, size)
    if heard.status == 422:
        return Reply(witness.name, contradiction=Contradiction("log-forked", _sent(heard)))
    if heard.status != 200:
        return Reply(witness.name, fault=_status_words(heard.status))
    cosigned = add_cosignatures(submission.note, heard.body, submission.policy)
    signed_at = _time_of(witness, cosigned)
    if not signed_at:
        return Reply(witness.name, fault="its answer does not carry its signature")
    return Reply(witness.name, heard.body, signed_at)


def _post(submission: Submission, witness: Witness, old: int) -> Heard:
    reader = TileReader(submission.read, submission.head)
    proof = tuple(reader.consistency_proof(old)) if old else ()
    body = format_add_checkpoint(AddCheckpoint(old, proof, submission.note))
    return ask(_below(witness, "add-checkpoint"), body, seconds=submission.seconds)


def _below(witness: Witness, path: str) -> str:
    return f"{(witness.url or '').rstrip('/')}/{path}"


def _sent(heard: Heard) -> bytes:
    return f"{heard.status}\n".encode() + heard.body


def _fault(error: DueprocessError) -> str:
    return error.why if error.code == "no-answer" else error.what


def _too_late(seconds: float) -> str:
    return f"it did not answer within {seconds:g} seconds"


def _status_words(status: int) -> str:
    if status in _STATUS:
        return _STATUS[status]
    if 300 <= status < 400:
        return f"it sends us elsewhere (status {status}); its address in the policy must be its own"
    if status >= 500:
        return f"it has a fault of its own (status {status})"
    return f"it answers with status {status}, which is not in the protocol"


_STATUS: dict[int, str] = {
    400: "it does not understand what we send (status 400); perhaps its address in the policy is wrong",
    403: "it knows other keys for this log (status 403): its operator needs the log lines of policy.txt",
    404: "it does not know this log (status 404): its operator needs the log lines of policy.txt",
    409: "it names one size and then another (status 409); two logs may be showing it heads at once",
}
