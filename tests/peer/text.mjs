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

// Texts of together so many bytes, fewer if there are no more.
export function realText(bytes) {
	const texts = [], share = bytes / 4, seen = new Set();
	let sum = 0;
	for (const place of places) {
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
