/* bpe_scan_avx512.c: bpe_scan.h for processors with AVX-512 VBMI2. */
#include "text/bpe_scan.h"

#if defined __x86_64__

#include "text/class.h"

#include <immintrin.h>

#define BLOCK_DEPOSIT(bits, mask) _pdep_u64(bits, mask)
#define SCAN_TARGET                                                          \
	__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,"        \
			      "avx512vbmi2,aes,bmi,bmi2,lzcnt,popcnt")))
#include "text/bpe_scan_body.h"
#include "text/bpe_scan_kinds.h"
#include "text/bpe_scan_x86.h"

static const unsigned char iota[64] __attribute__((aligned(64))) = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
	32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
	48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
};

/* The bytes of ASCII among v, whose others are wide. */
SCAN_INLINE void load_ascii(struct ai_bpe_block *b, __m512i v, uint64_t ascii)
{
	__m512i k = _mm512_permutex2var_epi8(_mm512_load_si512(kinds), v,
					     _mm512_load_si512(kinds + 64));

#define KIND(x) _mm512_mask_test_epi8_mask(ascii, k, _mm512_set1_epi8(x))
	b->upper = KIND(UPPER);
	b->lower = KIND(LOWER);
	b->number = KIND(NUMBER);
	b->space = KIND(SPACE);
	b->blank = KIND(BLANK);
	b->newline = KIND(NEWLINE);
	b->other = KIND(OTHER);
#undef KIND
	b->apostrophe = _mm512_mask_cmpeq_epi8_mask(ascii, v,
						    _mm512_set1_epi8('\''));
	b->slashes = _mm512_mask_cmpeq_epi8_mask(ascii, v,
						 _mm512_set1_epi8('/'));
}

/* The bytes that begin characters of two, three and four bytes. */
struct leads {
	uint64_t two, three, four;
};

/*
 * How many of n bytes are whole, well-formed characters as far as the lengths
 * go; heads gets where they begin.  What the bytes say is checked later.
 */
SCAN_INLINE unsigned whole(__m512i v, uint64_t wide, unsigned n,
			   struct leads *l, uint64_t *heads)
{
#define AT_LEAST(x) _mm512_mask_cmpge_epu8_mask(wide, v, _mm512_set1_epi8(x))
	uint64_t e0 = AT_LEAST((char)0xE0), f0 = AT_LEAST((char)0xF0);
	uint64_t tail = wide & ~AT_LEAST((char)0xC0), want, wrong, lead;

	l->two = AT_LEAST((char)0xC2) & ~e0;
	l->three = e0 & ~f0;
	l->four = f0 & ~AT_LEAST((char)0xF5);
#undef AT_LEAST
	lead = l->two | l->three | l->four;
	want = lead << 1 | (l->three | l->four) << 2 | l->four << 3;
	wrong = (want ^ tail) | (wide & ~tail & ~lead);
	/* Of a character that goes on behind n, the lead is wrong. */
	if (n == 64)
		wrong |= (l->two | l->three | l->four) & BIT64(63);
	if (n == 64)
		wrong |= ((l->three | l->four) & BIT64(62)) |
			 (l->four & BIT64(61));
	if (wrong != 0) {
		unsigned at = (unsigned)__builtin_ctzll(wrong);
		uint64_t before;

		/* Where a byte is missing, its lead goes, too. */
		if (at < n && (want & ~tail & BIT64(at)) == 0) {
			n = at;
		} else {
			before = lead & BELOW(at);
			n = before == 0 ? at :
				63 - (unsigned)__builtin_clzll(before);
		}
	}
	*heads = ~tail & BELOW(n);
	return n;
}

/* Code points of the characters that begin at the 16 bytes of at. */
SCAN_INLINE __m512i decode(__m512i v, __m128i at)
{
	__m512i ix = _mm512_mullo_epi32(_mm512_cvtepu8_epi32(at),
					_mm512_set1_epi32(0x01010101));
	__m512i w = _mm512_permutexvar_epi8(
		_mm512_add_epi32(ix, _mm512_set1_epi32(0x03020100)), v);
	__m512i lead = _mm512_and_si512(w, _mm512_set1_epi32(0xFF));
	__m512i low = _mm512_set1_epi32(0x3F);
	__m512i a = _mm512_and_si512(_mm512_srli_epi32(w, 8), low);
	__m512i b = _mm512_and_si512(_mm512_srli_epi32(w, 16), low);
	__m512i c = _mm512_and_si512(_mm512_srli_epi32(w, 24), low);
	__mmask16 three = _mm512_cmpge_epu32_mask(lead,
						  _mm512_set1_epi32(0xE0));
	__mmask16 four = _mm512_cmpge_epu32_mask(lead,
						 _mm512_set1_epi32(0xF0));
	__m512i cp = _mm512_or_si512(_mm512_slli_epi32(_mm512_and_si512(
		lead, _mm512_set1_epi32(0x1F)), 6), a);

	/* A lead's bits above its data go with the last 21. */
	cp = _mm512_mask_or_epi32(cp, three, _mm512_slli_epi32(
		_mm512_and_si512(cp, _mm512_set1_epi32(0x3FF)), 6), b);
	cp = _mm512_mask_or_epi32(cp, four, _mm512_slli_epi32(
		_mm512_and_si512(cp, _mm512_set1_epi32(0x7FFF)), 6), c);
	return cp;
}

