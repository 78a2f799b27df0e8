/* Prints the table of errors: code, exit status, text, with tabs. */
#include "base/err.h"

#include <stdio.h>

int main(void)
{
	for (int i = 1; i < AI_E_COUNT; i++)
		printf("%s\t%d\t%s\n", ai_code_name((enum ai_code)i),
		       (int)ai_code_exit((enum ai_code)i),
		       ai_code_text((enum ai_code)i));
	return 0;
}
