/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole GPU as one PCI device.
 *
 * Theory of operation. The front's thread calls region_read and region_write; nothing is kept here but
 * config space. BAR0 is cut into its parts (registers below 2 MiB, nothing, the GGTT from 8 MiB on) and
 * each access into naturally aligned pieces, which go to the GPU at once and without a lock; BAR2 goes
 * to its aperture whole. Config space has the device's lock, because status and dump read it from the
 * control thread.
 *
 * The OpRegion is the VMM's: where there is one, firmware writes its GPA to ASLS. We only keep that, and
 * answer software SCIs as hardware without an SCI handler does: the trigger bit goes back to 0 and the
 * driver finds no answer in its OpRegion.
 *
 * Memory: the VM's maps become the GPU's bus one to one. Interrupts: the GPU calls on_irq from any of
 * its threads and the front's irq_raise gets an MSI. In D3hot the BARs read all ones, writes are
 * dropped and no interrupt goes out; coming back, like a function level reset, makes everything as
 * after power-on. A client that goes leaves its state to be looked at; the next one begins afresh,
 * whether or not the one before had reset the device at its start.
 */
#include "bare/bare.h"
#include "base/addr.h"
#include "base/lock.h"
#include "base/util.h"
#include "gen9/regs.h"
#include "pci/config.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum trap { /* who was asked */
	TRAP_MMIO,
	TRAP_GGTT,
	TRAP_APERTURE,
	TRAP_IO,
	TRAP_ROM,
	TRAP_CONFIG,
	TRAP_HOLE, /* BAR0 between the registers and the GGTT */
	TRAP_COUNT
};

static const char *const trap_names[TRAP_COUNT] = {
	[TRAP_MMIO] = "mmio",
	[TRAP_GGTT] = "ggtt",
	[TRAP_APERTURE] = "aperture",
	[TRAP_IO] = "io",
	[TRAP_ROM] = "rom",
	[TRAP_CONFIG] = "config",
	[TRAP_HOLE] = "hole",
};

struct traps {
	_Atomic uint64_t reads[TRAP_COUNT], writes[TRAP_COUNT];
};

struct bare {
	struct pci_device pci;	   /* first: what the front holds */
	struct gpu *gpu;	   /* borrowed */
	const struct clock *clock; /* borrowed; NULL: events have no time */
	struct mem_listener listener;
	struct lock lock; /* LOCK_RANK_DEVICE: config, swsci and its counters */
	struct pci_config config;
	uint32_t swsci; /* as it was last written, before the trigger bit was taken back */
	uint64_t swsci_calls, asle_rings;
	uint8_t *rom; /* owned */
	size_t rom_bytes;
	int hole_fd; /* owned: the page of BAR0 that can be mapped, bare_config.writes_waited; -1 */
	struct state_section *sections; /* owned: config, opregion, then the GPU's */
	size_t section_count;
	struct trace *_Atomic trace; /* borrowed */
	struct traps traps;
	_Atomic uint64_t irqs, resets, clients, fdless;
	_Atomic bool asleep;	      /* D3hot: BARs do not answer */
	_Atomic bool intx_off;	      /* Interrupt Disable in the command register */
	bool used;		      /* a client was there */
	const struct mem *mem;	      /* borrowed; NULL: nobody tells of files that are cut */
	_Atomic uint64_t shrunk_seen; /* mem_shrunk_times() when it was last looked at */
};

/* Between the registers and the GGTT: reads 0, or what the client itself wrote there. */
#define HOLE_OFFSET GEN9_MMIO_SIZE

static struct bare *to_bare(struct pci_device *d)
{
	return container_of(d, struct bare, pci);
}

/* A file of guest RAM was cut: from there on are zeros that no other process sees. */
static void check_memory(struct bare *b)
{
	uint64_t times;

	if (!b->mem)
		return;
	times = mem_shrunk_times(b->mem);
	if (likely(times == atomic_load_explicit(&b->shrunk_seen, memory_order_relaxed)))
		return;
	if (atomic_exchange(&b->shrunk_seen, times) != times)
		b->gpu->ops->fail(b->gpu, "guest RAM was cut: its file shrank while it was mapped");
}

/* ------------------------------------------------------------------ config space */

enum {
	CFG_GGC = 0x50,
	CFG_BDSM = 0x5c,
	CFG_ASLE = 0xe4,
	CFG_SWSCI = 0xe8,
	CFG_ASLS = 0xfc,
	SWSCI_TRIGGER = 1, /* GSSCIE; bit 15 selects SCI or SMI (i915 display/intel_opregion.c) */
};

