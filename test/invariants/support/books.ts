import { LogReader } from "../../../sdk/book/index.js";
import {
  type AccountId,
  type EpochsFields,
  type HourBudgetFields,
  type MarketStateFields,
  type MarketTotalsFields,
  type Mode,
  type SideFields,
  decodeAccount,
  decodeCollateral,
  decodeEpochs,
  decodeHourBudget,
  decodeMarketState,
  decodeMarketTotals,
  decodePosition,
  decodeSide,
  epochEndKey,
} from "../../../sdk/index.js";
import { type Extent, type Place, place, placesOf, wordsOf } from "../../helpers/vaultStorage.js";
import type { Arena } from "./arena.js";
import { poolInterface, vaultInterface } from "./interfaces.js";
import { type CashState, cashOf, readCash } from "./cash.js";
import type { RawLog } from "./chain.js";
import { roundingOf } from "./figures.js";
import type { Step } from "./judge.js";
import { type Position, type Sides, positionNow, sidesAt } from "./sides.js";

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
  /** With interest by now; below zero a debt. */
  readonly cashWad: bigint;
  readonly assets: bigint;
  readonly mode: Mode;
  /** By market. */
  readonly positions: readonly Position[];
  /** Raw, by collateral. */
  readonly collaterals: readonly bigint[];
  readonly health: HealthFigures;
}

export interface MarketBook {
  readonly state: MarketStateFields;
  readonly totals: MarketTotalsFields;
  readonly epochs: EpochsFields;
  /** Without the funding since the market was touched. */
  readonly sides: Sides;
}

/** Everything that the vault has in storage about accounts and markets, and what its views make of it. */
export interface Books {
  /** All storage words of the arena's accounts and of the vault, by the names of their places. */
  readonly words: ReadonlyMap<string, bigint>;
  readonly nowSeconds: number;
  readonly cash: CashState;
  readonly poolLosses: HourBudgetFields;
  readonly writeOffs: HourBudgetFields;
  readonly accounts: ReadonlyMap<AccountId, AccountBook>;
  readonly markets: readonly MarketBook[];
  /** Raw, by collateral: what the vault counts. */
  readonly held: readonly bigint[];
  readonly cashHeldWad: bigint;
  readonly rewardSpentWad: bigint;
  readonly poolValueWad: bigint;
  /** Of the pool's positions, by market, as the vault's view tells them; only where its maintenance equity is below zero. */
  readonly poolPositionsWad: readonly bigint[];
  readonly poolSupply: bigint;
}

