# SPDX-License-Identifier: GPL-2.0-or-later
"""A tiny driver for a Gen9 GPU over vfio-user: what exec and i915 do with registers, in little.

It plays the guest: memory is a memfd that is DMA-mapped at GPA 0; registers, GGTT entries and config
space go over the wire. No mercy is built in: any field can be set to anything, for the tests of what
the GPU does about it.

    gpu = Gpu(client)                  # wakes it, sets the GGTT up, all engines to execlists
    ctx = gpu.context("bcs0")          # an image, a ring, a PPGTT of its own
    page = gpu.page(); ctx.map(0x10000, page)
    ctx.batch([*store(0x10000, 42), BATCH_END])
    ctx.submit(); gpu.wait(ctx)

Sources: PRM volume 2c (registers), 5 (page tables), 7 (context image, execlists), by their names.
"""

import mmap
import os
import struct
import time

PAGE = 4096

# name: (MMIO base, bit in GDRST, pages of a context image, FORCEWAKE domain)
ENGINES = {
    "rcs0": (0x2000, 1 << 1, 22),
    "bcs0": (0x22000, 1 << 3, 2),
    "vcs0": (0x12000, 1 << 2, 2),
    "vecs0": (0x1a000, 1 << 4, 2),
}

RING_TAIL, RING_HEAD, RING_START, RING_CTL = 0x30, 0x34, 0x38, 0x3c
RING_HWS_PGA, RING_MI_MODE, RING_IMR, RING_RESET_CTL = 0x80, 0x9c, 0xa8, 0xd0
RING_ELSP, RING_EXECLIST_STATUS, RING_MODE, RING_CSB_PTR = 0x230, 0x234, 0x29c, 0x3a0
GFX_FLSH_CNTL, GDRST, MASTER_IRQ = 0x101008, 0x941c, 0x44200
FORCEWAKE = ((0xa278, 0xd84), (0xa188, 0x130044), (0xa270, 0xd88))
GGTT = 0x800000  # in BAR 0
CSB_ENTRIES, CSB_FIRST_DW, CSB_WRITE_DW = 6, 0x10, 0x1f
CSB_IDLE_TO_ACTIVE, CSB_PREEMPTED, CSB_ACTIVE_TO_IDLE, CSB_COMPLETE = 1, 2, 8, 0x10

PRESENT, WRITABLE = 1, 2

# Commands: PRM volume 2a.
NOOP, USER_INTERRUPT, ARB_CHECK, BATCH_END = 0, 0x02 << 23, 0x05 << 23, 0x0a << 23
BATCH_START_PPGTT, BATCH_START_GGTT, SECOND_LEVEL = 0x31 << 23 | 1 << 8 | 1, 0x31 << 23 | 1, 1 << 22


def arb_on_off(on):
    return 0x08 << 23 | on


def address(a):
    return [a & 0xffffffff, a >> 32]


def store(addr, value, ggtt=False):
    return [0x20 << 23 | 2 | ggtt << 22, *address(addr), value]


def store_qword(addr, value):
    return [0x20 << 23 | 1 << 21 | 3, *address(addr), *address(value)]


def load_register(offset, value):
    return [0x22 << 23 | 1, offset, value]


def semaphore_wait(addr, value):
    """Until memory equals the value."""
    return [0x1c << 23 | 1 << 15 | 4 << 12 | 2, value, *address(addr)]


def batch_start(addr, second=False, ggtt=False):
    return [(BATCH_START_GGTT if ggtt else BATCH_START_PPGTT) | second << 22, *address(addr)]


def fill(addr, pitch, x1, y1, x2, y2, color):
    """XY_COLOR_BLT, 32 bits a pixel."""
    return [2 << 29 | 0x50 << 22 | 3 << 20 | 5, 3 << 24 | 0xf0 << 16 | pitch, y1 << 16 | x1, y2 << 16 | x2,
            *address(addr), color]


def copy(dst, src, pitch, width, height):
    """XY_SRC_COPY_BLT from 0,0 to 0,0."""
    return [2 << 29 | 0x53 << 22 | 3 << 20 | 8, 3 << 24 | 0xcc << 16 | pitch, 0, height << 16 | width,
            *address(dst), 0, pitch, *address(src)]


class Timeout(Exception):
    pass


class Memory:
    """Guest RAM: a memfd, mapped here and (by dma_map) at the server."""

    def __init__(self, size):
        self.size = size
        self.fd = os.memfd_create("guest-ram", os.MFD_CLOEXEC)
        os.ftruncate(self.fd, size)
        self.map = mmap.mmap(self.fd, size)

    def close(self):
        self.map.close()
        os.close(self.fd)


