// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IMarginVault} from "../../../contracts/interfaces/IMarginVault.sol";
import {Ramps} from "../../../contracts/libraries/Ramps.sol";
import {MarketParameters, MarketRisk, toMarketRisk} from "../../../contracts/types/MarketWords.sol";
import {RampClock, toRampClock} from "../../../contracts/types/RampWords.sol";
import {
    AccountParameters,
    AccountRisk,
    Collateral,
    CollateralParameters,
    toAccountRisk,
    toCollateral
} from "../../../contracts/types/VaultWords.sol";
import {usualAccounts, usualCollateral, usualMarket} from "../support/Markets.sol";
import {Test} from "../support/Test.sol";

contract RampsTest is Test {
    using Ramps for RampClock;

    uint256 private constant DURATION = 3 days;
    uint256 private constant START = 1_600_000_000;

    // ------------------------------------------------------------------ the clock

    function test_TakesThreeDaysAndBeginsNow() external pure {
        _assertClock(Ramps.begun(START), DURATION, START);
    }

    function test_CoversTheTimeSinceTheLastStep() external pure {
        _assertClock(Ramps.begun(START).stepped(START + 1), DURATION - 1, START + 1);
        _assertClock(Ramps.begun(START).stepped(START + 1 hours), DURATION - 1 hours, START + 1 hours);
    }

    function test_CoversAnHourAtMostHoweverLongNobodyCalled() external pure {
        _assertClock(Ramps.begun(START).stepped(START + 1 hours + 1), DURATION - 1 hours, START + 1 hours + 1);
        _assertClock(Ramps.begun(START).stepped(START + 365 days), DURATION - 1 hours, START + 365 days);
    }

    function test_TakesSeventyTwoStepsAtLeast() external pure {
        RampClock clock = Ramps.begun(START);
        uint256 nowSeconds = START;
        uint256 steps;
        for (; clock.secondsLeft() != 0; ++steps) {
            nowSeconds += 1 days;
            clock = clock.stepped(nowSeconds);
        }
        assertEq(steps, 72, "steps of an hour");
    }

    function test_CoversNoMoreThanIsLeft() external pure {
        _assertClock(toRampClock(10, START).stepped(START + 1 hours), 0, START + 1 hours);
    }

    function test_RefusesASecondStepInOneSecondAndAStepOfNoRamp() external {
        vm.expectRevert(abi.encodeWithSelector(IMarginVault.NothingToRamp.selector, DURATION));
        this.stepped(Ramps.begun(START), START);
        vm.expectRevert(abi.encodeWithSelector(IMarginVault.NothingToRamp.selector, 0));
        this.stepped(toRampClock(0, START), START + 1 days);
        vm.expectRevert(abi.encodeWithSelector(IMarginVault.NothingToRamp.selector, 0));
        this.stepped(RampClock.wrap(0), START);
    }

    function stepped(RampClock clock, uint256 nowSeconds) external pure returns (RampClock) {
        return clock.stepped(nowSeconds);
    }

    // ------------------------------------------------------------------ at once

    function test_KeepsWhatWouldTightenAMarket() external pure {
        MarketRisk live = toMarketRisk(usualMarket());
        MarketParameters memory p = usualMarket();
        (p.maintenanceBaseWad, p.lambdaMaintenanceWad, p.skewScaleWad) = (0.06e18, 1.2e18, 9e23);
        (p.initialBaseWad, p.lambdaInitialWad, p.profitWeightWad) = (0.2e18, 3e18, 0.1e18);
        p = Ramps.loosest(p, live);
        assertEq(p.maintenanceBaseWad, 0.05e18, "maintenance base");
        assertEq(p.lambdaMaintenanceWad, 1e18, "lambda");
        assertEq(p.skewScaleWad, 1e24, "skew scale");
        assertEq(p.initialBaseWad, 0.2e18, "initial base counts at once");
        assertEq(p.lambdaInitialWad, 3e18, "initial lambda counts at once");
        assertEq(p.profitWeightWad, 0.1e18, "profit weight counts at once");
    }

    function test_TakesWhatLoosensAMarket() external pure {
        MarketParameters memory p = usualMarket();
        p.lambdaMaintenanceWad = 1.2e18;
        MarketRisk live = toMarketRisk(p);
        (p.maintenanceBaseWad, p.lambdaMaintenanceWad, p.skewScaleWad) = (0.04e18, 1.1e18, 2e24);
        p = Ramps.loosest(p, live);
        assertEq(p.maintenanceBaseWad, 0.04e18, "maintenance base");
        assertEq(p.lambdaMaintenanceWad, 1.1e18, "lambda");
        assertEq(p.skewScaleWad, 2e24, "skew scale");
    }

    function test_KeepsAMaintenanceWeightThatFallsAndTakesOneThatRises() external pure {
        Collateral live = toCollateral(usualCollateral(), 18, 7);
        CollateralParameters memory p = usualCollateral();
        (p.initialWeightWad, p.maintenanceWeightWad) = (0.5e18, 0.6e18);
        p = Ramps.loosest(p, live);
        assertEq(p.maintenanceWeightWad, 0.9e18, "kept");
        assertEq(p.initialWeightWad, 0.5e18, "initial weight counts at once");
        p.maintenanceWeightWad = 0.92e18;
        assertEq(Ramps.loosest(p, live).maintenanceWeightWad, 0.92e18, "taken");
    }

    function test_KeepsWhatWouldTightenAllAccountsAndTakesWhatLoosensThem() external pure {
        AccountRisk live = toAccountRisk(usualAccounts());
        AccountParameters memory p = usualAccounts();
        (p.debtMarginWad, p.keeperFloorWad, p.absorbHealthWad) = (0.2e18, 6e18, 0.5e18);
        (p.targetHealthWad, p.minimumDebtWad) = (1.5e18, 20e18);
        p = Ramps.loosest(p, live);
        assertEq(p.debtMarginWad, 0.1e18, "debt margin");
        assertEq(p.keeperFloorWad, 5e18, "keeper floor");
        assertEq(p.absorbHealthWad, 0.4e18, "absorb health");
        assertEq(p.targetHealthWad, 1.5e18, "target health counts at once");
        assertEq(p.minimumDebtWad, 20e18, "minimum debt counts at once");
        (p.debtMarginWad, p.keeperFloorWad, p.absorbHealthWad) = (0.05e18, 3e18, 0.3e18);
        p = Ramps.loosest(p, live);
        assertEq(p.debtMarginWad, 0.05e18, "less debt margin");
        assertEq(p.keeperFloorWad, 3e18, "less keeper floor");
        assertEq(p.absorbHealthWad, 0.3e18, "less absorb health");
    }

    // ------------------------------------------------------------------ on the way

    /// @dev From 5% to 8%, 1 to 1.5, a million to half of one; the cap is 5% of a million.
    function _market() private pure returns (MarketRisk from, MarketRisk to) {
        MarketParameters memory p = usualMarket();
        from = toMarketRisk(p);
        (p.maintenanceBaseWad, p.lambdaMaintenanceWad, p.skewScaleWad) = (0.08e18, 1.5e18, 5e23);
        to = toMarketRisk(p);
    }

    function test_MovesAMarketInProportionToTheTimeCovered() external pure {
        (MarketRisk from, MarketRisk to) = _market();
        MarketRisk half = Ramps.moved(from, to, DURATION / 2, 4e22);
        assertEq(half.maintenanceBase(), 0.065e18, "maintenance base");
        assertEq(half.lambdaMaintenance(), 1.25e18, "lambda");
        assertEq(
            half.skewScale(),
            666666.666666667e18,
            "skew scale: its reciprocal is half way from 1 to 2 in a million"
        );
        assertEq(half.initialBase(), from.initialBase(), "initial base");
        MarketRisk first = Ramps.moved(from, to, DURATION - 1 hours, 4e22);
        assertEq(first.maintenanceBase(), 0.050416e18, "a seventy-second of 3%, rounded down");
        assertEq(first.lambdaMaintenance(), 1.006944e18, "a seventy-second of a half, rounded down");
        assertEq(first.skewScale(), 986301.369863014e18, "its reciprocal a seventy-second more: 72 / 73, rounded up");
    }

    function test_MovesEveryOtherFieldOfAMarketNowhere() external pure {
        (MarketRisk from, MarketRisk to) = _market();
        MarketRisk half = Ramps.moved(from, to, DURATION / 2, 0);
        uint256 moving = (((1 << 20) - 1) << 20) | (((1 << 24) - 1) << 84) | (type(uint256).max << 176);
        assertEq(MarketRisk.unwrap(half) & ~moving, MarketRisk.unwrap(from) & ~moving, "other bits");
        assertEq(MarketRisk.unwrap(half) & ~moving, MarketRisk.unwrap(to) & ~moving, "which are those of the end");
    }

    function test_EndsExactly() external pure {
        (MarketRisk from, MarketRisk to) = _market();
        assertEq(MarketRisk.unwrap(Ramps.moved(from, to, 0, 4e22)), MarketRisk.unwrap(to), "market");
        Collateral sold = toCollateral(usualCollateral(), 18, 7);
        CollateralParameters memory p = usualCollateral();
        (p.initialWeightWad, p.maintenanceWeightWad) = (0.5e18, 0.611111e18);
        Collateral end = Ramps.moved(sold, toCollateral(usualCollateral(), 0, 0), toCollateral(p, 0, 0), 0);
        assertEq(end.maintenanceWeight(), 0.611111e18, "collateral");
        AccountParameters memory a = usualAccounts();
        AccountRisk start = toAccountRisk(a);
        (a.debtMarginWad, a.keeperFloorWad, a.absorbHealthWad) = (0.3e18, 77.777777e18, 0.555555e18);
        AccountRisk finish = toAccountRisk(a);
        assertEq(AccountRisk.unwrap(Ramps.moved(start, finish, 0)), AccountRisk.unwrap(finish), "accounts");
    }

    function test_KeepsWhatIsHeldOfACollateral() external pure {
        CollateralParameters memory p = usualCollateral();
        Collateral live = toCollateral(p, 8, 123);
        Collateral from = toCollateral(p, 0, 0);
        p.initialWeightWad = 0.5e18;
        p.maintenanceWeightWad = 0.6e18;
        Collateral third = Ramps.moved(live, from, toCollateral(p, 0, 0), (DURATION * 2) / 3);
        assertEq(third.maintenanceWeight(), 0.8e18, "a third of the way");
        assertEq(third.held(), 123, "held");
        assertEq(third.decimals(), 8, "decimals");
        assertEq(third.initialWeight(), 0.8e18, "initial weight");
    }

    function test_MovesAllAccountsInProportionToTheTimeCovered() external pure {
        AccountParameters memory p = usualAccounts();
        AccountRisk from = toAccountRisk(p);
        (p.debtMarginWad, p.keeperFloorWad, p.absorbHealthWad) = (0.2e18, 25e18, 0.7e18);
        AccountRisk half = Ramps.moved(from, toAccountRisk(p), DURATION / 2);
        assertEq(half.debtMargin(), 0.15e18, "debt margin");
        assertEq(half.keeperFloor(), 15e18, "keeper floor");
        assertEq(half.absorbHealth(), 0.55e18, "absorb health");
        assertEq(half.targetHealth(), 1.1e18, "target health");
        assertEq(half.minimumDebt(), 10e18, "minimum debt");
        assertEq(half.insuranceFeeShare(), 0.1e18, "insurance's share of fees");
    }

    function test_MovesEveryOtherFieldOfAccountsAndCollateralsNowhere() external pure {
        AccountRisk from = AccountRisk.wrap(type(uint256).max ^ (((1 << 56) - 1) << 144));
        AccountRisk to = AccountRisk.wrap(type(uint256).max);
        uint256 moving = ((1 << 20) - 1) | (((1 << 20) - 1) << 44) | (((1 << 56) - 1) << 144);
        assertEq(AccountRisk.unwrap(Ramps.moved(from, to, 1)) | moving, type(uint256).max, "accounts");
        Collateral word = Collateral.wrap(type(uint256).max);
        Collateral end = Collateral.wrap(type(uint256).max ^ (((1 << 20) - 1) << 20));
        uint256 weight = ((1 << 20) - 1) << 20;
        assertEq(Collateral.unwrap(Ramps.moved(word, word, end, 0)), type(uint256).max ^ weight, "collateral");
    }

    /// @dev Base and scale tighten so that their product is the cap at either end; a second on, the base has not come a unit further.
    function test_LetsTheSkewScaleWaitWhereRoundingWouldLeaveTheCapUncovered() external pure {
        MarketParameters memory p = usualMarket();
        MarketRisk from = toMarketRisk(p);
        (p.initialBaseWad, p.maintenanceBaseWad, p.skewScaleWad) = (0.2e18, 0.1e18, 5e23);
        MarketRisk to = toMarketRisk(p);
        MarketRisk first = Ramps.moved(from, to, DURATION - 1, 5e22);
        assertEq(first.maintenanceBase(), 0.05e18, "maintenance base");
        assertEq(first.skewScale(), 1e24, "skew scale");
        assertEq(Ramps.moved(from, to, DURATION - 1, 0).skewScale(), 1e24 - 3.858009807e18, "else it had fallen");
    }

    function testFuzz_RaisesTheBaseByNoMoreThanTheTimeCovered(
        uint256 baseUnits,
        uint256 before,
        uint256 covered
    ) external pure {
        MarketParameters memory p = usualMarket();
        MarketRisk from = toMarketRisk(p);
        uint256 base = bound(baseUnits, 50_000, 100_000) * 1e12;
        p.maintenanceBaseWad = base;
        (MarketRisk earlier, MarketRisk later, uint256 time) = _step(from, toMarketRisk(p), 0, before, covered);
        assertGe(later.maintenanceBase(), earlier.maintenanceBase(), "the base rises");
        assertLe(later.maintenanceBase(), base, "to its end at most");
        uint256 rise = later.maintenanceBase() - earlier.maintenanceBase();
        assertLe(rise, ((base - 0.05e18) * time) / DURATION + 1e12, "by its share of the time, to a unit");
    }

    /// @dev 1e60 / scale. Before it was rounded a scale was above this one less a unit.
    function testFuzz_RaisesTheReciprocalOfTheSkewScaleByTheTimeCovered(
        uint256 fromUnits,
        uint256 toUnits,
        uint256 before,
        uint256 covered
    ) external pure {
        uint256 start = bound(fromUnits, 1e9, type(uint80).max) * 1e9;
        uint256 end = bound(toUnits, 1e9, start / 1e9) * 1e9;
        // Nothing is open, and no cap: the scale goes where time takes it.
        (MarketRisk earlier, MarketRisk later, uint256 time) = _step(
            _scaled(0.05e18, start),
            _scaled(0.05e18, end),
            0,
            before,
            covered
        );
        assertLe(earlier.skewScale(), start, "the scale falls");
        assertLe(later.skewScale(), earlier.skewScale(), "step by step");
        assertGe(later.skewScale(), end, "to its end at most");
        uint256 share = ((1e60 / end - 1e60 / start) * time) / DURATION;
        uint256 most = 1e60 / (earlier.skewScale() - 1e9) + share + 2;
        assertLe(1e60 / later.skewScale(), most, "its reciprocal rises by its share of the time at most");
        uint256 least = 1e60 / earlier.skewScale() + share;
        assertGe(1e60 / (later.skewScale() - 1e9) + 2, least, "and by no less");
    }

    function testFuzz_CoversTheCapAtEveryStepWithTheBaseOnItsWayToo(
        uint256[4] memory seeds,
        uint256 before,
        uint256 covered
    ) external pure {
        (MarketRisk from, MarketRisk to, uint256 cap) = _capped(seeds);
        (MarketRisk earlier, MarketRisk later, uint256 time) = _step(from, to, cap, before, covered);
        assertLe(cap, (earlier.maintenanceBase() * earlier.skewScale()) / 1e18, "cap <= maintenance base * skew scale");
        assertLe(cap, (later.maintenanceBase() * later.skewScale()) / 1e18, "and a step on");
        assertLe(later.skewScale(), earlier.skewScale(), "the scale falls");
        assertGe(later.skewScale(), to.skewScale(), "no further than its end");
        // Where the scale has waited for the base, it is behind by no more than a unit of that.
        uint256 share = ((1e60 / to.skewScale() - 1e60 / from.skewScale()) * time) / DURATION;
        uint256 most = 1e60 / (earlier.skewScale() - 2e9) + share + 1e54 / cap + 2;
        assertLe(1e60 / later.skewScale(), most, "and its reciprocal rises by its share of the time");
    }

    /// @dev Base, lambda and 1 / scale rise by equal steps, the last two as factors of one product: a step of it is a 36th at most.
    function testFuzz_INV17_RaisesTheRequirementOfAnHourByA36thOfTheWholeAtMost(
        uint256[4] memory seeds,
        uint256 lambdaUnits,
        uint256 sizeWad,
        uint256 step
    ) external pure {
        (MarketRisk from, MarketRisk to, uint256 cap) = _capped(seeds);
        to = to.withMaintenance(to.maintenanceBase(), bound(lambdaUnits, 1e6, 10e6) * 1e12, to.skewScale());
        sizeWad = bound(sizeWad, cap / 2, cap);
        step = bound(step, 1, 72);
        uint256 earlier = _requirement(Ramps.moved(from, to, DURATION - (step - 1) * 1 hours, cap), sizeWad);
        uint256 later = _requirement(Ramps.moved(from, to, DURATION - step * 1 hours, cap), sizeWad);
        assertGe(later, earlier, "the requirement rises");
        uint256 whole = _requirement(to, sizeWad) - _requirement(from, sizeWad);
        // Units of base and lambda, and a scale that has waited: a few millionths of the notional.
        assertLe(later - earlier, whole / 36 + sizeWad / 100_000, "by a 36th of the whole at most");
    }

    // ------------------------------------------------------------------ helpers

    /// @dev What counts with so much time left, and an hour at most later.
    function _step(
        MarketRisk from,
        MarketRisk to,
        uint256 cap,
        uint256 before,
        uint256 covered
    ) private pure returns (MarketRisk earlier, MarketRisk later, uint256 time) {
        before = bound(before, 1, DURATION);
        time = bound(covered, 1, before < 1 hours ? before : 1 hours);
        earlier = Ramps.moved(from, to, before, cap);
        later = Ramps.moved(from, to, before - time, cap);
    }

    function _scaled(uint256 baseWad, uint256 scaleWad) private pure returns (MarketRisk) {
        MarketParameters memory p = usualMarket();
        (p.maintenanceBaseWad, p.skewScaleWad) = (baseWad, scaleWad);
        return toMarketRisk(p);
    }

    /// @dev A base that rises, a scale that falls to a thousandth at most, and the largest cap that both ends cover.
    function _capped(uint256[4] memory seeds) private pure returns (MarketRisk from, MarketRisk to, uint256 cap) {
        uint256 base = bound(seeds[0], 1_000, 100_000) * 1e12;
        uint256 scale = bound(seeds[1], 1e14, 1e17) * 1e9;
        from = _scaled(base, scale);
        to = _scaled(bound(seeds[2], base / 1e12, 1e6) * 1e12, bound(seeds[3], scale / 1e12, scale / 1e9) * 1e9);
        uint256 atEnd = to.maintenanceBase() * to.skewScale();
        cap = (base * scale < atEnd ? base * scale : atEnd) / 1e18;
    }

    /// @dev n * (base + lambda * size / (2 * scale)) at a price of 1, rounded down.
    function _requirement(MarketRisk risk, uint256 sizeWad) private pure returns (uint256) {
        uint256 impact = (risk.lambdaMaintenance() * sizeWad) / (2 * risk.skewScale());
        return (sizeWad * (risk.maintenanceBase() + impact)) / 1e18;
    }

    function _assertClock(RampClock clock, uint256 left, uint256 at_) private pure {
        assertEq(clock.secondsLeft(), left, "seconds left");
        assertEq(clock.steppedAt(), at_, "stepped at");
    }
}
