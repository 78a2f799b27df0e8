/* Reference resolution, RFC 3986 sections 5.2 and 5.3 (strict). */
#include "record/schema-int.h"

#include <string.h>

/* p NULL: the part is not there (which is not the same as empty). */
struct parts {
	struct ai_span scheme, authority, path, query;
};

/* The first of stop's characters in p..end, or end. */
static const char *until(const char *p, const char *end, const char *stop)
{
	while (p < end && (*p == '\0' || strchr(stop, *p) == NULL))
		p++;
	return p;
}

static bool is_scheme(const char *p, const char *end)
{
	if (p == end || (*p | 0x20) < 'a' || (*p | 0x20) > 'z')
		return false;
	for (; p < end; p++)
		if (!((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z') &&
		    !(*p >= '0' && *p <= '9') && *p != '+' && *p != '-' &&
		    *p != '.')
			return false;
	return true;
}

static struct ai_span span(const char *from, const char *to)
{
	return (struct ai_span){ from, (size_t)(to - from) };
}

static struct parts split(struct ai_span uri)
{
	const char *p = uri.p, *end = uri.p + uri.n, *q;
	struct parts u = { 0 };

	q = until(p, end, ":/?");
	if (q < end && *q == ':' && is_scheme(p, q)) {
		u.scheme = span(p, q);
		p = q + 1;
	}
	if (end - p >= 2 && p[0] == '/' && p[1] == '/') {
		q = until(p + 2, end, "/?");
		u.authority = span(p + 2, q);
		p = q;
	}
	q = until(p, end, "?");
	u.path = span(p, q);
	if (q < end)
		u.query = span(q + 1, end);
	return u;
}

/* Takes the last segment off what was written since from. */
static void drop_segment(struct ai_buf *out, size_t from)
{
	while (out->len > from && out->p[out->len - 1] != '/')
		out->len--;
	if (out->len > from)
		out->len--;
	if (out->p != NULL)
		out->p[out->len] = '\0';
}

/* remove_dot_segments of section 5.2.4. */
static void put_path(struct ai_span path, struct ai_buf *out)
{
	const char *p = path.p, *end = path.p + path.n, *q;
	size_t from = out->len;

	while (p < end) {
		const char *name = *p == '/' ? p + 1 : p;

		q = until(name, end, "/");
		if (ai_span_is(span(name, q), "..")) {
			drop_segment(out, from);
		} else if (!ai_span_is(span(name, q), ".")) {
			ai_buf_add(out, p, (size_t)(q - p));
			p = q;
			continue;
		}
		/* A dot at the end leaves its slash. */
		if (q == end && (p != name || out->len > from))
			ai_buf_chr(out, '/');
		p = p == name && q < end ? q + 1 : q;
	}
}

/* Section 5.2.3: the base's path up to its last slash, then the path. */
static void put_merged(const struct parts *base, struct ai_span path,
		       struct ai_buf *out)
{
	struct ai_buf both = AI_BUF_INIT(base->path.n + path.n + 1);
	size_t dir = base->path.n;

	while (dir > 0 && base->path.p[dir - 1] != '/')
		dir--;
	if (base->authority.p != NULL && base->path.n == 0)
		ai_buf_chr(&both, '/');
	ai_buf_add(&both, base->path.p, dir);
	ai_buf_add(&both, path.p, path.n);
	put_path((struct ai_span){ ai_buf_cstr(&both), both.len }, out);
	if (both.bad != AI_E_NONE)
		out->bad = both.bad;
	ai_buf_release(&both);
}

static void put_scheme(struct ai_span scheme, struct ai_buf *out)
{
	if (scheme.p == NULL)
		return;
	ai_buf_add(out, scheme.p, scheme.n);
	ai_buf_chr(out, ':');
}

static void put_authority(struct ai_span authority, struct ai_buf *out)
{
	if (authority.p == NULL)
		return;
	ai_buf_str(out, "//");
	ai_buf_add(out, authority.p, authority.n);
}

static void put_query(struct ai_span query, struct ai_buf *out)
{
	if (query.p == NULL)
		return;
	ai_buf_chr(out, '?');
	ai_buf_add(out, query.p, query.n);
}

void ai_uri_resolve(struct ai_span base, struct ai_span ref,
		    struct ai_buf *out)
{
	struct parts b = split(base), r = split(ref);

	put_scheme(r.scheme.p != NULL ? r.scheme : b.scheme, out);
	if (r.scheme.p != NULL || r.authority.p != NULL) {
		put_authority(r.authority, out);
		put_path(r.path, out);
		put_query(r.query, out);
		return;
	}
	put_authority(b.authority, out);
	if (r.path.n == 0)
		ai_buf_add(out, b.path.p, b.path.n);
	else if (r.path.p[0] == '/')
		put_path(r.path, out);
	else
		put_merged(&b, r.path, out);
	put_query(r.path.n == 0 && r.query.p == NULL ? b.query : r.query, out);
}

void ai_uri_split(struct ai_span ref, struct ai_span *uri,
		  struct ai_span *fragment)
{
	const char *end = ref.p + ref.n, *hash = until(ref.p, end, "#");

	*uri = span(ref.p, hash);
	*fragment = hash < end ? span(hash + 1, end)
			       : (struct ai_span){ NULL, 0 };
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void ai_uri_decode(struct ai_span s, struct ai_buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		int hi = -1, lo = -1;

		if (s.p[i] == '%' && s.n - i > 2) {
			hi = hex(s.p[i + 1]);
			lo = hex(s.p[i + 2]);
		}
		if (hi < 0 || lo < 0) {
			ai_buf_chr(out, s.p[i]);
			continue;
		}
		ai_buf_chr(out, (char)(hi << 4 | lo));
		i += 2;
	}
}
