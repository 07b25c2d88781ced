"""Who may act is history: each enrolment chains to the founders by two people's words, or gives no power."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import BrokenError, DueprocessError, MalformedError, RefusedError
from dueprocess.roster import (
    COOLING_OFF,
    STAFF_ROLES,
    Chain,
    Entry,
    Roster,
    Signature,
    Verdict,
    check,
    entry_document,
    fingerprint,
    founding_digest,
    message,
)
from dueprocess.wire import Json, b64, lp, sha256

ORIGIN = "chat.example/dueprocess/1"
START = dt.datetime(2026, 9, 1, 8, tzinfo=dt.UTC)
LATER = START + 2 * COOLING_OFF


@dataclass(frozen=True, slots=True)
class Person:
    """A name with a key derived from it and, where somebody has two keys, from a number."""

    name: str
    key: int = 0

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(sha256(f"{self.name}{self.key}".encode()))

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def credential(self) -> str:
        return fingerprint(self.public)

    def sign(
        self, document: dict[str, Json], verdict: Verdict = "enrol", role: str = "reviewer"
    ) -> Signature:
        signed = message(ORIGIN, document, role=role, verdict=verdict, credential=self.credential)
        return Signature(self.name, self.credential, role, verdict, self.private.sign(signed))

    def paper(self, roles: tuple[str, ...] = STAFF_ROLES, **changes: Any) -> dict[str, Json]:
        made = entry_document(
            "staff", self.name, public_key=b64(self.public), credential=self.credential, roles=roles, about={},
            nonce=b64(bytes(32)),
        )  # fmt: skip
        return {**made, **changes}

    def end(self, verdict: str) -> dict[str, Json]:
        return {"v": 1, "verdict": verdict, "credential": self.credential, "nonce": b64(bytes(32))}


ANA, BORIS, CHI, DANA, EVE = (Person(name) for name in ("ana", "boris", "chi", "dana", "eve"))
FOUNDERS = [BORIS.paper(), CHI.paper()]
ROOT = founding_digest(FOUNDERS)


def court(age: str = "age1court", who: str = "a-court") -> dict[str, Json]:
    """The paper that enrols an authority."""
    return entry_document(
        "authorities", who, public_key="", credential=sha256(age.encode()).hex()[:32], roles=(),
        about={"class": "court", "age": age}, nonce=b64(bytes(32)),
    )  # fmt: skip


def _words(paper: dict[str, Json], *signers: Person, verdict: Verdict = "enrol") -> list[Signature]:
    return [who.sign(paper, verdict) for who in signers]


def _founded() -> Chain:
    chain = Chain(ORIGIN, ROOT)
    chain.founded(FOUNDERS, [_words(paper, BORIS, CHI) for paper in FOUNDERS], START)
    return chain


def _enrolled(who: Person, *, at: dt.datetime = START, roles: tuple[str, ...] = STAFF_ROLES) -> Chain:
    chain = _founded()
    chain.enrolled(who.paper(roles), _words(who.paper(roles), BORIS, CHI), at)
    return chain


def _code(act: Callable[[], Any]) -> str:
    with pytest.raises(DueprocessError) as caught:
        act()
    return caught.value.code


# ------------------------------------------------------------------ founding


def test_founders_act_from_the_first_day_on() -> None:
    """They are the root: no cooling-off, nobody enrolled them."""
    roster = _founded().roster
    for who in (BORIS, CHI):
        entry = roster.staff(who.credential, START)
        assert (entry.id, entry.founding, entry.enrolled_by) == (who.name, True, ())


def _found(
    documents: list[dict[str, Json]], words: list[list[Signature]], root: str = ROOT
) -> Callable[[], None]:
    return lambda: Chain(ORIGIN, root).founded(documents, words, START)


def test_the_pinned_root_names_the_founders_and_their_order() -> None:
    """Another founder, another key, one fewer or another order is a database that was changed: stop."""
    good = [_words(paper, BORIS, CHI) for paper in FOUNDERS]
    changed = [BORIS.paper(), CHI.paper(public_key=b64(EVE.public))]
    for papers in ([EVE.paper(), *FOUNDERS], FOUNDERS[:1], FOUNDERS[::-1], changed, []):
        with pytest.raises(BrokenError, match="not those that this program was set up with"):
            _found(papers, good[: len(papers)])()


@pytest.mark.parametrize(
    "signers",
    [(BORIS,), (BORIS, BORIS), (BORIS, EVE), ()],
    ids=["one of them", "one of them twice", "a stranger", "nobody"],
)
def test_each_founder_signs_each_founding_entry(signers: tuple[Person, ...]) -> None:
    """A founder's word that is missing, or a stranger's word, breaks the founding."""
    words = [_words(FOUNDERS[0], BORIS, CHI), _words(FOUNDERS[1], *signers)]
    assert _code(_found(FOUNDERS, words)) == "wrong-founders"


def test_a_founders_word_must_be_an_enrolment_under_their_own_name_by_their_own_key() -> None:
    """Another verdict, a borrowed name, or bytes that do not fit are refused."""
    good = _words(FOUNDERS[1], BORIS, CHI)
    for wrong, code in (
        (CHI.sign(FOUNDERS[1], "revoke"), "wrong-founders"),
        (replace(good[1], person="boris"), "wrong-founders"),
        (replace(good[1], value=bytes(64)), "bad-signature"),
    ):
        assert _code(_found(FOUNDERS, [_words(FOUNDERS[0], BORIS, CHI), [good[0], wrong]])) == code


def test_nobody_can_be_founded_twice() -> None:
    """Founding again would bring back whoever was revoked."""
    chain = _founded()
    chain.ended(CHI.end("revoke"), _words(CHI.end("revoke"), BORIS, CHI, verdict="revoke"), START)
    with pytest.raises(BrokenError, match="twice"):
        chain.founded(FOUNDERS, [_words(paper, BORIS, CHI) for paper in FOUNDERS], LATER)
    assert _code(lambda: chain.roster.staff(CHI.credential, LATER)) == "signer-inactive"


# ------------------------------------------------------------------ enrolment


def test_a_newcomer_counts_after_the_cooling_off_and_an_authority_at_once() -> None:
    """24 hours in which an intruder's enrolment is seen before it counts."""
    chain = _enrolled(DANA)
    assert (
        _code(lambda: chain.roster.staff(DANA.credential, START + COOLING_OFF - dt.timedelta(seconds=1)))
        == "signer-inactive"
    )
    entry = chain.roster.staff(DANA.credential, START + COOLING_OFF)
    assert entry.enrolled_by == ("boris", "chi")
    assert not entry.founding
    chain.enrolled(court(), _words(court(), BORIS, CHI), START)
    authority = chain.roster.authority("a-court")
    assert authority is not None
    assert authority.active(START)
    assert authority.about["age"] == "age1court"


