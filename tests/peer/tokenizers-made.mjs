// tokenizers-made.mjs: small tokenizers of every kind that ai-tokens reads, for
// tokenizers.mjs. Their vocabularies are made of the text below, by counting.

const corpus = `The quick brown fox jumps over the lazy dog, and it's 12345 times
that they've seen it: don't ask. Überraschung! Ça va? naïve café, ÉCOLE.
 for (int i = 0; i < 10; i++) { printf("%d\\n", i * i); }  // loops
Привет, мир! Как дела? 你好，世界。日本語のテキスト。 한국어 텍스트도 있다.
    indented    text\twith\ttabs\r\nand lines\n\n\nand the end of the word words
\u{1f600}\u{1f469}\u200d\u{1f469} 3.14159 0x1F 1,000,000 foo_bar FooBar fooBar `;

const alphabet = (() => {
	const to = {};
	let n = 0;
	for (let b = 0; b < 256; b++)
		to[b] = String.fromCodePoint((b >= 33 && b <= 126) ||
			(b >= 161 && b <= 172) || b >= 174 ? b : 256 + n++);
	return to;
})();
const mapped = s => [...Buffer.from(s)].map(b => alphabet[b]).join('');

// The merges that pieces suggest, as training has them: the most frequent pair
// again and again.
function train(pieces, base, count) {
	const vocab = new Map(base.map((t, i) => [t, i])), merges = [];
	let words = pieces.map(p => [...p]);
	while (merges.length < count) {
		const pairs = new Map();
		for (const w of words)
			for (let i = 0; i + 1 < w.length; i++) {
				const key = `${w[i]}\u0000${w[i + 1]}`;
				pairs.set(key, (pairs.get(key) ?? 0) + 1);
			}
		const best = [...pairs].filter(([k]) =>
			k.split('\u0000').every(t => vocab.has(t)))
			.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0];
		if (best === undefined || best[1] < 2)
			break;
		const [a, b] = best[0].split('\u0000');
		merges.push([a, b]);
		if (!vocab.has(a + b))
			vocab.set(a + b, vocab.size);
		words = words.map(w => {
			const out = [];
			for (const t of w)
				if (out.length > 0 && t === b &&
					out[out.length - 1] === a)
					out[out.length - 1] = a + b;
				else
					out.push(t);
			return out;
		});
	}
	return { vocab: Object.fromEntries(vocab), merges };
}

const words = corpus.match(/ ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+/gu);
const bytes = train(words.map(mapped), Object.values(alphabet), 300);
const signs = corpus.replaceAll(' ', '\u2581');
export const byteTokens = Array.from({ length: 256 }, (_, b) =>
	`<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`);
const chars = [...new Set([...signs])].filter(c => c !== 'x' && c !== '世');
export const pieces = train(signs.split(/(?=\u2581)/),
	['<unk>', '<s>', '</s>', ...byteTokens, ...chars], 300);
const noBytes = train(signs.split(/(?=\u2581)/), ['<unk>', ...chars], 200);

const bpe = (model, more) => ({ type: 'BPE', dropout: null, unk_token: null,
	continuing_subword_prefix: null, end_of_word_suffix: null,
	fuse_unk: false, byte_fallback: false, ...model, ...more });
const file = more => ({ version: '1.0', truncation: null, padding: null,
	added_tokens: [], normalizer: null, pre_tokenizer: null,
	post_processor: null, decoder: null, ...more });
const split = (Regex, behavior = 'Isolated', invert = false) =>
	({ type: 'Split', pattern: { Regex }, behavior, invert });
const byteLevel = { type: 'ByteLevel', add_prefix_space: false,
	trim_offsets: true, use_regex: false };
const sequence = (...pretokenizers) => ({ type: 'Sequence', pretokenizers });
const byBytes = (pre, more) => file({ pre_tokenizer: pre,
	decoder: byteLevel, model: bpe(bytes), ...more });
const added = (id, content, more) => ({ id, content, single_word: false,
	lstrip: false, rstrip: false, normalized: false, special: false, ...more });

// Tokens that pieces have, with a score each; the more frequent the higher.
const byId = Object.entries(pieces.vocab).sort((a, b) => a[1] - b[1]);
const scores = byId.map(([t], i) => [t,
	byteTokens.includes(t) || i < 3 ? 0 : -1 - Math.sqrt(i) / 3 -
		(i % 7) / 11 + Math.min([...t].length, 8) / 2]);
const unigram = more => ({ type: 'Unigram', unk_id: 0, vocab: scores,
	byte_fallback: false, ...more });
const metaspace = (prepend_scheme, more) => ({ type: 'Metaspace',
	replacement: '\u2581', prepend_scheme, split: true, ...more });
