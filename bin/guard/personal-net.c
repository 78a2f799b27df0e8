/* personal-net.c: addresses of mail and of machines. */
#include "personal.h"

#include <string.h>
#include <strings.h>

/* ---- e-mail ------------------------------------------------------------------- */

#define LOCAL_MAX 64
#define DOMAIN_MAX 253

/* Of two letters: countries that have a domain. */
static const char countries[] =
	"ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg "
	"bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg ch ci ck cl cm cn "
	"co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj "
	"fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk "
	"hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki "
	"km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg "
	"mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni "
	"nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re "
	"ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx "
	"sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy "
	"uz va vc ve vg vi vn vu wf ws ye yt za zm zw ";

/* What is the end of a file's name and not of a domain's. */
static const char files[] =
	" png jpg jpeg gif svg webp bmp ico pdf txt csv json yaml yml xml html "
	"htm css scss sass less jsx tsx java class jar cpp hpp lua php sql log "
	"conf cfg ini toml lock bak tmp zip gz tar mp3 wav avi docx xlsx pptx "
	"exe dll ";

/* Whether a list of words between blanks has it, in any case. */
static bool has(const char *list, const char *p, size_t n)
{
	char w[16];

	if (n + 2 >= sizeof w)
		return false;
	for (size_t i = 0; i < n; i++)
		w[i] = p[i] | 0x20;
	w[n] = ' ';
	w[n + 1] = '\0';
	for (const char *at = list; (at = strstr(at, w)) != NULL; at++)
		if (at == list || at[-1] == ' ')
			return true;
	return false;
}

static bool is_local(char c)
{
	return personal_alnum(c) ||
	       (c != '\0' && strchr("._%+-'!#$&*/=?^{|}~", c) != NULL);
}

/* Two bytes that are a letter with an accent, which end before i. */
static bool accented(const struct personal *s, size_t i, size_t least)
{
	unsigned char a;

	if (i < least + 2 || ((unsigned char)s->p[i - 1] & 0xC0) != 0x80)
		return false;
	a = (unsigned char)s->p[i - 2];
	return a >= 0xC3 && a <= 0xC9;
}

/* Where what stands before the @ begins; at: nothing does. */
static size_t local_part(const struct personal *s, size_t at)
{
	size_t from = at, least = s->told;

	if (at - least > LOCAL_MAX)
		least = at - LOCAL_MAX;
	while (from > least) {
		if (is_local(s->p[from - 1]))
			from--;
		else if (accented(s, from, least))
			from -= 2;
		else
			break;
	}
	/* Quotes and the like are not its own. */
	while (from < at && !personal_alnum(s->p[from]) &&
	       s->p[from] != '_' && !((unsigned char)s->p[from] & 0x80))
		from++;
	if (from > 0 && personal_escaped(s, from + 1) && from + 1 < at)
		from++;
	/* What stands before a / or = is a path, a name of a variable. */
	for (size_t i = at; i > from; i--)
		if (strchr("/=&?", s->p[i - 1]) != NULL) {
			from = i;
			break;
		}
	return from < at && s->p[at - 1] != '.' ? from : at;
}

/* Where the domain ends that begins there; from: it is none. */
static size_t domain(const struct personal *s, size_t from, size_t *top)
{
	size_t i = from, label = from, end = from;

	*top = from;
	while (i < s->n && i - from <= DOMAIN_MAX) {
		char c = s->p[i];

		if (personal_alnum(c) || (c == '-' && i > label) ||
		    (s->n - i >= 2 && accented(s, i + 2, from))) {
			i += (unsigned char)c & 0x80 ? 2 : 1;
			end = i;
			continue;
		}
		if (c != '.' || i == label || i - label > 63 ||
		    !personal_alnum(personal_at(s, i + 1)))
			break;
		label = *top = ++i;
	}
	while (end > label && s->p[end - 1] == '-')
		end--;
	return end > label && *top > from ? end : from;
}

/* How sure a top-level domain is: 0: it is none. */
static double top_level(const char *p, size_t n)
{
	if (n > 4 && strncasecmp(p, "xn--", 4) == 0)
		return 1;
	for (size_t i = 0; i < n; i++)
		if (!personal_letter(p[i]))
			return 0;
	if (n == 2)
		return has(countries, p, n) ? 1 : 0;
	if (n < 2 || n > 24 || has(files, p, n))
		return 0;
	return n <= 4 ? 1 : .9;
}

