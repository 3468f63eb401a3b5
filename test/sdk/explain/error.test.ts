import { expect } from "chai";
import hre from "hardhat";

import { type Connection, marketParameters } from "../../../ignition/deploy.js";
import { type Call, callOf } from "../../../sdk/client/calls.js";
import { CallMaker } from "../../../sdk/client/CallMaker.js";
import { readState } from "../../../sdk/client/readState.js";
import { simulate } from "../../../sdk/client/simulate.js";
import { Args, causes } from "../../../sdk/explain/causes.js";
import { Attempt, partsOf, quantityOf } from "../../../sdk/explain/attempt.js";
import { type ErrorExplanation, explainError, ownAccounts } from "../../../sdk/explain/error.js";
import { Names } from "../../../sdk/explain/names.js";
import type { Remedy, RemedyKind } from "../../../sdk/explain/remedies.js";
import { type AccountId, accountId, permission } from "../../../sdk/index.js";
import { ContractError } from "../../../sdk/risk/ContractError.js";
import { IMarginVault__factory, MockToken__factory } from "../../../typechain-types/index.js";
import { failure } from "../../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad } from "../../helpers/world.js";

const ETH = 1;

/** A call that fails, and what there is to say of it. */
interface Scene {
  readonly title: string;
  readonly arrange: (here: Here) => Promise<{ readonly call: Call; readonly from?: string }>;
  readonly error: string;
  /** In the order in which they are offered. */
  readonly remedies: readonly RemedyKind[];
  readonly whoCan?: RegExp;
}

interface Here {
  readonly world: World;
  readonly calls: CallMaker;
  readonly owner: Signer;
  readonly other: Signer;
  /** (owner, 0), with 1,000 USDC. */
  readonly account: AccountId;
  /** (owner, 1), with 10 WETH. */
  readonly rich: AccountId;
  /** Sends a call. */
  send(signer: Signer, call: Call): Promise<void>;
}

