import { type Provider, ZeroAddress } from "ethers";

import {
  type AccountId,
  type Deployment,
  WAD,
  collateralsOf,
  decodeAccount,
  decodeCollateral,
  decodeMarketState,
  decodeMarketTotals,
  marketsOf,
  normalizeAccount,
} from "../sdk/index.js";
import { MarginVault__factory, MockToken__factory } from "../typechain-types/index.js";

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

const RAY = 10n ** 27n;
/** Rounding leaves a few wei in the vault with every fill and settlement. */
const dustWeiAChange = 8n;
const reserveWadAMarket = WAD;

/**
 * Recomputes custody and zero sum. No total of the contract is trusted, except to be compared: the accounts come from the log, their
 * words from storage, the tokens from their balances.
 *
 * Cash (docs/protocol.md, INV-01): sum of cash + fees not swept + sum over sides of (shares * carry - costs) + dust = tokens held.
 */
export async function auditVault(provider: Provider, deployment: Deployment): Promise<Audit> {
  const vault = MarginVault__factory.connect(deployment.vault, provider);
  const accountLogs = await vault.queryFilter(vault.getEvent("AccountChanged"), deployment.fromBlock);
  const changes = BigInt((await vault.queryFilter(vault.getEvent("MarketChanged"), deployment.fromBlock)).length);
  const accounts = [...new Set(accountLogs.map((log) => normalizeAccount(log.topics[1] ?? ZeroAddress)))];
  const findings: string[] = [];

  let cashWad = 0n;
  const collateralSums = deployment.collaterals.map(() => 0n);
  const books = deployment.markets.map(() => ({ longWad: 0n, shortWad: 0n, costWad: 0n }));
  const readAccount = async (account: AccountId) => {
    const { principalWad, assets } = decodeAccount(await vault.accountWord(account));
    const positions = await Promise.all(
      marketsOf(assets).map(async (id) => ({ id, ...(await vault.position(account, id).then(sharesAndCost)) })),
    );
    const collaterals = await Promise.all(
      collateralsOf(assets).map(async (index) => ({
        index,
        amount: await vault.collateral(account, deployment.collaterals[index]?.address ?? ZeroAddress),
      })),
    );
    return { principalWad, positions, collaterals };
  };
  for (const { principalWad, positions, collaterals } of await inChunks(accounts, 50, readAccount)) {
    cashWad += principalWad;
    for (const { id, sharesWad, costWad } of positions) {
      const book = books[id];
      if (book === undefined) throw new RangeError(`the deployment file has no market ${id}`);
      if (sharesWad > 0n) book.longWad += sharesWad;
      else book.shortWad -= sharesWad;
      book.costWad += costWad;
    }
    for (const { index, amount } of collaterals) collateralSums[index] = (collateralSums[index] ?? 0n) + amount;
  }

  let claimsWad = cashWad;
  let zeroSumOk = true;
  for (const [id, { longWad, shortWad, costWad }] of books.entries()) {
    const view = await vault.market(id);
    const { fundingIndexWad } = decodeMarketState(view.state);
    const totals = decodeMarketTotals(view.totals);
    const carryRay = fundingIndexWad * (RAY / WAD);
    claimsWad += totals.feesUnsweptWad + ((shortWad - longWad) * carryRay) / RAY - costWad;
    const symbol = deployment.markets[id]?.symbol ?? String(id);
    if (longWad !== shortWad) {
      zeroSumOk = false;
      findings.push(`${symbol}: longs are ${longWad} wei, shorts ${shortWad}`);
    }
    if (longWad !== totals.longSharesWad || shortWad !== totals.shortSharesWad) {
      zeroSumOk = false;
      findings.push(`${symbol}: accounts hold ${longWad} and ${shortWad} shares, the market counts ${view.totals}`);
    }
  }

  let custodyOk = true;
  const refuse = (finding: string) => {
    custodyOk = false;
    findings.push(finding);
  };
  const { settlementToken } = deployment;
  const balance = await MockToken__factory.connect(settlementToken.address, provider).balanceOf(deployment.vault);
  const [, , cashHeld] = await vault.totals();
  if (cashHeld > balance) refuse(`${settlementToken.symbol}: the vault counts ${cashHeld} and holds ${balance}`);
  const dustWad = cashHeld * 10n ** BigInt(18 - settlementToken.decimals) - claimsWad;
  const reserveWad = reserveWadAMarket * BigInt(deployment.markets.length);
  if (dustWad < reserveWad || dustWad > reserveWad + changes * dustWeiAChange) {
    refuse(`${settlementToken.symbol}: ${dustWad - reserveWad} wei beside the reserve after ${changes} changes`);
  }
  for (const [index, { address, symbol }] of deployment.collaterals.entries()) {
    const [, word] = await vault.collateralAt(index);
    const { held } = decodeCollateral(word);
    const sum = collateralSums[index] ?? 0n;
    const tokens = await MockToken__factory.connect(address, provider).balanceOf(deployment.vault);
    if (sum !== held || sum > tokens)
      refuse(`${symbol}: accounts hold ${sum}, the vault counts ${held} and has ${tokens}`);
  }
  return { accounts: accounts.length, custodyOk, zeroSumOk, dustWad, findings };
}

function sharesAndCost({ sharesWad, costWad }: { sharesWad: bigint; costWad: bigint }) {
  return { sharesWad, costWad };
}

/** Maps in chunks, so that a node is not handed thousands of requests at once. */
export async function inChunks<T, U>(items: readonly T[], size: number, map: (item: T) => Promise<U>): Promise<U[]> {
  const mapped: U[] = [];
  for (let at = 0; at < items.length; at += size) {
    mapped.push(...(await Promise.all(items.slice(at, at + size).map(map))));
  }
  return mapped;
}
