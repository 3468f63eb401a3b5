import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { accountId } from "../../sdk/index.js";
import { type FillTerms, quote } from "../helpers/model.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad, withoutInterest } from "../helpers/world.js";

const terms: FillTerms = { price: wad("200"), skewScale: wad("8000000"), taker: 0n, maker: 0n };

describe("I04: whoever can push the price on another venue trades here before and after it", () => {
  let connection: Connection;
  let world: World;
  let attacker: Signer;
  let other: Signer;

  async function quiet() {
    return deployWorld(connection, (parameters) => withoutInterest(roundFigures(parameters)));
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(quiet);
    [attacker, other] = world.signers as [Signer, Signer];
  });

  for (const [side, pushed, direction] of [
    ["long", "200.2", 1n],
    ["short", "199.8", -1n],
  ] as const) {
    for (const size of ["1", "10000", "150000"]) {
      for (const pieces of [1n, 3n]) {
        it(`gains nothing ${side} by ${size} in ${pieces} pieces when the price moves by the tolerance`, async () => {
          const account = await world.fund(attacker, { USDC: "20000000" });
          const trader = await world.as(attacker);
          const before = await world.ballast.cashOf(account);
          const piece = (direction * wad(size)) / pieces;
          for (let i = 0n; i < pieces; i += 1n) await trader.trade(account, "ETH", piece);
          await world.push({ ETH: pushed });
          for (let i = 0n; i < pieces; i += 1n) await trader.trade(account, "ETH", -piece);
          expect((await world.ballast.positions(account)).length).to.equal(0);
          const gained = (await world.ballast.cashOf(account)) - before;
          expect(gained <= 0n, `gained ${gained}`).to.equal(true);
        });
      }
    }
  }

  it("pays its own impact when it opens more than the depth, however it is cut up", async () => {
    const account = await world.fund(attacker, { USDC: "20000000" });
    const trader = await world.as(attacker);
    for (const size of ["60000", "60000"]) await trader.trade(account, "ETH", size);
    const [position] = await world.ballast.positions(account);
    const impact = quote(terms, 0n, wad("120000")) - wad("24000000");
    expect(impact).to.equal(wad("180000")); // 0.75%
    expect(position!.costWad - wad("24000000") >= impact, String(position!.costWad)).to.equal(true);
  });

  it("opens no more than the cap, whichever accounts it uses", async () => {
    const first = await world.fund(attacker, { USDC: "10000000" });
    const second = await world.fund(other, { USDC: "10000000" });
    await (await world.as(attacker)).trade(first, "ETH", "120000");
    const trade = async () => (await world.as(other)).trade(second, "ETH", "80001");
    await expectRevert(trade, "OpenInterestCapExceeded", {
      market: 1n,
      openInterestWad: wad("200001"),
      capWad: wad("200000"),
    });
    expect(await world.ballast.positions(accountId(other.address))).to.deep.equal([]);
  });
});
