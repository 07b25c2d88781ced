"""Nobody confirms an account, a category or a number by computing the digests of all that it could be.

Each attack is also run on a digest that was made without a random nonce, where it succeeds.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

import sabotage
from abuse.guessing import USUAL, ZEROS, Guess, Knowledge, category_sets, confirmed, fields_of, held
from desk.test_erasing import erase, finished
from dueprocess.cases.receive import order_reference
from dueprocess.demand import Period, Scope, ScopeItem, Target, expand
from dueprocess.desk.receipts import receipt
from dueprocess.history.append import load_case
from dueprocess.plan import compile_plan
from dueprocess.tlog.receipt import parse_receipt
from dueprocess.tlog.record import FIELDS, field_digest, salt
from dueprocess.tlog.subjects import prove_subject, subjects_root
from dueprocess.wire import parse_instant, sha256_hex, unhex
from office import EVA, FINN, Office

ACCOUNTS = [EVA, FINN, *(f"@user{number}:chat.example" for number in range(10_000))]
PAPER = "We order that all records of the account {} are produced."


def under(folder: Path) -> bytes:
    """Everything in a folder, names too."""
    return b"\n".join(
        each.name.encode() + b"\n" + each.read_bytes() for each in folder.rglob("*") if each.is_file()
    )


def database() -> bytes:
    """Every row of every table, as its thief reads it."""
    return repr(sabotage.snapshot()).encode()


def knowledge(office: Office, case_id: str, own: str) -> Knowledge:
    """What anyone may know who has read the events: the window of the authorised scope is in them."""
    narrowed = next(each for each in load_case(case_id).events if each.kind == "ScopeNarrowed")
    period = Period(parse_instant(narrowed.text("from")), parse_instant(narrowed.text("until")))
    return Knowledge(period, office.desk.datamap, PAPER, own)


def guesses(known: Knowledge, digests: frozenset[bytes], truth: str) -> Iterator[Guess]:
    """All accounts under the usual nonces; the true one under everything that is held; all sets of categories."""
    permitted = frozenset(expand(["subscriber.identity", "subscriber.service", "session.times", "traffic"]))
    for account in ACCOUNTS:
        yield from known.people(account, ZEROS)
        yield from islice(known.scopes(account, permitted, ZEROS), 2)
    for nonce in (*USUAL, *digests):
        yield from known.people(truth, nonce)
        yield from known.lists(truth, nonce)
        yield from known.scopes(truth, permitted, nonce)
        yield from known.numbers(nonce)
    for categories in category_sets(sorted(expand(["subscriber", "session", "traffic", "location"]))):
        for nonce in USUAL:
            yield from islice(known.scopes(truth, categories, nonce), 2)


@pytest.fixture
def two_told(office: Office) -> tuple[Office, str]:
    """One demand about Eva and Finn, decided for both, and both told."""
    case_id = office.assessed_case(accounts=(EVA, FINN))
    office.decide(case_id, "t1")
    office.decide(case_id, "t2")
    office.wait(hours=30)
    assert {each.kind for each in load_case(case_id).events} >= {"UserNotified"}
    return office, case_id


@pytest.mark.slow
@pytest.mark.stage("brisk")
def test_a_user_cannot_find_out_who_else_is_named(two_told: tuple[Office, str]) -> None:
    """Eva has her receipts, her letters and the whole public log; Finn, his scope and the number stay unconfirmed."""
    office, case_id = two_told
    place = office.desk.installation
    known = knowledge(office, case_id, EVA)
    mine = receipt(office.desk, load_case(case_id), "t1", "user")
    letters = [under(each) for each in place.outbox.glob(f"{case_id[:8]}-t1-*")]
    assert letters
    assert b"@finn" not in mine + b"".join(letters)
    digests = held(mine, *letters, under(place.log), under(place.public))
    assert len(digests) > 100
    assert confirmed(digests, guesses(known, digests, FINN)) == set()
    opened = parse_receipt(mine).records[-1].opening
    event = load_case(case_id).events[-1].sha256
    counts = fields_of("accounts", range(1, 129), [*USUAL, *digests], event)
    assert confirmed(opened.digests, counts) == set()


@pytest.mark.slow
@pytest.mark.stage("brisk")
def test_the_same_attack_succeeds_where_a_nonce_is_missing(two_told: tuple[Office, str]) -> None:
    """A scope, a plan, a paper's reference, a list of subjects, a salt: without randomness each is confirmed."""
    office, case_id = two_told
    known = knowledge(office, case_id, EVA)
    categories = frozenset(expand(["subscriber.identity", "subscriber.service", "session.times", "traffic"]))
    item = ScopeItem(Target("account", FINN), categories, known.period)
    planted = {
        f"scope {FINN}": unhex(Scope(ZEROS, (item,)).sha256),
        f"plan {FINN}": unhex(compile_plan(item, known.datamap, nonce=ZEROS).plan_sha256),
        f"order_ref {FINN}": unhex(order_reference(ZEROS, sha256_hex(PAPER.format(FINN).encode()))),
        f"subjects {FINN}": subjects_root(ZEROS, (EVA, FINN)),
        f"subject {FINN}": prove_subject(ZEROS, (EVA, FINN), FINN).salt,
        "accounts 2": field_digest("accounts", 2, salt(ZEROS, FIELDS.index("accounts"))),
    }
    assert confirmed(planted.values(), guesses(known, frozenset(), FINN)) == set(planted)


