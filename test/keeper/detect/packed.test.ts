import { expect } from "chai";

import { Detector, PackedAccounts, PackedAccountsError, packAccounts } from "../../../keeper/detect/index.js";
import { Rows, readRows } from "../../../keeper/detect/rows.js";
import { readPackedRows } from "../../../keeper/detect/packedRows.js";
import type { AccountId } from "../../../sdk/index.js";
import { toAccountWord } from "../../../sdk/risk/types/AccountWord.js";
import { collateralAsset, marketAsset, onlyAsset, union } from "../../../sdk/risk/types/AssetSet.js";
import * as MarketWords from "../../../sdk/risk/types/MarketWords.js";
import { toPosition } from "../../../sdk/risk/types/Position.js";
import { VaultStorage } from "../../../sdk/risk/types/VaultStorage.js";
import { type Random, RandomBooks, randomStreams } from "../../../simulator/index.js";

const shape = { markets: 20, collaterals: 4 };

/** Books of some accounts, and the same without them. */
function twoBooks(touched: boolean): { full: RandomBooks; empty: RandomBooks; ids: AccountId[]; random: Random } {
  const [random] = randomStreams(20, 1) as [Random];
  const full = new RandomBooks(random, { ...shape, touched });
  const empty = new RandomBooks(randomStreams(20, 1)[0] as Random, { ...shape, touched });
  const ids = Array.from({ length: 500 }, (_, number) =>
    full.write(
      full.drawAccount(number, {
        positions: random.integer(0, 8),
        collaterals: random.integer(0, 3),
        margins: 0.5 + random.uniform(),
      }),
    ),
  );
  return { full, empty, ids, random };
}

const rowsOf = ({ count, keys, amounts }: Rows) =>
  Array.from({ length: count }, (_, i) => ({ key: keys[i]!, amount: amounts[i]! }));