/* text/class.h for 16 code points. */
SCAN_INLINE __m512i classes(__m512i cp)
{
	__m512i limit = _mm512_set1_epi32((int)ai_class_table.limit);
	__mmask16 known = _mm512_cmplt_epu32_mask(cp, limit);
	__mmask16 far = _mm512_cmpge_epu32_mask(
		cp, _mm512_set1_epi32((int)ai_class_table.far));
	__m512i at, k;

	at = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), known,
		_mm512_srli_epi32(cp, ai_class_table.block_bits), ai_class_table.index, 1);
	at = _mm512_and_si512(at, _mm512_set1_epi32(0xFF));
	at = _mm512_or_si512(_mm512_slli_epi32(at, ai_class_table.block_bits),
		_mm512_and_si512(cp, _mm512_set1_epi32(
			(1 << ai_class_table.block_bits) - 1)));
	k = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), known,
		_mm512_srli_epi32(at, 1), ai_class_table.blocks, 1);
	k = _mm512_srlv_epi32(k, _mm512_slli_epi32(_mm512_and_si512(
		at, _mm512_set1_epi32(1)), 2));
	k = _mm512_and_si512(k, _mm512_set1_epi32(0xF));
	far &= _mm512_cmplt_epu32_mask(cp, _mm512_set1_epi32((int)ai_class_table.far_end));
	return _mm512_mask_mov_epi32(k, far, _mm512_set1_epi32(AI_CLASS_MARK));
}

/* Which of the code points of three and four bytes are none. */
SCAN_INLINE __mmask16 forbidden(__m512i cp, __mmask16 three, __mmask16 four)
{
	__mmask16 bad = _mm512_mask_cmplt_epu32_mask(
		three, cp, _mm512_set1_epi32(0x800));

	bad |= _mm512_mask_cmplt_epu32_mask(three, _mm512_sub_epi32(
		cp, _mm512_set1_epi32(0xD800)), _mm512_set1_epi32(0x800));
	bad |= _mm512_mask_cmplt_epu32_mask(four, cp,
					    _mm512_set1_epi32(0x10000));
	bad |= _mm512_mask_cmpge_epu32_mask(four, cp,
					    _mm512_set1_epi32(0x110000));
	return bad;
}

/* What the wide characters of a block are, each mask over these alone. */
struct wide {
	uint64_t upper, lower, letter, mark, number, blank, other, bad;
};

