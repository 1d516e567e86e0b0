# SPDX-License-Identifier: GPL-2.0-or-later
"""The verbs of `ugvt` as a user meets them: what they print, what they end with, trace files."""

import fcntl
import json
import os
import random
import select
import signal
import socket
import stat
import struct
import subprocess
import termios
import time

import pytest

pytest.register_assert_rewrite("serving")

from serving import UGVT, Serve, needs_ugvt, parse_events, ugvt  # noqa: E402

pytest_plugins = ["serving"]
pytestmark = needs_ugvt


def test_verbs_on_a_server(serve, tmp_path):
    text = ugvt("status", "--socket", serve.path).stdout
    assert b"kbl-gt2" in text and b"problems    none" in text
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
    ["trace", "--print", "a", "--replay", "b"], ["screenshot", "-s", "x", "--json", "-"],
    ["dump", "-s", "x", "--json", "-o", "-"], ["serve", "--socket-path", "x", "--control", "y"],
    ["serve", "--socket-path", "x", "--control", ".ctl"], ["help", "nothing"],
    ["serve", "--socket-path", "x.ctl", "--control", "x.ctl"]])
def test_wrong_usage(args, tmp_path):
    p = ugvt(*args, cwd=tmp_path)
    assert p.returncode == 2 and p.stderr and not p.stdout
    assert b"Invalid argument" not in p.stderr  # says nothing
    assert not os.listdir(tmp_path)


