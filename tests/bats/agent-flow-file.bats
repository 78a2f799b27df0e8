#!/usr/bin/env bats
# Workflow files: what is wrong with one is found before anything runs, and is
# said with the file, the line and the place; what is right is shown.
load helper

# refused MESSAGE JSON: this file is.  The message's column is left out.
refused() {
	printf '%s' "$2" >f.json
	run --separate-stderr ai-agent graph f.json
	assert_status 78
	assert_eq "$output" ''
	assert_eq "$(sed -E 's/^(ai-agent: f\.json:[0-9]+):[0-9]+:/\1:/' \
		<<<"$stderr")" "ai-agent: f.json:$1"
}

# tasks MESSAGE JSON: the same of tasks; they begin in line 2.
tasks() {
	refused "$1" "{\"agents\": {\"a\": {}, \"b\": {}}, \"tasks\": {
$2
}}"
}

# agents MESSAGE JSON: of agents.
agents() {
	refused "$1" "{\"agents\": {
$2
}}"
}

# when MESSAGE JSON: of a condition; guard, schema likewise.
when() {
	tasks "$1" "\"x\": {\"agent\": \"a\", \"description\": \"d\", \"when\": $2}"
}

guard() {
	tasks "$1" "\"x\": {\"agent\": \"a\", \"description\": \"d\", \"guardrail\": $2}"
}

schema() {
	tasks "$1" "\"x\": {\"agent\": \"a\", \"description\": \"d\", \"schema\": $2}"
}

# plan JSON: this file is taken; output is its plan.
plan() {
	printf '%s' "$1" >f.json
	run --separate-stderr ai-agent graph f.json
	assert_status 0
	assert_eq "$stderr" ''
}

@test "no file, one that is too long, and no operand" {
	run --separate-stderr ai-agent graph none.json
	assert_status 66
	assert_has "$stderr" "cannot open the workflow 'none.json'"
	run --separate-stderr ai-agent graph .
	assert_status 66
	head -c 17000000 /dev/zero | tr '\0' ' ' >f.json
	run --separate-stderr ai-agent graph f.json
	assert_eq "$stderr" 'ai-agent: the workflow exceeds 16777216 bytes'
	run --separate-stderr ai-agent graph
	assert_status 64
	run --separate-stderr ai-agent graph f.json g.json
	assert_status 64
}

@test "what is no workflow, keys that there are not, values of another kind" {
	refused "3: ',' or '}' is expected" \
		'{"agents": {}

"x"}'
	refused '1: a value is expected' \
		$'\001{}'
	refused '1: expected an object, not []' \
		'[]'
	refused "1: 'agents' is missing" \
		'{}'
	refused '1: agents: 0 members, not less than 1 are allowed' \
		'{"agents":{}}'
	tasks "3: tasks.x.descripion: not a known key; did you mean 'description'?" \
		'"x": {"agent": "a",
 "descripion": "d"}'
	tasks '2: tasks.x.retries: -1 is less than the minimum 0' \
		'"x": {"agent": "a", "description": "d", "retries": -1}'
	tasks '2: tasks.x: expected an object, not "y"' \
		'"x": "y"'
	tasks '2: tasks.x.description: expected a string, not 7' \
		'"x": {"agent": "a", "description": 7}'
	tasks '2: tasks.x.description: 0 characters, not less than 1 are allowed' \
		'"x": {"agent": "a", "description": ""}'
	agents '2: agents.a.notes: expected true or false, not 1' \
		'"a": {"notes": 1}'
	agents '2: agents.a.budget: -1 is less than the minimum 0' \
		'"a": {"budget": -1}'
	agents "2: agents.a.budget: '0.0000000001' has more than 9 decimals" \
		'"a": {"budget": 0.0000000001}'
	refused '1: process: "round" is not one of "parallel", "sequential", "hierarchical"' \
		'{"agents": {"a": {}}, "process": "round"}'
}

@test "names that cannot be, and names that stand there twice" {
	tasks '2: tasks.a b: "a b" does not match the pattern "^[a-zA-Z0-9_-]{1,63}$"' \
		'"a b": {"agent": "a", "description": "d"}'
	agents '1: agents.: "" does not match the pattern "^[a-zA-Z0-9_-]{1,48}$"' \
		'"": {}'
	name=$(printf 'x%.0s' {1..49})
	agents "2: agents.$name: \"$name\" does not match the pattern \"^[a-zA-Z0-9_-]{1,48}\$\"" \
		"\"$name\": {}"
	plan "{\"agents\": {\"${name%x}\": {}}}"
	assert_has "$output" "  ${name%x}"
	tasks '2: tasks.output: {{output}} means something else in texts, so no task can be named so' \
		'"output": {"agent": "a", "description": "d"}'
	tasks "3: tasks: 'x' stands there twice" \
		'"x": {"agent": "a", "description": "d"},
"x": {"agent": "a", "description": "d"}'
	tasks "2: tasks.x: 'agent' stands there twice" \
		'"x": {"agent": "a", "description": "d", "\u0061gent": "b"}'
}

