export { withoutSecrets } from "./endpoint.js";
export {
  BroadcastRefusedError,
  BroadcastUnknownError,
  EndpointError,
  NoNodeError,
  type RefusedBroadcast,
  type Trouble,
} from "./errors.js";
export { type PoolOptions, RpcPool } from "./pool.js";
export { PoolProvider } from "./provider.js";
