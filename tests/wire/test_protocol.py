# SPDX-License-Identifier: GPL-2.0-or-later
"""Each row of the protocol's table, and each of its errors."""

import errno
import mmap
import os
import struct

import pytest

from vfio_user import (DMA_MAP, DMA_UNMAP, FEATURE, GET_INFO, IO_FDS, IRQ_INFO, MIG_READ, MIG_WRITE,
                       NO_REPLY, REGION_INFO, REGION_READ, REGION_WRITE, RESET, RUST_CAPS, SET_IRQS,
                       VERSION, WRITE_MULTI, Disconnected, ServerError, eventfd, eventfd_count, header)

NONE, BOOL, EVENTFD, MASK, UNMASK, TRIGGER = 1, 2, 4, 8, 16, 32
needs_device = pytest.mark.testdev


def refused(code, fn, *args, **kwargs):
    with pytest.raises(ServerError) as e:
        fn(*args, **kwargs)
    assert e.value.errno == code, e.value


def memfd(size, fill=None):
    fd = os.memfd_create("guest")
    os.ftruncate(fd, size)
    if fill:
        os.pwrite(fd, fill, 0)
    return fd


# VERSION

@pytest.mark.parametrize("minor", [0, 1, 2, 65535])
def test_version_is_the_lesser_minor(server, minor):
    c = server.connect()
    assert c.version(minor=minor)[:2] == (0, min(minor, 1))
    c.close()


def test_version_names_only_what_was_offered(server):
    c = server.connect()
    assert c.version()[2] == {"capabilities": {
        "max_msg_fds": 16, "max_data_xfer_size": 1048576, "max_dma_maps": 65535, "pgsizes": 4096}}
    c.close()
    c = server.client(caps=None)
    c.close()
    c = server.connect()
    assert c.version(caps=RUST_CAPS, minor=1)[2] == {
        "capabilities": {"max_msg_fds": 8, "max_data_xfer_size": 1048576}}
    c.close()


@pytest.mark.parametrize("caps", [
    {"capabilities": {"max_msg_fds": 1, "max_data_xfer_size": 4096, "max_dma_maps": 10, "pgsizes": 4096}},
    {"capabilities": {"pgsizes": 4096 | 1 << 21}}, {"capabilities": {}}, {},
    {"capabilities": {"something": {"else": [1, 2]}}, "more": None}])
def test_version_never_above_the_client(server, caps):
    c = server.connect()
    answer = c.version(caps=caps)[2]["capabilities"]
    offered = caps.get("capabilities", {})
    assert set(answer) == set(offered) & {"max_msg_fds", "max_data_xfer_size", "max_dma_maps", "pgsizes"}
    for k, v in answer.items():
        assert v <= offered[k]
    c.close()


def test_version_without_capabilities(server):
    c = server.connect()
    assert c.version(caps=None) == (0, 0, None)
    c.close()


@pytest.mark.parametrize("raw", [
    b"{}", b"\0", b"{\0}\0", b"nonsense\0", b"[]\0", b"1\0", b"null\0", b'"capabilities"\0',
    b'{"capabilities":[]}\0', b'{"capabilities":{"max_msg_fds":"16"}}\0',
    b'{"capabilities":{"max_msg_fds":1.5}}\0', b'{"capabilities":{"max_msg_fds":-1}}\0',
    b'{"capabilities":{"max_msg_fds":0}}\0', b'{"capabilities":{"max_msg_fds":1025}}\0',
    b'{"capabilities":{"max_data_xfer_size":0}}\0', b'{"capabilities":{"max_data_xfer_size":true}}\0',
    b'{"capabilities":{"max_dma_maps":null}}\0', b'{"capabilities":{"pgsizes":8192}}\0',
    b'{"capabilities":{"pgsizes":{}}}\0', b'{"capabilities":{"write_multiple":1}}\0',
    b'{"capabilities":{"migration":[]}}\0', b'{"capabilities":{"migration":{"pgsize":"4096"}}}\0',
    b'{"capabilities":{"twin_socket":true}}\0', b'{"capabilities":{"twin_socket":{"supported":1}}}\0',
    b'{"capabilities":{}\0', b'{"capabilities":{}} x\0', b"[" * 1000 + b"\0",
    b'{"a":' * 20 + b"1" + b"}" * 20 + b"\0", b'{"a":"' + b"x" * 5000 + b'"}\0', b'{"\xff":1}\0',
    b" " * 4095 + b"\0"])
