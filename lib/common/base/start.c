#include "base/start.h"

#include "base/buf.h"
#include "base/msg.h"
#include "base/sig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ai_opts ai_start_opts;

static bool help, version, dump_options, print_config, quiet, verbose;
static int log_format;

static const struct ai_opt common_options[] = {
	{ "config", 0, AI_OPT_FILE, &ai_start.config, "FILE",
	  "read this configuration file", .env = "AI_CONFIG" },
	{ "profile", 0, AI_OPT_TEXT, &ai_start.profile, "NAME",
	  "use this profile of the configuration", .env = "AI_PROFILE" },
	{ "log-format", 0, AI_OPT_CHOICE, &log_format, "FORMAT",
	  "how messages are written", .initial = "text",
	  .choices = "text|json", .env = "AI_LOG_FORMAT" },
	{ "quiet", 'q', AI_OPT_FLAG, &quiet, NULL, "show errors only" },
	{ "verbose", 'v', AI_OPT_FLAG, &verbose, NULL, "show more messages" },
	{ "print-config", 0, AI_OPT_FLAG, &print_config, NULL,
	  "print every value and where it came from" },
	{ "dump-options", 0, AI_OPT_FLAG, &dump_options, NULL,
	  "print the options as a table for programs" },
	{ "help", 'h', AI_OPT_FLAG, &help, NULL, "print this help" },
	{ "version", 'V', AI_OPT_FLAG, &version, NULL, "print the version" },
	{ 0 }
};

/* ---- what is printed instead of running --------------------------------- */

static void help_option(struct ai_buf *b, const struct ai_opt *opt)
{
	char left[64];
	int n;

	n = snprintf(left, sizeof left, "%c%c%c --%s%s%s",
		     opt->letter ? '-' : ' ', opt->letter ? opt->letter : ' ',
		     opt->letter ? ',' : ' ', opt->name, opt->arg ? " " : "",
		     opt->arg ? opt->arg : "");
	ai_buf_fmt(b, "  %-26s", left);
	if (n > 26)
		ai_buf_fmt(b, "\n  %-26s", "");
	ai_buf_fmt(b, " %s", opt->help);
	if (opt->choices != NULL)
		ai_buf_fmt(b, ": %s", opt->choices);
	if (opt->initial != NULL)
		ai_buf_fmt(b, " (%s)", opt->initial);
	ai_buf_chr(b, '\n');
}

static void help_synopsis(struct ai_buf *b)
{
	const char *p = ai_program.synopsis;

	while (*p != '\0') {
		size_t n = strcspn(p, "\n");

		ai_buf_fmt(b, "%s %s %.*s\n",
			   p == ai_program.synopsis ? "usage:" : "      ",
			   ai_program.name, (int)n, p);
		p += n + (p[n] == '\n');
	}
}

static void write_help(struct ai_buf *b)
{
	help_synopsis(b);
	ai_buf_fmt(b, "\n%s\n", ai_program.summary);
	if (ai_program.verbs != NULL) {
		ai_buf_str(b, "\nverbs, as the first operand:\n");
		for (const struct ai_verb *v = ai_program.verbs;
		     v->name != NULL; v++)
			ai_buf_fmt(b, "  %-10s %s\n", v->name, v->help);
	}
	ai_buf_str(b, "\noptions, with what they are if not given:\n");
	for (size_t i = 0; i < ai_start_opts.n; i++)
		help_option(b, ai_opts_at(&ai_start_opts, i));
	if (ai_program.examples != NULL)
		ai_buf_fmt(b, "\nexamples:\n%s", ai_program.examples);
	ai_buf_fmt(b, "\nMore: man %s, man aiutils\n", ai_program.name);
}

static const char *dash(const char *s)
{
	return s == NULL || *s == '\0' ? "-" : s;
}

/* One option a line, tab-separated; tools/completions and the tests read it:
 * name, letter, type, value, choices, key, environment, default, help. */
static void write_table(struct ai_buf *b)
{
	for (size_t i = 0; i < ai_start_opts.n; i++) {
		const struct ai_opt *o = ai_opts_at(&ai_start_opts, i);
		char letter[2] = { o->letter ? o->letter : '-', '\0' };

		ai_buf_fmt(b, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o->name,
			   letter, ai_opt_type_name(o->type), dash(o->arg),
			   dash(o->choices), dash(o->key), dash(o->env),
			   dash(o->initial), o->help);
	}
	for (const struct ai_verb *v = ai_program.verbs;
	     v != NULL && v->name != NULL; v++)
		ai_buf_fmt(b, "%s\t-\tverb\t-\t-\t-\t-\t-\t%s\n", v->name,
			   v->help);
}

/* The value, without what stands before the @ of an address. */
static void show_value(struct ai_buf *b, size_t i)
{
	struct ai_buf value = AI_BUF_INIT(1 << 16);
	const char *text, *host, *at = NULL;

	ai_opts_show(&ai_start_opts, i, &value);
	text = ai_buf_cstr(&value);
	host = strstr(text, "://");
	if (host != NULL) {
		host += 3;
		at = memchr(host, '@', strcspn(host, "/?#"));
	}
	if (at != NULL)
		ai_buf_fmt(b, "%.*s***%s", (int)(host - text), text, at);
	else
		ai_buf_str(b, text);
	ai_buf_release(&value);
}

