import type { Interface } from "ethers";
import { z } from "zod";

import { type AccountId, type Ballast, formatDecimal, revertData } from "../sdk/index.js";
import { LiquidityPool__factory, MarginVault__factory } from "../typechain-types/index.js";
import { type LocalMarket, send } from "./market.js";

const count = z.int().min(0);
const money = z.string().regex(/^\d+(\.\d{1,18})?$/, "must be a decimal string");

/** What came of it that everybody left. Money in settlement tokens. */
export const BankRunFigures = z.strictObject({
  /** Owners who have neither a position nor cash in the vault any more. */
  left: count,
  /** What the vault refused on the way. */
  refused: count,
  /** Cash that owners and the pool's provider took out. */
  withdrawn: money,
  /** Claims on cash that are left, less the tokens that are left to pay them. */
  unpaid: money,
  /** What stands against them: bad debt, and debts that collateral backs. */
  booked: money,
});

export type BankRunFigures = z.infer<typeof BankRunFigures>;

const vault: Interface = MarginVault__factory.createInterface();
const pool: Interface = LiquidityPool__factory.createInterface();
const unbounded = 2n ** 256n - 1n;

/**
 * One owner after the other closes what he can, and takes out what the vault lets out; then the pool's provider does. Tells whether what
 * nobody gets is more than what was booked as lost.
 */
export async function bankRun(
  market: LocalMarket,
  ballast: Ballast,
  owners: readonly { readonly key: string; readonly account: AccountId }[],
): Promise<BankRunFigures> {
  const { deployment, chain, admin } = market;
  const { settlementToken } = deployment;
  const unitWad = 10n ** BigInt(18 - settlementToken.decimals);
  let [left, refused, withdrawnRaw] = [0, 0, 0n];
  /** What the vault or the pool refuses is counted; anything else is a fault of the run. */
  const attempt = async (from: string, to: string, data: string): Promise<boolean> => {
    try {
      await send(chain, from, to, data);
      return true;
    } catch (error) {
      if (revertData(error) === undefined) throw error;
      refused += 1;
      return false;
    }
  };
  const held = async () => (await ballast.vault.totals()).cashHeld;

  for (const { key, account } of owners) {
    const act = (method: string, args: readonly unknown[]) =>
      attempt(key, deployment.vault, vault.encodeFunctionData(method, args));
    for (const { market: symbol, sizeWad } of await ballast.positions(account)) {
      const id = ballast.marketId(symbol);
      if (sizeWad === 0n) await act("settle", [account, id]);
      else await act("trade", [account, id, -sizeWad, 0n, unbounded]);
    }
    const takeCash = async () => {
      const [cashWad, { freeMarginWad }, heldRaw] = [
        await ballast.vault.cash(account),
        await ballast.health(account),
        await held(),
      ];
      const raw = least(least(cashWad, freeMarginWad) / unitWad, heldRaw);
      if (raw > 0n && (await act("withdraw", [account, settlementToken.address, raw, key]))) withdrawnRaw += raw;
    };
    await takeCash();
    for (const { token, amount } of await ballast.collaterals(account)) {
      const address = deployment.collaterals.find(({ symbol }) => symbol === token)?.address;
      await act("withdraw", [account, address, amount, key]);
    }
    const { assets } = await ballast.state(account);
    if (assets === 0n && (await ballast.vault.cash(account)) < unitWad) left += 1;
  }
  const providers = await ballast.pool.maxWithdraw(admin);
  const leave = pool.encodeFunctionData("withdraw", [providers, admin, admin]);
  if (providers > 0n && (await attempt(admin, deployment.pool, leave))) withdrawnRaw += providers;

  const text = (wad: bigint) => formatDecimal(wad < 0n ? 0n : wad, 18);
  const { unpaidWad, bookedWad } = await claims(ballast, (await held()) * unitWad);
  return { left, refused, withdrawn: text(withdrawnRaw * unitWad), unpaid: text(unpaidWad), booked: text(bookedWad) };
}

/** What all accounts would have in cash were everything settled, above and below zero, against the tokens that are held. */
async function claims(ballast: Ballast, heldWad: bigint): Promise<{ unpaidWad: bigint; bookedWad: bigint }> {
  const { badDebtWad } = await ballast.vault.cashView();
  let [unpaidWad, bookedWad] = [-heldWad, badDebtWad];
  const logs = await ballast.vault.queryFilter(ballast.vault.getEvent("AccountChanged"), ballast.deployment.fromBlock);
  for (const account of new Set(logs.map(({ args }) => args.account as AccountId))) {
    const { netCashWad } = await ballast.vault.health(account);
    if (netCashWad > 0n) unpaidWad += netCashWad;
    else bookedWad -= netCashWad;
  }
  return { unpaidWad, bookedWad };
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
