import type { Logger } from "pino";

import { NodeLagsError, type RpcSender } from "../sdk/book/index.js";
import { type AccountId, type Deployment, accountId, contractInterfaces } from "../sdk/index.js";
import type * as Margin from "../sdk/risk/libraries/Margin.js";
import * as Price from "../sdk/risk/types/Price.js";
import * as VaultWords from "../sdk/risk/types/VaultWords.js";
import { BackOff } from "./decide/backOff.js";
import { type Chores, firstChores, lastChores } from "./decide/chores.js";
import { gasOf } from "./decide/gas.js";
import { giveBackCalls } from "./decide/giveBackCalls.js";
import type { TakerPolicy } from "./decide/inventory.js";
import { type Policy, type Wait, plan } from "./decide/plan.js";
import type { GasCost, ProfitPolicy } from "./decide/profit.js";
import { type TakerSide, healthText } from "./decide/steps.js";
import type { Books } from "./decide/trial.js";
import { Observer, type Sight } from "./observe/observer.js";
import type { CallResult, Hands, Metrics, Plan, PlannedCall, SkipReason, Store } from "./parts.js";
import { failureDetail, failureReason } from "./reason.js";
import { TurnRecord, type TurnReport } from "./turn.js";

/** What the keeper's money decides. */
export interface KeeperPolicy extends ProfitPolicy {
  /** What gas is paid in: an asset of the oracle, or its price (wad of quote for a whole token). Absent: nobody knows what gas costs. */
  readonly gasToken?: { readonly asset: number } | { readonly priceWad: bigint };
}

/** The keeper's capital: which account of its key holds it, and what may be done with it. Every position of that account is given back. */
export interface TakerOptions extends TakerPolicy {
  readonly index: number;
}

export interface KeeperDependencies {
  /** The keeper's only view of the chain. One that has several nodes is told when a turn begins, and when the one it chose is not to be believed. */
  readonly node: RpcSender & { pin?(): Promise<number>; doubt?(detail: string): void };
  readonly hands: Hands;
  readonly deployment: Deployment;
  readonly log: Logger;
  /** Address that sends: its first account has the rewards, and it owns the taker's. */
  readonly owner: string;
  readonly policy: KeeperPolicy;
  /** Without it the keeper puts everything into the pool. */
  readonly taker?: TakerOptions | undefined;
  /** Where snapshots are kept; without it every start reads the whole log. */
  readonly store?: Pick<Store, "readSnapshot" | "writeSnapshot"> | undefined;
  readonly metrics?: Metrics | undefined;
  /** Blocks between two audits of all accounts, and accounts whose health is compared each turn. */
  readonly audit?: { readonly blocks: number; readonly sample: number } | undefined;
  readonly snapshotBlocks?: number | undefined;
}

/** The last comparison of the books with the chain. */
export interface Audited {
  readonly block: number;
  readonly agrees: boolean;
}

/**
 * Observes, decides, executes: one turn a block. It knows every account from the vault's log, plans on the twin of the contracts what to
 * do for all that are liquidatable, and hands the plan over. Without a taker it owns nothing but gas money, since the pool takes what it
 * liquidates. With one it takes over what earns it more than the pool pays for, as far as its policy goes, and gives it back later.
 */
export class Keeper {
  /** The account that rewards go to. */
  readonly account: AccountId;
  readonly #of: KeeperDependencies;
  readonly #observer: Observer;
  readonly #taker: { readonly account: AccountId; readonly policy: TakerPolicy } | undefined;
  readonly #backOff = new BackOff();
  /** When (Unix seconds) the taker last took something, by market. A keeper that starts anew takes all it holds for old. */
  readonly #takenAt = new Map<number, number>();
  /** Calls about no account (their data) that were sent and not mined yet, and the block in which they were. */
  readonly #sent = new Map<string, number>();
  /** Why each account was left alone in the last turn: a reason is told once. */
  #left = new Map<AccountId, SkipReason>();
  /** Since when (Unix seconds) accounts are liquidatable. */
  #since = new Map<AccountId, number>();
  #sight: Sight | undefined;
  #audited: Audited | undefined;