def _enrol(
    *signers: Person, chain: Chain | None = None, second: Person | None = None, at: dt.datetime = START
) -> None:
    paper = DANA.paper()
    (chain or _founded()).enrolled(paper, _words(paper, *signers, *([second] if second else [])), at)


def _with_spare() -> None:
    spare = Person("boris", 1)
    chain = _founded()
    chain.enrolled(DANA.paper(), _words(DANA.paper(), BORIS, CHI), START)
    chain.enrolled(spare.paper(), _words(spare.paper(), CHI, DANA), LATER)
    chain.enrolled(ANA.paper(), _words(ANA.paper(), BORIS, spare), LATER + COOLING_OFF)


def _own_spare() -> None:
    paper = Person("boris", 1).paper()
    _founded().enrolled(paper, _words(paper, BORIS, CHI), START)


def _again() -> None:
    chain = _enrolled(DANA)
    chain.enrolled(DANA.paper(("intake",)), _words(DANA.paper(("intake",)), BORIS, CHI), LATER)


def _authority_as_signer() -> Chain:
    chain = _founded()
    paper = EVE.paper(roster="authorities")
    chain.enrolled(paper, _words(paper, BORIS, CHI), START)
    return chain


def _ended(verdict: Verdict) -> Chain:
    chain = _founded()
    chain.ended(CHI.end(verdict), _words(CHI.end(verdict), BORIS, CHI, verdict=verdict), START)
    return chain


