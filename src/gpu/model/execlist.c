// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Execlists: the submit port, the context status buffer, loading and saving contexts.
 *
 * The driver writes four dwords to ELSP: two context descriptors, the second element first. The
 * fourth makes them the pending execlist. The engine takes it when it is idle, or at the next
 * arbitration point of what runs: the same context again is a lite restore (only its tail is read),
 * another one preempts. Each change is an event in the context status buffer, six entries in MMIO and
 * in the hardware status page, followed by an interrupt.
 *
 *	nothing runs, an execlist comes          IDLE_TO_ACTIVE
 *	element 0 is done, element 1 is valid    COMPLETE | ELEMENT_SWITCH
 *	the last element is done                 COMPLETE | ACTIVE_TO_IDLE
 *	another context comes                    PREEMPTED
 *	the same context comes                   PREEMPTED | LITE_RESTORE
 *
 * A context that is preempted in a batch is saved with the batch's address in BB_ADDR and SBB_ADDR
 * (bit 0: valid) and what else it needs in reserved bits of BB_STATE; a load takes them and clears
 * the valid bits in the image, so that a driver that sets HEAD back after a reset starts there.
 *
 * Sources: PRM volume 7 (Execlists), volume 2c (registers); i915 gt/intel_execlists_submission.c for
 * what a driver relies on; gvt/execlist.h for EXECLIST_STATUS.
 */
#include "gpu/model/cs.h"

#include <stdio.h>

#define CSB_ENTRIES  6
#define HWSP_CSB     0x40 /* bytes: dword 0x10 */
#define HWSP_CSB_PTR 0x7c /* dword 0x1f */

enum csb_status {
	CSB_IDLE_TO_ACTIVE = BIT(0),
	CSB_PREEMPTED = BIT(1),
	CSB_ELEMENT_SWITCH = BIT(2),
	CSB_ACTIVE_TO_IDLE = BIT(3),
	CSB_COMPLETE = BIT(4),
	CSB_WAIT_VBLANK = BIT(6),
	CSB_WAIT_SEMAPHORE = BIT(7),
	CSB_LITE_RESTORE = BIT(15),
};

/* Context descriptor, low dword. */
#define DESC_FORCE_PD_RESTORE BIT(1)
#define DESC_FORCE_RESTORE    BIT(2)
#define DESC_MODE_SHIFT	      3
#define DESC_FAULT_HANDLING   (BIT(6) | BIT(7))
/* 10:9 are a priority from Gen12 on; i915 sets them on every render engine (lrc_desc_priority). */
#define DESC_RESERVED BIT(11)

enum desc_mode { MODE_ADVANCED_AD, MODE_LEGACY_32, MODE_ADVANCED, MODE_LEGACY_64 };

/* BB_STATE, SBB_STATE. Bit 5 is silicon's; 16..18 are reserved there and ours. */
#define BB_STATE_PPGTT	   BIT(5)
#define BB_STATE_USER	   BIT(16)
#define BB_STATE_ARB_OFF   BIT(17)
#define BB_STATE_PREDICATE BIT(18)
#define BB_ADDR_VALID	   BIT(0)

#define CTX_CTRL_SAVE_INHIBIT BIT(2)

#define MI_OPCODE_MASK	    UINT32_C(0xff800000)
#define MI_LRI		    (UINT32_C(0x22) << 23)
#define MI_BATCH_BUFFER_END (UINT32_C(0x0a) << 23)

static void trace_event(struct engine *e, enum trace_kind kind, uint64_t a, uint64_t b)
{
	struct trace *t = atomic_load_explicit(&e->model->trace, memory_order_acquire);

	if (trace_on(t)) {
		struct trace_event ev = {.ns = clock_now_ns(e->model->clock),
			.kind = (uint16_t)kind,
			.unit = (uint16_t)e->id,
			.a = a,
			.b = b};

		trace_put(t, &ev);
	}
}

/* ------------------------------------------------------------------ status buffer */

/*
 * What a change of contexts touches. Looked up before engine.lock is taken, because a page that was
 * unmapped a moment ago is waited for; good until the epoch section ends.
 */
