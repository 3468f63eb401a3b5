// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CashParameters} from "../../../contracts/types/CashWords.sol";
import {MarketParameters} from "../../../contracts/types/MarketWords.sol";
import {AccountParameters, CollateralParameters} from "../../../contracts/types/VaultWords.sol";

/// @notice A market like a large one in production, to change one parameter of.
function usualMarket() pure returns (MarketParameters memory p) {
    p.initialBaseWad = 0.1e18;
    p.maintenanceBaseWad = 0.05e18;
    p.profitWeightWad = 0.8e18;
    p.lambdaInitialWad = 1.5e18;
    p.lambdaMaintenanceWad = 1e18;
    p.maxFundingRatePerDayWad = 0.05e18;
    p.maxFundingVelocityPerDay2Wad = 3e18;
    p.maxFundingGapSeconds = 3 days;
    p.skewScaleWad = 1e24;
    p.openInterestCapWad = 5e22;
    p.minimumSizeWad = 0.01e18;
    p.takerRateWad = 0.0006e18;
    p.makerRateWad = 0.0002e18;
    p.capitalShareWad = 0.25e18;
    p.discountBaseWad = 0.01e18;
    p.discountSlopeWad = 0.1e18;
    p.discountCapWad = 0.03e18;
}

function usualAccounts() pure returns (AccountParameters memory p) {
    p.debtMarginWad = 0.1e18;
    p.targetHealthWad = 1.1e18;
    p.absorbHealthWad = 0.4e18;
    p.absorbPenaltyWad = 0.01e18;
    p.keeperShareWad = 0.2e18;
    p.insuranceShareWad = 0.3e18;
    p.insuranceFeeShareWad = 0.1e18;
    p.keeperFloorWad = 5e18;
    p.minimumDebtWad = 10e18;
    p.absorbRewardFloorWad = 2e18;
    p.absorbRewardPerHourWad = 1000e18;
    p.capitalMaxAgeSeconds = 1 hours;
}

function usualCollateral() pure returns (CollateralParameters memory p) {
    p.initialWeightWad = 0.8e18;
    p.maintenanceWeightWad = 0.9e18;
    p.depositCap = 1e24;
    p.concentrationStartWad = 1e18;
    p.discountBaseWad = 0.01e18;
    p.discountSlopeWad = 0.1e18;
    p.discountCapWad = 0.05e18;
}

function usualCash() pure returns (CashParameters memory p) {
    p.kinkWad = 0.8e18;
    p.rateAtZeroWad = 0.01e18;
    p.rateAtKinkWad = 0.05e18;
    p.rateAtFullWad = 0.5e18;
    p.reserveFactorWad = 0.1e18;
    p.poolLossPerHourWad = 0.05e18;
    p.writeOffPerHourWad = 0.02e18;
}
