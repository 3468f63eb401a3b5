// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccountWord, toAccountWord} from "../../../contracts/types/AccountWord.sol";
import {AssetSet} from "../../../contracts/types/AssetSet.sol";
import {ValueOutOfRange} from "../../../contracts/types/Packing.sol";
import {Test} from "../support/Test.sol";

contract AccountWordTest is Test {
    uint256 private constant NOT_PRINCIPAL = ~uint256((1 << 120) - 1);

    function test_StandsAsDocumented() external pure {
        AccountWord full = AccountWord.wrap(type(uint256).max);
        assertEq(full.principal(), -1, "principal");
        assertEq(full.marketBits(), type(uint96).max, "markets");
        assertEq(AssetSet.unwrap(full.assets()), type(uint128).max, "assets");
        assertEq(AccountWord.wrap(uint256(1) << 119).principal(), -(1 << 119), "sign of the principal");
        assertEq(AccountWord.wrap(uint256(1) << 120).principal(), 0, "beside the principal");
        assertEq(AccountWord.wrap(uint256(1) << 120).marketBits(), 1, "first market");
        assertEq(AccountWord.wrap(uint256(1) << 216).marketBits(), 0, "beside the markets");
        assertEq(AssetSet.unwrap(AccountWord.wrap(uint256(1) << 120).assets()), 1, "first asset");
        assertEq(AssetSet.unwrap(AccountWord.wrap(uint256(1) << 248).assets()), 0, "beside the assets");
    }

    function testFuzz_TakesAllButThePrincipalFromTheOthers(uint256 others, int120 principal) external pure {
        AccountWord word = toAccountWord(others, principal);
        assertEq(word.principal(), principal, "principal");
        assertEq(AccountWord.unwrap(word) & NOT_PRINCIPAL, others & NOT_PRINCIPAL, "the rest");
    }

    function test_RefusesAPrincipalBeyondItsBits() external {
        int256 end = 1 << 119;
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, end, 120));
        this.pack(end);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, -end - 1, 120));
        this.pack(-end - 1);
        assertEq(this.pack(end - 1).principal(), end - 1, "largest");
        assertEq(this.pack(-end).principal(), -end, "smallest");
    }

    function pack(int256 principalWad) external pure returns (AccountWord) {
        return toAccountWord(type(uint256).max, principalWad);
    }
}
