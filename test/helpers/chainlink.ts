import type { DeploymentParameters } from "../../deployments/schema.js";
import type { Connection } from "../../ignition/deploy.js";
import { type MockAggregator, MockAggregator__factory } from "../../typechain-types/index.js";
import { type World, deployWorld, roundFigures } from "./world.js";

/** How a mock aggregator behaves: the contract's enum, by its numbers. */
export const conducts = {
  answers: 0,
  answersWithGas: 1,
  reverts: 2,
  revertsWithBomb: 3,
  burnsAllGas: 4,
  returnsTooLittle: 5,
  returnsBomb: 6,
} as const;

export type FeedInput = Extract<NonNullable<DeploymentParameters["markets"][number]["feed"]>, { kind: "chainlink" }>;

/** An aggregator whose first answer, in its own decimals, is as of now. */
export async function deployAggregator(
  connection: Connection,
  decimals: number,
  answer: bigint,
): Promise<MockAggregator> {
  const [admin] = await connection.ethers.getSigners();
  if (admin === undefined) throw new TypeError("the network has no signer");
  const aggregator = await new MockAggregator__factory(admin).deploy(decimals, answer);
  return aggregator.waitForDeployment();
}

/** The feed of an aggregator as parameters name it, for a price of about 200. */
export async function feedOf(aggregator: MockAggregator): Promise<FeedInput> {
  const address = await aggregator.getAddress();
  return { kind: "chainlink", aggregator: address, minPrice: "20", maxPrice: "2000", maxAgeSeconds: "3600" };
}

/** A world in which ETH is read from an aggregator of 8 decimals, first at 200, and the rest is pushed. */
export async function deployMixedWorld(
  connection: Connection,
): Promise<{ readonly world: World; readonly aggregator: MockAggregator }> {
  const aggregator = await deployAggregator(connection, 8, 200n * 10n ** 8n);
  const feed = await feedOf(aggregator);
  const world = await deployWorld(connection, (parameters) => roundFigures(parameters, { markets: { ETH: { feed } } }));
  return { world, aggregator };
}
