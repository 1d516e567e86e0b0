// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command streamers: registers, arithmetic, memory commands, waits, predicates and batches, on
 * every engine, with random operands against a C reference.
 *
 * One buffer, `out`, takes what commands write; it lies above 4 GiB in the PPGTT. A check fills the
 * one batch, runs it and looks at `out`. User batches for the blitter pass through i915's command
 * parser, which copies them: nothing here depends on where a batch itself lies, where engine->parsed.
 * What user batches must not do is gem_priv_check's subject.
 */
#include "gem.h"

#define OUT_BYTES (16 * GEM_PAGE)
#define ROUNDS	  4

static struct gem_bo out;
static struct gem_batch batch;
static uint32_t context;

static volatile uint32_t *out_dw(size_t dword)
{
	return (volatile uint32_t *)out.map + dword;
}

static uint64_t out_addr(size_t dword)
{
	return out.addr + 4 * dword;
}

static uint64_t out_qw(size_t dword)
{
	return *out_dw(dword) | (uint64_t)*out_dw(dword + 1) << 32;
}

static void begin(void)
{
	gem_domain(&out, I915_GEM_DOMAIN_CPU, true);
	gem_batch_reset(&batch);
}

static void run(const struct gem_engine *engine)
{
	struct gem_bo *bos[] = {&out, &batch.bo};

	gem_emit_end(&batch);
	gem_run(engine, context, bos, 2);
	gem_domain(&out, I915_GEM_DOMAIN_CPU, true);
}

static void emit_load64(uint32_t offset, uint64_t value)
{
	gem_emit(&batch, MI_LOAD_REGISTER_IMM(2));
	gem_emit(&batch, offset);
	gem_emit(&batch, (uint32_t)value);
	gem_emit(&batch, offset + 4);
	gem_emit(&batch, (uint32_t)(value >> 32));
}

static void emit_save64(uint32_t offset, uint64_t addr)
{
	gem_emit_srm(&batch, offset, addr);
	gem_emit_srm(&batch, offset + 4, addr + 4);
}

/* ------------------------------------------------------------------ memory */

/* Single stores all over the buffer: each hits its dword or qword, nothing else. */
static bool check_store(const struct gem_engine *engine)
{
	static uint8_t want[OUT_BYTES];
	enum { STORES = 150 };

	begin();
	gem_fill_random(want, sizeof(want));
	memcpy(out.map, want, sizeof(want));
	for (int n = 0; n < STORES; n++) {
		uint64_t value = gem_random();
		size_t dword = gem_random() % (OUT_BYTES / 4 - 1);

		if (n & 1) {
			gem_emit_store(&batch, out_addr(dword), (uint32_t)value);
			memcpy(want + 4 * dword, &value, 4);
		} else {
			dword &= ~(size_t)1;
			gem_emit(&batch, MI_STORE_DATA_IMM_QWORD);
			gem_emit_addr(&batch, out_addr(dword));
			gem_emit_addr(&batch, value);
			memcpy(want + 4 * dword, &value, 8);
		}
	}
	run(engine);
	return !memcmp(out.map, want, sizeof(want));
}

static bool check_copy(const struct gem_engine *engine)
{
	static uint32_t want[OUT_BYTES / 4];

	begin();
	gem_fill_random(want, sizeof(want));
	memcpy(out.map, want, sizeof(want));
	for (int n = 0; n < 150; n++) {
		size_t from = gem_random() % ARRAY_SIZE(want), to = gem_random() % ARRAY_SIZE(want);

		gem_emit(&batch, MI_COPY_MEM_MEM);
		gem_emit_addr(&batch, out_addr(to));
		gem_emit_addr(&batch, out_addr(from));
		want[to] = want[from];
	}
	run(engine);
	return !memcmp(out.map, want, sizeof(want));
}

/* ------------------------------------------------------------------ registers */

