export { type AccountId, accountId, indexOf, normalizeAccount, ownerOf } from "./accounts.js";
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
  ReadOnlyError,
  UnknownSymbolError,
  WrongChainError,
  decodeRevert,
  revertData,
  withDecodedErrors,
} from "./errors.js";
export { type BallastEvent, UnknownLogError, readEvents } from "./events.js";
export {
  Ledger,
  type LedgerAccount,
  type LedgerCash,
  type LedgerCollateral,
  type LedgerMarket,
  LogGapError,
  type VaultLog,
} from "./ledger.js";
export { type LegPreview, type LiquidationOptions, type Refusal, refusals, toLegPreview } from "./liquidations.js";
export { WAD, formatDecimal, mulDivDown, mulDivUp, parseDecimal } from "./units.js";
export * from "./words.js";