  constructor(dependencies: KeeperDependencies) {
    const { node, deployment, log, owner, taker, store, metrics, audit, snapshotBlocks } = dependencies;
    this.#of = dependencies;
    this.account = accountId(owner);
    this.#taker = taker && { account: accountId(owner, taker.index), policy: taker };
    this.#observer = new Observer(node, deployment, {
      log,
      metrics,
      store,
      snapshotBlocks,
      auditBlocks: audit?.blocks,
      auditSample: audit?.sample,
    });
  }

  /** The block that the last turn ended on, with its books and prices. */
  get sight(): Sight | undefined {
    return this.#sight;
  }

  get audited(): Audited | undefined {
    return this.#audited;
  }

  /** Accounts whose health was below this (wad) when the last turn ended, those that are liquidatable among them. */
  nearEdge(healthWad: bigint): { readonly account: AccountId; readonly healthWad: bigint }[] {
    return this.#observer.below(healthWad).map(({ account, health }) => ({ account, healthWad: health.healthWad }));
  }

  /**
   * One turn: goes to the node's head and acts until nothing more is to be done there. An account that could not be acted on waits for a
   * later turn. Throws only where the chain cannot be read; nothing is lost then. Await a turn before the next.
   *
   * @param _blockNumber the block that it is about; the node may be further
   */
  async onBlock(_blockNumber?: number): Promise<TurnReport> {
    const { hands, log, node } = this.#of;
    const turn = new TurnRecord(log);
    const startedAt = performance.now();
    let seenAtMs: number | undefined;
    await node.pin?.();
    for (let round = 0; ; round += 1) {
      const before = this.#sight;
      const sight = await this.#look();
      this.#sight = sight;
      if (round === 0) seenAtMs = this.#measure(sight, before, startedAt) ? startedAt : undefined;
      turn.checked = this.#observer.swept;
      for (const { account } of sight.liquidatable) turn.atRisk.add(account);
      // Of what was taken in the blocks before, this is the time at the earliest.
      for (const market of turn.taken) this.#takenAt.set(market, sight.head.timestamp);
      turn.taken.clear();

      const { calls, skips } = await this.#plan(sight, turn, round);
      turn.skips = skips;
      if (calls.length === 0) break;
      const results = await hands.execute(calls, seenAtMs);
      this.#noteBackOff(results, sight.head.number);
      for (const { kind, call } of results) {
        if (kind === "underWay") this.#sent.set(call.data, sight.head.number);
        else this.#sent.delete(call.data);
      }
      if (!turn.note(results)) break;
    }
    await this.#audit();
    this.#observer.snapshot();
    const report = turn.report();
    this.#tell(report);
    return report;
  }

  /** Writes a snapshot, so that the next start is a short one. Await it after the last turn. */
  close(): void {
    this.#observer.snapshot(true);
  }

  /** What the node tells may not hold together: then the next turn asks another one. */
  async #look(): Promise<Sight> {
    try {
      return await this.#observer.turn();
    } catch (error) {
      if (!(error instanceof NodeLagsError)) this.#of.node.doubt?.(failureDetail(error));
      throw error;
    }
  }

  async #plan(sight: Sight, turn: TurnRecord, round: number): Promise<Plan> {
    const { deployment, owner, log } = this.#of;
    const isLast = round === maxRounds;
    const { vault } = deployment;
    const books: Books = sight.state.at(sight.head.timestamp, owner);
    const liquidatable = sight.liquidatable.filter(({ account }) => !turn.failed.has(account));
    // Once for the whole plan: what is looked after meanwhile may change it.
    const underWay = this.#of.hands.underWay();
    const waiting = this.#waiting(sight, liquidatable, underWay, isLast);
    const taker = this.#takerOf(turn, underWay);
    const first = firstChores(books, vault);
    const givesBack = taker !== undefined && round === 0; // so much a turn
    const back = givesBack ? giveBackCalls(books, vault, taker, this.#takenAt) : { calls: [], kept: [] };
    for (const { market, reason } of back.kept) log.debug({ taker: taker?.account, market, reason }, "kept");
    const gas = liquidatable.length === 0 ? unknownGas : await this.#gasCost(sight);
    const policy: Policy = { keeperAccount: this.account, vault, profit: this.#of.policy, gas, waiting };
    const { calls, skips } = plan(books, liquidatable, policy, taker);
    const last = lastChores(books, vault, this.#observer.finals());
    this.#tellPostponed([first, last]);
    const all = [...first.calls, ...back.calls, ...calls, ...last.calls, ...this.#refreshes(sight, turn)];
    const isNew = ({ data, accounts }: PlannedCall) =>
      !turn.refused.has(data) &&
      (accounts.length === 0 ? !this.#isSent(data, sight) : !accounts.some((account) => underWay.has(account)));
    return { calls: isLast ? [] : all.filter(isNew), skips };
  }

  /** Whether a call about no account was sent a short time ago: who knows what becomes of it then sees it in the books. */
  #isSent(data: string, { head }: Sight): boolean {
    const block = this.#sent.get(data);
    return block !== undefined && head.number >= block && head.number - block < patience;
  }

  /** Who is left alone whatever could be done. Far under water nobody waits for its turn to fail again. */
  #waiting(
    { head, state, liquidatable: all }: Sight,
    liquidatable: Sight["liquidatable"],
    underWay: ReadonlySet<AccountId>,
    isLast: boolean,
  ): Map<AccountId, Wait> {
    const absorbHealthWad = VaultWords.absorbHealth(state.storage.accountRisk);
    this.#backOff.keepOnly(new Set(all.map(({ account }) => account)));
    const waits = new Map<AccountId, Wait>();
    for (const { account, health } of liquidatable) {
      const mayWait = health.equityMaintenanceWad >= 0n && health.healthWad >= absorbHealthWad;
      if (isLast) waits.set(account, "roundLimit");
      else if (underWay.has(account)) waits.set(account, "underWay");
      else if (mayWait && this.#backOff.isWaiting(account, head.number)) waits.set(account, "backingOff");
    }
    return waits;
  }

  /** The taker stands back while a transaction of its own is under way: it would act twice on what it sees. */
  #takerOf(turn: TurnRecord, underWay: ReadonlySet<AccountId>): TakerSide | undefined {
    if (this.#taker === undefined) return undefined;
    const { account, policy } = this.#taker;
    if (!underWay.has(account)) return { account, policy, refused: turn.takerRefused };
    this.#of.log.warn({ taker: account }, "waiting for an earlier transaction: takes and gives back nothing");
    return undefined;
  }

  async #gasCost({ state }: Sight): Promise<GasCost> {
    const { gasToken } = this.#of.policy;
    if (gasToken === undefined) return unknownGas;
    const tokenPriceWad = "priceWad" in gasToken ? gasToken.priceWad : usablePrice(state.prices.get(gasToken.asset));
    return { gasPriceWei: BigInt(String(await this.#of.node.send("eth_gasPrice", []))), tokenPriceWad };
  }

  /** All prices together that are to be stored; where that was refused, one by one, so that one of them does not keep the others old. */
  #refreshes({ state }: Sight, turn: TurnRecord): PlannedCall[] {
    const assets = this.#observer.feeds.toRefresh(state.prices);
    if (assets.length === 0) return [];
    const together = this.#refresh(assets);
    if (!turn.refused.has(together.data)) return [together];
    return assets.length === 1 ? [] : assets.map((asset) => this.#refresh([asset]));
  }

  #refresh(assets: readonly number[]): PlannedCall {
    return {
      kind: "refresh",
      accounts: [],
      to: this.#of.deployment.oracle,
      data: contractInterfaces.PriceOracle.encodeFunctionData("refresh", [assets]),
      gas: gasOf.refresh * BigInt(assets.length + 1),
      earnsWad: undefined,
      feeBudgetWei: undefined,
      canBatch: false,
      story: { assets: assets.join(" ") },
    };
  }

  #noteBackOff(results: readonly CallResult[], block: number): void {
    for (const { kind, call } of results) {
      const [account] = call.accounts;
      if (account === undefined || (call.kind !== "liquidate" && call.kind !== "absorb")) continue;
      if (kind === "refused") this.#backOff.refused(account, block);
      if (kind === "mined") this.#backOff.forget(account);
    }
  }

  async #audit(): Promise<void> {
    const { head } = this.#sight ?? {};
    if (head === undefined) return;
    try {
      const agrees = await this.#observer.audit();
      this.#audited = { block: head.number, agrees };
      // What is read again comes from another node then, if there is one.
      if (!agrees) this.#of.node.doubt?.("its figures are not those that its logs come to");
    } catch (error) {
      // What was liquidated is liquidated: a turn is not lost because its audit is.
      this.#of.log.warn({ error: failureReason(error), detail: failureDetail(error) }, "audit could not be made");
    }
  }

  /** @returns whether prices are others than they were */
  #measure({ head, state, liquidatable }: Sight, before: Sight | undefined, startedAt: number): boolean {
    const { metrics } = this.#of;
    this.#since = new Map(
      liquidatable.map(({ account }) => [account, this.#since.get(account) ?? head.timestamp] as const),
    );
    // A first sight says nothing of how fast the keeper is.
    const isNew =
      before !== undefined && [...state.prices].some(([asset, price]) => before.state.prices.get(asset) !== price);
    if (metrics === undefined) return isNew;
    if (isNew) metrics.observe("price_to_detect_seconds", (performance.now() - startedAt) / 1000);
    const sum = (of: (health: Margin.Health) => bigint) =>
      Number(liquidatable.reduce((all, { health }) => all + of(health), 0n)) / 1e18;
    const shortfall = sum((health) => health.requirementMaintenanceWad - health.equityMaintenanceWad);
    const underWater = sum(({ equityMaintenanceWad }) => (equityMaintenanceWad < 0n ? -equityMaintenanceWad : 0n));
    metrics.set("head_block", head.number);
    metrics.set("accounts", this.#observer.swept);
    metrics.set("liquidatable_accounts", liquidatable.length);
    metrics.set("shortfall_quote", shortfall);
    metrics.set("under_water_quote", underWater);
    const oldest = Math.min(head.timestamp, ...this.#since.values());
    metrics.set("liquidatable_oldest_seconds", head.timestamp - oldest);
    return isNew;
  }

  /** Each account at risk that is left alone has its line in the log: when it comes to that, and when the reason changes. */
  #tell({ skipped, liquidations, taken, absorbed }: TurnReport): void {
    const { log, metrics } = this.#of;
    const healths = new Map(this.#sight?.liquidatable.map(({ account, health }) => [account, health.healthWad]));
    for (const { account, reason } of skipped) {
      const healthWad = healths.get(account);
      const figures = {
        account,
        reason,
        health: healthWad === undefined ? "not at risk any more" : healthText(healthWad),
      };
      if (this.#left.get(account) === reason) log.debug(figures, "left alone");
      else log.info(figures, "left alone");
      metrics?.count("skips", { reason });
    }
    this.#left = new Map(skipped.map(({ account, reason }) => [account, reason]));
    if (liquidations > taken) metrics?.count("liquidations", { kind: "pool" }, liquidations - taken);
    if (taken > 0) metrics?.count("liquidations", { kind: "taker" }, taken);
    if (absorbed > 0) metrics?.count("absorbs", {}, absorbed);
  }

  #tellPostponed(chores: readonly Chores[]): void {
    for (const skip of chores.flatMap(({ skips }) => skips)) {
      if (postponed.has(skip.reason)) this.#of.log.debug(skip, "left for later");
    }
  }
}

/** Blocks after which a call that was sent, and is in no block yet, is planned again. */
const patience = 16;
/** Rounds of looking, planning and acting in one turn at most. */
const maxRounds = 64;
const unknownGas: GasCost = { gasPriceWei: undefined, tokenPriceWad: undefined };

/** Why something is left that is to be done all the same. */
const postponed: ReadonlySet<string> = new Set<Chores["skips"][number]["reason"]>([
  "waits",
  "nothingToPayWith",
  "enoughThisTurn",
  "refused",
]);

function usablePrice(price: Price.Price | undefined): bigint | undefined {
  return price === undefined || !Price.isUsable(price) ? undefined : Price.value(price);
}
