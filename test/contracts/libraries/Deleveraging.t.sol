// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Deal, Deals} from "../../../contracts/libraries/Deals.sol";
import {Deleverage, Deleveraging} from "../../../contracts/libraries/Deleveraging.sol";
import {Book, Fill} from "../../../contracts/libraries/Fill.sol";
import {Margin, Sums} from "../../../contracts/libraries/Margin.sol";
import {Side, Sides} from "../../../contracts/libraries/Sides.sol";
import {Account} from "../../../contracts/types/Account.sol";
import {AccountId} from "../../../contracts/types/AccountId.sol";
import {MarketId} from "../../../contracts/types/AssetSet.sol";
import {
    MarketParameters,
    MarketRisk,
    SIDES_TOUCHED,
    SideWord,
    toMarketRisk,
    toMarketState,
    toMarketTerms
} from "../../../contracts/types/MarketWords.sol";
import {toPosition} from "../../../contracts/types/Position.sol";
import {Price, toPrice} from "../../../contracts/types/Price.sol";
import {Context, Market, VaultStorage} from "../../../contracts/types/VaultStorage.sol";
import {AccountRisk, toAccountRisk} from "../../../contracts/types/VaultWords.sol";
import {usualAccounts, usualMarket} from "../support/Markets.sol";
import {Test} from "../support/Test.sol";

/// @dev The pool (party 0) and four accounts in one market. Of each the shares, the cost, and what it has realised.
struct Crowd {
    Deal deal;
    int256[5] shares;
    int256[5] costs;
    int256[5] realized;
}

