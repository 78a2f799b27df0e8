/* personal-check.c: checksums, on numbers that were published as examples. */
#include "tap.h"

#include "../../bin/guard/personal-check.h"

#include <string.h>

/* What is right; what is wrong: one digit or letter changed, of another
 * length, or said to be none. */
static const struct vector {
	const char *name;
	personal_check *check;
	const char *right[5], *wrong[6];
} vectors[] = {
	{ "luhn", personal_luhn,
	  { "79927398713", "4111111111111111", "378282246310005" },
	  { "79927398710", "4111111111111112", "", "4", "411111111111111x" } },
	{ "iban", personal_iban,
	  { "GB82WEST12345698765432", "DE89370400440532013000",
	    "FR1420041010050500013M02606", "NO9386011117947",
	    "MT84MALT011000012345MTLCAST001S" },
	  { "GB82WEST12345698765433", "DE8937040044053201300",
	    "XX89370400440532013000", "GB82WEST1234569876543" } },
	{ "us-ssn", personal_us_ssn, { "123456789", "899999999" },
	  { "000456789", "666456789", "900456789", "123006789", "123450000",
	    "12345678" } },
	{ "us-itin", personal_us_itin, { "900700000", "912881234" },
	  { "900490000", "912931234", "812881234" } },
	{ "us-aba", personal_us_aba, { "111000025", "021000021", "122105155" },
	  { "111000026", "021000012", "000000000", "500000005" } },
	{ "us-npi", personal_us_npi, { "1234567893", "1245319599" },
	  { "1234567890", "3234567893" } },
	{ "us-mbi", personal_us_mbi, { "1EG4TE5MK73" },
	  { "0EG4TE5MK73", "1SG4TE5MK73", "1EG4TE5MK7", "1E44TE5MKA3" } },
	{ "vin", personal_vin, { "1M8GDM9AXKP042788", "1HGCM82633A004352" },
	  { "1M8GDM9AYKP042788", "1M8GDM9AXKP04278", "1M8GDM9AXKI042788",
	    "11111111111111111" } },
	{ "ca-sin", personal_ca_sin, { "193456787", "130692544" },
	  { "193456788", "046454286", "000000000" } },
	{ "mx-curp", personal_mx_curp, { "BOXW310820HNERXN09" },
	  { "BOXW310820HNERXN08", "BOXW311320HNERXN09",
	    "BOXW310820ANERXN09" } },
	{ "br-cpf", personal_br_cpf, { "39053344705", "52998224725" },
	  { "39053344706", "11111111111", "52998224752" } },
	{ "br-cnpj", personal_br_cnpj, { "11222333000181", "16727230000197" },
	  { "11222333000182", "00000000000000" } },
	{ "uk-nhs", personal_uk_nhs, { "9434765919", "4010232137" },
	  { "9434765918", "1111111111" } },
	{ "uk-nino", personal_uk_nino, { "AB123456C", "JG103759A" },
	  { "DB123456C", "AB123456E", "GB123456A", "AO123456C" } },
	{ "ie-pps", personal_ie_pps, { "6433435F", "6433435OA", "8473625E" },
	  { "6433435E", "6433435VA", "64334350" } },
	{ "fr-siren", personal_fr_siren, { "732829320", "552008443" },
	  { "732829321", "404833047" } },
	{ "fr-siret", personal_fr_siret,
	  { "73282932000074", "35600000049837" },
	  { "73282932000079", "73282932000047" } },
	{ "fr-nir", personal_fr_nir,
	  { "295109912611193", "253072B07300470", "253072A07300443" },
	  { "295109912611199", "295139912611193", "395109912611193" } },
	{ "de-tax", personal_de_tax, { "36574261809", "65929970489" },
	  { "36574261890", "36554266806", "06574261809" } },
	{ "ch-ahv", personal_ch_ahv, { "7569217076985" },
	  { "7569217076984", "7569217076987", "1234567890123" } },
	{ "be-nrn", personal_be_nrn, { "85073003328", "93051822361",
				       "17073003384" },
	  { "85073003329", "17073003385", "85133003328" } },
	{ "nl-bsn", personal_nl_bsn, { "111222333", "123456782" },
	  { "111252333", "000000000" } },
	{ "es-dni", personal_es_dni, { "54362315K", "12345678Z" },
	  { "54362315Z", "5436231K" } },
	{ "es-nie", personal_es_nie, { "X2482300W", "X1234567L", "Z8078221M" },
	  { "X2482300A", "W2482300W" } },
	{ "it-codice", personal_it_codice,
	  { "RCCMNL83S18D969H", "MRTMTT25D09F205Z", "MRTMTT25D09F20RU" },
	  { "RCCMNL83S18D967H", "RCCMNL83S18D969", "RCCMNL83Z18D969H" } },
	{ "pl-pesel", personal_pl_pesel, { "44051401359", "02070803628" },
	  { "44051401358", "44551401359" } },
	{ "pl-nip", personal_pl_nip, { "8567346215", "1234563218" },
	  { "8567346216", "0000000000" } },
	{ "se-person", personal_se_person,
	  { "8803200016", "198803200016", "8112189876" },
	  { "8803200018", "8813200016", "218803200016" } },
	{ "fi-hetu", personal_fi_hetu, { "131052-308T", "131052A308T" },
	  { "131052-308U", "311352-308T", "131052x308T" } },
	{ "no-fnr", personal_no_fnr, { "15108695088" },
	  { "15108695077", "32108695088" } },
	{ "dk-cpr", personal_dk_cpr, { "2110625629", "0707614285" },
	  { "3213625629", "211062562" } },
	{ "tr-tckn", personal_tr_tckn, { "17291716060", "10000000146" },
	  { "17291716050", "17291716092", "07291716092" } },
	{ "in-aadhaar", personal_in_aadhaar, { "234123412346" },
	  { "234123412347", "123412341234", "222222222222" } },
	{ "in-pan", personal_in_pan, { "ACUPA7085R" },
	  { "ACUQA7085R", "ACUPA708RR", "ABMPA32111" } },
	{ "cn-id", personal_cn_id, { "11010519491231002X" },
	  { "110105194912310020", "440524188001010014", "11010519491331002X" } },
	{ "kr-rrn", personal_kr_rrn, { "9710139019902" },
	  { "9710139019903", "9713139019902" } },
	{ "jp-my", personal_jp_my, { "621498320257" },
	  { "621498320258", "000000000000" } },
	{ "sg-nric", personal_sg_nric, { "S1234567D", "F1234567N" },
	  { "S1234567E", "A1234567D" } },
	{ "za-id", personal_za_id, { "7503305044089", "8001015009087" },
	  { "8503305044089", "7513305044089", "7503305044088" } },
	{ "au-tfn", personal_au_tfn, { "123456782" },
	  { "999999999", "123456783" } },
	{ "au-abn", personal_au_abn, { "83914571673", "51824753556" },
	  { "99999999999", "51824753557" } },
	{ "au-medicare", personal_au_medicare,
	  { "2123456701", "2123456702" }, { "2123456711", "1123456701" } },
	{ "bitcoin base58", personal_btc_base58,
	  { "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
	    "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
	    "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
	    "1111111111111111111114oLvT2" },
	  { "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
	    "1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf0a", "1111111111111111111111111",
	    "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz" } },
	{ "bitcoin bech32", personal_btc_bech32,
	  { "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
	    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
	    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
	    "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx" },
	  { "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
	    "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
	    "bc1qW508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
	    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
	    "tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty" } },
};

