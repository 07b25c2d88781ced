"""`dueprocess propose`, `approve`, `reject`: two different people sign one document about one target."""

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from dueprocess.cli.place import Place, signing_key
from dueprocess.desk import decisions
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case

KeyOption = Annotated[Path | None, Parameter(help="your key file; default DUEPROCESS_KEY")]
RoleOption = Annotated[str, Parameter(help="the role in which you sign")]


def propose_command(
    case: str,
    target: str,
    *,
    key: KeyOption = None,
    role: RoleOption = "reviewer",
    place: Place | None = None,
) -> None:
    """Draw up the decision about one target and sign it first."""
    at = place or Place()
    desk, now = at.open()
    case_id = at.case(case)
    document = decisions.propose(desk, case_id, target, signing_key(key), role=role, now=now)
    at.say(
        [
            *page(document),
            f"Signed first. A second person reads it: dueprocess approve {case_id[:8]} {target} --show",
        ],
        document,
    )


def approve_command(
    case: str,
    target: str,
    *,
    key: KeyOption = None,
    role: RoleOption = "reviewer",
    show: Annotated[bool, Parameter(help="print the decision and sign nothing", negative="")] = False,
    place: Place | None = None,
) -> None:
    """Read the open decision and sign it second. Never the proposer, never who made the call-back.

    On a terminal it shows the decision and asks before it signs.
    """
    at = place or Place()
    desk, now = at.open()
    case_id = at.case(case)
    document = decisions.open_decision(desk, load_case(case_id), target)
    if show:
        at.say([*page(document), "Nothing was signed."], document)
        return
    signer = signing_key(key)
    lines = [] if _asked(document) else page(document)
    event = decisions.approve(desk, case_id, target, signer, role=role, now=now)
    at.say(
        [*lines, "Approved by two. The worker goes on by itself once this is sealed."],
        event.as_json(),
    )


def reject_command(
    case: str,
    target: str,
    *,
    reason: Annotated[str, Parameter(help="a short code, such as not-lawful; no names")],
    key: KeyOption = None,
    role: RoleOption = "reviewer",
    place: Place | None = None,
) -> None:
    """Refuse the open decision. One person is enough."""
    at = place or Place()
    desk, now = at.open()
    case_id = at.case(case)
    event = decisions.reject(desk, case_id, target, signing_key(key), role=role, reason=reason, now=now)
    at.say(f"{target} of case {case_id[:8]} is refused: nothing is handed over for it.", event.as_json())


def _asked(document: dict[str, Any]) -> bool:
    """Whether a person at a terminal read the decision and said yes. False where nobody sits there."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(*page(document), "Sign this? [y/N] ", sep="\n", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise RefusedError(
            "not-signed", "Nothing was signed.", do="Run dueprocess reject if it must not go out."
        )
    return True


def page(document: dict[str, Any]) -> list[str]:
    """What a decision says, for the person who is about to sign it."""
    target = document["scope"]["targets"][0]
    notice = document["notice"]
    if document["action"] == "resolve":
        return resolution_page(document)
    return [
        f"Disclose about {target['value']}",
        f"  what       {', '.join(target['categories'])}",
        f"  window     {target['from']} to {target['until']}",
        f"  law        {', '.join(document['legal_basis'])}",
        f"  to         {document['recipient']['authority']} ({document['recipient']['key'][:16]}…)",
        f"  the user   {notice['rule']}" + (f" {notice['until']}" if notice["until"] else ""),
        f"  not before {notice['earliest_production'] or 'sealed in the log'}",
        f"  expires    {document['expires_at']}",
    ]


def resolution_page(document: dict[str, Any]) -> list[str]:
    """What a decision to resolve says: one question, whose answer nobody outside gets."""
    target = document["scope"]["targets"][0]
    return [
        f"Find out which account is meant by {target['value']} ({target['kind']})",
        "  what       its name alone; no record is read",
        f"  asked for  {', '.join(target['categories'])}, {target['from']} to {target['until']}",
        f"  law        {', '.join(document['legal_basis'])}",
        "  to         the vault, and nobody; what is found takes a decision of its own",
        "  not before sealed in the log",
        f"  expires    {document['expires_at']}",
    ]
