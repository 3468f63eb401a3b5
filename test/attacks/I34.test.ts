import { expect } from "chai";
import { MaxUint256, Signature } from "ethers";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, type Deployment, accountId, operatorGrantData, permitData } from "../../sdk/index.js";
import { MarginVault__factory, MockToken__factory, MockWallet__factory } from "../../typechain-types/index.js";
import { outcomeOf, usd } from "../helpers/attack.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad } from "../helpers/world.js";

const trading = 1n;
const noDeadline = 2n ** 64n;

describe("I34: a signature is used twice, elsewhere, or made worthless by somebody else", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let operator: Signer;
  let stranger: Signer;
  let account: AccountId;

  async function quiet() {
    return deployWorld(connection, roundFigures);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(quiet);
    [owner, operator, stranger] = world.signers as [Signer, Signer, Signer];
    account = await world.fund(owner, { USDC: "1000" });
  });

  const vaultAs = (signer: Signer) => MarginVault__factory.connect(world.deployment.vault, signer);

  interface Grant {
    readonly account: AccountId;
    readonly operator: string;
    readonly permissions: bigint;
    readonly nonce: bigint;
    readonly deadline: bigint;
  }

  const grantOf = (change: Partial<Grant> = {}): Grant => ({
    account,
    operator: operator.address,
    permissions: trading,
    nonce: 0n,
    deadline: noDeadline,
    ...change,
  });
  const sign = async (grant: Grant, { deployment = world.deployment as Deployment, by = owner } = {}) => {
    const { domain, types, message } = operatorGrantData(deployment, grant);
    return by.signTypedData(domain, types, message);
  };
  const send = (grant: Grant, signature: string, as = stranger) =>
    vaultAs(as).setOperatorBySig(
      grant.account,
      grant.operator,
      grant.permissions,
      grant.nonce,
      grant.deadline,
      signature,
    );
  const permissions = () => world.ballast.vault.permissionsOf(account, operator.address);

  it("of another chain or another vault grants nothing here", async () => {
    const grant = grantOf();
    const elsewhere = [
      { ...world.deployment, chainId: 1 },
      { ...world.deployment, chainId: 42_161 },
      { ...world.deployment, vault: world.deployment.pool },
    ];
    for (const deployment of elsewhere) {
      const signature = await sign(grant, { deployment });
      await expectRevert(() => send(grant, signature), "InvalidSignature", { owner: owner.address });
    }
    expect(await permissions()).to.equal(0n);
    await (await send(grant, await sign(grant))).wait();
    expect(await permissions()).to.equal(trading);
    const [, , , chainId] = await world.ballast.vault.eip712Domain();
    expect(chainId).to.equal((await connection.ethers.provider.getNetwork()).chainId);
  });

  it("grants once: taken back, it gives nothing again", async () => {
    const grant = grantOf();
    const signature = await sign(grant);
    await (await send(grant, signature)).wait();
    await (await vaultAs(owner).setOperator(account, operator.address, 0n)).wait();
    const wrong = { owner: owner.address, nonce: 0n, expected: 1n };
    await expectRevert(() => send(grant, signature), "WrongNonce", wrong);
    expect(await permissions()).to.equal(0n);
  });

  it("grants what it says: not to another, not for another account, not more, not later", async () => {
    const grant = grantOf({ deadline: 4_000_000_000n });
    const signature = await sign(grant);
    for (const change of [
      { operator: stranger.address },
      { account: accountId(owner.address, 1) },
      { permissions: 31n },
      { deadline: noDeadline },
    ])
      await expectRevert(() => send({ ...grant, ...change }, signature), "InvalidSignature", { owner: owner.address });
    await expectRevert(() => send({ ...grant, nonce: 1n }, signature), "WrongNonce", {
      owner: owner.address,
      nonce: 1n,
      expected: 0n,
    });
    const late = grantOf({ deadline: 1n });
    const lateSignature = await sign(late);
    expect(await outcomeOf(() => send(late, lateSignature))).to.equal("DeadlinePassed");
    const forged = await sign(grant, { by: stranger });
    await expectRevert(() => send(grant, forged), "InvalidSignature", { owner: owner.address });
    expect(await permissions()).to.equal(0n);
  });

  it("is made worthless by its signer alone, and by nobody else's nonces", async () => {
    const grant = grantOf();
    const signature = await sign(grant);
    for (const other of [operator, stranger, world.admin]) await (await vaultAs(other).revokeSignatures()).wait();
    expect(await world.ballast.vault.nonces(owner)).to.equal(0n);
    const start = await connection.networkHelpers.takeSnapshot();
    await (await send(grant, signature)).wait();
    expect(await permissions()).to.equal(trading);
    await start.restore();
    await (await vaultAs(owner).revokeSignatures()).wait();
    await expectRevert(() => send(grant, signature), "WrongNonce", { owner: owner.address, nonce: 0n, expected: 1n });
  });

  it("sent by somebody else first, takes nothing from whoever sends it then, alone or in a multicall", async () => {
    const grant = grantOf();
    const signature = await sign(grant);
    await (await send(grant, signature, stranger)).wait();
    expect(await outcomeOf(() => send(grant, signature, operator))).to.equal("done");
    const vault = vaultAs(operator);
    const { interface: known } = vault;
    const calls = [
      known.encodeFunctionData("setOperatorBySig", [
        grant.account,
        grant.operator,
        grant.permissions,
        grant.nonce,
        grant.deadline,
        signature,
      ]),
      known.encodeFunctionData("trade", [account, 1n, wad("1"), 0n, noDeadline]),
    ];
    expect(await outcomeOf(() => vault.multicall(calls))).to.equal("done");
    expect((await world.ballast.position(account, "ETH")).sizeWad).to.equal(wad("1"));
  });

  it("of a contract wallet is asked of the wallet as it is now", async () => {
    const wallet = await (await new MockWallet__factory(owner).deploy(owner.address)).waitForDeployment();
    const grant = grantOf({ account: accountId(await wallet.getAddress()) });
    const signature = await sign(grant);
    await (await wallet.setSigner(stranger.address)).wait();
    await expectRevert(() => send(grant, signature), "InvalidSignature", { owner: await wallet.getAddress() });
    await (await send(grant, await sign(grant, { by: stranger }))).wait();
    expect(await world.ballast.vault.permissionsOf(grant.account, operator.address)).to.equal(trading);
  });

  it("that permits a token, sent first by somebody else, does not stop the deposit that it is for", async () => {
    const token = MockToken__factory.connect(world.deployment.settlementToken.address, owner);
    await world.mint("USDC", owner.address, "60");
    const [, name, version] = await token.eip712Domain();
    const of = { address: await token.getAddress(), name, version };
    const value = usd("60");
    const data = permitData(world.deployment, of, {
      owner: owner.address,
      value,
      nonce: await token.nonces(owner.address),
      deadline: MaxUint256,
    });
    const { v, r, s } = Signature.from(await owner.signTypedData(data.domain, data.types, data.message));
    const vault = world.deployment.vault;
    await (await token.connect(stranger).permit(owner.address, vault, value, MaxUint256, v, r, s)).wait();
    const deposit = () => vaultAs(owner).depositWithPermit(account, of.address, value, MaxUint256, v, r, s);
    expect(await outcomeOf(deposit)).to.equal("done");
    expect(await world.ballast.cashOf(account)).to.equal(wad("1060"));
  });
});
