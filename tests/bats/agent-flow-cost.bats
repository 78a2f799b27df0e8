#!/usr/bin/env bats
# What a workflow may cost, before it runs.
load helper
load ../stub/stub

# cost OPTION...: of f.json, into json.
cost() {
	run --separate-stderr ai-agent graph --dry-run f.json "$@"
	json=$output
}

member() { # FILTER WANTED
	assert_eq "$(jq -c "$1" <<<"$json")" "$2"
}

# one AGENT TASK: a file with one of each.
one() {
	printf '{"limits": {"usd": 100}, "agents": {"a": {%s}}, "tasks": {"t": {"agent": "a", %s}}}' \
		"$1" "$2" >f.json
}

quiet='"with": ["none"], "limits": {"turns": 1, "usd": 50}'

@test "what a task costs is what its tokens cost" {
	one "$quiet, \"role\": \"poet\"" '"description": "Write about {{input}}."'
	n=$(jq -nc '{messages: [{role: "system", content: "Your role: poet\n"},
		{role: "user", content: "Write about the sea."}]}' |
		ai-tokens -m gpt-4o | jq .tokens.count)
	cost -m openai/gpt-4o --price 1,2 --max-tokens 100 the sea
	assert_status 0
	member '.low_usd * 1000000 | round' $((n + 2))
	# What it is told besides counts as 512 tokens.
	member '.high_usd * 1000000 | round' $((n + 512 + 200))
	member .runs '[1,1]'
	member .limit_usd 100
	cost -m openai/gpt-4o --price 1,2 --max-tokens 200 the sea
	member '.high_usd * 1000000 | round' $((n + 512 + 400))
}

@test "rounds, items, messages and retries multiply" {
	text='"description": "Write."'
	price=(-m openai/gpt-4o --price '1,2' --max-tokens 100)
	one "$quiet" "$text"
	cost "${price[@]}"
	low=$(jq .low_usd <<<"$json") high=$(jq .high_usd <<<"$json")
	# times PART LOW HIGH [MORE]: dollars a time, beside those of the task.
	times() {
		one "$quiet" "$text, $1"
		cost "${price[@]}"
		assert_status 0
		member ".low_usd == ($low * $2 * 1e9 | round / 1e9)" true
		member ".high_usd == (($high + ${4-0}) * $3 * 1e9 | round / 1e9)" true
		member .runs "[$2,$3]"
	}
	times '"loop": {"max": 4}' 4 4
	times '"loop": {"max": 4, "until": {"contains": "x"}}' 1 4
	times '"when": {"value": "{{input}}", "is": 1}' 0 1
	times '"schema": {"type": "object"}, "retries": 3' 1 4 \
		0.002182 # 100 and 2048 tokens, and 34 of the schema
	times '"guardrail": {"contains": "x"}' 1 3 0.002148
	times '"guardrail": {"contains": "x"}, "retries": 0' 1 1
	times '"retries": 3' 1 1
	times '"map": {"over": "{{input}}", "max": 5}' 0 5
	times '"map": {"over": "{{input}}", "max": 5}, "loop": {"max": 2},
		"schema": {"type": "object"}, "retries": 1' 0 20 0.002182
}

@test "what a map goes over is a list, and no longer than it says" {
	one "$quiet" '"description": "Write.", "map": {"over": "{{input}}", "max": 2}'
	cost -m openai/gpt-4o --price 1,2 words are no list
	assert_status 2
	assert_eq "$stderr" 'ai-agent: input: it is no list; tasks.t.map.over (f.json:1) goes over it'
	cost -m openai/gpt-4o --price 1,2 - <<<'{"input": [1, 2, 3]}'
	assert_status 2
	assert_has "$stderr" 'input: it has 3 elements; tasks.t.map (f.json:1) allows 2'
	cost -m openai/gpt-4o --price 1,2 - <<<'{"input": [1, 2]}'
	assert_status 0
	member .runs '[2,2]'
}

@test "records are added up" {
	one "$quiet" '"description": "{{input.x}}", "map": {"over": "{{input.l}}", "max": 5}'
	price=(-m openai/gpt-4o --price '1,2' --max-tokens 100)
	high=0 low=0
	for i in 1 2 3; do
		printf '{"x": "%s", "l": [1, 2, 3]}\n' "$(seq -s' ' $((i * 7)))"
	done >in
	while IFS= read -r line; do
		cost "${price[@]}" - <<<"$line"
		assert_status 0
		member '[.runs, .inputs]' '[[3,3],1]'
		low=$(jq "$low + .low_usd" <<<"$json")
		high=$(jq "$high + .high_usd" <<<"$json")
	done <in
	cost "${price[@]}" - <in
	assert_status 0
	member "[.runs, .inputs, (.low_usd - $low | fabs < 1e-9), (.high_usd - $high | fabs < 1e-9)]" \
		'[[9,9],3,true,true]'
	# A record that cannot be used is said; the others count.
	cost "${price[@]}" - < <(cat in; echo '{"x": 1}'; echo no)
	assert_status 2
	member .inputs 3
	assert_has "$stderr" 'line 4: invalid_record: input.l: it is missing'
	assert_has "$stderr" 'line 5: invalid_json'
	# The input may be a member of it.
	cost "${price[@]}" - < <(jq -c '{input: .}' in)
	member '[.runs, .inputs]' '[[9,9],3]'
	cost "${price[@]}" - -p other < <(jq -c '{other: .}' in)
	member '[.runs, .inputs]' '[[9,9],3]'
	cost "${price[@]}" - </dev/null
	assert_status 0
	member '[.inputs, .runs, .high_usd]' '[0,[0,0],0]'
}

