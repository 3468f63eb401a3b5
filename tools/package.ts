// Writes the package of the SDK to dist/ (or to the folder that is named), for `npm pack ./dist` and `npm publish ./dist`.
import { join } from "node:path";

import { buildPackage } from "./package/build.js";
import { sizeOf } from "./package/size.js";

const folder = process.argv[2] ?? join(import.meta.dirname, "../dist");
await buildPackage(folder);
const { bundled, files } = await sizeOf(folder);
const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
console.log(`${folder}: gzipped and without ethers ${kB(bundled)} bundled and minified, ${kB(files)} as files`);
