// make-words.mjs: the texts that local/words is fitted on, a passage a line.
//
//	apt-get download $(node tools/make-words.mjs packages)
//	for f in *.deb; do dpkg-deb -x "$f" root; done
//	node tools/make-words.mjs root | build/tools/fitwords >data/words.emb
//
// The packages are Debian 12's; data/WORDS has their versions, their licences
// and the SHA-256 of what this prints.  Only what upstream wrote is read:
// packaging is not.  Needs node alone.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const PACKAGES = ['wordnet-base', 'python3.11-doc', 'postgresql-doc-15', 'sqlite3-doc',
	'jargon-text']
const WORDS = 120 // of a passage, about
const root = process.argv[2]
if (root === undefined || root === 'packages') {
	console.log(PACKAGES.join(' '))
	process.exit(root === undefined ? 64 : 0)
}

const sum = createHash('sha256')
let passages = 0, words = 0
const put = (text) => {
	const line = text.replace(/\s+/g, ' ').trim()
	if (line === '') return
	sum.update(line + '\n')
	process.stdout.write(line + '\n')
	passages++
	words += line.split(' ').length
}

// Paragraphs, put together up to a length.
const putAll = (paragraphs) => {
	let text = '', n = 0
	for (const p of paragraphs) {
		const more = p.split(/\s+/).length
		if (n > 0 && n + more > WORDS) {
			put(text)
			text = ''
			n = 0
		}
		text += ' ' + p
		n += more
	}
	put(text)
}

const NAMED = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: ' ', mdash: ' ', ndash: ' ' }
const character = (all, name) => {
	if (name[0] !== '#') return NAMED[name] ?? ' '
	const code = name[1] === 'x' ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10)
	return code > 0 && code < 0x110000 ? String.fromCodePoint(code) : ' '
}
const html = (file) => {
	let s = readFileSync(file, 'utf8')
	const body = s.match(/<div class="(?:document|sect1|chapter|refentry|fancy|body)"/)
	if (body) s = s.slice(body.index)
	s = s.replace(/<(script|style|svg|head)\b[\s\S]*?<\/\1>/g, ' ')
		.replace(/<div class="(?:sphinxsidebar|nosearch|menu|navfooter|navheader|related)"[\s\S]*?<\/div>/g, ' ')
		.replace(/<\/?(?:p|div|section|h[1-6]|li|dt|dd|tr|table|ul|ol|dl|pre|blockquote|br|hr)\b[^>]*>/g, '\0')
		.replace(/<[^>]*>/g, '').replace(/&(#?\w+);/g, character)
	putAll(s.split(/\0+/).filter((p) => /[a-z]/i.test(p)))
}
const walk = (folder, keep) => {
	for (const e of readdirSync(folder, { withFileTypes: true })
		.sort((a, b) => (a.name < b.name ? -1 : 1))) {
		if (e.isDirectory()) walk(folder + '/' + e.name, keep)
		else if (e.isFile() && e.name.endsWith('.html') && keep(folder + '/' + e.name))
			html(folder + '/' + e.name)
	}
}

// WordNet: a line is the words that mean one thing, and what they mean.
for (const kind of ['noun', 'verb', 'adj', 'adv'])
	for (const line of readFileSync(`${root}/usr/share/wordnet/data.${kind}`, 'utf8').split('\n')) {
		if (!/^\d{8} /.test(line)) continue
		const f = line.slice(0, line.indexOf(' | ')).split(' ')
		const n = parseInt(f[3], 16)
		const names = []
		for (let i = 0; i < n; i++) names.push(f[4 + 2 * i].replace(/_/g, ' ').replace(/\(.*\)/, ''))
		put(names.join(' ') + ' ' + line.slice(line.indexOf(' | ') + 3))
	}

const doc = root + '/usr/share/doc/'
walk(doc + 'python3.11/html', (f) => !/genindex|modindex|\/search\.html|license|copyright|\/_static\//.test(f))
walk(doc + 'postgresql-doc-15/html', (f) => !/bookindex|legalnotice|\/index\.html/.test(f))
walk(doc + 'sqlite3', (f) => !/keyword_index|doclist|sitemap|\/search/.test(f))

const jargon = gunzipSync(readFileSync(doc + 'jargon-text/jargon.txt.gz')).toString('latin1')
putAll(jargon.split(/\n\s*\n/))
process.stderr.write(`make-words: ${passages} passages, ${words} words, SHA-256 ${sum.digest('hex')}\n`)
