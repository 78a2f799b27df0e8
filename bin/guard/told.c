#include "told.h"

#include "base/utf8.h"
#include "crypt/hash.h"
#include "guard.h"
#include "text/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct guard_told_settings guard_told_settings;
static struct ai_buf prompt = AI_BUF_INIT(GUARD_TOLD_MAX);

int guard_told_load(struct ai_err *err)
{
	const char *path = guard_told_settings.prompt;
	int fd, rc;

	ai_buf_clear(&prompt);
	if (path == NULL)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ai_err_sys(err, AI_E_OPEN, errno,
				  "cannot open the prompt '%.200s'", path);
	rc = ai_buf_read(&prompt, fd);
	if (rc < 0 && prompt.bad == AI_E_NONE)
		ai_err_sys(err, AI_E_IO, errno,
			   "cannot read the prompt '%.200s'", path);
	close(fd);
	if (rc < 0 && prompt.bad == AI_E_NONE)
		return -1;
	if (ai_buf_check(&prompt, "the prompt", err) < 0)
		return -1;
	if (ai_utf8_valid(ai_buf_cstr(&prompt), prompt.len) != prompt.len)
		return ai_err_set(err, AI_E_UTF8, "the prompt '%.200s' is not "
				  "UTF-8", path);
	return 0;
}

void guard_told_unload(void)
{
	ai_buf_release(&prompt);
}

void guard_told_init(struct guard_told *t)
{
	memset(t, 0, sizeof *t);
	ai_buf_init(&t->text, GUARD_TEXT_MAX);
	ai_buf_init(&t->words, GUARD_TOLD_MAX * sizeof(uint64_t));
	ai_buf_init(&t->weights, GUARD_TOLD_MAX);
	ai_buf_init(&t->seen, GUARD_TOLD_MAX);
	/* Or a text could be made in which all words have one place. */
	ai_random(&t->seed, sizeof t->seed);
}

void guard_told_release(struct guard_told *t)
{
	ai_buf_release(&t->text);
	ai_buf_release(&t->words);
	ai_buf_release(&t->weights);
	ai_buf_release(&t->seen);
	free(t->slots);
	memset(t, 0, sizeof *t);
}

/* ---- runs of words ----------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * UINT64_C(0x9E3779B97F4A7C15);
	return h ^ h >> 29;
}

uint64_t guard_told_hash(const struct guard_told *t, const struct ai_words *w)
{
	uint64_t h = t->seed;

	for (size_t i = 0; i < w->n; i++)
		h = mix(h, w->cp[i]);
	return mix(h, w->n);
}

unsigned guard_told_weight(const struct ai_words *w)
{
	return w->n == 1 && w->cp[0] >= 0xE00 ? 1 : 2;
}

/* The slot of these words: theirs, or a free one. */
static uint32_t *slot_of(const struct guard_told *t, const uint64_t *run)
{
	const uint64_t *words = (const uint64_t *)(const void *)t->words.p;
	uint64_t h = t->seed;
	size_t i;

	for (i = 0; i < GUARD_TOLD_RUN; i++)
		h = mix(h, run[i]);
	for (i = h & (t->n_slots - 1); t->slots[i] != 0;
	     i = (i + 1) & (t->n_slots - 1))
		if (memcmp(words + (t->slots[i] >> 1) - 1, run,
			   GUARD_TOLD_RUN * sizeof *run) == 0)
			break;
	return &t->slots[i];
}

static uint32_t *last_slot(const struct guard_told *t,
			   struct guard_told_last *l, uint64_t word)
{
	uint32_t *slot;

	if (!(t->maybe[word / 64 % 256] >> word % 64 & 1)) {
		l->n = 0;
		return NULL;
	}
	memmove(l->hash, l->hash + 1, sizeof l->hash - sizeof *l->hash);
	l->hash[GUARD_TOLD_RUN - 1] = word;
	if (l->n < GUARD_TOLD_RUN)
		l->n++;
	if (l->n < GUARD_TOLD_RUN || t->n < GUARD_TOLD_RUN)
		return NULL;
	slot = slot_of(t, l->hash);
	return *slot != 0 ? slot : NULL;
}

/* The lowest bit of a slot: the words were asked or quoted as well. */
size_t guard_told_find(const struct guard_told *t, struct guard_told_last *l,
		       uint64_t word)
{
	const uint32_t *slot = last_slot(t, l, word);

	return slot == NULL || *slot & 1 ? SIZE_MAX : (*slot >> 1) - 1;
}

/* ---- the texts of a record --------------------------------------------------------- */

/* Adds words to the instructions. */
static void add_told(struct guard_told *t, const char *p, size_t n)
{
	struct ai_words w;

	ai_words_init(&w, p, n);
	while (t->n < GUARD_TOLD_MAX && ai_words_next(&w)) {
		uint64_t h = guard_told_hash(t, &w);

		ai_buf_add(&t->words, &h, sizeof h);
		t->maybe[h / 64 % 256] |= UINT64_C(1) << h % 64;
		ai_buf_chr(&t->weights, (char)guard_told_weight(&w));
		t->n++;
	}
}

