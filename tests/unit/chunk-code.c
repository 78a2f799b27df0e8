/*
 * bin/chunk/code.h: where definitions begin, in each language.  In the texts
 * here \1 stands where one begins outside everything, \2 where one does
 * inside a class or the like.
 */
#include "../../bin/chunk/code.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *file, *text;
} cases[] = {
	{ "a.c",
	  "\1/* one\n * } */\n#include <a>\n\1#include <b>\n\n"
	  "\1static int x = '{';\n\n\1/* two */\n\nstruct a *f(char *p)\n{\n"
	  "\tif (*p == '\\'' || *p == '\"') {\n\t\treturn \"}{\\\"\";\n\t}\n}\n"
	  "\1struct b {\n\tint c;\n};\n\1int g(void) { return 0; }\n" },
	{ "if.c", /* a brace on both sides of an #else */
	  "\1#if A\n\1int f(int a) {\n#else\nint f(void) {\n#endif\n\treturn 1;\n}\n\n"
	  "\1int g(void)\n{\n}\n" },
	{ "a.cpp",
	  "\1namespace n {\nclass A {\n  int x;\n\n  \2void f() { g(\"}\"); }\n"
	  "  \2void h() {\n    y;\n  }\n};\n}\n"
	  "\1const char *s = R\"x(\n}\n)\" )x\";\n\1template <class T>\nT id(T t) { return t; }\n" },
	{ "A.java",
	  "\1import a.b;\n\1import c.d;\n\n\1/** doc } */\n@Deprecated\npublic class A {\n"
	  "  int x = '}';\n\n  \2@Override\n  public int f() {\n    return 1; // }\n  }\n"
	  "  \2String s = \"\"\"\n  }\n  \"\"\";\n\n  \2void g() {\n  }\n}\n" },
	{ "a.js",
	  "\1import a from 'b'\n\1const r = /[/'\"]}/\n\1const t = `a ${ {a: `}`}.a } {`\n"
	  "\1export function f() {\n  return 1\n}\n\1const g = () => {\n  x\n}\n"
	  "\1f()\n  .then(1)\n\1class A {\n  f() {\n  }\n  \2g() {\n  }\n}\n" },
	{ "a.ts", "\1@Component({\n})\nexport class A {\n}\n\1type B = {\n  c: string\n}\n" },
	{ "a.go",
	  "\1package a\n\n\1import (\n\t\"b\"\n)\n\n\1// f is.\nfunc f() string {\n\treturn `\n}{\n`\n}\n\n"
	  "\1var x = '\\''\n\1func (a *A) g() {\n}\n" },
	{ "a.rs",
	  "\1use a::b;\n\n\1#[derive(A)]\nstruct S<'a> {\n    x: &'a str,\n}\n\n"
	  "\1impl<'a> S<'a> {\n    fn f(&self) -> char {\n        '{'\n    }\n\n"
	  "    \2fn g(&self) { r#\"}\"# }\n}\n\1/* a /* b */ } */\nfn h() {}\n\1fn i() {}\n" },
	{ "a.cs",
	  "\1using A;\n\1namespace N {\npublic class C {\n  string s = @\"\\\";\n\n"
	  "  \2int F() { return 1; }\n  \2string r = \"\"\"\n }\n  \"\"\";\n}\n}\n\1class D { }\n" },
	{ "a.php",
	  "<p>don't {\n\1<?php\nfunction f() {\n  return 'a\n}';\n}\n\1# a }\n$x = <<<END\n}\nEND;\n"
	  "\1function g() {}\n?> it's {\n<?php\n\1class A {\n}\n" },
	{ "a.kt",
	  "\1package a\n\n\1class A(val x: Int) {\n    fun f() = 1\n\n    \2fun g(): String {\n"
	  "        return \"\"\"}\"\"\"\n    }\n}\n\1val y = 1\n\1fun h()\n{\n}\n" },
	{ "a.swift",
	  "\1import A\n\n\1struct S {\n  var x = #\"}\"#\n\n  \2func f() {\n  }\n}\n\1func g() {\n}\n" },
	{ "a.py",
	  "\1import a\n\1x = '''\ndef no\n'''\n\n\1# f\n@dec\ndef f(a,\nb):\n    return \"#\"\n\n"
	  "\1class A:\n    \"\"\"\nclass no\n    \"\"\"\n    x = 1\n\n    \2def f(self):\n        pass\n\n"
	  "    \2@property\n    def g(self):\n        def no(): pass\n\n\1if x:\n    pass\nelse:\n    pass\n"
	  "\1y = [\n1,\n]\n\1z = 1\n" },
	{ "open.py", "\1x = (1,\n    2\n\n\1def f():\n    pass\n" },
	{ "a.sh",
	  "\1#!/bin/sh\nf() {\n\techo \"}\" '\n}'\n}\n\1cat <<-'END'\n}\nf() {\n\tEND\n"
	  "\1if a; then\n\tb\nfi\n\1g() {\n\techo ${x#y} $# # }\n}\n\1g\n" },
	{ "crlf.c", "\1int a;\r\n\r\n\1int f(void)\r\n{\r\n}\r\n\r\n\1int g;\r\n" },
	{ "bom.c", "\xEF\xBB\xBF\1int a;\n\1int b;\n" },
	/* What is never closed reaches to the end, a line's string to its. */
	{ "open.c", "\1int a;\n\1char *s = \"x;\nint b;\n\1/* c\nint d;\n" },
	{ "open.go", "\1var a = `\nfunc f() {\n}\n" },
	{ "open.js", "\1let a = `${\nf()\n" },
	{ "deep.c", "\1int x = ((((((((((((((((((((((((((((((((((((((((((((((((((((("
		    "((((((((((((((((((((((((((((1;\n}\n\1int y;\n" },
};

