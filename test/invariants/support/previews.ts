import type { Act } from "./act.js";
import type { Arena } from "./arena.js";
import { poolInterface, vaultInterface } from "./interfaces.js";
import { poolFunctionOf, vaultFunctionOf } from "./entries.js";
import { numberOf } from "./figures.js";
import type { Judge, Step } from "./judge.js";

type Figures = Readonly<Record<string, bigint>>;

/** What views say that an act would do, of those acts that have a view; undefined where the view refuses. */
export async function previewOf(act: Act, arena: Arena): Promise<Figures | undefined> {
  const ask = asking(act, arena);
  if (ask === undefined) return undefined;
  try {
    return ask.read(await arena.chain.call(ask.to, ask.data));
  } catch {
    return undefined; // what the act itself is refused with is judged
  }
}

interface Asking {
  readonly to: string;
  readonly data: string;
  read(answer: string): Figures;
}

function asking({ to, data }: Act, { deployment }: Arena): Asking | undefined {
  if (to === deployment.pool) return askingPool(data, deployment.pool);
  if (to !== deployment.vault) return undefined;
  const call = vaultFunctionOf(data);
  if (call === "liquidatePosition") {
    const asked = vaultInterface.decodeFunctionData(call, data).toArray() as [string, bigint, bigint, string];
    return {
      to,
      data: vaultInterface.encodeFunctionData("previewLiquidation", asked),
      read(answer) {
        const [told] = vaultInterface.decodeFunctionResult("previewLiquidation", answer);
        const { sizeDeltaWad, fillPriceWad, feeWad, rewardWad } = told as Figures;
        return { sizeDeltaWad, fillPriceWad, feeWad, rewardWad } as Figures;
      },
    };
  }
  if (call === "buyCollateral") {
    const [, token, amount] = vaultInterface.decodeFunctionData(call, data).toArray() as [string, string, bigint];
    return {
      to,
      data: vaultInterface.encodeFunctionData("previewBuyCollateral", [token, amount]),
      read: (answer) => ({ costWad: BigInt(answer) }),
    };
  }
  return undefined;
}

const poolPreviews = {
  deposit: ["previewDeposit", "shares"],
  mint: ["previewMint", "assets"],
  withdraw: ["previewWithdraw", "shares"],
  redeem: ["previewRedeem", "assets"],
} as const;

function askingPool(data: string, to: string): Asking | undefined {
  const call = poolFunctionOf(data) as keyof typeof poolPreviews;
  if (poolPreviews[call] === undefined) return undefined;
  const [view, figure] = poolPreviews[call];
  const amount = poolInterface.decodeFunctionData(call, data)[0] as bigint;
  return {
    to,
    data: poolInterface.encodeFunctionData(view as "previewDeposit", [amount]),
    read: (answer) => ({ [figure]: BigInt(answer) }),
  };
}

/** INV-35: the figures of a view, against those that the events tell. */
export function checkPreview(judge: Judge, { act, preview, events, poolLogs }: Step): void {
  if (preview === undefined) return;
  const told = events.find(({ name }) => name === "PositionLiquidated" || name === "PoolCollateralSold");
  const ofPool = poolLogs
    .map((log) => poolInterface.parseLog(log))
    .find((log) => log?.name === "Deposit" || log?.name === "Withdraw");
  for (const [name, figure] of Object.entries(preview)) {
    const done = told === undefined ? (ofPool?.args[name] as bigint | undefined) : numberOf(told, name);
    judge.holds(done === figure, () => `${act.what}: ${name} is ${done}, and the view said ${figure}`);
  }
}
