import type { Act } from "./act.js";
import type { Books, Replay, VaultEvent } from "./books.js";
import type { RawLog } from "./chain.js";
import type { World } from "./worlds.js";

/** What must hold after every step; each sentence is the title of a test. */
export const invariants = {
  "INV-01":
    "tokens held and bad debt cover every claim, and rounding leaves at most a few wei a change, never in an account's favour",
  "INV-02": "longs and shorts of a market are of the same size, to a few wei a change once it was deleveraged",
  "INV-03":
    "shares and principals over accounts equal the totals, what an account takes over keeps its size, and the log alone rebuilds storage",
  "INV-04":
    "trade, settle, liquidation, deleveraging and sweeping keep total equity; deposits and withdrawals change it by what they move",
  "INV-05": "funding paid less funding received is never below zero and less than a few wei a position",
  "INV-06": "a round trip at a constant price, by any accounts, gains nothing: it costs its fees",
  "INV-07": "splitting a trade leaves its cost as it is and never lowers its fees",
  "INV-08": "settling changes neither equity nor health, and frees no margin but that of a final gain",
  "INV-09":
    "a partial liquidation raises health, to the target at most unless leg or debt is gone, and leaves nobody below zero",
  "INV-10":
    "liquidating oneself gains nothing but the skew's premium and the reward's top-up, and to a second account costs insurance's part",
  "INV-11":
    "deleveraging closes within the maintenance base of the price, takes from each what its size says, and makes nobody liquidatable",
  "INV-12":
    "at a constant price a share of the pool changes by fees, funding, interest, liquidations and sales of what they brought only, and going in and out gains nothing",
  "INV-13": "interest credited is never more than interest charged, and rates are those of the utilisation",
  "INV-14":
    "an account at or above initial margin can close any position, and any account can repay, with another feed dead, caps full and the checkpoint stale",
  "INV-15":
    "no act makes another account unhealthy, or changes the health of one that it does not name, or leaves a taker below initial margin",
  "INV-16": "an isolated account has one position at most, and changes its mode only without one",
  "INV-17": "setting parameters makes nobody's margin worse, and a step is no more than a 72nd of the change",
  "INV-18": "roles and owners alone do what is theirs",
  "INV-19": "the books move by exactly the tokens that move, whatever a token does",
  "INV-20": "tokens that come unasked, and time by itself, change no word of storage",
  "INV-21": "a deposit leaves a collateral within its cap",
  "INV-22": "a delisting closes every position at one price, and moves nothing else",
  "INV-23": "epochs only rise, their ends never change, and scales fall within one",
  "INV-25": "a trade that grows a position leaves initial margin, at fresh prices",
  "INV-26": "a trade that reduces one leaves nobody below zero, and no health lower below initial margin",
  "INV-27": "initial margin asks for no less, and counts no more, than maintenance margin",
  "INV-28": "no debt grows to less than the minimum by what its owner does",
  "INV-29": "a trade or a liquidation leaves a position of its minimum size, or none",
  "INV-30": "what grows stays within the cap of open interest and the pool's capital",
  "INV-33": "nobody healthy is liquidated, sold or absorbed",
  "INV-34":
    "what a liquidation costs lies between what a trade costs and what health bears, and insurance has its share",
  "INV-35": "what a view announces is what is done",
  "INV-36": "losses go down the waterfall step by step",
  "INV-37": "pool and suppliers pay no more in an hour than its budget",
  "INV-38": "insurance never owes, and bad debt is what was booked less what was paid",
  "INV-39": "indices of cash only rise, but for a write-off",
  "INV-41": "rates of funding stay within their largest value",
  "INV-43": "redeeming leaves the pool its margin and no debt",
  "INV-44": "shares that are locked neither move nor are redeemed",
  "INV-46": "no price is stored that is older than the one before",
  "INV-52": "an operator does what the owner has permitted, and nothing else",
  "INV-53": "a signed grant uses up a nonce of its owner, and nobody else does",
  "INV-47": "a price refuses only what needs it while it is not fresh",
} as const;

export type InvariantId = keyof typeof invariants;

export interface Finding {
  readonly invariant: InvariantId;
  readonly message: string;
}

/** A step that went through: the books on both sides of it, and what the vault told. */
export interface Step {
  readonly act: Act;
  readonly before: Books;
  readonly after: Books;
  readonly events: readonly VaultEvent[];
  readonly replay: Replay;
  /** Tokens in the vault, raw, before and after it, if it may have moved any. */
  readonly balancesBefore: readonly bigint[] | undefined;
  readonly balances: readonly bigint[] | undefined;
  /** Logs of the pool's shares. */
  readonly poolLogs: readonly RawLog[];
  /** Until when the shares that it took were locked (Unix seconds). */
  readonly lockedUntil: number | undefined;
  /** When prices were published that the oracle had stored, by asset, if it may have stored some. */
  readonly published: { readonly before: readonly number[]; readonly after: readonly number[] } | undefined;
  /** What a view said just before it that it would do, by the names of what it tells. */
  readonly preview: Readonly<Record<string, bigint>> | undefined;
  /** By market; before it, and after it. */
  readonly pricesBeforeWad: readonly bigint[];
  readonly pricesWad: readonly bigint[];
  /** Markets whose prices were fresh when the act came. */
  readonly freshMarkets: ReadonlySet<number>;
  readonly world: World;
}

/** For figures that are equal but for the rounding of two positions, wei. */
export const roundingWei = 16n;

/** Collects what does not hold. */
export class Judge {
  readonly findings: Finding[] = [];
  /** How often something was held against the invariant. */
  looks = 0;
  readonly #invariant: InvariantId;

  constructor(invariant: InvariantId) {
    this.#invariant = invariant;
  }

  holds(condition: boolean, message: () => string): void {
    this.looks += 1;
    if (!condition) this.findings.push({ invariant: this.#invariant, message: message() });
  }

  within(figure: bigint, least: bigint, most: bigint, what: string): void {
    this.holds(figure >= least && figure <= most, () => `${what}: ${figure} is not within ${least} and ${most}`);
  }
}
