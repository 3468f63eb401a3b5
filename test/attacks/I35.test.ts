import { expect } from "chai";
import hre from "hardhat";

import { type Connection, collateralParameters } from "../../ignition/deploy.js";
import { type AccountId, accountId } from "../../sdk/index.js";
import {
  type MarginVault,
  MarginVault__factory,
  type MockHostileToken,
  MockToken__factory,
} from "../../typechain-types/index.js";
import {
  conductsOfTokens,
  deployHostileToken,
  deployPuppet,
  callsOf,
  everything,
  largest,
  outcomeOf,
} from "../helpers/attack.js";
import { audit } from "../helpers/audit.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad, withoutInterest } from "../helpers/world.js";

/** The asset of the third collateral. */
const asset = 98;

describe("I35: tokens that are not what they seem", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let other: Signer;
  let vault: MarginVault;
  let account: AccountId;
  let token: MockHostileToken;
  let address: string;

  async function quiet() {
    const deployed = await deployWorld(connection, (parameters) => withoutInterest(roundFigures(parameters)));
    await (await deployed.ballast.oracle.setPushFeed(asset, wad("0.001"), 864_000)).wait();
    const { timestamp } = (await deployed.ballast.provider.getBlock("latest"))!;
    await (await deployed.ballast.oracle.push([asset], [wad("100")], timestamp)).wait();
    const found = await deployHostileToken(connection, 18);
    await (await deployed.ballast.vault.listCollateral(await found.getAddress(), terms(deployed))).wait();
    return { deployed, found };
  }

  const terms = ({ parameters }: World) => collateralParameters(parameters.collaterals[0]!);

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    const { deployed, found } = await connection.networkHelpers.loadFixture(quiet);
    [world, token] = [deployed, found];
    address = await token.getAddress();
    [owner, other] = world.signers as [Signer, Signer];
    vault = MarginVault__factory.connect(world.deployment.vault, owner);
    account = accountId(owner.address);
    for (const signer of [owner, other]) {
      await (await token.mint(signer.address, wad("100"))).wait();
      await (await token.connect(signer).approve(world.deployment.vault, largest)).wait();
    }
    // Of somebody else, so that there is something to steal.
    await (await vault.connect(other).deposit(accountId(other.address), address, wad("50"))).wait();
  });

  const behave = async (conduct: keyof typeof conductsOfTokens, bombSize = 0n) =>
    (await token.setConduct(conductsOfTokens[conduct], bombSize)).wait();
  const gas = { gasLimit: 3_000_000n };
  const deposit = (amount = wad("10")) => outcomeOf(() => vault.deposit(account, address, amount, gas));
  const withdraw = (amount = wad("10"), to = owner.address) =>
    outcomeOf(() => vault.withdraw(account, address, amount, to, gas));
  const booked = async () => vault.collateral(account, address);

  describe("are refused when they are listed:", () => {
    const listed = async (candidate: string) =>
      outcomeOf(() => world.ballast.vault.listCollateral(candidate, terms(world), gas));

    beforeEach(async () => {
      await (await world.ballast.oracle.setPushFeed(asset + 1, wad("0.001"), 864_000)).wait();
      const { timestamp } = (await world.ballast.provider.getBlock("latest"))!;
      await (await world.ballast.oracle.push([asset + 1], [wad("100")], timestamp)).wait();
    });

    for (const [what, decimals, error] of [
      ["of 27 decimals", 27, "TooManyDecimals"],
      ["of 19 decimals", 19, "TooManyDecimals"],
      ["of 255 decimals", 255, "TooManyDecimals"],
      ["whose decimals cannot be read", 256, "NoDecimals"],
    ] as const) {
      it(`one ${what}`, async () => {
        const candidate = await (await deployHostileToken(connection, decimals)).getAddress();
        expect(await listed(candidate)).to.equal(error);
      });
    }

    it("one that is no contract, or no token, or listed already, or the settlement token", async () => {
      expect(await listed(owner.address)).to.equal("reverted");
      expect(await listed(world.deployment.oracle)).to.equal("reverted");
      expect(await listed(address)).to.equal("AlreadyListed");
      expect(await listed(world.deployment.settlementToken.address)).to.equal("AlreadyListed");
    });
  });

  describe("never credit more than came, nor leave with more than was asked:", () => {
    /** What a deposit, and then a withdrawal of what was deposited before, must come to. */
    const table: readonly (readonly [keyof typeof conductsOfTokens, string, string])[] = [
      ["behaves", "done", "done"],
      ["returnsNothing", "done", "done"],
      ["returnsBomb", "done", "done"],
      ["revertsOnZero", "done", "done"],
      ["revertsOnSecondApproval", "done", "done"],
      ["revertsAboveUint96", "done", "done"],
      ["movesAllForLargest", "done", "done"],
      ["returnsFalse", "SafeERC20FailedOperation", "SafeERC20FailedOperation"],
      ["movesAndReturnsFalse", "SafeERC20FailedOperation", "SafeERC20FailedOperation"],
      ["returnsTwo", "SafeERC20FailedOperation", "SafeERC20FailedOperation"],
      ["movesNothing", "TokenMovedOtherAmount", "TokenMovedOtherAmount"],
      ["keepsFee", "TokenMovedOtherAmount", "done"],
      ["takesFeeOnTop", "done", "TokenMovedOtherAmount"],
      ["movesOneLess", "TokenMovedOtherAmount", "done"],
      ["movesOneMore", "TokenMovedOtherAmount", "done"],
      ["tellsConstantBalance", "TokenMovedOtherAmount", "TokenMovedOtherAmount"],
      ["tellsTwiceTheBalance", "TokenMovedOtherAmount", "TokenMovedOtherAmount"],
      ["hidesBalance", "NotNow", "NotNow"],
      ["paused", "NotNow", "NotNow"],
      ["revertsWithBomb", "reverted", "reverted"],
      ["burnsAllGas", "reverted", "reverted"],
    ];

    for (const [conduct, deposited, withdrawn] of table) {
      it(`one that ${conduct}: a deposit is ${deposited}, a withdrawal ${withdrawn}`, async () => {
        expect(await deposit(), "a deposit while it behaves").to.equal("done");
        await behave(conduct, 50_000n);
        const told = await deposit();
        const credited = (await booked()) - wad("10");
        expect(credited, "credited").to.equal(told === "done" ? wad("10") : 0n);
        await behave("behaves");
        const held = await token.balanceOf(world.deployment.vault);
        expect(held >= wad("60") + credited, `${held} held for ${wad("60") + credited} booked`).to.equal(true);
        expect(told).to.equal(deposited);
        await behave(conduct, 50_000n);
        expect(await withdraw()).to.equal(withdrawn);
        await behave("behaves");
        const left = await token.balanceOf(world.deployment.vault);
        expect(left >= wad("50") + (await booked()), `${left} left`).to.equal(true);
        // Nobody else has lost anything.
        await (await vault.connect(other).withdraw(accountId(other.address), address, wad("50"), other.address)).wait();
        await audit(world);
      });
    }

    it("one asked for the largest number: no amount has more than 128 bits", async () => {
      await behave("movesAllForLargest");
      const amount = largest;
      await expectRevert(() => vault.deposit(account, address, amount), "AmountTooLarge", { amount });
      expect(await booked()).to.equal(0n);
    });

    it("one that pays interest by growing balances: nobody is credited with it", async () => {
      await deposit();
      await (await token.setScale(wad("2"))).wait();
      expect(await booked()).to.equal(wad("10"));
      expect(await withdraw(wad("10") + 1n)).to.equal("InsufficientBalance");
      expect(await withdraw()).to.equal("done");
      await audit(world);
    });

    it("one whose balances shrink: who is there is paid while there are tokens, and no other token is touched", async () => {
      await deposit();
      await (await token.setScale(wad("0.5"))).wait();
      expect(await booked()).to.equal(wad("10"));
      expect(await withdraw()).to.equal("done");
      const rest = () =>
        vault.connect(other).withdraw(accountId(other.address), address, wad("50"), other.address, gas);
      expect(await outcomeOf(rest)).to.equal("Insufficient");
      await audit(world);
    });

    it("one that tells other decimals later: what was listed counts", async () => {
      await deposit();
      const before = await world.ballast.health(account);
      await (await token.setDecimals(6)).wait();
      expect(await world.ballast.health(account)).to.deep.equal(before);
    });

    it("one that calls back: nothing happens within its move", async () => {
      const puppet = await deployPuppet(world);
      await (await token.mint(puppet.address, wad("20"))).wait();
      const approve = MockToken__factory.createInterface().encodeFunctionData("approve", [
        world.deployment.vault,
        largest,
      ]);
      await puppet.act({ target: address, data: approve });
      await (await token.setPuppet(puppet.address, true)).wait();
      const again = callsOf(world).vault("deposit", [puppet.account, address, wad("10")]);
      await (await puppet.contract.plan([again])).wait();
      await puppet.act(again);
      expect((await puppet.contract.outcomes()).map(({ went }) => went)).to.deep.equal([false]);
      expect(await vault.collateral(puppet.account, address)).to.equal(wad("10"));
    });
  });

  describe("block an owner, and his account is liquidated as any other", () => {
    let debtor: AccountId;
    let taker: AccountId;

    beforeEach(async () => {
      await (await vault.deposit(account, address, wad("50"))).wait();
      await (await world.as(owner)).withdraw(account, "USDC", "4000");
      debtor = account;
      taker = await world.fund(other, { USDC: "20000" }, 1);
      await (await token.setBlocked(owner.address, true)).wait();
      await push("92");
    });

    const push = async (price: string) => {
      const { timestamp } = (await world.ballast.provider.getBlock("latest"))!;
      await (await world.ballast.oracle.push([asset], [wad(price)], timestamp)).wait();
    };
    const asOther = () => vault.connect(other);

    it("by the sale of its collateral", async () => {
      expect(await outcomeOf(() => asOther().liquidateCollateral(debtor, address, everything, taker))).to.equal("done");
      expect((await vault.collateral(taker, address)) > 0n).to.equal(true);
      await audit(world);
    });

    it("by an absorb, and what the pool has of it is sold", async () => {
      await push("88");
      expect(await outcomeOf(() => asOther().absorb([debtor], taker))).to.equal("done");
      expect(await vault.collateral(debtor, address)).to.equal(0n);
      expect(await outcomeOf(() => asOther().buyCollateral(taker, address, wad("50"), wad("100000")))).to.equal("done");
      await audit(world);
    });

    it("and only his own withdrawal to himself is refused", async () => {
      await push("200");
      expect(await withdraw(wad("1"))).to.equal("Blocked");
      expect(await withdraw(wad("1"), other.address)).to.equal("done");
      await audit(world);
    });

    it("also where the vault itself is blocked: nothing moves in or out, and nothing needs to", async () => {
      await (await token.setBlocked(world.deployment.vault, true)).wait();
      expect(await withdraw(wad("1"), other.address)).not.to.equal("done");
      expect(await outcomeOf(() => asOther().liquidateCollateral(debtor, address, everything, taker))).to.equal("done");
      await audit(world);
    });
  });
});
