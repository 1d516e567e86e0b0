# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole GPU of `ugvt serve` over the wire, without a VM: a tiny driver, good and bad.

Whatever a driver puts into rings, tables and context images ends in a fault with its reason in the
status, or in a hang of that one engine: the others go on, a reset mends it, the server never exits.
"""

import json
import os
import random
import shlex
import struct
import subprocess
import sys
import threading

import pytest
import vfio_user
from conftest import BUILD, TOP, Server

sys.path.insert(0, os.path.join(TOP, "tests", "lib"))

from gpu_driver import (  # noqa: E402
    ARB_CHECK, BATCH_END, CSB_COMPLETE, CSB_IDLE_TO_ACTIVE, CSB_PREEMPTED, ENGINES, GGTT, MASTER_IRQ, NOOP, PAGE,
    PRESENT, RING_ELSP, USER_INTERRUPT, WRITABLE, Gpu, Memory, address, arb_on_off, batch_start, copy, fill,
    load_register, semaphore_wait, store, store_qword)

UGVT = os.environ.get("UGVT", os.path.join(BUILD, "ugvt"))
# Further arguments, e.g. --seccomp=off for a build that writes coverage files at its end.
SERVE_ARGS = shlex.split(os.environ.get("UGVT_SERVE_ARGS", ""))
HIGH = 0x123450000000
DATA = 0x10000


class GpuServer(Server):
    """`ugvt serve` and one client with a driver on it."""

    def __init__(self, folder, *args):
        super().__init__(folder, (*args, *SERVE_ARGS), [UGVT, "serve"])

    def status(self):
        out = subprocess.run([UGVT, "status", "--json", "--socket", self.path], check=True, capture_output=True,
                             text=True, timeout=60)
        return json.loads(out.stdout)

    def gpu(self, **kwargs):
        return Gpu(self.client(), **kwargs)

    def engine(self, name):
        return self.status()["gpu"]["engines"][name]

    def until_hung(self, gpu, name):
        """Wait for the hang of an engine; its reason."""
        gpu.until(f"{name} hangs", lambda: self.engine(name)["state"] == "hung", seconds=10)
        return self.engine(name)["hang_reason"]


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    s = GpuServer(str(tmp_path_factory.mktemp("gpu")))
    yield s
    assert s.process.poll() is None, s.errors()
    s.stop()


@pytest.fixture
def gpu(serve):
    """A fresh client; the device is reset first, as QEMU does."""
    client = serve.client()
    client.reset()
    g = Gpu(client)
    yield g
    assert serve.process.poll() is None, serve.errors()
    client.close()
    g.close()


def works(gpu, engine, value=None):
    """A user batch stores above 4 GiB of a new context's PPGTT and completes."""
    value = random.getrandbits(32) if value is None else value
    ctx, page = gpu.context(engine), gpu.page()
    ctx.map(HIGH, page)
    ctx.run([*store(HIGH + 8, value), BATCH_END])
    assert gpu.dword(page + 8) == value


def others_work(gpu, engine):
    for name in ENGINES:
        if name != engine:
            works(gpu, name)


def mend(gpu, engine):
    """A reset of the engine brings it back; the others had gone on."""
    others_work(gpu, engine)
    gpu.reset_engine(engine)
    for name in ENGINES:
        works(gpu, name)


def violations(serve):
    return {k: v["count"] for k, v in serve.status()["gpu"]["violations"].items()}


# ---------------------------------------------------------------- a good driver

def test_every_engine(serve, gpu):
    before = violations(serve)
    for name in ENGINES:
        ctx, page = gpu.context(name), gpu.page()
        ctx.map(DATA, page)
        ctx.map(HIGH, page)
        ctx.batch([*store(DATA, 1), *store_qword(HIGH + 8, 0x1122334455667788), BATCH_END])
        # The ring itself writes through the GGTT, as a driver's breadcrumb does.
        ctx.emit(store(gpu.ggtt_map(page) + 16, 3, ggtt=True))
        ctx.submit()
        events = gpu.wait(ctx)
        assert events[0][0] & CSB_IDLE_TO_ACTIVE
        assert any(s & CSB_COMPLETE and i == ctx.id for s, i in events)
        assert gpu.dword(page) == 1 and gpu.qword(page + 8) == 0x1122334455667788 and gpu.dword(page + 16) == 3
    assert violations(serve) == before
    assert not serve.status()["gpu"]["unknown_registers"]


