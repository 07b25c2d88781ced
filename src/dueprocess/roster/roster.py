"""Who may act is history: rosters fold from enrolments that two existing people signed.

The founding roots are pinned outside the database (in the production worker's own file). A row that an
administrator adds to a table carries no signature that chains to them, so it gives no power.

Source: formats.md, "Rosters"; architecture.md section 4.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from dueprocess.errors import BrokenError, MalformedError, RefusedError
from dueprocess.roster.signing import Signature, Verdict, check
from dueprocess.wire import Json, digest_of, is_version, unb64

RosterName = Literal["staff", "authorities"]
STAFF_ROLES = ("intake", "reviewer", "counsel")
ENTRY_KEYS = {"v", "roster", "id", "credential", "public_key", "roles", "about", "nonce"}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
COOLING_OFF = dt.timedelta(hours=24)
"""A new person or key counts from this long after enrolment, so that an intruder's enrolment is seen first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One enrolled person (staff) or authority. No names of people: ids are opaque.

    ``public_key`` is Ed25519 for staff; an authority has its age recipient and class in ``about``.
    """

    roster: RosterName
    id: str
    credential: str
    public_key: bytes
    roles: tuple[str, ...]
    about: Mapping[str, str]
    counts_from: dt.datetime
    enrolled_by: tuple[str, ...]
    revoked_at: dt.datetime | None = None
    suspended_at: dt.datetime | None = None
    founding: bool = False
    number: int = 0
    """The number of the roster event that enrolled this entry, so that its time in the log can be found."""

    def active(self, at: dt.datetime) -> bool:
        """Whether this entry counts at that instant: past cooling-off, not revoked, not suspended."""
        ended = any(end is not None and end <= at for end in (self.revoked_at, self.suspended_at))
        return self.counts_from <= at and not ended


@dataclass(frozen=True, slots=True)
class Roster:
    """All entries of the rosters by credential, as far as the events read tell."""

    entries: Mapping[str, Entry] = field(default_factory=dict)

    def staff(self, credential: str, at: dt.datetime) -> Entry:
        """The active staff member behind a credential. Refuses anyone unknown, new, revoked or suspended."""
        entry = self.entries.get(credential)
        if entry is None or entry.roster != "staff":
            raise RefusedError(
                "unknown-signer",
                f"The key {credential[:12]}… is not in the roster of people who may act.",
                why="Only a person whose enrolment two existing people signed may act, back to the founders.",
                do="Let two people enrol this person: dueprocess enrol.",
                source="formats.md, Rosters",
            )
        if not entry.active(at):
            raise RefusedError(
                "signer-inactive",
                f"{entry.id} may not act at {at:%Y-%m-%d %H:%M} UTC.",
                why=f"Counts from {entry.counts_from:%Y-%m-%d %H:%M}; revoked: {entry.revoked_at}; "
                f"suspended: {entry.suspended_at}.",
                do="Let another enrolled person act.",
                source="formats.md, Rosters",
            )
        return entry

    def authority(self, who: str) -> Entry | None:
        """The newest entry of an authority, ended or not: a revoked key never gives way to the one before it."""
        theirs = [e for e in self.entries.values() if e.id == who and e.roster == "authorities"]
        return theirs[-1] if theirs else None


def entry_document(
    roster: RosterName,
    who: str,
    *,
    public_key: str,
    credential: str,
    roles: Iterable[str],
    about: Mapping[str, str],
    nonce: str,
) -> dict[str, Json]:
    """The document that two people sign to enrol someone; base64 key, hex credential, base64 nonce."""
    return {
        "v": 1,
        "roster": roster,
        "id": who,
        "credential": credential,
        "public_key": public_key,
        "roles": list[Json](sorted(roles)),
        "about": dict[str, Json](about),
        "nonce": nonce,
    }


def founding_digest(documents: Iterable[dict[str, Json]]) -> str:
    """Hex digest of the founding entries, in order: the root that the production worker pins."""
    return digest_of(list(documents))


class Chain:
    """Folds roster events into a `Roster`, checking every signature back to the founding root.

    ``origin`` is the installation's; ``root`` the pinned digest of its founding documents.
    """

    def __init__(self, origin: str, root: str) -> None:
        self._origin = origin
        self._root = root
        self._roster = Roster()
        self._founding: list[dict[str, Json]] = []

    def founded(
        self,
        documents: list[dict[str, Json]],
        signatures: list[list[Signature]],
        at: dt.datetime,
        *,
        number: int = 0,
    ) -> None:
        """Takes the founders' entries. Refuses any that differ from the pinned root or lack each other's word."""
        if self._roster.entries:
            raise BrokenError(
                "founded-twice",
                "The founders stand in history twice.",
                why="Founding anew would bring back everyone who was revoked or suspended since.",
                do="Stop. Run dueprocess fsck; look for who changed the database.",
                source="formats.md, Rosters",
            )
        if founding_digest(documents) != self._root:
            raise BrokenError(
                "wrong-founders",
                "The founding people in the database are not those that this program was set up with.",
                why="Their digest differs from the pinned root.",
                do="Stop. Compare pins.json with its copy; look for who changed the database.",
                source="formats.md, Gate",
            )
        entries = {
            str(d["credential"]): replace(_entry(d, counts_from=at, by=()), founding=True, number=number)
            for d in documents
        }
        people = {entry.id for entry in entries.values()}
        for document, given in zip(documents, signatures, strict=True):
            signers = set()
            for signature in given:
                signer = entries.get(signature.credential)
                if signer is None or signature.verdict != "enrol" or signature.person != signer.id:
                    raise BrokenError(
                        "wrong-founders", "A founding entry is signed by someone who is no founder."
                    )
                check(signature, self._origin, document, signer.public_key)
                signers.add(signer.id)
            if signers != people:
                raise BrokenError("wrong-founders", "Each founder signs each founding entry.")
        self._roster = Roster(entries)

    def enrolled(
        self, document: dict[str, Json], signatures: list[Signature], at: dt.datetime, *, number: int = 0
    ) -> None:
        """Adds an entry that two active people signed, neither of them the newcomer."""
        signers = self._two(document, signatures, "enrol", at)
        if str(document.get("id")) in signers:
            raise RefusedError("self-enrolment", "Nobody enrols themselves.", source="formats.md, Rosters")
        credential = str(document.get("credential"))
        if credential in self._roster.entries:
            raise RefusedError(
                "credential-known", "This key is enrolled already.", source="formats.md, Rosters"
            )
        wait = COOLING_OFF if document.get("roster") == "staff" else dt.timedelta(0)
        entry = replace(_entry(document, counts_from=at + wait, by=signers), number=number)
        self._roster = Roster({**self._roster.entries, credential: entry})

    def ended(self, document: dict[str, Json], signatures: list[Signature], at: dt.datetime) -> None:
        """Takes a revocation or suspension: the document names a credential and the verdict."""
        verdict = document.get("verdict")
        if verdict not in ("revoke", "suspend"):
            raise MalformedError("bad-verdict", "A roster entry ends by `revoke` or `suspend`.")
        self._two(document, signatures, verdict, at)
        credential = str(document.get("credential"))
        entry = self._roster.entries.get(credential)
        if entry is None:
            raise RefusedError(
                "unknown-credential", "There is no such entry to end.", source="formats.md, Rosters"
            )
        ended = replace(
            entry,
            revoked_at=entry.revoked_at or (at if verdict == "revoke" else None),
            suspended_at=entry.suspended_at or (at if verdict == "suspend" else None),
        )
        self._roster = Roster({**self._roster.entries, credential: ended})

    def decided(
        self,
        document: dict[str, Json],
        signatures: list[Signature],
        at: dt.datetime,
        *,
        verdict: Verdict,
        roles: Collection[str],
    ) -> tuple[str, ...]:
        """The two different people who signed this document about the log or the packs, each in one of these roles."""
        odd = [each.role for each in signatures if each.role not in roles]
        if odd:
            raise RefusedError(
                "wrong-role",
                f"Nobody decides about the log or the packs in the role {odd[0]!r}.",
                do="Let two people sign who are reviewer or counsel.",
                source="formats.md, Rosters",
            )
        return self._two(document, signatures, verdict, at)

    @property
    def roster(self) -> Roster:
        return self._roster

    def _two(
        self, document: dict[str, Json], signatures: list[Signature], verdict: str, at: dt.datetime
    ) -> tuple[str, ...]:
        people: list[str] = []
        for signature in signatures:
            signer = self._roster.staff(signature.credential, at)
            if signature.verdict != verdict or signature.person != signer.id:
                raise RefusedError("wrong-verdict", "A signature was given for another verdict or person.")
            if signature.role not in signer.roles:
                raise RefusedError(
                    "wrong-role",
                    f"{signer.id} does not hold the role {signature.role!r}.",
                    do="Sign in a role held.",
                )
            check(signature, self._origin, document, signer.public_key)
            people.append(signer.id)
        if len(set(people)) < 2:
            raise RefusedError(
                "two-people",
                "A change of who may act, of the log's rules or of the packs needs two different people's signatures.",
                why=f"Found {len(set(people))}.",
                do="Let a second enrolled person sign the same document.",
                source="formats.md, Rosters",
            )
        return tuple(people)


def _entry(document: dict[str, Json], *, counts_from: dt.datetime, by: tuple[str, ...]) -> Entry:
    if set(document) != ENTRY_KEYS or not is_version(document["v"]):
        raise MalformedError("bad-entry", f"A roster entry has exactly the keys {sorted(ENTRY_KEYS)}.")
    roster, roles, about = document["roster"], document["roles"], document["about"]
    if roster not in ("staff", "authorities") or not isinstance(roles, list) or not isinstance(about, dict):
        raise MalformedError(
            "bad-entry", "A roster entry names its roster, a list of roles and what it is about."
        )
    if not _ID.fullmatch(str(document["id"])):
        raise MalformedError(
            "bad-entry",
            "The id of a person or authority is plain: letters, digits, and . _ @ - inside.",
            why="Two ids that look alike would let one person count as two.",
        )
    key = unb64(str(document["public_key"])) if document["public_key"] else b""
    return Entry(
        roster="staff" if roster == "staff" else "authorities",
        id=str(document["id"]),
        credential=str(document["credential"]),
        public_key=key,
        roles=tuple(str(role) for role in roles),
        about={str(k): str(v) for k, v in about.items()},
        counts_from=counts_from,
        enrolled_by=by,
    )
