import { expect } from "chai";
import { AbiCoder, keccak256, toBeHex } from "ethers";

import type { DeploymentParameters } from "../../deployments/schema.js";
import {
  type AccountId,
  accountId,
  decodeCashIndices,
  decodeEpochs,
  decodeHourBudget,
  decodeSide,
} from "../../sdk/index.js";
import { auditVault } from "../../simulator/index.js";
import { type Place, place } from "../helpers/vaultStorage.js";
import { type World, createWorld } from "../helpers/world.js";

async function corrupt({ connection, deployment }: World, slot: string, change: (word: bigint) => bigint) {
  const { provider } = connection;
  const params = [deployment.vault, slot];
  const word = BigInt(String(await provider.request({ method: "eth_getStorageAt", params: [...params, "latest"] })));
  await provider.request({
    method: "hardhat_setStorageAt",
    params: [...params, toBeHex(BigInt.asUintN(256, change(word)), 32)],
  });
}

describe("simulator/audit", () => {
  let world: World;
  let account: AccountId;
  let audit: () => ReturnType<typeof auditVault>;

  beforeEach(async () => {
    world = await createWorld();
    const [trader, other] = world.signers;
    account = await world.fund(trader!, { USDC: "5000", WETH: "3" });
    const client = await world.as(trader!);
    await client.trade(account, "BTC", "0.75");
    await client.trade(account, "ETH", "-12.5");
    await (await world.as(other!)).trade(await world.fund(other!, { WBTC: "1" }), "BTC", "-0.3");
    await world.push({ BTC: "8100", ETH: "190" });
    await client.trade(account, "BTC", "-0.25");
    await client.settle(account, "ETH");
    audit = () => auditVault(world.connection.ethers.provider, world.deployment);
  });

  it("finds the books of an honest vault in order (INV-01, INV-02, INV-03)", async () => {
    const { custodyOk, zeroSumOk, findings, accounts, dustWad } = await audit();
    expect(findings).to.deep.equal([]);
    expect({ custodyOk, zeroSumOk }).to.deep.equal({ custodyOk: true, zeroSumOk: true });
    expect(accounts).to.equal(4);
    expect(dustWad >= 3n * 10n ** 18n).to.equal(true);
  });

  it("sees that an account's cash was raised", async () => {
    await corrupt(world, place.account(account).slot, (word) => word + 10n ** 12n);
    expect(await audit()).to.include({ custodyOk: false, zeroSumOk: true });
  });

  it("sees that an account's cash was lowered", async () => {
    await corrupt(world, place.account(account).slot, (word) => word - 10n ** 12n);
    expect(await audit()).to.include({ custodyOk: false, zeroSumOk: true });
  });

  it("sees that a position's shares were changed", async () => {
    await corrupt(world, place.position(account, 0).slot, (word) => word + 1n);
    expect(await audit()).to.include({ zeroSumOk: false });
  });

  it("sees that a position's cost was changed", async () => {
    await corrupt(world, place.position(account, 1).slot, (word) => word + ((10n ** 12n) << 120n));
    expect(await audit()).to.include({ custodyOk: false, zeroSumOk: true });
  });

  it("sees that an account's collateral was raised", async () => {
    const index = world.deployment.collaterals.findIndex(({ symbol }) => symbol === "WETH");
    await corrupt(world, place.collateralOf(account, index).slot, (word) => word + 1n);
    expect(await audit()).to.include({ custodyOk: false });
  });

  it("sees that tokens left the vault behind its back", async () => {
    const { address } = world.deployment.settlementToken;
    // ERC-20's first slot: balances by holder
    const balanceSlot = keccak256(
      AbiCoder.defaultAbiCoder().encode(["address", "uint256"], [world.deployment.vault, 0]),
    );
    await world.connection.provider.request({
      method: "hardhat_setStorageAt",
      params: [address, balanceSlot, toBeHex(1, 32)],
    });
    expect(await audit()).to.include({ custodyOk: false });
  });
});