struct pages {
	uint8_t *hwsp;	 /* NULL: no status page, events are in MMIO only */
	uint32_t *image; /* of port[0]'s context; NULL: no context, or e->fault says why not */
};

/* False: there was a wait, or a request came: look at everything again. */
static bool pages_open(struct engine *e, struct pages *p)
{
	uint64_t desc = e->port[0].desc;
	uint64_t image = (uint64_t)port_lrca(desc) + CONTEXT_STATE_PAGE * PAGE_SIZE_4K;

	p->image = NULL;
	p->hwsp = cs_ptr(e, ring_peek(e, RING_HWS_PGA) & 0xfffff000, SPACE_GGTT, true);
	if (!p->hwsp && gtt_await_map(e))
		return false;
	/* Second, so that its fault is the one that stays. A wait in vain has ended the section. */
	if (port_valid(desc))
		p->image = (uint32_t *)cs_ptr(e, image, SPACE_GGTT, true);
	if (port_valid(desc) && !p->image) {
		struct engine_fault fault = e->fault;

		if (gtt_await_map(e))
			return false;
		e->fault = fault;
		p->hwsp = cs_ptr(e, ring_peek(e, RING_HWS_PGA) & 0xfffff000, SPACE_GGTT, true);
		e->fault = fault;
	}
	return true;
}

/* Under engine.lock, on the engine's thread, inside its epoch section. */
static void csb_post(struct engine *e, uint8_t *page, uint32_t status, uint32_t id)
{
	unsigned int at = e->csb_write >= CSB_ENTRIES - 1 ? 0 : e->csb_write + 1;

	e->csb_write = at;
	e->last_switch = status;
	if (++e->csb_unread > CSB_ENTRIES && e->csb_read_moves)
		model_violate(e->model, VIOLATION_CSB_OVERFLOW, (uint64_t)e->id);
	ring_poke(e, RING_CSB + 8 * at, status);
	ring_poke(e, RING_CSB + 8 * at + 4, id);
	if (page) {
		__atomic_store_n((uint32_t *)(page + HWSP_CSB + 8 * at), status, __ATOMIC_RELAXED);
		__atomic_store_n((uint32_t *)(page + HWSP_CSB + 8 * at + 4), id, __ATOMIC_RELAXED);
		__atomic_store_n((uint32_t *)(page + HWSP_CSB_PTR), at, __ATOMIC_RELEASE);
	}
	ring_poke(e, RING_CSB_PTR, (ring_peek(e, RING_CSB_PTR) & ~UINT32_C(7)) | at);
	e->csb_irq = true;
	trace_event(e, TRACE_CSB, status, id);
}

/* The interrupt of events that were posted; engine.lock is not held. */
static void csb_interrupt(struct engine *e)
{
	if (e->csb_irq) {
		e->csb_irq = false;
		model_engine_irq(e, GT_CONTEXT_SWITCH);
	}
}

/* ------------------------------------------------------------------ context image */

/* The image is nowhere: e->fault says why. */
static bool image_fault(struct engine *e)
{
	char why[64];

	cs_report_fault(e);
	snprintf(why, sizeof(why), "%.50s", e->hang_reason);
	cs_hang(e, "context image: %s", why);
	return false;
}

static void store(uint32_t *image, unsigned int dw, uint32_t v)
{
	__atomic_store_n(&image[dw], v, __ATOMIC_RELAXED);
}

/* One register of an image. */
static void restore_register(struct engine *e, const struct context_row *row, uint32_t v)
{
	bool inhibited = ring_peek(e, RING_CTX_CONTROL) & CTX_CTRL_RESTORE_INHIBIT;

	if (row->reg == RING_CTX_TIMESTAMP) {
		e->timestamp_base = v;
		return;
	}
	if (row->flags & CONTEXT_LIVE && !(row->flags & CONTEXT_RING))
		return; /* saved, never restored */
	if (!(row->flags & CONTEXT_RING) && inhibited) {
		/* Silicon keeps what the last context left; here nothing reaches the next. */
		const struct reg_row *r = regs_row(&e->model->regs, e->info->mmio_base + row->reg);

		v = r ? r->reset : 0;
	} else if (row->flags & CONTEXT_MASKED) {
		uint32_t mask = v >> 16;

		v = (ring_peek(e, row->reg) & ~mask & 0xffff) | (v & mask);
	}
	ring_poke(e, row->reg, v);
}

