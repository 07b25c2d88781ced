"""Sending a file from disk into a socket, and knowing how much of it the other end has acknowledged.

The kernel copies from file to socket (sendfile); memory does not grow with the file or with the number of clients.
"""

import errno
import fcntl
import os
import select
import socket
import struct
import termios
import time
from collections.abc import Callable
from contextlib import suppress

PIECE_BYTES = 1024 * 1024
STALL_SECONDS = 60.0
"""A client that takes nothing for so long has gone."""
_LOOK_SECONDS = 1.0
_SETTLE_SECONDS = 0.01


def send_file(
    connection: socket.socket,
    file: int,
    span: tuple[int, int],
    sent: Callable[[int, int], None],
    go_on: Callable[[], bool],
) -> int:
    """Sends the bytes from span[0] to span[1] and returns how many of them were acknowledged.

    ``sent`` is told how many were acknowledged and how many may go out next, before they do; ``go_on`` is asked before
    each piece. Ends early, without an error, where the client goes away or stalls, or ``go_on`` says no.
    """
    first, until = span
    place, counted, moved_at = first, 0, time.monotonic()
    connection.settimeout(0)
    with suppress(OSError):
        while counted < until - first and go_on() and time.monotonic() - moved_at <= STALL_SECONDS:
            if place < until:
                sent(counted, min(place + PIECE_BYTES, until) - first)
                place += _piece(connection, file, place, until)
            else:
                time.sleep(_SETTLE_SECONDS)
                _refuse_gone(connection)
            acknowledged = place - first - _unacknowledged(connection)
            if acknowledged > counted:
                counted, moved_at = acknowledged, time.monotonic()
                sent(counted, place - first)
    return counted


def _piece(connection: socket.socket, file: int, place: int, until: int) -> int:
    """Puts some bytes into the socket and returns how many; none where it has no room for a while."""
    with_room = select.poll()
    with_room.register(connection, select.POLLOUT)
    if not with_room.poll(_LOOK_SECONDS * 1000):
        return 0
    try:
        size = os.sendfile(connection.fileno(), file, place, min(PIECE_BYTES, until - place))
    except BlockingIOError:
        return 0
    if not size:
        raise OSError(errno.EIO, "the file ended before its size")
    return size


def _unacknowledged(connection: socket.socket) -> int:
    """Bytes in the socket that the other end has not acknowledged (tcp(7), SIOCOUTQ)."""
    found: int = struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0\0\0\0"))[0]
    return found


def _refuse_gone(connection: socket.socket) -> None:
    """Raises where the connection is broken. A client that only closed its own sending side still reads."""
    code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))
