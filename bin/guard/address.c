#include "address.h"

#include "base/utf8.h"
#include "crypt/base64.h"
#include "text/view-build.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- what is carried ------------------------------------------------------------- */

#define CODED_MIN 16 /* characters in a row that may be data */
#define TEXT_MIN 8   /* bytes that make a text */
#define LONG 2048    /* no honest address is as long, but for "data:" */

static bool is_code(char c)
{
	return ai_view_alpha(c) || ai_view_digit(c) || c == '+' || c == '/' ||
	       c == '_' || c == '-' || c == '=';
}

/* UTF-8 that is cut at its end counts. */
static bool is_text(const unsigned char *p, size_t n)
{
	size_t valid = ai_utf8_valid((const char *)p, n);

	for (size_t i = 0; i < valid; i++)
		if ((p[i] < ' ' && (p[i] < '\t' || p[i] > '\r')) ||
		    p[i] == 0x7F)
			return false;
	return n >= TEXT_MIN && n - valid < 4;
}

/* Whether the digits are hexadecimal ones of a text: how many bytes. */
static size_t hex_text(const char *p, size_t n)
{
	unsigned char out[256];
	size_t made = 0;

	for (size_t i = 0; i + 1 < n && made < sizeof out; i += 2) {
		int a = ai_view_nibble(p[i]), b = ai_view_nibble(p[i + 1]);

		if (a < 0 || b < 0)
			return 0;
		out[made++] = (unsigned char)(a << 4 | b);
	}
	return is_text(out, made) ? n / 2 : 0;
}

/* The same for base64, of which the last characters may be missing. */
static size_t base64_text(const char *p, size_t n)
{
	unsigned char out[192];
	char in[256];
	size_t m = 0;

	while (n > 0 && p[n - 1] == '=')
		n--;
	for (; m < n && m < sizeof in; m++)
		in[m] = (char)(p[m] == '-' ? '+' : p[m] == '_' ? '/' : p[m]);
	m -= m % 4;
	if (m == 0 || ai_base64_decode(in, m, out) < 0)
		return 0;
	return is_text(out, m / 4 * 3) ? n / 4 * 3 : 0;
}

/* Whether n letters and digits look like no word: the sorts of characters take
 * turns more often than in a name or a number. */
static bool is_random(const char *p, size_t n)
{
	size_t turns = 0, digits = 0, vowels = 0, hex = 0;
	int last = -1;

	for (size_t i = 0; i < n; i++) {
		int sort = ai_view_digit(p[i]) ? 0
			   : !ai_view_alpha(p[i]) ? last
			   : p[i] >= 'a' ? 1 : 2;

		turns += last >= 0 && sort != last &&
			 /* "Word": a capital at its beginning is no turn */
			 !(last == 2 && sort == 1);
		last = sort;
		digits += ai_view_digit(p[i]);
		hex += ai_view_nibble(p[i]) >= 0;
		vowels += strchr("aeiouyAEIOUY", p[i]) != NULL;
	}
	if (hex == n)
		return digits > 0 && digits < n;
	return turns * 5 >= n || (turns > 1 && vowels * 6 < n - digits) ||
	       (digits == 0 && vowels * 8 < n);
}

/* One piece of a path, a host or a query. */
static void weigh(struct guard_address *a, const char *p, size_t n,
		  size_t *coded)
{
	size_t from = 0, text;

	for (size_t i = 0; i <= n; i++) {
		if (i < n && is_code(p[i]))
			continue;
		if (i - from >= CODED_MIN) {
			text = hex_text(p + from, i - from);
			if (text == 0)
				text = base64_text(p + from, i - from);
			a->text += text;
			if (text == 0 && is_random(p + from, i - from))
				*coded += i - from;
		}
		from = i + 1;
	}
}

/* Whether a value is a place for one: nothing, or a name in braces. */
static bool is_place(const char *p, size_t n)
{
	static const struct { char open, close; } braces[] = {
		{ '{', '}' }, { '[', ']' }, { '<', '>' }, { '(', ')' },
	};

	if (n == 0)
		return true;
	if (*p == '$' || *p == '%' || *p == '#')
		p++, n--;
	for (size_t i = 0; i < sizeof braces / sizeof *braces; i++)
		if (n >= 2 && *p == braces[i].open &&
		    p[n - 1] == braces[i].close)
			return true;
	return n == 1 && *p == 's'; /* %s */
}