/* Runs the list of MI_LOAD_REGISTER_IMMs that the image is. False: it is none. */
static bool restore_image(struct engine *e)
{
	const struct context_row *hint = gen9_context_rows;
	const struct context_row *end = hint + gen9_context_row_count;
	uint32_t *image = e->image;

	for (unsigned int i = 0; i < CONTEXT_RING_DW;) {
		uint32_t dw = image[i], count = ((dw & 0xff) + 1) / 2;

		if (dw == 0) {
			i++;
			continue;
		}
		if ((dw & MI_OPCODE_MASK) == MI_BATCH_BUFFER_END)
			break;
		if ((dw & MI_OPCODE_MASK) != MI_LRI || !(dw & 1) ||
			i + 2 * count >= CONTEXT_RING_DW) {
			cs_hang(e, "context image %08x: dword %x is %08x",
				port_lrca(e->port[0].desc), i, dw);
			return false;
		}
		for (uint32_t k = 0; k < count; k++) {
			uint32_t reg = (image[i + 1 + 2 * k] & 0x7ffffc) - e->info->mmio_base;

			/* Images have their registers in the rows' order. */
			while (hint < end && (hint->reg != reg || !(hint->engines & BIT(e->id))) &&
				hint->dw < i + 2 + 2 * k)
				hint++;
			if (hint < end && hint->reg == reg && hint->engines & BIT(e->id)) {
				restore_register(e, hint, image[i + 2 + 2 * k]);
			} else {
				const struct context_row *row = gen9_context_row(e->id, reg);

				if (row)
					restore_register(e, row, image[i + 2 + 2 * k]);
				else
					model_violate(e->model, VIOLATION_CS_REGISTER,
						image[i + 1 + 2 * k]);
			}
		}
		i += 1 + 2 * count;
	}
	return true;
}

/* A tail as the driver wrote it: what the ring runs to. False: outside the ring. */
static bool take_tail(struct engine *e, uint32_t tail)
{
	if (tail & 7)
		model_violate(e->model, VIOLATION_TAIL_ALIGN, tail);
	tail &= RING_TAIL_ADDR;
	if (tail >= e->ring_bytes) {
		cs_hang(e, "ring tail %x outside a ring of %x bytes", tail, e->ring_bytes);
		return false;
	}
	e->ring_tail = tail;
	ring_poke(e, RING_TAIL, tail);
	return true;
}

/* The roots of the PPGTT as the registers have them. */
static void take_pdps(struct engine *e, uint64_t desc)
{
	uint32_t mode = (uint32_t)desc >> DESC_MODE_SHIFT & 3;

	e->ppgtt_levels = mode == MODE_LEGACY_32 ? 3 : 4;
	for (uint32_t i = 0; i < 4; i++)
		e->pdp[i] = ring_peek64(e, RING_PDP + 8 * i);
	gtt_tlb_flush(e);
}

static void level_from(struct cs_level *l, uint64_t addr, uint32_t state)
{
	l->addr = addr & GMA_MASK & ~UINT64_C(3);
	l->space = state & BB_STATE_PPGTT ? SPACE_PPGTT : SPACE_GGTT;
	l->user = state & BB_STATE_USER;
}