@test "agents" {
	agents "2: agents.a.agents.0: no agent is named 'c'; is it 'a'?" \
		'"a": {"agents": ["c"]}'
	agents "2: agents.abc.agents.0: no agent is named 'abd'; is it 'abc'?" \
		'"abc": {"agents": ["abd"]}, "abe":{}'
	agents "2: agents.a.agents.0: 'a' is the agent itself" \
		'"a": {"agents": ["a"]}'
	agents "2: agents.a.handoffs.1: 'b' stands there twice" \
		'"a": {"handoffs": ["b", "b"]}, "b": {}'
	agents "2: agents.a.with.0: no built-in tool is named 'calcc'; is it 'calc'?" \
		'"a": {"with": ["calcc"]}'
	agents "2: agents.a.with: 'none' stands alone" \
		'"a": {"with": ["none", "calc"]}'
	agents "2: agents.a.with.0: no built-in tool is named 'shell'" \
		'"a": {"with": ["shell"]}'
	agents "2: agents.a.tools.0: cannot use '$PWD/no.json': No such file or directory" \
		'"a": {"tools": ["no.json"]}'
	agents "2: agents.a.tools.0: '$PWD/.' is a folder" \
		'"a": {"tools": ["."]}'
	agents "2: agents.a.workdir: cannot use '$PWD/no': No such file or directory" \
		'"a": {"workdir": "no"}'
	agents "2: agents.a.limits: 'turn' is no limit; did you mean 'turns'?" \
		'"a": {"limits": {"turn": 1}}'
	agents "2: agents.a.limits.usd: '0.00000000001' is no such limit: dollars, from 0 to 9000000000, with at most 9 decimals" \
		'"a": {"limits": {"usd": 0.00000000001}}'
	agents '2: agents.a.model: 0 characters, not less than 1 are allowed' \
		'"a": {"model": ""}'
	agents '2: agents.a.role: a NUL cannot be in it' \
		'"a": {"role": "x\u0000y"}'
	agents '2: agents.a.breaker.failures: 0 is less than the minimum 1' \
		'"a": {"breaker": {"failures": 0}}'
	refused '1: manager: it means something only with "process": "hierarchical"' \
		'{"agents": {"a": {}}, "manager": "a"}'
	refused '1: manager: it is missing: with "process": "hierarchical" an agent manages' \
		'{"agents": {"a": {}}, "process": "hierarchical"}'
	refused "1: manager: no agent is named 'b'; is it 'a'?" \
		'{"agents": {"a": {}}, "process": "hierarchical", "manager": "b"}'
}

@test "tasks without agent or text, and names of none" {
	tasks "2: tasks.x: 'agent' is missing: who does it; or 'chat'" \
		'"x": {"description": "d"}'
	tasks "2: tasks.x.agent: no agent is named 'c'; is it 'a'?" \
		'"x": {"agent": "c", "description": "d"}'
	tasks "2: tasks.x: 'description' is missing: what is to be done" \
		'"x": {"agent": "a"}'
	tasks "2: tasks.x.needs.0: no task is named 'y'" \
		'"x": {"agent": "a", "description": "d", "needs": ["y"]}'
	tasks "2: tasks.find.needs.0: no task is named 'fnid'" \
		'"find": {"agent": "a", "description": "d", "needs": ["fnid"]}'
	tasks "3: tasks.x.needs.0: no task is named 'fnid'; is it 'find'?" \
		'"find": {"agent": "a", "description": "d"},
"x": {"agent": "a", "description": "d", "needs": ["fnid"]}'
	tasks '2: tasks.x.needs.0: the task needs itself' \
		'"x": {"agent": "a", "description": "d", "needs": ["x"]}'
	tasks "2: tasks.x.needs.1: 'y' stands there twice" \
		'"y":{"agent": "a", "description": "d"}, "x": {"agent": "a", "description": "d", "needs": ["y","y"]}'
	tasks '2: tasks.x.limits.turns: expected a number, not "3"' \
		'"x": {"agent": "a", "description": "d", "limits": {"turns": "3"}}'
	tasks "2: tasks.x.limits: 'torns' is no limit; did you mean 'turns'?" \
		'"x": {"agent": "a", "description": "d", "limits": {"torns": 3}}'
}

