// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A token of which everybody has plenty, and which everybody may take
/// @notice So that nothing has to be written before a case can move it.
contract ParityToken {
    uint256 private constant PLENTY = 1 << 200;

    uint8 public immutable decimals;
    /// What came, less what went; wraps below zero.
    mapping(address holder => uint256) private _moved;

    constructor(uint8 decimals_) {
        decimals = decimals_;
    }

    function balanceOf(address holder) external view returns (uint256) {
        unchecked {
            return PLENTY + _moved[holder];
        }
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return transferFrom(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public returns (bool) {
        unchecked {
            _moved[from] -= amount;
            _moved[to] += amount;
        }
        return true;
    }
}
