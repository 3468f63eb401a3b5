// Runs the keeper until SIGINT or SIGTERM: "npx hardhat run scripts/keeper.ts --network localhost" is the same as "npm run keeper". Hardhat hands no
// arguments on, so that the config file's path is read from BALLAST_KEEPER_CONFIG; its network is the config's.
import { runKeeper } from "../keeper/main.js";
import { BallastError } from "../sdk/index.js";

try {
  const configFile = process.env["BALLAST_KEEPER_CONFIG"];
  await runKeeper({ env: process.env, ...(configFile ? { configFile } : {}) });
} catch (error) {
  // What a setting can mend is one line that says which; anything else is a bug and keeps its stack.
  if (!(error instanceof BallastError)) throw error;
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}
