# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock kernels come up on each platform with nothing to complain about, and show their console."""

import time

import pytest
from glyphs import read_screen
from verdict import assert_clean, run_tap
from vm import console_font

BOOTS = [
    pytest.param("6.12", "kbl-gt2"),
    pytest.param("7.2", "skl-gt2"),
    pytest.param("6.1", "kbl-gt2"),
    pytest.param("6.12", "skl-gt2", marks=pytest.mark.long),
    pytest.param("7.2", "kbl-gt2", marks=pytest.mark.long),
    pytest.param("6.1", "skl-gt2", marks=pytest.mark.long),
]
PCI_IDS = {"kbl-gt2": "0x5916", "skl-gt2": "0x1912"}


def screen_text(vm, wanted, seconds=30):
    """The screen's text, as soon as it has `wanted` (or after a while)."""
    deadline = time.monotonic() + seconds
    while True:
        vm.screenshot(vm.path("screen.png"))
        lines = read_screen(vm.path("screen.png"), console_font())
        if any(wanted in line for line in lines) or time.monotonic() > deadline:
            return "\n".join(lines)


@pytest.mark.parametrize("kernel, platform", BOOTS)
def test_boot(machine, kernel, platform):
    name = f"guest-{platform}".replace("-gt2", "")
    vm = machine(kernel, server_args=[f"--platform={platform}"], hostname=name)
    assert_clean(vm)
    device = vm.run("cat /sys/class/drm/card0/device/device; uname -r").output.split()
    assert device[0] == PCI_IDS[platform]
    assert device[1].startswith(kernel)
    text = screen_text(vm, name)
    assert name in text and device[1] in text, f"the screen says:\n{text}"
    run_tap(vm, "kms_check")
    run_tap(vm, "gem_stress 2 2 8")
    assert_clean(vm)


def test_class_vga(machine):
    """As a VGA controller, the class of a primary display, i915 binds too."""
    vm = machine("6.12", server_args=["--class=0300"])
    assert_clean(vm)
    assert vm.run("cat /sys/class/drm/card0/device/class").output.strip() == "0x030000"


def test_no_monitor(machine):
    vm = machine("6.12", server_args=["--no-monitor"])
    assert_clean(vm)
    assert vm.run("cat /sys/class/drm/card0-HDMI-A-1/status").output.strip() == "disconnected"
    run_tap(vm, "gem_stress 2 2 8")


def test_ram_without_fd(machine):
    """Guest RAM that is not shared: the first use of the engines says what to do about it."""
    vm = machine("6.12", shared=False, load="none")
    # The probe waits for an engine that faults: it need not end well, and may take its time.
    vm.run("timeout 60 modprobe i915", check=False, timeout=120)
    assert "memory-backend-memfd,share=on" in (vm.status()["gpu"]["fault"] or "")
