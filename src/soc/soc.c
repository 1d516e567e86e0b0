/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One instance of the register blocks: wiring, the lock, the sections. */
#include "soc/soc.h"
#include "base/util.h"
#include "gen9/edid.h"

#include <errno.h>

void soc_acquire(struct soc *s)
{
	lock_acquire(&s->lock);
}

void soc_release(struct soc *s)
{
	uint32_t events[IRQ_BANKS];
	bool kick = s->kick_wanted;

	memcpy(events, s->events, sizeof(events));
	memset(s->events, 0, sizeof(s->events));
	s->kick_wanted = false;
	lock_release(&s->lock);
	for (int i = 0; i < IRQ_BANKS; i++) {
		if (events[i])
			soc_irq_event(&s->irq, (enum irq_bank)i, events[i]);
	}
	if (kick && s->kick)
		s->kick(s->kick_arg);
}

/* A vblank of the past stays behind the old mask; one to come may need the timer to run again. */
static void gate(void *arg, enum irq_bank bank, bool opened)
{
	struct soc *s = arg;

	if (bank < IRQ_PIPE_A || bank > IRQ_PIPE_C)
		return;
	soc_acquire(s);
	soc_display_tick(&s->display, clock_now_ns(s->clock));
	s->kick_wanted |= opened;
	soc_release(s);
}

int soc_init(struct soc *s, struct regs *regs, const struct clock *clock,
	const struct soc_config *config)
{
	uint8_t edid[EDID_BLOCK_BYTES];
	size_t size = config->edid_bytes ? config->edid_bytes : EDID_BLOCK_BYTES;

	if (config->edid && (size > SOC_EDID_MAX || !edid_valid(config->edid, size)))
		return -EINVAL;
	memset(s, 0, sizeof(*s));
	s->regs = regs;
	s->clock = clock;
	s->kick = config->kick;
	s->kick_arg = config->kick_arg;
	lock_init(&s->lock, LOCK_RANK_SOC);
	soc_irq_init(&s->irq, regs, config->irq_fn, config->irq_arg);
	s->irq.gate_fn = gate;
	s->irq.gate_arg = s;
	soc_display_init(&s->display, s, config->monitor);
	if (config->edid) {
		soc_gmbus_init(&s->gmbus, s, config->edid, size);
	} else {
		edid_default(edid);
		soc_gmbus_init(&s->gmbus, s, edid, sizeof(edid));
	}
	soc_power_init(&s->power, s);
	soc_pcode_init(&s->pcode, s);
	return 0;
}

void soc_finish(struct soc *s)
{
	soc_irq_finish(&s->irq);
	lock_finish(&s->lock);
}

void soc_reset(struct soc *s)
{
	soc_acquire(s);
	memset(s->events, 0, sizeof(s->events));
	soc_irq_reset(&s->irq);
	soc_display_reset(&s->display);
	soc_gmbus_reset(&s->gmbus);
	soc_pcode_reset(&s->pcode);
	soc_release(s);
}

uint64_t soc_tick(struct soc *s)
{
	uint64_t next;

	soc_acquire(s);
	next = soc_display_tick(&s->display, clock_now_ns(s->clock));
	soc_release(s);
	return next;
}

size_t soc_sections(struct soc *s, struct state_section *out)
{
	const struct state_section sections[] = {
		{"soc.irq", SOC_IRQ_STATE_VERSION, &s->irq, soc_irq_save, soc_irq_load},
		{"soc.display", SOC_DISPLAY_STATE_VERSION, &s->display, soc_display_save,
			soc_display_load},
		{"soc.gmbus", SOC_GMBUS_STATE_VERSION, &s->gmbus, soc_gmbus_save, soc_gmbus_load},
		{"soc.pcode", SOC_PCODE_STATE_VERSION, &s->pcode, soc_pcode_save, soc_pcode_load},
	};

	_Static_assert(ARRAY_SIZE(sections) <= SOC_SECTIONS, "SOC_SECTIONS");
	memcpy(out, sections, sizeof(sections));
	return ARRAY_SIZE(sections);
}
