import type { DeploymentParameters } from "../../deployments/schema.js";
import type { Connection } from "../../ignition/deploy.js";
import { type MockPyth, MockPyth__factory } from "../../typechain-types/index.js";
import { type World, deployWorld, roundFigures } from "./world.js";

/** How a mock of Pyth behaves when it is read: the contract's enum, by its numbers. */
export const pythConducts = {
  answers: 0,
  answersWithGas: 1,
  reverts: 2,
  revertsWithBomb: 3,
  burnsAllGas: 4,
  returnsTooLittle: 5,
  returnsBomb: 6,
  returnsWords: 7,
} as const;

export const ethId = `0x${"e7".repeat(32)}`;
/** What a mock asks for an update, wei. */
export const feeWei = 7n;

export type PythInput = Extract<NonNullable<DeploymentParameters["markets"][number]["feed"]>, { kind: "pyth" }>;

/** A Pyth contract that knows no price yet. */
export async function deployPyth(connection: Connection): Promise<MockPyth> {
  const [admin] = await connection.ethers.getSigners();
  if (admin === undefined) throw new TypeError("the network has no signer");
  return (await new MockPyth__factory(admin).deploy(feeWei)).waitForDeployment();
}

/** A price as Pyth signs it: `price` and `confidence` times 10^exponent, as of the latest block by default. */
export interface PythPrice {
  readonly id?: string;
  readonly price: bigint;
  readonly confidence?: bigint;
  readonly exponent?: number;
  readonly publishTime?: number;
}

export async function updateOf(connection: Connection, pyth: MockPyth, told: PythPrice): Promise<string> {
  const { id = ethId, price, confidence = 0n, exponent = -8, publishTime } = told;
  const at = publishTime ?? (await connection.networkHelpers.time.latest());
  return pyth.updateOf(id, price, confidence, exponent, at);
}

/** Brings a price to the contract itself, past the oracle. */
export async function bring(connection: Connection, pyth: MockPyth, told: PythPrice): Promise<void> {
  const data = await updateOf(connection, pyth, told);
  await (await pyth.updatePriceFeeds([data], { value: feeWei })).wait();
}

/** The feed of ETH as parameters name it, for a price of about 200. */
export const pythFeed: PythInput = {
  kind: "pyth",
  priceId: ethId,
  minPrice: "20",
  maxPrice: "2000",
  maxAgeSeconds: "3600",
  maxConfidence: "0.02",
};

/** A world in which ETH is read from Pyth, first at 200, and the rest is pushed. */
export async function deployPythWorld(
  connection: Connection,
): Promise<{ readonly world: World; readonly pyth: MockPyth }> {
  const pyth = await deployPyth(connection);
  await bring(connection, pyth, { price: 200n * 10n ** 8n });
  const address = await pyth.getAddress();
  const world = await deployWorld(connection, (parameters) => ({
    ...roundFigures(parameters, { markets: { ETH: { feed: pythFeed } } }),
    pyth: address,
  }));
  return { world, pyth };
}
