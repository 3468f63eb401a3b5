export { KeeperConfigError } from "./KeeperConfigError.js";
export { configKeys, logLevels } from "./keys.js";
export { parseConfig, readConfig } from "./readConfig.js";
export type { KeeperConfig, MarginCallConfig, NodeAddress, PolicyConfig, TakerConfig } from "./schema.js";
export { type Env, keysVariable, localChainId, readKeeperKeys, withoutSecrets } from "./secrets.js";