/// @dev Maintenance base 5%, debt margin 10%, skew scale 1e6, price 2000.
contract DeleveragingTest is Test {
    using Deals for Deal;
    using Deleveraging for Deal;
    using Fill for Book;
    using Sides for Side;

    uint256 private constant NOW = 1_700_000_000;
    uint256 private constant RAY = 1e27;
    uint256 private constant LEAST_SCALE = RAY / 10_000;
    MarketId private constant ETHER = MarketId.wrap(3);
    AccountId private constant POOL = AccountId.wrap(bytes32(uint256(1)));

    VaultStorage private $;

    // ------------------------------------------------------------------ one position against one other side

    /// @dev 100 long of party 1; 60 and 140 short of parties 2 and 3, the pool 100 long. Each short buys back half.
    function test_EveryShareOfTheOtherSideSellsTheSame() external pure {
        Crowd memory c = _crowd(2000e18);
        _fillAtPrice(c, [int256(0), 100e18, -60e18, -140e18, 0]);
        assertEq(c.shares[0], 100e18, "the pool is long");
        Deleverage memory done = _close(c, 1, 2100e27);

        assertEq(done.sizeWad, 100e18, "size");
        assertEq(done.realizedWad, 10_000e18, "realised");
        assertEq(c.realized[1], 10_000e18, "of the account");
        assertEq(c.shares[1], 0, "shares of the account");
        assertEq(c.costs[1], 0, "cost of the account");
        assertTrue(!done.long, "the shorts were deleveraged");
        assertEq(done.soldRay, RAY / 2, "sold of each share");
        assertEq(done.priceRay, 2100e27, "price");
        assertEq(done.scaleRay, RAY / 2, "scale");
        assertTrue(!done.ended, "the epoch goes on");
        assertEq(c.deal.venue.short.scaleRay, RAY / 2, "scale of the short side");
        assertEq(c.deal.venue.short.carryRay, -1050e27, "carry of the short side");
        assertEq(c.deal.venue.long.scaleRay, RAY, "scale of the long side");
        assertEq(c.deal.venue.long.carryRay, 0, "carry of the long side");
        assertEq(c.deal.book.longSharesWad, 100e18, "long shares");
        assertEq(c.deal.book.shortSharesWad, 200e18, "short shares");
        assertEq(_sizeOf(c, 2), -30e18, "half of 60");
        assertEq(_sizeOf(c, 3), -70e18, "half of 140");
        assertEq(_sizeOf(c, 0), 100e18, "the pool's size");
        // The shorts have sold 100 at 2000 and bought half back at 2100.
        assertEq(_valueAt(c, 2, 2000e27), -3_000e18, "loss of 30");
        assertEq(_valueAt(c, 3, 2000e27), -7_000e18, "loss of 70");
        assertEq(_valueAt(c, 0, 2000e27) + c.realized[0], 0, "equity of the pool");
        assertTrue(c.deal.state.has(SIDES_TOUCHED), "flag");
        assertTrue(c.deal.sidesChanged, "sides to store");
    }

    function test_AShortIsClosedAgainstTheLongs() external pure {
        Crowd memory c = _crowd(2000e18);
        _fillAtPrice(c, [int256(0), -50e18, 80e18, 120e18, 0]);
        Deleverage memory done = _close(c, 1, 1900e27);
        assertEq(done.sizeWad, -50e18, "size");
        assertEq(done.realizedWad, 5_000e18, "realised");
        assertTrue(done.long, "the longs were deleveraged");
        assertEq(done.soldRay, RAY / 4, "sold of each share");
        assertEq(c.deal.venue.long.carryRay, 475e27, "carry of the long side");
        assertEq(_sizeOf(c, 2), 60e18, "three quarters of 80");
        assertEq(_sizeOf(c, 3), 90e18, "three quarters of 120");
        assertEq(_valueAt(c, 2, 2000e27), -2_000e18, "sold 20 at 1900");
        assertEq(c.deal.book.shortSharesWad, 150e18, "short shares: the pool's");
    }

    function test_ThePoolIsClosedWithItsResultInItsCost() external pure {
        Crowd memory c = _crowd(2000e18);
        _fillAtPrice(c, [int256(0), 100e18, 60e18, 0, 0]);
        _as(c, 1);
        Deleverage memory done = c.deal.closePool(1900e27);
        _done(c, 1);
        assertEq(done.sizeWad, -160e18, "size");
        assertEq(done.realizedWad, 0, "nothing to its cash");
        assertEq(c.shares[0], 0, "shares of the pool");
        assertEq(c.costs[0], -16_000e18, "its cost is what it has gained");
        assertEq(c.deal.book.shortSharesWad, 0, "short shares");
        assertTrue(done.long && done.ended, "the longs have nothing left");
        assertEq(done.scaleRay, 0, "nothing of a share");
    }

    function test_RoundsTheSizeSoThatClaimsFall() external pure {
        Crowd memory c = _crowd(2000e18);
        _fillAtPrice(c, [int256(0), 1e18, -3e18, 0, 0]);
        Deleverage memory done = _close(c, 1, 2000e27);
        assertEq(done.soldRay, RAY / 3 + 1, "of a short a little more is bought back");
        c = _crowd(2000e18);
        _fillAtPrice(c, [int256(0), -1e18, 3e18, 0, 0]);
        done = _close(c, 1, 2000e27);
        assertEq(done.soldRay, RAY / 3, "of a long a little less is sold");
    }

    // ------------------------------------------------------------------ epochs

    function test_INV23_AnEpochEndsBelowATenThousandthAndNotAtIt() external pure {
        Crowd memory c = _crowd(2000e18);
        _fillAtPrice(c, [int256(0), 9_999e18, -10_000e18, 0, 0]);
        Deleverage memory done = _close(c, 1, 2000e27);
        assertTrue(!done.ended, "at a ten-thousandth");
        assertEq(done.scaleRay, LEAST_SCALE, "scale");
        assertEq(_sizeOf(c, 2), -1e18, "what is left");

        c = _crowd(2000e18);
        _fillAtPrice(c, [int256(0), 9_999.000001e18, -10_000e18, 0, 0]);
        done = _close(c, 1, 2000e27);
        assertTrue(done.ended, "below it");
        assertEq(done.epoch, 0, "the epoch that ended");
        assertEq(c.deal.epochs.epochOf(false), 1, "short epoch");
        assertEq(c.deal.epochs.epochOf(true), 0, "long epoch");
        assertEq(done.end.sideScale(), done.scaleRay, "scale at its end");
        assertEq(done.end.sideCarry(), -1_999_800_0002e20, "carry at its end");
        assertEq(c.deal.venue.short.scaleRay, RAY, "the side starts anew");
        assertEq(c.deal.venue.short.carryRay, 0, "without carry");
        assertEq(c.deal.book.shortSharesWad, 0.999999e18, "shares are sizes again");
        assertEq(c.shares[2], -0.999999e18, "of the one who holds them all");
    }

    /// @dev The pool is short with the others: its position is of the new epoch at once.
    function test_ThePoolsPositionConvertsAtOnce() external pure {
        Crowd memory c = _crowd(2000e18);
        _fillAtPrice(c, [int256(0), -60e18, 100e18, 60e18, 0]); // the pool is 100 short
        Deleverage memory done = _close(c, 2, 2100e27); // 100 of 160: 3/8 of a share stay
        assertTrue(!done.ended, "the epoch goes on");
        assertEq(c.shares[0], -100e18, "shares of the pool stay");
        assertEq(_sizeOf(c, 0), -37.5e18, "its size is less");
        done = _close(c, 3, 2000e27); // the other 60: nothing stays
        assertTrue(done.ended && !done.long, "the short side's epoch ends");
        assertEq(c.shares[0], 0, "shares of the pool");
        // Sold 100 at 2000, bought 62.5 back at 2100 and 37.5 at 2000; and what party 2 has realised is in its cost.
        assertEq(c.costs[0], 6_250e18 - 10_000e18, "cost of the pool");
        assertEq(c.realized[0], -10_000e18, "cash of the pool");
        assertEq(c.deal.book.shortSharesWad, 0, "short shares");
    }

    function test_ThePoolOnTheSideThatIsClosedStays() external pure {
        Crowd memory c = _crowd(2000e18);
        _fillAtPrice(c, [int256(0), 50e18, -100e18, 0, 0]); // the pool is 50 long
        int256 cost = c.costs[0];
        _close(c, 1, 2000e27);
        Deleverage memory done = _closePool(c, 2000e27);
        assertTrue(done.ended && !done.long, "the short side's epoch ends");
        assertEq(c.deal.epochs.epochOf(true), 0, "the long side's does not");
        assertEq(cost, 100_000e18, "its cost before");
        assertEq(c.costs[0], 0, "its cost after");
    }

    // ------------------------------------------------------------------ a position of size zero

    function test_APositionWithoutSizeIsFinishedWithItsWholeValue() external pure {
        Crowd memory c = _crowd(2000e18);
        _fillAtPrice(c, [int256(0), 100e18, -100e18, 0, 0]);
        _close(c, 1, 1950e27);
        assertEq(c.shares[2], 0, "nothing left of the short");
        _as(c, 2);
        assertEq(c.deal.size(), 0, "size");
        assertEq(c.deal.finish(), 5_000e18, "a gain is paid too");
        _done(c, 2);
        assertEq(c.realized[2], 5_000e18, "to its cash");
        assertEq(c.costs[2], 0, "no cost stays");
        assertEq(c.realized[0], 0, "what one has lost the other has got, through the pool");
        assertEq(c.costs[0], 0, "the pool's cost too");
    }

    function test_DustOfSharesGoesWithTheResult() external pure {
        Crowd memory c = _crowd(2000e18);
        _fillAtPrice(c, [int256(0), 1e18, -1e18, 0, 0]);
        c.deal.venue.short = Side(RAY / 1000, 5e27);
        (c.shares[2], c.deal.book.shortSharesWad) = (-999, 2_999);
        _as(c, 2);
        // 999 shares of a carry of 5, less 1.998 at the price; it had sold for 2000.
        assertEq(c.deal.finish(), 2000e18 + 4995 - 1998, "realised");
        assertEq(c.deal.book.shortSharesWad, 2_000, "its dust is gone from the side");
        assertEq(c.deal.book.accountSharesWad, 0, "shares");
        c.deal.book.accountSharesWad = -1000;
        assertEq(c.deal.finish(), 0, "a wei of size is a position");
        assertEq(c.deal.book.accountSharesWad, -1000, "which stays");
    }

    // ------------------------------------------------------------------ the closing price

    function test_ClosesAtThePriceWhereNothingIsMissing() external pure {
        Deal memory deal = _crowd(2000e18).deal;
        assertEq(deal.closingPriceRay(true, 0, 1e18, _accounts()), 2000e27, "long");
        assertEq(deal.closingPriceRay(false, 0, 1e18, _accounts()), 2000e27, "short");
        assertEq(deal.closingPriceRay(true, 0, 0, _accounts()), 2000e27, "nothing can be borne");
    }

    /// @dev 5% of 2000 over 1 + 10%: 90.909...
    function test_RaisesWhatIsMissingAndAtMostTheBase() external pure {
        Deal memory deal = _crowd(2000e18).deal;
        AccountRisk risk = _accounts();
        uint256 bearable = deal.bearableDown(10e18, risk);
        assertEq(bearable, 909.090909090909090909e18, "of ten");
        uint256 most = (uint256(100e27) * 10) / 11;
        assertEq(deal.closingPriceRay(true, bearable, bearable, risk), 2000e27 + most, "all of it, long");
        assertEq(deal.closingPriceRay(false, bearable, bearable, risk), 2000e27 - most, "all of it, short");
        assertEq(deal.closingPriceRay(true, 5000e18, bearable, risk), 2000e27 + most, "more than can be borne");
        assertEq(deal.closingPriceRay(true, 1, 0, risk), 2000e27 + most, "where nothing can be borne");
        // A tenth of it, and a million wei: 9.0909... and 1e-13 of each
        uint256 ray = deal.closingPriceRay(true, bearable / 10, bearable, risk);
        assertNear(int256(ray), 2000e27 + int256(most / 10) + 1e14, 1e9, "a tenth");
    }

    /// @dev INV-11, first half; and that the legs together raise what is missing, as far as they go, and no more.
    function testFuzz_TheLegsTogetherRaiseWhatIsMissing(
        uint256[3] calldata sizes,
        uint256[3] calldata prices,
        uint256 bases,
        uint256 missing
    ) external pure {
        Deal[3] memory deals;
        uint256[3] memory size;
        AccountRisk risk = _accounts();
        uint256 bearable;
        for (uint256 i = 0; i < 3; i++) {
            size[i] = bound(sizes[i], 0, 1e23);
            deals[i] = _crowd(bound(prices[i], 1e9, 1e24)).deal;
            deals[i].risk = _riskOf(bound(uint64(bases >> (64 * i)), 1e3, 1e6));
            bearable += deals[i].bearableDown(size[i], risk);
        }
        missing = bound(missing, 0, bearable + bearable / 2 + 1000);
        uint256 raised;
        uint256 dust = 4;
        for (uint256 i = 0; i < 3; i++) {
            bool long = (bases >> (192 + i)) & 1 == 1;
            uint256 mark = deals[i].price.value() * 1e9;
            uint256 price = deals[i].closingPriceRay(long, missing, bearable, risk);
            uint256 distance = long ? price - mark : mark - price;
            assertLe(distance * 1.1e18, mark * deals[i].risk.maintenanceBase(), "further than the base, over 1 + rho");
            raised += (size[i] * distance) / RAY;
            dust += size[i] / RAY + 2;
        }
        if (missing == 0) assertEq(raised, 0, "nothing is missing");
        else if (missing <= bearable) assertGe(raised + dust, missing, "too little");
        if (missing + 1e6 <= bearable) assertGe(raised, missing, "something is left to write off");
        uint256 most = missing == 0 ? 0 : missing + 1e6 + dust + ((missing + 1e6) * 8) / (bearable + 1);
        assertLe(raised, most, "too much");
    }

    // ------------------------------------------------------------------ any crowd

    /// @dev At the closing price nobody's value changes; sizes of the sides stay the same; claims, prices left out, never rise.
    function testFuzz_INV11_NobodysValueChangesAtTheClosingPrice(
        int256[5] memory sizes,
        uint256 longScale,
        uint256 shortScale,
        uint256 price,
        uint256 seed
    ) external pure {
        price = bound(price, 1e12, 1e24);
        Crowd memory c = _anyCrowd(sizes, longScale, shortScale, price, seed);
        for (uint256 round = 0; round < 3; round++) {
            uint256 who = 1 + ((seed >> (8 * round)) % 4);
            if (_sizeOf(c, who) == 0) continue;
            uint256 mark = price * 1e9;
            _closeAndCheck(c, who, mark - mark / 20 + ((seed >> 40) % 1000) * (mark / 10_000));
        }
    }

    /// @dev A whole side closed position by position leaves the other nothing, and everybody the value of the closing price.
    function testFuzz_ASideClosedWholeLeavesTheOtherNothing(int256[5] memory sizes, uint256 price) external pure {
        price = bound(price, 1e12, 1e24);
        for (uint256 i = 1; i < 5; i++) sizes[i] = bound(sizes[i], 1e9, 1e21) * (i < 3 ? int256(1) : int256(-1));
        Crowd memory c = _crowd(price);
        _fillAtPrice(c, sizes);
        int256 beforehand = _equities(c, price * 1e9);
        _closeAndCheck(c, 1, price * 1e9);
        if (_sizeOf(c, 2) != 0) _closeAndCheck(c, 2, price * 1e9);
        if (c.shares[0] > 0) _closePool(c, price * 1e9);
        assertLe(c.deal.book.shortSharesWad, 4e9, "shares of the short side");
        for (uint256 i = 3; i < 5; i++) {
            assertGe(_sizeOf(c, i), -4, "size of a short");
            if (_sizeOf(c, i) != 0) continue;
            _as(c, i);
            int256 value = c.deal.value();
            assertEq(c.deal.finish(), value, "its whole value is paid");
            _done(c, i);
        }
        assertNear(_equities(c, price * 1e9), beforehand, 40 * (price / 1e18 + 8), "sum of values");
        // Each of two shorts may be left a wei of size short of what it owes.
        assertLe(_equities(c, price * 1e9), beforehand + int256(2 * (price / 1e18 + 1)), "made out of nothing");
    }

    /// @dev INV-11, second half: of somebody just healthy on the other side, at any cash, any share sold and the worst price.
    function testFuzz_INV11_NobodyBecomesLiquidatable(
        uint256 size,
        uint256 others,
        uint256 closed,
        int256 entry,
        bool long,
        uint256 price
    ) external pure {
        price = bound(price, 1e15, 1e24);
        size = bound(size, 1e12, 1e22);
        others = bound(others, 0, 1e22);
        closed = bound(closed, 1, size + others);
        int256 sign = long ? int256(1) : int256(-1);
        Crowd memory c = _crowd(price);
        _fillAtPrice(c, [int256(0), -sign * int256(closed), sign * int256(size), sign * int256(others), 0]);
        c.costs[2] += bound(entry, -int256(size), int256(size)) * int256(price / 1e18 + 1); // it came at another price
        AccountRisk risk = _accounts();
        int256 cash = _cashOfTheJustHealthy(c, 2, risk);
        assertTrue(!_isLiquidatable(c, 2, cash, risk), "healthy before");
        assertTrue(_isLiquidatable(c, 2, cash - 10, risk), "and only just");
        uint256 bearable = c.deal.bearableDown(closed, risk);
        _close(c, 1, c.deal.closingPriceRay(!long, bearable + 1, bearable, risk));
        // What is rounded off its size and its value.
        int256 dust = int256(price / 1e18 + 4);
        assertTrue(!_isLiquidatable(c, 2, cash + dust, risk), "liquidatable by a deleveraging");
    }

    // ------------------------------------------------------------------ in storage

    function test_WhoComesLaterFindsItsShareOfTheEndedEpoch() external {
        vm.warp(NOW);
        Crowd memory c = _crowd(2000e18);
        _fillAtPrice(c, [int256(0), 100e18, -60e18, -40e18, 0]);
        Context memory context;
        context.pool = POOL;
        Market storage m = $.markets[ETHER];
        m.risk = c.deal.risk;
        m.terms = toMarketTerms(usualMarket());
        m.state = c.deal.state;
        for (uint256 i = 2; i < 4; i++) $.positions[_id(i)][ETHER] = toPosition(c.shares[i], c.costs[i], 0);

        c.deal.market = ETHER;
        c.deal.account = _id(1);
        _as(c, 1);
        Deleverage memory done = c.deal.close(1900e27);
        Deals.store($, context, c.deal);
        Deleveraging.store($, c.deal, done);
        assertTrue(done.ended, "the shorts' epoch has ended");
        assertTrue(m.state.has(SIDES_TOUCHED), "flag");
        assertEq(m.epochs.epochOf(false), 1, "short epoch");
        assertEq(SideWord.unwrap(m.ends[Sides.endKey(false, 0)]), SideWord.unwrap(done.end), "its end");
        assertEq(SideWord.unwrap(m.ends[Sides.endKey(true, 0)]), 0, "none of the longs");
        assertEq($.positions[_id(1)][ETHER].shares(), 0, "the position is gone");

        // The price moves on; party 2 is paid 60 * 100 all the same.
        Deal memory later;
        Account empty;
        later.load($, context, _id(2), empty, c.deal.poolWord, ETHER, _price(5000e18));
        assertEq(later.size(), 0, "size");
        assertEq(later.finish(), 6_000e18, "realised");
        Deals.store($, context, later);
        assertEq(later.accountWord.cash(), 6_000e18, "its cash");
        assertEq($.positions[_id(2)][ETHER].cost(), 0, "cost");

        // Somebody opens a short again; party 3, of the old epoch, has no part in it.
        Deal memory newcomer;
        newcomer.load($, context, _id(4), empty, later.poolWord, ETHER, _price(2000e18));
        newcomer.fill(-10e18, 0);
        Deals.store($, context, newcomer);
        assertEq($.positions[_id(4)][ETHER].epoch(), 1, "its epoch");
        assertEq($.positions[POOL][ETHER].shares(), 10e18, "the pool is long");
        Deal memory last;
        last.load($, context, _id(3), empty, newcomer.poolWord, ETHER, _price(2000e18));
        assertEq(last.finish(), 4_000e18, "realised");
        assertEq(last.book.shortSharesWad, 10e18, "the newcomer's shares");
    }

    function test_ASideWithoutSharesStartsAnewInItsEpoch() external {
        vm.warp(NOW);
        Crowd memory c = _crowd(2000e18);
        _fillAtPrice(c, [int256(0), 50e18, -100e18, 0, 0]);
        Context memory context;
        context.pool = POOL;
        $.markets[ETHER].risk = c.deal.risk;
        (c.deal.market, c.deal.account) = (ETHER, _id(1));
        _close(c, 1, 2000e27);
        c.deal.account = _id(2);
        _as(c, 2);
        c.deal.fill(50e18, 0);
        Deals.store($, context, c.deal);
        Market storage m = $.markets[ETHER];
        assertEq(m.shortSide.sideScale(), RAY, "scale");
        assertEq(m.shortSide.sideCarry(), 0, "carry");
        assertEq(m.epochs.epochOf(false), 0, "epoch");
    }

    // ------------------------------------------------------------------ scene

    function _closeAndCheck(Crowd memory c, uint256 who, uint256 priceRay) private pure {
        int256[5] memory values;
        for (uint256 i = 0; i < 5; i++) values[i] = _valueAt(c, i, priceRay) + c.realized[i];
        int256 sizesBefore = _sizesRay(c);
        int256 claims = _claimsRay(c);
        uint256 unowned = _unowned(c);
        bool closedLong = c.shares[who] > 0;
        uint256 shares = closedLong ? c.deal.book.shortSharesWad : c.deal.book.longSharesWad;
        Deleverage memory done = _close(c, who, priceRay);
        assertTrue(done.long != closedLong, "the other side was deleveraged");

        // A wei of size, which conversion may take, and the last places of share prices.
        uint256 weiOfSize = priceRay / RAY + 1;
        uint256 dust = shares / RAY + 3 + (done.ended ? weiOfSize : 0);
        for (uint256 i = 0; i < 5; i++) {
            int256 value = _valueAt(c, i, priceRay) + c.realized[i];
            // The end of an epoch leaves a short less than a wei of size short of what it owes.
            int256 most = done.ended && !done.long && c.costs[i] != 0 ? values[i] + int256(weiOfSize) : values[i];
            assertLe(value, most, "a value has risen");
            assertGe(value, values[i] - int256(dust), "a value has fallen");
        }
        _checkSums(c);
        // What was closed is what was sold, to a ray of each share; an end rounds every size down.
        uint256 off = shares + 1e27 + (done.ended ? 6e27 : 0);
        assertNear(_sizesRay(c), sizesBefore, off, "sizes of the two sides");
        // The end of an epoch rounds away shares, of every holder and of the side: a wei of size each may stay unpaid for.
        uint256 unpaid = (unowned + (done.ended ? 6 : 0)) * weiOfSize;
        assertLe(_claimsRay(c), claims + int256(unpaid * RAY), "claims have risen");
        assertGe(_claimsRay(c), claims - int256((dust * 6 + (off / RAY) * weiOfSize + 8) * RAY), "claims have fallen");
    }

    /// @dev Size of all longs less size of all shorts, times 1e27.
    function _sizesRay(Crowd memory c) private pure returns (int256) {
        Book memory book = c.deal.book;
        return
            int256(book.longSharesWad * c.deal.venue.long.scaleRay) -
            int256(book.shortSharesWad * c.deal.venue.short.scaleRay);
    }

    /// @dev All that the accounts have, prices left out, times 1e27: cash + shares * carry - costs.
    function _claimsRay(Crowd memory c) private pure returns (int256 sum) {
        for (uint256 i = 0; i < 5; i++) {
            int256 shares = c.shares[i] < 0 ? -c.shares[i] : c.shares[i];
            sum += shares * c.deal.sideOf(c.shares[i]).carryRay + (c.realized[i] - c.costs[i]) * int256(RAY);
        }
    }

    /// @dev Shares of both sides that are nobody's.
    function _unowned(Crowd memory c) private pure returns (uint256 count) {
        count = c.deal.book.longSharesWad + c.deal.book.shortSharesWad;
        for (uint256 i = 0; i < 5; i++) count -= uint256(c.shares[i] < 0 ? -c.shares[i] : c.shares[i]);
    }

    function _equities(Crowd memory c, uint256 priceRay) private pure returns (int256 sum) {
        for (uint256 i = 0; i < 5; i++) sum += _valueAt(c, i, priceRay) + c.realized[i];
    }

    function _checkSums(Crowd memory c) private pure {
        int256 longs;
        int256 shorts;
        for (uint256 i = 0; i < 5; i++) {
            if (c.shares[i] > 0) longs += c.shares[i];
            else shorts -= c.shares[i];
        }
        // An end rounds each holder's shares down, and their sum once.
        assertTrue(longs <= int256(c.deal.book.longSharesWad), "more long shares than the side has");
        assertTrue(shorts <= int256(c.deal.book.shortSharesWad), "more short shares than the side has");
        assertGe(longs, int256(c.deal.book.longSharesWad) - 15, "fewer long shares");
        assertGe(shorts, int256(c.deal.book.shortSharesWad) - 15, "fewer short shares");
    }

    function _crowd(uint256 price) private pure returns (Crowd memory c) {
        c.deal.price = _price(price);
        c.deal.risk = _riskOf(0.05e6);
        c.deal.terms = toMarketTerms(usualMarket());
        c.deal.state = toMarketState(0, 0, 0, NOW, 0);
        c.deal.venue.priceWad = price;
        c.deal.venue.skewScaleWad = 1e24;
        c.deal.venue.long = Sides.untouched(1, 0);
        c.deal.venue.short = Sides.untouched(-1, 0);
    }

    /// @dev Five parties with sizes and costs of any kind, on sides that were deleveraged before.
    function _anyCrowd(
        int256[5] memory sizes,
        uint256 longScale,
        uint256 shortScale,
        uint256 price,
        uint256 seed
    ) private pure returns (Crowd memory c) {
        c = _crowd(price);
        c.deal.venue.long = Side(bound(longScale, LEAST_SCALE, RAY), 3e20);
        c.deal.venue.short = Side(bound(shortScale, LEAST_SCALE, RAY), -7e20);
        for (uint256 i = 1; i < 5; i++) {
            sizes[i] = bound(sizes[i], -1e22, 1e22);
            if ((seed >> (200 + i)) & 1 == 1) sizes[i] %= 1e6; // so that some have little beside others
        }
        _fillAtPrice(c, sizes);
        for (uint256 i = 1; i < 5; i++) {
            // Each came at another price, which it owes to nobody: the pool has it.
            int256 apart = sizes[i] / int256(2 + ((seed >> (8 * i)) % 7));
            c.costs[i] += apart;
            c.costs[0] -= apart;
        }
        c.deal.book.poolCostWad = c.costs[0];
    }

    /// @dev Trades of all but the pool, at the price itself.
    function _fillAtPrice(Crowd memory c, int256[5] memory sizes) private pure {
        c.deal.venue.fixedPriceRay = c.deal.venue.priceWad * 1e9;
        for (uint256 i = 1; i < 5; i++) {
            _as(c, i);
            c.deal.book.execute(c.deal.venue, sizes[i]);
            _done(c, i);
        }
        c.deal.venue.fixedPriceRay = 0;
    }

    function _close(Crowd memory c, uint256 who, uint256 priceRay) private pure returns (Deleverage memory done) {
        _as(c, who);
        done = c.deal.close(priceRay);
        _done(c, who);
        _convert(c, done);
    }

    function _closePool(Crowd memory c, uint256 priceRay) private pure returns (Deleverage memory done) {
        _as(c, 1);
        done = c.deal.closePool(priceRay);
        _done(c, 1);
        _convert(c, done);
    }

    /// @dev Whoever is of the epoch that has ended, but the pool, which the contract converts.
    function _convert(Crowd memory c, Deleverage memory done) private pure {
        if (!done.ended) return;
        for (uint256 i = 1; i < 5; i++) {
            if (c.shares[i] == 0 || done.long != c.shares[i] > 0) continue;
            (c.shares[i], c.costs[i]) = Sides.convertedBy(done.end, c.shares[i], c.costs[i]);
        }
    }

    function _as(Crowd memory c, uint256 who) private pure {
        Deal memory deal = c.deal;
        (deal.book.accountSharesWad, deal.book.accountCostWad) = (c.shares[who], c.costs[who]);
        (deal.book.poolSharesWad, deal.book.poolCostWad) = (c.shares[0], c.costs[0]);
        deal.accountWord = deal.accountWord.withCash(c.realized[who]);
        deal.poolWord = deal.poolWord.withCash(c.realized[0]);
    }

    function _done(Crowd memory c, uint256 who) private pure {
        Deal memory deal = c.deal;
        (c.shares[who], c.costs[who]) = (deal.book.accountSharesWad, deal.book.accountCostWad);
        (c.shares[0], c.costs[0]) = (deal.book.poolSharesWad, deal.book.poolCostWad);
        (c.realized[who], c.realized[0]) = (deal.accountWord.cash(), deal.poolWord.cash());
    }

    function _sizeOf(Crowd memory c, uint256 who) private pure returns (int256) {
        return Fill.sizeOf(c.shares[who], c.deal.venue);
    }

    function _valueAt(Crowd memory c, uint256 who, uint256 priceRay) private pure returns (int256) {
        int256 sign = c.shares[who] < 0 ? int256(-1) : int256(1);
        int256 product = c.shares[who] * sign * c.deal.sideOf(c.shares[who]).sharePriceFloor(sign, priceRay);
        int256 floor = product / int256(RAY);
        if (product < 0 && floor * int256(RAY) != product) floor -= 1;
        return floor - c.costs[who];
    }

    function _sumsOf(Crowd memory c, uint256 who) private pure returns (Sums memory sums) {
        Deal memory deal = c.deal;
        uint256 base = deal.initialBase();
        Margin.addLeg(
            sums,
            deal.sideOf(c.shares[who]),
            c.shares[who],
            c.costs[who],
            deal.risk,
            base,
            deal.price,
            false
        );
    }

    function _isLiquidatable(Crowd memory c, uint256 who, int256 cash, AccountRisk risk) private pure returns (bool) {
        return Margin.isLiquidatable(Margin.total(_sumsOf(c, who), cash, risk));
    }

    /// @dev The least cash that covers the requirement, within a few wei above it.
    function _cashOfTheJustHealthy(Crowd memory c, uint256 who, AccountRisk risk) private pure returns (int256 cash) {
        Sums memory sums = _sumsOf(c, who);
        int256 required = int256(sums.requirementMaintenance + risk.keeperFloor());
        // Equity covers it without a debt margin, or with a tenth of what net cash is below zero.
        cash = required - sums.equityMaintenance;
        if (sums.unrealized + cash < 0) cash = (required * 10) / 11 - sums.equityMaintenance;
        while (_isLiquidatable(c, who, cash, risk)) cash += 1;
    }

    function _id(uint256 i) private pure returns (AccountId) {
        return AccountId.wrap(bytes32(i + 1));
    }

    function _price(uint256 price) private pure returns (Price) {
        return toPrice(price, 0.001e18, NOW, 60).asOf(NOW);
    }

    /// @param base the maintenance base, 1e-6
    function _riskOf(uint256 base) private pure returns (MarketRisk) {
        MarketParameters memory p = usualMarket();
        p.maintenanceBaseWad = base * 1e12;
        return toMarketRisk(p);
    }

    function _accounts() private pure returns (AccountRisk) {
        return toAccountRisk(usualAccounts());
    }
}
