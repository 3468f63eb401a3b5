import { getCreateAddress } from "ethers";
import hre from "hardhat";

import type { Connection } from "../ignition/deploy.js";
import { type AccountId, accountId } from "../sdk/index.js";
import { MarginVault__factory, MockToken__factory } from "../typechain-types/index.js";
import { type CastPlace, castPlaces } from "./places.js";

/** Time (Unix seconds) of the block in which every case runs. */
export const now = 1_800_000_000n;

/** Decimals of the settlement token, one house each. */
const cashDecimals = [6, 18, 0] as const;
export const houseCount = cashDecimals.length;

/** How many accounts each caller owns; the last caller is a keeper. */
const accountsOfCallers = [2, 2, 1, 1] as const;
/** Decimals of the other tokens. */
const tokenDecimals = [18, 6, 0, 8, 19] as const;

export interface Token {
  /** Lower case. */
  readonly address: string;
  readonly decimals: number;
}

/** A vault whose storage cases write, and who plays in it. Deployed once. */
export interface House {
  /** Lower case, as are all addresses here. */
  readonly vault: string;
  readonly oracle: string;
  readonly settlementToken: Token;
  readonly callers: readonly string[];
  /** Of the callers, in their order. */
  readonly accounts: readonly AccountId[];
  readonly pool: AccountId;
  readonly insurance: AccountId;
  /** What is collateral, or may become one. */
  readonly tokens: readonly Token[];
  readonly places: readonly CastPlace[];
}

/** The chain that cases run on. */
export interface Stage {
  readonly houses: readonly House[];
  /** Whose transactions the node signs. */
  readonly sender: string;
  request(method: string, params?: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const connection = await hre.network.create({
    network: "parity",
    override: { initialDate: new Date(Number(now - 1000n) * 1000).toISOString() },
  });
  const builder = new Builder(connection);
  const authority = await builder.deploy("ParityAuthority");
  const oracle = await builder.deploy("ParityOracle");
  const extension = await builder.deploy("VaultExtension");
  const callers: string[] = [];
  while (callers.length < accountsOfCallers.length) callers.push(await builder.deploy("ParityCaller"));
  const callerList = await builder.deployWords(callers);
  const tokens: Token[] = [];
  for (const decimals of tokenDecimals) tokens.push(await builder.deployToken(decimals));
  const accounts = callers.flatMap((owner, i) =>
    Array.from({ length: accountsOfCallers[i] ?? 0 }, (_, index) => accountId(owner, index)),
  );

  const houses: House[] = [];
  for (const decimals of cashDecimals) {
    const settlementToken = await builder.deployToken(decimals);
    const code = await builder.deploy("MarginVault", [authority, oracle, settlementToken.address, 0, extension]);
    const pool = accountId(await MarginVault__factory.connect(code, connection.ethers.provider).pool());
    const slotsAt = await builder.nextAddress(1);
    const vault = await builder.deploy("ParityHarness", [code, authority, oracle, slotsAt, callerList]);
    const insurance = accountId(vault);
    const places = castPlaces({
      accounts: [...accounts, pool, insurance],
      callers,
      tokens: [...tokens, settlementToken].map(({ address }) => address),
    });
    await builder.deployWords(places.map(({ slot }) => slot));
    const house = { vault, oracle, settlementToken, callers, accounts, pool, insurance, tokens, places };
    await builder.fund(house);
    houses.push(house);
  }
  const request: Stage["request"] = (method, params = []) =>
    connection.provider.request({ method, params: [...params] });
  await request("evm_setNextBlockTimestamp", [Number(now)]);
  await request("evm_mine");
  const [signer] = await connection.ethers.getSigners();
  return { houses, sender: signer?.address ?? "", request, close: () => connection.close() };
}

/** More than any case moves, and so little that no balance overflows. */
const plenty = 1n << 200n;
const gas = 30_000_000n;

class Builder {
  readonly #libraries = new Map<string, string>();

  constructor(private readonly connection: Connection) {}

  async #signer() {
    const [signer] = await this.connection.ethers.getSigners();
    if (signer === undefined) throw new TypeError("the network has no signer");
    return signer;
  }

  /** Deploys a contract and the libraries that it links, each library once. */
  async deploy(name: string, args: unknown[] = []): Promise<string> {
    const { linkReferences } = await hre.artifacts.readArtifact(name);
    const libraries: Record<string, string> = {};
    for (const library of Object.values(linkReferences).flatMap((file) => Object.keys(file))) {
      const known = this.#libraries.get(library) ?? (await this.deploy(library));
      this.#libraries.set(library, known);
      libraries[library] = known;
    }
    const contract = await this.connection.ethers.deployContract(name, args, { libraries });
    return (await contract.getAddress()).toLowerCase();
  }

  async deployToken(decimals: number): Promise<Token> {
    return { address: await this.deploy("MockToken", [`Token ${decimals}`, `T${decimals}`, decimals]), decimals };
  }

  /** A contract whose code is these words (hex, up to 32 bytes each). */
  async deployWords(words: readonly string[]): Promise<string> {
    const code = words.map((word) => word.slice(2).padStart(64, "0")).join("");
    const size = (code.length / 2).toString(16).padStart(4, "0");
    // PUSH2 size, DUP1, PUSH1 10 (where the words begin), PUSH0, CODECOPY, PUSH0, RETURN
    const data = `0x61${size}80600a5f395ff3${code}`;
    const address = await this.nextAddress(0);
    const sent = await (await this.#signer()).sendTransaction({ data, gasLimit: gas });
    await sent.wait();
    return address;
  }

  /** Where the next contract will stand, or one after so many others. */
  async nextAddress(after: number): Promise<string> {
    const { address: from } = await this.#signer();
    const nonce = (await this.connection.ethers.provider.getTransactionCount(from)) + after;
    return getCreateAddress({ from, nonce }).toLowerCase();
  }

  /** Every caller, and the vault, has plenty of every token, and the vault may take it. */
  async fund({ vault, callers, tokens, settlementToken }: House): Promise<void> {
    const signer = await this.#signer();
    const token = MockToken__factory.createInterface();
    const approve = token.encodeFunctionData("approve", [vault, plenty]).slice(2);
    for (const { address } of [...tokens, settlementToken]) {
      const target = MockToken__factory.connect(address, signer);
      await target.mint(vault, plenty, { gasLimit: gas });
      for (const caller of callers) {
        await target.mint(caller, plenty, { gasLimit: gas });
        await signer.sendTransaction({ to: caller, data: address + approve, gasLimit: gas });
      }
    }
  }
}