@test "limits and budgets bound it" {
	tools='"limits": {"usd": 0.5, "turns": 9}'
	one "$tools" '"description": "Write."'
	cost -m openai/gpt-4o --price 1000,1000
	member '.tasks[0].high_usd' 0.5
	one "$tools, \"budget\": 0.25" '"description": "Write."'
	cost -m openai/gpt-4o --price 1000,1000
	member '[.tasks[0].high_usd, .high_usd]' '[0.5,0.25]'
	cost -m openai/gpt-4o --price 1000,1000 --limit usd=0.125
	member '[.high_usd, .limit_usd]' '[0.125,0.125]'
	# What cannot be is said.
	cost -m openai/gpt-4o --price 1000,1000 --limit usd=0.000001
	assert_status 3
}

@test "random workflows cost what a plain sum says" {
	need_peer ajv # npm packages are installed: so is node
	cat >try.mjs <<-'END'
	import { execFileSync } from 'child_process';
	import { writeFileSync } from 'fs';
	let state = 777;
	const next = n => (state = (state * 48271) % 2147483647) % n;
	const some = p => next(100) < p;
	const cost = (flow, reply) => {
		writeFileSync('f.json', JSON.stringify(flow));
		try {
			return JSON.parse(execFileSync('ai-agent', ['graph',
				'--dry-run', 'f.json', '-m', 'openai/gpt-4o',
				'--price', '1,2', '--max-tokens', String(reply)]));
		} catch (e) {
			if (e.status !== 3)
				throw e;
			return JSON.parse(e.stdout);
		}
	};
	const quiet = { with: ['none'] };
	const nano = usd => Math.round(usd * 1e9);
	const alone = text => nano(cost({ limits: { usd: 9 }, agents: { a: quiet },
		tasks: { t: { agent: 'a', description: text } } }, 9).low_usd) /
		1000 - 2;
	const words = alone('Write.'), judged = alone('Judge ');
	for (let i = 0; i < 60; i++) {
		const reply = 10 + next(5000);
		const agents = {}, tasks = {}, of = {};
		let low = 0, sum = 0;
		for (const a of ['a', 'b', 'c']) {
			agents[a] = { ...quiet, limits: { turns: 1 + next(5),
				usd: [0.001, 0.1, 1][next(3)] } };
			if (some(30))
				agents[a].budget = 0.01 * (1 + next(9));
			of[a] = 0;
		}
		/* A run: what was said comes again with each turn. */
		const run = (a, n, more, turns) => {
			let nanos = 0, tokens = 0;
			for (let k = 0; k < Math.min(turns ?? 99,
				agents[a].limits.turns) && tokens < 1e6; k++) {
				const input = Math.min(128000,
					n + 512 + more + k * reply);
				nanos += input * 1000 + reply * 2000;
				tokens += input + reply;
			}
			return Math.max(n * 1000 + 2000,
				Math.min(nanos, nano(agents[a].limits.usd)));
		};
		const add = (a, nanos, budget = true) => {
			sum += nanos;
			of[a] += budget ? nanos : 0;
		};
		for (let t = next(4) + 1; t > 0; t--) {
			const task = tasks['t' + t] = { description: 'Write.' };
			const chat = some(30);
			let few = 1, many = 1, besides = 0;
			const gives = reply * (chat ? 5 : 1);
			if (some(40)) {
				task.loop = { max: 1 + next(4) };
				many *= task.loop.max;
				if (some(50))
					task.loop.until = { is: 1 };
				else
					few = task.loop.max;
			}
			if (some(30)) {
				task.map = { over: '{{input}}', max: 1 + next(6) };
				many *= task.map.max;
				few = 0;
			}
			if (some(20)) {
				task.when = { value: '{{input}}', is: 1 };
				few = 0;
			}
			if (some(40)) {
				task.retries = next(3);
				task.guardrail = [{ is: 1 }];
				many *= task.retries + 1;
				besides = task.retries ? gives + 2048 : 0;
				if (some(50))
					task.guardrail.push({ agent: 'c',
						ask: 'Judge {{output}}' });
			}
			if (some(30))
				task.limits = { turns: 1 + next(3) };
			const turns = task.limits?.turns;
			if (chat) {
				task.chat = { agents: ['a', 'b'], max: 5 };
				const chair = some(40);
				const a = run('a', words, besides + gives, turns);
				const b = run('b', words, besides + gives, turns);
				if (chair) {
					task.chat.next = { agent: 'c' };
					add('a', many * 5 * Math.max(a, b), false);
					add('c', many * 5 * run('c', words,
						besides + gives, turns));
				} else {
					add('a', many * 3 * a);
					add('b', many * 2 * b);
				}
				low += few * 5 * (words + 2) * (chair ? 2 : 1);
			} else {
				task.agent = 'ab'[next(2)];
				add(task.agent, many * run(task.agent, words,
					besides, turns));
				low += few * (words + 2);
			}
			if (task.guardrail?.length === 2) {
				add('c', many * run('c', judged, besides + 2 * gives,
					turns));
				low += few * (judged + 2);
			}
		}
		for (const a in agents)
			if (agents[a].budget !== undefined)
				sum -= Math.max(0, of[a] - nano(agents[a].budget));
		const got = cost({ limits: { usd: 5 }, agents, tasks }, reply);
		const want = [low * 1000, Math.min(sum, 5e9)];
		if (nano(got.low_usd) !== want[0] || nano(got.high_usd) !== want[1])
			throw new Error(JSON.stringify([want, got, agents, tasks]));
	}
	END
	run -0 node try.mjs
}

