/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power wells, display buffer, PLLs and panel power: status follows the request at once. */
#include "soc/power.h"
#include "base/util.h"
#include "soc/soc.h"

#define PWR_WELL_CTL1	   0x45400
#define PWR_WELL_CTL4	   0x4540c
#define PWR_WELL_REQUESTS  UINT32_C(0xaaaaaaaa) /* odd bits; the even bit below is the state */
#define PWR_WELL_PW1_STATE BIT(28)
#define PWR_WELL_PW2_STATE BIT(30)
#define FUSE_DOWNLOAD	   BIT(31)
#define FUSE_PG(n)	   BIT(27 - (n))
#define LCPLL1_CTL	   0x46010
#define LCPLL2_CTL	   0x46014
#define WRPLL_CTL1	   0x46040
#define WRPLL_CTL2	   0x46060
#define DPLL_CFGCR1(id)	   (0x6c040u + 8 * ((id)-1))
#define DPLL_CFGCR2(id)	   (0x6c044u + 8 * ((id)-1))
#define DPLL_CTRL1	   0x6c058
#define DPLL_CTRL2	   0x6c05c
#define DPLL_REF_KHZ	   24000
#define PP_CONTROL_ON	   BIT(0)
#define PP_STATUS_ON	   BIT(31)
#define PP_STATUS_ON_IDLE  UINT32_C(8)

/*
 * Four requesters (BIOS, driver, KVMR, debug) have a register each; a well is on while any of them
 * asks, and each register shows the state. PRM volume 12, PWR_WELL_CTL.
 */
static uint32_t wells_on(const struct regs *r)
{
	uint32_t requests = 0;

	for (uint32_t offset = PWR_WELL_CTL1; offset <= PWR_WELL_CTL4; offset += 4)
		requests |= regs_peek(r, offset);
	return (requests & PWR_WELL_REQUESTS) >> 1;
}

static uint32_t well_read(void *block, uint32_t offset)
{
	struct soc_power *p = block;

	if (offset < PWR_WELL_CTL1 || offset > PWR_WELL_CTL4)
		return regs_peek(p->regs, offset);
	return (regs_peek(p->regs, offset) & PWR_WELL_REQUESTS) | wells_on(p->regs);
}

static void well_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_power *p = block;

	if (offset >= PWR_WELL_CTL1 && offset <= PWR_WELL_CTL4)
		value &= PWR_WELL_REQUESTS;
	regs_store(p->regs, offset, value);
}

/* i915 waits for power gate 0 before it enables well 1, and for the gate of each well after. */
static uint32_t fuse_read(void *block, uint32_t offset)
{
	struct soc_power *p = block;
	uint32_t on = wells_on(p->regs);
	uint32_t value = FUSE_DOWNLOAD | FUSE_PG(0);

	if (on & PWR_WELL_PW1_STATE)
		value |= FUSE_PG(1);
	if (on & PWR_WELL_PW2_STATE)
		value |= FUSE_PG(2);
	return value;
}

/* Bit 30 is the state (lock) of what bit 31 enables: DBUF_CTL, LCPLL1_CTL, LCPLL2_CTL. */
static uint32_t follow_read(void *block, uint32_t offset)
{
	struct soc_power *p = block;
	uint32_t value = regs_peek(p->regs, offset);

	return (value & ~BIT(30)) | (value >> 1 & BIT(30));
}

static uint32_t dpll_status_read(void *block, uint32_t offset)
{
	static const uint16_t enable[4] = {0, 4, 0x30, 0x50}; /* from LCPLL1_CTL on */
	struct soc_power *p = block;
	uint32_t value = 0;

	_Static_assert(LCPLL1_CTL + 4 == LCPLL2_CTL && LCPLL1_CTL + 0x30 == WRPLL_CTL1 &&
			       LCPLL1_CTL + 0x50 == WRPLL_CTL2,
		"the enables of DPLL 0 to 3");
	for (uint32_t id = 0; id < ARRAY_SIZE(enable); id++) {
		if (regs_peek(p->regs, LCPLL1_CTL + enable[id]) & BIT(31))
			value |= BIT(8 * id);
	}
	return value;
}

/* PP_CONTROL is the next dword; no delays: a panel is on or off as soon as it is asked for. */
static uint32_t pp_status_read(void *block, uint32_t offset)
{
	struct soc_power *p = block;

	if (offset + 4 >= GEN9_MMIO_SIZE)
		return 0;
	return regs_peek(p->regs, offset + 4) & PP_CONTROL_ON ? PP_STATUS_ON | PP_STATUS_ON_IDLE
							      : 0;
}

