"""Other people's programs open the parcel, whatever the key: age, GnuPG, OpenSSL; then tar and bagit accept it."""

import datetime as dt
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest

from dueprocess.production.packing import Packed, Wrapping, pack, whole
from dueprocess.wire import sha256_hex

pytestmark = pytest.mark.conformance
ROOT = Path(__file__).resolve().parents[2]
SIZES = (0, 1, 65_535 - 3_072, 65_536, 1_048_576 - 3_072, 1_048_576, 3_000_000)
"""Payload sizes around the chunks of age, whose ends a bag of this shape then meets nearly."""

type Opener = Callable[[Path], subprocess.CompletedProcess[bytes]]


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[bytes]:
    found = shutil.which(str(command[0]), path=f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}")
    if found is None:
        pytest.fail(f"{command[0]} is missing (Debian: apt-get install age gnupg openssl)")
    return subprocess.run([found, *map(str, command[1:])], cwd=folder, capture_output=True, check=False)


def made(*command: str | Path, folder: Path) -> bytes:
    done = run(*command, folder=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def an_age_key(folder: Path) -> tuple[str, Opener]:
    officer = pyrage.x25519.Identity.generate()
    (folder / "officer.agekey").write_text(f"{officer}\n")
    return str(officer.to_public()), lambda path: run(
        "age", "-d", "-i", "officer.agekey", path, folder=folder
    )


def an_openpgp_key(folder: Path, kind: tuple[str, str]) -> tuple[str, Opener]:
    home = folder / "home"
    home.mkdir(mode=0o700)
    gpg = ("gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "")
    made(
        *gpg,
        "--quick-generate-key",
        "Officer <officer@court.example>",
        kind[0],
        "default",
        "1d",
        folder=folder,
    )
    (fingerprint, *_) = [
        line.split(":")[9]
        for line in made(*gpg, "--with-colons", "--list-keys", folder=folder).decode().splitlines()
        if line.startswith("fpr")
    ]
    made(*gpg, "--quick-add-key", fingerprint, kind[1], "encr", "1d", folder=folder)
    key = made(*gpg, "--armor", "--export", folder=folder).decode()
    return key, lambda path: run(*gpg, "--decrypt", path, folder=folder)


def a_certificate(folder: Path, kind: tuple[str, ...]) -> tuple[str, Opener]:
    made("openssl", "req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=officer.court.example", *kind,
         "-keyout", "key.pem", "-out", "cert.pem", folder=folder)  # fmt: skip
    opener = (
        "openssl",
        "cms",
        "-decrypt",
        "-inform",
        "DER",
        "-inkey",
        "key.pem",
        "-recip",
        "cert.pem",
        "-in",
    )
    return (folder / "cert.pem").read_text(), lambda path: run(*opener, path, folder=folder)


KEYS: dict[str, Callable[[Path], tuple[str, Opener]]] = {
    "age": an_age_key,
    "openpgp, elliptic": lambda folder: an_openpgp_key(folder, ("ed25519", "cv25519")),
    "openpgp, RSA": lambda folder: an_openpgp_key(folder, ("rsa3072", "rsa3072")),
    "cms, RSA": lambda folder: a_certificate(folder, ("-newkey", "rsa:2048")),
    "cms, elliptic": lambda folder: a_certificate(folder, ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")),
}  # fmt: skip


def packed(recipient: str, path: Path, size: int = 100_000) -> Packed:
    members = [
        whole("data/main/sessions.0001.jsonl", b'{"control_number":"7F3K-000001"}\n'),
        whole("data/media/files/7F3K-000002_a", b"\xa5" * size),
    ]
    now = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(
        minutes=1
    )  # keys are made just before
    with path.open("wb") as out:
        return pack(
            members,
            Wrapping("7F3K", recipient, now, {"External-Identifier": "7F3K"}),
            out,
            describe=lambda _: [],
        )


@pytest.mark.parametrize("kind", KEYS)
def test_the_recipients_own_program_opens_a_valid_bag(tmp_path: Path, kind: str) -> None:
    """Decrypted, unpacked and validated by programs that are not ours; what we said of the ciphertext is true."""
    recipient, opener = KEYS[kind](tmp_path)
    done = packed(recipient, tmp_path / "parcel")
    ciphertext = (tmp_path / "parcel").read_bytes()
    assert (done.parcel_sha256, done.size) == (sha256_hex(ciphertext), len(ciphertext))
    plain = opener(tmp_path / "parcel")
    assert plain.returncode == 0, plain.stderr
    (tmp_path / "plain.tar").write_bytes(plain.stdout)
    made("tar", "xf", "plain.tar", folder=tmp_path)
    assert run("bagit.py", "--validate", "7F3K", folder=tmp_path).returncode == 0
    assert b"control_number" not in ciphertext


@pytest.mark.parametrize("kind", KEYS)
def test_a_changed_parcel_does_not_open(tmp_path: Path, kind: str) -> None:
    """One flipped bit in the middle or in the last bytes: the recipient's program ends with an error."""
    recipient, opener = KEYS[kind](tmp_path)
    packed(recipient, tmp_path / "parcel")
    ciphertext = (tmp_path / "parcel").read_bytes()
    for at in (len(ciphertext) // 2, len(ciphertext) - 3):
        changed = bytearray(ciphertext)
        changed[at] ^= 1
        (tmp_path / "changed").write_bytes(changed)
        assert opener(tmp_path / "changed").returncode != 0, at


def test_age_opens_parcels_of_every_size(tmp_path: Path) -> None:
    """Empty, and around the ends of age's chunks: Debian's age gives the same plaintext as the age library."""
    recipient, opener = an_age_key(tmp_path)
    officer = pyrage.x25519.Identity.from_str((tmp_path / "officer.agekey").read_text().strip())
    for size in SIZES:
        packed(recipient, tmp_path / "parcel", size)
        plain = opener(tmp_path / "parcel")
        assert plain.returncode == 0, plain.stderr
        assert plain.stdout == pyrage.decrypt((tmp_path / "parcel").read_bytes(), [officer])
