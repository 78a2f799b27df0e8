/*
 * placeholder.h: what stands for a value: <EMAIL_1>, and what models make of it.
 *
 * A label is capital letters, digits and single '_', the number has no leading
 * zero.  Near forms are those that models write instead: other brackets or
 * none, small letters within brackets, escapes of Markdown and HTML:
 *
 *	<email_1>  [EMAIL_1]  EMAIL_1  <EMAIL\_1>  \<EMAIL\_1\>  &lt;EMAIL_1&gt;
 *
 * A placeholder as we write it has its '<' first and no other one.  So where it
 * stands between other bytes, whatever they are, no form begins in these and
 * ends in it, and none begins in it and ends behind it.
 */
#ifndef GUARD_PLACEHOLDER_H
#define GUARD_PLACEHOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACEHOLDER_LABEL 40      /* the longest label */
#define PLACEHOLDER_N 999999999u  /* the largest number */
#define PLACEHOLDER_BODY (PLACEHOLDER_LABEL + 1 + 9)
#define PLACEHOLDER_TEXT (PLACEHOLDER_BODY + 3) /* with brackets and the NUL */

enum placeholder_form {
	PLACEHOLDER_EXACT,
	PLACEHOLDER_NEAR,
	PLACEHOLDER_HTML, /* near, among entities */
};

struct placeholder {
	enum placeholder_form form;
	/* LABEL_1 in its exact spelling; of a part, what is there of it. */
	char body[PLACEHOLDER_BODY + 1];
	size_t label; /* length of the label in body; 0: of a part */
	uint32_t n;   /* 0: of a part */
	size_t len;   /* bytes in the text */
};

enum placeholder_fit {
	PLACEHOLDER_NO,
	PLACEHOLDER_YES,
	PLACEHOLDER_PART, /* one may begin here, with more bytes */
};

/* Whether one begins at p, of which n bytes are there; end: no more will come;
 * word: the byte before p belongs to a word. */
enum placeholder_fit placeholder_at(const char *p, size_t n, bool end,
				    bool word, struct placeholder *x);
/* How many bytes from p on surely begin none; a form may begin behind them.
 * *word, of the byte before p, becomes that of the last of them. */
size_t placeholder_skip(const char *p, size_t n, bool *word);
/* Whether the byte belongs to a word, within which none begins. */
bool placeholder_word(char c);

/* The label of a rule: "github-pat" becomes GITHUB_PAT. */
void placeholder_label(const char *rule, char label[PLACEHOLDER_LABEL + 1]);

#endif
