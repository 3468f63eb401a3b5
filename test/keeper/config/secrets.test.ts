import { expect } from "chai";
import { Wallet } from "ethers";

import { KeeperConfigError, parseConfig, readKeeperKeys, withoutSecrets } from "../../../keeper/config/index.js";

const parse = (file: unknown, env = {}) => parseConfig(JSON.stringify(file), "/folder", env);
const key = (digit: string) => `0x${digit.repeat(64)}`;

function refusal(read: () => unknown): KeeperConfigError {
  try {
    read();
  } catch (error) {
    if (error instanceof KeeperConfigError) return error;
    throw error;
  }
  throw new TypeError("nothing was refused");
}

describe("keeper/config: secrets", () => {
  it("puts what the environment has in place of a name in an address", () => {
    const { rpc } = parse(
      { rpc: [{ url: "https://${NODE_HOST}/v2/${NODE_KEY}" }] },
      { NODE_HOST: "a.example", NODE_KEY: "k" },
    );
    expect(rpc).to.deep.equal([{ url: "https://a.example/v2/k" }]);
  });

  it("refuses a name that the environment does not have, or has empty", () => {
    for (const env of [{}, { NODE_KEY: "" }]) {
      const { message } = refusal(() => parse({ rpc: [{ url: "https://a.example/${NODE_KEY}" }] }, env));
      expect(message).to.equal("rpc[0].url holds ${NODE_KEY}, which the environment does not have: set NODE_KEY");
    }
  });

  it("refuses a name anywhere else", () => {
    const { message } = refusal(() => parse({ state: "/var/${HOME}/keeper.sqlite" }, { HOME: "h" }));
    expect(message).to.equal("state must be written out: only addresses of nodes and of the webhook may hold ${NAME}");
  });

  it("refuses what the environment makes no address of, and does not show it", () => {
    const { key: at, message } = refusal(() => parse({ rpc: [{ url: "${NODE}" }] }, { NODE: "s3cret" }));
    expect(at).to.equal("rpc[0].url");
    expect(message)
      .to.match(/must be an http or https address/)
      .and.not.include("s3cret");
  });

  const written: [what: string, file: object, at: string][] = [
    ["a key that is named like one", { privateKey: "x" }, "privateKey"],
    ["keys", { policy: { keys: [] } }, "policy.keys"],
    ["a mnemonic", { mnemonic: "x" }, "mnemonic"],
    ["a private key under another name", { state: "5".repeat(64) }, "state"],
    ["words of a wallet", { state: `${"test ".repeat(11)}junk` }, "state"],
    [
      "a key of a node's in its path",
      { rpc: [{ url: "https://a.example/v3/0123456789abcdef0123456789abcdef" }] },
      "rpc[0].url",
    ],
    ["one in its query", { rpc: [{ url: "http://a", ws: "wss://a.example/?k=0123456789abcdefghij" }] }, "rpc[0].ws"],
    ["a password", { rpc: [{ url: "https://me:s3cret@a.example" }] }, "rpc[0].url"],
    [
      "a webhook's token",
      { marginCalls: { webhook: "https://hooks.example/T0/B01234567/abcdEFGH0123abcdEFGH" } },
      "marginCalls.webhook",
    ],
  ];
  for (const [what, file, at] of written) {
    it(`refuses ${what} in the file, and does not show it`, () => {
      const error = refusal(() => parse(file));
      expect(error.key).to.equal(at);
      expect(error.message)
        .to.match(/secrets come from the environment only/)
        .and.not.match(/s3cret|0123|5555|junk/);
    });
  }

  it("takes an address for what it is where nothing in it looks like a key", () => {
    const rpc = [{ url: "https://mainnet.a-rather-long-name-of-a-node-99.example/path/to/the-public-endpoint" }];
    expect(parse({ rpc }).rpc).to.deep.equal(rpc);
  });

  it("prints of an address its host alone", () => {
    expect(withoutSecrets("https://me:s3cret@a.example:8545/v2/key?k=1")).to.equal("https://a.example:8545");
  });

  describe("the signers' keys", () => {
    it("are Hardhat's key 9 on the local chain, where none is given, and on no other", () => {
      const [local] = readKeeperKeys({}, 31337);
      expect(new Wallet(local).address).to.equal("0xa0Ee7A142d267C1f36714E4a8F75612F20a79720");
      expect(refusal(() => readKeeperKeys({}, 1)).message).to.equal(
        "BALLAST_KEEPER_KEYS is missing: chain 1 needs the private key of a signer, or several with commas between",
      );
    });

    it("are those given, in their order", () => {
      expect(readKeeperKeys({ BALLAST_KEEPER_KEYS: key("5") }, 1)).to.deep.equal([key("5")]);
      expect(readKeeperKeys({ BALLAST_KEEPER_KEYS: `${key("7")}, ${key("5")}` }, 31337)).to.deep.equal([
        key("7"),
        key("5"),
      ]);
    });

    const bad: [what: string, text: string, says: RegExp][] = [
      ["an empty one", "", /^BALLAST_KEEPER_KEYS has no key in place 1: /],
      ["an empty one behind a comma", `${key("5")}, `, /^BALLAST_KEEPER_KEYS has no key in place 2: /],
      ["one that is too long", `${key("5")}5`, /^BALLAST_KEEPER_KEYS has no private key in place 1: /],
      ["one given twice", `${key("5")},${key("5").slice(2)}`, /^BALLAST_KEEPER_KEYS has a key twice: /],
    ];
    for (const [what, text, says] of bad) {
      it(`are refused for ${what}, without showing it`, () => {
        const error = refusal(() => readKeeperKeys({ BALLAST_KEEPER_KEYS: text }, 31337));
        expect(error.key).to.equal("BALLAST_KEEPER_KEYS");
        expect(error.message).to.match(says).and.not.match(/555/);
        expect(error.cause).to.equal(undefined);
      });
    }
  });
});
