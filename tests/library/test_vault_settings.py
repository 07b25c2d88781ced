"""The two sections that may be missing: what they say, and what is refused in words."""

from pathlib import Path

import pytest

from dueprocess.errors import MalformedError
from dueprocess.library.installation import TEMPLATE, KeySettings, VaultSettings, open_installation

BEFORE = TEMPLATE.format(
    origin="chat.example/dueprocess/1", name="Chat", contact="legal@chat.example", country="US",
    database="sqlite:history.db", clock="system", epoch_seconds=300, window_days=7, datamap="map.toml",
)  # fmt: skip


def opened(folder: Path, text: str) -> tuple[KeySettings, VaultSettings]:
    (folder / "dueprocess.toml").write_text(BEFORE + text)
    found = open_installation(folder)
    return found.key_settings, found.vault_settings


def test_an_installation_from_before_opens_unchanged(tmp_path: Path) -> None:
    """Without the sections, and with empty ones: a key file, and a vault of files."""
    for text in ("", "[keys]\n[vault]\n", '[vault]\nstore = "file"\nendpoint = "https://later.example"\n'):
        assert opened(tmp_path, text) == (KeySettings(), VaultSettings())


def test_what_the_sections_say_is_read(tmp_path: Path) -> None:
    """Commands with their arguments, files relative to the installation, bucket and prefix."""
    keys, vault = opened(
        tmp_path,
        '[keys]\ncommand = ["our-key", "now"]\nformer_command = ["our-key"]\npassphrase_file = "/run/p"\n'
        '[vault]\nstore = "s3://our-bucket/of/chat/"\nendpoint = "https://s3.example:9000"\nregion = "eu"\n'
        'credentials_file = "s3.env"\n',
    )
    assert keys == KeySettings(("our-key", "now"), ("our-key",), Path("/run/p"))
    assert vault == VaultSettings(
        "our-bucket", "of/chat", "https://s3.example:9000", "eu", tmp_path.resolve() / "s3.env"
    )
    assert opened(tmp_path, '[vault]\nstore = "s3://our-bucket"\n')[1] == VaultSettings("our-bucket")


@pytest.mark.parametrize(
    "text",
    [
        "[keys]\ncommand = []\n",
        '[keys]\ncommand = "our-key now"\n',
        "[keys]\ncommand = [1]\n",
        '[keys]\npassphrase = "secret words"\n',
        "keys = 1\n",
        '[vault]\nstore = "s3://"\n',
        '[vault]\nstore = "s3://UPPER/x"\n',
        '[vault]\nstore = "s3://bucket/../x/?a"\n',
        '[vault]\nstore = "/srv/vault"\n',
        '[vault]\nstore = "s3://our-bucket"\nendpoint = "https://key:secret@s3.example"\n',
        '[vault]\nstore = "s3://our-bucket"\nsecret = "x"\n',
        "[vault]\nregion = 1\n",
    ],
)
def test_odd_settings_are_refused(tmp_path: Path, text: str) -> None:
    """No secret can stand there, no command line that a shell would take apart, no unknown key."""
    whole = text + BEFORE if text.startswith("keys") else BEFORE + text
    (tmp_path / "dueprocess.toml").write_text(whole)
    with pytest.raises(MalformedError) as caught:
        open_installation(tmp_path)
    assert caught.value.code == "bad-settings"
    assert "secret words" not in str(caught.value)
