/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor's wires: GMBUS, bit-banged GPIO lines, AUX channels, sideband.
 *
 * Two masters reach the monitor's DDC slave. GMBUS is a byte engine: GMBUS1 starts a cycle (optional
 * index write, then a read or write of 0 to 511 bytes through GMBUS3, four at a time), GMBUS2 tells
 * its phase. The GPIO lines are plain wires: a small slave follows SCL and SDA edge by edge, so that a
 * driver that falls back to bit-banging reads the same EDID. All of it is done at the moment of the
 * write; nothing is ever busy, and a wait ends at its first look.
 *
 * An interrupt comes when a condition becomes true while GMBUS4 enables it. i915 enables it after the
 * condition holds, so none comes and its first poll succeeds.
 */
#include "soc/gmbus.h"
#include "base/util.h"
#include "soc/soc.h"

#include <errno.h>

#define GPIO_FIRST	      0xc5010u
#define GPIO_PORT_B	      4 /* GPIOE: i915 gmbus_pins_skl */
#define GMBUS0_REG	      0xc5100u
#define GMBUS0_PIN	      UINT32_C(7)
#define GMBUS0_COUNT_OVERRIDE BIT(6)
#define GMBUS1_REG	      0xc5104u
#define GMBUS1_CLEAR_INT      BIT(31)
#define GMBUS1_READY	      BIT(30)
#define GMBUS1_STOP	      BIT(27)
#define GMBUS1_INDEX	      BIT(26)
#define GMBUS1_WAIT	      BIT(25)
#define GMBUS2_WAIT_PHASE     BIT(14)
#define GMBUS2_HW_READY	      BIT(11)
#define GMBUS2_NAK	      BIT(10)
#define GMBUS2_ACTIVE	      BIT(9)
#define GMBUS3_REG	      0xc510cu
#define GMBUS4_REG	      0xc5110u
#define GMBUS5_REG	      0xc5120u
#define GMBUS5_TWO_BYTES      BIT(31)
#define SDE_GMBUS	      BIT(17)

#define DDC_EDID    0x50
#define DDC_SEGMENT 0x30

/* ------------------------------------------------------------------ the slave */

static bool ddc_answers(const struct soc_gmbus *g, uint8_t address)
{
	return g->soc->display.monitor && (address == DDC_EDID || address == DDC_SEGMENT);
}

static void ddc_write(struct soc_ddc *ddc, uint8_t address, uint8_t byte)
{
	if (address == DDC_SEGMENT)
		ddc->segment = byte;
	else
		ddc->offset = byte;
}

static uint8_t ddc_read(struct soc_ddc *ddc, uint8_t address)
{
	size_t at = (size_t)ddc->segment * 256 + ddc->offset;

	if (address != DDC_EDID)
		return 0xff;
	ddc->offset++;
	return at < ddc->size ? ddc->edid[at] : 0xff;
}

static void ddc_stop(struct soc_ddc *ddc)
{
	ddc->segment = 0;
}

/* ------------------------------------------------------------------ GMBUS */

static uint32_t gmbus_status(const struct soc_gmbus *g)
{
	uint32_t status = 0;

	if (g->phase != GMBUS_IDLE)
		status |= GMBUS2_ACTIVE | GMBUS2_HW_READY;
	if (g->phase == GMBUS_WAIT)
		status |= GMBUS2_WAIT_PHASE;
	if (g->nak)
		status |= GMBUS2_NAK;
	return status;
}

/* GMBUS4's order: ready, wait phase, idle, NAK. */
static uint32_t gmbus_conditions(const struct soc_gmbus *g)
{
	uint32_t status = gmbus_status(g);

	return (status & GMBUS2_HW_READY ? 1 : 0) | (status & GMBUS2_WAIT_PHASE ? 2 : 0) |
	       (status & GMBUS2_ACTIVE ? 0 : 4) | (status & GMBUS2_NAK ? 8 : 0);
}

static void gmbus_notify(struct soc_gmbus *g, uint32_t before)
{
	if (gmbus_conditions(g) & ~before & regs_peek(g->soc->regs, GMBUS4_REG))
		soc_raise(g->soc, IRQ_SDE, SDE_GMBUS);
}

static void gmbus_idle(struct soc_gmbus *g)
{
	g->phase = GMBUS_IDLE;
	g->left = 0;
	ddc_stop(&g->ddc);
}

