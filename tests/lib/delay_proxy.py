# SPDX-License-Identifier: GPL-2.0-or-later
"""A man in the middle of vfio-user who holds posted writes back.

Between a client (QEMU) and a server: each command that wants no reply waits a random while before it
goes on; what stands behind it waits too, so the order stays. The client does not notice, because it
does not wait for posted writes: the device sees them late, as on a bus with deep buffers, while the
guest already looks at memory. Answers and the server's own commands pass at once.
"""

import array
import collections
import os
import random
import select
import socket
import struct
import threading
import time

HEADER = struct.Struct("<HHIII")
NO_REPLY = 0x10
MAX_FDS = 64
MAX_MESSAGE = 4 << 20


class Gone(Exception):
    """One side has closed its connection."""


def receive(sock, size, fds):
    """Exactly `size` bytes; fds that came with them are appended to `fds`."""
    parts = []
    while size:
        try:
            data, control, _, _ = sock.recvmsg(size, socket.CMSG_SPACE(4 * MAX_FDS))
        except ConnectionError:
            raise Gone() from None
        for level, kind, body in control:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                got = array.array("i")
                got.frombytes(body[:len(body) // 4 * 4])
                fds.extend(got)
        if not data:
            raise Gone()
        parts.append(data)
        size -= len(data)
    return b"".join(parts)


def send(sock, data, fds):
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    try:
        sent = sock.sendmsg([data], control)
        if sent < len(data):
            sock.sendall(data[sent:])
    except OSError:
        raise Gone() from None
    finally:
        for fd in fds:
            os.close(fd)


def message(sock):
    """The next message: (bytes, fds, whether it is a command without reply)."""
    fds = []
    head = receive(sock, HEADER.size, fds)
    _, _, size, flags, _ = HEADER.unpack(head)
    if not HEADER.size <= size <= MAX_MESSAGE:
        raise Gone()
    body = receive(sock, size - HEADER.size, fds)
    return head + body, fds, bool(flags & NO_REPLY) and not flags & 0xf


class DelayProxy:
    """Listens on `path`, connects to `target` for each client; `chance` of a posted write waits up to
    `longest` seconds. Counts what it held."""

    def __init__(self, path, target, chance=0.2, longest=0.004, seed=None):
        self.path, self.target = path, target
        self.chance, self.longest = chance, longest
        self.random = random.Random(seed)
        self.posted = self.held = 0
        self.sockets, self.closing = [], False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(4)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.closing:
            try:
                client, _ = self.listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.target)
            except OSError:
                return
            self.sockets += [client, server]
            queue, ready = collections.deque(), threading.Condition()
            for what in ((self.read, client, server, queue, ready), (self.write, client, server, queue, ready),
                         (self.back, client, server)):
                threading.Thread(target=what[0], args=what[1:], daemon=True).start()

    @staticmethod
    def end(*sockets):
        for s in sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def read(self, client, server, queue, ready):
        """From the client into the queue."""
        item = True
        while item:
            try:
                item = message(client)
            except (Gone, OSError):
                item = None
            with ready:
                queue.append(item)
                ready.notify()

    def write(self, client, server, queue, ready):
        """From the queue to the server, in order, some after a while."""
        try:
            while True:
                with ready:
                    while not queue:
                        ready.wait()
                    item = queue.popleft()
                if item is None:
                    raise Gone()
                data, fds, posted = item
                if posted:
                    self.posted += 1
                    if self.random.random() < self.chance:
                        self.held += 1
                        time.sleep(self.random.random() * self.longest)
                send(server, data, fds)
        except Gone:
            self.end(client, server)

    def back(self, client, server):
        """From the server to the client."""
        try:
            while True:
                data, fds, _ = message(server)
                send(client, data, fds)
        except (Gone, OSError):
            self.end(client, server)

    def close(self):
        self.closing = True
        self.end(self.listener, *self.sockets)
        for s in (self.listener, *self.sockets):
            s.close()
        if os.path.exists(self.path):
            os.unlink(self.path)


if __name__ == "__main__":
    import sys
    DelayProxy(sys.argv[1], sys.argv[2])
    select.select([], [], [])
