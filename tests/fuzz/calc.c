/*
 * Expressions: a result is a number that reads back as itself, or there is an
 * error for the model.
 * fuzz: bin/agent/tool/builtin-args.c bin/agent/tool/builtin-calc.c bin/agent/tool/decimal.c
 */
#include "tool/builtin.h"
#include "tool/decimal.h"
#include "base/utf8.h"
#include "fuzz.h"

#include <string.h>

static void check_number(const struct ai_buf *text)
{
	struct ai_buf again = AI_BUF_INIT(10000);
	struct agent_decimal d;
	bool neg = text->p[0] == '-';

	must(agent_decimal_parse(&d, (struct ai_span){ text->p + neg,
						       text->len - neg },
				 NULL) == 0);
	d.neg = neg;
	agent_decimal_put(&d, &again);
	must(again.len == text->len &&
	     memcmp(again.p, text->p, text->len) == 0);
	ai_buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct agent_tool tool = { .kind = agent_builtin_calc.kind };
	struct ai_buf args = AI_BUF_INIT(100000);
	struct agent_call c = { .tool = &tool };
	struct ai_err err;

	if (size > 2000 || ai_utf8_valid((const char *)data, size) != size)
		return 0;
	ai_put_open(&args, '{');
	ai_put_key(&args, "expression");
	ai_put_str(&args, (const char *)data, size);
	ai_put_close(&args, '}');
	c.args = (struct ai_span){ args.p, args.len };
	ai_buf_init(&c.text, 10000);
	if (tool.kind->begin(&c, &err) < 0)
		must(err.code == AI_E_RECORD);
	else
		check_number(&c.text);
	ai_buf_release(&c.text);
	ai_buf_release(&args);
	return 0;
}
