// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    CashIndices,
    CashParameters,
    CashTerms,
    CashTotals,
    HourBudget,
    INDEX_ONE,
    MAX_INDEX,
    toCashIndices,
    toCashTerms,
    toCashTotals,
    toHourBudget
} from "../../../contracts/types/CashWords.sol";
import {PPM} from "../../../contracts/types/MarketWords.sol";
import {NotRepresentable, ValueOutOfRange} from "../../../contracts/types/Packing.sol";
import {Test} from "../support/Test.sol";

contract CashWordsTest is Test {
    /// @dev Fields of the indices, of the totals, of the terms and of an hour's budget, in this order.
    uint256 private constant FIELDS = 17;

    function test_EachFieldStandsAloneWhereDocumented() external pure {
        for (uint256 i = 0; i < FIELDS; i++) {
            (uint256 word, uint256 unit, uint256 offset, uint256 bits) = _place(i);
            uint256[FIELDS] memory values;
            values[i] = ((1 << bits) - 1) * unit;
            uint256[4] memory words = _pack(values);
            for (uint256 w = 0; w < 4; w++) {
                assertEq(words[w], w == word ? ((1 << bits) - 1) << offset : 0, _named("word", i));
            }
            _checkRead(words, values);
        }
    }

    function testFuzz_ReadsBackEveryField(uint256 seed) external pure {
        uint256[FIELDS] memory values;
        for (uint256 i = 0; i < FIELDS; i++) {
            (, uint256 unit, , uint256 bits) = _place(i);
            values[i] = (uint256(keccak256(abi.encode(seed, i))) & ((1 << bits) - 1)) * unit;
        }
        _checkRead(_pack(values), values);
    }

    function test_RefusesAFieldThatDoesNotFit() external {
        for (uint256 i = 0; i < FIELDS; i++) {
            (, uint256 unit, , uint256 bits) = _place(i);
            uint256[FIELDS] memory values;
            values[i] = unit << bits;
            vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(1 << bits), bits));
            this.pack(values);
        }
    }

    function test_RefusesAFieldBetweenTwoUnits() external {
        for (uint256 i = 0; i < FIELDS; i++) {
            (, uint256 unit, , ) = _place(i);
            if (unit == 1) continue;
            uint256[FIELDS] memory values;
            values[i] = unit + 1;
            vm.expectRevert(abi.encodeWithSelector(NotRepresentable.selector, unit + 1, unit));
            this.pack(values);
        }
    }

    function test_AnIndexOfOneHasRoomForFourThousandFold() external pure {
        assertEq(INDEX_ONE, 1e15, "one");
        assertEq(toCashIndices(MAX_INDEX, 0, 0, 0, 0).supplyIndex(), MAX_INDEX, "the largest fits");
        assertGe(MAX_INDEX / INDEX_ONE, 4000, "room");
    }

    function pack(uint256[FIELDS] calldata values) external pure returns (uint256[4] memory) {
        return _pack(values);
    }

    function _place(uint256 i) private pure returns (uint256 word, uint256 unit, uint256 offset, uint256 bits) {
        if (i == 0) return (0, 1, 0, 72); // supply index
        if (i == 1) return (0, 1, 72, 72); // borrow index
        if (i == 2) return (0, 1, 144, 40); // supply rate
        if (i == 3) return (0, 1, 184, 40); // borrow rate
        if (i == 4) return (0, 1, 224, 32); // accrued at
        if (i == 5) return (1, 1, 0, 128); // supplied
        if (i == 6) return (1, 1, 128, 128); // borrowed
        if (i == 7) return (2, PPM, 0, 20); // kink
        if (i == 8) return (2, PPM, 20, 24); // rate at zero
        if (i == 9) return (2, PPM, 44, 24); // rate at the kink
        if (i == 10) return (2, PPM, 68, 24); // rate at full utilisation
        if (i == 11) return (2, PPM, 92, 20); // reserve factor
        if (i == 12) return (2, PPM, 112, 20); // loss of the pool an hour
        if (i == 13) return (2, PPM, 132, 20); // write-off an hour
        if (i == 14) return (3, 1, 0, 104); // allowed
        if (i == 15) return (3, 1, 104, 104); // spent
        return (3, 1, 208, 40); // since
    }

    function _pack(uint256[FIELDS] memory v) private pure returns (uint256[4] memory words) {
        words[0] = CashIndices.unwrap(toCashIndices(v[0], v[1], v[2], v[3], v[4]));
        words[1] = CashTotals.unwrap(toCashTotals(v[5], v[6]));
        words[2] = CashTerms.unwrap(toCashTerms(CashParameters(v[7], v[8], v[9], v[10], v[11], v[12], v[13])));
        words[3] = HourBudget.unwrap(toHourBudget(v[14], v[15], v[16]));
    }

    function _checkRead(uint256[4] memory words, uint256[FIELDS] memory expected) private pure {
        uint256[FIELDS] memory v;
        CashIndices indices = CashIndices.wrap(words[0]);
        (v[0], v[1], v[2]) = (indices.supplyIndex(), indices.borrowIndex(), indices.supplyRate());
        (v[3], v[4]) = (indices.borrowRate(), indices.accruedAt());
        CashTotals totals = CashTotals.wrap(words[1]);
        (v[5], v[6]) = (totals.supplied(), totals.borrowed());
        CashTerms terms = CashTerms.wrap(words[2]);
        (v[7], v[8], v[9], v[10]) = (terms.kink(), terms.rateAtZero(), terms.rateAtKink(), terms.rateAtFull());
        (v[11], v[12], v[13]) = (terms.reserveFactor(), terms.poolLossPerHour(), terms.writeOffPerHour());
        HourBudget budget = HourBudget.wrap(words[3]);
        (v[14], v[15], v[16]) = (budget.allowed(), budget.spent(), budget.since());
        for (uint256 i = 0; i < FIELDS; i++) assertEq(v[i], expected[i], _named("value", i));
    }

    function _named(string memory what, uint256 i) private pure returns (string memory) {
        return string.concat(what, " of field ", string(abi.encodePacked(bytes1(uint8(65 + i)))));
    }
}
