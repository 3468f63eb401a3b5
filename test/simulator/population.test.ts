import { expect } from "chai";
import fc from "fast-check";

import { WAD } from "../../sdk/units/index.js";
import {
  type PlannedOwner,
  type PopulationCollateral,
  type PopulationInput,
  type PopulationMarket,
  UnaffordableOpeningError,
  drawPopulation,
  poolSeedWad,
} from "../../simulator/population.js";

const percent = WAD / 100n;
const cash = { symbol: "USDC", decimals: 6 };
const ethPriceWad = 200n * WAD;
const btcPriceWad = 7_940n * WAD + WAD / 2n;

const markets: PopulationMarket[] = [
  { id: 0, symbol: "BTC", initialBaseWad: 5n * percent, priceWad: btcPriceWad },
  { id: 1, symbol: "ETH", initialBaseWad: 5n * percent, priceWad: ethPriceWad },
  { id: 2, symbol: "LINK", initialBaseWad: 10n * percent, priceWad: 4n * WAD },
  { id: 3, symbol: "XRP", initialBaseWad: 10n * percent, priceWad: WAD / 5n },
  { id: 4, symbol: "TRX", initialBaseWad: 10n * percent, priceWad: WAD / 66n },
  { id: 5, symbol: "ADA", initialBaseWad: 10n * percent, priceWad: WAD / 25n },
];
const weth = { symbol: "WETH", asset: "ETH", decimals: 18, weightInitialWad: 85n * percent, priceWad: ethPriceWad };
const wbtc = { symbol: "WBTC", asset: "BTC", decimals: 8, weightInitialWad: 85n * percent, priceWad: btcPriceWad };
const collaterals: PopulationCollateral[] = [weth, wbtc];
const base: PopulationInput = { seed: 1, accounts: 60, markets, cash, collaterals, keeperFloorWad: 2n * WAD };

const seed = fc.integer({ min: 0, max: 0xffff_ffff });
const market = fc.record({
  id: fc.constant(0),
  symbol: fc.constant("A"),
  initialBaseWad: fc.bigInt({ min: percent, max: WAD }),
  priceWad: fc.bigInt({ min: 1n, max: 10n ** 27n }),
});
const input: fc.Arbitrary<PopulationInput> = fc
  .record({
    seed,
    markets: fc.array(market, { minLength: 1, maxLength: 8 }),
    prices: fc.record({
      eth: fc.bigInt({ min: 10n ** 12n, max: 10n ** 27n }),
      btc: fc.bigInt({ min: 10n ** 12n, max: 10n ** 27n }),
    }),
    collaterals: fc.subarray(collaterals),
  })
  .map(({ prices, ...drawn }) => ({
    ...base,
    seed: drawn.seed,
    accounts: 12,
    markets: drawn.markets.map((each, id) => ({ ...each, id })),
    collaterals: drawn.collaterals.map((each) => ({
      ...each,
      priceWad: each.asset === "ETH" ? prices.eth : prices.btc,
    })),
  }));

function marketOf({ markets: listed }: PopulationInput, id: number): PopulationMarket {
  const found = listed[id];
  if (found === undefined) throw new Error(`no market ${id}`);
  return found;
}

function initialEquityWad(owner: PlannedOwner, { collaterals: tokens }: PopulationInput): bigint {
  return owner.deposits.reduce((sum, { token, amount }) => {
    if (token === cash.symbol) return sum + amount * 10n ** 12n;
    const held = tokens.find(({ symbol }) => symbol === token);
    if (held === undefined) throw new Error(`no token ${token}`);
    return sum + (amount * held.priceWad * held.weightInitialWad) / (WAD * 10n ** BigInt(held.decimals));
  }, 0n);
}

/** For each opening of each owner. */
function eachOpening(
  drawn: PopulationInput,
  check: (owner: PlannedOwner, opening: PlannedOwner["openings"][number]) => void,
) {
  for (const owner of drawPopulation(drawn)) for (const opening of owner.openings) check(owner, opening);
}

function size(opening: PlannedOwner["openings"][number]): bigint {
  return opening.sizeDeltaWad < 0n ? -opening.sizeDeltaWad : opening.sizeDeltaWad;
}

function shareOf<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.filter(holds).length / items.length;
}