static int make_slots(struct guard_told *t, struct ai_err *err)
{
	const uint64_t *words;
	size_t need = 64;

	if (t->words.bad != AI_E_NONE || t->weights.bad != AI_E_NONE)
		return ai_err_nomem(err);
	while (need < 2 * t->n)
		need *= 2;
	if (need > t->n_slots) {
		free(t->slots);
		t->slots = calloc(need, sizeof *t->slots);
		t->n_slots = t->slots != NULL ? need : 0;
		if (t->slots == NULL)
			return ai_err_nomem(err);
	} else {
		memset(t->slots, 0, t->n_slots * sizeof *t->slots);
	}
	words = (const uint64_t *)(const void *)t->words.p;
	for (size_t i = 0; i + GUARD_TOLD_RUN <= t->n; i++) {
		uint32_t *slot = slot_of(t, words + i);

		if (*slot == 0)
			*slot = (uint32_t)(i + 1) << 1;
	}
	return 0;
}

/* What was asked or quoted may be repeated. */
static void add_asked(struct guard_told *t, const char *p, size_t n)
{
	struct guard_told_last l = { .n = 0 };
	struct ai_words w;
	uint32_t *slot;

	ai_words_init(&w, p, n);
	while (ai_words_next(&w))
		if ((slot = last_slot(t, &l, guard_told_hash(t, &w))) != NULL)
			*slot |= 1;
}

typedef void adder(struct guard_told *t, const char *p, size_t n);

static int by_place(const void *key, const void *text)
{
	const struct ai_value *v = key;
	const struct guard_text *x = text;

	return (v->s.p > x->value.s.p) - (v->s.p < x->value.s.p);
}

/* Whether the string is an answer that is looked at. */
static bool is_answer(const struct guard_told *t, struct ai_value v)
{
	const struct guard_text *x =
		t->texts->n == 0 ? NULL
				 : bsearch(&v, t->texts->v, t->texts->n,
					   sizeof *t->texts->v, by_place);

	return x != NULL && x->context == GUARD_ANSWER;
}

/* A string, or the texts of a list of parts. */
static void add_value(struct guard_told *t, struct ai_value v, adder *add)
{
	struct ai_json_iter it;
	struct ai_value part;

	if (v.kind == AI_STRING) {
		if (is_answer(t, v))
			return;
		ai_buf_clear(&t->text);
		ai_json_text(v, &t->text);
		add(t, ai_buf_cstr(&t->text), t->text.len);
	} else if (v.kind == AI_ARRAY) {
		ai_json_iter_init(&it, v);
		while (ai_json_next(&it, NULL, &part))
			if (part.kind == AI_STRING)
				add_value(t, part, add);
			else if (part.kind == AI_OBJECT)
				add_value(t, ai_json_member(part,
							    AI_SPAN("text")),
					  add);
	}
}

static bool is_told(struct ai_value message)
{
	struct ai_value role = ai_json_member(message, AI_SPAN("role"));

	return role.kind == AI_STRING &&
	       (ai_json_is(role, AI_SPAN("system")) ||
		ai_json_is(role, AI_SPAN("developer")));
}

static void add_messages(struct guard_told *t, struct ai_value v, bool told,
			 adder *add)
{
	struct ai_json_iter it;
	struct ai_value message;

	if (v.kind != AI_ARRAY)
		return;
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, NULL, &message))
		if (message.kind == AI_OBJECT && is_told(message) == told)
			add_value(t, ai_json_member(message,
						    AI_SPAN("content")), add);
}

/* Where instructions stand, and what was asked; besides messages and hits. */
static const char *const told_at[] = {
	"instructions", "system", "template", "params.system",
	"params.instructions", "body.instructions", "body.system", NULL,
};
static const char *const asked_at[] = {
	"text", "prompt", "query", "task", "input", "body.input", NULL,
};
static const char *const messages_at[] = {
	"messages", "body.messages", NULL,
};

static void read_asked(struct guard_told *t, const struct ai_rec *rec)
{
	struct ai_value hits = ai_rec_get(rec, "hits");

	for (const char *const *p = asked_at; *p != NULL; p++)
		add_value(t, ai_rec_get(rec, *p), add_asked);
	for (const char *const *p = messages_at; *p != NULL; p++)
		add_messages(t, ai_rec_get(rec, *p), false, add_asked);
	add_value(t, hits, add_asked);
}

int guard_told_read(struct guard_told *t, const struct ai_rec *rec,
		    const struct guard_texts *texts, struct ai_err *err)
{
	size_t i = 0;

	t->n = 0;
	memset(t->maybe, 0, sizeof t->maybe);
	t->texts = texts;
	while (i < texts->n && texts->v[i].context != GUARD_ANSWER)
		i++;
	if (i == texts->n)
		return 0;
	ai_buf_clear(&t->words);
	ai_buf_clear(&t->weights);
	guard_canary_make(&t->leak, GUARD_CANARY_LEAK, rec);
	guard_canary_make(&t->repeat, GUARD_CANARY_REPEAT, rec);
	add_told(t, ai_buf_cstr(&prompt), prompt.len);
	for (const char *const *p = told_at; *p != NULL; p++)
		add_value(t, ai_rec_get(rec, *p), add_told);
	for (const char *const *p = messages_at; *p != NULL; p++)
		add_messages(t, ai_rec_get(rec, *p), true, add_told);
	if (t->n < GUARD_TOLD_RUN)
		return 0;
	if (make_slots(t, err) < 0)
		return -1;
	read_asked(t, rec);
	return t->text.bad == AI_E_MEMORY ? ai_err_nomem(err) : 0;
}