describe("keeper/detect: packed accounts", () => {
  it("are the books' accounts, word for word, and can be written over", () => {
    const { full, empty, ids } = twoBooks(false);
    new PackedAccounts(packAccounts(full.storage, ids)).layUnder(empty.storage);
    const wordsOf = ({ accounts, positions, collateralOf }: VaultStorage) =>
      ids.map((id) => [
        accounts.get(id),
        Array.from({ length: shape.markets }, (_, market) => positions.get(id, market)),
        Array.from({ length: shape.collaterals }, (_, index) => collateralOf.get(id, index)),
      ]);
    expect(wordsOf(empty.storage)).to.deep.equal(wordsOf(full.storage));
    expect(empty.storage.accounts.keys()).to.deep.equal(full.storage.accounts.keys());
    const nobody: AccountId = `0x${"e".repeat(64)}`;
    expect(empty.storage.accounts.get(nobody)).to.equal(0n);
    expect(empty.storage.positions.get(nobody, 0)).to.equal(0n);

    for (const { storage } of [full, empty]) {
      storage.accounts.set(ids[0]!, toAccountWord(0n, -5n));
      storage.positions.set(ids[1]!, 3, toPosition(7n, 8n, 0n));
      storage.collateralOf.set(nobody, 1, 9n);
    }
    expect(wordsOf(empty.storage)).to.deep.equal(wordsOf(full.storage));
    expect(empty.storage.collateralOf.get(nobody, 1)).to.equal(9n);
  });

  for (const touched of [false, true]) {
    it(`start a detector that finds what one that read the books finds${touched ? ", after an epoch has ended" : ""}`, () => {
      const { full, empty, ids, random } = twoBooks(touched);
      for (const { storage } of touched ? [full, empty] : []) {
        const market = storage.markets(4);
        market.epochs = MarketWords.withNextEpoch(market.epochs, false);
        market.ends.set(0, MarketWords.toSideWord(10n ** 26n, 10n ** 25n));
      }
      const packed = new PackedAccounts(packAccounts(full.storage, ids));
      packed.layUnder(empty.storage);
      const never = ids.slice(0, 3);
      const [reading, starting] = [new Detector(full.storage, never), new Detector(empty.storage, never, packed)];
      reading.update(ids);
      const expectSame = () => {
        const prices = full.moved(0.2);
        const found = reading.liquidatable(...full.at(prices));
        expect(found.length).to.be.within(20, 480);
        expect(starting.liquidatable(...empty.at(prices))).to.deep.equal(found);
      };
      expectSame();

      const changed = Array.from({ length: 100 }, () => {
        const drawn = full.drawAccount(random.integer(0, 550), { positions: 4, collaterals: 1, margins: 1 });
        return [full, empty].map((books) => books.write(drawn))[0]!;
      });
      for (const detector of [reading, starting]) detector.update(changed);
      expectSame();
    });
  }

  it("have the rows that the books have, to the last two units of a float", () => {
    const extremes = [
      0n,
      1n,
      -1n,
      2n ** 53n + 1n,
      -(2n ** 64n),
      2n ** 96n - 1n,
      -(2n ** 96n) + 1n,
      2n ** 119n - 1n,
      -(2n ** 119n),
    ];
    const [random] = randomStreams(21, 1) as [Random];
    const digits = (bits: number) =>
      BigInt.asIntN(
        bits,
        BigInt(
          `0x${Array.from({ length: 8 }, () =>
            random
              .integer(0, 2 ** 31 - 1)
              .toString(16)
              .padStart(8, "0"),
          ).join("")}`,
        ) >> BigInt(random.integer(0, bits)),
      );
    const signed = () => (random.integer(0, 3) === 0 ? extremes[random.integer(0, extremes.length - 1)]! : digits(120));
    const storage = new VaultStorage();
    storage.marketCount = 96;
    for (let number = 1; number <= 500; ++number) {
      const id: AccountId = `0x${number.toString(16).padStart(64, "0")}`;
      let assets = 0n as ReturnType<typeof onlyAsset>;
      for (let i = random.integer(0, 15); i > 0; --i) {
        const market = random.integer(0, 95);
        assets = union(assets, onlyAsset(marketAsset(market)));
        storage.positions.set(id, market, toPosition(signed(), signed(), 0n));
      }
      for (let i = random.integer(0, 6); i > 0; --i) {
        const index = random.integer(0, 31);
        assets = union(assets, onlyAsset(collateralAsset(index)));
        storage.collateralOf.set(id, index, BigInt.asUintN(96, digits(120)));
      }
      storage.accounts.set(id, toAccountWord(assets << 120n, signed()));
    }
    const packed = new PackedAccounts(packAccounts(storage, storage.accounts.keys()));
    const [exact, fast] = [new Rows(), new Rows()];
    for (let number = 0; number < packed.count; ++number) {
      const isExposed = readRows(exact, storage, packed.idOf(number));
      expect(readPackedRows(fast, packed.view, packed.startOf(number), () => true)).to.equal(isExposed);
      const [expected, actual] = [rowsOf(exact), rowsOf(fast)];
      expect(actual.map(({ key }) => key)).to.deep.equal(expected.map(({ key }) => key));
      for (const [i, { amount }] of actual.entries()) {
        const { amount: right } = expected[i]!;
        expect(Math.abs(amount - right)).to.be.at.most(right * 2 ** -51);
      }
    }
  });

  it("leave an account with a position of an ended epoch to who can convert it", () => {
    const { full, ids } = twoBooks(true);
    const packed = new PackedAccounts(packAccounts(full.storage, ids));
    const rows = new Rows();
    const read = (isPresent: boolean) =>
      Array.from({ length: packed.count }, (_, number) =>
        readPackedRows(rows, packed.view, packed.startOf(number), () => isPresent),
      );
    const holds = ids.map((id) => full.storage.positions.of(id) !== undefined);
    expect(read(false).map((isExposed) => isExposed === undefined)).to.deep.equal(holds);
    expect(read(true)).to.not.include(undefined);
  });

  it("are refused where they are damaged, and say by what", () => {
    const { full, ids } = twoBooks(false);
    const bytes = packAccounts(full.storage, ids.slice(0, 20));
    const damaged = (damage: (copy: Uint8Array) => Uint8Array | void) => {
      const copy = bytes.slice();
      return damage(copy) ?? copy;
    };
    const cases: [PackedAccountsError["field"], Uint8Array][] = [
      ["length", damaged((copy) => copy.slice(0, -1))],
      ["length", new Uint8Array(3)],
      ["version", damaged((copy) => void (copy[3] = 9))],
      ["checksum", damaged((copy) => void (copy[100]! ^= 1))],
      ["checksum", damaged((copy) => copy.slice(0, -32))],
      ["length", damaged((copy) => void --copy[7]!)],
      ["length", damaged((copy) => void ++copy[7]!)],
      ["length", damaged((copy) => void (copy[4] = 255))],
    ];
    for (const [field, copy] of cases) {
      expect(() => new PackedAccounts(copy))
        .to.throw(PackedAccountsError)
        .with.property("field", field);
    }
  });

  it("are refused out of order", () => {
    const { full, ids } = twoBooks(false);
    const [first, second] = ids as [AccountId, AccountId];
    for (const id of [first, second]) full.storage.accounts.set(id, toAccountWord(0n, 1n));
    expect(() => new PackedAccounts(packAccounts(full.storage, [first, first])))
      .to.throw(PackedAccountsError)
      .with.property("field", "order");
    expect(new PackedAccounts(packAccounts(full.storage, [second, first])).count).to.equal(2);
  });
});
