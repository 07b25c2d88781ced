"""Two people decide about the log: history keeps it, the public log and the policy file say it, also after a crash."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import sabotage
from abuse.outsider import WILMA, WOLF, ask_for, policy_of, show, wait
from dueprocess.cases.logrules import policy_document, waiver_document
from dueprocess.cli import policy as policy_commands
from dueprocess.cli import unwitnessed
from dueprocess.cli.place import Place
from dueprocess.desk import logrules
from dueprocess.desk.filekeys import FileKey
from dueprocess.errors import DueprocessError
from dueprocess.history import ledger
from dueprocess.tlog.leaf import IncidentLeaf, PolicyLeaf, parse_leaf
from dueprocess.wire import b64, instant, sha256_hex
from office import Office

pytestmark = pytest.mark.stage("brisk")

DAY = dt.timedelta(days=1)


def two(office: Office) -> list[FileKey]:
    return [office.people["boris"], office.people["chi"]]


def code_of(act: Callable[[], object]) -> str:
    """The code of the refusal; not one row is another afterwards."""
    before = sabotage.snapshot()
    with pytest.raises(DueprocessError) as caught:
        act()
    assert sabotage.snapshot() == before
    return caught.value.code


def leaf(index: int) -> object:
    return parse_leaf(ledger.entries(index, index + 1)[0].encode())


def test_a_changed_policy_is_in_history_in_the_log_and_in_its_file(office_on: Office) -> None:
    """One number up, the digest of its text in a public leaf, the file for others replaced."""
    text = policy_of(office_on, WILMA)
    changed = logrules.change_policy(office_on.desk, text, two(office_on), office_on.now)
    found = leaf(changed.leaf_index)
    assert isinstance(found, PolicyLeaf)
    assert (changed.number, changed.fresh) == (found.number, True) == (2, True)
    assert (found.witness_policy_sha256, found.in_force_on) == (sha256_hex(text), office_on.now.date())
    assert office_on.desk.installation.policy.read_bytes() == text == office_on.desk.policy_text
    assert [each.quorum for each in office_on.desk.policies] == ["none", "witnesses"]
    again = lambda: logrules.change_policy(office_on.desk, text, two(office_on), office_on.now)  # noqa: E731
    assert code_of(again) == "policy-in-force"


@pytest.mark.parametrize("kept", ["history alone", "history and leaf"])
def test_a_change_of_policy_that_was_interrupted_is_finished(office: Office, kept: str) -> None:
    """The same command again writes what is missing and decides nothing twice."""
    text = policy_of(office, WILMA)
    if kept == "history alone":
        document = policy_document(
            origin=office.desk.pins.origin, number=2, policy=text, nonce=b64(bytes(32))
        )
        logrules.decide(office.desk, "PolicyChanged", document, two(office), office.now)
    else:
        logrules.change_policy(office.desk, text, two(office), office.now)
        office.desk.installation.policy.write_text("cut off")
    changed = logrules.change_policy(office.desk, text, two(office), office.now)
    assert (changed.number, changed.fresh) == (2, False)
    assert office.desk.installation.policy.read_bytes() == text
    leaves = [parse_leaf(entry.encode()) for entry in ledger.entries(0, 10**6)]
    assert [each.number for each in leaves if isinstance(each, PolicyLeaf)] == [1, 2]


def test_a_policy_that_cannot_work_is_refused_before_anything_is_written(
    office: Office, tmp_path: Path
) -> None:
    """Without the log's own keys, with an address that nobody may ask, by one person, or no policy at all."""
    good = policy_of(office, WILMA)
    asked = office.now

    def change(text: bytes, *signers: FileKey) -> str:
        return code_of(lambda: logrules.change_policy(office.desk, text, list(signers) or two(office), asked))

    first = good.index(b"\n") + 1
    assert change(good[first:]) == "other-log-keys"
    assert change(good.replace(b"http://127.0.0.1:9/", b"http://witness.example/")) == "bad-address"
    assert change(good, office.people["boris"]) == "two-people"
    assert change(good, office.people["boris"], office.people["ana"]) == "wrong-role"
    assert change(b"witness") == "cut-off"


def test_a_waiver_that_was_interrupted_is_finished(office: Office) -> None:
    """Two people signed; the public log's entry was still missing, and the same command writes it."""
    ask_for(office, WILMA)
    wait(office, hours=30)
    until = office.now + DAY
    rules = office.desk.log_rules()
    made = logrules._waiver(rules, until, office.now)  # noqa: SLF001  what the command draws up before it is killed
    document = waiver_document(made, origin=office.desk.pins.origin, nonce=b64(bytes(32)))
    logrules.decide(office.desk, "WitnessesWaived", document, two(office), office.now)
    waived = logrules.waive_witnesses(office.desk, until, two(office), office.now)
    assert leaf(waived.leaf_index) == IncidentLeaf("witness-lost", *waived.epochs)
    assert office.desk.waived(office.now)
    again = lambda: logrules.waive_witnesses(office.desk, until, two(office), office.now)  # noqa: E731
    assert code_of(again) == "already-unwitnessed"
    other = lambda: logrules.waive_witnesses(office.desk, until + DAY, two(office), office.now)  # noqa: E731
    assert code_of(other) == "already-unwitnessed"


def test_the_day_without_witnesses_counts_by_their_own_clocks(office: Office) -> None:
    """By the newest kept head, also where it was witnessed under an older policy; never seen counts from the change."""
    ask_for(office, WILMA)
    wait(office, WILMA, hours=12)
    seen = office.now
    logrules.change_policy(office.desk, policy_of(office, WOLF), two(office), office.now)
    head = ledger.head()
    assert head is not None
    assert logrules.last_witnessed(office.desk.log_rules(), head.size) == seen
    assert logrules.last_witnessed(office.desk.log_rules(), 1) is None
    show(office, WOLF, at=office.now + dt.timedelta(minutes=1))
    assert logrules.last_witnessed(office.desk.log_rules(), head.size) == seen + dt.timedelta(minutes=1)


def test_the_commands_say_what_they_did_and_what_it_means(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """`policy change`, `policy show` and `unwitnessed`, in words and as JSON."""
    keys = [office.root.parent / "people" / f"{name}.json" for name in ("boris", "chi")]
    words, machine = Place(office.root), Place(office.root, json=True)
    file = office.root.parent / "new-policy.txt"
    file.write_bytes(policy_of(office, WILMA))
    policy_commands.change_command(file=file, signer=keys, place=words)
    assert "Policy 2 is in force" in capsys.readouterr().out
    policy_commands.show_command(place=words)
    shown = capsys.readouterr().out
    assert file.read_text().strip() in shown
    assert "policy 1 " in shown
    policy_commands.show_command(place=machine)
    assert json.loads(capsys.readouterr().out)["number"] == 2
    wait(office, hours=24)
    until = instant(office.now + DAY)
    unwitnessed.unwitnessed_command(until=until, signer=keys, place=words)
    told = capsys.readouterr().out
    assert f"Until {until}" in told
    assert "No witness was ever seen." in told
    assert "you could show different people different logs" in told
    missing = lambda: policy_commands.change_command(file=file.with_name("none"), signer=keys, place=words)  # noqa: E731
    assert code_of(missing) == "no-policy-file"
