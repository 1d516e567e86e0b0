# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the guest tests: VMs that the tests of a module share, and their logs when one fails.

A boot costs more than most checks, so a module boots one VM and runs its checks in the order they
stand in, the destructive ones last.
"""

import os
import shutil
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))

from vm import VM  # noqa: E402

# Where the logs of VMs go whose tests failed.
LOGS = os.environ.get("UGVT_TEST_LOGS", os.path.join(os.path.dirname(os.path.dirname(HERE)), "build-logs", "guest"))


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes; run by ./test --long")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        item.session.stash.setdefault(FAILED, set()).add(item.nodeid.split("::")[0])


FAILED = pytest.StashKey()


class Machines:
    """VMs started by a test or a module; all end with it."""

    def __init__(self, request):
        self.request, self.vms = request, []

    def __call__(self, *args, start=True, **kwargs):
        vm = VM(*args, **kwargs)
        self.vms.append(vm)
        return vm.start() if start else vm

    def finish(self):
        module = self.request.node.nodeid.split("::")[0]
        failed = module in self.request.session.stash.get(FAILED, set())
        for n, vm in enumerate(self.vms):
            if failed:
                folder = os.path.join(LOGS, os.path.basename(module).replace(".py", ""), str(n))
                os.makedirs(folder, exist_ok=True)
                for log in ("server.log", "qemu.log", "console.log"):
                    if os.path.exists(vm.path(log)):
                        shutil.copy(vm.path(log), folder)
            vm.stop()


@pytest.fixture
def machine(request):
    """Starts VMs that end with the test: machine(kernel, kind, ...) as tests/lib/vm.py's VM."""
    machines = Machines(request)
    yield machines
    machines.finish()


@pytest.fixture(scope="module")
def module_machine(request):
    """The same for a whole module."""
    machines = Machines(request)
    yield machines
    machines.finish()
