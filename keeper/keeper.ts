import type { Signer } from "ethers";
import type { Logger } from "pino";

import { type AccountId, Ballast, type Deployment, accountId, formatDecimal, marketsOf } from "../sdk/index.js";
import { type TakerOptions, maxRounds } from "./config.js";
import { type Decision, type SkipReason, type TakerSide, decide } from "./decide.js";
import { giveBack } from "./decide/giveBack.js";
import { Executor, type Outcome } from "./execute.js";
import { Observer } from "./observe.js";
import type { Risk } from "./risk.js";
import { Taker } from "./taker.js";

export interface KeeperDependencies {
  /** Pays the gas and earns the rewards; its provider is the keeper's only view of the chain. */
  readonly signer: Signer;
  readonly deployment: Deployment;
  readonly log: Logger;
  /** Accounts that one call reads. */
  readonly lensChunk: number;
  /** Without it the keeper puts everything into the pool. */
  readonly taker?: TakerOptions;
}

/** `roundLimit`: the turn ended before its time came. */
export type LeftReason = SkipReason | "roundLimit";

export interface TurnReport {
  /** Accounts whose margin was read at the start of the turn. */
  readonly checked: number;
  /** Those of them that anyone might liquidate. */
  readonly atRisk: number;
  /** Liquidations that were mined; an account may need several. */
  readonly liquidations: number;
  /** Those of them that the keeper's taker took. */
  readonly taken: number;
  /** Trades by which the taker gave back to the pool what it had taken earlier. */
  readonly givenBack: number;
  /** Accounts absorbed. */
  readonly absorbed: number;
  /** Accounts at risk that the turn left alone. */
  readonly skipped: readonly { readonly account: AccountId; readonly reason: LeftReason }[];
  /** Accounts that could not be read or acted on. They come again in the next turn. */
  readonly failed: readonly { readonly account: AccountId; readonly reason: string }[];
}

/**
 * Observes, decides, executes: one turn a block. Without a taker it owns nothing but gas money, since the pool takes what it liquidates.
 * With one it takes over what earns it more than the pool pays for, as far as its inventory policy goes, and gives it back in later turns.
 */
export class Keeper {
  readonly account: AccountId;
  readonly #observer: Observer;
  readonly #executor: Executor;
  readonly #taker: Taker | undefined;
  readonly #log: Logger;
  /** Accounts to read in the next turn, whatever it brings: due and not read yet, or left at risk. */
  readonly #due = new Set<AccountId>();

  private constructor(
    account: AccountId,
    observer: Observer,
    executor: Executor,
    taker: Taker | undefined,
    log: Logger,
  ) {
    this.account = account;
    this.#observer = observer;
    this.#executor = executor;
    this.#taker = taker;
    this.#log = log;
  }

  /** Throws WrongChainError and NotDeployedError where signer and deployment do not belong together. */
  static async create({ signer, deployment, log, lensChunk, taker: options }: KeeperDependencies): Promise<Keeper> {
    const { provider } = await Ballast.connect(signer, deployment);
    const owner = await signer.getAddress();
    const account = accountId(owner);
    const taker = options && new Taker(provider, deployment, accountId(owner, options.index), options);
    const observer = new Observer(provider, deployment, lensChunk, log, taker?.account);
    return new Keeper(account, observer, new Executor(signer, deployment, account, log), taker, log);
  }

