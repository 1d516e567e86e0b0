# SPDX-License-Identifier: GPL-2.0-or-later
"""Read the text of a Linux console off a screenshot by matching the console font's glyphs.

read_screen(png, psf) gives the lines of the screen, one string for each row of cells. A cell whose
pixels are no glyph of the font in any two colours reads as U+FFFD, an evenly coloured one as a space.
From a shell: glyphs.py SCREEN.png FONT.psf
"""

import struct
import sys
import zlib

UNREAD = "\ufffd"


class BadImage(Exception):
    """The file is no picture or font of the kinds known here."""


def read_png(path):
    """(width, height, bytes per pixel, [row bytes]) of a PNG of 8 bits a channel, not interlaced."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise BadImage(f"{path}: no PNG")
    pos, packed, head = 8, [], None
    while pos + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, pos)
        if pos + 12 + size > len(data):
            raise BadImage(f"{path}: ends within a chunk")
        body = data[pos + 8:pos + 8 + size]
        crc = data[pos + 8 + size:pos + 12 + size]
        if crc != struct.pack(">I", zlib.crc32(kind + body)):
            raise BadImage(f"{path}: checksum of {kind.decode('latin-1')} is wrong")
        if kind == b"IHDR":
            head = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed.append(body)
        elif kind == b"IEND":
            break
        pos += 12 + size
    if head is None:
        raise BadImage(f"{path}: no IHDR")
    width, height, depth, colour, _, _, interlace = head
    bpp = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour)
    if depth != 8 or bpp is None or interlace:
        raise BadImage(f"{path}: depth {depth}, colour type {colour}, interlace {interlace} is not handled")
    try:
        raw = zlib.decompress(b"".join(packed))
    except zlib.error as e:
        raise BadImage(f"{path}: {e}") from None
    stride = width * bpp
    if len(raw) != height * (stride + 1):
        raise BadImage(f"{path}: {len(raw)} bytes of pixels, {height * (stride + 1)} expected")
    rows, above = [], bytes(stride)
    for y in range(height):
        start = y * (stride + 1)
        above = unfilter(raw[start], raw[start + 1:start + 1 + stride], above, bpp)
        rows.append(above)
    return width, height, bpp, rows


def unfilter(kind, line, above, bpp):
    """One row without its PNG filter (PNG specification, 9)."""
    if kind == 0:
        return line
    if kind == 2:
        return bytes([(a + b) & 255 for a, b in zip(line, above)])
    out = bytearray(line)
    if kind == 1:
        for i in range(bpp, len(out)):
            out[i] = (out[i] + out[i - bpp]) & 255
    elif kind == 3:
        for i in range(len(out)):
            left = out[i - bpp] if i >= bpp else 0
            out[i] = (out[i] + (left + above[i]) // 2) & 255
    elif kind == 4:
        for i in range(len(out)):
            a = out[i - bpp] if i >= bpp else 0
            b = above[i]
            c = above[i - bpp] if i >= bpp else 0
            pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - c - c)
            out[i] = (out[i] + (a if pa <= pb and pa <= pc else b if pb <= pc else c)) & 255
    else:
        raise BadImage(f"PNG filter {kind}")
    return bytes(out)


def write_png(path, width, height, rgb):
    """Write width x height pixels of 3 bytes."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    lines = b"".join(b"\0" + rgb[y * width * 3:(y + 1) * width * 3] for y in range(height))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
                + chunk(b"IDAT", zlib.compress(lines, 6)) + chunk(b"IEND", b""))


def read_psf(path):
    """(glyph width, glyph height, {rows of bits as ints: character}) of a PSF 1 or 2 font."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:2] == b"\x36\x04":
        mode, height = data[2], data[3]
        width, start, count, size = 8, 4, 512 if mode & 1 else 256, height
        table = data[start + count * size:] if mode & 6 else b""
        names = psf1_names(table, count)
    elif data[:4] == b"\x72\xb5\x4a\x86":
        _, start, flags, count, size, height, width = struct.unpack_from("<7I", data, 4)
        names = psf2_names(data[start + count * size:], count) if flags & 1 else [()] * count
    else:
        raise BadImage(f"{path}: no PSF font")
    pitch = (width + 7) // 8
    glyphs = {}
    for n in range(count):
        raw = data[start + n * size:start + (n + 1) * size]
        if len(raw) != size:
            raise BadImage(f"{path}: ends within glyph {n}")
        bits = tuple(int.from_bytes(raw[y * pitch:(y + 1) * pitch], "big") >> (pitch * 8 - width)
                     for y in range(height))
        # Of characters that look alike, the plain ones are meant.
        names_n = names[n] or ((chr(n),) if 32 <= n < 127 else (UNREAD,))
        best = min(names_n, key=lambda c: (not c.isascii(), c))
        if bits not in glyphs or (best.isascii() and not glyphs[bits].isascii()):
            glyphs[bits] = best
    return width, height, glyphs


def psf1_names(table, count):
    names, pos = [], 0
    for _ in range(count):
        found, sequence = [], False
        while pos + 2 <= len(table):
            code = struct.unpack_from("<H", table, pos)[0]
            pos += 2
            if code == 0xffff:
                break
            sequence |= code == 0xfffe
            if not sequence:
                found.append(chr(code))
        names.append(tuple(found))
    return names


def psf2_names(table, count):
    rows = (table.split(b"\xff") + [b""] * count)[:count]
    return [tuple(row.split(b"\xfe")[0].decode("utf-8", "ignore")) for row in rows]


def read_screen(png, psf):
    """The lines of text on a screenshot of a console in this font, without trailing spaces."""
    width, height, bpp, rows = read_png(png)
    gw, gh, glyphs = read_psf(psf)
    full = (1 << gw) - 1
    lines, known = [], {}
    for top in range(0, height - gh + 1, gh):
        line = []
        for left in range(0, width - gw + 1, gw):
            cell = b"".join(r[left * bpp:(left + gw) * bpp] for r in rows[top:top + gh])
            if cell not in known:
                known[cell] = match(cell, bpp, gw, gh, glyphs, full)
            line.append(known[cell])
        lines.append("".join(line).rstrip())
    return lines


def match(cell, bpp, gw, gh, glyphs, full):
    """The character of one cell: its pixels against every glyph, in both polarities."""
    pixels = [cell[i:i + bpp] for i in range(0, len(cell), bpp)]
    colours = set(pixels)
    if len(colours) == 1:
        return " "
    if len(colours) != 2:
        return UNREAD
    paper = max(colours, key=pixels.count)
    bits = []
    for y in range(gh):
        v = 0
        for p in pixels[y * gw:(y + 1) * gw]:
            v = v << 1 | (p != paper)
        bits.append(v)
    direct = glyphs.get(tuple(bits))
    # A glyph with more ink than paper has its colours the other way round.
    return direct or glyphs.get(tuple(b ^ full for b in bits), UNREAD)


if __name__ == "__main__":
    print("\n".join(read_screen(sys.argv[1], sys.argv[2])).rstrip())
