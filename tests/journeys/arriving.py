"""From the text of a paper to an assessed case, and from a parcel to its files: what several journeys type."""

import json
import tarfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

import pyrage

from journeys.counter import as_person, here
from journeys.typed import Said, called, typed
from office import Office

type Typing = Callable[..., Said]


def typing(office: Office, told: list[Said]) -> Typing:
    """Types a command as one of the office's people, sees it succeed, and keeps what it said."""

    def type_as(who: str, *words: str | Path) -> Said:
        said = called(*words, environment={**as_person(office, who), "DUEPROCESS_PERSON": who})
        assert said.code == 0, said
        told.append(said)
        return said

    return type_as


def arrived(say: Typing, paper: Path, read: Callable[[str], str]) -> str:
    """Received, called back, read as the draft suggests and a person completes it (``read``), and assessed."""
    case: str = json.loads(say("ana", "receive", paper, "--channel", "mail", "--json").out)["case"][:8]
    say("ana", "authenticate", case, "--finding", "called_back", "--authority", "a-court")
    facts = paper.with_suffix(".toml")
    facts.write_text(read(say("ana", "read", case, "--suggest").out))
    say("ana", "read", case, "--facts", facts)
    say("ana", "assess", case)
    return case


def completed(draft: str, **known: str) -> str:
    """The draft with what a person knows after reading; each value as it stands in TOML."""
    head, mark, targets = draft.partition("[[target]]")
    lines = [line for line in head.splitlines() if line.split(" =")[0] not in known]
    return "\n".join([*lines, *(f"{name} = {value}" for name, value in known.items()), mark]) + targets


def turn(office: Office) -> list[str]:
    """One turn of the production worker, as a process of its own."""
    said = typed("worker", "--production", "--once", environment=here(office), folder=office.root)
    assert said.code == 0, said
    return said.out.splitlines()


def todo(say: Typing, case: str) -> list[str]:
    """What `dueprocess next` asks for in this case."""
    lines: list[str] = json.loads(say("boris", "next", "--json").out)["todo"]
    return [line.split("  ", 1)[1] for line in lines if line.startswith(case)]


def opened(parcel: Path, officer: pyrage.x25519.Identity) -> Mapping[str, bytes]:
    """The files of a parcel, as the officer opens it."""
    with tarfile.open(fileobj=BytesIO(pyrage.decrypt(parcel.read_bytes(), [officer]))) as archive:
        files = ((each.name, archive.extractfile(each)) for each in archive)
        return {name: file.read() for name, file in files if file is not None}
