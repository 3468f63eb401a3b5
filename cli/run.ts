import { type Command, CommanderError } from "commander";

import { BallastError } from "../sdk/index.js";
import { UsageError } from "./errors.js";

export const badUsage = 2;

/**
 * Runs a command and returns its exit code: 0; 2 where it was called wrongly; 1 where what it was asked for cannot be had, with one line on stderr
 * that says what to do. Anything else is a bug and is thrown.
 */
export async function runCommand(command: Command, argv: readonly string[]): Promise<number> {
  try {
    await command.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : badUsage; // commander has said what is wrong
    if (!(error instanceof BallastError)) throw error;
    console.error(`${error.name}: ${error.message}`);
    return error instanceof UsageError ? badUsage : 1;
  }
}
