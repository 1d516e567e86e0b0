// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Privilege: what a user batch must not do has no effect, what only rings may do works.
 *
 * A victim page lies in the GGTT, bound there by i915 for an aperture mapping; root finds its GGTT
 * address by comparing GGTT entries with the page's physical address. At the same address of the
 * user's PPGTT lies a decoy: whether the hardware skips a forbidden access or takes it to the PPGTT,
 * the victim must stay as it is, and what stands behind in the batch must run.
 *
 * For the blitter i915's command parser refuses some of these batches; refused is as good. i915
 * takes no privileged user batches on Gen9 (I915_EXEC_SECURE: gen 5 and older), so the other
 * privilege is seen in what i915 itself puts into the rings: each request's end is a GGTT write.
 */
#include "gem.h"

#define OUT	    GEM_HIGH
#define SECRET	    0x5ec4e700u
#define GGTT_SEARCH 65536u /* entries: 256 MiB of aperture */

static struct gem_bo out, victim, decoy;
static struct gem_batch batch;
static uint32_t context;
static uint64_t gma; /* of the victim, in the GGTT */
static volatile uint8_t *registers;
static const volatile uint64_t *ggtt; /* the entries */
static volatile uint32_t *victim_aperture;

static uint32_t mmio(uint32_t offset)
{
	return *(volatile uint32_t *)(registers + offset);
}

static void open_bar0(void)
{
	int fd = open("/sys/class/drm/card0/device/resource0", O_RDWR | O_SYNC | O_CLOEXEC);
	int awake = open("/sys/kernel/debug/dri/0/i915_forcewake_user", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || awake < 0) {
		gem_bail("resource0 or i915_forcewake_user (this needs root and debugfs)");
	}
	/* Apart, because i915 maps the entries with another memory type. */
	registers = mmap(NULL, 2 << 20, PROT_READ, MAP_SHARED, fd, 0);
	ggtt = mmap(NULL, GGTT_SEARCH * 8, PROT_READ, MAP_SHARED, fd, 8 << 20);
	if (registers == MAP_FAILED || ggtt == MAP_FAILED) {
		gem_bail("mmap of resource0");
	}
	/* `awake` stays open: i915 keeps all forcewake domains awake as long. */
}

/* Physical address of a buffer's first page: the old mmap ioctl maps the shmem file, whose pages show. */
static uint64_t physical(const struct gem_bo *bo)
{
	struct drm_i915_gem_mmap arg = {.handle = bo->handle, .size = bo->size};
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (gem_ioctl(DRM_IOCTL_I915_GEM_MMAP, &arg)) {
		gem_bail("mmap of a buffer's file");
	}
	(void)*(volatile uint8_t *)(uintptr_t)arg.addr_ptr;
	if (fd < 0 || pread(fd, &entry, 8, (off_t)(arg.addr_ptr / GEM_PAGE * 8)) != 8 ||
		!(entry >> 63)) {
		gem_bail("pagemap");
	}
	close(fd);
	munmap((void *)(uintptr_t)arg.addr_ptr, bo->size);
	return (entry & ((UINT64_C(1) << 55) - 1)) * GEM_PAGE;
}

/* The victim's address in the GGTT: aperture mappings lie in its first part. */
static uint64_t find_in_ggtt(uint64_t address)
{
	for (uint64_t i = 0; i < GGTT_SEARCH; i++) {
		uint64_t entry = ggtt[i];

		if ((entry & 1) && (entry & UINT64_C(0x7ffffff000)) == address) {
			return i * GEM_PAGE;
		}
	}
	gem_bail("the GGTT holds no entry for %#llx", (unsigned long long)address);
}

/* Runs the batch with the decoy in place. False: the kernel refused it. */
static bool run(const struct gem_engine *engine)
{
	struct gem_bo *bos[] = {&out, &decoy, &batch.bo};
	int r;

	gem_emit_end(&batch);
	r = gem_try_exec(engine, context, bos, 3);
	if (r == -EACCES || r == -EINVAL) {
		return false;
	}
	if (r) {
		errno = -r;
		gem_bail("execbuffer2 on %s", engine->name);
	}
	if (gem_wait(&batch.bo, GEM_WAIT_NS)) {
		gem_bail("a batch on %s does not end", engine->name);
	}
	gem_domain(&out, I915_GEM_DOMAIN_CPU, true);
	return true;
}

