"""`dueprocess try`: where a token goes and where it never goes, against servers that mean harm; and its page."""

import datetime as dt
import io
import ipaddress
import json
import os
import pty
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from dueprocess.cli import tryout
from dueprocess.cli.whoami import MOST_ANSWER, Whoami, _read, place_of, whoami
from dueprocess.errors import DueprocessError, MalformedError, RefusedError, UnavailableError

TOKEN = "syt_ZXZh_SeCrEtSeCrEtSeCrEt_1a2b3c"
ME = {"user_id": "@eva:chat.example", "device_id": "PHONE", "is_guest": False}


@dataclass
class Foreign:
    """A server that answers as the test says, and remembers what was asked with which authorization."""

    port: int
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


type Answers = Mapping[str, tuple[int, bytes] | tuple[int, bytes, str]]


@contextmanager
def foreign(answers: Answers, context: ssl.SSLContext | None = None) -> Iterator[Foreign]:
    """Answers by the end of the path; 404 for everything else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.asked.append((self.path, self.headers["Authorization"]))
            last = self.path.rpartition("/")[2]
            status, body, *where = answers.get(last, (404, b'{"errcode":"M_UNRECOGNIZED"}'))
            self.send_response(status)
            if where:
                self.send_header("Location", where[0])
            self.end_headers()
            try:
                self.wfile.write(body)
            except ConnectionError:
                return

        def log_message(self, *_: object) -> None:
            """Stays quiet."""

    class Quiet(HTTPServer):
        def handle_error(self, *_: object) -> None:
            """Who hangs up is no surprise here."""

    with Quiet(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        seen = Foreign(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield seen
        finally:
            server.shutdown()
            thread.join()


def said(value: object) -> tuple[int, bytes]:
    return 200, json.dumps(value).encode()


def refusal(answers: Answers) -> DueprocessError:
    """What asking such a server ends with. The token stands in no word of it."""
    with foreign(answers) as server, pytest.raises(DueprocessError) as caught:
        whoami(place_of(server.address), TOKEN)
    assert TOKEN not in repr(caught.value.as_json())
    return caught.value


# ------------------------------------------------------------------------------------------------ the server's word


def test_the_server_says_whose_token_it_is() -> None:
    """Two questions, each with the token as a bearer and nowhere else: whose it is, and whether it may administer."""
    with foreign({"whoami": said(ME), "admin": (403, b'{"errcode":"M_FORBIDDEN"}')}) as server:
        assert whoami(place_of(server.address + "/"), TOKEN) == Whoami("@eva:chat.example", "PHONE")
    assert server.asked == [
        ("/_matrix/client/v3/account/whoami", f"Bearer {TOKEN}"),
        ("/_synapse/admin/v1/users/%40eva%3Achat.example/admin", f"Bearer {TOKEN}"),
    ]


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"whoami": (401, b'{"errcode":"M_UNKNOWN_TOKEN","error":"x"}')}, "token-refused"),
        ({"whoami": (401, b'{"errcode":"<script>","error":"x"}')}, "token-refused"),
        ({"whoami": (403, b"no json")}, "token-refused"),
        ({"whoami": said({**ME, "is_guest": True})}, "guest"),
        ({"whoami": said({**ME, "is_guest": "maybe"})}, "guest"),
        ({"whoami": said({"user_id": ME["user_id"]})}, "no-session"),
        ({"whoami": said({**ME, "device_id": ""})}, "no-session"),
        ({"whoami": said(ME), "admin": said({"admin": True})}, "administrator"),
        ({"whoami": said(ME), "admin": said({"admin": False})}, "administrator"),
    ],
)
def test_a_token_that_proves_no_ordinary_person_is_refused(answers: Answers, code: str) -> None:
    """Unknown, a guest's, without a session, or one for which the admin API opens, whatever it says."""
    error = refusal(answers)
    assert isinstance(error, RefusedError)
    assert error.code == code
    assert "<" not in str(error)


