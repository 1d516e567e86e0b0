# SPDX-License-Identifier: GPL-2.0-or-later
"""A small vfio-user client in Python, written from the protocol's text and not from our C: it can send
what no sane client would, and says exactly which bytes came back."""

import array
import errno
import json
import os
import socket
import struct

VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, REGION_INFO, IO_FDS, IRQ_INFO, SET_IRQS = range(1, 9)
REGION_READ, REGION_WRITE, DMA_READ, DMA_WRITE, RESET = range(9, 14)
WRITE_MULTI, FEATURE, MIG_READ, MIG_WRITE = range(15, 19)

REPLY, NO_REPLY, ERROR = 1, 0x10, 0x20
MAX_MESSAGE = (1 << 20) + 64

QEMU_CAPS = {"capabilities": {
    "max_msg_fds": 16, "max_data_xfer_size": 1048576, "max_dma_maps": 65535, "pgsizes": 4096,
    "write_multiple": True, "migration": {"pgsize": 4096, "max_bitmap_size": 268435456}}}
RUST_CAPS = {"capabilities": {"max_msg_fds": 8, "max_data_xfer_size": 1048576,
                              "migration": {"pgsize": 4096}}}


class ServerError(OSError):
    """An error reply."""


class Disconnected(Exception):
    """The server closed the connection."""


def eventfd(initial=0, flags=os.EFD_NONBLOCK | os.EFD_CLOEXEC):
    return os.eventfd(initial, flags)


def eventfd_count(fd):
    """What an eventfd has collected; 0 when nothing."""
    try:
        return struct.unpack("Q", os.read(fd, 8))[0]
    except BlockingIOError:
        return 0


def header(cmd, size, msg_id=0, flags=0, error=0):
    return struct.pack("<HHIII", msg_id, cmd, size, flags, error)


