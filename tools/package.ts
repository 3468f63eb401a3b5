// Writes the package of the SDK to dist/, for `npm pack ./dist` and `npm publish ./dist`.
import { join } from "node:path";

import { buildPackage } from "./package/build.js";
import { sizeOf } from "./package/size.js";

const folder = join(import.meta.dirname, "../dist");
await buildPackage(folder);
const { bundled, everything, files } = await sizeOf(folder);
const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
console.log(
  `dist: gzipped and without ethers ${kB(bundled)} in a page, bundled and minified (${kB(everything)} with what is for operators), ` +
    `${kB(files)} as files`,
);
