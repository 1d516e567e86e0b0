/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GMBUS and bit-banged DDC as i915's intel_gmbus.c and i2c-algo-bit drive them; AUX; sideband. */
#include "rig.h"

#include <errno.h>

#include "gen9/edid.h"

#define GMBUS0	    0xc5100
#define GMBUS1	    0xc5104
#define GMBUS2	    0xc5108
#define GMBUS3	    0xc510c
#define GMBUS4	    0xc5110
#define GMBUS5	    0xc5120
#define SW_CLR_INT  BIT(31)
#define SW_RDY	    BIT(30)
#define CYCLE_STOP  (4u << 25)
#define CYCLE_INDEX (2u << 25)
#define CYCLE_WAIT  (1u << 25)
#define WAIT_PHASE  BIT(14)
#define HW_RDY	    BIT(11)
#define SATOER	    BIT(10)
#define ACTIVE	    BIT(9)
#define PORT_B	    5

struct msg {
	uint16_t addr;
	bool read;
	uint16_t len;
	uint8_t *buf;
};

/* gmbus_wait(): there is nothing to wait for here, so one look has to be enough. */
static int gmbus_wait(struct rig *r, uint32_t status)
{
	uint32_t gmbus2 = rd(r, GMBUS2);

	if (gmbus2 & SATOER)
		return -ENXIO;
	return gmbus2 & status ? 0 : -ETIMEDOUT;
}

static int read_chunk(struct rig *r, const struct msg *m, uint32_t gmbus0, uint32_t index)
{
	uint8_t *buf = m->buf;
	unsigned int len = m->len, size = len;
	bool burst = len > 511;

	if (burst) {
		size = len % 256 + 256;
		wr(r, GMBUS0, gmbus0 | BIT(6));
	}
	wr(r, GMBUS1, index | CYCLE_WAIT | size << 16 | (uint32_t)m->addr << 1 | 1 | SW_RDY);
	while (len) {
		uint32_t val;
		int loop = 0, ret = gmbus_wait(r, HW_RDY);

		if (ret)
			return ret;
		val = rd(r, GMBUS3);
		do {
			*buf++ = (uint8_t)val;
			val >>= 8;
		} while (--len && ++loop < 4);
		if (burst && len == size - 4)
			wr(r, GMBUS0, gmbus0);
	}
	return 0;
}

static int write_chunk(struct rig *r, const struct msg *m, uint32_t index)
{
	const uint8_t *buf = m->buf;
	unsigned int len = m->len, loop = 0;
	uint32_t val = 0;

	while (len && loop < 4) {
		val |= (uint32_t)*buf++ << (8 * loop++);
		len--;
	}
	wr(r, GMBUS3, val);
	wr(r, GMBUS1,
		index | CYCLE_WAIT | (uint32_t)m->len << 16 | (uint32_t)m->addr << 1 | SW_RDY);
	while (len) {
		int ret;

		val = loop = 0;
		do {
			val |= (uint32_t)*buf++ << (8 * loop);
		} while (--len && ++loop < 4);
		wr(r, GMBUS3, val);
		ret = gmbus_wait(r, HW_RDY);
		if (ret)
			return ret;
	}
	return 0;
}

/* do_gmbus_xfer() */
static int xfer(struct rig *r, uint32_t pin, struct msg *m, int num)
{
	int ret = 0;

	wr(r, GMBUS0, pin);
	for (int i = 0; i < num; i++) {
		uint32_t index = 0;

		if (i + 1 < num && m[i].addr == m[i + 1].addr && !m[i].read && m[i].len <= 2) {
			if (m[i].len == 1)
				index = CYCLE_INDEX | (uint32_t)m[i].buf[0] << 8;
			else
				wr(r, GMBUS5, BIT(31) | m[i].buf[1] | (uint32_t)m[i].buf[0] << 8);
			i++;
		}
		ret = m[i].read ? read_chunk(r, &m[i], pin, index) : write_chunk(r, &m[i], index);
		wr(r, GMBUS5, 0);
		if (!ret)
			ret = gmbus_wait(r, WAIT_PHASE);
		if (ret)
			break;
	}
	if (ret == 0) {
		wr(r, GMBUS1, CYCLE_STOP | SW_RDY);
		assert_int_equal(rd(r, GMBUS2) & ACTIVE, 0);
		wr(r, GMBUS0, 0);
	} else if (ret == -ENXIO) {
		assert_int_equal(rd(r, GMBUS2) & ACTIVE, 0);
		wr(r, GMBUS1, SW_CLR_INT);
		wr(r, GMBUS1, 0);
		assert_int_equal(rd(r, GMBUS2) & SATOER, 0);
		wr(r, GMBUS0, 0);
	}
	return ret;
}

