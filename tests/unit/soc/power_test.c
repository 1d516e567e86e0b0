/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power wells, PLLs, panel power and pcode as i915's bring-up of Skylake uses them. */
#include "rig.h"

#include <errno.h>

#define WELL_REQ(i)   (2u << ((i)*2))
#define WELL_STATE(i) (1u << ((i)*2))
#define PW1	      14
#define PW2	      15
#define MAILBOX	      0x138124
#define DATA0	      0x138128
#define DATA1	      0x13812c

/* hsw_power_well_enable() with gen9_wait_for_power_well_fuses() around it. */
static void test_wells(void **state)
{
	struct rig r;

	rig_init(&r, true);
	assert_int_equal(rd(&r, 0x42000), BIT(31) | BIT(27));
	assert_int_equal(rd(&r, 0x45404), 0);
	wr(&r, 0x45404, rd(&r, 0x45404) | WELL_REQ(PW1));
	assert_int_equal(rd(&r, 0x45404), WELL_REQ(PW1) | WELL_STATE(PW1));
	assert_int_equal(rd(&r, 0x42000), BIT(31) | BIT(27) | BIT(26));
	wr(&r, 0x45404, rd(&r, 0x45404) | WELL_REQ(PW2));
	assert_int_equal(rd(&r, 0x42000), BIT(31) | BIT(27) | BIT(26) | BIT(25));
	/* hsw_wait_for_power_well_disable(): who else asks is seen by his own request bit. */
	wr(&r, 0x45400, WELL_REQ(PW2));
	wr(&r, 0x45404, rd(&r, 0x45404) & ~WELL_REQ(PW2));
	assert_int_equal(rd(&r, 0x45404) & (WELL_REQ(PW2) | WELL_STATE(PW2)), WELL_STATE(PW2));
	assert_int_equal(rd(&r, 0x4540c) & WELL_REQ(PW2), 0);
	wr(&r, 0x45400, 0);
	assert_int_equal(rd(&r, 0x45404), WELL_REQ(PW1) | WELL_STATE(PW1));
	/* State bits cannot be written. */
	wr(&r, 0x45404, 0x55555555);
	assert_int_equal(rd(&r, 0x45404), 0);
	rig_finish(&r);
}

static void test_clocks(void **state)
{
	static const uint32_t enable[4] = {0x46010, 0x46014, 0x46040, 0x46060};
	struct rig r;

	rig_init(&r, true);
	wr(&r, 0x45008, BIT(31));
	assert_int_equal(rd(&r, 0x45008), BIT(31) | BIT(30));
	wr(&r, 0x45008, 0);
	assert_int_equal(rd(&r, 0x45008), 0);
	for (uint32_t id = 0; id < 4; id++) {
		wr(&r, enable[id], BIT(31));
		assert_int_equal(rd(&r, 0x6c060), BIT(8 * id));
		wr(&r, enable[id], 0);
	}
	wr(&r, 0x46010, BIT(31));
	assert_int_equal(rd(&r, 0x46010), BIT(31) | BIT(30));
	assert_int_equal(rd(&r, 0x6c060), 1);
	/* Panel power: PP_CONTROL, then PP_STATUS. */
	assert_int_equal(rd(&r, 0xc7200), 0);
	wr(&r, 0xc7204, 1);
	assert_int_equal(rd(&r, 0xc7200), BIT(31) | 8);
	wr(&r, 0xc7204, 0);
	assert_int_equal(rd(&r, 0xc7200), 0);
	wr(&r, 0x45504, 2);
	assert_int_equal(rd(&r, 0x45504), 2);
	rig_finish(&r);
}