ENROLMENTS: list[tuple[str, Callable[[], Any], str]] = [
    ("nobody signed", _enrol, "two-people"),
    ("one person signed", lambda: _enrol(BORIS), "two-people"),
    ("one person signed twice", lambda: _enrol(BORIS, BORIS), "two-people"),
    ("one person signed with two keys", _with_spare, "two-people"),
    ("two invented approvers signed", lambda: _enrol(EVE, Person("mallory")), "unknown-signer"),
    ("an invented approver signed beside a real one", lambda: _enrol(BORIS, EVE), "unknown-signer"),
    ("the newcomer signed", lambda: _enrol(BORIS, DANA), "unknown-signer"),
    ("a known person enrols a second key with their own word", _own_spare, "self-enrolment"),
    ("the key is enrolled already", _again, "credential-known"),
    ("an authority's key signs", lambda: _enrol(BORIS, chain=_authority_as_signer(), second=EVE), "unknown-signer"),
    ("a signer is in the cooling-off", lambda: _enrol(BORIS, ANA, chain=_enrolled(ANA)), "signer-inactive"),
    ("a signer was revoked", lambda: _enrol(BORIS, CHI, chain=_ended("revoke")), "signer-inactive"),
    ("a signer was suspended", lambda: _enrol(BORIS, CHI, chain=_ended("suspend")), "signer-inactive"),
    ("a signer claims a role not held", lambda: _enrol(BORIS, ANA, chain=_enrolled(ANA, roles=("intake",)), at=LATER),
     "wrong-role"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "code"), [row[1:] for row in ENROLMENTS], ids=[row[0] for row in ENROLMENTS])
def test_an_enrolment_needs_two_active_different_people_who_are_not_the_newcomer(
    act: Callable[[], Any], code: str
) -> None:
    """Each row is an enrolment with one thing wrong."""
    assert _code(act) == code


@pytest.mark.parametrize(
    "paper",
    [
        {**DANA.paper(), "v": 2},
        {**DANA.paper(), "more": 1},
        {**DANA.paper(), "roster": "founders"},
        {**DANA.paper(), "roles": "reviewer"},
        {**DANA.paper(), "about": []},
        {**DANA.paper(), "public_key": "not base64"},
        {**DANA.paper(), "id": "boris\u200b"},
        {**DANA.paper(), "id": "bоris"},
        {**DANA.paper(), "id": " boris"},
        {**DANA.paper(), "id": ""},
        {**DANA.paper(), "id": None, "credential": None, "roles": None},
    ],
)
def test_a_paper_that_is_no_entry_enrols_nobody(paper: dict[str, Json]) -> None:
    """Other fields, other types, or an id that only looks like somebody's are malformed, signed or not."""
    chain = _founded()
    with pytest.raises(MalformedError):
        chain.enrolled(paper, _words(paper, BORIS, CHI), START)
    assert len(chain.roster.entries) == 2


# ------------------------------------------------------------------ ending


@pytest.mark.parametrize("verdict", ["revoke", "suspend"])
def test_two_people_end_an_entry_from_then_on(verdict: Verdict) -> None:
    """Before the end it counted, from the end on it does not."""
    chain = _enrolled(DANA)
    paper = DANA.end(verdict)
    chain.ended(paper, _words(paper, BORIS, CHI, verdict=verdict), LATER)
    entry = chain.roster.entries[DANA.credential]
    assert entry.active(LATER - dt.timedelta(seconds=1))
    assert not entry.active(LATER)


def test_an_end_does_not_move() -> None:
    """Ending once more keeps the first moment, so nobody was active in between."""
    chain = _enrolled(DANA)
    for verdict in ("revoke", "suspend", "revoke", "suspend"):
        paper = DANA.end(verdict)
        word: Verdict = "revoke" if verdict == "revoke" else "suspend"
        chain.ended(
            paper,
            _words(paper, BORIS, CHI, verdict=word),
            LATER if verdict == "revoke" else LATER + COOLING_OFF,
        )
    entry = chain.roster.entries[DANA.credential]
    assert (entry.revoked_at, entry.suspended_at) == (LATER, LATER + COOLING_OFF)