/* user:password@host, git@host:path: they are no people. */
static bool is_login(const struct personal *s, size_t from, size_t at,
		     size_t end)
{
	size_t i = from;

	if (from > 0 && s->p[from - 1] == '@')
		return true;
	if (at - from == 3 && memcmp(s->p + from, "git", 3) == 0)
		return personal_at(s, end) == ':' || personal_at(s, end) == '/';
	/* Back to the scheme, if there is one. */
	while (i > 0 && from - i < LOCAL_MAX &&
	       (s->p[i - 1] == '\0' || strchr(" \n/?=", s->p[i - 1]) == NULL))
		i--;
	return i > 1 && s->p[i - 1] == '/' && s->p[i - 2] == '/' &&
	       i > 2 && s->p[i - 3] == ':';
}

bool personal_email(struct personal *s, size_t at)
{
	size_t from = local_part(s, at), top, end;
	double sure;

	if (from == at)
		return false;
	end = domain(s, at + 1, &top);
	if (end == at + 1)
		return false;
	/* A number behind it, and the signs of what stands out: _jo@..._ */
	while (end > top + 2 && personal_digit(s->p[end - 1]))
		end--;
	if (s->p[from] == '_' && personal_at(s, end) == '_' && from + 1 < at)
		from++;
	sure = top_level(s->p + top, end - top);
	if (sure <= 0 || is_login(s, from, at, end))
		return false;
	return personal_note(s, "email", sure, from, end, "an e-mail address");
}

/* ---- IP ---------------------------------------------------------------------------- */

/* Four numbers of 0 to 255; 0: it is none. */
static size_t ipv4(const struct personal *s, size_t i, unsigned v[4])
{
	for (int k = 0; k < 4; k++) {
		size_t from = i;

		v[k] = 0;
		while (personal_digit(personal_at(s, i)) && i - from < 4)
			v[k] = 10 * v[k] + (unsigned)(s->p[i++] - '0');
		if (i == from || v[k] > 255 ||
		    (i - from > 1 && s->p[from] == '0') ||
		    (k < 3 && personal_at(s, i++) != '.'))
			return 0;
	}
	return i;
}

/* An address that is nobody's. */
static bool is_special(const unsigned v[4])
{
	return v[0] == 0 || v[0] == 127 || v[0] >= 224 ||
	       (v[0] == 255 && v[1] == 255);
}

static bool is_private(const unsigned v[4])
{
	return v[0] == 10 || (v[0] == 192 && v[1] == 168) ||
	       (v[0] == 172 && v[1] >= 16 && v[1] < 32) ||
	       (v[0] == 169 && v[1] == 254);
}

/* Four numbers after "version" are one; so are small ones anywhere, unless a
 * word says that they are not. */
static bool is_version(struct personal *s, size_t from, const unsigned v[4])
{
	size_t ip = personal_before(s, PERSONAL_IP, from);
	int large = 0;

	for (int i = 1; i < 4; i++)
		large += v[i] >= 64;
	if (ip <= 12)
		return false;
	return personal_before(s, PERSONAL_VERSION, from) <= 16 ||
	       (v[0] < 10 && large < 2 && ip > 40) ||
	       (v[0] < 20 && v[2] == 0 && v[3] == 0 && ip > 40);
}

static bool try_ipv4(struct personal *s, size_t from)
{
	unsigned v[4];
	size_t to = ipv4(s, from, v);
	char before = from > 0 && !personal_escaped(s, from) ? s->p[from - 1]
							     : ' ';
	/* ip_192.0.2.7 */
	bool named = before == '_' && personal_near(s, PERSONAL_IP, from, 2);

	if (to == 0 || personal_alnum(personal_at(s, to)) ||
	    (personal_at(s, to) == '_' && !named) || personal_alnum(before) ||
	    (before == '_' && !named) || before == '.' ||
	    (before == '-' && from > 1 && personal_alnum(s->p[from - 2])) ||
	    (personal_at(s, to) == '.' &&
	     personal_digit(personal_at(s, to + 1))) ||
	    (personal_at(s, to) == '-' &&
	     personal_letter(personal_at(s, to + 1))))
		return false;
	if (is_special(v) || is_version(s, from, v))
		return false;
	return personal_note(s, "ip", is_private(v) ? .6 : .95, from, to,
			     is_private(v) ? "an address in a private network"
					   : "an IP address");
}