def test_version_malformed_capabilities(server, raw):
    c = server.connect()
    refused(errno.EINVAL, c.version, raw=raw)
    assert c.gone()


@pytest.mark.parametrize("major", [1, 2, 65535])
def test_version_wrong_major(server, major):
    c = server.connect()
    refused(errno.EINVAL, c.version, major=major)
    assert c.gone()


def test_version_short(server):
    c = server.connect()
    refused(errno.EINVAL, c.call, VERSION, b"\0\0\0")
    assert c.version()[0] == 0  # a message that was no VERSION at all costs nothing
    c.close()


def test_version_first_and_once(server):
    c = server.connect()
    refused(errno.EINVAL, c.info)
    refused(errno.EINVAL, c.region_read, 7, 0, 4)
    c.version()
    refused(errno.EINVAL, c.version)
    c.info()
    c.close()


def test_version_with_an_fd(server):
    c = server.connect()
    fd = eventfd()
    refused(errno.EINVAL, c.call, VERSION, struct.pack("<HH", 0, 0), [fd])
    c.version()
    os.close(fd)
    c.close()


# DMA_MAP, DMA_UNMAP

def test_dma_map_and_unmap(client):
    fd = memfd(1 << 20)
    client.dma_map(0, 1 << 20, fd)
    client.dma_map(1 << 20, 4096)                    # no fd
    client.dma_map(0xfffc0000, 0x40000, flags=1)     # as QEMU announces its flash
    client.dma_map((1 << 64) - 4096, 4096)           # the last page there is
    client.dma_unmap((1 << 64) - 4096, 4096)
    client.dma_unmap(0, 1 << 20)
    client.dma_map(0, 1 << 20, fd)
    client.dma_unmap(0, 0, flags=2)                  # all
    refused(errno.ENOENT, client.dma_unmap, 1 << 20, 4096)
    os.close(fd)


@needs_device
def test_dma_through_the_map(client, server):
    fd = memfd(1 << 20, b"A" * 4096 + b"B" * 4096)
    client.dma_map(0x10000, 0x2000, fd, offset=0)
    client.dma_map(0x12000, 0x1000, fd, offset=0x3000)
    assert client.operate(3, 0x10ff8, 16) == 0
    assert client.region_read(5, 0x800, 16) == b"A" * 8 + b"B" * 8
    client.region_write(5, 0x800, b"0123456789abcdef")
    assert client.operate(4, 0x11ff8, 16) == 0       # across two maps, into two places of the file
    assert os.pread(fd, 8, 0x1ff8) == b"01234567" and os.pread(fd, 8, 0x3000) == b"89abcdef"
    assert client.operate(3, 0x12ff8, 16) == -errno.EFAULT
    client.dma_unmap(0x12000, 0x1000)
    assert client.operate(3, 0x12000, 16) == -errno.EFAULT
    client.dma_map(0x12000, 0x1000, fd, flags=1)
    assert client.operate(4, 0x12000, 16) == -errno.EACCES
    client.dma_map(0x20000, 0x1000)
    assert client.operate(3, 0x20000, 16) == -errno.ENODEV
    assert server.stats()["maps"] == 3
    os.close(fd)


@pytest.mark.parametrize("addr, size, offset", [
    (0, 0, 0), (1, 4096, 0), (0, 4095, 0), (0, 1, 0), (0x800, 4096, 0), (0, 4096, 1), (0, 4096, 0x800),
    ((1 << 64) - 4096, 8192, 0), (0x1000, (1 << 64) - 4096, 0), (0, 1 << 21, 0), (0, 8192, (1 << 20) - 4096),
    (0, 4096, 1 << 20), (0, 4096, 1 << 63), (0, 4096, (1 << 64) - 4096), (0, (1 << 64) - 4096, 4096)])
def test_dma_map_ranges(client, addr, size, offset):
    fd = memfd(1 << 20)
    refused(errno.EINVAL, client.dma_map, addr, size, fd, offset)
    os.close(fd)


