# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole sessions, as the two clients that exist hold them: QEMU 11.1's sequence, and the crate vfio_user
of rust-vmm, which reads replies of fixed sizes and does not look at their error flag."""

import os
import struct

from vfio_user import (DMA_MAP, DMA_UNMAP, GET_INFO, IRQ_INFO, NO_REPLY, QEMU_CAPS, REGION_INFO, REGION_READ,
                       REGION_WRITE, RUST_CAPS, SET_IRQS, VERSION, eventfd, eventfd_count, header)
import json


def test_qemu_boots_and_unplugs(server):
    for _ in range(3):  # device_add, device_del, and again
        c = server.client()
        ram = os.memfd_create("ram")
        os.ftruncate(ram, 64 << 20)

        # batches are pipelined, only the last reply is waited for
        ids = [c.send(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 0, 64 << 20), fds=[ram])]
        ids.append(c.send(DMA_MAP, struct.pack("<IIQQQ", 32, 1, 0, 0xfffc0000, 0x40000)))
        for i in ids:
            assert c.reply(DMA_MAP, i) == b""

        _, flags, regions, irqs = c.info()
        assert flags == 3 and regions >= 8 and irqs >= 3
        for i in (0, 1, 2, 3, 4, 5, 7):
            need = c.region_info(i)[0]
            for fd in c.fds:
                os.close(fd)
            if need > 32:
                assert len(c.region_info(i, need)[6]) == need - 32
                for fd in c.fds:
                    os.close(fd)
        assert c.irq_info(3)[3] in (0, 1)
        size = c.region_info(7)[4]
        for offset in range(0, size, 4):
            c.region_read(7, offset, 4)

        # BAR sizing: all ones and back
        for bar in range(0x10, 0x28, 4):
            old = c.region_read(7, bar, 4)
            c.region_write(7, bar, b"\xff" * 4)
            c.region_read(7, bar, 4)
            c.region_write(7, bar, old)

        intx = eventfd()
        has_intx = c.irq_info(0)[3] > 0
        if has_intx:
            c.set_irqs(4 | 32, 0, 0, 1, fds=[intx])
            c.set_irqs(1 | 32, 0, 0, 0)
        c.reset()
        if has_intx:
            c.set_irqs(4 | 32, 0, 0, 1, fds=[intx])

        # SeaBIOS splits low RAM, and joins it again
        for _ in range(5):
            ids = [(DMA_UNMAP, c.send(DMA_UNMAP, struct.pack("<IIQQ", 24, 0, 0, 64 << 20)))]
            for addr, length, fd in ((0, 0xc0000, ram), (0xc0000, 0x40000, None),
                                     (0x100000, (64 << 20) - 0x100000, ram)):
                ids.append((DMA_MAP, c.send(DMA_MAP, struct.pack("<IIQQQ", 32, 3 if fd else 1, addr, addr, length),
                                            fds=[fd] if fd else [])))
            for addr, length in ((0, 0xc0000), (0xc0000, 0x40000), (0x100000, (64 << 20) - 0x100000)):
                ids.append((DMA_UNMAP, c.send(DMA_UNMAP, struct.pack("<IIQQ", 24, 0, addr, length))))
            ids.append((DMA_MAP, c.send(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 0, 64 << 20), fds=[ram])))
            for cmd, i in ids:
                c.reply(cmd, i)

        # the device's own BAR is announced without an fd, and taken back
        c.dma_map(0xe0000000, 0x800000)
        c.dma_unmap(0xe0000000, 0x800000)

        c.region_info(6)    # the ROM, when the guest reads it
        msi = eventfd()
        if c.irq_info(1)[3]:
            c.set_irqs(1 | 32, 0, 0, 0)
            c.set_irqs(4 | 32, 1, 0, 1, fds=[msi])
            c.set_irqs(1 | 32, 1, 0, 1)
            assert eventfd_count(msi) == 1
            c.set_irqs(1 | 32, 1, 0, 0)
        c.reset()
        c.close()           # without an unmap: EOF
        for fd in (ram, intx, msi):
            os.close(fd)


class Rust:
    """Fixed-size reads, one request at a time, no look at the error flag: the sizes have to be right."""

    def __init__(self, client):
        self.c = client
        self.id = 0

    def ask(self, cmd, payload, reply_size, fds=()):
        self.c.send_raw(header(cmd, 16 + len(payload), self.id) + payload, fds)
        self.c.fds = []
        reply = self.c.read_exactly(reply_size)
        got_id, got_cmd, size, flags, error = struct.unpack_from("<HHIII", reply)
        assert (got_id, got_cmd, flags, error) == (self.id, cmd, 1, 0)
        self.id += 1
        return size, reply[16:]


def test_rust_vmm(server):
    # the one before may still be on its way out
    c = server.client()
    c.close()
    for get_info_size in (16, 20):
        c = server.connect()
        r = Rust(c)
        caps = json.dumps(RUST_CAPS).encode() + b"\0"
        c.send_raw(header(VERSION, 20 + len(caps), 0) + struct.pack("<HH", 0, 1) + caps)
        cmd, msg_id, flags, error, payload = c.recv_any()
        while error == 16:  # EBUSY
            c = server.connect()
            r = Rust(c)
            c.send_raw(header(VERSION, 20 + len(caps), 0) + struct.pack("<HH", 0, 1) + caps)
            cmd, msg_id, flags, error, payload = c.recv_any()
        assert (cmd, msg_id, flags, error) == (VERSION, 0, 1, 0)
        assert isinstance(json.loads(payload[4:-1])["capabilities"], dict)
        r.id = 1

        size, info = r.ask(GET_INFO, struct.pack("<I", 32).ljust(get_info_size, b"\0"), 16 + get_info_size)
        assert size == 16 + get_info_size
        regions, irqs = struct.unpack_from("<II", info, 8)
        sizes = []
        for i in range(regions):        # every index, 6 and 8 too: an error would hang it
            size, reply = r.ask(REGION_INFO, struct.pack("<IIIIQQ", 32, 0, i, 0, 0, 0), 48)
            assert size == 48
            argsz = struct.unpack_from("<I", reply)[0]
            if argsz > 32:
                size, reply = r.ask(REGION_INFO, struct.pack("<IIIIQQ", argsz, 0, i, 0, 0, 0), 48)
                assert size - 48 == argsz - 32
                c.read_exactly(size - 48)
            flags = struct.unpack_from("<I", reply, 4)[0]
            assert len(c.fds) == (1 if flags & 4 else 0)
            sizes.append(struct.unpack_from("<Q", reply, 16)[0])
            for fd in c.fds:
                os.close(fd)
        for i in range(irqs):
            size, reply = r.ask(IRQ_INFO, struct.pack("<IIII", 32, 0, i, 0), 32)
            assert size == 32

        ram = os.memfd_create("ram")
        os.ftruncate(ram, 16 << 20)
        assert r.ask(DMA_MAP, struct.pack("<IIQQQ", 48, 3, 0, 0, 16 << 20), 16, [ram])[0] == 16
        size, back = r.ask(REGION_READ, struct.pack("<QII", 0, 7, 4), 32 + 4)
        assert size == 36
        size, back = r.ask(REGION_WRITE, struct.pack("<QII", 4, 7, 2) + b"\0\0", 32)
        assert size == 32
        fd = eventfd()
        assert r.ask(SET_IRQS, struct.pack("<IIIII", 36, 4 | 32, 1, 0, 1), 16, [fd])[0] == 16
        unmap = struct.pack("<IIQQ", 40, 0, 0, 16 << 20)
        assert r.ask(DMA_UNMAP, unmap, 40) == (40, unmap)
        assert c.nothing_comes()
        c.close()
        os.close(ram)
        os.close(fd)


def test_interleaved_posts_and_reads(client):
    """What QEMU sends while a guest writes registers: posted writes, then a read that fences them."""
    rw = struct.pack("<QII", 0x40, 7, 4)
    for burst in (1, 10, 300):
        data = b"".join(header(REGION_WRITE, 36, i, NO_REPLY) + rw + struct.pack("<I", i) for i in range(burst))
        client.send_raw(data + header(REGION_READ, 32, 77) + rw)
        assert len(client.reply(REGION_READ, 77)) == 20
    assert QEMU_CAPS["capabilities"]["max_msg_fds"] == 16