/*
 * Registers of the IGD in config space: PRM volume 12 ("GPU device, PCI registers"). i915 reads GGC for
 * the GGTT's size; firmware writes ASLS (OpRegion) and BDSM (stolen memory), drivers SWSCI and ASLE.
 */
static const struct pci_config_row config_rows[] = {
	{CFG_GGC, 2, false, 0x00c1, 0, 0, "GGC",
		"GGMS 3: 8 MiB of GGTT; GMS 0: no stolen memory; locked"},
	{0x54, 4, false, 0x00000010, 0, 0, "DEVEN",
		"mirror of the host bridge's: the IGD is there"},
	{CFG_BDSM, 4, false, 0, 0xfff00000, 0, "BDSM",
		"firmware stores where stolen memory is (none)"},
	{0x62, 1, false, 0, 0, 0, "MSAC", "aperture size: read by no driver, BAR2 says it"},
	{0x70, 4, false, 0, 0xfff00000, 0, "BGSM", "firmware stores where the GGTT's memory is"},
	{0xe0, 2, false, 0, 0x0001, 0, "SWSMI", "software SMI: storage, nobody listens"},
	{CFG_ASLE, 4, true, 0, 0xffffffff, 0, "ASLE",
		"firmware's bell for the driver: counted, nobody is rung"},
	{CFG_SWSCI, 2, true, 0, 0x8001, 0, "SWSCI",
		"the driver's bell for firmware: the trigger clears, no answer comes"},
	{CFG_ASLS, 4, false, 0, 0xffffffff, 0, "ASLS",
		"GPA of the OpRegion: SeaBIOS writes it, i915 reads"},
};

/* Under the lock. */
static void config_written(
	void *arg, const struct pci_config_row *row, uint32_t before, uint32_t after)
{
	struct bare *b = arg;

	(void)before;
	switch (row->offset) {
	case CFG_ASLE:
		b->asle_rings++;
		break;
	case CFG_SWSCI:
		b->swsci = after;
		if (after & SWSCI_TRIGGER) {
			b->swsci_calls++;
			pci_config_set(&b->config, CFG_SWSCI, 2, after & ~(uint32_t)SWSCI_TRIGGER);
		}
		break;
	}
}

/* Under the lock, after any change: what other threads ask without it. */
static void config_publish(struct bare *b)
{
	atomic_store(&b->asleep, pci_config_power_state(&b->config) != 0);
	atomic_store(&b->intx_off, pci_config_command(&b->config) & PCI_COMMAND_INTX_OFF);
}

/* Under the lock. */
static void config_power(void *arg, unsigned int before, unsigned int after)
{
	struct bare *b = arg;

	(void)before;
	config_publish(b); /* before the reset: what it raises finds the device awake */
	/* No_Soft_Reset is 0: registers do not survive D3hot (PCI PM 1.2, 5.4.1). */
	if (after == 0) {
		b->swsci = 0;
		atomic_fetch_add(&b->resets, 1);
		b->gpu->ops->reset(b->gpu);
	}
}

static int config_init(struct bare *b, const struct bare_config *config, struct err *e)
{
	const struct gpu_info *info = &b->gpu->info;
	struct pci_config_desc desc = {
		.vendor_id = info->vendor_id,
		.device_id = info->device_id,
		.subsystem_vendor_id = info->vendor_id,
		.subsystem_id = 0x2212,
		.revision = info->revision,
		.class_code = config->class_code ? config->class_code : BARE_CLASS_DISPLAY,
		.bars =
			{
				[0] = {GEN9_BAR0_SIZE, PCI_BAR_64},
				[2] = {info->aperture_bytes, PCI_BAR_64 | PCI_BAR_PREFETCH},
				[4] = {BARE_IO_BYTES, PCI_BAR_IO},
			},
		.rom_bytes = (uint32_t)b->rom_bytes,
		.intx_pin = 1,
		.msi_offset = 0xac,
		.pm_offset = 0xd0,
		.size_bytes = PCI_CONFIG_SIZE,
		.rows = config_rows,
		.row_count = ARRAY_SIZE(config_rows),
		.written = config_written,
		.power = config_power,
		.arg = b,
	};

	return pci_config_init(&b->config, &desc, e);
}

static void trace_config(
	struct bare *b, enum trace_kind kind, uint64_t offset, const void *data, size_t len)
{
	struct trace *t = atomic_load_explicit(&b->trace, memory_order_relaxed);
	struct trace_event ev = {.kind = (uint16_t)kind, .a = offset, .n = (uint32_t)len};

