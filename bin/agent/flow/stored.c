#include "flow/stored.h"

#include <stdlib.h>
#include <string.h>

void flow_put_kept(const struct flow *f, struct ai_buf *setup)
{
	ai_put_key(setup, "file");
	ai_put_cstr(setup, f->path);
	ai_put_key(setup, "flow");
	ai_put_raw(setup, f->json, strlen(f->json));
}

bool flow_is_setup(struct ai_span setup)
{
	struct ai_err err;
	struct ai_value v;

	/* The run of one of its agents has its name, too. */
	return ai_json_check(setup.p, setup.n, &v, &err) == 0 &&
		ai_json_member(v, AI_SPAN("flow")).kind == AI_OBJECT &&
		ai_json_member(v, AI_SPAN("agent")).kind == AI_NONE;
}

int flow_of_setup(struct ai_span setup, const char *run, struct flow *f,
		  struct ai_err *err)
{
	struct ai_buf name = AI_BUF_INIT(4096);
	struct ai_value v, flow;
	char *text;
	int rc;

	memset(f, 0, sizeof(*f));
	if (ai_json_check(setup.p, setup.n, &v, err) < 0)
		return ai_err_set(err, AI_E_DATA, "the run '%.80s' is damaged "
				  "in the ledger", run);
	flow = ai_json_member(v, AI_SPAN("flow"));
	if (flow.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_USAGE, "the run '%.80s' is of no "
				  "workflow", run);
	ai_json_text(ai_json_member(v, AI_SPAN("file")), &name);
	text = ai_span_dup(flow.s);
	rc = text == NULL ? ai_err_nomem(err) :
		flow_parse(f, text, flow.s.n, ai_buf_cstr(&name), "/", err);
	free(text);
	ai_buf_release(&name);
	return rc;
}