static void begin(void)
{
	gem_domain(&out, I915_GEM_DOMAIN_CPU, true);
	memset(out.map, 0, GEM_PAGE);
	gem_batch_reset(&batch);
}

static volatile uint32_t *out_dw(size_t i)
{
	return (volatile uint32_t *)out.map + i;
}

/* The rest of the batch ran, or the kernel took none of it. */
static bool marked(bool ran)
{
	return !ran || *out_dw(1000) == 0x600d;
}

static void emit_marker(void)
{
	gem_emit_store(&batch, OUT + 4000, 0x600d);
}

/* ------------------------------------------------------------------ the GGTT */

enum ggtt_command {
	STORE,
	STORE_QWORD,
	STORE_REGISTER,
	COPY,
	ATOMIC,
	POST_SYNC,
	UPDATE_GTT,
	GGTT_COMMANDS
};
static const char *const ggtt_names[] = {"MI_STORE_DATA_IMM", "MI_STORE_DATA_IMM, qword",
	"MI_STORE_REGISTER_MEM", "MI_COPY_MEM_MEM", "MI_ATOMIC", "post-sync write",
	"MI_UPDATE_GTT"};

static void emit_ggtt_write(const struct gem_engine *engine, enum ggtt_command c)
{
	switch (c) {
	case STORE:
		gem_emit(&batch, MI_STORE_DATA_IMM | MI_USE_GGTT);
		gem_emit_addr(&batch, gma);
		gem_emit(&batch, 0xbad);
		break;
	case STORE_QWORD:
		gem_emit(&batch, MI_STORE_DATA_IMM_QWORD | MI_USE_GGTT);
		gem_emit_addr(&batch, gma + 8);
		gem_emit_addr(&batch, UINT64_C(0xbad00000bad));
		break;
	case STORE_REGISTER:
		gem_emit_lri(&batch, gem_gpr(engine, 0), 0xbad);
		gem_emit(&batch, MI_STORE_REGISTER_MEM | MI_USE_GGTT);
		gem_emit(&batch, gem_gpr(engine, 0));
		gem_emit_addr(&batch, gma + 16);
		break;
	case COPY:
		gem_emit(&batch, MI_COPY_MEM_MEM | 1u << 21);
		gem_emit_addr(&batch, gma + 20);
		gem_emit_addr(&batch, OUT);
		break;
	case ATOMIC:
		gem_emit(&batch, MI_ATOMIC | MI_USE_GGTT | 5u << 8 | 1u << 17 | 1);
		gem_emit_addr(&batch, gma + 24);
		break;
	case POST_SYNC:
		if (engine == GEM_RCS) {
			gem_emit(&batch, PIPE_CONTROL);
			gem_emit(&batch, 1u << 24 | 1u << 14 | 1u << 20);
			gem_emit_addr(&batch, gma + 32);
		} else {
			gem_emit(&batch, MI_FLUSH_DW | 1u << 14);
			gem_emit_addr(&batch, (gma + 32) | 1u << 2);
		}
		gem_emit_addr(&batch, 0xbad);
		break;
	default:
		/* A new entry for the victim's own page: nobody would reach it any more. */
		gem_emit(&batch, 0x23u << 23 | 1);
		gem_emit_addr(&batch, gma);
		gem_emit(&batch, 0);
		break;
	}
}

/* Whether the victim is as it was, as the aperture and as the memory have it. */
static bool victim_whole(void)
{
	const volatile uint32_t *p = victim.map;

	for (uint32_t i = 0; i < 64; i++) {
		if (p[i] != (SECRET | i) || victim_aperture[i] != (SECRET | i)) {
			return false;
		}
	}
	return true;
}

static void check_ggtt_writes(const struct gem_engine *engine)
{
	for (enum ggtt_command c = STORE; c < GGTT_COMMANDS; c++) {
		bool ran;

		begin();
		emit_ggtt_write(engine, c);
		emit_marker();
		ran = run(engine);
		gem_ok(victim_whole() && marked(ran), "%s: %s to the GGTT from a user batch%s",
			engine->name, ggtt_names[c], ran ? "" : " is refused");
	}
}

