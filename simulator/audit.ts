import { type Provider, ZeroAddress } from "ethers";

import {
  type AccountId,
  type CashIndices,
  type Deployment,
  RAY,
  WAD,
  accruedIndices,
  cashOfPrincipal,
  collateralsOf,
  decodeAccount,
  decodeCashIndices,
  decodeCashTotals,
  decodeCollateral,
  decodeEpochs,
  decodeMarketState,
  decodeMarketTotals,
  decodeSide,
  hasFlag,
  marketsOf,
  mulDivFloor,
} from "../sdk/index.js";
import { type MarginVault, MarginVault__factory, MockToken__factory } from "../typechain-types/index.js";
import { type History, imbalanceWei, readHistory, roundingWei, strayWei } from "./history.js";

/** What the books of a vault come to, recomputed from each account's storage and the tokens' balances. */
export interface Audit {
  readonly accounts: number;
  /** Tokens held cover every claim, and the identity of cash holds within the dust bound. */
  readonly custodyOk: boolean;
  /** In each market longs and shorts are of the same size, and the accounts' shares make up the market's totals. */
  readonly zeroSumOk: boolean;
  /** What the vault holds beyond all claims on cash, wad: the reserve, and what rounding left. */
  readonly dustWad: bigint;
  readonly findings: readonly string[];
}

const indexOne = 10n ** 15n;
const reserveWadAMarket = WAD;

/** What the accounts have, added up. */
interface Sums {
  cashWad: bigint;
  /** Principals above zero, and those below it without their sign. */
  suppliedWad: bigint;
  borrowedWad: bigint;
  readonly books: readonly MarketBook[];
  readonly collaterals: bigint[];
}

/** Of a market: shares of the sides' present epochs, and what all positions have cost. */
interface MarketBook {
  longWad: bigint;
  shortWad: bigint;
  costWad: bigint;
}

/**
 * Recomputes custody and zero sum. No total of the contract is trusted, except to be compared: the accounts come from the log, their
 * words from storage, the tokens from their balances.
 *
 * Cash (docs/protocol.md, INV-01), at the indices as they have grown by the block's time:
 *     sum of cash + fees and interest not swept + sum over sides of (shares * carry - costs) - bad debt + dust = tokens held
 */
export async function auditVault(provider: Provider, deployment: Deployment): Promise<Audit> {
  const block = await provider.getBlock("latest");
  if (block === null) throw new TypeError("the node tells no latest block");
  const blockTag = block.number;
  const vault = MarginVault__factory.connect(deployment.vault, provider);
  const history = await readHistory(provider, deployment, blockTag);
  const view = await vault.cashView({ blockTag });
  const stored = decodeCashIndices(view.indices);
  const indices = accruedIndices(stored, block.timestamp);
  const sums = await addUp(vault, deployment, history, indices, blockTag);
  const findings: string[] = [];
  let custodyOk = true;
  let zeroSumOk = true;
  const refuseCustody = (finding: string) => {
    custodyOk = false;
    findings.push(finding);
  };
  const refuseZeroSum = (finding: string) => {
    zeroSumOk = false;
    findings.push(finding);
  };

  const { suppliedPrincipalWad, borrowedPrincipalWad } = decodeCashTotals(view.totals);
  if (sums.suppliedWad !== suppliedPrincipalWad || sums.borrowedWad !== borrowedPrincipalWad) {
    const counted = `the vault counts ${suppliedPrincipalWad} and ${borrowedPrincipalWad}`;
    refuseCustody(`cash: principals are ${sums.suppliedWad} and ${sums.borrowedWad}, ${counted}`);
  }
  let claimsWad = sums.cashWad + view.interestUnsweptWad + interestSince(sums, stored, indices) - view.badDebtWad;
  let boundWad = roundingWei(history, indices.borrowIndexE15);
  let strayWad = 0n;
  for (const [id, book] of sums.books.entries()) {
    const symbol = deployment.markets[id]?.symbol ?? String(id);
    const past = history.markets[id];
    if (past === undefined) throw new RangeError(`the deployment file has no market ${id}`);
    const market = await readMarket(vault, id, blockTag);
    const { long, short, totals } = market;
    claimsWad += totals.feesUnsweptWad - book.costWad;
    claimsWad += (book.longWad * long.carryRay + book.shortWad * short.carryRay) / RAY;
    strayWad += strayWei(past, history.accounts.length);

    const leaningWad = abs(book.longWad * long.scaleRay - book.shortWad * short.scaleRay) / RAY;
    if (leaningWad > imbalanceWei(past, history.accounts.length)) {
      refuseZeroSum(`${symbol}: longs and shorts differ by ${leaningWad} wei`);
    }
    // An epoch's end rounds the market's shares down once, and those of each account.
    const most = (epochs: number) => BigInt(epochs) * BigInt(history.accounts.length);
    if (
      !isWithin(totals.longSharesWad - book.longWad, 0n, most(market.longEpochs)) ||
      !isWithin(totals.shortSharesWad - book.shortWad, 0n, most(market.shortEpochs))
    ) {
      const counted = `the market counts ${totals.longSharesWad} and ${totals.shortSharesWad}`;
      refuseZeroSum(`${symbol}: accounts hold ${book.longWad} and ${book.shortWad} shares, ${counted}`);
    }
  }
  boundWad += strayWad;

  const { settlementToken } = deployment;
  const balance = await MockToken__factory.connect(settlementToken.address, provider).balanceOf(deployment.vault, {
    blockTag,
  });
  const [, , cashHeld] = await vault.totals({ blockTag });
  if (cashHeld > balance) refuseCustody(`${settlementToken.symbol}: the vault counts ${cashHeld} and holds ${balance}`);
  const dustWad = cashHeld * 10n ** BigInt(18 - settlementToken.decimals) - claimsWad;
  const besideReserveWad = dustWad - reserveWadAMarket * BigInt(deployment.markets.length);
  if (!isWithin(besideReserveWad, -strayWad, boundWad)) {
    const bounds = `not ${-strayWad} to ${boundWad}`;
    refuseCustody(`${settlementToken.symbol}: ${besideReserveWad} wei beside the reserve, ${bounds}`);
  }
  for (const [index, { address, symbol }] of deployment.collaterals.entries()) {
    const [, word] = await vault.collateralAt(index, { blockTag });
    const { held } = decodeCollateral(word);
    const sum = sums.collaterals[index] ?? 0n;
    const tokens = await MockToken__factory.connect(address, provider).balanceOf(deployment.vault, { blockTag });
    if (sum !== held || sum > tokens) {
      refuseCustody(`${symbol}: accounts hold ${sum}, the vault counts ${held} and has ${tokens}`);
    }
  }
  return { accounts: history.accounts.length, custodyOk, zeroSumOk, dustWad, findings };
}

