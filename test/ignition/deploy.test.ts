import { expect } from "chai";
import hre from "hardhat";

import type { DeploymentParameters } from "../../deployments/schema.js";
import { type Connection, TokenAddressMissingError, deployBallast } from "../../ignition/deploy.js";
import { Ballast, type Deployment, accountId, decodeCollateral, parseDeployment } from "../../sdk/index.js";
import { deploymentParameters, parsePrices } from "../../simulator/index.js";
import { MockToken__factory } from "../../typechain-types/index.js";
import { failure } from "../helpers/revert.js";
import { wad } from "../helpers/world.js";

function parametersOf(markets: string): DeploymentParameters {
  const prices = markets.replace("BTC", "8000").replace("ETH", "200").replace("LINK", "4").replace("XRP", "0.2");
  return deploymentParameters(parsePrices(`timestamp_iso,${markets}\n2020-03-12T00:00:00Z,${prices}\n`, "prices.csv"));
}

describe("ignition/deploy", () => {
  let connection: Connection;
  const three = parametersOf("BTC,ETH,LINK");

  beforeEach(async () => {
    connection = await hre.network.create();
  });

  const blockNumber = () => connection.ethers.provider.getBlockNumber();
  const connect = (deployment: Deployment) => Ballast.connect(connection.ethers.provider, deployment);

  it("lists everything that the parameters name, with prices, a seeded insurance account and a checkpoint", async () => {
    const start = await blockNumber();
    const deployment = await deployBallast(connection, three);
    const ballast = await connect(deployment);
    expect(deployment.fromBlock).to.equal(start);
    expect(deployment.markets).to.deep.equal([{ symbol: "BTC" }, { symbol: "ETH" }, { symbol: "LINK" }]);
    expect(deployment.collaterals.map(({ symbol, asset, decimals }) => [symbol, asset, decimals])).to.deep.equal([
      ["WETH", "ETH", 18],
      ["WBTC", "BTC", 8],
    ]);
    expect(await ballast.vault.totals()).to.deep.equal([3n, 2n, 100_003_000_000n]);
    expect((await ballast.state(accountId(deployment.vault))).principalWad).to.equal(wad("100000"));
    for (const [symbol, price] of [
      ["BTC", "8000"],
      ["ETH", "200"],
      ["LINK", "4"],
    ] as const) {
      expect(await ballast.price(symbol)).to.deep.include({ priceWad: wad(price), isFresh: true });
    }
    for (const [i, { symbol, address }] of deployment.collaterals.entries()) {
      expect((await ballast.collateralPrice(symbol)).isFresh).to.equal(true);
      const [token, word] = await ballast.vault.collateralAt(i);
      expect(token).to.equal(address);
      expect(decodeCollateral(word)).to.deep.include({
        weightInitialWad: wad("0.85"),
        weightMaintenanceWad: wad("0.9"),
        depositCap: 2n ** 96n - 1n,
      });
    }
    expect(await ballast.pool.vault()).to.equal(deployment.vault);
    expect(await ballast.lens.vault()).to.equal(deployment.vault);
    expect(await ballast.pool.lockSeconds()).to.equal(86_400n);
    expect(parseDeployment(JSON.stringify(deployment))).to.deep.equal(deployment);
  });

  it("deploys and sends nothing when everything stands already", async () => {
    const first = await deployBallast(connection, three);
    const block = await blockNumber();
    expect(await deployBallast(connection, three, first)).to.deep.equal(first);
    expect(await blockNumber()).to.equal(block);
  });

  it("lists only the market that the parameters have more, and says so", async () => {
    const first = await deployBallast(connection, three);
    const block = await blockNumber();
    const second = await deployBallast(connection, parametersOf("BTC,ETH,LINK,XRP"), first);
    const ballast = await connect(second);
    const told = (await ballast.events(block + 1)).map(({ name }) => name);
    expect(told.toSorted()).to.deep.equal([
      "FeedSet",
      "MarketChanged",
      "MarketParametersSet",
      "PricePublished",
      "ReservePaid",
    ]);
    const [markets, collaterals, held] = await ballast.vault.totals();
    expect([markets, collaterals, held]).to.deep.equal([4n, 2n, 100_004_000_000n]);
    const [price] = await ballast.oracle.lastPrices(8n);
    expect((price ?? 0n) & (2n ** 96n - 1n)).to.equal(wad("0.2"));
    // What is written to addresses.json is what the vault has: the client knows the new market by name.
    expect(second).to.deep.equal({ ...first, markets: [...first.markets, { symbol: "XRP" }] });
    expect(ballast.marketId("XRP")).to.equal(3);
  });

  it("deploys and lists only the collateral that the parameters have more", async () => {
    const first = await deployBallast(connection, three);
    const [weth] = three.collaterals;
    if (weth === undefined) throw new TypeError("no collateral");
    const more = {
      ...three,
      collaterals: [
        ...three.collaterals,
        { ...weth, symbol: "WLINK", asset: "LINK", weightInitial: "0.5", weightMaintenance: "0.6" },
      ],
    };
    const second = await deployBallast(connection, more, first);
    expect(second.collaterals.slice(0, 2)).to.deep.equal(first.collaterals);
    const ballast = await connect(second);
    const [token] = await ballast.vault.collateralAt(2);
    expect(second.collaterals[2]).to.deep.equal({ symbol: "WLINK", asset: "LINK", address: token, decimals: 18 });
    expect((await ballast.collateralPrice("WLINK")).priceWad).to.equal(wad("4"));
  });

  it("deploys anew where the deployment named does not stand", async () => {
    const other = await hre.network.create();
    const elsewhere = await deployBallast(other, three);
    const deployment = await deployBallast(connection, three, { ...elsewhere, chainId: 5 });
    expect(deployment.chainId).to.equal(31337);
    await connect(deployment);
    // On a chain that was started again, the same addresses hold nothing.
    const again = await hre.network.create();
    const anew = await deployBallast(again, three, elsewhere);
    await Ballast.connect(again.ethers.provider, anew);
  });

  it("takes tokens that stand already, and mints none of them", async () => {
    const [admin] = await connection.ethers.getSigners();
    if (admin === undefined) throw new TypeError("no signer");
    const token = await new MockToken__factory(admin).deploy("Dollar", "USD", 18);
    await token.waitForDeployment();
    const address = await token.getAddress();
    await (await token.mint(admin.address, wad("100010"))).wait();
    const deployment = await deployBallast(connection, {
      ...three,
      settlementToken: { symbol: "USD", decimals: "18", address },
    });
    expect(deployment.settlementToken).to.deep.equal({ symbol: "USD", address, decimals: 18 });
    expect(await token.totalSupply()).to.equal(wad("100010"));
    expect(await token.balanceOf(admin)).to.equal(wad("7"));
    const [, , held] = await (await connect(deployment)).vault.totals();
    expect(held).to.equal(wad("100003"));
  });

  it("deploys no mock token to a chain that is not the local one", async () => {
    const real = await hre.network.create({ override: { chainId: 4242 } });
    const error = await failure(() => deployBallast(real as Connection, three));
    expect(error).to.be.instanceOf(TokenAddressMissingError);
    expect((error as TokenAddressMissingError).symbol).to.equal("USDC");
    expect(await real.ethers.provider.getBlockNumber()).to.equal(0);
  });
});
