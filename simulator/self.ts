import type { Interface } from "ethers";

import type { DeploymentParameters } from "../deployments/schema.js";
import {
  type AccountId,
  type Ballast,
  type Position,
  accountId,
  formatDecimal,
  parseDecimal,
  revertData,
} from "../sdk/index.js";
import { MarginVault__factory } from "../typechain-types/index.js";
import { type Depth, type Holdings, exitValue } from "./exitValue.js";
import { type LocalMarket, give, logsOf, send } from "./market.js";
import { type Random, randomStreams } from "./random.js";

/** What came of it that owners liquidated themselves. Money as decimal strings. */
export interface SelfFigures {
  /** Rounds: an owner's account was at risk, and something was done to it. */
  readonly selfRounds: number;
  /** What the owners could walk away with (see exitValue) before and after each round, at the same prices; summed over rounds. */
  readonly ownersBefore: string;
  readonly ownersAfter: string;
  /** The most that one round brought, the next two aside; below zero where every round cost something. */
  readonly ownersLargestGain: string;
  /** What insurance added to the owners' rewards for absorbing. */
  readonly ownersTopUp: string;
  /** What they had of the discount at which the pool offered collateral to everybody, before it absorbed theirs. */
  readonly ownersOffers: string;
  /** How often each act was done, and how often refused. */
  readonly selfActs: Readonly<Record<string, { readonly done: number; readonly refused: number }>>;
}

const vault: Interface = MarginVault__factory.createInterface();
const unbounded = 2n ** 256n - 1n;
const purseCash = "50000";
const roundsAnAccount = 3;
const pieces = 4;
/** So that the draws are not those of the population of the same seed. */
const streamOffset = 0x5e1f;

/** Where the owners act: the market to send to, a client to read with, and what was deployed. */
export interface SelfWorld {
  readonly market: LocalMarket;
  readonly ballast: Ballast;
  readonly parameters: DeploymentParameters;
}

/** An owner: the account of the population, and a purse under another key that takes, is paid, and trades. */
interface Owner {
  readonly account: AccountId;
  readonly purseKey: string;
  readonly purse: AccountId;
  readonly random: Random;
}

/**
 * Owners who liquidate themselves through a second account before any keeper does: into the pool, to themselves as taker, whole or in
 * pieces, by selling their collateral to themselves, by absorbing themselves and buying back; with the skew moved before and back after, with
 * gifts, settlements and sweeps in between, in an order drawn from the seed.
 */
export class SelfLiquidators {
  readonly #market: LocalMarket;
  readonly #ballast: Ballast;
  readonly #parameters: DeploymentParameters;
  readonly #owners: readonly Owner[];
  readonly #acts: Record<string, { done: number; refused: number }> = {};
  /** Successful calls, by function. */
  readonly #methods = new Map<string, number>();
  #rounds = 0;
  #before = 0n;
  #after = 0n;
  #largestGain: bigint | undefined;
  #topUp = 0n;
  #offers = 0n;

  private constructor({ market, ballast, parameters }: SelfWorld, owners: readonly Owner[]) {
    this.#market = market;
    this.#ballast = ballast;
    this.#parameters = parameters;
    this.#owners = owners;
  }

  /** Gives each account a purse, with cash and, for two of three, a position in one of the account's markets. */
  static async create(
    world: SelfWorld,
    accounts: readonly AccountId[],
    firstPurseKey: number,
    seed: number,
  ): Promise<SelfLiquidators> {
    const streams = randomStreams((seed ^ streamOffset) >>> 0, accounts.length);
    const owners = accounts.map((account, at): Owner => {
      const purseKey = world.market.keys[firstPurseKey + at];
      const random = streams[at];
      if (purseKey === undefined || random === undefined) throw new RangeError(`the node holds no key for purse ${at}`);
      return { account, purseKey, purse: accountId(purseKey), random };
    });
    const self = new SelfLiquidators(world, owners);
    for (const owner of owners) await self.#fillPurse(owner);
    return self;
  }

  get purses(): AccountId[] {
    return this.#owners.map(({ purse }) => purse);
  }

