import { expect } from "chai";

import { Detector } from "../../../keeper/detect/index.js";
import type { AccountId } from "../../../sdk/index.js";
import * as FixedPoint from "../../../sdk/risk/libraries/FixedPoint.js";
import * as Interest from "../../../sdk/risk/libraries/Interest.js";
import * as Margin from "../../../sdk/risk/libraries/Margin.js";
import * as Views from "../../../sdk/risk/libraries/Views.js";
import * as AccountWord from "../../../sdk/risk/types/AccountWord.js";
import type { Account } from "../../../sdk/risk/types/Account.js";
import * as MarketWords from "../../../sdk/risk/types/MarketWords.js";
import * as VaultWords from "../../../sdk/risk/types/VaultWords.js";
import { RandomBooks, type Random, randomStreams } from "../../../simulator/index.js";

/** A million takes minutes; a tenth of it is the everyday sample. */
const sample = Number(process.env["BALLAST_DETECT_ACCOUNTS"] ?? 100_000);
const accountsABook = 2_500;
const WAD = 10n ** 18n;

/** Maintenance equity less the requirement, wad. */
const marginOf = ({ equityMaintenanceWad, requirementMaintenanceWad }: Margin.Health) =>
  equityMaintenanceWad - requirementMaintenanceWad;

/** From a wei to a millionth of what an account has at stake, above zero and below; most often next to nothing. */
function drawDistance(random: Random, stakeWad: bigint): bigint {
  const [far, sign] = [random.integer(0, 18), random.integer(0, 1) === 0 ? 1n : -1n];
  if (far < 6) return sign * BigInt(random.integer(0, 3));
  return (sign * stakeWad * BigInt(random.integer(1, 9))) / 10n ** BigInt(far) + BigInt(random.integer(-1, 1));
}

/**
 * Gives an account the cash at which it is `distance(stake)` above its requirement (wad, below zero under it), as nearly as principal, which
 * is whole, allows.
 */
function placeNear(
  books: RandomBooks,
  [$, context]: ReturnType<RandomBooks["at"]>,
  id: AccountId,
  distance: (stakeWad: bigint) => bigint,
): void {
  const word = $.accounts.get(id);
  const assets = AccountWord.assets(word);
  const prices = context.oracle.lastPrices(assets);
  const sums = Margin.collect($, id, word as bigint as Account, assets, prices, false, Margin.NO_ASSET);
  const stakeWad = FixedPoint.abs(sums.unrealized) + 20n * sums.requirementMaintenance;
  const needed =
    sums.requirementMaintenance + VaultWords.keeperFloor($.accountRisk) + distance(stakeWad) - sums.equityMaintenance;
  const debtMargin = VaultWords.debtMargin($.accountRisk);
  const cash =
    needed + sums.unrealized >= 0n
      ? needed
      : ((needed - (debtMargin * sums.unrealized) / WAD) * WAD) / (WAD + debtMargin);
  const principal = Interest.principalFloor(cash, context.cash.supplyIndex, context.cash.borrowIndex);
  books.storage.accounts.set(id, AccountWord.toAccountWord(word, principal));
}

function draw(books: RandomBooks, random: Random, count: number): AccountId[] {
  return Array.from({ length: count }, (_, number) =>
    books.write(
      books.drawAccount(number, {
        positions: random.integer(0, 8),
        collaterals: random.integer(0, 2),
        margins: 0.5 + 2 * random.uniform(),
      }),
    ),
  );
}

