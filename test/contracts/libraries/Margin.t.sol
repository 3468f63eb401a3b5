// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Health} from "../../../contracts/interfaces/IMarginVault.sol";
import {Margin, Sums} from "../../../contracts/libraries/Margin.sol";
import {Side, Sides} from "../../../contracts/libraries/Sides.sol";
import {AccountId, accountIdOf} from "../../../contracts/types/AccountId.sol";
import {Account} from "../../../contracts/types/Account.sol";
import {AssetSet, MarketId, collateralAsset} from "../../../contracts/types/AssetSet.sol";
import {
    EpochsWord,
    MarketParameters,
    MarketRisk,
    SIDES_TOUCHED,
    toMarketRisk,
    toMarketState,
    toMarketTotals,
    toSideWord
} from "../../../contracts/types/MarketWords.sol";
import {toPosition} from "../../../contracts/types/Position.sol";
import {Price, toPrice} from "../../../contracts/types/Price.sol";
import {VaultStorage} from "../../../contracts/types/VaultStorage.sol";
import {AccountRisk, CollateralParameters, toAccountRisk, toCollateral} from "../../../contracts/types/VaultWords.sol";
import {usualAccounts, usualCollateral, usualMarket} from "../support/Markets.sol";
import {Test} from "../support/Test.sol";