/* LRI, LRM, LRR and SRM on the general purpose registers, in random order. */
static bool check_registers(const struct gem_engine *engine)
{
	enum { REGS = 32, SOURCE = 64 };
	uint32_t want[REGS] = {0};
	bool good = true;

	begin();
	gem_fill_random((void *)out_dw(SOURCE), 4 * REGS);
	for (uint32_t i = 0; i < REGS; i++) {
		want[i] = (uint32_t)gem_random();
		gem_emit_lri(&batch, gem_gpr(engine, 0) + 4 * i, want[i]);
	}
	for (int n = 0; n < 100; n++) {
		uint32_t a = (uint32_t)gem_between(0, REGS - 1),
			 b = (uint32_t)gem_between(0, REGS - 1);

		switch (gem_between(0, 2)) {
		case 0:
			gem_emit_lrm(&batch, gem_gpr(engine, 0) + 4 * a, out_addr(SOURCE + b));
			want[a] = *out_dw(SOURCE + b);
			break;
		case 1:
			gem_emit(&batch, MI_LOAD_REGISTER_REG);
			gem_emit(&batch, gem_gpr(engine, 0) + 4 * b);
			gem_emit(&batch, gem_gpr(engine, 0) + 4 * a);
			want[a] = want[b];
			break;
		default:
			want[a] = (uint32_t)gem_random();
			gem_emit_lri(&batch, gem_gpr(engine, 0) + 4 * a, want[a]);
			break;
		}
	}
	for (uint32_t i = 0; i < REGS; i++) {
		gem_emit_srm(&batch, gem_gpr(engine, 0) + 4 * i, out_addr(i));
	}
	run(engine);
	for (uint32_t i = 0; i < REGS; i++) {
		good &= *out_dw(i) == want[i];
	}
	return good;
}

/*
 * The ALU of MI_MATH (PRM volume 2a, MI_MATH; Mesa's mi_builder.h for the flags, which are stored as
 * all ones or zero). The carry is only looked at behind an addition or subtraction.
 */
enum alu {
	ALU_LOAD = 0x080,
	ALU_LOADINV = 0x480,
	ALU_LOAD0 = 0x081,
	ALU_LOAD1 = 0x481,
	ALU_ADD = 0x100,
	ALU_SUB,
	ALU_AND,
	ALU_OR,
	ALU_XOR,
	ALU_STORE = 0x180,
	ALU_STOREINV = 0x580
};
enum {
	ALU_SRCA = 0x20,
	ALU_SRCB = 0x21,
	ALU_ACCU = 0x31,
	ALU_ZF = 0x32,
	ALU_CF = 0x33,
	ALU_REGS = 16
};

struct alu_state {
	uint64_t r[ALU_REGS], a, b, accu, zf, cf;
	bool carry_known;
};

static uint64_t alu_special(void)
{
	static const uint64_t values[] = {
		0, 1, UINT64_MAX, UINT64_C(1) << 63, UINT32_MAX, UINT64_C(1) << 32};

	return gem_between(0, 2) ? gem_random() : values[gem_random() % ARRAY_SIZE(values)];
}

static uint32_t alu(uint32_t op, uint32_t a, uint32_t b)
{
	return op << 20 | a << 10 | b;
}

