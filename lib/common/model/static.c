#include "model/static.h"

#include "base/path.h"
#include "model/safetensors.h"
#include "model/tokenizer.h"
#include "text/vector.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define MATRIX "model.safetensors"
#define CONFIG_MAX ((off_t)1 << 20)

struct ai_static {
	struct ai_bpe *bpe;
	uint32_t unknown;
	void *map;
	size_t len;
	struct ai_tensor rows;
	uint32_t *row;   /* by token; NULL: its own number */
	float *weight;   /* by token; NULL: 1 */
	size_t n_tokens; /* that have a row */
};

static bool ends_in(const char *name, const char *tail)
{
	size_t n = strlen(name), m = strlen(tail);

	return n > m && strcmp(name + n - m, tail) == 0;
}

bool ai_static_is(const char *name)
{
	struct stat st;

	if (stat(name, &st) < 0)
		return ends_in(name, ".safetensors");
	return S_ISDIR(st.st_mode) || ends_in(name, ".safetensors");
}

/* ---- opening ---------------------------------------------------------------- */

/* The folder, to be freed. */
static char *folder_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	if (!ends_in(name, ".safetensors"))
		return strdup(name);
	return slash == NULL ? strdup(".") : slash == name ? strdup("/")
		: strndup(name, (size_t)(slash - name));
}

static int map_file(struct ai_static *m, const char *path, struct ai_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		ai_err_sys(err, AI_E_OPEN, errno, "cannot open '%.300s'",
			   path);
		goto fail;
	}
	if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		ai_err_set(err, AI_E_DATA, "'%.300s' is no file with anything "
			   "in it", path);
		goto fail;
	}
	m->len = (size_t)st.st_size;
	m->map = mmap(NULL, m->len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (m->map == MAP_FAILED) {
		m->map = NULL;
		ai_err_sys(err, AI_E_OS, errno, "cannot map '%.300s'", path);
		goto fail;
	}
	close(fd);
	return 0;
fail:
	if (fd >= 0)
		close(fd);
	return -1;
}

static int bad(const char *what, struct ai_err *err)
{
	return ai_err_set(err, AI_E_DATA, "%s", what);
}

static int check_rows(const struct ai_tensor *t, struct ai_err *err)
{
	if (t->dims != 2 || t->shape[0] == 0 || t->shape[1] == 0)
		return bad("\"embeddings\" is no matrix", err);
	if (t->shape[1] > AI_VECTOR_DIM_MAX)
		return ai_err_set(err, AI_E_DATA, "its vectors have %zu "
				  "dimensions; the limit is %d", t->shape[1],
				  AI_VECTOR_DIM_MAX);
	if (t->type != AI_TENSOR_F32 && t->type != AI_TENSOR_F16 &&
	    t->type != AI_TENSOR_BF16 && t->type != AI_TENSOR_I8)
		return ai_err_set(err, AI_E_DATA, "\"embeddings\" are numbers "
				  "of the type %s: F32, F16, BF16 and I8 can "
				  "be read", ai_tensor_type_name(t->type));
	return 0;
}

/* Which row a token has, where several share one. */
static int take_mapping(struct ai_static *m, const struct ai_tensor *t,
			struct ai_err *err)
{
	double row;

	if (t->dims != 1 || (t->type != AI_TENSOR_I64 &&
			     t->type != AI_TENSOR_I32))
		return bad("\"mapping\" is no list of whole numbers", err);
	m->row = calloc(t->shape[0] + 1, sizeof *m->row);
	if (m->row == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < t->shape[0]; i++) {
		row = ai_tensor_at(t, i);
		if (!(row >= 0 && row < (double)m->rows.shape[0]))
			return ai_err_set(err, AI_E_DATA, "token %zu has row "
					  "%.0f, and there are %zu", i, row,
					  m->rows.shape[0]);
		m->row[i] = (uint32_t)row;
	}
	m->n_tokens = t->shape[0];
	return 0;
}

static int take_weights(struct ai_static *m, const struct ai_tensor *t,
			struct ai_err *err)
{
	if (t->dims != 1 || t->shape[0] != m->n_tokens)
		return ai_err_set(err, AI_E_DATA, "\"weights\" is no list of "
				  "%zu numbers, one a token", m->n_tokens);
	m->weight = calloc(t->shape[0] + 1, sizeof *m->weight);
	if (m->weight == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < t->shape[0]; i++) {
		m->weight[i] = (float)ai_tensor_at(t, i);
		if (!isfinite(m->weight[i]))
			return ai_err_set(err, AI_E_DATA, "the weight of token "
					  "%zu is not finite", i);
	}
	return 0;
}