	if (!trace_on(t))
		return;
	ev.ns = b->clock ? clock_now_ns(b->clock) : 0;
	memcpy(&ev.b, data, min_u64(len, sizeof(ev.b)));
	trace_put(t, &ev);
}

/* ------------------------------------------------------------------ BARs */

/*
 * One access of a client in naturally aligned parts of at most 8 bytes: what a bus makes of it. An
 * access of 8 bytes that is aligned stays whole.
 */
static unsigned int part(uint64_t offset, size_t left, unsigned int most)
{
	unsigned int n = most;

	while (n > 1 && (offset % n || n > left)) {
		n /= 2;
	}
	return n;
}

static void mmio_access(
	struct bare *b, uint64_t offset, uint8_t *in, const uint8_t *out, size_t len)
{
	unsigned int most = len == 8 ? 8 : 4;

	for (size_t done = 0; done < len;) {
		unsigned int n = part(offset + done, len - done, most);
		uint64_t v = 0;

		if (in) {
			v = b->gpu->ops->mmio_read(b->gpu, (uint32_t)(offset + done), n);
			memcpy(in + done, &v, n);
		} else {
			memcpy(&v, out + done, n);
			b->gpu->ops->mmio_write(b->gpu, (uint32_t)(offset + done), v, n);
		}
		done += n;
	}
}

/* `offset` from the GGTT's start. Entries are 8 bytes; a part of one is written through a mask. */
static void ggtt_access(
	struct bare *b, uint64_t offset, uint8_t *in, const uint8_t *out, size_t len)
{
	for (size_t done = 0; done < len;) {
		uint64_t at = offset + done;
		unsigned int shift = 8 * (at % 8);
		size_t n = min_u64(8 - at % 8, len - done);
		uint64_t mask = (n == 8 ? UINT64_MAX : BIT64(8 * n) - 1) << shift;
		uint64_t v = 0;

		if (at / 8 >= b->gpu->info.ggtt_entries) {
			if (in)
				memset(in + done, 0, n);
		} else if (in) {
			v = b->gpu->ops->ggtt_read(b->gpu, (uint32_t)(at / 8)) >> shift;
			memcpy(in + done, &v, n);
		} else {
			memcpy(&v, out + done, n);
			b->gpu->ops->ggtt_write(b->gpu, (uint32_t)(at / 8), v << shift, mask);
		}
		done += n;
	}
}

/* Which part of BAR0 `offset` is in, and where that part ends. */
static enum trap bar0_part(uint64_t offset, uint64_t *end)
{
	if (offset < GEN9_MMIO_SIZE) {
		*end = GEN9_MMIO_SIZE;
		return TRAP_MMIO;
	}
	if (offset < GEN9_GGTT_OFFSET) {
		*end = GEN9_GGTT_OFFSET;
		return TRAP_HOLE;
	}
	*end = GEN9_BAR0_SIZE;
	return TRAP_GGTT;
}

/* Exactly one of `in` (a read) and `out` (a write) is set. */
static void bar0_access(
	struct bare *b, uint64_t offset, uint8_t *in, const uint8_t *out, size_t len)
{
	while (len) {
		uint64_t end;
		enum trap who = bar0_part(offset, &end);
		size_t n = min_u64(len, end - offset);

		atomic_fetch_add_explicit(
			in ? &b->traps.reads[who] : &b->traps.writes[who], 1, memory_order_relaxed);
		if (who == TRAP_MMIO)
			mmio_access(b, offset, in, out, n);
		else if (who == TRAP_GGTT)
			ggtt_access(b, offset - GEN9_GGTT_OFFSET, in, out, n);
		else if (in)
			memset(in, 0, n);
		offset += n;
		len -= n;
		in = in ? in + n : NULL;
		out = out ? out + n : NULL;
	}
}

/* ------------------------------------------------------------------ struct pci_device */

