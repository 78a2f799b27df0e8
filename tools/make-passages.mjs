// make-passages.mjs: passages of Debian's packages, as harmless rows for
// tools/train-guard.
//
//	apt-get download PACKAGE...; dpkg -x each of them to DIR
//	node tools/make-passages.mjs DIR | xz -9e >data/guard/passages.xz
//
// data/GUARD-PASSAGES has the packages and their licences.  The file is kept, and not
// made by the build: it must not change with Debian.  What is measured is of other
// kinds than what is learned, so that the rates hold for documents of a new kind.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

process.chdir(process.argv[2])
const attack = /(ignore|forget|disregard|obey|override)[^.]{0,60}(instruction|rule|previous|above|prompt|said|told)/i
const read = (path) => /\.(gz|dz)$/.test(path) ? gunzipSync(readFileSync(path)).toString()
	: readFileSync(path, 'utf8')
const files = (dir, name) => readdirSync(dir, { recursive: true, withFileTypes: true })
	.filter((f) => f.isFile() && name.test(f.name)).map((f) => `${f.parentPath ?? f.path}/${f.name}`).sort()

const signs = { lt: '<', gt: '>', amp: '&', quot: '"', nbsp: ' ', mdash: '-', ndash: '-', rarr: '->' }
const page = (html) => html.replace(/^[\s\S]*?<body[^>]*>/i, '')
	.replace(/<(script|style|nav|svg)[\s\S]*?<\/\1>/gi, ' ').replace(/<\/?(p|div|li|h\d|tr|pre|dt|dd|br)\b[^>]*>/gi, '\n')
	.replace(/<[^>]*>/g, '').replace(/&#(\d+);/g, (_, n) => String.fromCodePoint(+n))
	.replace(/&(\w+);/g, (_, name) => signs[name] ?? ' ')
	.replace(/[ \t]+\n/g, '\n').replace(/\n{3,}/g, '\n\n').replace(/ {3,}/g, '  ')
const man = (path) => execFileSync('man', ['-E', 'ascii', '-P', 'cat', '-l', path],
	{ env: { ...process.env, MANWIDTH: '78' }, maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'ignore'] }).toString()

// So many passages of 160 to most bytes, whole lines, from all over the texts.
function passages(paths, n, most, text = read) {
	const found = []
	const step = Math.max(1, Math.floor(paths.length / n))
	for (let i = 0; i < paths.length; i += step) {
		const lines = text(paths[i]).split(/(?<=\n)/)
		const each = Math.max(1, Math.ceil(n / paths.length))
		for (let k = 0; k < each; k++) {
			const size = 160 + (i * 7919 + k * 104729) % (most - 160)
			let at = Math.floor(lines.length * k / each), passage = ''
			if (k === 0 && i % 2 === 1)
				at = Math.floor(lines.length * ((i * 31) % 97) / 97)
			for (; at < lines.length && passage.length + lines[at].length <= size; at++)
				passage += lines[at].slice(0, 400)
			if (passage.trim().length >= 100 && !attack.test(passage))
				found.push(passage.trim() + '\n')
		}
	}
	return found.slice(0, n)
}

// "the word: what it is" and the like; one to four of them.
function glosses(n) {
	const found = []
	for (const kind of ['noun', 'verb', 'adj']) {
		const lines = read(`usr/share/wordnet/data.${kind}`).split('\n').filter((l) => /^\d{8} /.test(l))
		const one = (i) => {
			const [entry, gloss] = lines[i % lines.length].split(' | ')
			const word = entry.split(' ')[4].replaceAll('_', ' ').replace(/\(.*\)/, '')
			const what = gloss.trim().split('; "')[0]
			return kind !== 'noun' ? `${word}: ${gloss.trim()}.`
				: [`${word[0].toUpperCase()}${word.slice(1)} is ${what}.`, `${word}: ${gloss.trim()}.`,
					`${word} - ${what}`, `${word[0].toUpperCase()}${word.slice(1)}, ${what}.`][i % 4]
		}
		const count = kind === 'noun' ? n * 2 / 3 : n / 6
		for (let k = 0; k < count; k++) {
			const i = Math.floor(k * lines.length / count)
			found.push(Array.from({ length: 1 + k % 4 }, (_, j) => one(i + j * 17 + k % 13)).join(k % 3 ? ' ' : '\n'))
		}
	}
	return found.filter((text) => !attack.test(text))
}
const entries = (path) => read(path).split(/\n(?=\S)/).map((t) => t.replace(/^ +/gm, '').trim())
	.filter((t) => t.length > 120 && t.length < 1500 && !t.startsWith('00-database') && !attack.test(t))
const every = (list, n) => list.filter((_, i) => i % Math.ceil(list.length / n) === 0)
const put = (use, texts, context) => texts.forEach((text) =>
	console.log(JSON.stringify({ text, label: 0, ...(context && { context }), use })))

const man1 = 'usr/share/man'
put('learn', glosses(720))
put('learn', every(entries('usr/share/dictd/jargon.dict.dz'), 90))
put('learn', passages(files('usr/share/doc/sqlite3', /\.html$/), 110, 1800, (f) => page(read(f))), 'document')
put('learn', passages(files('usr/share/doc/python3.11/html', /\.html$/), 110, 1800, (f) => page(read(f))), 'document')
put('learn', passages(files('usr/lib/python3.11', /\.py$/), 130, 1800), 'document')
put('learn', passages(files(man1, /(ssl|TCL|tcl).*\.gz$/), 60, 1800, man), 'document')
put('learn', passages(files('usr/include', /^(?!curl).*\.h$/), 60, 1500).filter((t) => !/libcurl|CURL/.test(t)), 'document')
put('learn', passages(files('usr/share/doc', /^copyright$/), 40, 1500), 'document')
// Other kinds: what people write in Perl, of Django, of node; curl's manuals.
put('measure', passages(files('usr/share/perl', /\.(pm|pl|pod)$/), 100, 6000), 'document')
put('measure', passages(files('usr/share/doc/python-django-doc', /\.html$/), 60, 6000, (f) => page(read(f))), 'document')
put('measure', passages(files('usr/share/doc/nodejs', /\.html$/), 60, 6000, (f) => page(read(f))), 'document')
put('measure', passages(files('usr/include', /\.h$/).filter((f) => /curl/.test(f)), 12, 4000), 'document')
put('measure', every(entries('usr/share/dictd/devil.dict.dz'), 60), 'document')
put('measure', passages(files('usr/share/doc', /^changelog\.gz$/), 30, 3000), 'document')
