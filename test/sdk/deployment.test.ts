import { expect } from "chai";

import {
  BallastError,
  type Deployment,
  DeploymentFileError,
  assetPrices,
  assetsOfSymbol,
  collateralAsset,
  marketAsset,
  parseDeployment,
} from "../../sdk/index.js";

const address = (digit: string) => `0x${digit.repeat(40)}`;

const deployment: Deployment = {
  chainId: 31337,
  fromBlock: 5,
  manager: address("1"),
  oracle: address("2"),
  vault: address("3"),
  pool: address("4"),
  lens: address("5"),
  settlementToken: { symbol: "USDC", address: address("6"), decimals: 6 },
  collaterals: [
    { symbol: "WETH", asset: "ETH", address: address("7"), decimals: 18 },
    { symbol: "STETH", asset: "ETH", address: address("8"), decimals: 18 },
    { symbol: "WBTC", asset: "BTC", address: address("9"), decimals: 8 },
  ],
  markets: [{ symbol: "BTC" }, { symbol: "ETH" }, { symbol: "LINK" }],
};

function refusal(text: string): DeploymentFileError {
  try {
    parseDeployment(text);
  } catch (error) {
    if (error instanceof DeploymentFileError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

describe("sdk/deployment", () => {
  it("parses the file that the deploy script writes, with addresses checksummed", () => {
    const lower = "0x52908400098527886e0f7030069857d2e4169ee7";
    const text = JSON.stringify({ ...deployment, vault: lower });
    expect(parseDeployment(text)).to.deep.equal({ ...deployment, vault: "0x52908400098527886E0F7030069857D2E4169EE7" });
    expect(parseDeployment(`${JSON.stringify(deployment, null, 2)}\n`)).to.deep.equal(deployment);
  });

  it("refuses what is no JSON", () => {
    const error = refusal("{ vault: ");
    expect(error).to.be.instanceOf(BallastError);
    expect(error.issues).to.deep.equal(["it is not JSON"]);
    expect(error.cause).to.be.instanceOf(SyntaxError);
  });

  it("names each key that is wrong", () => {
    const { lens: _, ...withoutLens } = deployment;
    for (const [broken, ...keys] of [
      [{ ...deployment, vault: "0x12" }, "vault: must be an address"],
      [withoutLens, 'lens: Invalid key: Expected "lens" but received undefined'],
      [{ ...deployment, chainId: "31337" }, 'chainId: Invalid type: Expected number but received "31337"'],
      [{ ...deployment, chainId: 0 }, "chainId: Invalid value: Expected >=1 but received 0"],
      [{ ...deployment, fromBlock: -1 }, "fromBlock: Invalid value: Expected >=0 but received -1"],
      [{ ...deployment, fromBlock: 1.5 }, "fromBlock: Invalid safe integer: Received 1.5"],
      [{ ...deployment, markets: [{ symbol: "" }] }, "markets.0.symbol: Invalid length: Expected !0 but received 0"],
      [
        { ...deployment, markets: [{ symbol: "BTC", feed: "band" }] },
        'markets.0.feed: Invalid type: Expected ("chainlink" | "pyth") but received "band"',
      ],
      [
        { ...deployment, settlementToken: { ...deployment.settlementToken, decimals: 19 } },
        "settlementToken.decimals: Invalid value: Expected <=18 but received 19",
      ],
      [
        { ...deployment, collaterals: [{ symbol: "A", address: address("a"), decimals: 2 }] },
        'collaterals.0.asset: Invalid key: Expected "asset" but received undefined',
      ],
      [
        { ...deployment, pool: 4, oracle: null },
        "oracle: Invalid type: Expected string but received null",
        "pool: Invalid type: Expected string but received 4",
      ],
      [{ ...deployment, key: "0x00" }, 'key: Invalid key: Expected never but received "key"'],
      ["no object", '(root): Invalid type: Expected Object but received "no object"'],
    ] as const) {
      const { issues, message } = refusal(JSON.stringify(broken));
      expect(issues.length, issues.join()).to.equal(keys.length);
      for (const [i, key] of keys.entries()) {
        expect(issues[i]).to.equal(key);
        expect(message).to.include(issues[i]);
      }
    }
  });

  it("refuses more markets and collaterals than the vault has room for", () => {
    const markets = Array.from({ length: 97 }, (_, i) => ({ symbol: `M${i}` }));
    expect(refusal(JSON.stringify({ ...deployment, markets })).issues).to.deep.equal([
      "markets: Invalid length: Expected <=96 but received 97",
    ]);
    expect(parseDeployment(JSON.stringify({ ...deployment, markets: markets.slice(1) })).markets.length).to.equal(96);
    const [first] = deployment.collaterals;
    const collaterals = Array.from({ length: 33 }, () => first);
    expect(refusal(JSON.stringify({ ...deployment, collaterals })).issues.length).to.equal(1);
  });

  it("numbers assets as the vault does: markets from 0, collaterals from 96", () => {
    expect([marketAsset(0), marketAsset(95), collateralAsset(0), collateralAsset(31)]).to.deep.equal([0, 95, 96, 127]);
    expect(assetsOfSymbol(deployment, "ETH")).to.deep.equal([1, 96, 97]);
    expect(assetsOfSymbol(deployment, "BTC")).to.deep.equal([0, 98]);
    expect(assetsOfSymbol(deployment, "LINK")).to.deep.equal([2]);
    expect(assetsOfSymbol(deployment, "WETH")).to.deep.equal([]);
  });

  it("gives every asset of a symbol its price to push, but none to an asset whose price is read from an aggregator", () => {
    const prices = [
      ["ETH", 200n],
      ["BTC", 8000n],
      ["DOGE", 1n],
    ] as const;
    expect(assetPrices(deployment, prices)).to.deep.equal({
      assets: [1, 96, 97, 0, 98],
      pricesWad: [200n, 200n, 200n, 8000n, 8000n],
    });
    const [weth, steth, wbtc] = deployment.collaterals;
    const mixed = parseDeployment(
      JSON.stringify({
        ...deployment,
        markets: [{ symbol: "BTC" }, { symbol: "ETH", feed: "chainlink" }, { symbol: "LINK" }],
        collaterals: [{ ...weth, feed: "chainlink" }, steth, wbtc],
      }),
    );
    expect(assetPrices(mixed, prices)).to.deep.equal({ assets: [97, 0, 98], pricesWad: [200n, 8000n, 8000n] });
  });
});
