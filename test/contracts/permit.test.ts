import { expect } from "chai";
import { MaxUint256, Signature } from "ethers";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, accountId, permitData } from "../../sdk/index.js";
import { MarginVault__factory, type MockToken, MockToken__factory } from "../../typechain-types/index.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad } from "../helpers/world.js";

describe("contracts/MarginVault: deposits with a permit", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let other: Signer;
  let account: AccountId;
  let token: MockToken;
  let vault: World["ballast"]["vault"];

  async function quiet() {
    return deployWorld(connection, roundFigures);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(quiet);
    [owner, other] = world.signers as [Signer, Signer];
    account = accountId(owner.address);
    token = MockToken__factory.connect(world.deployment.settlementToken.address, owner);
    vault = MarginVault__factory.connect(world.deployment.vault, owner);
    await world.mint("USDC", owner.address, "100");
  });

  async function permit(value: bigint, signer = owner, deadline = MaxUint256) {
    const [, name, version] = await token.eip712Domain();
    const nonce = await token.nonces(owner.address);
    const of = { address: await token.getAddress(), name, version };
    const data = permitData(world.deployment, of, { owner: owner.address, value, nonce, deadline });
    return Signature.from(await signer.signTypedData(data.domain, data.types, data.message));
  }

  const deposit = (amount: bigint, { v, r, s }: Signature, to = account, as = owner, deadline = MaxUint256) =>
    vault.connect(as).depositWithPermit(to, token.getAddress(), amount, deadline, v, r, s);

  it("needs no approval before it", async () => {
    await (await deposit(60_000_000n, await permit(60_000_000n))).wait();
    expect(await vault.cash(account)).to.equal(wad("60"));
    expect(await token.allowance(owner.address, vault)).to.equal(0n);
    expect(await token.balanceOf(owner.address)).to.equal(40_000_000n);
  });

  it("goes through where somebody else has sent the permit first", async () => {
    const signed = await permit(60_000_000n);
    await (
      await token.connect(other).permit(owner.address, vault, 60_000_000n, MaxUint256, signed.v, signed.r, signed.s)
    ).wait();
    await (await deposit(60_000_000n, signed)).wait();
    expect(await vault.cash(account)).to.equal(wad("60"));
  });

  it("takes tokens of the caller alone, whoever has signed", async () => {
    const signed = await permit(60_000_000n);
    await expectRevert(
      () => deposit(60_000_000n, signed, accountId(other.address), other),
      "ERC20InsufficientAllowance",
      {
        spender: world.deployment.vault,
        allowance: 0n,
        needed: 60_000_000n,
      },
    );
    expect(await token.balanceOf(owner.address)).to.equal(100_000_000n);
  });

  it("says what is missing where the permit is not good: signed by another, for less, too late", async () => {
    const missing = (allowance: bigint) => ({ spender: world.deployment.vault, allowance, needed: 60_000_000n });
    const none = "ERC20InsufficientAllowance";
    const byOther = await permit(60_000_000n, other);
    await expectRevert(() => deposit(60_000_000n, byOther), none, missing(0n));
    const less = await permit(59_999_999n);
    await expectRevert(() => deposit(60_000_000n, less), none, missing(0n));
    const late = await permit(60_000_000n, owner, 1n);
    await expectRevert(() => deposit(60_000_000n, late, account, owner, 1n), none, missing(0n));
    expect(await vault.cash(account)).to.equal(0n);
  });

  it("keeps to all that holds for a deposit", async () => {
    const signed = await permit(60_000_000n);
    const unknown = await (await new MockToken__factory(owner).deploy("New", "NEW", 18)).getAddress();
    await expectRevert(
      () => vault.depositWithPermit(account, unknown, 1n, MaxUint256, signed.v, signed.r, signed.s),
      "UnknownToken",
      { token: unknown },
    );
    await expectRevert(() => deposit(0n, signed), "ZeroAmount");
    await expectRevert(() => deposit(60_000_000n, signed, world.ballast.poolAccount), "StrangerDeposit", {
      account: world.ballast.poolAccount,
      token: world.deployment.settlementToken.address,
      valueWad: wad("60"),
      minimumWad: wad("10"),
    });
  });
});
