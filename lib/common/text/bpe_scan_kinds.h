/* bpe_scan_kinds.h: a bit for each class of bytes; for bpe_scan_*.c. */
enum {
	UPPER = 1, LOWER = 2, NUMBER = 4, SPACE = 8, BLANK = 16, NEWLINE = 32,
	OTHER = 64, WIDE = 128,
};

#define O OTHER
#define U UPPER
#define L LOWER
#define N NUMBER
#define W WIDE
#define W16 W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W

static const unsigned char kinds[256] __attribute__((aligned(64))) = {
	O, O, O, O, O, O, O, O, O, BLANK, NEWLINE, BLANK, BLANK, NEWLINE, O, O,
	O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
	SPACE, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
	N, N, N, N, N, N, N, N, N, N, O, O, O, O, O, O,
	O, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
	U, U, U, U, U, U, U, U, U, U, U, O, O, O, O, O,
	O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
	L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O,
	W16, W16, W16, W16, W16, W16, W16, W16,
};

#undef O
#undef U
#undef L
#undef N
#undef W
#undef W16
