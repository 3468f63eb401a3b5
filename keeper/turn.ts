import type { TransactionReceipt } from "ethers";
import type { Logger } from "pino";

import { type AccountId, contractInterfaces, formatDecimal, normalizeAccount } from "../sdk/index.js";
import type { CallResult, PlannedCall, Skip } from "./parts.js";

export interface TurnReport {
  /** Accounts that a sweep looked at: all with a position or a debt. */
  readonly checked: number;
  /** Those that anyone might liquidate, at any time of the turn. */
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
  /** Accounts at risk that a call was made for, whatever became of it. With `skipped` it is all that were at risk. */
  readonly acted: readonly AccountId[];
  /** Accounts at risk that the turn left alone: in the end, or as long as they were at risk. */
  readonly skipped: readonly Skip[];
  /** Accounts whose last call did not go through. They come again in a later turn. */
  readonly failed: readonly { readonly account: AccountId; readonly reason: string }[];
}

interface Event {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

const { MarginVault: vaultInterface } = contractInterfaces;

/** What a log line says when it is done. */
const choreDone: Readonly<Record<string, string>> = {
  delist: "delisted",
  resolvePool: "pool resolved",
  cover: "bad debt covered",
  settle: "settled",
  rampMarket: "market tightened by a step",
  rampCollateral: "collateral tightened by a step",
  rampAccounts: "accounts tightened by a step",
};

/** A turn on its way: counts what is done, and has a line in the log for each call. */
export class TurnRecord {
  checked = 0;
  readonly atRisk = new Set<AccountId>();
  readonly failed = new Map<AccountId, string>();
  /** Accounts of which the contract let the taker take nothing. */
  readonly takerRefused = new Set<AccountId>();
  /** Calls (their data) that did not go through: not tried again in this turn. */
  readonly refused = new Set<string>();
  /** Markets in which the taker took something. */
  readonly taken = new Set<number>();
  #skips: readonly Skip[] = [];
  /** Why accounts were left alone in a round of the turn, the last one. */
  readonly #reasons = new Map<AccountId, Skip["reason"]>();
  /** Accounts of which a call was given to the hands. */
  readonly #called = new Set<AccountId>();
  readonly #log: Logger;
  /** What receipts tell: the calls of a multicall share one. */
  readonly #events = new WeakMap<TransactionReceipt, readonly Event[]>();
  readonly #counts = { liquidations: 0, taken: 0, givenBack: 0, absorbed: 0, chores: 0 };

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Who is left alone as it stands at present. */
  set skips(skips: readonly Skip[]) {
    this.#skips = skips;
    for (const { account, reason } of skips) this.#reasons.set(account, reason);
  }

  get counts(): Readonly<Record<"liquidations" | "taken" | "givenBack" | "absorbed" | "chores", number>> {
    return this.#counts;
  }

