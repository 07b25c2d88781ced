"""The locked case file: encrypted bytes of a case, and the key store that alone can open them.

Every case has a key of its own. Wrapped keys live in the key store, outside the database and its backups;
destroying one erases the person from everything that is stored under it.
"""

from dueprocess.vault.keystore import CaseKeys, KeyStore
from dueprocess.vault.vault import Vault

__all__ = ["CaseKeys", "KeyStore", "Vault"]
