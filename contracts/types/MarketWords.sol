// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {field, signedField, place, placeSigned, placeUnits} from "./Packing.sol";

uint256 constant PPM = 1e12; // one millionth, as a wad
uint256 constant NANO = 1e9; // one billionth, as a wad
uint256 constant MICRO = 1e12; // one millionth of a quote unit, as a wad

/// @notice What moves with time and trades in a market: funding, in one word.
///
///     bits      field           unit
///     0-95      fundingIndex    int96 wad: quote that one unit of long size has paid since listing
///     96-159    fundingRate     int64, 1e-24 a second at `touchedAt`; above zero longs pay shorts
///     160-215   fundingDrift    int56, 1e-24 a second and second: maxVelocity * skew / skewScale, which only a trade moves
///     216-247   touchedAt       uint32, Unix seconds
///     248-255   flags           uint8: SIDES_TOUCHED, CLOSING, DELISTED, HALTED
type MarketState is uint256;

/// @notice The totals of a market in one word.
///
///     bits      field            unit
///     0-103     longShares       uint104 wad, over all accounts, the pool included
///     104-207   shortShares      uint104 wad
///     208-255   feesUnswept      uint48, millionths of a quote unit: the insurance account's share of fees
type MarketTotals is uint256;

/// @notice What a margin check needs to know of a market, in one word.
///
///     bits      field               unit
///     0-19      initialBase         1e-6
///     20-39     maintenanceBase     1e-6
///     40-59     profitWeight        1e-6: share of a gain that counts for initial margin
///     60-83     lambdaInitial       1e-6
///     84-107    lambdaMaintenance   1e-6
///     108-131   openInterestSlope   1e-6: by how much the initial base rises as open interest comes to skewScale
///     132-155   maxFundingRate      1e-6 a day
///     156-175   maxFundingGap       seconds
///     176-255   skewScale           1e-9 base units
type MarketRisk is uint256;

/// @notice What an opening needs to know beside it, in one word.
///
///     bits      field               unit
///     0-79      openInterestCap     1e-9 base units, a side, the pool not counted
///     80-159    minimumSize         1e-9 base units
///     160-179   takerRate           1e-6 of notional
///     180-199   makerRate           1e-6 of notional
///     200-219   capitalShare        1e-6 of the pool's capital
///     220-243   maxFundingVelocity  1e-6 a day and day
type MarketTerms is uint256;

/// @notice The discount of a liquidation: base + slope * (1 - health), at most cap.
///
///     bits      field     unit
///     0-19      base      1e-6
///     20-43     slope     1e-6
///     44-63     cap       1e-6
type DiscountTerms is uint256;

/// @notice The index of one side of a market, in one word: what a share is worth. Read only where the state's flags say SIDES_TOUCHED.
///
///     bits      field    unit
///     0-95      scale    uint96 ray: size of a share
///     96-255    carry    int160 ray: quote of a share, what funding has taken since listing not yet taken off
type SideWord is uint256;

/// @notice The epochs of a market's sides, and how it ends, in one word.
///
///     bits      field         unit
///     0-15      longEpoch     uint16
///     16-31     shortEpoch    uint16
///     32-71     delistAt      uint40, Unix seconds: from when anyone may delist it; zero: not announced
///     72-167    finalPrice    uint96 wad: at which it is delisted if its feed is dead by then
type EpochsWord is uint256;

// Flags of a market's state. A side's word or epoch has left its start:
uint256 constant SIDES_TOUCHED = 1;
// No position grows, because the market is about to be delisted:
uint256 constant CLOSING = 2;
// Nobody has any size; whoever had one is paid by settling:
uint256 constant DELISTED = 4;
// No position grows, because the guardian has stopped it:
uint256 constant HALTED = 8;