/* The text without its marks, and the marks found in it again. */
static char *marked(const char *plain, size_t n, const struct chunk_lang *lang)
{
	char *out = malloc(2 * n + 1);
	struct chunk_code c;
	size_t k = 0, at = 0;

	for (chunk_code_init(&c, plain, n, lang); c.next.at < n;
	     chunk_code_next(&c)) {
		memcpy(out + k, plain + at, c.next.at - at);
		k += c.next.at - at;
		at = c.next.at;
		out[k++] = c.next.level == 0 ? '\1' : '\2';
	}
	memcpy(out + k, plain + at, n - at);
	out[k + n - at] = '\0';
	return out;
}

static void show(const char *s)
{
	printf("# ");
	for (; *s != '\0'; s++)
		if (*s == '\n')
			printf("\n# ");
		else if (*s == '\1' || *s == '\2')
			printf("[%d]", *s);
		else
			putchar(*s);
	printf("\n");
}

static bool guesses(const char *text, const char *name)
{
	return strcmp(chunk_lang_guess(text, strlen(text))->name, name) == 0;
}

int main(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct chunk_lang *lang = chunk_lang_of(cases[i].file);
		char *plain = strdup(cases[i].text), *got;
		size_t n = 0;

		for (const char *p = cases[i].text; *p != '\0'; p++)
			if (*p != '\1' && *p != '\2')
				plain[n++] = *p;
		got = marked(plain, n, lang);
		if (!ok(strcmp(got, cases[i].text) == 0, "%s", cases[i].file))
			show(got);
		free(got);
		free(plain);
	}
	ok(guesses("#!/usr/bin/env python3\n", "python") &&
		   guesses("#!/bin/bash", "shell") && guesses("", "c"),
	   "a first line names a program, nothing is like C");
	ok(chunk_lang_of("a.txt") == NULL && chunk_lang_of("c") == NULL &&
		   chunk_lang_of("a.c/b") == NULL, "names that are no code");
	return done();
}
