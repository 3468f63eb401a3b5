import { Interface, type ParamType } from "ethers";

import type { ContractError } from "../sdk/risk/ContractError.js";
import type { VaultEvent } from "../sdk/risk/types/VaultStorage.js";
import {
  Administration__factory,
  IMarginVault__factory,
  LiquidityPool__factory,
  MarginVault__factory,
  PriceOracle__factory,
  VaultExtension__factory,
  Waterfall__factory,
} from "../typechain-types/index.js";

// Written by hand and worked out once: a general coder takes longer than the vault's arithmetic.

const vault = MarginVault__factory.createInterface();
const errorSources = [
  vault,
  VaultExtension__factory.createInterface(),
  Administration__factory.createInterface(),
  Waterfall__factory.createInterface(),
  PriceOracle__factory.createInterface(),
  LiquidityPool__factory.createInterface(),
  new Interface(["error Panic(uint256 code)"]),
];

interface Shape {
  readonly selector: string;
  readonly inputs: readonly ParamType[];
}

const functions = new Map<string, Shape>();
vault.forEachFunction(({ name, selector, inputs }) => functions.set(name, { selector: selector.slice(2), inputs }));
const errors = new Map<string, Shape>();
for (const source of errorSources) {
  source.forEachError(({ name, selector, inputs }) => {
    if (!errors.has(name)) errors.set(name, { selector: selector.slice(2), inputs }); // the vault's own first
  });
}
/** Names of the errors that IMarginVault declares. */
export const vaultErrors: readonly string[] = errorsOf(IMarginVault__factory.createInterface());
const errorNames = new Map([...errors].map(([name, { selector }]) => [selector, name]));

function errorsOf(source: Interface): string[] {
  const names: string[] = [];
  source.forEachError(({ name }) => names.push(name));
  return names.toSorted();
}

/** 64 hex digits. */
export function word(value: bigint): string {
  return (value < 0n ? BigInt.asUintN(256, value) : value).toString(16).padStart(64, "0");
}

function staticWord(value: unknown): string {
  switch (typeof value) {
    case "bigint":
      return word(value);
    case "number":
      return word(BigInt(value));
    case "boolean":
      return word(value ? 1n : 0n);
    case "string": // an account (32 bytes) or an address
      return value.slice(2).padStart(64, "0");
    default:
      throw new TypeError(`${String(value)} is no word`);
  }
}

function padded(hex: string): string {
  return hex.padEnd(Math.ceil(hex.length / 64) * 64, "0");
}

/** The tail of a dynamic value, or undefined if a value of this type has none. */
function tail({ baseType, arrayChildren, type }: ParamType, value: unknown): string | undefined {
  if (type === "string") {
    const hex = Buffer.from(String(value), "utf8").toString("hex");
    return word(BigInt(hex.length / 2)) + padded(hex);
  }
  if (type === "bytes") {
    const hex = String(value).slice(2);
    return word(BigInt(hex.length / 2)) + padded(hex);
  }
  if (baseType !== "array") return undefined;
  const items = value as readonly unknown[];
  if (arrayChildren?.type !== "bytes") return word(BigInt(items.length)) + items.map(staticWord).join("");
  return word(BigInt(items.length)) + sequence(items.map((item) => ({ type: arrayChildren, value: item })));
}

/** Heads, then tails. */
function sequence(list: readonly { readonly type: ParamType; readonly value: unknown }[]): string {
  const parts = list.map(({ type, value }) => {
    if (type.baseType !== "tuple") return { own: tail(type, value), heads: [value] };
    const fields = value as Readonly<Record<string, unknown>>;
    return { own: undefined, heads: (type.components ?? []).map(({ name }) => fields[name]) };
  });
  let offset = parts.reduce((bytes, { own, heads }) => bytes + 32 * (own === undefined ? heads.length : 1), 0);
  let heads = "";
  let tails = "";
  for (const part of parts) {
    if (part.own === undefined) {
      for (const value of part.heads) heads += staticWord(value);
      continue;
    }
    heads += word(BigInt(offset));
    offset += part.own.length / 2;
    tails += part.own;
  }
  return heads + tails;
}

