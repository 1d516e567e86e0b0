# SPDX-License-Identifier: GPL-2.0-or-later
"""A VM on a uGVT device, for guest tests and the demo: starts the server and QEMU, talks to the guest.

    with VM(kernel="6.12") as vm:
        print(vm.run("cat /proc/uptime").output)
        assert "Initialized i915" in vm.dmesg()

The guest is an initramfs of tools/initrd. Its first serial line is the kernel's console, kept in
console.log; on the second, tools/guest/init takes commands one line at a time and answers

    UGVT-BEGIN id
    ...what the commands print...
    UGVT-EXIT id code

Every wait ends early, with the tails of the logs, when the server or QEMU dies. Both are killed with
the VM object, and by the kernel when this process dies.
"""

import atexit
import base64
import ctypes
import json
import os
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.environ.get("UGVT_CACHE", os.path.join(TOP, ".cache"))
UGVT = os.environ.get("UGVT", os.path.join(TOP, "build", "ugvt"))
SERVER = [UGVT, "serve", "--socket-path={socket}"]
# Machines that run this are small and busy; a factor for slower ones yet (valgrind, sanitizers).
SLOW = float(os.environ.get("UGVT_SLOW", "1"))

_alive = weakref.WeakSet()


class VMError(Exception):
    """The VM did not do what was waited for; the text has the tails of its logs."""


class CommandError(VMError):
    """A command in the guest ended with another code than 0."""


class Result:
    def __init__(self, code, output):
        self.code, self.output = code, output

    def __repr__(self):
        return f"Result({self.code}, {self.output!r})"


