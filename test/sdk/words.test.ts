import { expect } from "chai";

import { decodeMarketRisk, decodeMarketTerms } from "../../sdk/index.js";
import { type World, createWorld, wad } from "../helpers/world.js";

describe("sdk/words", () => {
  let world: World;

  before(async () => {
    world = await createWorld();
  });

  it("decodes a market's parameters as they were given", async () => {
    for (const [id, given] of world.parameters.markets.entries()) {
      const { risk, terms } = await world.ballast.vault.market(id);
      expect(decodeMarketRisk(risk)).to.deep.equal({
        initialBaseWad: wad(given.initialBase),
        maintenanceBaseWad: wad(given.maintenanceBase),
        profitWeightWad: wad(given.profitWeight),
        lambdaInitialWad: wad(given.lambdaInitial),
        lambdaMaintenanceWad: wad(given.lambdaMaintenance),
        skewScaleWad: wad(given.skewScale),
      });
      expect(decodeMarketTerms(terms)).to.deep.equal({
        openInterestCapWad: wad(given.openInterestCap),
        minimumSizeWad: wad(given.minimumSize),
        takerRateWad: wad(given.takerRate),
        makerRateWad: wad(given.makerRate),
      });
    }
  });
});