/* drm_do_probe_ddc_edid() */
static int read_ddc(struct rig *r, uint32_t pin, uint8_t offset, uint8_t *buf, uint16_t len)
{
	struct msg m[] = {{0x50, false, 1, &offset}, {0x50, true, len, buf}};

	return xfer(r, pin, m, 2);
}

static void test_edid(void **state)
{
	uint8_t want[EDID_BLOCK_BYTES], got[640], probe;
	struct rig r;

	edid_default(want);
	rig_init(&r, true);
	assert_int_equal(read_ddc(&r, PORT_B, 0, &probe, 1), 0); /* drm_probe_ddc() */
	assert_int_equal(probe, 0);
	assert_int_equal(read_ddc(&r, PORT_B, 0, got, 128), 0);
	assert_memory_equal(got, want, 128);
	for (uint16_t len = 1; len <= 128; len += 7) {
		memset(got, 0xee, sizeof(got));
		assert_int_equal(read_ddc(&r, PORT_B, 8, got, len), 0);
		assert_memory_equal(got, want + 8, len <= 120 ? len : 120);
		assert_int_equal(got[len], 0xee);
	}
	/* Past its end the EEPROM is empty; past 256 bytes it begins again, in a burst read too. */
	assert_int_equal(read_ddc(&r, PORT_B, 0, got, 600), 0);
	assert_memory_equal(got, want, 128);
	assert_int_equal(got[128], 0xff);
	assert_int_equal(got[255], 0xff);
	assert_memory_equal(got + 256, want, 128);
	assert_memory_equal(got + 512, want, 88);
	rig_finish(&r);
}

static void test_nobody_there(void **state)
{
	uint8_t buf[4], byte = 0;
	struct msg m = {0x37, true, 1, buf}, segment = {0x30, false, 1, &byte};
	struct rig r;

	rig_init(&r, true);
	for (uint32_t pin = 0; pin < 8; pin++)
		assert_int_equal(read_ddc(&r, pin, 0, buf, 4), pin == PORT_B ? 0 : -ENXIO);
	for (m.addr = 0; m.addr < 0x80; m.addr++)
		assert_int_equal(
			xfer(&r, PORT_B, &m, 1), m.addr == 0x50 || m.addr == 0x30 ? 0 : -ENXIO);
	/* The monitor goes; the bus is as before when it is back. */
	soc_display_plug(&r.soc.display, false);
	assert_int_equal(read_ddc(&r, PORT_B, 0, buf, 4), -ENXIO);
	soc_display_plug(&r.soc.display, true);
	assert_int_equal(read_ddc(&r, PORT_B, 0, buf, 4), 0);
	assert_int_equal(buf[1], 0xff);
	/* E-DDC: segment 1 is there, and empty; a stop ends it. */
	byte = 1;
	wr(&r, GMBUS0, PORT_B);
	assert_int_equal(write_chunk(&r, &segment, 0), 0);
	assert_int_equal(gmbus_wait(&r, WAIT_PHASE), 0);
	assert_int_equal(read_ddc(&r, PORT_B, 0, buf, 4), 0);
	assert_int_equal(buf[0], 0xff);
	assert_int_equal(read_ddc(&r, PORT_B, 0, buf, 4), 0);
	assert_int_equal(buf[0], 0x00);
	rig_finish(&r);
}

static void test_writes(void **state)
{
	uint8_t data[11] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0x36}, buf[1], index[2] = {0, 0x36};
	uint8_t want[EDID_BLOCK_BYTES];
	struct msg m[] = {{0x50, false, sizeof(data), data}, {0x50, true, 1, buf}};
	struct msg two[] = {{0x50, false, 2, index}, {0x50, true, 1, buf}};
	struct rig r;

	edid_default(want);
	rig_init(&r, true);
	assert_int_equal(xfer(&r, PORT_B, m, 1), 0); /* the last byte stays as the offset */
	assert_int_equal(xfer(&r, PORT_B, m + 1, 1), 0);
	assert_int_equal(buf[0], want[0x36]);
	assert_int_equal(xfer(&r, PORT_B, two, 2), 0);
	assert_int_equal(buf[0], want[0x36]);
	rig_finish(&r);
}

