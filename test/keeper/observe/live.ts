import { type AccountId } from "../../../sdk/index.js";
import { type World, wad } from "../../helpers/world.js";

/** A generator of whole numbers below a bound: the same ones in each run. */
export function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

const sizes = { BTC: "0.05", ETH: "2", LINK: "100" } as const;
const deposits = { USDC: "500", WETH: "2.5", WBTC: "0.05" } as const;

/** Deposits and trades of eight owners with two accounts each, and some of them undone again. */
export async function live(world: World, seed: number): Promise<AccountId[]> {
  const next = numbers(seed);
  const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T;
  const accounts: AccountId[] = [];
  for (const signer of world.signers.slice(0, 8)) {
    const client = await world.as(signer);
    for (const index of [0, 1]) {
      // Some cash for all, since nobody opens anything with a debt below the minimum.
      const account = await world.fund(signer, { USDC: "5", [pick(["USDC", "WETH", "WBTC"] as const)]: "1" }, index);
      accounts.push(account);
      for (const [token, amount] of Object.entries(deposits)) {
        if (next(2) === 0) await world.fund(signer, { [token]: amount }, index);
      }
      for (const [market, size] of Object.entries(sizes)) {
        if (next(2) === 0 || (await client.health(account)).freeMarginWad < wad("100")) continue;
        await client.trade(account, market, next(2) === 0 ? size : `-${size}`);
      }
      const [position] = await client.positions(account);
      if (position !== undefined && next(3) === 0) await client.trade(account, position.market, -position.sizeWad);
    }
  }
  return accounts;
}

/** An account with 1,000 of margin and 11,200 of BTC: liquidatable at 7,500, all but empty at 7,200. */
export async function leveraged(world: World, owner: number, index = 0): Promise<AccountId> {
  const signer = world.signers[owner]!;
  const account = await world.fund(signer, { USDC: "1000" }, index);
  await (await world.as(signer)).trade(account, "BTC", "1.4");
  return account;
}
