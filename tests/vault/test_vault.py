"""The locked case file: what is stored is read back or refused, and nothing on the disk says whose it is."""

import hmac
import os
import threading
import tracemalloc
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import BrokenError, ConflictError, RefusedError, UnavailableError
from dueprocess.vault import KeyStore, Vault

CASE, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def vault(quick_folder: Path) -> Vault:
    keys = KeyStore.create(quick_folder / "keys")
    keys.make(CASE)
    keys.make(OTHER)
    return Vault(quick_folder / "vault", keys)


def files(vault: Vault) -> list[Path]:
    folder = vault.keys.folder.parent / "vault"
    return sorted(each for each in folder.rglob("*") if each.is_file())


@settings(max_examples=25)
@given(data=st.binary(max_size=5000))
def test_what_is_put_is_what_is_got(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Any bytes, the empty ones too."""
    folder = tmp_path_factory.mktemp("vault")
    keys = KeyStore.create(folder / "keys")
    keys.make(CASE)
    vault = Vault(folder / "vault", keys)
    vault.put(CASE, "paper", data)
    assert vault.get(CASE, "paper") == data


def test_an_object_is_written_once(vault: Vault) -> None:
    """The same bytes again are fine, other bytes under the name are a conflict and change nothing."""
    vault.put(CASE, "paper", b"one")
    vault.put(CASE, "paper", b"one")
    with pytest.raises(ConflictError):
        vault.put(CASE, "paper", b"two")
    assert vault.get(CASE, "paper") == b"one"
    assert vault.has(CASE, "paper")
    assert not vault.has(OTHER, "paper")


def test_the_disk_names_nobody(vault: Vault) -> None:
    """Neither a name nor a word of the content is on the disk, and one name differs from case to case."""
    vault.put_json(CASE, "reading", {"account": "@eva:chat.example"})
    vault.put_json(OTHER, "reading", {"account": "@eva:chat.example"})
    assert len({each.name for each in files(vault)}) == 2
    for each in files(vault):
        assert b"eva" not in each.read_bytes()
        assert "reading" not in str(each)
        assert each.stat().st_mode & 0o077 == 0
    assert vault.get_json(CASE, "reading") == {"account": "@eva:chat.example"}


def test_every_changed_bit_is_seen(vault: Vault) -> None:
    """A flipped bit anywhere in an object, and an object of another case under this one's name."""
    vault.put(CASE, "paper", b"demand")
    path = files(vault)[0]
    good = path.read_bytes()
    for at in range(0, len(good), 7):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(BrokenError) as caught:
            vault.get(CASE, "paper")
        assert caught.value.code == "vault-altered"
    stranger = pyrage.x25519.Identity.generate()
    path.write_bytes(pyrage.encrypt(b"demand", [stranger.to_public()]))
    with pytest.raises(BrokenError):
        vault.get(CASE, "paper")


def test_an_erased_case_is_closed_for_good(vault: Vault) -> None:
    """Without its key file a case's bytes are only noise, and that is said as what it is."""
    vault.put(CASE, "paper", b"demand")
    (vault.keys.folder / "cases" / f"{CASE}.key").unlink()  # as an erasure does
    assert not vault.keys.has(CASE)
    for act in (lambda: vault.get(CASE, "paper"), lambda: vault.put(CASE, "letter", b"x")):
        with pytest.raises(RefusedError) as caught:
            act()
        assert caught.value.code == "erased"


def test_a_missing_object_is_a_refusal(vault: Vault) -> None:
    """Nobody gets empty bytes for something that was never stored."""
    with pytest.raises(RefusedError) as caught:
        vault.get(CASE, "paper")
    assert caught.value.code == "not-in-vault"


def test_a_key_file_belongs_to_its_case(vault: Vault, quick_folder: Path) -> None:
    """Moved to another case, changed by a bit, or read under another key-encryption key, it opens nothing."""
    cases = quick_folder / "keys" / "cases"
    own = (cases / f"{CASE}.key").read_bytes()
    for wrong in ((cases / f"{OTHER}.key").read_bytes(), own[:-1] + bytes([own[-1] ^ 1])):
        (cases / f"{CASE}.key").write_bytes(wrong)
        with pytest.raises(BrokenError) as caught:
            vault.keys.keys(CASE)
        assert caught.value.code == "key-altered"
    (cases / f"{CASE}.key").write_bytes(own)
    with pytest.raises(BrokenError):
        KeyStore(quick_folder / "keys", b"0" * 32).keys(CASE)


def test_keys_are_never_made_twice(vault: Vault) -> None:
    """A second key for a case would lose what lies under the first."""
    with pytest.raises(ConflictError):
        vault.keys.make(CASE)


def test_a_secret_of_the_installation_is_made_once(vault: Vault, quick_folder: Path) -> None:
    """The same 32 bytes at every use and in every program that opens the store."""
    secret = vault.keys.secret("epoch-master")
    assert len(secret) == 32
    assert KeyStore.open(quick_folder / "keys").secret("epoch-master") == secret
    assert vault.keys.secret("other") != secret


def test_a_key_store_that_is_away_is_said(tmp_path: Path) -> None:
    """Not attached, or a path that is no folder: nothing is written in its place."""
    with pytest.raises(UnavailableError) as caught:
        KeyStore.open(tmp_path)
    assert caught.value.code == "no-key-store"
    keys = KeyStore.create(tmp_path / "keys")
    (tmp_path / "keys" / "cases").write_text("in the way")
    with pytest.raises(UnavailableError):
        keys.make(CASE)
    with pytest.raises(UnavailableError):
        keys.keys(CASE)


def test_a_removed_case_leaves_no_file_and_touches_no_other(vault: Vault, quick_folder: Path) -> None:
    """All its objects and what a crash left half written go; another case's stay; a second time is fine."""
    for name in ("paper", "reading", "letter"):
        vault.put(CASE, name, b"words")
    vault.put(OTHER, "paper", b"words")
    folder = next(
        each.parent for each in files(vault) if each.read_bytes() and each.parent.parent.name == CASE[:2]
    )
    (folder / ".new-half").write_bytes(b"half")
    assert vault.remove(CASE) == 4
    assert not folder.exists()
    assert [vault.get(OTHER, "paper"), len(files(vault))] == [b"words", 1]
    assert vault.remove(CASE) == 0
    vault.keys.destroy(CASE)
    vault.keys.destroy(CASE)
    assert not vault.keys.has(CASE)
    assert vault.keys.has(OTHER)
    with pytest.raises(RefusedError):
        vault.remove(CASE)


def test_the_folder_of_a_case_cannot_be_told_without_its_key(vault: Vault) -> None:
    """Neither folder nor file carries the case's id; all files of a case lie together."""
    vault.put(CASE, "paper", b"one")
    vault.put(CASE, "reading", b"two")
    vault.put(OTHER, "paper", b"three")
    assert len({each.parent for each in files(vault)}) == 2
    assert not any(CASE in str(each) or OTHER in str(each) for each in files(vault))


def test_what_cannot_be_destroyed_is_said(vault: Vault, quick_folder: Path) -> None:
    """A key store or a vault in which something is in the way: nothing is called destroyed that is there."""
    vault.put(CASE, "paper", b"words")
    (files(vault)[0].parent / "folder").mkdir()
    with pytest.raises(UnavailableError) as caught:
        vault.remove(CASE)
    assert caught.value.code == "cannot-destroy"
    key = quick_folder / "keys" / "cases" / f"{CASE}.key"
    key.unlink()
    key.mkdir()
    with pytest.raises(UnavailableError):
        vault.keys.destroy(CASE)


def test_a_key_that_a_killed_program_left_under_two_names_is_destroyed_under_both(tmp_path: Path) -> None:
    """Killed between the two names, then erased: nothing in the key store opens the case; others' files stay."""
    keys = KeyStore.create(tmp_path / "keys")
    keys.make(CASE)
    keys.make("b" * 32)
    folder = tmp_path / "keys" / "cases"
    for number, case in enumerate((CASE, "b" * 32)):
        (folder / f".new-{number}").hardlink_to(folder / f"{case}.key")
    (folder / ".new-short").write_bytes(b"torn")
    keys.destroy(CASE)
    assert sorted(each.name for each in folder.iterdir()) == [".new-1", ".new-short", f"{'b' * 32}.key"]


def test_two_objects_of_one_case_cannot_change_places(vault: Vault) -> None:
    """Each says inside what it was put under: swapped, copied over another, or under an old name it is noticed."""
    vault.put(CASE, "letter:1", b"we granted it")
    first = files(vault)[0]
    vault.put(CASE, "letter:2", b"we refused it")
    second = next(each for each in files(vault) if each != first)
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    for name in ("letter:1", "letter:2"):
        with pytest.raises(BrokenError) as caught:
            vault.get(CASE, name)
        assert caught.value.code == "vault-swapped"
    bare_object(vault, "letter:3", b"").write_bytes(one)
    with pytest.raises(BrokenError) as caught:
        vault.get(CASE, "letter:3")
    assert caught.value.code == "vault-swapped"


def bare_object(vault: Vault, name: str, data: bytes) -> Path:
    """An object as the first release kept it: under a name of the older label, and without its name inside."""
    keys = vault.keys.keys(CASE)
    folder = hmac.new(keys.record_key, b"dueprocess/vault-folder/v1\n", "sha256").hexdigest()[:32]
    called = hmac.new(keys.record_key, b"dueprocess/vault-name/v1\n" + name.encode(), "sha256").hexdigest()
    path = vault.keys.folder.parent / "vault" / CASE[:2] / folder / called
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pyrage.encrypt(data, [pyrage.x25519.Identity.from_str(keys.identity).to_public()]))
    return path


