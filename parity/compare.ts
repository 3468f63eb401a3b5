import { errorNameOf } from "./abi.js";
import { type Mirrored, type Result, type Situation, type Told } from "./situation.js";

/** Where chain and mirror do not say the same. */
export interface Difference {
  readonly what: string;
  readonly chain: string;
  readonly mirror: string;
}

/** Compares every figure, and the storage afterwards, bit for bit. */
export function compare(situation: Situation, chain: Result, mirror: Mirrored): Difference[] {
  const differences: Difference[] = [];
  for (const [i, { name }] of situation.questions.entries()) {
    const [said, mirrored] = [chain.questions[i], mirror.questions[i]];
    if (said === undefined || mirrored === undefined) throw new TypeError(`nothing is said of ${name}`);
    compareTold(differences, `${name}()`, said, mirrored);
  }
  for (const [i, { name }] of situation.acts.entries()) {
    const [said, mirrored] = [chain.acts[i], mirror.acts[i]?.told];
    if (said === undefined || mirrored === undefined) throw new TypeError(`nothing is said of ${name}`);
    compareTold(differences, `${name}()`, said, mirrored);
  }
  compareChanges(differences, situation, chain.changes, mirror);
  return differences;
}

/** The storage, by what the chain says has changed. */
export function compareChanges(
  differences: Difference[],
  { house, words }: Situation,
  changes: ReadonlyMap<number, bigint>,
  { after }: Mirrored,
): void {
  for (const [i, place] of house.places.entries()) {
    const chain = changes.get(i) ?? words[i] ?? 0n;
    const mirror = place.read(after);
    if (chain !== mirror) differences.push({ what: place.name, chain: hex(chain), mirror: hex(mirror) });
  }
}

function compareTold(differences: Difference[], what: string, chain: Told, mirror: Told): void {
  if (chain.done === mirror.done && chain.data === mirror.data) return;
  if (!chain.done || !mirror.done)
    return void differences.push({ what, chain: sentence(chain), mirror: sentence(mirror) });
  for (let at = 0; at < Math.max(chain.data.length, mirror.data.length); at += 64) {
    const [said, mirrored] = [chain.data.slice(at, at + 64), mirror.data.slice(at, at + 64)];
    if (said !== mirrored) differences.push({ what: `${what} word ${at / 64}`, chain: said, mirror: mirrored });
  }
}

function sentence({ done, data }: Told): string {
  if (done) return `returns ${data === "" ? "nothing" : data}`;
  const args = data.slice(8).match(/.{1,64}/g) ?? [];
  return `reverts with ${errorNameOf(data)}(${args.join(", ")})`;
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
