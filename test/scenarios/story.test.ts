import { expect } from "chai";

import { ContractError, accountId, parseDecimal } from "../../sdk/index.js";
import { auditVault } from "../../simulator/index.js";
import { createWorld } from "../helpers/world.js";

const usd = (text: string) => parseDecimal(text, 18);
const maxUint = 2n ** 256n - 1n;
/** What rounding takes, and what interest brings in a few seconds. */
const few = 10n ** 12n;

describe("a story through deposit, trade, crash and liquidation", () => {
  it("ends with a restored account, an absorbed one, a paid keeper and books in order", async () => {
    const world = await createWorld();
    const { ballast, deployment } = world;
    const [anna, ben, keeper] = world.signers;
    const pool = accountId(deployment.pool);

    // Deposit: Anna brings cash and ether, Ben cash alone.
    const annas = await world.fund(anna!, { USDC: "2000", WETH: "5" });
    const bens = await world.fund(ben!, { USDC: "1000" });
    expect((await ballast.health(annas)).equityMaintenanceWad).to.equal(usd("2900"));
    expect((await ballast.health(bens)).healthWad).to.equal(undefined);

    // Trade: both go long; the pool takes the other side.
    const annaClient = await world.as(anna!);
    const benClient = await world.as(ben!);
    await annaClient.trade(annas, "BTC", "4", { limitPrice: "8001" });
    await benClient.trade(bens, "ETH", "75");
    expect((await ballast.position(pool, "BTC")).sizeWad).to.equal(usd("-4"));
    expect((await ballast.position(pool, "ETH")).sizeWad).to.equal(usd("-75"));
    expect((await ballast.health(annas)).isLiquidatable).to.equal(false);
    expect((await ballast.health(bens)).isLiquidatable).to.equal(false);

    // A keeper that comes too early is told so.
    const keeperVault = (await world.as(keeper!)).vault;
    const early = await annaClient.vault.interface.parseError(
      await keeperVault.liquidatePosition.staticCall(annas, 0, maxUint, pool).then(
        () => "0x",
        (error: { data: string }) => error.data,
      ),
    );
    expect(early?.name).to.equal("AccountHealthy");

    // Crash: BTC loses 6%, ETH 8%. Anna falls below maintenance, Ben below zero.
    await world.push({ BTC: "7500", ETH: "184" });
    const annaBefore = await ballast.health(annas);
    const benBefore = await ballast.health(bens);
    expect(annaBefore.isLiquidatable).to.equal(true);
    expect(benBefore.equityMaintenanceWad < 0n).to.equal(true);

    // Anna cannot take her ether out now, and the refusal tells the figures.
    const refusal = await annaClient.withdraw(annas, "WETH", "1").then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refusal).to.be.instanceOf(ContractError);
    expect((refusal as ContractError).errorName).to.equal("InsufficientMargin");

    // Step 1: part of Anna's position goes to the pool, until her health is 1.1; the keeper has its share in cash.
    await (await keeperVault.liquidatePosition(annas, ballast.marketId("BTC"), maxUint, pool)).wait();
    const annaAfter = await ballast.health(annas);
    expect(annaAfter.healthWad).to.be.closeTo(usd("1.1"), 10n ** 9n);
    const annaLeft = await ballast.position(annas, "BTC");
    expect(annaLeft.sizeWad > 0n && annaLeft.sizeWad < usd("4")).to.equal(true);
    const keepers = accountId(keeper!.address);
    const firstReward = await ballast.cashOf(keepers);
    expect(firstReward > 0n).to.equal(true);

    // Steps 2 and 3: Ben is absorbed whole, closed against the other side at the price. Insurance pays what was missing at the price and tops the reward up to 2.
    const insurance = accountId(deployment.vault);
    const insuranceBefore = await ballast.cashOf(insurance);
    const absorbed = await (await keeperVault.absorb([bens], keepers)).wait();
    const events = await world.ballast.events(absorbed!.blockNumber);
    const [paid, absorption] = ["InsurancePaid", "Absorbed"].map((name) => events.find((event) => event.name === name));
    const { deficitWad, paidWad } = (paid?.args ?? {}) as { deficitWad: bigint; paidWad: bigint };
    expect(await ballast.state(bens)).to.include({ principalWad: 0n, assets: 0n });
    expect((await ballast.cashOf(keepers)) - firstReward).to.be.closeTo(usd("2"), few);
    const insurancePaid = insuranceBefore - (await ballast.cashOf(insurance));
    expect(insurancePaid).to.be.closeTo(paidWad + usd("2"), few);
    // All that was missing, and nothing of what closing him moved.
    expect(paidWad).to.be.closeTo(deficitWad, few);
    expect(absorption?.args).to.include({ deleveraged: true, returnedWad: 0n });
    expect(deficitWad).to.be.closeTo(-benBefore.equityMaintenanceWad, usd("0.1")); // some seconds of funding lie between

    // The keeper can take its reward home, and the books are in order.
    const home = firstReward / 10n ** 12n;
    await (await world.as(keeper!)).withdraw(keepers, "USDC", home);
    const { custodyOk, zeroSumOk, findings } = await auditVault(world.connection.ethers.provider, deployment);
    expect(findings).to.deep.equal([]);
    expect(custodyOk && zeroSumOk).to.equal(true);
  });
});
