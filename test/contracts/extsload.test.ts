import { expect } from "chai";

import { accountId, permission, place } from "../../sdk/index.js";
import { createWorld } from "../helpers/world.js";

describe("contracts/MarginVault: extsload", () => {
  it("tells words as they stand in storage, in the order asked for", async () => {
    const world = await createWorld();
    const [owner, operator] = world.signers;
    if (owner === undefined || operator === undefined) throw new TypeError("two signers are needed");
    const account = await world.fund(owner, { USDC: "1000" });
    const { vault } = await world.as(owner);
    await (await vault.setOperator(account, operator.address, permission.trade | permission.take)).wait();
    await (await vault.revokeSignatures()).wait();
    await (await world.ballast.vault.haltBorrowing()).wait();
    const asked = [
      place.borrowingHalted,
      place.account(account),
      place.permissionsOf(account, operator.address),
      place.nonce(owner.address),
      place.market(1, "risk"),
      place.account(accountId(operator.address)),
    ].map(({ slot }) => slot);

    const words = await vault.extsload(asked);

    const { risk } = await vault.market(1);
    const expected = [1n, await vault.accountWord(account), permission.trade | permission.take, 1n, risk, 0n];
    expect(words.map(BigInt)).to.deep.equal(expected);
    const { provider } = world.connection.ethers;
    const stored = await Promise.all(asked.map((slot) => provider.getStorage(world.deployment.vault, slot)));
    expect(words).to.deep.equal(stored);
    expect(await vault.extsload([])).to.deep.equal([]);
  });
});
