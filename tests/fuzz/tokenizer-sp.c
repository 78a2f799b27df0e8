/* SentencePiece's .model, and what it does with a text.
 * fuzz: lib/common/model/tokenizer-sp.c */
#include "tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_input(ai_tokenizer_read_model, data, size);
	return 0;
}
