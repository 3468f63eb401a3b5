// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MICRO, PPM} from "../../../contracts/types/MarketWords.sol";
import {NotRepresentable, ValueOutOfRange} from "../../../contracts/types/Packing.sol";
import {
    AccountParameters,
    AccountRisk,
    BASIS_POINT,
    Capital,
    Collateral,
    CollateralParameters,
    RewardBudget,
    toAccountRisk,
    toCapital,
    toCollateral,
    toRewardBudget
} from "../../../contracts/types/VaultWords.sol";
import {Test} from "../support/Test.sol";

contract VaultWordsTest is Test {
    /// @dev Fields of a collateral's word, of accounts' risk, of the reward budget and of the capital, in this order.
    uint256 private constant FIELDS = 22;

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

    function testFuzz_ANewHoldingLeavesTheRestOfACollateralAlone(uint256 bits, uint96 held) external pure {
        Collateral word = Collateral.wrap(bits).withHeld(held);
        uint256 rest = ~(((uint256(1) << 96) - 1) << 48);
        assertEq(word.held(), held, "held");
        assertEq(Collateral.unwrap(word) & rest, bits & rest, "the rest");
    }

    function test_RefusesAHoldingThatDoesNotFit() external {
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(1 << 96), 96));
        this.withHeld(1 << 96);
    }

    function pack(uint256[FIELDS] calldata values) external pure returns (uint256[4] memory) {
        return _pack(values);
    }

    function withHeld(uint256 held) external pure returns (Collateral) {
        return Collateral.wrap(0).withHeld(held);
    }

    function _place(uint256 i) private pure returns (uint256 word, uint256 unit, uint256 offset, uint256 bits) {
        if (i == 0) return (0, PPM, 0, 20); // initial weight
        if (i == 1) return (0, PPM, 20, 20); // maintenance weight
        if (i == 2) return (0, 1, 40, 8); // decimals
        if (i == 3) return (0, 1, 48, 96); // held
        if (i == 4) return (0, 1, 160, 96); // deposit cap
        if (i == 5) return (1, PPM, 0, 20); // debt margin
        if (i == 6) return (1, PPM, 20, 24); // target health
        if (i == 7) return (1, PPM, 44, 20); // absorb health
        if (i == 8) return (1, PPM, 64, 20); // absorb penalty
        if (i == 9) return (1, PPM, 84, 20); // keeper share
        if (i == 10) return (1, PPM, 104, 20); // insurance share
        if (i == 11) return (1, PPM, 124, 20); // insurance fee share
        if (i == 12) return (1, MICRO, 144, 56); // keeper floor
        if (i == 13) return (1, MICRO, 200, 56); // minimum debt
        if (i == 14) return (2, MICRO, 0, 56); // reward floor
        if (i == 15) return (2, MICRO, 56, 56); // reward per hour
        if (i == 16) return (2, MICRO, 112, 56); // spent
        if (i == 17) return (2, 1, 168, 40); // since
        if (i == 18) return (3, 1, 0, 128); // capital
        if (i == 19) return (3, 1, 128, 40); // taken at
        if (i == 20) return (3, 1, 168, 40); // max age
        return (0, BASIS_POINT, 144, 16); // concentration start
    }

    function _pack(uint256[FIELDS] memory v) private pure returns (uint256[4] memory words) {
        words[0] = Collateral.unwrap(toCollateral(CollateralParameters(v[0], v[1], v[4], v[21], 0, 0, 0), v[2], v[3]));
        AccountParameters memory p;
        (p.debtMarginWad, p.targetHealthWad, p.absorbHealthWad) = (v[5], v[6], v[7]);
        (p.absorbPenaltyWad, p.keeperShareWad, p.insuranceShareWad) = (v[8], v[9], v[10]);
        (p.insuranceFeeShareWad, p.keeperFloorWad, p.minimumDebtWad) = (v[11], v[12], v[13]);
        words[1] = AccountRisk.unwrap(toAccountRisk(p));
        words[2] = RewardBudget.unwrap(toRewardBudget(v[14], v[15], v[16], v[17]));
        words[3] = Capital.unwrap(toCapital(v[18], v[19], v[20]));
    }

    function _checkRead(uint256[4] memory words, uint256[FIELDS] memory expected) private pure {
        uint256[FIELDS] memory v;
        Collateral collateral = Collateral.wrap(words[0]);
        (v[0], v[1], v[2]) = (collateral.initialWeight(), collateral.maintenanceWeight(), collateral.decimals());
        (v[3], v[4], v[21]) = (collateral.held(), collateral.depositCap(), collateral.concentrationStart());
        AccountRisk risk = AccountRisk.wrap(words[1]);
        (v[5], v[6], v[7]) = (risk.debtMargin(), risk.targetHealth(), risk.absorbHealth());
        (v[8], v[9], v[10]) = (risk.absorbPenalty(), risk.keeperShare(), risk.insuranceShare());
        (v[11], v[12], v[13]) = (risk.insuranceFeeShare(), risk.keeperFloor(), risk.minimumDebt());
        RewardBudget budget = RewardBudget.wrap(words[2]);
        (v[14], v[15], v[16], v[17]) = (budget.rewardFloor(), budget.perHour(), budget.spent(), budget.since());
        Capital capital = Capital.wrap(words[3]);
        (v[18], v[19], v[20]) = (capital.capitalValue(), capital.takenAt(), capital.maxAge());
        for (uint256 i = 0; i < FIELDS; i++) assertEq(v[i], expected[i], _named("value", i));
    }

    function _named(string memory what, uint256 i) private pure returns (string memory) {
        return string.concat(what, " of field ", string(abi.encodePacked(bytes1(uint8(65 + i)))));
    }
}