/* Four steps: two loads, an operation, a store. Written to dw[] and done in `s`. */
static void alu_group(struct alu_state *s, uint32_t dw[4])
{
	uint64_t *sources[2] = {&s->a, &s->b}, flag;
	uint32_t op = (uint32_t)gem_between(ALU_ADD, ALU_XOR), from,
		 to = (uint32_t)gem_between(0, 15);
	bool invert = gem_between(0, 1);

	for (uint32_t i = 0; i < 2; i++) {
		uint32_t reg = (uint32_t)gem_between(0, 15);

		switch (gem_between(0, 5)) {
		case 0:
			dw[i] = alu(ALU_LOAD0, ALU_SRCA + i, 0);
			*sources[i] = 0;
			break;
		case 1:
			dw[i] = alu(ALU_LOAD1, ALU_SRCA + i, 0);
			*sources[i] = UINT64_MAX;
			break;
		case 2:
			dw[i] = alu(ALU_LOADINV, ALU_SRCA + i, reg);
			*sources[i] = ~s->r[reg];
			break;
		default:
			dw[i] = alu(ALU_LOAD, ALU_SRCA + i, reg);
			*sources[i] = s->r[reg];
			break;
		}
	}
	dw[2] = alu(op, 0, 0);
	switch (op) {
	case ALU_ADD:
		s->accu = s->a + s->b;
		s->cf = s->accu < s->a ? UINT64_MAX : 0;
		break;
	case ALU_SUB:
		s->accu = s->a - s->b;
		s->cf = s->a < s->b ? UINT64_MAX : 0;
		break;
	case ALU_AND:
		s->accu = s->a & s->b;
		break;
	case ALU_OR:
		s->accu = s->a | s->b;
		break;
	default:
		s->accu = s->a ^ s->b;
		break;
	}
	s->zf = s->accu ? 0 : UINT64_MAX;
	s->carry_known = op == ALU_ADD || op == ALU_SUB;
	from = (uint32_t)gem_between(ALU_ACCU, s->carry_known ? ALU_CF : ALU_ZF);
	flag = from == ALU_ACCU ? s->accu : from == ALU_ZF ? s->zf : s->cf;
	dw[3] = alu(invert ? ALU_STOREINV : ALU_STORE, to, from);
	s->r[to] = invert ? ~flag : flag;
}

static bool check_math(const struct gem_engine *engine)
{
	enum { GROUPS = 30 };
	struct alu_state s = {0};
	bool good = true;

	begin();
	for (int i = 0; i < ALU_REGS; i++) {
		s.r[i] = alu_special();
		emit_load64(gem_gpr(engine, i), s.r[i]);
	}
	for (int n = 0; n < 3; n++) {
		gem_emit(&batch, MI_MATH(4 * GROUPS));
		for (int g = 0; g < GROUPS; g++) {
			uint32_t dw[4];

			alu_group(&s, dw);
			for (int i = 0; i < 4; i++) {
				gem_emit(&batch, dw[i]);
			}
		}
	}
	for (int i = 0; i < ALU_REGS; i++) {
		emit_save64(gem_gpr(engine, i), out_addr(2 * (size_t)i));
	}
	run(engine);
	for (int i = 0; i < ALU_REGS; i++) {
		good &= out_qw(2 * (size_t)i) == s.r[i];
	}
	return good;
}

/* A context finds its registers as it left them, a new one finds none of another's. */
static bool check_contexts(const struct gem_engine *engine)
{
	struct gem_bo *bos[] = {&out, &batch.bo};
	uint32_t other = gem_context_create(), fresh = gem_context_create(), mine = context;
	uint64_t a = gem_random(), b = gem_random();
	bool good;

	begin();
	emit_load64(gem_gpr(engine, 5), a);
	run(engine);
	begin();
	emit_load64(gem_gpr(engine, 5), b);
	gem_emit_end(&batch);
	gem_run(engine, other, bos, 2);
	begin();
	memset(out.map, 0xff, 64);
	emit_save64(gem_gpr(engine, 5), out_addr(0));
	run(engine);
	good = out_qw(0) == a;
	for (int i = 0; i < 2; i++) {
		begin();
		memset(out.map, 0xff, 64);
		emit_save64(gem_gpr(engine, 5), out_addr(0));
		context = i ? fresh : other;
		run(engine);
		context = mine;
		good &= out_qw(0) == (i ? 0 : b);
	}
	gem_context_destroy(other);
	gem_context_destroy(fresh);
	return good;
}

/* ------------------------------------------------------------------ atomics */

