import { HDNodeWallet, Wallet } from "ethers";

import { KeeperConfigError } from "./KeeperConfigError.js";

export type Env = Readonly<Record<string, string | undefined>>;

/** Where the private keys of the keeper's signers are. */
export const keysVariable = "BALLAST_KEEPER_KEYS";

const toEnvironment = (what: string) =>
  `${what}: secrets come from the environment only. Private keys go into ${keysVariable}; of an address write \${NAME} where its ` +
  "key stands, and put the key into the variable NAME";

const named = /^(private_?keys?|keys?|keeper_?keys?|mnemonic|seed|secrets?|pass(word|phrase)|(api_?)?token|api_?key)$/i;
const privateKey = /^(0x)?[0-9a-f]{64}$/i;
const mnemonic = /^[a-z]+( [a-z]+){11,}$/;
/** In a path or query: long, of letters and digits. */
const longPart = /(?=[\w-]*\d)(?=[\w-]*[a-z])[\w-]{20,}/i;

/** Hands a parsed config file through that holds nothing secret. Throws KeeperConfigError, which does not show it either. */
export function withoutLiteralSecrets(file: unknown): unknown {
  return mapped(file, "", (text, path) => {
    if (privateKey.test(text) || mnemonic.test(text))
      throw new KeeperConfigError(path, toEnvironment("holds a private key"));
    if (/^(https?|wss?):/i.test(text) && hasSecret(text))
      throw new KeeperConfigError(path, toEnvironment("holds a key"));
    return text;
  });
}

/** The addresses that may hold ${NAME}. */
const withNames = /^(rpc\[\d+\]\.(url|ws)|marginCalls\.webhook)$/;

/** Puts what the environment has in place of ${NAME}. Throws KeeperConfigError. */
export function withVariables(file: unknown, env: Env): unknown {
  return mapped(file, "", (text, path) => {
    if (!text.includes("${")) return text;
    if (!withNames.test(path)) {
      throw new KeeperConfigError(
        path,
        "must be written out: only addresses of nodes and of the webhook may hold ${NAME}",
      );
    }
    return text.replaceAll(/\$\{(\w*)\}/g, (_, name: string) => {
      const value = env[name];
      if (value) return value;
      throw new KeeperConfigError(path, `holds \${${name}}, which the environment does not have: set ${name}`);
    });
  });
}

function hasSecret(text: string): boolean {
  const rest = text.replaceAll(/\$\{\w*\}/g, "").replace(/^\w+:\/\//, "");
  const [host = "", ...others] = rest.split(/(?=[/?#])/);
  return host.includes("@") || longPart.test(others.join(""));
}

/** A copy with every string mapped, by its path. Refuses keys that are named like secrets. */
function mapped(value: unknown, path: string, map: (text: string, path: string) => string): unknown {
  if (typeof value === "string") return map(value, path);
  if (Array.isArray(value)) return value.map((each, at) => mapped(each, `${path}[${at}]`, map));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => {
    const at = path === "" ? key : `${path}.${key}`;
    if (named.test(key)) throw new KeeperConfigError(at, toEnvironment("is no key of the config"));
    return [key, mapped(each, at, map)] as const;
  });
  return Object.fromEntries(entries);
}

export const localChainId = 31337;
const testMnemonic = "test test test test test test test test test test test junk";
const localKeyIndex = 9;

/**
 * The private keys of the keeper's signers: those of BALLAST_KEEPER_KEYS, separated by commas, and on the local chain without it a public key of
 * Hardhat's. Read only when they are needed and kept out of the config, so that no log of the config shows them. Throws KeeperConfigError, which
 * does not show them either.
 */
export function readKeeperKeys(env: Env, chainId: number): readonly [string, ...string[]] {
  const text = env[keysVariable];
  if (text === undefined) {
    if (chainId !== localChainId) {
      throw new KeeperConfigError(
        keysVariable,
        `is missing: chain ${chainId} needs the private key of a signer, or several with commas between`,
      );
    }
    return [HDNodeWallet.fromPhrase(testMnemonic, undefined, `m/44'/60'/0'/0/${localKeyIndex}`).privateKey];
  }
  const keys = text.split(",").map((key, at) => {
    if (key.trim() === "") {
      throw new KeeperConfigError(
        keysVariable,
        `has no key in place ${at + 1}: give 0x and 64 hex digits for each signer, with commas between`,
      );
    }
    try {
      return new Wallet(key.trim()).privateKey;
    } catch {
      // Not as a cause: what ethers throws shows the key.
      throw new KeeperConfigError(
        keysVariable,
        `has no private key in place ${at + 1}: give 0x and 64 hex digits for each signer, with commas between`,
      );
    }
  });
  if (new Set(keys).size < keys.length) {
    throw new KeeperConfigError(
      keysVariable,
      "has a key twice: give each signer once, or its transactions take each other's nonces",
    );
  }
  const [first, ...others] = keys;
  if (first === undefined) throw new TypeError("split has no empty answer");
  return [first, ...others];
}

/** Providers put keys into paths and queries of their addresses; what is printed has none. */
export function withoutSecrets(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
