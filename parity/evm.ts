import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import hre from "hardhat";

/** What the process needs to know before the first call. */
export interface Opening {
  /** Code of contracts (hex) by address. They have no storage. */
  readonly codes: ReadonlyMap<string, string>;
  /** ParityBatch, as the compiler gives it. */
  readonly abi: string;
  readonly bytecode: string;
  readonly deployedBytecode: string;
  /** Unix seconds: time of the block of every call. */
  readonly nowSeconds: bigint;
  readonly root: string;
}

export interface Call {
  readonly id: number;
  /** Address (hex with 0x), and call data (hex without). */
  readonly to: string;
  readonly data: string;
}

/** What it returned (hex with 0x), or why it did not. */
export interface Answer {
  readonly id: number;
  readonly returned?: string;
  readonly failure?: string;
}

/**
 * Calls of contracts, of which nothing stays. They run in a process of their own (evmProcess.ts), so that the next cases are drawn meanwhile,
 * and several times as fast as by eth_call, for which the node records every step.
 */
export class Evm {
  readonly #waiting = new Map<number, { resolve(returned: string): void; reject(error: Error): void }>();
  #calls = 0;

  private constructor(private readonly child: ChildProcess) {
    child.on("message", ({ id, returned, failure }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (returned !== undefined) waiting?.resolve(returned);
      else waiting?.reject(new Error(`a call failed: ${failure}`));
    });
    child.once("exit", (code) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`the process of calls ended with code ${code}`));
    });
  }

  static async open(codes: ReadonlyMap<string, string>, nowSeconds: bigint): Promise<Evm> {
    const file = fileURLToPath(new URL("evmProcess.ts", import.meta.url));
    const child = fork(file, { execArgv: ["--import", "tsx"], serialization: "advanced" });
    const { abi, bytecode, deployedBytecode } = await hre.artifacts.readArtifact("ParityBatch");
    const root = hre.config.paths.root;
    const opening: Opening = { codes, abi: JSON.stringify(abi), bytecode, deployedBytecode, nowSeconds, root };
    child.send(opening);
    await once(child, "message");
    return new Evm(child);
  }

  /** What a contract returns (hex with 0x) when it is called with this data (hex without 0x). */
  call(to: string, data: string): Promise<string> {
    const id = this.#calls++;
    this.child.send({ id, to, data } satisfies Call);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async close(): Promise<void> {
    const ended = once(this.child, "exit");
    this.child.disconnect();
    await ended;
  }
}