def test_a_server_whose_admin_interface_is_closed_can_still_be_asked() -> None:
    """A web server in front answers 404, or with its start page: that makes nobody an administrator."""
    for closed in (
        (404, b""),
        (502, b"x"),
        (200, b"<html>Welcome</html>"),
        (200, b"[]"),
        (301, b"", "/login"),
    ):
        with foreign({"whoami": said(ME), "admin": closed}) as server:
            assert whoami(place_of(server.address), TOKEN).user_id == ME["user_id"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """The token goes to the one address that was named, and not to where that one points."""
    with foreign({"whoami": said(ME)}) as other:
        error = refusal({"whoami": (status, b"", f"{other.address}/_matrix/client/v3/account/whoami")})
    assert error.code == "redirected"
    assert other.asked == []


def test_an_answer_over_64_kb_is_not_read() -> None:
    """Neither believed nor kept."""
    fitting = json.dumps({**ME, "more": ""}).encode()
    exact = fitting[:-2] + b"x" * (MOST_ANSWER - len(fitting)) + b'"}'
    with foreign({"whoami": (200, exact)}) as server:
        assert whoami(place_of(server.address), TOKEN).user_id == ME["user_id"]
    assert refusal({"whoami": (200, exact[:-2] + b'x"}')}).code == "too-large"


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"[]", b"{}", b'{"user_id":1}', b'{"user_id":"eva"}', b'{"user_id":"@e va:x"}', b"\xff"],
)
def test_what_is_no_matrix_server_is_malformed(body: bytes) -> None:
    """Its answer names no account."""
    assert isinstance(refusal({"whoami": (200, body)}), MalformedError)


def test_a_server_in_trouble_is_unavailable() -> None:
    """So is one that is not there."""
    assert isinstance(refusal({"whoami": (502, b"")}), UnavailableError)
    with foreign({}) as gone:
        pass
    with pytest.raises(UnavailableError):
        whoami(place_of(gone.address), TOKEN)


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_no_answer_breaks_the_reader(body: bytes) -> None:
    """Whatever a server says is an account, or malformed, or refused."""
    try:
        found = _read(body)
    except (MalformedError, RefusedError):
        return
    assert found.user_id.startswith("@")


def test_a_bad_certificate_gets_no_token(tmp_path: Path) -> None:
    """A certificate that nobody vouches for ends it before anything is sent."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "chat.example")])
    now = dt.datetime.now(dt.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    signed = made.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "both.pem").write_bytes(key.private_bytes(*form) + signed.public_bytes(form[0]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    with foreign({"whoami": said(ME)}, context) as server, pytest.raises(RefusedError) as caught:
        whoami(place_of(f"https://127.0.0.1:{server.port}"), TOKEN)
    assert caught.value.code == "bad-tls"
    assert server.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "http://chat.example", "http://192.0.2.1:8008", "http://127.0.0.1.chat.example", "http://[2001:db8::1]",
        "ftp://127.0.0.1", "127.0.0.1:8008", "https://", "https://eva:secret@chat.example", "https://chat.example/?a=b",
        "https://chat.example/path", "https://chat.example/#x", "https://chat.example:99999", "https://chat\n.example",
        "https://chät.example", "http://0.0.0.0:8008", "http://2130706433/", "",
    ],
)  # fmt: skip
def test_an_address_that_could_leak_a_token_is_refused(address: str) -> None:
    """Plain http beyond this machine, and whatever is more than a host and a port."""
    with pytest.raises(RefusedError) as caught:
        place_of(address)
    assert "secret" not in str(caught.value)


def test_this_machine_may_be_asked_in_plain() -> None:
    """By its addresses and by its name."""
    for address in (
        "http://127.0.0.1:8008",
        "http://[::1]:8008/",
        "http://localhost",
        "https://chat.example",
    ):
        assert place_of(address).host


# ------------------------------------------------------------------------------------------------ the token


@pytest.mark.parametrize(
    "typed", [b"", b"\n", b"two words", b"two\nlines", b"n\xc3\xb6n", b"a" * 4097, b"\0"]
)
def test_what_is_no_token_is_not_sent(typed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is not repeated in the error."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed)))
    with pytest.raises(MalformedError) as caught:
        tryout.read_token()
    assert "words" not in str(caught.value)


def test_a_line_is_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its end of line or without."""
    for end in (b"", b"\n", b"\r\n"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TOKEN.encode() + end)))
        assert tryout.read_token() == TOKEN


