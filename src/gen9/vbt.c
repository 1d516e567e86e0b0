/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VBT with one HDMI port, and the option ROM image around it. */
#include "gen9/vbt.h"
#include "base/util.h"

/* vbt_defs: header, BDB header, block 2 with one child device of BDB version 155. */
enum {
	VBT_HEADER = 48,
	BDB_HEADER = 22,
	BLOCK_HEADER = 3,
	DEFINITIONS = 5, /* bdb_general_definitions without its devices */
	CHILD = 33,
	VBT_BYTES = VBT_HEADER + BDB_HEADER + BLOCK_HEADER + DEFINITIONS + CHILD,
	VBT_PADDED = (VBT_BYTES + 3) / 4 * 4,
};

#define BDB_VERSION		155
#define BDB_GENERAL_DEFINITIONS 2
#define DEVICE_TYPE_HDMI	0x60d2
#define DVO_PORT_HDMIB		1
#define DDC_PIN_PORT_B		5
#define CRT_DDC_PIN		2

#define ROM_PCIR	   0x20
#define ROM_VBT		   0x200
#define ROM_CODE_TYPE_NONE 0xff /* reserved by the specification: no firmware executes it */

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static uint8_t checksum(const uint8_t *p, size_t n)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + p[i]);
	return (uint8_t)-sum;
}

size_t vbt_build(uint8_t out[VBT_MAX_BYTES])
{
	uint8_t *bdb = out + VBT_HEADER;
	uint8_t *block = bdb + BDB_HEADER;
	uint8_t *definitions = block + BLOCK_HEADER;
	uint8_t *child = definitions + DEFINITIONS;

	_Static_assert(VBT_PADDED <= VBT_MAX_BYTES, "the VBT fits its buffer");
	memset(out, 0, VBT_MAX_BYTES);
	memcpy(out, "$VBT KABYLAKE       ", 20);
	put16(out + 20, 100); /* version */
	put16(out + 22, VBT_HEADER);
	put16(out + 24, VBT_PADDED);
	put16(out + 28, VBT_HEADER); /* offset of the BDB */

	memcpy(bdb, "BIOS_DATA_BLOCK ", 16);
	put16(bdb + 16, BDB_VERSION);
	put16(bdb + 18, BDB_HEADER);
	put16(bdb + 20, VBT_BYTES - VBT_HEADER);

	block[0] = BDB_GENERAL_DEFINITIONS;
	put16(block + 1, DEFINITIONS + CHILD);
	definitions[0] = CRT_DDC_PIN;
	definitions[4] = CHILD;

	put16(child, 4); /* handle: first external display */
	put16(child + 2, DEVICE_TYPE_HDMI);
	child[16] = DVO_PORT_HDMIB;
	child[19] = DDC_PIN_PORT_B;

	out[26] = checksum(out, VBT_PADDED);
	return VBT_PADDED;
}

void vbt_build_rom(uint16_t device_id, uint8_t out[VBT_ROM_BYTES])
{
	uint8_t vbt[VBT_MAX_BYTES];
	uint8_t *pcir = out + ROM_PCIR;
	size_t len = vbt_build(vbt);

	memset(out, 0, VBT_ROM_BYTES);
	out[0] = 0x55;
	out[1] = 0xaa;
	out[2] = VBT_ROM_BYTES / 512;
	put16(out + 0x18, ROM_PCIR);

	memcpy(pcir, "PCIR", 4);
	put16(pcir + 4, 0x8086);
	put16(pcir + 6, device_id);
	put16(pcir + 10, 0x18); /* length of this structure */
	pcir[14] = 0x80;	/* class 0380: display controller, other */
	pcir[15] = 0x03;
	put16(pcir + 16, VBT_ROM_BYTES / 512);
	pcir[20] = ROM_CODE_TYPE_NONE;
	pcir[21] = 0x80; /* last image */

	memcpy(out + ROM_VBT, vbt, len);
	out[VBT_ROM_BYTES - 1] = checksum(out, VBT_ROM_BYTES - 1);
}
