import type { AccountId } from "../../sdk/index.js";
import { abs, max } from "../../sdk/risk/libraries/FixedPoint.js";
import * as MarketWords from "../../sdk/risk/types/MarketWords.js";
import { PERMISSION_TRADE } from "../../sdk/risk/types/Permissions.js";
import * as Price from "../../sdk/risk/types/Price.js";
import * as AssetSet from "../../sdk/risk/types/AssetSet.js";
import * as AccountWord from "../../sdk/risk/types/AccountWord.js";
import * as Sides from "../../sdk/risk/libraries/Sides.js";
import * as VaultWords from "../../sdk/risk/types/VaultWords.js";
import {
  accountParameters,
  cashParameters,
  collateralParameters,
  marketParameters,
  ratio,
  spoiled,
} from "../draw/parameters.js";
import type { World } from "../draw/world.js";
import { type Act, act, anyCaller, multicall } from "./act.js";
import { collateralsOf, marketsOf, oneOf, sizeOf } from "./choose.js";

/** A call that goes down one branch, where the state lets it. */
export type Probe = (world: World) => Act | undefined;

const most = (1n << 256n) - 1n;
const later = 1n << 40n;
const ownerOf = (account: AccountId) => account.slice(0, 42);

function strangerTo({ d, house }: World, account: AccountId): string | undefined {
  const others = house.callers.filter((caller) => caller !== ownerOf(account));
  return others[d.integer(0, others.length - 1)];
}

function markets({ vault }: World): number[] {
  return Array.from({ length: Math.min(vault.marketCount, 5) }, (_, id) => id);
}

function flagged(world: World, flag: bigint, without = 0n): number | undefined {
  const has = (id: number, one: bigint) => MarketWords.has(world.vault.markets(id).state, one);
  return oneOf(
    world,
    markets(world).filter((id) => has(id, flag) && (without === 0n || !has(id, without))),
  );
}

/** By an operator, where one may and chance will. */
function trade(world: World, account: AccountId, market: number, delta: bigint, limit = 0n, deadline = later): Act {
  const { d, vault, house } = world;
  const mayTrade = (caller: string) => (vault.permissionsOf.get(account, caller) & PERMISSION_TRADE) !== 0n;
  const operator = d.chance(0.9) ? house.callers.find(mayTrade) : undefined;
  return act("trade", operator ?? ownerOf(account), [account, market, delta, limit, deadline]);
}

/** A purchase where nobody has anything to say against it but the market. */
const buy = (world: World, market: number): Act => {
  const minimum = max(1n, MarketWords.minimumSize(world.vault.markets(market).terms));
  const size = sizeOf(world, world.subject, market);
  return trade(world, world.subject, market, size < 0n ? -minimum : minimum);
};

const tokenOf = ({ house }: World, index: number): string => house.tokens[index]?.address ?? "";

