# SPDX-License-Identifier: GPL-2.0-or-later
"""The control socket of `ugvt serve`: its methods, its protocol, hostile input."""

import array
import json
import os
import resource
import signal
import socket
import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

pytest.register_assert_rewrite("serving")

from serving import needs_ugvt, parse_events  # noqa: E402

pytest_plugins = ["serving"]
pytestmark = needs_ugvt


# methods

def test_status(serve, control):
    p = control.call("org.ugvt.Status")["parameters"]
    assert p["platform"] == "kbl-gt2" and p["pci_id"] == "8086:5916" and p["attached"] is False
    assert p["aperture_bytes"] == 2 << 20
    assert {"traps", "vfu", "memory", "gpu", "interrupts", "uptime_s", "version"} <= set(p)


def test_get_info(control):
    p = control.call("org.varlink.service.GetInfo")["parameters"]
    assert "org.ugvt" in p["interfaces"]


def test_status_counts_what_a_vm_does(serve):
    vm = serve.vm()
    before = serve.status()
    assert before["attached"] is True
    for _ in range(3):
        vm.region_read(0, 0x9120, 4)
    vm.region_write(0, 0x800000, bytes(8))
    vm.region_read(7, 0, 2)
    after = serve.status()
    assert after["traps"]["mmio_reads"] - before["traps"]["mmio_reads"] == 3
    assert after["traps"]["ggtt_writes"] - before["traps"]["ggtt_writes"] == 1
    assert after["traps"]["config_reads"] - before["traps"]["config_reads"] == 1
    assert after["vfu"]["messages"]["region_read"] - before["vfu"]["messages"].get("region_read", 0) == 4
    vm.sock.close()


def test_regions_of_the_device(serve):
    vm = serve.vm()
    assert struct.unpack("<HH", vm.region_read(7, 0, 4)) == (0x8086, 0x5916)
    sizes = [vm.region_info(i)[4] for i in range(9)]
    assert sizes == [16 << 20, 0, 2 << 20, 0, 64, 0, 64 << 10, 256, 0]
    assert vm.region_info(0)[1] == 3  # not mappable: writes stay posted
    assert vm.region_read(6, 0, 2) == b"\x55\xaa"
    rom = vm.region_read(6, 0, 4096)
    assert b"$VBT" in rom and b"PCIR" in rom
    # QEMU's way to size a BAR.
    vm.region_write(7, 0x18, b"\xff\xff\xff\xff")
    assert struct.unpack("<I", vm.region_read(7, 0x18, 4))[0] == 0xffe0000c
    vm.sock.close()


def test_memory_is_listed(serve):
    vm = serve.vm()
    fd = os.memfd_create("ram")
    os.ftruncate(fd, 1 << 20)
    vm.dma_map(0, 1 << 20, fd)
    vm.dma_map(0xfffc0000, 0x40000, None, flags=1)
    m = serve.status()["memory"]
    assert m["maps"] == 2 and m["unshared"] == 1
    assert m["list"][0] == {"gpa": 0, "bytes": 1 << 20, "shared": True, "writable": True}
    vm.dma_unmap(0, 1 << 20)
    assert serve.status()["memory"]["maps"] == 1
    vm.sock.close()
    os.close(fd)


def test_the_next_client_gets_a_fresh_device(serve):
    vm = serve.vm()
    vm.region_write(7, 4, b"\x06\x00")
    vm.sock.close()
    vm = serve.vm()
    assert vm.region_read(7, 4, 2) == b"\0\0"
    vm.sock.close()


def test_screenshot_of_a_pipe_that_is_off(control):
    answer = control.call("org.ugvt.Screenshot", {"pipe": 0})
    assert answer["error"] == "org.ugvt.NoPicture" and answer["parameters"]["reason"]
    assert not control.fds


@pytest.mark.parametrize("pipe", [3, -1, "a", 1.5, None, [], 1 << 70])
def test_screenshot_of_no_pipe(control, pipe):
    answer = control.call("org.ugvt.Screenshot", {"pipe": pipe})
    assert answer == {"error": "org.varlink.service.InvalidParameter", "parameters": {"parameter": "pipe"}}


def test_dump(control):
    p = control.call("org.ugvt.Dump")["parameters"]
    names = [s["name"] for s in p["sections"]]
    assert names[:3] == ["config", "opregion", "regs"] and len(set(names)) == len(names)
    fd, = control.fds
    assert os.fstat(fd).st_size == p["size"]
    data = os.pread(fd, p["size"], 0)
    assert data[:4] == b"UGVT"
    config = p["sections"][0]
    assert data[config["offset"] + 4:config["offset"] + 8] == b"\x86\x80\x16\x59"
    with pytest.raises(OSError):  # sealed
        os.pwrite(fd, b"x", 0)
    with pytest.raises(OSError):
        os.ftruncate(fd, 0)