using {fundingIndex, fundingRate, fundingDrift, touchedAt, flags, has, withFlag, withoutFlag} for MarketState global;
using {sideScale, sideCarry} for SideWord global;
using {epochOf, withNextEpoch, delistAt, finalPrice, withDelisting} for EpochsWord global;
using {longShares, shortShares, feesUnswept, feesUnsweptWad} for MarketTotals global;
using {
    initialBase,
    maintenanceBase,
    profitWeight,
    lambdaInitial,
    lambdaMaintenance,
    openInterestSlope,
    maxFundingRate,
    maxFundingGap,
    skewScale,
    withMaintenance
} for MarketRisk global;
using {openInterestCap, minimumSize, takerRate, makerRate, capitalShare, maxFundingVelocity} for MarketTerms global;
using {discountBase, discountSlope, discountCap} for DiscountTerms global;

function toMarketState(
    int256 fundingIndexWad,
    int256 fundingRateE24,
    int256 fundingDriftE24,
    uint256 touchedAt_,
    uint256 flags_
) pure returns (MarketState) {
    return
        MarketState.wrap(
            placeSigned(fundingIndexWad, 0, 96) |
                placeSigned(fundingRateE24, 96, 64) |
                placeSigned(fundingDriftE24, 160, 56) |
                place(touchedAt_, 216, 32) |
                place(flags_, 248, 8)
        );
}

function fundingIndex(MarketState word) pure returns (int256) {
    return signedField(MarketState.unwrap(word), 0, 96);
}

/// @return 1e-24 a second
function fundingRate(MarketState word) pure returns (int256) {
    return signedField(MarketState.unwrap(word), 96, 64);
}

/// @return 1e-24 a second and second
function fundingDrift(MarketState word) pure returns (int256) {
    return signedField(MarketState.unwrap(word), 160, 56);
}

function touchedAt(MarketState word) pure returns (uint256) {
    return field(MarketState.unwrap(word), 216, 32);
}

function flags(MarketState word) pure returns (uint256) {
    return field(MarketState.unwrap(word), 248, 8);
}

function has(MarketState word, uint256 flag) pure returns (bool) {
    return (MarketState.unwrap(word) >> 248) & flag != 0;
}

function withFlag(MarketState word, uint256 flag) pure returns (MarketState) {
    return MarketState.wrap(MarketState.unwrap(word) | (flag << 248));
}

function withoutFlag(MarketState word, uint256 flag) pure returns (MarketState) {
    return MarketState.wrap(MarketState.unwrap(word) & ~(flag << 248));
}

function toSideWord(uint256 scaleRay, int256 carryRay) pure returns (SideWord) {
    return SideWord.wrap(place(scaleRay, 0, 96) | placeSigned(carryRay, 96, 160));
}

function sideScale(SideWord word) pure returns (uint256) {
    return field(SideWord.unwrap(word), 0, 96);
}

function sideCarry(SideWord word) pure returns (int256) {
    return signedField(SideWord.unwrap(word), 96, 160);
}

function epochOf(EpochsWord word, bool long) pure returns (uint256) {
    return field(EpochsWord.unwrap(word), long ? 0 : 16, 16);
}

function withNextEpoch(EpochsWord word, bool long) pure returns (EpochsWord) {
    uint256 offset = long ? 0 : 16;
    uint256 next = place(epochOf(word, long) + 1, offset, 16);
    return EpochsWord.wrap((EpochsWord.unwrap(word) & ~(uint256(0xffff) << offset)) | next);
}

function delistAt(EpochsWord word) pure returns (uint256) {
    return field(EpochsWord.unwrap(word), 32, 40);
}

/// @return wad
function finalPrice(EpochsWord word) pure returns (uint256) {
    return field(EpochsWord.unwrap(word), 72, 96);
}

function withDelisting(EpochsWord word, uint256 due, uint256 finalPriceWad) pure returns (EpochsWord) {
    return EpochsWord.wrap((EpochsWord.unwrap(word) & 0xffffffff) | place(due, 32, 40) | place(finalPriceWad, 72, 96));
}

function toMarketTotals(uint256 longSharesWad, uint256 shortSharesWad, uint256 feesMicro) pure returns (MarketTotals) {
    return
        MarketTotals.wrap(place(longSharesWad, 0, 104) | place(shortSharesWad, 104, 104) | place(feesMicro, 208, 48));
}

