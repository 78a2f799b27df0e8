#include "canary.h"

#include "crypt/hash.h"
#include "crypt/keyfile.h"

#include <string.h>

struct guard_canary_settings guard_canary_settings;
static unsigned char key[AI_KEYFILE_BYTES];
static bool have_key;

int guard_canary_load(struct ai_err *err)
{
	have_key = false;
	if (guard_canary_settings.key == NULL)
		return !guard_canary_settings.repeat ? 0 :
			ai_err_set(err, AI_E_USAGE,
				   "--repeat needs --canary-key");
	if (ai_keyfile_read(guard_canary_settings.key, key, err) < 0)
		return -1;
	have_key = true;
	return 0;
}

void guard_canary_unload(void)
{
	ai_wipe(key, sizeof key);
	have_key = false;
}

/* The record's name, for which a canary holds: "" if it has none. */
static void name_of(const struct ai_rec *rec, struct ai_buf *out)
{
	struct ai_value id = ai_rec_id_value(rec);

	if (guard_canary_settings.session != NULL)
		ai_buf_str(out, guard_canary_settings.session);
	else if (id.kind == AI_STRING)
		ai_json_text(id, out);
	else if (id.kind == AI_NUMBER)
		ai_buf_add(out, id.s.p, id.s.n);
}

void guard_canary_make(struct guard_canary *c, enum guard_canary_use use,
		       const struct ai_rec *rec)
{
	static const char consonants[] = "bdfghjklmnprstvz", vowels[] = "aiou";
	static const char *const purposes[] = {
		[GUARD_CANARY_LEAK] = "ai-guard canary leak 1",
		[GUARD_CANARY_REPEAT] = "ai-guard canary repeat 1",
	};
	struct ai_buf name = AI_BUF_INIT(65536);
	unsigned char sum[AI_SEAL_BYTES];
	struct ai_seal seal;
	size_t n = 0;

	c->known = have_key;
	if (!have_key)
		return;
	name_of(rec, &name);
	ai_seal_init(&seal, key);
	ai_seal_add(&seal, purposes[use], strlen(purposes[use]) + 1);
	ai_seal_add(&seal, ai_buf_cstr(&name), name.len);
	ai_seal_end(&seal, sum);
	ai_buf_release(&name);
	for (size_t i = 0; n < sizeof c->letters; i += 2) {
		unsigned bits = (unsigned)sum[i] << 8 | sum[i + 1];

		c->letters[n++] = consonants[bits >> 12 & 15];
		c->letters[n++] = vowels[bits >> 10 & 3];
		c->letters[n++] = consonants[bits >> 6 & 15];
		c->letters[n++] = vowels[bits >> 4 & 3];
		c->letters[n++] = consonants[bits & 15];
	}
}