/* One value a line: name, value, source, and the place in that source. */
static void write_config(struct ai_buf *b)
{
	static const char *const sources[] = {
		"unset", "built-in", "config", "profile", "environment", "flag",
	};

	for (size_t i = 0; i < ai_start_opts.n; i++) {
		const struct ai_opt *o = ai_opts_at(&ai_start_opts, i);
		enum ai_source from = ai_start_opts.source[i];
		const char *place = "-";

		if (o->key == NULL && o->env == NULL)
			continue;
		if (from == AI_SOURCE_ENV)
			place = o->env;
		else if (from == AI_SOURCE_CONFIG || from == AI_SOURCE_PROFILE)
			place = o->key;
		ai_buf_fmt(b, "%s\t", o->name);
		if (from != AI_SOURCE_NONE)
			show_value(b, i);
		ai_buf_fmt(b, "\t%s\t%s\n", sources[from], place);
	}
}

static int print(void (*write_it)(struct ai_buf *), struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);
	int rc = 0;

	write_it(&b);
	if (ai_buf_check(&b, "the text", err) < 0)
		rc = -1;
	else if (fwrite(b.p, 1, b.len, stdout) != b.len ||
		 fflush(stdout) != 0)
		rc = ai_err_sys(err, AI_E_IO, errno,
				"cannot write to standard output");
	ai_buf_release(&b);
	return rc;
}

static void write_version(struct ai_buf *b)
{
	ai_buf_fmt(b, "%s (aiutils) %s\n", ai_program.name, PACKAGE_VERSION);
}

/* ---- the way through ---------------------------------------------------- */

/*
 * With 0, 1 or 2 closed, the first file opened would become standard
 * output and be overwritten.  Reading the stand-in gives EBADF for input
 * (opened for writing) and writing to the others fails: nothing is lost
 * silently.
 */
static int open_standard_fds(struct ai_err *err)
{
	static const int how[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", how[fd]) != fd)
			return ai_err_sys(err, AI_E_OS, errno,
					  "cannot open '/dev/null'");
	}
	return 0;
}

static int options_from_layers(int argc, char **argv, int *operands,
			       struct ai_err *err)
{
	struct ai_opts *o = &ai_start_opts;

	if (ai_opts_parse(o, argc, argv, operands, err) < 0)
		return -1;
	if (help || version || dump_options)
		return 0;
	if (ai_opts_from_env(o, err) < 0)
		return -1;
	if (ai_program.configure != NULL && ai_program.configure(o, err) < 0)
		return -1;
	return ai_opts_from_builtin(o, err);
}

static int start(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_opt *tables[AI_START_TABLES_MAX + 2];
	int operands = 0;
	size_t n = 0;

	ai_msg_setup(ai_program.name, AI_MSG_WARN, AI_MSG_TEXT);
	if (open_standard_fds(err) < 0)
		return -1;
	for (; ai_program.options[n] != NULL; n++) {
		if (n == AI_START_TABLES_MAX)
			return ai_err_set(err, AI_E_BUG, "too many tables");
		tables[n] = ai_program.options[n];
	}
	tables[n] = common_options;
	if (ai_opts_init(&ai_start_opts, tables, err) < 0)
		return -1;
	if (options_from_layers(argc, argv, &operands, err) < 0)
		return -1;
	ai_msg_setup(ai_program.name,
		     quiet ? AI_MSG_ERROR : verbose ? AI_MSG_INFO : AI_MSG_WARN,
		     (enum ai_msg_format)log_format);
	if (help)
		return print(write_help, err);
	if (version)
		return print(write_version, err);
	if (dump_options)
		return print(write_table, err);
	if (print_config)
		return print(write_config, err);
	return ai_program.run(operands, argv + 1, err);
}

bool ai_start_given(const void *to)
{
	int i = ai_opts_find_to(&ai_start_opts, to);

	return i >= 0 && ai_start_opts.source[i] == AI_SOURCE_FLAG;
}

bool ai_start_said(const void *to)
{
	int i = ai_opts_find_to(&ai_start_opts, to);

	return i >= 0 && ai_start_opts.source[i] > AI_SOURCE_BUILTIN;
}

enum ai_code ai_start_place(const void *to, char *place, size_t size)
{
	int i = ai_opts_find_to(&ai_start_opts, to);
	const struct ai_opt *o;
	enum ai_source from;

	if (i < 0) {
		snprintf(place, size, "?");
		return AI_E_BUG;
	}
	o = ai_opts_at(&ai_start_opts, (size_t)i);
	from = ai_start_opts.source[i];
	if (from == AI_SOURCE_CONFIG)
		snprintf(place, size, "%s", o->key);
	else if (from == AI_SOURCE_PROFILE)
		snprintf(place, size, "profiles.%.60s.%s", ai_start.profile,
			 o->key);
	else if (from == AI_SOURCE_ENV)
		snprintf(place, size, "%s", o->env);
	else
		snprintf(place, size, "--%s", o->name);
	return from == AI_SOURCE_FLAG ? AI_E_USAGE : AI_E_CONFIG;
}

const struct ai_opt *ai_start_misplaced(const struct ai_opt_use *uses,
					const char *verb)
{
	char word[40];

	snprintf(word, sizeof word, "|%s|", verb);
	for (; uses->to != NULL; uses++)
		if (ai_start_given(uses->to) &&
		    strstr(uses->verbs, word) == NULL)
			return ai_opts_at(&ai_start_opts, (size_t)
				ai_opts_find_to(&ai_start_opts, uses->to));
	return NULL;
}

int main(int argc, char **argv)
{
	struct ai_err err = { AI_E_NONE, -1, "" };
	int status = start(argc, argv, &err);

	if (status < 0) {
		ai_msg_err(&err);
		status = ai_code_exit(err.code);
	}
	ai_opts_release(&ai_start_opts);
	ai_sig_die();
	return status;
}