static int take_tensors(struct ai_static *m, struct ai_err *err)
{
	struct ai_safetensors s;
	struct ai_tensor t;
	int rc;

	if (ai_safetensors_open(&s, m->map, m->len, err) < 0)
		return -1;
	rc = ai_safetensors_get(&s, "embeddings", &m->rows, err);
	if (rc <= 0)
		return rc < 0 ? -1 : bad("it has no \"embeddings\"", err);
	if (check_rows(&m->rows, err) < 0)
		return -1;
	m->n_tokens = m->rows.shape[0];
	rc = ai_safetensors_get(&s, "mapping", &t, err);
	if (rc < 0 || (rc > 0 && take_mapping(m, &t, err) < 0))
		return -1;
	rc = ai_safetensors_get(&s, "weights", &t, err);
	return rc < 0 || (rc > 0 && take_weights(m, &t, err) < 0) ? -1 : 0;
}

/* Only to see that it is such a model: a folder may be of one that must be
 * run. */
static int check_config(const char *path, struct ai_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct ai_value v, type;
	struct stat st;
	char *text = NULL;
	ssize_t n = -1;
	int rc = -1;

	if (fd < 0)
		return errno == ENOENT ? 0 :
			ai_err_sys(err, AI_E_OPEN, errno,
				   "cannot open '%.300s'", path);
	if (fstat(fd, &st) == 0 && st.st_size <= CONFIG_MAX &&
	    (text = malloc((size_t)st.st_size + 1)) != NULL)
		n = read(fd, text, (size_t)st.st_size);
	close(fd);
	if (n < 0 || ai_json_check(text, (size_t)n, &v, NULL) < 0 ||
	    v.kind != AI_OBJECT) {
		ai_err_set(err, AI_E_DATA, "'%.300s' is no JSON object", path);
	} else {
		type = ai_json_get(v, "model_type");
		rc = type.kind != AI_STRING ||
			ai_json_is(type, AI_SPAN("model2vec")) ? 0 :
			ai_err_set(err, AI_E_DATA, "'%.200s' is of a model of "
				   "another type (%.*s): only static ones, "
				   "model2vec, need no server", path,
				   (int)(type.s.n < 40 ? type.s.n : 40),
				   type.s.p);
	}
	free(text);
	return rc;
}

/* What is wrong is in this file. */
static int blame(const char *path, struct ai_err *err)
{
	char why[sizeof err->msg];

	if (err->code != AI_E_DATA)
		return -1;
	memcpy(why, err->msg, sizeof why);
	return ai_err_set(err, AI_E_DATA, "'%.120s' cannot be used: %s", path,
			  why);
}

static int open_all(struct ai_static *m, const char *name, const char *folder,
		    struct ai_err *err)
{
	char *file = NULL, *config = NULL, *tokens = NULL;
	int rc = -1;

	if (ai_path_join(folder, "config.json", &config, err) < 0 ||
	    ai_path_join(folder, "tokenizer.json", &tokens, err) < 0)
		goto out;
	if (ends_in(name, ".safetensors"))
		file = strdup(name);
	else if (ai_path_join(folder, MATRIX, &file, err) < 0)
		goto out;
	if (file == NULL) {
		ai_err_nomem(err);
		goto out;
	}
	if (check_config(config, err) < 0 || map_file(m, file, err) < 0)
		goto out;
	rc = take_tensors(m, err) < 0 ? blame(file, err) : 0;
	if (rc == 0)
		rc = ai_tokenizer_open(&m->bpe, tokens, err);
out:
	free(file);
	free(config);
	free(tokens);
	return rc;
}

int ai_static_open(struct ai_static **out, const char *name,
		   struct ai_err *err)
{
	struct ai_static *m = calloc(1, sizeof *m);
	char *folder = folder_of(name);
	int rc = -1;

	*out = NULL;
	if (m == NULL || folder == NULL)
		ai_err_nomem(err);
	else
		rc = open_all(m, name, folder, err);
	free(folder);
	if (rc < 0) {
		ai_static_close(m);
		return -1;
	}
	m->unknown = ai_bpe_unknown(m->bpe);
	*out = m;
	return 0;
}

void ai_static_close(struct ai_static *m)
{
	if (m == NULL)
		return;
	ai_bpe_close(m->bpe);
	if (m->map != NULL)
		munmap(m->map, m->len);
	free(m->row);
	free(m->weight);
	free(m);
}

size_t ai_static_dim(const struct ai_static *m)
{
	return m->rows.shape[1];
}

/* ---- a text's vector ---------------------------------------------------------- */

