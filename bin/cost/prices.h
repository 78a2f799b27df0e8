/* prices.h: what the files of 'ai-cost prices' share. */
#ifndef COST_PRICES_H
#define COST_PRICES_H

#include "cost.h"

#include "model/catalog.h"
#include "model/price-import.h"

/* prices-show.c */
cost_verb_fn cost_prices_list, cost_prices_show;

/* prices.c: the day that is asked about, or today's; checked. */
int cost_prices_day(char day[AI_CATALOG_DAY], struct ai_err *err);

#endif