describe("simulator/population", () => {
  it("draws the same owners from the same input", () => {
    const drawTwice = (drawn: PopulationInput) => {
      expect(drawPopulation(drawn)).to.deep.equal(drawPopulation(drawn));
    };
    fc.assert(fc.property(input, drawTwice));
  });

  it("draws other owners from another seed", () => {
    expect(drawPopulation({ ...base, seed: 2 })).to.not.deep.equal(drawPopulation(base));
  });

  it("begins a larger population with the smaller one", () => {
    expect(drawPopulation(base).slice(0, 9)).to.deep.equal(drawPopulation({ ...base, accounts: 9 }));
  });

  it("numbers owners from 0 and their keys from 10", () => {
    const owners = drawPopulation({ ...base, accounts: 3 });
    expect(owners.map(({ index, hdIndex }) => [index, hdIndex])).to.deep.equal([
      [0, 10],
      [1, 11],
      [2, 12],
    ]);
  });

  it("gives every account a value between 50 and the 99% quantile", () => {
    const values = drawPopulation({ ...base, accounts: 2_000 }).map(
      (owner) => Number(owner.valueWad / 10n ** 12n) / 1e6,
    );
    expect(Math.min(...values)).to.equal(50);
    expect(Math.max(...values)).to.equal(1_663_904.18133);
    const median = [...values].sort((a, b) => a - b)[1_000];
    expect(median).to.be.within(750, 1_150);
  });

  it("holds value as half cash, 30% ETH and 20% BTC, less than one unit of a token off", () => {
    for (const { valueWad, deposits } of drawPopulation(base)) {
      const tenthWad = valueWad / 10n;
      expect(deposits).to.deep.equal([
        { token: "USDC", amount: (5n * tenthWad) / 10n ** 12n },
        { token: "WETH", amount: (3n * tenthWad * 10n ** 18n) / ethPriceWad },
        { token: "WBTC", amount: (2n * tenthWad * 10n ** 8n) / btcPriceWad },
      ]);
    }
  });

  it("spreads the part of a token that does not exist over the others", () => {
    for (const [present, cashParts, tokenParts] of [
      [[weth], 50n, 30n],
      [[wbtc], 50n, 20n],
    ] as const) {
      for (const { valueWad, deposits } of drawPopulation({ ...base, collaterals: present })) {
        const [token] = present;
        const parts = cashParts + tokenParts;
        expect(deposits).to.deep.equal([
          { token: "USDC", amount: (valueWad * cashParts) / (parts * 10n ** 12n) },
          {
            token: token.symbol,
            amount: (valueWad * tokenParts * 10n ** BigInt(token.decimals)) / (parts * token.priceWad),
          },
        ]);
      }
    }
  });

  it("holds cash alone where there is no collateral", () => {
    for (const { valueWad, deposits } of drawPopulation({ ...base, collaterals: [] })) {
      expect(deposits).to.deep.equal([{ token: "USDC", amount: valueWad / 10n ** 12n }]);
    }
  });

  it("opens 1 to 4 different markets an account, each count about as often", () => {
    const counts = drawPopulation({ ...base, accounts: 2_000 }).map(({ openings }) => {
      expect(new Set(openings.map((opening) => opening.market)).size).to.equal(openings.length);
      return openings.length;
    });
    for (const count of [1, 2, 3, 4])
      expect(shareOf(counts, (each) => each === count)).to.be.within(0.25 - 0.04, 0.25 + 0.04);
  });

  it("opens every market about as often", () => {
    const opened: number[] = [];
    eachOpening({ ...base, accounts: 2_000 }, (_, opening) => opened.push(opening.market));
    for (const { id } of markets)
      expect(shareOf(opened, (each) => each === id)).to.be.within(1 / 6 - 0.025, 1 / 6 + 0.025);
  });

  it("never opens more markets than exist, and always one", () => {
    for (const count of [1, 2, 3]) {
      const owners = drawPopulation({ ...base, markets: markets.slice(0, count), accounts: 300 });
      const counts = owners.map(({ openings }) => openings.length);
      expect([Math.min(...counts), Math.max(...counts)]).to.deep.equal([1, count]);
    }
  });

  it("makes 60% of the positions long", () => {
    const long: boolean[] = [];
    eachOpening({ ...base, accounts: 2_000 }, (_, opening) => long.push(opening.sizeDeltaWad > 0n));
    expect(shareOf(long, Boolean)).to.be.within(0.6 - 0.03, 0.6 + 0.03);
  });

  it("never opens a position below a notional of 20, nor a size that is no multiple of 1e-9", () => {
    fc.assert(
      fc.property(input, (drawn) =>
        eachOpening(drawn, (_, opening) => {
          expect(opening.notionalWad >= 20n * WAD).to.equal(true);
          expect(opening.sizeDeltaWad % 10n ** 9n).to.equal(0n);
        }),
      ),
    );
  });

  it("states the notional of the size at the market's price", () => {
    fc.assert(
      fc.property(input, (drawn) =>
        eachOpening(drawn, (_, opening) => {
          expect(opening.notionalWad).to.equal((size(opening) * marketOf(drawn, opening.market).priceWad) / WAD);
        }),
      ),
    );
  });

  it("never uses more than 90% of what the deposit gives beyond the keeper floor as initial margin", () => {
    let closest = 0;
    const check = (drawn: PopulationInput) => {
      for (const owner of drawPopulation(drawn)) {
        const required = owner.openings.reduce((sum, opening) => {
          const { priceWad, initialBaseWad } = marketOf(drawn, opening.market);
          return sum + (size(opening) * priceWad * initialBaseWad) / (WAD * WAD);
        }, 0n);
        // The equity sums one rounded share a token.
        const usable = (9n * (initialEquityWad(owner, drawn) + 3n - drawn.keeperFloorWad)) / 10n;
        expect(required <= usable).to.equal(true);
        closest = Math.max(closest, Number((required * 1_000_000n) / usable));
      }
    };
    fc.assert(fc.property(input, check));
    check({ ...base, accounts: 500 });
    expect(closest, "the limit binds for somebody").to.be.above(999_000);
  });

  it("splits the drawn leverage equally over the markets of an account", () => {
    const cents = (wad: bigint) => Number(wad / 10n ** 14n) / 1e4;
    for (const { openings } of drawPopulation({ ...base, accounts: 500 })) {
      const notionals = openings.map(({ notionalWad }) => cents(notionalWad));
      expect(Math.max(...notionals) - Math.min(...notionals)).to.be.below(0.001);
    }
  });

  it("has the leverage of the quantiles where neither the least notional nor the margin binds", () => {
    const owners = drawPopulation({ ...base, accounts: 2_000 }).filter(({ valueWad }) => valueWad > 20_000n * WAD);
    const leverages = owners.map(({ valueWad, openings }) => {
      const notionalWad = openings.reduce((sum, opening) => sum + opening.notionalWad, 0n);
      return Number((notionalWad * 1_000_000n) / valueWad) / 1e6;
    });
    expect(shareOf(leverages, (leverage) => leverage < 0.434218362347269)).to.be.within(0.5 - 0.08, 0.5 + 0.08);
    expect(shareOf(leverages, (leverage) => leverage < 3.2353450136097606)).to.be.within(0.9 - 0.05, 0.9 + 0.05);
  });

  it("gives up markets where the margin does not reach for the least notional in each", () => {
    const dear = markets.map((each) => ({ ...each, initialBaseWad: WAD }));
    const counts = (drawn: PopulationInput) => drawPopulation(drawn).map((owner) => owner.openings.length);
    const poor = { ...base, markets: dear, accounts: 400 };
    expect(counts(poor).every((count) => count >= 1)).to.equal(true);
    const fewer = counts(poor).map((count, index) => [count, counts({ ...base, accounts: 400 })[index] ?? 0] as const);
    expect(fewer.some(([with100, with10]) => with100 < with10)).to.equal(true);
    expect(fewer.every(([with100, with10]) => with100 <= with10)).to.equal(true);
  });

  it("refuses parameters under which an account cannot open anything", () => {
    expect(() => drawPopulation({ ...base, keeperFloorWad: 10_000_000n * WAD }))
      .to.throw(UnaffordableOpeningError, "lower the keeper floor")
      .that.includes({ index: 0, marginWad: 0n });
  });

  it("refuses a population without a market", () => {
    expect(() => drawPopulation({ ...base, markets: [] })).to.throw(RangeError, "at least one market");
  });

  it("seeds the pool with twice the accounts' values and at least ten million", () => {
    expect(poolSeedWad([])).to.equal(10_000_000n * WAD);
    expect(poolSeedWad([2_000_000n * WAD, 3_000_000n * WAD])).to.equal(10_000_000n * WAD);
    expect(poolSeedWad([2_000_000n * WAD, 3_000_000n * WAD + 1n])).to.equal(10_000_000n * WAD + 2n);
  });

  it("seeds a pool with as many percent of all values as it is asked for, however little that is", () => {
    expect(poolSeedWad([2_000n * WAD, 3_000n * WAD], 30n)).to.equal(1_500n * WAD);
    expect(poolSeedWad([2_000n * WAD, 3_000n * WAD], 300n)).to.equal(15_000n * WAD);
  });

  describe("of a scenario of its own", () => {
    const positionsOf = (change: Partial<PopulationInput>) =>
      drawPopulation({ ...base, accounts: 300, ...change }).flatMap(({ openings }) => openings);
    const notional = (change: Partial<PopulationInput>) =>
      positionsOf(change).reduce((sum, { notionalWad }) => sum + notionalWad, 0n);

    it("multiplies the leverage that was drawn, within the same margin", () => {
      expect(notional({ leverageFactor: 1 })).to.equal(notional({}));
      expect(notional({ leverageFactor: 2 }) > notional({})).to.equal(true);
      // Then margin bounds all of them.
      expect(notional({ leverageFactor: 1e6 })).to.equal(notional({ leverageFactor: 1e7 }));
    });

    it("has as many longs as it is asked for", () => {
      const longs = (change: Partial<PopulationInput>) => {
        const positions = positionsOf(change);
        return positions.filter(({ sizeDeltaWad }) => sizeDeltaWad > 0n).length / positions.length;
      };
      expect(longs({})).to.be.within(0.54, 0.66);
      expect(longs({ longShare: 0.8 })).to.be.within(0.74, 0.86);
      expect([longs({ longShare: 0 }), longs({ longShare: 1 })]).to.deep.equal([0, 1]);
    });
  });
});
