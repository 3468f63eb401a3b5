import * as AssetSet from "../../sdk/risk/types/AssetSet.js";
import * as MarketWords from "../../sdk/risk/types/MarketWords.js";
import * as Price from "../../sdk/risk/types/Price.js";
import * as VaultWords from "../../sdk/risk/types/VaultWords.js";
import {
  accountParameters,
  cashParameters,
  collateralParameters,
  marketParameters,
  spoiled,
} from "../draw/parameters.js";
import type { World } from "../draw/world.js";
import { type Plot, act, anyCaller, callerFor } from "./act.js";
import { someMarket, someToken } from "./choose.js";

const plain = { prices: "fresh", positions: [0, 2], collaterals: [0, 1] } as const;

const sweep: Plot = {
  name: "sweep",
  weight: 3,
  wishes: () => plain,
  act(world) {
    const { d } = world;
    if (d.chance(0.4)) return act("sweepInterest", anyCaller(world), []);
    return act("sweepFees", anyCaller(world), [someMarket(world, world.subject, 0.3)]);
  },
};

const cover: Plot = {
  name: "cover",
  weight: 2,
  wishes: () => plain,
  act: (world) => act("cover", anyCaller(world), []),
};

const delist: Plot = {
  name: "delist",
  weight: 5,
  wishes: (d) => ({ prices: d.chance(0.6) ? "fresh" : "mixed", positions: [1, 2], collaterals: [0, 1], closing: 0.75 }),
  act(world) {
    const { d, vault, subject } = world;
    if (d.chance(0.7)) return act("delist", anyCaller(world), [someMarket(world, subject, 0.8)]);
    const due = vault.now + 86_400n + BigInt(d.integer(d.chance(0.15) ? -9 : 0, 999_999));
    const finalPriceWad = d.chance(0.05) ? 1n << 90n : d.chance(0.4) ? 0n : d.wide(1n, 10n ** 27n);
    return act("announceDelisting", anyCaller(world), [someMarket(world, subject, 0.8), due, finalPriceWad]);
  },
};

const ramp: Plot = {
  name: "ramp",
  weight: 5,
  wishes: (d) => ({ prices: d.chance(0.9) ? "fresh" : "mixed", positions: [0, 2], collaterals: [1, 2], ramps: 0.8 }),
  act(world) {
    const { d, vault, subject, house } = world;
    const kind = d.weighted([
      [5, "market"],
      [3, "collateral"],
      [2, "accounts"],
    ]);
    if (kind === "accounts") return act("rampAccounts", anyCaller(world), []);
    if (kind === "market") {
      const ramping = Array.from({ length: vault.marketCount }, (_, id) => id).find(
        (id) => vault.marketRamps(id).clock !== 0n,
      );
      return act("rampMarket", anyCaller(world), [d.chance(0.9) ? (ramping ?? 0) : someMarket(world, subject)]);
    }
    const index = [0, 1, 2].find((index) => vault.collateralRamps(index).clock !== 0n);
    const token = index === undefined ? someToken(world, subject) : house.tokens[index]?.address;
    return act("rampCollateral", anyCaller(world), [token]);
  },
};

function marketNeeds({ vault, answers }: World, market: number) {
  const price = answers.of(market);
  return {
    priceWad: Price.value(price) || 10n ** 18n,
    toleranceWad: Price.tolerance(price),
    targetHealthWad: VaultWords.targetHealth(vault.accountRisk),
  };
}

const setMarket: Plot = {
  name: "setMarket",
  weight: 9,
  wishes: (d) => ({
    prices: d.chance(0.9) ? "fresh" : "mixed",
    positions: d.chance(0.3) ? [0, 0] : [0, 2],
    collaterals: [0, 1],
    delisted: 0.03,
  }),
  act(world) {
    const { d, vault, subject } = world;
    const isNew = vault.marketCount === 96 || d.chance(0.4);
    const market = isNew ? vault.marketCount : someMarket(world, subject, 0.6);
    const drawn = marketParameters(d, marketNeeds(world, market));
    const stands = vault.markets(market);
    // Near what stands: else open interest refuses nearly all.
    if (!isNew && d.chance(0.8) && market < vault.marketCount) {
      drawn.skewScaleWad = (MarketWords.skewScale(stands.risk) * BigInt(d.integer(80, 300))) / 100n;
      drawn.skewScaleWad -= drawn.skewScaleWad % MarketWords.NANO;
      drawn.openInterestCapWad =
        MarketWords.NANO * d.part(MarketWords.openInterestCap(stands.terms) / MarketWords.NANO);
      drawn.minimumSizeWad = MarketWords.minimumSize(stands.terms);
    }
    const parameters = d.chance(0.3) ? spoiled(d, drawn) : drawn;
    if (isNew) return act("listMarket", anyCaller(world), [parameters]);
    return act("setMarketParameters", anyCaller(world), [market, parameters]);
  },
  arrange({ d, vault }) {
    if (d.chance(0.15)) vault.marketCount = 96; // of which no other is read
  },
};

const setCollateral: Plot = {
  name: "setCollateral",
  weight: 7,
  wishes: (d) => ({ prices: d.chance(0.85) ? "fresh" : "mixed", positions: [0, 1], collaterals: [0, 2] }),
  act(world) {
    const { d, vault, subject, house, answers } = world;
    const isNew = vault.collateralCount === 32 || d.chance(0.45);
    const index = isNew ? vault.collateralCount : d.integer(0, Math.max(0, vault.collateralCount - 1));
    const tolerance = Price.tolerance(answers.of(AssetSet.collateralAsset(index)));
    const drawn = collateralParameters(d, tolerance);
    const parameters = d.chance(0.3) ? spoiled(d, drawn) : drawn;
    if (!isNew) {
      const token = d.chance(0.9) ? house.tokens[index]?.address : someToken(world, subject);
      return act("setCollateralParameters", anyCaller(world), [token, parameters]);
    }
    const free = house.tokens.slice(index);
    const known = [...house.tokens.slice(0, index), house.settlementToken];
    const odd = house.tokens.at(-1);
    const token =
      d.weighted([
        [8, free[0]],
        [1, odd],
        [1, d.pick(known as [never, ...never[]])],
      ]) ?? house.settlementToken;
    return act("listCollateral", anyCaller(world), [token.address, parameters], [BigInt(token.decimals)]);
  },
  arrange({ d, vault }) {
    if (d.chance(0.15)) vault.collateralCount = 32;
  },
};

const setGeneral: Plot = {
  name: "setGeneral",
  weight: 5,
  wishes: () => plain,
  act(world) {
    const { d, vault } = world;
    if (d.chance(0.5)) {
      const drawn = cashParameters(d);
      return act("setCashParameters", anyCaller(world), [d.chance(0.3) ? spoiled(d, drawn) : drawn]);
    }
    const drawn = accountParameters(d);
    if (d.chance(0.7)) drawn.targetHealthWad = VaultWords.targetHealth(vault.accountRisk); // or a market refuses it
    return act("setAccountParameters", anyCaller(world), [d.chance(0.3) ? spoiled(d, drawn) : drawn]);
  },
};

const halt: Plot = {
  name: "halt",
  weight: 2,
  wishes: () => plain,
  act(world) {
    const { d, subject } = world;
    const name = d.pick(["haltMarket", "resumeMarket", "haltBorrowing", "resumeBorrowing"]);
    return act(name, callerFor(world, subject), name.endsWith("Market") ? [someMarket(world, subject)] : []);
  },
};

export const upkeepPlots: readonly Plot[] = [sweep, cover, delist, ramp, setMarket, setCollateral, setGeneral, halt];
