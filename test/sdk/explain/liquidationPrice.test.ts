import { expect } from "chai";
import fc from "fast-check";
import hre from "hardhat";

import { readState } from "../../../sdk/client/readState.js";
import type { State } from "../../../sdk/client/state.js";
import { type LiquidationTurn, liquidationMove, liquidationPrice } from "../../../sdk/explain/liquidationPrice.js";
import { type AccountId, UnknownSymbolError, accountId } from "../../../sdk/index.js";
import { ContractError } from "../../../sdk/risk/ContractError.js";
import * as MarginVault from "../../../sdk/risk/MarginVault.js";
import * as Margin from "../../../sdk/risk/libraries/Margin.js";
import * as Price from "../../../sdk/risk/types/Price.js";
import { failure } from "../../helpers/revert.js";
import { type World, deployWorld, roundFigures, wad } from "../../helpers/world.js";
import { drawnDeployment, drawnParts, stateOf } from "./drawnState.js";

const [ETH, WETH] = [0, 96];
const WAD = 10n ** 18n;

describe("sdk/explain: liquidation prices", () => {
  const accounts = drawnParts.filter(({ isPool }) => !isPool);

  it("finds, in any state, where an account turns as a market's price moves", () => {
    const found = { turns: 0, liquidatable: 0, never: 0 };
    fc.assert(
      fc.property(accounts, fc.constantFrom("market", "symbol"), (parts, moving) => {
        const { state, account } = stateOf(parts);
        const turn = liquidationPrice(state, account, "ETH", { moving });
        const at = (priceWad: bigint) => {
          const weth = (Price.value(state.prices.get(WETH)!) * priceWad) / turn.presentWad;
          const moved: [number, bigint][] =
            moving === "market"
              ? [[ETH, priceWad]]
              : [
                  [ETH, priceWad],
                  [WETH, weth],
                ];
          return isLiquidatable(withPrices(state, moved), account);
        };
        expect(turn.presentWad).to.equal(Price.value(state.prices.get(ETH)!));
        const along = moving === "market" ? turn.presentWad : Price.value(state.prices.get(WETH)!);
        const highest = along > turn.presentWad ? (Price.MAX_PRICE_WAD * turn.presentWad) / along : Price.MAX_PRICE_WAD;
        expectTurn(turn, turn.presentWad, highest, at);
        count(found, turn);
      }),
      { numRuns: 200, seed: 1 },
    );
    for (const often of Object.values(found)) expect(often).to.be.greaterThan(20);
  });

  it("finds, in any state, where an account turns as all prices move by the same factor", () => {
    const found = { turns: 0, liquidatable: 0, never: 0 };
    fc.assert(
      fc.property(accounts, (parts) => {
        const { state, account } = stateOf(parts);
        const turn = liquidationMove(state, account);
        const at = (factorWad: bigint) => {
          const moved = [...state.prices].map(
            ([asset, price]) => [asset, (Price.value(price) * factorWad) / WAD] as const,
          );
          return isLiquidatable(withPrices(state, moved), account);
        };
        const largest = [...state.prices.values()].map(Price.value).reduce((a, b) => (a > b ? a : b));
        expectTurn(turn, WAD, (Price.MAX_PRICE_WAD * WAD) / largest, at);
        count(found, turn);
      }),
      { numRuns: 200, seed: 2 },
    );
    for (const often of Object.values(found)) expect(often).to.be.greaterThan(20);
  });

  it("is where the vault draws the line: at that price, and not one wei beside it", async () => {
    const world = await deployWorld(await hre.network.create(), roundFigures);
    const [a, b] = world.signers;
    const long = await world.fund(a!, { USDC: "1000" });
    await (await world.as(a!)).trade(long, "ETH", "50");
    const short = await world.fund(b!, { USDC: "1000", WETH: "10" });
    await (await world.as(b!)).trade(short, "ETH", "-60");
    const state = await read(world, [long, short]);
    const pushed = async (account: AccountId, priceWad: bigint) => {
      const now = (await world.ballast.provider.getBlock("latest"))!.timestamp;
      await (await world.ballast.oracle.push([1, 96], [priceWad, priceWad], now)).wait();
      const { equityMaintenanceWad, requirementMaintenanceWad } = await world.ballast.vault.health(account);
      return equityMaintenanceWad < requirementMaintenanceWad;
    };
    const { below, above, presentWad } = liquidationPrice(state, long, "ETH", { moving: "symbol" });
    expect({ presentWad, above }).to.deep.equal({ presentWad: wad("200"), above: undefined });
    expect(await pushed(long, below!)).to.equal(true);
    expect(await pushed(long, below! + 1n)).to.equal(false);
    const shorts = liquidationPrice(state, short, "ETH", { moving: "symbol" });
    expect(shorts.below).to.equal(undefined);
    expect(await pushed(short, shorts.above!)).to.equal(true);
    expect(await pushed(short, shorts.above! - 1n)).to.equal(false);
  });

  it("takes funding due at that price along, at the time that it is asked for", async () => {
    const world = await deployWorld(await hre.network.create());
    const [owner] = world.signers;
    const account = await world.fund(owner!, { USDC: "1000" });
    await (await world.as(owner!)).trade(account, "ETH", "50");
    const state = await read(world, [account]);
    const later = state.block.timestamp + 7200;
    const now = liquidationPrice(state, account, "ETH");
    const { below } = liquidationPrice(state, account, "ETH", { at: later });
    expect(below! > now.below!).to.equal(true);
    const at = (priceWad: bigint) => isLiquidatable(withPrices(state, [[1, priceWad]]), account, later);
    expect([at(below!), at(below! + 1n)]).to.deep.equal([true, false]);
  });

  it("says of an account that is liquidatable at which prices it is not", async () => {
    const world = await deployWorld(await hre.network.create(), roundFigures);
    const [owner] = world.signers;
    const account = await world.fund(owner!, { USDC: "1000" });
    await (await world.as(owner!)).trade(account, "ETH", "50");
    const before = liquidationPrice(await read(world, [account]), account, "ETH");
    await world.push({ ETH: "150" });
    const { isLiquidatable: is, below, above } = liquidationPrice(await read(world, [account]), account, "ETH");
    expect({ is, below }).to.deep.equal({ is: true, below: undefined });
    expect(above).to.equal(before.below! + 1n);
  });

  it("moves nothing by the price of a market in which the account has no position", async () => {
    const [parts] = fc.sample(accounts, { numRuns: 1, seed: 4 });
    const { state } = stateOf(parts!);
    const nobody = accountId(`0x${"c".repeat(40)}`);
    const { presentWad, ...turn } = liquidationPrice(state, nobody, "ETH");
    expect(presentWad).to.equal(parts!.markets[0].priceWad);
    expect(turn).to.deep.equal({ isLiquidatable: false });
    expect(liquidationMove(state, nobody)).to.deep.equal({ isLiquidatable: false });
  });

  it("refuses a market that is not there, and the accounts of pool and insurance", async () => {
    const [parts] = fc.sample(accounts, { numRuns: 1, seed: 4 });
    const { state, account } = stateOf(parts!);
    const unknown = await failure(async () => liquidationPrice(state, account, "DOGE"));
    expect(unknown).to.be.instanceOf(UnknownSymbolError).and.include({ symbol: "DOGE" });
    for (const who of [drawnDeployment.pool, drawnDeployment.vault]) {
      const error = await failure(async () => liquidationPrice(state, accountId(who), "ETH"));
      expect(error).to.be.instanceOf(ContractError).and.include({ errorName: "NotATarget" });
      expect((error as ContractError).args).to.deep.equal({ account: accountId(who) });
    }
  });
});

