/*
 * What an answer leaks: the input is instructions, a question and an answer, with
 * 0x1F between.  Whatever they are, what is found lies in the answer; what was
 * asked word for word is no leak; and the canary is found where it is put, with
 * letters of the input between its own.
 */
/* fuzz: bin/guard/leak.c bin/guard/told.c bin/guard/told-letters.c */
/* fuzz: bin/guard/canary.c bin/guard/canary-scan.c bin/guard/find.c */
#include "../../bin/guard/guard.h"
#include "../../bin/guard/told.h"

#include "base/utf8.h"
#include "fuzz.h"
#include "text/view-build.h"

#include <string.h>

/* Its records have no messages; subject.c would bring all of the program. */
const char *const guard_prompts_at[] = { "instructions", NULL };

enum guard_context guard_role_context(struct ai_value role)
{
	(void)role;
	return GUARD_USER;
}

#define GAP 4 /* letters between two of the canary, at most */

static const struct guard_canary canary = { true, "samubgopuzvaboljakuf" };

static struct ai_span next_part(struct ai_span *rest)
{
	const char *end = rest->n > 0 ? memchr(rest->p, 0x1F, rest->n) : NULL;
	struct ai_span part = { rest->p, end != NULL ? (size_t)(end - rest->p)
						     : rest->n };

	rest->p += part.n + (end != NULL);
	rest->n -= part.n + (end != NULL);
	return part;
}

static int on_hit(void *arg, const struct guard_canary_hit *hit)
{
	struct guard_canary_hit *last = arg;

	must(hit->from < hit->to && hit->to <= last->from);
	must(hit->letters >= GUARD_CANARY_LETTERS / 2 &&
	     hit->letters <= GUARD_CANARY_LETTERS);
	if (hit->letters == GUARD_CANARY_LETTERS)
		last->letters++;
	return 0;
}

/* The canary with what the text has between its letters. */
static void spread(struct ai_span text)
{
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 24);
	struct guard_canary_hit seen = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < GUARD_CANARY_LETTERS; i++) {
		ai_buf_chr(&b, canary.letters[i]);
		for (size_t n = 0; at < text.n && n < GAP &&
		     i + 1 < GUARD_CANARY_LETTERS; at++) {
			ai_buf_chr(&b, text.p[at]);
			n += ai_view_alpha(text.p[at]);
			if (text.p[at] % 4 == 0)
				break;
		}
	}
	seen.from = b.len;
	must(guard_canary_find(&canary, (struct ai_span){ b.p, b.len }, on_hit,
			       &seen) == 0);
	must(seen.letters >= 1);
	ai_buf_release(&b);
}

static void look(struct ai_span told, struct ai_span asked, struct ai_span text)
{
	struct ai_buf line = AI_BUF_INIT((size_t)1 << 24);
	struct guard_findings f = { 0 };
	struct guard_text answer = { .context = GUARD_ANSWER };
	struct guard_texts texts = { .v = &answer, .n = 1 };
	struct guard_told t;
	struct ai_rec rec;
	struct ai_err err;
	struct ai_view v = { .name = "text", .text = text };

	ai_put_open(&line, '{');
	ai_put_key(&line, "instructions");
	ai_put_str(&line, told.p, told.n);
	ai_put_key(&line, "prompt");
	ai_put_str(&line, asked.p, asked.n);
	ai_put_close(&line, '}');
	ai_rec_init(&rec);
	must(ai_rec_parse(&rec, (struct ai_span){ line.p, line.len }, 1, &err) ==
	     0);
	guard_told_init(&t);
	must(guard_told_read(&t, &rec, &texts, &err) == 0);
	t.leak = canary;
	f.told = &t;
	must(guard_leak(&v, GUARD_ANSWER, &f, &err) == 0);
	for (size_t i = 0; i < f.n; i++) {
		must(f.v[i].kind == GUARD_LEAK && f.v[i].from < f.v[i].to);
		must(f.v[i].to <= text.n);
		must(f.v[i].score > 0 && f.v[i].score <= 1);
		/* Found in what was asked: only the canary can be. */
		must(asked.n != text.n || memcmp(asked.p, text.p, text.n) != 0 ||
		     strcmp(f.v[i].rule, "canary") == 0);
	}
	guard_findings_release(&f);
	guard_told_release(&t);
	ai_rec_release(&rec);
	ai_buf_release(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ai_span rest = { (const char *)data, size }, part[3];

	if (size > 1 << 20 || ai_utf8_valid(rest.p, size) != size)
		return 0;
	for (int i = 0; i < 3; i++)
		part[i] = next_part(&rest);
	look(part[0], part[1], part[2]);
	spread(part[2]);
	return 0;
}
