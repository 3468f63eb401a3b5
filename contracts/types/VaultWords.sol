// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {field, place, placeUnits} from "./Packing.sol";
import {PPM, MICRO} from "./MarketWords.sol";

uint256 constant BASIS_POINT = 1e14; // as a wad

/// @notice A collateral token in one word.
///
///     bits      field               unit
///     0-19      initialWeight       1e-6
///     20-39     maintenanceWeight   1e-6
///     40-47     decimals            of the token, at most 18
///     48-143    held                uint96 raw: the sum over accounts
///     144-159   concentrationStart  1e-4 of the deposit cap: what is held beyond it counts nothing for initial margin, shared by all
///     160-255   depositCap          uint96 raw
type Collateral is uint256;

/// @notice What a margin check and a liquidation need to know of accounts in general, in one word.
///
///     bits      field                unit
///     0-19      debtMargin           1e-6 (rho): margin on a net cash debt
///     20-43     targetHealth         1e-6 (T)
///     44-63     absorbHealth         1e-6
///     64-83     absorbPenalty        1e-6 of notional and collateral value
///     84-103    keeperShare          1e-6 of a forced fee or a penalty
///     104-123   insuranceShare       1e-6 of a forced fee or a penalty; the pool has the rest
///     124-143   insuranceFeeShare    1e-6 of a trading fee; the pool has the rest
///     144-199   keeperFloor          1e-6 quote: margin of any account with a position or a debt
///     200-255   minimumDebt          1e-6 quote: also the least that a stranger may deposit
type AccountRisk is uint256;

/// @notice What a keeper gets at least for an absorb, as long as the hour's budget lasts, in one word.
///
///     bits      field           unit
///     0-55      rewardFloor     1e-6 quote
///     56-111    perHour         1e-6 quote
///     112-167   spent           1e-6 quote, in the hour that began at `since`
///     168-207   since           Unix seconds
type RewardBudget is uint256;

/// @notice A checkpoint of the pool's net asset value, in one word, so that an opening needs not walk the pool's markets.
///
///     bits      field    unit
///     0-127     value    uint128 wad, zero when the value is below zero
///     128-167   takenAt  Unix seconds
///     168-207   maxAge   seconds after which no position opens
type Capital is uint256;

using {
    initialWeight,
    maintenanceWeight,
    decimals,
    held,
    concentrationStart,
    depositCap,
    withHeld,
    withMaintenanceWeight
} for Collateral global;
using {
    debtMargin,
    targetHealth,
    absorbHealth,
    absorbPenalty,
    keeperShare,
    insuranceShare,
    insuranceFeeShare,
    keeperFloor,
    minimumDebt,
    withMaintenance
} for AccountRisk global;
using {rewardFloor, perHour, spent, since} for RewardBudget global;
using {capitalValue, takenAt, maxAge} for Capital global;

/// @notice The parameters of a collateral as people write them, each with its bounds in code.
struct CollateralParameters {
    /// 0 to maintenanceWeight.
    uint256 initialWeightWad;
    /// Below 100% with discountCap. Falls by steps.
    uint256 maintenanceWeightWad;
    /// Raw, at most 96 bits. Zero takes no more of it.
    uint256 depositCap;
    /// Above zero, at most 100%.
    uint256 concentrationStartWad;
    /// The price's tolerance to discountCap.
    uint256 discountBaseWad;
    /// 0 to 100%.
    uint256 discountSlopeWad;
    /// discountBase to less than 100% with maintenanceWeight.
    uint256 discountCapWad;
}

function toCollateral(CollateralParameters memory p, uint256 decimals_, uint256 held_) pure returns (Collateral) {
    return
        Collateral.wrap(
            placeUnits(p.initialWeightWad, PPM, 0, 20) |
                placeUnits(p.maintenanceWeightWad, PPM, 20, 20) |
                place(decimals_, 40, 8) |
                place(held_, 48, 96) |
                placeUnits(p.concentrationStartWad, BASIS_POINT, 144, 16) |
                place(p.depositCap, 160, 96)
        );
}

function initialWeight(Collateral word) pure returns (uint256) {
    unchecked {
        return field(Collateral.unwrap(word), 0, 20) * PPM; // every product of this file: under 100 bits
    }
}

function maintenanceWeight(Collateral word) pure returns (uint256) {
    unchecked {
        return field(Collateral.unwrap(word), 20, 20) * PPM;
    }
}

function decimals(Collateral word) pure returns (uint256) {
    return field(Collateral.unwrap(word), 40, 8);
}

function held(Collateral word) pure returns (uint256) {
    return field(Collateral.unwrap(word), 48, 96);
}

function concentrationStart(Collateral word) pure returns (uint256) {
    unchecked {
        return field(Collateral.unwrap(word), 144, 16) * BASIS_POINT;
    }
}

function depositCap(Collateral word) pure returns (uint256) {
    return Collateral.unwrap(word) >> 160;
}

function withHeld(Collateral word, uint256 held_) pure returns (Collateral) {
    uint256 mask = ((uint256(1) << 96) - 1) << 48;
    return Collateral.wrap((Collateral.unwrap(word) & ~mask) | place(held_, 48, 96));
}

function withMaintenanceWeight(Collateral word, uint256 maintenanceWeightWad) pure returns (Collateral) {
    uint256 mask = ((uint256(1) << 20) - 1) << 20;
    return Collateral.wrap((Collateral.unwrap(word) & ~mask) | placeUnits(maintenanceWeightWad, PPM, 20, 20));
}