def test_dma_map_overlaps(client):
    client.dma_map(0x10000, 0x4000)
    for addr, size in [(0x10000, 0x4000), (0x10000, 0x1000), (0x13000, 0x1000), (0xf000, 0x2000),
                       (0x13000, 0x2000), (0, 0x100000), (0xf000, 0x6000), (0x11000, 0x1000)]:
        refused(errno.EEXIST, client.dma_map, addr, size)
    client.dma_map(0xf000, 0x1000)
    client.dma_map(0x14000, 0x1000)


def test_dma_unmap_is_exact(client):
    client.dma_map(0x10000, 0x4000)
    for addr, size in [(0x10000, 0x3000), (0x10000, 0x5000), (0x11000, 0x3000), (0xf000, 0x5000), (0, 4096),
                       (0x10000, 0), (0x10001, 0x4000)]:
        refused(errno.ENOENT, client.dma_unmap, addr, size)
    refused(errno.EINVAL, client.dma_unmap, 0x10000, 0x4000, argsz=23)
    refused(errno.EINVAL, client.dma_unmap, 0x10000, 0x4000, flags=2)
    refused(errno.EINVAL, client.dma_unmap, 0x10000, 0x4000, flags=4)
    refused(errno.ENOTSUP, client.dma_unmap, 0x10000, 0x4000, flags=1)
    refused(errno.ENOTSUP, client.call, DMA_UNMAP,
            struct.pack("<IIQQQQ", 40, 1, 0x10000, 0x4000, 4096, 8))
    client.dma_unmap(0x10000, 0x4000)


@pytest.mark.parametrize("flags", [0, 4, 8, 7, 0x80000003])
def test_dma_map_flags(client, flags):
    refused(errno.EINVAL, client.dma_map, 0, 4096, flags=flags)


def test_dma_map_forms(client):
    good = struct.pack("<IIQQQ", 32, 3, 0, 0, 4096)
    fds = [memfd(4096), memfd(4096)]
    refused(errno.EINVAL, client.dma_map, 0, 4096, argsz=31)
    refused(errno.EINVAL, client.call, DMA_MAP, good[:-1])
    refused(errno.EINVAL, client.call, DMA_MAP, good + b"\0")
    refused(errno.EINVAL, client.call, DMA_MAP, good, fds)
    refused(errno.EINVAL, client.call, DMA_UNMAP, b"\0" * 23)
    client.dma_map(0, 4096, argsz=48)
    for fd in fds:
        os.close(fd)


@needs_device
def test_dma_map_limit(start):
    s = start("--max-maps", "100")
    c = s.client()
    for i in range(100):
        c.dma_map(i * 8192, 4096)
    refused(errno.ENOSPC, c.dma_map, 1 << 40, 4096)
    c.dma_unmap(0, 4096)
    c.dma_map(1 << 40, 4096)
    c.close()
    c = s.connect()
    while True:
        try:
            assert c.version()[2]["capabilities"]["max_dma_maps"] == 100
            break
        except ServerError:
            c = s.connect()
    c.close()
    s.alive()


# GET_INFO, regions

def test_info_forms(client):
    for size in (16, 20, 24):
        argsz, flags, regions, irqs = client.info(size)
        assert argsz == size and flags == 3 and 9 <= regions <= 100 and 5 <= irqs <= 50
    # rust-vmm counts the header into argsz and reads 16 bytes of payload
    assert len(client.call(GET_INFO, struct.pack("<IIII", 32, 0, 0, 0))) == 16
    for payload in (b"", b"\0" * 16, struct.pack("<IIII", 15, 0, 0, 0), struct.pack("<III", 16, 0, 0),
                    struct.pack("<IIII", 16, 0, 0, 0) + b"\0", b"\x40".ljust(28, b"\0")):
        refused(errno.EINVAL, client.call, GET_INFO, payload)


@needs_device
def test_info_without_reset(start):
    c = start("--no-reset").client()
    assert c.info()[1] == 2
    refused(errno.ENOTSUP, c.reset)
    c.close()


def close_all(fds):
    for fd in fds:
        os.close(fd)


