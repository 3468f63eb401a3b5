export { type KeeperConfig, KeeperConfigError, type TakerConfig, readConfig, readKeeperKeys } from "./config/index.js";
export { type Decision, type Policy, type SkipReason, decide } from "./decide.js";
export {
  Detector,
  type Liquidatable,
  PackedAccounts,
  PackedAccountsError,
  packAccounts,
  packWords,
} from "./detect/index.js";
export { Keeper, type KeeperDependencies, type LeftReason, type TurnReport } from "./keeper.js";
export type { Leg, Risk } from "./risk.js";
export { RpcUnreachableError } from "./rpc.js";
export { type KeeperStep, type KeeperStepOptions, createKeeperStep } from "./step.js";