@pytest.mark.slow
@pytest.mark.stage("brisk")
def test_the_neighbour_in_a_proof_is_not_told_from_padding(two_told: tuple[Office, str]) -> None:
    """Whatever stands beside Eva's leaf in the tree of subjects: no account explains it, and pads look the same."""
    office, case_id = two_told
    mine = parse_receipt(receipt(office.desk, load_case(case_id), "t1", "user"))
    proof = next(each.subject for each in mine.records if each.subject is not None)
    salts = (proof.salt, *USUAL, *held(receipt(office.desk, load_case(case_id), "t1", "user")))
    known = knowledge(office, case_id, EVA)
    near = (guess for each in salts for guess in (*known.people(FINN, each), *known.lists(FINN, each)))
    assert confirmed(proof.path, near) == set()
    all_names = (guess for name in ACCOUNTS for guess in known.people(name, proof.salt))
    assert confirmed(proof.path, all_names) == set()
    # Another office's demand about Eva alone has a proof of the same shape.
    alone = prove_subject(b"s" * 32, [EVA], EVA)
    assert (len(alone.path), len(alone.salt)) == (len(proof.path), len(proof.salt))


@pytest.mark.slow
@pytest.mark.stage("produced")
def test_after_erasure_nothing_that_is_left_confirms_the_account(office: Office) -> None:
    """With every row of the database, the kept openings and the public log, Eva cannot be told from 10,000 others."""
    case_id, place = finished(office), office.desk.installation
    known = knowledge(office, case_id, "@mallory:chat.example")
    letters = [each.read_text() for each in place.outbox.glob(f"{case_id[:8]}-t1-*/notice.txt")]
    assert all(EVA in each for each in letters)
    erase(office, case_id)
    assert sabotage.rows("erased")
    digests = held(database(), under(place.log), under(place.public), under(place.outbox))
    assert EVA.encode() not in database() + under(place.outbox)
    assert confirmed(digests, guesses(known, digests, EVA)) == set()
    written = (
        (f"letter {name}", unhex(sha256_hex(each.replace(EVA, name).encode())))
        for name in ACCOUNTS
        for each in letters
    )
    assert confirmed(digests, written) == set(), "a letter without a nonce names its reader for ever"


@pytest.mark.stage("brisk")
def test_the_digest_of_a_paper_confirms_a_paper_that_can_be_guessed(office: Office) -> None:
    """A known limit, and why papers must not be written by a template: history keeps the paper's plain digest."""
    case_id = office.receive(PAPER.format(FINN))
    office.close(case_id)
    office.wait(hours=6)
    erase(office, case_id, "received-in-error")
    papers = [(name, unhex(sha256_hex(PAPER.format(name).encode()))) for name in ACCOUNTS]
    assert confirmed(held(database()), papers) == {FINN}
    place = office.desk.installation
    assert confirmed(held(under(place.log), under(place.public)), papers) == set()
