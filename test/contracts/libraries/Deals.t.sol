// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IMarginVault} from "../../../contracts/interfaces/IMarginVault.sol";
import {Deal, Deals, Parcel} from "../../../contracts/libraries/Deals.sol";
import {Side, Sides} from "../../../contracts/libraries/Sides.sol";
import {MarketId} from "../../../contracts/types/AssetSet.sol";
import {MarketParameters, toMarketRisk} from "../../../contracts/types/MarketWords.sol";
import {usualMarket} from "../support/Markets.sol";
import {Test} from "../support/Test.sol";

/// @dev One account with 100 long against the pool at a price of 2000; skew scale 1e6.
contract DealsTest is Test {
    using Deals for Deal;
    using Sides for Side;

    uint256 private constant LARGEST_FEES = (1 << 48) - 1;

    // ------------------------------------------------------------------ settle

    function test_SettlingRealisesEveryLoss() external pure {
        Deal memory deal = _deal(210_000e18, 3_000e18);
        assertEq(deal.settle(), -10_000e18, "realised");
        assertEq(deal.accountWord.cash(), -7_000e18, "cash");
        assertEq(deal.book.accountCostWad, 200_000e18, "cost");
        assertEq(deal.poolWord.cash(), 10_000e18, "cash of the pool");
        assertEq(deal.book.poolCostWad, -200_000e18 + 10_000e18, "cost of the pool");
    }

    function test_SettlingLeavesAGainWhereItIs() external pure {
        int256[3] memory cash = [int256(-4_000e18), 0, 5e18];
        for (uint256 i = 0; i < 3; i++) {
            Deal memory deal = _deal(190_000e18, cash[i]);
            assertEq(deal.settle(), 0, "realised");
            assertEq(deal.accountWord.cash(), cash[i], "cash");
            assertEq(deal.book.accountCostWad, 190_000e18, "cost");
            assertEq(deal.poolWord.cash(), 0, "cash of the pool");
        }
    }

    function testFuzz_SettlingMovesValueToCashAndNoneAway(int256 cost, int256 cash) external pure {
        cost = bound(cost, -1e30, 1e30);
        cash = bound(cash, -1e30, 1e30);
        Deal memory deal = _deal(cost, cash);
        int256 worth = deal.value() + cash;
        deal.settle();
        assertEq(deal.value() + deal.accountWord.cash(), worth, "worth of the account");
        assertTrue(deal.value() >= 0, "a loss stays");
        assertLe(deal.accountWord.cash(), cash, "cash above what it was");
        assertEq(deal.accountWord.cash() + deal.poolWord.cash(), cash, "cash of both");
        // What the pool got in cash, it lost in value.
        assertEq(deal.book.poolCostWad + 200_000e18, deal.poolWord.cash(), "worth of the pool");
    }

    // ------------------------------------------------------------------ fill and fees

    function test_AFillSplitsItsFeeBetweenPoolAndInsurance() external pure {
        Deal memory deal = _deal(200_000e18, 0);
        deal.venue.takerRateWad = 0.001e18;
        (uint256 price, uint256 fee, int256 realized) = deal.fill(100e18, 0.1e18);
        assertEq(price, 2000.3e18, "price, from a skew of 100");
        assertEq(fee, 200.03e18, "fee");
        assertEq(realized, 0, "nothing realised");
        assertEq(deal.feesUnswept, 20_003_000, "insurance's tenth, in millionths");
        assertEq(deal.book.accountCostWad, 400_030e18 + 200.03e18, "cost");
        assertEq(deal.book.poolCostWad, -400_030e18 - 180.027e18, "cost of the pool, lower by its nine tenths");
        assertEq(deal.book.feeWad, 0, "charged once");
    }

    function test_WhatAFillRealisesMovesBetweenTheTwoCashes() external pure {
        Deal memory deal = _deal(150_000e18, 50e18);
        (uint256 price, , int256 realized) = deal.fill(-100e18, 0);
        assertEq(price, 2000.1e18, "price");
        assertEq(realized, 50_010e18, "realised");
        assertEq(deal.accountWord.cash(), 50_060e18, "cash");
        assertEq(deal.poolWord.cash(), -50_010e18, "cash of the pool");
        assertEq(deal.book.poolCostWad, -200_000e18 + 200_010e18 - 50_010e18, "cost of the pool");
        assertEq(deal.book.realizedWad, 0, "moved once");
    }

    function test_InsuranceAccruesWholeMillionthsAndThePoolHasTheRest() external pure {
        Deal memory deal = _deal(200_000e18, 0);
        deal.chargeForcedFee(10e18, 2e18, 3.0000019e18);
        assertEq(deal.feesUnswept, 3_000_001, "insurance");
        assertEq(deal.poolWord.cash(), 8e18, "cash of the pool: all but the keeper's");
        assertEq(deal.book.poolCostWad, -200_000e18 + 3.000001e18, "cost of the pool: insurance's share");
        assertEq(deal.accountWord.cash(), -10e18, "account");
    }

    function test_APoolTakesTheFeesThatTheFieldHasNoRoomFor() external pure {
        Deal memory deal = _deal(200_000e18, 0);
        deal.feesUnswept = LARGEST_FEES - 5;
        deal.chargeForcedFee(10e18, 0, 1e18);
        assertEq(deal.feesUnswept, LARGEST_FEES, "full");
        assertEq(deal.poolWord.cash(), 10e18, "cash of the pool");
        assertEq(deal.book.poolCostWad, -200_000e18 + 5e12, "cost of the pool");
    }

    function testFuzz_NoFeeIsLost(uint256 fee, uint256 keeperShare, uint256 insuranceShare) external pure {
        fee = bound(fee, 0, 1e26);
        keeperShare = bound(keeperShare, 0, 1e18);
        insuranceShare = bound(insuranceShare, 0, 1e18 - keeperShare);
        Deal memory deal = _deal(200_000e18, 0);
        uint256 keeper = (fee * keeperShare) / 1e18;
        deal.chargeForcedFee(fee, keeper, (fee * insuranceShare) / 1e18);
        int256 pool = deal.poolWord.cash() - (deal.book.poolCostWad + 200_000e18);
        assertEq(pool + int256(keeper + deal.feesUnswept * 1e12), -deal.accountWord.cash(), "paid is received");
        assertEq(deal.poolWord.cash() + int256(keeper), -deal.accountWord.cash(), "in cash");
    }

    // ------------------------------------------------------------------ parcels, on sides that were deleveraged

    /// @dev The size that is handed out and the size that stays are exact, and nobody's worth changes by it.
    function testFuzz_AParcelIsExactAndTakesItsCostAlong(
        uint256 scale,
        uint256 size,
        uint256 part,
        int256 cost,
        bool long
    ) external pure {
        Deal memory deal = _deal(0, 0);
        Side memory side = Side(bound(scale, 1e23, 1e27), 5e26);
        (deal.venue.long, deal.venue.short) = (side, side);
        size = bound(size, 1, 1e22);
        part = bound(part, 1, size);
        int256 held = int256(side.sharesUp(size));
        deal.book.accountSharesWad = long ? held : -held;
        deal.book.accountCostWad = bound(cost, -1e28, 1e28);
        (int256 costBefore, int256 worth) = (deal.book.accountCostWad, deal.value());
        Parcel memory parcel = deal.handOut(part);
        int256 sign = long ? int256(1) : int256(-1);
        assertEq(deal.size(), sign * int256(size - part), "size that stays");
        assertEq(deal.book.accountSharesWad + parcel.sharesWad, sign * held, "shares");
        assertEq(deal.book.accountCostWad + parcel.costWad, costBefore, "cost");
        assertNear(deal.value() + deal.accountWord.cash(), worth, 1, "worth");
        assertEq(deal.accountWord.cash(), parcel.valueWad, "paid");

        Deal memory taker = _deal(0, 0);
        (taker.venue.long, taker.venue.short) = (side, side);
        (taker.book.accountSharesWad, taker.book.accountCostWad) = (0, 0);
        taker.takeOver(parcel);
        // A share more or less makes the part's size round, when it is taken off one that is exact.
        assertNear(taker.size(), sign * int256(part), 1, "size of the parcel");
        assertNear(taker.value() + taker.accountWord.cash(), 0, 1, "worth of whoever takes it over");
    }

    // ------------------------------------------------------------------ room

    function test_TheInitialBaseRisesWithTheLargerSideInSizes() external pure {
        MarketParameters memory p = usualMarket();
        Deal memory deal = _deal(200_000e18, 0);
        (deal.book.longSharesWad, deal.book.shortSharesWad) = (4e22, 1e23);
        deal.risk = toMarketRisk(p);
        assertEq(deal.initialBase(), 0.1e18, "without a slope");
        p.openInterestSlopeWad = 1e18;
        deal.risk = toMarketRisk(p);
        assertEq(deal.initialBase(), 0.2e18, "a tenth of the skew scale");
        deal.venue.short.scaleRay = 3e26;
        assertEq(deal.initialBase(), 0.14e18, "of sizes, the longs are the larger side");
        deal.venue.short.scaleRay = 5e26;
        assertEq(deal.initialBase(), 0.15e18, "of sizes, the shorts");
    }

    function test_OpenInterestLeavesThePoolOut() external pure {
        Deal memory deal = _deal(200_000e18, 0);
        deal.book.longSharesWad = 160e18;
        deal.book.shortSharesWad = 160e18;
        assertEq(deal.openInterest(true), 160e18, "longs");
        assertEq(deal.openInterest(false), 60e18, "shorts but the pool");
        deal.book.poolSharesWad = 100e18;
        assertEq(deal.openInterest(true), 60e18, "longs but the pool");
        assertEq(deal.openInterest(false), 160e18, "shorts");
    }

    function test_RefusesGrowthNearTheEndOfAField() external {
        Deal memory deal = _deal(200_000e18, 0);
        this.requireRoom(deal);
        bytes memory refusal = abi.encodeWithSelector(IMarginVault.GrowthLimit.selector, deal.market);
        uint256 sideEnd = 1 << 103;
        int256 costEnd = 1 << 118;

        deal.book.longSharesWad = sideEnd - 1;
        deal.book.shortSharesWad = sideEnd - 1;
        deal.book.accountCostWad = 1 - costEnd;
        deal.book.poolCostWad = costEnd - 1;
        this.requireRoom(deal);

        deal.book.longSharesWad = sideEnd;
        vm.expectRevert(refusal);
        this.requireRoom(deal);
        (deal.book.longSharesWad, deal.book.shortSharesWad) = (0, sideEnd);
        vm.expectRevert(refusal);
        this.requireRoom(deal);
        (deal.book.shortSharesWad, deal.book.accountCostWad) = (0, -costEnd);
        vm.expectRevert(refusal);
        this.requireRoom(deal);
        (deal.book.accountCostWad, deal.book.poolCostWad) = (0, costEnd);
        vm.expectRevert(refusal);
        this.requireRoom(deal);
    }

    function requireRoom(Deal calldata deal) external pure {
        Deals.requireRoom(deal);
    }

    function _deal(int256 costWad, int256 cashWad) private pure returns (Deal memory deal) {
        deal.market = MarketId.wrap(3);
        deal.accountWord = deal.accountWord.withCash(cashWad);
        deal.book.accountSharesWad = 100e18;
        deal.book.accountCostWad = costWad;
        deal.book.poolSharesWad = -100e18;
        deal.book.poolCostWad = -200_000e18;
        deal.book.longSharesWad = 100e18;
        deal.book.shortSharesWad = 100e18;
        deal.venue.priceWad = 2000e18;
        deal.venue.skewScaleWad = 1e24;
        deal.venue.long = Sides.untouched(1, 0);
        deal.venue.short = Sides.untouched(-1, 0);
    }
}
