// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice An account: its owner's address in the upper 20 bytes, an index in the lower 12. There is no creation step;
/// every address owns 2^96 accounts.
type AccountId is bytes32;

using {owner, index, equals as ==, differs as !=} for AccountId global;

/// @notice The account with this index of this owner.
function accountIdOf(address owner_, uint96 index_) pure returns (AccountId) {
    return AccountId.wrap(bytes32((uint256(uint160(owner_)) << 96) | index_));
}

function owner(AccountId account) pure returns (address) {
    return address(uint160(uint256(AccountId.unwrap(account)) >> 96));
}

function index(AccountId account) pure returns (uint96) {
    return uint96(uint256(AccountId.unwrap(account)));
}

function equals(AccountId a, AccountId b) pure returns (bool) {
    return AccountId.unwrap(a) == AccountId.unwrap(b);
}

function differs(AccountId a, AccountId b) pure returns (bool) {
    return AccountId.unwrap(a) != AccountId.unwrap(b);
}
