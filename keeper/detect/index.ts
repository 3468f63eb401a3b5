export { type Liquidatable, Detector } from "./detector.js";
export { PackedAccounts, PackedAccountsError, packAccounts, packWords } from "./packed.js";
