/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration space as bytes with masks. */
#include "pci/config.h"
#include "base/util.h"

#include <errno.h>

enum {
	STATUS_CAPABILITIES = 1 << 4,
	/* Parity and abort reports: write 1 to clear (PCI 3.0, 6.2.3). */
	STATUS_W1C = 0xf900,

	CAP_PM = 0x01,
	CAP_MSI = 0x05,
	MSI_CONTROL = 2,
	MSI_ADDRESS = 4,
	MSI_DATA = 8,
	MSI_BYTES = 10,
	MSI_ENABLE = 1,
	PM_CAPABILITIES = 2,
	PM_CONTROL = 4,
	PM_BYTES = 8,
	PM_VERSION = 2,
	PM_STATE = 3,

	BAR_IO = 1,
	BAR_64 = 4,
	BAR_PREFETCH = 8,
	ROM_ENABLE = 1,
};

static void put(uint8_t *bytes, uint32_t offset, unsigned int size, uint32_t v)
{
	for (unsigned int i = 0; i < size; i++) {
		bytes[offset + i] = (uint8_t)(v >> (8 * i));
	}
}

static uint32_t get(const uint8_t *bytes, uint32_t offset, unsigned int size)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < size; i++) {
		v |= (uint32_t)bytes[offset + i] << (8 * i);
	}
	return v;
}

/* A register: what it resets to and which bits can be written. */
static void define(
	struct pci_config *c, uint32_t offset, unsigned int size, uint32_t reset, uint32_t writable)
{
	put(c->reset, offset, size, reset);
	put(c->writable, offset, size, writable);
}

static bool power_of_two(uint64_t v)
{
	return v && !(v & (v - 1));
}

static int define_bars(struct pci_config *c, struct err *e)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *b = &c->desc.bars[i];
		uint32_t offset = PCI_CFG_BAR0 + 4 * i;
		uint64_t mask = ~(b->size_bytes - 1);

		if (!b->size_bytes)
			continue;
		if (!power_of_two(b->size_bytes))
			return err_set(e, -EINVAL, "a power of two", "BAR%u: size of %llu bytes", i,
				(unsigned long long)b->size_bytes);
		if (b->flags & PCI_BAR_IO) {
			if (b->size_bytes < 4 || b->size_bytes > 256)
				return err_set(e, -EINVAL, "4 to 256", "BAR%u: %llu bytes of I/O",
					i, (unsigned long long)b->size_bytes);
			define(c, offset, 4, BAR_IO, (uint32_t)mask & ~UINT32_C(3));
			continue;
		}
		if (b->size_bytes < 16 || (!(b->flags & PCI_BAR_64) && b->size_bytes > GIB(2)))
			return err_set(e, -EINVAL, "16 bytes to 2 GiB, or a 64-bit BAR",
				"BAR%u: %llu bytes of memory", i,
				(unsigned long long)b->size_bytes);
		define(c, offset, 4,
			(b->flags & PCI_BAR_64 ? BAR_64 : 0) |
				(b->flags & PCI_BAR_PREFETCH ? BAR_PREFETCH : 0),
			(uint32_t)mask & ~UINT32_C(15));
		if (!(b->flags & PCI_BAR_64))
			continue;
		if (i + 1 == PCI_BARS || c->desc.bars[i + 1].size_bytes)
			return err_set(
				e, -EINVAL, NULL, "BAR%u: 64-bit, but the next is in use", i);
		define(c, offset + 4, 4, 0, (uint32_t)(mask >> 32));
		i++;
	}
	return 0;
}

static bool overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a_size && b_size && a < b + b_size && b < a + a_size;
}

static int define_capabilities(struct pci_config *c, struct err *e)
{
	uint8_t msi = c->desc.msi_offset, pm = c->desc.pm_offset;
	uint8_t first = msi && (!pm || msi < pm) ? msi : pm;

	if ((msi && (msi < 0x40 || msi % 4 || msi + MSI_BYTES > PCI_CONFIG_SIZE)) ||
		(pm && (pm < 0x40 || pm % 4 || pm + PM_BYTES > PCI_CONFIG_SIZE)))
		return err_set(e, -EINVAL, "0x40 and up, in dwords", "capabilities at %#x and %#x",
			msi, pm);
	if (msi && pm && overlap(msi, MSI_BYTES, pm, PM_BYTES))
		return err_set(e, -EINVAL, "10 bytes for MSI, 8 for PM",
			"capabilities at %#x and %#x overlap", msi, pm);
	if (msi) {
		define(c, msi, 2, CAP_MSI | (pm > msi ? pm << 8 : 0), 0);
		define(c, msi + MSI_CONTROL, 2, 0, MSI_ENABLE);
		define(c, msi + MSI_ADDRESS, 4, 0, 0xfffffffc);
		define(c, msi + MSI_DATA, 2, 0, 0xffff);
	}
	if (pm) {
		define(c, pm, 2, CAP_PM | (msi > pm ? msi << 8 : 0), 0);
		define(c, pm + PM_CAPABILITIES, 2, PM_VERSION, 0);
		define(c, pm + PM_CONTROL, 2, 0, PM_STATE);
	}
	define(c, PCI_CFG_CAPABILITIES, 1, first, 0);
	define(c, PCI_CFG_STATUS, 2, first ? STATUS_CAPABILITIES : 0, 0);
	put(c->w1c, PCI_CFG_STATUS, 2, STATUS_W1C);
	return 0;
}