def test_interrupt(gpu):
    """A user interrupt and the context switch reach the eventfd of the MSI, once unmasked."""
    fd = vfio_user.eventfd()
    try:
        gpu.client.set_irqs(0x24, 1, 0, 1, fds=[fd])
        gpu.client.region_write(7, 0xae, struct.pack("<H", 1))  # MSI on
        gpu.write(0x44304, 0)           # GT IMR 0: RCS and BCS
        gpu.write(0x4430c, 0xffffffff)  # its IER
        gpu.write(MASTER_IRQ, 1 << 31)
        ctx = gpu.context("rcs0")
        ctx.run([USER_INTERRUPT, BATCH_END])
        gpu.until("an interrupt", lambda: vfio_user.eventfd_count(fd) > 0)
        assert gpu.read(MASTER_IRQ) & 1
        assert gpu.read(0x44308) & 0x101 == 0x101
        gpu.write(0x44308, 0xffffffff)
    finally:
        os.close(fd)


def test_context_chain(gpu):
    """Two contexts in one write of the port, then a preemption of a spinner by a third."""
    first, second, page = gpu.context("vcs0"), gpu.context("vcs0"), gpu.page()
    for n, ctx in enumerate((first, second)):
        ctx.map(DATA, page)
        ctx.batch([*store(DATA + 4 * n, 7 + n), BATCH_END])
        while ctx.tail % 8:
            ctx.emit([NOOP])
        ctx.state(7, ctx.tail)
    gpu.submit_raw("vcs0", first.descriptor, second.descriptor)
    events = gpu.wait(second)
    assert [i for s, i in events if s & CSB_COMPLETE] == [first.id, second.id]
    assert (gpu.dword(page), gpu.dword(page + 4)) == (7, 8)

    spin, other = gpu.context("vcs0"), gpu.context("vcs0")
    spin.batch([ARB_CHECK, *batch_start(spin.batch_addr)])
    spin.submit()
    other.map(DATA, page)
    events = other.run([*store(DATA, 9), BATCH_END])
    assert any(s & CSB_PREEMPTED and i == spin.id for s, i in events)
    assert gpu.dword(page) == 9


def test_read_only_page(gpu):
    """A write through an entry without the permission goes nowhere; the batch goes on."""
    ctx, closed, opened = gpu.context("bcs0"), gpu.page(), gpu.page()
    ctx.map(DATA, closed, PRESENT)
    ctx.map(DATA + PAGE, opened)
    ctx.run([*store(DATA, 1), *fill(DATA, 64, 0, 0, 4, 4, 0xffffffff), *store(DATA + PAGE, 2), BATCH_END])
    assert gpu.memory.map[closed:closed + PAGE] == bytes(PAGE)
    assert gpu.dword(opened) == 2


# ---------------------------------------------------------------- bad input: the engine hangs, or waits

def nowhere_batch(gpu, ctx):
    ctx.emit(batch_start(0x5000000))


def nowhere_pte(gpu, ctx):
    ctx.map(DATA, 0x7f00000000)
    ctx.batch([*store(DATA, 1), BATCH_END])


def nowhere_table(gpu, ctx):
    ctx.batch([BATCH_END])
    gpu.put_qword(ctx.pml4, 0x6f00000000 | PRESENT | WRITABLE)


def nowhere_root(gpu, ctx):
    ctx.batch([BATCH_END])
    ctx.state(0x33, 0x5f000000)
    ctx.state(0x31, 0x3f)


def nowhere_ring(gpu, ctx):
    ctx.state(9, 0xffc00000)
    ctx.emit([NOOP] * 4)