@test "tasks that wait for themselves" {
	tasks "2: tasks.x: it needs 'y', which needs 'x': none of them can be the first" \
		'"x": {"agent": "a", "description": "{{y}}"},
"y": {"agent": "a", "description": "{{x}}"}'
	tasks "3: tasks.y: it needs 'z', which needs 'w', which needs 'y': none of them can be the first" \
		'"x": {"agent": "a", "description": "{{y}}"},
"y": {"agent": "a", "description": "d", "when": {"value": "{{z}}", "is": 1}},
"z": {"agent": "a", "description": "d", "guardrail": {"value": "{{w}}", "is": 1}},
"w": {"agent": "a", "description": "d {{y}}"}'
	refused "2: tasks.x: it needs 'y', which stands behind it: with \"process\": \"sequential\" they run as they stand" \
		'{"agents": {"a": {}}, "process": "sequential", "tasks": {
"x": {"agent": "a", "description": "d", "needs": ["y"]},
"y": {"agent": "a", "description": "d"}}}'
}

@test "texts with names that there are not" {
	tasks '2: tasks.x.description: {{y}}: there is no task and nothing else of this name' \
		'"x": {"agent": "a", "description": "{{y}}"}'
	tasks "2: tasks.x.description: {{fnd}}: there is no task and nothing else of this name; is it 'find'?" \
		'"find": {"agent": "a", "description": "d"}, "x": {"agent": "a", "description": "{{fnd}}"}'
	tasks '2: tasks.x.description: {{x}}: the task names itself; in a loop, {{last}} is what the round before gave' \
		'"x": {"agent": "a", "description": "{{x}}"}'
	tasks "2: tasks.x.description: '}}' is missing; two braces that are meant are written '{{{{'" \
		'"x": {"agent": "a", "description": "a {{input"}'
	tasks "2: tasks.x.description: '{{}}' is no name; two braces that are meant are written '{{{{'" \
		'"x": {"agent": "a", "description": "{{}}"}'
	tasks "2: tasks.x.description: '{{a b}}' is no name; two braces that are meant are written '{{{{'" \
		'"x": {"agent": "a", "description": "{{a b}}"}'
	tasks "2: tasks.x.description: '{{input.}}' is no name; two braces that are meant are written '{{{{'" \
		'"x": {"agent": "a", "description": "{{input.}}"}'
	tasks "2: tasks.x.description: '{{input..x}}' is no name; two braces that are meant are written '{{{{'" \
		'"x": {"agent": "a", "description": "{{input..x}}"}'
	tasks '2: tasks.x.description: {{item}} is known only in tasks with a map' \
		'"x": {"agent": "a", "description": "{{item}}"}'
	tasks '2: tasks.x.description: {{round}} is known only in tasks with a loop' \
		'"x": {"agent": "a", "description": "{{round}}"}'
	tasks "2: tasks.x.description: {{output}} is known only in guardrails and in the 'until' of a loop" \
		'"x": {"agent": "a", "description": "{{output}}"}'
	tasks '2: tasks.x.description: {{speaker}} is known only in chats' \
		'"x": {"agent": "a", "description": "{{speaker}}"}'
	tasks "2: tasks.x.description: {{usd}} is known only in the 'until' of a chat" \
		'"x": {"agent": "a", "description": "{{usd}}"}'
	tasks '2: tasks.x.description: {{notes}}: its key is missing, as in {{notes.plan}}' \
		'"x": {"agent": "a", "description": "{{notes}}"}'
	tasks '2: tasks.x.description: {{round.x}}: there is nothing below {{round}}' \
		'"x": {"agent": "a", "description": "{{round.x}}", "loop": {"max": 2}}'
	tasks "2: tasks.x.description: {{y.z}}: task 'y' has no schema, so what it gives is a text" \
		'"y": {"agent": "a", "description": "d"}, "x": {"agent": "a", "description": "{{y.z}}"}'
	tasks "2: tasks.x.description: {{y.z}}: 'y' is done for each item and gives a list: a number must come first" \
		'"y": {"agent": "a", "description": "d", "map": {"over": "{{input}}", "max": 2}}, "x": {"agent": "a", "description": "{{y.z}}"}'
	tasks "2: tasks.x.description: {{y.titel}}: the schema has no property 'titel'; is it 'title'?" \
		'"y": {"agent": "a", "description": "d", "schema": {"type":"object","properties":{"title":{"type":"string"}}}}, "x": {"agent": "a", "description": "{{y.titel}}"}'
	tasks "2: tasks.x.description: {{y.title.z}}: by the schema there is nothing named 'z' below it" \
		'"y": {"agent": "a", "description": "d", "schema": {"type":"object","properties":{"title":{"type":"string"}}}}, "x": {"agent": "a", "description": "{{y.title.z}}"}'
	refused "2: tasks.x.description: {{input.topik}}: the schema has no property 'topik'; is it 'topic'?" \
		'{"agents": {"a": {}}, "input": {"type": "object", "properties": {"topic": {}}},
"tasks": {"x": {"agent": "a", "description": "{{input.topik}}"}}}'
	refused "2: tasks.x.description: {{input.topik}}: by the schema there is nothing named 'topik' below it" \
		'{"agents": {"a": {}}, "input": {"type": "string"},
