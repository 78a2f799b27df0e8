#include "analyzers.h"

#include "base/str.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

const char *const search_analyzer_names[] = {
	"english", "none", "arabic", "armenian", "basque", "catalan", "danish",
	"dutch", "finnish", "french", "german", "greek", "hindi", "hungarian",
	"indonesian", "irish", "italian", "lithuanian", "nepali", "norwegian",
	"portuguese", "romanian", "russian", "serbian", "spanish", "swedish",
	"tamil", "turkish", "yiddish", NULL,
};
#define NAMES (sizeof(search_analyzer_names) /                                 \
	       sizeof(search_analyzer_names[0]) - 1)

/* What is used of libstemmer, as its header declares it. */
struct snowball {
	void *library, *stemmer;
	void *(*new)(const char *algorithm, const char *encoding);
	void (*delete)(void *stemmer);
	const unsigned char *(*stem)(void *stemmer, const unsigned char *word,
				     int n);
	int (*length)(void *stemmer);
};

static size_t stem(const struct ai_analyzer *a, char *word, size_t n)
{
	struct snowball *s = a->state;
	const unsigned char *to =
		s->stem(s->stemmer, (const unsigned char *)word, (int)n);
	size_t length;

	if (to == NULL)
		return n;
	length = (size_t)s->length(s->stemmer);
	if (length == 0 || length > AI_TERM_MAX)
		return n;
	memcpy(word, to, length);
	return length;
}

/* A function of a library: POSIX lets a pointer to data become one. */
static bool find(void *library, const char *name, void *to)
{
	void *p = dlsym(library, name);

	memcpy(to, &p, sizeof(p));
	return p != NULL;
}

static int open_library(struct snowball *s, const char *name,
			struct ai_err *err)
{
	static const char *const files[] = {
		"libstemmer.so.0d", "libstemmer.so.0", "libstemmer.so",
	};
	size_t i;

	for (i = 0; s->library == NULL && i < sizeof(files) / sizeof(*files);
	     i++)
		s->library = dlopen(files[i], RTLD_NOW | RTLD_LOCAL);
	if (s->library == NULL)
		return ai_err_set(err, AI_E_CONFIG, "the language '%s' needs "
				  "libstemmer (Debian's package "
				  "libstemmer0d)", name);
	if (!find(s->library, "sb_stemmer_new", &s->new) ||
	    !find(s->library, "sb_stemmer_delete", &s->delete) ||
	    !find(s->library, "sb_stemmer_stem", &s->stem) ||
	    !find(s->library, "sb_stemmer_length", &s->length))
		return ai_err_set(err, AI_E_CONFIG,
				  "libstemmer lacks a function");
	s->stemmer = s->new(name, "UTF_8");
	if (s->stemmer == NULL)
		return ai_err_set(err, AI_E_CONFIG, "this libstemmer does not "
				  "know '%s'", name);
	return 0;
}

static void snowball_free(struct snowball *s)
{
	if (s == NULL)
		return;
	if (s->stemmer != NULL)
		s->delete(s->stemmer);
	if (s->library != NULL)
		dlclose(s->library);
	free(s);
}

/* The name in the table, or NULL. */
static const char *known(const char *name)
{
	size_t i;

	for (i = 0; i < NAMES; i++)
		if (strcmp(search_analyzer_names[i], name) == 0)
			return search_analyzer_names[i];
	return NULL;
}

struct ai_analyzer *search_analyzer_new(const char *name, struct ai_err *err)
{
	const struct ai_analyzer *own = ai_analyzer_find(name);
	const char *is = known(name), *near;
	struct ai_analyzer *a;
	struct snowball *s;

	if (is == NULL) {
		near = ai_nearest(name, search_analyzer_names, NAMES);
		ai_err_set(err, AI_E_USAGE, "no language '%s'%s%s%s", name,
			   near != NULL ? " (did you mean '" : "",
			   near != NULL ? near : "", near != NULL ? "'?)" : "");
		return NULL;
	}
	a = calloc(1, sizeof(*a));
	s = own == NULL ? calloc(1, sizeof(*s)) : NULL;
	if (a == NULL || (own == NULL && s == NULL)) {
		free(a);
		ai_err_nomem(err);
		return NULL;
	}
	if (own != NULL) {
		*a = *own;
		return a;
	}
	*a = (struct ai_analyzer){ .name = is, .stem = stem, .accents = true,
				   .state = s };
	if (open_library(s, is, err) == 0)
		return a;
	search_analyzer_free(a);
	return NULL;
}

void search_analyzer_free(struct ai_analyzer *a)
{
	if (a != NULL)
		snowball_free(a->state);
	free(a);
}
