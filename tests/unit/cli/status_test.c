/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status as people read it: problems first and with their reasons, nothing of it when all is well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/status.h"

/* Prints what the text parses to; the caller's. */
static char *print(const char *json)
{
	struct json_object *o = json_tokener_parse(json);
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(o);
	assert_non_null(f);
	status_print(f, o);
	fclose(f);
	json_object_put(o);
	return text;
}

#define HEAD                                                                                     \
	"\"version\":\"0.1.0\",\"platform\":\"kbl-gt2\",\"title\":\"Kaby Lake GT2\",\"pci_id\":" \
	"\"8086:5916\",\"uptime_s\":12.25,\"attached\":true,\"clients\":2,"                      \
	"\"config\":{\"msi\":true,\"power_state\":0},"

static const char good[] =
	"{" HEAD "\"opregion\":{\"asls\":0},\"traps\":{\"mmio_reads\":989,\"mmio_writes\":1494,"
	"\"rom_reads\":0,\"rom_writes\":0},\"interrupts\":17,\"resets\":1,"
	"\"memory\":{\"maps\":3,\"bytes\":1073741824,\"unshared\":1,\"leaked\":0,\"shrunk\":false},"
	"\"gpu\":{\"engines\":{\"rcs0\":{\"state\":\"idle\",\"commands\":1412,\"batches\":14,"
	"\"contexts\":20,\"busy_ns\":1500000,\"preemptions\":0,\"hangs\":0,\"resets\":0}},"
	"\"violations\":{},\"unknown_registers\":[],\"fault\":null,\"iommu\":{\"timeouts\":0}}}";

static const char bad[] =
	"{" HEAD
	"\"opregion\":{\"asls\":536862720,\"swsci_calls\":3},\"traps\":{},\"interrupts\":0,"
	"\"resets\":0,\"memory\":{\"maps\":1,\"bytes\":4096,\"leaked\":2,\"shrunk\":true},"
	"\"vfu\":{\"refused\":4},"
	"\"gpu\":{\"blits_undone\":5,\"engines\":{"
	"\"bcs0\":{\"state\":\"hung\",\"hang_reason\":\"MI_MATH: no such operation\",\"hangs\":1,"
	"\"unknown_command\":\"7a000003\"},\"rcs0\":{\"state\":\"running\"}},"
	"\"violations\":{\"forcewake\":{\"count\":1,\"last\":\"0x2358\"},"
	"\"tail_align\":{\"count\":7,\"last\":\"0x4\"}},"
	"\"unknown_registers\":[{\"offset\":\"0x1a2b0\",\"reads\":2,\"writes\":1}],"
	"\"fault\":\"guest RAM is not shared: add memory-backend-memfd,share=on\","
	"\"iommu\":{\"timeouts\":6}}}";

static void test_all_is_well(void **state)
{
	char *t = print(good);

	assert_non_null(strstr(t, "Kaby Lake GT2, 8086:5916, kbl-gt2\n"));
	assert_non_null(strstr(t, "up 12.2 s\n"));
	assert_non_null(strstr(t, "attached, number 2, MSI\n"));
	assert_non_null(strstr(t, "problems    none\n"));
	assert_null(strstr(t, "PROBLEMS"));
	assert_null(strstr(t, "OpRegion"));
	assert_non_null(strstr(t, "1024 MiB in 3 maps, 1 of them without a file"));
	assert_non_null(strstr(t, "  mmio               989         1494\n"));
	assert_null(strstr(t, "rom")); /* never touched */
	assert_non_null(strstr(t, "interrupts  17\n"));
	free(t);
}

/* Columns stand under their heads, and no line is wider than a terminal of 100. */
static void test_aligned(void **state)
{
	static const char *const both[] = {good, bad};

	for (size_t i = 0; i < 2; i++) {
		char *t = print(both[i]), *save = NULL;

		for (char *line = strtok_r(t, "\n", &save); line;
			line = strtok_r(NULL, "\n", &save)) {
			assert_true(strlen(line) <= 100);
			if (strncmp(line, "  rcs0", 6) == 0)
				assert_int_equal(
					strlen(line), strlen("engines        state   contexts    "
							     "batches   commands    busy ms  "
							     "preempt  hangs resets"));
		}
		free(t);
	}
}

static void test_problems(void **state)
{
	static const char *const lines[] = {
		("PROBLEMS\n  fault               guest RAM is not shared: add "
		 "memory-backend-memfd,share=on\n"),
		"  hung engine         bcs0: MI_MATH: no such operation\n",
		"  unknown command     bcs0: 7a000003\n",
		"  violation           forcewake: 1 time, last 0x2358\n",
		"  violation           tail_align: 7 times, last 0x4\n",
		"  unknown register    0x1a2b0",
		": 2 reads, 1 write\n",
		"was cut while it was mapped: 1\n",
		"could not be taken back in time: 2\n",
		"blits of a kind that is not done: 5\n",
		"VMMs refused, because one is attached: 4\n",
		"unmaps that an engine outlasted: 6\n",
		"OpRegion    at 0x1fffe000, 3 calls\n",
	};
	char *t = print(bad);

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!strstr(t, lines[i]))
			print_error("not there: %s\nin:\n%s", lines[i], t);
		assert_non_null(strstr(t, lines[i]));
	}
	assert_null(strstr(t, "none"));
	/* Before what was merely done. */
	assert_true(strstr(t, "PROBLEMS") < strstr(t, "memory  "));
	free(t);
}

/* A server of another version, or a hostile one: any shape is printed, none crashes. */
static void test_odd_shapes(void **state)
{
	static const char *const odd[] = {
		"{}",
		"{\"gpu\":[],\"memory\":3,\"traps\":null,\"config\":[1,2]}",
		"{\"gpu\":{\"engines\":[1],\"violations\":[[]],\"unknown_registers\":{\"a\":1},"
		"\"fault\":7}}",
		"{\"gpu\":{\"engines\":{\"x\":null},\"violations\":{\"y\":5},\"unknown_registers\":"
		"[null,[],"
		"{\"offset\":\"0xffffffffffffffffff\"},{\"offset\":3}]}}",
		"{\"title\":{},\"attached\":[],\"uptime_s\":\"x\",\"clients\":-1}",
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		char *t = print(odd[i]);

		assert_true(strlen(t) > 0);
		free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_well),
		cmocka_unit_test(test_aligned),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_odd_shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