"tasks": {"x": {"agent": "a", "description": "{{input.topik}}"}}}'
	refused "1: output: {{z}}: there is no task and nothing else of this name; is it 'x'?" \
		'{"agents": {"a": {}}, "output": "{{z}}",
"tasks": {"x": {"agent": "a", "description": "d"}}}'
}

@test "loops, maps and chats without bound" {
	tasks "2: tasks.x.loop: 'max' is missing" \
		'"x": {"agent": "a", "description": "d", "loop": {"until": {"is": 1}}}'
	tasks '2: tasks.x.loop.max: 0 is less than the minimum 1' \
		'"x": {"agent": "a", "description": "d", "loop": {"max": 0}}'
	tasks '2: tasks.x.loop.max: 1001 is greater than the maximum 1000' \
		'"x": {"agent": "a", "description": "d", "loop": {"max": 1001}}'
	tasks "2: tasks.x.map: 'max' is missing" \
		'"x": {"agent": "a", "description": "d", "map": {"over": "{{input}}"}}'
	tasks '2: tasks.x.map.over: it must be one name and nothing else, as in "{{input.list}}"' \
		'"x": {"agent": "a", "description": "d", "map": {"over": "x {{input}}", "max": 1}}'
	tasks '2: tasks.x.map.over: {{item}} is known only in tasks with a map' \
		'"x": {"agent": "a", "description": "d", "map": {"over": "{{item}}", "max": 1}}'
	tasks "2: tasks.x.chat: 'max' is missing" \
		'"x": {"description": "d", "chat": {"agents": ["a", "b"]}}'
	tasks "2: tasks.x.agent: 'chat' has its own agents, so 'agent' means nothing" \
		'"x": {"description": "d", "agent": "a", "chat": {"agents": ["a", "b"], "max": 3}}'
	tasks "2: tasks.x.chat.agents.1: no agent is named 'c'; is it 'a'?" \
		'"x": {"description": "d", "chat": {"agents": ["a", "c"], "max": 3}}'
	tasks "2: tasks.x.chat.agents.1: 'a' stands there twice" \
		'"x": {"description": "d", "chat": {"agents": ["a", "a"], "max": 3}}'
	tasks '2: tasks.x.chat.agents: 0 elements, not less than 1 are allowed' \
		'"x": {"description": "d", "chat": {"agents": [], "max": 3}}'
	tasks '2: tasks.x.chat.next: "random" does not match the pattern "^turn$"' \
		'"x": {"description": "d", "chat": {"agents": ["a"], "max": 3, "next": "random"}}'
	tasks "2: tasks.x.chat.next.agent: no agent is named 'z'; is it 'a'?" \
		'"x": {"description": "d", "chat": {"agents": ["a"], "max": 3, "next": {"agent": "z"}}}'
	tasks "2: tasks.x.chat.next: 'agent' is missing" \
		'"x": {"description": "d", "chat": {"agents": ["a"], "max": 3, "next": {}}}'
	tasks "2: tasks.x.chat.until.value: {{output}} is known only in guardrails and in the 'until' of a loop" \
		'"x": {"description": "d", "chat": {"agents": ["a"], "max": 3, "until": {"value": "{{output}}", "is": 1}}}'
}

