#include "shape.h"

#include "base/msg.h"
#include "base/path.h"
#include "text/vector.h"

#include <stdlib.h>
#include <string.h>

/* One query on its way. */
struct query {
	struct search_index *ix;
	struct ai_rec *rec;
	struct ai_buf text;
	struct search_asked asked;
	float *vector; /* owned */
	enum search_mode mode;
	struct search_info info; /* with the rule and weights of this query */
	struct search_filter filter;
	struct search_top dense, sparse;
	struct search_list list;
	struct search_expansion *expanded; /* owned; of the first `answered` */
	size_t answered;
};

/* ---- what is asked ------------------------------------------------------------- */

/* -p, or the first there is of these; none is fine with an embedding. */
static int read_text(struct query *q, struct ai_err *err)
{
	static const char *const usual[] = {
		"query", "prompt", "text", NULL
	};
	const char *path = ai_loop.path != NULL ? ai_loop.path
						: ai_rec_first(q->rec, usual);

	if (path != NULL)
		return ai_rec_text(q->rec, path, &q->text, err);
	if (ai_rec_get(q->rec, "embedding").kind != AI_NONE)
		return 0;
	return ai_err_set(err, AI_E_RECORD, "the record has none of the "
			  "members 'query', 'prompt' and 'text'");
}

/* ---- vectors from ai-embed ------------------------------------------------------ */

static int start_embedder(struct search_index *ix, struct ai_err *err)
{
	const char *argv[] = { "ai-embed", "-m", ix->info.model, NULL };
	struct ai_err why;

	if (ix->embedder.pid != 0 ||
	    ai_proc_sibling(&ix->embedder, argv, err) == 0)
		return 0;
	why = *err;
	return ai_err_set(err, why.code, "the query needs a vector of %.80s, "
			  "which ai-embed makes: %.180s; put it beside "
			  "ai-search or on PATH, or use --mode sparse",
			  ix->info.model, why.msg);
}

static int read_answer(struct search_index *ix, struct ai_span line,
		       float **vec, size_t *dim, struct ai_err *err)
{
	struct ai_rec rec;
	char model[200];
	int rc = -1;

	ai_rec_init(&rec);
	if (ai_rec_parse(&rec, line, 0, err) == 0)
		rc = ai_rec_is_error(&rec)
			? ai_rec_take_error(&rec, "the query could not be "
					    "embedded", err)
			: search_read_embedding(&rec, &ix->info, model, vec,
						dim, err);
	ai_rec_release(&rec);
	if (rc == 0 && *vec == NULL)
		return ai_err_set(err, AI_E_ANSWER,
				  "ai-embed gave no embedding");
	return rc;
}

/* Puts the class of its exit status on what went wrong. */
static void embedder_ended(struct search_index *ix, struct ai_err *err)
{
	int status;
	enum ai_code c = ai_proc_ended(&ix->embedder, &status);

	if (c != AI_E_NONE)
		ai_err_set(err, c, "the query could not be embedded: ai-embed "
			   "-m %.100s ended with status %d (%s); --mode "
			   "sparse needs no vector", ix->info.model, status,
			   ai_code_text(c));
}

static int ask_embedder(struct query *q, size_t *dim, struct ai_err *err)
{
	struct search_index *ix = q->ix;
	struct ai_buf line = AI_BUF_INIT(SEARCH_TEXT_MAX);
	int rc = -1;

	ai_put_open(&line, '{');
	/* So named, models that tell queries from documents know it. */
	ai_put_key(&line, "query");
	ai_put_str(&line, ai_buf_cstr(&q->asked.text), q->asked.text.len);
	ai_put_close(&line, '}');
	if (ai_buf_check(&line, "the query", err) == 0 &&
	    start_embedder(ix, err) == 0 &&
	    ai_proc_send(&ix->embedder, line.p, line.len, err) == 0 &&
	    ai_proc_recv(&ix->embedder, &line, err) == 0)
		rc = read_answer(ix, (struct ai_span){ line.p, line.len },
				 &q->vector, dim, err);
	else
		embedder_ended(ix, err);
	ai_buf_release(&line);
	return rc;
}

static int own_vector(struct query *q, struct ai_span text, size_t *dim,
		      struct ai_err *err)
{
	*dim = (size_t)q->ix->info.dim;
	q->vector = malloc(*dim * sizeof(*q->vector));
	if (q->vector == NULL)
		return ai_err_nomem(err);
	return search_own_embed(q->ix, text, q->vector, err);
}

static int make_vector(struct query *q, size_t *dim, struct ai_err *err)
{
	const struct search_info *info = &q->ix->info;
	struct ai_span text = { ai_buf_cstr(&q->asked.text),
				q->asked.text.len };

	if (strcmp(info->model, SEARCH_LOCAL) == 0)
		return search_embed_locally(text, info, &q->vector, dim, err);
	if (search_is_own(info))
		return own_vector(q, text, dim, err);
	if (info->model[0] != '\0')
		return ask_embedder(q, dim, err);
	return ai_err_set(err, AI_E_RECORD, "the index '%.100s' does not know "
			  "which model made its vectors; give the query an "
			  "embedding, or use --mode sparse", search.index);
}

