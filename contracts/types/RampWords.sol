// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {field, place} from "./Packing.sol";
import {MarketRisk} from "./MarketWords.sol";
import {AccountRisk, Collateral} from "./VaultWords.sol";

/// @notice How far a ramp has come, in one word. Zero: there is none.
///
///     bits      field         unit
///     0-31      secondsLeft   of the time that steps have yet to cover
///     32-71     steppedAt     Unix seconds: of the last step, or of the start
type RampClock is uint256;

using {secondsLeft, steppedAt} for RampClock global;

/// @notice What counted at the start of a ramp, and what counts at its end: the words differ in the fields that are on their way.
struct MarketRamp {
    MarketRisk from; // 0
    MarketRisk to; // 1
    RampClock clock; // 2
}

/// @notice The same of a collateral; `held` and `decimals` mean nothing here.
struct CollateralRamp {
    Collateral from; // 0
    Collateral to; // 1
    RampClock clock; // 2
}

/// @notice The same of all accounts.
struct AccountRamp {
    AccountRisk from; // 0
    AccountRisk to; // 1
    RampClock clock; // 2
}

function toRampClock(uint256 secondsLeft_, uint256 steppedAt_) pure returns (RampClock) {
    return RampClock.wrap(place(secondsLeft_, 0, 32) | place(steppedAt_, 32, 40));
}

function secondsLeft(RampClock word) pure returns (uint256) {
    return field(RampClock.unwrap(word), 0, 32);
}

/// @return Unix seconds
function steppedAt(RampClock word) pure returns (uint256) {
    return field(RampClock.unwrap(word), 32, 40);
}
