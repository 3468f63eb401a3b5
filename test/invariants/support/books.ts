import {
  type AccountId,
  Ledger,
  type MarketStateFields,
  type MarketTotalsFields,
  type PositionState,
  decodeAccount,
  decodeCollateral,
  decodeMarketState,
  decodeMarketTotals,
  decodePosition,
} from "../../../sdk/index.js";
import { place, placesOf, wordsOf } from "../../helpers/vaultStorage.js";
import { type Arena, poolInterface, vaultInterface } from "./arena.js";
import type { RawLog } from "./chain.js";

/** Margin as the vault's view tells it. Wad. */
export interface HealthFigures {
  readonly equityMaintenance: bigint;
  readonly requirementMaintenance: bigint;
  readonly equityInitial: bigint;
  readonly requirementInitial: bigint;
  readonly netCash: bigint;
  readonly health: bigint;
  readonly pricesFresh: boolean;
}

export interface AccountBook {
  readonly name: string;
  readonly id: AccountId;
  readonly principalWad: bigint;
  readonly assets: bigint;
  /** By market. */
  readonly positions: readonly PositionState[];
  /** Raw, by collateral. */
  readonly collaterals: readonly bigint[];
  readonly health: HealthFigures;
}

export interface MarketBook {
  readonly state: MarketStateFields;
  readonly totals: MarketTotalsFields;
}

/** Everything that the vault has in storage about accounts and markets, and what its views make of it. */
export interface Books {
  /** All storage words of the arena's accounts and of the vault, by the names of their places. */
  readonly words: ReadonlyMap<string, bigint>;
  readonly accounts: ReadonlyMap<AccountId, AccountBook>;
  readonly markets: readonly MarketBook[];
  /** Raw, by collateral: what the vault counts. */
  readonly held: readonly bigint[];
  readonly cashHeldWad: bigint;
  readonly rewardSpentWad: bigint;
  readonly poolValueWad: bigint;
  readonly poolSupply: bigint;
}

/** Reads the vault's storage, every place of it that the arena's accounts can have anything in. */
export class BookReader {
  readonly #arena: Arena;
  readonly #names: readonly string[];
  readonly #slots: readonly string[];
  readonly #healthsData: string;

  constructor(arena: Arena) {
    this.#arena = arena;
    const places = placesOf({
      accounts: arena.accounts.map(({ id }) => id),
      markets: arena.markets.length,
      collaterals: arena.collaterals.map(({ address }) => address),
    });
    this.#names = places.map(({ name }) => name);
    this.#slots = places.map(({ slot }) => slot);
    this.#healthsData = vaultInterface.encodeFunctionData("healths", [arena.accounts.map(({ id }) => id)]);
  }

  async read(): Promise<Books> {
    const { chain, deployment, accounts, markets, collaterals, cash } = this.#arena;
    const stored = await chain.storage(deployment.vault, this.#slots);
    const words = new Map(this.#names.map((name, i) => [name, stored[i]!]));
    const word = ({ name }: { readonly name: string }) => words.get(name)!;
    const healths = decodeHealths(await chain.call(deployment.vault, this.#healthsData));
    const [poolValue] = wordsOf(await chain.call(deployment.vault, poolValueData));
    const [poolSupply] = wordsOf(await chain.call(deployment.pool, totalSupplyData));
    return {
      words,
      accounts: new Map(
        accounts.map(({ id, name }, i) => [
          id,
          {
            name,
            id,
            ...decodeAccount(word(place.account(id))),
            positions: markets.map((_, market) => decodePosition(word(place.position(id, market)))),
            collaterals: collaterals.map((_, index) => word(place.collateralOf(id, index))),
            health: healths[i]!,
          },
        ]),
      ),
      markets: markets.map((_, market) => ({
        state: decodeMarketState(word(place.market(market, "state"))),
        totals: decodeMarketTotals(word(place.market(market, "totals"))),
      })),
      held: collaterals.map((_, index) => decodeCollateral(word(place.collateral(index))).held),
      cashHeldWad: BigInt.asUintN(128, word(place.counts)) * cashUnit(cash.decimals),
      rewardSpentWad: ((word(place.rewardBudget) >> 112n) & (2n ** 56n - 1n)) * 10n ** 12n,
      poolValueWad: BigInt.asIntN(256, poolValue!),
      poolSupply: poolSupply!,
    };
  }

  /** Tokens in the vault, raw: cash, then the collaterals. */
  async balances(): Promise<bigint[]> {
    const { chain, deployment, cash, collaterals } = this.#arena;
    const answers: bigint[] = [];
    for (const { address } of [cash, ...collaterals]) {
      const data = `0x70a08231${deployment.vault.slice(2).toLowerCase().padStart(64, "0")}`; // balanceOf
      answers.push(BigInt(await chain.call(address, data)));
    }
    return answers;
  }
}

const poolValueData = vaultInterface.encodeFunctionData("poolValue");
const totalSupplyData = poolInterface.encodeFunctionData("totalSupply");

export function cashUnit(decimals: number): bigint {
  return 10n ** BigInt(18 - decimals);
}

function decodeHealths(answer: string): HealthFigures[] {
  const [, count, ...words] = wordsOf(answer);
  const signed = (word: bigint) => BigInt.asIntN(256, word);
  return Array.from({ length: Number(count) }, (_, i) => {
    const [a, b, c, d, e, f, g] = words.slice(7 * i, 7 * i + 7) as [
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    return {
      equityMaintenance: signed(a),
      requirementMaintenance: b,
      equityInitial: signed(c),
      requirementInitial: d,
      netCash: signed(e),
      health: f,
      pricesFresh: g === 1n,
    };
  });
}

export interface VaultEvent {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** The vault's books as its log tells them, and what it tells beside. */
export class Replay {
  readonly ledger: Ledger;
  /** How often a market changed: each time rounding may have left some wei. */
  marketChanges: number;
  readonly #vault: string;

  constructor({ deployment, logs }: Arena) {
    this.#vault = deployment.vault.toLowerCase();
    this.ledger = new Ledger(deployment);
    this.marketChanges = 0;
    this.apply(logs);
  }

  /** Reads the vault's logs on; other contracts' are left out. */
  apply(logs: readonly RawLog[]): VaultEvent[] {
    const events: VaultEvent[] = [];
    for (const log of logs) {
      if (log.address.toLowerCase() !== this.#vault) continue;
      this.ledger.apply(log);
      const { name, args } = vaultInterface.parseLog(log)!; // the ledger refuses a log that the vault's interface does not know
      events.push({ name, args: args.toObject() });
      if (name === "MarketChanged") this.marketChanges += 1;
    }
    return events;
  }
}
