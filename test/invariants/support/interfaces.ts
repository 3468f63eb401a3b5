import {
  AccessManager__factory,
  LiquidityPool__factory,
  MarginVault__factory,
  MockAggregator__factory,
  MockHostileToken__factory,
  MockPyth__factory,
  MockToken__factory,
  PriceOracle__factory,
  VaultLens__factory,
} from "../../../typechain-types/index.js";

export const vaultInterface = MarginVault__factory.createInterface();
export const poolInterface = LiquidityPool__factory.createInterface();
export const oracleInterface = PriceOracle__factory.createInterface();
export const lensInterface = VaultLens__factory.createInterface();
export const tokenInterface = MockToken__factory.createInterface();
export const hostileInterface = MockHostileToken__factory.createInterface();
export const aggregatorInterface = MockAggregator__factory.createInterface();
export const pythInterface = MockPyth__factory.createInterface();
export const managerInterface = AccessManager__factory.createInterface();
