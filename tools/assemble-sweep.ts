// Assembles keeper/detect/sweep.wat into keeper/detect/sweepBinary.ts, so that nothing has to at run time.
import { readFileSync, writeFileSync } from "node:fs";

import wabt from "wabt";

const source = new URL("../keeper/detect/sweep.wat", import.meta.url);
const target = new URL("../keeper/detect/sweepBinary.ts", import.meta.url);

const { parseWat } = await wabt();
const module = parseWat("sweep.wat", readFileSync(source, "utf8"), { simd: true });
module.validate();
const binary = Buffer.from(module.toBinary({}).buffer).toString("base64");
const lines = (binary.match(/.{1,110}/g) ?? []).map((line) => `  "${line}"`);
const text = `/** sweep.wat, assembled by \`npm run assemble\` (base64). */\nexport const sweepBinary =\n${lines.join(" +\n")};\n`;

if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") === text) process.exit(0);
  console.error("keeper/detect/sweepBinary.ts is out of date: run `npm run assemble` and commit it with sweep.wat");
  process.exitCode = 1;
} else {
  writeFileSync(target, text);
}