/** Reads the vault's storage, every place of it that the arena's accounts can have anything in. */
export class BookReader {
  readonly #arena: Arena;
  readonly #healthsData: string;
  /** Epochs of each side whose ends are looked at. */
  readonly #ended: Ended[];
  #places: readonly Place[] = [];
  #slots: readonly string[] = [];

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#ended = arena.markets.map(() => ({ long: 0, short: 0 }));
    this.#healthsData = vaultInterface.encodeFunctionData("healths", [arena.accounts.map(({ id }) => id)]);
    this.#look();
  }

  #look(): void {
    const { accounts, collaterals, operators } = this.#arena;
    const extent: Extent = {
      accounts: accounts.map(({ id }) => id),
      markets: this.#ended.length,
      ended: new Map(this.#ended.entries()),
      collaterals: collaterals.map(({ address }) => address),
      operators: accounts
        .filter(({ trades }) => trades)
        .flatMap(({ id }) => operators.map(({ address }) => [id, address] as const)),
      signers: new Set(accounts.map(({ owner }) => owner.address)),
    };
    this.#places = placesOf(extent);
    this.#slots = this.#places.map(slotOf);
  }

  async #words(): Promise<Map<string, bigint>> {
    const { chain, deployment, markets } = this.#arena;
    for (;;) {
      const stored = await chain.storage(deployment.vault, this.#slots);
      const words = new Map(this.#places.map(({ name }, i) => [name, stored[i]!]));
      let isWhole = true;
      for (const market of markets.keys()) {
        const { longEpoch, shortEpoch } = decodeEpochs(words.get(place.market(market, "epochs").name)!);
        const ended = this.#ended[market]!;
        if (longEpoch <= ended.long && shortEpoch <= ended.short) continue;
        [ended.long, ended.short, isWhole] = [longEpoch, shortEpoch, false];
      }
      if (isWhole) return words;
      this.#look();
    }
  }

  /** @param poolSupply where it is known already */
  async read(poolSupply?: bigint): Promise<Books> {
    const { chain, deployment, accounts, collaterals, cash } = this.#arena;
    const [words, healthsAnswer, poolAnswer, supply] = await Promise.all([
      this.#words(),
      chain.call(deployment.vault, this.#healthsData),
      chain.call(deployment.vault, poolValueData),
      poolSupply ?? chain.call(deployment.pool, totalSupplyData).then(BigInt),
    ]);
    const word = ({ name }: { readonly name: string }) => words.get(name)!;
    const healths = decodeHealths(healthsAnswer);
    const poolHealth = healths[accounts.findIndex(({ id }) => id === this.#arena.pool)]!;
    const poolPositionsWad = poolHealth.equityMaintenance < 0n ? await this.#poolPositionsWad() : [];
    const markets = this.#ended.map((ended, market) => marketBook(word, market, ended));
    const counts = word(place.counts);
    const now = readCash(
      {
        indices: word(place.cashIndices),
        totals: word(place.cashTotals),
        terms: word(place.cashTerms),
        interestUnsweptWad: (counts >> 128n) & (2n ** 112n - 1n),
        badDebtWad: word(place.badDebt),
      },
      chain.nowSeconds,
    );
    const accountBook = (id: AccountId, name: string, health: HealthFigures): AccountBook => {
      const account = decodeAccount(word(place.account(id)));
      return {
        name,
        id,
        ...account,
        cashWad: cashOf(account.principalWad, now),
        positions: markets.map(({ epochs, ends, sides }, market) =>
          positionNow(decodePosition(word(place.position(id, market))), epochs, ends, sides),
        ),
        collaterals: collaterals.map((_, index) => word(place.collateralOf(id, index))),
        health,
      };
    };
    return {
      words,
      nowSeconds: chain.nowSeconds,
      cash: now,
      poolLosses: decodeHourBudget(word(place.poolLosses)),
      writeOffs: decodeHourBudget(word(place.writeOffs)),
      accounts: new Map(accounts.map(({ id, name }, i) => [id, accountBook(id, name, healths[i]!)])),
      markets,
      held: collaterals.map((_, index) => decodeCollateral(word(place.collateral(index))).held),
      cashHeldWad: BigInt.asUintN(128, counts) * cashUnit(cash.decimals),
      rewardSpentWad: ((word(place.rewardBudget) >> 112n) & (2n ** 56n - 1n)) * 10n ** 12n,
      poolValueWad: BigInt.asIntN(256, wordsOf(poolAnswer)[0]!),
      poolPositionsWad,
      poolSupply: supply,
    };
  }

  async #poolPositionsWad(): Promise<bigint[]> {
    const { chain, deployment, markets, pool } = this.#arena;
    const read = async (market: number) => {
      const answer = await chain.call(deployment.vault, vaultInterface.encodeFunctionData("position", [pool, market]));
      return vaultInterface.decodeFunctionResult("position", answer)[0].valueWad as bigint;
    };
    return Promise.all([...markets.keys()].map(read));
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

const knownSlots = new Map<string, string>();

/** The slot of a place: the same name is the same slot, and hashing is dear. */
function slotOf(of: Place): string {
  const slot = knownSlots.get(of.name) ?? of.slot;
  knownSlots.set(of.name, slot);
  return slot;
}

interface Ended {
  long: number;
  short: number;
}

type WordOf = (place: { readonly name: string }) => bigint;

function marketBook(word: WordOf, market: number, ended: Ended) {
  const state = decodeMarketState(word(place.market(market, "state")));
  const long = decodeSide(word(place.market(market, "longSide")));
  const short = decodeSide(word(place.market(market, "shortSide")));
  const ends = new Map<number, SideFields>();
  for (const side of ["long", "short"] as const) {
    for (let epoch = 0; epoch < ended[side]; epoch += 1) {
      ends.set(epochEndKey(side === "long", epoch), decodeSide(word(place.epochEnd(market, side, epoch))));
    }
  }
  return {
    state,
    totals: decodeMarketTotals(word(place.market(market, "totals"))),
    epochs: decodeEpochs(word(place.market(market, "epochs"))),
    sides: sidesAt(state, long, short),
    ends,
  };
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

/** An event of the vault; its arguments are decoded when somebody asks for them. */
export class VaultEvent {
  readonly name: string;
  readonly #log: RawLog;
  #args: Readonly<Record<string, unknown>> | undefined;

  constructor(name: string, log: RawLog) {
    this.name = name;
    this.#log = log;
  }

  /** The market of an event that names it first. */
  get market(): number {
    return Number(this.#log.topics[1]);
  }

  get args(): Readonly<Record<string, unknown>> {
    this.#args ??= vaultInterface.parseLog(this.#log)!.args.toObject();
    return this.#args;
  }
}

const eventNames = new Map<string, string>();
vaultInterface.forEachEvent(({ name, topicHash }) => eventNames.set(topicHash, name));

/** The vault's books as its log tells them, and what it tells beside. */
export class Replay {
  readonly reader: LogReader;
  /** How often an account or a market changed: each time rounding may have left some wei. */
  changes: number;
  /** Beyond that: for markets that were deleveraged, in proportion to their prices. */
  roundingWei: bigint;
  /** Changes by market. */
  readonly marketChanges: number[];
  readonly #vault: string;

  constructor({ deployment, logs, markets }: Arena) {
    this.#vault = deployment.vault.toLowerCase();
    this.reader = new LogReader(deployment);
    this.changes = 0;
    this.roundingWei = 0n;
    this.marketChanges = markets.map(() => 0);
    this.apply(logs);
  }

  /** Counts what a step on markets that were deleveraged may have moved by rounding. */
  allowRounding({ events, after, pricesWad }: Pick<Step, "events" | "after" | "pricesWad">): void {
    for (const { name, market } of events) {
      if (name !== "MarketChanged") continue;
      this.roundingWei += 2n * roundingOf(after, market, pricesWad[market]!);
    }
  }

  /** Reads the vault's logs on; other contracts' are left out. */
  apply(logs: readonly RawLog[]): VaultEvent[] {
    const events: VaultEvent[] = [];
    for (const log of logs) {
      if (log.address.toLowerCase() !== this.#vault) continue;
      this.reader.apply(log); // refuses a log that the vault's interface does not know
      const name = eventNames.get(log.topics[0]!)!;
      events.push(new VaultEvent(name, log));
      if (name === "MarketChanged") this.marketChanges[Number(log.topics[1])]! += 1;
      if (name === "MarketChanged" || name === "AccountChanged" || name === "CashChanged") this.changes += 1;
    }
    return events;
  }
}
