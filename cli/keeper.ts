import { Command } from "commander";

import { runKeeper } from "../keeper/main.js";

interface Options {
  readonly config?: string;
  readonly dryRun?: boolean;
}

export function keeperCommand(): Command {
  return new Command("keeper")
    .description("Liquidates whoever can be, until SIGINT or SIGTERM; see docs/keeper.md")
    .option("--config <file>", "as keeper.example.json; by default $BALLAST_KEEPER_CONFIG, or else the local chain")
    .option("--dry-run", "decides and simulates; sends nothing, writes nothing, serves nothing")
    .action(async ({ config = process.env["BALLAST_KEEPER_CONFIG"], dryRun: isDryRun = false }: Options) => {
      await runKeeper({ env: process.env, isDryRun, ...(config ? { configFile: config } : {}) });
    });
}