/* PRM volume 2a, MI_ATOMIC; the 8-byte forms are these plus 0x20. */
enum atomic {
	ATOMIC_AND = 1,
	ATOMIC_OR,
	ATOMIC_XOR,
	ATOMIC_MOVE,
	ATOMIC_INC,
	ATOMIC_DEC,
	ATOMIC_ADD,
	ATOMIC_SUB,
	ATOMIC_RSUB,
	ATOMIC_IMAX,
	ATOMIC_IMIN,
	ATOMIC_UMAX,
	ATOMIC_UMIN,
	ATOMIC_CMP_WR,
	ATOMIC_OPS
};

static uint64_t extend(uint64_t value, bool qword)
{
	return qword ? value : (uint64_t)(int64_t)(int32_t)value;
}

static uint64_t atomic_reference(enum atomic op, uint64_t old, uint64_t s0, uint64_t s1, bool qword)
{
	uint64_t mask = qword ? UINT64_MAX : UINT32_MAX;
	bool less = (int64_t)extend(old, qword) < (int64_t)extend(s0, qword);

	switch (op) {
	case ATOMIC_AND:
		return old & s0;
	case ATOMIC_OR:
		return old | s0;
	case ATOMIC_XOR:
		return old ^ s0;
	case ATOMIC_MOVE:
		return s0;
	case ATOMIC_INC:
		return (old + 1) & mask;
	case ATOMIC_DEC:
		return (old - 1) & mask;
	case ATOMIC_ADD:
		return (old + s0) & mask;
	case ATOMIC_SUB:
		return (old - s0) & mask;
	case ATOMIC_RSUB:
		return (s0 - old) & mask;
	case ATOMIC_IMAX:
		return less ? s0 : old;
	case ATOMIC_IMIN:
		return less ? old : s0;
	case ATOMIC_UMAX:
		return old > s0 ? old : s0;
	case ATOMIC_UMIN:
		return old < s0 ? old : s0;
	default:
		return old == s0 ? s1 : old;
	}
}

/* One atomic a qword of `out`, all with inline data; the old value comes back in GPR 4. */
static bool check_atomics(const struct gem_engine *engine)
{
	enum { COUNT = 2 * ATOMIC_OPS, BACK = 256 };
	uint64_t old[COUNT], s0[COUNT], s1[COUNT];
	bool good = true;

	begin();
	for (int n = 0; n < COUNT; n++) {
		bool qword = n >= ATOMIC_OPS;
		uint32_t op = (uint32_t)(n % ATOMIC_OPS);
		uint64_t mask = qword ? UINT64_MAX : UINT32_MAX;

		old[n] = gem_random() & mask;
		s0[n] = (gem_between(0, 2) ? gem_random() : old[n]) & mask;
		s1[n] = gem_random() & mask;
		memcpy((void *)out_dw(2 * (size_t)n), &old[n], 8);
		if (!op) {
			continue;
		}
		emit_load64(gem_gpr(engine, 4), 0);
		/* Inline data, command streamer waits, old value into GPR 4. */
		gem_emit(&batch, MI_ATOMIC | 1u << 18 | 1u << 17 | 1u << 16 |
					 (uint32_t)qword << 19 | (op | (uint32_t)qword << 5) << 8 |
					 9);
		gem_emit_addr(&batch, out_addr(2 * (size_t)n));
		gem_emit(&batch, (uint32_t)s0[n]);
		gem_emit(&batch, (uint32_t)s1[n]);
		gem_emit(&batch, (uint32_t)(s0[n] >> 32));
		gem_emit(&batch, (uint32_t)(s1[n] >> 32));
		for (int i = 0; i < 4; i++) {
			gem_emit(&batch, 0);
		}
		emit_save64(gem_gpr(engine, 4), out_addr(BACK + 2 * (size_t)n));
	}
	run(engine);
	for (int n = 0; n < COUNT; n++) {
		bool qword = n >= ATOMIC_OPS;
		enum atomic op = (enum atomic)(n % ATOMIC_OPS);
		uint64_t want = op ? atomic_reference(op, old[n], s0[n], s1[n], qword) : old[n];
		uint64_t back =
			qword ? out_qw(BACK + 2 * (size_t)n) : *out_dw(BACK + 2 * (size_t)n);

		if (out_qw(2 * (size_t)n) != want || (op && back != old[n])) {
			gem_say("atomic %#x of %#llx with %#llx, %#llx: memory %#llx, not %#llx; "
				"returned %#llx",
				op | qword << 5, (unsigned long long)old[n],
				(unsigned long long)s0[n], (unsigned long long)s1[n],
				(unsigned long long)out_qw(2 * (size_t)n), (unsigned long long)want,
				(unsigned long long)back);
			good = false;
		}
	}
	return good;
}

