// examples-model.mjs: a script for agent-model.mjs: it plays the agents of the
// workflows in examples/, each known by what it is told of its role.  It makes
// the mistakes that the workflows are to notice.
const textOf = (c) => Array.isArray(c) ? c.map((p) => p.text ?? '').join('') : c;
const system = (s) => textOf(s.messages[0].content);
const asked = (s) => textOf(s.messages.filter((m) => m.role === 'user').at(-1).content);
const json = (v) => ({ text: JSON.stringify(v) });
const call = (name, args) => ({ name, arguments: args });
const result = (s, name) => s.results.findLast((r) => r.name === name)?.text ?? '';
const notTaken = (s) => /It was not taken/.test(asked(s));

// ---- research.json ---------------------------------------------------------------

function researcher(s) {
	if (s.turn === 0)
		return { calls: [call('search_documents',
			{ query: /Look this up: (.*)/.exec(asked(s))[1] })] };
	const evidence = [...result(s, 'search_documents')
		.matchAll(/\[([\w.]+\.md)\]\n([^\n]+)/g)]
		.map(([, source, says]) => ({ says, source }));
	return json({ found: evidence.length > 0, evidence });
}

// Without a source; with one, and something that nobody has found; well.
function answerer(s) {
	const best = /"says":"([^"]*reserve[^"]*)","source":"([^"]*)"/.exec(asked(s));
	if (!notTaken(s))
		return { text: 'Budgets are shared.' };
	return /matches/.test(asked(s))
		? { text: `Budgets are shared on the moon [${best[2]}].` }
		: { text: `${best[1]} [${best[2]}]` };
}

const checker = (s) => ({ text: /on the moon/.test(asked(s))
	? 'No: nothing says "on the moon".' : 'Yes.' });

// ---- mailbox.json ------------------------------------------------------------------

const kinds = [[/tonight/, 'urgent'], [/could you/i, 'answer'],
	[/ignore all previous/i, 'junk'], [/withheld|look like an attack/, 'junk'],
	[/./s, 'later']];

function clerk(s) {
	const path = /mailbox '(.*?)'/.exec(asked(s))[1];
	const number = Number(/message (\d+) of/.exec(asked(s))?.[1]);
	if (s.turn === 0)
		return { calls: [Number.isNaN(number) ? call('list_mail', { path })
			: call('read_mail', { path, number })] };
	if (Number.isNaN(number))
		return json({ messages: [...result(s, 'list_mail')
			.matchAll(/(\d+)\t([^\t\n]*)\t([^\t\n]*)/g)]
			.map(([, n, from, subject]) => ({ number: +n, from, subject })) });
	const mail = result(s, 'read_mail');
	return json({ number, from: /From: (\S+)/.exec(mail)?.[1] ?? 'unknown',
		kind: kinds.find(([re]) => re.test(mail))[1],
		about: /Subject: (.*)/.exec(mail)?.[1] ?? 'nothing' });
}

function secretary(s) {
	const mails = JSON.parse(/\[.*\]/s.exec(asked(s))[0]);
	const line = (m) => `${m.number} ${m.kind} ${m.from}`;
	return { text: /Draft/.test(asked(s))
		? mails.filter((m) => /urgent|answer/.test(m.kind))
			.map((m) => `To ${m.number}: thank you.`).join('\n')
		: mails.map(line).join('\n') };
}

// ---- review.json ---------------------------------------------------------------------

function editor(s) {
	if (/Make one list/.test(asked(s)))
		return json({ findings: asked(s).match(/^\[.*\]$/gm)
			.flatMap((l) => JSON.parse(l)) });
	const found = JSON.parse(/Findings:\n(\[.*\])/.exec(asked(s))[1]);
	const list = found.filter((f) => f.real)
		.map((f) => `${f.where}: ${f.what}`).join('\n');
	return { text: notTaken(s) ? `CHANGE\n${list}` : list };
}

function skeptic(s) {
	const [, where, what] = /real\?\n\n(.*?): (.*)/.exec(asked(s));
	return json({ where, what, real: !/races/.test(what) });
}

// ---- crew.json -----------------------------------------------------------------------

function manager(s) {
	return [
		{ calls: [call('ask_researcher', { task: 'What do servers cost?' }),
			call('ask_analyst', { task: 'What do 3 servers at 40 a month cost in 2 years?' })] },
		{ calls: [call('notes_write', { key: 'settled',
			text: `rent: ${/\d+/.exec(result(s, 'ask_analyst'))}` })] },
		{ calls: [call('ask_writer', { task: 'Say what was settled.' })] },
		{ text: result(s, 'ask_writer').replace(/^.*(Rent.*?\.).*$/s, '$1') },
	][s.turn];
}

const analyst = (s) => s.turn === 0
	? { calls: [call('calc', { expression: '3 * 40 * 24' })] }
	: { text: `In all ${/\d+/.exec(result(s, 'calc'))}.` };

const finder = (s) => s.turn === 0
	? { calls: [call('notes_write', { key: 'price', text: '40 a month' })] }
	: { text: 'A server costs 40 a month.' };

const crewWriter = (s) => s.turn === 0
	? { calls: [call('notes_read', { key: 'settled' }),
		call('notes_read', { key: 'price' })] }
	: { text: `Rent them for ${/rent: (\d+)/.exec(s.results[0].text)?.[1]}, ` +
		`at ${/\d+ a month/.exec(s.results[1].text)}.` };

// ---- chat.json -----------------------------------------------------------------------

// The third version is what the second was.
const author = (s) => ({ text: /critic: /.test(asked(s))
	? 'TLS is a sealed letter.' : 'TLS is cryptography.' });

const critic = (s) => ({ text: /sealed letter/.test(asked(s))
	? 'APPROVED' : 'A child does not know that word.' });

// ---- who is who ------------------------------------------------------------------------

const roles = [
	[/plan how a question/, () => json({ parts: ['how budgets are held',
		'what processes share'] })],
	[/You look things up/, researcher], [/answers that can be checked/, answerer],
	[/compare an answer with/, checker],
	[/sort the mail/, clerk], [/answers for a busy person/, secretary],
	[/look for mistakes/, () => json({ findings: [
		{ where: 'a.c:2', what: 'the sum overflows' },
		{ where: 'a.c:3', what: 'it races' }] })],
	[/what an attacker could use/, () => json({ findings: [
		{ where: 'a.c:4', what: 'the path is not checked' }] })],
	[/as one who has to maintain/, () => ({ status: 400,
		body: { error: { message: 'no' } } })],
	[/doubt findings/, skeptic], [/reviews that people like/, editor],
	[/lead a small crew/, manager], [/find out facts/, finder],
	[/calculate and compare/, analyst], [/people who have little time/, crewWriter],
	[/write anew until/, author], [/demanding critic/, critic],
];

// No question of a workflow names a task of a script.
export default {
	undefined: (s) => roles.find(([re]) => re.test(system(s)))?.[1](s) ??
		{ text: `who am I? ${system(s)}` },
};