const spDecoder = { type: 'Sequence', decoders: [
	{ type: 'Replace', pattern: { String: '\u2581' }, content: ' ' },
	{ type: 'ByteFallback' }, { type: 'Fuse' },
	{ type: 'Strip', content: ' ', start: 1, stop: 0 }] };

const cl100k = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" +
	'\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const o200k = "PRE?U*L+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|" +
	"PRE?U+L*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}|" +
	' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const o200kPattern = o200k.replaceAll('PRE', '[^\\r\\n\\p{L}\\p{N}]')
	.replaceAll('U', upper).replaceAll('L*', `${lower}*`)
	.replaceAll('L+', `${lower}+`);

// Splits: those that are known as rules, and such as are not.
const patterns = {
	cl100k, o200k: o200kPattern,
	'qwen3.5': cl100k.replace('\\p{L}+', '[\\p{L}\\p{M}]+')
		.replace('[^\\s\\p{L}\\p{N}]', '[^\\s\\p{L}\\p{M}\\p{N}]')
		.replace('{1,3}', ''),
	digits: cl100k.replace('{1,3}', '+'),
	gpt2: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|" +
		'\\s+(?!\\S)|\\s+',
	letters: '\\p{L}+', words: '\\w+|[^\\w\\s]+', nothing: 'x*',
	lookbehind: '(?<=[a-z])(?=[A-Z])',
	'bloom': ' ?[^(\\s|[.,!?…。，、।۔،])]+',
};
const behaviors = ['Isolated', 'Removed', 'MergedWithPrevious',
	'MergedWithNext', 'Contiguous'];

function* splits() {
	for (const [name, pattern] of Object.entries(patterns))
		yield { name: `split-${name}`,
			json: byBytes(sequence(split(pattern), byteLevel)) };
	for (const behavior of behaviors)
		for (const invert of [false, true])
			yield { name: `split-${behavior}-${invert}`,
				json: byBytes(sequence(split('\\p{L}+', behavior, invert),
					byteLevel)) };
	for (const behavior of behaviors)
		yield { name: `string-${behavior}`, json: byBytes(sequence(
			{ type: 'Split', pattern: { String: '..' }, behavior,
				invert: false }, byteLevel)) };
	for (const individual_digits of [false, true])
		yield { name: `digits-${individual_digits}`, json: byBytes(sequence(
			{ type: 'Digits', individual_digits },
			{ ...byteLevel, use_regex: true })) };
	for (const type of ['Whitespace', 'WhitespaceSplit', 'Punctuation'])
		yield { name: type, json: byBytes(sequence(
			type === 'Punctuation' ? { type, behavior: 'Contiguous' }
				: { type }, byteLevel)) };
	yield { name: 'delimiter', json: byBytes(sequence(
		{ type: 'CharDelimiterSplit', delimiter: 'e' }, byteLevel)) };
	for (const add_prefix_space of [false, true])
		yield { name: `bytelevel-${add_prefix_space}`, json: byBytes(
			{ ...byteLevel, add_prefix_space, use_regex: true }) };
}

function* models() {
	yield { name: 'ignore-merges', json: byBytes(sequence(split(cl100k),
		byteLevel), { model: bpe(bytes, { ignore_merges: true }) }) };
	yield { name: 'nfc', json: byBytes(byteLevel,
		{ normalizer: { type: 'NFC' } }) };
	// Merges as strings, and a vocabulary that lacks most bytes.
	yield { name: 'few-bytes', decodes: false, json: byBytes(byteLevel,
		{ model: bpe({ vocab: { a: 0, b: 1, ab: 2, aba: 3, '?': 4, Ġ: 5,
			Ġa: 6 }, merges: ['a b', 'Ġ a', 'ab a'] },
		{ unk_token: '?', fuse_unk: true }) }), extra: ['ababab abba a'] };
	for (const fuse_unk of [false, true])
		for (const byte_fallback of [false, true])
			yield { name: `llama2-${fuse_unk}-${byte_fallback}`, json: file({
				normalizer: { type: 'Sequence', normalizers: [
					{ type: 'Prepend', prepend: '\u2581' },
					{ type: 'Replace', pattern: { String: ' ' },
						content: '\u2581' }] },
				decoder: spDecoder,
				added_tokens: [added(0, '<unk>', { special: true }),
					added(1, '<s>', { special: true })],
				model: bpe(pieces, { unk_token: '<unk>', fuse_unk,
					byte_fallback }) }),
				extra: ['<s>one <s> two', '\u2581\u2581a  \u2581b <unk>'] };
	for (const scheme of ['always', 'first', 'never'])
		for (const splits of [true, false])
			yield { name: `metaspace-${scheme}-${splits}`, json: file({
				pre_tokenizer: metaspace(scheme, { split: splits }),
				decoder: metaspace(scheme),
				added_tokens: [added(1, '<s>', { special: true })],
				model: bpe(pieces, { unk_token: '<unk>', fuse_unk: true,
					byte_fallback: true }) }),
				extra: ['<s>one <s>two', 'one<s>', ' \u2581x'] };
	yield { name: 'unknown-chars', decodes: false, json: file({
		model: bpe(noBytes, { unk_token: '<unk>', fuse_unk: true }) }) };
	yield { name: 'dropped-chars', decodes: false, json: file({
		model: bpe(noBytes) }) };
	for (const byte_fallback of [false, true]) {
		yield { name: `unigram-${byte_fallback}`, json: file({
			pre_tokenizer: metaspace('always'),
			decoder: spDecoder, model: unigram({ byte_fallback }) }),
			extra: ['<unk> <s>', 'a<unk>b'] };
		yield { name: `unigram-whole-${byte_fallback}`, json: file({
			normalizer: { type: 'Strip', strip_left: true,
				strip_right: true },
			pre_tokenizer: metaspace('first', { split: false }),
			decoder: spDecoder, model: unigram({ byte_fallback }) }),
			extra: ['   ', '  a  ', 'x\u0085'] };
	}
}