/* ------------------------------------------------------------------ waits */

/* Memory against inline data: >, >=, <, <=, ==, != (PRM volume 2a, MI_SEMAPHORE_WAIT). */
static const struct {
	uint32_t below, equal, above; /* whether it holds where memory is less, equal, more */
} compares[] = {{0, 0, 1}, {0, 1, 1}, {1, 0, 0}, {1, 1, 0}, {0, 1, 0}, {1, 0, 1}};

static void emit_semaphore(uint32_t compare, uint32_t data, uint64_t addr)
{
	gem_emit(&batch, MI_SEMAPHORE_WAIT | 1u << 15 /* poll */ | compare << 12);
	gem_emit(&batch, data);
	gem_emit_addr(&batch, addr);
}

static bool check_semaphore_holds(const struct gem_engine *engine)
{
	begin();
	memset(out.map, 0, 4096);
	*out_dw(0) = 0x80000000;
	for (uint32_t c = 0; c < ARRAY_SIZE(compares); c++) {
		for (uint32_t i = 0; i < 3; i++) {
			uint32_t holds = i == 0	  ? compares[c].below
					 : i == 1 ? compares[c].equal
						  : compares[c].above;

			if (holds) {
				emit_semaphore(c, 0x80000001 - i, out_addr(0));
			}
		}
	}
	gem_emit_store(&batch, out_addr(1), 0x600d);
	run(engine);
	return *out_dw(1) == 0x600d;
}

/* A wait that only the CPU ends; other work on the engine passes it meanwhile. */
static bool check_semaphore_cpu(const struct gem_engine *engine)
{
	struct gem_batch waiting = gem_batch_create(GEM_PAGE, 0x50000000), held = batch;
	struct gem_bo *bos[] = {&out, &waiting.bo};
	uint32_t mine = context, other = gem_context_create();
	bool waits, passed;

	begin();
	memset(out.map, 0, 4096);
	batch = waiting;
	emit_semaphore(4, 7, out_addr(0));
	gem_emit_store(&batch, out_addr(1), 0xd00e);
	gem_emit_end(&batch);
	gem_exec(engine, context, bos, 2);
	batch = held;
	waits = gem_wait(&waiting.bo, 30 * 1000 * 1000) == -ETIME && !*out_dw(1);

	/* Another context, with buffers of its own: it waits for nothing but its turn on the engine. */
	struct gem_bo own = gem_create(GEM_PAGE, 0x60000000);
	struct gem_bo *own_bos[] = {&own, &batch.bo};

	gem_batch_reset(&batch);
	gem_emit_store(&batch, own.addr, 0x1234);
	gem_emit_end(&batch);
	context = other;
	gem_run(engine, context, own_bos, 2);
	context = mine;
	passed = *(volatile uint32_t *)own.map == 0x1234 && !*out_dw(1);
	*out_dw(0) = 7;
	if (gem_wait(&waiting.bo, GEM_WAIT_NS)) {
		gem_bail("a semaphore on %s does not see what the CPU wrote", engine->name);
	}
	if (!waits || !passed) {
		gem_say("it %s, other work %s", waits ? "waited" : "did not wait",
			passed ? "passed" : "did not pass");
	}
	gem_close(&own);
	gem_close(&waiting.bo);
	gem_context_destroy(other);
	return waits && passed && *out_dw(1) == 0xd00e;
}