static void check_ggtt_reads(const struct gem_engine *engine)
{
	bool ran, good = true;

	begin();
	memset(decoy.map, 0x11, GEM_PAGE);
	gem_emit_lri(&batch, gem_gpr(engine, 0), 1);
	gem_emit(&batch, MI_LOAD_REGISTER_MEM | MI_USE_GGTT);
	gem_emit(&batch, gem_gpr(engine, 0));
	gem_emit_addr(&batch, gma);
	gem_emit_srm(&batch, gem_gpr(engine, 0), OUT);
	gem_emit(&batch, MI_COPY_MEM_MEM | 1u << 22);
	gem_emit_addr(&batch, OUT + 4);
	gem_emit_addr(&batch, gma);
	emit_marker();
	ran = run(engine);
	for (size_t i = 0; i < 2; i++) {
		good &= *out_dw(i) != SECRET;
	}
	gem_ok(good && marked(ran), "%s: a user batch reads nothing through the GGTT%s",
		engine->name, ran ? "" : " (refused)");
}

/* A jump to the GGTT would run its target with the ring's privilege. */
static void check_ggtt_jump(const struct gem_engine *engine)
{
	volatile uint32_t *there = (volatile uint32_t *)victim.map + 256, *here = decoy.map;
	bool ran;

	there[0] = MI_STORE_DATA_IMM | MI_USE_GGTT;
	there[1] = (uint32_t)gma;
	there[2] = 0;
	there[3] = 0xbad;
	there[4] = MI_BATCH_BUFFER_END;
	here[256] = MI_BATCH_BUFFER_END;
	begin();
	gem_emit(&batch, (MI_BATCH_BUFFER_START & ~(1u << 8)) | MI_SECOND_LEVEL);
	gem_emit_addr(&batch, gma + 1024);
	emit_marker();
	ran = run(engine);
	gem_ok(victim_whole() && marked(ran),
		"%s: MI_BATCH_BUFFER_START to the GGTT gives no privilege%s", engine->name,
		ran ? "" : " (refused)");
}

/* ------------------------------------------------------------------ registers */

struct target {
	const char *name;
	uint32_t offset; /* from the engine's base, or absolute */
	bool absolute, rcs_only;
	uint32_t value;	 /* what the batch tries to put there */
	uint32_t stable; /* bits that nothing else changes meanwhile */
};

static const struct target targets[] = {
	{"RING_HWS_PGA", 0x80, false, false, 0x7f000, UINT32_MAX},
	{"RING_IMR", 0xa8, false, false, 0xffffffff,
		~0x00010001u}, /* i915 waits by these two bits */
	{"RING_MODE", 0x29c, false, false, 0xffff0000, UINT32_MAX},
	{"RING_EXECLIST_SUBMITPORT", 0x230, false, false, 1, 0},
	{"RING_PDP0", 0x270, false, false, 0x1000, 0},
	{"RING_FORCE_TO_NONPRIV", 0x4d0, false, true, 0x44200, UINT32_MAX},
	{"GDRST", 0x941c, true, false, 1, 0},
	{"GEN8_MASTER_IRQ", 0x44200, true, false, 0, 1u << 31},
	{"PLANE_SURF(A)", 0x7019c, true, false, 0x12345000, UINT32_MAX},
	{"FORCEWAKE_RENDER_GEN9", 0xa278, true, false, 0x00010000, 0},
	{"GEN8_DE_PIPE_IMR(A)", 0x44404, true, false, 0xffffffff, 0},
};

static void emit_register_write(
	const struct gem_engine *engine, int how, uint32_t offset, uint32_t value)
{
	switch (how) {
	case 0:
		gem_emit_lri(&batch, offset, value);
		break;
	case 1:
		*out_dw(0) = value;
		gem_emit_lrm(&batch, offset, OUT);
		break;
	default:
		gem_emit_lri(&batch, gem_gpr(engine, 0), value);
		gem_emit(&batch, MI_LOAD_REGISTER_REG);
		gem_emit(&batch, gem_gpr(engine, 0));
		gem_emit(&batch, offset);
		break;
	}
}

