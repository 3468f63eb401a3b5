// Measures the gas of whole transactions on a busy market and records it in bench/gas.json. --json prints only the figures as one line;
// --check changes nothing and fails if the record is out of date;
// --trace tells what each transaction spends it on.
import { existsSync, readFileSync, writeFileSync } from "node:fs";

import { Command } from "commander";
import type { ContractTransactionReceipt, ContractTransactionResponse } from "ethers";
import hre from "hardhat";

import { type Connection, deployBallast, pushPrices } from "../ignition/deploy.js";
import { type AccountId, Ballast, accountId, parseDecimal } from "../sdk/index.js";
import { type GasTrace, traceGas } from "../bench/trace.js";
import { deploymentParameters, parsePrices } from "../simulator/index.js";
import { MockToken__factory } from "../typechain-types/index.js";

const options = new Command("npm run bench:gas --")
  .option("--json", "print the figures as one JSON object on the last line of stdout")
  .option("--check", "compare with bench/gas.json instead of writing it")
  .option("--trace", "tell what each transaction spends its gas on")
  .parse()
  .opts<{ json?: true; check?: true; trace?: true }>();
const file = new URL("../bench/gas.json", import.meta.url);

/** What we want to come to. */
const goals: Readonly<Record<string, number>> = {
  depositCashFirst: 84_000,
  depositCashRepeat: 67_000,
  depositCollateralRepeat: 54_000,
  withdrawNoPosition: 63_000,
  withdrawOnePosition: 79_000,
  open: 99_000,
  increase: 80_000,
  close: 85_000,
  flip: 93_000,
  settle: 68_000,
  liquidateByPool: 97_000,
  liquidateByTaker: 97_000,
  absorb8: 330_000,
  marginPerExtraPosition: 11_500,
};

const prices = {
  BTC: "40000",
  ETH: "2800",
  LINK: "30",
  XRP: "1.2",
  LTC: "210",
  ADA: "1.8",
  AAVE: "480",
  DOT: "29",
  DOGE: "0.4",
};
const symbols = Object.keys(prices);
const wad = (text: string) => parseDecimal(text, 18);

type Signer = Awaited<ReturnType<Connection["ethers"]["getSigners"]>>[number];

const traces: Record<string, GasTrace> = {};
const figures = await measure(await hre.network.create());
const text = `${JSON.stringify(figures, null, 2)}\n`;
const recorded = existsSync(file) ? readFileSync(file, "utf8") : "{}";
if (options.json === true) console.log(JSON.stringify(figures));
else printTable(JSON.parse(recorded) as Record<string, number>);
if (options.trace === true && options.json !== true) printTraces();
if (options.check !== true) writeFileSync(file, text);
else if (recorded !== text) {
  console.error("bench/gas.json is out of date: run `npm run bench:gas` and commit it with the change that moved it");
  process.exitCode = 1;
}

function printTable(before: Readonly<Record<string, number>>): void {
  console.log(`${"".padEnd(26)}${"gas".padStart(10)}${"moved".padStart(10)}${"goal".padStart(10)}`);
  for (const [key, gas] of Object.entries(figures)) {
    const moved = gas - (before[key] ?? gas);
    const change = moved === 0 ? "" : `${moved > 0 ? "+" : ""}${figure(moved)}`;
    const goal = goals[key] === undefined ? "" : figure(goals[key]);
    console.log(`${key.padEnd(26)}${figure(gas).padStart(10)}${change.padStart(10)}${goal.padStart(10)}`);
  }
}

function printTraces(): void {
  const columns = ["base", "reads", "writes", "events", "calls", "computing", "refunds"] as const;
  console.log(`\n${"".padEnd(26)}${columns.map((column) => column.padStart(10)).join("")}`);
  for (const [key, trace] of Object.entries(traces)) {
    console.log(`${key.padEnd(26)}${columns.map((column) => figure(trace[column]).padStart(10)).join("")}`);
  }
}

function figure(gas: number): string {
  return gas.toLocaleString("en-US");
}

/**
 * Two collaterals and nine markets, of which the pool holds all; tolerance, fees and skew above zero, and time passed since the last
 * touch. Warm: every account has acted before, save where a key says first.
 */
