# SPDX-License-Identifier: GPL-2.0-or-later
"""The servers under test: the test device and, for tests that fit any device, `ugvt serve` too.

UGVT_WIRE_SERVER names another instead: a command line to which `--socket-path PATH` is added; tests
that need the test device's regions are skipped then. UGVT_BUILD is the build folder (default: build).
UGVT_SERVE_ARGS are further options of `ugvt serve`: a coverage build writes files and wants --seccomp=off."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from vfio_user import Client  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("UGVT_BUILD", "build"))
FOREIGN = os.environ.get("UGVT_WIRE_SERVER")
SERVERS = {"testdev": [os.path.join(BUILD, "tests", "vfu-testdev")],
           "serve": [os.path.join(BUILD, "ugvt"), "serve", *shlex.split(os.environ.get("UGVT_SERVE_ARGS", ""))]}


class Server:
    """A running server, its socket and its end."""

    def __init__(self, folder, args=(), command=None):
        self.path = os.path.join(folder, "s.sock")
        if command is None:
            command = shlex.split(FOREIGN) if FOREIGN else SERVERS["testdev"]
        self.log = open(os.path.join(folder, "server.log"), "w+")
        self.process = subprocess.Popen([*command, "--socket-path", self.path, *args],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        deadline = time.monotonic() + 20
        while not os.path.exists(self.path):
            assert self.process.poll() is None, self.errors()
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def errors(self):
        self.log.seek(0)
        return self.log.read()

    def connect(self):
        """A connected client; the socket may exist a moment before somebody listens."""
        deadline = time.monotonic() + 20
        while True:
            try:
                return Client(self.path)
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.005)

    def client(self, **version):
        """A client that has negotiated; waits until the one before is let go of."""
        deadline = time.monotonic() + 20
        while True:
            c = self.connect()
            try:
                c.version(**version)
                return c
            except OSError as e:
                c.close()
                if e.errno != 16 or time.monotonic() > deadline:  # EBUSY
                    raise
                time.sleep(0.005)

    def alive(self):
        """The process lives and serves a good client from VERSION to RESET."""
        assert self.process.poll() is None, self.errors()
        c = self.client()
        argsz, flags, regions, irqs = c.info()
        assert flags & 3 == 3 and regions >= 8 and irqs >= 3
        for i in range(regions):
            c.region_info(i)
        assert len(c.region_read(7, 0, 4)) == 4
        c.reset()
        c.close()

    def stats(self):
        """The test device's counters."""
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process.stdout.close()
        errors = self.errors()
        self.log.close()
        assert code == 0, errors
        assert not os.path.exists(self.path)
        return errors


def pytest_generate_tests(metafunc):
    """The tests of the protocol run on both servers, but for those that need the test device's regions."""
    if metafunc.module.__name__ not in ("test_protocol", "test_hostile", "test_clients"):
        return
    if "server" in metafunc.fixturenames and not FOREIGN:
        only = metafunc.definition.get_closest_marker("testdev")
        metafunc.parametrize("server", ["testdev"] if only else list(SERVERS), indirect=True, scope="module")


@pytest.fixture(scope="module")
def server(request, tmp_path_factory):
    """One server a file: what one test leaves behind, the next one meets."""
    s = Server(str(tmp_path_factory.mktemp("wire")), command=SERVERS.get(getattr(request, "param", None)))
    yield s
    s.alive()
    s.stop()


@pytest.fixture
def client(server):
    """A client that has negotiated as QEMU does."""
    c = server.client()
    yield c
    c.close()


@pytest.fixture
def start(tmp_path):
    """Starts a server of the test's own, with arguments."""
    servers = []

    def go(*args, **more):
        folder = tmp_path / str(len(servers))
        folder.mkdir()
        servers.append(Server(str(folder), args, **more))
        return servers[-1]

    yield go
    for s in servers:
        if s.process.poll() is None:
            s.stop()


def pytest_collection_modifyitems(items):
    if not FOREIGN:
        return
    skip = pytest.mark.skip(reason="needs the test device")
    for item in items:
        if "testdev" in item.keywords:
            item.add_marker(skip)


def pytest_configure(config):
    config.addinivalue_line("markers", "testdev: needs the regions and counters of the test device")
    config.addinivalue_line("markers", "long: only with --long")