def test_trace(serve, control):
    header = control.call("org.ugvt.Trace", {}, more=True)
    assert header["continues"] and header["parameters"]["platform"] == "kbl-gt2"
    vm = serve.vm()
    vm.region_read(0, 0x9120, 4)
    vm.region_write(7, 0xfc, b"\x78\x56\x34\x12")
    events = []
    while not any(e[0] == 5 and e[5] == 0xfc for e in events):
        events += parse_events(control.receive())
    assert any(e[0] == 1 and e[5] == 0x9120 for e in events)
    assert [e[6] for e in events if e[0] == 5 and e[5] == 0xfc] == [0x12345678]
    vm.sock.close()


def test_trace_of_some_kinds(serve, control):
    control.call("org.ugvt.Trace", {"kinds": 1 << 4}, more=True)
    vm = serve.vm()
    vm.region_read(0, 0x9120, 4)
    vm.region_read(7, 0, 4)
    events = parse_events(control.receive())
    assert {e[0] for e in events} == {4}
    vm.sock.close()


def test_trace_needs_more(control):
    assert control.call("org.ugvt.Trace")["error"] == "org.ugvt.NeedsMore"


def test_request_during_a_trace_ends_it(control):
    control.call("org.ugvt.Trace", {}, more=True)
    answer = control.call("org.ugvt.Status")
    while "error" not in answer:
        answer = control.receive()
    assert answer["error"] == "org.ugvt.InvalidMessage"
    assert control.receive() is None


def test_oneway_has_no_answer(control):
    control.send(b'{"method":"org.ugvt.Dump","oneway":true}\0')
    assert control.call("org.varlink.service.GetInfo")["parameters"]["product"] == "ugvt serve"
    assert not control.fds


# hostile input

@pytest.mark.parametrize("text", [
    b"", b" ", b"{", b"}", b"[]", b"1", b"null", b'"x"', b"{}", b'{"method":1}', b'{"method":null}',
    b'{"method":"org.ugvt.Status"}{}', b'{"method":"org.ugvt.Status"} x', b'{"method":"org.ugvt.Status",}',
    b'{"method":"org.ugvt.Status","parameters":[]}', b'{"method":"org.ugvt.Status","parameters":3}',
    b'{"method":"\xff\xfe"}', b"{'method':'org.ugvt.Status'}", b"nul", b"[" * 30000,
    b'{"method":' + b"[" * 20 + b"]" * 20 + b"}", b"\x01\x02\x03"])
def test_bad_messages(control, text):
    control.send(text + b"\0")
    answer = control.receive()
    assert answer["error"] == "org.ugvt.InvalidMessage" and answer["parameters"]["reason"]
    # The stream is still in sync.
    assert control.call("org.varlink.service.GetInfo")["parameters"]


@pytest.mark.parametrize("method", ["", "org.ugvt.Quit", "org.ugvt.", "Status", "org.ugvt.Status\u0001",
                                    "org.ugvt.Status\0", "org.ugvt.Status\0x", pytest.param("x" * 60000, id="long")])
def test_no_such_method(control, method):
    answer = control.call(method)
    assert answer == {"error": "org.varlink.service.MethodNotFound", "parameters": {"method": method}}


def test_longest_message(control):
    request = b'{"method":"org.varlink.service.GetInfo","x":"'
    request += b"y" * ((64 << 10) - len(request) - 3) + b'"}\0'
    assert len(request) == 64 << 10
    control.send(request)
    assert "parameters" in control.receive()


def test_too_long_message(serve, control):
    try:
        control.send(b"y" * (64 << 10) + b"\0")
    except OSError:
        pass
    answer = control.receive()
    assert answer is None or answer["error"] == "org.ugvt.InvalidMessage"
    assert answer is None or control.receive() is None
    assert serve.status()


def test_fragments(control):
    for byte in b'{"method":"org.varlink.service.GetInfo"}\0':
        control.send(bytes([byte]))
    assert "parameters" in control.receive()


def test_many_in_one_send(control):
    control.send(b'{"method":"org.varlink.service.GetInfo"}\0' * 200)
    for _ in range(200):
        assert control.receive()["parameters"]["vendor"] == "uGVT"


def test_each_in_turn(serve):
    """Two hundred requests of one client are not run before the one of another."""
    greedy, modest = serve.control(), serve.control()
    before = modest.call("org.ugvt.Status")["parameters"]["gpu"]["frames"]
    os.kill(serve.process.pid, signal.SIGSTOP)
    serve.wait(lambda: stat_fields(serve.process.pid)[0] == "T")
    try:
        greedy.send(b'{"method":"org.ugvt.Screenshot"}\0' * 200)
        modest.send(b'{"method":"org.ugvt.Status"}\0')
    finally:
        os.kill(serve.process.pid, signal.SIGCONT)
    assert modest.receive()["parameters"]["gpu"]["frames"] - before <= 4
    for _ in range(200):
        assert greedy.receive()["error"] == "org.ugvt.NoPicture"
    greedy.close()
    modest.close()