static int define_rows(struct pci_config *c, struct err *e)
{
	const struct pci_config_desc *d = &c->desc;
	uint32_t end = 0x40;

	for (size_t i = 0; i < d->row_count; i++) {
		const struct pci_config_row *r = &d->rows[i];

		if ((r->size_bytes != 1 && r->size_bytes != 2 && r->size_bytes != 4) ||
			r->offset < end || r->offset + r->size_bytes > d->size_bytes ||
			overlap(r->offset, r->size_bytes, d->msi_offset,
				d->msi_offset ? MSI_BYTES : 0) ||
			overlap(r->offset, r->size_bytes, d->pm_offset,
				d->pm_offset ? PM_BYTES : 0))
			return err_set(e, -EINVAL, "rows sorted by offset, none on another",
				"config register %s at %#x", r->name, r->offset);
		if (r->writable & r->w1c)
			return err_set(e, -EINVAL, "a bit is stored or cleared by 1, not both",
				"config register %s: bits %#x", r->name, r->writable & r->w1c);
		end = r->offset + r->size_bytes;
		define(c, r->offset, r->size_bytes, r->reset, r->writable);
		put(c->w1c, r->offset, r->size_bytes, r->w1c);
	}
	return 0;
}

int pci_config_init(struct pci_config *c, const struct pci_config_desc *desc, struct err *e)
{
	int ret;

	memset(c, 0, sizeof(*c));
	c->desc = *desc;
	if (desc->size_bytes != PCI_CONFIG_SIZE && desc->size_bytes != PCI_CONFIG_SIZE_MAX)
		return err_set(
			e, -EINVAL, "256 or 4096", "config space of %u bytes", desc->size_bytes);
	if (desc->rom_bytes && (!power_of_two(desc->rom_bytes) || desc->rom_bytes < KIB(2) ||
				       desc->rom_bytes > MIB(16)))
		return err_set(e, -EINVAL, "a power of two, 2 KiB to 16 MiB", "ROM of %u bytes",
			desc->rom_bytes);
	define(c, PCI_CFG_VENDOR, 2, desc->vendor_id, 0);
	define(c, PCI_CFG_DEVICE, 2, desc->device_id, 0);
	define(c, PCI_CFG_COMMAND, 2, 0,
		PCI_COMMAND_IO_SPACE | PCI_COMMAND_MEMORY_SPACE | PCI_COMMAND_BUS_MASTER |
			(desc->intx_pin ? PCI_COMMAND_INTX_OFF : 0));
	define(c, PCI_CFG_REVISION, 1, desc->revision, 0);
	define(c, PCI_CFG_CLASS, 2, desc->class_code, 0);
	define(c, PCI_CFG_CACHE_LINE, 1, 0, 0xff);
	define(c, PCI_CFG_SUBSYSTEM, 2, desc->subsystem_vendor_id, 0);
	define(c, PCI_CFG_SUBSYSTEM + 2, 2, desc->subsystem_id, 0);
	if (desc->rom_bytes)
		define(c, PCI_CFG_ROM, 4, 0,
			(~(desc->rom_bytes - 1) & ~UINT32_C(0x7ff)) | ROM_ENABLE);
	define(c, PCI_CFG_INTERRUPT_LINE, 1, 0, 0xff);
	define(c, PCI_CFG_INTERRUPT_PIN, 1, desc->intx_pin, 0);
	ret = define_bars(c, e);
	if (!ret)
		ret = define_capabilities(c, e);
	if (!ret)
		ret = define_rows(c, e);
	if (!ret)
		pci_config_reset(c);
	return ret;
}

void pci_config_reset(struct pci_config *c)
{
	memcpy(c->value, c->reset, sizeof(c->value));
}

void pci_config_read(const struct pci_config *c, uint64_t offset, void *data, size_t len)
{
	size_t n = 0;

	if (offset < c->desc.size_bytes) {
		n = min_u64(len, c->desc.size_bytes - offset);
		memcpy(data, c->value + offset, n);
	}
	memset((uint8_t *)data + n, 0xff, len - n);
}

