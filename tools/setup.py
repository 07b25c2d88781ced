"""Everything `make` needs, installed once and checked quickly afterwards.

Runs on any python3 from 3.11; uses only the standard library. Each part leaves a stamp that names the exact
lock file and interpreter it was made for, so an up-to-date tree costs a few milliseconds.

    tools/setup.py dev        .venv with the locked packages and this project
    tools/setup.py base       .venv-base with the base install's packages only (for the tests of the wheel)
    tools/setup.py server     .venv-server with what an operator installs and nothing else (for `make bench`)
    tools/setup.py oldest     .venv-oldest like .venv, on Python 3.12 (for `make oldest`)
    tools/setup.py synapse    .venv-synapse with Matrix Synapse (a separate program)
    tools/setup.py case       .venv-case with case_validate (a separate program)
    tools/setup.py spark      .venv-spark with a Spark cluster (a separate program)
    tools/setup.py debian     servers and other people's tools for the tests (see DEBIAN), where root and apt are there
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMPS = ROOT / ".stamps"
TOOLS = ROOT / ".tools"
UV = TOOLS / "bin" / "uv"
WANTED = (ROOT / ".python-version").read_text().strip()

DEBIAN = {
    "age": ["age"],
    "go": ["golang-go", "golang-golang-x-mod-dev"],
    "chromium": ["chromium"],
    "pdftotext": ["poppler-utils"],
    "initdb": ["postgresql"],
    "pg_dump": ["postgresql-client"],
    "pgaudit": ["postgresql-15-pgaudit"],
    "strace": ["strace"],
    "gpg": ["gnupg"],
    "openssl": ["openssl"],
    "curl": ["curl"],
    "mariadbd": ["mariadb-server"],
    "soffice": ["libreoffice-calc-nogui"],
    "prosody": ["prosody", "lua-dbi-sqlite3"],
    "ejabberdctl": ["ejabberd", "erlang-p1-sqlite3", "erlang-p1-pgsql"],
    "doveadm": ["dovecot-imapd"],
    "wg": ["wireguard-tools"],
    "java": ["default-jre-headless"],
}


def say(text: str) -> None:
    print(f"set-up: {text}", file=sys.stderr, flush=True)


def fail(what: str, advice: str) -> None:
    sys.exit(f"set-up cannot go on: {what}\nWhat to do: {advice}")


def run(*command: str | Path, **extra: str) -> None:
    environment = {
        k: v for k, v in os.environ.items() if k not in {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"}
    }
    done = subprocess.run(
        [str(each) for each in command], cwd=ROOT, env={**environment, **extra}, check=False
    )
    if done.returncode:
        fail(
            f"`{' '.join(str(each) for each in command)}` ended with {done.returncode}",
            "read its message above",
        )


def digest(*names: str) -> str:
    found = hashlib.sha256()
    for name in names:
        found.update((ROOT / name).read_bytes())
    return found.hexdigest()


def stamped(name: str, value: str) -> bool:
    stamp = STAMPS / name
    return stamp.exists() and stamp.read_text() == value


def stamp(name: str, value: str) -> None:
    STAMPS.mkdir(exist_ok=True)
    (STAMPS / name).write_text(value)


def uv() -> Path:
    if not UV.exists():
        say("installing uv into .tools")
        done = subprocess.run([sys.executable, "-m", "venv", str(TOOLS)], cwd=ROOT, check=False)
        if done.returncode:
            fail(
                "this python3 cannot make a virtual environment",
                "install python3-venv (Debian: apt install python3-venv)",
            )
        run(TOOLS / "bin" / "pip", "install", "-q", "--require-hashes", "-r", "requirements/uv.lock")
    return UV


def interpreter() -> str:
    """3.13 if uv finds or can download it, else any 3.12 or newer, else advice."""
    found = ""
    for version in (WANTED, ">=3.12"):
        done = subprocess.run(
            [str(uv()), "python", "find", "--no-project", version],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            found = done.stdout.strip()
            break
    if not found:
        installed = subprocess.run([str(uv()), "python", "install", WANTED], cwd=ROOT, check=False)
        found = WANTED if installed.returncode == 0 else ""
    if not found:
        fail(
            "no Python 3.12 or newer was found, and none could be downloaded",
            f"install Python {WANTED} and run make again",
        )
    return found


OLDEST = "3.12"


def oldest() -> None:
    """The same packages on the oldest Python that is promised."""
    done = subprocess.run(
        [str(uv()), "python", "find", "--no-project", OLDEST],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        fail(
            f"no Python {OLDEST} was found",
            f"install Python {OLDEST} beside the other one and run make oldest again",
        )
    environment(".venv-oldest", "requirements/dev.lock", project=True, python=done.stdout.strip())


def environment(name: str, lock: str, *, project: bool = False, python: str = "") -> None:
    folder = ROOT / name
    value = digest(lock, "pyproject.toml" if project else lock)
    if stamped(name, value) and (folder / "bin" / "python").exists():
        return
    say(f"making {name} from {lock}")
    if not (folder / "bin" / "python").exists():
        run(uv(), "venv", "-q", "--no-project", "--python", python or interpreter(), folder)
    run(uv(), "pip", "sync", "-q", "--require-hashes", "--python", folder / "bin" / "python", lock)
    if project:
        run(
            uv(),
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "--python",
            folder / "bin" / "python",
            "-e",
            ".",
        )
    stamp(name, value)


def server() -> None:
    """The operator's packages, and this project's source on their path."""
    environment(".venv-server", "requirements/server.lock")
    for folder in (ROOT / ".venv-server" / "lib").glob("python*/site-packages"):
        (folder / "dueprocess.pth").write_text(f"{ROOT / 'src'}\n")


def have(program: str) -> bool:
    if program == "mariadbd":
        return Path("/usr/sbin/mariadbd").exists() or shutil.which("mariadbd") is not None
    if program == "pgaudit":
        return any(Path("/usr/lib/postgresql").glob("*/lib/pgaudit.so"))
    if program == "initdb":
        return any(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb") is not None
    return shutil.which(program) is not None


def debian() -> None:
    missing = {program: packages for program, packages in DEBIAN.items() if packages and not have(program)}
    if not missing:
        return
    packages = sorted({package for each in missing.values() for package in each})
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        say(
            f"missing programs: {', '.join(missing)}. As root on Debian: apt-get install {' '.join(packages)}"
        )
        say("going on without them: the tests that need one will fail and say so")
        return
    say(f"installing Debian packages: {' '.join(packages)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-qq", **quiet)
    run(
        "apt-get",
        "install",
        "-y",
        "-qq",
        "--no-install-recommends",
        "-o",
        "Dpkg::Use-Pty=0",
        *packages,
        **quiet,
    )


PARTS = {
    "dev": lambda: environment(".venv", "requirements/dev.lock", project=True),
    "base": lambda: environment(".venv-base", "requirements/base.lock"),
    "server": server,
    "oldest": oldest,
    "synapse": lambda: environment(".venv-synapse", "requirements/synapse.lock"),
    "case": lambda: environment(".venv-case", "requirements/case.lock"),
    "spark": lambda: environment(".venv-spark", "requirements/spark.lock"),
    "debian": debian,
}


def main() -> None:
    if sys.version_info < (3, 11):
        fail(f"python3 is {sys.version.split()[0]}", "put Python 3.11 or newer first on PATH")
    for part in sys.argv[1:] or ["dev"]:
        if part not in PARTS:
            fail(f"there is no part {part!r}", "choose from " + ", ".join(PARTS))
        PARTS[part]()


if __name__ == "__main__":
    main()
