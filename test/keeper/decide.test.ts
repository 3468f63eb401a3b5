import { readFileSync } from "node:fs";

import { expect } from "chai";

import {
  type Decision,
  type ForcingReason,
  type SkipReason,
  type TakerSide,
  type TakingReason,
  decide,
} from "../../keeper/decide.js";
import type { Leg, Risk } from "../../keeper/risk.js";
import { type AccountId, type Refusal, accountId, refusals } from "../../sdk/index.js";
import { takerAccount, takerState } from "../helpers/taker.js";
import { wad } from "../helpers/world.js";

const WAD = 10n ** 18n;
const wholePosition = 2n ** 256n - 1n;
const keeperAddress = "0x00000000000000000000000000000000000000aa";
const policy = { keeperAccount: accountId(keeperAddress) };
const trader = accountId("0x00000000000000000000000000000000000000bb");

function leg(market: number, refusal: Refusal, rewardWad = 0n): Leg {
  return { market, refusal, sizeDeltaWad: -WAD, fillPriceWad: WAD, feeWad: 2n * rewardWad, rewardWad };
}

function risk(legs: readonly Leg[], absorbOpen = false, account: AccountId = trader): Risk {
  return {
    account,
    health: {
      equityMaintenanceWad: 8n * WAD,
      requirementMaintenanceWad: 10n * WAD,
      equityInitialWad: 7n * WAD,
      requirementInitialWad: 15n * WAD,
      freeMarginWad: -8n * WAD,
      netCashWad: 5n * WAD,
      healthWad: (WAD * 8n) / 10n,
      isLiquidatable: true,
      pricesFresh: true,
    },
    absorbOpen,
    legs,
  };
}

const liquidate = (market: number, account = trader): Decision => ({
  kind: "liquidate",
  account,
  market,
  maxSizeWad: wholePosition,
  reason: "noTaker",
});
const skip = (reason: SkipReason, account = trader): Decision => ({ kind: "skip", account, reason });

