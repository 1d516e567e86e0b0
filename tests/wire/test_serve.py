# SPDX-License-Identifier: GPL-2.0-or-later
"""`ugvt serve` as a process: how it starts, whom it lets in, what it gives up, how it ends."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

import pytest

pytest.register_assert_rewrite("serving")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))

from gpu_driver import BATCH_END, ENGINES, MASTER_IRQ, NOOP, USER_INTERRUPT, Gpu  # noqa: E402
from serving import UGVT, Serve, needs_ugvt, ugvt  # noqa: E402
from vfio_user import Client, eventfd, eventfd_count  # noqa: E402

pytest_plugins = ["serving"]
pytestmark = needs_ugvt


def test_sockets_are_private(serve):
    for path in (serve.path, serve.control_path):
        assert os.stat(path).st_mode & 0o777 == 0o600


def test_confined(serve):
    for task in os.listdir(f"/proc/{serve.process.pid}/task"):
        with open(f"/proc/{serve.process.pid}/task/{task}/status") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
        assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0
        if os.geteuid() == 0:
            assert int(status["CapBnd"], 16) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_other_users_are_refused(serve):
    folder = os.path.dirname(serve.control_path)
    os.chmod(serve.control_path, 0o777)
    os.chmod(folder, 0o711)
    code = ("import os,socket,sys\nos.setuid(65534)\ns=socket.socket(socket.AF_UNIX)\n"
            "s.connect('gpu.sock.ctl')\n"
            "try:\n s.sendall(b'{\"method\":\"org.ugvt.Status\"}\\0'); d=s.recv(10)\n"
            "except OSError: d=b''\nsys.exit(len(d))")
    try:
        p = subprocess.run(["/usr/bin/python3", "-c", code], cwd=folder, timeout=60)
    finally:
        os.chmod(folder, 0o700)
        os.chmod(serve.control_path, 0o600)
    assert p.returncode == 0
    assert "another user" in serve.errors()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly(tmp_path, sig):
    s = Serve(tmp_path)
    vm = s.vm()
    assert s.stop(sig) == 0
    assert vm.gone()
    assert not os.path.exists(s.path) and not os.path.exists(s.control_path)


def test_replaces_what_a_dead_server_left(tmp_path):
    for name in ("gpu.sock", "gpu.sock.ctl"):
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(str(tmp_path / name))
        dead.close()
    s = subprocess.Popen([UGVT, "serve", "--socket-path", str(tmp_path / "gpu.sock")], stderr=subprocess.PIPE)
    line = s.stderr.readline()
    assert b"gpu.sock" in line and b"another" not in line
    assert json.loads(ugvt("status", "--json", "-s", str(tmp_path / "gpu.sock")).stdout)["platform"] == "kbl-gt2"
    s.terminate()
    assert s.wait(30) == 0
    s.stderr.close()
    assert not os.listdir(tmp_path)


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_killed_server_leaves_no_sockets(tmp_path):
    s = Serve(tmp_path)
    assert s.stop(signal.SIGKILL) == -signal.SIGKILL
    until(lambda: not os.path.exists(s.path) and not os.path.exists(s.control_path))


def test_the_terminal_ends_it_cleanly(tmp_path):
    """Ctrl-C goes to the whole process group, the janitor too."""
    s = Serve(tmp_path, start_new_session=True)
    os.killpg(s.process.pid, signal.SIGINT)
    assert s.process.wait(30) == 0
    assert not os.path.exists(s.path) and not os.path.exists(s.control_path)
    s.log.close()


def test_removes_only_what_it_made(tmp_path):
    s = Serve(tmp_path)
    os.unlink(s.path)
    os.unlink(s.control_path)
    other = socket.socket(socket.AF_UNIX)
    other.bind(s.path)
    with open(s.control_path, "w") as f:
        f.write("keep")
    assert s.stop() == 0
    assert os.path.exists(s.path) and os.path.exists(s.control_path)
    other.close()


def test_nothing_of_the_server_outlives_it(tmp_path):
    """Who reads what a server prints sees its end when it has ended."""
    s = Serve(tmp_path, stdout=subprocess.PIPE)
    s.process.terminate()
    assert s.process.stdout.read() == b""
    assert s.stop() == 0
    s.process.stdout.close()


def test_two_servers_on_one_socket(serve):
    p = ugvt("serve", "--socket-path", serve.path)
    assert p.returncode == 1 and b"ugvt serve: " in p.stderr
    p = ugvt("serve", "--socket-path", serve.path + "2", "--control", serve.control_path)
    assert p.returncode == 1 and b"another server" in p.stderr
    assert not os.path.exists(serve.path + "2")
    assert serve.status()


def test_a_file_is_not_replaced(tmp_path):
    path = tmp_path / "precious.ctl"
    path.write_text("keep")
    p = ugvt("serve", "--socket-path", str(tmp_path / "s"), "--control", str(path))
    assert p.returncode == 1 and path.read_text() == "keep"


def test_notifies_systemd(tmp_path):
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify"))
    notify.settimeout(60)
    s = Serve(tmp_path, env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")})
    assert b"READY=1" in notify.recv(4096)
    assert s.stop() == 0
    notify.close()


def test_inherited_listening_socket(tmp_path):
    listener = socket.socket(socket.AF_UNIX)
    path = str(tmp_path / "s")
    listener.bind(path)
    listener.listen(4)
    p = subprocess.Popen([UGVT, "serve", "--fd", str(listener.fileno()), "--control", path + ".ctl"],
                         pass_fds=[listener.fileno()], stderr=subprocess.DEVNULL)
    c = Client(path)
    c.version()
    assert struct.unpack("<HH", c.region_read(7, 0, 4)) == (0x8086, 0x5916)
    p.terminate()
    assert p.wait(30) == 0


def test_inherited_connection_ends_with_its_client():
    ours, theirs = socket.socketpair()
    p = subprocess.Popen([UGVT, "serve", "--fd", str(theirs.fileno())], pass_fds=[theirs.fileno()],
                         stderr=subprocess.DEVNULL)
    theirs.close()
    c = Client(sock=ours)
    c.version()
    assert struct.unpack("<HH", c.region_read(7, 0, 4)) == (0x8086, 0x5916)
    ours.close()
    assert p.wait(30) == 0


def test_platforms_and_options(tmp_path):
    s = Serve(tmp_path, "--platform", "skl-gt2", "--aperture", "256M", "--class", "0300", "--clock", "virtual",
              "--no-monitor", "--seccomp", "on")
    vm = s.vm()
    assert struct.unpack("<HH", vm.region_read(7, 0, 4)) == (0x8086, 0x1912)
    assert vm.region_read(7, 0xa, 2) == b"\x00\x03"
    assert vm.region_info(2)[4] == 256 << 20
    vm.sock.close()
    assert s.status()["platform"] == "skl-gt2"
    assert s.stop() == 0


# interrupts and time

def interrupt(gpu):
    """One user interrupt of the render engine, seen in its IIR, cleared, and the master on again."""
    gpu.context("rcs0").run([USER_INTERRUPT, BATCH_END])
    gpu.until("the event", lambda: gpu.read(0x44308) & 1)
    gpu.write(MASTER_IRQ, 0)
    gpu.write(0x44308, 0xffffffff)
    gpu.write(0x44308, 0xffffffff)  # what was queued behind the first
    gpu.write(MASTER_IRQ, 1 << 31)


def test_a_client_with_intx_alone(serve):
    """No MSI is armed: interrupts come as INTx, masked by their own signal, none is lost."""
    vm = serve.vm()
    gpu = Gpu(vm, engines=("rcs0",))
    fd = eventfd()
    try:
        vm.set_irqs(0x24, 0, 0, 1, fds=[fd])
        gpu.write(0x44304, ~1)  # GT IMR 0: the user interrupt of RCS alone
        gpu.write(0x4430c, 1)   # its IER
        gpu.write(MASTER_IRQ, 1 << 31)
        interrupt(gpu)
        gpu.until("INTx", lambda: eventfd_count(fd) == 1)
        interrupt(gpu)  # while it is masked
        assert eventfd_count(fd) == 0
        vm.set_irqs(0x11, 0, 0, 1)  # unmask: what came meanwhile
        assert eventfd_count(fd) == 1
        vm.set_irqs(0x11, 0, 0, 1)
        assert eventfd_count(fd) == 0
        # Interrupt Disable in the command register.
        vm.region_write(7, 4, b"\x06\x04")
        interrupt(gpu)
        assert eventfd_count(fd) == 0
        vm.region_write(7, 4, b"\x06\x00")
        interrupt(gpu)
        gpu.until("INTx again", lambda: eventfd_count(fd) == 1)
        # MSI takes over as soon as it is armed.
        msi = eventfd()
        vm.set_irqs(0x11, 0, 0, 1)
        vm.set_irqs(0x24, 1, 0, 1, fds=[msi])
        interrupt(gpu)
        gpu.until("MSI", lambda: eventfd_count(msi) >= 1)
        assert eventfd_count(fd) == 0
        os.close(msi)
    finally:
        os.close(fd)
        vm.close()
        gpu.close()


def test_opregion(serve):
    """What firmware does with an OpRegion that QEMU was given: its address arrives and is shown."""
    vm = serve.vm()
    vm.region_write(7, 0xfc, struct.pack("<I", 0x1fffe000))
    vm.region_write(7, 0xe8, struct.pack("<H", 0x8001))
    assert struct.unpack("<H", vm.region_read(7, 0xe8, 2))[0] == 0x8000
    shown = serve.status()["opregion"]
    assert shown["asls"] == 0x1fffe000 and shown["swsci"] == 0x8001 and shown["swsci_calls"] >= 1
    vm.close()


def test_virtual_clock(tmp_path):
    """Time stands still while nothing runs, and goes on by what commands cost."""
    s = Serve(tmp_path, "--clock", "virtual")
    vm = s.vm()
    gpu = Gpu(vm)
    for name in ENGINES:
        base = ENGINES[name][0]
        before = gpu.read(base + 0x358)
        time.sleep(0.02)
        assert gpu.read(base + 0x358) == before
        gpu.context(name).run([NOOP] * 1000 + [BATCH_END])
        after = gpu.read(base + 0x358)
        assert after > before
    uptime = s.status()["uptime_s"]
    assert 0 < uptime == s.status()["uptime_s"]
    assert not s.status()["gpu"]["violations"]
    vm.close()
    gpu.close()
    assert s.stop() == 0
