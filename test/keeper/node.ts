import { JsonRpcProvider } from "ethers";
import hre from "hardhat";

/** A Hardhat node of its own, over HTTP and websockets on a loopback port, and short ways to lead its chain. */
export interface LocalNode {
  readonly url: string;
  readonly provider: JsonRpcProvider;
  /** Whether a transaction is mined as it comes, as it is at first, or by `mine` only. */
  automine(isOn: boolean): Promise<void>;
  mine(blocks?: number): Promise<void>;
  /** Of the next block, in wei. */
  setBaseFee(wei: bigint): Promise<void>;
  snapshot(): Promise<string>;
  /** Back to a snapshot: what came after it is gone, with the transactions. */
  revert(snapshot: string): Promise<void>;
  close(): Promise<void>;
}

export async function startNode(): Promise<LocalNode> {
  const server = await hre.network.createServer("default", "127.0.0.1", 0);
  const { port } = await server.listen();
  const url = `http://127.0.0.1:${port}`;
  const provider = new JsonRpcProvider(url, 31337, { staticNetwork: true, cacheTimeout: -1, batchMaxCount: 1 });
  const send = (method: string, ...params: unknown[]) => provider.send(method, params);
  const node: LocalNode = {
    url,
    provider,
    automine: async (isOn) => void (await send("evm_setAutomine", isOn)),
    mine: async (blocks = 1) => {
      for (let block = 0; block < blocks; block += 1) await send("evm_mine");
    },
    setBaseFee: async (wei) => void (await send("hardhat_setNextBlockBaseFeePerGas", `0x${wei.toString(16)}`)),
    snapshot: async () => (await send("evm_snapshot")) as string,
    revert: async (snapshot) => void (await send("evm_revert", snapshot)),
    async close() {
      provider.destroy();
      await server.close();
    },
  };
  return node;
}
