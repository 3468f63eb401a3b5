// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RAY} from "../../../contracts/libraries/FixedPoint.sol";
import {Side, Sides} from "../../../contracts/libraries/Sides.sol";
import {Test} from "../support/Test.sol";

contract SidesTest is Test {
    using Sides for Side;

    int256 private constant LONG = 1;
    int256 private constant SHORT = -1;

    function test_AnUntouchedSideIsWorthThePrice() external pure {
        assertEq(Sides.untouched(LONG, 0).sharePriceFloor(LONG, 2000e27), 2000e27, "long");
        assertEq(Sides.untouched(SHORT, 0).sharePriceFloor(SHORT, 2000e27), -2000e27, "short");
    }

    function test_FundingPaidLowersTheLongSideAndRaisesTheShortSide() external pure {
        assertEq(Sides.untouched(LONG, 5e18).sharePriceFloor(LONG, 2000e27), 1995e27, "long pays");
        assertEq(Sides.untouched(SHORT, 5e18).sharePriceFloor(SHORT, 2000e27), -1995e27, "short gets");
        assertEq(Sides.untouched(LONG, -5e18).sharePriceCeil(LONG, 2000e27), 2005e27, "long gets");
        assertEq(Sides.untouched(SHORT, -5e18).sharePriceCeil(SHORT, 2000e27), -2005e27, "short pays");
    }

    function test_RoundsTheSharePriceToEitherSide() external pure {
        // a third of a share at a price of 1e-27: 0.333 ray
        Side memory side = Side(RAY / 3, 7);
        assertEq(side.sharePriceFloor(LONG, 1), 7, "long floor");
        assertEq(side.sharePriceCeil(LONG, 1), 8, "long ceiling");
        assertEq(side.sharePriceFloor(SHORT, 1), 6, "short floor");
        assertEq(side.sharePriceCeil(SHORT, 1), 7, "short ceiling");
    }

    function test_AScaleBelowItsStartShrinksTheSize() external pure {
        Side memory side = Side(RAY / 4, 0);
        assertEq(side.sizeDown(7), 1, "1.75 down");
        assertEq(side.sizeUp(7), 2, "1.75 up");
        assertEq(side.sharesDown(2), 8, "shares of a size");
        assertEq(side.sharePriceFloor(LONG, 2000e27), 500e27, "a share is a quarter of a unit");
    }

    function test_AtItsStartAShareIsAUnitOfSize() external pure {
        Side memory side = Sides.untouched(LONG, 3e18);
        assertEq(side.scaleRay, 1e27, "scale");
        assertEq(side.sizeDown(7), 7, "size down");
        assertEq(side.sizeUp(7), 7, "size up");
        assertEq(side.sharesDown(7), 7, "shares");
    }

    function testFuzz_TheFundingIndexReachesTheSidesExactly(int96 index, uint96 priceWad) external pure {
        uint256 priceRay = uint256(priceWad) * 1e9;
        int256 shift = int256(index) * 1e9;
        Side memory long = Sides.untouched(LONG, index);
        Side memory short = Sides.untouched(SHORT, index);
        assertEq(long.sharePriceFloor(LONG, priceRay), int256(priceRay) - shift, "long floor");
        assertEq(long.sharePriceCeil(LONG, priceRay), int256(priceRay) - shift, "long ceiling");
        assertEq(short.sharePriceFloor(SHORT, priceRay), shift - int256(priceRay), "short floor");
        assertEq(short.sharePriceCeil(SHORT, priceRay), shift - int256(priceRay), "short ceiling");
    }

    function testFuzz_FloorAndCeilingHoldTheSharePriceBetweenThem(
        uint96 scale,
        int160 carry,
        uint128 priceRay,
        bool isLong
    ) external pure {
        Side memory side = Side(bound(scale, 0, RAY), carry);
        int256 sign = isLong ? LONG : SHORT;
        int256 exact = sign * int256(side.scaleRay * priceRay); // ray * ray
        int256 low = (side.sharePriceFloor(sign, priceRay) - carry) * 1e27;
        int256 high = (side.sharePriceCeil(sign, priceRay) - carry) * 1e27;
        assertTrue(low <= exact && exact - low < 1e27, "floor");
        assertTrue(high >= exact && high - exact < 1e27, "ceiling");
    }

    function testFuzz_SizesAndSharesRoundAsTheirNamesSay(uint96 scale, uint120 shares, uint120 size) external pure {
        Side memory side = Side(bound(scale, 1e23, RAY), 0);
        uint256 exact = shares * side.scaleRay;
        assertTrue(side.sizeDown(shares) * RAY <= exact && exact - side.sizeDown(shares) * RAY < RAY, "size down");
        assertTrue(side.sizeUp(shares) * RAY >= exact && side.sizeUp(shares) * RAY - exact < RAY, "size up");
        uint256 bought = side.sharesDown(size) * side.scaleRay;
        assertTrue(bought <= size * RAY && size * RAY - bought < side.scaleRay, "shares down");
        assertLe(side.sizeUp(side.sharesDown(size)), size, "shares bought are never more than the size");
    }
}
