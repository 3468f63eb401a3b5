import { expect } from "chai";
import fc from "fast-check";

import {
  AccountIdError,
  AddressError,
  AmountError,
  accountId,
  indexOf,
  normalizeAccount,
  ownerOf,
} from "../../sdk/index.js";

const owner = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

describe("sdk/accounts", () => {
  it("writes the owner's 20 bytes, then the index's 12, in lower case", () => {
    expect(accountId(owner)).to.equal("0x70997970c51812dc3a010c7d01b50e0d17dc79c8000000000000000000000000");
    expect(accountId(owner.toLowerCase(), 258)).to.equal(
      "0x70997970c51812dc3a010c7d01b50e0d17dc79c8000000000000000000000102",
    );
  });

  it("reads back owner and index of every account", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 96n - 1n }), (index) => {
        const account = accountId(owner, index);
        expect([ownerOf(account), indexOf(account)]).to.deep.equal([owner, index]);
        expect(normalizeAccount(account.toUpperCase().replace("0X", "0x"))).to.equal(account);
      }),
    );
  });

  it("refuses an index that 12 bytes do not hold, and an owner that is no address", () => {
    for (const index of [-1n, 2n ** 96n]) expect(() => accountId(owner, index)).to.throw(AmountError);
    for (const index of [0.5, Number.NaN, 2 ** 60]) {
      expect(() => accountId(owner, index))
        .to.throw(AmountError)
        .that.deep.includes({ value: index, problem: "number" });
    }
    for (const bad of ["", "0x12", owner.replace("C8", "c9")]) {
      expect(() => accountId(bad))
        .to.throw(AddressError)
        .that.includes({ value: bad });
    }
  });

  it("refuses what is no account", () => {
    for (const bad of ["", "0x12", owner, `0x${"g".repeat(64)}`]) {
      expect(() => normalizeAccount(bad))
        .to.throw(AccountIdError)
        .that.includes({ value: bad });
    }
  });
});