def nowhere_ring_page(gpu, ctx):
    gpu.ggtt_set(ctx.ring_gma, 0x7e00000000)
    ctx.emit([NOOP] * 4)


def unknown_mi(gpu, ctx):
    ctx.batch([0x3f << 23, BATCH_END])


def unknown_client(gpu, ctx):
    ctx.batch([7 << 29, BATCH_END])


def unknown_in_ring(gpu, ctx):
    ctx.emit([1 << 29, NOOP, NOOP, NOOP])


def runs_off_the_batch(gpu, ctx):
    """NOOPs without an end: the page behind has no entry."""
    ctx.batch([NOOP] * 1024)


def long_command_at_the_end(gpu, ctx):
    """The last dword of the last page starts a command of 257 dwords."""
    ctx.batch([NOOP] * 1023 + [0x22 << 23 | 0xff])


def bad_math(gpu, ctx):
    ctx.batch([0x1a << 23 | 1, 0xfff00000, 0x12345678, BATCH_END])


HANGING = [nowhere_batch, nowhere_pte, nowhere_table, nowhere_root, nowhere_ring, nowhere_ring_page,
           unknown_mi, unknown_client, unknown_in_ring, runs_off_the_batch, long_command_at_the_end, bad_math]


@pytest.mark.parametrize("bad", HANGING, ids=lambda f: f.__name__)
@pytest.mark.parametrize("engine", ["bcs0", "rcs0"])
def test_hangs(serve, gpu, engine, bad):
    ctx = gpu.context(engine)
    bad(gpu, ctx)
    ctx.submit()
    reason = serve.until_hung(gpu, engine)
    assert reason and len(reason) > 8, "a hang without a reason"
    mend(gpu, engine)


def spins(gpu, ctx):
    ctx.batch([ARB_CHECK, *batch_start(ctx.batch_addr)])


def spins_without_arbitration(gpu, ctx):
    ctx.batch([arb_on_off(0), *batch_start(ctx.batch_addr)])


def calls_itself(gpu, ctx):
    """Second-level batches that call themselves: there are two levels, so it is a loop."""
    ctx.batch([*batch_start(ctx.batch_addr, second=True), BATCH_END])


def waits(gpu, ctx):
    ctx.map(DATA, gpu.page())
    ctx.batch([*semaphore_wait(DATA, 1), BATCH_END])


def endless_ring(gpu, ctx):
    """A command's length jumps over the tail, ring after ring."""
    ctx.emit([NOOP] * 510 + [0x22 << 23 | 0xff] * 512)
    ctx.tail = 8


def head_behind_the_ring(gpu, ctx):
    ctx.emit([NOOP] * 8)
    ctx.state(5, 0x1ffff8)


def odd_tail(gpu, ctx):
    ctx.emit([NOOP] * 6)
    ctx.tail = 0x14


def tail_behind_the_ring(gpu, ctx):
    ctx.tail = 0x1ffff8


def ring_not_valid(gpu, ctx):
    ctx.emit([NOOP] * 8)
    ctx.state(0xb, 0)


def empty_ring(gpu, ctx):
    pass


LASTING = [spins, spins_without_arbitration, calls_itself, waits, endless_ring, head_behind_the_ring, odd_tail,
           tail_behind_the_ring, ring_not_valid, empty_ring]


@pytest.mark.parametrize("bad", LASTING, ids=lambda f: f.__name__)
@pytest.mark.parametrize("engine", ["vcs0", "rcs0"])
def test_lasts(serve, gpu, engine, bad):
    """What may run for ever, wait or end: the others go on meanwhile, a reset takes it off."""
    ctx = gpu.context(engine)
    bad(gpu, ctx)
    ctx.submit(tail=ctx.tail)
    mend(gpu, engine)


@pytest.mark.parametrize("descriptor", [
    0, 1, 0xffffffffffffffff, 0xfffff001, 0x1f9, 0x7fff_ffff_0000_0001, 0x8000_0000_ffc0_0119])