static void region_info(struct pci_device *d, uint32_t index, struct pci_region_info *out)
{
	struct bare *b = to_bare(d);

	*out = (struct pci_region_info){.fd = -1};
	switch (index) {
	case PCI_REGION_BAR0:
		out->size = GEN9_BAR0_SIZE;
		out->flags = PCI_REGION_READ | PCI_REGION_WRITE;
		if (b->hole_fd >= 0) {
			out->flags |= PCI_REGION_MMAP;
			out->fd = b->hole_fd;
			out->area_count = 1;
			out->areas[0] = (struct pci_region_area){HOLE_OFFSET, PAGE_SIZE_4K};
		}
		break;
	case PCI_REGION_BAR2:
		out->size = b->gpu->info.aperture_bytes;
		out->flags = PCI_REGION_READ | PCI_REGION_WRITE;
		break;
	case PCI_REGION_BAR4:
		out->size = BARE_IO_BYTES;
		out->flags = PCI_REGION_READ | PCI_REGION_WRITE;
		break;
	case PCI_REGION_ROM:
		out->size = b->rom_bytes;
		out->flags = b->rom_bytes ? PCI_REGION_READ : 0;
		break;
	case PCI_REGION_CONFIG:
		out->size = PCI_CONFIG_SIZE;
		out->flags = PCI_REGION_READ | PCI_REGION_WRITE;
		break;
	default:
		break;
	}
}

static void count(_Atomic uint64_t counters[TRAP_COUNT], enum trap who)
{
	atomic_fetch_add_explicit(&counters[who], 1, memory_order_relaxed);
}

static int region_read(
	struct pci_device *d, uint32_t index, uint64_t offset, void *data, size_t len)
{
	struct bare *b = to_bare(d);

	check_memory(b);
	switch (index) {
	case PCI_REGION_BAR0:
		if (atomic_load_explicit(&b->asleep, memory_order_relaxed))
			memset(data, 0xff, len);
		else
			bar0_access(b, offset, data, NULL, len);
		return 0;
	case PCI_REGION_BAR2:
		count(b->traps.reads, TRAP_APERTURE);
		if (atomic_load_explicit(&b->asleep, memory_order_relaxed))
			memset(data, 0xff, len);
		else
			b->gpu->ops->aperture_read(b->gpu, offset, data, len);
		return 0;
	case PCI_REGION_BAR4:
		count(b->traps.reads, TRAP_IO);
		memset(data, atomic_load_explicit(&b->asleep, memory_order_relaxed) ? 0xff : 0,
			len);
		return 0;
	case PCI_REGION_ROM:
		count(b->traps.reads, TRAP_ROM);
		if (range_bad(offset, len, b->rom_bytes))
			return -EINVAL;
		memcpy(data, b->rom + offset, len);
		return 0;
	case PCI_REGION_CONFIG:
		count(b->traps.reads, TRAP_CONFIG);
		lock_acquire(&b->lock);
		pci_config_read(&b->config, offset, data, len);
		lock_release(&b->lock);
		trace_config(b, TRACE_CFG_READ, offset, data, len);
		return 0;
	default:
		return -EINVAL;
	}
}

static int region_write(
	struct pci_device *d, uint32_t index, uint64_t offset, const void *data, size_t len)
{
	struct bare *b = to_bare(d);

	check_memory(b);
	switch (index) {
	case PCI_REGION_BAR0:
		if (!atomic_load_explicit(&b->asleep, memory_order_relaxed))
			bar0_access(b, offset, NULL, data, len);
		return 0;
	case PCI_REGION_BAR2:
		count(b->traps.writes, TRAP_APERTURE);
		if (!atomic_load_explicit(&b->asleep, memory_order_relaxed))
			b->gpu->ops->aperture_write(b->gpu, offset, data, len);
		return 0;
	case PCI_REGION_BAR4:
		/* The index and data ports of firmware: no Linux driver uses them. */
		count(b->traps.writes, TRAP_IO);
		return 0;
	case PCI_REGION_CONFIG:
		count(b->traps.writes, TRAP_CONFIG);
		trace_config(b, TRACE_CFG_WRITE, offset, data, len);
		lock_acquire(&b->lock);
		pci_config_write(&b->config, offset, data, len);
		config_publish(b);
		lock_release(&b->lock);
		return 0;
	default:
		return -EINVAL;
	}
}

static uint32_t irq_count(struct pci_device *d, uint32_t index)
{
	(void)d;
	return index == PCI_IRQ_INTX || index == PCI_IRQ_MSI ? 1 : 0;
}

static void device_reset(struct pci_device *d)
{
	struct bare *b = to_bare(d);

	lock_acquire(&b->lock);
	pci_config_reset(&b->config);
	b->swsci = 0;
	config_publish(b);
	b->gpu->ops->reset(b->gpu);
	lock_release(&b->lock);
	atomic_fetch_add(&b->resets, 1);
}

