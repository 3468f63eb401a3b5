export { type AccountId, accountId, indexOf, normalizeAccount, ownerOf } from "./accounts.js";
export { type Caller, type ContractName, type Permission, type RoleName, roleIds, selectorOf } from "./callers.js";
export {
  type CashFigures,
  type CashIndices,
  type StoredCash,
  accruedIndices,
  cashFigures,
  cashOfPrincipal,
  toStoredCash,
} from "./cash.js";
export { AccountView, type CollateralBalance, type Health, type Position, toHealth } from "./client/account.js";
export { Ballast, type ExplainOptions, type PreviewOptions, type UnsignedTransaction } from "./client/Ballast.js";
export { CallMaker, type TradeOptions } from "./client/CallMaker.js";
export {
  type Call,
  type CallArgs,
  type CallName,
  type CallOf,
  callOf,
  defaultSender,
  grantDigest,
} from "./client/calls.js";
export {
  type EventArgs,
  type EventName,
  type EventStreamOptions,
  type StreamedEvent,
  streamEvents,
} from "./client/eventStream.js";
export {
  CallArgumentError,
  NotReadError,
  OptionError,
  ProviderLagError,
  ReorgError,
  TimeError,
} from "./client/errors.js";
export { type Fill, type Preview, type PreviewedEvent, previewOf } from "./client/preview.js";
export { type ReadOptions, readState } from "./client/readState.js";
export { type SignedGrant, type SignedPermit } from "./client/signatures.js";
export { type CallContext, type Outcome, simulate } from "./client/simulate.js";
export {
  State,
  type StateBlock,
  type StateParts,
  type Surroundings,
  type Transaction,
  type Wallets,
} from "./client/state.js";
export { type PermitSignature, TokenBook } from "./client/tokens.js";
export {
  type AccessManager,
  type LiquidityPool,
  type MarginVault,
  type PriceOracle,
  type Token,
  type VaultLens,
  contractAt,
  contractInterfaces,
} from "./contracts.js";
export { type Need } from "./explain/attempt.js";
export { type ErrorExplanation, explainError, ownAccounts } from "./explain/error.js";
export { formatHealth } from "./explain/formatHealth.js";
export { type Contribution, type HealthExplanation, type HealthItem, explainHealth, sumOf } from "./explain/health.js";
export {
  type LiquidationPrice,
  type LiquidationPriceOptions,
  type LiquidationTurn,
  liquidationMove,
  liquidationPrice,
} from "./explain/liquidationPrice.js";
export type { Remedy, RemedyKind } from "./explain/remedies.js";
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
  AccountIdError,
  AddressError,
  BallastError,
  ContractError,
  MissingProviderError,
  NotDeployedError,
  PoolAccountError,
  ReadOnlyError,
  TransactionRevertedError,
  UnknownSymbolError,
  WrongChainError,
  decodeRevert,
  revertData,
  withDecodedErrors,
} from "./errors.js";
export { type BallastEvent, type LogPlace, UnknownLogError, readEvents } from "./events.js";
export { type LegPreview, type LiquidationOptions, type Refusal, refusals, toLegPreview } from "./liquidations.js";
export { type Extent, type Place, place, placesOf } from "./slots.js";
export * from "./units/index.js";
export * from "./words.js";