/* The record's own embedding, else one from the index's model. */
static int read_vector(struct query *q, struct ai_err *err)
{
	char model[200];
	size_t dim = 0;

	if (search_read_embedding(q->rec, &q->ix->info, model, &q->vector,
				  &dim, err) < 0)
		return -1;
	if (q->vector == NULL && make_vector(q, &dim, err) < 0)
		return -1;
	return search_check_model(&q->ix->info, "", dim, err);
}

/* ---- how it is answered ---------------------------------------------------------- */

/* Without vectors in the index hybrid is sparse, without a text dense. */
static int choose_mode(struct query *q, struct ai_err *err)
{
	bool vectors = q->ix->info.vectors > 0, text = q->text.len > 0;

	q->mode = (enum search_mode)search.mode;
	if (q->mode == SEARCH_HYBRID && !vectors)
		q->mode = SEARCH_SPARSE;
	else if (q->mode == SEARCH_HYBRID && !text &&
		 ai_rec_get(q->rec, "embedding").kind != AI_NONE)
		q->mode = SEARCH_DENSE;
	if (q->mode == SEARCH_DENSE && !vectors && q->ix->info.documents > 0)
		return ai_err_set(err, AI_E_DATA, "the index '%.200s' has no "
				  "vectors; add documents through ai-embed, "
				  "or use --mode sparse", search.index);
	return 0;
}

static void choose_weight(struct query *q)
{
	if (search.weight < 0)
		return;
	q->info.sparse_weight = 1 - search.weight;
	q->info.dense_weight = search.weight;
}

/* The index's own rule with its weights, or the usual ones of another. */
static void choose_rule(struct query *q)
{
	q->info = q->ix->info;
	if (search.fusion != SEARCH_AUTO &&
	    search.fusion != (int)q->info.rule) {
		q->info.rule = (enum search_rule)search.fusion;
		q->info.sparse_weight = q->info.dense_weight =
			q->info.rule == SEARCH_MINMAX ? 0.5 : 1;
	}
	choose_weight(q);
}

/* As local models make them of a text without a word; one that was fitted, of
 * a text without a word that it knows, which words alone may find. */
static void warn_of_zeros(const struct query *q)
{
	bool own = search_is_own(&q->ix->info);
	const char *why = own ? "the index's model knows no word of the query, "
				"so its vector is zero and finds nothing"
			      : "the query has no word, so its vector is zero "
				"and finds nothing";

	if (own && q->mode != SEARCH_DENSE)
		return;
	if (ai_vector_dot(q->vector, q->vector,
			  (size_t)q->ix->info.dim) != 0)
		return;
	if (q->rec->number > 0)
		ai_msg(AI_MSG_WARN, "line %lu: %s", q->rec->number, why);
	else
		ai_msg(AI_MSG_WARN, "%s", why);
}

/* Where codes pick the candidates, each costs a row that lies anywhere. */
static size_t dense_depth(const struct query *q, size_t depth)
{
	size_t least = (size_t)search.k > SEARCH_CODES_DEPTH
		? (size_t)search.k : SEARCH_CODES_DEPTH;

	return q->ix->files.codes.n == 0 || search.exact || depth < least
		? depth : least;
}

static int run_legs(struct query *q, struct ai_err *err)
{
	int64_t depth = search.k > SEARCH_DEPTH ? search.k : SEARCH_DEPTH;

	if (depth > q->ix->info.documents)
		depth = q->ix->info.documents;
	if (search_asked_filter(&q->asked, q->ix, &q->filter, err) < 0 ||
	    search_top_init(&q->dense, dense_depth(q, (size_t)depth),
			    err) < 0 ||
	    search_top_init(&q->sparse, (size_t)depth, err) < 0)
		return -1;
	if (q->mode != SEARCH_DENSE &&
	    search_sparse(q->ix, &q->asked, &q->filter, &q->sparse, err) < 0)
		return -1;
	if (q->mode == SEARCH_SPARSE || q->ix->info.vectors == 0)
		return 0;
	if (read_vector(q, err) < 0)
		return -1;
	warn_of_zeros(q);
	return search_dense(q->ix, q->vector, &q->filter, &q->dense, err);
}

static int fuse(struct query *q, struct ai_err *err)
{
	choose_rule(q);
	return search_fuse(&q->dense, &q->sparse, q->mode, q->info.rule,
			   &q->info, &q->list, err);
}

/* Asks for the words again, with those of the best hits. */
static int feed_back(struct query *q, struct ai_err *err)
{
	struct search_list *l = &q->list;

	if (!search.feedback || q->mode == SEARCH_DENSE)
		return 0;
	if (fuse(q, err) < 0 ||
	    search_sort(l->v, l->n, sizeof(*l->v), SEARCH_FEEDBACK, q->ix,
			err) < 0 ||
	    search_feedback(&q->asked, q->ix, l, err) < 0)
		return -1;
	search_list_release(l);
	q->sparse.n = 0;
	return search_sparse(q->ix, &q->asked, &q->filter, &q->sparse, err);
}