/* Where the context goes on: ring, and the batches it was preempted in. */
static void take_position(struct engine *e, uint32_t *image)
{
	const uint32_t *im = e->image;
	struct cs_state *cs = &e->cs;

	*cs = (struct cs_state){0};
	cs->level[BATCH_RING].addr = im[CONTEXT_DW_HEAD] & RING_HEAD_ADDR;
	cs->level[BATCH_RING].space = SPACE_GGTT;
	cs->arbitration_off = im[CONTEXT_DW_BB_STATE] & BB_STATE_ARB_OFF;
	cs->predicate = im[CONTEXT_DW_BB_STATE] & BB_STATE_PREDICATE;
	if (im[CONTEXT_DW_BB_ADDR] & BB_ADDR_VALID) {
		cs->depth = BATCH_FIRST;
		level_from(&cs->level[BATCH_FIRST],
			im[CONTEXT_DW_BB_ADDR] | (uint64_t)im[CONTEXT_DW_BB_ADDR_UDW] << 32,
			im[CONTEXT_DW_BB_STATE]);
		if (im[CONTEXT_DW_SBB_ADDR] & BB_ADDR_VALID) {
			cs->depth = BATCH_SECOND;
			level_from(&cs->level[BATCH_SECOND],
				im[CONTEXT_DW_SBB_ADDR] | (uint64_t)im[CONTEXT_DW_SBB_ADDR_UDW]
								  << 32,
				im[CONTEXT_DW_SBB_STATE]);
		}
	}
	/* Taken: a driver that rewinds HEAD meanwhile must not find it again. */
	for (unsigned int dw = CONTEXT_DW_BB_ADDR_UDW; dw <= CONTEXT_DW_SBB_STATE; dw += 2) {
		if (e->image[dw]) {
			e->image[dw] = 0;
			store(image, dw, 0);
		}
	}
}

/* The batch that a restore runs next, or the ring. */
static void next_phase(struct engine *e)
{
	uint32_t indirect = e->image[CONTEXT_DW_INDIRECT_CTX];
	uint32_t per_ctx = e->image[CONTEXT_DW_BB_PER_CTX];
	int phase = e->cs.phase;

	if (phase == CS_PHASE_RING)
		e->resume = e->cs;
	if (phase == CS_PHASE_RING && indirect & 0x3f) {
		e->cs = (struct cs_state){.phase = CS_PHASE_INDIRECT, .depth = BATCH_FIRST};
		e->cs.level[BATCH_FIRST].addr = indirect & ~UINT32_C(0x3f);
		e->cs.phase_end = (indirect & ~UINT32_C(0x3f)) + 64 * (uint64_t)(indirect & 0x3f);
	} else if (phase != CS_PHASE_PER_CTX && per_ctx & 1) {
		e->cs = (struct cs_state){.phase = CS_PHASE_PER_CTX, .depth = BATCH_FIRST};
		e->cs.level[BATCH_FIRST].addr = per_ctx & ~UINT32_C(0x3f);
	} else {
		e->cs = e->resume;
		e->cs.phase = CS_PHASE_RING;
	}
}

static void check_descriptor(struct engine *e, uint64_t desc)
{
	uint32_t mode = (uint32_t)desc >> DESC_MODE_SHIFT & 3;

	if ((mode != MODE_LEGACY_32 && mode != MODE_LEGACY_64) ||
		(uint32_t)desc & (DESC_RESERVED | DESC_FAULT_HANDLING))
		model_violate(e->model, VIOLATION_DESCRIPTOR, desc);
}

/* port[0]'s context into the registers. False: the engine hangs. */
static bool context_load(struct engine *e, uint32_t *image)
{
	uint64_t desc = e->port[0].desc;
	uint32_t ctl;

	check_descriptor(e, desc);
	e->pphwsp = port_lrca(desc);
	if (!image)
		return image_fault(e);
	for (unsigned int i = 0; i < CONTEXT_RING_DW; i++)
		e->image[i] = cs_load(&image[i]);
	/* Registers that the image may lack. */
	ring_poke(e, RING_CTX_CONTROL, 0);
	ring_poke(e, RING_CTL, 0);
	e->timestamp_base = 0;
	if (!restore_image(e))
		return false;
	if (!(ring_peek(e, RING_CTX_CONTROL) & CTX_CTRL_RESTORE_INHIBIT))
		context_regs_load(e, image);
	ctl = ring_peek(e, RING_CTL);
	if (!(ctl & RING_CTL_ENABLE)) {
		cs_hang(e, "context %08x: its ring is not enabled", port_lrca(desc));
		return false;
	}
	e->ring_start = ring_peek(e, RING_START) & 0xfffff000;
	e->ring_bytes = (ctl & RING_CTL_PAGES) + (uint32_t)PAGE_SIZE_4K;
	if (!take_tail(e, e->image[CONTEXT_DW_TAIL]))
		return false;
	take_position(e, image);
	if (e->cs.level[BATCH_RING].addr >= e->ring_bytes) {
		cs_hang(e, "ring head %x outside a ring of %x bytes",
			(uint32_t)e->cs.level[BATCH_RING].addr, e->ring_bytes);
		return false;
	}
	take_pdps(e, desc);
	cs_flush_cost(e);
	e->timestamp_loaded = model_timestamp(e->model);
	e->loaded = true;
	if (ring_peek(e, RING_MI_MODE) & MI_MODE_STOP_RING)
		atomic_fetch_or(&e->request, ENGINE_REQ_HALT);
	atomic_fetch_add_explicit(&e->contexts, 1, memory_order_relaxed);
	next_phase(e);
	cs_publish(e);
	return true;
}

