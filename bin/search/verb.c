#include "search.h"

#include "base/start.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

/* Options that only some verbs heed, where one would miss them. */
static const struct ai_opt_use uses[] = {
	{ &search.k, "|query|" },
	{ &search.mode, "|query|" },
	{ &search.fusion, "|query|" },
	{ &search.weight, "|query|" },
	{ &search.rrf_k, "|query|" },
	{ &search.feedback, "|query|" },
	{ &search.phrase_bonus, "|query|" },
	{ &search.smooth, "|query|" },
	{ &search.decay, "|query|" },
	{ &search.now, "|query|" },
	{ &search.per_source, "|query|" },
	{ &search.expand, "|query|" },
	{ &search.expand_bytes, "|query|" },
	{ &search.highlight, "|query|" },
	{ &search.explain, "|query|" },
	{ &search.mmr, "|query|" },
	{ &search.min_dense, "|query|" },
	{ &search.min_sparse, "|query|" },
	{ &search.min_confidence, "|query|" },
	{ &search.where, "|query|delete|export|" },
	{ &search.format, "|add|export|" },
	{ &search.vectors, "|add|export|" },
	{ &search.model, "|add|" },
	{ &search.exact, "|query|" },
	{ &search.analyzer, "|add|" },
	{ &search.title_weight, "|add|" },
	{ &search.ack, "|add|delete|" },
	{ &search.partial, "|add|" },
	{ NULL, NULL }
};

static int check_options(const char *verb, struct ai_err *err)
{
	const struct ai_opt *opt = ai_start_misplaced(uses, verb);
	bool query = strcmp(verb, "query") == 0;

	return opt == NULL ? 0 :
		ai_err_set(err, AI_E_USAGE, "--%s is no option of '%s'%s%s%s",
			   opt->name, verb, query ? "" :
			   "; to search for the word: ai-search query ",
			   query ? "" : verb, query ? "" : " ...");
}

/* ---- mistyped --------------------------------------------------------------- */

/* The verb that is one typing mistake away, two in a longer word; or NULL. */
static const char *near(const struct ai_verb *verbs, const char *word)
{
	char low[16] = "";
	size_t n = strlen(word), i;

	if (n >= sizeof(low))
		return NULL;
	for (i = 0; i < n; i++)
		low[i] = (char)tolower((unsigned char)word[i]);
	for (; verbs->name != NULL; verbs++)
		if (ai_distance(low, verbs->name) <= (n < 5 ? 1 : 2))
			return verbs->name;
	return NULL;
}

static bool are_files(int argc, char **argv)
{
	for (; argc > 0; argc--, argv++)
		if (strcmp(*argv, "-") != 0 && access(*argv, F_OK) != 0)
			return false;
	return true;
}

/*
 * A query may be any word.  But the first word of the command line, with
 * nothing or files behind it, that nearly is a verb was meant to be one:
 * taken for a query, the records on standard input would be lost.
 */
static int check_typing(const struct ai_verb *verbs, int argc, char **argv,
			struct ai_err *err)
{
	const char *verb;

	if (argc == 0 || !ai_start_opts.operand_first ||
	    !are_files(argc - 1, argv + 1))
		return 0;
	verb = near(verbs, argv[0]);
	if (verb == NULL)
		return 0;
	return ai_err_set(err, AI_E_USAGE, "'%s' is no verb; did you mean "
			  "'%s'? (to search for it: ai-search query %s)",
			  argv[0], verb, argv[0]);
}

int search_verb(const struct ai_verb *verbs, int *argc, char ***argv,
		struct ai_err *err)
{
	int i;

	for (i = 0; *argc > 0 && verbs[i].name != NULL; i++) {
		if (strcmp(**argv, verbs[i].name) != 0)
			continue;
		++*argv;
		--*argc;
		return check_options(verbs[i].name, err) < 0 ? -1 : i;
	}
	if (check_typing(verbs, *argc, *argv, err) < 0 ||
	    check_options("query", err) < 0)
		return -1;
	return SEARCH_QUERY;
}
