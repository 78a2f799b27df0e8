#include "embed.h"
bool embed_is_static(const char *model) { (void)model; return false; }
int embed_static_run(int argc, char **argv, struct ai_err *err) { (void)argc; (void)argv; return ai_err_set(err, AI_E_BUG, "x"); }
