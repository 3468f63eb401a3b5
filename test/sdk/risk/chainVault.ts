import { type AccountId, type Place, place, revertData, decodeRevert } from "../../../sdk/index.js";
import type { VaultCode } from "../../../sdk/risk/MarginVault.js";
import * as MarketWords from "../../../sdk/risk/types/MarketWords.js";
import type { Oracle } from "../../../sdk/risk/types/VaultStorage.js";
import { Vault, type VaultEvent } from "../../../sdk/risk/types/VaultStorage.js";
import type * as Price from "../../../sdk/risk/types/Price.js";
import type { World } from "../../helpers/world.js";

/** Whose words are read, beside all markets and collaterals. */
export interface Cast {
  readonly accounts: readonly AccountId[];
  /** Lower case. */
  readonly owners: readonly string[];
}

/** A word of the vault: where it stands on the chain, and where in the twin. */
interface Seat {
  readonly place: Place;
  read(vault: Vault): bigint;
  write(vault: Vault, word: bigint): void;
}

/** A word that is a field of the vault or of a market. */
function field<T extends object>(at: Place, of: (vault: Vault) => T, key: keyof T): Seat {
  return {
    place: at,
    read: (vault) => of(vault)[key] as bigint,
    write: (vault, word) => void Object.assign(of(vault), { [key]: word }),
  };
}

const marketWords = ["state", "totals", "risk", "terms", "discount", "longSide", "shortSide", "epochs"] as const;
const plainWords = [
  "accountRisk",
  "rewardBudget",
  "capital",
  "cashIndices",
  "cashTotals",
  "badDebt",
  "cashTerms",
  "poolLosses",
  "writeOffs",
] as const;

const counts: Seat = {
  place: place.counts,
  read: ({ cashHeld, interestUnswept, marketCount, collateralCount }) =>
    cashHeld | (interestUnswept << 128n) | (BigInt(marketCount) << 240n) | (BigInt(collateralCount) << 248n),
  write: (vault, word) => {
    vault.cashHeld = BigInt.asUintN(128, word);
    vault.interestUnswept = BigInt.asUintN(112, word >> 128n);
    vault.marketCount = Number(BigInt.asUintN(8, word >> 240n));
    vault.collateralCount = Number(word >> 248n);
  },
};

const halted: Seat = {
  place: place.borrowingHalted,
  read: (vault) => (vault.borrowingHalted ? 1n : 0n),
  write: (vault, word) => void (vault.borrowingHalted = word !== 0n),
};

/** A mapping's word as a seat. */
function entry<A extends unknown[]>(
  at: Place,
  of: (vault: Vault) => { get(...keys: A): bigint; set(...all: [...A, never]): void },
  ...keys: A
): Seat {
  return {
    place: at,
    read: (vault) => of(vault).get(...keys),
    write: (vault, word) => of(vault).set(...keys, word as never),
  };
}

function seatsOf({ accounts, owners }: Cast, markets: number, collaterals: number): Seat[] {
  const ids = Array.from({ length: markets }, (_, id) => id);
  const indexes = Array.from({ length: collaterals }, (_, index) => index);
  return [
    counts,
    halted,
    ...plainWords.map((word) => field(place[word], (vault) => vault, word)),
    ...accounts.flatMap((id) => [
      entry(place.account(id), ($) => $.accounts, id),
      ...ids.map((market) => entry(place.position(id, market), ($) => $.positions, id, market)),
      ...indexes.map((index) => entry(place.collateralOf(id, index), ($) => $.collateralOf, id, index)),
      ...owners.map((owner) => entry(place.permissionsOf(id, owner), ($) => $.permissionsOf, id, owner)),
    ]),
    ...owners.map((owner) => entry(place.nonce(owner), ($) => $.nonces, owner)),
    ...ids.flatMap((id) => marketWords.map((word) => field(place.market(id, word), ($) => $.markets(id), word))),
    ...indexes.flatMap((index) => [
      entry(place.collateral(index), ($) => $.collaterals, index),
      entry(place.collateralDiscount(index), ($) => $.collateralDiscounts, index),
      entry(place.stockSince(index), ($) => $.stockSince, index),
    ]),
  ];
}