/* Undoes percent signs, in place; returns the length. */
static size_t unescape(char *p, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		int a = -1, b = -1;

		if (p[i] == '%' && i + 2 < n) {
			a = ai_view_nibble(p[i + 1]);
			b = ai_view_nibble(p[i + 2]);
		}
		if (a >= 0 && b >= 0) {
			p[to++] = (char)(a << 4 | b);
			i += 2;
		} else {
			p[to++] = p[i];
		}
	}
	return to;
}

static void weigh_query(struct guard_address *a, char *p, size_t n)
{
	while (n > 0) {
		char *end = memchr(p, '&', n), *is;
		size_t len = end != NULL ? (size_t)(end - p) : n, v;

		is = memchr(p, '=', len);
		v = is != NULL ? (size_t)(is - p) + 1 : 0;
		a->open |= is != NULL && is_place(p + v, len - v);
		v = unescape(p + v, len - v);
		is = is != NULL ? is + 1 : p;
		a->words += v;
		weigh(a, is, v, &a->coded);
		len += end != NULL;
		p += len;
		n -= len;
	}
}

static void weigh_path(struct guard_address *a, char *p, size_t n)
{
	while (n > 0) {
		char *end = memchr(p, '/', n);
		size_t len = end != NULL ? (size_t)(end - p) : n, v, blanks = 0;

		v = unescape(p, len);
		for (size_t i = 0; i < v; i++)
			blanks += p[i] == ' ' || p[i] == '+' || p[i] == '\n';
		/* A title has blanks too, but not so many. */
		if (blanks >= 8)
			a->words += v;
		weigh(a, p, v, &a->coded_path);
		len += end != NULL;
		p += len;
		n -= len;
	}
}

/* ---- hosts ------------------------------------------------------------------------- */

/* Letters of Cyrillic and Greek that look like small Latin ones. */
static bool is_alike(uint32_t cp)
{
	static const uint16_t alike[] = {
		0x3B1, 0x3B9, 0x3BD, 0x3BF, 0x3C1, 0x3C5, 0x430, 0x435, 0x43E,
		0x440, 0x441, 0x443, 0x445, 0x44C, 0x455, 0x456, 0x458, 0x461,
		0x475, 0x4AB, 0x4AF, 0x4BB, 0x4CF, 0x501, 0x51B, 0x51D,
	};

	for (size_t i = 0; i < sizeof alike / sizeof *alike; i++)
		if (alike[i] == cp)
			return true;
	return false;
}

/* What the letters of a label are. */
struct letters {
	size_t latin, alike, other;
	bool wide; /* forms that a browser turns into plain ones */
};

static void add_letter(struct letters *l, uint32_t cp)
{
	if (cp < 0x80)
		l->latin += ai_view_alpha((char)cp);
	else if (is_alike(cp))
		l->alike++;
	else if ((cp >= 0xFF00 && cp <= 0xFF5E) ||
		 (cp >= 0x2100 && cp <= 0x214F) ||
		 (cp >= 0x2460 && cp <= 0x24FF) ||
		 (cp >= 0x1D400 && cp <= 0x1D7FF))
		l->wide = true;
	else if ((cp >= 0x370 && cp <= 0x52F) || (cp >= 0x13A0 && cp <= 0x13FF))
		l->other++;
}

static bool deceives(const struct letters *l)
{
	return l->wide || (l->latin > 0 && l->alike + l->other > 0) ||
	       (l->alike > 2 && l->other == 0);
}

