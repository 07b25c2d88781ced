"""Trust policies: the specification's rules, one by one."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    COSIGNATURE,
    ED25519,
    ML_DSA_44,
    Vkey,
    Witness,
    format_policy,
    make_vkey,
    parse_policy,
)


def vkey(name: str, algorithm: int = COSIGNATURE, seed: str = "") -> Vkey:
    secret = hashlib.sha256((seed or name).encode()).digest()
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    if algorithm == ML_DSA_44:
        public = MLDSA44PrivateKey.from_seed_bytes(secret).public_key().public_bytes_raw()
    return make_vkey(f"{name}.example", public, algorithm=algorithm)


LOG = vkey("log", ED25519)
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
KEYS = {name: vkey(name) for name in NAMES}
WITNESSES = "".join(f"witness {name} {KEYS[name].text}\n" for name in NAMES)
# The example of the specification, with keys.
EXAMPLE = (
    f"log {LOG.text}\n\n{WITNESSES}group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n"
    "\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
).encode()


@pytest.mark.parametrize(
    ("names", "met"),
    [
        ("X1 X2 Y1", True),
        ("X1 X3 Y3", True),
        ("X1 X2 X3 Y1 Y2 Y3", True),
        ("X1 X2 X3", False),
        ("X1 Y1 Y2 Y3", False),
        ("", False),
    ],
)
def test_the_example_of_the_specification_means_what_it_says(names: str, met: bool) -> None:  # noqa: FBT001
    """Two of X and one of Y, and nothing less."""
    assert parse_policy(EXAMPLE).satisfied(KEYS[name] for name in names.split()) is met


def test_a_key_counts_and_not_its_name() -> None:
    """A stranger's key under a witness's name gives no vote."""
    strangers = [vkey(name, seed=f"fake {name}") for name in NAMES]
    assert not parse_policy(EXAMPLE).satisfied(strangers)


def test_no_quorum_needs_nobody() -> None:
    """``quorum none`` is met by an empty set."""
    policy = parse_policy(b"quorum none\n")
    assert policy.satisfied([])
    assert (policy.logs, policy.witnesses, policy.groups) == ((), (), ())


def test_a_quorum_can_be_one_witness() -> None:
    """The name of a witness is a quorum of one."""
    policy = parse_policy(f"witness X1 {KEYS['X1'].text}\nquorum X1\n".encode())
    assert policy.satisfied([KEYS["X1"]])
    assert not policy.satisfied([KEYS["X2"]])


def test_blanks_comments_and_urls_are_read() -> None:
    """Tabs, spaces, comments, empty lines and non-ASCII octets have no meaning of their own."""
    source = (
        f" # über alles\n\t\n\tlog  {LOG.text}\thttps://log.example/ \n"
        f"witness \u212a {KEYS['X1'].text} https://w.example/\nwitness K {KEYS['X2'].text}\nquorum \u212a\n"
    ).encode()
    policy = parse_policy(source)
    assert policy.logs[0].url == "https://log.example/"
    assert policy.witnesses[0].url == "https://w.example/"
    assert policy.satisfied([KEYS["X1"]])
    assert not policy.satisfied([KEYS["X2"]])


def test_names_are_octets() -> None:
    """Names that are not UTF-8 are kept apart, byte for byte."""
    source = f"witness \udcff {KEYS['X1'].text}\nwitness \udcfe {KEYS['X2'].text}\nquorum \udcfe\n"
    policy = parse_policy(source.encode("utf-8", "surrogateescape"))
    assert policy.satisfied([KEYS["X2"]])
    assert not policy.satisfied([KEYS["X1"]])


def test_thirty_two_of_each_are_accepted() -> None:
    """The limits that the specification asks for are kept."""
    keys = [vkey(f"w{number}") for number in range(32)]
    lines = [f"log {vkey(f'l{number}', ED25519).text}" for number in range(32)]
    lines += [f"witness w{number} {key.text}" for number, key in enumerate(keys)]
    lines += ["group g0 1 w0", *(f"group g{number} all g{number - 1} w{number}" for number in range(1, 32))]
    policy = parse_policy("\n".join([*lines, "quorum g31", ""]).encode())
    assert policy.satisfied(keys)
    assert not policy.satisfied(keys[1:])


def test_both_kinds_of_keys_are_logs_and_witnesses() -> None:
    """A log by Ed25519 and ML-DSA-44, witnesses by either; each key has one role."""
    other = vkey("w-pq", ML_DSA_44)
    witnesses = [Witness("X1", KEYS["X1"]), Witness("w", other)]
    policy = parse_policy(format_policy([LOG, PQ], witnesses, need=2))
    assert [each.vkey for each in policy.logs] == [LOG, PQ]
    assert policy.satisfied([KEYS["X1"], other])
    assert not policy.satisfied([KEYS["X1"]])


def test_the_unwitnessed_policy_has_the_same_keys_and_no_quorum() -> None:
    """What it accepts was signed by the log; nothing else follows."""
    policy = parse_policy(EXAMPLE)
    loose = policy.unwitnessed
    assert (loose.logs, loose.witnesses, loose.groups) == (policy.logs, policy.witnesses, policy.groups)
    assert (loose.quorum, loose.satisfied([])) == ("none", True)
    assert not policy.satisfied([])


PQ = vkey("pq", ML_DSA_44)
X1, X2 = f"witness X1 {KEYS['X1'].text}\n", f"witness X2 {KEYS['X2'].text}\n"
END = "quorum none\n"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("", "no-quorum"),
        (X1, "no-quorum"),
        (END + END, "quorum-twice"),
        ("quorum none", "cut-off"),
        ("quorum\n", "wrong-count"),
        ("quorum none none\n", "wrong-count"),
        ("quorum X1\n" + X1, "unknown-name"),
        ("witnes\n" + END, "unknown-line"),
        ("Quorum none\n", "unknown-line"),
        ("log\n" + END, "wrong-count"),
        (f"log {LOG.text} url more\n" + END, "wrong-count"),
        (f"log {KEYS['X1'].text}\n" + END, "wrong-algorithm"),
        (f"witness a {LOG.text}\n" + END, "wrong-algorithm"),
        (f"log {LOG.text[:-1]}\n" + END, "not-base64"),
        (f"log {LOG.text}\n" * 2 + END, "key-twice"),
        (f"log {LOG.text}\nlog {vkey('other', ED25519, seed='log').text}\n" + END, "key-twice"),
        (X1 + X1.replace("X1 ", "Z1 ") + END, "key-twice"),
        (f"log {PQ.text}\nwitness w {PQ.text}\n" + END, "key-twice"),
        (f"witness w {PQ.text}\nlog {PQ.text}\n" + END, "key-twice"),
        (f"log {LOG.text}\nwitness w {vkey('self', seed='log').text}\n" + END, "key-twice"),
        (f"log {PQ.text}\nlog {vkey('other', ML_DSA_44, seed='pq').text}\n" + END, "key-twice"),
        (X1 + X2.replace("X2 ", "X1 ") + END, "name-taken"),
        (X1.replace("X1 ", "none ") + END, "name-taken"),
        (X1 + "group X1 any X1\n" + END, "name-taken"),
        (X1 + "group none any X1\n" + END, "name-taken"),
        (X1 + "group g any none\n" + END, "unknown-name"),
        (X1 + "group g any g\n" + END, "unknown-name"),
        (X1 + "group g any X1 X2\n" + X2 + END, "unknown-name"),
        (X1 + "group g any X1 X1\n" + END, "member-twice"),
        (X1 + X2 + "group g any X1\ngroup h any X1 X2\n" + END, "member-twice"),
        (X1 + "group g any\n" + END, "wrong-count"),
        (X1 + "group g 0 X1\n" + END, "bad-threshold"),
        (X1 + "group g 2 X1\n" + END, "bad-threshold"),
        (X1 + "group g 01 X1\n" + END, "bad-threshold"),
        (X1 + "group g most X1\n" + END, "bad-threshold"),
        (X1 + "group g \u0661 X1\n" + END, "bad-threshold"),
        (END.replace("\n", "\r\n"), "control-character"),
        ("#\x0b\n" + END, "control-character"),
        ("#\x7f\n" + END, "control-character"),
        ("#" * 1_000_000 + "\n", "too-long"),
    ],
)
def test_every_rule_of_the_policy_format_has_its_refusal(source: str, code: str) -> None:
    """A policy that breaks a rule is refused as a whole, with the line."""
    with pytest.raises(MalformedError) as caught:
        parse_policy(source.encode())
    assert caught.value.code == code


def test_a_refusal_names_the_line() -> None:
    """The operator finds the mistake without counting."""
    with pytest.raises(MalformedError, match=r"^Line 3 of this policy is wrong: "):
        parse_policy(f"{X1}\nwitnes\n{END}".encode())


def test_a_policy_written_here_is_read_here() -> None:
    """One log alone, and one log with two of three witnesses."""
    assert parse_policy(format_policy([LOG])).quorum == "none"
    witnesses = [Witness(name, KEYS[name], "https://w.example/") for name in NAMES[:3]]
    policy = parse_policy(format_policy([LOG], witnesses, need=2))
    assert policy.witnesses == tuple(witnesses)
    assert policy.satisfied([KEYS["X1"], KEYS["X3"]])
    assert not policy.satisfied([KEYS["X1"]])
    with pytest.raises(MalformedError):
        format_policy([LOG], witnesses, need=4)


WORDS = st.sampled_from(
    [
        "log",
        "witness",
        "group",
        "quorum",
        "none",
        "any",
        "all",
        "1",
        "2",
        "X1",
        "X2",
        "g",
        LOG.text,
        KEYS["X1"].text,
        PQ.text,
    ]
)
LINES = st.lists(st.lists(WORDS, max_size=5).map(" ".join), max_size=6).map(
    lambda each: "\n".join([*each, ""]).encode()
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(), st.binary().map(lambda each: each + b"\n"), LINES))
def test_bytes_give_a_policy_or_a_malformed_error(data: bytes) -> None:
    """The parser raises nothing else; a quorum that is not ``none`` is never met by nobody."""
    try:
        policy = parse_policy(data)
    except MalformedError:
        return
    assert policy.satisfied([]) is (policy.quorum == "none")
