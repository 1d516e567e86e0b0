# SPDX-License-Identifier: GPL-2.0-or-later
"""Ends and beginnings: QEMU killed, the device unplugged, guests rebooted and reset, guests gone mad."""

import random
import signal
import time

import pytest
from verdict import assert_clean, assert_log, run_tap

# A loop of work on all engines that outlives the test.
WORK = "gem_stress 2 2 1000000 >/dev/null 2>&1 &"
TIMES = [10]


@pytest.mark.parametrize("times", TIMES)
def test_qemu_killed(machine, times):
    """SIGKILL in the middle of blits; the server takes the next QEMU as if nothing had been."""
    vm = machine("6.12")
    for _ in range(times):
        assert_log(vm)
        vm.run(WORK + "\nsleep 0.5")
        vm.kill_qemu(signal.SIGKILL)
        assert vm.server.poll() is None, vm.server_log()
        vm.start_qemu()
        vm.wait_ready()
    run_tap(vm, "gem_stress 2 2 8")
    assert_clean(vm)
    assert vm.status()["vfu"]["connections"] == times + 1
    vm.kill_qemu(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while vm.status()["attached"] and time.monotonic() < deadline:
        time.sleep(0.01)
    status = vm.status()
    assert not status["attached"] and status["memory"]["maps"] == 0, "a dead guest's memory is still mapped"


@pytest.mark.parametrize("times", TIMES)
def test_hotplug(machine, times):
    """device_del and device_add in a running guest; i915 lets go and probes again each time."""
    vm = machine("6.12", hotplug=True)
    for n in range(times):
        vm.run("for v in /sys/class/vtconsole/vtcon*; do grep -q frame $v/name && echo 0 >$v/bind; done; true")
        vm.device_del()
        assert not vm.run("ls /dev/dri/card* 2>/dev/null", check=False).output.strip()
        vm.device_add()
        vm.run("for i in $(seq 600); do [ -e /dev/dri/card0 ] && exit 0; sleep 0.1; done; exit 1")
        assert vm.dmesg().count("[drm] Initialized i915") == n + 2
        run_tap(vm, "gem_stress 1 2 4")
    assert_clean(vm)


@pytest.mark.parametrize("times", TIMES)
def test_reboot(machine, times):
    """Reboots by the guest itself, and by the reset button out of full work, by turns.

    Not out of full work by the guest: i915 takes its interrupts off first (i915_driver_shutdown) and
    then waits for requests that nobody submits any more, on any hardware."""
    vm = machine("6.12", reboot=True, cmdline="quiet mitigations=off")
    for n in range(times):
        if n & 1:
            vm.run(WORK + "\nsleep 0.3")
            vm.reset()
        else:
            vm.start_command("reboot -f")
            vm.wait_ready()
        assert_log(vm)
    run_tap(vm, "gem_stress 2 2 8")
    assert_clean(vm)


def test_unbind(machine):
    """i915 gives the device back and takes it again."""
    vm = machine("6.12", smp=2)
    vm.run("""
        for v in /sys/class/vtconsole/vtcon*; do grep -q frame $v/name && echo 0 >$v/bind; done
        for i in 1 2 3; do
            echo 0000:00:02.0 >/sys/bus/pci/drivers/i915/unbind
            echo 0000:00:02.0 >/sys/bus/pci/drivers/i915/bind
        done""")
    run_tap(vm, "gem_stress 2 2 8")
    assert_clean(vm)


@pytest.mark.parametrize("load", ["none", "i915"])
def test_noise(machine, load):
    """A guest that writes anything anywhere: the server lives, and the next guest finds a new GPU."""
    vm = machine("6.12", load=load)
    seed = random.getrandbits(32)
    print(f"mmio_noise 40000 {seed}")
    vm.start_command(f"mmio_noise 40000 {seed}")
    reads = -1
    while reads != vm.status()["vfu"]["messages"]["region_read"]:  # until it has ended, or is dead
        reads = vm.status()["vfu"]["messages"]["region_read"]
        time.sleep(1)
    assert vm.server.poll() is None, vm.server_log()
    vm.status()
    vm.kill_qemu()
    vm.load = None
    vm.start_qemu()
    vm.wait_ready()
    assert_log(vm)
    run_tap(vm, "gem_stress 2 2 8")