/* CTX_TIMESTAMP: what the context has run, in ticks. */
static uint32_t context_ticks(struct engine *e)
{
	cs_flush_cost(e);
	return e->timestamp_base + (uint32_t)(model_timestamp(e->model) - e->timestamp_loaded);
}

static uint32_t bb_state(const struct engine *e, int depth)
{
	const struct cs_state *cs = &e->cs;
	uint32_t v = 0;

	if (cs->depth >= depth) {
		v |= cs->level[depth].space == SPACE_PPGTT ? BB_STATE_PPGTT : 0;
		v |= cs->level[depth].user ? BB_STATE_USER : 0;
	}
	if (depth == BATCH_FIRST) {
		v |= cs->arbitration_off ? BB_STATE_ARB_OFF : 0;
		v |= cs->predicate ? BB_STATE_PREDICATE : 0;
	}
	return v;
}

/* What a row's dword becomes in a save. */
static uint32_t saved_value(struct engine *e, const struct context_row *row)
{
	const struct cs_state *cs = &e->cs;
	uint32_t v;

	switch (row->dw) {
	case CONTEXT_DW_HEAD:
		return (uint32_t)cs->level[BATCH_RING].addr;
	case CONTEXT_DW_BB_ADDR_UDW:
		return cs->depth >= BATCH_FIRST ? (uint32_t)(cs->level[BATCH_FIRST].addr >> 32) : 0;
	case CONTEXT_DW_BB_ADDR:
		return cs->depth >= BATCH_FIRST
			       ? (uint32_t)cs->level[BATCH_FIRST].addr | BB_ADDR_VALID
			       : 0;
	case CONTEXT_DW_BB_STATE:
		return bb_state(e, BATCH_FIRST);
	case CONTEXT_DW_SBB_ADDR_UDW:
		return cs->depth >= BATCH_SECOND ? (uint32_t)(cs->level[BATCH_SECOND].addr >> 32)
						 : 0;
	case CONTEXT_DW_SBB_ADDR:
		return cs->depth >= BATCH_SECOND
			       ? (uint32_t)cs->level[BATCH_SECOND].addr | BB_ADDR_VALID
			       : 0;
	case CONTEXT_DW_SBB_STATE:
		return bb_state(e, BATCH_SECOND);
	case CONTEXT_DW_TIMESTAMP:
		return context_ticks(e);
	case CONTEXT_DW_CONTROL:
		/* Saved once, it is restored from then on. */
		v = ring_peek(e, row->reg) & ~CTX_CTRL_RESTORE_INHIBIT;
		break;
	default:
		if (row->reg == RING_IPEHR)
			return atomic_load_explicit(&e->ipehr, memory_order_relaxed);
		v = row->reg == 0x358 ? (uint32_t)model_timestamp(e->model)
				      : ring_peek(e, row->reg);
		break;
	}
	return row->flags & CONTEXT_MASKED ? UINT32_C(0xffff0000) | v : v;
}

/*
 * Did someone write the image while the context ran? TAIL is software's; HEAD i915 sets to the tail
 * when it pins a context again whose last request is done but which is not saved yet (lrc_pin).
 */
