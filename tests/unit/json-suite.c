/*
 * JSONTestSuite: y_ files are accepted, n_ files refused, and for the i_
 * files, where RFC 8259 leaves the choice, the table below says what we do
 * and why.  The second reader, ai_tree_parse(), has to agree.
 */
#include "record/json.h"
#include "record/schema-tree.h"
#include "shared.h"

#define SUITE "data/suites/json-parsing/test_parsing"

#define NUMBER "a number is text: no program has to compute with it"
#define LONE "a lone surrogate is legal as an escape; it decodes to U+FFFD"
#define ENCODING "RFC 8259 section 8.1: UTF-8 only"
#define INVALID "not UTF-8 as RFC 3629 has it"

static const struct choice {
	const char *name;
	bool accepted;
	const char *why;
} choices[] = {
	{ "i_number_double_huge_neg_exp", true, NUMBER },
	{ "i_number_huge_exp", true, NUMBER },
	{ "i_number_neg_int_huge_exp", true, NUMBER },
	{ "i_number_pos_double_huge_exp", true, NUMBER },
	{ "i_number_real_neg_overflow", true, NUMBER },
	{ "i_number_real_pos_overflow", true, NUMBER },
	{ "i_number_real_underflow", true, NUMBER },
	{ "i_number_too_big_neg_int", true, NUMBER },
	{ "i_number_too_big_pos_int", true, NUMBER },
	{ "i_number_very_big_negative_int", true, NUMBER },
	{ "i_object_key_lone_2nd_surrogate", true, LONE },
	{ "i_string_1st_surrogate_but_2nd_missing", true, LONE },
	{ "i_string_1st_valid_surrogate_2nd_invalid", true, LONE },
	{ "i_string_UTF-16LE_with_BOM", false, ENCODING },
	{ "i_string_UTF-8_invalid_sequence", false, INVALID },
	{ "i_string_UTF8_surrogate_U+D800", false, INVALID },
	{ "i_string_incomplete_surrogate_and_escape_valid", true, LONE },
	{ "i_string_incomplete_surrogate_pair", true, LONE },
	{ "i_string_incomplete_surrogates_escape_valid", true, LONE },
	{ "i_string_invalid_lonely_surrogate", true, LONE },
	{ "i_string_invalid_surrogate", true, LONE },
	{ "i_string_invalid_utf-8", false, INVALID },
	{ "i_string_inverted_surrogates_U+1D11E", true, LONE },
	{ "i_string_iso_latin_1", false, INVALID },
	{ "i_string_lone_second_surrogate", true, LONE },
	{ "i_string_lone_utf8_continuation_byte", false, INVALID },
	{ "i_string_not_in_unicode_range", false, INVALID },
	{ "i_string_overlong_sequence_2_bytes", false, INVALID },
	{ "i_string_overlong_sequence_6_bytes", false, INVALID },
	{ "i_string_overlong_sequence_6_bytes_null", false, INVALID },
	{ "i_string_truncated-utf-8", false, INVALID },
	{ "i_string_utf16BE_no_BOM", false, ENCODING },
	{ "i_string_utf16LE_no_BOM", false, ENCODING },
	{ "i_structure_500_nested_arrays", false,
	  "deeper than AI_JSON_DEPTH" },
	{ "i_structure_UTF-8_BOM_empty_object", false,
	  "RFC 8259 section 8.1: a BOM may be refused" },
};

static unsigned seen_choices;

static const struct choice *choice_of(const char *file)
{
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
		size_t n = strlen(choices[i].name);

		if (strncmp(file, choices[i].name, n) == 0 &&
		    strcmp(file + n, ".json") == 0)
			return &choices[i];
	}
	return NULL;
}

/* The tree refuses what the scanner does, and the same key twice. */
static bool tree_agrees(const struct ai_buf *text, bool accepted)
{
	struct ai_tree tree;
	struct ai_err err;
	bool parsed = ai_tree_parse(&tree, text->p, text->len, &err) == 0;

	if (parsed)
		ai_tree_release(&tree);
	return parsed == accepted ||
	       (accepted && strstr(err.msg, "there twice") != NULL);
}

static void run(const char *path, const char *name)
{
	const struct choice *c = choice_of(name);
	bool want = c != NULL ? c->accepted : name[0] == 'y';
	struct ai_err err = { .msg = "" };
	struct ai_value v = { AI_NONE, { NULL, 0 } };
	struct ai_buf text;
	bool got;

	if (shared_read(path, &text) < 0) {
		ok(0, "cannot read %s", name);
		return;
	}
	seen_choices += c != NULL;
	got = ai_json_check(text.p, text.len, &v, &err) == 0;
	ok(got == want && (name[0] != 'i' || c != NULL) &&
	   got == (v.kind != AI_NONE) && tree_agrees(&text, got),
	   "%s: %s%s%s%s%s", name, got ? "accepted" : "refused",
	   got ? "" : ", ", err.msg, c == NULL ? "" : ": ",
	   c == NULL ? "" : c->why);
	ai_buf_release(&text);
}

int main(void)
{
	char *dir = shared_path(SUITE);

	if (dir != NULL) {
		ok(shared_each(dir, run) == 318, "318 files");
		ok(seen_choices == sizeof choices / sizeof *choices,
		   "every i_ file is in the table");
	}
	free(dir);
	return done();
}