/** The vault of a chain, as the twin has it: its words, read back whole. */
export class ChainVault {
  readonly #world: World;
  readonly #seats: readonly Seat[];
  readonly #tokens: readonly string[];

  constructor(world: World, cast: Cast) {
    const { markets, collaterals } = world.deployment;
    this.#world = world;
    this.#seats = seatsOf(cast, markets.length, collaterals.length);
    this.#tokens = collaterals.map(({ address }) => address.toLowerCase());
  }

  /** As of the latest block. */
  async read(): Promise<Vault> {
    const vault = new Vault(0n, "");
    const words = await this.#world.ballast.vault.extsload(this.#seats.map(({ place: { slot } }) => slot));
    this.#seats.forEach(({ write }, i) => write(vault, BigInt(words[i]!)));
    this.#tokens.forEach((token, index) => vault.setCollateralToken(index, token));
    await this.#readEnds(vault);
    return vault;
  }

  async #readEnds(vault: Vault): Promise<void> {
    for (let id = 0; id < vault.marketCount; id++) {
      const { epochs, ends } = vault.markets(id);
      for (const long of [true, false]) {
        for (let epoch = 0n; epoch < MarketWords.epochOf(epochs, long); epoch++) {
          const end = await this.#world.ballast.vault.epochEnd(id, long, epoch);
          ends.set((Number(epoch) << 1) | (long ? 1 : 0), end as MarketWords.SideWord);
        }
      }
    }
  }

  /** All words by name. */
  words(vault: Vault): Record<string, bigint> {
    return Object.fromEntries(this.#seats.map(({ place: { name }, read }) => [name, read(vault)]));
  }

  /** What stands in the vault's code, with the oracle's answers at the time of the next block. */
  async code(): Promise<VaultCode> {
    const { vault, oracle } = this.#world.ballast;
    const { marketCount, collateralCount } = await this.read();
    const assets = [...Array(marketCount).keys(), ...[...Array(collateralCount).keys()].map((i) => 96 + i)];
    const set = assets.reduce((all, asset) => all | (1n << BigInt(asset)), 0n);
    const prices = await oracle.lastPrices(set, { blockTag: "pending" });
    const byAsset = new Map(assets.map((asset, i) => [asset, prices[i] as Price.Price]));
    const lastPrices: Oracle["lastPrices"] = (asked) =>
      [...byAsset].filter(([asset]) => ((asked >> BigInt(asset)) & 1n) === 1n).map(([, price]) => price);
    const refuse = () => {
      throw new TypeError("only administration asks that");
    };
    return {
      oracle: { lastPrices, prices: refuse, mostTolerance: refuse },
      pool: (await vault.poolAccount()).toLowerCase() as AccountId,
      insurance: (await vault.insuranceAccount()).toLowerCase() as AccountId,
      settlementToken: this.#world.deployment.settlementToken.address.toLowerCase(),
      cashUnit: 10n ** BigInt(18 - this.#world.deployment.settlementToken.decimals),
    };
  }

  /** What the vault emitted in the latest block. */
  async events(): Promise<VaultEvent[]> {
    const { ballast } = this.#world;
    const events = await ballast.events(await ballast.provider.getBlockNumber());
    return events.filter(({ contract }) => contract === "vault").map(({ name, args }) => ({ name, args: plain(args) }));
  }
}

/** Arguments as the twin has them: hex in lower case. */
function plain(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, typeof value === "string" ? value.toLowerCase() : value]),
  );
}

/** A revert of the chain, by name and arguments as the twin has them. */
export function revertOf(error: unknown): { errorName: string; args: Record<string, unknown> } {
  const data = revertData(error);
  if (data === undefined) throw error;
  if (data.startsWith("0x4e487b71")) return { errorName: "Panic", args: { code: BigInt(`0x${data.slice(10)}`) } };
  const decoded = decodeRevert(data);
  if (decoded === undefined) throw error;
  return { errorName: decoded.errorName, args: plain(decoded.args) };
}
