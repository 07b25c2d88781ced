"""Abuse of the gate through witnesses, their times, policies and waivers, and through people's waiting times.

Each attack begins at a case of which production is due in an office whose policy asks for a witness. Sources:
security.md 2.6 (abuse 18, 20, 21, 24), formats.md "Gate".
"""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import sabotage
from abuse.attack import inject, parcels, refusal
from abuse.outsider import WENDY, WILMA, WOLF, Outsider, ask_for, policy_of, show, wait
from abuse.test_gate_log import rewritten, set_back
from dueprocess.cases.events import Draft
from dueprocess.cases.logrules import VERDICTS, Waiver, policy_document, waiver_document
from dueprocess.desk import decisions, demands, gatekeeping, logrules, rosters, setup
from dueprocess.desk.desk import open_desk
from dueprocess.desk.filekeys import FileKey, make_key
from dueprocess.errors import DueprocessError
from dueprocess.history import ledger
from dueprocess.history.append import load_case
from dueprocess.publication.signer import LogSigner
from dueprocess.tlog.checkpoint import parse_checkpoint
from dueprocess.tlog.leaf import IncidentLeaf, parse_leaf
from dueprocess.tlog.note import parse_note
from dueprocess.tlog.policy import format_policy
from dueprocess.wire import Json, b64
from office import Office
from sabotage import rows

pytestmark = pytest.mark.stage("ready")

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def watched(office: Office) -> Office:
    """The ready office with a witness, who has seen every head for 30 hours."""
    ask_for(office, WILMA)
    wait(office, WILMA, hours=30)
    return office


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(DueprocessError) as caught:
        act()
    return caught.value.code


def two(office: Office) -> list[FileKey]:
    return [office.people["boris"], office.people["chi"]]


def body_of(kind: str) -> dict[str, Json]:
    """The body of the newest event of a kind."""
    found: dict[str, Json] = json.loads([row for row in rows("event") if row["kind"] == kind][-1]["body"])
    return found


# ----------------------------------------------------------------------------------------- with a witness


def test_with_its_witness_the_office_produces_and_hands_over(watched: Office, tmp_path: Path) -> None:
    """Each refusal below comes from its attack; both steps say for ever that the head was witnessed."""
    proved = watched.produce(watched.cases[0]).proved
    assert any(line.endswith("leaves, witnessed.") for line in proved)
    wait(watched, WILMA, hours=6)
    watched.deliver(watched.cases[0], tmp_path / "answer.age")
    assert body_of("ProductionStarted")["witnessed"] is True
    assert body_of("DeliveryStarted")["witnessed"] is True


def publish_alone(office: Office) -> None:
    """The operator publishes its newest head with its own signatures alone."""
    head = ledger.head()
    assert head is not None
    (office.desk.installation.log / "checkpoint").write_text(head.checkpoint)


def test_an_unwitnessed_head_is_refused(watched: Office) -> None:
    """The log's own two signatures are not enough where the policy asks for a witness."""
    publish_alone(watched)
    assert refusal(watched).code == "not-witnessed"


def test_a_stranger_is_no_witness(watched: Office) -> None:
    """A cosignature by a key that the policy does not name counts for nothing."""
    head = ledger.head()
    assert head is not None
    note = head.checkpoint.encode()
    path = watched.desk.installation.log / "checkpoint"
    path.write_bytes(note + Outsider("mallory").line(note, watched.now))
    assert refusal(watched).code == "not-witnessed"


def test_half_a_quorum_is_refused(office: Office) -> None:
    """Two of three are asked for: with two it goes on, with one it does not."""
    ask_for(office, WILMA, WOLF, WENDY, need=2)
    wait(office, WILMA, WENDY, hours=30)
    gatekeeping.prove(office.desk, office.cases[0])
    office.wait(hours=6)
    show(office, WOLF)
    assert refusal(office).code == "not-witnessed"
    show(office, WOLF, WENDY)
    office.produce(office.cases[0])


def test_a_head_that_only_one_of_two_saw_lately_is_as_old_as_the_second_time(office: Office) -> None:
    """A bought witness that signs an old head anew does not make it fresh: the quorum's time counts."""
    ask_for(office, WILMA, WOLF, need=2)
    wait(office, WILMA, WOLF, hours=30)
    head = ledger.head()
    assert head is not None
    note = head.checkpoint.encode()
    office.now += 18 * HOUR
    lines = WILMA.line(note, office.now) + WOLF.line(note, office.now - 18 * HOUR)
    (office.desk.installation.log / "checkpoint").write_bytes(note + lines)
    assert refusal(office).code == "log-stale"


