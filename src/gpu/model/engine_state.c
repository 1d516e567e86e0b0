// SPDX-License-Identifier: GPL-2.0-or-later
/* An engine's state section: port, status buffer, and the context that is in flight. */
#include "gpu/model/cs.h"

#include <errno.h>

#define ENGINE_STATE_VERSION 2

static void put_level(struct buf *out, const struct cs_level *l)
{
	buf_put_u64(out, l->addr);
	buf_put_u32(out, (uint32_t)l->space | (uint32_t)l->user << 1);
}

static void put_cs(struct buf *out, const struct cs_state *cs)
{
	for (int i = 0; i < BATCH_LEVELS; i++)
		put_level(out, &cs->level[i]);
	buf_put_u32(out, (uint32_t)cs->depth);
	buf_put_u32(out, (uint32_t)cs->arbitration_off | (uint32_t)cs->predicate << 1 |
				 (uint32_t)cs->waiting << 2);
	buf_put_u32(out, (uint32_t)cs->phase);
	buf_put_u64(out, cs->phase_end);
	buf_put_u32(out, cs->blt_rows);
	buf_put_u32(out, cs->blt_bytes);
}

/* Times go as what has passed: the reader's clock is another. */
static void engine_save(void *obj, struct buf *out)
{
	struct engine *e = obj;

	lock_acquire(&e->lock);
	for (int i = 0; i < 4; i++)
		buf_put_u32(out, e->elsp_words[i]);
	buf_put_u32(out, (uint32_t)e->elsp_count);
	for (int i = 0; i < 2; i++) {
		buf_put_u64(out, e->port[i].desc);
		buf_put_u32(out, e->port[i].tail);
		buf_put_u64(out, e->pending[i].desc);
		buf_put_u32(out, e->pending[i].tail);
	}
	buf_put_u32(out, (uint32_t)e->pending_valid | (uint32_t)e->csb_read_moves << 1 |
				 (uint32_t)e->loaded << 2 | e->execlist << 3 | e->element << 4);
	buf_put_u32(out, e->last_switch);
	buf_put_u32(out, e->csb_write);
	buf_put_u32(out, e->csb_unread);
	buf_put_u32(out, (uint32_t)engine_state(e));
	buf_put_u32(out,
		atomic_load(&e->request) & (ENGINE_REQ_ELSP | ENGINE_REQ_STOP | ENGINE_REQ_HALT));
	put_cs(out, &e->cs);
	put_cs(out, &e->resume);
	buf_put_u32(out, e->ring_start);
	buf_put_u32(out, e->ring_bytes);
	buf_put_u32(out, e->ring_tail);
	for (int i = 0; i < 4; i++)
		buf_put_u64(out, e->pdp[i]);
	buf_put_u32(out, (uint32_t)e->ppgtt_levels);
	buf_put_u32(out, e->pphwsp);
	buf_put_u32(out, e->loaded ? e->timestamp_base + (uint32_t)(model_timestamp(e->model) -
								    e->timestamp_loaded)
				   : 0);
	buf_put_u32(out, e->wait_frame);
	buf_put_u64(out, atomic_load(&e->signalled));
	buf_put(out, e->image, sizeof(e->image));
	buf_put(out, e->hang_reason, sizeof(e->hang_reason));
	lock_release(&e->lock);
}

static bool get_cs(struct buf_reader *in, struct cs_state *cs)
{
	uint32_t flags;

	for (int i = 0; i < BATCH_LEVELS; i++) {
		cs->level[i].addr = buf_get_u64(in) & GMA_MASK & ~UINT64_C(3);
		flags = buf_get_u32(in);
		cs->level[i].space = flags & 1 ? SPACE_PPGTT : SPACE_GGTT;
		cs->level[i].user = flags & 2;
	}
	cs->depth = (int)buf_get_u32(in);
	flags = buf_get_u32(in);
	cs->arbitration_off = flags & 1;
	cs->predicate = flags & 2;
	cs->waiting = flags & 4;
	cs->phase = (int)buf_get_u32(in);
	cs->phase_end = buf_get_u64(in);
	cs->blt_rows = buf_get_u32(in);
	cs->blt_bytes = buf_get_u32(in);
	return cs->depth >= 0 && cs->depth < BATCH_LEVELS && cs->phase >= CS_PHASE_RING &&
	       cs->phase <= CS_PHASE_PER_CTX;
}

/* What a stream holds, until it is known to be good. */
struct loaded {
	uint32_t elsp_words[4], elsp_count;
	struct elsp_port port[2], pending[2];
	uint32_t flags, last_switch, csb_write, csb_unread, state, request;
	struct cs_state cs, resume;
	uint32_t ring_start, ring_bytes, ring_tail;
	uint64_t pdp[4], signalled;
	uint32_t ppgtt_levels, pphwsp, timestamp_base, wait_frame;
	uint32_t image[CONTEXT_RING_DW];
	char hang_reason[96];
};

