"""`dueprocess enrol`: people and authorities who may act. Each entry is signed by two existing people."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from dueprocess.cli.place import Place, known_key, signing_key
from dueprocess.cli.printing import say
from dueprocess.desk import rosters
from dueprocess.desk.filekeys import make_key
from dueprocess.desk.setup import staff_document
from dueprocess.roster import Verdict

app = App(
    name="enrol", help="People and authorities who may act; each signed by two.", help_format="plaintext"
)

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
    age: Annotated[str, Parameter(help="its age recipient (age1...)")],
    signer: Signers,
    place: Place | None = None,
) -> None:
    """Enrol an authority with the key that its answers are encrypted to."""
    at = place or Place()
    desk, now = at.open()
    document = rosters.authority_document(
        who, name=name, country=country, authority_class=authority_class, age=age
    )
    event = rosters.enrol(desk, document, [signing_key(each) for each in signer], now)
    at.say(f"Enrolled the authority {who}.", event.as_json())


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