/** Each aims at one error, or at one of the acts that cost little. */
export const probes: Readonly<Record<string, Probe>> = {
  unknownMarket: (world) => {
    const { d, vault, subject } = world;
    const market = Math.min(vault.marketCount, 95) + (vault.marketCount < 96 ? 0 : 1);
    return d.chance(0.5) ? act("settle", anyCaller(world), [subject, market]) : trade(world, subject, market, 1n);
  },
  zeroAmount: (world) => {
    const { d, subject, code } = world;
    const token = code.settlementToken;
    if (d.chance(0.3)) return trade(world, subject, 0, 0n);
    if (d.chance(0.5)) return act("deposit", anyCaller(world), [subject, token, 0n]);
    return act("transfer", ownerOf(subject), [subject, world.other, token, 0n]);
  },
  notAuthorized: (world) => {
    const { d, subject, code } = world;
    const caller = strangerTo(world, subject);
    if (caller === undefined) return undefined;
    if (d.chance(0.5)) return act("withdraw", caller, [subject, code.settlementToken, 1n, caller]);
    return act("setOperator", caller, [subject, caller, 1n]);
  },
  unknownPermissions: ({ subject, house, d }) =>
    act("setOperator", ownerOf(subject), [subject, house.callers[0], 32n + d.wide(1n, most >> 1n)]),
  signed: (world) => {
    const { d, subject, vault, house } = world;
    const kind = d.pick(["nonce", "nonce", "signature", "signature", "deadline", "good", "good", "replayed"]);
    const expected = vault.nonces.get(ownerOf(subject));
    const operator = house.callers[d.integer(0, 3)] ?? "";
    const permissions = kind === "replayed" ? vault.permissionsOf.get(subject, operator) : BigInt(d.integer(0, 31));
    const nonce = kind === "nonce" ? expected + 1n + BigInt(d.integer(0, 9)) : kind === "replayed" ? 0n : expected;
    const deadline = kind === "deadline" ? vault.now - 1n : later;
    const isSigned = kind !== "signature";
    const args = [subject, operator, permissions, nonce, deadline];
    const told = act("setOperatorBySig", anyCaller(world), [...args, isSigned]);
    return { ...told, args: [...args, isSigned ? "0x01" : "0x"] };
  },
  deadlinePassed: (world) => trade(world, world.subject, 0, 1n, 0n, world.vault.now - 1n),
  nested: (world) => multicall(ownerOf(world.subject), [multicall(ownerOf(world.subject), [])]),
  marketHalted: (world) => {
    const market = flagged(world, MarketWords.HALTED);
    return market === undefined ? undefined : buy(world, market);
  },
  marketClosing: (world) => {
    const market = flagged(world, MarketWords.CLOSING, MarketWords.DELISTED);
    return market === undefined ? undefined : buy(world, market);
  },
  marketDelisted: (world) => {
    const market = flagged(world, MarketWords.DELISTED);
    if (market === undefined) return undefined;
    return world.d.chance(0.5) ? buy(world, market) : act("delist", anyCaller(world), [market]);
  },
  delistingNotDue: (world) =>
    act("delist", anyCaller(world), [world.d.integer(0, Math.max(0, markets(world).length - 1))]),
  amountTooLarge: (world) =>
    act("deposit", ownerOf(world.subject), [
      world.subject,
      world.code.settlementToken,
      1n << BigInt(world.d.integer(128, 255)),
    ]),
  unknownToken: (world) => {
    const { d, subject, vault } = world;
    const token = tokenOf(world, Math.min(4, vault.collateralCount));
    if (vault.collateralIndexes(token) !== 0) return undefined;
    if (d.chance(0.5)) return act("deposit", anyCaller(world), [subject, token, 1n]);
    return act("buyCollateral", ownerOf(subject), [subject, token, 1n, most]);
  },
  alreadyListed: (world) => {
    const { d, vault, house } = world;
    const token = d.chance(0.5) || vault.collateralCount === 0 ? house.settlementToken : house.tokens[0];
    if (token === undefined) return undefined;
    return act(
      "listCollateral",
      anyCaller(world),
      [token.address, collateralParameters(d, 0n)],
      [BigInt(token.decimals)],
    );
  },
  tooManyDecimals: (world) => {
    const odd = world.house.tokens[4];
    if (odd === undefined) return undefined;
    return act(
      "listCollateral",
      anyCaller(world),
      [odd.address, collateralParameters(world.d, 0n)],
      [BigInt(odd.decimals)],
    );
  },
  strangerDeposit: (world) => {
    const { d, subject, code, house } = world;
    const caller = strangerTo(world, subject);
    const account = d.chance(0.3) ? house.pool : subject;
    return caller === undefined ? undefined : act("deposit", caller, [account, code.settlementToken, 1n]);
  },
  depositCapExceeded: (world) => {
    const { subject, vault } = world;
    if (vault.collateralCount === 0) return undefined;
    const word = vault.collaterals.get(0);
    const room = VaultWords.depositCap(word) - VaultWords.held(word);
    return act("deposit", ownerOf(subject), [subject, tokenOf(world, 0), room > 0n ? room + 1n : 1n]);
  },
  insufficientBalance: (world) => {
    const { subject, vault, other } = world;
    if (vault.collateralCount === 0) return undefined;
    return act("transfer", ownerOf(subject), [
      subject,
      other,
      tokenOf(world, 0),
      vault.collateralOf.get(subject, 0) + 1n,
    ]);
  },
  insufficientCashHeld: ({ subject, vault, code }) =>
    act("withdraw", ownerOf(subject), [subject, code.settlementToken, vault.cashHeld + 1n, ownerOf(subject)]),
  borrows: (world) => {
    // A wei more than there is: too small a debt, none at all while borrowing is halted, or without margin.
    const { d, vault, code, house } = world;
    const account = oneOf(
      world,
      house.accounts.filter((id) => AccountWord.principal(vault.accounts.get(id)) > 0n),
    );
    if (account === undefined) return undefined;
    const [supplyIndex] = [vault.cashIndices & ((1n << 72n) - 1n)];
    const cash = (AccountWord.principal(vault.accounts.get(account)) * supplyIndex) / 10n ** 15n;
    const amount = cash / code.cashUnit + d.wide(1n, 1000n);
    return act("transfer", ownerOf(account), [account, world.other, code.settlementToken, amount]);
  },
  noPosition: (world) => {
    const { vault, house } = world;
    const market = world.d.integer(0, Math.max(0, markets(world).length - 1));
    const account =
      oneOf(
        world,
        house.accounts.filter((id) => vault.positions.get(id, market) === 0n),
      ) ?? house.pool;
    return act("settle", anyCaller(world), [account, market]);
  },
  staleMarket: (world) => {
    const market = oneOf(
      world,
      markets(world).filter((id) => !Price.isUsable(world.answers.of(id))),
    );
    return market === undefined ? undefined : trade(world, world.subject, market, 1n);
  },
  staleCollateral: (world) => {
    const { vault, answers, house } = world;
    const isStale = (index: number) => !Price.isUsable(answers.of(AssetSet.collateralAsset(index)));
    for (const account of house.accounts) {
      const index = collateralsOf(world, account).find(isStale);
      if (index === undefined || vault.collateralOf.get(account, index) === 0n) continue;
      return act("deposit", ownerOf(account), [account, tokenOf(world, index), 1n]);
    }
    return undefined;
  },
  limitExceeded: (world) => {
    const market = oneOf(world, marketsOf(world, world.subject));
    if (market === undefined) return undefined;
    const size = sizeOf(world, world.subject, market);
    return size === 0n ? undefined : trade(world, world.subject, market, -size, size > 0n ? most >> 1n : 1n);
  },
  belowMinimum: (world) => {
    const { vault, subject } = world;
    const market = oneOf(world, marketsOf(world, subject));
    if (market === undefined) return undefined;
    const size = sizeOf(world, subject, market);
    const minimum = MarketWords.minimumSize(vault.markets(market).terms);
    if (abs(size) < 2n || minimum < 2n) return undefined;
    return trade(world, subject, market, size > 0n ? 1n - size : -size - 1n);
  },
  capExceeded: (world) => {
    const market = oneOf(
      world,
      markets(world).filter((id) => MarketWords.flags(world.vault.markets(id).state) < 2n),
    );
    if (market === undefined) return undefined;
    const beyond = MarketWords.openInterestCap(world.vault.markets(market).terms) * 2n + 1n;
    return trade(world, world.subject, market, world.d.chance(0.4) ? 1n << BigInt(world.d.integer(180, 254)) : beyond);
  },
  healthy: (world) => {
    const market = oneOf(world, marketsOf(world, world.other));
    if (market === undefined) return undefined;
    return act("liquidatePosition", anyCaller(world), [world.other, market, most, world.house.pool]);
  },
  notATarget: (world) => {
    const { d, house } = world;
    const target = d.pick([house.pool, house.insurance]);
    if (d.chance(0.5)) return act("absorb", anyCaller(world), [[target], world.subject]);
    return act("liquidatePosition", anyCaller(world), [target, 0, most, house.pool]);
  },
  rewardToTarget: (world) => act("absorb", anyCaller(world), [[world.subject], world.subject]),
  nothingToAbsorb: (world) => act("absorb", anyCaller(world), [[world.other], world.house.pool]),
  unknownMode: (world) => act("setMode", ownerOf(world.subject), [world.subject, 2n + world.d.wide(1n, most >> 1n)]),
  modeNeedsNoPosition: (world) =>
    marketsOf(world, world.subject).length === 0
      ? undefined
      : act("setMode", ownerOf(world.subject), [world.subject, 1n]),
  poolSolvent: (world) => act("resolvePool", anyCaller(world), []),
  nothingToCover: (world) => act("cover", anyCaller(world), []),
  nothingToRamp: (world) => act("rampAccounts", anyCaller(world), []),
  unsettledResult: (world) => {
    const { vault, house, subject } = world;
    for (const market of marketsOf(world, subject)) {
      for (const taker of house.accounts) {
        if (taker === subject || vault.positions.get(taker, market) === 0n || sizeOf(world, taker, market) !== 0n)
          continue;
        if (Sides.converted(vault.markets(market), vault.positions.get(taker, market))[0] === 0n) continue;
        return act("liquidatePosition", ownerOf(taker), [subject, market, most, taker]);
      }
    }
    return undefined;
  },
  noCollateral: (world) => {
    const { vault, subject, other } = world;
    const none = Array.from({ length: Math.min(3, vault.collateralCount) }, (_, i) => i).filter(
      (i) => vault.collateralOf.get(subject, i) === 0n,
    );
    const index = oneOf(world, none);
    if (index === undefined) return undefined;
    return act("liquidateCollateral", ownerOf(other), [subject, tokenOf(world, index), most, other]);
  },
  costAboveLimit: (world) => {
    const { vault, house, subject } = world;
    const index = oneOf(world, collateralsOf(world, house.pool));
    if (index === undefined) return undefined;
    return act("buyCollateral", ownerOf(subject), [
      subject,
      tokenOf(world, index),
      vault.collateralOf.get(house.pool, index),
      0n,
    ]);
  },
  badParameters: (world) => {
    const { d } = world;
    if (d.chance(0.5)) return act("setCashParameters", anyCaller(world), [spoiled(d, cashParameters(d))]);
    return act("setAccountParameters", anyCaller(world), [spoiled(d, accountParameters(d))]);
  },
  lateNotice: (world) => act("announceDelisting", anyCaller(world), [0, world.vault.now, 0n]),
  unpricedMarket: (world) => {
    // The next market has an answer that may be stale or missing.
    const { d, vault, answers } = world;
    if (vault.marketCount > 5 || Price.isFresh(answers.of(vault.marketCount))) return undefined;
    const needs = {
      priceWad: 10n ** 18n,
      toleranceWad: 0n,
      targetHealthWad: VaultWords.targetHealth(vault.accountRisk),
    };
    return act("listMarket", anyCaller(world), [marketParameters(d, needs)]);
  },
  tooManyAssets: (world) => {
    const { vault, house, answers } = world;
    for (const account of house.accounts) {
      const held = marketsOf(world, account);
      if (vault.accounts.get(account) >> 248n !== 1n || held.length === 0) continue;
      const isOpen = (id: number) =>
        !held.includes(id) && Price.isFresh(answers.of(id)) && MarketWords.flags(vault.markets(id).state) < 2n;
      const market = oneOf(world, markets(world).filter(isOpen));
      if (market === undefined) continue;
      return trade(world, account, market, max(1n, MarketWords.minimumSize(vault.markets(market).terms)));
    }
    return undefined;
  },
  someTrade: (world) => {
    const { d, vault, house, answers } = world;
    const account = oneOf(
      world,
      house.accounts.filter((id) => marketsOf(world, id).length > 0),
    );
    const market = account === undefined ? undefined : oneOf(world, marketsOf(world, account));
    if (account === undefined || market === undefined || !Price.isFresh(answers.of(market))) return undefined;
    const size = sizeOf(world, account, market);
    if (size === 0n) return undefined;
    const minimum = max(1n, MarketWords.minimumSize(vault.markets(market).terms));
    const sign = size > 0n ? 1n : -1n;
    const delta = d.pick([-size, -size - sign * minimum, sign * minimum, sign * minimum, -size / 2n || -size]);
    return trade(world, account, market, delta);
  },
  bankrupts: (world) => {
    const { vault, house, answers } = world;
    const isRuined = (id: AccountId) => AccountWord.principal(vault.accounts.get(id)) < 0n;
    for (const account of house.accounts.filter(isRuined)) {
      const isUsable = (id: number) => Price.isUsable(answers.of(id)) && sizeOf(world, account, id) !== 0n;
      const market = oneOf(world, marketsOf(world, account).filter(isUsable));
      if (market === undefined) continue;
      const size = sizeOf(world, account, market);
      const closes = MarketWords.minimumSize(vault.markets(market).terms) > abs(size) / 2n;
      return trade(world, account, market, closes ? -size : -size / 2n);
    }
    return undefined;
  },
  turn: (world) => {
    const { house, vault, answers } = world;
    const account = oneOf(
      world,
      house.accounts.filter((id) => marketsOf(world, id).length > 0),
    );
    const market = account === undefined ? undefined : oneOf(world, marketsOf(world, account));
    if (account === undefined || market === undefined || !Price.isFresh(answers.of(market))) return undefined;
    const { terms, state } = vault.markets(market);
    const size = sizeOf(world, account, market);
    if (size === 0n || MarketWords.flags(state) > 1n) return undefined;
    const minimum = max(1n, MarketWords.minimumSize(terms));
    return trade(world, account, market, size > 0n ? -size - minimum : minimum - size);
  },
  firstPosition: (world) => {
    const { house, vault, answers } = world;
    const isOpen = (id: number) => Price.isFresh(answers.of(id)) && MarketWords.flags(vault.markets(id).state) < 2n;
    const market = oneOf(world, markets(world).filter(isOpen));
    const rich = house.accounts.filter((id) => AccountWord.principal(vault.accounts.get(id)) > 10n ** 20n);
    const account = oneOf(world, rich);
    if (market === undefined || account === undefined || vault.positions.get(account, market) !== 0n) return undefined;
    const minimum = max(1n, MarketWords.minimumSize(vault.markets(market).terms));
    return trade(world, account, market, world.d.sign() * minimum);
  },
  settles: (world) => {
    const account = oneOf(
      world,
      world.house.accounts.filter((id) => marketsOf(world, id).length > 0),
    );
    return account === undefined
      ? undefined
      : act("settle", anyCaller(world), [account, oneOf(world, marketsOf(world, account))]);
  },
  moves: (world) => {
    const { d, vault, house, code } = world;
    const rich = house.accounts.filter((id) => AccountWord.principal(vault.accounts.get(id)) > 10n ** 19n);
    const account = oneOf(world, rich);
    if (account === undefined) return undefined;
    const [token, amount] = [code.settlementToken, d.wide(1n, max(1n, 10n ** 18n / code.cashUnit))];
    if (d.chance(0.3)) return act("withdraw", ownerOf(account), [account, token, amount, ownerOf(account)]);
    if (d.chance(0.4))
      return act("transfer", ownerOf(account), [account, d.pick([world.subject, world.other]), token, amount]);
    const moves = [
      act("withdraw", ownerOf(account), [account, token, amount, ownerOf(account)]),
      act("deposit", ownerOf(account), [account, token, amount]),
      act("transfer", ownerOf(account), [account, account, token, amount]),
    ];
    return multicall(ownerOf(account), moves.slice(0, d.integer(1, 3)));
  },
  // Acts that cost little
  refresh: (world) => act("refreshCapital", anyCaller(world), []),
  lists: (world) => {
    const { d, vault, house, answers } = world;
    const index = vault.collateralCount;
    const token = house.tokens[index];
    const answer = answers.of(AssetSet.collateralAsset(index));
    if (token === undefined || index > 3 || !Price.isFresh(answer)) return undefined;
    return act(
      "listCollateral",
      anyCaller(world),
      [token.address, collateralParameters(d, Price.tolerance(answer))],
      [BigInt(token.decimals)],
    );
  },
  listsMarket: (world) => {
    const { d, vault, answers } = world;
    const answer = answers.of(vault.marketCount);
    if (vault.marketCount > 5 || !Price.isFresh(answer)) return undefined;
    const targetHealthWad = VaultWords.targetHealth(vault.accountRisk);
    const needs = { priceWad: Price.value(answer), toleranceWad: Price.tolerance(answer), targetHealthWad };
    return act("listMarket", anyCaller(world), [marketParameters(d, needs)]);
  },
  setsCollateral: (world) => {
    const { d, vault, answers } = world;
    if (vault.collateralCount === 0 || vault.collateralCount > 3) return undefined;
    const index = d.integer(0, vault.collateralCount - 1);
    const drawn = collateralParameters(d, Price.tolerance(answers.of(AssetSet.collateralAsset(index))));
    if (d.chance(0.5)) drawn.depositCap = 1n << BigInt(d.integer(96, 250)); // no field for it
    return act("setCollateralParameters", anyCaller(world), [tokenOf(world, index), drawn]);
  },
  setsMarket: (world) => {
    // As it stands, but for what binds it to nothing else.
    const { d, vault, answers } = world;
    const market = oneOf(
      world,
      markets(world).filter((id) => Price.isFresh(answers.of(id))),
    );
    if (market === undefined) return undefined;
    const { risk, terms, discount } = vault.markets(market);
    return act("setMarketParameters", anyCaller(world), [
      market,
      {
        initialBaseWad: MarketWords.initialBase(risk),
        maintenanceBaseWad: MarketWords.maintenanceBase(risk),
        profitWeightWad: ratio(d, 0n, 10n ** 18n),
        lambdaInitialWad: MarketWords.lambdaInitial(risk),
        lambdaMaintenanceWad: MarketWords.lambdaMaintenance(risk),
        maxFundingRatePerDayWad: ratio(d, 0n, 5n * 10n ** 16n),
        maxFundingVelocityPerDay2Wad: ratio(d, 0n, 10n ** 19n),
        maxFundingGapSeconds: MarketWords.maxFundingGap(risk),
        skewScaleWad: MarketWords.skewScale(risk),
        openInterestCapWad: 0n,
        minimumSizeWad: MarketWords.NANO,
        takerRateWad: MarketWords.takerRate(terms),
        makerRateWad: MarketWords.makerRate(terms),
        capitalShareWad: ratio(d, 0n, 10n ** 18n),
        openInterestSlopeWad: ratio(d, 0n, 10n ** 19n),
        discountBaseWad: MarketWords.discountBase(discount),
        discountSlopeWad: ratio(d, 0n, 10n ** 18n),
        discountCapWad: MarketWords.discountCap(discount),
      },
    ]);
  },
  setsAccounts: (world) => {
    const drawn = accountParameters(world.d);
    drawn.targetHealthWad = VaultWords.targetHealth(world.vault.accountRisk);
    return act("setAccountParameters", anyCaller(world), [drawn]);
  },
  revoke: (world) => act("revokeSignatures", anyCaller(world), []),
  operator: ({ d, subject, house }) =>
    act("setOperator", ownerOf(subject), [subject, house.callers[d.integer(0, 3)], BigInt(d.integer(0, 31))]),
  halt: (world) =>
    act(world.d.pick(["haltMarket", "resumeMarket"]), anyCaller(world), [
      world.d.integer(0, Math.max(0, markets(world).length - 1)),
    ]),
  haltBorrowing: (world) => act(world.d.pick(["haltBorrowing", "resumeBorrowing"]), anyCaller(world), []),
  mode: (world) => {
    const idle = oneOf(
      world,
      world.house.accounts.filter((id) => marketsOf(world, id).length === 0),
    );
    return idle === undefined ? undefined : act("setMode", ownerOf(idle), [idle, BigInt(world.d.integer(0, 1))]);
  },
  sweepFees: (world) =>
    act("sweepFees", anyCaller(world), [world.d.integer(0, Math.max(0, markets(world).length - 1))]),
  sweepInterest: (world) => act("sweepInterest", anyCaller(world), []),
  announce: (world) =>
    act("announceDelisting", anyCaller(world), [
      world.d.integer(0, Math.max(0, markets(world).length - 1)),
      world.vault.now + 86_400n + world.d.wide(1n, 10n ** 7n),
      world.d.chance(0.5) ? 0n : world.d.wide(1n, 10n ** 27n),
    ]),
  ramp: (world) => {
    const { vault } = world;
    const market = markets(world).find((id) => vault.marketRamps(id).clock !== 0n);
    if (market !== undefined) return act("rampMarket", anyCaller(world), [market]);
    const index = [0, 1, 2].find((index) => vault.collateralRamps(index).clock !== 0n);
    return index === undefined ? undefined : act("rampCollateral", anyCaller(world), [tokenOf(world, index)]);
  },
  rampAccounts: (world) =>
    world.vault.accountRamp.clock === 0n ? undefined : act("rampAccounts", anyCaller(world), []),
  permit: (world) => {
    const { subject, code, d } = world;
    const zero = `0x${"0".repeat(64)}`;
    const amount = d.wide(1n, 10n ** 20n / code.cashUnit + 1n);
    const told = act("depositWithPermit", ownerOf(subject), [subject, code.settlementToken, amount]);
    return { ...told, args: [subject, code.settlementToken, amount, 0n, 27n, zero, zero] };
  },
};

/** Those that the state seldom lets go their way. */
const oftener = [probes["bankrupts"], probes["noCollateral"], probes["staleCollateral"], probes["ramp"]];

/** One that the state lets go its way. */
export function drawProbe(world: World): Act {
  const list = [...Object.values(probes), ...oftener] as [Probe, ...Probe[]];
  for (;;) {
    const drawn = world.d.pick(list)(world);
    if (drawn !== undefined) return drawn;
  }
}
