import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

import { selectorsOf } from "../../sdk/access/index.js";
import { roleIds } from "../../sdk/index.js";

/**
 * The contracts, wired, and each restricted function with its role. The deployer holds what listing needs, without delay; markets,
 * collaterals and parameters come after it, and who holds the roles in the end: see ../deploy.ts and ../power.ts.
 */
export default buildModule("Ballast", (m) => {
  const admin = m.getAccount(0);
  const settlementToken = m.getParameter<string>("settlementToken");
  const poolLockSeconds = m.getParameter<string>("poolLockSeconds");

  const manager = m.contract("AccessManager", [admin]);
  const oracle = m.contract("PriceOracle", [manager]);
  const PartialLiquidation = m.library("PartialLiquidation");
  const PoolValue = m.library("PoolValue");
  const CollateralSale = m.library("CollateralSale");
  const Waterfall = m.library("Waterfall", { libraries: { PartialLiquidation, PoolValue } });
  const extension = m.contract("VaultExtension", [], {
    libraries: {
      Administration: m.library("Administration"),
      CollateralSale,
      Delisting: m.library("Delisting"),
      PartialLiquidation,
      PoolResolution: m.library("PoolResolution", { libraries: { PoolValue } }),
      Settlement: m.library("Settlement"),
      Views: m.library("Views"),
      Waterfall,
    },
  });
  const vault = m.contract("MarginVault", [manager, oracle, settlementToken, poolLockSeconds, extension], {
    libraries: { CollateralSale, PartialLiquidation, PoolValue, Waterfall },
  });
  const pool = m.contractAt("LiquidityPool", m.staticCall(vault, "pool"));
  const lens = m.contract("VaultLens", [vault]);

  const targets = { MarginVault: vault, PriceOracle: oracle } as const;
  for (const role of ["pusher", "guardian", "risk"] as const) {
    const id = roleIds[role];
    m.call(manager, "labelRole", [id, role.toUpperCase()], { id: `label_${role}` });
    for (const [name, target] of Object.entries(targets)) {
      const selectors = selectorsOf(name as keyof typeof targets, role);
      if (selectors.length === 0) continue;
      m.call(manager, "setTargetFunctionRole", [target, selectors, id], { id: `functions_${name}_${role}` });
    }
  }
  m.call(manager, "setRoleGuardian", [roleIds.risk, roleIds.guardian]);
  for (const role of ["pusher", "risk"] as const) {
    m.call(manager, "grantRole", [roleIds[role], admin, 0], { id: `grant_${role}` });
  }

  return { manager, oracle, vault, pool, lens };
});