/* ------------------------------------------------------------------ conditions and batches */

static bool check_conditional_end(const struct gem_engine *engine)
{
	static const struct {
		uint32_t memory, data;
		bool ends;
	} rows[] = {
		{5, 4, false}, {5, 5, true}, {5, 6, true}, {0x80000000, 1, false}, {0, 0, true}};
	bool good = true;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin();
		memset(out.map, 0, 64);
		*out_dw(2) = rows[i].memory;
		gem_emit_store(&batch, out_addr(0), 1);
		gem_emit(&batch, MI_COND_BATCH_END);
		gem_emit(&batch, rows[i].data);
		gem_emit_addr(&batch, out_addr(2)); /* on a qword */
		gem_emit_store(&batch, out_addr(4), 2);
		run(engine);
		good &= *out_dw(0) == 1 && (*out_dw(4) == 2) == !rows[i].ends;
	}
	return good;
}

/*
 * A first-level batch calls a second-level one twice and goes on behind each call; then chains to a
 * third, from which nothing returns.
 */
static bool check_levels(const struct gem_engine *engine)
{
	struct gem_batch second = gem_batch_create(GEM_PAGE, 0x50000000);
	struct gem_batch third = gem_batch_create(GEM_PAGE, GEM_HIGH + 0x100000);
	struct gem_bo *bos[] = {&out, &second.bo, &third.bo, &batch.bo};

	begin();
	memset(out.map, 0, 64);
	gem_emit(&second, MI_ATOMIC | ATOMIC_INC << 8 | 1u << 17 | 1);
	gem_emit_addr(&second, out_addr(0));
	gem_emit_end(&second);
	gem_emit_store(&third, out_addr(3), 3);
	gem_emit_end(&third);
	for (uint32_t i = 0; i < 2; i++) {
		gem_emit(&batch, MI_BATCH_BUFFER_START | MI_SECOND_LEVEL);
		gem_emit_addr(&batch, second.bo.addr);
		gem_emit_store(&batch, out_addr(1 + i), 1);
	}
	gem_emit(&batch, MI_BATCH_BUFFER_START);
	gem_emit_addr(&batch, third.bo.addr);
	gem_emit_store(&batch, out_addr(4), 0xbad);
	gem_emit_end(&batch);
	gem_run(engine, context, bos, 4);
	gem_domain(&out, I915_GEM_DOMAIN_CPU, true);
	gem_close(&second.bo);
	gem_close(&third.bo);
	return *out_dw(0) == 2 && *out_dw(1) == 1 && *out_dw(2) == 1 && *out_dw(3) == 3 &&
	       !*out_dw(4);
}

#define PREDICATE_SRC0	   0x2400u
#define PREDICATE_SRC1	   0x2408u
#define PREDICATE_RESULT_1 0x241cu