def test_a_witnessed_head_that_stays_behind_is_stale(watched: Office) -> None:
    """Witnesses silent for 18 hours: the last head they saw could hide what came since."""
    wait(watched, hours=18)
    assert refusal(watched).code == "log-stale"


def test_a_witness_silent_for_one_epoch_stops_nothing(watched: Office) -> None:
    """Epochs that only the database knows yet are read with it, and seal nothing."""
    watched.wait(hours=6)
    watched.produce(watched.cases[0])
    assert body_of("ProductionStarted")["witnessed"] is True


@pytest.mark.parametrize(("off", "code"), [(6 * HOUR, "log-ahead"), (-2 * DAY, "log-stale")])
def test_a_witness_whose_clock_is_wrong_is_not_believed(
    watched: Office, off: dt.timedelta, code: str
) -> None:
    """A time in the future or in the past, well signed."""
    watched.wait(hours=6)
    show(watched, WILMA, at=watched.now + off)
    assert refusal(watched).code == code


@pytest.mark.parametrize(("off", "code"), [(-3 * DAY, "log-ahead"), (3 * DAY, "log-stale")])
def test_an_operator_whose_clock_is_wrong_is_not_believed(
    watched: Office, off: dt.timedelta, code: str
) -> None:
    """A machine set three days back or forward differs from what its witness says."""
    watched.now += off
    assert refusal(watched).code == code


# ----------------------------------------------------------------------------------------- waiting times


def approved_by_a_newcomer(office: Office, *outsiders: Outsider) -> None:
    """Dana is enrolled, a day passes before these witnesses, then she approves; then everybody sees everything."""
    dana = office.people["dana"]
    document = setup.staff_document("dana", dana.public, dana.credential, ["reviewer"])
    rosters.enrol(office.desk, document, two(office), office.now)
    wait(office, *outsiders, hours=30)
    show(office, WILMA)
    case_id = office.cases[0]
    demands.narrow(office.desk, case_id, "t1", demands.Choice(), actor="boris", now=office.now)
    decisions.propose(office.desk, case_id, "t1", office.people["boris"], role="reviewer", now=office.now)
    decisions.approve(office.desk, case_id, "t1", dana, role="reviewer", now=office.now)
    wait(office, WILMA, hours=42)


def test_a_newcomer_whom_the_witnesses_saw_in_time_may_sign(watched: Office) -> None:
    """Thirty hours before her signature the witness had seen the enrolment."""
    approved_by_a_newcomer(watched, WILMA)
    watched.produce(watched.cases[0])


def test_a_newcomer_whom_the_witnesses_saw_only_just_has_no_power(watched: Office) -> None:
    """An enrolment kept from the witnesses during its cooling-off begins its wait when they see it."""
    approved_by_a_newcomer(watched)
    error = refusal(watched)
    assert error.code == "signer-new"
    assert "dana" in error.what


def test_a_witness_that_dates_an_enrolment_back_gains_nothing(watched: Office) -> None:
    """Nothing was seen before its epoch was closed, whatever time was signed."""
    dana = watched.people["dana"]
    document = setup.staff_document("dana", dana.public, dana.credential, ["reviewer"])
    enrolled = rosters.enrol(watched.desk, document, two(watched), watched.now)
    watched.wait(hours=6)
    show(watched, WILMA, at=watched.now - 5 * DAY)
    wait(watched, WILMA, hours=6)
    seen = gatekeeping.prove(watched.desk, watched.cases[0]).log.roster_sealed_at[enrolled.case_seq]
    assert seen == watched.now - 6 * HOUR


def test_a_witness_that_dates_a_signature_ahead_gains_nothing(watched: Office) -> None:
    """Nothing was seen after the newest head was."""
    case_id = watched.cases[0]
    demands.narrow(watched.desk, case_id, "t1", demands.Choice(), actor="boris", now=watched.now)
    watched.wait(hours=6)
    show(watched, WILMA, at=watched.now + 30 * DAY)
    wait(watched, WILMA, hours=6)
    log = gatekeeping.prove(watched.desk, case_id).log
    assert max(log.sealed_at.values()) == log.head_at == watched.now


