# SPDX-License-Identifier: GPL-2.0-or-later
"""Posted register writes that reach the device late: every completion is still seen."""

import re

import pytest
from delay_proxy import DelayProxy
from verdict import assert_clean, assert_log, assert_status, run_tap

# i915 has to write a plane's registers within one frame; a bus as slow as this one breaks that promise.
SLOW_BUS = re.compile("Atomic update failure")


@pytest.mark.parametrize("chance, longest", [
    (0.3, 0.004),
    pytest.param(0.02, 0.05, marks=pytest.mark.long),
    pytest.param(1.0, 0.002, marks=pytest.mark.long),
])
def test_delayed_writes(machine, chance, longest):
    vm = machine("6.12", smp=2, start=False)
    delayed = vm.path("delayed.sock")
    proxy = DelayProxy(delayed, vm.socket_path, chance, longest)
    try:
        vm.device_props["socket"] = {"type": "unix", "path": delayed}
        vm.start()
        run_tap(vm, "gem_stress 4 4 16")
        run_tap(vm, "kms_check")
        assert_log(vm, allowed=SLOW_BUS)
        assert_status(vm)
        assert proxy.held > 100, "QEMU posts no writes: nothing was delayed"
    finally:
        proxy.close()


def test_writes_waited(machine):
    """--posted-writes=off: QEMU sends nothing that it does not wait for."""
    vm = machine("6.12", server_args=["--posted-writes=off"])
    run_tap(vm, "gem_fence_check")
    assert_clean(vm)
    assert vm.status()["vfu"]["posted"] == 0
