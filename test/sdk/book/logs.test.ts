import { expect } from "chai";
import { id } from "ethers";
import fc from "fast-check";

import { UnknownLogError, accountId } from "../../../sdk/index.js";
import { LogGapError, LogReader, MalformedLogError, type VaultLog } from "../../../sdk/book/index.js";
import { place, toldBy } from "../../helpers/vaultStorage.js";
import {
  anyLog,
  collateralTokens,
  events,
  firstLogs,
  heldAtFirst,
  listing,
  logOf,
  logs,
  names,
  vault,
  vaultInterface,
} from "./drawnLogs.js";

/** What ethers' decoder and these few lines make of logs: words by the names of their places. */
function readByEthers(of: readonly VaultLog[]): Map<string, bigint> {
  const words = new Map<string, bigint>();
  const set = ({ name }: { readonly name: string }, word: bigint) => words.set(name, word);
  const get = ({ name }: { readonly name: string }) => words.get(name) ?? 0n;
  const indexOf = (token: string) => collateralTokens.findIndex((one) => one === token.toLowerCase());
  const counts = { cash: 0n, interest: 0n, markets: 0, collaterals: 0 };
  for (const { topics, data } of of) {
    const { name, args } = vaultInterface.parseLog({ topics, data })!;
    // Fields of other events than the one that is read are undefined: none is looked at.
    const all = args.toObject() as Record<string, bigint> & { account: `0x${string}`; token: string; long: boolean };
    const { account, token } = all;
    const market = Number(all["market"]);
    const of32 = (value: unknown) => BigInt(value as string);
    const ramp = (at: (word: "from" | "to" | "clock") => { readonly name: string }) => {
      for (const word of ["from", "to", "clock"] as const) set(at(word), all[word]!);
    };
    const move = (amount: bigint) => {
      if (token === undefined || token.toLowerCase() === names.settlementToken.address) counts.cash += amount;
    };
    if (name === "MarketChanged" || name === "MarketParametersSet")
      counts.markets = Math.max(counts.markets, market + 1);
    const effects: Record<string, () => unknown> = {
      AccountChanged: () => set(place.account(account), all["word"]!),
      PositionChanged: () => set(place.position(account, market), all["position"]!),
      MarketChanged() {
        set(place.market(market, "state"), all["state"]!);
        set(place.market(market, "totals"), all["totals"]!);
        set(place.position(accountId(names.pool), market), all["poolPosition"]!);
      },
      SidesChanged() {
        for (const word of ["longSide", "shortSide", "epochs"] as const) set(place.market(market, word), all[word]!);
      },
      EpochEnded: () => set(place.epochEnd(market, all.long ? "long" : "short", Number(all["epoch"])), all["end"]!),
      CashChanged() {
        set(place.cashIndices, all["indices"]!);
        set(place.cashTotals, all["totals"]!);
        counts.interest = all["interestUnsweptWad"]!;
      },
      LossesChanged() {
        set(place.poolLosses, all["poolLosses"]!);
        set(place.writeOffs, all["writeOffs"]!);
        set(place.badDebt, all["badDebtWad"]!);
      },
      CollateralChanged() {
        const own = place.collateralOf(account, indexOf(token));
        const collateral = place.collateral(indexOf(token));
        set(collateral, get(collateral) + (all["amount"]! - get(own)) * 2n ** 48n);
        set(own, all["amount"]!);
      },
      CollateralAbsorbed: () => set(place.stockSince(indexOf(token)), all["stockSince"]!),
      CapitalChanged: () => set(place.capital, all["capital"]!),
      RewardBudgetChanged: () => set(place.rewardBudget, all["budget"]!),
      MarketParametersSet() {
        for (const word of ["risk", "terms", "discount"] as const) set(place.market(market, word), all[word]!);
      },
      CollateralParametersSet() {
        const index = Number(all["collateralIndex"]);
        counts.collaterals = Math.max(counts.collaterals, index + 1);
        set(place.collateral(index), all["collateral"]!);
        set(place.collateralDiscount(index), all["discount"]!);
        set(place.collateralToken(index), of32(token));
        set(place.collateralIndex(token), BigInt(index) + 1n);
      },
      MarketRampSet: () => ramp((word) => place.marketRamp(market, word)),
      CollateralRampSet: () => ramp((word) => place.collateralRamp(indexOf(token), word)),
      AccountRampSet: () => ramp((word) => place.accountRamp(word)),
      CashParametersSet: () => set(place.cashTerms, all["terms"]!),
      AccountParametersSet: () => set(place.accountRisk, all["risk"]!),
      AuthorityUpdated: () => set(place.authority, of32(all["authority"])),
      OperatorSet: () => set(place.permissionsOf(account, String(all["operator"])), all["permissions"]!),
      NonceUsed: () => set(place.nonce(String(all["owner"])), all["nonce"]! + 1n),
      BorrowingHaltedSet: () => set(place.borrowingHalted, all["halted"] ? 1n : 0n),
      ReservePaid: () => move(all["amount"]!),
      Deposited: () => move(all["amount"]!),
      Withdrawn: () => move(-all["amount"]!),
    };
    effects[name]?.();
  }
  const { cash, interest, markets, collaterals } = counts;
  set(place.counts, cash + ((interest << 112n) << 16n) + (BigInt(markets) << 240n) + (BigInt(collaterals) << 248n));
  return notZero(words);
}

