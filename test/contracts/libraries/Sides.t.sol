// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RAY} from "../../../contracts/libraries/FixedPoint.sol";
import {Side, Sides} from "../../../contracts/libraries/Sides.sol";
import {
    EpochsWord,
    SIDES_TOUCHED,
    SideWord,
    toMarketState,
    toMarketTotals,
    toSideWord
} from "../../../contracts/types/MarketWords.sol";
import {toPosition} from "../../../contracts/types/Position.sol";
import {Market} from "../../../contracts/types/VaultStorage.sol";
import {Test} from "../support/Test.sol";

contract SidesTest is Test {
    using Sides for Side;

    int256 private constant LONG = 1;
    int256 private constant SHORT = -1;
    /// @dev A side below it starts anew, so that no share is ever less.
    uint256 private constant LEAST_SCALE = RAY / 10_000;

    Market private market;

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
        assertEq(side.sharesUp(2), 8, "shares of a size");
        assertEq(side.sharePriceFloor(LONG, 2000e27), 500e27, "a share is a quarter of a unit");
    }

    function test_AtItsStartAShareIsAUnitOfSize() external pure {
        Side memory side = Sides.untouched(LONG, 3e18);
        assertEq(side.scaleRay, 1e27, "scale");
        assertEq(side.sizeDown(7), 7, "size down");
        assertEq(side.sizeUp(7), 7, "size up");
        assertEq(side.sharesUp(7), 7, "shares");
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
        uint256 bought = side.sharesUp(size) * side.scaleRay;
        assertTrue(bought >= size * RAY && bought - size * RAY < side.scaleRay, "shares up");
    }

    function testFuzz_SharesOfASizeHaveExactlyThatSize(uint96 scale, uint120 size) external pure {
        Side memory side = Side(bound(scale, LEAST_SCALE, RAY), 0);
        uint256 shares = side.sharesUp(size);
        assertEq(side.sizeDown(shares), size, "their size");
        if (shares != 0) assertTrue(side.sizeDown(shares - 1) < size, "one share fewer is not enough");
    }

    // ------------------------------------------------------------------ the word of a side

    function test_FundingIsTakenOffAWordInProportionToItsScale() external pure {
        Side memory long = Sides.current(toSideWord(RAY / 4, 7e27), LONG, 8e18);
        assertEq(long.scaleRay, RAY / 4, "scale");
        assertEq(long.carryRay, 5e27, "a quarter of a unit has paid a quarter of 8");
        assertEq(Sides.current(toSideWord(RAY / 4, 7e27), SHORT, 8e18).carryRay, 9e27, "the short side has got it");
    }

    function test_WhatFundingTookIsRoundedUp() external pure {
        // a third of a share: 1/3e18 of a ray paid, got
        SideWord word = toSideWord(RAY / 3, 0);
        assertEq(Sides.current(word, LONG, 1).carryRay, -333_333_334, "paid");
        assertEq(Sides.current(word, SHORT, 1).carryRay, 333_333_333, "got");
    }

    function testFuzz_AWordReadsAsTheSideItWasMadeOf(
        uint96 scale,
        int128 carry,
        int96 index,
        bool isLong
    ) external pure {
        Side memory side = Side(bound(scale, 0, RAY), carry);
        int256 sign = isLong ? LONG : SHORT;
        Side memory read = Sides.current(side.toWord(sign, index), sign, index);
        assertEq(read.scaleRay, side.scaleRay, "scale");
        assertEq(read.carryRay, side.carryRay, "carry");
    }

    function testFuzz_AnUntouchedSideIsOneWithoutCarryInItsWord(int96 index, bool isLong) external pure {
        int256 sign = isLong ? LONG : SHORT;
        Side memory read = Sides.current(toSideWord(RAY, 0), sign, index);
        Side memory untouched = Sides.untouched(sign, index);
        assertEq(read.scaleRay, untouched.scaleRay, "scale");
        assertEq(read.carryRay, untouched.carryRay, "carry");
    }

    function testFuzz_FundingOverTimeIsWhatItWouldBeAtOnce(uint96 scale, int64 from, int64 to) external pure {
        Side memory side = Side(bound(scale, LEAST_SCALE, RAY), 0);
        for (int256 sign = -1; sign <= 1; sign += 2) {
            SideWord word = side.toWord(sign, from);
            int256 taken = -Sides.current(word, sign, to).carryRay;
            int256 exact = sign * int256(side.scaleRay) * (int256(to) - from); // times 1e18
            assertTrue(taken * 1e18 > exact - 1e18 && taken * 1e18 < exact + 1e18, "funding between");
        }
    }

    // ------------------------------------------------------------------ what an untouched market has and a touched one

    function test_ReadsTheSidesOnlyWhereTheyWereTouched() external {
        _sides(RAY / 2, RAY / 4);
        market.totals = toMarketTotals(100, 60, 0);
        market.state = toMarketState(0, 0, 0, 0, 0);
        assertEq(Sides.openInterest(market, 0), 100, "shares of the larger side");
        assertEq(Sides.sizeOf(market, -60), -60, "a share is a unit");
        market.state = toMarketState(0, 0, 0, 0, SIDES_TOUCHED);
        assertEq(Sides.openInterest(market, 0), 50, "half of the longs' shares");
        assertEq(Sides.sizeOf(market, 61), 30, "a long, rounded toward zero");
        assertEq(Sides.sizeOf(market, -61), -15, "a short, rounded toward zero");
        market.totals = toMarketTotals(100, 444, 0);
        assertEq(Sides.openInterest(market, 0), 111, "a quarter of the shorts' shares");
    }

    // ------------------------------------------------------------------ epochs

    function test_TheEndOfAnEpochPaysWhatItsSharesSoldFor() external pure {
        // 1/10,000 of each share is left, which sold the rest at 2000
        SideWord end = toSideWord(RAY / 10_000, 1999.8e27);
        (int256 shares, int256 cost) = Sides.convertedBy(end, 5e18, 9_000e18);
        assertEq(shares, 0.0005e18, "shares of a long");
        assertEq(cost, 9_000e18 - 9_999e18, "cost of a long");
        end = toSideWord(RAY / 10_000, -1999.8e27);
        (shares, cost) = Sides.convertedBy(end, -5e18, -9_000e18);
        assertEq(shares, -0.0005e18, "shares of a short");
        assertEq(cost, -9_000e18 + 9_999e18, "cost of a short");
    }

    function testFuzz_AnEndRoundsSharesDownAndCostUp(
        uint96 scale,
        int128 carry,
        int112 held,
        int112 cost
    ) external pure {
        scale = uint96(bound(scale, 0, LEAST_SCALE));
        (int256 shares, int256 left) = Sides.convertedBy(toSideWord(scale, carry), held, cost);
        int256 unsigned = held < 0 ? -int256(held) : int256(held);
        int256 exact = unsigned * int256(uint256(scale));
        int256 size = held < 0 ? -shares : shares;
        assertTrue(size * 1e27 <= exact && exact - size * 1e27 < 1e27, "shares");
        int256 off = (left - cost) * 1e27 + unsigned * carry;
        assertTrue(off >= 0 && off < 1e27, "cost");
    }

    function test_APositionGoesThroughEveryEpochSinceItsOwn() external {
        // Each epoch sells all but a twenty-thousandth, at 1000, 2000 and 3000; the first is not the position's.
        for (uint256 i = 0; i < 4; i++) market.ends[Sides.endKey(true, i)] = toSideWord(RAY / 20_000, int256(i * 1e30));
        market.ends[Sides.endKey(false, 1)] = toSideWord(RAY / 2, 77e27);
        market.epochs = EpochsWord.wrap(4 | (9 << 16));
        (int256 shares, int256 cost) = Sides.converted(market, toPosition(8e18, 3e18, 1));
        assertEq(shares, 1_000_000, "8e18 / 20,000^3");
        assertEq(cost, 3e18 - 8_000e18 - 0.8e18 - 0.00006e18, "cost, with what each epoch paid");
        (shares, cost) = Sides.converted(market, toPosition(8e18, 3e18, 4));
        assertEq(shares, 8e18, "shares of the present epoch");
        assertEq(cost, 3e18, "their cost");
    }

    function test_EachSideHasItsOwnEpochs() external {
        market.ends[Sides.endKey(true, 0)] = toSideWord(0, 100e27);
        market.ends[Sides.endKey(false, 0)] = toSideWord(0, -200e27);
        market.epochs = EpochsWord.wrap(1);
        (int256 shares, int256 cost) = Sides.converted(market, toPosition(-2e18, -7e18, 0));
        assertEq(shares, -2e18, "a short, of the present epoch");
        assertEq(cost, -7e18, "its cost");
        market.epochs = EpochsWord.wrap(1 << 16);
        (shares, cost) = Sides.converted(market, toPosition(-2e18, -7e18, 0));
        assertEq(shares, 0, "a short of an ended epoch");
        assertEq(cost, 393e18, "and what it has to pay");
    }

    function test_ASingleShareIsConvertedLikeAnyOther() external {
        market.ends[Sides.endKey(true, 0)] = toSideWord(0, 100e27);
        market.epochs = EpochsWord.wrap(1);
        (int256 shares, int256 cost) = Sides.converted(market, toPosition(1, 5, 0));
        assertEq(shares, 0, "shares");
        assertEq(cost, -95, "cost, with what the epoch paid");
    }

    /// @dev The largest position that a word holds, through ends that leave the most that an end can leave.
    function test_NothingIsLeftToConvertAfterNineEpochs() external {
        for (uint256 i = 0; i < 9; i++) market.ends[Sides.endKey(true, i)] = toSideWord(LEAST_SCALE - 1, 0);
        market.epochs = EpochsWord.wrap(60_000);
        uint256 gasBefore = gasleft();
        (int256 shares, int256 cost) = Sides.converted(market, toPosition((1 << 119) - 1, 5, 0));
        assertLe(gasBefore - gasleft(), 9 * 2500 + 5000, "gas of nine cold words");
        assertEq(shares, 0, "shares");
        assertEq(cost, 5, "cost");
        market.epochs = EpochsWord.wrap(8);
        (shares, ) = Sides.converted(market, toPosition((1 << 119) - 1, 5, 0));
        assertGe(shares, 1, "after eight some are left");
    }

    function test_AKeyOfAnEndIsOfOneSideAndOneEpoch() external pure {
        for (uint256 epoch = 0; epoch < 3; epoch++) {
            assertEq(Sides.endKey(false, epoch), 2 * epoch, "short");
            assertEq(Sides.endKey(true, epoch), 2 * epoch + 1, "long");
        }
    }

    function _sides(uint256 longScale, uint256 shortScale) private {
        market.longSide = toSideWord(longScale, 0);
        market.shortSide = toSideWord(shortScale, 0);
    }
}
