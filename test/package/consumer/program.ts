// What a user of the package may write: run with a node's URL, a deployment file, a private key, and an account with a position in BTC.
import { readFileSync } from "node:fs";

import {
  type AccountId,
  Ballast,
  ContractError,
  accountId,
  decodeRevert,
  normalizeAccount,
  parseDeployment,
  place,
} from "ballast";
import { marginVaultAbi } from "ballast/abi";
import { AccountWord, AssetSet, MarginVault, type Price, Vault } from "ballast/risk";
import { AmountError, displayWad, formatWad, wad } from "ballast/units";
import { Interface, JsonRpcProvider, Wallet } from "ethers";

const [url = "", file = "", key = "", account = ""] = process.argv.slice(2);

function units() {
  let refused: unknown;
  try {
    wad(1.5 as never);
  } catch (error) {
    if (!(error instanceof AmountError)) throw error;
    refused = error.problem;
  }
  return { formatted: formatWad(wad("1.50")), displayed: displayWad(wad("1234567.891")), refused };
}

function decoded() {
  const abi = new Interface(marginVaultAbi);
  const id = accountId("0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
  const error = decodeRevert(abi.encodeErrorResult("InsufficientMargin", [id, -1n, 2n]));
  return [error instanceof ContractError, error?.message];
}

/** The words of an account with cash and a position in one market, and what the twin makes of them. */
async function healthFromWords(ballast: Ballast, id: AccountId, market: number) {
  const block = await ballast.provider.getBlock("latest");
  if (block === null) throw new TypeError("no block");
  const blockTag = block.number;
  const $ = new Vault(BigInt(block.timestamp), id.slice(0, 42));
  const own = $.markets(market);
  const words = [
    [place.account(id), (word: bigint) => $.accounts.set(id, word as AccountWord.AccountWord)],
    [place.position(id, market), (word: bigint) => $.positions.set(id, market, word as never)],
    [place.accountRisk, (word: bigint) => ($.accountRisk = word as never)],
    [place.cashIndices, (word: bigint) => ($.cashIndices = word as never)],
    ...(["state", "totals", "risk", "terms", "discount", "longSide", "shortSide", "epochs"] as const).map(
      (name) => [place.market(market, name), (word: bigint) => (own[name] = word as never)] as const,
    ),
  ] as const;
  const stored = await ballast.vault.extsload(
    words.map(([{ slot }]) => slot),
    { blockTag },
  );
  for (const [i, [, set]] of words.entries()) set(BigInt(stored[i] ?? 0));

  const known = await ballast.oracle.lastPrices(AccountWord.assets($.accounts.get(id)) as bigint, { blockTag });
  const lastPrices = () => [...known] as Price.Price[];
  const code = {
    oracle: { lastPrices, prices: lastPrices, mostTolerance: () => 0n },
    pool: ballast.poolAccount,
    insurance: accountId(ballast.deployment.vault),
    settlementToken: ballast.deployment.settlementToken.address.toLowerCase(),
    cashUnit: 10n ** 12n,
  };
  return {
    assets: AssetSet.markets(AccountWord.assets($.accounts.get(id))),
    twin: MarginVault.health($, code, id),
    chain: await ballast.vault.health(id, { blockTag }),
  };
}

async function onChain() {
  const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1 });
  try {
    const ballast = await Ballast.connect(new Wallet(key, provider), parseDeployment(readFileSync(file, "utf8")));
    const id = normalizeAccount(account);
    const { assets, twin, chain } = await healthFromWords(ballast, id, ballast.marketId("BTC"));
    let refusal: unknown;
    try {
      await ballast.trade(id, "BTC", "1000");
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      refusal = [error.errorName, Object.keys(error.args)];
    }
    const { equityMaintenanceWad, requirementMaintenanceWad, healthWad } = twin;
    return {
      assets,
      twin: [equityMaintenanceWad, requirementMaintenanceWad, healthWad],
      chain: [chain.equityMaintenanceWad, chain.requirementMaintenanceWad, chain.healthWad],
      positions: (await ballast.positions(id)).map(({ market, sizeWad }) => [market, formatWad(sizeWad)]),
      refusal,
    };
  } finally {
    provider.destroy();
  }
}

const report = { units: units(), decoded: decoded(), onChain: await onChain() };
console.log(JSON.stringify(report, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)));
