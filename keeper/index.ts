export { type KeeperConfig, KeeperConfigError, type TakerConfig, readConfig, readKeeperKeys } from "./config/index.js";
export {
  Detector,
  type Liquidatable,
  PackedAccounts,
  PackedAccountsError,
  packAccounts,
  packWords,
} from "./detect/index.js";
export { type Audited, Keeper, type KeeperDependencies, type KeeperPolicy } from "./keeper.js";
export type { CallResult, Hands, Plan, PlannedCall, Skip, SkipReason, Store } from "./parts.js";
export { type KeeperStep, type KeeperStepOptions, createKeeperStep } from "./step.js";
export type { TurnReport } from "./turn.js";