SCAN_INLINE void classify_wide(struct wide *w, __m512i v, uint64_t lead,
			       uint64_t three, uint64_t four)
{
	__m512i at = _mm512_maskz_compress_epi8(lead, _mm512_load_si512(iota));
	unsigned n = (unsigned)__builtin_popcountll(lead);

	*w = (struct wide){ 0 };
	three = _pext_u64(three, lead);
	four = _pext_u64(four, lead);
	for (unsigned i = 0; i < n; i += 16) {
		__mmask16 all = n - i >= 16 ? 0xFFFF :
					      (__mmask16)BELOW(n - i);
		__m128i at16 = _mm512_castsi512_si128(at);
		__m512i cp = decode(v, at16), k = classes(cp);

#define KIND(x) ((uint64_t)_mm512_mask_cmpeq_epi32_mask(                     \
			all, k, _mm512_set1_epi32(AI_CLASS_##x)) << i)
		w->upper |= KIND(UPPER);
		w->lower |= KIND(LOWER);
		w->letter |= KIND(LETTER);
		w->mark |= KIND(MARK);
		w->number |= KIND(NUMBER);
		w->blank |= KIND(SPACE);
		w->other |= KIND(OTHER);
#undef KIND
		w->bad |= (uint64_t)forbidden(
			cp, (__mmask16)(three >> i), (__mmask16)(four >> i))
			  << i;
		at = _mm512_shuffle_i64x2(at, at, 0x39);
	}
}

SCAN_INLINE void load_wide(struct ai_bpe_block *b, __m512i v, uint64_t wide,
			   unsigned n)
{
	struct leads l;
	struct wide w;
	uint64_t heads, lead, at;
	unsigned keep = whole(v, wide, n, &l, &heads);

	lead = (l.two | l.three | l.four) & heads;
	classify_wide(&w, v, lead, l.three & heads, l.four & heads);
	if (w.bad != 0) {
		keep = (unsigned)__builtin_ctzll(_pdep_u64(w.bad, lead));
		heads &= BELOW(keep);
	}
	if (keep < n)
		b->final = false;
	b->heads = heads;
	b->len = (unsigned)__builtin_popcountll(heads);
	load_ascii(b, v, heads & ~lead);
	/* From bytes to characters. */
	at = _pext_u64(lead, heads);
	b->upper = _pext_u64(b->upper, heads) | _pdep_u64(w.upper, at);
	b->lower = _pext_u64(b->lower, heads) | _pdep_u64(w.lower, at);
	b->number = _pext_u64(b->number, heads) | _pdep_u64(w.number, at);
	b->blank = _pext_u64(b->blank, heads) | _pdep_u64(w.blank, at);
	b->other = _pext_u64(b->other, heads) | _pdep_u64(w.other, at);
	b->letter = _pdep_u64(w.letter, at);
	b->mark = _pdep_u64(w.mark, at);
	b->space = _pext_u64(b->space, heads);
	b->newline = _pext_u64(b->newline, heads);
	b->apostrophe = _pext_u64(b->apostrophe, heads);
	b->slashes = _pext_u64(b->slashes, heads);
}

SCAN_INLINE void scan_load(struct ai_bpe_block *b, const unsigned char *p,
			   size_t n)
{
	unsigned len = n < 64 ? (unsigned)n : 64;
	__m512i v = _mm512_maskz_loadu_epi8(BELOW(len), p);
	uint64_t wide = _mm512_movepi8_mask(v);

	b->p = p;
	b->final = n <= 64;
	if (wide != 0) {
		load_wide(b, v, wide, len);
		return;
	}
	b->letter = b->mark = 0;
	b->heads = ~(uint64_t)0;
	b->len = len;
	load_ascii(b, v, BELOW(len));
}

SCAN_INLINE size_t scan_emit(uint32_t *pos, uint32_t base,
			     const struct ai_bpe_block *b, uint64_t starts)
{
	__m512i at, off = _mm512_set1_epi32((int)base);
	unsigned n = (unsigned)__builtin_popcountll(starts);

	if (b->heads != ~(uint64_t)0)
		starts = _pdep_u64(starts, b->heads);
	at = _mm512_maskz_compress_epi8(starts, _mm512_load_si512(iota));
	for (unsigned i = 0; i < n; i += 16) {
		__m512i x = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(at));

		_mm512_storeu_si512(pos + i, _mm512_add_epi32(x, off));
		at = _mm512_shuffle_i64x2(at, at, 0x39);
	}
	return n;
}

SCAN_TARGET static size_t probe(struct ai_bpe_batch *s,
				const struct ai_piece_cache *c)
{
	const __m512i same = _mm512_set_epi64(
		(long long)~AI_PIECE_COUNT_MASK, -1,
		(long long)~AI_PIECE_COUNT_MASK, -1,
		(long long)~AI_PIECE_COUNT_MASK, -1,
		(long long)~AI_PIECE_COUNT_MASK, -1);
	const __m512i low = _mm512_set1_epi64(0xF);
	__m512i sum = _mm512_setzero_si512();
	struct probe q[AHEAD];

	s->misses = 0;
	for (size_t from = 0; from < s->pieces; from += AHEAD) {
		size_t n = s->pieces - from;

		n = n < AHEAD ? n : AHEAD;
		prepare(q, s, c, from, n);
		for (size_t i = 0; i < n; i++) {
			__m512i e = _mm512_load_si512(q[i].bucket);
			__m512i k = _mm512_broadcast_i32x4(q[i].key);
			__mmask8 hit = _mm512_testn_epi64_mask(
				_mm512_xor_si512(e, k), same);

			hit &= (__mmask8)(hit << 1) & 0xAA;
			sum = _mm512_mask_add_epi64(sum, hit, sum,
				_mm512_and_si512(_mm512_srli_epi64(
					e, AI_PIECE_COUNT_SHIFT), low));
			s->miss[s->misses] = (uint16_t)(from + i);
			s->misses += hit == 0;
		}
	}
	return (size_t)_mm512_reduce_add_epi64(sum);
}

static bool usable(void)
{
	return __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512vbmi") &&
	       __builtin_cpu_supports("avx512vbmi2") &&
	       __builtin_cpu_supports("aes") &&
	       __builtin_cpu_supports("bmi2");
}

const struct ai_bpe_scanner ai_bpe_scan_avx512 = {
	"AVX-512", usable, hash,
	{ scan_pieces_r50k, scan_pieces_cl100k, scan_pieces_o200k }, probe,
};

#endif
