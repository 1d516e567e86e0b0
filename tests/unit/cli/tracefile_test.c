/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trace files: round trip, every truncation, hostile records; base64 against known pairs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "daemon/tracefile.h"

static const struct tracefile_header header = {
	.platform = "kbl-gt2",
	.aperture_bytes = 4 << 20,
	.start_ns = 12345,
	.monitor = true,
	.class_code = 0x0300,
};

static const struct trace_event events[] = {
	{.ns = 1, .kind = TRACE_MMIO_READ, .a = 0x2000, .b = 0xdeadbeef, .n = 4},
	{.ns = 2,
		.kind = TRACE_COMMAND,
		.unit = 3,
		.a = UINT64_MAX,
		.b = 7,
		.n = 3,
		.dw = {1, 2, 3}},
	{.ns = UINT64_MAX,
		.kind = TRACE_COMMAND,
		.n = TRACE_DW_MAX,
		.dw = {[TRACE_DW_MAX - 1] = 9}},
	{.kind = TRACEFILE_LOST, .a = 77},
	{.ns = 4, .kind = TRACE_FRAME, .unit = 65535, .a = 5},
};

static void write_file(struct buf *b)
{
	buf_init(b);
	tracefile_put_header(b, &header);
	assert_int_equal(b->len, TRACEFILE_HEADER_BYTES);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		tracefile_put(b, &events[i]);
	}
}

static void test_round_trip(void **state)
{
	struct tracefile_header h;
	struct trace_event ev;
	struct buf_reader r;
	struct buf b;

	write_file(&b);
	buf_reader_init(&r, b.data, b.len);
	assert_int_equal(tracefile_get_header(&r, &h, NULL), 0);
	assert_string_equal(h.platform, "kbl-gt2");
	assert_true(h.aperture_bytes == 4 << 20 && h.start_ns == 12345 && h.monitor);
	assert_int_equal(h.class_code, 0x0300);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		assert_int_equal(tracefile_get(&r, &ev, NULL), 1);
		assert_true(ev.ns == events[i].ns && ev.a == events[i].a && ev.b == events[i].b);
		assert_true(ev.kind == events[i].kind && ev.unit == events[i].unit);
		assert_int_equal(ev.n, events[i].n);
		assert_memory_equal(ev.dw, events[i].dw, sizeof(ev.dw));
	}
	assert_int_equal(tracefile_get(&r, &ev, NULL), 0);
	buf_finish(&b);
}

/* Cut anywhere: whole records are read, then an error, never a byte past the end. */
static void test_truncation(void **state)
{
	struct buf b;

	write_file(&b);
	for (size_t len = 0; len < b.len; len++) {
		uint8_t *copy = malloc(len ? len : 1); /* its own block: a tool sees an overrun */
		struct tracefile_header h;
		struct trace_event ev;
		struct err e = {0};
		struct buf_reader r;
		size_t good = 0;
		int ret;

		memcpy(copy, b.data, len);
		buf_reader_init(&r, copy, len);
		ret = tracefile_get_header(&r, &h, &e);
		assert_int_equal(ret, len < TRACEFILE_HEADER_BYTES ? -EINVAL : 0);
		while (!ret && (ret = tracefile_get(&r, &ev, &e)) == 1) {
			good++;
			ret = 0;
		}
		assert_true(good < ARRAY_SIZE(events));
		/* Only a cut between two records is a clean end. */
		assert_true(ret == -EINVAL || r.pos == len);
		if (ret)
			assert_non_null(strstr(e.what, "trace"));
		free(copy);
	}
	buf_finish(&b);
}

static void test_hostile(void **state)
{
	struct tracefile_header h;
	struct trace_event ev;
	struct err e = {0};
	struct buf_reader r;
	struct buf b;

	write_file(&b);
	b.data[8] = 2; /* version */
	buf_reader_init(&r, b.data, b.len);
	assert_int_equal(tracefile_get_header(&r, &h, &e), -ENOTSUP);
	b.data[8] = 1;
	b.data[12] = 0xff; /* length of the header */
	buf_reader_init(&r, b.data, b.len);
	assert_int_equal(tracefile_get_header(&r, &h, &e), -EINVAL);
	b.data[12] = TRACEFILE_HEADER_BYTES - 16;
	memset(b.data + 16, 'x', 32); /* a name without an end */
	buf_reader_init(&r, b.data, b.len);
	assert_int_equal(tracefile_get_header(&r, &h, &e), -EINVAL);

	/* Kinds and counts that no writer writes; the reader stays at the bad record. */
	for (unsigned int kind = 0; kind < 256; kind++) {
		bool known =
			(kind >= TRACE_MMIO_READ && kind <= TRACE_FRAME) || kind == TRACEFILE_LOST;

		b.data[TRACEFILE_HEADER_BYTES] = (uint8_t)kind;
		buf_reader_init(&r, b.data, b.len);
		r.pos = TRACEFILE_HEADER_BYTES;
		assert_int_equal(tracefile_get(&r, &ev, &e), known ? 1 : -EINVAL);
		if (!known)
			assert_int_equal(r.pos, TRACEFILE_HEADER_BYTES);
	}
	b.data[TRACEFILE_HEADER_BYTES] = TRACE_COMMAND;
	b.data[TRACEFILE_HEADER_BYTES + 1] = TRACE_DW_MAX + 1;
	buf_reader_init(&r, b.data, b.len);
	r.pos = TRACEFILE_HEADER_BYTES;
	assert_int_equal(tracefile_get(&r, &ev, &e), -EINVAL);
	buf_finish(&b);
}

/* An event that claims more dwords than there are does not make the writer read past them. */
static void test_writer_bounds(void **state)
{
	struct trace_event ev = {.kind = TRACE_COMMAND, .n = UINT32_MAX};
	struct buf b;

	buf_init(&b);
	tracefile_put(&b, &ev);
	assert_int_equal(b.len, TRACEFILE_RECORD_BYTES + 4 * TRACE_DW_MAX);
	ev.kind = TRACE_MMIO_READ;
	b.len = 0;
	tracefile_put(&b, &ev);
	assert_int_equal(b.len, TRACEFILE_RECORD_BYTES);
	buf_finish(&b);
}

static void test_base64(void **state)
{
	/* RFC 4648, 10 */
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
		{"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"}};
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zg=a", "=AAA", "A===", "Zg==Zg==", "Zm9v Zg=", "Zm\n=", "Zm9-"};
	uint8_t bytes[256];
	struct buf b;
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		text = base64_encode(pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(text, pairs[i][1]);
		buf_init(&b);
		assert_int_equal(base64_decode(text, strlen(text), &b), 0);
		assert_int_equal(b.len, strlen(pairs[i][0]));
		assert_true(!b.len || memcmp(b.data, pairs[i][0], b.len) == 0);
		buf_finish(&b);
		free(text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		buf_init(&b);
		assert_int_equal(base64_decode(bad[i], strlen(bad[i]), &b), -EINVAL);
		buf_finish(&b);
	}
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)i;
	}
	text = base64_encode(bytes, sizeof(bytes));
	buf_init(&b);
	assert_int_equal(base64_decode(text, strlen(text), &b), 0);
	assert_memory_equal(b.data, bytes, sizeof(bytes));
	buf_finish(&b);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_writer_bounds),
		cmocka_unit_test(test_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