def test_a_vfio_user_socket_is_never_connected_to(tmp_path):
    """There a verb would look like a VMM: a server without a control socket is told as such."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "gpu.sock"))
    listener.listen(4)
    listener.setblocking(False)
    for verb in ("status", "screenshot", "dump", "trace"):
        p = ugvt(verb, "--socket", str(tmp_path / "gpu.sock"))
        assert p.returncode == 3 and b"gpu.sock.ctl" in p.stderr
    with pytest.raises(BlockingIOError):
        listener.accept()
    listener.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_no_permission(serve):
    folder = os.path.dirname(serve.path)
    code = ("import os,sys\nos.setuid(65534)\n"
            "os.execv(sys.argv[1], ['ugvt', 'status', '--socket', 'gpu.sock'])")
    os.chmod(folder, 0o711)
    try:
        # The program may lie where the other user cannot go: it is opened before.
        fd = os.open(UGVT, os.O_RDONLY)
        p = subprocess.run(["/usr/bin/python3", "-c", code, f"/proc/self/fd/{fd}"], cwd=folder, pass_fds=[fd],
                           stderr=subprocess.PIPE, timeout=60)
        os.close(fd)
    finally:
        os.chmod(folder, 0o700)
    assert p.returncode == 1 and b"Permission denied" in p.stderr and b"its own user" in p.stderr


def test_output_that_cannot_be_written(serve, tmp_path):
    for args in (["status", "-s", serve.path], ["status", "-j", "-s", serve.path], ["dump", "-s", serve.path],
                 ["--help"], ["serve", "--help"], ["--version"], ["qemu-args", "-s", serve.path]):
        with open("/dev/full", "w") as full:
            p = subprocess.run([UGVT, *args], stdout=full, stderr=subprocess.PIPE, timeout=60)
        assert p.returncode == 1 and b"No space left" in p.stderr, args
        # Closed: what the verb opens must not take its place.
        p = subprocess.run(["/bin/sh", "-c", '"$@" >&-', "sh", UGVT, *args], stderr=subprocess.PIPE, timeout=60)
        assert p.returncode == 1 and b"standard output" in p.stderr, args
    # Who stops reading ends it as everywhere.
    p = subprocess.Popen([UGVT, "dump", "-s", serve.path, "-o", "-"], stdout=subprocess.PIPE)
    p.stdout.read(1)
    p.stdout.close()
    assert p.wait(60) in (0, -signal.SIGPIPE)


def test_output_files(serve, tmp_path):
    def dump(path):
        return ugvt("dump", "-s", serve.path, "-o", str(path))

    # A device stays one, and is written to.
    assert dump("/dev/null").returncode == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert dump("/dev/full").returncode == 1
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)
    # A link stays one, what it points to is replaced.
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    assert dump(tmp_path / "link").returncode == 0
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes()[:4] == b"UGVT"
    p = dump(tmp_path)
    assert p.returncode == 1 and b"directory" in p.stderr
    assert dump(tmp_path / "none" / "x").returncode == 1
    os.mkfifo(tmp_path / "fifo")
    reader = subprocess.Popen(["cat", str(tmp_path / "fifo")], stdout=subprocess.PIPE)
    assert dump(tmp_path / "fifo").returncode == 0
    assert reader.stdout.read()[:4] == b"UGVT" and reader.wait(30) == 0
    reader.stdout.close()
    assert sorted(os.listdir(tmp_path)) == ["fifo", "link", "real"]


class Fake:
    """A control socket that says what a test wants."""

    def __init__(self, folder):
        self.path = str(folder / "fake.ctl")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)

    def start(self, *args, **more):
        p = subprocess.Popen([UGVT, *args, "-s", self.path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        self.listener.settimeout(20)
        self.sock, _ = self.listener.accept()
        assert self.sock.recv(4096).endswith(b"\0")
        return p

    def close(self):
        self.sock.close()
        self.listener.close()


def test_half_an_answer_does_not_hold_up_the_end(tmp_path):
    fake = Fake(tmp_path)
    p = fake.start("trace")
    fake.sock.sendall(b'{"parameters": {"start_ns":')
    # Until it has read that.
    deadline = time.monotonic() + 20
    while struct.unpack("i", fcntl.ioctl(fake.sock, termios.TIOCOUTQ, b"\0" * 4))[0]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=30)
    assert p.returncode == 0
    fake.close()


@pytest.mark.parametrize("answer", [
    b"", b"\0", b"x\0", b"[]\0", b'{"error": null}\0', b'{"error": {}, "parameters": 3}\0', b'{"parameters": []}\0',
    b'{"parameters": {"sections": 1, "width": 1, "height": 1, "stride": 4}}\0'])
@pytest.mark.parametrize("verb", ["status", "dump", "screenshot"])
def test_hostile_servers(tmp_path, verb, answer):
    fake = Fake(tmp_path)
    p = fake.start(verb, cwd=tmp_path)
    fake.sock.sendall(answer)
    fake.close()
    out, errors = p.communicate(timeout=30)
    assert p.returncode == 1 and errors or verb == "status" and p.returncode == 0 and out
    assert os.listdir(tmp_path) == ["fake.ctl"]


@pytest.mark.parametrize("verb", ["dump", "screenshot"])
def test_memory_that_could_shrink_is_not_read(tmp_path, verb):
    fake = Fake(tmp_path)
    p = fake.start(verb, cwd=tmp_path)
    fd = os.memfd_create("x")
    os.ftruncate(fd, 4096)
    fake.sock.sendmsg([b'{"parameters": {"sections": [], "width": 1, "height": 1, "stride": 4}}\0'],
                      [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", fd))])
    out, errors = p.communicate(timeout=30)
    assert p.returncode == 1 and b"sealed" in errors
    os.close(fd)
    fake.close()


@pytest.mark.long
def test_a_stopped_server_is_not_waited_for(tmp_path):
    s = Serve(tmp_path)
    s.process.send_signal(signal.SIGSTOP)
    p = ugvt("status", "-s", s.path)
    s.process.send_signal(signal.SIGCONT)
    assert p.returncode == 1 and b"stopped" in p.stderr
    assert s.stop() == 0


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
    assert ugvt("help").stdout == text.stdout
    assert ugvt("help", "dump").stdout == ugvt("dump", "--help").stdout
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
    assert words[words.index("-vga") + 1] == "none"
    assert any(w.startswith("memory-backend-memfd,") and "size=1024M" in w and "share=on" in w for w in words)


def test_screenshot_does_not_replace_a_file_when_it_fails(serve, tmp_path):
    path = tmp_path / "x.png"
    path.write_text("old")
    assert ugvt("screenshot", "-s", serve.path, str(path)).returncode == 1
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.png"]


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


def test_replay_without_a_verdict(trace_file, tmp_path):
    """Exit code 1, never 0: events are missing, or there is nothing to compare."""
    good = open(trace_file, "rb").read()
    path = tmp_path / "file"
    path.write_bytes(good + struct.pack("<BBHIQQQ", 0xff, 0, 0, 0, 0, 17, 0))
    p = ugvt("trace", "--replay", str(path))
    assert p.returncode == 1 and b"17 events were lost" in p.stderr and b"replayed" in p.stdout
    path.write_bytes(good[:72])
    p = ugvt("trace", "--replay", str(path), "--json")
    assert p.returncode == 1 and b"no reads" in p.stderr and json.loads(p.stdout)["reads"] == 0
    path.write_bytes(good[:-1])
    p = ugvt("trace", "--replay", str(path))
    assert p.returncode == 1 and b"cut short" in p.stderr and not p.stdout


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
    while not select.select([q.stdout], [], [], 0)[0]:  # the other listens too
        vm.region_read(0, 0x9120, 4)
        assert q.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    assert s.stop() == 0
    q.stdout.read()
    assert q.wait(30) == 0
