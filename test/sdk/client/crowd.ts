import { accountParameters, collateralParameters, marketParameters } from "../../../ignition/deploy.js";
import {
  type AccountId,
  type Ballast,
  type Call,
  type CallMaker,
  type CallName,
  NotReadError,
  type State,
  accountId,
  decodeAccount,
  formatDecimal,
  marketsOf,
  simulate,
  collateralsOf,
} from "../../../sdk/index.js";
import * as MarginVault from "../../../sdk/risk/MarginVault.js";
import { MockToken__factory } from "../../../typechain-types/index.js";
import { type Signer, type World, firstPrices, wad } from "../../helpers/world.js";
import type { Draw } from "./drawing.js";

/** A call, and who sends it. */
export interface Act {
  readonly from: Signer;
  readonly call: Call;
}

const day = 86_400;
const hour = 3_600;
const tokens = ["USDC", "WETH", "WBTC"] as const;
const markets = ["BTC", "ETH", "LINK"] as const;
type Market = (typeof markets)[number];
/** About a quote unit of each token. */
const quoteUnit = { USDC: 10n ** 6n, WETH: 5n * 10n ** 15n, WBTC: 12_500n } as const;
const everything = 2n ** 256n - 1n;

/** How often each call is drawn. */
const weights = {
  trade: 34,
  deposit: 7,
  depositWithPermit: 3,
  withdraw: 7,
  transfer: 6,
  setMode: 3,
  settle: 6,
  liquidatePosition: 9,
  liquidateCollateral: 5,
  absorb: 6,
  buyCollateral: 5,
  refreshCapital: 2,
  sweepFees: 2,
  sweepInterest: 2,
  cover: 3,
  resolvePool: 3,
  delist: 2,
  rampMarket: 2,
  rampCollateral: 2,
  rampAccounts: 2,
  setOperator: 3,
  setOperatorBySig: 3,
  revokeSignatures: 1,
  multicall: 9,
} satisfies Record<CallName, number>;

const keepersWork: ReadonlySet<CallName> = new Set([
  "liquidatePosition",
  "liquidateCollateral",
  "absorb",
  "buyCollateral",
]);

/** How often a call is drawn, where that differs. */
export type Emphasis = Readonly<Partial<Record<CallName, number>>>;

/** Owners, an operator, keepers and strangers, who do anything at any time; and a world that moves around them. */
export class Crowd {
  readonly world: World;
  readonly owners: readonly Signer[];
  readonly keeper: Signer;
  readonly operator: Signer;
  readonly accounts: readonly AccountId[];
  readonly #draw: Draw;
  readonly #emphasis: Emphasis;
  readonly #calls: CallMaker;
  readonly #clients = new Map<string, Ballast>();
  readonly #prices = new Map<Market, bigint>(markets.map((market) => [market, wad(firstPrices[market])]));

  private constructor(world: World, draw: Draw, emphasis: Emphasis) {
    const [keeper, operator, ...owners] = world.signers.slice(0, 7) as [Signer, Signer, ...Signer[]];
    this.world = world;
    this.keeper = keeper;
    this.operator = operator;
    this.owners = owners;
    this.accounts = [keeper, ...owners].flatMap(({ address }) => [accountId(address), accountId(address, 1)]);
    this.#draw = draw;
    this.#emphasis = emphasis;
    this.#calls = world.ballast.calls;
  }

  /** Everybody with tokens; all but the last with an allowance. */
  static async gather(world: World, draw: Draw, emphasis: Emphasis): Promise<Crowd> {
    const crowd = new Crowd(world, draw, emphasis);
    const people = [crowd.keeper, ...crowd.owners];
    for (const [who, person] of people.entries()) {
      crowd.#clients.set(person.address, await world.as(person));
      for (const token of tokens) {
        await world.mint(token, person.address, { USDC: "300000", WETH: "300", WBTC: "8" }[token]);
        const { address } = crowd.#token(token);
        const allowance = who === people.length - 1 ? 1_000n * quoteUnit[token] : everything / 2n;
        await (await MockToken__factory.connect(address, person).approve(world.deployment.vault, allowance)).wait();
      }
      const [first, second] = [accountId(person.address), accountId(person.address, 1)];
      const client = crowd.#client(person);
      await client.deposit(first, "USDC", "20000");
      if (who % 2 === 0) continue;
      // Somebody who borrows.
      const collateral = who % 4 === 1 ? "WETH" : "WBTC";
      await client.deposit(second, collateral, { WETH: "80", WBTC: "2" }[collateral]);
      await client.withdraw(second, "USDC", "12000");
    }
    return crowd;
  }

