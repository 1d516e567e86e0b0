# SPDX-License-Identifier: GPL-2.0-or-later
"""`ugvt serve` and its verbs from outside: the control socket's protocol, hostile input, start and end."""

import array
import json
import os
import random
import signal
import socket
import struct
import subprocess
import time

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from conftest import BUILD
from vfio_user import Client

UGVT = os.path.join(BUILD, "ugvt")
pytestmark = pytest.mark.skipif(not os.path.exists(UGVT), reason="no build of ugvt")


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


def parse_events(message):
    import base64
    assert message["continues"]
    data, out = base64.b64decode(message["parameters"]["events"]), []
    while data:
        kind, dwords, unit, n, ns, a, b = struct.unpack_from("<BBHIQQQ", data)
        out.append((kind, dwords, unit, n, ns, a, b))
        data = data[32 + 4 * dwords:]
    return out


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


@pytest.mark.parametrize("method", ["", "org.ugvt.Quit", "org.ugvt.", "Status", "x" * 60000, "org.ugvt.Status\u0001"])
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


# start and end

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
    s = Serve(tmp_path)
    s.process.kill()
    s.process.wait()
    assert os.path.exists(s.path) and os.path.exists(s.control_path)
    s.log.close()
    s.process = subprocess.Popen([UGVT, "serve", "--socket-path", s.path], stderr=subprocess.DEVNULL)
    s.log = open(s.log_path, "a")
    assert s.status()["platform"] == "kbl-gt2"
    assert s.stop() == 0


def test_two_servers_on_one_socket(serve):
    p = ugvt("serve", "--socket-path", serve.path)
    assert p.returncode == 1 and b"ugvt serve: " in p.stderr
    p = ugvt("serve", "--socket-path", serve.path + "2", "--control", serve.control_path)
    assert p.returncode == 1 and b"another server" in p.stderr
    assert not os.path.exists(serve.path + "2")
    assert serve.status()


