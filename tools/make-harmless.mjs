// make-harmless.mjs: passages of this tree, as harmless rows for tools/train-guard.
//
//	node tools/make-harmless.mjs | xz -9e >data/guard/harmless.xz
//	node tools/make-harmless.mjs held
//
// Code, tests and manuals: what no other set has, and what the classifier took
// for attacks in two of three passages before it knew any.  The file is kept, and
// not made by the build, so that the weights do not change with the sources.
// What speaks of attacks itself is left out: ai-guard, and what tests tell models.  Of every eighteen passages
// three are learned from, and one measured; held prints three that were in neither.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

process.chdir(new URL('..', import.meta.url).pathname)
const BYTES = 2400, LINE = 400
const wanted = ['lib/*.[ch]', 'bin/*.c', 'tests/unit/*.c', 'tests/bats/*.bats',
	'tests/bench', 'tests/peer/*.mjs', 'tests/stub', 'tools', 'man', 'completions',
	'data/schema', 'README', 'HACKING', 'Makefile.am', 'configure.ac', 'bootstrap']
const unwanted = /guard|view-words|view-split|folds|lock\.json/

const attack = /(ignore|forget|disregard|obey|override)[^.]{0,60}(instruction|rule|previous|above|prompt|said|told)/i

const passages = []
for (const file of execFileSync('git', ['ls-files', ...wanted]).toString().split('\n')) {
	if (file === '' || unwanted.test(file)) continue
	let passage = ''
	for (const line of readFileSync(file, 'utf8').split(/(?<=\n)/)) {
		if (passage !== '' && passage.length + line.length > BYTES) {
			passages.push(passage)
			passage = ''
		}
		passage += line.slice(0, LINE)
	}
	if (passage.length > 200) passages.push(passage)
}
passages.filter((text) => !attack.test(text)).forEach((text, i) => {
	if (process.argv[2] === 'held') {
		if (i % 6 === 3) console.log(JSON.stringify({ text }))
	} else if (i % 6 === 0) console.log(JSON.stringify({ text, label: 0, use: 'learn' }))
	else if (i % 18 === 1)
		console.log(JSON.stringify({ text, label: 0, context: 'document', use: 'measure' }))
})
