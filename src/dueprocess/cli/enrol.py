"""`dueprocess enrol`: people and authorities who may act. Each entry is signed by two existing people."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from dueprocess.cli.place import Place, known_key, signing_key
from dueprocess.cli.printing import cut, say
from dueprocess.desk import rosters
from dueprocess.desk.filekeys import make_key
from dueprocess.desk.setup import staff_document
from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.roster import Verdict

app = App(
    name="enrol", help="People and authorities who may act; each signed by two.", help_format="plaintext"
)


@dataclass(frozen=True, slots=True)
class Way:
    """How the answers for an authority leave: exactly one of these."""

    age: Annotated[str | None, Parameter(help="its age recipient (age1...)")] = None
    openpgp: Annotated[Path | None, Parameter(help="a file with its OpenPGP key, ASCII-armoured")] = None
    cms: Annotated[Path | None, Parameter(help="a file with its X.509 certificate in PEM")] = None
    handover: Annotated[
        str | None, Parameter(help="no key: a person hands over, by official_system or sealed_medium")
    ] = None


Signers = Annotated[list[Path], Parameter(help="the key files of two people who sign, once for each")]


@app.command(name="key")
def key_command(
    person: str,
    file: Path,
    *,
    json: Annotated[bool, Parameter(negative="", help="Print one JSON value instead of text.")] = False,
) -> None:
    """Make a key file for one person (embedded mode; passkeys come with the office)."""
    key = make_key(person, file)
    say(
        f"{person}: credential {key.credential} in {file}. Whoever copies the file can sign.",
        {"person": person, "credential": key.credential, "file": str(file)},
        as_json=json,
    )


@app.command(name="person")
def person_command(person_key: Path, *, role: list[str], signer: Signers, place: Place | None = None) -> None:
    """Enrol a person's key. It counts 24 hours from now, so that an intruder's enrolment is seen first."""
    at = place or Place()
    desk, now = at.open()
    key = known_key(person_key)
    document = staff_document(key.person, key.public, key.credential, role)
    event = rosters.enrol(desk, document, [signing_key(each) for each in signer], now)
    at.say(
        f"Enrolled {key.person} as {', '.join(role)}; counts from 24 hours after {event.recorded_at}.",
        event.as_json(),
    )


@app.command(name="authority")
def authority_command(
    who: str,
    *,
    name: str,
    country: str,
    authority_class: Annotated[str, Parameter(name="--class", help="court, police, prosecutor, agency ...")],
    way: Annotated[Way | None, Parameter(name="*")] = None,
    signer: Signers,
    place: Place | None = None,
) -> None:
    """Enrol an authority with the one key that its answers are encrypted to, or with a recorded hand-over."""
    at = place or Place()
    desk, now = at.open()
    kind, text = _recipient(way or Way())
    key, whose = rosters.checked_key(kind, text, now)
    document = rosters.authority_document(
        who, name=name, country=country, authority_class=authority_class, **{kind: key}
    )
    event = rosters.enrol(desk, document, [signing_key(each) for each in signer], now)
    lines = [f"Enrolled the authority {who}: {_WORDS[kind]}."]
    if whose:
        lines.append(f"The key says that it belongs to: {cut(whose)}. Compare it over another channel.")
        lines.append(
            "These words stand in history and are never erased: use an office's key, not a person's."
        )
    at.say(lines, event.as_json())


_WORDS = {
    "age": "answers are encrypted to its age key",
    "openpgp": "answers are encrypted to its OpenPGP key",
    "cms": "answers are encrypted to its certificate",
    "handover": "it has no key; a person hands each answer over, which is recorded",
}


def _recipient(way: Way) -> tuple[str, str]:
    """(kind, text) of the one way that was given."""
    given = {kind: each for kind in rosters.KEY_KINDS if (each := getattr(way, kind)) is not None}
    if len(given) != 1:
        raise RefusedError(
            "one-recipient",
            "An authority has exactly one way in which its answers leave.",
            why=f"Found {len(given)}.",
            do="Give one of --age KEY, --openpgp FILE, --cms FILE, --handover official_system or sealed_medium.",
            source="formats.md, Parcel",
        )
    ((kind, value),) = given.items()
    if not isinstance(value, Path):
        return kind, str(value)
    try:
        return kind, value.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnavailableError(
            "no-key-file",
            f"{value} cannot be read as text.",
            why=str(error),
            do="Ask for the key as text (PEM, armour).",
        ) from error


@app.command(name="revoke")
def revoke_command(credential: str, *, signer: Signers, place: Place | None = None) -> None:
    """End a credential for good. Decisions that it signed and that are not produced yet become void."""
    _end("revoke", credential, signer, place or Place())


@app.command(name="suspend")
def suspend_command(credential: str, *, signer: Signers, place: Place | None = None) -> None:
    """Suspend a person or an authority."""
    _end("suspend", credential, signer, place or Place())


@app.command(name="list")
def list_command(*, place: Place | None = None) -> None:
    """List everyone who may act, with credential, roles and standing."""
    at = place or Place()
    desk, now = at.open()
    entries = list(desk.roster().entries.values())
    lines = [
        f"{e.id:<16}{e.roster:<12}{e.credential}  {', '.join(e.roles) or e.about.get('name', '')}"
        f"  {'active' if e.active(now) else 'not active'}"
        for e in entries
    ]
    at.say(
        lines,
        [
            {"id": e.id, "roster": e.roster, "credential": e.credential, "active": e.active(now)}
            for e in entries
        ],
    )


def _end(verdict: Verdict, credential: str, signer: list[Path], at: Place) -> None:
    desk, now = at.open()
    document = rosters.ending_document(verdict, credential)
    event = rosters.enrol(desk, document, [signing_key(each) for each in signer], now, verdict=verdict)
    at.say(f"Done: {verdict} {credential[:12]}….", event.as_json())
