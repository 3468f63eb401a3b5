// Runs the keeper against the node and the deployment that the environment names (keeper/config.ts), until SIGINT or SIGTERM.
// "npm run keeper" and "npx hardhat run scripts/keeper.ts --network localhost" are the same: the network is BALLAST_RPC_URL's.
import { runKeeper } from "../keeper/main.js";
import { BallastError } from "../sdk/index.js";

try {
  await runKeeper(process.env);
} catch (error) {
  // What a setting can mend is one line that says which; anything else is a bug and keeps its stack.
  if (!(error instanceof BallastError)) throw error;
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}
