import type { Signer } from "ethers";
import type { Logger } from "pino";

import { type AccountId, Ballast, type Deployment, accountId, formatDecimal } from "../sdk/index.js";
import { maxRounds } from "./config.js";
import { type Decision, type SkipReason, decide } from "./decide.js";
import { Executor } from "./execute.js";
import { Observer } from "./observe.js";
import type { Risk } from "./risk.js";

export interface KeeperDependencies {
  /** Pays the gas and earns the rewards; its provider is the keeper's only view of the chain. */
  readonly signer: Signer;
  readonly deployment: Deployment;
  readonly log: Logger;
  /** Accounts that one call reads. */
  readonly lensChunk: number;
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
  /** Accounts absorbed. */
  readonly absorbed: number;
  /** Accounts at risk that the turn left alone. */
  readonly skipped: readonly { readonly account: AccountId; readonly reason: LeftReason }[];
  /** Accounts that could not be read or acted on. They come again in the next turn. */
  readonly failed: readonly { readonly account: AccountId; readonly reason: string }[];
}

/** Observes, decides, executes: one turn a block. It owns nothing but gas money, since the pool takes what it liquidates. */
export class Keeper {
  readonly account: AccountId;
  readonly #observer: Observer;
  readonly #executor: Executor;
  readonly #log: Logger;
  /** Accounts to read in the next turn, whatever it brings: due and not read yet, or left at risk. */
  readonly #due = new Set<AccountId>();

  private constructor(account: AccountId, observer: Observer, executor: Executor, log: Logger) {
    this.account = account;
    this.#observer = observer;
    this.#executor = executor;
    this.#log = log;
  }

  /** Throws WrongChainError and NotDeployedError where signer and deployment do not belong together. */
  static async create({ signer, deployment, log, lensChunk }: KeeperDependencies): Promise<Keeper> {
    const { provider } = await Ballast.connect(signer, deployment);
    const account = accountId(await signer.getAddress());
    const observer = new Observer(provider, deployment, lensChunk, log);
    return new Keeper(account, observer, new Executor(signer, deployment, account, log), log);
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
    let left = new Map<Risk, LeftReason>();
    let liquidations = 0;
    let absorbed = 0;

    let block = blockNumber;
    let toRead = [...this.#due];
    for (let round = 0; toRead.length > 0; round += 1) {
      const { risks, unreadable } = await this.#observer.read(toRead, block);
      for (const { account, reason } of unreadable) failed.set(account, reason);
      for (const { account } of risks) atRisk.add(account);
      if (round === maxRounds) {
        left = new Map(risks.map((risk) => [risk, "roundLimit"]));
        break;
      }

      const decisions = decide(risks, { keeperAccount: this.account });
      left = leftAlone(risks, decisions);
      const outcomes = await this.#executor.execute(decisions);
      for (const outcome of outcomes) {
        if (outcome.kind === "failed") failed.set(outcome.account, outcome.reason);
        else block = Math.max(block, outcome.blockNumber);
        if (outcome.kind === "liquidated") liquidations += 1;
        if (outcome.kind === "absorbed") absorbed += 1;
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
      liquidations,
      absorbed,
      skipped: [...left].map(([{ account }, reason]) => ({ account, reason })),
      failed: [...failed].map(([account, reason]) => ({ account, reason })),
    };
  }

  #logLeft({ account, health, legs }: Risk, reason: LeftReason): void {
    const refused = legs.map(({ market, refusal }) => `${market}: ${refusal}`);
    this.#log.info({ account, reason, health: formatDecimal(health.healthWad ?? 0n, 18), legs: refused }, "left alone");
  }
}

function leftAlone(risks: readonly Risk[], decisions: readonly Decision[]): Map<Risk, LeftReason> {
  const left = new Map<Risk, LeftReason>();
  for (const [i, risk] of risks.entries()) {
    const decision = decisions[i];
    if (decision?.kind === "skip") left.set(risk, decision.reason);
  }
  return left;
}
