import type { Signer as EthersSigner } from "ethers";

import { type Hands, Keeper, type KeeperDependencies, type TurnReport } from "../../keeper/index.js";
import type { RpcSender } from "../../sdk/book/index.js";
import { type AccountId, accountId } from "../../sdk/index.js";
import { contractAt } from "../../sdk/contracts.js";
import { type LogLine, keptLog } from "../helpers/keeper.js";
import { type Signer, type World, createWorld } from "../helpers/world.js";
import { DirectHands } from "./directHands.js";

/** Which of the world's signers is the keeper's. */
export const keeperIndex = 9;

/** A world and a keeper in it. */
export interface Scene {
  readonly world: World;
  readonly keeper: Keeper;
  readonly lines: LogLine[];
  /** A turn, in which whoever the lens finds liquidatable before it is acted on, or skipped with a reason. */
  turn(): Promise<TurnReport>;
}

/** What stands between the keeper and its world. */
export interface Between {
  readonly signer?: (signer: Signer, world: World) => EthersSigner;
  readonly node?: (node: RpcSender) => RpcSender;
  readonly hands?: (hands: Hands) => Hands;
  readonly options?: Partial<KeeperDependencies>;
}

/** The keeper in a world of its own, after its first turn. */
export async function scene(between: Between = {}): Promise<Scene> {
  return sceneIn(await createWorld(), between);
}

export async function sceneIn(world: World, between: Between = {}): Promise<Scene> {
  const made = await keeperIn(world, between);
  await made.turn();
  return made;
}

/** The same before its first turn. */
export async function keeperIn(world: World, { signer, node, hands, options }: Between = {}): Promise<Scene> {
  const { log, lines } = keptLog();
  const own = world.signers[keeperIndex]!;
  const direct = new DirectHands(signer === undefined ? own : signer(own, world));
  const sender = nodeOf(world);
  const keeper = new Keeper({
    node: node === undefined ? sender : node(sender),
    hands: hands === undefined ? direct : hands(direct),
    deployment: world.deployment,
    log,
    owner: own.address,
    policy: { minimumProfitWad: 0n, unknownProfit: "act" },
    ...options,
  });
  const turn = async () => {
    const expected = await liquidatableByLens(world);
    const report = await keeper.onBlock(await world.ballast.provider.getBlockNumber());
    const told = new Set([...report.acted, ...report.skipped.map(({ account }) => account)]);
    const missed = expected.filter((account) => !told.has(account));
    if (missed.length > 0) throw new Error(`neither acted on nor skipped: ${missed.join(" ")}`);
    if (told.size !== report.atRisk) throw new Error(`${report.atRisk} at risk, and ${told.size} told of`);
    return report;
  };
  return { world, keeper, lines, turn };
}

export function nodeOf(world: World): RpcSender {
  return { send: async (method, params) => world.connection.provider.request({ method, params }) };
}

/** Of the first four accounts of each signer those that anyone may liquidate. */
export async function liquidatableByLens({ deployment, signers, ballast }: World): Promise<AccountId[]> {
  const all = signers.flatMap(({ address }) => [0, 1, 2, 3, 4].map((index) => accountId(address, index)));
  const blockTag = await ballast.provider.getBlockNumber();
  const found: string[] = await contractAt("VaultLens", deployment.lens, ballast.provider).liquidatable(all, {
    blockTag,
  });
  return found.map((id) => id.toLowerCase() as AccountId);
}

/** What a turn reports in which nothing was done. */
export const quiet = {
  liquidations: 0,
  taken: 0,
  givenBack: 0,
  absorbed: 0,
  chores: 0,
  acted: [],
  skipped: [],
  failed: [],
};

export const told = (lines: readonly LogLine[], msg: string): LogLine[] => lines.filter((line) => line.msg === msg);
