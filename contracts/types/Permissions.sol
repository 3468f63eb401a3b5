// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// What an account's owner may let an operator do with it, one bit each. Only the owner itself appoints operators.

// Trade.
uint256 constant PERMISSION_TRADE = 1;
// Withdraw, to any address.
uint256 constant PERMISSION_WITHDRAW = 2;
// Transfer to any account.
uint256 constant PERMISSION_TRANSFER = 4;
// Take over what is liquidated, and buy collateral from the pool.
uint256 constant PERMISSION_TAKE = 8;
// Change its mode.
uint256 constant PERMISSION_SET_MODE = 16;

uint256 constant ALL_PERMISSIONS = 31;