def test_an_end_needs_a_verdict_two_people_and_somebody_to_end() -> None:
    """Enrol is no end; a revocation is no suspension; one person is not two; a stranger cannot be ended."""
    chain = _enrolled(DANA)
    for paper, words, code in (
        ({**DANA.end("enrol")}, [], "bad-verdict"),
        (DANA.end("revoke"), _words(DANA.end("revoke"), BORIS, CHI, verdict="suspend"), "wrong-verdict"),
        (DANA.end("revoke"), _words(DANA.end("revoke"), BORIS, verdict="revoke"), "two-people"),
        (EVE.end("revoke"), _words(EVE.end("revoke"), BORIS, CHI, verdict="revoke"), "unknown-credential"),
    ):
        assert _code(lambda paper=paper, words=words: chain.ended(paper, words, LATER)) == code  # type: ignore[misc]
    assert chain.roster.entries[DANA.credential].active(LATER)


def test_the_newest_key_of_an_authority_counts_and_a_revoked_one_never_falls_back() -> None:
    """A second key replaces the first; once it is revoked the authority has none, not the older one."""
    chain = _founded()
    for paper in (court("age1old"), court("age1new")):
        chain.enrolled(paper, _words(paper, BORIS, CHI), START)
    newest = chain.roster.authority("a-court")
    assert newest is not None
    assert newest.about["age"] == "age1new"
    end: dict[str, Json] = {"v": 1, "verdict": "revoke", "credential": newest.credential, "nonce": ""}
    chain.ended(end, _words(end, BORIS, CHI, verdict="revoke"), LATER)
    left = chain.roster.authority("a-court")
    assert left is not None
    assert not left.active(LATER)
    assert chain.roster.authority("boris") is None
    assert chain.roster.authority("nobody") is None
    assert Roster().authority("a-court") is None


# ------------------------------------------------------------------ any order of events

PEOPLE = (ANA, BORIS, CHI, DANA, EVE)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["enrol", "enrol", "revoke", "suspend"]),
        st.sampled_from(PEOPLE),
        st.lists(st.sampled_from(PEOPLE), max_size=3),
        st.integers(0, 30),
    ),
    max_size=8,
)


def _try(chain: Chain, verdict: Verdict, who: Person, signers: list[Person], at: dt.datetime) -> bool:
    paper = who.paper() if verdict == "enrol" else who.end(verdict)
    act = chain.enrolled if verdict == "enrol" else chain.ended
    try:
        act(paper, _words(paper, *signers, verdict=verdict), at)
    except RefusedError:
        return False
    return True


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_whatever_is_tried_everyone_with_power_chains_to_the_founders(
    steps: list[tuple[Verdict, Person, list[Person], int]],
) -> None:
    """After any sequence of attempts: a change happened only by two different active people, an enrolment never
    by the newcomer; nobody active was ended; each entry leads back to the founders.
    """
    chain, at = _founded(), START
    ended: set[str] = set()
    for verdict, who, signers, hours in steps:
        at += dt.timedelta(hours=hours)
        before = chain.roster.entries
        active = {e.id for e in before.values() if e.active(at)}
        names = {signer.name for signer in signers}
        happened = _try(chain, verdict, who, signers, at)
        if not happened:
            assert chain.roster.entries == before
            continue
        assert len(names) >= 2
        assert names <= active
        assert verdict != "enrol" or (who.name not in names and who.credential not in before)
        ended |= {who.credential} if verdict != "enrol" else set()
    for credential, entry in chain.roster.entries.items():
        assert entry.founding or (len(set(entry.enrolled_by)) >= 2 and entry.id not in entry.enrolled_by)
        assert credential not in ended or not entry.active(at)


# ------------------------------------------------------------------ what a signature means

PAPER: dict[str, Json] = {"what": "a decision", "target": "t1"}


def _word() -> Signature:
    return BORIS.sign(PAPER, "approve", "reviewer")


def test_the_signed_message_is_the_one_that_the_format_describes() -> None:
    """Written once more from formats.md: prefix, four prefixed fields, digest of the canonical document."""
    prefix = b"dueprocess/decision/v1\n"
    fields = b"".join(lp(text) for text in (ORIGIN, "reviewer", "approve", BORIS.credential))
    document = sha256(b'{"target":"t1","what":"a decision"}')
    made = message(ORIGIN, PAPER, role="reviewer", verdict="approve", credential=BORIS.credential)
    assert made == sha256(prefix + fields + document)
    roster = message(ORIGIN, PAPER, role="reviewer", verdict="enrol", credential=BORIS.credential)
    enrol = b"".join(lp(text) for text in (ORIGIN, "reviewer", "enrol", BORIS.credential))
    assert roster == sha256(b"dueprocess/roster/v1\n" + enrol + document)


