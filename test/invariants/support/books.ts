import { AbiCoder, keccak256, toBeHex } from "ethers";

import {
  type AccountId,
  type MarketStateFields,
  type MarketTotalsFields,
  type PositionState,
  decodeAccount,
  decodeCollateral,
  decodeMarketState,
  decodeMarketTotals,
  decodePosition,
  normalizeAccount,
} from "../../../sdk/index.js";
import { type Arena, poolInterface, vaultInterface } from "./arena.js";
import { type RawLog, wordsOf } from "./chain.js";

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
  /** 0 cross, 1 isolated. */
  readonly mode: number;
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
  /** Storage words by what they are: the keys of `replay`. */
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

const abi = AbiCoder.defaultAbiCoder();
/** Slot of VaultStorage: the access manager's comes before it. Within it, see contracts/types/VaultStorage.sol. */
const firstSlot = 1n;
const place = {
  accounts: 0n,
  positions: 1n,
  collateralOf: 2n,
  markets: 3n,
  collaterals: 4n,
  rewardBudget: 8n,
  capital: 9n,
  cashHeld: 12n,
};

function entry(key: bigint | string, mapping: bigint | string): string {
  const slot = typeof mapping === "string" ? mapping : toBeHex(firstSlot + mapping, 32);
  return keccak256(abi.encode(["uint256", "bytes32"], [key, slot]));
}

const key = {
  account: (id: string) => `account ${id}`,
  position: (id: string, market: number | bigint) => `position ${id} ${market}`,
  collateral: (id: string, index: number) => `collateral ${id} ${index}`,
  state: (market: number | bigint) => `state ${market}`,
  totals: (market: number | bigint) => `totals ${market}`,
  capital: "capital",
  rewardBudget: "reward budget",
};

/** The slots of all that a replay knows, then what it does not. */
export class BookReader {
  readonly #arena: Arena;
  readonly #keys: string[] = [];
  readonly #slots: string[] = [];
  readonly #replayed: number;
  readonly #healthsData: string;

  constructor(arena: Arena) {
    this.#arena = arena;
    const add = (name: string, slot: string) => {
      this.#keys.push(name);
      this.#slots.push(slot);
    };
    for (const { id } of arena.accounts) {
      add(key.account(id), entry(id, place.accounts));
      for (const market of arena.markets.keys()) {
        add(key.position(id, market), entry(BigInt(market), entry(id, place.positions)));
      }
      for (const index of arena.collaterals.keys()) {
        add(key.collateral(id, index), entry(BigInt(index), entry(id, place.collateralOf)));
      }
    }
    for (const market of arena.markets.keys()) {
      const slot = entry(BigInt(market), place.markets);
      add(key.state(market), slot);
      add(key.totals(market), toBeHex(BigInt(slot) + 1n, 32));
    }
    add(key.capital, toBeHex(firstSlot + place.capital, 32));
    add(key.rewardBudget, toBeHex(firstSlot + place.rewardBudget, 32));
    this.#replayed = this.#keys.length;
    add("cash held", toBeHex(firstSlot + place.cashHeld, 32));
    for (const index of arena.collaterals.keys()) add(`held ${index}`, entry(BigInt(index), place.collaterals));
    this.#healthsData = vaultInterface.encodeFunctionData("healths", [arena.accounts.map(({ id }) => id)]);
  }

  async read(): Promise<Books> {
    const { chain, deployment, accounts, markets, collaterals, cash } = this.#arena;
    const stored = await chain.storage(deployment.vault, this.#slots);
    const all = new Map(this.#keys.map((name, i) => [name, stored[i]!]));
    const word = (name: string) => all.get(name)!;
    const healths = decodeHealths(await chain.call(deployment.vault, this.#healthsData));
    const [poolValue] = wordsOf(await chain.call(deployment.vault, poolValueData));
    const [poolSupply] = wordsOf(await chain.call(deployment.pool, totalSupplyData));
    return {
      words: new Map(this.#keys.slice(0, this.#replayed).map((name) => [name, word(name)])),
      accounts: new Map(
        accounts.map(({ id, name }, i) => [
          id,
          {
            name,
            id,
            ...decodeAccount(word(key.account(id))),
            positions: markets.map((_, market) => decodePosition(word(key.position(id, market)))),
            collaterals: collaterals.map((_, index) => word(key.collateral(id, index))),
            health: healths[i]!,
          },
        ]),
      ),
      markets: markets.map((_, market) => ({
        state: decodeMarketState(word(key.state(market))),
        totals: decodeMarketTotals(word(key.totals(market))),
      })),
      held: collaterals.map((_, index) => decodeCollateral(word(`held ${index}`)).held),
      cashHeldWad: BigInt.asUintN(128, word("cash held")) * cashUnit(cash.decimals),
      rewardSpentWad: ((word(key.rewardBudget) >> 112n) & (2n ** 56n - 1n)) * 10n ** 12n,
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

const poolPositionOf = (pool: AccountId, market: bigint) => key.position(pool, market);

/** The vault's books as its log tells them: the last word for each key. */
export class Replay {
  readonly words: Map<string, bigint>;
  /** How often a market changed: each time rounding may have left some wei. */
  marketChanges: number;
  readonly #arena: Arena;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.words = new Map();
    this.marketChanges = 0;
    this.apply(arena.logs);
  }

  /** Reads the vault's logs on; other contracts' are left out. */
  apply(logs: readonly RawLog[]): VaultEvent[] {
    const vault = this.#arena.deployment.vault.toLowerCase();
    const events: VaultEvent[] = [];
    for (const log of logs) {
      if (log.address.toLowerCase() !== vault) continue;
      const parsed = vaultInterface.parseLog(log);
      if (parsed === null) continue; // the access manager's
      const args = parsed.args.toObject();
      events.push({ name: parsed.name, args });
      this.#keep(parsed.name, args);
    }
    return events;
  }

  #keep(name: string, args: Readonly<Record<string, unknown>>): void {
    const id = typeof args.account === "string" ? normalizeAccount(args.account) : "";
    const market = args.market as bigint;
    if (name === "AccountChanged") this.words.set(key.account(id), args.word as bigint);
    if (name === "PositionChanged") this.words.set(key.position(id, market), args.position as bigint);
    if (name === "CapitalChanged") this.words.set(key.capital, args.capital as bigint);
    if (name === "RewardBudgetChanged") this.words.set(key.rewardBudget, args.budget as bigint);
    if (name === "CollateralChanged") {
      const token = String(args.token).toLowerCase();
      const index = this.#arena.collaterals.findIndex(({ address }) => address.toLowerCase() === token);
      this.words.set(key.collateral(id, index), args.amount as bigint);
    }
    if (name === "MarketChanged") {
      this.marketChanges += 1;
      this.words.set(key.state(market), args.state as bigint);
      this.words.set(key.totals(market), args.totals as bigint);
      this.words.set(poolPositionOf(this.#arena.pool, market), args.poolPosition as bigint);
    }
  }
}