/* What a client left stays to be looked at until the next one comes, which gets a fresh device. */
static void attached(struct pci_device *d)
{
	struct bare *b = to_bare(d);

	atomic_fetch_add(&b->clients, 1);
	if (b->used)
		device_reset(d);
	b->used = true;
	/* What was cut was the last client's. */
	if (b->mem)
		atomic_store(&b->shrunk_seen, mem_shrunk_times(b->mem));
}

/* The next client finds it out: see attached(). */
static void detached(struct pci_device *d)
{
	(void)d;
}

static const struct pci_device_ops device_ops = {
	.regions = PCI_REGION_COUNT,
	.region_info = region_info,
	.region_read = region_read,
	.region_write = region_write,
	.irq_count = irq_count,
	.reset = device_reset,
	.attached = attached,
	.detached = detached,
};

/* ------------------------------------------------------------------ memory and interrupts */

/* Flash and option ROMs come read-only and without an fd: the GPU has no business there. */
static bool is_rom(const struct mem_map *m)
{
	return !m->hva.p && !(m->flags & MEM_WRITE);
}

static int on_map(void *arg, const struct mem_map *m)
{
	struct bare *b = arg;

	if (is_rom(m))
		return 0;
	if (!m->hva.p)
		atomic_fetch_add(&b->fdless, 1);
	return b->gpu->ops->iova_map(
		b->gpu, (struct iova){m->gpa.v}, m->size_bytes, m->hva, m->flags & MEM_WRITE);
}

static int on_unmap(void *arg, const struct mem_map *m)
{
	struct bare *b = arg;

	if (is_rom(m))
		return 0;
	return b->gpu->ops->iova_unmap(b->gpu, (struct iova){m->gpa.v}, m->size_bytes);
}

static void on_irq(void *arg)
{
	struct bare *b = arg;

	check_memory(b);
	if (atomic_load_explicit(&b->asleep, memory_order_relaxed) || !b->pci.irq_raise)
		return;
	atomic_fetch_add_explicit(&b->irqs, 1, memory_order_relaxed);
	b->pci.irq_raise(b->pci.irq_arg, PCI_IRQ_MSI, 0);
}

/* ------------------------------------------------------------------ creation, state, status */

static void config_save(void *obj, struct buf *out)
{
	struct bare *b = obj;

	lock_acquire(&b->lock);
	pci_config_save(&b->config, out);
	lock_release(&b->lock);
}

static int config_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e)
{
	struct bare *b = obj;
	int ret;

	lock_acquire(&b->lock);
	ret = pci_config_load(&b->config, in, version, e);
	if (!ret)
		config_publish(b);
	lock_release(&b->lock);
	return ret;
}

/* ASLS, BDSM and ASLE are config space's own; what was asked by SWSCI is not. */
static void opregion_save(void *obj, struct buf *out)
{
	struct bare *b = obj;

	lock_acquire(&b->lock);
	buf_put_u32(out, b->swsci);
	lock_release(&b->lock);
}

static int opregion_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e)
{
	struct bare *b = obj;
	uint32_t swsci = buf_get_u32(in);

	(void)version;
	if (in->failed || swsci > UINT16_MAX)
		return err_set(e, -EINVAL, NULL, "OpRegion: SWSCI %#x", swsci);
	lock_acquire(&b->lock);
	b->swsci = swsci;
	lock_release(&b->lock);
	return 0;
}

#define OPREGION_STATE_VERSION 1

static int sections_init(struct bare *b)
{
	size_t n = 0;
	const struct state_section *gpu = b->gpu->ops->sections(b->gpu, &n);

	b->sections = calloc(n + 2, sizeof(b->sections[0]));
	if (!b->sections)
		return -ENOMEM;
	b->sections[0] = (struct state_section){
		.name = "config",
		.version = PCI_CONFIG_STATE_VERSION,
		.obj = b,
		.save = config_save,
		.load = config_load,
	};
	b->sections[1] = (struct state_section){
		.name = "opregion",
		.version = OPREGION_STATE_VERSION,
		.obj = b,
		.save = opregion_save,
		.load = opregion_load,
	};
	if (n)
		memcpy(b->sections + 2, gpu, n * sizeof(gpu[0]));
	b->section_count = n + 2;
	return 0;
}

static int hole_init(struct bare *b)
{
	b->hole_fd = memfd_create("ugvt-hole", MFD_CLOEXEC);
	if (b->hole_fd < 0 || ftruncate(b->hole_fd, HOLE_OFFSET + PAGE_SIZE_4K))
		return -errno;
	return 0;
}

