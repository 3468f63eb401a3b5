// Writes deployments/localhost/parameters.json anew: the default parameters for the default scenario's assets at its first prices.
import { writeFileSync } from "node:fs";

import { defaultScenario, deploymentParameters, parametersFile, readPrices, scenarioFile } from "../simulator/index.js";

const file = new URL("../deployments/localhost/parameters.json", import.meta.url);
writeFileSync(file, parametersFile(deploymentParameters(readPrices(scenarioFile(defaultScenario)))));
console.log(`written ${file.pathname}`);
