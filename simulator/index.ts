export { type BooksShape, type DrawnAccount, RandomBooks } from "./books.js";
export { Figures, exitCode, figuresLine } from "./figures.js";
export { UnlistablePriceError, deploymentParameters, parametersFile } from "./parameters.js";
export {
  type PlannedDeposit,
  type PlannedOpening,
  type PlannedOwner,
  type PopulationCollateral,
  type PopulationInput,
  type PopulationMarket,
  UnaffordableOpeningError,
  drawPopulation,
  poolSeedWad,
} from "./population.js";
export {
  type Price,
  type PriceFile,
  PriceFileError,
  type PriceFileReason,
  type PriceRow,
  maximumPriceAgeSeconds,
  parsePrices,
  readPrices,
} from "./prices.js";
export {
  type StepReport,
  type TableLayout,
  stepLines,
  stepMatters,
  summaryLines,
  tableLayout,
  wantsColors,
} from "./report.js";
export {
  UnknownScenarioError,
  defaultScenario,
  scenarioFile,
  scenarioNames,
  scenarioStress,
  selfScenario,
} from "./scenarios/index.js";
export { type Audit, auditVault } from "./audit.js";
export { type Chain, PortInUseError, startChain } from "./chain.js";
export type { KeeperStep, KeeperTurn } from "./keepers.js";
export { type RunOptions, run } from "./run.js";
export { type Random, randomStreams } from "./random.js";