def test_objects_of_the_first_release_stay_readable(vault: Vault) -> None:
    """Found, read, never replaced, listed as named, and removed; a new object under an old one's bytes is refused."""
    old = bare_object(vault, "paper", b"a demand")
    assert (vault.has(CASE, "paper"), vault.get(CASE, "paper")) == (True, b"a demand")
    vault.put(CASE, "paper", b"a demand")
    with pytest.raises(ConflictError):
        vault.put(CASE, "paper", b"another")
    assert files(vault) == [old]
    assert vault.unnamed(CASE, ["paper"]) == []
    vault.put(CASE, "reading", b"{}")
    reading = next(each for each in files(vault) if each != old)
    reading.write_bytes(old.read_bytes())
    with pytest.raises(BrokenError) as caught:
        vault.get(CASE, "reading")
    assert caught.value.code == "vault-swapped"
    assert vault.remove(CASE) == 2


def test_an_object_says_what_it_is_called_to_whoever_has_the_key(vault: Vault) -> None:
    """What no event names can be told from its inside; one of the first release and a damaged one cannot."""
    vault.put(CASE, "reading:abc", b"words")
    vault.put(CASE, "paper", b"words")
    bare_object(vault, "letter", b"words")
    unnamed = vault.unnamed(CASE, ["paper"])
    assert sorted(vault.title(CASE, each) for each in unnamed) == ["", "reading:abc"]
    for each in files(vault):
        each.write_bytes(b"damaged")
    assert {vault.title(CASE, each) for each in unnamed} == {""}


