// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SlotDerivation} from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import {TransientSlot} from "@openzeppelin/contracts/utils/TransientSlot.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";
import {AccountId} from "../types/AccountId.sol";

/// @title Margin checks that wait for the end of a multicall
/// @notice In transient storage: whether a multicall runs, and the accounts whose risk it has raised so far. Outside of one nothing waits.
library Deferral {
    using SlotDerivation for bytes32;
    using TransientSlot for *;

    // Slots: one keccak each, so that neither the guard against reentrancy nor each other is hit.
    bytes32 private constant ACTIVE = keccak256("ballast.deferral.active");
    bytes32 private constant COUNT = keccak256("ballast.deferral.count");
    bytes32 private constant ACCOUNTS = keccak256("ballast.deferral.accounts");
    bytes32 private constant MARKS = keccak256("ballast.deferral.marks");

    uint256 private constant TOUCHED = 1;
    uint256 private constant BORROWED = 2;

    function begin() internal {
        require(!isActive(), IMarginVault.MulticallNested());
        ACTIVE.asBoolean().tstore(true);
    }

    function end() internal {
        ACTIVE.asBoolean().tstore(false);
    }

    function isActive() internal view returns (bool) {
        return ACTIVE.asBoolean().tload();
    }

    /// @notice Puts off the check of an account whose risk has grown.
    /// @param borrowed whether it may owe more than before
    /// @return false outside of a multicall: check now
    function put(AccountId account, bool borrowed) internal returns (bool) {
        if (!isActive()) return false;
        TransientSlot.Uint256Slot marks = _marksOf(account);
        uint256 before = marks.tload();
        if (before == 0) {
            uint256 count_ = count();
            ACCOUNTS.offset(count_).asBytes32().tstore(AccountId.unwrap(account));
            COUNT.asUint256().tstore(count_ + 1);
        }
        marks.tstore(before | TOUCHED | (borrowed ? BORROWED : 0));
        return true;
    }

    /// @notice How many accounts wait for their check.
    function count() internal view returns (uint256) {
        return COUNT.asUint256().tload();
    }

    /// @notice Takes the last of the accounts off the list, which must not be empty.
    /// @return account whose margin is to be checked now
    /// @return borrowed whether it may owe more than before
    function take() internal returns (AccountId account, bool borrowed) {
        uint256 last = count() - 1;
        COUNT.asUint256().tstore(last);
        account = AccountId.wrap(ACCOUNTS.offset(last).asBytes32().tload());
        TransientSlot.Uint256Slot marks = _marksOf(account);
        borrowed = marks.tload() & BORROWED != 0;
        marks.tstore(0);
    }

    function _marksOf(AccountId account) private pure returns (TransientSlot.Uint256Slot) {
        return MARKS.deriveMapping(AccountId.unwrap(account)).asUint256();
    }
}