/* RFC 3492: what stands behind "xn--".  false: it is none. */
static bool punycode(const char *p, size_t n, struct letters *l)
{
	uint32_t at = 128, i = 0, bias = 72, made = 0;
	const char *dash = memrchr(p, '-', n);
	size_t k0 = dash != NULL ? (size_t)(dash - p) : 0;

	for (size_t k = 0; k < k0; k++, made++)
		add_letter(l, (unsigned char)p[k]);
	for (size_t k = dash != NULL ? k0 + 1 : 0; k < n;) {
		uint32_t was = i, w = 1, digit, t, delta;

		for (uint32_t base = 36;; base += 36) {
			if (k == n)
				return false;
			digit = ai_view_digit(p[k])
					? (uint32_t)(p[k] - '0') + 26
					: (uint32_t)(p[k] - 'a');
			k++;
			if (digit > 35 || (digit != 0 && w > UINT32_MAX / 64))
				return false;
			i += digit * w;
			t = base <= bias ? 1
			    : base >= bias + 26 ? 26 : base - bias;
			if (digit < t)
				break;
			w *= 36 - t;
			if (w > UINT32_MAX / 64)
				return false;
		}
		made++;
		delta = was == 0 ? (i - was) / 700 : (i - was) / 2;
		delta += delta / made;
		for (bias = 0; delta > 455; bias += 36)
			delta /= 35;
		bias += 36 * delta / (delta + 38);
		at += i / made;
		i = i % made + 1;
		if (at > 0x10FFFF)
			return false;
		add_letter(l, at);
	}
	return true;
}

/* Whether a label of the host is a number, as inet_aton() has them. */
static bool is_number(const char *p, size_t n, bool *plain)
{
	bool hex = n > 1 && p[0] == '0' && p[1] == 'x';

	*plain = !hex && n <= 3 && (n == 1 || p[0] != '0');
	for (size_t i = hex ? 2 : 0; i < n; i++)
		if (hex ? ai_view_nibble(p[i]) < 0 : !ai_view_digit(p[i]))
			return false;
	return n > 0;
}

static void read_labels(struct guard_address *a)
{
	const char *p = a->host;
	size_t labels = 0, numbers = 0, plain = 0;
	bool is_plain;

	while (*p != '\0') {
		size_t n = strcspn(p, "."), i = 0, len;
		struct letters l = { 0 };
		uint32_t cp;

		labels++;
		if (is_number(p, n, &is_plain)) {
			numbers++;
			plain += is_plain;
		}
		if (n > 4 && memcmp(p, "xn--", 4) == 0) {
			if (!punycode(p + 4, n - 4, &l))
				l.wide = true;
		} else {
			for (; i < n; i += len > 0 ? len : 1) {
				len = ai_utf8_decode(p + i, n - i, &cp);
				if (len > 0)
					add_letter(&l, cp);
			}
		}
		a->odd |= deceives(&l) ? GUARD_ODD_ALIKE : 0;
		p += n + (p[n] == '.');
	}
	if (labels > 0 && numbers == labels && (labels != 4 || plain != 4))
		a->odd |= GUARD_ODD_NUMBER;
}

static void read_host(struct guard_address *a, char *p, size_t n)
{
	char *user = memrchr(p, '@', n), *port;

	if (user != NULL) {
		size_t before = (size_t)(user - p);

		if (memchr(p, '.', before) != NULL ||
		    memchr(p, '%', before) != NULL)
			a->odd |= GUARD_ODD_USER;
		weigh(a, p, before, &a->coded_path);
		n -= before + 1;
		p = user + 1;
	}
	if (n > 0 && *p == '[')
		port = memchr(p, ']', n);
	else
		port = memchr(p, ':', n);
	if (port != NULL)
		n = (size_t)(port - p) + (*port == ']');
	if (memchr(p, '%', n) != NULL) {
		a->odd |= GUARD_ODD_PERCENT;
		n = unescape(p, n);
	}
	while (n > 0 && p[n - 1] == '.')
		n--;
	if (n >= sizeof a->host || memchr(p, '\0', n) != NULL)
		return;
	weigh(a, p, n, &a->coded_path);
	for (size_t i = 0; i < n; i++)
		a->host[i] = ai_view_lower(p[i]);
	a->host[n] = '\0';
	if (n > 0 && *p != '[')
		read_labels(a);
}

bool guard_host_in(const char *host, const char *domain)
{
	size_t h = strlen(host), d = strlen(domain);

	while (d > 0 && (*domain == '.' || *domain == '*'))
		domain++, d--;
	return d > 0 && h >= d && strcasecmp(host + h - d, domain) == 0 &&
	       (h == d || host[h - d - 1] == '.');
}