@test "those that an agent asks, and hands on to, are counted" {
	two() { # MEMBER OF A
		printf '{"limits": {"usd": 100}, "agents": {"a": {%s, %s}, "b": {%s}},
			"tasks": {"t": {"agent": "a", "description": "d"}}}' \
			"$quiet" "$1" '"with": ["none"], "limits": {"usd": 0.25}' >f.json
		cost -m openai/gpt-4o --price "${2:-1,2}" --max-tokens 100
		assert_status 0
	}
	two '"notes": false'
	own=$(jq .high_usd <<<"$json")
	two '"agents": ["b"]'
	member .high_usd 50
	member .runs '[1,1]'
	two '"handoffs": ["b"]'
	member ".high_usd == ($own + 2.004096 | . * 1e9 | round / 1e9)" true
	member .runs '[1,9]'
	two '"agents": ["b"]' free
	member .high_usd 0
}

@test "a price that is not known is said" {
	one '"model": "nobody/nothing"' '"description": "Write."'
	cost
	assert_status 78
	member '[.high_usd, .low_usd]' '[null,0]'
	assert_has "$(jq -r .unknown <<<"$json")" 'nobody/nothing'
	one '' '"description": "Write."'
	cost
	assert_status 78
	member .unknown "\"agent 'a' has no model: name one in the file or with -m\""
	one '"model": "local/extract"' '"description": "Write."'
	cost
	assert_status 0
	member '[.high_usd, .low_usd]' '[0,0]'
	run -0 ai-agent graph --dry-run -r f.json
	assert_has "$output" 'in all '
}

@test "what the input lacks is said before" {
	one '' '"description": "On {{input.topic}}."'
	cost -m local/extract words
	assert_status 2
	assert_eq "$stderr" 'ai-agent: input.topic: it is missing; tasks.t.description (f.json:1) names it'
	printf '{"agents": {"a": {}}, "input": {"type": "object"},
		"tasks": {"t": {"agent": "a", "description": "d"}}}' >f.json
	cost -m local/extract words
	assert_eq "$stderr" 'ai-agent: input: expected an object, not "words"'
	printf '{"agents": {"a": {}}}' >f.json
	cost -m local/extract words
	assert_status 78
	assert_eq "$stderr" 'ai-agent: f.json: tasks: there are none, so there is nothing to do'
}

