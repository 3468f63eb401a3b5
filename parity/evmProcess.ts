// The process behind evm.ts: calls contracts by EDR's runner of Solidity tests.
import {
  type Artifact,
  CollectStackTraces,
  EdrContext,
  IncludeTraces,
  L1_CHAIN_TYPE,
  type SolidityTestRunnerConfigArgs,
  type SuiteResult,
  l1SolidityTestRunnerFactory,
} from "@nomicfoundation/edr";

import type { Answer, Call, Opening } from "./evm.js";

const gas = 1n << 50n;
/** Where ParityBatch looks for what it calls. */
const callAt = "0x000000000000000000000000000000000000ca11";

const bytesOf = (hex: string) => Buffer.from(hex.slice(2), "hex");

process.once("message", (opening: Opening) => void serve(opening));
process.once("disconnect", () => process.exit());

async function serve({ codes, abi, bytecode, deployedBytecode, nowSeconds, root }: Opening): Promise<void> {
  const context = new EdrContext();
  await context.registerSolidityTestRunnerFactory(L1_CHAIN_TYPE, l1SolidityTestRunnerFactory());
  const id = { name: "ParityBatch", source: "parity/contracts/ParityBatch.sol", solcVersion: "0.8.37" };
  const links = { linkReferences: {}, deployedLinkReferences: {} };
  const batch: Artifact = { id, contract: { abi, bytecode, deployedBytecode, ...links } };
  const contracts = [...codes].map(([address, code]) => ({ address: bytesOf(address), code: bytesOf(code) }));
  const config: SolidityTestRunnerConfigArgs = {
    projectRoot: root,
    hardfork: "Cancun",
    gasLimit: gas,
    blockGasLimit: gas,
    memoryLimit: 1n << 30n,
    blockTimestamp: nowSeconds,
    collectStackTraces: CollectStackTraces.OnFailure,
    includeTraces: IncludeTraces.None,
  };
  const answer = async ({ id, to, data }: Call): Promise<Answer> => {
    const code = bytesOf(`0x${to.slice(2).padStart(64, "0")}${data}`);
    const localPredeploys = [...contracts, { address: bytesOf(callAt), code }];
    const suite = await new Promise<SuiteResult>((resolve, reject) => {
      const run = context.runSolidityTests(
        L1_CHAIN_TYPE,
        [batch],
        [batch.id],
        { ...config, localPredeploys },
        {},
        resolve,
      );
      run.catch(reject);
    });
    const [test] = suite.testResults;
    const [returned] = test?.decodedLogs ?? [];
    return returned === undefined ? { id, failure: test?.reason ?? String(test?.status) } : { id, returned };
  };
  const send = (message: Answer) => process.send?.(message);
  process.on("message", (call: Call) => {
    answer(call).then(send, (error: unknown) => send({ id: call.id, failure: String(error) }));
  });
  process.send?.("ready");
}
