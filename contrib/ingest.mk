# ingest.mk: an index that follows a tree.
#
#	make -f ingest.mk DOCS=docs INDEX=docs.idx
#
# Only what has changed since the last time that all went well is cut, embedded
# and added, and what is gone is removed.  One at a time: see flock(1).
DOCS ?= .
INDEX ?= docs.idx
CHUNK ?= ai-chunk
EMBED ?= ai-embed
SHELL = bash
.SHELLFLAGS = -o pipefail -ec

.PHONY: index
index:
	$(CHUNK) --state $(INDEX).state --pending $(DOCS) | $(EMBED) | \
		ai-search add -i $(INDEX)
	$(CHUNK) --state $(INDEX).state --commit
