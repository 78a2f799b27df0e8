/* The reader against a plain split, however the bytes arrive. */
#include "record/reader.h"
#include "tap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT 40000
#define MAX_LINE 300

static char text[TEXT];
static unsigned seed = 12345;

static unsigned roll(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

/* Lines of 0 to 800 bytes, some longer than MAX_LINE, some with NUL. */
static size_t make_text(void)
{
	size_t n = roll(TEXT), next = 0;

	for (size_t i = 0; i < n; i++) {
		if (next-- == 0) {
			text[i] = '\n';
			next = roll(4) == 0 ? roll(800) : roll(60);
		} else {
			text[i] = (char)roll(256);
			text[i] = text[i] == '\n' ? '\0' : text[i];
		}
	}
	return n;
}

struct feed {
	int fd;
	size_t n;
};

static void *feed(void *arg)
{
	struct feed *f = arg;
	size_t at = 0;

	while (at < f->n) {
		size_t n = 1 + roll(5000);
		ssize_t done;

		done = write(f->fd, text + at, n < f->n - at ? n : f->n - at);
		if (done <= 0)
			break;
		at += (size_t)done;
	}
	close(f->fd);
	return NULL;
}

/* Whether the line is what a plain split finds at *at; moves it on. */
static bool as_split(const struct ai_line *line, size_t *at, size_t n)
{
	const char *from = text + *at, *nl = memchr(from, '\n', n - *at);
	size_t len = nl != NULL ? (size_t)(nl - from) : n - *at;
	char hash[AI_HASH_HEX];

	*at += len + (nl != NULL);
	ai_hash_of(from, len, hash);
	if (len > MAX_LINE)
		return line->too_long && line->length == len &&
			strcmp(line->hash, hash) == 0;
	return !line->too_long && line->text.n == len &&
		memcmp(line->text.p, from, len) == 0;
}

static bool one_round(void)
{
	struct ai_reader r;
	struct ai_line line;
	struct ai_err err;
	struct feed f;
	pthread_t thread;
	size_t at = 0;
	unsigned long number = 0;
	bool good = true;
	int fds[2];

	if (pipe(fds) < 0)
		return false;
	f.fd = fds[1];
	f.n = make_text();
	pthread_create(&thread, NULL, feed, &f);
	ai_reader_init(&r, fds[0], MAX_LINE);
	while (ai_reader_next(&r, &line, &err) > 0)
		good = good && as_split(&line, &at, f.n) &&
			line.number == ++number;
	pthread_join(thread, NULL);
	ai_reader_release(&r);
	close(fds[0]);
	return good && at == f.n;
}

int main(void)
{
	struct ai_reader r;
	struct ai_line line;
	struct ai_err err;
	int rounds = 0;

	while (rounds < 60 && one_round())
		rounds++;
	ok(rounds == 60, "random lines in random pieces");
	ai_reader_init(&r, -1, 10);
	ok(ai_reader_next(&r, &line, &err) < 0 && err.code == AI_E_IO,
	   "a descriptor that cannot be read is an error: %s", err.msg);
	ai_reader_release(&r);
	return done();
}
