import { expect } from "chai";
import { ZeroAddress } from "ethers";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, accountId, operatorGrantData, permission } from "../../sdk/index.js";
import { MarginVault__factory, type MockWallet, MockWallet__factory } from "../../typechain-types/index.js";
import { portfolios } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad } from "../helpers/world.js";

const everything = 31n;
const noDeadline = 2n ** 64n;
const ETH = 1n;

describe("contracts/MarginVault: operators", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let operator: Signer;
  let other: Signer;
  let account: AccountId;
  let usdc: string;
  let vault: World["ballast"]["vault"];
  let asOperator: World["ballast"]["vault"];

  async function quiet() {
    return deployWorld(connection, roundFigures);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(quiet);
    [owner, operator, other] = world.signers as [Signer, Signer, Signer];
    account = await world.fund(owner, { USDC: "100000" });
    usdc = world.deployment.settlementToken.address;
    vault = MarginVault__factory.connect(world.deployment.vault, owner);
    asOperator = vault.connect(operator);
  });

  const grant = async (permissions: bigint, of = account) =>
    (await vault.setOperator(of, operator.address, permissions)).wait();

  /** An act of an operator for each permission, which only the lack of authority stops. */
  function acts(of: AccountId, by = operator): Record<keyof typeof permission, () => Promise<unknown>> {
    const as = vault.connect(by);
    const weth = world.deployment.collaterals[0]?.address ?? "";
    return {
      trade: () => as.trade(of, ETH, wad("1"), 0n, noDeadline),
      withdraw: () => as.withdraw(of, usdc, 1_000_000n, by.address),
      transfer: () => as.transfer(of, accountId(owner.address, 7), usdc, 20_000_000n),
      take: () => as.buyCollateral(of, weth, 1n, wad("1")),
      setMode: () => as.setMode(of, 1),
    };
  }

  it("INV-52: may do just what they are permitted", async () => {
    for (const [name, bit] of Object.entries(permission)) {
      for (const permissions of [bit, everything - bit]) {
        await grant(permissions);
        for (const [act, call] of Object.entries(acts(account))) {
          const allowed = (permissions & permission[act as keyof typeof permission]) !== 0n;
          const snapshot = await connection.networkHelpers.takeSnapshot();
          if (!allowed) await expectRevert(call, "NotAuthorized", { account, caller: operator.address });
          // The pool has no collateral to sell: a buyer gets as far as that.
          else if (act === "take")
            await expectRevert(call, "InsufficientBalance", {
              balance: 0n,
              asked: 1n,
              account: world.ballast.poolAccount,
              token: () => true,
            });
          else await ((await call()) as { wait(): Promise<unknown> }).wait();
          await snapshot.restore();
        }
        expect(await vault.permissionsOf(account, operator.address), name).to.equal(permissions);
      }
    }
  });

  it("INV-52: may do it with that account alone, and nobody else may", async () => {
    await grant(everything);
    const sibling = await world.fund(owner, { USDC: "1000" }, 1);
    for (const call of Object.values(acts(sibling))) {
      await expectRevert(call, "NotAuthorized", { account: sibling, caller: operator.address });
    }
    for (const call of Object.values(acts(account, other))) {
      await expectRevert(call, "NotAuthorized", { account, caller: other.address });
    }
  });

  it("take over a liquidated position with the permission to take alone", async () => {
    const target = await world.fund(other, { USDC: "1100" });
    await (await world.as(other)).trade(target, "ETH", "80");
    await world.push({ ETH: "190" });
    await grant(everything - permission.take);
    const take = () => asOperator.liquidatePosition(target, ETH, wad("1000"), account);
    await expectRevert(take, "NotAuthorized", { account, caller: operator.address });
    await grant(permission.take);
    await (await take()).wait();
    expect((await vault.position(account, ETH)).sizeWad > 0n).to.equal(true);
  });

  it("are appointed by the owner alone, not by operators", async () => {
    await grant(everything);
    await expectRevert(() => asOperator.setOperator(account, other.address, 1n), "NotAuthorized", {
      account,
      caller: operator.address,
    });
    await expectRevert(() => asOperator.setOperator(account, operator.address, 1n), "NotAuthorized", {
      account,
      caller: operator.address,
    });
  });

  it("lose what is taken back, at once", async () => {
    await grant(everything);
    await grant(0n);
    for (const call of Object.values(acts(account))) {
      await expectRevert(call, "NotAuthorized", { account, caller: operator.address });
    }
  });

  it("have only permissions that exist", async () => {
    await expectRevert(() => vault.setOperator(account, operator.address, 32n), "UnknownPermissions", {
      permissions: 32n,
      all: everything,
    });
    expect(await vault.permissionsOf(account, operator.address)).to.equal(0n);
  });

  it("are strangers where they deposit", async () => {
    await grant(everything);
    await world.mint("USDC", operator.address, "5");
    const token = world.deployment.settlementToken.address;
    await expectRevert(() => asOperator.deposit(account, token, 5_000_000n), "StrangerDeposit", {
      account,
      token,
      valueWad: wad("5"),
      minimumWad: wad("10"),
    });
  });

  it("are told, each change with what counts from then on", async () => {
    const from = (await world.ballast.provider.getBlockNumber()) + 1;
    await grant(3n);
    await grant(0n);
    const told = (await world.ballast.events(from)).map(({ name, args }) => [name, args["permissions"]]);
    expect(told).to.deep.equal([
      ["OperatorSet", 3n],
      ["OperatorSet", 0n],
    ]);
  });

  describe("by signature", () => {
    interface Change {
      readonly account?: AccountId;
      readonly operator?: string;
      readonly permissions?: bigint;
      readonly nonce?: bigint;
      readonly deadline?: bigint;
      readonly chainId?: number;
      readonly vault?: string;
    }

    /** A grant of trading, signed as `signed` says, and sent as `sent` says. */
    async function send(
      signed: Change = {},
      sent: Change = {},
      signer: { signTypedData: Signer["signTypedData"] } = owner,
    ) {
      const plain = { account, operator: operator.address, permissions: 1n, nonce: 0n, deadline: noDeadline };
      const { chainId, vault: at, ...grant } = { ...plain, ...world.deployment, ...signed };
      const { account: a, operator: o, permissions, nonce, deadline } = grant;
      const data = operatorGrantData({ chainId, vault: at }, { account: a, operator: o, permissions, nonce, deadline });
      const signature = await signer.signTypedData(data.domain, data.types, data.message);
      const s = { ...plain, ...signed, ...sent };
      return () =>
        vault.connect(other).setOperatorBySig(s.account, s.operator, s.permissions, s.nonce, s.deadline, signature);
    }

    const done = async (call: () => Promise<{ wait(): Promise<unknown> }>) => (await call()).wait();

    it("counts as if the owner had sent it, whoever does", async () => {
      const from = (await world.ballast.provider.getBlockNumber()) + 1;
      await done(await send());
      expect(await vault.permissionsOf(account, operator.address)).to.equal(1n);
      expect(await vault.nonces(owner.address)).to.equal(1n);
      await (await asOperator.trade(account, ETH, wad("1"), 0n, noDeadline)).wait();
      const told = (await world.ballast.events(from)).slice(0, 2).map(({ name, args }) => ({ name, ...args }));
      expect(told).to.deep.equal([
        { name: "NonceUsed", owner: owner.address, nonce: 0n },
        { name: "OperatorSet", account, operator: operator.address, permissions: 1n },
      ]);
    });

    it("is refused where anything in it was changed, or somebody else signed", async () => {
      const invalid = { owner: owner.address };
      const changes: Change[] = [
        { account: accountId(owner.address, 1) },
        { operator: other.address },
        { permissions: everything },
        { deadline: noDeadline + 1n },
      ];
      for (const change of changes) await expectRevert(await send({}, change), "InvalidSignature", invalid);
      await expectRevert(await send({}, {}, operator), "InvalidSignature", invalid);
      await expectRevert(await send({ chainId: 1 }), "InvalidSignature", invalid);
      await expectRevert(await send({ vault: world.deployment.pool }), "InvalidSignature", invalid);
      expect(await vault.nonces(owner.address)).to.equal(0n);
    });

    it("is refused for an account of somebody else", async () => {
      const theirs = accountId(other.address);
      await expectRevert(await send({ account: theirs }), "InvalidSignature", { owner: other.address });
    });

    it("INV-53: counts once: a grant that was taken back does not come again", async () => {
      const call = await send();
      await done(call);
      await grant(0n);
      await expectRevert(call, "WrongNonce", { owner: owner.address, nonce: 0n, expected: 1n });
      expect(await vault.permissionsOf(account, operator.address)).to.equal(0n);
    });

    it("is no error where somebody else has sent it first, as long as it stands", async () => {
      const call = await send();
      await done(call);
      await done(call);
      expect(await vault.nonces(owner.address)).to.equal(1n);
    });

    it("is refused with a nonce that is not the next", async () => {
      await expectRevert(await send({ nonce: 1n }), "WrongNonce", { owner: owner.address, nonce: 1n, expected: 0n });
    });

    it("is refused after its deadline", async () => {
      const { time } = connection.networkHelpers;
      const deadline = BigInt(await time.latest()) + 100n;
      const call = await send({ deadline });
      await time.setNextBlockTimestamp(deadline + 1n);
      await expectRevert(call, "DeadlinePassed", { deadline, blockTime: deadline + 1n });
    });

    it("INV-53: is worth nothing once its owner has revoked it, which nobody else can do", async () => {
      const call = await send();
      await (await vault.connect(other).revokeSignatures()).wait();
      expect(await vault.nonces(owner.address)).to.equal(0n);
      await (await vault.revokeSignatures()).wait();
      await expectRevert(call, "WrongNonce", { owner: owner.address, nonce: 0n, expected: 1n });
      await done(await send({ nonce: 1n }));
    });

    it("is made for the domain that the vault tells (ERC-5267)", async () => {
      const { domain } = operatorGrantData(world.deployment, {
        account,
        operator: ZeroAddress,
        permissions: 0n,
        nonce: 0n,
        deadline: 0n,
      });
      const [fields, name, version, chainId, verifyingContract, salt, extensions] = await vault.eip712Domain();
      expect({ name, version, chainId: Number(chainId), verifyingContract }).to.deep.equal(domain);
      expect([fields, BigInt(salt), [...extensions]]).to.deep.equal(["0x0f", 0n, []]);
    });

    describe("of a contract wallet", () => {
      let wallet: MockWallet;

      beforeEach(async () => {
        wallet = await new MockWallet__factory(owner).deploy(owner.address);
        account = accountId(await wallet.getAddress());
        await world.mint("USDC", owner.address, "1000");
        await (await world.as(owner)).deposit(account, "USDC", "1000");
      });

      it("counts while the wallet says so (ERC-1271)", async () => {
        const before = await portfolios(world, { account });
        await done(await send());
        expect(await vault.permissionsOf(account, operator.address)).to.equal(1n);
        expect(await portfolios(world, { account })).to.deep.equal(before);
      });

      it("is refused where the wallet does not", async () => {
        const call = await send();
        await (await wallet.setSigner(other.address)).wait();
        await expectRevert(call, "InvalidSignature", { owner: await wallet.getAddress() });
        await expectRevert(await send({}, {}, operator), "InvalidSignature", { owner: await wallet.getAddress() });
      });
    });
  });
});