/// @notice The parameters of all accounts as people write them, each with its bounds in code.
struct AccountParameters {
    /// 0 to 50%: liquidation discounts shrink by 1 + debtMargin. Rises by steps.
    uint256 debtMarginWad;
    /// 1.01 to 2, and at most initialBase / maintenanceBase of every market.
    uint256 targetHealthWad;
    /// 10% to less than 1. Rises by steps.
    uint256 absorbHealthWad;
    /// 0 to 10%.
    uint256 absorbPenaltyWad;
    /// 0 to 100% with insuranceShare.
    uint256 keeperShareWad;
    /// 0 to 100% with keeperShare.
    uint256 insuranceShareWad;
    /// 0 to 100%.
    uint256 insuranceFeeShareWad;
    /// absorbRewardFloor to 1,000. Rises by steps.
    uint256 keeperFloorWad;
    /// 0 to 10,000.
    uint256 minimumDebtWad;
    /// 0 to keeperFloor.
    uint256 absorbRewardFloorWad;
    /// 0 to 100,000.
    uint256 absorbRewardPerHourWad;
    /// 1 second to 1 day.
    uint256 capitalMaxAgeSeconds;
}

/// @notice The word with other values of what maintenance depends on.
function withMaintenance(
    AccountRisk word,
    uint256 debtMarginWad,
    uint256 absorbHealthWad,
    uint256 keeperFloorWad
) pure returns (AccountRisk) {
    uint256 mask = ((uint256(1) << 20) - 1) | (((uint256(1) << 20) - 1) << 44) | (((uint256(1) << 56) - 1) << 144);
    return
        AccountRisk.wrap(
            (AccountRisk.unwrap(word) & ~mask) |
                placeUnits(debtMarginWad, PPM, 0, 20) |
                placeUnits(absorbHealthWad, PPM, 44, 20) |
                placeUnits(keeperFloorWad, MICRO, 144, 56)
        );
}

function toAccountRisk(AccountParameters memory p) pure returns (AccountRisk) {
    return
        AccountRisk.wrap(
            placeUnits(p.debtMarginWad, PPM, 0, 20) |
                placeUnits(p.targetHealthWad, PPM, 20, 24) |
                placeUnits(p.absorbHealthWad, PPM, 44, 20) |
                placeUnits(p.absorbPenaltyWad, PPM, 64, 20) |
                placeUnits(p.keeperShareWad, PPM, 84, 20) |
                placeUnits(p.insuranceShareWad, PPM, 104, 20) |
                placeUnits(p.insuranceFeeShareWad, PPM, 124, 20) |
                placeUnits(p.keeperFloorWad, MICRO, 144, 56) |
                placeUnits(p.minimumDebtWad, MICRO, 200, 56)
        );
}

function debtMargin(AccountRisk word) pure returns (uint256) {
    unchecked {
        return field(AccountRisk.unwrap(word), 0, 20) * PPM;
    }
}

function targetHealth(AccountRisk word) pure returns (uint256) {
    unchecked {
        return field(AccountRisk.unwrap(word), 20, 24) * PPM;
    }
}

function absorbHealth(AccountRisk word) pure returns (uint256) {
    unchecked {
        return field(AccountRisk.unwrap(word), 44, 20) * PPM;
    }
}

function absorbPenalty(AccountRisk word) pure returns (uint256) {
    unchecked {
        return field(AccountRisk.unwrap(word), 64, 20) * PPM;
    }
}

function keeperShare(AccountRisk word) pure returns (uint256) {
    unchecked {
        return field(AccountRisk.unwrap(word), 84, 20) * PPM;
    }
}

function insuranceShare(AccountRisk word) pure returns (uint256) {
    unchecked {
        return field(AccountRisk.unwrap(word), 104, 20) * PPM;
    }
}

function insuranceFeeShare(AccountRisk word) pure returns (uint256) {
    unchecked {
        return field(AccountRisk.unwrap(word), 124, 20) * PPM;
    }
}

function keeperFloor(AccountRisk word) pure returns (uint256) {
    unchecked {
        return field(AccountRisk.unwrap(word), 144, 56) * MICRO;
    }
}

function minimumDebt(AccountRisk word) pure returns (uint256) {
    unchecked {
        return (AccountRisk.unwrap(word) >> 200) * MICRO;
    }
}

function toRewardBudget(
    uint256 rewardFloorWad,
    uint256 perHourWad,
    uint256 spentWad,
    uint256 since_
) pure returns (RewardBudget) {
    return
        RewardBudget.wrap(
            placeUnits(rewardFloorWad, MICRO, 0, 56) |
                placeUnits(perHourWad, MICRO, 56, 56) |
                placeUnits(spentWad, MICRO, 112, 56) |
                place(since_, 168, 40)
        );
}

function rewardFloor(RewardBudget word) pure returns (uint256) {
    return field(RewardBudget.unwrap(word), 0, 56) * MICRO;
}

function perHour(RewardBudget word) pure returns (uint256) {
    return field(RewardBudget.unwrap(word), 56, 56) * MICRO;
}

function spent(RewardBudget word) pure returns (uint256) {
    return field(RewardBudget.unwrap(word), 112, 56) * MICRO;
}

function since(RewardBudget word) pure returns (uint256) {
    return field(RewardBudget.unwrap(word), 168, 40);
}

function toCapital(uint256 valueWad, uint256 takenAt_, uint256 maxAge_) pure returns (Capital) {
    return Capital.wrap(place(valueWad, 0, 128) | place(takenAt_, 128, 40) | place(maxAge_, 168, 40));
}

function capitalValue(Capital word) pure returns (uint256) {
    return field(Capital.unwrap(word), 0, 128);
}

function takenAt(Capital word) pure returns (uint256) {
    return field(Capital.unwrap(word), 128, 40);
}

function maxAge(Capital word) pure returns (uint256) {
    return field(Capital.unwrap(word), 168, 40);
}
