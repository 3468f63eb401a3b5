// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IMarginVault} from "../../../contracts/interfaces/IMarginVault.sol";
import {CashBook} from "../../../contracts/libraries/CashBook.sol";
import {Ledger} from "../../../contracts/libraries/Ledger.sol";
import {Account} from "../../../contracts/types/Account.sol";
import {AccountId, accountIdOf} from "../../../contracts/types/AccountId.sol";
import {AccountWord, toAccountWord} from "../../../contracts/types/AccountWord.sol";
import {AssetSet, MarketId} from "../../../contracts/types/AssetSet.sol";
import {CashIndices, CashTotals, toCashIndices, toCashTerms} from "../../../contracts/types/CashWords.sol";
import {Context, VaultStorage} from "../../../contracts/types/VaultStorage.sol";
import {toAccountRisk} from "../../../contracts/types/VaultWords.sol";
import {usualAccounts, usualCash} from "../support/Markets.sol";
import {Test} from "../support/Test.sol";

/// @dev A supplied principal is worth 1.25 each, a borrowed one 1.6.
contract LedgerTest is Test {
    uint256 private constant NOW = 1_700_000_000;
    AccountId private immutable ALICE = accountIdOf(address(0xa11ce), 0);
    AccountId private immutable POOL = accountIdOf(address(0x9001), 0);

    VaultStorage private $;

    function setUp() external {
        vm.warp(NOW);
        $.cashTerms = toCashTerms(usualCash());
        $.cashIndices = toCashIndices(1.25e15, 1.6e15, 0, 0, NOW);
        $.cashHeld = 1e15;
    }

    // ------------------------------------------------------------------ assets

    function test_INV16_AccountsMayHoldSixteenMarketsAndEightCollaterals() external {
        Account word = _wordWith(16, 8);
        this.requireFewAssets(word);
        vm.expectRevert(abi.encodeWithSelector(IMarginVault.TooManyAssets.selector, ALICE, 16));
        this.requireFewAssets(_wordWith(17, 8));
        vm.expectRevert(abi.encodeWithSelector(IMarginVault.TooManyAssets.selector, ALICE, 8));
        this.requireFewAssets(_wordWith(16, 9));
    }

    function test_CollateralSetsItsBitAndItsLastUnitClearsIt() external {
        Account word = _wordWith(2, 0).withCash(-7);
        Account holding = Ledger.saveCollateral($, ALICE, word, 31, 5);
        assertEq($.collateralOf[ALICE][31], 5, "amount");
        assertTrue(holding.assets().contains(127), "bit");
        assertEq(holding.cash(), -7, "cash");
        Account emptied = Ledger.saveCollateral($, ALICE, holding, 31, 0);
        assertEq($.collateralOf[ALICE][31], 0, "no amount");
        assertEq(Account.unwrap(emptied), Account.unwrap(word), "the word as it was");
    }

    function testFuzz_TheAssetsOfAnOperationAreTheAccountsAndTheMarket(uint128 held, uint256 market) external pure {
        market = bound(market, 0, 95);
        Account word = Account.wrap(uint256(held) << 120);
        assertEq(
            AssetSet.unwrap(Ledger.assetsWith(word, MarketId.wrap(uint8(market)))),
            held | (1 << market),
            "assets"
        );
    }

    function test_INV28_RefusesADebtBelowTheMinimum() external {
        Account empty;
        this.requireDebt(empty);
        this.requireDebt(empty.withCash(1));
        this.requireDebt(empty.withCash(-10e18));
        vm.expectRevert(abi.encodeWithSelector(IMarginVault.DebtBelowMinimum.selector, ALICE, 10e18 - 1, 10e18));
        this.requireDebt(empty.withCash(1 - 10e18));
        vm.expectRevert(abi.encodeWithSelector(IMarginVault.DebtBelowMinimum.selector, ALICE, 1, 10e18));
        this.requireDebt(empty.withCash(-1));
    }

    // ------------------------------------------------------------------ cash and principal

    function test_LoadsCashAtTheIndexOfItsSign() external {
        Context memory context = _open();
        _set(ALICE, 8e18);
        assertEq(Ledger.load($, context, ALICE).cash(), 10e18, "supplied");
        _set(ALICE, -10e18);
        assertEq(Ledger.load($, context, ALICE).cash(), -16e18, "a debt");
        Account account = Ledger.load($, context, ALICE);
        assertEq(AssetSet.unwrap(account.assets()), 7 | (1 << 127), "its assets");
        assertEq(account.mode(), 1, "its mode");
    }

    function test_CashMovesInAndOutAcrossZero() external {
        _set(ALICE, 8e18);
        $.cashTotals = _totals();
        Context memory context = _open();
        Ledger.addCash($, context, ALICE, -18e18); // to -8
        assertEq($.accounts[ALICE].principal(), -5e18, "principal");
        assertEq(context.cash.supplied, -8e18, "supplied");
        assertEq(context.cash.borrowed, 5e18, "borrowed");
        Ledger.addCash($, context, ALICE, 13e18); // to 5
        assertEq($.accounts[ALICE].principal(), 4e18, "principal again above zero");
        assertEq(context.cash.supplied, -4e18, "supplied in all");
        assertEq(context.cash.borrowed, 0, "borrowed in all");
        assertEq(AssetSet.unwrap($.accounts[ALICE].assets()), 7 | (1 << 127), "the rest of the word");
        CashBook.save($, context);
        _checkTotals();
    }

    /// @dev Its cash is rounded; a principal of the same cash may be a few wei less.
    function test_AnActThatLeavesCashLeavesThePrincipal() external {
        $.cashIndices = toCashIndices(3.7e15, 1.6e15, 0, 0, NOW);
        _set(ALICE, 3);
        Context memory context = _open();
        assertEq(context.cash.supplyIndex, 3.7e15, "index");
        Account account = Ledger.load($, context, ALICE); // 11.1
        assertEq(account.cash(), 11, "cash");
        Ledger.save($, context, ALICE, account.withAsset(50));
        assertEq($.accounts[ALICE].principal(), 3, "principal");
        assertTrue($.accounts[ALICE].assets().contains(50), "what changed");
        assertEq(context.cash.supplied, 0, "supplied");
        Ledger.save($, context, ALICE, account.withCash(0));
        Ledger.save($, context, ALICE, account.withCash(11));
        assertEq($.accounts[ALICE].principal(), 2, "of other cash it is rounded down");
        assertEq(context.cash.supplied, -1, "supplied");
    }

    /// @dev INV-03: what is counted is what there is, however many writes and whatever their order.
    function testFuzz_INV03_TotalsAreTheSumsOverAccounts(
        int104[12] calldata amounts,
        uint256 seed,
        uint72 index
    ) external {
        $.cashIndices = toCashIndices(bound(index, 1e12, 1e18), 1e15 + uint256(index) / 10_000, 0, 0, NOW);
        for (uint256 i = 0; i < 12; i += 3) {
            Context memory context = _open();
            for (uint256 j = i; j < i + 3; j++) {
                AccountId id = _account((seed >> (4 * j)) % 4);
                int256 before = Ledger.load($, context, id).cash();
                Ledger.addCash($, context, id, amounts[j]);
                int256 got = Ledger.load($, context, id).cash() - before;
                assertLe(got, amounts[j], "more than was added");
                uint256 unit = (context.cash.supplyIndex + context.cash.borrowIndex) / 1e15 + 2;
                assertNear(got, amounts[j], unit, "less by more than a unit of principal");
            }
            CashBook.save($, context);
            _checkTotals();
        }
    }

    // ------------------------------------------------------------------ accounts between which cash moves

    function test_BetweenAccountsWithCashPrincipalMovesAndNothingElseIsWritten() external {
        _set(ALICE, 80e18);
        _set(POOL, 4000e18);
        $.cashTotals = _totals();
        $.cashIndices = toCashIndices(1.25e15, 1.6e15, 1e9, 2e9, NOW - 1000);
        CashIndices stored = $.cashIndices;
        Context memory context = _open();
        _move(context, -30e18);
        CashBook.save($, context);
        assertEq($.accounts[ALICE].principal() + $.accounts[POOL].principal(), 4080e18, "principal of both");
        assertEq(CashIndices.unwrap($.cashIndices), CashIndices.unwrap(stored), "indices");
        _checkTotals();
    }

    function test_WhoeverComesToOweIsCounted() external {
        _set(ALICE, 8e18); // 10
        _set(POOL, 80e18); // 100
        $.cashTotals = _totals();
        Context memory context = _open();
        _move(context, -26e18);
        assertEq($.accounts[ALICE].principal(), -10e18, "the account owes 16");
        assertEq($.accounts[POOL].principal(), 100.8e18, "the pool has 126");
        CashBook.save($, context);
        assertEq($.cashTotals.supplied(), 100.8e18, "supplied");
        assertEq($.cashTotals.borrowed(), 10e18, "borrowed");
        context = _open();
        _move(context, 142e18);
        assertEq($.accounts[ALICE].principal(), 100.8e18, "the account has 126");
        assertEq($.accounts[POOL].principal(), -10e18, "the pool owes 16");
        CashBook.save($, context);
        _checkTotals();
    }

    /// @dev At an index of 3 no amount is a whole number of principals, but every third.
    function test_TheLastTakesWhatRoundingLeft() external {
        $.cashIndices = toCashIndices(3e15, 3e15, 0, 0, NOW);
        for (uint256 i = 0; i < 4; i++) _set(_account(i), 100);
        $.cashTotals = _totals();
        Context memory context = _open();
        Ledger.addCash($, context, ALICE, -7); // 97.67: 97
        Ledger.addCash($, context, _account(2), 2); // 100.67: 100
        Ledger.saveLast($, context, POOL, Ledger.load($, context, POOL).plusCash(5)); // 101.67
        assertEq($.accounts[ALICE].principal(), 97, "the one that gives");
        assertEq($.accounts[_account(2)].principal(), 100, "one that gets");
        assertEq($.accounts[POOL].principal(), 103, "the last, with what the others lost");
        assertEq(context.cash.supplied, 0, "supplied");
        CashBook.save($, context);
        _checkTotals();
    }

    function test_TheLastTakesNoMoreThanRounding() external {
        $.cashIndices = toCashIndices(1e15, 1e15, 0, 0, NOW);
        for (int256 off = 0; off < 12; off++) {
            _set(ALICE, 1000);
            _set(POOL, 1000);
            $.cashTotals = _totals();
            Context memory context = _open();
            Ledger.addCash($, context, ALICE, -100);
            Ledger.saveLast($, context, POOL, Ledger.load($, context, POOL).plusCash(100 - off));
            assertEq($.accounts[POOL].principal(), off <= 8 ? int256(1100) : 1100 - off, "the last");
            CashBook.save($, context);
            _checkTotals();
        }
    }

    /// @dev Whoever comes alone, or whose operation leaves somebody in debt, is rounded like everybody.
    function test_TheLastIsRoundedDownWhereNothingIsToBeBalanced() external {
        $.cashIndices = toCashIndices(3e15, 3e15, 0, 0, NOW);
        _set(POOL, 100);
        $.cashTotals = _totals();
        Context memory context = _open();
        Ledger.saveLast($, context, POOL, Ledger.load($, context, POOL).plusCash(2)); // 100.67
        assertEq($.accounts[POOL].principal(), 100, "alone");
        Ledger.addCash($, context, ALICE, -2); // -0.67
        Ledger.saveLast($, context, POOL, Ledger.load($, context, POOL).plusCash(2));
        assertEq($.accounts[ALICE].principal(), -1, "the one in debt");
        assertEq($.accounts[POOL].principal(), 100, "beside one in debt");
        Ledger.saveLast($, context, POOL, Ledger.load($, context, POOL).withAsset(9));
        assertEq($.accounts[POOL].principal(), 100, "with the same cash");
        assertTrue($.accounts[POOL].assets().contains(9), "its assets");
        CashBook.save($, context);
        _checkTotals();
    }

    function testFuzz_WhatOneGainsTheOtherLoses(int104 alice, int104 pool, int104 moved, uint64 index) external {
        uint256 supply = bound(index, 1e12, 1e18);
        uint256 borrow = 1e15 + uint256(index) / 10;
        $.cashIndices = toCashIndices(supply, borrow, 0, 0, NOW);
        _set(ALICE, alice);
        _set(POOL, pool);
        $.cashTotals = _totals();
        CashTotals before = $.cashTotals;
        Context memory context = _open();
        int256 ofAlice = Ledger.load($, context, ALICE).cash();
        int256 ofPool = Ledger.load($, context, POOL).cash();
        _move(context, moved);
        uint256 unit = (8 * supply + borrow) / 1e15 + 2;
        int256 got = Ledger.load($, context, ALICE).cash() - ofAlice;
        int256 given = ofPool - Ledger.load($, context, POOL).cash();
        assertLe(got, moved, "more than moved");
        assertNear(got, moved, unit, "what one gets");
        assertNear(given, moved, unit, "what the other gives");
        CashBook.save($, context);
        _checkTotals();
        bool nobodyOwes =
            alice >= 0 && pool >= 0 && $.accounts[ALICE].principal() >= 0 && $.accounts[POOL].principal() >= 0;
        if (nobodyOwes) {
            assertLe($.cashTotals.supplied(), before.supplied(), "more supplied");
            // Where a wei of cash is no more than one of principal, roundings are few enough to be balanced.
            bool balanced = supply >= 1e15 && $.accounts[ALICE].principal() != alice;
            if (balanced) assertEq($.cashTotals.supplied(), before.supplied(), "supplied");
        } else {
            assertLe(got - given, 0, "made out of nothing");
        }
    }

    // ------------------------------------------------------------------ scene

    function requireFewAssets(Account word) external view {
        Ledger.requireFewAssets(ALICE, word);
    }

    function requireDebt(Account word) external view {
        Ledger.requireDebtAboveMinimum(ALICE, word, toAccountRisk(usualAccounts()));
    }

    function _open() private view returns (Context memory context) {
        context.pool = POOL;
        context.cashUnit = 1e12;
        context.cash = CashBook.open($);
    }

    /// @dev Moves cash from the pool to Alice.
    function _move(Context memory context, int256 amount) private {
        Account mirror = Ledger.load($, context, POOL).plusCash(-amount);
        Ledger.addCash($, context, ALICE, amount);
        Ledger.saveLast($, context, POOL, mirror);
    }

    /// @dev An isolated account with three markets and a collateral.
    function _set(AccountId id, int256 principal) private {
        $.accounts[id] = toAccountWord(Account.unwrap(_wordWith(3, 1).withMode(1)), principal);
    }

    function _account(uint256 i) private view returns (AccountId) {
        if (i == 0) return ALICE;
        return i == 1 ? POOL : accountIdOf(address(0xb0b), uint96(i));
    }

    function _totals() private view returns (CashTotals) {
        uint256 supplied;
        uint256 borrowed;
        for (uint256 i = 0; i < 4; i++) {
            int256 principal = $.accounts[_account(i)].principal();
            if (principal > 0) supplied += uint256(principal);
            else borrowed += uint256(-principal);
        }
        return CashTotals.wrap(supplied | (borrowed << 128));
    }

    function _checkTotals() private view {
        CashTotals expected = _totals();
        assertEq($.cashTotals.supplied(), expected.supplied(), "supplied in all");
        assertEq($.cashTotals.borrowed(), expected.borrowed(), "borrowed in all");
    }

    function _wordWith(uint256 markets, uint256 collaterals) private pure returns (Account word) {
        for (uint256 i = 0; i < markets; i++) word = word.withAsset(i);
        for (uint256 i = 0; i < collaterals; i++) word = word.withAsset(127 - i);
    }
}