  /** @returns whether the books may stand otherwise than was planned on: another look is worth it */
  note(results: readonly CallResult[]): boolean {
    return results.map((result) => this.#note(result)).some(Boolean);
  }

  /** An account that was at risk and has neither a call nor a reason is in neither list: that is an error in the log. */
  report(): TurnReport {
    const left = new Set(this.#skips.map(({ account }) => account));
    const acted: AccountId[] = [];
    const skipped = [...this.#skips];
    for (const account of this.atRisk) {
      const reason = this.#reasons.get(account);
      if (left.has(account)) continue;
      if (this.#called.has(account)) acted.push(account);
      else if (reason !== undefined) skipped.push({ account, reason });
      else this.#log.error({ account }, "at risk, and neither acted on nor left alone for a reason");
    }
    return {
      checked: this.checked,
      atRisk: this.atRisk.size,
      ...this.#counts,
      acted,
      skipped,
      failed: [...this.failed].map(([account, reason]) => ({ account, reason })),
    };
  }

  #note(result: CallResult): boolean {
    const { call } = result;
    const [account] = call.accounts;
    for (const each of call.accounts) this.#called.add(each);
    if (result.kind === "mined") {
      if (account !== undefined) this.failed.delete(account);
      this.#mined(call, result.receipt);
      return true;
    }
    if (result.kind === "underWay" || result.kind === "wouldSend") {
      const hash = "hash" in result ? { hash: result.hash } : {};
      const message = result.kind === "underWay" ? "under way" : "would be sent";
      this.#log.info({ kind: call.kind, ...call.story, ...hash }, message);
      return false;
    }
    const { reason, detail } = result;
    this.refused.add(call.data);
    const isTaking = call.kind === "take" || call.kind === "sellCollateral";
    if (isTaking && result.kind === "refused" && account !== undefined) {
      this.takerRefused.add(account);
      this.#log.info({ ...call.story, reason, detail }, "taker refused");
      return true;
    }
    this.#log.warn({ action: call.kind, ...call.story, reason, detail }, "failed");
    if (account !== undefined && call.kind !== "upkeep") this.failed.set(account, reason);
    return call.kind === "refresh" && result.kind === "refused";
  }

  #eventsOf(receipt: TransactionReceipt): readonly Event[] {
    const known = this.#events.get(receipt);
    if (known !== undefined) return known;
    const events = receipt.logs
      .map((log) => vaultInterface.parseLog(log))
      .filter((event) => event !== null)
      .map((event): Event => ({ name: event.name, args: event.args.toObject() }));
    this.#events.set(receipt, events);
    return events;
  }

  #mined(call: PlannedCall, receipt: TransactionReceipt): void {
    const { kind, story } = call;
    const { hash } = receipt;
    const [account] = call.accounts;
    const of = (name: string) =>
      this.#eventsOf(receipt).find(
        (event) =>
          event.name === name &&
          normalizeAccount(String(event.args["account"])) === account &&
          (story["market"] === undefined || Number(event.args["market"]) === story["market"]),
      )?.args;
    if (kind === "liquidate" || kind === "take") {
      const { sizeDeltaWad, rewardWad, healthAfterWad } = of("PositionLiquidated") ?? {};
      const figures = { sizeDelta: wad(sizeDeltaWad), reward: wad(rewardWad), healthAfter: wad(healthAfterWad) };
      this.#log.info({ ...story, ...figures, hash }, kind === "take" ? "taken" : "liquidated");
      this.#counts.liquidations += 1;
      if (kind === "take") {
        this.#counts.taken += 1;
        this.taken.add(Number(story["market"]));
      }
    } else if (kind === "sellCollateral") {
      const { amount, proceedsWad, healthAfterWad } = of("CollateralLiquidated") ?? {};
      const figures = { amount: String(amount), proceeds: wad(proceedsWad), healthAfter: wad(healthAfterWad) };
      this.#log.info({ ...story, ...figures, hash }, "collateral bought");
      this.#counts.liquidations += 1;
      this.#counts.taken += 1;
    } else if (kind === "absorb") {
      const absorbed = of("Absorbed");
      // In a batch with others, but no longer open when its turn came.
      if (absorbed === undefined) this.#log.info({ ...story, hash }, "overtaken");
      else {
        this.#log.info({ ...story, reward: wad(absorbed["rewardWad"]), hash }, "absorbed");
        this.#counts.absorbed += 1;
      }
    } else if (kind === "giveBack") {
      this.#log.info({ ...story, hash }, "given back");
      this.#counts.givenBack += 1;
    } else if (kind === "refresh") {
      this.#log.info({ ...story, hash }, "prices stored");
    } else {
      this.#log.info({ ...story, hash }, choreDone[String(story["chore"])] ?? "done");
      this.#counts.chores += 1;
    }
  }
}

/** For a log line. */
function wad(value: unknown): string {
  return typeof value === "bigint" ? formatDecimal(value, 18) : "?";
}
