// Writes the package of the SDK to dist/, for `npm pack ./dist` and `npm publish ./dist`.
import { join } from "node:path";

import { buildPackage } from "./package/build.js";
import { sizeOf } from "./package/size.js";

const folder = join(import.meta.dirname, "../dist");
await buildPackage(folder);
const { main, bundled, everything, files } = await sizeOf(folder);
const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
console.log(
  `dist: gzipped and without ethers ${kB(main)} in a page, bundled and minified (${kB(bundled)} with all subpaths for pages, ` +
    `${kB(everything)} with those for operators), ` +
    `${kB(files)} as files`,
);