const scenes: readonly Scene[] = [
  {
    title: "a trade beyond initial margin",
    arrange: async ({ calls, account }) => ({ call: calls.trade(account, "ETH", "200") }),
    error: "InsufficientMargin",
    remedies: ["lessAmount", "depositFirst"],
  },
  {
    title: "a withdrawal of what a position needs",
    async arrange({ calls, account, owner, send }) {
      await send(owner, calls.trade(account, "ETH", "20"));
      return { call: calls.withdraw(account, "USDC", "990") };
    },
    error: "InsufficientMargin",
    remedies: ["lessAmount", "depositFirst"],
  },
  {
    title: "one of several calls in one",
    arrange: async ({ calls, account }) => ({
      call: calls.multicall([calls.withdraw(account, "USDC", "100"), calls.trade(account, "ETH", "-200")]),
    }),
    error: "InsufficientMargin",
    remedies: ["lessAmount", "depositFirst"],
  },
  {
    title: "a trade beyond its limit",
    arrange: async ({ calls, account }) => ({ call: calls.trade(account, "ETH", "10", { limitPrice: "200" }) }),
    error: "LimitExceeded",
    remedies: ["limitPrice"],
  },
  {
    title: "a trade after its deadline",
    arrange: async ({ calls, account }) => ({ call: calls.trade(account, "ETH", "10", { deadline: 1 }) }),
    error: "DeadlinePassed",
    remedies: ["deadline"],
    whoCan: /owner, who can sign it anew/,
  },
  {
    title: "a position of dust",
    arrange: async ({ calls, account }) => ({ call: calls.trade(account, "ETH", "0.0001") }),
    error: "PositionBelowMinimum",
    remedies: ["moreAmount"],
  },
  {
    title: "a reduction that leaves dust",
    async arrange({ calls, account, owner, send }) {
      await send(owner, calls.trade(account, "ETH", "20"));
      return { call: calls.trade(account, "ETH", "-19.9999") };
    },
    error: "PositionBelowMinimum",
    remedies: ["moreAmount", "lessAmount"],
  },
  {
    title: "a stranger who trades",
    arrange: async ({ calls, account, other }) => ({ call: calls.trade(account, "ETH", "1"), from: other.address }),
    error: "NotAuthorized",
    remedies: ["asOwner"],
    whoCan: /setOperator/,
  },
  {
    title: "a trade beyond the cap of open interest",
    async arrange({ world, calls, account, owner }) {
      await world.fund(owner, { USDC: "20000000" });
      return { call: calls.trade(account, "ETH", "210000") };
    },
    error: "OpenInterestCapExceeded",
    remedies: ["lessAmount"],
    whoCan: /raise the cap/,
  },
  {
    title: "a trade beyond the pool's capital",
    async arrange({ world, calls, account, owner }) {
      await world.fund(owner, { USDC: "20000000" });
      await setEth(world, { capitalShareWad: wad("0.01") });
      return { call: calls.trade(account, "ETH", "100000") };
    },
    error: "PoolCapitalExceeded",
    remedies: ["lessAmount"],
    whoCan: /liquidity pool/,
  },
  {
    title: "an opening long after the last checkpoint",
    async arrange({ world, calls, account }) {
      await world.passTime(4000);
      await world.push({ BTC: "8000", ETH: "200", LINK: "4" });
      return { call: calls.trade(account, "ETH", "1") };
    },
    error: "CapitalCheckpointStale",
    remedies: ["refreshCapitalFirst"],
  },
  {
    title: "a debt too small",
    arrange: async ({ calls, rich }) => ({ call: calls.withdraw(rich, "USDC", "5") }),
    error: "DebtBelowMinimum",
    remedies: ["moreAmount", "depositFirst"],
  },
  {
    title: "a second position of an isolated account",
    async arrange({ calls, account, owner, send }) {
      await send(owner, calls.setMode(account, "isolated"));
      await send(owner, calls.trade(account, "ETH", "10"));
      return { call: calls.trade(account, "BTC", "0.1") };
    },
    error: "TooManyAssets",
    remedies: ["closeFirst"],
    whoCan: /another account/,
  },
  {
    title: "a mode for an account with positions",
    async arrange({ calls, account, owner, send }) {
      await send(owner, calls.trade(account, "ETH", "10"));
      await send(owner, calls.trade(account, "BTC", "-0.1"));
      return { call: calls.setMode(account, "isolated") };
    },
    error: "ModeNeedsNoPosition",
    remedies: ["closeFirst"],
  },
  {
    title: "a mode that does not exist",
    arrange: async ({ account }) => ({ call: callOf("setMode", { account, mode: 7n }) }),
    error: "UnknownMode",
    remedies: ["mode", "mode"],
  },
  {
    title: "more collateral than there is",
    arrange: async ({ calls, rich }) => ({ call: calls.withdraw(rich, "WETH", "10.5") }),
    error: "InsufficientBalance",
    remedies: ["lessAmount"],
  },
  {
    title: "more cash than the vault holds",
    arrange: async ({ calls, account }) => ({ call: calls.withdraw(account, "USDC", "20000000") }),
    error: "InsufficientCashHeld",
    remedies: ["lessAmount"],
    whoCan: /repays or deposits/,
  },
  {
    title: "a stranger's small deposit",
    async arrange({ world, calls, account, other }) {
      await world.mint("USDC", other.address, "100");
      return { call: calls.deposit(account, "USDC", "1"), from: other.address };
    },
    error: "StrangerDeposit",
    remedies: ["moreAmount"],
    whoCan: /owner can deposit/,
  },
  {
    title: "a deposit of nothing",
    async arrange({ world, calls, account, owner }) {
      await world.mint("USDC", owner.address, "100");
      return { call: calls.deposit(account, "USDC", 0n) };
    },
    error: "ZeroAmount",
    remedies: ["moreAmount"],
  },
  {
    title: "a trade of nothing",
    arrange: async ({ calls, account }) => ({ call: calls.trade(account, "ETH", 0n) }),
    error: "ZeroAmount",
    remedies: ["moreAmount"],
  },
  {
    title: "a deposit without allowance",
    async arrange({ world, calls, account, owner }) {
      await world.mint("USDC", owner.address, "100");
      return { call: calls.deposit(account, "USDC", "100") };
    },
    error: "ERC20InsufficientAllowance",
    remedies: ["approve"],
  },
  {
    title: "a deposit of more than the sender has",
    async arrange({ world, calls, account, owner }) {
      await world.mint("USDC", owner.address, "100");
      await approve(world, owner, "USDC", 2n ** 255n);
      return { call: calls.deposit(account, "USDC", "101") };
    },
    error: "ERC20InsufficientBalance",
    remedies: ["lessAmount", "getTokens"],
  },
  {
    title: "a withdrawal to nobody",
    arrange: async ({ calls, account }) => ({ call: calls.withdraw(account, "USDC", "1", `0x${"0".repeat(40)}`) }),
    error: "ERC20InvalidReceiver",
    remedies: ["receiver"],
  },
  {
    title: "a withdrawal to the vault",
    arrange: async ({ world, calls, account }) => ({
      call: calls.withdraw(account, "USDC", "1", world.deployment.vault),
    }),
    error: "TokenMovedOtherAmount",
    remedies: ["receiver"],
    whoCan: /does not support it/,
  },
  {
    title: "an amount of too many bits",
    arrange: async ({ calls, account }) => ({
      call: calls.transfer(account, accountId(`0x${"c".repeat(40)}`), "USDC", 2n ** 200n),
    }),
    error: "AmountTooLarge",
    remedies: ["lessAmount"],
  },
  {
    title: "a position that would flip in a halted market",
    async arrange({ world, calls, account, owner, send }) {
      await send(owner, calls.trade(account, "ETH", "10"));
      await (await world.ballast.vault.haltMarket(ETH)).wait();
      return { call: calls.trade(account, "ETH", "-15") };
    },
    error: "MarketHalted",
    remedies: ["lessAmount"],
    whoCan: /resume the market/,
  },
  {
    title: "an opening in a halted market",
    async arrange({ world, calls, account }) {
      await (await world.ballast.vault.haltMarket(ETH)).wait();
      return { call: calls.trade(account, "ETH", "15") };
    },
    error: "MarketHalted",
    remedies: [],
    whoCan: /resume the market/,
  },
  {
    title: "a debt while borrowing is halted",
    async arrange({ world, calls, rich, owner }) {
      await world.fund(owner, { USDC: "50" }, 1);
      await (await world.ballast.vault.haltBorrowing()).wait();
      return { call: calls.withdraw(rich, "USDC", "200") };
    },
    error: "BorrowingHalted",
    remedies: ["lessAmount", "depositFirst"],
    whoCan: /borrow again/,
  },
  {
    title: "an operator's permissions that mean nothing",
    arrange: async ({ account, other }) => ({
      call: callOf("setOperator", { account, operator: other.address.toLowerCase(), permissions: 33n }),
    }),
    error: "UnknownPermissions",
    remedies: ["permissions"],
  },
  {
    title: "a multicall in a multicall",
    arrange: async ({ calls, account }) => ({
      call: calls.multicall([calls.multicall([calls.trade(account, "ETH", "1")]), calls.refreshCapital()]),
    }),
    error: "MulticallNested",
    remedies: ["flatten"],
  },
  {
    title: "a stale price",
    async arrange({ world, calls, account }) {
      await world.passTime(100_000);
      return { call: calls.trade(account, "ETH", "1") };
    },
    error: "StaleMarketPrice",
    remedies: [],
    whoCan: /publishes that price/,
  },
  {
    title: "another market's stale price",
    async arrange({ world, calls, account, owner, send }) {
      await send(owner, calls.trade(account, "ETH", "10"));
      await world.passTime(100_000);
      await world.push({ BTC: "8000" });
      await (await world.ballast.vault.refreshCapital()).wait();
      return { call: calls.trade(account, "BTC", "0.1") };
    },
    error: "StalePrices",
    remedies: [],
    whoCan: /publishes that price/,
  },
  {
    title: "an opening in a market about to be delisted",
    async arrange({ world, calls, account }) {
      await announce(world, ETH);
      return { call: calls.trade(account, "ETH", "1") };
    },
    error: "MarketClosing",
    remedies: [],
    whoCan: /only be reduced/,
  },
  {
    title: "a delisting before its time",
    async arrange({ world, calls }) {
      await announce(world, ETH);
      return { call: calls.delist("ETH") };
    },
    error: "DelistingNotDue",
    remedies: ["wait"],
    whoCan: /announce/,
  },
  {
    title: "a trade in a market that was delisted",
    async arrange({ world, calls, account, owner, send }) {
      await send(owner, calls.trade(account, "ETH", "10"));
      await announce(world, ETH);
      await world.passTime(90_000);
      await world.refresh();
      await send(owner, calls.delist("ETH"));
      return { call: calls.trade(account, "ETH", "1") };
    },
    error: "MarketDelisted",
    remedies: ["settleInstead"],
    whoCan: /closed for good/,
  },
  {
    title: "nothing to settle",
    arrange: async ({ calls, account }) => ({ call: calls.settle(account, "ETH") }),
    error: "NoPosition",
    remedies: [],
    whoCan: /Nobody/,
  },
  {
    title: "a healthy account under liquidation",
    async arrange({ calls, account, owner, other, send }) {
      await send(owner, calls.trade(account, "ETH", "20"));
      return { call: calls.liquidatePosition(account, "ETH"), from: other.address };
    },
    error: "AccountHealthy",
    remedies: [],
    whoCan: /liquidationPrice/,
  },
  {
    title: "a liquidation that would leave too little",
    async arrange({ world, calls, account, owner, other, send }) {
      await send(owner, calls.trade(account, "ETH", "55"));
      await setEth(world, { minimumSizeWad: wad("50") });
      await world.push({ ETH: "186" });
      return { call: calls.liquidatePosition(account, "ETH", { maxSize: "10" }), from: other.address };
    },
    error: "LegRefused",
    remedies: ["wholePosition", "lessAmount", "liquidatePosition"],
    whoCan: /Nobody/,
  },
  {
    title: "a liquidation of an account that bears no discount",
    async arrange({ world, calls, account, owner, other, send }) {
      await send(owner, calls.trade(account, "ETH", "55"));
      await world.push({ ETH: "182" });
      return { call: calls.liquidatePosition(account, "ETH"), from: other.address };
    },
    error: "LegRefused",
    remedies: ["absorb"],
    whoCan: /Nobody/,
  },
  {
    title: "a liquidation to its target",
    async arrange({ world, calls, account, owner, send }) {
      await send(owner, calls.trade(account, "ETH", "55"));
      await world.push({ ETH: "186" });
      await world.fund(owner, { USDC: "5000" }, 2);
      return { call: calls.liquidatePosition(account, "ETH", { taker: account }) };
    },
    error: "RewardToTarget",
    remedies: ["taker"],
    whoCan: /other address/,
  },
  {
    title: "an absorb of what a partial liquidation serves",
    async arrange({ world, calls, account, owner, other, send }) {
      await send(owner, calls.trade(account, "ETH", "55"));
      await world.push({ ETH: "186" });
      return { call: calls.absorb([account], accountId(other.address)), from: other.address };
    },
    error: "NothingToAbsorb",
    remedies: ["liquidatePosition"],
    whoCan: /Nobody/,
  },
  {
    title: "an absorb whose reward goes to its target",
    async arrange({ world, calls, account, owner, send }) {
      await send(owner, calls.trade(account, "ETH", "70"));
      await world.push({ ETH: "186" });
      return { call: calls.absorb([account], account), from: owner.address };
    },
    error: "RewardToTarget",
    remedies: ["rewardTo"],
    whoCan: /other address/,
  },
  {
    title: "a sale of collateral of an account without debt",
    async arrange({ world, calls, account, owner, other, send }) {
      await world.fund(owner, { WETH: "0.1" });
      await send(owner, calls.trade(account, "ETH", "57"));
      await world.push({ ETH: "186" });
      return {
        call: calls.liquidateCollateral(account, "WETH", accountId(other.address)),
        from: other.address,
      };
    },
    error: "NoDebt",
    remedies: ["liquidatePosition"],
    whoCan: /Nobody/,
  },
  {
    title: "a sale of collateral that is not there",
    async arrange({ world, calls, account, owner, other, send }) {
      await send(owner, calls.trade(account, "ETH", "55"));
      await world.push({ ETH: "186" });
      return {
        call: calls.liquidateCollateral(account, "WETH", accountId(other.address)),
        from: other.address,
      };
    },
    error: "NoCollateral",
    remedies: ["liquidatePosition"],
    whoCan: /Nobody/,
  },
  {
    title: "a purchase above its limit",
    async arrange({ world, calls, rich, owner, other, send }) {
      await send(owner, calls.withdraw(rich, "USDC", "1610"));
      await world.push({ ETH: "186" });
      await send(other, calls.absorb([rich], accountId(other.address)));
      const buyer = await world.fund(other, { USDC: "2000" });
      const costWad = await world.ballast.previewBuyCollateral("WETH", "5");
      return { call: calls.buyCollateral(buyer, "WETH", "5", costWad - wad("0.1")), from: other.address };
    },
    error: "CostAboveLimit",
    remedies: ["maxCost", "lessAmount", "wait"],
  },
  {
    title: "a reduction that leaves a bankrupt",
    async arrange({ world, calls, account, owner, send }) {
      await send(owner, calls.trade(account, "ETH", "55"));
      await world.push({ ETH: "180" });
      return { call: calls.trade(account, "ETH", "-50") };
    },
    error: "ReductionBankrupts",
    remedies: ["depositFirst"],
    whoCan: /Keepers/,
  },
  {
    title: "a reduction that costs more than it frees",
    async arrange({ world, calls, account, owner, send }) {
      await send(owner, calls.trade(account, "ETH", "55"));
      await world.push({ ETH: "182.2" });
      return { call: calls.trade(account, "ETH", "-10") };
    },
    error: "ReductionLowersHealth",
    remedies: ["depositFirst"],
  },
  {
    title: "a deposit beyond the token's cap",
    async arrange({ world, calls, rich, owner }) {
      const amount = "80000000000"; // 2^96 units are the most that a cap can be
      await world.mint("WETH", owner.address, amount);
      return { call: calls.deposit(rich, "WETH", amount) };
    },
    error: "DepositCapExceeded",
    remedies: ["lessAmount"],
    whoCan: /raise the cap/,
  },
  {
    title: "a deposit of a token without a price",
    async arrange({ world, calls, rich, owner }) {
      await world.mint("WETH", owner.address, "1");
      await world.passTime(100_000);
      return { call: calls.deposit(rich, "WETH", "1") };
    },
    error: "StaleCollateralPrice",
    remedies: [],
    whoCan: /publishes that price/,
  },
  {
    title: "a stranger's deposit of what the account does not hold",
    async arrange({ world, calls, account, other }) {
      await world.mint("WETH", other.address, "1");
      return { call: calls.deposit(account, "WETH", "1"), from: other.address };
    },
    error: "StrangerDeposit",
    remedies: [],
    whoCan: /owner can deposit/,
  },
  {
    title: "no fees to sweep",
    arrange: async ({ calls, other }) => ({ call: calls.sweepFees("LINK"), from: other.address }),
    error: "ZeroAmount",
    remedies: [],
    whoCan: /trades/,
  },
  {
    title: "a pool that is solvent",
    arrange: async ({ calls, other }) => ({ call: calls.resolvePool(), from: other.address }),
    error: "PoolSolvent",
    remedies: [],
    whoCan: /Nobody/,
  },
  {
    title: "no bad debt",
    arrange: async ({ calls, other }) => ({ call: calls.cover(), from: other.address }),
    error: "NothingToCover",
    remedies: [],
    whoCan: /no bad debt/,
  },
  {
    title: "a ramp that is none",
    arrange: async ({ calls, other }) => ({ call: calls.rampMarket("ETH"), from: other.address }),
    error: "NothingToRamp",
    remedies: [],
    whoCan: /set a parameter/,
  },
  {
    title: "a liquidation of the pool",
    arrange: async ({ world, calls, other }) => ({
      call: calls.liquidatePosition(accountId(world.deployment.pool), "ETH", { taker: accountId(other.address) }),
      from: other.address,
    }),
    error: "NotATarget",
    remedies: [],
    whoCan: /resolvePool/,
  },
  {
    title: "a deposit of what its sender neither has nor has approved",
    arrange: async ({ calls, account }) => ({ call: calls.deposit(account, "USDC", "30") }),
    error: "ERC20InsufficientAllowance",
    remedies: ["getTokens"],
  },
  {
    title: "a position of dust that has no margin either",
    arrange: async ({ calls, owner }) => ({ call: calls.trade(accountId(owner.address, 2), "ETH", "0.0001") }),
    error: "PositionBelowMinimum",
    remedies: [],
    whoCan: /^No one change lets it pass/,
  },
  {
    title: "a market that is not listed",
    arrange: async ({ account }) => ({
      call: callOf("trade", { account, market: 77, sizeDeltaWad: 1n, limitPriceWad: 0n, deadline: 2n ** 40n }),
    }),
    error: "UnknownMarket",
    remedies: [],
    whoCan: /list a market/,
  },
  {
    title: "a token that is not listed",
    arrange: async ({ account }) => ({
      call: callOf("deposit", { account, token: `0x${"a".repeat(40)}`, amount: 1n }),
    }),
    error: "UnknownToken",
    remedies: [],
    whoCan: /list a token/,
  },
  {
    title: "a grant with another nonce",
    arrange: async ({ account, other }) => ({
      call: callOf("setOperatorBySig", {
        account,
        operator: other.address.toLowerCase(),
        permissions: permission.trade,
        nonce: 5n,
        deadline: 2n ** 40n,
        signature: `0x${"00".repeat(65)}`,
      }),
    }),
    error: "WrongNonce",
    remedies: [],
    whoCan: /sign it anew, with nonce 0/,
  },
  {
    title: "a grant that the owner has not signed",
    arrange: async ({ account, other }) => ({
      call: callOf("setOperatorBySig", {
        account,
        operator: other.address.toLowerCase(),
        permissions: permission.trade,
        nonce: 0n,
        deadline: 2n ** 40n,
        signature: `0x${"00".repeat(65)}`,
      }),
    }),
    error: "InvalidSignature",
    remedies: [],
    whoCan: /sign exactly this grant/,
  },
];