static bool get(struct buf_reader *in, struct loaded *s)
{
	bool good;

	for (int i = 0; i < 4; i++)
		s->elsp_words[i] = buf_get_u32(in);
	s->elsp_count = buf_get_u32(in);
	for (int i = 0; i < 2; i++) {
		s->port[i].desc = buf_get_u64(in);
		s->port[i].tail = buf_get_u32(in);
		s->pending[i].desc = buf_get_u64(in);
		s->pending[i].tail = buf_get_u32(in);
	}
	s->flags = buf_get_u32(in);
	s->last_switch = buf_get_u32(in);
	s->csb_write = buf_get_u32(in);
	s->csb_unread = buf_get_u32(in);
	s->state = buf_get_u32(in);
	s->request = buf_get_u32(in);
	good = get_cs(in, &s->cs);
	good = get_cs(in, &s->resume) && good;
	s->ring_start = buf_get_u32(in);
	s->ring_bytes = buf_get_u32(in);
	s->ring_tail = buf_get_u32(in);
	for (int i = 0; i < 4; i++)
		s->pdp[i] = buf_get_u64(in);
	s->ppgtt_levels = buf_get_u32(in);
	s->pphwsp = buf_get_u32(in);
	s->timestamp_base = buf_get_u32(in);
	s->wait_frame = buf_get_u32(in);
	s->signalled = buf_get_u64(in);
	buf_get(in, s->image, sizeof(s->image));
	buf_get(in, s->hang_reason, sizeof(s->hang_reason));
	return good && !in->failed;
}

/* What the hot loop relies on without looking. */
static bool sane(const struct loaded *s)
{
	bool loaded = s->flags & 4;

	if (s->elsp_count > 3 || s->csb_write > 5 || s->state > ENGINE_HUNG ||
		s->request & ~(uint32_t)(ENGINE_REQ_ELSP | ENGINE_REQ_STOP | ENGINE_REQ_HALT))
		return false;
	if (!(s->request & ENGINE_REQ_ELSP) != !(s->flags & 1))
		return false;
	if (s->ppgtt_levels != 0 && s->ppgtt_levels != 3 && s->ppgtt_levels != 4)
		return false;
	if (s->ring_start & PAGE_MASK_4K || s->ring_bytes & PAGE_MASK_4K ||
		s->ring_bytes > MIB(2) || s->pphwsp & PAGE_MASK_4K)
		return false;
	if (loaded && (!port_valid(s->port[0].desc) || !s->ring_bytes || s->ring_tail & 7 ||
			      s->ring_tail >= s->ring_bytes ||
			      s->cs.level[BATCH_RING].addr > s->ring_bytes ||
			      s->resume.level[BATCH_RING].addr > s->ring_bytes))
		return false;
	/* A batch of a restore starts above the ring, and the ring is what comes after it. */
	return s->cs.phase == CS_PHASE_RING || s->cs.depth > BATCH_RING;
}

static int engine_load(void *obj, struct buf_reader *in, uint32_t version, struct err *err)
{
	struct engine *e = obj;
	struct loaded s;

	if (version != ENGINE_STATE_VERSION)
		return err_set(err, -ENOTSUP, NULL, "engine state of version %u", version);
	if (!get(in, &s) || !sane(&s))
		return err_set(err, -EINVAL, NULL, "state of %s", e->info->name);
	lock_acquire(&e->lock);
	memcpy(e->elsp_words, s.elsp_words, sizeof(e->elsp_words));
	e->elsp_count = (int)s.elsp_count;
	memcpy(e->port, s.port, sizeof(e->port));
	memcpy(e->pending, s.pending, sizeof(e->pending));
	e->pending_valid = s.flags & 1;
	e->csb_read_moves = s.flags & 2;
	e->loaded = s.flags & 4;
	e->execlist = s.flags >> 3 & 1;
	e->element = s.flags >> 4 & 1;
	e->last_switch = s.last_switch;
	e->csb_write = s.csb_write;
	e->csb_unread = s.csb_unread;
	e->cs = s.cs;
	e->resume = s.resume;
	e->ring_start = s.ring_start;
	e->ring_bytes = s.ring_bytes;
	e->ring_tail = s.ring_tail;
	memcpy(e->pdp, s.pdp, sizeof(e->pdp));
	e->ppgtt_levels = (int)s.ppgtt_levels;
	e->pphwsp = s.pphwsp;
	e->timestamp_base = s.timestamp_base;
	e->timestamp_loaded = model_timestamp(e->model);
	e->wait_frame = s.wait_frame;
	e->wait_polls = 0;
	atomic_store(&e->signalled, s.signalled);
	memcpy(e->image, s.image, sizeof(e->image));
	memcpy(e->hang_reason, s.hang_reason, sizeof(e->hang_reason));
	e->hang_reason[sizeof(e->hang_reason) - 1] = '\0';
	engine_set_state(e, (enum engine_stop)s.state);
	atomic_fetch_and(
		&e->request, ~(uint32_t)(ENGINE_REQ_ELSP | ENGINE_REQ_STOP | ENGINE_REQ_HALT));
	atomic_fetch_or(&e->request, s.request);
	gtt_tlb_want_flush(e);
	lock_release(&e->lock);
	return 0;
}

size_t engine_sections(struct engine *e, struct state_section *out)
{
	static const char *const names[GEN9_ENGINES] = {
		"engine.rcs0", "engine.bcs0", "engine.vcs0", "engine.vcs1", "engine.vecs0"};

	out[0] = (struct state_section){.name = names[e->id],
		.version = ENGINE_STATE_VERSION,
		.obj = e,
		.save = engine_save,
		.load = engine_load};
	return 1;
}
