// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IMarginVault} from "../../../contracts/interfaces/IMarginVault.sol";
import {Parameters} from "../../../contracts/libraries/Parameters.sol";
import {CashParameters} from "../../../contracts/types/CashWords.sol";
import {MarketParameters} from "../../../contracts/types/MarketWords.sol";
import {AccountParameters, CollateralParameters} from "../../../contracts/types/VaultWords.sol";
import {usualAccounts, usualCash, usualCollateral, usualMarket} from "../support/Markets.sol";
import {Test} from "../support/Test.sol";

contract ParametersTest is Test {
    uint256 private constant TOLERANCE = 0.005e18;

    function test_AcceptsUsualParameters() external view {
        this.requireMarket(usualMarket());
        this.requireAccounts(usualAccounts());
        this.requireCollateral(usualCollateral());
        this.requireCash(usualCash());
        this.requireTarget(1.1e18, 0.1e18, 0.05e18);
    }

    function test_AcceptsAMarketAtEveryBound() external view {
        MarketParameters memory p = usualMarket();
        p.maintenanceBaseWad = 0.001e18;
        p.initialBaseWad = 0.001e18;
        p.profitWeightWad = 1e18;
        p.lambdaMaintenanceWad = 1e18;
        p.lambdaInitialWad = 1e18;
        p.openInterestCapWad = 1e21; // 0.1% of the skew scale
        p.minimumSizeWad = 1e9;
        p.takerRateWad = 0.01e18;
        p.makerRateWad = 0.01e18;
        p.capitalShareWad = 1e18;
        p.openInterestSlopeWad = 10e18;
        p.maxFundingRatePerDayWad = 0.05e18;
        p.maxFundingGapSeconds = 1;
        p.discountBaseWad = 0.015e18; // taker rate and tolerance
        p.discountCapWad = 0.015e18;
        this.requireMarket(p);
        p.initialBaseWad = 1e18;
        p.lambdaInitialWad = 10e18;
        p.lambdaMaintenanceWad = 10e18;
        p.maxFundingVelocityPerDay2Wad = 10e18;
        p.maxFundingGapSeconds = 7 days;
        p.discountSlopeWad = 1e18;
        p.discountCapWad = 0.5e18;
        this.requireMarket(p);
    }

    function test_RefusesAMaintenanceBaseNearZero() external {
        MarketParameters memory p = usualMarket();
        p.maintenanceBaseWad = 0.000999e18;
        _refuses(p, "maintenanceBase >= 0.1%");
    }

    function test_RefusesAnInitialBaseBelowMaintenance() external {
        MarketParameters memory p = usualMarket();
        p.initialBaseWad = p.maintenanceBaseWad - 1;
        _refuses(p, "initialBase >= maintenanceBase");
    }

    function test_RefusesAnInitialBaseAboveOne() external {
        MarketParameters memory p = usualMarket();
        p.initialBaseWad = 1e18 + 1;
        _refuses(p, "initialBase <= 100%");
    }

    function test_RefusesAProfitWeightAboveOne() external {
        MarketParameters memory p = usualMarket();
        p.profitWeightWad = 1e18 + 1;
        _refuses(p, "profitWeight <= 100%");
    }

    function test_RefusesALambdaBelowOne() external {
        MarketParameters memory p = usualMarket();
        p.lambdaMaintenanceWad = 1e18 - 1;
        _refuses(p, "lambdaMaintenance >= 1");
    }

    function test_RefusesAnInitialLambdaBelowMaintenance() external {
        MarketParameters memory p = usualMarket();
        p.lambdaInitialWad = p.lambdaMaintenanceWad - 1;
        _refuses(p, "lambdaInitial >= lambdaMaintenance");
    }

    function test_RefusesAnOpenInterestSlopeAboveTen() external {
        MarketParameters memory p = usualMarket();
        p.openInterestSlopeWad = 10e18 + 1;
        _refuses(p, "openInterestSlope <= 1000%");
    }

    function test_RefusesAMarketWithoutSkewScale() external {
        MarketParameters memory p = usualMarket();
        p.skewScaleWad = 0;
        _refuses(p, "skewScale > 0");
    }

    function test_RefusesAnOpenInterestCapThatLetsFillsStray() external {
        MarketParameters memory p = usualMarket();
        p.openInterestCapWad = 5e22 + 1;
        _refuses(p, "openInterestCap <= maintenanceBase * skewScale");
    }

    function test_RefusesAMarketWithoutMinimumSize() external {
        MarketParameters memory p = usualMarket();
        p.minimumSizeWad = 0;
        _refuses(p, "minimumSize > 0");
    }

    function test_RefusesATakerRateAboveOnePercent() external {
        MarketParameters memory p = usualMarket();
        p.takerRateWad = 0.01e18 + 1;
        _refuses(p, "takerRate <= 1%");
    }

    function test_RefusesAMakerRateAboveTheTakerRate() external {
        MarketParameters memory p = usualMarket();
        p.makerRateWad = p.takerRateWad + 1;
        _refuses(p, "makerRate <= takerRate");
    }

    function test_RefusesACapitalShareAboveOne() external {
        MarketParameters memory p = usualMarket();
        p.capitalShareWad = 1e18 + 1;
        _refuses(p, "capitalShare <= 100%");
    }

    function test_RefusesAFundingRateAboveFivePercentADay() external {
        MarketParameters memory p = usualMarket();
        p.maxFundingRatePerDayWad = 0.05e18 + 1;
        _refuses(p, "maxFundingRate <= 5% a day");
    }

    function test_RefusesAFundingGapOfZeroOrOverAWeek() external {
        MarketParameters memory p = usualMarket();
        p.maxFundingGapSeconds = 0;
        _refuses(p, "maxFundingGap 1 s to 7 days");
        p.maxFundingGapSeconds = 7 days + 1;
        _refuses(p, "maxFundingGap 1 s to 7 days");
    }

    function test_RefusesAFundingVelocityAboveTenADayAndDay() external {
        MarketParameters memory p = usualMarket();
        p.maxFundingVelocityPerDay2Wad = 10e18 + 1;
        _refuses(p, "maxFundingVelocity <= 10 a day and day");
    }

    function test_RefusesALambdaAboveTen() external {
        MarketParameters memory p = usualMarket();
        p.lambdaInitialWad = 10e18 + 1;
        _refuses(p, "lambdaInitial <= 10");
    }

    function test_RefusesADiscountSlopeAboveOne() external {
        MarketParameters memory p = usualMarket();
        p.discountSlopeWad = 1e18 + 1;
        _refuses(p, "discountSlope <= 100%");
        CollateralParameters memory c = usualCollateral();
        c.discountSlopeWad = 1e18;
        this.requireCollateral(c);
        c.discountSlopeWad = 1e18 + 1;
        _expect("discountSlope <= 100%");
        this.requireCollateral(c);
    }

    function test_RefusesAMinimumSizeThatIsLargeAtThePrice() external {
        MarketParameters memory p = usualMarket();
        p.minimumSizeWad = 5e18;
        this.requireSizes(p, 2000e18);
        _expect("minimumSize * price <= 10,000");
        this.requireSizes(p, 2000e18 + 1);
    }

    function test_RefusesASkewScaleInAnotherUnitThanItsPrice() external {
        MarketParameters memory p = usualMarket();
        p.minimumSizeWad = 1e9;
        this.requireSizes(p, 0.01e18); // a million of them
        _expect("skewScale * price >= 10,000");
        this.requireSizes(p, 0.01e18 - 1);
        p.skewScaleWad = 1e22;
        this.requireSizes(p, 1e27);
        p.skewScaleWad += 1;
        _expect("skewScale * price <= 1e13");
        this.requireSizes(p, 1e27);
    }

    function test_RefusesADiscountThatMakesLiquidationTheCheapWayOut() external {
        MarketParameters memory p = usualMarket();
        p.discountBaseWad = p.takerRateWad + TOLERANCE - 1;
        _refuses(p, "discountBase >= takerRate + tolerance");
    }

    function test_RefusesADiscountCapBelowItsBase() external {
        MarketParameters memory p = usualMarket();
        p.discountCapWad = p.discountBaseWad - 1;
        _refuses(p, "discountCap >= discountBase");
    }

    function test_RefusesADiscountCapAboveHalf() external {
        MarketParameters memory p = usualMarket();
        p.discountCapWad = 0.5e18 + 1;
        _refuses(p, "discountCap <= 50%");
    }

    function test_RefusesATargetHealthAboveWhatAnOpeningNeeds() external {
        this.requireTarget(2e18, 0.1e18, 0.05e18);
        _expect("targetHealth <= initialBase / maintenanceBase");
        this.requireTarget(2e18 + 1, 0.1e18, 0.05e18);
    }

    function test_RefusesASkewScaleThatStandingSkewWouldExceed() external {
        this.requireSkew(5e22, 0.05e18, 1e24);
        _expect("open interest <= maintenanceBase * skewScale");
        this.requireSkew(5e22 + 1, 0.05e18, 1e24);
    }

    function test_RefusesACollateralWhoseSaleWouldNotRaiseHealth() external {
        CollateralParameters memory p = usualCollateral();
        p.maintenanceWeightWad = 1e18 - p.discountCapWad - 1;
        this.requireCollateral(p);
        p.maintenanceWeightWad += 1;
        _expect("maintenanceWeight + discountCap < 100%");
        this.requireCollateral(p);
    }

    function test_RefusesACollateralWithADiscountBelowItsToleranceOrAboveItsCap() external {
        CollateralParameters memory p = usualCollateral();
        p.discountBaseWad = TOLERANCE;
        this.requireCollateral(p);
        p.discountBaseWad = TOLERANCE - 1;
        _expect("discountBase >= tolerance");
        this.requireCollateral(p);
        p.discountBaseWad = p.discountCapWad + 1;
        _expect("discountCap >= discountBase");
        this.requireCollateral(p);
    }

    function test_RefusesAConcentrationThatStartsAtNothingOrBeyondTheCap() external {
        CollateralParameters memory p = usualCollateral();
        p.concentrationStartWad = 1;
        this.requireCollateral(p);
        p.concentrationStartWad = 0;
        _expect("0 < concentrationStart <= 100%");
        this.requireCollateral(p);
        p.concentrationStartWad = 1e18 + 1;
        _expect("0 < concentrationStart <= 100%");
        this.requireCollateral(p);
    }

    function test_RefusesAnInitialWeightAboveMaintenance() external {
        CollateralParameters memory p = usualCollateral();
        p.initialWeightWad = p.maintenanceWeightWad;
        this.requireCollateral(p);
        p.initialWeightWad += 1;
        _expect("initialWeight <= maintenanceWeight");
        this.requireCollateral(p);
    }

    function test_AcceptsCashAtEveryBound() external view {
        CashParameters memory p;
        this.requireCash(p);
        p.kinkWad = 1e18;
        (p.rateAtZeroWad, p.rateAtKinkWad, p.rateAtFullWad) = (4e18, 4e18, 4e18);
        p.reserveFactorWad = 0.5e18;
        (p.poolLossPerHourWad, p.writeOffPerHourWad) = (1e18, 1e18);
        this.requireCash(p);
    }

    function test_RefusesAKinkAboveFullUtilisation() external {
        CashParameters memory p = usualCash();
        p.kinkWad = 1e18 + 1;
        _refuses(p, "kink <= 100%");
    }

    function test_RefusesARateThatFallsAsUtilisationRises() external {
        CashParameters memory p = usualCash();
        p.rateAtZeroWad = p.rateAtKinkWad + 1;
        _refuses(p, "rateAtZero <= rateAtKink");
        p = usualCash();
        p.rateAtFullWad = p.rateAtKinkWad - 1;
        _refuses(p, "rateAtKink <= rateAtFull");
    }

    function test_RefusesARateThatItsFieldHasNoRoomFor() external {
        CashParameters memory p = usualCash();
        p.rateAtFullWad = 4e18 + 1;
        _refuses(p, "rateAtFull <= 400% a year");
    }

    function test_RefusesAReserveFactorAboveHalf() external {
        CashParameters memory p = usualCash();
        p.reserveFactorWad = 0.5e18 + 1;
        _refuses(p, "reserveFactor <= 50%");
    }

    function test_RefusesLossesOfMoreThanAll() external {
        CashParameters memory p = usualCash();
        p.poolLossPerHourWad = 1e18 + 1;
        _refuses(p, "poolLossPerHour <= 100%");
        p = usualCash();
        p.writeOffPerHourWad = 1e18 + 1;
        _refuses(p, "writeOffPerHour <= 100%");
    }

    function test_AcceptsAccountsAtEveryBound() external view {
        AccountParameters memory p = usualAccounts();
        p.debtMarginWad = 0.5e18;
        p.targetHealthWad = 1.01e18;
        p.absorbHealthWad = 1e18 - 1;
        p.absorbPenaltyWad = 0.1e18;
        p.keeperShareWad = 0.3e18;
        p.insuranceShareWad = 0.7e18;
        p.insuranceFeeShareWad = 1e18;
        p.keeperFloorWad = p.absorbRewardFloorWad;
        p.capitalMaxAgeSeconds = 1 days;
        this.requireAccounts(p);
        p.capitalMaxAgeSeconds = 1;
        p.absorbHealthWad = 0.1e18;
        p.targetHealthWad = 2e18;
        p.keeperFloorWad = 1000e18;
        p.minimumDebtWad = 10_000e18;
        p.absorbRewardPerHourWad = 100_000e18;
        this.requireAccounts(p);
    }

    function test_RefusesADebtMarginAboveHalf() external {
        AccountParameters memory p = usualAccounts();
        p.debtMarginWad = 0.5e18 + 1;
        _refuses(p, "debtMargin <= 50%");
    }

    function test_RefusesATargetHealthAboveTwo() external {
        AccountParameters memory p = usualAccounts();
        p.targetHealthWad = 2e18 + 1;
        _refuses(p, "targetHealth <= 2");
    }

    function test_RefusesAmountsThatNoSmallAccountCouldHave() external {
        AccountParameters memory p = usualAccounts();
        p.keeperFloorWad = 1000e18 + 1;
        _refuses(p, "keeperFloor <= 1,000");
        p = usualAccounts();
        p.minimumDebtWad = 10_000e18 + 1;
        _refuses(p, "minimumDebt <= 10,000");
    }

    function test_RefusesAnHourOfRewardsThatWouldEmptyInsurance() external {
        AccountParameters memory p = usualAccounts();
        p.absorbRewardPerHourWad = 100_000e18 + 1;
        _refuses(p, "absorbRewardPerHour <= 100,000");
    }

    function test_RefusesATargetHealthThatLeavesNoBuffer() external {
        AccountParameters memory p = usualAccounts();
        p.targetHealthWad = 1.01e18 - 1;
        _refuses(p, "targetHealth >= 1.01");
    }

    function test_RefusesToAbsorbHealthyAccounts() external {
        AccountParameters memory p = usualAccounts();
        p.absorbHealthWad = 1e18;
        _refuses(p, "10% <= absorbHealth < 1");
    }

    function test_RefusesAnAbsorbHealthNearZero() external {
        AccountParameters memory p = usualAccounts();
        p.absorbHealthWad = 0.1e18 - 1;
        _refuses(p, "10% <= absorbHealth < 1");
    }

    function test_RefusesAPenaltyAboveTenPercent() external {
        AccountParameters memory p = usualAccounts();
        p.absorbPenaltyWad = 0.1e18 + 1;
        _refuses(p, "absorbPenalty <= 10%");
    }

    function test_RefusesSharesOfMoreThanTheFee() external {
        AccountParameters memory p = usualAccounts();
        p.keeperShareWad = 0.5e18;
        p.insuranceShareWad = 0.5e18 + 1;
        _refuses(p, "keeperShare + insuranceShare <= 100%");
    }

    function test_RefusesAnInsuranceFeeShareAboveOne() external {
        AccountParameters memory p = usualAccounts();
        p.insuranceFeeShareWad = 1e18 + 1;
        _refuses(p, "insuranceFeeShare <= 100%");
    }

    function test_RefusesAKeeperFloorBelowTheReward() external {
        AccountParameters memory p = usualAccounts();
        p.keeperFloorWad = p.absorbRewardFloorWad - 1;
        _refuses(p, "keeperFloor >= absorbRewardFloor");
    }

    function test_RefusesACapitalAgeOfZeroOrOverADay() external {
        AccountParameters memory p = usualAccounts();
        p.capitalMaxAgeSeconds = 0;
        _refuses(p, "capitalMaxAge 1 s to 1 day");
        p.capitalMaxAgeSeconds = 1 days + 1;
        _refuses(p, "capitalMaxAge 1 s to 1 day");
    }

    function requireMarket(MarketParameters calldata p) external pure {
        Parameters.requireValid(p, TOLERANCE);
    }

    function requireSizes(MarketParameters calldata p, uint256 priceWad) external pure {
        Parameters.requireSizesWithin(p, priceWad);
    }

    function requireAccounts(AccountParameters calldata p) external pure {
        Parameters.requireValid(p);
    }

    function requireCollateral(CollateralParameters calldata p) external pure {
        Parameters.requireValid(p, TOLERANCE);
    }

    function requireCash(CashParameters calldata p) external pure {
        Parameters.requireValid(p);
    }

    function requireTarget(uint256 target, uint256 initialBase, uint256 maintenanceBase) external pure {
        Parameters.requireTargetWithin(target, initialBase, maintenanceBase);
    }

    function requireSkew(uint256 size, uint256 maintenanceBase, uint256 skewScale) external pure {
        Parameters.requireSkewWithin(size, maintenanceBase, skewScale);
    }

    function _refuses(MarketParameters memory p, string memory rule) private {
        _expect(rule);
        this.requireMarket(p);
    }

    function _refuses(AccountParameters memory p, string memory rule) private {
        _expect(rule);
        this.requireAccounts(p);
    }

    function _refuses(CashParameters memory p, string memory rule) private {
        _expect(rule);
        this.requireCash(p);
    }

    function _expect(string memory rule) private {
        vm.expectRevert(abi.encodeWithSelector(IMarginVault.ParameterOutOfBounds.selector, rule));
    }
}
