"""`dueprocess init` with witnesses: what it accepts on the command line, and what it says they prove."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from dueprocess.cli.init import init_command, read_witness
from dueprocess.desk import setup
from dueprocess.desk.desk import open_desk
from dueprocess.errors import ConflictError, MalformedError, RefusedError
from dueprocess.history import connection, ledger
from dueprocess.tlog.leaf import PolicyLeaf, parse_leaf
from dueprocess.tlog.note import COSIGNATURE, ML_DSA_44, make_vkey
from dueprocess.tlog.policy import parse_policy
from dueprocess.wire import sha256, sha256_hex

NOBODY = "http://127.0.0.1:9/w"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    connection.use("sqlite::memory:")


def line(name: str, url: str = NOBODY) -> str:
    """A witness as its operator and ours would write it."""
    public = Ed25519PrivateKey.from_private_bytes(sha256(name.encode())).public_key().public_bytes_raw()
    return f"{name}={make_vkey(f'{name}.example/w', public, algorithm=COSIGNATURE).text}={url}"


def init(folder: Path, *witness: str, **changes: object) -> None:
    """Sets up in this folder with these witnesses."""
    facts: dict[str, object] = {
        "origin": "chat.example/dueprocess/1", "regime": ["us"], "operator": "Chat Example",
        "contact": "legal@chat.example", "country": "US", "founder": ["boris", "chi"],
    }  # fmt: skip
    init_command(folder, witness=list(witness), **{**facts, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "need"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_more_than_half_of_the_witnesses_are_needed(count: int, need: int) -> None:
    """None of none, 1 of 1, 2 of 2, 2 of 3."""
    assert setup.majority(count) == need


def test_three_witnesses_make_a_policy_of_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """policy.txt lists both keys of the log and the witnesses; the first leaf names its digest and the intake key."""
    init(tmp_path / "d", *(line(name) for name in ("a", "b", "c")))
    text = (tmp_path / "d" / "public" / "policy.txt").read_bytes()
    policy = parse_policy(text)
    assert [each.vkey.algorithm for each in policy.logs] == [1, 6]
    assert [(each.name, each.url) for each in policy.witnesses] == [(name, NOBODY) for name in "abc"]
    assert [each.need for each in policy.groups] == [2]
    desk = open_desk(tmp_path / "d")
    assert desk.policy == policy
    (entry,) = ledger.entries(0, 10)
    leaf = parse_leaf(entry.encode())
    assert isinstance(leaf, PolicyLeaf)
    assert leaf.witness_policy_sha256 == sha256_hex(text)
    assert (leaf.intake_vkey or "").startswith("chat.example/dueprocess/1/intake+")
    assert (tmp_path / "d" / "keys" / "intake.pem").stat().st_mode & 0o777 == 0o600
    told = capsys.readouterr().out
    assert "Witnesses: a, b, c; 2 of 3 must sign each head." in told
    assert "policy.txt to each" in told
    assert not (tmp_path / "d" / "log" / "checkpoint").exists(), "nothing is published before they sign"


def test_one_witness_and_none_are_said_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A hobby host is told what one of one is worth, and what none is."""
    init(tmp_path / "one", line("a"))
    told = capsys.readouterr().out
    assert "1 of 1. This is for hobby hosts" in told
    assert "two different logs" in told
    init(tmp_path / "none")
    assert "UNWITNESSED" in capsys.readouterr().out
    assert parse_policy((tmp_path / "none" / "public" / "policy.txt").read_bytes()).quorum == "none"
    assert (tmp_path / "none" / "log" / "checkpoint").exists()


def test_init_with_json_is_one_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For programs."""
    init(tmp_path / "d", json=True)
    assert set(json.loads(capsys.readouterr().out)) == {"origin", "founding_sha256", "packs"}


def test_a_witness_is_read_from_one_word() -> None:
    """The key may end in equals signs, as a long ML-DSA-44 key does, and the address may hold some."""
    public = MLDSA44PrivateKey.generate().public_key().public_bytes_raw()
    vkey = make_vkey("w.example/w", public, algorithm=ML_DSA_44)
    assert vkey.text.endswith("=")
    read = read_witness(f"friend={vkey.text}=https://w.example/a=b")
    assert (read.name, read.vkey, read.url) == ("friend", vkey, "https://w.example/a=b")


LOG_KEY = make_vkey(
    "l.example", Ed25519PrivateKey.from_private_bytes(sha256(b"log")).public_key().public_bytes_raw()
).text
BAD = [
    ("", "bad-witness"),
    ("friend", "bad-witness"),
    (f"friend={LOG_KEY}", "bad-witness"),
    (f"friend={LOG_KEY}=https://w.example/", "bad-witness"),
    ("friend=no key=https://w.example/", "not-a-vkey"),
    (line("a", "http://w.example/"), "bad-address"),
]


@pytest.mark.parametrize(("text", "code"), BAD)
def test_a_bad_witness_is_refused_before_anything_is_written(tmp_path: Path, text: str, code: str) -> None:
    """Not name, key and address; a log's key; no key; an address that is not safe."""
    with pytest.raises((MalformedError, RefusedError)) as caught:
        init(tmp_path / "d", text)
    assert caught.value.code == code
    assert not (tmp_path / "d").exists()


def test_an_interrupted_init_goes_on_with_the_same_witnesses_only(tmp_path: Path) -> None:
    """The pinned policy is not replaced by a second try; with the first one's witnesses it is finished."""
    first, other = line("a"), line("b")
    init(tmp_path / "d", first)
    (tmp_path / "d" / setup.UNFINISHED).touch()  # as if it had been interrupted just before its last step
    with pytest.raises(ConflictError) as caught:
        init(tmp_path / "d", other)
    assert caught.value.code == "founded"
    init(tmp_path / "d", first)
    assert len(ledger.entries(0, 10)) == 1
    assert not (tmp_path / "d" / setup.UNFINISHED).exists()