def test_region_info_of_every_index(client):
    for i in range(client.info()[2]):
        argsz, flags, index, cap_offset, size, offset, caps = client.region_info(i)
        assert index == i and argsz >= 32 and caps == b""
        close_all(client.fds)
        if argsz > 32:
            # what QEMU refuses: the CAPS flag without a valid offset
            assert flags & 8 and cap_offset == 32
            again = client.region_info(i, argsz)
            assert again[:6] == (argsz, flags, index, cap_offset, size, offset)
            assert len(again[6]) == argsz - 32
            close_all(client.fds)
        if size == 0:
            assert flags == 0
    refused(errno.EINVAL, client.region_info, client.info()[2])
    refused(errno.EINVAL, client.region_info, 0xffffffff)
    refused(errno.EINVAL, client.region_info, 0, 31)
    refused(errno.EINVAL, client.region_info, 0, 0)
    refused(errno.EINVAL, client.call, REGION_INFO, b"\x20".ljust(31, b"\0"))


@needs_device
def test_region_info_whole_region_mmap(client):
    argsz, flags, _, cap_offset, size, offset, _ = client.region_info(2)
    assert (argsz, flags, cap_offset, size) == (32, 7, 0, 1 << 20) and len(client.fds) == 1
    m = mmap.mmap(client.fds[0], size, offset=offset)
    client.region_write(2, 0x1234, b"hello")
    assert m[0x1234:0x1239] == b"hello"
    m[0:4] = b"back"
    assert client.region_read(2, 0, 4) == b"back"
    m.close()
    close_all(client.fds)


@needs_device
def test_region_info_capabilities(client):
    argsz, flags, _, cap_offset, size, _, caps = client.region_info(3, 4096)
    assert (argsz, flags, cap_offset) == (32 + 48, 15, 32) and len(client.fds) == 1
    close_all(client.fds)
    assert struct.unpack("<HHIIIQQQQ", caps) == (1, 1, 0, 2, 0, 0, size // 4, size // 2, size // 4)
    client.region_info(3, 79)
    assert client.fds == []     # the fd comes with the whole answer
    argsz, flags, _, cap_offset, size, _, caps = client.region_info(9, 4096)
    close_all(client.fds)
    assert (argsz, flags) == (32 + 48 + 16, 15)
    assert struct.unpack_from("<HHI", caps) == (1, 1, 80)
    assert struct.unpack_from("<HHIII", caps, 48) == (2, 1, 0, 0x80008086, 1)


def test_region_io_fds(client):
    ask = struct.pack("<IIII", 16, 0, 0, 0)
    assert client.call(IO_FDS, ask) == ask and client.fds == []
    assert client.call(IO_FDS, struct.pack("<IIII", 4096, 0, 7, 0)) == struct.pack("<IIII", 16, 0, 7, 0)
    for bad in ((15, 0, 0, 0), (16, 1, 0, 0), (16, 0, 0, 1), (16, 0, 100, 0)):
        refused(errno.EINVAL, client.call, IO_FDS, struct.pack("<IIII", *bad))
    refused(errno.EINVAL, client.call, IO_FDS, ask + b"\0")


# REGION_READ, REGION_WRITE

@needs_device
def test_region_access_sizes(client):
    for n in (1, 2, 4, 8, 3, 16, 4096, 65536):
        data = bytes((i * 7 + n) & 0xff for i in range(n))
        client.region_write(0, 0, data)
        assert client.region_read(0, 0, n) == data
    client.region_write(0, 65535, b"x")
    assert client.region_read(0, 65535, 1) == b"x"
    assert client.region_read(0, 3, 5) == client.region_read(0, 0, 8)[3:]


@needs_device
def test_region_access_of_a_whole_mebibyte(client):
    data = os.urandom(1 << 20)
    client.region_write(2, 0, data)
    assert client.region_read(2, 0, 1 << 20) == data


@needs_device
@pytest.mark.parametrize("region, offset, count", [
    (0, 65536, 1), (0, 65533, 4), (0, 0, 65537), (0, (1 << 64) - 1, 1), (0, (1 << 64) - 4, 8),
    (0, 1 << 63, 4), (7, 256, 1), (7, 254, 4), (1, 0, 1), (8, 0, 1), (10, 0, 4), (0xffffffff, 0, 4),
    (2, 0, (1 << 20) + 1), (2, 0, 0xffffffff), (2, 1 << 20, 4)])
def test_region_access_outside(client, region, offset, count):
    refused(errno.EINVAL, client.call, REGION_READ, struct.pack("<QII", offset, region, count))
    if count <= 1 << 20:
        refused(errno.EINVAL, client.call, REGION_WRITE,
                struct.pack("<QII", offset, region, count) + b"\0" * count)


@needs_device
def test_region_access_flags_and_forms(client):
    refused(errno.EINVAL, client.region_read, 4, 0, 4)      # write only
    client.region_write(4, 0, b"1234")
    refused(errno.EINVAL, client.region_write, 6, 0, b"1")  # ROM
    assert client.region_read(6, 0, 4) == b"\0" * 4
    assert client.region_read(0, 0, 0) == b""
    client.region_write(0, 0, b"")
    rw = struct.pack("<QII", 0, 0, 4)
    for cmd, payload in ((REGION_READ, rw[:-1]), (REGION_READ, rw + b"\0"), (REGION_WRITE, rw),
                         (REGION_WRITE, rw + b"123"), (REGION_WRITE, rw + b"12345"), (REGION_WRITE, b"")):
        refused(errno.EINVAL, client.call, cmd, payload)


def test_region_read_above_the_clients_limit(server):
    c = server.client(caps={"capabilities": {"max_data_xfer_size": 64}})
    assert len(c.region_read(7, 0, 64)) == 64
    refused(errno.EINVAL, c.region_read, 7, 0, 65)
    c.close()


@needs_device
def test_posted_writes(client, server):
    before = server.stats()
    for i in range(2000):
        client.region_post(0, 4 * (i % 1000), struct.pack("<I", i))
    client.region_post(0, 1 << 20, b"nowhere")      # an error that nobody is told of
    client.region_post(99, 0, b"nowhere")
    assert client.region_read(0, 0, 4) == struct.pack("<I", 1000)
    assert client.region_read(0, 3996, 4) == struct.pack("<I", 1999)
    after = server.stats()
    assert after["posted"] - before["posted"] == 2002 and after["errors"] - before["errors"] == 2
    assert client.nothing_comes()


@needs_device
def test_other_messages_without_reply(client):
    client.send(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 0, 4096), NO_REPLY)
    client.send(GET_INFO, struct.pack("<IIII", 16, 0, 0, 0), NO_REPLY)
    client.send(RESET, b"", NO_REPLY)
    client.send(77, b"", NO_REPLY)
    assert client.nothing_comes()
    refused(errno.EEXIST, client.dma_map, 0, 4096)


