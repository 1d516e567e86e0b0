# SPDX-License-Identifier: GPL-2.0-or-later
"""The original runs on us: Debian's own KVMGT loads on the GPU and makes a vGPU.

Its sysfs tree is compared with kvmgt-tree.txt, recorded once from Debian's 6.12.107: mode, kind (D, F,
L), path, and the content of files or the target of links, with | for line ends.
"""

import os
import re

import pytest
from verdict import assert_clean, run_tap

UUID = "4b20d080-1b54-4048-85b3-a6a62d165c01"
GPU = "/sys/bus/pci/devices/0000:00:02.0"

# Prints a tree as the file has it. Power management's files depend on the kernel's options.
TREE = f"""
cd {GPU}
find mdev_supported_types {UUID} ! -path '*/power/*' | sort | while read -r p; do
    if [ -L "$p" ]; then
        echo "$(stat -c %a "$p") L $p -> $(readlink "$p")"
    elif [ -d "$p" ]; then
        echo "$(stat -c %a "$p") D $p"
    elif [ -r "$p" ] && [ "$(stat -c %a "$p")" != 200 ]; then
        echo "$(stat -c %a "$p") F $p : $(cat "$p" | tr '\\n' '|')"
    else
        echo "$(stat -c %a "$p") F $p : "
    fi
done
"""


@pytest.fixture(scope="module")
def vm(module_machine):
    return module_machine("6.12", "kvmgt", server_args=["--aperture=256M", "--no-monitor"], memory="2G",
                          load="kvm-amd,vfio_iommu_type1,i915,kvmgt", cmdline="i915.enable_gvt=1 i915.enable_guc=0")


def tree(text):
    """The lines of a tree without those that are the machine's affair: group numbers."""
    lines = [re.sub(r"iommu_groups/\d+", "iommu_groups/N", line.rstrip()) for line in text.splitlines()]
    return sorted(line for line in lines if re.match(r"\d+ [DFL] ", line) and "iommu_group_id" not in line)


def test_loads(vm):
    log = vm.dmesg()
    assert "MDEV: Registered" in log, log[-3000:]
    types = vm.run(f"ls {GPU}/mdev_supported_types").output.split()
    assert types == ["i915-GVTg_V5_4", "i915-GVTg_V5_8"]


def test_create(vm):
    vm.run(f"echo {UUID} >{GPU}/mdev_supported_types/i915-GVTg_V5_8/create")
    have = tree(vm.run(TREE).output)
    with open(os.path.join(os.path.dirname(__file__), "kvmgt-tree.txt")) as f:
        want = tree(f.read())
    assert have == want


def test_no_room(vm):
    for text, reason in ((UUID, "File exists"), ("nonsense", "Invalid argument")):
        result = vm.run(f"echo {text} >{GPU}/mdev_supported_types/i915-GVTg_V5_8/create", check=False)
        assert result.code and reason in result.output
    result = vm.run(f"echo {UUID[:-1]}2 >{GPU}/mdev_supported_types/i915-GVTg_V5_4/create", check=False)
    assert result.code and "No space left" in result.output


def test_remove(vm):
    vm.run(f"echo 1 >{GPU}/{UUID}/remove")
    free = vm.run(f"cat {GPU}/mdev_supported_types/*/available_instances").output.split()
    assert free == ["1", "2"]


def test_engines(vm):
    """The host side of KVMGT still has its engines, and an aperture of full size works through fences."""
    run_tap(vm, "gem_stress 2 2 8")
    run_tap(vm, "gem_fence_check")
    assert_clean(vm)
