// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IMarginVault} from "../../../contracts/interfaces/IMarginVault.sol";
import {Deal, Deals} from "../../../contracts/libraries/Deals.sol";
import {Sides} from "../../../contracts/libraries/Sides.sol";
import {MarketId} from "../../../contracts/types/AssetSet.sol";
import {Test} from "../support/Test.sol";

/// @dev One account with 100 long against the pool at a price of 2000; skew scale 1e6.
contract DealsTest is Test {
    using Deals for Deal;

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
        assertEq(deal.poolWord.cash(), 8e18 - 3.000001e18, "pool");
        assertEq(deal.accountWord.cash(), -10e18, "account");
    }

    function test_APoolTakesTheFeesThatTheFieldHasNoRoomFor() external pure {
        Deal memory deal = _deal(200_000e18, 0);
        deal.feesUnswept = LARGEST_FEES - 5;
        deal.chargeForcedFee(10e18, 0, 1e18);
        assertEq(deal.feesUnswept, LARGEST_FEES, "full");
        assertEq(deal.poolWord.cash(), 10e18 - 5e12, "pool");
    }

    function testFuzz_NoFeeIsLost(uint256 fee, uint256 keeperShare, uint256 insuranceShare) external pure {
        fee = bound(fee, 0, 1e26);
        keeperShare = bound(keeperShare, 0, 1e18);
        insuranceShare = bound(insuranceShare, 0, 1e18 - keeperShare);
        Deal memory deal = _deal(200_000e18, 0);
        uint256 keeper = (fee * keeperShare) / 1e18;
        deal.chargeForcedFee(fee, keeper, (fee * insuranceShare) / 1e18);
        assertEq(
            uint256(deal.poolWord.cash()) + keeper + deal.feesUnswept * 1e12,
            uint256(-deal.accountWord.cash()),
            "paid is received"
        );
    }

    // ------------------------------------------------------------------ room

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
