import { collateralParameters, marketParameters } from "../../../ignition/deploy.js";
import { WAD } from "../../../sdk/index.js";
import type { Random } from "../../../simulator/random.js";
import { cashTerms } from "./acts/administration.js";
import type { Arena } from "./arena.js";
import { poolInterface, vaultInterface } from "./interfaces.js";
import type { RawLog } from "./chain.js";

/** In what a sequence differs from others from its start. */
export interface World {
  /** For whoever replays a failure. */
  readonly what: string;
  /** Share of the crashes that are gaps: accounts and the pool end below zero. */
  readonly gaps: number;
  /** Whether initial margin depends on what others do: open interest raises a base, or concentration lowers a weight. */
  readonly sharesMargin: boolean;
  /** By how much open interest raises a base. */
  readonly slopeWad: bigint;
  /** Whether a market is delisted late. */
  readonly delists: boolean;
}

/** Rich or poor in insurance, a large pool or a small one, dear or cheap cash, narrow or wide budgets for losses, caps on top. */
export async function openWorld(arena: Arena, random: Random): Promise<{ world: World; logs: readonly RawLog[] }> {
  const { chain, admin, deployment, cash, insurance, parameters } = arena;
  const told: string[] = [];
  const dice = (probability: number) => random.uniform() < probability;
  const among = <T>(items: readonly T[]): T => items[random.integer(0, items.length - 1)]!;
  const logs: RawLog[] = [];
  const send = async (to: string, data: string) => logs.push(...(await chain.mustSend(admin.address, to, data)));
  const tell = (data: string) => send(deployment.vault, data);
  const unit = 10n ** BigInt(cash.decimals);

  if (dice(0.45)) {
    await tell(vaultInterface.encodeFunctionData("deposit", [insurance, cash.address, 2000n * unit]));
    told.push("insured");
  }
  if (dice(0.6)) {
    const asked = poolInterface.encodeFunctionData("maxRedeem", [admin.address]);
    const shares = BigInt(await chain.call(deployment.pool, asked));
    const percent = BigInt(random.integer(80, 96));
    const data: [bigint, string, string] = [(shares * percent) / 100n, admin.address, admin.address];
    await send(deployment.pool, poolInterface.encodeFunctionData("redeem", data));
    await tell(vaultInterface.encodeFunctionData("refreshCapital"));
    told.push(`${percent}% of the pool gone`);
  }
  if (dice(0.6)) {
    const terms = cashTerms(arena, among);
    await tell(vaultInterface.encodeFunctionData("setCashParameters", [terms]));
    told.push(`cash ${Object.values(terms).join(" ")}`);
  }
  let sharesMargin = false;
  let slopeWad = 0n;
  if (dice(0.2)) {
    const [collateral] = parameters.collaterals;
    const { decimals, address } = arena.collaterals[0]!;
    const terms = collateralParameters({ ...collateral!, concentrationStart: "0.25" });
    const data = { ...terms, depositCap: 600n * 10n ** BigInt(decimals) };
    await tell(vaultInterface.encodeFunctionData("setCollateralParameters", [address, data]));
    sharesMargin = true;
    told.push("concentration");
  }
  if (dice(0.25)) {
    slopeWad = among([WAD / 2n, 3n * WAD]);
    for (const [id, market] of parameters.markets.entries()) {
      const terms = { ...marketParameters(market), openInterestSlopeWad: slopeWad };
      await tell(vaultInterface.encodeFunctionData("setMarketParameters", [id, terms]));
    }
    sharesMargin = true;
    told.push(`slope ${slopeWad}`);
  }
  const world = { gaps: among([0, 0.05, 0.2, 0.6]), sharesMargin, slopeWad, delists: dice(0.4) };
  return { world: { ...world, what: [...told, `gaps ${world.gaps}`].join(", ") }, logs };
}
