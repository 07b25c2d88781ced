"""The key store and the vault as the settings of an installation say: unlocked, and where they lie."""

import os
from collections.abc import Mapping
from pathlib import Path

from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.library.installation import Installation
from dueprocess.production.environment import read_environment
from dueprocess.vault import CommandSource, FileSource, KeyStore, Vault, passphrase_from
from dueprocess.vault.passphrase import FILE_VARIABLE, VARIABLE, Passphrase
from dueprocess.vault.s3 import Bucket, S3Objects

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
PASSED_ON = (VARIABLE, FILE_VARIABLE, *CREDENTIALS)
"""Variables that each process needs which opens the key store and the vault. The web process gets none of them."""


def open_keys(place: Installation, passphrase: Passphrase | None = None) -> KeyStore:
    """The key store, unlocked as the settings say. A passphrase that nothing gives is asked for at the terminal."""
    given = place.key_settings
    passphrase = passphrase or passphrase_from(os.environ, given.passphrase_file)
    if given.command:
        source = CommandSource(given.command, FileSource(place.keys, passphrase), given.former_command)
        return KeyStore.open(place.keys, source)
    return KeyStore.open(place.keys, FileSource(place.keys, passphrase, given.former_command))


def open_vault(place: Installation, keys: KeyStore, environment: Mapping[str, str] = os.environ) -> Vault:
    """The vault, in files or in object storage as the settings say. It is not asked for anything yet."""
    given = place.vault_settings
    if not given.bucket:
        return Vault(place.vault, keys)
    credentials = _credentials(given.credentials_file, environment)
    bucket = Bucket(given.bucket, given.prefix, given.endpoint, given.region, credentials)
    return Vault(S3Objects(bucket, lock=place.worker), keys)


def _credentials(file: Path | None, environment: Mapping[str, str]) -> dict[str, str]:
    """Who we are to the object storage: from the environment, else from the file that the settings name."""
    found = {name: environment[name] for name in CREDENTIALS if environment.get(name)}
    if file is not None and CREDENTIALS[1] not in found:
        if not file.is_file():
            raise UnavailableError(
                "no-credentials", f"There is no file {file.name} with the credentials of the object storage.",
                do="Write it, or take vault.credentials_file out of dueprocess.toml.", source="docs/vault.md",
            )  # fmt: skip
        if file.stat().st_mode & 0o077:
            raise RefusedError(
                "open-credentials", f"Others can read {file.name}, which holds the credentials of the object storage.",
                do=f"chmod 600 {file.name}", source="docs/vault.md",
            )  # fmt: skip
        found = {name: each for name, each in read_environment(file, {}).items() if name in CREDENTIALS}
    if not {*CREDENTIALS[:2]} <= found.keys():
        raise UnavailableError(
            "no-credentials", "Nothing says who we are to the object storage of the vault.",
            do=f"Set {CREDENTIALS[0]} and {CREDENTIALS[1]}, or write both into a file and name it as "
            "vault.credentials_file in dueprocess.toml.", source="docs/vault.md",
        )  # fmt: skip
    return found
