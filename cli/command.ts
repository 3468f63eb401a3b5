import { Command } from "commander";

import { accountCommand } from "./account.js";
import { keeperCommand } from "./keeper.js";
import { marketsCommand } from "./markets.js";

/** `ballast` with all its commands. It throws where commander would end the process. */
export function ballastCommand(): Command {
  const command = new Command("ballast")
    .description("Runs the keeper of a Ballast deployment, and shows its accounts and markets")
    .exitOverride();
  for (const each of [keeperCommand(), accountCommand(), marketsCommand()]) command.addCommand(each.exitOverride());
  return command;
}
