import { expect } from "chai";
import hre from "hardhat";

import { type Connection, deployBallast } from "../../ignition/deploy.js";
import { Ballast, type Deployment, accountId, decodeCapital, parseDecimal, roleIds } from "../../sdk/index.js";
import { deploymentParameters, parsePrices } from "../../simulator/index.js";
import {
  AccessManager__factory,
  MarginVault__factory,
  MockToken__factory,
  PriceOracle__factory,
} from "../../typechain-types/index.js";
import { deployAggregator } from "../helpers/chainlink.js";
import { failure } from "../helpers/revert.js";
import { wad } from "../helpers/world.js";

const selectors = {
  setSequencer: PriceOracle__factory.createInterface().getFunction("setSequencer").selector,
  deposit: MarginVault__factory.createInterface().getFunction("deposit").selector,
  refreshCapital: MarginVault__factory.createInterface().getFunction("refreshCapital").selector,
};
const mined = async (sent: Promise<{ wait(): Promise<unknown> }>) => (await sent).wait();

class LineCut extends Error {}

describe("ignition/deploy: a deployment that broke off", () => {
  let connection: Connection;
  /** The same on another chain, where nothing broke off: its addresses are those of this one. */
  let whole: Deployment;
  let expected: object;
  let parameters: Parameters<typeof deployBallast>[1];
  let start: Awaited<ReturnType<Connection["networkHelpers"]["takeSnapshot"]>>;

  const prices = "timestamp_iso,BTC,ETH,LINK\n2020-03-12T00:00:00Z,8000,200,4\n";

  /** A chain with an uptime feed for a sequencer at the address that the parameters name. */
  async function chain(): Promise<Connection> {
    const created = await hre.network.create();
    const uptime = await deployAggregator(created, 0, 0n);
    await mined(uptime.setAnswer(0n, 1));
    const sequencer = { uptimeFeed: await uptime.getAddress(), graceSeconds: "3600" };
    parameters = { ...deploymentParameters(parsePrices(prices, "prices.csv")), sequencer };
    return created;
  }

  /** Runs `act` on a line that is cut at the first transaction for which `at` holds. Returns how many went through. */
  async function cut(at: (data: string, sent: number) => boolean, act: () => Promise<unknown>): Promise<number> {
    const { provider } = connection;
    const request = provider.request.bind(provider);
    let sent = 0;
    provider.request = async (args) => {
      if (args.method === "eth_sendTransaction") {
        const [{ data }] = args.params as [{ data: string }];
        if (at(data, sent)) throw new LineCut();
        sent += 1;
      }
      return request(args);
    };
    try {
      await act();
    } finally {
      provider.request = request;
    }
    return sent;
  }

  const deploy = () => deployBallast(connection, parameters, whole);

  async function stateOf(on: Connection) {
    const { vault, oracle } = await Ballast.connect(on.ethers.provider, whole);
    const [markets, collaterals, cashHeld] = await vault.totals();
    const upTo = (count: bigint) => Array.from({ length: Number(count) }, (_, i) => i);
    const { uptimeFeed, graceSeconds } = await oracle.sequencerStatus();
    return {
      markets: await Promise.all(
        upTo(markets).map(async (id) => {
          const { risk, terms, discount } = await vault.market(id);
          return { risk, terms, discount };
        }),
      ),
      collaterals: await Promise.all(upTo(collaterals).map(async (i) => [...(await vault.collateralAt(i))])),
      cashHeld,
      accountRisk: await vault.accountRisk(),
      cashTerms: (await vault.cashView()).terms,
      insurance: await vault.cash(await vault.insuranceAccount()),
      sequencer: { uptimeFeed, graceSeconds },
      hasCheckpoint: decodeCapital(await vault.capital()).takenAt !== 0,
    };
  }

  const guarded = () => ({
    sequencer: { uptimeFeed: parameters.sequencer?.uptimeFeed, graceSeconds: 3600n },
    insurance: wad("100000"),
  });

  /** Somebody pays into the insurance account. */
  async function donate(amount: string) {
    const [, guest] = await connection.ethers.getSigners();
    const { address, decimals } = whole.settlementToken;
    const [token, raw] = [MockToken__factory.connect(address, guest), parseDecimal(amount, decimals)];
    await mined(token.mint(guest!.address, raw));
    await mined(token.approve(whole.vault, raw));
    const vault = MarginVault__factory.connect(whole.vault, guest);
    await mined(vault.deposit(accountId(whole.vault), address, raw));
  }

  const cutAt = (selector: string) => (data: string) => data.startsWith(selector);

  async function expectCut(act: () => Promise<unknown>) {
    expect(await failure(act)).to.be.instanceOf(LineCut);
  }

  before(async () => {
    const other = await chain();
    whole = await deployBallast(other, parameters);
    expected = await stateOf(other);
    expect(expected).to.include({ insurance: wad("100000"), hasCheckpoint: true });
    connection = await chain();
    await expectCut(() => cut(cutAt(selectors.setSequencer), () => deployBallast(connection, parameters)));
  });

  // Of each: the contracts stand, and nothing has been set.
  beforeEach(async () => {
    start = await connection.networkHelpers.takeSnapshot();
  });

  afterEach(async () => start.restore());

  it("goes on after whichever transaction, to what it would have been, and lists nothing unguarded on the way", async () => {
    const count = await cut(() => false, deploy);
    expect(await stateOf(connection)).to.deep.equal(expected);
    await start.restore();
    expect(count > 15, String(count)).to.equal(true);
    for (let through = 1; through < count; through += 1) {
      start = await connection.networkHelpers.takeSnapshot();
      await expectCut(() => cut((_, sent) => sent === through, deploy));
      const { markets, collaterals, sequencer, insurance } = await stateOf(connection);
      if (markets.length + collaterals.length > 0)
        expect({ sequencer, insurance }, `after ${through}`).to.deep.equal(guarded());
      expect(await deploy(), `after ${through}`).to.deep.equal(whole);
      expect(await stateOf(connection), `after ${through}`).to.deep.equal(expected);
      await start.restore();
    }
    start = await connection.networkHelpers.takeSnapshot();
  });

  it("pays the seed whole before anything is listed, though somebody else has paid a part of it in", async () => {
    await expectCut(() => cut(cutAt(selectors.deposit), deploy));
    await donate("40000");
    await deploy();
    expect(await stateOf(connection)).to.deep.equal({
      ...expected,
      insurance: wad("140000"),
      cashHeld: parseDecimal("140003", whole.settlementToken.decimals),
    });
  });

  it("pays no seed once something is listed, since what is missing by then is a loss", async () => {
    await deploy();
    const block = await connection.ethers.provider.getBlockNumber();
    // As if half of it were gone.
    const seeded = { ...parameters, vault: { ...parameters.vault, insuranceSeed: "200000" } };
    expect(await deployBallast(connection, seeded, whole)).to.deep.equal(whole);
    expect(await connection.ethers.provider.getBlockNumber()).to.equal(block);
  });

  it("needs no role for the checkpoint, which anybody can take", async () => {
    await expectCut(() => cut(cutAt(selectors.refreshCapital), deploy));
    const [admin, guest] = await connection.ethers.getSigners();
    const manager = AccessManager__factory.connect(whole.manager, admin);
    await mined(manager.grantRole(roleIds.risk, guest!.address, 0));
    await mined(manager.renounceRole(roleIds.risk, admin!.address));
    await mined(manager.grantRole(roleIds.admin, guest!.address, 0));
    await mined(manager.renounceRole(roleIds.admin, admin!.address));
    await deploy();
    expect((await stateOf(connection)).hasCheckpoint).to.equal(true);
  });
});