static void test_interrupt(void **state)
{
	struct rig r;

	rig_init(&r, true);
	wr(&r, 0xc4004, ~BIT(17));
	wr(&r, 0xc400c, ~0u);
	wr(&r, 0x44200, BIT(31));
	/* i915's order: the condition holds before it is enabled. No MSI, no need for one. */
	wr(&r, GMBUS0, PORT_B);
	wr(&r, GMBUS1, CYCLE_WAIT | 4 << 16 | 0x50 << 1 | 1 | SW_RDY);
	wr(&r, GMBUS4, 1);
	assert_int_equal(r.msis, 0);
	wr(&r, GMBUS4, 2); /* the wait phase comes with the last byte */
	rd(&r, GMBUS3);
	assert_int_equal(r.msis, 1);
	assert_int_equal(rd(&r, 0xc4008), BIT(17));
	rig_finish(&r);
}

/* ------------------------------------------------------------------ i2c-algo-bit */

static void set(struct rig *r, uint32_t gpio, int shift, bool high)
{
	wr(r, gpio, (high ? 1u : 1u | 2u | 4u) << shift);
	rd(r, gpio);
}

static bool get(struct rig *r, uint32_t gpio, int shift)
{
	wr(r, gpio, 1u << shift);
	wr(r, gpio, 0);
	return rd(r, gpio) >> shift & 0x10;
}

static bool bit_out(struct rig *r, uint32_t gpio, uint8_t byte)
{
	bool ack;

	for (int i = 7; i >= 0; i--) {
		set(r, gpio, 8, byte >> i & 1);
		set(r, gpio, 0, true);
		assert_true(get(r, gpio, 0));
		set(r, gpio, 0, false);
	}
	set(r, gpio, 8, true);
	set(r, gpio, 0, true);
	ack = !get(r, gpio, 8);
	set(r, gpio, 0, false);
	return ack;
}

static uint8_t bit_in(struct rig *r, uint32_t gpio, bool ack)
{
	uint8_t byte = 0;

	set(r, gpio, 8, true);
	for (int i = 0; i < 8; i++) {
		set(r, gpio, 0, true);
		byte = (uint8_t)(byte << 1 | get(r, gpio, 8));
		set(r, gpio, 0, false);
	}
	if (ack)
		set(r, gpio, 8, false);
	set(r, gpio, 0, true);
	set(r, gpio, 0, false);
	return byte;
}

static void bit_start(struct rig *r, uint32_t gpio, bool again)
{
	if (again) {
		set(r, gpio, 8, true);
		set(r, gpio, 0, true);
	}
	set(r, gpio, 8, false);
	set(r, gpio, 0, false);
}

static void bit_stop(struct rig *r, uint32_t gpio)
{
	set(r, gpio, 8, false);
	set(r, gpio, 0, true);
	set(r, gpio, 8, true);
}

static bool bit_read_edid(struct rig *r, uint32_t gpio, uint8_t *buf, int len)
{
	bool ok;

	set(r, gpio, 8, true);
	set(r, gpio, 0, true);
	bit_start(r, gpio, false);
	ok = bit_out(r, gpio, 0xa0) && bit_out(r, gpio, 0);
	if (ok) {
		bit_start(r, gpio, true);
		ok = bit_out(r, gpio, 0xa1);
	}
	for (int i = 0; ok && i < len; i++)
		buf[i] = bit_in(r, gpio, i + 1 < len);
	bit_stop(r, gpio);
	return ok;
}

static void test_bit_banging(void **state)
{
	uint8_t want[EDID_BLOCK_BYTES], got[EDID_BLOCK_BYTES];
	struct rig r;

	edid_default(want);
	rig_init(&r, true);
	for (uint32_t gpio = 0xc5010; gpio < 0xc5028; gpio += 4) {
		assert_int_equal(rd(&r, gpio), 0x1010); /* idle: both lines high */
		memset(got, 0, sizeof(got));
		assert_int_equal(bit_read_edid(&r, gpio, got, 128), gpio == 0xc5020);
	}
	for (int i = 0; i < 3; i++) {
		memset(got, 0, sizeof(got));
		assert_true(bit_read_edid(&r, 0xc5020, got, 128));
		assert_memory_equal(got, want, 128);
	}
	soc_display_plug(&r.soc.display, false);
	assert_false(bit_read_edid(&r, 0xc5020, got, 128));
	assert_int_equal(rd(&r, 0xc5020) & 0x1010, 0x1010);
	rig_finish(&r);
}

/* ------------------------------------------------------------------ AUX, sideband */

