import { expect } from "chai";

import { createWorld } from "../helpers/world.js";

describe("sdk/client", () => {
  it("follows an account through deposit, trade and withdrawal", async () => {
    const world = await createWorld();
    const [owner] = world.signers;
    if (owner === undefined) throw new TypeError("no signer");
    const account = await world.fund(owner, { USDC: "1000", WETH: "2.5" });
    const client = await world.as(owner);
    await client.trade(account, "BTC", "0.5");
    const health = await client.health(account);
    console.log(
      health,
      await client.positions(account),
      await client.collaterals(account),
      await client.state(account),
    );
    expect(health.isLiquidatable).to.equal(false);
    await client.withdraw(account, "USDC", "100");
    await client.trade(account, "BTC", "-0.5");
    console.log(await client.state(account), (await client.events(0)).map((e) => e.name).join(" "));
  });
});
