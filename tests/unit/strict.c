/* model/strict: which schemas a provider can hold an answer to. */
#include "model/wire.h"

#include "tap.h"

#include <string.h>

enum { NEITHER, CLOSED, STRICT, BOTH };

#define LEAF "{\"type\":\"string\"}"
#define WHOLE "\"additionalProperties\":false,\"required\":[\"a\"]"

static const struct {
	const char *schema;
	int which;
} cases[] = {
	{ "{\"type\":\"object\",\"properties\":{\"a\":" LEAF "}," WHOLE "}",
	  BOTH },
	/* Not closed; not all required. */
	{ "{\"type\":\"object\",\"properties\":{\"a\":" LEAF "}}", NEITHER },
	{ "{\"type\":\"object\",\"properties\":{\"a\":" LEAF "},"
	  "\"additionalProperties\":true,\"required\":[\"a\"]}", NEITHER },
	{ "{\"type\":\"object\",\"properties\":{\"a\":" LEAF "},"
	  "\"additionalProperties\":" LEAF ",\"required\":[\"a\"]}", NEITHER },
	{ "{\"type\":\"object\",\"properties\":{\"a\":" LEAF ",\"b\":" LEAF "},"
	  WHOLE "}", CLOSED },
	/* Deep within. */
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\","
	  "\"items\":{\"type\":\"object\",\"properties\":{\"a\":" LEAF "},"
	  WHOLE "}}}," WHOLE "}", BOTH },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\","
	  "\"items\":{\"type\":\"object\"}}}," WHOLE "}", NEITHER },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"anyOf\":[" LEAF ","
	  "{\"type\":[\"object\",\"null\"]}]}}," WHOLE "}", NEITHER },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":"
	  "\"#/$defs/x\"}}," WHOLE ",\"$defs\":{\"x\":{\"type\":\"null\"}}}",
	  BOTH },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":"
	  "\"https://x/y\"}}," WHOLE "}", NEITHER },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},"
	  WHOLE "}", STRICT },
	/* Keywords that one of them knows, or neither. */
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\","
	  "\"minimum\":1}}," WHOLE "}", STRICT },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\","
	  "\"default\":1}}," WHOLE "}", NEITHER },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\","
	  "\"minItems\":2,\"items\":" LEAF "}}," WHOLE "}", STRICT },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\","
	  "\"minItems\":1,\"items\":" LEAF "}}," WHOLE "}", BOTH },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"allOf\":[" LEAF "]}},"
	  WHOLE "}", CLOSED },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[1,null]}},"
	  WHOLE "}", BOTH },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[[1]]}},"
	  WHOLE "}", NEITHER },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"const\":{}}},"
	  WHOLE "}", NEITHER },
	{ "{\"$schema\":\"x\",\"type\":\"object\",\"properties\":{\"a\":"
	  LEAF "}," WHOLE "}", BOTH },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"$schema\":\"x\","
	  "\"type\":\"null\"}}," WHOLE "}", NEITHER },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"oneOf\":[" LEAF "]}},"
	  WHOLE "}", NEITHER },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\","
	  "\"format\":\"date\"}}," WHOLE "}", BOTH },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\","
	  "\"format\":\"iri\"}}," WHOLE "}", NEITHER },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\","
	  "\"format\":\"uri\"}}," WHOLE "}", CLOSED },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{}}," WHOLE "}",
	  NEITHER },
	{ "{\"type\":\"object\",\"properties\":{\"a\":true}," WHOLE "}",
	  NEITHER },
	/* The whole is no object. */
	{ "{\"type\":\"array\",\"items\":" LEAF "}", NEITHER },
	{ "{\"anyOf\":[" LEAF "]}", NEITHER },
	{ "{}", NEITHER }, { "true", NEITHER }, { "", NEITHER },
	{ "{\"type\":", NEITHER },
	{ "{\"type\":\"object\",\"properties\":7," WHOLE "}", NEITHER },
};

/* Objects within objects: so deep, and no deeper. */
static void test_depth(void)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);

	for (int depth = 1; depth <= 60; depth += 59) {
		ai_buf_clear(&b);
		for (int i = 0; i < depth; i++)
			ai_buf_str(&b, "{\"type\":\"object\"," WHOLE
				   ",\"properties\":{\"a\":");
		ai_buf_str(&b, LEAF);
		for (int i = 0; i < depth; i++)
			ai_buf_str(&b, "}}");
		ok(ai_schema_is_strict((struct ai_span){ b.p, b.len }) ==
		   (depth == 1), "%d objects", depth);
	}
	ai_buf_release(&b);
}

static void test_put(void)
{
	static const struct {
		const char *schema, *sent;
	} puts[] = {
		{ "{\"$schema\":\"x\",\"type\":\"object\", \"a\":[1, 2]}",
		  "{\"type\":\"object\",\"a\":[1, 2]}" },
		{ "{\"a\":1,\"$schema\":\"x\"}", "{\"a\":1}" },
		{ "{}", "{}" }, { "true", "true" },
	};
	struct ai_buf b = AI_BUF_INIT(1000);

	for (size_t i = 0; i < sizeof puts / sizeof *puts; i++) {
		ai_buf_clear(&b);
		ai_schema_put(&b, ai_span_of(puts[i].schema));
		ok(strcmp(ai_buf_cstr(&b), puts[i].sent) == 0, "sent: %s",
		   puts[i].schema);
	}
	ai_buf_release(&b);
}

int main(void)
{
	struct ai_span s;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		s = ai_span_of(cases[i].schema);
		ok((int)ai_schema_is_closed(s) == (cases[i].which & CLOSED) &&
		   ai_schema_is_strict(s) == ((cases[i].which & STRICT) != 0),
		   "%.70s", cases[i].schema);
	}
	test_depth();
	test_put();
	s = ai_span_of("{\"type\":\"object\"}");
	ok(ai_wire_has_schema(&ai_wire_openai, s) &&
	   ai_wire_has_schema(&ai_wire_gemini, s) &&
	   !ai_wire_has_schema(&ai_wire_anthropic, s) &&
	   !ai_wire_has_schema(&ai_wire_bedrock, s), "who takes an open one");
	ok(ai_wire_has_schema(&ai_wire_anthropic,
			      ai_span_of(cases[0].schema)), "and a closed one");
	return done();
}
