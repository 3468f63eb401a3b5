// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CashBook} from "../../../contracts/libraries/CashBook.sol";
import {Interest} from "../../../contracts/libraries/Interest.sol";
import {Ledger} from "../../../contracts/libraries/Ledger.sol";
import {AccountId} from "../../../contracts/types/AccountId.sol";
import {toAccountWord} from "../../../contracts/types/AccountWord.sol";
import {CashIndices, INDEX_ONE, toCashIndices, toCashTerms, toCashTotals} from "../../../contracts/types/CashWords.sol";
import {Context, VaultStorage} from "../../../contracts/types/VaultStorage.sol";
import {usualCash} from "../support/Markets.sol";
import {Test} from "../support/Test.sol";

/// @dev Four accounts; the settlement token has six decimals.
contract CashBookTest is Test {
    uint256 private constant NOW = 1_700_000_000;
    uint256 private constant ACCOUNTS = 4;

    VaultStorage private $;

    function setUp() external {
        vm.warp(NOW);
        $.cashTerms = toCashTerms(usualCash());
        $.cashIndices = toCashIndices(INDEX_ONE, INDEX_ONE, 0, 0, NOW);
    }

    // ------------------------------------------------------------------ writing

    function test_RatesFollowWhatIsLentAndHeld() external {
        _set([int256(1000e18), 0, -400e18, 0]);
        $.cashHeld = 600e6;
        _write();
        // utilisation 40%: 3% a year, of which 40% is lent, a tenth is reserved
        assertEq($.cashIndices.borrowRate(), 0.03e18 / uint256(365 days), "borrow rate");
        assertEq($.cashIndices.supplyRate(), (((951293759 * uint256(4)) / 10) * 9) / 10, "supply rate");
        $.cashHeld = 100e6;
        _write();
        assertEq($.cashIndices.borrowRate(), 0.275e18 / uint256(365 days), "borrow rate when nine tenths are missing");
        assertEq($.cashIndices.accruedAt(), NOW, "time");
    }

    function test_AnOperationThatChangesNothingWritesNothing() external {
        _set([int256(1000e18), 0, -400e18, 0]);
        _write();
        CashIndices stored = $.cashIndices;
        vm.warp(NOW + 1 days);
        Context memory context = _open();
        CashBook.count(context.cash, 5e18, 7e18);
        CashBook.count(context.cash, 7e18, 5e18);
        CashBook.save($, context);
        assertEq(CashIndices.unwrap($.cashIndices), CashIndices.unwrap(stored), "indices");
        context.cash.moved = true;
        CashBook.save($, context);
        assertEq($.cashIndices.accruedAt(), NOW + 1 days, "tokens came or went");
        assertTrue(!context.cash.moved, "saved once");
        vm.warp(NOW + 2 days);
        context = _open();
        CashBook.count(context.cash, -5e18, -7e18);
        CashBook.save($, context);
        assertEq($.cashIndices.accruedAt(), NOW + 2 days, "a debt has grown");
        assertEq($.cashTotals.borrowed(), 402e18, "borrowed");
        assertEq(context.cash.borrowed, 0, "counted once");
    }

    function test_WhatBorrowersPayBeyondWhatSuppliersGetIsTheInsuranceAccounts() external {
        _set([int256(1000e18), 0, -400e18, 0]);
        $.cashHeld = 600e6;
        _write();
        vm.warp(NOW + 365 days);
        _write();
        // 3% of 400 are 12, of which 10.8 go to the supplier
        assertNear(_cashOf(2), -412e18, 1e11, "the debt");
        assertNear(_cashOf(0), 1010.8e18, 1e11, "the supplier");
        assertNear(int256(uint256($.interestUnswept)), 1.2e18, 1e11, "the insurance account's tenth");
        int256 sum = _cashOf(0) + _cashOf(2) + int256(uint256($.interestUnswept));
        assertTrue(sum <= 600e18 && sum > 600e18 - 10, "paid is received");
    }

    /// @dev INV-13, through any writes: whatever comes in is all that there ever is, less what roundings took.
    function testFuzz_INV13_InterestCreditedIsNeverMoreThanCharged(
        int96[10] calldata amounts,
        uint32[10] calldata waits,
        uint64 held,
        uint256 seed
    ) external {
        int256 paidIn;
        uint256 unit;
        uint256 time = NOW;
        for (uint256 i = 0; i < 10; i++) {
            // Half of them small, so that sums of a few wei are among them.
            int256 amount = (seed >> (4 * i)) & 8 == 0 ? int256(amounts[i]) : int256(amounts[i]) % 1000;
            uint256 who = (seed >> (4 * i)) % ACCOUNTS;
            Context memory context = _open();
            Ledger.addCash($, context, _id(who), amount);
            paidIn += amount;
            CashBook.save($, context);
            $.cashHeld = held;
            time += waits[i] % 60 days;
            vm.warp(time);
            unit += (context.cash.supplyIndex + context.cash.borrowIndex) / INDEX_ONE + 6;
            _checkNothingIsMade(paidIn, unit);
            if ((seed >> 128) & (1 << i) != 0) _write();
            _checkNothingIsMade(paidIn, unit);
        }
        // A last write, so that all interest is booked: then no more is lost than the roundings.
        _write();
        assertNear(_claims(), paidIn, unit, "lost to more than rounding");
    }

    function _checkNothingIsMade(int256 paidIn, uint256 dust) private view {
        assertLe(_claims(), paidIn + int256(dust), "made out of nothing");
    }

    // ------------------------------------------------------------------ write-off

    function test_AWriteOffTakesTheSameShareOfEverybodysCashAndOfNoDebt() external {
        _set([int256(600e18), 400e18, -500e18, 0]);
        $.cashHeld = 500e6;
        Context memory context = _open();
        assertEq(CashBook.suppliedWad($, context), 1000e18, "supplied");
        assertEq(CashBook.writeOff($, context, 25e18), 25e18, "taken");
        assertEq($.cashIndices.supplyIndex(), 0.975e15, "supply index");
        assertEq(_cashOf(0), 585e18, "of 600");
        assertEq(_cashOf(1), 390e18, "of 400");
        assertEq(_cashOf(2), -500e18, "the debt");
        assertEq($.interestUnswept, 0, "no dust");
        // Rates of what is left: 500 lent of 975.
        uint256 used = (uint256(500e36) + 975e18 - 1) / 975e18;
        assertEq($.cashIndices.borrowRate(), Interest.borrowRate($.cashTerms, used), "borrow rate");
    }

    function test_AWriteOffCountsWhatTheOperationHasChanged() external {
        _set([int256(600e18), 0, 0, 0]);
        Context memory context = _open();
        Ledger.addCash($, context, _id(1), 400e18);
        assertEq(CashBook.suppliedWad($, context), 1000e18, "supplied, with what is not written yet");
        assertEq(CashBook.writeOff($, context, 10e18), 10e18, "taken");
        assertEq($.cashTotals.supplied(), 1000e18, "written");
        assertEq(_cashOf(1), 396e18, "of 400");
    }

    function test_AWriteOffComesAfterInterest() external {
        _set([int256(1000e18), 0, -400e18, 0]);
        $.cashHeld = 600e6;
        _write();
        vm.warp(NOW + 365 days);
        Context memory context = _open();
        int256 before = _cashOf(0);
        assertEq(CashBook.writeOff($, context, 10e18), 10e18, "taken");
        assertNear(_cashOf(0), before - 10e18, 1e6, "of what interest has made of it");
        assertNear(int256(uint256($.interestUnswept)), 1.2e18, 1e11, "interest is booked first");
    }

    function test_NothingIsWrittenOffWhereThereIsNothing() external {
        Context memory context = _open();
        assertEq(CashBook.writeOff($, context, 5e18), 0, "no supply");
        assertEq($.cashIndices.supplyIndex(), INDEX_ONE, "index");
        _set([int256(1000e18), 0, 0, 0]);
        context = _open();
        assertEq(CashBook.writeOff($, context, 0), 0, "no loss");
        assertEq($.cashIndices.supplyIndex(), INDEX_ONE, "index");
    }

    function test_INV39_TheIndexIsNotCutBelowAThousandth() external {
        _set([int256(1000e18), 0, 0, 0]);
        Context memory context = _open();
        assertEq(CashBook.writeOff($, context, 5000e18), 999e18, "all but a thousandth");
        assertEq($.cashIndices.supplyIndex(), INDEX_ONE / 1000, "index");
        assertEq(_cashOf(0), 1e18, "what is left");
        context = _open();
        assertEq(CashBook.writeOff($, context, 1e18), 0, "no further");
        assertEq(_cashOf(0), 1e18, "what is left still");
    }

    /// @dev A wei of so much has no digit in the index: what else the cut takes is not lost.
    function test_WhatAnIndexTakesBeyondTheLossIsKept() external {
        _set([int256(1e24), 0, 0, 0]);
        Context memory context = _open();
        assertEq(CashBook.writeOff($, context, 1), 1, "taken");
        assertEq(_cashOf(0), 1e24 - 1e9, "the last place of the index");
        assertEq($.interestUnswept, 1e9 - 1, "kept");
    }

    function testFuzz_AWriteOffTakesWhatItSaysAndKeepsTheRest(
        uint96 first,
        uint96 second,
        uint64 index,
        uint128 amount
    ) external {
        $.cashIndices = toCashIndices(bound(index, 1e13, 1e19), 2e15, 0, 0, NOW);
        _set([int256(uint256(first)), int256(uint256(second)), -7e18, 0]);
        Context memory context = _open();
        uint256 before = CashBook.suppliedWad($, context);
        int256 claims = _claims();
        uint256 taken = CashBook.writeOff($, context, amount);
        assertLe(taken, amount, "more than asked");
        // Each account is rounded down, before and after.
        assertNear(claims - _claims(), int256(taken), 4, "claims fall by what is taken");
        if (amount < before - before / 10 && $.cashIndices.supplyIndex() > 1e12) {
            assertGe(taken + 2, amount, "less than asked");
        }
        // What is kept is at most a place of the index.
        assertLe($.interestUnswept, (uint256(first) + second) / INDEX_ONE + 2, "dust");
    }

    // ------------------------------------------------------------------ scene

    function _open() private view returns (Context memory context) {
        context.cashUnit = 1e12;
        context.cash = CashBook.open($);
    }

    function _write() private {
        CashBook.write($, _open());
    }

    function _id(uint256 i) private pure returns (AccountId) {
        return AccountId.wrap(bytes32(i + 1));
    }

    function _set(int256[ACCOUNTS] memory principals) private {
        uint256 supplied;
        uint256 borrowed;
        for (uint256 i = 0; i < ACCOUNTS; i++) {
            $.accounts[_id(i)] = toAccountWord(0, principals[i]);
            if (principals[i] > 0) supplied += uint256(principals[i]);
            else borrowed += uint256(-principals[i]);
        }
        $.cashTotals = toCashTotals(supplied, borrowed);
    }

    function _cashOf(uint256 i) private view returns (int256) {
        return Ledger.load($, _open(), _id(i)).cash();
    }

    /// @dev All cash, and the interest that is nobody's yet.
    function _claims() private view returns (int256 sum) {
        for (uint256 i = 0; i < ACCOUNTS; i++) sum += _cashOf(i);
        return sum + int256(uint256($.interestUnswept));
    }
}
