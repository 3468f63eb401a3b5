import { type Signer, type TransactionReceipt, type TransactionRequest, isCallException } from "ethers";
import type { Logger } from "pino";

import {
  type AccountId,
  BallastError,
  type Deployment,
  accountId,
  formatDecimal,
  normalizeAccount,
  revertData,
} from "../sdk/index.js";
import { MarginVault__factory, PriceOracle__factory } from "../typechain-types/index.js";
import { absorbBatch, gasCap, receiptTimeoutMs } from "./config.js";
import type { Decision } from "./decide.js";
import type { GiveBack } from "./decide/giveBack.js";
import type { Chore } from "./decide/upkeep.js";
import { failureDetail, failureReason } from "./reason.js";

/** What became of one account that the keeper acted on. */
export type Outcome =
  | { readonly kind: "liquidated"; readonly account: AccountId; readonly blockNumber: number }
  | {
      readonly kind: "absorbed";
      readonly account: AccountId;
      readonly blockNumber: number;
      /** Whether a loss was taken off all suppliers of cash, which may have put any of them at risk. */
      readonly wroteOff: boolean;
    }
  /** Liquidated to the keeper's taker. */
  | { readonly kind: "taken"; readonly account: AccountId; readonly market: number; readonly blockNumber: number }
  /** The contract did not let the taker take it: into the pool with it, in the next round. */
  | { readonly kind: "takerRefused"; readonly account: AccountId; readonly reason: string }
  /** A part of what the taker (the account) holds went back to the pool. */
  | { readonly kind: "givenBack"; readonly account: AccountId; readonly blockNumber: number }
  /** In a batch whose others were absorbed, but no longer open to absorb itself when its turn came. */
  | { readonly kind: "overtaken"; readonly account: AccountId; readonly blockNumber: number }
  | { readonly kind: "failed"; readonly account: AccountId; readonly reason: string };

/** What became of something that was to be kept in order. */
export type ChoreOutcome =
  | { readonly kind: "done"; readonly chore: Chore; readonly blockNumber: number; readonly wroteOff: boolean }
  | { readonly kind: "undone"; readonly chore: Chore; readonly reason: string };

/** A transaction that needs more gas than the chain lets one have. */
export class GasCapError extends BallastError {
  override readonly name = "GasCapError";

  constructor(estimate: bigint) {
    super(`it would need ${estimate} gas, and a transaction may have ${gasCap}`);
  }
}

/** A transaction that was sent and not mined in time. */
export class NotMinedError extends BallastError {
  override readonly name = "NotMinedError";
}

type Liquidation = Extract<Decision, { kind: "liquidate" }>;
type Returned = Extract<GiveBack, { kind: "giveBack" }>;

const vaultInterface = MarginVault__factory.createInterface();
const oracleInterface = PriceOracle__factory.createInterface();

const lossWrittenOff = vaultInterface.getEvent("LossWrittenOff").topicHash;

/** What a log line says when it is done. */
const choreDone = {
  delist: "delisted",
  resolvePool: "pool resolved",
  cover: "bad debt covered",
  settle: "settled",
  rampMarket: "market tightened by a step",
  rampCollateral: "collateral tightened by a step",
  rampAccounts: "accounts tightened by a step",
} satisfies Record<Chore["kind"], string>;

/** For a log line. */
const wad = (value: unknown) => (typeof value === "bigint" ? formatDecimal(value, 18) : "?");

/**
 * Sends the keeper's transactions, one after the other: each is simulated, sent with a nonce of its own count, and waited for.
 * Whatever goes wrong becomes an outcome and a log line; nothing is thrown.
 */
export class Executor {
  readonly #signer: Signer;
  readonly #vault: string;
  readonly #oracle: string;
  readonly #poolAccount: AccountId;
  readonly #keeperAccount: AccountId;
  readonly #log: Logger;
  /** Undefined: ask the chain. So at the start of a turn, and after a send whose fate is not known. */
  #nonce: number | undefined;

  constructor(signer: Signer, deployment: Deployment, keeperAccount: AccountId, log: Logger) {
    this.#signer = signer;
    this.#vault = deployment.vault;
    this.#oracle = deployment.oracle;
    this.#poolAccount = accountId(deployment.pool);
    this.#keeperAccount = keeperAccount;
    this.#log = log;
  }

