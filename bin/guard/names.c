/* names.c: the names of all rules, for those that a policy speaks of. */
#include "guard.h"
#include "phrases.h"
#include "rules.h"

#include <stdlib.h>
#include <string.h>

/* Those that stand in no table of their own.  A build that checks its memory
 * ends when a finding has another name. */
static const char *const others[] = {
	/* invalid */
	"bidi", "control", "escape", "invisible", "noncharacter", "private",
	"schema", "selectors", "size", "surrogate", "tags", "text-schema",
	/* injection */
	"classifier", "opinion", "canary",
	/* leak */
	"system-prompt",
	/* exfiltration */
	"active-html", "file-address", "form", "image-data", "image-host",
	"image-open", "link-data", "link-host", "lookalike-host", "odd-host", "other-host",
	"refresh", "script-address",
	/* personal */
	"au-abn", "au-medicare", "au-tfn", "bank-account", "be-nrn",
	"birth-date", "bitcoin", "br-cnpj", "br-cpf", "ca-sin", "ch-ahv",
	"cn-id", "credit-card", "de-tax-id", "dk-cpr", "driver-license",
	"email", "es-dni", "es-nie", "ethereum", "fi-hetu", "fr-nir",
	"fr-siren", "fr-siret", "iban", "ie-pps", "in-aadhaar", "in-pan", "ip",
	"it-codice-fiscale", "jp-my-number", "kr-rrn", "mac", "medical-record",
	"mx-curp", "national-id", "nl-bsn", "no-fnr", "passport", "phone",
	"pl-nip", "pl-pesel", "se-personnummer", "sg-nric", "tax-id",
	"tr-tckn", "uk-nhs", "uk-nino", "us-bank-routing", "us-itin", "us-mbi",
	"us-npi", "us-ssn", "vin", "za-id",
};
#define N_OTHERS (sizeof others / sizeof *others)

const char *guard_rule_name(size_t i)
{
	const struct guard_rules *tables[] = { &guard_secret_rules,
					       &guard_code_rules };

	if (i < N_OTHERS)
		return others[i];
	i -= N_OTHERS;
	for (size_t k = 0; k < 2; i -= tables[k++]->n)
		if (i < tables[k]->n)
			return tables[k]->rules[i].name;
	return i < guard_phrases.n_rules ? guard_phrases.rules[i] : NULL;
}

bool guard_rule_is_known(const char *name)
{
	const char *known;

	for (size_t i = 0; (known = guard_rule_name(i)) != NULL; i++)
		if (strcmp(known, name) == 0)
			return true;
	return false;
}

bool guard_rule_is_calibrated(const char *name)
{
	for (size_t i = 0; i < guard_phrases.n_rules; i++)
		if (strcmp(guard_phrases.rules[i], name) == 0)
			return true;
	return strcmp(name, "classifier") == 0;
}
