import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../../ignition/deploy.js";
import { type AccountId, Ballast, ReadOnlyError, UnknownSymbolError, permission } from "../../../sdk/index.js";
import { expectRevert, failure } from "../../helpers/revert.js";
import { type Signer, type World, deployWorld, wad } from "../../helpers/world.js";

const hour = 3_600;

describe("sdk/client/signatures", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let other: Signer;
  let account: AccountId;
  let client: Ballast;
  let stranger: Ballast;

  async function plain() {
    return deployWorld(connection);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(plain);
    [owner, other] = world.signers as [Signer, Signer];
    account = await world.fund(owner, { USDC: "1000" });
    client = await world.as(owner);
    stranger = await world.as(other);
  });

  it("let an operator act, whoever sends the owner's grant", async () => {
    const grant = await client.signOperatorGrant(account, other.address, permission.trade | permission.setMode);
    const { timestamp } = (await client.provider.getBlock("latest")) ?? { timestamp: 0 };
    expect(grant).to.deep.include({ account, operator: other.address, permissions: 17n, nonce: 0n });
    expect(grant.deadline).to.equal(BigInt(timestamp + hour));
    await stranger.send(stranger.calls.setOperatorBySig(grant));
    await stranger.trade(account, "ETH", "1");
    expect((await client.position(account, "ETH")).sizeWad).to.equal(wad("1"));
    expect((await client.signOperatorGrant(account, other.address, 0n)).nonce).to.equal(1n);
  });

  it("are worth nothing once they are revoked, or past their deadline", async () => {
    const grant = await client.signOperatorGrant(account, other.address, permission.trade);
    await client.send(client.calls.revokeSignatures());
    await expectRevert(() => stranger.send(stranger.calls.setOperatorBySig(grant)), "WrongNonce", {
      owner: owner.address,
      nonce: 0n,
      expected: 1n,
    });
    const late = await client.signOperatorGrant(account, other.address, permission.trade, { deadline: 5 });
    await expectRevert(() => stranger.send(stranger.calls.setOperatorBySig(late)), "DeadlinePassed", {
      deadline: 5n,
      blockTime: (time: unknown) => typeof time === "bigint",
    });
  });

  it("deposit without an approval", async () => {
    await world.mint("WETH", owner.address, "3");
    const permit = await client.signPermit("WETH", "2.5");
    expect(permit).to.deep.include({ token: "WETH", amount: wad("2.5") });
    await client.send(client.calls.depositWithPermit(account, permit));
    expect(await client.collaterals(account)).to.deep.equal([{ token: "WETH", amount: wad("2.5") }]);
  });

  it("need a signer, and a token that there is", async () => {
    const reader = await Ballast.connect(client.provider, world.deployment);
    expect(await failure(() => reader.signOperatorGrant(account, other.address, 1n))).to.be.instanceOf(ReadOnlyError);
    expect(await failure(() => reader.signPermit("WETH", 1n))).to.be.instanceOf(ReadOnlyError);
    const error = await failure(() => client.signPermit("DOGE", 1n));
    expect(error).to.be.instanceOf(UnknownSymbolError).that.includes({ symbol: "DOGE" });
  });
});
