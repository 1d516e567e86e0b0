// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A malicious guest: root writes random values to random places of the GPU's BARs, and reads some.
 * mmio_noise [WRITES [SEED]]. What becomes of the guest does not matter; the server must live.
 *
 * Half of the writes go near places where a register is likely (ring blocks, interrupts, display,
 * resets), in every width; some go into the GGTT and the aperture.
 */
#include "gem.h"

#define BAR0_BYTES (16u << 20)

static const struct {
	uint32_t start, bytes;
} places[] = {
	{0x2000, 0x800}, {0x12000, 0x800}, {0x1a000, 0x800}, {0x22000, 0x800}, /* rings */
	{0x44200, 0x300}, {0x4200, 0x100}, {0x9400, 0x100}, {0xa000, 0x300},   /* interrupts, GT */
	{0x45400, 0x20}, {0x46000, 0x100}, {0x6c000, 0x100},
	{0x138100, 0x100}, /* power, clocks, pcode */
	{0x60000, 0x1000}, {0x64000, 0x500}, {0x70000, 0x3000},
	{0xc5000, 0x200},					/* display, GMBUS */
	{0x100000, 0x200}, {0, 0x200000}, {0x800000, 0x800000}, /* fences, all, GGTT */
};

static void *map_bar(const char *name, size_t bytes)
{
	char path[96];
	int fd;
	void *p;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/0000:00:02.0/%s", name);
	fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
	p = fd < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		gem_bail("%s", path);
	}
	return p;
}

static uint64_t value(void)
{
	switch (gem_between(0, 4)) {
	case 0:
		return UINT64_MAX;
	case 1:
		return gem_random() & 0xff;
	case 2:
		return 0xffff0000u | (gem_random() & 0xffff);
	default:
		return gem_random();
	}
}

static void write_to(volatile uint8_t *p, uint64_t v)
{
	switch (gem_between(0, 5)) {
	case 0:
		*p = (uint8_t)v;
		break;
	case 1:
		*(volatile uint16_t *)((uintptr_t)p & ~(uintptr_t)1) = (uint16_t)v;
		break;
	case 2:
		*(volatile uint64_t *)((uintptr_t)p & ~(uintptr_t)7) = v;
		break;
	default:
		*(volatile uint32_t *)((uintptr_t)p & ~(uintptr_t)3) = (uint32_t)v;
		break;
	}
}

int main(int argc, char **argv)
{
	long writes = argc > 1 ? atol(argv[1]) : 20000;
	volatile uint8_t *bar0, *bar2;

	gem_seed_init();
	if (argc > 2) {
		gem_seed = strtoull(argv[2], NULL, 0) | 1;
	}
	bar0 = map_bar("resource0", BAR0_BYTES);
	bar2 = map_bar("resource2", 1 << 20);
	for (long i = 0; i < writes; i++) {
		size_t n = gem_random() % ARRAY_SIZE(places);
		uint32_t at = places[n].start + (uint32_t)(gem_random() % places[n].bytes);

		write_to(bar0 + at, value());
		if (i % 16 == 0) {
			(void)*(volatile uint32_t *)(bar0 + (at & ~3u));
		}
		if (i % 64 == 0) {
			write_to(bar2 + gem_random() % (1 << 20), value());
		}
	}
	gem_ok(true, "%ld writes", writes);
	return gem_done();
}
