import { Command } from "commander";

import { runKeeper } from "../keeper/main.js";

export function keeperCommand(): Command {
  return new Command("keeper")
    .description("Liquidates whoever can be, until SIGINT or SIGTERM; see docs/keeper.md")
    .option("--config <file>", "as keeper.example.json; by default $BALLAST_KEEPER_CONFIG, or else the local chain")
    .action(async ({ config = process.env["BALLAST_KEEPER_CONFIG"] }: { readonly config?: string }) => {
      await runKeeper({ env: process.env, ...(config ? { configFile: config } : {}) });
    });
}
