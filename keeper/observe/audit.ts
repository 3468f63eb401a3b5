import type { RpcSender } from "../../sdk/book/index.js";
import { type AccountId, type Deployment, type State, contractInterfaces } from "../../sdk/index.js";
import * as MarginVault from "../../sdk/risk/MarginVault.js";
import type * as Margin from "../../sdk/risk/libraries/Margin.js";
import * as Sides from "../../sdk/risk/libraries/Sides.js";
import * as AccountWord from "../../sdk/risk/types/AccountWord.js";
import * as AssetSet from "../../sdk/risk/types/AssetSet.js";
import * as CashWords from "../../sdk/risk/types/CashWords.js";
import * as MarketWords from "../../sdk/risk/types/MarketWords.js";
import type { VaultStorage } from "../../sdk/risk/types/VaultStorage.js";
import * as VaultWords from "../../sdk/risk/types/VaultWords.js";
import type { Detector } from "../detect/index.js";

/** Something that the books and the chain do not say the same of. */
export interface Difference {
  readonly name: string;
  /** By the books. */
  readonly told: bigint;
  /** By the chain. */
  readonly stored: bigint;
}

/**
 * Adds up all accounts of the books, and tells where the sums are not those that the vault keeps itself: an account that is missing shows
 * in one of them, whatever it has. Principals and collaterals are exact; of shares the end of each epoch rounds a wei down an account.
 */
export function sumDifferences($: VaultStorage): Difference[] {
  let [supplied, borrowed] = [0n, 0n];
  const [long, short, held]: [bigint[], bigint[], bigint[]] = [[], [], []];
  const ids = $.accounts.keys();
  for (const id of ids) {
    const word = $.accounts.get(id);
    const principal = AccountWord.principal(word);
    if (principal < 0n) borrowed -= principal;
    else supplied += principal;
    const assets = AccountWord.assets(word);
    for (let bits = AssetSet.markets(assets); bits !== 0n; bits &= bits - 1n) {
      const market = AssetSet.lowestBit(bits);
      const [shares] = Sides.converted($.markets(market), $.positions.get(id, market));
      if (shares < 0n) short[market] = (short[market] ?? 0n) - shares;
      else long[market] = (long[market] ?? 0n) + shares;
    }
    for (let bits = AssetSet.collaterals(assets); bits !== 0n; bits &= bits - 1n) {
      const index = AssetSet.lowestBit(bits);
      held[index] = (held[index] ?? 0n) + $.collateralOf.get(id, index);
    }
  }

  const differences: Difference[] = [];
  const compare = (name: string, told: bigint, stored: bigint, most = 0n) => {
    if (stored < told || stored - told > most) differences.push({ name, told, stored });
  };
  compare("cash supplied", supplied, CashWords.supplied($.cashTotals));
  compare("cash borrowed", borrowed, CashWords.borrowed($.cashTotals));
  for (let id = 0; id < $.marketCount; ++id) {
    const { totals, epochs } = $.markets(id);
    const rounding = (isLong: boolean) => MarketWords.epochOf(epochs, isLong) * BigInt(ids.length);
    compare(`longs of market ${id}`, long[id] ?? 0n, MarketWords.longShares(totals), rounding(true));
    compare(`shorts of market ${id}`, short[id] ?? 0n, MarketWords.shortShares(totals), rounding(false));
  }
  for (let index = 0; index < $.collateralCount; ++index) {
    compare(`collateral ${index}`, held[index] ?? 0n, VaultWords.held($.collaterals.get(index)));
  }
  return differences;
}

export interface SampleOptions {
  readonly detector: Detector;
  /** How many: half of them drawn, half those with the least health. */
  readonly accounts: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** How far above a health of one an account is still near the edge: of these accounts the sample has those that are closest. */
const nearest = 0.05;
const leastNear = 0.001;
/** So many of them are looked at exactly: in a crash tens of thousands are near the edge. */
const mostNear = 256;

/** Asks the chain for the margin of some accounts, in one call at the state's block, and tells where it is not the twin's to the wei. */
export async function compareSample(
  node: RpcSender,
  { vault }: Deployment,
  state: State,
  options: SampleOptions,
): Promise<Difference[]> {
  const ids = sampleOf(state, options);
  if (ids.length === 0) return [];
  const { $, code } = state.at();
  const told = MarginVault.healths($, code, ids);
  const { MarginVault: abi } = contractInterfaces;
  const data = abi.encodeFunctionData("healths", [ids]);
  const answer = String(await node.send("eth_call", [{ to: vault, data }, { blockHash: state.block.hash }]));
  const [stored] = abi.decodeFunctionResult("healths", answer) as unknown as [Margin.Health[]];
  return ids.flatMap((id, i) => {
    const [mine, chains] = [told[i], stored[i]];
    if (mine === undefined || chains === undefined) return [];
    const names = ["equityMaintenanceWad", "requirementMaintenanceWad", "equityInitialWad", "requirementInitialWad"];
    return (names as (keyof Margin.Health)[]).flatMap((name) => {
      const [a, b] = [BigInt(mine[name]), BigInt(chains[name])];
      return a === b ? [] : [{ name: `${name} of ${id}`, told: a, stored: b }];
    });
  });
}

function sampleOf(state: State, { detector, accounts, random }: SampleOptions): AccountId[] {
  const { $, code } = state.at();
  const context = MarginVault.contextOf($, code);
  const candidates = nearCandidates((health) => detector.candidates($, context, health), random);
  const healths = MarginVault.healths($, code, candidates);
  const near = candidates
    .map((account, i) => ({ account, healthWad: healths[i]?.healthWad ?? 0n }))
    .toSorted((a, b) => (a.healthWad < b.healthWad ? -1 : 1))
    .slice(0, Math.ceil(accounts / 2))
    .map(({ account }) => account);
  const drawn = Array.from({ length: Math.min(accounts - near.length, detector.known) }, () =>
    detector.accountAt(Math.floor(random() * detector.known)),
  );
  return [...new Set([...near, ...drawn])];
}

/**
 * Accounts near the edge, few enough to be looked at exactly: of many the closer ones, and of too many that are as close as can be told, some.
 *
 * @param below accounts that may have less than this health
 */
export function nearCandidates(below: (health: number) => AccountId[], random: () => number): AccountId[] {
  let near = nearest;
  let ids = below(1 + near);
  while (ids.length > mostNear && near > leastNear) {
    near /= 2;
    ids = below(1 + near);
  }
  if (ids.length <= mostNear) return ids;
  const first = Math.floor(random() * ids.length);
  return [...ids.slice(first), ...ids.slice(0, first)].slice(0, mostNear);
}