def test_a_witness_that_was_replaced_gives_no_times_any_more(watched: Office) -> None:
    """A head that holds the change of policy counts by the new witness alone, however early the old one signs."""
    keys, case_id = two(watched), watched.cases[0]
    logrules.change_policy(watched.desk, policy_of(watched, WOLF), keys, watched.now)
    show(watched, WOLF)
    wait(watched, WOLF, hours=6)
    demands.narrow(watched.desk, case_id, "t1", demands.Choice(), actor="boris", now=watched.now)
    narrowed = load_case(case_id).events[-1].case_seq
    watched.wait(hours=6)
    head = ledger.head()
    assert head is not None
    note = head.checkpoint.encode()
    ledger.keep_cosigned(head.size, (note + WILMA.line(note, watched.now)).decode())
    wait(watched, hours=12)
    show(watched, WOLF)
    assert gatekeeping.prove(watched.desk, case_id).log.sealed_at[narrowed] == watched.now


def test_the_time_to_object_begins_when_the_witnesses_see_the_letter(watched: Office) -> None:
    """A letter that is in the tables for long and that no witness saw has given nobody any time."""
    case_id = watched.cases[0]
    demands.narrow(watched.desk, case_id, "t1", demands.Choice(), actor="boris", now=watched.now)
    decisions.propose(watched.desk, case_id, "t1", watched.people["boris"], role="reviewer", now=watched.now)
    decisions.approve(watched.desk, case_id, "t1", watched.people["chi"], role="reviewer", now=watched.now)
    wait(watched, hours=48)
    show(watched, WILMA)
    error = refusal(watched)
    assert (error.code, "by the clocks of the witnesses" in error.what) == ("notice-window", True)
    wait(watched, WILMA, hours=24)
    watched.produce(case_id)


# ----------------------------------------------------------------------------------------- rollback and fork


@pytest.mark.parametrize("database_too", ["database and files", "files alone"])
def test_a_witnessed_log_that_was_set_back_is_refused(
    watched: Office, tmp_path: Path, database_too: str
) -> None:
    """An older head with good cosignatures is still older than the one that the worker saw."""
    log = watched.desk.installation.log
    shutil.copytree(log, tmp_path / "log")
    before = sabotage.snapshot()
    wait(watched, WILMA, hours=6)
    gatekeeping.prove(watched.desk, watched.cases[0])
    shutil.rmtree(log)
    shutil.copytree(tmp_path / "log", log)
    if database_too == "database and files":
        set_back(before)
    assert refusal(watched).code == "log-rolled-back"


@pytest.mark.parametrize("forgetful", ["the worker remembers", "the worker forgot"])
def test_a_fork_of_a_witnessed_log_is_refused(watched: Office, forgetful: str) -> None:
    """Signed by the log and by a bought witness, whole in itself: the older cosigned heads contradict it."""
    gatekeeping.prove(watched.desk, watched.cases[0])
    rewritten(watched)
    with sabotage.unguarded():
        sabotage.delete("cosigned", rows("cosigned")[-1])
    show(watched, WILMA)
    if forgetful == "the worker forgot":
        (watched.desk.installation.worker / "seen-checkpoint").unlink()
    code = {"the worker remembers": "log-rewritten", "the worker forgot": "log-forked"}[forgetful]
    assert refusal(watched).code == code


def test_what_the_worker_remembers_cannot_be_exchanged_for_another_log(
    watched: Office, tmp_path: Path
) -> None:
    """A remembered head that the log never signed is no memory."""
    gatekeeping.prove(watched.desk, watched.cases[0])
    path = watched.desk.installation.worker / "seen-checkpoint"
    other = LogSigner.create(watched.desk.pins.origin, tmp_path)
    path.write_text(other.sign(parse_checkpoint(parse_note(path.read_bytes()).text), watched.now))
    assert refusal(watched).code == "seen-altered"


# ----------------------------------------------------------------------------------------- policies


def test_a_policy_file_for_others_is_nothing_that_the_gate_believes(watched: Office) -> None:
    """Whoever exchanges public/policy.txt fools nobody but its readers."""
    watched.desk.installation.policy.write_bytes(policy_of(watched, need=0))
    publish_alone(watched)
    assert refusal(watched).code == "not-witnessed"


