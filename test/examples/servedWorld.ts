import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import hre from "hardhat";

import { type World, deployWorld, roundFigures } from "../helpers/world.js";

/** A world whose node other processes reach. */
export interface ServedWorld {
  readonly world: World;
  readonly url: string;
  /** What the deploy script would have written. */
  readonly deploymentFile: string;
  close(): Promise<void>;
}

export async function serveWorld(): Promise<ServedWorld> {
  const server = await hre.network.createServer("default", "127.0.0.1", 0);
  const { address, port } = await server.listen();
  const url = `http://${address}:${port}`;
  const connection = await hre.network.create({ network: "localhost", override: { url } });
  const folder = mkdtempSync(join(tmpdir(), "ballast-world-"));
  const close = async () => {
    await connection.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const world = await deployWorld(connection, roundFigures);
    const deploymentFile = join(folder, "addresses.json");
    writeFileSync(deploymentFile, JSON.stringify(world.deployment));
    return { world, url, deploymentFile, close };
  } catch (error) {
    await close();
    throw error;
  }
}