struct bare *bare_create(const struct bare_config *config, struct err *e)
{
	struct bare *b;

	if (config->rom && config->rom_bytes > BARE_ROM_BYTES_MAX) {
		err_set(e, -EINVAL, NULL, "ROM image of %zu bytes", config->rom_bytes);
		return NULL;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		goto no_memory;
	lock_init(&b->lock, LOCK_RANK_DEVICE);
	b->hole_fd = -1;
	b->gpu = config->gpu;
	b->clock = config->clock;
	b->pci.ops = &device_ops;
	b->listener = (struct mem_listener){.map = on_map, .unmap = on_unmap, .arg = b};
	if (config->rom && config->rom_bytes) {
		b->rom = malloc(config->rom_bytes);
		if (!b->rom)
			goto no_memory;
		memcpy(b->rom, config->rom, config->rom_bytes);
		b->rom_bytes = config->rom_bytes;
	}
	if (config->writes_waited && hole_init(b)) {
		err_set(e, -errno, NULL, "a page that can be mapped");
		goto failed;
	}
	if (config_init(b, config, e))
		goto failed;
	if (sections_init(b))
		goto no_memory;
	b->gpu->ops->irq_set(b->gpu, on_irq, b);
	return b;

no_memory:
	err_set(e, -ENOMEM, NULL, "PCI device of the GPU");
failed:
	bare_destroy(b);
	return NULL;
}

void bare_destroy(struct bare *b)
{
	if (!b)
		return;
	if (b->sections)
		bare_irq_stop(b);
	lock_finish(&b->lock);
	fd_close(&b->hole_fd);
	free(b->sections);
	free(b->rom);
	free(b);
}

struct pci_device *bare_device(struct bare *b)
{
	return &b->pci;
}

const struct mem_listener *bare_listener(struct bare *b)
{
	return &b->listener;
}

void bare_watch(struct bare *b, const struct mem *mem)
{
	b->mem = mem;
	atomic_store(&b->shrunk_seen, mem_shrunk_times(mem));
}

void bare_irq_stop(struct bare *b)
{
	b->gpu->ops->irq_set(b->gpu, NULL, NULL);
}

bool bare_intx_allowed(const struct bare *b)
{
	return !atomic_load_explicit(&b->intx_off, memory_order_relaxed);
}

const struct state_section *bare_sections(struct bare *b, size_t *n)
{
	*n = b->section_count;
	return b->sections;
}

void bare_trace_set(struct bare *b, struct trace *t)
{
	atomic_store(&b->trace, t);
	b->gpu->ops->trace_set(b->gpu, t);
}

static void add_u64(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

void bare_status(struct bare *b, struct json_object *out)
{
	struct json_object *config = json_object_new_object();
	struct json_object *opregion = json_object_new_object();
	struct json_object *traps = json_object_new_object();

	check_memory(b);
	lock_acquire(&b->lock);
	add_u64(config, "command", pci_config_command(&b->config));
	add_u64(config, "power_state", pci_config_power_state(&b->config));
	json_object_object_add(
		config, "msi", json_object_new_boolean(pci_config_msi_enabled(&b->config)));
	add_u64(opregion, "asls", pci_config_get(&b->config, CFG_ASLS, 4));
	add_u64(opregion, "bdsm", pci_config_get(&b->config, CFG_BDSM, 4));
	add_u64(opregion, "swsci", b->swsci);
	add_u64(opregion, "swsci_calls", b->swsci_calls);
	add_u64(opregion, "asle", pci_config_get(&b->config, CFG_ASLE, 4));
	add_u64(opregion, "asle_rings", b->asle_rings);
	lock_release(&b->lock);
	for (unsigned int i = 0; i < TRAP_COUNT; i++) {
		char key[32];

		snprintf(key, sizeof(key), "%s_reads", trap_names[i]);
		add_u64(traps, key, atomic_load(&b->traps.reads[i]));
		snprintf(key, sizeof(key), "%s_writes", trap_names[i]);
		add_u64(traps, key, atomic_load(&b->traps.writes[i]));
	}
	json_object_object_add(out, "config", config);
	json_object_object_add(out, "opregion", opregion);
	json_object_object_add(out, "traps", traps);
	add_u64(out, "interrupts", atomic_load(&b->irqs));
	add_u64(out, "resets", atomic_load(&b->resets));
	add_u64(out, "clients", atomic_load(&b->clients));
	add_u64(out, "unshared_maps", atomic_load(&b->fdless));
}