describe("sdk/explain: errors", () => {
  let connection: Connection;
  let here: Here;

  before(async () => {
    connection = await hre.network.create();
  });

  async function quiet(): Promise<Here> {
    const world = await deployWorld(connection, roundFigures);
    const [owner, other] = world.signers as [Signer, Signer];
    return {
      world,
      calls: new CallMaker(world.deployment),
      owner,
      other,
      account: await world.fund(owner, { USDC: "1000" }),
      rich: await world.fund(owner, { WETH: "10" }, 1),
      async send(signer, { data }) {
        const sent = await signer.sendTransaction({ to: world.deployment.vault, data, gasLimit: 10_000_000n });
        await sent.wait();
      },
    };
  }

  beforeEach(async () => {
    here = await connection.networkHelpers.loadFixture(quiet);
  });

  for (const { title, arrange, error, remedies, whoCan } of scenes) {
    it(`says what is wrong with ${title}: ${error}`, async () => {
      const { call, from } = await arrange(here);
      const explanation = await explained(here, call, from);
      expect(explanation.error.errorName).to.equal(error);
      expect(explanation.cause)
        .to.match(/^[A-Z0-9].*\.$/s)
        .and.not.match(/undefined|NaN|\[object/);
      for (const remedy of explanation.remedies) {
        expect(remedy.sentence)
          .to.match(/^[A-Z].*\.$/)
          .and.not.match(/undefined|NaN/);
        await performs(here, remedy);
      }
      expect(explanation.remedies.map(({ kind }) => kind)).to.deep.equal(remedies);
      if (whoCan === undefined) expect(explanation.remedies).not.to.deep.equal([]);
      else expect(explanation.whoCan).to.match(whoCan);
    });
  }

  it("takes a withdrawal of a token that the call does not move for one that the vault can pay", async () => {
    const { world, calls, owner, rich, account } = here;
    const call = calls.trade(rich, "ETH", "1");
    const { provider } = world.ballast;
    const attempt = new Attempt(await readState(provider, world.deployment, [], { calls: [call] }), call);
    const others = (amount: string) => calls.multicall([calls.withdraw(rich, "WETH", amount, owner.address), call]);
    expect([attempt.passes(others("1")), attempt.passes(others("10.1"))]).to.deep.equal([true, false]);
    expect(attempt.passes(calls.settle(account, "ETH"))).to.equal(false); // nothing is known of that account
  });

  it("has an entry for every error of the vault", () => {
    const missing: string[] = [];
    IMarginVault__factory.createInterface().forEachError(({ name }) => {
      if (!(name in causes)) missing.push(name);
    });
    expect(missing).to.deep.equal([]);
  });

  it("has a sentence for every error of the vault, with its arguments in it", async () => {
    const state = await readState(here.world.ballast.provider, here.world.deployment, [here.account]);
    const call = here.calls.trade(here.account, "ETH", "1");
    const attempt = new Attempt(state, call);
    IMarginVault__factory.createInterface().forEachError(({ name, inputs }) => {
      const args = Object.fromEntries(
        inputs.map(({ name: input, type }) => [
          input,
          type.startsWith("bytes")
            ? here.account
            : type === "address"
              ? here.owner.address
              : type === "string"
                ? "rule"
                : 7n,
        ]),
      );
      const error = new ContractError(name, args);
      const { cause, whoCan } = explainError(state, call, error);
      expect(cause, name).to.equal(causes[name]?.cause(new Args(error), attempt));
      expect(cause, name)
        .to.match(/^\S.{20,}\.$/s)
        .and.not.match(/undefined|NaN|\[object/);
      expect(whoCan ?? "", name).not.to.match(/undefined|NaN|\[object/);
    });
  });

  it("names figures: those of the error, and what follows from them", async () => {
    const { figures, error } = await explained(here, here.calls.trade(here.account, "ETH", "200"));
    const { equityWad, requiredWad } = error.args as Record<string, bigint>;
    expect(figures).to.deep.equal({ equityWad, requiredWad, missingWad: requiredWad! - equityWad! });
  });

  it("knows nothing of errors that are not the vault's", async () => {
    const state = await readState(here.world.ballast.provider, here.world.deployment, [here.account]);
    const error = new ContractError("Strange", { figure: 3n });
    expect(explainError(state, here.calls.trade(here.account, "ETH", "1"), error)).to.deep.equal({
      error,
      cause: "A contract has refused the call with an error that is not the vault's.",
      figures: { figure: 3n },
      remedies: [],
      whoCan: undefined,
    });
  });
});

/** What the chain says of a call in ten seconds, which is what the twin says, explained. */
async function explained({ world, owner }: Here, call: Call, from = owner.address): Promise<ErrorExplanation> {
  const { ballast, deployment, connection } = world;
  const state = await readState(ballast.provider, deployment, ownAccounts(from), { calls: [call], from });
  const at = state.block.timestamp + 10;
  const snapshot = await connection.networkHelpers.takeSnapshot();
  await connection.networkHelpers.time.setNextBlockTimestamp(at);
  const sent = { to: deployment.vault, data: call.data, gasLimit: 10_000_000n };
  const reverted = await failure(() => signerOf(world, from).sendTransaction(sent));
  await snapshot.restore();
  if (!(reverted instanceof ContractError)) throw reverted;
  const { error } = simulate(state, call, { at, from });
  expect(error?.errorName).to.equal(reverted.errorName);
  return explainError(state, call, reverted, { at, from });
}

/** The remedy goes through on the chain, and a unit less of it does not. */
async function performs({ world }: Here, remedy: Remedy): Promise<void> {
  const { connection, deployment } = world;
  const names = new Names(deployment);
  const send = async (call: Call) => {
    const snapshot = await connection.networkHelpers.takeSnapshot();
    try {
      const sender = signerOf(world, remedy.from);
      for (const { token, amount } of remedy.needs) {
        const symbol = token === deployment.settlementToken.address.toLowerCase() ? "USDC" : "WETH";
        if (remedy.kind === "depositFirst" || remedy.kind === "getTokens") {
          await world.mint(symbol, sender.address, names.amount(token, amount).split(" ")[0]!);
        }
        await approve(world, sender, symbol, amount);
      }
      await connection.networkHelpers.time.setNextBlockTimestamp(remedy.at);
      const sent = await sender.sendTransaction({ to: deployment.vault, data: call.data, gasLimit: 10_000_000n });
      return (await sent.wait())?.status === 1;
    } catch {
      return false;
    } finally {
      await snapshot.restore();
    }
  };
  expect(await send(remedy.call), remedy.sentence).to.equal(true);
  const beside = besideOf(remedy, names);
  if (beside !== undefined) expect(await send(beside), `beside: ${remedy.sentence}`).to.equal(false);
}

/** The call with one unit more, or less, than the remedy says; undefined: it is not about an amount. */
function besideOf({ kind, call }: Remedy, names: Names): Call | undefined {
  if (kind !== "lessAmount" && kind !== "moreAmount" && kind !== "depositFirst") return undefined;
  // Of a multicall the deposit is the first; what is traded is the last.
  const parts = partsOf(call);
  const part = kind === "depositFirst" ? parts[0]! : parts.find((each) => quantityOf(each.call, names) !== undefined)!;
  const quantity = quantityOf(part.call, names)!;
  const amount = quantity.amount + (kind === "lessAmount" ? 1n : -1n);
  return part.with(quantity.with(amount));
}

function signerOf({ admin, signers }: World, address: string): Signer {
  const found = [admin, ...signers].find((signer) => signer.address.toLowerCase() === address.toLowerCase());
  if (found === undefined) throw new TypeError(`no signer ${address}`);
  return found;
}

async function approve({ deployment }: World, owner: Signer, symbol: string, amount: bigint): Promise<void> {
  const { settlementToken, collaterals } = deployment;
  const { address } = [settlementToken, ...collaterals].find((token) => token.symbol === symbol)!;
  await (await MockToken__factory.connect(address, owner).approve(deployment.vault, amount)).wait();
}

/** Has a market delisted a day and some minutes from now on. */
async function announce({ ballast }: World, market: number): Promise<void> {
  const { timestamp } = (await ballast.provider.getBlock("latest"))!;
  await (await ballast.vault.announceDelisting(market, timestamp + 86_500, 0n)).wait();
}

/** Sets some parameters of ETH anew. */
async function setEth(world: World, change: Partial<ReturnType<typeof marketParameters>>): Promise<void> {
  const listed = world.parameters.markets[ETH]!;
  await (await world.ballast.vault.setMarketParameters(ETH, { ...marketParameters(listed), ...change })).wait();
}
