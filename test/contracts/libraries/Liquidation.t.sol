// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ForcedLeg, Liquidation} from "../../../contracts/libraries/Liquidation.sol";
import {DiscountTerms, MarketParameters, toDiscountTerms} from "../../../contracts/types/MarketWords.sol";
import {usualMarket} from "../support/Markets.sol";
import {Test} from "../support/Test.sol";

contract LiquidationTest is Test {
    int256 private constant WAD = 1e18;

    // ------------------------------------------------------------------ how much remains

    /// @dev The worked examples of Drift (docs/worked-examples.md): shortage 10, margin ratio 10%, price 100.
    function test_ClosesWhatTheShortageAsksForWithoutFee() external pure {
        _closesUnits(0, 1e18);
    }

    function test_ClosesMoreWithAFee() external pure {
        _closesUnits(0.01e18, 1.111111111111111111e18);
    }

    function test_ClosesMoreWithAFeeForLiquidatorAndInsurance() external pure {
        _closesUnits(0.02e18, 1.25e18);
    }

    /// @dev Impact: closing c costs c^2 / K, with K = 100,000: 0.1 c - c^2 / 100,000 = 10.
    function test_ImpactIsPartOfTheSolution() external pure {
        ForcedLeg memory leg = _driftLeg();
        leg.depth = 100_000e18;
        uint256 closed = leg.notional - Liquidation.remainderDown(leg, 0);
        assertNearlyEqual(int256(closed), 101.020514433643803e18, "5000 - sqrt(24,000,000)");
    }

    /// @dev Debt margin of 20% on 50 owed at first, and on what the fee adds: 0.1 c - 0.01 c * 1.2 = 110 - 90 -> 227.27...
    function test_DebtMarginIsPartOfTheSolution() external pure {
        ForcedLeg memory leg = _driftLeg();
        leg.debtMargin = 0.2e18;
        leg.netCash = -50e18;
        uint256 closed = leg.notional - Liquidation.remainderDown(leg, 0.01e18);
        assertNearlyEqual(int256(closed), 227.272727272727272727e18, "20 / 0.088");
    }

    /// @dev Net cash of 1 is gone after 100 of the closing; debt margin is due on the rest: 0.1 c - 0.01 c - 0.2 (0.01 c - 1) = 10.
    function test_DebtThatBeginsOnTheWayIsPartOfTheSolution() external pure {
        ForcedLeg memory leg = _driftLeg();
        leg.debtMargin = 0.2e18;
        leg.netCash = 1e18;
        uint256 closed = leg.notional - Liquidation.remainderDown(leg, 0.01e18);
        assertNearlyEqual(int256(closed), 111.363636363636363636e18, "9.8 / 0.088");
        leg.netCash = 2e18; // enough for 200
        closed = leg.notional - Liquidation.remainderDown(leg, 0.01e18);
        assertNearlyEqual(int256(closed), 111.111111111111111111e18, "10 / 0.09");
    }

    function test_ASkewThatClosingReducesPaysForTheFee() external pure {
        ForcedLeg memory leg = _driftLeg();
        leg.gradient = -0.01e18;
        uint256 closed = leg.notional - Liquidation.remainderDown(leg, 0.01e18);
        assertNearlyEqual(int256(closed), 100e18, "fee and gain cancel");
    }

    function test_ClosesWholeWhenTheRestOfTheAccountIsTooMuch() external pure {
        ForcedLeg memory leg = _driftLeg();
        leg.otherRequirement = 90e18; // equity, exactly
        assertEq(Liquidation.remainderDown(leg, 0), 0, "nothing to spare");
        leg.otherRequirement = 89e18;
        assertNear(int256(Liquidation.remainderDown(leg, 0)), 10e18, 1e10, "one to spare, at 10%");
        leg.otherRequirement = 200e18;
        assertEq(Liquidation.remainderDown(leg, 0), 0, "short even without the leg");
    }

    function test_ClosesWholeWhenEquityIsGone() external pure {
        ForcedLeg memory leg = _driftLeg();
        leg.equity = 0;
        assertEq(Liquidation.remainderDown(leg, 0), 0, "zero");
        leg.equity = -50e18;
        assertEq(Liquidation.remainderDown(leg, 0), 0, "below zero");
    }

    function test_ClosesNothingOfAnAccountAboveItsTarget() external pure {
        ForcedLeg memory leg = _driftLeg();
        leg.equity = 150e18;
        assertEq(Liquidation.remainderDown(leg, 0.01e18), leg.notional, "all of it may stay");
    }

    function testFuzz_INV09_EndsOnItsTarget(uint256 seed) external pure {
        (ForcedLeg memory leg, uint256 fee) = _fuzzedLeg(seed, false);
        _checkEndsOnTarget(leg, fee);
    }

    function testFuzz_INV09_EndsOnItsTargetThoughDebtBeginsOnTheWay(uint256 seed) external pure {
        (ForcedLeg memory leg, uint256 fee) = _fuzzedLeg(seed, false);
        if (leg.gradient < 0) leg.gradient = -leg.gradient;
        leg.netCash = int256(_pick(seed, "way", 0, leg.notional / 1000));
        _checkEndsOnTarget(leg, fee);
    }

    function testFuzz_INV09_EndsOnItsTargetWithDebtFromTheStart(uint256 seed) external pure {
        (ForcedLeg memory leg, uint256 fee) = _fuzzedLeg(seed, true);
        _checkEndsOnTarget(leg, fee);
    }

    function testFuzz_EndsOnItsTargetWhereClosingEarns(uint256 seed) external pure {
        (ForcedLeg memory leg, uint256 fee) = _fuzzedLeg(seed, false);
        if (leg.gradient > 0) leg.gradient = -leg.gradient;
        _checkEndsOnTarget(leg, fee);
    }

    function testFuzz_AHigherFeeNeverLeavesMore(uint256 seed, uint256 more) external pure {
        (ForcedLeg memory leg, uint256 fee) = _fuzzedLeg(seed, seed % 2 == 0);
        if (leg.gradient < 0) leg.gradient = 0;
        uint256 remainder = Liquidation.remainderDown(leg, fee);
        assertLe(
            Liquidation.remainderDown(leg, fee + bound(more, 1e12, 0.01e18)),
            remainder + remainder / 1e12 + 10,
            "remainder at a higher fee"
        );
    }

    // ------------------------------------------------------------------ taken by another account, at the price

    /// @dev No fill of the pool: neither skew nor depth cost or earn anything. 0.1 c - 0.01 c = 10.
    function test_AtThePriceImpactIsNoPartOfTheSolution() external pure {
        ForcedLeg memory leg = _driftLeg();
        leg.atPrice = true;
        (leg.depth, leg.gradient) = (100_000e18, 0.05e18);
        uint256 closed = leg.notional - Liquidation.remainderDown(leg, 0.01e18);
        assertNearlyEqual(int256(closed), 111.111111111111111111e18, "10 / 0.09");
        leg.gradient = -0.05e18;
        closed = leg.notional - Liquidation.remainderDown(leg, 0.01e18);
        assertNearlyEqual(int256(closed), 111.111111111111111111e18, "whatever the skew");
        leg.atPrice = false;
        assertTrue(leg.notional - Liquidation.remainderDown(leg, 0.01e18) != closed, "into the pool it does");
    }

    /// @dev The tier: a requirement of 10% * m + m^2 / 100,000. Of 110 at 1,000 with an equity of 90: m^2 + 10,000 m = 9,000,000.
    function test_AtThePriceTheTierIsPartOfTheSolution() external pure {
        ForcedLeg memory leg = _driftLeg();
        leg.atPrice = true;
        (leg.depth, leg.lambda) = (100_000e18, 1e18);
        uint256 remainder = Liquidation.remainderDown(leg, 0);
        assertNearlyEqual(int256(remainder), 830.951894845300470874e18, "sqrt(34,000,000) - 5,000");
        // With a fee of 1%: m^2 / 100,000 + 0.09 m = 90 - 10
        remainder = Liquidation.remainderDown(leg, 0.01e18);
        assertNearlyEqual(int256(remainder), 815.072906367324703999e18, "sqrt(28,250,000) - 4,500");
    }

    /// @dev Debt margin of 20%, due on 50 from the start, and on the fee once net cash of 1 is gone: as into the pool, without impact.
    function test_AtThePriceDebtMarginIsPartOfTheSolution() external pure {
        ForcedLeg memory leg = _driftLeg();
        leg.atPrice = true;
        (leg.depth, leg.gradient) = (1_000e18, 0.05e18);
        (leg.debtMargin, leg.netCash) = (0.2e18, -50e18);
        uint256 closed = leg.notional - Liquidation.remainderDown(leg, 0.01e18);
        assertNearlyEqual(int256(closed), 227.272727272727272727e18, "20 / 0.088");
        leg.netCash = 1e18;
        closed = leg.notional - Liquidation.remainderDown(leg, 0.01e18);
        assertNearlyEqual(int256(closed), 111.363636363636363636e18, "9.8 / 0.088");
        leg.netCash = 2e18;
        closed = leg.notional - Liquidation.remainderDown(leg, 0.01e18);
        assertNearlyEqual(int256(closed), 111.111111111111111111e18, "10 / 0.09");
    }

    function test_AtThePriceClosesWholeWhatNothingLessWouldServe() external pure {
        ForcedLeg memory leg = _driftLeg();
        leg.atPrice = true;
        leg.equity = 10e18; // the fee of the whole, exactly
        assertEq(Liquidation.remainderDown(leg, 0.01e18), 0, "nothing to spare");
        leg.equity = 11e18;
        assertNear(int256(Liquidation.remainderDown(leg, 0.01e18)), 11.111111111111111111e18, 1e10, "1 / 0.09");
        leg.equity = -1;
        assertEq(Liquidation.remainderDown(leg, 0), 0, "below zero");
        leg.equity = 150e18;
        assertEq(Liquidation.remainderDown(leg, 0.01e18), leg.notional, "above its target");
    }

    function testFuzz_AtThePriceEndsOnItsTarget(uint256 seed) external pure {
        (ForcedLeg memory leg, uint256 fee) = _fuzzedLeg(seed, false);
        leg.atPrice = true;
        _checkEndsOnTarget(leg, fee);
    }

    function testFuzz_AtThePriceEndsOnItsTargetThoughDebtBeginsOnTheWay(uint256 seed) external pure {
        (ForcedLeg memory leg, uint256 fee) = _fuzzedLeg(seed, false);
        leg.atPrice = true;
        leg.netCash = int256(_pick(seed, "way", 0, leg.notional / 1000));
        _checkEndsOnTarget(leg, fee);
    }

    function testFuzz_AtThePriceEndsOnItsTargetWithDebtFromTheStart(uint256 seed) external pure {
        (ForcedLeg memory leg, uint256 fee) = _fuzzedLeg(seed, true);
        leg.atPrice = true;
        _checkEndsOnTarget(leg, fee);
    }

    /// @dev No skew has a say, and the steepness of the tier only that of the requirement.
    function testFuzz_AtThePriceNoSkewHasASay(uint256 seed, int256 gradient) external pure {
        (ForcedLeg memory leg, uint256 fee) = _fuzzedLeg(seed, seed % 2 == 0);
        leg.atPrice = true;
        uint256 remainder = Liquidation.remainderDown(leg, fee);
        leg.gradient = int256(bound(uint256(gradient), 0, 0.2e18)) - 0.1e18;
        assertEq(Liquidation.remainderDown(leg, fee), remainder, "remainder at another skew");
    }

    function testFuzz_AtThePriceNothingCostsButTheFee(uint256 seed, uint256 closed) external pure {
        (ForcedLeg memory leg, ) = _fuzzedLeg(seed, false);
        closed = bound(closed, 0, leg.notional);
        leg.atPrice = true;
        assertEq(Liquidation.impactUp(leg, closed), 0, "impact at the price");
        leg.atPrice = false;
        int256 impact = leg.gradient + int256((closed * 1e18 + leg.depth - 1) / leg.depth);
        assertEq(Liquidation.impactUp(leg, closed), impact, "impact of the pool's fill");
    }

    function testFuzz_AtThePriceAHigherFeeNeverLeavesMore(uint256 seed, uint256 more) external pure {
        (ForcedLeg memory leg, uint256 fee) = _fuzzedLeg(seed, seed % 2 == 0);
        leg.atPrice = true;
        uint256 remainder = Liquidation.remainderDown(leg, fee);
        assertLe(
            Liquidation.remainderDown(leg, fee + bound(more, 1e12, 0.01e18)),
            remainder + remainder / 1e12 + 10,
            "remainder at a higher fee"
        );
    }

    // ------------------------------------------------------------------ discount and bound

    function test_TheDiscountGrowsAsHealthFalls() external pure {
        DiscountTerms terms = _terms(0.01e18, 0.1e18, 0.03e18);
        assertEq(Liquidation.discountDown(1e18, terms, 0.05e18, 0.1e18), 0.01e18, "at health 1 its base");
        assertEq(Liquidation.discountDown(0.9e18, terms, 0.05e18, 0.1e18), 0.02e18, "at 0.9");
        assertEq(Liquidation.discountDown(0.8e18, terms, 0.05e18, 0.1e18), 0.03e18, "at 0.8 its cap");
        assertEq(Liquidation.discountDown(0.75e18, terms, 0.05e18, 0.1e18), 0.03e18, "below, still its cap");
    }

    function test_WhatIsOfferedLooksAtNoBound() external pure {
        DiscountTerms terms = _terms(0.01e18, 0.1e18, 0.03e18);
        assertEq(Liquidation.offeredDown(1e18, terms), 0.01e18, "at health 1 its base");
        assertEq(Liquidation.offeredDown(0.9e18, terms), 0.02e18, "at 0.9");
        assertEq(Liquidation.offeredDown(0.8e18, terms), 0.03e18, "at 0.8 its cap");
        assertEq(Liquidation.offeredDown(0, terms), 0.03e18, "at 0 still its cap");
        assertEq(Liquidation.offeredDown(0.9e18 + 1, terms), 0.019999999999999999e18, "rounded down");
    }

    function testFuzz_WhatIsOfferedIsTheLesserOfLineAndCap(
        uint256 health,
        uint256 base,
        uint256 slope,
        uint256 cap
    ) external pure {
        health = bound(health, 0, 1e18);
        base = bound(base, 0, 0.1e6);
        cap = bound(cap, base, 0.5e6) * 1e12;
        base *= 1e12;
        slope = bound(slope, 0, 16e6) * 1e12;
        uint256 line = base + (slope * (1e18 - health)) / 1e18;
        uint256 offered = Liquidation.offeredDown(health, _terms(base, slope, cap));
        assertEq(offered, line < cap ? line : cap, "offered");
        assertGe(offered, base, "never below its base");
        if (health == 1e18) return;
        uint256 d = Liquidation.discountDown(health, _terms(base, slope, cap), 0.05e18, 0.1e18);
        assertLe(d, offered, "the discount on a position is bounded besides");
    }

    function test_TheDiscountIsNeverMoreThanHealthCanBear() external pure {
        DiscountTerms terms = _terms(0.01e18, 0.1e18, 0.03e18);
        assertEq(Liquidation.discountDown(0.33e18, terms, 0.05e18, 0.1e18), 0.015e18, "0.33 * 5% / 1.1");
        assertEq(Liquidation.discountDown(0, terms, 0.05e18, 0.1e18), 0, "no health, no discount");
        assertEq(Liquidation.costBound(1e18, 0.05e18, 0), 0.05e18, "at health 1 without debt margin the base");
        assertEq(Liquidation.costBound(1e18, 0.05e18, 0.3e18), 0.038461538461538461e18, "rounded down");
    }

    function testFuzz_INV34_TheDiscountIsTheLeastOfItsThreeTerms(
        uint256 health,
        uint256 base,
        uint256 slope,
        uint256 cap,
        uint256 rho
    ) external pure {
        health = bound(health, 0, 1e18 - 1);
        base = bound(base, 0, 0.1e6);
        cap = bound(cap, base, 0.5e6) * 1e12;
        base *= 1e12;
        slope = bound(slope, 0, 16e6) * 1e12;
        rho = bound(rho, 0, 1e18);
        uint256 d = Liquidation.discountDown(health, _terms(base, slope, cap), 0.05e18, rho);
        uint256 offered = base + (slope * (1e18 - health)) / 1e18;
        uint256 most = (health * 0.05e18) / (1e18 + rho);
        uint256 least = offered < cap ? offered : cap;
        if (most < least) least = most;
        assertEq(d, least, "discount");
    }

    function testFuzz_WhatIsOfferedFallsAndWhatIsBearableRisesWithHealth(uint256 a, uint256 b) external pure {
        DiscountTerms terms = _terms(0.01e18, 0.1e18, 0.04e18);
        a = bound(a, 0, 1e18);
        b = bound(b, a, 1e18);
        uint256 atA = Liquidation.discountDown(a, terms, 0.05e18, 0.1e18);
        uint256 atB = Liquidation.discountDown(b, terms, 0.05e18, 0.1e18);
        if (atA < Liquidation.costBound(a, 0.05e18, 0.1e18)) assertLe(atB, atA, "offered");
        if (atB == Liquidation.costBound(b, 0.05e18, 0.1e18)) assertLe(atA, atB, "bearable");
        assertLe(Liquidation.costBound(a, 0.05e18, 0.1e18), Liquidation.costBound(b, 0.05e18, 0.1e18), "bound");
    }

    /// @dev However much is closed, and with debt or without: at a cost of the bound per unit health stays or rises.
    function testFuzz_INV34_AtTheCostBoundHealthNeverFallsAndEquityStaysAboveZero(
        uint256 seed,
        uint256 closed
    ) external pure {
        (ForcedLeg memory leg, ) = _fuzzedLeg(seed, seed % 3 == 0);
        if (seed % 3 == 1) leg.netCash = int256(_pick(seed, "way", 0, leg.notional / 100));
        closed = bound(closed, 1, leg.notional);
        uint256 required = _requirementUp(leg, 0, 0);
        uint256 health = (uint256(leg.equity) * 1e18) / required;
        int256 cost = int256((closed * Liquidation.costBound(health, leg.base, leg.debtMargin)) / 1e18);
        int256 equity = leg.equity - cost;
        assertGe(equity, 0, "equity");
        uint256 requiredAfter = _requirementUp(leg, closed, cost);
        // Requirements are each rounded up by a few wei.
        assertGe(
            uint256(equity) * required,
            uint256(leg.equity) * (requiredAfter > 10 ? requiredAfter - 10 : 0),
            "health after"
        );
    }

    function test_ImpactIsRoundedUpAndKeepsItsSign() external pure {
        ForcedLeg memory leg = _driftLeg();
        leg.depth = 3e18;
        leg.gradient = -0.5e18;
        assertEq(Liquidation.impactUp(leg, 1e18), -0.166666666666666666e18, "-1/2 + 1/3");
        leg.gradient = 0.5e18;
        assertEq(Liquidation.impactUp(leg, 1e18), 0.833333333333333334e18, "1/2 + 1/3");
    }

    // ------------------------------------------------------------------ legs

    /// @dev Ten units at 100 with a requirement of 100 and an equity of 90; no impact, no tier.
    function _driftLeg() private pure returns (ForcedLeg memory leg) {
        leg.notional = 1000e18;
        leg.base = 0.1e18;
        leg.depth = 1e48;
        leg.equity = 90e18;
        leg.netCash = 1000e18;
        leg.target = 1e18;
    }

    function _terms(uint256 base, uint256 slope, uint256 cap) private pure returns (DiscountTerms) {
        MarketParameters memory p = usualMarket();
        (p.discountBaseWad, p.discountSlopeWad, p.discountCapWad) = (base, slope, cap);
        return toDiscountTerms(p.discountBaseWad, p.discountSlopeWad, p.discountCapWad);
    }

    function _closesUnits(uint256 feeWad, uint256 units) private pure {
        ForcedLeg memory leg = _driftLeg();
        uint256 closed = leg.notional - Liquidation.remainderDown(leg, feeWad);
        assertNearlyEqual(int256(closed / 100), int256(units), "units closed by a pool without end");
        // An account that takes at the price: whatever the market's depth and skew.
        (leg.atPrice, leg.depth, leg.gradient) = (true, 10_000e18, 0.03e18);
        closed = leg.notional - Liquidation.remainderDown(leg, feeWad);
        assertNearlyEqual(int256(closed / 100), int256(units), "units closed at the price");
    }

    function _fuzzedLeg(uint256 seed, bool inDebt) private pure returns (ForcedLeg memory leg, uint256 fee) {
        leg.notional = _pick(seed, "magnitude", 0, 8);
        leg.notional = _pick(seed, "notional", 100e18, 100e18 * 10 ** leg.notional);
        leg.base = _pick(seed, "base", 0.005e6, 0.1e6) * 1e12;
        leg.lambda = _pick(seed, "lambda", 1e6, 4e6) * 1e12;
        // The market's cap: n / K at most base / 2.
        leg.depth = (leg.notional * 1e18) / _pick(seed, "depth", leg.base / 1e6, leg.base / 2);
        leg.gradient = int256(_pick(seed, "gradient", 0, leg.base)) - int256(leg.base / 2);
        leg.otherRequirement = _pick(seed, "others", 0, leg.notional / 10);
        leg.debtMargin = _pick(seed, "rho", 0, 0.3e6) * 1e12;
        leg.target = _pick(seed, "target", 1e6, 1.2e6) * 1e12;
        leg.netCash = inDebt ? -int256(_pick(seed, "debt", leg.notional / 20, leg.notional)) : int256(leg.notional);
        leg.equity = int256((_requirementUp(leg, 0, 0) * _pick(seed, "health", 0.05e18, 0.999e18)) / 1e18);
        // What the market's terms and the lowering of d leave: fee and impact within the bound, where that is possible.
        uint256 health = (uint256(leg.equity) * 1e18) / _requirementUp(leg, 0, 0);
        uint256 most = Liquidation.costBound(health, leg.base, leg.debtMargin);
        fee = _pick(seed, "fee", 0, most);
    }

    function _pick(uint256 seed, string memory what, uint256 least, uint256 most) private pure returns (uint256) {
        return least + (uint256(keccak256(abi.encode(seed, what))) % (most - least + 1));
    }

    /// @dev Maintenance requirement after closing `closed` at `cost`, from its definition.
    function _requirementUp(ForcedLeg memory leg, uint256 closed, int256 cost) private pure returns (uint256 required) {
        uint256 m = leg.notional - closed;
        required = (m * leg.base + 1e18 - 1) / 1e18;
        if (m != 0) required += (m * m * (leg.lambda / 1e12)) / leg.depth / 1e6 + 1;
        required += leg.otherRequirement;
        int256 netCash = leg.netCash - cost;
        if (netCash < 0) required += (uint256(-netCash) * leg.debtMargin + 1e18 - 1) / 1e18;
    }

    function _checkEndsOnTarget(ForcedLeg memory leg, uint256 fee) private pure {
        uint256 remainder = Liquidation.remainderDown(leg, fee);
        assertLe(remainder, leg.notional, "remainder");
        uint256 c = leg.notional - remainder;
        int256 cost = (int256(c) * int256(fee)) / WAD;
        if (!leg.atPrice) cost += (int256(c) * leg.gradient) / WAD + int256((c * c) / leg.depth);
        int256 equity = leg.equity - cost;
        uint256 required = _requirementUp(leg, c, cost);
        if (remainder == 0) {
            // Closed whole because nothing less would do: even then the rest of the account takes all.
            int256 enough = (int256(leg.target) * int256(required)) / WAD;
            assertLe(equity, enough + int256(leg.notional / 1e9 + 10), "closed whole without need");
            return;
        }
        assertTrue(equity > 0, "equity after");
        int256 health = (equity * WAD) / int256(required);
        int256 slack = health - int256(leg.target);
        // The checks' own roundings: a few wei of a requirement that may be small.
        assertGe(slack, -int256(leg.target / 1e9 / 1000 + (10 * leg.target) / required), "health below its target");
        if (remainder == leg.notional) return;
        assertLe(slack, int256(leg.target / 1e9), "health beside its target");
    }
}
