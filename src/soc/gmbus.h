/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor's wires: GMBUS, the I2C lines as GPIO, AUX channels (nothing answers there) and the
 * sideband interface. One monitor, an HDMI one on port B, answers DDC at 0x50 (EDID) and 0x30 (segment).
 */
#ifndef SOC_GMBUS_H
#define SOC_GMBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/state.h"
#include "soc/regs.h"

struct soc;

#define GMBUS_PIN_PORT_B 5
#define SOC_EDID_MAX	 256

/* The monitor's EEPROM as an I2C slave: what both masters talk to. */
struct soc_ddc {
	uint8_t edid[SOC_EDID_MAX]; /* past `size` bytes it reads 0xff */
	uint16_t size;
	uint8_t offset;	 /* next byte to read */
	uint8_t segment; /* E-DDC; back to 0 at a stop */
};

enum gmbus_phase {
	GMBUS_IDLE,  /* nobody is addressed */
	GMBUS_READ,  /* bytes are to be fetched from GMBUS3 */
	GMBUS_WRITE, /* bytes are expected in GMBUS3 */
	GMBUS_WAIT,  /* done, the bus is kept until a stop or the next cycle */
};

enum i2c_phase { I2C_IDLE, I2C_ADDRESS, I2C_RECEIVE, I2C_SEND, I2C_IGNORE };

/* The slave's side of the bit-banged lines. */
struct soc_i2c {
	uint8_t phase;	 /* enum i2c_phase */
	uint8_t address; /* 7 bits */
	uint8_t shift, bits;
	bool ack;      /* the ninth clock is going on */
	bool scl, sda; /* the master's lines as last seen */
	bool sda_low;  /* the slave pulls SDA */
};

struct soc_gmbus {
	struct soc *soc; /* borrowed */
	struct soc_ddc ddc;
	uint8_t phase; /* enum gmbus_phase */
	bool nak;      /* SATOER */
	bool stop;     /* a stop follows the transfer */
	uint8_t address;
	uint16_t left; /* bytes still to transfer */
	struct soc_i2c i2c;
};

/* `edid`: `size` bytes, at most SOC_EDID_MAX, copied. */
void soc_gmbus_init(struct soc_gmbus *g, struct soc *s, const uint8_t *edid, size_t size);
void soc_gmbus_reset(struct soc_gmbus *g);

void soc_gmbus_save(void *obj, struct buf *out);
int soc_gmbus_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e);
#define SOC_GMBUS_STATE_VERSION 1

#endif
