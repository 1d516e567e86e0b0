# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that mean harm, or die. After each, the process lives and serves a good client."""

import errno
import fcntl
import json
import mmap
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from vfio_user import (DMA_MAP, GET_INFO, NO_REPLY, QEMU_CAPS, REGION_READ, REGION_WRITE, SET_IRQS, VERSION,
                       Client, Disconnected, ServerError, eventfd, eventfd_count, header)

needs_device = pytest.mark.testdev
quick = settings(max_examples=150, deadline=None, derandomize=True, database=None,
                 suppress_health_check=list(HealthCheck))

F_ADD_SEALS, F_SEAL_SHRINK, F_SEAL_WRITE, F_SEAL_FUTURE_WRITE = 1033, 2, 8, 16


def refused(code, fn, *args, **kwargs):
    with pytest.raises(ServerError) as e:
        fn(*args, **kwargs)
    assert e.value.errno == code, e.value


def memfd(size, fill=None, flags=os.MFD_CLOEXEC):
    fd = os.memfd_create("guest", flags)
    os.ftruncate(fd, size)
    if fill:
        os.pwrite(fd, fill, 0)
    return fd


def version_message():
    payload = struct.pack("<HH", 0, 0) + json.dumps(QEMU_CAPS).encode() + b"\0"
    return header(VERSION, 16 + len(payload), 1) + payload


def greet(server):
    """Sends VERSION as raw bytes; the connection that it was good on."""
    while True:
        c = server.connect()
        c.send_raw(version_message())
        if c.recv_any()[3] == 0:
            return c
        c.close()


def unless_busy(server, visit):
    """visit(client) when the one before is let go of; EINVAL is the one error it may meet."""
    while True:
        c = server.connect()
        try:
            visit(c)
            return
        except ServerError as e:
            if e.errno != errno.EBUSY:
                assert e.errno == errno.EINVAL
                return
        finally:
            c.close()


# JSON

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2**70, 2**70) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(max_size=8), v, max_size=4), max_leaves=12)
keys = st.sampled_from(["max_msg_fds", "max_data_xfer_size", "max_dma_maps", "pgsizes", "write_multiple",
                        "twin_socket", "migration"]) | st.text(max_size=10)


@given(caps=st.dictionaries(keys, json_values | st.integers(0, 5000), max_size=8))
@quick
def test_fuzzed_capabilities(server, caps):
    def visit(c):
        _, _, answer = c.version(caps={"capabilities": caps})
        for key, value in answer["capabilities"].items():
            assert type(caps[key]) is int and 1 <= value <= caps[key]

    unless_busy(server, visit)


@given(raw=st.binary(max_size=300) | st.text(max_size=200).map(lambda t: t.encode() + b"\0") |
       st.binary(max_size=60).map(lambda b: b'{"capabilities":{"max_msg_fds":' + b + b"}}\0"))
@quick
def test_fuzzed_version(server, raw):
    unless_busy(server, lambda c: c.version(raw=raw))


# borders of messages

def test_every_fragmentation(server):
    """A session cut in two at every byte."""
    c = greet(server)
    rw = struct.pack("<QII", 0, 7, 4)
    session = (header(REGION_READ, 32, 2) + rw + header(REGION_WRITE, 36, 3, NO_REPLY) + rw + b"\0" * 4 +
               header(GET_INFO, 32, 4) + struct.pack("<IIII", 16, 0, 0, 0) + header(99, 16, 5) +
               header(REGION_READ, 32, 6) + rw)
    for cut in range(1, len(session)):
        c.send_raw(session[:cut])
        c.send_raw(session[cut:])
        assert len(c.reply(REGION_READ, 2)) == 20
        assert len(c.reply(GET_INFO, 4)) == 16
        refused(errno.EINVAL, c.reply, 99, 5)
        assert len(c.reply(REGION_READ, 6)) == 20
    c.close()


def test_version_byte_by_byte(server):
    server.client().close()
    while True:
        c = server.connect()
        for byte in version_message():
            try:
                c.send_raw(bytes([byte]))
            except BrokenPipeError:
                break
        try:
            if c.recv_any()[3] == 0:
                break
        except Disconnected:
            pass
    c.info()
    c.close()


