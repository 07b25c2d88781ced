"""What every attack on the gate shares: how the worker refuses, and an event slipped past the steps."""

from pathlib import Path

import pytest

import sabotage
from dueprocess.cases.events import Draft
from dueprocess.errors import DueprocessError
from dueprocess.history.append import append
from dueprocess.history.connection import append_lock
from dueprocess.wire import parse_json
from office import Office
from sabotage import Row


def parcels(office: Office) -> list[Path]:
    return sorted(office.desk.installation.parcels.glob("*"))


def refusal(office: Office) -> DueprocessError:
    """What the production worker says; it has written nothing, neither a parcel nor an event."""
    before, files = sabotage.snapshot(), parcels(office)
    with pytest.raises(DueprocessError) as caught:
        office.produce(office.cases[0])
    assert sabotage.snapshot() == before
    assert parcels(office) == files
    return caught.value


def inject(office: Office, stream: str, draft: Draft, actor: str = "mallory") -> None:
    """What the database's administrator can do with the case's key: an event past every rule of the steps."""
    with append_lock():
        append(stream, [draft], office.desk.hand(actor, office.now, stream))


def parsed(event: Row) -> Row:
    """An event's row with its body as a value, the form that is hashed."""
    return {**event, "body": parse_json(event["body"])}


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