describe("keeper/detect", () => {
  it(`finds all that the twin calls liquidatable, and few others, among ${sample} accounts close to the line`, () => {
    let [liquidatable, spared] = [0, 0];
    for (let first = 0; first < sample; first += accountsABook) {
      const [random] = randomStreams(first, 1) as [Random];
      const touched = first % 2 === 0;
      const books = new RandomBooks(random, { markets: 20, collaterals: 4, touched });
      const ids = draw(books, random, Math.min(accountsABook, sample - first));
      const now = books.at();
      for (const id of ids) placeNear(books, now, id, (stakeWad) => drawDistance(random, stakeWad));

      const detector = new Detector(books.storage, []);
      detector.update(ids);
      const [$, context] = now;
      const candidates = new Set(detector.candidates($, context));
      for (const [i, health] of Views.healths($, context, ids).entries()) {
        const id = ids[i]!;
        if (Margin.isLiquidatable(health)) {
          ++liquidatable;
          if (!candidates.has(id)) expect.fail(`missed ${id}: ${marginOf(health)} wei, book ${first}`);
        } else if (candidates.has(id)) {
          ++spared;
          const gross = 2_000n * health.requirementMaintenanceWad + FixedPoint.abs(health.netCashWad);
          if (marginOf(health) * 10n ** 11n > gross + 10n ** 20n) expect.fail(`${id} is too far: ${marginOf(health)}`);
        }
      }
    }
    // The draw reaches both sides of the line, and the band.
    expect(liquidatable).to.be.greaterThan(sample / 5);
    expect(spared).to.be.greaterThan(sample / 100);
  });

  for (const touched of [false, true]) {
    it(`finds them at any prices${touched ? " after deleveraging" : ""}`, () => {
      const [random] = randomStreams(7, 1) as [Random];
      const books = new RandomBooks(random, { markets: 20, collaterals: 4, touched });
      const ids = draw(books, random, 1_000);
      const detector = new Detector(books.storage, []);
      detector.update(ids);
      for (const share of [0.01, 0.3, 0.9]) {
        const [$, context] = books.at(books.moved(share));
        const exact = Views.healths($, context, ids).flatMap((health, i) =>
          Margin.isLiquidatable(health) ? [{ account: ids[i]!, health }] : [],
        );
        expect(exact.length).to.be.within(50, 950);
        expect(detector.liquidatable($, context)).to.deep.equal(exact);
      }
    });
  }

  for (const healthWad of [WAD / 2n, (WAD * 115n) / 100n, 2n * WAD]) {
    it(`finds exactly those whose health is below ${Number(healthWad) / 1e18}`, () => {
      for (const touched of [false, true]) {
        const [random] = randomStreams(12, 1) as [Random];
        const books = new RandomBooks(random, { markets: 20, collaterals: 4, touched });
        const ids = draw(books, random, 1_000);
        const detector = new Detector(books.storage, []);
        detector.update(ids);
        const [$, context] = books.at(books.moved(0.1));
        const exact = Views.healths($, context, ids).flatMap((health, i) =>
          health.healthWad < healthWad ? [{ account: ids[i]!, health }] : [],
        );
        expect(exact.length).to.be.within(1, 999);
        expect(detector.below(healthWad, $, context)).to.deep.equal(exact);
        expect(detector.candidates($, context, Number(healthWad) / 1e18).length).to.be.at.most(exact.length + 20);
      }
    });
  }

  it("follows accounts that open, close, grow and leave", () => {
    const [random] = randomStreams(8, 1) as [Random];
    const books = new RandomBooks(random, { markets: 20, collaterals: 4 });
    const detector = new Detector(books.storage, []);
    for (let round = 0; round < 20; ++round) {
      const changed = Array.from({ length: 200 }, () => {
        const drawn = books.drawAccount(random.integer(0, 600), {
          positions: random.integer(0, 5),
          collaterals: random.integer(0, 2),
          margins: 0.8 + random.uniform(),
        });
        return books.write(random.integer(0, 4) === 0 ? { ...drawn, word: 0n as AccountWord.AccountWord } : drawn);
      });
      detector.update(changed);
      const afresh = new Detector(books.storage, []);
      const ids = books.storage.accounts.keys();
      afresh.update(ids);
      const [$, context] = books.at(books.moved(0.3));
      const candidates = detector.candidates($, context);
      expect(candidates).to.deep.equal(afresh.candidates($, context));
      const exact = ids.filter((id) => Margin.isLiquidatable(Views.health($, context, id)));
      expect(candidates).to.include.members(exact);
    }
  });

  it("converts positions when an epoch ends, and back when that is undone", () => {
    const [random] = randomStreams(9, 1) as [Random];
    const books = new RandomBooks(random, { markets: 2, collaterals: 0, touched: true });
    const ids = draw(books, random, 300);
    const detector = new Detector(books.storage, []);
    detector.update(ids);
    const found = () => detector.liquidatable(...books.at()).map(({ account }) => account);
    const exact = () => {
      const [$, context] = books.at();
      return ids.filter((id) => Margin.isLiquidatable(Views.health($, context, id)));
    };
    const before = exact();
    expect(found()).to.deep.equal(before);

    const market = books.storage.markets(1);
    const { epochs } = market;
    market.ends.set(1, MarketWords.toSideWord(0n, 0n)); // longs are left with nothing, and still owe what they paid
    market.epochs = MarketWords.withNextEpoch(epochs, true);
    expect(exact()).to.have.length.greaterThan(before.length);
    expect(found()).to.deep.equal(exact());

    market.epochs = epochs;
    expect(found()).to.deep.equal(before);
  });

  it("leaves out who is never a target", () => {
    const [random] = randomStreams(10, 1) as [Random];
    const books = new RandomBooks(random, { markets: 3, collaterals: 0 });
    const [never, other] = [0, 1].map((number) =>
      books.write(books.drawAccount(number, { positions: 3, collaterals: 0, margins: 0.001 })),
    ) as [AccountId, AccountId];
    const detector = new Detector(books.storage, [never]);
    detector.update([never, other]);
    expect(detector.candidates(...books.at())).to.deep.equal([other]);
  });
});