def test_fd_with_every_fragment(client):
    """The fd comes with the first byte, wherever the message is cut; or with the rest of it."""
    fd = memfd(4096)
    for late in (False, True):
        for cut in range(1, 48):
            data, msg_id = client.message(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 0, 4096))
            client.send_raw(data[:cut], [] if late else [fd])
            time.sleep(0.001 if cut % 8 == 0 else 0)
            client.send_raw(data[cut:], [fd] if late else [])
            assert client.reply(DMA_MAP, msg_id) == b""
            client.dma_unmap(0, 4096)
    os.close(fd)


@needs_device
def test_fd_behind_posted_writes(client):
    """Posted writes and a map in one read, and in one send: the fd is the map's."""
    fd = memfd(4096, b"the right memory")
    for together in (False, True):
        posts = b"".join(header(REGION_WRITE, 36, i, NO_REPLY) + struct.pack("<QII", 4 * i, 0, 4) + b"post"
                         for i in range(20))
        data, msg_id = client.message(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 0, 4096))
        if together:
            client.send_raw(posts + data, [fd])
        else:
            client.send_raw(posts)
            client.send_raw(data, [fd])
        client.reply(DMA_MAP, msg_id)
        assert client.operate(3, 0, 16) == 0
        assert client.region_read(5, 0x800, 16) == b"the right memory"
        client.dma_unmap(0, 4096)
    os.close(fd)


@needs_device
def test_two_maps_pipelined_keep_their_fds(client):
    fds = [memfd(4096, b"%04d" % i) for i in range(10)]
    ids = [client.send(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 4096 * i, 4096), fds=[fd])
           for i, fd in enumerate(fds)]
    for i in ids:
        client.reply(DMA_MAP, i)
    for i, fd in enumerate(fds):
        assert client.operate(3, 4096 * i, 4) == 0 and client.region_read(5, 0x800, 4) == b"%04d" % i
        os.close(fd)


def open_files(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def test_fds_on_the_wrong_message(client, server):
    fd = memfd(4096)
    before = open_files(server)
    rw = struct.pack("<QII", 0, 7, 4)
    for _ in range(20):
        refused(errno.EINVAL, client.call, REGION_READ, rw, [fd])
        refused(errno.EINVAL, client.call, GET_INFO, struct.pack("<IIII", 16, 0, 0, 0), [fd, fd])
        refused(errno.EINVAL, client.call, 99, b"", [fd])
        client.send(REGION_WRITE, rw + b"1234", NO_REPLY, [fd])
        refused(errno.EINVAL, client.call, DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 0, 4096), [fd] * 2)
        refused(errno.EINVAL, client.call, DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 0, 4096), [fd] * 17)
        refused(errno.EINVAL, client.call, SET_IRQS, struct.pack("<IIIII", 20, 36, 1, 0, 1), [fd] * 250)
        refused(errno.EINVAL, client.call, SET_IRQS, struct.pack("<IIIII", 20, 36, 1, 0, 1), [fd])
        client.send_raw(header(11, 16, 1, 1), [fd])  # a reply that nobody asked for
    client.info()
    assert open_files(server) == before
    os.close(fd)


@needs_device
def test_fds_of_a_message_that_never_ends(start):
    s = start()
    c = s.client()
    before = open_files(s)
    fd = memfd(4096)
    c.send_raw(header(REGION_WRITE, 1 << 20, 1) + b"\0" * 100, [fd] * 16)
    for _ in range(40):
        c.send_raw(b"\0" * 10, [fd] * 16)
    time.sleep(0.1)
    assert open_files(s) <= before + 64
    c.close()
    s.alive()
    assert open_files(s) < before + 5
    os.close(fd)


@given(data=st.binary(min_size=1, max_size=600))
@quick
def test_noise(server, data):
    c = greet(server)
    c.send_raw(data)
    c.close()


def test_much_noise(server):
    rng = random.Random(7)
    for _ in range(40):
        c = greet(server)
        try:
            for _ in range(rng.randrange(1, 200)):
                size = rng.choice([16, 17, 24, 32, 36, 48, 100, rng.randrange(16, 5000)])
                cmd = rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 15, 16, 17, 18, rng.randrange(65536)])
                body = bytes(rng.choice((0, 0, 0, 1, 2, 32, 255, rng.randrange(256))) for _ in range(size - 16))
                c.send_raw(header(cmd, size, rng.randrange(65536), rng.choice((0x10, 0x10, 0, 1))) + body)
                c.sock.setblocking(False)
                try:
                    while c.sock.recv(65536):
                        pass
                except BlockingIOError:
                    pass
                c.sock.settimeout(10)
        except (BrokenPipeError, ConnectionResetError):
            pass
        c.close()
    server.alive()


