/*
 * What clients of our MCP server write: however a stream is cut, the same is
 * answered; each answer is one line of JSON-RPC; what is queued is counted; a
 * command line has nothing of the client's but values behind "--name=", and a
 * record is one line of JSON.  The first byte says which tools there are and
 * how calls end.
 * fuzz: bin/agent/serve/session.c bin/agent/serve/era.c bin/agent/serve/put.c
 * fuzz: bin/agent/serve/tools.c bin/agent/serve/ask.c bin/agent/serve/answer.c
 * fuzz: bin/agent/mcp/message.c bin/agent/strlist.c
 */
#include "agent.h"
#include "serve/serve.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "model/paid.h"

#include <math.h>
#include <string.h>

/* Those of main.c and of model/paid.c. */
struct agent_settings agent = { .temperature = NAN, .search_k = 4 };
struct ai_paid_settings ai_paid = { .ledger = "none" };

static char docs[] = "docs", notes[] = "notes", docs_path[] = "/x/docs.idx",
	    notes_path[] = "/y,z/notes.idx", model[] = "openai/a";
static struct serve_index indexes[] = {
	{ docs, docs_path }, { notes, notes_path },
};

/* What programs give back, well and badly. */
static const char *const records[] = {
	"{\"hits\":[{\"rank\":1,\"id\":\"a\",\"text\":\"x\\ud800\",\"meta\":null,"
	"\"source\":{\"uri\":\"u\"}},{\"rank\":2,\"id\":3,\"text\":\"\"}],"
	"\"search\":{\"confident\":true,\"confidence\":0.5},"
	"\"completion\":{\"text\":\"t\",\"model\":\"m\",\"usage\":{}},"
	"\"guard\":{\"verdict\":\"redact\",\"findings\":[]},\"text\":\"r\","
	"\"tokens\":{\"count\":1,\"exact\":true},\"cost\":{\"model\":\"m\"}}",
	"{\"error\":{\"tool\":\"x\",\"code\":\"try_later\",\"message\":\"no\","
	"\"retry_after_s\":2.5,\"guard\":{\"verdict\":\"block\"}}}",
	"{\"hits\":7,\"completion\":[],\"guard\":null,\"tokens\":{},\"error\":{}}",
	"no record",
	"[]",
};

static void begin(struct serve *s, uint8_t how)
{
	memset(s, 0, sizeof(*s));
	ai_buf_init(&s->system, 4096);
	s->indexes = indexes;
	s->n_indexes = how & 3 & (how >> 1 | 1);
	if (s->n_indexes > 2)
		s->n_indexes = 2;
	if (how & 4) {
		s->model = "openai/a,openai/b";
		s->first_model = model;
		s->counts = how & 8;
	}
	if (how & 16)
		ai_buf_str(&s->system, "Be good.");
	agent.max_tokens = how & 32 ? 100 : 0;
	must(serve_init(s, NULL) == 0);
}

static void end(struct serve *s)
{
	serve_release(s);
	ai_buf_release(&s->system);
	must(s->n_calls == 0 && s->bytes == 0);
}

static void check_message(struct ai_value v)
{
	struct ai_value id = ai_json_member(v, AI_SPAN("id")),
			result = ai_json_member(v, AI_SPAN("result")),
			error = ai_json_member(v, AI_SPAN("error"));

	must(v.kind == AI_OBJECT);
	must(ai_json_is(ai_json_member(v, AI_SPAN("jsonrpc")), AI_SPAN("2.0")));
	if (ai_json_member(v, AI_SPAN("method")).kind == AI_STRING) {
		must(id.kind == AI_NONE);
		return;
	}
	must((result.kind == AI_OBJECT) != (error.kind == AI_OBJECT));
	must(id.kind == AI_STRING || id.kind == AI_NUMBER ||
	     (id.kind == AI_NONE && error.kind == AI_OBJECT));
}

/* Lines, each a message or an array of them. */
static void check_out(const struct serve *s)
{
	const char *p = ai_buf_cstr(&s->out), *stop = p + s->out.len, *nl;
	struct ai_json_iter it;
	struct ai_value v, one;

	for (; p < stop; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(stop - p));
		must(nl != NULL);
		must(ai_json_check(p, (size_t)(nl - p), &v, NULL) == 0);
		if (v.kind != AI_ARRAY) {
			check_message(v);
			continue;
		}
		ai_json_iter_init(&it, v);
		while (ai_json_next(&it, NULL, &one))
			check_message(one);
	}
}

static void check_call(const struct serve_call *c)
{
	struct ai_value v;

	must(c->argv.n >= 2 && c->size == c->record.len);
	must(strcmp(c->argv.v[0], c->tool->kind->program) == 0);
	must(strcmp(c->argv.v[1], "-q") == 0);
	for (size_t i = 2; i < c->argv.n; i++)
		must(strncmp(c->argv.v[i], "--", 2) == 0 &&
		     c->argv.v[i][2] >= 'a');
	must(memchr(c->record.p, '\n', c->record.len) == NULL);
	must(ai_json_check(c->record.p, c->record.len, &v, NULL) == 0 &&
	     v.kind == AI_OBJECT);
	/* Paths of files, and settings that are none of his. */
	must(ai_json_member(v, AI_SPAN("images")).kind == AI_NONE);
	must(ai_json_get(v, "params.tools").kind == AI_NONE);
}

/* Takes calls and ends them, all but some. */
static void work(struct serve *s, uint8_t how)
{
	struct ai_err why = { .code = AI_E_BUDGET, .retry_after_s = 3,
			      .msg = "no more" };
	size_t n = sizeof(records) / sizeof(records[0]), i = how;
	struct serve_call *c;

	while ((c = serve_next(s)) != NULL) {
		check_call(c);
		if (++i % 7 == 0)
			continue;
		serve_done(s, c, ai_span_of(records[i % n]),
			   i % 5 == 0 ? &why : NULL);
	}
	serve_tick(s, 1e12);
	must(serve_next_tick(s) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct serve whole, cut;
	size_t piece, n;
	uint8_t how;

	if (size == 0)
		return 0;
	how = data[0];
	piece = 1 + how % 13;
	data++, size--;
	begin(&whole, how);
	serve_take(&whole, (const char *)data, size);
	serve_end(&whole);
	must(!whole.failed);
	check_out(&whole);
	begin(&cut, how);
	for (size_t i = 0; i < size; i += n) {
		n = piece < size - i ? piece : size - i;
		serve_take(&cut, (const char *)data + i, n);
	}
	serve_end(&cut);
	must(whole.out.len == cut.out.len && whole.n_calls == cut.n_calls &&
	     whole.bytes == cut.bytes &&
	     memcmp(ai_buf_cstr(&whole.out), ai_buf_cstr(&cut.out),
		    cut.out.len) == 0);
	end(&cut);
	work(&whole, how);
	must(!whole.failed);
	check_out(&whole);
	end(&whole);
	return 0;
}