# A model that says what ai-tokens counts, as a provider does.
honest_model() {
	cat >script.mjs <<'END'
import { execFileSync } from 'node:child_process';
const last = (s) => s.messages.filter((m) => m.role === 'user').at(-1).content;
const tokens = (messages) => JSON.parse(execFileSync('ai-tokens',
	['-m', 'gpt-4o'], { input: `${JSON.stringify({ messages })}\n`,
		encoding: 'utf8' })).tokens.count;
const speeches = (s) => (last(s).match(/^\w+: \w/gm) ?? []).length;
const steps = {
	say: () => ({ text: 'The roof is sound, and the cellar is dry.' }),
	count: (s) => ({ text: `Draft ${/<<(.*?)>>/.exec(last(s))[1]}.` }),
	talk: (s) => ({ text: /name of the one/.test(last(s)) ? 'bob'
		: speeches(s) === 2 ? 'AGREED' : 'I am not so sure about the price.' }),
	better: (s) => ({ text: /not taken/.test(last(s)) ? 'long enough' : 'short' }),
	judge: (s) => ({ text: /given for it:\s+long/.test(last(s))
		? 'Yes.' : 'No: it is too short.' }),
	json: (s) => ({ text: /not taken/.test(last(s)) ? '{"n": 1}' : 'one' }),
	boss: (s) => s.turn === 0 ? { calls: [{ name: 'ask_bob',
		arguments: { task: 'task:say what the roof is like' } }] }
		: { text: 'Bob says that the roof is sound.' },
	hand: () => ({ calls: [{ name: 'hand_off_to_bob',
		arguments: { task: 'task:say it' } }] }),
	sums: (s) => s.turn < 2 ? { calls: [{ name: 'calc',
		arguments: { expression: `1+${s.turn}` } }] } : { text: '2' },
};
export default Object.fromEntries(Object.entries(steps).map(([name, step]) =>
	[name, (s) => {
		const answer = step(s), said = tokens([{ role: 'assistant',
			content: answer.text ?? JSON.stringify(answer.calls) }]);
		// A tool that it is told of is 40 to 60 tokens.
		const prompt_tokens = tokens(s.messages) + 50 * s.tools.length;
		return { ...answer, usage: { prompt_tokens, completion_tokens: said,
			total_tokens: prompt_tokens + said } };
	}]));
END
	model_start script.mjs
}

# between NAME MEMBERS: what the workflow costs lies between what is said of it
# before, in the least and the most; and is what the ledger has.
between() {
	local options=(-m openai/gpt-4o --price "1,2" --max-tokens 60
		--base-url "$STUB_URL")
	printf '{"agents": {"ann": {"role": "surveyor", "with": ["none"]},
		"carl": {"with": ["calc"]},
		"bob": {"role": "builder", "with": ["none"]},
		"boss": {"agents": ["bob"], "handoffs": ["bob"], "with": ["none"]}},
		%s}' "$2" >f.json
	cost "${options[@]}" - <<<'{"input": ["roof", "cellar", "wall"]}'
	assert_status 0
	ai-agent flow f.json "${options[@]}" --run "$1" \
		<<<'{"input": ["roof", "cellar", "wall"]}' >out.json
	assert_eq "$(jq -r .run.status out.json)" "done"
	assert_eq "$(jq -c --slurpfile r out.json '$r[0].run.cost_usd as $c |
		[.low_usd <= $c, $c <= .high_usd, $c > 0]' <<<"$json")" \
		'[true,true,true]'
	echo "# $1: $(jq -c --slurpfile r out.json \
		'[.low_usd, $r[0].run.cost_usd, .high_usd]' <<<"$json")"  >&3
	assert_eq "$(sqlite3 state/aiutils/ledger.db "SELECT sum(t.amount) FROM
		transfer t JOIN label l ON l.n=t.label WHERE l.run='$1' AND
		t.kind=2")" "$(jq '.run.cost_usd * 1e9 | round' out.json)"
}

@test "what a workflow then costs lies between the least and the most" {
	need node
	honest_model
	between chain '"tasks": {"a": {"agent": "ann", "description": "task:say"},
		"b": {"agent": "bob", "description": "task:say more than {{a}}"}}'
	between loop '"tasks": {"a": {"agent": "ann",
		"description": "task:count <<{{round}}>> {{last}}",
		"loop": {"max": 5, "until": {"contains": "3"}}}}'
	between map '"tasks": {"a": {"agent": "ann",
		"description": "task:say how the {{item}} is",
		"map": {"over": "{{input}}", "max": 9}}}'
	between chat '"tasks": {"a": {"description": "task:talk about it",
		"chat": {"agents": ["ann", "bob"], "max": 6, "next": {"agent": "boss"},
			"until": {"contains": "AGREED"}}}}'
	between judge '"tasks": {"a": {"agent": "ann", "description": "task:better",
		"guardrail": {"agent": "bob", "ask": "task:judge it"}}}'
	between schema '"tasks": {"a": {"agent": "ann", "description": "task:json",
		"schema": {"type": "object", "required": ["n"]}}}'
	between manager '"process": "hierarchical", "manager": "boss",
		"tasks": {"a": {"description": "task:boss"}}'
	between handoff '"tasks": {"a": {"agent": "boss",
		"description": "task:hand it on"}}'
	between tools '"tasks": {"a": {"agent": "carl", "description": "task:sums"}}'
	between left '"tasks": {"a": {"agent": "ann", "description": "task:say"},
		"b": {"agent": "ann", "description": "task:say",
			"when": {"value": "{{a}}", "contains": "damp"}}}'
	stub_stop
}