const valueMask = (1n << 96n) - 1n;

function withPrices(state: State, prices: readonly (readonly [asset: number, priceWad: bigint])[]): State {
  return state.withPrices(
    prices.map(([asset, priceWad]) => {
      const price = state.prices.get(asset)!;
      return [asset, ((price & ~valueMask) | (priceWad > 1n ? priceWad : 1n)) as Price.Price];
    }),
  );
}

function isLiquidatable(state: State, account: AccountId, at?: number): boolean {
  const { $, code } = state.at(at);
  return Margin.isLiquidatable(MarginVault.health($, code, account));
}

/** The turn is one, the nearest one, and there is none where none was found. */
function expectTurn(turn: LiquidationTurn, present: bigint, highest: bigint, at: (x: bigint) => boolean): void {
  const now = turn.isLiquidatable;
  expect(at(present)).to.equal(now);
  for (const [found, end] of [
    [turn.below, 1n],
    [turn.above, highest],
  ] as const) {
    const toward = end > present ? 1n : -1n;
    if (found !== undefined) {
      expect(at(found), `at ${found}`).to.equal(!now);
      expect(at(found - toward), `beside ${found}`).to.equal(now);
    }
    const span = (found === undefined ? end : found - toward) - present;
    for (let share = 0n; share <= 16n; ++share) {
      const x = present + (span * share) / 16n;
      expect(at(x), `at ${x}, on the way to ${found ?? end}`).to.equal(now);
    }
    if (found === undefined) continue;
    for (let wei = 1n; wei <= 16n; ++wei) {
      const x = found - toward * wei;
      if ((x - present) * toward >= 0n) expect(at(x), `${wei} wei before ${found}`).to.equal(now);
    }
  }
}

function count(found: { turns: number; liquidatable: number; never: number }, turn: LiquidationTurn): void {
  if (turn.isLiquidatable) ++found.liquidatable;
  if (turn.below !== undefined || turn.above !== undefined) ++found.turns;
  else ++found.never;
}

function read({ ballast, deployment }: World, accounts: readonly AccountId[]): Promise<State> {
  return readState(ballast.provider, deployment, accounts);
}
