/*
 * What chat messages, tools and pictures count: the first byte chooses for
 * whom; the rest is a record with messages and tools, and a picture's file.
 */
/* fuzz: lib/common/model/chat_tokens.c lib/common/model/tool_tokens.c lib/common/model/image_tokens.c lib/common/model/estimate.c */
#include "fuzz.h"
#include "model/chat_tokens.h"
#include "model/image_tokens.h"

#include <string.h>
#include <unistd.h>

/* The tables are where the build put them; the fuzzer runs elsewhere. */
static const struct ai_bpe *encoding(void)
{
	static struct ai_bpe *bpe;
	const char *build = getenv("BUILDDIR");
	struct ai_err err;
	char path[4096];

	if (bpe != NULL)
		return bpe;
	snprintf(path, sizeof path, "%s/share/aiutils",
		 build != NULL ? build : "../../..");
	setenv("AI_DATADIR", path, 0);
	must(ai_bpe_open(&bpe, "r50k_base", &err) == 0);
	return bpe;
}

static void picture(const char *model, const void *p, size_t n)
{
	struct ai_image_size size = { 0, 0 };
	struct ai_range r, all = ai_image_tokens(model, size, AI_DETAIL_AUTO);

	must(all.low <= all.count && all.count <= all.high);
	if (!ai_image_size(p, n, &size))
		return;
	must(size.width > 0 && size.height > 0);
	r = ai_image_tokens(model, size, AI_DETAIL_HIGH);
	must(r.low <= r.count && r.count <= r.high);
	/* Strips of no height are more tiles than any picture has. */
	if (size.width < 4 * size.height && size.height < 4 * size.width)
		must(r.high <= 50000);
}

static void texts(const char *p, size_t n)
{
	struct ai_estimate e = { { 0 } };
	struct ai_range r;
	struct ai_err err;

	must(ai_estimate_add(&e, encoding(), p, n, 0, &err) == 0);
	r = ai_estimate_of(&e, NULL);
	must(r.low == r.high && r.count <= n && (r.count > 0) == (n > 0));
	r = ai_estimate_of(&e, ai_kin_unknown());
	must(r.low <= r.count && r.count <= r.high && (r.low > 0) == (n > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const models[] = { NULL, "gpt-4", "gpt-5-mini",
		"claude-opus-5", "gemini-2.5-pro", "gemini-3-pro", "llama3" };
	struct ai_buf text = AI_BUF_INIT(1 << 24);
	struct ai_chat chat = { encoding(), 0, NULL, NULL };
	struct ai_value v;
	struct ai_range r;
	struct ai_err err;

	if (size == 0)
		return 0;
	chat.model = models[data[0] % (sizeof models / sizeof *models)];
	chat.kin = chat.model == NULL ? NULL : ai_kin_of(chat.model);
	data++;
	size--;
	picture(chat.model, data, size);
	texts((const char *)data, size);
	if (ai_json_check((const char *)data, size, &v, &err) == 0 &&
	    ai_chat_count(&chat, ai_json_get(v, "messages"),
			  ai_json_get(v, "tools"), &text, &r, &err) == 0) {
		must(r.low <= r.count && r.count <= r.high);
		/* A picture is a few bytes. */
		must(r.count <= 1000 + size * 1500);
	}
	ai_buf_release(&text);
	return 0;
}