def test_one_object_can_be_dropped(vault: Vault) -> None:
    """A part of a hold that ended goes, the others stay; a second time is fine."""
    vault.put(CASE, "hold:1", b"one")
    vault.put(CASE, "hold:2", b"two")
    for _ in range(2):
        vault.drop(CASE, "hold:1")
        assert (vault.has(CASE, "hold:1"), vault.get(CASE, "hold:2")) == (False, b"two")
    vault.drop(OTHER, "hold:1")
    vault.put(CASE, "hold:1", b"another")


def test_a_large_object_is_kept_without_many_copies(vault: Vault) -> None:
    """32 MiB in and out: at no moment more than the caller's bytes and two copies."""
    data = os.urandom(32 * 2**20)
    tracemalloc.start()
    try:
        vault.put(CASE, "hold:1", data)
        putting = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        assert vault.get(CASE, "hold:1") == data
        getting = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert putting < 2.2 * len(data)
    assert getting < 3.2 * len(data), "the ciphertext, the plaintext as it grows, and nothing else"


def test_two_writers_of_one_name_have_one_winner(vault: Vault) -> None:
    """The same bytes are fine for both; of different bytes one is a conflict, and what was kept stays."""
    for number in range(20):
        said: list[str] = []
        threads = [
            threading.Thread(target=put_and_say, args=(vault, f"letter:{number}", data, said))
            for data in (b"one", b"one", b"two")
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        kept = vault.get(CASE, f"letter:{number}")
        assert sorted(said) == (
            ["exists", "kept", "kept"] if kept == b"one" else ["exists", "exists", "kept"]
        )


def put_and_say(vault: Vault, name: str, data: bytes, said: list[str]) -> None:
    try:
        vault.put(CASE, name, data)
        said.append("kept")
    except ConflictError as error:
        said.append(error.code)


def test_a_vault_that_is_away_is_said(vault: Vault) -> None:
    """A disk that gives an error is no missing object."""
    vault.put(CASE, "paper", b"words")
    path = files(vault)[0]
    path.unlink()
    path.mkdir()
    with pytest.raises(UnavailableError) as caught:
        vault.get(CASE, "paper")
    assert caught.value.code == "no-vault"
