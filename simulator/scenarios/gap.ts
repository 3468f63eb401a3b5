import type { DeploymentParameters } from "../../deployments/schema.js";

/** What a scenario changes of the defaults. */
export interface Stress {
  readonly change: (parameters: DeploymentParameters) => DeploymentParameters;
  /** What the pool starts with, in percent of all accounts' values. */
  readonly poolPercent: bigint;
  /** The owners' leverage, as so many times what was drawn; margin still bounds it. */
  readonly leverageFactor: number;
  /** Of positions, the share that is long. */
  readonly longShare: number;
  /** Whether everybody leaves at the end. */
  readonly bankRun: boolean;
}

/**
 * A slide, then 60% in one step, over accounts that have next to nobody behind them: so that one hour's losses are more than insurance,
 * the pool, the other sides and the suppliers of cash may be asked for.
 */
export const gap: Stress = {
  change: (parameters) => ({
    ...parameters,
    // A hundredth of the default, and an hour in which the pool and the suppliers bear a fifth of what they else would.
    vault: { ...parameters.vault, insuranceSeed: "1000", poolLockSeconds: "3600" },
    cash: { ...parameters.cash, poolLossPerHour: "0.02", writeOffPerHour: "0.04" },
  }),
  // The default is at least 200%.
  poolPercent: 100n,
  // Half of the accounts that were drawn hold less than half their value: no gap of 60% would hurt them.
  leverageFactor: 10,
  // So that the pool, which is short of what they are long of, has gained enough by the gap to be asked at all.
  longShare: 0.8,
  bankRun: true,
};