static void gmbus_transferred(struct soc_gmbus *g)
{
	if (g->stop)
		gmbus_idle(g);
	else
		g->phase = GMBUS_WAIT;
}

/* Takes what GMBUS3 holds as the next bytes of a write. */
static void gmbus_send(struct soc_gmbus *g)
{
	uint32_t data = regs_peek(g->soc->regs, GMBUS3_REG);

	for (int i = 0; i < 4 && g->left; i++, g->left--)
		ddc_write(&g->ddc, g->address, (uint8_t)(data >> (8 * i)));
	if (!g->left)
		gmbus_transferred(g);
}

static uint32_t gmbus_fetch(struct soc_gmbus *g)
{
	bool endless = regs_peek(g->soc->regs, GMBUS0_REG) & GMBUS0_COUNT_OVERRIDE;
	uint32_t data = 0;

	for (int i = 0; i < 4 && g->left; i++) {
		data |= (uint32_t)ddc_read(&g->ddc, g->address) << (8 * i);
		if (!endless)
			g->left--;
	}
	regs_poke(g->soc->regs, GMBUS3_REG, data);
	if (!g->left)
		gmbus_transferred(g);
	return data;
}

static void gmbus_cycle(struct soc_gmbus *g, uint32_t value)
{
	uint32_t gmbus5 = regs_peek(g->soc->regs, GMBUS5_REG);
	bool read = value & 1;

	if (!(value & (GMBUS1_WAIT | GMBUS1_INDEX))) {
		if (value & GMBUS1_STOP)
			gmbus_idle(g);
		return;
	}
	g->address = value >> 1 & 0x7f;
	g->left = value >> 16 & 0x1ff;
	g->stop = value & GMBUS1_STOP || !(value & GMBUS1_WAIT);
	if ((regs_peek(g->soc->regs, GMBUS0_REG) & GMBUS0_PIN) != GMBUS_PIN_PORT_B ||
		!ddc_answers(g, g->address)) {
		g->nak = true;
		gmbus_idle(g);
		return;
	}
	if (gmbus5 & GMBUS5_TWO_BYTES) {
		ddc_write(&g->ddc, g->address, (uint8_t)(gmbus5 >> 8));
		ddc_write(&g->ddc, g->address, (uint8_t)gmbus5);
	} else if (value & GMBUS1_INDEX) {
		ddc_write(&g->ddc, g->address, (uint8_t)(value >> 8));
	}
	g->phase = read ? GMBUS_READ : GMBUS_WRITE;
	if (!read)
		gmbus_send(g); /* the first four bytes are in GMBUS3 already */
	else if (!g->left)
		gmbus_transferred(g);
}

static void gmbus0_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_gmbus *g = block;
	struct regs *r = g->soc->regs;
	uint32_t before, old, count;

	soc_acquire(g->soc);
	before = gmbus_conditions(g);
	old = regs_peek(r, offset);
	regs_store(r, offset, value);
	if (!(value & GMBUS0_PIN)) {
		gmbus_idle(g);
	} else if (old & ~value & GMBUS0_COUNT_OVERRIDE && g->phase == GMBUS_READ) {
		/* A long read's last lap: i915 gmbus_xfer_read_chunk, at `len == size - 4`. */
		count = regs_peek(r, GMBUS1_REG) >> 16 & 0x1ff;
		g->left = (uint16_t)(count > 4 ? count - 4 : 0);
		if (!g->left)
			gmbus_transferred(g);
	}
	gmbus_notify(g, before);
	soc_release(g->soc);
}

static void gmbus1_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_gmbus *g = block;
	uint32_t before;

	soc_acquire(g->soc);
	before = gmbus_conditions(g);
	regs_store(g->soc->regs, offset, value & ~GMBUS1_READY);
	if (value & GMBUS1_CLEAR_INT) {
		g->nak = false;
		gmbus_idle(g);
	} else if (value & GMBUS1_READY) {
		gmbus_cycle(g, value);
	}
	gmbus_notify(g, before);
	soc_release(g->soc);
}

static uint32_t gmbus2_read(void *block, uint32_t offset)
{
	struct soc_gmbus *g = block;
	uint32_t value;

	soc_acquire(g->soc);
	value = gmbus_status(g);
	soc_release(g->soc);
	return value;
}