async function addUp(
  vault: MarginVault,
  deployment: Deployment,
  { accounts }: History,
  indices: CashIndices,
  blockTag: number,
): Promise<Sums> {
  const sums: Sums = {
    cashWad: 0n,
    suppliedWad: 0n,
    borrowedWad: 0n,
    books: deployment.markets.map(() => ({ longWad: 0n, shortWad: 0n, costWad: 0n })),
    collaterals: deployment.collaterals.map(() => 0n),
  };
  const readAccount = async (account: AccountId) => {
    const { principalWad, assets } = decodeAccount(await vault.accountWord(account, { blockTag }));
    const positions = await Promise.all(
      marketsOf(assets).map(async (id) => {
        const { sharesWad, costWad } = await vault.position(account, id, { blockTag });
        return { id, sharesWad, costWad };
      }),
    );
    const collaterals = await Promise.all(
      collateralsOf(assets).map(async (index) => ({
        index,
        amount: await vault.collateral(account, deployment.collaterals[index]?.address ?? ZeroAddress, { blockTag }),
      })),
    );
    return { principalWad, positions, collaterals };
  };
  for (const { principalWad, positions, collaterals } of await inChunks(accounts, 50, readAccount)) {
    sums.cashWad += cashOfPrincipal(principalWad, indices);
    if (principalWad < 0n) sums.borrowedWad -= principalWad;
    else sums.suppliedWad += principalWad;
    for (const { id, sharesWad, costWad } of positions) {
      const book = sums.books[id];
      if (book === undefined) throw new RangeError(`the deployment file has no market ${id}`);
      if (sharesWad > 0n) book.longWad += sharesWad;
      else book.shortWad -= sharesWad;
      book.costWad += costWad;
    }
    for (const { index, amount } of collaterals) sums.collaterals[index] = (sums.collaterals[index] ?? 0n) + amount;
  }
  return sums;
}

/** Both sides of a market as they stood when it was touched last: since then funding has moved from one to the other. */
async function readMarket(vault: MarginVault, id: number, blockTag: number) {
  const view = await vault.market(id, { blockTag });
  const state = decodeMarketState(view.state);
  const totals = decodeMarketTotals(view.totals);
  if (!hasFlag(state, "sidesTouched")) {
    const carryRay = state.fundingIndexWad * (RAY / WAD);
    return {
      totals,
      long: { scaleRay: RAY, carryRay: -carryRay },
      short: { scaleRay: RAY, carryRay },
      longEpochs: 0,
      shortEpochs: 0,
    };
  }
  const side = (word: bigint, sign: bigint) => {
    const { scaleRay, carryRay } = decodeSide(word);
    return { scaleRay, carryRay: carryRay + mulDivFloor(-sign * scaleRay, state.fundingIndexWad, WAD) };
  };
  const { longEpoch, shortEpoch } = decodeEpochs(view.epochs);
  const [long, short] = [side(view.longSide, 1n), side(view.shortSide, -1n)];
  return { totals, long, short, longEpochs: longEpoch, shortEpochs: shortEpoch };
}

/** What borrowers were charged beyond what suppliers were credited, since the indices were stored. */
function interestSince({ borrowedWad, suppliedWad }: Sums, stored: CashIndices, now: CashIndices): bigint {
  const charged = mulDivFloor(borrowedWad, now.borrowIndexE15 - stored.borrowIndexE15, indexOne);
  const marginWad = charged + mulDivFloor(-suppliedWad, now.supplyIndexE15 - stored.supplyIndexE15, indexOne);
  return marginWad > 0n ? marginWad : 0n;
}

function abs(a: bigint): bigint {
  return a < 0n ? -a : a;
}

function isWithin(a: bigint, least: bigint, most: bigint): boolean {
  return a >= least && a <= most;
}

/** Maps in chunks, so that a node is not handed thousands of requests at once. */
export async function inChunks<T, U>(items: readonly T[], size: number, map: (item: T) => Promise<U>): Promise<U[]> {
  const mapped: U[] = [];
  for (let at = 0; at < items.length; at += size) {
    mapped.push(...(await Promise.all(items.slice(at, at + size).map(map))));
  }
  return mapped;
}