/* ---- IPv6, and the address of a network's card ---------------------------------------- */

static bool is_hex(char c)
{
	return personal_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Six pairs, put apart by : or -. */
static bool try_mac(struct personal *s, size_t from)
{
	char sep = personal_at(s, from + 2);
	size_t i = from;

	if ((sep != ':' && sep != '-') ||
	    (from > 0 && s->p[from - 1] == sep))
		return false;
	for (int k = 0; k < 6; k++, i += 3)
		if (!is_hex(personal_at(s, i)) ||
		    !is_hex(personal_at(s, i + 1)) ||
		    (k < 5 && personal_at(s, i + 2) != sep))
			return false;
	i--;
	if (personal_alnum(personal_at(s, i)) ||
	    (personal_at(s, i) == sep && is_hex(personal_at(s, i + 1))) ||
	    (sep == '-' && !personal_begins(s, from)))
		return false;
	return personal_note(s, "mac", .8, from, i,
			     "the address of a network interface");
}

/* The end of an IPv6 address, or 0: eight groups, or fewer and one "::". */
static size_t ipv6(const struct personal *s, size_t i, unsigned *groups,
		   unsigned *first)
{
	bool gap = false;

	*groups = 0;
	*first = 0;
	for (;;) {
		size_t from = i;
		unsigned v[4], x = 0;

		if (personal_at(s, i) == ':' && personal_at(s, i + 1) == ':') {
			if (gap)
				return 0;
			gap = true;
			i += 2;
			from = i;
		}
		while (is_hex(personal_at(s, i)) && i - from < 5) {
			char c = s->p[i++];

			x = 16 * x + (unsigned)(c <= '9' ? c - '0'
							 : (c | 0x20) - 'a' + 10);
		}
		if (i - from > 4)
			return 0;
		if (personal_at(s, i) == '.' && *groups >= 1 && i > from &&
		    (from = ipv4(s, from, v)) != 0) {
			*groups += 2;
			i = from;
			break;
		}
		if (i == from)
			break; /* "::" at its end */
		if (*groups == 0)
			*first = x;
		++*groups;
		if (personal_at(s, i) != ':' || *groups == 8)
			break;
		if (is_hex(personal_at(s, i + 1)))
			i++;
		else if (personal_at(s, i + 1) != ':')
			break;
	}
	return gap ? (*groups <= 7 ? i : 0) : *groups == 8 ? i : 0;
}

static bool try_ipv6(struct personal *s, size_t from)
{
	unsigned groups, first;
	size_t to = ipv6(s, from, &groups, &first);
	char c;

	if (to == 0 || groups < 2)
		return false;
	c = personal_at(s, to);
	if (personal_alnum(c) || c == '_' ||
	    (c == ':' && personal_alnum(personal_at(s, to + 1))))
		return false;
	/* "a::b" may be of a program. */
	if (groups < 3 && first < 0x2000)
		return false;
	return personal_note(s, "ip", first >= 0xFC00 ? .6 : .95, from, to,
			     first >= 0xFC00 ? "an address in a private network"
					     : "an IP address");
}

bool personal_network(struct personal *s, const struct personal_token *t)
{
	char c = personal_at(s, t->to);
	size_t from = t->from, least = s->told;

	if (c == '.' && !t->letters && t->to - t->from <= 3 &&
	    (from < 2 || s->p[from - 1] != ':' || !is_hex(s->p[from - 2])))
		return try_ipv4(s, t->from);
	if (t->to - t->from <= 2 && (c == ':' || c == '-') &&
	    try_mac(s, t->from))
		return true;
	/* Its first groups may have no digits. */
	if (from - least > 45)
		least = from - 45;
	while (from > least &&
	       (is_hex(s->p[from - 1]) || s->p[from - 1] == ':'))
		from--;
	if (c != ':' && from == t->from)
		return false;
	if (from > 0 && (personal_alnum(s->p[from - 1]) ||
			 s->p[from - 1] == '_'))
		return c == '.' && try_ipv4(s, t->from);
	/* "at:2001:..." and "bad:..." : a word before it. */
	while (from < t->from && s->p[from] == ':' && s->p[from + 1] != ':')
		from++;
	if (t->to - from > 45)
		return false;
	return try_mac(s, from) || try_ipv6(s, from) ||
	       (c == '.' && try_ipv4(s, t->from));
}