/* skl_ddi_calculate_wrpll()'s results for known modes, back to kHz. */
static void test_pixel_clock(void **state)
{
	static const struct {
		uint32_t dco_mhz_int, frac, qdiv, kdiv, pdiv; /* fields */
		uint32_t func, khz;
	} hdmi[] = {
		{379, 5461, 7, 1, 1, 0, 65000},	 /* 9100 / (2 * 7 * 2 * 5) */
		{371, 8192, 0, 1, 2, 0, 297000}, /* 8910 / (3 * 1 * 2 * 5) */
		{371, 8192, 2, 1, 2, 0, 148500},
		{371, 8192, 2, 1, 2, 3u << 20, 99000},	/* 12 bits a colour */
		{371, 8192, 2, 1, 2, 1u << 20, 118800}, /* 10 bits */
	};
	struct rig r;

	rig_init(&r, true);
	assert_int_equal(soc_power_pixel_khz(&r.regs, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(hdmi); i++) {
		wr(&r, 0x6c058, BIT(2 * 6 + 5));
		wr(&r, 0x6c048, BIT(31) | hdmi[i].frac << 9 | hdmi[i].dco_mhz_int);
		wr(&r, 0x6c04c,
			(hdmi[i].qdiv ? hdmi[i].qdiv << 8 | BIT(7) : 0) | hdmi[i].kdiv << 5 |
				hdmi[i].pdiv << 2);
		wr(&r, 0x6c05c, 2u << 4);
		wr(&r, 0x60400, BIT(31) | 1u << 28 | hdmi[i].func);
		assert_in_range(soc_power_pixel_khz(&r.regs, 0), hdmi[i].khz - 5, hdmi[i].khz + 5);
		wr(&r, 0x6c05c, 2u << 4 | BIT(16)); /* the port's clock off */
		assert_int_equal(soc_power_pixel_khz(&r.regs, 0), 0);
	}
	rig_finish(&r);
}

static int pcode(struct rig *r, uint32_t command, uint32_t *value)
{
	assert_int_equal(rd(r, MAILBOX) & BIT(31), 0);
	wr(r, DATA0, *value);
	wr(r, DATA1, 0);
	wr(r, MAILBOX, BIT(31) | command);
	assert_int_equal(rd(r, MAILBOX) & BIT(31), 0);
	*value = rd(r, DATA0);
	return (int)(rd(r, MAILBOX) & 0xff);
}

static void test_pcode(void **state)
{
	uint32_t v = 0;
	struct rig r;

	rig_init(&r, true);
	/* skl_read_wm_latency(): ascending, levels 0..3 and 4..7. */
	assert_int_equal(pcode(&r, 6, &v), 0);
	for (int i = 0; i < 24; i += 8)
		assert_true((v >> i & 0xff) > 0 && (v >> i & 0xff) <= (v >> (i + 8) & 0xff));
	v = 1;
	assert_int_equal(pcode(&r, 6, &v), 0);
	assert_true((v & 0xff) >= 0x14);
	v = 2;
	assert_int_equal(pcode(&r, 6, &v), 3);
	/* skl_pcode_request(SKL_PCODE_CDCLK_CONTROL): prepare, ready; then the voltage. */
	v = 3;
	assert_int_equal(pcode(&r, 7, &v), 0);
	assert_int_equal(v & 1, 1);
	v = 2;
	assert_int_equal(pcode(&r, 7, &v), 0);
	v = 99;
	assert_int_equal(pcode(&r, 7, &v), 3);
	/* SAGV */
	v = 0;
	assert_int_equal(pcode(&r, 0x21, &v), 0);
	assert_int_equal(v & 1, 1);
	v = 3;
	assert_int_equal(pcode(&r, 0x21, &v), 0);
	/* The ring frequency table, as debugfs reads it back. */
	for (uint32_t gt = 6; gt <= 0x16; gt++) {
		v = gt | (gt + 8) << 8 | (gt + 3) << 16;
		assert_int_equal(pcode(&r, 8, &v), 0);
	}
	v = 9;
	assert_int_equal(pcode(&r, 9, &v), 0);
	assert_int_equal(v >> 8 & 0xff, 17);
	assert_int_equal(v >> 16 & 0xff, 12);
	v = 0;
	assert_int_equal(pcode(&r, 8, &v), 0x10);
	/* RC6VIDS, and the efficient frequency between RPn and RP0. */
	assert_int_equal(pcode(&r, 5, &v), 0);
	assert_int_equal(pcode(&r, 0x1a, &v), 0);
	assert_in_range(v >> 8 & 0xff, r.regs.platform->rp_state_cap >> 16 & 0xff,
		r.regs.platform->rp_state_cap & 0xff);
	/* What does not exist here is said to be illegal and changes nothing. */
	for (uint32_t c = 0x22; c < 0x100; c++) {
		v = 0x1234;
		assert_int_equal(pcode(&r, c, &v), 1);
		assert_int_equal(v, 0x1234);
	}
	/* Without the busy bit nothing runs. */
	v = 3;
	wr(&r, DATA0, 0x55);
	wr(&r, MAILBOX, 7);
	assert_int_equal(rd(&r, DATA0), 0x55);
	rig_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wells),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_pixel_clock),
		cmocka_unit_test(test_pcode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
