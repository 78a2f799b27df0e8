/*
 * personal-check.h: what a number or an address says about itself.
 *
 * Each looks at n characters without anything between them, letters as
 * capitals, and says whether that can be one: its length, what may stand where,
 * and its checksum.  All are pure.
 */
#ifndef GUARD_PERSONAL_CHECK_H
#define GUARD_PERSONAL_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef bool personal_check(const char *s, size_t n);

/* Digits only, of any number, the last one making the sum right. */
personal_check personal_luhn;
/* The name of who issues cards of that prefix and length, or NULL. */
const char *personal_card_issuer(const char *s, size_t n);
/* ISO 13616; the length of a country's, 0: it has none. */
personal_check personal_iban;
size_t personal_iban_length(const char country[2]);

personal_check personal_us_ssn, personal_us_itin, personal_us_aba,
	personal_us_npi, personal_us_mbi, personal_vin;
personal_check personal_ca_sin, personal_mx_curp, personal_br_cpf,
	personal_br_cnpj;
personal_check personal_uk_nhs, personal_uk_nino, personal_ie_pps;
personal_check personal_fr_siren, personal_fr_siret, personal_fr_nir;
personal_check personal_de_tax, personal_ch_ahv, personal_be_nrn,
	personal_nl_bsn;
personal_check personal_es_dni, personal_es_nie, personal_it_codice;
personal_check personal_pl_pesel, personal_pl_nip;
personal_check personal_se_person, personal_fi_hetu, personal_no_fnr,
	personal_dk_cpr;
personal_check personal_tr_tckn, personal_in_aadhaar, personal_in_pan,
	personal_cn_id, personal_kr_rrn, personal_jp_my, personal_sg_nric,
	personal_za_id;
personal_check personal_au_tfn, personal_au_abn, personal_au_medicare;

/* Addresses of coins, as they stand (letters and capitals differ). */
personal_check personal_btc_base58, personal_btc_bech32;
/* EIP-55; without capitals, or without small letters, it has no checksum:
 * *checked becomes false. */
bool personal_eth(const char *s, size_t n, bool *checked);
/* Keccak-256 as Ethereum has it (before SHA-3 changed the padding). */
void personal_keccak256(const void *p, size_t n, uint8_t out[32]);

#endif
