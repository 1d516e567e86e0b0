# SPDX-License-Identifier: GPL-2.0-or-later
"""What makes a run of a guest clean: its kernel log, the server's status, the output of test programs."""

import re

# A line that has any of these is bad ...
BAD = re.compile(r"WARNING: |\bWARN_ON\b|cut here|\bBUG: |\bOops\b|\*ERROR\*|GPU HANG|Atomic update failure|"
                 r"Call Trace|rcu: INFO|TLB invalidation did not complete|vblank wait timed out|flip_done timed out")
# ... unless it has one of these: no guest has the firmware of the display's power controller.
HARMLESS = re.compile(r"_dmc_|DMC firmware")
HANG = re.compile(r"GPU HANG|context reset due to GPU hang|Resetting [a-z]+\d for")


def bad_lines(log, allowed=None):
    """Lines of a kernel log that have no place in a clean run; `allowed`: a further pattern."""
    return [line for line in log.splitlines()
            if BAD.search(line) and not HARMLESS.search(line) and not (allowed and allowed.search(line))]


def assert_log(vm, allowed=None):
    """i915 is up and the guest's kernel had nothing to complain about."""
    log = vm.dmesg()
    assert "[drm] Initialized i915" in log, "i915 did not come up:\n" + log[-4000:]
    bad = bad_lines(log, allowed)
    assert not bad, "the guest's kernel complains:\n" + "\n".join(bad)


def troubles(status, violations=(), hangs=False, registers=False):
    """What a server's status has against a driver, as text; those named may be there."""
    gpu = status["gpu"]
    found = [f"violation {name}: {what}" for name, what in gpu["violations"].items() if name not in violations]
    if gpu.get("fault") and not hangs:
        found.append(f"fault: {gpu['fault']}")
    if not registers:
        found += [f"register without a row: {r}" for r in gpu["unknown_registers"]]
    for name in ("blits_undone", "planes_undone", "readonly_writes"):
        if gpu.get(name):
            found.append(f"{name}: {gpu[name]}")
    for name, engine in gpu["engines"].items():
        if engine.get("hangs") and not hangs:
            found.append(f"{name}: hangs {engine['hangs']}, {engine.get('hang_reason')}")
    if status["vfu"]["errors"]:
        found.append(f"vfio-user errors: {status['vfu']['errors']}")
    return found


def assert_status(vm, **allowed):
    found = troubles(vm.status(), **allowed)
    assert not found, "the server has something against its driver:\n" + "\n".join(found)


def assert_clean(vm):
    assert_log(vm)
    assert_status(vm)


class Tap:
    """The output of a test program: [(good, text)], whether it came to its end, comments."""

    def __init__(self, result):
        self.result, self.checks, self.plan = result, [], None
        for line in result.output.splitlines():
            m = re.match(r"(not )?ok \d+ - (.*)", line)
            if m:
                self.checks.append((not m[1], m[2]))
            m = re.match(r"1\.\.(\d+)$", line)
            if m:
                self.plan = int(m[1])

    def assert_good(self, at_least=1):
        """Every check passed, and there were as many as the program planned."""
        bad = [text for good, text in self.checks if not good]
        tail = self.result.output[-6000:]
        assert not bad, f"{len(bad)} of {len(self.checks)} failed:\n" + "\n".join(bad) + "\n--- output\n" + tail
        assert self.result.code == 0, f"exit code {self.result.code}:\n{tail}"
        assert self.plan == len(self.checks) >= at_least, f"plan {self.plan}, {len(self.checks)} checks:\n{tail}"


def run_tap(vm, command, timeout=600):
    """Run a test program of the guest and judge its output."""
    tap = Tap(vm.run(command, timeout=timeout, check=False))
    tap.assert_good()
    return tap
