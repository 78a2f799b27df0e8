/* code-lang.c: the languages, by what the scanner must know of them. */
#include "code.h"

#include <string.h>
#include <strings.h>

#define SUFFIX_MAX 12

static const struct chunk_lang languages[] = {
	{ "c", " c h cc cpp cxx hh hpp hxx ipp inl ino cu m mm ",
	  CODE_SLASH | CODE_CHAR | CODE_CPP_RAW | CODE_PREPROC },
	{ "java", " java ", CODE_SLASH | CODE_CHAR | CODE_TRIPLE },
	{ "javascript", " js mjs cjs jsx ts mts cts tsx ",
	  CODE_SLASH | CODE_TEMPLATE | CODE_REGEX | CODE_NEWLINE },
	{ "go", " go ", CODE_SLASH | CODE_CHAR | CODE_GO_RAW | CODE_NEWLINE },
	{ "rust", " rs ", CODE_SLASH | CODE_NESTED | CODE_CHAR | CODE_LINES |
			  CODE_HASH_RAW },
	{ "csharp", " cs ", CODE_SLASH | CODE_CHAR | CODE_TRIPLE |
			    CODE_VERBATIM | CODE_PREPROC },
	{ "php", " php phtml ", CODE_SLASH | CODE_HASH | CODE_LINES |
				CODE_PHP },
	{ "kotlin", " kt kts ", CODE_SLASH | CODE_NESTED | CODE_CHAR |
				CODE_TRIPLE | CODE_NEWLINE },
	{ "swift", " swift ", CODE_SLASH | CODE_NESTED | CODE_TRIPLE |
			      CODE_HASH_RAW | CODE_NEWLINE },
	{ "scala", " scala sc ", CODE_SLASH | CODE_NESTED | CODE_CHAR |
				 CODE_TRIPLE | CODE_NEWLINE },
	{ "python", " py pyi pyw ", CODE_HASH | CODE_TRIPLE | CODE_INDENT },
	{ "shell", " sh bash zsh ksh bats ",
	  CODE_HASH | CODE_INDENT | CODE_SHELL },
};

static bool has_word(const char *list, struct ai_span word)
{
	char key[SUFFIX_MAX + 3];

	if (word.n == 0 || word.n > SUFFIX_MAX)
		return false;
	key[0] = ' ';
	memcpy(key + 1, word.p, word.n);
	key[word.n + 1] = ' ';
	key[word.n + 2] = '\0';
	return strcasestr(list, key) != NULL;
}

const struct chunk_lang *chunk_lang_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (dot == NULL || dot == name || strchr(dot, '/') != NULL)
		return NULL;
	for (size_t i = 0; i < sizeof languages / sizeof *languages; i++)
		if (has_word(languages[i].suffixes, ai_span_of(dot + 1)))
			return &languages[i];
	return NULL;
}

static const struct chunk_lang *named(const char *name)
{
	for (size_t i = 0; i < sizeof languages / sizeof *languages; i++)
		if (strcmp(languages[i].name, name) == 0)
			return &languages[i];
	return &languages[0];
}

const struct chunk_lang *chunk_lang_guess(const char *p, size_t n)
{
	static const struct {
		const char *word, *name;
	} programs[] = {
		{ "python", "python" }, { "node", "javascript" },
		{ "php", "php" }, { "sh", "shell" },
	};
	const char *nl = n > 0 ? memchr(p, '\n', n) : NULL;
	size_t len = nl != NULL ? (size_t)(nl - p) : n;

	if (n > 5 && memcmp(p, "<?php", 5) == 0)
		return named("php");
	if (len > 2 && memcmp(p, "#!", 2) == 0)
		for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
			if (memmem(p, len, programs[i].word,
				   strlen(programs[i].word)) != NULL)
				return named(programs[i].name);
	return named("c");
}
