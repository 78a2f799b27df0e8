# shellcheck shell=sh
# env.sh: what every test finds in its environment.  The makefile sources it
# with SRCDIR and BUILDDIR set; a test run by hand can do the same.
#
# Nothing of the user's own may change a result: not their configuration, not
# their keys, not their AI_* variables, not a proxy.

PATH=$BUILDDIR/bin:$PATH
for ai_name in $(env | sed -n 's/^\(AI_[A-Z0-9_]*\)=.*/\1/p'); do
	case $ai_name in
	AI_SHARED | AI_REQUIRE_SHARED | AI_SANITIZED | AI_TEST_*) ;;
	*) unset "$ai_name" ;;
	esac
done
# Each provider has its own, and there will be more of them.
for ai_name in $(env | sed -n \
	's/^\([A-Z0-9_]*_API_\(KEY\|KEY_FILE\|URL\|VERSION\)\)=.*/\1/p
	s/^\([A-Z0-9_]*_BASE_URL\)=.*/\1/p
	s/^\(\(AWS\|AZURE_OPENAI\|ANTHROPIC\|OPENAI\|OLLAMA\)_[A-Z0-9_]*\)=.*/\1/p'); do
	unset "$ai_name"
done
unset ai_name http_proxy https_proxy CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR \
	HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy NO_PROXY no_proxy \
	TRACEPARENT BASH_ENV ENV CDPATH GREP_OPTIONS LANGUAGE

AI_SHARED=${AI_SHARED:-$SRCDIR/../shared}
HOME=$BUILDDIR/tests/home
XDG_CONFIG_HOME=$HOME/.config
XDG_STATE_HOME=$HOME/.local/state
XDG_CACHE_HOME=$HOME/.cache
XDG_DATA_HOME=$HOME/.local/share
LC_ALL=C.UTF-8
TZ=UTC0

# A sanitizer's report must not look like a status of ours.
ASAN_OPTIONS=exitcode=99:detect_stack_use_after_return=1
UBSAN_OPTIONS=exitcode=99:print_stacktrace=1:halt_on_error=1

# What is built with sanitizers must not be measured or preloaded.
if [ -n "$SANITIZE" ]; then
	AI_SANITIZED=1
	export AI_SANITIZED
fi

export PATH SRCDIR BUILDDIR AI_SHARED HOME XDG_CONFIG_HOME XDG_STATE_HOME \
	XDG_CACHE_HOME XDG_DATA_HOME LC_ALL TZ ASAN_OPTIONS UBSAN_OPTIONS