# interrupts

def test_irq_info(client):
    irqs = client.info()[3]
    for i in range(irqs):
        argsz, flags, index, count = client.irq_info(i)
        assert (argsz, index) == (16, i) and flags & 1
        assert bool(flags & 6) == (i == 0)      # only INTx can be masked
    assert client.irq_info(3)[3] == 0           # ERR: QEMU would stop the VM
    refused(errno.EINVAL, client.irq_info, irqs)
    refused(errno.EINVAL, client.irq_info, 0xffffffff)
    refused(errno.EINVAL, client.irq_info, 0, 15)
    refused(errno.EINVAL, client.call, IRQ_INFO, b"\0" * 15)


@needs_device
def test_msi_eventfds(client):
    fds = [eventfd() for _ in range(4)]
    assert not client.raise_irq(1, 0)
    client.set_irqs(EVENTFD | TRIGGER, 1, 0, 4, fds=fds)
    for i in (0, 3, 3):
        assert client.raise_irq(1, i)
    assert [eventfd_count(fd) for fd in fds] == [1, 0, 0, 2]
    client.set_irqs(EVENTFD | TRIGGER, 1, 2, 2)         # without fds: these two go
    assert not client.raise_irq(1, 3) and client.raise_irq(1, 1)
    client.set_irqs(NONE | TRIGGER, 1, 1, 1)            # the client fires it itself
    client.set_irqs(BOOL | TRIGGER, 1, 0, 2, bools=b"\1\0")
    assert [eventfd_count(fd) for fd in fds] == [1, 2, 0, 0]
    client.set_irqs(NONE | TRIGGER, 1, 0, 0)            # the whole type off
    assert not client.raise_irq(1, 0)
    assert not client.raise_irq(1, 4) and not client.raise_irq(9, 0) and not client.raise_irq(60000, 0)
    client.set_irqs(EVENTFD | TRIGGER, 1, 0, 1, fds=fds[:1])
    client.set_irqs(EVENTFD | TRIGGER, 1, 0, 1, fds=fds[1:2])   # replaced
    client.raise_irq(1, 0)
    assert [eventfd_count(fd) for fd in fds] == [0, 1, 0, 0]
    close_all(fds)


