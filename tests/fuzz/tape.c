/*
 * Recordings: whatever is in the file, opening it ends well, or with the line
 * that is none; and every call that it speaks of can be played, as often as one
 * likes, with an answer of sane numbers or an error that says something.
 * fuzz: lib/common/model/tape.c lib/common/model/wire.c lib/common/model/strict.c
 */
#include "fuzz.h"
#include "model/exchange.h"
#include "record/reader.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the options set, and what a stream would go to. */
struct ai_client_settings ai_client;

int ai_stream_add(void *arg, const char *p, size_t n, struct ai_err *err)
{
	struct ai_exchange *x = arg;

	(void)err;
	must(p == x->raw.p && n == x->raw.len && n > 0);
	return 0;
}

const char *ai_endpoint_secret(const struct ai_endpoint *e, size_t i)
{
	(void)e;
	(void)i;
	return NULL;
}

static void play(struct ai_tape *t, struct ai_exchange *x, int64_t n,
		 bool streams)
{
	const struct ai_http_answer *a = &x->answer;
	struct ai_err err = { AI_E_NONE, -1, "" };
	int rc;

	x->tape_n = n;
	x->streams = streams;
	rc = ai_tape_play(t, x, &err);
	must(a->status >= 0 && a->status <= 999);
	must(a->retry_after_s <= 1e9 && x->played.latency_s <= 1e9);
	must(rc == 0 || err.code != AI_E_NONE);
}

/* The call that a line speaks of, and those before and behind it. */
static void play_line(struct ai_tape *t, struct ai_exchange *x,
		      struct ai_span line)
{
	struct ai_value v, key;
	int64_t n = 0;

	if (ai_json_check(line.p, line.n, &v, NULL) < 0)
		return;
	key = ai_json_get(v, "key");
	must(key.kind == AI_STRING && key.s.n == sizeof x->tape_key + 1);
	memcpy(x->tape_key, key.s.p + 1, sizeof x->tape_key - 1);
	ai_json_i64(ai_json_get(v, "n"), &n);
	for (int64_t i = -1; i <= 1; i++)
		if (n > -100 && n < 100 && n + i >= 0)
			play(t, x, n + i, i == 0);
	play(t, x, 0, false);
}

static void play_all(struct ai_tape *t, int fd, struct ai_exchange *x)
{
	struct ai_reader r;
	struct ai_line line;
	struct ai_err err;

	lseek(fd, 0, SEEK_SET);
	ai_reader_init(&r, fd, 1 << 20);
	while (ai_reader_next(&r, &line, &err) > 0)
		if (line.text.n > 0)
			play_line(t, x, line.text);
	ai_reader_release(&r);
	memset(x->tape_key, 'x', sizeof x->tape_key - 1);
	play(t, x, 0, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("tape", 0);
	struct ai_call call = { 0 };
	struct ai_exchange x = { .call = &call };
	struct ai_tape t;
	struct ai_err err = { AI_E_NONE, -1, "" };
	char path[40];

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ai_client.replay = path;
	ai_buf_init(&x.raw, 1 << 20);
	ai_buf_init(&x.answer.body, 1 << 20);
	if (ai_tape_open(&t, &err) < 0)
		must(err.code == AI_E_DATA && strstr(err.msg, ", line ") != NULL);
	else
		play_all(&t, fd, &x);
	ai_tape_release(&t);
	ai_buf_release(&x.answer.body);
	ai_buf_release(&x.raw);
	close(fd);
	return 0;
}