def tool(*argv):
    """Output of one of tools/*; its progress goes to our stderr."""
    return subprocess.run([os.path.join(TOP, "tools", argv[0]), *argv[1:]], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def console_font():
    """Path of the PSF font that the guest's console uses."""
    return tool("initrd", "--font")


def fetch(kernel="6.12", kind="base"):
    """Have QEMU, kernel and image ready; {qemu, vmlinuz, initrd}."""
    found = dict(line.split("=", 1) for line in tool("kernel", kernel).splitlines())
    return {"qemu": tool("qemu", "--print").splitlines(), "vmlinuz": found["vmlinuz"],
            "initrd": tool("initrd", kernel, kind)}


def _with_parent():
    """In the child: die with the parent, whatever kills it."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def tail(path, lines=25):
    try:
        with open(path, errors="replace") as f:
            return "".join(f.readlines()[-lines:]).rstrip()
    except OSError:
        return ""


class Channel:
    """A connected unix socket read by line; .on_wait is called while nothing comes."""

    def __init__(self, path, on_wait):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.sock.setblocking(False)
        self.buffer, self.on_wait = b"", on_wait

    def send(self, data, deadline):
        view = memoryview(data)
        while view:
            try:
                view = view[self.sock.send(view):]
            except BlockingIOError:
                self.on_wait(deadline)
                select.select([], [self.sock], [], 0.2)
            except OSError as e:
                self.on_wait(0, f"the connection is gone ({e})")

    def line(self, deadline):
        """The next line without its end, as bytes."""
        while b"\n" not in self.buffer:
            self.on_wait(deadline)
            if select.select([self.sock], [], [], 0.2)[0]:
                try:
                    data = self.sock.recv(65536)
                except ConnectionError:
                    data = b""
                if not data:
                    # A process that has died is reaped a moment later: let its code be in the message.
                    time.sleep(0.1)
                    self.on_wait(0, "the connection is gone")
                self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def close(self):
        self.sock.close()


class VM:
    """One server and one QEMU. Nothing runs before start() (or `with`).

    kernel, kind        what tools/initrd takes
    server              command with {socket}; None: build/ugvt serve (UGVT names another ugvt)
    server_args         appended to the server's command
    own_server          False: somebody else serves at socket_path
    device              False: no vfio-user device until device_add()
    device_props        further properties of the vfio-user-pci device
    hotplug             the pc machine, whose slots take device_add
    shared              False: plain -m, guest RAM without an fd
    reboot              False: QEMU ends where the guest reboots or panics
    hostname, load, cmdline   as in tools/guest/init, further kernel arguments
    """

    def __init__(self, kernel="6.12", kind="base", *, server=None, server_args=(), own_server=True,
                 socket_path=None, device=True, device_props=None, hotplug=False, shared=True, memory="1G",
                 smp=1, cpu="max,+svm", hostname="ugvt-guest", load=None, cmdline="", reboot=False,
                 qemu_args=(), boot_timeout=180, workdir=None):
        self.kernel, self.kind = kernel, kind
        self.server_command = list(server or SERVER)
        self.server_args, self.own_server = list(server_args), own_server
        self.device, self.device_props, self.hotplug = device, dict(device_props or {}), hotplug
        self.shared, self.memory, self.smp, self.cpu = shared, memory, smp, cpu
        self.hostname, self.load, self.cmdline, self.reboot = hostname, load, cmdline, reboot
        self.qemu_args, self.boot_timeout = list(qemu_args), boot_timeout
        self.own_workdir = workdir is None
        # Short on purpose: a socket's path may have 107 bytes.
        self.workdir = workdir or tempfile.mkdtemp(prefix="ugvt-")
        self.socket_path = socket_path or self.path("gpu.sock")
        self.server = self.qemu = self.channel = self.qmp_channel = None
        self.events, self.command_id, self.kept = [], 0, False
        self.progress = lambda: None  # called some times a second while something is waited for
        _alive.add(self)

    def path(self, name):
        return os.path.join(self.workdir, name)

    # Life

    def start(self, wait=True):
        try:
            if self.own_server and not self.server:
                self.start_server()
            self.start_qemu()
            if wait:
                self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        self.stop()

    def spawn(self, argv, log):
        with open(self.path(log), "ab") as out:
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                    start_new_session=True, preexec_fn=_with_parent)

    def start_server(self, timeout=30):
        """Start the server and wait until its socket listens."""
        argv = [a.replace("{socket}", self.socket_path) for a in self.server_command] + self.server_args
        if not shutil.which(argv[0]):
            raise VMError(f"no server {argv[0]}: build it with meson compile -C build")
        if os.path.lexists(self.socket_path):
            os.unlink(self.socket_path)
        self.server = self.spawn(argv, "server.log")
        deadline = time.monotonic() + timeout * SLOW
        while not self.listening():
            self.check(deadline, "the server's socket")
            time.sleep(0.01)

    def listening(self):
        """Whether somebody listens on the socket; to ask by connecting would be a client."""
        name = os.path.basename(os.path.realpath(self.socket_path))
        if not os.path.exists(self.socket_path):
            return False
        with open("/proc/net/unix") as f:
            rows = [line.split() for line in f]
        return any(len(r) == 8 and r[3] == "00010000" and os.path.basename(r[7]) == name for r in rows)

    def device_json(self, ident="gpu"):
        return {"driver": "vfio-user-pci", "id": ident, "addr": "2.0",
                "socket": {"type": "unix", "path": self.socket_path}, **self.device_props}

    def qemu_command(self):
        parts = fetch(self.kernel, self.kind)
        memory = f"memory-backend-memfd,id=ram,size={self.memory},share=on"
        words = ["console=ttyS0", f"ugvt.hostname={self.hostname}", "ugvt.channel=ttyS1"]
        if not self.reboot:
            words.append("panic=-1")
        if self.load is not None:
            words.append(f"ugvt.load={self.load or 'none'}")
        machine = "pc" if self.hotplug else "q35"
        argv = [*parts["qemu"], "-nodefaults", "-display", "none", "-vga", "none", "-accel", "tcg",
                "-cpu", self.cpu, "-smp", str(self.smp), "-m", self.memory]
        argv += ["-M", f"{machine},memory-backend=ram", "-object", memory] if self.shared else ["-M", machine]
        for name, log in (("console", f",logfile={self.path('console.log')},logappend=on"), ("channel", "")):
            argv += ["-chardev", f"socket,id={name},path={self.path(name + '.sock')},server=on,wait=off{log}",
                     "-serial", f"chardev:{name}"]
        argv += ["-qmp", f"unix:{self.path('qmp.sock')},server=on,wait=off",
                 "-kernel", parts["vmlinuz"], "-initrd", parts["initrd"],
                 "-append", " ".join(words + [self.cmdline]).strip()]
        if not self.reboot:
            argv.append("-no-reboot")
        if self.device:
            argv += ["-device", json.dumps(self.device_json())]
        return argv + self.qemu_args

    def start_qemu(self):
        argv = self.qemu_command()
        for name in ("console", "channel", "qmp"):
            if os.path.exists(self.path(f"{name}.sock")):
                os.unlink(self.path(f"{name}.sock"))
        self.qemu = self.spawn(argv, "qemu.log")
        deadline = time.monotonic() + 60 * SLOW
        self.channel = self.connect("channel", deadline)
        self.qmp_channel = self.connect("qmp", deadline)
        self.events = []
        while b"QMP" not in self.qmp_channel.line(deadline):
            pass
        self.qmp("qmp_capabilities")

    def connect(self, name, deadline):
        path = self.path(f"{name}.sock")
        while True:
            try:
                return Channel(path, lambda until, why=None: self.check(until, f"an answer on {name}.sock", why))
            except (FileNotFoundError, ConnectionRefusedError):
                self.check(deadline, f"QEMU's {name} socket")
                time.sleep(0.01)

    def check(self, deadline, wanted, why=None):
        """Raise when a process is dead, the deadline has passed, or a reason is given."""
        self.progress()
        for name, process in (("QEMU", self.qemu), ("the server", self.server)):
            if process and process.poll() is not None:
                code = process.returncode
                how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
                why = f"{name} {how}"
                break
        if not why and time.monotonic() > deadline:
            why = "time is over"
        if why:
            raise VMError(self.report(f"waiting for {wanted}: {why}"))

    def report(self, text):
        """The text with the tails of all logs."""
        for name in ("server.log", "qemu.log", "console.log"):
            text += f"\n--- {name}\n{tail(self.path(name))}"
        return text

    def stop(self):
        """Kill what runs and remove the folder, unless keep() was called."""
        self.kill_qemu()
        self.kill_server(signal.SIGTERM)
        if self.own_workdir and not self.kept:
            shutil.rmtree(self.workdir, ignore_errors=True)
        _alive.discard(self)

    def keep(self):
        """Leave the folder with the logs where it is; its path."""
        self.kept = True
        return self.workdir

    def kill_qemu(self, sig=signal.SIGKILL):
        for channel in (self.channel, self.qmp_channel):
            if channel:
                channel.close()
        self.channel = self.qmp_channel = None
        end(self.qemu, sig)
        self.qemu = None

    def kill_server(self, sig=signal.SIGKILL):
        """Stop the server; its exit code (None: there was none)."""
        code = end(self.server, sig)
        self.server = None
        return code

    # The guest

    def wait_ready(self, timeout=None):
        """Wait until the guest takes commands (again, after a reboot)."""
        deadline = time.monotonic() + (timeout or self.boot_timeout) * SLOW
        while b"UGVT-READY" not in self.channel.line(deadline):
            pass
        return self

    def start_command(self, script):
        """Send commands without waiting for their end; the id for finish_command."""
        self.command_id += 1
        text = base64.b64encode(script.encode() if isinstance(script, str) else script).decode()
        self.channel.send(f"{self.command_id} {text}\n".encode(), time.monotonic() + 60 * SLOW)
        return self.command_id

    def finish_command(self, ident, timeout=120, check=True):
        deadline = time.monotonic() + timeout * SLOW
        begin, mark = f"UGVT-BEGIN {ident}".encode(), f"UGVT-EXIT {ident} ".encode()
        while self.channel.line(deadline) != begin:
            pass
        lines = []
        while True:
            line = self.channel.line(deadline)
            if line.startswith(mark):
                break
            lines.append(line)
        code = int(line[len(mark):])
        # The marker comes after a line feed of its own: an output that ends in one leaves an empty line.
        output = b"\n".join(lines).decode(errors="replace")
        if check and code:
            raise CommandError(f"the guest's command ended with {code}:\n{output}")
        return Result(code, output)

    def run(self, script, timeout=120, check=True):
        """Run shell commands in the guest; Result(code, output of both kinds).

        Not through busybox's timeout again and again: after some dozens of calls input is lost."""
        return self.finish_command(self.start_command(script), timeout, check)

    def put(self, path, data, mode="755"):
        """Write bytes to a file of the guest."""
        text = base64.b64encode(data).decode()
        quoted = shlex.quote(path)
        self.run(f"base64 -d >{quoted} <<'END'\n{text}\nEND\nchmod {mode} {quoted}", timeout=300)

    def get(self, path):
        """The bytes of a file of the guest."""
        return base64.b64decode(self.run(f"base64 {shlex.quote(path)}").output)

    def dmesg(self):
        return self.run("dmesg").output

    def console(self):
        """What the guest printed on its console so far."""
        try:
            with open(self.path("console.log"), errors="replace") as f:
                return f.read().replace("\r\n", "\n")
        except FileNotFoundError:
            return ""

    def server_log(self):
        try:
            with open(self.path("server.log"), errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def power_off(self, timeout=60):
        """Have the guest power off and wait for QEMU's end."""
        self.start_command("poweroff -f")
        try:
            code = self.qemu.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            raise VMError(self.report("waiting for the guest to power off: time is over")) from None
        self.kill_qemu()
        return code

    # The machine

    def ugvt(self, command, *arguments, timeout=60):
        """Ask the server with one of ugvt's commands; what that prints."""
        argv = [UGVT, command, "--socket", self.socket_path, *arguments]
        p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           timeout=timeout * SLOW)
        if p.returncode:
            raise VMError(self.report(f"{shlex.join(argv)} ended with {p.returncode}: {p.stderr.strip()}"))
        return p.stdout

    def status(self):
        """The server's counters."""
        return json.loads(self.ugvt("status", "--json"))

    def screenshot(self, path):
        """Write the guest's screen to a PNG."""
        self.ugvt("screenshot", path)
        return path

    def qmp(self, command, timeout=60, **arguments):
        """One QMP command; what it returns. Events met on the way are kept for wait_event."""
        deadline = time.monotonic() + timeout * SLOW
        message = {"execute": command, **({"arguments": arguments} if arguments else {})}
        self.qmp_channel.send(json.dumps(message).encode() + b"\n", deadline)
        while True:
            answer = json.loads(self.qmp_channel.line(deadline))
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise VMError(self.report(f"QMP {command}: {answer['error'].get('desc')}"))
            elif "return" in answer:
                return answer["return"]

    def wait_event(self, name, timeout=60, **data):
        """Wait for an event of this name whose data has these values."""
        deadline = time.monotonic() + timeout * SLOW
        while True:
            for event in self.events:
                have = event.get("data", {})
                if event["event"] == name and all(have.get(k) == v for k, v in data.items()):
                    self.events.remove(event)
                    return event
            answer = json.loads(self.qmp_channel.line(deadline))
            if "event" in answer:
                self.events.append(answer)

    def device_add(self, ident="gpu", **props):
        arguments = {**self.device_json(ident), **props}
        return self.qmp("device_add", **arguments)

    def device_del(self, ident="gpu", timeout=60):
        """Unplug and wait until the guest has let go."""
        self.qmp("device_del", id=ident)
        return self.wait_event("DEVICE_DELETED", timeout, device=ident)

    def reset(self):
        """Press the reset button and wait for the guest (needs reboot=True)."""
        self.qmp("system_reset")
        return self.wait_ready()

    def probe_seconds(self):
        """Guest time from i915's "Found" to its "Initialized", or None."""
        times = {}
        for line in self.dmesg().splitlines():
            m = re.match(r"\[ *(\d+\.\d+)\] (.*)", line)
            for word in ("Found", "Initialized"):
                if m and (f"[drm] {word} " in m[2]) and word not in times:
                    times[word] = float(m[1])
        return times["Initialized"] - times["Found"] if len(times) == 2 else None


def end(process, sig):
    """Signal a process, wait, kill its session; its exit code."""
    if process is None:
        return None
    if process.poll() is None:
        process.send_signal(sig)
        try:
            process.wait(10 * SLOW)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return process.wait()


@atexit.register
def _stop_all():
    for vm in list(_alive):
        vm.stop()


if __name__ == "__main__":
    # vm.py [KERNEL [KIND]] COMMAND: boot, run one command, print what it printed.
    words = sys.argv[1:]
    with VM(*words[:-1]) as machine:
        result = machine.run(words[-1], check=False)
    print(result.output, end="")
    sys.exit(result.code)
