# SPDX-License-Identifier: GPL-2.0-or-later
"""The verbs of `ugvt` as a user meets them: what they print, what they end with, trace files."""

import json
import os
import random
import signal
import struct
import subprocess
import time

import pytest

pytest.register_assert_rewrite("serving")

from serving import UGVT, Serve, needs_ugvt, parse_events, ugvt  # noqa: E402

pytest_plugins = ["serving"]
pytestmark = needs_ugvt


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
