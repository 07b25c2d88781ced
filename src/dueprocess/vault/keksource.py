"""Where the key-encryption key comes from: a file, a file under a passphrase, or the operator's own command.

A source is small, so that another one (a hardware module, a cloud's key service) is a page: it gives every
key-encryption key at hand, begins to go over to a new one, and lets the old ones go.
"""

import secrets
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from dueprocess.errors import MalformedError, RefusedError, UnavailableError
from dueprocess.vault.passphrase import Passphrase, is_sealed, passphrase_from, seal_kek, unseal_kek
from dueprocess.vault.privatefiles import remove_private, replace_private, write_private
from dueprocess.vault.wrapping import KEY_BYTES, kek_id
from dueprocess.wire import b64, unb64

KEK = "kek"
NEXT = "kek.next"
COMMAND_SECONDS = 30


class KekSource(Protocol):
    """Something that gives key-encryption keys."""

    @property
    def kind(self) -> str:
        """What protects the keys: ``file``, ``passphrase`` or ``command``."""

    def keks(self) -> list[bytes]:
        """Every key-encryption key at hand, 32 bytes each, at least one. Refuses where there is none."""

    def begin(self, current: str) -> bytes:
        """The key-encryption key to go over to, safe before it is returned; the same one until ``settle``.

        Refuses where there is no other one than that with the id ``current``.
        """

    def settle(self, current: str) -> None:
        """Lets every key-encryption key but the one with this id go. Can be run again."""


class FileSource:
    """``keys/kek``: one line of base64, or the same under a passphrase; in a rotation the next one beside it."""

    def __init__(
        self, folder: Path, passphrase: Passphrase | None = None, former_command: Sequence[str] = ()
    ) -> None:
        self._folder = folder
        self._passphrase = passphrase or passphrase_from({})
        self._former = tuple(former_command)
        self._known: dict[bytes, bytes] = {}

    @property
    def kind(self) -> str:
        content = self._read(KEK) or self._read(NEXT) or b""
        return "passphrase" if is_sealed(content) else "file"

    def keks(self) -> list[bytes]:
        found = self.there() + ([asked(self._former)] if self._former else [])
        if not found:
            raise UnavailableError(
                "no-key-store",
                "The key store cannot be opened.",
                why=f"There is no {KEK} in {self._folder}.",
                do="Attach it and try again.",
            )
        return found

    def there(self) -> list[bytes]:
        """The key-encryption keys that lie in the folder: none, one, or in a rotation two."""
        contents = [self._read(KEK), self._read(NEXT)]
        return [self._opened(each) for each in contents if each is not None]

    def begin(self, current: str) -> bytes:  # noqa: ARG002  here the next one is always another
        begun = self._read(NEXT)
        if begun is not None:
            return self._opened(begun)
        kek = secrets.token_bytes(KEY_BYTES)
        content = seal_kek(kek, self._passphrase()) if self.kind == "passphrase" else b64(kek).encode()
        write_private(self._folder / NEXT, content)
        return kek

    def settle(self, current: str) -> None:
        begun = self._read(NEXT)
        if begun is not None and kek_id(self._opened(begun)) == current:
            replace_private(self._folder / KEK, begun)
            remove_private(self._folder / NEXT)

    def change_passphrase(self, passphrase: str | None) -> None:
        """Puts the key-encryption key under this passphrase, or under none. The file is the old or the new one."""
        kek = self.there()[0]
        replace_private(
            self._folder / KEK, b64(kek).encode() if passphrase is None else seal_kek(kek, passphrase)
        )
        if passphrase is not None:
            self._passphrase = lambda: passphrase

    def clear(self) -> None:
        """Takes every key-encryption key away that lies here: a key service holds the one that counts."""
        for name in (KEK, NEXT):
            remove_private(self._folder / name)

    def _opened(self, content: bytes) -> bytes:
        if content not in self._known:  # a sealed one takes its time, and is asked for again and again
            self._known[content] = read_kek(content, self._passphrase)
        return self._known[content]

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnavailableError(
                "no-key-store", "The key store cannot be opened.", why=str(error),
                do="Attach it and try again.",
            ) from error  # fmt: skip


class CommandSource:
    """A program of the operator's that prints the key-encryption key: the way to any key service.

    A key file that still lies in the folder opens what was wrapped under it, until a rotation is done.
    """

    kind = "command"

    def __init__(
        self, command: Sequence[str], folder: FileSource, former_command: Sequence[str] = ()
    ) -> None:
        self._command = tuple(command)
        self._folder = folder
        self._former = tuple(former_command)

    def keks(self) -> list[bytes]:
        former = [asked(self._former)] if self._former else []
        return [*self._folder.there(), *former, asked(self._command)]

    def begin(self, current: str) -> bytes:
        kek = asked(self._command)
        if kek_id(kek) == current:
            raise RefusedError(
                "same-kek",
                "The key service still gives the key-encryption key that is in use.",
                why="With a key service the new key is made there, not here.",
                do="Make one there, set keys.command to what prints the new one and keys.former_command to what prints "
                "the old one, then run it again.",
                source="docs/vault.md",
            )
        return kek

    def settle(self, current: str) -> None:
        if kek_id(asked(self._command)) == current:
            self._folder.clear()


def read_kek(content: bytes, passphrase: Passphrase) -> bytes:
    """The key-encryption key in the bytes of a file: 32 bytes in base64, or sealed. Refuses anything else."""
    return unseal_kek(content, passphrase) if is_sealed(content) else _line(content, "keys/kek")


def asked(command: Sequence[str]) -> bytes:
    """What the operator's command prints: 32 bytes in base64. Nothing of it is ever repeated in an error."""
    name = Path(command[0]).name
    try:
        done = subprocess.run(  # noqa: S603  the operator's own words, from a file that only the operator writes
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=COMMAND_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = (
            f"It gave nothing in {COMMAND_SECONDS} seconds."
            if isinstance(error, subprocess.TimeoutExpired)
            else ""
        )
        raise _silent(name, why or str(error)) from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise _silent(name, f"It ended with {done.returncode}{': ' + said[-1][:200] if said else ''}.")
    return _line(done.stdout, f"what {name} prints")


def _line(content: bytes, what: str) -> bytes:
    try:
        return unb64(content.decode("ascii").strip(), length=KEY_BYTES)
    except (UnicodeDecodeError, MalformedError) as error:
        raise MalformedError(
            "bad-kek", f"The key-encryption key in {what} is not one line of 44 characters.",
            do="Compare it with your copy of the key.",
        ) from error  # fmt: skip


def _silent(name: str, why: str) -> UnavailableError:
    return UnavailableError(
        "no-key-service",
        f"The command {name} gives no key-encryption key.",
        why=why,
        do="Run it by hand as this user; it prints one line of base64 and ends with 0. Then try again.",
        source="docs/vault.md",
    )
