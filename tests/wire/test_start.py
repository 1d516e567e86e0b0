# SPDX-License-Identifier: GPL-2.0-or-later
"""How a server starts and ends: socket paths, inherited sockets, signals."""

import os
import shlex
import signal
import socket
import stat
import subprocess
import time

import pytest

from conftest import BUILD, FOREIGN
from vfio_user import Client

COMMAND = shlex.split(FOREIGN) if FOREIGN else [os.path.join(BUILD, "tests", "vfu-testdev")]


def run(*args, **kwargs):
    return subprocess.run([*COMMAND, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
                          **kwargs)


def test_socket_mode(start):
    s = start()
    assert stat.S_IMODE(os.lstat(s.path).st_mode) == 0o600
    s.alive()


def test_path_that_is_alive(start):
    s = start()
    s.alive()
    r = run("--socket-path", s.path)
    assert r.returncode not in (0, -11, -6) and "already" in r.stderr
    s.alive()


def test_path_that_is_dead(start, tmp_path):
    folder = tmp_path / "0"
    s = start()
    s.process.kill()
    s.process.wait()
    s.process.stdout.close()
    assert os.path.exists(folder / "s.sock")
    p = subprocess.Popen([*COMMAND, "--socket-path", s.path], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while True:
        try:
            c = Client(s.path)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    c.version()
    c.info()
    c.close()
    p.terminate()
    assert p.wait(20) == 0
    assert not os.path.exists(s.path)


def test_path_that_is_no_socket(tmp_path):
    path = tmp_path / "file"
    path.write_text("precious")
    r = run("--socket-path", str(path))
    assert r.returncode not in (0, -11, -6) and "not a socket" in r.stderr
    assert path.read_text() == "precious"


@pytest.mark.parametrize("path", ["/nonexistent/folder/s.sock", "/tmp/" + "x" * 120])
def test_path_that_cannot_be(path):
    r = run("--socket-path", path)
    assert r.returncode not in (0, -11, -6) and r.stderr.strip()


def test_socket_replaced_by_another_is_left_alone(start):
    s = start()
    os.unlink(s.path)
    other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    other.bind(s.path)
    s.process.terminate()
    assert s.process.wait(20) == 0
    assert os.path.exists(s.path)
    s.process.stdout.close()
    other.close()


def test_connected_fd():
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)       # as some parents leave it
    p = subprocess.Popen([*COMMAND, "--fd", str(theirs.fileno())], pass_fds=[theirs.fileno()],
                         stdout=subprocess.DEVNULL)
    theirs.close()
    c = Client(sock=ours)
    c.version()
    c.info()
    c.region_read(7, 0, 4)
    c.close()
    assert p.wait(20) == 0          # nobody can come any more


def test_listening_fd(tmp_path):
    path = str(tmp_path / "l.sock")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen()
    p = subprocess.Popen([*COMMAND, "--fd", str(listener.fileno())], pass_fds=[listener.fileno()],
                         stdout=subprocess.DEVNULL)
    listener.close()
    for _ in range(3):
        while True:
            c = Client(path)
            try:
                c.version()
                break
            except OSError:
                c.close()
        c.info()
        c.close()
    p.send_signal(signal.SIGTERM)
    assert p.wait(20) == 0
    assert os.path.exists(path)     # its maker's


def test_fd_that_is_no_socket():
    with open("/dev/null") as f:
        r = run("--fd", str(f.fileno()), pass_fds=[f.fileno()])
    assert r.returncode not in (0, -11, -6) and "socket" in r.stderr
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    r = run("--fd", str(s.fileno()), pass_fds=[s.fileno()])
    assert r.returncode not in (0, -11, -6) and "socket" in r.stderr
    s.close()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(start, sig):
    s = start()
    c = s.client()
    s.process.send_signal(sig)
    assert s.process.wait(20) == 0
    assert c.gone() and not os.path.exists(s.path)
    c.close()
    s.process.stdout.close()


@pytest.mark.testdev
def test_busy_poll(start):
    s = start("--spin-us", "100")
    c = s.client()
    for i in range(200):
        c.region_write(0, 0, b"%04d" % i)
        assert c.region_read(0, 0, 4) == b"%04d" % i
    c.close()
    s.alive()