@needs_device
def test_intx_masks_itself(client):
    fd = eventfd()
    client.set_irqs(EVENTFD | TRIGGER, 0, 0, 1, fds=[fd])
    unmasked = client.control(0x2c)
    assert client.raise_irq(0, 0) and client.raise_irq(0, 0) and client.raise_irq(0, 0)
    assert eventfd_count(fd) == 1
    client.set_irqs(NONE | UNMASK, 0, 0, 1)             # what came meanwhile is signalled now, once
    assert eventfd_count(fd) == 1 and client.control(0x2c) == unmasked + 1
    client.set_irqs(NONE | UNMASK, 0, 0, 1)
    assert eventfd_count(fd) == 0
    client.set_irqs(BOOL | MASK, 0, 0, 1, bools=b"\1")
    client.raise_irq(0, 0)
    assert eventfd_count(fd) == 0
    client.set_irqs(BOOL | UNMASK, 0, 0, 1, bools=b"\0")
    assert eventfd_count(fd) == 0
    client.set_irqs(BOOL | UNMASK, 0, 0, 1, bools=b"\1")
    assert eventfd_count(fd) == 1
    os.close(fd)


@needs_device
def test_full_eventfd_does_not_block(client):
    fd = eventfd(0, 0)
    os.write(fd, struct.pack("Q", (1 << 64) - 2))
    client.set_irqs(EVENTFD | TRIGGER, 1, 0, 1, fds=[fd])
    assert client.raise_irq(1, 0)
    client.info()
    os.set_blocking(fd, True)   # the client's end has the same flags
    assert client.raise_irq(1, 0)
    client.info()
    os.close(fd)


@needs_device
@pytest.mark.parametrize("code, flags, index, start, count, bools", [
    (errno.EINVAL, 0, 1, 0, 1, b""), (errno.EINVAL, NONE, 1, 0, 1, b""), (errno.EINVAL, TRIGGER, 1, 0, 1, b""),
    (errno.EINVAL, NONE | BOOL | TRIGGER, 1, 0, 1, b"\1"), (errno.EINVAL, NONE | MASK | UNMASK, 0, 0, 1, b""),
    (errno.EINVAL, NONE | TRIGGER | 64, 1, 0, 1, b""), (errno.EINVAL, NONE | TRIGGER, 5, 0, 1, b""),
    (errno.EINVAL, NONE | TRIGGER, 0xffffffff, 0, 0, b""), (errno.EINVAL, NONE | TRIGGER, 1, 4, 1, b""),
    (errno.EINVAL, NONE | TRIGGER, 1, 0, 5, b""), (errno.EINVAL, NONE | TRIGGER, 1, 1, 0xffffffff, b""),
    (errno.EINVAL, NONE | TRIGGER, 1, 0xffffffff, 1, b""), (errno.EINVAL, NONE | TRIGGER, 1, 2, 0, b""),
    (errno.EINVAL, EVENTFD | TRIGGER, 1, 0, 0, b""), (errno.EINVAL, NONE | MASK, 0, 0, 0, b""),
    (errno.EINVAL, BOOL | TRIGGER, 1, 0, 2, b"\1"), (errno.EINVAL, BOOL | TRIGGER, 1, 0, 1, b"\1\1"),
    (errno.EINVAL, NONE | TRIGGER, 1, 0, 1, b"\1"), (errno.EINVAL, NONE | MASK, 1, 0, 1, b""),
    (errno.EINVAL, NONE | TRIGGER, 2, 0, 1, b""),
    (errno.ENOTSUP, EVENTFD | MASK, 0, 0, 1, b""), (errno.ENOTSUP, EVENTFD | UNMASK, 0, 0, 1, b"")])
def test_set_irqs_forms(client, code, flags, index, start, count, bools):
    refused(code, client.set_irqs, flags, index, start, count, bools)