static void gmbus2_write(void *block, uint32_t offset, uint32_t value)
{
	/* INUSE, a lock between agents, is never held here; the rest is status. */
}

static uint32_t gmbus3_read(void *block, uint32_t offset)
{
	struct soc_gmbus *g = block;
	uint32_t before, value;

	soc_acquire(g->soc);
	before = gmbus_conditions(g);
	value = g->phase == GMBUS_READ ? gmbus_fetch(g) : regs_peek(g->soc->regs, offset);
	gmbus_notify(g, before);
	soc_release(g->soc);
	return value;
}

static void gmbus3_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_gmbus *g = block;
	uint32_t before;

	soc_acquire(g->soc);
	before = gmbus_conditions(g);
	regs_store(g->soc->regs, offset, value);
	if (g->phase == GMBUS_WRITE)
		gmbus_send(g);
	gmbus_notify(g, before);
	soc_release(g->soc);
}

/* ------------------------------------------------------------------ bit-banged lines */

/* A half of a GPIO register: clock in 5:0, data in 13:8. */
#define GPIO_DIR_MASK	    BIT(0)
#define GPIO_DIR_OUT	    BIT(1)
#define GPIO_VAL_MASK	    BIT(2)
#define GPIO_VAL_OUT	    BIT(3)
#define GPIO_VAL_IN	    BIT(4)
#define GPIO_PULLUP_DISABLE BIT(5)

/* The next bit of a byte that is read from the slave; a 0 is a line pulled low. */
static void i2c_drive(struct soc_i2c *i)
{
	i->sda_low = !(i->shift & 0x80);
	i->shift = (uint8_t)(i->shift << 1);
}

static void i2c_send_next(struct soc_gmbus *g)
{
	struct soc_i2c *i = &g->i2c;

	i->phase = I2C_SEND;
	i->shift = ddc_read(&g->ddc, i->address);
	i->bits = 0;
	i2c_drive(i);
}

/* Eight bits have come: an address or a byte of a write. True when it is acknowledged. */
static bool i2c_byte(struct soc_gmbus *g)
{
	struct soc_i2c *i = &g->i2c;

	if (i->phase == I2C_RECEIVE) {
		ddc_write(&g->ddc, i->address, i->shift);
		return true;
	}
	i->address = i->shift >> 1;
	return ddc_answers(g, i->address);
}

static void i2c_clock_rise(struct soc_i2c *i)
{
	if (i->phase == I2C_SEND) {
		if (i->ack && i->sda)
			i->phase = I2C_IGNORE; /* the master has read enough */
	} else if (i->phase != I2C_IDLE && i->phase != I2C_IGNORE && !i->ack) {
		i->shift = (uint8_t)(i->shift << 1 | i->sda);
		i->bits++;
	}
}

static void i2c_clock_fall(struct soc_gmbus *g)
{
	struct soc_i2c *i = &g->i2c;

	switch (i->phase) {
	case I2C_ADDRESS:
	case I2C_RECEIVE:
		if (i->ack) { /* the ninth clock is over; shift still holds the address */
			i->ack = false;
			i->sda_low = false;
			if (i->phase == I2C_ADDRESS && i->shift & 1) {
				i2c_send_next(g);
			} else {
				i->phase = I2C_RECEIVE;
				i->bits = 0;
			}
		} else if (i->bits >= 8) {
			i->ack = i2c_byte(g);
			i->sda_low = i->ack;
			if (!i->ack)
				i->phase = I2C_IGNORE;
		}
		break;
	case I2C_SEND:
		if (i->ack) {
			i->ack = false;
			i2c_send_next(g);
		} else if (++i->bits >= 8) {
			i->ack = true; /* the master's turn */
			i->sda_low = false;
		} else {
			i2c_drive(i);
		}
		break;
	default:
		i->ack = false;
		i->sda_low = false;
		break;
	}
}