const notZero = (words: ReadonlyMap<string, bigint>) =>
  new Map([...words].filter(([, word]) => word !== 0n).toSorted());

function read(of: readonly VaultLog[]): LogReader {
  const reader = new LogReader(names);
  for (const log of of) reader.apply(log);
  return reader;
}

/** Markets are told of once they are listed: sides and ramps come after. */
const markets = [0, 1, 2, 3].map((market) => logOf("MarketParametersSet", [market, 1n, 2n, 3n]));
const begun = [...firstLogs, listing, ...markets];

describe("sdk/book/logs", () => {
  for (const event of events) {
    it(`reads ${event.name} as ethers' decoder does`, () => {
      fc.assert(
        fc.property(fc.array(logs(event), { minLength: 1, maxLength: 4 }), (some) => {
          const all = [...begun, ...some];
          expect(notZero(toldBy(read(all).storage))).to.deep.equal(readByEthers(all));
        }),
        { numRuns: 40 },
      );
    });
  }

  it("reads logs of all events as ethers' decoder does", () => {
    fc.assert(
      fc.property(fc.array(anyLog, { maxLength: 80 }), (some) => {
        const all = [...begun, ...some];
        expect(notZero(toldBy(read(all).storage))).to.deep.equal(readByEthers(all));
      }),
    );
  });

  it("reads addresses and accounts whatever their case", () => {
    const account = accountId("0xabcdefabcdefabcdefabcdefabcdefabcdefabcd");
    const log = logOf("CollateralChanged", [account, collateralTokens[1], 5n]);
    const topics = [log.topics[0]!, ...log.topics.slice(1).map(shout)];
    const shouted = { ...log, address: shout(vault), topics };
    const { storage } = read([...firstLogs, shouted]);
    expect(storage.collateralOf.get(account, 1)).to.equal(5n);
    expect((storage.collaterals.get(1) >> 48n) & (2n ** 96n - 1n)).to.equal(heldAtFirst + 5n);
  });

  it("refuses a log of the vault that this version does not know", () => {
    const topic = id("Minted(address)");
    expect(() => read([{ address: vault, topics: [topic], data: "0x" }]))
      .to.throw(UnknownLogError)
      .that.includes({ address: vault, topic });
  });

  it("refuses a log that was cut short, or has a topic too few", () => {
    const whole = logOf("CashChanged", [1n, 2n, 3n]);
    const cut = { ...whole, data: whole.data.slice(0, -64) };
    const error = { event: "CashChanged", topics: cut.topics, data: cut.data };
    expect(() => read([cut]))
      .to.throw(MalformedLogError)
      .that.includes(error);
    const { topics, ...rest } = logOf("AccountChanged", [accountId(vault), 1n]);
    const fewer = topics.slice(0, 1);
    expect(() => read([{ ...rest, topics: fewer }]))
      .to.throw(MalformedLogError)
      .that.includes({ event: "AccountChanged", topics: fewer, data: rest.data });
  });

  it("refuses a log whose beginning is missing", () => {
    expect(() => read([logOf("CollateralChanged", [accountId(vault), collateralTokens[2], 5n])]))
      .to.throw(LogGapError)
      .that.includes({ token: collateralTokens[2] });
  });

  it("leaves the logs of other contracts out", () => {
    const { storage } = read([{ ...logOf("AccountChanged", [accountId(vault), 1n]), address: names.pool }]);
    expect(notZero(toldBy(storage))).to.deep.equal(new Map());
  });
});

const shout = (hex: string) => `0x${hex.slice(2).toUpperCase()}`;
