"""The program that encrypts: what it is given, how it ends, and that nobody is left behind."""

import datetime as dt
import hashlib
import io
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.production import ciphers, sealing
from dueprocess.production.packing import Member, Packed, Wrapping, pack, whole

NOW = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)


def children() -> list[int]:
    """The programs that this one has started and that are still there, dead or alive."""
    found = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(each) for each in found]


@pytest.fixture(autouse=True)
def _nobody_left() -> Iterator[None]:
    """After each test no program and no zombie is left."""
    before = set(children())
    yield
    assert set(children()) <= before


@pytest.fixture(scope="module")
def officer_once() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


def packed(recipient: str, members: Iterator[Member], out: ciphers.Sink) -> Packed:
    return pack(members, Wrapping("7F3K", recipient, NOW, {}), out, describe=lambda _: [])


def certificate(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, days: int = 30) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "officer.court.example")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(NOW - dt.timedelta(days=60)).not_valid_after(NOW + dt.timedelta(days=days))
        .sign(key, SHA256() if isinstance(key, rsa.RSAPrivateKey) else None)
    )  # fmt: skip
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(
    "size", [0, 1, 65_535, 65_536, 65_537, 16 * 65_536, sealing.PIECE + 1, 5 * sealing.PIECE]
)
def test_what_goes_in_comes_out_at_every_length(
    officer_once: pyrage.x25519.Identity, tmp_path: Path, size: int
) -> None:
    """Also exactly at the ends of chunks and of the pieces in which the program writes."""
    plain = bytes(range(251)) * (size // 251 + 1)
    with (
        (tmp_path / "out").open("wb") as out,
        ciphers.encrypting(str(officer_once.to_public()), NOW, out) as running,
    ):
        running.write(plain[:size])
        digest, written = running.finish()
    ciphertext = (tmp_path / "out").read_bytes()
    assert (hashlib.sha256(ciphertext).hexdigest(), len(ciphertext)) == (digest, written)
    assert pyrage.decrypt(ciphertext, [officer_once]) == plain[:size]


def test_the_same_parcel_goes_into_a_file_and_into_any_other_sink(
    officer_once: pyrage.x25519.Identity, tmp_path: Path
) -> None:
    """Written by the program itself or passed on: digest and size are those of the ciphertext alone."""
    recipient = str(officer_once.to_public())
    content = bytes(range(256)) * 10_000
    memory = io.BytesIO()
    told = packed(recipient, iter([whole("data/a", content)]), memory)
    with (tmp_path / "parcel").open("wb") as file:
        file.write(b"before")
        direct = packed(recipient, iter([whole("data/a", content)]), file)
        file.write(b"after")
    written = (tmp_path / "parcel").read_bytes()
    assert written.startswith(b"before")
    assert written.endswith(b"after")
    for ciphertext, done in ((memory.getvalue(), told), (written[6:-5], direct)):
        assert (done.parcel_sha256, done.size) == (hashlib.sha256(ciphertext).hexdigest(), len(ciphertext))
    plain = [pyrage.decrypt(each, [officer_once]) for each in (memory.getvalue(), written[6:-5])]
    assert plain[0] == plain[1]


@pytest.mark.parametrize(
    "text",
    [
        "", "age1", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1", "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nnonsense\n-----END PGP PUBLIC KEY BLOCK-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\0",
    ],
)  # fmt: skip
def test_a_key_that_cannot_receive_is_refused_before_anything_is_read(text: str) -> None:
    """Whatever the kind that it pretends to be."""

    def untouched() -> Iterator[Member]:
        yield pytest.fail("a member was asked for")

    with pytest.raises(MalformedError) as caught:
        packed(text, untouched(), io.BytesIO())
    assert caught.value.code == "bad-recipient"


def test_a_certificate_must_be_in_force_and_strong() -> None:
    """Expired, too short, of a key that only signs, or two of them: refused, each in its own words."""
    good = rsa.generate_private_key(65537, 2048)
    for text, word in (
        (certificate(good, days=-1), "in force"),
        (certificate(rsa.generate_private_key(65537, 1024)), "cannot receive"),
        (certificate(ed25519.Ed25519PrivateKey.generate()), "cannot receive"),
        (certificate(good) * 2, "exactly one"),
    ):
        with pytest.raises(MalformedError, match=word):
            packed(text, iter(()), io.BytesIO())
    assert packed(certificate(good), iter(()), io.BytesIO()).size > 0


def test_a_program_that_is_missing_is_unavailable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The authority's key needs it; which one to install is said."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="openssl") as caught:
        packed(certificate(rsa.generate_private_key(65537, 2048)), iter(()), io.BytesIO())
    assert caught.value.code == "no-program"
    with pytest.raises(UnavailableError, match="gpg"):
        packed("-----BEGIN PGP PUBLIC KEY BLOCK-----\n", iter(()), io.BytesIO())


@pytest.mark.parametrize("into", ["memory", "file"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_program_that_dies_ends_the_parcel(
    officer_once: pyrage.x25519.Identity, tmp_path: Path, into: str, number: signal.Signals
) -> None:
    """In the middle of a stream: an error that can be tried again, and no parcel."""

    def dying() -> Iterator[bytes]:
        yield bytes(5_000_000)
        (child,) = set(children()) - before
        os.kill(child, number)
        for _ in range(20):
            yield bytes(5_000_000)

    before = set(children())
    member = Member("data/a", 21 * 5_000_000, dying())
    with (tmp_path / "parcel").open("wb") as file:
        out = file if into == "file" else io.BytesIO()
        with pytest.raises(UnavailableError) as caught:
            packed(str(officer_once.to_public()), iter([member]), out)
    assert caught.value.code == "encryption-ended"


def test_a_program_that_dies_at_the_very_end_is_noticed(officer_once: pyrage.x25519.Identity) -> None:
    """Nothing is left to write, so only its exit tells."""
    before = set(children())

    def dying() -> Iterator[Member]:
        yield whole("data/a", b"eva")
        (child,) = set(children()) - before
        os.kill(child, signal.SIGKILL)

    with pytest.raises(UnavailableError):
        packed(str(officer_once.to_public()), dying(), io.BytesIO())


def test_a_full_disk_is_told_by_the_program_that_writes(
    officer_once: pyrage.x25519.Identity, tmp_path: Path
) -> None:
    """Written into the file by the program itself, the error is still the system's own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with (tmp_path / "parcel").open("wb") as file, pytest.raises(OSError, match="File too large"):
            packed(str(officer_once.to_public()), iter([whole("data/a", bytes(30_000_000))]), file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("into", ["memory", "file"])
def test_an_interruption_leaves_nobody_behind(
    officer_once: pyrage.x25519.Identity, tmp_path: Path, into: str
) -> None:
    """Ctrl-C in the middle comes out as it was, whatever takes the ciphertext."""

    def interrupted() -> Iterator[bytes]:
        yield bytes(3_000_000)
        raise KeyboardInterrupt

    member = Member("data/a", 9_000_000, interrupted())
    with (tmp_path / "parcel").open("wb") as file:
        out = file if into == "file" else io.BytesIO()
        with pytest.raises(KeyboardInterrupt):
            packed(str(officer_once.to_public()), iter([member]), out)


def test_when_we_are_killed_the_program_ends_by_itself(
    officer_once: pyrage.x25519.Identity, tmp_path: Path
) -> None:
    """Kill -9 to the one that feeds it: nobody goes on encrypting, and what it wrote is no whole parcel."""
    program = textwrap.dedent(f"""
        import datetime as dt, itertools, sys
        from pathlib import Path
        from dueprocess.production.packing import Member, Wrapping, pack
        def told():
            found = [(task / "children").read_text() for task in Path("/proc/self/task").iterdir()]
            print("".join(found), flush=True)
            for _ in itertools.count():
                yield bytes(1_000_000)
        with open({str(tmp_path / "parcel")!r}, "wb") as out:
            wrapping = Wrapping("7F3K", {str(officer_once.to_public())!r}, dt.datetime(2026, 1, 1, tzinfo=dt.UTC), {{}})
            pack([Member("data/a", 10**12, told())], wrapping, out, describe=lambda _: [])
    """)
    feeder = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert feeder.stdout is not None
    child = int(feeder.stdout.readline())
    feeder.kill()
    feeder.wait()
    feeder.stdout.close()
    for _ in range(100):
        if not Path(f"/proc/{child}").exists():
            break
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()
