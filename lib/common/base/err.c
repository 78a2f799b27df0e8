#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct row {
	const char *name, *text;
	enum ai_exit status;
	bool retryable;
};

static const struct row rows[AI_E_COUNT] = {
	[AI_E_NONE] = { "none", "no error", AI_EXIT_OK, false },
#define AI_ERR_ROW(sym, name, status, retry, text)                             \
	[sym] = { name, text, status, retry },
	AI_ERR_TABLE(AI_ERR_ROW)
#undef AI_ERR_ROW
};

static const struct row *row(enum ai_code code)
{
	return &rows[(unsigned)code < AI_E_COUNT ? code : AI_E_BUG];
}

const char *ai_code_name(enum ai_code code)
{
	return row(code)->name;
}

const char *ai_code_text(enum ai_code code)
{
	return row(code)->text;
}

enum ai_exit ai_code_exit(enum ai_code code)
{
	return row(code)->status;
}

bool ai_code_retryable(enum ai_code code)
{
	return row(code)->retryable;
}

enum ai_code ai_code_from_name(const char *name, size_t n)
{
	for (int i = 1; i < AI_E_COUNT; i++)
		if (strlen(rows[i].name) == n &&
		    memcmp(rows[i].name, name, n) == 0)
			return (enum ai_code)i;
	return AI_E_NONE;
}

enum ai_code ai_code_from_exit(int status)
{
	for (int i = 1; i < AI_E_COUNT; i++)
		if ((int)rows[i].status == status &&
		    status != AI_EXIT_RECORD)
			return (enum ai_code)i;
	return AI_E_NONE;
}

static void set(struct ai_err *err, enum ai_code code, const char *fmt,
		va_list ap)
{
	err->code = code;
	err->retry_after_s = -1;
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
}

int ai_err_set(struct ai_err *err, enum ai_code code, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return -1;
	va_start(ap, fmt);
	set(err, code, fmt, ap);
	va_end(ap);
	return -1;
}

int ai_err_sys(struct ai_err *err, enum ai_code code, int errnum,
	       const char *fmt, ...)
{
	va_list ap;
	char why[128];
	size_t len;

	if (err == NULL)
		return -1;
	va_start(ap, fmt);
	set(err, code, fmt, ap);
	va_end(ap);
	len = strlen(err->msg);
	snprintf(err->msg + len, sizeof err->msg - len, ": %s",
		 strerror_r(errnum, why, sizeof why));
	return -1;
}

int ai_err_nomem(struct ai_err *err)
{
	return ai_err_set(err, AI_E_MEMORY, "out of memory");
}
