"""Documents about the installation itself, signed by the people at hand: what decisions about log and packs share."""

import secrets
from collections.abc import Sequence

from dueprocess.cases.events import Draft
from dueprocess.desk.desk import Desk
from dueprocess.desk.filekeys import FileKey
from dueprocess.roster import Verdict
from dueprocess.wire import Json, b64


def nonce() -> str:
    """A fresh nonce for a document, base64 of 32 bytes."""
    return b64(secrets.token_bytes(32))


def signed(
    desk: Desk, kind: str, document: dict[str, Json], signers: Sequence[FileKey], verdict: Verdict
) -> Draft:
    """The event of this kind with the document and everybody's signature under it, each as a reviewer."""
    given = [s.sign(desk.pins.origin, document, role="reviewer", verdict=verdict).as_json() for s in signers]
    return Draft(kind, {"document": document, "signatures": list[Json](given)})
