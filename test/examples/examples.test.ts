import { expect } from "chai";

import { type AccountId, accountId, formatWad } from "../../sdk/index.js";
import { testKey } from "../helpers/keys.js";
import { type Running, start, tsx } from "../helpers/processes.js";
import type { Signer } from "../helpers/world.js";
import { type ServedWorld, serveWorld } from "./servedWorld.js";

describe("examples", function () {
  this.timeout(120_000);
  let served: ServedWorld;
  let running: Running | undefined;
  const [owner, other] = [testKey(1), testKey(2)];
  const account = accountId(owner.address);

  before(async () => {
    served = await serveWorld();
  });

  afterEach(() => running?.stop("SIGKILL"));
  after(() => served?.close());

  const signerOf = ({ address }: { readonly address: string }): Signer => {
    const signer = served.world.signers.find((one) => one.address === address);
    if (signer === undefined) throw new TypeError(`the node does not hold the key of ${address}`);
    return signer;
  };

  function begin(example: string, args: readonly string[] = [], keys: Readonly<Record<string, string>> = {}): Running {
    const env = { BALLAST_RPC_URL: served.url, BALLAST_DEPLOYMENT: served.deploymentFile, ...keys };
    running = start([...tsx, `examples/${example}.ts`, ...args], env);
    return running;
  }

  /** The lines that an example prints. */
  async function printed(...args: Parameters<typeof begin>): Promise<string[]> {
    const { ended, output } = begin(...args);
    expect(await ended(), output.stderr).to.equal(0);
    return output.stdout.trimEnd().split("\n");
  }

  it("trade, or say what the vault refuses", async () => {
    const keys = { BALLAST_KEY: owner.privateKey };
    await served.world.mint("USDC", owner.address, "2000");
    // 0.5 * 8000 * (1 + 0.25 / 200,000), and 0.15% of it
    expect(await printed("trade", ["BTC", "0.5", "1000"], keys)).to.deep.equal([
      "bought: 0.5 BTC for 4,006.01, fees included",
    ]);
    const [refused = ""] = await printed("trade", ["BTC", "100", "1000"], keys);
    expect(refused).to.match(/^refused: the margin would be [-\d,.]+ of [\d,.]+$/);
    await served.world.mint("USDC", owner.address, "1");
    const [dear = ""] = await printed("trade", ["ETH", "1000000", "1"], keys);
    expect(dear).to.match(/^refused: \w+\(.*\)$/);
  });

  it("preview a trade, or what the vault would refuse", async () => {
    // As much again: 0.15% of 0.5 * 8000, and a little for the impact.
    const [told = "", margin = "", ...rest] = await printed("previewTrade", [owner.address, "BTC", "0.5"]);
    expect(told).to.match(/^price 8000\.\d+, fee 6\.01$/);
    expect(margin).to.match(/^free margin afterwards [\d,.]+$/);
    expect(rest[0]).to.match(/^liquidatable at [67],\d{3}\.\d\d and below$/);
    expect(rest.at(-1)).to.equal(`to ${served.world.deployment.vault}, 164 bytes`);
    const [refused = ""] = await printed("previewTrade", [owner.address, "BTC", "100"]);
    expect(refused).to.match(/^refused: InsufficientMargin\(.*\)$/);
  });

  it("read an account", async () => {
    await served.world.fund(signerOf(owner), { WETH: "2.5" });
    // 2.5 WETH at 200, nine tenths of it; requirement 4000 * (3% + 0.5 / 400,000) + 2
    expect(await printed("readAccount", [owner.address])).to.deep.equal([
      "cash 2,001.00",
      "WETH 2.5000",
      "BTC 0.5 at 8,000.00: -6.01",
      "health 20.04",
      "free margin 2,217.98",
    ]);
    expect(await printed("readAccount", [owner.address, "7"])).to.deep.equal([
      "cash 0.00",
      "health -",
      "free margin 0.00",
    ]);
  });

  it("explain an account, to the price at which it is liquidatable", async () => {
    const lines = await printed("explainAccount", [owner.address]);
    expect(lines[0]).to.match(new RegExp(`^${account} at [-\\d]+ [:\\d]+ UTC: health 20\\.\\d{4}$`));
    const figures = lines.slice(1, -3).map((line) => line.trim().replace(/ {2,}/g, " | "));
    const shown = figures.map((line) => line.replace(/\d{4}-\d\d-\d\d [:\d]+ UTC/, "then"));
    expect(shown).to.deep.equal([
      "maintenance | initial",
      "cash as of then | 2,001.00 | 2,001.00",
      "interest since then | 0.00 | 0.00",
      "2.5 WETH at 200.00, counting 90.00% and initially 85.00% | 450.00 | 425.00",
      "long 0.5 BTC at 8,000.00: profit or loss | -6.01 | -6.01",
      "long 0.5 BTC: funding since then | 0.00 | 0.00",
      "equity | 2,444.99 | 2,419.99",
      "long 0.5 BTC: 3.00% and initially 5.00% of 4,000.00 | 120.01 | 200.01",
      "what pays a keeper | 2.00 | 2.00",
      "required | 122.01 | 202.01",
      "free | 2,322.99 | 2,217.99",
    ]);
    const { below = 0n } = await served.world.ballast.liquidationPrice(account, "BTC", { moving: "symbol" });
    expect(lines.slice(-3, -1)).to.deep.equal([
      "BTC is at 8,000.00",
      `  liquidatable at ${formatWad(below)} and below`,
    ]);
    expect(lines.at(-1)).to.match(/^liquidatable where all prices fall by \d\d\.\d\d%$/);
  });

  it("let an operator trade for who has signed", async () => {
    const keys = { BALLAST_KEY: other.privateKey, BALLAST_OWNER_KEY: owner.privateKey };
    expect(await printed("grantOperator", ["ETH", "-1.5"], keys)).to.deep.equal([
      `${other.address} traded for ${owner.address}: -1.5 ETH`,
    ]);
  });

  it("watch what happens", async () => {
    const watching = begin("watchEvents");
    await watching.printed(/watching from block \d+\n/);
    await (await served.world.as(signerOf(owner))).trade(account, "ETH", "0.5");
    await watching.printed(/\d+ 0x[0-9a-f]{64} traded 0\.5 ETH at (199|200)\.?\d*\n/);
    expect(watching.output.stdout).to.match(/\d+ AccountChanged\n/);
  });

  it("find who is liquidatable", async () => {
    const poor: AccountId = await served.world.fund(signerOf(other), { USDC: "1000" });
    await (await served.world.as(signerOf(other))).trade(poor, "BTC", "1");
    const before = await printed("findLiquidatable");
    expect(before.slice(1), before.join("\n")).to.deep.equal([]);
    await served.world.push({ BTC: "7150" });
    const [, ...found] = await printed("findLiquidatable");
    expect(found.length).to.equal(1);
    expect(found[0]).to.match(new RegExp(`^${poor}: health 0\\.\\d\\d, equity 1\\d\\d\\.\\d\\d$`));
  });
});
