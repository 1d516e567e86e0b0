# SPDX-License-Identifier: GPL-2.0-or-later
"""The pattern that tests/guest/kms_check.c shows, and a screenshot compared with it."""

from glyphs import read_png

SEED = 7  # kms_check --show


def pattern(x, y, seed=SEED):
    """(red, green, blue) at a place."""
    return (x + seed) & 255, (y * 3 + seed) & 255, ((x >> 4) ^ (y >> 4)) * 16 & 255


def differing(png, width, height):
    """Places where a screenshot is not the pattern (at most ten), as texts."""
    have_width, have_height, bpp, rows = read_png(png)
    if (have_width, have_height) != (width, height):
        return [f"the picture has {have_width}x{have_height} pixels, not {width}x{height}"]
    red = [(x + SEED) & 255 for x in range(width)]
    found = []
    for y, row in enumerate(rows):
        green = (y * 3 + SEED) & 255
        blue = bytes([((x >> 4) ^ (y >> 4)) * 16 & 255 for x in range(width)])
        if row[0::bpp] == bytes(red) and row[1::bpp] == bytes([green]) * width and row[2::bpp] == blue:
            continue
        for x in range(width):
            have = tuple(row[x * bpp:x * bpp + 3])
            if have != pattern(x, y) and len(found) < 10:
                found.append(f"at {x}, {y}: {have}, not {pattern(x, y)}")
    return found
