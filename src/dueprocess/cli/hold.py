"""`dueprocess hold`: keep one named account's data in the vault, unread, as a demand to preserve asks."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from dueprocess.cases.case import Case
from dueprocess.cases.hold import CONFIRM_WITHIN
from dueprocess.cases.holdstate import END_REASONS, HoldState
from dueprocess.cli.place import Place, person, signing_key
from dueprocess.desk import holding
from dueprocess.desk.holding import Given
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case
from dueprocess.wire import instant

_HOURS = CONFIRM_WITHIN.days * 24


def hold_command(  # noqa: PLR0913  the options of a command are its interface
    case: str | None = None,
    target: str | None = None,
    *,
    confirm: Annotated[bool, Parameter(help="sign second what somebody else began", negative="")] = False,
    renew: Annotated[
        str | None, Parameter(help="the case of a renewed request: the hold lasts one more period")
    ] = None,
    in_place: Annotated[
        bool, Parameter(help="copy no file: keep digests and sizes alone, as for illegal images", negative="")
    ] = False,
    show: Annotated[bool, Parameter(help="print the hold's document and sign nothing", negative="")] = False,
    key: Annotated[Path | None, Parameter(help="your key file; default DUEPROCESS_KEY")] = None,
    role: Annotated[str, Parameter(help="the role in which you sign")] = "reviewer",
    signer: Annotated[
        list[Path] | None, Parameter(help="with --renew: the key files of two people, once for each")
    ] = None,
    place: Place | None = None,
) -> None:
    """Begin a hold of one target, confirm it as a second person, or renew it. Without a case: list the holds.

    One person begins; the worker takes one snapshot into the vault, which nobody can read. A second person confirms
    within 72 hours or it is destroyed. Only a disclosure that two people approve can read it later.
    """
    at = place or Place()
    if case is None:
        _list(at)
        return
    if target is None or sum((confirm, renew is not None, in_place, show)) > 1:
        raise RefusedError(
            "one-thing",
            "Name a case and a target, and one thing to do.",
            do="dueprocess hold CASE TARGET, or with one of --confirm, --renew CASE, --in-place, --show.",
        )
    if show:
        _show(at, case, target)
    elif renew is not None:
        _renew(at, (case, target), renew, signer or [])
    elif confirm:
        _confirm(at, case, target, Given(signing_key(key), role))
    else:
        _begin(at, (case, target), Given(signing_key(key), role), in_place=in_place)


def _begin(at: Place, target: tuple[str, str], given: Given, *, in_place: bool) -> None:
    desk, now = at.open()
    case_id, ref = at.case(target[0]), target[1]
    document = holding.begin(desk, case_id, ref, given, now=now, in_place=in_place)
    lines = [
        *page(document),
        "Begun. The production worker takes one snapshot at its next turn; nobody can read it.",
        (
            f"A second person confirms it before {document['expires_at']} ({_HOURS} hours), or it is destroyed: "
            f"dueprocess hold {case_id[:8]} {ref} --confirm"
        ),
    ]
    at.say(lines, document)


def _confirm(at: Place, case: str, ref: str, given: Given) -> None:
    desk, now = at.open()
    case_id = at.case(case)
    document = holding.open_hold(desk, load_case(case_id), ref)
    event = holding.confirm(desk, case_id, ref, given, now=now)
    until = document["hold"]["until"]
    at.say(
        [*page(document), f"Confirmed by two. It is kept until {until} and then destroyed."], event.as_json()
    )


def _renew(at: Place, target: tuple[str, str], paper: str, signers: list[Path]) -> None:
    desk, now = at.open()
    case_id, paper_id = at.case(target[0]), at.case(paper)
    if len(signers) < 2:
        raise RefusedError(
            "two-people",
            "Prolonging a hold needs two different people.",
            do="Name both: --signer KEY --signer KEY.",
        )
    refs = [
        ref
        for ref, state in load_case(paper_id).targets.items()
        if state.stage not in ("refused", "resolved")
    ]
    if len(refs) != 1:
        raise RefusedError(
            "one-target",
            "A renewed request is about one target here.",
            why=f"Its case has {len(refs)}.",
            do="Read it as a paper of its own for each target.",
        )
    keys = [signing_key(each) for each in signers]
    event = holding.renew(desk, case_id, target[1], (paper_id, refs[0]), keys, now=now)
    document: Any = event.body["document"]
    at.say(f"Kept until {document['until']}. Nothing was added: a hold is one snapshot.", event.as_json())


def _show(at: Place, case: str, ref: str) -> None:
    desk, now = at.open()
    holding.refuse_unnamed(desk, person(), now)
    found = load_case(at.case(case))
    document = holding.open_hold(desk, found, ref)
    state = found.target(ref).hold
    assert state is not None
    at.say([*page(document), *about(state), "Nothing was signed."], document)


def _list(at: Place) -> None:
    desk, now = at.open()
    found = holding.visible_holds(desk, person(), now)
    lines = [line for case, ref, hold in found for line in (f"{case.case_id[:8]} {ref}", *about(hold))]
    at.say(lines or ["There is no hold."], [_json(case, ref, hold) for case, ref, hold in found])


def about(hold: HoldState) -> list[str]:
    """Where a hold stands, in lines for people who may see it."""
    if hold.ended is not None:
        told = next(words for code, words in END_REASONS.items() if code == hold.ended.body["reason"])
        return [f"  over: {told}; what it kept is destroyed at the worker's next turn"]
    begun = hold.started.body["signature"]
    lines = [f"  begun by {begun['person']} at {hold.started.recorded_at}" if isinstance(begun, dict) else ""]
    lines += ["  taken" if hold.taken is not None else "  not taken yet"]
    if hold.taken is not None and isinstance(tables := hold.taken.body["tables"], list):
        lines += [
            f"    {t['store']}.{t['table']}: {t['status']}, {t['rows']}"
            for t in tables
            if isinstance(t, dict)
        ]
    confirmed = hold.confirmed is not None
    lines += ["  confirmed" if confirmed else f"  to be confirmed before {instant(hold.confirm_until)}"]
    return [*lines, f"  kept until {instant(hold.until)}{', renewed' if hold.renewed else ''}"]


def _json(case: Case, ref: str, hold: HoldState) -> dict[str, Any]:
    return {
        "case": case.case_id,
        "target": ref,
        "hold": hold.hold_id,
        "taken": hold.taken is not None,
        "confirmed": hold.confirmed is not None,
        "confirm_until": instant(hold.confirm_until),
        "until": instant(hold.until),
        "ended": hold.ended.body["reason"] if hold.ended is not None else None,
    }


def page(document: dict[str, Any]) -> list[str]:
    """What a hold says, for the person who signs it."""
    target = document["scope"]["targets"][0]
    files = (
        "copied" if document["hold"]["files"] == "copy" else "left in place; digests and sizes alone are kept"
    )
    return [
        f"Keep in the vault, unread, about {target['value']}",
        f"  what       {', '.join(target['categories'])}",
        f"  window     {target['from']} to {target['until']}",
        f"  law        {', '.join(document['legal_basis'])}",
        f"  files      {files}",
        "  to         nobody",
        f"  until      {document['hold']['until']}",
    ]
