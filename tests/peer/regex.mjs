// regex.mjs: reads a regular expression in RE2's syntax, as far as rules for
// secrets use it; writes it as one of JavaScript's; makes strings it matches.
// Case is resolved while reading, so that (?i) may begin anywhere.

const ASCII = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))
const PRINT = ASCII.concat(['\t'])
const WORD = ASCII.filter((c) => /\w/.test(c))
const ESCAPES = {
	d: ASCII.filter((c) => /\d/.test(c)), w: WORD,
	s: [' ', '\t', '\n', '\r', '\f'],
	n: ['\n'], r: ['\r'], t: ['\t'],
}
const NAMED = { alnum: ASCII.filter((c) => /[a-z0-9]/i.test(c)) }

const both = (c) => [...new Set([c, c.toLowerCase(), c.toUpperCase()])]
const ALL = Array.from({ length: 128 }, (_, i) => String.fromCharCode(i))
const not = (set) => ALL.filter((c) => !set.includes(c))

// parse(RE) -> a tree: {alt: [...]}, {seq: [...]}, {set: [chars]},
// {many: node, min, max, lazy}, {group: node}, {at: "b", "B", "^", "$"}
export function parse(re) {
	let i = 0
	const peek = (s) => re.startsWith(s, i)

	function escape(flags) {
		const c = re[i++]
		if (c === 'x') {
			i += 2
			return [String.fromCharCode(parseInt(re.slice(i - 2, i), 16))]
		}
		if (ESCAPES[c]) return ESCAPES[c]
		if (c === 'S') return not(ESCAPES.s)
		if (/[a-zA-Z0-9]/.test(c)) throw new Error(`\\${c} in ${re}`)
		return flags.i ? both(c) : [c]
	}

	function charClass(flags) {
		const set = new Set()
		const negated = peek('^')
		if (negated) i++
		for (let first = true; first || !peek(']'); first = false) {
			const named = /^\[:(\w+):\]/.exec(re.slice(i))
			if (named) {
				i += named[0].length
				NAMED[named[1]].forEach((c) => set.add(c))
				continue
			}
			let c = re[i++]
			if (c === '\\') {
				const e = escape(flags)
				if (e.length > 2 || re[i] !== '-' || re[i + 1] === ']') {
					e.forEach((x) => set.add(x))
					if (re[i - 1] === 'S') not(ESCAPES.s).forEach((x) => set.add(x))
					continue
				}
				c = e[0]
			}
			let to = c
			if (peek('-') && re[i + 1] !== ']' && i + 1 < re.length) {
				to = re[i + 1]
				i += 2
				if (to === '\\') to = escape({})[0]
			}
			for (let k = c.charCodeAt(0); k <= to.charCodeAt(0); k++)
				(flags.i ? both(String.fromCharCode(k)) : [String.fromCharCode(k)])
					.forEach((x) => set.add(x))
		}
		i++
		return { set: negated ? not([...set]) : [...set] }
	}

	function atom(flags) {
		const c = re[i++]
		if (c === '[') return charClass(flags)
		if (c === '.') return { any: true, set: flags.s ? ALL : not(['\n']) }
		if (c === '^' || c === '$') return { at: c }
		if (c === '\\') {
			if (re[i] === 'b' || re[i] === 'B') return { at: re[i++] }
			if (re[i] === 'z') { i++; return { at: '$' } }
			return { set: escape(flags) }
		}
		if (c !== '(') return { set: flags.i ? both(c) : [c] }
		let inner = { ...flags }
		let capture = true
		const head = /^\?(?:P<\w+>|([is]*)(?:-([is]+))?([:)]))/.exec(re.slice(i))
		if (head) {
			i += head[0].length
			capture = head[3] === undefined
			for (const f of head[1] ?? '') inner[f] = true
			for (const f of head[2] ?? '') inner[f] = false
			if (head[3] === ')') {
				Object.assign(flags, inner)
				return { seq: [] }
			}
		}
		const node = alternatives(inner)
		if (re[i++] !== ')') throw new Error(`( in ${re}`)
		return capture ? { group: node } : node
	}

	function many(node) {
		const m = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})(\??)/.exec(re.slice(i))
		if (!m) return node
		i += m[0].length
		const [min, max] = m[1]
			? { '*': [0, Infinity], '+': [1, Infinity], '?': [0, 1] }[m[1]]
			: [+m[2], m[4] ? +m[4] : m[3] ? Infinity : +m[2]]
		return { many: node, min, max, lazy: m[5] === '?' }
	}

	function alternatives(flags) {
		const alt = []
		let seq = []
		while (i < re.length && !peek(')')) {
			if (peek('|')) { i++; alt.push({ seq }); seq = []; continue }
			seq.push(many(atom(flags)))
		}
		alt.push({ seq })
		return alt.length === 1 ? alt[0] : { alt }
	}
	const tree = alternatives({})
	if (i < re.length) throw new Error(`) in ${re}`)
	return tree
}

const hex = (c) => '\\x' + c.charCodeAt(0).toString(16).padStart(2, '0')

// The same expression for new RegExp(..., 's').
export function source(n) {
	if (n.alt) return `(?:${n.alt.map(source).join('|')})`
	if (n.seq) return n.seq.map(source).join('')
	if (n.group) return `(${source(n.group)})`
	if (n.at) return n.at.length === 1 && /[bB]/.test(n.at) ? `\\${n.at}` : n.at
	if (n.many) {
		const max = n.max === Infinity ? '' : n.max
		return `(?:${source(n.many)}){${n.min},${max}}${n.lazy ? '?' : ''}`
	}
	// What is not ASCII is in a negated set, as RE2 has it.
	return `[${n.set.map(hex).join('')}${n.set.length > 100 ? '\\x80-\\uffff' : ''}]`
}

// A string that the tree matches; random(k) is an integer below k.
export function make(n, random) {
	const pick = (v) => v[random(v.length)]
	if (n.alt) return make(pick(n.alt), random)
	if (n.seq) return n.seq.map((x) => make(x, random)).join('')
	if (n.group) return make(n.group, random)
	if (n.at) return ''
	if (n.many) {
		const max = n.max === Infinity ? n.min + 12 : n.max
		let out = ''
		for (let k = n.min + random(max - n.min + 1); k > 0; k--)
			out += make({ ...n.many, any: false }, random)
		return out
	}
	// In a name of a host a dot is meant, whatever else would do.
	if (n.any) return '.'
	const plain = n.set.filter((c) => PRINT.includes(c))
	return pick(plain.length > 0 ? plain : n.set)
}