static bool image_written(const struct engine *e, const uint32_t *image)
{
	for (size_t i = 0; i < gen9_context_row_count; i++) {
		const struct context_row *row = &gen9_context_rows[i];

		if (!(row->engines & BIT(e->id)) || row->flags & CONTEXT_SW ||
			row->dw == CONTEXT_DW_HEAD)
			continue;
		if (cs_load(&image[row->dw]) != e->image[row->dw])
			return true;
	}
	return false;
}

/* The registers back into the image. False: the engine hangs. */
static bool context_save(struct engine *e, uint32_t *image)
{
	uint64_t desc = e->port[0].desc;
	bool engine_too = !(ring_peek(e, RING_CTX_CONTROL) & CTX_CTRL_SAVE_INHIBIT);

	if (!image)
		return image_fault(e);
	if (image_written(e, image))
		model_violate(e->model, VIOLATION_CONTEXT_WRITE, port_lrca(desc));
	for (size_t i = 0; i < gen9_context_lri_count; i++) {
		const struct context_lri *lri = &gen9_context_lris[i];

		if (lri->engines & BIT(e->id))
			store(image, lri->dw,
				MI_LRI | (2u * lri->count - 1) |
					(lri->posted & BIT(e->id) ? BIT(12) : 0));
	}
	for (size_t i = 0; i < gen9_context_row_count; i++) {
		const struct context_row *row = &gen9_context_rows[i];

		if (!(row->engines & BIT(e->id)) || row->flags & CONTEXT_SW)
			continue;
		if (!(row->flags & CONTEXT_RING) && !engine_too)
			continue;
		store(image, row->dw - 1u, e->info->mmio_base + row->reg);
		store(image, row->dw, saved_value(e, row));
	}
	if (engine_too)
		context_regs_save(e, image);
	e->loaded = false;
	return true;
}

/*
 * The same context again: its tail is read, nothing else. False: the engine hangs.
 *
 * i915 never submits a context with the same tail twice without force-restore (WaIdleLiteRestore).
 * What counts is the tail at the two submissions: by the time an element is loaded the driver may have
 * moved the tail for the next one.
 */
static bool lite_restore(struct engine *e, const struct elsp_port *next, const uint32_t *image)
{
	uint64_t desc = next->desc;
	uint32_t tail;

	if (!image)
		return image_fault(e);
	tail = cs_load(&image[CONTEXT_DW_TAIL]);
	if (next->tail != TAIL_UNKNOWN && next->tail == e->port[0].tail)
		model_violate(e->model, VIOLATION_LITE_RESTORE, port_lrca(desc));
	if ((uint32_t)desc & DESC_FORCE_PD_RESTORE) {
		for (unsigned int dw = CONTEXT_DW_PDP3_UDW, reg = RING_PDP + 28;
			dw <= CONTEXT_DW_PDP0_LDW; dw += 2, reg -= 4) {
			e->image[dw] = cs_load(&image[dw]);
			ring_poke(e, reg, e->image[dw]);
		}
		take_pdps(e, desc);
	}
	return take_tail(e, tail);
}

/* ------------------------------------------------------------------ the port */

uint32_t execlist_tail(struct engine *e, uint64_t desc)
{
	uint64_t gma = (uint64_t)port_lrca(desc) + CONTEXT_STATE_PAGE * PAGE_SIZE_4K;
	uint32_t tail = TAIL_UNKNOWN;
	enum fault_reason why;
	uint8_t *image;

	if (!port_valid(desc))
		return tail;
	ggtt_user_enter(e->model, &e->port_user);
	image = ggtt_ptr(e->model, gma, false, &why);
	if (image)
		tail = cs_load(image + 4 * CONTEXT_DW_TAIL) & RING_TAIL_ADDR;
	ggtt_user_leave(&e->port_user);
	return tail;
}