/** Call data of a function of the vault, without 0x; arguments in their order, structs as objects. */
export function encodeCall(name: string, args: readonly unknown[]): string {
  const shape = functions.get(name);
  if (shape === undefined) throw new TypeError(`the vault has no function ${name}`);
  return shape.selector + sequence(shape.inputs.map((type, i) => ({ type, value: args[i] })));
}

/** What a call returns that reverts with this error, without 0x. Throws where the error's arguments are not those of the contracts. */
export function encodeError(error: ContractError): string {
  const shape = errors.get(error.errorName);
  if (shape === undefined) throw new TypeError(`no contract declares the error ${error.errorName}`);
  const names = Object.keys(error.args);
  const wanted = shape.inputs.map(({ name }) => name);
  if (names.join() !== wanted.join()) {
    throw new TypeError(`${error.errorName} has the arguments (${wanted.join()}), not (${names.join()})`);
  }
  return shape.selector + sequence(shape.inputs.map((type) => ({ type, value: error.args[type.name] })));
}

/** The error's name, by the data of a revert without 0x. */
export function errorNameOf(data: string): string {
  return errorNames.get(data.slice(0, 8)) ?? `unknown ${data.slice(0, 8)}`;
}

/** Words one after the other. */
export function encodeWords(values: readonly unknown[]): string {
  let text = "";
  for (const value of values) text += staticWord(value);
  return text;
}

/** A list of bytes (hex without 0x) as a function returns it that returns nothing else, without 0x. */
export function encodeBytesList(items: readonly string[]): string {
  let offsets = "";
  let bodies = "";
  for (const item of items) {
    offsets += word(BigInt(32 * items.length + bodies.length / 2));
    bodies += word(BigInt(item.length / 2)) + padded(item);
  }
  return word(32n) + word(BigInt(items.length)) + offsets + bodies;
}

/** The other way round. */
export function decodeBytesList(data: string, start = 0): string[] {
  const number = (at: number) => Number.parseInt(data.slice(at + 48, at + 64), 16);
  const list = start + 2 * number(start);
  const items: string[] = [];
  for (let i = 0; i < number(list); i++) {
    const at = list + 64 + 2 * number(list + 64 * (i + 1));
    items.push(data.slice(at + 64, at + 64 + 2 * number(at)));
  }
  return items;
}

const harness = new Interface([
  "function parityRun(bytes[] cases)",
  "function parityLoad(bytes state)",
  "function parityChanges(bytes state, bytes ranges)",
]);
const selectorOf = (name: string) => harness.getFunction(name)?.selector.slice(2) ?? "";
/** Selectors of the harness, without 0x. */
export const parityRun = selectorOf("parityRun");
export const parityLoad = selectorOf("parityLoad");
export const parityChanges = selectorOf("parityChanges");

/** Bytes (hex without 0x) as the only arguments, without 0x. */
export function encodeBytes(...items: readonly string[]): string {
  let heads = "";
  let tails = "";
  for (const hex of items) {
    heads += word(BigInt(32 * items.length + tails.length / 2));
    tails += word(BigInt(hex.length / 2)) + padded(hex);
  }
  return heads + tails;
}

/** Logs as the vault would write them. */
export function encodeEvents(events: readonly VaultEvent[]): { topics: string[]; data: string }[] {
  return events.map(({ name, args }) => {
    const fragment = (vault as Interface).getEvent(name);
    if (fragment === null) throw new TypeError(`the vault has no event ${name}`);
    const names = Object.keys(args).join();
    const wanted = fragment.inputs.map((input) => input.name).join();
    if (names !== wanted) throw new TypeError(`${name} has the arguments (${wanted}), not (${names})`);
    const { topics, data } = vault.encodeEventLog(fragment, Object.values(args));
    return { topics: [...topics], data };
  });
}
