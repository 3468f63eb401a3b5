import { expect } from "chai";
import hre from "hardhat";

import { type Connection, marketParameters } from "../../ignition/deploy.js";
import { type AccountId, accountId, decodeMarketState, hasFlag } from "../../sdk/index.js";
import { MarginVault__factory } from "../../typechain-types/index.js";
import { audit } from "../helpers/audit.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad, withoutInterest } from "../helpers/world.js";

const noDeadline = 2n ** 64n;
const ETH = 1n;

describe("contracts/MarginVault: halts", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let other: Signer;
  let account: AccountId;
  let usdc: string;
  let weth: string;
  let vault: World["ballast"]["vault"];

  async function quiet() {
    return deployWorld(connection, roundFigures);
  }

  async function still() {
    return deployWorld(connection, (parameters) => withoutInterest(roundFigures(parameters)));
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(quiet);
    [owner, other] = world.signers as [Signer, Signer];
    account = await world.fund(owner, { USDC: "10000", WETH: "100" });
    usdc = world.deployment.settlementToken.address;
    weth = world.deployment.collaterals[0]?.address ?? "";
    vault = MarginVault__factory.connect(world.deployment.vault, owner);
  });

  const trade = async (size: string, as = vault, of = account) =>
    (await as.trade(of, ETH, wad(size), 0n, noDeadline)).wait();
  const size = async (of = account) => (await vault.position(of, ETH)).sizeWad;
  const haltAll = async () => {
    for (const { symbol } of world.deployment.markets) {
      await (await world.ballast.vault.haltMarket(world.ballast.marketId(symbol))).wait();
    }
    await (await world.ballast.vault.haltBorrowing()).wait();
  };

  it("of a market stop its positions from growing, and are told in its state", async () => {
    await trade("10");
    await (await world.ballast.vault.haltMarket(ETH)).wait();
    expect(hasFlag(decodeMarketState((await vault.market(ETH)).state), "halted")).to.equal(true);
    for (const growing of ["1", "-21"]) {
      await expectRevert(() => vault.trade(account, ETH, wad(growing), 0n, noDeadline), "MarketHalted", {
        market: ETH,
      });
    }
    await (await vault.trade(account, 0n, wad("0.1"), 0n, noDeadline)).wait();
    await (await world.ballast.vault.resumeMarket(ETH)).wait();
    expect(hasFlag(decodeMarketState((await vault.market(ETH)).state), "halted")).to.equal(false);
    await trade("1");
    await audit(world);
  });

  it("survive a change of the market's parameters", async () => {
    await (await world.ballast.vault.haltMarket(ETH)).wait();
    const parameters = world.parameters.markets[Number(ETH)];
    if (parameters === undefined) throw new TypeError("ETH");
    await (await world.ballast.vault.setMarketParameters(ETH, marketParameters(parameters))).wait();
    await expectRevert(() => trade("1"), "MarketHalted", { market: ETH });
  });

  it("of borrowing stop withdrawals and transfers that leave a debt, and no others", async () => {
    await (await world.ballast.vault.haltBorrowing()).wait();
    expect(await vault.borrowingHalted()).to.equal(true);
    const debt = { account, debtWad: wad("1000") };
    await expectRevert(() => vault.withdraw(account, usdc, 11_000_000_000n, owner.address), "BorrowingHalted", debt);
    await expectRevert(
      () => vault.transfer(account, accountId(owner.address, 1), usdc, 11_000_000_000n),
      "BorrowingHalted",
      debt,
    );
    await (await vault.withdraw(account, usdc, 10_000_000_000n, owner.address)).wait();
    await (await vault.withdraw(account, weth, wad("1"), owner.address)).wait();
    await (await world.ballast.vault.resumeBorrowing()).wait();
    await (await vault.withdraw(account, usdc, 1_000_000_000n, owner.address)).wait();
    expect((await vault.cash(account)) <= -wad("1000")).to.equal(true);
  });

  describe("of borrowing stop a purchase of collateral on credit, and none that the buyer pays for with its own", () => {
    let target: AccountId;
    let payer: AccountId;
    let borrower: AccountId;
    let asOther: typeof vault;

    beforeEach(async () => {
      world = await connection.networkHelpers.loadFixture(still);
      [owner, other] = world.signers as [Signer, Signer];
      weth = world.deployment.collaterals[0]?.address ?? "";
      vault = MarginVault__factory.connect(world.deployment.vault, owner);
      asOther = vault.connect(other);
      target = await world.fund(owner, { WETH: "10" });
      payer = await world.fund(other, { USDC: "20000" });
      borrower = await world.fund(other, { WBTC: "1" }, 1);
      await (await world.as(owner)).withdraw(target, "USDC", "1600");
    });

    it("of the pool's", async () => {
      await world.push({ ETH: "166" });
      await (await asOther.absorb([target], accountId(other.address, 9))).wait();
      // Its discount rises no more.
      await world.passTime(3600);
      await world.refresh();
      await (await world.ballast.vault.haltBorrowing()).wait();
      const costWad = await vault.previewBuyCollateral(weth, wad("4"));
      expect(costWad > wad("600"), String(costWad)).to.equal(true);
      const purchase = (buyer: AccountId) => asOther.buyCollateral(buyer, weth, wad("4"), wad("1000"));
      await expectRevert(() => purchase(borrower), "BorrowingHalted", { account: borrower, debtWad: costWad });
      await (await purchase(payer)).wait();
      expect(await vault.cash(payer)).to.equal(wad("20000") - costWad);
      await (await world.ballast.vault.resumeBorrowing()).wait();
      await (await purchase(borrower)).wait();
      expect(await vault.cash(borrower)).to.equal(-costWad);
      // Who is in debt already pays with what is borrowed.
      await (await world.ballast.vault.haltBorrowing()).wait();
      await expectRevert(() => asOther.buyCollateral(borrower, weth, 1n, wad("1")), "BorrowingHalted", {
        account: borrower,
        debtWad: costWad + (await vault.previewBuyCollateral(weth, 1n)),
      });
      await audit(world);
    });

    it("of an account under liquidation", async () => {
      await world.push({ ETH: "186" });
      await (await world.ballast.vault.haltBorrowing()).wait();
      const purchase = (taker: AccountId) => asOther.liquidateCollateral(target, weth, wad("0.2"), taker);
      const start = await connection.networkHelpers.takeSnapshot();
      await (await purchase(payer)).wait();
      const costWad = wad("20000") - (await vault.cash(payer));
      expect(costWad > wad("30"), String(costWad)).to.equal(true);
      expect(await vault.collateral(payer, weth)).to.equal(wad("0.2"));
      await audit(world);
      await start.restore();
      await expectRevert(() => purchase(borrower), "BorrowingHalted", { account: borrower, debtWad: costWad });
    });
  });

  it("of everything leave every way out: close, flip down, repay, withdraw what is free, settle (INV-14)", async () => {
    await trade("100");
    await (await vault.withdraw(account, usdc, 12_000_000_000n, owner.address)).wait();
    await world.push({ ETH: "195" });
    await haltAll();
    await (await vault.settle(account, ETH)).wait();
    await trade("-40");
    await world.mint("USDC", owner.address, "20000");
    await (await world.as(owner)).deposit(account, "USDC", "20000");
    await trade("-60");
    expect(await size()).to.equal(0n);
    await (await vault.withdraw(account, weth, wad("100"), owner.address)).wait();
    const cash = await vault.cash(account);
    await (await vault.withdraw(account, usdc, cash / 10n ** 12n, owner.address)).wait();
    expect((await vault.cash(account)) < 10n ** 12n).to.equal(true);
    await audit(world);
  });

  it("of everything shield nobody: liquidation by the pool, by a taker, and absorb go on (INV-14)", async () => {
    const taker = await world.fund(other, { USDC: "100000" });
    const targets: AccountId[] = [];
    for (const index of [1, 2, 3]) {
      const target = await world.fund(owner, { USDC: "1100" }, index);
      await trade("80", vault, target);
      targets.push(target);
    }
    await world.push({ ETH: "191" });
    await haltAll();
    const [byPool, byTaker, absorbed] = targets as [AccountId, AccountId, AccountId];
    const keeper = vault.connect(other);
    await (await keeper.liquidatePosition(byPool, ETH, wad("1000"), world.ballast.poolAccount)).wait();
    expect((await size(byPool)) < wad("80")).to.equal(true);
    await (await keeper.liquidatePosition(byTaker, ETH, wad("1000"), taker)).wait();
    expect((await size(taker)) > 0n).to.equal(true);
    await world.push({ ETH: "187" });
    await (await keeper.absorb([absorbed], taker)).wait();
    expect(await size(absorbed)).to.equal(0n);
    await audit(world);
  });
});