@test "conditions" {
	when '2: tasks.x.when: it tests nothing; there are is, contains, matches, less, more, exists, all, any, not' \
		'{}'
	when "2: tasks.x.when: 'value' is missing: what is tested, such as \"{{input}}\"" \
		'{"is": 1}'
	when '2: tasks.x.when: it tests nothing; there are is, contains, matches, less, more, exists, all, any, not' \
		'{"value": "{{input}}"}'
	when "2: tasks.x.when: 'is' and 'less' are two tests; \"all\": [{...}, {...}] joins them" \
		'{"value": "{{input}}", "is": 1, "less": 2}'
	when '2: tasks.x.when.equals: not a known key' \
		'{"value": "{{input}}", "equals": 1}'
	when '2: tasks.x.when.matches: not a regular expression: missing closing parenthesis at byte 1' \
		'{"value": "{{input}}", "matches": "("}'
	when '2: tasks.x.when.less: expected a number, not "3"' \
		'{"value": "{{input}}", "less": "3"}'
	when '2: tasks.x.when.all: 0 elements, not less than 1 are allowed' \
		'{"all": []}'
	when "2: tasks.x.when.all.1.value: {{inptu}}: there is no task and nothing else of this name; is it 'input'?" \
		'{"all": [{"value": "{{input}}", "is": 1}, {"value": "{{inptu}}", "is": 1}]}'
	when '2: tasks.x.when.not.any.0: it tests nothing; there are is, contains, matches, less, more, exists, all, any, not' \
		'{"not": {"any": [{"value": "x"}]}}'
	when "2: tasks.x.when: 'value' stands in each of 'all', not beside it" \
		'{"value": "x", "all": [{"value": "x", "is": 1}]}'
	when "2: tasks.x.when.value: {{output}} is known only in guardrails and in the 'until' of a loop" \
		'{"value": "{{output}}", "is": 1}'
}

@test "guardrails" {
	guard '2: tasks.x.guardrail: 0 members, not less than 1 are allowed' \
		'{}'
	guard '2: tasks.x.guardrail: 0 elements, not less than 1 are allowed' \
		'[]'
	guard '2: tasks.x.guardrail.command: 0 elements, not less than 1 are allowed' \
		'{"command": []}'
	guard '2: tasks.x.guardrail.command.0: the program has no name' \
		'{"command": [""]}'
	guard "2: tasks.x.guardrail.command.0: cannot use '$PWD/./no': No such file or directory" \
		'{"command": ["./no"]}'
	guard "2: tasks.x.guardrail: a guardrail is a condition, or a 'command', or an 'agent' with 'ask'; several stand in a list" \
		'{"command": ["true"], "agent": "b"}'
	guard "2: tasks.x.guardrail: 'ask' is missing: what 'b' is to judge" \
		'{"agent": "b"}'
	guard "2: tasks.x.guardrail: 'agent' is missing: who is asked" \
		'{"ask": "b"}'
	guard "2: tasks.x.guardrail.agent: no agent is named 'c'; is it 'a'?" \
		'{"agent": "c", "ask": "b"}'
	guard "2: tasks.x.guardrail: a guardrail is a condition, or a 'command', or an 'agent' with 'ask'; several stand in a list" \
		'{"agent": "b", "ask": "b", "is": 1}'
	guard '2: tasks.x.guardrail.1.ask: {{z}}: there is no task and nothing else of this name' \
		'[{"is": 1}, {"agent": "b", "ask": "{{z}}"}]'
	guard '2: tasks.x.guardrail: expected an object, not "x"' \
		'"x"'
}

@test "schemas that are wrong, and that nothing satisfies" {
	schema "2: tasks.x.schema.type: \"strin\" is not one of \"array\", \"boolean\", \"integer\", \"null\", \"number\", \"object\", \"string\"; did you mean 'string'?" \
		'{"type": "strin"}'
	schema '2: tasks.x.schema.properties.a.minimum: expected a number, not "1"' \
		'{"properties": {"a": {"minimum": "1"}}}'
	schema "2: tasks.x.schema.\$ref: '#/\$defs/x' leads nowhere" \
		'{"$ref": "#/$defs/x"}'
	schema '2: tasks.x.schema.pattern: not a regular expression: missing closing parenthesis at byte 1' \
		'{"pattern": "("}'
	schema '2: tasks.x.schema: nothing satisfies it: it is false' \
		'false'
	schema '4: tasks.x.schema.properties.a: nothing satisfies it: no number is that large and that small' \
		'{"type": "object",
 "required": ["a"],
 "properties": {"a": {"type": "integer", "minimum": 2,
   "maximum": 1}}}'
	schema '2: tasks.x.schema.required: nothing satisfies it: it requires a member that additionalProperties forbids' \
		'{"type": "object", "required": ["a"], "additionalProperties": false}'
	schema '2: tasks.x.schema: nothing satisfies it: the values it names do not satisfy the rest of it' \
		'{"type": "string", "enum": []}'
	schema '2: tasks.x.schema: nothing satisfies it: the values it names do not satisfy the rest of it' \
		'{"type": "string", "enum": [1, 2]}'
	schema '2: tasks.x.schema.allOf.1: nothing satisfies it: it is false' \
		'{"allOf": [true, false]}'
	schema '2: tasks.x.schema.anyOf: nothing satisfies it: none of these can hold' \
		'{"anyOf": [false, {"type": "string", "minLength": 3, "maxLength": 2}]}'
	schema '2: tasks.x.schema.properties.x: nothing satisfies it: it is within itself without end' \
		'{"type": "object", "required": ["x"], "properties": {"x": {"$ref": "#"}}}'
	schema '2: tasks.x.schema: expected an object or true or false, not "x"' \
		'"x"'
	refused '2: input: nothing satisfies it: minItems is above maxItems' \
		'{"agents": {"a": {}},
