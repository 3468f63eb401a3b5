// The command "ballast": runs the keeper, and shows accounts and markets.
import { ballastCommand } from "./command.js";
import { runCommand } from "./run.js";

process.exitCode = await runCommand(ballastCommand(), process.argv);
