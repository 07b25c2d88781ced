"""The locked case file: encrypted bytes of a case, and the key store that alone can open them.

Every case has a key of its own. Wrapped keys live in the key store, outside the database and its backups;
destroying one erases the person from everything that is stored under it. The bytes lie in files or in S3 storage.
"""

from dueprocess.vault.keksource import CommandSource, FileSource, KekSource
from dueprocess.vault.keystore import CaseKeys, KeyStore
from dueprocess.vault.objects import Objects, Stored
from dueprocess.vault.passphrase import passphrase_from
from dueprocess.vault.vault import FileObjects, Vault

__all__ = [
    "CaseKeys", "CommandSource", "FileObjects", "FileSource", "KekSource", "KeyStore", "Objects", "Stored", "Vault",
    "passphrase_from",
]  # fmt: skip
