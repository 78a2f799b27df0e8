#!/usr/bin/env bats
# What can be known of a workflow before anything is paid for is found then: the
# first task is never asked.
load helper
load ../stub/flow

setup_file() {
	cat >"$BATS_FILE_TMPDIR/script.mjs" <<'END'
const last = (s) => s.messages.filter((m) => m.role === 'user').at(-1).content;
export default {
	hi: [{ text: 'Hello.' }],
	all: (s) => ({ text: last(s) }),
};
END
	cd "$BATS_FILE_TMPDIR" || return
	model_start "$BATS_FILE_TMPDIR/script.mjs"
}

setup() {
	ai_setup
	: >"$STUB/log"
	unset AI_MODEL OPENAI_API_KEY ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN
}

# plan MEMBERS_OF_BOB [MEMBERS_OF_HIS_TASK]: ann comes first, and has a model.
plan() {
	printf '{"agents": {"ann": {"model": "m"},
		"bob": {%s}},
		"tasks": {"a": {"agent": "ann", "description": "task:hi"},
		"b": {"agent": "bob", "needs": ["a"], "description": "task:hi"%s}}}\n' \
		"$1" "${2:+, $2}" >f.json
}

# before STATUS MESSAGE [ARG...]: flow says so, and has asked nobody.
before() {
	local rc=$1 message=$2
	shift 2
	run --separate-stderr ai-agent flow f.json --base-url "$STUB_URL" "$@" x
	assert_status "$rc"
	assert_has "$stderr" "$message"
	assert_eq "$output" ''
	assert_eq "$(asked)" 0
}

# at_once STATUS MESSAGE [ARG...]: graph and its --dry-run say so, too.
at_once() {
	local rc=$1 message=$2
	shift 2
	before "$rc" "$message" "$@"
	run --separate-stderr ai-agent graph f.json "$@"
	assert_status "$rc"
	assert_has "$stderr" "$message"
	run --separate-stderr ai-agent graph --dry-run f.json "$@" x
	assert_status "$rc"
	assert_has "$stderr" "$message"
}

@test "a guardrail's program" {
	plan '"model": "m"' '"guardrail": {"command": ["nosuchprogram123", "-x"]}'
	at_once 78 "tasks.b.guardrail.command.0: program 'nosuchprogram123' not found"
	touch check
	plan '"model": "m"' '"guardrail": {"command": ["./check"]}'
	at_once 78 "tasks.b.guardrail.command.0: cannot use"
	plan '"model": "m"' '"guardrail": {"command": ["true"]}'
	run --separate-stderr ai-agent flow f.json --base-url "$STUB_URL" -r x
	assert_status 0
	assert_eq "$output" Hello.
}

@test "a model" {
	plan '"role": "B"'
	before 78 'f.json:2:3: agents.bob: it has no model: name one in the file, or with -m'
	# One that no task leads to needs none.
	jq -c '.tasks.b.agent = "ann"' f.json >g.json
	run --separate-stderr ai-agent flow g.json --base-url "$STUB_URL" -r x
	assert_status 0
	: >"$STUB/log"
	# One that is only asked by another does.
	jq -c '.tasks.b.agent = "ann" | .agents.ann.agents = ["bob"]' f.json >g.json
	mv g.json f.json
	before 78 'agents.bob: it has no model'
}

# Without a --base-url, and its names.
@test "a provider, and its key" {
	# What would be asked first is a model of one's own, which needs no key.
	sed 's/"m"/"local\/extract"/' <<<'{"agents": {"ann": {"model": "m"},
		"bob": {"model": "X"}}, "tasks": {
		"a": {"agent": "ann", "description": "hi"},
		"b": {"agent": "bob", "needs": ["a"], "description": "hi"}}}' >t.json
	try() { # MODEL STATUS MESSAGE
		sed "s,\"X\",\"$1\"," t.json >f.json
		run --separate-stderr ai-agent flow f.json x
		assert_status "$2"
		assert_has "$stderr" "$3"
		assert_eq "$output" ''
	}
	try nosuchprov/x 78 "f.json:2:3: agents.bob.model: no model 'nosuchprov/x'"
	try anthropic/claude-haiku-4-5 77 \
		'f.json:2:3: agents.bob.model: no key for api.anthropic.com'
	# The same model that the command line names for all.
	run --separate-stderr ai-agent flow f.json -m nosuchprov/y x
	assert_status 78
	assert_has "$stderr" "agents.ann.model: no model 'nosuchprov/y'"
	run --separate-stderr ai-agent history
	assert_eq "$output" ''
}

