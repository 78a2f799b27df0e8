/*
 * Lines made for a provider's batch: whatever is in them, what becomes of one
 * is JSON with a list of messages, or an error that says why.
 * fuzz: bin/complete/batch.c bin/complete/batch-openai.c bin/complete/batch-anthropic.c lib/common/model/strict.c lib/common/model/wire.c
 */
#include "../../bin/complete/complete.h"
#include "fuzz.h"

#include <string.h>

/* What the options set, without the programs that set it. */
struct complete_settings complete_settings;
struct ai_client_settings ai_client;
struct ai_loop_settings ai_loop;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct complete_params p;
	struct ai_rec rec;
	struct ai_err err = { AI_E_NONE, -1, "" };

	memset(&p, 0, sizeof p);
	ai_buf_init(&p.made, COMPLETE_MADE_MAX);
	ai_rec_init(&rec);
	if (ai_rec_parse(&rec, (struct ai_span){ (const char *)data, size }, 1,
			 &err) == 0) {
		if (complete_batch_take(&rec, &p, &err) < 0)
			must(err.code == AI_E_RECORD);
		else if (p.body.kind != AI_NONE)
			must(p.body.kind == AI_OBJECT && p.where != NULL &&
			     ai_json_get(p.body, "messages").kind == AI_ARRAY);
	}
	ai_rec_release(&rec);
	ai_buf_release(&p.made);
	return 0;
}