function* tokens() {
	const n = Object.keys(bytes.vocab).length;
	const flags = ['lstrip', 'rstrip', 'single_word', 'normalized'];

	for (let bits = 0; bits < 16; bits++) {
		const more = Object.fromEntries(flags.map((f, i) =>
			[f, (bits >> i & 1) !== 0]));
		yield { name: `added-${bits}`, json: byBytes(sequence(split(cl100k),
			byteLevel), { normalizer: { type: 'NFC' }, added_tokens: [
			added(n, '<a>', more), added(n + 1, 'éé', more),
			added(n + 2, '<a><b>', { special: true }),
			added(n + 3, ' the', more), added(n + 4, '日', more)] }),
			extra: ['x <a> y', '<a><a><b><a>', 'the the café  the',
				'cafe\u0301 <a>é  \u00a0<a>\u3000 ', ' <a> <a> the the the',
				'x<a>x éé_éé ééé e\u0301é 日本 _日_ \u0301<a>', '<a'] };
	}
}

// BERT's, with all that its normaliser may do or leave.
function* wordpieces() {
	const plain = corpus.normalize('NFD').replace(/\p{Mn}/gu, '');
	const texts = [corpus, corpus.toLowerCase(), plain, plain.toLowerCase()];
	const vocab = new Map(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
		.map((t, i) => [t, i]));
	const put = t => vocab.has(t) || vocab.set(t, vocab.size);

	for (const text of texts)
		for (const word of text.match(/[\p{L}\p{M}\p{N}]+|\S/gu)) {
			put(word);
			[...word].forEach(c => { put(c); put('##' + c); });
			for (let i = 2; i < word.length; i += 2) {
				put(word.slice(0, i));
				put('##' + word.slice(i));
			}
		}
	const model = { type: 'WordPiece', unk_token: '[UNK]',
		continuing_subword_prefix: '##', max_input_chars_per_word: 20,
		vocab: Object.fromEntries(vocab) };
	const bert = more => file({ model,
		pre_tokenizer: { type: 'BertPreTokenizer' },
		added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
			.map((t, i) => added(i, t, { special: true })), ...more });
	const extra = ['', ' ', '\u00adx', 'İstanbul ŐŰ ΑΣ', '\u0000a\ufffdb\u200bc',
		'각하 한국어', '[MASK] a[CLS]b', 'x'.repeat(20), 'x'.repeat(21),
		'日本a世界', 'e\u0301\u0327a', 'a\u00a0b\u3000c\u2028d', '¿qué? €5',
		'don\'t—stop…«ok»', 'ﬁ ＡＢＣ ǅ'];
	for (let bits = 0; bits < 24; bits++)
		yield { name: `bert-${bits}`, regex: true, decodes: false, extra,
			json: bert({ normalizer: { type: 'BertNormalizer',
				clean_text: (bits & 1) !== 0,
				handle_chinese_chars: (bits & 2) !== 0,
				lowercase: (bits & 4) !== 0,
				strip_accents: [null, false, true][bits >> 3] } }) };
	yield { name: 'bert-none', regex: true, decodes: false, extra,
		json: bert({}) };
	yield { name: 'bert-lowercase', regex: true, decodes: false, extra,
		json: bert({ normalizer: { type: 'Lowercase' } }) };
	yield { name: 'bert-strip', regex: true, decodes: false, extra,
		json: bert({ normalizer: { type: 'Sequence', normalizers: [
			{ type: 'StripAccents' }, { type: 'Lowercase' }] } }) };
}

export function* made() {
	yield* wordpieces();
	for (const one of splits())
		yield { regex: true, ...one };
	yield* models();
	yield* tokens();
}
