# SPDX-License-Identifier: GPL-2.0-or-later
"""`ugvt serve` as a process, its control socket as a connection, its verbs as calls: what the tests of
them share."""

import array
import base64
import json
import os
import signal
import socket
import struct
import subprocess
import time

import pytest

from conftest import BUILD
from vfio_user import Client

UGVT = os.environ.get("UGVT", os.path.join(BUILD, "ugvt"))
needs_ugvt = pytest.mark.skipif(not os.path.exists(UGVT), reason="no build of ugvt")


class Control:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)  # waits when many do
        self.sock.settimeout(20)
        self.buffer, self.fds = b"", []

    def send(self, data):
        self.sock.sendall(data)

    def receive(self):
        """The next message, or None when the server has closed."""
        while b"\0" not in self.buffer:
            try:
                data, control, _, _ = self.sock.recvmsg(1 << 20, socket.CMSG_SPACE(64))
            except ConnectionResetError:
                return None
            for _, _, body in control:
                got = array.array("i")
                got.frombytes(body[:len(body) // 4 * 4])
                self.fds += list(got)
            if not data:
                return None
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, parameters=None, **more):
        request = {"method": method, **more}
        if parameters is not None:
            request["parameters"] = parameters
        self.send(json.dumps(request).encode() + b"\0")
        return self.receive()

    def close(self):
        self.sock.close()
        for fd in self.fds:
            os.close(fd)


class Serve:
    def __init__(self, folder, *args, **popen):
        self.path = os.path.join(folder, "gpu.sock")
        self.control_path = self.path + ".ctl"
        self.log_path = os.path.join(folder, "log")
        self.log = open(self.log_path, "w")
        self.process = subprocess.Popen([UGVT, "serve", "--socket-path", self.path, *args],
                                        stderr=self.log, **popen)
        self.wait(lambda: os.path.exists(self.path) and os.path.exists(self.control_path))
        self.control().close()

    def wait(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            assert self.process.poll() is None, self.errors()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def errors(self):
        with open(self.log_path) as f:
            return f.read()

    def control(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                return Control(self.control_path)
            except ConnectionRefusedError:
                assert self.process.poll() is None, self.errors()
                assert time.monotonic() < deadline
                time.sleep(0.01)

    def status(self):
        c = self.control()
        answer = c.call("org.ugvt.Status")
        c.close()
        return answer["parameters"]

    def vm(self):
        """A connected vfio-user client that has negotiated."""
        deadline = time.monotonic() + 20
        while self.status()["attached"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        c = Client(self.path)
        c.version()
        return c

    def stop(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        code = self.process.wait(30)
        self.log.close()
        return code


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    s = Serve(tmp_path_factory.mktemp("serve"))
    yield s
    assert s.process.poll() is None, s.errors()
    assert s.stop() == 0
    assert not os.path.exists(s.path) and not os.path.exists(s.control_path)


@pytest.fixture
def control(serve):
    c = serve.control()
    yield c
    c.close()


def ugvt(*args, **more):
    return subprocess.run([UGVT, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, **more)


def parse_events(message):
    assert message["continues"]
    data, out = base64.b64decode(message["parameters"]["events"]), []
    while data:
        kind, dwords, unit, n, ns, a, b = struct.unpack_from("<BBHIQQQ", data)
        out.append((kind, dwords, unit, n, ns, a, b))
        data = data[32 + 4 * dwords:]
    return out
