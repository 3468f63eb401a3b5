// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Interest} from "../../../contracts/libraries/Interest.sol";
import {
    CashIndices,
    CashParameters,
    CashTerms,
    INDEX_ONE,
    MAX_INDEX,
    toCashIndices,
    toCashTerms
} from "../../../contracts/types/CashWords.sol";
import {usualCash} from "../support/Markets.sol";
import {Test} from "../support/Test.sol";

/// @dev Kink at 80%; borrowing costs 1% a year at zero, 5% at the kink, 50% at full utilisation; a tenth is the insurance account's.
contract InterestTest is Test {
    uint256 private constant YEAR = 365 days;
    uint256 private constant START = 1_700_000_000;
    uint256 private constant LARGEST_RATE = (1 << 40) - 1;

    // ------------------------------------------------------------------ the kinked rate

    function test_TheRateTurnsAtTheKink() external pure {
        CashTerms terms = toCashTerms(usualCash());
        assertEq(Interest.borrowRate(terms, 0), 0.01e18 / YEAR, "at zero");
        assertEq(Interest.borrowRate(terms, 0.4e18), 0.03e18 / YEAR, "halfway to the kink");
        assertEq(Interest.borrowRate(terms, 0.8e18), 0.05e18 / YEAR, "at the kink");
        assertEq(Interest.borrowRate(terms, 0.9e18), 0.275e18 / YEAR, "halfway behind it");
        assertEq(Interest.borrowRate(terms, 1e18), 0.5e18 / YEAR, "at full utilisation");
    }

    function test_AKinkAtEitherEndIsAStraightRate() external pure {
        CashParameters memory p = usualCash();
        p.kinkWad = 0;
        assertEq(Interest.borrowRate(toCashTerms(p), 0), 0.05e18 / YEAR, "kink at zero: zero");
        assertEq(Interest.borrowRate(toCashTerms(p), 0.5e18), 0.275e18 / YEAR, "kink at zero: half");
        assertEq(Interest.borrowRate(toCashTerms(p), 1e18), 0.5e18 / YEAR, "kink at zero: all");
        p.kinkWad = 1e18;
        assertEq(Interest.borrowRate(toCashTerms(p), 0.5e18), 0.03e18 / YEAR, "kink at one: half");
        assertEq(Interest.borrowRate(toCashTerms(p), 1e18), 0.05e18 / YEAR, "kink at one: all");
    }

    function testFuzz_INV40_TheRateNeverFallsAsUtilisationRises(uint256 seed, uint256 low, uint256 high) external pure {
        CashTerms terms = toCashTerms(_anyTerms(seed));
        high = bound(high, 0, 1e18);
        low = bound(low, 0, high);
        uint256 dear = Interest.borrowRate(terms, high);
        assertLe(Interest.borrowRate(terms, low), dear, "rate");
        assertLe(dear, terms.rateAtFull() / YEAR, "above the rate at full utilisation");
        assertLe(dear, LARGEST_RATE, "beyond its field");
    }

    /// @dev Below the rate by formula, and by less than one of its units.
    function testFuzz_INV40_SuppliersEarnTheLentShareLessTheReserve(
        uint256 seed,
        uint256 rate,
        uint256 supplied,
        uint256 lent
    ) external pure {
        CashTerms terms = toCashTerms(_anyTerms(seed));
        rate = bound(rate, 0, 4e18 / YEAR);
        supplied = bound(supplied, 1, 1e40);
        lent = bound(lent, 0, supplied);
        uint256 earned = Interest.supplyRate(terms, rate, supplied, lent);
        uint256 exact = rate * lent * (1e18 - terms.reserveFactor()); // times supplied, times 1e18
        assertLe(earned * supplied * 1e18, exact, "above the formula");
        assertGe((earned + 2) * supplied * 1e18, exact, "far below it");
        if (lent == supplied) {
            assertEq(Interest.supplyRate(terms, rate, supplied, supplied * 3), earned, "more lent than supplied");
        }
    }

    function test_WithoutSupplyNobodyEarns() external pure {
        assertEq(Interest.supplyRate(toCashTerms(usualCash()), 1e9, 0, 5), 0, "supply rate");
        assertEq(Interest.supplyRate(toCashTerms(usualCash()), 1e9, 5, 0), 0, "nothing lent");
    }

    // ------------------------------------------------------------------ utilisation

    function test_UtilisationIsDebtOrCashThatIsMissing() external pure {
        assertEq(Interest.utilisation(1000e18, 250e18, 1000e18), 0.25e18, "debts");
        assertEq(Interest.utilisation(1000e18, 250e18, 600e18), 0.4e18, "missing, the larger");
        assertEq(Interest.utilisation(1000e18, 500e18, 600e18), 0.5e18, "debts, the larger");
        assertEq(Interest.utilisation(1000e18, 0, 5000e18), 0, "more held than supplied");
        assertEq(Interest.utilisation(1000e18, 0, 0), 1e18, "nothing held");
        assertEq(Interest.utilisation(1000e18, 1001e18, 1000e18), 1e18, "more lent than supplied");
        assertEq(Interest.utilisation(0, 1, 0), 1e18, "a debt without supply");
        assertEq(Interest.utilisation(0, 0, 0), 0, "an empty book");
        assertEq(Interest.utilisation(3, 1, 3), 0.333333333333333334e18, "rounded up");
    }

    function testFuzz_INV40_UtilisationIsWithinZeroAndOne(
        uint128 supplied,
        uint128 borrowed,
        uint128 held
    ) external pure {
        uint256 used = Interest.utilisation(supplied, borrowed, held);
        assertLe(used, 1e18, "above one");
        assertGe(used * supplied, uint256(borrowed < supplied ? borrowed : supplied) * 1e18, "below the debts");
        if (held < supplied) assertGe(used * supplied, uint256(supplied - held) * 1e18, "below what is missing");
    }

    // ------------------------------------------------------------------ accrual

    function test_IndicesGrowInProportionToTime() external pure {
        CashIndices word = toCashIndices(1e15, 2e15, 1e9, 3e9, START);
        (uint256 supply, uint256 borrow) = Interest.accrued(word, START + 1e6);
        assertEq(supply, 1.001e15, "supply: 1e-9 a second, a million seconds");
        assertEq(borrow, 2.006e15, "borrow: 3e-9");
        (supply, borrow) = Interest.accrued(word, START + 2e6);
        assertEq(supply, 1.002e15, "twice the time");
        assertEq(borrow, 2.012e15, "twice the time");
        (supply, borrow) = Interest.accrued(word, START);
        assertEq(supply, 1e15, "no time");
        assertEq(borrow, 2e15, "no time");
    }

    function testFuzz_SupplyIsRoundedDownAndBorrowingUp(
        uint72 supplyIndex,
        uint72 borrowIndex,
        uint40 supplyRate,
        uint40 borrowRate,
        uint32 elapsed
    ) external pure {
        elapsed = uint32(bound(elapsed, 0, type(uint32).max - START));
        CashIndices word = toCashIndices(supplyIndex, borrowIndex, supplyRate, borrowRate, START);
        (uint256 supply, uint256 borrow) = Interest.accrued(word, START + elapsed);
        uint256 supplyExact = supplyIndex * (1e18 + uint256(supplyRate) * elapsed);
        uint256 borrowExact = borrowIndex * (1e18 + uint256(borrowRate) * elapsed);
        if (borrow == MAX_INDEX) assertEq(supply, supplyIndex, "nobody is credited what nobody is charged");
        else if (supply == MAX_INDEX) assertGe(supplyExact, MAX_INDEX * 1e18, "supply stands still too early");
        else assertTrue(supply * 1e18 <= supplyExact && supplyExact - supply * 1e18 < 1e18, "supply");
        if (borrow == MAX_INDEX) assertGe(borrowExact, (MAX_INDEX - 1) * 1e18 + 1, "borrowing stands still too early");
        else assertTrue(borrow * 1e18 >= borrowExact && borrow * 1e18 - borrowExact < 1e18, "borrowing");
        assertLe(supply, MAX_INDEX, "supply beyond its field");
        assertLe(borrow, MAX_INDEX, "borrowing beyond its field");
    }

    function test_IndicesStandStillAtTheEndOfTheirField() external pure {
        CashIndices word = toCashIndices(MAX_INDEX - 1, MAX_INDEX - 1, LARGEST_RATE, LARGEST_RATE, START);
        (uint256 supply, uint256 borrow) = Interest.accrued(word, START + 10 * YEAR);
        assertEq(supply, MAX_INDEX - 1, "nobody is credited what nobody is charged");
        assertEq(borrow, MAX_INDEX, "borrowing");
        word = toCashIndices(MAX_INDEX - 1, INDEX_ONE, LARGEST_RATE, 0, START);
        (supply, borrow) = Interest.accrued(word, START + 10 * YEAR);
        assertEq(supply, MAX_INDEX, "supply");
        assertEq(borrow, INDEX_ONE, "no interest");
    }

    /// @dev Written more often, an index grows by interest on interest, and never less.
    function testFuzz_SplittingTimeChangesNothingButCompounding(
        uint256 index,
        uint256 rate,
        uint256 first,
        uint256 second
    ) external pure {
        index = bound(index, INDEX_ONE / 1000, 1e18);
        rate = bound(rate, 0, LARGEST_RATE);
        first = bound(first, 0, YEAR);
        second = bound(second, 0, YEAR);
        CashIndices word = toCashIndices(index, index, rate, rate, START);
        (uint256 supplyAtOnce, uint256 borrowAtOnce) = Interest.accrued(word, START + first + second);
        (uint256 supply, uint256 borrow) = Interest.accrued(word, START + first);
        word = toCashIndices(supply, borrow, rate, rate, START + first);
        (supply, borrow) = Interest.accrued(word, START + first + second);
        uint256 compounded = (index * (rate * first) * (rate * second)) / 1e36;
        uint256 places = 3 + (rate * second) / 1e18; // the first rounding bears interest too
        assertNear(int256(supply), int256(supplyAtOnce + compounded), places, "supply");
        assertNear(int256(borrow), int256(borrowAtOnce + compounded), places, "borrowing");
        assertGe(supply + places, supplyAtOnce, "less for being touched");
        assertGe(borrow, borrowAtOnce, "cheaper for being touched");
    }

    // ------------------------------------------------------------------ principal and cash

    function test_CashIsPrincipalTimesTheIndexOfItsSign() external pure {
        assertEq(Interest.cashFloor(100, 1.5e15, 2e15), 150, "supplied");
        assertEq(Interest.cashFloor(-100, 1.5e15, 2e15), -200, "a debt");
        assertEq(Interest.cashFloor(0, 1.5e15, 2e15), 0, "nothing");
        assertEq(Interest.principalFloor(150, 1.5e15, 2e15), 100, "of what is supplied");
        assertEq(Interest.principalFloor(-200, 1.5e15, 2e15), -100, "of a debt");
        assertEq(Interest.principalFloor(0, 1.5e15, 2e15), 0, "of nothing");
    }

    function test_BothAreRoundedTowardMinusInfinity() external pure {
        assertEq(Interest.cashFloor(1, 1.9e15, 1e15), 1, "1.9");
        assertEq(Interest.cashFloor(-1, 1e15, 1.1e15), -2, "-1.1");
        assertEq(Interest.principalFloor(199, 2e15, 1e15), 99, "99.5");
        assertEq(Interest.principalFloor(-199, 1e15, 2e15), -100, "-99.5");
    }

    /// @dev To principal and back: never more, and less by no more than what a unit of principal is worth.
    function testFuzz_INV01_ARoundTripIsNeverInTheAccountsFavour(
        int256 cash,
        uint256 supply,
        uint256 borrow
    ) external pure {
        cash = bound(cash, -1e33, 1e33);
        supply = bound(supply, INDEX_ONE / 1000, MAX_INDEX);
        borrow = bound(borrow, INDEX_ONE, MAX_INDEX);
        int256 principal = Interest.principalFloor(cash, supply, borrow);
        int256 back = Interest.cashFloor(principal, supply, borrow);
        assertLe(back, cash, "more than it was");
        uint256 unit = (cash < 0 ? borrow : supply) / INDEX_ONE + 1;
        assertNear(back, cash, unit, "less by more than a unit of principal");
        assertTrue(cash >= 0 ? principal >= 0 : principal < 0, "sign");
        assertLe(Interest.principalFloor(back, supply, borrow), principal, "principal");
    }

    function testFuzz_CashIsTheExactValueRoundedDown(int120 principal, uint72 supply, uint72 borrow) external pure {
        int256 exact = int256(principal) * int256(uint256(principal < 0 ? borrow : supply));
        int256 cash = Interest.cashFloor(principal, supply, borrow) * 1e15;
        assertTrue(cash <= exact && exact - cash < 1e15, "cash");
    }

    function _anyTerms(uint256 seed) private pure returns (CashParameters memory p) {
        p.kinkWad = (seed % (1e6 + 1)) * 1e12;
        p.rateAtFullWad = ((seed >> 32) % (4e6 + 1)) * 1e12;
        p.rateAtKinkWad = ((seed >> 64) % (p.rateAtFullWad / 1e12 + 1)) * 1e12;
        p.rateAtZeroWad = ((seed >> 96) % (p.rateAtKinkWad / 1e12 + 1)) * 1e12;
        p.reserveFactorWad = ((seed >> 128) % (0.5e6 + 1)) * 1e12;
    }
}
