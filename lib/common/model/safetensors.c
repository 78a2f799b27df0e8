#include "model/safetensors.h"

#include "base/utf8.h"
#include "text/vector_code.h"

#include <endian.h>
#include <string.h>

#define HEAD_MAX ((uint64_t)100 << 20)

static const struct {
	const char *name;
	size_t width;
} types[] = {
	[AI_TENSOR_F16] = { "F16", 2 }, [AI_TENSOR_BF16] = { "BF16", 2 },
	[AI_TENSOR_F32] = { "F32", 4 }, [AI_TENSOR_F64] = { "F64", 8 },
	[AI_TENSOR_I8] = { "I8", 1 },   [AI_TENSOR_I32] = { "I32", 4 },
	[AI_TENSOR_I64] = { "I64", 8 }, [AI_TENSOR_OTHER] = { "other", 0 },
};

const char *ai_tensor_type_name(enum ai_tensor_type type)
{
	return types[type].name;
}

static int bad(struct ai_value key, const char *what, struct ai_err *err)
{
	return ai_err_set(err, AI_E_DATA, "its array %.*s %s",
			  (int)ai_utf8_floor(key.s.p, key.s.n, 80), key.s.p,
			  what);
}

static int read_shape(struct ai_value key, struct ai_value v,
		      struct ai_tensor *t, struct ai_err *err)
{
	struct ai_json_iter it;
	int64_t n;

	t->shape[0] = t->shape[1] = 1;
	t->dims = 0;
	if (v.kind != AI_ARRAY)
		return bad(key, "has no shape", err);
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, NULL, &v)) {
		if (ai_json_i64(v, &n) < 0 || n < 0 || n > INT32_MAX)
			return bad(key, "has a shape that is absurd", err);
		if (t->dims < 2)
			t->shape[t->dims] = (size_t)n;
		t->dims++;
	}
	return 0;
}

static int read_bytes(const struct ai_safetensors *s, struct ai_value key,
		      struct ai_value v, struct ai_tensor *t,
		      struct ai_err *err)
{
	struct ai_value from = ai_json_get(v, "0"), to = ai_json_get(v, "1");
	int64_t a, b;

	if (v.kind != AI_ARRAY || ai_json_i64(from, &a) < 0 ||
	    ai_json_i64(to, &b) < 0 || a < 0 || b < a)
		return bad(key, "has no data_offsets that make sense", err);
	if ((uint64_t)b > s->n)
		return bad(key, "goes on behind the end of the file: it was "
			   "cut off", err);
	t->p = s->data + a;
	t->n = (size_t)(b - a);
	return 0;
}

static int read_tensor(const struct ai_safetensors *s, struct ai_value key,
		       struct ai_value v, struct ai_tensor *t,
		       struct ai_err *err)
{
	struct ai_value type = ai_json_get(v, "dtype");
	size_t all;

	if (v.kind != AI_OBJECT || type.kind != AI_STRING)
		return bad(key, "has no dtype", err);
	t->type = AI_TENSOR_OTHER;
	for (int i = 0; i < AI_TENSOR_OTHER; i++)
		if (ai_json_is(type, ai_span_of(types[i].name)))
			t->type = (enum ai_tensor_type)i;
	t->width = types[t->type].width;
	if (read_shape(key, ai_json_get(v, "shape"), t, err) < 0 ||
	    read_bytes(s, key, ai_json_get(v, "data_offsets"), t, err) < 0)
		return -1;
	if (t->width == 0 || t->dims > 2)
		return 0;
	if (__builtin_mul_overflow(t->shape[0], t->shape[1], &all) ||
	    __builtin_mul_overflow(all, t->width, &all) || all != t->n)
		return bad(key, "has a shape that does not fit its bytes",
			   err);
	return 0;
}

int ai_safetensors_open(struct ai_safetensors *s, const void *p, size_t n,
			struct ai_err *err)
{
	struct ai_value key, v;
	struct ai_json_iter it;
	struct ai_tensor t;
	struct ai_err why;
	uint64_t head;

	if (n < sizeof head)
		return ai_err_set(err, AI_E_DATA, "it is too short");
	memcpy(&head, p, sizeof head);
	head = le64toh(head);
	if (head > HEAD_MAX)
		return ai_err_set(err, AI_E_DATA, "it is no safetensors file: "
				  "its header would have %llu bytes",
				  (unsigned long long)head);
	if (head > n - sizeof head)
		return ai_err_set(err, AI_E_DATA, "its header was cut off");
	if (ai_json_check((const char *)p + sizeof head, (size_t)head,
			  &s->head, &why) < 0 || s->head.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_DATA,
				  "its header is no JSON object");
	s->data = (const unsigned char *)p + sizeof head + head;
	s->n = n - sizeof head - (size_t)head;
	ai_json_iter_init(&it, s->head);
	while (ai_json_next(&it, &key, &v))
		if (!ai_json_is(key, AI_SPAN("__metadata__")) &&
		    read_tensor(s, key, v, &t, err) < 0)
			return -1;
	return 0;
}

int ai_safetensors_get(const struct ai_safetensors *s, const char *name,
		       struct ai_tensor *t, struct ai_err *err)
{
	struct ai_value key, v;
	struct ai_json_iter it;

	ai_json_iter_init(&it, s->head);
	while (ai_json_next(&it, &key, &v)) {
		if (!ai_json_is(key, ai_span_of(name)))
			continue;
		if (read_tensor(s, key, v, t, err) < 0)
			return -1;
		return t->dims <= 2 ? 1 :
			bad(key, "has more than two dimensions", err);
	}
	return 0;
}

static uint64_t little(const unsigned char *p, size_t width)
{
	uint64_t v = 0;

	memcpy(&v, p, width);
	return le64toh(v);
}

double ai_tensor_at(const struct ai_tensor *t, size_t i)
{
	uint64_t bits = little(t->p + i * t->width, t->width);
	uint32_t low = (uint32_t)bits;
	double d;
	float f;

	switch (t->type) {
	case AI_TENSOR_F16:
		return ai_from_half((uint16_t)bits);
	case AI_TENSOR_BF16:
		low <<= 16;
		memcpy(&f, &low, sizeof f);
		return f;
	case AI_TENSOR_F32:
		memcpy(&f, &low, sizeof f);
		return f;
	case AI_TENSOR_F64:
		memcpy(&d, &bits, sizeof d);
		return d;
	case AI_TENSOR_I8:
		return (int8_t)bits;
	case AI_TENSOR_I32:
		return (int32_t)low;
	case AI_TENSOR_I64:
		return (double)(int64_t)bits;
	default:
		return 0;
	}
}