static void test_aux(void **state)
{
	struct rig r;

	rig_init(&r, true);
	wr(&r, 0x44444, 0);
	wr(&r, 0x4444c, ~0u);
	wr(&r, 0x44200, BIT(31));
	for (uint32_t ctl = 0x64010; ctl <= 0x64310; ctl += 0x100) {
		uint32_t status;

		/* intel_dp_aux_xfer(): send, wait while busy, clear what is set. */
		wr(&r, ctl, 0xf2300000u | 0x47ff | 4 << 20);
		status = rd(&r, ctl);
		assert_int_equal(status & BIT(31), 0);
		assert_int_equal(status & (BIT(30) | BIT(28) | BIT(25)), BIT(30) | BIT(28));
		wr(&r, ctl, status | BIT(30) | BIT(28) | BIT(25));
		assert_int_equal(rd(&r, ctl) & (BIT(31) | BIT(30) | BIT(28) | BIT(25)), 0);
	}
	assert_int_equal(rd(&r, 0x44448), BIT(0) | BIT(25) | BIT(26) | BIT(27));
	assert_int_equal(r.msis, 1);
	wr(&r, 0xc6008, 0x601);
	assert_int_equal(rd(&r, 0xc6008) & 3, 0);
	rig_finish(&r);
}

/* ------------------------------------------------------------------ hostile input, state */

static void test_noise(void **state)
{
	uint64_t seed = 11;
	uint8_t got[128], want[EDID_BLOCK_BYTES];
	struct rig r;

	edid_default(want);
	rig_init(&r, true);
	for (int i = 0; i < 200000; i++) {
		static const uint32_t regs[] = {GMBUS0, GMBUS1, GMBUS2, GMBUS3, GMBUS4, GMBUS5,
			0xc5020, 0xc5024, 0x64110, 0xc6008};
		uint32_t offset = regs[rnd(&seed) % ARRAY_SIZE(regs)];
		uint32_t value = rnd(&seed) << 1 ^ rnd(&seed);

		if (rnd(&seed) % 2)
			value = (value & ~0xfeu) | 0xa0; /* somebody who answers */
		if (offset == GMBUS0 && rnd(&seed) % 4)
			value = (value & ~7u) | PORT_B;
		if (rnd(&seed) % 3)
			wr(&r, offset, value);
		else
			rd(&r, offset);
	}
	/* And after a proper reset of the controller it works. */
	wr(&r, GMBUS4, 0);
	wr(&r, GMBUS5, 0);
	wr(&r, GMBUS0, 0);
	wr(&r, GMBUS1, SW_CLR_INT);
	wr(&r, GMBUS1, 0);
	assert_int_equal(read_ddc(&r, PORT_B, 0, got, 128), 0);
	assert_memory_equal(got, want, 128);
	assert_true(bit_read_edid(&r, 0xc5020, got, 128));
	assert_memory_equal(got, want, 128);
	rig_finish(&r);
}

static void test_state(void **state)
{
	uint8_t want[EDID_BLOCK_BYTES];
	struct rig a, b;
	struct buf out;
	struct buf_reader in;
	struct err e;
	uint32_t value;

	edid_default(want);
	rig_init(&a, true);
	rig_init(&b, true);
	wr(&a, GMBUS0, PORT_B);
	wr(&a, GMBUS1, CYCLE_INDEX | CYCLE_WAIT | 8 << 16 | 8 << 8 | 0x50 << 1 | 1 | SW_RDY);
	rd(&a, GMBUS3);
	buf_init(&out);
	soc_gmbus_save(&a.soc.gmbus, &out);
	buf_reader_init(&in, out.data, out.len);
	assert_int_equal(soc_gmbus_load(&b.soc.gmbus, &in, 1, &e), 0);
	assert_int_equal(rd(&b, GMBUS2), rd(&a, GMBUS2));
	value = rd(&b, GMBUS3);
	assert_memory_equal(&value, want + 12, 4);
	assert_int_equal(rd(&b, GMBUS2) & WAIT_PHASE, WAIT_PHASE);
	for (size_t n = 0; n < out.len; n++) {
		buf_reader_init(&in, out.data, n);
		assert_int_equal(soc_gmbus_load(&b.soc.gmbus, &in, 1, &e), -EINVAL);
	}
	out.data[2] = 99;
	buf_reader_init(&in, out.data, out.len);
	assert_int_equal(soc_gmbus_load(&b.soc.gmbus, &in, 1, &e), -EINVAL);
	buf_finish(&out);
	rig_finish(&a);
	rig_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edid),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_writes),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_bit_banging),
		cmocka_unit_test(test_aux),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