async function measure(connection: Connection): Promise<Record<string, number>> {
  const csv = `timestamp_iso,${symbols.join(",")}\n2021-05-19T00:00:00Z,${Object.values(prices).join(",")}\n`;
  const deployment = await deployBallast(connection, deploymentParameters(parsePrices(csv, "bench")));
  const [admin, crowd, trader, keeper, ...others] = await connection.ethers.getSigners();
  if (!admin || !crowd || !trader || !keeper || others.length < 3) throw new TypeError("too few signers");
  const ballast = await Ballast.connect(admin, deployment);
  const gas: Record<string, number> = {};

  const clientOf = (signer: Signer) => Ballast.connect(signer, deployment);
  const mined = async (sent: Promise<ContractTransactionResponse>): Promise<ContractTransactionReceipt> => {
    const receipt = await (await sent).wait();
    if (receipt === null) throw new TypeError("not mined");
    return receipt;
  };
  const cost = async (sent: Promise<ContractTransactionResponse>) => Number((await mined(sent)).gasUsed);
  /** Records what a transaction costs. */
  const record = async (key: string, sent: Promise<ContractTransactionResponse>) => {
    const { hash, gasUsed } = await mined(sent);
    gas[key] = Number(gasUsed);
    if (options.trace === true) traces[key] = await traceGas(connection.ethers.provider, hash, Number(gasUsed));
  };
  const give = async (signer: Signer, spender: string, amounts: Readonly<Record<string, string>>) => {
    for (const token of [deployment.settlementToken, ...deployment.collaterals]) {
      const amount = parseDecimal(amounts[token.symbol] ?? "0", token.decimals);
      if (amount === 0n) continue;
      const erc20 = MockToken__factory.connect(token.address, signer);
      await mined(erc20.mint(signer.address, amount));
      await mined(erc20.approve(spender, 2n ** 256n - 1n));
    }
  };
  const push = async (scale: Readonly<Record<string, bigint>> = {}) => {
    const { timestamp } = (await connection.ethers.provider.getBlock("latest")) ?? { timestamp: 0 };
    const scaled = Object.entries(prices).map(([symbol, price]): [string, bigint] => [
      symbol,
      (wad(price) * (scale[symbol] ?? scale["*"] ?? 100n)) / 100n,
    ]);
    await mined(pushPrices(ballast.oracle, deployment, new Map(scaled), timestamp));
  };
  /** An hour less a bit passes; prices and checkpoint are fresh again, funding has to accrue. */
  const anHourLater = async () => {
    await connection.networkHelpers.time.increase(3_000);
    await push();
    await mined(ballast.vault.refreshCapital());
  };
  const trade = async (signer: Signer, account: AccountId, market: string, notional: string) => {
    const size = (wad(notional) * 10n ** 18n) / wad(prices[market as keyof typeof prices]);
    const rounded = (size / 10n ** 9n) * 10n ** 9n;
    return (await clientOf(signer)).vault.trade(account, ballast.marketId(market), rounded, 0n, 2n ** 40n);
  };

  // The pool and a crowd that leaves it with a position in every market.
  await give(admin, deployment.pool, { USDC: "50000000" });
  await mined(ballast.pool.deposit(parseDecimal("50000000", 6), admin.address));
  const crowdAccount = accountId(crowd.address);
  await give(crowd, deployment.vault, { USDC: "5000000" });
  await mined((await clientOf(crowd)).vault.deposit(crowdAccount, deployment.settlementToken.address, 5n * 10n ** 12n));
  for (const market of symbols) await mined(trade(crowd, crowdAccount, market, "500000"));

  // Custody
  const { address: usdc } = deployment.settlementToken;
  const weth = deployment.collaterals.find(({ symbol }) => symbol === "WETH")?.address ?? "";
  const account = accountId(trader.address);
  const vault = (await clientOf(trader)).vault;
  await give(trader, deployment.vault, { USDC: "1000000", WETH: "100" });
  await record("depositCashFirst", vault.deposit(account, usdc, 10n ** 10n));
  await record("depositCashRepeat", vault.deposit(account, usdc, 10n ** 10n));
  await mined(vault.deposit(account, weth, 10n ** 18n));
  await record("depositCollateralRepeat", vault.deposit(account, weth, 10n ** 18n));
  await anHourLater();
  await record("withdrawNoPosition", vault.withdraw(account, usdc, 10n ** 9n, trader.address));

  // Trade
  await anHourLater();
  await record("open", trade(trader, account, "ETH", "5000"));
  await anHourLater();
  await record("increase", trade(trader, account, "ETH", "1000"));
  await anHourLater();
  await record("withdrawOnePosition", vault.withdraw(account, usdc, 10n ** 9n, trader.address));
  await anHourLater();
  await record("flip", trade(trader, account, "ETH", "-12000"));
  await anHourLater();
  await push({ "*": 101n });
  await record("settle", vault.settle(account, ballast.marketId("ETH")));
  await anHourLater();
  const { sizeWad } = await ballast.position(account, "ETH");
  await record("close", vault.trade(account, ballast.marketId("ETH"), -sizeWad, 0n, 2n ** 40n));

  // A margin check: what one position more costs a withdrawal.
  await mined(trade(trader, account, "BTC", "5000"));
  await mined(trade(trader, account, "LINK", "5000"));
  await anHourLater();
  const two = await cost(vault.withdraw(account, usdc, 10n ** 9n, trader.address));
  await mined(trade(trader, account, "XRP", "5000"));
  await mined(trade(trader, account, "LTC", "5000"));
  await anHourLater();
  const four = await cost(vault.withdraw(account, usdc, 10n ** 9n, trader.address));
  gas["marginPerExtraPosition"] = Math.round((four - two) / 2);

  // Liquidation: the keeper has been paid before, the target holds one position and two collaterals.
  const [first, second, third, taker, eight] = others as [Signer, Signer, Signer, Signer, Signer];
  const poolAccount = accountId(deployment.pool);
  const keeperVault = (await clientOf(keeper)).vault;
  await give(keeper, deployment.vault, { USDC: "1000" });
  await mined(keeperVault.deposit(accountId(keeper.address), usdc, 10n ** 9n));
  for (const owner of [first, second, third]) {
    const target = accountId(owner.address);
    await give(owner, deployment.vault, { USDC: "300", WETH: "0.1", WBTC: "0.005" });
    const theirs = (await clientOf(owner)).vault;
    await mined(theirs.deposit(target, usdc, 300n * 10n ** 6n));
    await mined(theirs.deposit(target, weth, 10n ** 17n));
    await mined(
      theirs.deposit(target, deployment.collaterals.find(({ symbol }) => symbol === "WBTC")?.address ?? "", 500_000n),
    );
    await mined(trade(owner, target, "LINK", "5500"));
  }
  const takerAccount = accountId(taker.address);
  const takerVault = (await clientOf(taker)).vault;
  await give(taker, deployment.vault, { USDC: "10000" });
  await mined(takerVault.deposit(takerAccount, usdc, 10n ** 10n));
  await mined(trade(taker, takerAccount, "LINK", "5500"));
  await anHourLater();
  await push({ LINK: 92n });
  for (const [key, owner] of Object.entries({ liquidateByPoolFirst: first, liquidateByPool: second })) {
    const target = accountId(owner.address);
    const sent = keeperVault.liquidatePosition(target, ballast.marketId("LINK"), 2n ** 255n, poolAccount);
    if (key === "liquidateByPool") await record(key, sent);
    else await mined(sent);
  }
  // The same, to an account that holds the market on the same side.
  await record(
    "liquidateByTaker",
    takerVault.liquidatePosition(accountId(third.address), ballast.marketId("LINK"), 2n ** 255n, takerAccount),
  );

  // Absorb: one account with eight positions, far under water.
  const target = accountId(eight.address);
  await give(eight, deployment.vault, { USDC: "5000" });
  await mined((await clientOf(eight)).vault.deposit(target, usdc, 5_000n * 10n ** 6n));
  await anHourLater();
  for (const market of symbols.slice(0, 8)) await mined(trade(eight, target, market, "5500"));
  await push({ "*": 90n });
  await record("absorb8", keeperVault.absorb([target], accountId(keeper.address)));
  return gas;
}
