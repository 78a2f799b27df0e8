#include "base/term.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define WIDTH_USUAL 80
#define WIDTH_MAX 250

static size_t shown; /* columns of the line that is there */

bool ai_term_is_seen(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && !isatty(STDIN_FILENO) && term != NULL &&
	       *term != '\0' && strcmp(term, "dumb") != 0;
}

bool ai_term_is_behind(void)
{
	pid_t front = tcgetpgrp(STDERR_FILENO);

	return front > 0 && front != getpgrp();
}

bool ai_term_is_shared(void)
{
	struct stat out, err;

	if (isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
		return true;
	return fstat(STDOUT_FILENO, &out) == 0 &&
	       fstat(STDERR_FILENO, &err) == 0 &&
	       out.st_dev == err.st_dev && out.st_ino == err.st_ino;
}

/* In the last column some terminals begin a new line. */
size_t ai_term_width(void)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col == 0)
		w.ws_col = WIDTH_USUAL;
	return w.ws_col > WIDTH_MAX ? WIDTH_MAX : w.ws_col - 1U;
}

/* The text, and blanks over what is left of the line before. */
static void put(const char *text, size_t n, const char *end)
{
	char line[2 * WIDTH_MAX];
	size_t blanks = shown > n ? shown - n : 0;
	int len = snprintf(line, sizeof line, "\r%.*s%*s%s", (int)n, text,
			   (int)blanks, "", end);
	ssize_t done = write(STDERR_FILENO, line, (size_t)len);

	(void)done;
	shown = n;
}

void ai_term_show(const char *text)
{
	size_t n = strlen(text), width = ai_term_width();

	put(text, n < width ? n : width, "");
}

void ai_term_clear(void)
{
	if (shown > 0)
		put("", 0, "\r");
}
