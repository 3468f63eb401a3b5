// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccountId, accountIdOf} from "../../../contracts/types/AccountId.sol";
import {Test} from "../support/Test.sol";

contract AccountIdTest is Test {
    function test_PutsTheOwnerInTheUpperTwentyBytes() external pure {
        AccountId account = accountIdOf(address(0x1234567890AbcdEF1234567890aBcdef12345678), 7);
        assertEq(
            uint256(AccountId.unwrap(account)),
            0x1234567890abcdef1234567890abcdef12345678000000000000000000000007,
            "layout"
        );
    }

    function testFuzz_ReadsBackOwnerAndIndex(address owner, uint96 index) external pure {
        AccountId account = accountIdOf(owner, index);
        assertTrue(account.owner() == owner, "owner");
        assertEq(account.index(), index, "index");
    }

    function test_ReadsBackTheEndsOfBothFields() external pure {
        AccountId account = accountIdOf(address(type(uint160).max), 0);
        assertTrue(account.owner() == address(type(uint160).max) && account.index() == 0, "largest owner");
        account = accountIdOf(address(0), type(uint96).max);
        assertTrue(account.owner() == address(0) && account.index() == type(uint96).max, "largest index");
    }

    function testFuzz_DiffersWhereOwnerOrIndexDiffers(address a, uint96 i, address b, uint96 j) external pure {
        bool same = a == b && i == j;
        assertTrue((accountIdOf(a, i) == accountIdOf(b, j)) == same, "equal");
        assertTrue((accountIdOf(a, i) != accountIdOf(b, j)) == !same, "different");
        assertTrue(accountIdOf(a, i) == accountIdOf(a, i), "equal to itself");
        assertTrue(accountIdOf(a, i) != accountIdOf(a, i ^ 1), "another index");
    }
}
