// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";
import {AccountId} from "../types/AccountId.sol";
import {ALL_PERMISSIONS} from "../types/Permissions.sol";
import {VaultStorage} from "../types/VaultStorage.sol";

/// @title Who may act for an account: its owner, and operators whom the owner has given permissions
library Authority {
    /// @notice The EIP-712 domain of signed grants: this name and version, the chain's id, and the vault's address.
    string internal constant NAME = "Ballast";
    string internal constant VERSION = "1";
    /// @dev ERC-5267: name, version, chain id and verifying contract.
    bytes1 internal constant DOMAIN_FIELDS = 0x0f;

    bytes32 private constant SET_OPERATOR = keccak256(
        "SetOperator(bytes32 account,address operator,uint256 permissions,uint256 nonce,uint256 deadline)"
    );

    /// @notice Refuses a caller that is neither the owner nor an operator with this permission.
    function require_(VaultStorage storage $, AccountId account, uint256 permission) internal view {
        if (msg.sender == account.owner()) return;
        bool permitted = $.permissionsOf[account][msg.sender] & permission != 0;
        require(permitted, IMarginVault.NotAuthorized(account, msg.sender));
    }

    function setOperator(VaultStorage storage $, AccountId account, address operator, uint256 permissions) internal {
        require(msg.sender == account.owner(), IMarginVault.NotAuthorized(account, msg.sender));
        _set($, account, operator, permissions);
    }

    function setOperatorBySig(
        VaultStorage storage $,
        AccountId account,
        address operator,
        uint256 permissions,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) internal {
        address owner = account.owner();
        uint256 expected = $.nonces[owner];
        // Whoever sends a signature first takes nothing from whoever sends it next: what it grants stands already.
        if (nonce < expected && $.permissionsOf[account][operator] == permissions) return;
        require(nonce == expected, IMarginVault.WrongNonce(owner, nonce, expected));
        require(block.timestamp <= deadline, IMarginVault.DeadlinePassed(deadline, block.timestamp));
        _useNonce($, owner);
        bytes32 hash = keccak256(abi.encode(SET_OPERATOR, account, operator, permissions, nonce, deadline));
        bytes32 digest = MessageHashUtils.toTypedDataHash(_domainSeparator(), hash);
        bool signed = SignatureChecker.isValidSignatureNowCalldata(owner, digest, signature);
        require(signed, IMarginVault.InvalidSignature(owner));
        _set($, account, operator, permissions);
    }

    function revokeSignatures(VaultStorage storage $) internal {
        _useNonce($, msg.sender);
    }

    function _set(VaultStorage storage $, AccountId account, address operator, uint256 permissions) private {
        require(permissions <= ALL_PERMISSIONS, IMarginVault.UnknownPermissions(permissions, ALL_PERMISSIONS));
        $.permissionsOf[account][operator] = permissions;
        emit IMarginVault.OperatorSet(account, operator, permissions);
    }

    function _useNonce(VaultStorage storage $, address owner) private {
        emit IMarginVault.NonceUsed(owner, $.nonces[owner]++);
    }

    function _domainSeparator() private view returns (bytes32) {
        return
            MessageHashUtils.toDomainSeparator(DOMAIN_FIELDS, NAME, VERSION, block.chainid, address(this), bytes32(0));
    }
}