void execlist_submit(struct engine *e, const uint32_t w[4], const uint32_t tails[2])
{
	if (e->pending_valid)
		model_violate(e->model, VIOLATION_ELSP_OVERRUN, (uint64_t)e->id);
	e->pending[1] = (struct elsp_port){(uint64_t)w[0] << 32 | w[1], tails[1]};
	e->pending[0] = (struct elsp_port){(uint64_t)w[2] << 32 | w[3], tails[0]};
	e->pending_valid = true;
	if (port_valid(e->pending[1].desc) &&
		(!port_valid(e->pending[0].desc) ||
			port_lrca(e->pending[0].desc) == port_lrca(e->pending[1].desc)))
		model_violate(e->model, VIOLATION_DESCRIPTOR, e->pending[1].desc);
	atomic_fetch_or(&e->request, ENGINE_REQ_ELSP);
	trace_event(e, TRACE_SUBMIT, e->pending[0].desc, e->pending[1].desc);
}

uint32_t execlist_status(const struct engine *e)
{
	bool active = port_valid(e->port[0].desc);
	uint32_t v = e->execlist | (e->execlist ^ 1) << 1 | BIT(16);

	v |= e->pending_valid && active ? BIT(2) : 0;
	if (active || e->pending_valid)
		v |= BIT(4 - (active ? e->execlist : e->execlist ^ 1));
	if (active && e->pending_valid)
		v |= BIT(3) | BIT(4);
	v |= (e->last_switch & 0x1ff) << 5;
	if (active)
		v |= (e->element ? 2u : 1u) << 14 | BIT(18 - e->execlist);
	return v;
}

/* The pending execlist becomes the one that runs. False: the engine hangs. */
static bool execlist_switch(struct engine *e, const struct pages *pages)
{
	struct elsp_port old = e->port[0], next[2];
	uint32_t status, id = 0;
	bool ok = true;

	lock_acquire(&e->lock);
	memcpy(next, e->pending, sizeof(next));
	e->pending_valid = false;
	atomic_fetch_and(&e->request, ~(uint32_t)ENGINE_REQ_ELSP);
	if (!port_valid(next[0].desc))
		next[0].desc = next[1].desc = 0;
	if (!port_valid(next[1].desc))
		next[1].desc = 0;
	if (!port_valid(old.desc)) {
		status = port_valid(next[0].desc) ? CSB_IDLE_TO_ACTIVE : 0;
	} else {
		id = port_id(old.desc);
		if (e->loaded && port_valid(next[0].desc) &&
			port_lrca(old.desc) == port_lrca(next[0].desc) &&
			!((uint32_t)next[0].desc & DESC_FORCE_RESTORE)) {
			status = CSB_PREEMPTED | CSB_LITE_RESTORE;
			ok = lite_restore(e, &next[0], pages->image);
		} else {
			status = CSB_PREEMPTED;
			if (e->loaded)
				ok = context_save(e, pages->image);
			if (!port_valid(next[0].desc))
				status |= CSB_ACTIVE_TO_IDLE;
			atomic_fetch_add_explicit(&e->preemptions, 1, memory_order_relaxed);
		}
	}
	if (ok) {
		memcpy(e->port, next, sizeof(e->port));
		e->execlist ^= 1;
		e->element = 0;
		if (status)
			csb_post(e, pages->hwsp, status, id);
		e->cs.waiting = false;
		engine_set_state(e, port_valid(e->port[0].desc) ? ENGINE_RUNNING : ENGINE_IDLE);
	}
	lock_release(&e->lock);
	csb_interrupt(e);
	return ok;
}

/* port[0] has ended for `why`: port[1] follows. False: the engine hangs. */
static bool element_end(struct engine *e, const struct pages *pages, uint32_t why)
{
	bool ok;

	lock_acquire(&e->lock);
	ok = context_save(e, pages->image);
	if (ok) {
		uint32_t id = port_id(e->port[0].desc);
		bool more = port_valid(e->port[1].desc);

		e->port[0] = e->port[1];
		e->port[1] = (struct elsp_port){0};
		e->element = 1;
		csb_post(
			e, pages->hwsp, why | (more ? CSB_ELEMENT_SWITCH : CSB_ACTIVE_TO_IDLE), id);
		engine_set_state(e, more ? ENGINE_RUNNING : ENGINE_IDLE);
	}
	lock_release(&e->lock);
	csb_interrupt(e);
	return ok;
}