@needs_device
def test_set_irqs_fds(client):
    fds = [eventfd() for _ in range(16)]
    many = fds + [eventfd()]
    for n, count, flags in ((2, 1, EVENTFD), (1, 2, EVENTFD), (5, 4, EVENTFD), (1, 1, NONE), (1, 1, BOOL)):
        refused(errno.EINVAL, client.set_irqs, flags | TRIGGER, 1, 0, count,
                b"\1" if flags == BOOL else b"", fds[:n])
    refused(errno.EINVAL, client.set_irqs, EVENTFD | TRIGGER, 1, 0, 4, fds=many)
    refused(errno.EINVAL, client.set_irqs, EVENTFD | TRIGGER, 1, 0, 1, argsz=19)
    assert not client.raise_irq(1, 0)
    close_all(many)


@needs_device
def test_set_irqs_in_batches_of_16(start):
    s = start("--irq", "2:64")
    c = s.client()
    fds = [eventfd() for _ in range(64)]
    for i in range(0, 64, 16):
        c.set_irqs(EVENTFD | TRIGGER, 2, i, 16, fds=fds[i:i + 16])
    assert c.raise_irq(2, 63) and eventfd_count(fds[63]) == 1
    c.close()
    close_all(fds)
    c = s.client()
    assert not c.raise_irq(2, 63)       # disarmed when the client went
    c.close()


@needs_device
def test_eventfds_that_are_none(client):
    r, w = os.pipe()
    for fd in (r, w, os.open("/dev/null", os.O_RDWR), os.memfd_create("x"), client.sock.fileno()):
        refused(errno.EINVAL, client.set_irqs, EVENTFD | TRIGGER, 1, 0, 1, fds=[fd])
    close_all((r, w))


# the rest

@needs_device
def test_reset(client):
    n = client.control(0x20)
    client.reset()
    assert client.control(0x20) == n + 1
    refused(errno.EINVAL, client.call, RESET, b"\0")


@pytest.mark.parametrize("cmd", [0, 14, 19, 20, 31, 32, 255, 65535, 11, 12])
def test_unknown_commands(client, cmd):
    refused(errno.EINVAL, client.call, cmd)
    refused(errno.EINVAL, client.call, cmd, b"\xff" * 100)
    client.info()


def test_refused_commands(client):
    refused(errno.ENOTSUP, client.call, WRITE_MULTI, struct.pack("<QQIIQ", 1, 0, 7, 4, 0))
    client.send(WRITE_MULTI, struct.pack("<QQIIQ", 1, 0, 7, 4, 0), NO_REPLY)
    refused(errno.ENOTSUP, client.call, MIG_READ, struct.pack("<II", 8, 4096))
    refused(errno.ENOTSUP, client.call, MIG_WRITE, struct.pack("<II", 12, 4) + b"1234")
    client.info()


def test_device_feature(client):
    get, put, probe = 1 << 16, 1 << 17, 1 << 18
    for feature in (0, 1, 2, 6, 7, 8, 0xffff):
        for flags in (get, put, get | probe, put | probe, get | put | probe):
            refused(errno.ENOTSUP, client.call, FEATURE, struct.pack("<IIQ", 16, feature | flags, 0))
    for argsz, flags in ((7, get), (8, 0), (8, probe), (8, get | put), (8, get | 1 << 19)):
        refused(errno.EINVAL, client.call, FEATURE, struct.pack("<II", argsz, flags | 1))
    refused(errno.EINVAL, client.call, FEATURE, b"\0" * 7)


def test_replies_nobody_asked_for(client):
    for cmd in (11, 12, 9, 0, 65535):
        client.send_raw(header(cmd, 16, 5, 1))
        client.send_raw(header(cmd, 16 + 100, 5, 1) + b"x" * 100)
        client.send_raw(header(cmd, 16, 5, 1 | 0x20, 22))
    assert client.nothing_comes()
    client.info()


def test_message_types(client):
    for kind in (2, 3, 15):
        msg_id = client.send(GET_INFO, struct.pack("<IIII", 16, 0, 0, 0), flags=kind)
        refused(errno.EINVAL, client.reply, GET_INFO, msg_id)
    # bits that no version has named are not ours to judge
    assert client.reply(GET_INFO, client.send(GET_INFO, struct.pack("<IIII", 16, 0, 0, 0), flags=0x80))