def test_descriptors(serve, gpu, descriptor):
    """Descriptors of nothing and of nonsense, in both ports."""
    for first, second in ((descriptor, 0), (descriptor, descriptor), (0, descriptor)):
        gpu.submit_raw("bcs0", first, second)
        mend(gpu, "bcs0")


def test_half_submitted(gpu):
    """Fewer than four writes of the port, then a reset: the count starts again."""
    for n in range(1, 4):
        for _ in range(n):
            gpu.write(ENGINES["vecs0"][0] + RING_ELSP, 0xffffffff)
        gpu.reset_engine("vecs0")
        works(gpu, "vecs0")


def test_submit_storm(serve, gpu):
    """The port written as fast as it goes, without waiting for anything."""
    ctx, page = gpu.context("bcs0"), gpu.page()
    ctx.map(DATA, page)
    ctx.batch([ARB_CHECK, *batch_start(ctx.batch_addr)])
    ctx.submit()
    for n in range(400):
        gpu.post(ENGINES["bcs0"][0] + RING_ELSP, (ctx.descriptor >> 32 if n % 2 == 0 else ctx.descriptor))
    mend(gpu, "bcs0")
    assert violations(serve).get("elsp_overrun") or violations(serve).get("lite_restore")


@pytest.mark.parametrize("seed", range(12))
def test_image_of_noise(serve, gpu, seed):
    """A context image of random bytes, or a good one with some dwords of noise."""
    rng = random.Random(seed)
    engine = rng.choice(list(ENGINES))
    if seed % 3 == 0:
        ctx = gpu.context(engine, noise=rng.randbytes)
    else:
        ctx = gpu.context(engine)
        ctx.map(DATA, gpu.page())
        ctx.batch([*store(DATA, 1), BATCH_END])
        for _ in range(rng.randint(1, 20)):
            ctx.state(rng.randrange(0x60), rng.choice([0, 0xffffffff, rng.getrandbits(32)]))
    ctx.submit(tail=rng.choice([8, 0x1000, rng.getrandbits(21)]))
    mend(gpu, engine)


@pytest.mark.parametrize("seed", range(8))
def test_batch_of_noise(serve, gpu, seed):
    """Random dwords as a batch, and known commands with random operands."""
    rng = random.Random(1000 + seed)
    engine = list(ENGINES)[seed % 4]
    ctx = gpu.context(engine)
    for i in range(8):
        ctx.map(DATA + i * PAGE, gpu.page())
    heads = [0x20 << 23, 0x22 << 23, 0x24 << 23, 0x26 << 23, 0x29 << 23, 0x2a << 23, 0x2e << 23, 0x2f << 23,
             0x1a << 23, 0x1c << 23, 0x31 << 23, 0x36 << 23, 0x7a000000, 2 << 29 | 0x50 << 22, 2 << 29 | 0x53 << 22,
             2 << 29 | 0x42 << 22]
    dwords = []
    while len(dwords) < 1000:
        if seed < 4:
            dwords.append(rng.getrandbits(32))
        else:
            dwords.append(rng.choice(heads) | rng.getrandbits(8))
            for _ in range(rng.randint(0, 10)):
                dwords.append(rng.choice([rng.getrandbits(32), DATA + rng.getrandbits(15), 0, 0xffff]))
    ctx.batch(dwords[:1023] + [BATCH_END])
    ctx.submit()
    mend(gpu, engine)


@pytest.mark.parametrize("rect", [
    (0, 0, 0xffff, 0xffff), (0x8000, 0x8000, 0x7fff, 0x7fff), (0, 0, 0x7fff, 0x7fff), (10, 10, 5, 5), (0, 0, 0, 0)])
@pytest.mark.parametrize("pitch", [0, 4, 0x7ffc, 0x8000, 0xffff])
def test_blits_out_of_bounds(serve, gpu, rect, pitch):
    ctx = gpu.context("bcs0")
    ctx.map(DATA, gpu.page())
    ctx.batch([*fill(DATA, pitch, *rect, 0xffffffff), *copy(DATA, 0xfffffffff000, pitch, rect[2], rect[3]), BATCH_END])
    ctx.submit()
    mend(gpu, "bcs0")