/* MI_PREDICATE's comparisons and combinations, seen by a predicated store of a register. */
static bool check_predicate(const struct gem_engine *engine)
{
	/* bits 7:6 load (2) or its inverse (3), 4:3 set, and, or, xor, 1:0 true, false, equal */
	enum {
		LOAD = 2 << 6,
		LOADINV = 3 << 6,
		SET = 0,
		AND = 1 << 3,
		OR = 2 << 3,
		XOR = 3 << 3,
		TRUE_ = 0,
		FALSE_ = 1,
		EQUAL = 2
	};
	static const struct {
		uint32_t first, then;
		bool equal, want; /* `equal`: the two sources are, at the second command */
	} rows[] = {
		{LOAD | SET | TRUE_, 0, true, true},
		{LOAD | SET | FALSE_, 0, true, false},
		{LOADINV | SET | FALSE_, 0, true, true},
		{LOAD | SET | EQUAL, 0, true, true},
		{LOAD | SET | EQUAL, 0, false, false},
		{LOADINV | SET | EQUAL, 0, false, true},
		{LOAD | SET | TRUE_, LOAD | AND | EQUAL, false, false},
		{LOAD | SET | TRUE_, LOAD | AND | EQUAL, true, true},
		{LOAD | SET | FALSE_, LOAD | OR | EQUAL, true, true},
		{LOAD | SET | FALSE_, LOAD | OR | EQUAL, false, false},
		{LOAD | SET | TRUE_, LOAD | XOR | EQUAL, true, false},
		{LOAD | SET | TRUE_, LOAD | XOR | EQUAL, false, true},
	};
	bool good = true;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value = gem_random();

		begin();
		memset(out.map, 0, 64);
		emit_load64(gem_gpr(engine, 1), 0x600d600d);
		emit_load64(PREDICATE_SRC0, value);
		emit_load64(
			PREDICATE_SRC1, rows[i].equal ? value : value ^ 1ull << gem_between(0, 63));
		gem_emit(&batch, MI_PREDICATE(rows[i].first));
		if (rows[i].then) {
			gem_emit(&batch, MI_PREDICATE(rows[i].then));
		}
		gem_emit(&batch, MI_STORE_REGISTER_MEM | 1u << 21);
		gem_emit(&batch, gem_gpr(engine, 1));
		gem_emit_addr(&batch, out_addr(0));
		gem_emit_store(&batch, out_addr(1), 1);
		run(engine);
		if ((*out_dw(0) == 0x600d600d) != rows[i].want || *out_dw(1) != 1) {
			gem_say("predicates %#x, %#x with sources that are%s equal", rows[i].first,
				rows[i].then, rows[i].equal ? "" : " not");
			good = false;
		}
	}
	return good;
}

/* A batch start that is taken only where RESULT_1 says so; MI_SET_PREDICATE around commands. */
static bool check_predicated_batch(const struct gem_engine *engine)
{
	struct gem_batch second = gem_batch_create(GEM_PAGE, 0x50000000);
	struct gem_bo *bos[] = {&out, &second.bo, &batch.bo};
	bool good = true;

	gem_emit(&second, MI_ATOMIC | ATOMIC_INC << 8 | 1u << 17 | 1);
	gem_emit_addr(&second, out_addr(0));
	gem_emit_end(&second);
	for (uint32_t take = 0; take < 2; take++) {
		begin();
		memset(out.map, 0, 64);
		gem_emit_lri(&batch, PREDICATE_RESULT_1, take);
		gem_emit(&batch, MI_BATCH_BUFFER_START | MI_SECOND_LEVEL | 1u << 15);
		gem_emit_addr(&batch, second.bo.addr);
		gem_emit_store(&batch, out_addr(1), 1);
		gem_emit(&batch, MI_SET_PREDICATE(15)); /* skip */
		gem_emit_store(&batch, out_addr(2), 1);
		gem_emit(&batch, MI_SET_PREDICATE(0)); /* no more */
		gem_emit_store(&batch, out_addr(3), 1);
		gem_emit_end(&batch);
		gem_run(engine, context, bos, 3);
		gem_domain(&out, I915_GEM_DOMAIN_CPU, true);
		if (*out_dw(0) != take || *out_dw(1) != 1 || *out_dw(2) || *out_dw(3) != 1) {
			gem_say("predicate %u: start %u, behind it %u, skipped %u, not skipped %u",
				take, *out_dw(0), *out_dw(1), *out_dw(2), *out_dw(3));
			good = false;
		}
	}
	gem_close(&second.bo);
	return good;
}

/* ------------------------------------------------------------------ flushes and time */

