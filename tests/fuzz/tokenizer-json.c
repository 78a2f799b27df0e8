/* HuggingFace's tokenizer.json, and what it does with a text.
 * fuzz: lib/common/model/tokenizer-json.c lib/common/model/tokenizer-pattern.c lib/common/model/tokenizer-bert.c */
#include "tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_input(ai_tokenizer_read_json, data, size);
	return 0;
}