/* The master's lines are now `scl`, `sda` (true: released, high). */
static void i2c_lines(struct soc_gmbus *g, bool scl, bool sda)
{
	struct soc_i2c *i = &g->i2c;
	bool scl_was = i->scl, sda_was = i->sda;

	i->scl = scl;
	i->sda = sda;
	if (scl && scl_was && sda_was && !sda) { /* start */
		i->phase = I2C_ADDRESS;
		i->bits = 0;
		i->ack = false;
		i->sda_low = false;
	} else if (scl && scl_was && !sda_was && sda) { /* stop */
		i->phase = I2C_IDLE;
		i->ack = false;
		i->sda_low = false;
		ddc_stop(&g->ddc);
	} else if (scl && !scl_was) {
		i2c_clock_rise(i);
	} else if (!scl && scl_was) {
		i2c_clock_fall(g);
	}
}

static uint32_t gpio_half(uint32_t old, uint32_t value)
{
	uint32_t new = old;

	if (value & GPIO_DIR_MASK)
		new = (new & ~GPIO_DIR_OUT) | (value & GPIO_DIR_OUT);
	if (value & GPIO_VAL_MASK)
		new = (new & ~GPIO_VAL_OUT) | (value & GPIO_VAL_OUT);
	return (new & ~GPIO_PULLUP_DISABLE) | (value & GPIO_PULLUP_DISABLE);
}

static bool gpio_high(uint32_t half)
{
	return !(half & GPIO_DIR_OUT) || half & GPIO_VAL_OUT;
}

static uint32_t gpio_read(void *block, uint32_t offset)
{
	struct soc_gmbus *g = block;
	uint32_t value, pin = (offset - GPIO_FIRST) / 4;
	bool scl, sda;

	soc_acquire(g->soc);
	value = regs_peek(g->soc->regs, offset);
	scl = gpio_high(value & 0x3f);
	sda = gpio_high(value >> 8 & 0x3f);
	if (pin == GPIO_PORT_B && g->i2c.sda_low)
		sda = false;
	soc_release(g->soc);
	return value | (scl ? GPIO_VAL_IN : 0) | (sda ? GPIO_VAL_IN << 8 : 0);
}

static void gpio_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_gmbus *g = block;
	uint32_t old, clock, data;

	soc_acquire(g->soc);
	old = regs_peek(g->soc->regs, offset);
	clock = gpio_half(old & 0x3f, value & 0x3f);
	data = gpio_half(old >> 8 & 0x3f, value >> 8 & 0x3f);
	regs_poke(g->soc->regs, offset, clock | data << 8);
	if ((offset - GPIO_FIRST) / 4 == GPIO_PORT_B)
		i2c_lines(g, gpio_high(clock), gpio_high(data));
	soc_release(g->soc);
}

/* ------------------------------------------------------------------ AUX, sideband */

#define AUX_BUSY	  BIT(31)
#define AUX_DONE	  BIT(30)
#define AUX_INTERRUPT	  BIT(29)
#define AUX_TIMEOUT	  BIT(28)
#define AUX_RECEIVE_ERROR BIT(25)
#define AUX_SIZE	  GENMASK(24, 20)
#define AUX_W1C		  (AUX_DONE | AUX_TIMEOUT | AUX_RECEIVE_ERROR)

/* Nothing is attached, so a message times out, at once: i915 tries five times and gives up. */
static void aux_write(void *block, uint32_t offset, uint32_t value)
{
	static const uint32_t event[4] = {BIT(0), BIT(25), BIT(26), BIT(27)}; /* DE_PORT, A to D */
	struct soc_gmbus *g = block;
	struct regs *r = g->soc->regs;
	uint32_t channel = (offset - 0x64010) / 0x100, old;

	soc_acquire(g->soc);
	old = regs_peek(r, offset) & AUX_W1C & ~value;
	if (value & AUX_BUSY) {
		regs_poke(r, offset,
			(value & ~(AUX_BUSY | AUX_W1C | AUX_SIZE)) | AUX_DONE | AUX_TIMEOUT);
		if (value & AUX_INTERRUPT && channel < ARRAY_SIZE(event))
			soc_raise(g->soc, IRQ_DE_PORT, event[channel]);
	} else {
		regs_poke(r, offset, (value & ~AUX_W1C) | old);
	}
	soc_release(g->soc);
}

/* An access through the sideband is done when it is asked for, and succeeds: busy and fail read 0. */
static void sbi_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_gmbus *g = block;

	regs_store(g->soc->regs, offset, value & ~UINT32_C(3));
}

/* ------------------------------------------------------------------ block */

