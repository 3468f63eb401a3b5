// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {MarginVault} from "ballast/contracts/MarginVault.sol";
import {IMarginVault} from "ballast/contracts/interfaces/IMarginVault.sol";
import {AccountId} from "ballast/contracts/types/AccountId.sol";

/// @notice What a contract of a user may do with the package.
contract Reader {
    IMarginVault private immutable _vault;

    constructor(MarginVault vault) {
        _vault = vault;
    }

    function cashOf(AccountId account) external view returns (int256) {
        return _vault.cash(account);
    }
}