@test "an MCP server's program" {
	printf '{"mcpServers": {\n"s": {"command": "/nonexistent/server"}}}\n' >mcp.json
	plan '"model": "m", "tools": ["mcp.json"]'
	at_once 78 "mcp.json:2: mcpServers.s.command: program '/nonexistent/server' not found"
	printf '{"mcpServers": {"s": {"command": "nosuchserver", "optional": true}}}\n' \
		>mcp.json
	run -0 ai-agent graph f.json
}

@test "an index to remember in, and one to search" {
	plan '"model": "m", "remembers": true'
	at_once 78 "f.json:2:3: agents.bob.remembers: in what? neither the file nor -i names an 'index'"
	run -0 ai-agent graph f.json -i some.idx
	plan '"model": "m", "index": "nosuch.idx"'
	before 66 "f.json:2:3: agents.bob.index: there is no index '$PWD/nosuch.idx'"
	jq -c '.agents.bob.remembers = true' f.json >g.json
	run --separate-stderr ai-agent flow g.json --base-url "$STUB_URL" -r x
	assert_status 0
}

@test "what ajv finds a value for is never said to have none" {
	need_peer ajv
	cat >try.mjs <<-'END'
	import { createRequire } from 'module';
	import { execFileSync } from 'child_process';
	import { writeFileSync } from 'fs';
	const Ajv = createRequire(process.argv[2] + '/x')(
		process.argv[2] + '/ajv/dist/2020.js').default;
	const ajv = new Ajv({ strict: false, logger: false });
	let state = 4711;
	const next = n => (state = (state * 48271) % 2147483647) % n;
	const pick = l => l[next(l.length)];
	const some = p => next(100) < p;
	const types = ['null', 'boolean', 'integer', 'number', 'string', 'array',
		'object'];
	const schema = depth => {
		if (depth === 0 || some(8))
			return pick([true, false, {}, { type: pick(types) }]);
		const s = {}, inner = () => schema(depth - 1);
		const add = (p, name, value) => some(p) && (s[name] = value());
		add(60, 'type', () => some(70) ? pick(types) : [...new Set(
			[pick(types), pick(types)])]);
		add(20, 'minimum', () => pick([-1, 0, 1.5, 2]));
		add(20, 'maximum', () => pick([-1, 0, 1.5, 2]));
		add(10, 'exclusiveMinimum', () => pick([0, 1]));
		add(15, 'multipleOf', () => pick([2, 3, 0.5]));
		add(10, 'minLength', () => next(3));
		add(10, 'maxLength', () => next(3));
		add(15, 'minItems', () => next(4));
		add(10, 'maxItems', () => next(4));
		add(15, 'uniqueItems', () => true);
		add(15, 'items', inner);
		add(15, 'required', () => pick([['a'], ['b'], ['a', 'b']]));
		add(20, 'properties', () => ({ a: inner(), b: inner() }));
		add(10, 'additionalProperties', () => pick([true, false]));
		add(8, 'propertyNames', () => pick([{ enum: ['a'] }, inner()]));
		add(8, 'enum', () => pick([[1], ['', 'aa'], [null, 2], [[], {}]]));
		add(8, 'const', () => pick([0, 'a', null, [1]]));
		add(20, 'allOf', () => [inner(), inner()]);
		add(12, 'anyOf', () => [inner(), inner()]);
		add(12, 'oneOf', () => [inner(), inner()]);
		add(10, 'not', inner);
		add(10, 'if', inner);
		add(10, 'then', inner);
		add(6, 'else', inner);
		add(8, '$ref', () => '#/$defs/d');
		return s;
	};
	const small = [null, true, false, 0, 1, 2, 3, -1, 1.5, 0.5, '', 'a', 'aa',
		[], {}];
	const two = small.flatMap(x => [[x], { a: x }, { b: x }, { c: x }, [[x]],
		...small.flatMap(y => [[x, y], { a: x, b: y }])]);
	const values = [...small, ...two, [0, 1, 2], [true, false, null],
		['a', 'aa', ''], [1, 1, 1], [null, 0, 1, 2]];
	const count = { taken: 0, refused: 0 };
	for (let i = 0; i < 300; i++) {
		const s = schema(3);
		if (typeof s === 'object')
			s.$defs = { d: { type: 'string', minLength: 1 } };
		let valid;
		try {
			valid = ajv.compile(s);
		} catch {
			continue;
		}
		writeFileSync('f.json', JSON.stringify({ agents: { a: {} }, tasks: {
			t: { agent: 'a', description: 'd', schema: s } } }));
		let said = '';
		try {
			execFileSync('ai-agent', ['graph', 'f.json'],
				{ stdio: ['ignore', 'ignore', 'pipe'] });
		} catch (e) {
			said = String(e.stderr);
		}
		count[said === '' ? 'taken' : 'refused']++;
		const value = values.find(v => valid(v));
		if (said.includes('nothing satisfies it') && value !== undefined)
			throw new Error(JSON.stringify([s, value, said]));
	}
	if (Math.min(...Object.values(count)) < 40)
		throw new Error(JSON.stringify(count));
	console.log(JSON.stringify(count));
	END
	run -0 node try.mjs "${AI_TEST_PEER:-$SRCDIR/tests/peer}/node_modules"
	echo "# $output"
}

