// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPoint} from "../../../contracts/libraries/FixedPoint.sol";
import {Test} from "../support/Test.sol";

contract FixedPointTest is Test {
    uint256 private constant MAX = type(uint256).max;

    function test_RoundsALossTowardMinusInfinity() external pure {
        assertEq(FixedPoint.divFloor(-3, 2), -2, "floor of -1.5");
        assertEq(FixedPoint.divFloor(-1, 1e18), -1, "floor of the smallest loss");
        assertEq(FixedPoint.mulDivFloor(-3, 5, 10), -2, "floor of a product of -1.5");
        assertEq(FixedPoint.mulDivFloor(3, -5, 10), -2, "floor of a product of -1.5, sign on the other factor");
    }

    function test_RoundsAGainTowardMinusInfinityWhenFloored() external pure {
        assertEq(FixedPoint.divFloor(3, 2), 1, "floor of 1.5");
        assertEq(FixedPoint.mulDivFloor(-3, -5, 10), 1, "floor of a product of 1.5");
    }

    function test_RoundsTowardPlusInfinityWhenCeiled() external pure {
        assertEq(FixedPoint.divCeil(3, 2), 2, "ceiling of 1.5");
        assertEq(FixedPoint.divCeil(-3, 2), -1, "ceiling of -1.5");
        assertEq(FixedPoint.mulDivCeil(3, 5, 10), 2, "ceiling of a product of 1.5");
        assertEq(FixedPoint.mulDivCeil(-3, 5, 10), -1, "ceiling of a product of -1.5");
    }

    function test_LeavesExactMultiplesAlone() external pure {
        int256[5] memory multiples = [int256(-4), -2, 0, 2, 4];
        for (uint256 i = 0; i < 5; i++) {
            assertEq(FixedPoint.divFloor(multiples[i], 2), multiples[i] / 2, "floor of a multiple");
            assertEq(FixedPoint.divCeil(multiples[i], 2), multiples[i] / 2, "ceiling of a multiple");
        }
        assertEq(FixedPoint.divUp(4, 2), 2, "up of a multiple");
        assertEq(FixedPoint.mulDivUp(6, 4, 8), 3, "up of a product that divides");
    }

    function test_RoundsUnsignedUpAndDown() external pure {
        assertEq(FixedPoint.mulDivDown(3, 5, 10), 1, "1.5 down");
        assertEq(FixedPoint.mulDivUp(3, 5, 10), 2, "1.5 up");
        assertEq(FixedPoint.divUp(1, MAX), 1, "the smallest part up");
        assertEq(FixedPoint.divUp(0, 7), 0, "nothing up");
        assertEq(FixedPoint.divUp(MAX, 1), MAX, "the largest word up");
        assertEq(FixedPoint.divUp(MAX, 2), 1 << 255, "half of the largest word up");
    }

    function test_DividesTheEndsOfTheSignedRange() external pure {
        assertEq(FixedPoint.divFloor(type(int256).min, 1), type(int256).min, "smallest by one");
        assertEq(FixedPoint.divCeil(type(int256).max, 1), type(int256).max, "largest by one");
        assertEq(FixedPoint.divFloor(type(int256).min, type(int256).max), -2, "floor of just below -1");
        assertEq(FixedPoint.divCeil(type(int256).min, type(int256).max), -1, "ceiling of just below -1");
    }

    function test_RefusesAProductOver256Bits() external {
        expectPanic(ARITHMETIC_PANIC);
        this.mulDivDown(1 << 128, 1 << 128, 1 << 200);
        expectPanic(ARITHMETIC_PANIC);
        this.mulDivUp(1 << 128, 1 << 128, 1 << 200);
        expectPanic(ARITHMETIC_PANIC);
        this.mulDivFloor(1 << 128, -(1 << 128), 1 << 200);
        expectPanic(ARITHMETIC_PANIC);
        this.mulDivCeil(1 << 128, 1 << 128, 1 << 200);
    }

    function test_RefusesToDivideByZero() external {
        expectPanic(DIVISION_PANIC);
        this.mulDivDown(1, 1, 0);
        expectPanic(DIVISION_PANIC);
        this.mulDivUp(1, 1, 0);
        expectPanic(DIVISION_PANIC);
        this.mulDivFloor(-1, 1, 0);
        expectPanic(DIVISION_PANIC);
        this.mulDivCeil(1, 1, 0);
    }

    function test_TakesTheAbsoluteValueOfTheSmallestInt() external pure {
        assertEq(FixedPoint.abs(type(int256).min), 1 << 255, "smallest");
        assertEq(FixedPoint.abs(type(int256).max), (1 << 255) - 1, "largest");
        assertEq(FixedPoint.abs(-7), 7, "below zero");
        assertEq(FixedPoint.abs(7), 7, "above zero");
        assertEq(FixedPoint.abs(0), 0, "zero");
    }

    function test_ZeroOpposesNothing() external pure {
        assertTrue(!FixedPoint.opposes(0, -1) && !FixedPoint.opposes(-1, 0), "zero and a negative");
        assertTrue(!FixedPoint.opposes(0, 1) && !FixedPoint.opposes(0, 0), "zero and the rest");
        assertTrue(FixedPoint.opposes(1, -1) && FixedPoint.opposes(-1, 1), "opposite signs");
        assertTrue(FixedPoint.opposes(type(int256).min, type(int256).max), "the ends of the range");
        assertTrue(!FixedPoint.opposes(-1, -2) && !FixedPoint.opposes(1, 2), "one sign");
    }

    function test_ClampsToBothEnds() external pure {
        assertEq(FixedPoint.clamp(11, 10), 10, "above");
        assertEq(FixedPoint.clamp(10, 10), 10, "at the upper end");
        assertEq(FixedPoint.clamp(-10, 10), -10, "at the lower end");
        assertEq(FixedPoint.clamp(-11, 10), -10, "below");
        assertEq(FixedPoint.clamp(-5, 0), 0, "no room");
        assertEq(FixedPoint.clamp(type(int256).min, type(int256).max), -type(int256).max, "the smallest int");
    }

    function testFuzz_FloorIsTheLargestIntegerNotAboveTheQuotient(int256 a, int256 divisor) external pure {
        a = bound(a, -(1 << 250), 1 << 250);
        divisor = bound(divisor, 1, 1 << 250);
        int256 q = FixedPoint.divFloor(a, divisor);
        assertLe(q * divisor, a, "floor above the quotient");
        assertTrue(a - q * divisor < divisor, "floor more than one below the quotient");
    }

    function testFuzz_CeilingIsTheSmallestIntegerNotBelowTheQuotient(int256 a, int256 divisor) external pure {
        a = bound(a, -(1 << 250), 1 << 250);
        divisor = bound(divisor, 1, 1 << 250);
        int256 q = FixedPoint.divCeil(a, divisor);
        assertGe(q * divisor, a, "ceiling below the quotient");
        assertTrue(q * divisor - a < divisor, "ceiling more than one above the quotient");
        assertEq(q, -FixedPoint.divFloor(-a, divisor), "ceiling is not the mirrored floor");
    }

    function testFuzz_ProductsRoundLikeTheirQuotient(int128 a, int120 b, int256 divisor) external pure {
        divisor = bound(divisor, 1, 1 << 200);
        int256 product = int256(a) * b;
        assertEq(FixedPoint.mulDivFloor(a, b, divisor), FixedPoint.divFloor(product, divisor), "floor");
        assertEq(FixedPoint.mulDivCeil(a, b, divisor), FixedPoint.divCeil(product, divisor), "ceiling");
    }

    function testFuzz_UpAndDownHoldTheQuotientBetweenThem(uint128 a, uint128 b, uint256 divisor) external pure {
        divisor = bound(divisor, 1, 1 << 250);
        uint256 product = uint256(a) * b;
        uint256 down = FixedPoint.mulDivDown(a, b, divisor);
        uint256 up = FixedPoint.mulDivUp(a, b, divisor);
        assertLe(down * divisor, product, "down above the quotient");
        assertTrue(product - down * divisor < divisor, "down more than one below the quotient");
        assertEq(up - down, product % divisor == 0 ? 0 : 1, "up and down differ by one exactly when they must");
    }

    function testFuzz_ClampIsTheNearestValueWithinBounds(int256 a, int256 limit) external pure {
        limit = bound(limit, 0, type(int256).max);
        int256 clamped = FixedPoint.clamp(a, limit);
        assertTrue(clamped <= limit && clamped >= -limit, "out of bounds");
        if (a <= limit && a >= -limit) assertEq(clamped, a, "moved a value within bounds");
        else assertEq(clamped, a > 0 ? limit : -limit, "left for the wrong end");
    }

    function testFuzz_OpposesWhenTheSignsDiffer(int256 a, int256 b) external pure {
        assertTrue(FixedPoint.opposes(a, b) == ((a > 0 && b < 0) || (a < 0 && b > 0)), "signs");
    }

    function mulDivDown(uint256 a, uint256 b, uint256 divisor) external pure returns (uint256) {
        return FixedPoint.mulDivDown(a, b, divisor);
    }

    function mulDivUp(uint256 a, uint256 b, uint256 divisor) external pure returns (uint256) {
        return FixedPoint.mulDivUp(a, b, divisor);
    }

    function mulDivFloor(int256 a, int256 b, int256 divisor) external pure returns (int256) {
        return FixedPoint.mulDivFloor(a, b, divisor);
    }

    function mulDivCeil(int256 a, int256 b, int256 divisor) external pure returns (int256) {
        return FixedPoint.mulDivCeil(a, b, divisor);
    }
}