/* A register has the bits it should; the kernel's handlers may hold some for a moment. */
static bool settles(uint32_t offset, uint32_t want, uint32_t mask)
{
	for (int i = 0; i < 1000; i++) {
		if (!((mmio(offset) ^ want) & mask)) {
			return true;
		}
	}
	return false;
}

static void check_registers(const struct gem_engine *engine)
{
	static const char *const ways[] = {"LRI", "LRM", "LRR"};

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		const struct target *t = &targets[i];
		uint32_t offset = t->offset + (t->absolute ? 0 : engine->mmio_base), before;
		bool good = true;

		if (t->rcs_only && engine != GEM_RCS) {
			continue;
		}
		before = t->offset == 0x44200 ? 1u << 31 : mmio(offset);
		for (int how = 0; how < 3; how++) {
			bool ran;

			begin();
			emit_register_write(engine, how, offset, t->value);
			emit_marker();
			ran = run(engine);
			if (!marked(ran) || !settles(offset, before, t->stable)) {
				gem_say("%s: %#x before, %#x after", ways[how], before,
					mmio(offset));
				good = false;
			}
		}
		gem_ok(good, "%s: a user batch does not write %s", engine->name, t->name);
	}
}

static void check_register_reads(const struct gem_engine *engine)
{
	uint32_t page = mmio(engine->mmio_base + 0x80);
	bool ran;

	begin();
	gem_emit_srm(&batch, engine->mmio_base + 0x80, OUT);
	emit_marker();
	ran = run(engine);
	gem_ok(marked(ran) && (!page || *out_dw(0) != page),
		"%s: a user batch does not read RING_HWS_PGA%s", engine->name,
		ran ? "" : " (refused)");
}

/*
 * Registers that i915 opens to user batches on the render engine, by RING_FORCE_TO_NONPRIV
 * (i915: gen9_whitelist_build). All are masked.
 */
static void check_whitelist(void)
{
	static const struct {
		const char *name;
		uint32_t offset, bit;
	} open_registers[] = {
		{"CS_CHICKEN1", 0x2580, 1u << 1},
		{"HDC_CHICKEN1", 0x7304, 1u << 4},
		{"COMMON_SLICE_CHICKEN2", 0x7014, 1u << 7},
	};

	for (size_t i = 0; i < ARRAY_SIZE(open_registers); i++) {
		uint32_t offset = open_registers[i].offset, bit = open_registers[i].bit;

		begin();
		gem_emit_lri(&batch, offset, bit << 16 | bit);
		gem_emit_srm(&batch, offset, OUT);
		gem_emit_lri(&batch, offset, bit << 16);
		gem_emit_srm(&batch, offset, OUT + 4);
		run(GEM_RCS);
		gem_ok((*out_dw(0) & bit) && !(*out_dw(1) & bit), "rcs0: a user batch writes %s",
			open_registers[i].name);
	}
}

int main(void)
{
	gem_open();
	open_bar0();
	context = gem_context_create();
	out = gem_create(GEM_PAGE, OUT);
	batch = gem_batch_create(GEM_PAGE, 0x40000000);
	victim = gem_create(GEM_PAGE, 0);
	for (uint32_t i = 0; i < 64; i++) {
		((uint32_t *)victim.map)[i] = SECRET | i;
	}
	victim_aperture = gem_map(&victim, I915_MMAP_OFFSET_GTT);
	if (!gem_ok(victim_aperture[3] == (SECRET | 3), "the aperture shows a page")) {
		return gem_done();
	}
	gma = find_in_ggtt(physical(&victim));
	decoy = gem_create(GEM_PAGE, gma);
	for (size_t e = 0; e < ARRAY_SIZE(gem_engines); e++) {
		const struct gem_engine *engine = &gem_engines[e];

		check_ggtt_writes(engine);
		check_ggtt_reads(engine);
		check_ggtt_jump(engine);
		check_registers(engine);
		check_register_reads(engine);
	}
	check_whitelist();
	for (size_t e = 0; e < ARRAY_SIZE(gem_engines); e++) {
		begin();
		emit_marker();
		gem_ok(run(&gem_engines[e]) && marked(true),
			"%s: works on, its rings write to the GGTT", gem_engines[e].name);
	}
	return gem_done();
}
