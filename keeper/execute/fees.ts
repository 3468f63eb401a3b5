import type { Provider } from "ethers";

/** What a transaction offers for a unit of gas, in wei. */
export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** What blocks ask for at present, in wei a unit of gas. */
export interface FeeMarket {
  /** Of the next block. */
  readonly baseFee: bigint;
  /** What those gave who got into the last blocks. */
  readonly tip: bigint;
}

interface RpcSender extends Provider {
  send(method: string, params: unknown[]): Promise<unknown>;
}

const historyBlocks = 5;
const tipPercentile = 60;

/** Throws what the provider throws. */
export async function readFeeMarket(provider: RpcSender): Promise<FeeMarket> {
  const answer = await provider.send("eth_feeHistory", [`0x${historyBlocks.toString(16)}`, "latest", [tipPercentile]]);
  const { baseFeePerGas, reward } = answer as {
    baseFeePerGas?: readonly string[];
    reward?: readonly string[][] | null;
  };
  const tips = (reward ?? []).map(([tip]) => BigInt(tip ?? 0)).toSorted((a, b) => (a < b ? -1 : 1));
  const tip = tips[Math.floor(tips.length / 2)] ?? 0n;
  return { baseFee: BigInt(baseFeePerGas?.at(-1) ?? 0), tip: tip > 0n ? tip : 1n };
}

/** The most that a unit of gas may cost: a share of the budget, and never more than the policy's largest price. */
export function feeLimit(budgetWei: bigint | undefined, gas: bigint, maxGasPriceWei: bigint): bigint {
  if (budgetWei === undefined || gas === 0n) return maxGasPriceWei;
  const share = budgetWei / gas;
  return share < maxGasPriceWei ? share : maxGasPriceWei;
}

/** Fees of a first version, with room for base fees that double; undefined: the next block asks for more than the limit. */
export function firstFees({ baseFee, tip }: FeeMarket, limit: bigint): Fees | undefined {
  if (limit <= baseFee) return undefined;
  return bounded(2n * baseFee + tip, tip, limit);
}

/**
 * Fees of a version that takes another's place: both an eighth more (12.5%, rounded up), which is what nodes ask for, or what the market asks
 * for if that is more. Undefined: the limit does not let it.
 */
export function nextFees(last: Fees, { baseFee, tip }: FeeMarket, limit: bigint): Fees | undefined {
  const leastMax = raised(last.maxFeePerGas);
  const leastTip = raised(last.maxPriorityFeePerGas);
  if (leastMax > limit) return undefined;
  const wanted = 2n * baseFee + tip;
  return bounded(wanted > leastMax ? wanted : leastMax, tip > leastTip ? tip : leastTip, limit);
}

function bounded(maxFee: bigint, tip: bigint, limit: bigint): Fees {
  const maxFeePerGas = maxFee < limit ? maxFee : limit;
  return { maxFeePerGas, maxPriorityFeePerGas: tip < maxFeePerGas ? tip : maxFeePerGas };
}

function raised(fee: bigint): bigint {
  const up = (fee * 9n + 7n) / 8n;
  return up > fee ? up : fee + 1n;
}