/// @dev Maintenance base 5%, initial 10%, lambda 1 and 1.5, skew scale 1e6, gains at 80%; collateral at 90% and 80%;
/// debt margin 10%, keeper floor 5.
contract MarginTest is Test {
    using Margin for Health;

    uint256 private constant NOW = 1_700_000_000;
    MarketId private constant ETHER = MarketId.wrap(3);
    MarketId private constant BITCOIN = MarketId.wrap(70);
    AccountId private immutable ALICE = accountIdOf(address(0xa11ce), 0);

    VaultStorage private $;
    AccountRisk private accounts = toAccountRisk(usualAccounts());

    function setUp() external {
        vm.warp(NOW);
        $.markets[ETHER].risk = toMarketRisk(usualMarket());
        $.markets[ETHER].state = toMarketState(0, 0, 0, NOW, 0);
        $.markets[BITCOIN].risk = toMarketRisk(usualMarket());
        $.markets[BITCOIN].state = toMarketState(0, 0, 0, NOW, 0);
        $.collaterals[0] = toCollateral(usualCollateral(), 18, 0);
        $.collaterals[5] = toCollateral(usualCollateral(), 8, 0);
    }

    // ------------------------------------------------------------------ requirement of a leg

    function test_ALegRequiresItsBaseAndItsTier() external pure {
        // 100 of size, notional 200,000: 5% + 100 / 2e6
        (uint256 maintenance, uint256 initial) = _requirements(100e18, 2000e18, usualMarket());
        assertEq(maintenance, 10_010e18, "maintenance");
        assertEq(initial, 20_015e18, "initial");
    }

    function test_RoundsTheRequirementUp() external pure {
        (uint256 maintenance, uint256 initial) = _requirements(1, 1, usualMarket());
        assertEq(maintenance, 1, "a trace of maintenance");
        assertEq(initial, 1, "a trace of initial");
        // notional 1 and a wei, its ratio 5% + 5e-7 and a wei, their product and a wei
        (maintenance, ) = _requirements(1e18 + 1, 1e18, usualMarket());
        assertEq(maintenance, 0.05e18 + 5e11 + 2, "each rounding");
    }

    function testFuzz_TheRequirementIsTheExactOneRoundedUp(
        uint256 size,
        uint256 price,
        uint256 base,
        uint256 lambda
    ) external pure {
        size = bound(size, 1, 1e23);
        price = bound(price, 1, 1e23);
        MarketParameters memory p = usualMarket();
        (p.maintenanceBaseWad, p.lambdaMaintenanceWad) = (bound(base, 1, 1e6) * 1e12, bound(lambda, 1, 16e6) * 1e12);
        (p.initialBaseWad, p.lambdaInitialWad) = (p.maintenanceBaseWad, p.lambdaMaintenanceWad);
        (uint256 maintenance, uint256 initial) = _requirements(size, price, p);
        uint256 notional = (size * price + 1e18 - 1) / 1e18;
        // times 2 * skew scale * 1e18
        uint256 exact = notional * (p.maintenanceBaseWad * 2e24 + p.lambdaMaintenanceWad * size);
        assertGe(maintenance * 2e42, exact, "below the exact requirement");
        assertLe(maintenance * 2e42, exact + notional * 2e24 + 2e42, "more than its two roundings above");
        assertEq(initial, maintenance, "one formula for both");
    }

    function testFuzz_INV31_TheRequirementHasNoCliff(uint256 size, uint256 more, uint256 price) external pure {
        size = bound(size, 1, 5e22);
        more = bound(more, 0, 1e18);
        price = bound(price, 1e12, 1e23);
        (uint256 before, ) = _requirements(size, price, usualMarket());
        (uint256 afterwards, ) = _requirements(size + more, price, usualMarket());
        assertGe(afterwards, before, "a larger position requires less");
        // At most the marginal requirement at the larger size, base + lambda * size / skew scale, and a wei of the rate.
        uint256 marginal = 0.05e18 + (size + more) / 1e6 + 1;
        uint256 most = (more * price * (marginal / 1e6)) / 1e30 + price / 1e6 / 1e12;
        assertLe(afterwards - before, most + ((size + more) * price) / 1e36 + 3, "a jump");
    }

    // ------------------------------------------------------------------ positions

    function test_AGainCountsInPartForInitialMarginOnly() external view {
        Sums memory sums = _sumsOfLeg(100e18, 190_000e18, 2000e18, true, false); // worth 200,000
        assertEq(sums.equityMaintenance, 10_000e18, "maintenance");
        assertEq(sums.equityInitial, 8_000e18, "initial");
        assertEq(sums.unrealized, 10_000e18, "unrealised");
        assertEq(sums.requirementMaintenance, 10_010e18, "requirement");
        assertEq(sums.requirementInitial, 20_015e18, "initial requirement");
        assertTrue(sums.hasPosition, "a position");
    }

    function test_ALossCountsInFull() external view {
        Sums memory sums = _sumsOfLeg(-100e18, -190_000e18, 2000e18, true, false);
        assertEq(sums.equityMaintenance, -10_000e18, "maintenance");
        assertEq(sums.equityInitial, -10_000e18, "initial");
        assertEq(sums.unrealized, -10_000e18, "unrealised");
    }

    function test_ThePoolsGainCountsInFull() external view {
        Sums memory sums = _sumsOfLeg(100e18, 190_000e18, 2000e18, true, true);
        assertEq(sums.equityInitial, 10_000e18, "initial");
    }

    function test_GainsAreWeightedEachAloneAndLossesAreNotNetted() external {
        _hold(ETHER, 100e18, 190_000e18); // + 10,000
        _hold(BITCOIN, -1e18, -50_000e18); // price 60,000: - 10,000
        Health memory health = _health(20_000e18, true, true, true);
        assertEq(health.equityMaintenanceWad, 20_000e18, "maintenance");
        assertEq(health.equityInitialWad, 18_000e18, "initial");
        assertEq(health.netCashWad, 20_000e18, "net cash");
    }

    function test_ACostWithoutSharesCountsButRequiresNothing() external view {
        Sums memory sums = _sumsOfLeg(0, -300e18, 2000e18, false, true);
        assertEq(sums.equityMaintenance, 300e18, "maintenance");
        assertEq(sums.requirementMaintenance + sums.requirementInitial, 0, "requirements");
        assertTrue(!sums.hasPosition, "no position");
    }

    function test_AStaleMarketIsMarked() external {
        _hold(ETHER, 100e18, 190_000e18);
        assertTrue(_health(0, true, true, true).pricesFresh, "fresh");
        assertTrue(!_health(0, false, true, true).pricesFresh, "stale");
        assertEq(_health(0, false, true, true).equityMaintenanceWad, 10_000e18, "at its last price");
    }

    function test_FundingThatHasAccruedIsPartOfTheValue() external {
        // 0.01 a day of 2000: 20 per unit
        $.markets[ETHER].state = toMarketState(0, int256(uint256(0.01e24) / 86400), 0, NOW - 1 days, 0);
        _hold(ETHER, 100e18, 200_000e18);
        assertNear(_health(0, true, true, true).equityMaintenanceWad, -2000e18, 1e9, "the long has paid");
        _hold(ETHER, -100e18, -200_000e18);
        assertNear(_health(0, true, true, true).equityMaintenanceWad, 2000e18, 1e9, "the short has got");
    }

    function test_RoundsTheValueOfSharesDown() external pure {
        Side memory long = Sides.untouched(1, 0);
        assertEq(Margin.valueFloor(long, 1, 0, 1.5e18), 1, "1.5 of a long");
        assertEq(Margin.valueFloor(Sides.untouched(-1, 0), -1, 0, 1.5e18), -2, "-1.5 of a short");
        assertEq(Margin.valueFloor(long, 1e18, 2000e18, 1999e18), -1e18, "less its cost");
    }

    function testFuzz_OnePositionAddedApartEqualsAllCollected(int120 shares, int120 cost, int256 cash) external {
        shares = int120(bound(shares, -1e24, 1e24));
        if (shares == 0) shares = 1;
        cost = int120(bound(cost, -1e28, 1e28));
        cash = bound(cash, -1e28, 1e28);
        _hold(ETHER, shares, cost);
        _hold(BITCOIN, -2e18, -100_000e18);
        $.collateralOf[ALICE][5] = 3e8;
        (Account word, AssetSet priced, Price[] memory prices) = _book(true, true, true);
        Sums memory all = Margin.collect($, ALICE, word, priced, prices, false, Margin.NO_ASSET);
        Sums memory others = Margin.collect($, ALICE, word, priced, prices, false, 3);
        Sums memory apart = Margin.copy(others);
        Side memory side = Sides.untouched(shares < 0 ? int256(-1) : int256(1), 0);
        Margin.addLeg(apart, side, shares, cost, $.markets[ETHER].risk, 0.1e18, prices[priced.rank(3)], false);
        assertTrue(
            keccak256(abi.encode(Margin.total(all, cash, accounts))) ==
                keccak256(abi.encode(Margin.total(apart, cash, accounts))),
            "health"
        );
        assertEq(others.equityMaintenance, _othersEquity(), "what was copied stays");
    }

    // ------------------------------------------------------------------ collateral

    function test_CollateralCountsByItsWeightAndDecimals() external {
        $.collateralOf[ALICE][0] = 2e18; // at 3000
        $.collateralOf[ALICE][5] = 0.5e8; // eight decimals, at 40,000
        Health memory health = _health(0, true, true, true);
        assertEq(health.equityMaintenanceWad, 5_400e18 + 18_000e18, "maintenance");
        assertEq(health.equityInitialWad, 4_800e18 + 16_000e18, "initial");
        assertEq(health.netCashWad, 0, "collateral is not cash");
    }

    function test_StaleCollateralCountsForMaintenanceOnly() external {
        $.collateralOf[ALICE][0] = 2e18;
        $.collateralOf[ALICE][5] = 0.5e8;
        Health memory health = _health(0, true, false, true);
        assertEq(health.equityMaintenanceWad, 23_400e18, "maintenance, at its last price");
        assertEq(health.equityInitialWad, 16_000e18, "initial: only the fresh one");
        assertTrue(health.pricesFresh, "a stale collateral stops no market");
    }

    function test_RoundsCollateralDown() external {
        CollateralParameters memory p = usualCollateral();
        $.collaterals[0] = toCollateral(p, 18, 0);
        $.collateralOf[ALICE][0] = 1; // 3000 wei at 90%, 80%
        assertEq(_health(0, true, true, true).equityMaintenanceWad, 2700, "exact");
        Price price = toPrice(1.999e18, 0, NOW, 60);
        assertEq(Margin.collateralValueDown($.collaterals[0], 1, price), 1, "1.999 wei");
    }

    /// @dev A cap of 1000 whose half may stand before concentration counts; 3000 each at 90% and 80%.
    function test_WhatIsHeldBeyondTheStartOfConcentrationCountsNothingForInitialMargin() external {
        CollateralParameters memory p = usualCollateral();
        (p.depositCap, p.concentrationStartWad) = (1000e18, 0.5e18);
        $.collateralOf[ALICE][0] = 2e18;
        $.collaterals[0] = toCollateral(p, 18, 500e18);
        assertEq(_health(0, true, true, true).equityInitialWad, 4_800e18, "at the start");
        $.collaterals[0] = toCollateral(p, 18, 800e18);
        Health memory health = _health(0, true, true, true);
        assertEq(health.equityInitialWad, 3_000e18, "five eighths of it, for everybody");
        assertEq(health.equityMaintenanceWad, 5_400e18, "nothing of it for maintenance");
        $.collaterals[0] = toCollateral(p, 18, 500e18 + 1);
        assertLe(_health(0, true, true, true).equityInitialWad, 4_800e18 - 1, "a unit beyond the start");
        p.concentrationStartWad = 1e18;
        $.collaterals[0] = toCollateral(p, 18, 1000e18);
        assertEq(_health(0, true, true, true).equityInitialWad, 4_800e18, "a start at the cap");
    }

    /// @dev All that is held counts for no more than the start does: so it is of no use to hold it in many accounts.
    function testFuzz_INV32_AllHoldersTogetherCountNoMoreThanTheStart(
        uint96 held,
        uint256 share,
        uint256 start
    ) external {
        CollateralParameters memory p = usualCollateral();
        p.concentrationStartWad = bound(start, 1, 10_000) * 1e14;
        $.collaterals[0] = toCollateral(p, 18, held);
        uint256 part = bound(share, 0, held);
        $.collateralOf[ALICE][0] = part;
        int256 one = part == 0 ? int256(0) : _health(0, true, true, true).equityInitialWad;
        $.collateralOf[ALICE][0] = held - part;
        int256 other = part == held ? int256(0) : _health(0, true, true, true).equityInitialWad;
        uint256 counts = (p.depositCap * p.concentrationStartWad) / 1e18;
        uint256 most = held < counts ? held : counts;
        assertLe(one + other, int256((most * 3000 * 8) / 10), "more than the start counts for");
        assertGe(one + other, int256((most * 3000 * 8) / 10) - int256((uint256(held) * 3000) / 1e18 + 10), "far less");
    }

    // ------------------------------------------------------------------ open interest

    function test_TheInitialBaseRisesWithOpenInterest() external pure {
        MarketParameters memory p = usualMarket();
        assertEq(Margin.initialBaseUp(toMarketRisk(p), 5e22), 0.1e18, "not without a slope");
        p.openInterestSlopeWad = 2e18;
        assertEq(Margin.initialBaseUp(toMarketRisk(p), 0), 0.1e18, "no open interest");
        assertEq(Margin.initialBaseUp(toMarketRisk(p), 5e22), 0.2e18, "a twentieth of the skew scale");
        assertEq(Margin.initialBaseUp(toMarketRisk(p), 1), 0.1e18 + 1, "rounded up");
        assertEq(Margin.initialBaseUp(toMarketRisk(p), 4.5e23), 1e18, "to one");
        assertEq(Margin.initialBaseUp(toMarketRisk(p), 4.6e23), 1e18, "and no further");
    }

    function test_OpenInterestRaisesTheInitialRequirementAlone() external {
        _hold(ETHER, 100e18, 200_000e18);
        Health memory before = _health(20_000e18, true, true, true);
        MarketParameters memory p = usualMarket();
        p.openInterestSlopeWad = 2e18;
        $.markets[ETHER].risk = toMarketRisk(p);
        $.markets[ETHER].totals = toMarketTotals(3e22, 5e22, 0);
        Health memory raised = _health(20_000e18, true, true, true);
        assertEq(raised.requirementInitialWad - before.requirementInitialWad, 20_000e18, "10% more of 200,000");
        assertEq(raised.requirementMaintenanceWad, before.requirementMaintenanceWad, "maintenance");
        assertEq(raised.equityInitialWad, before.equityInitialWad, "equity");
    }

    // ------------------------------------------------------------------ sides that were deleveraged

    /// @dev Of 100 shares half was sold at 1900; funding has taken 4 of each unit since.
    function test_APositionOfADeleveragedSideCountsByItsSizeAndItsCarry() external {
        $.markets[ETHER].longSide = toSideWord(5e26, 950e27);
        $.markets[ETHER].state = toMarketState(4e18, 0, 0, NOW, SIDES_TOUCHED);
        _hold(ETHER, 100e18, 200_000e18);
        Health memory health = _health(0, true, true, true);
        assertEq(health.equityMaintenanceWad, 100_000e18 + 95_000e18 - 200e18 - 200_000e18, "value");
        // 50 of size, notional 100,000: 5% + 50 / 2e6; 5; and a tenth of what it has lost
        assertEq(health.requirementMaintenanceWad, 5_002.5e18 + 5e18 + 520e18, "requirement");
    }

    function test_APositionOfAnEndedEpochCountsWithItsResultAndRequiresTheKeeperFloor() external {
        $.markets[ETHER].longSide = toSideWord(1e27, 0);
        $.markets[ETHER].ends[Sides.endKey(true, 0)] = toSideWord(0, 2100e27);
        $.markets[ETHER].epochs = EpochsWord.wrap(1);
        $.markets[ETHER].state = toMarketState(0, 0, 0, NOW, SIDES_TOUCHED);
        _hold(ETHER, 100e18, 200_000e18);
        Health memory health = _health(0, false, true, true);
        assertEq(health.equityMaintenanceWad, 10_000e18, "its gain");
        assertEq(health.equityInitialWad, 8_000e18, "of which part counts until it is settled");
        assertEq(health.requirementMaintenanceWad, 5e18, "requirement");
        assertTrue(health.pricesFresh, "its price is of no matter");
    }

    // ------------------------------------------------------------------ debt, floor, health

    function test_DebtMarginIsDueOnNetCashNotOnCash() external {
        _hold(ETHER, 100e18, 190_000e18); // + 10,000
        uint256 leg = 10_010e18 + 5e18;
        assertEq(_health(-10_000e18, true, true, true).requirementMaintenanceWad, leg, "covered by the gain");
        assertEq(_health(-12_000e18, true, true, true).requirementMaintenanceWad, leg + 200e18, "2,000 are not");
        assertEq(_health(-12_000e18, true, true, true).requirementInitialWad, 20_220e18, "initial the same");
        _hold(ETHER, 100e18, 210_000e18); // - 10,000
        assertEq(_health(9_000e18, true, true, true).requirementMaintenanceWad, leg + 100e18, "a loss beyond the cash");
    }

    function test_TheKeeperFloorIsChargedOnce() external {
        assertEq(_health(100e18, true, true, true).requirementMaintenanceWad, 0, "neither position nor debt");
        assertEq(_health(-100e18, true, true, true).requirementMaintenanceWad, 15e18, "a debt");
        _hold(ETHER, 100e18, 200_000e18);
        assertEq(_health(0, true, true, true).requirementMaintenanceWad, 10_015e18, "one position");
        _hold(BITCOIN, -1e18, -60_000e18);
        uint256 both = 10_010e18 + 3_000.03e18;
        assertEq(_health(0, true, true, true).requirementMaintenanceWad, both + 5e18, "two positions");
        assertEq(_health(-100e18, true, true, true).requirementMaintenanceWad, both + 15e18, "and a debt");
    }

    function test_HealthWithoutRequirementIsTheLargest() external {
        assertEq(_health(0, true, true, true).healthWad, type(uint256).max, "nothing at all");
        $.collateralOf[ALICE][0] = 2e18;
        assertEq(_health(1e18, true, true, true).healthWad, type(uint256).max, "cash and collateral");
    }

    function test_HealthBelowZeroEquityIsZero() external view {
        assertEq(_health(-100e18, true, true, true).healthWad, 0, "a debt without cover");
        assertEq(Margin.ratioDown(-1, 1e18), 0, "a wei below zero");
        assertEq(Margin.ratioDown(0, 1e18), 0, "zero");
        assertEq(Margin.ratioDown(-1, 0), type(uint256).max, "no requirement");
    }

    function test_HealthIsRoundedDown() external pure {
        assertEq(Margin.ratioDown(2, 3), 0.666666666666666666e18, "two thirds");
        assertEq(Margin.ratioDown(1e18, 1e18), 1e18, "exactly one");
        assertEq(Margin.ratioDown(1e18 - 1, 1e18), 1e18 - 1, "a wei below");
    }

    function test_IsLiquidatableBelowItsRequirementAndNotAtIt() external pure {
        Health memory health;
        health.requirementMaintenanceWad = 100;
        health.equityMaintenanceWad = 100;
        assertTrue(!health.isLiquidatable(), "at it");
        health.equityMaintenanceWad = 99;
        assertTrue(health.isLiquidatable(), "below");
        health.requirementMaintenanceWad = 0;
        health.equityMaintenanceWad = -1;
        assertTrue(health.isLiquidatable(), "below zero without requirement");
    }

    function test_HasInitialMarginAtItsRequirement() external pure {
        Health memory health;
        health.requirementInitialWad = 100;
        health.equityInitialWad = 100;
        assertTrue(health.hasInitialMargin(), "at it");
        health.equityInitialWad = 99;
        assertTrue(!health.hasInitialMargin(), "below");
    }

    function testFuzz_INV31_TheDebtMarginHasNoCliff(int256 netCash, uint256 less) external view {
        netCash = bound(netCash, -1e30, 1e30);
        less = bound(less, 0, 1e24);
        uint256 before = Margin.generalRequirement(netCash, true, accounts);
        uint256 afterwards = Margin.generalRequirement(netCash - int256(less), true, accounts);
        assertGe(afterwards, before, "a larger debt requires less");
        assertLe(afterwards - before, less / 10 + 1, "a jump");
    }

    /// @dev Settling moves unrealised profit or loss to cash: no number of the account changes.
    function testFuzz_INV08_SettlingChangesNothing(int256 cost, int256 cash, int256 moved) external {
        cost = bound(cost, 100_000e18, 300_000e18);
        cash = bound(cash, -100_000e18, 100_000e18);
        moved = bound(moved, -100_000e18, 0); // losses; a gain moved would count more for initial margin
        if (200_000e18 - cost > 0) cost = 200_000e18;
        if (moved < 200_000e18 - cost) moved = 200_000e18 - cost;
        _hold(ETHER, 100e18, cost);
        Health memory before = _health(cash, true, true, true);
        _hold(ETHER, 100e18, cost + moved);
        Health memory afterwards = _health(cash + moved, true, true, true);
        assertTrue(keccak256(abi.encode(before)) == keccak256(abi.encode(afterwards)), "health");
    }

    // ------------------------------------------------------------------ scene

    /// @dev What a long of this size requires for maintenance and initially.
    function _requirements(
        uint256 size,
        uint256 price,
        MarketParameters memory p
    ) private pure returns (uint256, uint256) {
        Sums memory sums;
        Side memory side = Sides.untouched(1, 0);
        MarketRisk risk = toMarketRisk(p);
        Margin.addLeg(sums, side, int256(size), 0, risk, p.initialBaseWad, toPrice(price, 0, NOW, 60), false);
        return (sums.requirementMaintenance, sums.requirementInitial);
    }

    /// @dev Two bitcoin short at a cost of -100,000 and a price of 60,000; three of the second collateral at 40,000 and 90%.
    function _othersEquity() private pure returns (int256) {
        return -20_000e18 + 108_000e18;
    }

    function _sumsOfLeg(
        int256 shares,
        int256 cost,
        uint256 price,
        bool fresh,
        bool fullGains
    ) private view returns (Sums memory sums) {
        Side memory side = Sides.untouched(shares < 0 ? int256(-1) : int256(1), 0);
        Margin.addLeg(sums, side, shares, cost, $.markets[ETHER].risk, 0.1e18, _price(price, fresh), fullGains);
    }

    function _hold(MarketId market, int256 shares, int256 cost) private {
        $.positions[ALICE][market] = toPosition(shares, cost, 0);
    }

    function _health(
        int256 cash,
        bool etherFresh,
        bool firstCollateralFresh,
        bool secondCollateralFresh
    ) private view returns (Health memory) {
        (Account word, AssetSet priced, Price[] memory prices) = _book(
            etherFresh,
            firstCollateralFresh,
            secondCollateralFresh
        );
        return Margin.total(Margin.collect($, ALICE, word, priced, prices, false, Margin.NO_ASSET), cash, accounts);
    }

    /// @dev The account's word as its holdings say, and prices of its assets and of others between them.
    function _book(
        bool etherFresh,
        bool firstFresh,
        bool secondFresh
    ) private view returns (Account word, AssetSet priced, Price[] memory prices) {
        if ($.positions[ALICE][ETHER].shares() != 0) word = word.withAsset(3);
        if ($.positions[ALICE][BITCOIN].shares() != 0) word = word.withAsset(70);
        if ($.collateralOf[ALICE][0] != 0) word = word.withAsset(collateralAsset(0));
        if ($.collateralOf[ALICE][5] != 0) word = word.withAsset(collateralAsset(5));
        Account wider;
        uint8[6] memory assets = [0, 3, 70, 96, 98, 101];
        for (uint256 i = 0; i < 6; i++) wider = wider.withAsset(assets[i]);
        priced = wider.assets();
        prices = new Price[](6);
        prices[0] = _price(7e18, true);
        prices[1] = _price(2000e18, etherFresh);
        prices[2] = _price(60_000e18, true);
        prices[3] = _price(3000e18, firstFresh);
        prices[4] = _price(9e18, true);
        prices[5] = _price(40_000e18, secondFresh);
    }

    function _price(uint256 value, bool fresh) private view returns (Price) {
        return toPrice(value, 0.001e18, block.timestamp, 60).asOf(fresh ? block.timestamp : block.timestamp + 61);
    }
}