describe("keeper/decide", () => {
  it("decides nothing when no account is at risk", () => {
    expect(decide([], policy)).to.deep.equal([]);
  });

  it("liquidates the only leg that the pool accepts, however small its reward", () => {
    const legs = [leg(0, "poolMargin", 9n), leg(3, "none", 1n), leg(7, "discountTooSmall", 9n)];
    expect(decide([risk(legs)], policy)).to.deep.equal([liquidate(3)]);
  });

  it("liquidates the accepted leg with the greatest reward, wherever it stands", () => {
    const rewards = [
      [5n, 7n, 6n],
      [7n, 5n, 6n],
      [5n, 6n, 7n],
    ];
    const chosen = rewards.map((each) => decide([risk(each.map((reward, i) => leg(i, "none", reward)))], policy));
    expect(chosen).to.deep.equal([[liquidate(1)], [liquidate(0)], [liquidate(2)]]);
  });

  it("liquidates the lowest market of equal rewards, in whatever order the legs come", () => {
    const legs = [leg(4, "none", 5n), leg(2, "none", 5n), leg(9, "none", 5n)];
    expect(decide([risk(legs)], policy)).to.deep.equal([liquidate(2)]);
    expect(decide([risk(legs.toReversed())], policy)).to.deep.equal([liquidate(2)]);
  });

  it("liquidates a leg that pays nothing", () => {
    expect(decide([risk([leg(0, "none", 0n)])], policy)).to.deep.equal([liquidate(0)]);
  });

  it("prefers an accepted leg where absorb is open too", () => {
    expect(decide([risk([leg(0, "poolMargin"), leg(1, "none", 1n)], true)], policy)).to.deep.equal([liquidate(1)]);
  });

  for (const refusal of [...refusals.slice(1), "unknown"] as Refusal[]) {
    it(`absorbs where it is open and the only leg is refused: ${refusal}`, () => {
      expect(decide([risk([leg(0, refusal)], true)], policy)).to.deep.equal([{ kind: "absorb", account: trader }]);
    });
  }

  it("absorbs an account without a position where that is open", () => {
    expect(decide([risk([], true)], policy)).to.deep.equal([{ kind: "absorb", account: trader }]);
  });

  it("skips with stalePrice where a leg waits for a price, whatever refuses the others", () => {
    expect(decide([risk([leg(0, "priceStale")])], policy)).to.deep.equal([skip("stalePrice")]);
    expect(decide([risk([leg(0, "poolMargin"), leg(1, "priceStale")])], policy)).to.deep.equal([skip("stalePrice")]);
  });

  it("skips an account above zero with sequencerGrace, as long as the contract refuses it", () => {
    expect(decide([risk([leg(0, "sequencerGrace")])], policy)).to.deep.equal([skip("sequencerGrace")]);
  });

  const others = refusals.slice(3).filter((refusal) => refusal !== "sequencerGrace");
  for (const refusal of [...others, "unknown"] as Refusal[]) {
    it(`skips with noLegAccepted where absorb is shut and the leg is refused: ${refusal}`, () => {
      expect(decide([risk([leg(0, refusal)])], policy)).to.deep.equal([skip("noLegAccepted")]);
    });
  }

  it("skips with noPosition where there is none and absorb is shut", () => {
    expect(decide([risk([])], policy)).to.deep.equal([skip("noPosition")]);
  });

  it("skips the keeper's own account, even where a leg is accepted or absorb is open", () => {
    const own = policy.keeperAccount;
    const risks = [risk([leg(0, "none", 5n)], false, own), risk([], true, own)];
    expect(decide(risks, policy)).to.deep.equal([skip("rewardToSelf", own), skip("rewardToSelf", own)]);
  });

  it("serves another account of the keeper's owner as any other", () => {
    const second = accountId(keeperAddress, 1);
    expect(decide([risk([leg(0, "none", 5n)], false, second)], policy)).to.deep.equal([liquidate(0, second)]);
  });

  it("gives one decision an account, in their order, and leaves its input alone", () => {
    const accounts = [1n, 2n, 3n].map((index) => accountId(keeperAddress, index));
    const [first, second, third] = accounts as [AccountId, AccountId, AccountId];
    const risks = [
      risk([leg(0, "priceStale")], false, first),
      risk([], true, second),
      risk([leg(5, "none", 1n), leg(6, "none", 2n)], false, third),
    ];
    const before = structuredClone(risks);
    expect(decide(risks, policy)).to.deep.equal([
      skip("stalePrice", first),
      { kind: "absorb", account: second },
      liquidate(6, third),
    ]);
    expect(risks).to.deep.equal(before);
  });

  describe("with a taker", () => {
    const side = (refused: readonly AccountId[] = [], change: Parameters<typeof takerState>[0] = {}): TakerSide => ({
      state: takerState(change),
      policy: { inventoryPercent: 200, giveBackPercent: 100 },
      refused: new Set(refused),
    });
    /** What the pool and the taker would have of a leg of ten units at 100; giving it back costs the taker 1.5. */
    const both = (market: number, pool: Refusal, poolPays: string, taken: Refusal, discount: string) => {
      const sizeDeltaWad = wad("-10");
      return [
        { ...leg(market, pool, wad(poolPays)), sizeDeltaWad, fillPriceWad: wad("100") },
        { ...leg(market, taken, wad(discount)), sizeDeltaWad, fillPriceWad: wad("100") },
      ] as const;
    };
    const riskOf = (legs: readonly ReturnType<typeof both>[], absorbOpen = false, account = trader): Risk => ({
      ...risk(
        legs.map(([pool]) => pool),
        absorbOpen,
        account,
      ),
      takerLegs: legs.map(([, taken]) => taken),
    });
    const taken = (market: number, size: string, reason: TakingReason, account = trader): Decision => ({
      kind: "liquidate",
      account,
      market,
      maxSizeWad: wad(size),
      taker: takerAccount,
      reason,
    });
    const forced = (market: number, reason: ForcingReason, account = trader): Decision => ({
      ...(liquidate(market, account) as Extract<Decision, { kind: "liquidate" }>),
      reason,
    });
    const full = { sizesWad: new Map([[1, wad("20")]]) };

    const decisions: [title: string, risk: Risk, decision: Decision, side?: TakerSide][] = [
      [
        "takes where the discount, less what giving back costs, is more than the pool pays",
        riskOf([both(0, "none", "4", "none", "8")]),
        taken(0, "10", "takerEarnsMore"),
      ],
      [
        "forces into the pool where that pays as much",
        riskOf([both(0, "none", "6.5", "none", "8")]),
        forced(0, "poolPaysMore"),
      ],
      [
        "takes what the pool refuses, even where absorb is open",
        riskOf([both(0, "poolMargin", "0", "none", "8")], true),
        taken(0, "10", "poolRefuses"),
      ],
      [
        "takes at no loss: absorbs what the pool refuses",
        riskOf([both(0, "impactTooLarge", "0", "none", "1")], true),
        { kind: "absorb", account: trader },
      ],
      [
        "compares over all legs, and takes the one that earns most",
        riskOf([both(0, "none", "6", "none", "7"), both(1, "none", "1", "none", "8")]),
        taken(1, "10", "takerEarnsMore"),
      ],
      [
        "compares what fits with what the pool pays for as much: takes the half that earns more",
        riskOf([both(0, "none", "4", "none", "8")]),
        taken(0, "5", "takerEarnsMore"),
        side([], { sizesWad: new Map([[1, wad("15")]]) }),
      ],
      [
        "forces the best leg of the pool where no leg fits",
        riskOf([both(0, "none", "4", "none", "8")]),
        forced(0, "noRoom"),
        side([], full),
      ],
      [
        "forces into the pool what the contract refused the taker in this turn",
        riskOf([both(0, "none", "4", "none", "8")]),
        forced(0, "takerRefused"),
        side([trader]),
      ],
      [
        "absorbs where neither takes a leg",
        riskOf([both(0, "discountTooSmall", "0", "discountTooSmall", "0")], true),
        { kind: "absorb", account: trader },
      ],
      [
        "skips where neither takes a leg and absorb is shut",
        riskOf([both(0, "poolMargin", "0", "none", "8")]),
        skip("noLegAccepted"),
        side([], full),
      ],
      [
        "leaves the taker's own account alone",
        riskOf([both(0, "none", "4", "none", "8")], true, takerAccount),
        skip("rewardToSelf", takerAccount),
      ],
    ];
    for (const [title, given, decision, taker = side()] of decisions) {
      it(title, () => expect(decide([given], policy, taker)).to.deep.equal([decision]));
    }

    it("takes what fits, account by account, and forces the rest into the pool", () => {
      const accounts = [0, 1, 2].map((index) => accountId("0x00000000000000000000000000000000000000dd", index));
      const risks = accounts.map((account) => riskOf([both(0, "none", "1", "none", "8")], false, account));
      const leaving = side([], { sizesWad: new Map([[0, wad("5")]]) });
      expect(decide(risks, policy, leaving)).to.deep.equal([
        taken(0, "10", "takerEarnsMore", accounts[0]),
        taken(0, "5", "takerEarnsMore", accounts[1]),
        forced(0, "noRoom", accounts[2]),
      ]);
    });
  });

  it("names the refusals as the contract's enum does, in its order", () => {
    const source = readFileSync(new URL("../../contracts/interfaces/IMarginVault.sol", import.meta.url), "utf8");
    const [, body = ""] = /enum Refusal \{([^}]*)\}/.exec(source) ?? [];
    const names = [...body.replace(/\/\/.*$/gm, "").matchAll(/\w+/g)].map(([name]) => name);
    expect(names.map((name) => name.charAt(0).toLowerCase() + name.slice(1))).to.deep.equal([...refusals]);
  });
});