  // ---------------------------------------------------------------- the world around them

  /**
   * Prices, time and administration, before the next call. Returns how many seconds pass until it.
   *
   * @param squeeze how likely a jump of a price goes against the pool
   */
  async stir(state: State, squeeze: number): Promise<number> {
    const draw = this.#draw;
    if (draw.chance(0.1)) this.#shock(state, squeeze);
    if (draw.chance(0.5)) for (const market of markets) this.#walk(market);
    if (draw.chance(0.45)) await this.#publish();
    if (draw.chance(0.5)) await (await this.world.ballast.vault.refreshCapital()).wait();
    if (draw.chance(0.08)) await this.#administrate();
    return draw.chance(0.04) ? draw.integer(hour / 2, 5 * hour) : draw.integer(1, 90);
  }

  #walk(market: Market): void {
    const moved = this.#draw.part(this.#price(market), 0.992, 1.008);
    const first = wad(firstPrices[market]);
    this.#prices.set(market, moved < first / 3n ? first / 3n : moved > first * 3n ? first * 3n : moved);
  }

  #shock(state: State, squeeze: number): void {
    const market = this.#draw.pick(markets);
    const price = this.#price(market);
    const first = wad(firstPrices[market]);
    const { $, code } = state.at();
    const { sizeWad } = MarginVault.position($, code, state.pool, this.world.ballast.marketId(market));
    const bad = this.#draw.chance(squeeze) ? sizeWad < 0n : this.#draw.chance(0.5);
    const up = price < first / 2n || (price < first * 2n && bad);
    const far = this.#draw.chance(0.4) ? 0.3 : 0.05;
    const [from, to] = up ? [1.01, 1 + far] : [1 - far, 0.99];
    this.#prices.set(market, this.#draw.part(price, from, to));
  }

  async #publish(): Promise<void> {
    await this.world.push(
      Object.fromEntries(markets.map((market) => [market, formatDecimal(this.#price(market), 18)])),
    );
  }

  async #administrate(): Promise<void> {
    const draw = this.#draw;
    const { vault } = this.world.ballast;
    const { parameters } = this.world;
    const id = draw.integer(0, 2);
    const market = parameters.markets[id];
    const collateral = draw.pick(parameters.collaterals);
    if (market === undefined) throw new RangeError(`no market ${id}`);
    const acts = {
      halt: () => vault.haltMarket(id),
      resume: () => vault.resumeMarket(id),
      haltBorrowing: () => vault.haltBorrowing(),
      resumeBorrowing: () => vault.resumeBorrowing(),
      market: () => {
        const changed = { ...marketParameters(market), maintenanceBaseWad: wad(market.maintenanceBase) };
        changed.maintenanceBaseWad = draw.part(wad(market.maintenanceBase), 1, 1.3);
        changed.maintenanceBaseWad -= changed.maintenanceBaseWad % 10n ** 12n;
        return vault.setMarketParameters(id, changed);
      },
      collateral: () => {
        const changed = collateralParameters(collateral);
        const maintenanceWeightWad = draw.pick([wad("0.9"), wad("0.86")]);
        return vault.setCollateralParameters(this.#token(collateral.symbol).address, {
          ...changed,
          maintenanceWeightWad,
        });
      },
      accounts: () => {
        const changed = accountParameters(parameters);
        return vault.setAccountParameters({ ...changed, keeperFloorWad: draw.pick([wad("2"), wad("5")]) });
      },
    };
    const name = draw.weighted({
      halt: 1,
      resume: 5,
      haltBorrowing: 1,
      resumeBorrowing: 4,
      market: 3,
      collateral: 2,
      accounts: 2,
    });
    await this.#publish();
    try {
      await (await acts[name]()).wait();
    } catch (error) {
      if (!String(error).includes("revert")) throw error; // what the moment does not allow
    }
  }

  /** Announces the end of a market, a day ahead. */
  async announceDelisting(market: Market): Promise<void> {
    const { vault, provider } = this.world.ballast;
    const { timestamp } = (await provider.getBlock("latest")) ?? { timestamp: 0 };
    const id = this.world.ballast.marketId(market);
    await (await vault.announceDelisting(id, timestamp + day + hour, this.#price(market))).wait();
  }

  // ---------------------------------------------------------------- what they do

  /** A call that somebody might make, with how things stand in mind. */
  async next(state: State): Promise<Act> {
    const from = this.#draw.chance(0.75) ? this.#draw.pick(this.owners) : this.keeper;
    let name = this.#draw.weighted({ ...weights, ...this.#emphasis });
    if (!this.#isTimely(name, state) && this.#draw.chance(0.8)) name = this.#draw.pick(["trade", "withdraw", "settle"]);
    const sender = keepersWork.has(name) && this.#draw.chance(0.8) ? this.keeper : from;
    const operated = this.#draw.chance(0.06);
    const stranger = this.#draw.chance(0.03);
    const caller = stranger ? this.#draw.pick(this.owners) : operated ? this.operator : sender;
    // The twin may say what has a chance to go through; whether it does, the chain says.
    const aimed = this.#draw.chance(0.6);
    let call = await this.#make(name, sender, state);
    for (let attempt = 1; aimed && attempt < 6 && !this.#mayGoThrough(call, caller, state); attempt += 1) {
      call = await this.#make(name, sender, state);
    }
    return { call, from: caller };
  }

  #mayGoThrough(call: Call, from: Signer, state: State): boolean {
    try {
      return simulate(state, call, { from: from.address, at: state.block.timestamp + 1 }).error === undefined;
    } catch (error) {
      if (!(error instanceof NotReadError)) throw error;
      return error.what === "tokens"; // nobody's are read, and most have enough
    }
  }

  /** Whether there is something to do for a keeper. */
  #isTimely(name: CallName, state: State): boolean {
    if (name === "buyCollateral") return [0, 1].some((index) => state.storage.collateralOf.get(state.pool, index) > 0n);
    return !keepersWork.has(name) || this.#liquidatable(state, name === "liquidateCollateral") !== undefined;
  }

  async #make(name: CallName, from: Signer, state: State): Promise<Call> {
    const draw = this.#draw;
    const calls = this.#calls;
    const own = accountId(from.address, draw.chance(0.7) ? 0 : 1);
    const any = draw.pick(this.accounts);
    const market = draw.pick(markets);
    const token = draw.pick(tokens);
    const amount = draw.ofAnySize(quoteUnit[token] / 2n, quoteUnit[token] * 60_000n);
    const pool = this.world.ballast.poolAccount;
    const insurance = accountId(this.world.deployment.vault);
    switch (name) {
      case "trade":
        return this.#trade(own, state);
      case "deposit":
        return calls.deposit(draw.chance(0.8) ? own : draw.pick([any, pool]), token, draw.chance(0.04) ? 0n : amount);
      case "depositWithPermit":
        return this.#depositWithPermit(own, from, token, amount);
      case "withdraw": {
        const to = draw.chance(0.9) ? from.address : draw.pick([this.world.deployment.vault, zero]);
        const had = this.#tokenOf(state, own);
        return calls.withdraw(own, had, this.#held(state, own, had), to);
      }
      case "transfer": {
        const to = draw.pick([accountId(from.address, 1), accountId(from.address), any, own, pool]);
        const had = this.#tokenOf(state, own);
        return calls.transfer(own, to, had, this.#held(state, own, had));
      }
      case "setMode":
        return calls.setMode(own, draw.pick(["cross", "isolated"]));
      case "settle": {
        const [account, held] = this.withPosition(state) ?? [any, market];
        return draw.chance(0.8) ? calls.settle(account, held) : calls.settle(draw.pick([any, pool]), market);
      }
      case "liquidatePosition": {
        const account = this.#liquidatable(state) ?? any;
        const held = draw.pick(this.#marketsOf(state, account) ?? [market]);
        const maxSize = draw.chance(0.75) ? everything : draw.ofAnySize(10n ** 16n, 10n ** 21n);
        return calls.liquidatePosition(account, held, { taker: draw.pick([pool, own, own]), maxSize });
      }
      case "liquidateCollateral": {
        const account = this.#liquidatable(state, true) ?? any;
        const { collaterals } = this.world.deployment;
        const { assets } = decodeAccount(state.storage.accounts.get(account));
        const held = collateralsOf(assets).map((index) => collaterals[index]?.symbol ?? "WETH");
        const maxAmount = draw.chance(0.5) ? everything : amount;
        return calls.liquidateCollateral(account, held.length > 0 ? draw.pick(held) : "WETH", own, maxAmount);
      }
      case "absorb": {
        const found = this.#liquidatable(state);
        const others = Array.from(
          { length: draw.integer(0, 2) },
          () => this.#liquidatable(state) ?? draw.pick(this.accounts),
        );
        const first = found ?? draw.pick([any, any, any, pool, insurance]);
        return calls.absorb([first, ...others], own);
      }
      case "buyCollateral": {
        const collateral = draw.pick(["WETH", "WBTC"] as const);
        const maxCost = draw.chance(0.85) ? 10n ** 30n : 10n ** 19n;
        const stock = state.storage.collateralOf.get(pool, collateral === "WETH" ? 0 : 1);
        const asked = stock > 0n && draw.chance(0.9) ? draw.part(stock, 0.01, 1.02) : quoteUnit[collateral];
        return calls.buyCollateral(own, collateral, asked, maxCost);
      }
      case "refreshCapital":
        return calls.refreshCapital();
      case "sweepFees":
        return calls.sweepFees(market);
      case "sweepInterest":
        return calls.sweepInterest();
      case "cover":
        return calls.cover();
      case "resolvePool":
        return calls.resolvePool();
      case "delist":
        return calls.delist(draw.chance(0.7) ? "LINK" : market);
      case "rampMarket":
        return calls.rampMarket(market);
      case "rampCollateral":
        return calls.rampCollateral(draw.pick(["WETH", "WBTC"]));
      case "rampAccounts":
        return calls.rampAccounts();
      case "setOperator": {
        const permissions = BigInt(draw.integer(0, 31)) + (draw.chance(0.1) ? 32n : 0n);
        return calls.setOperator(draw.chance(0.85) ? own : any, this.operator.address, permissions);
      }
      case "setOperatorBySig":
        return this.#grant(own, from, state);
      case "revokeSignatures":
        return calls.revokeSignatures();
      case "multicall": {
        const inner = { ...weights, multicall: 0.4, withdraw: 12, deposit: 12, absorb: 2, liquidateCollateral: 1 };
        const drawn = await Promise.all(
          Array.from({ length: draw.integer(1, 3) }, () => this.#make(draw.weighted(inner), from, state)),
        );
        return calls.multicall(drawn);
      }
    }
  }

  #trade(account: AccountId, state: State): Call {
    const draw = this.#draw;
    const { $, code } = state.at();
    const held = this.#marketsOf(state, account);
    const market = held !== undefined && draw.chance(0.6) ? draw.pick(held) : draw.pick(markets);
    const price = this.#price(market);
    const { sizeWad } = MarginVault.position($, code, account, this.world.ballast.marketId(market));
    const { equityInitialWad, requirementInitialWad } = MarginVault.health($, code, account);
    const free = equityInitialWad - requirementInitialWad;
    const bearable = free > 0n ? (free * (market === "LINK" ? 9n : 18n) * wad("1")) / price : wad("1");
    const side = draw.chance(0.5) ? 1n : -1n;
    const holds = sizeWad === 0n ? 0 : 1;
    const kind = draw.weighted({ large: 5, any: 4, close: 3 * holds, reduce: 2 * holds, dust: 0.5, none: 0.2 });
    const size = {
      large: side * draw.part(bearable, 0.7, 1.02),
      any: (side * draw.ofAnySize(wad("12"), wad("50000")) * wad("1")) / price,
      close: -sizeWad,
      reduce: -draw.part(sizeWad, 0.1, 1.2),
      dust: side * BigInt(draw.integer(1, 1000)),
      none: 0n,
    }[kind];
    const limitPrice = draw.chance(0.88) ? 0n : draw.part(price, 0.99, 1.01);
    const deadline = draw.chance(0.97) ? everything : BigInt(state.block.timestamp);
    return this.#calls.trade(account, market, size, { limitPrice, deadline });
  }

  async #depositWithPermit(account: AccountId, from: Signer, token: string, amount: bigint): Promise<Call> {
    const draw = this.#draw;
    const deadline = draw.chance(0.85) ? 2n ** 40n : 1n;
    const permit = await this.#client(from).signPermit(token, amount, { deadline });
    const kind = draw.weighted({ good: 6, otherAmount: 1, malformed: 1 });
    const changed = {
      good: permit,
      otherAmount: { ...permit, amount: amount + 1n },
      malformed: { ...permit, v: draw.pick([0, 27, 28, 29]) },
    }[kind];
    return this.#calls.depositWithPermit(account, changed);
  }

  async #grant(account: AccountId, from: Signer, state: State): Promise<Call> {
    const draw = this.#draw;
    const permissions = BigInt(draw.integer(0, 31));
    const next = state.storage.nonces.get(from.address.toLowerCase());
    const nonce = draw.chance(0.8) ? next : draw.pick([0n, next + 1n]);
    const deadline = draw.chance(0.85) ? 2n ** 40n : 1n;
    const client = this.#client(from);
    const grant = await client.signOperatorGrant(account, this.operator.address, permissions, { nonce, deadline });
    const forged = draw.chance(0.15);
    return this.#calls.setOperatorBySig(forged ? { ...grant, permissions: permissions ^ 1n } : grant);
  }

  /** A token that the account has, or another. */
  #tokenOf(state: State, account: AccountId): (typeof tokens)[number] {
    const { assets } = decodeAccount(state.storage.accounts.get(account));
    const had = collateralsOf(assets)
      .map((index) => tokens[index + 1])
      .filter((token) => token !== undefined);
    return this.#draw.chance(0.12) ? this.#draw.pick(tokens) : this.#draw.pick(["USDC", ...had] as const);
  }

  /** Some of what an account has of a token, or a little more. */
  #held(state: State, account: AccountId, token: (typeof tokens)[number]): bigint {
    const { $, code } = state.at();
    const cash = MarginVault.cash($, code, account) / 10n ** 12n;
    const index = this.world.deployment.collaterals.findIndex(({ symbol }) => symbol === token);
    const held = token === "USDC" ? cash : $.collateralOf.get(account, index);
    if (token === "USDC" && this.#draw.chance(0.45)) {
      const { equityInitialWad, requirementInitialWad } = MarginVault.health($, code, account);
      const free = (equityInitialWad - requirementInitialWad) / 10n ** 12n;
      if (free > 0n) return this.#draw.part(free, 0.8, 1.02);
    }
    if (held <= 0n || this.#draw.chance(0.1)) return this.#draw.ofAnySize(quoteUnit[token], quoteUnit[token] * 5_000n);
    return this.#draw.part(held, 0.05, 1.03);
  }

  #liquidatable(state: State, withCollateral = false): AccountId | undefined {
    const { $, code } = state.at();
    const found = this.accounts.filter((account) => {
      const { assets } = decodeAccount($.accounts.get(account));
      if (withCollateral && collateralsOf(assets).length === 0) return false;
      const { equityMaintenanceWad, requirementMaintenanceWad } = MarginVault.health($, code, account);
      return equityMaintenanceWad < requirementMaintenanceWad;
    });
    return found.length === 0 ? undefined : this.#draw.pick(found);
  }

  /** Somebody with a position, and where; undefined: nobody has one. */
  withPosition(state: State): [AccountId, Market] | undefined {
    const found = this.accounts.flatMap((account) =>
      (this.#marketsOf(state, account) ?? []).map((market): [AccountId, Market] => [account, market]),
    );
    return found.length === 0 ? undefined : this.#draw.pick(found);
  }

  #marketsOf(state: State, account: AccountId): Market[] | undefined {
    const ids = marketsOf(decodeAccount(state.storage.accounts.get(account)).assets);
    const found = ids.map((id) => markets[id]).filter((market) => market !== undefined);
    return found.length === 0 ? undefined : found;
  }

  #price(market: Market): bigint {
    const price = this.#prices.get(market);
    if (price === undefined) throw new RangeError(`no price of ${market}`);
    return price;
  }

  #client(who: Signer): Ballast {
    const client = this.#clients.get(who.address);
    if (client === undefined) throw new RangeError(`${who.address} is not of the crowd`);
    return client;
  }

  #token(symbol: string): { readonly address: string; readonly decimals: number } {
    const { settlementToken, collaterals } = this.world.deployment;
    const found = [settlementToken, ...collaterals].find((token) => token.symbol === symbol);
    if (found === undefined) throw new RangeError(`no token ${symbol}`);
    return found;
  }
}

const zero = `0x${"0".repeat(40)}`;