def pinned(office: Office, policy: bytes) -> None:
    path = office.desk.installation.worker / "pins.json"
    pins = json.loads(path.read_text())
    path.write_text(json.dumps({**pins, "policy": policy.decode()}))
    office.desk = open_desk(office.root)


def test_an_exchanged_pinned_policy_is_refused(office: Office, tmp_path: Path) -> None:
    """With another key of the log beside the own ones, and a head signed by that key: the log's first leaf differs."""
    place = office.desk.installation
    intruder = LogSigner.create(place.origin, tmp_path)
    pinned(office, format_policy([*LogSigner.open(place.origin, place.keys).vkeys, *intruder.vkeys]))
    assert refusal(office).code == "policy-differs"
    path = place.log / "checkpoint"
    path.write_text(intruder.sign(parse_checkpoint(parse_note(path.read_bytes()).text), office.now))
    assert refusal(office).code == "policy-differs"


def test_a_pinned_policy_with_an_invented_witness_is_refused(office: Office) -> None:
    """A witness of the attacker's own, well cosigned by it."""
    pinned(office, policy_of(office, Outsider("mallory")))
    show(office, Outsider("mallory"))
    assert refusal(office).code == "policy-differs"


def test_witnesses_cannot_be_forgotten_with_the_policy_that_named_them(watched: Office) -> None:
    """The worker has seen a head with Wilma's name on it; without any policy that names her it refuses."""
    gatekeeping.prove(watched.desk, watched.cases[0])
    seen = watched.desk.installation.worker / "seen-checkpoint"
    note = seen.read_bytes()
    seen.write_bytes(note + Outsider("mallory").line(note, watched.now))
    assert refusal(watched).code == "witnesses-gone"


def decision(office: Office, kind: str, document: dict[str, Json], *signers: FileKey) -> Draft:
    """A decision about the log as anybody with the database and these keys can write it."""
    given: list[Json] = [
        each.sign(office.desk.pins.origin, document, role="reviewer", verdict=VERDICTS[kind]).as_json()
        for each in signers
    ]
    return Draft(kind, {"document": document, "signatures": given})


def other_policy(office: Office, origin: str | None = None) -> dict[str, Json]:
    return policy_document(
        origin=origin or office.desk.pins.origin,
        number=3,
        policy=policy_of(office, need=0),
        nonce=b64(bytes(32)),
    )


def waiver_for(office: Office, *, last: dt.datetime | None, origin: str | None = None) -> dict[str, Json]:
    waiver = Waiver(office.now, office.now + 7 * DAY, 10**6, last)
    return waiver_document(waiver, origin=origin or office.desk.pins.origin, nonce=b64(bytes(32)))


DOCUMENTS: dict[str, Callable[[Office, str | None], dict[str, Json]]] = {
    "PolicyChanged": other_policy,
    "WitnessesWaived": lambda office, origin: waiver_for(office, last=office.now - 2 * DAY, origin=origin),
}


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize("who", ["one person", "one person twice", "invented people", "for another log"])
def test_a_decision_about_the_log_that_was_only_inserted_is_refused(
    watched: Office, kind: str, who: str
) -> None:
    """A policy without witnesses or a waiver, sealed like any other event, but signed by too few or by nobody."""
    boris, chi = two(watched)
    mallory = make_key("mallory", watched.root.parent / "mallory.json")
    trudy = make_key("trudy", watched.root.parent / "trudy.json")
    signers, code = {
        "one person": ((boris,), "two-people"),
        "one person twice": ((boris, boris), "two-people"),
        "invented people": ((mallory, trudy), "unknown-signer"),
        "for another log": ((boris, chi), "other-log"),
    }[who]
    origin = "other.example/dueprocess/1" if who == "for another log" else None
    inject(watched, watched.desk.stream, decision(watched, kind, DOCUMENTS[kind](watched, origin), *signers))
    publish_alone(watched)
    assert refusal(watched).code == code


def test_a_policy_that_two_people_signed_and_nobody_published_is_refused(watched: Office) -> None:
    """Without its leaf in the public log a change of the policy would be a secret."""
    inject(
        watched, watched.desk.stream, decision(watched, "PolicyChanged", other_policy(watched), *two(watched))
    )
    assert refusal(watched).code == "policy-differs"