"input": {"type": "array", "minItems": 2, "maxItems": 1}, "tasks": {"x": {"agent": "a", "description": "d"}}}'
}

@test "schemas that something satisfies are taken" {
	for schema in true '{}' '{"minLength": 3, "maxLength": 2}' \
		'{"type": ["string", "null"], "minLength": 3, "maxLength": 2}' \
		'{"type": "object", "properties": {"a": false}}' \
		'{"type": "integer", "minimum": 1.5, "maximum": 2}' \
		'{"anyOf": [false, {"type": "string"}]}' \
		'{"enum": [1, "x"], "type": "string"}' \
		'{"type": "object", "properties": {"x": {"$ref": "#"}}}' \
		'{"type": "array", "items": false}'; do
		plan '{"agents": {"a": {}}, "tasks": {"x": {"agent": "a",
			"description": "d", "schema": '"$schema"'}}}'
	done
}

# A workflow with all there is.
crew() {
	printf '{}' >t.json
	mkdir -p work
	cat >crew.json <<-'END'
	// comments may stand anywhere
	{ "name": "brief", "description": "find, look, write", "at_once": 3,
	  "process": "hierarchical", "manager": "boss",
	  "index": "docs.idx", "limits": {"usd": 2},
	  "input": {"type": "object", "required": ["topic"],
	    "properties": {"topic": {"type": "string"}}},
	  "agents": {
	    "finder": {"role": "researcher", "goal": "facts",
	      "instructions": "cite", "model": "openai/gpt-4o",
	      "tools": ["t.json"], "workdir": "work", "with": ["calc"],
	      "index": "own.idx", "budget": 0.25, "notes": true},
	    "writer": {"handoffs": ["finder"], "remembers": true},
	    "boss": {"goal": "quality"}
	  },
	  "tasks": {
	    "write": {"agent": "writer", "needs": ["look"],
	      "description": "On {{input.topic}}: {{find.facts.0}}",
	      "guardrail": [{"matches": "[.]$"}, {"command": ["true", "-x"]},
	        {"agent": "finder", "ask": "is {{output}} true?"}],
	      "retries": 1, "loop": {"max": 4, "until": {"contains": "\"ok\""}},
	      "when": {"any": [{"value": "{{look}}", "more": 3},
	        {"not": {"value": "{{input}}", "exists": false}}]}},
	    "find": {"agent": "finder", "description": "Find\nfacts.",
	      "schema": {"type": "object", "properties":
	        {"facts": {"type": "array"}}}, "optional": true},
	    "look": {"description": "{{item}} of {{index}}",
	      "map": {"over": "{{find.facts}}", "max": 20, "at_once": 2},
	      "limits": {"turns": 3}},
	    "talk": {"description": "{{transcript}}", "chat": {
	      "agents": ["finder", "writer"], "max": 9,
	      "next": {"agent": "boss"},
	      "until": {"all": [{"contains": "bye"},
	        {"value": "{{usd}}", "less": 1}]}}}
	  },
	  "output": "{{write}} {{{{x}}" /* two braces */ }
	END
}

