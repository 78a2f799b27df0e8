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
	guard_told_init_letters(t);
}

void guard_told_release(struct guard_told *t)
{
	ai_buf_release(&t->text);
	ai_buf_release(&t->words);
	ai_buf_release(&t->weights);
	ai_buf_release(&t->seen);
	ai_buf_release(&t->letters.hashes);
	free(t->runs.v);
	free(t->letters.slots.v);
	memset(t, 0, sizeof *t);
}

/* ---- runs of words ----------------------------------------------------------------- */

uint64_t guard_told_hash(const struct guard_told *t, const struct ai_words *w)
{
	uint64_t h = t->seed;

	for (size_t i = 0; i < w->n; i++)
		h = guard_told_mix(h, w->cp[i]);
	return guard_told_mix(h, w->n);
}

unsigned guard_told_weight(const struct ai_words *w)
{
	return w->n == 1 && w->cp[0] >= 0xE00 ? 1 : 2;
}

int guard_told_slots_clear(struct guard_told_slots *s, size_t n,
			   struct ai_err *err)
{
	size_t need = 64;

	while (need < 2 * n)
		need *= 2;
	if (need <= s->n) {
		memset(s->v, 0, s->n * sizeof *s->v);
		return 0;
	}
	free(s->v);
	s->v = calloc(need, sizeof *s->v);
	s->n = s->v != NULL ? need : 0;
	return s->v == NULL ? ai_err_nomem(err) : 0;
}

/* The slot of these words: theirs, or a free one. */
static uint32_t *slot_of(const struct guard_told *t, const uint64_t *run)
{
	const uint64_t *words = (const uint64_t *)(const void *)t->words.p;
	const struct guard_told_slots *s = &t->runs;
	uint64_t h = t->seed;
	size_t i;

	for (i = 0; i < GUARD_TOLD_RUN; i++)
		h = guard_told_mix(h, run[i]);
	for (i = h & (s->n - 1); s->v[i] != 0; i = (i + 1) & (s->n - 1))
		if (memcmp(words + (s->v[i] >> 1) - 1, run,
			   GUARD_TOLD_RUN * sizeof *run) == 0)
			break;
	return &s->v[i];
}

static void add_last(struct guard_told_last *l, uint64_t word, size_t from,
		     bool gap)
{
	for (size_t i = 0; i + 1 < GUARD_TOLD_RUN; i++) {
		l->hash[i] = l->hash[i + 1];
		l->from[i] = l->from[i + 1];
	}
	l->hash[GUARD_TOLD_RUN - 1] = word;
	l->from[GUARD_TOLD_RUN - 1] = from;
	l->gaps = l->gaps << 1 | gap;
	l->n++;
}

/* Which of several ways to read has the word. */
static size_t second(const struct guard_told_reader *r)
{
	return GUARD_TOLD_SECOND + r->known % 2;
}

static size_t third(const struct guard_told_reader *r)
{
	return GUARD_TOLD_THIRD + r->known % 3;
}

bool guard_told_read_word(const struct guard_told *t,
			  struct guard_told_reader *r, uint64_t word,
			  size_t from)
{
	if (!(t->maybe[word / 64 % 256] >> word % 64 & 1)) {
		if (++r->skipped > GUARD_TOLD_SKIP)
			for (size_t i = 0; i < GUARD_TOLD_WAYS; i++)
				r->last[i].n = 0;
		return false;
	}
	r->known++;
	add_last(&r->last[GUARD_TOLD_WORDS], word, from, r->skipped > 0);
	add_last(&r->last[second(r)], word, from, true);
	add_last(&r->last[third(r)], word, from, true);
	r->skipped = 0;
	return true;
}

static uint32_t *find_slot(const struct guard_told *t,
			   const struct guard_told_reader *r,
			   enum guard_told_way way)
{
	const struct guard_told_last *l = &r->last[way];
	uint64_t back[GUARD_TOLD_RUN];
	uint32_t *slot;