static void test_vector(const struct vector *x)
{
	for (size_t i = 0; i < 5 && x->right[i] != NULL; i++)
		ok(x->check(x->right[i], strlen(x->right[i])), "%s: %s is one",
		   x->name, x->right[i]);
	for (size_t i = 0; i < 6 && x->wrong[i] != NULL; i++)
		ok(!x->check(x->wrong[i], strlen(x->wrong[i])),
		   "%s: '%s' is none", x->name, x->wrong[i]);
}

static bool is_hash(const char *text, const char *hex)
{
	uint8_t sum[32];
	char s[65];

	personal_keccak256(text, strlen(text), sum);
	for (size_t i = 0; i < 32; i++)
		snprintf(s + 2 * i, 3, "%02x", sum[i]);
	return strcmp(s, hex) == 0;
}

static void test_eth(void)
{
	/* EIP-55's own. */
	static const char *const right[] = {
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
		"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
		"0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	};
	char bad[64];
	bool checked;

	ok(is_hash("", "c5d2460186f7233c927e7db2dcc703c0"
		       "e500b653ca82273b7bfad8045d85a470"),
	   "keccak-256 of nothing");
	ok(is_hash("abc", "4e03657aea45a94fc7d47ba826c8d667"
			  "c0d1e6e33a64a036ec44f58fa12d6c45"),
	   "keccak-256 of abc");
	for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
		ok(personal_eth(right[i], 42, &checked) && checked,
		   "%s has the right letters", right[i]);
		snprintf(bad, sizeof bad, "%s", right[i]);
		for (size_t k = 41; k > 1; k--)
			if (bad[k] > '9') {
				bad[k] ^= 0x20;
				break;
			}
		ok(!personal_eth(bad, 42, &checked), "%s has not", bad);
	}
	ok(personal_eth("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", 42,
			&checked) && !checked, "small letters say nothing");
	ok(!personal_eth("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae", 41,
			 &checked), "too short");
}

static void test_cards(void)
{
	static const struct { const char *number, *issuer; } cards[] = {
		{ "4111111111111111", "Visa" },
		{ "4222222222222", "Visa" },
		{ "5555555555554444", "Mastercard" },
		{ "2223003122003222", "Mastercard" },
		{ "378282246310005", "American Express" },
		{ "30569309025904", "Diners Club" },
		{ "6011111111111117", "Discover" },
		{ "3530111333300000", "JCB" },
		{ "6200000000000005", "UnionPay" },
		{ "1234567812345670", NULL }, { "411111111111111", NULL },
		{ "9999999999999999", NULL }, { "41111111111111", NULL },
	};

	for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) {
		const char *who = personal_card_issuer(
			cards[i].number, strlen(cards[i].number));

		ok(cards[i].issuer == NULL
			   ? who == NULL
			   : who != NULL && strcmp(who, cards[i].issuer) == 0,
		   "%s is of %s", cards[i].number,
		   cards[i].issuer == NULL ? "nobody" : cards[i].issuer);
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
		test_vector(&vectors[i]);
	test_eth();
	test_cards();
	return done();
}