/* ---- the whole --------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum guard_scheme scheme;
} schemes[] = {
	{ "http", GUARD_SCHEME_WEB }, { "https", GUARD_SCHEME_WEB },
	{ "ftp", GUARD_SCHEME_WEB }, { "ws", GUARD_SCHEME_WEB },
	{ "wss", GUARD_SCHEME_WEB }, { "mailto", GUARD_SCHEME_MAIL },
	{ "javascript", GUARD_SCHEME_SCRIPT },
	{ "vbscript", GUARD_SCHEME_SCRIPT }, { "data", GUARD_SCHEME_DATA },
	{ "file", GUARD_SCHEME_FILE },
};

/* The scheme, and how many bytes it takes with its colon. */
static size_t read_scheme(struct guard_address *a, const char *p, size_t n)
{
	size_t len = 0;

	while (len < n && (ai_view_alpha(p[len]) ||
			   (len > 0 && (ai_view_digit(p[len]) ||
					strchr("+.-", p[len]) != NULL))))
		len++;
	if (len == 0 || len == n || p[len] != ':')
		return 0;
	a->scheme = GUARD_SCHEME_OTHER;
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (len == strlen(schemes[i].name) &&
		    strncasecmp(p, schemes[i].name, len) == 0)
			a->scheme = schemes[i].scheme;
	return len + 1;
}

static void read_web(struct guard_address *a, char *p, size_t n)
{
	char *tail = p, *query, *end = p + n;

	while (tail < end && *tail != '/' && *tail != '?' && *tail != '#' &&
	       *tail != '\\')
		tail++;
	if (tail < end && *tail == '\\')
		a->odd |= GUARD_ODD_BACKSLASH;
	read_host(a, p, (size_t)(tail - p));
	query = memchr(tail, '?', (size_t)(end - tail));
	if (query == NULL)
		query = memchr(tail, '#', (size_t)(end - tail));
	weigh_path(a, tail, (size_t)((query != NULL ? query : end) - tail));
	if (query != NULL)
		weigh_query(a, query + 1, (size_t)(end - query - 1));
}

static void read_data(struct guard_address *a, const char *p, size_t n)
{
	static const char *const active[] = {
		"text/html", "image/svg", "text/xml", "application/xhtml",
		"application/xml", "text/javascript", "application/javascript",
	};

	for (size_t i = 0; i < sizeof active / sizeof *active; i++)
		if (n >= strlen(active[i]) &&
		    strncasecmp(p, active[i], strlen(active[i])) == 0)
			a->odd |= GUARD_ODD_MARKUP;
}

/* Takes out what browsers do not see: blanks before it, and the ends of lines
 * and tabs anywhere. */
static size_t clean(struct ai_span s, char *out)
{
	size_t n = 0, i = 0;

	while (i < s.n && (unsigned char)s.p[i] <= ' ')
		i++;
	for (; i < s.n && n < GUARD_ADDRESS_MAX; i++)
		if (s.p[i] != '\t' && s.p[i] != '\n' && s.p[i] != '\r')
			out[n++] = s.p[i];
	return n;
}

void guard_address_read(struct ai_span address, bool fetched,
			struct guard_address *a)
{
	char text[GUARD_ADDRESS_MAX], *p = text;
	size_t n = clean(address, text), slashes, len;
	const char *hash = fetched ? memchr(text, '#', n) : NULL;
	bool backslash = false;

	memset(a, 0, sizeof *a);
	if (hash != NULL)
		n = (size_t)(hash - text);
	/* What it carries behind what is looked at. */
	if (address.n > LONG)
		a->words = address.n;
	len = read_scheme(a, p, n);
	p += len;
	n -= len;
	for (slashes = 0; slashes < n && (p[slashes] == '/' ||
					  p[slashes] == '\\'); slashes++)
		backslash |= p[slashes] == '\\';
	if (a->scheme == GUARD_SCHEME_NONE && slashes >= 2)
		a->scheme = GUARD_SCHEME_WEB;
	if (a->scheme == GUARD_SCHEME_WEB) {
		a->odd |= backslash ? GUARD_ODD_BACKSLASH : 0;
		read_web(a, p + slashes, n - slashes);
	} else if (a->scheme == GUARD_SCHEME_DATA) {
		read_data(a, p, n);
	} else if (a->scheme == GUARD_SCHEME_MAIL) {
		char *query = memchr(p, '?', n);

		if (query != NULL)
			weigh_query(a, query + 1,
				    n - (size_t)(query + 1 - p));
	}
}