def test_hwsp_nowhere(serve, gpu):
    """Events have no place to go: nobody dies of it."""
    gpu.write(ENGINES["vecs0"][0] + 0x80, 0xfff00000)
    ctx = gpu.context("vecs0")
    ctx.batch([BATCH_END])
    ctx.submit()
    mend(gpu, "vecs0")


def test_image_under_the_feet(serve, gpu):
    """The GGTT entries of a running context's image and ring go away."""
    ctx = gpu.context("rcs0")
    ctx.batch([ARB_CHECK, *batch_start(ctx.batch_addr)])
    ctx.submit()
    for page in range(22):
        gpu.ggtt_set(ctx.lrca + page * PAGE, 0, flags=0)
    gpu.ggtt_set(ctx.ring_gma, 0, flags=0)
    gpu.submit_raw("rcs0", gpu.context("rcs0").descriptor)
    mend(gpu, "rcs0")


def test_tables_that_loop(serve, gpu):
    """A page table that names itself at every level, and 2 MiB and 1 GiB pages out of RAM."""
    for entry in (0, 0x80, 0x800):
        ctx = gpu.context("vcs0")
        ctx.map(ctx.batch_addr, gpu.page())
        for i in range(512):
            gpu.put_qword(ctx.pml4 + 8 * i, ctx.pml4 | PRESENT | WRITABLE | entry)
        ctx.emit(batch_start(HIGH))
        ctx.submit()
        mend(gpu, "vcs0")


# ---------------------------------------------------------------- registers and the GGTT

@pytest.mark.parametrize("seed", range(4))
def test_register_noise(serve, gpu, seed):
    """Anything written anywhere in BAR 0, in every width, with work on the engines."""
    rng = random.Random(seed)
    for name in ENGINES:
        ctx = gpu.context(name)
        spins(gpu, ctx)
        ctx.submit()
    for _ in range(6000):
        size = rng.choice([1, 2, 4, 4, 4, 8])
        base = rng.choice([0, 0x2000, 0x22000, 0x12000, 0x1a000, 0x44000, 0x60000, 0x64000, 0x70000, 0x9400, 0xa000,
                           0x45400, 0xc5000, 0x138000])
        offset = (base + rng.randrange(0x1000 if base else 0x200000)) // size * size
        gpu.client.region_post(0, offset, rng.choice([bytes(size), b"\xff" * size, rng.randbytes(size)]))
        if rng.random() < 0.02:
            gpu.client.region_read(0, offset, size)
    gpu.reset_device()
    for name in ENGINES:
        works(gpu, name)


def test_ggtt_noise(serve, gpu):
    """Random entries, half entries and accesses of the aperture in between."""
    rng = random.Random(5)
    aperture = gpu.client.region_info(2)[4]
    for _ in range(4000):
        index = rng.randrange(1024)
        size = rng.choice([4, 8])
        gpu.client.region_post(0, GGTT + 8 * index + (4 if size == 4 and rng.getrandbits(1) else 0),
                               rng.randbytes(size))
        if rng.random() < 0.3:
            offset = rng.randrange(aperture - 8)
            if rng.getrandbits(1):
                gpu.client.region_post(2, offset, rng.randbytes(rng.randint(1, 8)))
            else:
                gpu.client.region_read(2, offset, rng.randint(1, 8))
    gpu.reset_device()
    for name in ENGINES:
        works(gpu, name)


def test_aperture(gpu):
    """The aperture reaches RAM through the GGTT; a page without entry reads 0 and drops writes."""
    page = gpu.page()
    gma = gpu.ggtt_map(page)
    gpu.client.region_write(2, gma + 4, struct.pack("<I", 0x12345678))
    assert gpu.dword(page + 4) == 0x12345678
    gpu.put(page + 8, [0xcafe])
    assert gpu.client.region_read(2, gma + 8, 4) == struct.pack("<I", 0xcafe)
    gpu.ggtt_set(gma, 0, flags=0)
    gpu.client.region_write(2, gma + 4, b"\xff" * 4)
    assert gpu.dword(page + 4) == 0x12345678
    assert gpu.client.region_read(2, gma + 4, 4) == bytes(4)


