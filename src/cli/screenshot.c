/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ugvt screenshot: the picture of a pipe as PNG. */
#include "base/util.h"
#include "cli/cli.h"
#include "cli/client.h"

#include <errno.h>
#include <json-c/json.h>
#include <png.h>
#include <stdlib.h>
#include <sys/mman.h>

struct screenshot_options {
	const char *socket;
	uint64_t pipe;
	bool json;
};

static const struct screenshot_options defaults;

static const struct option rows[] = {
	OPTION_SOCKET(struct screenshot_options, socket),
	{"pipe", 'p', OPTION_UINT, offsetof(struct screenshot_options, pipe), "0..2", 0, 2,
		"which pipe (default: 0, pipe A)"},
	OPTION_JSON(struct screenshot_options, json),
};

struct picture {
	uint64_t width, height, stride;
	const uint8_t *pixels; /* XRGB8888 */
	uint8_t *row;	       /* RGB of one row */
};

static void png_message(png_structp png, png_const_charp text)
{
	err_set(png_get_error_ptr(png), -EIO, NULL, "PNG: %s", text);
	longjmp(png_jmpbuf(png), 1);
}

/* Everything that lives past a longjmp is the caller's. */
static int write_png(FILE *f, const struct picture *p, struct err *e)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, e, png_message, NULL);
	png_infop info = png ? png_create_info_struct(png) : NULL;

	if (!info) {
		png_destroy_write_struct(&png, NULL);
		return err_set(e, -ENOMEM, NULL, "PNG");
	}
	if (setjmp(png_jmpbuf(png))) {
		png_destroy_write_struct(&png, &info);
		return e->code;
	}
	png_init_io(png, f);
	png_set_IHDR(png, info, (png_uint_32)p->width, (png_uint_32)p->height, 8,
		PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		PNG_FILTER_TYPE_DEFAULT);
	png_set_compression_level(png, 3);
	png_write_info(png, info);
	for (uint64_t y = 0; y < p->height; y++) {
		const uint8_t *from = p->pixels + y * p->stride;

		for (uint64_t x = 0; x < p->width; x++) {
			p->row[3 * x] = from[4 * x + 2];
			p->row[3 * x + 1] = from[4 * x + 1];
			p->row[3 * x + 2] = from[4 * x];
		}
		png_write_row(png, p->row);
	}
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	return 0;
}

/* The server says sizes; what counts is what its memory holds. */
static int check(const struct picture *p, size_t len, struct err *e)
{
	if (!p->width || !p->height || p->width > 16384 || p->height > 16384 ||
		p->stride < 4 * p->width || p->stride > (1u << 20) || len < p->stride * p->height)
		return err_set(e, -EPROTO, NULL, "a picture of %llux%llu with %llu bytes a row",
			(unsigned long long)p->width, (unsigned long long)p->height,
			(unsigned long long)p->stride);
	return 0;
}

static int save(struct json_object *reply, int fd, const char *path, struct err *e)
{
	struct picture p = {
		.width = reply_u64(reply, "width"),
		.height = reply_u64(reply, "height"),
		.stride = reply_u64(reply, "stride"),
	};
	struct cli_file file;
	size_t len = 0;
	int ret;

	p.pixels = reply_map(fd, &len, e);
	if (!p.pixels)
		return e->code;
	ret = check(&p, len, e);
	if (ret)
		goto unmap;
	p.row = malloc((size_t)p.width * 3);
	ret = p.row ? cli_file_open(&file, path, e) : err_set(e, -ENOMEM, NULL, "PNG");
	if (!ret) {
		int closed;

		ret = write_png(file.f, &p, e);
		closed = cli_file_close(&file, !ret, e);
		ret = ret ? ret : closed;
	}
	free(p.row);
unmap:
	munmap((void *)p.pixels, len);
	return ret;
}

static int run(const void *options, const char *const *args, size_t arg_count, struct err *e)
{
	const struct screenshot_options *o = options;
	const char *path = arg_count ? args[0] : "screen.png";
	struct json_object *in = json_object_new_object(), *reply;
	int fd, code, ret;

	if (o->json && strcmp(path, "-") == 0) {
		json_object_put(in);
		err_set(e, -EINVAL, NULL, "both the picture and JSON to standard output");
		return EXIT_USAGE;
	}
	json_object_object_add(in, "pipe", json_object_new_uint64(o->pipe));
	reply = client_call(o->socket, "org.ugvt.Screenshot", in, &fd, &code, e);
	if (!reply)
		return code;
	ret = save(reply, fd, path, e);
	if (!ret && o->json) {
		json_object_object_add(reply, "file", json_object_new_string(path));
		puts(json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PRETTY));
	}
	fd_close(&fd);
	json_object_put(reply);
	return ret ? EXIT_FAILED : EXIT_OK;
}

const struct verb verb_screenshot = {
	.name = "screenshot",
	.summary = "Write what the guest shows to a PNG",
	.arguments = "[FILE.png]",
	.example = "ugvt screenshot --socket /tmp/gpu.sock screen.png",
	.details = "FILE is screen.png without one; - is standard output.\n",
	.options = {rows, ARRAY_SIZE(rows)},
	.options_bytes = sizeof(struct screenshot_options),
	.defaults = &defaults,
	.max_args = 1,
	.run = run,
};