static int smooth(struct query *q, struct ai_err *err)
{
	struct search_list *l = &q->list;

	if (search_sort(l->v, l->n, sizeof(*l->v), SEARCH_POOL, q->ix,
			err) < 0)
		return -1;
	return search_smooth(l, q->ix, err);
}

static int rank(struct query *q, struct ai_err *err)
{
	struct search_list *l = &q->list;
	bool all = search.mmr < 1 || search.per_source > 0 ||
		   search.expand != NULL;

	if (feed_back(q, err) < 0 || fuse(q, err) < 0 ||
	    (search.smooth && smooth(q, err) < 0) ||
	    search_decay(l, q->ix, err) < 0 ||
	    search_sort(l->v, l->n, sizeof(*l->v),
			all ? l->n : (size_t)search.k, q->ix, err) < 0)
		return -1;
	if (search.mmr < 1 && l->n > 1 &&
	    search_mmr(l, q->ix, (size_t)search.k, search.mmr, err) < 0)
		return -1;
	/* An expansion may hold hits behind it: others take their places. */
	if (search_cap_sources(l, q->ix, search.expand != NULL ? l->n :
			       (size_t)search.k, err) < 0)
		return -1;
	q->answered = l->n < (size_t)search.k ? l->n : (size_t)search.k;
	return search_expand(l, q->ix, (size_t)search.k, &q->expanded, err);
}

static int answer(struct query *q, struct ai_emit *out, struct ai_err *err)
{
	struct search_result r = { .mode = SEARCH_SPARSE };
	size_t i;

	if (read_text(q, err) < 0 ||
	    search_asked_read(&q->asked, q->ix, (struct ai_span){
		    ai_buf_cstr(&q->text), q->text.len }, err) < 0 ||
	    choose_mode(q, err) < 0 ||
	    run_legs(q, err) < 0 || rank(q, err) < 0)
		return -1;
	r.mode = q->mode;
	r.rule = q->info.rule;
	r.v = q->list.v;
	r.expanded = q->expanded;
	r.asked = &q->asked;
	r.n = q->list.n < (size_t)search.k ? q->list.n : (size_t)search.k;
	for (i = 0; i < r.n; i++)
		if (r.v[i].confidence > r.confidence)
			r.confidence = r.v[i].confidence;
	r.confident = r.n > 0 && r.confidence >= search.min_confidence;
	if (!r.confident)
		ai_emit_no(out);
	return search_emit(q->ix, q->rec, &r, out, err);
}

static void release(struct query *q)
{
	search_expansions_release(q->expanded, q->answered);
	search_list_release(&q->list);
	search_top_release(&q->dense);
	search_top_release(&q->sparse);
	search_filter_release(&q->filter);
	search_asked_release(&q->asked);
	ai_buf_release(&q->text);
	free(q->vector);
}

static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	struct query q = { .ix = state, .rec = rec };
	int rc;

	ai_buf_init(&q.text, SEARCH_TEXT_MAX);
	/* Faulting a mapping in costs more than reading once, and pays from
	 * the second time on. */
	if (q.ix->queries++ == 1 && ai_db_map(&q.ix->db, err) < 0)
		return -1;
	if (search_index_begin(q.ix, false, err) < 0)
		return -1;
	rc = answer(&q, out, err) < 0 ? search_damaged(q.ix, err) : 0;
	search_index_rollback(q.ix);
	release(&q);
	return rc;
}

/* Opened before anything was read; the first worker takes it. */
static struct search_index *first;

static int open_state(void **state, struct ai_err *err)
{
	struct search_index *ix;

	*state = __atomic_exchange_n(&first, NULL, __ATOMIC_ACQ_REL);
	if (*state != NULL)
		return 0;
	ix = calloc(1, sizeof(*ix));
	if (ix == NULL)
		return ai_err_nomem(err);
	*state = ix;
	if (search_index_open(ix, AI_DB_READ, err) == 0)
		return 0;
	free(ix);
	*state = NULL;
	return -1;
}

static void close_state(void *state)
{
	if (state == NULL)
		return;
	search_index_close(state);
	free(state);
}

int search_query(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = {
		.each = each, .words = "query",
		.open = open_state, .close = close_state,
	};
	void *opened;
	int status;

	/* What is wrong with the index is told before anything is read. */
	if (search_filter_check(&search.where, err) < 0 ||
	    search_shape_check(err) < 0 || open_state(&opened, err) < 0)
		return -1;
	__atomic_store_n(&first, opened, __ATOMIC_RELEASE);
	status = ai_loop_run(&filter, argc, argv, err);
	close_state(__atomic_exchange_n(&first, NULL, __ATOMIC_ACQ_REL));
	return status;
}
