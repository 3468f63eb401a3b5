// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ValueOutOfRange} from "../../../contracts/types/Packing.sol";
import {
    FALLBACK_BIT,
    FRESH_BIT,
    GATED_BIT,
    GRACE_BIT,
    MAX_PRICE_WAD,
    PAIRED_BIT,
    Price,
    REDUCE_ONLY_BIT,
    toPrice
} from "../../../contracts/types/Price.sol";
import {Test} from "../support/Test.sol";

contract PriceTest is Test {
    function test_StandsAsDocumented() external pure {
        assertEq(Price.unwrap(toPrice(type(uint96).max, 0, 0, 0)), type(uint96).max, "price");
        assertEq(Price.unwrap(toPrice(0, type(uint64).max, 0, 0)), uint256(type(uint64).max) << 96, "tolerance");
        assertEq(Price.unwrap(toPrice(0, 0, type(uint40).max, 0)), uint256(type(uint40).max) << 160, "published");
        assertEq(Price.unwrap(toPrice(0, 0, 0, type(uint32).max)), uint256(type(uint32).max) << 200, "age");
        assertEq(FRESH_BIT, 1 << 232, "fresh");
        assertEq(FALLBACK_BIT, 1 << 233, "fallback");
        assertEq(REDUCE_ONLY_BIT, 1 << 234, "reduce only");
        assertEq(GRACE_BIT, 1 << 235, "grace");
        assertEq(GATED_BIT, 1 << 236, "gated");
        assertEq(PAIRED_BIT, 1 << 237, "paired");
        assertTrue(MAX_PRICE_WAD <= type(uint96).max, "the largest price fits");
    }

    function testFuzz_ReadsBackEveryField(
        uint96 value,
        uint64 tolerance,
        uint40 publishedAt,
        uint32 maxAge,
        uint256 nowSeconds
    ) external pure {
        Price price = toPrice(value, tolerance, publishedAt, maxAge);
        assertTrue(!price.isFresh(), "fresh before anyone asked");
        for (uint256 i = 0; i < 2; i++) {
            assertEq(price.value(), value, "value");
            assertEq(price.tolerance(), tolerance, "tolerance");
            assertEq(price.publishedAt(), publishedAt, "published");
            assertEq(price.maxAge(), maxAge, "age");
            price = price.asOf(nowSeconds);
        }
    }

    function testFuzz_AFallbackKeepsEveryField(uint96 value, uint64 tolerance, uint40 at, uint32 age) external pure {
        Price price = toPrice(value, tolerance, at, age);
        assertTrue(!price.isFallback() && !price.asOf(at).isFallback(), "a price is none");
        Price held = price.asFallback();
        assertTrue(held.isFallback() && !held.isFresh(), "marked, and not fresh");
        assertEq(Price.unwrap(held) ^ Price.unwrap(price), FALLBACK_BIT, "the rest");
    }

    function testFuzz_EveryMarkIsOneBitAndLeavesTheFields(
        uint96 value,
        uint64 tolerance,
        uint40 at,
        uint32 age
    ) external pure {
        Price bare = toPrice(value, tolerance, at, age);
        uint256 word = Price.unwrap(bare);
        assertEq(Price.unwrap(bare.gated(true)) ^ word, GATED_BIT, "gated");
        assertEq(Price.unwrap(bare.paired(true)) ^ word, PAIRED_BIT, "paired");
        assertEq(Price.unwrap(bare.duringGrace()) ^ word, GRACE_BIT, "grace");
        assertEq(Price.unwrap(bare.asReduceOnly()) ^ word, REDUCE_ONLY_BIT, "reduce only");
        assertEq(Price.unwrap(bare.gated(true).gated(false)), word, "gated no more");
        assertEq(Price.unwrap(bare.paired(true).paired(false)), word, "paired no more");
        Price all = bare.asFallback().gated(true).paired(true).asReduceOnly().duringGrace();
        assertEq(Price.unwrap(all.bare()), word, "bare");
        assertTrue(all.isGated() && all.isPaired() && all.inGrace() && all.isFallback() && all.isUsable(), "all marks");
        assertTrue(!bare.isWorkedOut() && !bare.isUsable() && !bare.inGrace(), "none");
        assertTrue(bare.gated(true).isWorkedOut() && bare.paired(true).isWorkedOut(), "worked out");
    }

    function testFuzz_AnotherToleranceLeavesFieldsAndMarks(
        uint96 value,
        uint64 tolerance,
        uint40 at,
        uint32 age,
        uint64 other
    ) external pure {
        Price price = toPrice(value, tolerance, at, age);
        uint256 field = uint256(type(uint64).max) << 96;
        assertEq(Price.unwrap(price.withTolerance(other)), Price.unwrap(toPrice(value, other, at, age)), "bare");
        Price all = price.asFallback().gated(true).paired(true).asReduceOnly().duringGrace();
        for (uint256 i = 0; i < 2; i++) {
            Price changed = all.withTolerance(other);
            assertEq(changed.tolerance(), other, "tolerance");
            assertEq(Price.unwrap(changed) & ~field, Price.unwrap(all) & ~field, "the rest");
            assertEq(Price.unwrap(changed.withTolerance(tolerance)), Price.unwrap(all), "and back");
            all = price.asOf(at); // fresh, unless its value is zero
        }
    }

    function test_RefusesAToleranceThatDoesNotFit() external {
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(1 << 64), 64));
        this.retolerate(1 << 64);
    }

    function retolerate(uint256 tolerance) external pure returns (Price) {
        return toPrice(1e18, 0, 1000, 60).withTolerance(tolerance);
    }

    function test_ForReductionsItIsUsableAndFreshNoMore() external pure {
        Price fresh = toPrice(1e18, 0, 1000, 60).asOf(1000);
        assertTrue(fresh.isUsable(), "a fresh one is good for reductions too");
        assertTrue(fresh.asReduceOnly().isUsable() && !fresh.asReduceOnly().isFresh(), "reduce only");
        assertEq(Price.unwrap(fresh.asStored()), Price.unwrap(toPrice(1e18, 0, 1000, 60)), "as stored");
    }

    function test_INV50_IsFreshToTheLastSecondOfItsAge() external pure {
        Price price = toPrice(1e18, 0, 1000, 60);
        assertTrue(price.asOf(1000).isFresh(), "when published");
        assertTrue(price.asOf(1060).isFresh(), "at its age");
        assertTrue(!price.asOf(1061).isFresh(), "a second later");
    }

    function test_IsNeverFreshWithoutAValue() external pure {
        assertTrue(!Price.wrap(0).asOf(0).isFresh(), "never published");
        assertTrue(!toPrice(0, 1, 1000, 60).asOf(1000).isFresh(), "value zero");
        assertTrue(toPrice(1, 0, 1000, 60).asOf(1000).isFresh(), "the smallest value");
    }

    function test_ItsAgeCanPassTheEndOfTheTimeField() external pure {
        Price price = toPrice(1, 0, type(uint40).max, type(uint32).max);
        uint256 last = uint256(type(uint40).max) + type(uint32).max;
        assertTrue(price.asOf(last).isFresh(), "at its age");
        assertTrue(!price.asOf(last + 1).isFresh(), "a second later");
    }

    function testFuzz_INV50_FreshnessFollowsTheClock(
        uint96 value,
        uint40 publishedAt,
        uint32 maxAge,
        uint256 nowSeconds
    ) external pure {
        nowSeconds = bound(nowSeconds, 0, 1 << 42);
        Price price = toPrice(value, 1, publishedAt, maxAge).asOf(nowSeconds);
        assertTrue(price.isFresh() == (value != 0 && nowSeconds <= uint256(publishedAt) + maxAge), "freshness");
    }

    function test_RefusesWhatDoesNotFit() external {
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(1 << 96), 96));
        this.pack(1 << 96, 0, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(1 << 64), 64));
        this.pack(0, 1 << 64, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(1 << 40), 40));
        this.pack(0, 0, 1 << 40, 0);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(1 << 32), 32));
        this.pack(0, 0, 0, 1 << 32);
    }

    function pack(uint256 value, uint256 tolerance, uint256 publishedAt, uint256 age) external pure returns (Price) {
        return toPrice(value, tolerance, publishedAt, age);
    }
}
