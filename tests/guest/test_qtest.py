# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock QEMU's vfio-user-pci on the test device, with no guest: QEMU's qtest accelerator lets the test
itself be the CPU. Quick, and it reaches what boots reach only by chance."""

import json
import os
import signal
import socket
import struct
import subprocess
import time

import pytest

from vm import TOP, tool

TESTDEV = os.path.join(TOP, os.environ.get("UGVT_BUILD", "build"), "tests", "vfu-testdev")
BAR = {0: 0xe0000000, 2: 0xe1000000, 3: 0xe2000000, 4: 0xe3000000, 5: 0xe4000000}
CONTROL = BAR[5]


class Machine:
    """A QEMU whose CPU is this test, on a running test device."""

    def __init__(self, folder, path, ram="memory-backend-memfd,id=m,size=64M,share=on", **device):
        qtest = os.path.join(folder, "qtest.sock")
        listener = socket.socket(socket.AF_UNIX)
        if os.path.exists(qtest):
            os.unlink(qtest)
        listener.bind(qtest)
        listener.listen()
        self.log = open(os.path.join(folder, "qemu.log"), "w+")
        self.qemu = subprocess.Popen(
            [*tool("qemu", "--print").splitlines(), "-accel", "qtest", "-M", "q35,memory-backend=m", "-object", ram,
             "-m", "64M", "-nodefaults", "-display", "none", "-qtest", f"unix:{qtest}", "-qtest-log", "/dev/null",
             "-device", json.dumps({"driver": "vfio-user-pci", "addr": "02.0",
                                    "socket": {"type": "unix", "path": path}, **device})],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        listener.settimeout(60)
        self.sock = listener.accept()[0]
        listener.close()
        self.sock.settimeout(60)
        self.file = self.sock.makefile("rw")
        for i, addr in BAR.items():
            self.config_write(0x10 + 4 * i, addr)
        self.config_write(4, 6)     # memory, bus master

    def command(self, line):
        self.file.write(line + "\n")
        self.file.flush()
        while True:
            words = self.file.readline().split()
            if words and words[0] == "OK":
                return words[1] if len(words) > 1 else None
            assert words and words[0] == "IRQ", (line, words, self.output())

    def output(self):
        self.log.seek(0)
        return self.log.read()

    def config_read(self, offset):
        self.command(f"outl 0xcf8 {0x80001000 | offset:#x}")
        return int(self.command("inl 0xcfc"), 16)

    def config_write(self, offset, value):
        self.command(f"outl 0xcf8 {0x80001000 | offset:#x}")
        self.command(f"outl 0xcfc {value:#x}")

    def readl(self, addr):
        return int(self.command(f"readl {addr:#x}"), 16)

    def writel(self, addr, value):
        self.command(f"writel {addr:#x} {value:#x}")

    def read(self, addr, size):
        return bytes.fromhex(self.command(f"read {addr:#x} {size:#x}")[2:])

    def write(self, addr, data):
        self.command(f"write {addr:#x} {len(data):#x} 0x{data.hex()}")

    def operate(self, op, addr, size):
        """An operation of the control block; its result."""
        self.writel(CONTROL + 8, addr)
        self.writel(CONTROL + 12, 0)
        self.writel(CONTROL + 16, size)
        self.writel(CONTROL + 20, op)
        while self.readl(CONTROL + 0x1c):
            pass
        return struct.unpack("<i", struct.pack("<I", self.readl(CONTROL + 0x18)))[0]

    def stop(self, sig=signal.SIGTERM):
        self.file.close()
        self.sock.close()
        self.qemu.send_signal(sig)
        self.qemu.wait(30)
        self.log.close()


class Rig:
    def __init__(self, folder, *args):
        self.folder, self.path, self.machines = folder, os.path.join(folder, "s.sock"), []
        self.server = subprocess.Popen([TESTDEV, "--socket-path", self.path, *args], stdout=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 20
        while not os.path.exists(self.path):
            assert self.server.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)

    def machine(self, **kwargs):
        self.machines.append(Machine(self.folder, self.path, **kwargs))
        return self.machines[-1]

    def stats(self):
        self.server.send_signal(signal.SIGUSR1)
        return json.loads(self.server.stdout.readline())

    def stop(self):
        for m in self.machines:
            if m.qemu.poll() is None:
                m.stop()
        self.server.terminate()
        assert self.server.wait(20) == 0
        self.server.stdout.close()


@pytest.fixture
def rig(tmp_path):
    rigs = []

    def start(*args):
        folder = tmp_path / str(len(rigs))
        folder.mkdir()
        rigs.append(Rig(str(folder), *args))
        return rigs[-1]

    yield start
    for r in rigs:
        r.stop()


def test_config_and_bars(rig):
    r = rig()
    m = r.machine()
    assert m.config_read(0) == 0x10f01af4
    assert m.config_read(8) >> 24 == 0xff
    for i, mask in ((0, 0xffff0000), (1, 0), (2, 0xfff00000), (3, 0xffff0000), (5, 0xfffff000)):
        m.config_write(0x10 + 4 * i, 0xffffffff)
        assert m.config_read(0x10 + 4 * i) & 0xfffffff0 == mask
        m.config_write(0x10 + 4 * i, BAR.get(i, 0))
    m.writel(BAR[0] + 0x40, 0x12345678)
    assert m.readl(BAR[0] + 0x40) == 0x12345678
    for size, letter in ((1, "b"), (2, "w"), (4, "l"), (8, "q")):
        value = int.from_bytes(bytes(range(1, size + 1)), "little")
        m.command(f"write{letter} {BAR[0] + 0x80:#x} {value:#x}")
        assert int(m.command(f"read{letter} {BAR[0] + 0x80:#x}"), 16) == value
    assert "spurious" not in m.output() and "rror:" not in m.output()
    s = r.stats()
    assert s["errors"] == 0 and s["unknown"] == 0


def test_mapped_regions(rig):
    """Accesses to what is mapped send no message: all of BAR2, two areas of BAR3."""
    r = rig()
    m = r.machine()
    m.writel(BAR[2], 1)
    before = r.stats()["messages"]
    for offset in (0, 0x80000, 0xffffc):
        m.writel(BAR[2] + offset, 0xabcd)
        assert m.readl(BAR[2] + offset) == 0xabcd
    m.writel(BAR[3] + 0x100, 1)             # in an area
    assert r.stats()["messages"] == before
    m.writel(BAR[3] + 0x5000, 77)           # between them
    assert m.readl(BAR[3] + 0x5000) == 77
    assert r.stats()["messages"] == before + 2
    assert r.stats()["posted"] == 0         # QEMU posts nothing once something is mappable


def test_posted_writes(rig):
    r = rig("--region", "2:1048576:rw", "--region", "3:65536:rw")
    m = r.machine()
    before = r.stats()
    for i in range(500):
        m.writel(BAR[0] + 4 * i, i)
    assert [m.readl(BAR[0] + 4 * i) for i in (0, 250, 499)] == [0, 250, 499]
    after = r.stats()
    assert after["posted"] - before["posted"] == 500
    assert after["messages"] - before["messages"] == 503 and after["errors"] == before["errors"]


def test_shared_memory_and_dma_messages(rig):
    r = rig()
    m = r.machine()
    m.write(0x100000, bytes(range(64)))
    assert m.operate(3, 0x100000, 64) == 0              # through the shared map
    assert m.read(CONTROL + 0x800, 64) == bytes(range(64))
    m.write(CONTROL + 0x800, b"\0" * 64)
    assert m.operate(1, 0x100000, 64) == 0              # through DMA_READ
    assert m.read(CONTROL + 0x800, 64) == bytes(range(64))
    m.write(CONTROL + 0x800, bytes(range(100, 164)))
    assert m.operate(2, 0x200000, 64) == 0              # through DMA_WRITE
    assert m.read(0x200000, 68) == bytes(range(100, 164)) + b"\0" * 4
    m.config_write(4, 2)                                # no bus master: QEMU refuses
    assert m.operate(1, 0x100000, 64) < 0
    m.config_write(4, 6)


def test_private_memory(rig):
    """RAM that is not shared comes without an fd: listed, and reachable by message only."""
    r = rig()
    m = r.machine(ram="memory-backend-ram,id=m,size=64M,share=off")
    m.write(0x100000, b"private!")
    s = r.stats()
    assert s["maps"] == s["fdless"] > 0 and s["bytes"] == 0
    assert m.operate(3, 0x100000, 8) == -19             # ENODEV
    assert m.operate(1, 0x100000, 8) == 0
    assert m.read(CONTROL + 0x800, 8) == b"private!"


def test_msi(rig):
    """An MSI whose address is RAM: what QEMU writes there is what the eventfd brought."""
    r = rig()
    m = r.machine()
    m.config_write(0x44, 0x300000)
    m.config_write(0x48, 0x4d53)
    m.config_write(0x40, m.config_read(0x40) | 1 << 16)
    m.writel(CONTROL, 1 << 16)
    assert m.readl(CONTROL) == 1
    deadline = time.monotonic() + 20
    while m.readl(0x300000) != 0x4d53:
        assert time.monotonic() < deadline
    m.config_write(0x40, m.config_read(0x40) & ~(1 << 16))
    m.writel(CONTROL, 1 << 16)
    assert m.readl(CONTROL) == 0


def test_bars_come_and_go(rig):
    """QEMU announces the device's own mapped BARs as maps without an fd, and takes them back."""
    r = rig()
    m = r.machine()
    low = r.stats()
    for _ in range(50):
        m.config_write(4, 4)
        off = r.stats()["maps"]
        m.config_write(4, 6)
        assert r.stats()["maps"] > off
    s = r.stats()
    assert s["maps"] == low["maps"] and s["maps_ever"] >= low["maps_ever"] + 50
    assert s["errors"] == 0 and s["leaked"] == 0


def test_killed_and_attached_again(rig):
    r = rig()
    for i in range(5):
        m = r.machine()
        m.writel(BAR[0], i)
        assert m.readl(BAR[0]) == i
        m.stop(signal.SIGKILL)
    s = r.stats()
    assert s["connections"] == 5 and s["refused"] == 0 and s["errors"] == 0