class Gpu:
    def __init__(self, client, ram_bytes=16 << 20, engines=tuple(ENGINES), start=True):
        self.client, self.engines = client, engines
        self.memory = Memory(ram_bytes)
        client.dma_map(0, ram_bytes, self.memory.fd)
        self.next_page = 16      # of RAM; the first stay free
        self.next_gma = 16       # page of the GGTT
        self.next_id = 1
        self.hwsp, self.csb_read = {}, {}
        # Decode memory, master bus: as firmware and driver leave it.
        client.region_write(7, 4, struct.pack("<H", 6))
        if start:
            self.start()

    def close(self):
        self.memory.close()

    # memory

    def page(self, count=1):
        """GPA of pages that nobody has; zeroed."""
        gpa = self.next_page * PAGE
        self.next_page += count
        assert self.next_page * PAGE <= self.memory.size
        self.memory.map[gpa:gpa + count * PAGE] = bytes(count * PAGE)
        return gpa

    def dword(self, gpa):
        return struct.unpack_from("<I", self.memory.map, gpa)[0]

    def qword(self, gpa):
        return struct.unpack_from("<Q", self.memory.map, gpa)[0]

    def put(self, gpa, dwords):
        struct.pack_into(f"<{len(dwords)}I", self.memory.map, gpa, *dwords)

    def put_qword(self, gpa, value):
        struct.pack_into("<Q", self.memory.map, gpa, value)

    # registers and the GGTT

    def read(self, offset):
        return struct.unpack("<I", self.client.region_read(0, offset, 4))[0]

    def write(self, offset, value):
        self.client.region_write(0, offset, struct.pack("<I", value & 0xffffffff))

    def post(self, offset, value):
        self.client.region_post(0, offset, struct.pack("<I", value & 0xffffffff))

    def masked(self, offset, set_bits=0, clear_bits=0):
        self.write(offset, (set_bits | clear_bits) << 16 | set_bits)

    def until(self, what, condition, seconds=20):
        """Wait for a condition; the bound is for machines, not a measure."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Timeout(what)
            time.sleep(0.0005)

    def ggtt_set(self, gma, gpa, flags=PRESENT, flush=True):
        self.client.region_write(0, GGTT + gma // PAGE * 8, struct.pack("<Q", gpa | flags))
        if flush:
            self.write(GFX_FLSH_CNTL, 1)

    def ggtt_map(self, gpa, count=1):
        """Graphics address of pages, in the GGTT."""
        gma = self.next_gma * PAGE
        self.next_gma += count
        for i in range(count):
            self.ggtt_set(gma + i * PAGE, gpa + i * PAGE, flush=i == count - 1)
        return gma

    # life

    def start(self):
        for request, ack in FORCEWAKE:
            self.write(request, 1 << 16 | 1)
            self.until("forcewake", lambda: self.read(ack) & 1)
        for name in self.engines:
            self.start_engine(name)

    def start_engine(self, name):
        base = ENGINES[name][0]
        if name not in self.hwsp:
            self.hwsp[name] = self.page()
        gma = self.ggtt_map(self.hwsp[name])
        self.masked(base + RING_MODE, set_bits=1 << 15)  # execlists
        self.masked(base + RING_MI_MODE, clear_bits=1 << 8)  # no stop
        self.write(base + RING_HWS_PGA, gma)
        self.write(base + RING_IMR, 0)
        self.csb_reset(name)

    def csb_reset(self, name):
        base = ENGINES[name][0]
        self.write(base + RING_CSB_PTR, 0xffff << 16 | 5 << 8 | 5)
        self.put(self.hwsp[name] + 4 * CSB_WRITE_DW, [5])
        self.csb_read[name] = 5

    def reset_engine(self, name):
        """GDRST of one engine with the handshake that i915 does."""
        base, bit, _ = ENGINES[name]
        self.masked(base + RING_MI_MODE, set_bits=1 << 8)
        self.masked(base + RING_RESET_CTL, set_bits=1)
        self.until("ready for reset", lambda: self.read(base + RING_RESET_CTL) & 2)
        self.write(GDRST, bit)
        self.until("the reset's end", lambda: not self.read(GDRST) & bit)
        self.masked(base + RING_RESET_CTL, clear_bits=1)
        self.start_engine(name)

    def reset_device(self):
        """The function level reset over the wire; all is as after power-on, memory stays mapped."""
        self.client.reset()
        self.client.region_write(7, 4, struct.pack("<H", 6))
        self.start()

    # execution

    def context(self, engine, **kwargs):
        return Context(self, engine, **kwargs)

    def submit_raw(self, engine, first, second=0):
        """The four writes of the submit port, descriptors of 64 bits."""
        port = ENGINES[engine][0] + RING_ELSP
        for value in (second >> 32, second, first >> 32, first):
            self.write(port, value)

    def events(self, engine):
        """New entries of the status buffer: [(status, context id)]."""
        page, found = self.hwsp[engine], []
        write = self.dword(page + 4 * CSB_WRITE_DW) & 7
        while self.csb_read[engine] != write:
            at = (self.csb_read[engine] + 1) % CSB_ENTRIES
            self.csb_read[engine] = at
            found.append((self.dword(page + 4 * (CSB_FIRST_DW + 2 * at)),
                          self.dword(page + 4 * (CSB_FIRST_DW + 2 * at) + 4)))
        if found:
            self.write(ENGINES[engine][0] + RING_CSB_PTR, 0xf00 << 16 | self.csb_read[engine] << 8)
        return found

    def wait(self, context, seconds=20):
        """Until the context has completed; all events met on the way."""
        seen = []

        def done():
            seen.extend(self.events(context.engine))
            return any(s & CSB_COMPLETE and i == context.id for s, i in seen)
        self.until(f"a context on {context.engine}", done, seconds)
        return seen


class Context:
    """A logical context with a ring of one page or more and a four-level PPGTT."""

    def __init__(self, gpu, engine, ring_pages=1, noise=None):
        self.gpu, self.engine = gpu, engine
        self.base, _, pages = ENGINES[engine]
        self.id = gpu.next_id
        gpu.next_id += 1
        self.ring = gpu.page(ring_pages)
        self.ring_bytes = ring_pages * PAGE
        self.ring_gma = gpu.ggtt_map(self.ring, ring_pages)
        self.image = gpu.page(pages)
        self.lrca = gpu.ggtt_map(self.image, pages)
        self.pml4 = gpu.page()
        self.tables = {}
        self.tail = 0
        self.batch_gpa, self.batch_addr = None, 0x7fff0000
        if noise is None:
            self.write_image()
        else:
            gpu.memory.map[self.image:self.image + pages * PAGE] = noise(pages * PAGE)

    def state(self, dword, value):
        """A dword of the register state page."""
        self.gpu.put(self.image + PAGE + 4 * dword, [value & 0xffffffff])

    def write_image(self):
        base, state = self.base, self.state
        registers = [(0x244, 8 << 16 | 8 | 1 << 16), (0x34, 0), (0x30, 0), (0x38, self.ring_gma),
                     (0x3c, (self.ring_bytes - PAGE) | 1), (0x168, 0), (0x140, 0), (0x110, 1 << 5), (0x11c, 0),
                     (0x114, 0), (0x118, 0), (0x1c0, 0), (0x1c4, 0), (0x1c8, 0)]
        state(1, 0x22 << 23 | 1 << 12 | (2 * len(registers) - 1))
        for i, (offset, value) in enumerate(registers):
            state(2 + 2 * i, base + offset)
            state(3 + 2 * i, value)
        roots = [(0x3a8, 0), (0x28c, 0), (0x288, 0), (0x284, 0), (0x280, 0), (0x27c, 0), (0x278, 0),
                 (0x274, self.pml4 >> 32), (0x270, self.pml4)]
        state(0x21, 0x22 << 23 | 1 << 12 | (2 * len(roots) - 1))
        for i, (offset, value) in enumerate(roots):
            state(0x22 + 2 * i, base + offset)
            state(0x23 + 2 * i, value)
        end = 0x34
        if self.engine == "rcs0":
            state(0x41, 0x22 << 23 | 1)
            state(0x42, base + 0xc8)
            end = 0x44
        state(end, BATCH_END)

    # the PPGTT

    def map(self, addr, gpa, flags=PRESENT | WRITABLE):
        """One page at an address; tables come as they are needed."""
        table = self.pml4
        for level in (3, 2, 1):
            key = (level, addr >> (12 + 9 * level))
            if key not in self.tables:
                self.tables[key] = self.gpu.page()
                index = addr >> (12 + 9 * level) & 511
                self.gpu.put_qword(table + 8 * index, self.tables[key] | PRESENT | WRITABLE)
            table = self.tables[key]
        self.gpu.put_qword(table + 8 * (addr >> 12 & 511), gpa | flags)

    # the ring

    def emit(self, dwords):
        for dw in dwords:
            self.gpu.put(self.ring + self.tail, [dw & 0xffffffff])
            self.tail = (self.tail + 4) % self.ring_bytes

    def batch(self, dwords, addr=None, pages=1):
        """Puts a batch into the PPGTT and its start into the ring."""
        addr = self.batch_addr if addr is None else addr
        if self.batch_gpa is None:
            self.batch_gpa = self.gpu.page(pages)
            for i in range(pages):
                self.map(addr + i * PAGE, self.batch_gpa + i * PAGE)
        self.gpu.put(self.batch_gpa, [dw & 0xffffffff for dw in dwords])
        self.emit([arb_on_off(1), *batch_start(addr), arb_on_off(0)])

    @property
    def descriptor(self):
        """Valid, legacy 64-bit addressing, privileged access through the GGTT."""
        return self.id << 32 | self.lrca | 1 << 8 | 3 << 3 | 1

    def submit(self, tail=None):
        if tail is None:
            while self.tail % 8:
                self.emit([NOOP])
            tail = self.tail
        self.state(7, tail)
        self.gpu.submit_raw(self.engine, self.descriptor)

    def run(self, dwords, seconds=20):
        """A batch, from submission to completion."""
        self.batch(dwords)
        self.submit()
        return self.gpu.wait(self, seconds)
