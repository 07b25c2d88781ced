"""`dueprocess policy`: who must have witnessed the public log, and how two people change that."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from dueprocess.cli.place import Place, signing_key
from dueprocess.desk import logrules
from dueprocess.errors import UnavailableError
from dueprocess.wire import sha256_hex

app = App(
    name="policy",
    help="Whose witnesses the public log needs. A change is signed by two and published.",
    help_format="plaintext",
)

Signers = Annotated[list[Path], Parameter(help="the key files of two people who sign, once for each")]


@app.command(name="show")
def show_command(*, place: Place | None = None) -> None:
    """Show the policy in force and those before it."""
    at = place or Place()
    desk, _ = at.open()
    rules = desk.log_rules()
    lines = [
        f"policy {each.number}  {sha256_hex(each.text)[:16]}…  since {each.since:%Y-%m-%d %H:%M}"
        f"  quorum {each.policy.quorum}"
        for each in rules.policies
    ]
    found = {"number": rules.newest.number, "policy": rules.newest.text.decode()}
    at.say([*lines, "", rules.newest.text.decode()], found)


@app.command(name="change")
def change_command(
    *,
    file: Annotated[Path, Parameter(help="the new policy; begin with a copy of public/policy.txt")],
    signer: Signers,
    place: Place | None = None,
) -> None:
    """Put another policy in force: it keeps the log's own keys and changes witnesses, groups or quorum."""
    at = place or Place()
    desk, now = at.open()
    try:
        text = file.read_bytes()
    except OSError as error:
        raise UnavailableError(
            "no-policy-file", f"The file {file} cannot be read.", why=str(error)
        ) from error
    changed = logrules.change_policy(desk, text, [signing_key(each) for each in signer], now)
    at.say(
        f"Policy {changed.number} is in force; leaf {changed.leaf_index} of the public log says so. Give the new "
        "policy.txt to whoever checks this log.",
        {"number": changed.number, "leaf": changed.leaf_index, "sha256": sha256_hex(text)},
    )
