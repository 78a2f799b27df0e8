// text.mjs: real text for the tests and benchmarks, from whatever this machine
// has: manuals, sources, documents.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));

// Each place gives at most its share, so that no kind of text is all there is.
const places = [
	'/usr/share/doc', '/usr/share/man', '/usr/share/perl',
	'/usr/share/perl5', '/usr/lib/python3', '/usr/lib/python3.11',
	'/usr/share/nodejs', '/usr/lib/node_modules', '/usr/local/lib',
	'/usr/include', '/usr/share/i18n/locales', '/usr/share/zoneinfo',
	'/usr/share/common-licenses', '/usr/share/vim', '/usr/share/git-core',
	'/usr/lib/x86_64-linux-gnu/perl', join(here, '../..'),
];
const names = new Set(['', '.txt', '.md', '.html', '.htm', '.json', '.js',
	'.mjs', '.ts', '.c', '.h', '.hpp', '.py', '.pl', '.pm', '.pod', '.sh',
	'.xml', '.po', '.css', '.vim', '.rst', '.tab', '.gz', '.yml', '.conf',
	'.1', '.3', '.5', '.7', '.8', '.svg', '.awk', '.tcl', '.rb']);

function* files(dir) {
	let entries;
	try {
		entries = readdirSync(dir, { withFileTypes: true });
	} catch {
		return;
	}
	entries.sort((a, b) => a.name < b.name ? -1 : 1);
	for (const e of entries) {
		const path = join(dir, e.name);
		if (e.isDirectory() && e.name !== '.git')
			yield* files(path);
		else if (e.isFile() && names.has(extname(e.name)))
			yield path;
	}
}

// The text of a file, or nothing if it is not UTF-8, too small or too big.
function textOf(path) {
	try {
		const size = statSync(path).size;
		if (size < 400 || size > 1e6)
			return undefined;
		let raw = readFileSync(path);
		if (path.endsWith('.gz'))
			raw = gunzipSync(raw);
		const text = new TextDecoder('utf-8',
			{ fatal: true, ignoreBOM: true }).decode(raw);
		return text.includes('\0') ? undefined : text;
	} catch {
		return undefined;
	}
}

// Texts of together so many bytes, fewer if there are no more, from all places
// or these.
export function realText(bytes, from = places) {
	const texts = [], seen = new Set();
	const share = bytes / Math.min(4, from.length);
	let sum = 0;
	for (const place of from) {
		let sumHere = 0;
		for (const path of files(place)) {
			const text = textOf(path);
			if (text === undefined || seen.has(text))
				continue;
			seen.add(text);
			texts.push(text);
			const n = Buffer.byteLength(text);
			sumHere += n;
			sum += n;
			if (sumHere > share || sum > bytes)
				break;
		}
		if (sumHere > 0)
			console.log(`${(sumHere / 1e6).toFixed(1)} MB from ${place}`);
		if (sum > bytes)
			break;
	}
	return texts;
}

// ---- generated text ----

// The same numbers every time.
let state = 2463534242;
export function rnd(n) {
	state ^= state << 13;
	state ^= state >>> 17;
	state ^= state << 5;
	return (state >>> 0) % n;
}

// Names and dates as people write them in a hundred languages: from ICU.
export function manyLanguages() {
	const tags = ('af am ar as az be bg bn bs ca ckb cs cy da de dz el en es '
		+ 'et eu fa fi fil fr ga gl gu ha he hi hr hu hy id ig is it ja ka '
		+ 'kk km kn ko ky lb lo lt lv mk ml mn mr ms mt my nb ne nl or pa pl '
		+ 'ps pt ro ru sd si sk sl sq sr sv sw ta te th ti tk to tr ug uk ur '
		+ 'uz vi yo yue zh zh-Hant zu').split(' ');
	return tags.map(tag => {
		const region = new Intl.DisplayNames([tag], { type: 'region' });
		const language = new Intl.DisplayNames([tag], { type: 'language' });
		const currency = new Intl.DisplayNames([tag], { type: 'currency' });
		const date = new Intl.DateTimeFormat(tag,
			{ dateStyle: 'full', timeStyle: 'full', timeZone: 'UTC' });
		const money = new Intl.NumberFormat(tag, { style: 'currency',
			currency: 'EUR', currencyDisplay: 'name' });
		let out = tags.map(t => language.of(t)).join(', ') + '\n';
		for (let i = 0; i < 676; i++)
			out += region.of(String.fromCharCode(
				65 + Math.floor(i / 26), 65 + i % 26)) + ' ';
		for (const c of Intl.supportedValuesOf('currency'))
			out += `${currency.of(c)}; `;
		for (let i = 0; i < 60; i++)
			out += `${date.format(i * 3.2e9)}\r\n` +
				`${money.format(i * i * 1234.5)}\t`;
		return out;
	});
}

// Characters that the rules treat differently, in any order.
const pools = [' \t\n\r\u00a0\u3000\u0085\u2028  \n\n',
	'abcdefghijklmnopqrstuvwxyzABCDEFGHIJ', "'sS'tTrReEvVlLmMdD\u017f\u212a",
	'0123456789\u00bd\u2167\u0663', '!/\\.-_=<>|{}()[]*&^%$#@~`+/',
	'\u4e2d\u6587\u00aa\u1d43\u02b0\u01c5\u01c8',
	'\u0301\u0300\u0903\u20dd\u0e31', 'éÉßœÑñöÖ', 'АБВгде',
	'\u{1f600}\u{1f469}\u200d\u{1f1e9}\u{1f1ea}\ufe0f\ufeff\u200b',
	'\u0001\u007f\ue000\u{e0100}\u0000', "'ll 'S 'RE 've'd \n \r\n  x",
].map(s => [...s]);

export function soup(length) {
	let out = '';
	while (out.length < length) {
		const kind = rnd(15), pool = pools[kind];
		if (pool === undefined) {
			const cp = rnd([0x3000, 0x20000, 0x110000][kind - 12]);
			out += cp >= 0xd800 && cp < 0xe000 ? '?'
				: String.fromCodePoint(cp);
			continue;
		}
		for (let n = 1 + rnd(rnd(8) > 0 ? 3 : 12); n > 0; n--)
			out += pool[rnd(pool.length)];
	}
	return out;
}

// tiktoken's time grows with the square of a word's length: 4 kB is what it
// can do. tests/unit/bpe.c covers longer words.
export function hostileTexts() {
	const letters = ['a', 'ab', 'abc', 'etaoinshrdlu', ' ', '=-', '\n ', '_',
		'the ', '0123456789', '\u4e2d\u6587', 'aA', '\u0e01\u0e34', '\u0301',
		'\u{1f600}', '\t ', '.', "'s", '\u3042\u30a2', '\u200b'];
	const sizes = [1, 2, 3, 50, 95, 96, 97, 128, 129, 255, 500, 1023, 1024,
		1025, 2048, 4096];
	const texts = [];
	for (const some of letters) {
		const pool = [...some];
		for (const size of sizes) {
			const n = Math.ceil(size / Buffer.byteLength(some) *
				pool.length);
			texts.push(Array.from({ length: n },
				(_, i) => pool[i % pool.length]).join(''));
			texts.push(Array.from({ length: n },
				() => pool[rnd(pool.length)]).join(''));
		}
	}
	for (let i = 0; i < 60; i++) {
		const period = soup(1 + rnd(40));
		texts.push(period.repeat(Math.ceil(1000 / period.length)));
	}
	return texts;
}
