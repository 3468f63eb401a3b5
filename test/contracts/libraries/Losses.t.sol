// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPriceOracle} from "../../../contracts/interfaces/IPriceOracle.sol";
import {CashBook} from "../../../contracts/libraries/CashBook.sol";
import {Ledger} from "../../../contracts/libraries/Ledger.sol";
import {Losses} from "../../../contracts/libraries/Losses.sol";
import {AccountId} from "../../../contracts/types/AccountId.sol";
import {AssetSet} from "../../../contracts/types/AssetSet.sol";
import {HourBudget, INDEX_ONE, toCashIndices, toCashTerms} from "../../../contracts/types/CashWords.sol";
import {Price} from "../../../contracts/types/Price.sol";
import {Context, VaultStorage} from "../../../contracts/types/VaultStorage.sol";
import {usualCash} from "../support/Markets.sol";
import {Test} from "../support/Test.sol";

/// @dev The pool has 10,000 in cash and no position, another account 30,000, insurance 500. An hour takes at most 5% of the pool and 2% of
/// what is supplied.
contract LossesTest is Test {
    using Losses for HourBudget;

    uint256 private constant NOW = 1_700_000_000;
    AccountId private constant POOL = AccountId.wrap(bytes32(uint256(1)));
    AccountId private constant INSURANCE = AccountId.wrap(bytes32(uint256(2)));
    AccountId private constant SUPPLIER = AccountId.wrap(bytes32(uint256(3)));

    VaultStorage private $;

    function setUp() external {
        vm.warp(NOW);
        $.cashTerms = toCashTerms(usualCash());
        $.cashIndices = toCashIndices(INDEX_ONE, INDEX_ONE, 0, 0, NOW);
        $.cashHeld = 40_500e6;
        _add(POOL, 10_000e18);
        _add(INSURANCE, 500e18);
        _add(SUPPLIER, 30_000e18);
    }

    /// @notice What the pool, which holds nothing but cash, needs of an oracle.
    function lastPrices(AssetSet) external pure returns (Price[] memory) {
        return new Price[](0);
    }

    // ------------------------------------------------------------------ the pool's hour

    function test_ThePoolsBudgetIsAShareOfItsValueAsTheHourBegins() external {
        Context memory context = _open();
        HourBudget budget = Losses.poolBudget($, context);
        _check(budget, 500e18, 0, NOW);
        Losses.spendPool($, budget, 120e18);
        _add(POOL, -4_120e18);

        vm.warp(NOW + 1 hours - 1);
        budget = Losses.poolBudget($, context);
        _check(budget, 500e18, 120e18, NOW);
        assertEq(budget.left(), 380e18, "left, though the pool has become poorer");
        Losses.spendPool($, budget, 380e18);
        assertEq(Losses.poolBudget($, context).left(), 0, "nothing left");

        vm.warp(NOW + 1 hours);
        context = _open();
        budget = Losses.poolBudget($, context);
        assertNear(int256(budget.allowed()), 294e18, 1e12, "a share of what it is worth now");
        assertEq(budget.spent(), 0, "nothing spent yet");
        assertEq(budget.since(), NOW + 1 hours, "the new hour");
    }

    function test_ReadingABudgetDoesNotBeginItsHour() external {
        Losses.poolBudget($, _open());
        vm.warp(NOW + 10 minutes);
        _check(Losses.poolBudget($, _open()), 500e18, 0, NOW + 10 minutes);
        assertEq(HourBudget.unwrap($.poolLosses), 0, "stored");
    }

    function test_APoolBelowZeroHasNoBudget() external {
        _add(POOL, -10_001e18);
        assertEq(Losses.poolBudget($, _open()).allowed(), 0, "allowed");
    }

    function test_MoreSpentThanAllowedLeavesNothing() external {
        HourBudget budget = Losses.poolBudget($, _open());
        Losses.spendPool($, budget, 501e18);
        assertEq(Losses.poolBudget($, _open()).left(), 0, "left");
    }

    // ------------------------------------------------------------------ the suppliers' hour

    function test_SuppliersBearAShareOfTheirCashAnHour() external {
        Context memory context = _open();
        assertEq(Losses.writeOff($, context, 300e18), 300e18, "within 2% of 40,500");
        _check($.writeOffs, 810e18, 300e18, NOW);
        assertNear(_cash(SUPPLIER), 30_000e18 - (300e18 * int256(30_000)) / 40_500, 1e9, "its part");
        assertNear(_cash(POOL), 10_000e18 - (300e18 * int256(10_000)) / 40_500, 1e9, "the pool's part");

        vm.warp(NOW + 1 hours - 1);
        context = _open();
        assertEq(Losses.writeOff($, context, 600e18), 510e18, "what is left of the hour");
        _check($.writeOffs, 810e18, 810e18, NOW);
        assertEq(Losses.writeOff($, context, 1), 0, "nothing more");

        vm.warp(NOW + 1 hours);
        context = _open();
        uint256 supplied = CashBook.suppliedWad($, context);
        uint256 share = (supplied * 2) / 100;
        assertEq(Losses.writeOff($, context, 5_000e18), share, "2% of what they have now");
        assertEq($.writeOffs.since(), NOW + 1 hours, "the new hour");
        assertNear(int256(CashBook.suppliedWad($, _open())), int256(supplied - share), 1e9, "supplied");
    }

    /// @dev However many losses in an hour, and however they are cut up.
    function testFuzz_INV37_AnHourTakesNoMoreThanItsBudget(
        uint256[5] calldata losses,
        uint256[5] calldata waits
    ) external {
        uint256 time = NOW;
        uint256 taken;
        uint256 ofPool;
        for (uint256 i = 0; i < 5; i++) {
            Context memory context = _open();
            taken += Losses.writeOff($, context, bound(losses[i], 0, 1_000e18));
            HourBudget budget = Losses.poolBudget($, context);
            uint256 asked = bound(losses[i], 0, 300e18);
            uint256 paid = asked < budget.left() ? asked : budget.left();
            Losses.spendPool($, budget, paid);
            ofPool += paid;
            time += bound(waits[i], 0, 15 minutes - 1); // all five within the hour
            vm.warp(time);
        }
        assertLe(taken, 810e18, "suppliers");
        assertLe(ofPool, 500e18, "the pool");
    }

    // ------------------------------------------------------------------ bad debt and interest

    function test_InsurancePaysBadDebtAsFarAsItsCashGoes() external {
        Losses.addBadDebt($, 0);
        assertEq(Losses.cover($, _open()), 0, "nothing is owed");
        Losses.addBadDebt($, 200e18);
        Losses.addBadDebt($, 450e18);
        assertEq($.badDebt, 650e18, "bad debt");
        Context memory context = _open();
        assertEq(Losses.cover($, context), 500e18, "all that insurance has");
        assertEq($.badDebt, 150e18, "bad debt left");
        assertEq(_cash(INSURANCE), 0, "cash of insurance");
        CashBook.save($, context);
        assertEq(Losses.cover($, _open()), 0, "nothing to pay with");
        _add(INSURANCE, 151e18);
        assertEq(Losses.cover($, _open()), 150e18, "all that is owed");
        assertEq($.badDebt, 0, "no bad debt");
        assertEq(_cash(INSURANCE), 1e18, "what is left of its cash");
    }

    function test_InsuranceInDebtPaysNothing() external {
        _add(INSURANCE, -600e18);
        assertEq(Losses.insuranceCash($, _open()), 0, "what it can pay");
        Losses.addBadDebt($, 1e18);
        assertEq(Losses.cover($, _open()), 0, "paid");
        assertEq($.badDebt, 1e18, "bad debt");
    }

    function test_InterestIsSweptUpToNow() external {
        assertEq(Losses.sweepInterest($, _open()), 0, "none");
        _add(SUPPLIER, -50_000e18); // owes 20,000
        vm.warp(NOW + 365 days);
        Context memory context = _open();
        uint256 swept = Losses.sweepInterest($, context);
        // All is lent, and more: borrowers pay 50% of 20,000, suppliers get 50% of 10,500 less a tenth.
        assertNear(int256(swept), 10_000e18 - 4_725e18, 1e14, "swept");
        assertNear(_cash(INSURANCE), 500e18 + 225e18 + int256(swept), 1e14, "cash of insurance, its own interest too");
        assertEq($.interestUnswept, 0, "nothing unswept");
        assertEq($.cashIndices.accruedAt(), NOW + 365 days, "indices written");
        assertEq(Losses.sweepInterest($, _open()), 0, "swept once");
        int256 all = _cash(POOL) + _cash(INSURANCE) + _cash(SUPPLIER);
        assertTrue(all <= -9_500e18 && all > -9_500e18 - 10, "paid is received");
    }

    // ------------------------------------------------------------------ scene

    function _check(HourBudget budget, uint256 allowed, uint256 spent, uint256 since) private pure {
        assertEq(budget.allowed(), allowed, "allowed");
        assertEq(budget.spent(), spent, "spent");
        assertEq(budget.since(), since, "since");
    }

    function _open() private view returns (Context memory context) {
        context.oracle = IPriceOracle(address(this));
        (context.pool, context.insurance, context.cashUnit) = (POOL, INSURANCE, 1e12);
        context.cash = CashBook.open($);
    }

    function _add(AccountId id, int256 amount) private {
        Context memory context = _open();
        Ledger.addCash($, context, id, amount);
        CashBook.save($, context);
    }

    function _cash(AccountId id) private view returns (int256) {
        return Ledger.load($, _open(), id).cash();
    }
}