/* D1 and D2 do not exist: such a write leaves the state as it was (PCI PM 1.2, 3.2.4). */
static void write_power(struct pci_config *c, unsigned int before)
{
	uint8_t *control = &c->value[c->desc.pm_offset + PM_CONTROL];
	unsigned int after = *control & PM_STATE;

	if (after == 1 || after == 2) {
		*control = (uint8_t)((*control & ~PM_STATE) | before);
		after = before;
	}
	if (after == before)
		return;
	/* No_Soft_Reset is 0: coming back from D3hot is a reset. */
	if (after == 0)
		pci_config_reset(c);
	if (c->desc.power)
		c->desc.power(c->desc.arg, before, after);
}

void pci_config_write(struct pci_config *c, uint64_t offset, const void *data, size_t len)
{
	const struct pci_config_desc *d = &c->desc;
	uint8_t before[PCI_CONFIG_SIZE_MAX];
	unsigned int power = pci_config_power_state(c);
	const uint8_t *bytes = data;

	if (offset >= d->size_bytes)
		return;
	len = min_u64(len, d->size_bytes - offset);
	/* Rows are at most 4 bytes, so what a hook may need lies within 4 bytes of the write. */
	size_t from = offset < 4 ? 0 : (size_t)offset - 4;
	size_t to = min_u64(offset + len + 4, d->size_bytes);
	memcpy(before + from, c->value + from, to - from);

	for (size_t i = 0; i < len; i++) {
		size_t at = (size_t)offset + i;

		c->value[at] =
			(uint8_t)((c->value[at] & ~c->writable[at]) | (bytes[i] & c->writable[at]));
		c->value[at] &= (uint8_t) ~(bytes[i] & c->w1c[at]);
	}
	for (size_t i = 0; i < d->row_count && d->written; i++) {
		const struct pci_config_row *r = &d->rows[i];

		if (r->notify && overlap(r->offset, r->size_bytes, (uint32_t)offset, (uint32_t)len))
			d->written(d->arg, r, get(before, r->offset, r->size_bytes),
				get(c->value, r->offset, r->size_bytes));
	}
	if (d->pm_offset)
		write_power(c, power);
}

uint32_t pci_config_get(const struct pci_config *c, uint32_t offset, unsigned int size_bytes)
{
	return get(c->value, offset, size_bytes);
}

void pci_config_set(struct pci_config *c, uint32_t offset, unsigned int size_bytes, uint32_t value)
{
	put(c->value, offset, size_bytes, value);
}

uint16_t pci_config_command(const struct pci_config *c)
{
	return (uint16_t)get(c->value, PCI_CFG_COMMAND, 2);
}

bool pci_config_msi_enabled(const struct pci_config *c)
{
	return c->desc.msi_offset && (c->value[c->desc.msi_offset + MSI_CONTROL] & MSI_ENABLE);
}

unsigned int pci_config_power_state(const struct pci_config *c)
{
	return c->desc.pm_offset ? c->value[c->desc.pm_offset + PM_CONTROL] & PM_STATE : 0;
}

uint64_t pci_config_bar_address(const struct pci_config *c, unsigned int bar)
{
	uint32_t offset = PCI_CFG_BAR0 + 4 * bar;
	uint64_t address;

	if (bar >= PCI_BARS || !c->desc.bars[bar].size_bytes)
		return 0;
	address = get(c->value, offset, 4);
	if (c->desc.bars[bar].flags & PCI_BAR_IO)
		return address & ~UINT64_C(3);
	if (c->desc.bars[bar].flags & PCI_BAR_64)
		address |= (uint64_t)get(c->value, offset + 4, 4) << 32;
	return address & ~UINT64_C(15);
}

void pci_config_save(void *obj, struct buf *out)
{
	struct pci_config *c = obj;

	buf_put_u32(out, c->desc.size_bytes);
	buf_put(out, c->value, c->desc.size_bytes);
}

int pci_config_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e)
{
	struct pci_config *c = obj;
	uint8_t bytes[PCI_CONFIG_SIZE_MAX];
	uint32_t size = buf_get_u32(in);
	unsigned int power;

	(void)version;
	if (in->failed || size != c->desc.size_bytes)
		return err_set(e, -EINVAL, NULL, "config space of %u bytes, this device has %u",
			size, c->desc.size_bytes);
	buf_get(in, bytes, size);
	if (in->failed)
		return err_set(e, -EINVAL, NULL, "config space: cut short");
	for (uint32_t i = 0; i < size; i++) {
		uint8_t changeable = c->writable[i] | c->w1c[i];

		if ((bytes[i] ^ c->reset[i]) & ~changeable)
			return err_set(e, -EINVAL, "load it into a device of the same kind",
				"config space: byte %#x is %#x, this device has %#x", i, bytes[i],
				c->reset[i]);
	}
	if (c->desc.pm_offset) {
		power = bytes[c->desc.pm_offset + PM_CONTROL] & PM_STATE;
		if (power == 1 || power == 2)
			return err_set(e, -EINVAL, NULL, "config space: power state D%u", power);
	}
	memcpy(c->value, bytes, size);
	return 0;
}