def test_two_people_can_give_their_witnesses_up_and_everybody_sees_it(watched: Office) -> None:
    """The same change by its command: the log has a leaf with the new policy, and the answer is marked for ever."""
    changed = logrules.change_policy(watched.desk, policy_of(watched, need=0), two(watched), watched.now)
    assert changed.number == 3
    watched.wait(hours=6)
    watched.produce(watched.cases[0])
    assert body_of("ProductionStarted")["witnessed"] is False


# ----------------------------------------------------------------------------------------- waivers


def silent(office: Office, hours: int = 30) -> None:
    wait(office, hours=hours)


def test_after_a_day_two_people_let_work_go_on_and_it_is_marked(watched: Office, tmp_path: Path) -> None:
    """Produced and handed over without a witness, said in both events, in what was proved and in the public log."""
    last = watched.now
    silent(watched)
    waived = logrules.waive_witnesses(watched.desk, watched.now + 3 * DAY, two(watched), watched.now)
    assert waived.waiver.last_witnessed_at == last
    leaf = parse_leaf(ledger.entries(waived.leaf_index, waived.leaf_index + 1)[0].encode())
    assert leaf == IncidentLeaf("witness-lost", *waived.epochs)
    proved = watched.produce(watched.cases[0]).proved
    assert any("not witnessed (two people let work go on without)" in line for line in proved)
    watched.wait(hours=6)
    watched.deliver(watched.cases[0], tmp_path / "answer.age")
    assert body_of("ProductionStarted")["witnessed"] is False
    assert body_of("DeliveryStarted")["witnessed"] is False


def test_a_waiver_ends(watched: Office) -> None:
    """One epoch longer than two people said, and nothing goes any more."""
    silent(watched)
    logrules.waive_witnesses(watched.desk, watched.now + 12 * HOUR, two(watched), watched.now)
    watched.wait(hours=6)
    gatekeeping.prove(watched.desk, watched.cases[0])
    watched.wait(hours=6)
    assert refusal(watched).code == "not-witnessed"


def test_a_waiver_before_its_day_is_refused(watched: Office) -> None:
    """By the command and, with two real signatures, past it."""
    silent(watched, 18)
    asked = watched.now + DAY
    assert (
        code_of(lambda: logrules.waive_witnesses(watched.desk, asked, two(watched), watched.now))
        == "witnesses-seen"
    )
    early = waiver_for(watched, last=watched.now - 18 * HOUR)
    inject(watched, watched.desk.stream, decision(watched, "WitnessesWaived", early, *two(watched)))
    publish_alone(watched)
    assert refusal(watched).code == "witnesses-seen"


def test_a_waiver_that_hides_a_witnessed_head_is_refused(watched: Office) -> None:
    """Two people sign that nobody was seen for two days; the kept cosignatures say 18 hours."""
    silent(watched, 18)
    lie = waiver_for(watched, last=watched.now - 2 * DAY)
    inject(watched, watched.desk.stream, decision(watched, "WitnessesWaived", lie, *two(watched)))
    waiver = watched.desk.log_rules().waiver
    assert waiver is not None
    watched.desk.log().add(IncidentLeaf("witness-lost", *waiver.epochs(6 * 3600)), watched.now)
    assert refusal(watched).code == "waiver-differs"


def test_a_waiver_that_nobody_can_see_is_refused(watched: Office) -> None:
    """Going on unwitnessed is marked in the public log first, else it could be denied."""
    silent(watched)
    waiver = waiver_for(watched, last=watched.now - 30 * HOUR)
    inject(watched, watched.desk.stream, decision(watched, "WitnessesWaived", waiver, *two(watched)))
    watched.wait(hours=6)
    assert refusal(watched).code == "waiver-not-public"


def test_a_waiver_is_no_licence_for_old_heads(watched: Office) -> None:
    """Unwitnessed heads have to be fresh as well, and grow from what the worker saw."""
    silent(watched)
    logrules.waive_witnesses(watched.desk, watched.now + 5 * DAY, two(watched), watched.now)
    watched.now += DAY
    assert refusal(watched).code == "log-stale"


def test_nothing_was_produced_by_any_of_this(watched: Office) -> None:
    """The fixture itself makes no parcel, so that `refusal` compares with nothing."""
    assert parcels(watched) == []