  async execute(decisions: readonly Decision[]): Promise<Outcome[]> {
    this.#nonce = undefined;
    const outcomes: Outcome[] = [];
    for (const decision of decisions) if (decision.kind === "liquidate") outcomes.push(await this.#liquidate(decision));
    const accounts = decisions.flatMap((decision) => (decision.kind === "absorb" ? [decision.account] : []));
    for (let at = 0; at < accounts.length; at += absorbBatch) {
      outcomes.push(...(await this.#absorb(accounts.slice(at, at + absorbBatch))));
    }
    return outcomes;
  }

  /**
   * Has the oracle store what the sources of these assets tell: all together, or, where it refuses that, one by one, so that one of them does
   * not keep the others old. A failure is a log line: the next turn tries again.
   */
  async refreshPrices(assets: readonly number[]): Promise<void> {
    if (assets.length === 0) return;
    this.#nonce = undefined;
    await this.#refresh(assets);
  }

  async #refresh(assets: readonly number[]): Promise<void> {
    try {
      const { hash } = await this.#send(this.#oracle, oracleInterface.encodeFunctionData("refresh", [[...assets]]));
      this.#log.info({ assets, hash }, "prices stored");
    } catch (error) {
      const reason = failureReason(error);
      if (assets.length > 1 && isRefusal(error)) {
        this.#log.warn({ assets, reason }, "batch failed, going one by one");
        for (const asset of assets) await this.#refresh([asset]);
        return;
      }
      this.#log.warn({ action: "refreshPrices", assets, reason, detail: failureDetail(error) }, "failed");
    }
  }

  /** Whether something that was sent, and waited for in vain, may yet be mined: what the chain shows is then not what it will be. */
  async isWaiting(): Promise<boolean> {
    const [mined, sent] = await Promise.all([this.#signer.getNonce("latest"), this.#signer.getNonce("pending")]);
    return sent > mined;
  }

  /** Sells to the pool, or buys back from it, what the taker holds. */
  async giveBack(taker: AccountId, parts: readonly Returned[]): Promise<Outcome[]> {
    this.#nonce = undefined;
    const outcomes: Outcome[] = [];
    for (const { market, sizeDeltaWad, limitPriceWad, deadline, reason } of parts) {
      const data = vaultInterface.encodeFunctionData("trade", [taker, market, sizeDeltaWad, limitPriceWad, deadline]);
      try {
        const { blockNumber, hash } = await this.#send(this.#vault, data);
        this.#log.info({ taker, market, sizeDelta: wad(sizeDeltaWad), reason, hash }, "given back");
        outcomes.push({ kind: "givenBack", account: taker, blockNumber });
      } catch (error) {
        outcomes.push(this.#failed("giveBack", taker, error, { market }));
      }
    }
    return outcomes;
  }

  /** Keeps in order what no account at risk asks for. A failure is an outcome and a log line. */
  async keepUp(chores: readonly Chore[]): Promise<ChoreOutcome[]> {
    this.#nonce = undefined;
    const outcomes: ChoreOutcome[] = [];
    for (const chore of chores) {
      const { kind, ...what } = chore;
      const figures = Object.fromEntries(
        Object.entries(what).map(([key, value]) => [key, typeof value === "bigint" ? wad(value) : value]),
      );
      try {
        const { blockNumber, hash, logs } = await this.#send(this.#vault, choreData(chore));
        this.#log.info({ ...figures, hash }, choreDone[kind]);
        outcomes.push({ kind: "done", chore, blockNumber, wroteOff: tellsWriteOff(logs) });
      } catch (error) {
        const reason = failureReason(error);
        this.#log.warn({ action: kind, ...figures, reason, detail: failureDetail(error) }, "failed");
        outcomes.push({ kind: "undone", chore, reason });
      }
    }
    return outcomes;
  }

  async #liquidate({ account, market, maxSizeWad, taker, reason }: Liquidation): Promise<Outcome> {
    const into = taker ?? this.#poolAccount;
    const data = vaultInterface.encodeFunctionData("liquidatePosition", [account, market, maxSizeWad, into]);
    try {
      const { blockNumber, hash, logs } = await this.#send(this.#vault, data);
      const event = logs.map((log) => vaultInterface.parseLog(log)).find((log) => log?.name === "PositionLiquidated");
      const { sizeDeltaWad, rewardWad, healthAfterWad } = event?.args.toObject() ?? {};
      const figures = { sizeDelta: wad(sizeDeltaWad), reward: wad(rewardWad), healthAfter: wad(healthAfterWad) };
      this.#log.info({ account, market, ...figures, reason, hash }, taker === undefined ? "liquidated" : "taken");
      if (taker !== undefined) return { kind: "taken", account, market, blockNumber };
      return { kind: "liquidated", account, blockNumber };
    } catch (error) {
      if (taker === undefined || revertData(error) === undefined) {
        return this.#failed("liquidate", account, error, { market });
      }
      const refusal = failureReason(error);
      this.#log.info({ account, market, reason: refusal, detail: failureDetail(error) }, "taker refused");
      return { kind: "takerRefused", account, reason: refusal };
    }
  }

  /** Absorbs a batch; where it fails as a whole, account by account, so that one does not save the others. */
  async #absorb(accounts: readonly AccountId[]): Promise<Outcome[]> {
    const data = vaultInterface.encodeFunctionData("absorb", [[...accounts], this.#keeperAccount]);
    try {
      const { blockNumber, hash, logs } = await this.#send(this.#vault, data);
      const wroteOff = tellsWriteOff(logs);
      const rewards = new Map<AccountId, string>();
      for (const log of logs) {
        const event = vaultInterface.parseLog(log);
        if (event?.name !== "Absorbed") continue;
        rewards.set(normalizeAccount(event.args["account"]), wad(event.args["rewardWad"]));
      }
      return accounts.map((account) => {
        const reward = rewards.get(account);
        if (reward === undefined) return { kind: "overtaken", account, blockNumber };
        this.#log.info({ account, reward, hash }, "absorbed");
        return { kind: "absorbed", account, blockNumber, wroteOff };
      });
    } catch (error) {
      const [only] = accounts;
      if (only !== undefined && accounts.length === 1) return [this.#failed("absorb", only, error)];
      this.#log.warn({ accounts: accounts.length, reason: failureReason(error) }, "batch failed, going one by one");
      const outcomes: Outcome[] = [];
      for (const account of accounts) outcomes.push(...(await this.#absorb([account])));
      return outcomes;
    }
  }

  async #send(to: string, data: string): Promise<TransactionReceipt> {
    const call: TransactionRequest = { to, data };
    await this.#signer.call(call);
    const estimate = await this.#signer.estimateGas(call);
    if (estimate > gasCap) throw new GasCapError(estimate);
    // Between estimate and block, state moves: a quarter more, within the cap.
    const padded = (estimate * 5n) / 4n;
    const gasLimit = padded > gasCap ? gasCap : padded;
    try {
      this.#nonce ??= await this.#signer.getNonce("pending");
      const sent = await this.#signer.sendTransaction({ ...call, gasLimit, nonce: this.#nonce });
      this.#nonce += 1;
      const receipt = await sent.wait(1, receiptTimeoutMs);
      if (receipt === null) throw new NotMinedError(`${sent.hash} was not mined in time`);
      return receipt;
    } catch (error) {
      this.#nonce = undefined;
      if (isCallException(error)) await this.#signer.call(call); // a receipt carries no reason; the same call tells it now
      throw error;
    }
  }

  #failed(action: string, account: AccountId, error: unknown, more: object = {}): Outcome {
    const reason = failureReason(error);
    this.#log.warn({ action, account, ...more, reason, detail: failureDetail(error) }, "failed");
    return { kind: "failed", account, reason };
  }
}

/** Whether it is the call that cannot be, and not the way to the chain: a part of it may go through. */
function isRefusal(error: unknown): boolean {
  return isCallException(error) || revertData(error) !== undefined || error instanceof GasCapError;
}

function choreData(chore: Chore): string {
  if (chore.kind === "delist") return vaultInterface.encodeFunctionData("delist", [chore.market]);
  if (chore.kind === "settle") return vaultInterface.encodeFunctionData("settle", [chore.account, chore.market]);
  if (chore.kind === "rampMarket") return vaultInterface.encodeFunctionData("rampMarket", [chore.market]);
  if (chore.kind === "rampCollateral") return vaultInterface.encodeFunctionData("rampCollateral", [chore.token]);
  if (chore.kind === "rampAccounts") return vaultInterface.encodeFunctionData("rampAccounts");
  if (chore.kind === "cover") return vaultInterface.encodeFunctionData("cover");
  return vaultInterface.encodeFunctionData("resolvePool");
}

function tellsWriteOff(logs: TransactionReceipt["logs"]): boolean {
  return logs.some(({ topics }) => topics[0] === lossWrittenOff);
}
