import type { Signer } from "ethers";
import type { Logger } from "pino";

import { type AccountId, Ballast, type Deployment, accountId, formatDecimal, marketsOf } from "../sdk/index.js";
import { maxRounds } from "./config.js";
import type { TakerConfig } from "./config/index.js";
import { type Decision, type SkipReason, type TakerSide, decide } from "./decide.js";
import { giveBack } from "./decide/giveBack.js";
import { type ChoreSkip, type Upkeep, delistings, rampSteps, upkeep } from "./decide/upkeep.js";
import { type ChoreOutcome, Executor, type Outcome } from "./execute.js";
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
  readonly taker?: TakerConfig;
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
  /** What was done for the vault as a whole: delistings, steps of ramps, the pool resolved, bad debt covered, final results settled. */
  readonly chores: number;
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
  /** Whether something that was to be kept in order could not be. */
  #isUnkempt = false;

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
   * One turn: reads up to this block, and acts until nothing more is to be done for accounts at risk; then for the vault as a whole, and
   * stores prices of aggregators where that is due. An account that could not be acted on waits for the next
   * turn. Throws only where the chain cannot be read; nothing is lost then. Await a turn before the next.
   */
  async onBlock(blockNumber: number): Promise<TurnReport> {
    for (const account of await this.#observer.follow(blockNumber)) this.#due.add(account);
    const turn: Turn = {
      block: blockNumber,
      checked: this.#due.size,
      atRisk: new Set(),
      failed: new Map(),
      refused: new Set(),
      outcomes: [],
      chores: [],
      left: new Map(),
    };
    const { steward, nowSeconds } = this.#observer;
    const steps = rampSteps(steward.ramps, nowSeconds);
    for (const step of steps) if (step.kind !== "skip") steward.tried(step, nowSeconds);
    await this.#keepUp(turn, steps); // before delistings, after which there is nothing to step
    await this.#keepUp(turn, delistings(steward.dueAt, nowSeconds));
    const taker = await this.#takerOfTurn();
    if (taker !== undefined) note(turn, await this.#giveBack(taker, turn.block));

    await this.#clear(turn, taker, [...this.#due]);
    if (turn.checked > 0 || this.#observer.isFullPass || this.#isUnkempt) {
      const known = turn.chores.length;
      await this.#keepUp(turn, upkeep(await steward.read(this.#observer.book, turn.block)));
      this.#isUnkempt = turn.chores.some(({ kind }) => kind === "undone");
      // A pool that was resolved may have taken from all who have cash.
      if (turn.chores.slice(known).some(tookFromAll)) await this.#clear(turn, taker, this.#observer.book.exposed());
    }

    for (const [risk, reason] of turn.left) this.#logLeft(risk, reason);
    this.#due.clear();
    for (const { account } of turn.left.keys()) this.#due.add(account);
    for (const account of turn.failed.keys()) this.#due.add(account);
    await this.#executor.refreshPrices(this.#observer.toRefresh());
    return reportOf(turn);
  }

  /** Reads, decides and acts, until nothing more is to be done for these accounts. */
  async #clear(turn: Turn, taker: Taker | undefined, accounts: readonly AccountId[]): Promise<void> {
    let toRead = accounts;
    for (let round = 0; toRead.length > 0; round += 1) {
      const { risks, unreadable } = await this.#observer.read(toRead, turn.block);
      for (const { account, reason } of unreadable) turn.failed.set(account, reason);
      for (const { account } of risks) turn.atRisk.add(account);
      if (round === maxRounds) {
        turn.left = new Map(risks.map((risk) => [risk, "roundLimit"]));
        return;
      }

      const decisions = decide(
        risks,
        { keeperAccount: this.account },
        await this.#takerSide(taker, risks, turn.refused, turn.block),
      );
      turn.left = leftAlone(risks, decisions);
      const outcomes = await this.#executor.execute(decisions);
      note(turn, outcomes);
      for (const outcome of outcomes) {
        if (outcome.kind === "takerRefused") turn.refused.add(outcome.account);
        if (outcome.kind === "taken") await taker?.took(outcome.market, outcome.blockNumber);
      }
      if (outcomes.every(({ kind }) => kind === "failed")) return;
      // What was done moved the pool, so a leg that it refused before may find room now: those left alone are read again too. And a loss
      // that was taken off all who have cash may have put any of them at risk.
      const moved = outcomes.some(tookFromAll) ? this.#observer.book.exposed() : risks.map(({ account }) => account);
      toRead = moved.filter((account) => !turn.failed.has(account));
    }
  }

  async #keepUp(turn: Turn, decisions: readonly Upkeep[]): Promise<void> {
    const chores = decisions.flatMap((decision) => (decision.kind === "skip" ? [] : [decision]));
    for (const decision of decisions) {
      if (decision.kind === "skip" && postponed.has(decision.reason)) this.#log.debug(decision, "left for later");
    }
    if (chores.length === 0) return;
    const outcomes = await this.#executor.keepUp(chores);
    turn.chores.push(...outcomes);
    turn.block = lastBlock(outcomes, turn.block);
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

/** Why something is left that is to be done all the same. */
const postponed: ReadonlySet<string> = new Set<ChoreSkip["reason"]>(["waits", "nothingToPayWith", "enoughThisTurn"]);

/** A turn on its way. */
interface Turn {
  /** The last block that the turn has reached. */
  block: number;
  readonly checked: number;
  readonly atRisk: Set<AccountId>;
  readonly failed: Map<AccountId, string>;
  /** Accounts of which the contract let the taker take nothing. */
  readonly refused: Set<AccountId>;
  readonly outcomes: Outcome[];
  readonly chores: ChoreOutcome[];
  left: Map<Risk, LeftReason>;
}

function note(turn: Turn, outcomes: readonly Outcome[]): void {
  turn.outcomes.push(...outcomes);
  turn.block = lastBlock(outcomes, turn.block);
  for (const outcome of outcomes) if (outcome.kind === "failed") turn.failed.set(outcome.account, outcome.reason);
}

function reportOf({ checked, atRisk, failed, outcomes, chores, left }: Turn): TurnReport {
  return {
    checked,
    atRisk: atRisk.size,
    liquidations: count(outcomes, "liquidated") + count(outcomes, "taken"),
    taken: count(outcomes, "taken"),
    givenBack: count(outcomes, "givenBack"),
    absorbed: count(outcomes, "absorbed"),
    chores: chores.filter(({ kind }) => kind === "done").length,
    skipped: [...left].map(([{ account }, reason]) => ({ account, reason })),
    failed: [...failed].map(([account, reason]) => ({ account, reason })),
  };
}

/** Whether a loss was taken off everybody's cash. */
function tookFromAll(outcome: Outcome | ChoreOutcome): boolean {
  return "wroteOff" in outcome && outcome.wroteOff;
}

function count(outcomes: readonly Outcome[], kind: Outcome["kind"]): number {
  return outcomes.filter((outcome) => outcome.kind === kind).length;
}

/** The block after all of these, and not before one that was reached already. */
function lastBlock(outcomes: readonly (Outcome | ChoreOutcome)[], reached: number): number {
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