/* The three below add w times a row to out.  Numbers may stand at any
 * address, and are little-endian. */

static void add_f32(float *out, const unsigned char *p, size_t dim, float w)
{
	uint32_t bits;
	float v;

	for (size_t i = 0; i < dim; i++) {
		memcpy(&bits, p + 4 * i, sizeof bits);
		bits = le32toh(bits);
		memcpy(&v, &bits, sizeof v);
		out[i] += w * v;
	}
}

/* A half's bits, one place further up in a float, are the number times 2^-112;
 * what is infinite or no number comes out so. */
static void add_f16(float *out, const unsigned char *p, size_t dim, float w)
{
	uint32_t bits, high;
	uint16_t h;
	float v;

	for (size_t i = 0; i < dim; i++) {
		memcpy(&h, p + 2 * i, sizeof h);
		h = le16toh(h);
		high = (h & 0x7C00) == 0x7C00 ? 0x7F800000u : 0;
		bits = (uint32_t)(h & 0x7FFF) << 13;
		memcpy(&v, &bits, sizeof v);
		v *= 0x1p112f;
		memcpy(&bits, &v, sizeof bits);
		bits |= high | (uint32_t)(h & 0x8000) << 16;
		memcpy(&v, &bits, sizeof v);
		out[i] += w * v;
	}
}

#ifdef __x86_64__
/* The same numbers, by the processor's own conversion. */
__attribute__((target("avx,f16c")))
static void add_f16_x86(float *out, const unsigned char *p, size_t dim,
			float w)
{
	size_t whole = dim / 8 * 8;
	__m256 v;

	for (size_t i = 0; i < whole; i += 8) {
		v = _mm256_cvtph_ps(_mm_loadu_si128(
			(const __m128i_u *)(p + 2 * i)));
		v = _mm256_mul_ps(v, _mm256_set1_ps(w));
		_mm256_storeu_ps(out + i, _mm256_add_ps(
			_mm256_loadu_ps(out + i), v));
	}
	add_f16(out + whole, p + 2 * whole, dim - whole, w);
}
#endif

static void add_bf16(float *out, const unsigned char *p, size_t dim, float w)
{
	uint32_t bits;
	uint16_t h;
	float v;

	for (size_t i = 0; i < dim; i++) {
		memcpy(&h, p + 2 * i, sizeof h);
		bits = (uint32_t)le16toh(h) << 16;
		memcpy(&v, &bits, sizeof v);
		out[i] += w * v;
	}
}

static void add_i8(float *out, const unsigned char *p, size_t dim, float w)
{
	for (size_t i = 0; i < dim; i++)
		out[i] += w * (float)(int8_t)p[i];
}

typedef void add_row(float *out, const unsigned char *p, size_t dim, float w);

static add_row *adder_of(enum ai_tensor_type type)
{
#ifdef __x86_64__
	if (type == AI_TENSOR_F16 && __builtin_cpu_supports("f16c"))
		return add_f16_x86;
#endif
	return type == AI_TENSOR_F32 ? add_f32
		: type == AI_TENSOR_F16 ? add_f16
		: type == AI_TENSOR_BF16 ? add_bf16 : add_i8;
}

static int check_sum(const float *v, size_t dim, struct ai_err *err)
{
	float sum = 0;

	/* What is not finite stays so, whatever is added. */
	for (size_t i = 0; i < dim; i++)
		sum += v[i] * 0;
	return isfinite(sum) ? 0 : ai_err_set(err, AI_E_DATA,
		"the model has a number for a token of this text that is not "
		"finite");
}

int ai_static_embed(const struct ai_static *m, const char *p, size_t n,
		    struct ai_bpe_ids *ids, float *out, size_t dim,
		    struct ai_err *err)
{
	add_row *const add = adder_of(m->rows.type);
	const size_t stride = m->rows.shape[1] * m->rows.width;
	uint32_t id;

	ids->n = 0;
	if (ai_bpe_encode(m->bpe, p, n, AI_BPE_SPECIAL, ids, err) < 0)
		return -1;
	memset(out, 0, dim * sizeof *out);
	for (size_t i = 0; i < ids->n; i++) {
		id = ids->v[i];
		if (id == m->unknown || id >= m->n_tokens)
			continue;
		add(out, m->rows.p + stride *
		    (m->row != NULL ? m->row[id] : id), dim,
		    m->weight != NULL ? m->weight[id] : 1);
	}
	/* A mean is as long as one likes: it gets length 1 in any case. */
	if (check_sum(out, dim, err) < 0)
		return -1;
	ai_vector_normalise(out, dim);
	return 0;
}
