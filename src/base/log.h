/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines with a level and, where a guest can cause them, a rate limit.
 *
 * Rooms that make no system call (gen9, mediate, exec's scheduler) log through the same functions;
 * the sink is a hook that the program sets (stderr by default).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdatomic.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

typedef void (*log_sink_fn)(enum log_level level, const char *line);

/* Sets the sink (NULL: stderr) and the least important level that is let through. Not thread-safe. */
void log_init(log_sink_fn sink, enum log_level level);

void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* At most `burst` lines in all from one place: what a guest can repeat for ever is counted elsewhere. */
struct log_limit {
	_Atomic uint32_t used;
};

#define LOG_BURST 8

#define log_limited(level, ...)                                                                   \
	do {                                                                                      \
		static struct log_limit limit_;                                                   \
		if (atomic_fetch_add_explicit(&limit_.used, 1, memory_order_relaxed) < LOG_BURST) \
			log_write(level, __VA_ARGS__);                                            \
	} while (0)

#endif