function longShares(MarketTotals word) pure returns (uint256) {
    return field(MarketTotals.unwrap(word), 0, 104);
}

function shortShares(MarketTotals word) pure returns (uint256) {
    return field(MarketTotals.unwrap(word), 104, 104);
}

/// @return millionths of a quote unit
function feesUnswept(MarketTotals word) pure returns (uint256) {
    return field(MarketTotals.unwrap(word), 208, 48);
}

function feesUnsweptWad(MarketTotals word) pure returns (uint256) {
    unchecked {
        return feesUnswept(word) * MICRO; // 48 bits times 1e12
    }
}

/// @notice The parameters of a market as people write them: wads, and seconds; each with its bounds in code.
struct MarketParameters {
    /// maintenanceBase to 100%, and at least targetHealth * maintenanceBase.
    uint256 initialBaseWad;
    /// 0.1% to initialBase. Rises by steps.
    uint256 maintenanceBaseWad;
    /// 0 to 100%.
    uint256 profitWeightWad;
    /// lambdaMaintenance to 10.
    uint256 lambdaInitialWad;
    /// 1 (then a position's own impact is covered) to lambdaInitial. Rises by steps.
    uint256 lambdaMaintenanceWad;
    /// 0 to 5%.
    uint256 maxFundingRatePerDayWad;
    /// 0 to 10.
    uint256 maxFundingVelocityPerDay2Wad;
    /// 1 second to 7 days.
    uint256 maxFundingGapSeconds;
    /// 10,000 to 1e13 of notional at the price when it is set: far beyond any market, but between them no decimal point is lost unnoticed.
    /// Falls by steps.
    uint256 skewScaleWad;
    /// 0 to maintenanceBase * skewScale, by what counts at once as by what is to come.
    uint256 openInterestCapWad;
    /// Above zero; at most 10,000 of notional at the price when it is set, since a smaller position cannot be left.
    uint256 minimumSizeWad;
    /// 0 to 1%.
    uint256 takerRateWad;
    /// 0 to takerRate.
    uint256 makerRateWad;
    /// 0 to 100%.
    uint256 capitalShareWad;
    /// 0 to 1000%.
    uint256 openInterestSlopeWad;
    /// takerRate + the price's tolerance to discountCap.
    uint256 discountBaseWad;
    /// 0 to 100%.
    uint256 discountSlopeWad;
    /// discountBase to 50%.
    uint256 discountCapWad;
}

function toMarketRisk(MarketParameters memory p) pure returns (MarketRisk) {
    return
        MarketRisk.wrap(
            placeUnits(p.initialBaseWad, PPM, 0, 20) |
                placeUnits(p.maintenanceBaseWad, PPM, 20, 20) |
                placeUnits(p.profitWeightWad, PPM, 40, 20) |
                placeUnits(p.lambdaInitialWad, PPM, 60, 24) |
                placeUnits(p.lambdaMaintenanceWad, PPM, 84, 24) |
                placeUnits(p.openInterestSlopeWad, PPM, 108, 24) |
                placeUnits(p.maxFundingRatePerDayWad, PPM, 132, 24) |
                place(p.maxFundingGapSeconds, 156, 20) |
                placeUnits(p.skewScaleWad, NANO, 176, 80)
        );
}

function initialBase(MarketRisk word) pure returns (uint256) {
    unchecked {
        return field(MarketRisk.unwrap(word), 0, 20) * PPM; // every product of this file: under 100 bits
    }
}

function maintenanceBase(MarketRisk word) pure returns (uint256) {
    unchecked {
        return field(MarketRisk.unwrap(word), 20, 20) * PPM;
    }
}

function profitWeight(MarketRisk word) pure returns (uint256) {
    unchecked {
        return field(MarketRisk.unwrap(word), 40, 20) * PPM;
    }
}

function lambdaInitial(MarketRisk word) pure returns (uint256) {
    unchecked {
        return field(MarketRisk.unwrap(word), 60, 24) * PPM;
    }
}

function lambdaMaintenance(MarketRisk word) pure returns (uint256) {
    unchecked {
        return field(MarketRisk.unwrap(word), 84, 24) * PPM;
    }
}