/** A vault that has gone down the whole waterfall: debts with interest, both kinds of a side's index, and losses that nobody paid. */
describe("simulator/audit, after losses", () => {
  let world: World;
  let borrower: AccountId;
  let audit: () => ReturnType<typeof auditVault>;
  const BTC = 0;
  const ETH = 1;

  /** Little insurance, a pool that pays nothing, and suppliers who bear next to nothing: so bad debt is left. */
  function frail(parameters: DeploymentParameters): DeploymentParameters {
    return {
      ...parameters,
      vault: { ...parameters.vault, insuranceSeed: "100" },
      cash: { ...parameters.cash, poolLossPerHour: "0", writeOffPerHour: "0.00001" },
    };
  }

  beforeEach(async () => {
    world = await createWorld(frail);
    const [lender, ...others] = world.signers;
    borrower = await world.fund(lender!, { WETH: "20" });
    await (await world.as(lender!)).withdraw(borrower, "USDC", "1000");
    const enter = async (at: number, cash: string, market: string, size: string) => {
      const account = await world.fund(others[at]!, { USDC: cash });
      await (await world.as(others[at]!)).trade(account, market, size);
      return account;
    };
    const doomed = [await enter(0, "1000", "BTC", "1.5"), await enter(1, "1000", "ETH", "50")];
    await enter(2, "30000", "BTC", "3");
    await enter(3, "30000", "BTC", "-2");
    await enter(4, "30000", "ETH", "-20");
    await world.passTime(3_000_000);
    await world.push({ BTC: "6400", ETH: "120", LINK: "4" });
    await world.ballast.absorb(doomed, accountId(world.signers[8]!.address));
    await world.passTime(3_000_000);
    await world.refresh();
    await world.fund(lender!, { USDC: "1" }); // writes what interest has come to
    await world.passTime(3_000_000); // and this has come to some since
    audit = () => auditVault(world.connection.ethers.provider, world.deployment);
  });

  it("finds the books in order, and what there is to find", async () => {
    const { findings, custodyOk, zeroSumOk } = await audit();
    expect(findings).to.deep.equal([]);
    expect({ custodyOk, zeroSumOk }).to.deep.equal({ custodyOk: true, zeroSumOk: true });
    const { vault } = world.ballast;
    const { indices, interestUnsweptWad, badDebtWad, writeOffs } = await vault.cashView();
    const { supplyIndexE15, borrowIndexE15 } = decodeCashIndices(indices);
    expect([supplyIndexE15 < 10n ** 15n, borrowIndexE15 > 10n ** 15n]).to.deep.equal([true, true]);
    expect(decodeHourBudget(writeOffs).spentWad > 0n).to.equal(true);
    expect([interestUnsweptWad > 0n, badDebtWad > 0n]).to.deep.equal([true, true]);
    // One market with sides that have sold a part, one with a side whose epoch has ended.
    const { shortSide } = await vault.market(BTC);
    expect(decodeSide(shortSide).scaleRay).to.be.within(10n ** 26n, 10n ** 27n - 1n);
    expect(decodeEpochs((await vault.market(ETH)).epochs)).to.include({ longEpoch: 0, shortEpoch: 1 });
  });

  const words: Record<string, [Place, (word: bigint) => bigint, { custodyOk?: boolean; zeroSumOk?: boolean }]> = {
    "the supply index was raised": [place.cashIndices, (word) => word + 1n, { custodyOk: false }],
    "the supply index was lowered": [place.cashIndices, (word) => word - 1n, { custodyOk: false }],
    "the borrow index was raised": [place.cashIndices, (word) => word + ((10n ** 6n) << 72n), { custodyOk: false }],
    "the borrow index was lowered": [place.cashIndices, (word) => word - ((10n ** 6n) << 72n), { custodyOk: false }],
    "the total of supplied cash was changed": [place.cashTotals, (word) => word + 1n, { custodyOk: false }],
    "the total of debts was changed": [place.cashTotals, (word) => word + (1n << 128n), { custodyOk: false }],
    "interest was invented": [place.counts, (word) => word + ((10n ** 12n) << 128n), { custodyOk: false }],
    "bad debt was raised": [place.badDebt, (word) => word + 10n ** 12n, { custodyOk: false }],
    "bad debt was lowered": [place.badDebt, (word) => word - 10n ** 12n, { custodyOk: false }],
    "a side's scale was changed": [place.market(BTC, "shortSide"), (word) => word + 10n ** 15n, { zeroSumOk: false }],
    "a side's carry was raised": [
      place.market(BTC, "shortSide"),
      (word) => word + ((10n ** 21n) << 96n),
      { custodyOk: false, zeroSumOk: true },
    ],
    "a side's carry was lowered": [
      place.market(BTC, "longSide"),
      (word) => word - ((10n ** 21n) << 96n),
      { custodyOk: false, zeroSumOk: true },
    ],
    "a market's shares were changed": [place.market(BTC, "totals"), (word) => word + 1n, { zeroSumOk: false }],
    "an epoch ended with more size": [
      place.epochEnd(ETH, "short", 0),
      (word) => word + 10n ** 15n,
      { zeroSumOk: false },
    ],
    "an epoch ended with more to pay": [
      place.epochEnd(ETH, "short", 0),
      (word) => word + ((10n ** 21n) << 96n),
      { custodyOk: false, zeroSumOk: true },
    ],
    "an epoch ended that has not": [place.market(BTC, "epochs"), (word) => word + (1n << 16n), { zeroSumOk: false }],
  };
  for (const [what, [{ slot }, change, expected]] of Object.entries(words)) {
    it(`sees that ${what}`, async () => {
      await corrupt(world, slot, change);
      expect(await audit()).to.include(expected);
    });
  }

  it("sees that a debt was forgiven", async () => {
    await corrupt(world, place.account(borrower).slot, (word) => word & ~((1n << 120n) - 1n));
    expect(await audit()).to.include({ custodyOk: false, zeroSumOk: true });
  });
});