static enum execlist_turn hung(struct engine *e)
{
	engine_set_state(e, ENGINE_HUNG);
	atomic_fetch_add_explicit(&e->hangs, 1, memory_order_relaxed);
	cs_kick_waiters(e);
	return EXECLIST_STOP;
}

/* A wait that does not hold, seen for the first time. True: the context gives its place up. */
static bool wait_begins(struct engine *e)
{
	e->cs.waiting = true;
	e->wait_polls = 0;
	engine_set_state(e, ENGINE_WAITING);
	cs_publish(e);
	if (!(ring_peek(e, RING_CTX_CONTROL) & CTX_CTRL_INHIBIT_SYN_SWITCH) &&
		!e->cs.arbitration_off && e->cs.phase == CS_PHASE_RING)
		return true;
	model_engine_irq(e, GT_WAIT_SEMAPHORE);
	return false;
}

enum execlist_turn execlist_run(struct engine *e)
{
	for (;;) {
		uint32_t request = atomic_load_explicit(&e->request, memory_order_acquire);
		bool running = port_valid(e->port[0].desc);
		bool free = !running || !e->loaded || cs_arbitrates(e);
		struct pages pages;

		if (request & (ENGINE_REQ_PARK | ENGINE_REQ_QUIT))
			return EXECLIST_STOP;
		if (request & ENGINE_REQ_ELSP && free) {
			if (pages_open(e, &pages) && !execlist_switch(e, &pages))
				return hung(e);
			continue;
		}
		if (!running) {
			cs_kick_waiters(e);
			return EXECLIST_IDLE;
		}
		if (!e->loaded) {
			if (pages_open(e, &pages) && !context_load(e, pages.image))
				return hung(e);
			continue;
		}
		switch (cs_run(e)) {
		case CS_STOP_EMPTY:
			if (e->cs.phase != CS_PHASE_RING) {
				next_phase(e);
				break;
			}
			/* An execlist that came meanwhile finds the context still there. */
			if (atomic_load_explicit(&e->request, memory_order_acquire) &
					ENGINE_REQ_ELSP &&
				!e->cs.arbitration_off)
				break;
			if (pages_open(e, &pages) && !element_end(e, &pages, CSB_COMPLETE))
				return hung(e);
			break;
		case CS_STOP_WAIT:
			if (!e->cs.waiting && !pages_open(e, &pages))
				break;
			if (!e->cs.waiting && wait_begins(e)) {
				if (!element_end(e, &pages, CSB_WAIT_SEMAPHORE))
					return hung(e);
				break;
			}
			if (atomic_load_explicit(&e->request, memory_order_acquire) &
					ENGINE_REQ_ELSP &&
				cs_arbitrates(e))
				break;
			return EXECLIST_WAIT;
		case CS_STOP_HUNG:
			return hung(e);
		case CS_STOP_ARB:
			break;
		case CS_STOP_REQUEST:
			return EXECLIST_STOP;
		}
	}
}

void execlist_reset(struct engine *e)
{
	memset(e->port, 0, sizeof(e->port));
	memset(e->pending, 0, sizeof(e->pending));
	e->pending_valid = false;
	memset(e->elsp_words, 0, sizeof(e->elsp_words));
	e->elsp_count = 0;
	e->wait_frame = 0;
	e->execlist = e->element = 0;
	e->last_switch = 0;
	e->csb_write = CSB_ENTRIES - 1;
	e->csb_unread = 0;
	e->csb_read_moves = false;
	e->csb_irq = false;
	e->loaded = false;
	memset(&e->cs, 0, sizeof(e->cs));
	memset(&e->resume, 0, sizeof(e->resume));
	memset(e->pdp, 0, sizeof(e->pdp));
	memset(e->image, 0, sizeof(e->image));
	e->ppgtt_levels = 0;
	e->ring_start = e->ring_bytes = e->ring_tail = e->pphwsp = 0;
	e->fault = (struct engine_fault){0};
	memset(e->hang_reason, 0, sizeof(e->hang_reason));
	e->cost_ns = 0;
	atomic_store(&e->signalled, UINT64_MAX);
}
