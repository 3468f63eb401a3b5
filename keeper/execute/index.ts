export { type HandsDependencies, type HandsPolicy, KeeperHands, handsPolicy } from "./hands.js";
export type { LanePolicy, LaneSigner } from "./lane.js";
