// Compares the invariants of docs/protocol.md with those that the titles of tests name, in the last run of all tests.
import { fileURLToPath } from "node:url";

import { complaints } from "./invariants/report.js";

const found = complaints(fileURLToPath(new URL("..", import.meta.url)));
for (const complaint of found) console.error(complaint);
process.exitCode = found.length === 0 ? 0 : 1;
