// The loop of keeper/detect/sweep.wat as C, on accounts as bench-keeper.ts has them. Prints milliseconds: median and best.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct coefficients {
  double worth, requirement, ofSquare;
};

__attribute__((noinline)) static size_t sweep(const double *amounts, const uint8_t *keys, size_t accounts, size_t rows,
                                              const struct coefficients *of, double floor, double debtMargin,
                                              uint32_t *found) {
  size_t count = 0, i = 0;
  for (size_t account = 0; account < accounts; ++account) {
    double worth = 0, requirement = floor;
    for (size_t end = i + rows; i < end; ++i) {
      const struct coefficients *c = &of[keys[i]];
      worth += amounts[i] * c->worth;
      requirement += amounts[i] * (c->requirement + amounts[i] * c->ofSquare);
    }
    if (!(worth - requirement + debtMargin * (worth < 0 ? worth : 0) >= 0)) found[count++] = (uint32_t)account;
  }
  return count;
}

static double uniform(void) { return rand() / (RAND_MAX + 1.0); }
static int ascending(const void *a, const void *b) {
  return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}
static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  size_t accounts = strtoull(argv[1], 0, 10), positions = strtoull(argv[2], 0, 10), rows = positions + 2;
  int markets = atoi(argv[3]), runs = atoi(argv[4]), cash = 2 * markets, paid = cash + 1;
  double *amounts = malloc(8 * accounts * rows), *times = malloc(8 * runs);
  uint8_t *keys = malloc(accounts * rows);
  uint32_t *found = malloc(4 * accounts);
  struct coefficients of[256] = {0};
  for (int key = 0; key < cash; ++key) {
    double price = pow(10, 5 * uniform());
    of[key] = (struct coefficients){key % 2 ? -price : price, 0.05 * price, 1e-8 * price};
  }
  of[cash].worth = 1.02;
  of[paid].worth = -1;
  for (size_t account = 0; account < accounts; ++account) {
    double *amount = amounts + account * rows, costs = 0, required = 0;
    uint8_t *key = keys + account * rows;
    for (size_t i = 0; i < positions; ++i) {
      double notional = pow(10, 2 + 3 * uniform());
      key[i] = rand() % cash;
      amount[i] = notional / fabs(of[key[i]].worth);
      costs += amount[i] * of[key[i]].worth;
      required += amount[i] * (of[key[i]].requirement + amount[i] * of[key[i]].ofSquare);
    }
    key[positions] = cash;
    amount[positions] = 3 * required + 100 + (costs < 0 ? -2 * costs : 0);
    key[positions + 1] = paid;
    amount[positions + 1] = fabs(costs);
  }
  for (int run = -3; run < runs; ++run) {
    double start = milliseconds();
    size_t count = sweep(amounts, keys, accounts, rows, of, 10, 0.1, found);
    if (run >= 0) times[run] = milliseconds() - start;
    if (count > accounts / 100) return 3;
  }
  qsort(times, runs, 8, ascending);
  printf("%.3f %.3f\n", times[runs / 2], times[0]);
  return 0;
}
