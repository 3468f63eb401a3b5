import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

import { PriceOracle__factory } from "../../typechain-types/index.js";

/** Publishing prices; everything else that is restricted belongs to the manager's admin. */
export const PUSHER_ROLE = 1n;

/** The contracts, wired. Markets, collaterals and parameters come after it: see ../deploy.ts. */
export default buildModule("Ballast", (m) => {
  const admin = m.getAccount(0);
  const settlementToken = m.getParameter<string>("settlementToken");
  const poolLockSeconds = m.getParameter<string>("poolLockSeconds");

  const manager = m.contract("AccessManager", [admin]);
  const oracle = m.contract("PriceOracle", [manager]);
  const PartialLiquidation = m.library("PartialLiquidation");
  const PoolValue = m.library("PoolValue");
  const Views = m.library("Views");
  const Settlement = m.library("Settlement");
  const CollateralSale = m.library("CollateralSale");
  const Custody = m.library("Custody");
  const Waterfall = m.library("Waterfall", { libraries: { PartialLiquidation, PoolValue } });
  const extension = m.contract("VaultExtension", [], {
    libraries: {
      Administration: m.library("Administration"),
      CollateralSale,
      Custody,
      Delisting: m.library("Delisting"),
      PartialLiquidation,
      PoolResolution: m.library("PoolResolution", { libraries: { PoolValue } }),
      Settlement,
      Views,
      Waterfall,
    },
  });
  const vault = m.contract("MarginVault", [manager, oracle, settlementToken, poolLockSeconds, extension], {
    libraries: { CollateralSale, Custody, PartialLiquidation, PoolValue, Settlement, Views, Waterfall },
  });
  const pool = m.contractAt("LiquidityPool", m.staticCall(vault, "pool"));
  const lens = m.contract("VaultLens", [vault]);

  const pushSelector = PriceOracle__factory.createInterface().getFunction("push").selector;
  const pusher = m.getParameter("pusher", admin);
  m.call(manager, "setTargetFunctionRole", [oracle, [pushSelector], PUSHER_ROLE]);
  m.call(manager, "grantRole", [PUSHER_ROLE, pusher, 0]);

  return { manager, oracle, vault, pool, lens };
});
