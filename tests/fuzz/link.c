/* Addresses in a text: each is a part of it, in order where that is promised;
 * what is read of one is bounded by it.
 * fuzz: bin/guard/address.c bin/guard/fence.c bin/guard/link.c */
#include "../../bin/guard/address.h"
#include "../../bin/guard/fence.h"
#include "../../bin/guard/link.h"
#include "fuzz.h"

#include <string.h>

struct seen {
	struct ai_span text;
	size_t n;
};

static int each(void *arg, const struct guard_link *l)
{
	struct seen *s = arg;
	struct guard_address a;

	s->n++;
	must(l->address.n > 0 && l->use < GUARD_LINK_USES);
	must(l->address.p >= s->text.p &&
	     l->address.p + l->address.n <= s->text.p + s->text.n);
	must(l->words.n == 0 ||
	     (l->words.p >= s->text.p &&
	      l->words.p + l->words.n <= l->address.p));
	guard_address_read(l->address, l->use == GUARD_LINK_FETCHED, &a);
	must(memchr(a.host, '\0', sizeof a.host) != NULL);
	must(a.words <= l->address.n && a.text <= l->address.n);
	must(a.coded <= l->address.n && a.coded_path <= l->address.n);
	must(*a.host == '\0' || guard_host_in(a.host, a.host) ||
	     *a.host == '.' || *a.host == '*');
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen s = { .text = { (const char *)data, size } };
	struct guard_fence f, g;
	struct guard_address a;

	must(guard_links(s.text, each, &s) == 0);
	/* No byte begins more than two. */
	must(s.n <= 2 * size);
	guard_address_read(s.text, false, &a);
	guard_fence_init(&f, s.text);
	for (size_t i = 0; i < size; i++) {
		bool in = guard_fence_at(&f, i);

		/* It does not matter what was asked before. */
		if (i % 16 != 0)
			continue;
		guard_fence_init(&g, s.text);
		must(guard_fence_at(&g, i) == in);
	}
	return 0;
}