function openInterestSlope(MarketRisk word) pure returns (uint256) {
    unchecked {
        return field(MarketRisk.unwrap(word), 108, 24) * PPM;
    }
}

/// @return 1e-24 a second, rounded down
function maxFundingRate(MarketRisk word) pure returns (int256) {
    unchecked {
        return int256((field(MarketRisk.unwrap(word), 132, 24) * 1e18) / 1 days);
    }
}

function maxFundingGap(MarketRisk word) pure returns (uint256) {
    return field(MarketRisk.unwrap(word), 156, 20);
}

function skewScale(MarketRisk word) pure returns (uint256) {
    unchecked {
        return (MarketRisk.unwrap(word) >> 176) * NANO;
    }
}

/// @notice The word with other values of what maintenance margin depends on.
function withMaintenance(
    MarketRisk word,
    uint256 maintenanceBaseWad,
    uint256 lambdaMaintenanceWad,
    uint256 skewScaleWad
) pure returns (MarketRisk) {
    uint256 mask = (((uint256(1) << 20) - 1) << 20) | (((uint256(1) << 24) - 1) << 84) | (type(uint256).max << 176);
    return
        MarketRisk.wrap(
            (MarketRisk.unwrap(word) & ~mask) |
                placeUnits(maintenanceBaseWad, PPM, 20, 20) |
                placeUnits(lambdaMaintenanceWad, PPM, 84, 24) |
                placeUnits(skewScaleWad, NANO, 176, 80)
        );
}

function toMarketTerms(MarketParameters memory p) pure returns (MarketTerms) {
    return
        MarketTerms.wrap(
            placeUnits(p.openInterestCapWad, NANO, 0, 80) |
                placeUnits(p.minimumSizeWad, NANO, 80, 80) |
                placeUnits(p.takerRateWad, PPM, 160, 20) |
                placeUnits(p.makerRateWad, PPM, 180, 20) |
                placeUnits(p.capitalShareWad, PPM, 200, 20) |
                placeUnits(p.maxFundingVelocityPerDay2Wad, PPM, 220, 24)
        );
}

function openInterestCap(MarketTerms word) pure returns (uint256) {
    unchecked {
        return field(MarketTerms.unwrap(word), 0, 80) * NANO;
    }
}

function minimumSize(MarketTerms word) pure returns (uint256) {
    unchecked {
        return field(MarketTerms.unwrap(word), 80, 80) * NANO;
    }
}

function takerRate(MarketTerms word) pure returns (uint256) {
    unchecked {
        return field(MarketTerms.unwrap(word), 160, 20) * PPM;
    }
}

function makerRate(MarketTerms word) pure returns (uint256) {
    unchecked {
        return field(MarketTerms.unwrap(word), 180, 20) * PPM;
    }
}

function capitalShare(MarketTerms word) pure returns (uint256) {
    unchecked {
        return field(MarketTerms.unwrap(word), 200, 20) * PPM;
    }
}

/// @return wad a day and day
function maxFundingVelocity(MarketTerms word) pure returns (uint256) {
    unchecked {
        return field(MarketTerms.unwrap(word), 220, 24) * PPM;
    }
}

function toDiscountTerms(uint256 baseWad, uint256 slopeWad, uint256 capWad) pure returns (DiscountTerms) {
    return
        DiscountTerms.wrap(
            placeUnits(baseWad, PPM, 0, 20) | placeUnits(slopeWad, PPM, 20, 24) | placeUnits(capWad, PPM, 44, 20)
        );
}

function discountBase(DiscountTerms word) pure returns (uint256) {
    unchecked {
        return field(DiscountTerms.unwrap(word), 0, 20) * PPM;
    }
}

function discountSlope(DiscountTerms word) pure returns (uint256) {
    unchecked {
        return field(DiscountTerms.unwrap(word), 20, 24) * PPM;
    }
}

function discountCap(DiscountTerms word) pure returns (uint256) {
    unchecked {
        return field(DiscountTerms.unwrap(word), 44, 20) * PPM;
    }
}
