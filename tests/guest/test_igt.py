# SPDX-License-Identifier: GPL-2.0-or-later
"""IGT's benchmarks (Debian's packages) run to their end on every engine they name."""

import pytest
from verdict import assert_clean


@pytest.fixture(scope="module")
def vm(module_machine):
    return module_machine("6.12", "igt")


# gem_exec_nop's -e takes an engine's name, "all" and "parallel" are all of them.
@pytest.mark.parametrize("command", [
    *(f"gem_exec_nop -r 1 -e {engine}" for engine in ("rcs", "bcs", "vcs", "vecs", "all", "parallel")),
    "gem_blt -r 1",
    "gem_blt -r 1 -s 65536",
    "gem_latency -t 3",
])
def test_benchmark(vm, command):
    result = vm.run(command, timeout=300, check=False)
    assert result.code == 0, result.output
    assert any(c.isdigit() for c in result.output), "it printed no figure"
    assert_clean(vm)