  /** One turn of the owners of these accounts, which are at risk at the prices as they stand. Returns what they did, as keepers count it. */
  async act(atRisk: ReadonlySet<AccountId>): Promise<{ readonly liquidations: number; readonly absorbed: number }> {
    const before = this.#counts();
    for (const owner of this.#owners) {
      if (!atRisk.has(owner.account)) continue;
      for (let round = 0; round < roundsAnAccount; round += 1) {
        if (!(await this.#ballast.health(owner.account)).isLiquidatable) break;
        await this.#round(owner);
      }
    }
    const after = this.#counts();
    return { liquidations: after.liquidations - before.liquidations, absorbed: after.absorbed - before.absorbed };
  }

  #counts() {
    const done = (method: string) => this.#methods.get(method) ?? 0;
    return {
      liquidations: done("liquidatePosition") + done("liquidateCollateral"),
      absorbed: done("absorb"),
    };
  }

  figures(): SelfFigures {
    return {
      selfRounds: this.#rounds,
      ownersBefore: formatDecimal(this.#before, 18),
      ownersAfter: formatDecimal(this.#after, 18),
      ownersLargestGain: formatDecimal(this.#largestGain ?? 0n, 18),
      ownersTopUp: formatDecimal(this.#topUp, 18),
      ownersOffers: formatDecimal(this.#offers, 18),
      selfActs: this.#acts,
    };
  }

  // ---------------------------------------------------------------- a round

  async #round(owner: Owner): Promise<void> {
    const { account, random } = owner;
    const before = await this.#exitValue(owner);
    const asideBefore = this.#topUp + this.#offers;
    const legs = await this.#ballast.positions(account);
    const leg = legs[random.integer(0, Math.max(0, legs.length - 1))];
    const leaned = leg !== undefined && random.uniform() < 0.4 ? await this.#lean(owner, leg) : 0n;
    if (random.uniform() < 0.25) await this.#prepare(owner, leg);
    await this.#liquidate(owner, leg);
    if (leg !== undefined && leaned !== 0n) await this.#trade("trade back", owner, leg.market, -leaned);

    const after = await this.#exitValue(owner);
    const gain = after - before - (this.#topUp + this.#offers - asideBefore);
    this.#rounds += 1;
    this.#before += before;
    this.#after += after;
    if (this.#largestGain === undefined || gain > this.#largestGain) this.#largestGain = gain;
  }

  /** Moves the skew with a trade of the purse. Returns its size, zero where it was refused. */
  async #lean(owner: Owner, { market, sizeWad }: Position): Promise<bigint> {
    const delta = (sizeWad * BigInt(owner.random.integer(-150, 150))) / 100n;
    return delta !== 0n && (await this.#trade("trade before", owner, market, delta)) ? delta : 0n;
  }

  /** Something that might matter to what comes after it. */
  async #prepare(owner: Owner, leg: Position | undefined): Promise<void> {
    const { account, purse, random } = owner;
    const way = random.integer(0, 3);
    const market = leg === undefined ? undefined : this.#ballast.marketId(leg.market);
    if (way === 0 && market !== undefined) await this.#do("settle", owner, "settle", [account, market]);
    else if (way === 1 && market !== undefined) await this.#do("sweep fees", owner, "sweepFees", [market]);
    else if (way === 2) await this.#do("refresh capital", owner, "refreshCapital", []);
    else {
      const { address, decimals } = this.#market.deployment.settlementToken;
      const gift = 10n ** BigInt(decimals) * BigInt(random.integer(10, 40));
      await this.#do("gift", owner, "transfer", [purse, account, address, gift]);
    }
  }

  async #liquidate(owner: Owner, leg: Position | undefined): Promise<void> {
    const { purse, random } = owner;
    const pool = this.#ballast.poolAccount;
    const way = random.integer(0, 5);
    if (leg === undefined || way === 0) await this.#absorbAndBuyBack(owner);
    else if (way === 1) await this.#sellCollateral(owner);
    else if (way === 2) await this.#takePosition("into the pool", owner, leg, pool);
    else if (way === 3) await this.#takePosition("to the purse", owner, leg, purse);
    else if (way === 4) await this.#takeInPieces("into the pool, in pieces", owner, leg, pool);
    else await this.#takeInPieces("to the purse, in pieces", owner, leg, purse);
  }

  async #takePosition(name: string, owner: Owner, { market }: Position, taker: AccountId, most = unbounded) {
    const id = this.#ballast.marketId(market);
    return this.#do(name, owner, "liquidatePosition", [owner.account, id, most, taker]);
  }

  async #takeInPieces(name: string, owner: Owner, leg: Position, taker: AccountId): Promise<void> {
    const size = leg.sizeWad < 0n ? -leg.sizeWad : leg.sizeWad;
    for (let piece = 0; piece < pieces; piece += 1) {
      await this.#takePosition(name, owner, leg, taker, size / BigInt(3 * pieces) + 1n);
    }
  }

  async #sellCollateral(owner: Owner): Promise<void> {
    for (const { address } of await this.#collaterals(owner.account)) {
      const sale = [owner.account, address, unbounded, owner.purse];
      await this.#do("collateral to the purse", owner, "liquidateCollateral", sale);
    }
  }

  async #absorbAndBuyBack(owner: Owner): Promise<void> {
    const held = await this.#collaterals(owner.account);
    const offered = new Map<string, bigint>();
    for (const { symbol } of held) offered.set(symbol, await this.#offeredDiscount(symbol));
    if (!(await this.#do("absorb", owner, "absorb", [[owner.account], owner.purse]))) return;
    for (const { symbol, address, amount } of held) {
      const stock = (await this.#collaterals(this.#ballast.poolAccount)).find((each) => each.symbol === symbol)?.amount;
      if (!(await this.#do("buy back", owner, "buyCollateral", [owner.purse, address, amount, unbounded]))) continue;
      const share = ((offered.get(symbol) ?? 0n) * amount) / (stock ?? amount);
      const gain = share - (await this.#tolerated(symbol, amount));
      if (gain > 0n) this.#offers += gain;
    }
  }

  /** The discount (wad) on all that the pool has for sale of a token, before the price's tolerance is added: anyone could have it. */
  async #offeredDiscount(symbol: string): Promise<bigint> {
    const offered = (await this.#collaterals(this.#ballast.poolAccount)).find((each) => each.symbol === symbol);
    if (offered === undefined) return 0n;
    const { amount, decimals } = offered;
    const { priceWad } = await this.#ballast.collateralPrice(symbol);
    const value = (amount * priceWad) / 10n ** BigInt(decimals);
    const asked = await this.#ballast.previewBuyCollateral(symbol, amount);
    return value + (await this.#tolerated(symbol, amount)) - asked;
  }

  /** What the price's tolerance adds to what the pool asks, wad. */
  async #tolerated(symbol: string, amount: bigint): Promise<bigint> {
    const { priceWad, toleranceWad } = await this.#ballast.collateralPrice(symbol);
    const decimals = this.#market.deployment.collaterals.find((each) => each.symbol === symbol)?.decimals ?? 0;
    return (amount * priceWad * toleranceWad) / 10n ** BigInt(decimals + 18);
  }

  async #trade(name: string, owner: Owner, market: string, size: bigint): Promise<boolean> {
    return this.#do(name, owner, "trade", [owner.purse, this.#ballast.marketId(market), size, 0n, unbounded]);
  }

  /** Sends an act with the purse's key. What the vault refuses is counted; anything else is a fault of the run. */
  async #do(name: string, { purseKey }: Owner, method: string, args: readonly unknown[]): Promise<boolean> {
    const count = (this.#acts[name] ??= { done: 0, refused: 0 });
    const { chain, deployment } = this.#market;
    try {
      const hash = await send(chain, purseKey, deployment.vault, vault.encodeFunctionData(method, args));
      if (method === "absorb") await this.#countTopUp(hash);
    } catch (error) {
      const data = revertData(error);
      if (data === undefined || vault.parseError(data) === null) throw error;
      count.refused += 1;
      return false;
    }
    count.done += 1;
    this.#methods.set(method, (this.#methods.get(method) ?? 0) + 1);
    return true;
  }

  /** What a reward has beyond the penalty comes from insurance. */
  async #countTopUp(hash: string): Promise<void> {
    for (const log of await logsOf(this.#market.chain, hash)) {
      const event = vault.parseLog(log);
      if (event?.name !== "Absorbed") continue;
      const { penaltyWad, rewardWad } = event.args as unknown as { penaltyWad: bigint; rewardWad: bigint };
      if (rewardWad > penaltyWad) this.#topUp += rewardWad - penaltyWad;
    }
  }

  // ---------------------------------------------------------------- set-up and reads

  async #fillPurse(owner: Owner): Promise<void> {
    const { symbol, decimals } = this.#market.deployment.settlementToken;
    await give(this.#market, owner.purseKey, owner.purse, { token: symbol, amount: parseDecimal(purseCash, decimals) });
    const [leg] = await this.#ballast.positions(owner.account);
    const side = owner.random.integer(-1, 1);
    if (leg === undefined || side === 0) return;
    const size = (leg.sizeWad * BigInt(side * owner.random.integer(50, 150))) / 100n;
    await this.#trade("opened by the purse", owner, leg.market, size);
  }

  async #exitValue({ account, purse }: Owner): Promise<bigint> {
    const holdings = [await this.#holdings(account), await this.#holdings(purse)];
    const markets = new Set(holdings.flatMap(({ positions }) => positions.map(({ market }) => market)));
    const depths = new Map<number, Depth>();
    for (const market of markets) depths.set(market, await this.#depth(market));
    return exitValue(holdings, depths);
  }

  async #holdings(account: AccountId): Promise<Holdings> {
    const cashWad = await this.#ballast.vault.cash(account);
    const positions = await this.#ballast.positions(account);
    let collateralWad = 0n;
    for (const { symbol, amount, decimals } of await this.#collaterals(account)) {
      const { priceWad } = await this.#ballast.collateralPrice(symbol);
      collateralWad += (amount * priceWad) / 10n ** BigInt(decimals);
    }
    return {
      cashWad,
      collateralWad,
      positions: positions.map(({ market, ...rest }) => ({ ...rest, market: this.#ballast.marketId(market) })),
    };
  }

  async #collaterals(account: AccountId) {
    const held = new Map((await this.#ballast.collaterals(account)).map(({ token, amount }) => [token, amount]));
    return this.#market.deployment.collaterals.flatMap((listed) => {
      const amount = held.get(listed.symbol);
      return amount === undefined ? [] : [{ ...listed, amount }];
    });
  }

  async #depth(market: number): Promise<Depth> {
    const symbol = this.#ballast.marketSymbol(market);
    const { sizeWad } = await this.#ballast.position(this.#ballast.poolAccount, symbol);
    const { priceWad } = await this.#ballast.price(symbol);
    const skewScaleWad = parseDecimal(this.#parameters.markets[market]?.skewScale ?? "", 18);
    return { priceWad, skewWad: -sizeWad, skewScaleWad };
  }
}
