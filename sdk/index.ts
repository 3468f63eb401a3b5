export {
  type Access,
  type ContractAccess,
  type FunctionAccess,
  type Role,
  type RoleMember,
  readAccess,
} from "./access.js";
export { accessJson, accessLines } from "./accessTable.js";
export { type AccountId, accountId, indexOf, normalizeAccount, ownerOf } from "./accounts.js";
export {
  type Caller,
  CallersIncompleteError,
  type ContractName,
  type Permission,
  type RoleName,
  callersOf,
  contractInterfaces,
  functionsOf,
  roleIds,
  selectorOf,
  selectorsOf,
} from "./callers.js";
export * from "./book/index.js";
export {
  type CashFigures,
  type CashIndices,
  type StoredCash,
  accruedIndices,
  cashFigures,
  cashOfPrincipal,
  toStoredCash,
} from "./cash.js";
export {
  type Amount,
  Ballast,
  type CollateralBalance,
  type Health,
  type Position,
  type TradeOptions,
  toHealth,
  toUnits,
} from "./client.js";
export {
  type OperatorGrant,
  type Permit,
  type TypedData,
  operatorGrantData,
  permission,
  permitData,
} from "./grants.js";
export { type Deleveraging, type MinedLog, deleveragingTopics, deleveragingsOf } from "./deleveragings.js";
export {
  Deployment,
  DeploymentFileError,
  assetPrices,
  assetsOfSymbol,
  collateralAsset,
  marketAsset,
  maximumMarkets,
  parseDeployment,
} from "./deployment.js";
export {
  AmountError,
  BallastError,
  ContractError,
  NotDeployedError,
  PoolAccountError,
  ReadOnlyError,
  UnknownSymbolError,
  WrongChainError,
  decodeRevert,
  revertData,
  withDecodedErrors,
} from "./errors.js";
export { type BallastEvent, UnknownLogError, readEvents } from "./events.js";
export { type LegPreview, type LiquidationOptions, type Refusal, refusals, toLegPreview } from "./liquidations.js";
export { type Extent, type Place, place, placesOf } from "./slots.js";
export { RAY, WAD, formatDecimal, mulDivDown, mulDivFloor, mulDivUp, parseDecimal } from "./units.js";
export * from "./words.js";
