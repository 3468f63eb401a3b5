import { fileURLToPath } from "node:url";

import { type Stress, gap } from "./gap.js";

interface Scenario {
  readonly file: string;
  /** What it changes of the defaults. */
  readonly stress?: Stress;
}

const scenarios = {
  "2020-03-12": { file: "2020-03-12.csv" },
  gap: { file: "gap.csv", stress: gap },
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;

export const defaultScenario: ScenarioName = "2020-03-12";

export const scenarioNames = Object.keys(scenarios) as ScenarioName[];

/** The default scenario's prices, with owners who liquidate themselves. */
export const selfScenario = "self";

export class UnknownScenarioError extends Error {
  override readonly name = "UnknownScenarioError";
  readonly scenario: string;
  readonly known: readonly string[] = [...scenarioNames, selfScenario];

  constructor(scenario: string) {
    super(`there is no scenario "${scenario}"; choose one of: ${[...scenarioNames, selfScenario].join(", ")}`);
    this.scenario = scenario;
  }
}

/** The path of a scenario's price file. */
export function scenarioFile(name: string): string {
  if (!isScenario(name)) throw new UnknownScenarioError(name);
  return fileURLToPath(new URL(scenarios[name].file, import.meta.url));
}

/** What a scenario changes of the defaults, if anything. */
export function scenarioStress(name: string): Stress | undefined {
  const scenario: Scenario | undefined = isScenario(name) ? scenarios[name] : undefined;
  return scenario?.stress;
}

function isScenario(name: string): name is ScenarioName {
  return Object.hasOwn(scenarios, name);
}