  /**
   * One turn: reads up to this block, and acts until nothing more is to be done; then stores
   * prices of aggregators where that is due. An account that could not be acted on waits for the next
   * turn. Throws only where the chain cannot be read; nothing is lost then. Await a turn before the next.
   */
  async onBlock(blockNumber: number): Promise<TurnReport> {
    for (const account of await this.#observer.follow(blockNumber)) this.#due.add(account);
    const checked = this.#due.size;
    const atRisk = new Set<AccountId>();
    const failed = new Map<AccountId, string>();
    const refused = new Set<AccountId>();
    let left = new Map<Risk, LeftReason>();
    const taker = await this.#takerOfTurn();
    const all: Outcome[] = taker === undefined ? [] : await this.#giveBack(taker, blockNumber);
    for (const outcome of all) if (outcome.kind === "failed") failed.set(outcome.account, outcome.reason);

    let block = lastBlock(all, blockNumber);
    let toRead = [...this.#due];
    for (let round = 0; toRead.length > 0; round += 1) {
      const { risks, unreadable } = await this.#observer.read(toRead, block);
      for (const { account, reason } of unreadable) failed.set(account, reason);
      for (const { account } of risks) atRisk.add(account);
      if (round === maxRounds) {
        left = new Map(risks.map((risk) => [risk, "roundLimit"]));
        break;
      }

      const decisions = decide(
        risks,
        { keeperAccount: this.account },
        await this.#takerSide(taker, risks, refused, block),
      );
      left = leftAlone(risks, decisions);
      const outcomes = await this.#executor.execute(decisions);
      all.push(...outcomes);
      block = lastBlock(outcomes, block);
      for (const outcome of outcomes) {
        if (outcome.kind === "failed") failed.set(outcome.account, outcome.reason);
        if (outcome.kind === "takerRefused") refused.add(outcome.account);
        if (outcome.kind === "taken") await taker?.took(outcome.market, outcome.blockNumber);
      }
      if (outcomes.every(({ kind }) => kind === "failed")) break;
      // What was done moved the pool, so a leg that it refused before may find room now: those left alone are read again too.
      toRead = risks.map(({ account }) => account).filter((account) => !failed.has(account));
    }

    for (const [risk, reason] of left) this.#logLeft(risk, reason);
    this.#due.clear();
    for (const { account } of left.keys()) this.#due.add(account);
    for (const account of failed.keys()) this.#due.add(account);
    await this.#executor.refreshPrices(this.#observer.toRefresh());
    return {
      checked,
      atRisk: atRisk.size,
      liquidations: count(all, "liquidated") + count(all, "taken"),
      taken: count(all, "taken"),
      givenBack: count(all, "givenBack"),
      absorbed: count(all, "absorbed"),
      skipped: [...left].map(([{ account }, reason]) => ({ account, reason })),
      failed: [...failed].map(([account, reason]) => ({ account, reason })),
    };
  }

  /** The taker stands back while a transaction of the keeper's own is under way: it would act twice on what it sees. */
  async #takerOfTurn(): Promise<Taker | undefined> {
    if (this.#taker === undefined || !(await this.#executor.isWaiting())) return this.#taker;
    this.#log.warn({ taker: this.#taker.account }, "waiting for an earlier transaction: takes and gives back nothing");
    return undefined;
  }

  /** What the taker took in earlier blocks it gives back first, so that there is room for more. */
  async #giveBack(taker: Taker, block: number): Promise<Outcome[]> {
    if (marketsOf(this.#observer.book.assetsOf(taker.account)).length === 0) return [];
    const decisions = giveBack(await taker.read([], block), taker.policy, taker.takenAt, await taker.timeOf(block));
    for (const { kind, market, reason } of decisions) {
      if (kind === "keep") this.#log.debug({ taker: taker.account, market, reason }, "kept");
    }
    const parts = decisions.flatMap((decision) => (decision.kind === "giveBack" ? [decision] : []));
    return this.#executor.giveBack(taker.account, parts);
  }

  async #takerSide(
    taker: Taker | undefined,
    risks: readonly Risk[],
    refused: ReadonlySet<AccountId>,
    block: number,
  ): Promise<TakerSide | undefined> {
    if (taker === undefined || risks.length === 0) return undefined;
    const markets = risks.flatMap(({ takerLegs = [] }) => takerLegs.map(({ market }) => market));
    return { state: await taker.read(markets, block), policy: taker.policy, refused };
  }

  #logLeft({ account, health, legs }: Risk, reason: LeftReason): void {
    const refused = legs.map(({ market, refusal }) => `${market}: ${refusal}`);
    this.#log.info({ account, reason, health: formatDecimal(health.healthWad ?? 0n, 18), legs: refused }, "left alone");
  }
}

function count(outcomes: readonly Outcome[], kind: Outcome["kind"]): number {
  return outcomes.filter((outcome) => outcome.kind === kind).length;
}

/** The block after all of these, and not before one that was reached already. */
function lastBlock(outcomes: readonly Outcome[], reached: number): number {
  return outcomes.reduce(
    (last, outcome) => ("blockNumber" in outcome ? Math.max(last, outcome.blockNumber) : last),
    reached,
  );
}

function leftAlone(risks: readonly Risk[], decisions: readonly Decision[]): Map<Risk, LeftReason> {
  const left = new Map<Risk, LeftReason>();
  for (const [i, risk] of risks.entries()) {
    const decision = decisions[i];
    if (decision?.kind === "skip") left.set(risk, decision.reason);
  }
  return left;
}
