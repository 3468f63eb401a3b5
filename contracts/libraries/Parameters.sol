// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WAD} from "./FixedPoint.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";
import {CashParameters} from "../types/CashWords.sol";
import {MarketParameters} from "../types/MarketWords.sol";
import {AccountParameters, CollateralParameters} from "../types/VaultWords.sol";

/// @title Bounds of parameters
/// @notice Each rule stands here once, and its words are what the error says.
library Parameters {
    function requireValid(MarketParameters memory p, uint256 toleranceWad) internal pure {
        _require(p.maintenanceBaseWad >= 0.001e18, "maintenanceBase >= 0.1%");
        _require(p.initialBaseWad >= p.maintenanceBaseWad, "initialBase >= maintenanceBase");
        _require(p.initialBaseWad <= WAD, "initialBase <= 100%");
        _require(p.profitWeightWad <= WAD, "profitWeight <= 100%");
        _require(p.lambdaMaintenanceWad >= WAD, "lambdaMaintenance >= 1");
        _require(p.lambdaInitialWad >= p.lambdaMaintenanceWad, "lambdaInitial >= lambdaMaintenance");
        _require(p.lambdaInitialWad <= 10e18, "lambdaInitial <= 10");
        _require(p.openInterestSlopeWad <= 10e18, "openInterestSlope <= 1000%");
        _require(p.skewScaleWad != 0, "skewScale > 0");
        // Then no fill is further than the maintenance base from the price.
        _require(
            p.openInterestCapWad <= (p.maintenanceBaseWad * p.skewScaleWad) / WAD,
            "openInterestCap <= maintenanceBase * skewScale"
        );
        _require(p.minimumSizeWad != 0, "minimumSize > 0");
        _require(p.takerRateWad <= 0.01e18, "takerRate <= 1%");
        _require(p.makerRateWad <= p.takerRateWad, "makerRate <= takerRate");
        _require(p.capitalShareWad <= WAD, "capitalShare <= 100%");
        _require(p.maxFundingRatePerDayWad <= 0.05e18, "maxFundingRate <= 5% a day");
        _require(p.maxFundingVelocityPerDay2Wad <= 10e18, "maxFundingVelocity <= 10 a day and day");
        _require(p.maxFundingGapSeconds != 0 && p.maxFundingGapSeconds <= 7 days, "maxFundingGap 1 s to 7 days");
        // Being liquidated is never the cheap way out.
        _require(p.discountBaseWad >= p.takerRateWad + toleranceWad, "discountBase >= takerRate + tolerance");
        _require(p.discountCapWad >= p.discountBaseWad, "discountCap >= discountBase");
        _require(p.discountSlopeWad <= WAD, "discountSlope <= 100%");
        _require(p.discountCapWad <= 0.5e18, "discountCap <= 50%");
    }

    /// @notice Sizes by their notional at this price, so that one in a wrong unit is refused. A price that has moved since refuses nothing.
    function requireSizesWithin(MarketParameters memory p, uint256 priceWad) internal pure {
        _require(p.minimumSizeWad * priceWad <= 10_000e36, "minimumSize * price <= 10,000");
        _require(p.skewScaleWad * priceWad >= 10_000e36, "skewScale * price >= 10,000");
        _require(p.skewScaleWad * priceWad <= 1e49, "skewScale * price <= 1e13");
    }

    /// @notice T <= initial base / maintenance base, or a partial liquidation would ask for more than an opening.
    function requireTargetWithin(
        uint256 targetHealthWad,
        uint256 initialBaseWad,
        uint256 maintenanceBaseWad
    ) internal pure {
        _require(
            targetHealthWad * maintenanceBaseWad <= initialBaseWad * WAD,
            "targetHealth <= initialBase / maintenanceBase"
        );
    }

    /// @notice The skew that stands already must stay within the new scale, or its impact would exceed the maintenance base.
    function requireSkewWithin(uint256 sizeWad, uint256 maintenanceBaseWad, uint256 skewScaleWad) internal pure {
        _require(sizeWad <= (maintenanceBaseWad * skewScaleWad) / WAD, "open interest <= maintenanceBase * skewScale");
    }

    function requireValid(CollateralParameters memory p, uint256 toleranceWad) internal pure {
        // Then selling it raises health, whatever the discount.
        _require(p.maintenanceWeightWad + p.discountCapWad < WAD, "maintenanceWeight + discountCap < 100%");
        _require(p.discountCapWad >= p.discountBaseWad, "discountCap >= discountBase");
        _require(p.discountSlopeWad <= WAD, "discountSlope <= 100%");
        _require(p.concentrationStartWad != 0 && p.concentrationStartWad <= WAD, "0 < concentrationStart <= 100%");
        // Being liquidated is never the cheap way to sell.
        _require(p.discountBaseWad >= toleranceWad, "discountBase >= tolerance");
        _require(p.initialWeightWad <= p.maintenanceWeightWad, "initialWeight <= maintenanceWeight");
    }

    function requireValid(CashParameters memory p) internal pure {
        _require(p.kinkWad <= WAD, "kink <= 100%");
        _require(p.rateAtZeroWad <= p.rateAtKinkWad, "rateAtZero <= rateAtKink");
        _require(p.rateAtKinkWad <= p.rateAtFullWad, "rateAtKink <= rateAtFull");
        _require(p.rateAtFullWad <= 4e18, "rateAtFull <= 400% a year");
        _require(p.reserveFactorWad <= 0.5e18, "reserveFactor <= 50%");
        _require(p.poolLossPerHourWad <= WAD, "poolLossPerHour <= 100%");
        _require(p.writeOffPerHourWad <= WAD, "writeOffPerHour <= 100%");
    }

    function requireValid(AccountParameters memory p) internal pure {
        _require(p.debtMarginWad <= 0.5e18, "debtMargin <= 50%");
        _require(p.targetHealthWad >= 1.01e18, "targetHealth >= 1.01");
        _require(p.targetHealthWad <= 2e18, "targetHealth <= 2");
        _require(p.absorbHealthWad >= 0.1e18 && p.absorbHealthWad < WAD, "10% <= absorbHealth < 1");
        _require(p.absorbPenaltyWad <= 0.1e18, "absorbPenalty <= 10%");
        _require(p.keeperShareWad + p.insuranceShareWad <= WAD, "keeperShare + insuranceShare <= 100%");
        _require(p.insuranceFeeShareWad <= WAD, "insuranceFeeShare <= 100%");
        _require(p.keeperFloorWad >= p.absorbRewardFloorWad, "keeperFloor >= absorbRewardFloor");
        _require(p.keeperFloorWad <= 1000e18, "keeperFloor <= 1,000");
        _require(p.minimumDebtWad <= 10_000e18, "minimumDebt <= 10,000");
        _require(p.absorbRewardPerHourWad <= 100_000e18, "absorbRewardPerHour <= 100,000");
        _require(p.capitalMaxAgeSeconds != 0 && p.capitalMaxAgeSeconds <= 1 days, "capitalMaxAge 1 s to 1 day");
    }

    function _require(bool holds, string memory rule) private pure {
        require(holds, IMarginVault.ParameterOutOfBounds(rule));
    }
}