def test_a_signature_means_one_document_role_verdict_and_origin() -> None:
    """Unchanged it passes; with any one input changed, or any bit of it, it does not."""
    check(_word(), ORIGIN, PAPER, BORIS.public)
    changes: list[Callable[[], None]] = [
        lambda: check(replace(_word(), verdict="propose"), ORIGIN, PAPER, BORIS.public),
        lambda: check(replace(_word(), verdict="reject"), ORIGIN, PAPER, BORIS.public),
        lambda: check(replace(_word(), verdict="enrol"), ORIGIN, PAPER, BORIS.public),
        lambda: check(replace(_word(), role="counsel"), ORIGIN, PAPER, BORIS.public),
        lambda: check(replace(_word(), credential=CHI.credential), ORIGIN, PAPER, BORIS.public),
        lambda: check(_word(), "other.example/dueprocess/1", PAPER, BORIS.public),
        lambda: check(_word(), ORIGIN, {**PAPER, "target": "t2"}, BORIS.public),
        lambda: check(_word(), ORIGIN, {**PAPER, "more": None}, BORIS.public),
        lambda: check(_word(), ORIGIN, PAPER, CHI.public),
        lambda: check(_word(), ORIGIN, PAPER, b""),
        lambda: check(replace(_word(), credential=fingerprint(b"short")), ORIGIN, PAPER, b"short"),
        lambda: check(replace(_word(), value=b""), ORIGIN, PAPER, BORIS.public),
    ]
    for change in changes:
        assert _code(change) == "bad-signature"


def test_a_key_signs_only_under_its_own_fingerprint() -> None:
    """A good signature that names another credential, as a made-up roster entry would, is refused."""
    other = "0" * 32
    signed = message(ORIGIN, PAPER, role="reviewer", verdict="approve", credential=other)
    word = Signature("boris", other, "reviewer", "approve", BORIS.private.sign(signed))
    assert _code(lambda: check(word, ORIGIN, PAPER, BORIS.public)) == "bad-signature"


@given(st.integers(0, 511))
@settings(max_examples=60, deadline=None)
def test_a_signature_with_any_bit_flipped_is_refused(bit: int) -> None:
    """Each of the 512 bits counts."""
    value = bytearray(_word().value)
    value[bit // 8] ^= 1 << (bit % 8)
    assert (
        _code(lambda: check(replace(_word(), value=bytes(value)), ORIGIN, PAPER, BORIS.public))
        == "bad-signature"
    )


def test_a_signature_survives_writing_and_reading() -> None:
    """As five texts."""
    assert Signature.from_json(_word().as_json()) == _word()


KEYS = st.sampled_from(["person", "credential", "role", "verdict", "signature"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=8,
)


@given(JSON | st.dictionaries(st.sampled_from(sorted(_word().as_json())), st.text(max_size=5), min_size=5))
@settings(max_examples=300, deadline=None)
def test_reading_a_signature_raises_malformed_and_nothing_else(value: Any) -> None:
    """Whatever is read, no other error comes out."""
    try:
        Signature.from_json(value)
    except MalformedError:
        return


@pytest.mark.parametrize(
    ("change", "code"),
    [({"verdict": "maybe"}, "bad-verdict"), ({"signature": "QQ=="}, "wrong-length"), ({"role": 1}, "bad-signature"),
     ({"x": "y"}, "bad-signature")],
)  # fmt: skip
def test_a_signature_is_read_strictly(change: dict[str, Any], code: str) -> None:
    """Known verdicts, 64 bytes, texts, and no other field."""
    assert _code(lambda: Signature.from_json({**_word().as_json(), **change})) == code


def test_an_entry_without_a_key_verifies_nothing() -> None:
    """An authority's entry holds no signing key."""
    chain = _founded()
    chain.enrolled(court(), _words(court(), BORIS, CHI), START)
    entry = chain.roster.authority("a-court")
    assert isinstance(entry, Entry)
    assert entry.public_key == b""
    assert (
        _code(lambda: check(replace(_word(), credential=entry.credential), ORIGIN, PAPER, entry.public_key))
        == "bad-signature"
    )
