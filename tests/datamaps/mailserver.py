"""A real Dovecot on loopback with a folder of its own, and what its users do with it over IMAP."""

import grp
import imaplib
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from datamaps.servers import _running, free_port, needed

USERS = """# the accounts of this host
eva@mail.example:{PLAIN}CANARY-pw-eva:::Eva Example:CANARY-home::CANARY-extra=1
dana@mail.example:{PLAIN}CANARY-pw-dana:::CANARY Dana::
boris@mail.example:{PLAIN}CANARY-pw-boris
eva@other.example:{PLAIN}CANARY-pw-namesake:::CANARY namesake::
"""


@dataclass(frozen=True)
class MailHost:
    """The folders that a map is pointed at, and the port for IMAP."""

    users: Path
    logs: Path
    mail: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        return {
            "MAIL_USERS": f"lines:///{self.users}",
            "MAIL_LOGS": f"lines:///{self.logs}",
            "MAIL_DIRS": f"file:///{self.mail}",
        }

    def maildir(self, login: str) -> Path:
        name, _, domain = login.partition("@")
        return self.mail / domain / name / "Maildir"


@contextmanager
def mail_host() -> Iterator[MailHost]:
    """Dovecot with a passwd-file and Maildirs, as a user without special rights, until the end of the block."""
    program = needed("dovecot", "dovecot-imapd")
    with tempfile.TemporaryDirectory(prefix="dp-mail-", dir="/tmp") as name:
        folder, port = Path(name), free_port()
        host = MailHost(folder / "etc", folder / "log", folder / "mail", port)
        for each in (host.users, host.logs, host.mail, folder / "run"):
            each.mkdir()
        (host.users / "users").write_text(USERS)
        user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
        (folder / "dovecot.conf").write_text(_CONFIG.format(folder=folder, port=port, user=user, group=group))
        command = [program, "-F", "-c", str(folder / "dovecot.conf")]
        if os.geteuid() == 0:
            for each in (folder, *folder.rglob("*")):
                shutil.chown(each, user, group)
            command = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", *command]
        with _running(command, folder, port, {}):
            yield host


_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log/mail.log
log_timestamp = "%Y-%m-%dT%H:%M:%S%z mx dovecot: "
protocols = imap
ssl = no
disable_plaintext_auth = no
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
namespace inbox {{
  inbox = yes
  separator = .
}}
passdb {{
  driver = passwd-file
  args = username_format=%u {folder}/etc/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%d/%n
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


def session(port: int, login: str, password: str, *texts: tuple[str, str]) -> None:
    """One sign-in; each (folder, text) becomes a message there."""
    client = imaplib.IMAP4("127.0.0.1", port)
    try:
        client.login(login, password)
        for box, text in texts:
            client.create(box)
            client.append(box, "", "", f"Subject: {text}\r\n\r\n{text}\r\n".encode())
        client.select("INBOX")
        client.fetch("1:*", "(BODY[])")
    finally:
        client.logout()


def refused(port: int, login: str) -> None:
    """A sign-in with a wrong password."""
    client = imaplib.IMAP4("127.0.0.1", port)
    try:
        client.login(login, "wrong")
    except imaplib.IMAP4.error:
        client.shutdown()
    else:
        raise AssertionError("A wrong password was taken.")