@test "what stands in a file does nothing to a terminal" {
	local name=$'\e[31mx\u202e\a'
	jq -nc --arg n "$name" '{name: $n, description: $n, agents: {a: {role: $n}},
		tasks: {t: {agent: "a", description: $n,
			when: {value: "{{input}}", is: $n}}}}' >f.json
	jq -c 'del(.name)' f.json >"$name.json"
	for how in --dot ''; do
		for file in f.json "$name.json"; do
			# shellcheck disable=SC2086
			run_sh "ai-agent graph $how -- \"\$0\" | LC_ALL=C tr -d '\\n\\t -~' |
				wc -c" "$file"
			run bash -c 'ai-agent graph $1 -- "$0"' "$file" "$how"
			assert_status 0
			refute_has "$output" $'\e'
			refute_has "$output" $'\a'
			refute_has "$output" $'\u202e'
		done
	done
	if command -v dot; then
		run -0 bash -c 'ai-agent graph --dot f.json | dot -Tsvg'
	fi
}

@test "a file that is cut off within a comment is not whole" {
	printf '{"agents": {"a": {}}}\n /* and then' >f.json
	run --separate-stderr ai-agent graph f.json
	assert_status 78
	assert_eq "$stderr" "ai-agent: f.json:2:2: something follows the value"
	printf '{"agents": {"a": {}}}\n // the end' >f.json
	run -0 ai-agent graph f.json
	printf '{"agents":\n\t{"é": 1, "b" 2}}' >f.json
	run --separate-stderr ai-agent graph f.json
	assert_eq "$stderr" "ai-agent: f.json:2:15: ':' is expected"
}

@test "limits that are none, and what each may be" {
	limits() { # JSON MESSAGE
		printf '{"agents": {"a": {}}, "limits": {%s}}' "$1" >f.json
		run --separate-stderr ai-agent graph f.json
		assert_status 78
		assert_has "$stderr" "f.json:1:"
		assert_has "$stderr" ": $2"
	}
	for n in 1e18 1.5 99999999999999999999; do
		limits "\"turns\": $n" "limits.turns: '$n' is no such limit: a whole number from 0 to"
	done
	limits '"usd": 1e999' "limits.usd: '1e999' is no such limit: dollars, from 0 to"
	limits '"seconds": 1e10' "limits.seconds: '1e10' is no such limit: seconds, from 0 to"
	limits '"calls.": 1' "limits.calls.: 'calls.' is followed by the name of a tool"
	for l in turns tokens seconds output; do
		limits "\"$l\": 0" "limits.$l: with 0 of it nothing can be done"
	done
	printf '{"agents": {"a": {"budget": 0}}}' >f.json
	run --separate-stderr ai-agent graph f.json
	assert_has "$stderr" "agents.a.budget: with 0 dollars it can be asked nothing"
	run --separate-stderr ai-agent graph --dot --dry-run f.json
	assert_status 64
}

@test "a run that was begun with another file is not taken for this one's" {
	plan '"model": "m"'
	run --separate-stderr ai-agent flow f.json --base-url "$STUB_URL" --run r -r x
	assert_eq "$output" Hello.
	# The same file, with other blanks.
	jq . f.json >g.json
	run --separate-stderr ai-agent flow g.json --base-url "$STUB_URL" --run r -r x
	assert_status 0
	assert_eq "$(asked)" 2
	jq '.output = "other"' f.json >g.json
	run --separate-stderr ai-agent flow g.json --base-url "$STUB_URL" --run r x
	assert_status 2
	assert_has "$(jq -r .error.message <<<"$output")" "the run 'r' was begun with another workflow than 'g.json' is"
	assert_eq "$(asked)" 2
	run --separate-stderr ai-agent resume -r r
	assert_eq "$output" Hello.
}

# The three lines that make two.json there, and the line that runs it.
@test "the whole workflow of aiutils-flow(5) runs" {
	local page=$SRCDIR/man/aiutils-flow.5
	sed -n "s/^\$ echo '\(.*\)' >>*two.json$/\1/p" "$page" >two.json
	assert_eq "$(wc -l <two.json)" 3
	command=$(sed -n 's/^\.Dl \(ai-agent flow .*\)/\1/p' "$page")
	# shellcheck disable=SC2034
	model="-m m --base-url $STUB_URL"
	# The scripted model is told which script it is to play.
	run --separate-stderr bash -c "model='$model'; ${command/ the / task:all the }"
	assert_status 0
	assert_eq "$output" "In short: Find: task:all the depth of the sea"
}
