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

/** A price as Pyth signs it: `price` and `confidence` times 10^exponent, as of the next block by default, which is a second away. */
export interface PythPrice {
  readonly id?: string;
  readonly price: bigint;
  readonly confidence?: bigint;
  readonly exponent?: number;
  readonly publishTime?: number;
}

export async function updateOf(connection: Connection, pyth: MockPyth, told: PythPrice): Promise<string> {
  const { id = ethId, price, confidence = 0n, exponent = -8, publishTime } = told;
  const at = publishTime ?? (await connection.networkHelpers.time.latest()) + 1;
  return pyth.updateOf(id, price, confidence, exponent, at);
}

/** Brings a price to the contract itself, past the oracle. It is of no age then, unless another time was asked for. */
export async function bring(connection: Connection, pyth: MockPyth, told: PythPrice): Promise<void> {
  const data = await updateOf(connection, pyth, told);
  await inNextSecond(connection);
  await (await pyth.updatePriceFeeds([data], { value: feeWei })).wait();
}

/** The next block is a second after the last, however long the machine takes: what depends on the age of a price is exact. */
export async function inNextSecond(connection: Connection): Promise<number> {
  const { time } = connection.networkHelpers;
  const at = (await time.latest()) + 1;
  await time.setNextBlockTimestamp(at);
  return at;
}

/**
 * The feed of ETH as parameters name it, for a price of about 200. With a tolerance of 0.1% its largest is 0.1% * (1 + 60 / 10) + 0.25%,
 * for which the discounts that a world has by default are just large enough.
 */
export const pythFeed: PythInput = {
  kind: "pyth",
  priceId: ethId,
  minPrice: "20",
  maxPrice: "2000",
  maxAgeSeconds: "60",
  maxConfidence: "0.0025",
};

/**
 * Brings ETH (at 200 by default) to a contract of Pyth, deploys what needs it, and brings it again. The first is dated as far ahead as the oracle takes:
 * a deployment takes most of a minute, and needs a price that is not older.
 */
export async function withPythPrice<T>(
  connection: Connection,
  pyth: MockPyth,
  deploy: (address: string) => Promise<T>,
  dollars = 200n,
): Promise<T> {
  const { time } = connection.networkHelpers;
  const price = dollars * 10n ** 8n;
  const publishTime = (await time.latest()) + 60;
  await bring(connection, pyth, { price, publishTime });
  const deployed = await deploy(await pyth.getAddress());
  if ((await time.latest()) < publishTime) await time.increaseTo(publishTime);
  await bring(connection, pyth, { price });
  return deployed;
}

/** A world in which ETH is read from Pyth, first at 200, and the rest is pushed. */
export async function deployPythWorld(
  connection: Connection,
  change: (parameters: DeploymentParameters) => DeploymentParameters = (parameters) => parameters,
): Promise<{ readonly world: World; readonly pyth: MockPyth }> {
  const pyth = await deployPyth(connection);
  const world = await withPythPrice(connection, pyth, (address) =>
    deployWorld(connection, (parameters) => ({
      ...change(roundFigures(parameters, { markets: { ETH: { feed: pythFeed } } })),
      pyth: address,
    })),
  );
  return { world, pyth };
}
