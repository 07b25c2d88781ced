"""What happens on a chat server in these tests: three phases, of which the middle one is the window."""

import datetime as dt
import time
from contextlib import ExitStack
from dataclasses import dataclass

from datamaps.servers import HOST, OTHER
from datamaps.xmpp import Client
from dueprocess.demand import Period

PHASES = ("CANARY-early", "inside", "CANARY-late")


@dataclass(frozen=True)
class Talked:
    """When the middle phase was: whole seconds, so that a server that counts seconds can be asked for it."""

    window: Period


def talk(port: int, hosts: tuple[str, ...]) -> Talked:
    """Eva and Dana write to each other, Dana writes to Boris, and Eva's namesake on the other host writes too.

    Eva is never online, so that what is written to her waits for her.
    """
    _register(port, hosts)
    with ExitStack() as stack:
        eva = _logged_in(stack, port, HOST, "eva")
        dana = _logged_in(stack, port, HOST, "dana")
        namesake = _logged_in(stack, port, OTHER, "eva") if OTHER in hosts else None
        for client, name in ((eva, "Eva Example"), (dana, "CANARY Dana")):
            client.ask("set", f"<vCard xmlns='vcard-temp'><FN>{name}</FN></vCard>")
        _befriend(eva)
        ends = []
        for phase in PHASES:
            if phase != PHASES[0]:
                ends.append(whole_second())
            _phase(eva, dana, namesake, phase)
    return Talked(Period(*ends))


def _logged_in(stack: ExitStack, port: int, host: str, name: str) -> Client:
    client = stack.enter_context(Client(port, host))
    client.log_in(name, f"pw-{name}")
    return client


def _register(port: int, hosts: tuple[str, ...]) -> None:
    for host in hosts:
        for name in ("eva", "dana", "boris"):
            mark = name if (name, host) == ("eva", HOST) else f"CANARY-{name}"
            with Client(port, host) as client:
                client.register(name, f"pw-{name}", email=f"{mark}@mail.example")


def _befriend(eva: Client) -> None:
    item = "<item jid='CANARY-friend@chat.example' name='CANARY-friend'/>"
    eva.ask("set", f"<query xmlns='jabber:iq:roster'>{item}</query>")


def _phase(eva: Client, dana: Client, namesake: Client | None, phase: str) -> None:
    """One round of messages."""
    eva.say(f"dana@{HOST}", f"{phase}|eva to dana")
    dana.say(f"eva@{HOST}", f"{phase}|dana to eva")
    dana.say(f"boris@{HOST}", f"CANARY|{phase}|dana to boris")
    if namesake is not None:
        namesake.say(f"boris@{OTHER}", f"CANARY|{phase}|from another host")


def whole_second() -> dt.datetime:
    """The next whole second, once it has begun."""
    now = time.time()
    time.sleep(1.02 - now % 1)
    return dt.datetime.fromtimestamp(int(now) + 1, dt.UTC)
