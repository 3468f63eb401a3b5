#!/usr/bin/env node
// What npm links as "ballast": the command is TypeScript, which tsx loads.
import { register } from "tsx/esm/api";

register();
await import("./main.ts");
