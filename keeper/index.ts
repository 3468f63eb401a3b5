export { type KeeperConfig, type TakerOptions, KeeperConfigError, readConfig, readKeeperKey } from "./config.js";
export {
  Detector,
  type Liquidatable,
  PackedAccounts,
  PackedAccountsError,
  packAccounts,
  packWords,
} from "./detect/index.js";
export { DirectHands } from "./directHands.js";
export { type Audited, Keeper, type KeeperDependencies, type KeeperPolicy } from "./keeper.js";
export type { CallResult, Hands, Plan, PlannedCall, Skip, SkipReason, Store } from "./parts.js";
export type { TurnReport } from "./turn.js";
export { RpcUnreachableError } from "./rpc.js";
export { type KeeperStep, type KeeperStepOptions, createKeeperStep } from "./step.js";
