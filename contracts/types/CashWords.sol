// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {field, place, placeUnits} from "./Packing.sol";
import {PPM} from "./MarketWords.sol";

/// @notice What a principal is worth: cash = principal * index, as of `accruedAt`, in one word.
///
///     bits      field          unit
///     0-71      supplyIndex    uint72, 1e-15: of principals above zero; starts at 1, grows with interest, falls by a write-off
///     72-143    borrowIndex    uint72, 1e-15: of principals below zero
///     144-183   supplyRate     uint40, 1e-18 a second
///     184-223   borrowRate     uint40, 1e-18 a second
///     224-255   accruedAt      uint32, Unix seconds
type CashIndices is uint256;

/// @notice Sums over all accounts, in one word.
///
///     bits      field       unit
///     0-127     supplied    uint128 wad: principals above zero
///     128-255   borrowed    uint128 wad: principals below zero, without their sign
type CashTotals is uint256;

/// @notice The price of borrowing, and what losses may take in an hour, in one word.
///
///     bits      field              unit
///     0-19      kink               1e-6: utilisation at which the borrow rate turns steep
///     20-43     rateAtZero         1e-6 a year
///     44-67     rateAtKink         1e-6 a year
///     68-91     rateAtFull         1e-6 a year
///     92-111    reserveFactor      1e-6: share of interest that is the insurance account's
///     112-131   poolLossPerHour    1e-6 of the pool's value
///     132-151   writeOffPerHour    1e-6 of supplied cash
type CashTerms is uint256;

/// @notice What losses may still take from somebody in the hour that began at `since`, in one word. One hour begins with the first loss
/// after the last has ended.
///
///     bits      field      unit
///     0-103     allowed    uint104 wad
///     104-207   spent      uint104 wad
///     208-247   since      Unix seconds
type HourBudget is uint256;

using {supplyIndex, borrowIndex, supplyRate, borrowRate, accruedAt} for CashIndices global;
using {supplied, borrowed} for CashTotals global;
using {kink, rateAtZero, rateAtKink, rateAtFull, reserveFactor, poolLossPerHour, writeOffPerHour} for CashTerms global;
using {allowed, spent, since} for HourBudget global;

// What an index of one is in its word.
uint256 constant INDEX_ONE = 1e15;
uint256 constant MAX_INDEX = (1 << 72) - 1;

/// @notice The parameters of cash as people write them: wads, rates a year; each with its bounds in code.
struct CashParameters {
    /// 0 to 100%.
    uint256 kinkWad;
    /// 0 to rateAtKink.
    uint256 rateAtZeroWad;
    /// rateAtZero to rateAtFull.
    uint256 rateAtKinkWad;
    /// rateAtKink to 400%.
    uint256 rateAtFullWad;
    /// 0 to 50%.
    uint256 reserveFactorWad;
    /// 0 to 100%.
    uint256 poolLossPerHourWad;
    /// 0 to 100%.
    uint256 writeOffPerHourWad;
}

function toCashIndices(
    uint256 supplyIndex_,
    uint256 borrowIndex_,
    uint256 supplyRate_,
    uint256 borrowRate_,
    uint256 accruedAt_
) pure returns (CashIndices) {
    return
        CashIndices.wrap(
            place(supplyIndex_, 0, 72) |
                place(borrowIndex_, 72, 72) |
                place(supplyRate_, 144, 40) |
                place(borrowRate_, 184, 40) |
                place(accruedAt_, 224, 32)
        );
}

function supplyIndex(CashIndices word) pure returns (uint256) {
    return field(CashIndices.unwrap(word), 0, 72);
}

function borrowIndex(CashIndices word) pure returns (uint256) {
    return field(CashIndices.unwrap(word), 72, 72);
}

/// @return 1e-18 a second
function supplyRate(CashIndices word) pure returns (uint256) {
    return field(CashIndices.unwrap(word), 144, 40);
}

/// @return 1e-18 a second
function borrowRate(CashIndices word) pure returns (uint256) {
    return field(CashIndices.unwrap(word), 184, 40);
}

function accruedAt(CashIndices word) pure returns (uint256) {
    return CashIndices.unwrap(word) >> 224;
}

function toCashTotals(uint256 suppliedWad, uint256 borrowedWad) pure returns (CashTotals) {
    return CashTotals.wrap(place(suppliedWad, 0, 128) | place(borrowedWad, 128, 128));
}

function supplied(CashTotals word) pure returns (uint256) {
    return field(CashTotals.unwrap(word), 0, 128);
}

function borrowed(CashTotals word) pure returns (uint256) {
    return CashTotals.unwrap(word) >> 128;
}

function toCashTerms(CashParameters memory p) pure returns (CashTerms) {
    return
        CashTerms.wrap(
            placeUnits(p.kinkWad, PPM, 0, 20) |
                placeUnits(p.rateAtZeroWad, PPM, 20, 24) |
                placeUnits(p.rateAtKinkWad, PPM, 44, 24) |
                placeUnits(p.rateAtFullWad, PPM, 68, 24) |
                placeUnits(p.reserveFactorWad, PPM, 92, 20) |
                placeUnits(p.poolLossPerHourWad, PPM, 112, 20) |
                placeUnits(p.writeOffPerHourWad, PPM, 132, 20)
        );
}

function kink(CashTerms word) pure returns (uint256) {
    unchecked {
        return field(CashTerms.unwrap(word), 0, 20) * PPM; // every product of this file: under 100 bits
    }
}

/// @return wad a year
function rateAtZero(CashTerms word) pure returns (uint256) {
    unchecked {
        return field(CashTerms.unwrap(word), 20, 24) * PPM;
    }
}

/// @return wad a year
function rateAtKink(CashTerms word) pure returns (uint256) {
    unchecked {
        return field(CashTerms.unwrap(word), 44, 24) * PPM;
    }
}

/// @return wad a year
function rateAtFull(CashTerms word) pure returns (uint256) {
    unchecked {
        return field(CashTerms.unwrap(word), 68, 24) * PPM;
    }
}

function reserveFactor(CashTerms word) pure returns (uint256) {
    unchecked {
        return field(CashTerms.unwrap(word), 92, 20) * PPM;
    }
}

function poolLossPerHour(CashTerms word) pure returns (uint256) {
    unchecked {
        return field(CashTerms.unwrap(word), 112, 20) * PPM;
    }
}

function writeOffPerHour(CashTerms word) pure returns (uint256) {
    unchecked {
        return field(CashTerms.unwrap(word), 132, 20) * PPM;
    }
}

function toHourBudget(uint256 allowedWad, uint256 spentWad, uint256 since_) pure returns (HourBudget) {
    return HourBudget.wrap(place(allowedWad, 0, 104) | place(spentWad, 104, 104) | place(since_, 208, 40));
}

function allowed(HourBudget word) pure returns (uint256) {
    return field(HourBudget.unwrap(word), 0, 104);
}

function spent(HourBudget word) pure returns (uint256) {
    return field(HourBudget.unwrap(word), 104, 104);
}

function since(HourBudget word) pure returns (uint256) {
    return field(HourBudget.unwrap(word), 208, 40);
}