# death

@pytest.mark.parametrize("data", [
    b"", b"\1", header(GET_INFO, 32, 1), header(REGION_WRITE, 1 << 20, 1) + b"\0" * 1000,
    header(REGION_READ, 32, 1) + struct.pack("<QII", 0, 7, 4)])
def test_client_killed_in_mid_message(server, data):
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-B", "-c", f"""
import sys, time
sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})
import vfio_user
while True:
    c = vfio_user.Client({server.path!r})
    try:
        c.version()
        break
    except OSError:
        c.close()
c.send_raw({data!r}) if {data!r} else None
print("x", flush=True)
time.sleep(60)
"""], stdout=subprocess.PIPE)
        assert child.stdout.read(1) == b"x"
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        server.alive()


def test_client_that_never_reads(server):
    """Its replies fill the socket: the server gives up on it, not on others."""
    c = server.client()
    c.sock.setblocking(False)
    ask = header(REGION_READ, 32, 1) + struct.pack("<QII", 0, 7, 200)
    try:
        while True:
            c.sock.send(ask * 100)
    except BlockingIOError:
        pass
    start = time.monotonic()
    c.close()
    server.alive()
    assert time.monotonic() - start < 15


@needs_device
def test_stop_while_a_client_does_not_read(start):
    s = start()
    c = s.client()
    c.sock.setblocking(False)
    ask = header(REGION_READ, 32, 1) + struct.pack("<QII", 0, 2, 1 << 20)
    try:
        while True:
            c.sock.send(ask * 100)
    except BlockingIOError:
        pass
    s.stop()
    c.close()


@needs_device
def test_state_after_a_client(server):
    s = server
    c = s.client()
    fd, irq = memfd(1 << 20), eventfd()
    before = s.stats()
    c.dma_map(0, 1 << 20, fd)
    c.dma_map(1 << 30, 4096)
    c.set_irqs(4 | 32, 1, 0, 1, fds=[irq])
    assert s.stats()["maps"] == 2
    c.close()
    c = s.client()
    after = s.stats()
    assert after["maps"] == 0 and after["bytes"] == 0 and after["fdless"] == 0 and after["leaked"] == 0
    assert after["maps_ever"] == before["maps_ever"] + 2
    assert not c.raise_irq(1, 0) and eventfd_count(irq) == 0
    assert c.control(0x24) == c.control(0x28) + 1       # attached, detached
    c.close()
    os.close(fd)
    os.close(irq)


# a second client

def test_second_client(client, server):
    for _ in range(3):
        other = server.connect()
        refused(errno.EBUSY, other.version)
        assert other.gone()
        other.close()
    client.info()


def test_many_silent_others(client, server):
    """They are let go of after a second, and hold nobody up."""
    others = [server.connect() for _ in range(8)]
    client.info()
    time.sleep(1.2)
    late = server.connect()
    refused(errno.EBUSY, late.version)
    late.close()
    for o in others:
        assert o.gone()
        o.close()
    client.info()


def test_second_client_in_pieces(client, server):
    other = server.connect()
    other.send_raw(version_message()[:7])
    time.sleep(0.05)
    other.send_raw(version_message()[7:])
    with pytest.raises(ServerError) as e:
        other.reply(VERSION, 1)
    assert e.value.errno == errno.EBUSY
    other.close()
    other = server.connect()
    other.close()
    client.info()


def test_connections_come_and_go(server):
    """Also while others do the same."""
    stop = time.monotonic() + 1.5
    good = [0]

    def visit():
        while time.monotonic() < stop:
            c = server.connect()
            try:
                c.version()
                c.info()
                good[0] += 1
            except (OSError, Disconnected):
                pass
            c.close()

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert good[0] > 0
    server.alive()


# fds that are no memory

def test_fds_that_are_no_memory(client, server, tmp_path):
    r, w = os.pipe()
    a, b = socket.socketpair()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    shm = "/dev/shm/ugvt-test-%d" % os.getpid()
    open(shm, "w").close()
    bad = [r, w, a.fileno(), eventfd(), os.open(fifo, os.O_RDWR), os.open("/dev/zero", os.O_RDWR),
           os.open("/dev/null", os.O_RDWR), os.open("/", os.O_RDONLY | os.O_DIRECTORY),
           os.open("/dev/shm", os.O_RDONLY | os.O_DIRECTORY), os.open(shm, os.O_PATH),
           os.open("/proc/self/maps", os.O_RDONLY), memfd(0), memfd(4095)]
    for fd in bad:
        for flags in (1, 3):
            refused(errno.EINVAL, client.dma_map, 0, 4096, fd, 0, flags)
    client.info()
    os.unlink(shm)
    for fd in bad:
        if fd != a.fileno():
            os.close(fd)
    b.close()
    a.close()


def test_file_on_another_file_system(client, tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(b"\0" * 8192)
    fd = os.open(path, os.O_RDWR)
    kind = subprocess.run(["stat", "-f", "-c", "%T", str(path)], capture_output=True, text=True).stdout.strip()
    if kind == "tmpfs":
        client.dma_map(0, 4096, fd)
    else:
        refused(errno.EINVAL, client.dma_map, 0, 4096, fd)
    os.close(fd)


@needs_device
def test_memfd_that_may_not_be_written(client):
    fd = memfd(8192, b"read me")
    ro = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
    refused(errno.EACCES, client.dma_map, 0, 4096, ro)
    client.dma_map(0, 4096, ro, flags=1)
    assert client.operate(3, 0, 7) == 0 and client.region_read(5, 0x800, 7) == b"read me"
    assert client.operate(4, 0, 7) == -errno.EACCES
    wo = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY)
    refused(errno.EACCES, client.dma_map, 0x10000, 4096, wo)
    sealed = memfd(4096, flags=os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    fcntl.fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE)
    refused(errno.EACCES, client.dma_map, 0x10000, 4096, sealed)
    client.dma_map(0x10000, 4096, sealed, flags=1)
    for x in (fd, ro, wo, sealed):
        os.close(x)


@needs_device
def test_tmpfs_file(client):
    path = "/dev/shm/ugvt-test-%d" % os.getpid()
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    os.unlink(path)
    os.ftruncate(fd, 8192)
    os.pwrite(fd, b"on tmpfs", 4096)
    client.dma_map(0, 4096, fd, 4096)
    assert client.operate(3, 0, 8) == 0 and client.region_read(5, 0x800, 8) == b"on tmpfs"
    os.close(fd)


@needs_device
@pytest.mark.parametrize("flags", [1, 3])
def test_memfd_cut_under_use(start, flags):
    s = start()
    c = s.client()
    fd = memfd(1 << 20, b"x" * (1 << 20))
    c.dma_map(0, 1 << 20, fd, flags=flags)
    assert c.operate(3, 0x80000, 4) == 0 and c.region_read(5, 0x800, 4) == b"xxxx"
    os.ftruncate(fd, 0x10000)
    assert c.operate(3, 0x80000, 4) == 0 and c.region_read(5, 0x800, 4) == b"\0" * 4
    assert c.operate(3, 0x20000, 4) == 0 and c.region_read(5, 0x800, 4) == b"\0" * 4
    assert c.operate(3, 0xf000, 4) == 0 and c.region_read(5, 0x800, 4) == b"xxxx"   # what is left
    assert c.operate(3, 0xfffe, 4) == 0 and c.region_read(5, 0x800, 4) == b"xx\0\0"
    if flags & 2:
        c.region_write(5, 0x800, b"yyyy")
        assert c.operate(4, 0xff000, 4) == 0 and c.operate(3, 0xff000, 4) == 0
        assert c.region_read(5, 0x800, 4) == b"yyyy"
    stats = s.stats()
    assert stats["shrunk"] and stats["sigbus"] >= 1
    c.dma_unmap(0, 1 << 20)
    os.close(fd)
    c.close()
    s.alive()


@needs_device
def test_memfd_cut_while_another_thread_copies(start):
    s = start()
    c = s.client()
    for _ in range(20):
        fd = memfd(8 << 20)
        c.dma_map(0, 8 << 20, fd)
        stop = threading.Event()

        def cut():
            while not stop.is_set():
                os.ftruncate(fd, 0)
                os.ftruncate(fd, 8 << 20)

        t = threading.Thread(target=cut)
        t.start()
        for i in range(30):
            assert c.operate(3 + i % 2, (i * 0x41000) & ~7, 2000) == 0
        stop.set()
        t.join()
        c.dma_unmap(0, 8 << 20)
        os.close(fd)
    c.close()
    s.alive()


@needs_device
def test_sealed_memfd_needs_no_guard(client, server):
    fd = memfd(4096, flags=os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    fcntl.fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK)
    client.dma_map(0, 4096, fd)
    assert client.operate(4, 0, 4) == 0
    assert not server.stats()["shrunk"]
    os.close(fd)


def test_huge_sparse_files(client):
    """They are mapped without being touched, and refused when they would eat up our address space."""
    fd = memfd(0)
    os.ftruncate(fd, 1 << 45)
    client.dma_map(0, 1 << 40, fd)
    refused(errno.ENOSPC, client.dma_map, 1 << 50, 1 << 45, fd)
    client.dma_unmap(0, 1 << 40)
    client.info()
    os.close(fd)


@given(ops=st.lists(st.tuples(st.booleans(), st.integers(0, 20), st.integers(0, 8)), max_size=40))
@settings(quick, max_examples=60)
def test_maps_against_a_model(server, ops):
    c = server.client()
    mapped = {}
    for is_map, page, count in ops:
        addr, size = page * 4096, count * 4096
        try:
            (c.dma_map if is_map else c.dma_unmap)(addr, size)
            code = 0
        except ServerError as e:
            code = e.errno
        if is_map:
            clash = any(addr < a + s and a < addr + size for a, s in mapped.items())
            assert code == (errno.EINVAL if not count else errno.EEXIST if clash else 0)
            if not code:
                mapped[addr] = size
        else:
            assert code == (0 if count and mapped.get(addr) == size else errno.ENOENT)
            if not code:
                del mapped[addr]
    c.close()


@pytest.mark.long
@needs_device
def test_65535_maps(start):
    s = start()
    c = s.client()
    payload = [struct.pack("<IIQQQ", 32, 3, 0, 8192 * i, 4096) for i in range(65536)]
    ids = []
    for i, p in enumerate(payload):
        ids.append(c.send(DMA_MAP, p))
        if len(ids) == 100 or i == 65534:
            for msg_id in ids:
                c.reply(DMA_MAP, msg_id)
            ids = []
        if i == 65534:
            break
    refused(errno.ENOSPC, c.call, DMA_MAP, payload[65535])
    assert s.stats()["maps"] == 65535
    c.dma_unmap(0, 4096)
    c.call(DMA_MAP, payload[65535])
    c.close()
    s.alive()


# access with wild numbers

@given(region=st.integers(0, 12) | st.just(0xffffffff), count=st.integers(0, 70000) | st.just(0xffffffff),
       offset=st.integers(0, 70000) | st.integers(0, 2**64 - 1), write=st.booleans())
@quick
def test_wild_accesses(server, region, count, offset, write):
    c = server.client()
    rw = struct.pack("<QII", offset, region, count)
    try:
        if write:
            c.call(REGION_WRITE, rw + b"\0" * min(count, 70000))
        else:
            assert len(c.call(REGION_READ, rw)) == 16 + count
    except ServerError as e:
        assert e.errno == errno.EINVAL
    c.close()


@given(flags=st.integers(0, 127), index=st.integers(0, 6), start_at=st.integers(0, 6) | st.just(0xffffffff),
       count=st.integers(0, 6) | st.just(0xffffffff), nfds=st.integers(0, 5), extra=st.integers(0, 6))
@quick
def test_wild_set_irqs(server, flags, index, start_at, count, nfds, extra):
    c = server.client()
    fds = [eventfd() for _ in range(nfds)]
    try:
        c.set_irqs(flags, index, start_at, count, bools=b"\1" * extra, fds=fds)
        assert start_at + count <= 4
    except ServerError as e:
        assert e.errno in (errno.EINVAL, errno.ENOTSUP)
    c.info()
    c.close()
    for fd in fds:
        os.close(fd)


def test_mapped_memory_is_the_files(client):
    """A sanity check of the harness itself: memfds here really are shared."""
    fd = memfd(4096, b"ab")
    assert mmap.mmap(fd, 4096)[:2] == b"ab"
    os.close(fd)
    assert isinstance(client, Client)