def stat_fields(pid):
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rsplit(") ", 1)[1].split()


def cpu_seconds(pid):
    fields = stat_fields(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_out_of_descriptors(serve):
    """A client that cannot be accepted waits and is served later; meanwhile nothing spins."""
    pid = serve.process.pid
    limit = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(map(int, os.listdir(f"/proc/{pid}/fd"))) + 1, limit[1]))
    try:
        late = serve.control()
        late.send(b'{"method":"org.varlink.service.GetInfo"}\0')
        before = cpu_seconds(pid)
        time.sleep(1)
        assert cpu_seconds(pid) - before < 0.3
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
    assert late.receive()["parameters"]["vendor"] == "uGVT"
    late.close()


def test_fds_from_a_client_are_not_kept(serve):
    before = len(os.listdir(f"/proc/{serve.process.pid}/fd"))
    for _ in range(20):
        c = serve.control()
        read, write = os.pipe()
        c.sock.sendmsg([b'{"method":"org.varlink.service.GetInfo"}\0'],
                       [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [read]))])
        assert c.receive()
        os.close(read)
        os.close(write)
        c.close()
    deadline = time.monotonic() + 20
    while len(os.listdir(f"/proc/{serve.process.pid}/fd")) > before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_slow_client_holds_up_nobody(serve):
    """One asks without end and reads nothing; another, and the device, go on."""
    slow = serve.control()
    slow.sock.setblocking(False)
    try:
        for _ in range(100000):
            slow.sock.send(b'{"method":"org.ugvt.Status"}\0' * 100)
    except BlockingIOError:
        pass
    vm = serve.vm()
    for _ in range(100):
        vm.region_read(0, 0x9120, 4)
        assert serve.status()["attached"]
    vm.sock.close()
    slow.close()


def test_client_that_does_not_read_its_trace(serve):
    slow = serve.control()
    slow.call("org.ugvt.Trace", {}, more=True)
    other = serve.control()
    other.call("org.ugvt.Trace", {"kinds": 1 << 4}, more=True)
    vm = serve.vm()
    resident = rss(serve)
    for _ in range(20000):
        vm.region_post(0, 0x9120, bytes(4))
    vm.region_read(7, 0, 4)
    assert any(e[0] == 4 for e in parse_events(other.receive()))
    assert rss(serve) - resident < 64 << 20
    vm.sock.close()
    slow.close()
    other.close()


def rss(serve):
    with open(f"/proc/{serve.process.pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_too_many_clients(serve):
    clients = [serve.control() for _ in range(40)]
    answers = []
    for c in clients:
        try:
            answers.append(c.call("org.varlink.service.GetInfo"))
        except OSError:
            answers.append(None)
    assert sum(1 for a in answers if a and "vendor" in a["parameters"]) >= 30
    assert any(a is None or a.get("error") == "org.ugvt.Busy" for a in answers)
    for c in clients:
        c.close()
    deadline = time.monotonic() + 20
    while True:  # room again
        c = serve.control()
        try:
            answer = c.call("org.varlink.service.GetInfo")
        except OSError:
            answer = None
        c.close()
        if answer and "error" not in answer:
            break
        assert time.monotonic() < deadline


def test_killed_in_mid_message(serve):
    for cut in (1, 10, 30):
        c = serve.control()
        c.send(b'{"method":"org.ugvt.Status"}\0'[:cut])
        c.close()
    c = serve.control()
    c.send(b'{"method":"org.ugvt.Dump"}\0' * 5)
    c.close()
    assert serve.status()


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
                    lambda x: st.lists(x, max_size=4) | st.dictionaries(st.text(max_size=8), x, max_size=4),
                    max_leaves=20),
       st.sampled_from(["org.ugvt.Status", "org.ugvt.Screenshot", "org.ugvt.Trace", "org.ugvt.Dump"]),
       st.sampled_from(["parameters", "more", "oneway", "method"]))
def test_any_json(serve, value, method, key):
    c = serve.control()
    request = {"method": method}
    request[key] = value
    c.send(json.dumps(request).encode() + b"\0")
    if key not in ("oneway", "more"):
        answer = c.receive()
        assert answer is not None and "parameters" in answer
    c.close()
    assert serve.process.poll() is None


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300))
def test_any_bytes(serve, data):
    c = serve.control()
    c.send(data + b"\0")
    assert c.receive() is not None
    c.close()
