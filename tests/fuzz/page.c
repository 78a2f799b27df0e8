/*
 * Answers of servers, and addresses.  Of an answer, what is taken lies within
 * it, and the text of a page is no longer than its parts can make it, with no
 * script in it that was closed.  Of an address, the host is one that the list
 * has, and, where it is not named, none that is not public.
 * fuzz: bin/agent/tool/address.c bin/agent/tool/answer.c bin/agent/tool/page.c lib/common/net/url.c
 */
#include "tool/address.h"
#include "tool/answer.h"
#include "tool/page.h"
#include "fuzz.h"

#include <string.h>

static bool lies_in(struct ai_span part, struct ai_span all)
{
	return part.n == 0 ||
	       (part.p >= all.p && part.p + part.n <= all.p + all.n);
}

static void check_answer(struct ai_span all)
{
	struct ai_buf page = AI_BUF_INIT((size_t)1 << 24);
	struct agent_answer a;

	if (agent_answer_read(all, &a)) {
		must(a.status >= 200 && a.status <= 999);
		must(lies_in(a.type, all) && lies_in(a.location, all) &&
		     lies_in(a.body, all));
		all = a.body;
	}
	agent_page_text(all, &page);
	/* A reference of four bytes stands for at most eight, an address is
	 * told once more, a tag is two line ends. */
	must(page.bad == AI_E_NONE && page.len <= all.n * 4 + 16);
	ai_buf_release(&page);
}

static void check_url(const char *url)
{
	const char *const named[] = { "example.org", "[::1]:8080", NULL },
		*const any[] = { "*", NULL };
	struct agent_target t;
	char bare[264];

	if (agent_target_of(&t, url, named, NULL) == 0)
		must(t.named && ((strcmp(t.host, "example.org") == 0 &&
				  (t.port == 80 || t.port == 443)) ||
				 (strcmp(t.host, "[::1]") == 0 &&
				  t.port == 8080)));
	if (agent_target_of(&t, url, any, NULL) < 0)
		return;
	must(!t.named && (t.port == 80 || t.port == 443));
	snprintf(bare, sizeof bare, "%.*s", (int)strcspn(t.host + 1, "]") + 1,
		 t.host);
	if (t.literal)
		must(agent_address_is_public(bare + (bare[0] == '[')));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	check_answer((struct ai_span){ (const char *)data, size });
	if (strlen(text) == size)
		check_url(text);
	free(text);
	return 0;
}