def test_a_file_is_not_replaced(tmp_path):
    path = tmp_path / "precious"
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
    p = subprocess.Popen([UGVT, "serve", "--fd", str(listener.fileno()), "--control", path + ".c"],
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


# the verbs

def test_verbs_on_a_server(serve, tmp_path):
    assert b"platform: kbl-gt2" in ugvt("status", "--socket", serve.path).stdout
    assert json.loads(ugvt("status", "--socket", serve.control_path, "--json").stdout)["platform"] == "kbl-gt2"
    env = {**os.environ, "UGVT_SOCKET": serve.path}
    assert json.loads(ugvt("status", "-j", env=env).stdout)["pci_id"] == "8086:5916"
    p = ugvt("screenshot", "--socket", serve.path, str(tmp_path / "x.png"))
    assert p.returncode == 1 and b"NoPicture" in p.stderr and not os.listdir(tmp_path)
    dump = json.loads(ugvt("dump", "--socket", serve.path, "--json").stdout)
    assert dump["sections"][0]["name"] == "config"
    assert b"version" in ugvt("dump", "--socket", serve.path).stdout
    assert ugvt("dump", "--socket", serve.path, "-o", str(tmp_path / "state")).returncode == 0
    assert (tmp_path / "state").read_bytes()[:4] == b"UGVT"


def test_dump_names_registers(serve):
    vm = serve.vm()
    vm.region_write(0, 0x4f100, b"\x21\x43\x65\x87")  # SWF_ILK: scratch for software
    listed = {r["offset"]: r for r in json.loads(ugvt("dump", "-s", serve.path, "--json").stdout)["registers"]}
    vm.sock.close()
    assert all(r["name"] for r in listed.values())


def test_no_server():
    for verb in ("status", "screenshot", "dump", "trace"):
        p = ugvt(verb, "--socket", "/nonexistent/socket")
        assert p.returncode == 3 and b"ugvt serve running" in p.stderr
        env = {k: v for k, v in os.environ.items() if k != "UGVT_SOCKET"}
        assert ugvt(verb, env=env).returncode == 2


@pytest.mark.parametrize("args", [
    [], ["nothing"], ["status", "--nothing"], ["status", "extra"], ["serve"], ["serve", "--fd", "0", "--socket-path", "x"],
    ["serve", "--socket-path", "x", "--aperture", "3M"], ["serve", "--socket-path", "x", "--aperture", "24M"],
    ["serve", "--socket-path", "x", "--aperture", "512M"], ["serve", "--socket-path", "x", "--aperture", "lots"],
    ["serve", "--socket-path", "x", "--platform", "icl-gt2"], ["serve", "--socket-path", "x", "--class", "0301"],
    ["serve", "--socket-path", "x", "--seccomp", "maybe"], ["serve", "--socket-path", ""],
    ["qemu-args", "--socket", "x", "--addr", "zz"], ["qemu-args", "--socket", "x", "--memory", "100"],
    ["trace", "--print", "a", "--replay", "b"], ["screenshot", "-s", "x", "--json", "-"]])
def test_wrong_usage(args, tmp_path):
    p = ugvt(*args, cwd=tmp_path)
    assert p.returncode == 2 and p.stderr and not p.stdout
    assert not os.listdir(tmp_path)


def test_bad_fd(tmp_path):
    with open(tmp_path / "f", "w") as f:
        p = subprocess.run([UGVT, "serve", "--fd", str(f.fileno())], pass_fds=[f.fileno()],
                           stderr=subprocess.PIPE, timeout=60)
    assert p.returncode == 1 and b"--fd" in p.stderr
    p = ugvt("serve", "--fd", "777")
    assert p.returncode == 1 and b"--fd=777" in p.stderr


def test_long_socket_path(tmp_path):
    p = ugvt("serve", "--socket-path", str(tmp_path / ("x" * 120)))
    assert p.returncode == 1 and b"ugvt serve: " in p.stderr


def test_help_and_version():
    text = ugvt("--help")
    assert text.returncode == 0 and b"serve" in text.stdout
    assert ugvt("--version").stdout.startswith(b"ugvt ")
    for verb in ("serve", "status", "screenshot", "trace", "dump", "qemu-args"):
        p = ugvt(verb, "--help")
        assert p.returncode == 0 and b"example:\n  " in p.stdout and p.stdout.startswith(b"usage: ugvt " + verb.encode())


def test_capabilities():
    for args in (["serve", "--print-capabilities"], ["--print-capabilities"]):
        assert json.loads(ugvt(*args).stdout)["type"] == "gpu"


def test_qemu_args(tmp_path):
    p = ugvt("qemu-args", "--socket", "it's here", "--memory", "1G", "--addr", "3.0", cwd=tmp_path)
    words = subprocess.run(["sh", "-c", 'eval set -- "$1"; printf "%s\\0" "$@"', "sh", p.stdout.decode()],
                           stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")[:-1]
    assert words == json.loads(ugvt("qemu-args", "--socket", "it's here", "--memory", "1G", "--addr", "3.0",
                                    "--json", cwd=tmp_path).stdout)
    device = json.loads(words[words.index("-device") + 1])
    assert device == {"driver": "vfio-user-pci", "addr": "3.0",
                      "socket": {"type": "unix", "path": str(tmp_path / "it's here")}}
    assert any(w.startswith("memory-backend-memfd,") and "size=1024M" in w and "share=on" in w for w in words)


# trace files

def record(serve, path, work):
    p = subprocess.Popen([UGVT, "trace", "--socket", serve.path, "-o", path], stderr=subprocess.PIPE)
    time.sleep(0.05)
    deadline = time.monotonic() + 20
    while not any(name.startswith(os.path.basename(path) + ".") for name in os.listdir(os.path.dirname(path))):
        assert p.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    # The header is written when the server has answered: wait for an event of ours to be on its way.
    watch = serve.control()
    watch.call("org.ugvt.Trace", {"kinds": 1 << 4}, more=True)
    vm = serve.vm()
    work(vm)
    vm.region_read(7, 0, 4)
    while not any(e[0] == 4 and e[5] == 0 for e in parse_events(watch.receive())):
        pass
    time.sleep(0.2)
    p.send_signal(signal.SIGINT)
    assert p.wait(30) == 0, p.stderr.read()
    vm.sock.close()
    watch.close()


@pytest.fixture
def trace_file(tmp_path):
    """Of a server's whole life."""
    folder = tmp_path / "traced"
    folder.mkdir()
    s = Serve(folder)

    def work(vm):
        rng = random.Random(1)
        vm.region_write(7, 4, b"\x06\x00")
        for offset in (0x9120, 0x42000, 0x45400, 0xc2014, 0x44200, 0x2000):
            vm.region_read(0, offset, 4)
        for _ in range(200):
            vm.region_write(0, 0x800000 + 8 * rng.randrange(1000), struct.pack("<Q", rng.getrandbits(39)))
        vm.region_write(0, 0x45404, struct.pack("<I", 0x2))
        vm.region_read(0, 0x45404, 4)

    path = str(tmp_path / "file")
    record(s, path, work)
    assert s.stop() == 0
    return path


def test_trace_file_prints(trace_file):
    lines = ugvt("trace", "--print", trace_file).stdout.decode().splitlines()
    assert any("009120 -> " in line and "FUSE2" in line for line in lines)
    assert sum("ggtt" in line for line in lines) == 200
    events = [json.loads(line) for line in ugvt("trace", "--print", trace_file, "--json", "--mmio").stdout.splitlines()]
    assert {e["kind"] for e in events} <= {"mmio_read", "mmio_write", "ggtt_write", "config_read", "config_write", "reset"}
    assert any(e["kind"] == "mmio_read" and "FUSE2" in e["name"] for e in events)
    assert len(ugvt("trace", "--print", trace_file, "-n", "3").stdout.splitlines()) == 3


def test_trace_file_replays(trace_file, tmp_path):
    p = ugvt("trace", "--replay", trace_file, "--json")
    assert p.returncode == 0, p.stdout
    report = json.loads(p.stdout)
    assert report["reads"] >= 7 and report["writes"] >= 201 and report["different"] == 0 and report["lost"] == 0
    # A value that the model does not return is found.
    data = bytearray(open(trace_file, "rb").read())
    at = data.index(struct.pack("<Q", 0x9120), 72)
    data[at + 8] ^= 1
    changed = tmp_path / "changed"
    changed.write_bytes(data)
    p = ugvt("trace", "--replay", str(changed), "--json")
    assert p.returncode == 4
    difference, = json.loads(p.stdout)["differences"]
    assert difference["offset"] == 0x9120 and "FUSE2" in difference["name"]
    assert b"FUSE2" in ugvt("trace", "--replay", str(changed)).stdout


def test_hostile_trace_files(trace_file, tmp_path):
    good = open(trace_file, "rb").read()
    rng = random.Random(2)
    bad = tmp_path / "bad"
    cases = [b"", b"x", good[:71], good[:-1], b"\0" * 4096, b"UGVTRACE" + b"\xff" * 4096]
    for _ in range(30):
        data = bytearray(good)
        for _ in range(rng.randrange(1, 40)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        cases.append(bytes(data))
    for i, data in enumerate(cases):
        bad.write_bytes(data)
        for verb in ("--print", "--replay"):
            p = ugvt("trace", verb, str(bad))
            assert p.returncode in (0, 1, 4), (i, verb, p.returncode, p.stderr)
            assert i >= 6 or p.returncode == 1
    assert ugvt("trace", "--print", str(tmp_path / "none")).returncode == 1
    assert ugvt("trace", "--print", str(tmp_path)).returncode == 1


def test_trace_live_ends_with_count_and_with_the_server(tmp_path):
    s = Serve(tmp_path)
    p = subprocess.Popen([UGVT, "trace", "--socket", s.path, "--mmio", "-n", "2"], stdout=subprocess.PIPE)
    q = subprocess.Popen([UGVT, "trace", "--socket", s.path], stdout=subprocess.PIPE)
    vm = s.vm()
    deadline = time.monotonic() + 20
    while p.poll() is None:  # until it listens
        vm.region_read(0, 0x9120, 4)
        assert time.monotonic() < deadline
    assert len(p.stdout.read().splitlines()) == 2
    assert s.stop() == 0
    assert q.wait(30) == 0


def test_screenshot_does_not_replace_a_file_when_it_fails(serve, tmp_path):
    path = tmp_path / "x.png"
    path.write_text("old")
    assert ugvt("screenshot", "-s", serve.path, str(path)).returncode == 1
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.png"]