def run(*words: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dueprocess", "try", *words],
        input=token,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file that is there; what is in it does not matter before the token is confirmed."""
    path = tmp_path / "homeserver.db"
    path.touch()
    return path


def test_a_terminal_does_not_show_the_token(database: Path) -> None:
    """What is typed is not echoed."""
    with foreign({"whoami": (401, b"{}")}) as server:
        outer, inner = pty.openpty()
        words = [
            sys.executable,
            "-m",
            "dueprocess",
            "try",
            "--synapse",
            str(database),
            "--server",
            server.address,
        ]
        with subprocess.Popen(
            words, stdin=inner, stdout=inner, stderr=subprocess.PIPE, start_new_session=True
        ) as child:
            assert child.stderr is not None
            os.close(inner)
            prompt = b""
            while b"not shown" not in prompt:
                piece = child.stderr.read(1)
                assert piece, prompt
                prompt += piece
            child.stderr.read(3)  # The prompt's end is written after the echo was turned off.
            os.write(outer, f"{TOKEN}\n".encode())
            told = child.stderr.read()
            code = child.wait(30)
        try:
            shown = os.read(outer, 10_000)
        except OSError:  # Linux says so where the other end is closed and nothing was written.
            shown = b""
        os.close(outer)
    assert code == 3, told
    assert server.asked[0][1] == f"Bearer {TOKEN}"
    assert TOKEN.encode() not in prompt + told + shown


# ------------------------------------------------------------------------------------------------ the command


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("postgresql://reader:hidden@db.example/synapse", "password-shown"),
        ("postgresql://db.example/synapse?user=reader&password=hidden", "password-shown"),
        ("postgresql://[db.example/synapse", "bad-connect"),
        ("mysql://db.example/synapse", "bad-connect"),
        ("no-such-file.db", "not-there"),
        ("sqlite:///no-such-file.db", "not-there"),
    ],
)
def test_a_bad_place_is_told_before_the_token_is_read(where: str, code: str) -> None:
    """Also a password of the database that every user of the machine could read among the arguments."""
    done = run("--synapse", where, "--server", "http://127.0.0.1:9", "--json", token="")
    assert json.loads(done.stdout)["error"]["code"] == code
    assert "hidden" not in done.stdout + done.stderr


def test_a_page_is_not_written_over(database: Path, tmp_path: Path) -> None:
    """Told before the token is read."""
    page = tmp_path / "page.html"
    page.write_text("mine")
    done = run("--synapse", str(database), "--server", "http://127.0.0.1:9", "--out", str(page), token="")
    assert (done.returncode, page.read_text()) == (5, "mine")


def test_no_option_names_an_account() -> None:
    """The account is the token's, and there is no other way to name one; no password is taken either."""
    done = run("--help")
    assert done.returncode == 0
    options = {word for word in done.stdout.replace("│", " ").split() if word.startswith("--")}
    assert options == {"--synapse", "--media", "--map", "--server", "--days", "--out", "--json"}
    assert run("--user", "@dana:chat.example").returncode == 2


@pytest.mark.parametrize("missing", ["pyarrow", "jinja2"])
def test_without_the_server_extra_it_says_what_to_install(missing: str) -> None:
    """Before it looks at anything or asks for a token."""
    words = ["--synapse", "x.db", "--server", "x"]
    program = f"import sys; sys.modules[{missing!r}] = None; from dueprocess.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "try", *words], input="", capture_output=True, text=True, check=False
    )
    assert done.returncode == 6
    assert "pip install 'dueprocess[server]'" in done.stderr


def test_help_loads_no_engine() -> None:
    """The command's own page comes up without the packages of the server extra."""
    program = (
        "import sys\nfrom dueprocess.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    print(sorted({'pyarrow', 'jinja2', 'duckdb'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "try", "--help"], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("[]\n")