/* The post-sync write of PIPE_CONTROL or MI_FLUSH_DW; op 1: a qword, 3: the time. */
static void emit_post_sync(
	const struct gem_engine *engine, uint32_t op, uint64_t addr, uint64_t value)
{
	if (engine == GEM_RCS) {
		gem_emit(&batch, PIPE_CONTROL);
		gem_emit(&batch, op << 14 | 1u << 20 /* the command streamer waits */);
	} else {
		gem_emit(&batch, MI_FLUSH_DW | op << 14);
	}
	gem_emit_addr(&batch, addr);
	gem_emit_addr(&batch, value);
}

static bool check_post_sync(const struct gem_engine *engine)
{
	uint64_t values[4];
	bool good = true;

	begin();
	memset(out.map, 0, 4096);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		values[i] = gem_random();
		emit_post_sync(engine, 1, out_addr(4 * i), values[i]);
	}
	run(engine);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		good &= out_qw(4 * i) == values[i] && !out_qw(4 * i + 2);
	}
	return good;
}

static bool check_time(const struct gem_engine *engine)
{
	enum { COUNT = 8 };
	uint64_t flushes[COUNT], reads[COUNT];
	bool good = true;

	begin();
	memset(out.map, 0, 4096);
	for (size_t i = 0; i < COUNT; i++) {
		emit_post_sync(engine, 3, out_addr(4 * i), 0);
		gem_emit_srm(&batch, engine->mmio_base + 0x358,
			out_addr(4 * i + 2)); /* RING_TIMESTAMP */
	}
	run(engine);
	for (size_t i = 0; i < COUNT; i++) {
		flushes[i] = out_qw(4 * i);
		reads[i] = *out_dw(4 * i + 2);
		good &= flushes[i] != 0 && reads[i] != 0;
		/* One clock, seen in both ways; 32 bits of it may wrap. */
		good &= (uint32_t)(reads[i] - flushes[i]) < 1u << 31;
		good &= !i || (flushes[i] >= flushes[i - 1] &&
				      (uint32_t)(flushes[i] - reads[i - 1]) < 1u << 31);
	}
	return good;
}

/* ------------------------------------------------------------------ all of it */

static const struct {
	const char *name;
	bool (*run)(const struct gem_engine *engine);
	bool rcs_only, not_parsed;
} checks[] = {
	{"MI_STORE_DATA_IMM", check_store, false, false},
	{"MI_COPY_MEM_MEM", check_copy, false, false},
	{"LRI, LRM, LRR, SRM", check_registers, false, false},
	{"MI_MATH", check_math, false, false},
	{"registers belong to their context", check_contexts, false, false},
	{"MI_ATOMIC", check_atomics, false, false},
	{"MI_SEMAPHORE_WAIT that holds", check_semaphore_holds, false, false},
	{"MI_SEMAPHORE_WAIT for the CPU", check_semaphore_cpu, false, false},
	{"MI_CONDITIONAL_BATCH_BUFFER_END", check_conditional_end, false, false},
	{"second-level and chained batches", check_levels, false, true},
	{"MI_PREDICATE", check_predicate, true, true},
	{"predicated batches", check_predicated_batch, true, true},
	{"post-sync writes", check_post_sync, false, false},
	{"timestamps", check_time, false, false},
};

int main(void)
{
	gem_seed_init();
	gem_open();
	context = gem_context_create();
	out = gem_create(OUT_BYTES, GEM_HIGH);
	batch = gem_batch_create(8 * GEM_PAGE, 0x40000000);
	for (size_t e = 0; e < ARRAY_SIZE(gem_engines); e++) {
		const struct gem_engine *engine = &gem_engines[e];

		for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
			bool good = true;

			if ((checks[i].rcs_only && engine != GEM_RCS) ||
				(checks[i].not_parsed && engine->parsed)) {
				continue;
			}
			for (int n = 0; n < ROUNDS && good; n++) {
				good = checks[i].run(engine);
			}
			gem_ok(good, "%s: %s", engine->name, checks[i].name);
		}
	}
	return gem_done();
}