@test "a plan as people read it" {
	crew
	run -0 ai-agent graph crew.json
	assert_eq "$output" "brief: find, look, write
the manager does what has no agent, at most 3 at once
takes {\"type\":\"object\",\"required\":[\"topic\"],\"properties\":{\"topic\":{\"type\":\"string\"}}}
limits {\"usd\":2}
shares the index $PWD/docs.idx

agents
  finder
      role: researcher
      goal: facts
      model: openai/gpt-4o
      tools files: $PWD/t.json
      built-in tools: calc
      searches: $PWD/own.idx
      works in: $PWD/work
      reads and writes notes
      budget: \$0.25
  writer
      hands on to: finder
      adds to the shared index
  boss  (manager)
      goal: quality
      asks: finder, writer

tasks; those of one number wait only for lower ones
  1. find: finder
      Find facts.
      gives JSON: {\"type\":\"object\",\"properties\":{\"facts\":{\"type\":\"array\"}}}
      else again, retries: 2
      the run goes on without it
  1. talk: chat of finder, writer
      {{transcript}}
      at most 9 messages, whose turn it is says boss, until {{message}} contains \"bye\" and {{usd}} is less than 1
  2. look: boss
      {{item}} of {{index}}
      after find
      for each of {{find.facts}}, at most 20, 2 at once
      limits: {\"turns\":3}
  3. write: writer
      On {{input.topic}}: {{find.facts.0}}
      after look, find
      only if {{look}} is more than 3 or not {{input}} is not there
      again, at most 4 rounds, until {{output}} contains \"\\\"ok\\\"\"
      must pass: {{output}} matches \"[.]\$\"
      must pass: true -x
      must pass: finder says so: is {{output}} true?
      else again, retries: 1

gives back {{write}} {{{{x}}"
}

@test "a plan as a graph" {
	crew
	run -0 ai-agent graph --dot crew.json
	assert_eq "$output" 'digraph "brief" {
	rankdir=TB;
	"t.find" [shape=box, style=dashed, label="find\nfinder"];
	"t.look" [shape=box, label="look\nboss\nfor each of {{find.facts}}, at most 20"];
	"t.find" -> "t.look";
	"t.write" [shape=box, style=dashed, label="write\nwriter\nonly if {{look}} is more than 3 or not {{input}} is not there"];
	"t.look" -> "t.write";
	"t.find" -> "t.write";
	"t.write" -> "t.write" [label="at most 4\nuntil {{output}} contains \"\\\"ok\\\"\""];
	"t.talk" [shape=ellipse, label="talk\nchat of finder, writer"];
	subgraph cluster_agents {
		label="agents";
		"a.finder" [shape=plaintext, label="finder"];
		"a.writer" [shape=plaintext, label="writer"];
		"a.writer" -> "a.finder" [style=dotted, label="hands on"];
		"a.boss" [shape=plaintext, label="boss"];
		"a.boss" -> "a.finder" [style=dotted, label="asks"];
		"a.boss" -> "a.writer" [style=dotted, label="asks"];
	}
}'
	command -v dot >/dev/null || return 0
	ai-agent graph --dot crew.json | dot -Tsvg >crew.svg
}

@test "the published schema means the same to npm's ajv" {
	need_peer ajv
	crew
	cat >try.mjs <<-'END'
	import { createRequire } from 'module';
	import { execFileSync } from 'child_process';
	import { readFileSync, writeFileSync } from 'fs';
	const [, , peer, published] = process.argv;
	const Ajv = createRequire(peer + '/x')(peer + '/ajv/dist/2020.js').default;
	const schema = JSON.parse(readFileSync(published));
	const check = new Ajv({ strict: true, strictTypes: false,
		strictRequired: false }).compile(schema);
	const crew = readFileSync('crew.json', 'utf8')
		.replace(/^\/\/.*/m, '').replace(/\/\*.*\*\//, '');
	let state = 12345;
	const next = n => (state = (state * 48271) % 2147483647) % n;
	const values = [null, true, 0, -1, 7, 1e9, '', 'x', 'finder', '{{input}}',
		[], ['x'], {}, { x: 1 }, { max: 3 }, { is: 1 }, { usd: 1 }];
	const nodes = (v, at = []) => [at, ...(typeof v === 'object' && v
		? Object.keys(v).flatMap(k => nodes(v[k], [...at, k])) : [])];
	const count = { taken: 0, shape: 0, refused: 0 };
	for (let i = 0; i < 250; i++) {
		const flow = JSON.parse(crew);
		const all = nodes(flow).slice(1), at = all[next(all.length)];
		const last = at.pop();
		const inner = at.reduce((v, k) => v[k], flow);
		if (next(4) === 0 && !Array.isArray(inner))
			inner[['x', 'agent', 'max', 'is', 'until'][next(5)]] =
				values[next(values.length)];
		else if (next(3) === 0 && !Array.isArray(inner))
			delete inner[last];
		else
			inner[last] = values[next(values.length)];
		writeFileSync('f.json', JSON.stringify(flow));
		let taken = true;
		try {
			execFileSync('ai-agent', ['graph', 'f.json'],
				{ stdio: ['ignore', 'ignore', 'pipe'] });
		} catch (e) {
			taken = false;
			if (e.status !== 78)
				throw e;
		}
		const valid = check(flow);
		if (taken && !valid)
			throw new Error(JSON.stringify([flow, check.errors]));
		count[taken ? 'taken' : valid ? 'refused' : 'shape']++;
	}
	if (!check(JSON.parse(crew)) || Math.min(...Object.values(count)) < 20)
		throw new Error(JSON.stringify(count));
	END
	run -0 node try.mjs "${AI_TEST_PEER:-$SRCDIR/tests/peer}/node_modules" \
		"$SRCDIR/data/schema/flow.json"
}

@test "paths begin where the file is, also behind a link" {
	crew
	mkdir elsewhere
	ln -s ../crew.json elsewhere/link.json
	cd elsewhere
	run -0 ai-agent graph link.json
	assert_has "$output" "tools files: ${PWD%/*}/t.json"
}

@test "what is wrong with a tools file is found, too" {
	printf '{"tools": [{"name": "x", "description": "d",\n"comand": ["true"]}]}' >t.json
	printf '{"agents": {"a": {}, "b": {"tools": ["t.json"]}}}' >f.json
	run --separate-stderr ai-agent graph f.json
	assert_status 78
	assert_eq "$stderr" "ai-agent: $PWD/t.json:2: tools.0.comand: not a known key; did you mean 'command'?"
	printf '{"tools": [{"name": "x", "description": "d", "command": ["true"]}]}' >t.json
	cp t.json u.json
	plan '{"agents": {"a": {"tools": ["t.json"]}, "b": {"tools": ["u.json"]}}}'
	printf '{"agents": {"a": {"tools": ["t.json", "u.json"]}}}' >f.json
	run --separate-stderr ai-agent graph --dry-run f.json
	assert_status 78
	assert_has "$stderr" "$PWD/u.json:1: tools.0"
}

@test "texts of a file do nothing to a terminal" {
	plan '{"name": "\u001b[2Jx", "agents": {"a": {"role": "\u202ey"}},
		"tasks": {"t": {"agent": "a", "description": "\u0007{{input}}"}}}'
	assert_has "$output" '\x1b[2Jx'
	assert_has "$output" 'role: \u{202e}y'
	assert_has "$output" '\x07{{input}}'
}

@test "ten thousand tasks are read, and one more is refused" {
	many() {
		printf '{"agents": {"a": {}}, "tasks": {"t0": '
		printf '{"agent": "a", "description": "d"}'
		for ((i = 1; i < $1; i++)); do
			printf ',\n"t%d": {"agent": "a", "description": "{{t%d}}"}' \
				$i $((i - 1))
		done
		printf '}}'
	}
	many 10000 >f.json
	run -0 ai-agent graph f.json
	assert_has "$output" '  10000. t9999: a'
	many 10001 >f.json
	run --separate-stderr ai-agent graph f.json
	assert_status 78
	assert_eq "$stderr" 'ai-agent: f.json:1:32: tasks: 10001 members, not more than 10000 are allowed'
}

@test "a map goes over what may be a list" {
	tasks "2: tasks.x.map.over: task 'y' has no schema, so what it gives is a text and no list" \
		'"x": {"agent": "a", "description": "d", "map": {"over": "{{y}}", "max": 2}},
"y": {"agent": "a", "description": "d"}'
	tasks "2: tasks.x.map.over: by its schema that is no list" \
		'"x": {"agent": "a", "description": "d", "map": {"over": "{{y.s}}", "max": 2}},
"y": {"agent": "a", "description": "d", "schema": {"properties": {"s": {"type": "string"}}}}'
	for over in y y.0.l z.l z.any; do
		plan '{"agents": {"a": {}}, "tasks": {
			"x": {"agent": "a", "description": "d",
				"map": {"over": "{{'$over'}}", "max": 2}},
			"z": {"agent": "a", "description": "d", "schema":
				{"properties": {"l": {"type": "array"}, "any": {}}}},
			"y": {"agent": "a", "description": "d",
				"map": {"over": "{{z.l}}", "max": 2}, "schema":
				{"properties": {"l": {"type": ["array", "null"]}}}}}}'
	done
	refused "2: tasks.x.map.over: by its schema that is no list" \
		'{"agents": {"a": {}}, "input": {"type": "object"},
"tasks": {"x": {"agent": "a", "description": "d", "map": {"over": "{{input}}", "max": 2}}}}'
}