/* No DMC firmware runs here, so a DC state is never entered: the register is what was written. */
static void dc_state_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_power *p = block;

	regs_store(p->regs, offset, value);
}

/* PRM volume 12, "DPLL HDMI mode": the port's symbol clock, a fifth of the PLL's output. */
static uint32_t hdmi_port_khz(const struct regs *r, uint32_t dpll)
{
	static const uint8_t pdiv[8] = {1, 2, 3, 0, 7, 7, 0, 0};
	static const uint8_t kdiv[4] = {5, 2, 3, 1};
	uint32_t cfgcr1, cfgcr2, p0, p1, p2, dco;

	if (dpll == 0)
		return 0; /* DPLL 0 has no HDMI mode */
	cfgcr1 = regs_peek(r, DPLL_CFGCR1(dpll));
	cfgcr2 = regs_peek(r, DPLL_CFGCR2(dpll));
	p0 = pdiv[cfgcr2 >> 2 & 7];
	p1 = cfgcr2 & BIT(7) ? cfgcr2 >> 8 & 0xff : 1;
	p2 = kdiv[cfgcr2 >> 5 & 3];
	if (!p0 || !p1)
		return 0;
	dco = (cfgcr1 & 0x1ff) * DPLL_REF_KHZ;
	dco += (cfgcr1 >> 9 & 0x7fff) * DPLL_REF_KHZ / 0x8000;
	return dco / (p0 * p1 * p2 * 5);
}

/* DPLL_CTRL1's link rate field: the symbol clock of DisplayPort, a tenth of the bit rate. */
static uint32_t dp_port_khz(uint32_t rate)
{
	static const uint32_t khz[8] = {540000, 270000, 162000, 324000, 216000, 432000, 0, 0};

	return khz[rate & 7];
}

uint32_t soc_power_pixel_khz(const struct regs *r, unsigned int transcoder)
{
	uint32_t base = transcoder < 3 ? 0x60000 + 0x1000 * transcoder : 0x6f000;
	uint32_t func = regs_peek(r, base + 0x400); /* TRANS_DDI_FUNC_CTL */
	uint32_t port = transcoder < 3 ? func >> 28 & 7 : 0;
	uint32_t dpll, ctrl1, khz, m, n;

	if (!(func & BIT(31)) || port > 4)
		return 0;
	if (regs_peek(r, DPLL_CTRL2) & BIT(15 + port))
		return 0; /* the port's clock is off */
	dpll = regs_peek(r, DPLL_CTRL2) >> (3 * port + 1) & 3;
	ctrl1 = regs_peek(r, DPLL_CTRL1) >> (6 * dpll);
	if (ctrl1 & BIT(5)) {
		khz = hdmi_port_khz(r, dpll);
		switch (func >> 20 & 7) { /* deep colour sends more symbols than pixels */
		case 1:
			return khz / 5 * 4; /* 10 bits */
		case 3:
			return khz / 3 * 2; /* 12 bits */
		default:
			return khz;
		}
	}
	khz = dp_port_khz(ctrl1 >> 1);
	m = regs_peek(r, base + 0x40) & 0xffffff; /* PIPE_LINK_M1 */
	n = regs_peek(r, base + 0x44) & 0xffffff; /* PIPE_LINK_N1 */
	return n && m <= n * UINT64_C(4) ? (uint32_t)((uint64_t)khz * m / n) : 0;
}

void soc_power_init(struct soc_power *p, struct soc *s)
{
	static const struct reg_ops well = {.read = well_read, .write = well_write};
	static const struct reg_ops fuse = {.read = fuse_read};
	static const struct reg_ops follow = {.read = follow_read};
	static const struct reg_ops dpll_status = {.read = dpll_status_read};
	static const struct reg_ops pp_status = {.read = pp_status_read};
	static const struct reg_ops dc_state = {.write = dc_state_write};

	p->regs = s->regs;
	regs_bind(s->regs, REG_H_PWR_WELL_CTL, &well, p);
	regs_bind(s->regs, REG_H_DBUF_CTL, &follow, p);
	regs_bind(s->regs, REG_H_FUSE_STATUS, &fuse, p);
	regs_bind(s->regs, REG_H_LCPLL_CTL, &follow, p);
	regs_bind(s->regs, REG_H_DPLL_STATUS, &dpll_status, p);
	regs_bind(s->regs, REG_H_PP_STATUS, &pp_status, p);
	regs_bind(s->regs, REG_H_DC_STATE, &dc_state, p);
}