	if (way == GUARD_TOLD_BACK)
		l = &r->last[GUARD_TOLD_WORDS];
	else if (way > GUARD_TOLD_BACK && way != second(r) && way != third(r))
		return NULL;
	if (l->n < GUARD_TOLD_RUN || t->n < GUARD_TOLD_RUN)
		return NULL;
	for (size_t i = 0; i < GUARD_TOLD_RUN; i++)
		back[i] = l->hash[GUARD_TOLD_RUN - 1 - i];
	slot = slot_of(t, way == GUARD_TOLD_BACK ? back : l->hash);
	return *slot != 0 ? slot : NULL;
}

/* The lowest bit of a slot: the words were asked or quoted as well. */
size_t guard_told_find(const struct guard_told *t,
		       const struct guard_told_reader *r,
		       enum guard_told_way way)
{
	const uint32_t *slot = find_slot(t, r, way);

	return slot == NULL || *slot & 1 ? SIZE_MAX : (*slot >> 1) - 1;
}

/* ---- the texts of a record --------------------------------------------------------- */

/* Adds words to the instructions. */
static void add_told(struct guard_told *t, const char *p, size_t n)
{
	struct guard_told_spelled spelled = { .n = 0 };
	struct ai_words w;

	ai_words_init(&w, p, n);
	while (t->n < GUARD_TOLD_MAX && ai_words_next(&w)) {
		uint64_t h = guard_told_hash(t, &w);

		ai_buf_add(&t->words, &h, sizeof h);
		t->maybe[h / 64 % 256] |= UINT64_C(1) << h % 64;
		ai_buf_chr(&t->weights, (char)guard_told_weight(&w));
		t->n++;
		for (size_t i = 0; i < w.n; i++)
			guard_told_add_letter(t, &spelled, w.cp[i]);
	}
}

static int make_slots(struct guard_told *t, struct ai_err *err)
{
	const uint64_t *words;

	if (t->words.bad != AI_E_NONE || t->weights.bad != AI_E_NONE)
		return ai_err_nomem(err);
	if (guard_told_slots_clear(&t->runs, t->n, err) < 0)
		return -1;
	words = (const uint64_t *)(const void *)t->words.p;
	for (size_t i = 0; i + GUARD_TOLD_RUN <= t->n; i++) {
		uint32_t *slot = slot_of(t, words + i);

		if (*slot == 0)
			*slot = (uint32_t)(i + 1) << 1;
	}
	return guard_told_index_letters(t, err);
}

/* What was asked or quoted may be repeated. */
static void add_asked(struct guard_told *t, const char *p, size_t n)
{
	struct guard_told_spelled spelled = { .n = 0 };
	struct guard_told_reader r;
	struct ai_words w;
	uint32_t *slot;

	memset(&r, 0, sizeof r);
	ai_words_init(&w, p, n);
	while (ai_words_next(&w)) {
		for (size_t i = 0; i < w.n; i++)
			guard_told_spell(t, &spelled, w.cp[i], true);
		if (!guard_told_read_word(t, &r, guard_told_hash(t, &w), 0))
			continue;
		for (int k = 0; k < GUARD_TOLD_WAYS; k++)
			if ((slot = find_slot(t, &r,
					      (enum guard_told_way)k)) != NULL)
				*slot |= 1;
	}
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
	return guard_role_context(ai_json_member(message, AI_SPAN("role"))) ==
		GUARD_SYSTEM;
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

/* Where what was asked stands, besides messages and hits. */
static const char *const asked_at[] = {
	"text", "prompt", "query", "task", "input", "body.input", NULL,
};
static const char *const messages_at[] = {
	"messages", "body.messages", "params.messages", NULL,
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
	ai_buf_clear(&t->letters.hashes);
	t->letters.n = 0;
	guard_canary_make(&t->leak, GUARD_CANARY_LEAK, rec);
	guard_canary_make(&t->repeat, GUARD_CANARY_REPEAT, rec);
	add_told(t, ai_buf_cstr(&prompt), prompt.len);
	for (const char *const *p = guard_prompts_at; *p != NULL; p++)
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
