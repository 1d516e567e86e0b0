# SPDX-License-Identifier: GPL-2.0-or-later
"""The reader of screenshots, on fonts and pictures made here: every PNG filter, colours, both PSF kinds."""

import os
import random
import struct
import sys
import zlib

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import glyphs  # noqa: E402

TEXT = ["hostname    ugvt-0a1b2c", "", "  The quick brown fox: 0123456789 (){}[]<>"]


def letters():
    """256 random 8x16 glyphs, the space empty, no two alike or each other's negative."""
    rng = random.Random(7)
    font = [bytes(rng.randrange(1, 255) for _ in range(15)) + b"\0" for _ in range(256)]
    font[32] = bytes(16)
    return font


def psf1(path, font):
    table = b"".join(struct.pack("<HH", n, 0xffff) for n in range(256))
    path.write_bytes(b"\x36\x04\x02\x10" + b"".join(font) + table)
    return path


def psf2(path, font):
    table = b"".join(chr(n).encode() + b"\xff" for n in range(256))
    path.write_bytes(b"\x72\xb5\x4a\x86" + struct.pack("<7I", 0, 32, 1, 256, 16, 16, 8) + b"".join(font) + table)
    return path


def paint(font, lines, ink, paper):
    """(width, height, rows) of the lines as a picture, a cell of margin at the right and below."""
    columns = max(map(len, lines)) + 1
    rows = []
    for line in [*lines, ""]:
        for y in range(16):
            rows.append(b"".join(ink if font[ord(c)][y] & (0x80 >> x) else paper
                                 for c in line.ljust(columns) for x in range(8)))
    return columns * 8, len(rows), rows


def png(path, width, height, rows, filters=(0,)):
    """Write a PNG whose rows use the given filters in turn."""
    bpp = len(rows[0]) // width
    packed, above = b"", bytes(len(rows[0]))
    for y, row in enumerate(rows):
        kind = filters[y % len(filters)]
        out = bytearray([kind])
        for i, v in enumerate(row):
            a = row[i - bpp] if i >= bpp else 0
            b, c = above[i], above[i - bpp] if i >= bpp else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            out.append((v - (0, a, b, (a + b) // 2, paeth)[kind]) & 255)
        packed += out
        above = row

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[bpp], 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(packed))
                     + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("make", [psf1, psf2])
@pytest.mark.parametrize("filters", [(0,), (1,), (2,), (3,), (4,), (4, 1, 0, 3, 2)])
@pytest.mark.parametrize("ink,paper", [(b"\xaa\xaa\xaa", b"\0\0\0"), (b"\0\0\0", b"\xff\xff\xff"),
                                       (b"\1\2\3\xff", b"\x90\x80\x70\xff"), (b"\xff", b"\x10")])
def test_reads_back(tmp_path, make, filters, ink, paper):
    font = letters()
    picture = png(tmp_path / "a.png", *paint(font, TEXT, ink, paper), filters)
    assert glyphs.read_screen(picture, make(tmp_path / "f.psf", font)) == [*TEXT, ""]


def test_one_wrong_pixel_is_not_read(tmp_path):
    font = letters()
    width, height, rows = paint(font, TEXT, b"\xff", b"\0")
    row = bytearray(rows[3])
    row[8 * 4] ^= 255
    rows[3] = bytes(row)
    lines = glyphs.read_screen(png(tmp_path / "a.png", width, height, rows), psf1(tmp_path / "f", font))
    assert lines[0] == TEXT[0][:4] + glyphs.UNREAD + TEXT[0][5:]


def test_write_png_is_read(tmp_path):
    pixels = bytes(range(256)) * 9
    glyphs.write_png(tmp_path / "a.png", 24, 32, pixels)
    assert b"".join(glyphs.read_png(tmp_path / "a.png")[3]) == pixels


@pytest.mark.parametrize("damage", [lambda d: d[:20], lambda d: d[:-30], lambda d: d[:50] + b"\0" + d[51:],
                                    lambda d: b"GIF89a" + d])
def test_damaged_picture(tmp_path, damage):
    path = png(tmp_path / "a.png", *paint(letters(), TEXT, b"\xff", b"\0"))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(glyphs.BadImage):
        glyphs.read_screen(path, psf1(tmp_path / "f", letters()))