class Client:
    def __init__(self, path=None, sock=None, timeout=10):
        if sock is None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.connect(path)
        sock.settimeout(timeout)
        self.sock = sock
        self.next_id = 1
        self.dma_memory = {}    # address: bytearray, what DMA_READ and DMA_WRITE reach
        self.dma_write_reply = 32  # bytes: 16 as QEMU, 28, or 32 as the text says
        self.fds = []           # of the last reply

    def close(self):
        self.sock.close()

    # messages

    def send_raw(self, data, fds=()):
        anc = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        sent = self.sock.sendmsg([data], anc)
        if sent < len(data):
            self.sock.sendall(data[sent:])

    def message(self, cmd, payload=b"", flags=0, msg_id=None):
        """The bytes of a command, and its id."""
        if msg_id is None:
            msg_id = self.next_id
            self.next_id = (self.next_id + 1) & 0xffff
        return header(cmd, 16 + len(payload), msg_id, flags) + payload, msg_id

    def send(self, cmd, payload=b"", flags=0, fds=(), msg_id=None):
        data, msg_id = self.message(cmd, payload, flags, msg_id)
        self.send_raw(data, fds)
        return msg_id

    def read_exactly(self, n):
        data = b""
        while len(data) < n:
            try:
                part, anc, _, _ = self.sock.recvmsg(n - len(data), socket.CMSG_SPACE(4 * 64))
            except ConnectionResetError:
                raise Disconnected() from None
            if not part:
                raise Disconnected()
            for level, kind, body in anc:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    got = array.array("i")
                    got.frombytes(body[:len(body) // 4 * 4])
                    self.fds += list(got)
            data += part
        return data

    def recv_any(self):
        """The next message: (cmd, id, flags, error, payload)."""
        msg_id, cmd, size, flags, error = struct.unpack("<HHIII", self.read_exactly(16))
        assert 16 <= size <= MAX_MESSAGE
        return cmd, msg_id, flags, error, self.read_exactly(size - 16)

    def serve_dma(self, cmd, msg_id, payload):
        addr, count = struct.unpack_from("<QQ", payload)
        for base, memory in self.dma_memory.items():
            if base <= addr and addr + count <= base + len(memory):
                break
        else:
            self.send_raw(header(cmd, 16, msg_id, REPLY | ERROR, errno.EFAULT))
            return
        if cmd == DMA_READ:
            body = payload[:16] + bytes(memory[addr - base:addr - base + count])
        else:
            assert len(payload) == 16 + count
            memory[addr - base:addr - base + count] = payload[16:]
            body = payload[:self.dma_write_reply - 16]
        self.send_raw(header(cmd, 16 + len(body), msg_id, REPLY) + body)

    def reply(self, cmd, msg_id):
        """The payload of the reply to `msg_id`; the server's own commands before it are served."""
        self.fds = []
        while True:
            got_cmd, got_id, flags, error, payload = self.recv_any()
            if flags & 0xf == 0:
                self.serve_dma(got_cmd, got_id, payload)
                continue
            assert (got_cmd, got_id) == (cmd, msg_id)
            if flags & ERROR:
                assert payload == b"" and flags == REPLY | ERROR
                raise ServerError(error, os.strerror(error))
            assert flags == REPLY and error == 0
            return payload

    def call(self, cmd, payload=b"", fds=(), flags=0):
        return self.reply(cmd, self.send(cmd, payload, flags, fds))

    def nothing_comes(self, seconds=0.05):
        """True when the server sends nothing."""
        old = self.sock.gettimeout()
        self.sock.settimeout(seconds)
        try:
            return self.sock.recv(1) == b"never"
        except socket.timeout:
            return True
        finally:
            self.sock.settimeout(old)

    def gone(self):
        """True when the server has closed the connection (after anything it still had to say)."""
        try:
            while self.sock.recv(65536):
                pass
            return True
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False

    # commands

    def version(self, major=0, minor=0, caps=QEMU_CAPS, raw=None):
        """(major, minor, answer or None)."""
        if raw is None:
            raw = b"" if caps is None else json.dumps(caps).encode() + b"\0"
        payload = self.call(VERSION, struct.pack("<HH", major, minor) + raw)
        got = struct.unpack_from("<HH", payload)
        if len(payload) == 4:
            return got + (None,)
        assert payload[-1] == 0 and payload.count(b"\0", 4) == 1
        assert len(payload) - 4 < 200
        return got + (json.loads(payload[4:-1]),)

    def dma_map(self, addr, size, fd=None, offset=0, flags=3, argsz=32):
        payload = struct.pack("<IIQQQ", argsz, flags, offset, addr, size)
        assert self.call(DMA_MAP, payload, [fd] if fd is not None else []) == b""

    def dma_unmap(self, addr, size, flags=0, argsz=24):
        payload = struct.pack("<IIQQ", argsz, flags, addr, size)
        assert self.call(DMA_UNMAP, payload) == payload

    def info(self, size=16):
        payload = self.call(GET_INFO, struct.pack("<I", size).ljust(size, b"\0"))
        assert len(payload) == size
        return struct.unpack_from("<IIII", payload)

    def region_info(self, index, argsz=32):
        """(argsz, flags, index, cap_offset, size, offset, capability bytes); fds in self.fds."""
        payload = self.call(REGION_INFO, struct.pack("<IIIIQQ", argsz, 0, index, 0, 0, 0))
        return struct.unpack_from("<IIIIQQ", payload) + (payload[32:],)

    def region_read(self, region, offset, count):
        rw = struct.pack("<QII", offset, region, count)
        payload = self.call(REGION_READ, rw)
        assert payload[:16] == rw and len(payload) == 16 + count
        return payload[16:]

    def region_write(self, region, offset, data):
        rw = struct.pack("<QII", offset, region, len(data))
        assert self.call(REGION_WRITE, rw + data) == rw

    def region_post(self, region, offset, data):
        self.send(REGION_WRITE, struct.pack("<QII", offset, region, len(data)) + data, NO_REPLY)

    def irq_info(self, index, argsz=16):
        """(argsz, flags, index, count)."""
        return struct.unpack("<IIII", self.call(IRQ_INFO, struct.pack("<IIII", argsz, 0, index, 0)))

    def set_irqs(self, flags, index, start, count, bools=b"", fds=(), argsz=None):
        argsz = 20 + len(bools) if argsz is None else argsz
        payload = struct.pack("<IIIII", argsz, flags, index, start, count) + bools
        assert self.call(SET_IRQS, payload, list(fds)) == b""

    def reset(self):
        assert self.call(RESET) == b""

    # the test device's control block (region 5, tests/lib/vfu-testdev.c)

    def control(self, offset):
        return struct.unpack("<I", self.region_read(5, offset, 4))[0]

    def raise_irq(self, index, vector):
        self.region_write(5, 0, struct.pack("<I", index << 16 | vector))
        return self.control(0) == 1

    def operate(self, op, addr, length):
        """Runs one of the control block's operations to its end; its result."""
        self.region_write(5, 8, struct.pack("<QI", addr, length))
        self.region_write(5, 0x14, struct.pack("<I", op))
        while self.control(0x1c):
            pass
        return struct.unpack("<i", self.region_read(5, 0x18, 4))[0]
