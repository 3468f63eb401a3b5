import { expect } from "chai";
import hre from "hardhat";
import { Wallet } from "ethers";

import { KeeperConfigError, parseConfig } from "../../../keeper/config/index.js";
import {
  TakerPermissionError,
  UnfundedError,
  checkCode,
  checkNodes,
  checkSigners,
  checkState,
  checkTaker,
  policyOf,
} from "../../../keeper/operations/index.js";
import { type Deployment, NotDeployedError, accountId, permission } from "../../../sdk/index.js";
import { type World, deployWorld, wad } from "../../helpers/world.js";

/** What was thrown, as its class and message. */
async function refusal(act: () => unknown): Promise<[string, string]> {
  try {
    await act();
  } catch (error) {
    if (error instanceof Error) return [error.name, error.message];
  }
  throw new TypeError("nothing was refused");
}

describe("keeper/operations: start-up checks", () => {
  describe("of nodes", () => {
    const answers: Record<string, number | Error> = {
      "http://a": 5,
      "http://b": 5,
      "http://other": 1,
      "http://off": new Error("off"),
    };
    const ask = async (url: string) => {
      const answer = answers[url];
      if (typeof answer === "number") return answer;
      throw answer;
    };
    const check = (...urls: string[]) =>
      checkNodes(
        urls.map((url) => ({ url })),
        5,
        ask,
      );

    it("pass where all are of the deployment's chain", async () => {
      expect(await check("http://a", "http://b")).to.deep.equal([]);
    });

    it("name the one that is of another chain", async () => {
      const error = await refusal(() => check("http://a", "http://off", "http://other"));
      expect(error).to.deep.equal([
        "KeeperConfigError",
        "rpc[2].url is a node of chain 1, and the deployment is on chain 5: give a node of chain 5, or another deployment",
      ]);
    });

    it("bear with those that do not answer as long as one does", async () => {
      expect(await check("http://off", "http://a")).to.deep.equal([
        { key: "rpc[0].url", error: answers["http://off"] },
      ]);
      expect(await refusal(() => check("http://off"))).to.deep.equal(["Error", "off"]);
    });
  });

  describe("of the policy", () => {
    const deployment = (chainId: number) =>
      ({
        chainId,
        markets: [{ symbol: "BTC" }, { symbol: "ETH" }],
        collaterals: [{ symbol: "WBTC", asset: "BTC" }],
      }) as unknown as Deployment;
    const policy = (given: object, chainId = 1) =>
      policyOf(parseConfig(JSON.stringify({ policy: given }), "/", {}).policy, deployment(chainId));

    it("find the asset that prices the gas token, or take its price", () => {
      const plain = { minimumProfitWad: wad("0.5"), unknownProfit: "skip" };
      expect(policy({ gasToken: "ETH", minimumProfit: "0.5" })).to.deep.equal({ ...plain, gasToken: { asset: 1 } });
      expect(policy({ gasTokenPrice: "2.5", minimumProfit: "0.5" })).to.deep.equal({
        ...plain,
        gasToken: { priceWad: wad("2.5") },
      });
    });

    it("take gas for free on the local chain, unless the policy says otherwise", () => {
      const local = { minimumProfitWad: 0n, unknownProfit: "act" };
      expect(policy({}, 31337)).to.deep.equal(local);
      expect(policy({ gasToken: "ETH" }, 31337)).to.deep.equal({
        ...local,
        unknownProfit: "skip",
        gasToken: { asset: 1 },
      });
    });

    it("refuse one by which nothing would ever be done", async () => {
      expect(policy({ unknownProfit: "act" })).to.deep.equal({ minimumProfitWad: 0n, unknownProfit: "act" });
      const [name, message] = await refusal(() => policy({}));
      expect(name).to.equal("KeeperConfigError");
      expect(message).to.match(/^policy\.gasToken is missing, .* or set policy\.unknownProfit to "act"$/);
    });

    it("refuse a gas token without a price, naming those that have one", async () => {
      expect(await refusal(() => policy({ gasToken: "POL" }))).to.deep.equal([
        "KeeperConfigError",
        "policy.gasToken is POL, which the deployment has no price of: it has BTC, ETH. Or give policy.gasTokenPrice",
      ]);
    });
  });

  it("want a state file on every chain but the local one", () => {
    checkState(undefined, 31337);
    checkState("/keeper.sqlite", 1);
    expect(() => checkState(undefined, 1)).to.throw(
      KeeperConfigError,
      /^state is missing: on chain 1 .* such as "keeper\.sqlite"$/,
    );
  });

  describe("of the chain", () => {
    let world: World;
    before(async () => {
      world = await deployWorld(await hre.network.create());
    });

    it("pass on a deployment that stands", async () => {
      await checkCode(world.ballast.provider, world.deployment);
    });

    for (const name of ["manager", "oracle", "vault", "pool", "lens"] as const) {
      it(`name the ${name} where there is no code`, async () => {
        const { address } = Wallet.createRandom();
        const error = await refusal(() => checkCode(world.ballast.provider, { ...world.deployment, [name]: address }));
        expect(error).to.deep.equal(["NotDeployedError", new NotDeployedError(name, address).message]);
      });
    }

    it("name a token where there is no code", async () => {
      const { collaterals } = world.deployment;
      const { address } = Wallet.createRandom();
      const changed = collaterals.map((each) => (each.symbol === "WETH" ? { ...each, address } : each));
      const error = await refusal(() =>
        checkCode(world.ballast.provider, { ...world.deployment, collaterals: changed }),
      );
      expect(error).to.deep.equal(["NotDeployedError", new NotDeployedError("WETH", address).message]);
    });

    it("name a signer that has nothing to pay gas with", async () => {
      const [one, two] = world.signers;
      const { address } = Wallet.createRandom();
      const { provider } = world.ballast;
      await checkSigners(provider, [one!.address, two!.address]);
      expect(await refusal(() => checkSigners(provider, [one!.address, address]))).to.deep.equal([
        "UnfundedError",
        new UnfundedError(address).message,
      ]);
    });

    it("let the owner of the capital act for it, and others as far as they were let", async () => {
      const [owner, other] = world.signers;
      const taker = accountId(owner!.address, 1);
      const check = (...signers: string[]) => checkTaker(world.ballast.provider, world.deployment, taker, signers);
      const client = await world.as(owner!);
      await check(owner!.address);
      expect(await refusal(() => check(owner!.address, other!.address))).to.deep.equal([
        "TakerPermissionError",
        new TakerPermissionError(other!.address, taker, ["take over positions", "trade"]).message,
      ]);
      await (await client.vault.setOperator(taker, other!.address, permission.take)).wait();
      expect(await refusal(() => check(other!.address))).to.deep.equal([
        "TakerPermissionError",
        new TakerPermissionError(other!.address, taker, ["trade"]).message,
      ]);
      await (await client.vault.setOperator(taker, other!.address, permission.take + permission.trade)).wait();
      await check(owner!.address, other!.address);
    });
  });
});