@pytest.mark.parametrize("size", [0, 1, 15])
def test_message_shorter_than_its_header(server, size):
    c = server.client()
    c.send_raw(header(GET_INFO, size, 9))
    assert c.gone()
    server.alive()


@pytest.mark.parametrize("size", [(1 << 20) + 65, 1 << 31, 0xffffffff])
def test_message_too_long(server, size):
    c = server.client()
    c.send_raw(header(REGION_WRITE, size, 9))
    refused(errno.EMSGSIZE, c.reply, REGION_WRITE, 9)
    assert c.gone()
    c = server.client()
    c.send_raw(header(REGION_WRITE, size, 9, NO_REPLY))
    with pytest.raises(Disconnected):
        c.recv_any()
    server.alive()


def test_longest_message(client):
    """1 MiB + 64 is still read to its end, and refused for what it says."""
    refused(errno.EINVAL, client.call, REGION_WRITE, b"\0" * ((1 << 20) + 48))
    client.info()


# DMA_READ and DMA_WRITE

@needs_device
def test_server_reads_and_writes(client):
    memory = client.dma_memory[0x1000] = bytearray(b"guest ram " * 1000)
    client.dma_map(0, 1 << 20)
    assert client.operate(1, 0x1000 + 10, 100) == 0
    assert client.region_read(5, 0x800, 100) == bytes(memory[10:110])
    for n in (16, 28, 32):
        client.dma_write_reply = n
        client.region_write(5, 0x800, b"written by %d" % n)
        assert client.operate(2, 0x1000, 13) == 0
        assert memory[:13] == b"written by %d" % n
    client.dma_write_reply = 20
    assert client.operate(2, 0x1000, 13) == -errno.EPROTO
    assert client.operate(1, 0x900000, 4) == -errno.EFAULT
    assert client.operate(1, 0, 0) == 0
    assert client.operate(1, (1 << 64) - 4, 8) == -errno.EINVAL
    assert client.operate(5, 0x1000, 4) == -errno.EDEADLK


@needs_device
def test_server_dma_in_pieces(server):
    c = server.client(caps={"capabilities": {"max_data_xfer_size": 64}})
    c.dma_memory[0] = bytearray(range(256)) * 8
    assert c.operate(1, 0, 1024) == 0
    assert b"".join(c.region_read(5, 0x800 + i, 64) for i in range(0, 1024, 64)) == bytes(c.dma_memory[0][:1024])
    c.close()


@needs_device
def test_server_dma_malformed_replies(client):
    for reply in (lambda cmd, i, p: header(cmd, 16, i, 1),
                  lambda cmd, i, p: header(cmd, 32, i, 1) + p[:16],
                  lambda cmd, i, p: header(cmd, 32 + 63, i, 1) + p[:16] + b"x" * 63,
                  lambda cmd, i, p: header(cmd, 32 + 65, i, 1) + p[:16] + b"x" * 65,
                  lambda cmd, i, p: header(cmd, 32 + 64, i, 1) + b"\xff" * 16 + b"x" * 64):
        client.serve_dma = lambda cmd, i, p: client.send_raw(reply(cmd, i, p))
        assert client.operate(1, 0x5000, 64) == -errno.EPROTO
    client.serve_dma = lambda cmd, i, p: client.send_raw(header(cmd, 16, i, 0x21, 0))
    assert client.operate(1, 0x5000, 64) == -errno.EIO
    # not the one that was asked for, then the right one
    client.serve_dma = lambda cmd, i, p: client.send_raw(
        header(cmd, 16, i ^ 1, 0x21, 14) + header(12, 16, i, 0x21, 14) + header(cmd, 16, i, 0x21, 19))
    assert client.operate(1, 0x5000, 64) == -errno.ENODEV


@needs_device
def test_client_goes_while_the_server_waits(server):
    c = server.client()
    c.region_write(5, 8, struct.pack("<QI", 0, 64))
    c.region_write(5, 0x14, struct.pack("<I", 1))
    while c.recv_any()[0] != 11:
        pass
    c.close()
    c = server.client()
    while c.control(0x1c):
        pass
    assert struct.unpack("<i", c.region_read(5, 0x18, 4))[0] == -errno.ENOTCONN
    c.close()
