"""The passphrase over the key-encryption key: what opens it, what does not, and where it comes from."""

import io
import json
from pathlib import Path

import pytest

from dueprocess.errors import DueprocessError, MalformedError, RefusedError, UnavailableError
from dueprocess.vault import FileSource, KeyStore, passphrase_from
from dueprocess.vault.keystore import InUse, write_in_use
from dueprocess.vault.passphrase import SCRYPT_N, seal_kek, unseal_kek
from dueprocess.vault.rotation import change_passphrase, rotate, status
from dueprocess.vault.wrapping import kek_id
from dueprocess.wire import Json, b64, canonical
from vault.test_rotation import NOW

WORDS = "correct horse battery staple"
CASE = "a" * 32


@pytest.fixture
def folder(quick_folder: Path) -> Path:
    keys = KeyStore.create(quick_folder / "keys")
    keys.make(CASE)
    return quick_folder / "keys"


def opened(folder: Path, words: str = WORDS) -> KeyStore:
    return KeyStore.open(folder, FileSource(folder, lambda: words))


def test_a_sealed_key_opens_with_its_passphrase_alone(folder: Path) -> None:
    """Set, opened, rotated, changed and removed: the case opens at each step, the disk holds no bare key."""
    keys = KeyStore.open(folder)
    bare, before = keys.kek, keys.keys(CASE)
    change_passphrase(keys, WORDS)
    assert b64(bare).encode() not in b"".join(
        each.read_bytes() for each in folder.rglob("*") if each.is_file()
    )
    assert opened(folder).keys(CASE) == before
    with pytest.raises(RefusedError) as caught:
        opened(folder, "incorrect horse battery")
    assert caught.value.code == "wrong-passphrase"
    keys = opened(folder)
    rotate(keys, NOW)
    assert (status(keys).kind, keys.kek != bare) == ("passphrase", True)
    change_passphrase(keys, "another one, of words")
    assert keys.keys(CASE) == opened(folder, "another one, of words").keys(CASE) == before
    change_passphrase(keys, None)
    assert KeyStore.open(folder).keys(CASE) == before
    assert status(keys).kind == "file"


def test_the_sealed_file_holds_hard_parameters_and_no_others_are_read() -> None:
    """2^17 rounds or more; a changed parameter, byte or shape is refused, and a cheap one too."""
    sealed = json.loads(seal_kek(b"k" * 32, WORDS))
    assert sealed["n"] == SCRYPT_N >= 2**17
    odd: list[tuple[dict[str, Json], str]] = [
        ({"n": 2**14}, "bad-kek"),
        ({"n": 2**30}, "bad-kek"),
        ({"r": 1}, "bad-kek"),
        ({"kdf": "md5"}, "bad-kek"),
        ({"more": 1}, "bad-kek"),
        ({"n": [1]}, "bad-kek"),
        ({"salt": b64(b"s" * 16)}, "wrong-passphrase"),
        ({"nonce": b64(b"n" * 12)}, "wrong-passphrase"),
        ({"sealed": "x"}, "not-base64"),
    ]
    for changes, code in odd:
        with pytest.raises(DueprocessError) as caught:
            unseal_kek(canonical({**sealed, **changes}), lambda: WORDS)
        assert caught.value.code == code, changes
    with pytest.raises(MalformedError):
        unseal_kek(b"[]", lambda: WORDS)


def test_a_passphrase_that_is_quickly_guessed_is_refused() -> None:
    """Short, empty, or one character over and over."""
    for words in ("", "short", "            ", "aaaaaaaaaaaaaaaaaaaa"):
        with pytest.raises(RefusedError) as caught:
            seal_kek(b"k" * 32, words)
        assert caught.value.code == "weak-passphrase"


def test_the_same_letters_typed_on_another_machine_are_the_same() -> None:
    """An umlaut as one character or as two (Unicode NFC)."""
    sealed = seal_kek(b"k" * 32, "Schl\u00fcssel im Schrank")
    assert unseal_kek(sealed, lambda: "Schlu\u0308ssel im Schrank") == b"k" * 32


def test_where_a_passphrase_comes_from(tmp_path: Path) -> None:
    """The environment, a file that it names, the file of the settings, a person: in this order, asked once."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("from the environment's file\nmore\n")
    second.write_text("from the settings' file\r\n")
    typed: list[str] = []

    def ask() -> str:
        typed.append("typed")
        return "typed by a person"

    assert passphrase_from({"DUEPROCESS_PASSPHRASE": "spoken"}, second)() == "spoken"
    assert (
        passphrase_from({"DUEPROCESS_PASSPHRASE_FILE": str(first)}, second)() == "from the environment's file"
    )
    assert passphrase_from({}, second, ask=ask)() == "from the settings' file"
    give = passphrase_from({}, ask=ask)
    assert (give(), give(), typed) == ("typed by a person", "typed by a person", ["typed"])


def test_keys_stay_locked_where_nobody_gives_a_passphrase(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No terminal, an empty file, a missing one: what to do is said, and nothing waits for input."""
    change_passphrase(KeyStore.open(folder), WORDS)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    (tmp_path / "empty").write_text("\n")
    for file in (None, tmp_path / "empty", tmp_path / "none"):
        with pytest.raises(UnavailableError) as caught:
            KeyStore.open(folder, FileSource(folder, passphrase_from({}, file)))
        assert caught.value.code == "locked"


def test_a_passphrase_waits_for_an_unfinished_rotation(folder: Path) -> None:
    """Else one of the two key-encryption keys would keep the old protection."""
    keys = KeyStore.open(folder)
    write_in_use(folder, InUse(kek_id(keys.kek), "2026-09-04T08:00:00Z"))
    with pytest.raises(RefusedError) as caught:
        change_passphrase(keys, WORDS)
    assert caught.value.code == "rotation-unfinished"
    assert rotate(keys, NOW).resumed
    change_passphrase(keys, WORDS)
    assert opened(folder).has(CASE)
