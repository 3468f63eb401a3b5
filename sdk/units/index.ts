export {
  RAY,
  WAD,
  divCeil,
  divFloor,
  divUp,
  mulDivCeil,
  mulDivDown,
  mulDivFloor,
  mulDivUp,
} from "../risk/libraries/FixedPoint.js";
export { AmountError, type AmountProblem, DecimalsError } from "./AmountError.js";
export {
  type Amount,
  type Ray,
  type TokenAmount,
  type Wad,
  formatRay,
  formatTokenAmount,
  formatWad,
  ray,
  toUnits,
  toUnsignedUnits,
  tokenAmount,
  wad,
} from "./amounts.js";
export { fromWadCeil, fromWadFloor, rayToWadCeil, rayToWadFloor, toWad, wadToRay } from "./conversions.js";
export { formatDecimal, parseDecimal } from "./decimals.js";
export { type DisplayOptions, displayRay, displayTokenAmount, displayWad } from "./display.js";
