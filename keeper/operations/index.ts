export {
  type ChainIdOf,
  type GasToken,
  TakerPermissionError,
  UnfundedError,
  checkCode,
  checkNodes,
  checkSigners,
  checkState,
  checkTaker,
  gasTokenOf,
} from "./checks.js";
export { type CounterName, type GaugeName, type HistogramName, figurePrefix, figures } from "./figures.js";
export { type Check, Health, type HealthLimits, type HealthReport, type TurnFacts } from "./Health.js";
export { PrometheusMetrics, noMetrics } from "./metrics.js";
export { type OperationsServer, type ServerOptions, serveOperations } from "./server.js";
