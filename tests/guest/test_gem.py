# SPDX-License-Identifier: GPL-2.0-or-later
"""The test programs of this folder in one guest: engines, blitter, aperture, display, privilege, hangs.

What must leave the server without a word against the driver comes first; what provokes it, last.
"""

import pytest
from screen import differing
from verdict import HANG, assert_clean, assert_log, assert_status, run_tap


@pytest.fixture(scope="module", params=[
    pytest.param(("6.12", "kbl-gt2"), id="6.12-kbl"),
    pytest.param(("7.2", "skl-gt2"), id="7.2-skl", marks=pytest.mark.long),
    pytest.param(("6.1", "kbl-gt2"), id="6.1-kbl", marks=pytest.mark.long),
])
def vm(request, module_machine):
    kernel, platform = request.param
    return module_machine(kernel, smp=2, server_args=[f"--platform={platform}"])


@pytest.mark.parametrize("command", ["gem_cs_check", "gem_blt_check", "gem_fence_check", "gem_stress 4 4 24",
                                     "gem_hang_check --no-hang", "kms_check"])
def test_clean(vm, command):
    run_tap(vm, command)
    assert_clean(vm)


def test_shown(vm):
    """Pixels that a guest's program shows are those of the screenshot."""
    vm.run("""
        (sleep 1000 | kms_check --show 1024x768 >/tmp/shown 2>&1) >/dev/null &
        for i in $(seq 300); do grep -q -e '^shown' -e Bail /tmp/shown && break; sleep 0.1; done
        cat /tmp/shown; grep -q '^shown' /tmp/shown""")
    try:
        vm.screenshot(vm.path("shown.png"))
    finally:
        vm.run("killall sleep; while pidof kms_check; do sleep 0.1; done")
    wrong = differing(vm.path("shown.png"), 1024, 768)
    assert not wrong, "\n".join(wrong)
    assert_clean(vm)


def test_privilege(vm):
    """Each thing a user batch tried and may not is counted; no other violation is."""
    run_tap(vm, "gem_priv_check")
    assert_log(vm)
    assert_status(vm, violations=("cs_register", "cs_privilege"))
    assert vm.status()["gpu"]["violations"].keys() == {"cs_register", "cs_privilege"}


def test_hang(vm):
    run_tap(vm, "gem_hang_check")
    assert_log(vm, allowed=HANG)
    assert "GPU HANG" in vm.dmesg()
    assert_status(vm, violations=("cs_register", "cs_privilege"), hangs=True)
    run_tap(vm, "gem_stress 4 4 24")
