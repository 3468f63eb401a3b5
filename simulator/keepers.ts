import { type AccountId, accountId, mulDivDown } from "../sdk/index.js";
import { type LocalMarket, give } from "./market.js";

/** What the run tells of a keeper's turn, or of a step's turns together. */
export interface KeeperTurn {
  readonly atRisk: number;
  readonly liquidations: number;
  /** Liquidations that the keeper's capital took. */
  readonly taken: number;
  /** Trades by which it gave back to the pool what it had taken. */
  readonly givenBack: number;
  readonly absorbed: number;
  /** What was done for the vault as a whole: markets delisted, the pool resolved, bad debt covered, final results settled. */
  readonly chores: number;
}

/** A turn in which nothing was to be done. */
export const idleTurn: KeeperTurn = { atRisk: 0, liquidations: 0, taken: 0, givenBack: 0, absorbed: 0, chores: 0 };

/** A keeper that knows only an address, a deployment and a key; the run awaits its step. */
export interface KeeperStep {
  onBlock(blockNumber: number): Promise<KeeperTurn>;
  close(): Promise<void>;
}

/** Of what the pool starts with: the capital of each keeper that has some. */
const capitalPercent = 1n;
/** Turns of each keeper in a step at most; what is left then counts as left. */
const mostTurns = 64;

/** The keepers of a run: those with capital in their order, then the one without, which puts into the pool what they leave. */
export class Keepers {
  readonly #keepers: readonly KeeperStep[];
  readonly #blockNumber: () => Promise<number>;

  private constructor(keepers: readonly KeeperStep[], blockNumber: () => Promise<number>) {
    this.#keepers = keepers;
    this.#blockNumber = blockNumber;
  }

  static async create(
    makers: readonly (() => Promise<KeeperStep>)[],
    blockNumber: () => Promise<number>,
  ): Promise<Keepers> {
    const keepers: KeeperStep[] = [];
    try {
      for (const make of makers) keepers.push(await make());
      return new Keepers(keepers, blockNumber);
    } catch (error) {
      for (const keeper of keepers) await keeper.close();
      throw error;
    }
  }

  /** One turn after the other, until none of the others has acted since a keeper's last. One keeper alone has one turn. */
  async step(): Promise<KeeperTurn> {
    let sum = idleTurn;
    let quiet = 0;
    for (let round = 0; round < mostTurns; round += 1) {
      for (const keeper of this.#keepers) {
        const turn = await keeper.onBlock(await this.#blockNumber());
        sum = added(sum, turn);
        quiet = turn.liquidations + turn.givenBack + turn.absorbed + turn.chores > 0 ? 1 : quiet + 1;
        if (quiet >= this.#keepers.length) return sum;
      }
    }
    return sum;
  }

  async close(): Promise<void> {
    for (const keeper of this.#keepers) await keeper.close();
  }
}

/** Counts add up; of those at risk the most that one turn saw, since the keepers see the same accounts. */
export function added(sum: KeeperTurn, turn: KeeperTurn): KeeperTurn {
  return {
    atRisk: Math.max(sum.atRisk, turn.atRisk),
    liquidations: sum.liquidations + turn.liquidations,
    taken: sum.taken + turn.taken,
    givenBack: sum.givenBack + turn.givenBack,
    absorbed: sum.absorbed + turn.absorbed,
    chores: sum.chores + turn.chores,
  };
}

/** Gives the first account of each of these keys of the node its capital, in cash. */
export async function fundTakers(
  market: LocalMarket,
  keyIndexes: readonly number[],
  poolSeedWad: bigint,
): Promise<AccountId[]> {
  const { symbol: token, decimals } = market.deployment.settlementToken;
  const amount = mulDivDown(poolSeedWad, capitalPercent, 100n * 10n ** BigInt(18 - decimals));
  const accounts: AccountId[] = [];
  for (const index of keyIndexes) {
    const key = market.keys[index];
    if (key === undefined) throw new RangeError(`the node holds no key ${index}`);
    const account = accountId(key);
    await give(market, key, account, { token, amount });
    accounts.push(account);
  }
  return accounts;
}