# ---------------------------------------------------------------- memory that comes and goes

LIVE = 0x40000000  # where a second piece of RAM lies


def test_remap_under_blits(serve, gpu):
    """A page is unmapped and another mapped in its place, again and again, with the blitter busy all
    the time: no fault, and each blit lands in the memory that is mapped now."""
    before = violations(serve)
    busy, work = gpu.context("bcs0"), gpu.context("bcs0")
    target = gpu.page(4)
    for i in range(4):
        busy.map(DATA + i * PAGE, target + i * PAGE)
    # Blits for ever, on pages that stay.
    busy.batch([*fill(DATA, 256, 0, 0, 64, 16, 0x11111111), *copy(DATA + PAGE, DATA, 256, 64, 16),
                *batch_start(busy.batch_addr)])
    for i in range(16):
        work.map(HIGH + i * PAGE, LIVE + i * PAGE)
    old = None
    hangs = serve.engine("bcs0")["hangs"]
    for n in range(40):
        live = Memory(16 * PAGE)
        gpu.client.dma_map(LIVE, live.size, live.fd)
        if old:
            assert old.map[:] == shown, "a blit went to memory that had been unmapped"
            old.close()
        busy.emit([arb_on_off(1), *batch_start(busy.batch_addr)])
        busy.submit()
        gpu.until("it is taken", lambda: gpu.events("bcs0"))
        work.run([*fill(HIGH, 1024, 0, 0, 256, 64, 0xabc00000 + n), BATCH_END])
        shown = struct.pack("<I", 0xabc00000 + n) * (live.size // 4)
        assert live.map[:] == shown
        gpu.client.dma_unmap(LIVE, live.size)
        old = live
    old.close()
    assert serve.engine("bcs0")["hangs"] == hangs
    assert violations(serve) == before
    assert gpu.memory.map[target:target + PAGE] == struct.pack("<I", 0x11111111) * 1024


def test_live_page_comes_back(serve, gpu):
    """The pages that a blit loop is writing are unmapped and mapped again at once, as QEMU does when
    its memory map changes: no fault, and the loop goes on in the memory that is mapped now."""
    hangs = serve.engine("bcs0")["hangs"]
    live = Memory(16 * PAGE)
    gpu.client.dma_map(LIVE, live.size, live.fd)
    ctx = gpu.context("bcs0")
    for i in range(16):
        ctx.map(HIGH + i * PAGE, LIVE + i * PAGE)
    ctx.batch([*fill(HIGH, 1024, 0, 0, 256, 64, 0x5a5a5a5a), *batch_start(ctx.batch_addr)])
    ctx.submit()
    for _ in range(100):
        gpu.until("a blit", lambda: live.map[:] == b"Z" * live.size)
        gpu.client.dma_unmap(LIVE, live.size)
        old, live = live, Memory(16 * PAGE)
        old.map[:] = bytes(old.size)
        gpu.client.dma_map(LIVE, live.size, live.fd)
        gpu.until("a blit in the new pages", lambda: live.map[:4] == b"ZZZZ")
        assert old.map[:] == bytes(old.size), "memory was written after its unmap was answered"
        old.close()
    assert serve.engine("bcs0")["hangs"] == hangs
    mend(gpu, "bcs0")
    gpu.client.dma_unmap(LIVE, live.size)
    live.close()


def test_all_memory_comes_back(serve, gpu):
    """All RAM, with rings, images and tables in it, goes and comes under four busy engines."""
    hangs = {name: serve.engine(name)["hangs"] for name in ENGINES}
    contexts, counters = {}, {}
    for name in ENGINES:
        ctx = contexts[name] = gpu.context(name)
        counters[name] = gpu.page()
        ctx.map(DATA, counters[name])
        ctx.batch([0x2f << 23 | 5 << 8 | 1, *address(DATA), ARB_CHECK, *batch_start(ctx.batch_addr)])  # counts
        ctx.submit()
    for _ in range(50):
        before = {name: gpu.dword(page) for name, page in counters.items()}
        gpu.client.dma_unmap(0, gpu.memory.size)
        gpu.client.dma_map(0, gpu.memory.size, gpu.memory.fd)
        for name, page in counters.items():
            gpu.until(f"{name} counts on", lambda: gpu.dword(page) != before[name])
    assert {name: serve.engine(name)["hangs"] for name in ENGINES} == hangs
    for name in ENGINES:
        gpu.reset_engine(name)
        works(gpu, name)


def test_remap_of_live_pages(serve, gpu):
    """The very pages that a loop uses are unmapped and mapped again, as QEMU does when its view of RAM
    changes: no fault, and an inversion has been done exactly as often as the loop has counted."""
    before, hangs = violations(serve), serve.engine("bcs0")["hangs"]
    live = Memory(16 * PAGE)
    noise = random.randbytes(60 * 1024)
    live.map[:len(noise)] = noise
    gpu.client.dma_map(LIVE, live.size, live.fd)
    ctx, go = gpu.context("bcs0"), gpu.page()
    for i in range(16):
        ctx.map(HIGH + i * PAGE, LIVE + i * PAGE)
    ctx.map(DATA, go)
    gpu.put(go, [1])
    count = 60 * 1024
    invert = fill(HIGH, 1024, 0, 0, 256, 60, 0)
    invert[1] = invert[1] & ~0xff0000 | 0x55 << 16
    ctx.batch([*invert,
               0x2f << 23 | 5 << 8 | 1, *address(HIGH + count),     # MI_ATOMIC: one more
               0x36 << 23 | 1 << 21 | 2, 0, *address(DATA),         # MI_CONDITIONAL_BATCH_BUFFER_END
               *batch_start(ctx.batch_addr)])
    ctx.submit()
    gpu.until("a turn", lambda: live.map[count])
    waits = serve.status()["gpu"]["iommu"]["waits"]
    rounds = 0
    while rounds < 200 or serve.status()["gpu"]["iommu"]["waits"] < waits + 50:
        gpu.client.dma_unmap(LIVE, live.size)
        gpu.client.dma_map(LIVE, live.size, live.fd)
        rounds += 1
        assert rounds < 20000, "the loop never met a page that was gone"
    gpu.put(go, [0])
    gpu.wait(ctx)
    turns = struct.unpack_from("<I", live.map, count)[0]
    assert turns > 1
    assert live.map[:count] == (bytes(b ^ 0xff for b in noise) if turns % 2 else noise)
    assert serve.engine("bcs0")["hangs"] == hangs
    assert violations(serve) == before
    gpu.client.dma_unmap(LIVE, live.size)
    live.close()


def test_unmap_under_use(serve, gpu):
    """The very pages that a blit loop writes are unmapped: the answer comes, after it nobody touches
    them, and only that engine suffers."""
    for n in range(4):
        live = Memory(16 * PAGE)
        gpu.client.dma_map(LIVE, live.size, live.fd)
        ctx = gpu.context("bcs0")
        for i in range(16):
            ctx.map(HIGH + i * PAGE, LIVE + i * PAGE)
        ctx.batch([*fill(HIGH, 1024, 0, 0, 256, 64, 0x5a5a5a5a), *batch_start(ctx.batch_addr)])
        ctx.submit()
        gpu.until("a blit", lambda: live.map[:4] == b"ZZZZ")
        gpu.client.dma_unmap(LIVE, live.size)
        live.map[:] = bytes(live.size)
        reason = serve.until_hung(gpu, "bcs0")
        assert reason
        assert live.map[:] == bytes(live.size), "memory was written after its unmap was answered"
        live.close()
        mend(gpu, "bcs0")


def test_memory_without_fd(tmp_path):
    """RAM announced without an fd is never executed from; its first use says what would help."""
    serve = GpuServer(str(tmp_path))
    gpu = serve.gpu()
    gpu.client.dma_map(LIVE, 16 * PAGE)
    assert serve.status()["gpu"]["fault"] is None
    ctx = gpu.context("rcs0")
    ctx.map(DATA, LIVE)
    ctx.batch([*store(DATA, 1), BATCH_END])
    ctx.submit()
    serve.until_hung(gpu, "rcs0")
    assert "memory-backend-memfd,share=on" in serve.status()["gpu"]["fault"]
    mend(gpu, "rcs0")
    gpu.client.close()
    gpu.close()
    serve.stop()


def test_shrunk_memory(serve):
    """The client cuts a piece of RAM off under a blit loop: SIGBUS is no exit, but the device fails."""
    gpu = serve.gpu()
    gpu.client.reset()
    gpu.start()
    live = Memory(64 * PAGE)
    gpu.client.dma_map(LIVE, live.size, live.fd)
    ctx = gpu.context("bcs0")
    for i in range(64):
        ctx.map(HIGH + i * PAGE, LIVE + i * PAGE)
    ctx.batch([*fill(HIGH, 4096, 0, 0, 1024, 64, 0x77777777), *batch_start(ctx.batch_addr)])
    ctx.submit()
    gpu.until("a blit", lambda: live.map[:4] == b"wwww")
    os.ftruncate(live.fd, 0)
    gpu.until("the server sees it", lambda: serve.status()["memory"]["shrunk"])
    gpu.until("the device fails", lambda: serve.status()["gpu"]["fault"])
    assert "shrank" in serve.status()["gpu"]["fault"]
    for name in ENGINES:
        serve.until_hung(gpu, name)
    # No reset of the driver's helps.
    gpu.reset_engine("bcs0")
    assert serve.engine("bcs0")["state"] == "hung"
    gpu.client.dma_unmap(LIVE, 64 * PAGE)
    live.close()
    # The next client has a good one.
    gpu.client.close()
    gpu.close()
    gpu = serve.gpu()
    gpu.start()
    assert serve.status()["gpu"]["fault"] is None
    for name in ENGINES:
        works(gpu, name)
    gpu.client.close()
    gpu.close()


# ---------------------------------------------------------------- ends in flight

@pytest.mark.parametrize("bad", [spins, spins_without_arbitration, waits, nowhere_pte], ids=lambda f: f.__name__)
def test_reset_in_flight(gpu, bad):
    """A device reset with all engines busy is answered, and the device is new."""
    for name in ENGINES:
        ctx = gpu.context(name)
        bad(gpu, ctx)
        ctx.submit()
    gpu.reset_device()
    for name in ENGINES:
        works(gpu, name)


def test_client_gone_in_flight(serve):
    """The client dies in the middle of work on all engines; the next one finds a good GPU."""
    for n in range(5):
        gpu = serve.gpu()
        gpu.client.reset()
        gpu.start()
        for name in ENGINES:
            ctx = gpu.context(name)
            (spins, spins_without_arbitration, waits)[n % 3](gpu, ctx)
            ctx.submit()
        gpu.client.close()
        gpu.close()
    client = serve.client()
    client.reset()
    gpu = Gpu(client)
    for name in ENGINES:
        works(gpu, name)
    client.close()
    gpu.close()


def test_control_beside_work(serve, gpu):
    """Status is asked for all the time, by several at once, while engines run, hang and are reset."""
    stop, errors = threading.Event(), []

    def ask():
        while not stop.is_set():
            try:
                serve.status()
            except subprocess.SubprocessError as e:
                errors.append(e)
    threads = [threading.Thread(target=ask) for _ in range(2)]
    for t in threads:
        t.start()
    try:
        for _ in range(3):
            for name in ENGINES:
                ctx = gpu.context(name)
                spins_without_arbitration(gpu, ctx)
                ctx.submit()
                gpu.reset_engine(name)
                works(gpu, name)
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert not errors


def test_addresses_are_canonical_words():
    """The helpers split addresses as commands want them."""
    assert address(HIGH) == [HIGH & 0xffffffff, HIGH >> 32]
    assert load_register(0x2600, 1) == [0x11000001, 0x2600, 1]
