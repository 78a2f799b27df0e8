/*
 * code.h: where the definitions of a source file begin.
 *
 * One light scanner for all languages: it knows their strings, comments,
 * brackets and what ends a statement, and nothing else of them.  So it is
 * right about files that a compiler takes, and makes the best of others: what
 * is never closed reaches to the end, and then nothing begins there.  Time is
 * linear in the text, memory constant.
 */
#ifndef CHUNK_CODE_H
#define CHUNK_CODE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	CODE_SLASH = 1 << 0,     /* // and block comments */
	CODE_HASH = 1 << 1,      /* # comments */
	CODE_NESTED = 1 << 2,    /* block comments hold others */
	CODE_CHAR = 1 << 3,      /* 'x' is one character, else a string */
	CODE_LINES = 1 << 4,     /* strings reach over lines */
	CODE_GO_RAW = 1 << 5,    /* ` to ` without escapes */
	CODE_TEMPLATE = 1 << 6,  /* ` to ` with ${...} */
	CODE_TRIPLE = 1 << 7,    /* three double quotes */
	CODE_CPP_RAW = 1 << 8,   /* R"x(...)x" */
	CODE_HASH_RAW = 1 << 9,  /* r#"..."#, #"..."# */
	CODE_VERBATIM = 1 << 10, /* @"..." */
	CODE_REGEX = 1 << 11,    /* /.../ */
	CODE_PREPROC = 1 << 12,  /* lines that begin with # are no code */
	CODE_PHP = 1 << 13,      /* code stands between <? and ?>; <<<X */
	CODE_NEWLINE = 1 << 14,  /* the end of a line ends a statement */
	CODE_INDENT = 1 << 15,   /* what is not indented is outside */
	CODE_SHELL = 1 << 16,    /* quotes, heredocs and braces of sh */
};

struct chunk_lang {
	const char *name;
	const char *suffixes; /* " c h ", of file names */
	unsigned has;
};

/* The language of a file of this name, NULL if it is not known or no code. */
const struct chunk_lang *chunk_lang_of(const char *name);
/* The language of a text without one: as its first line says, or C. */
const struct chunk_lang *chunk_lang_guess(const char *p, size_t n);

enum chunk_holds { HOLDS_NONE, HOLDS_CODE, HOLDS_DATA };

#define CODE_STACK 64 /* brackets whose kind is known */

struct chunk_code {
	const char *p;
	size_t n, pos;
	const struct chunk_lang *lang;
	char stack[CODE_STACK]; /* ( or b: a block, c: what holds definitions */
	size_t depth, blocks;   /* open brackets; those that are no c */
	bool complete;          /* no statement is under way */
	bool after_brace;       /* the last one ended with a } */
	bool attached;          /* what comes belongs to the line before */
	bool blank;             /* an empty line stands before */
	enum chunk_holds holds; /* what its words say of its braces */
	bool is_function;
	size_t class_indent;    /* CODE_INDENT: of a class's members, 0: none */
	bool in_class;
	char last;              /* the last byte of code in this line */
	/* What begins next: at p[at], n behind the last. level 0: outside
	 * everything; 1: inside what holds definitions. */
	struct {
		size_t at;
		int level;
	} next;
};

/* p[0..n) is valid UTF-8 and stays; finds the first. */
void chunk_code_init(struct chunk_code *c, const char *p, size_t n,
		     const struct chunk_lang *lang);
void chunk_code_next(struct chunk_code *c);

/* code-skip.c: where what begins at p[at] ends, if it is a string, a comment
 * or the like; else at. */
size_t chunk_code_skip(const struct chunk_code *c, size_t at);

/* A letter, a digit, or what is not ASCII. */
static inline bool chunk_code_is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
}

#endif
