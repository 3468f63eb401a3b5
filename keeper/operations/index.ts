export {
  type ChainIdOf,
  TakerPermissionError,
  UnfundedError,
  checkCode,
  checkNodes,
  checkSigners,
  checkState,
  checkTaker,
  policyOf,
  readPurses,
} from "./checks.js";
export { type CounterName, type GaugeName, type HistogramName, figurePrefix, figures } from "./figures.js";
export { type Check, Health, type HealthLimits, type HealthReport, type TurnFacts } from "./Health.js";
export { PrometheusMetrics, noMetrics } from "./metrics.js";
export { Watch } from "./Watch.js";
export { type OperationsServer, type ServerOptions, serveOperations } from "./server.js";