void soc_gmbus_init(struct soc_gmbus *g, struct soc *s, const uint8_t *edid, size_t size)
{
	static const struct reg_ops gmbus0 = {.write = gmbus0_write};
	static const struct reg_ops gmbus1 = {.write = gmbus1_write};
	static const struct reg_ops gmbus2 = {.read = gmbus2_read, .write = gmbus2_write};
	static const struct reg_ops gmbus3 = {.read = gmbus3_read, .write = gmbus3_write};
	static const struct reg_ops gpio = {.read = gpio_read, .write = gpio_write};
	static const struct reg_ops aux = {.write = aux_write};
	static const struct reg_ops sbi = {.write = sbi_write};

	*g = (struct soc_gmbus){.soc = s};
	g->ddc.size = (uint16_t)min_u64(size, SOC_EDID_MAX);
	memcpy(g->ddc.edid, edid, g->ddc.size);
	soc_gmbus_reset(g);
	regs_bind(s->regs, REG_H_GMBUS0, &gmbus0, g);
	regs_bind(s->regs, REG_H_GMBUS1, &gmbus1, g);
	regs_bind(s->regs, REG_H_GMBUS2, &gmbus2, g);
	regs_bind(s->regs, REG_H_GMBUS3, &gmbus3, g);
	regs_bind(s->regs, REG_H_GPIO, &gpio, g);
	regs_bind(s->regs, REG_H_AUX_CTL, &aux, g);
	regs_bind(s->regs, REG_H_SBI_CTL, &sbi, g);
}

void soc_gmbus_reset(struct soc_gmbus *g)
{
	g->ddc.offset = 0;
	g->ddc.segment = 0;
	g->phase = GMBUS_IDLE;
	g->nak = false;
	g->stop = false;
	g->address = 0;
	g->left = 0;
	g->i2c = (struct soc_i2c){.scl = true, .sda = true};
}

/* The EDID is configuration, not state. */
void soc_gmbus_save(void *obj, struct buf *out)
{
	struct soc_gmbus *g = obj;
	uint8_t bytes[13];

	soc_acquire(g->soc);
	bytes[0] = g->ddc.offset;
	bytes[1] = g->ddc.segment;
	bytes[2] = g->phase;
	bytes[3] = g->nak;
	bytes[4] = g->stop;
	bytes[5] = g->address;
	bytes[6] = g->i2c.phase;
	bytes[7] = g->i2c.address;
	bytes[8] = g->i2c.shift;
	bytes[9] = g->i2c.bits;
	bytes[10] = g->i2c.ack;
	bytes[11] = (uint8_t)(g->i2c.scl | g->i2c.sda << 1);
	bytes[12] = g->i2c.sda_low;
	buf_put(out, bytes, sizeof(bytes));
	buf_put_u32(out, g->left);
	soc_release(g->soc);
}

int soc_gmbus_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e)
{
	struct soc_gmbus *g = obj;
	uint8_t b[13];
	uint32_t left;

	buf_get(in, b, sizeof(b));
	left = buf_get_u32(in);
	if (!buf_reader_done(in))
		return err_set(e, -EINVAL, NULL, "GMBUS state: wrong length %zu", in->len);
	if (b[2] > GMBUS_WAIT || b[3] > 1 || b[4] > 1 || b[5] > 0x7f || left > 0x1ff)
		return err_set(
			e, -EINVAL, NULL, "GMBUS state: phase %u, %u bytes left", b[2], left);
	if (b[6] > I2C_IGNORE || b[7] > 0x7f || b[9] > 8 || b[10] > 1 || b[11] > 3 || b[12] > 1)
		return err_set(e, -EINVAL, NULL, "GMBUS state: I2C phase %u, bit %u", b[6], b[9]);
	soc_acquire(g->soc);
	g->ddc.offset = b[0];
	g->ddc.segment = b[1];
	g->phase = b[2];
	g->nak = b[3];
	g->stop = b[4];
	g->address = b[5];
	g->left = (uint16_t)left;
	g->i2c = (struct soc_i2c){
		.phase = b[6],
		.address = b[7],
		.shift = b[8],
		.bits = b[9],
		.ack = b[10],
		.scl = b[11] & 1,
		.sda = b[11] >> 1,
		.sda_low = b[12],
	};
	soc_release(g->soc);
	return 0;
}
